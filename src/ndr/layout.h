/* SPDX-License-Identifier: MIT */
/* layout.h - what a type looks like in memory and on the wire, before any value is
 * known.  Transfer syntaxes differ in the numbers of `struct ndr_rules`; encode.c and
 * decode.c ask here and know no such number themselves. */
#ifndef PENSTOCK_NDR_LAYOUT_H
#define PENSTOCK_NDR_LAYOUT_H

#include "ndr/ndr.h"

#define NDR_HOST_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* A context handle begins with an integer of 4 octets. */
#define NDR_CONTEXT_ALIGN 4u

/* __int3264 has 8 octets in NDR64; where pointers are narrower it would not fit. */
#define NDR64_SUPPORTED (UINTPTR_MAX == UINT64_MAX)

/* Counts above this are refused in both directions (MS-RPCE 3.1.1.5.3.3). */
#define NDR_COUNT_MAX INT32_MAX

/* Dimensions of one array; penstock-idl has no more levels. */
#define NDR_DIMENSIONS_MAX 8u

/* One transfer syntax. */
struct ndr_rules {
    uint8_t count_size;   /* octets of a max, offset or actual count */
    uint8_t pointer_size; /* octets of a pointer's referent          */
    uint8_t enum16_size;  /* octets of an enum without [v1_enum]     */
    uint8_t int3264_size;
    bool refs_in_arrays; /* do [ref] pointers in arrays have a value on the wire? */
    /* NDR64: structures end with a pad to their alignment, or have it in front of a
     * conformant tail; unions begin aligned to the strictest of discriminant and arms, and
     * all arms begin where the strictest could.  NDR 2.0 does neither. */
    bool pads;
};

extern const struct ndr_rules ndr20_rules, ndr64_rules;

/* Where a value stands; it decides what a pointer looks like and whether a
 * conformant array is legal. */
enum ndr_place {
    NDR_AT_TOP,    /* a parameter, or what a pointer points to */
    NDR_AT_FIELD,  /* in a structure                           */
    NDR_AT_ELEMENT /* in an array                              */
};

/* Octets of a scalar in memory and on the wire; 0 for constructed kinds. */
uint32_t ndr_scalar_memory_size(NDR_KIND kind);
uint32_t ndr_scalar_wire_size(const struct ndr_rules *rules, NDR_KIND kind);

/* sizeof the type in C; what is conformant counts 0. */
size_t ndr_memory_size(const NDR_TYPE *type);

/* Alignment on the wire of a value's first octet.  In NDR 2.0 asked only for structures and
 * pointers: the descriptor has it. */
uint32_t ndr_align(const struct ndr_rules *rules, const NDR_TYPE *type);

/* True, and the layout, when each value of the type has the same size on the wire:
 * scalars, and structures and fixed arrays of such.  All others go through encode.c
 * and decode_value.c member by member. */
bool ndr_fixed_layout(const struct ndr_rules *rules, const NDR_TYPE *type,
                      struct ndr_element_layout *ret_layout);

/* Octets of a run of `count` elements; count * stride fits in 63 bits because both
 * are below 2^32. */
static inline uint64_t ndr_run_len(const struct ndr_element_layout *layout, uint64_t count)
{
    return count == 0 ? 0 : (count - 1) * layout->stride + layout->size;
}

/* A lower bound of the octets any value of the type takes, pointees of embedded
 * pointers not counted.  Never 0, except for what has no representation. */
uint64_t ndr_least_len(const struct ndr_rules *rules, const NDR_TYPE *type, enum ndr_place place);

/* The next dimension of the same varying array, or NULL. */
const NDR_TYPE *ndr_next_dimension(const NDR_TYPE *type);

/* Conformant array, or string whose capacity is not part of the type. */
bool ndr_is_conformant(const NDR_TYPE *type);

/* The conformant array or string at the very end of a structure, also through
 * structures that end it, else NULL.  Offsets are from the outer structure: of the
 * one that holds the array (the base of its size_is), and of its first element. */
const NDR_TYPE *ndr_conformant_tail(const NDR_TYPE *type, size_t *ret_base, size_t *ret_offset);

/* Is there a pointer in the value itself (not behind another pointer)? */
bool ndr_has_pointers(const NDR_TYPE *type);

/* Octets of what a parameter's pointer leads to when nothing was sent: size_is over the frame
 * says how many elements.  RPC_X_BAD_STUB_DATA: it makes no sense; RPC_S_CANNOT_SUPPORT:
 * there is no size (memory.c). */
RPC_STATUS ndr_storage_size(const NDR_TYPE *type, const void *frame, uint64_t *ret_size);

/* Does the parameter travel in this direction (or in one of them) as ordinary data? */
bool ndr_param_travels(const NDR_PARAM *param, uint32_t direction);
/* The same in either direction, or a status parameter of the ACF: a server gives it storage
 * and frees it. */
bool ndr_param_has_memory(const NDR_PARAM *param);

#endif
