/* SPDX-License-Identifier: MIT */
/* pipe_tests.c - asynchronous pipes where nothing fails but the application:
 * requirements AP-... and rows F9 to F12, F14 of the failure matrix. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static uint8_t buf[100000];

/* Lets a call end well from the server's side, and collects it. */
static void finish_call(struct caller *caller, struct served *served)
{
    int32_t reply = 5, result = 0;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    served_free(served);
    caller_fini(caller);
}

/* The same where the client's last act is to find the end of an [out] pipe: it travels
 * with the reply (a last fragment must not be empty), so the server completes first. */
static void finish_drained(struct caller *caller, struct served *served)
{
    int32_t reply = 5, result = 0;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(&caller->pipe[0]);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    served_free(served);
    caller_fini(caller);
}

/* ---- What each side is given ------------------------------------------------ */

static long long check_state_there(struct served *served, long long a, long long b)
{
    static const RPC_ASYNC_NOTIFICATION_INFO nothing;
    const RPC_ASYNC_STATE *async = served->there.async;
    (void)a, (void)b;
    CHECK_EQUAL(async->Flags, 0);
    CHECK_EQUAL(async->NotificationType, RpcNotificationTypeNone);
    CHECK(!async->UserInfo);
    CHECK(memcmp(&async->u, &nothing, sizeof(nothing)) == 0);
    CHECK_EQUAL(async->Size, sizeof(RPC_ASYNC_STATE));
    CHECK(RpcAsyncGetCallHandle(served->there.async) == served->there.handle);
    CHECK_EQUAL(RpcAsyncRegisterInfo(served->there.async), RPC_S_OK);
    return 0;
}

/* AP-5: the runtime's pipe object itself works after the manager has returned. */
static long long push_by_object_there(struct served *served, long long count, long long b)
{
    static uint8_t octets[10];
    (void)b;
    CHECK((size_t)count <= sizeof(octets));
    return PUSH(served->there.pipe_at[0], octets, (unsigned long)count);
}

static void server_state_is_zeroed(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    far(check_state_there, served, 0, 0);
    CHECK_EQUAL(far(push_by_object_there, served, 10, 0), RPC_S_OK);
    CHECK_EQUAL(far(push_by_object_there, served, 0, 0), RPC_S_OK);
    unsigned long n;
    CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 100, &n), RPC_S_OK);
    CHECK_EQUAL(n, 10);
    finish_drained(&caller, served);
    RpcBindingFree(&h);
}

static void check_members(NDR_ASYNC_PIPE *pipe)
{
    void *memory = NULL;
    unsigned long size = 0;
    CHECK(pipe->pull && pipe->push && pipe->alloc && pipe->state);
    CHECK_EQUAL(pipe->alloc(pipe->state, 100, &memory, &size), RPC_S_CANNOT_SUPPORT);
}

static long long check_members_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    check_members(served->there.pipe_at[0]);
    return 0;
}

static void all_members_are_set(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    check_members(&caller.pipe[0]);
    far(check_members_there, served, 0, 0);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    finish_call(&caller, served);
    RpcBindingFree(&h);
}

static void null_pipe_pointer(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    RPC_STATUS status;
    caller_init(&caller, 0);
    RAISED(status, c_in_pipe(&caller.async, h, 1, NULL, &caller.twice));
    CHECK_EQUAL(status, RPC_X_NULL_REF_POINTER);
    ASYNC_byte_pipe data;
    RAISED(status, c_two_in(&caller.async, h, &data, NULL));
    CHECK_EQUAL(status, RPC_X_NULL_REF_POINTER);
    EXPECT_QUIET(&caller);
    caller_fini(&caller);
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Push ------------------------------------------------------------------- */

/* AP-10: the buffer is the caller's again when push returns, also while the octets
 * are still queued because the receiver takes none. */
static void buffer_is_ours_again(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    uint64_t got = 0;
    CHECK_EQUAL(pipe_set_limits(&caller.pipe[0], 0, 0), RPC_S_OK);
    for (unsigned round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof(buf); i++)
            buf[i] = octet(round * sizeof(buf) + i);
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, sizeof(buf)), RPC_S_OK);
        memset(buf, 0xee, sizeof(buf));
    }
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 100 * sizeof(buf)), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    finish_call(&caller, served);
    RpcBindingFree(&h);
}

