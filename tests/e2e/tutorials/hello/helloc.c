/* SPDX-License-Identifier: MIT */
/* file: helloc.c - the tutorial's client; its endpoint is the first argument, the string the second. */
#include <stdlib.h>
#include <stdio.h>
#include <ctype.h>
#include "hello.h"
#include <windows.h>
#pragma comment(lib, "Rpcrt4.lib")

int main(int argc, char *argv[])
{
    RPC_STATUS status;
    unsigned char *pszUuid             = NULL;
    unsigned char *pszProtocolSequence = (unsigned char *)"ncacn_ip_tcp";
    unsigned char *pszNetworkAddress   = NULL;
    unsigned char *pszEndpoint         = argc > 1 ? (unsigned char *)argv[1] : NULL;
    unsigned char *pszOptions          = NULL;
    unsigned char *pszStringBinding    = NULL;
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
