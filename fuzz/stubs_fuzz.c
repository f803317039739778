/* SPDX-License-Identifier: MIT */
/* stubs_fuzz.c - arbitrary octets through the descriptors of generated stubs: every
 * construct of the round trip, and calls of published interfaces.
 *
 *     octet 0   interface
 *     octet 1   operation
 *     octet 2   bit 0: little-endian; bit 1: more octets may come; bit 2: NDR64
 *     rest      a request stub, then the response
 *
 * What is asserted: ndr_try.h.  seeds.py makes the corpus from captured calls. */
#include <stdlib.h>

#include "calls.h"
#include "constructs.h"
#include "roundtrip.h"

#include "ndr_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The stubs refer to them; nothing calls a stub here. */
void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Seeds count on the order: append. */
    const RPC_IF_HANDLE interfaces[] = {
        rt_base_v1_0_c_ifspec,       rt_struct_v1_0_c_ifspec, rt_array_v1_0_c_ifspec,
        rt_string_v1_0_c_ifspec,     rt_pointer_v1_0_c_ifspec, rt_range_v1_0_c_ifspec,
        rt_explicit_v3_2_c_ifspec,   rt_async_v1_0_c_ifspec,  rt_failure_v1_0_c_ifspec,
        rt_union_v1_0_c_ifspec,      rt_open_v1_0_c_ifspec,   rt_full_v1_0_c_ifspec,
        rt_async_more_v1_0_c_ifspec, c_samr_v1_0_c_ifspec,    c_drsuapi_v4_0_c_ifspec,
        c_svcctl_v2_0_c_ifspec,      c_netdfs_v3_0_c_ifspec,  c_logon_v1_0_c_ifspec,
        c_epm_v3_0_c_ifspec,         c_witness_v1_1_c_ifspec, c_ntsvcs_v1_0_c_ifspec,
        c_spoolss_v1_0_c_ifspec,     c_wkssvc_v1_0_c_ifspec};
    if (size < 3)
        return 0;
    const RPC_CLIENT_INTERFACE *chosen =
        (const RPC_CLIENT_INTERFACE *)
            interfaces[data[0] % (sizeof(interfaces) / sizeof(interfaces[0]))];
    const NDR_INTERFACE *stubs = chosen->InterpreterInfo;
    struct ndr_reader reader = {.octets = data + 3,
                                .len = size - 3,
                                .little_endian = data[2] & 1,
                                .last = !(data[2] & 2),
                                .ndr64 = data[2] & 4,
                                .allocated_max = FUZZ_ALLOCATED_MAX,
                                .depth_max = 200};
    try_operation(&stubs->operations[data[1] % stubs->operation_count], reader);
    return 0;
}
