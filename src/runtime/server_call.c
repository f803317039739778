/* SPDX-License-Identifier: MIT */
/* server_call.c - calls from the server's side.
 *
 *   request octets -> gathered -> job on a pool thread: decode, run the manager
 *                                  sync:  encode the reply, done
 *                                  async: the call lives on until Complete or Abort
 *
 * The thread that read the request runs the job.  With [in] pipes the job is tried
 * as soon as the parameters before them may be complete; while it looks, nothing
 * more is read from the connection, so the gathered octets stand still. */
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/limits.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/async.h"
#include "runtime/call.h"
#include "runtime/characters.h"
#include "runtime/context.h"
#include "runtime/error_info.h"
#include "runtime/exception.h"
#include "runtime/memory_env.h"
#include "runtime/ndr_api.h"
#include "runtime/pipe.h"
#include "runtime/server.h"
#include "runtime/server_call.h"

/* ---- The manager ---------------------------------------------------------- */

static _Thread_local const struct running_call *running;

const struct running_call *server_running_calls(void)
{
    return running;
}

struct rpc_call *server_current_call(void)
{
    return running ? running->call : NULL;
}

static void invoke(void *arg)
{
    const struct rpc_call *call = arg;
    call->op->invoke(call->epv, call_frame(call));
}

/* Runs it, between the conversions of [cs_char] arrays. */
static RPC_STATUS run_routine(struct rpc_call *call, bool *ret_raised)
{
    if (!call->op->characters)
        return exception_run(invoke, call, ret_raised);
    const RPC_BINDING_HANDLE binding = (RPC_BINDING_HANDLE)(uintptr_t)call->handle;
    const struct ndr_memory memory = server_call_memory(call);
    size_t octets_max = ndr_server_limits().allocated_max;
    RPC_STATUS status;
    if (octets_max == 0)
        octets_max = NDR_ALLOCATED_MAX;
    if (call->op->flags & NDR_OP_ASYNC) { /* converted back when it is completed */
        status = characters_begin(call->op, call_frame(call), binding, &memory, octets_max,
                                  &call->rare->managed_characters);
        *ret_raised = status != RPC_S_OK;
        return *ret_raised ? status : exception_run(invoke, call, ret_raised);
    }
    status = characters_manage(call->op, call_frame(call), binding, &memory, octets_max, invoke,
                               call, ret_raised);
    *ret_raised |= status != RPC_S_OK;
    return status;
}

static void set_member(struct rpc_call *call, uint32_t offset, void *value)
{
    memcpy((uint8_t *)call_frame(call) + offset, &value, sizeof(value));
}

/* The parameters that are not decoded: handle, asynchronous state, pipes. */
static RPC_STATUS fill_frame(struct rpc_call *call)
{
    if (call->handle == 0) /* else the access check had it */
        call->handle = handle_open(&call->object);
    if (call->handle == 0)
        return RPC_S_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < call->op->param_count; i++)
        if (call->op->params[i].flags & NDR_PARAM_BINDING)
            set_member(call, call->op->params[i].offset, (void *)(uintptr_t)call->handle);
    bool async = (call->op->flags & NDR_OP_ASYNC) != 0;
    if (!async && call->pipe_count == 0)
        return RPC_S_OK;

    struct server_state *state = call->state = server_state_new(call->pipe_count);
    if (!state)
        return RPC_S_OUT_OF_MEMORY;
    if (!async) {
        sync_pipes_publish(call, &state->pipes[0].sync);
        return RPC_S_OK;
    }
    async_init(&state->async);
    state->async.StubInfo = (void *)(uintptr_t)call->handle;
    state->async.RuntimeInfo = (void *)(uintptr_t)call->handle;
    set_member(call, 0, &state->async); /* the frame's first member */
    for (unsigned i = 0; i < call->pipe_count; i++)
        set_member(call, call->pipes[i].param->offset, &state->pipes[i]);
    pipes_publish(call);
    call->async = &state->async;
    return RPC_S_OK;
}

