/* SPDX-License-Identifier: MIT */
/* The client's side: the page's way to print error information, RpcMgmtSetComTimeout,
 * RpcBindingSetOption, RpcCancelThreadEx.
 *     client ENDPOINT open NAME | who | wait MS | timeout MS | cancel SECONDS | shutdown */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "asks.h"

static RPC_BINDING_HANDLE hBinding;

static void PrintErrorInfo(void)
{
    RPC_STATUS Status2;
    RPC_ERROR_ENUM_HANDLE EnumHandle;
    RPC_EXTENDED_ERROR_INFO ErrorInfo;
    SYSTEMTIME SystemTimeBuffer, Now;
    int i, Records = 0;

    Status2 = RpcErrorStartEnumeration(&EnumHandle);
    if (Status2 == RPC_S_ENTRY_NOT_FOUND)
    {
        printf_s("no records\n");
        return;
    }
    if (Status2 == RPC_S_OK)
        Status2 = RpcErrorGetNumberOfRecords(&EnumHandle, &Records);
    if (Status2 != RPC_S_OK)
    {
        printf_s("Couldn't get EEInfo: %d\n", Status2);
        return;
    }
    while (Status2 == RPC_S_OK)
    {
        ErrorInfo.Version = RPC_EEINFO_VERSION;
        ErrorInfo.Flags = EEInfoUseFileTime;
        ErrorInfo.NumberOfParameters = 4;
        Status2 = RpcErrorGetNextRecord(&EnumHandle, TRUE, &ErrorInfo);
        if (Status2 == RPC_S_ENTRY_NOT_FOUND)
            break;
        if (Status2 != RPC_S_OK)
        {
            printf_s("Couldn't finish enumeration: %d\n", Status2);
            break;
        }
        Records--;
        if (ErrorInfo.ComputerName && !HeapFree(GetProcessHeap(), 0, ErrorInfo.ComputerName))
            printf_s("HeapFree failed\n");
        GetSystemTime(&Now);
        if (!FileTimeToSystemTime(&ErrorInfo.u.FileTime, &SystemTimeBuffer) ||
            (SystemTimeBuffer.wYear != Now.wYear && SystemTimeBuffer.wYear + 1 != Now.wYear))
            printf_s("what year is this?\n");
        printf_s("status %u, from %s process", ErrorInfo.Status,
                 ErrorInfo.ProcessID == GetCurrentProcessId() ? "this" : "another");
        for (i = 0; i < ErrorInfo.NumberOfParameters; i++)
        {
            switch (ErrorInfo.Parameters[i].ParameterType)
            {
            case eeptAnsiString:
                printf_s(", Ansi string: %s", ErrorInfo.Parameters[i].u.AnsiString);
                HeapFree(GetProcessHeap(), 0, ErrorInfo.Parameters[i].u.AnsiString);
                break;
            case eeptUnicodeString:
                printf_s(", Unicode string");
                HeapFree(GetProcessHeap(), 0, ErrorInfo.Parameters[i].u.UnicodeString);
                break;
            case eeptLongVal:
                printf_s(", Long val: %d", ErrorInfo.Parameters[i].u.LVal);
                break;
            case eeptShortVal:
                printf_s(", Short val: %d", (int)ErrorInfo.Parameters[i].u.SVal);
                break;
            case eeptPointerVal:
                printf_s(", Pointer val");
                break;
            case eeptNone:
                printf_s(", Truncated");
                break;
            default:
                printf_s(", Invalid type: %d", ErrorInfo.Parameters[i].ParameterType);
            }
        }
        printf_s("\n");
    }
    if (Records != 0)
        printf_s("%d records are missing\n", Records);
    RpcErrorEndEnumeration(&EnumHandle);
}

