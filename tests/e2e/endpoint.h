/* SPDX-License-Identifier: MIT */
/* endpoint.h - how test servers open the endpoints they are told on the command line. */
#ifndef PENSTOCK_TESTS_E2E_ENDPOINT_H
#define PENSTOCK_TESTS_E2E_ENDPOINT_H

#include <string.h>

#include "rpc.h"

/* Opens "protseq:endpoint"; cuts the text in two.  RPC_S_INVALID_ARG: no colon; else as
 * RpcServerUseProtseqEp. */
static inline RPC_STATUS use_endpoint(char *text)
{
    char *colon = strchr(text, ':');
    if (!colon)
        return RPC_S_INVALID_ARG;
    *colon = '\0';
    return RpcServerUseProtseqEp((RPC_CSTR)text, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                 (RPC_CSTR)colon + 1, NULL);
}

#endif
