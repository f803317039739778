/* SPDX-License-Identifier: MIT */
/* misuse_tests.c - programs that do what they should not, or at the same time: each gets
 * a status, once, and nothing breaks, leaks or hangs. */
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static uint8_t buf[100000];

static bool is_invalid(RPC_STATUS status)
{
    return status == RPC_S_INVALID_ASYNC_HANDLE || status == RPC_S_INVALID_ASYNC_CALL;
}

/* ---- Managers that raise ------------------------------------------------------- */

/* AR-17: before the hand-off the exception ends the call, also in the middle of a pipe;
 * afterwards it must not be raised: the client hears of it all the same, and whoever was
 * handed the call finds it gone. */
static void raised_after_hand_off(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = HAND_OFF_AND_RAISE;
    script_code = 0x20006666;
    for (int operation = PLAIN; operation <= BOTH_PIPE; operation++) {
        struct caller caller;
        int32_t reply = 1;
        unsigned long n;
        struct served *served = start_call(&caller, h, (enum operation)operation, 0);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, NULL), 0x20006666);
        EXPECT_QUIET(&caller);
        CHECK(is_invalid(served_complete(served, &reply)) ||
              served_complete(served, &reply) == 0x20006666);
        CHECK(served_abort(served, 1) != RPC_S_OK);
        if (operation != PLAIN && operation != NOTHING) {
            CHECK(PUSH(&served->pipe[0], buf, 1) != RPC_S_OK);
            CHECK(PULL(&served->pipe[0], buf, 1, &n) != RPC_S_OK);
        }
        served_free(served);
        caller_fini(&caller);
    }
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void raised_amid_a_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = PUSH_AND_RAISE;
    script_code = 0x20007777;
    for (int i = 0; i < 20; i++) {
        struct caller caller;
        unsigned long n;
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        if (i % 2 == 0)
            CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), 0x20007777);
        else
            CHECK_EQUAL(complete(&caller, NULL), 0x20007777);
        EXPECT_QUIET(&caller);
        caller_fini(&caller);
    }
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* In the server before the call comes, so that nothing lies between the manager's hand-off
 * and this but a thread's waking. */
static long long accept_and_complete_there(struct served *unused, long long reply, long long b)
{
    struct served *served = accept_call();
    int32_t value = (int32_t)reply;
    (void)unused, (void)b;
    RPC_STATUS status = RpcAsyncCompleteCall(served->there.async, &value);
    served_free(served);
    return status;
}

static void *accept_and_complete(void *ret_status)
{
    *(RPC_STATUS *)ret_status = (RPC_STATUS)far(accept_and_complete_there, NULL, 5, 0);
    return NULL;
}

/* The manager raises while another thread completes: one of the two is heard. */
static void raised_while_completed(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = HAND_OFF_AND_RAISE;
    script_code = 0x20008888;
    for (int i = 0; i < 300; i++) {
        struct caller caller;
        int32_t result = 0;
        RPC_STATUS answered;
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, accept_and_complete, &answered) == 0);
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, NOTHING, 1), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        pthread_join(thread, NULL);
        RPC_STATUS seen = complete(&caller, &result);
        CHECK_EITHER(seen, RPC_S_OK, 0x20008888);
        CHECK((answered == RPC_S_OK) == (seen == RPC_S_OK));
        caller_fini(&caller);
    }
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Twice, at the same time ------------------------------------------------------ */

#define RIVALS 4

/* In one process: the client's, or the server's. */
struct contest {
    pthread_barrier_t start;
    PRPC_ASYNC_STATE async;
    bool aborts; /* every second rival aborts: only on a server */
    _Atomic int next, won, aborted;
};

