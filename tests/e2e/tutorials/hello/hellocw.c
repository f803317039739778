/* SPDX-License-Identifier: MIT */
/* file: hellocw.c - the same with UTF-16 strings and the names without suffix. */
#define UNICODE
#include <stdlib.h>
#include <stdio.h>
#include <ctype.h>
#include "hello.h"
#include <windows.h>
#pragma comment(lib, "Rpcrt4.lib")

/* An endpoint is ASCII. */
static unsigned short *widened(const char *text)
{
    static WCHAR wide[64];
    for (size_t i = 0; i < ARRAYSIZE(wide) - 1 && text[i]; i++)
        wide[i] = (unsigned char)text[i];
    return wide;
}

int main(int argc, char *argv[])
{
    RPC_STATUS status;
    unsigned short *pszUuid            = NULL;
    unsigned short *pszProtocolSequence = (unsigned short *)TEXT("ncacn_ip_tcp");
    unsigned short *pszNetworkAddress   = NULL;
    unsigned short *pszEndpoint         = argc > 1 ? widened(argv[1]) : NULL;
    unsigned short *pszOptions          = NULL;
    unsigned short *pszStringBinding    = NULL;
    unsigned char *pszString           = argc > 2 ? (unsigned char *)argv[2] : NULL;
    unsigned long ulCode;

    status = RpcStringBindingCompose(pszUuid,
                                     pszProtocolSequence,
                                     pszNetworkAddress,
                                     pszEndpoint,
                                     pszOptions,
                                     &pszStringBinding);
    if (status) exit(status);

    status = RpcBindingFromStringBinding(pszStringBinding, &hello_IfHandle);

    if (status) exit(status);

    RpcTryExcept
    {
        if (pszString)
            HelloProc(pszString);
        else
            Shutdown();
    }
    RpcExcept(1)
    {
        ulCode = RpcExceptionCode();
        printf_s("Runtime reported exception 0x%lx = %ld\n", ulCode, ulCode);
    }
    RpcEndExcept

    status = RpcStringFree(&pszStringBinding);

    if (status) exit(status);

    status = RpcBindingFree(&hello_IfHandle);

    if (status) exit(status);

    exit(0);
}

/******************************************************/
/*         MIDL allocate and free                     */
/******************************************************/

void __RPC_FAR * __RPC_USER midl_user_allocate(size_t len)
{
    return(malloc(len));
}

void __RPC_USER midl_user_free(void __RPC_FAR * ptr)
{
    free(ptr);
}
