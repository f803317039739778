/* SPDX-License-Identifier: MIT */
/* subscribe.c - see subscribe.h.
 *
 * A notification that was queued lives on after the call and its subscription: the
 * application learns from RpcServerUnsubscribeForNotification how many there were, and
 * waits for those it has not got. */
#include "runtime/subscribe.h"

#include <stdlib.h>

#include <penstock/rpc.h>

#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/server_call.h"

#define KNOWN ((unsigned)RpcNotificationClientDisconnect | (unsigned)RpcNotificationCallCancel)

struct subscription {
    struct counted object; /* by the call; by what is queued */
    RPC_NOTIFICATION_TYPES type;
    RPC_ASYNC_NOTIFICATION_INFO info;
    RPC_ASYNC_EVENT event;
    PRPC_ASYNC_STATE who;        /* a synchronous call is known by its binding handle */
    struct win32_thread *thread; /* of an APC, counted */
    union {
        struct io_job job;
        struct win32_apc apc;
        struct win32_packet packet;
    };
};

static void destroy(struct counted *object)
{
    struct subscription *subscription = list_entry(object, struct subscription, object);
    if (subscription->thread)
        win32_thread_put(subscription->thread);
    free(subscription);
}

static unsigned index_of(unsigned which)
{
    return which == (unsigned)RpcNotificationClientDisconnect ? 0 : 1;
}

/* ---- Telling ---------------------------------------------------------------- */

static void run_callback(struct io_job *job)
{
    struct subscription *subscription = list_entry(job, struct subscription, job);
    pipe_in_callback++;
    subscription->info.NotificationRoutine(subscription->who, NULL, subscription->event);
    pipe_in_callback--;
    counted_put(&subscription->object);
}

static void run_apc(struct win32_apc *apc, bool dropped)
{
    struct subscription *subscription = list_entry(apc, struct subscription, apc);
    if (!dropped)
        subscription->info.APC.NotificationRoutine(subscription->who, NULL, subscription->event);
    counted_put(&subscription->object);
}

static void packet_taken(struct win32_packet *packet)
{
    counted_put(&list_entry(packet, struct subscription, packet)->object);
}

/* Takes the caller's reference. */
static void tell(struct subscription *subscription)
{
    const RPC_ASYNC_NOTIFICATION_INFO *info = &subscription->info;
    bool queued = false;
    switch (subscription->type) {
    case RpcNotificationTypeCallback:
        subscription->job = (struct io_job){.run = run_callback};
        reactor_submit(&subscription->job);
        queued = true;
        break;
    case RpcNotificationTypeApc:
        subscription->apc = (struct win32_apc){.run = run_apc};
        queued = win32_thread_queue(subscription->thread, &subscription->apc);
        break;
    case RpcNotificationTypeIoc:
        subscription->packet =
            (struct win32_packet){.bytes = info->IOC.dwNumberOfBytesTransferred,
                                  .key = info->IOC.dwCompletionKey,
                                  .overlapped = info->IOC.lpOverlapped,
                                  .taken = packet_taken};
        queued = win32_port_post(info->IOC.hIOPort, &subscription->packet);
        break;
    case RpcNotificationTypeEvent:
        event_set(info->hEvent);
        break;
    case RpcNotificationTypeNone:
    case RpcNotificationTypeHwnd:
        break; /* not taken */
    }
    if (!queued)
        counted_put(&subscription->object);
}

void subscriptions_post(struct rpc_call *call, RPC_NOTIFICATIONS which)
{
    struct subscriptions *subscriptions = call->rare ? &call->rare->subscriptions : NULL;
    struct subscription *subscription =
        subscriptions ? subscriptions->of[index_of((unsigned)which)] : NULL;
    if (call->happened & (unsigned)which)
        return; /* each is told once */
    call->happened |= (uint8_t)which;
    if (!subscription || call->released)
        return;
    TRACE(TRACE_CALL, "call %u %s: tells of %s", call->wire.id, call->op->name,
          which == RpcNotificationClientDisconnect ? "a disconnect" : "a cancel");
    subscriptions->queued++;
    counted_get(&subscription->object);
    tell(subscription);
}

void subscriptions_drop(struct rpc_call *call)
{
    for (unsigned i = 0; call->rare && i < 2; i++) {
        struct subscription **at = &call->rare->subscriptions.of[i];
        if (*at)
            counted_put(&(*at)->object);
        *at = NULL;
    }
}

/* ---- Subscribing -------------------------------------------------------------- */

