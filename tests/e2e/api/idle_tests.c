/* SPDX-License-Identifier: MIT */
/* idle_tests.c - connections that were kept for the next call and that the server has closed
 * meanwhile. */
#include <stdatomic.h>
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
    gate_open(gate);
    cutting = true;
    CHECK(pthread_create(&thread, NULL, cut_now_and_then, gate) == 0);
    for (uint64_t until = now_ms() + 1500; now_ms() < until && calls < PINGS_COUNTED; calls++) {
        RPC_STATUS status;
        RAISED(status, c_ping(h, calls));
        good[calls] = status == RPC_S_OK;
        if (!good[calls])
            CHECK_EITHER(status, RPC_S_CALL_FAILED, RPC_S_SERVER_UNAVAILABLE);
    }
    cutting = false;
    pthread_join(thread, NULL);
    sleep_ms(2 * NEVER_MS); /* what is on its way arrives */
    int succeeded = 0;
    for (int32_t i = 0; i < calls; i++) {
        CHECK(pings[i] <= 1);
        CHECK(!good[i] || pings[i] == 1);
        succeeded += good[i];
    }
    CHECK(succeeded > 0 && gate->accepted > 10);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

const struct test idle_tests[] = {
    {"idle_connection_closed_by_server", idle_connection_closed},
    {"idle_connection_at_most_once", at_most_once},
    {NULL, NULL},
};
