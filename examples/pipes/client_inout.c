/* SPDX-License-Identifier: MIT */
/* client_inout.c - an [in, out] pipe: pushes the numbers of its standard input, then pulls
 * them in order:
 *
 *     pipes_client_inout BINDING < NUMBERS
 *     pipes_client_inout BINDING shutdown           (ends the server)
 *
 * It is told by asynchronous procedure calls: everything happens on one thread, whenever
 * that waits alertably.  First all goes in, to the null push, then all comes out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "pipes.h"

#define BATCH 5000

struct sorting {
    RPC_ASYNC_STATE async;
    ASYNC_LONG_PIPE numbers;
    enum { PUSHING, PULLING, WAITING, OVER } state;
    RPC_STATUS status;
    int32_t buf[BATCH];
};

/* A push or a pull that failed has ended the call. */
static void gone(struct sorting *sorting, RPC_STATUS status)
{
    sorting->status = status;
    sorting->state = OVER;
}

static void pull(struct sorting *sorting)
{
    unsigned long n;
    do {
        n = 0;
        RPC_STATUS status = sorting->numbers.pull(sorting->numbers.state, sorting->buf, BATCH, &n);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            return; /* RpcReceiveComplete will come */
        if (status != RPC_S_OK) {
            gone(sorting, status);
            return;
        }
        for (unsigned long i = 0; i < n; i++)
            printf("%d\n", (int)sorting->buf[i]);
    } while (n > 0);
    sorting->state = WAITING; /* for RpcCallComplete */
}

static void push(struct sorting *sorting)
{
    unsigned long n = 0;
    for (int number; n < BATCH && scanf("%d", &number) == 1;)
        sorting->buf[n++] = number;
    RPC_STATUS status = sorting->numbers.push(sorting->numbers.state, sorting->buf, n);
    if (status != RPC_S_OK) {
        gone(sorting, status);
    } else if (n == 0) {
        /* No RpcSendComplete follows the null push: the first pull is ours to make. */
        sorting->state = PULLING;
        pull(sorting);
    }
}

static void RPC_ENTRY on_event(PRPC_ASYNC_STATE async, void *reserved, RPC_ASYNC_EVENT event)
{
    struct sorting *sorting = async->UserInfo;
    (void)reserved;
    switch (event) {
    case RpcSendComplete:
        push(sorting);
        break;
    case RpcReceiveComplete:
        pull(sorting);
        break;
    case RpcCallComplete:
        /* Either the pipe is at its end, or the call has failed. */
        gone(sorting, RpcAsyncCompleteCall(async, NULL));
        break;
    default:
        break;
    }
}

static RPC_STATUS sort(handle_t server)
{
    static struct sorting sorting; /* PUSHING */
    PRPC_ASYNC_STATE async = &sorting.async;
    RpcAsyncInitializeHandle(async, sizeof(*async));
    async->UserInfo = &sorting;
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    async->NotificationType = RpcNotificationTypeApc;
    async->u.APC.NotificationRoutine = on_event;
    async->u.APC.hThread = 0; /* this one */
    RpcTryExcept
    {
        Sort(async, server, &sorting.numbers);
    }
    RpcExcept(1)
    {
        return (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    while (sorting.state != OVER)
        SleepEx(INFINITE, TRUE);
    return sorting.status;
}

static RPC_STATUS shutdown_server(handle_t server)
{
    RpcTryExcept
    {
        Shutdown(server);
    }
    RpcExcept(1)
    {
        return (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return RPC_S_OK;
}

int main(int argc, char **argv)
{
    handle_t server;
    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "shutdown") != 0) ||
        RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: pipes_client_inout BINDING < NUMBERS\n"
                        "       pipes_client_inout BINDING shutdown\n");
        return 2;
    }
    RPC_STATUS status = argc == 3 ? shutdown_server(server) : sort(server);
    if (status != RPC_S_OK)
        fprintf(stderr, "failed: %d\n", (int)status);
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
