/* SPDX-License-Identifier: MIT */
/* rpcndr.h - what generated stubs are made of: type descriptors, operation
 * descriptors and the few functions a stub calls.
 *
 * A descriptor is a constant C structure written with sizeof and offsetof, so
 * that the C compiler, not penstock-idl, decides about memory layout.  The same
 * descriptor serves marshalling, unmarshalling, freeing and printing, in NDR 2.0
 * and NDR64.  Applications do not touch anything here by hand, except
 * the base types and the interface handles (`..._ifspec`).
 *
 *   NDR_INTERFACE -> NDR_OPERATION[] -> NDR_PARAM[] -> NDR_TYPE -> NDR_FIELD[]
 *                                                              \-> NDR_EXPR  (size_is)
 *
 * A stub gathers its arguments in a *frame*, one structure per operation whose
 * members are the C parameters in order, then the result; NDR_PARAM.offset is
 * the member's place in the frame. */
#ifndef PENSTOCK_RPCNDR_H
#define PENSTOCK_RPCNDR_H

#define __RPCNDR_H_VERSION__ 500

#include "rpctypes.h"
#include "rpcasync.h"

PENSTOCK_BEGIN_DECLS

/* ---- Base types of the language ------------------------------------------ */

#ifndef PENSTOCK_NO_BYTE
typedef unsigned char byte;
typedef unsigned char boolean;
#endif
typedef byte cs_byte;
typedef int64_t hyper;
typedef uint64_t MIDL_uhyper;
typedef signed char small; /* a macro on Windows; a typedef steals no names */
typedef uint32_t error_status_t;
/* The `state` of a pipe under its DCE name. */
typedef char *rpc_ss_pipe_state_t;

/* ---- Memory of the application ------------------------------------------- */

/* The application defines these two; stubs use them for every object the
 * application sees through a pointer, on any thread and several at a time.  `size` octets,
 * aligned as malloc() does; NULL: no memory, the call fails with RPC_S_OUT_OF_MEMORY.
 * learn.microsoft.com, midl_user_allocate, midl_user_free. */
#ifndef __MIDL_USER_DEFINED
#define midl_user_allocate MIDL_user_allocate
#define midl_user_free MIDL_user_free
#define __MIDL_USER_DEFINED
#endif
void *__RPC_USER MIDL_user_allocate(size_t size);
void __RPC_USER MIDL_user_free(void *object);

/* ---- Memory of RpcSsAllocate --------------------------------------------- */

/* An environment is what objects are allocated in and freed with, all at once.  The stub
 * of an [enable_allocate] operation makes one for each call, and the memory of its
 * parameters is in it; elsewhere a thread makes one with RpcSsEnableAllocate.  Of each
 * pair the Ss function raises what the Sm function returns.  All of them concern the calling
 * thread.  Source: learn.microsoft.com, RpcSsAllocate and the pages beside it. */
typedef void *RPC_SS_THREAD_HANDLE;
typedef void *__RPC_USER RPC_CLIENT_ALLOC(size_t Size);
typedef void __RPC_USER RPC_CLIENT_FREE(void *Ptr);

/* `Size` octets of this thread's environment, and back; what is not freed goes with the
 * environment.  *pStatus: RPC_S_OK, or as follows and the result is NULL.
 * RPC_S_OUT_OF_MEMORY: no memory, or the thread has no environment.  Freeing NULL is fine.
 * This thread's alone.  learn.microsoft.com, RpcSsAllocate, RpcSsFree. */
PENSTOCK_API void *RPC_ENTRY RpcSsAllocate(size_t Size);
PENSTOCK_API void *RPC_ENTRY RpcSmAllocate(size_t Size, RPC_STATUS *pStatus);
PENSTOCK_API void RPC_ENTRY RpcSsFree(void *NodeToFree);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmFree(void *NodeToFree);

/* Gives this thread an environment unless it has one; Disable ends it, and frees what is in
 * it, but never that of a stub.  RPC_S_OUT_OF_MEMORY from Enable; Disable never fails.
 * learn.microsoft.com, RpcSsEnableAllocate, RpcSsDisableAllocate. */
PENSTOCK_API void RPC_ENTRY RpcSsEnableAllocate(void);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmEnableAllocate(void);
PENSTOCK_API void RPC_ENTRY RpcSsDisableAllocate(void);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmDisableAllocate(void);

/* This thread's environment, for another thread to share; NULL: none.  It is freed when
 * the last thread that has it lets go.  Setting NULL lets go.
 * RPC_S_OK: they never fail; `Id` is not checked: it must be one that Get gave and that somebody has.
 * learn.microsoft.com, RpcSsGetThreadHandle, RpcSsSetThreadHandle. */
