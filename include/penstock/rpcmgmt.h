/* SPDX-License-Identifier: MIT */
/* rpcmgmt.h - what can be asked about a server, this one or another; rpcdce.h includes this.
 *
 * The rules common to all functions are those of rpcdce.h.
 * Source: Windows RPC documentation, rpcdce.h reference; C706 Appendix Q. */
#ifndef PENSTOCK_RPCMGMT_H
#define PENSTOCK_RPCMGMT_H

#include "rpcdce.h"
#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* ---- Constants and structures ----------------------------------------------- */

/* RPC_STATS_VECTOR: what the process has received and sent since it began, low 32 bits. */
#define RPC_C_STATS_CALLS_IN  0
#define RPC_C_STATS_CALLS_OUT 1
#define RPC_C_STATS_PKTS_IN   2 /* PDUs */
#define RPC_C_STATS_PKTS_OUT  3

/* What an RPC_MGMT_AUTHORIZATION_FN is asked for. */
#define RPC_C_MGMT_INQ_IF_IDS         0
#define RPC_C_MGMT_INQ_PRINC_NAME     1
#define RPC_C_MGMT_INQ_STATS          2
#define RPC_C_MGMT_IS_SERVER_LISTEN   3
#define RPC_C_MGMT_STOP_SERVER_LISTEN 4

typedef struct _RPC_IF_ID_VECTOR {
    unsigned long Count;
    RPC_IF_ID *IfId[1]; /* really Count of them */
} RPC_IF_ID_VECTOR;
#define rpc_if_id_vector_t RPC_IF_ID_VECTOR

typedef struct _RPC_STATS_VECTOR {
    unsigned int Count;
    unsigned long Stats[1]; /* really Count of them; RPC_C_STATS_... */
} RPC_STATS_VECTOR;
#define rpc_stats_vector_t RPC_STATS_VECTOR

/* A program's rule for who may use its management interface: asked before each remote
 * operation (RPC_C_MGMT_...) on behalf of ClientBinding, a server binding handle that is valid
 * during the call only.  Nonzero admits the client.  Zero refuses it with *Status, or with
 * RPC_S_ACCESS_DENIED when that was left RPC_S_OK.  Runs on a thread of the runtime, possibly
 * on several at once; it holds up that client's call only. */
typedef int(RPC_ENTRY *RPC_MGMT_AUTHORIZATION_FN)(RPC_BINDING_HANDLE ClientBinding,
                                                  unsigned long RequestedMgmtOperation,
                                                  RPC_STATUS *Status);

/* ---- Functions -------------------------------------------------------------- */

/* Every server answers these questions, whatever it has registered, from the moment it has an
 * endpoint.  `Binding` NULL asks this process, a client binding handle with an endpoint the
 * server it leads to; then the function is a remote call and waits for it, and may return what
 * a call may fail with: RPC_S_SERVER_UNAVAILABLE, RPC_S_CALL_FAILED, RPC_S_ACCESS_DENIED ...
 * A handle without an endpoint gets one, if it has an object: that of a server which has
 * registered the object with the host's endpoint mapper; EPT_S_NOT_REGISTERED: there is none.
 * Without an object: RPC_S_BINDING_INCOMPLETE, for every server of the host has this interface
 * and none registers it; RpcEpResolveBinding says first which one is meant. */

/* The interfaces a server has registered, each once, the management interface itself not
 * among them.  Gives *IfIdVector to the caller: RpcIfIdVectorFree; NULL after a failure.
 * RPC_S_OK; RPC_S_NO_INTERFACES: it has registered none; what a call may fail with.  Any
 * thread.  learn.microsoft.com, RpcMgmtInqIfIds. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtInqIfIds(RPC_BINDING_HANDLE Binding,
                                                  RPC_IF_ID_VECTOR **IfIdVector);

/* Releases the vector and what is in it; *IfIdVector becomes NULL.  NULL there is fine.
 * RPC_S_OK.  Any thread.  learn.microsoft.com, RpcIfIdVectorFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcIfIdVectorFree(RPC_IF_ID_VECTOR **IfIdVector);

/* Calls and PDUs of a process, as client and as server: RPC_C_STATS_....  Gives *Statistics
 * to the caller: RpcMgmtStatsVectorFree.
 * RPC_S_OK; what a call may fail with.  Any thread.  learn.microsoft.com, RpcMgmtInqStats. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtInqStats(RPC_BINDING_HANDLE Binding,
                                                  RPC_STATS_VECTOR **Statistics);

/* Releases the vector; *StatsVector becomes NULL.  NULL there is fine.
 * RPC_S_OK.  Any thread.  learn.microsoft.com, RpcMgmtStatsVectorFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtStatsVectorFree(RPC_STATS_VECTOR **StatsVector);

/* The principal name a server has registered for an authentication service (RPC_C_AUTHN_...).
 * Gives *ServerPrincName to the caller: RpcStringFree of the same suffix.
 * RPC_S_OK; RPC_S_UNKNOWN_AUTHN_SERVICE: for this one there is none; so for all, without
 * security; what a call may fail with.  Any thread.
 * learn.microsoft.com, RpcMgmtInqServerPrincName. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtInqServerPrincNameA(RPC_BINDING_HANDLE Binding,
                                                             unsigned long AuthnSvc,
                                                             RPC_CSTR *ServerPrincName);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtInqServerPrincNameW(RPC_BINDING_HANDLE Binding,
                                                             unsigned long AuthnSvc,
                                                             RPC_WSTR *ServerPrincName);

/* Who may ask this process such things; NULL: the default, by which everybody may, but nobody
 * stops it from listening.  Borrowed until another one is set; questions that run now may still
 * be asking it.
 * RPC_S_OK.  Any thread.  learn.microsoft.com, RpcMgmtSetAuthorizationFn. */
PENSTOCK_API RPC_STATUS RPC_ENTRY
RpcMgmtSetAuthorizationFn(RPC_MGMT_AUTHORIZATION_FN AuthorizationFn);

PENSTOCK_END_DECLS

#ifdef UNICODE
#define RpcMgmtInqServerPrincName RpcMgmtInqServerPrincNameW
#else
#define RpcMgmtInqServerPrincName RpcMgmtInqServerPrincNameA
#endif

#endif
