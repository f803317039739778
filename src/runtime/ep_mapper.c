/* SPDX-License-Identifier: MIT */
/* ep_mapper.c - see ep.h: where endpoint mappers are, and what travels to and from them. */
#include "runtime/ep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/binding.h"
#include "runtime/string_binding.h"
#include "runtime/stub_memory.h"
#include "wire/tower.h"

RPC_STATUS ep_status(error_status_t told)
{
    switch ((uint32_t)told) {
    case 0x16c9a0cd: /* ept_s_cant_perform_op and so on, C706 Appendix E */
        return EPT_S_CANT_PERFORM_OP;
    case 0x16c9a012: /* rpc_s_no_memory, ept_s_no_memory: the mapper's */
    case 0x16c9a0ce:
        return RPC_S_SERVER_OUT_OF_MEMORY;
    case 0x16c9a0cf: /* ept_s_database_invalid, _cant_create, _update_failed */
    case 0x16c9a0d0:
    case 0x16c9a0d4:
        return EPT_S_CANT_CREATE;
    case 0x16c9a0d1: /* ept_s_cant_access */
        return RPC_S_ACCESS_DENIED;
    case 0x16c9a0d3:
        return EPT_S_INVALID_ENTRY;
    case 0x16c9a0d5: /* ept_s_invalid_context */
        return RPC_X_SS_CONTEXT_MISMATCH;
    case 0x16c9a0d6:
        return EPT_S_NOT_REGISTERED;
    case 0x16c9a0d7: /* ept_s_server_unavailable */
        return RPC_S_SERVER_UNAVAILABLE;
    default:
        return (RPC_STATUS)told;
    }
}

/* PENSTOCK_EPMAPPER names another port than the usual. */
static RPC_STATUS mapper_endpoint(enum transport_kind kind, char *endpoint, size_t size)
{
    const char *port = getenv("PENSTOCK_EPMAPPER");
    const bool usual = !port || !*port || strcmp(port, "135") == 0;
    if (!usual && transport_check_endpoint(TRANSPORT_TCP, port) != RPC_S_OK)
        return RPC_S_INVALID_ENDPOINT_FORMAT;
    if (kind == TRANSPORT_TCP)
        snprintf(endpoint, size, "%s", usual ? "135" : port);
    else
        snprintf(endpoint, size, usual ? "epmapper" : "epmapper-%s", port);
    return RPC_S_OK;
}

RPC_STATUS ep_mapper_binding(enum transport_kind kind, const char *address, unsigned com_timeout,
                             RPC_BINDING_HANDLE *ret_mapper)
{
    char endpoint[EP_ENDPOINT_SIZE];
    char *text;
    RPC_STATUS status = mapper_endpoint(kind, endpoint, sizeof(endpoint));
    if (status != RPC_S_OK)
        return status;
    const struct string_binding parts = {
        .protseq = (char *)(uintptr_t)transport_protseq(kind),
        .address = (char *)(uintptr_t)address,
        .endpoint = endpoint};
    status = string_binding_format(&parts, &text);
    if (status != RPC_S_OK)
        return status;
    status = RpcBindingFromStringBindingA((RPC_CSTR)text, ret_mapper);
    free(text);
    if (status != RPC_S_OK)
        return status;
    ep_mapper_limit(*ret_mapper, com_timeout);
    return RPC_S_OK;
}

void ep_mapper_limit(RPC_BINDING_HANDLE mapper, unsigned com_timeout)
{
    struct binding *binding;
    if (binding_get_client(mapper, &binding) != RPC_S_OK)
        return;
    pthread_mutex_lock(&binding->lock);
    binding->com_timeout = com_timeout;
    /* RpcBindingSetOption allows it on TCP alone. */
    binding->call_timeout_ms = com_timeout_connect_ms(com_timeout);
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
}

twr_t *ep_tower_new(const RPC_IF_ID *interface_id, enum transport_kind kind, const char *endpoint)
{
    /* The transfer syntax is NDR 2.0 whatever the server speaks: the bind tells (wire.md 7.1). */
    struct tower tower = {
        .interface_id = {interface_id->Uuid, interface_id->VersMajor, interface_id->VersMinor},
        .transfer = pdu_syntax_ndr,
        .kind = kind == TRANSPORT_TCP ? TOWER_TCP : TOWER_LOCAL,
        .port = kind == TRANSPORT_TCP ? (uint16_t)strtoul(endpoint, NULL, 10) : 0,
        .endpoint = endpoint,
        .host = ""};
    uint8_t octets[EP_ENDPOINT_SIZE + 100];
    const size_t len = tower_encode(octets, sizeof(octets), &tower);
    twr_t *result = stub_memory_allocate(offsetof(twr_t, tower_octet_string) + len);
    if (!result)
        return NULL;
    result->tower_length = (uint32_t)len;
    memcpy(result->tower_octet_string, octets, len);
    return result;
}
