/* SPDX-License-Identifier: MIT */
/* rpcdce.h - bindings, servers, UUIDs and error texts: the documented RPC API.
 *
 * Functions with strings exist as `...A` (RPC_CSTR: unsigned char *, UTF-8) and as
 * `...W` (RPC_WSTR: UTF-16); the name without suffix is a macro, for the second where
 * UNICODE is defined.
 *
 * Rules common to all functions, not repeated below:
 *   - Any thread may call them, several at a time, unless a comment says more.
 *   - An output is written only when the function succeeds; where that differs
 *     the comment says so.  A required pointer that is NULL: RPC_S_INVALID_ARG.
 *   - RPC_S_OK and RPC_S_OUT_OF_MEMORY are always possible.
 *   - A binding handle that is none: RPC_S_INVALID_BINDING; one of the other side
 *     (server handle for client handle): RPC_S_WRONG_KIND_OF_BINDING.
 *   - What a function allocates for the caller is released with the function
 *     named, never with free().
 * Source: Windows RPC documentation, rpcdce.h reference. */
#ifndef PENSTOCK_RPCDCE_H
#define PENSTOCK_RPCDCE_H

#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* ---- Constants ----------------------------------------------------------- */

#define RPC_C_PROTSEQ_MAX_REQS_DEFAULT 10   /* MaxCalls of RpcServerUseProtseq...    */
#define RPC_C_LISTEN_MAX_CALLS_DEFAULT 1234 /* MaxCalls of RpcServerListen: no limit */

/* RpcMgmtSetComTimeout: a scale without unit, see there. */
#define RPC_C_BINDING_INFINITE_TIMEOUT 10
#define RPC_C_BINDING_MIN_TIMEOUT      0
#define RPC_C_BINDING_DEFAULT_TIMEOUT  5
#define RPC_C_BINDING_MAX_TIMEOUT      9

/* RpcCancelThreadEx, RpcMgmtSetCancelTimeout */
#define RPC_C_CANCEL_INFINITE_TIMEOUT -1

/* RPC_POLICY */
#define RPC_C_BIND_TO_ALL_NICS  1
#define RPC_C_USE_INTERNET_PORT 0x1
#define RPC_C_USE_INTRANET_PORT 0x2
#define RPC_C_DONT_FAIL         0x4

/* Flags of RpcServerRegisterIfEx and kin. */
#define RPC_IF_AUTOLISTEN                   0x0001 /* callable as soon as registered        */
#define RPC_IF_OLE                          0x0002 /* reserved                              */
#define RPC_IF_ALLOW_UNKNOWN_AUTHORITY      0x0004 /* reserved                              */
#define RPC_IF_ALLOW_SECURE_ONLY            0x0008 /* authenticated clients only            */
#define RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH 0x0010 /* ask the callback for all clients      */
#define RPC_IF_ALLOW_LOCAL_ONLY             0x0020 /* refuse clients of other computers     */
#define RPC_IF_SEC_NO_CACHE                 0x0040 /* ask the callback for each call: always so */
#define RPC_IF_SEC_CACHE_PER_PROC           0x0080 /* a hint, not taken                     */
#define RPC_IF_ASYNC_CALLBACK               0x0100 /* not supported                         */

/* Octets a DceErrorInqText buffer needs, with the NUL. */
#define DCE_C_ERROR_STRING_LEN 256

/* ---- Structures ---------------------------------------------------------- */

typedef struct _RPC_BINDING_VECTOR {
    unsigned long Count;
    RPC_BINDING_HANDLE BindingH[1]; /* really Count of them */
} RPC_BINDING_VECTOR;
#define rpc_binding_vector_t RPC_BINDING_VECTOR

typedef struct _UUID_VECTOR {
    unsigned long Count;
    UUID *Uuid[1]; /* really Count of them */
} UUID_VECTOR;
#define uuid_vector_t UUID_VECTOR

typedef struct _RPC_IF_ID {
    UUID Uuid;
    unsigned short VersMajor;
    unsigned short VersMinor;
} RPC_IF_ID;

typedef struct _RPC_POLICY {
    unsigned int Length;         /* sizeof(RPC_POLICY)                           */
    unsigned long EndpointFlags; /* RPC_C_USE_..._PORT, RPC_C_DONT_FAIL: see
                                  * RpcxServerSetPorts (rpcserver.h)             */
    unsigned long NICFlags;      /* 0: see RpcxServerSetAddresses; or
                                  * RPC_C_BIND_TO_ALL_NICS: at all addresses     */
} RPC_POLICY, *PRPC_POLICY;

