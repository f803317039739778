/* SPDX-License-Identifier: MIT */
/* pipe.c - asynchronous pipes: the push and pull behind ASYNC_X structures, the
 * same on both sides (api.md 3.2 to 3.5).
 *
 *   push: elements --chunk_plan--> pieces --call_send--> fragments --sendmsg-->
 *                                                         | rest is copied
 *   pull: <-- elements <-- pipe_rx <-- fragments <-- recv, here if nobody else reads
 *
 * Past the high water mark push blocks until the low one, except inside a
 * notification routine, where it queues that one buffer (docs/design/flow.md). */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "proto/chunk.h"
#include "runtime/call.h"

_Thread_local unsigned pipe_in_callback;

static _Atomic size_t default_high = LIMIT_PIPE_HIGH, default_low = LIMIT_PIPE_LOW;

void pipes_set_limits_default(struct pipe *pipe)
{
    pipe->high = atomic_load(&default_high);
    pipe->low = atomic_load(&default_low);
}

/* The pipe behind a `state`, with a reference and its connection locked; NULL: what
 * its call ended with is in *ret_status. */
static struct pipe *pipe_enter(char *state, RPC_STATUS *ret_status)
{
    struct pipe *pipe = pipe_from_handle((uint64_t)(uintptr_t)state, ret_status);
    if (!pipe)
        return NULL;
    conn_lock(pipe->call->conn);
    if (!pipe->call->released)
        return pipe;
    *ret_status = pipe->call->status != RPC_S_OK ? pipe->call->status : RPC_X_PIPE_CLOSED;
    conn_unlock(pipe->call->conn);
    counted_put(&pipe->object);
    return NULL;
}

static void pipe_leave(struct pipe *pipe)
{
    conn_unlock(pipe->call->conn);
    counted_put(&pipe->object); /* may free the call, and run the application's free */
}

/* A client's RpcCallComplete routine is running for this failure, on another thread:
 * it tells, and this push or pull must not do so too (F2). */
static bool routine_is_telling(const struct rpc_call *call)
{
    return !call->server && call->notify.completed && call->notify.delivering &&
           pipe_in_callback == 0;
}

/* The call has failed and this push or pull tells: nothing else will (AP-18, AP-37).
 * `meanwhile` is answered while a routine tells. */
static RPC_STATUS tell_failure(struct pipe *pipe, RPC_STATUS meanwhile)
{
    RPC_STATUS status = pipe->call->status;
    if (routine_is_telling(pipe->call))
        return meanwhile;
    if (pipe->call->server)
        server_call_abandoned(pipe->call);
    call_release(pipe->call, status);
    return status;
}

/* ---- Pull ----------------------------------------------------------------- */

/* AP-60: codes for pulls that are not this pipe's turn. */
static RPC_STATUS check_pull(const struct pipe *pipe)
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

/* The application took octets: below the low mark the connection is read again. */
static void check_low_mark(struct pipe *pipe)
{
    if (!pipe->call->stopped)
        return;
    size_t queued = 0;
    for (unsigned i = 0; i < pipe->call->pipe_count; i++)
        queued += pipe->call->pipes[i].rx.octets;
    if (pipe->high == 0 || queued <= pipe->low) {
        call_stop_reading(pipe->call, false);
        TRACE(TRACE_PIPE, "call %u: reading goes on", pipe->call->wire.id);
    }
}

static RPC_STATUS pull_locked(struct pipe *pipe, void *buf, unsigned long esize,
                              unsigned long *ecount)
{
    struct rpc_call *call = pipe->call;
    RPC_STATUS status = check_pull(pipe);
    if (status != RPC_S_OK)
        return status;
    for (;;) {
        if (call->status != RPC_S_OK)
            return tell_failure(pipe, RPC_S_ASYNC_CALL_PENDING);
        size_t count = 0;
        status = pipe_rx_read(&pipe->rx, buf, esize, &count);
        if (status != RPC_S_OK) {
            call_break(call, status);
            return tell_failure(pipe, RPC_S_ASYNC_CALL_PENDING);
        }
        if (count > 0 || pipe_at_end(pipe)) {
            *ecount = count;
            pipe->drained = count == 0;
            check_low_mark(pipe);
            conn_settle(call->conn, CONN_ARM_LAZY);
            return RPC_S_OK;
        }
        check_low_mark(pipe);
        if (call->over)
            break;
        /* Reading drops the lock: another thread may have read for us meanwhile. */
        if (conn_read_eager(call->conn) == CONN_READ_DRY && call->status == RPC_S_OK &&
            pipe->rx.elements == 0 && !pipe_at_end(pipe))
            break;
        if (call->released) /* by a rival thread, against the rules */
            return RPC_X_PIPE_CLOSED;
    }
    pipe->receive_armed = true;
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
    pipe_leave(pipe);
    return status;
}

