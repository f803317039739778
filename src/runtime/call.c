/* SPDX-License-Identifier: MIT */
/* call.c - what calls of both sides share; see call.h. */
#include "runtime/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "base/status.h"
#include "base/trace.h"
#include "runtime/client_begin.h"
#include "runtime/error_info.h"
#include "runtime/pipe.h"

bool op_has_in_pipes(const NDR_OPERATION *op)
{
    const uint32_t in_pipe = NDR_PARAM_PIPE | NDR_PARAM_IN;
    for (uint32_t i = 0; i < op->param_count; i++)
        if ((op->params[i].flags & in_pipe) == in_pipe)
            return true;
    return false;
}

bool call_all_drained(const struct rpc_call *call)
{
    for (unsigned i = 0; i < call->pipe_count; i++)
        if (pipe_receives(&call->pipes[i]) && !call->pipes[i].drained)
            return false;
    return true;
}

bool call_keeps_aligned(const struct rpc_call *call)
{
    if (call->server || call->ndr64) /* NDR64: everything ends at multiples of 8 */
        return false;
    unsigned ended = call->ended_pipes;
    for (unsigned i = 0; i < call->pipe_count; i++)
        if (pipe_sends(&call->pipes[i]) && ended-- == 0)
            return call->pipes[i].rx.type->chunk.align == 8;
    return false;
}

bool call_all_finished(const struct rpc_call *call)
{
    for (unsigned i = 0; i < call->pipe_count; i++)
        if (pipe_sends(&call->pipes[i]) && !call->pipes[i].finished)
            return false;
    return true;
}

static size_t queued_octets(const struct rpc_call *call)
{
    size_t queued = 0;
    for (unsigned i = 0; i < call->pipe_count; i++)
        queued += pipe_rx_octets(&call->pipes[i].rx);
    return queued;
}

/* The first call with pipes on the connection, or the first behind `call`; NULL: no more.
 * One has the connection to itself unless a client multiplexes several. */
static struct rpc_call *next_pipe_call(const struct conn *conn, const struct rpc_call *call)
{
    const struct list *calls = &conn->assoc.calls;
    if (conn->pipe_calls == 0)
        return NULL;
    for (struct list *node = call ? call->wire.node.next : calls->next; node != calls;
         node = node->next) {
        struct rpc_call *next = call_of_wire(list_entry(node, struct call, node));
        if (next->pipe_count > 0)
            return next;
    }
    return NULL;
}

size_t calls_room(const struct conn *conn)
{
    size_t room = SIZE_MAX;
    for (const struct rpc_call *call = NULL; (call = next_pipe_call(conn, call));) {
        if (call->receiving >= call->pipe_count || call->pipes[call->receiving].high == 0)
            continue;
        size_t high = call->pipes[call->receiving].high, queued = queued_octets(call);
        size_t left = high > queued ? high - queued : 0;
        room = left < room ? left : room;
    }
    return room < LIMIT_RECV_LEAST ? LIMIT_RECV_LEAST : room;
}

void calls_compact(struct conn *conn)
{
    for (struct rpc_call *call = NULL; (call = next_pipe_call(conn, call));) {
        for (unsigned i = 0; i < call->pipe_count; i++)
            pipe_rx_compact(&call->pipes[i].rx);
    }
}

void calls_trim(struct conn *conn)
{
    for (struct rpc_call *call = NULL; (call = next_pipe_call(conn, call));) {
        for (unsigned i = 0; i < call->pipe_count; i++)
            pipe_rx_trim(&call->pipes[i].rx);
    }
}

/* ---- The call's part in what its connection does --------------------------- */

void call_join_pipes(struct rpc_call *call)
{
    if (call->pipe_count > 0)
        call->conn->pipe_calls++;
}

static void count(bool *flag, uint16_t *counter, bool value)
{
    if (*flag == value)
        return;
    *flag = value;
    *counter = (uint16_t)(value ? *counter + 1 : *counter - 1);
}

void call_stop_reading(struct rpc_call *call, bool stop)
{
    const bool was_stopped = call->stopped;
    count(&call->stopped, &call->conn->stopped, stop);
    if (was_stopped && call->conn->stopped == 0)
        conn_notify(call->conn); /* a manager that waits for the answer to its callback */
}

void call_look(struct rpc_call *call, bool looking)
{
    count(&call->looking, &call->conn->held, looking);
}

