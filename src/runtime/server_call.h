/* SPDX-License-Identifier: MIT */
/* server_call.h - what server_call.c, which takes a request to its manager, and
 * server_reply.c, which ends it, tell each other.  The connection's lock is held, where
 * nothing else is said. */
#ifndef RUNTIME_SERVER_CALL_H
#define RUNTIME_SERVER_CALL_H

#include <penstock/rpcndr.h>

#include "ndr/ndr.h"
#include "runtime/call.h"

/* RPC_ASYNC_STATE and pipe structures of one call.  After a push or pull has told a
 * manager of a failure it need not complete the call, but samples do, much later
 * (AP-18), and others go on pulling (AP-44), or complete a call twice: the memory must
 * still be there and must not be another call's.  So the last LIMIT_QUARANTINE such states
 * are kept. */
struct server_state {
    RPC_ASYNC_STATE async;
    union {
        NDR_ASYNC_PIPE async;
        NDR_PIPE sync;
    } pipes[];
};
_Static_assert(sizeof(struct server_state) <= sizeof(RPC_ASYNC_STATE), "docs/design/idle.md");

/* [notify] and [notify_flag], and parameters that routines of the program free: on a thread
 * without locks. */
struct farewell {
    struct io_job job;
    const NDR_OPERATION *op;
    void *frame;              /* NULL: nothing to free */
    struct memory_env *env;   /* of its memory, or NULL */
    struct ndr_memory memory;
    bool called;
};

/* All zero.  NULL: out of memory. */
struct server_state *server_state_new(uint16_t pipe_count);

/* The job of a farewell; no lock. */
void server_run_farewell(struct io_job *job);

/* Octets of a request. */
void server_on_octets(struct rpc_call *call, const struct assoc_event *event,
                      struct rxbuf *buf);
/* What some operations need besides; call_put() is all a failure wants.  Any thread. */
RPC_STATUS server_prepare_call(struct rpc_call *call);
/* (drops) server_access.c: asks the interface's access check, if it has one and was not asked
 * about the call.  False: the call has ended. */
bool server_admit(struct rpc_call *call);
/* (drops) Decodes the request.  False: more octets are needed, or the call failed. */
bool server_make_ready(struct rpc_call *call);
/* Runs the manager and, for a synchronous operation, answers.  Without the lock on entry,
 * with it on exit. */
void server_manage(struct rpc_call *call);

/* ---- server_order.c: whose turn it is to begin ------------------------------- */

/* The call's job runs when all that came before it on the connection have begun.  The job
 * takes a reference. */
void order_submit(struct rpc_call *call);
/* It is about to call its manager. */
void order_enter(struct rpc_call *call);
/* The reply of `call` may wait for that of the next one: a manager of the same operation is about
 * to run on this thread.  Where that does not answer before it returns, order_return() sends. */
bool order_gathers(struct rpc_call *call);
/* The manager has returned. */
void order_return(struct rpc_call *call);
/* It will not be entered, or not now: the next may begin. */
void order_leave(struct rpc_call *call);

/* Where the parameters of the call live; any thread. */
struct ndr_memory server_call_memory(const struct rpc_call *call);

/* The call a manager means by `handle`, 0 for the one its thread runs; counted.  No lock.
 * RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING. */
RPC_STATUS server_call_get(RPC_BINDING_HANDLE handle, struct rpc_call **ret_call);

/* Encodes the [out] parameters behind what was sent and ends the response. */
RPC_STATUS server_reply(struct rpc_call *call);
/* Ends the call with a fault, unless it is over. */
void server_fault(struct rpc_call *call, RPC_STATUS status, bool did_not_execute);

#endif
