/* SPDX-License-Identifier: MIT */
/* failure_tests.c - one side dies, aborts, cancels or stalls in the middle of a pipe:
 * the failure matrix F2 to F8, F15 and the requirements behind it. */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static uint8_t buf[100000];

static bool connection_lost(RPC_STATUS status)
{
    return status == RPC_S_CALL_FAILED || status == RPC_S_SERVER_UNAVAILABLE ||
           status == RPC_S_CALL_FAILED_DNE || status == RPC_S_COMM_FAILURE;
}

/* Does a notification come within AT_ONCE_MS? */
static bool told(HANDLE event)
{
    return WaitForSingleObject(event, AT_ONCE_MS) == WAIT_OBJECT_0;
}

/* The call failed and a push or pull has told so: nothing is left of it (AP-18, AP-37). */
static void check_gone(struct caller *caller)
{
    CHECK(complete(caller, NULL) != RPC_S_ASYNC_CALL_PENDING);
    CHECK(RpcAsyncGetCallStatus(&caller->async) != RPC_S_ASYNC_CALL_PENDING);
    EXPECT_QUIET(caller);
}

/* ---- The server dies --------------------------------------------------------- */

/* F2: a push or RpcCallComplete tells, one of them. */
static void server_dies_under_push(void)
{
    for (unsigned flags = 0; flags <= RPC_C_NOTIFY_ON_SEND_COMPLETE; flags++) {
        struct child server = spawn_server();
        RPC_BINDING_HANDLE h = bind_text(server.binding);
        struct caller caller;
        CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, flags);
        CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 1), RPC_S_OK);
        if (flags)
            EXPECT(&caller, RpcSendComplete);
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 50000), RPC_S_OK);
        if (flags)
            EXPECT(&caller, RpcSendComplete);
        child_kill(&server, SIGKILL);
        uint64_t until = now_ms() + AT_ONCE_MS;
        RPC_STATUS status;
        while ((status = PUSH(&caller.pipe[0], buf, 50000)) == RPC_S_OK) {
            CHECK(now_ms() < until);
            sleep_ms(1);
        }
        CHECK(connection_lost(status));
        /* RpcCallComplete may have come before that push; never after it. */
        while (WaitForSingleObject(caller.event, 0) == WAIT_OBJECT_0)
            ;
        check_gone(&caller);
        CHECK(connection_lost(PUSH(&caller.pipe[0], buf, 1)));
        caller_fini(&caller);
        RpcBindingFree(&h);
        child_stop(&server);
    }
}

/* F2, the other half: a client that does not push hears of it by RpcCallComplete. */
static void server_dies_between_pushes(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 1), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 1000), RPC_S_OK);
    child_kill(&server, SIGKILL);
    EXPECT(&caller, RpcCallComplete);
    CHECK(connection_lost(RpcAsyncGetCallStatus(&caller.async)));
    CHECK(connection_lost(complete(&caller, NULL)));
    EXPECT_QUIET(&caller);
    caller_fini(&caller);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* F3 */
static void server_dies_under_pull(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    unsigned long n;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    child_kill(&server, SIGKILL);
    EXPECT(&caller, RpcCallComplete); /* not RpcReceiveComplete */
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_CALL_FAILED);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_FAILED);
    EXPECT_QUIET(&caller);
    caller_fini(&caller);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* AP-41: told by RpcCallComplete, pulled all the same. */
static void pull_after_failed_complete(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    unsigned long n;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    child_kill(&server, SIGKILL);
    EXPECT(&caller, RpcCallComplete);
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_CALL_FAILED);
    check_gone(&caller);
    caller_fini(&caller);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* A routine that only passes the word on to a thread, which is there before it returns.
 * What that thread tries meanwhile is not the failure's to tell, so it is told again. */
static HANDLE relayed, relay_returns;
static RPC_ASYNC_EVENT relayed_event;

static void relay(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)async;
    (void)context;
    relayed_event = event;
    SetEvent(relayed);
    WaitForSingleObject(relay_returns, SOON_MS);
}

