/* SPDX-License-Identifier: MIT */
/* client_event.c - one call, told by an event, cancelled when it takes too long:
 *
 *     async_client_event BINDING N MILLISECONDS
 *     async_client_event BINDING shutdown           (ends the server) */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "async.h"

#define PATIENCE_MS 3000

/* The exception of a call that could not be made. */
static int no_call(void)
{
    fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
    return 1;
}

static int shutdown_server(handle_t server)
{
    RpcTryExcept
    {
        Shutdown(server);
    }
    RpcExcept(1)
    {
        return no_call();
    }
    RpcEndExcept
    return 0;
}

static int square(handle_t server, int32_t n, uint32_t ms)
{
    RPC_ASYNC_STATE async; /* stays until the call is complete */
    int32_t reply = 0;
    RpcAsyncInitializeHandle(&async, sizeof(async));
    async.NotificationType = RpcNotificationTypeEvent;
    async.u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!async.u.hEvent)
        return 1;
    RpcTryExcept
    {
        Square(&async, server, n, ms); /* returns at once */
    }
    RpcExcept(1)
    {
        CloseHandle(async.u.hEvent);
        return no_call(); /* and no notification */
    }
    RpcEndExcept

    /* Here the program does what it likes. */

    if (WaitForSingleObject(async.u.hEvent, PATIENCE_MS) == WAIT_TIMEOUT) {
        /* TRUE: without waiting for the server.  The notification comes all the same. */
        RpcAsyncCancelCall(&async, TRUE);
        WaitForSingleObject(async.u.hEvent, INFINITE);
    }
    RPC_STATUS status = RpcAsyncCompleteCall(&async, &reply);
    CloseHandle(async.u.hEvent);
    if (status == RPC_S_OK)
        printf("%d squared is %d\n", (int)n, (int)reply);
    else if (status == RPC_S_CALL_CANCELLED)
        printf("cancelled\n");
    else
        printf("failed: %d\n", (int)status);
    return status != RPC_S_OK;
}

int main(int argc, char **argv)
{
    handle_t server;
    bool shutdown = argc == 3 && strcmp(argv[2], "shutdown") == 0;
    if ((argc != 4 && !shutdown) ||
        RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: async_client_event BINDING N MILLISECONDS\n"
                        "       async_client_event BINDING shutdown\n");
        return 2;
    }
    int result = shutdown ? shutdown_server(server)
                          : square(server, atoi(argv[2]), (uint32_t)strtoul(argv[3], NULL, 10));
    RpcBindingFree(&server);
    return result;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
