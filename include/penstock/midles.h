/* SPDX-License-Identifier: MIT */
/* midles.h - serialisation ("pickling"): values to octets and back, without a call.
 *
 * The ACF says [encode], [decode] of a type or an operation; the stub of the client then has
 * T_AlignSize, T_Encode, T_Decode and T_Free, or the operation itself, and these take a
 * serialisation handle where a call takes a binding.  The handle says where octets go or
 * come from:
 *
 *     char *buffer;                                  // midl_user_free when done
 *     unsigned long size;
 *     MesEncodeDynBufferHandleCreate(&buffer, &size, &handle);
 *     PERSON_Encode(handle, &person);                // raises what goes wrong
 *     PERSON_Encode(handle, &another);               // behind the first
 *     MesHandleFree(handle);
 *
 * The octets are those of MS-RPCE 2.2.6 (types, NDR 2.0) and 2.2.7 (types, NDR64), and for
 * operations what docs/design/pickling.md says.  Both transfer syntaxes and both byte orders
 * are decoded, whatever the handle is told; NDR 2.0 is encoded unless a Reset function is
 * given MES_ENCODE_NDR64.
 *
 * T_Decode and operations that decode write into the program's memory only as far as it is
 * known to reach, so what they are given is initialised.  Zeros are fine, except where a size
 * is variable: a structure that ends in a conformant array, and strings and sized arrays that
 * are parameters; there the old size_is, or the old length of the string, says how much room
 * there is.  What unique and full pointers lead to is allocated with midl_user_allocate where
 * the pointer was NULL.  T_Free frees it again, with everything behind it, not the object.
 *
 * A handle is for one thread at a time.  After a failure a buffer handle stands where it
 * stood; an incremental one must be reset, because octets may have been read or written.
 * Source: Windows RPC documentation, "Serialization Services" and midles.h. */
#ifndef PENSTOCK_MIDLES_H
#define PENSTOCK_MIDLES_H

#include "rpcndr.h"

PENSTOCK_BEGIN_DECLS

typedef enum {
    MES_ENCODE,
    MES_DECODE,
    MES_ENCODE_NDR64 /* encode in NDR64: buffers are aligned to 16 */
} MIDL_ES_CODE;

typedef enum {
    MES_INCREMENTAL_HANDLE,
    MES_FIXED_BUFFER_HANDLE,
    MES_DYNAMIC_BUFFER_HANDLE
} MIDL_ES_HANDLE_STYLE;

/* The program's routines of the incremental style; `state` is what it gave with the handle.
 * They may raise; the operation under way then raises the same.
 *   Alloc   gives a buffer of *psize octets, aligned to 8 (NDR64: 16); or of fewer, a
 *           multiple of that: then Write follows, and Alloc again for the rest
 *   Write   takes the octets of the last Alloc
 *   Read    gives *psize octets, which stay valid until the next Read or the end of the
 *           operation; fewer: Read follows for the rest; 0: there are no more */
typedef void(__RPC_USER *MIDL_ES_ALLOC)(void *state, char **pbuffer, unsigned int *psize);
typedef void(__RPC_USER *MIDL_ES_WRITE)(void *state, char *buffer, unsigned int size);
typedef void(__RPC_USER *MIDL_ES_READ)(void *state, char **pbuffer, unsigned int *psize);