static void relayed_failure(enum operation operation)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    unsigned long n;
    bool pulls = operation == OUT_PIPE;
    relayed = CreateEvent(NULL, FALSE, FALSE, NULL);
    relay_returns = CreateEvent(NULL, FALSE, FALSE, NULL);
    caller_init(&caller, 0);
    caller.async.NotificationType = RpcNotificationTypeCallback;
    caller.async.u.NotificationRoutine = relay;
    CHECK_EQUAL(caller_call(&caller, h, operation, 1), RPC_S_OK);
    if (!pulls)
        caller.async.Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    child_kill(&server, SIGKILL);
    CHECK_EQUAL(WaitForSingleObject(relayed, SOON_MS), WAIT_OBJECT_0);
    CHECK_EQUAL(relayed_event, RpcCallComplete);
    if (pulls)
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    else
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 10), RPC_S_OK);
    SetEvent(relay_returns);
    CHECK_EQUAL(WaitForSingleObject(relayed, SOON_MS), WAIT_OBJECT_0);
    CHECK_EQUAL(relayed_event, pulls ? RpcReceiveComplete : RpcSendComplete);
    SetEvent(relay_returns);
    /* The routine has had its say once it is back: poll until then. */
    RPC_STATUS status;
    uint64_t until = now_ms() + SOON_MS;
    do {
        status = pulls ? PULL(&caller.pipe[0], buf, 10, &n) : PUSH(&caller.pipe[0], buf, 10);
        CHECK(now_ms() < until);
    } while (status == (pulls ? RPC_S_ASYNC_CALL_PENDING : RPC_S_OK));
    CHECK(connection_lost(status));
    check_gone(&caller);
    sleep_ms(NEVER_MS); /* a notification that is one too many would use the events */
    CloseHandle(relayed);
    CloseHandle(relay_returns);
    caller_fini(&caller);
    RpcBindingFree(&h);
    child_stop(&server);
}

static void relayed_failure_pull(void)
{
    relayed_failure(OUT_PIPE);
}

static void relayed_failure_push(void)
{
    relayed_failure(IN_PIPE);
}

/* An end of a pipe that is accepted beside the routine is one: the next pipe's turn has
 * come, and what fails there is the call, not the order. */
static void relayed_failure_end(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    for (int in_then_out = 0; in_then_out < 2; in_then_out++) {
        struct caller caller;
        unsigned long n;
        relayed = CreateEvent(NULL, FALSE, FALSE, NULL);
        relay_returns = CreateEvent(NULL, FALSE, FALSE, NULL);
        caller_init(&caller, 0);
        caller.async.NotificationType = RpcNotificationTypeCallback;
        caller.async.u.NotificationRoutine = relay;
        CHECK_EQUAL(caller_call(&caller, h, in_then_out ? IN_THEN_OUT : TWO_IN, 1), RPC_S_OK);
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 10), RPC_S_OK);
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
        CHECK_EQUAL(WaitForSingleObject(relayed, SOON_MS), WAIT_OBJECT_0);
        CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        if (in_then_out)
            CHECK_EQUAL(PULL(&caller.pipe[1], buf, 2, &n), RPC_S_ASYNC_CALL_PENDING);
        else
            CHECK_EQUAL(PUSH(&caller.pipe[1], buf, 2), RPC_S_OK);
        SetEvent(relay_returns);
        if (in_then_out) { /* what was pending is told; pushes did not ask to be */
            CHECK_EQUAL(WaitForSingleObject(relayed, SOON_MS), WAIT_OBJECT_0);
            SetEvent(relay_returns);
        }
        RPC_STATUS status;
        uint64_t until = now_ms() + SOON_MS;
        do {
            status = in_then_out ? PULL(&caller.pipe[1], buf, 2, &n)
                                 : PUSH(&caller.pipe[1], buf, 2);
            CHECK(now_ms() < until);
        } while (status == (in_then_out ? RPC_S_ASYNC_CALL_PENDING : RPC_S_OK));
        CHECK_EQUAL(status, RPC_S_CALL_CANCELLED);
        sleep_ms(NEVER_MS);
        CloseHandle(relayed);
        CloseHandle(relay_returns);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
    child_stop(&server);
}

