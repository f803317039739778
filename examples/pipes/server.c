/* SPDX-License-Identifier: MIT */
/* server.c - asynchronous pipes: pipes_server [PROTSEQ ENDPOINT]
 *
 * Each call gets a thread, told by an event.  That is the way the documentation begins
 * with; a server for many clients at once lets one routine look after all of them, as
 * ../hello does, or a few threads at a completion port, as ../filerep does.
 *
 *   [in]      pull to the end --> RpcAsyncCompleteCall
 *   [out]     push --RpcSendComplete--> push ... null push --RpcSendComplete--> complete
 *   [in, out] all of the first, then all of the second */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "pipes.h"

#define BATCH    5000
#define SORT_MAX 10000000 /* numbers kept for one client */

struct request {
    PRPC_ASYNC_STATE async;   /* the runtime's until the call ends, ... */
    ASYNC_LONG_PIPE *numbers; /* ... as is the pipe */
    int32_t limit;
    void (*serve)(struct request *request); /* ends the call */
};

/* ---- Pull and push that wait ---- */

static RPC_STATUS pull(struct request *request, int32_t *buf, unsigned long size, unsigned long *n)
{
    RPC_STATUS status;
    while ((status = request->numbers->pull(request->numbers->state, buf, size, n)) ==
           RPC_S_ASYNC_CALL_PENDING)
        WaitForSingleObject(request->async->u.hEvent, INFINITE); /* RpcReceiveComplete */
    return status;
}

/* After a push that failed no notification comes. */
static RPC_STATUS push(struct request *request, int32_t *buf, unsigned long n)
{
    RPC_STATUS status = request->numbers->push(request->numbers->state, buf, n);
    if (status == RPC_S_OK)
        WaitForSingleObject(request->async->u.hEvent, INFINITE); /* RpcSendComplete */
    return status;
}

/* ---- The operations; a push or pull that failed has ended the call ---- */

static void serve_sum(struct request *request)
{
    int32_t buf[BATCH];
    int64_t sum = 0;
    unsigned long n;
    RPC_STATUS status;
    while ((status = pull(request, buf, BATCH, &n)) == RPC_S_OK && n > 0) {
        for (unsigned long i = 0; i < n; i++)
            sum += buf[i];
    }
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(request->async, &sum);
}

static int is_prime(int32_t number)
{
    for (int32_t i = 2; i <= number / i; i++) {
        if (number % i == 0)
            return 0;
    }
    return 1;
}

static void serve_primes(struct request *request)
{
    int32_t buf[BATCH];
    unsigned long n;
    int32_t number = 2;
    RPC_STATUS status;
    do {
        for (n = 0; n < BATCH && number <= request->limit; number++) {
            if (is_prime(number))
                buf[n++] = number;
        }
        status = push(request, buf, n); /* 0 numbers end the pipe */
    } while (status == RPC_S_OK && n > 0);
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(request->async, NULL);
}

static int compare(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

/* All numbers of the pipe, in order, in memory that the caller frees.  NULL: the call has
 * ended. */
static int32_t *take_all(struct request *request, size_t *ret_count)
{
    int32_t *numbers = NULL;
    size_t count = 0, capacity = 0;
    unsigned long n;
    RPC_STATUS status;
    do {
        if (capacity - count < BATCH) {
            capacity = capacity ? 2 * capacity : 4 * BATCH;
            int32_t *larger =
                capacity < 2 * SORT_MAX ? realloc(numbers, capacity * sizeof(*numbers)) : NULL;
            if (!larger) {
                RpcAsyncAbortCall(request->async, RPC_S_OUT_OF_RESOURCES);
                free(numbers);
                return NULL;
            }
            numbers = larger;
        }
        status = pull(request, numbers + count, BATCH, &n);
        count += n;
    } while (status == RPC_S_OK && n > 0);
    if (status != RPC_S_OK) {
        free(numbers);
        return NULL;
    }
    qsort(numbers, count, sizeof(*numbers), compare);
    *ret_count = count;
    return numbers;
}

static void serve_sort(struct request *request)
{
    size_t count;
    int32_t *numbers = take_all(request, &count);
    if (!numbers)
        return;
    RPC_STATUS status = RPC_S_OK;
    for (size_t i = 0; i < count && status == RPC_S_OK; i += BATCH)
        status = push(request, numbers + i, count - i < BATCH ? count - i : BATCH);
    if (status == RPC_S_OK)
        status = push(request, NULL, 0);
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(request->async, NULL);
    free(numbers);
}

/* ---- Calls and their threads ---- */

static DWORD WINAPI run(LPVOID parameter)
{
    struct request *request = parameter;
    HANDLE event = request->async->u.hEvent;
    request->serve(request);
    CloseHandle(event);
    free(request);
    return 0;
}

/* How the runtime is to notify is read with each push and pull. */
static int use_event(PRPC_ASYNC_STATE async)
{
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    async->NotificationType = RpcNotificationTypeEvent;
    async->u.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    return async->u.hEvent != NULL;
}

static void start(struct request start_with)
{
    PRPC_ASYNC_STATE async = start_with.async;
    struct request *request = malloc(sizeof(*request));
    HANDLE thread = NULL;
    if (request && use_event(async)) {
        *request = start_with;
        thread = CreateThread(NULL, 0, run, request, 0, NULL);
        if (!thread)
            CloseHandle(async->u.hEvent);
    }
    if (!thread) {
        free(request);
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES); /* nobody else has the call yet */
    }
    CloseHandle(thread);
}

void Sum(PRPC_ASYNC_STATE async, handle_t server, ASYNC_LONG_PIPE *numbers)
{
    (void)server;
    start((struct request){.async = async, .numbers = numbers, .serve = serve_sum});
}

void Primes(PRPC_ASYNC_STATE async, handle_t server, int32_t limit, ASYNC_LONG_PIPE *numbers)
{
    (void)server;
    start((struct request){
        .async = async, .numbers = numbers, .limit = limit, .serve = serve_primes});
}

void Sort(PRPC_ASYNC_STATE async, handle_t server, ASYNC_LONG_PIPE *numbers)
{
    (void)server;
    start((struct request){.async = async, .numbers = numbers, .serve = serve_sort});
}

void Shutdown(handle_t server)
{
    (void)server;
    RpcMgmtStopServerListening(NULL);
}

int main(int argc, char **argv)
{
    const char *protseq = argc == 3 ? argv[1] : "ncalrpc";
    const char *endpoint = argc == 3 ? argv[2] : "pipes";
    RPC_STATUS status = RpcServerUseProtseqEp((RPC_CSTR)protseq, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                              (RPC_CSTR)endpoint, NULL);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(pipes_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status == RPC_S_OK) {
        printf("listening\n");
        fflush(stdout);
        status = RpcMgmtWaitServerListen(); /* until Shutdown */
    }
    if (status != RPC_S_OK)
        fprintf(stderr, "status %d\n", (int)status);
    return status != RPC_S_OK;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
