/* SPDX-License-Identifier: MIT */
/* routine_tests.c - notification routines that do more than to note what they were told. */
#include "harness.h"

#define CALLS 12u

static struct caller callers[CALLS];
static RPC_BINDING_HANDLE server;
static atomic_uint inside, done;

/* Waits until another is here, too: one alone would leave other threads to serve it. */
static void call_in_turn(PRPC_ASYNC_STATE async, void *unused, RPC_ASYNC_EVENT event)
{
    (void)unused;
    const int32_t n = (int32_t)(uintptr_t)async->UserInfo;
    int32_t result = -1;
    CHECK_EQUAL(event, RpcCallComplete);
    atomic_fetch_add(&inside, 1);
    for (unsigned i = 0; i < 100 && atomic_load(&inside) < 2; i++)
        sleep_ms(1);
    CHECK_EQUAL(c_ping(server, n), n + 1);
    CHECK_EQUAL(RpcAsyncCompleteCall(async, &result), RPC_S_OK);
    CHECK_EQUAL(result, n);
    atomic_fetch_add(&done, 1);
}

/* AR-6: a routine may call its own process: while it waits another thread takes its place in
 * the pool, which has the manager to run. */
static void call_their_own_process(void)
{
    server = serve_in_this_process();
    for (unsigned i = 0; i < CALLS; i++) {
        caller_init(&callers[i], 0);
        callers[i].async.NotificationType = RpcNotificationTypeCallback;
        callers[i].async.u.NotificationRoutine = call_in_turn;
        callers[i].async.UserInfo = (void *)(uintptr_t)i;
        CHECK_EQUAL(caller_call(&callers[i], server, PLAIN, (int32_t)i), RPC_S_OK);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        struct served *served = accept_call();
        CHECK_EQUAL(served_complete(served, &served->n), RPC_S_OK);
        served_free(served);
    }
    const uint64_t begin = now_ms();
    while (atomic_load(&done) < CALLS) {
        CHECK(now_ms() - begin < SOON_MS);
        sleep_ms(1);
    }
    for (unsigned i = 0; i < CALLS; i++)
        caller_fini(&callers[i]);
    RpcBindingFree(&server);
}

const struct test routine_tests[] = {
    {"AR-6_routines_call_their_own_process", call_their_own_process},
    {NULL, NULL},
};
