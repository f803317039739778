/* SPDX-License-Identifier: MIT */
/* win32time.h - times as windows.h has them, for who prints extended error information or
 * measures a call.  Included by windows.h only.  Any thread may call the functions.
 * Source: Windows documentation, "Time Functions". */
#ifndef PENSTOCK_WIN32TIME_H
#define PENSTOCK_WIN32TIME_H

#include <unistd.h>

#include "rpceeinfo.h"
#include "win32.h"

PENSTOCK_BEGIN_DECLS

/* UTC both.  FALSE: ERROR_INVALID_PARAMETER, a time beyond the year 30827, a date or time of
 * day that there is not.  wDayOfWeek is written, not read.  Any thread. */
PENSTOCK_API BOOL RPC_ENTRY RpcxFileTimeToSystemTime(const FILETIME *from, SYSTEMTIME *to);
PENSTOCK_API BOOL RPC_ENTRY RpcxSystemTimeToFileTime(const SYSTEMTIME *from, FILETIME *to);

/* Now; and milliseconds since the system was started.  Never fails.  Any thread. */
PENSTOCK_API void RPC_ENTRY RpcxGetSystemTimeAsFileTime(FILETIME *to);
PENSTOCK_API ULONG64 RPC_ENTRY RpcxGetTickCount64(void);

static inline BOOL FileTimeToSystemTime(const FILETIME *from, SYSTEMTIME *to)
{
    return RpcxFileTimeToSystemTime(from, to);
}

static inline BOOL SystemTimeToFileTime(const SYSTEMTIME *from, FILETIME *to)
{
    return RpcxSystemTimeToFileTime(from, to);
}

static inline void GetSystemTimeAsFileTime(FILETIME *to)
{
    RpcxGetSystemTimeAsFileTime(to);
}

static inline void GetSystemTime(SYSTEMTIME *to)
{
    FILETIME now;
    RpcxGetSystemTimeAsFileTime(&now);
    (void)RpcxFileTimeToSystemTime(&now, to);
}

static inline ULONGLONG GetTickCount64(void)
{
    return RpcxGetTickCount64();
}

static inline DWORD GetTickCount(void)
{
    return (DWORD)RpcxGetTickCount64();
}

static inline DWORD GetCurrentProcessId(void)
{
    return (DWORD)getpid();
}

PENSTOCK_END_DECLS

#endif
