/* SPDX-License-Identifier: MIT */
/* connect_tests.c - asynchronous calls whose connection is not up yet: the stub returns at
 * once, and whatever becomes of the connection is told as of any call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

static uint8_t buf[100000];
static const enum operation operations[] = {PLAIN, IN_PIPE, OUT_PIPE, BOTH_PIPE};
#define OPERATIONS 4

/* The stub returns at once, and has nothing to say yet. */
static void begin(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation, int32_t n)
{
    caller_init(caller, 0);
    uint64_t before = now_ms();
    CHECK_EQUAL(caller_call(caller, h, operation, n), RPC_S_OK);
    CHECK(now_ms() - before < AT_ONCE_MS);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller->async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(complete(caller, NULL),
                operation == IN_PIPE || operation == BOTH_PIPE ? RPC_X_PIPE_DISCIPLINE_ERROR
                                                               : RPC_S_ASYNC_CALL_PENDING);
    if (operation == IN_PIPE || operation == BOTH_PIPE) /* AP-56: that was final */
        CHECK_EQUAL(caller_call(caller, h, operation, n), RPC_S_OK);
}

/* It has failed: told once. */
static void end_with(struct caller *caller, RPC_STATUS status)
{
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller->async), status);
    CHECK_EQUAL(complete(caller, NULL), status);
    EXPECT_QUIET(caller);
    CHECK_EQUAL(complete(caller, NULL), status);
    caller_fini(caller);
}

/* ---- It never comes up ------------------------------------------------------------ */

/* AR-6, AR-13, AR-14: cancelled, either way, or past its deadline while nobody answers. */
static void ended_here(bool full)
{
    char text[128];
    struct caller caller;
    listen_mute(full, text, sizeof(text));
    RPC_BINDING_HANDLE h = bind_text(text);
    for (int o = 0; o < OPERATIONS; o++) {
        for (int abort = 0; abort < 2; abort++) {
            begin(&caller, h, operations[o], 1);
            EXPECT_QUIET(&caller);
            CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, abort), RPC_S_OK);
            end_with(&caller, RPC_S_CALL_CANCELLED);
        }
        begin(&caller, h, operations[o], 1);
        uint64_t start = now_ms();
        CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 150), RPC_S_OK);
        end_with(&caller, RPC_S_CALL_CANCELLED);
        CHECK(now_ms() - start >= 149);
    }
    RpcBindingFree(&h);
}

static void ended_without_bind_ack(void)
{
    ended_here(false);
}

static void ended_without_connection(void)
{
    ended_here(true);
}

/* What becomes of the binding in the meantime is no matter; the threads that make the calls
 * may end. */
static void *call_and_leave(void *arg)
{
    struct caller *callers = arg;
    char text[128];
    listen_mute(false, text, sizeof(text));
    RPC_BINDING_HANDLE h = bind_text(text), copy;
    CHECK_EQUAL(RpcBindingCopy(h, &copy), RPC_S_OK);
    begin(&callers[0], h, PLAIN, 1);
    begin(&callers[1], h, OUT_PIPE, 1);
    begin(&callers[2], copy, PLAIN, 1);
    CHECK_EQUAL(RpcBindingReset(copy), RPC_S_OK);
    RpcBindingFree(&copy);
    RpcBindingFree(&h);
    return NULL;
}

static void binding_and_thread_gone(void)
{
    struct caller callers[3];
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, call_and_leave, callers) == 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++) {
        EXPECT_QUIET(&callers[i]);
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
        end_with(&callers[i], RPC_S_CALL_CANCELLED);
    }
}