/* AP-11, F11: a null push is the whole pipe; its buffer may be NULL or not. */
static void null_push_only(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int with_buffer = 0; with_buffer < 2; with_buffer++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, BOTH_PIPE, 0);
        CHECK_EQUAL(PUSH(&caller.pipe[0], with_buffer ? buf : NULL, 0), RPC_S_OK);
        PULL_END(&served->pipe[0]);
        CHECK_EQUAL(PUSH(&served->pipe[0], with_buffer ? buf : NULL, 0), RPC_S_OK);
        int32_t reply = 5, result;
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        PULL_END(&caller.pipe[0]);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        served_free(served);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

/* AP-12, AP-15, AP-16: client with the flag. */
static void client_send_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, BOTH_PIPE, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    EXPECT(&caller, RpcSendComplete); /* the request itself */
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 10000), RPC_S_OK);
        EXPECT(&caller, RpcSendComplete);
        EXPECT_QUIET(&caller);
    }
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    EXPECT_QUIET(&caller); /* AP-15 */
    unsigned long n;
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    for (unsigned long left = 30000; left > 0; left -= n)
        CHECK_EQUAL(pull_polled(&served->pipe[0], buf, 5000, &n), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    int32_t reply = 5;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcReceiveComplete); /* AP-33: the end, too; AP-35: before the other */
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* AP-16: pushing at once, without a look at the first notification; AP-12: what was
 * overlapped may have been told in fewer notifications, but in at least one. */
static void overlapping_pushes(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    uint64_t sent = 0, got = 0;
    unsigned told = 0;
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 50000, 5000), RPC_S_OK);
    while (WaitForSingleObject(caller.event, NEVER_MS) == WAIT_OBJECT_0) {
        CHECK_EQUAL(caller.async.Event, RpcSendComplete);
        told++;
        RpcAsyncGetCallStatus(&caller.async); /* acknowledges */
    }
    CHECK(told >= 1 && told <= 11);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 50000), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    finish_call(&caller, served);
    RpcBindingFree(&h);
}

/* AP-13, and section 3.8: no flag, or no [in] pipe, no RpcSendComplete. */
static void no_send_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 1000), RPC_S_OK);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    EXPECT_QUIET(&caller);
    unsigned long n;
    CHECK_EQUAL(pull_polled(&served->pipe[0], buf, 5000, &n), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    finish_call(&caller, served);

    served = start_call(&caller, h, OUT_PIPE, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    EXPECT_QUIET(&caller);
    served_use_event(served, 0);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 1000), RPC_S_OK);
    EXPECT_QUIET(served);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    EXPECT_QUIET(served);
    CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 5000, &n), RPC_S_OK);
    finish_drained(&caller, served);
    RpcBindingFree(&h);
}

/* AP-14, AP-17: the server's fields are read at each push; its null push is told. */
static void server_send_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int clear_flag = 0; clear_flag < 2; clear_flag++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, OUT_PIPE, 0);
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, 100), RPC_S_OK); /* not asked for yet */
        served_use_event(served, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        EXPECT_QUIET(served);
        CHECK_EQUAL(PUSH(&served->pipe[0], buf, 100), RPC_S_OK);
        EXPECT_SERVED(served, RpcSendComplete);
        if (clear_flag)
            served_set_flags(served, 0);
        CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
        if (clear_flag)
            EXPECT_QUIET(served);
        else
            EXPECT_SERVED(served, RpcSendComplete);
        unsigned long n, total = 0;
        for (; total < 200; total += n)
            CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 5000, &n), RPC_S_OK);
        finish_drained(&caller, served);
    }
    RpcBindingFree(&h);
}

