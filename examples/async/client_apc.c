/* SPDX-License-Identifier: MIT */
/* client_apc.c - many calls on one thread, told by asynchronous procedure calls, which the
 * thread runs whenever it waits alertably: async_client_apc BINDING N...
 *
 * The larger a number, the sooner its answer: the calls end in another order than they
 * were made in. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "async.h"

#define LONGEST_MS 1000
#define CALLS_MAX  100

struct request {
    RPC_ASYNC_STATE async;
    int32_t n, reply;
};

static unsigned pending; /* only this thread counts: no lock */

/* Runs on the thread that made the call, inside its SleepEx. */
static void RPC_ENTRY on_complete(PRPC_ASYNC_STATE async, void *reserved, RPC_ASYNC_EVENT event)
{
    struct request *request = async->UserInfo;
    (void)reserved;
    if (event != RpcCallComplete)
        return;
    RPC_STATUS status = RpcAsyncCompleteCall(async, &request->reply);
    if (status == RPC_S_OK)
        printf("%d squared is %d\n", (int)request->n, (int)request->reply);
    else
        printf("%d failed: %d\n", (int)request->n, (int)status);
    pending--;
}

static void start(struct request *request, handle_t server)
{
    RpcAsyncInitializeHandle(&request->async, sizeof(request->async));
    request->async.UserInfo = request;
    request->async.NotificationType = RpcNotificationTypeApc;
    request->async.u.APC.NotificationRoutine = on_complete;
    request->async.u.APC.hThread = 0; /* this one */
    RpcTryExcept
    {
        uint32_t late = (uint32_t)request->n * 100;
        Square(&request->async, server, request->n, late < LONGEST_MS ? LONGEST_MS - late : 0);
        pending++;
    }
    RpcExcept(1)
    {
        fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
    }
    RpcEndExcept
}

int main(int argc, char **argv)
{
    static struct request requests[CALLS_MAX];
    handle_t server;
    if (argc < 3 || argc > 2 + CALLS_MAX ||
        RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: async_client_apc BINDING N...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        requests[i - 2].n = atoi(argv[i]);
        start(&requests[i - 2], server);
    }
    while (pending > 0)
        SleepEx(INFINITE, TRUE);
    RpcBindingFree(&server);
    return 0;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
