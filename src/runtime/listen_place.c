/* SPDX-License-Identifier: MIT */
/* listen_place.c - RpcxServerSetPorts, RpcxServerSetAddresses.
 *
 * On Windows the registry has this for a whole machine, in its keys Rpc, Internet (ports) and Rpc,
 * Linkage (addresses); RPC_POLICY then chooses per endpoint.  Here a program says it. */
#include "runtime/listen_place.h"

#include <pthread.h>
#include <string.h>

enum { PORTS_DEFAULT, PORTS_INTERNET, PORTS_INTRANET, PORTS_COUNT };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct transport_place ports[PORTS_COUNT];
static struct transport_place addresses;

static void add_ranges(struct transport_place *place, const struct transport_place *from)
{
    for (unsigned i = 0; i < from->range_count && place->range_count < TRANSPORT_RANGES_MAX; i++)
        place->ranges[place->range_count++] = from->ranges[i];
}

void listen_place(const RPC_POLICY *policy, struct transport_place *ret_place)
{
    const unsigned long flags = policy ? policy->EndpointFlags : 0;
    memset(ret_place, 0, sizeof(*ret_place));
    pthread_mutex_lock(&lock);
    if (!policy || !(policy->NICFlags & RPC_C_BIND_TO_ALL_NICS))
        *ret_place = addresses;
    if (flags & RPC_C_USE_INTERNET_PORT)
        add_ranges(ret_place, &ports[PORTS_INTERNET]);
    if (flags & RPC_C_USE_INTRANET_PORT)
        add_ranges(ret_place, &ports[PORTS_INTRANET]);
    if (!(flags & (RPC_C_USE_INTERNET_PORT | RPC_C_USE_INTRANET_PORT)))
        add_ranges(ret_place, &ports[PORTS_DEFAULT]);
    pthread_mutex_unlock(&lock);
    ret_place->any_port = (flags & RPC_C_DONT_FAIL) != 0;
}

RPC_STATUS RpcxServerSetPorts(unsigned long EndpointFlag, RPC_CSTR Ports)
{
    struct transport_place place = {.range_count = 0};
    unsigned which = PORTS_DEFAULT;
    if (EndpointFlag == RPC_C_USE_INTERNET_PORT)
        which = PORTS_INTERNET;
    else if (EndpointFlag == RPC_C_USE_INTRANET_PORT)
        which = PORTS_INTRANET;
    else if (EndpointFlag != 0)
        return RPC_S_INVALID_ARG;
    if (Ports && !transport_place_ports(&place, (const char *)Ports))
        return RPC_S_INVALID_ENDPOINT_FORMAT;
    pthread_mutex_lock(&lock);
    ports[which] = place;
    pthread_mutex_unlock(&lock);
    return RPC_S_OK;
}

RPC_STATUS RpcxServerSetAddresses(RPC_CSTR Addresses)
{
    struct transport_place place = {.range_count = 0};
    if (Addresses && !transport_place_addresses(&place, (const char *)Addresses))
        return RPC_S_INVALID_NET_ADDR;
    pthread_mutex_lock(&lock);
    addresses = place;
    pthread_mutex_unlock(&lock);
    return RPC_S_OK;
}