/* A server's own access check: asked before each call of the interface, also one inside a
 * [callback], and before anything of the request is decoded.  Windows may remember what it said
 * of a client; here it never is.  `Context` is the call's server binding handle, for
 * RpcServerInqCallAttributes, RpcBindingInqAuthClient, RpcBindingServerFromClient ...; valid
 * until it returns.  RPC_S_OK admits the call; any other result, or raising, refuses it with
 * RPC_S_ACCESS_DENIED.  Runs on a thread of the runtime, on several at once, without a lock;
 * it may wait: later calls of the same connection wait for it. */
typedef RPC_STATUS RPC_ENTRY RPC_IF_CALLBACK_FN(RPC_IF_HANDLE InterfaceUuid, void *Context);

/* A program's own table of objects and their types: writes the type of *ObjectUuid to
 * *TypeUuid and RPC_S_OK, or why there is none, to *Status.  Called on a thread of the runtime
 * as a call on the object begins; it must not wait, and other calls wait for it. */
typedef void RPC_ENTRY RPC_OBJECT_INQ_FN(UUID *ObjectUuid, UUID *TypeUuid, RPC_STATUS *Status);

/* ---- Server: protocol sequences ------------------------------------------ */

/* Opens a listening endpoint of `Protseq` ("ncacn_ip_tcp", "ncalrpc" ...).
 *   MaxCalls            backlog, connections; RPC_C_PROTSEQ_MAX_REQS_DEFAULT
 *   Endpoint            in the form of the protocol sequence: "5000", "name"; the
 *                       form without `Ep` lets the system choose one
 *   SecurityDescriptor  ignored; pass NULL
 *   Policy              NULL, or which network interfaces to listen on
 * The strings are borrowed for the call.  The endpoint accepts connections from
 * now on; calls are run once RpcServerListen is called (or the interface is
 * RPC_IF_AUTOLISTEN).  It stays open until the process ends.
 * RPC_S_PROTSEQ_NOT_SUPPORTED: known, not available here.
 * RPC_S_INVALID_RPC_PROTSEQ: no such protocol sequence.
 * RPC_S_INVALID_ENDPOINT_FORMAT.  RPC_S_DUPLICATE_ENDPOINT: in use by this or
 * another process.  RPC_S_CANT_CREATE_ENDPOINT: the system refused for another
 * reason.  RPC_S_INVALID_ARG: Policy of the wrong Length. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                       void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqEpA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                         RPC_CSTR Endpoint,
                                                         void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqEpExA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                           RPC_CSTR Endpoint,
                                                           void *SecurityDescriptor,
                                                           PRPC_POLICY Policy);

/* ---- Server: interfaces -------------------------------------------------- */

