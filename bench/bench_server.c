/* SPDX-License-Identifier: MIT */
/* bench_server.c - the server of the benchmark.
 *
 *     bench_server [--cpu N] PROTSEQ ENDPOINT [PROTSEQ ENDPOINT ...]
 *
 * Prints "ready" when it listens and serves until its standard input ends, so it
 * never outlives the driver.  The managers are written as the documentation of
 * asynchronous pipes would have them: nothing here knows the runtime from inside. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <penstock/rpc.h>
#include <penstock/win32.h>

#include "bench.h"
#include "common.h"

#define SLOW_RATE (1024u * 1024) /* octets per second */

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

/* ---- BenchSink: pulls ---------------------------------------------------- */

/* One call in progress.  It belongs to whoever runs next: the manager, then each
 * notification; once pull said "pending" the next notification may already run. */
struct sink {
    PRPC_ASYNC_STATE async;
    ASYNC_BYTE_PIPE *pipe;
    uint64_t received;
    uint32_t slow_ms;
};

/* Calls that have received something and are not over. */
static atomic_int open_sinks;
/* What `struct sink` takes, with what malloc keeps in front of a block. */
static atomic_long sink_octets;

static long heap_octets(void *block)
{
    return (long)(malloc_usable_size(block) + sizeof(size_t));
}

/* One buffer per thread, not per call: pull keeps no hold of it.  In pages of its own, of which an
 * idle pipe touches one: thread-local storage would be written in full when a thread begins, and
 * threads that come and go would count as memory of pipes. */
static pthread_key_t pull_buffer_key;

static void pull_buffer_free(void *buffer)
{
    munmap(buffer, BENCH_PUSH_LEN);
}

static void *pull_buffer(void)
{
    void *buffer = pthread_getspecific(pull_buffer_key);
    if (buffer)
        return buffer;
    buffer = mmap(NULL, BENCH_PUSH_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED || pthread_setspecific(pull_buffer_key, buffer) != 0)
        die("out of memory");
    return buffer;
}

/* One pull, checked.  The status of pull; RPC_S_OK with *ret_count 0 at the end. */
static RPC_STATUS sink_pull(struct sink *sink, unsigned long *ret_count)
{
    unsigned char *buffer = pull_buffer();
    *ret_count = 0;
    RPC_STATUS status = sink->pipe->pull(sink->pipe->state, buffer, BENCH_PUSH_LEN, ret_count);
    if (status != RPC_S_OK || *ret_count == 0)
        return status;
    pattern_check(sink->received, buffer, *ret_count);
    if (sink->received == 0)
        atomic_fetch_add(&open_sinks, 1);
    sink->received += *ret_count;
    return RPC_S_OK;
}

/* The call is over here, well or not.  After a failed pull nothing is to be done. */
static void sink_end(struct sink *sink, RPC_STATUS status)
{
    hyper received = (hyper)sink->received;
    if (status == RPC_S_OK)
        status = RpcAsyncCompleteCall(sink->async, &received);
    if (status != RPC_S_OK)
        fprintf(stderr, "bench_server: BenchSink: status %d\n", (int)status);
    if (received > 0)
        atomic_fetch_sub(&open_sinks, 1);
    atomic_fetch_sub(&sink_octets, heap_octets(sink));
    free(sink);
}

/* Pulls until the pipe is empty for now, or ends. */
static void sink_run(struct sink *sink)
{
    for (;;) {
        unsigned long count;
        RPC_STATUS status = sink_pull(sink, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            return; /* the sink is the notification's from here on */
        if (status != RPC_S_OK || count == 0) {
            sink_end(sink, status);
            return;
        }
    }
}

static void sink_notified(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)context;
    if (event == RpcReceiveComplete)
        sink_run(async->UserInfo);
}

/* The slow receiver: a thread that sleeps between pulls. */
static void *sink_slow(void *arg)
{
    struct sink *sink = arg;
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!event)
        die("cannot create an event");
    sink->async->NotificationType = RpcNotificationTypeEvent;
    sink->async->u.hEvent = event;

    uint64_t start = now_ns();
    for (;;) {
        unsigned long count;
        RPC_STATUS status = sink_pull(sink, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            WaitForSingleObject(event, INFINITE);
            continue;
        }
        if (status != RPC_S_OK || count == 0) {
            sink_end(sink, status);
            break;
        }
        uint64_t slow_until = start + sink->slow_ms * UINT64_C(1000000);
        uint64_t next_pull = start + sink->received * 1000000000u / SLOW_RATE;
        uint64_t now = now_ns();
        if (now < slow_until && now < next_pull)
            usleep((useconds_t)((next_pull - now) / 1000));
    }
    CloseHandle(event);
    return NULL;
}

static void start_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    if (error)
        die("cannot start a thread: %s", strerror(error));
    pthread_detach(thread);
}

void BenchSink(PRPC_ASYNC_STATE async, handle_t binding, int32_t slow_ms, ASYNC_BYTE_PIPE *data)
{
    (void)binding;
    struct sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    atomic_fetch_add(&sink_octets, heap_octets(sink));
    sink->async = async;
    sink->pipe = data;
    if (slow_ms > 0) {
        sink->slow_ms = (uint32_t)slow_ms;
        start_thread(sink_slow, sink);
        return;
    }
    async->UserInfo = sink;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = sink_notified;
    sink_run(sink);
}

