/* SPDX-License-Identifier: MIT */
/* resolve_tests.c - asynchronous calls to servers that have a name: getaddrinfo() is this
 * program's, and there are names it does not answer for. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answers;             /* the name server does          */
static unsigned asked, answered; /* so often about mute names     */

/* The runtime's, for the linker exports what a library of ours calls. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    pthread_mutex_lock(&lock);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    pthread_mutex_unlock(&lock);
    const bool mute = node && strncmp(node, "mute-", 5) == 0;
    if (!mute || (hints && hints->ai_flags & AI_NUMERICHOST))
        return real(node, service, hints, ret_list);
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_broadcast(&changed);
    while (!answers)
        pthread_cond_wait(&changed, &lock);
    answered++;
    pthread_mutex_unlock(&lock);
    return real("127.0.0.1", service, hints, ret_list);
}

static void answer_now(bool value)
{
    pthread_mutex_lock(&lock);
    answers = value;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static unsigned asked_now(void)
{
    pthread_mutex_lock(&lock);
    unsigned count = asked;
    pthread_mutex_unlock(&lock);
    return count;
}

static bool all_answered(void)
{
    pthread_mutex_lock(&lock);
    bool all = answered == asked;
    pthread_mutex_unlock(&lock);
    return all;
}

static void wait_asked(unsigned count)
{
    for (uint64_t until = now_ms() + SOON_MS; asked_now() < count && now_ms() < until;)
        sleep_ms(1);
    CHECK(asked_now() >= count);
}

static RPC_BINDING_HANDLE bind_name(const char *name, RPC_BINDING_HANDLE server)
{
    RPC_CSTR text;
    char named[128];
    CHECK_EQUAL(RpcBindingToStringBinding(server, &text), RPC_S_OK);
    snprintf(named, sizeof(named), "ncacn_ip_tcp:%s%s", name, strchr((char *)text, '['));
    RpcStringFree(&text);
    return bind_text(named);
}

/* A server on this host; a binding to it by a name. */
static RPC_BINDING_HANDLE serve_as(const char *name, RPC_BINDING_HANDLE *ret_server)
{
    if (strcmp(transport, "ncacn_ip_tcp") != 0)
        skip("there are no names on this transport");
    *ret_server = serve_here();
    return bind_name(name, *ret_server);
}

static void begin(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation, int32_t n)
{
    caller_init(caller, 0);
    uint64_t before = now_ms();
    CHECK_EQUAL(caller_call(caller, h, operation, n), RPC_S_OK);
    CHECK(now_ms() - before < AT_ONCE_MS);
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller->async), RPC_S_ASYNC_CALL_PENDING);
}

static void end_with(struct caller *caller, RPC_STATUS status)
{
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, NULL), status);
    EXPECT_QUIET(caller);
    caller_fini(caller);
}

static void serve_one(struct caller *caller, int32_t n)
{
    struct served *served = accept_call();
    CHECK_EQUAL(served->n, n);
    int32_t answer = n + 1, reply = 0;
    CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &reply), RPC_S_OK);
    CHECK_EQUAL(reply, n + 1);
    served_free(served);
    caller_fini(caller);
}

/* The stub returns, and what waits for the name server can be ended; other servers, and other
 * calls, are as quick as ever. */
static void nobody_answers(void)
{
    static const enum operation operations[] = {PLAIN, IN_PIPE, OUT_PIPE, BOTH_PIPE};
    RPC_BINDING_HANDLE server, h = serve_as("mute-1", &server);
    struct caller caller;
    for (int o = 0; o < 4; o++) {
        for (int abort = 0; abort < 2; abort++) {
            begin(&caller, h, operations[o], 1);
            EXPECT_QUIET(&caller);
            CHECK_USABLE(server);
            CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, abort), RPC_S_OK);
            end_with(&caller, RPC_S_CALL_CANCELLED);
        }
        begin(&caller, h, operations[o], 1);
        CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 100), RPC_S_OK);
        end_with(&caller, RPC_S_CALL_CANCELLED);
    }
    CHECK(asked_now() > 0);
    RpcBindingFree(&h);
    CHECK_USABLE(server);
    CHECK(no_call());
    answer_now(true);
    for (uint64_t until = now_ms() + SOON_MS; !all_answered() && now_ms() < until;)
        sleep_ms(1);
    sleep_ms(NEVER_MS); /* nobody wants the answers */
    CHECK_USABLE(server);
    CHECK(no_call());
    RpcBindingFree(&server);
}

