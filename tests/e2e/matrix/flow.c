/* SPDX-License-Identifier: MIT */
/* flow.c - see flow.h. */
#include "flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../detached.h"

#define BIT(event) (1u << (event))
#define PORT_BYTES 4711u
#define PORT_KEY 0x1234567890u

/* Between two polls, microseconds. */
#define POLL_US 100

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned told_by(const struct flow *flow)
{
    return flow->plan.how & FLOW_TOLD_MASK;
}

static struct flow *flow_new(const struct element *element, const flow_plan *plan)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow)
        abort();
    flow->element = element;
    flow->plan = *plan;
    flow->random = plan->seed * 2654435761u + 1;
    flow->buffer = malloc(plan->chunk_max * element->size);
    pthread_mutex_init(&flow->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&flow->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (!flow->buffer)
        abort();
    return flow;
}

void flow_free(struct flow *flow)
{
    if (flow->object)
        CloseHandle(flow->object);
    pthread_cond_destroy(&flow->changed);
    pthread_mutex_destroy(&flow->lock);
    free(flow->buffer);
    free(flow);
}

static size_t chunk_size(struct flow *flow)
{
    if (flow->plan.how & FLOW_EXACT)
        return flow->plan.chunk_max;
    flow->random ^= flow->random << 13;
    flow->random ^= flow->random >> 7;
    flow->random ^= flow->random << 17;
    return (size_t)(flow->random % flow->plan.chunk_max) + 1;
}

static uint32_t seed_of(const struct flow *flow, bool to_server)
{
    return to_server ? flow->plan.seed : flow->plan.seed ^ FLOW_BACK_SEED;
}

/* ---- Steps ---------------------------------------------------------------- */

static void fail(struct flow *flow, RPC_STATUS status)
{
    if (flow->status == RPC_S_OK)
        flow->status = status;
    flow->state = FLOW_DONE;
    flow->awaited = 0;
}

/* Something the test itself found wrong: the call is still there and must go. */
static void reject(struct flow *flow, RPC_STATUS code, const char *what)
{
    fprintf(stderr, "%s %s: %s after %llu pushed, %llu pulled\n",
            flow->server ? "server" : "client", flow->element->name, what,
            (unsigned long long)flow->pushed, (unsigned long long)flow->pulled);
    if (flow->server)
        RpcAsyncAbortCall(flow->async, (unsigned long)code);
    else
        RpcAsyncCancelCall(flow->async, TRUE);
    fail(flow, code);
}

static void expect_send_complete(struct flow *flow)
{
    if (!(flow->plan.how & FLOW_SEND_COMPLETE) || told_by(flow) == FLOW_POLL)
        return;
    flow->awaited = BIT(RpcSendComplete);
    flow->send_complete_due++;
}

static void push_some(struct flow *flow)
{
    uint64_t left = flow->plan.count - flow->pushed;
    size_t count = chunk_size(flow);
    count = left < count ? (size_t)left : count;
    RPC_STATUS status;
    if (count == 0) {
        status = flow->pipe.push(flow->pipe.state, NULL, 0);
        flow->state = flow->server ? FLOW_ENDED : flow->pulls ? FLOW_PULLING : FLOW_CLOSING;
        if (status == RPC_S_OK && flow->server) /* a client hears of the call's end instead */
            expect_send_complete(flow);
    } else {
        uint32_t seed = seed_of(flow, !flow->server);
        void *from = flow->buffer;
        if (flow->plan.how & FLOW_FROM_PATTERN)
            from = (void *)(uintptr_t)octets_at(flow->pushed, seed);
        else
            flow->element->fill(flow->pushed, seed, from, count);
        status = flow->pipe.push(flow->pipe.state, from, count);
        if (from == flow->buffer) /* AP-10: it is ours again */
            memset(from, 0xee, count * flow->element->size);
        flow->pushed += count;
        if (status == RPC_S_OK)
            expect_send_complete(flow);
    }
    if (status != RPC_S_OK)
        fail(flow, status); /* AP-18: nothing to clean up */
}

static void end_of_input(struct flow *flow)
{
    if (flow->pulled != flow->plan.count)
        reject(flow, FLOW_WRONG_COUNT, "wrong number of elements");
    else if (flow->server && flow->pushes)
        flow->state = FLOW_PUSHING;
    else
        flow->state = FLOW_CLOSING;
}

