/* SPDX-License-Identifier: MIT */
/* The endpoint the interface names, which a call without a binding finds. */
#ifdef GOLDEN_SERVER
#include "text.h"

static void open_endpoint(void)
{
    RPC_STATUS status = RpcServerUseProtseqIf((RPC_CSTR) "ncalrpc", RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              c_auto_handle_v1_0_s_ifspec, NULL);
    if (status != RPC_S_OK)
        die("the endpoint of c_auto_handle: %d", (int)status);
}
#define GOLDEN_SET_UP open_endpoint
#endif
