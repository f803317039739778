/* SPDX-License-Identifier: MIT */
/* conn_recv.c - the reader role of a connection: octets from the transport become events of the
 * association; see conn.h. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/limits.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/capture.h"
#include "runtime/conn.h"
#include "runtime/stats.h"

/* Octets of an incomplete PDU wait in their buffer for the next receive. */
static void keep_rest(struct conn *conn, struct rxbuf *buf, size_t at, size_t len)
{
    if (len == 0)
        return;
    rxbuf_get(buf);
    conn->rest = buf;
    buf->at = at;
    buf->len = (uint32_t)len;
}

static void show_received(struct conn *conn, const uint8_t *octets, size_t len)
{
    const struct iovec iov = {(void *)(uintptr_t)octets, len};
    if (conn->capture)
        capture_pdus(conn->capture, false, &iov, 1);
    if (trace_enabled(TRACE_PDU))
        conn_trace_pdu(conn->watch.fd, "<-", octets, len);
}

/* Feeds the octets of `buf` from `at` to `end` to the association.  What is left of them,
 * an incomplete PDU, stays where it is. */
static void handle_octets(struct conn *conn, struct rxbuf *buf, size_t at, size_t end)
{
    unsigned pdus = 0;
    while (at < end) {
        struct assoc_event event;
        size_t need;
        size_t n = assoc_recv(&conn->assoc, buf->octets + at, end - at, &need, &event);
        if (n == 0)
            break;
        show_received(conn, buf->octets + at, n);
        at += n;
        pdus++;
        /* Fragments of a stream are of one length: the header after the next one is
         * fetched while the next is looked at. */
        if (end - at > n)
            __builtin_prefetch(buf->octets + at + n);
        if (event.kind != ASSOC_EVENT_NONE)
            conn_ops_of(conn)->on_event(conn, &event, buf);
        if (event.kind == ASSOC_EVENT_DEAD)
            conn_fail(conn, event.status);
    }
    keep_rest(conn, buf, at, end - at);
    stats_count(RPC_C_STATS_PKTS_IN, pdus);
}

/* An incomplete PDU up to this length is moved to the buffer of the next receive; a
 * longer one goes on where it began, if all of it has room there. */
#define MOVE_MAX (8u << 10)

/* The buffer of the next receive, with what is left of the last one at *ret_at, *ret_len
 * octets.  NULL: out of memory. */
static struct rxbuf *open_buffer(struct conn *conn, size_t *ret_at, size_t *ret_len)
{
    struct rxbuf *rest = conn->rest;
    *ret_at = rest ? rest->at : 0;
    *ret_len = rest ? rest->len : 0;
    conn->rest = NULL;
    if (rest && *ret_len > MOVE_MAX && rest->capacity - *ret_at > PDU_LEN_MAX)
        return rest;
    struct rxbuf *buf = rxbuf_new(LIMIT_RECV_LEN);
    if (buf && rest)
        copy_octets(buf->octets, rest->octets + *ret_at, *ret_len);
    *ret_at = 0;
    rxbuf_put(rest);
    return buf;
}

void conn_compact_rest(struct conn *conn)
{
    if (!conn->rest || conn->rest->capacity < LIMIT_RECV_LEN)
        return;
    struct rxbuf *rest = conn->rest, *exact = rxbuf_new(rest->len);
    if (!exact)
        return; /* it only costs memory */
    copy_octets(exact->octets, rest->octets + rest->at, rest->len);
    exact->at = 0;
    exact->len = rest->len;
    rxbuf_put(rest);
    conn->rest = exact;
}

enum conn_read conn_read(struct conn *conn, bool block)
{
    if (!conn_alive(conn))
        return CONN_READ_DEAD;
    if (conn->reading) {
        if (!block)
            return CONN_READ_DRY;
        /* What the other thread reads may be what the caller waits for. */
        conn_wait(conn);
        return conn_alive(conn) ? CONN_READ_SOME : CONN_READ_DEAD;
    }
    if (block && conn_silence_max_ms(conn) > 0) {
        conn_wait_readable(conn);
        if (!conn_alive(conn))
            return CONN_READ_DEAD;
        if (conn->reading) /* another thread was faster */
            return CONN_READ_SOME;
        block = false;
    }
    size_t at, have;
    struct rxbuf *buf = open_buffer(conn, &at, &have);
    if (!buf) {
        conn_fail(conn, RPC_S_OUT_OF_MEMORY);
        return CONN_READ_DEAD;
    }
    size_t room = buf->capacity - at - have;
    if (conn->kind == TRANSPORT_TCP && room > LIMIT_RECV_TCP)
        room = LIMIT_RECV_TCP;
    size_t wanted = calls_room(conn);
    room = wanted < room ? wanted : room;
    conn->reading = true;
    conn_unlock(conn);
    ssize_t n;
    do
        n = recv(conn->watch.fd, buf->octets + at + have, room, block ? 0 : MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    int error = n < 0 ? errno : 0;
    conn_lock(conn);

    enum conn_read result = CONN_READ_SOME;
    if (n > 0 && conn_alive(conn)) {
        conn->last_read = (uint32_t)n;
        handle_octets(conn, buf, at, at + have + (size_t)n);
    } else if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK)) {
        result = CONN_READ_DRY;
        keep_rest(conn, buf, at, have);
    } else {
        TRACE(TRACE_IO, "conn %d: recv: %s", conn->watch.fd, n == 0 ? "end" : strerror(error));
        conn_fail(conn, RPC_S_CALL_FAILED);
        conn->peer_closed = true;
    }
    /* Only now: what these octets mean is settled before anyone reads on. */
    conn->reading = false;
    conn_role_ended(conn);
    rxbuf_put(buf);
    return conn_alive(conn) ? result : CONN_READ_DEAD;
}

/* A receiver that waits in the kernel makes the sender pay for waking it with every
 * push, which keeps the sender just behind.  So it looks again by itself.  TCP has
 * buffers of megabytes: there it sleeps a while, the sender runs on, and the next
 * receive is a large one.  A Unix socket holds little more than one push. */
static void look_away(enum transport_kind kind)
{
    const struct timespec moment = {.tv_nsec = 1000}; /* and the timer slack, 50 us */
    if (kind == TRANSPORT_TCP)
        nanosleep(&moment, NULL);
    else
        sched_yield();
}

enum conn_read conn_read_eager(struct conn *conn)
{
    enum conn_read result = conn_read(conn, false);
    if (result != CONN_READ_DRY || conn->last_read < LIMIT_SPIN_LEN)
        return result;
    uint64_t end = clock_us() + LIMIT_SPIN_US;
    while (result == CONN_READ_DRY && !conn->reading && clock_us() < end) {
        conn_unlock(conn);
        look_away((enum transport_kind)conn->kind);
        conn_lock(conn);
        result = conn_read(conn, false);
    }
    if (result == CONN_READ_DRY)
        conn->last_read = 0; /* the stream has paused: no more of this until it runs */
    return result;
}

bool conn_may_read(const struct conn *conn)
{
    return conn_alive(conn) && !conn->stopped && !conn->held &&
           (conn->assoc.role == ASSOC_CLIENT || txq_len(&conn->assoc.txq) <= LIMIT_UNREAD_LEN);
}

void conn_read_next(struct conn *conn)
{
    conn->replied_us = (uint32_t)clock_us() | 1u;
    if (!conn->prompt || !conn_may_read(conn) || conn->reading || !reactor_has_idle_thread())
        return;
    /* Bounded by SO_RCVTIMEO, see conn_new(). */
    conn->prompt = conn_read(conn, true) == CONN_READ_SOME;
}