/* Offers an interface.
 *   IfSpec       `..._s_ifspec` of the generated header; borrowed for good
 *   MgrTypeUuid  type of objects `MgrEpv` serves; NULL or nil: the nil type; copied
 *   MgrEpv       manager entry points; NULL: the default of the server stub;
 *                borrowed until the interface is unregistered
 *   Flags        RPC_IF_...
 *   MaxCalls     calls of an RPC_IF_AUTOLISTEN interface at a time, a hint
 *   MaxRpcSize   octets of a request without its pipe data; (unsigned)-1: no limit but
 *                2^31-1.  4 MiB with the functions that do not have it, and at least that
 *                on ncalrpc.  A longer request is answered with RPC_S_ACCESS_DENIED
 *   IfCallback   NULL, or the server's access check.  With one, unauthenticated clients,
 *                which so far all are, are refused with RPC_S_ACCESS_DENIED unless
 *                RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH
 *   SecurityDescriptor  NULL
 * Flags, MaxCalls, MaxRpcSize and IfCallback are the interface's, for all its types: those
 * of the last registration hold.
 * RPC_S_TYPE_ALREADY_REGISTERED: this interface and type are registered.
 * RPC_S_INVALID_ARG: IfSpec is no interface.  RPC_S_CANNOT_SUPPORT: what would weaken
 * security if it were ignored: an unknown flag, RPC_IF_ASYNC_CALLBACK, a SecurityDescriptor. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerRegisterIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                      RPC_MGR_EPV *MgrEpv);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerRegisterIfEx(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                        RPC_MGR_EPV *MgrEpv, unsigned int Flags,
                                                        unsigned int MaxCalls,
                                                        RPC_IF_CALLBACK_FN *IfCallback);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerRegisterIf2(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                       RPC_MGR_EPV *MgrEpv, unsigned int Flags,
                                                       unsigned int MaxCalls,
                                                       unsigned int MaxRpcSize,
                                                       RPC_IF_CALLBACK_FN *IfCallbackFn);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerRegisterIf3(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                       RPC_MGR_EPV *MgrEpv, unsigned int Flags,
                                                       unsigned int MaxCalls,
                                                       unsigned int MaxRpcSize,
                                                       RPC_IF_CALLBACK_FN *IfCallback,
                                                       void *SecurityDescriptor);

/* Withdraws interfaces: new calls get RPC_S_UNKNOWN_IF.
 *   (IfSpec, type) that one; (IfSpec, NULL) all types of it; (NULL, type) that type
 *   of every interface; (NULL, NULL) everything but RPC_IF_AUTOLISTEN interfaces.
 * With `WaitForCallsToComplete` it blocks until no call is running in them; do not
 * ask for that inside a manager of the same interface.
 * RPC_S_UNKNOWN_IF, RPC_S_UNKNOWN_MGR_TYPE: nothing matched. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUnregisterIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                        unsigned int WaitForCallsToComplete);

/* The same, always waiting.  With RundownContextHandles the context handles that calls of
 * the interfaces made are no longer good, and their rundown routines run. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUnregisterIfEx(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                          int RundownContextHandles);

/* The entry points registered for an interface and a type (NULL or nil: the nil type);
 * *MgrEpv is what the program gave, or the stub's default.
 * RPC_S_UNKNOWN_IF, RPC_S_UNKNOWN_MGR_TYPE: not registered; RPC_S_INVALID_ARG.
 * learn.microsoft.com, RpcServerInqIf. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerInqIf(RPC_IF_HANDLE IfSpec, UUID *MgrTypeUuid,
                                                 RPC_MGR_EPV **MgrEpv);

/* Types of objects: a call on an object (RpcBindingSetObject at the client) is run by the
 * manager that was registered with the object's type as MgrTypeUuid; RPC_S_UNSUPPORTED_TYPE at
 * the client when there is none.  Objects without a type, and calls without an object, are of
 * the nil type.
 *
 * RpcObjectSetType gives an object its type; NULL or nil takes it away.  Both are copied.
 * RPC_S_INVALID_OBJECT: the object is NULL or nil; RPC_S_ALREADY_REGISTERED: it has another
 * type, which must be taken away first.
 * RpcObjectInqType asks for it: first what was set, then the program's inquiry function, whose
 * type and status are returned as they are.  TypeUuid NULL: only the status is wanted.  Without
 * a type *TypeUuid is nil.  RPC_S_OBJECT_NOT_FOUND; RPC_S_INVALID_OBJECT.
 * RpcObjectSetInqFn sets that function; NULL: none.
 * Any thread.  learn.microsoft.com, RpcObjectSetType, RpcObjectInqType, RpcObjectSetInqFn. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcObjectSetType(UUID *ObjUuid, UUID *TypeUuid);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcObjectInqType(UUID *ObjUuid, UUID *TypeUuid);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcObjectSetInqFn(RPC_OBJECT_INQ_FN *InquiryFn);

/* UUID and version of an interface, copied to *RpcIfId. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcIfInqId(RPC_IF_HANDLE RpcIfHandle, RPC_IF_ID *RpcIfId);

/* ---- Server: listening --------------------------------------------------- */

/* Starts running calls.
 *   MinimumCallThreads  threads to keep, a hint
 *   MaxCalls            calls run at a time; RPC_C_LISTEN_MAX_CALLS_DEFAULT: no limit
 *   DontWait            FALSE: block until RpcMgmtStopServerListening was called and
 *                       the calls then running have ended; TRUE: return at once
 * RPC_S_ALREADY_LISTENING.  RPC_S_NO_PROTSEQS_REGISTERED: no endpoint is open.
 * RPC_S_MAX_CALLS_TOO_SMALL: MaxCalls is 0 or below MinimumCallThreads. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerListen(unsigned int MinimumCallThreads,
                                                  unsigned int MaxCalls, unsigned int DontWait);

/* After RpcServerListen with DontWait: blocks until the server was told to stop and
 * the calls then running have ended.
 * RPC_S_ALREADY_LISTENING: another thread waits.  RPC_S_NOT_LISTENING. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtWaitServerListen(void);

/* Tells a server to run no further calls; does not wait.  May be called inside a
 * manager.  `Binding` NULL: this process; a client binding handle: that server, which
 * refuses with RPC_S_ACCESS_DENIED unless its authorization function allows it.
 * RPC_S_NOT_LISTENING; what a call may fail with. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtStopServerListening(RPC_BINDING_HANDLE Binding);

/* Is a server listening?  `Binding` NULL: this process; a client binding handle: that
 * server.  RPC_S_OK: yes; RPC_S_NOT_LISTENING: no; what a call may fail with, so
 * RPC_S_SERVER_UNAVAILABLE when there is none. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtIsServerListening(RPC_BINDING_HANDLE Binding);

/* The endpoints of this process as binding handles.  Gives *BindingVector to the
 * caller, who releases it with RpcBindingVectorFree.
 * RPC_S_NO_BINDINGS: none is open; *BindingVector is NULL. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerInqBindings(RPC_BINDING_VECTOR **BindingVector);

/* Releases the vector and the handles in it; entries that are NULL are skipped.
 * *BindingVector becomes NULL. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingVectorFree(RPC_BINDING_VECTOR **BindingVector);

/* ---- String bindings ----------------------------------------------------- */

