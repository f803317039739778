/* SPDX-License-Identifier: MIT */
/* txq.h - the octets an association has yet to send, in order.
 *
 *   head                                        tail
 *   [hdr][ borrowed element octets ][hdr][ borrowed ... ]
 *     ^ owned: in small blocks         ^ points into a caller's buffer
 *
 * A push appends headers of its own and *borrows* the caller's elements, sends
 * what the transport takes at once, and then settles: what is left is copied, so
 * nothing is borrowed when push returns.  The queue itself has no limit; its
 * users look at txq_len() and stop producing (base/limits.h).
 *
 * While one thread sends with the lock dropped others may append (txq_set_sending()): then
 * nothing of theirs can be settled, so it is copied at once.
 *
 * Not thread safe.  Octets handed out by txq_iov() stay valid, at the same
 * address, until txq_sent() has covered them or txq_settle() ran; appending in
 * between is fine. */
#ifndef PROTO_TXQ_H
#define PROTO_TXQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct txq_block;

struct txq_seg {
    const uint8_t *octets;
    size_t len;
    struct txq_block *block; /* owner of the octets; NULL: borrowed */
};

/* What a queue that is, or was just, in use needs besides. */
struct txq_store {
    struct txq_seg *segs; /* segs[head .. tail) are in use */
    size_t head, tail, capacity;
    size_t borrowed;         /* of the queue's length, octets not owned */
    struct txq_block *block; /* where owned octets go next, or NULL */
    struct txq_block *spare; /* large blocks kept for the next settling */
    unsigned spare_count;
    bool sending; /* see txq_set_sending() */
    struct txq_seg first_segs[4]; /* `segs` until they do not suffice */
};

struct txq {
    size_t len;     /* octets queued */
    uint64_t total; /* octets ever appended; total - len were sent */
    struct txq_store *store; /* NULL: empty, and nothing kept */
};

void txq_init(struct txq *q);
void txq_fini(struct txq *q);

/* Room for `len` octets at the end of the queue, owned by it, to be written by the
 * caller before the next call.  NULL: out of memory, queue unchanged. */
uint8_t *txq_append(struct txq *q, size_t len);

/* Appends a copy.  False: out of memory, queue unchanged. */
bool txq_copy(struct txq *q, const void *octets, size_t len);

/* Appends octets that stay the caller's, who keeps them in place until they are
 * sent or settled; a copy while somebody sends.  False: out of memory, queue unchanged. */
bool txq_borrow(struct txq *q, const void *octets, size_t len);

/* A thread begins, or is done, with sending what is queued. */
void txq_set_sending(struct txq *q, bool sending);

/* Copies whatever is still borrowed.  False: out of memory; the octets are still
 * borrowed and the association must be given up. */
bool txq_settle(struct txq *q);

/* Gives up what an empty queue keeps for its next use; for idle associations. */
void txq_trim(struct txq *q);

/* Describes the head of the queue with at most `max` elements and about
 * `octets_max` octets; returns how many elements were filled. */
size_t txq_iov(const struct txq *q, struct iovec *iov, size_t max, size_t octets_max);

/* The first `len` queued octets were sent. */
void txq_sent(struct txq *q, size_t len);

/* Takes back what was appended after the queue's total was `total`, none of which was
 * sent or described by txq_iov() yet: undoes a PDU half built when memory ran out. */
void txq_truncate(struct txq *q, uint64_t total);

static inline size_t txq_len(const struct txq *q)
{
    return q->len;
}

/* Of them, octets that are not owned. */
static inline size_t txq_borrowed(const struct txq *q)
{
    return q->store ? q->store->borrowed : 0;
}

/* Octets ever sent. */
static inline uint64_t txq_total_sent(const struct txq *q)
{
    return q->total - q->len;
}

#endif
