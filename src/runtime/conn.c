/* SPDX-License-Identifier: MIT */
/* conn.c - see conn.h. */
#include "runtime/conn.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/slab.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/capture.h"
#include "runtime/conn_setup.h"
#include "runtime/error_info.h"
#include "runtime/server_conns.h"

static void conn_on_io(struct io_watch *watch, uint32_t events);
static void conn_on_idle(struct io_watch *watch);
static const struct io_watch_ops watch_ops = {conn_on_io, conn_on_idle};

/* A thread in conn_wait(), on its stack. */
struct conn_waiter {
    struct conn_waiter *next;
    struct sleeper sleeper;
};

const struct conn_ops *conn_ops_of(const struct conn *conn)
{
    return conn->assoc.role == ASSOC_SERVER ? &server_conn_ops : &client_conn_ops;
}

static void conn_destroy(struct counted *object)
{
    struct conn *conn = list_entry(object, struct conn, watch.object);
    if (conn->watch.fd >= 0)
        close(conn->watch.fd);
    if (conn->capture)
        capture_close(conn->capture); /* not before the last sender has written down its part */
    if (conn->assoc.role == ASSOC_CLIENT)
        error_put(conn->bind_errors);
    assoc_fini(&conn->assoc);
    rxbuf_put(conn->rest);
    conn_setup_free(conn->setup);
    free(conn->leaving);
    free(conn->tracer);
    lock_fini(&conn->lock);
    object_free(conn, sizeof(*conn));
}

struct conn *conn_new(int fd, enum transport_kind kind, enum assoc_role role,
                      const char *secondary_address)
{
    struct conn *conn = object_alloc(sizeof(*conn));
    if (!conn) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    counted_init(&conn->watch.object, conn_destroy);
    conn->watch.fd = fd;
    conn->watch.ops = &watch_ops;
    conn->kind = (uint8_t)kind;
    lock_init(&conn->lock);
    if (role == ASSOC_SERVER) {
        list_init(&conn->starts);
        conn->prompt = true;
        const struct timeval wait = {.tv_usec = LIMIT_PROMPT_US};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    }
    assoc_init(&conn->assoc, role,
               kind == TRANSPORT_TCP ? LIMIT_FRAG_TCP : LIMIT_FRAG_LOCAL, secondary_address);
    if (capture_enabled())
        conn->capture = capture_open(role == ASSOC_SERVER);
    TRACE(TRACE_ASSOC, "conn %d: new %s association", fd, role == ASSOC_SERVER ? "server" : "client");
    return conn;
}

void conn_renew(struct conn *conn)
{
    const uint16_t frag_max = conn->assoc.frag_max;
    const enum assoc_role role = conn->assoc.role;
    assoc_fini(&conn->assoc);
    assoc_init(&conn->assoc, role, frag_max, NULL);
    rxbuf_put(conn->rest);
    conn->rest = NULL;
    conn->peer_closed = false;
    conn->corked = false;
    conn->last_read = 0;
    if (conn->capture) {
        capture_close(conn->capture);
        conn->capture = capture_open(role == ASSOC_SERVER);
    }
}

bool conn_watch(struct conn *conn)
{
    return conn->watch.handle != 0 || reactor_add(&conn->watch);
}

void conn_notify(struct conn *conn)
{
    struct conn_waiter *waiter = conn->waiters;
    conn->waiters = NULL;
    for (; waiter; waiter = waiter->next) /* none goes on before the lock is dropped */
        sleeper_wake(&waiter->sleeper);
}

void conn_wait(struct conn *conn)
{
    struct conn_waiter self = {.next = conn->waiters};
    conn->waiters = &self;
    lock_sleep(&conn->lock, &self.sleeper);
}

bool conn_poll(struct conn *conn, short events)
{
    struct pollfd poll_fd = {.fd = conn->watch.fd, .events = events};
    const unsigned max_ms = conn_silence_max_ms(conn);
    const uint64_t end = clock_ms() + max_ms;
    int n, left = -1;
    conn_unlock(conn);
    do {
        if (max_ms > 0) {
            uint64_t now = clock_ms();
            left = now >= end ? 0 : end - now > INT_MAX ? INT_MAX : (int)(end - now);
        }
        n = poll(&poll_fd, 1, left);
    } while ((n < 0 && errno == EINTR) || (n == 0 && left != 0));
    conn_lock(conn);
    if (n != 0)
        return true;
    TRACE(TRACE_CALL, "conn %d: silent for %u ms", conn->watch.fd, max_ms);
    conn_fail(conn, RPC_S_CALL_CANCELLED);
    return false;
}