/* Makes `object@protseq:address[endpoint,options]` of its parts, which are borrowed;
 * NULL and "" mean absent.  Characters special in a string binding are escaped with
 * a backslash; the options are taken as they are.  Gives *StringBinding to the
 * caller, who releases it with RpcStringFree; with StringBinding NULL the parts are
 * only checked.
 * RPC_S_INVALID_STRING_UUID.  RPC_S_INVALID_NETWORK_OPTIONS: the options would end
 * the bracket. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringBindingComposeA(RPC_CSTR ObjUuid, RPC_CSTR ProtSeq,
                                                           RPC_CSTR NetworkAddr, RPC_CSTR Endpoint,
                                                           RPC_CSTR Options,
                                                           RPC_CSTR *StringBinding);

/* Takes a string binding apart.  Each output may be NULL: not wanted.  Each string
 * given (a missing part is "") belongs to the caller: RpcStringFree.  All wanted
 * outputs are NULL after a failure.
 * RPC_S_INVALID_STRING_BINDING.  RPC_S_INVALID_STRING_UUID. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringBindingParseA(RPC_CSTR StringBinding, RPC_CSTR *ObjUuid,
                                                         RPC_CSTR *Protseq, RPC_CSTR *NetworkAddr,
                                                         RPC_CSTR *Endpoint,
                                                         RPC_CSTR *NetworkOptions);

/* Releases a string the runtime gave; *String becomes NULL.  A NULL string is fine. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringFreeA(RPC_CSTR *String);

/* ---- Binding handles ----------------------------------------------------- */

/* Makes a client binding handle; does not contact the server.  Without an endpoint
 * in the string (borrowed) the handle is partially bound, without an address it
 * means this computer.  Gives *Binding to the caller: RpcBindingFree.
 * RPC_S_INVALID_STRING_BINDING, RPC_S_INVALID_STRING_UUID,
 * RPC_S_PROTSEQ_NOT_SUPPORTED, RPC_S_INVALID_RPC_PROTSEQ,
 * RPC_S_INVALID_ENDPOINT_FORMAT, RPC_S_INVALID_NET_ADDR, RPC_S_STRING_TOO_LONG. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingFromStringBindingA(RPC_CSTR StringBinding,
                                                               RPC_BINDING_HANDLE *Binding);

/* The string binding of a client or server handle.  Gives *StringBinding to the
 * caller: RpcStringFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingToStringBindingA(RPC_BINDING_HANDLE Binding,
                                                             RPC_CSTR *StringBinding);

/* Releases a client handle; *Binding becomes NULL.  The application must not have a
 * call running on it, an asynchronous one included. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingFree(RPC_BINDING_HANDLE *Binding);

/* A client handle equal to `SourceBinding` and independent of it.  Gives
 * *DestinationBinding to the caller: RpcBindingFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingCopy(RPC_BINDING_HANDLE SourceBinding,
                                                 RPC_BINDING_HANDLE *DestinationBinding);

/* Takes the endpoint away from a client handle: it is partially bound again.  Not
 * while a call is running on it. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingReset(RPC_BINDING_HANDLE Binding);

/* The object UUID later calls on a client handle carry; NULL: none.  Copied. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingSetObject(RPC_BINDING_HANDLE Binding, UUID *ObjectUuid);

/* The object UUID of a client or server handle; nil when there is none. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqObject(RPC_BINDING_HANDLE Binding, UUID *ObjectUuid);

/* Server, during a call: a handle to the client's host, without endpoint.  NULL for
 * ClientBinding: the call this thread is executing.  Gives *ServerBinding to the
 * caller: RpcBindingFree.
 * RPC_S_NO_CALL_ACTIVE.  RPC_S_CANNOT_SUPPORT: the transport knows no address. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingServerFromClient(RPC_BINDING_HANDLE ClientBinding,
                                                             RPC_BINDING_HANDLE *ServerBinding);

/* Server: the handle of the call this thread is executing, valid until the call is
 * over; not to be freed.  RPC_S_NO_CALL_ACTIVE. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerInqBindingHandle(RPC_BINDING_HANDLE *Binding);

/* How patient later calls on a client handle are with a silent server, on a scale
 * from RPC_C_BINDING_MIN_TIMEOUT to RPC_C_BINDING_INFINITE_TIMEOUT.  Connecting and binding
 * may take 5 seconds a step: 5 for MIN, 30 for DEFAULT, 50 for MAX, any time for INFINITE.
 * On TCP, synchronous and asynchronous calls: a server silent for 60 seconds (MIN) or
 * 120 * (Timeout + 1) is asked once a second whether its system is there (keep-alive); after
 * three questions without an answer the call fails with RPC_S_CALL_FAILED.  INFINITE: never.
 * Calls that share a connection have the least of their limits.
 * RPC_S_INVALID_TIMEOUT: outside the scale. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtSetComTimeout(RPC_BINDING_HANDLE Binding,
                                                       unsigned int Timeout);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtInqComTimeout(RPC_BINDING_HANDLE Binding,
                                                       unsigned int *Timeout);

/* ---- Cancelling synchronous calls ------------------------------------------ */

