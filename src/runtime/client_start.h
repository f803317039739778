/* SPDX-License-Identifier: MIT */
/* client_start.h - how a client's call begins, shared by client_call.c (synchronous) and
 * client_async.c. */
#ifndef RUNTIME_CLIENT_START_H
#define RUNTIME_CLIENT_START_H

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "ndr/ndr.h"
#include "runtime/call.h"
#include "runtime/conn_pool.h"
#include "runtime/context.h"

/* A request in one transfer syntax. */
struct client_request {
    struct ndr_writer writer;
    struct ndr_full_pointers full; /* of it, for the reply */
};
void client_request_init(struct client_request *request);
void client_request_fini(struct client_request *request);
/* `to` owns nothing yet; `from` is empty then. */
void client_request_move(struct client_request *to, struct client_request *from);

/* What a binding handle says about a call, as it is when the call begins. */
struct client_terms {
    bool has_object;
    UUID object;
    unsigned keep_alive_s;
    unsigned silence_max_ms;
};
struct client_terms client_terms(struct binding *binding, const NDR_OPERATION *op);

/* What a call needs before it exists. */
struct client_start {
    const RPC_CLIENT_INTERFACE *spec;
    const NDR_OPERATION *op;
    const void *frame;
    struct binding *binding;
    struct conn_wish wish;
    struct conn_place place; /* conn NULL: none yet */
    struct rpc_call *within; /* a callback whose routine makes the call; NULL: none */
    uint64_t deadline_us;    /* of an asynchronous call; 0: none */
    struct client_request request;
    struct client_request other; /* in the other syntax, if it is not known yet which it will be */
    struct client_contexts contexts;
    struct characters *characters; /* of an asynchronous call's [cs_char] arrays, or NULL */
    bool unsent;   /* see client_start_send()                   */
    bool again;    /* the second time, see client_start_again() */
    bool reported; /* there was a call, which says itself why it failed */
};

/* The operation of that number; NULL: the interface has none. */
const NDR_OPERATION *client_operation(const RPC_CLIENT_INTERFACE *spec, unsigned int opnum);

/* In front of everything else; the rest of the members is the caller's. */
void client_start_init(struct client_start *start);
/* The binding handle in the frame, or NULL. */
RPC_BINDING_HANDLE client_frame_binding(const NDR_OPERATION *op, const void *frame);

/* Everything up to the first octet: arguments checked and encoded, a connection, which may
 * take its time. */
RPC_STATUS client_start_prepare(struct client_start *start);
/* The same for an asynchronous call: the connection may be on its way up (conn_setup.h). */
RPC_STATUS client_start_prepare_async(struct client_start *start);
/* Milliseconds that a call which has a deadline may still take. */
uint64_t client_start_left_ms(const struct client_start *start);
/* Gives the connection back that was taken and no call was placed on. */
void client_start_give_back(struct client_start *start);
/* Puts the call on its connection and sends the request; start->unsent says of a failure that
 * nothing of it was taken by the transport.  Lock held. */
RPC_STATUS client_start_send(struct rpc_call *call, struct client_start *start);
/* Queues the request, `octets`, of a call that is on its association, borrowed.  Lock held. */
RPC_STATUS client_request_queue(struct rpc_call *call, const struct client_terms *terms,
                                const uint8_t *octets, size_t len);
/* The attempt failed with `status` and not an octet of the request was taken by the transport,
 * so nothing of it can have been executed: true, once, when a connection kept from before may be
 * to blame. */
bool client_start_may_repeat(const struct client_start *start, RPC_STATUS status);
/* The same; then all is prepared anew. */
bool client_start_again(struct client_start *start, RPC_STATUS status);
/* For the extended error information of the thread: the answer came and makes no sense; the
 * call failed before there was anything of it (where something is known already, that was
 * the cause). */
void client_note_unreadable(const struct rpc_call *call, RPC_STATUS status);
void client_note_unstarted(const NDR_OPERATION *op, RPC_STATUS status);

/* Releases what is still the start's. */
void client_start_fini(struct client_start *start);

#endif