PENSTOCK_API RPC_SS_THREAD_HANDLE RPC_ENTRY RpcSsGetThreadHandle(void);
PENSTOCK_API RPC_SS_THREAD_HANDLE RPC_ENTRY RpcSmGetThreadHandle(RPC_STATUS *pStatus);
PENSTOCK_API void RPC_ENTRY RpcSsSetThreadHandle(RPC_SS_THREAD_HANDLE Id);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmSetThreadHandle(RPC_SS_THREAD_HANDLE Id);

/* What the synchronous client stubs this thread calls use instead of MIDL_user_allocate
 * and MIDL_user_free; both NULL: these again.  Swap gives what was set before.
 * RPC_S_INVALID_ARG: only one is NULL, or a place for the old ones is.  This thread's alone.
 * learn.microsoft.com, RpcSsSetClientAllocFree, RpcSsSwapClientAllocFree. */
PENSTOCK_API void RPC_ENTRY RpcSsSetClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc,
                                                    RPC_CLIENT_FREE *ClientFree);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmSetClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc,
                                                          RPC_CLIENT_FREE *ClientFree);
PENSTOCK_API void RPC_ENTRY RpcSsSwapClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc,
                                                     RPC_CLIENT_FREE *ClientFree,
                                                     RPC_CLIENT_ALLOC **OldClientAlloc,
                                                     RPC_CLIENT_FREE **OldClientFree);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmSwapClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc,
                                                           RPC_CLIENT_FREE *ClientFree,
                                                           RPC_CLIENT_ALLOC **OldClientAlloc,
                                                           RPC_CLIENT_FREE **OldClientFree);
/* Frees with the routine that was set on this thread.  RPC_S_INVALID_ARG: none is.
 * learn.microsoft.com, RpcSsClientFree. */
PENSTOCK_API void RPC_ENTRY RpcSsClientFree(void *pNodeToFree);
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcSmClientFree(void *pNodeToFree);

/* ---- Type descriptors ---------------------------------------------------- */

typedef enum _NDR_KIND {
    NDR_KIND_VOID = 0,
    /* scalars; the comment gives memory octets / NDR 2.0 octets */
    NDR_KIND_BOOLEAN,  /* 1/1 */
    NDR_KIND_BYTE,     /* 1/1, never converted */
    NDR_KIND_CHAR,     /* 1/1, unsigned char */
    NDR_KIND_INT8,     /* 1/1 */
    NDR_KIND_UINT8,    /* 1/1 */
    NDR_KIND_INT16,    /* 2/2 */
    NDR_KIND_UINT16,   /* 2/2 */
    NDR_KIND_WCHAR,    /* 2/2 */
    NDR_KIND_INT32,    /* 4/4 */
    NDR_KIND_UINT32,   /* 4/4 */
    NDR_KIND_INT64,    /* 8/8 */
    NDR_KIND_UINT64,   /* 8/8 */
    NDR_KIND_FLOAT,    /* 4/4 IEEE */
    NDR_KIND_DOUBLE,   /* 8/8 IEEE */
    NDR_KIND_ENUM16,   /* 4/2, values 0..32767 (4 in NDR64) */
    NDR_KIND_ENUM32,   /* 4/4, [v1_enum] */
    NDR_KIND_INT3264,  /* pointer width/4 (8 in NDR64) */
    NDR_KIND_UINT3264, /* pointer width/4 (8 in NDR64) */
    NDR_KIND_ERROR_STATUS, /* 4/4 */
    /* constructed */
    NDR_KIND_STRUCT,   /* fields, count = number of fields */
    NDR_KIND_ARRAY,    /* element; fixed: count; conformant: max_count */
    NDR_KIND_STRING,   /* element CHAR, BYTE or WCHAR, NUL terminated; fixed array:
                        * count = capacity; sized: max_count; else count 0 */
    NDR_KIND_POINTER,  /* element = pointee; class in flags */
    NDR_KIND_PIPE,     /* element */
    NDR_KIND_HANDLE,   /* handle_t: nothing on the wire */
    NDR_KIND_UNION,    /* alternatives; encapsulated: the structure around it too */
    NDR_KIND_CONTEXT,  /* context handle: a pointer/20 octets; context.  As a parameter, or
                        * behind a parameter's [ref] pointer, it may carry the call, and
                        * an [in] one is not NULL; elsewhere it is data */
    NDR_KIND_CONVERTED,/* a type of the program; element: what is sent; conversion */
    NDR_KIND_COUNT
} NDR_KIND;