static void *contend(void *arg)
{
    struct contest *contest = arg;
    int32_t reply = 3;
    bool abort = atomic_fetch_add(&contest->next, 1) % 2 && contest->aborts;
    pthread_barrier_wait(&contest->start);
    RPC_STATUS status = abort ? RpcAsyncAbortCall(contest->async, 0x2000aaaa)
                              : RpcAsyncCompleteCall(contest->async, &reply);
    if (status == RPC_S_OK) {
        atomic_fetch_add(&contest->won, 1);
        atomic_fetch_add(&contest->aborted, abort);
    } else {
        CHECK(is_invalid(status));
    }
    return NULL;
}

static void hold_contest(struct contest *contest, PRPC_ASYNC_STATE async, bool aborts)
{
    pthread_t threads[RIVALS];
    *contest = (struct contest){.async = async, .aborts = aborts};
    CHECK(pthread_barrier_init(&contest->start, NULL, RIVALS) == 0);
    for (int i = 0; i < RIVALS; i++)
        CHECK(pthread_create(&threads[i], NULL, contend, contest) == 0);
    for (int i = 0; i < RIVALS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&contest->start);
    CHECK_EQUAL(contest->won, 1);
}

/* Was the call aborted? */
static long long hold_contest_there(struct served *served, long long a, long long b)
{
    struct contest contest;
    (void)a, (void)b;
    hold_contest(&contest, served->there.async, true);
    return contest.aborted > 0;
}

/* AR-16: on either side one of several threads ends the call, the others are refused. */
static void ended_by_several_threads(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int i = 0; i < 200; i++) {
        struct caller caller;
        struct contest contest;
        struct served *served = start_call(&caller, h, PLAIN, 0);
        bool aborted = far(hold_contest_there, served, 0, 0);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), aborted ? 0x2000aaaa : RPC_S_OK);
        if (aborted)
            CHECK_EQUAL(complete(&caller, NULL), 0x2000aaaa);
        else
            hold_contest(&contest, &caller.async, false);
        CHECK_EQUAL(WaitForSingleObject(caller.event, 0), WAIT_TIMEOUT);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- States ------------------------------------------------------------------------ */

/* AR-3: a state is free again however its call ended: by a raise, a cancel, a push or a
 * pull that failed, an early Complete. */
static void state_used_again_after_failures(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    RPC_BINDING_HANDLE nobody = strcmp(transport, "ncalrpc") == 0
                                    ? bind_text("ncalrpc:[penstock-nobody-is-here]")
                                    : bind_text("ncacn_ip_tcp:127.0.0.1[1]");
    struct caller caller;
    struct served *served;
    unsigned long n;
    int32_t reply = 9, result;
    caller_init(&caller, 0);
    for (int way = 0; way < 5; way++) {
        if (way == 0) {
            CHECK_EQUAL(caller_call(&caller, nobody, PLAIN, 1), RPC_S_SERVER_UNAVAILABLE);
        } else {
            CHECK_EQUAL(caller_call(&caller, h, way == 2 ? OUT_PIPE : IN_PIPE, 1), RPC_S_OK);
            served = accept_call();
            if (way == 1) {
                CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
                EXPECT(&caller, RpcCallComplete);
                CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
            } else if (way == 4) {
                CHECK_EQUAL(complete(&caller, NULL), RPC_X_PIPE_DISCIPLINE_ERROR);
            } else {
                CHECK_EQUAL(served_abort(served, 4444), RPC_S_OK);
                EXPECT(&caller, RpcCallComplete);
                CHECK_EQUAL(way == 2 ? PULL(&caller.pipe[0], buf, 1, &n)
                                     : PUSH(&caller.pipe[0], buf, 1),
                            4444);
            }
            served_free(served);
        }
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, way), RPC_S_OK);
        served = accept_call();
        CHECK_EQUAL(served->n, way);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, 9);
        served_free(served);
    }
    caller_fini(&caller);
    RpcBindingFree(&nobody);
    RpcBindingFree(&h);
}

/* AR-22: the binding is freed under a call with a pipe, which goes on; a handle that was
 * freed starts none. */
