/* SPDX-License-Identifier: MIT */
/* client_call.c - calls from the client's side: what generated stubs call, and what
 * the server answers.
 *
 *   sync    encode, take a connection, send, receive on this thread, decode
 *   async   encode, take a connection, send; a pool thread receives; the
 *           application collects with RpcAsyncCompleteCall, which decodes     */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/async.h"
#include "runtime/call.h"
#include "runtime/cancel_thread.h"
#include "runtime/conn_pool.h"
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
    if (event->kind == ASSOC_EVENT_RESPONSE)
        on_response(call, event, buf);
    else {
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
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_BIND:
    case ASSOC_EVENT_CANCEL:
    case ASSOC_EVENT_ORPHANED:
    case ASSOC_EVENT_DEAD:
        return; /* not a client's */
    }
}

static void client_on_closed(struct conn *conn)
{
    (void)conn; /* each call gives its place back by itself */
}

const struct conn_ops client_conn_ops = {client_on_event, client_on_closed};

void client_call_left(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    /* A call that stopped half-way, in either direction, leaves octets behind that
     * the next one must not meet.  Calls without pipes that were sent whole are
     * known by their id: late answers are dropped. */
    bool clean = call->wire.tx_ended && call->wire.state == CALL_DONE;
    bool harmless = call->wire.tx_ended && call->pipe_count == 0 && conn->shared;
    conn->silence_max_ms = 0;
    server_pool_give(conn, clean || harmless);
    if (!clean && !harmless && !conn->closed)
        conn_fail(conn, RPC_S_CALL_FAILED);
}

/* ---- Start ---------------------------------------------------------------- */

/* What a call needs before it exists. */
struct start {
    const RPC_CLIENT_INTERFACE *spec;
    const NDR_OPERATION *op;
    const void *frame;
    struct binding *binding;
    struct conn_wish wish;
    struct conn_place place; /* conn NULL: none yet */
    struct rpc_call *within; /* a callback whose routine makes the call; NULL: none */
    uint64_t deadline_us;    /* of an asynchronous call; 0: none */
    struct ndr_writer writer;
    struct ndr_full_pointers full;
    struct client_contexts contexts;
    bool reported; /* there was a call, which says itself why it failed */
};

static void start_init(struct start *start)
{
    ndr_writer_init(&start->writer);
    ndr_full_pointers_init(&start->full, NULL);
}

static void start_fini(struct start *start)
{
    ndr_writer_fini(&start->writer);
    ndr_full_pointers_fini(&start->full);
    client_contexts_fini(&start->contexts);
    if (start->place.conn)
        conn_put(start->place.conn);
    if (start->binding)
        binding_put(start->binding);
}

static RPC_BINDING_HANDLE frame_binding(const NDR_OPERATION *op, const void *frame)
{
    RPC_BINDING_HANDLE handle = NULL;
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].flags & NDR_PARAM_BINDING)
            memcpy(&handle, (const uint8_t *)frame + op->params[i].offset, sizeof(handle));
    return handle;
}

/* The pipe structures the application passes by reference must be there. */
static RPC_STATUS check_pipes(const NDR_OPERATION *op, const void *frame)
{
    for (uint32_t i = 0; i < op->param_count; i++) {
        if (!(op->params[i].flags & NDR_PARAM_PIPE))
            continue;
        const void *pipe;
        memcpy(&pipe, (const uint8_t *)frame + op->params[i].offset, sizeof(pipe));
        if (!pipe)
            return RPC_X_NULL_REF_POINTER;
    }
    return RPC_S_OK;
}

static struct pdu_syntax interface_syntax(const RPC_CLIENT_INTERFACE *spec)
{
    return (struct pdu_syntax){.uuid = spec->InterfaceId.SyntaxGUID,
                               .major = spec->InterfaceId.SyntaxVersion.MajorVersion,
                               .minor = spec->InterfaceId.SyntaxVersion.MinorVersion};
}

