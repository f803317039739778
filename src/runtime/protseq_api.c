/* SPDX-License-Identifier: MIT */
/* protseq_api.c - RpcServerUseProtseq and kin: which endpoints a server opens; opening one is
 * endpoint.c's.  And which protocol sequences there are, and what threads are like. */
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "io/reactor.h"
#include "runtime/server.h"

static RPC_STATUS check(RPC_CSTR protseq, PRPC_POLICY policy, enum transport_kind *ret_kind)
{
    if (!protseq || (policy && policy->Length != sizeof(*policy)))
        return RPC_S_INVALID_ARG;
    return transport_from_protseq((const char *)protseq, ret_kind);
}

/* ---- One protocol sequence ---------------------------------------------------- */

RPC_STATUS RpcServerUseProtseqExA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                  void *SecurityDescriptor, PRPC_POLICY Policy)
{
    enum transport_kind kind;
    (void)SecurityDescriptor;
    RPC_STATUS status = check(Protseq, Policy, &kind);
    return status == RPC_S_OK ? server_add_endpoint(kind, NULL, MaxCalls, Policy) : status;
}

RPC_STATUS RpcServerUseProtseqA(RPC_CSTR Protseq, unsigned int MaxCalls, void *SecurityDescriptor)
{
    return RpcServerUseProtseqExA(Protseq, MaxCalls, SecurityDescriptor, NULL);
}

RPC_STATUS RpcServerUseProtseqEpExA(RPC_CSTR Protseq, unsigned int MaxCalls, RPC_CSTR Endpoint,
                                    void *SecurityDescriptor, PRPC_POLICY Policy)
{
    enum transport_kind kind;
    (void)SecurityDescriptor;
    RPC_STATUS status = Endpoint ? check(Protseq, Policy, &kind) : RPC_S_INVALID_ARG;
    return status == RPC_S_OK ? server_add_endpoint(kind, (const char *)Endpoint, MaxCalls, Policy)
                              : status;
}

RPC_STATUS RpcServerUseProtseqEpA(RPC_CSTR Protseq, unsigned int MaxCalls, RPC_CSTR Endpoint,
                                  void *SecurityDescriptor)
{
    return RpcServerUseProtseqEpExA(Protseq, MaxCalls, Endpoint, SecurityDescriptor, NULL);
}

/* Opens the endpoints of the interface that are of `kind` (TRANSPORT_COUNT: of any), up to the
 * first that fails.  RPC_S_PROTSEQ_NOT_FOUND: there are none. */
static RPC_STATUS use_endpoints(const RPC_SERVER_INTERFACE *spec, enum transport_kind kind,
                                unsigned max_calls, const RPC_POLICY *policy)
{
    RPC_STATUS status = RPC_S_PROTSEQ_NOT_FOUND;
    for (unsigned i = 0; i < spec->RpcProtseqEndpointCount; i++) {
        const RPC_PROTSEQ_ENDPOINT *named = &spec->RpcProtseqEndpoint[i];
        enum transport_kind its;
        if (transport_from_protseq((const char *)named->RpcProtocolSequence, &its) != RPC_S_OK ||
            (kind != TRANSPORT_COUNT && its != kind))
            continue;
        status = server_add_endpoint(its, (const char *)named->Endpoint, max_calls, policy);
        if (status != RPC_S_OK)
            return status;
    }
    return status;
}

RPC_STATUS RpcServerUseProtseqIfExA(RPC_CSTR Protseq, unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                    void *SecurityDescriptor, PRPC_POLICY Policy)
{
    enum transport_kind kind;
    (void)SecurityDescriptor;
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    RPC_STATUS status = spec ? check(Protseq, Policy, &kind) : RPC_S_INVALID_ARG;
    return status == RPC_S_OK ? use_endpoints(spec, kind, MaxCalls, Policy) : status;
}

RPC_STATUS RpcServerUseProtseqIfA(RPC_CSTR Protseq, unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                  void *SecurityDescriptor)
{
    return RpcServerUseProtseqIfExA(Protseq, MaxCalls, IfSpec, SecurityDescriptor, NULL);
}

/* ---- All of them ---------------------------------------------------------------- */

RPC_STATUS RpcServerUseAllProtseqsEx(unsigned int MaxCalls, void *SecurityDescriptor,
                                     PRPC_POLICY Policy)
{
    RPC_STATUS failure = RPC_S_OK;
    unsigned opened = 0;
    (void)SecurityDescriptor;
    if (Policy && Policy->Length != sizeof(*Policy))
        return RPC_S_INVALID_ARG;
    for (unsigned kind = 0; kind < TRANSPORT_COUNT; kind++) {
        RPC_STATUS status = server_add_endpoint((enum transport_kind)kind, NULL, MaxCalls, Policy);
        opened += status == RPC_S_OK;
        if (failure == RPC_S_OK)
            failure = status;
    }
    return opened > 0 ? RPC_S_OK : failure;
}

