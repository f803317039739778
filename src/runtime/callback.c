/* SPDX-License-Identifier: MIT */
/* callback.c - calls inside calls: [callback] operations of a server, and what the routines
 * of a client call in turn (MS-RPCE 3.3.1.5.9; docs/design/callbacks.md).
 *
 * Both sides do the same.  The thread that waits for the answer to a call also runs what
 * the peer calls inside it, so each side's calls lie on the stack of one thread:
 *
 *   client thread                            server thread
 *   NdrxClientCall > call_await              manager > NdrxCallbackCall > call_await
 *     > routine > NdrxClientCall ...           > manager ...
 *
 * `outer` leads from a nested call to the one it is in; references go that way, too. */
#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/limits.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/context.h"
#include "runtime/ndr_api.h"
#include "runtime/ndr_options.h"
#include "runtime/server.h"
#include "runtime/server_call.h"

/* ---- Calls of the peer ----------------------------------------------------- */

/* The operation a request inside `outer` means: in a client one of the callbacks, in a
 * server one like any other. */
static RPC_STATUS find_operation(const struct rpc_call *outer, unsigned opnum,
                                 const NDR_OPERATION **ret_op)
{
    const NDR_INTERFACE *interface = outer->spec->InterpreterInfo;
    bool client = outer->conn->assoc.role == ASSOC_CLIENT;
    uint32_t count = client ? interface->callback_count : interface->operation_count;
    const NDR_OPERATION *operations = client ? interface->callbacks : interface->operations;
    /* An asynchronous call has no thread that waits; an asynchronous manager, or pipes,
     * would outlive the moment in which the peer waits. */
    if (outer->op->flags & NDR_OP_ASYNC)
        return RPC_S_CANNOT_SUPPORT;
    if (opnum >= count || !operations[opnum].invoke)
        return RPC_S_PROCNUM_OUT_OF_RANGE;
    *ret_op = &operations[opnum];
    return (*ret_op)->flags & (NDR_OP_ASYNC | NDR_OP_HAS_PIPES) ? RPC_S_CANNOT_SUPPORT
                                                                : RPC_S_OK;
}

/* What a server's call takes over from the one that was dispatched, around the callback. */
static RPC_STATUS inherit(struct rpc_call *call, const struct rpc_call *dispatched)
{
    call->epv = dispatched->epv;
    call->stub_max = dispatched->stub_max;
    call->cancelled = dispatched->cancelled;
    call->iface = dispatched->iface;
    call->guarded = dispatched->guarded;
    registry_join_call(call->iface);
    return RPC_S_OK;
}

/* Both have a link from here on, and `outer` what nested_ready() needs. */
static RPC_STATUS put_inside(struct rpc_call *call, struct rpc_call *outer)
{
    if (!call_rare(call) || !call_rare(outer))
        return RPC_S_OUT_OF_MEMORY;
    call->nested = true;
    call->rare->outer = outer;
    call_get(outer);
    return RPC_S_OK;
}

void nested_on_request(struct conn *conn, const struct assoc_event *event, struct rxbuf *buf)
{
    struct rpc_call *outer = call_of_wire(event->nesting);
    const NDR_OPERATION *op;
    struct rpc_call *call = NULL;
    RPC_STATUS status = find_operation(outer, event->opnum, &op);
    if (status == RPC_S_OK)
        status = call_new(conn, outer->spec, op, true, outer->ndr64, &call);
    if (status == RPC_S_OK) {
        status = put_inside(call, outer);
        if (status == RPC_S_OK && conn->assoc.role == ASSOC_SERVER)
            status = inherit(call, call_outer(outer));
    }
    if (status == RPC_S_OK)
        status = server_prepare_call(call);
    if (status != RPC_S_OK) {
        TRACE(TRACE_CALL, "call %u: operation %u inside it refused", event->call_id,
              event->opnum);
        assoc_reject(&conn->assoc, status, true);
        if (call)
            call_put(call);
        return;
    }
    assoc_accept(&conn->assoc, &call->wire); /* takes our reference */
    TRACE(TRACE_CALL, "call %u %s: request, inside %s", call->wire.id, op->name,
          outer->op->name);
    server_on_octets(call, event, buf);
}

void nested_ready(struct rpc_call *call)
{
    call_get(call);
    call_outer(call)->rare->incoming = call;
    conn_notify(call->conn);
}

void nested_cancel(struct rpc_call *call)
{
    for (struct call *each = &call->wire; each; each = call_nested(each)) {
        call_of_wire(each)->cancelled = true;
        if (!each->caller)
            subscriptions_post(call_of_wire(each), RpcNotificationCallCancel);
    }
}

