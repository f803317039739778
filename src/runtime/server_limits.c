/* SPDX-License-Identifier: MIT */
/* server_limits.c - RpcxServerSetConnectionLimits: what a program sets instead of the defaults
 * of base/limits.h.  Who keeps to them: server_conns.c, endpoint.c. */
#include "runtime/server_limits.h"

#include <stdatomic.h>
#include <stdint.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "runtime/server_conns.h"

/* As set: 0 is the default. */
static struct {
    atomic_uint connections, per_peer, bind_ms, idle_ms, keep_alive_s;
} limits;

static unsigned or_default(const atomic_uint *value, unsigned preset)
{
    unsigned set = atomic_load_explicit(value, memory_order_relaxed);
    return set ? set : preset;
}

unsigned limit_connections(void)
{
    return or_default(&limits.connections, LIMIT_SERVER_CONNS);
}

unsigned limit_connections_per_peer(void)
{
    return or_default(&limits.per_peer, 0);
}

unsigned limit_bind_ms(void)
{
    return or_default(&limits.bind_ms, LIMIT_BIND_MS);
}

unsigned limit_idle_ms(void)
{
    return or_default(&limits.idle_ms, 0);
}

unsigned limit_keep_alive_s(void)
{
    unsigned set = or_default(&limits.keep_alive_s, LIMIT_KEEP_ALIVE_S);
    return set == RPCX_KEEP_ALIVE_NEVER ? 0 : set;
}

RPC_STATUS RpcxServerInqConnectionLimits(RPCX_CONNECTION_LIMITS *Limits)
{
    if (!Limits || Limits->Length != sizeof(*Limits))
        return RPC_S_INVALID_ARG;
    Limits->Connections = limit_connections();
    Limits->ConnectionsPerPeer = limit_connections_per_peer();
    Limits->BindTimeout = limit_bind_ms();
    Limits->IdleTimeout = limit_idle_ms();
    const unsigned keep_alive_s = limit_keep_alive_s();
    Limits->KeepAlive = keep_alive_s > 0 ? keep_alive_s : RPCX_KEEP_ALIVE_NEVER;
    return RPC_S_OK;
}

RPC_STATUS RpcxServerSetConnectionLimits(const RPCX_CONNECTION_LIMITS *Limits)
{
    /* The times are compared as differences of 32 bits; TCP takes 32,767 s at most. */
    if (!Limits || Limits->Length != sizeof(*Limits) || Limits->BindTimeout > INT32_MAX ||
        Limits->IdleTimeout > INT32_MAX ||
        (Limits->KeepAlive > RPCX_KEEP_ALIVE_MAX && Limits->KeepAlive != RPCX_KEEP_ALIVE_NEVER))
        return RPC_S_INVALID_ARG;
    atomic_store(&limits.connections, Limits->Connections);
    atomic_store(&limits.per_peer, Limits->ConnectionsPerPeer);
    atomic_store(&limits.bind_ms, Limits->BindTimeout);
    atomic_store(&limits.idle_ms, Limits->IdleTimeout);
    atomic_store(&limits.keep_alive_s, Limits->KeepAlive);
    server_conns_limits_changed();
    return RPC_S_OK;
}