/* NDR_TYPE.flags */
#define NDR_TYPE_REF 0x0001u    /* POINTER: [ref]    */
#define NDR_TYPE_UNIQUE 0x0002u /* POINTER: [unique] */
#define NDR_TYPE_FULL 0x0004u   /* POINTER: [ptr]    */
#define NDR_TYPE_IGNORE 0x0008u /* POINTER: [ignore]: its value travels, its pointee does not */
/* Memory and NDR 2.0 representation (same byte order) are the same octets, with
 * no padding anywhere, inner or trailing: arrays of it move by memcpy. */
#define NDR_TYPE_FLAT 0x0010u
/* Somewhere inside there is a pointer: a second, deferred pass is needed. */
#define NDR_TYPE_HAS_POINTERS 0x0020u
/* ARRAY: varying: an offset and a count of elements precede them.  first, length.  When its
 * element is an ARRAY, too, both have the flag and are dimensions of one array: the offsets
 * and counts of all of them precede the elements (C706 14.3.3.9). */
#define NDR_TYPE_VARYING 0x0040u
/* STRUCT: its last field, or that of a structure there, is a conformant array.  size is
 * sizeof the C structure, which has one element. */
#define NDR_TYPE_OPEN 0x0080u
/* sized ARRAY or STRING: [disable_consistency_check]: the pointer to it may be NULL in a
 * request while size_is is not 0. */
#define NDR_TYPE_NULL_WITH_SIZE 0x0100u
/* POINTER: ACF [allocate(dont_free)]: what it leads to is the manager's after the call. */
#define NDR_TYPE_DONT_FREE 0x4000u
/* POINTER: ACF [allocate(all_nodes)]: everything it leads to is one object of the program's
 * memory, which begins with the pointee. */
#define NDR_TYPE_ALL_NODES 0x8000u
/* It is, or leads to, an octet with `characters`. */
#define NDR_TYPE_HAS_CHARACTERS 0x10000u

typedef struct _NDR_TYPE NDR_TYPE;
typedef struct _NDR_FIELD NDR_FIELD;
typedef struct _NDR_EXPR NDR_EXPR;
typedef struct _NDR_RANGE NDR_RANGE;
typedef struct _NDR_UNION NDR_UNION;
typedef struct _NDR_CONTEXT NDR_CONTEXT;
typedef struct _NDR_CONVERSION NDR_CONVERSION;
typedef struct _NDR_CS_TYPE NDR_CS_TYPE;

struct _NDR_TYPE {
    NDR_KIND kind;
    uint32_t flags;           /* NDR_TYPE_*                                            */
    uint32_t size;            /* sizeof in memory; 0: conformant, string without count */
    uint32_t align;           /* NDR 2.0 alignment, octets: 1, 2, 4 or 8; UNION: of the
                               * structure around it, it begins where its tag may      */
    uint32_t count;           /* STRUCT: fields; fixed ARRAY: elements; fixed STRING:
                               * capacity in elements, terminator included             */
    const char *name;         /* IDL name, NULL when it has none                       */
    const NDR_TYPE *element;  /* ARRAY, STRING, POINTER, PIPE                          */
    const NDR_FIELD *fields;  /* STRUCT                                                */
    const NDR_EXPR *max_count;/* conformant ARRAY, sized STRING: value of size_is      */
    const NDR_EXPR *first;    /* VARYING: value of first_is; NULL: 0                   */
    const NDR_EXPR *length;   /* VARYING: value of length_is, last_is - first_is + 1;
                               * NULL: all elements from the first on                  */
    const NDR_UNION *alternatives; /* UNION                                            */
    const NDR_CONTEXT *context;    /* CONTEXT                                          */
    const NDR_CONVERSION *conversion; /* CONVERTED                                     */
    const NDR_RANGE *count_range;  /* conformant ARRAY, STRING without capacity: [range] of
                                    * their max count, or NULL                         */
    const NDR_RANGE *element_range;/* PIPE: [range] of its elements, integers; CONVERTED: of
                                    * the integers that are sent; or NULL               */
    const NDR_CS_TYPE *characters; /* an octet, ACF [cs_char]: C has a character in its place;
                                    * else NULL                                         */
};

struct _NDR_FIELD {
    const char *name;
    const NDR_TYPE *type;
    uint32_t offset; /* in the structure */
    const NDR_RANGE *range; /* [range] of the integers in it, or NULL */
};

