/* SPDX-License-Identifier: MIT */
/* server.c - serves every interface of roundtrip.idl on the endpoints named by its
 * arguments (PROTSEQ:ENDPOINT) until its standard input ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../endpoint.h"
#include "rpc.h"

#include "b_cs_char.h"
#include "constructs.h"
#include "convert.h"
#include "modes.h"
#include "regions.h"
#include "roundtrip.h"
#include "samples.h"
#include "types.h"

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "%s: %d\n", what, (int)status);
    return 1;
}

int main(int argc, char **argv)
{
    const RPC_IF_HANDLE interfaces[] = {
        rt_base_v1_0_s_ifspec,  rt_struct_v1_0_s_ifspec,   rt_array_v1_0_s_ifspec,
        rt_string_v1_0_s_ifspec, rt_pointer_v1_0_s_ifspec, rt_range_v1_0_s_ifspec,
        rt_explicit_v3_2_s_ifspec, rt_async_v1_0_s_ifspec, rt_failure_v1_0_s_ifspec,
        rt_union_v1_0_s_ifspec, rt_open_v1_0_s_ifspec,     rt_full_v1_0_s_ifspec,
        rt_async_more_v1_0_s_ifspec, rt_convert_v1_0_s_ifspec,
        rt_modes_v1_0_s_ifspec, rt_types_v1_0_s_ifspec, rt_regions_v1_0_s_ifspec,
        s_b_cs_char_v1_0_s_ifspec};
    const size_t interface_count = sizeof(interfaces) / sizeof(interfaces[0]);
    RPC_STATUS status;
    sample_size_max = (size_t)4 << 20;
    for (int i = 1; i < argc; i++) {
        status = use_endpoint(argv[i]);
        if (status != RPC_S_OK)
            return complain(argv[i], status);
    }
    for (size_t i = 0; i < interface_count; i++) {
        status = RpcServerRegisterIf(interfaces[i], NULL, NULL);
        if (status != RPC_S_OK)
            return complain("RpcServerRegisterIf", status);
    }
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
    for (size_t i = 0; i < interface_count && status == RPC_S_OK; i++)
        status = RpcServerUnregisterIf(interfaces[i], NULL, 1);
    return status == RPC_S_OK ? 0 : complain("stopping", status);
}
