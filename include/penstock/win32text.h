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

/* ---- Texts of errors ------------------------------------------------------------ */

#define FORMAT_MESSAGE_ALLOCATE_BUFFER 0x0100u
#define FORMAT_MESSAGE_IGNORE_INSERTS  0x0200u
#define FORMAT_MESSAGE_FROM_STRING     0x0400u /* not supported */
#define FORMAT_MESSAGE_FROM_HMODULE    0x0800u /* not supported */
#define FORMAT_MESSAGE_FROM_SYSTEM     0x1000u
#define FORMAT_MESSAGE_ARGUMENT_ARRAY  0x2000u
#define FORMAT_MESSAGE_MAX_WIDTH_MASK  0x00FFu /* no line ends in the text */

#define MAKELANGID(primary, sub) ((WORD)(((WORD)(sub) << 10) | (WORD)(primary)))
#define LANG_NEUTRAL             0
#define LANG_ENGLISH             9
#define SUBLANG_NEUTRAL          0
#define SUBLANG_DEFAULT          1

static inline HANDLE LocalFree(HANDLE memory)
{
    free(memory);
    return NULL;
}

/* The text of a status, in English, in the way that programs print errors:
 * FORMAT_MESSAGE_FROM_SYSTEM, with a line end behind it; the octets without NUL.
 * With FORMAT_MESSAGE_ALLOCATE_BUFFER `buffer` is the address of a pointer, to be released
 * with LocalFree.
 * 0: ERROR_NOT_SUPPORTED (another source), ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND: no
 * text, ERROR_INSUFFICIENT_BUFFER, ERROR_NOT_ENOUGH_MEMORY. */
static inline DWORD FormatMessageA(DWORD flags, LPCVOID source, DWORD message, DWORD language,
                                   LPSTR buffer, DWORD size, void *arguments)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN + 2];
    DWORD error = 0;
    (void)source, (void)language, (void)arguments;
    if (!(flags & FORMAT_MESSAGE_FROM_SYSTEM) ||
        flags & (FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_HMODULE))
        error = ERROR_NOT_SUPPORTED;
    else if (!buffer)
        error = ERROR_INVALID_PARAMETER;
    else if (DceErrorInqTextA((RPC_STATUS)message, text) != RPC_S_OK)
        error = ERROR_MR_MID_NOT_FOUND;
    if (error != 0) {
        RpcxSetLastError(error);
        return 0;
    }
    if (!(flags & FORMAT_MESSAGE_MAX_WIDTH_MASK))
        strcat((char *)text, "\r\n");
    size_t len = strlen((const char *)text);
    char *to = buffer;
    if (flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) {
        to = (char *)malloc(len + 1 > size ? len + 1 : size);
        if (to)
            memcpy(buffer, &to, sizeof(to));
    }
    if (!to || (to == buffer && len >= size)) {
        RpcxSetLastError(to ? ERROR_INSUFFICIENT_BUFFER : ERROR_NOT_ENOUGH_MEMORY);
        return 0;
    }
    memcpy(to, text, len + 1);
    return (DWORD)len;
}
#ifndef UNICODE
#define FormatMessage FormatMessageA
#endif

PENSTOCK_END_DECLS

#endif
