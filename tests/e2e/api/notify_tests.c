/* SPDX-License-Identifier: MIT */
/* notify_tests.c - being told by completion ports and APCs: what events and callbacks
 * do not have, packets and routines that wait while the call goes on. */
#include "harness.h"

#include <pthread.h>
#include <string.h>

#include "api.h"

#define BYTES 77u
#define KEY 0x5555aaaa5555u

static HANDLE new_port(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK(port);
    return port;
}

static void use_port(PRPC_ASYNC_STATE async, HANDLE port)
{
    async->NotificationType = RpcNotificationTypeIoc;
    async->u.IOC.hIOPort = port;
    async->u.IOC.dwNumberOfBytesTransferred = BYTES;
    async->u.IOC.dwCompletionKey = KEY;
    async->u.IOC.lpOverlapped = (LPOVERLAPPED)(void *)async;
}

/* The next packet, whose owner is returned. */
static PRPC_ASYNC_STATE take(HANDLE port)
{
    DWORD bytes = 0;
    ULONG_PTR key = 0;
    LPOVERLAPPED overlapped = NULL;
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, AT_ONCE_MS));
    CHECK_EQUAL(bytes, BYTES);
    CHECK_EQUAL(key, KEY);
    return (PRPC_ASYNC_STATE)(void *)overlapped;
}

static void no_packet(HANDLE port)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    CHECK(!GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, NEVER_MS));
    CHECK_EQUAL(GetLastError(), WAIT_TIMEOUT);
}

/* caller_init(), told through `port`. */
static void caller_at_port(struct caller *caller, HANDLE port, unsigned flags)
{
    caller_init(caller, flags);
    use_port(&caller->async, port);
}

/* AR-23: packets say success whatever became of the call. */
static void port_tells_completion(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    HANDLE port = new_port();
    struct caller caller;
    int32_t reply = 12, result = 0;
    for (int fails = 0; fails < 2; fails++) {
        caller_at_port(&caller, port, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, 6), RPC_S_OK);
        struct served *served = accept_call();
        no_packet(port);
        if (fails)
            CHECK_EQUAL(served_abort(served, 4321), RPC_S_OK);
        else
            CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        CHECK(take(port) == &caller.async);
        CHECK_EQUAL(caller.async.Event, RpcCallComplete);
        CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), fails ? 4321 : RPC_S_OK);
        CHECK_EQUAL(complete(&caller, &result), fails ? 4321 : RPC_S_OK);
        CHECK_EQUAL(result, fails ? 0 : reply);
        no_packet(port);
        result = 0;
        served_free(served);
        caller_fini(&caller);
    }
    CloseHandle(port);
    RpcBindingFree(&h);
}

/* ---- Several threads on one port ------------------------------------------------- */

struct reader {
    HANDLE port;
    struct caller *caller;
    pthread_mutex_t lock; /* one operation at a time per call */
    unsigned receives, completes;
    uint64_t position;
    bool ended, after_complete;
};

/* filerepasyncpipe's loop: pull until it pends or ends. */
static void pull_all(struct reader *reader)
{
    uint8_t buf[5000];
    unsigned long count = 0;
    RPC_STATUS status = RPC_S_OK;
    while (!reader->ended && status == RPC_S_OK) {
        status = PULL(&reader->caller->pipe[0], buf, sizeof(buf), &count);
        CHECK_EITHER(status, RPC_S_OK, RPC_S_ASYNC_CALL_PENDING);
        if (status == RPC_S_OK && count == 0)
            reader->ended = true;
        for (unsigned long i = 0; status == RPC_S_OK && i < count; i++)
            CHECK(buf[i] == octet(reader->position++));
    }
}

static DWORD read_packets(LPVOID parameter)
{
    struct reader *reader = parameter;
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    while (GetQueuedCompletionStatus(reader->port, &bytes, &key, &overlapped, INFINITE)) {
        if (key != KEY)
            return 0; /* told to leave */
        pthread_mutex_lock(&reader->lock);
        if (reader->caller->async.Event == RpcReceiveComplete) {
            reader->receives++;
            reader->after_complete |= reader->completes > 0;
            pull_all(reader);
        } else {
            CHECK_EQUAL(reader->caller->async.Event, RpcCallComplete);
            reader->completes++;
        }
        pthread_mutex_unlock(&reader->lock);
    }
    return 1;
}

