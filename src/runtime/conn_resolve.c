/* SPDX-License-Identifier: MIT */
/* conn_resolve.c - the addresses of servers that have a name, and the endpoint of those of which
 * only the host is known, for asynchronous calls: name server and endpoint mapper may take their
 * time, and the stubs do not wait.
 *
 * A few threads of the pool ask, blocked as in a manager; whoever needs a name gets in line.  One
 * answer serves all in line for the same server. */
#include <pthread.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "base/trace.h"
#include "runtime/conn_pool_internal.h"
#include "runtime/conn_setup.h"
#include "runtime/ep.h"
#include "runtime/error_info.h"

/* Taken last: with the lock of a connection held, or alone. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list line = {&line, &line}; /* struct conn_setup, each with a reference on its conn */
static struct resolver {
    struct io_job job;
    bool asks; /* queued, or a thread runs it */
} resolvers[LIMIT_RESOLVERS];

/* The first in line, of the server alone unless that is NULL, with its reference; NULL: none,
 * and `done` may rest: who comes from now on wakes it. */
static struct conn *take_next(const struct server_pool *pool, struct resolver *done)
{
    struct conn *conn = NULL;
    pthread_mutex_lock(&lock);
    for (struct list *node = line.next; node != &line && !conn; node = node->next) {
        struct conn_setup *setup = list_entry(node, struct conn_setup, resolve_node);
        if (!pool || setup->conn->pool == pool)
            conn = setup->conn;
    }
    if (conn) {
        list_remove(&conn->setup->resolve_node);
        conn->setup->queued = false;
    }
    if (!conn && done)
        done->asks = false;
    pthread_mutex_unlock(&lock);
    return conn;
}

/* The server of a connection that still wants its addresses, and what for; it stays until
 * unused. */
static struct server_pool *use_pool(struct conn *conn, struct conn_wish *ret_wish)
{
    struct server_pool *pool = NULL;
    conn_lock(conn);
    if (conn_is_pending(conn) && conn->setup->state == SETUP_RESOLVE) {
        pool = conn->pool;
        *ret_wish = conn->setup->wish;
        pthread_mutex_lock(&server_pools_lock);
        pool->users++;
        pthread_mutex_unlock(&server_pools_lock);
    }
    conn_unlock(conn);
    return pool;
}

/* As the calling thread's error information; what the mapper says holds for all in line for the
 * pool: it is one binding's. */
static RPC_STATUS find_endpoint(struct server_pool *pool, const struct conn_wish *wish)
{
    char endpoint[EP_ENDPOINT_SIZE];
    const struct pdu_syntax *id = &wish->interface_id;
    const struct ep_question question = {.kind = pool->kind,
                                         .address = pool->address,
                                         .com_timeout = wish->com_timeout,
                                         .interface_id = {id->uuid, id->major, id->minor},
                                         .object = wish->object};
    error_thread_clear();
    if (*pool_endpoint(pool)) /* usual, or somebody was faster */
        return RPC_S_OK;
    RPC_STATUS status = ep_ask(&question, endpoint);
    if (status != RPC_S_OK)
        return status;
    server_pool_resolve(pool, endpoint);
    return *pool_endpoint(pool) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

static void deliver(struct conn *conn, const struct transport_attempt *found, RPC_STATUS status)
{
    conn_lock(conn);
    if (status != RPC_S_OK && conn_is_pending(conn) && !conn->setup->errors)
        conn->setup->errors = error_get(error_thread());
    conn_setup_resolved(conn, found, status);
    conn_unlock(conn);
    conn_put(conn);
}

static void resolve(struct conn *conn)
{
    struct conn_wish wish;
    struct server_pool *pool = use_pool(conn, &wish);
    if (!pool) {
        conn_put(conn);
        return;
    }
    struct transport_attempt found = {.kind = pool->kind};
    TRACE(TRACE_ASSOC, "%s: looked up", pool->address);
    reactor_block_begin();
    RPC_STATUS status = find_endpoint(pool, &wish);
    if (status == RPC_S_OK)
        status = transport_attempt_init(&found, pool->kind, pool->address, pool_endpoint(pool));
    reactor_block_end();
    do
        deliver(conn, &found, status);
    while ((conn = take_next(pool, NULL)));
    if (status == RPC_S_OK)
        transport_attempt_fini(&found);
    pthread_mutex_lock(&server_pools_lock);
    server_pool_unuse(pool);
    pthread_mutex_unlock(&server_pools_lock);
}

static void run_resolver(struct io_job *job)
{
    struct resolver *resolver = list_entry(job, struct resolver, job);
    for (struct conn *conn = take_next(NULL, resolver); conn; conn = take_next(NULL, resolver))
        resolve(conn);
}

void conn_resolve_begin(struct conn *conn)
{
    struct conn_setup *setup = conn->setup;
    pthread_mutex_lock(&lock);
    conn_get(conn); /* the line's */
    list_append(&line, &setup->resolve_node);
    setup->queued = true;
    struct resolver *rests = NULL;
    for (unsigned i = 0; i < LIMIT_RESOLVERS && !rests; i++)
        if (!resolvers[i].asks)
            rests = &resolvers[i];
    if (rests)
        rests->asks = true;
    pthread_mutex_unlock(&lock);
    if (!rests)
        return;
    rests->job.run = run_resolver;
    reactor_submit_other(&rests->job);
}

void conn_resolve_forget(struct conn_setup *setup)
{
    pthread_mutex_lock(&lock);
    const bool queued = setup->queued;
    if (queued)
        list_remove(&setup->resolve_node);
    setup->queued = false;
    pthread_mutex_unlock(&lock);
    if (queued)
        conn_put(setup->conn); /* not the last: the caller works on it */
}
