/* SPDX-License-Identifier: MIT */
/* stats_tests.c - RpcxPipeInqStats: what a pipe has moved, holds, and made wait for. */
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static RPCX_PIPE_STATS stats_of(const NDR_ASYNC_PIPE *pipe)
{
    RPCX_PIPE_STATS stats;
    memset(&stats, 0xee, sizeof(stats));
    CHECK_EQUAL(pipe_inq_stats(pipe, &stats), RPC_S_OK);
    return stats;
}

static void check_moved(const NDR_ASYNC_PIPE *pipe, uint64_t pushed, uint64_t pulled,
                        unsigned element_len)
{
    RPCX_PIPE_STATS stats = stats_of(pipe);
    CHECK_EQUAL(stats.ElementsPushed, pushed);
    CHECK_EQUAL(stats.ElementsPulled, pulled);
    CHECK_EQUAL(stats.OctetsPushed, pushed * element_len);
    CHECK_EQUAL(stats.OctetsPulled, pulled * element_len);
}

/* Both sides of an [in, out] pipe. */
static void what_was_moved(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct served *served = start_call(&caller, h, BOTH_PIPE, 0);
    NDR_ASYNC_PIPE *client = &caller.pipe[0], *server = &served->pipe[0];
    uint64_t sent = 0, got = 0;
    check_moved(client, 0, 0, 1);
    check_moved(server, 0, 0, 1);
    CHECK_EQUAL(push_pattern(client, &sent, 3000, 1000), RPC_S_OK);
    check_moved(client, 3000, 0, 1);
    CHECK_EQUAL(PUSH(client, NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(server, &got, 3000), RPC_S_OK);
    PULL_END(server);
    check_moved(server, 0, 3000, 1);
    CHECK_EQUAL(stats_of(server).OctetsQueued, 0);
    /* What a push refuses has not moved. */
    CHECK_EQUAL(PUSH(client, NULL, 0), RPC_X_PIPE_CLOSED);
    sent = got = 0;
    CHECK_EQUAL(push_pattern(server, &sent, 500, 100), RPC_S_OK);
    CHECK_EQUAL(PUSH(server, NULL, 0), RPC_S_OK);
    check_moved(server, 500, 3000, 1);
    CHECK_EQUAL(pull_pattern(client, &got, 500), RPC_S_OK);
    check_moved(client, 3000, 500, 1);
    int32_t reply = 5;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    PULL_END(client);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    /* The call is over. */
    RPCX_PIPE_STATS stats = {0};
    CHECK(pipe_inq_stats(client, &stats) != RPC_S_OK);
    CHECK(pipe_inq_stats(server, &stats) != RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* Octets are those of the wire, elements those of the program; arrived ones are queued. */
static void elements_and_octets(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t longs[100] = {0};
    unsigned long n;
    struct served *served = start_call(&caller, h, TWO_IN, 0);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[1], longs, 100), RPC_S_OK);
    check_moved(&caller.pipe[1], 100, 0, 4);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(pull_polled(&served->pipe[1], longs, 30, &n), RPC_S_OK);
    CHECK_EQUAL(n, 30);
    check_moved(&served->pipe[1], 0, 30, 4);
    check_moved(&served->pipe[0], 0, 0, 1);
    CHECK(stats_of(&served->pipe[1]).OctetsQueued >= 70 * 4);
    CHECK_EQUAL(PUSH(&caller.pipe[1], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&served->pipe[1], longs, 100, &n), RPC_S_OK);
    CHECK_EQUAL(n, 70);
    PULL_END(&served->pipe[1]);
    check_moved(&served->pipe[1], 0, 100, 4);
    CHECK_EQUAL(stats_of(&served->pipe[1]).OctetsQueued, 0);
    CHECK_EQUAL(served_complete(served, NULL), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

#define PAUSE_MS 80

/* A pull that finds nothing waits until something arrives, once, however often it is asked
 * again (AP-32); and asking for statistics acknowledges nothing. */
static void pull_waits(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    uint8_t buf[100];
    unsigned long n;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    served_use_event(served, 0);
    CHECK_EQUAL(stats_of(&served->pipe[0]).TimesBlocked, 0);
    uint64_t began = now_ms();
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(PULL(&served->pipe[0], buf, sizeof(buf), &n), RPC_S_ASYNC_CALL_PENDING);
    sleep_ms(PAUSE_MS);
    RPCX_PIPE_STATS waiting = stats_of(&served->pipe[0]);
    CHECK_EQUAL(waiting.TimesBlocked, 0); /* not over yet */
    CHECK(waiting.LongestWaitUs >= (PAUSE_MS - 1) * 1000);
    CHECK_EQUAL(PUSH(&caller.pipe[0], buf, 10), RPC_S_OK);
    EXPECT_SERVED(served, RpcReceiveComplete);
    RPCX_PIPE_STATS waited = stats_of(&served->pipe[0]);
    CHECK_EQUAL(waited.TimesBlocked, 1);
    CHECK(waited.LongestWaitUs >= waiting.LongestWaitUs);
    CHECK(waited.LongestWaitUs <= (now_ms() - began + 1) * 1000);
    CHECK_EQUAL(PULL(&served->pipe[0], buf, sizeof(buf), &n), RPC_S_OK);
    /* A shorter one counts, and is not the longest. */
    CHECK_EQUAL(PULL(&served->pipe[0], buf, sizeof(buf), &n), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    EXPECT_SERVED(served, RpcReceiveComplete);
    CHECK_EQUAL(stats_of(&served->pipe[0]).TimesBlocked, 2);
    PULL_END(&served->pipe[0]);
    check_moved(&served->pipe[0], 0, 10, 1);
    int32_t reply = 5;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

#define FLOOD_LEN (UINT64_C(32) << 20)

struct flood {
    NDR_ASYNC_PIPE pipe;
    atomic_bool done;
};

static void *push_flood(void *arg)
{
    struct flood *flood = arg;
    uint64_t sent = 0;
    CHECK_EQUAL(push_pattern(&flood->pipe, &sent, FLOOD_LEN, 50000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&flood->pipe, NULL, 0), RPC_S_OK);
    atomic_store(&flood->done, true);
    return NULL;
}

/* A push that waits at the limit is seen from another thread, while it does and after. */
static void push_waits(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    pthread_t thread;
    uint64_t got = 0, until = now_ms() + SOON_MS;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    struct flood flood = {.pipe = caller.pipe[0]};
    CHECK(pthread_create(&thread, NULL, push_flood, &flood) == 0);
    RPCX_PIPE_STATS stats;
    do {
        CHECK(now_ms() < until);
        sleep_ms(10);
        stats = stats_of(&caller.pipe[0]);
    } while (stats.LongestWaitUs < PAUSE_MS * 1000);
    CHECK(!atomic_load(&flood.done));
    CHECK(stats.ElementsPushed < FLOOD_LEN);
    CHECK(stats.OctetsQueued > 0);
    /* The receiver holds what its high mark allows. */
    CHECK(stats_of(&served->pipe[0]).OctetsQueued >= 1 << 20);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &got, FLOOD_LEN), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    pthread_join(thread, NULL);
    RPCX_PIPE_STATS after = stats_of(&caller.pipe[0]);
    CHECK(after.TimesBlocked >= 1 && after.TimesBlocked > stats.TimesBlocked);
    CHECK(after.LongestWaitUs >= stats.LongestWaitUs);
    CHECK_EQUAL(after.OctetsQueued, 0);
    check_moved(&caller.pipe[0], FLOOD_LEN, 0, 1);
    check_moved(&served->pipe[0], 0, FLOOD_LEN, 1);
    int32_t reply = 5;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static void wrong_arguments(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    RPCX_PIPE_STATS stats = {.TimesBlocked = 77};
    static char on_no_pipe[64];
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    char *state = caller.pipe[0].state;
    CHECK_EQUAL(RpcxPipeInqStats(state, NULL, sizeof(stats)), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcxPipeInqStats(state, &stats, sizeof(stats) - 1), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcxPipeInqStats(state, &stats, 0), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcxPipeInqStats(NULL, &stats, sizeof(stats)), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(RpcxPipeInqStats(on_no_pipe, &stats, sizeof(stats)), RPC_X_INVALID_PIPE_OBJECT);
    CHECK_EQUAL(stats.TimesBlocked, 77); /* nothing was written */
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, TRUE), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_CANCELLED);
    CHECK_EQUAL(RpcxPipeInqStats(state, &stats, sizeof(stats)), RPC_S_CALL_CANCELLED);
    served_abort(served, 1);
    served_free(served);
    caller_fini(&caller);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test stats_tests[] = {
    {"stats_what_was_moved", what_was_moved},
    {"stats_elements_and_octets", elements_and_octets},
    {"stats_pull_waits", pull_waits},
    {"stats_push_waits", push_waits},
    {"stats_wrong_arguments", wrong_arguments},
    {NULL, NULL},
};
