/* SPDX-License-Identifier: MIT */
/* rxbuf.h - counted buffers of received octets.
 *
 * One recv fills a buffer of LIMIT_RECV_LEN with many fragments; pipes keep
 * references to the buffer while element octets in it wait to be pulled.  A few
 * buffers are kept warm for the whole process; an idle connection holds none. */
#ifndef RUNTIME_RXBUF_H
#define RUNTIME_RXBUF_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct rxbuf {
    atomic_uint refs;
    uint32_t len; /* for its user: octets that it holds */
    size_t capacity;
    union {
        struct rxbuf *next_free; /* rxbuf.c's */
        uint64_t origin;         /* for its user: stub offset of the first octet */
        size_t at;               /* for its user: where they begin               */
    };
    uint8_t octets[];
};

/* A buffer of at least `capacity` octets with one reference, or NULL.  Those of
 * LIMIT_RECV_LEN come warm.  `len` and `origin` are 0. */
struct rxbuf *rxbuf_new(size_t capacity);

static inline void rxbuf_get(struct rxbuf *buf)
{
    atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
}

/* NULL is allowed. */
void rxbuf_put(struct rxbuf *buf);

#endif
