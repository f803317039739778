/* SPDX-License-Identifier: MIT */
/* async_tests.c - asynchronous calls in general: requirements AR-... */
#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- Starting --------------------------------------------------------------- */

static void uninitialised_state(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    memset(&caller, 0, sizeof(caller));
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_INVALID_ASYNC_HANDLE);
    memset(&caller, 0xcd, sizeof(caller));
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_INVALID_ASYNC_HANDLE);
    RPC_STATUS status;
    RAISED(status, c_nothing(NULL, h));
    CHECK_EQUAL(status, RPC_S_INVALID_ASYNC_HANDLE);
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void state_in_use(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 5, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 2), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcAsyncInitializeHandle(&caller.async, sizeof(caller.async)),
                RPC_S_INVALID_ASYNC_HANDLE);
    CHECK(no_call());
    served_set_twice(served, 42);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 5);
    CHECK_EQUAL(caller.twice, 42);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* The function page: a state may be used again after its call; the guide page: only
 * once it is initialised anew.  Both work. */
static void state_used_again(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    caller_init(&caller, 0);
    for (int i = 0; i < 6; i++) {
        int32_t reply = i, result;
        if (i >= 3) {
            CHECK_EQUAL(RpcAsyncInitializeHandle(&caller.async, sizeof(caller.async)), RPC_S_OK);
            caller.async.u.hEvent = caller.event;
            caller.async.NotificationType = RpcNotificationTypeEvent;
        }
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, i), RPC_S_OK);
        struct served *served = accept_call();
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, i);
        served_free(served);
    }
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void notification_types(void)
{
    static const struct {
        int type;
        RPC_STATUS status;
    } rows[] = {
        {RpcNotificationTypeApc, RPC_S_INVALID_ARG}, /* without a routine */
        {RpcNotificationTypeIoc, RPC_S_INVALID_ARG}, /* without a port    */
        {RpcNotificationTypeHwnd, RPC_S_CANNOT_SUPPORT},
        {RpcNotificationTypeCallback, RPC_S_INVALID_ARG}, /* without a routine */
        {6, RPC_S_INVALID_ARG},
        {-1, RPC_S_INVALID_ARG},
    };
    RPC_BINDING_HANDLE h = serve_here();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct caller caller;
        caller_init(&caller, 0);
        memset(&caller.async.u, 0, sizeof(caller.async.u));
        caller.async.NotificationType = (RPC_NOTIFICATION_TYPES)rows[i].type;
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), rows[i].status);
        caller_fini(&caller);
    }
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-5, AR-29, F16: a stub that raised delivers nothing, and everything done to the
 * state afterwards is an error. */
