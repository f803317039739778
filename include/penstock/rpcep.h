/* SPDX-License-Identifier: MIT */
/* rpcep.h - the endpoint mapper: servers say where they listen, clients ask.  Included by
 * rpcdce.h.  Any function may be called from any thread, also inside manager routines; those
 * that ask the endpoint mapper wait for its answer.
 *
 * The endpoint mapper of a computer is penstock-epmd, on TCP port 135 and the local endpoint
 * "epmapper".  With PENSTOCK_EPMAPPER=PORT in the environment it is looked for, here and on
 * other computers, on that port and the local endpoint "epmapper-PORT".
 *
 * Source: Windows RPC documentation, rpcdce.h reference (learn.microsoft.com); the functions
 * named Rpcx... are ours. */
#ifndef PENSTOCK_RPCEP_H
#define PENSTOCK_RPCEP_H

#include "rpcdce.h"

PENSTOCK_BEGIN_DECLS

/* What RpcMgmtEpEltInqBegin looks for. */
#define RPC_C_EP_ALL_ELTS      0 /* everything             */
#define RPC_C_EP_MATCH_BY_IF   1 /* the interface          */
#define RPC_C_EP_MATCH_BY_OBJ  2 /* the object             */
#define RPC_C_EP_MATCH_BY_BOTH 3

/* Which versions of the interface. */
#define RPC_C_VERS_ALL        1
#define RPC_C_VERS_COMPATIBLE 2 /* the same major, at least the minor version */
#define RPC_C_VERS_EXACT      3
#define RPC_C_VERS_MAJOR_ONLY 4
#define RPC_C_VERS_UPTO       5 /* not newer */

typedef I_RPC_HANDLE *RPC_EP_INQ_HANDLE;

/* ---- Servers -------------------------------------------------------------------- */

/* Registers endpoints of this process with the endpoint mapper of this computer.
 *   IfSpec         the interface
 *   BindingVector  what RpcServerInqBindings gave: protocol sequences and endpoints
 *   UuidVector     NULL, or objects: each is registered with each binding
 *   Annotation     NULL, or a comment; what is longer than 64 octets with its NUL is cut
 * Everything is copied.  RpcEpRegister takes the place of what this process has registered for
 * the same interface, object and protocol sequence before; RpcEpRegisterNoReplace adds.  The
 * entries are there until they are unregistered or the process ends, however it does; when the
 * endpoint mapper has been started anew they are registered again.  One that is there and does
 * not answer is waited for up to 5 seconds, or 10 when a registration of before is under way;
 * then the entries are kept, and registered as soon as it answers, without the program.
 * RPC_S_OK, also when that is still to be; RPC_S_NO_BINDINGS: the vector is empty; RPC_S_INVALID_BINDING: a handle in it is
 * none or has no endpoint; RPC_S_WRONG_KIND_OF_BINDING; RPC_S_INVALID_ARG;
 * RPC_S_SERVER_UNAVAILABLE: there is no endpoint mapper; EPT_S_CANT_CREATE,
 * RPC_S_OUT_OF_RESOURCES: there are too many entries; RPC_S_OUT_OF_MEMORY.  After a failure
 * nothing has been added.
 * learn.microsoft.com, RpcEpRegister, RpcEpRegisterNoReplace. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpRegisterA(RPC_IF_HANDLE IfSpec,
                                                 RPC_BINDING_VECTOR *BindingVector,
                                                 UUID_VECTOR *UuidVector, RPC_CSTR Annotation);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpRegisterNoReplaceA(RPC_IF_HANDLE IfSpec,
                                                          RPC_BINDING_VECTOR *BindingVector,
                                                          UUID_VECTOR *UuidVector,
                                                          RPC_CSTR Annotation);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpRegisterW(RPC_IF_HANDLE IfSpec,
                                                 RPC_BINDING_VECTOR *BindingVector,
                                                 UUID_VECTOR *UuidVector, RPC_WSTR Annotation);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpRegisterNoReplaceW(RPC_IF_HANDLE IfSpec,
                                                          RPC_BINDING_VECTOR *BindingVector,
                                                          UUID_VECTOR *UuidVector,
                                                          RPC_WSTR Annotation);

/* Removes what this process has registered: IfSpec with each of the bindings and objects.
 * RPC_S_OK, also when the endpoint mapper is not there any more; EPT_S_NOT_REGISTERED: nothing
 * of it was registered; RPC_S_NO_BINDINGS, RPC_S_INVALID_BINDING, RPC_S_WRONG_KIND_OF_BINDING,
 * RPC_S_INVALID_ARG, RPC_S_OUT_OF_MEMORY.  learn.microsoft.com, RpcEpUnregister. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpUnregister(RPC_IF_HANDLE IfSpec,
                                                  RPC_BINDING_VECTOR *BindingVector,
                                                  UUID_VECTOR *UuidVector);

/* Listens on a socket that somebody else has opened, bound and set to listen, as systemd does
 * (LISTEN_FDS): "ncacn_ip_tcp" or "ncalrpc" by Protseq.  The descriptor is the library's from
 * then on; a name in the file system is not removed at the end.
 * RPC_S_OK; RPC_S_INVALID_ARG: no such socket; RPC_S_PROTSEQ_NOT_SUPPORTED,
 * RPC_S_INVALID_RPC_PROTSEQ; RPC_S_OUT_OF_MEMORY, RPC_S_OUT_OF_RESOURCES,
 * RPC_S_CANT_CREATE_ENDPOINT.  Ours. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerUseSocket(RPC_CSTR Protseq, int Fd);

/* Which user of this computer has made a call, as the kernel knows it, when its connection was
 * made.  ClientBinding NULL: the call of the manager that this thread runs; Uid, Gid, Pid may be
 * NULL.  RPC_S_OK; RPC_S_CANNOT_SUPPORT: it did not come by ncalrpc; RPC_S_INVALID_BINDING;
 * RPC_S_NO_CALL_ACTIVE; RPC_S_CALL_FAILED: the client is gone.  Ours. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerInqClientUser(RPC_BINDING_HANDLE ClientBinding,
                                                          unsigned long *Uid, unsigned long *Gid,
                                                          unsigned long *Pid);

/* ---- Clients -------------------------------------------------------------------- */