void nested_orphaned(struct rpc_call *call)
{
    struct call *wire = &call->wire;
    while (call_nested(wire))
        wire = call_nested(wire);
    while (wire) {
        struct call *nesting = call_nesting(wire);
        if (!wire->caller)
            subscriptions_post(call_of_wire(wire), RpcNotificationCallCancel);
        call_fail(call_of_wire(wire), RPC_S_CALL_CANCELLED);
        wire = nesting;
    }
}

/* ---- Waiting ---------------------------------------------------------------- */

/* (drops) Calls with pipes share the connection and one is full: what follows must wait, and
 * the answer may be behind it.  Meanwhile the reactor looks out for the client's end. */
static void wait_for_room(const struct rpc_call *call)
{
    struct conn *conn = call->conn;
    conn_settle(conn, CONN_ARM_NOW);
    if (conn_alive(conn) && conn->stopped > 0 && !call->over && !(call->rare && call->rare->incoming))
        conn_wait(conn);
}

static void receive(const struct rpc_call *call)
{
    struct conn *conn = call->conn;
    if (conn->assoc.role == ASSOC_SERVER && conn->stopped > 0)
        wait_for_room(call);
    else if (conn_read(conn, true) == CONN_READ_DRY) /* a server's socket has a time-out */
        conn_wait_readable(conn);
}

/* A context that the call waited for is free. */
static void on_granted(struct io_job *job)
{
    struct rpc_call *call = list_entry(job, struct rpc_call, job);
    conn_lock(call->conn);
    call->granted = true;
    conn_notify(call->conn);
    conn_unlock(call->conn);
    call_put(call);
}

/* (drops) Waits in line for the contexts of the call on this thread. */
static RPC_STATUS await_contexts(struct rpc_call *call)
{
    RPC_STATUS status;
    call->job.run = on_granted;
    call_get(call); /* the job's */
    while (!contexts_acquire(call, &status)) {
        while (!call->granted)
            conn_wait(call->conn);
        call->granted = false;
        call_get(call);
    }
    call_put(call);
    return status;
}

/* (drops) Decodes a request that is complete, runs the routine, answers. */
static void run_nested(struct rpc_call *call)
{
    RPC_STATUS status = RPC_S_CALL_FAILED;
    bool ready = !call->over && server_admit(call) && server_make_ready(call);
    if (ready)
        status = await_contexts(call);
    if (ready && status != RPC_S_OK && !call->over) {
        server_fault(call, status, false);
        call_release(call, status);
    }
    call->dispatched = ready && status == RPC_S_OK && !call->over;
    if (!call->dispatched)
        return;
    conn_unlock(call->conn);
    server_manage(call);
}

/* The request inside `outer` that is to run, which is the caller's now; NULL: none. */
static struct rpc_call *take_incoming(struct rpc_call *outer)
{
    struct rpc_call *call = outer->rare ? outer->rare->incoming : NULL;
    if (call)
        outer->rare->incoming = NULL;
    return call;
}

bool call_run_incoming(struct rpc_call *call)
{
    struct rpc_call *incoming = take_incoming(call);
    if (!incoming)
        return false;
    run_nested(incoming);
    call_put(incoming);
    return true;
}

void call_await(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    conn_flush_until(conn, 0);
    while (!call->over) {
        if (!call_run_incoming(call))
            receive(call);
        if (!conn_alive(conn))
            conn_settle(conn, CONN_ARM_NOW);
        else if (txq_len(&conn->assoc.txq) > 0) /* an answer, a refusal */
            conn_flush_until(conn, 0);
    }
    struct rpc_call *incoming = take_incoming(call);
    if (incoming)
        call_put(incoming); /* it has failed with the connection */
}

/* ---- Calls of our own ------------------------------------------------------- */

struct rpc_call *nested_place(const struct server_pool *pool, const RPC_CLIENT_INTERFACE *spec)
{
    for (const struct running_call *each = server_running_calls(); each; each = each->around) {
        struct rpc_call *call = each->call;
        if (call->conn->assoc.role == ASSOC_CLIENT && call->conn->pool == pool &&
            call->spec->InterpreterInfo == spec->InterpreterInfo)
            return call;
    }
    return NULL;
}

RPC_STATUS nested_start(struct rpc_call *call, struct rpc_call *outer, const UUID *object)
{
    RPC_STATUS status = outer->over && outer->status != RPC_S_OK ? outer->status
                                                                : call_may_nest(&outer->wire);
    if (status != RPC_S_OK)
        return status;
    status = put_inside(call, outer);
    if (status != RPC_S_OK)
        return status;
    call_get(call); /* the association's */
    call_start_nested(&call->wire, &outer->wire, (uint16_t)call->op->opnum, object);
    return RPC_S_OK;
}