static void after_a_raise(void)
{
    RPC_BINDING_HANDLE h = strcmp(transport, "ncalrpc") == 0
                               ? bind_text("ncalrpc:[penstock-nobody-is-here]")
                               : bind_text("ncacn_ip_tcp:127.0.0.1[1]");
    for (int operation = PLAIN; operation <= IN_THEN_OUT; operation++) {
        struct caller caller;
        int32_t reply;
        caller_init(&caller, RPC_C_NOTIFY_ON_SEND_COMPLETE);
        uint64_t begin = now_ms();
        CHECK_EQUAL(caller_call(&caller, h, (enum operation)operation, 1),
                    RPC_S_SERVER_UNAVAILABLE);
        CHECK(now_ms() - begin < AT_ONCE_MS);
        EXPECT_QUIET(&caller);
        CHECK_EITHER(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_INVALID_ASYNC_HANDLE,
                     RPC_S_INVALID_ASYNC_CALL);
        CHECK_EITHER(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_INVALID_ASYNC_HANDLE,
                     RPC_S_INVALID_ASYNC_CALL);
        CHECK_EITHER(RpcAsyncGetCallStatus(&caller.async), RPC_S_INVALID_ASYNC_HANDLE,
                     RPC_S_INVALID_ASYNC_CALL);
        CHECK_EITHER(complete(&caller, &reply), RPC_S_INVALID_ASYNC_HANDLE,
                     RPC_S_INVALID_ASYNC_CALL);
        EXPECT_QUIET(&caller);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

/* ---- Completion ------------------------------------------------------------- */

static void one_call_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 17, result = 0;
    struct served *served = start_call(&caller, h, PLAIN, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    CHECK_EQUAL(served->n, 21);
    EXPECT_QUIET(&caller); /* AR-31: no RpcSendComplete without a pipe */
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_ASYNC_CALL_PENDING); /* AR-11 */
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(caller.twice, 1111);
    served_set_twice(served, 42);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 17);
    CHECK_EQUAL(caller.twice, 42);
    CHECK_EQUAL(caller.async.Event, RpcCallComplete); /* AR-24: stable */
    EXPECT_QUIET(&caller);
    CHECK_EITHER(complete(&caller, &result), RPC_S_INVALID_ASYNC_HANDLE,
                 RPC_S_INVALID_ASYNC_CALL);
    CHECK_EITHER(RpcAsyncGetCallStatus(&caller.async), RPC_S_INVALID_ASYNC_HANDLE,
                 RPC_S_INVALID_ASYNC_CALL);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void polling(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 3, result;
    caller_init(&caller, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    caller.async.NotificationType = RpcNotificationTypeNone;
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    struct served *served = accept_call();
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    uint64_t begin = now_ms();
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 3);
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void void_operation(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t junk = 99, result = 77;
    struct served *served = start_call(&caller, h, NOTHING, 0);
    CHECK_EQUAL(served_complete(served, &junk), RPC_S_OK); /* AR-25 */
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncCompleteCall(&caller.async, &result), RPC_S_OK);
    CHECK_EQUAL(result, 77);
    served_free(served);
    served = start_call(&caller, h, NOTHING, 0);
    CHECK_EQUAL(served_complete(served, NULL), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncCompleteCall(&caller.async, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* AR-7: pending calls stop nobody, neither on their binding nor on another. */
static void calls_beside_pending_ones(void)
{
    RPC_BINDING_HANDLE h = serve_here(), other = another_binding();
    struct caller first, second, third;
    int32_t reply = 1, result;
    struct served *one = start_call(&first, h, PLAIN, 0);
    struct served *two = start_call(&second, h, IN_PIPE, 0);
    struct served *three = start_call(&third, other, PLAIN, 0);
    volatile int32_t pong = 0;
    RPC_STATUS status;
    RAISED(status, pong = c_ping(h, 6));
    CHECK_EQUAL(status, RPC_S_OK);
    CHECK_EQUAL(pong, 7);
    RAISED(status, pong = c_ping(other, 8));
    CHECK_EQUAL(status, RPC_S_OK);
    CHECK_EQUAL(pong, 9);
    /* Answered in the reverse order. */
    CHECK_EQUAL(served_complete(three, &reply), RPC_S_OK);
    EXPECT(&third, RpcCallComplete);
    CHECK_EQUAL(complete(&third, &result), RPC_S_OK);
    CHECK_EQUAL(PUSH(&second.pipe[0], NULL, 0), RPC_S_OK);
    PULL_END(&two->pipe[0]);
    CHECK_EQUAL(served_complete(two, &reply), RPC_S_OK);
    EXPECT(&second, RpcCallComplete);
    CHECK_EQUAL(complete(&second, &result), RPC_S_OK);
    CHECK_EQUAL(served_complete(one, &reply), RPC_S_OK);
    EXPECT(&first, RpcCallComplete);
    CHECK_EQUAL(complete(&first, &result), RPC_S_OK);
    served_free(one);
    served_free(two);
    served_free(three);
    caller_fini(&first);
    caller_fini(&second);
    caller_fini(&third);
    RpcBindingFree(&h);
    RpcBindingFree(&other);
}

/* ---- Threads ---------------------------------------------------------------- */

#define BULK_LEN 3000000u

struct issuer {
    RPC_BINDING_HANDLE h;
    struct caller *caller;
    RPC_STATUS status;
};

static void *issue_bulk(void *arg)
{
    struct issuer *issuer = arg;
    uint8_t *octets = malloc(BULK_LEN);
    CHECK(octets);
    for (uint32_t i = 0; i < BULK_LEN; i++)
        octets[i] = octet(i);
    RAISED(issuer->status, c_bulk(&issuer->caller->async, issuer->h, BULK_LEN, octets));
    memset(octets, 0xee, BULK_LEN); /* [in] parameters are the caller's again */
    free(octets);
    return NULL;
}

/* AR-8: the thread that issued a large request may end at once. */
static void issuing_thread_ends(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    caller_init(&caller, 0);
    struct issuer issuer = {h, &caller, -1};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, issue_bulk, &issuer) == 0);
    pthread_join(thread, NULL);
    CHECK_EQUAL(issuer.status, RPC_S_OK);
    struct served *served = accept_call();
    CHECK_EQUAL(served->n, BULK_LEN);
    CHECK_EQUAL(served_complete(served, NULL), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

#define ORDER_CALLS 60

/* AR-9: calls of one thread on one binding are dispatched in the order of issue. */
static void dispatched_in_order(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller *callers = calloc(ORDER_CALLS, sizeof(*callers));
    CHECK(callers);
    for (int i = 0; i < ORDER_CALLS; i++) {
        caller_init(&callers[i], 0);
        CHECK_EQUAL(caller_call(&callers[i], h, PLAIN, i), RPC_S_OK);
    }
    for (int i = 0; i < ORDER_CALLS; i++) {
        struct served *served = accept_call();
        int32_t reply = served->n;
        CHECK_EQUAL(served->n, i);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        served_free(served);
    }
    for (int i = 0; i < ORDER_CALLS; i++) {
        int32_t result;
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], &result), RPC_S_OK);
        CHECK_EQUAL(result, i);
        caller_fini(&callers[i]);
    }
    free(callers);
    RpcBindingFree(&h);
}

/* AR-16: completed while the manager has not returned; the next call does not wait
 * for that either. */
static void completed_before_manager_returns(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 6, result;
    script = RETURN_LATE;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 6);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    script_continue();
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Cancel ----------------------------------------------------------------- */

static void cancel_not_abortive(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 9, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(served_test_cancel(served),
                RPC_S_CALL_IN_PROGRESS);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK); /* AR-14: again */
    uint64_t begin = now_ms();
    while (served_test_cancel(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 9);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void cancel_abortive(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 9;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    uint64_t begin = now_ms();
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_CALL_CANCELLED);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK); /* AR-14: no effect */
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
    CHECK_EQUAL(caller.twice, 1111);
    while (served_test_cancel(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    served_complete(served, &reply); /* whatever it says: discarded */
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* A cancelled call beside others on the same connection: the others go on. */
static void cancel_one_of_several(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller callers[5];
    struct served *served[5];
    for (int i = 0; i < 5; i++)
        served[i] = start_call(&callers[i], h, PLAIN, 0);
    CHECK_EQUAL(RpcAsyncCancelCall(&callers[2].async, TRUE), RPC_S_OK);
    EXPECT(&callers[2], RpcCallComplete);
    CHECK_EQUAL(complete(&callers[2], NULL), RPC_S_CALL_CANCELLED);
    for (int i = 0; i < 5; i++) {
        int32_t reply = 100 + i;
        RPC_STATUS status = served_complete(served[i], &reply);
        if (i != 2)
            CHECK_EQUAL(status, RPC_S_OK);
        served_free(served[i]);
    }
    for (int i = 0; i < 5; i++) {
        int32_t result;
        if (i != 2) {
            EXPECT(&callers[i], RpcCallComplete);
            CHECK_EQUAL(complete(&callers[i], &result), RPC_S_OK);
            CHECK_EQUAL(result, 100 + i);
        }
        EXPECT_QUIET(&callers[i]);
        caller_fini(&callers[i]);
    }
    RpcBindingFree(&h);
}

static void cancel_after_completion(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 4, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 4);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* AR-30, F18: cancelled while RpcCallComplete is there but unread. */
static void cancel_while_complete_is_unread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int abort_too = 0; abort_too < 2; abort_too++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, OUT_PIPE, 0);
        CHECK_EQUAL(served_abort(served, 4242), RPC_S_OK);
        sleep_ms(NEVER_MS); /* set, not waited for */
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, abort_too), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        EXPECT_QUIET(&caller);
        CHECK_EQUAL(complete(&caller, NULL), 4242);
        EXPECT_QUIET(&caller);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- The server's end of a call --------------------------------------------- */

static void check_ends_with(RPC_BINDING_HANDLE h, enum operation operation, RPC_STATUS code)
{
    struct caller caller;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, operation, 1), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), code);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, NULL), code);
    CHECK_EQUAL(caller.twice, 1111); /* AR-12, AR-18: no [out] data */
    caller_fini(&caller);
}