/* One case label of a union; an arm with several labels has an entry for each. */
typedef struct _NDR_ARM {
    const char *name;       /* of the member, NULL: empty arm             */
    int64_t value;          /* of the label; meaningless in a default arm */
    const NDR_TYPE *type;   /* NULL: nothing is sent                      */
    const NDR_RANGE *range; /* [range] of the integers in it, or NULL     */
} NDR_ARM;

/* Non-encapsulated: the C type is the union, and the discriminant is what switch_is
 * gives over the base (the frame of a parameter, the structure of a field); it is sent in
 * front of the arm.  Encapsulated: the C type is a structure of discriminant and union. */
#define NDR_UNION_MS 0x0001u /* [ms_union], NDR 2.0: all arms begin at the alignment of the
                              * strictest one, even an empty one (MS-RPCE 2.2.4.5) */
struct _NDR_UNION {
    NDR_KIND switch_kind;      /* scalar that travels as discriminant                */
    const NDR_EXPR *switch_is; /* NULL: encapsulated                                 */
    uint32_t switch_offset;    /* encapsulated: of the discriminant in the structure */
    uint32_t arms_offset;      /* encapsulated: of the union in the structure        */
    uint32_t arm_count;
    const NDR_ARM *arms;
    const NDR_ARM *otherwise;  /* the default arm, or NULL: other values are refused */
    uint32_t flags;            /* NDR_UNION_*                                        */
};

/* A context handle of one type.  Strictness is the interface's (ACF). */
#define NDR_CONTEXT_STRICT 0x0001u      /* only in the interface that made it            */
#define NDR_CONTEXT_TYPE_STRICT 0x0002u /* only as the type it was made as               */
#define NDR_CONTEXT_SERIALIZE 0x0004u
#define NDR_CONTEXT_NOSERIALIZE 0x0008u
struct _NDR_CONTEXT {
    const char *name;                      /* of the typedef, NULL: declared on a parameter */
    void(__RPC_USER *rundown)(void *user); /* server stub; NULL: none                      */
    uint32_t flags;                        /* NDR_CONTEXT_*                                */
};

/* Routines of the program between a type of its own and what is sent.  Any of them may
 * raise.  One of two families is there:
 *
 * [transmit_as], [represent_as]: `to_wire` makes a value of the type that is sent, which
 * has no pointers; `free_wire` takes it back.  `from_wire` fills a value of the program's
 * type, of which `free_value`, NULL: nothing to do, frees what it points to.
 *
 * [wire_marshal], [user_marshal]: the program writes and reads the octets of the element
 * itself, in NDR 2.0 and the host's byte order in both transfer syntaxes, or where the
 * element is a pointer, of what that points to. */
struct _NDR_CONVERSION {
    void (*to_wire)(void *value, void **ret_wire);
    void (*from_wire)(void *wire, void *value);
    void (*free_wire)(void *wire);
    void (*free_value)(void *value);
    unsigned long (*user_size)(unsigned long *flags, unsigned long start, void *value);
    unsigned char *(*user_marshal)(unsigned long *flags, unsigned char *buffer, void *value);
    unsigned char *(*user_unmarshal)(unsigned long *flags, unsigned char *buffer, void *value);
    void (*user_free)(unsigned long *flags, void *value);
};

struct _NDR_RANGE {
    int64_t low, high; /* both inclusive */
};

/* The value of size_is and friends: a tree evaluated over a *base*, the frame
 * for a parameter, the enclosing structure for a field.  Arithmetic is signed 64
 * bits; a division by zero or a NULL pointer dereferenced makes the whole
 * expression invalid (RPC_X_BAD_STUB_DATA on receipt, RPC_S_INVALID_BOUND when
 * sending). Conditional and logical operators evaluate lazily. */
typedef enum _NDR_EXPR_OP {
    NDR_EXPR_CONST,  /* value */
    NDR_EXPR_LOAD,   /* the scalar of kind `kind` at base + offset */
    NDR_EXPR_DEREF,  /* the scalar of kind `kind` the pointer at base + offset points to */
    NDR_EXPR_NONNULL,/* 1 when the pointer at base + offset is not NULL */
    NDR_EXPR_NEG, NDR_EXPR_NOT, NDR_EXPR_BITNOT,
    NDR_EXPR_ADD, NDR_EXPR_SUB, NDR_EXPR_MUL, NDR_EXPR_DIV, NDR_EXPR_MOD,
    NDR_EXPR_SHL, NDR_EXPR_SHR, NDR_EXPR_BITAND, NDR_EXPR_BITOR, NDR_EXPR_BITXOR,
    NDR_EXPR_LT, NDR_EXPR_LE, NDR_EXPR_GT, NDR_EXPR_GE, NDR_EXPR_EQ, NDR_EXPR_NE,
    NDR_EXPR_AND, NDR_EXPR_OR,
    NDR_EXPR_COND    /* a ? b : c */
} NDR_EXPR_OP;