/* ---- Push ----------------------------------------------------------------- */

static RPC_STATUS check_push(const struct pipe *pipe)
{
    const struct rpc_call *call = pipe->call;
    if (!pipe_sends(pipe))
        return RPC_X_WRONG_PIPE_ORDER;
    if (pipe->finished)
        return RPC_X_PIPE_CLOSED;
    for (const struct pipe *other = call->pipes; other < pipe; other++)
        if (pipe_sends(other) && !other->finished)
            return RPC_X_WRONG_PIPE_ORDER;
    if (call->server && !call_all_drained(call))
        return RPC_X_WRONG_PIPE_ORDER;
    return RPC_S_OK;
}

/* Stub octets on their way to call_send(): pieces of a push, handed over in slices
 * that make whole fragments. */
#define SLICE_PIECES 10u
struct outgoing {
    struct pipe *pipe;
    struct iovec iov[SLICE_PIECES];
    size_t count, len;
    size_t slice;     /* octets after which a slice is sent                     */
    bool direct;      /* see sends_directly()                                   */
    bool collect;     /* see collects()                                         */
    uint8_t carry[8]; /* end of the slice before, see send_whole()              */
};

/* Another thread is giving the call up: no fragment behind its last word. */
static void wait_while_leaving(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    while (call->leaving && !call->over) {
        conn->waiters++;
        pthread_cond_wait(&conn->changed, &conn->lock);
        conn->waiters--;
    }
}

static RPC_STATUS send_slice(struct outgoing *out, bool last)
{
    struct rpc_call *call = out->pipe->call;
    wait_while_leaving(call);
    if (call->status != RPC_S_OK || call->over)
        return call->status;
    RPC_STATUS status = call_send(&call->wire, out->iov, out->count, last);
    out->count = out->len = 0;
    if (status != RPC_S_OK) {
        call_break(call, status);
        return status;
    }
    if (out->collect && !call->conn->writing) {
        if (txq_settle(&call->conn->assoc.txq))
            return RPC_S_OK;
    } else if (out->direct) {
        call->conn->more = true;
        conn_flush_until(call->conn, 0);
        call->conn->more = false;
    }
    conn_push_out(call->conn);
    return call->status;
}

/* Takes octets back from the end of the slice until the stub ends at a multiple of
 * 8: no other fragment than a push's last may end elsewhere. */
static size_t trim(struct outgoing *out, uint8_t ret_rest[8])
{
    size_t excess = (size_t)((out->pipe->call->wire.tx_stub + out->len) & 7);
    if (excess >= out->len)
        return 0;
    for (size_t left = excess; left > 0;) {
        struct iovec *end = &out->iov[out->count - 1];
        size_t part = left < end->iov_len ? left : end->iov_len;
        end->iov_len -= part;
        left -= part;
        memcpy(ret_rest + left, (const uint8_t *)end->iov_base + end->iov_len, part);
        if (end->iov_len == 0)
            out->count--;
    }
    out->len -= excess;
    return excess;
}

/* Sends a slice that others follow. */
static RPC_STATUS send_whole(struct outgoing *out)
{
    uint8_t rest[8];
    size_t excess = trim(out, rest);
    RPC_STATUS status = send_slice(out, false);
    if (excess > 0) {
        memcpy(out->carry, rest, excess);
        out->iov[out->count++] = (struct iovec){out->carry, excess};
        out->len = excess;
    }
    return status;
}

/* Waits at the high mark, where that is allowed. */
static void wait_at_high_mark(struct pipe *pipe)
{
    struct conn *conn = pipe->call->conn;
    if (pipe->high == 0 || pipe_in_callback > 0 || txq_len(&conn->assoc.txq) <= pipe->high)
        return;
    TRACE(TRACE_PIPE, "call %u: push waits, %zu octets queued", pipe->call->wire.id,
          txq_len(&conn->assoc.txq));
    conn_settle(conn, CONN_ARM_NOW); /* a fault must be heard meanwhile */
    conn_flush_until(conn, pipe->low);
}

/* A producer that pushes on at once, with nothing between its pushes, would only be
 * copied into the queue until it meets the high mark.  When it has pushed as much as
 * the queue holds, its pushes send straight from its buffer instead and return when
 * the transport has all of it.  A producer that does something else in between has the
 * whole queue again. */
