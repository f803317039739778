/* SPDX-License-Identifier: MIT */
/* client.c - COUNT calls at once: scale_client BINDING source|sink|pending COUNT THREADS.
 * Prints one JSON object of what was seen while all of them stood still, or what went wrong.
 * Threads that were started on the way have some seconds to leave, until no process has more
 * than THREADS. */
#include <stdatomic.h>
#include <time.h>

#include "common.h"
#include "rpc.h"
#include "scale.h"
#include "win32.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

#define OCTETS 60000u
/* A pipe nobody pulls stops here: well before its end. */
#define HIGH 8192u
#define PATIENCE_MS 120000u
/* More than a thread of the pool lingers, so that looking does not keep it. */
#define LOOK_MS 1000u
#define LEAVE_MS 10000u

enum { ENDED = 1, COMPLETE = 2 };

struct call {
    RPC_ASYNC_STATE async;
    ASYNC_BYTES pipe;
    uint32_t seed, at, received;
    atomic_uint seen;
};

static handle_t server;
static const char *what;
static atomic_uint done, wrong;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void die(const char *text, long status)
{
    printf("%s: %ld\n", text, status);
    exit(1);
}

static void collect(struct call *call)
{
    int32_t result = (int32_t)call->seed * 2;
    RPC_STATUS status = RpcAsyncCompleteCall(&call->async, &result);
    bool right = status == RPC_S_OK;
    if (strcmp(what, "source") == 0)
        right = right && call->at == OCTETS;
    else if (strcmp(what, "sink") == 0)
        right = right && call->received == OCTETS;
    else
        right = right && result == (int32_t)call->seed * 2;
    if (!right)
        wrong++;
    done++;
}

/* The pipe is at its end, and RpcCallComplete was told: in either order. */
static void saw(struct call *call, unsigned flag)
{
    if ((atomic_fetch_or(&call->seen, flag) | flag) == (ENDED | COMPLETE))
        collect(call);
}

static void drain(struct call *call)
{
    uint8_t buf[PIECE];
    unsigned long n;
    RPC_STATUS status;
    while ((status = call->pipe.pull(call->pipe.state, buf, PIECE, &n)) == RPC_S_OK && n > 0)
        for (unsigned long i = 0; i < n; i++)
            if (buf[i] != octet(call->seed, call->at++))
                wrong++;
    if (status == RPC_S_OK)
        saw(call, ENDED);
    else if (status != RPC_S_ASYNC_CALL_PENDING)
        die("pull", status);
}

static void on_event(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct call *call = async->UserInfo;
    (void)context;
    if (event == RpcReceiveComplete)
        drain(call);
    else if (event == RpcCallComplete)
        saw(call, COMPLETE);
}

static void start(struct call *call, uint32_t seed)
{
    RpcAsyncInitializeHandle(&call->async, sizeof(call->async));
    call->async.UserInfo = call;
    call->async.NotificationType = RpcNotificationTypeCallback;
    call->async.u.NotificationRoutine = on_event;
    call->seed = seed;
    RpcTryExcept {
        if (strcmp(what, "source") == 0) {
            Source(&call->async, server, seed, OCTETS, &call->pipe);
        } else if (strcmp(what, "sink") == 0) {
            call->seen = ENDED;
            Sink(&call->async, server, seed, &call->pipe, &call->received);
        } else {
            call->seen = ENDED;
            Pending(&call->async, server, (int32_t)seed);
        }
    }
    RpcExcept(1) {
        die("call", (long)RpcExceptionCode());
    }
    RpcEndExcept
}

/* All but the end. */
static void fill(struct call *call)
{
    static uint8_t buf[OCTETS];
    for (uint32_t i = 0; i < OCTETS; i++)
        buf[i] = octet(call->seed, i);
    RPC_STATUS status = call->pipe.push(call->pipe.state, buf, OCTETS);
    if (status != RPC_S_OK)
        die("push", status);
}

static void end(struct call *call)
{
    RPC_STATUS status = call->pipe.push(call->pipe.state, NULL, 0);
    if (status != RPC_S_OK)
        die("push", status);
}

static STATE wait_called(uint32_t count)
{
    STATE state;
    uint64_t begin = now_ms();
    for (;;) {
        Look(server, &state);
        if (state.called >= count)
            return state;
        if (now_ms() - begin > PATIENCE_MS)
            die("managers called", (long)state.called);
        Sleep(20);
    }
}

/* Nothing arrives any more: do the threads leave? */
static STATE wait_left(uint32_t threads, uint64_t *ret_own)
{
    STATE state;
    uint64_t begin = now_ms();
    for (;;) {
        Look(server, &state);
        *ret_own = own_status("Threads:");
        if ((state.threads <= threads && *ret_own <= threads) || now_ms() - begin > LEAVE_MS)
            return state;
        Sleep(LOOK_MS);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK)
        return 2;
    what = argv[2];
    const uint32_t count = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint32_t threads_max = (uint32_t)strtoul(argv[4], NULL, 10);
    struct call *calls = calloc(count, sizeof(*calls));
    STATE before, state;
    RpcxPipeSetLimits(NULL, HIGH, HIGH / 2);
    if (!calls)
        return 2;
    Look(server, &before);
    uint64_t rss_kib = own_status("VmRSS:"), begin = now_ms();
    for (uint32_t i = 0; i < count; i++)
        start(&calls[i], i);
    if (strcmp(what, "sink") == 0)
        for (uint32_t i = 0; i < count; i++)
            fill(&calls[i]);
    state = wait_called(before.called + count);
    uint64_t opened = now_ms() - begin;
    uint64_t threads, peak = own_status("Threads:"), server_peak = state.threads;
    state = wait_left(threads_max, &threads);
    uint64_t grown_kib = own_status("VmRSS:") - rss_kib;
    if (done != 0)
        die("calls ended early", (long)done);

    begin = now_ms();
    if (strcmp(what, "source") == 0) {
        for (uint32_t i = 0; i < count; i++)
            drain(&calls[i]);
    } else {
        if (strcmp(what, "sink") == 0)
            for (uint32_t i = 0; i < count; i++)
                end(&calls[i]);
        Release(server);
    }
    while (done < count) {
        if (now_ms() - begin > PATIENCE_MS)
            die("calls done", (long)done);
        Sleep(5);
    }
    printf("{\"threads\": %llu, \"server_threads\": %u, \"peak\": [%llu, %llu], \"descriptors\": %u, \"wrong\": %u, "
           "\"client_kib\": %lld, \"server_kib\": %lld, \"open_ms\": %llu, \"drain_ms\": %llu}\n",
           (unsigned long long)threads, state.threads, (unsigned long long)peak,
           (unsigned long long)server_peak, state.connections, (unsigned)wrong,
           (long long)grown_kib, (long long)(state.rss_kib - before.rss_kib),
           (unsigned long long)opened, (unsigned long long)(now_ms() - begin));
    RpcBindingFree(&server);
    free(calls);
    return wrong != 0;
}
