/* SPDX-License-Identifier: MIT */
/* The client of the page on client-side asynchronous pipes, told by APCs:
 *     client ENDPOINT in|out|both|inout|shutdown COUNT */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "xasyncpipe.h"

#define ASYNC_CHUNK_SIZE 500
#define APP_ERROR        (-1)

static BOOL fSent, fComplete;

static void MyAPCRoutine(PRPC_ASYNC_STATE pAsync, void *Context, RPC_ASYNC_EVENT Event)
{
    UNREFERENCED_PARAMETER(pAsync);
    UNREFERENCED_PARAMETER(Context);
    switch (Event)
    {
    case RpcSendComplete:
        fSent = TRUE;
        break;
    case RpcCallComplete:
        fComplete = TRUE;
        break;
    default: // RpcReceiveComplete: pull again
        break;
    }
}

static void WaitForApc(void)
{
    if (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION)
        RpcRaiseException(APP_ERROR);
}

static RPC_STATUS PushAll(ASYNC_intpipe *pPipe, int nCount)
{
    int Buffer[ASYNC_CHUNK_SIZE];
    RPC_STATUS Status;
    int nPushed = 0;

    while (nPushed < nCount)
    {
        unsigned long n = 0;
        while (!fSent && !fComplete) // of the request, then of the push before
            WaitForApc();
        fSent = FALSE;
        for (; n < ASYNC_CHUNK_SIZE && nPushed < nCount; n++)
            Buffer[n] = ++nPushed;
        Status = pPipe->push(pPipe->state, Buffer, n);
        FillMemory(Buffer, sizeof(Buffer), 0xee); // the buffer is ours again
        if (Status)
            return Status;
    }
    return pPipe->push(pPipe->state, NULL, 0);
}

static RPC_STATUS PullAll(ASYNC_intpipe *pPipe, LONG64 *pSum, int *pCount)
{
    int Buffer[ASYNC_CHUNK_SIZE];
    unsigned long n;
    RPC_STATUS Status;

    for (;;)
    {
        n = 0;
        Status = pPipe->pull(pPipe->state, Buffer, ASYNC_CHUNK_SIZE, &n);
        if (Status == RPC_S_ASYNC_CALL_PENDING)
        {
            WaitForApc();
            continue;
        }
        if (Status || n == 0)
            return Status;
        *pCount += n;
        while (n-- > 0)
            *pSum += Buffer[n];
    }
}

int __cdecl main(int argc, char *argv[])
{
    static RPC_ASYNC_STATE Async;
    ASYNC_intpipe InPipe, OutPipe;
    RPC_BINDING_HANDLE hBinding = NULL;
    RPC_CSTR pszStringBinding = NULL;
    RPC_STATUS Status;
    int b = 0, nReply = 0, nPulled = 0, nCount;
    LONG64 nSum = 0;
    BOOL fIn, fOut;

    if (argc < 4)
        return EXIT_FAILURE;
    nCount = atoi(argv[3]);
    Status = RpcStringBindingCompose(NULL, (RPC_CSTR)"ncacn_ip_tcp", (RPC_CSTR)"127.0.0.1",
                                     (RPC_CSTR)argv[1], NULL, &pszStringBinding);
    if (Status)
        exit(Status);
    Status = RpcBindingFromStringBinding(pszStringBinding, &hBinding);
    if (Status)
        exit(Status);
    RpcStringFree(&pszStringBinding);

    Status = RpcAsyncInitializeHandle(&Async, RPC_ASYNC_VERSION_1_0);
    if (Status)
        exit(Status);
    Async.Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    Async.NotificationType = RpcNotificationTypeApc;
    Async.u.APC.NotificationRoutine = MyAPCRoutine;
    Async.u.APC.hThread = 0;

    fIn = strcmp(argv[2], "in") == 0 || strcmp(argv[2], "both") == 0;
    fOut = strcmp(argv[2], "out") == 0 || strcmp(argv[2], "both") == 0;
    RpcTryExcept
    {
        if (fIn && fOut)
            MyAsyncPipe(&Async, hBinding, nCount, &InPipe, &OutPipe, &b);
        else if (fIn)
            MyAsyncPipeIn(&Async, hBinding, &InPipe, &b);
        else if (fOut)
            MyAsyncPipeOut(&Async, hBinding, nCount, &OutPipe);
        else if (strcmp(argv[2], "inout") == 0)
            MyAsyncPipeInOut(&Async, hBinding, &InPipe);
        else
            Shutdown(hBinding);
    }
    RpcExcept(1)
    {
        printf_s("exception %lu\n", (unsigned long)RpcExceptionCode());
        exit(1);
    }
    RpcEndExcept

    if (strcmp(argv[2], "shutdown") != 0)
    {
        BOOL fBoth = strcmp(argv[2], "inout") == 0;
        if (fIn || fBoth)
            Status = PushAll(&InPipe, nCount);
        if (!Status && (fOut || fBoth))
            Status = PullAll(fBoth ? &InPipe : &OutPipe, &nSum, &nPulled);
        if (Status)
        {
            printf_s("the pipe failed: %d\n", Status);
            exit(1);
        }
        while (!fComplete)
            WaitForApc();
        Status = RpcAsyncCompleteCall(&Async, &nReply);
        printf_s("status %d, reply %d, b %d, pulled %d, sum %lld\n", Status, nReply, b, nPulled,
                 (long long)nSum);
    }
    RpcBindingFree(&hBinding);
    exit(Status);
}

void __RPC_FAR * __RPC_USER midl_user_allocate(size_t len)
{
    return malloc(len);
}

void __RPC_USER midl_user_free(void __RPC_FAR * ptr)
{
    free(ptr);
}