struct _NDR_EXPR {
    NDR_EXPR_OP op;
    NDR_KIND kind;      /* LOAD, DEREF */
    uint32_t offset;    /* LOAD, DEREF, NONNULL */
    int64_t value;      /* CONST */
    const NDR_EXPR *a, *b, *c;
};

/* ---- What routines of [wire_marshal] and [user_marshal] learn ---------------- */

/* Where the data goes (wtypes.h has the same); for remote calls always
 * MSHCTX_DIFFERENTMACHINE. */
#define USER_CALL_CTXT_MASK(f) ((f) & 0x00ffu)
/* The sender's data representation (C706 14.1); the octets themselves are the host's. */
#define GET_USER_DATA_REP(f) ((f) >> 16)

typedef enum _USER_MARSHAL_CB_TYPE {
    USER_MARSHAL_CB_BUFFER_SIZE,
    USER_MARSHAL_CB_MARSHALL,
    USER_MARSHAL_CB_UNMARSHALL,
    USER_MARSHAL_CB_FREE
} USER_MARSHAL_CB_TYPE;

typedef struct _NDR_USER_MARSHAL_INFO_LEVEL1 {
    void *Buffer;             /* marshalling and unmarshalling, else NULL */
    unsigned long BufferSize; /* octets from Buffer on                    */
    void *(__RPC_USER *pfnAllocate)(size_t size);
    void(__RPC_USER *pfnFree)(void *object);
    struct IRpcChannelBuffer *pRpcChannelBuffer; /* of COM: NULL */
    uintptr_t Reserved[5];
} NDR_USER_MARSHAL_INFO_LEVEL1;

typedef struct _NDR_USER_MARSHAL_INFO {
    unsigned long InformationLevel;
    union {
        NDR_USER_MARSHAL_INFO_LEVEL1 Level1;
    };
} NDR_USER_MARSHAL_INFO;

#define USER_MARSHAL_CB_SIGNATURE 0x55535243u /* "USRC" */

/* What pFlags leads to: the flags are the first member. */
typedef struct _USER_MARSHAL_CB {
    unsigned long Flags;
    unsigned long Signature; /* USER_MARSHAL_CB_SIGNATURE */
    USER_MARSHAL_CB_TYPE CBType;
    NDR_USER_MARSHAL_INFO_LEVEL1 Info;
} USER_MARSHAL_CB;

/* More about the call a routine of [wire_marshal] or [user_marshal] works for.
 *   pFlags            as the routine got it
 *   InformationLevel  1
 *   pMarshalInfo      filled; the caller's
 * RPC_S_OK; RPC_S_INVALID_ARG: another level, a NULL pointer, or these are no flags of such
 * a routine; RPC_X_INVALID_BUFFER: marshalling or unmarshalling without a buffer.  Only
 * from within the routine.  learn.microsoft.com, NdrGetUserMarshalInfo. */
PENSTOCK_API RPC_STATUS RPC_ENTRY NdrGetUserMarshalInfo(unsigned long *pFlags,
                                                        unsigned long InformationLevel,
                                                        NDR_USER_MARSHAL_INFO *pMarshalInfo);

/* ---- Code sets of [cs_char] ----------------------------------------------------- */

/* What a size routine says about the data (The Open Group, CDE 1.1: RPC, cs_byte_net_size;
 * Microsoft: rpcndr.h). */
typedef enum _IDL_CS_CONVERT {
    IDL_CS_NO_CONVERT,        /* the octets are the characters             */
    IDL_CS_IN_PLACE_CONVERT,  /* one storage will do for both              */
    IDL_CS_NEW_BUFFER_CONVERT /* the result goes to a storage of its own   */
} IDL_CS_CONVERT;

/* Routines of the program for a local type L: L_net_size, L_local_size, L_to_netcs and
 * L_from_netcs.  Sizes and lengths count characters, network ones octets.  *pStatus is 0 before;
 * another value ends the call with it.  pulNetworkBufferSize and pulLocalBufferSize are NULL for
 * arrays of constant size, pulNetworkDataLength and pulLocalDataLength for arrays without
 * length_is.  See docs/design/conversions.md. */
typedef void(__RPC_USER *CS_TYPE_NET_SIZE_ROUTINE)(RPC_BINDING_HANDLE hBinding,
                                                   unsigned long ulNetworkCodeSet,
                                                   unsigned long ulLocalBufferSize,
                                                   IDL_CS_CONVERT *conversionType,
                                                   unsigned long *pulNetworkBufferSize,
                                                   error_status_t *pStatus);
