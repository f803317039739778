/* SPDX-License-Identifier: MIT */
/* sync_pipe.c - synchronous pipes (api.md 4; learn.microsoft.com, "Pipes").
 *
 *   client   the stub's thread calls what the program gave it, until a pipe ends:
 *            [in]    alloc > pull > send       ...  pull says 0: terminator
 *            [out]   receive > alloc > push    ...  end: push of 0 elements
 *   server   the manager calls push and pull of ours, which wait; failures are raised
 *
 * On the wire they are what asynchronous pipes are.  Each side may be the other kind. */
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "base/trace.h"
#include "runtime/exception.h"
#include "runtime/pipe.h"
#include "runtime/server_call.h"

/* ---- Waiting ------------------------------------------------------------------ */

/* (drops) Until there are elements, the pipe's end, or no hope for either. */
static void await_elements(struct pipe *pipe)
{
    struct rpc_call *call = pipe->call;
    struct conn *conn = call->conn;
    while (call->status == RPC_S_OK && pipe_rx_elements(&pipe->rx) == 0 && !pipe_at_end(pipe) &&
           !call->over) {
        (void)call_run_incoming(call); /* a manager calls back before it answers */
        conn_flush_until(conn, 0); /* what the peer may be waiting for */
        if (call->status != RPC_S_OK || call->over)
            break;
        enum conn_read result = conn_read_eager(conn);
        if (call->rare && call->rare->incoming)
            continue;
        if (result == CONN_READ_DRY && call->status == RPC_S_OK && pipe_rx_elements(&pipe->rx) == 0 &&
            !pipe_at_end(pipe) && conn_alive(conn)) {
            pipe_wait_begin(pipe);
            conn_wait_readable(conn);
        }
        if (!conn_alive(conn))
            conn_settle(conn, CONN_ARM_NOW);
    }
    pipe_wait_end(pipe, 0);
}

/* (drops) Waits and takes up to `size` elements; *ret_count 0: the end. */
static RPC_STATUS take_elements(struct pipe *pipe, void *buf, size_t size, size_t *ret_count)
{
    struct rpc_call *call = pipe->call;
    *ret_count = 0;
    await_elements(pipe);
    if (call->status != RPC_S_OK)
        return call->status;
    RPC_STATUS status = pipe_rx_read(&pipe->rx, buf, size, ret_count);
    if (status == RPC_S_OK && *ret_count == 0 && !pipe_at_end(pipe))
        status = RPC_S_PROTOCOL_ERROR; /* the call is over without the rest of its pipes */
    if (status != RPC_S_OK) {
        call_break(call, status);
        return status;
    }
    pipe->stats.pulled += *ret_count;
    pipe->drained = *ret_count == 0;
    pipe_check_low_mark(pipe);
    conn_settle(call->conn, CONN_ARM_LAZY);
    return RPC_S_OK;
}

/* (drops) Sends elements, or with none the end. */
static RPC_STATUS send_elements(struct pipe *pipe, const void *buf, unsigned long count)
{
    struct rpc_call *call = pipe->call;
    if (call->status != RPC_S_OK)
        return call->status;
    if (call->over) /* the answer came before the end: a server that wants no more */
        return RPC_X_PIPE_CLOSED;
    RPC_STATUS status = count > 0 ? pipe_send_elements(pipe, buf, count) : pipe_send_end(pipe);
    if (status == RPC_S_OK)
        status = call->status;
    conn_settle(call->conn, count == 0 ? CONN_ARM_NOW : CONN_ARM_LAZY);
    return status;
}

/* ---- Client ---------------------------------------------------------------------- */

/* What one round asks a buffer for. */
#define ROUND_LEN (64u << 10)

/* One call of a routine of the program, which may raise.  No lock. */
struct round {
    const NDR_PIPE *pipe;
    size_t element_size;
    void *buf;
    unsigned long wanted, got; /* octets in alloc, elements in pull and push */
};

