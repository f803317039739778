/* SPDX-License-Identifier: MIT */
/* server_order.c - in which order the calls of one connection begin: as their requests
 * arrived (causal ordering, api.md AR-9; docs/design/order.md).
 *
 *   request > starts: [B][C][D] > starting: A > its manager
 *                                             synchronous: the next begins when A is entered
 *                                             asynchronous: when A has returned, that is,
 *                                             handed off, or is overdue
 *
 * Only beginnings are in line: managers run beside each other, and end as they like. */
#include "runtime/server_call.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"

static void begin(struct conn *conn, struct rpc_call *call)
{
    conn->starting = call;
    conn->entered_us = 0;
    reactor_submit(&call->job);
}

void order_submit(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    call_get(call);
    if (!conn->starting) {
        begin(conn, call);
        return;
    }
    list_append(&conn->starts, &call->job.node);
    reactor_touch(&conn->watch); /* the tick looks whether the other is overdue */
}

void order_leave(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    if (conn->starting != call)
        return;
    conn->starting = NULL;
    struct list *next = list_pop(&conn->starts);
    if (next)
        begin(conn, list_entry(next, struct rpc_call, job.node));
}

/* Does a manager of the operation keep its thread right now?  Then the operation hands
 * nothing off, and waiting for one after the other would serialise what they do. */
static bool is_slow(const struct conn *conn, const NDR_OPERATION *op)
{
    for (const struct rpc_call *call = conn->overdue; call; call = call->next_overdue)
        if (call->op == op)
            return true;
    return false;
}

void order_enter(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    if (conn->starting != call)
        return;
    if (!(call->op->flags & NDR_OP_ASYNC) || is_slow(conn, call->op))
        order_leave(call);
    else
        conn->entered_us = (uint32_t)clock_us() | 1u;
}

/* How long the manager of the starting call has run.  Both with the lowest bit: none is later. */
static uint32_t entered_for_us(const struct conn *conn)
{
    return ((uint32_t)clock_us() | 1u) - conn->entered_us;
}

bool order_gathers(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    if (conn->starting != call || conn->entered_us == 0)
        return false;
    if (conn->prompt_op != call->op->opnum || entered_for_us(conn) >= LIMIT_GATHER_RUN_US)
        conn->prompt_runs = 0;
    conn->prompt_op = (uint16_t)call->op->opnum;
    if (!conn_is_prompt(conn) || list_empty(&conn->starts))
        return false;
    const struct rpc_call *next = list_entry(conn->starts.next, struct rpc_call, job.node);
    if (next->op != call->op || next->pipe_count > 0)
        return false;
    conn->unsent_reply = conn->unsent_now = true;
    return true;
}

void order_return(struct rpc_call *call)
{
    struct conn *conn = call->conn;
    /* The one before waits, and this one's reply did not go with it, nor after it: it handed
     * off. */
    bool alone = conn->unsent_reply && !(conn->unsent_now && conn->starting == call);
    conn->unsent_now = false;
    if (alone) {
        conn->unsent_reply = false;
        if (txq_len(&conn->assoc.txq) > 0)
            conn_flush(conn);
    }
    struct rpc_call **at = &conn->overdue;
    while (*at && *at != call)
        at = &(*at)->next_overdue;
    if (*at)
        *at = call->next_overdue;
    order_leave(call);
}

void order_check(struct conn *conn)
{
    if (conn->assoc.role != ASSOC_SERVER || list_empty(&conn->starts))
        return;
    struct rpc_call *call = conn->starting;
    if (conn->entered_us != 0 && entered_for_us(conn) >= LIMIT_HAND_OFF_MS * 1000u) {
        TRACE(TRACE_CALL, "call %u %s: overdue, others begin", call->wire.id, call->op->name);
        call->next_overdue = conn->overdue;
        conn->overdue = call;
        order_leave(call);
    }
    if (!list_empty(&conn->starts))
        reactor_touch(&conn->watch);
}
