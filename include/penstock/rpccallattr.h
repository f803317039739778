/* SPDX-License-Identifier: MIT */
/* rpccallattr.h - what a server can ask about a call; included by rpcasync.h.
 *
 * The structure's version says how much of it there is: the program sets Version and
 * Flags, and for each thing asked for the place where it goes, and gets the rest.
 * Source: Windows RPC documentation, RPC_CALL_ATTRIBUTES_V2 and the public headers. */
#ifndef PENSTOCK_RPCCALLATTR_H
#define PENSTOCK_RPCCALLATTR_H

#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* Flags: what is asked for besides the members that are always filled. */
#define RPC_QUERY_SERVER_PRINCIPAL_NAME 0x02
#define RPC_QUERY_CLIENT_PRINCIPAL_NAME 0x04
#define RPC_QUERY_CALL_LOCAL_ADDRESS    0x08
#define RPC_QUERY_CLIENT_PID            0x10
#define RPC_QUERY_IS_CLIENT_LOCAL       0x20
#define RPC_QUERY_NO_AUTH_REQUIRED      0x40
#define RPC_QUERY_CLIENT_ID             0x80

/* CallStatus, bits; 0: in progress. */
#define RPC_CALL_STATUS_CANCELLED    0x01
#define RPC_CALL_STATUS_DISCONNECTED 0x02

/* ProtocolSequence */
#define RPC_PROTSEQ_TCP  1
#define RPC_PROTSEQ_NMP  2
#define RPC_PROTSEQ_LRPC 3
#define RPC_PROTSEQ_HTTP 4

typedef enum _RpcCallType { rctInvalid = 0, rctNormal, rctTraining, rctGuaranteed } RpcCallType;
typedef enum _RpcLocalAddressFormat { rlafInvalid = 0, rlafIPv4, rlafIPv6 } RpcLocalAddressFormat;
typedef enum _RpcCallClientLocality {
    rcclInvalid = 0,
    rcclLocal,
    rcclRemote,
    rcclClientUnknownLocality
} RpcCallClientLocality;

/* The server's address of the connection, in network byte order. */
typedef struct _RPC_CALL_LOCAL_ADDRESS_V1 {
    unsigned int Version;     /* 1                                              */
    void *Buffer;             /* the program's                                  */
    unsigned long BufferSize; /* octets; set to those written, or those needed  */
    RpcLocalAddressFormat AddressFormat;
} RPC_CALL_LOCAL_ADDRESS_V1, *PRPC_CALL_LOCAL_ADDRESS_V1;
typedef RPC_CALL_LOCAL_ADDRESS_V1 RPC_CALL_LOCAL_ADDRESS_V1_A, RPC_CALL_LOCAL_ADDRESS_V1_W;

/* Each version begins with all of the one before. */
#define PENSTOCK_CALL_ATTRIBUTES_1(char_type)                                                     \
    unsigned int Version;                                                                          \
    unsigned long Flags;                                                                           \
    unsigned long ServerPrincipalNameBufferLength; /* octets, with the NUL */                      \
    char_type *ServerPrincipalName;                                                                \
    unsigned long ClientPrincipalNameBufferLength;                                                 \
    char_type *ClientPrincipalName;                                                                \
    unsigned long AuthenticationLevel;                                                             \
    unsigned long AuthenticationService;                                                           \
    BOOL NullSession;
#define PENSTOCK_CALL_ATTRIBUTES_2(char_type)                                                     \
    PENSTOCK_CALL_ATTRIBUTES_1(char_type)                                                          \
    BOOL KernelModeCaller;                                                                         \
    unsigned long ProtocolSequence;                                                                \
    RpcCallClientLocality IsClientLocal;                                                           \
    HANDLE ClientPID; /* the number itself; NULL: not asked for, or another computer's */          \
    unsigned long CallStatus;                                                                      \
    RpcCallType CallType;                                                                          \
    RPC_CALL_LOCAL_ADDRESS_V1 *CallLocalAddress;                                                   \
    unsigned short OpNum;                                                                          \
    UUID InterfaceUuid;
#define PENSTOCK_CALL_ATTRIBUTES_3(char_type)                                                     \
    PENSTOCK_CALL_ATTRIBUTES_2(char_type)                                                          \
    unsigned long ClientIdentifierBufferLength;                                                    \
    unsigned char *ClientIdentifier;

