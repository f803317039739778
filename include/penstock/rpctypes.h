/* SPDX-License-Identifier: MIT */
/* rpctypes.h - the elementary types every other Penstock header is written in.
 *
 * Windows is LLP64, Linux is LP64.  The rule here: what travels or is stored in
 * a structure shared with the wire has an exact width (LONG and DWORD are 32
 * bits); counts that only pass through a documented function keep their
 * documented spelling `unsigned long`.  docs/design/types.md gives the reasons. */
#ifndef PENSTOCK_RPCTYPES_H
#define PENSTOCK_RPCTYPES_H

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <uchar.h>
#endif

#ifdef __cplusplus
#define PENSTOCK_BEGIN_DECLS extern "C" {
#define PENSTOCK_END_DECLS }
#else
#define PENSTOCK_BEGIN_DECLS
#define PENSTOCK_END_DECLS
#endif

#if defined(__GNUC__)
#define PENSTOCK_API __attribute__((visibility("default")))
#define PENSTOCK_NORETURN __attribute__((noreturn))
#define PENSTOCK_MUST_CHECK __attribute__((warn_unused_result))
#else
#define PENSTOCK_API
#define PENSTOCK_NORETURN
#define PENSTOCK_MUST_CHECK
#endif

/* Calling conventions of the documented prototypes; none exists here. */
#define RPC_ENTRY
#define RPC_VAR_ENTRY
#define __RPC_API
#define __RPC_USER
#define __RPC_STUB
#define __RPC_FAR
#define RPCRTAPI PENSTOCK_API

/* Words of Microsoft's compilers in programs that come from there. */
#ifndef __cdecl
#define __cdecl
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef _stdcall
#define _stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __int64
#define __int64 long long
#endif
#ifndef __int32
#define __int32 int
#endif
#ifndef __int16
#define __int16 short
#endif
#ifndef __int8
#define __int8 char
#endif

#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

PENSTOCK_BEGIN_DECLS

typedef int32_t BOOL;
typedef uint8_t BYTE;
typedef unsigned char UCHAR;
typedef char CHAR;
typedef int16_t SHORT;
typedef uint16_t USHORT, WORD;
typedef int32_t INT, LONG;
typedef uint32_t UINT, ULONG, DWORD;
typedef int64_t LONGLONG, LONG64;
typedef uint64_t ULONGLONG, ULONG64;
typedef intptr_t LONG_PTR, INT_PTR;
typedef uintptr_t ULONG_PTR, UINT_PTR, DWORD_PTR;
typedef char16_t WCHAR; /* IDL wchar_t: one UTF-16 code unit */
typedef void *HANDLE;
typedef int32_t HRESULT;
#ifndef VOID
#define VOID void
#endif

/* 0 is success; every value is a Win32 error number (rpcnterr.h). */
typedef int32_t RPC_STATUS;

typedef void *I_RPC_HANDLE;
typedef I_RPC_HANDLE RPC_BINDING_HANDLE;
typedef RPC_BINDING_HANDLE handle_t;
#define rpc_binding_handle_t RPC_BINDING_HANDLE
typedef void *RPC_IF_HANDLE;
#define RPC_MGR_EPV void

typedef unsigned char *RPC_CSTR;
typedef WCHAR *RPC_WSTR;

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
typedef GUID UUID;
#ifndef uuid_t
#define uuid_t UUID
#endif
#define UUID_DEFINED
#define GUID_DEFINED

PENSTOCK_END_DECLS

#endif
