/* SPDX-License-Identifier: MIT */
/* managers.c - the server's side of api.idl: what managers do, and the calls they hand to
 * the test. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"

BOTH_SIDES _Atomic enum script script = HAND_OFF;
BOTH_SIDES _Atomic uint32_t script_code;

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t calls_changed = PTHREAD_COND_INITIALIZER;
static struct served *calls, *free_served;
static bool may_continue;

static long long let_continue(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    pthread_mutex_lock(&calls_lock);
    may_continue = true;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
    return 0;
}

void script_continue(void)
{
    far(let_continue, NULL, 0, 0);
}

/* ---- Calls and where they are kept ------------------------------------------- */

/* Lock held. */
static struct served *new_served(void)
{
    static size_t used;
    size_t count;
    struct served *pool = far_served_pool(&count), *served = free_served;
    if (served) {
        free_served = served->next;
    } else {
        CHECK(used < count);
        served = &pool[used++];
    }
    return served;
}

static void hand_off(const struct served *call)
{
    pthread_mutex_lock(&calls_lock);
    struct served *copy = new_served();
    *copy = *call;
    for (int i = 0; i < 2; i++)
        if (copy->there.pipe_at[i])
            copy->there.pipe[i] = *copy->there.pipe_at[i];
    served_set_pipes(copy);
    struct served **end = &calls;
    while (*end)
        end = &(*end)->next;
    *end = copy;
    pthread_cond_broadcast(&calls_changed);
    while (script == RETURN_LATE && !may_continue)
        pthread_cond_wait(&calls_changed, &calls_lock);
    pthread_mutex_unlock(&calls_lock);
}

static void serve_call(const struct served *call)
{
    int32_t reply = 4711;
    switch (atomic_load(&script)) {
    case HAND_OFF:
    case RETURN_LATE:
        hand_off(call);
        break;
    case HAND_OFF_AND_RAISE:
        hand_off(call);
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case PUSH_AND_RAISE:
        CHECK_EQUAL(PUSH(call->there.pipe_at[0], "abc", 3), RPC_S_OK);
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case RAISE:
    case RAISE_OK:
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case ABORT_AND_RAISE:
        RpcAsyncAbortCall(call->there.async, script_code);
        RpcRaiseException(1234);
        break;
    case COMPLETE_AND_RAISE:
        *call->there.twice = 2 * call->n;
        RpcAsyncCompleteCall(call->there.async, &reply);
        RpcRaiseException(1234);
        break;
    }
}

void s_plain(PRPC_ASYNC_STATE async, handle_t h, int32_t n, int32_t *twice)
{
    serve_call(&(struct served){
        .operation = PLAIN, .there.async = async, .there.handle = h, .n = n, .there.twice = twice});
}
void s_nothing(PRPC_ASYNC_STATE async, handle_t h)
{
    serve_call(&(struct served){.operation = NOTHING, .there.async = async, .there.handle = h});
}
void s_bulk(PRPC_ASYNC_STATE async, handle_t h, uint32_t n, const byte *octets)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < n; i++)
        wrong += octets[i] != octet(i);
    serve_call(
        &(struct served){.there.async = async, .there.handle = h, .n = wrong ? -1 : (int32_t)n});
}
static void serve_pipe(enum operation operation, PRPC_ASYNC_STATE async, handle_t h, int32_t n,
                       ASYNC_byte_pipe *data, int32_t *twice)
{
    serve_call(&(struct served){.operation = operation,
                                .there.async = async,
                                .there.handle = h,
                                .n = n,
                                .there.twice = twice,
                                .there.pipe_at = {(NDR_ASYNC_PIPE *)data}});
}
void s_in_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data, int32_t *twice)
{
    serve_pipe(IN_PIPE, async, h, n, data, twice);
}
void s_out_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data,
                int32_t *twice)
{
    serve_pipe(OUT_PIPE, async, h, n, data, twice);
}
void s_both_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data,
                 int32_t *twice)
{
    serve_pipe(BOTH_PIPE, async, h, n, data, twice);
}
static void serve_two(enum operation operation, PRPC_ASYNC_STATE async, handle_t h,
                      ASYNC_byte_pipe *first, ASYNC_long_pipe *second)
{
    serve_call(
        &(struct served){.operation = operation,
                         .there.async = async,
                         .there.handle = h,
                         .there.pipe_at = {(NDR_ASYNC_PIPE *)first, (NDR_ASYNC_PIPE *)second}});
}
void s_two_in(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first, ASYNC_long_pipe *second)
{
    serve_two(TWO_IN, async, h, first, second);
}
void s_two_out(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first, ASYNC_long_pipe *second)
{
    serve_two(TWO_OUT, async, h, first, second);
}
void s_in_then_out(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first,
                   ASYNC_long_pipe *second)
{
    serve_two(IN_THEN_OUT, async, h, first, second);
}
void s_status_result(PRPC_ASYNC_STATE async, handle_t h, int32_t n)
{
    serve_call(&(struct served){.there.async = async, .there.handle = h, .n = n});
}
void s_status_params(PRPC_ASYNC_STATE async, handle_t h, int32_t n, error_status_t *comm,
                     error_status_t *fault)
{
    (void)fault; /* not sent: the ACF's own */
    serve_call(&(struct served){
        .there.async = async, .there.handle = h, .n = n, .there.twice = (int32_t *)comm});
}
BOTH_SIDES void (*in_manager)(handle_t h);
BOTH_SIDES atomic_uchar pings[PINGS_COUNTED];

