/* SPDX-License-Identifier: MIT */
/* client_port.c - many calls, told through a completion port that several threads wait at;
 * whichever is free deals with the next answer: async_client_port BINDING N... */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "async.h"

#define WORK_MS   50
#define THREADS   2
#define CALLS_MAX 100

/* Which kind of packet it is; a program may have many kinds at one port. */
enum completion_key { KEY_ANSWER, KEY_STOP };

/* The packet leads to the request: its address is the address of its first member. */
struct request {
    OVERLAPPED overlapped;
    RPC_ASYNC_STATE async;
    int32_t n;
};

static volatile LONG pending = 1; /* calls, and main while it makes some */

/* The last one ends the threads. */
static void one_less(HANDLE port)
{
    if (InterlockedDecrement(&pending) > 0)
        return;
    for (int i = 0; i < THREADS; i++)
        PostQueuedCompletionStatus(port, 0, KEY_STOP, NULL);
}

static DWORD WINAPI wait_for_answers(LPVOID parameter)
{
    HANDLE port = parameter;
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    while (GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, INFINITE) &&
           key == KEY_ANSWER) {
        struct request *request = (struct request *)overlapped;
        int32_t reply = 0;
        RPC_STATUS status = RpcAsyncCompleteCall(&request->async, &reply);
        if (status == RPC_S_OK)
            printf("%d squared is %d\n", (int)request->n, (int)reply);
        else
            printf("%d failed: %d\n", (int)request->n, (int)status);
        one_less(port);
    }
    return 0;
}

/* All that the threads may look at is there before the call: a packet may come before the
 * stub returns. */
static void start(struct request *request, handle_t server, HANDLE port)
{
    RpcAsyncInitializeHandle(&request->async, sizeof(request->async));
    request->async.NotificationType = RpcNotificationTypeIoc;
    request->async.u.IOC.hIOPort = port;
    request->async.u.IOC.dwNumberOfBytesTransferred = 0;
    request->async.u.IOC.dwCompletionKey = KEY_ANSWER;
    request->async.u.IOC.lpOverlapped = &request->overlapped;
    InterlockedIncrement(&pending);
    RpcTryExcept
    {
        Square(&request->async, server, request->n, WORK_MS);
    }
    RpcExcept(1)
    {
        fprintf(stderr, "no call: %lu\n", (unsigned long)RpcExceptionCode());
        one_less(port);
    }
    RpcEndExcept
}

int main(int argc, char **argv)
{
    static struct request requests[CALLS_MAX];
    HANDLE threads[THREADS];
    handle_t server;
    if (argc < 3 || argc > 2 + CALLS_MAX ||
        RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: async_client_port BINDING N...\n");
        return 2;
    }
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (!port)
        return 1;
    for (int i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, wait_for_answers, port, 0, NULL);
        if (!threads[i])
            return 1;
    }
    for (int i = 2; i < argc; i++) {
        requests[i - 2].n = atoi(argv[i]);
        start(&requests[i - 2], server, port);
    }
    one_less(port);
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    CloseHandle(port);
    RpcBindingFree(&server);
    return 0;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
