/* SPDX-License-Identifier: MIT */
/* rpceeinfo.h - extended error information: why a call failed, step by step, across the
 * processes it went through.
 *
 * windows.h includes this, rpc.h does not: FILETIME and SYSTEMTIME are names that many
 * interfaces declare for themselves.
 *
 * Each thread has a chain of records, the latest first.  It is emptied when the thread
 * begins a remote call, and filled when a call fails: by the runtime that saw it, by the
 * server's, whose fault carries the server's chain, by managers with RpcErrorAddRecord.  Of
 * an asynchronous call it is the chain of the thread that got the failure from
 * RpcAsyncCompleteCall, push or pull.  A server's thread begins each manager with an empty
 * chain; what is there when the manager raises, or when RpcAsyncAbortCall is called, goes to
 * the client.
 *
 * The information is for people who look for a cause.  It may be missing (memory, the room in
 * a PDU, PENSTOCK_ERROR_INFO=off in the server's environment, other implementations), so no
 * program should decide by it; the status says what it always says.
 * docs/design/errors.md has the components and locations.
 * Source: Windows RPC documentation, "Obtaining Extended RPC Error Information"; [MS-EERR]. */
#ifndef PENSTOCK_RPCEEINFO_H
#define PENSTOCK_RPCEEINFO_H

#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

/* The IDL headers that have these too use the same guards. */
#ifndef _FILETIME_
#define _FILETIME_
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;
#endif
#ifndef _SYSTEMTIME_
#define _SYSTEMTIME_
typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;
#endif

#define MaxNumberOfEEInfoParams 4
#define RPC_EEINFO_VERSION      1

/* Flags */
#define EEInfoPreviousRecordsMissing 1
#define EEInfoNextRecordsMissing     2
#define EEInfoUseFileTime            4

/* GeneratingComponent */
#define EEInfoGCApplication      1
#define EEInfoGCRuntime          2
#define EEInfoGCSecurityProvider 3
#define EEInfoGCNPFS             4
#define EEInfoGCRDR              5
#define EEInfoGCNMP              6
#define EEInfoGCIO               7
#define EEInfoGCWinsock          8
#define EEInfoGCAuthz            9
#define EEInfoGCLPC              10
#define EEInfoGCCOM              11
#define EEInfoGCFRS              12
#define RPCX_EEINFO_GC_PENSTOCK  0x50656E73u /* our runtime, where no documented one fits */

typedef enum tagExtendedErrorParamTypes {
    eeptAnsiString = 1,
    eeptUnicodeString,
    eeptLongVal,
    eeptShortVal,
    eeptPointerVal,
    eeptNone,
    eeptBinary
} ExtendedErrorParamTypes;

typedef struct tagBinaryParam {
    void *Buffer;
    short Size; /* octets */
} BinaryParam;

typedef struct tagRPC_EE_INFO_PARAM {
    ExtendedErrorParamTypes ParameterType;
    union {
        char *AnsiString;
        WCHAR *UnicodeString;
        LONG LVal;
        short SVal;
        ULONGLONG PVal;
        BinaryParam BVal;
    } u;
} RPC_EE_INFO_PARAM;

typedef struct tagRPC_EXTENDED_ERROR_INFO {
    ULONG Version;
    WCHAR *ComputerName; /* NULL: that of the next record that has one, or this one */
    ULONG ProcessID;
    union {
        SYSTEMTIME SystemTime; /* UTC */
        FILETIME FileTime;
    } u;
    ULONG GeneratingComponent;
    ULONG Status;
    USHORT DetectionLocation;
    USHORT Flags;
    int NumberOfParameters;
    RPC_EE_INFO_PARAM Parameters[MaxNumberOfEEInfoParams];
} RPC_EXTENDED_ERROR_INFO;

/* The program's memory, the runtime's content.  Begun on one thread it may be used on
 * another, by one at a time. */
typedef struct tagRPC_ERROR_ENUM_HANDLE {
    ULONG Signature;
    void *CurrentPos;
    void *Head;
} RPC_ERROR_ENUM_HANDLE;

/* All of them: RPC_S_INVALID_ARG for NULL and for a handle that is not enumerating. */

/* Takes the calling thread's chain as it is now.  Ended by RpcErrorEndEnumeration.
 * RPC_S_OK; RPC_S_ENTRY_NOT_FOUND: it is empty. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorStartEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle);

/* The next record.  Before: Version RPC_EEINFO_VERSION, Flags 0 or EEInfoUseFileTime,
 * NumberOfParameters the room in Parameters.  Strings and binary data: with `CopyStrings`
 * they are the program's, freed with HeapFree() or free(); without, the runtime's, until the
 * enumeration ends.
 * RPC_S_OK; RPC_S_ENTRY_NOT_FOUND: that was all; RPC_S_BUFFER_TOO_SMALL: there are more
 * parameters; RPC_S_OUT_OF_MEMORY.  A failure leaves the position where it was. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorGetNextRecord(RPC_ERROR_ENUM_HANDLE *EnumHandle,
                                                        BOOL CopyStrings,
                                                        RPC_EXTENDED_ERROR_INFO *ErrorInfo);

/* Frees what the enumeration has and zeroes the handle.
 * RPC_S_OK; RPC_S_INVALID_ARG: no enumeration. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorEndEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle);

/* Back to the first record.  RPC_S_OK; RPC_S_INVALID_ARG: no enumeration. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorResetEnumeration(RPC_ERROR_ENUM_HANDLE *EnumHandle);

/* How many records there are in all, wherever the position is.
 * RPC_S_OK; RPC_S_INVALID_ARG: no enumeration, or a NULL pointer. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorGetNumberOfRecords(RPC_ERROR_ENUM_HANDLE *EnumHandle,
                                                             int *Records);

/* All records as octets ([MS-EERR] 2.2.2.1); gives *ErrorBlob, freed as strings are.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorSaveErrorInfo(RPC_ERROR_ENUM_HANDLE *EnumHandle,
                                                        void **ErrorBlob, size_t *BlobSize);

/* The reverse: an enumeration of what the octets say.  They stay the caller's and may come
 * from anywhere.
 * RPC_S_OK; RPC_S_INVALID_ARG: they are no such octets; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorLoadErrorInfo(void *ErrorBlob, size_t BlobSize,
                                                        RPC_ERROR_ENUM_HANDLE *EnumHandle);

/* Adds a record of the application to this thread's chain.  Version RPC_EEINFO_VERSION,
 * ComputerName NULL, ProcessID, GeneratingComponent and DetectionLocation 0; the runtime sets
 * them.  Status and up to four parameters are the caller's; strings are copied.
 * RPC_S_OK; RPC_S_INVALID_ARG: another value, an unknown type of parameter, no string, or one
 * of more than 32,766 units; RPC_S_OUT_OF_MEMORY. */
PENSTOCK_API RPC_STATUS RPC_ENTRY RpcErrorAddRecord(RPC_EXTENDED_ERROR_INFO *ErrorInfo);

/* Empties this thread's chain. */
PENSTOCK_API void RPC_ENTRY RpcErrorClearInformation(void);

PENSTOCK_END_DECLS

#endif