/* AR-17 */
static void manager_raises(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = RAISE;
    script_code = 0x20003333;
    check_ends_with(h, PLAIN, 0x20003333);
    check_ends_with(h, OUT_PIPE, 0x20003333);
    script_code = RPC_S_ACCESS_DENIED;
    check_ends_with(h, PLAIN, RPC_S_ACCESS_DENIED);
    script = RAISE_OK; /* not even a success of a kind */
    script_code = 0;
    check_ends_with(h, PLAIN, RPC_S_CALL_FAILED);
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-27, F13 */
static void manager_aborts_then_raises(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = ABORT_AND_RAISE;
    script_code = 0x20004444;
    for (int i = 0; i < 20; i++) {
        check_ends_with(h, PLAIN, 0x20004444);
        check_ends_with(h, OUT_PIPE, 0x20004444);
    }
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void manager_completes_then_raises(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    script = COMPLETE_AND_RAISE;
    for (int i = 0; i < 20; i++) {
        struct caller caller;
        int32_t result;
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, i), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
        CHECK_EQUAL(result, 4711);
        CHECK_EQUAL(caller.twice, 2 * i);
        caller_fini(&caller);
    }
    script = HAND_OFF;
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-16: what comes after the first Complete or Abort is an error and nothing else,
 * and finds no stranger's call. */
static void completed_twice(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller, bystander;
    int32_t reply = 1, result;
    struct served *other = start_call(&bystander, h, PLAIN, 0);
    for (int by_abort = 0; by_abort < 2; by_abort++) {
        struct served *served = start_call(&caller, h, PLAIN, 0);
        if (by_abort)
            CHECK_EQUAL(served_abort(served, 77), RPC_S_OK);
        else
            CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        for (int i = 0; i < 3; i++) {
            CHECK_EITHER(served_complete(served, &reply), RPC_S_INVALID_ASYNC_HANDLE,
                         RPC_S_INVALID_ASYNC_CALL);
            CHECK_EITHER(served_abort(served, 78), RPC_S_INVALID_ASYNC_HANDLE,
                         RPC_S_INVALID_ASYNC_CALL);
        }
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, &result), by_abort ? 77 : RPC_S_OK);
        served_free(served);
        caller_fini(&caller);
    }
    EXPECT_QUIET(&bystander);
    reply = 12;
    CHECK_EQUAL(served_complete(other, &reply), RPC_S_OK);
    EXPECT(&bystander, RpcCallComplete);
    CHECK_EQUAL(complete(&bystander, &result), RPC_S_OK);
    CHECK_EQUAL(result, 12);
    served_free(other);
    caller_fini(&bystander);
    RpcBindingFree(&h);
}

