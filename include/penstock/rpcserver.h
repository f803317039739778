/* SPDX-License-Identifier: MIT */
/* rpcserver.h - what a server may say beyond the functions of rpcdce.h, which includes this:
 * endpoints by interface or for every protocol sequence, its threads, and what it can ask
 * about a client's security.
 *
 * The rules common to all functions are those of rpcdce.h.
 * Source: Windows RPC documentation, rpcdce.h reference. */
#ifndef PENSTOCK_RPCSERVER_H
#define PENSTOCK_RPCSERVER_H

#include "rpcdce.h"
#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* ---- Constants -------------------------------------------------------------- */

/* Authentication levels. */
#define RPC_C_AUTHN_LEVEL_DEFAULT       0
#define RPC_C_AUTHN_LEVEL_NONE          1
#define RPC_C_AUTHN_LEVEL_CONNECT       2
#define RPC_C_AUTHN_LEVEL_CALL          3
#define RPC_C_AUTHN_LEVEL_PKT           4
#define RPC_C_AUTHN_LEVEL_PKT_INTEGRITY 5
#define RPC_C_AUTHN_LEVEL_PKT_PRIVACY   6

/* Authentication services. */
#define RPC_C_AUTHN_NONE          0
#define RPC_C_AUTHN_DCE_PRIVATE   1
#define RPC_C_AUTHN_DCE_PUBLIC    2
#define RPC_C_AUTHN_DEC_PUBLIC    4
#define RPC_C_AUTHN_GSS_NEGOTIATE 9
#define RPC_C_AUTHN_WINNT         10
#define RPC_C_AUTHN_GSS_SCHANNEL  14
#define RPC_C_AUTHN_GSS_KERBEROS  16
#define RPC_C_AUTHN_DPA           17
#define RPC_C_AUTHN_MSN           18
#define RPC_C_AUTHN_DIGEST        21
#define RPC_C_AUTHN_MQ            100
#define RPC_C_AUTHN_DEFAULT       0xFFFFFFFFu

/* Authorization services. */
#define RPC_C_AUTHZ_NONE    0
#define RPC_C_AUTHZ_NAME    1
#define RPC_C_AUTHZ_DCE     2
#define RPC_C_AUTHZ_DEFAULT 0xFFFFFFFFu

/* ---- Structures ------------------------------------------------------------- */

typedef void *RPC_AUTH_IDENTITY_HANDLE;
typedef void *RPC_AUTHZ_HANDLE;

typedef struct _RPC_PROTSEQ_VECTORA {
    unsigned int Count;
    unsigned char *Protseq[1]; /* really Count of them */
} RPC_PROTSEQ_VECTORA;
typedef struct _RPC_PROTSEQ_VECTORW {
    unsigned int Count;
    WCHAR *Protseq[1]; /* really Count of them */
} RPC_PROTSEQ_VECTORW;

/* ---- Endpoints -------------------------------------------------------------- */

