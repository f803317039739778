/* SPDX-License-Identifier: MIT */
/* client_in.c - an [in] pipe: pushes 1, 2 ... COUNT, is told the sum:
 *
 *     pipes_client_in BINDING COUNT
 *
 *   call --RpcSendComplete--> push --RpcSendComplete--> push ... null push
 *        --RpcCallComplete--> RpcAsyncCompleteCall
 *
 * Pushing only when the octets before have left is the flow control: however slow the
 * server is, one buffer is all that waits. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "pipes.h"

#define BATCH 5000 /* numbers per push */

/* The next numbers up to `count`; 0: there are no more. */
static unsigned long next_batch(int32_t *buf, int32_t *pushed, int32_t count)
{
    unsigned long n = 0;
    while (n < BATCH && *pushed < count)
        buf[n++] = ++*pushed;
    return n;
}

/* Feeds the pipe as the event says, until the call is complete; what it ended with. */
static RPC_STATUS feed(PRPC_ASYNC_STATE async, ASYNC_LONG_PIPE *numbers, int32_t count,
                       int64_t *ret_sum)
{
    static int32_t buf[BATCH];
    int32_t pushed = 0;
    for (;;) {
        WaitForSingleObject(async->u.hEvent, INFINITE);
        switch (async->Event) {
        case RpcSendComplete: {
            /* 0 numbers end the pipe. */
            unsigned long n = next_batch(buf, &pushed, count);
            RPC_STATUS status = numbers->push(numbers->state, buf, n);
            if (status != RPC_S_OK)
                return status; /* the call is gone: there is nothing to complete */
            break;
        }
        case RpcCallComplete:
            return RpcAsyncCompleteCall(async, ret_sum);
        default:
            break;
        }
    }
}

int main(int argc, char **argv)
{
    RPC_ASYNC_STATE async;
    ASYNC_LONG_PIPE numbers; /* the stub fills it */
    int64_t sum = 0;
    handle_t server;
    if (argc != 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: pipes_client_in BINDING COUNT\n");
        return 2;
    }
    RpcAsyncInitializeHandle(&async, sizeof(async));
    async.Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    async.NotificationType = RpcNotificationTypeEvent;
    async.u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    RpcTryExcept
    {
        Sum(&async, server, &numbers);
    }
    RpcExcept(1)
    {
        fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
        return 1;
    }
    RpcEndExcept
    RPC_STATUS status = feed(&async, &numbers, atoi(argv[2]), &sum);
    if (status == RPC_S_OK)
        printf("the sum is %lld\n", (long long)sum);
    else
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