static void forget_send_mark(struct rpc_call *call)
{
    if (call->send_mark != 0)
        call->conn->await_output--;
    call->send_mark = 0;
}

bool call_has_room(const struct rpc_call *call)
{
    const struct txq *txq = &call->conn->assoc.txq;
    return txq_total_sent(txq) >= call->send_mark || txq_len(txq) <= call->send_low;
}

void calls_on_sent(struct conn *conn)
{
    struct rpc_call *next = next_pipe_call(conn, NULL);
    while (next) {
        struct rpc_call *call = next;
        next = next_pipe_call(conn, call); /* whatever a notification does */
        if (call->send_mark == 0 || !call_has_room(call))
            continue;
        forget_send_mark(call);
        if (!call->leaving) /* what it had queued went with the cancel, not to the peer */
            notify_post(call, NOTIFY_SEND);
    }
}

/* ---- Octets in ------------------------------------------------------------ */

static RPC_STATUS gather(struct rpc_call *call, const uint8_t *octets, size_t len, uint64_t offset)
{
    struct rxbuf *stub = call->stub;
    size_t need = call_stub_len(call) + len;
    /* With pipes their first octets are gathered too: judged after decoding. */
    const size_t max = call->pipe_count > 0 && call->stub_max < LIMIT_STUB_LEN ? LIMIT_STUB_LEN
                                                                               : call->stub_max;
    if (need > max)
        return call->server ? RPC_S_ACCESS_DENIED : RPC_S_OUT_OF_RESOURCES;
    if (!stub || stub->capacity < need) {
        size_t capacity = stub ? stub->capacity * 2 : 64;
        stub = rxbuf_new(capacity < need ? need : capacity);
        if (!stub)
            return RPC_S_OUT_OF_MEMORY;
        stub->origin = call->stub ? call->stub->origin : offset;
        stub->len = (uint32_t)call_stub_len(call);
        if (call->stub)
            memcpy(stub->octets, call->stub->octets, stub->len);
        rxbuf_put(call->stub);
        call->stub = stub;
    }
    memcpy(stub->octets + stub->len, octets, len);
    stub->len = (uint32_t)need;
    return RPC_S_OK;
}

/* Past the high mark the connection is not read until the application has pulled
 * to below the low one. */
static void check_high_mark(struct rpc_call *call, const struct pipe *pipe)
{
    size_t queued = queued_octets(call);
    if (pipe->high > 0 && queued >= pipe->high && !call->stopped) {
        call_stop_reading(call, true);
        TRACE(TRACE_PIPE, "call %u: %zu octets queued, reading stops", call->wire.id, queued);
    }
}

/* The end of a request's last pipe is told when the request has ended too: an
 * answer must not overtake its last fragment (wire.md 5.4). */
bool pipe_at_end(const struct pipe *pipe)
{
    const struct rpc_call *call = pipe->call;
    return pipe_rx_ended(&pipe->rx) && !(call->server && call->receiving == call->pipe_count &&
                               call->wire.state == CALL_REQUEST);
}

/* A pull that had to wait has something to fetch now. */
static void wake_pull(struct rpc_call *call)
{
    for (unsigned i = 0; i < call->pipe_count; i++) {
        struct pipe *pipe = &call->pipes[i];
        if (pipe->receive_armed && (pipe_rx_elements(&pipe->rx) > 0 || pipe_at_end(pipe))) {
            pipe->receive_armed = false;
            pipe_wait_end(pipe, 0);
            notify_post(call, NOTIFY_RECEIVE);
        }
    }
}

static RPC_STATUS pipe_arrived(struct rpc_call *call, struct rxbuf *buf, const uint8_t *octets,
                               size_t len, uint64_t offset, size_t *ret_used)
{
    struct pipe *pipe = &call->pipes[call->receiving];
    if (!pipe_rx_begun(&pipe->rx))
        pipe_rx_begin(&pipe->rx, offset, call->wire.little_endian);
    RPC_STATUS status = pipe_rx_arrived(&pipe->rx, buf, octets, len, ret_used);
    if (status != RPC_S_OK)
        return status;
    if (pipe_rx_ended(&pipe->rx))
        call->receiving = (uint16_t)call_next_receiving(call, call->receiving + 1u);
    check_high_mark(call, pipe);
    wake_pull(call);
    return RPC_S_OK;
}

