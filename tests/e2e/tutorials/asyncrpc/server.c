/* SPDX-License-Identifier: MIT */
/* The server of the pages on asynchronous calls: the manager looks whether it was cancelled. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include "asyncrpc.h"

#define ASYNC_CANCEL_CHECK 100

void AsyncFunc(IN PRPC_ASYNC_STATE pAsync,
               IN RPC_BINDING_HANDLE hBinding,
               IN ULONG nAsychDelay)
{
    LONG nReply = 1;
    RPC_STATUS status;
    ULONG nTmpAsychDelay;
    int i;

    UNREFERENCED_PARAMETER(hBinding);
    if (nAsychDelay > ASYNC_CANCEL_CHECK) {
        nTmpAsychDelay = nAsychDelay / 100;
        for (i = 0; i < 100; i++) {
            Sleep(nTmpAsychDelay);
            if (i % 5 == 0) {
                status = RpcServerTestCancel(RpcAsyncGetCallHandle(pAsync));
                if (status == RPC_S_OK) {
                    printf_s("AsyncFunc has been canceled!!!\n");
                    fflush(stdout);
                    nReply = 2;
                    break;
                } else if (status != RPC_S_CALL_IN_PROGRESS) {
                    printf_s("RpcServerTestCancel returned 0x%x\n", status);
                    exit(status);
                }
            }
        }
    } else {
        Sleep(nAsychDelay);
    }

    status = RpcAsyncCompleteCall(pAsync, &nReply);
    if (status) { // the page's program ends here, which a client must not be able to do to it
        printf_s("RpcAsyncCompleteCall failed\n");
        fflush(stdout);
    }
}

void NonAsyncFunc(handle_t hBinding, unsigned char *pszMessage)
{
    UNREFERENCED_PARAMETER(hBinding);
    printf_s("%s\n", pszMessage);
    fflush(stdout);
}

void Shutdown(handle_t hBinding)
{
    RPC_STATUS status;

    UNREFERENCED_PARAMETER(hBinding);
    status = RpcMgmtStopServerListening(NULL);
    if (status)
        exit(status);
    status = RpcServerUnregisterIf(NULL, NULL, FALSE);
    if (status)
        exit(status);
}

int __cdecl main(int argc, char *argv[])
{
    RPC_STATUS status;

    status = RpcServerUseProtseqEp((RPC_CSTR)DEFAULT_PROTOCOL_SEQUENCE,
                                   RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                   (RPC_CSTR)(argc > 1 ? argv[1] : DEFAULT_ENDPOINT), NULL);
    if (status)
        exit(status);
    status = RpcServerRegisterIfEx(AsyncRPC_v1_0_s_ifspec, NULL, NULL, 0,
                                   RPC_C_LISTEN_MAX_CALLS_DEFAULT, NULL);
    if (status)
        exit(status);
    printf_s("ready\n");
    fflush(stdout);
    status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status)
        exit(status);
    status = RpcMgmtWaitServerListen();
    exit(status);
}

void __RPC_FAR * __RPC_USER midl_user_allocate(size_t len)
{
    return malloc(len);
}

void __RPC_USER midl_user_free(void __RPC_FAR * ptr)
{
    free(ptr);
}
