/* SPDX-License-Identifier: MIT */
/* conn_pool.h - a client's connections, by server (protocol sequence, address,
 * endpoint).
 *
 *   exclusive   one call at a time: synchronous calls and calls with pipes
 *   shared      asynchronous calls without pipes, where the peer can multiplex: up to
 *               LIMIT_MULTIPLEX, and more to keep those of a binding together
 *   idle        kept for the next call while a binding to the server exists     */
#ifndef RUNTIME_CONN_POOL_H
#define RUNTIME_CONN_POOL_H

#include <stdbool.h>

#include "runtime/conn.h"

struct server_pool;

/* The pool for a server, `unique` a new one that nobody else is given; one more binding
 * uses it.  `endpoint` "": it is not known yet, and asynchronous calls have the endpoint mapper
 * asked when they make a connection; synchronous ones need it before.  NULL: out of memory. */
struct server_pool *server_pool_open(enum transport_kind kind, const char *address,
                                     const char *endpoint, bool unique);
void server_pool_use(struct server_pool *pool);
/* A binding less; with the last one idle connections are closed. */
void server_pool_close(struct server_pool *pool);

/* The endpoint of a pool that was opened without one is known; what was known before stays. */
void server_pool_resolve(struct server_pool *pool, const char *endpoint);
/* Writes it.  False: it is not known yet. */
bool server_pool_endpoint(struct server_pool *pool, char *endpoint, size_t size);

/* A context handle of this server more or less: as long as there is one, the last
 * connection of the association group is kept, however long it is idle. */
void server_pool_count_context(struct server_pool *pool, int delta);

/* What a call needs of a connection. */
struct conn_wish {
    struct pdu_syntax interface_id;
    unsigned syntaxes; /* ASSOC_*, one of them will do */
    bool shared;       /* with other asynchronous calls without pipes */
    /* Where the last call was placed that must begin before this one; the caller
     * serialises calls with the same.  NULL: there is no order. */
    uint64_t *lane;
    unsigned timeout_ms; /* 0: as long as it takes */
    /* For the endpoint mapper, should the endpoint have to be found out. */
    unsigned com_timeout;
    UUID object;
};

/* Where a call was placed. */
struct conn_place {
    struct conn *conn; /* counted */
    uint16_t context_id;
    bool ndr64; /* the context's transfer syntax, else NDR 2.0 */
    bool pending; /* the connection is on its way up: the context is not known */
};

/* A connection with a presentation context for the wish, for one more call: one that has it,
 * an idle one that is asked for it (alter_context), or a new one (both block).  Not locked.
 * RPC_S_SERVER_UNAVAILABLE, RPC_S_INVALID_NET_ADDR, RPC_S_UNKNOWN_IF,
 * RPC_S_UNSUPPORTED_TRANS_SYN, RPC_S_PROTOCOL_ERROR, RPC_S_SERVER_TOO_BUSY,
 * RPC_S_OUT_OF_RESOURCES, RPC_S_OUT_OF_MEMORY; when the thread was cancelled any of them, see cancel_thread.h. */
RPC_STATUS server_pool_take(struct server_pool *pool, const struct conn_wish *wish,
                            struct conn_place *ret_place);

/* The same for an asynchronous call: what is not there is set up by the reactor
 * (conn_setup.h).  Blocks at most for the look-up of a name.  A new connection in place of the
 * only one of a group with context handles keeps them, should the call cost it its own.
 * RPC_S_INVALID_NET_ADDR; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS server_pool_take_async(struct server_pool *pool, const struct conn_wish *wish,
                                  struct conn_place *ret_place);

/* Threads that wait for another thread's connection look whether they were cancelled. */
void server_pools_wake(void);

/* The transfer syntax that a call which may use any of `syntaxes` will probably get: what
 * the server chose last. */
bool server_pool_expect_ndr64(struct server_pool *pool, unsigned syntaxes);

/* One call less on `conn` (locked by the caller); `reusable` when it left nothing
 * behind.  The connection goes back to the pool or is closed. */
void server_pool_give(struct conn *conn, bool reusable);

#endif
