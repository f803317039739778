/* SPDX-License-Identifier: MIT */
/* deadline_tests.c - RpcxAsyncSetDeadline, and cancels of asynchronous calls at the moments
 * that failure_tests.c and flow_tests.c do not come to. */
#include "harness.h"

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t buf[100000];

static struct served *start_with_deadline(struct caller *caller, RPC_BINDING_HANDLE h,
                                          enum operation operation, DWORD ms)
{
    caller_init(caller, 0);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller->async, ms), RPC_S_OK);
    CHECK_EQUAL(caller_call(caller, h, operation, 21), RPC_S_OK);
    return accept_call();
}

/* The call ends by its deadline: not before `begin` + `ms`, and at once then; once; the
 * server sees it. */
static void expires_at(const char *file, int line, struct caller *caller, struct served *served,
                       uint64_t begin, unsigned ms)
{
    if (WaitForSingleObject(caller->event, ms + AT_ONCE_MS) != WAIT_OBJECT_0)
        failed(file, line, "the deadline passes and nothing happens");
    if (now_ms() + 1 < begin + ms)
        failed(file, line, "%u ms too early", (unsigned)(begin + ms - now_ms()));
    check_equal(file, line, "the event", caller->async.Event, RpcCallComplete);
    check_equal(file, line, "the status", complete(caller, NULL), RPC_S_CALL_CANCELLED);
    expect_quiet_at(file, line, caller->event);
    uint64_t until = now_ms() + AT_ONCE_MS;
    while (served && served_test_cancel_by_handle(served) != RPC_S_OK) {
        if (now_ms() > until)
            failed(file, line, "the server does not see it");
        sleep_ms(1);
    }
}
#define EXPIRES(caller, served, begin, ms) expires_at(__FILE__, __LINE__, caller, served, begin, ms)

static void discard(struct caller *caller, struct served *served)
{
    served_abort(served, 1);
    served_free(served);
    caller_fini(caller);
}

/* ---- When it is set --------------------------------------------------------------- */

static void set_before_and_after(void)
{
    static const enum operation operations[] = {PLAIN, IN_PIPE, OUT_PIPE, BOTH_PIPE};
    RPC_BINDING_HANDLE h = serve_here();
    CHECK_USABLE(h);
    for (int o = 0; o < 4; o++) {
        struct caller caller;
        uint64_t begin = now_ms();
        struct served *served = start_with_deadline(&caller, h, operations[o], 100);
        EXPIRES(&caller, served, begin, 100);
        discard(&caller, served);
        served = start_call(&caller, h, operations[o], 0);
        sleep_ms(20);
        begin = now_ms();
        CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 100), RPC_S_OK);
        EXPIRES(&caller, served, begin, 100);
        discard(&caller, served);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void answer(struct caller *caller, struct served *served)
{
    int32_t reply = 9, result = 0;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 9);
    EXPECT_QUIET(caller);
}

static void changed_and_removed(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    /* Removed before the call, and while it runs. */
    caller_init(&caller, 0);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 1), RPC_S_OK);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, RPC_C_INFINITE_TIMEOUT), RPC_S_OK);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    struct served *served = accept_call();
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 100), RPC_S_OK);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, RPC_C_INFINITE_TIMEOUT), RPC_S_OK);
    CHECK_EQUAL(WaitForSingleObject(caller.event, 200), WAIT_TIMEOUT);
    answer(&caller, served);
    /* Made longer, then shorter. */
    served_free(served);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 150), RPC_S_OK);
    uint64_t begin = now_ms();
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    struct served *second = accept_call();
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 60000), RPC_S_OK);
    CHECK_EQUAL(WaitForSingleObject(caller.event, 250), WAIT_TIMEOUT);
    begin = now_ms();
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 50), RPC_S_OK);
    EXPIRES(&caller, second, begin, 50);
    served_abort(second, 1);
    served_free(second);
    /* Used up by that call, whose state is used again; of no effect on one that is over. */
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    served = accept_call();
    CHECK_EQUAL(WaitForSingleObject(caller.event, 200), WAIT_TIMEOUT);
    int32_t reply = 9;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 0), RPC_S_OK);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static long long set_deadline_there(struct served *served, long long ms, long long b)
{
    (void)b;
    return RpcxAsyncSetDeadline(served->there.async, (DWORD)ms);
}