typedef void(__RPC_USER *CS_TYPE_LOCAL_SIZE_ROUTINE)(RPC_BINDING_HANDLE hBinding,
                                                     unsigned long ulNetworkCodeSet,
                                                     unsigned long ulNetworkBufferSize,
                                                     IDL_CS_CONVERT *conversionType,
                                                     unsigned long *pulLocalBufferSize,
                                                     error_status_t *pStatus);
typedef void(__RPC_USER *CS_TYPE_TO_NETCS_ROUTINE)(RPC_BINDING_HANDLE hBinding,
                                                   unsigned long ulNetworkCodeSet,
                                                   void *pLocalData,
                                                   unsigned long ulLocalDataLength,
                                                   byte *pNetworkData,
                                                   unsigned long *pulNetworkDataLength,
                                                   error_status_t *pStatus);
typedef void(__RPC_USER *CS_TYPE_FROM_NETCS_ROUTINE)(RPC_BINDING_HANDLE hBinding,
                                                     unsigned long ulNetworkCodeSet,
                                                     byte *pNetworkData,
                                                     unsigned long ulNetworkDataLength,
                                                     unsigned long ulLocalBufferSize,
                                                     void *pLocalData,
                                                     unsigned long *pulLocalDataLength,
                                                     error_status_t *pStatus);
/* [cs_tag_rtn]: sets the tags before anything is converted: at the client (fServerSide 0) all,
 * at the server *pulReceivingTag, after the manager.  NULL: there is no such parameter. */
typedef void(__RPC_USER *CS_TAG_GETTING_ROUTINE)(RPC_BINDING_HANDLE hBinding, int fServerSide,
                                                 unsigned long *pulSendingTag,
                                                 unsigned long *pulDesiredReceivingTag,
                                                 unsigned long *pulReceivingTag,
                                                 error_status_t *pStatus);

/* A type of one octet whose values, and arrays of them, are characters here.  Engine and
 * descriptors know the octets alone; `size` of an array counts these, while structures are laid
 * out with the characters, in whose place the octets then stand. */
struct _NDR_CS_TYPE {
    uint32_t element_size; /* of a character here */
    CS_TYPE_NET_SIZE_ROUTINE net_size;
    CS_TYPE_LOCAL_SIZE_ROUTINE local_size;
    CS_TYPE_TO_NETCS_ROUTINE to_netcs;
    CS_TYPE_FROM_NETCS_ROUTINE from_netcs;
};

/* No such parameter. */
#define NDR_CS_NONE 0xffffffffu

/* What tells the code sets of an operation's characters. */
typedef struct _NDR_CHARACTERS {
    uint32_t stag, drtag, rtag; /* in the frame, or NDR_CS_NONE */
    CS_TAG_GETTING_ROUTINE tag_routine; /* NULL: the tags are the program's arguments */
} NDR_CHARACTERS;

/* ---- Operations and interfaces ------------------------------------------- */

/* NDR_PARAM.flags */
#define NDR_PARAM_IN 0x0001u
#define NDR_PARAM_OUT 0x0002u
#define NDR_PARAM_RETURN 0x0004u   /* the result; also NDR_PARAM_OUT */
#define NDR_PARAM_PIPE 0x0008u     /* type->kind is NDR_KIND_PIPE */
#define NDR_PARAM_BY_VALUE 0x0010u /* a synchronous pipe structure itself, not a pointer to it */
#define NDR_PARAM_BINDING 0x0020u  /* the handle_t that carries the call; not sent */
#define NDR_PARAM_COMM_STATUS 0x0040u  /* [comm_status], [fault_status]: receives the    */
#define NDR_PARAM_FAULT_STATUS 0x0080u /* failure instead of an exception                */
#define NDR_PARAM_LOCAL 0x0100u        /* a status parameter of the ACF alone: not sent  */
#define NDR_PARAM_PARTIAL_IGNORE 0x4000u /* [in,out] [unique]: the request has the pointer alone,
                                          * the server gives the manager zeroed storage */

/* One C parameter.  Its type describes the frame member as C passes it: an array
 * parameter and a by-reference parameter are NDR_KIND_POINTER (ref), a structure
 * by value is NDR_KIND_STRUCT.  A pipe's member is a pointer to the pipe structure
 * unless BY_VALUE. */
