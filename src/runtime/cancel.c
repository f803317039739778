/* SPDX-License-Identifier: MIT */
/* cancel.c - a client's calls that are to end before their answer: cancelled, given up, or
 * past their deadline (docs/design/cancel.md).  What the server hears is in wire.md 5.5. */
#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/client_begin.h"

/* What a full transport has not taken is sent by the reactor: the thread that makes a
 * synchronous call may be receiving. */
static void send_later(struct conn *conn)
{
    if (txq_len(&conn->assoc.txq) > 0 && reactor_start())
        conn_watch(conn);
    conn_settle(conn, CONN_ARM_NOW);
}

static void ask_to_end(struct rpc_call *call)
{
    TRACE(TRACE_CALL, "call %u %s: cancel asked for", call->wire.id, call->op->name);
    if (call_cancel(&call->wire) == RPC_S_OK)
        conn_flush(call->conn);
    send_later(call->conn);
}

void client_give_up(struct rpc_call *call, RPC_STATUS status)
{
    if (call->over)
        return;
    struct conn *conn = call->conn;
    TRACE(TRACE_CALL, "call %u %s: abandoned", call->wire.id, call->op->name);
    if (call_waits(call)) { /* the server knows nothing of it */
        call_fail(call, status);
        conn_settle(conn, CONN_ARM_NOW);
        return;
    }
    /* On a connection of its own the call is orphaned and the connection closed:
     * servers take that at once.  On a shared one only a cancel can be sent
     * (wire.md 5.5); a late answer is dropped. */
    if (conn->shared)
        call_cancel(&call->wire);
    else
        call_orphan(&call->wire);
    call->leaving = true; /* flushing drops the lock */
    conn_flush(conn);
    if (!call->over && (call->nested || call_nested(&call->wire)))
        conn_fail(conn, status); /* no PDU ends one of several calls inside each other */
    if (!call->over)
        call_fail(call, status);
    conn_settle(conn, CONN_ARM_NOW);
}

RPC_STATUS client_cancel(struct rpc_call *call, bool abort)
{
    if (call->over)
        return RPC_S_OK;
    if (abort || call_waits(call))
        client_give_up(call, RPC_S_CALL_CANCELLED);
    else
        ask_to_end(call);
    return RPC_S_OK;
}

/* ---- Deadlines ------------------------------------------------------------------ */

uint64_t client_deadline_us(const struct rpc_call *call)
{
    return call->rare ? call->rare->deadline_us : 0;
}

static void on_deadline(struct counted *object)
{
    struct rpc_call *call = list_entry(object, struct rpc_call, object);
    call_lock(call);
    /* It may have been moved or taken back before we got here. */
    if (client_deadline_us(call) != 0 && client_deadline_us(call) <= clock_us()) {
        TRACE(TRACE_CALL, "call %u %s: its deadline has passed", call->wire.id, call->op->name);
        client_give_up(call, call->rare->deadline_status);
    }
    conn_unlock(call->conn);
}

/* Once: a deadline that has just passed is being looked at while the next is set. */
void client_init_deadline(struct rpc_call *call)
{
    call->rare->timer.object = &call->object;
    call->rare->timer.expired = on_deadline;
}

RPC_STATUS client_set_deadline(struct rpc_call *call, uint64_t due_us, RPC_STATUS status)
{
    if (call->over)
        return RPC_S_OK;
    if (due_us == 0) {
        client_clear_deadline(call);
        return RPC_S_OK;
    }
    struct call_rare *rare = call_rare(call);
    if (!rare)
        return RPC_S_OUT_OF_RESOURCES;
    if (!timer_set(&rare->timer, due_us))
        return RPC_S_OUT_OF_RESOURCES;
    rare->deadline_us = due_us;
    rare->deadline_status = status;
    return RPC_S_OK;
}

void client_clear_deadline(struct rpc_call *call)
{
    if (client_deadline_us(call) == 0)
        return;
    call->rare->deadline_us = 0;
    timer_clear(&call->rare->timer);
}