typedef struct tagRPC_CALL_ATTRIBUTES_V1_A {
    PENSTOCK_CALL_ATTRIBUTES_1(unsigned char)
} RPC_CALL_ATTRIBUTES_V1_A;
typedef struct tagRPC_CALL_ATTRIBUTES_V1_W {
    PENSTOCK_CALL_ATTRIBUTES_1(WCHAR)
} RPC_CALL_ATTRIBUTES_V1_W;
typedef struct tagRPC_CALL_ATTRIBUTES_V2_A {
    PENSTOCK_CALL_ATTRIBUTES_2(unsigned char)
} RPC_CALL_ATTRIBUTES_V2_A;
typedef struct tagRPC_CALL_ATTRIBUTES_V2_W {
    PENSTOCK_CALL_ATTRIBUTES_2(WCHAR)
} RPC_CALL_ATTRIBUTES_V2_W;
typedef struct tagRPC_CALL_ATTRIBUTES_V3_A {
    PENSTOCK_CALL_ATTRIBUTES_3(unsigned char)
} RPC_CALL_ATTRIBUTES_V3_A;
typedef struct tagRPC_CALL_ATTRIBUTES_V3_W {
    PENSTOCK_CALL_ATTRIBUTES_3(WCHAR)
} RPC_CALL_ATTRIBUTES_V3_W;
#undef PENSTOCK_CALL_ATTRIBUTES_1
#undef PENSTOCK_CALL_ATTRIBUTES_2
#undef PENSTOCK_CALL_ATTRIBUTES_3

/* Server: fills `RpcCallAttributes`, an RPC_CALL_ATTRIBUTES_V1, V2 or V3 whose Version and
 * Flags are set, for the call behind `ClientBinding`, also RpcAsyncGetCallHandle()'s; NULL:
 * the call this thread executes.  Buffers are the program's.  Any thread.
 *
 * As there is no security yet: AuthenticationLevel RPC_C_AUTHN_LEVEL_NONE,
 * AuthenticationService RPC_C_AUTHN_NONE, names and the client's identifier do not exist,
 * so their lengths become 0 and the buffers stay as they are.  ClientPID: ncalrpc only.  A
 * client over TCP is local when its address is one of this connection's own or a loopback
 * address.
 * RPC_S_OK; ERROR_MORE_DATA: the buffer of CallLocalAddress is too short, BufferSize says
 * what is needed, all else is filled; RPC_S_INVALID_ARG: NULL, an unknown Version or flag, a
 * flag of a later version, a length without a buffer, no CallLocalAddress, or one of another
 * Version; RPC_S_CANNOT_SUPPORT: CALL_LOCAL_ADDRESS or CLIENT_PID of a protocol sequence
 * that has none; RPC_S_NO_CALL_ACTIVE; RPC_S_INVALID_BINDING.
 * learn.microsoft.com, RpcServerInqCallAttributes. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerInqCallAttributesA(RPC_BINDING_HANDLE ClientBinding,
                                                              void *RpcCallAttributes);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcServerInqCallAttributesW(RPC_BINDING_HANDLE ClientBinding,
                                                              void *RpcCallAttributes);

PENSTOCK_END_DECLS

#ifdef UNICODE
#define RPC_CALL_ATTRIBUTES_V1     RPC_CALL_ATTRIBUTES_V1_W
#define RPC_CALL_ATTRIBUTES_V2     RPC_CALL_ATTRIBUTES_V2_W
#define RPC_CALL_ATTRIBUTES_V3     RPC_CALL_ATTRIBUTES_V3_W
#define RpcServerInqCallAttributes RpcServerInqCallAttributesW
#else
#define RPC_CALL_ATTRIBUTES_V1     RPC_CALL_ATTRIBUTES_V1_A
#define RPC_CALL_ATTRIBUTES_V2     RPC_CALL_ATTRIBUTES_V2_A
#define RPC_CALL_ATTRIBUTES_V3     RPC_CALL_ATTRIBUTES_V3_A
#define RpcServerInqCallAttributes RpcServerInqCallAttributesA
#endif
#define RPC_CALL_ATTRIBUTES         RPC_CALL_ATTRIBUTES_V3
#define RPC_CALL_ATTRIBUTES_VERSION (3)

#endif