static void pull_some(struct flow *flow)
{
    size_t wanted = chunk_size(flow);
    unsigned long count = 12345;
    RPC_STATUS status = flow->pipe.pull(flow->pipe.state, flow->buffer, wanted, &count);
    if (status == RPC_S_ASYNC_CALL_PENDING) {
        flow->awaited = BIT(RpcReceiveComplete);
        if (count != 0)
            reject(flow, FLOW_WRONG_COUNT, "pending pull with a count");
    } else if (status != RPC_S_OK) {
        fail(flow, status);
    } else if (count == 0) {
        end_of_input(flow);
    } else if (count > wanted) {
        reject(flow, FLOW_WRONG_COUNT, "pull gave more than asked for");
    } else if (flow->element->check(flow->pulled, seed_of(flow, flow->server), flow->buffer,
                                    count) != count) {
        reject(flow, FLOW_WRONG_DATA, "wrong data");
    } else {
        flow->pulled += count;
    }
}

static void close_call(struct flow *flow)
{
    pthread_mutex_lock(&flow->lock);
    bool complete = flow->seen & BIT(RpcCallComplete);
    uint64_t send_completes = flow->send_complete_seen;
    pthread_mutex_unlock(&flow->lock);
    if (!flow->server && !complete) {
        flow->awaited = BIT(RpcCallComplete);
        return;
    }
    if (send_completes != flow->send_complete_due) {
        reject(flow, FLOW_WRONG_NOTICE, "wrong number of RpcSendComplete");
        return;
    }
    if (flow->server && flow->got)
        *flow->got = flow->pulled;
    /* The state belongs to the runtime, or to nobody, from here on. */
    fail(flow, RpcAsyncCompleteCall(flow->async, NULL));
}

/* Does what can be done now.  Not under the lock. */
static void advance(struct flow *flow)
{
    while (flow->awaited == 0 && flow->state != FLOW_DONE) {
        switch (flow->state) {
        case FLOW_STARTING:
            flow->state = FLOW_PUSHING;
            if (flow->plan.how & FLOW_SEND_COMPLETE)
                expect_send_complete(flow);
            break;
        case FLOW_PUSHING:
            push_some(flow);
            break;
        case FLOW_ENDED:
            flow->state = FLOW_CLOSING;
            break;
        case FLOW_PULLING:
            pull_some(flow);
            break;
        case FLOW_CLOSING:
            close_call(flow);
            break;
        case FLOW_DONE:
            break;
        }
    }
}

/* The call was over before its pipes: it has failed, or the order of notices is
 * wrong.  (A reply that came while data is still to be pulled is fine, AP-36.) */
static void on_early_end(struct flow *flow)
{
    RPC_STATUS status = RpcAsyncGetCallStatus(flow->async);
    if (status == RPC_S_OK)
        reject(flow, FLOW_WRONG_NOTICE, "RpcCallComplete in the place of another");
    else
        fail(flow, RpcAsyncCompleteCall(flow->async, NULL));
}

/* Takes what is awaited from what was seen.  Lock held. */
static bool take_awaited(struct flow *flow)
{
    if (flow->awaited & BIT(RpcCallComplete) && flow->seen & BIT(RpcCallComplete)) {
        flow->awaited = 0; /* stays seen */
        return true;
    }
    unsigned taken = flow->awaited & flow->seen;
    flow->seen &= ~taken;
    flow->awaited &= ~taken;
    return taken != 0;
}

/* Something was told (event -1: nothing, a first step).  True: the call is done, and
 * it was this thread that did the last step. */
static bool tell(struct flow *flow, int event)
{
    pthread_mutex_lock(&flow->lock);
    if (event >= 0)
        flow->seen |= BIT(event);
    if (event == RpcSendComplete)
        flow->send_complete_seen++;
    bool mine = !flow->running;
    flow->running = true;
    bool first = event < 0;
    while (mine && flow->state != FLOW_DONE) {
        bool early = flow->awaited & ~BIT(RpcCallComplete) && !(flow->awaited & flow->seen) &&
                     flow->seen & BIT(RpcCallComplete);
        if (!early && !take_awaited(flow) && !first)
            break;
        first = false;
        pthread_mutex_unlock(&flow->lock);
        if (early)
            on_early_end(flow);
        else
            advance(flow);
        pthread_mutex_lock(&flow->lock);
    }
    bool done = mine && flow->state == FLOW_DONE;
    if (mine) {
        flow->running = false;
        flow->finished = done;
        pthread_cond_broadcast(&flow->changed);
    }
    pthread_mutex_unlock(&flow->lock);
    return done;
}