void conn_wait_readable(struct conn *conn)
{
    if (conn->reading) {
        conn_wait(conn);
        return;
    }
    if (conn->closed)
        return;
    conn->reading = true;
    conn_poll(conn, POLLIN | POLLRDHUP);
    conn->reading = false;
    conn_role_ended(conn);
}

/* ---- Waiting -------------------------------------------------------------- */

/* The application comes back again and again: the descriptor is in nobody's way. */
static void leave_unarmed(struct conn *conn)
{
    if (conn->armed == 0 && conn->lazy < LIMIT_LAZY_OPS && ++conn->lazy == LIMIT_LAZY_OPS)
        reactor_detach(&conn->watch);
    reactor_touch(&conn->watch);
}

static void arm_for(struct conn *conn, uint32_t events)
{
    if (!conn->reading)
        conn_compact_rest(conn);
    if (txq_len(&conn->assoc.txq) == 0)
        txq_trim(&conn->assoc.txq); /* who waits holds no buffers */
    calls_trim(conn);
    conn_trim_leaving(conn);
    conn->lazy = 0;
    conn->armed = (uint16_t)events; /* EPOLLIN, EPOLLOUT, EPOLLRDHUP: 14 bits */
    if (reactor_arm(&conn->watch, events))
        return;
    conn->armed = 0;
    reactor_touch(&conn->watch); /* the tick tries again */
}

/* The association is dead.  A server that owes the peer a fault sends it and then
 * swallows what the peer is still sending: closing at once would reset the
 * connection and destroy the fault on its way. */
static void settle_dead(struct conn *conn)
{
    conn_fail(conn, conn->assoc.status); /* a command may have found it dead */
    if (conn->writing && !conn->blocked_push) { /* perhaps that very fault */
        conn->settle_sent = true;
        return;
    }
    conn_flush(conn);
    if (conn->closed)
        return;
    if (conn->assoc.role == ASSOC_CLIENT || conn->peer_closed || conn->writing ||
        txq_len(&conn->assoc.txq) > 0 || conn->watch.handle == 0) {
        conn_close(conn);
        return;
    }
    if (!conn->lingering) {
        shutdown(conn->watch.fd, SHUT_WR);
        conn->lingered = 0;
        server_conns_lingers(conn);
    }
    conn->lingering = true;
    arm_for(conn, EPOLLIN);
}

/* Nobody reads what it swallows.  The receives alone, processor time for LIMIT_ABSORB_LEN: with
 * 16 KiB each 10.7 ms on a Unix socket and 20.8 on TCP (4,100 of them, and as many waits), with
 * 64 KiB 6.7 and 12.5, with 256 KiB 5.9 and 7.1 (270). */
static void on_linger_io(struct conn *conn)
{
    struct rxbuf *nowhere = rxbuf_new(LIMIT_RECV_LEN);
    ssize_t n = -1;
    int error = ENOMEM;
    if (nowhere) {
        n = recv(conn->watch.fd, nowhere->octets, nowhere->capacity, MSG_DONTWAIT | MSG_TRUNC);
        error = errno;
    }
    rxbuf_put(nowhere);
    if (n > 0)
        conn->lingered += (uint32_t)n;
    if (n == 0 || (n < 0 && error != EAGAIN) || conn->lingered > LIMIT_ABSORB_LEN)
        conn_close(conn);
    else
        settle_dead(conn);
}

void conn_settle_sent(struct conn *conn)
{
    conn->settle_sent = false;
    if (!conn->closed)
        settle_dead(conn);
}

