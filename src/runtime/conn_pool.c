/* SPDX-License-Identifier: MIT */
/* conn_pool.c - see conn_pool.h. */
#include "runtime/conn_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "runtime/call.h"
#include "runtime/cancel_thread.h"
#include "runtime/error_info.h"

/* An idle connection is asked whether it still lives only after this time: a
 * server that closed it within did so between two calls in a row. */
#define PROBE_AFTER_MS 100u

struct server_pool {
    struct list node; /* pools */
    enum transport_kind kind;
    char *address, *endpoint;
    bool unique;      /* of one binding and its context handles */
    unsigned users;   /* bindings, and connections alive */
    unsigned bindings;
    struct list idle;   /* most recently used first */
    struct list shared; /* with calls on them       */
    unsigned idle_count;
    unsigned contexts; /* context handles the application has                     */
    uint32_t group_id; /* association group of the connections; 0: none yet       */
    unsigned members;  /* connections in it                                       */
    bool founding;     /* the first connection is being bound, others wait for it */
    bool takes_ndr;    /* the server's last choice between NDR64 and NDR 2.0      */
};

/* Guards all pools and the pool fields of their connections. */
static pthread_mutex_t pools_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list pools = {&pools, &pools};
static pthread_cond_t founded = PTHREAD_COND_INITIALIZER;

static void pool_unuse(struct server_pool *pool)
{
    if (--pool->users > 0)
        return;
    list_remove(&pool->node);
    free(pool->address);
    free(pool->endpoint);
    free(pool);
}

/* One that any binding may use. */
static struct server_pool *find_pool(enum transport_kind kind, const char *address,
                                     const char *endpoint)
{
    for (struct list *node = pools.next; node != &pools; node = node->next) {
        struct server_pool *pool = list_entry(node, struct server_pool, node);
        if (!pool->unique && pool->kind == kind && strcmp(pool->address, address) == 0 &&
            strcmp(pool->endpoint, endpoint) == 0)
            return pool;
    }
    return NULL;
}

static struct server_pool *new_pool(enum transport_kind kind, const char *address,
                                    const char *endpoint)
{
    struct server_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->kind = kind;
    pool->address = strdup(address);
    pool->endpoint = strdup(endpoint);
    if (!pool->address || !pool->endpoint) {
        free(pool->address);
        free(pool->endpoint);
        free(pool);
        return NULL;
    }
    list_init(&pool->idle);
    list_init(&pool->shared);
    list_append(&pools, &pool->node);
    return pool;
}

struct server_pool *server_pool_open(enum transport_kind kind, const char *address,
                                     const char *endpoint, bool unique)
{
    pthread_mutex_lock(&pools_lock);
    struct server_pool *pool = unique ? NULL : find_pool(kind, address, endpoint);
    if (!pool)
        pool = new_pool(kind, address, endpoint);
    if (pool) {
        pool->unique = unique;
        pool->users++;
        pool->bindings++;
    }
    pthread_mutex_unlock(&pools_lock);
    return pool;
}

void server_pool_use(struct server_pool *pool)
{
    pthread_mutex_lock(&pools_lock);
    pool->users++;
    pool->bindings++;
    pthread_mutex_unlock(&pools_lock);
}

/* Contexts of a connection change only while one call has it to itself. */
static const struct assoc_context *context_for(const struct conn *conn,
                                               const struct conn_wish *wish)
{
    return assoc_context_for(&conn->assoc, &wish->interface_id, wish->syntaxes);
}

/* pools_lock held.  Takes an idle connection out, with its reference: one that has the
 * context, else any, most recently used first. */
static struct conn *pop_idle(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *found = NULL;
    for (struct list *node = pool->idle.next; node != &pool->idle; node = node->next) {
        struct conn *conn = list_entry(node, struct conn, node);
        bool fits = wish && context_for(conn, wish);
        if (fits || (!found && (!wish || assoc_can_alter(&conn->assoc))))
            found = conn;
        if (fits || (found && !wish))
            break;
    }
    if (found) {
        list_remove(&found->node);
        pool->idle_count--;
    }
    return found;
}

