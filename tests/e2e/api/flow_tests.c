/* SPDX-License-Identifier: MIT */
/* flow_tests.c - back-pressure: a receiver that takes nothing costs bounded memory on
 * both sides, stops the sender and nobody else, and loses no octet. */
#include "harness.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Far more than the transport and all limits together hold. */
#define FLOOD_LEN (UINT64_C(64) << 20)
/* What may be under way: both sides' high marks, their pushes and the sockets'. */
#define UNDER_WAY_MAX (UINT64_C(16) << 20)

/* Memory grows with what sanitizers remember: only plain builds are measured. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEASURED 0
#else
#define MEASURED 1
#endif

/* What each of the two processes holds beyond `before`, KiB: neither more than `most`. */
struct memory {
    long client, server;
};

static struct memory memory_now(void)
{
    return (struct memory){rss_kib(getpid()), rss_kib(server_pid())};
}

static void check_growth_at(const char *file, int line, const struct memory *before, long most)
{
    const struct memory now = memory_now();
    if (MEASURED && (now.client - before->client > most || now.server - before->server > most))
        failed(file, line, "memory grew by %ld KiB in the client, %ld KiB in the server",
               now.client - before->client, now.server - before->server);
}
#define CHECK_GROWTH(before, most) check_growth_at(__FILE__, __LINE__, before, most)

/* A thread that pushes `len` octets of the pattern, and how far it is. */
struct pusher {
    NDR_ASYNC_PIPE pipe;
    uint64_t len;
    size_t chunk;
    atomic_ullong position;
    atomic_int status;
    atomic_bool done;
    pthread_t thread;
};

static void *push_thread(void *arg)
{
    struct pusher *pusher = arg;
    uint64_t position = 0;
    RPC_STATUS status = RPC_S_OK;
    while (position < pusher->len && status == RPC_S_OK) {
        uint64_t part = pusher->len - position < pusher->chunk ? pusher->len - position
                                                               : pusher->chunk;
        status = push_pattern(&pusher->pipe, &position, part, (size_t)part);
        atomic_store(&pusher->position, position);
    }
    if (status == RPC_S_OK)
        status = PUSH(&pusher->pipe, NULL, 0);
    atomic_store(&pusher->status, status);
    atomic_store(&pusher->done, true);
    return NULL;
}

static void pusher_start(struct pusher *pusher, const NDR_ASYNC_PIPE *pipe, uint64_t len,
                         size_t chunk)
{
    pusher->pipe = *pipe;
    pusher->len = len;
    pusher->chunk = chunk;
    atomic_store(&pusher->position, 0);
    atomic_store(&pusher->status, -1);
    atomic_store(&pusher->done, false);
    CHECK(pthread_create(&pusher->thread, NULL, push_thread, pusher) == 0);
}

/* Waits until it goes no further. */
static void pusher_stalled(struct pusher *pusher)
{
    uint64_t until = now_ms() + SOON_MS;
    unsigned still = 0;
    for (unsigned long long last = 0; still < 10;) {
        unsigned long long now = atomic_load(&pusher->position);
        CHECK(!atomic_load(&pusher->done));
        CHECK(now_ms() < until);
        still = now > 0 && now == last ? still + 1 : 0;
        last = now;
        sleep_ms(20);
    }
}

static RPC_STATUS pusher_join(struct pusher *pusher, unsigned within_ms)
{
    uint64_t until = now_ms() + within_ms;
    while (!atomic_load(&pusher->done)) {
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "a push is still blocked at %llu",
                   (unsigned long long)atomic_load(&pusher->position));
        sleep_ms(1);
    }
    pthread_join(pusher->thread, NULL);
    return atomic_load(&pusher->status);
}

/* Client to server (`in`) or back: stall, measure, drain. */
static void stall_and_drain(bool in)
{
    RPC_BINDING_HANDLE h = serve_here();
    CHECK_USABLE(h);
    struct caller caller;
    struct pusher pusher;
    uint64_t got = 0;
    int32_t reply = 5, result;
    struct served *served = start_call(&caller, h, in ? IN_PIPE : OUT_PIPE, 0);
    NDR_ASYNC_PIPE *from = in ? &caller.pipe[0] : &served->pipe[0];
    NDR_ASYNC_PIPE *to = in ? &served->pipe[0] : &caller.pipe[0];
    const struct memory before = memory_now();
    pusher_start(&pusher, from, FLOOD_LEN, 100000);
    pusher_stalled(&pusher);
    CHECK(atomic_load(&pusher.position) < UNDER_WAY_MAX);
    CHECK_GROWTH(&before, 32 << 10);
    CHECK_USABLE(h); /* nobody else is stopped */
    CHECK_EQUAL(pull_pattern(to, &got, FLOOD_LEN), RPC_S_OK);
    CHECK_EQUAL(pusher_join(&pusher, SOON_MS), RPC_S_OK);
    CHECK_GROWTH(&before, 32 << 10);
    if (in)
        PULL_END(to);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    if (!in)
        PULL_END(to);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &result), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void stalled_server(void)
{
    stall_and_drain(true);
}
static void stalled_client(void)
{
    stall_and_drain(false);
}