/* Client: cancels the synchronous call that another thread of this process is making, the
 * innermost when a pipe's routine makes one inside another.  `Thread` is a handle of
 * <penstock/win32.h>: OpenThread, CreateThread, DuplicateHandle.  The server is asked to
 * end the call (RpcTestCancel there says so), and the call ends with its answer; if none has
 * come within the time-out (`Timeout` seconds; of RpcCancelThread what RpcMgmtSetCancelTimeout
 * set on *that* thread when the call began), the call ends here, with RPC_S_CALL_CANCELLED
 * after RpcCancelThreadEx, RPC_S_CALL_FAILED after RpcCancelThread; the server goes on.
 * RPC_C_CANCEL_INFINITE_TIMEOUT waits for ever, 0 not at all.  A call whose request has not
 * been sent, because the thread is still connecting, ends at once with
 * RPC_S_CALL_CANCELLED.  A thread that makes no synchronous call is not affected, nor is its
 * next one.  Any thread, also the one that is cancelled.
 * RPC_S_OK; RPC_S_ACCESS_DENIED: no handle of a thread; RPC_S_INVALID_TIMEOUT: negative;
 * RPC_S_OUT_OF_RESOURCES: the server was asked, but nobody looks at the time.
 * learn.microsoft.com, RpcCancelThread, RpcCancelThreadEx. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcCancelThread(void *Thread);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcCancelThreadEx(void *Thread, long Timeout);

/* Client: how long later synchronous calls of this thread wait for the server once
 * RpcCancelThread has cancelled them, seconds; RPC_C_CANCEL_INFINITE_TIMEOUT (as when a
 * thread begins): for ever, 0: not at all.
 * RPC_S_OK; RPC_S_INVALID_TIMEOUT: negative.
 * learn.microsoft.com, RpcMgmtSetCancelTimeout. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtSetCancelTimeout(long Timeout);

/* Server: RPC_S_OK when the call this thread is executing was cancelled, or its client is
 * gone; RPC_S_ACCESS_DENIED when not; RPC_S_NO_CALL_ACTIVE: it is executing none.
 * learn.microsoft.com, RpcTestCancel. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcTestCancel(void);

/* ---- Options ----------------------------------------------------------------- */

/* Options of a client handle. */
#define RPC_C_OPT_TRANS_SEND_BUFFER_SIZE 5  /* not supported                              */
#define RPC_C_OPT_SESSION_ID             6  /* not supported                              */
#define RPC_C_OPT_COOKIE_AUTH            7  /* not supported                              */
#define RPC_C_OPT_RESOURCE_TYPE_UUID     8  /* not supported                              */
#define RPC_C_OPT_BINDING_NONCAUSAL      9  /* TRUE: asynchronous calls begin in any order */
#define RPC_C_OPT_SECURITY_CALLBACK      10 /* not supported                              */
#define RPC_C_OPT_UNIQUE_BINDING         11 /* TRUE: shares no connection with others     */
#define RPC_C_OPT_CALL_TIMEOUT           12 /* milliseconds; 0 or 0xffffffff: none        */
#define RPC_C_OPT_DONT_LINGER            13 /* TRUE: closes with the last handle          */
#define RPC_C_OPT_TRUST_PEER             14 /* not supported                              */
#define RPC_C_OPT_ASYNC_BLOCK            15 /* not supported                              */
#define RPC_C_OPT_OPTIMIZE_TIME          16 /* not supported                              */
#define RPC_C_OPT_MAX_OPTIONS            17 /* one more than the last                     */

