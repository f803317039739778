/* SPDX-License-Identifier: MIT */
/* mgmt_client.c - RpcMgmtInq... and kin: questions to this process or, with a binding handle,
 * to another through its management interface.  The stubs tell every failure by a status, so
 * nothing is raised here. */
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "runtime/binding.h"
#include "runtime/mgmt.h"
#include "runtime/server.h"
#include "runtime/stats.h"
#include "runtime/stub_memory.h"
#include "stubs/mgmt.h"

/* Octets of a principal name, with its NUL: the most that MS-RPCE 2.2.1.3.4 lets us ask for. */
#define PRINC_NAME_SIZE 4096u

/* ---- Which server ---------------------------------------------------------------------- */

/* The next entry that `protseq` leads to; RPC_X_NO_MORE_ENTRIES. */
static RPC_STATUS next_interface(RPC_EP_INQ_HANDLE inquiry, enum transport_kind kind,
                                 RPC_IF_ID *ret_id)
{
    RPC_STATUS status;
    bool found = false;
    do {
        RPC_BINDING_HANDLE handle = NULL;
        struct binding *binding;
        status = RpcMgmtEpEltInqNextA(inquiry, ret_id, &handle, NULL, NULL);
        if (status != RPC_S_OK || !handle)
            continue;
        if (binding_get_client(handle, &binding) == RPC_S_OK) {
            found = binding->kind == kind;
            binding_put(binding);
        }
        RpcBindingFree(&handle);
    } while (status == RPC_S_OK && !found);
    return status;
}

/* Some interface that is registered with the object at the handle's host. */
static RPC_STATUS find_interface(RPC_BINDING_HANDLE handle, struct binding *binding,
                                 RPC_IF_ID *ret_id)
{
    RPC_EP_INQ_HANDLE inquiry;
    RPC_BINDING_HANDLE host;
    UUID object;
    RPC_STATUS status = RpcBindingInqObject(handle, &object);
    if (status == RPC_S_OK)
        status = RpcBindingCopy(handle, &host);
    if (status != RPC_S_OK)
        return status;
    RpcBindingSetObject(host, NULL);
    status = RpcMgmtEpEltInqBegin(host, RPC_C_EP_MATCH_BY_OBJ, NULL, 0, &object, &inquiry);
    RpcBindingFree(&host);
    if (status != RPC_S_OK)
        return status;
    status = next_interface(inquiry, binding->kind, ret_id);
    RpcMgmtEpEltInqDone(&inquiry);
    return status == RPC_X_NO_MORE_ENTRIES ? EPT_S_NOT_REGISTERED : status;
}

/* Every server has this interface and none registers it, so of a handle without an endpoint only
 * the object can say which server is meant (C706, rpc_mgmt_inq_if_ids). */
static RPC_STATUS resolve(RPC_BINDING_HANDLE handle, struct binding *binding)
{
    RPC_CLIENT_INTERFACE spec = {.Length = sizeof(spec)};
    RPC_IF_ID id;
    pthread_mutex_lock(&binding->lock);
    const bool has_object = binding->has_object;
    pthread_mutex_unlock(&binding->lock);
    if (!has_object)
        return RPC_S_BINDING_INCOMPLETE;
    RPC_STATUS status = find_interface(handle, binding, &id);
    if (status != RPC_S_OK)
        return status;
    spec.InterfaceId.SyntaxGUID = id.Uuid;
    spec.InterfaceId.SyntaxVersion.MajorVersion = id.VersMajor;
    spec.InterfaceId.SyntaxVersion.MinorVersion = id.VersMinor;
    return binding_resolve(binding, &spec, true);
}

/* Before the call: a server handle must be told from a client's that leads nowhere. */
static RPC_STATUS check_binding(RPC_BINDING_HANDLE handle)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(handle, &binding);
    if (status != RPC_S_OK)
        return status;
    if (binding_is_partial(binding))
        status = resolve(handle, binding);
    binding_put(binding);
    return status;
}

/* ---- Interfaces ------------------------------------------------------------------------ */

static void free_if_ids(mgmt_if_id_vector_p_t vector)
{
    for (uint32_t i = 0; vector && i < vector->count; i++)
        stub_memory_free(vector->if_id[i]);
    stub_memory_free(vector);
}

/* Elements a server left out are left out. */
static RPC_STATUS copy_if_ids(const mgmt_if_id_vector_t *from, RPC_IF_ID_VECTOR **ret_vector)
{
    RPC_IF_ID_VECTOR *to = mgmt_if_ids_new(from->count);
    if (!to)
        return RPC_S_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < from->count; i++)
        if (from->if_id[i])
            *to->IfId[to->Count++] = (RPC_IF_ID){
                from->if_id[i]->uuid, from->if_id[i]->vers_major, from->if_id[i]->vers_minor};
    *ret_vector = to;
    return RPC_S_OK;
}