/* ---- Pull ------------------------------------------------------------------- */

/* AP-30, AP-40, F12: what was pushed as one comes in pieces of the puller's size. */
static void pulled_in_pieces(void)
{
    static const unsigned long sizes[] = {1, 3, 999, 1000, 1001, 65536};
    RPC_BINDING_HANDLE h = serve_here();
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        uint64_t sent = 0, got = 0;
        CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 2000, 2000), RPC_S_OK);
        CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        while (got < 2000) {
            unsigned long n = 0;
            memset(buf, 0xaa, sizeof(buf));
            CHECK_EQUAL(pull_polled(&served->pipe[0], buf, sizes[s], &n), RPC_S_OK);
            CHECK(n > 0 && n <= sizes[s]);
            for (unsigned long i = 0; i < n; i++)
                CHECK_EQUAL(buf[i], octet(got + i));
            CHECK_EQUAL(buf[n], 0xaa); /* nothing behind */
            got += n;
        }
        PULL_END(&served->pipe[0]);
        finish_call(&caller, served);
    }
    RpcBindingFree(&h);
}

/* AP-31, AP-32, AP-34: a pending pull keeps nothing of ours and is told once, however
 * often it is repeated. */
static void pending_pull(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    unsigned long n = 99;
    memset(buf, 0xaa, 1000);
    EXPECT_QUIET(&caller);
    for (int i = 0; i < 5; i++) {
        n = 99;
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 1000, &n), RPC_S_ASYNC_CALL_PENDING);
        CHECK_EQUAL(n, 0);
    }
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 500), RPC_S_OK);
    memset(buf, 0xbb, 1000);
    EXPECT(&caller, RpcReceiveComplete);
    EXPECT_QUIET(&caller);
    for (size_t i = 0; i < 1000; i++)
        CHECK_EQUAL(buf[i], 0xbb);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 500), RPC_S_OK);
    EXPECT_QUIET(&caller); /* AP-34: no pull is outstanding */
    unsigned long total = 0;
    for (; total < 1000; total += n) {
        CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 1000, &n), RPC_S_OK);
        CHECK(n > 0);
    }
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    int32_t reply = 1, result;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* AP-35, AP-36: everything arrived before the first pull. */
static void pulled_after_the_reply(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    uint64_t sent = 0, got = 0;
    int32_t reply = 5, result;
    CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 30000, 1000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    served_set_twice(served, 42);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    while (got < 30000) { /* synchronously: never pending */
        unsigned long n;
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, 777, &n), RPC_S_OK);
        for (unsigned long i = 0; i < n; i++)
            CHECK_EQUAL(buf[i], octet(got + i));
        CHECK(n > 0);
        got += n;
    }
    unsigned long n = 9;
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 777, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    CHECK_EQUAL(caller.twice, 42);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- Wrong order ------------------------------------------------------------ */