static DWORD WINAPI CallAndWait(LPVOID lpMilliseconds)
{
    ULONGLONG ullBegun = GetTickCount64();
    volatile DWORD dwCode = 0;
    volatile LONG nResult = -1;

    RpcTryExcept
    {
        nResult = WaitForClient(hBinding, (LONG)(LONG_PTR)lpMilliseconds);
    }
    RpcExcept(RpcExceptionFilter(RpcExceptionCode()))
    {
        dwCode = RpcExceptionCode();
    }
    RpcEndExcept
    printf_s("exception %u, result %d, %s\n", dwCode, nResult,
             GetTickCount64() - ullBegun < 10000 ? "soon" : "late");
    return dwCode;
}

static void Cancel(long Timeout, DWORD dwMilliseconds)
{
    DWORD dwThreadId;
    HANDLE hThread = CreateThread(NULL, 0, CallAndWait, (LPVOID)(LONG_PTR)dwMilliseconds, 0,
                                  &dwThreadId);
    RPC_STATUS status;

    if (hThread == NULL)
        exit(GetLastError());
    getchar(); // the server waits, says who started us
    status = RpcCancelThreadEx(hThread, Timeout);
    if (status)
        printf_s("RpcCancelThreadEx: %d\n", status);
    WaitForSingleObject(hThread, INFINITE);
    CloseHandle(hThread);
}

int __cdecl main(int argc, char *argv[])
{
    RPC_CSTR pszStringBinding = NULL;
    RPC_STATUS status;
    unsigned int Timeout = 99;
    ULONG_PTR Value = 99;

    if (argc < 4)
        return EXIT_FAILURE;
    status = RpcStringBindingCompose(NULL, (RPC_CSTR)"ncacn_ip_tcp", (RPC_CSTR)"127.0.0.1",
                                     (RPC_CSTR)argv[1], NULL, &pszStringBinding);
    if (status)
        exit(status);
    status = RpcBindingFromStringBinding(pszStringBinding, &hBinding);
    if (status)
        exit(status);
    RpcStringFree(&pszStringBinding);

    if (RpcMgmtInqComTimeout(hBinding, &Timeout) || Timeout != RPC_C_BINDING_DEFAULT_TIMEOUT ||
        RpcMgmtSetComTimeout(hBinding, RPC_C_BINDING_MIN_TIMEOUT) ||
        RpcMgmtInqComTimeout(hBinding, &Timeout) || Timeout != RPC_C_BINDING_MIN_TIMEOUT ||
        RpcMgmtSetComTimeout(hBinding, 11) != RPC_S_INVALID_TIMEOUT)
        printf_s("RpcMgmtSetComTimeout failed\n");
    if (RpcBindingSetOption(hBinding, RPC_C_OPT_CALL_TIMEOUT,
                            strcmp(argv[2], "timeout") == 0 ? atoi(argv[3]) : 0) ||
        RpcBindingInqOption(hBinding, RPC_C_OPT_CALL_TIMEOUT, &Value))
        printf_s("RpcBindingSetOption failed\n");

    RpcTryExcept
    {
        if (strcmp(argv[2], "open") == 0)
            OpenFile(hBinding, (unsigned char *)argv[3]);
        else if (strcmp(argv[2], "who") == 0)
            printf_s("%d\n", WhoAmI(hBinding));
        else if (strcmp(argv[2], "wait") == 0)
            CallAndWait((LPVOID)(LONG_PTR)atoi(argv[3]));
        else if (strcmp(argv[2], "timeout") == 0)
            CallAndWait((LPVOID)(LONG_PTR)(10 * Value));
        else if (strcmp(argv[2], "cancel") == 0)
            Cancel(atoi(argv[3]), 60000);
        else
            Shutdown(hBinding);
    }
    RpcExcept(1)
    {
        status = RpcExceptionCode();
        printf_s("exception %d\n", status);
        PrintErrorInfo();
    }
    RpcEndExcept
    RpcBindingFree(&hBinding);
    exit(0);
}

void __RPC_FAR * __RPC_USER midl_user_allocate(size_t len)
{
    return malloc(len);
}

void __RPC_USER midl_user_free(void __RPC_FAR * ptr)
{
    free(ptr);
}
