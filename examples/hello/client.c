/* SPDX-License-Identifier: MIT */
/* client.c - pushes its standard input to the server: hello_client NAME < FILE */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hello.h"
#include "win32.h"

int main(int argc, char **argv)
{
    handle_t server;
    RPC_ASYNC_STATE call;
    ASYNC_BYTE_PIPE data; /* the stub fills it */
    static byte buf[65536];
    int64_t total = 0;
    RPC_STATUS status =
        RpcBindingFromStringBinding((RPC_CSTR) "ncalrpc:[hello]", &server);
    if (status != RPC_S_OK || argc != 2) {
        fprintf(stderr, "usage: hello_client NAME < FILE\n");
        return 2;
    }

    RpcAsyncInitializeHandle(&call, sizeof(call));
    call.NotificationType = RpcNotificationTypeEvent;
    call.u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    RpcTryExcept
    {
        Upload(&call, server, (unsigned char *)argv[1], &data); /* returns at once */
    }
    RpcExcept(1)
    {
        fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
        exit(1);
    }
    RpcEndExcept
    for (ssize_t n; (n = read(0, buf, sizeof(buf))) > 0 && status == RPC_S_OK;)
        status = data.push(data.state, buf, (unsigned long)n);
    if (status == RPC_S_OK)
        status = data.push(data.state, NULL, 0); /* the end of the pipe */
    if (status == RPC_S_OK) {
        WaitForSingleObject(call.u.hEvent, INFINITE); /* RpcCallComplete */
        status = RpcAsyncCompleteCall(&call, &total);
    }
    printf("status %d, the server has %lld octets\n", (int)status, (long long)total);
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
