/* SPDX-License-Identifier: MIT */
/* server.c - keeps what comes through a pipe, sends it back, remembers how pulling ended. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../endpoint.h"
#include "ranges.h"
#include "rpc.h"
#include "win32.h"

#define KEEP_MAX 1000
#define PULL_MAX 3 /* elements at once */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static RPC_STATUS last_status;
static uint32_t last_count;

static void remember(RPC_STATUS status, unsigned long count)
{
    pthread_mutex_lock(&lock);
    last_status = status;
    last_count = (uint32_t)count;
    pthread_mutex_unlock(&lock);
}

int32_t Last(handle_t h, uint32_t *count)
{
    (void)h;
    pthread_mutex_lock(&lock);
    int32_t status = last_status;
    *count = last_count;
    pthread_mutex_unlock(&lock);
    return status;
}

/* ---- Asynchronous ---- */

struct task {
    PRPC_ASYNC_STATE async;
    NDR_ASYNC_PIPE *data;
    int32_t kept[KEEP_MAX];
};

static DWORD send_back(LPVOID parameter)
{
    struct task *task = parameter;
    NDR_ASYNC_PIPE *data = task->data;
    unsigned long count = 0, n;
    RPC_STATUS status;
    do {
        status = data->pull(data->state, task->kept + count, PULL_MAX, &n);
        count += n;
        remember(status, count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            Sleep(2);
    } while (status == RPC_S_ASYNC_CALL_PENDING ||
             (status == RPC_S_OK && n > 0 && count + PULL_MAX <= KEEP_MAX));
    if (status == RPC_S_OK && count > 0)
        status = data->push(data->state, task->kept, count);
    if (status == RPC_S_OK)
        status = data->push(data->state, NULL, 0);
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(task->async, NULL);
    else if (status == RPC_S_INVALID_ARG) /* pushed what the pipe cannot carry */
        RpcAsyncAbortCall(task->async, RPC_S_INVALID_ARG);
    free(task);
    return 0;
}

static void start(PRPC_ASYNC_STATE async, void *data)
{
    struct task *task = calloc(1, sizeof(*task));
    if (!task)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    task->async = async;
    task->data = data;
    HANDLE thread = CreateThread(NULL, 0, send_back, task, 0, NULL);
    if (!thread)
        abort();
    CloseHandle(thread);
}

void Chunks(PRPC_ASYNC_STATE async, handle_t h, ASYNC_LONG_PIPE *data)
{
    (void)h;
    start(async, data);
}

void Few(PRPC_ASYNC_STATE async, handle_t h, ASYNC_FEW_PIPE *data)
{
    (void)h;
    start(async, data);
}

/* ---- Synchronous ---- */

#define SEND_BACK(element)                                                                         \
    element kept[KEEP_MAX];                                                                        \
    volatile unsigned long count = 0;                                                              \
    unsigned long n = 0;                                                                           \
    RpcTryExcept                                                                                   \
    {                                                                                              \
        do {                                                                                       \
            data->pull(data->state, kept + count, PULL_MAX, &n);                                   \
            count += n;                                                                            \
        } while (n > 0 && count + PULL_MAX <= KEEP_MAX);                                           \
        remember(RPC_S_OK, count);                                                                 \
    }                                                                                              \
    RpcExcept(1)                                                                                   \
    {                                                                                              \
        remember((RPC_STATUS)RpcExceptionCode(), count);                                           \
        RpcRaiseException((RPC_STATUS)RpcExceptionCode());                                         \
    }                                                                                              \
    RpcEndExcept                                                                                   \
    if (count > 0)                                                                                 \
        data->push(data->state, kept, count);                                                      \
    data->push(data->state, NULL, 0)

void SyncFew(handle_t h, FEW_PIPE *data)
{
    (void)h;
    SEND_BACK(FEW);
}

void SyncPoints(handle_t h, POINT_PIPE *data)
{
    (void)h;
    SEND_BACK(POINT);
}

/* ---- Main ---- */

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (use_endpoint(argv[i]) != RPC_S_OK)
            return 1;
    }
    if (RpcServerRegisterIf(ranges_v1_0_s_ifspec, NULL, NULL) != RPC_S_OK ||
        RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE) != RPC_S_OK)
        return 1;
    printf("ready\n");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    RpcMgmtStopServerListening(NULL);
    return RpcMgmtWaitServerListen() != RPC_S_OK;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