static void binding_freed_under_a_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here(), second = another_binding();
    RPC_BINDING_HANDLE stale = second;
    struct caller caller, late;
    uint64_t sent = 0, got = 0, back = 0, home = 0;
    int32_t reply = 2, result;
    struct served *served = start_call(&caller, second, BOTH_PIPE, 0);
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 5000, 1000), RPC_S_OK);
    CHECK_EQUAL(RpcBindingFree(&second), RPC_S_OK);
    caller_init(&late, 0);
    CHECK_EQUAL(caller_call(&late, stale, BOTH_PIPE, 1), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(caller_call(&late, NULL, PLAIN, 1), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 5000, 1000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 10000), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &back, 10000, 3000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &home, 10000), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 2);
    EXPECT_QUIET(&late);
    served_free(served);
    caller_fini(&caller);
    caller_fini(&late);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AP-6: one operation at a time is the rule; several threads that push at once lose and
 * invent nothing, each push stays in one piece. */
#define PUSHERS 4
#define PUSHES 200

struct pusher {
    NDR_ASYNC_PIPE *pipe;
    uint8_t value;
};

static void *push_many(void *arg)
{
    struct pusher *pusher = arg;
    uint8_t octets[16];
    memset(octets, pusher->value, sizeof(octets));
    for (int i = 0; i < PUSHES; i++)
        CHECK_EQUAL(PUSH(pusher->pipe, octets, sizeof(octets)), RPC_S_OK);
    return NULL;
}