/* Sets an option for later calls on a client handle and copies made of it.
 *   BINDING_NONCAUSAL  FALSE, the default: asynchronous calls of a thread begin in the
 *                      order of issue, see docs/design/order.md for its limits.  TRUE: they
 *                      are spread over several connections.
 *   UNIQUE_BINDING     connections for this handle and the context handles that come of it;
 *                      a copy has its own.  Not while a call is running on it.
 *   CALL_TIMEOUT       a synchronous call that waits so long for the server without anything
 *                      coming, or, while it sends, anything being taken, raises
 *                      RPC_S_CALL_CANCELLED; the server is not told.  Asynchronous calls
 *                      ignore it.
 *   DONT_LINGER        connections close with the last handle to their server in any case.
 * RPC_S_CANNOT_SUPPORT: another option, or on ncalrpc one that is not DONT_LINGER;
 * RPC_S_WRONG_KIND_OF_BINDING: also DONT_LINGER before the first call; RPC_S_INVALID_ARG: a
 * time beyond 32 bits; RPC_S_INVALID_BINDING. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingSetOption(RPC_BINDING_HANDLE hBinding,
                                                      unsigned long option, ULONG_PTR optionValue);

/* The value of an option: TRUE or FALSE, milliseconds (0: none).  The same statuses. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqOption(RPC_BINDING_HANDLE hBinding,
                                                      unsigned long option,
                                                      ULONG_PTR *pOptionValue);

/* ---- Extensions: transfer syntaxes and limits ----------------------------- */

/* Transfer syntaxes, as bits of a set. */
#define RPCX_SYNTAX_NDR   0x1u /* NDR 2.0 (C706 chapter 14) */
#define RPCX_SYNTAX_NDR64 0x2u /* NDR64 (MS-RPCE 2.2.5)     */
#define RPCX_SYNTAX_ALL   (RPCX_SYNTAX_NDR | RPCX_SYNTAX_NDR64)

/* Which transfer syntaxes later calls on a client handle, and copies made of it, may use:
 * each is offered, the server chooses, Windows and Penstock NDR64 where they can.  The
 * default is both, or what the environment says: PENSTOCK_TRANSFER_SYNTAX=ndr or ndr64.
 * Synchronous calls with pipes use NDR 2.0 in any case, as Windows' do.  A call for which
 * nothing is left, also because its stub was compiled with -protocol, raises
 * RPC_S_UNSUPPORTED_TRANS_SYN; so does one whose server accepts none of them.
 * RPC_S_OK; RPC_S_INVALID_ARG: no bit, or an unknown one; RPC_S_UNSUPPORTED_TRANS_SYN: only
 * NDR64, on a machine that is not little-endian with pointers of 64 bits;
 * RPC_S_INVALID_BINDING; RPC_S_WRONG_KIND_OF_BINDING.  Any thread. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxBindingSetTransferSyntaxes(RPC_BINDING_HANDLE Binding,
                                                                 unsigned int Syntaxes);

/* Which of them this process accepts as a server, from now on: presentation contexts that
 * clients already have stay.  Default as above.  Clients that speak NDR 2.0 alone need it.
 * RPC_S_OK; RPC_S_INVALID_ARG; RPC_S_UNSUPPORTED_TRANS_SYN.  Any thread. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerSetTransferSyntaxes(unsigned int Syntaxes);

/* What the parameters of one call may make this process do when they are received, for all
 * calls this process serves, or for the replies to later calls on a client handle and its
 * copies.
 *   AllocatedMax  octets of memory for what pointers lead to, on a server [out] parameters
 *                 included, with the engine's own notes while it decodes; 0: 256 MiB
 *   DepthMax      pointers behind each other in structures, arrays and unions, the links of
 *                 a list say, also of what is sent; 0: 16,384.  The runtime itself does not
 *                 recurse over them.
 * What exceeds one ends the call with RPC_S_OUT_OF_RESOURCES.  Elements of pipes do not
 * count: RpcxPipeSetLimits.  How many octets a request may have is MaxRpcSize of
 * RpcServerRegisterIf2.
 * RPC_S_OK; RPC_S_INVALID_BINDING; RPC_S_WRONG_KIND_OF_BINDING.  Any thread. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerSetLimits(size_t AllocatedMax, unsigned int DepthMax);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxBindingSetLimits(RPC_BINDING_HANDLE Binding,
                                                       size_t AllocatedMax,
                                                       unsigned int DepthMax);

/* ---- Context handles ----------------------------------------------------- */

