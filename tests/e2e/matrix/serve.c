/* SPDX-License-Identifier: MIT */
/* serve.c - see serve.h. */
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
        char *colon = strchr(argv[i], ':');
        if (!colon)
            return complain(argv[i], RPC_S_INVALID_ARG);
        *colon = '\0';
        RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)argv[i],
                                                  RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                                  (RPC_CSTR)colon + 1, NULL);
        if (status != RPC_S_OK)
            return complain(colon + 1, status);
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
