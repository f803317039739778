/* SPDX-License-Identifier: MIT */
/* txq.c - see txq.h. */
#include "proto/txq.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/copy.h"
#include "base/slab.h"

/* Large enough for the headers of 64 KiB in TCP fragments and then some (85 of 24 octets; a
 * larger push takes several), small enough that a queue with one control PDU stays small. */
#define BLOCK_LEN 2040u
/* The first block lies behind the store: room for a bind with two transfer syntaxes or a small
 * request, mostly all there is before the connection is left alone. */
#define FIRST_BLOCK_LEN 224u

/* Settled rests of pushes live in blocks of this size, a few of which are kept: a
 * sender that is ahead of its receiver needs one per push. */
#define LARGE_LEN  (68u << 10)
#define SPARES_MAX 16u /* the high water mark of a pipe */

struct txq_block {
    size_t refs; /* segments that point here, plus one while it is q->block */
    size_t used, capacity;
    struct txq_block *next; /* spare */
    uint8_t octets[];
};

#define STORE_LEN (sizeof(struct txq_store) + sizeof(struct txq_block) + FIRST_BLOCK_LEN)

static struct txq_block *first_block(struct txq_store *q)
{
    return (struct txq_block *)(void *)(q + 1);
}

static struct txq_block *block_new(size_t capacity)
{
    struct txq_block *block = malloc(sizeof(*block) + capacity);
    if (block)
        *block = (struct txq_block){.refs = 1, .capacity = capacity};
    return block;
}

static struct txq_block *large_block(struct txq_store *q, size_t len)
{
    struct txq_block *block = len <= LARGE_LEN ? q->spare : NULL;
    if (!block)
        return block_new(len > LARGE_LEN || len < LARGE_LEN / 2 ? len : LARGE_LEN);
    q->spare = block->next;
    q->spare_count--;
    *block = (struct txq_block){.refs = 1, .capacity = block->capacity};
    return block;
}

static void block_put(struct txq_store *q, struct txq_block *block)
{
    if (!block || --block->refs > 0 || block == first_block(q))
        return;
    if (block->capacity == LARGE_LEN && q->spare_count < SPARES_MAX) {
        block->next = q->spare;
        q->spare = block;
        q->spare_count++;
    } else {
        free(block);
    }
}

static void free_segs(struct txq_store *q)
{
    if (q->segs != q->first_segs)
        free(q->segs);
    q->segs = q->first_segs;
    q->capacity = sizeof(q->first_segs) / sizeof(q->first_segs[0]);
}

void txq_trim(struct txq *txq)
{
    struct txq_store *q = txq->store;
    if (!q)
        return;
    while (q->spare) {
        struct txq_block *block = q->spare;
        q->spare = block->next;
        free(block);
    }
    q->spare_count = 0;
    if (txq->len > 0)
        return;
    block_put(q, q->block);
    free_segs(q);
    object_free(q, STORE_LEN);
    txq->store = NULL;
}

void txq_init(struct txq *txq)
{
    *txq = (struct txq){0};
}

void txq_fini(struct txq *txq)
{
    struct txq_store *q = txq->store;
    for (size_t i = q ? q->head : 0; q && i < q->tail; i++)
        block_put(q, q->segs[i].block);
    txq->len = 0;
    txq_trim(txq);
    *txq = (struct txq){0};
}

static bool open_store(struct txq *txq)
{
    if (txq->store)
        return true;
    txq->store = object_alloc(STORE_LEN);
    if (!txq->store)
        return false;
    txq->store->segs = txq->store->first_segs;
    free_segs(txq->store);
    return true;
}

static bool room_for_seg(struct txq_store *q)
{
    if (q->tail < q->capacity)
        return true;
    if (q->head > q->capacity / 2) {
        memmove(q->segs, q->segs + q->head, (q->tail - q->head) * sizeof(*q->segs));
        q->tail -= q->head;
        q->head = 0;
        return true;
    }
    const bool grown = q->segs != q->first_segs;
    size_t capacity = q->capacity * 2;
    struct txq_seg *segs = realloc(grown ? q->segs : NULL, capacity * sizeof(*segs));
    if (!segs)
        return false;
    if (!grown)
        memcpy(segs, q->first_segs, sizeof(q->first_segs));
    q->segs = segs;
    q->capacity = capacity;
    return true;
}

static void append_seg(struct txq_store *q, const uint8_t *octets, size_t len, struct txq_block *block)
{
    q->segs[q->tail++] = (struct txq_seg){.octets = octets, .len = len, .block = block};
}

/* Room for `len` octets in a block that no segment points to. */
static struct txq_block *next_block(struct txq *txq, size_t len)
{
    struct txq_store *q = txq->store;
    if (q->block || txq->len > 0 || len > FIRST_BLOCK_LEN)
        return block_new(len > BLOCK_LEN ? len : BLOCK_LEN);
    struct txq_block *first = first_block(q);
    *first = (struct txq_block){.refs = 1, .capacity = FIRST_BLOCK_LEN};
    return first;
}

