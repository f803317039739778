/* SPDX-License-Identifier: MIT */
/* served.c - what a test does with a call that a manager was given, in the server; and the
 * server's pipes as the test has them. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* ---- The call ------------------------------------------------------------------- */

static long long complete_there(struct served *served, long long has_reply, long long reply)
{
    int32_t value = (int32_t)reply;
    return RpcAsyncCompleteCall(served->there.async, has_reply ? &value : NULL);
}

RPC_STATUS served_complete(struct served *served, const int32_t *reply)
{
    return (RPC_STATUS)far(complete_there, served, reply != NULL, reply ? *reply : 0);
}

static long long abort_there(struct served *served, long long code, long long b)
{
    (void)b;
    return RpcAsyncAbortCall(served->there.async, (unsigned long)code);
}

RPC_STATUS served_abort(struct served *served, unsigned long code)
{
    return (RPC_STATUS)far(abort_there, served, (long long)code, 0);
}

static long long cancel_there(struct served *served, long long abortive, long long b)
{
    (void)b;
    return RpcAsyncCancelCall(served->there.async, (BOOL)abortive);
}

RPC_STATUS served_cancel(struct served *served, bool abortive)
{
    return (RPC_STATUS)far(cancel_there, served, abortive, 0);
}

static long long status_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    return RpcAsyncGetCallStatus(served->there.async);
}

RPC_STATUS served_status(struct served *served)
{
    return (RPC_STATUS)far(status_there, served, 0, 0);
}

static long long test_cancel_there(struct served *served, long long by_state, long long b)
{
    (void)b;
    return RpcServerTestCancel(by_state ? RpcAsyncGetCallHandle(served->there.async)
                                        : served->there.handle);
}

RPC_STATUS served_test_cancel(struct served *served)
{
    return (RPC_STATUS)far(test_cancel_there, served, true, 0);
}

RPC_STATUS served_test_cancel_by_handle(struct served *served)
{
    return (RPC_STATUS)far(test_cancel_there, served, false, 0);
}

static long long set_twice_there(struct served *served, long long twice, long long b)
{
    (void)b;
    *served->there.twice = (int32_t)twice;
    return 0;
}

void served_set_twice(struct served *served, int32_t twice)
{
    far(set_twice_there, served, twice, 0);
}

/* ---- What it is told by ----------------------------------------------------------- */

static long long use_event_there(struct served *served, long long flags, long long b)
{
    (void)b;
    if (served->there.event)
        CloseHandle(served->there.event);
    served->there.event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK(served->there.event);
    served->there.async->u.hEvent = served->there.event;
    served->there.async->NotificationType = RpcNotificationTypeEvent;
    served->there.async->Flags = (unsigned)flags;
    return 0;
}

void served_use_event(struct served *served, unsigned flags)
{
    far(use_event_there, served, flags, 0);
}

static long long set_flags_there(struct served *served, long long flags, long long b)
{
    (void)b;
    served->there.async->Flags = (unsigned)flags;
    return 0;
}

void served_set_flags(struct served *served, unsigned flags)
{
    far(set_flags_there, served, flags, 0);
}

static long long wait_there(struct served *served, long long limit_ms, long long b)
{
    (void)b;
    return WaitForSingleObject(served->there.event, (DWORD)limit_ms);
}

DWORD served_wait(struct served *served, DWORD limit_ms)
{
    return (DWORD)far(wait_there, served, limit_ms, 0);
}

static long long event_there(struct served *served, long long a, long long b)
{
    (void)a, (void)b;
    return served->there.async->Event;
}

RPC_ASYNC_EVENT served_event(struct served *served)
{
    return (RPC_ASYNC_EVENT)far(event_there, served, 0, 0);
}

struct expectation {
    const char *file;
    int line;
    struct served *served;
    RPC_ASYNC_EVENT event;
};

static void expect_there(void *arg)
{
    const struct expectation *wanted = arg;
    expect_event_at(wanted->file, wanted->line, wanted->served->there.async,
                    wanted->served->there.event, wanted->event);
}

void served_event_at(const char *file, int line, struct served *served, RPC_ASYNC_EVENT event)
{
    struct expectation wanted = {file, line, served, event};
    far_call(expect_there, &wanted, sizeof(wanted));
}

