/* SPDX-License-Identifier: MIT */
/* client_out.c - an [out] pipe: pulls the prime numbers up to LIMIT:
 *
 *     pipes_client_out BINDING LIMIT
 *
 *   call --> pull: numbers --> pull ...
 *            pull: RPC_S_ASYNC_CALL_PENDING --RpcReceiveComplete--> pull ...
 *            pull: 0 numbers --RpcCallComplete--> RpcAsyncCompleteCall */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "pipes.h"

#define BATCH 5000 /* numbers per pull, at most */

/* Pulls to the end.  The call may well be complete before: what has arrived can still be
 * pulled then.  RPC_S_OK: RpcAsyncCompleteCall is next; else the call is gone. */
static RPC_STATUS drain(PRPC_ASYNC_STATE async, ASYNC_LONG_PIPE *numbers)
{
    static int32_t buf[BATCH];
    for (;;) {
        unsigned long n = 0;
        RPC_STATUS status = numbers->pull(numbers->state, buf, BATCH, &n);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            WaitForSingleObject(async->u.hEvent, INFINITE);
            if (async->Event == RpcCallComplete)
                return RPC_S_OK; /* failed, while we waited: completing tells why */
            continue;            /* RpcReceiveComplete: there is something now */
        }
        if (status != RPC_S_OK)
            return status;
        if (n == 0)
            break;
        for (unsigned long i = 0; i < n; i++)
            printf("%d\n", (int)buf[i]);
    }
    WaitForSingleObject(async->u.hEvent, INFINITE); /* RpcCallComplete */
    return RPC_S_OK;
}

int main(int argc, char **argv)
{
    RPC_ASYNC_STATE async;
    ASYNC_LONG_PIPE numbers; /* the stub fills it */
    handle_t server;
    if (argc != 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: pipes_client_out BINDING LIMIT\n");
        return 2;
    }
    RpcAsyncInitializeHandle(&async, sizeof(async));
    async.NotificationType = RpcNotificationTypeEvent;
    async.u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    RpcTryExcept
    {
        Primes(&async, server, atoi(argv[2]), &numbers);
    }
    RpcExcept(1)
    {
        fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
        return 1;
    }
    RpcEndExcept
    RPC_STATUS status = drain(&async, &numbers);
    if (status == RPC_S_OK)
        status = RpcAsyncCompleteCall(&async, NULL);
    if (status != RPC_S_OK)
        fprintf(stderr, "failed: %d\n", (int)status);
    CloseHandle(async.u.hEvent);
    RpcBindingFree(&server);
    return status != RPC_S_OK;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
