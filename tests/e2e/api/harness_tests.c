/* SPDX-License-Identifier: MIT */
/* harness_tests.c - cases that must fail: what goes wrong in the server's process is the
 * test's failure.  Not in --list; test_api.py runs them by name. */
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

const struct test harness_tests[] = {
    {"harness_check_fails_in_the_server", check_fails_in_the_server},
    {"harness_check_fails_in_a_manager", check_fails_in_a_manager},
    {"harness_server_dies", server_dies},
    {"harness_server_ends_badly", server_ends_badly},
    {"harness_server_leaks", server_leaks},
    {"harness_library_used_before", library_used_before},
    {NULL, NULL},
};