void server_manage(struct rpc_call *call)
{
    bool raised = false;
    bool async = (call->op->flags & NDR_OP_ASYNC) != 0;
    const struct running_call this = {.call = call, .around = running};
    /* An asynchronous call may be completed, and gone, before the manager returns;
     * run_call()'s reference keeps this object. */
    running = &this;
    error_thread_clear();
    struct memory_env *outer_env = memory_env_enter(call_env(call));
    reactor_block_begin();
    RPC_STATUS status = run_routine(call, &raised);
    reactor_block_end();
    memory_env_leave(outer_env);
    running = this.around;

    conn_lock(call->conn);
    /* A manager that completed or aborted and then raises has been heard: the first
     * outcome stands, also when another thread is about it just now (AR-27). */
    bool ends = async ? raised && call->async : true;
    if (!call->released && ends) {
        call->async = NULL; /* sending may drop the lock: nobody else ends it meanwhile */
        if (!raised && !(call_all_drained(call) && call_all_finished(call))) {
            raised = true; /* SP-15: the client is told so */
            status = RPC_X_PIPE_DISCIPLINE_ERROR;
        }
        if (raised)
            contexts_raised(call);
        if (raised)
            server_fault(call, status != RPC_S_OK ? status : RPC_S_CALL_FAILED, false);
        else if (!call->over)
            server_reply(call);
        else
            contexts_unsent(call);
        contexts_release(call);
        call_release(call, raised ? status : RPC_S_INVALID_ASYNC_CALL);
    }
    error_thread_clear();
}

/* The same on a thread of the pool, which goes on to other things.  No lock. */
static void run_manager(struct rpc_call *call)
{
    bool async = (call->op->flags & NDR_OP_ASYNC) != 0;
    server_manage(call);
    order_return(call);
    /* Waiting for the client's next would keep those that have begun waiting. */
    if (call->over && call->pipe_count == 0 && !call->conn->starting)
        conn_read_next(call->conn);
    const bool goes_on = call->conn->starting || (async && !call->over);
    conn_settle(call->conn, goes_on ? CONN_ARM_LAZY : CONN_ARM_NOW);
    conn_unlock(call->conn);
}

/* ---- The request ---------------------------------------------------------- */

/* Decodes the parameters; what follows them belongs to the pipes.  Drops the lock:
 * nothing is read meanwhile, but what was received with these octets may be added
 * behind them. */
static enum ndr_verdict decode_request(struct rpc_call *call, RPC_STATUS *ret_status,
                                       size_t *ret_pos, size_t *ret_allocated)
{
    static const uint8_t none[1];
    const struct ndr_memory memory = server_call_memory(call);
    struct rxbuf *stub = call->stub;
    struct ndr_reader reader = {.octets = stub ? stub->octets : none,
                                .len = call_stub_len(call),
                                .origin = stub ? stub->origin : 0,
                                .little_endian = call->wire.little_endian,
                                .last = call->wire.state != CALL_REQUEST,
                                .ndr64 = call->ndr64};
    const struct ndr_limits limits = ndr_server_limits();
    reader.allocated_max = limits.allocated_max;
    reader.depth_max = limits.depth_max;
    const struct ndr_context_hooks hooks = contexts_hooks(call);
    reader.contexts = &hooks;
    struct ndr_full_pointers full;
    ndr_full_pointers_init(&full, NULL);
    reader.full = &full;
    if (stub)
        rxbuf_get(stub);
    conn_unlock(call->conn);
    struct memory_env *outer_env = memory_env_enter(call_env(call));
    bool converts = call->op->flags & NDR_OP_CONVERTS;
    if (converts)
        reactor_block_begin();
    enum ndr_verdict verdict =
        ndr_decode_params(&reader, call->op, call_frame(call), NDR_PARAM_IN, &memory);
    if (converts)
        reactor_block_end();
    memory_env_leave(outer_env);
    if (verdict == NDR_DONE)
        trace_values(call->op, call_frame(call), NDR_PARAM_IN, false);
    conn_lock(call->conn);
    rxbuf_put(stub);
    *ret_allocated = reader.allocated;
    *ret_status = verdict == NDR_FAILED ? reader.status : RPC_S_OK;
    if (verdict == NDR_DONE)
        *ret_status = call_keep_full(call, &full);
    ndr_full_pointers_fini(&full);
    *ret_pos = verdict == NDR_NEED_MORE ? reader.need : reader.pos;
    return verdict;
}