/* RpcMgmtSetComTimeout: all that wait for one connection and those that have their own. */
static void com_timeout(void)
{
    char text[128];
    struct caller callers[2][6];
    RPC_BINDING_HANDLE h[2];
    uint64_t start = now_ms();
    for (int f = 0; f < 2; f++) {
        listen_mute(f, text, sizeof(text));
        h[f] = bind_text(text);
        CHECK_EQUAL(RpcMgmtSetComTimeout(h[f], RPC_C_BINDING_MIN_TIMEOUT), RPC_S_OK);
        for (int i = 0; i < 6; i++)
            begin(&callers[f][i], h[f], i < 3 ? PLAIN : OUT_PIPE, i);
    }
    CHECK(now_ms() - start < AT_ONCE_MS);
    for (int f = 0; f < 2; f++) {
        for (int i = 0; i < 6; i++) {
            CHECK(WaitForSingleObject(callers[f][i].event, SOON_MS) == WAIT_OBJECT_0);
            CHECK(now_ms() - start >= 4900);
            CHECK_EQUAL(callers[f][i].async.Event, RpcCallComplete);
            CHECK_EQUAL(complete(&callers[f][i], NULL), RPC_S_SERVER_UNAVAILABLE);
            EXPECT_QUIET(&callers[f][i]);
            caller_fini(&callers[f][i]);
        }
        RpcBindingFree(&h[f]);
    }
}

/* F1: what this host knows at once is raised by the stub, as ever. */
static void refused(void)
{
    bool local = strcmp(transport, "ncalrpc") == 0;
    RPC_BINDING_HANDLE h = bind_text(local ? "ncalrpc:[nobody-is-here]" : "ncacn_ip_tcp:127.0.0.1[1]");
    struct caller caller;
    for (int o = 0; o < OPERATIONS; o++) {
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, operations[o], 1), RPC_S_SERVER_UNAVAILABLE);
        EXPECT_QUIET(&caller);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

/* A bind_nak of each kind, and a server that dies between connect and bind_ack: the status is
 * the one that a synchronous call raises. */
static void no_bind_ack(void)
{
    static const int reasons[] = {0, 1, 2, 4, 8, 9, -1};
    RPC_BINDING_HANDLE server = serve_here();
    RPC_CSTR target;
    CHECK_EQUAL(RpcBindingToStringBinding(server, &target), RPC_S_OK);
    for (int r = 0; r < 7; r++) {
        struct gate *gate = gate_new((char *)target);
        RPC_BINDING_HANDLE h = bind_text(gate->binding);
        struct caller callers[OPERATIONS + 2];
        gate->kind = reasons[r] < 0 ? GATE_DIE : GATE_NAK;
        gate->nak = reasons[r];
        for (int i = 0; i < OPERATIONS + 2; i++)
            begin(&callers[i], h, operations[i % OPERATIONS], 1);
        EXPECT_QUIET(&callers[0]);
        gate_open(gate);
        RPC_STATUS status;
        RAISED(status, c_ping(h, 1));
        CHECK(status != RPC_S_OK);
        for (int i = 0; i < OPERATIONS + 2; i++)
            end_with(&callers[i], status);
        RpcBindingFree(&h);
    }
    CHECK(no_call());
    RpcStringFree(&target);
    CHECK_USABLE(server);
    RpcBindingFree(&server);
}

/* ---- It comes up -------------------------------------------------------------------- */

/* AR-9: many calls wait for one connection and begin in the order in which they were made;
 * the server never hears of those that were cancelled meanwhile. */