/* A receiver, a third process, that is stopped altogether. */
static void stopped_process(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct child client = spawn_client("no-read");
    struct served *served = accept_call();
    struct pusher pusher;
    child_ready(&client);
    child_kill(&client, SIGSTOP);
    const struct memory before = memory_now();
    pusher_start(&pusher, &served->pipe[0], FLOOD_LEN, 100000);
    pusher_stalled(&pusher);
    CHECK(atomic_load(&pusher.position) < UNDER_WAY_MAX);
    CHECK_GROWTH(&before, 32 << 10);
    CHECK_USABLE(h);
    /* It runs again, but its program pulls nothing: its runtime takes no more than
     * its mark. */
    child_kill(&client, SIGCONT);
    sleep_ms(200);
    CHECK(!MEASURED || rss_kib(client.pid) < 64 << 10);
    pusher_stalled(&pusher);
    /* Its death wakes the push at once. */
    child_kill(&client, SIGKILL);
    CHECK(pusher_join(&pusher, AT_ONCE_MS) != RPC_S_OK);
    served_free(served);
    CHECK_USABLE(h);
    child_stop(&client);
    RpcBindingFree(&h);
}

/* ---- What wakes a blocked push ---------------------------------------------- */

static void cancel_wakes_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int round = 0; round < 5; round++) {
        struct caller caller;
        struct pusher pusher;
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        pusher_start(&pusher, &caller.pipe[0], FLOOD_LEN, round == 4 ? 4 << 20 : 50000);
        sleep_ms(100);
        if (round < 4)
            pusher_stalled(&pusher);
        CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
        CHECK_EQUAL(pusher_join(&pusher, AT_ONCE_MS), RPC_S_CALL_CANCELLED);
        served_abort(served, 1);
        served_free(served);
        caller_fini(&caller);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void abort_wakes_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pusher;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    pusher_start(&pusher, &caller.pipe[0], FLOOD_LEN, 50000);
    pusher_stalled(&pusher);
    CHECK_EQUAL(served_abort(served, 0x20007777), RPC_S_OK);
    CHECK_EQUAL(pusher_join(&pusher, AT_ONCE_MS), 0x20007777);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* The server's push is blocked and the client gives up. */
static void cancel_wakes_server_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pusher;
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    pusher_start(&pusher, &served->pipe[0], FLOOD_LEN, 50000);
    pusher_stalled(&pusher);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
    CHECK(pusher_join(&pusher, AT_ONCE_MS) != RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void server_death_wakes_push(void)
{
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    struct pusher pusher;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 1), RPC_S_OK);
    pusher_start(&pusher, &caller.pipe[0], FLOOD_LEN, 50000);
    pusher_stalled(&pusher);
    child_kill(&server, SIGKILL);
    CHECK(pusher_join(&pusher, AT_ONCE_MS) != RPC_S_OK);
    caller_fini(&caller);
    RpcBindingFree(&h);
    child_stop(&server);
}

/* A non-abortive cancel reaches a server whose pipe is full and who reads nothing: the
 * read-ahead of the receiving runtime is small but there. */
static void cancel_is_seen_while_stalled(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pusher;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    pusher_start(&pusher, &caller.pipe[0], FLOOD_LEN, 50000);
    pusher_stalled(&pusher);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    uint64_t until = now_ms() + AT_ONCE_MS;
    while (served_test_cancel_by_handle(served) != RPC_S_OK) {
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    CHECK_EQUAL(pusher_join(&pusher, AT_ONCE_MS), RPC_S_CALL_CANCELLED);
    served_abort(served, 1);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- Limits ------------------------------------------------------------------ */

/* RpcxPipeSetLimits(state, 0, ...): the documented buffering without bound. */
static void no_limit(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int by_default = 0; by_default < 2; by_default++) {
        struct caller caller;
        uint64_t sent = 0, got = 0;
        if (by_default)
            set_default_limits(0, 0);
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        CHECK_EQUAL(pipe_set_limits(&served->pipe[0], 1 << 20, 256 << 10), RPC_S_OK);
        if (!by_default)
            CHECK_EQUAL(pipe_set_limits(&caller.pipe[0], 0, 0), RPC_S_OK);
        /* On this thread: it would hang here if it blocked. */
        CHECK_EQUAL(push_pattern(&caller.pipe[0], &sent, FLOOD_LEN, 1 << 20), RPC_S_OK);
        CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
        CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, FLOOD_LEN), RPC_S_OK);
        PULL_END(&served->pipe[0]);
        int32_t reply = 1;
        CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
        served_free(served);
        caller_fini(&caller);
        set_default_limits(1 << 20, 256 << 10);
    }
    RpcBindingFree(&h);
}

