/* SPDX-License-Identifier: MIT */
/* client_async.c - asynchronous calls, told by event, callback, completion port or APC, some
 * of them cancelled, mildly or abortively, at any moment. */
#include <stdlib.h>
#include <string.h>

#include "soak.h"

#define ROOM 9000u

/* ---- Flights --------------------------------------------------------------- */

static _Thread_local bool apc_told;

static void told_by_apc(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)async;
    (void)context;
    (void)event;
    apc_told = true;
}

static void told_by_callback(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct flight *flight = (struct flight *)(void *)async; /* its first member */
    (void)context;
    (void)event;
    SetEvent(flight->event);
}

void flight_init(struct flight *flight)
{
    flight->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    flight->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (!flight->event || !flight->port)
        soak_fail("cannot create an event or a port");
}

/* Notifications of the last call that nobody waited for: each holds on to its call. */
static void drop_old(struct flight *flight)
{
    DWORD octets;
    ULONG_PTR key;
    OVERLAPPED *overlapped;
    if (flight->type == RpcNotificationTypeIoc)
        while (GetQueuedCompletionStatus(flight->port, &octets, &key, &overlapped, 0))
            ;
    if (flight->type == RpcNotificationTypeApc)
        SleepEx(0, TRUE);
}

void flight_begin(struct worker *worker, struct flight *flight, unsigned flags)
{
    static const RPC_NOTIFICATION_TYPES types[] = {
        RpcNotificationTypeEvent, RpcNotificationTypeCallback, RpcNotificationTypeIoc,
        RpcNotificationTypeApc};
    RPC_ASYNC_STATE *async = &flight->async;
    if (RpcAsyncInitializeHandle(async, sizeof(*async)) != RPC_S_OK)
        soak_fail("RpcAsyncInitializeHandle: still in use");
    drop_old(flight);
    flight->type = types[below(&worker->chance, 4)];
    atomic_store(&worker->slot->notified_by, (int)flight->type);
    async->Flags = flags;
    async->NotificationType = flight->type;
    if (flight->type == RpcNotificationTypeEvent)
        async->u.hEvent = flight->event;
    else if (flight->type == RpcNotificationTypeCallback)
        async->u.NotificationRoutine = told_by_callback;
    else if (flight->type == RpcNotificationTypeApc)
        async->u.APC.NotificationRoutine = told_by_apc;
    else
        async->u.IOC.hIOPort = flight->port;
}

/* Others may wake us: who waits looks again anyway. */
void flight_wait(struct flight *flight)
{
    const DWORD limit_ms = 3 * world->limit_ms; /* main.c is to notice first */
    bool told = true;
    if (flight->type == RpcNotificationTypeIoc) {
        DWORD octets;
        ULONG_PTR key;
        OVERLAPPED *overlapped;
        told = GetQueuedCompletionStatus(flight->port, &octets, &key, &overlapped, limit_ms);
    } else if (flight->type == RpcNotificationTypeApc) {
        told = apc_told || SleepEx(limit_ms, TRUE) == WAIT_IO_COMPLETION;
        apc_told = false;
    } else {
        told = WaitForSingleObject(flight->event, limit_ms) == WAIT_OBJECT_0;
    }
    if (!told)
        soak_fail("%s: never told (type %d)",
                  kind_names[atomic_load(&this_worker->slot->kind)], (int)flight->type);
}

RPC_STATUS flight_complete(struct flight *flight, void *reply)
{
    RPC_STATUS status;
    while ((status = RpcAsyncCompleteCall(&flight->async, reply)) == RPC_S_ASYNC_CALL_PENDING)
        flight_wait(flight);
    return status;
}

/* ---- Calls without pipes, several at once ---------------------------------- */

void call_later(struct worker *worker)
{
    bool began[FLIGHTS], cancelled[FLIGHTS] = {false};
    unsigned count = 1 + below(&worker->chance, FLIGHTS);
    for (unsigned i = 0; i < count; i++) {
        struct flight *flight = &worker->flights[i];
        uint32_t wait_ms = skewed(&worker->chance, 200);
        flight_begin(worker, flight, 0);
        struct outcome outcome = {0};
        outcome.status = RAISED(c_Later(&flight->async, worker->h, (int32_t)i, wait_ms));
        began[i] = outcome.status == RPC_S_OK;
        if (!began[i])
            worker_judge(worker, KIND_LATER, &outcome);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!began[i] || below(&worker->chance, 6) > 0)
            continue;
        cancelled[i] = true;
        if (RpcAsyncCancelCall(&worker->flights[i].async, below(&worker->chance, 2) == 0) !=
            RPC_S_OK)
            soak_fail("Later cannot be cancelled");
    }
    for (unsigned i = 0; i < count; i++) {
        int32_t reply = -1;
        if (!began[i])
            continue;
        struct outcome outcome = {.status = flight_complete(&worker->flights[i], &reply),
                                  .cancelled = cancelled[i]};
        if (outcome.status == RPC_S_OK && reply != (int32_t)i + 1)
            soak_fail("Later: %d, not %d", (int)reply, (int)i + 1);
        worker_judge(worker, KIND_LATER, &outcome);
    }
}