#define MANY 300
static void many_in_order(void)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    static struct caller callers[MANY + 20];
    for (int i = 0; i < MANY; i++)
        begin(&callers[i], h, PLAIN, i);
    for (int i = 0; i < MANY; i += 3) {
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, i % 2), RPC_S_OK);
        EXPECT(&callers[i], RpcCallComplete);
    }
    gate_open(gate);
    for (int i = MANY; i < MANY + 20; i++) { /* in the middle of it */
        caller_init(&callers[i], 0);
        CHECK_EQUAL(caller_call(&callers[i], h, PLAIN, i), RPC_S_OK);
    }
    for (int i = 0; i < MANY + 20; i++) {
        if (i < MANY && i % 3 == 0) {
            CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_CANCELLED);
            caller_fini(&callers[i]);
            continue;
        }
        struct served *served = accept_call();
        CHECK_EQUAL(served->n, i);
        gate_answer(&callers[i], served, i);
    }
    CHECK_EQUAL(gate->accepted, 1);
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* Calls without an order are spread, as over connections that are up. */
static void noncausal_are_spread(void)
{
    RPC_BINDING_HANDLE server, h;
    if (strcmp(transport, "ncalrpc") == 0)
        skip("not for ncalrpc");
    struct gate *gate = gate_serve(&server, &h);
    struct caller callers[20];
    CHECK_EQUAL(RpcBindingSetOption(h, RPC_C_OPT_BINDING_NONCAUSAL, TRUE), RPC_S_OK);
    for (int i = 0; i < 20; i++)
        begin(&callers[i], h, PLAIN, i);
    gate_open(gate);
    for (int i = 0; i < 20; i++) {
        struct served *served = accept_call();
        gate_answer(&callers[served->n], served, served->n);
    }
    CHECK_EQUAL(gate->accepted, 4);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* The server turns out to take one call at a time: each has a connection, none waits for
 * another one's answer. */
static void server_without_multiplexing(void)
{
    enum { CALLS = 6 };
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    struct caller callers[CALLS];
    struct served *served[CALLS] = {NULL};
    gate->kind = GATE_NO_MPX;
    for (int i = 0; i < CALLS; i++)
        begin(&callers[i], h, PLAIN, i);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&callers[CALLS - 1].async, 60000), RPC_S_OK);
    gate_open(gate);
    for (int i = 0; i < CALLS; i++) {
        struct served *one = accept_call();
        CHECK(one->n >= 0 && one->n < CALLS && !served[one->n]);
        served[one->n] = one;
    }
    CHECK_EQUAL(gate->accepted, CALLS);
    CHECK_EQUAL(RpcAsyncCancelCall(&callers[3].async, TRUE), RPC_S_OK);
    end_with(&callers[3], RPC_S_CALL_CANCELLED);
    served_abort(served[3], 1);
    served_free(served[3]);
    for (int i = CALLS - 1; i >= 0; i--)
        if (i != 3)
            gate_answer(&callers[i], served[i], i);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* Each call with a pipe has its connection; all but the first must know its group. */
static void pipes_beside_each_other(void)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    struct caller callers[5];
    unsigned long n;
    for (int i = 0; i < 5; i++) {
        begin(&callers[i], h, OUT_PIPE, i);
        CHECK_EQUAL(PULL(&callers[i].pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    }
    gate_open(gate);
    for (int i = 0; i < 5; i++) {
        struct served *served = accept_call();
        struct caller *caller = &callers[served->n];
        uint64_t at = 0, pulled = 0;
        CHECK_EQUAL(push_pattern(&served->pipe[0], &at, 5000, 1000), RPC_S_OK);
        CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
        EXPECT(caller, RpcReceiveComplete);
        CHECK_EQUAL(pull_pattern(&caller->pipe[0], &pulled, 5000), RPC_S_OK);
        int32_t reply = 0;
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        PULL_END(&caller->pipe[0]);
        served_free(served);
        while (RpcAsyncGetCallStatus(&caller->async) == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        CHECK_EQUAL(complete(caller, NULL), RPC_S_OK);
        caller_fini(caller);
    }
    CHECK_EQUAL(gate->accepted, 5);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* ---- Pushed before -------------------------------------------------------------------- */

/* AP-12, AP-16: what is pushed meanwhile, the end included, follows the request, in either
 * transfer syntax; RpcSendComplete comes when it has left. */
static void pushed_before(enum gate_kind kind)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    gate->kind = kind;
    struct caller caller;
    RPCX_PIPE_STATS stats;
    for (int end_early = 0; end_early < 2; end_early++) {
        uint64_t at = 0, pulled = 0;
        caller_init(&caller, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 7), RPC_S_OK);
        CHECK_EQUAL(push_pattern(&caller.pipe[0], &at, 70001, 1003), RPC_S_OK);
        if (end_early) /* its connection is there already */
            CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        CHECK_EQUAL(RpcxPipeInqStats(caller.pipe[0].state, &stats, sizeof(stats)), RPC_S_OK);
        CHECK_EQUAL(stats.ElementsPushed, 70001);
        gate_open(gate);
        struct served *served = accept_call();
        EXPECT(&caller, RpcSendComplete);
        if (!end_early) {
            CHECK_EQUAL(push_pattern(&caller.pipe[0], &at, 10, 10), RPC_S_OK);
            CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        }
        CHECK_EQUAL(pull_pattern(&served->pipe[0], &pulled, at), RPC_S_OK);
        PULL_END(&served->pipe[0]);
        int32_t reply = 3, result = 0;
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        served_free(served);
        while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, 3);
        caller_fini(&caller);
        gate = gate_new(gate->target);
        gate->kind = kind;
        RpcBindingFree(&h);
        h = bind_text(gate->binding);
    }
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

static void pushed_before_connected(void)
{
    pushed_before(GATE_RELAY);
}

static void pushed_before_in_ndr(void)
{
    pushed_before(GATE_NO_NDR64);
}

/* Two pipes, whole, before there is a connection; the order of the ends is kept. */
static void two_pipes_before(void)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    struct caller caller;
    int32_t numbers[3] = {1, -2, 3}, got[4];
    unsigned long n;
    uint64_t at = 0, pulled = 0;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, TWO_IN, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], numbers, 3), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &at, 33, 33), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 1), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(&caller.pipe[1], numbers, 3), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], NULL, 0), RPC_S_OK);
    gate_open(gate);
    struct served *served = accept_call();
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &pulled, 33), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(pull_polled(&served->pipe[1], got, 4, &n), RPC_S_OK);
    CHECK(n == 3 && memcmp(got, numbers, sizeof(numbers)) == 0);
    PULL_END(&served->pipe[1]);
    gate_answer(&caller, served, 5);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

