/* SPDX-License-Identifier: MIT */
/* client_begin.h - an asynchronous call whose connection is not up yet: its request, in line,
 * and what the application pushes meanwhile.
 *
 *   WAITING --connection is up--> REPLAYING --what was pushed is sent--> BEGUN
 *   the request is encoded in     the request is queued; pushes of
 *   both transfer syntaxes        the application still get in line
 *
 * The stub has returned, so nothing here looks at the application's arguments; elements that
 * were pushed are copied as they lie in memory.  The connection's lock guards it. */
#ifndef RUNTIME_CLIENT_BEGIN_H
#define RUNTIME_CLIENT_BEGIN_H

#include "runtime/client_start.h"

enum begin_state {
    BEGIN_WAITING,
    BEGIN_REPLAYING,
    BEGIN_BEGUN
};

/* A request in one transfer syntax, encoded. */
struct begin_request {
    const uint8_t *octets; /* of the begin's block */
    size_t len;
    struct ndr_full_pointers full; /* of it, for the reply */
};

/* Thousands may wait: one block for a moment, which leaves no hole (base/slab.h). */
struct call_begin {
    struct list node; /* conn->setup->calls */
    struct rpc_call *call;
    enum begin_state state;
    struct begin_request requests[2]; /* NDR 2.0, NDR64 */
    struct client_terms terms;
    struct list pushes; /* struct early_push                                     */
    size_t pushed_len;  /* octets of the elements in it                          */
    bool asks;          /* RpcSendComplete is to be told when all of it is sent  */
    size_t octets_len;
    uint8_t octets[];   /* of the requests */
};

/* Has nothing of the call been queued yet? */
static inline bool call_waits(const struct rpc_call *call)
{
    return !call->server && call->begin && call->begin->state == BEGIN_WAITING;
}

/* Do its pushes get in line? */
static inline bool call_defers(const struct rpc_call *call)
{
    return !call->server && call->begin && call->begin->state != BEGIN_BEGUN;
}

/* Takes over what the start has encoded, for a call that is to get in line.  No lock.
 * RPC_S_OUT_OF_MEMORY: it is still the start's. */
RPC_STATUS client_begin_new(struct rpc_call *call, struct client_start *start);
void client_begin_free(struct call_begin *begin);

/* The call waits from now on: in line, unless it is about to be moved to another connection's.
 * Lock held, as for all of the following. */
void client_begin_wait(struct rpc_call *call, bool in_line);

/* The connection is up: the call gets its place on the association, its request is queued, in
 * octets that stay the begin's until go_on().  A failure fails the call. */
void client_begin_queue(struct call_begin *begin, const struct conn_wish *wish);
/* (drops) The request's octets are no longer needed; what was pushed follows it.  The call's
 * reference that queue() took is given back. */
void client_begin_go_on(struct call_begin *begin);

/* The call ended while it was WAITING: leaves the line and the connection. */
void client_begin_leave(struct rpc_call *call);

/* (drops) A push on a call that defers them; `count` 0: the end.  Waits at the pipe's high
 * mark where that is allowed.  False: it defers no longer, and nothing was taken. */
bool client_begin_push(struct pipe *pipe, const void *memory, unsigned long count,
                       RPC_STATUS *ret_status);

/* Is there more to come behind what is being sent? */
static inline bool call_has_early_pushes(const struct rpc_call *call)
{
    return call_defers(call) && !list_empty(&call->begin->pushes);
}

#endif