int32_t s_ping(handle_t h, int32_t n)
{
    if (n >= 0 && n < PINGS_COUNTED)
        pings[n]++;
    if (in_manager)
        in_manager(h);
    return n + 1;
}

BOTH_SIDES RPC_ASYNC_NOTIFICATION_INFO hold_info;
BOTH_SIDES RPC_BINDING_HANDLE held_handle;
static bool is_holding, may_go;

void s_hold(handle_t h)
{
    unsigned long queued;
    CHECK_EQUAL(RpcServerSubscribeForNotification(NULL, RpcNotificationClientDisconnect,
                                                  RpcNotificationTypeCallback, &hold_info),
                RPC_S_OK);
    pthread_mutex_lock(&calls_lock);
    held_handle = h;
    is_holding = true;
    while (!may_go)
        pthread_cond_wait(&calls_changed, &calls_lock);
    is_holding = may_go = false;
    pthread_mutex_unlock(&calls_lock);
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(NULL, RpcNotificationClientDisconnect, &queued),
                RPC_S_OK);
    CHECK_EQUAL(queued, 1);
}

static long long look_for_holding(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    pthread_mutex_lock(&calls_lock);
    bool holding = is_holding;
    pthread_mutex_unlock(&calls_lock);
    return holding;
}

bool holding(void)
{
    return far(look_for_holding, NULL, 0, 0);
}

static long long let_go(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    pthread_mutex_lock(&calls_lock);
    may_go = true;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
    return 0;
}

void hold_release(void)
{
    far(let_go, NULL, 0, 0);
}

/* Waits, with a limit, for something about the queue of calls; lock held. */
static bool calls_wait(uint64_t until_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t left = until_ms > now_ms() ? until_ms - now_ms() : 0;
    until.tv_sec += (time_t)(left / 1000);
    until.tv_nsec += (long)(left % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return pthread_cond_timedwait(&calls_changed, &calls_lock, &until) == 0;
}

/* The first of the queue, or NULL; lock held. */
static struct served *take_call(void)
{
    struct served *call = calls;
    if (call) {
        calls = call->next;
        call->next = NULL;
    }
    return call;
}

/* Those of the next functions that look for a call give its address as a number. */
static long long accept_within(struct served *unused, long long limit_ms, long long b)
{
    uint64_t until = now_ms() + (uint64_t)limit_ms;
    (void)unused, (void)b;
    pthread_mutex_lock(&calls_lock);
    while (!calls && limit_ms > 0)
        if (!calls_wait(until))
            break;
    struct served *call = take_call();
    pthread_mutex_unlock(&calls_lock);
    return (long long)(uintptr_t)call;
}

struct served *accept_call(void)
{
    struct served *call = (struct served *)(uintptr_t)far(accept_within, NULL, SOON_MS, 0);
    if (!call)
        failed(__FILE__, __LINE__, "no call arrived");
    return call;
}

struct served *accept_call_now(void)
{
    return (struct served *)(uintptr_t)far(accept_within, NULL, 0, 0);
}

static long long count_calls(struct served *unused, long long a, long long b)
{
    long long count = 0;
    (void)unused, (void)a, (void)b;
    pthread_mutex_lock(&calls_lock);
    for (const struct served *call = calls; call; call = call->next)
        count++;
    pthread_mutex_unlock(&calls_lock);
    return count;
}

bool no_call(void)
{
    sleep_ms(NEVER_MS);
    return far(count_calls, NULL, 0, 0) == 0;
}

static long long free_it(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    if (served->there.event)
        CloseHandle(served->there.event);
    pthread_mutex_lock(&calls_lock);
    served->next = free_served;
    free_served = served;
    pthread_mutex_unlock(&calls_lock);
    return 0;
}

void served_free(struct served *served)
{
    far(free_it, served, 0, 0);
}
