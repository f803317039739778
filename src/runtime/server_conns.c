/* SPDX-License-Identifier: MIT */
/* server_conns.c - see server_conns.h.
 *
 *   accepted --> fresh --bind--> bound --> closed
 *                  ^               |
 *                  +---lingers-----+
 *
 * `fresh` is in the order in which its connections came there, so that only the first of it needs
 * to be looked at: one timer goes off when that one's time is over.  Bound connections are looked
 * at only where there is an idle limit, all of them four times in its length.  So a server whose
 * connections are bound, and may stay, has no timer at all. */
#include "runtime/server_conns.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "io/timer.h"
#include "runtime/server.h"
#include "runtime/server_limits.h"

#define PEER_BUCKETS 1024u

/* Counted as long as it has connections. */
struct server_peer {
    struct list node;
    uint8_t kind;
    uint8_t key[16]; /* the IP address, IPv4 mapped; the user's number where the peer is local */
    unsigned conns;
};

static pthread_mutex_t conns_lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of this */
/* Each connection holds a reference while it is in a list. */
static struct list fresh = {&fresh, &fresh};
static struct list bound = {&bound, &bound};
static unsigned bound_count;
static unsigned conn_count; /* in both */
static struct list peers[PEER_BUCKETS];
static uint64_t idle_look_us; /* when the bound ones are looked at next; 0: never */

static void look_again(struct counted *object);
static void keep_object(struct counted *object)
{
    (void)object; /* static */
}
static struct counted timer_object = {.refs = 1, .destroy = keep_object};
static struct io_timer timer = {.object = &timer_object, .expired = look_again};

/* ---- Peers ---------------------------------------------------------------- */

static void key_of(const struct conn *conn, uint8_t key[16])
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage room;
    } name = {.any.sa_family = AF_UNSPEC};
    struct ucred credentials;
    socklen_t len = sizeof(name);
    memset(key, 0, 16);
    if (conn->kind == TRANSPORT_UNIX) {
        len = sizeof(credentials);
        if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0)
            memcpy(key, &credentials.uid, sizeof(credentials.uid));
    } else if (getpeername(conn->watch.fd, &name.any, &len) == 0) {
        if (name.any.sa_family == AF_INET6) {
            memcpy(key, &name.in6.sin6_addr, 16);
        } else if (name.any.sa_family == AF_INET) {
            memset(key + 10, 0xFF, 2);
            memcpy(key + 12, &name.in.sin_addr, 4);
        }
    }
}

static struct list *bucket_of(const uint8_t key[16])
{
    uint32_t hash = 2166136261u; /* FNV-1a; who chooses addresses gains longer lists, of own ones */
    for (int i = 0; i < 16; i++)
        hash = (hash ^ key[i]) * 16777619u;
    struct list *head = &peers[hash % PEER_BUCKETS];
    if (!head->next)
        list_init(head);
    return head;
}

/* Counts one more connection of the peer; NULL: it has all it may have, or out of memory.  Lock
 * held. */
static struct server_peer *peer_get(uint8_t kind, const uint8_t key[16])
{
    struct list *head = bucket_of(key);
    struct server_peer *peer = NULL;
    for (struct list *node = head->next; node != head && !peer; node = node->next) {
        struct server_peer *one = list_entry(node, struct server_peer, node);
        if (one->kind == kind && memcmp(one->key, key, sizeof(one->key)) == 0)
            peer = one;
    }
    const unsigned max = limit_connections_per_peer();
    if (peer && max > 0 && peer->conns >= max)
        return NULL;
    if (!peer) {
        peer = calloc(1, sizeof(*peer));
        if (!peer)
            return NULL;
        peer->kind = kind;
        memcpy(peer->key, key, sizeof(peer->key));
        list_append(head, &peer->node);
    }
    peer->conns++;
    return peer;
}

static void peer_put(struct server_peer *peer)
{
    if (--peer->conns > 0)
        return;
    list_remove(&peer->node);
    free(peer);
}

/* ---- The timer ------------------------------------------------------------ */

