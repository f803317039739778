/* SPDX-License-Identifier: MIT */
/* pipe.c - asynchronous pipes: the push and pull behind ASYNC_X structures, the
 * same on both sides (api.md 3.2 to 3.5); see pipe.h. */
#include <stdatomic.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "base/trace.h"
#include "runtime/client_begin.h"
#include "runtime/error_info.h"
#include "runtime/pipe.h"

_Thread_local unsigned pipe_in_callback;

static _Atomic size_t default_high = LIMIT_PIPE_HIGH, default_low = LIMIT_PIPE_LOW;

void pipes_set_limits_default(struct pipe *pipe)
{
    pipe->high = atomic_load(&default_high);
    pipe->low = atomic_load(&default_low);
}

/* Released, or another thread is about it: sending its end may drop the lock. */
static bool is_ended(const struct rpc_call *call)
{
    return call->released || (call->op->flags & NDR_OP_ASYNC && !call->async);
}

static RPC_STATUS ended_with(const struct rpc_call *call)
{
    return call->status != RPC_S_OK ? call->status : RPC_X_PIPE_CLOSED;
}

struct pipe *pipe_enter(char *state, RPC_STATUS *ret_status)
{
    struct pipe *pipe = pipe_from_state(state, ret_status);
    if (!pipe)
        return NULL;
    conn_lock(pipe->call->conn);
    if (!is_ended(pipe->call))
        return pipe;
    *ret_status = ended_with(pipe->call);
    conn_unlock(pipe->call->conn);
    call_put(pipe->call);
    return NULL;
}

void pipe_leave(struct pipe *pipe, RPC_STATUS status)
{
    if (status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING)
        conn_settle(pipe->call->conn, CONN_ARM_NOW);
    conn_unlock(pipe->call->conn);
    client_call_unbind(pipe->call);
    call_put(pipe->call); /* may free the call, and run the application's free */
}

/* A client's RpcCallComplete routine is running for this failure, on another thread:
 * it tells, and this push or pull must not do so too (F2). */
static bool routine_is_telling(const struct rpc_call *call)
{
    return !call->server && call->notify.completed && call->notify.delivering &&
           call->async->Event == RpcCallComplete && pipe_in_callback == 0;
}

/* The call has failed and this push or pull tells: nothing else will (AP-18, AP-37).
 * `meanwhile` is answered while a routine tells; should that only pass the word on to the
 * thread that comes here, then this one waits, and is `owed` one more. */
static RPC_STATUS tell_failure(struct pipe *pipe, RPC_STATUS meanwhile, enum notify_bit owed)
{
    RPC_STATUS status = pipe->call->status;
    if (!pipe->call->server)
        error_deliver(pipe->call);
    if (routine_is_telling(pipe->call)) {
        pipe->call->notify.owed |= (uint8_t)owed;
        return meanwhile;
    }
    if (pipe->call->server)
        server_call_abandoned(pipe->call);
    call_release(pipe->call, status);
    return status;
}

/* ---- Pull ----------------------------------------------------------------- */

/* AP-60: codes for pulls that are not this pipe's turn. */
RPC_STATUS pipe_check_pull(const struct pipe *pipe)
{
    const struct rpc_call *call = pipe->call;
    if (!pipe_receives(pipe))
        return RPC_X_WRONG_PIPE_ORDER;
    if (pipe->drained)
        return RPC_X_PIPE_CLOSED;
    /* Left to right; on a client all input precedes any output (AP-51, AP-52). */
    for (const struct pipe *other = call->pipes; other < pipe; other++)
        if (pipe_receives(other) && !other->drained)
            return RPC_X_WRONG_PIPE_ORDER;
    if (!call->server && !call_all_finished(call))
        return RPC_X_WRONG_PIPE_ORDER;
    return RPC_S_OK;
}