static void abort_codes(void)
{
    static const unsigned long codes[] = {1,     5,      1717,       1726,
                                          1818,  1917,   0x20000000, 0xe0000001};
    RPC_BINDING_HANDLE h = serve_here();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct caller caller;
        struct served *served = start_call(&caller, h, PLAIN, 0);
        CHECK_EQUAL(served_abort(served, 0), RPC_S_INVALID_ARG);
        CHECK_EQUAL(served_abort(served, codes[i]), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, NULL), (RPC_STATUS)codes[i]);
        CHECK_EQUAL(caller.twice, 1111);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-32: status parameters count as [out]; a failure is told by CompleteCall alone. */
static void status_parameters(void)
{
    static const RPC_STATUS codes[] = {RPC_S_OK, RPC_S_COMM_FAILURE, RPC_S_CALL_CANCELLED,
                                       0x2000bbbb};
    RPC_BINDING_HANDLE h = serve_here();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (int by_result = 0; by_result < 2; by_result++) {
            struct caller caller;
            error_status_t comm = 1111, fault = 2222;
            int32_t reply = 77, result = 3333;
            RPC_STATUS status;
            caller_init(&caller, 0);
            if (by_result)
                RAISED(status, c_status_result(&caller.async, h, 1));
            else
                RAISED(status, c_status_params(&caller.async, h, 1, &comm, &fault));
            CHECK_EQUAL(status, RPC_S_OK);
            struct served *served = accept_call();
            if (!by_result)
                served_set_twice(served, 44);
            if (codes[i] == RPC_S_OK)
                CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
            else
                CHECK_EQUAL(served_abort(served, (unsigned long)codes[i]), RPC_S_OK);
            EXPECT(&caller, RpcCallComplete);
            CHECK_EQUAL(RpcAsyncCompleteCall(&caller.async, &result), codes[i]);
            bool well = codes[i] == RPC_S_OK;
            CHECK_EQUAL(result, by_result && well ? 77 : 3333);
            CHECK_EQUAL(comm, by_result || !well ? 1111 : 44);
            CHECK_EQUAL(fault, by_result || !well ? 2222 : 0);
            served_free(served);
            caller_fini(&caller);
        }
    }
    RpcBindingFree(&h);
}