/* Client: forgets a context handle without a word to the server, who keeps its context
 * until the last connection is closed.  *ContextHandle becomes NULL.
 * Raises RPC_X_SS_CONTEXT_MISMATCH: it is no context handle. */
PENSTOCK_API void RPC_ENTRY RpcSsDestroyClientContext(void **ContextHandle);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmDestroyClientContext(void **ContextHandle);

/* Client: the binding of a context handle; valid as long as the handle, not to be freed.
 * RPC_X_SS_CONTEXT_MISMATCH. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSsGetContextBinding(void *ContextHandle,
                                                         RPC_BINDING_HANDLE *Binding);

/* Server, in a manager: locks a context of this call (its value, as the manager got it)
 * against all other calls, or shares it with other calls that share it.  NULL: the call
 * this thread is executing.  Exclusive waits, and RpcSsContextLockExclusive returns
 * ERROR_MORE_WRITES when another call had the context to itself meanwhile.
 * RPC_S_NO_CALL_ACTIVE, RPC_S_INVALID_BINDING; RPC_X_SS_CONTEXT_MISMATCH: no such context. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSsContextLockExclusive(RPC_BINDING_HANDLE ServerBindingHandle,
                                                            void *UserContext);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSsContextLockShared(RPC_BINDING_HANDLE ServerBindingHandle,
                                                         void *UserContext);

/* Server: from now on, and for good, calls on one context handle run at the same time
 * unless it is declared [context_handle_serialize]. */
PENSTOCK_API void RPC_ENTRY RpcSsDontSerializeContext(void);

/* Can this build use the protocol sequence?  RPC_S_OK: yes.
 * RPC_S_PROTSEQ_NOT_SUPPORTED: no.  RPC_S_INVALID_RPC_PROTSEQ: there is no such. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcNetworkIsProtseqValidA(RPC_CSTR Protseq);

/* ---- Errors -------------------------------------------------------------- */

/* Writes one English sentence about a status, NUL terminated, to the caller's
 * buffer of DCE_C_ERROR_STRING_LEN octets.
 * RPC_S_INVALID_ARG: the status is unknown; the buffer then says so. */
PENSTOCK_API RPC_STATUS RPC_ENTRY DceErrorInqTextA(RPC_STATUS RpcStatus, RPC_CSTR ErrorText);

/* Raises an exception on this thread; does not return.  See rpc.h for who receives
 * it.  In a server manager: ends the call, the client sees the code.  Without any
 * handler the process aborts. */
PENSTOCK_API PENSTOCK_NORETURN void RPC_ENTRY RpcRaiseException(RPC_STATUS exception);

/* For RpcExcept(): 0 for the 14 codes that mean a broken process (access violation,
 * stack overflow ...), which a program should not survive, else 1.  Never fails.
 * learn.microsoft.com, RpcExceptionFilter. */
PENSTOCK_API int RPC_ENTRY RpcExceptionFilter(unsigned long ExceptionCode);
PENSTOCK_API int RPC_ENTRY I_RpcExceptionFilter(unsigned long ExceptionCode);

/* ---- UUIDs --------------------------------------------------------------- */

/* A new random UUID (RFC 4122 version 4).
 * RPC_S_UUID_NO_ADDRESS: the system has no randomness to give. */
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidCreate(UUID *Uuid);

/* A new UUID of the time and of this machine (version 1): each call gives a later one, of this
 * process also within one tick of 100 ns.  It shows the address of a network interface.
 * RPC_S_UUID_LOCAL_ONLY: there is none; *Uuid is valid, with a random number in its place, and
 * unique among those of this process.  RPC_S_UUID_NO_ADDRESS: the system has no randomness to
 * give.  Any thread.  learn.microsoft.com, UuidCreateSequential; RFC 4122 4.2. */
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidCreateSequential(UUID *Uuid);

/* The nil UUID: all zero. */
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidCreateNil(UUID *NilUuid);

/* "6b29fc40-ca47-1067-b31d-00dd010662da"; NULL stands for nil.  Gives *StringUuid to
 * the caller: RpcStringFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidToStringA(const UUID *Uuid, RPC_CSTR *StringUuid);

/* The reverse; upper or lower case, no braces.  A NULL string yields the nil UUID.
 * RPC_S_INVALID_STRING_UUID. */
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidFromStringA(RPC_CSTR StringUuid, UUID *Uuid);

