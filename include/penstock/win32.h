/* SPDX-License-Identifier: MIT */
/* win32.h - the few Windows objects an asynchronous call can notify: events, threads
 * with their asynchronous procedure calls, completion ports; and what programs written
 * for them use besides.
 *
 * Optional; a program that is told by callback does not need it.  Each object is an
 * eventfd underneath: RpcxEventFd() gives its descriptor to poll, epoll, libuv ...
 *
 * The library exports only the Rpcx... functions; the documented names are inline
 * functions over them, so that nothing collides with other libraries at link time.
 * They behave as Microsoft's documentation of each name says, where nothing else is
 * said here.  Every function checks its handles: a closed or made-up one gives FALSE,
 * NULL or WAIT_FAILED with ERROR_INVALID_HANDLE in GetLastError(), never a crash.
 * All functions may be called from any thread; none is async-signal-safe. */
#ifndef PENSTOCK_WIN32_H
#define PENSTOCK_WIN32_H

#include "rpcnterr.h"
#include "rpctypes.h"

PENSTOCK_BEGIN_DECLS

#define WINAPI
#define CALLBACK
#define APIENTRY
#define PASCAL

#define INFINITE              0xFFFFFFFFu
#define WAIT_OBJECT_0         0x00000000u
#define WAIT_ABANDONED_0      0x00000080u
#define WAIT_IO_COMPLETION    0x000000C0u
#define WAIT_TIMEOUT          0x00000102u
#define WAIT_FAILED           0xFFFFFFFFu
#define STILL_ACTIVE          0x00000103u
#define MAXIMUM_WAIT_OBJECTS  64u
#define INVALID_HANDLE_VALUE  ((HANDLE)(LONG_PTR)-1)
#define THREAD_SET_CONTEXT    0x0010u
#define THREAD_ALL_ACCESS     0x1FFFFFu
#define SYNCHRONIZE           0x00100000u
#define DUPLICATE_SAME_ACCESS 0x00000002u

typedef void *LPVOID, *PVOID;
#ifndef PENSTOCK_LPCSTR /* ms-dtyp.h has it of IDL's char, which is unsigned */
#define PENSTOCK_LPCSTR
typedef const char *LPCSTR;
#endif
typedef const WCHAR *LPCWSTR;
typedef void *LPSECURITY_ATTRIBUTES;
typedef DWORD *LPDWORD, *PDWORD;
typedef ULONG *PULONG;
typedef ULONG_PTR *PULONG_PTR;
typedef BOOL *PBOOL, *LPBOOL;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef size_t SIZE_T;

/* A routine run by a thread in an alertable wait. */
typedef void (*PAPCFUNC)(ULONG_PTR data);
typedef DWORD (*LPTHREAD_START_ROUTINE)(LPVOID parameter);
typedef LPTHREAD_START_ROUTINE PTHREAD_START_ROUTINE;

/* What a packet of a completion port carries for its reader; never looked into. */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    DWORD Offset;
    DWORD OffsetHigh;
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