typedef struct _NDR_PARAM {
    const char *name;
    const NDR_TYPE *type;
    uint32_t offset; /* in the frame */
    uint32_t flags;
    const NDR_RANGE *range; /* [range] of the integers in it, or NULL; of a pipe: elements per
                             * chunk */
    const NDR_EXPR *byte_count; /* ACF [byte_count], over the frame: octets of the client's buffer
                                 * that takes everything the parameter leads to; or NULL */
} NDR_PARAM;

/* NDR_OPERATION.flags */
#define NDR_OP_ASYNC 0x0001u      /* ACF [async]: the frame's first member is a PRPC_ASYNC_STATE */
#define NDR_OP_HAS_PIPES 0x0002u
#define NDR_OP_IDEMPOTENT 0x0004u
#define NDR_OP_MAYBE 0x0008u
#define NDR_OP_COMM_STATUS 0x0010u  /* the result receives the failure */
#define NDR_OP_FAULT_STATUS 0x0020u
#define NDR_OP_ENABLE_ALLOCATE 0x0080u /* server: memory is RpcSsAllocate's */
#define NDR_OP_AUTO_HANDLE 0x0040u  /* no binding given: the interface's endpoint, this host */
#define NDR_OP_HAS_CONTEXTS 0x1000u /* there are context handles in parameters or result */
#define NDR_OP_CONVERTS 0x4000u /* some value is NDR_KIND_CONVERTED */
#define NDR_OP_ENCODE 0x10000u /* serialised, never called (midles.h): the [in] parameters may be */
#define NDR_OP_DECODE 0x20000u /* written, the [out] parameters read                           */

typedef struct _NDR_OPERATION {
    const char *name;
    uint32_t opnum;
    uint32_t flags;
    uint32_t frame_size; /* sizeof the frame structure */
    uint32_t param_count;
    const NDR_PARAM *params; /* in signature order, the result last */
    /* Server stub only, else NULL: calls the manager routine of `epv` with the
     * members of `frame` and stores its result there.  The manager may raise. */
    void (*invoke)(const RPC_MGR_EPV *epv, void *frame);
    /* Server stub, [notify] and [notify_flag], else NULL: called when a call is over and its
     * memory is freed; `called`: the manager routine was entered. */
    void(__RPC_USER *notify)(void);
    void(__RPC_USER *notify_flag)(boolean called);
    /* Client stub of an asynchronous operation bound by a generic handle, else NULL: H_unbind
     * of what the stub has bound.  Called once, when the call is complete or was refused. */
    void (*unbind)(void *frame);
    const NDR_CHARACTERS *characters; /* there is [cs_char] in the parameters; or NULL */
} NDR_OPERATION;

typedef struct _RPC_VERSION {
    unsigned short MajorVersion;
    unsigned short MinorVersion;
} RPC_VERSION;

typedef struct _RPC_SYNTAX_IDENTIFIER {
    GUID SyntaxGUID;
    RPC_VERSION SyntaxVersion;
} RPC_SYNTAX_IDENTIFIER, *PRPC_SYNTAX_IDENTIFIER;

typedef struct _RPC_PROTSEQ_ENDPOINT {
    unsigned char *RpcProtocolSequence;
    unsigned char *Endpoint;
} RPC_PROTSEQ_ENDPOINT, *PRPC_PROTSEQ_ENDPOINT;

typedef struct _NDR_INTERFACE {
    const char *name;
    uint32_t operation_count;
    const NDR_OPERATION *operations; /* indexed by opnum */
    void *(*allocate)(size_t size);  /* MIDL_user_allocate of the program */
    void (*free)(void *object);      /* MIDL_user_free of the program     */
    uint32_t callback_count;
    const NDR_OPERATION *callbacks;  /* [callback], indexed by their own opnums; `invoke` is
                                      * the client stub's and gets no EPV */
} NDR_INTERFACE;

#define RPC_INTERFACE_HAS_PIPES 0x0001u
/* Compiled with -protocol dce, ndr64; neither: both transfer syntaxes */
#define RPC_INTERFACE_NDR_ONLY 0x0002u
#define RPC_INTERFACE_NDR64_ONLY 0x0004u

/* Behind every `..._ifspec`.  The field names are the documented ones; the layout
 * is ours.  Client and server interfaces share one structure. */
typedef struct _RPC_CLIENT_INTERFACE {
    unsigned int Length; /* sizeof this structure */
    RPC_SYNTAX_IDENTIFIER InterfaceId;
    RPC_SYNTAX_IDENTIFIER TransferSyntax; /* NDR 2.0; NDR64 if that is the only one */
    unsigned int RpcProtseqEndpointCount;
    const RPC_PROTSEQ_ENDPOINT *RpcProtseqEndpoint; /* IDL endpoint() */
    const RPC_MGR_EPV *DefaultManagerEpv;           /* server stub, else NULL */
    const NDR_INTERFACE *InterpreterInfo;
    unsigned int Flags; /* RPC_INTERFACE_* */
} RPC_CLIENT_INTERFACE, RPC_SERVER_INTERFACE;