RPC_STATUS RpcMgmtInqIfIds(RPC_BINDING_HANDLE Binding, RPC_IF_ID_VECTOR **IfIdVector)
{
    if (!IfIdVector)
        return RPC_S_INVALID_ARG;
    *IfIdVector = NULL;
    if (!Binding)
        return mgmt_own_if_ids(IfIdVector);
    RPC_STATUS status = check_binding(Binding);
    if (status != RPC_S_OK)
        return status;
    mgmt_if_id_vector_p_t received = NULL;
    error_status_t told = RPC_S_OK;
    struct stub_memory outer;
    stub_memory_enter(&outer);
    client_rpc_mgmt_inq_if_ids(Binding, &received, &told);
    stub_memory_leave(&outer);
    status = (RPC_STATUS)told;
    if (status == RPC_S_OK)
        status = received ? copy_if_ids(received, IfIdVector) : RPC_S_NO_INTERFACES;
    free_if_ids(received);
    return status;
}

/* ---- Statistics --------------------------------------------------------------------------- */

RPC_STATUS RpcMgmtInqStats(RPC_BINDING_HANDLE Binding, RPC_STATS_VECTOR **Statistics)
{
    if (!Statistics)
        return RPC_S_INVALID_ARG;
    if (!Binding)
        return mgmt_own_stats(Statistics);
    RPC_STATUS status = check_binding(Binding);
    if (status != RPC_S_OK)
        return status;
    RPC_STATS_VECTOR *vector =
        calloc(1, sizeof(*vector) + STATS_COUNT * sizeof(vector->Stats[0]));
    if (!vector)
        return RPC_S_OUT_OF_MEMORY;
    uint32_t places[STATS_COUNT] = {0};
    StatisticsCount count = STATS_COUNT;
    error_status_t told = RPC_S_OK;
    struct stub_memory outer;
    stub_memory_enter(&outer);
    client_rpc_mgmt_inq_stats(Binding, &count, places, &told);
    stub_memory_leave(&outer);
    if (told == RPC_S_OK) {
        vector->Count = count;
        for (uint32_t i = 0; i < count; i++) /* the stub takes no more than were asked for */
            vector->Stats[i] = places[i];
        *Statistics = vector;
        vector = NULL;
    }
    RpcMgmtStatsVectorFree(&vector);
    return (RPC_STATUS)told;
}

/* ---- Listening ------------------------------------------------------------------------------ */

RPC_STATUS mgmt_ask_listening(RPC_BINDING_HANDLE binding)
{
    RPC_STATUS status = check_binding(binding);
    if (status != RPC_S_OK)
        return status;
    error_status_t told = RPC_S_OK;
    uint32_t listening = client_rpc_mgmt_is_server_listening(binding, &told);
    if (told != RPC_S_OK)
        return (RPC_STATUS)told;
    return listening ? RPC_S_OK : RPC_S_NOT_LISTENING;
}

RPC_STATUS mgmt_ask_stop(RPC_BINDING_HANDLE binding)
{
    RPC_STATUS status = check_binding(binding);
    if (status != RPC_S_OK)
        return status;
    error_status_t told = RPC_S_OK;
    client_rpc_mgmt_stop_server_listening(binding, &told);
    return (RPC_STATUS)told;
}

/* ---- Principal name ---------------------------------------------------------------------------- */

RPC_STATUS RpcMgmtInqServerPrincNameA(RPC_BINDING_HANDLE Binding, unsigned long AuthnSvc,
                                      RPC_CSTR *ServerPrincName)
{
    if (!ServerPrincName)
        return RPC_S_INVALID_ARG;
    char *name = calloc(1, PRINC_NAME_SIZE);
    if (!name)
        return RPC_S_OUT_OF_MEMORY;
    RPC_STATUS status = Binding ? check_binding(Binding)
                                : mgmt_own_princ_name(AuthnSvc, name, PRINC_NAME_SIZE);
    if (Binding && status == RPC_S_OK) {
        error_status_t told = RPC_S_OK;
        client_rpc_mgmt_inq_princ_name(Binding, (uint32_t)AuthnSvc, PRINC_NAME_SIZE,
                                       (unsigned char *)name, &told);
        status = (RPC_STATUS)told;
    }
    char *shrunk = status == RPC_S_OK ? strdup(name) : NULL;
    free(name);
    if (status == RPC_S_OK && !shrunk)
        return RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK)
        *ServerPrincName = (RPC_CSTR)shrunk;
    return status;
}