uint8_t *txq_append(struct txq *txq, size_t len)
{
    if (!open_store(txq) || !room_for_seg(txq->store))
        return NULL;
    struct txq_store *q = txq->store;
    if (!q->block || q->block->capacity - q->block->used < len) {
        struct txq_block *block = next_block(txq, len);
        if (!block)
            return NULL;
        block_put(q, q->block);
        q->block = block;
    }
    struct txq_block *block = q->block;
    uint8_t *octets = block->octets + block->used;
    struct txq_seg *last = q->tail > q->head ? &q->segs[q->tail - 1] : NULL;
    if (last && last->block == block && last->octets + last->len == octets) {
        last->len += len;
    } else {
        block->refs++;
        append_seg(q, octets, len, block);
    }
    block->used += len;
    txq->len += len;
    txq->total += len;
    return octets;
}

bool txq_copy(struct txq *q, const void *octets, size_t len)
{
    if (len == 0)
        return true;
    uint8_t *copy = txq_append(q, len);
    if (copy)
        memcpy(copy, octets, len);
    return copy != NULL;
}

bool txq_borrow(struct txq *txq, const void *octets, size_t len)
{
    if (len == 0)
        return true;
    if (txq->store && txq->store->sending)
        return txq_copy(txq, octets, len);
    if (!open_store(txq) || !room_for_seg(txq->store))
        return false;
    struct txq_store *q = txq->store;
    append_seg(q, octets, len, NULL);
    txq->len += len;
    txq->total += len;
    q->borrowed += len;
    return true;
}

/* Without a store nothing is queued: nobody has anything to send. */
void txq_set_sending(struct txq *txq, bool sending)
{
    if (txq->store)
        txq->store->sending = sending;
}

bool txq_settle(struct txq *txq)
{
    struct txq_store *q = txq->store;
    if (!q || q->borrowed == 0)
        return true;
    size_t first = q->head;
    while (q->segs[first].block)
        first++;
    size_t len = 0;
    for (size_t i = first; i < q->tail; i++)
        len += q->segs[i].len;

    struct txq_block *block = large_block(q, len);
    if (!block)
        return false;
    for (size_t i = first; i < q->tail; i++) {
        copy_octets(block->octets + block->used, q->segs[i].octets, q->segs[i].len);
        block->used += q->segs[i].len;
        block_put(q, q->segs[i].block);
    }
    q->tail = first;
    append_seg(q, block->octets, len, block); /* takes the block's only reference */
    q->borrowed = 0;
    return true;
}

size_t txq_iov(const struct txq *txq, struct iovec *iov, size_t max, size_t octets_max)
{
    const struct txq_store *q = txq->store;
    size_t n = 0, octets = 0;
    for (size_t i = q ? q->head : 0; q && i < q->tail && n < max && octets < octets_max; i++, n++) {
        iov[n].iov_base = (void *)(uintptr_t)q->segs[i].octets;
        iov[n].iov_len = q->segs[i].len;
        octets += q->segs[i].len;
    }
    return n;
}

void txq_sent(struct txq *txq, size_t len)
{
    struct txq_store *q = txq->store;
    assert(len <= txq->len);
    if (!q)
        return;
    txq->len -= len;
    while (len > 0) {
        struct txq_seg *seg = &q->segs[q->head];
        size_t part = len < seg->len ? len : seg->len;
        if (!seg->block)
            q->borrowed -= part;
        seg->octets += part;
        seg->len -= part;
        len -= part;
        if (seg->len == 0) {
            block_put(q, seg->block);
            q->head++;
        }
    }
    if (txq->len == 0) {
        q->head = q->tail = 0;
        if (q->block && q->block->capacity <= BLOCK_LEN) {
            q->block->used = 0; /* the next push wants it; see txq_trim() */
        } else {
            block_put(q, q->block);
            q->block = NULL;
        }
        if (q->capacity > 64)
            free_segs(q);
    }
}

void txq_truncate(struct txq *txq, uint64_t total)
{
    struct txq_store *q = txq->store;
    while (txq->total > total) {
        assert(q->tail > q->head);
        struct txq_seg *seg = &q->segs[q->tail - 1];
        uint64_t excess = txq->total - total;
        size_t part = excess < seg->len ? (size_t)excess : seg->len;
        seg->len -= part;
        txq->len -= part;
        txq->total -= part;
        if (!seg->block)
            q->borrowed -= part;
        else if (seg->block == q->block)
            seg->block->used -= part;
        if (seg->len == 0) {
            block_put(q, seg->block);
            q->tail--;
        }
    }
}