typedef struct _OVERLAPPED_ENTRY {
    ULONG_PTR lpCompletionKey;
    LPOVERLAPPED lpOverlapped;
    ULONG_PTR Internal;
    DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

/* ---- Objects -------------------------------------------------------------- */

/* An event; *manual_reset*: stays set until reset and releases every waiter, else one
 * wait consumes it.  The caller releases it with RpcxCloseHandle.
 * NULL: ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES (descriptors). */
PENSTOCK_API HANDLE RPC_ENTRY RpcxCreateEvent(BOOL manual_reset, BOOL initially_set);

/* Setting a set event changes nothing.  FALSE: ERROR_INVALID_HANDLE. */
PENSTOCK_API BOOL RPC_ENTRY RpcxSetEvent(HANDLE event);
PENSTOCK_API BOOL RPC_ENTRY RpcxResetEvent(HANDLE event);

/* The handle is invalid from now on; a wait already running on it goes on, but for a
 * completion port, whose waiters get ERROR_ABANDONED_WAIT_0 and whose packets are
 * dropped with its last handle. */
PENSTOCK_API BOOL RPC_ENTRY RpcxCloseHandle(HANDLE object);

/* Another handle of the same object; of RPCX_CURRENT_THREAD a real one.  To be closed
 * as well.  NULL: ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY. */
PENSTOCK_API HANDLE RPC_ENTRY RpcxDuplicateHandle(HANDLE object);

/* The object's descriptor, or -1.  Readable while the event is set, the thread has
 * ended, the port has packets.  Borrowed: do not close it, and do not use it after
 * RpcxCloseHandle.  Reading 8 octets from it resets an event; better, wait with
 * timeout 0 once it is readable. */
PENSTOCK_API int RPC_ENTRY RpcxEventFd(HANDLE object);

/* ---- Waiting -------------------------------------------------------------- */

/* Waits until one (`all` FALSE) or all of `count` objects, at most
 * MAXIMUM_WAIT_OBJECTS, are signalled.  `timeout_ms`: milliseconds, 0 to ask only,
 * INFINITE.  One: the lowest index that is signalled is consumed.  All: consumed
 * together or not at all.  `alertable`: routines queued to this thread are run when no
 * object is signalled, and end the wait.
 * WAIT_OBJECT_0 + index (0 when `all`); WAIT_TIMEOUT; WAIT_IO_COMPLETION: routines
 * have run; WAIT_FAILED: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (count; a handle
 * twice in `all`), ERROR_NOT_ENOUGH_MEMORY. */
PENSTOCK_API DWORD RPC_ENTRY RpcxWaitForMultipleObjectsEx(DWORD count, const HANDLE *objects,
                                                          BOOL all, DWORD timeout_ms,
                                                          BOOL alertable);

/* Sleeps; WAIT_IO_COMPLETION: `alertable`, and routines have run; else 0. */
PENSTOCK_API DWORD RPC_ENTRY RpcxSleepEx(DWORD timeout_ms, BOOL alertable);

/* ---- Threads -------------------------------------------------------------- */

/* The calling thread, whoever calls; need not be closed. */
#define RPCX_CURRENT_THREAD ((HANDLE)(LONG_PTR)-2)

/* A detached thread that runs start(parameter); `stack_size` octets, 0: the default.
 * The handle is signalled when it ends and is closed by the caller.  *ret_id (may be
 * NULL) as RpcxGetCurrentThreadId gives it.
 * NULL: ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES. */
PENSTOCK_API HANDLE RPC_ENTRY RpcxCreateThread(size_t stack_size, LPTHREAD_START_ROUTINE start,
                                               LPVOID parameter, DWORD *ret_id);
PENSTOCK_API PENSTOCK_NORETURN void RPC_ENTRY RpcxExitThread(DWORD exit_code);

/* STILL_ACTIVE while it runs; 0 for a thread that RpcxCreateThread did not make.
 * FALSE: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. */
PENSTOCK_API BOOL RPC_ENTRY RpcxGetExitCodeThread(HANDLE thread, DWORD *ret_code);

/* A number for the calling thread that no other thread of the process ever has; it is
 * not the kernel's.  0: out of memory. */
PENSTOCK_API DWORD RPC_ENTRY RpcxGetCurrentThreadId(void);

/* A handle of a thread that has asked for its id, or was made by RpcxCreateThread, and
 * has not ended.  NULL: ERROR_INVALID_PARAMETER (no such id), ERROR_NOT_ENOUGH_MEMORY. */
PENSTOCK_API HANDLE RPC_ENTRY RpcxOpenThread(DWORD id);

/* Queues routine(data) to be run by the thread in its next alertable wait, in the order
 * of queueing; before anything else if the thread has not begun.  Dropped when it ends.
 * FALSE: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
 * ERROR_GEN_FAILURE: the thread has ended. */
PENSTOCK_API BOOL RPC_ENTRY RpcxQueueUserAPC(PAPCFUNC routine, HANDLE thread, ULONG_PTR data);

/* ---- Completion ports ------------------------------------------------------ */

/* NULL: ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES. */
PENSTOCK_API HANDLE RPC_ENTRY RpcxCreateCompletionPort(void);

/* FALSE: ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES: a
 * million packets of the program wait already. */
PENSTOCK_API BOOL RPC_ENTRY RpcxPostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key,
                                                           LPOVERLAPPED overlapped);

/* Takes up to `max` packets, as soon as there is one, into `entries`; *ret_count says
 * how many.  `timeout_ms` and `alertable` as above.
 * FALSE: WAIT_TIMEOUT; WAIT_IO_COMPLETION: routines have run; ERROR_ABANDONED_WAIT_0:
 * the port was closed; ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER. */
PENSTOCK_API BOOL RPC_ENTRY RpcxGetQueuedCompletionStatus(HANDLE port, OVERLAPPED_ENTRY *entries,
                                                          DWORD max, DWORD *ret_count,
                                                          DWORD timeout_ms, BOOL alertable);

/* ---- Critical sections, last error ------------------------------------------ */

/* A lock its holder may take again.  Lives in the program's memory; not to be copied. */
typedef struct _RTL_CRITICAL_SECTION {
    ULONG64 Opaque[8];
} CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;

/* FALSE: out of resources. */
PENSTOCK_API BOOL RPC_ENTRY RpcxInitializeCriticalSection(CRITICAL_SECTION *section);
/* Nobody may hold it. */
PENSTOCK_API void RPC_ENTRY RpcxDeleteCriticalSection(CRITICAL_SECTION *section);
PENSTOCK_API void RPC_ENTRY RpcxEnterCriticalSection(CRITICAL_SECTION *section);
/* FALSE: another thread has it. */
PENSTOCK_API BOOL RPC_ENTRY RpcxTryEnterCriticalSection(CRITICAL_SECTION *section);
PENSTOCK_API void RPC_ENTRY RpcxLeaveCriticalSection(CRITICAL_SECTION *section);

/* Why the last function of this header failed on this thread; unchanged by success.  Never
 * fails. */
PENSTOCK_API DWORD RPC_ENTRY RpcxGetLastError(void);
PENSTOCK_API void RPC_ENTRY RpcxSetLastError(DWORD error);

PENSTOCK_END_DECLS

#ifndef RPCX_NO_WIN32_NAMES
#include "win32names.h"
#endif

#endif