static void small_limits(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pusher;
    uint64_t got = 0;
    set_default_limits(2000, 1);
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    pusher_start(&pusher, &caller.pipe[0], 20 << 20, 30000);
    pusher_stalled(&pusher);
    CHECK(atomic_load(&pusher.position) < 12 << 20); /* the sockets' buffers */
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 20 << 20), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(pusher_join(&pusher, SOON_MS), RPC_S_OK);
    int32_t reply = 1;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* Raising a limit lets a blocked push go on. */
static void limit_raised_while_blocked(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct pusher pusher;
    uint64_t got = 0;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    pusher_start(&pusher, &caller.pipe[0], FLOOD_LEN, 50000);
    pusher_stalled(&pusher);
    CHECK_EQUAL(pipe_set_limits(&served->pipe[0], 0, 0), RPC_S_OK); /* the receiver's */
    CHECK_EQUAL(pusher_join(&pusher, SOON_MS), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, FLOOD_LEN), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    int32_t reply = 1;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* Inside a notification routine a push never blocks: it queues that buffer. */
struct feeder {
    NDR_ASYNC_PIPE pipe;
    uint64_t position;
    atomic_uint pushes, completes;
};
#define FEED_PUSHES 40u
#define FEED_LEN 1000000u

static void on_feed(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct feeder *feeder = async->UserInfo;
    (void)context;
    if (event == RpcCallComplete)
        atomic_fetch_add(&feeder->completes, 1);
    if (event != RpcSendComplete || atomic_load(&feeder->pushes) >= FEED_PUSHES)
        return;
    /* Several at once, far past the mark, with nobody pulling: blocking is for ever. */
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(push_pattern(&feeder->pipe, &feeder->position, FEED_LEN, FEED_LEN), RPC_S_OK);
        atomic_fetch_add(&feeder->pushes, 1);
    }
    if (atomic_load(&feeder->pushes) == FEED_PUSHES)
        CHECK_EQUAL(PUSH(&feeder->pipe, NULL, 0), RPC_S_OK);
}

static void push_in_callback(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    static struct feeder feeder;
    uint64_t got = 0;
    CHECK_USABLE(h); /* a connection: else the type would be looked at when it is up */
    caller_init(&caller, RPC_C_NOTIFY_ON_SEND_COMPLETE);
    caller.async.UserInfo = &feeder;
    caller.async.u.NotificationRoutine = on_feed;
    caller.async.NotificationType = RpcNotificationTypeNone; /* not before the pipe is copied */
    CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 1), RPC_S_OK);
    struct served *served = accept_call();
    feeder.pipe = caller.pipe[0];
    caller.async.NotificationType = RpcNotificationTypeCallback;
    uint64_t begin = 0;
    feeder.position = 10; /* the routine may run before this push returns */
    CHECK_EQUAL(push_pattern(&feeder.pipe, &begin, 10, 10), RPC_S_OK);
    uint64_t until = now_ms() + SOON_MS;
    while (atomic_load(&feeder.pushes) < 10) { /* nobody pulls before that */
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, 10 + FEED_PUSHES * (uint64_t)FEED_LEN),
                RPC_S_OK);
    PULL_END(&served->pipe[0]);
    int32_t reply = 1;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    until = now_ms() + SOON_MS;
    while (atomic_load(&feeder.completes) == 0) {
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* One thread that feeds a call and then drains another on the same connection pool:
 * short exchanges must not lock each other up (a receiver reads ahead by itself). */
static void short_exchanges_on_one_thread(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller first, second;
    uint64_t sent = 0, got = 0, back = 0, home = 0;
    struct served *one = start_call(&first, h, IN_PIPE, 0);
    struct served *two = start_call(&second, h, OUT_PIPE, 0);
    const uint64_t len = 900000; /* below the high mark */
    CHECK_EQUAL(push_pattern(&first.pipe[0], &sent, len, 100000), RPC_S_OK);
    CHECK_EQUAL(push_pattern(&two->pipe[0], &back, len, 100000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&first.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&two->pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&second.pipe[0], &home, len), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&one->pipe[0], &got, len), RPC_S_OK);
    PULL_END(&one->pipe[0]);
    int32_t reply = 1;
    CHECK_EQUAL(served_complete(one, &reply), RPC_S_OK);
    CHECK_EQUAL(served_complete(two, &reply), RPC_S_OK);
    PULL_END(&second.pipe[0]);
    EXPECT(&first, RpcCallComplete);
    EXPECT(&second, RpcCallComplete);
    CHECK_EQUAL(complete(&first, NULL), RPC_S_OK);
    CHECK_EQUAL(complete(&second, NULL), RPC_S_OK);
    served_free(one);
    served_free(two);
    caller_fini(&first);
    caller_fini(&second);
    RpcBindingFree(&h);
}

