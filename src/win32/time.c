/* SPDX-License-Identifier: MIT */
/* time.c - FILETIME (100 ns since 1601-01-01 UTC) and SYSTEMTIME (its parts); win32time.h. */
#include <string.h>
#include <time.h>

#include <penstock/windows.h>

#define TICKS_PER_SECOND INT64_C(10000000)
/* From 1601-01-01 to 1970-01-01. */
#define SECONDS_TO_UNIX INT64_C(11644473600)
/* The last year a FILETIME can say. */
#define YEAR_MAX 30827

BOOL RpcxFileTimeToSystemTime(const FILETIME *from, SYSTEMTIME *to)
{
    struct tm parts;
    const uint64_t ticks = (uint64_t)from->dwHighDateTime << 32 | from->dwLowDateTime;
    const time_t seconds = (time_t)((int64_t)(ticks / TICKS_PER_SECOND) - SECONDS_TO_UNIX);
    if (ticks > INT64_MAX || !gmtime_r(&seconds, &parts) || parts.tm_year + 1900 > YEAR_MAX) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *to = (SYSTEMTIME){.wYear = (WORD)(parts.tm_year + 1900),
                       .wMonth = (WORD)(parts.tm_mon + 1),
                       .wDayOfWeek = (WORD)parts.tm_wday,
                       .wDay = (WORD)parts.tm_mday,
                       .wHour = (WORD)parts.tm_hour,
                       .wMinute = (WORD)parts.tm_min,
                       .wSecond = (WORD)parts.tm_sec,
                       .wMilliseconds = (WORD)(ticks / 10000 % 1000)};
    return TRUE;
}

static struct tm parts_of(const SYSTEMTIME *time)
{
    return (struct tm){.tm_year = time->wYear - 1900,
                       .tm_mon = time->wMonth - 1,
                       .tm_mday = time->wDay,
                       .tm_hour = time->wHour,
                       .tm_min = time->wMinute,
                       .tm_sec = time->wSecond};
}

BOOL RpcxSystemTimeToFileTime(const SYSTEMTIME *from, FILETIME *to)
{
    const struct tm given = parts_of(from);
    struct tm parts = given;
    const time_t seconds = timegm(&parts); /* 31 February becomes 3 March */
    if (from->wYear < 1601 || from->wYear > YEAR_MAX || from->wMilliseconds > 999 ||
        parts.tm_mon != given.tm_mon || parts.tm_mday != given.tm_mday ||
        parts.tm_hour != given.tm_hour || parts.tm_min != given.tm_min ||
        parts.tm_sec != given.tm_sec) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    const uint64_t ticks = (uint64_t)((seconds + SECONDS_TO_UNIX) * TICKS_PER_SECOND) +
                           from->wMilliseconds * UINT64_C(10000);
    *to = (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
    return TRUE;
}

void RpcxGetSystemTimeAsFileTime(FILETIME *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t ticks = (uint64_t)((now.tv_sec + SECONDS_TO_UNIX) * TICKS_PER_SECOND) +
                           (uint64_t)now.tv_nsec / 100;
    *to = (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

ULONG64 RpcxGetTickCount64(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (ULONG64)now.tv_sec * 1000 + (ULONG64)now.tv_nsec / 1000000;
}
