/* SPDX-License-Identifier: MIT */
/* notify.c - telling the application.
 *
 * RPC_ASYNC_STATE.Event is one field, so at most one notification of a call may be
 * unread: the next waits until the application reacts with a call of its own
 * (api.md AR-28).  A callback gets the event as an argument, so its return counts
 * as the reaction.
 *
 *            post            deliver                ack / callback returns
 *   quiet ----------> due --------------> unread ---------------------------> quiet
 *                      ^                    |  further posts stay due
 *                      +--------------------+
 *
 * An event is set with the lock held: nothing of the application runs by that, and
 * the application cannot have closed it yet.  Callbacks run on pool threads with no
 * lock held, one at a time for a call. */
#include <penstock/rpcnterr.h>

#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/event.h"

static const char *event_name(RPC_ASYNC_EVENT event)
{
    static const char *const names[] = {"RpcCallComplete", "RpcSendComplete",
                                        "RpcReceiveComplete"};
    return event <= RpcReceiveComplete ? names[event] : "?";
}

/* Takes the next notification off `due` and writes it where the application looks. */
static RPC_ASYNC_EVENT take_next(struct rpc_call *call)
{
    struct notify *notify = &call->notify;
    RPC_ASYNC_EVENT event = RpcCallComplete;
    if (notify->due & NOTIFY_SEND) {
        notify->due &= ~(unsigned)NOTIFY_SEND;
        event = RpcSendComplete;
    } else if (notify->due & NOTIFY_RECEIVE) {
        notify->due &= ~(unsigned)NOTIFY_RECEIVE;
        event = RpcReceiveComplete;
    } else {
        notify->due = 0;
        notify->completed = true;
    }
    call->async->Event = event;
    TRACE(TRACE_CALL, "call %u %s: %s", call->wire.id, call->op->name, event_name(event));
    return event;
}

/* A pool thread: delivers callbacks as long as there are any. */
static void run_callbacks(struct io_job *job)
{
    struct rpc_call *call = list_entry(job, struct rpc_call, notify.job);
    struct conn *conn = call->conn;
    conn_lock(conn);
    while (call->notify.due && !call->released &&
           call->async->NotificationType == RpcNotificationTypeCallback) {
        RPC_ASYNC_EVENT event = take_next(call);
        PRPC_ASYNC_STATE async = call->async;
        PFN_RPCNOTIFICATION_ROUTINE routine = async->u.NotificationRoutine;
        conn_unlock(conn);
        pipe_in_callback++;
        if (routine)
            routine(async, NULL, event);
        pipe_in_callback--;
        conn_lock(conn);
    }
    call->notify.delivering = false;
    notify_pump(call); /* the application may have changed the type */
    conn_unlock(conn);
    call_put(call);
}

void notify_pump(struct rpc_call *call)
{
    struct notify *notify = &call->notify;
    if (!notify->due || notify->unread || notify->delivering || call->released ||
        call->starting || !call->async)
        return;
    switch (call->async->NotificationType) {
    case RpcNotificationTypeEvent:
        take_next(call);
        notify->unread = true;
        call->conn->expect_user = true;
        event_set(call->async->u.hEvent);
        return;
    case RpcNotificationTypeCallback:
        notify->delivering = true;
        notify->job.run = run_callbacks;
        call->conn->expect_user = true;
        call_get(call);
        reactor_submit(&notify->job);
        return;
    case RpcNotificationTypeNone:
    case RpcNotificationTypeApc:
    case RpcNotificationTypeIoc:
    case RpcNotificationTypeHwnd:
        break; /* a client's stub refused those we cannot deliver */
    }
    notify->due = 0; /* the application polls */
}

void notify_post(struct rpc_call *call, enum notify_bit bit)
{
    if (!call->async || call->released)
        return;
    call->notify.due |= bit;
    notify_pump(call);
}

void notify_ack(struct rpc_call *call)
{
    call->notify.unread = false;
}

void notify_drop(struct rpc_call *call)
{
    call->notify.due = 0;
}
