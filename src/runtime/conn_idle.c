/* SPDX-License-Identifier: MIT */
/* conn_idle.c - closes connections of a client that no call has used for a while, once that is
 * wanted: RpcMgmtEnableIdleCleanup (MS-RPCE 3.3.2.2.3, 3.3.2.6.2).
 *
 *   a connection becomes idle --> timer --> look at all pools --> close --> timer ...
 *
 * One timer for all of them, and only while something lies idle that may be closed: a client
 * that is done, or whose only connection keeps its context handles, is not woken again. */
#include <penstock/rpc.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "io/timer.h"
#include "runtime/conn_pool_internal.h"

static void look(struct counted *object);
static void never_destroyed(struct counted *object)
{
    (void)object;
}

/* Guarded by server_pools_lock. */
static struct {
    bool enabled;     /* for good                                             */
    bool set;         /* the timer                                            */
    unsigned idle_ms; /* what the program wants; 0: as Windows                */
    struct counted object;
    struct io_timer timer;
} cleanup = {.object = {.refs = 1, .destroy = never_destroyed},
             .timer = {.object = &cleanup.object, .expired = look}};

/* ---- Lock held ------------------------------------------------------------------------- */

static unsigned idle_limit_ms(void)
{
    unsigned count = 0;
    if (cleanup.idle_ms > 0)
        return cleanup.idle_ms;
    for (struct list *node = server_pools.next; node != &server_pools; node = node->next)
        count += list_entry(node, struct server_pool, node)->members;
    return count > LIMIT_IDLE_MANY_CONNS ? LIMIT_IDLE_MANY_MS : LIMIT_IDLE_MS;
}

/* Should there be no resources, the next connection that becomes idle tries again. */
static bool set_timer(unsigned wait_ms)
{
    if (cleanup.idle_ms == 0 && wait_ms > LIMIT_IDLE_MANY_MS)
        wait_ms = LIMIT_IDLE_MANY_MS; /* there may be as many by then */
    cleanup.set = timer_set(&cleanup.timer, clock_us() + wait_ms * 1000ull);
    return cleanup.set;
}

static bool has_closable(const struct server_pool *pool)
{
    return !list_empty(&pool->idle) && !pool_needs_connection(pool);
}

void conn_idle_look_at(const struct server_pool *pool)
{
    if (!cleanup.enabled && pool->members > LIMIT_IDLE_MANY_CONNS)
        cleanup.enabled = true;
    if (cleanup.enabled && !cleanup.set && has_closable(pool))
        set_timer(idle_limit_ms());
}

/* The pool's oldest connection, out of it and its group, if its time is over; else NULL, and
 * *wait_ms is no longer than until then. */
static struct conn *take_old(struct server_pool *pool, unsigned idle_ms, unsigned *wait_ms)
{
    if (!has_closable(pool))
        return NULL;
    struct conn *conn = list_entry(pool->idle.prev, struct conn, node);
    const uint32_t age_ms = (uint32_t)clock_ms() - conn->idle_since_ms;
    if (age_ms < idle_ms) {
        if (idle_ms - age_ms < *wait_ms)
            *wait_ms = idle_ms - age_ms;
        return NULL;
    }
    list_remove(&conn->node);
    pool->idle_count--;
    client_group_leave(pool, conn);
    return conn;
}

/* ---- Looking ----------------------------------------------------------------------------- */

/* The connection keeps its pool until now. */
static void close_old(struct conn *conn)
{
    conn_lock(conn);
    TRACE(TRACE_ASSOC, "conn %d: idle for too long", conn->watch.fd);
    conn_close(conn);
    conn_unlock(conn);
    pthread_mutex_lock(&server_pools_lock);
    server_pool_unuse(conn->pool);
    pthread_mutex_unlock(&server_pools_lock);
    conn_put(conn);
}

static void look(struct counted *object)
{
    struct list old;
    (void)object;
    list_init(&old);
    pthread_mutex_lock(&server_pools_lock);
    cleanup.set = false;
    const unsigned idle_ms = idle_limit_ms();
    unsigned wait_ms = UINT32_MAX;
    for (struct list *node = server_pools.next; node != &server_pools; node = node->next) {
        struct server_pool *pool = list_entry(node, struct server_pool, node);
        for (struct conn *conn; (conn = take_old(pool, idle_ms, &wait_ms));)
            list_append(&old, &conn->node);
    }
    /* What became idle at about the same time is closed at the same. */
    if (wait_ms != UINT32_MAX)
        set_timer(wait_ms < idle_ms / 10 ? idle_ms / 10 : wait_ms);
    pthread_mutex_unlock(&server_pools_lock);
    for (struct list *node = list_pop(&old); node; node = list_pop(&old))
        close_old(list_entry(node, struct conn, node));
}

/* ---- The program ----------------------------------------------------------------------------- */

/* What lies idle by now, too: looked at when its time may be over. */
static RPC_STATUS enable(unsigned idle_ms)
{
    bool ok = true, any = false;
    pthread_mutex_lock(&server_pools_lock);
    cleanup.enabled = true;
    cleanup.idle_ms = idle_ms;
    for (struct list *node = server_pools.next; node != &server_pools && !any; node = node->next)
        any = has_closable(list_entry(node, struct server_pool, node));
    if (any)
        ok = set_timer(idle_limit_ms() / 10);
    pthread_mutex_unlock(&server_pools_lock);
    return ok ? RPC_S_OK : RPC_S_OUT_OF_RESOURCES;
}

RPC_STATUS RpcMgmtEnableIdleCleanup(void)
{
    pthread_mutex_lock(&server_pools_lock);
    const unsigned idle_ms = cleanup.idle_ms;
    pthread_mutex_unlock(&server_pools_lock);
    return enable(idle_ms);
}

RPC_STATUS RpcxMgmtSetIdleTime(unsigned long IdleTime)
{
    return IdleTime > INT32_MAX ? RPC_S_INVALID_ARG : enable((unsigned)IdleTime);
}
