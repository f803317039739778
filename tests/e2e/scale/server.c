/* SPDX-License-Identifier: MIT */
/* server.c - serves scale.idl on the endpoints named by its arguments (PROTSEQ:ENDPOINT)
 * until its standard input ends.  No thread belongs to any call. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../endpoint.h"
#include "common.h"
#include "rpc.h"
#include "scale.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

enum kind { SOURCE, SINK, PENDING };

struct work {
    struct work *next; /* those that wait for Release */
    enum kind kind;
    PRPC_ASYNC_STATE async;
    ASYNC_BYTES pipe;
    uint32_t seed, count, at;
    uint32_t *received;
    int32_t n;
    bool ended;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct work *waiting;
static atomic_uint called, completed;

static void finish(struct work *work, void *reply)
{
    if (RpcAsyncCompleteCall(work->async, reply) == RPC_S_OK)
        completed++;
    free(work);
}

static void give_up(struct work *work, unsigned long code)
{
    RpcAsyncAbortCall(work->async, code);
    free(work);
}

/* One piece, or the end; RpcSendComplete brings us here again. */
static void push_next(struct work *work)
{
    uint8_t buf[PIECE];
    uint32_t part = work->count - work->at < PIECE ? work->count - work->at : PIECE;
    for (uint32_t i = 0; i < part; i++)
        buf[i] = octet(work->seed, work->at + i);
    work->at += part;
    work->ended = part == 0;
    if (work->pipe.push(work->pipe.state, buf, part) != RPC_S_OK)
        free(work);
}

static void pull_next(struct work *work)
{
    uint8_t buf[PIECE];
    unsigned long n;
    RPC_STATUS status;
    while ((status = work->pipe.pull(work->pipe.state, buf, PIECE, &n)) == RPC_S_OK && n > 0)
        for (unsigned long i = 0; i < n; i++)
            if (buf[i] != octet(work->seed, work->at++)) {
                give_up(work, 4711);
                return;
            }
    if (status == RPC_S_ASYNC_CALL_PENDING)
        return;
    if (status != RPC_S_OK) {
        free(work);
        return;
    }
    *work->received = work->at;
    finish(work, NULL);
}

static void on_event(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct work *work = async->UserInfo;
    (void)context;
    if (event == RpcSendComplete && work->ended)
        finish(work, NULL);
    else if (event == RpcSendComplete)
        push_next(work);
    else
        pull_next(work);
}

static struct work *work_new(enum kind kind, PRPC_ASYNC_STATE async)
{
    struct work *work = calloc(1, sizeof(*work));
    if (!work)
        abort();
    work->kind = kind;
    work->async = async;
    async->UserInfo = work;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = on_event;
    return work;
}

static void wait_for_release(struct work *work)
{
    pthread_mutex_lock(&lock);
    work->next = waiting;
    waiting = work;
    pthread_mutex_unlock(&lock);
}

void Source(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, uint32_t count, ASYNC_BYTES *data)
{
    struct work *work = work_new(SOURCE, async);
    (void)h;
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    work->pipe = *data;
    work->seed = seed;
    work->count = count;
    called++;
    push_next(work);
}

void Sink(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, ASYNC_BYTES *data, uint32_t *received)
{
    struct work *work = work_new(SINK, async);
    (void)h;
    work->pipe = *data;
    work->seed = seed;
    work->received = received;
    called++;
    wait_for_release(work);
}

void Pending(PRPC_ASYNC_STATE async, handle_t h, int32_t n)
{
    struct work *work = work_new(PENDING, async);
    (void)h;
    work->n = n;
    called++;
    wait_for_release(work);
}

void Release(handle_t h)
{
    (void)h;
    pthread_mutex_lock(&lock);
    struct work *list = waiting;
    waiting = NULL;
    pthread_mutex_unlock(&lock);
    while (list) {
        struct work *work = list;
        list = work->next;
        int32_t reply = work->n * 2;
        if (work->kind == SINK)
            pull_next(work);
        else
            finish(work, &reply);
    }
}

void Look(handle_t h, STATE *state)
{
    (void)h;
    state->called = called;
    state->completed = completed;
    state->threads = (uint32_t)own_status("Threads:");
    state->connections = own_descriptors();
    state->rss_kib = own_status("VmRSS:");
}

int main(int argc, char **argv)
{
    RPC_STATUS status = RPC_S_OK;
    char nothing;
    for (int i = 1; i < argc && status == RPC_S_OK; i++)
        status = use_endpoint(argv[i]);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(scale_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK) {
        fprintf(stderr, "starting: %d\n", (int)status);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &nothing, 1) > 0)
        continue;
    RpcMgmtStopServerListening(NULL);
    return RpcMgmtWaitServerListen() != RPC_S_OK;
}
