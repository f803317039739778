/* SPDX-License-Identifier: MIT */
/* call_attributes.c - RpcServerInqCallAttributes: what a server can ask about a call.
 * Versions and what is filled when: rpccallattr.h. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <penstock/rpc.h>

#include "runtime/call.h"
#include "runtime/server_call.h"

/* Flags each version knows. */
#define FLAGS_1 (RPC_QUERY_SERVER_PRINCIPAL_NAME | RPC_QUERY_CLIENT_PRINCIPAL_NAME)
#define FLAGS_2                                                                                    \
    (FLAGS_1 | RPC_QUERY_CALL_LOCAL_ADDRESS | RPC_QUERY_CLIENT_PID | RPC_QUERY_IS_CLIENT_LOCAL |   \
     RPC_QUERY_NO_AUTH_REQUIRED)
#define FLAGS_3 (FLAGS_2 | RPC_QUERY_CLIENT_ID)

#define AUTHN_LEVEL_NONE   1
#define AUTHN_SERVICE_NONE 0

/* Both forms of a version differ in the type of two pointers only, through which nothing is
 * written: one function fills both. */
_Static_assert(sizeof(RPC_CALL_ATTRIBUTES_V3_A) == sizeof(RPC_CALL_ATTRIBUTES_V3_W) &&
                   offsetof(RPC_CALL_ATTRIBUTES_V3_A, ClientIdentifier) ==
                       offsetof(RPC_CALL_ATTRIBUTES_V3_W, ClientIdentifier),
               "A and W have one layout");

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage room;
};

/* The octets of an IP address, of an IPv4 one also where it came through an IPv6 socket;
 * NULL: it is none. */
static const void *ip_of(const union address *address, size_t *ret_len)
{
    if (address->any.sa_family == AF_INET) {
        *ret_len = sizeof(address->in.sin_addr);
        return &address->in.sin_addr;
    }
    if (address->any.sa_family != AF_INET6)
        return NULL;
    const uint8_t *octets = address->in6.sin6_addr.s6_addr;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr);
    *ret_len = mapped ? 4 : 16;
    return mapped ? octets + 12 : octets;
}

static bool addresses(const struct conn *conn, union address *ret_own, union address *ret_peer)
{
    socklen_t own_len = sizeof(*ret_own), peer_len = sizeof(*ret_peer);
    memset(ret_own, 0, sizeof(*ret_own));
    memset(ret_peer, 0, sizeof(*ret_peer));
    return getsockname(conn->watch.fd, &ret_own->any, &own_len) == 0 &&
           getpeername(conn->watch.fd, &ret_peer->any, &peer_len) == 0;
}

