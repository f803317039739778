/* SPDX-License-Identifier: MIT */
/* server.c - serves callback.idl on the endpoints named by its arguments
 * (PROTSEQ:ENDPOINT) until its standard input ends. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../endpoint.h"
#include "rpc.h"

#include "callback.h"

static atomic_int began, ended, cancelled, last_status;

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

/* The status a call raises; RPC_S_OK when it returns. */
#define RAISED(call)                                                                               \
    __extension__({                                                                                \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept                                                                               \
        {                                                                                          \
            call;                                                                                  \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept raised_;                                                                      \
    })

/* ---- Managers ------------------------------------------------------------------- */

void Count(handle_t h, COUNTERS *counters)
{
    (void)h;
    *counters = (COUNTERS){began, ended, cancelled, last_status};
}

int64_t Sum(handle_t h, int32_t n)
{
    volatile int64_t sum = 0;
    (void)h;
    began++;
    RPC_STATUS status = RAISED(for (int32_t i = 0; i < n; i++) sum += Term(i));
    last_status = status;
    cancelled += RpcServerTestCancel(NULL) == RPC_S_OK;
    ended++;
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    return sum;
}

int32_t Plain(handle_t h, int32_t n)
{
    (void)h;
    return n + 1;
}

int32_t Bulk(handle_t h, int32_t n)
{
    (void)h;
    int32_t *values = calloc((size_t)n + 1, sizeof(*values));
    int32_t wrong = 0;
    int64_t sum = 0;
    if (!values)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    for (int32_t i = 0; i < n; i++)
        values[i] = i * 7;
    for (int32_t i = 0; i < n; i++)
        sum += values[i];
    volatile int64_t theirs = -1;
    RPC_STATUS status = RAISED(theirs = Turn(n, values));
    wrong = theirs != sum;
    for (int32_t i = 0; i < n; i++)
        wrong += values[i] != (n - 1 - i) * 7;
    free(values);
    return status != RPC_S_OK ? status : wrong;
}

int32_t Catch(handle_t h, int32_t status)
{
    (void)h;
    return RAISED(Throw(status));
}

void Pass(handle_t h, int32_t status)
{
    (void)h;
    Throw(status);
}

int32_t Deep(handle_t h, int32_t depth)
{
    (void)h;
    return depth == 0 ? 0 : Down(depth - 1) + 1;
}

int32_t Letters(handle_t h, unsigned char *text)
{
    unsigned char *reply = NULL;
    (void)h;
    Text(text, &reply);
    int32_t wrong = strlen((char *)reply) != 2 * strlen((char *)text);
    MIDL_user_free(reply);
    return wrong;
}

BOOK Open(handle_t h)
{
    (void)h;
    return calloc(1, sizeof(int32_t));
}

int32_t Edit(BOOK book, int32_t n)
{
    int32_t *total = book;
    int32_t inside = Page(n);
    return inside == *total ? *total : -1;
}

int32_t Write(BOOK book, int32_t n)
{
    int32_t *total = book;
    return *total += n;
}

void Close(BOOK *book)
{
    free(*book);
    *book = NULL;
}

void BOOK_rundown(BOOK book)
{
    free(book);
}

int32_t Late(handle_t h)
{
    (void)h;
    return RAISED(Term(1));
}

void Slow(PRPC_ASYNC_STATE Slow_AsyncHandle, handle_t h)
{
    (void)h;
    last_status = RAISED(Term(1));
    RpcAsyncCompleteCall(Slow_AsyncHandle, NULL);
}

void Hold(handle_t h)
{
    (void)h;
    began++;
    last_status = RAISED(Rest());
    cancelled += RpcServerTestCancel(NULL) == RPC_S_OK;
    ended++;
}

error_status_t Ask(handle_t h, int32_t status)
{
    (void)h;
    return Try(status);
}

static void *call_without(void *arg)
{
    int32_t *ret_status = arg;
    *ret_status = RAISED(Term(1));
    return NULL;
}

int32_t Stray(handle_t h)
{
    (void)h;
    int32_t status = 0;
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_without, &status) != 0)
        return -1;
    pthread_join(thread, NULL);
    return status;
}

static sem_t let;

int32_t Drain(handle_t h, LONGS longs)
{
    int32_t values[4096], sum = 0;
    unsigned long count;
    (void)h;
    while (sem_wait(&let) != 0)
        ;
    do {
        longs.pull(longs.state, values, sizeof(values) / sizeof(values[0]), &count);
        sum += (int32_t)count;
    } while (count > 0);
    return sum;
}

void Let(handle_t h)
{
    (void)h;
    sem_post(&let);
}

/* ---- The process ------------------------------------------------------------------ */

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "callback_server: %s: status %d\n", what, (int)status);
    return 1;
}

/* Which request for Deep() is refused, counted from 1: CALLBACK_REFUSED; 0: there is no check. */
static unsigned refused;

static RPC_STATUS check_access(RPC_IF_HANDLE interface, void *client)
{
    static atomic_uint asked;
    enum { OPNUM_DEEP = 6 };
    RPC_CALL_ATTRIBUTES_V2_A attributes = {.Version = 2};
    (void)interface;
    RPC_STATUS status = RpcServerInqCallAttributesA(client, &attributes);
    if (status != RPC_S_OK || attributes.OpNum != OPNUM_DEEP)
        return status;
    return ++asked == refused ? RPC_S_CALL_FAILED : RPC_S_OK;
}

int main(int argc, char **argv)
{
    const char *number = getenv("CALLBACK_REFUSED");
    refused = number ? (unsigned)atoi(number) : 0;
    sem_init(&let, 0, 0);
    RPC_STATUS status = RAISED(Term(1));
    if (status != RPC_S_NO_CALL_ACTIVE)
        return complain("a callback without a call", status);
    status = RPC_S_OK;
    for (int i = 1; i < argc && status == RPC_S_OK; i++)
        status = use_endpoint(argv[i]);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIfEx(callback_v1_0_s_ifspec, NULL, NULL,
                                       RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH,
                                       RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                       refused > 0 ? check_access : NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK)
        return complain("starting", status);
    puts("ready");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    return status == RPC_S_OK ? 0 : complain("stopping", status);
}