/* These four never fail: *Status is RPC_S_OK.  A NULL UUID stands for nil.
 * Compare: -1, 0 or 1, field by field, Data4 octet by octet. */
PENSTOCK_API signed int RPC_ENTRY UuidCompare(UUID *Uuid1, UUID *Uuid2, RPC_STATUS *Status);
PENSTOCK_API int RPC_ENTRY UuidEqual(UUID *Uuid1, UUID *Uuid2, RPC_STATUS *Status);
PENSTOCK_API unsigned short RPC_ENTRY UuidHash(UUID *Uuid, RPC_STATUS *Status);
PENSTOCK_API int RPC_ENTRY UuidIsNil(UUID *Uuid, RPC_STATUS *Status);

/* ---- Strings in UTF-16 ----------------------------------------------------- */

/* As their siblings above, to whose comments they belong, with UTF-16 in native byte order.
 * Strings they give are released with RpcStringFreeW, those of the siblings with RpcStringFreeA.
 * A half of a surrogate pair without the other: the status for a malformed string of that
 * kind, RPC_S_INVALID_ARG where there is none.  `ErrorText`: DCE_C_ERROR_STRING_LEN units.
 * Any thread.  learn.microsoft.com, the pages without suffix. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                       void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqEpW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                         RPC_WSTR Endpoint,
                                                         void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqEpExW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                           RPC_WSTR Endpoint,
                                                           void *SecurityDescriptor,
                                                           PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcNetworkIsProtseqValidW(RPC_WSTR Protseq);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringBindingComposeW(RPC_WSTR ObjUuid, RPC_WSTR ProtSeq,
                                                           RPC_WSTR NetworkAddr, RPC_WSTR Endpoint,
                                                           RPC_WSTR Options,
                                                           RPC_WSTR *StringBinding);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringBindingParseW(RPC_WSTR StringBinding, RPC_WSTR *ObjUuid,
                                                         RPC_WSTR *Protseq, RPC_WSTR *NetworkAddr,
                                                         RPC_WSTR *Endpoint,
                                                         RPC_WSTR *NetworkOptions);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcStringFreeW(RPC_WSTR *String);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingFromStringBindingW(RPC_WSTR StringBinding,
                                                               RPC_BINDING_HANDLE *Binding);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingToStringBindingW(RPC_BINDING_HANDLE Binding,
                                                             RPC_WSTR *StringBinding);
PENSTOCK_API RPC_STATUS RPC_ENTRY DceErrorInqTextW(RPC_STATUS RpcStatus, RPC_WSTR ErrorText);
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidToStringW(const UUID *Uuid, RPC_WSTR *StringUuid);
PENSTOCK_API RPC_STATUS RPC_ENTRY UuidFromStringW(RPC_WSTR StringUuid, UUID *Uuid);

PENSTOCK_END_DECLS

#include "rpcmgmt.h"
#include "rpcserver.h"

/* ---- Names without suffix ------------------------------------------------ */

#ifdef UNICODE
#define RpcServerUseProtseq         RpcServerUseProtseqW
#define RpcServerUseProtseqEp       RpcServerUseProtseqEpW
#define RpcServerUseProtseqEpEx     RpcServerUseProtseqEpExW
#define RpcStringBindingCompose     RpcStringBindingComposeW
#define RpcStringBindingParse       RpcStringBindingParseW
#define RpcStringFree               RpcStringFreeW
#define RpcBindingFromStringBinding RpcBindingFromStringBindingW
#define RpcBindingToStringBinding   RpcBindingToStringBindingW
#define RpcNetworkIsProtseqValid    RpcNetworkIsProtseqValidW
#define DceErrorInqText             DceErrorInqTextW
#define UuidToString                UuidToStringW
#define UuidFromString              UuidFromStringW
#else
#define RpcServerUseProtseq         RpcServerUseProtseqA
#define RpcServerUseProtseqEp       RpcServerUseProtseqEpA
#define RpcServerUseProtseqEpEx     RpcServerUseProtseqEpExA
#define RpcStringBindingCompose     RpcStringBindingComposeA
#define RpcStringBindingParse       RpcStringBindingParseA
#define RpcStringFree               RpcStringFreeA
#define RpcBindingFromStringBinding RpcBindingFromStringBindingA
#define RpcBindingToStringBinding   RpcBindingToStringBindingA
#define RpcNetworkIsProtseqValid    RpcNetworkIsProtseqValidA
#define DceErrorInqText             DceErrorInqTextA
#define UuidToString                UuidToStringA
#define UuidFromString              UuidFromStringA
#endif

#include "rpcep.h"

#endif
