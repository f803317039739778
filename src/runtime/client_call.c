/* SPDX-License-Identifier: MIT */
/* client_call.c - calls from the client's side: what the server answers, and synchronous
 * calls.  How calls begin is in client_start.c, the asynchronous ones in client_async.c.
 *
 *   sync    encode, take a connection, send, receive on this thread, decode
 *   async   encode, take a connection, send; a pool thread receives; the
 *           application collects with RpcAsyncCompleteCall, which decodes     */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/limits.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/async.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/client_start.h"
#include "runtime/cancel_thread.h"
#include "runtime/conn_pool.h"
#include "runtime/conn_setup.h"
#include "runtime/context.h"
#include "runtime/error_info.h"
#include "runtime/exception.h"
#include "runtime/memory_env.h"
#include "runtime/ndr_api.h"
#include "runtime/pipe.h"
#include "runtime/server_call.h"

/* ---- Events --------------------------------------------------------------- */

static void on_response(struct rpc_call *call, const struct assoc_event *event,
                        struct rxbuf *buf)
{
    RPC_STATUS status = call_arrived(call, buf, event->stub, event->stub_len, event->last);
    if (status != RPC_S_OK) {
        call_break(call, status);
    } else if (event->last) {
        TRACE(TRACE_CALL, "call %u %s: answered", call->wire.id, call->op->name);
        call_finish(call);
        notify_post(call, NOTIFY_COMPLETE);
    }
}

void client_on_answer(const struct assoc_event *event, struct rxbuf *buf)
{
    struct rpc_call *call = call_of_wire(event->call);
    if (call->leaving) /* crosses our orphaned: the call has ended by that */
        return;
    if (event->kind == ASSOC_EVENT_RESPONSE) {
        on_response(call, event, buf);
    } else {
        error_on_fault(call, event->status, event->stub, event->stub_len);
        call_fail(call, event->status);
    }
}

static void client_on_event(struct conn *conn, const struct assoc_event *event,
                            struct rxbuf *buf)
{
    switch (event->kind) {
    case ASSOC_EVENT_BOUND:
        conn->bound = true;
        conn->bind_status = event->status;
        return;
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT:
        client_on_answer(event, buf);
        return;
    case ASSOC_EVENT_REQUEST:
        if (event->call)
            server_on_octets(call_of_wire(event->call), event, buf);
        else
            nested_on_request(conn, event, buf);
        return;
    case ASSOC_EVENT_DEAD:
        error_on_nak(conn, event->stub, event->stub_len);
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_BIND:
    case ASSOC_EVENT_CANCEL:
    case ASSOC_EVENT_ORPHANED:
        return; /* not a client's */
    }
}

/* Each call gives its place back by itself. */
static void client_on_closed(struct conn *conn)
{
    conn_setup_closed(conn);
}

const struct conn_ops client_conn_ops = {client_on_event, client_on_closed};

void client_call_left(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    /* A call that stopped half-way, in either direction, leaves octets behind that
     * the next one must not meet.  Calls without pipes that were sent whole are
     * known by their id: late answers are dropped. */
    bool clean = call->wire.tx_ended && call->wire.state == CALL_DONE && !call->leaving;
    bool harmless = (call->wire.tx_ended && call->pipe_count == 0 && conn->shared) ||
                    !call->wire.tx_begun;
    conn->silence_max_ms = 0;
    server_pool_give(conn, clean || harmless);
    if (!clean && !harmless && !conn->closed)
        conn_fail(conn, RPC_S_CALL_FAILED);
}

/* ---- Synchronous calls ---------------------------------------------------- */

/* [maybe]: the request leaves, and that is all.  A server that answers all the same
 * (Windows does) answers a call nobody knows. */
static void leave_unanswered(struct rpc_call *call)
{
    conn_flush_until(call->conn, 0);
    if (call->over)
        return;
    call_forgo_answer(&call->wire);
    call_finish(call);
}

RPC_STATUS client_decode_reply(struct rpc_call *call, struct client_contexts *contexts,
                               struct ndr_full_pointers *full, void *frame)
{
    const struct ndr_context_hooks hooks = client_contexts_hooks(contexts);
    const struct ndr_memory memory = client_stub_memory(call->spec, call->op);
    static uint8_t none[1];
    const struct ndr_limits limits = contexts->binding ? binding_limits(contexts->binding)
                                                       : ndr_server_limits(); /* a callback */
    struct ndr_reader reader = {.octets = call->stub ? call->stub->octets : none,
                                .len = call_stub_len(call),
                                .origin = call->stub ? call->stub->origin : 0,
                                .little_endian = call->wire.little_endian,
                                .last = true,
                                .ndr64 = call->ndr64,
                                .allocated_max = limits.allocated_max,
                                .depth_max = limits.depth_max,
                                .contexts = &hooks,
                                .full = full};
    if (ndr_decode_params(&reader, call->op, frame, NDR_PARAM_OUT, &memory) != NDR_DONE)
        return reader.status;
    client_contexts_commit(contexts);
    trace_values(call->op, frame, NDR_PARAM_OUT, false);
    return RPC_S_OK;
}

