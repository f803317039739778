/* SPDX-License-Identifier: MIT */
/* conn.c - see conn.h. */
#include "runtime/conn.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/limits.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/capture.h"
#include "runtime/conn_setup.h"
#include "runtime/error_info.h"

static void conn_on_io(struct io_watch *watch, uint32_t events);
static void conn_on_idle(struct io_watch *watch);
static const struct io_watch_ops watch_ops = {conn_on_io, conn_on_idle};

/* A thread in conn_wait(), on its stack. */
struct conn_waiter {
    struct conn_waiter *next;
    pthread_cond_t woken;
    bool is_woken;
};

static const struct conn_ops *ops_of(const struct conn *conn)
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
    free(conn->tracer);
    pthread_mutex_destroy(&conn->lock);
    free(conn);
}

struct conn *conn_new(int fd, enum transport_kind kind, enum assoc_role role,
                      const char *secondary_address)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    if (!conn) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    counted_init(&conn->watch.object, conn_destroy);
    conn->watch.fd = fd;
    conn->watch.ops = &watch_ops;
    conn->kind = (uint8_t)kind;
    pthread_mutex_init(&conn->lock, NULL);
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
    for (; waiter; waiter = waiter->next) { /* none goes on before the lock is dropped */
        waiter->is_woken = true;
        pthread_cond_signal(&waiter->woken);
    }
}

void conn_wait(struct conn *conn)
{
    struct conn_waiter self = {.next = conn->waiters, .woken = PTHREAD_COND_INITIALIZER};
    conn->waiters = &self;
    while (!self.is_woken)
        pthread_cond_wait(&self.woken, &conn->lock);
    pthread_cond_destroy(&self.woken);
}

bool conn_poll(struct conn *conn, short events)
{
    struct pollfd poll_fd = {.fd = conn->watch.fd, .events = events};
    const unsigned max_ms = conn->silence_max_ms;
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

/* ---- Receiving ------------------------------------------------------------ */

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
    while (at < end) {
        struct assoc_event event;
        size_t need;
        size_t n = assoc_recv(&conn->assoc, buf->octets + at, end - at, &need, &event);
        if (n == 0)
            break;
        show_received(conn, buf->octets + at, n);
        at += n;
        /* Fragments of a stream are of one length: the header after the next one is
         * fetched while the next is looked at. */
        if (end - at > n)
            __builtin_prefetch(buf->octets + at + n);
        if (event.kind != ASSOC_EVENT_NONE)
            ops_of(conn)->on_event(conn, &event, buf);
        if (event.kind == ASSOC_EVENT_DEAD)
            conn_fail(conn, event.status);
    }
    keep_rest(conn, buf, at, end - at);
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

/* Nobody receives for a while: a few octets must not hold a whole buffer. */
static void compact_rest(struct conn *conn)
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
    if (block && conn->silence_max_ms > 0) {
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

/* May the reactor's threads read?  A pull may always: it makes room. */
static bool may_read(const struct conn *conn)
{
    return conn_alive(conn) && !conn->stopped && !conn->held &&
           (conn->assoc.role == ASSOC_CLIENT || txq_len(&conn->assoc.txq) <= LIMIT_UNREAD_LEN);
}

void conn_read_next(struct conn *conn)
{
    conn->replied_us = (uint32_t)clock_us() | 1u;
    if (!conn->prompt || !may_read(conn) || conn->reading || !reactor_has_idle_thread())
        return;
    /* Bounded by SO_RCVTIMEO, see conn_new(). */
    conn->prompt = conn_read(conn, true) == CONN_READ_SOME;
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
        compact_rest(conn);
    if (txq_len(&conn->assoc.txq) == 0)
        txq_trim(&conn->assoc.txq); /* who waits holds no buffers */
    calls_trim(conn);
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
    }
    conn->lingering = true;
    arm_for(conn, EPOLLIN);
}

static void on_linger_io(struct conn *conn)
{
    static uint8_t nowhere[64 << 10]; /* never read */
    ssize_t n = recv(conn->watch.fd, nowhere, sizeof(nowhere), MSG_DONTWAIT | MSG_TRUNC);
    if (n > 0)
        conn->lingered += (uint32_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN) || conn->lingered > LIMIT_ABSORB_LEN)
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
    bool output = txq_len(&conn->assoc.txq) > 0 && !conn->writing;
    if (arm == CONN_ARM_LAZY && !(output && conn->await_output)) {
        leave_unarmed(conn);
        return;
    }
    uint32_t events = EPOLLRDHUP;
    if (!conn->reading && may_read(conn))
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
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && may_read(conn))
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
    ops_of(conn)->on_closed(conn);
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
}
