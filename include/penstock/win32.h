/* SPDX-License-Identifier: MIT */
/* win32.h - the few Windows objects an asynchronous call can notify: events.
 *
 * Optional; a program that is told by callback does not need it.  An event is an
 * eventfd underneath: RpcxEventFd() gives its descriptor to poll, epoll, libuv ...
 *
 * The library exports only the Rpcx... functions; the documented names are inline
 * functions over them, so that nothing collides with other libraries at link time.
 * Every function checks its handles: a closed or made-up one gives FALSE, NULL or
 * WAIT_FAILED with ERROR_INVALID_HANDLE in GetLastError(), never a crash.
 * All functions may be called from any thread; none is async-signal-safe. */
#ifndef PENSTOCK_WIN32_H
#define PENSTOCK_WIN32_H

#include "rpcnterr.h"
#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

#define INFINITE             0xFFFFFFFFu
#define WAIT_OBJECT_0        0x00000000u
#define WAIT_ABANDONED_0     0x00000080u
#define WAIT_IO_COMPLETION   0x000000C0u
#define WAIT_TIMEOUT         0x00000102u
#define WAIT_FAILED          0xFFFFFFFFu
#define MAXIMUM_WAIT_OBJECTS 64u
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/* An event; *manual_reset*: stays set until reset and releases every waiter, else one
 * wait consumes it.  The caller releases it with RpcxCloseHandle.
 * NULL: ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES (descriptors). */
PENSTOCK_API HANDLE RPC_ENTRY RpcxCreateEvent(BOOL manual_reset, BOOL initially_set);

/* Setting a set event changes nothing. */
PENSTOCK_API BOOL RPC_ENTRY RpcxSetEvent(HANDLE event);
PENSTOCK_API BOOL RPC_ENTRY RpcxResetEvent(HANDLE event);

/* The handle is invalid from now on; a wait already running on it goes on. */
PENSTOCK_API BOOL RPC_ENTRY RpcxCloseHandle(HANDLE object);

/* Waits until one (`all` FALSE) or all of `count` events, at most
 * MAXIMUM_WAIT_OBJECTS, are set.  `timeout_ms`: milliseconds, 0 to ask only,
 * INFINITE.  One: the lowest index that is set is consumed.  All: consumed together
 * or not at all.
 * WAIT_OBJECT_0 + index (0 when `all`); WAIT_TIMEOUT; WAIT_FAILED:
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (count; a handle twice in `all`). */
PENSTOCK_API DWORD RPC_ENTRY RpcxWaitForMultipleObjects(DWORD count, const HANDLE *objects,
                                                        BOOL all, DWORD timeout_ms);

/* The event's descriptor, or -1.  Readable while the event is set.  Borrowed: do not
 * close it, and do not use it after RpcxCloseHandle.  Reading 8 octets from it resets
 * the event; better, wait with timeout 0 once it is readable. */
PENSTOCK_API int RPC_ENTRY RpcxEventFd(HANDLE event);

PENSTOCK_API void RPC_ENTRY RpcxSleep(DWORD timeout_ms);

/* Why the last function of this header failed on this thread; unchanged by success. */
PENSTOCK_API DWORD RPC_ENTRY RpcxGetLastError(void);
PENSTOCK_API void RPC_ENTRY RpcxSetLastError(DWORD error);

/* ---- The documented names ------------------------------------------------ */

typedef void *LPVOID;
#ifndef PENSTOCK_LPCSTR /* ms-dtyp.h has it of IDL's char, which is unsigned */
#define PENSTOCK_LPCSTR
typedef const char *LPCSTR;
#endif
typedef const WCHAR *LPCWSTR;
typedef void *LPSECURITY_ATTRIBUTES;

/* Names would make an event visible to other processes, which these are not. */
static inline HANDLE CreateEventA(LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset,
                                  BOOL initially_set, const char *name)
{
    (void)attributes;
    if (name) {
        RpcxSetLastError(ERROR_NOT_SUPPORTED);
        return NULL;
    }
    return RpcxCreateEvent(manual_reset, initially_set);
}

static inline HANDLE CreateEventW(LPSECURITY_ATTRIBUTES attributes, BOOL manual_reset,
                                  BOOL initially_set, LPCWSTR name)
{
    return CreateEventA(attributes, manual_reset, initially_set, name ? "" : NULL);
}

#ifdef UNICODE
#define CreateEvent CreateEventW
#else
#define CreateEvent CreateEventA
#endif

static inline BOOL SetEvent(HANDLE event)
{
    return RpcxSetEvent(event);
}

static inline BOOL ResetEvent(HANDLE event)
{
    return RpcxResetEvent(event);
}

static inline BOOL CloseHandle(HANDLE object)
{
    return RpcxCloseHandle(object);
}

static inline DWORD WaitForSingleObject(HANDLE object, DWORD timeout_ms)
{
    return RpcxWaitForMultipleObjects(1, &object, FALSE, timeout_ms);
}

static inline DWORD WaitForMultipleObjects(DWORD count, const HANDLE *objects, BOOL all,
                                           DWORD timeout_ms)
{
    return RpcxWaitForMultipleObjects(count, objects, all, timeout_ms);
}

static inline void Sleep(DWORD timeout_ms)
{
    RpcxSleep(timeout_ms);
}

static inline DWORD GetLastError(void)
{
    return RpcxGetLastError();
}

static inline void SetLastError(DWORD error)
{
    RpcxSetLastError(error);
}

PENSTOCK_END_DECLS

#endif
