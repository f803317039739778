/* SPDX-License-Identifier: MIT */
/* conn_send.c - the writer role of a connection: what is queued goes to the transport; see
 * conn.h. */
#include "runtime/conn.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "io/timer.h"
#include "runtime/call.h"
#include "runtime/capture.h"
#include "runtime/stats.h"

/* Octets per system call: a slice and what was collected before it leave together. */
#define SEND_MAX (2 * LIMIT_PUSH_SLICE)

static void trace_sent(struct conn *conn, const struct iovec *iov, size_t count, size_t len)
{
    if (!conn->tracer)
        conn->tracer = calloc(1, sizeof(*conn->tracer));
    if (conn->tracer)
        conn_trace(conn->tracer, conn->watch.fd, "->", iov, count, len);
}

/* The writer role.  What others queue meanwhile they leave to its holder, and have it copied. */
static void set_writing(struct conn *conn, bool writing)
{
    conn->writing = writing;
    txq_set_sending(&conn->assoc.txq, writing);
}

/* Looks after what a connection leaves to somebody who comes at once, should he not. */
struct leaving {
    struct io_timer timer;
    uint32_t since_us; /* of clock_us() the low bits */
};

/* Lock held. */
static bool left_too_long(const struct conn *conn)
{
    return (uint32_t)clock_us() - conn->leaving->since_us >= LIMIT_GATHER_US;
}

/* On a thread of the pool that had nothing else to do: whoever was to come at once takes his
 * time. */
static void on_left(struct counted *object)
{
    struct conn *conn = list_entry(object, struct conn, watch.object);
    conn_lock(conn);
    if (conn->left && left_too_long(conn)) { /* else it was sent meanwhile */
        conn->prompt_runs = 0;
        conn_flush(conn);
        conn_settle(conn, CONN_ARM_NOW);
    }
    conn_unlock(conn);
}

/* False: no memory, or the like. */
static bool begin_leaving(struct conn *conn)
{
    if (!conn->leaving)
        conn->leaving = calloc(1, sizeof(*conn->leaving));
    if (!conn->leaving)
        return false;
    const uint64_t now = clock_us();
    conn->leaving->since_us = (uint32_t)now;
    conn->leaving->timer.object = &conn->watch.object;
    conn->leaving->timer.expired = on_left;
    conn->left = timer_set(&conn->leaving->timer, now + LIMIT_GATHER_US);
    return conn->left;
}

/* What was left is being sent. */
static void end_leaving(struct conn *conn)
{
    if (conn->left)
        timer_clear(&conn->leaving->timer);
    conn->left = false;
}

void conn_trim_leaving(struct conn *conn)
{
    if (conn->left)
        return;
    free(conn->leaving); /* its timer is not set */
    conn->leaving = NULL;
}

/* One sendmsg of about `octets_max` octets, with the lock dropped; `block` waits until
 * they are taken.  False: no more for now, or dead. */
static bool send_once(struct conn *conn, size_t octets_max, bool block)
{
    struct iovec iov[LIMIT_SEND_IOV];
    struct msghdr msg = {.msg_iov = iov};
    stats_count(RPC_C_STATS_PKTS_OUT, conn->assoc.queued_pdus);
    conn->assoc.queued_pdus = 0;
    end_leaving(conn);
    msg.msg_iovlen = txq_iov(&conn->assoc.txq, iov, LIMIT_SEND_IOV, octets_max);
    conn->corked = conn->more && conn->kind == TRANSPORT_TCP;
    int flags = MSG_NOSIGNAL | (block ? 0 : MSG_DONTWAIT) | (conn->corked ? MSG_MORE : 0);
    conn_unlock(conn);
    ssize_t n;
    do
        n = conn->capture ? capture_sendmsg(conn->capture, conn->watch.fd, &msg, flags)
                          : sendmsg(conn->watch.fd, &msg, flags);
    while (n < 0 && errno == EINTR);
    int error = n < 0 ? errno : 0;
    if (n > 0 && trace_enabled(TRACE_PDU))
        trace_sent(conn, iov, msg.msg_iovlen, (size_t)n);
    conn_lock(conn);
    if (n >= 0) {
        txq_sent(&conn->assoc.txq, (size_t)n);
        return txq_len(&conn->assoc.txq) > 0;
    }
    if (error != EAGAIN && error != EWOULDBLOCK) {
        TRACE(TRACE_IO, "conn %d: send: %s", conn->watch.fd, strerror(error));
        conn_fail(conn, RPC_S_CALL_FAILED);
    }
    return false;
}