/* More ways to open listening endpoints; parameters as those of RpcServerUseProtseqEp.
 *   RpcServerUseProtseqEx...   the system chooses the endpoint, as without `Ex`
 *   RpcServerUseProtseqIf...   the endpoints that the IDL file's [endpoint] names for `Protseq`;
 *                              IfSpec is `..._s_ifspec` or `..._c_ifspec`, borrowed
 *   RpcServerUseAllProtseqs... every protocol sequence there is, the system chooses the
 *                              endpoints; one that cannot be opened here (ncalrpc without a
 *                              folder for its sockets) is left out, as long as another can
 *   RpcServerUseAllProtseqsIf...  all endpoints of the IDL file; those of protocol sequences
 *                              that are not supported are left out
 * What was opened before a failure stays open.
 * RPC_S_OK; RPC_S_PROTSEQ_NOT_SUPPORTED, RPC_S_INVALID_RPC_PROTSEQ: of `Protseq`;
 * RPC_S_PROTSEQ_NOT_FOUND: the IDL file names no endpoint of it; RPC_S_NO_PROTSEQS: nor one
 * that is supported; RPC_S_INVALID_ENDPOINT_FORMAT, RPC_S_DUPLICATE_ENDPOINT,
 * RPC_S_CANT_CREATE_ENDPOINT; RPC_S_INVALID_ARG: IfSpec is no interface, Policy of the wrong
 * Length.  Any thread.
 * learn.microsoft.com, RpcServerUseProtseqIf and kin. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqExA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                         void *SecurityDescriptor,
                                                         PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqExW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                         void *SecurityDescriptor,
                                                         PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqIfA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                         RPC_IF_HANDLE IfSpec,
                                                         void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqIfW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                         RPC_IF_HANDLE IfSpec,
                                                         void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqIfExA(RPC_CSTR Protseq, unsigned int MaxCalls,
                                                           RPC_IF_HANDLE IfSpec,
                                                           void *SecurityDescriptor,
                                                           PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseProtseqIfExW(RPC_WSTR Protseq, unsigned int MaxCalls,
                                                           RPC_IF_HANDLE IfSpec,
                                                           void *SecurityDescriptor,
                                                           PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseAllProtseqs(unsigned int MaxCalls,
                                                          void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseAllProtseqsEx(unsigned int MaxCalls,
                                                            void *SecurityDescriptor,
                                                            PRPC_POLICY Policy);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseAllProtseqsIf(unsigned int MaxCalls,
                                                            RPC_IF_HANDLE IfSpec,
                                                            void *SecurityDescriptor);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerUseAllProtseqsIfEx(unsigned int MaxCalls,
                                                              RPC_IF_HANDLE IfSpec,
                                                              void *SecurityDescriptor,
                                                              PRPC_POLICY Policy);

/* Which ports of ncacn_ip_tcp an endpoint may get that the system chooses: what on Windows is in
 * the registry for a whole machine (key Rpc Internet: Ports, PortsInternetAvailable,
 * UseInternetPorts), set by a program for itself.
 *   EndpointFlag  for which endpoints: RPC_C_USE_INTERNET_PORT or RPC_C_USE_INTRANET_PORT, those
 *                 opened with this flag in RPC_POLICY; 0: those with neither
 *   Ports         "5000-5100,6000", at most 32 ranges, tried in this order; copied; NULL: any port
 * An endpoint with both flags gets a port of either; a flag nothing was set for has no effect.
 * Where none is free, opening an endpoint fails with RPC_S_OUT_OF_RESOURCES, or with
 * RPC_C_DONT_FAIL any port is taken.  Endpoints that are open stay as they are.
 * RPC_S_OK; RPC_S_INVALID_ARG: another flag; RPC_S_INVALID_ENDPOINT_FORMAT.  Any thread.
 * An extension; the flags: learn.microsoft.com, RPC_POLICY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerSetPorts(unsigned long EndpointFlag, RPC_CSTR Ports);

/* At which addresses endpoints of ncacn_ip_tcp listen that are opened from now on, without
 * RPC_C_BIND_TO_ALL_NICS in the NICFlags of RPC_POLICY: "127.0.0.1,::1", numeric, IPv4 or IPv6, a
 * scope may follow (fe80::1%eth0), at most 16; copied.  NULL, the default: all of both families.
 * An endpoint has the same port on all of them, and RpcServerInqBindings a handle for each.  One
 * that is not this machine's: opening fails with RPC_S_CANT_CREATE_ENDPOINT.
 * RPC_S_OK; RPC_S_INVALID_NET_ADDR.  Any thread.  An extension. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerSetAddresses(RPC_CSTR Addresses);

/* The protocol sequences this build can use, for clients and servers.  Gives *ProtseqVector to
 * the caller, who releases it with RpcProtseqVectorFree of the same suffix.
 * RPC_S_OK.  Any thread.  learn.microsoft.com, RpcNetworkInqProtseqs. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcNetworkInqProtseqsA(RPC_PROTSEQ_VECTORA **ProtseqVector);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcNetworkInqProtseqsW(RPC_PROTSEQ_VECTORW **ProtseqVector);

/* Releases the vector and its strings; *ProtseqVector becomes NULL.  NULL there is fine.
 * RPC_S_OK.  learn.microsoft.com, RpcProtseqVectorFree. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcProtseqVectorFreeA(RPC_PROTSEQ_VECTORA **ProtseqVector);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcProtseqVectorFreeW(RPC_PROTSEQ_VECTORW **ProtseqVector);

/* ---- Threads ------------------------------------------------------------------- */