static void quiet_there(void *arg)
{
    const struct expectation *wanted = arg;
    expect_quiet_at(wanted->file, wanted->line, wanted->served->there.event);
}

void served_quiet_at(const char *file, int line, struct served *served)
{
    struct expectation wanted = {.file = file, .line = line, .served = served};
    far_call(quiet_there, &wanted, sizeof(wanted));
}

/* ---- Its pipes ---------------------------------------------------------------------- */

/* A pipe of the server as the test has it: `state` is the address of its entry in the pool,
 * the functions are ours.  A state that is none goes to the runtime as it is. */

/* The runtime's functions, which are those of its first pipe. */
static BOTH_SIDES NDR_ASYNC_PIPE runtime;

/* What is behind the room of a pull must stay. */
#define GUARD_LEN 64
#define GUARD     0xa5

/* The element's length is that of api.idl: first pipes are of bytes, second ones of longs. */
static NDR_ASYNC_PIPE *pipe_there(char *state, size_t *ret_element_len)
{
    size_t count;
    char *pool = (char *)far_served_pool(&count);
    *ret_element_len = 1;
    if (state < pool || state >= pool + count * sizeof(struct served))
        return NULL;
    struct served *served =
        (struct served *)(void *)(pool + (size_t)(state - pool) / sizeof(struct served) *
                                             sizeof(struct served));
    int which = state == (char *)&served->pipe[1];
    CHECK(state == (char *)&served->pipe[which]);
    if (which)
        *ret_element_len = sizeof(int32_t);
    return &served->there.pipe[which];
}

static char *state_there(char *state)
{
    size_t element_len;
    NDR_ASYNC_PIPE *pipe = pipe_there(state, &element_len);
    return pipe ? pipe->state : state;
}

/* What a push, pull or alloc takes along; octets follow. */
struct moving {
    char *state;
    void *buf;
    unsigned long count, ret_count;
    bool null_buf, null_count;
    size_t element_len;
    RPC_STATUS status;
    _Alignas(16) uint8_t octets[];
};

static size_t moving_len(const struct moving *moving)
{
    CHECK(moving->count <= FAR_OCTETS_MAX / moving->element_len);
    return moving->count * moving->element_len;
}

static void push_there(void *arg)
{
    struct moving *moving = arg;
    moving->status = runtime.push(state_there(moving->state),
                                  moving->null_buf ? NULL : moving->octets, moving->count);
    /* The buffer is the pusher's again: AP-10. */
    if (!moving->null_buf)
        memset(moving->octets, 0xee, moving_len(moving));
}

static void pull_there(void *arg)
{
    struct moving *moving = arg;
    size_t len = moving_len(moving);
    memset(moving->octets + len, GUARD, GUARD_LEN);
    moving->status =
        runtime.pull(state_there(moving->state), moving->null_buf ? NULL : moving->octets,
                     moving->count, moving->null_count ? NULL : &moving->ret_count);
    for (size_t i = 0; i < GUARD_LEN; i++)
        CHECK_EQUAL(moving->octets[len + i], GUARD);
}

static RPC_STATUS far_push(char *state, void *buf, unsigned long count)
{
    if (in_server())
        return runtime.push(state_there(state), buf, count);
    struct far_slot *slot = far_take();
    struct moving *moving = (struct moving *)(void *)far_octets(slot);
    *moving = (struct moving){.state = state, .count = count, .null_buf = !buf};
    pipe_there(state, &moving->element_len);
    if (buf)
        memcpy(moving->octets, buf, moving_len(moving));
    far_run(slot, push_there);
    RPC_STATUS status = moving->status;
    far_give(slot);
    return status;
}

static RPC_STATUS far_pull(char *state, void *buf, unsigned long count, unsigned long *ret_count)
{
    if (in_server())
        return runtime.pull(state_there(state), buf, count, ret_count);
    struct far_slot *slot = far_take();
    struct moving *moving = (struct moving *)(void *)far_octets(slot);
    *moving =
        (struct moving){.state = state, .count = count, .null_buf = !buf, .null_count = !ret_count};
    pipe_there(state, &moving->element_len);
    if (ret_count)
        moving->ret_count = *ret_count;
    if (buf)
        memcpy(moving->octets, buf, moving_len(moving));
    far_run(slot, pull_there);
    if (buf)
        memcpy(buf, moving->octets, moving_len(moving));
    if (ret_count)
        *ret_count = moving->ret_count;
    RPC_STATUS status = moving->status;
    far_give(slot);
    return status;
}

