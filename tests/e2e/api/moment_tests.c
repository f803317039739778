/* SPDX-License-Identifier: MIT */
/* moment_tests.c - what must be so at the very moment a program is told: what Event says,
 * which of two comes first, which one still comes when the transport was full; and what
 * several threads may not do to each other meanwhile. */
#include "harness.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* No event has it. */
#define UNTOLD ((RPC_ASYNC_EVENT)99)

static uint8_t buf[100000];

/* ---- Event -------------------------------------------------------------------------- */

struct watcher {
    struct caller *caller;
    HANDLE port; /* or NULL: by the caller's event */
    _Atomic bool waits;
    _Atomic int saw;
};

/* A thread that is already waiting looks at Event the moment it is woken. */
static void *watch(void *arg)
{
    struct watcher *watcher = arg;
    DWORD octets;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    watcher->waits = true;
    if (watcher->port)
        CHECK(GetQueuedCompletionStatus(watcher->port, &octets, &key, &overlapped, SOON_MS));
    else
        CHECK_EQUAL(WaitForSingleObject(watcher->caller->event, SOON_MS), WAIT_OBJECT_0);
    watcher->saw = (int)watcher->caller->async.Event;
    return NULL;
}

static uint64_t queued(const struct caller *caller)
{
    RPCX_PIPE_STATS stats;
    CHECK_EQUAL(RpcxPipeInqStats(caller->pipe[0].state, &stats, sizeof(stats)), RPC_S_OK);
    return stats.OctetsQueued;
}

static void start_watching(struct watcher *watcher, struct caller *caller, HANDLE port,
                           pthread_t *ret_thread)
{
    *watcher = (struct watcher){.caller = caller, .port = port, .saw = -1};
    caller->async.Event = UNTOLD;
    queued(caller); /* takes the call's lock: the runtime's write comes after this one */
    CHECK(pthread_create(ret_thread, NULL, watch, watcher) == 0);
    while (!watcher->waits)
        sleep_ms(1);
    sleep_ms(5); /* it sleeps by now; should it not, the test is merely easier */
}

static void event_is_written_first(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    CHECK(port);
    for (int round = 0; round < 20; round++) {
        struct caller caller;
        struct watcher watcher;
        pthread_t thread;
        unsigned long n;
        int32_t reply = 3;
        const HANDLE by = round % 2 ? port : NULL;
        caller_init(&caller, 0);
        if (by) {
            memset(&caller.async.u, 0, sizeof(caller.async.u));
            caller.async.NotificationType = RpcNotificationTypeIoc;
            caller.async.u.IOC.hIOPort = port;
        }
        CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
        struct served *served = accept_call();
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
        start_watching(&watcher, &caller, by, &thread);
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, 10), RPC_S_OK);
        pthread_join(thread, NULL);
        CHECK_EQUAL(watcher.saw, RpcReceiveComplete);
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_OK);
        start_watching(&watcher, &caller, by, &thread);
        CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        pthread_join(thread, NULL);
        CHECK_EQUAL(watcher.saw, RpcCallComplete);
        PULL_END(&caller.pipe[0]);
        CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
        served_free(served);
        caller_fini(&caller);
    }
    CloseHandle(port);
    RpcBindingFree(&h);
}

/* ---- Two at once -------------------------------------------------------------------- */

/* Pushes until RpcSendComplete stays away: megabytes, of which some are still queued.  No
 * push may wait: each begins far below the high mark, and none is of a tight loop. */
static uint64_t push_until_full(struct caller *caller)
{
    uint64_t sent = 0;
    CHECK_EQUAL(pipe_set_limits(&caller->pipe[0], 2000000, 0), RPC_S_OK);
    do {
        while (queued(caller) < 1500000) {
            CHECK(sent < UINT64_C(100000000));
            CHECK_EQUAL(push_pattern(&caller->pipe[0], &sent, sizeof(buf), sizeof(buf)), RPC_S_OK);
            sleep_ms(1);
        }
    } while (WaitForSingleObject(caller->event, 250) == WAIT_OBJECT_0);
    return sent;
}

/* AP-12, AP-35: RpcSendComplete of a push that the transport had no room for comes when it
 * has.  While that is unread the pulled data arrive and the reply too: RpcReceiveComplete is
 * told first of the two that wait, RpcCallComplete last. */
static void receive_before_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, BOTH_PIPE, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    uint64_t got = 0, back = 0, home = 0;
    unsigned long n;
    int32_t reply = 4;
    EXPECT(&caller, RpcSendComplete);
    const uint64_t sent = push_until_full(&caller);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, sent), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    EXPECT(&caller, RpcSendComplete);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &back, 300, 100), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT_QUIET(&caller); /* RpcSendComplete has not been answered yet */
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    EXPECT(&caller, RpcReceiveComplete);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &home, 300), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- States that are not ours -------------------------------------------------------- */

/* AR-4: the right size alone does not make a state. */
static void state_of_the_right_size(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    memset(&caller, 0, sizeof(caller));
    caller.async.Size = sizeof(caller.async);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 5), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcAsyncRegisterInfo(&caller.async), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Time-outs ------------------------------------------------------------------------ */

struct long_push {
    struct caller *caller;
    uint64_t position;
    RPC_STATUS status;
};

#define LONG_PUSH_LEN UINT64_C(30000000)

