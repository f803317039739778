/* SPDX-License-Identifier: MIT */
/* server_calls.c - managers of rt_explicit, rt_async and rt_failure.
 *
 * Asynchronous managers complete on their own thread, or on another one when `seed` or
 * the like is odd: then the parameters must live until then. */
#include "server.h"

#include <stdlib.h>
#include <string.h>

#include "../detached.h"
#include "values.h"

#define SERVER_FILE WRONG_CALLS

/* ---- rt_explicit --------------------------------------------------------------------------- */

void RtNothing(handle_t h)
{
    VERIFY(h);
}

void RtNothingEither(handle_t h)
{
    VERIFY(h);
}

int32_t RtPlus(handle_t h, int32_t a, int32_t b)
{
    VERIFY(h);
    return a + b;
}

int32_t RtMine(handle_t h, int32_t a)
{
    VERIFY(h);
    return -a;
}

/* ---- rt_async -------------------------------------------------------------------------------- */

/* What a manager leaves for another thread to do. */
struct later {
    void (*work)(const struct later *later);
    PRPC_ASYNC_STATE async;
    uint32_t n;
    RECORD *in, *out, *both;
    byte *octets;
};

static void *run_later(void *arg)
{
    struct later *later = arg;
    later->work(later);
    free(later);
    return NULL;
}

/* Runs the work here or there.  Failures of work done there end the call. */
static void run(bool elsewhere, const struct later *work)
{
    if (!elsewhere) {
        work->work(work);
        return;
    }
    struct later *later = malloc(sizeof(*later));
    VERIFY(later);
    *later = *work;
    if (!start_detached(run_later, later)) {
        free(later);
        VERIFY(false);
    }
}

void RtAsyncEmpty(PRPC_ASYNC_STATE async, handle_t h)
{
    (void)h;
    RpcAsyncCompleteCall(async, NULL);
}

void RtAsyncScalars(PRPC_ASYNC_STATE async, handle_t h, byte a, int64_t b, double *c, RT_COLOUR *d)
{
    (void)h;
    int64_t result = b + a;
    *c = -*c;
    *d = RT_BLUE;
    RpcAsyncCompleteCall(async, &result);
}

/* Runs a piece of work that may raise; the status it raised. */
#define RAISED_BY(status, ...)                                                                     \
    do {                                                                                           \
        RpcTryExcept                                                                               \
        {                                                                                          \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            (status) = (RPC_STATUS)RpcExceptionCode();                                             \
        }                                                                                          \
        RpcEndExcept                                                                               \
    } while (0)

static void async_record(const struct later *later)
{
    volatile RPC_STATUS status = RPC_S_OK;
    int32_t result = (int32_t)~later->n;
    RAISED_BY(status, RtRecord(NULL, later->n, later->in, later->out, later->both));
    if (status != RPC_S_OK)
        RpcAsyncAbortCall(later->async, (unsigned long)status);
    else
        RpcAsyncCompleteCall(later->async, &result);
}

void RtAsyncRecord(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, RECORD *in, RECORD *out,
                   RECORD *both)
{
    (void)h;
    run(seed % 2 == 1, &(struct later){.work = async_record, .async = async, .n = seed,
                                       .in = in, .out = out, .both = both});
}

static void async_result(const struct later *later)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RECORD *volatile result = NULL;
    RAISED_BY(status, result = RtRecordResult(NULL, later->n, later->n == 0));
    RECORD *reply = result;
    if (status != RPC_S_OK)
        RpcAsyncAbortCall(later->async, (unsigned long)status);
    else
        RpcAsyncCompleteCall(later->async, &reply);
}

void RtAsyncResult(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed)
{
    (void)h;
    run(seed % 2 == 1, &(struct later){.work = async_result, .async = async, .n = seed});
}

void RtAsyncStruct(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed)
{
    (void)h;
    NESTED result = sample_Nested(seed);
    RpcAsyncCompleteCall(async, &result);
}

static void async_bytes(const struct later *later)
{
    bool right = true;
    for (uint32_t i = 0; i < later->n; i++) {
        right = right && later->octets[i] == octet(i);
        later->octets[i] ^= 0xff;
    }
    if (right)
        RpcAsyncCompleteCall(later->async, NULL);
    else
        RpcAsyncAbortCall(later->async, WRONG(SERVER_FILE, __LINE__));
}

void RtAsyncBytes(PRPC_ASYNC_STATE async, handle_t h, uint32_t n, byte *v)
{
    (void)h;
    run(n % 2 == 1, &(struct later){.work = async_bytes, .async = async, .n = n, .octets = v});
}

/* Raises, or aborts from elsewhere, with everything in memory. */
static void async_raise(const struct later *later)
{
    RpcAsyncAbortCall(later->async, later->n);
}

void RtAsyncRaise(PRPC_ASYNC_STATE async, handle_t h, uint32_t seed, RECORD *in, RECORD *out,
                  uint32_t code)
{
    (void)h;
    VERIFY(record_equal(in, seed, false));
    record_fill(out, seed + 1);
    if (seed % 2 == 0)
        RpcRaiseException((RPC_STATUS)code);
    run(true, &(struct later){.work = async_raise, .async = async, .n = code});
}

int32_t RtNotAsync(handle_t h, int32_t n)
{
    (void)h;
    return 2 * n;
}

/* ---- rt_failure ------------------------------------------------------------------------------ */

void RtRaise(handle_t h, uint32_t code)
{
    (void)h;
    RpcRaiseException((RPC_STATUS)code);
}

void RtRaiseLate(handle_t h, uint32_t code, RECORD *in, RECORD *out)
{
    (void)h;
    VERIFY(record_equal(in, code, false));
    record_fill(out, code + 1);
    RpcRaiseException((RPC_STATUS)code);
}

error_status_t RtReturn(handle_t h, error_status_t code, error_status_t *copy)
{
    (void)h;
    *copy = code;
    return code;
}

void RtReply(handle_t h, uint32_t what, RT_REPLY *reply)
{
    (void)h;
    reply->colour = what == RT_BAD_ENUM ? (RT_COLOUR)32768 : RT_GREEN;
    if (what != RT_BAD_REF) {
        reply->n = sample_allocate(sizeof(*reply->n));
        *reply->n = 17;
    }
    memcpy(reply->text, what == RT_BAD_STRING ? "abcd" : "abc", 4);
    reply->size = what == RT_BAD_SIZE ? -1 : 2;
    reply->data = sample_allocate(2);
    reply->pointer = what == RT_BAD_POINTER ? (intptr_t)INT32_MAX + 1 : INT32_MIN;
}

boolean RtFailAllocation(handle_t h, int32_t nth)
{
    (void)h;
    boolean failed = memory_has_failed();
    memory_fail_at(nth);
    return failed;
}

int64_t RtLive(handle_t h)
{
    (void)h;
    return memory_live();
}

void RtLimits(handle_t h, int64_t allocated, uint32_t depth)
{
    (void)h;
    RpcxServerSetLimits((size_t)allocated, depth);
}