static uint64_t min_us(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Lock held.  Should there be no resources for it, accepting the next connection looks. */
static void set_timer(void)
{
    uint64_t due_us = UINT64_MAX;
    if (!list_empty(&fresh)) {
        const uint32_t since_ms = list_entry(fresh.next, struct conn, node)->idle_since_ms;
        const uint32_t age_ms = (uint32_t)clock_ms() - since_ms;
        const unsigned bind_ms = limit_bind_ms();
        due_us = clock_us() + (age_ms < bind_ms ? bind_ms - age_ms : 0) * 1000ull;
    }
    if (idle_look_us != 0 && bound_count > 0)
        due_us = min_us(due_us, idle_look_us);
    if (due_us != UINT64_MAX)
        timer_set(&timer, due_us); /* a system call only if it becomes the first one */
}

/* ---- Coming and going ----------------------------------------------------- */

/* Lock held. */
static void enter_fresh(struct conn *conn)
{
    const bool first = list_empty(&fresh);
    conn->idle_since_ms = (uint32_t)clock_ms();
    list_append(&fresh, &conn->node);
    if (first)
        set_timer();
}

/* Lock held. */
static void take_out(struct conn *conn)
{
    if (conn->listed_bound)
        bound_count--;
    conn->listed_bound = false;
    list_remove(&conn->node);
}

bool server_conns_add(struct conn *conn)
{
    uint8_t key[16];
    key_of(conn, key);
    pthread_mutex_lock(&conns_lock);
    if (conn_count < limit_connections())
        conn->peer = peer_get(conn->kind, key);
    const bool room = conn->peer != NULL;
    if (room) {
        conn_count++;
        conn_get(conn);
        enter_fresh(conn);
    }
    pthread_mutex_unlock(&conns_lock);
    if (!room)
        TRACE(TRACE_IO, "conn %d: one more than the limits allow", conn->watch.fd);
    return room;
}

void server_conns_remove(struct conn *conn)
{
    pthread_mutex_lock(&conns_lock);
    const bool listed = list_linked(&conn->node);
    if (listed) {
        take_out(conn);
        conn_count--;
        peer_put(conn->peer);
        conn->peer = NULL;
    }
    pthread_mutex_unlock(&conns_lock);
    if (listed)
        conn_put(conn); /* not the last one: whoever closes has another */
}

void server_conns_bound(struct conn *conn)
{
    pthread_mutex_lock(&conns_lock);
    if (list_linked(&conn->node) && !conn->listed_bound) {
        take_out(conn);
        conn->listed_bound = true;
        conn->idle_since_ms = (uint32_t)clock_ms();
        list_append(&bound, &conn->node);
        if (bound_count++ == 0 && limit_idle_ms() > 0) {
            idle_look_us = clock_us() + limit_idle_ms() * 250ull;
            set_timer();
        }
    }
    pthread_mutex_unlock(&conns_lock);
}

void server_conns_lingers(struct conn *conn)
{
    pthread_mutex_lock(&conns_lock);
    if (list_linked(&conn->node)) {
        take_out(conn);
        enter_fresh(conn);
    }
    pthread_mutex_unlock(&conns_lock);
}

/* ---- Looking -------------------------------------------------------------- */

/* The first whose time is over, with a reference; it goes to the end, for the one that takes
 * longer to settle than this. */
static struct conn *next_fresh(void)
{
    struct conn *conn = NULL;
    const uint32_t now = (uint32_t)clock_ms();
    pthread_mutex_lock(&conns_lock);
    if (!list_empty(&fresh)) {
        conn = list_entry(fresh.next, struct conn, node);
        if (now - conn->idle_since_ms < limit_bind_ms()) {
            conn = NULL;
        } else {
            conn->idle_since_ms = now;
            list_remove(&conn->node);
            list_append(&fresh, &conn->node);
            conn_get(conn);
        }
    }
    pthread_mutex_unlock(&conns_lock);
    return conn;
}

static void look_at_fresh(void)
{
    for (struct conn *conn = next_fresh(); conn; conn = next_fresh()) {
        conn_lock(conn);
        if (conn->assoc.state == ASSOC_IDLE || conn->lingering) {
            TRACE(TRACE_ASSOC, "conn %d: took too long to bind or to end", conn->watch.fd);
            conn_close(conn);
        }
        conn_unlock(conn);
        conn_put(conn);
    }
}

/* The next of the bound ones, with a reference; each comes once in `count`. */
static struct conn *next_bound(void)
{
    struct conn *conn = NULL;
    pthread_mutex_lock(&conns_lock);
    if (!list_empty(&bound)) {
        conn = list_entry(bound.next, struct conn, node);
        list_remove(&conn->node);
        list_append(&bound, &conn->node);
        conn_get(conn);
    }
    pthread_mutex_unlock(&conns_lock);
    return conn;
}

/* Connection's lock held. */
static void look_at_bound(struct conn *conn, unsigned idle_ms)
{
    const uint32_t now = (uint32_t)clock_ms();
    if (conn->closed || !conn->listed_bound)
        return;
    if (conn->used || !list_empty(&conn->assoc.calls) || txq_len(&conn->assoc.txq) > 0) {
        conn->used = false;
        conn->idle_since_ms = now;
    } else if (now - conn->idle_since_ms >= idle_ms && !group_needs_member(conn->assoc.group_id)) {
        TRACE(TRACE_ASSOC, "conn %d: idle for too long", conn->watch.fd);
        conn_close(conn);
    }
}

static void look_for_idle(void)
{
    const unsigned idle_ms = limit_idle_ms();
    unsigned count = 0;
    pthread_mutex_lock(&conns_lock);
    if (idle_look_us != 0 && idle_look_us <= clock_us()) {
        count = bound_count;
        idle_look_us = idle_ms > 0 ? clock_us() + idle_ms * 250ull : 0;
    }
    pthread_mutex_unlock(&conns_lock);
    for (; idle_ms > 0 && count > 0; count--) {
        struct conn *conn = next_bound();
        if (!conn)
            break;
        conn_lock(conn);
        look_at_bound(conn, idle_ms);
        conn_unlock(conn);
        conn_put(conn);
    }
}

void server_conns_look(void)
{
    look_at_fresh();
}

static void look_again(struct counted *object)
{
    (void)object;
    look_at_fresh();
    look_for_idle();
    pthread_mutex_lock(&conns_lock);
    set_timer();
    pthread_mutex_unlock(&conns_lock);
}

void server_conns_limits_changed(void)
{
    pthread_mutex_lock(&conns_lock);
    idle_look_us = limit_idle_ms() > 0 ? clock_us() + limit_idle_ms() * 250ull : 0;
    set_timer();
    pthread_mutex_unlock(&conns_lock);
}