/* AP-22, AP-51, AP-60, F9: each wrong step is refused and changes nothing. */
static void wrong_order_both(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n = 0;
    struct served *served = start_call(&caller, h, BOTH_PIPE, 0);
    NDR_ASYNC_PIPE *client = &caller.pipe[0], *server = &served->pipe[0];
    CHECK_EQUAL(PULL(client, buf, 10, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(server, buf, 10), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(server, NULL, 0), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(client, buf, 10), RPC_S_OK);
    CHECK_EQUAL(PULL(client, buf, 10, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(client, NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(client, buf, 10), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(client, NULL, 0), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(pull_polled(server, buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 10);
    CHECK_EQUAL(PUSH(server, buf, 10), RPC_X_WRONG_PIPE_ORDER); /* not yet to the end */
    PULL_END(server);
    CHECK_EQUAL(PULL(server, buf, 10, &n), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(server, buf, 7), RPC_S_OK);
    CHECK_EQUAL(PULL(server, buf, 10, &n), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(server, NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(server, buf, 10), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(server, NULL, 0), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(PUSH(client, buf, 10), RPC_X_PIPE_CLOSED);
    CHECK_EQUAL(pull_polled(client, buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 7);
    int32_t reply = 5, result;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(client);
    CHECK_EQUAL(PULL(client, buf, 10, &n), RPC_X_PIPE_CLOSED);
    EXPECT(&caller, RpcCallComplete);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void wrong_direction(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n = 0;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 10), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_X_WRONG_PIPE_ORDER);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_X_WRONG_PIPE_ORDER);
    finish_call(&caller, served);
    served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 10), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PULL(&served->pipe[0], buf, 10, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    int32_t reply = 5, result;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(&caller.pipe[0]);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AP-52: several pipes, from left to right. */
static void several_pipes(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n = 0;
    int32_t values[4] = {1, -2, 3, -4}, received[4] = {0};
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, TWO_IN, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], values, 2), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 3), RPC_S_OK);
    struct served *served = accept_call(); /* without parameters a push is what starts it */
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], values, 4), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PULL(&served->pipe[1], received, 4, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(pull_polled(&served->pipe[0], buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 3);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(pull_polled(&served->pipe[1], received, 4, &n), RPC_S_OK);
    CHECK_EQUAL(n, 4);
    CHECK(memcmp(values, received, sizeof(values)) == 0);
    CHECK_EQUAL(pull_polled(&served->pipe[1], received, 4, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    finish_call(&caller, served);

    served = start_call(&caller, h, TWO_OUT, 0);
    CHECK_EQUAL(PUSH(&served->pipe[1], values, 2), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 3), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[1], values, 4), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[1], NULL, 0), RPC_S_OK);
    int32_t reply = 5, result;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[1], received, 4, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 3);
    PULL_END(&caller.pipe[0]);
    memset(received, 0, sizeof(received));
    CHECK_EQUAL(pull_polled(&caller.pipe[1], received, 4, &n), RPC_S_OK);
    CHECK_EQUAL(n, 4);
    CHECK(memcmp(values, received, sizeof(values)) == 0);
    CHECK_EQUAL(pull_polled(&caller.pipe[1], received, 4, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void input_pipe_and_output_pipe(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n = 0;
    int32_t values[3] = {7, 8, 9}, received[3] = {0};
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, IN_THEN_OUT, 0), RPC_S_OK);
    CHECK_EQUAL(PULL(&caller.pipe[1], received, 3, &n), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 5), RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(PUSH(&served->pipe[1], values, 3), RPC_X_WRONG_PIPE_ORDER);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&served->pipe[0], buf, 10, &n), RPC_S_OK);
    CHECK_EQUAL(n, 5);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(PUSH(&served->pipe[1], values, 3), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[1], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&caller.pipe[1], received, 3, &n), RPC_S_OK);
    CHECK_EQUAL(n, 3);
    CHECK(memcmp(values, received, sizeof(values)) == 0);
    int32_t reply = 5, result;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&caller.pipe[1], received, 3, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static long long push_to_other_handles_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    RPC_STATUS (*push)(char *, void *, unsigned long) = served->there.pipe[0].push;
    CHECK_EQUAL(push((char *)served->there.async->StubInfo, buf, 10), RPC_X_INVALID_PIPE_OBJECT);
    return push((char *)served->there.handle, buf, 10);
}

