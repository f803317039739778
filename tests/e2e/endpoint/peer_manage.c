/* SPDX-License-Identifier: MIT */
/* peer_manage.c - the client's commands about servers and connections.
 *
 *   hold, holds, drop   a context handle; a call on it, on none any more   pid, or -status
 *   crowd N             a call on each of N copies of the handle, which have connections of their
 *                       own                                   how many were answered
 *   threads N           N calls at once                       how many were answered
 *   timeout N           RpcMgmtSetComTimeout                  status
 *   ifs, stats, listening, stop, name, wname   RpcMgmtInqIfIds and so on: how many, or 0;
 *                                              or -status
 *   cleanup             RpcMgmtEnableIdleCleanup              status
 *   idle MS             RpcxMgmtSetIdleTime                   status */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"

static holder held;

static int32_t hold_it(RPC_BINDING_HANDLE handle)
{
    return c_hold(handle, &held);
}

static int32_t who_holds(RPC_BINDING_HANDLE handle)
{
    (void)handle;
    return c_who_holds(held);
}

static long call(int32_t routine(RPC_BINDING_HANDLE handle), RPC_BINDING_HANDLE handle)
{
    volatile long result = 0;
    RpcTryExcept {
        result = routine(handle);
    }
    RpcExcept(1) {
        result = -(long)RpcExceptionCode();
    }
    RpcEndExcept
    return result;
}

/* The handles stay until the process ends. */
static long crowd(RPC_BINDING_HANDLE handle, unsigned count)
{
    long good = 0;
    for (unsigned i = 0; i < count; i++) {
        RPC_BINDING_HANDLE copy;
        if (RpcBindingCopy(handle, &copy) == RPC_S_OK &&
            RpcBindingSetOption(copy, RPC_C_OPT_UNIQUE_BINDING, TRUE) == RPC_S_OK)
            good += call(c_who, copy) > 0;
    }
    return good;
}

static atomic_long answered;
static unsigned stay_count;

static int32_t stay(RPC_BINDING_HANDLE handle)
{
    return c_stay(handle, stay_count);
}

static void *run_stay(void *handle)
{
    answered += call(stay, handle) > 0;
    return NULL;
}

static long call_by_threads(RPC_BINDING_HANDLE handle, unsigned count)
{
    pthread_t *threads = calloc(count, sizeof(*threads));
    unsigned started = 0;
    answered = 0;
    stay_count = count;
    while (threads && started < count &&
           pthread_create(&threads[started], NULL, run_stay, handle) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return answered;
}

/* ---- Management -------------------------------------------------------------------------- */

static long count_interfaces(RPC_BINDING_HANDLE handle)
{
    RPC_IF_ID_VECTOR *vector;
    RPC_STATUS status = RpcMgmtInqIfIds(handle, &vector);
    if (status != RPC_S_OK)
        return -(long)status;
    long count = (long)vector->Count;
    RpcIfIdVectorFree(&vector);
    return count;
}

static long count_stats(RPC_BINDING_HANDLE handle)
{
    RPC_STATS_VECTOR *vector;
    RPC_STATUS status = RpcMgmtInqStats(handle, &vector);
    if (status != RPC_S_OK)
        return -(long)status;
    long count = (long)vector->Count;
    RpcMgmtStatsVectorFree(&vector);
    return count;
}

static long listening(RPC_BINDING_HANDLE handle)
{
    return -(long)RpcMgmtIsServerListening(handle);
}

static long stop(RPC_BINDING_HANDLE handle)
{
    return -(long)RpcMgmtStopServerListening(handle);
}

static long name(RPC_BINDING_HANDLE handle)
{
    RPC_CSTR text = NULL;
    RPC_STATUS status = RpcMgmtInqServerPrincNameA(handle, RPC_C_AUTHN_WINNT, &text);
    RpcStringFreeA(&text);
    return -(long)status;
}

static long wide_name(RPC_BINDING_HANDLE handle)
{
    RPC_WSTR text = NULL;
    RPC_STATUS status = RpcMgmtInqServerPrincNameW(handle, RPC_C_AUTHN_WINNT, &text);
    RpcStringFreeW(&text);
    return -(long)status;
}

static const struct {
    const char *name;
    long (*ask)(RPC_BINDING_HANDLE handle);
} questions[] = {{"ifs", count_interfaces}, {"stats", count_stats}, {"listening", listening},
                 {"stop", stop},            {"name", name},         {"wname", wide_name}};

/* ---- All of them ------------------------------------------------------------------------- */

bool peer_manage(RPC_BINDING_HANDLE handle, const char *line)
{
    unsigned long n;
    unsigned count;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (strcmp(line, questions[i].name) == 0) {
            peer_say(questions[i].ask(handle));
            return true;
        }
    }
    if (strcmp(line, "hold") == 0)
        peer_say(call(hold_it, handle));
    else if (strcmp(line, "holds") == 0)
        peer_say(call(who_holds, handle));
    else if (strcmp(line, "drop") == 0)
        peer_say(RpcSmDestroyClientContext(&held));
    else if (sscanf(line, "crowd %u", &count) == 1)
        peer_say(crowd(handle, count));
    else if (sscanf(line, "threads %u", &count) == 1)
        peer_say(call_by_threads(handle, count));
    else if (sscanf(line, "timeout %u", &count) == 1)
        peer_say(RpcMgmtSetComTimeout(handle, count));
    else if (strcmp(line, "cleanup") == 0)
        peer_say(RpcMgmtEnableIdleCleanup());
    else if (sscanf(line, "idle %lu", &n) == 1)
        peer_say(RpcxMgmtSetIdleTime(n));
    else
        return false;
    return true;
}
