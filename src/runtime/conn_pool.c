/* SPDX-License-Identifier: MIT */
/* conn_pool.c - see conn_pool.h. */
#include "runtime/conn_pool_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "runtime/call.h"
#include "runtime/cancel_thread.h"
#include "runtime/conn_setup.h"

pthread_mutex_t server_pools_lock = PTHREAD_MUTEX_INITIALIZER;
struct list server_pools = {&server_pools, &server_pools};

void server_pool_unuse(struct server_pool *pool)
{
    if (--pool->users > 0)
        return;
    list_remove(&pool->node);
    free(pool->address);
    free(pool->endpoint);
    free(atomic_load(&pool->resolved));
    free(pool);
}

/* One that any binding may use. */
static struct server_pool *find_pool(enum transport_kind kind, const char *address,
                                     const char *endpoint)
{
    for (struct list *node = server_pools.next; node != &server_pools; node = node->next) {
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
    list_init(&pool->awaiting);
    list_append(&server_pools, &pool->node);
    return pool;
}

struct server_pool *server_pool_open(enum transport_kind kind, const char *address,
                                     const char *endpoint, bool unique)
{
    pthread_mutex_lock(&server_pools_lock);
    struct server_pool *pool = unique ? NULL : find_pool(kind, address, endpoint);
    if (!pool)
        pool = new_pool(kind, address, endpoint);
    if (pool) {
        pool->unique = unique;
        pool->users++;
        pool->bindings++;
    }
    pthread_mutex_unlock(&server_pools_lock);
    return pool;
}

void server_pool_resolve(struct server_pool *pool, const char *endpoint)
{
    char *copy = strdup(endpoint), *none = NULL;
    /* Without memory it is asked for again. */
    if (pool->endpoint[0] != '\0' || !copy ||
        !atomic_compare_exchange_strong(&pool->resolved, &none, copy))
        free(copy);
}

bool server_pool_endpoint(struct server_pool *pool, char *endpoint, size_t size)
{
    const char *known = pool_endpoint(pool);
    if (!*known)
        return false;
    snprintf(endpoint, size, "%s", known);
    return true;
}

void server_pool_use(struct server_pool *pool)
{
    pthread_mutex_lock(&server_pools_lock);
    pool->users++;
    pool->bindings++;
    pthread_mutex_unlock(&server_pools_lock);
}

/* server_pools_lock held.  Takes an idle connection out, with its reference: one that has the
 * context, else any, most recently used first. */
static struct conn *pop_idle(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *found = NULL;
    for (struct list *node = pool->idle.next; node != &pool->idle; node = node->next) {
        struct conn *conn = list_entry(node, struct conn, node);
        bool fits = wish && conn_context_for(conn, wish);
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

/* The pool knows nothing of the connection any more. */
static void discard(struct server_pool *pool, struct conn *conn)
{
    conn_lock(conn);
    conn_close(conn);
    conn_unlock(conn);
    pthread_mutex_lock(&server_pools_lock);
    client_group_leave(pool, conn);
    server_pool_unuse(pool);
    pthread_mutex_unlock(&server_pools_lock);
    conn_put(conn);
}

void server_pool_close(struct server_pool *pool)
{
    pthread_mutex_lock(&server_pools_lock);
    pool->bindings--;
    while (pool->bindings == 0) {
        struct conn *conn = pop_idle(pool, NULL);
        if (!conn)
            break;
        pthread_mutex_unlock(&server_pools_lock);
        discard(pool, conn); /* our own use keeps the pool alive */
        pthread_mutex_lock(&server_pools_lock);
    }
    server_pool_unuse(pool);
    pthread_mutex_unlock(&server_pools_lock);
}

void server_pool_count_context(struct server_pool *pool, int delta)
{
    pthread_mutex_lock(&server_pools_lock);
    pool->contexts += (unsigned)delta;
    conn_idle_look_at(pool); /* the last connection was needed, perhaps */
    pthread_mutex_unlock(&server_pools_lock);
}

/* ---- Taking --------------------------------------------------------------- */

/* Has the server closed it meanwhile?  What is sent then might be lost without a word, so it is
 * worth a system call to look. */
static bool still_alive(struct conn *conn)
{
    bool alive = false;
    char octet;
    conn_lock(conn);
    if (conn_alive(conn) && !conn->closed && conn->assoc.state == ASSOC_OPEN) {
        ssize_t n = recv(conn->watch.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
        alive = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (n > 0) { /* late answers to calls that were given up, and perhaps the end behind */
            while (conn_read(conn, false) == CONN_READ_SOME && !conn->reading)
                ;
            alive = conn_alive(conn);
        }
    }
    conn_unlock(conn);
    return alive;
}

static void set_place(struct conn *conn, const struct conn_wish *wish,
                      struct conn_place *ret_place)
{
    const struct assoc_context *context = conn_context_for(conn, wish);
    *ret_place =
        (struct conn_place){.conn = conn, .context_id = context->id, .ndr64 = context->ndr64};
}

/* server_pools_lock held.  Does the connection have a context for the wish, or will have? */
static bool serves(const struct conn *conn, const struct conn_wish *wish)
{
    if (!conn->awaited)
        return conn_context_for(conn, wish) != NULL;
    const struct conn_wish *coming = &conn->setup->wish;
    return coming->syntaxes == wish->syntaxes &&
           pdu_syntax_equal(&coming->interface_id, &wish->interface_id);
}

/* server_pools_lock held.  The connection for one more call among others.  With an order: where
 * the call before is, as long as that is unknown to have begun; else any with room.
 * Without: the one with the fewest, once there are some to choose from. */
static struct conn *find_shared(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *best = NULL;
    unsigned count = 0;
    for (struct list *node = pool->shared.next; node != &pool->shared; node = node->next) {
        struct conn *conn = list_entry(node, struct conn, node);
        if (!serves(conn, wish))
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
    pthread_mutex_lock(&server_pools_lock);
    struct conn *conn = find_shared(pool, wish);
    if (conn) {
        conn->calls++;
        conn_get(conn);
        if (conn->awaited)
            *ret_place = (struct conn_place){.conn = conn, .pending = true};
        else
            set_place(conn, wish, ret_place);
        if (wish->lane)
            *wish->lane = conn->lane;
    }
    pthread_mutex_unlock(&server_pools_lock);
    return conn != NULL;
}

/* The call's place on a connection nobody else has.  Whether the server multiplexes is
 * assumed of one that is on its way up. */
static void register_call(struct server_pool *pool, struct conn *conn,
                          const struct conn_wish *wish)
{
    static uint64_t last_lane;
    pthread_mutex_lock(&server_pools_lock);
    conn->calls = 1;
    conn->awaited = conn->setup != NULL;
    conn->shared = wish->shared && (conn->awaited || conn->assoc.multiplex);
    if (conn->shared) {
        conn->lane = ++last_lane;
        list_append(&pool->shared, &conn->node);
    }
    if (wish->lane)
        *wish->lane = conn->shared ? conn->lane : 0;
    pthread_mutex_unlock(&server_pools_lock);
}

/* server_pools_lock held. */
static void put_idle(struct server_pool *pool, struct conn *conn)
{
    conn->idle_since_ms = (uint32_t)clock_ms();
    list_prepend(&pool->idle, &conn->node);
    pool->idle_count++;
    conn_idle_look_at(pool);
}

/* An idle connection with the context, still registered as the pool's; NULL: there is none.
 * One whose server will not give it the context is kept for calls it has contexts for:
 * whether a bind of its own does better is seen next. */
static struct conn *take_idle(struct server_pool *pool, const struct conn_wish *wish)
{
    for (;;) {
        if (cancel_thread_seen())
            return NULL; /* as a connection attempt will see, too */
        pthread_mutex_lock(&server_pools_lock);
        struct conn *conn = pop_idle(pool, wish);
        pthread_mutex_unlock(&server_pools_lock);
        if (!conn)
            return NULL;
        if (!still_alive(conn)) {
            discard(pool, conn);
            continue;
        }
        if (conn_context_for(conn, wish) || conn_alter(conn, wish) == RPC_S_OK)
            return conn;
        conn_lock(conn);
        bool good = conn_alive(conn) && !conn->closed && !conn->assoc.offered;
        conn_unlock(conn);
        if (good) {
            pthread_mutex_lock(&server_pools_lock);
            put_idle(pool, conn);
            pthread_mutex_unlock(&server_pools_lock);
            return NULL;
        }
        discard(pool, conn);
    }
}

RPC_STATUS server_pool_take(struct server_pool *pool, const struct conn_wish *wish,
                            struct conn_place *ret_place)
{
    if (wish->shared && take_shared(pool, wish, ret_place))
        return RPC_S_OK;
    struct conn *conn = take_idle(pool, wish);
    if (!conn) {
        RPC_STATUS status = server_pool_connect(pool, wish, &conn);
        if (status != RPC_S_OK)
            return status;
        pthread_mutex_lock(&server_pools_lock);
        pool->users++;
        pthread_mutex_unlock(&server_pools_lock);
    }
    conn_get(conn); /* the pool keeps its own */
    set_place(conn, wish, ret_place);
    register_call(pool, conn, wish);
    if (wish->syntaxes == ASSOC_SYNTAXES) {
        pthread_mutex_lock(&server_pools_lock);
        pool->takes_ndr = !ret_place->ndr64;
        pthread_mutex_unlock(&server_pools_lock);
    }
    return RPC_S_OK;
}

/* An idle connection with the context; one that keeps the context handles of its group alone is
 * left to do so. */
static struct conn *take_idle_bound(struct server_pool *pool, const struct conn_wish *wish)
{
    struct conn *found;
    do {
        found = NULL;
        pthread_mutex_lock(&server_pools_lock);
        const bool needed = pool_needs_connection(pool);
        for (struct list *node = pool->idle.next; node != &pool->idle && !found && !needed;
             node = node->next)
            if (conn_context_for(list_entry(node, struct conn, node), wish))
                found = list_entry(node, struct conn, node);
        if (found) {
            list_remove(&found->node);
            pool->idle_count--;
        }
        pthread_mutex_unlock(&server_pools_lock);
        if (!found || still_alive(found))
            return found;
        discard(pool, found);
    } while (true);
}

RPC_STATUS server_pool_take_async(struct server_pool *pool, const struct conn_wish *wish,
                                  struct conn_place *ret_place)
{
    if (wish->shared && take_shared(pool, wish, ret_place))
        return RPC_S_OK;
    struct conn *conn = take_idle_bound(pool, wish);
    if (conn) {
        set_place(conn, wish, ret_place);
    } else {
        RPC_STATUS status = conn_setup_new(pool, wish, &conn);
        if (status != RPC_S_OK)
            return status;
        *ret_place = (struct conn_place){.conn = conn, .pending = true};
        pthread_mutex_lock(&server_pools_lock);
        pool->users++;
        pthread_mutex_unlock(&server_pools_lock);
    }
    conn_get(conn); /* the pool keeps its own */
    register_call(pool, conn, wish);
    return RPC_S_OK;
}

bool server_pool_expect_ndr64(struct server_pool *pool, unsigned syntaxes)
{
    if (syntaxes != ASSOC_SYNTAXES)
        return syntaxes == ASSOC_NDR64;
    pthread_mutex_lock(&server_pools_lock);
    bool ndr64 = !pool->takes_ndr;
    pthread_mutex_unlock(&server_pools_lock);
    return ndr64;
}

/* ---- Giving back ---------------------------------------------------------- */

void server_pool_give(struct conn *conn, bool reusable)
{
    struct server_pool *pool = conn->pool;
    /* A shared connection stays for its other calls unless it is broken. */
    bool coming = conn_is_pending(conn);
    bool good = conn_alive(conn) && !conn->closed && (coming || conn->assoc.state == ASSOC_OPEN);
    bool drop = false;
    pthread_mutex_lock(&server_pools_lock);
    if (--conn->calls == 0) {
        list_remove(&conn->node);
        drop = !good || coming || !reusable || pool->bindings == 0 ||
               pool->idle_count >= LIMIT_IDLE_CONNS;
        if (!drop) {
            conn->shared = false;
            put_idle(pool, conn);
        }
    } else if (!good || !reusable) {
        list_remove(&conn->node); /* no new calls */
    }
    pthread_mutex_unlock(&server_pools_lock);
    if (!drop)
        return;
    conn_close(conn); /* while the pool is there */
    pthread_mutex_lock(&server_pools_lock);
    client_group_leave(pool, conn);
    server_pool_unuse(pool);
    pthread_mutex_unlock(&server_pools_lock);
    conn_put(conn); /* the pool's; the caller has one */
}