/* The parameters are there: hands the rest to the pipes.  Lock held. */
static RPC_STATUS begin_pipes(struct rpc_call *call, size_t pos)
{
    call->stub_done = true;
    if (call->pipe_count == 0)
        return RPC_S_OK;
    static uint8_t none[1];
    size_t len = call_stub_len(call) - pos;
    const uint8_t *octets = call->stub ? call->stub->octets + pos : none;
    RPC_STATUS status =
        call_arrived(call, call->stub, octets, len, call->wire.state != CALL_REQUEST);
    rxbuf_put(call->stub); /* an idle pipe holds no buffers */
    call->stub = NULL;
    return status;
}

/* The parameters are decoded: what else the manager needs.  Lock held. */
static RPC_STATUS complete_frame(struct rpc_call *call, size_t pos, size_t allocated)
{
    struct ndr_memory memory = server_call_memory(call);
    memory.prepare_max = ndr_server_limits().allocated_max;
    memory.prepare_used = allocated;
    RPC_STATUS status = begin_pipes(call, pos);
    if (status == RPC_S_OK)
        status = contexts_check(call);
    if (status == RPC_S_OK && pos > call->stub_max)
        status = RPC_S_ACCESS_DENIED;
    if (status == RPC_S_OK) {
        struct memory_env *outer_env = memory_env_enter(call_env(call));
        status = ndr_prepare_out(call->op, call_frame(call), &memory);
        memory_env_leave(outer_env);
    }
    return status == RPC_S_OK ? fill_frame(call) : status;
}

bool server_make_ready(struct rpc_call *call)
{
    RPC_STATUS status;
    size_t pos, seen, allocated;
    enum ndr_verdict verdict;
    do { /* again if more has come while it looked: nobody else would */
        seen = call_stub_len(call);
        verdict = decode_request(call, &status, &pos, &allocated);
    } while (verdict == NDR_NEED_MORE && !call->over &&
             (call_stub_len(call) > seen || call->wire.state != CALL_REQUEST));
    call_look(call, false);
    if (call->over) {                          /* the client left meanwhile */
        call->stub_done = verdict == NDR_DONE; /* then there are parameters to free */
        return false;
    }
    if (verdict == NDR_NEED_MORE) {
        call->stub_need = (uint32_t)pos;
        return false;
    }
    if (status == RPC_S_OK)
        status = complete_frame(call, pos, allocated);
    if (status != RPC_S_OK) {
        server_fault(call, status, false); /* the stub had it: C706 12.6.4.7 */
        call_release(call, status);
    }
    return status == RPC_S_OK;
}

/* Runs the manager if the call is `ready` for it, else it is the next one's turn.  With the
 * lock on entry, without it on exit. */
static void begin_manager(struct rpc_call *call, bool ready)
{
    call->dispatched = ready;
    if (ready)
        order_enter(call);
    else
        order_leave(call);
    conn_settle(call->conn, ready ? CONN_ARM_LAZY : CONN_ARM_NOW);
    conn_unlock(call->conn);
    if (ready)
        run_manager(call);
}

/* The request is decoded: runs the manager, unless others use its contexts; then it is
 * tried again when they are free.  Consumes the job's reference. */
static void run_ready(struct io_job *job)
{
    struct rpc_call *call = list_entry(job, struct rpc_call, job);
    struct conn *conn = call->conn;
    RPC_STATUS status;
    job->run = run_ready;
    call_get(call);
    bool acquired = contexts_acquire(call, &status);
    conn_lock(conn);
    if (!acquired) { /* from here on the job may be running on another thread */
        order_leave(call);
        conn_unlock(conn);
        call_put(call);
        return;
    }
    bool ready = !call->over && status == RPC_S_OK;
    if (!call->over && !ready) {
        server_fault(call, status, false);
        call_release(call, status);
    }
    begin_manager(call, ready);
    call_put(call);
    call_put(call);
}

