/* SPDX-License-Identifier: MIT */
/* pipe_tx.c - the sending half of a pipe: elements of the application become fragments;
 * see pipe.h.
 *
 *   elements --chunk_plan--> pieces --call_send--> fragments --sendmsg-->
 *                                                   | rest is copied
 *
 * Past the high water mark it blocks until the low one, except inside a notification
 * routine, where it queues that one buffer (docs/design/flow.md). */
#include "runtime/pipe.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "proto/chunk.h"
#include "runtime/client_begin.h"

RPC_STATUS pipe_check_push(const struct pipe *pipe)
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
#define SLICE_PIECES 12u
struct outgoing {
    struct pipe *pipe;
    struct iovec iov[SLICE_PIECES];
    size_t count, len;
    size_t slice;     /* octets after which a slice is sent                     */
    bool direct;      /* see sends_directly()                                   */
    bool collect;     /* see collects()                                         */
    uint8_t carry[8]; /* end of the slice before, see send_whole()              */
};

void pipe_take_turn(struct rpc_call *call)
{
    if (call->pushing) {
        /* A routine's thread is of the pool, and finding another may take a while. */
        conn_unlock(call->conn);
        reactor_block_begin();
        conn_lock(call->conn);
        while (call->pushing)
            conn_wait(call->conn);
        reactor_block_end();
    }
    call->pushing = true;
}

void pipe_give_turn(struct rpc_call *call)
{
    call->pushing = false;
    conn_notify(call->conn);
}

/* Another thread is giving the call up: no fragment behind its last word. */
static void wait_while_leaving(struct rpc_call *call)
{
    while (call->leaving && !call->over)
        conn_wait(call->conn);
}

/* After the lock was dropped: the call may have failed, or have been ended by an answer that
 * came early, or by another thread. */
static RPC_STATUS check_going_on(const struct rpc_call *call)
{
    if (call->status != RPC_S_OK)
        return call->status;
    return call->over ? RPC_X_PIPE_CLOSED : RPC_S_OK;
}

static RPC_STATUS send_slice(struct outgoing *out, bool last)
{
    struct rpc_call *call = out->pipe->call;
    wait_while_leaving(call);
    RPC_STATUS status = check_going_on(call);
    if (status != RPC_S_OK)
        return status;
    status = call_send(&call->wire, out->iov, out->count, last);
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
        pipe_wait_begin(out->pipe);
        conn_flush_until(call->conn, 0);
        pipe_wait_end(out->pipe, LIMIT_WAIT_NOTED_US);
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
    pipe_wait_begin(pipe);
    conn_flush_until(conn, pipe->low);
    pipe_wait_end(pipe, 0);
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
    if ((uint32_t)clock_us() - pipe->pushed_us >= LIMIT_TIGHT_LOOP_US)
        pipe->streak = 0;
    pipe->streak = len < UINT32_MAX - pipe->streak ? pipe->streak + (uint32_t)len : UINT32_MAX;
    return pipe->streak > pipe->high;
}

/* One large send costs less than several small ones, on TCP much less, more than copying
 * does: small pushes of a tight loop are collected and leave together, as many as the
 * transport takes well.  The tick sends them should the loop stop. */
