/* SPDX-License-Identifier: MIT */
/* client_async.c - see client_async.h. */
#include "client_async.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "common.h"

/* One of the calls that are outstanding: it begins the next when it has ended. */
struct lane {
    RPC_ASYNC_STATE async;
    handle_t binding;
    BENCH_BLOCK request, reply;
    uint64_t number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static unsigned busy;             /* lanes that have not ended, guarded by the lock */
static atomic_ullong next_number; /* of the calls                                   */
static uint64_t limit;

static void check(RPC_STATUS status, const char *what)
{
    if (status != RPC_S_OK)
        die("%s: status %d", what, (int)status);
}

static void lane_rests(void)
{
    pthread_mutex_lock(&lock);
    if (--busy == 0)
        pthread_cond_signal(&done);
    pthread_mutex_unlock(&lock);
}

/* On a thread of the runtime. */
static void lane_ended(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event);

/* False: all that were wanted have begun. */
static bool lane_begin(struct lane *lane)
{
    lane->number = atomic_fetch_add(&next_number, 1);
    if (lane->number >= limit)
        return false;
    check(RpcAsyncInitializeHandle(&lane->async, sizeof(lane->async)), "RpcAsyncInitializeHandle");
    lane->async.NotificationType = RpcNotificationTypeCallback;
    lane->async.u.NotificationRoutine = lane_ended;
    lane->async.UserInfo = lane;
    block_request(lane->number, lane->request.octets);
    RpcTryExcept {
        BenchAsk(&lane->async, lane->binding, &lane->request, &lane->reply);
    }
    RpcExcept(1) {
        die("BenchAsk raised status %lu", (unsigned long)RpcExceptionCode());
    }
    RpcEndExcept
    return true;
}

static void lane_ended(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct lane *lane = async->UserInfo;
    BENCH_BLOCK expected;
    (void)context;
    if (event != RpcCallComplete)
        die("told of event %d", (int)event);
    check(RpcAsyncCompleteCall(async, NULL), "RpcAsyncCompleteCall");
    block_reply(lane->request.octets, expected.octets);
    if (memcmp(&lane->reply, &expected, sizeof(expected)) != 0)
        die("wrong reply to request %llu", (unsigned long long)lane->number);
    if (!lane_begin(lane))
        lane_rests();
}

/* `count` calls, `lanes` of them at a time; how long they took, nanoseconds. */
static uint64_t run_lanes(struct lane *lanes, unsigned lane_count, uint64_t count)
{
    const uint64_t start = now_ns();
    atomic_store(&next_number, 0);
    limit = count;
    busy = lane_count;
    for (unsigned i = 0; i < lane_count; i++)
        if (!lane_begin(&lanes[i])) /* the others were so fast */
            lane_rests();
    pthread_mutex_lock(&lock);
    while (busy > 0)
        pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
    return now_ns() - start;
}

static struct lane *new_lanes(unsigned count)
{
    struct lane *lanes = calloc(count, sizeof(*lanes));
    if (!lanes)
        die("out of memory");
    return lanes;
}

void run_outstanding(handle_t binding, uint64_t count)
{
    struct lane *lanes = new_lanes(BENCH_OUTSTANDING);
    for (unsigned i = 0; i < BENCH_OUTSTANDING; i++)
        lanes[i].binding = binding;
    run_lanes(lanes, BENCH_OUTSTANDING, count / 10 + BENCH_OUTSTANDING); /* warm */
    const double seconds = (double)run_lanes(lanes, BENCH_OUTSTANDING, count) / 1e9;
    printf("{\"calls\": %llu, \"seconds\": %.6f}\n", (unsigned long long)count, seconds);
    free(lanes);
}

void run_crowd(const char *binding, unsigned count)
{
    struct lane *lanes = new_lanes(count);
    for (unsigned i = 0; i < count; i++) {
        check(RpcBindingFromStringBindingA((RPC_CSTR)binding, &lanes[i].binding), binding);
        check(RpcBindingSetOption(lanes[i].binding, RPC_C_OPT_UNIQUE_BINDING, TRUE),
              "RpcBindingSetOption");
    }
    /* Each calls once, and a second time when others are still connecting. */
    const double seconds = (double)run_lanes(lanes, count, 2 * (uint64_t)count) / 1e9;
    printf("{\"clients\": %u, \"seconds\": %.6f}\n", count, seconds);
    for (unsigned i = 0; i < count; i++)
        check(RpcBindingFree(&lanes[i].binding), "RpcBindingFree");
    free(lanes);
}