static bool sends_directly(struct pipe *pipe, uint64_t len)
{
    if (pipe->high == 0 || pipe_in_callback > 0)
        return false;
    if (clock_us() - pipe->pushed_us >= LIMIT_TIGHT_LOOP_US)
        pipe->streak = 0;
    pipe->streak += len;
    return pipe->streak > pipe->high;
}

static bool asks_send_complete(const struct rpc_call *call)
{
    return call->async && (call->async->Flags & RPC_C_NOTIFY_ON_SEND_COMPLETE);
}

/* One large send costs less than several small ones, on TCP much less, more than copying
 * does: small pushes of a tight loop are collected and leave together, as many as the
 * transport takes well.  The tick sends them should the loop stop. */
static bool collects(const struct pipe *pipe, bool direct, uint64_t len)
{
    const struct conn *conn = pipe->call->conn;
    size_t most = conn->kind == TRANSPORT_TCP ? LIMIT_PUSH_SLICE : LIMIT_COLLECT_LOCAL;
    /* A producer that goes by RpcSendComplete would wait for what is collected. */
    size_t mark = asks_send_complete(pipe->call) ? pipe->low : pipe->high;
    most = mark < most ? mark : most;
    return direct && txq_len(&conn->assoc.txq) + len < most;
}

/* Adds octets; sends a slice whenever one is full. */
static RPC_STATUS put(struct outgoing *out, const void *octets, size_t len)
{
    const uint8_t *from = octets;
    while (len > 0) {
        size_t part = out->slice - out->len;
        part = len < part ? len : part;
        out->iov[out->count++] = (struct iovec){(void *)(uintptr_t)from, part};
        out->len += part;
        from += part;
        len -= part;
        if (out->len == out->slice) {
            RPC_STATUS status = send_whole(out);
            if (status != RPC_S_OK)
                return status;
            wait_at_high_mark(out->pipe);
            if (out->pipe->call->status != RPC_S_OK)
                return out->pipe->call->status;
        }
    }
    return RPC_S_OK;
}

/* Elements whose memory is not their wire form go through a buffer of this size. */
#define CONVERT_LEN (64u << 10)

static RPC_STATUS put_converted(struct outgoing *out, const uint8_t *memory, size_t count)
{
    const struct pipe_rx *rx = &out->pipe->rx;
    size_t batch = CONVERT_LEN / rx->layout.stride;
    batch = batch == 0 ? 1 : batch;
    uint8_t *octets = malloc(batch * rx->layout.stride);
    RPC_STATUS status = octets ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    while (count > 0 && status == RPC_S_OK) {
        size_t n = count < batch ? count : batch;
        memset(octets, 0, n * rx->layout.stride); /* pads between batches */
        ndr_elements_to_wire(rx->element, rx->chunk.ndr64, memory, n, octets);
        /* Only the chunk's last element goes without its pad. */
        size_t len = n == count ? (n - 1) * rx->layout.stride + rx->layout.size
                                : n * rx->layout.stride;
        status = put(out, octets, len);
        /* The buffer is about to be used again. */
        if (status == RPC_S_OK && out->count > 0)
            status = send_whole(out);
        memory += n * rx->layout.memory_size;
        count -= n;
    }
    free(octets);
    return status;
}

static RPC_STATUS put_piece(struct outgoing *out, const struct chunk_piece *piece,
                            const uint8_t *memory)
{
    RPC_STATUS status = put(out, piece->lead, piece->lead_len);
    if (status != RPC_S_OK || piece->count == 0)
        return status;
    return out->pipe->rx.layout.flat ? put(out, memory, (size_t)piece->data_len)
                                     : put_converted(out, memory, piece->count);
}

static RPC_STATUS push_elements(struct pipe *pipe, const uint8_t *memory, unsigned long count)
{
    struct rpc_call *call = pipe->call;
    struct chunk_plan plan;
    uint64_t offset = call->wire.tx_stub + call->held_len;
    if (!chunk_plan(&pipe->rx.chunk, offset, count, &plan))
        return RPC_S_INVALID_ARG;
    const uint64_t len = (uint64_t)count * pipe->rx.layout.stride;
    const bool direct = sends_directly(pipe, len);
    wait_at_high_mark(pipe);
    if (call->status != RPC_S_OK)
        return call->status;

    size_t stub_max = call_frag_stub_max(&call->wire);
    struct outgoing out = {.pipe = pipe,
                           .slice = LIMIT_PUSH_SLICE / stub_max * stub_max,
                           .direct = direct,
                           .collect = collects(pipe, direct, len)};
    RPC_STATUS status = put(&out, call->held, call->held_len);
    call->held_len = 0;
    for (unsigned i = 0; i < plan.piece_count && status == RPC_S_OK; i++) {
        status = put_piece(&out, &plan.pieces[i], memory);
        memory += (size_t)plan.pieces[i].count * pipe->rx.layout.memory_size;
    }
    if (status == RPC_S_OK)
        status = put(&out, plan.tail, plan.tail_len);
    if (status == RPC_S_OK && out.count > 0)
        status = send_slice(&out, false);
    pipe->pushed_us = clock_us();
    return status;
}

