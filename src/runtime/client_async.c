/* SPDX-License-Identifier: MIT */
/* client_async.c - asynchronous calls from the client's side: started here, collected with
 * RpcAsyncCompleteCall. */
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/clock.h"
#include "base/trace.h"
#include "runtime/async.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/client_begin.h"
#include "runtime/conn_pool_internal.h"
#include "runtime/conn_setup.h"
#include "runtime/context.h"
#include "runtime/error_info.h"
#include "runtime/exception.h"
#include "runtime/pipe.h"

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

/* [cs_char] arrays: the engine gets a frame with octets.  The program's is gone when its stub
 * has returned. */
static RPC_STATUS convert_characters(struct client_start *start)
{
    if (!start->op->characters)
        return RPC_S_OK;
    const struct ndr_memory memory = client_stub_memory(start->spec, start->op);
    RPC_STATUS status =
        characters_new(start->op, (void *)(uintptr_t)start->frame,
                       client_frame_binding(start->op, start->frame), &memory,
                       &start->characters);
    if (status == RPC_S_OK)
        status = characters_keep(start->characters);
    if (status == RPC_S_OK)
        start->frame = characters_frame(start->characters);
    return status;
}

/* Makes the call the application's: from here on it is reached through `async`. */
static RPC_STATUS attach(struct rpc_call *call, struct client_start *start, PRPC_ASYNC_STATE async)
{
    memcpy(call_frame(call), start->frame, call->op->frame_size);
    call->binding = start->binding;
    start->binding = NULL;
    if (op_has_contexts(call->op)) {
        if (!call_rare(call))
            return RPC_S_OUT_OF_MEMORY;
        call->rare->contexts = start->contexts;
        client_contexts_init(&start->contexts, start->op);
    }
    if (start->characters) {
        if (!call_rare(call))
            return RPC_S_OUT_OF_MEMORY;
        call->rare->characters = start->characters;
        start->characters = NULL;
    }
    if (async->NotificationType == RpcNotificationTypeApc && !async->u.APC.hThread) {
        call->issuer = win32_thread_self();
        if (!call->issuer)
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

/* The connection is up: in which syntax is known, if it was not before. */
static RPC_STATUS settle_syntax(struct rpc_call *call, struct client_start *start)
{
    struct conn_place *place = &start->place;
    if (place->pending) {
        const struct assoc_context *context = assoc_context_for(
            &call->conn->assoc, &start->wish.interface_id, start->wish.syntaxes);
        if (!context) /* it ended meanwhile */
            return RPC_S_CALL_FAILED_DNE;
        place->context_id = context->id;
        place->ndr64 = context->ndr64;
    }
    if (place->ndr64 != call->ndr64) {
        client_request_fini(&start->request);
        client_request_move(&start->request, &start->other);
    }
    RPC_STATUS status = call_keep_full(call, &start->request.full);
    return status == RPC_S_OK ? call_use_syntax(call, place->ndr64) : status;
}

/* Calls that came here while the connection was on its way up, to a server that turned out
 * to take one at a time. */
static bool has_another_call(const struct conn *conn)
{
    pthread_mutex_lock(&server_pools_lock);
    bool has = conn->calls > 1 && !conn->shared;
    pthread_mutex_unlock(&server_pools_lock);
    return has;
}

/* Lock held.  In line, or on another connection than before. */
static RPC_STATUS wait_for_turn(struct rpc_call *call, struct client_start *start, bool move)
{
    RPC_STATUS status = client_begin_new(call, start);
    if (status != RPC_S_OK) {
        server_pool_give(call->conn, true);
        return status;
    }
    client_begin_wait(call, !move);
    status = move ? conn_setup_move(call->begin, &start->wish) : RPC_S_OK;
    if (status != RPC_S_OK)
        client_begin_leave(call);
    return status;
}

/* Sends the request.  What the call comes to meanwhile is not told before it is known whether
 * it is to be started over.  Lock held. */
static RPC_STATUS send_untold(struct rpc_call *call, struct client_start *start, bool *ret_repeat)
{
    call->notify.delivering = true;
    RPC_STATUS status = client_start_send(call, start);
    call->notify.delivering = false;
    *ret_repeat = call->over && !call->released && client_start_may_repeat(start, status);
    if (!*ret_repeat)
        notify_pump(call);
    return status;
}

/* The application never hears of this attempt.  Lock held. */
static void take_back(struct rpc_call *call, struct client_start *start, PRPC_ASYNC_STATE async,
                      RPC_STATUS status)
{
    async->StubInfo = NULL;
    if (call->rare) {
        start->characters = call->rare->characters;
        call->rare->characters = NULL;
    }
    call_release(call, status);
}

/* Sending drops the lock: the answer may be here, told and collected before this thread
 * goes on.  So everything the application may use is ready before the first octet
 * leaves, and what fails after that is told as RpcCallComplete, not raised. */
static RPC_STATUS async_call_locked(struct rpc_call *call, struct client_start *start,
                                    PRPC_ASYNC_STATE async)
{
    struct conn *conn = call->conn;
    RPC_STATUS status = conn_setup_start(conn);
    if (status == RPC_S_OK)
        status = attach(call, start, async);
    const bool move = status == RPC_S_OK && start->place.pending && !conn_is_pending(conn) &&
                      has_another_call(conn);
    bool repeat = false;
    if (status != RPC_S_OK) {
        server_pool_give(conn, true);
    } else if (conn_is_pending(conn) || move) {
        status = wait_for_turn(call, start, move);
    } else {
        status = settle_syntax(call, start);
        if (status == RPC_S_OK)
            status = send_untold(call, start, &repeat);
        else
            server_pool_give(conn, true);
    }
    if (status != RPC_S_OK && (!call->over || repeat)) { /* not started */
        take_back(call, start, async, status);
        return status;
    }
    if (op_has_in_pipes(call->op) && !call->over && !call->begin)
        call_ask_send_complete(call, 0, false); /* for the request itself (AP-16) */
    return RPC_S_OK;
}

static RPC_STATUS try_async_call(struct client_start *start, PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = client_start_prepare_async(start);
    if (status != RPC_S_OK)
        return status;
    struct rpc_call *call;
    struct conn *conn = start->place.conn;
    status = call_new(conn, start->spec, start->op, false, start->place.ndr64, &call);
    if (status != RPC_S_OK) {
        client_start_give_back(start);
        return status;
    }
    conn_lock(conn);
    if (start->place.pending || conn_watch(conn)) {
        status = async_call_locked(call, start, async);
    } else {
        server_pool_give(conn, true);
        call_release(call, RPC_S_OUT_OF_RESOURCES);
        status = RPC_S_OUT_OF_RESOURCES;
    }
    conn_settle(conn, CONN_ARM_NOW);
    conn_unlock(conn);
    call_put(call);
    return status;
}

static RPC_STATUS async_call(struct client_start *start, PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = check_async(async);
    if (status == RPC_S_OK)
        status = check_pipes(start->op, start->frame);
    if (status == RPC_S_OK)
        status = reactor_start() ? RPC_S_OK : RPC_S_OUT_OF_THREADS;
    if (status != RPC_S_OK)
        return status;
    start->deadline_us = async_take_deadline(async);
    if (start->deadline_us != 0 && start->deadline_us <= clock_us())
        return RPC_S_CALL_CANCELLED;
    status = convert_characters(start);
    if (status != RPC_S_OK)
        return status;
    do
        status = try_async_call(start, async);
    while (client_start_again(start, status));
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
    call_lock(call);
    bool due = call->released && !call->unbound;
    call->unbound |= due;
    conn_unlock(call->conn);
    if (due)
        unbind(call->op, call_frame(call));
}

void NdrxAsyncClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                         PRPC_ASYNC_STATE async, void *frame)
{
    struct client_start start = {.spec = interface_spec,
                          .op = client_operation(interface_spec, opnum),
                          .frame = frame};
    error_thread_clear();
    client_start_init(&start);
    RPC_STATUS status = start.op ? async_call(&start, async) : RPC_S_PROCNUM_OUT_OF_RANGE;
    if (status != RPC_S_OK)
        client_note_unstarted(start.op, status);
    client_start_fini(&start);
    if (status != RPC_S_OK && start.op && start.op->unbind)
        unbind(start.op, frame); /* the application has no call to complete */
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

/* ---- Collecting ----------------------------------------------------------- */

static void copy_result(const struct rpc_call *call, const void *frame, void *reply)
{
    for (uint32_t i = 0; reply && i < call->op->param_count; i++) {
        const NDR_PARAM *param = &call->op->params[i];
        if (param->flags & NDR_PARAM_RETURN)
            memcpy(reply, (const uint8_t *)frame + param->offset, call_result_size(param->type));
    }
}

static RPC_STATUS decode_reply(struct rpc_call *call, void *frame)
{
    struct ndr_full_pointers no_pointers;
    struct client_contexts no_contexts;
    struct ndr_full_pointers *full = call_full(call, &no_pointers);
    if (op_has_contexts(call->op))
        return client_decode_reply(call, &call->rare->contexts, full, frame);
    client_contexts_init(&no_contexts, call->op);
    no_contexts.binding = call->binding;
    RPC_STATUS status = client_decode_reply(call, &no_contexts, full, frame);
    client_contexts_fini(&no_contexts);
    return status;
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
    struct characters *characters = call->rare ? call->rare->characters : NULL;
    void *frame = characters ? characters_frame(characters) : call_frame(call);
    status = decode_reply(call, frame);
    if (status == RPC_S_OK && characters) {
        status = characters_take_reply(characters);
        frame = characters_program_frame(characters);
    }
    if (status != RPC_S_OK)
        client_note_unreadable(call, status);
    if (status == RPC_S_OK) {
        call_clear_local(call->op, frame);
        copy_result(call, frame, reply);
    }
    conn_lock(call->conn);
    return status;
}