/* A handle that encodes through AllocFn and WriteFn.  UserState may be NULL.
 * RPC_S_OK: *pHandle is the caller's, for MesHandleFree; RPC_S_INVALID_ARG: a NULL pointer;
 * RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesEncodeIncrementalHandleCreate(void *UserState,
                                                                   MIDL_ES_ALLOC AllocFn,
                                                                   MIDL_ES_WRITE WriteFn,
                                                                   handle_t *pHandle);

/* A handle that decodes what ReadFn gives.  RPC_S_OK: *pHandle is the caller's, for
 * MesHandleFree; RPC_S_INVALID_ARG: a NULL pointer; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesDecodeIncrementalHandleCreate(void *UserState,
                                                                   MIDL_ES_READ ReadFn,
                                                                   handle_t *pHandle);

/* Begins anew with an incremental handle.  NULL keeps what the handle has; Operation may
 * change its direction.
 * RPC_S_OK; RPC_S_INVALID_ARG: no incremental handle, an unknown Operation, or it has not the
 * routines that Operation needs.  The handle is unchanged then. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesIncrementalHandleReset(handle_t Handle, void *UserState,
                                                            MIDL_ES_ALLOC AllocFn,
                                                            MIDL_ES_WRITE WriteFn,
                                                            MIDL_ES_READ ReadFn,
                                                            MIDL_ES_CODE Operation);

/* A handle that encodes into Buffer, the caller's, which outlives its use.
 *   pBuffer       aligned to 8
 *   BufferSize    octets, a multiple of 8; an encoding that does not fit raises
 *                 RPC_X_INVALID_BUFFER and writes nothing
 *   pEncodedSize  receives the octets of all encodings so far; 0 now
 * RPC_S_OK; RPC_S_INVALID_ARG: a NULL pointer; RPC_X_INVALID_BUFFER: alignment or size;
 * RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesEncodeFixedBufferHandleCreate(char *pBuffer,
                                                                   unsigned long BufferSize,
                                                                   unsigned long *pEncodedSize,
                                                                   handle_t *pHandle);

/* A handle that encodes into a buffer it allocates: with the routines of
 * RpcSsSetClientAllocFree, else midl_user_allocate.
 *   pBuffer       receives the buffer, NULL now; each encoding replaces it by a larger one
 *                 and frees the last.  It is the program's once the handle is freed or reset.
 *   pEncodedSize  as above
 * RPC_S_OK; RPC_S_INVALID_ARG: a NULL pointer; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesEncodeDynBufferHandleCreate(char **pBuffer,
                                                                 unsigned long *pEncodedSize,
                                                                 handle_t *pHandle);

/* A handle that decodes Buffer, which stays the caller's and unchanged while it is used.
 *   BufferSize  octets, a multiple of 8; what stands behind the encodings is not looked at
 * RPC_S_OK; RPC_S_INVALID_ARG: a NULL pointer; RPC_X_INVALID_BUFFER: Buffer is not aligned
 * to 8 or BufferSize no multiple of it; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesDecodeBufferHandleCreate(char *Buffer,
                                                              unsigned long BufferSize,
                                                              handle_t *pHandle);

/* Begins anew with a handle of the fixed or the dynamic style, in the style and direction
 * that are given.
 *   HandleStyle   MES_FIXED_BUFFER_HANDLE (encoding, and all decoding) or
 *                 MES_DYNAMIC_BUFFER_HANDLE (encoding; decoding is the same in both)
 *   pBuffer       decoding, fixed: where the buffer is found; dynamic encoding: where to
 *                 put it, *pBuffer becomes NULL
 *   BufferSize    not used for dynamic encoding
 *   pEncodedSize  not used for decoding
 * Buffers are as for the functions above, aligned to 16 for MES_ENCODE_NDR64.
 * RPC_S_OK; RPC_S_INVALID_ARG; RPC_X_INVALID_BUFFER.  The handle is unchanged unless
 * RPC_S_OK. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesBufferHandleReset(handle_t Handle, unsigned long HandleStyle,
                                                       MIDL_ES_CODE Operation, char **pBuffer,
                                                       unsigned long BufferSize,
                                                       unsigned long *pEncodedSize);

/* Ends a handle, of any style.  Buffers stay.  RPC_S_OK; RPC_S_INVALID_ARG: it is none. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesHandleFree(handle_t Handle);

/* Which operation was encoded last (encoding handles), or comes next (decoding handles: its
 * header is read ahead).  Operations only, not types.
 *   pInterfaceId, pProcNum   receive the interface with its version, and the number of the
 *                            operation in it; written on RPC_S_OK only
 * RPC_S_OK; RPC_S_INVALID_ARG; RPC_X_INVALID_ES_ACTION: the last encoding, if any, was no
 * operation; RPC_X_WRONG_ES_VERSION: what comes next is no operation;
 * RPC_S_UNSUPPORTED_TRANS_SYN; RPC_X_INVALID_BUFFER: nothing comes next;
 * RPC_S_OUT_OF_MEMORY; what Read raised. */
PENSTOCK_API RPC_STATUS RPC_ENTRY MesInqProcEncodingId(handle_t Handle,
                                                       PRPC_SYNTAX_IDENTIFIER pInterfaceId,
                                                       unsigned long *pProcNum);

/* ---- What generated stubs call --------------------------------------------- */

/* A type with [encode] or [decode] is described like a parameter: `type` is a [ref] pointer to
 * it, `offset` is 0.  All raise: RPC_S_INVALID_ARG: no serialisation handle;
 * RPC_X_INVALID_ES_ACTION: it works the other way, or failed before; RPC_X_INVALID_BUFFER:
 * no room, or too few octets; RPC_X_WRONG_ES_VERSION, RPC_S_UNSUPPORTED_TRANS_SYN: the
 * headers; RPC_X_NULL_REF_POINTER, RPC_X_ENUM_VALUE_OUT_OF_RANGE, RPC_S_INVALID_BOUND,
 * RPC_S_INVALID_TAG, RPC_X_BAD_STUB_DATA: the values; RPC_S_OUT_OF_MEMORY;
 * RPC_S_OUT_OF_RESOURCES; what Alloc, Write or Read raised. */
PENSTOCK_API void RPC_ENTRY NdrxMesTypeEncode(handle_t handle,
                                              const RPC_CLIENT_INTERFACE *interface_spec,
                                              const NDR_PARAM *type, const void *object);
PENSTOCK_API void RPC_ENTRY NdrxMesTypeDecode(handle_t handle,
                                              const RPC_CLIENT_INTERFACE *interface_spec,
                                              const NDR_PARAM *type, void *object);
/* Octets that NdrxMesTypeEncode would add now, headers and padding included.  Encodes the
 * object to find out. */
PENSTOCK_API size_t RPC_ENTRY NdrxMesTypeAlignSize(handle_t handle,
                                                   const RPC_CLIENT_INTERFACE *interface_spec,
                                                   const NDR_PARAM *type, const void *object);
/* Frees what the pointers in *object lead to, and makes them NULL.  The handle is not looked
 * at, it may be NULL. */
PENSTOCK_API void RPC_ENTRY NdrxMesTypeFree(handle_t handle,
                                            const RPC_CLIENT_INTERFACE *interface_spec,
                                            const NDR_PARAM *type, void *object);

/* Encodes the [in] parameters of operation `opnum`, or decodes its [out] parameters and its
 * result, as the handle in the frame says.  RPC_S_UNKNOWN_IF: the octets are of another
 * interface or a newer version of it; else as above, and as [comm_status] and [fault_status]
 * say. */
PENSTOCK_API void RPC_ENTRY NdrxMesProcEncodeDecode(const RPC_CLIENT_INTERFACE *interface_spec,
                                                    unsigned int opnum, void *frame);

PENSTOCK_END_DECLS

#endif
