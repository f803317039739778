/* SPDX-License-Identifier: MIT */
/* binding.h - binding handles.  What the application holds is a number of the
 * handle table, so a handle that was freed, or was none, is recognised.
 *
 *   client   where a server is: protocol sequence, address, endpoint; owns no
 *            socket, draws connections from a pool (conn_pool.h)
 *   server   the call a manager runs for; ends with it.  It is the number of the call
 *            and has no object of its own: many are open at a time              */
#ifndef RUNTIME_BINDING_H
#define RUNTIME_BINDING_H

#include <pthread.h>
#include <stdbool.h>

#include <penstock/rpcndr.h>

#include "base/handle.h"
#include "io/transport.h"
#include "runtime/ndr_options.h"

struct rpc_call;
struct server_pool;

/* A client's. */
struct binding {
    struct counted object;

    pthread_mutex_t lock;  /* guards what follows */
    enum transport_kind kind;
    char *address;  /* "": this host                       */
    char *endpoint; /* "": partially bound                 */
    char *options;
    bool has_object;
    UUID object_uuid;
    /* binding_options.c's */
    unsigned com_timeout;     /* 0 to RPC_C_BINDING_INFINITE_TIMEOUT             */
    unsigned call_timeout_ms; /* longest silence in a synchronous call; 0: any   */
    bool noncausal;           /* asynchronous calls may begin in any order       */
    bool unique;              /* connections of its own                          */
    bool dont_linger;
    unsigned syntaxes; /* ASSOC_*: what its calls may be made in */
    struct ndr_limits limits; /* of what is received             */
    struct server_pool *pool; /* connections to this server; NULL: partially bound */

    /* Held while a connection is looked for, so that calls of one thread are placed where
     * their order is kept; before the locks of connections and pools. */
    pthread_mutex_t lane_lock;
    uint64_t lane; /* of the last call that is kept in order, see struct conn_wish */
};

/* What RpcMgmtSetComTimeout means: for connecting, milliseconds, 0: no limit; and seconds
 * of silence after which TCP asks for the peer, 0: never. */
unsigned com_timeout_connect_ms(unsigned com_timeout);
unsigned com_timeout_keep_alive_s(unsigned com_timeout);

/* The call whose server binding `handle` is, with a reference, or NULL. */
struct rpc_call *binding_get_call(RPC_BINDING_HANDLE handle);

/* The client binding behind `handle`, with a reference.  RPC_S_INVALID_BINDING;
 * RPC_S_WRONG_KIND_OF_BINDING. */
RPC_STATUS binding_get_client(RPC_BINDING_HANDLE handle, struct binding **ret_binding);

struct ndr_limits binding_limits(struct binding *binding);

static inline void binding_put(struct binding *binding)
{
    counted_put(&binding->object);
}

/* A client binding equal to `source` and independent of it, counted.  NULL: out of memory. */
struct binding *binding_copy(struct binding *source);

/* A client binding for a call on `spec`, resolved.  RPC_S_INVALID_BINDING;
 * RPC_S_WRONG_KIND_OF_BINDING; and as below.  Gives *ret_binding. */
RPC_STATUS binding_for_call(RPC_BINDING_HANDLE handle, const RPC_CLIENT_INTERFACE *spec,
                            bool may_wait, struct binding **ret_binding);

/* Makes a client binding ready for a call on `spec`: gives it an endpoint, if it has none, and
 * its pool.  The endpoint is that which the interface names for the protocol sequence, else what
 * the endpoint mapper says; without `may_wait` that is left to the pool, which asks when it
 * makes its first connection.  EPT_S_NOT_REGISTERED; RPC_S_SERVER_UNAVAILABLE: there is no
 * endpoint mapper; RPC_S_OUT_OF_MEMORY, and what a call to the mapper may fail with. */
RPC_STATUS binding_resolve(struct binding *binding, const RPC_CLIENT_INTERFACE *spec,
                           bool may_wait);

/* Is its endpoint not known yet?  Asks nobody. */
bool binding_is_partial(struct binding *binding);

/* The binding of calls on `spec` that have none, [auto_handle]: there is no name service
 * to ask, so it leads to the first endpoint the interface names, on this computer.
 * Lives as long as the process.  RPC_S_NO_BINDINGS: it names none that can be used. */
RPC_STATUS binding_automatic(const RPC_CLIENT_INTERFACE *spec, RPC_BINDING_HANDLE *ret_handle);

#endif
