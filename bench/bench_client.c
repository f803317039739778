/* SPDX-License-Identifier: MIT */
/* bench_client.c - the client of the benchmark.  One measurement per run:
 *
 *     bench_client BINDING in|out OCTETS     byte pipe, pushes of 64 KiB
 *     bench_client BINDING longs OCTETS      the same with a pipe of 32-bit elements, [in]
 *     bench_client BINDING call CPU COUNT    synchronous calls, on one CPU
 *     bench_client BINDING calls CPU COUNT   asynchronous calls, 64 outstanding, on one CPU
 *     bench_client BINDING crowd COUNT       so many clients that connect and call at once
 *     bench_client BINDING slow MS           receiver takes 1 MiB/s for MS milliseconds
 *     bench_client BINDING idle COUNT        so many pipes open at once
 *
 * BINDING is a string binding of bench_server, which runs on the same machine.  The
 * result is one line of JSON. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpc.h>
#include <penstock/win32.h>

#include "bench.h"
#include "client_async.h"
#include "common.h"

/* Far more than a second's worth at 1 MiB/s, and quickly drained afterwards. */
#define SLOW_LEN (64u * 1024 * 1024)
/* Warms code and allocators without filling queues that shall be counted. */
#define SLOW_WARM_LEN (1024u * 1024)
#define SAMPLE_MS 20
#define IDLE_PUSH_LEN 64u
#define IDLE_FIRST    50u
/* Until buffers that octets needed are given back and threads have gone to sleep. */
#define SETTLE_MS 500

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

static void check(RPC_STATUS status, const char *what)
{
    if (status != RPC_S_OK)
        die("%s: status %d", what, (int)status);
}

static HANDLE new_event(void)
{
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!event)
        die("cannot create an event");
    return event;
}

static BENCH_USAGE server_usage(handle_t binding)
{
    BENCH_USAGE usage;
    BenchUsage(binding, &usage);
    return usage;
}

/* Prepares `async` for a call that signals `event`. */
static void async_prepare(PRPC_ASYNC_STATE async, HANDLE event)
{
    check(RpcAsyncInitializeHandle(async, sizeof(*async)), "RpcAsyncInitializeHandle");
    async->NotificationType = RpcNotificationTypeEvent;
    async->u.hEvent = event;
}

/* Waits for the end of the call; `reply` receives its result. */
static void async_finish(PRPC_ASYNC_STATE async, HANDLE event, void *reply)
{
    RPC_STATUS status;
    while ((status = RpcAsyncCompleteCall(async, reply)) == RPC_S_ASYNC_CALL_PENDING)
        WaitForSingleObject(event, INFINITE);
    check(status, "RpcAsyncCompleteCall");
}

/* ---- Streams ------------------------------------------------------------- */

/* Pushes octets [from, to) of the pattern.  A push waits while too much is queued. */
static void push_range(ASYNC_BYTE_PIPE *pipe, uint64_t from, uint64_t to)
{
    for (uint64_t done = from; done < to;) {
        uint64_t left = to - done;
        unsigned long count = left < BENCH_PUSH_LEN ? (unsigned long)left : BENCH_PUSH_LEN;
        check(pipe->push(pipe->state, pattern_at(done), count), "push");
        done += count;
    }
}

static void stream_in(handle_t binding, HANDLE event, uint64_t octets, int32_t slow_ms)
{
    RPC_ASYNC_STATE async;
    ASYNC_BYTE_PIPE pipe;
    async_prepare(&async, event);
    BenchSink(&async, binding, slow_ms, &pipe);
    push_range(&pipe, 0, octets);
    check(pipe.push(pipe.state, NULL, 0), "last push");
    hyper received = -1;
    async_finish(&async, event, &received);
    if ((uint64_t)received != octets)
        die("the server received %lld octets of %llu", (long long)received,
            (unsigned long long)octets);
}

