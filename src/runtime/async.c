/* SPDX-License-Identifier: MIT */
/* async.c - the functions of rpcasync.h: checks and dispatch to the side the call is
 * on. */
#include "runtime/async.h"

#include <string.h>

#include <penstock/rpc.h>

#include "base/clock.h"
#include "runtime/call.h"

#define SIGNATURE 0x504e4153u /* "PNAS" */

bool async_is_initialised(const RPC_ASYNC_STATE *async)
{
    return async && async->Size == sizeof(RPC_ASYNC_STATE) && async->Signature == SIGNATURE;
}

/* The call behind a state, with a reference; NULL: *ret_status says why. */
static struct rpc_call *async_get(const RPC_ASYNC_STATE *async, RPC_STATUS *ret_status)
{
    *ret_status = RPC_S_INVALID_ASYNC_HANDLE;
    if (!async_is_initialised(async))
        return NULL;
    return call_from_handle((uint64_t)(uintptr_t)async->StubInfo, ret_status);
}

bool async_in_use(const RPC_ASYNC_STATE *async)
{
    RPC_STATUS status;
    struct rpc_call *call = async_get(async, &status);
    if (!call)
        return false;
    call_lock(call);
    bool in_use = call->async == async && !call->released;
    conn_unlock(call->conn);
    call_put(call);
    return in_use;
}

void async_init(PRPC_ASYNC_STATE async)
{
    *async = (RPC_ASYNC_STATE){.Size = sizeof(*async), .Signature = SIGNATURE};
}

RPC_STATUS RpcAsyncInitializeHandle(PRPC_ASYNC_STATE pAsync, unsigned int Size)
{
    if (!pAsync)
        return RPC_S_INVALID_ASYNC_HANDLE;
    if (Size != sizeof(RPC_ASYNC_STATE))
        return RPC_S_INVALID_ARG;
    if (async_in_use(pAsync))
        return RPC_S_INVALID_ASYNC_HANDLE;
    async_init(pAsync);
    return RPC_S_OK;
}

RPC_STATUS RpcAsyncRegisterInfo(PRPC_ASYNC_STATE pAsync)
{
    return async_is_initialised(pAsync) ? RPC_S_OK : RPC_S_INVALID_ASYNC_HANDLE;
}

/* The call of `pAsync`, locked, with a reference; for the side asked for. */
static struct rpc_call *enter(PRPC_ASYNC_STATE pAsync, RPC_STATUS *ret_status)
{
    struct rpc_call *call = async_get(pAsync, ret_status);
    if (!call)
        return NULL;
    call_lock(call);
    if (call->async == pAsync && !call->released) {
        notify_ack(call);
        return call;
    }
    *ret_status = call->status != RPC_S_OK ? call->status : RPC_S_INVALID_ASYNC_HANDLE;
    conn_unlock(call->conn);
    call_put(call);
    return NULL;
}

static void leave(struct rpc_call *call)
{
    notify_pump(call);
    conn_unlock(call->conn);
    client_call_unbind(call);
    call_put(call);
}

RPC_STATUS RpcAsyncGetCallStatus(PRPC_ASYNC_STATE pAsync)
{
    RPC_STATUS status;
    struct rpc_call *call = enter(pAsync, &status);
    if (!call)
        return status;
    if (call->server)
        status = RPC_S_INVALID_ASYNC_CALL;
    else
        status = call->over ? call->status : RPC_S_ASYNC_CALL_PENDING;
    leave(call);
    return status;
}

RPC_STATUS RpcAsyncCompleteCall(PRPC_ASYNC_STATE pAsync, void *Reply)
{
    RPC_STATUS status;
    struct rpc_call *call = enter(pAsync, &status);
    if (!call)
        return status;
    status = call->server ? server_complete(call, Reply) : client_complete(call, Reply);
    leave(call);
    return status;
}

RPC_STATUS RpcAsyncAbortCall(PRPC_ASYNC_STATE pAsync, unsigned long ExceptionCode)
{
    if (ExceptionCode == 0)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status;
    struct rpc_call *call = enter(pAsync, &status);
    if (!call)
        return status;
    status = call->server ? server_abort(call, (RPC_STATUS)ExceptionCode)
                          : RPC_S_INVALID_ASYNC_CALL;
    leave(call);
    return status;
}

RPC_STATUS RpcAsyncCancelCall(PRPC_ASYNC_STATE pAsync, BOOL fAbort)
{
    RPC_STATUS status;
    struct rpc_call *call = enter(pAsync, &status);
    if (!call)
        return status;
    status = call->server ? RPC_S_INVALID_ASYNC_CALL : client_cancel(call, fAbort != FALSE);
    leave(call);
    return status;
}

/* ---- Deadlines ------------------------------------------------------------------ */

/* Reserved[0] holds the deadline of the next call, microseconds of clock_us(). */
_Static_assert(sizeof(LONG_PTR) >= sizeof(uint64_t), "a deadline fits");

uint64_t async_take_deadline(PRPC_ASYNC_STATE async)
{
    return (uint64_t)__atomic_exchange_n(&async->Reserved[0], 0, __ATOMIC_RELAXED);
}

RPC_STATUS RpcxAsyncSetDeadline(PRPC_ASYNC_STATE pAsync, DWORD Milliseconds)
{
    if (!async_is_initialised(pAsync))
        return RPC_S_INVALID_ASYNC_HANDLE;
    RPC_STATUS status;
    const uint64_t due_us =
        Milliseconds == RPC_C_INFINITE_TIMEOUT ? 0 : clock_us() + (uint64_t)Milliseconds * 1000;
    struct rpc_call *call = async_get(pAsync, &status);
    bool running = false;
    if (call) { /* not by enter(): no notification was seen by this */
        call_lock(call);
        running = call->async == pAsync && !call->released;
        if (running)
            status = call->server ? RPC_S_INVALID_ASYNC_CALL
                                  : client_set_deadline(call, due_us, RPC_S_CALL_CANCELLED);
        conn_unlock(call->conn);
        call_put(call);
    }
    if (running)
        return status;
    /* Threads may have taken the call for running that another has just ended. */
    __atomic_store_n(&pAsync->Reserved[0], (LONG_PTR)due_us, __ATOMIC_RELAXED);
    return RPC_S_OK;
}
