/* SPDX-License-Identifier: MIT */
/* win32names.h - the documented names for what win32.h has; included by it. */
#ifndef PENSTOCK_WIN32NAMES_H
#define PENSTOCK_WIN32NAMES_H

#include <stdlib.h>

#include "win32.h"

PENSTOCK_BEGIN_DECLS

/* ---- Events --------------------------------------------------------------- */

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

/* ---- Waiting -------------------------------------------------------------- */

static inline DWORD WaitForSingleObjectEx(HANDLE object, DWORD timeout_ms, BOOL alertable)
{
    return RpcxWaitForMultipleObjectsEx(1, &object, FALSE, timeout_ms, alertable);
}

static inline DWORD WaitForSingleObject(HANDLE object, DWORD timeout_ms)
{
    return RpcxWaitForMultipleObjectsEx(1, &object, FALSE, timeout_ms, FALSE);
}

static inline DWORD WaitForMultipleObjectsEx(DWORD count, const HANDLE *objects, BOOL all,
                                             DWORD timeout_ms, BOOL alertable)
{
    return RpcxWaitForMultipleObjectsEx(count, objects, all, timeout_ms, alertable);
}

static inline DWORD WaitForMultipleObjects(DWORD count, const HANDLE *objects, BOOL all,
                                           DWORD timeout_ms)
{
    return RpcxWaitForMultipleObjectsEx(count, objects, all, timeout_ms, FALSE);
}

static inline void Sleep(DWORD timeout_ms)
{
    (void)RpcxSleepEx(timeout_ms, FALSE);
}

static inline DWORD SleepEx(DWORD timeout_ms, BOOL alertable)
{
    return RpcxSleepEx(timeout_ms, alertable);
}

/* ---- Threads -------------------------------------------------------------- */

static inline HANDLE GetCurrentThread(void)
{
    return RPCX_CURRENT_THREAD;
}

static inline HANDLE GetCurrentProcess(void)
{
    return INVALID_HANDLE_VALUE;
}

static inline DWORD GetCurrentThreadId(void)
{
    return RpcxGetCurrentThreadId();
}

/* No flags: CREATE_SUSPENDED and others are ERROR_NOT_SUPPORTED. */
static inline HANDLE CreateThread(LPSECURITY_ATTRIBUTES attributes, SIZE_T stack_size,
                                  LPTHREAD_START_ROUTINE start, LPVOID parameter, DWORD flags,
                                  LPDWORD id)
{
    (void)attributes;
    if (flags != 0) {
        RpcxSetLastError(ERROR_NOT_SUPPORTED);
        return NULL;
    }
    return RpcxCreateThread(stack_size, start, parameter, id);
}

static inline void ExitThread(DWORD exit_code)
{
    RpcxExitThread(exit_code);
}

static inline BOOL GetExitCodeThread(HANDLE thread, LPDWORD exit_code)
{
    return RpcxGetExitCodeThread(thread, exit_code);
}

static inline HANDLE OpenThread(DWORD access, BOOL inherit, DWORD id)
{
    (void)access;
    (void)inherit;
    return RpcxOpenThread(id);
}