/* Functions of the other side change nothing. */
static void wrong_side(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 2, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EITHER(RpcAsyncAbortCall(&caller.async, 5), RPC_S_INVALID_ASYNC_CALL,
                 RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EITHER(served_cancel(served, TRUE), RPC_S_INVALID_ASYNC_CALL,
                 RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EITHER(served_status(served), RPC_S_INVALID_ASYNC_CALL,
                 RPC_S_INVALID_ASYNC_HANDLE);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 2);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* AR-19: the client, a third process, is gone when the server completes. */
static void complete_without_client(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    int32_t reply = 1;
    struct child client = spawn_client("plain");
    struct served *served = accept_call();
    child_ready(&client);
    child_kill(&client, SIGKILL);
    uint64_t begin = now_ms();
    while (served_test_cancel(served) != RPC_S_OK)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK(served_complete(served, &reply) != RPC_S_OK);
    CHECK_USABLE(h);
    served_free(served);
    child_stop(&client);
    RpcBindingFree(&h);
}

/* ---- Order of notifications -------------------------------------------------- */

/* AR-28, F17: data, the end of the pipe and the reply arrive while RpcReceiveComplete
 * is unread.  Each is told once, in order, and Event says the truth at each step. */
static void one_notification_unread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint8_t buf[100];
    unsigned long n;
    int32_t reply = 3, result;
    uint64_t sent = 0, got = 0;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, sizeof(buf), &n), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 300, 100), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    sleep_ms(NEVER_MS);
    EXPECT(&caller, RpcReceiveComplete);
    EXPECT_QUIET(&caller); /* RpcCallComplete is held back */
    CHECK_EQUAL(caller.async.Event, RpcReceiveComplete);
    CHECK_EQUAL(pull_pattern(&caller.pipe[0], &got, 300), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    PULL_END(&caller.pipe[0]); /* AP-36 */
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 3);
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* The same, ended by an abort: the failure is told as RpcCallComplete only when the
 * pull has not told it already. */
static void held_back_failure(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int by_status = 0; by_status < 2; by_status++) {
        struct caller caller;
        uint8_t buf[100];
        unsigned long n;
        uint64_t sent = 0;
        struct served *served = start_call(&caller, h, OUT_PIPE, 0);
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, sizeof(buf), &n), RPC_S_ASYNC_CALL_PENDING);
        CHECK_EQUAL(push_pattern(&served->pipe[0], &sent, 50, 50), RPC_S_OK);
        sleep_ms(NEVER_MS);
        CHECK_EQUAL(served_abort(served, 4321), RPC_S_OK);
        sleep_ms(NEVER_MS);
        EXPECT(&caller, RpcReceiveComplete);
        EXPECT_QUIET(&caller);
        if (by_status) {
            CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), 4321);
            EXPECT(&caller, RpcCallComplete);
            CHECK_EQUAL(complete(&caller, NULL), 4321);
        } else {
            CHECK_EQUAL(PULL(&caller.pipe[0], buf, sizeof(buf), &n), 4321);
        }
        EXPECT_QUIET(&caller);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-22, and a binding freed while its call is unfinished: the application's error,
 * not our crash. */