/* `octets` is rounded down to whole elements. */
static void stream_longs(handle_t binding, HANDLE event, uint64_t octets)
{
    RPC_ASYNC_STATE async;
    ASYNC_LONG_PIPE pipe;
    octets -= octets % sizeof(int32_t);
    async_prepare(&async, event);
    BenchSinkLongs(&async, binding, &pipe);
    for (uint64_t done = 0; done < octets;) {
        uint64_t left = octets - done;
        unsigned long len = left < BENCH_PUSH_LEN ? (unsigned long)left : BENCH_PUSH_LEN;
        check(pipe.push(pipe.state, (int32_t *)(void *)pattern_at(done), len / sizeof(int32_t)),
              "push");
        done += len;
    }
    check(pipe.push(pipe.state, NULL, 0), "last push");
    hyper received = -1;
    async_finish(&async, event, &received);
    if ((uint64_t)received != octets)
        die("the server received %lld octets of %llu", (long long)received,
            (unsigned long long)octets);
}

static void stream_out(handle_t binding, HANDLE event, uint64_t octets)
{
    static _Alignas(4096) unsigned char buf[BENCH_PUSH_LEN];
    RPC_ASYNC_STATE async;
    ASYNC_BYTE_PIPE pipe;
    async_prepare(&async, event);
    BenchSource(&async, binding, (hyper)octets, &pipe);
    uint64_t received = 0;
    for (;;) {
        unsigned long count = 0;
        RPC_STATUS status = pipe.pull(pipe.state, buf, sizeof(buf), &count);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            WaitForSingleObject(event, INFINITE);
            continue;
        }
        check(status, "pull");
        if (count == 0)
            break;
        pattern_check(received, buf, count);
        received += count;
    }
    async_finish(&async, event, NULL);
    if (received != octets)
        die("received %llu octets of %llu", (unsigned long long)received,
            (unsigned long long)octets);
}

static void stream(handle_t binding, HANDLE event, const char *what, uint64_t octets)
{
    if (strcmp(what, "in") == 0)
        stream_in(binding, event, octets, 0);
    else if (strcmp(what, "out") == 0)
        stream_out(binding, event, octets);
    else
        stream_longs(binding, event, octets);
}

static void measure_stream(handle_t binding, const char *what, uint64_t octets)
{
    HANDLE event = new_event();
    stream(binding, event, what, BENCH_WARM_LEN);

    int64_t server_before = server_usage(binding).cpu_us;
    int64_t client_before = cpu_us();
    uint64_t start = now_ns();
    stream(binding, event, what, octets);
    uint64_t elapsed = now_ns() - start;
    int64_t client = cpu_us() - client_before;
    print_stream_result(octets, elapsed, client, server_usage(binding).cpu_us - server_before);
    CloseHandle(event);
}

/* ---- Synchronous calls --------------------------------------------------- */

/* Returns the nanoseconds of call `i`. */
static uint64_t timed_call(handle_t binding, uint64_t i)
{
    BENCH_BLOCK request, reply, expected;
    block_request(i, request.octets);
    uint64_t start = now_ns();
    BenchEcho(binding, &request, &reply);
    uint64_t elapsed = now_ns() - start;
    block_reply(request.octets, expected.octets);
    if (memcmp(&reply, &expected, sizeof(reply)) != 0)
        die("wrong reply to call %llu", (unsigned long long)i);
    return elapsed;
}

static void measure_calls(handle_t binding, uint64_t count)
{
    uint64_t *ns = calloc(count, sizeof(*ns));
    if (!ns)
        die("out of memory");
    for (uint64_t i = 0; i < count / 10; i++)
        timed_call(binding, i);
    for (uint64_t i = 0; i < count; i++)
        ns[i] = timed_call(binding, i);
    print_latency_result(ns, count);
    free(ns);
}

/* ---- Slow receiver ------------------------------------------------------- */

/* The largest resident memory of both processes together, sampled by a thread. */
struct sampler {
    pthread_t thread;
    pid_t server;
    atomic_bool stop;
    long peak_kib;
};