/* pools_lock held: the connection is closed, or as good as. */
static void leave_group(struct server_pool *pool, const struct conn *conn)
{
    if (conn->assoc.group_id == pool->group_id && pool->members > 0 && --pool->members == 0)
        pool->group_id = 0;
}

/* The pool knows nothing of the connection any more. */
static void discard(struct server_pool *pool, struct conn *conn)
{
    conn_lock(conn);
    conn_close(conn);
    conn_unlock(conn);
    pthread_mutex_lock(&pools_lock);
    leave_group(pool, conn);
    pool_unuse(pool);
    pthread_mutex_unlock(&pools_lock);
    conn_put(conn);
}

void server_pool_close(struct server_pool *pool)
{
    pthread_mutex_lock(&pools_lock);
    pool->bindings--;
    while (pool->bindings == 0) {
        struct conn *conn = pop_idle(pool, NULL);
        if (!conn)
            break;
        pthread_mutex_unlock(&pools_lock);
        discard(pool, conn); /* our own use keeps the pool alive */
        pthread_mutex_lock(&pools_lock);
    }
    pool_unuse(pool);
    pthread_mutex_unlock(&pools_lock);
}

void server_pool_count_context(struct server_pool *pool, int delta)
{
    pthread_mutex_lock(&pools_lock);
    pool->contexts += (unsigned)delta;
    pthread_mutex_unlock(&pools_lock);
}

/* ---- Taking --------------------------------------------------------------- */