void pipe_check_low_mark(struct pipe *pipe)
{
    if (!pipe->call->stopped)
        return;
    size_t queued = 0;
    for (unsigned i = 0; i < pipe->call->pipe_count; i++)
        queued += pipe_rx_octets(&pipe->call->pipes[i].rx);
    if (pipe->high == 0 || queued <= pipe->low) {
        call_stop_reading(pipe->call, false);
        TRACE(TRACE_PIPE, "call %u: reading goes on", pipe->call->wire.id);
    }
}

static RPC_STATUS pull_locked(struct pipe *pipe, void *buf, unsigned long esize,
                              unsigned long *ecount)
{
    struct rpc_call *call = pipe->call;
    RPC_STATUS status = pipe_check_pull(pipe);
    if (status != RPC_S_OK)
        return status;
    for (;;) {
        if (call->status != RPC_S_OK)
            return tell_failure(pipe, RPC_S_ASYNC_CALL_PENDING, NOTIFY_RECEIVE);
        size_t count = 0;
        status = pipe_rx_read(&pipe->rx, buf, esize, &count);
        if (status != RPC_S_OK) {
            call_break(call, status);
            if (call->status == RPC_S_OK) /* it had ended well on the wire */
                call->status = status;
            return tell_failure(pipe, RPC_S_ASYNC_CALL_PENDING, NOTIFY_RECEIVE);
        }
        if (count > 0 || pipe_at_end(pipe)) {
            *ecount = count;
            pipe->stats.pulled += count;
            pipe->drained = count == 0;
            pipe_check_low_mark(pipe);
            conn_settle(call->conn, CONN_ARM_LAZY);
            return RPC_S_OK;
        }
        pipe_check_low_mark(pipe);
        if (call->over || call_waits(call))
            break;
        /* Reading drops the lock: another thread may have read for us meanwhile. */
        const enum conn_read result = conn_read_eager(call->conn);
        if (is_ended(call)) /* by a rival thread, against the rules */
            return ended_with(call);
        if (result == CONN_READ_DRY && call->status == RPC_S_OK && pipe_rx_elements(&pipe->rx) == 0 &&
            !pipe_at_end(pipe))
            break;
    }
    pipe->receive_armed = true;
    pipe_wait_begin(pipe);
    conn_settle(call->conn, CONN_ARM_NOW);
    return RPC_S_ASYNC_CALL_PENDING;
}

static RPC_STATUS pipe_pull(char *state, void *buf, unsigned long esize, unsigned long *ecount)
{
    if (!ecount)
        return RPC_S_INVALID_ARG;
    *ecount = 0;
    if (!buf || esize == 0) /* 0 elements would look like the end (F12) */
        return RPC_S_INVALID_ARG;
    RPC_STATUS status;
    struct pipe *pipe = pipe_enter(state, &status);
    if (!pipe)
        return status;
    notify_ack(pipe->call);
    status = pull_locked(pipe, buf, esize, ecount);
    notify_pump(pipe->call);
    TRACE(TRACE_PIPE, "call %u: pull %lu -> %d, %lu elements", pipe->call->wire.id, esize,
          (int)status, *ecount);
    pipe_leave(pipe, status);
    return status;
}

/* ---- Push ----------------------------------------------------------------- */

bool call_asks_send_complete(const struct rpc_call *call)
{
    return call->async && (call->async->Flags & RPC_C_NOTIFY_ON_SEND_COMPLETE);
}

/* RpcSendComplete is asked for by a flag that is read now (AP-17).  For the
 * client's null push none is sent: RpcCallComplete follows it (AP-15). */
void call_ask_send_complete(struct rpc_call *call, size_t low, bool null_push)
{
    if (!call_asks_send_complete(call) || (null_push && !call->server))
        return;
    call_tell_sent(call, low);
}

void call_tell_sent(struct rpc_call *call, size_t low)
{
    const bool waiting = call->send_mark != 0;
    call->send_low = low < UINT32_MAX ? (uint32_t)low : UINT32_MAX;
    call->send_mark = call->conn->assoc.txq.total;
    if (!call_has_room(call)) {
        if (!waiting)
            call->conn->await_output++;
        return;
    }
    if (waiting)
        call->conn->await_output--;
    call->send_mark = 0;
    notify_post(call, NOTIFY_SEND);
}