/* The time-out of the binding ends the attempt. */
static void time_out(void)
{
    RPC_BINDING_HANDLE server, h = serve_as("mute-2", &server);
    struct caller caller;
    CHECK_EQUAL(RpcMgmtSetComTimeout(h, RPC_C_BINDING_MIN_TIMEOUT), RPC_S_OK);
    begin(&caller, h, PLAIN, 1);
    for (uint64_t until = now_ms() + SOON_MS;
         RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING && now_ms() < until;)
        sleep_ms(5);
    end_with(&caller, RPC_S_SERVER_UNAVAILABLE);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* What was called and pushed meanwhile begins when the answer is there, in its order. */
static void answers_late(void)
{
    RPC_BINDING_HANDLE server, h = serve_as("mute-3", &server);
    struct caller plain[5], piped;
    uint64_t pushed = 0, pulled = 0;
    for (int i = 0; i < 5; i++)
        begin(&plain[i], h, PLAIN, i);
    begin(&piped, h, IN_PIPE, 77);
    CHECK_EQUAL(push_pattern(&piped.pipe[0], &pushed, 100000, 7000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&piped.pipe[0], NULL, 0), RPC_S_OK);
    CHECK(no_call());
    wait_asked(1);
    answer_now(true);
    struct served *in_pipe = NULL;
    for (int next = 0; next < 5 || !in_pipe;) {
        struct served *served = accept_call();
        if (served->operation == IN_PIPE) {
            in_pipe = served;
            continue;
        }
        CHECK_EQUAL(served->n, next);
        int32_t answer = 5;
        CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
        served_free(served);
        end_with(&plain[next++], RPC_S_OK);
    }
    CHECK_EQUAL(pull_pattern(&in_pipe->pipe[0], &pulled, 100000), RPC_S_OK);
    PULL_END(&in_pipe->pipe[0]);
    int32_t answer = 5;
    CHECK_EQUAL(served_complete(in_pipe, &answer), RPC_S_OK);
    served_free(in_pipe);
    end_with(&piped, RPC_S_OK);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

/* More names than threads that ask, several calls to each: nothing is asked twice for those in
 * line, no thread belongs to a call, and each gets its answer. */
static void many_names(void)
{
    enum { NAMES = 12, EACH = 6, CALLS = NAMES * EACH };
    static struct caller callers[CALLS];
    RPC_BINDING_HANDLE server, h[NAMES];
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof(name), "mute-many-%d", i);
        h[i] = i == 0 ? serve_as(name, &server) : bind_name(name, server);
    }
    for (int i = 0; i < CALLS; i++) {
        begin(&callers[i], h[i % NAMES], OUT_PIPE, i);
        if (i % 5 == 4) { /* some do not wait for it */
            CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
            end_with(&callers[i], RPC_S_CALL_CANCELLED);
        }
    }
    wait_asked(4);
    sleep_ms(NEVER_MS);
    CHECK(asked_now() <= 8); /* LIMIT_RESOLVERS */
    CHECK_USABLE(server);
    answer_now(true);
    for (int i = 0; i < CALLS - CALLS / 5; i++) {
        struct served *served = accept_call();
        struct caller *caller = &callers[served->n];
        uint8_t nothing;
        unsigned long n;
        CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
        int32_t answer = 5;
        CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
        CHECK_EQUAL(pull_polled(&caller->pipe[0], &nothing, 1, &n), RPC_S_OK);
        CHECK_EQUAL(n, 0);
        while (RpcAsyncGetCallStatus(&caller->async) == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        CHECK_EQUAL(complete(caller, NULL), RPC_S_OK);
        served_free(served);
        caller_fini(caller);
    }
    CHECK(no_call());
    CHECK(asked_now() < CALLS / 2);
    for (int i = 0; i < NAMES; i++)
        RpcBindingFree(&h[i]);
    RpcBindingFree(&server);
}

/* This host's, and one nobody has: the call is told, as of any failure to connect. */
static void real_names(void)
{
    RPC_BINDING_HANDLE server, h = serve_as("localhost", &server);
    struct caller caller;
    for (int i = 0; i < 3; i++) {
        begin(&caller, h, PLAIN, i);
        serve_one(&caller, i);
    }
    RpcBindingFree(&h);
    h = bind_text("ncacn_ip_tcp:no..such..host[4711]"); /* no name server is asked about that */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    end_with(&caller, RPC_S_INVALID_NET_ADDR);
    RpcBindingFree(&h);
    RpcBindingFree(&server);
}

const struct test resolve_tests[] = {
    {"AR-6_AR-13_AR-14_name_server_that_never_answers", nobody_answers},
    {"AR-20_name_server_time_out", time_out},
    {"AR-9_AP-10_name_server_that_answers_late", answers_late},
    {"F1_names_of_many_servers", many_names},
    {"F1_real_names", real_names},
    {NULL, NULL},
};
