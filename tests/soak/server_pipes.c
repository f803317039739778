/* SPDX-License-Identifier: MIT */
/* server_pipes.c - the asynchronous managers: told by callback or event, or blocked in
 * push, on threads of their own; they give in to cancels. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "soak.h"

#define ROOM 8000u

struct job {
    PRPC_ASYNC_STATE async;
    uint32_t seed;
    uint64_t count;
    ASYNC_BYTES *in, *out;
    ASYNC_RECORDS *records_in, *records_out;
    HANDLE event;
    uint64_t got;     /* octets                   */
    int32_t reply;    /* Later                    */
    uint64_t due_ms;
    struct job *next;
};

static struct job *job_new(PRPC_ASYNC_STATE async, uint32_t seed)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    job->async = async;
    job->seed = seed;
    atomic_fetch_add(&server_board->managers, 1);
    return job;
}

static bool is_cancelled(const struct job *job)
{
    return RpcServerTestCancel(RpcAsyncGetCallHandle(job->async)) == RPC_S_OK;
}

/* The call ends here.  After a failed pull or push a manager may abort, complete, or do
 * nothing at all (AP-18, AP-42): each in turn. */
static void job_end(struct job *job, RPC_STATUS status, void *reply)
{
    static atomic_uint turn;
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(job->async, reply); /* fails when the client is gone */
    else if (status == RPC_S_CALL_CANCELLED || turn++ % 3 == 0)
        RpcAsyncAbortCall(job->async, (unsigned long)status);
    else if (turn % 3 == 1)
        RpcAsyncCompleteCall(job->async, reply);
    if (job->event)
        CloseHandle(job->event);
    free(job);
    atomic_fetch_sub(&server_board->managers, 1);
}

static void start(struct job *job, void *(*run)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, job) != 0)
        soak_fail("cannot start a thread");
    pthread_detach(thread);
}

static void use_event(struct job *job)
{
    job->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!job->event)
        soak_fail("cannot create an event");
    job->async->NotificationType = RpcNotificationTypeEvent;
    job->async->u.hEvent = job->event;
}

/* ---- Take: told by callback ------------------------------------------------ */

static void take_run(struct job *job)
{
    static _Thread_local byte buf[ROOM];
    for (;;) {
        unsigned long n = 0;
        RPC_STATUS status = is_cancelled(job) ? RPC_S_CALL_CANCELLED
                                              : job->in->pull(job->in->state, buf, ROOM, &n);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            return; /* the job is the notification's from here on */
        if (status != RPC_S_OK || n == 0) {
            atomic_fetch_add(&server_board->octets, job->got);
            job_end(job, status, &job->got);
            return;
        }
        check("Take", job->seed, job->got, buf, n);
        job->got += n;
    }
}

static void take_told(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)context;
    if (event == RpcReceiveComplete)
        take_run(async->UserInfo);
}

void s_Take(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, ASYNC_BYTES *data)
{
    (void)h;
    struct job *job = job_new(async, seed);
    job->in = data;
    async->UserInfo = job;
    async->NotificationType = RpcNotificationTypeCallback;
    async->u.NotificationRoutine = take_told;
    take_run(job);
}

/* ---- The others: a thread each --------------------------------------------- */

/* A pull that waits for its notification. */
#define PULL_WAIT(job, pipe, buf, ret_n)                                                           \
    __extension__({                                                                                \
        RPC_STATUS status_;                                                                        \
        while ((status_ = (pipe)->pull((pipe)->state, (buf), ROOM, (ret_n))) ==                    \
               RPC_S_ASYNC_CALL_PENDING)                                                           \
            if (WaitForSingleObject((job)->event, 3 * world->limit_ms) != WAIT_OBJECT_0)           \
                soak_fail("a manager's pull is never told of");                                    \
        status_;                                                                                   \
    })

static RPC_STATUS pull_octets(struct job *job, const ASYNC_BYTES *pipe, const char *what)
{
    byte *buf = malloc(ROOM);
    RPC_STATUS status = buf ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    for (unsigned long n = 1; status == RPC_S_OK && n > 0;) {
        status = PULL_WAIT(job, pipe, buf, &n);
        if (status == RPC_S_OK) {
            check(what, job->seed, job->got, buf, n);
            job->got += n;
        }
        if (status == RPC_S_OK && is_cancelled(job))
            status = RPC_S_CALL_CANCELLED;
    }
    free(buf);
    atomic_fetch_add(&server_board->octets, job->got);
    return status;
}

static RPC_STATUS push_octets(struct job *job, const ASYNC_BYTES *pipe, uint32_t seed,
                              uint64_t count)
{
    byte *buf = malloc(ROOM);
    RPC_STATUS status = buf ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    for (uint64_t done = 0; status == RPC_S_OK && done < count;) {
        unsigned long part = count - done < ROOM ? (unsigned long)(count - done) : ROOM;
        fill(seed, done, buf, part);
        status = pipe->push(pipe->state, buf, part);
        done += part;
        if (status == RPC_S_OK && is_cancelled(job))
            status = RPC_S_CALL_CANCELLED;
    }
    free(buf);
    return status == RPC_S_OK ? pipe->push(pipe->state, NULL, 0) : status;
}

