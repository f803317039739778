/* SPDX-License-Identifier: MIT */
/* file: hellop.c - the remote procedures. */
#include <stdlib.h>
#include <stdio.h>
#include "hello.h"
#include <windows.h>

void HelloProc(unsigned char * pszString)
{
    printf("%s\n", pszString);
    fflush(stdout);
}

void Shutdown(void)
{
    RPC_STATUS status;

    status = RpcMgmtStopServerListening(NULL);

    if (status)
    {
       exit(status);
    }

    status = RpcServerUnregisterIf(NULL, NULL, FALSE);

    if (status)
    {
       exit(status);
    }
} //end Shutdown
