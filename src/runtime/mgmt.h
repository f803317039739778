/* SPDX-License-Identifier: MIT */
/* mgmt.h - the management interface, which every server offers without having registered it:
 * mgmt_server.c has its routines, mgmt_client.c the functions that call those of others. */
#ifndef RUNTIME_MGMT_H
#define RUNTIME_MGMT_H

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

/* Its specification, with its routines. */
const RPC_SERVER_INTERFACE *mgmt_interface(void);

/* A vector with room for `count` identifiers, in one block that RpcIfIdVectorFree releases: its
 * IfId point to them, its Count is 0.  NULL: out of memory. */
RPC_IF_ID_VECTOR *mgmt_if_ids_new(size_t count);

/* What a process says of itself.  The vectors are the caller's. */
RPC_STATUS mgmt_own_if_ids(RPC_IF_ID_VECTOR **ret_vector);
RPC_STATUS mgmt_own_stats(RPC_STATS_VECTOR **ret_vector);
/* Writes the principal name for an authentication service to `name`, `size` octets with its
 * NUL.  RPC_S_UNKNOWN_AUTHN_SERVICE. */
RPC_STATUS mgmt_own_princ_name(unsigned long authn_service, char *name, size_t size);

/* Questions to the server behind a client's binding handle: RpcMgmtIsServerListening and
 * RpcMgmtStopServerListening. */
RPC_STATUS mgmt_ask_listening(RPC_BINDING_HANDLE binding);
RPC_STATUS mgmt_ask_stop(RPC_BINDING_HANDLE binding);

#endif