/* Calls without a pipe: asynchronous ones are told, a synchronous one raises. */
static void server_dies_under_calls(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller callers[5];
    for (int i = 0; i < 5; i++) {
        caller_init(&callers[i], 0);
        CHECK_EQUAL(caller_call(&callers[i], h, PLAIN, 1), RPC_S_OK);
    }
    child_kill(&server, SIGKILL);
    for (int i = 0; i < 5; i++) {
        EXPECT(&callers[i], RpcCallComplete);
        CHECK(connection_lost(complete(&callers[i], NULL)));
        EXPECT_QUIET(&callers[i]);
        caller_fini(&callers[i]);
    }
    RPC_STATUS status;
    RAISED(status, c_ping(h, 1));
    CHECK(connection_lost(status));
    RpcBindingFree(&h);
    child_stop(&server);
}

/* A server that is stopped, not dead: no call may hang the thread that makes it, and
 * killing it is heard of. */
static void server_stopped(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller, plain;
    unsigned long n;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
    caller_init(&plain, 0);
    CHECK_EQUAL(caller_call(&plain, h, PLAIN, 1), RPC_S_OK);
    child_kill(&server, SIGSTOP);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    EXPECT_QUIET(&caller); /* the server does not answer */
    uint64_t begin = now_ms();
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
    EXPECT_QUIET(&plain);
    child_kill(&server, SIGKILL);
    EXPECT(&plain, RpcCallComplete);
    CHECK(connection_lost(complete(&plain, NULL)));
    caller_fini(&caller);
    caller_fini(&plain);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* A binding outlives its server: the next one on the same endpoint is found. */
static void server_comes_back(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    volatile int32_t pong = 0;
    RPC_STATUS status;
    RAISED(status, pong = c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_OK);
    CHECK_EQUAL(pong, 2);
    child_kill(&server, SIGKILL);
    sleep_ms(20);
    RAISED(status, pong = c_ping(h, 1));
    CHECK(connection_lost(status));
    RAISED(status, pong = c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_SERVER_UNAVAILABLE);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* ---- The client dies, which is a third process ---------------------------------- */

/* F4, AP-19: an accepted push that could not be sent is told as sent; the next one
 * tells the truth. */
static void client_dies_under_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct child client = spawn_client("no-read");
    struct served *served = accept_call();
    child_ready(&client);
    child_kill(&client, SIGSTOP);
    served_use_event(served, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    /* More than the transport takes, so that a send stays pending. */
    RPC_STATUS status = RPC_S_OK;
    CHECK_EQUAL(pipe_set_limits(&served->pipe[0], 0, 0), RPC_S_OK);
    unsigned pushes = 0;
    do {
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, sizeof(buf)), RPC_S_OK);
        CHECK(++pushes < 1000);
    } while (served_wait(served, 50) == WAIT_OBJECT_0);
    child_kill(&client, SIGKILL);
    CHECK(served_wait(served, AT_ONCE_MS) == WAIT_OBJECT_0);
    CHECK_EQUAL(served_event(served), RpcSendComplete);
    status = PUSH(&served->pipe[0], buf, 10);
    CHECK(status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING);
    EXPECT_QUIET(served);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 10), status); /* AP-44 */
    CHECK_EQUAL(served_test_cancel_by_handle(served), RPC_S_INVALID_BINDING);
    served_free(served);
    CHECK_USABLE(h);
    child_stop(&client);
    RpcBindingFree(&h);
}

