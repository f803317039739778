/* SPDX-License-Identifier: MIT */
/* ndr_options.c - see ndr_options.h; docs/design/transfer-syntaxes.md says why the defaults
 * are what they are. */
#include "runtime/ndr_options.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "ndr/layout.h"
#include "proto/assoc.h"
#include "runtime/binding.h"

_Static_assert(RPCX_SYNTAX_NDR == ASSOC_NDR && RPCX_SYNTAX_NDR64 == ASSOC_NDR64,
               "one set of bits");

/* NDR64 is little-endian on the wire (MS-RPCE 2.2.5) and we send in the host's order. */
#define SYNTAXES_HERE                                                                              \
    (NDR64_SUPPORTED && NDR_HOST_LITTLE_ENDIAN ? (unsigned)ASSOC_SYNTAXES : (unsigned)ASSOC_NDR)

/* ---- Transfer syntaxes ---------------------------------------------------- */

static _Atomic unsigned server_syntaxes; /* 0: not set by the program */
static unsigned of_process;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Anything else is as if it were not set: a misspelt word must not cut a program off. */
static void read_environment(void)
{
    const char *word = getenv("PENSTOCK_TRANSFER_SYNTAX");
    of_process = SYNTAXES_HERE;
    if (word && strcmp(word, "ndr") == 0)
        of_process = ASSOC_NDR;
    else if (word && strcmp(word, "ndr64") == 0 && SYNTAXES_HERE & ASSOC_NDR64)
        of_process = ASSOC_NDR64;
}

unsigned ndr_client_syntaxes(void)
{
    pthread_once(&once, read_environment);
    return of_process;
}

unsigned ndr_server_syntaxes(void)
{
    unsigned set = atomic_load(&server_syntaxes);
    return set ? set : ndr_client_syntaxes();
}

unsigned ndr_interface_syntaxes(const RPC_CLIENT_INTERFACE *spec)
{
    unsigned syntaxes = SYNTAXES_HERE;
    if (spec->Flags & RPC_INTERFACE_NDR_ONLY)
        syntaxes &= ASSOC_NDR;
    if (spec->Flags & RPC_INTERFACE_NDR64_ONLY)
        syntaxes &= ASSOC_NDR64;
    return syntaxes;
}

static RPC_STATUS check_syntaxes(unsigned syntaxes)
{
    if (syntaxes == 0 || syntaxes & ~RPCX_SYNTAX_ALL)
        return RPC_S_INVALID_ARG;
    return syntaxes & SYNTAXES_HERE ? RPC_S_OK : RPC_S_UNSUPPORTED_TRANS_SYN;
}

RPC_STATUS RpcxServerSetTransferSyntaxes(unsigned int Syntaxes)
{
    RPC_STATUS status = check_syntaxes(Syntaxes);
    if (status == RPC_S_OK)
        atomic_store(&server_syntaxes, Syntaxes & SYNTAXES_HERE);
    return status;
}

RPC_STATUS RpcxBindingSetTransferSyntaxes(RPC_BINDING_HANDLE Binding, unsigned int Syntaxes)
{
    struct binding *binding;
    RPC_STATUS status = check_syntaxes(Syntaxes);
    if (status == RPC_S_OK)
        status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    binding->syntaxes = Syntaxes & SYNTAXES_HERE;
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return RPC_S_OK;
}

/* ---- Limits --------------------------------------------------------------- */

static _Atomic size_t server_allocated_max;
static _Atomic unsigned server_depth_max;

struct ndr_limits ndr_server_limits(void)
{
    return (struct ndr_limits){.allocated_max = atomic_load(&server_allocated_max),
                               .depth_max = atomic_load(&server_depth_max)};
}

struct ndr_limits binding_limits(struct binding *binding)
{
    pthread_mutex_lock(&binding->lock);
    struct ndr_limits limits = binding->limits;
    pthread_mutex_unlock(&binding->lock);
    return limits;
}

RPC_STATUS RpcxServerSetLimits(size_t AllocatedMax, unsigned int DepthMax)
{
    atomic_store(&server_allocated_max, AllocatedMax);
    atomic_store(&server_depth_max, DepthMax);
    return RPC_S_OK;
}

RPC_STATUS RpcxBindingSetLimits(RPC_BINDING_HANDLE Binding, size_t AllocatedMax,
                                unsigned int DepthMax)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    binding->limits = (struct ndr_limits){AllocatedMax, DepthMax};
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return RPC_S_OK;
}
