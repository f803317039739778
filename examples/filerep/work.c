/* SPDX-License-Identifier: MIT */
/* work.c - see work.h. */
#include "work.h"

#include <unistd.h>

#define THREADS_MIN 2 /* one may wait for a disk */
#define THREADS_MAX 8

void work_notify(struct work *work, PRPC_ASYNC_STATE async, HANDLE port, DWORD number)
{
    async->NotificationType = RpcNotificationTypeIoc;
    async->u.IOC.hIOPort = port;
    async->u.IOC.dwNumberOfBytesTransferred = number;
    async->u.IOC.dwCompletionKey = 0;
    async->u.IOC.lpOverlapped = &work->overlapped;
}

bool work_post(struct work *work, HANDLE port, DWORD number)
{
    return PostQueuedCompletionStatus(port, number, 0, &work->overlapped);
}

void work_wake(HANDLE port)
{
    (void)PostQueuedCompletionStatus(port, 0, 0, NULL); /* else it is awake anyway */
}

bool work_take(HANDLE port, DWORD timeout_ms)
{
    DWORD number;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    if (!GetQueuedCompletionStatus(port, &number, &key, &overlapped, timeout_ms))
        return false;
    struct work *work = (struct work *)overlapped;
    if (work)
        work->run(work, number);
    return true;
}

static DWORD WINAPI take_for_ever(LPVOID port)
{
    while (work_take(port, INFINITE))
        ;
    return 0;
}

HANDLE work_port(unsigned int threads)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    for (unsigned int i = 0; port && i < threads; i++) {
        HANDLE thread = CreateThread(NULL, 0, take_for_ever, port, 0, NULL);
        if (!thread) {
            CloseHandle(port); /* which ends the threads before this one */
            return NULL;
        }
        CloseHandle(thread);
    }
    return port;
}

unsigned int work_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < THREADS_MIN)
        return THREADS_MIN;
    return cores < THREADS_MAX ? (unsigned int)cores : THREADS_MAX;
}