static RPC_STATUS check(unsigned notification, RPC_NOTIFICATION_TYPES type,
                        const RPC_ASYNC_NOTIFICATION_INFO *info)
{
    bool ok = false;
    if (notification & ~KNOWN)
        return RPC_S_CANNOT_SUPPORT;
    if (notification == 0 || !info)
        return RPC_S_INVALID_ARG;
    switch (type) {
    case RpcNotificationTypeEvent: /* cannot say which it is: one each */
        ok = notification != KNOWN && win32_is_event(info->hEvent);
        break;
    case RpcNotificationTypeApc:
        ok = info->APC.NotificationRoutine && info->APC.hThread &&
             win32_is_thread(info->APC.hThread);
        break;
    case RpcNotificationTypeIoc:
        ok = win32_is_port(info->IOC.hIOPort);
        break;
    case RpcNotificationTypeCallback:
        ok = info->NotificationRoutine != NULL;
        break;
    case RpcNotificationTypeHwnd:
        return RPC_S_CANNOT_SUPPORT;
    case RpcNotificationTypeNone:
        break;
    }
    return ok ? RPC_S_OK : RPC_S_INVALID_ARG;
}

static struct subscription *subscription_new(const struct rpc_call *call, unsigned which,
                                             RPC_NOTIFICATION_TYPES type,
                                             const RPC_ASYNC_NOTIFICATION_INFO *info)
{
    struct subscription *subscription = calloc(1, sizeof(*subscription));
    if (!subscription)
        return NULL;
    counted_init(&subscription->object, destroy);
    subscription->type = type;
    subscription->info = *info;
    subscription->event = which == (unsigned)RpcNotificationClientDisconnect ? RpcClientDisconnect
                                                                             : RpcClientCancel;
    subscription->who = call->async ? call->async : (void *)(uintptr_t)call->handle;
    if (type == RpcNotificationTypeApc)
        subscription->thread = win32_thread_from_handle(info->APC.hThread);
    if (type == RpcNotificationTypeApc && !subscription->thread) {
        free(subscription); /* the handle was closed meanwhile */
        subscription = NULL;
    }
    return subscription;
}

/* Lock held. */
static RPC_STATUS subscribe(struct rpc_call *call, unsigned notification,
                            RPC_NOTIFICATION_TYPES type, const RPC_ASYNC_NOTIFICATION_INFO *info)
{
    if (call->released)
        return RPC_S_INVALID_BINDING;
    if (!call_rare(call))
        return RPC_S_OUT_OF_MEMORY;
    struct subscriptions *subscriptions = &call->rare->subscriptions;
    for (unsigned which = 1; which <= KNOWN; which <<= 1)
        if (notification & which && subscriptions->of[index_of(which)])
            return RPC_S_INVALID_ARG;
    struct subscription *new[2] = {NULL, NULL};
    for (unsigned which = 1; which <= KNOWN; which <<= 1) {
        if (!(notification & which))
            continue;
        new[index_of(which)] = subscription_new(call, which, type, info);
        if (!new[index_of(which)]) { /* both or none */
            if (new[0])
                counted_put(&new[0]->object);
            return RPC_S_OUT_OF_MEMORY;
        }
    }
    for (unsigned which = 1; which <= KNOWN; which <<= 1) {
        if (!(notification & which))
            continue;
        subscriptions->of[index_of(which)] = new[index_of(which)];
        if (call->happened & which) { /* it is too late to wait for it */
            call->happened &= (uint8_t)~which;
            subscriptions_post(call, (RPC_NOTIFICATIONS)which);
        }
    }
    return RPC_S_OK;
}

RPC_STATUS RpcServerSubscribeForNotification(RPC_BINDING_HANDLE Binding, DWORD Notification,
                                             RPC_NOTIFICATION_TYPES NotificationType,
                                             RPC_ASYNC_NOTIFICATION_INFO *NotificationInfo)
{
    struct rpc_call *call;
    RPC_STATUS status = check(Notification, NotificationType, NotificationInfo);
    if (status == RPC_S_OK)
        status = server_call_get(Binding, &call);
    if (status != RPC_S_OK)
        return status;
    if (NotificationType == RpcNotificationTypeCallback && !reactor_start()) {
        call_put(call);
        return RPC_S_OUT_OF_THREADS;
    }
    conn_lock(call->conn);
    status = subscribe(call, Notification, NotificationType, NotificationInfo);
    conn_unlock(call->conn);
    call_put(call);
    return status;
}

RPC_STATUS RpcServerUnsubscribeForNotification(RPC_BINDING_HANDLE Binding,
                                               RPC_NOTIFICATIONS Notification,
                                               unsigned long *NotificationsQueued)
{
    struct rpc_call *call;
    if (Notification != RpcNotificationClientDisconnect &&
        Notification != RpcNotificationCallCancel)
        return RPC_S_CANNOT_SUPPORT;
    if (!NotificationsQueued)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = server_call_get(Binding, &call);
    if (status != RPC_S_OK)
        return status;
    conn_lock(call->conn);
    struct subscriptions *subscriptions = call->rare ? &call->rare->subscriptions : NULL;
    struct subscription **at =
        subscriptions ? &subscriptions->of[index_of((unsigned)Notification)] : NULL;
    *NotificationsQueued = subscriptions ? subscriptions->queued : 0;
    if (at && *at) {
        counted_put(&(*at)->object);
        *at = NULL;
    } else {
        status = RPC_S_INVALID_ARG;
    }
    conn_unlock(call->conn);
    call_put(call);
    return status;
}
