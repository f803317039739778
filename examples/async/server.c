/* SPDX-License-Identifier: MIT */
/* server.c - hands each call to a thread, which answers it: async_server [PROTSEQ ENDPOINT]
 *
 *   manager: remember the parameters, start the thread, return
 *   thread:  work ... RpcAsyncCompleteCall
 *                 ... the client has cancelled --> RpcAsyncAbortCall */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "async.h"

#define STEP_MS 10 /* between two looks whether the client still wants the result */

/* [in] parameters are gone when the manager returns; the state stays until the call ends. */
struct request {
    PRPC_ASYNC_STATE async;
    int32_t n;
    uint32_t ms;
};

static DWORD WINAPI work(LPVOID parameter)
{
    struct request *request = parameter;
    for (uint32_t done = 0; done < request->ms; done += STEP_MS) {
        if (RpcServerTestCancel(RpcAsyncGetCallHandle(request->async)) == RPC_S_OK) {
            RpcAsyncAbortCall(request->async, RPC_S_CALL_CANCELLED);
            printf("%d: cancelled\n", (int)request->n);
            free(request);
            return 0;
        }
        Sleep(STEP_MS);
    }
    int32_t reply = request->n * request->n;
    RpcAsyncCompleteCall(request->async, &reply);
    free(request);
    return 0;
}

void Square(PRPC_ASYNC_STATE async, handle_t server, int32_t n, uint32_t ms)
{
    (void)server;
    struct request *request = malloc(sizeof(*request));
    if (!request)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY); /* as long as nobody else has the call */
    *request = (struct request){.async = async, .n = n, .ms = ms};
    HANDLE thread = CreateThread(NULL, 0, work, request, 0, NULL);
    if (!thread) {
        free(request);
        RpcRaiseException(RPC_S_OUT_OF_THREADS);
    }
    CloseHandle(thread); /* it goes on all the same */
}

void Shutdown(handle_t server)
{
    (void)server;
    RpcMgmtStopServerListening(NULL);
}

int main(int argc, char **argv)
{
    const char *protseq = argc == 3 ? argv[1] : "ncalrpc";
    const char *endpoint = argc == 3 ? argv[2] : "async";
    setvbuf(stdout, NULL, _IOLBF, 0);
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)protseq, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR)endpoint, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(async_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK) {
        printf("listening\n");
        status = RpcMgmtWaitServerListen(); /* until Shutdown */
    }
    if (status != RPC_S_OK)
        fprintf(stderr, "status %d\n", (int)status);
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