/* The job: on the pool thread that read the request. */
static void run_call(struct io_job *job)
{
    struct rpc_call *call = list_entry(job, struct rpc_call, job);
    struct conn *conn = call->conn;
    conn_lock(conn);
    error_thread_clear();
    /* The client may be gone by now: then nobody wants the manager to run. */
    bool ready = !call->over && server_admit(call) && server_make_ready(call);
    if (ready && contexts_received(call)) {
        conn_settle(conn, CONN_ARM_NOW);
        conn_unlock(conn);
        run_ready(job);
        return;
    }
    begin_manager(call, ready);
    call_put(call);
}

/* Lock held. */
static void submit(struct rpc_call *call, bool last)
{
    if (!last)
        call_look(call, true);
    call->conn->expect_user = true;
    call->job.run = run_call;
    call->job.may_block = true;
    order_submit(call);
}

/* Does a client announce more than the call may have?  Pipes are not bounded, and nothing is
 * to come after the only fragment, whatever it says (wire.md 1.10). */
static bool announces_too_much(const struct rpc_call *call, const struct assoc_event *event)
{
    const size_t have = call_stub_len(call);
    if (op_has_in_pipes(call->op) || (event->last && have == 0))
        return false;
    return have > call->stub_max || event->alloc_hint > call->stub_max - have;
}

void server_on_octets(struct rpc_call *call, const struct assoc_event *event, struct rxbuf *buf)
{
    struct conn *conn = call->conn;
    RPC_STATUS status =
        announces_too_much(call, event)
            ? RPC_S_ACCESS_DENIED
            : call_arrived(call, buf, event->stub, event->stub_len, event->last);
    if (status != RPC_S_OK) {
        call_break(call, status); /* which may be the end of it */
        if (status != RPC_X_BAD_STUB_DATA && status != RPC_S_OUT_OF_MEMORY)
            conn_fail(conn, status); /* too large: MS-RPCE 3.3.3.5.4 disconnects */
        return;
    }
    if (call->nested) {
        if (event->last)
            nested_ready(call);
        return;
    }
    if (!call->stub_done && !call->looking &&
        (event->last || (op_has_in_pipes(call->op) && call_stub_len(call) >= call->stub_need)))
        submit(call, event->last);
}

/* ---- Functions of a call's binding ---------------------------------------- */

RPC_STATUS server_call_get(RPC_BINDING_HANDLE handle, struct rpc_call **ret_call)
{
    struct rpc_call *call = server_current_call();
    if (!handle && !call)
        return RPC_S_NO_CALL_ACTIVE;
    if (!handle)
        call_get(call);
    else if (!(call = binding_get_call(handle)))
        return RPC_S_INVALID_BINDING;
    *ret_call = call;
    return RPC_S_OK;
}

RPC_STATUS RpcServerTestCancel(RPC_BINDING_HANDLE BindingHandle)
{
    struct rpc_call *call;
    RPC_STATUS status = server_call_get(BindingHandle, &call);
    if (status != RPC_S_OK)
        return status;
    conn_lock(call->conn);
    status = call->cancelled ? RPC_S_OK : RPC_S_CALL_IN_PROGRESS;
    conn_unlock(call->conn);
    call_put(call);
    return status;
}

RPC_STATUS RpcServerInqBindingHandle(RPC_BINDING_HANDLE *Binding)
{
    if (!Binding)
        return RPC_S_INVALID_ARG;
    *Binding = NULL;
    if (!running)
        return RPC_S_NO_CALL_ACTIVE;
    *Binding = (RPC_BINDING_HANDLE)(uintptr_t)running->call->handle;
    return RPC_S_OK;
}
