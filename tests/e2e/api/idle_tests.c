/* SPDX-License-Identifier: MIT */
/* idle_tests.c - connections that were kept for the next call: the server closes them meanwhile,
 * or the client does, because nobody calls (RpcMgmtEnableIdleCleanup; the times of the
 * documentation are test_idle_cleanup.py's). */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "gate.h"

/* The server has closed the connection that the next call would use: it has another, and the
 * server sees each call once. */
static void idle_connection_closed(void)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    struct caller caller;
    gate_open(gate);
    for (int i = 0; i < 20; i++) {
        RPC_STATUS status;
        RAISED(status, c_ping(h, i));
        CHECK_EQUAL(status, RPC_S_OK);
        CHECK_EQUAL(gate->accepted, 2 * i + 1);
        gate_cut(gate);
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, i % 2 ? PLAIN : OUT_PIPE, i), RPC_S_OK);
        struct served *served = accept_call();
        CHECK_EQUAL(served->n, i);
        if (i % 2) {
            gate_answer(&caller, served, i);
        } else {
            unsigned long n;
            uint8_t octet_pulled;
            CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
            int32_t reply = i;
            CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
            CHECK_EQUAL(pull_polled(&caller.pipe[0], &octet_pulled, 1, &n), RPC_S_OK);
            while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
                sleep_ms(1);
            CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
            served_free(served);
            caller_fini(&caller);
        }
        gate_cut(gate);
    }
    CHECK(no_call());
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

static atomic_bool cutting;

static void *cut_now_and_then(void *arg)
{
    for (unsigned i = 0; cutting; i++) {
        gate_cut(arg);
        usleep(100 + i * 37 % 900);
    }
    return NULL;
}

/* Whenever a connection ends, a call is executed once at most, and once if it succeeds. */
static void at_most_once(void)
{
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    pthread_t thread;
    static bool good[PINGS_COUNTED];
    int32_t calls = 0;
    int succeeded = 0;
    gate_open(gate);
    cutting = true;
    CHECK(pthread_create(&thread, NULL, cut_now_and_then, gate) == 0);
    /* Longer where the machine has other things to do. */
    for (uint64_t until = now_ms() + 1500;
         (now_ms() < until || gate->accepted <= 10 || succeeded == 0) && calls < PINGS_COUNTED; calls++) {
        RPC_STATUS status;
        RAISED(status, c_ping(h, calls));
        good[calls] = status == RPC_S_OK;
        succeeded += good[calls];
        if (!good[calls])
            CHECK_EITHER(status, RPC_S_CALL_FAILED, RPC_S_SERVER_UNAVAILABLE);
    }
    cutting = false;
    pthread_join(thread, NULL);
    sleep_ms(2 * NEVER_MS); /* what is on its way arrives */
    for (int32_t i = 0; i < calls; i++) {
        CHECK(pings[i] <= 1);
        CHECK(!good[i] || pings[i] == 1);
    }
    CHECK(succeeded > 0 && gate->accepted > 10);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* ---- Cleaned up by the client ---------------------------------------------------------- */

static void wait_connected(struct gate *gate, int count)
{
    for (uint64_t until = now_ms() + SOON_MS; gate_connected(gate) != count && now_ms() < until;)
        sleep_ms(1);
    CHECK_EQUAL(gate_connected(gate), count);
}

static void ping_well(RPC_BINDING_HANDLE h, int32_t n)
{
    RPC_STATUS status;
    RAISED(status, c_ping(h, n));
    CHECK_EQUAL(status, RPC_S_OK);
}

/* What is idle goes, what a call is on stays however long that takes, and the next call notices
 * nothing. */
static void cleanup(void)
{
    RPC_BINDING_HANDLE server, h;
    struct caller caller;
    unsigned long n;
    uint8_t pulled;
    struct gate *gate = gate_serve(&server, &h);
    gate_open(gate);
    ping_well(h, 0); /* idle before it is enabled */
    wait_connected(gate, 1);
    CHECK_EQUAL(RpcxMgmtSetIdleTime(0x80000000ul), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcxMgmtSetIdleTime(150), RPC_S_OK);
    wait_connected(gate, 0);
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    ping_well(h, 1);
    wait_connected(gate, 2);
    uint64_t begun = now_ms();
    wait_connected(gate, 1);
    CHECK(now_ms() - begun > 100);
    sleep_ms(400);
    CHECK_EQUAL(gate_connected(gate), 1);
    CHECK_EQUAL(PUSH(&caller.pipe[0], "x", 1), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&served->pipe[0], &pulled, 1, &n), RPC_S_OK);
    CHECK_EQUAL(pulled, 'x');
    CHECK_EQUAL(pull_polled(&served->pipe[0], &pulled, 1, &n), RPC_S_OK);
    CHECK_EQUAL(n, 0);
    gate_answer(&caller, served, 1);
    wait_connected(gate, 0);
    CHECK_EQUAL(gate->accepted, 3);
    ping_well(h, 2);
    CHECK_EQUAL(gate->accepted, 4);
    CHECK_EQUAL(RpcMgmtEnableIdleCleanup(), RPC_S_OK); /* the time that was set stands */
    wait_connected(gate, 0);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* Unless it is asked for there is none; the last binding takes its connection along. */
static void no_cleanup(void)
{
    RPC_BINDING_HANDLE server, h, other;
    struct gate *gate = gate_serve(&server, &h);
    gate_open(gate);
    ping_well(h, 0);
    CHECK_EQUAL(RpcBindingCopy(h, &other), RPC_S_OK);
    sleep_ms(500);
    CHECK_EQUAL(gate_connected(gate), 1);
    RpcBindingFree(&h);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(gate_connected(gate), 1);
    RpcBindingFree(&other);
    wait_connected(gate, 0);
    CHECK_EQUAL(gate->accepted, 1);
    RpcBindingFree(&server);
}

static atomic_int failures;

static void *call_at_times(void *h)
{
    static atomic_uint threads;
    unsigned seed = threads++;
    for (uint64_t until = now_ms() + 1500; now_ms() < until;) {
        RPC_STATUS status;
        RAISED(status, c_ping(h, 0));
        failures += status != RPC_S_OK;
        usleep((useconds_t)(rand_r(&seed) % 4000));
    }
    return NULL;
}

/* The moment a connection is closed may be the moment of the next call. */
static void cleanup_races_with_calls(void)
{
    pthread_t threads[4];
    RPC_BINDING_HANDLE server, h;
    struct gate *gate = gate_serve(&server, &h);
    gate_open(gate);
    CHECK_EQUAL(RpcxMgmtSetIdleTime(1), RPC_S_OK);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, call_at_times, h) == 0);
    for (int32_t i = 1; gate->accepted < 50 || i < 100; i++) {
        struct caller caller;
        caller_init(&caller, 0);
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, i), RPC_S_OK);
        struct served *served = accept_call();
        gate_answer(&caller, served, i);
        sleep_ms((unsigned)i % 4);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(failures, 0);
    wait_connected(gate, 0);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

const struct test idle_tests[] = {
    {"idle_connection_cleanup", cleanup},
    {"idle_connection_no_cleanup", no_cleanup},
    {"idle_connection_cleanup_races_with_calls", cleanup_races_with_calls},
    {"idle_connection_closed_by_server", idle_connection_closed},
    {"idle_connection_at_most_once", at_most_once},
    {NULL, NULL},
};