/* The stack, octets, of the threads that the runtime makes from now on, which managers run on;
 * rounded up to whole pages.  A process that has used the runtime has some already, which keep
 * theirs.  The default is the system's (ulimit -s).
 * RPC_S_OK; RPC_S_INVALID_ARG: less than the system's minimum, or more than it can have.  Any
 * thread, but first of all makes sense.
 * learn.microsoft.com, RpcMgmtSetServerStackSize. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtSetServerStackSize(unsigned long ThreadStackSize);

/* Obsolete: let others run in cooperative systems.  Gives the processor away. */
PENSTOCK_API void RPC_ENTRY RpcServerYield(void);

/* From now on connections of this process as a client that no call has used for more than 10
 * seconds are closed; 5 seconds while it has more than 500 of them.  That cannot be turned off,
 * and turns itself on when the connections to one server become more than 500.  Otherwise they are
 * closed with the last binding and context handle to their server, which keep up to 64 idle.
 * The last connection to a server stays as long as the program has context handles of that
 * server.  The next call makes a new connection and notices nothing.
 * RPC_S_OK; RPC_S_OUT_OF_RESOURCES: those that are idle now stay until a call has used one.  Any
 * thread, at any time.
 * learn.microsoft.com, RpcMgmtEnableIdleCleanup; MS-RPCE 3.3.2.6.2. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcMgmtEnableIdleCleanup(void);

/* The same after `IdleTime` milliseconds, and up to a tenth of it more, however many there are: for
 * networks that forget connections.  0: as RpcMgmtEnableIdleCleanup has it.
 * RPC_S_OK, RPC_S_OUT_OF_RESOURCES likewise; RPC_S_INVALID_ARG: 2^31 or more.  Any thread. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxMgmtSetIdleTime(unsigned long IdleTime);

/* What clients may take of a server, and how long they may take for it.
 *   Length              sizeof(RPCX_CONNECTION_LIMITS), written by the program
 *   Connections         in all, bound or not; default 65,536
 *   ConnectionsPerPeer  of one IP address, or of one user over ncalrpc; default 0: no limit of
 *                       its own
 *   BindTimeout         milliseconds from being accepted to being bound; default 30,000.  One that
 *                       was refused and does not hang up is closed after as much
 *   IdleTimeout         milliseconds without a call and without a request, after which a bound
 *                       connection is closed, a quarter of that later at most; default 0: never,
 *                       as Windows.  The last one of a client that has context handles stays
 *   KeepAlive           seconds of silence after which TCP asks whether the client still is there
 *                       (and a tenth of that, nine times, until it is given up); default 7,200, at
 *                       most RPCX_KEEP_ALIVE_MAX; RPCX_KEEP_ALIVE_NEVER.  For endpoints opened
 *                       afterwards
 * Who exceeds Connections or ConnectionsPerPeer is disconnected when accepted.  How many octets a
 * request may have is MaxRpcSize of RpcServerRegisterIf2, what it may make this process allocate
 * RpcxServerSetLimits. */
#define RPCX_KEEP_ALIVE_MAX   32767
#define RPCX_KEEP_ALIVE_NEVER 0xFFFFFFFFu
typedef struct _RPCX_CONNECTION_LIMITS {
    unsigned int Length;
    unsigned int Connections;
    unsigned int ConnectionsPerPeer;
    unsigned int BindTimeout;
    unsigned int IdleTimeout;
    unsigned int KeepAlive;
} RPCX_CONNECTION_LIMITS;

/* Sets all of them for this process, also for connections that are there; a member that is 0 gets
 * its default.  Nobody is disconnected for being one too many.  Limits is borrowed.
 * RPC_S_OK; RPC_S_INVALID_ARG: NULL, another Length, a time above INT_MAX, KeepAlive.  Any thread.
 * An extension; Windows has no such function. */