static bool collects(const struct pipe *pipe, bool direct, uint64_t len)
{
    const struct conn *conn = pipe->call->conn;
    size_t most = conn->kind == TRANSPORT_TCP ? LIMIT_PUSH_SLICE : LIMIT_COLLECT_LOCAL;
    /* A producer that goes by RpcSendComplete would wait for what is collected. */
    size_t mark = call_asks_send_complete(pipe->call) ? pipe->low : pipe->high;
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

/* What waited for this. */
static RPC_STATUS put_held(struct outgoing *out)
{
    struct rpc_call *call = out->pipe->call;
    if (out->pipe->rx.type->chunk.align == 8) {
        RPC_STATUS aligned = server_align_held(call);
        if (aligned != RPC_S_OK)
            return aligned;
    }
    size_t first = call->server ? 0 : sizeof(call->held_first);
    first = call->held_len < first ? call->held_len : first;
    RPC_STATUS status = put(out, call->held_first, first);
    if (status == RPC_S_OK)
        status = put(out, call_held(call), call->held_len - first);
    call->held_len = 0;
    return status;
}

/* Elements whose memory is not their wire form go through a buffer of this size. */
#define CONVERT_LEN (64u << 10)

static RPC_STATUS put_converted(struct outgoing *out, const uint8_t *memory, size_t count)
{
    const struct pipe_type *type = out->pipe->rx.type;
    size_t batch = CONVERT_LEN / type->layout.stride;
    batch = batch == 0 ? 1 : batch;
    uint8_t *octets = malloc(batch * type->layout.stride);
    RPC_STATUS status = octets ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    while (count > 0 && status == RPC_S_OK) {
        size_t n = count < batch ? count : batch;
        memset(octets, 0, n * type->layout.stride); /* pads between batches */
        ndr_elements_to_wire(type->element, type->chunk.ndr64, memory, n, octets);
        /* Only the chunk's last element goes without its pad. */
        size_t len = n == count ? (n - 1) * type->layout.stride + type->layout.size
                                : n * type->layout.stride;
        status = put(out, octets, len);
        /* The buffer is about to be used again. */
        if (status == RPC_S_OK && out->count > 0)
            status = send_whole(out);
        memory += n * type->layout.memory_size;
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
    return out->pipe->rx.type->layout.flat ? put(out, memory, (size_t)piece->data_len)
                                     : put_converted(out, memory, piece->count);
}

RPC_STATUS pipe_send_elements(struct pipe *pipe, const uint8_t *memory, unsigned long count)
{
    struct rpc_call *call = pipe->call;
    struct chunk_plan plan;
    uint64_t offset = call->wire.tx_stub + call->held_len;
    if (!chunk_plan(&pipe->rx.type->chunk, offset, count, &plan))
        return RPC_S_INVALID_ARG;
    const uint64_t len = (uint64_t)count * pipe->rx.type->layout.stride;
    const bool direct = sends_directly(pipe, len);
    wait_at_high_mark(pipe);
    RPC_STATUS status = check_going_on(call);
    if (status != RPC_S_OK)
        return status;

    size_t stub_max = call_frag_stub_max(&call->wire);
    struct outgoing out = {.pipe = pipe,
                           .slice = LIMIT_PUSH_SLICE / stub_max * stub_max,
                           .direct = direct,
                           .collect = collects(pipe, direct, len)};
    status = put_held(&out);
    for (unsigned i = 0; i < plan.piece_count && status == RPC_S_OK; i++) {
        status = put_piece(&out, &plan.pieces[i], memory);
        memory += (size_t)plan.pieces[i].count * pipe->rx.type->layout.memory_size;
    }
    if (status == RPC_S_OK)
        status = put(&out, plan.tail, plan.tail_len);
    if (status == RPC_S_OK && out.count > 0)
        status = send_slice(&out, false);
    pipe->pushed_us = (uint32_t)clock_us();
    pipe->stats.pushed += status == RPC_S_OK ? count : 0;
    return status;
}

RPC_STATUS pipe_send_end(struct pipe *pipe)
{
    struct rpc_call *call = pipe->call;
    struct chunk_plan plan;
    uint64_t offset = call->wire.tx_stub + call->held_len;
    chunk_plan(&pipe->rx.type->chunk, offset, 0, &plan);
    const struct chunk_piece *end = &plan.pieces[0];
    pipe->finished = true;
    if (call->server) {
        /* What is held may have to go as a fragment of its own, which in NDR 2.0 ends
         * where it must only at 8 octets. */
        size_t held_max = call->ndr64 ? CALL_HELD_MAX : 8;
        if (call->held_len + end->lead_len > held_max) {
            /* Several empty pipes in a row: what is held goes first. */
            struct iovec held = {call_held(call), call->held_len};
            RPC_STATUS status = call_send(&call->wire, &held, 1, false);
            if (status != RPC_S_OK) {
                call_break(call, status);
                return status;
            }
            conn_push_out(call->conn);
            call->held_len = 0;
        }
        call->held_len = (uint8_t)(call->held_len + end->lead_len);
        return call->status;
    }
    call->ended_pipes++;
    const bool last = call_all_finished(call) && !call_has_early_pushes(call);
    const size_t len = (size_t)call->held_len + end->lead_len;
    if (!last && len <= CALL_HELD_MAX && ((call->wire.tx_stub + len) & 7) != 0 &&
        call_keeps_aligned(call)) {
        if (call->held_len == 0) /* it is all zeros */
            memset(call->held_first, 0, sizeof(call->held_first));
        call->held_len = (uint8_t)len;
        return call->status;
    }
    struct outgoing out = {.pipe = pipe, .slice = LIMIT_PUSH_SLICE};
    put_held(&out);
    put(&out, end->lead, end->lead_len);
    return send_slice(&out, last);
}