/* F5, AP-42: three ways to take it, all harmless. */
static void client_dies_under_pull(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int way = 0; way < 3; way++) {
        struct child client = spawn_client("push");
        struct served *served = accept_call();
        unsigned long n, total = 0;
        child_ready(&client);
        served_use_event(served, 0);
        for (; total < 1000; total += n)
            CHECK_EQUAL(pull_polled(&served->pipe[0], buf, 1000, &n), RPC_S_OK);
        while (served_wait(served, 0) == WAIT_OBJECT_0)
            ;
        CHECK_EQUAL(PULL(&served->pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
        child_kill(&client, SIGKILL);
        EXPECT_SERVED(served, RpcReceiveComplete);
        CHECK_EQUAL(served_test_cancel_by_handle(served), RPC_S_OK);
        if (way == 0) {
            RPC_STATUS status = PULL(&served->pipe[0], buf, 10, &n);
            CHECK(status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING);
            CHECK_EQUAL(n, 0);
            CHECK_EQUAL(PULL(&served->pipe[0], buf, 10, &n), status);
        } else if (way == 1) {
            CHECK_EITHER(served_abort(served, 1), RPC_S_OK,
                         RPC_S_INVALID_ASYNC_CALL);
        }
        EXPECT_QUIET(served);
        served_free(served);
        child_stop(&client);
        CHECK_USABLE(h);
    }
    RpcBindingFree(&h);
}

/* AP-39: the failure happens while nothing is pending; the next pull tells. */
static void client_dies_between_pulls(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct child client = spawn_client("push");
    struct served *served = accept_call();
    unsigned long n;
    child_ready(&client);
    served_use_event(served, 0);
    child_kill(&client, SIGKILL);
    uint64_t until = now_ms() + AT_ONCE_MS;
    while (served_test_cancel_by_handle(served) != RPC_S_OK)
        CHECK(now_ms() < until);
    EXPECT_QUIET(served);
    RPC_STATUS status = PULL(&served->pipe[0], buf, 10, &n);
    CHECK(status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING);
    served_free(served);
    CHECK_USABLE(h);
    child_stop(&client);
    RpcBindingFree(&h);
}

/* With the runtime's pipe object, not the manager's copy of it. */
static long long push_by_object_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    return PUSH(served->there.pipe_at[0], buf, 1);
}

/* AP-18, F15: CompleteCall long after a failed push, while other calls run. */
static void late_complete_after_failed_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct served *failed_calls[10];
    for (int i = 0; i < 10; i++) {
        struct caller caller;
        failed_calls[i] = start_call(&caller, h, OUT_PIPE, 0);
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
        uint64_t until = now_ms() + AT_ONCE_MS;
        RPC_STATUS status;
        while ((status = PUSH(&failed_calls[i]->pipe[0], buf, 10)) == RPC_S_OK)
            CHECK(now_ms() < until);
        caller_fini(&caller);
    }
    struct caller callers[10];
    struct served *running[10];
    for (int i = 0; i < 10; i++)
        running[i] = start_call(&callers[i], h, PLAIN, 0);
    for (int i = 0; i < 10; i++) {
        int32_t reply = 1;
        for (int k = 0; k < 3; k++)
            CHECK(served_complete(failed_calls[i], &reply) != RPC_S_OK);
        CHECK(served_abort(failed_calls[i], 5) != RPC_S_OK);
        for (int p = 0; p < 3; p++)
            CHECK(far(push_by_object_there, failed_calls[i], 0, 0) != RPC_S_OK);
    }
    for (int i = 0; i < 10; i++) {
        int32_t reply = 70 + i, result;
        CHECK_EQUAL(RpcAsyncGetCallStatus(&callers[i].async), RPC_S_ASYNC_CALL_PENDING);
        CHECK_EQUAL(served_complete(running[i], &reply), RPC_S_OK);
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], &result), RPC_S_OK);
        CHECK_EQUAL(result, 70 + i);
        served_free(failed_calls[i]);
        served_free(running[i]);
        caller_fini(&callers[i]);
    }
    RpcBindingFree(&h);
}

/* ---- Abort ------------------------------------------------------------------- */