/* A client that has gone has no address any more. */
static RpcCallClientLocality locality(const struct conn *conn)
{
    union address own, peer;
    size_t own_len, peer_len;
    if (conn->kind == TRANSPORT_UNIX)
        return rcclLocal;
    if (!addresses(conn, &own, &peer))
        return rcclClientUnknownLocality;
    const uint8_t *own_ip = ip_of(&own, &own_len), *peer_ip = ip_of(&peer, &peer_len);
    if (!own_ip || !peer_ip)
        return rcclClientUnknownLocality;
    /* Whoever can reach us at a loopback address, or from our own, is here. */
    bool loopback = own_len == 4 ? own_ip[0] == 127
                                 : memcmp(own_ip, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
    bool same = own_len == peer_len && memcmp(own_ip, peer_ip, own_len) == 0;
    return loopback || same ? rcclLocal : rcclRemote;
}

static RPC_STATUS local_address(const struct conn *conn, RPC_CALL_LOCAL_ADDRESS_V1 *out)
{
    union address own;
    size_t len;
    socklen_t own_len = sizeof(own);
    memset(&own, 0, sizeof(own));
    const void *ip = getsockname(conn->watch.fd, &own.any, &own_len) == 0 ? ip_of(&own, &len) : NULL;
    if (!ip)
        return RPC_S_CANNOT_SUPPORT;
    out->AddressFormat = len == 4 ? rlafIPv4 : rlafIPv6;
    bool fits = out->BufferSize >= len;
    out->BufferSize = len;
    if (!fits)
        return ERROR_MORE_DATA;
    memcpy(out->Buffer, ip, len);
    return RPC_S_OK;
}

static RPC_STATUS check_1(const RPC_CALL_ATTRIBUTES_V1_A *in)
{
    if (in->Flags & RPC_QUERY_SERVER_PRINCIPAL_NAME && in->ServerPrincipalNameBufferLength > 0 &&
        !in->ServerPrincipalName)
        return RPC_S_INVALID_ARG;
    if (in->Flags & RPC_QUERY_CLIENT_PRINCIPAL_NAME && in->ClientPrincipalNameBufferLength > 0 &&
        !in->ClientPrincipalName)
        return RPC_S_INVALID_ARG;
    return RPC_S_OK;
}

static RPC_STATUS check_2(const RPC_CALL_ATTRIBUTES_V2_A *in, enum transport_kind kind)
{
    const RPC_CALL_LOCAL_ADDRESS_V1 *address = in->CallLocalAddress;
    if (in->Flags & RPC_QUERY_CALL_LOCAL_ADDRESS) {
        if (!address || address->Version != 1 || (address->BufferSize > 0 && !address->Buffer))
            return RPC_S_INVALID_ARG;
        if (kind != TRANSPORT_TCP)
            return RPC_S_CANNOT_SUPPORT;
    }
    if (in->Flags & RPC_QUERY_CLIENT_PID && kind != TRANSPORT_UNIX)
        return RPC_S_CANNOT_SUPPORT;
    return RPC_S_OK;
}

static RPC_STATUS check(const void *attributes, enum transport_kind kind)
{
    const RPC_CALL_ATTRIBUTES_V3_A *in = attributes;
    static const unsigned long flags[] = {0, FLAGS_1, FLAGS_2, FLAGS_3};
    if (in->Version < 1 || in->Version > 3 || in->Flags & ~flags[in->Version])
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = check_1(attributes);
    if (status == RPC_S_OK && in->Version >= 2)
        status = check_2(attributes, kind);
    if (status == RPC_S_OK && in->Version >= 3 && in->Flags & RPC_QUERY_CLIENT_ID &&
        in->ClientIdentifierBufferLength > 0 && !in->ClientIdentifier)
        status = RPC_S_INVALID_ARG;
    return status;
}

static void fill_1(RPC_CALL_ATTRIBUTES_V1_A *out)
{
    if (out->Flags & RPC_QUERY_SERVER_PRINCIPAL_NAME)
        out->ServerPrincipalNameBufferLength = 0;
    if (out->Flags & RPC_QUERY_CLIENT_PRINCIPAL_NAME)
        out->ClientPrincipalNameBufferLength = 0;
    out->AuthenticationLevel = AUTHN_LEVEL_NONE;
    out->AuthenticationService = AUTHN_SERVICE_NONE;
    out->NullSession = FALSE;
}

static HANDLE client_pid(const struct conn *conn)
{
    struct ucred credentials;
    socklen_t len = sizeof(credentials);
    if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0)
        return NULL;
    return (HANDLE)(uintptr_t)credentials.pid;
}

/* A client that is gone has not cancelled; what it did before is not kept apart. */
static unsigned long call_status(const struct rpc_call *call)
{
    bool gone = !conn_alive(call->conn);
    return gone ? RPC_CALL_STATUS_DISCONNECTED : (call->cancelled ? RPC_CALL_STATUS_CANCELLED : 0);
}

/* Lock held: the descriptor goes with the connection. */
static RPC_STATUS fill_2(RPC_CALL_ATTRIBUTES_V2_A *out, const struct rpc_call *call)
{
    const struct conn *conn = call->conn;
    out->KernelModeCaller = FALSE;
    out->ProtocolSequence = conn->kind == TRANSPORT_TCP ? RPC_PROTSEQ_TCP : RPC_PROTSEQ_LRPC;
    out->IsClientLocal = locality(conn);
    out->ClientPID = out->Flags & RPC_QUERY_CLIENT_PID ? client_pid(conn) : NULL;
    out->CallStatus = call_status(call);
    out->CallType = rctNormal;
    out->OpNum = (unsigned short)call->op->opnum;
    out->InterfaceUuid = call->spec->InterfaceId.SyntaxGUID;
    if (out->Flags & RPC_QUERY_CALL_LOCAL_ADDRESS)
        return local_address(conn, out->CallLocalAddress);
    return RPC_S_OK;
}

RPC_STATUS RpcServerInqCallAttributesA(RPC_BINDING_HANDLE ClientBinding, void *RpcCallAttributes)
{
    struct rpc_call *call;
    if (!RpcCallAttributes)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = server_call_get(ClientBinding, &call);
    if (status != RPC_S_OK)
        return status;
    status = check(RpcCallAttributes, call->conn->kind);
    if (status == RPC_S_OK) {
        RPC_CALL_ATTRIBUTES_V3_A *out = RpcCallAttributes;
        fill_1(RpcCallAttributes);
        if (out->Version >= 3 && out->Flags & RPC_QUERY_CLIENT_ID)
            out->ClientIdentifierBufferLength = 0;
        conn_lock(call->conn);
        if (out->Version >= 2)
            status = fill_2(RpcCallAttributes, call);
        conn_unlock(call->conn);
    }
    call_put(call);
    return status;
}

RPC_STATUS RpcServerInqCallAttributesW(RPC_BINDING_HANDLE ClientBinding, void *RpcCallAttributes)
{
    return RpcServerInqCallAttributesA(ClientBinding, RpcCallAttributes);
}