/* ---- BenchSinkLongs ------------------------------------------------------ */

struct sink_longs {
    ASYNC_LONG_PIPE *pipe;
    uint64_t received; /* octets */
};

static void sink_longs_notified(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    int32_t *buf = pull_buffer();
    struct sink_longs *sink = async->UserInfo;
    (void)context;
    if (event != RpcReceiveComplete)
        return;
    for (;;) {
        unsigned long count = 0;
        RPC_STATUS status =
            sink->pipe->pull(sink->pipe->state, buf, BENCH_PUSH_LEN / sizeof(*buf), &count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            return; /* the sink is the next notification's from here on */
        if (status == RPC_S_OK && count > 0) {
            pattern_check(sink->received, buf, count * sizeof(*buf));
            sink->received += count * sizeof(*buf);
            continue;
        }
        hyper received = (hyper)sink->received;
        if (status == RPC_S_OK)
            status = RpcAsyncCompleteCall(async, &received);
        if (status != RPC_S_OK)
            fprintf(stderr, "bench_server: BenchSinkLongs: status %d\n", (int)status);
        free(sink);
        return;
    }
}

void BenchSinkLongs(PRPC_ASYNC_STATE async, handle_t binding, ASYNC_LONG_PIPE *data)
{
    (void)binding;
    struct sink_longs *sink = calloc(1, sizeof(*sink));
    if (!sink)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    sink->pipe = data;
    async->UserInfo = sink;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = sink_longs_notified;
    sink_longs_notified(async, NULL, RpcReceiveComplete);
}

/* ---- BenchSource: pushes ------------------------------------------------- */

struct source {
    PRPC_ASYNC_STATE async;
    ASYNC_BYTE_PIPE *pipe;
    uint64_t octets;
};

/* No notification at all: push waits while too much is queued. */
static void *source_run(void *arg)
{
    struct source *source = arg;
    ASYNC_BYTE_PIPE *pipe = source->pipe;
    RPC_STATUS status = RPC_S_OK;
    for (uint64_t done = 0; status == RPC_S_OK && done < source->octets;) {
        uint64_t left = source->octets - done;
        unsigned long count = left < BENCH_PUSH_LEN ? (unsigned long)left : BENCH_PUSH_LEN;
        status = pipe->push(pipe->state, pattern_at(done), count);
        done += count;
    }
    if (status == RPC_S_OK)
        status = pipe->push(pipe->state, NULL, 0);
    if (status == RPC_S_OK)
        status = RpcAsyncCompleteCall(source->async, NULL);
    if (status != RPC_S_OK)
        fprintf(stderr, "bench_server: BenchSource: status %d\n", (int)status);
    free(source);
    return NULL;
}

void BenchSource(PRPC_ASYNC_STATE async, handle_t binding, hyper octets, ASYNC_BYTE_PIPE *data)
{
    (void)binding;
    struct source *source = calloc(1, sizeof(*source));
    if (!source)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *source = (struct source){.async = async, .pipe = data, .octets = (uint64_t)octets};
    start_thread(source_run, source);
}

/* ---- The synchronous calls ----------------------------------------------- */

void BenchEcho(handle_t binding, const BENCH_BLOCK *request, BENCH_BLOCK *reply)
{
    (void)binding;
    block_reply(request->octets, reply->octets);
}

/* At once: what is measured is the runtime. */
void BenchAsk(PRPC_ASYNC_STATE async, handle_t binding, const BENCH_BLOCK *request,
              BENCH_BLOCK *reply)
{
    (void)binding;
    block_reply(request->octets, reply->octets);
    RPC_STATUS status = RpcAsyncCompleteCall(async, NULL);
    if (status != RPC_S_OK)
        fprintf(stderr, "bench_server: BenchAsk: status %d\n", (int)status);
}

void BenchUsage(handle_t binding, BENCH_USAGE *usage)
{
    (void)binding;
    usage->cpu_us = cpu_us();
    usage->pid = getpid();
    usage->open_sinks = atomic_load(&open_sinks);
    usage->sink_octets = atomic_load(&sink_octets);
}

/* ---- Set-up -------------------------------------------------------------- */

static void check(RPC_STATUS status, const char *what)
{
    if (status != RPC_S_OK)
        die("%s: status %d", what, (int)status);
}

int main(int argc, char **argv)
{
    int next = 1;
    if (argc > 2 && strcmp(argv[1], "--cpu") == 0) {
        pin_to_cpu((int)parse_number(argv[2], 0, 1023));
        next = 3;
    }
    if (next >= argc || (argc - next) % 2 != 0)
        die("usage: bench_server [--cpu N] PROTSEQ ENDPOINT [PROTSEQ ENDPOINT ...]");
    raise_file_limit();
    pattern_init();
    if (pthread_key_create(&pull_buffer_key, pull_buffer_free) != 0)
        die("cannot create a key");

    for (; next < argc; next += 2)
        check(RpcServerUseProtseqEpA((RPC_CSTR)argv[next], RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                     (RPC_CSTR)argv[next + 1], NULL),
              argv[next]);
    check(RpcServerRegisterIf(bench_v1_0_s_ifspec, NULL, NULL), "RpcServerRegisterIf");
    check(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), "RpcServerListen");
    puts("ready");
    fflush(stdout);
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0 || errno == EINTR)
        errno = 0;
    return EXIT_SUCCESS;
}