struct pusher {
    struct caller *caller;
    atomic_bool done;
    RPC_STATUS status;
    uint64_t at;
};

static void *push_much(void *arg)
{
    struct pusher *pusher = arg;
    pusher->status = push_pattern(&pusher->caller->pipe[0], &pusher->at, 50000, 1000);
    pusher->done = true;
    return NULL;
}

/* Past the pipe's high mark a push waits for the connection; it ends with the call, or goes
 * on when the connection is there. */
static void push_waits(bool cancel)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    struct caller caller;
    struct pusher pusher = {.caller = &caller};
    pthread_t thread;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 7), RPC_S_OK);
    CHECK_EQUAL(pipe_set_limits(&caller.pipe[0], 8000, 2000), RPC_S_OK);
    CHECK(pthread_create(&thread, NULL, push_much, &pusher) == 0);
    sleep_ms(2 * NEVER_MS);
    CHECK(!pusher.done);
    if (cancel) {
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
        pthread_join(thread, NULL);
        CHECK_EQUAL(pusher.status, RPC_S_CALL_CANCELLED);
        CHECK(pusher.at <= 9000);
    } else {
        uint64_t pulled = 0;
        gate_open(gate);
        struct served *served = accept_call();
        CHECK_EQUAL(pull_pattern(&served->pipe[0], &pulled, 50000), RPC_S_OK);
        pthread_join(thread, NULL);
        CHECK_EQUAL(pusher.status, RPC_S_OK);
        CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        PULL_END(&served->pipe[0]);
        gate_answer(&caller, served, 1);
    }
    gate_open(gate);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

static void push_waits_and_goes_on(void)
{
    push_waits(false);
}

static void push_waits_and_is_cancelled(void)
{
    push_waits(true);
}

const struct test connect_tests[] = {
    {"AR-6_AR-13_AR-14_no_bind_ack_cancel_deadline", ended_without_bind_ack},
    {"AR-6_AR-13_AR-14_not_connected_cancel_deadline", ended_without_connection},
    {"AR-8_AR-22_connecting_binding_and_thread_gone", binding_and_thread_gone},
    {"AR-6_AR-20_connecting_com_timeout", com_timeout},
    {"F1_refused_at_once", refused},
    {"AR-6_bind_nak_and_end", no_bind_ack},
    {"AR-9_connecting_many_in_order", many_in_order},
    {"AR-9_connecting_noncausal", noncausal_are_spread},
    {"AR-7_connecting_without_multiplexing", server_without_multiplexing},
    {"AP-32_connecting_pipes", pipes_beside_each_other},
    {"AP-12_AP-16_pushed_before_connected", pushed_before_connected},
    {"AP-12_AP-16_pushed_before_connected_ndr", pushed_before_in_ndr},
    {"AP-52_two_pipes_before_connected", two_pipes_before},
    {"AP-12_push_waits_for_connection", push_waits_and_goes_on},
    {"F7_push_waits_for_connection_cancel", push_waits_and_is_cancelled},
    {NULL, NULL},
};