static RPC_STATUS push_in_turn(struct pipe *pipe, const void *buf, unsigned long ecount)
{
    struct rpc_call *call = pipe->call;
    if (is_ended(call)) /* by a rival thread, against the rules */
        return ended_with(call);
    RPC_STATUS status = pipe_check_push(pipe);
    if (status != RPC_S_OK)
        return status;
    if (call->status != RPC_S_OK) {
        if (ecount == 0) /* should it be accepted: the next pipe's turn has come */
            pipe->finished = true;
        return tell_failure(pipe, RPC_S_OK, NOTIFY_SEND);
    }
    if (call->over)
        return RPC_X_PIPE_CLOSED;
    const bool early = client_begin_push(pipe, buf, ecount, &status);
    if (!early)
        status = ecount > 0 ? pipe_send_elements(pipe, buf, ecount) : pipe_send_end(pipe);
    if (is_ended(call))
        return ended_with(call);
    if (call->status != RPC_S_OK)
        return tell_failure(pipe, RPC_S_OK, NOTIFY_SEND);
    if (status != RPC_S_OK)
        return status;
    if (!early)
        call_ask_send_complete(call, pipe->low, ecount == 0);
    conn_settle(call->conn, ecount == 0 ? CONN_ARM_NOW : CONN_ARM_LAZY);
    return RPC_S_OK;
}

static RPC_STATUS pipe_push(char *state, void *buf, unsigned long ecount)
{
    if (ecount > 0 && !buf)
        return RPC_S_INVALID_ARG;
    if (ecount > UINT32_MAX)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status;
    struct pipe *pipe = pipe_enter(state, &status);
    if (!pipe)
        return status;
    notify_ack(pipe->call);
    pipe_take_turn(pipe->call);
    status = push_in_turn(pipe, buf, ecount);
    pipe_give_turn(pipe->call);
    notify_pump(pipe->call);
    TRACE(TRACE_PIPE, "call %u: push %lu -> %d", pipe->call->wire.id, ecount, (int)status);
    pipe_leave(pipe, status);
    return status;
}

/* ---- The application's structures ----------------------------------------- */

/* The third member exists for source compatibility; the runtime never calls it and
 * an application has no use for it. */
static RPC_STATUS pipe_alloc(char *state, unsigned long bsize, void **buf, unsigned long *bcount)
{
    (void)state;
    (void)bsize;
    (void)buf;
    (void)bcount;
    return RPC_S_CANNOT_SUPPORT;
}

void pipes_publish(struct rpc_call *call)
{
    for (unsigned i = 0; i < call->pipe_count; i++) {
        struct pipe *pipe = &call->pipes[i];
        NDR_ASYNC_PIPE *const *member =
            (NDR_ASYNC_PIPE *const *)(void *)((uint8_t *)call_frame(call) + pipe->param->offset);
        **member = (NDR_ASYNC_PIPE){.pull = pipe_pull,
                                    .push = pipe_push,
                                    .alloc = pipe_alloc,
                                    .state = pipe_state(pipe)};
    }
}

RPC_STATUS RpcxPipeSetLimits(char *state, size_t high, size_t low)
{
    if (high > 0 && low > high)
        return RPC_S_INVALID_ARG;
    if (!state) {
        atomic_store(&default_high, high);
        atomic_store(&default_low, low);
        return RPC_S_OK;
    }
    RPC_STATUS status;
    struct pipe *pipe = pipe_enter(state, &status);
    if (!pipe)
        return status;
    pipe->high = high;
    pipe->low = low;
    pipe_check_low_mark(pipe);
    conn_settle(pipe->call->conn, CONN_ARM_LAZY);
    pipe_leave(pipe, RPC_S_OK);
    return RPC_S_OK;
}