static void *push_long(void *arg)
{
    struct long_push *push = arg;
    push->status =
        push_pattern(&push->caller->pipe[0], &push->position, LONG_PUSH_LEN, sizeof(buf));
    return NULL;
}

/* AR-20: the binding's CALL_TIMEOUT is for synchronous calls: a push that is blocked for
 * longer, and a server that is silent for longer, do not end the call. */
static void call_timeout_of_a_pipe(void)
{
    if (strcmp(transport, "ncalrpc") == 0)
        skip("not for ncalrpc");
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct long_push push = {.caller = &caller};
    pthread_t thread;
    uint64_t got = 0;
    int32_t reply = 5;
    CHECK_EQUAL(RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 150), RPC_S_OK);
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    CHECK(pthread_create(&thread, NULL, push_long, &push) == 0);
    sleep_ms(600);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, LONG_PUSH_LEN), RPC_S_OK);
    pthread_join(thread, NULL);
    CHECK_EQUAL(push.status, RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    sleep_ms(300);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- Threads ---------------------------------------------------------------------------- */

#define PUSHERS 4
#define PUSHES 30
#define PUSH_LEN 60000

struct pusher {
    NDR_ASYNC_PIPE *pipe;
    int pushes;
    unsigned pause_ms; /* a loop that is not tight waits before its pushes, not in them */
    uint8_t value;
    RPC_STATUS status;
};

static void *push_in_rivalry(void *arg)
{
    struct pusher *pusher = arg;
    uint8_t *octets = malloc(PUSH_LEN);
    CHECK(octets);
    memset(octets, pusher->value, PUSH_LEN);
    for (int i = 0; i < pusher->pushes && pusher->status == RPC_S_OK; i++) {
        pusher->status = PUSH(pusher->pipe, octets, PUSH_LEN);
        sleep_ms(pusher->pause_ms);
    }
    free(octets);
    return NULL;
}

static void start_rivals(struct pusher *pushers, pthread_t *threads, NDR_ASYNC_PIPE *pipe,
                         int pushes, unsigned pause_ms)
{
    CHECK_EQUAL(pipe_set_limits(pipe, pause_ms ? 4 * PUSH_LEN : 10000, 1000), RPC_S_OK);
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){pipe, pushes, pause_ms, (uint8_t)i, RPC_S_OK};
        CHECK(pthread_create(&threads[i], NULL, push_in_rivalry, &pushers[i]) == 0);
    }
}

/* AP-6: pushes that wait in their middle, at a high mark they are far above, stay in one
 * piece too. */
static void large_pushes_of_several_threads(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pushers[PUSHERS];
    pthread_t threads[PUSHERS];
    int32_t reply = 5;
    unsigned counts[PUSHERS] = {0};
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    start_rivals(pushers, threads, &caller.pipe[0], PUSHES, 0);
    for (int i = 0; i < PUSHERS * PUSHES; i++) {
        for (unsigned long have = 0, n; have < PUSH_LEN; have += n) {
            CHECK_EQUAL(pull_polled(&served->pipe[0], buf + have, PUSH_LEN - have, &n), RPC_S_OK);
            CHECK(n > 0);
        }
        CHECK(buf[0] < PUSHERS);
        for (size_t k = 1; k < PUSH_LEN; k++)
            CHECK_EQUAL(buf[k], buf[0]);
        counts[buf[0]]++;
    }
    for (int i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQUAL(pushers[i].status, RPC_S_OK);
        CHECK_EQUAL(counts[i], PUSHES);
    }
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-16: whoever pushes on a server while another thread completes or aborts the call gets an
 * error, also in the middle of a push that waits; that one waits for the transport until the
 * client has taken what was sent. */
static void ended_under_a_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int way = 0; way < 4; way++) {
        const bool abort = way % 2;
        struct caller caller;
        struct pusher pushers[PUSHERS];
        pthread_t threads[PUSHERS];
        int32_t reply = 5;
        unsigned long n;
        struct served *served = start_call(&caller, h, OUT_PIPE, 0);
        start_rivals(pushers, threads, &served->pipe[0], INT_MAX, way / 2);
        sleep_ms(200);
        if (abort)
            CHECK_EQUAL(served_abort(served, 0x20009999), RPC_S_OK);
        else
            CHECK_EQUAL(served_complete(served, &reply), RPC_X_PIPE_DISCIPLINE_ERROR);
        RPC_STATUS status;
        do /* what was sent before the end may be pulled */
            status = pull_polled(&caller.pipe[0], buf, sizeof(buf), &n);
        while (status == RPC_S_OK && n > 0);
        CHECK_EQUAL(status, abort ? 0x20009999 : RPC_X_PIPE_DISCIPLINE_ERROR);
        for (int i = 0; i < PUSHERS; i++) {
            pthread_join(threads[i], NULL);
            CHECK(pushers[i].status != RPC_S_OK);
        }
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test moment_tests[] = {
    {"AR-24_event_is_written_first", event_is_written_first},
    {"AP-12_AP-35_AR-28_receive_before_complete", receive_before_complete},
    {"AR-4_state_of_the_right_size", state_of_the_right_size},
    {"AR-20_call_timeout_of_a_pipe", call_timeout_of_a_pipe},
    {"AP-6_large_pushes_of_several_threads", large_pushes_of_several_threads},
    {"AR-16_ended_under_a_push", ended_under_a_push},
    {NULL, NULL},
};