/* The tick sends what a tight loop of pushes left behind, so the connection must be
 * known to the reactor. */
static RPC_STATUS move_pipes(struct rpc_call *call, void *frame)
{
    if (reactor_start() && conn_watch(call->conn))
        return sync_pipes_run(call, frame);
    client_cancel(call, true);
    return RPC_S_OUT_OF_RESOURCES;
}

static RPC_STATUS new_sync_call(struct client_start *start, struct rpc_call **ret_call)
{
    RPC_STATUS status = client_start_prepare(start);
    if (status != RPC_S_OK)
        return cancel_thread_seen() ? RPC_S_CALL_CANCELLED : status;
    status = call_new(start->place.conn, start->spec, start->op, false, start->place.ndr64,
                      ret_call);
    if (status != RPC_S_OK)
        client_start_give_back(start);
    return status;
}

/* Sends the request unless the thread was cancelled before.  Lock held. */
static RPC_STATUS send_uncancelled(struct rpc_call *call, struct client_start *start)
{
    if (cancel_thread_call(call))
        return client_start_send(call, start);
    if (!start->within)
        server_pool_give(call->conn, true);
    return RPC_S_CALL_CANCELLED;
}

static RPC_STATUS try_sync_call(struct client_start *start, void *frame)
{
    struct sync_wait outer;
    struct rpc_call *call;
    cancel_thread_begin(&outer);
    RPC_STATUS status = new_sync_call(start, &call);
    if (status != RPC_S_OK) {
        cancel_thread_end(&outer);
        return status;
    }
    conn_lock(call->conn);
    start->reported = true;
    status = send_uncancelled(call, start);
    bool answered = !(start->op->flags & NDR_OP_MAYBE);
    start->unsent = start->unsent && status != RPC_S_OK;
    if (status == RPC_S_OK && call->pipe_count > 0)
        status = move_pipes(call, frame);
    if (status == RPC_S_OK && answered)
        call_await(call);
    else if (status == RPC_S_OK)
        leave_unanswered(call);
    if (status == RPC_S_OK)
        status = call->status;
    if (status != RPC_S_OK)
        error_on_failure(call, status);
    if (call->pipe_count > 0)
        call_release(call, status); /* the pipes go with it */
    conn_unlock(call->conn);
    cancel_thread_end(&outer);
    if (status == RPC_S_OK && answered) {
        status = client_decode_reply(call, &start->contexts, &start->request.full, frame);
        if (status != RPC_S_OK)
            client_note_unreadable(call, status);
    }
    if (status != RPC_S_OK)
        error_deliver(call);
    call_put(call);
    return status;
}

/* On a thread of the pool, that is in a notification routine, others take its place. */
static RPC_STATUS sync_call(struct client_start *start, void *frame)
{
    RPC_STATUS status;
    reactor_block_begin();
    do
        status = try_sync_call(start, frame);
    while (client_start_again(start, status));
    reactor_block_end();
    return status;
}

void client_note_unreadable(const struct rpc_call *call, RPC_STATUS status)
{
    const struct error_arg arg = ERROR_TEXT(call->op->name);
    error_thread_note(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_REPLY, status, 1, &arg);
}

void client_note_unstarted(const NDR_OPERATION *op, RPC_STATUS status)
{
    const struct error_arg arg = ERROR_TEXT(op ? op->name : "");
    error_thread_note(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_PREPARE, status, 1, &arg);
}

/* The same around the conversions of [cs_char] arrays. */
static RPC_STATUS call_with_characters(struct client_start *start, void *frame)
{
    struct characters *characters;
    const struct ndr_memory memory = client_stub_memory(start->spec, start->op);
    RPC_STATUS status =
        characters_new(start->op, frame, client_frame_binding(start->op, frame), &memory,
                       &characters);
    if (status != RPC_S_OK)
        return status;
    start->frame = characters_frame(characters);
    status = sync_call(start, characters_frame(characters));
    if (status == RPC_S_OK)
        status = characters_take_reply(characters);
    characters_free(characters);
    return status;
}

void NdrxClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum, void *frame)
{
    struct client_start start = {.spec = interface_spec,
                          .op = client_operation(interface_spec, opnum),
                          .frame = frame};
    RPC_STATUS status = RPC_S_PROCNUM_OUT_OF_RANGE;
    error_thread_clear(); /* what is known of the call before is out of date */
    client_start_init(&start);
    if (start.op)
        status = start.op->flags & NDR_OP_HAS_PIPES ? sync_pipes_check(start.op, frame) : RPC_S_OK;
    if (start.op && status == RPC_S_OK)
        status = start.op->characters ? call_with_characters(&start, frame)
                                      : sync_call(&start, frame);
    if (status != RPC_S_OK && !start.reported)
        client_note_unstarted(start.op, status);
    client_start_fini(&start);
    if (!(start.op && call_deliver_status(start.op, frame, status)))
        RpcRaiseException(status);
}