static void alloc_there(void *arg)
{
    struct moving *moving = arg;
    moving->status =
        runtime.alloc(state_there(moving->state), moving->count, &moving->buf, &moving->ret_count);
}

static RPC_STATUS far_alloc(char *state, unsigned long len, void **ret_buf, unsigned long *ret_len)
{
    struct moving moving = {.state = state, .count = len, .buf = *ret_buf, .ret_count = *ret_len};
    far_call(alloc_there, &moving, sizeof(moving));
    *ret_buf = moving.buf;
    *ret_len = moving.ret_count;
    return moving.status;
}

void served_set_pipes(struct served *served)
{
    for (int i = 0; i < 2; i++) {
        served->pipe[i] = served->there.pipe[i];
        if (!in_server() || !served->there.pipe_at[i])
            continue;
        CHECK(served->there.pipe[i].push && served->there.pipe[i].pull);
        if (!runtime.push)
            runtime = served->there.pipe[i];
        served->pipe[i] = (NDR_ASYNC_PIPE){.pull = far_pull,
                                           .push = far_push,
                                           .alloc = far_alloc,
                                           .state = (char *)&served->pipe[i]};
    }
}

struct pattern {
    NDR_ASYNC_PIPE pipe;
    uint64_t position, count;
    size_t chunk;
    RPC_STATUS status;
};

static void pattern_there(void *arg)
{
    struct pattern *p = arg;
    p->status = p->chunk > 0 ? push_pattern(&p->pipe, &p->position, p->count, p->chunk)
                             : pull_pattern(&p->pipe, &p->position, p->count);
}

bool pipe_is_far(const NDR_ASYNC_PIPE *pipe)
{
    size_t element_len;
    return !in_server() && pipe_there(pipe->state, &element_len);
}

RPC_STATUS far_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count, size_t chunk)
{
    struct pattern pattern = {*pipe, *position, count, chunk, RPC_S_OK};
    far_call(pattern_there, &pattern, sizeof(pattern));
    *position = pattern.position;
    return pattern.status;
}

/* ---- Limits and statistics of a pipe of either side --------------------------------- */

struct limits {
    char *state;
    unsigned long high, low;
    RPC_STATUS status;
};

static void set_limits_there(void *arg)
{
    struct limits *limits = arg;
    limits->status = RpcxPipeSetLimits(state_there(limits->state), limits->high, limits->low);
}

RPC_STATUS pipe_set_limits(const NDR_ASYNC_PIPE *pipe, unsigned long high, unsigned long low)
{
    size_t element_len;
    struct limits limits = {pipe->state, high, low, RPC_S_OK};
    if (pipe_there(pipe->state, &element_len))
        far_call(set_limits_there, &limits, sizeof(limits));
    else
        set_limits_there(&limits);
    return limits.status;
}

static void set_default_there(void *arg)
{
    struct limits *limits = arg;
    CHECK_EQUAL(RpcxPipeSetLimits(NULL, limits->high, limits->low), RPC_S_OK);
}

void set_default_limits(unsigned long high, unsigned long low)
{
    struct limits limits = {NULL, high, low, RPC_S_OK};
    far_call(set_default_there, &limits, sizeof(limits));
    set_default_there(&limits);
}

struct statistics {
    char *state;
    RPC_STATUS status;
    RPCX_PIPE_STATS stats;
};

static void inq_stats_there(void *arg)
{
    struct statistics *s = arg;
    s->status = RpcxPipeInqStats(state_there(s->state), &s->stats, sizeof(s->stats));
}

RPC_STATUS pipe_inq_stats(const NDR_ASYNC_PIPE *pipe, RPCX_PIPE_STATS *stats)
{
    size_t element_len;
    struct statistics s = {pipe->state, RPC_S_OK, *stats};
    if (pipe_there(pipe->state, &element_len))
        far_call(inq_stats_there, &s, sizeof(s));
    else
        inq_stats_there(&s);
    *stats = s.stats;
    return s.status;
}
