/* SPDX-License-Identifier: MIT */
/* The server of the page on server-side asynchronous pipes: the manager hands the call to a
 * thread, which pulls and pushes and is told by APCs.  What it pulls it adds up; what it pushes
 * counts from 0, or is the negative of what it pulled. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include "xasyncpipe.h"

#define ASYNC_CHUNK_SIZE 100
#define APP_ERROR        (-1)

typedef struct
{
    PRPC_ASYNC_STATE pAsync;
    ASYNC_intpipe *inpipe;
    ASYNC_intpipe *outpipe;
    int *b;
    int nSum;
    int *pPulled; // of an [in, out] pipe
    int nPulled;
    int nToPush;
    int nPushed;
    BOOL fSent;
    BOOL fNegate;
    BOOL fFailed;
    volatile LONG fReady;
    HANDLE hThread;
} PIPE_CALL_COOKIE;

// This APC routine is called when a pipe send completes, when there is more to pull.
void MyAsyncPipeAPCRoutine(PRPC_ASYNC_STATE pAsync, void *Context, RPC_ASYNC_EVENT Event)
{
    PIPE_CALL_COOKIE *Cookie = (PIPE_CALL_COOKIE *)pAsync->UserInfo;

    UNREFERENCED_PARAMETER(Context);
    if (Event == RpcSendComplete)
        Cookie->fSent = TRUE;
}

static void Pull(PIPE_CALL_COOKIE *Cookie)
{
    int Buffer[ASYNC_CHUNK_SIZE];
    unsigned long num_elements = 0;
    BOOL fDone = FALSE;

    while (!fDone)
    {
        switch (Cookie->inpipe->pull(Cookie->inpipe->state, Buffer, ASYNC_CHUNK_SIZE, &num_elements))
        {
        case RPC_S_ASYNC_CALL_PENDING:
            if (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION)
            {
                RpcRaiseException(APP_ERROR);
            }
            break;

        case RPC_S_OK:
            if (num_elements == 0)
            {
                fDone = TRUE;
            }
            else if (Cookie->fNegate)
            {
                Cookie->pPulled = (int *)realloc(
                    Cookie->pPulled, (Cookie->nPulled + num_elements) * sizeof(int));
                CopyMemory(Cookie->pPulled + Cookie->nPulled, Buffer, num_elements * sizeof(int));
                Cookie->nPulled += num_elements;
            }
            else
            {
                for (unsigned long i = 0; i < num_elements; i++)
                    Cookie->nSum += Buffer[i];
            }
            break;

        default:
            Cookie->fFailed = TRUE;
            fDone = TRUE;
            break;
        }
    }
}

static void Push(PIPE_CALL_COOKIE *Cookie)
{
    int Buffer[ASYNC_CHUNK_SIZE];

    while (Cookie->nPushed < Cookie->nToPush && !Cookie->fFailed)
    {
        unsigned long n = 0;
        for (; n < ASYNC_CHUNK_SIZE && Cookie->nPushed < Cookie->nToPush; n++, Cookie->nPushed++)
            Buffer[n] = Cookie->fNegate ? -Cookie->pPulled[Cookie->nPushed] : Cookie->nPushed;
        Cookie->fSent = FALSE;
        if (Cookie->outpipe->push(Cookie->outpipe->state, Buffer, n) != RPC_S_OK)
            Cookie->fFailed = TRUE;
        while (!Cookie->fSent && !Cookie->fFailed)
        {
            if (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION)
            {
                RpcRaiseException(APP_ERROR);
            }
        }
    }
    if (!Cookie->fFailed)
    {
        Cookie->pAsync->Flags = 0;
        if (Cookie->outpipe->push(Cookie->outpipe->state, NULL, 0) != RPC_S_OK)
            Cookie->fFailed = TRUE;
    }
}

// This thread routine receives pipe data, processes the call, sends the reply back to the
// client, and completes the asynchronous call.
static DWORD WINAPI ThreadProcPipes(LPVOID lpParameter)
{
    PIPE_CALL_COOKIE *Cookie = (PIPE_CALL_COOKIE *)lpParameter;
    PRPC_ASYNC_STATE pAsync = Cookie->pAsync;
    RPC_STATUS Status;
    int retval = 1;

    while (InterlockedCompareExchange(&Cookie->fReady, 0, 0) == 0)
    {
        Sleep(1);
    }
    pAsync->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    pAsync->UserInfo = Cookie;
    pAsync->NotificationType = RpcNotificationTypeApc;
    pAsync->u.APC.NotificationRoutine = MyAsyncPipeAPCRoutine;
    pAsync->u.APC.hThread = Cookie->hThread;
    RpcAsyncRegisterInfo(pAsync);

    if (Cookie->inpipe)
        Pull(Cookie);
    if (Cookie->fNegate)
        Cookie->nToPush = Cookie->nPulled;
    if (Cookie->outpipe && !Cookie->fFailed)
        Push(Cookie);
    if (!Cookie->fFailed)
    {
        // sending non pipe reply
        if (Cookie->b)
            *(Cookie->b) = Cookie->nSum;
        Status = RpcAsyncCompleteCall(pAsync, &retval);
        if (Status)
            printf_s("RpcAsyncCompleteCall returned %d\n", Status);
    }
    else
    {
        printf_s("a pipe failed\n");
    }
    fflush(stdout);
    CloseHandle(Cookie->hThread);
    free(Cookie->pPulled);
    free(Cookie);
    return 0;
}

static void HandOff(PRPC_ASYNC_STATE pAsync, ASYNC_intpipe *inpipe, ASYNC_intpipe *outpipe, int a,
                    int *b, BOOL fNegate)
{
    DWORD ThreadIdentifier;
    PIPE_CALL_COOKIE *PipeCallCookie;

    PipeCallCookie =
        (PIPE_CALL_COOKIE *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*PipeCallCookie));
    if (PipeCallCookie == NULL)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    PipeCallCookie->pAsync = pAsync;
    PipeCallCookie->inpipe = inpipe;
    PipeCallCookie->outpipe = outpipe;
    PipeCallCookie->nToPush = a;
    PipeCallCookie->b = b;
    PipeCallCookie->fNegate = fNegate;
    PipeCallCookie->hThread = CreateThread(0, 0, (LPTHREAD_START_ROUTINE)ThreadProcPipes,
                                           PipeCallCookie, 0, &ThreadIdentifier);
    if (PipeCallCookie->hThread == NULL)
    {
        HeapFree(GetProcessHeap(), 0, PipeCallCookie);
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
    }
    InterlockedExchange(&PipeCallCookie->fReady, 1);
}

void MyAsyncPipe(IN PRPC_ASYNC_STATE pAsync, IN RPC_BINDING_HANDLE hBinding, IN int a,
                 IN ASYNC_intpipe *inpipe, OUT ASYNC_intpipe *outpipe, OUT int *b)
{
    UNREFERENCED_PARAMETER(hBinding);
    HandOff(pAsync, inpipe, outpipe, a, b, FALSE);
}

void MyAsyncPipeIn(IN PRPC_ASYNC_STATE pAsync, IN RPC_BINDING_HANDLE hBinding,
                   IN ASYNC_intpipe *inpipe, OUT int *b)
{
    UNREFERENCED_PARAMETER(hBinding);
    HandOff(pAsync, inpipe, NULL, 0, b, FALSE);
}

void MyAsyncPipeOut(IN PRPC_ASYNC_STATE pAsync, IN RPC_BINDING_HANDLE hBinding, IN int a,
                    OUT ASYNC_intpipe *outpipe)
{
    UNREFERENCED_PARAMETER(hBinding);
    HandOff(pAsync, NULL, outpipe, a, NULL, FALSE);
}

void MyAsyncPipeInOut(IN PRPC_ASYNC_STATE pAsync, IN RPC_BINDING_HANDLE hBinding,
                      IN OUT ASYNC_intpipe *inoutpipe)
{
    UNREFERENCED_PARAMETER(hBinding);
    HandOff(pAsync, inoutpipe, inoutpipe, 0, NULL, TRUE);
}

void Shutdown(handle_t hBinding)
{
    UNREFERENCED_PARAMETER(hBinding);
    RpcMgmtStopServerListening(NULL);
}

int __cdecl main(int argc, char *argv[])
{
    RPC_STATUS status;

    if (argc < 2)
        return EXIT_FAILURE;
    status = RpcServerUseProtseqEp((RPC_CSTR)"ncacn_ip_tcp", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                   (RPC_CSTR)argv[1], NULL);
    if (status)
        exit(status);
    status = RpcServerRegisterIf(IMyAsyncPipe_v1_0_s_ifspec, NULL, NULL);
    if (status)
        exit(status);
    printf_s("ready\n");
    fflush(stdout);
    status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, FALSE);
    if (status)
        exit(status);
    status = RpcServerUnregisterIf(NULL, NULL, TRUE);
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
