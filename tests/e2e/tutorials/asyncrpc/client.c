/* SPDX-License-Identifier: MIT */
/* The client of the pages on asynchronous calls, told in each of the ways they describe:
 *     client ENDPOINT event|poll|apc|port|cancel|abort|shutdown DELAY */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "asyncrpc.h"

static RPC_ASYNC_STATE Async;
static DWORD dwApcs;

void APCNotificationRoutine(RPC_ASYNC_STATE *pAsync, void *Context, RPC_ASYNC_EVENT Event)
{
    if (pAsync == &Async && Context == NULL && Event == RpcCallComplete)
        dwApcs++;
}

static void PrintError(const char *pszWhere, DWORD dwError)
{
    LPSTR pszText = NULL;

    if (FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM |
                          FORMAT_MESSAGE_IGNORE_INSERTS,
                      NULL, dwError, MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT),
                      (LPSTR)&pszText, 0, NULL) == 0) {
        printf_s("%s: %u\n", pszWhere, dwError);
        return;
    }
    printf_s("%s: %u, %s", pszWhere, dwError, pszText);
    LocalFree(pszText);
}

static void Prepare(const char *pszWay)
{
    RPC_STATUS status;

    // Initialize the handle.
    status = RpcAsyncInitializeHandle(&Async, sizeof(RPC_ASYNC_STATE));
    if (status) {
        PrintError("RpcAsyncInitializeHandle", status);
        exit(status);
    }
    Async.UserInfo = NULL;
    if (_stricmp(pszWay, "poll") == 0) {
        Async.NotificationType = RpcNotificationTypeNone;
    } else if (_stricmp(pszWay, "apc") == 0) {
        Async.NotificationType = RpcNotificationTypeApc;
        Async.u.APC.NotificationRoutine = APCNotificationRoutine;
        Async.u.APC.hThread = 0;
    } else if (_stricmp(pszWay, "port") == 0) {
        Async.NotificationType = RpcNotificationTypeIoc;
        Async.u.IOC.hIOPort = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        if (Async.u.IOC.hIOPort == NULL)
            exit(GetLastError());
        Async.u.IOC.dwNumberOfBytesTransferred = 11;
        Async.u.IOC.dwCompletionKey = 22;
        Async.u.IOC.lpOverlapped = (LPOVERLAPPED)&Async;
    } else {
        Async.NotificationType = RpcNotificationTypeEvent;
        Async.u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
        if (Async.u.hEvent == 0)
            exit(GetLastError());
    }
}

static void Wait(void)
{
    DWORD dwBytes = 0;
    ULONG_PTR dwKey = 0;
    LPOVERLAPPED lpOverlapped = NULL;

    switch (Async.NotificationType) {
    case RpcNotificationTypeNone:
        while (RpcAsyncGetCallStatus(&Async) == RPC_S_ASYNC_CALL_PENDING)
            Sleep(10);
        break;
    case RpcNotificationTypeApc:
        if (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION || dwApcs != 1)
            RpcRaiseException(APP_ERROR);
        break;
    case RpcNotificationTypeIoc:
        if (!GetQueuedCompletionStatus(Async.u.IOC.hIOPort, &dwBytes, &dwKey, &lpOverlapped,
                                       INFINITE))
            RpcRaiseException(APP_ERROR);
        if (dwBytes != 11 || dwKey != 22 || lpOverlapped != (LPOVERLAPPED)&Async)
            RpcRaiseException(APP_ERROR);
        CloseHandle(Async.u.IOC.hIOPort);
        break;
    default:
        if (WaitForSingleObject(Async.u.hEvent, INFINITE) == WAIT_FAILED)
            RpcRaiseException(APP_ERROR);
        CloseHandle(Async.u.hEvent);
        break;
    }
}

int __cdecl main(int argc, char *argv[])
{
    RPC_BINDING_HANDLE AsyncRPC_ClientIfHandle;
    RPC_CSTR pszStringBinding = NULL;
    RPC_STATUS status;
    unsigned long ulCode;
    LONG nReply = 0;
    volatile BOOL fFailed = FALSE;

    if (argc < 4)
        return EXIT_FAILURE;
    status = RpcStringBindingCompose(NULL, (RPC_CSTR)DEFAULT_PROTOCOL_SEQUENCE,
                                     (RPC_CSTR)"127.0.0.1", (RPC_CSTR)argv[1], NULL,
                                     &pszStringBinding);
    if (status)
        exit(status);
    status = RpcBindingFromStringBinding(pszStringBinding, &AsyncRPC_ClientIfHandle);
    if (status)
        exit(status);
    status = RpcStringFree(&pszStringBinding);
    if (status)
        exit(status);

    if (strcmp(argv[2], "shutdown") == 0) {
        RpcTryExcept
        {
            Shutdown(AsyncRPC_ClientIfHandle);
        }
        RpcExcept(RpcExceptionFilter(RpcExceptionCode()))
        {
            PrintError("Shutdown", RpcExceptionCode());
        }
        RpcEndExcept
        return 0;
    }

    Prepare(argv[2]);
    // Call an asynchronous RPC routine here
    RpcTryExcept
    {
        AsyncFunc(&Async, AsyncRPC_ClientIfHandle, (ULONG)atoi(argv[3]));
    }
    RpcExcept(1)
    {
        ulCode = RpcExceptionCode();
        printf_s("AsyncFunc: Run time reported exception 0x%lx = %ld\n", ulCode, ulCode);
        fFailed = TRUE;
    }
    RpcEndExcept

    // Call a synchronous routine while
    // the asynchronous procedure is still running
    RpcTryExcept
    {
        NonAsyncFunc(AsyncRPC_ClientIfHandle, (unsigned char *)"meanwhile");
    }
    RpcExcept(1)
    {
        PrintError("NonAsyncFunc", RpcExceptionCode());
        fFailed = TRUE;
    }
    RpcEndExcept

    if (!fFailed) {
        if (strcmp(argv[2], "cancel") == 0 || strcmp(argv[2], "abort") == 0) {
            status = RpcAsyncCancelCall(&Async, strcmp(argv[2], "abort") == 0);
            if (status)
                PrintError("RpcAsyncCancelCall", status);
        }
        Wait();
        status = RpcAsyncCompleteCall(&Async, &nReply);
        if (status)
            PrintError("RpcAsyncCompleteCall", status);
        else
            printf_s("AsyncFunc returned %d\n", nReply);
    }
    status = RpcBindingFree(&AsyncRPC_ClientIfHandle);
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
