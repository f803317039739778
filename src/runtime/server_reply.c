/* SPDX-License-Identifier: MIT */
/* server_reply.c - how calls of a server end: reply, fault, abort; see server_call.h. */
#include "runtime/server_call.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "base/slab.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/characters.h"
#include "runtime/context.h"
#include "runtime/error_info.h"
#include "runtime/exception.h"
#include "runtime/memory_env.h"
#include "runtime/ndr_api.h"
#include "runtime/server.h"

/* ---- States that outlive their calls --------------------------------------- */

/* The oldest is where the next one goes. */
static pthread_mutex_t quarantine_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct server_state *state; /* NULL: none so far */
    uint16_t pipe_count;
} quarantined[LIMIT_QUARANTINE];
static size_t quarantine_next;

static size_t state_len(uint16_t pipe_count)
{
    return offsetof(struct server_state, pipes) +
           pipe_count * sizeof(((struct server_state *)NULL)->pipes[0]);
}

/* As call_new() does with the call. */
struct server_state *server_state_new(uint16_t pipe_count)
{
    const size_t len = state_len(pipe_count);
    return pipe_count > 0 ? object_alloc(len) : calloc(1, len);
}

static void state_free(struct server_state *state, uint16_t pipe_count)
{
    if (pipe_count > 0)
        object_free(state, state_len(pipe_count));
    else
        free(state);
}

/* The state of a call that ends. */
static void quarantine(struct rpc_call *call)
{
    if (!call->state)
        return;
    pthread_mutex_lock(&quarantine_lock);
    struct server_state *oldest = quarantined[quarantine_next].state;
    const uint16_t pipe_count = quarantined[quarantine_next].pipe_count;
    quarantined[quarantine_next].state = call->state;
    quarantined[quarantine_next].pipe_count = call->pipe_count;
    quarantine_next = (quarantine_next + 1) % LIMIT_QUARANTINE;
    pthread_mutex_unlock(&quarantine_lock);
    call->state = NULL;
    state_free(oldest, pipe_count);
}

void server_call_abandoned(struct rpc_call *call)
{
    quarantine(call);
}

/* ---- The end -------------------------------------------------------------- */

static void say_farewell(void *arg)
{
    const struct farewell *farewell = arg;
    if (farewell->op->notify)
        farewell->op->notify();
    if (farewell->op->notify_flag)
        farewell->op->notify_flag(farewell->called);
}

void server_run_farewell(struct io_job *job)
{
    struct farewell *farewell = list_entry(job, struct farewell, job);
    bool raised;
    reactor_block_begin();
    if (farewell->frame) {
        struct memory_env *outer = memory_env_enter(farewell->env);
        ndr_free_params(farewell->op, farewell->frame, &farewell->memory);
        memory_env_leave(outer);
        free(farewell->frame);
    }
    memory_env_put(farewell->env);
    exception_run(say_farewell, farewell, &raised);
    reactor_block_end();
    free(farewell);
}

struct ndr_memory server_call_memory(const struct rpc_call *call)
{
    if (call_env(call))
        return (struct ndr_memory){
            .allocate = memory_env_allocate, .free = memory_env_free, .run = exception_run};
    return (struct ndr_memory){.allocate = call->spec->InterpreterInfo->allocate,
                               .free = call->spec->InterpreterInfo->free,
                               .run = exception_run};
}

void server_call_gone(struct rpc_call *call)
{
    struct ndr_memory memory = server_call_memory(call);
    struct memory_env *env = call_env(call);
    struct farewell *farewell = call->special ? call->special->farewell : NULL;
    memory.managed = call->dispatched;
    contexts_release(call);
    if (call->rare) {
        characters_end(call->rare->managed_characters);
        call->rare->managed_characters = NULL;
    }
    if (farewell && call->stub_done && call->op->flags & NDR_OP_CONVERTS) {
        /* Routines of the program take part, and a lock may be held here. */
        farewell->frame = call_give_frame(call);
        farewell->env = env;
        farewell->memory = memory;
    } else if (env)
        memory_env_put(env); /* the parameters with it */
    else if (call->stub_done)
        ndr_free_params(call->op, call_frame(call), &memory);
    quarantine(call);
    if (farewell) {
        farewell->called = call->dispatched;
        reactor_submit(&farewell->job);
    }
    free(call->special);
    if (call->iface)
        registry_end_call(call->iface);
}

/* ---- Reply ---------------------------------------------------------------- */

/* Both sides must mean it: the flag alone is no reason to leave a client waiting
 * (wire.md 9). */
static bool is_unanswered(const struct rpc_call *call)
{
    return call->wire.maybe && call->op->flags & NDR_OP_MAYBE;
}

/* Routines of the program that convert values run without the lock: the call may be over
 * afterwards. */
static RPC_STATUS encode_reply(struct rpc_call *call, struct ndr_writer *writer)
{
    bool converts = call->op->flags & NDR_OP_CONVERTS;
    const struct ndr_memory memory = server_call_memory(call);
    writer->memory = &memory;
    if (converts) {
        conn_unlock(call->conn);
        reactor_block_begin();
    }
    struct memory_env *outer = converts ? memory_env_enter(call_env(call)) : NULL;
    RPC_STATUS status = ndr_encode_params(writer, call->op, call_frame(call), NDR_PARAM_OUT);
    if (converts) {
        memory_env_leave(outer);
        reactor_block_end();
        conn_lock(call->conn);
    }
    writer->memory = NULL;
    return status;
}

