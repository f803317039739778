/* SPDX-License-Identifier: MIT */
/* stubs_fuzz.c - arbitrary octets through the descriptors of generated stubs: every
 * construct of the round trip, values and characters the program converts (with the routines of
 * the round trip), and calls of published interfaces.
 *
 *     octet 0   interface
 *     octet 1   operation; those of [callback]s follow the others
 *     octet 2   bit 0: little-endian; bit 1: more octets may come; bit 2: NDR64
 *     rest      a request stub, then the response
 *
 * What is asserted: ndr_try.h.  seeds.py makes the corpus from captured calls. */
#include <stdlib.h>

#include "calls.h"
#include "constructs.h"
#include "convert.h"
#include "regions.h"
#include "roundtrip.h"

#include "../tests/e2e/roundtrip/convert_values.h"
#include "../tests/e2e/roundtrip/samples.h"
#include "../tests/unit/characters_routines.h"
#include "ndr_try.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- What the stubs and the routines of the round trip refer to ----------------------------- */

/* What the routines allocate counts like what the engine does. */
void *MIDL_user_allocate(size_t size)
{
    return heap_allocate(size);
}

void MIDL_user_free(void *object)
{
    heap_free(object);
}

void *sample_allocate(size_t size)
{
    void *object = midl_user_allocate(size > 0 ? size : 1);
    if (!object)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memset(object, 0, size);
}

void CvBack(RT_BLOB a, RT_BLOB *b)
{
    (void)a, (void)b; /* nothing calls a stub here */
}

static bool may_refuse(RPC_STATUS status)
{
    return status == RAISED_SENDING || status == RAISED_RECEIVING || /* numbers that do */
           status == RPC_S_OUT_OF_MEMORY ||  /* a value that is sent as nothing */
           status == RPC_X_INVALID_BUFFER || /* octets that are no such value */
           status == RPC_S_INVALID_ARG || status == RPC_S_INVALID_BOUND || status == REFUSED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Seeds count on the order: append. */
    const RPC_IF_HANDLE interfaces[] = {
        rt_base_v1_0_c_ifspec,       rt_struct_v1_0_c_ifspec,  rt_array_v1_0_c_ifspec,
        rt_string_v1_0_c_ifspec,     rt_pointer_v1_0_c_ifspec, rt_range_v1_0_c_ifspec,
        rt_explicit_v3_2_c_ifspec,   rt_async_v1_0_c_ifspec,   rt_failure_v1_0_c_ifspec,
        rt_union_v1_0_c_ifspec,      rt_open_v1_0_c_ifspec,    rt_full_v1_0_c_ifspec,
        rt_async_more_v1_0_c_ifspec, c_samr_v1_0_c_ifspec,     c_drsuapi_v4_0_c_ifspec,
        c_svcctl_v2_0_c_ifspec,      c_netdfs_v3_0_c_ifspec,   c_logon_v1_0_c_ifspec,
        c_epm_v3_0_c_ifspec,         c_witness_v1_1_c_ifspec,  c_ntsvcs_v1_0_c_ifspec,
        c_spoolss_v1_0_c_ifspec,     c_wkssvc_v1_0_c_ifspec,   rt_convert_v1_0_c_ifspec,
        b_cs_char_v1_0_c_ifspec,     rt_regions_v1_0_c_ifspec};
    if (size < 3)
        return 0;
    const RPC_CLIENT_INTERFACE *interface = (const RPC_CLIENT_INTERFACE *)
        interfaces[data[0] % (sizeof(interfaces) / sizeof(interfaces[0]))];
    const NDR_INTERFACE *stubs = interface->InterpreterInfo;
    struct ndr_reader reader = {.octets = data + 3,
                                .len = size - 3,
                                .little_endian = data[2] & 1,
                                .last = !(data[2] & 2),
                                .ndr64 = data[2] & 4,
                                .allocated_max = FUZZ_ALLOCATED_MAX,
                                .depth_max = 200};
    const uint32_t number = data[1] % (stubs->operation_count + stubs->callback_count);
    fuzz_may_refuse = may_refuse;
    try_operation(number < stubs->operation_count
                      ? &stubs->operations[number]
                      : &stubs->callbacks[number - stubs->operation_count],
                  reader);
    return 0;
}
