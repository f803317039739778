/* SPDX-License-Identifier: MIT */
/* ndr_carry.h - parameters of one direction to octets and back: at once, or with the octets in a
 * heap object of exactly their length between. */
#ifndef PENSTOCK_TESTS_NDR_CARRY_H
#define PENSTOCK_TESTS_NDR_CARRY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/alias.h"
#include "ndr/ndr.h"
#include "ndr_heap.h"

/* Server to client or back: encodes `from`, decodes into `to`. */
static inline enum ndr_verdict carry(const NDR_OPERATION *operation, uint32_t direction,
                                     const void *from, void *to, RPC_STATUS *ret_status)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    RPC_STATUS status = ndr_encode_params(&w, operation, from, direction);
    assert(status == RPC_S_OK);
    struct ndr_reader r = {.octets = w.octets, .len = w.len, .little_endian = true, .last = true};
    enum ndr_verdict verdict = ndr_decode_params(&r, operation, to, direction, &heap);
    *ret_status = verdict == NDR_FAILED ? r.status : status;
    ndr_writer_fini(&w);
    return verdict;
}

/* What encoding says; a failure leaves no octets. */
static inline RPC_STATUS encode_status(const NDR_OPERATION *operation, uint32_t direction,
                                       const void *frame)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    RPC_STATUS status = ndr_encode_params(&w, operation, frame, direction);
    assert(w.status == status && (status == RPC_S_OK || w.len == 0));
    ndr_writer_fini(&w);
    return status;
}

/* ---- In an object of its own ----------------------------------------------------------------- */

struct carried {
    const NDR_OPERATION *operation;
    uint32_t direction;
    bool ndr64;
    uint8_t *octets;
    size_t len;
    struct ndr_full_pointers *full; /* of the receiving side; or NULL */
};

static inline const NDR_OPERATION *operation_of(RPC_IF_HANDLE ifspec, unsigned opnum)
{
    return &((const RPC_CLIENT_INTERFACE *)ifspec)->InterpreterInfo->operations[opnum];
}

static inline struct carried encode_frame(const NDR_OPERATION *operation, uint32_t direction,
                                          bool ndr64, const void *frame,
                                          struct ndr_full_pointers *full)
{
    struct carried c = {.operation = operation, .direction = direction, .ndr64 = ndr64};
    struct ndr_writer w;
    ndr_writer_init(&w);
    w.ndr64 = ndr64;
    w.full = full;
    RPC_STATUS status = ndr_encode_params(&w, operation, frame, direction);
    assert(status == RPC_S_OK);
    c.len = w.len;
    c.octets = malloc(w.len);
    assert(c.octets || w.len == 0);
    memcpy(c.octets, w.octets, w.len);
    ndr_writer_fini(&w);
    return c;
}

static inline void carried_fini(struct carried *c)
{
    free(c->octets);
    c->octets = NULL;
}

/* The first `len` octets, `last`: and no more will come.  Scratch memory fails like the
 * program's. */
static inline enum ndr_verdict decode_part(const struct carried *c, size_t len, bool last,
                                           void *frame, RPC_STATUS *ret_status)
{
    uint8_t *part = malloc(len > 0 ? len : 1);
    assert(part);
    memcpy(part, c->octets, len);
    struct ndr_reader r = {.octets = part,
                           .len = len,
                           .little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                           .last = last,
                           .ndr64 = c->ndr64,
                           .full = c->full,
                           .reallocate = heap_reallocate};
    enum ndr_verdict verdict =
        ndr_decode_params(&r, c->operation, frame, c->direction, &heap);
    *ret_status = verdict == NDR_FAILED ? r.status : RPC_S_OK;
    free(part);
    return verdict;
}

static inline enum ndr_verdict decode_frame(const struct carried *c, void *frame,
                                            RPC_STATUS *ret_status)
{
    return decode_part(c, c->len, true, frame, ret_status);
}

/* Does the frame encode to the same octets again? */
static inline bool encodes_alike(const struct carried *c, const void *frame)
{
    struct carried again = encode_frame(c->operation, c->direction, c->ndr64, frame, NULL);
    bool alike = again.len == c->len && memcmp(again.octets, c->octets, c->len) == 0;
    carried_fini(&again);
    return alike;
}

#endif