/* ---- Being told ----------------------------------------------------------- */

static void on_notice(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct flow *flow = async->UserInfo;
    if (context)
        abort(); /* reserved, NULL */
    bool server = flow->server, told_by_callback = told_by(flow) == FLOW_CALLBACK;
    /* A client's flow belongs to the thread that waits for it. */
    if (tell(flow, (int)event) && server && told_by_callback)
        flow_free(flow);
}

static HANDLE must(HANDLE object)
{
    if (!object)
        abort();
    return object;
}

/* On the thread that is to be told by APCs. */
static void set_notification(struct flow *flow)
{
    flow->async->UserInfo = flow;
    if (flow->plan.how & FLOW_SEND_COMPLETE)
        flow->async->Flags |= RPC_C_NOTIFY_ON_SEND_COMPLETE;
    switch (told_by(flow)) {
    case FLOW_POLL:
        flow->async->NotificationType = RpcNotificationTypeNone;
        break;
    case FLOW_EVENT:
        flow->object = must(CreateEvent(NULL, FALSE, FALSE, NULL));
        flow->async->u.hEvent = flow->object;
        flow->async->NotificationType = RpcNotificationTypeEvent;
        break;
    case FLOW_CALLBACK:
        flow->async->u.NotificationRoutine = on_notice;
        flow->async->NotificationType = RpcNotificationTypeCallback;
        break;
    case FLOW_APC:
        /* A client may leave it to the run time which thread that is. */
        if (flow->server || flow->plan.how & FLOW_OTHER_THREAD)
            flow->object = must(OpenThread(THREAD_SET_CONTEXT, FALSE, GetCurrentThreadId()));
        flow->async->u.APC.NotificationRoutine = on_notice;
        flow->async->u.APC.hThread = flow->object;
        flow->async->NotificationType = RpcNotificationTypeApc;
        break;
    case FLOW_PORT:
        flow->object = must(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0));
        flow->async->u.IOC.hIOPort = flow->object;
        flow->async->u.IOC.dwNumberOfBytesTransferred = PORT_BYTES;
        flow->async->u.IOC.dwCompletionKey = PORT_KEY;
        flow->async->u.IOC.lpOverlapped = (LPOVERLAPPED)(void *)flow;
        flow->async->NotificationType = RpcNotificationTypeIoc;
        break;
    default:
        abort();
    }
}

static void wait_apc(struct flow *flow)
{
    if (SleepEx(FLOW_WAIT_MS, TRUE) != WAIT_IO_COMPLETION)
        reject(flow, FLOW_TIMEOUT, "no APC");
}

/* AR-23: the packet carries what the application gave, whatever has happened. */
static void wait_port(struct flow *flow)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    if (!GetQueuedCompletionStatus(flow->object, &bytes, &key, &overlapped, FLOW_WAIT_MS))
        reject(flow, FLOW_TIMEOUT, "no packet");
    else if (bytes != PORT_BYTES || key != PORT_KEY || overlapped != (LPOVERLAPPED)(void *)flow)
        reject(flow, FLOW_WRONG_NOTICE, "another's packet");
    else
        tell(flow, (int)flow->async->Event);
}

static void wait_event(struct flow *flow)
{
    if (WaitForSingleObject(flow->object, FLOW_WAIT_MS) != WAIT_OBJECT_0)
        reject(flow, FLOW_TIMEOUT, "no notification");
    else
        tell(flow, (int)flow->async->Event);
}