/* F6: told by a pull or by RpcCallComplete, by one of them. */
static void server_aborts_out_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int pending = 0; pending < 2; pending++) {
        struct caller caller;
        unsigned long n = 0;
        struct served *served = start_call(&caller, h, OUT_PIPE, 0);
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, 1000), RPC_S_OK);
        for (unsigned long total = 0; total < 1000; total += n)
            CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 1000, &n), RPC_S_OK);
        while (WaitForSingleObject(caller.event, 0) == WAIT_OBJECT_0)
            ;
        if (pending)
            CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
        CHECK_EQUAL(served_abort(served, 0x20005678), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        EXPECT_QUIET(&caller);
        CHECK_EQUAL(complete(&caller, NULL), 0x20005678);
        CHECK_EQUAL(caller.twice, 1111);
        served_free(served);
        caller_fini(&caller);
        CHECK_USABLE(h);
    }
    RpcBindingFree(&h);
}

/* AP-55: the fault comes while the client is still pushing. */
static void server_aborts_in_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int by_push = 0; by_push < 2; by_push++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 1000), RPC_S_OK);
        CHECK_EQUAL(served_abort(served, 0x20009999), RPC_S_OK);
        if (by_push) {
            uint64_t until = now_ms() + AT_ONCE_MS;
            RPC_STATUS status;
            while ((status = PUSH(&caller.pipe[0], buf, 1000)) == RPC_S_OK)
                CHECK(now_ms() < until);
            CHECK_EQUAL(status, 0x20009999);
            while (WaitForSingleObject(caller.event, 0) == WAIT_OBJECT_0)
                CHECK_EQUAL(caller.async.Event, RpcCallComplete); /* came before that push */
            check_gone(&caller);
        } else {
            EXPECT(&caller, RpcCallComplete);
            EXPECT_QUIET(&caller);
            CHECK_EQUAL(complete(&caller, NULL), 0x20009999);
        }
        served_free(served);
        caller_fini(&caller);
        CHECK_USABLE(h);
    }
    RpcBindingFree(&h);
}

/* ---- Cancel ------------------------------------------------------------------ */

