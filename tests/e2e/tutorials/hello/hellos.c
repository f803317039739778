/* SPDX-License-Identifier: MIT */
/* file: hellos.c - the tutorial's server, whose interface lets in clients without a name: that
 * is what the callback is for.  With "nobody" as second argument it lets nobody in. */
#include <stdlib.h>
#include <stdio.h>
#include <ctype.h>
#include "hello.h"
#include <windows.h>
#include <tchar.h>
#pragma comment(lib, "Rpcrt4.lib")

static BOOL fNobody;

RPC_STATUS CALLBACK SecurityCallback(RPC_IF_HANDLE hInterface, void *pBindingHandle)
{
    RPC_CALL_ATTRIBUTES Attributes;
    RPC_STATUS status;

    UNREFERENCED_PARAMETER(hInterface);
    ZeroMemory(&Attributes, sizeof(Attributes));
    Attributes.Version = RPC_CALL_ATTRIBUTES_VERSION;
    Attributes.Flags = RPC_QUERY_IS_CLIENT_LOCAL;
    status = RpcServerInqCallAttributes(pBindingHandle, &Attributes);
    if (status)
        return status;
    if (Attributes.IsClientLocal != rcclLocal)
        return RPC_S_ACCESS_DENIED;
    return fNobody && Attributes.OpNum == 0 ? RPC_S_ACCESS_DENIED : RPC_S_OK;
}

int __cdecl _tmain(int argc, TCHAR *argv[])
{
    RPC_STATUS status;
    RPC_CSTR pszProtocolSequence = (RPC_CSTR)_T("ncacn_ip_tcp");
    unsigned char *pszSecurity   = NULL;
    RPC_CSTR pszEndpoint;
    unsigned int cMinCalls = 1;
    unsigned int fDontWait = FALSE;

    if (argc < 2) {
        _tprintf(_T("hellos ENDPOINT [nobody]\n"));
        return EXIT_FAILURE;
    }
    pszEndpoint = (RPC_CSTR)argv[1];
    fNobody = argc > 2 && _tcscmp(argv[2], _T("nobody")) == 0;

    status = RpcServerUseProtseqEp(pszProtocolSequence,
                                   RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                   pszEndpoint,
                                   pszSecurity);

    if (status) exit(status);

    status = RpcServerRegisterIf2(hello_v1_0_s_ifspec,
                                  NULL,
                                  NULL,
                                  RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH,
                                  RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                  (unsigned)-1,
                                  SecurityCallback);

    if (status) exit(status);

    printf_s("ready\n");
    fflush(stdout);
    status = RpcServerListen(cMinCalls,
                             RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                             fDontWait);

    if (status) exit(status);
    return 0;
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