static long resident_kib(pid_t server)
{
    return proc_status(getpid(), "VmRSS") + proc_status(server, "VmRSS");
}

static void *sampler_run(void *arg)
{
    struct sampler *sampler = arg;
    while (!atomic_load(&sampler->stop)) {
        long kib = resident_kib(sampler->server);
        if (kib > sampler->peak_kib)
            sampler->peak_kib = kib;
        usleep(SAMPLE_MS * 1000);
    }
    return NULL;
}

static void measure_slow_receiver(handle_t binding, uint32_t slow_ms)
{
    HANDLE event = new_event();
    stream_in(binding, event, SLOW_WARM_LEN, 0);
    struct sampler sampler = {.server = server_usage(binding).pid};
    if (pthread_create(&sampler.thread, NULL, sampler_run, &sampler) != 0)
        die("cannot start a thread");
    usleep(SETTLE_MS * 1000);
    long before_kib = resident_kib(sampler.server);

    uint64_t start = now_ns();
    stream_in(binding, event, SLOW_LEN, (int32_t)slow_ms);
    uint64_t elapsed = now_ns() - start;
    atomic_store(&sampler.stop, true);
    pthread_join(sampler.thread, NULL);
    /* Otherwise nobody was slow, and the figure says nothing. */
    if (elapsed < slow_ms * UINT64_C(1000000))
        die("the receiver was not slow");
    printf("{\"octets\": %u, \"seconds\": %.3f, \"before_kib\": %ld, \"peak_kib\": %ld}\n",
           SLOW_LEN, (double)elapsed / 1e9, before_kib, sampler.peak_kib);
    CloseHandle(event);
}

/* ---- Idle pipes ---------------------------------------------------------- */

/* One open pipe, as small as an application can keep it. */
struct idle_call {
    RPC_ASYNC_STATE async;
    ASYNC_BYTE_PIPE pipe;
};

static atomic_ulong idle_complete;

static void idle_notified(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)async;
    (void)context;
    if (event == RpcCallComplete)
        atomic_fetch_add(&idle_complete, 1);
}

/* Opens a pipe and sends some octets through, so that it has been used. */
static void idle_open(handle_t binding, struct idle_call *call)
{
    check(RpcAsyncInitializeHandle(&call->async, sizeof(call->async)), "RpcAsyncInitializeHandle");
    call->async.NotificationType = RpcNotificationTypeCallback;
    call->async.u.NotificationRoutine = idle_notified;
    BenchSink(&call->async, binding, 0, &call->pipe);
    push_range(&call->pipe, 0, IDLE_PUSH_LEN);
}

/* Until the server has received from `count` pipes; then lets things settle. */
static void idle_wait_open(handle_t binding, uint64_t count)
{
    for (int tries = 0; (uint64_t)server_usage(binding).open_sinks < count; tries++) {
        if (tries > 1000)
            die("the pipes did not all open within 10 s");
        usleep(10000);
    }
    usleep(SETTLE_MS * 1000);
}

static void idle_close_all(struct idle_call *calls, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        check(calls[i].pipe.push(calls[i].pipe.state, NULL, 0), "last push");
    for (int tries = 0; atomic_load(&idle_complete) < count; tries++) {
        if (tries > 1000)
            die("the pipes did not all end within 10 s");
        usleep(10000);
    }
    for (uint64_t i = 0; i < count; i++) {
        hyper received = -1;
        check(RpcAsyncCompleteCall(&calls[i].async, &received), "RpcAsyncCompleteCall");
        if (received != IDLE_PUSH_LEN)
            die("pipe %llu: the server received %lld octets", (unsigned long long)i,
                (long long)received);
    }
}