static void binding_freed(void)
{
    RPC_BINDING_HANDLE h = serve_here(), second = another_binding();
    struct caller caller;
    int32_t reply = 2, result;
    struct served *served = start_call(&caller, second, PLAIN, 0);
    RpcBindingFree(&second);
    CHECK(!second);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 2);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* Many calls at once on one binding, completed from several threads. */
#define MANY_CALLS 1000

static void *complete_some(void *arg)
{
    int count = *(int *)arg;
    for (int i = 0; i < count; i++) {
        struct served *served = accept_call();
        int32_t reply = served->n * 3;
        served_set_twice(served, served->n * 2);
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        served_free(served);
    }
    return NULL;
}

static void many_calls(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller *callers = calloc(MANY_CALLS, sizeof(*callers));
    pthread_t threads[4];
    int share = MANY_CALLS / 4;
    CHECK(callers);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, complete_some, &share) == 0);
    for (int i = 0; i < MANY_CALLS; i++) {
        caller_init(&callers[i], 0);
        CloseHandle(callers[i].event); /* descriptors are scarce */
        callers[i].event = NULL;
        callers[i].async.NotificationType = RpcNotificationTypeNone;
        CHECK_EQUAL(caller_call(&callers[i], h, PLAIN, i), RPC_S_OK);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    uint64_t until = now_ms() + SOON_MS;
    for (int i = 0; i < MANY_CALLS; i++) {
        int32_t result;
        while (RpcAsyncGetCallStatus(&callers[i].async) == RPC_S_ASYNC_CALL_PENDING) {
            CHECK(now_ms() < until);
            sleep_ms(1);
        }
        CHECK_EQUAL(complete(&callers[i], &result), RPC_S_OK);
        CHECK_EQUAL(result, i * 3);
        CHECK_EQUAL(callers[i].twice, i * 2);
    }
    free(callers);
    RpcBindingFree(&h);
}

const struct test async_tests[] = {
    {"AR-4_uninitialised_state", uninitialised_state},
    {"AR-4_state_in_use", state_in_use},
    {"AR-3_state_used_again", state_used_again},
    {"AR-4_notification_types", notification_types},
    {"AR-5_AR-29_F1_F16_after_a_raise", after_a_raise},
    {"AR-6_AR-10_AR-11_AR-24_AR-31_one_call_complete", one_call_complete},
    {"AR-10_polling", polling},
    {"AR-25_void_operation", void_operation},
    {"AR-7_calls_beside_pending_ones", calls_beside_pending_ones},
    {"AR-8_issuing_thread_ends", issuing_thread_ends},
    {"AR-9_dispatched_in_order", dispatched_in_order},
    {"AR-16_completed_before_manager_returns", completed_before_manager_returns},
    {"AR-13_AR-14_cancel_not_abortive", cancel_not_abortive},
    {"AR-13_AR-14_cancel_abortive", cancel_abortive},
    {"AR-13_cancel_one_of_several", cancel_one_of_several},
    {"AR-14_cancel_after_completion", cancel_after_completion},
    {"AR-30_F18_cancel_while_complete_is_unread", cancel_while_complete_is_unread},
    {"AR-17_manager_raises", manager_raises},
    {"AR-27_F13_manager_aborts_then_raises", manager_aborts_then_raises},
    {"AR-27_manager_completes_then_raises", manager_completes_then_raises},
    {"AR-16_completed_twice", completed_twice},
    {"AR-18_abort_codes", abort_codes},
    {"AR-12_AR-32_status_parameters", status_parameters},
    {"AR-16_wrong_side", wrong_side},
    {"AR-19_complete_without_client", complete_without_client},
    {"AR-28_F17_one_notification_unread", one_notification_unread},
    {"AR-28_held_back_failure", held_back_failure},
    {"AR-22_binding_freed", binding_freed},
    {"AR-6_many_calls", many_calls},
    {NULL, NULL},
};