RPC_STATUS server_align_held(struct rpc_call *call)
{
    const uint8_t len = 4; /* of NDR 2.0; all of NDR64 ends at multiples of 8 */
    if (!call->server || call->ndr64 || call->held_len < len || (call->wire.tx_stub & 7) != len)
        return RPC_S_OK;
    const struct iovec held = {call_held(call), len};
    RPC_STATUS status = call_send(&call->wire, &held, 1, false);
    if (status == RPC_S_OK)
        call->held_len -= len;
    else
        call_break(call, status);
    return status;
}

RPC_STATUS server_reply(struct rpc_call *call)
{
    if (is_unanswered(call)) {
        call_forgo_answer(&call->wire);
        call_finish(call);
        return RPC_S_OK;
    }
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.len_max = LIMIT_STUB_LEN_MAX;
    writer.ndr64 = call->ndr64;
    writer.depth_max = ndr_server_limits().depth_max;
    writer.origin = call->wire.tx_stub + call->held_len;
    const struct ndr_context_hooks hooks = contexts_hooks(call);
    writer.contexts = &hooks;
    struct ndr_full_pointers none;
    writer.full = call_full(call, &none);
    RPC_STATUS status = encode_reply(call, &writer);
    if (call->over) { /* the client left meanwhile */
        contexts_unsent(call);
        ndr_writer_fini(&writer);
        return call->status;
    }
    if (status == RPC_S_OK) {
        trace_values(call->op, call_frame(call), NDR_PARAM_OUT, true);
        status = writer.len >= 8 ? server_align_held(call) : RPC_S_OK; /* there may be such */
    }
    if (status == RPC_S_OK) {
        const struct iovec stub[2] = {{call_held(call), call->held_len}, {writer.octets, writer.len}};
        status = call_send(&call->wire, stub, 2, true);
    }
    if (status == RPC_S_OK) {
        TRACE(TRACE_CALL, "call %u %s: answered", call->wire.id, call->op->name);
        call_finish(call);
        if (!order_gathers(call) || !conn_leave_output(call->conn))
            conn_push_out(call->conn);
    } else {
        contexts_unsent(call);
        call_break(call, status);
    }
    ndr_writer_fini(&writer);
    return status;
}

void server_fault(struct rpc_call *call, RPC_STATUS status, bool did_not_execute)
{
    if (call->over)
        return;
    TRACE(TRACE_CALL, "call %u %s: fault %d", call->wire.id, call->op->name, (int)status);
    if (is_unanswered(call))
        call_forgo_answer(&call->wire);
    else
        error_send_fault(call, status, did_not_execute,
                         call->dispatched ? ERROR_AT_MANAGER : ERROR_AT_REQUEST);
    call_finish(call);
    conn_flush(call->conn);
}

/* From here on the call is this thread's to end: sending may drop the lock, and neither a
 * second Complete or Abort (AR-16) nor an exception of the manager (AR-27) may find it. */
static void claim(struct rpc_call *call)
{
    call->async = NULL;
    notify_drop(call);
}

/* [cs_char] arrays become octets again.  The routines of the program run without the lock: the
 * call may be over afterwards. */
static RPC_STATUS answer_characters(struct rpc_call *call)
{
    if (!call->rare || !call->rare->managed_characters)
        return RPC_S_OK;
    conn_unlock(call->conn);
    reactor_block_begin();
    struct memory_env *outer = memory_env_enter(call_env(call));
    RPC_STATUS status = characters_answer(call->rare->managed_characters);
    memory_env_leave(outer);
    reactor_block_end();
    conn_lock(call->conn);
    return status;
}

RPC_STATUS server_complete(struct rpc_call *call, const void *reply)
{
    RPC_STATUS status = call->status;
    claim(call);
    if (status == RPC_S_OK && !(call_all_drained(call) && call_all_finished(call))) {
        status = RPC_X_PIPE_DISCIPLINE_ERROR;
        server_fault(call, status, false);
    } else if (status == RPC_S_OK) {
        for (uint32_t i = 0; reply && i < call->op->param_count; i++) {
            const NDR_PARAM *param = &call->op->params[i];
            if (param->flags & NDR_PARAM_RETURN)
                memcpy((uint8_t *)call_frame(call) + param->offset, reply,
                       call_result_size(param->type));
        }
        status = answer_characters(call);
        if (call->over) { /* the client left meanwhile */
            contexts_unsent(call);
            status = call->status;
        } else if (status != RPC_S_OK) {
            server_fault(call, status, false);
        } else {
            status = server_reply(call);
        }
    } else if (call->over) {
        contexts_unsent(call);
    }
    contexts_release(call);
    call_release(call, status);
    /* A manager that was quick so far is about to return to run_manager(). */
    const bool returns = server_current_call() == call && call->conn->prompt_runs >= LIMIT_GATHER_AFTER;
    conn_settle(call->conn, returns ? CONN_ARM_LAZY : CONN_ARM_NOW);
    return status;
}

RPC_STATUS server_abort(struct rpc_call *call, RPC_STATUS code)
{
    claim(call);
    contexts_raised(call);
    contexts_release(call);
    server_fault(call, code, false); /* nothing when the client is gone: still RPC_S_OK */
    call_release(call, RPC_S_INVALID_ASYNC_CALL);
    conn_settle(call->conn, CONN_ARM_NOW);
    return RPC_S_OK;
}