static void run_alloc(void *arg)
{
    struct round *round = arg;
    round->pipe->alloc(round->pipe->state, round->wanted, &round->buf, &round->got);
}

static void run_pull(void *arg)
{
    struct round *round = arg;
    round->pipe->pull(round->pipe->state, round->buf, round->wanted, &round->got);
}

static void run_push(void *arg)
{
    struct round *round = arg;
    round->pipe->push(round->pipe->state, round->buf, round->got);
}

/* What it raised; a routine that raises 0 has failed all the same. */
static RPC_STATUS run(void (*routine)(void *), struct round *round)
{
    bool raised;
    RPC_STATUS status = exception_run(routine, round, &raised);
    return raised && status == RPC_S_OK ? RPC_S_CALL_FAILED : status;
}

/* A buffer from the program; its room in elements becomes round->wanted. */
static RPC_STATUS get_buffer(struct round *round)
{
    size_t len = round->element_size > ROUND_LEN
                     ? round->element_size
                     : ROUND_LEN / round->element_size * round->element_size;
    round->buf = NULL;
    round->wanted = len;
    round->got = 0;
    RPC_STATUS status = run(run_alloc, round);
    if (status != RPC_S_OK)
        return status;
    round->wanted = round->got / round->element_size;
    if (!round->buf || round->wanted == 0)
        return RPC_X_PIPE_APP_MEMORY;
    if (round->wanted > UINT32_MAX)
        round->wanted = UINT32_MAX;
    return RPC_S_OK;
}

static const NDR_PIPE *pipe_of_frame(const NDR_PARAM *param, const void *frame)
{
    const void *at = (const uint8_t *)frame + param->offset;
    const NDR_PIPE *pipe = at;
    if (!(param->flags & NDR_PARAM_BY_VALUE))
        memcpy(&pipe, at, sizeof(pipe));
    return pipe;
}

RPC_STATUS sync_pipes_check(const NDR_OPERATION *op, const void *frame)
{
    for (uint32_t i = 0; i < op->param_count; i++) {
        const NDR_PARAM *param = &op->params[i];
        if (!(param->flags & NDR_PARAM_PIPE))
            continue;
        const NDR_PIPE *pipe = pipe_of_frame(param, frame);
        if (!pipe)
            return RPC_X_NULL_REF_POINTER;
        if (!pipe->alloc || (param->flags & NDR_PARAM_IN && !pipe->pull) ||
            (param->flags & NDR_PARAM_OUT && !pipe->push))
            return RPC_X_INVALID_PIPE_OBJECT;
    }
    return RPC_S_OK;
}

/* Lock held on entry and exit; the routines run without. */
static RPC_STATUS feed(struct pipe *pipe, struct round *round)
{
    struct conn *conn = pipe->call->conn;
    RPC_STATUS status;
    do {
        conn_unlock(conn);
        status = get_buffer(round);
        if (status == RPC_S_OK) {
            round->got = 0;
            status = run(run_pull, round);
        }
        if (status == RPC_S_OK && round->got > round->wanted)
            status = RPC_X_INVALID_PIPE_OBJECT; /* more than there is room for */
        conn_lock(conn);
        if (status == RPC_S_OK)
            status = send_elements(pipe, round->buf, round->got);
    } while (status == RPC_S_OK && round->got > 0);
    return status;
}

static RPC_STATUS drain(struct pipe *pipe, struct round *round)
{
    struct conn *conn = pipe->call->conn;
    RPC_STATUS status;
    do {
        size_t count = 0;
        /* The program is asked for a buffer when there is something for it. */
        await_elements(pipe);
        if (pipe->call->status != RPC_S_OK)
            return pipe->call->status;
        bool at_end = pipe_rx_elements(&pipe->rx) == 0;
        conn_unlock(conn);
        status = at_end ? RPC_S_OK : get_buffer(round);
        conn_lock(conn);
        if (status == RPC_S_OK)
            status = take_elements(pipe, round->buf, at_end ? 0 : round->wanted, &count);
        round->got = count;
        conn_unlock(conn);
        if (status == RPC_S_OK)
            status = run(run_push, round);
        conn_lock(conn);
    } while (status == RPC_S_OK && round->got > 0);
    return status;
}

