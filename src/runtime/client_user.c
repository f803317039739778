/* SPDX-License-Identifier: MIT */
/* client_user.c - who of this computer has made a call: what the kernel says of the other end
 * of a local connection. */
#include <sys/socket.h>

#include <penstock/rpc.h>

#include "runtime/call.h"
#include "runtime/server_call.h"

RPC_STATUS RpcxServerInqClientUser(RPC_BINDING_HANDLE ClientBinding, unsigned long *Uid,
                                   unsigned long *Gid, unsigned long *Pid)
{
    struct rpc_call *call;
    struct ucred credentials;
    socklen_t len = sizeof(credentials);
    RPC_STATUS status = server_call_get(ClientBinding, &call);
    if (status != RPC_S_OK)
        return status;
    conn_lock(call->conn); /* the descriptor goes with the connection */
    if (call->conn->kind != TRANSPORT_UNIX)
        status = RPC_S_CANNOT_SUPPORT;
    else if (getsockopt(call->conn->watch.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0)
        status = RPC_S_CALL_FAILED; /* it is gone */
    conn_unlock(call->conn);
    call_put(call);
    if (status != RPC_S_OK)
        return status;
    if (Uid)
        *Uid = credentials.uid;
    if (Gid)
        *Gid = credentials.gid;
    if (Pid)
        *Pid = (unsigned long)credentials.pid;
    return RPC_S_OK;
}