/* F12 and kin: arguments of push and pull, on both sides, mid-pipe. */
static void wrong_arguments(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n = 5;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    NDR_ASYNC_PIPE *client = &caller.pipe[0], *server = &served->pipe[0];
    CHECK_EQUAL(PUSH(client, buf, 10), RPC_S_OK);
    CHECK_EQUAL(PUSH(client, NULL, 10), RPC_S_INVALID_ARG);
    CHECK_EQUAL(PUSH(client, buf, 0x100000000ul), RPC_S_INVALID_ARG);
    CHECK_EQUAL(client->push(NULL, buf, 10), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(client->push((char *)buf, buf, 10), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(client->push((char *)&caller, NULL, 0), RPC_X_INVALID_PIPE_OBJECT);
    /* Handles of other kinds are no pipes. */
    CHECK_EQUAL(client->push((char *)h, buf, 10), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(client->push((char *)caller.async.StubInfo, buf, 10), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(far(push_to_other_handles_there, served, 0, 0), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(PULL(server, buf, 0, &n), RPC_S_INVALID_ARG); /* F12 */
    CHECK_EQUAL(PULL(server, NULL, 10, &n), RPC_S_INVALID_ARG);
    CHECK_EQUAL(PULL(server, buf, 10, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(server->pull(NULL, buf, 10, &n), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(server->pull((char *)-1, buf, 10, &n), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(PUSH(client, NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_polled(server, buf, 100, &n), RPC_S_OK);
    CHECK_EQUAL(n, 10);
    PULL_END(server);
    EXPECT_QUIET(&caller);
    finish_call(&caller, served);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Stale pipe objects ----------------------------------------------------- */

/* After a call ended its pipes answer with an error, for good, and reach no other
 * call; whatever ended it. */
static void stale_pipes(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller old, next;
    struct served *old_served = start_call(&old, h, BOTH_PIPE, 0);
    NDR_ASYNC_PIPE client = old.pipe[0], server = old_served->pipe[0];
    CHECK_EQUAL(PUSH(&client, NULL, 0), RPC_S_OK);
    PULL_END(&server);
    CHECK_EQUAL(PUSH(&server, NULL, 0), RPC_S_OK);
    int32_t reply = 5;
    CHECK_EQUAL(served_complete(old_served, &reply), RPC_S_OK);
    PULL_END(&client);
    EXPECT(&old, RpcCallComplete);
    CHECK_EQUAL(complete(&old, NULL), RPC_S_OK);

    struct served *served = start_call(&next, h, BOTH_PIPE, 0);
    for (int i = 0; i < 3; i++) {
        unsigned long n = 3;
        CHECK(PUSH(&client, buf, 10) != RPC_S_OK);
        CHECK(PUSH(&client, NULL, 0) != RPC_S_OK);
        CHECK(PUSH(&server, buf, 10) != RPC_S_OK);
        CHECK(PULL(&client, buf, 10, &n) != RPC_S_OK && n == 0);
        CHECK(PULL(&server, buf, 10, &n) != RPC_S_OK);
        CHECK(RpcxPipeSetLimits(client.state, 100, 50) != RPC_S_OK);
    }
    uint64_t sent = 0, got = 0;
    CHECK_EQUAL(push_pattern(&next.pipe[0], &sent, 1000, 100), RPC_S_OK);
    CHECK_EQUAL(PUSH(&next.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 1000), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(&next.pipe[0]);
    EXPECT(&next, RpcCallComplete);
    CHECK_EQUAL(complete(&next, NULL), RPC_S_OK);
    served_free(old_served);
    served_free(served);
    caller_fini(&old);
    caller_fini(&next);
    RpcBindingFree(&h);
}

/* AP-44: a failed pipe goes on answering with the same error. */
static void failed_pipe_stays_failed(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(served_abort(served, 5555), RPC_S_OK);
    for (int i = 0; i < 100; i++) {
        unsigned long n = 3;
        CHECK_EQUAL(pull_polled(&caller.pipe[0], buf, 10, &n), 5555);
        CHECK_EQUAL(n, 0);
    }
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Completing too early ---------------------------------------------------- */

/* AP-54, AP-56, F14 */
static void client_completes_before_null_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int pushes = 0; pushes < 2; pushes++) {
        struct caller caller;
        unsigned long n;
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        served_use_event(served, 0);
        if (pushes)
            CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 1000), RPC_S_OK);
        CHECK_EQUAL(complete(&caller, NULL), RPC_X_PIPE_DISCIPLINE_ERROR);
        EXPECT_QUIET(&caller);
        CHECK(complete(&caller, NULL) != RPC_S_ASYNC_CALL_PENDING);
        CHECK(RpcAsyncGetCallStatus(&caller.async) != RPC_S_ASYNC_CALL_PENDING);
        CHECK(PUSH(&caller.pipe[0], buf, 10) != RPC_S_OK);
        RPC_STATUS status;
        while ((status = pull_polled(&served->pipe[0], buf, 100, &n)) == RPC_S_OK)
            CHECK(n > 0); /* what had arrived; but never an end */
        served_abort(served, 1); /* whatever it says, no harm is done */
        served_free(served);
        caller_fini(&caller);
        CHECK_USABLE(h);
    }
    RpcBindingFree(&h);
}

static void client_completes_before_drained(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 5;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(PUSH(&served->pipe[0], buf, 1000), RPC_S_OK);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_ASYNC_CALL_PENDING); /* no reply yet */
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    served_set_twice(served, 42);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_X_PIPE_DISCIPLINE_ERROR);
    CHECK_EQUAL(caller.twice, 1111); /* AR-12 */
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AP-56: the failure of the call comes first. */
static void failure_before_discipline(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    CHECK_EQUAL(served_abort(served, 4444), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), 4444);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* F10, and its like for an [in] pipe. */
static void server_completes_too_early(void)
{
    static const struct {
        enum operation operation;
        bool some;
    } rows[] = {{OUT_PIPE, false}, {OUT_PIPE, true}, {IN_PIPE, false},
                {IN_PIPE, true},   {BOTH_PIPE, false}};
    RPC_BINDING_HANDLE h = serve_here();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct caller caller;
        int32_t reply = 5;
        struct served *served = start_call(&caller, h, rows[i].operation, 0);
        if (rows[i].some && rows[i].operation == OUT_PIPE)
            CHECK_EQUAL(PUSH(&served->pipe[0], buf, 100), RPC_S_OK);
        if (rows[i].some && rows[i].operation == IN_PIPE)
            CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 100), RPC_S_OK);
        CHECK_EQUAL(served_complete(served, &reply), RPC_X_PIPE_DISCIPLINE_ERROR);
        EXPECT(&caller, RpcCallComplete);
        EXPECT_QUIET(&caller);
        CHECK_EQUAL(complete(&caller, NULL), RPC_X_PIPE_DISCIPLINE_ERROR);
        served_free(served);
        caller_fini(&caller);
        CHECK_USABLE(h);
    }
    RpcBindingFree(&h);
}

/* ---- Callbacks ---------------------------------------------------------------- */

struct echo {
    NDR_ASYNC_PIPE pipe;
    pthread_mutex_t lock;
    uint64_t got;
    unsigned sends, receives, completes, running;
    bool ended, overlapped;
    uint8_t buf[5000];
};

/* Runs on threads of the runtime: pulls what is there, in turn with other calls. */
static void on_echo(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct echo *echo = async->UserInfo;
    CHECK(!context);
    pthread_mutex_lock(&echo->lock);
    echo->overlapped |= echo->running++ > 0;
    pthread_mutex_unlock(&echo->lock);
    if (event == RpcSendComplete)
        echo->sends++;
    if (event == RpcCallComplete)
        echo->completes++;
    if (event == RpcReceiveComplete) {
        unsigned long n;
        RPC_STATUS status;
        echo->receives++;
        while ((status = PULL(&echo->pipe, echo->buf, sizeof(echo->buf), &n)) == RPC_S_OK &&
               n > 0) {
            for (unsigned long i = 0; i < n; i++)
                CHECK_EQUAL(echo->buf[i], octet(echo->got + i));
            echo->got += n;
        }
        CHECK_EITHER(status, RPC_S_OK, RPC_S_ASYNC_CALL_PENDING);
        if (status == RPC_S_OK)
            echo->ended = true;
    }
    pthread_mutex_lock(&echo->lock);
    echo->running--;
    pthread_mutex_unlock(&echo->lock);
}

/* Notifications of one call never run at the same time, and pull works inside. */
static void callbacks_one_at_a_time(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct echo echo = {.lock = PTHREAD_MUTEX_INITIALIZER};
    uint64_t sent = 0;
    unsigned long n;
    caller_init(&caller, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    caller.async.UserInfo = &echo;
    caller.async.u.NotificationRoutine = on_echo;
    caller.async.NotificationType = RpcNotificationTypeCallback;
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
    struct served *served = accept_call();
    echo.pipe = caller.pipe[0];
    CHECK_EQUAL(PULL(&echo.pipe, echo.buf, sizeof(echo.buf), &n), RPC_S_ASYNC_CALL_PENDING);
    for (int i = 0; i < 50; i++) {
        CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 20000, 1000), RPC_S_OK);
        if (i % 10 == 0)
            sleep_ms(2);
    }
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    int32_t reply = 1;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    uint64_t until = now_ms() + SOON_MS;
    for (bool done = false; !done;) {
        CHECK(now_ms() < until);
        sleep_ms(5);
        pthread_mutex_lock(&echo.lock);
        done = echo.completes > 0 && echo.running == 0;
        pthread_mutex_unlock(&echo.lock);
    }
    sleep_ms(NEVER_MS);
    pthread_mutex_lock(&echo.lock);
    CHECK_EQUAL(echo.got, 1000000);
    CHECK(echo.ended && !echo.overlapped);
    CHECK_EQUAL(echo.completes, 1);
    CHECK_EQUAL(echo.sends, 0); /* no [in] pipe */
    CHECK(echo.receives >= 1);
    pthread_mutex_unlock(&echo.lock);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

const struct test pipe_tests[] = {
    {"AP-5_AP-8_server_state_is_zeroed", server_state_is_zeroed},
    {"AP-1_AP-2_all_members_are_set", all_members_are_set},
    {"AP-2_null_pipe_pointer", null_pipe_pointer},
    {"AP-10_buffer_is_ours_again", buffer_is_ours_again},
    {"AP-11_F11_null_push_only", null_push_only},
    {"AP-12_AP-15_AP-16_AP-33_client_send_complete", client_send_complete},
    {"AP-12_AP-16_overlapping_pushes", overlapping_pushes},
    {"AP-13_no_send_complete", no_send_complete},
    {"AP-14_AP-17_server_send_complete", server_send_complete},
    {"AP-30_AP-40_F12_pulled_in_pieces", pulled_in_pieces},
    {"AP-31_AP-32_AP-34_pending_pull", pending_pull},
    {"AP-35_AP-36_pulled_after_the_reply", pulled_after_the_reply},
    {"AP-22_AP-51_AP-60_F9_wrong_order_both", wrong_order_both},
    {"AP-22_AP-60_wrong_direction", wrong_direction},
    {"AP-52_several_pipes", several_pipes},
    {"AP-50_AP-51_input_pipe_and_output_pipe", input_pipe_and_output_pipe},
    {"AP-60_F12_wrong_arguments", wrong_arguments},
    {"AP-60_stale_pipes", stale_pipes},
    {"AP-44_failed_pipe_stays_failed", failed_pipe_stays_failed},
    {"AP-54_AP-56_F14_client_completes_before_null_push", client_completes_before_null_push},
    {"AP-56_client_completes_before_drained", client_completes_before_drained},
    {"AP-56_failure_before_discipline", failure_before_discipline},
    {"AP-54_F10_server_completes_too_early", server_completes_too_early},
    {"AP-6_callbacks_one_at_a_time", callbacks_one_at_a_time},
    {NULL, NULL},
};
