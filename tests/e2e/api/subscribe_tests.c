/* SPDX-License-Identifier: MIT */
/* subscribe_tests.c - RpcServerSubscribeForNotification: what a server hears of its
 * client (AR-13, AR-21). */
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "api.h"

#define BOTH (RpcNotificationClientDisconnect | RpcNotificationCallCancel)

/* What the server's routines were told; written there. */
#define HEARD_MAX 4
static BOTH_SIDES struct {
    _Atomic unsigned count;
    _Atomic PRPC_ASYNC_STATE who[HEARD_MAX];
    _Atomic RPC_ASYNC_EVENT events[HEARD_MAX];
} heard;

static void hear(PRPC_ASYNC_STATE who, void *context, RPC_ASYNC_EVENT event)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    CHECK(!context);
    pthread_mutex_lock(&lock);
    const unsigned count = heard.count;
    CHECK(in_server() && count < HEARD_MAX);
    heard.who[count] = who;
    heard.events[count] = event;
    heard.count = count + 1; /* the last: who sees it may read the rest */
    pthread_mutex_unlock(&lock);
}

static unsigned heard_count(void)
{
    return heard.count;
}

/* At once, and no more than that. */
static void await_heard(unsigned count)
{
    uint64_t begin = now_ms();
    while (heard_count() < count)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(heard_count(), count);
}

static RPC_ASYNC_NOTIFICATION_INFO by_callback(void)
{
    RPC_ASYNC_NOTIFICATION_INFO info;
    memset(&info, 0, sizeof(info));
    info.NotificationRoutine = hear;
    return info;
}

static long long subscribe_callback_there(struct served *served, long long which, long long b)
{
    RPC_ASYNC_NOTIFICATION_INFO info = by_callback();
    (void)b;
    CHECK_EQUAL(RpcServerSubscribeForNotification(RpcAsyncGetCallHandle(served->there.async),
                                                  (DWORD)which, RpcNotificationTypeCallback,
                                                  &info),
                RPC_S_OK);
    memset(&info, 0xee, sizeof(info)); /* it was copied */
    return 0;
}

static void subscribe_callback(struct served *served, DWORD which)
{
    far(subscribe_callback_there, served, which, 0);
}

static long long unsubscribe_there(struct served *served, long long which, long long b)
{
    unsigned long queued = 77;
    (void)b;
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(RpcAsyncGetCallHandle(served->there.async),
                                                    (RPC_NOTIFICATIONS)which, &queued),
                RPC_S_OK);
    return (long long)queued;
}

static unsigned long unsubscribe(struct served *served, RPC_NOTIFICATIONS which)
{
    return (unsigned long)far(unsubscribe_there, served, which, 0);
}

/* AR-13: both kinds of cancel, once, whatever follows. */
static void hears_cancels(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t reply = 1, result;
    for (int way = 0; way < 4; way++) {
        struct caller caller;
        const bool abortive = way != 0;
        heard.count = 0;
        struct served *served = start_call(&caller, h, way == 3 ? IN_PIPE : PLAIN, 0);
        subscribe_callback(served, BOTH);
        sleep_ms(NEVER_MS);
        CHECK_EQUAL(heard_count(), 0);
        if (way >= 2) /* asked first */
            CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
        if (way >= 2)
            sleep_ms(NEVER_MS);
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, abortive), RPC_S_OK);
        RpcAsyncCancelCall(&caller.async, FALSE);
        await_heard(1); /* also of a connection of its own, which ends with it */
        CHECK(heard.who[0] == served->there.async);
        CHECK_EQUAL(heard.events[0], RpcClientCancel);
        CHECK_EQUAL(unsubscribe(served, RpcNotificationCallCancel), 1);
        CHECK_EQUAL(unsubscribe(served, RpcNotificationClientDisconnect), 1);
        RPC_STATUS status = served_complete(served, &reply);
        EXPECT(&caller, RpcCallComplete);
        if (abortive) {
            CHECK_EQUAL(complete(&caller, &result), RPC_S_CALL_CANCELLED);
        } else {
            CHECK_EQUAL(status, RPC_S_OK);
            CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        }
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-21: the client's process dies. */
static void hears_disconnect(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t reply = 1;
    struct child client = spawn_client("plain");
    struct served *served = accept_call();
    child_ready(&client);
    subscribe_callback(served, BOTH);
    child_kill(&client, SIGKILL);
    await_heard(1);
    CHECK(heard.who[0] == served->there.async);
    CHECK_EQUAL(heard.events[0], RpcClientDisconnect);
    CHECK_EQUAL(unsubscribe(served, RpcNotificationClientDisconnect), 1);
    CHECK(served_complete(served, &reply) != RPC_S_OK);
    CHECK_USABLE(h);
    served_free(served);
    child_stop(&client);
    RpcBindingFree(&h);
}