static void arguments(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    RPC_ASYNC_STATE nothing;
    memset(&nothing, 0, sizeof(nothing));
    CHECK_EQUAL(RpcxAsyncSetDeadline(NULL, 1), RPC_S_INVALID_ASYNC_HANDLE);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&nothing, 1), RPC_S_INVALID_ASYNC_HANDLE);
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(far(set_deadline_there, served, 1, 0), RPC_S_INVALID_ASYNC_CALL);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 0), RPC_S_OK);
    EXPIRES(&caller, served, now_ms(), 0);
    discard(&caller, served);
    RpcBindingFree(&h);
}

/* ---- Before the request has left ----------------------------------------------------- */

static void over_before_the_call(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    caller_init(&caller, 0);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 0), RPC_S_OK);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_CALL_CANCELLED);
    CHECK(no_call());
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    struct served *served = accept_call();
    answer(&caller, served);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
    /* A server that takes the connection and says nothing. */
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof(in);
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0 && listen(fd, 5) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
    snprintf(text, sizeof(text), "ncacn_ip_tcp:127.0.0.1[%u]", ntohs(in.sin_port));
    h = bind_text(text);
    caller_init(&caller, 0);
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 200), RPC_S_OK);
    uint64_t begin = now_ms();
    CHECK_EQUAL(caller_call(&caller, h, OUT_PIPE, 1), RPC_S_OK);
    CHECK(now_ms() - begin < 150);
    EXPIRES(&caller, NULL, begin, 200);
    caller_fini(&caller);
    RpcBindingFree(&h);
    close(fd);
}

/* The transport takes no more: requests wait here, ended by cancel or deadline. */
#define STUCK_CALLS 12
static void request_has_not_left(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller callers[STUCK_CALLS];
    static uint8_t octets[1 << 20];
    CHECK_EQUAL(c_ping(h, 1), 2);
    caller_init(&callers[0], 0); /* its connection is the one all share */
    CHECK_EQUAL(caller_call(&callers[0], h, PLAIN, 1), RPC_S_OK);
    sleep_ms(50);
    child_kill(&server, SIGSTOP);
    uint64_t begin = now_ms();
    for (int i = 1; i < STUCK_CALLS; i++) {
        RPC_STATUS status;
        caller_init(&callers[i], 0);
        if (i % 2)
            CHECK_EQUAL(RpcxAsyncSetDeadline(&callers[i].async, 300), RPC_S_OK);
        RAISED(status, c_bulk(&callers[i].async, h, sizeof(octets), octets));
        CHECK_EQUAL(status, RPC_S_OK);
    }
    CHECK(now_ms() - begin < 300);
    for (int i = 2; i < STUCK_CALLS; i += 2) {
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, i % 4 == 0), RPC_S_OK);
        if (i % 4)
            EXPECT_QUIET(&callers[i]);
        else
            EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], NULL),
                    i % 4 ? RPC_S_ASYNC_CALL_PENDING : RPC_S_CALL_CANCELLED);
    }
    for (int i = 1; i < STUCK_CALLS; i += 2)
        EXPIRES(&callers[i], NULL, begin, 300);
    for (int i = 0; i < STUCK_CALLS; i += 2) {
        if (i % 4 == 0 && i > 0)
            continue;
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_CANCELLED);
        EXPECT_QUIET(&callers[i]);
    }
    for (int i = 0; i < STUCK_CALLS; i++)
        caller_fini(&callers[i]);
    child_kill(&server, SIGCONT);
    CHECK_EQUAL(c_ping(h, 1), 2);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* ---- In the middle of pipes ------------------------------------------------------------ */