/* ---- What a client stub calls -------------------------------------------- */

/* Runs operation `opnum` of `interface` with the arguments in `frame` and blocks
 * until it is done; [out] parameters and the result are in the frame then.
 * Raises the failure as an exception (RpcRaiseException).  Any thread.  Of ours: stubs call
 * it where MIDL's call NdrClientCall2. */
PENSTOCK_API void RPC_ENTRY NdrxClientCall(const RPC_CLIENT_INTERFACE *interface_spec,
                                           unsigned int opnum, void *frame);

/* Starts operation `opnum` with `async` (initialised by RpcAsyncInitializeHandle).
 * The frame is copied; what its members point to stays the caller's and must
 * stay valid until the call is complete.  Pipe structures in the frame are
 * filled.  Raises what goes wrong before the call is accepted: then no
 * notification follows and the call needs no completion.  Any thread.  Of ours, as above. */
PENSTOCK_API void RPC_ENTRY NdrxAsyncClientCall(const RPC_CLIENT_INTERFACE *interface_spec,
                                                unsigned int opnum, PRPC_ASYNC_STATE async,
                                                void *frame);

/* ---- What a server stub calls -------------------------------------------- */

/* Runs [callback] `opnum` of `interface_spec` in the client whose call this thread runs the
 * manager routine of, with the arguments in `frame`, and blocks until it is done; [out]
 * parameters and the result are in the frame then.  A call that the client's routine makes
 * on its part, with the same binding and interface, runs on this thread meanwhile.  Of
 * ours; the rules are MS-RPCE's (3.3.1.5.9), see docs/design/callbacks.md.
 *   interface_spec  the server's, as the current call was dispatched with
 *   opnum           counts the interface's [callback]s alone
 *   frame           stays the caller's; as in NdrxClientCall
 * Raises what the client's routine raised or what went wrong on the way, unless a status
 * parameter of the operation receives it.  RPC_S_NO_CALL_ACTIVE: this thread runs no
 * manager routine of that interface.  RPC_S_CANNOT_SUPPORT: the call is asynchronous here,
 * or nobody waits for its answer.  RPC_S_CALL_CANCELLED, RPC_S_CALL_FAILED: the client has
 * given the call up, or is gone.  RPC_S_OUT_OF_RESOURCES: too many calls inside each other. */
PENSTOCK_API void RPC_ENTRY NdrxCallbackCall(const RPC_SERVER_INTERFACE *interface_spec,
                                             unsigned int opnum, void *frame);

/* Writes a value as one line of text: `{name="x", v=3[1, 2, 3], next=NULL}`.  For traces, test
 * failures and tools; long strings, long arrays and deep structures are shortened with
 * "...".
 *   Type   its descriptor, as in the generated stubs
 *   Value  the value in memory, read only
 *   Base   what size_is in the type refers to: the enclosing structure, or the frame of a
 *          parameter; NULL when the type has no such expression
 *   Text   receives the text, always NUL terminated, cut at `Size` octets
 * RPC_S_OK; RPC_S_INVALID_ARG: a pointer is NULL (Base may be) or Size is 0.
 * Any thread.  Of ours, there is no such function in Microsoft's interface. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcxNdrPrint(const NDR_TYPE *Type, const void *Value,
                                               const void *Base, char *Text, size_t Size);

/* The shape all generated pipe structures share, with the element untyped. */
typedef struct _NDR_ASYNC_PIPE {
    RPC_STATUS(__RPC_USER *pull)(char *state, void *buf, unsigned long esize,
                                 unsigned long *ecount);
    RPC_STATUS(__RPC_USER *push)(char *state, void *buf, unsigned long ecount);
    RPC_STATUS(__RPC_USER *alloc)(char *state, unsigned long bsize, void **buf,
                                  unsigned long *bcount);
    char *state;
} NDR_ASYNC_PIPE;

typedef struct _NDR_PIPE {
    void(__RPC_USER *pull)(char *state, void *buf, unsigned long esize, unsigned long *ecount);
    void(__RPC_USER *push)(char *state, void *buf, unsigned long ecount);
    void(__RPC_USER *alloc)(char *state, unsigned long bsize, void **buf, unsigned long *bcount);
    char *state;
} NDR_PIPE;

PENSTOCK_END_DECLS

#endif