/* What has happened before somebody asks is told at once. */
static void hears_what_was(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    uint64_t begin = now_ms();
    while (served_test_cancel(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    subscribe_callback(served, RpcNotificationCallCancel);
    await_heard(1);
    CHECK_EQUAL(heard.events[0], RpcClientCancel);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK); /* still subscribed */
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* Taken back, or the call over: nothing more is told. */
static void hears_nothing_afterwards(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    subscribe_callback(served, RpcNotificationCallCancel);
    CHECK_EQUAL(unsubscribe(served, RpcNotificationCallCancel), 0);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(heard_count(), 0);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);

    struct child client = spawn_client("plain");
    served = accept_call();
    child_ready(&client);
    subscribe_callback(served, BOTH);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    child_kill(&client, SIGKILL);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(heard_count(), 0);
    served_free(served);
    child_stop(&client);
    RpcBindingFree(&h);
}

static long long subscribe_object_there(struct served *served, long long type, long long object)
{
    RPC_ASYNC_NOTIFICATION_INFO info;
    HANDLE handle = (HANDLE)(uintptr_t)object;
    memset(&info, 0, sizeof(info));
    if (type == RpcNotificationTypeEvent) {
        info.hEvent = handle;
    } else if (type == RpcNotificationTypeApc) {
        info.APC.NotificationRoutine = hear;
        info.APC.hThread = handle;
    } else {
        info.IOC.hIOPort = handle;
        info.IOC.dwCompletionKey = 99;
    }
    return RpcServerSubscribeForNotification(RpcAsyncGetCallHandle(served->there.async),
                                             RpcNotificationCallCancel,
                                             (RPC_NOTIFICATION_TYPES)type, &info);
}

/* An object of the server's; a thread is the one that serves a test of one thread. */
static long long new_object_there(struct served *served, long long type, long long b)
{
    (void)served, (void)b;
    HANDLE handle = type == RpcNotificationTypeEvent ? CreateEvent(NULL, FALSE, FALSE, NULL)
                    : type == RpcNotificationTypeApc
                        ? OpenThread(THREAD_SET_CONTEXT, FALSE, GetCurrentThreadId())
                        : CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK(handle);
    return (long long)(uintptr_t)handle;
}

/* Told at once, and closed. */
static long long expect_object_there(struct served *served, long long type, long long object)
{
    HANDLE handle = (HANDLE)(uintptr_t)object;
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    (void)served;
    if (type == RpcNotificationTypeEvent) {
        CHECK_EQUAL(WaitForSingleObject(handle, AT_ONCE_MS), WAIT_OBJECT_0);
    } else if (type == RpcNotificationTypeApc) {
        CHECK_EQUAL(SleepEx(AT_ONCE_MS, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQUAL(heard_count(), 1);
        CHECK_EQUAL(heard.events[0], RpcClientCancel);
    } else {
        CHECK(GetQueuedCompletionStatus(handle, &bytes, &key, &overlapped, AT_ONCE_MS));
        CHECK_EQUAL(key, 99);
    }
    CHECK(CloseHandle(handle));
    return 0;
}

/* Event, port and APC, each as documented. */
static void hears_by_objects(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t reply = 1, result;
    for (int type = RpcNotificationTypeEvent; type <= RpcNotificationTypeIoc; type++) {
        struct caller caller;
        heard.count = 0;
        struct served *served = start_call(&caller, h, PLAIN, 0);
        const long long object = far(new_object_there, served, type, 0);
        CHECK_EQUAL(far(subscribe_object_there, served, type, object), RPC_S_OK);
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
        far(expect_object_there, served, type, object);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        served_free(served);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

/* A synchronous manager subscribes with NULL and is known by its binding handle. */
static void hears_in_a_synchronous_call(void)
{
    hold_info = by_callback(); /* before there are threads that read it */
    RPC_BINDING_HANDLE h = serve_here();
    uint64_t begin = now_ms();
    struct child client = spawn_client("hold");
    while (!holding())
        CHECK(now_ms() - begin < SOON_MS);
    child_kill(&client, SIGKILL);
    await_heard(1);
    CHECK((RPC_BINDING_HANDLE)(void *)heard.who[0] == held_handle);
    CHECK_EQUAL(heard.events[0], RpcClientDisconnect);
    hold_release();
    child_stop(&client);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static long long subscribe_wrongly_there(struct served *served, long long a, long long b)
{
    unsigned long queued = 5;
    RPC_ASYNC_NOTIFICATION_INFO info = by_callback(), empty;
    (void)a, (void)b;
    memset(&empty, 0, sizeof(empty));
    RPC_BINDING_HANDLE call = RpcAsyncGetCallHandle(served->there.async);
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    RPC_ASYNC_NOTIFICATION_INFO by_event = empty;
    by_event.hEvent = event;
    const struct {
        DWORD which;
        int type;
        RPC_ASYNC_NOTIFICATION_INFO *info;
        RPC_STATUS status;
    } rows[] = {
        {4, RpcNotificationTypeCallback, &info, RPC_S_CANNOT_SUPPORT},
        {BOTH | 8, RpcNotificationTypeCallback, &info, RPC_S_CANNOT_SUPPORT},
        {0, RpcNotificationTypeCallback, &info, RPC_S_INVALID_ARG},
        {BOTH, RpcNotificationTypeNone, &info, RPC_S_INVALID_ARG},
        {BOTH, RpcNotificationTypeHwnd, &info, RPC_S_CANNOT_SUPPORT},
        {BOTH, RpcNotificationTypeCallback, NULL, RPC_S_INVALID_ARG},
        {BOTH, RpcNotificationTypeCallback, &empty, RPC_S_INVALID_ARG},
        {BOTH, RpcNotificationTypeApc, &info, RPC_S_INVALID_ARG}, /* no thread */
        {BOTH, RpcNotificationTypeIoc, &empty, RPC_S_INVALID_ARG},
        {1, RpcNotificationTypeEvent, &empty, RPC_S_INVALID_ARG},
        {BOTH, RpcNotificationTypeEvent, &by_event, RPC_S_INVALID_ARG},
        {BOTH, 17, &info, RPC_S_INVALID_ARG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_EQUAL(RpcServerSubscribeForNotification(
                        call, rows[i].which, (RPC_NOTIFICATION_TYPES)rows[i].type, rows[i].info),
                    rows[i].status);
    RPC_BINDING_HANDLE clients = bind_text("ncalrpc:[nobody]");
    CHECK_EQUAL(RpcServerSubscribeForNotification(NULL, BOTH, RpcNotificationTypeCallback, &info),
                RPC_S_NO_CALL_ACTIVE);
    CHECK_EQUAL(RpcServerSubscribeForNotification(clients, BOTH, RpcNotificationTypeCallback,
                                                  &info),
                RPC_S_INVALID_BINDING);
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(call, RpcNotificationCallCancel, &queued),
                RPC_S_INVALID_ARG); /* not subscribed */
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(call, (RPC_NOTIFICATIONS)BOTH, &queued),
                RPC_S_CANNOT_SUPPORT);
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(call, RpcNotificationCallCancel, NULL),
                RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(NULL, RpcNotificationCallCancel, &queued),
                RPC_S_NO_CALL_ACTIVE);
    subscribe_callback(served, RpcNotificationCallCancel);
    CHECK_EQUAL(RpcServerSubscribeForNotification(call, BOTH, RpcNotificationTypeCallback, &info),
                RPC_S_INVALID_ARG); /* once each */
    CloseHandle(event);
    RpcBindingFree(&clients);
    return (long long)(uintptr_t)call;
}

static long long subscribe_too_late_there(struct served *served, long long call, long long b)
{
    RPC_ASYNC_NOTIFICATION_INFO info = by_callback();
    (void)served, (void)b;
    return RpcServerSubscribeForNotification((RPC_BINDING_HANDLE)(uintptr_t)call, BOTH,
                                             RpcNotificationTypeCallback, &info);
}

static void wrong_subscriptions(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1, result;
    RPC_ASYNC_NOTIFICATION_INFO info = by_callback();
    struct served *served = start_call(&caller, h, PLAIN, 0);
    const long long call = far(subscribe_wrongly_there, served, 0, 0);
    /* A binding that has a connection, where it is one. */
    CHECK_EQUAL(RpcServerSubscribeForNotification(h, BOTH, RpcNotificationTypeCallback, &info),
                RPC_S_INVALID_BINDING);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(far(subscribe_too_late_there, served, call, 0), RPC_S_INVALID_BINDING);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(heard_count(), 0);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

const struct test subscribe_tests[] = {
    {"AR-13_hears_cancels", hears_cancels},
    {"AR-21_hears_disconnect", hears_disconnect},
    {"AR-21_hears_what_was", hears_what_was},
    {"AR-21_hears_nothing_afterwards", hears_nothing_afterwards},
    {"AR-21_hears_by_objects", hears_by_objects},
    {"AR-21_hears_in_a_synchronous_call", hears_in_a_synchronous_call},
    {"AR-21_wrong_subscriptions", wrong_subscriptions},
    {NULL, NULL},
};