/* The call of a server whose manager this thread runs and that `spec` can call back. */
static RPC_STATUS find_dispatched(const RPC_SERVER_INTERFACE *spec, struct rpc_call **ret_call)
{
    const struct running_call *each = server_running_calls();
    while (each && (each->call->conn->assoc.role != ASSOC_SERVER ||
                    each->call->spec->InterpreterInfo != spec->InterpreterInfo))
        each = each->around;
    if (!each)
        return RPC_S_NO_CALL_ACTIVE;
    struct rpc_call *call = *ret_call = each->call;
    /* The thread of an asynchronous manager cannot be kept, and the client of a [maybe]
     * call does not listen. */
    return call->op->flags & NDR_OP_ASYNC || call->wire.maybe ? RPC_S_CANNOT_SUPPORT : RPC_S_OK;
}

/* Lock held. */
static RPC_STATUS run(struct rpc_call *call, struct rpc_call *outer,
                      const struct ndr_writer *writer)
{
    RPC_STATUS status = nested_start(call, outer, NULL);
    if (status != RPC_S_OK)
        return status;
    TRACE(TRACE_CALL, "call %u %s: starts, inside %s", call->wire.id, call->op->name,
          outer->op->name);
    const struct iovec stub = {writer->octets, writer->len};
    status = call_send(&call->wire, &stub, 1, true);
    if (status == RPC_S_OK)
        conn_push_out(call->conn);
    else if (!call->over)
        call_break(call, status);
    call_await(call);
    return call->status;
}

static RPC_STATUS call_back(const RPC_SERVER_INTERFACE *spec, const NDR_OPERATION *op,
                            void *frame)
{
    struct rpc_call *outer, *call = NULL;
    struct client_contexts none;
    struct ndr_writer writer;
    struct ndr_full_pointers full;
    ndr_full_pointers_init(&full, NULL);
    client_contexts_init(&none, op);
    ndr_writer_init(&writer);
    RPC_STATUS status = find_dispatched(spec, &outer);
    if (status == RPC_S_OK) {
        writer.ndr64 = outer->ndr64;
        writer.depth_max = ndr_server_limits().depth_max;
        const struct ndr_memory memory = client_stub_memory(spec, op);
        writer.memory = &memory;
        writer.full = &full;
        status = ndr_encode_params(&writer, op, frame, NDR_PARAM_IN);
        writer.memory = NULL;
    }
    if (status == RPC_S_OK && writer.len > LIMIT_STUB_LEN)
        status = RPC_S_OUT_OF_RESOURCES;
    if (status == RPC_S_OK)
        status = call_new(outer->conn, spec, op, false, outer->ndr64, &call);
    if (status == RPC_S_OK) {
        trace_values(op, frame, NDR_PARAM_IN, true);
        conn_lock(call->conn);
        status = run(call, outer, &writer);
        conn_settle(call->conn, CONN_ARM_LAZY); /* others may have calls on it */
        conn_unlock(call->conn);
    }
    if (status == RPC_S_OK)
        status = client_decode_reply(call, &none, &full, frame);
    if (call)
        call_put(call);
    ndr_writer_fini(&writer);
    ndr_full_pointers_fini(&full);
    client_contexts_fini(&none);
    return status;
}

/* The same around the conversions of [cs_char], whose routines get the handle of the call that
 * this one is inside of. */
static RPC_STATUS call_back_with_characters(const RPC_SERVER_INTERFACE *spec,
                                            const NDR_OPERATION *op, void *frame)
{
    const struct ndr_memory memory = client_stub_memory(spec, op);
    struct characters *characters;
    struct rpc_call *outer;
    RPC_STATUS status = find_dispatched(spec, &outer);
    if (status == RPC_S_OK)
        status = characters_new(op, frame, (RPC_BINDING_HANDLE)(uintptr_t)outer->handle, &memory,
                                &characters);
    if (status != RPC_S_OK)
        return status;
    status = call_back(spec, op, characters_frame(characters));
    if (status == RPC_S_OK)
        status = characters_take_reply(characters);
    characters_free(characters);
    return status;
}

void NdrxCallbackCall(const RPC_SERVER_INTERFACE *interface_spec, unsigned int opnum, void *frame)
{
    const NDR_INTERFACE *interface = interface_spec->InterpreterInfo;
    if (opnum >= interface->callback_count)
        RpcRaiseException(RPC_S_PROCNUM_OUT_OF_RANGE);
    const NDR_OPERATION *op = &interface->callbacks[opnum];
    RPC_STATUS status = op->characters ? call_back_with_characters(interface_spec, op, frame)
                                       : call_back(interface_spec, op, frame);
    if (!call_deliver_status(op, frame, status))
        RpcRaiseException(status);
}
