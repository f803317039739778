/* SPDX-License-Identifier: MIT */
/* conn_pool_internal.h - what the files about a client's connections share.
 *
 *   conn_pool.c   which connection carries a call, and where it goes afterwards
 *   conn_bind.c   a new connection or context for a thread that waits for it
 *   conn_setup.c  a new connection for asynchronous calls, which nobody waits for
 *   conn_group.c  the association group they join
 *   conn_idle.c   when those that lie idle are closed                                 */
#ifndef RUNTIME_CONN_POOL_INTERNAL_H
#define RUNTIME_CONN_POOL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <penstock/rpcnterr.h>

#include "runtime/conn_pool.h"

struct conn_setup;

struct server_pool {
    struct list node; /* server_pools */
    enum transport_kind kind;
    char *address, *endpoint;
    _Atomic(char *) resolved; /* endpoint "": which it turned out to be; NULL: not known yet */
    bool unique;      /* of one binding and its context handles */
    unsigned users;   /* bindings, and connections alive */
    unsigned bindings;
    struct list idle;   /* most recently used first */
    struct list shared; /* with calls on them       */
    unsigned idle_count;
    unsigned contexts; /* context handles the application has                     */
    uint32_t group_id; /* association group of the connections; 0: none yet       */
    unsigned members;  /* connections in it                                       */
    bool founding;     /* the first connection is being bound, others wait for it: */
    struct list awaiting; /* struct conn_setup of those without a thread             */
    bool takes_ndr;    /* the server's last choice between NDR64 and NDR 2.0      */
};

/* Guards all pools and the pool fields of their connections. */
extern pthread_mutex_t server_pools_lock;
extern struct list server_pools;

/* Where it is, "": not known yet. */
static inline const char *pool_endpoint(const struct server_pool *pool)
{
    const char *resolved = atomic_load(&pool->resolved);
    return resolved ? resolved : pool->endpoint;
}

/* Does its last connection keep the context handles that the application has? */
static inline bool pool_needs_connection(const struct server_pool *pool)
{
    return pool->contexts > 0 && pool->members <= 1;
}

/* Lock held: a user less; the last one's release frees the pool. */
void server_pool_unuse(struct server_pool *pool);

/* The presentation context that the wish would have on `conn`; NULL: none. */
static inline const struct assoc_context *conn_context_for(const struct conn *conn,
                                                           const struct conn_wish *wish)
{
    return assoc_context_for(&conn->assoc, &wish->interface_id, wish->syntaxes);
}

/* ---- conn_bind.c: both block ------------------------------------------------------- */

/* A new connection of the pool's group with a context for the wish.  Not locked.  Statuses
 * as server_pool_take(). */
RPC_STATUS server_pool_connect(struct server_pool *pool, const struct conn_wish *wish,
                               struct conn **ret_conn);

/* Asks for a context on a connection nobody else has.  Not locked.  A connection that is
 * alive and has asked for nothing more is as good as before, also after a failure. */
RPC_STATUS conn_alter(struct conn *conn, const struct conn_wish *wish);

/* ---- conn_group.c ---------------------------------------------------------------------- */

/* The group a new connection joins, so that context handles are good on all of them; 0:
 * it founds one, and group_join() must follow.  Waits while somebody else founds it.
 * RPC_S_SERVER_UNAVAILABLE: that takes too long, or this thread was cancelled. */
RPC_STATUS client_group_ask(struct server_pool *pool, unsigned timeout_ms,
                            uint32_t *ret_group_id);

/* The same without waiting.  False: `setup` is in line, with a reference on its connection;
 * its job runs when it is to ask again. */
bool client_group_ask_later(struct server_pool *pool, struct conn_setup *setup,
                            uint32_t *ret_group_id);
/* Leaves the line, if it is in it. */
void client_group_forget(struct conn_setup *setup);

/* `conn` is bound, or, NULL, was not to be.  `founds`: group_ask() gave it 0. */
void client_group_join(struct server_pool *pool, const struct conn *conn, bool founds);

/* May a bind that failed with `status` do better without the group?  A server that was started
 * anew refuses one it does not know. */
static inline bool client_group_refused(RPC_STATUS status)
{
    return status == RPC_S_CALL_FAILED_DNE || status == RPC_S_PROTOCOL_ERROR ||
           status == RPC_S_OUT_OF_RESOURCES;
}

/* Lock of the pools held: the connection is closed, or as good as. */
void client_group_leave(struct server_pool *pool, const struct conn *conn);

/* ---- conn_idle.c ------------------------------------------------------------------------ */

/* Lock held: a connection of the pool may have become one that is to be closed in a while. */
void conn_idle_look_at(const struct server_pool *pool);

#endif
