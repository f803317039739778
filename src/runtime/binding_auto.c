/* SPDX-License-Identifier: MIT */
/* binding_auto.c - the bindings of [auto_handle] operations: one per interface. */
#include <stdlib.h>

#include <penstock/rpc.h>

#include "runtime/binding.h"

struct automatic {
    struct automatic *next;
    const RPC_CLIENT_INTERFACE *spec;
    RPC_BINDING_HANDLE handle;
};

static pthread_mutex_t automatics_lock = PTHREAD_MUTEX_INITIALIZER;
static struct automatic *automatics;

static RPC_STATUS bind_first(const RPC_CLIENT_INTERFACE *spec, RPC_BINDING_HANDLE *ret_handle)
{
    for (unsigned i = 0; i < spec->RpcProtseqEndpointCount; i++) {
        const RPC_PROTSEQ_ENDPOINT *endpoint = &spec->RpcProtseqEndpoint[i];
        RPC_CSTR text;
        if (RpcStringBindingComposeA(NULL, endpoint->RpcProtocolSequence, NULL, endpoint->Endpoint,
                                     NULL, &text) != RPC_S_OK)
            continue;
        RPC_STATUS status = RpcBindingFromStringBindingA(text, ret_handle);
        RpcStringFreeA(&text);
        if (status == RPC_S_OK)
            return RPC_S_OK;
    }
    return RPC_S_NO_BINDINGS;
}

RPC_STATUS binding_automatic(const RPC_CLIENT_INTERFACE *spec, RPC_BINDING_HANDLE *ret_handle)
{
    RPC_STATUS status = RPC_S_OK;
    pthread_mutex_lock(&automatics_lock);
    struct automatic *automatic = automatics;
    while (automatic && automatic->spec != spec)
        automatic = automatic->next;
    if (!automatic) {
        automatic = calloc(1, sizeof(*automatic));
        status = automatic ? bind_first(spec, &automatic->handle) : RPC_S_OUT_OF_MEMORY;
        if (status == RPC_S_OK) {
            automatic->spec = spec;
            automatic->next = automatics;
            automatics = automatic;
        } else {
            free(automatic);
        }
    }
    if (status == RPC_S_OK)
        *ret_handle = automatic->handle;
    pthread_mutex_unlock(&automatics_lock);
    return status;
}