void conn_flush(struct conn *conn)
{
    if (conn->writing)
        return;
    set_writing(conn, true);
    bool more = txq_len(&conn->assoc.txq) > 0 && !conn->closed;
    while (more)
        more = send_once(conn, SEND_MAX, false) && !conn->closed;
    set_writing(conn, false);
    conn_role_ended(conn);
    calls_on_sent(conn);
    if (conn->settle_sent)
        conn_settle_sent(conn);
}

/* Sends without blocking.  False: the transport took nothing. */
static bool send_slice(struct conn *conn, size_t octets_max)
{
    const uint64_t before = txq_total_sent(&conn->assoc.txq);
    send_once(conn, octets_max, false);
    return txq_total_sent(&conn->assoc.txq) > before;
}

/* Sends what is more than `len`, waiting in sendmsg: the kernel wakes us as its buffer
 * drains, and shutdown() wakes us when the association is given up. */
static void send_blocking(struct conn *conn, size_t len)
{
    set_writing(conn, true);
    conn->blocked_push = true;
    while (!conn->closed && conn_alive(conn) && txq_len(&conn->assoc.txq) > len) {
        size_t excess = txq_len(&conn->assoc.txq) - len;
        size_t slice = excess < SEND_MAX ? excess : SEND_MAX;
        if (conn_silence_max_ms(conn) == 0)
            send_once(conn, slice, true);
        else if (!send_slice(conn, slice) && conn_alive(conn))
            conn_poll(conn, POLLOUT);
    }
    set_writing(conn, false);
    conn->blocked_push = false;
    conn_role_ended(conn);
    calls_on_sent(conn);
}

void conn_flush_until(struct conn *conn, size_t len)
{
    while (conn_alive(conn) && !conn->closed && txq_len(&conn->assoc.txq) > len) {
        if (conn->writing) {
            conn_wait(conn);
        } else {
            send_blocking(conn, len);
        }
    }
}

/* Another thread that is sending may be at it for as long as the peer likes: nobody waits for it,
 * least of all a thread of the pool.  What was just queued is a copy then. */
void conn_push_out(struct conn *conn)
{
    if (conn->writing)
        return;
    conn_flush(conn);
    conn_own_output(conn); /* what is borrowed is this thread's */
}

bool conn_is_prompt(struct conn *conn)
{
    if (conn->prompt_runs >= LIMIT_GATHER_AFTER)
        return true;
    conn->prompt_runs++;
    return false;
}

bool conn_leave_output(struct conn *conn)
{
    if (conn->writing || txq_len(&conn->assoc.txq) > LIMIT_GATHER_LEN || !conn_alive(conn))
        return false;
    if (conn->left ? left_too_long(conn) : !begin_leaving(conn))
        return false;
    conn_own_output(conn);
    reactor_touch(&conn->watch);
    return true;
}

/* conn_push_out_soon()'s. */
struct flush {
    struct io_job job;
    struct conn *conn; /* counted */
};

static void run_flush(struct io_job *job)
{
    struct flush *flush = list_entry(job, struct flush, job);
    struct conn *conn = flush->conn;
    free(flush);
    conn_lock(conn);
    conn->flush_due = false;
    conn_flush(conn);
    conn_settle(conn, CONN_ARM_NOW);
    conn_unlock(conn);
    conn_put(conn);
}

/* False: this thread has nothing else to do first, or there is no memory. */
static bool flush_later(struct conn *conn)
{
    struct flush *flush = reactor_has_own_jobs() ? malloc(sizeof(*flush)) : NULL;
    if (!flush)
        return false;
    *flush = (struct flush){.job.run = run_flush, .conn = conn};
    conn_get(conn);
    reactor_submit(&flush->job);
    return true;
}

void conn_push_out_soon(struct conn *conn)
{
    const bool prompt = conn_is_prompt(conn);
    if (prompt && !conn->flush_due)
        conn->flush_due = flush_later(conn);
    if (!prompt || !conn->flush_due || !conn_leave_output(conn))
        conn_push_out(conn);
}

void conn_own_output(struct conn *conn)
{
    assert(!conn->writing);
    if (txq_settle(&conn->assoc.txq))
        return;
    conn_fail(conn, RPC_S_OUT_OF_MEMORY);
    txq_fini(&conn->assoc.txq);
    txq_init(&conn->assoc.txq);
}
