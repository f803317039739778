/* SPDX-License-Identifier: MIT */
/* conn_pool.h - a client's connections, by server (protocol sequence, address,
 * endpoint).
 *
 *   exclusive   one call at a time: synchronous calls and calls with pipes
 *   shared      up to LIMIT_MULTIPLEX asynchronous calls without pipes, where the
 *               peer can multiplex
 *   idle        kept for the next call while a binding to the server exists     */
#ifndef RUNTIME_CONN_POOL_H
#define RUNTIME_CONN_POOL_H

#include <stdbool.h>

#include "runtime/conn.h"

struct server_pool;

/* The pool for a server; one more binding uses it.  NULL: out of memory. */
struct server_pool *server_pool_open(enum transport_kind kind, const char *address,
                                     const char *endpoint);
void server_pool_use(struct server_pool *pool);
/* A binding less; with the last one idle connections are closed. */
void server_pool_close(struct server_pool *pool);

/* A context handle of this server more or less: as long as there is one, the last
 * connection of the association group is kept, however long it is idle. */
void server_pool_count_context(struct server_pool *pool, int delta);

/* A connection bound to `interface_id`, for one more call; connects and binds when
 * none is at hand (blocks).  Gives a reference.  Not locked.
 * RPC_S_SERVER_UNAVAILABLE, RPC_S_INVALID_NET_ADDR, RPC_S_UNKNOWN_IF,
 * RPC_S_UNSUPPORTED_TRANS_SYN, RPC_S_PROTOCOL_ERROR, RPC_S_SERVER_TOO_BUSY,
 * RPC_S_OUT_OF_RESOURCES, RPC_S_OUT_OF_MEMORY. */
RPC_STATUS server_pool_take(struct server_pool *pool, const struct pdu_syntax *interface_id,
                            bool shared, unsigned timeout_ms, struct conn **ret_conn);

/* Before a call that may cost its connection, when it is cancelled: if that is the only
 * one and there are context handles, another one of the group is opened to keep them. */
void server_pool_anchor(struct server_pool *pool, const struct pdu_syntax *interface_id,
                        unsigned timeout_ms);

/* One call less on `conn` (locked by the caller); `reusable` when it left nothing
 * behind.  The connection goes back to the pool or is closed. */
void server_pool_give(struct conn *conn, bool reusable);

#endif
