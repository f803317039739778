/* SPDX-License-Identifier: MIT */
/* server.c - counts what clients push: no thread waits for a slow one. */
#include <stdio.h>
#include <stdlib.h>

#include "hello.h"

struct upload {
    ASYNC_BYTE_PIPE *data;
    int64_t total;
};

/* Pulls what is there; the runtime calls again when more has arrived. */
static void on_data(PRPC_ASYNC_STATE call, void *unused, RPC_ASYNC_EVENT event)
{
    struct upload *upload = call->UserInfo;
    byte buf[65536];
    unsigned long n;
    RPC_STATUS status;
    (void)unused;
    (void)event;
    while ((status = upload->data->pull(upload->data->state, buf, sizeof(buf), &n)) == RPC_S_OK &&
           n > 0)
        upload->total += (int64_t)n;
    if (status == RPC_S_ASYNC_CALL_PENDING)
        return;
    if (status == RPC_S_OK) /* the pipe has ended: answer */
        RpcAsyncCompleteCall(call, &upload->total);
    free(upload); /* after any other status the call is gone: the client left */
}

void Upload(PRPC_ASYNC_STATE call, handle_t server, const unsigned char *name,
            ASYNC_BYTE_PIPE *data)
{
    struct upload *upload = calloc(1, sizeof(*upload));
    (void)server;
    if (!upload)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    printf("receiving %s\n", (const char *)name);
    upload->data = data;
    call->UserInfo = upload;
    call->NotificationType = RpcNotificationTypeCallback;
    call->u.NotificationRoutine = on_data;
    on_data(call, NULL, RpcReceiveComplete);
}

int main(void)
{
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR) "ncalrpc", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR) "hello", NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(hello_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, FALSE);
    if (status != RPC_S_OK) {
        unsigned char text[DCE_C_ERROR_STRING_LEN];
        DceErrorInqText(status, text);
        fprintf(stderr, "hello_server: %s\n", (char *)text);
    }
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