/* ---- Calls with pipes ------------------------------------------------------ */

struct transfer {
    struct worker *worker;
    struct flight *flight;
    enum kind kind;
    uint32_t seed;
    uint64_t count;
    uint64_t moved, cancel_at; /* octets and records in all */
    bool cancelled, abortive;
    bool send_complete;
    byte buf[ROOM];
};

static void transfer_begin(struct transfer *t, struct worker *worker, enum kind kind)
{
    struct chance *chance = &worker->chance;
    t->worker = worker;
    t->flight = &worker->flights[0];
    t->kind = kind;
    t->seed = below(chance, 1u << 30);
    t->count = skewed(chance, STREAM_MAX);
    t->moved = 0;
    atomic_store(&worker->slot->moved, 0);
    atomic_store(&worker->slot->count, t->count);
    t->cancelled = false;
    t->abortive = below(chance, 2) == 0;
    t->cancel_at = below(chance, 6) == 0 ? skewed(chance, 200000) : UINT64_MAX;
    t->send_complete = below(chance, 3) == 0;
    flight_begin(worker, t->flight, t->send_complete ? RPC_C_NOTIFY_ON_SEND_COMPLETE : 0);
}

/* Cancels when it is time.  False: the call is to be collected now. */
static bool go_on(struct transfer *t)
{
    if (!t->cancelled && t->moved >= t->cancel_at) {
        t->cancelled = true;
        atomic_store(&t->worker->slot->abortive, t->abortive);
        atomic_store(&t->worker->slot->cancelled, true);
        if (RpcAsyncCancelCall(&t->flight->async, t->abortive) != RPC_S_OK)
            soak_fail("%s cannot be cancelled", kind_names[t->kind]);
        return !t->abortive;
    }
    return true;
}

#define ABORTED (-1) /* no status: our own abortive cancel */

static RPC_STATUS push_octets(struct transfer *t, NDR_ASYNC_PIPE *pipe)
{
    for (uint64_t done = 0; done < t->count;) {
        unsigned long part = 1 + below(&t->worker->chance, ROOM);
        part = t->count - done < part ? (unsigned long)(t->count - done) : part;
        fill(t->seed, done, t->buf, part);
        RPC_STATUS status = pipe->push(pipe->state, t->buf, part);
        memset(t->buf, 0xee, part); /* it is ours again */
        if (status != RPC_S_OK)
            return status;
        done += part;
        t->moved += part;
        atomic_store(&t->worker->slot->moved, t->moved);
        if (!go_on(t))
            return ABORTED;
        if (t->send_complete && below(&t->worker->chance, 2) == 0)
            flight_wait(t->flight);
    }
    return pipe->push(pipe->state, NULL, 0);
}

static RPC_STATUS pull_octets(struct transfer *t, NDR_ASYNC_PIPE *pipe, uint32_t seed,
                              uint64_t *ret_got)
{
    *ret_got = 0;
    for (;;) {
        unsigned long n = 0;
        RPC_STATUS status =
            pipe->pull(pipe->state, t->buf, 1 + below(&t->worker->chance, ROOM), &n);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            flight_wait(t->flight);
            continue;
        }
        if (status != RPC_S_OK)
            return status;
        if (n == 0)
            return RPC_S_OK;
        check(kind_names[t->kind], seed, *ret_got, t->buf, n);
        *ret_got += n;
        t->moved += n;
        atomic_store(&t->worker->slot->moved, t->moved);
        if (!go_on(t))
            return ABORTED;
        if (below(&t->worker->chance, 30) == 0)
            sleep_ms(skewed(&t->worker->chance, 20)); /* a slow consumer */
    }
}

/* A failed push or pull has ended the call (AP-18, AP-37); else it is collected. */
static void transfer_end(struct transfer *t, RPC_STATUS status, uint64_t *reply, uint64_t right)
{
    if (status == RPC_S_OK || status == ABORTED) {
        bool aborted = status == ABORTED;
        status = flight_complete(t->flight, reply);
        /* What was complete already when it was cancelled keeps its end, but its [out]
         * pipes were not drained. */
        if (aborted && status == RPC_S_OK)
            right = *reply;
        if (aborted && status == RPC_X_PIPE_DISCIPLINE_ERROR && t->kind != KIND_TAKE)
            status = RPC_S_CALL_CANCELLED;
    }
    if (status == RPC_S_OK && *reply != right)
        soak_fail("%s: reply %llu, not %llu", kind_names[t->kind], (unsigned long long)*reply,
                  (unsigned long long)right);
    atomic_fetch_add(&t->worker->board->octets, t->moved);
    const struct outcome outcome = {.status = status, .cancelled = t->cancelled};
    worker_judge(t->worker, t->kind, &outcome);
}

