/* SPDX-License-Identifier: MIT */
/* serve.c - see serve.h. */
#include "../endpoint.h"
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "%s: %d\n", what, (int)status);
    return 1;
}

int serve(RPC_IF_HANDLE interface, int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL); /* the library must not rely on anything else */
    for (int i = 1; i < argc; i++) {
        RPC_STATUS status = use_endpoint(argv[i]);
        if (status != RPC_S_OK)
            return complain(argv[i], status);
    }
    RPC_STATUS status = RpcServerRegisterIf(interface, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK)
        return complain("RpcServerListen", status);
    puts("ready");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    if (status == RPC_S_OK)
        status = RpcServerUnregisterIf(interface, NULL, 1);
    return status == RPC_S_OK ? 0 : complain("stopping", status);
}