RPC_STATUS call_arrived(struct rpc_call *call, struct rxbuf *buf, const uint8_t *octets,
                        size_t len, bool last)
{
    RPC_STATUS status = RPC_S_OK;
    uint64_t offset = call->wire.rx_stub - len;
    bool pipes_first = !call->server || call->stub_done;
    while (len > 0 && status == RPC_S_OK) {
        size_t used = len;
        if (pipes_first && call->receiving < call->pipe_count) {
            status = pipe_arrived(call, buf, octets, len, offset, &used);
        } else if (!call->server || !call->stub_done) {
            status = gather(call, octets, len, offset);
        } /* else: behind a request's last pipe only a verification trailer may come */
        octets += used;
        len -= used;
        offset += used;
    }
    /* The stub ends inside a pipe (wire.md 3.1). */
    if (status == RPC_S_OK && last && pipes_first && call->receiving < call->pipe_count)
        status = RPC_X_BAD_STUB_DATA;
    if (status == RPC_S_OK && last)
        wake_pull(call);
    return status;
}

/* ---- The end -------------------------------------------------------------- */

/* No PDU finds the call any more. */
static void unlink_call(struct rpc_call *call)
{
    if (call_waits(call))
        client_begin_leave(call);
    if (!call->wire.assoc)
        return;
    call_end(&call->wire);
    if (call->pipe_count > 0)
        call->conn->pipe_calls--;
    call_stop_reading(call, false);
    call_look(call, false);
    forget_send_mark(call);
    if (!call->server && !call->nested)
        client_call_left(call);
    call_put(call); /* the association's reference; the caller has one */
}

void call_fail(struct rpc_call *call, RPC_STATUS status)
{
    if (call->over)
        return;
    call_get(call);
    TRACE(TRACE_CALL, "call %u %s: fails with %s", call->wire.id, call->op->name,
          status_name(status) ? status_name(status) : "a code of the application");
    call->over = true;
    call->status = status;
    call->cancelled = true;
    client_clear_deadline(call);
    error_on_failure(call, status);
    bool pushing = call->send_mark != 0;
    unlink_call(call);
    bool pulling = false;
    for (unsigned i = 0; i < call->pipe_count; i++) {
        pulling = pulling || call->pipes[i].receive_armed;
        call->pipes[i].receive_armed = false;
        pipe_wait_end(&call->pipes[i], 0);
        pipe_rx_drop(&call->pipes[i].rx);
    }
    /* A client hears of failures as RpcCallComplete, and of nothing before it that it has
     * not been told yet: who waits for the end alone would leave that unread, and the end
     * would never be told (AR-28).  A server has no such event: what it waits for comes,
     * and its next push or pull fails (api.md AP-19, AP-42). */
    if (!call->server) {
        notify_drop(call);
        notify_post(call, NOTIFY_COMPLETE);
    } else {
        if (pushing)
            notify_post(call, NOTIFY_SEND);
        if (pulling)
            notify_post(call, NOTIFY_RECEIVE);
        if (!conn_alive(call->conn))
            subscriptions_post(call, RpcNotificationClientDisconnect);
    }
    conn_notify(call->conn);
    if (call->server && !call->dispatched)
        call_release(call, status); /* nobody else will */
    call_put(call);
}

void call_break(struct rpc_call *call, RPC_STATUS status)
{
    if (call->wire.assoc && conn_alive(call->conn)) {
        if (call->nested && !call->server) /* no PDU ends the peer's part of it */
            conn_fail(call->conn, status);
        else if (call->server)
            error_send_fault(call, status, false, ERROR_AT_DISCIPLINE);
        else
            call_orphan(&call->wire);
    }
    call_fail(call, status);
}

void call_finish(struct rpc_call *call)
{
    call_get(call);
    call->over = true;
    client_clear_deadline(call);
    unlink_call(call);
    call_put(call);
}

void call_release(struct rpc_call *call, RPC_STATUS status)
{
    call_get(call);
    call->released = true;
    client_clear_deadline(call);
    notify_drop(call);
    subscriptions_drop(call);
    unlink_call(call);
    handle_close(call->handle, status != RPC_S_OK ? status : RPC_S_INVALID_ASYNC_HANDLE);
    call->async = NULL;
    call_put(call);
}
