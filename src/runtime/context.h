/* SPDX-License-Identifier: MIT */
/* context.h - context handles: state that a server keeps for a client between calls.
 *
 *   server (context_table.h)    association group --1:1-- context set --1:n-- context
 *                               on the wire a context is 20 octets, a random UUID
 *   client (context_client.c)   a number of the handle table: the 20 octets and a
 *                               binding to the server that made them
 *
 * A context lives until the manager returns NULL for it, or until the last association
 * of its group is gone and no call uses it: then its rundown routine runs, once. */
#ifndef RUNTIME_CONTEXT_H
#define RUNTIME_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpcndr.h>

#include "ndr/ndr.h"

struct rpc_call;
struct binding;
struct interface;

/* Has the operation parameters or a result of this kind? */
bool op_has_contexts(const NDR_OPERATION *op);

/* ---- Server ----------------------------------------------------------------- */

/* The contexts of one association group; counted. */
struct context_set;
struct context_set *context_set_new(void);
void context_set_get(struct context_set *set);
void context_set_put(struct context_set *set);
/* The last association is gone: what no call uses is run down, the rest when its call
 * ends.  Drops the caller's reference.  No routine of the program runs in here. */
void context_set_close(struct context_set *set);
/* Could a client name none of it? */
bool context_set_empty(struct context_set *set);

/* One context of a call. */
struct context_use {
    struct context *context; /* counts this use                              */
    void *slot;              /* where the manager finds and leaves its value */
    bool exclusive;          /* how the call locks it                        */
    bool locked;             /* it does: a context is locked by one use only */
    bool created;            /* by the reply of this call                    */
};

/* What a server call has to do with contexts.  Guarded by the table's lock. */
struct call_contexts {
    struct context_set *set;
    struct context_use *uses;
    unsigned count, capacity;
    unsigned received; /* the first so many came with the request             */
    bool again;        /* the reply is encoded again: created slots come back */
    unsigned acquired; /* uses looked at by contexts_acquire() */
    struct contexts_waiter *waiter;
};

/* Hooks for the engine, bound to `call`. */
struct ndr_context_hooks contexts_hooks(struct rpc_call *call);

/* After decoding: RPC_X_SS_IN_NULL_CONTEXT: an [in] handle is NULL. */
RPC_STATUS contexts_check(const struct rpc_call *call);

/* Has the request brought any? */
bool contexts_received(const struct rpc_call *call);

/* Waits in line for the contexts of the call; calls on one context run one after the
 * other unless it is declared [context_handle_noserialize].  True: it has them, the
 * manager's parameters are set, *ret_status says whether they still exist.  False: the
 * line is not at its end; call->job is submitted when it is worth trying again. */
bool contexts_acquire(struct rpc_call *call, RPC_STATUS *ret_status);

/* The manager raised an exception: handles it has set to NULL are closed all the same. */
void contexts_raised(struct rpc_call *call);
/* Nobody will get the reply, be it encoded, half encoded or not at all: what the manager did
 * to contexts counts all the same, and those it made are run down when the call ends. */
void contexts_unsent(struct rpc_call *call);
/* The call needs its contexts no more.  May be called again. */
void contexts_release(struct rpc_call *call);

/* Runs down all contexts that calls on `iface` made. */
void contexts_close_interface(const struct interface *iface);

/* ---- Client ------------------------------------------------------------------ */

/* What a client call has to do with contexts. */
struct client_context_list {
    struct client_context_slot *slots;
    unsigned count, capacity;
};
struct client_contexts {
    const NDR_OPERATION *op;
    struct binding *binding;        /* of the call; borrowed                  */
    struct client_context_list old; /* handles that were sent, by their slots */
    struct client_context_list new; /* handles that came back                 */
};

void client_contexts_init(struct client_contexts *contexts, const NDR_OPERATION *op);
void client_contexts_fini(struct client_contexts *contexts);
struct ndr_context_hooks client_contexts_hooks(struct client_contexts *contexts);
/* The reply was decoded: the application's handles change.  Without it they do not. */
void client_contexts_commit(struct client_contexts *contexts);

/* The binding behind the leftmost [in] handle in `frame` that is not NULL, counted;
 * *ret_binding is NULL when there is none.  RPC_X_SS_CONTEXT_MISMATCH: it is no handle;
 * RPC_X_SS_IN_NULL_CONTEXT: one that is only [in] is NULL. */
RPC_STATUS client_contexts_binding(const NDR_OPERATION *op, const void *frame,
                                   struct binding **ret_binding);

#endif