static void *give_run(void *arg)
{
    struct job *job = arg;
    job_end(job, push_octets(job, job->out, job->seed, job->count), NULL);
    return NULL;
}

void s_Give(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, uint64_t count, ASYNC_BYTES *data)
{
    (void)h;
    struct job *job = job_new(async, seed);
    job->count = count;
    job->out = data;
    start(job, give_run);
}

static void *turn_run(void *arg)
{
    struct job *job = arg;
    RPC_STATUS status = pull_octets(job, job->in, "Turn");
    if (status == RPC_S_OK)
        status = push_octets(job, job->out, job->seed + 1, job->got);
    job_end(job, status, &job->got);
    return NULL;
}

void s_Turn(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, ASYNC_BYTES *data)
{
    (void)h;
    struct job *job = job_new(async, seed);
    job->in = job->out = data;
    use_event(job);
    start(job, turn_run);
}

static RPC_STATUS pull_records(struct job *job, uint64_t *ret_count)
{
    RECORD *buf = malloc(ROOM * sizeof(*buf));
    RPC_STATUS status = buf ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    *ret_count = 0;
    for (unsigned long n = 1; status == RPC_S_OK && n > 0;) {
        status = PULL_WAIT(job, job->records_in, buf, &n);
        if (status != RPC_S_OK)
            break;
        check_records("Several", job->seed, *ret_count, buf, n);
        *ret_count += n;
    }
    free(buf);
    return status;
}

static RPC_STATUS push_records(struct job *job, uint64_t count)
{
    const ASYNC_RECORDS *pipe = job->records_out;
    RPC_STATUS status = RPC_S_OK;
    for (uint64_t done = 0; status == RPC_S_OK && done < count;) {
        RECORD buf[100];
        unsigned long part = count - done < 100 ? (unsigned long)(count - done) : 100;
        for (unsigned long i = 0; i < part; i++)
            buf[i] = record_of(job->seed + 1, done + i);
        status = pipe->push(pipe->state, buf, part);
        done += part;
    }
    return status == RPC_S_OK ? pipe->push(pipe->state, NULL, 0) : status;
}

static void *several_run(void *arg)
{
    struct job *job = arg;
    uint64_t records = 0;
    RPC_STATUS status = pull_octets(job, job->in, "Several");
    if (status == RPC_S_OK)
        status = pull_records(job, &records);
    if (status == RPC_S_OK)
        status = push_octets(job, job->out, job->seed + 1, job->got);
    if (status == RPC_S_OK)
        status = push_records(job, records);
    job_end(job, status, &job->got);
    return NULL;
}

void s_Several(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, ASYNC_BYTES *there,
               ASYNC_RECORDS *records, ASYNC_BYTES *back, ASYNC_RECORDS *records_back)
{
    (void)h;
    struct job *job = job_new(async, seed);
    job->in = there;
    job->records_in = records;
    job->out = back;
    job->records_out = records_back;
    use_event(job);
    start(job, several_run);
}

/* ---- Later: one thread for all --------------------------------------------- */

static pthread_mutex_t later_lock = PTHREAD_MUTEX_INITIALIZER;
static struct job *later_jobs;

/* Takes what is due out of the list. */
static struct job *later_due(void)
{
    struct job *due = NULL, **at = &later_jobs;
    uint64_t now = now_ms();
    pthread_mutex_lock(&later_lock);
    while (*at) {
        struct job *job = *at;
        if (job->due_ms > now && !is_cancelled(job)) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        job->next = due;
        due = job;
    }
    pthread_mutex_unlock(&later_lock);
    return due;
}

static void *later_run(void *arg)
{
    (void)arg;
    for (;;) {
        struct job *next;
        for (struct job *job = later_due(); job; job = next) {
            next = job->next;
            job_end(job, is_cancelled(job) ? RPC_S_CALL_CANCELLED : RPC_S_OK, &job->reply);
        }
        sleep_ms(5);
    }
    return NULL;
}

void later_start(void)
{
    start(NULL, later_run);
}

void s_Later(PRPC_ASYNC_STATE async, handle_t h, int32_t n, uint32_t wait_ms)
{
    (void)h;
    struct job *job = job_new(async, 0);
    job->reply = n + 1;
    if (wait_ms == 0) {
        job_end(job, RPC_S_OK, &job->reply);
        return;
    }
    job->due_ms = now_ms() + wait_ms;
    pthread_mutex_lock(&later_lock);
    job->next = later_jobs;
    later_jobs = job;
    pthread_mutex_unlock(&later_lock);
}