static void pushed_by_several_threads(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    struct pusher pushers[PUSHERS];
    pthread_t threads[PUSHERS];
    unsigned counts[PUSHERS] = {0};
    int32_t reply = 5;
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){&caller.pipe[0], (uint8_t)i};
        CHECK(pthread_create(&threads[i], NULL, push_many, &pushers[i]) == 0);
    }
    for (int i = 0; i < PUSHERS * PUSHES; i++) {
        uint8_t octets[16];
        for (unsigned long have = 0, n; have < sizeof(octets); have += n) {
            CHECK_EQUAL(pull_polled(&served->pipe[0], octets + have, sizeof(octets) - have, &n),
                        RPC_S_OK);
            CHECK(n > 0);
        }
        CHECK(octets[0] < PUSHERS);
        for (size_t k = 1; k < sizeof(octets); k++)
            CHECK_EQUAL(octets[k], octets[0]);
        counts[octets[0]]++;
    }
    for (int i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
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

/* ---- Inside a notification routine -------------------------------------------------- */

struct inside {
    RPC_BINDING_HANDLE h;
    struct caller *second; /* a call the routine starts */
    int32_t pong;
    RPC_STATUS ping, call, completed, again;
    HANDLE done;
};

/* Documented as forbidden: calls, and blocking.  The call's end and the state itself are
 * the routine's to give away. */
static void call_inside(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct inside *inside = async->UserInfo;
    int32_t reply = 0;
    CHECK(!context);
    CHECK_EQUAL(event, RpcCallComplete);
    RAISED(inside->ping, inside->pong = c_ping(inside->h, 40));
    inside->call = caller_call(inside->second, inside->h, PLAIN, 33);
    CHECK_EQUAL(RpcAsyncGetCallStatus(async), RPC_S_OK);
    inside->completed = RpcAsyncCompleteCall(async, &reply);
    inside->again = RpcAsyncCompleteCall(async, &reply);
    memset(async, 0xcd, sizeof(*async));
    free(async);
    SetEvent(inside->done);
}

static void calls_inside_a_routine(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int i = 0; i < 20; i++) {
        struct caller second;
        struct inside inside = {.h = h, .second = &second};
        int32_t reply = 6, result;
        static int32_t twice; /* [out]: until the routine has completed */
        RPC_STATUS status;
        PRPC_ASYNC_STATE async = malloc(sizeof(*async));
        CHECK(async);
        inside.done = CreateEvent(NULL, FALSE, FALSE, NULL);
        caller_init(&second, 0);
        CHECK_EQUAL(RpcAsyncInitializeHandle(async, sizeof(*async)), RPC_S_OK);
        async->UserInfo = &inside;
        async->NotificationType = RpcNotificationTypeCallback;
        async->u.NotificationRoutine = call_inside;
        RAISED(status, c_plain(async, h, 1, &twice));
        CHECK_EQUAL(status, RPC_S_OK);
        struct served *served = accept_call();
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        CHECK_EQUAL(WaitForSingleObject(inside.done, SOON_MS), WAIT_OBJECT_0);
        CHECK_EQUAL(inside.ping, RPC_S_OK);
        CHECK_EQUAL(inside.pong, 41);
        CHECK_EQUAL(inside.call, RPC_S_OK);
        CHECK_EQUAL(inside.completed, RPC_S_OK);
        CHECK(is_invalid(inside.again));
        served_free(served);
        served = accept_call();
        CHECK_EQUAL(served->n, 33);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        EXPECT(&second, RpcCallComplete);
        CHECK_EQUAL(complete(&second, &result), RPC_S_OK);
        CHECK_EQUAL(result, 6);
        served_free(served);
        caller_fini(&second);
        CloseHandle(inside.done);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

struct leaving {
    NDR_ASYNC_PIPE pipe;
    unsigned told;
    RPC_STATUS pulled, cancelled, completed;
    HANDLE done;
};

/* Gives its call up inside the routine that tells of data. */
static void cancel_inside(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct leaving *leaving = async->UserInfo;
    unsigned long n;
    (void)context;
    leaving->told++;
    if (event == RpcReceiveComplete) {
        leaving->pulled = PULL(&leaving->pipe, buf, 10, &n);
        leaving->cancelled = RpcAsyncCancelCall(async, TRUE);
    } else {
        CHECK_EQUAL(event, RpcCallComplete);
        leaving->completed = RpcAsyncCompleteCall(async, NULL);
        SetEvent(leaving->done);
    }
}

static void cancelled_inside_a_routine(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int i = 0; i < 20; i++) {
        struct caller caller;
        struct leaving leaving = {.done = CreateEvent(NULL, FALSE, FALSE, NULL)};
        unsigned long n;
        caller_init(&caller, 0);
        caller.async.UserInfo = &leaving;
        caller.async.NotificationType = RpcNotificationTypeCallback;
        caller.async.u.NotificationRoutine = cancel_inside;
        CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
        struct served *served = accept_call();
        leaving.pipe = caller.pipe[0];
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, 10), RPC_S_OK);
        CHECK_EQUAL(WaitForSingleObject(leaving.done, SOON_MS), WAIT_OBJECT_0);
        CHECK_EQUAL(leaving.pulled, RPC_S_OK);
        CHECK_EQUAL(leaving.cancelled, RPC_S_OK);
        CHECK_EQUAL(leaving.completed, RPC_S_CALL_CANCELLED);
        sleep_ms(NEVER_MS);
        CHECK_EQUAL(leaving.told, 2);
        served_abort(served, 1);
        CloseHandle(leaving.done);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test misuse_tests[] = {
    {"AR-17_raised_after_hand_off", raised_after_hand_off},
    {"AR-17_raised_amid_a_pipe", raised_amid_a_pipe},
    {"AR-17_AR-27_raised_while_completed", raised_while_completed},
    {"AR-16_ended_by_several_threads", ended_by_several_threads},
    {"AR-3_state_used_again_after_failures", state_used_again_after_failures},
    {"AR-22_binding_freed_under_a_pipe", binding_freed_under_a_pipe},
    {"AP-6_pushed_by_several_threads", pushed_by_several_threads},
    {"AR-6_calls_inside_a_routine", calls_inside_a_routine},
    {"AR-30_cancelled_inside_a_routine", cancelled_inside_a_routine},
    {NULL, NULL},
};