/* A context handle may carry the call, else a binding handle does. */
static RPC_STATUS find_binding(struct start *start)
{
    RPC_STATUS status = RPC_S_OK;
    if (op_has_contexts(start->op)) {
        status = client_contexts_binding(start->op, start->frame, &start->binding);
        if (status != RPC_S_OK)
            return status;
    }
    if (start->binding)
        return binding_resolve(start->binding);
    RPC_BINDING_HANDLE handle = frame_binding(start->op, start->frame);
    if (!handle && start->op->flags & NDR_OP_AUTO_HANDLE) {
        status = binding_automatic(start->spec, &handle);
        if (status != RPC_S_OK)
            return status;
    }
    return binding_for_call(handle, &start->binding);
}

struct ndr_memory client_stub_memory(const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op)
{
    struct ndr_memory memory = {.run = exception_run};
    if (!(op->flags & NDR_OP_ASYNC))
        memory_client_routines(&memory.allocate, &memory.free);
    if (!memory.allocate) {
        memory.allocate = spec->InterpreterInfo->allocate;
        memory.free = spec->InterpreterInfo->free;
    }
    return memory;
}

static RPC_STATUS encode_request(struct start *start, bool ndr64)
{
    const struct ndr_context_hooks hooks = client_contexts_hooks(&start->contexts);
    client_contexts_fini(&start->contexts);
    client_contexts_init(&start->contexts, start->op);
    start->contexts.binding = start->binding;
    const struct ndr_memory memory = client_stub_memory(start->spec, start->op);
    ndr_writer_reset(&start->writer);
    ndr_full_pointers_reset(&start->full);
    start->writer.contexts = &hooks;
    start->writer.memory = &memory;
    start->writer.full = &start->full;
    start->writer.ndr64 = ndr64;
    start->writer.depth_max = binding_limits(start->binding).depth_max;
    RPC_STATUS status =
        ndr_encode_params(&start->writer, start->op, start->frame, NDR_PARAM_IN);
    start->writer.contexts = NULL;
    start->writer.memory = NULL;
    start->writer.full = NULL;
    if (status == RPC_S_OK && start->writer.len > LIMIT_STUB_LEN)
        return RPC_S_OUT_OF_RESOURCES;
    return status;
}

/* Windows' stubs know synchronous pipes in NDR 2.0 alone (wire.md 3.6): NDR64 is offered
 * for them only when the program allows nothing else. */
static unsigned allowed_syntaxes(const struct start *start)
{
    unsigned syntaxes = ndr_interface_syntaxes(start->spec);
    pthread_mutex_lock(&start->binding->lock);
    syntaxes &= start->binding->syntaxes;
    pthread_mutex_unlock(&start->binding->lock);
    bool sync_pipes = start->op->flags & NDR_OP_HAS_PIPES && !(start->op->flags & NDR_OP_ASYNC);
    return sync_pipes && syntaxes & ASSOC_NDR ? ASSOC_NDR : syntaxes;
}

/* Gives the connection back that `prepare` took and no call was placed on. */
static void give_back(struct start *start)
{
    if (start->within)
        return;
    conn_lock(start->place.conn);
    server_pool_give(start->place.conn, true);
    conn_unlock(start->place.conn);
}

/* Inside a call there is nothing to choose: its connection, its presentation context. */
static RPC_STATUS prepare_nested(struct start *start)
{
    struct rpc_call *within = start->within;
    start->place = (struct conn_place){
        .conn = within->conn, .context_id = within->wire.context_id, .ndr64 = within->ndr64};
    conn_get(within->conn);
    RPC_STATUS status = encode_request(start, within->ndr64);
    if (status == RPC_S_OK)
        trace_values(start->op, start->frame, NDR_PARAM_IN, true);
    return status;
}

/* Milliseconds that a call which has a deadline may still take. */
static uint64_t deadline_left_ms(const struct start *start)
{
    uint64_t now = clock_us();
    if (start->deadline_us == 0)
        return UINT64_MAX;
    return start->deadline_us > now ? (start->deadline_us - now + 999) / 1000 : 0;
}

/* Everything up to the first octet: arguments checked and encoded, a connection.  Wrong
 * arguments are told before a server is asked for, so they are encoded in the transfer
 * syntax it will probably choose, and again if it does not. */