/* AR-28, F17: data, end and reply come while RpcReceiveComplete is unread, two threads
 * wait on the port: each event is seen once, in order. */
static void port_with_two_threads(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int round = 0; round < 50; round++) {
        struct caller caller;
        struct reader reader = {.port = new_port(), .caller = &caller};
        uint64_t position = 0;
        int32_t reply = 5, result = 0;
        pthread_mutex_init(&reader.lock, NULL);
        caller_at_port(&caller, reader.port, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 0), RPC_S_OK);
        struct served *served = accept_call();
        pull_all(&reader); /* pends */
        CHECK_EQUAL(push_pattern(&served->pipe[0], &position, 20000, 7000), RPC_S_OK);
        CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        if (round % 2)
            sleep_ms(2); /* all of it is here before anybody looks */
        HANDLE threads[2];
        for (int i = 0; i < 2; i++)
            CHECK(threads[i] = CreateThread(NULL, 0, read_packets, &reader, 0, NULL));
        uint64_t begin = now_ms();
        bool done = false;
        while (!done) {
            CHECK(now_ms() - begin < SOON_MS);
            pthread_mutex_lock(&reader.lock);
            done = reader.completes > 0 && reader.ended;
            pthread_mutex_unlock(&reader.lock);
            sleep_ms(1);
        }
        for (int i = 0; i < 2; i++)
            CHECK(PostQueuedCompletionStatus(reader.port, 0, 0, NULL));
        CHECK_EQUAL(WaitForMultipleObjects(2, threads, TRUE, SOON_MS), WAIT_OBJECT_0);
        CHECK_EQUAL(reader.completes, 1);
        CHECK(reader.receives >= 1 && !reader.after_complete);
        CHECK_EQUAL(reader.position, 20000);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, reply);
        for (int i = 0; i < 2; i++)
            CloseHandle(threads[i]);
        CloseHandle(reader.port);
        pthread_mutex_destroy(&reader.lock);
        served_free(served);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

/* A client that polls its pull does not read its packets: the unread one tells the
 * last event, and there is no second. */
static void port_unread_packet(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    HANDLE port = new_port();
    struct caller caller;
    uint64_t pushed = 0, pulled = 0;
    int32_t reply = 5, result = 0;
    uint8_t buf[1];
    unsigned long count;
    caller_at_port(&caller, port, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 0), RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 1, &count), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &pushed, 3000, 1000), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &pulled, 3000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    CHECK(take(port) == &caller.async);
    while (caller.async.Event == RpcReceiveComplete) { /* the completion came later */
        CHECK_EITHER(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK, RPC_S_ASYNC_CALL_PENDING);
        CHECK(take(port) == &caller.async);
    }
    CHECK_EQUAL(caller.async.Event, RpcCallComplete);
    no_packet(port);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, reply);
    served_free(served);
    caller_fini(&caller);
    CloseHandle(port);
    RpcBindingFree(&h);
}

/* AR-30, F18. */
static void port_cancel_while_unread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    HANDLE port = new_port();
    struct caller caller;
    int32_t reply = 1, result = 0;
    caller_at_port(&caller, port, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(WaitForSingleObject(port, AT_ONCE_MS), WAIT_OBJECT_0); /* queued */
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    CHECK(take(port) == &caller.async);
    CHECK_EQUAL(caller.async.Event, RpcCallComplete);
    no_packet(port);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CloseHandle(port);
    RpcBindingFree(&h);
}

/* The port goes while a packet is in it, or before there is one: the call goes on. */
static void port_closed(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int early = 0; early < 2; early++) {
        HANDLE port = new_port();
        struct caller caller;
        int32_t reply = 9, result = 0;
        caller_at_port(&caller, port, 0);
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
        struct served *served = accept_call();
        if (early)
            CHECK(CloseHandle(port));
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        if (!early) {
            CHECK_EQUAL(WaitForSingleObject(port, AT_ONCE_MS), WAIT_OBJECT_0);
            CHECK(CloseHandle(port));
        }
        uint64_t begin = now_ms();
        while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
            CHECK(now_ms() - begin < AT_ONCE_MS);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, reply);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* The port of the server's process. */