static void pending_pull(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    unsigned long n;
    uint64_t begin = now_ms();
    struct served *served = start_with_deadline(&caller, h, OUT_PIPE, 150);
    CHECK_EQUAL(PULL(&caller.pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    EXPIRES(&caller, served, begin, 150);
    CHECK(PULL(&caller.pipe[0], buf, 10, &n) != RPC_S_OK);
    discard(&caller, served);
    /* A manager that waits for the client's octets is told as well. */
    served = start_call(&caller, h, IN_PIPE, 0);
    served_use_event(served, 0);
    CHECK_EQUAL(PULL(&served->pipe[0], buf, 10, &n), RPC_S_ASYNC_CALL_PENDING);
    begin = now_ms();
    CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 50), RPC_S_OK);
    EXPECT_SERVED(served, RpcReceiveComplete);
    CHECK(PULL(&served->pipe[0], buf, 10, &n) != RPC_S_OK);
    EXPIRES(&caller, NULL, begin, 50);
    discard(&caller, served);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

struct pusher {
    NDR_ASYNC_PIPE *pipe;
    atomic_int status;
    atomic_ullong pushed;
};

static void *push_for_ever(void *arg)
{
    struct pusher *pusher = arg;
    RPC_STATUS status;
    while ((status = PUSH(pusher->pipe, buf, sizeof(buf))) == RPC_S_OK)
        atomic_fetch_add(&pusher->pushed, sizeof(buf));
    atomic_store(&pusher->status, status);
    return NULL;
}

/* Nobody pulls: the push is blocked until the deadline, on either side. */
static void blocked_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int in = 0; in < 2; in++) {
        struct caller caller;
        pthread_t thread;
        uint64_t begin = now_ms();
        struct served *served = start_with_deadline(&caller, h, in ? IN_PIPE : OUT_PIPE, 500);
        struct pusher pusher = {.pipe = in ? &caller.pipe[0] : &served->pipe[0]};
        CHECK(pthread_create(&thread, NULL, push_for_ever, &pusher) == 0);
        while (atomic_load(&pusher.status) == RPC_S_OK)
            CHECK(now_ms() - begin < 500 + AT_ONCE_MS);
        pthread_join(thread, NULL);
        CHECK(now_ms() - begin >= 499);
        if (in) { /* the push has told; nothing else may (AP-18) */
            CHECK_EQUAL(atomic_load(&pusher.status), RPC_S_CALL_CANCELLED);
            CHECK(complete(&caller, NULL) != RPC_S_ASYNC_CALL_PENDING);
        } else {
            EXPIRES(&caller, NULL, begin, 500);
        }
        discard(&caller, served);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* F8 while a push waits at the limit: the cancel is a request, so all arrives, and the
 * server sees it with the octets before. */
static void cancel_at_the_limit(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint64_t sent = 0, got = 0;
    int32_t reply = 6, result;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    pipe_set_limits(&caller.pipe[0], 0, 0); /* queues here what the transport refuses */
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 16 << 20, 1 << 20), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, 1000, 100), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(served_test_cancel_by_handle(served), RPC_S_CALL_IN_PROGRESS);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, sent), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(served_test_cancel_by_handle(served), RPC_S_OK);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, 6);
    EXPECT_QUIET(&caller);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Against the answer ------------------------------------------------------------------ */