RPC_STATUS sync_pipes_run(struct rpc_call *call, const void *frame)
{
    RPC_STATUS status = RPC_S_OK;
    for (int receiving = 0; receiving < 2; receiving++) {
        for (unsigned i = 0; i < call->pipe_count && status == RPC_S_OK; i++) {
            struct pipe *pipe = &call->pipes[i];
            struct round round = {.pipe = pipe_of_frame(pipe->param, frame),
                                  .element_size = pipe->rx.type->layout.memory_size};
            if (!receiving && pipe->in)
                status = feed(pipe, &round);
            else if (receiving && pipe->out)
                status = drain(pipe, &round);
        }
    }
    if (status != RPC_S_OK && !call->over) /* a routine has failed */
        client_cancel(call, true);
    return status;
}

/* ---- Server ----------------------------------------------------------------------- */

/* The pipe behind `state`, with a reference and its connection locked; raises. */
static struct pipe *enter(char *state)
{
    RPC_STATUS status;
    struct pipe *pipe = pipe_from_state(state, &status);
    if (!pipe)
        RpcRaiseException(status);
    conn_lock(pipe->call->conn);
    return pipe;
}

static void leave(struct pipe *pipe, RPC_STATUS status)
{
    if (status != RPC_S_OK) /* as in pipe.c: nobody else may be there to see to it */
        conn_settle(pipe->call->conn, CONN_ARM_NOW);
    TRACE(TRACE_PIPE, "call %u: synchronous pipe -> %d", pipe->call->wire.id, (int)status);
    conn_unlock(pipe->call->conn);
    call_put(pipe->call);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

static void server_pull(char *state, void *buf, unsigned long esize, unsigned long *ecount)
{
    struct pipe *pipe = enter(state);
    size_t count = 0;
    RPC_STATUS status = ecount && buf && esize > 0 ? pipe_check_pull(pipe) : RPC_S_INVALID_ARG;
    if (status == RPC_S_OK)
        status = take_elements(pipe, buf, esize, &count);
    if (ecount)
        *ecount = count;
    leave(pipe, status);
}

static void server_push(char *state, void *buf, unsigned long ecount)
{
    struct pipe *pipe = enter(state);
    RPC_STATUS status = (ecount == 0 || buf) && ecount <= UINT32_MAX ? RPC_S_OK : RPC_S_INVALID_ARG;
    pipe_take_turn(pipe->call);
    if (status == RPC_S_OK)
        status = pipe_check_push(pipe);
    if (status == RPC_S_OK)
        status = send_elements(pipe, buf, ecount);
    pipe_give_turn(pipe->call);
    leave(pipe, status);
}

static void server_alloc(char *state, unsigned long bsize, void **buf, unsigned long *bcount)
{
    (void)state;
    (void)bsize;
    (void)buf;
    (void)bcount;
    RpcRaiseException(RPC_S_CANNOT_SUPPORT); /* a manager has its own buffers */
}

void sync_pipes_publish(struct rpc_call *call, NDR_PIPE *pipes)
{
    for (unsigned i = 0; i < call->pipe_count; i++) {
        const struct pipe *pipe = &call->pipes[i];
        void *at = (uint8_t *)call_frame(call) + pipe->param->offset;
        pipes[i] = (NDR_PIPE){.pull = server_pull,
                              .push = server_push,
                              .alloc = server_alloc,
                              .state = pipe_state(pipe)};
        if (pipe->param->flags & NDR_PARAM_BY_VALUE) {
            memcpy(at, &pipes[i], sizeof(pipes[i]));
        } else {
            const NDR_PIPE *address = &pipes[i];
            memcpy(at, &address, sizeof(address));
        }
    }
}