/* Gives a handle without an endpoint one: that which IfSpec names for the protocol sequence
 * ([endpoint] in the IDL), else one of those that the endpoint mapper of the handle's host
 * has for the interface and the handle's object, chosen at random.  Nothing when it has one.
 * The first call on such a handle does the same.  RpcBindingReset takes the endpoint away again.
 * RPC_S_OK; EPT_S_NOT_REGISTERED: the endpoint mapper knows none; RPC_S_SERVER_UNAVAILABLE: it is
 * not there; RPC_S_INVALID_BINDING, RPC_S_WRONG_KIND_OF_BINDING, RPC_S_INVALID_ARG,
 * RPC_S_INVALID_NET_ADDR, RPC_S_OUT_OF_MEMORY, and what a call may fail with.
 * learn.microsoft.com, RpcEpResolveBinding. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcEpResolveBinding(RPC_BINDING_HANDLE Binding,
                                                      RPC_IF_HANDLE IfSpec);

/* ---- Management ------------------------------------------------------------------ */

/* Looks through the entries of an endpoint mapper.
 *   EpBinding    NULL: this computer's; a handle without an endpoint: that of its host; with
 *                one: what listens there.  Copied; without an object
 *   InquiryType  RPC_C_EP_...; IfId, VersOption (RPC_C_VERS_...) and ObjectUuid (NULL: nil) are
 *                looked at if it asks for them
 * Begin asks nobody yet.  Next gives one entry: the interface, a binding handle (to be freed;
 * NULL for a protocol sequence that is not known here), the object and the annotation
 * (RpcStringFree); what is not wanted is NULL.  Done releases the inquiry, *InquiryContext
 * becomes NULL.  One thread at a time may use an inquiry.
 * Begin: RPC_S_INVALID_ARG, RPC_S_INVALID_VERS_OPTION, EPT_S_CANT_PERFORM_OP: EpBinding has an
 * object; RPC_S_INVALID_BINDING, RPC_S_WRONG_KIND_OF_BINDING, RPC_S_OUT_OF_MEMORY.
 * Next: RPC_X_NO_MORE_ENTRIES: that was all; RPC_S_SERVER_UNAVAILABLE and what a call
 * may fail with.  Done: RPC_S_INVALID_ARG.
 * learn.microsoft.com, RpcMgmtEpEltInqBegin, RpcMgmtEpEltInqNext, RpcMgmtEpEltInqDone. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEpEltInqBegin(RPC_BINDING_HANDLE EpBinding,
                                                       unsigned long InquiryType, RPC_IF_ID *IfId,
                                                       unsigned long VersOption, UUID *ObjectUuid,
                                                       RPC_EP_INQ_HANDLE *InquiryContext);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEpEltInqNextA(RPC_EP_INQ_HANDLE InquiryContext,
                                                       RPC_IF_ID *IfId,
                                                       RPC_BINDING_HANDLE *Binding,
                                                       UUID *ObjectUuid, RPC_CSTR *Annotation);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEpEltInqNextW(RPC_EP_INQ_HANDLE InquiryContext,
                                                       RPC_IF_ID *IfId,
                                                       RPC_BINDING_HANDLE *Binding,
                                                       UUID *ObjectUuid, RPC_WSTR *Annotation);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEpEltInqDone(RPC_EP_INQ_HANDLE *InquiryContext);

/* Removes an entry of any process, which stays removed until that process registers again: IfId
 * at Binding with ObjectUuid (NULL: nil).  EpBinding as above; penstock-epmd does so for local
 * callers only, who have to be the user that registered it or root.
 * RPC_S_OK; EPT_S_NOT_REGISTERED; RPC_S_ACCESS_DENIED: it is another user's;
 * EPT_S_CANT_PERFORM_OP: not from here; and as above.
 * learn.microsoft.com, RpcMgmtEpUnregister. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEpUnregister(RPC_BINDING_HANDLE EpBinding, RPC_IF_ID *IfId,
                                                      RPC_BINDING_HANDLE Binding,
                                                      UUID *ObjectUuid);

PENSTOCK_END_DECLS

#ifdef UNICODE
#define RpcEpRegister          RpcEpRegisterW
#define RpcEpRegisterNoReplace RpcEpRegisterNoReplaceW
#define RpcMgmtEpEltInqNext    RpcMgmtEpEltInqNextW
#else
#define RpcEpRegister          RpcEpRegisterA
#define RpcEpRegisterNoReplace RpcEpRegisterNoReplaceA
#define RpcMgmtEpEltInqNext    RpcMgmtEpEltInqNextA
#endif

#endif