static bool still_alive(struct conn *conn)
{
    bool alive = false;
    char octet;
    conn_lock(conn);
    if (conn_alive(conn) && !conn->closed && conn->assoc.state == ASSOC_OPEN) {
        alive = (uint32_t)clock_ms() - conn->idle_since_ms < PROBE_AFTER_MS;
        if (!alive) {
            ssize_t n = recv(conn->watch.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
            alive = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        }
    }
    conn_unlock(conn);
    return alive;
}

static void set_place(struct conn *conn, const struct conn_wish *wish,
                      struct conn_place *ret_place)
{
    const struct assoc_context *context = context_for(conn, wish);
    *ret_place =
        (struct conn_place){.conn = conn, .context_id = context->id, .ndr64 = context->ndr64};
}

/* pools_lock held.  The connection for one more call among others.  With an order: where
 * the call before is, as long as that is unknown to have begun; else any with room.
 * Without: the one with the fewest, once there are some to choose from. */
static struct conn *find_shared(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *best = NULL;
    unsigned count = 0;
    for (struct list *node = pool->shared.next; node != &pool->shared; node = node->next) {
        struct conn *conn = list_entry(node, struct conn, node);
        if (!context_for(conn, wish))
            continue;
        if (wish->lane && conn->lane == *wish->lane && conn->calls < LIMIT_MULTIPLEX_ORDERED)
            return conn;
        count++;
        if (conn->calls < LIMIT_MULTIPLEX && (!best || (!wish->lane && conn->calls < best->calls)))
            best = conn;
    }
    return wish->lane || count >= LIMIT_SPREAD_CONNS ? best : NULL;
}

static bool take_shared(struct server_pool *pool, const struct conn_wish *wish,
                        struct conn_place *ret_place)
{
    pthread_mutex_lock(&pools_lock);
    struct conn *conn = find_shared(pool, wish);
    if (conn) {
        conn->calls++;
        conn_get(conn);
        set_place(conn, wish, ret_place);
        if (wish->lane)
            *wish->lane = conn->lane;
    }
    pthread_mutex_unlock(&pools_lock);
    return conn != NULL;
}

static void set_timeout(struct conn *conn, unsigned timeout_ms)
{
    const struct timeval tv = {.tv_sec = timeout_ms / 1000,
                               .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    setsockopt(conn->watch.fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

/* Was nothing received for as long as it may be?  The socket's time-out counts the ticks of
 * the system's clock, and may be over a little early. */
static bool is_silent(struct conn *conn, uint64_t until_ms)
{
    const uint64_t now = clock_ms();
    if (now >= until_ms || until_ms == UINT64_MAX)
        return true;
    set_timeout(conn, (unsigned)(until_ms - now));
    return false;
}

/* Waits for the answer to the bind or alter_context; the socket's time-out bounds each
 * receive. */
static RPC_STATUS wait_bound(struct conn *conn, unsigned timeout_ms)
{
    const uint64_t until_ms = timeout_ms ? clock_ms() + timeout_ms : UINT64_MAX;
    if (cancel_thread_conn(conn)) {
        conn_flush_until(conn, 0);
        while (!conn->bound && conn_alive(conn))
            if (conn_read(conn, true) == CONN_READ_DRY && is_silent(conn, until_ms))
                break;
    }
    if (!cancel_thread_conn(NULL)) {
        conn_fail(conn, RPC_S_CALL_CANCELLED); /* it may have been shut down */
        return RPC_S_CALL_CANCELLED;
    }
    if (!conn->bound && conn_alive(conn))
        return RPC_S_SERVER_UNAVAILABLE;
    if (!conn->bound)
        return conn->assoc.status == RPC_S_CALL_FAILED ? RPC_S_SERVER_UNAVAILABLE
                                                       : conn->assoc.status;
    return conn->bind_status;
}

/* Asks for a context on a connection nobody else has.  Not locked.  A connection that is
 * alive and has asked for nothing more is as good as before, also after a failure. */
static RPC_STATUS alter(struct conn *conn, const struct conn_wish *wish)
{
    RPC_STATUS status = RPC_S_CALL_FAILED;
    conn_lock(conn);
    if (conn->assoc.state == ASSOC_OPEN) {
        conn->bound = false;
        set_timeout(conn, wish->timeout_ms);
        status = assoc_alter(&conn->assoc, &wish->interface_id, wish->syntaxes);
        if (status == RPC_S_OK)
            status = wait_bound(conn, wish->timeout_ms);
        set_timeout(conn, 0);
    }
    conn_unlock(conn);
    return status;
}

static RPC_STATUS connect_and_bind(struct server_pool *pool, const struct conn_wish *wish,
                                   uint32_t group_id, struct conn **ret_conn)
{
    int fd;
    struct transport_failure failure;
    RPC_STATUS status =
        transport_connect(pool->kind, pool->address, pool->endpoint, wish->timeout_ms,
                          cancel_thread_fd(), &fd, &failure);
    if (status != RPC_S_OK) {
        error_on_connect(pool->kind, pool->address, &failure);
        return status;
    }
    struct conn *conn = conn_new(fd, pool->kind, ASSOC_CLIENT, NULL);
    if (!conn)
        return RPC_S_OUT_OF_MEMORY;
    conn->pool = pool;
    set_timeout(conn, wish->timeout_ms);
    conn_lock(conn);
    status = assoc_bind(&conn->assoc, &wish->interface_id, wish->syntaxes, group_id);
    if (status == RPC_S_OK)
        status = wait_bound(conn, wish->timeout_ms);
    if (status == RPC_S_OK) /* or its block would lie between the connection and the call, */
        txq_trim(&conn->assoc.txq); /* and leave a hole that fits neither */
    else
        conn_close(conn);
    conn_unlock(conn);
    if (status != RPC_S_OK) {
        error_on_bind(conn, pool->address, pool->endpoint, status);
        conn_put(conn);
        return status;
    }
    set_timeout(conn, 0);
    *ret_conn = conn;
    return RPC_S_OK;
}

/* The group a new connection joins, so that context handles are good on all of them; 0:
 * it founds one, and join_group() must follow.  RPC_S_SERVER_UNAVAILABLE: the one who founds it
 * takes too long, or this thread was cancelled. */
static RPC_STATUS ask_group(struct server_pool *pool, unsigned timeout_ms, uint32_t *ret_group_id)
{
    const uint64_t until_us = clock_us() + (uint64_t)timeout_ms * 1000;
    const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000u),
                                   .tv_nsec = (long)(until_us % 1000000u) * 1000};
    int late = 0;
    pthread_mutex_lock(&pools_lock);
    while (pool->founding && late == 0 && !cancel_thread_seen())
        if (timeout_ms == 0)
            pthread_cond_wait(&founded, &pools_lock);
        else
            late = pthread_cond_clockwait(&founded, &pools_lock, CLOCK_MONOTONIC, &until);
    RPC_STATUS status = pool->founding ? RPC_S_SERVER_UNAVAILABLE : RPC_S_OK;
    *ret_group_id = pool->group_id;
    if (status == RPC_S_OK)
        pool->founding = pool->group_id == 0;
    pthread_mutex_unlock(&pools_lock);
    return status;
}

void server_pools_wake(void)
{
    pthread_mutex_lock(&pools_lock);
    pthread_cond_broadcast(&founded);
    pthread_mutex_unlock(&pools_lock);
}

/* `conn` is bound, or, NULL, was not to be. */
static void join_group(struct server_pool *pool, const struct conn *conn, bool founds)
{
    pthread_mutex_lock(&pools_lock);
    if (conn && conn->assoc.group_id == pool->group_id) {
        pool->members++;
    } else if (conn) { /* the server has forgotten the one before */
        pool->group_id = conn->assoc.group_id;
        pool->members = 1;
    }
    if (founds) {
        pool->founding = false;
        pthread_cond_broadcast(&founded);
    }
    pthread_mutex_unlock(&pools_lock);
}

static RPC_STATUS connect_in_group(struct server_pool *pool, const struct conn_wish *wish,
                                   struct conn **ret_conn)
{
    uint32_t group_id;
    struct conn *conn = NULL;
    RPC_STATUS status = ask_group(pool, wish->timeout_ms, &group_id);
    if (status != RPC_S_OK)
        return status;
    status = connect_and_bind(pool, wish, group_id, &conn);
    /* A server that was started anew refuses the bind. */
    bool refused = status == RPC_S_CALL_FAILED_DNE || status == RPC_S_PROTOCOL_ERROR ||
                   status == RPC_S_OUT_OF_RESOURCES;
    if (group_id != 0 && refused)
        status = connect_and_bind(pool, wish, 0, &conn);
    join_group(pool, status == RPC_S_OK ? conn : NULL, group_id == 0);
    *ret_conn = conn;
    return status;
}

/* The call's place on a connection nobody else has. */
static void register_call(struct server_pool *pool, struct conn *conn,
                          const struct conn_wish *wish)
{
    static uint64_t last_lane;
    pthread_mutex_lock(&pools_lock);
    conn->calls = 1;
    conn->shared = wish->shared && conn->assoc.multiplex;
    if (conn->shared) {
        conn->lane = ++last_lane;
        list_append(&pool->shared, &conn->node);
    }
    if (wish->lane)
        *wish->lane = conn->shared ? conn->lane : 0;
    pthread_mutex_unlock(&pools_lock);
}

/* Closes connections nobody has used for LIMIT_IDLE_MS. */
static void discard_old(struct server_pool *pool)
{
    const uint32_t now = (uint32_t)clock_ms();
    for (;;) {
        struct conn *conn = NULL;
        pthread_mutex_lock(&pools_lock);
        if (!list_empty(&pool->idle)) {
            conn = list_entry(pool->idle.prev, struct conn, node); /* the oldest */
            bool needed = pool->contexts > 0 && pool->members <= 1;
            if (needed || now - conn->idle_since_ms < LIMIT_IDLE_MS) {
                conn = NULL;
            } else {
                list_remove(&conn->node);
                pool->idle_count--;
            }
        }
        pthread_mutex_unlock(&pools_lock);
        if (!conn)
            return;
        discard(pool, conn);
    }
}

static void put_idle(struct server_pool *pool, struct conn *conn)
{
    pthread_mutex_lock(&pools_lock);
    conn->idle_since_ms = (uint32_t)clock_ms();
    list_prepend(&pool->idle, &conn->node);
    pool->idle_count++;
    pthread_mutex_unlock(&pools_lock);
}

/* An idle connection with the context, still registered as the pool's; NULL: there is none.
 * One whose server will not give it the context is kept for calls it has contexts for:
 * whether a bind of its own does better is seen next. */
static struct conn *take_idle(struct server_pool *pool, const struct conn_wish *wish)
{
    for (;;) {
        if (cancel_thread_seen())
            return NULL; /* as a connection attempt will see, too */
        pthread_mutex_lock(&pools_lock);
        struct conn *conn = pop_idle(pool, wish);
        pthread_mutex_unlock(&pools_lock);
        if (!conn)
            return NULL;
        if (!still_alive(conn)) {
            discard(pool, conn);
            continue;
        }
        if (context_for(conn, wish) || alter(conn, wish) == RPC_S_OK)
            return conn;
        conn_lock(conn);
        bool good = conn_alive(conn) && !conn->closed && !conn->assoc.offered;
        conn_unlock(conn);
        if (good) {
            put_idle(pool, conn);
            return NULL;
        }
        discard(pool, conn);
    }
}

RPC_STATUS server_pool_take(struct server_pool *pool, const struct conn_wish *wish,
                            struct conn_place *ret_place)
{
    discard_old(pool);
    if (wish->shared && take_shared(pool, wish, ret_place))
        return RPC_S_OK;
    struct conn *conn = take_idle(pool, wish);
    if (!conn) {
        RPC_STATUS status = connect_in_group(pool, wish, &conn);
        if (status != RPC_S_OK)
            return status;
        pthread_mutex_lock(&pools_lock);
        pool->users++;
        pthread_mutex_unlock(&pools_lock);
    }
    conn_get(conn); /* the pool keeps its own */
    set_place(conn, wish, ret_place);
    register_call(pool, conn, wish);
    if (wish->syntaxes == ASSOC_SYNTAXES) {
        pthread_mutex_lock(&pools_lock);
        pool->takes_ndr = !ret_place->ndr64;
        pthread_mutex_unlock(&pools_lock);
    }
    return RPC_S_OK;
}

bool server_pool_expect_ndr64(struct server_pool *pool, unsigned syntaxes)
{
    if (syntaxes != ASSOC_SYNTAXES)
        return syntaxes == ASSOC_NDR64;
    pthread_mutex_lock(&pools_lock);
    bool ndr64 = !pool->takes_ndr;
    pthread_mutex_unlock(&pools_lock);
    return ndr64;
}

void server_pool_anchor(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *conn;
    pthread_mutex_lock(&pools_lock);
    bool wanted = pool->contexts > 0 && pool->members <= 1;
    pthread_mutex_unlock(&pools_lock);
    if (!wanted || connect_in_group(pool, wish, &conn) != RPC_S_OK)
        return;
    pthread_mutex_lock(&pools_lock);
    pool->users++;
    pthread_mutex_unlock(&pools_lock);
    put_idle(pool, conn); /* with our reference */
}

/* ---- Giving back ---------------------------------------------------------- */

void server_pool_give(struct conn *conn, bool reusable)
{
    struct server_pool *pool = conn->pool;
    /* A shared connection stays for its other calls unless it is broken. */
    bool good = conn_alive(conn) && !conn->closed && conn->assoc.state == ASSOC_OPEN;
    bool drop = false;
    pthread_mutex_lock(&pools_lock);
    if (--conn->calls == 0) {
        list_remove(&conn->node);
        drop = !good || !reusable || pool->bindings == 0 || pool->idle_count >= LIMIT_IDLE_CONNS;
        if (!drop) {
            conn->idle_since_ms = (uint32_t)clock_ms();
            conn->shared = false;
            list_prepend(&pool->idle, &conn->node);
            pool->idle_count++;
        } else {
            leave_group(pool, conn);
            pool_unuse(pool);
        }
    } else if (!good || !reusable) {
        list_remove(&conn->node); /* no new calls */
    }
    pthread_mutex_unlock(&pools_lock);
    if (drop) {
        conn_close(conn);
        conn_put(conn); /* the pool's; the caller has one */
    }
}
