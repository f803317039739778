/* SPDX-License-Identifier: MIT */
/* client_async.c - asynchronous calls from the client's side: started here, collected with
 * RpcAsyncCompleteCall. */
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/trace.h"
#include "runtime/async.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/client_start.h"
#include "runtime/conn_pool.h"
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
    RPC_STATUS status =
        characters_new(start->op, (void *)(uintptr_t)start->frame,
                       client_frame_binding(start->op, start->frame), &start->characters);
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

/* Sending drops the lock: the answer may be here, told and collected before this thread
 * goes on.  So everything the application may use is ready before the first octet
 * leaves, and what fails after that is told as RpcCallComplete, not raised. */
static RPC_STATUS async_call_locked(struct rpc_call *call, struct client_start *start,
                                    PRPC_ASYNC_STATE async)
{
    RPC_STATUS status = attach(call, start, async);
    if (status == RPC_S_OK)
        status = client_start_send(call, start);
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
    if (client_start_left_ms(start) == 0)
        return RPC_S_CALL_CANCELLED;
    status = convert_characters(start);
    if (status != RPC_S_OK)
        return status;
    status = client_start_prepare(start, !(start->op->flags & NDR_OP_HAS_PIPES));
    if (status == RPC_S_SERVER_UNAVAILABLE && client_start_left_ms(start) == 0)
        return RPC_S_CALL_CANCELLED; /* that is what ended the attempt */
    if (status != RPC_S_OK)
        return status;
    server_pool_anchor(start->binding->pool, &start->wish);
    struct rpc_call *call;
    status = call_new(start->place.conn, start->spec, start->op, false, start->place.ndr64, &call);
    if (status != RPC_S_OK) {
        client_start_give_back(start);
        return status;
    }
    status = call_keep_full(call, &start->full);
    conn_lock(call->conn);
    if (status != RPC_S_OK) {
        server_pool_give(call->conn, true);
        call_release(call, status);
    } else if (conn_watch(call->conn)) {
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
            memcpy(reply, (const uint8_t *)frame + param->offset, param->type->size);
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