/* F7, for every kind of pipe and at every stage of it. */
static void cancel_abortive_mid_pipe(void)
{
    static const enum operation operations[] = {IN_PIPE, OUT_PIPE, BOTH_PIPE};
    RPC_BINDING_HANDLE h = serve_here();
    for (int o = 0; o < 3; o++) {
        for (int stage = 0; stage < 3; stage++) {
            struct caller caller;
            unsigned long n = 0;
            struct served *served = start_call(&caller, h, operations[o], 0);
            served_use_event(served, 0);
            if (stage > 0 && operations[o] != OUT_PIPE)
                CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 5000), RPC_S_OK);
            if (stage > 1 && operations[o] != OUT_PIPE)
                CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
            if (stage > 0 && operations[o] == OUT_PIPE)
                CHECK_EQUAL(PUSH(&served->pipe[0], buf, 5000), RPC_S_OK);
            if (stage > 1 && operations[o] == OUT_PIPE)
                CHECK_EITHER(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_OK,
                             RPC_S_ASYNC_CALL_PENDING);
            while (WaitForSingleObject(caller.event, 20) == WAIT_OBJECT_0)
                CHECK(caller.async.Event != RpcCallComplete);
            uint64_t begin = now_ms();
            CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
            EXPECT(&caller, RpcCallComplete);
            CHECK(now_ms() - begin < AT_ONCE_MS);
            CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
            EXPECT_QUIET(&caller);
            /* The server sees it at once, too. */
            while (served_test_cancel_by_handle(served) != RPC_S_OK)
                CHECK(now_ms() - begin < AT_ONCE_MS);
            served_abort(served, 1);
            served_free(served);
            caller_fini(&caller);
        }
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* F8 */
static void cancel_not_abortive_mid_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint64_t sent = 0, got = 0;
    int32_t reply = 5, result;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 5000, 1000), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    uint64_t begin = now_ms();
    while (served_test_cancel_by_handle(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 5000, 1000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &got, 10000), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    EXPECT(&caller, RpcCallComplete);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* The same while the client pushes; the server takes notice and aborts. */
static void cancel_answered_by_abort(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 5000), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    uint64_t begin = now_ms();
    while (served_test_cancel_by_handle(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(served_abort(served, RPC_S_CALL_CANCELLED), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AP-43: a pull was pending at the time of the cancel. */
static void cancel_with_pending_pull(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    CHECK(told(caller.event));
    if (caller.async.Event == RpcReceiveComplete) {
        RpcAsyncGetCallStatus(&caller.async);
        CHECK(told(caller.event));
    }
    CHECK_EQUAL(caller.async.Event, RpcCallComplete);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_CALL_CANCELLED);
    check_gone(&caller);
    served_abort(served, 1);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* Cancels at random moments from another thread while octets flow both ways. */
struct canceller {
    struct caller *caller;
    unsigned after_ms;
};

static void *cancel_after(void *arg)
{
    const struct canceller *canceller = arg;
    sleep_ms(canceller->after_ms);
    RpcAsyncCancelCall(&canceller->caller->async, TRUE);
    return NULL;
}

static void *drain(void *arg)
{
    struct served *served = arg;
    static _Thread_local uint8_t octets[30000];
    unsigned long n;
    uint64_t until = now_ms() + SOON_MS;
    RPC_STATUS status;
    do {
        status = PULL(&served->pipe[0], octets, sizeof(octets), &n);
        CHECK(now_ms() < until);
    } while ((status == RPC_S_OK && n > 0) || status == RPC_S_ASYNC_CALL_PENDING);
    CHECK(status != RPC_S_OK); /* never an end that nobody sent */
    return NULL;
}

static void cancel_at_random(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (unsigned round = 0; round < 30; round++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        struct canceller canceller = {&caller, round % 10};
        pthread_t cancelling, draining;
        CHECK(pthread_create(&draining, NULL, drain, served) == 0);
        CHECK(pthread_create(&cancelling, NULL, cancel_after, &canceller) == 0);
        uint64_t until = now_ms() + SOON_MS;
        RPC_STATUS status;
        while ((status = PUSH(&caller.pipe[0], buf, 1 + round * 3000)) == RPC_S_OK)
            CHECK(now_ms() < until);
        CHECK_EQUAL(status, RPC_S_CALL_CANCELLED);
        pthread_join(cancelling, NULL);
        pthread_join(draining, NULL);
        while (WaitForSingleObject(caller.event, 0) == WAIT_OBJECT_0)
            ;
        CHECK(complete(&caller, NULL) != RPC_S_ASYNC_CALL_PENDING);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test failure_tests[] = {
    {"F2_AP-18_server_dies_under_push", server_dies_under_push},
    {"F2_server_dies_between_pushes", server_dies_between_pushes},
    {"F3_server_dies_under_pull", server_dies_under_pull},
    {"AP-37_AP-41_pull_after_failed_complete", pull_after_failed_complete},
    {"AP-41_pull_beside_the_routine", relayed_failure_pull},
    {"F2_push_beside_the_routine", relayed_failure_push},
    {"AP-60_end_beside_the_routine", relayed_failure_end},
    {"AR-6_server_dies_under_calls", server_dies_under_calls},
    {"AR-13_server_stopped", server_stopped},
    {"F1_server_comes_back", server_comes_back},
    {"F4_AP-19_AP-44_client_dies_under_push", client_dies_under_push},
    {"F5_AP-42_client_dies_under_pull", client_dies_under_pull},
    {"AP-39_client_dies_between_pulls", client_dies_between_pulls},
    {"F15_AP-18_late_complete_after_failed_push", late_complete_after_failed_push},
    {"F6_server_aborts_out_pipe", server_aborts_out_pipe},
    {"AP-55_server_aborts_in_pipe", server_aborts_in_pipe},
    {"F7_cancel_abortive_mid_pipe", cancel_abortive_mid_pipe},
    {"F8_cancel_not_abortive_mid_pipe", cancel_not_abortive_mid_pipe},
    {"F8_cancel_answered_by_abort", cancel_answered_by_abort},
    {"AP-43_cancel_with_pending_pull", cancel_with_pending_pull},
    {"F7_cancel_at_random", cancel_at_random},
    {NULL, NULL},
};
