/* SPDX-License-Identifier: MIT */
/* binding_options.c - how calls on a binding handle behave: time-outs and options
 * (rpcdce.h, docs/design/order.md). */
#include "runtime/binding.h"

#include <stdint.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "runtime/conn_pool.h"

/* ---- Communication time-out ------------------------------------------------ */

unsigned com_timeout_connect_ms(unsigned com_timeout)
{
    return com_timeout == RPC_C_BINDING_INFINITE_TIMEOUT
               ? 0
               : (com_timeout + 1) * LIMIT_CONNECT_STEP_MS;
}

/* 120 * (n + 1) is the guide's table, 60 the function's page for 0 (api.md 2.3). */
unsigned com_timeout_keep_alive_s(unsigned com_timeout)
{
    if (com_timeout == RPC_C_BINDING_INFINITE_TIMEOUT)
        return 0;
    return com_timeout == RPC_C_BINDING_MIN_TIMEOUT ? 60 : 120 * (com_timeout + 1);
}

RPC_STATUS RpcMgmtSetComTimeout(RPC_BINDING_HANDLE Binding, unsigned int Timeout)
{
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    if (Timeout <= RPC_C_BINDING_INFINITE_TIMEOUT) {
        pthread_mutex_lock(&binding->lock);
        binding->com_timeout = Timeout;
        pthread_mutex_unlock(&binding->lock);
    } else {
        status = RPC_S_INVALID_TIMEOUT;
    }
    binding_put(binding);
    return status;
}

RPC_STATUS RpcMgmtInqComTimeout(RPC_BINDING_HANDLE Binding, unsigned int *Timeout)
{
    if (!Timeout)
        return RPC_S_INVALID_ARG;
    struct binding *binding;
    RPC_STATUS status = binding_get_client(Binding, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    *Timeout = binding->com_timeout;
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return RPC_S_OK;
}

/* ---- Options --------------------------------------------------------------- */

/* The client binding behind `handle`, for an option it can have.  RPC_S_CANNOT_SUPPORT as
 * documented: not this option, or not on this protocol sequence. */
static RPC_STATUS get_for_option(RPC_BINDING_HANDLE handle, unsigned long option,
                                 struct binding **ret_binding)
{
    RPC_STATUS status = binding_get_client(handle, ret_binding);
    if (status != RPC_S_OK)
        return status;
    switch (option) {
    case RPC_C_OPT_BINDING_NONCAUSAL:
    case RPC_C_OPT_UNIQUE_BINDING:
    case RPC_C_OPT_CALL_TIMEOUT:
        if ((*ret_binding)->kind == TRANSPORT_TCP)
            return RPC_S_OK;
        break;
    case RPC_C_OPT_DONT_LINGER:
        return RPC_S_OK;
    default:
        break;
    }
    binding_put(*ret_binding);
    return RPC_S_CANNOT_SUPPORT;
}

/* Lock held.  Gives *ret_pool, to be closed, or leaves it. */
static RPC_STATUS set_option(struct binding *binding, unsigned long option, ULONG_PTR value,
                             struct server_pool **ret_pool)
{
    switch (option) {
    case RPC_C_OPT_BINDING_NONCAUSAL:
        binding->noncausal = value != 0;
        return RPC_S_OK;
    case RPC_C_OPT_UNIQUE_BINDING:
        if (binding->unique != (value != 0)) { /* the next call looks for connections anew */
            *ret_pool = binding->pool;
            binding->pool = NULL;
        }
        binding->unique = value != 0;
        return RPC_S_OK;
    case RPC_C_OPT_CALL_TIMEOUT:
        if (value > UINT32_MAX)
            return RPC_S_INVALID_ARG;
        binding->call_timeout_ms = value == UINT32_MAX ? 0 : (unsigned)value; /* INFINITE */
        return RPC_S_OK;
    case RPC_C_OPT_DONT_LINGER:
        if (!binding->pool) /* no call was made yet */
            return RPC_S_WRONG_KIND_OF_BINDING;
        binding->dont_linger = value != 0; /* ours never do, see server_pool_close() */
        return RPC_S_OK;
    default:
        return RPC_S_CANNOT_SUPPORT;
    }
}

RPC_STATUS RpcBindingSetOption(RPC_BINDING_HANDLE hBinding, unsigned long option,
                               ULONG_PTR optionValue)
{
    struct binding *binding;
    struct server_pool *pool = NULL;
    RPC_STATUS status = get_for_option(hBinding, option, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    status = set_option(binding, option, optionValue, &pool);
    pthread_mutex_unlock(&binding->lock);
    if (pool)
        server_pool_close(pool);
    binding_put(binding);
    return status;
}

static ULONG_PTR option_value(const struct binding *binding, unsigned long option)
{
    switch (option) {
    case RPC_C_OPT_BINDING_NONCAUSAL:
        return binding->noncausal;
    case RPC_C_OPT_UNIQUE_BINDING:
        return binding->unique;
    case RPC_C_OPT_CALL_TIMEOUT:
        return binding->call_timeout_ms;
    default:
        return binding->dont_linger;
    }
}

RPC_STATUS RpcBindingInqOption(RPC_BINDING_HANDLE hBinding, unsigned long option,
                               ULONG_PTR *pOptionValue)
{
    struct binding *binding;
    if (!pOptionValue)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = get_for_option(hBinding, option, &binding);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&binding->lock);
    *pOptionValue = option_value(binding, option);
    pthread_mutex_unlock(&binding->lock);
    binding_put(binding);
    return RPC_S_OK;
}