static RPC_STATUS prepare(struct start *start, bool shared)
{
    RPC_STATUS status = find_binding(start);
    if (status != RPC_S_OK)
        return status;
    if (!(start->op->flags & (NDR_OP_ASYNC | NDR_OP_MAYBE | NDR_OP_HAS_PIPES)))
        start->within = nested_place(start->binding->pool, start->spec);
    if (start->within)
        return prepare_nested(start);
    struct binding *binding = start->binding;
    struct conn_wish *wish = &start->wish;
    pthread_mutex_lock(&binding->lock);
    const unsigned com_timeout = binding->com_timeout;
    const bool ordered = shared && !binding->noncausal;
    pthread_mutex_unlock(&binding->lock);
    *wish = (struct conn_wish){.interface_id = interface_syntax(start->spec),
                               .syntaxes = allowed_syntaxes(start),
                               .shared = shared,
                               .lane = ordered ? &binding->lane : NULL,
                               .timeout_ms = com_timeout_connect_ms(com_timeout)};
    const uint64_t left_ms = deadline_left_ms(start);
    if (left_ms != UINT64_MAX && (wish->timeout_ms == 0 || left_ms < wish->timeout_ms))
        wish->timeout_ms = left_ms > 0 ? (unsigned)left_ms : 1; /* 0 would be for ever */
    if (wish->syntaxes == 0)
        return RPC_S_UNSUPPORTED_TRANS_SYN;
    const bool expected = server_pool_expect_ndr64(start->binding->pool, wish->syntaxes);
    status = encode_request(start, expected);
    if (status != RPC_S_OK)
        return status;
    trace_values(start->op, start->frame, NDR_PARAM_IN, true);
    if (ordered)
        pthread_mutex_lock(&binding->lane_lock);
    status = server_pool_take(binding->pool, wish, &start->place);
    if (ordered)
        pthread_mutex_unlock(&binding->lane_lock);
    if (status == RPC_S_OK && start->place.ndr64 != expected) {
        status = encode_request(start, start->place.ndr64);
        if (status != RPC_S_OK)
            give_back(start);
    }
    return status;
}

/* What the program's patience means for the connection; the least of those who share it
 * counts.  Lock held. */
static void watch_peer(struct conn *conn, unsigned keep_alive_s, unsigned silence_max_ms)
{
    conn->silence_max_ms = silence_max_ms;
    if (conn->shared && conn->keep_alive_s > 0 &&
        (keep_alive_s == 0 || keep_alive_s > conn->keep_alive_s))
        return;
    if (conn->kind == TRANSPORT_TCP && keep_alive_s != conn->keep_alive_s)
        transport_keep_alive(conn->watch.fd, keep_alive_s);
    conn->keep_alive_s = keep_alive_s;
}

/* Puts the call on its connection and queues the request.  Lock held.  The request
 * of a call with [in] pipes goes on with them: it is padded to where the first
 * chunk's count may stand. */
static RPC_STATUS send_request(struct rpc_call *call, struct start *start)
{
    static const uint8_t zeros[8];
    struct conn *conn = call->conn;
    if (!start->within && (!conn_alive(conn) || conn->assoc.state != ASSOC_OPEN)) {
        server_pool_give(conn, false);
        return RPC_S_CALL_FAILED_DNE;
    }
    struct binding *binding = start->binding ? start->binding : call->binding;
    pthread_mutex_lock(&binding->lock);
    const UUID object = binding->object_uuid;
    const bool has_object = binding->has_object;
    const unsigned keep_alive_s = com_timeout_keep_alive_s(binding->com_timeout);
    const unsigned call_timeout_ms = binding->call_timeout_ms;
    pthread_mutex_unlock(&binding->lock);
    if (!start->within)
        watch_peer(conn, keep_alive_s, call->op->flags & NDR_OP_ASYNC ? 0 : call_timeout_ms);
    if (start->within) {
        RPC_STATUS nested = nested_start(call, start->within, has_object ? &object : NULL);
        if (nested != RPC_S_OK)
            return nested;
    } else {
        call_get(call); /* the association's */
        call_start(&call->wire, &conn->assoc, start->place.context_id, (uint16_t)call->op->opnum,
                   has_object ? &object : NULL);
    }
    call->wire.maybe = (call->op->flags & NDR_OP_MAYBE) != 0;
    call_join_pipes(call);
    TRACE(TRACE_CALL, "call %u %s: starts", call->wire.id, call->op->name);

    bool more = op_has_in_pipes(call->op);
    size_t gap = -start->writer.len & (call->ndr64 ? 7 : 3);
    const struct iovec stub[2] = {{start->writer.octets, start->writer.len},
                                  {(void *)(uintptr_t)zeros, more ? gap : 0}};
    RPC_STATUS status = call_send(&call->wire, stub, 2, !more);
    if (status == RPC_S_OK)
        conn_push_out(conn);
    if (status != RPC_S_OK && !call->over)
        call_break(call, status);
    return call->status;
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
                               void *frame)
{
    const struct ndr_context_hooks hooks = client_contexts_hooks(contexts);
    const struct ndr_memory memory = client_stub_memory(call->spec, call->op);
    static uint8_t none[1];
    const struct ndr_limits limits = contexts->binding ? binding_limits(contexts->binding)
                                                       : ndr_server_limits(); /* a callback */
    struct ndr_reader reader = {.octets = call->stub ? call->stub->octets : none,
                                .len = call->stub_len,
                                .origin = call->stub_origin,
                                .little_endian = call->wire.little_endian,
                                .last = true,
                                .ndr64 = call->ndr64,
                                .allocated_max = limits.allocated_max,
                                .depth_max = limits.depth_max,
                                .contexts = &hooks,
                                .full = &call->full};
    if (ndr_decode_params(&reader, call->op, frame, NDR_PARAM_OUT, &memory) != NDR_DONE)
        return reader.status;
    client_contexts_commit(contexts);
    trace_values(call->op, frame, NDR_PARAM_OUT, false);
    return RPC_S_OK;
}

