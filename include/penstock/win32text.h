/* SPDX-License-Identifier: MIT */
/* win32text.h - the words of windows.h that programs with remote procedure calls are written
 * in and that are no functions of ours: TCHAR and its strings, macros, process memory.
 * Included by windows.h only.
 *
 * CHAR is the C compiler's char here, as for every Windows program; headers generated from
 * IDL say unsigned char, so that strings need a cast (RPC_CSTR) as they do on Windows.
 * WCHAR is char16_t: one UTF-16 unit, not the wchar_t of this system.
 * Source: Windows documentation, "Windows Data Types", "String Manipulation". */
#ifndef PENSTOCK_WIN32TEXT_H
#define PENSTOCK_WIN32TEXT_H

#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "win32.h"

PENSTOCK_BEGIN_DECLS

/* ---- Types ------------------------------------------------------------------ */

#ifndef PENSTOCK_LPSTR /* IDL's LPSTR is of its own char, which is unsigned */
#define PENSTOCK_LPSTR
typedef char *LPSTR;
#endif
typedef WCHAR *LPWSTR, *PWSTR;
typedef const WCHAR *PCWSTR;
typedef BYTE *PBYTE, *LPBYTE;
typedef const void *LPCVOID;
typedef LONG *PLONG, *LPLONG;
typedef INT *PINT, *LPINT;
typedef WORD *PWORD, *LPWORD;

#ifdef UNICODE
typedef WCHAR TCHAR;
#define TEXT(quoted)          PENSTOCK_WIDE(quoted)
#define PENSTOCK_WIDE(quoted) u##quoted
#else
typedef char TCHAR;
#define TEXT(quoted) quoted
#endif
typedef TCHAR *LPTSTR, *PTSTR;
typedef const TCHAR *LPCTSTR, *PCTSTR;

/* ---- Macros ----------------------------------------------------------------- */

#define UNREFERENCED_PARAMETER(p)  ((void)(p))
#define ARRAYSIZE(array)           (sizeof(array) / sizeof((array)[0]))
#define ZeroMemory(to, size)       ((void)memset((to), 0, (size)))
#define FillMemory(to, size, by)   ((void)memset((to), (by), (size)))
#define CopyMemory(to, from, size) ((void)memcpy((to), (from), (size)))
#define MoveMemory(to, from, size) ((void)memmove((to), (from), (size)))
#define MAKEWORD(low, high)        ((WORD)(((DWORD)(low)&0xffu) | (((DWORD)(high)&0xffu) << 8)))
#define LOWORD(value)              ((WORD)((DWORD)(value)&0xffffu))
#define HIWORD(value)              ((WORD)((DWORD)(value) >> 16))

/* As filters of RpcExcept and blocks of RpcFinally say them, too. */
#define GetExceptionCode()         RpcxExceptionCode()
#define AbnormalTermination()      RpcxAbnormalTermination()
#define EXCEPTION_ACCESS_VIOLATION STATUS_ACCESS_VIOLATION

/* ---- The process heap --------------------------------------------------------- */

#define HEAP_NO_SERIALIZE        0x1u
#define HEAP_GENERATE_EXCEPTIONS 0x4u
#define HEAP_ZERO_MEMORY         0x8u

/* That of malloc(), whatever `heap` says; NULL, or with HEAP_GENERATE_EXCEPTIONS the
 * exception RPC_S_OUT_OF_MEMORY, when there is no memory.  HeapFree releases it. */
static inline LPVOID HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size)
{
    (void)heap;
    void *memory = flags & HEAP_ZERO_MEMORY ? calloc(1, size ? size : 1) : malloc(size ? size : 1);
    if (!memory && flags & HEAP_GENERATE_EXCEPTIONS)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memory;
}

PENSTOCK_END_DECLS

#endif