/* Within the process, with the same access. */
static inline BOOL DuplicateHandle(HANDLE source_process, HANDLE source, HANDLE target_process,
                                   LPHANDLE target, DWORD access, BOOL inherit, DWORD options)
{
    (void)access;
    (void)inherit;
    (void)options;
    if (source_process != GetCurrentProcess() || target_process != GetCurrentProcess() || !target) {
        RpcxSetLastError(target ? ERROR_INVALID_HANDLE : ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    *target = RpcxDuplicateHandle(source);
    return *target != NULL;
}

static inline DWORD QueueUserAPC(PAPCFUNC routine, HANDLE thread, ULONG_PTR data)
{
    return (DWORD)RpcxQueueUserAPC(routine, thread, data);
}

/* ---- Completion ports ------------------------------------------------------ */

/* Ports without files: anything but INVALID_HANDLE_VALUE is ERROR_NOT_SUPPORTED. */
static inline HANDLE CreateIoCompletionPort(HANDLE file, HANDLE existing, ULONG_PTR key,
                                            DWORD threads)
{
    (void)key;
    (void)threads;
    if (file != INVALID_HANDLE_VALUE || existing) {
        RpcxSetLastError(file != INVALID_HANDLE_VALUE ? ERROR_NOT_SUPPORTED
                                                      : ERROR_INVALID_PARAMETER);
        return NULL;
    }
    return RpcxCreateCompletionPort();
}

static inline BOOL PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key,
                                              LPOVERLAPPED overlapped)
{
    return RpcxPostQueuedCompletionStatus(port, bytes, key, overlapped);
}

static inline BOOL GetQueuedCompletionStatus(HANDLE port, LPDWORD bytes, PULONG_PTR key,
                                             LPOVERLAPPED *overlapped, DWORD timeout_ms)
{
    OVERLAPPED_ENTRY entry = {0, NULL, 0, 0};
    DWORD count;
    BOOL taken = FALSE;
    if (bytes && key && overlapped)
        taken = RpcxGetQueuedCompletionStatus(port, &entry, 1, &count, timeout_ms, FALSE);
    else
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
    if (taken) {
        *bytes = entry.dwNumberOfBytesTransferred;
        *key = entry.lpCompletionKey;
    }
    if (overlapped)
        *overlapped = entry.lpOverlapped;
    return taken;
}

static inline BOOL GetQueuedCompletionStatusEx(HANDLE port, LPOVERLAPPED_ENTRY entries, ULONG count,
                                               PULONG removed, DWORD timeout_ms, BOOL alertable)
{
    return RpcxGetQueuedCompletionStatus(port, entries, count, removed, timeout_ms, alertable);
}

/* ---- Critical sections ------------------------------------------------------ */

static inline void InitializeCriticalSection(LPCRITICAL_SECTION section)
{
    (void)RpcxInitializeCriticalSection(section);
}

static inline BOOL InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION section, DWORD spins)
{
    (void)spins;
    return RpcxInitializeCriticalSection(section);
}

static inline void DeleteCriticalSection(LPCRITICAL_SECTION section)
{
    RpcxDeleteCriticalSection(section);
}

static inline void EnterCriticalSection(LPCRITICAL_SECTION section)
{
    RpcxEnterCriticalSection(section);
}

static inline BOOL TryEnterCriticalSection(LPCRITICAL_SECTION section)
{
    return RpcxTryEnterCriticalSection(section);
}

static inline void LeaveCriticalSection(LPCRITICAL_SECTION section)
{
    RpcxLeaveCriticalSection(section);
}

/* ---- Interlocked ------------------------------------------------------------ */

static inline LONG InterlockedIncrement(LONG volatile *addend)
{
    return __atomic_add_fetch(addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedDecrement(LONG volatile *addend)
{
    return __atomic_sub_fetch(addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedExchange(LONG volatile *target, LONG value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedExchangeAdd(LONG volatile *addend, LONG value)
{
    return __atomic_fetch_add(addend, value, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedCompareExchange(LONG volatile *target, LONG exchange, LONG comparand)
{
    __atomic_compare_exchange_n(target, &comparand, exchange, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return comparand;
}

/* ---- Errors ------------------------------------------------------------------ */

static inline DWORD GetLastError(void)
{
    return RpcxGetLastError();
}

static inline void SetLastError(DWORD error)
{
    RpcxSetLastError(error);
}

/* ---- The process heap -------------------------------------------------------- */

/* Where RpcErrorGetNextRecord's strings are: that of malloc(). */
static inline HANDLE GetProcessHeap(void)
{
    return (HANDLE)(uintptr_t)1;
}

static inline BOOL HeapFree(HANDLE heap, DWORD flags, void *memory)
{
    (void)heap;
    (void)flags;
    free(memory);
    return TRUE;
}

PENSTOCK_END_DECLS

#endif