/* The answer came and makes no sense. */
static void note_unreadable(const struct rpc_call *call, RPC_STATUS status)
{
    const struct error_arg arg = ERROR_TEXT(call->op->name);
    error_thread_note(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_REPLY, status, 1, &arg);
}

/* A call begins on this thread: what is known of the one before is out of date. */
static void begin_errors(void)
{
    error_thread_clear();
}

/* It failed before there was anything of it; where something is known already, that was
 * the cause. */
static void note_unstarted(const NDR_OPERATION *op, RPC_STATUS status)
{
    const struct error_arg arg = ERROR_TEXT(op ? op->name : "");
    error_thread_note(RPCX_EEINFO_GC_PENSTOCK, ERROR_AT_PREPARE, status, 1, &arg);
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

static RPC_STATUS new_sync_call(struct start *start, struct rpc_call **ret_call)
{
    RPC_STATUS status = prepare(start, false);
    if (status != RPC_S_OK)
        return cancel_thread_seen() ? RPC_S_CALL_CANCELLED : status;
    status = call_new(start->place.conn, start->spec, start->op, false, start->place.ndr64,
                      ret_call);
    if (status != RPC_S_OK)
        give_back(start);
    return status;
}

/* Sends the request unless the thread was cancelled before.  Lock held. */
static RPC_STATUS send_uncancelled(struct rpc_call *call, struct start *start)
{
    if (cancel_thread_call(call))
        return send_request(call, start);
    if (!start->within)
        server_pool_give(call->conn, true);
    return RPC_S_CALL_CANCELLED;
}

static RPC_STATUS sync_call(struct start *start, void *frame)
{
    struct sync_wait outer;
    struct rpc_call *call;
    cancel_thread_begin(&outer);
    RPC_STATUS status = new_sync_call(start, &call);
    if (status != RPC_S_OK) {
        cancel_thread_end(&outer);
        return status;
    }
    ndr_full_pointers_move(&call->full, &start->full);
    conn_lock(call->conn);
    start->reported = true;
    status = send_uncancelled(call, start);
    bool answered = !(start->op->flags & NDR_OP_MAYBE);
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
        status = client_decode_reply(call, &start->contexts, frame);
        if (status != RPC_S_OK)
            note_unreadable(call, status);
    }
    if (status != RPC_S_OK)
        error_deliver(call);
    call_put(call);
    return status;
}

static const NDR_OPERATION *find_operation(const RPC_CLIENT_INTERFACE *spec, unsigned int opnum)
{
    const NDR_INTERFACE *interface = spec->InterpreterInfo;
    return opnum < interface->operation_count ? &interface->operations[opnum] : NULL;
}

void NdrxClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum, void *frame)
{
    struct start start = {.spec = interface_spec,
                          .op = find_operation(interface_spec, opnum),
                          .frame = frame};
    RPC_STATUS status = RPC_S_PROCNUM_OUT_OF_RANGE;
    begin_errors();
    start_init(&start);
    if (start.op)
        status = start.op->flags & NDR_OP_HAS_PIPES ? sync_pipes_check(start.op, frame) : RPC_S_OK;
    if (start.op && status == RPC_S_OK)
        status = sync_call(&start, frame);
    if (status != RPC_S_OK && !start.reported)
        note_unstarted(start.op, status);
    start_fini(&start);
    if (!(start.op && call_deliver_status(start.op, frame, status)))
        RpcRaiseException(status);
}

/* ---- Asynchronous calls --------------------------------------------------- */

static RPC_STATUS check_async(const RPC_ASYNC_STATE *async)
{
    if (!async_is_initialised(async) || async_in_use(async))
        return RPC_S_INVALID_ASYNC_HANDLE;
    switch (async->NotificationType) {
    case RpcNotificationTypeNone:
    case RpcNotificationTypeEvent:
        return RPC_S_OK;
    case RpcNotificationTypeCallback:
        return async->u.NotificationRoutine ? RPC_S_OK : RPC_S_INVALID_ARG;
    case RpcNotificationTypeApc:
        return async->u.APC.NotificationRoutine &&
                       (!async->u.APC.hThread || win32_is_thread(async->u.APC.hThread))
                   ? RPC_S_OK
                   : RPC_S_INVALID_ARG;
    case RpcNotificationTypeIoc:
        return win32_is_port(async->u.IOC.hIOPort) ? RPC_S_OK : RPC_S_INVALID_ARG;
    case RpcNotificationTypeHwnd:
        return RPC_S_CANNOT_SUPPORT; /* documented as unsupported since Windows Server 2003 */
    }
    return RPC_S_INVALID_ARG;
}

/* Makes the call the application's: from here on it is reached through `async`. */
static RPC_STATUS attach(struct rpc_call *call, struct start *start, PRPC_ASYNC_STATE async)
{
    memcpy(call->frame, start->frame, call->op->frame_size);
    call->binding = start->binding;
    start->binding = NULL;
    call->client_contexts = start->contexts;
    client_contexts_init(&start->contexts, start->op);
    if (async->NotificationType == RpcNotificationTypeApc && !async->u.APC.hThread) {
        call->notify.issuer = win32_thread_self();
        if (!call->notify.issuer)
            return RPC_S_OUT_OF_MEMORY;
    }
    call->handle = handle_open(&call->object);
    if (call->handle == 0)
        return RPC_S_OUT_OF_MEMORY;
    call->async = async;
    async->StubInfo = (void *)(uintptr_t)call->handle;
    async->RuntimeInfo = NULL;
    pipes_publish(call);
    return start->deadline_us
               ? client_set_deadline(call, start->deadline_us, RPC_S_CALL_CANCELLED)
               : RPC_S_OK;
}

/* Sending drops the lock: the answer may be here, told and collected before this thread
 * goes on.  So everything the application may use is ready before the first octet
 * leaves, and what fails after that is told as RpcCallComplete, not raised. */
static RPC_STATUS async_call_locked(struct rpc_call *call, struct start *start,
                                    PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = attach(call, start, async);
    if (status == RPC_S_OK)
        status = send_request(call, start);
    else
        server_pool_give(call->conn, true);
    if (status != RPC_S_OK && !call->over) { /* not started */
        async->StubInfo = NULL;
        call_release(call, status);
        conn_settle(call->conn, CONN_ARM_NOW);
        return status;
    }
    if (op_has_in_pipes(call->op) && !call->over)
        call_ask_send_complete(call, 0, false); /* for the request itself (AP-16) */
    conn_settle(call->conn, CONN_ARM_NOW);
    return RPC_S_OK;
}

