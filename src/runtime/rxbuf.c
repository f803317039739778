/* SPDX-License-Identifier: MIT */
/* rxbuf.c - see rxbuf.h. */
#include "runtime/rxbuf.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"

static pthread_mutex_t warm_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rxbuf *warm;
static unsigned warm_count;

static struct rxbuf *take_warm(void)
{
    pthread_mutex_lock(&warm_lock);
    struct rxbuf *buf = warm;
    if (buf) {
        warm = buf->next_free;
        warm_count--;
    }
    pthread_mutex_unlock(&warm_lock);
    return buf;
}

static struct rxbuf *keep_warm(struct rxbuf *buf)
{
    pthread_mutex_lock(&warm_lock);
    if (warm_count < LIMIT_RECV_BUFFERS_KEPT) {
        buf->next_free = warm;
        warm = buf;
        warm_count++;
        buf = NULL;
    }
    pthread_mutex_unlock(&warm_lock);
    return buf;
}

struct rxbuf *rxbuf_new(size_t capacity)
{
    struct rxbuf *buf = capacity == LIMIT_RECV_LEN ? take_warm() : NULL;
    if (!buf) {
        buf = malloc(sizeof(*buf) + capacity);
        if (!buf)
            return NULL;
        buf->capacity = capacity;
    }
    atomic_store_explicit(&buf->refs, 1, memory_order_relaxed);
    buf->len = 0;
    buf->origin = 0;
    return buf;
}

void rxbuf_put(struct rxbuf *buf)
{
    if (!buf || atomic_fetch_sub_explicit(&buf->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (buf->capacity == LIMIT_RECV_LEN)
        buf = keep_warm(buf);
    free(buf);
}