/* The terminator.  A client sends it at once: with its last pipe the request ends.
 * A server keeps it for the fragment that follows, since the last one must not be
 * empty and no other may end where the terminator does (wire.md 9, row 26). */
static RPC_STATUS push_end(struct pipe *pipe)
{
    struct rpc_call *call = pipe->call;
    struct chunk_plan plan;
    uint64_t offset = call->wire.tx_stub + call->held_len;
    chunk_plan(&pipe->rx.chunk, offset, 0, &plan);
    const struct chunk_piece *end = &plan.pieces[0];
    pipe->finished = true;
    if (call->server) {
        /* What is held may have to go as a fragment of its own, which in NDR 2.0 ends
         * where it must only at 8 octets. */
        size_t held_max = call->ndr64 ? sizeof(call->held) : 8;
        if (call->held_len + end->lead_len > held_max) {
            /* Several empty pipes in a row: what is held goes first. */
            struct iovec held = {call->held, call->held_len};
            RPC_STATUS status = call_send(&call->wire, &held, 1, false);
            if (status != RPC_S_OK) {
                call_break(call, status);
                return status;
            }
            conn_push_out(call->conn);
            call->held_len = 0;
        }
        memcpy(call->held + call->held_len, end->lead, end->lead_len);
        call->held_len = (uint8_t)(call->held_len + end->lead_len);
        return call->status;
    }
    struct outgoing out = {.pipe = pipe, .slice = LIMIT_PUSH_SLICE};
    put(&out, end->lead, end->lead_len);
    return send_slice(&out, call_all_finished(call));
}

/* RpcSendComplete is asked for by a flag that is read now (AP-17).  For the
 * client's null push none is sent: RpcCallComplete follows it (AP-15). */
void call_ask_send_complete(struct rpc_call *call, size_t low, bool null_push)
{
    if (!asks_send_complete(call) || (null_push && !call->server))
        return;
    bool waiting = call->send_mark != 0;
    call->send_low = low;
    call->send_mark = call->conn->assoc.txq.total;
    if (!call_has_room(call)) {
        call->conn->await_output += waiting ? 0 : 1;
        return;
    }
    call->conn->await_output -= waiting ? 1 : 0;
    call->send_mark = 0;
    notify_post(call, NOTIFY_SEND);
}

static RPC_STATUS push_locked(struct pipe *pipe, const void *buf, unsigned long ecount)
{
    struct rpc_call *call = pipe->call;
    RPC_STATUS status = check_push(pipe);
    if (status != RPC_S_OK)
        return status;
    if (call->status != RPC_S_OK || call->over)
        return call->status != RPC_S_OK ? tell_failure(pipe, RPC_S_OK) : RPC_X_PIPE_CLOSED;
    status = ecount > 0 ? push_elements(pipe, buf, ecount) : push_end(pipe);
    if (call->released) /* by a rival thread, against the rules */
        return RPC_X_PIPE_CLOSED;
    if (call->status != RPC_S_OK)
        return tell_failure(pipe, RPC_S_OK);
    if (status != RPC_S_OK)
        return status;
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
    status = push_locked(pipe, buf, ecount);
    notify_pump(pipe->call);
    TRACE(TRACE_PIPE, "call %u: push %lu -> %d", pipe->call->wire.id, ecount, (int)status);
    pipe_leave(pipe);
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
            (NDR_ASYNC_PIPE *const *)(void *)((uint8_t *)call->frame + pipe->param->offset);
        **member = (NDR_ASYNC_PIPE){.pull = pipe_pull,
                                    .push = pipe_push,
                                    .alloc = pipe_alloc,
                                    .state = (char *)(uintptr_t)pipe->handle};
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
    check_low_mark(pipe);
    conn_settle(pipe->call->conn, CONN_ARM_LAZY);
    pipe_leave(pipe);
    return RPC_S_OK;
}