static RPC_STATUS async_call(struct start *start, PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = check_async(async);
    if (status == RPC_S_OK)
        status = check_pipes(start->op, start->frame);
    if (status == RPC_S_OK)
        status = reactor_start() ? RPC_S_OK : RPC_S_OUT_OF_THREADS;
    if (status != RPC_S_OK)
        return status;
    start->deadline_us = async_take_deadline(async);
    if (deadline_left_ms(start) == 0)
        return RPC_S_CALL_CANCELLED;
    status = prepare(start, !(start->op->flags & NDR_OP_HAS_PIPES));
    if (status == RPC_S_SERVER_UNAVAILABLE && deadline_left_ms(start) == 0)
        return RPC_S_CALL_CANCELLED; /* that is what ended the attempt */
    if (status != RPC_S_OK)
        return status;
    server_pool_anchor(start->binding->pool, &start->wish);
    struct rpc_call *call;
    status = call_new(start->place.conn, start->spec, start->op, false, start->place.ndr64, &call);
    if (status != RPC_S_OK) {
        give_back(start);
        return status;
    }
    ndr_full_pointers_move(&call->full, &start->full);
    conn_lock(call->conn);
    if (conn_watch(call->conn)) {
        status = async_call_locked(call, start, async);
    } else {
        server_pool_give(call->conn, true);
        call_release(call, RPC_S_OUT_OF_RESOURCES);
        status = RPC_S_OUT_OF_RESOURCES;
    }
    conn_unlock(call->conn);
    call_put(call);
    return status;
}

struct unbinding {
    const NDR_OPERATION *op;
    void *frame;
};

static void call_unbind(void *arg)
{
    const struct unbinding *unbinding = arg;
    unbinding->op->unbind(unbinding->frame);
}

/* The program's routine; what it raises has nobody to catch it. */
static void unbind(const NDR_OPERATION *op, void *frame)
{
    struct unbinding unbinding = {.op = op, .frame = frame};
    bool raised;
    exception_run(call_unbind, &unbinding, &raised);
}

void client_call_unbind(struct rpc_call *call)
{
    if (call->server || !call->op->unbind)
        return;
    conn_lock(call->conn);
    bool due = call->released && !call->unbound;
    call->unbound |= due;
    conn_unlock(call->conn);
    if (due)
        unbind(call->op, call->frame);
}

void NdrxAsyncClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                         PRPC_ASYNC_STATE async, void *frame)
{
    struct start start = {.spec = interface_spec,
                          .op = find_operation(interface_spec, opnum),
                          .frame = frame};
    begin_errors();
    start_init(&start);
    RPC_STATUS status = start.op ? async_call(&start, async) : RPC_S_PROCNUM_OUT_OF_RANGE;
    if (status != RPC_S_OK)
        note_unstarted(start.op, status);
    start_fini(&start);
    if (status != RPC_S_OK && start.op && start.op->unbind)
        unbind(start.op, frame); /* the application has no call to complete */
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

/* ---- Collecting ----------------------------------------------------------- */

static void copy_result(const struct rpc_call *call, void *reply)
{
    for (uint32_t i = 0; reply && i < call->op->param_count; i++) {
        const NDR_PARAM *param = &call->op->params[i];
        if (param->flags & NDR_PARAM_RETURN)
            memcpy(reply, (const uint8_t *)call->frame + param->offset, param->type->size);
    }
}

/* AP-56: a failure first, then an [in] pipe left open, then a reply that is not
 * there yet, then an [out] pipe left undrained. */
RPC_STATUS client_complete(struct rpc_call *call, void *reply)
{
    RPC_STATUS status = call->status;
    if (status == RPC_S_OK && !call_all_finished(call)) {
        status = RPC_X_PIPE_DISCIPLINE_ERROR;
        call->async = NULL; /* told by our result, not by a notification */
        if (!call->over)
            call_break(call, status);
    } else if (status == RPC_S_OK && !call->over) {
        return RPC_S_ASYNC_CALL_PENDING;
    } else if (status == RPC_S_OK && !call_all_drained(call)) {
        status = RPC_X_PIPE_DISCIPLINE_ERROR;
    }
    call_release(call, status);
    conn_settle(call->conn, CONN_ARM_NOW);
    if (status != RPC_S_OK) {
        error_on_failure(call, status);
        error_deliver(call);
        return status;
    }
    /* Released: nobody else touches the stub or the frame. */
    conn_unlock(call->conn);
    status = client_decode_reply(call, &call->client_contexts, call->frame);
    if (status != RPC_S_OK)
        note_unreadable(call, status);
    if (status == RPC_S_OK) {
        call_clear_local(call->op, call->frame);
        copy_result(call, reply);
    }
    conn_lock(call->conn);
    return status;
}
