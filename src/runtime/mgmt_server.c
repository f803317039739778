/* SPDX-License-Identifier: MIT */
/* mgmt_server.c - the management interface of this process (C706 Appendix Q; MS-RPCE 2.2.1.3):
 * what it says of itself, to its own program and to whoever asks.  Every routine asks the
 * program's authorization function first. */
#include "runtime/mgmt.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "runtime/server.h"
#include "runtime/stats.h"
#include "runtime/stub_memory.h"
#include "stubs/mgmt.h"

struct stats_counter stats_counters[STATS_COUNT];

const RPC_SERVER_INTERFACE *mgmt_interface(void)
{
    return server_mgmt_v1_0_s_ifspec;
}

/* ---- Of this process ------------------------------------------------------------- */

RPC_IF_ID_VECTOR *mgmt_if_ids_new(size_t count)
{
    const size_t head = sizeof(RPC_IF_ID_VECTOR) + count * sizeof(RPC_IF_ID *);
    RPC_IF_ID_VECTOR *vector = calloc(1, head + count * sizeof(RPC_IF_ID));
    for (size_t i = 0; vector && i < count; i++)
        vector->IfId[i] = (RPC_IF_ID *)(void *)((char *)vector + head) + i;
    return vector;
}

RPC_STATUS RpcIfIdVectorFree(RPC_IF_ID_VECTOR **IfIdVector)
{
    if (!IfIdVector)
        return RPC_S_INVALID_ARG;
    free(*IfIdVector);
    *IfIdVector = NULL;
    return RPC_S_OK;
}

RPC_STATUS RpcMgmtStatsVectorFree(RPC_STATS_VECTOR **StatsVector)
{
    if (!StatsVector)
        return RPC_S_INVALID_ARG;
    free(*StatsVector);
    *StatsVector = NULL;
    return RPC_S_OK;
}

RPC_STATUS mgmt_own_if_ids(RPC_IF_ID_VECTOR **ret_vector)
{
    return registry_if_ids(ret_vector);
}

RPC_STATUS mgmt_own_stats(RPC_STATS_VECTOR **ret_vector)
{
    RPC_STATS_VECTOR *vector =
        calloc(1, sizeof(*vector) + STATS_COUNT * sizeof(vector->Stats[0]));
    if (!vector)
        return RPC_S_OUT_OF_MEMORY;
    vector->Count = STATS_COUNT;
    for (unsigned i = 0; i < STATS_COUNT; i++)
        vector->Stats[i] = (uint32_t)stats_value(i); /* what a remote program would see */
    *ret_vector = vector;
    return RPC_S_OK;
}

RPC_STATUS mgmt_own_princ_name(unsigned long authn_service, char *name, size_t size)
{
    (void)authn_service;
    (void)name;
    (void)size;
    return RPC_S_UNKNOWN_AUTHN_SERVICE; /* none is registered without security */
}

/* ---- May they ask? ----------------------------------------------------------------- */

static _Atomic(RPC_MGMT_AUTHORIZATION_FN) authorization;

RPC_STATUS RpcMgmtSetAuthorizationFn(RPC_MGMT_AUTHORIZATION_FN AuthorizationFn)
{
    atomic_store(&authorization, AuthorizationFn);
    return RPC_S_OK;
}

/* Who may stop a server could otherwise be anyone that reaches it. */
static RPC_STATUS authorize(handle_t client, unsigned long operation)
{
    RPC_MGMT_AUTHORIZATION_FN routine = atomic_load(&authorization);
    if (!routine)
        return operation == RPC_C_MGMT_STOP_SERVER_LISTEN ? RPC_S_ACCESS_DENIED : RPC_S_OK;
    RPC_STATUS status = RPC_S_OK;
    if (routine(client, operation, &status))
        return RPC_S_OK;
    return status == RPC_S_OK ? RPC_S_ACCESS_DENIED : status;
}

/* ---- Of this process, for others ------------------------------------------------------ */

static RPC_STATUS copy_if_ids(const RPC_IF_ID_VECTOR *from, mgmt_if_id_vector_p_t *ret_vector)
{
    mgmt_if_id_vector_p_t to = stub_memory_allocate(
        offsetof(mgmt_if_id_vector_t, if_id) + from->Count * sizeof(to->if_id[0]));
    if (!to)
        return RPC_S_OUT_OF_MEMORY;
    *ret_vector = to; /* the stub frees it, however far we get */
    for (to->count = 0; to->count < from->Count; to->count++) {
        const RPC_IF_ID *id = from->IfId[to->count];
        mgmt_if_id_t *copy = stub_memory_allocate(sizeof(*copy));
        if (!copy)
            return RPC_S_OUT_OF_MEMORY;
        *copy = (mgmt_if_id_t){id->Uuid, id->VersMajor, id->VersMinor};
        to->if_id[to->count] = copy;
    }
    return RPC_S_OK;
}

void server_rpc_mgmt_inq_if_ids(handle_t binding_handle, mgmt_if_id_vector_p_t *if_id_vector,
                                error_status_t *status)
{
    RPC_IF_ID_VECTOR *own = NULL;
    RPC_STATUS result = authorize(binding_handle, RPC_C_MGMT_INQ_IF_IDS);
    *if_id_vector = NULL;
    if (result == RPC_S_OK)
        result = mgmt_own_if_ids(&own);
    if (result == RPC_S_OK)
        result = copy_if_ids(own, if_id_vector);
    RpcIfIdVectorFree(&own);
    *status = (error_status_t)result;
}

/* `statistics` has room for as many as the client asks for. */
void server_rpc_mgmt_inq_stats(handle_t binding_handle, StatisticsCount *count,
                               uint32_t *statistics, error_status_t *status)
{
    RPC_STATUS result = authorize(binding_handle, RPC_C_MGMT_INQ_STATS);
    if (result != RPC_S_OK)
        *count = 0;
    else if (*count > STATS_COUNT)
        *count = STATS_COUNT;
    for (unsigned i = 0; i < *count; i++)
        statistics[i] = (uint32_t)stats_value(i);
    *status = (error_status_t)result;
}

uint32_t server_rpc_mgmt_is_server_listening(handle_t binding_handle, error_status_t *status)
{
    RPC_STATUS result = authorize(binding_handle, RPC_C_MGMT_IS_SERVER_LISTEN);
    *status = (error_status_t)result;
    return result == RPC_S_OK && server_is_listening();
}

void server_rpc_mgmt_stop_server_listening(handle_t binding_handle, error_status_t *status)
{
    RPC_STATUS result = authorize(binding_handle, RPC_C_MGMT_STOP_SERVER_LISTEN);
    if (result == RPC_S_OK)
        result = RpcMgmtStopServerListening(NULL);
    *status = (error_status_t)result;
}

void server_rpc_mgmt_inq_princ_name(handle_t binding_handle, uint32_t authn_proto,
                                    uint32_t princ_name_size, unsigned char *princ_name,
                                    error_status_t *status)
{
    RPC_STATUS result = authorize(binding_handle, RPC_C_MGMT_INQ_PRINC_NAME);
    if (princ_name_size == 0) /* not even an empty string can be returned */
        RpcRaiseException(RPC_S_INVALID_ARG);
    princ_name[0] = '\0';
    if (result == RPC_S_OK)
        result = mgmt_own_princ_name(authn_proto, (char *)princ_name, princ_name_size);
    *status = (error_status_t)result;
}