static void wait_poll(struct flow *flow, uint64_t deadline_ms)
{
    const struct timespec pause = {.tv_nsec = POLL_US * 1000};
    if (now_ms() > deadline_ms) {
        reject(flow, FLOW_TIMEOUT, "polled in vain");
        return;
    }
    if (flow->awaited & BIT(RpcCallComplete) &&
        RpcAsyncGetCallStatus(flow->async) == RPC_S_ASYNC_CALL_PENDING) {
        nanosleep(&pause, NULL);
        return;
    }
    if (flow->awaited & BIT(RpcReceiveComplete))
        nanosleep(&pause, NULL);
    tell(flow, flow->awaited & BIT(RpcCallComplete) ? RpcCallComplete : RpcReceiveComplete);
}

/* Drives the call on this thread, as far as that is this thread's business. */
static void drive(struct flow *flow)
{
    tell(flow, -1);
    if (told_by(flow) == FLOW_CALLBACK)
        return;
    uint64_t deadline_ms = now_ms() + FLOW_WAIT_MS, moved = 0;
    while (!flow->finished && flow->state != FLOW_DONE) {
        if (told_by(flow) == FLOW_EVENT)
            wait_event(flow);
        else if (told_by(flow) == FLOW_APC)
            wait_apc(flow);
        else if (told_by(flow) == FLOW_PORT)
            wait_port(flow);
        else
            wait_poll(flow, deadline_ms);
        if (moved != flow->pulled) {
            moved = flow->pulled;
            deadline_ms = now_ms() + FLOW_WAIT_MS;
        }
    }
}

static void *drive_thread(void *arg)
{
    drive(arg);
    return NULL;
}

/* ---- Client --------------------------------------------------------------- */

struct flow *flow_client(const struct element *element, const flow_plan *plan, bool in, bool out)
{
    struct flow *flow = flow_new(element, plan);
    flow->pushes = in;
    flow->pulls = out;
    flow->state = in ? FLOW_STARTING : FLOW_PULLING;
    flow->async = &flow->own_async;
    memset(&flow->pipe, 0xcd, sizeof(flow->pipe)); /* AP-2: uninitialised */
    if (RpcAsyncInitializeHandle(flow->async, sizeof(*flow->async)) != RPC_S_OK)
        abort();
    set_notification(flow);
    return flow;
}

/* In callback mode others drive: waits for them. */
static void await_finish(struct flow *flow)
{
    uint64_t moved = 0;
    pthread_mutex_lock(&flow->lock);
    while (!flow->finished) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += FLOW_WAIT_MS / 1000;
        uint64_t before = moved;
        if (pthread_cond_timedwait(&flow->changed, &flow->lock, &until) != ETIMEDOUT)
            continue;
        moved = flow->pulled + flow->pushed;
        if (moved != before)
            continue;
        pthread_mutex_unlock(&flow->lock);
        reject(flow, FLOW_TIMEOUT, "no notification");
        pthread_mutex_lock(&flow->lock);
        break;
    }
    pthread_mutex_unlock(&flow->lock);
}

RPC_STATUS flow_finish(struct flow *flow)
{
    if (flow->plan.how & FLOW_OTHER_THREAD && told_by(flow) != FLOW_APC) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, drive_thread, flow) != 0)
            abort();
        pthread_join(thread, NULL);
    } else {
        drive(flow);
    }
    await_finish(flow);
    return flow->status;
}

/* ---- Server --------------------------------------------------------------- */

static void *serve_thread(void *arg)
{
    struct flow *flow = arg;
    set_notification(flow); /* AP-17: by the worker, just before the first push or pull */
    if (told_by(flow) != FLOW_CALLBACK) {
        drive(flow);
        flow_free(flow);
        return NULL;
    }
    if (tell(flow, -1))
        flow_free(flow);
    return NULL;
}

void flow_serve(PRPC_ASYNC_STATE async, const struct element *element, const flow_plan *plan,
                const NDR_ASYNC_PIPE *pipe, bool in, bool out, uint64_t *got)
{
    struct flow *flow = flow_new(element, plan);
    flow->server = true;
    flow->pulls = in;
    flow->pushes = out;
    flow->state = in ? FLOW_PULLING : FLOW_PUSHING;
    flow->async = async;
    flow->pipe = *pipe;
    flow->got = got;
    if (!(plan->how & FLOW_OTHER_THREAD)) {
        serve_thread(flow);
        return;
    }
    if (!start_detached(serve_thread, flow))
        abort();
}