static HANDLE port_there;

static long long use_port_there(struct served *served, long long flags, long long b)
{
    (void)b;
    if (!port_there)
        port_there = new_port();
    use_port(served->there.async, port_there);
    served->there.async->Flags = (unsigned)flags;
    return 0;
}

/* The event that the next packet tells. */
static long long take_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    CHECK(take(port_there) == served->there.async);
    return served->there.async->Event;
}

static long long close_port_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    no_packet(port_there);
    return CloseHandle(port_there);
}

/* AP-17: a server's worker changes the way it is told from push to push. */
static void server_changes_its_mind(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint64_t pushed = 0, pulled = 0;
    int32_t reply = 3, result = 0;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 0), RPC_S_OK);
    struct served *served = accept_call();
    for (int i = 0; i < 6; i++) {
        if (i % 2)
            far(use_port_there, served, RPC_C_NOTIFY_ON_SEND_COMPLETE, 0);
        else
            served_use_event(served, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        CHECK_EQUAL(push_pattern(&served->pipe[0], &pushed, 100, 100), RPC_S_OK);
        if (i % 2)
            CHECK_EQUAL(far(take_there, served, 0, 0), RpcSendComplete);
        else
            EXPECT_SERVED(served, RpcSendComplete);
        CHECK_EQUAL(pull_pattern(&caller.pipe[0], &pulled, 100), RPC_S_OK);
    }
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(far(take_there, served, 0, 0), RpcSendComplete); /* AP-14 */
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    uint64_t begin = now_ms();
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    PULL_END(&caller.pipe[0]); /* AP-36 */
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK(far(close_port_there, served, 0, 0));
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- APCs ----------------------------------------------------------------------------- */

/* Of the process whose routine it is. */
static struct {
    unsigned count;
    PRPC_ASYNC_STATE async;
    RPC_ASYNC_EVENT event;
    DWORD thread;
    bool completes; /* the routine itself */
    RPC_STATUS status;
    int32_t reply;
} told;

static void on_apc(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    CHECK(!context);
    told.count++;
    told.async = async;
    told.event = event;
    told.thread = GetCurrentThreadId();
    if (told.completes)
        told.status = RpcAsyncCompleteCall(async, &told.reply);
}

static void caller_by_apc(struct caller *caller, HANDLE thread)
{
    memset(&told, 0, sizeof(told));
    caller_init(caller, 0);
    memset(&caller->async.u, 0, sizeof(caller->async.u));
    caller->async.NotificationType = RpcNotificationTypeApc;
    caller->async.u.APC.NotificationRoutine = on_apc;
    caller->async.u.APC.hThread = thread;
}

static void apc_in_alertable_wait(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t reply = 44;
    for (int completes = 0; completes < 2; completes++) {
        struct caller caller;
        int32_t result = 0;
        caller_by_apc(&caller, NULL); /* to the thread that makes the call */
        told.completes = completes;
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, 6), RPC_S_OK);
        struct served *served = accept_call();
        CHECK_EQUAL(SleepEx(NEVER_MS, TRUE), 0);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        sleep_ms(NEVER_MS);
        CHECK_EQUAL(SleepEx(0, FALSE), 0);
        CHECK_EQUAL(told.count, 0); /* not alertable */
        CHECK_EQUAL(SleepEx(AT_ONCE_MS, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQUAL(told.count, 1);
        CHECK(told.async == &caller.async);
        CHECK_EQUAL(told.event, RpcCallComplete);
        CHECK_EQUAL(told.thread, GetCurrentThreadId());
        if (completes) {
            CHECK_EQUAL(told.status, RPC_S_OK);
            CHECK_EQUAL(told.reply, reply);
        } else {
            CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
            CHECK_EQUAL(result, reply);
        }
        CHECK_EQUAL(SleepEx(NEVER_MS, TRUE), 0);
        served_free(served);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

static DWORD wait_alertably(LPVOID parameter)
{
    SetEvent(parameter);
    return SleepEx(SOON_MS, TRUE) == WAIT_IO_COMPLETION ? GetCurrentThreadId() : 0;
}

static void apc_to_another_thread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    HANDLE begun = CreateEvent(NULL, FALSE, FALSE, NULL);
    DWORD id = 0, code = 0;
    HANDLE thread = CreateThread(NULL, 0, wait_alertably, begun, 0, &id);
    struct caller caller;
    int32_t reply = 44, result = 0;
    CHECK(begun && thread);
    CHECK_EQUAL(WaitForSingleObject(begun, SOON_MS), WAIT_OBJECT_0);
    caller_by_apc(&caller, thread);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 6), RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(WaitForSingleObject(thread, AT_ONCE_MS), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(thread, &code));
    CHECK_EQUAL(code, id);
    CHECK_EQUAL(told.count, 1);
    CHECK_EQUAL(told.thread, id);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, reply);
    served_free(served);

    /* It has ended: nobody is told, and the call ends as always. */
    caller_fini(&caller);
    caller_by_apc(&caller, thread);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 6), RPC_S_OK);
    served = accept_call();
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    uint64_t begin = now_ms();
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(told.count, 0);
    served_free(served);
    caller_fini(&caller);
    CloseHandle(thread);
    CloseHandle(begun);
    RpcBindingFree(&h);
}

