/* SPDX-License-Identifier: MIT */
/* mes_handle.h - serialisation handles: where octets go to or come from, and how far they
 * are.  What the program holds is a number of the handle table, as with bindings.
 *
 *   mes.c          values <-> octets with headers          (midles.h)
 *   mes_handle.c   the handles, and octets in and out of them
 *
 * One thread at a time uses a handle; nothing here locks. */
#ifndef RUNTIME_MES_HANDLE_H
#define RUNTIME_MES_HANDLE_H

#include <stdbool.h>

#include <penstock/midles.h>

#include "base/handle.h"
#include "ndr/ndr.h"
#include "wire/pickle.h"

struct mes_handle {
    struct counted object;
    MIDL_ES_HANDLE_STYLE style;
    MIDL_ES_CODE operation;

    /* Incremental: the program's routines; NULL where it gave none. */
    void *state;
    MIDL_ES_ALLOC alloc;
    MIDL_ES_WRITE write;
    MIDL_ES_READ read;
    uint8_t *gathered; /* decoding: what several Reads gave, put together */

    /* Buffers. */
    uint8_t *buffer;               /* fixed: the caller's; dynamic: the last one allocated */
    size_t size;                   /* octets of a fixed one, or to decode                  */
    void (*release)(void *object); /* dynamic: frees `buffer`                */
    char **ret_buffer;
    unsigned long *ret_size;

    uint64_t pos;              /* octets written or read since the beginning          */
    bool types_known;          /* the common header was written or read               */
    struct pickle_types types; /* ... and says                                        */
    bool proc_known;           /* encoding: the last encoding was an operation;
                                * decoding: the header of the next was read ahead     */
    struct pickle_proc proc;   /* its header                                          */
    bool broken;               /* incremental: failed half-way, needs a reset         */
};

/* The handle, counted; NULL: it is none. */
struct mes_handle *mes_handle_get(handle_t handle);

static inline void mes_handle_put(struct mes_handle *mes)
{
    counted_put(&mes->object);
}

static inline bool mes_encodes(const struct mes_handle *mes)
{
    return mes->operation != MES_DECODE;
}

/* Hands over `len` octets of one encoding, whose length is a multiple of the alignment.
 * `memory` allocates the buffer of the dynamic style.  RPC_S_OK, or nothing has changed,
 * except that an incremental handle may be broken: RPC_X_INVALID_BUFFER;
 * RPC_S_OUT_OF_MEMORY; what Alloc or Write raised. */
RPC_STATUS mes_give(struct mes_handle *mes, const uint8_t *octets, size_t len,
                    const struct ndr_memory *memory);

/* Takes the next `len` octets; *ret_octets are valid until the next call.  Allocates no more
 * than octets are there.  RPC_S_OK; RPC_X_INVALID_BUFFER: there are not so many;
 * RPC_S_OUT_OF_MEMORY; what Read raised. */
RPC_STATUS mes_take(struct mes_handle *mes, size_t len, const uint8_t **ret_octets);
/* Steps over padding, as far as it is there. */
RPC_STATUS mes_take_padding(struct mes_handle *mes, uint32_t align);
/* Octets of a buffer that were not taken yet; SIZE_MAX: nobody knows. */
size_t mes_left(const struct mes_handle *mes);

#endif