RPC_STATUS RpcServerUseAllProtseqs(unsigned int MaxCalls, void *SecurityDescriptor)
{
    return RpcServerUseAllProtseqsEx(MaxCalls, SecurityDescriptor, NULL);
}

RPC_STATUS RpcServerUseAllProtseqsIfEx(unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                       void *SecurityDescriptor, PRPC_POLICY Policy)
{
    const RPC_SERVER_INTERFACE *spec = registry_spec(IfSpec);
    (void)SecurityDescriptor;
    if (!spec || (Policy && Policy->Length != sizeof(*Policy)))
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = use_endpoints(spec, TRANSPORT_COUNT, MaxCalls, Policy);
    return status == RPC_S_PROTSEQ_NOT_FOUND ? RPC_S_NO_PROTSEQS : status;
}

RPC_STATUS RpcServerUseAllProtseqsIf(unsigned int MaxCalls, RPC_IF_HANDLE IfSpec,
                                     void *SecurityDescriptor)
{
    return RpcServerUseAllProtseqsIfEx(MaxCalls, IfSpec, SecurityDescriptor, NULL);
}

/* ---- Which there are -------------------------------------------------------------- */

/* Both in one block: the vector, then the names, octets or UTF-16 units. */
#define NAMES_ROOM ((size_t)TRANSPORT_COUNT * 16)

RPC_STATUS RpcNetworkInqProtseqsA(RPC_PROTSEQ_VECTORA **ProtseqVector)
{
    const size_t head = sizeof(RPC_PROTSEQ_VECTORA) + TRANSPORT_COUNT * sizeof(unsigned char *);
    if (!ProtseqVector)
        return RPC_S_INVALID_ARG;
    RPC_PROTSEQ_VECTORA *vector = calloc(1, head + NAMES_ROOM);
    if (!vector)
        return RPC_S_OUT_OF_MEMORY;
    unsigned char *name = (unsigned char *)vector + head;
    for (unsigned kind = 0; kind < TRANSPORT_COUNT; kind++) {
        const char *protseq = transport_protseq((enum transport_kind)kind);
        vector->Protseq[vector->Count++] = name;
        name += strlen(strcpy((char *)name, protseq)) + 1;
    }
    *ProtseqVector = vector;
    return RPC_S_OK;
}

RPC_STATUS RpcNetworkInqProtseqsW(RPC_PROTSEQ_VECTORW **ProtseqVector)
{
    const size_t head = sizeof(RPC_PROTSEQ_VECTORW) + TRANSPORT_COUNT * sizeof(WCHAR *);
    if (!ProtseqVector)
        return RPC_S_INVALID_ARG;
    RPC_PROTSEQ_VECTORW *vector = calloc(1, head + NAMES_ROOM * sizeof(WCHAR));
    if (!vector)
        return RPC_S_OUT_OF_MEMORY;
    WCHAR *name = (WCHAR *)(void *)((char *)vector + head);
    for (unsigned kind = 0; kind < TRANSPORT_COUNT; kind++) {
        const char *protseq = transport_protseq((enum transport_kind)kind);
        vector->Protseq[vector->Count++] = name;
        do /* ASCII */
            *name++ = (unsigned char)*protseq;
        while (*protseq++ != '\0');
    }
    *ProtseqVector = vector;
    return RPC_S_OK;
}

RPC_STATUS RpcProtseqVectorFreeA(RPC_PROTSEQ_VECTORA **ProtseqVector)
{
    if (!ProtseqVector)
        return RPC_S_INVALID_ARG;
    free(*ProtseqVector);
    *ProtseqVector = NULL;
    return RPC_S_OK;
}

RPC_STATUS RpcProtseqVectorFreeW(RPC_PROTSEQ_VECTORW **ProtseqVector)
{
    if (!ProtseqVector)
        return RPC_S_INVALID_ARG;
    free(*ProtseqVector);
    *ProtseqVector = NULL;
    return RPC_S_OK;
}

RPC_STATUS RpcNetworkIsProtseqValidA(RPC_CSTR Protseq)
{
    enum transport_kind kind;
    return Protseq ? transport_from_protseq((const char *)Protseq, &kind) : RPC_S_INVALID_ARG;
}

/* ---- Threads ------------------------------------------------------------------------ */

RPC_STATUS RpcMgmtSetServerStackSize(unsigned long ThreadStackSize)
{
    return reactor_set_stack_size(ThreadStackSize) ? RPC_S_OK : RPC_S_INVALID_ARG;
}

void RpcServerYield(void)
{
    sched_yield();
}