/* The call is completed while its APC waits: the routine is not called, its state may
 * be gone. */
static void apc_overtaken(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 44, result = 0;
    caller_by_apc(&caller, NULL);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 6), RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    uint64_t begin = now_ms();
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    memset(&caller.async, 0xee, sizeof(caller.async));
    SleepEx(NEVER_MS, TRUE);
    CHECK_EQUAL(told.count, 0);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* Pushes 100 octets; with a thread that is the one this runs on, the routine is told. */
static long long push_by_apc_there(struct served *served, long long with_thread, long long b)
{
    uint64_t pushed = (uint64_t)b;
    PRPC_ASYNC_STATE async = served->there.async;
    memset(&async->u, 0, sizeof(async->u));
    async->NotificationType = RpcNotificationTypeApc;
    async->u.APC.NotificationRoutine = on_apc;
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    HANDLE self = OpenThread(THREAD_SET_CONTEXT, FALSE, GetCurrentThreadId());
    CHECK(self);
    if (with_thread)
        async->u.APC.hThread = self;
    CHECK_EQUAL(push_pattern(&served->there.pipe[0], &pushed, 100, 100), RPC_S_OK);
    CHECK_EQUAL(SleepEx(with_thread ? AT_ONCE_MS : NEVER_MS, TRUE),
                with_thread ? WAIT_IO_COMPLETION : 0);
    CHECK_EQUAL(told.count, with_thread != 0);
    if (with_thread)
        CHECK_EQUAL(told.event, RpcSendComplete);
    CHECK(CloseHandle(self));
    async->NotificationType = RpcNotificationTypeNone;
    return 0;
}

static long long told_count_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    SleepEx(NEVER_MS, TRUE);
    return told.count;
}

/* A server must name the thread: without, nothing is told and the call lives. */
static void apc_of_a_server_without_thread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint64_t pulled = 0;
    int32_t reply = 3, result = 0;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 0), RPC_S_OK);
    struct served *served = accept_call();
    far(push_by_apc_there, served, false, 0);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &pulled, 100), RPC_S_OK);
    far(push_by_apc_there, served, true, 100);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &pulled, 100), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    uint64_t begin = now_ms();
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(far(told_count_there, served, 0, 0), 1);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

const struct test notify_tests[] = {
    {"AR-23_port_tells_completion", port_tells_completion},
    {"AR-28_F17_port_with_two_threads", port_with_two_threads},
    {"AR-28_port_unread_packet", port_unread_packet},
    {"AR-30_F18_port_cancel_while_unread", port_cancel_while_unread},
    {"AR-23_port_closed", port_closed},
    {"AP-17_server_changes_its_mind", server_changes_its_mind},
    {"AR-6_apc_in_alertable_wait", apc_in_alertable_wait},
    {"AR-6_apc_to_another_thread", apc_to_another_thread},
    {"AR-6_apc_overtaken", apc_overtaken},
    {"AR-6_apc_of_a_server_without_thread", apc_of_a_server_without_thread},
    {NULL, NULL},
};