static void measure_idle(handle_t binding, uint64_t count)
{
    struct idle_call *calls = calloc(count, sizeof(*calls));
    if (!calls)
        die("out of memory");
    /* The first ones pay for what a process has once, threads above all. */
    const uint64_t first = count > IDLE_FIRST ? IDLE_FIRST : 1;
    for (uint64_t i = 0; i < first; i++)
        idle_open(binding, &calls[i]);
    idle_wait_open(binding, first);
    pid_t server = server_usage(binding).pid;
    long client_kib = proc_status(getpid(), "VmRSS"), server_kib = proc_status(server, "VmRSS");

    for (uint64_t i = first; i < count; i++)
        idle_open(binding, &calls[i]);
    idle_wait_open(binding, count);
    client_kib = proc_status(getpid(), "VmRSS") - client_kib;
    server_kib = proc_status(server, "VmRSS") - server_kib;
    /* Of that, what the two programs keep themselves. */
    const double more = (double)(count - first);
    double client_own_kib = (double)sizeof(struct idle_call) / 1024;
    double server_own_kib =
        (double)server_usage(binding).sink_octets / (double)count / 1024;
    long client_threads = proc_status(getpid(), "Threads");
    long server_threads = proc_status(server, "Threads");

    idle_close_all(calls, count);
    printf("{\"pipes\": %llu, \"client_threads\": %ld, \"server_threads\": %ld, "
           "\"client_kib\": %.3f, \"client_program_kib\": %.3f, "
           "\"server_kib\": %.3f, \"server_program_kib\": %.3f}\n",
           (unsigned long long)count, client_threads, server_threads, (double)client_kib / more,
           client_own_kib, (double)server_kib / more, server_own_kib);
    free(calls);
}

/* ---- Set-up -------------------------------------------------------------- */

struct job {
    handle_t binding;
    int argc;
    char **argv; /* from the word of the measurement on */
};

static void run(const struct job *job)
{
    const char *what = job->argv[0];
    if (job->argc == 2 && (strcmp(what, "in") == 0 || strcmp(what, "out") == 0 ||
                           strcmp(what, "longs") == 0))
        measure_stream(job->binding, what, parse_number(job->argv[1], 1, UINT64_C(1) << 40));
    else if (job->argc == 3 && strcmp(what, "call") == 0)
        measure_calls(job->binding, parse_number(job->argv[2], 1, 10000000));
    else if (job->argc == 3 && strcmp(what, "calls") == 0)
        run_outstanding(job->binding, parse_number(job->argv[2], 1000, 100000000));
    else if (job->argc == 2 && strcmp(what, "slow") == 0)
        measure_slow_receiver(job->binding, (uint32_t)parse_number(job->argv[1], 1, 60000));
    else if (job->argc == 2 && strcmp(what, "idle") == 0)
        measure_idle(job->binding, parse_number(job->argv[1], 2, 100000));
    else
        die("usage: bench_client BINDING in|out|longs OCTETS | call CPU COUNT | slow MS | idle COUNT");
}

int main(int argc, char **argv)
{
    struct job job = {.argc = argc - 2, .argv = argv + 2};
    if (argc < 4)
        die("usage: bench_client BINDING in|out|longs|call|calls|crowd|slow|idle ...");
    if (strncmp(argv[2], "call", 4) == 0) /* before the runtime starts a thread */
        pin_to_cpu((int)parse_number(argv[3], 0, 1023));
    raise_file_limit();
    pattern_init();
    if (strcmp(argv[2], "crowd") == 0) {
        run_crowd(argv[1], (unsigned)parse_number(argv[3], 1, 20000));
        return EXIT_SUCCESS;
    }
    check(RpcBindingFromStringBindingA((RPC_CSTR)argv[1], &job.binding), argv[1]);
    RpcTryExcept
    {
        run(&job);
    }
    RpcExcept(1)
    {
        die("a call raised status %lu", (unsigned long)RpcExceptionCode());
    }
    RpcEndExcept
    check(RpcBindingFree(&job.binding), "RpcBindingFree");
    return EXIT_SUCCESS;
}