PENSTOCK_API RPC_STATUS RPC_ENTRY
RpcxServerSetConnectionLimits(const RPCX_CONNECTION_LIMITS *Limits);

/* Writes the limits that hold now; Length is set by the caller.
 * RPC_S_OK; RPC_S_INVALID_ARG: NULL, another Length.  Any thread.  An extension. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxServerInqConnectionLimits(RPCX_CONNECTION_LIMITS *Limits);

/* ---- Who is the client --------------------------------------------------------- */

/* Server: who the client of a call is, also asked by an access check (RPC_IF_CALLBACK_FN), with
 * its Context for ClientBinding; NULL: the call this thread is executing.  Outputs that are NULL
 * are not wanted.  No client is authenticated yet, so that the answer to a right question is
 * RPC_S_BINDING_HAS_NO_AUTH, and no output is written.
 * RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING; RPC_S_WRONG_KIND_OF_BINDING: a client's.
 * Flags: 0 or RPC_C_FULL_CERT_CHAIN.  Any thread.
 * learn.microsoft.com, RpcBindingInqAuthClient, RpcBindingInqAuthClientEx. */
#define RPC_C_FULL_CERT_CHAIN 0x0001
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqAuthClientA(RPC_BINDING_HANDLE ClientBinding,
                                                           RPC_AUTHZ_HANDLE *Privs,
                                                           RPC_CSTR *ServerPrincName,
                                                           unsigned long *AuthnLevel,
                                                           unsigned long *AuthnSvc,
                                                           unsigned long *AuthzSvc);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqAuthClientW(RPC_BINDING_HANDLE ClientBinding,
                                                           RPC_AUTHZ_HANDLE *Privs,
                                                           RPC_WSTR *ServerPrincName,
                                                           unsigned long *AuthnLevel,
                                                           unsigned long *AuthnSvc,
                                                           unsigned long *AuthzSvc);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqAuthClientExA(
    RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs, RPC_CSTR *ServerPrincName,
    unsigned long *AuthnLevel, unsigned long *AuthnSvc, unsigned long *AuthzSvc,
    unsigned long Flags);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcBindingInqAuthClientExW(
    RPC_BINDING_HANDLE ClientBinding, RPC_AUTHZ_HANDLE *Privs, RPC_WSTR *ServerPrincName,
    unsigned long *AuthnLevel, unsigned long *AuthnSvc, unsigned long *AuthzSvc,
    unsigned long Flags);

PENSTOCK_END_DECLS

/* ---- Names without suffix -------------------------------------------------------- */

#ifdef UNICODE
#define RpcServerUseProtseqEx     RpcServerUseProtseqExW
#define RpcServerUseProtseqIf     RpcServerUseProtseqIfW
#define RpcServerUseProtseqIfEx   RpcServerUseProtseqIfExW
#define RpcNetworkInqProtseqs     RpcNetworkInqProtseqsW
#define RpcProtseqVectorFree      RpcProtseqVectorFreeW
#define RPC_PROTSEQ_VECTOR        RPC_PROTSEQ_VECTORW
#define RpcBindingInqAuthClient   RpcBindingInqAuthClientW
#define RpcBindingInqAuthClientEx RpcBindingInqAuthClientExW
#else
#define RpcServerUseProtseqEx     RpcServerUseProtseqExA
#define RpcServerUseProtseqIf     RpcServerUseProtseqIfA
#define RpcServerUseProtseqIfEx   RpcServerUseProtseqIfExA
#define RpcNetworkInqProtseqs     RpcNetworkInqProtseqsA
#define RpcProtseqVectorFree      RpcProtseqVectorFreeA
#define RPC_PROTSEQ_VECTOR        RPC_PROTSEQ_VECTORA
#define RpcBindingInqAuthClient   RpcBindingInqAuthClientA
#define RpcBindingInqAuthClientEx RpcBindingInqAuthClientExA
#endif

#endif
