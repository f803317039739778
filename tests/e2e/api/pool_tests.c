/* SPDX-License-Identifier: MIT */
/* pool_tests.c - a server whose managers have all the threads they may have. */
#include "harness.h"

#include <sched.h>

/* More than a pool that was told to have as few as possible, one beyond the processors. */
#define CALLS_MAX 64u

static BOTH_SIDES atomic_uint managers;

/* Leaves when the client wants no more of it. */
static void until_cancelled(handle_t h)
{
    const uint64_t begin = now_ms();
    atomic_fetch_add(&managers, 1);
    while (RpcServerTestCancel(h) != RPC_S_OK) {
        if (now_ms() - begin > SOON_MS)
            RpcRaiseException(4711);
        sleep_ms(1);
    }
}

static long long listen_with_few_threads(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    CHECK_EQUAL(RpcMgmtStopServerListening(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtWaitServerListen(), RPC_S_OK);
    CHECK_EQUAL(RpcServerListen(1, 1, TRUE), RPC_S_OK);
    cpu_set_t mine; /* as the pool counts them */
    CHECK_EQUAL(sched_getaffinity(0, sizeof(mine), &mine), 0);
    return CPU_COUNT(&mine);
}

struct pinger {
    RPC_BINDING_HANDLE h;
    HANDLE thread;
    RPC_STATUS status;
};

static DWORD WINAPI ping_it(LPVOID arg)
{
    struct pinger *pinger = arg;
    RAISED(pinger->status, c_ping(pinger->h, 1));
    return 0;
}

/* AR-21: however many calls there are, somebody is left to hear that they are cancelled; those
 * that found no thread get theirs when others have ended. */
static void cancels_are_heard_when_it_is_full(void)
{
    static struct pinger pingers[CALLS_MAX];
    in_manager = until_cancelled;
    RPC_BINDING_HANDLE h = serve_here();
    const unsigned cores = (unsigned)far(listen_with_few_threads, NULL, 0, 0);
    const unsigned count = cores + 4 < CALLS_MAX ? cores + 4 : CALLS_MAX;
    for (unsigned i = 0; i < count; i++) {
        pingers[i].h = h;
        pingers[i].thread = CreateThread(NULL, 0, ping_it, &pingers[i], 0, NULL);
        CHECK(pingers[i].thread);
    }
    const uint64_t begin = now_ms();
    while (atomic_load(&managers) < cores && now_ms() - begin < SOON_MS)
        sleep_ms(1);
    CHECK_EQUAL(atomic_load(&managers), cores);
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(atomic_load(&managers), cores);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(RpcCancelThreadEx(pingers[i].thread, RPC_C_CANCEL_INFINITE_TIMEOUT), RPC_S_OK);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQUAL(WaitForSingleObject(pingers[i].thread, SOON_MS), WAIT_OBJECT_0);
        CloseHandle(pingers[i].thread);
        CHECK_EQUAL(pingers[i].status, RPC_S_OK);
    }
    CHECK_EQUAL(atomic_load(&managers), count);
    CHECK(now_ms() - begin < SOON_MS);
    RpcBindingFree(&h);
}

const struct test pool_tests[] = {
    {"AR-21_cancels_are_heard_when_it_is_full", cancels_are_heard_when_it_is_full},
    {NULL, NULL},
};