static void judge_unborn(struct transfer *t, RPC_STATUS status)
{
    const struct outcome outcome = {.status = status};
    worker_judge(t->worker, t->kind, &outcome);
}

static _Thread_local struct transfer transfer;

void call_take(struct worker *worker)
{
    struct transfer *t = &transfer;
    ASYNC_BYTES pipe;
    uint64_t taken = 0;
    transfer_begin(t, worker, KIND_TAKE);
    RPC_STATUS status = RAISED(c_Take(&t->flight->async, worker->h, t->seed, &pipe));
    if (status != RPC_S_OK) {
        judge_unborn(t, status);
        return;
    }
    status = push_octets(t, (NDR_ASYNC_PIPE *)&pipe);
    transfer_end(t, status, &taken, t->count);
}

void call_give(struct worker *worker)
{
    struct transfer *t = &transfer;
    ASYNC_BYTES pipe;
    uint64_t got = 0;
    transfer_begin(t, worker, KIND_GIVE);
    RPC_STATUS status = RAISED(c_Give(&t->flight->async, worker->h, t->seed, t->count, &pipe));
    if (status != RPC_S_OK) {
        judge_unborn(t, status);
        return;
    }
    status = pull_octets(t, (NDR_ASYNC_PIPE *)&pipe, t->seed, &got);
    transfer_end(t, status, &got, status == ABORTED ? got : t->count);
}

void call_turn(struct worker *worker)
{
    struct transfer *t = &transfer;
    ASYNC_BYTES pipe;
    uint64_t got = 0, reply = 0;
    transfer_begin(t, worker, KIND_TURN);
    RPC_STATUS status = RAISED(c_Turn(&t->flight->async, worker->h, t->seed, &pipe));
    if (status != RPC_S_OK) {
        judge_unborn(t, status);
        return;
    }
    status = push_octets(t, (NDR_ASYNC_PIPE *)&pipe);
    if (status == RPC_S_OK)
        status = pull_octets(t, (NDR_ASYNC_PIPE *)&pipe, t->seed + 1, &got);
    if (status == RPC_S_OK && got != t->count)
        soak_fail("Turn: %llu octets of %llu", (unsigned long long)got,
                  (unsigned long long)t->count);
    transfer_end(t, status, &reply, t->count);
}

static RPC_STATUS push_records(struct transfer *t, ASYNC_RECORDS *pipe, uint64_t count)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint64_t done = 0; done < count && status == RPC_S_OK;) {
        RECORD buf[64];
        unsigned long part = 1 + below(&t->worker->chance, 64);
        part = count - done < part ? (unsigned long)(count - done) : part;
        for (unsigned long i = 0; i < part; i++)
            buf[i] = record_of(t->seed, done + i);
        status = pipe->push(pipe->state, buf, part);
        done += part;
    }
    return status == RPC_S_OK ? pipe->push(pipe->state, NULL, 0) : status;
}

static RPC_STATUS pull_records(struct transfer *t, ASYNC_RECORDS *pipe, uint64_t *ret_got)
{
    *ret_got = 0;
    for (;;) {
        RECORD buf[64];
        unsigned long n = 0;
        RPC_STATUS status = pipe->pull(pipe->state, buf, 1 + below(&t->worker->chance, 64), &n);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            flight_wait(t->flight);
            continue;
        }
        if (status != RPC_S_OK || n == 0)
            return status;
        check_records(kind_names[t->kind], t->seed + 1, *ret_got, buf, n);
        *ret_got += n;
    }
}

void call_several(struct worker *worker)
{
    struct transfer *t = &transfer;
    ASYNC_BYTES there, back;
    ASYNC_RECORDS records, records_back;
    uint64_t got = 0, got_records = 0, reply = 0;
    uint64_t record_count = skewed(&worker->chance, 5000);
    transfer_begin(t, worker, KIND_SEVERAL);
    RPC_STATUS status = RAISED(c_Several(&t->flight->async, worker->h, t->seed, &there, &records,
                                         &back, &records_back));
    if (status != RPC_S_OK) {
        judge_unborn(t, status);
        return;
    }
    status = push_octets(t, (NDR_ASYNC_PIPE *)&there);
    if (status == RPC_S_OK)
        status = push_records(t, &records, record_count);
    if (status == RPC_S_OK)
        status = pull_octets(t, (NDR_ASYNC_PIPE *)&back, t->seed + 1, &got);
    if (status == RPC_S_OK)
        status = pull_records(t, &records_back, &got_records);
    if (status == RPC_S_OK && (got != t->count || got_records != record_count))
        soak_fail("Several: %llu octets and %llu records of %llu and %llu",
                  (unsigned long long)got, (unsigned long long)got_records,
                  (unsigned long long)t->count, (unsigned long long)record_count);
    transfer_end(t, status, &reply, t->count);
}