/* ---- Many ---------------------------------------------------------------------- */

#define MANY (MEASURED ? 200 : 40) /* pattern and pulls are slow in instrumented builds */
#define MANY_LEN (UINT64_C(3) << 20)

/* Pipes stalled at once, half of them each way, then drained. */
static void many_stalled_pipes(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 4 * MANY)
        skip("too few descriptors");
    RPC_BINDING_HANDLE h = serve_here();
    struct caller *callers = calloc(MANY, sizeof(*callers));
    struct served **served = calloc(MANY, sizeof(struct served *));
    struct pusher *pushers = calloc(MANY, sizeof(*pushers));
    CHECK(callers && served && pushers);
    const struct memory before = memory_now();
    for (int i = 0; i < MANY; i++) {
        served[i] = start_call(&callers[i], h, i % 2 ? OUT_PIPE : IN_PIPE, 0);
        pusher_start(&pushers[i], i % 2 ? &served[i]->pipe[0] : &callers[i].pipe[0], MANY_LEN,
                     60000);
    }
    sleep_ms(300);
    CHECK_USABLE(h);
    CHECK_GROWTH(&before, 600 << 10); /* 200 pipes x 1 MiB on each side, and the pushes */
    for (int i = MANY - 1; i >= 0; i--) {
        uint64_t got = 0;
        int32_t reply = i, result;
        NDR_ASYNC_PIPE *to = i % 2 ? &callers[i].pipe[0] : &served[i]->pipe[0];
        CHECK_EQUAL(pull_pattern(to, &got, MANY_LEN), RPC_S_OK);
        CHECK_EQUAL(pusher_join(&pushers[i], SOON_MS), RPC_S_OK);
        if (i % 2 == 0)
            PULL_END(to);
        CHECK_EQUAL(served_complete(served[i], &reply), RPC_S_OK);
        if (i % 2)
            PULL_END(to);
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], &result), RPC_S_OK);
        CHECK_EQUAL(result, i);
        served_free(served[i]);
        caller_fini(&callers[i]);
    }
    free(callers);
    free(served);
    free(pushers);
    RpcBindingFree(&h);
}

/* Pipes stalled, then all cancelled: everybody is told at once, nothing leaks. */
static void many_cancelled_pipes(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 4 * MANY)
        skip("too few descriptors");
    RPC_BINDING_HANDLE h = serve_here();
    struct caller *callers = calloc(MANY, sizeof(*callers));
    struct served **served = calloc(MANY, sizeof(struct served *));
    CHECK(callers && served);
    static uint8_t octets[500000];
    for (int i = 0; i < MANY; i++) {
        served[i] = start_call(&callers[i], h, i % 2 ? OUT_PIPE : IN_PIPE, 0);
        CHECK_EQUAL(PUSH(i % 2 ? &served[i]->pipe[0] : &callers[i].pipe[0], octets,
                         sizeof(octets)), RPC_S_OK);
    }
    for (int i = 0; i < MANY; i++)
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
    for (int i = 0; i < MANY; i++) {
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_CANCELLED);
    }
    uint64_t until = now_ms() + SOON_MS;
    for (int i = 0; i < MANY; i++) {
        while (served_test_cancel_by_handle(served[i]) != RPC_S_OK) {
            CHECK(now_ms() < until);
            sleep_ms(1);
        }
        served_abort(served[i], 1);
        served_free(served[i]);
        caller_fini(&callers[i]);
    }
    CHECK_USABLE(h);
    free(callers);
    free(served);
    RpcBindingFree(&h);
}

const struct test flow_tests[] = {
    {"flow_stalled_server", stalled_server},
    {"flow_stalled_client", stalled_client},
    {"flow_stopped_process", stopped_process},
    {"flow_cancel_wakes_push", cancel_wakes_push},
    {"flow_abort_wakes_push", abort_wakes_push},
    {"flow_cancel_wakes_server_push", cancel_wakes_server_push},
    {"flow_server_death_wakes_push", server_death_wakes_push},
    {"flow_cancel_is_seen_while_stalled", cancel_is_seen_while_stalled},
    {"AP-13_flow_no_limit", no_limit},
    {"flow_small_limits", small_limits},
    {"flow_limit_raised_while_blocked", limit_raised_while_blocked},
    {"flow_push_in_callback", push_in_callback},
    {"flow_short_exchanges_on_one_thread", short_exchanges_on_one_thread},
    {"flow_many_stalled_pipes", many_stalled_pipes},
    {"flow_many_cancelled_pipes", many_cancelled_pipes},
    {NULL, NULL},
};
