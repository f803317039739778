/* SPDX-License-Identifier: MIT */
/* pipe_rx.h - the receiving half of a pipe: element octets that arrived and were
 * not pulled yet.
 *
 *   arrival: scan counts whole elements, finds the end     pull: read copies out
 *   [span][span][span][span] ........................      ^ first span
 *
 * Spans point into receive buffers; nothing is copied before the application's
 * buffer.  Two readers walk the same octets: `scan` on arrival, which checks the
 * framing and says how much is there, and `read` behind it, which never meets the
 * unexpected.  When no whole element is left, so is no framing behind the last.  Not thread safe: the connection's lock guards it. */
#ifndef RUNTIME_PIPE_RX_H
#define RUNTIME_PIPE_RX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

#include "proto/chunk.h"
#include "runtime/pipe_type.h"
#include "runtime/rxbuf.h"

struct pipe_span {
    struct rxbuf *buf;
    const uint8_t *octets;
    size_t len;
};

/* What a pipe needs while octets are there; one that has been idle has none of it. */
struct pipe_queue {
    struct chunk_reader read;
    size_t octets;     /* queued, framing included                    */
    uint64_t elements; /* whole elements queued                       */
    uint8_t *bounce;   /* one element, for those that span buffers    */
    unsigned first, count, capacity;
    struct pipe_span spans[]; /* a queue: spans[first .. first + count) */
};

struct pipe_rx {
    const struct pipe_type *type;
    struct pipe_queue *queue; /* NULL: nothing is queued, and `read` would be where `scan` is */
    struct chunk_reader scan;
};

/* `type` is the pipe's; `range` limits the elements of a chunk, NULL: not.
 * RPC_S_OK, RPC_S_CANNOT_SUPPORT: not a pipe element, RPC_S_OUT_OF_MEMORY. */
RPC_STATUS pipe_rx_init(struct pipe_rx *rx, const NDR_TYPE *type, const NDR_RANGE *range,
                        bool ndr64);
void pipe_rx_fini(struct pipe_rx *rx);

/* Was its place in the stub stream reached; has the terminator arrived? */
static inline bool pipe_rx_begun(const struct pipe_rx *rx)
{
    return rx->scan.layout != NULL;
}
static inline bool pipe_rx_ended(const struct pipe_rx *rx)
{
    return rx->scan.state == CHUNK_AT_END;
}

/* Octets, framing included, and whole elements that are queued. */
static inline size_t pipe_rx_octets(const struct pipe_rx *rx)
{
    return rx->queue ? rx->queue->octets : 0;
}
static inline uint64_t pipe_rx_elements(const struct pipe_rx *rx)
{
    return rx->queue ? rx->queue->elements : 0;
}

/* The pipe's octets begin at stub offset `offset`. */
void pipe_rx_begin(struct pipe_rx *rx, uint64_t offset, bool little_endian);

/* Octets arrived; `buf` holds them and is referenced.  *ret_used is how many were
 * the pipe's: fewer than `len` only when its terminator was among them.
 * RPC_S_OK; RPC_X_BAD_STUB_DATA; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS pipe_rx_arrived(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets,
                           size_t len, size_t *ret_used);

/* Moves up to `count` whole elements into `memory`; *ret_count says how many (0 when
 * none are there).  RPC_S_OK; RPC_X_BAD_STUB_DATA: an element is out of its range. */
RPC_STATUS pipe_rx_read(struct pipe_rx *rx, void *memory, size_t count, size_t *ret_count);

/* Forgets what is queued. */
void pipe_rx_drop(struct pipe_rx *rx);

/* Copies a small rest out of large receive buffers, so that it does not pin them. */
void pipe_rx_compact(struct pipe_rx *rx);

/* Gives up what an empty queue keeps for its next use; for idle pipes. */
void pipe_rx_trim(struct pipe_rx *rx);

#endif