#define RACES 400
static void races_with_completion(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    unsigned answered = 0, expired = 0;
    for (int round = 0; round < RACES; round++) {
        struct caller caller;
        int32_t reply = round, result = -1;
        const bool pipe = round % 2;
        unsigned pause_us = (unsigned)(round * 37 % 1500) + 500;
        struct served *served = start_call(&caller, h, pipe ? OUT_PIPE : PLAIN, 0);
        CHECK_EQUAL(RpcxAsyncSetDeadline(&caller.async, 1), RPC_S_OK);
        usleep(pause_us);
        RPC_STATUS theirs = RPC_S_OK;
        if (pipe)
            theirs = PUSH(&served->pipe[0], NULL, 0);
        if (theirs == RPC_S_OK)
            theirs = served_complete(served, &reply);
        if (pipe) { /* may be told of failure by the pull or by RpcCallComplete */
            unsigned long n;
            RPC_STATUS status = pull_polled(&caller.pipe[0], buf, 1, &n);
            CHECK_EITHER(status, RPC_S_OK, RPC_S_CALL_CANCELLED);
            if (status != RPC_S_OK) {
                while (WaitForSingleObject(caller.event, 0) == WAIT_OBJECT_0)
                    ;
                CHECK(complete(&caller, NULL) != RPC_S_ASYNC_CALL_PENDING);
                CHECK_EQUAL(WaitForSingleObject(caller.event, 2), WAIT_TIMEOUT);
                expired++;
                served_free(served);
                caller_fini(&caller);
                continue;
            }
        }
        EXPECT(&caller, RpcCallComplete);
        RPC_STATUS status = complete(&caller, &result);
        CHECK_EITHER(status, RPC_S_OK, RPC_S_CALL_CANCELLED);
        CHECK(status != RPC_S_OK || result == round);
        CHECK(status == RPC_S_OK ? theirs == RPC_S_OK : true);
        answered += status == RPC_S_OK;
        expired += status != RPC_S_OK;
        CHECK_EQUAL(WaitForSingleObject(caller.event, 2), WAIT_TIMEOUT);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_EQUAL(answered + expired, RACES);
    fprintf(stderr, "%u answered, %u expired\n", answered, expired);
    CHECK(answered > 0 && expired > 0); /* the race was one */
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- Many ------------------------------------------------------------------------------------ */

static unsigned thread_count(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

#define MANY 10000
static void many(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    static struct caller callers[MANY];
    static struct served *served[MANY];
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQUAL(RpcAsyncInitializeHandle(&callers[i].async, sizeof(callers[i].async)),
                    RPC_S_OK);
        CHECK_EQUAL(RpcxAsyncSetDeadline(&callers[i].async, 600000), RPC_S_OK);
        CHECK_EQUAL(caller_call(&callers[i], h, PLAIN, i), RPC_S_OK);
        for (int batch = 0; i % 100 == 99 && batch < 100; batch++) {
            struct served *next = accept_call();
            CHECK(next->n >= 0 && next->n < MANY && !served[next->n]);
            served[next->n] = next;
        }
    }
    unsigned threads = thread_count();
    /* Every one is moved twice, in no order. */
    uint64_t begin = now_ms();
    for (unsigned i = 0; i < 2 * MANY; i++)
        CHECK_EQUAL(RpcxAsyncSetDeadline(&callers[i * 7919 % MANY].async,
                                         500000 + i * 104729 % 99991), RPC_S_OK);
    uint64_t took = now_ms() - begin;
    CHECK(took < (getenv("PENSTOCK_DELAY_SEED") ? SOON_MS : AT_ONCE_MS)); /* random delays */
    CHECK(thread_count() <= threads);
    /* A third is answered, a third expires, a third waits on. */
    int32_t reply = 1;
    for (int i = 0; i < MANY; i++)
        if (i % 3 == 0)
            CHECK_EQUAL(served_complete(served[i], &reply), RPC_S_OK);
    for (int i = 0; i < MANY; i++)
        if (i % 3 == 1)
            CHECK_EQUAL(RpcxAsyncSetDeadline(&callers[i].async, (DWORD)(i % 400)), RPC_S_OK);
    uint64_t until = now_ms() + SOON_MS;
    for (int i = 0; i < MANY; i++) {
        RPC_STATUS wanted = i % 3 == 0   ? RPC_S_OK
                            : i % 3 == 1 ? RPC_S_CALL_CANCELLED
                                         : RPC_S_ASYNC_CALL_PENDING;
        while (RpcAsyncGetCallStatus(&callers[i].async) != wanted) {
            CHECK(now_ms() < until);
            sleep_ms(1);
        }
    }
    for (int i = 0; i < MANY; i++) {
        if (i % 3 == 2)
            CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
        CHECK_EQUAL(complete(&callers[i], NULL), i % 3 ? RPC_S_CALL_CANCELLED : RPC_S_OK);
        if (i % 3)
            served_abort(served[i], 1);
        served_free(served[i]);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test deadline_tests[] = {
    {"deadline_set_before_and_after", set_before_and_after},
    {"deadline_changed_and_removed", changed_and_removed},
    {"deadline_arguments", arguments},
    {"deadline_over_before_the_call", over_before_the_call},
    {"deadline_and_cancel_request_has_not_left", request_has_not_left},
    {"deadline_pending_pull", pending_pull},
    {"deadline_blocked_push", blocked_push},
    {"F8_cancel_at_the_limit", cancel_at_the_limit},
    {"deadline_races_with_completion", races_with_completion},
    {"deadline_many", many},
    {NULL, NULL},
};
