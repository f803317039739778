/* SPDX-License-Identifier: MIT */
/* convert.h - values the program converts itself (NDR_CONVERSION): calls of its routines,
 * and the octets they write and read.
 *
 *     [transmit_as], [represent_as]   value --to_wire--> wire value --encode.c--> octets
 *     [wire_marshal], [user_marshal]  value --user_marshal--> NDR 2.0 octets
 *
 * Octets are written to and read from a block of their own, never the call's buffer: the
 * routines trust their sizes, and align the address itself, so the block stands at an
 * address like the place in the stub.  Nothing here allocates with the program's
 * allocator. */
#ifndef PENSTOCK_NDR_CONVERT_H
#define PENSTOCK_NDR_CONVERT_H

#include "ndr/layout.h"

/* The routines write octets themselves. */
static inline bool ndr_is_user_marshalled(const NDR_TYPE *type)
{
    return type->conversion->user_marshal != NULL;
}

/* What they write; in front of it the engine writes the pointer, if element is one. */
static inline const NDR_TYPE *ndr_user_wire(const NDR_TYPE *type)
{
    return type->element->kind == NDR_KIND_POINTER ? type->element->element : type->element;
}

/* Where these octets may begin, in NDR 2.0. */
uint32_t ndr_user_align(const NDR_TYPE *wire);

/* Octets at an address congruent to `start` modulo every alignment there is. */
struct ndr_block {
    uint8_t *memory; /* free()d */
    uint8_t *octets;
    size_t len;
};

/* False: no memory.  `reallocate` NULL: realloc. */
bool ndr_block_init(struct ndr_block *block, uint64_t start, size_t len,
                    void *(*reallocate)(void *old, size_t size));
void ndr_block_fini(struct ndr_block *block);

/* Each returns RPC_S_OK or what the routine raised; to_wire also RPC_S_OUT_OF_MEMORY, when
 * there is nothing in *ret_wire. */
RPC_STATUS ndr_convert_to_wire(const struct ndr_memory *memory, const NDR_TYPE *type,
                               const void *value, void **ret_wire);
RPC_STATUS ndr_convert_from_wire(const struct ndr_memory *memory, const NDR_TYPE *type, void *wire,
                                 void *value);
RPC_STATUS ndr_convert_free_wire(const struct ndr_memory *memory, const NDR_TYPE *type, void *wire);
/* What the value points to, of either family. */
RPC_STATUS ndr_convert_free_value(const struct ndr_memory *memory, const NDR_TYPE *type,
                                  void *value);

/* Reads the value from octets a sender of that byte order sent.  *ret_filled: the routine
 * did not raise.  RPC_X_INVALID_BUFFER: it read too far, or returned NULL. */
RPC_STATUS ndr_convert_unmarshal(const struct ndr_memory *memory, const NDR_TYPE *type,
                                 const struct ndr_block *octets, bool little_endian, void *value,
                                 bool *ret_filled);

/* Appends the octets of a value, in the writer's transfer syntax; *referent: of the next
 * pointer in them.  Failures are latched: RPC_X_INVALID_BUFFER: the routine wrote more than
 * its size routine said, returned NULL, or wrote no value of the wire type. */
void ndr_user_write(struct ndr_writer *writer, const NDR_TYPE *type, const void *value,
                    uint32_t *referent);

/* encode.c: the value and everything behind its pointers, as if it was the only parameter.
 * Failures are latched. */
void ndr_encode_detached(struct ndr_writer *writer, const NDR_TYPE *type, const void *value,
                         uint32_t *referent);

/* decode_convert.c: reads a value of the type from all of the reader's octets, and writes it
 * with ndr_encode_detached.  RPC_S_OK or why not; BAD_STUB_DATA: octets are left over. */
RPC_STATUS ndr_transcode(struct ndr_reader *reader, const NDR_TYPE *type,
                         struct ndr_writer *writer, uint32_t *referent);

#endif
