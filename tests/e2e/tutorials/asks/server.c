/* SPDX-License-Identifier: MIT */
/* The server's side of the pages on error information (RpcErrorAddRecord before raising),
 * RpcServerInqCallAttributes, RpcTestCancel and RpcServerSubscribeForNotification. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include "asks.h"

static void Say(const char *pszText)
{
    printf_s("%s\n", pszText);
    fflush(stdout);
}

// The record says which file it was that is missing.
void OpenFile(handle_t h, unsigned char *name)
{
    RPC_EXTENDED_ERROR_INFO Info;
    FILE *pFile = NULL;

    UNREFERENCED_PARAMETER(h);
    if (fopen_s(&pFile, (char *)name, "r") == 0)
    {
        fclose(pFile);
        return;
    }
    ZeroMemory(&Info, sizeof(Info));
    Info.Version = RPC_EEINFO_VERSION;
    Info.Status = ERROR_FILE_NOT_FOUND;
    Info.NumberOfParameters = 2;
    Info.Parameters[0].ParameterType = eeptAnsiString;
    Info.Parameters[0].u.AnsiString = (LPSTR)name;
    Info.Parameters[1].ParameterType = eeptLongVal;
    Info.Parameters[1].u.LVal = 4711;
    if (RpcErrorAddRecord(&Info) != RPC_S_OK)
        Say("RpcErrorAddRecord failed");
    RpcRaiseException(ERROR_FILE_NOT_FOUND);
}

LONG WhoAmI(handle_t h)
{
    RPC_CALL_ATTRIBUTES_V2 CallAttributes;
    RPC_STATUS status;

    UNREFERENCED_PARAMETER(h);
    ZeroMemory(&CallAttributes, sizeof(CallAttributes));
    CallAttributes.Version = 2;
    CallAttributes.Flags = RPC_QUERY_IS_CLIENT_LOCAL;
    status = RpcServerInqCallAttributes(NULL, &CallAttributes);
    if (status)
        RpcRaiseException(status);
    return CallAttributes.IsClientLocal * 1000 + CallAttributes.ProtocolSequence * 100 +
           CallAttributes.OpNum * 10 + (LONG)CallAttributes.AuthenticationLevel;
}

// Waits until the client has cancelled, or has gone, or the time is over.
LONG WaitForClient(handle_t h, LONG milliseconds)
{
    RPC_ASYNC_NOTIFICATION_INFO Info;
    HANDLE hEvents[2];
    unsigned long NotificationsQueued = 0, ulReceived = 0;
    RPC_STATUS status;
    DWORD dwWait;
    int i;

    for (i = 0; i < 2; i++)
    {
        hEvents[i] = CreateEvent(NULL, TRUE, FALSE, NULL);
        if (hEvents[i] == NULL)
            RpcRaiseException(GetLastError());
        Info.hEvent = hEvents[i];
        status = RpcServerSubscribeForNotification(
            NULL, i == 0 ? RpcNotificationClientDisconnect : RpcNotificationCallCancel,
            RpcNotificationTypeEvent, &Info);
        if (status)
            RpcRaiseException(status);
    }
    Say("waiting");
    dwWait = WaitForMultipleObjects(2, hEvents, FALSE, milliseconds);
    if (dwWait == WAIT_OBJECT_0)
        Say("the client is gone");
    else if (dwWait == WAIT_OBJECT_0 + 1)
        Say(RpcTestCancel() == RPC_S_OK ? "cancelled" : "told of a cancel that was none");
    else
        Say("nothing happened");
    for (i = 0; i < 2; i++)
    {
        status = RpcServerUnsubscribeForNotification(
            h, i == 0 ? RpcNotificationClientDisconnect : RpcNotificationCallCancel,
            &NotificationsQueued);
        if (status)
            Say("RpcServerUnsubscribeForNotification failed");
    }
    // those that were queued and not yet delivered still come
    while (ulReceived < NotificationsQueued)
    {
        if (WaitForMultipleObjects(2, hEvents, FALSE, INFINITE) > WAIT_OBJECT_0 + 1)
            break;
        for (ulReceived = 0, i = 0; i < 2; i++)
            ulReceived += WaitForSingleObject(hEvents[i], 0) == WAIT_OBJECT_0;
    }
    for (i = 0; i < 2; i++)
        CloseHandle(hEvents[i]);
    return (LONG)dwWait;
}

void Shutdown(handle_t h)
{
    UNREFERENCED_PARAMETER(h);
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
    status = RpcServerRegisterIf(asks_v2_1_s_ifspec, NULL, NULL);
    if (status)
        exit(status);
    Say("ready");
    status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, FALSE);
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
