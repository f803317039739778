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
 * An event is set, an APC or a packet queued with the lock held: nothing of the
 * application runs by that, and the application cannot have closed the object yet.
 * Callbacks run on pool threads, APCs on their thread, with no lock held, one at a time
 * for a call.
 *
 * An application may react before it has taken the packet or run the APC of the last
 * notification.  Then that one tells the next event as well: what is read is never
 * older than what the state's Event says, and nothing is told twice. */
#include <penstock/rpcnterr.h>

#include "base/delay.h"
#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/pipe.h"
#include "win32/win32.h"

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
        notify->due &= (uint8_t)~NOTIFY_SEND;
        event = RpcSendComplete;
    } else if (notify->due & NOTIFY_RECEIVE) {
        notify->due &= (uint8_t)~NOTIFY_RECEIVE;
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
    struct rpc_call *call = list_entry(job, struct rpc_call, job);
    struct conn *conn = call->conn;
    conn_lock(conn);
    while (call->notify.due && !call->released && call->async &&
           call->async->NotificationType == RpcNotificationTypeCallback) {
        RPC_ASYNC_EVENT event = take_next(call);
        PRPC_ASYNC_STATE async = call->async;
        PFN_RPCNOTIFICATION_ROUTINE routine = async->u.NotificationRoutine;
        conn_unlock(conn);
        pipe_in_callback++;
        DELAY_POINT();
        if (routine)
            routine(async, NULL, event);
        pipe_in_callback--;
        conn_lock(conn);
    }
    call->notify.delivering = false;
    /* The routine did not end the call, and somebody else tried to go on with it. */
    if (!call_asks_send_complete(call))
        call->notify.owed &= (uint8_t)~NOTIFY_SEND;
    if (!call->released)
        call->notify.due |= call->notify.owed;
    call->notify.owed = 0;
    notify_pump(call); /* the application may have changed the type */
    conn_unlock(conn);
    call_put(call);
}

/* ---- Asynchronous procedure calls and packets ------------------------------- */

static void run_apc(struct win32_apc *apc, bool dropped)
{
    struct rpc_call *call = list_entry(apc, struct rpc_call, apc);
    struct conn *conn = call->conn;
    conn_lock(conn);
    call->notify.queued = false;
    if (!dropped && !call->released && call->async) { /* else the state may be gone */
        RPC_ASYNC_EVENT event = (RPC_ASYNC_EVENT)call->notify.event;
        PRPC_ASYNC_STATE async = call->async;
        PFN_RPCNOTIFICATION_ROUTINE routine = async->u.APC.NotificationRoutine;
        conn_unlock(conn);
        DELAY_POINT();
        if (routine)
            routine(async, NULL, event);
        conn_lock(conn);
    }
    if (!call->notify.queued)
        call->notify.unread = false;
    notify_pump(call);
    conn_unlock(conn);
    call_put(call);
}

static void packet_taken(struct win32_packet *packet)
{
    struct rpc_call *call = list_entry(packet, struct rpc_call, packet);
    struct conn *conn = call->conn;
    conn_lock(conn);
    call->notify.queued = false;
    notify_pump(call);
    conn_unlock(conn);
    call_put(call);
}

static bool queue_apc(struct rpc_call *call)
{
    HANDLE handle = call->async->u.APC.hThread;
    struct win32_thread *issuer = call->server ? NULL : call->issuer;
    struct win32_thread *thread = handle ? win32_thread_from_handle(handle) : issuer;
    if (!thread) /* a server must name one; or the handle was closed */
        return false;
    call->apc = (struct win32_apc){.run = run_apc};
    bool queued = win32_thread_queue(thread, &call->apc);
    if (handle)
        win32_thread_put(thread);
    return queued;
}

static bool queue_packet(struct rpc_call *call)
{
    const RPC_ASYNC_STATE *async = call->async;
    call->packet =
        (struct win32_packet){.bytes = async->u.IOC.dwNumberOfBytesTransferred,
                              .key = async->u.IOC.dwCompletionKey,
                              .overlapped = async->u.IOC.lpOverlapped,
                              .taken = packet_taken};
    return win32_port_post(async->u.IOC.hIOPort, &call->packet);
}

/* `queue` puts a node of the call where its reader finds it. */
static void tell_by_queue(struct rpc_call *call, bool (*queue)(struct rpc_call *))
{
    struct notify *notify = &call->notify;
    notify->event = (uint8_t)take_next(call);
    notify->unread = true;
    call->conn->expect_user = true;
    if (notify->queued)
        return; /* the one not read yet tells this one as well */
    call_get(call);
    notify->queued = true;
    if (queue(call))
        return;
    TRACE(TRACE_CALL, "call %u %s: nobody there to tell", call->wire.id, call->op->name);
    notify->queued = false;
    call_put(call); /* not the last: the caller works on it */
}

void notify_pump(struct rpc_call *call)
{
    struct notify *notify = &call->notify;
    if (!notify->due || notify->unread || notify->delivering || call->released || !call->async)
        return;
    switch (call->async->NotificationType) {
    case RpcNotificationTypeEvent:
        take_next(call);
        notify->unread = true;
        call->conn->expect_user = true;
        event_set(call->async->u.hEvent);
        return;
    case RpcNotificationTypeCallback:
        if (notify->queued)
            return; /* the type was changed: the node is in use until it is read */
        notify->delivering = true;
        call->job = (struct io_job){.run = run_callbacks};
        call->conn->expect_user = true;
        call_get(call);
        reactor_submit(&call->job);
        return;
    case RpcNotificationTypeApc:
        tell_by_queue(call, queue_apc);
        return;
    case RpcNotificationTypeIoc:
        tell_by_queue(call, queue_packet);
        return;
    case RpcNotificationTypeNone:
    case RpcNotificationTypeHwnd: /* a client's stub refused it */
        break;
    }
    notify->due = 0; /* the application polls */
}

void notify_post(struct rpc_call *call, enum notify_bit bit)
{
    if (!call->async || call->released)
        return;
    call->notify.due |= (uint8_t)bit;
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
