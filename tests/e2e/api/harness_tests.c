/* SPDX-License-Identifier: MIT */
/* harness_tests.c - cases about the harness: what goes wrong in the server's process is the
 * test's failure, what is merely left there is not.  Not in --list; test_api.py runs them by
 * name. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static long long check_there(struct served *served, long long a, long long b)
{
    (void)served;
    CHECK(in_server());
    CHECK_EQUAL(a, b);
    return 0;
}

static void check_fails_in_the_server(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    CHECK(!in_server() && has_server());
    far(check_there, NULL, 4, 4);
    far(check_there, NULL, 4, 5);
    RpcBindingFree(&h);
}

static void check_in_a_manager(handle_t h)
{
    (void)h;
    CHECK(!in_server());
}

static void check_fails_in_a_manager(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    in_manager = check_in_a_manager;
    c_ping(h, 1);
    sleep_ms(SOON_MS);
}

static long long die_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    _Exit(0);
}

static void server_dies(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    far(die_there, NULL, 0, 0);
    RpcBindingFree(&h);
}

static void fail_at_exit(void)
{
    _Exit(3);
}

static long long end_badly_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    return atexit(fail_at_exit);
}

static void server_ends_badly(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    CHECK_EQUAL(far(end_badly_there, NULL, 0, 0), 0);
    RpcBindingFree(&h);
}

static void *volatile leaked;

static long long leak_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    leaked = malloc(1000);
    memset(leaked, 1, 1000);
    leaked = NULL;
    return 0;
}

static void server_leaks(void)
{
#ifndef __SANITIZE_ADDRESS__
    skip("nothing looks for leaks");
#endif
    RPC_BINDING_HANDLE h = serve_here();
    far(leak_there, NULL, 0, 0);
    RpcBindingFree(&h);
}

static void library_used_before(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process();
    RpcBindingFree(&h);
    serve_here();
}

/* Calls of either kind, a thread of the server blocked in a push, a call that nobody took. */
static void *push_for_ever(void *pipe)
{
    static uint8_t octets[100000];
    while (PUSH((NDR_ASYNC_PIPE *)pipe, octets, sizeof(octets)) == RPC_S_OK)
        ;
    return NULL;
}

static void calls_left_open(void)
{
    static struct caller callers[4];
    pthread_t thread;
    RPC_BINDING_HANDLE h = serve_here();
    start_call(&callers[0], h, PLAIN, 0);
    start_call(&callers[1], h, IN_PIPE, 0);
    struct served *served = start_call(&callers[2], h, OUT_PIPE, 0);
    CHECK(pthread_create(&thread, NULL, push_for_ever, &served->pipe[0]) == 0);
    CHECK(pthread_detach(thread) == 0);
    sleep_ms(300); /* it is blocked by now */
    caller_init(&callers[3], 0);
    CHECK_EQUAL(caller_call(&callers[3], h, PLAIN, 1), RPC_S_OK);
    RpcBindingFree(&h);
}

const struct test harness_tests[] = {
    {"harness_calls_left_open", calls_left_open},
    {"harness_check_fails_in_the_server", check_fails_in_the_server},
    {"harness_check_fails_in_a_manager", check_fails_in_a_manager},
    {"harness_server_dies", server_dies},
    {"harness_server_ends_badly", server_ends_badly},
    {"harness_server_leaks", server_leaks},
    {"harness_library_used_before", library_used_before},
    {NULL, NULL},
};