void conn_settle(struct conn *conn, enum conn_arm arm)
{
    calls_compact(conn);
    order_check(conn);
    if (conn->setup) {
        if (conn_setup_settle(conn))
            return;
        arm = CONN_ARM_NOW; /* the application is waiting */
    }
    if (conn->closed)
        return;
    if (!conn_alive(conn)) {
        settle_dead(conn);
        return;
    }
    if (conn->watch.handle == 0)
        return;
    if (conn->expect_user) {
        arm = CONN_ARM_LAZY;
        conn->expect_user = false;
    }
    bool output = txq_len(&conn->assoc.txq) > 0 && !conn->writing && !conn->left;
    if (arm == CONN_ARM_LAZY && !(output && conn->await_output)) {
        leave_unarmed(conn);
        return;
    }
    uint32_t events = EPOLLRDHUP;
    if (!conn->reading && conn_may_read(conn))
        events |= EPOLLIN;
    if (output && !conn->blocked_push)
        events |= EPOLLOUT;
    if (conn->peer_closed)
        events &= ~(uint32_t)EPOLLRDHUP; /* known; would fire for ever */
    if (events != conn->armed)
        arm_for(conn, events);
}

/* The client has closed its side: it waits for nothing any more, even if octets of
 * it are still unread. */
static void on_hang_up(struct conn *conn)
{
    conn->peer_closed = true;
    if (conn->assoc.role == ASSOC_SERVER) {
        TRACE(TRACE_ASSOC, "conn %d: client gone", conn->watch.fd);
        conn_fail(conn, RPC_S_CALL_FAILED);
    }
}

static void conn_on_io(struct io_watch *watch, uint32_t events)
{
    struct conn *conn = list_entry(watch, struct conn, watch);
    conn_lock(conn);
    conn->armed = 0;
    if (conn->closed) {
        conn_unlock(conn);
        return;
    }
    if (conn->lingering) {
        on_linger_io(conn);
        conn_unlock(conn);
        return;
    }
    if (conn_is_pending(conn) && conn_setup_on_io(conn)) {
        conn_settle(conn, CONN_ARM_NOW);
        conn_unlock(conn);
        return;
    }
    if (events & EPOLLIN && conn->assoc.role == ASSOC_SERVER && conn->replied_us != 0) {
        conn->prompt = (uint32_t)clock_us() - conn->replied_us < LIMIT_PROMPT_US;
        conn->replied_us = 0;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && conn_may_read(conn))
        conn_read(conn, false);
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) && !conn->reading)
        on_hang_up(conn);
    if (txq_len(&conn->assoc.txq) > 0)
        conn_flush(conn);
    conn_settle(conn, CONN_ARM_NOW);
    conn_unlock(conn);
}

static void conn_on_idle(struct io_watch *watch)
{
    struct conn *conn = list_entry(watch, struct conn, watch);
    conn_lock(conn);
    if (txq_len(&conn->assoc.txq) == 0)
        txq_trim(&conn->assoc.txq);
    if (conn->corked) { /* the sender did not come back: setting it again pushes */
        int on = 1;
        conn->corked = false;
        setsockopt(conn->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    conn_settle(conn, CONN_ARM_NOW);
    conn_unlock(conn);
}

/* ---- The end -------------------------------------------------------------- */

/* Calls outlive their connection for as long as the application likes; its descriptor
 * goes when no thread uses it any more. */
void conn_role_ended(struct conn *conn)
{
    conn_notify(conn);
    if (!conn->closed || conn->reading || conn->writing || conn->watch.fd < 0)
        return;
    close(conn->watch.fd);
    conn->watch.fd = -1;
}

void conn_close(struct conn *conn)
{
    if (conn->closed)
        return;
    conn->closed = true;
    assoc_fail(&conn->assoc, RPC_S_CALL_FAILED);
    /* A server that does not read must hear of it all the same. */
    transport_shutdown((enum transport_kind)conn->kind, conn->watch.fd, conn->assoc.role == ASSOC_CLIENT);
    reactor_remove(&conn->watch);
    TRACE(TRACE_ASSOC, "conn %d: closed", conn->watch.fd);
    conn_role_ended(conn);
    conn_ops_of(conn)->on_closed(conn);
}

void conn_fail(struct conn *conn, RPC_STATUS status)
{
    bool first = conn_alive(conn) || !conn->closed;
    assoc_fail(&conn->assoc, status);
    if (!first)
        return;
    for (struct list *node = conn->assoc.calls.next; node != &conn->assoc.calls;) {
        struct rpc_call *call = call_of_wire(list_entry(node, struct call, node));
        node = node->next; /* the call may leave the list */
        call_fail(call, status);
    }
    conn_notify(conn);
    if (!conn->closed)
        reactor_touch(&conn->watch); /* should this thread not settle it, the tick does */
}
