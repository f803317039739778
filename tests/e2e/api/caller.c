/* SPDX-License-Identifier: MIT */
/* caller.c - the client's side of a call, and pipes of either side. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* ---- Client ----------------------------------------------------------------- */

void caller_init(struct caller *caller, unsigned flags)
{
    memset(caller, 0, sizeof(*caller));
    CHECK_EQUAL(RpcAsyncInitializeHandle(&caller->async, sizeof(caller->async)), RPC_S_OK);
    caller->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK(caller->event);
    caller->async.u.hEvent = caller->event;
    caller->async.NotificationType = RpcNotificationTypeEvent;
    caller->async.Flags = flags;
    caller->twice = 1111;
}

void caller_fini(struct caller *caller)
{
    if (caller->event)
        CloseHandle(caller->event);
    caller->event = NULL;
}

RPC_STATUS caller_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                       int32_t n)
{
    RPC_STATUS status = RPC_S_OK;
    PRPC_ASYNC_STATE async = &caller->async;
    ASYNC_byte_pipe *data = (ASYNC_byte_pipe *)&caller->pipe[0];
    ASYNC_long_pipe *second = (ASYNC_long_pipe *)&caller->pipe[1];
    memset(caller->pipe, 0xcd, sizeof(caller->pipe)); /* AP-2: uninitialised */
    switch (operation) {
    case PLAIN:
        RAISED(status, c_plain(async, h, n, &caller->twice));
        break;
    case NOTHING:
        RAISED(status, c_nothing(async, h));
        break;
    case IN_PIPE:
        RAISED(status, c_in_pipe(async, h, n, data, &caller->twice));
        break;
    case OUT_PIPE:
        RAISED(status, c_out_pipe(async, h, n, data, &caller->twice));
        break;
    case BOTH_PIPE:
        RAISED(status, c_both_pipe(async, h, n, data, &caller->twice));
        break;
    case TWO_IN:
        RAISED(status, c_two_in(async, h, data, second));
        break;
    case TWO_OUT:
        RAISED(status, c_two_out(async, h, data, second));
        break;
    case IN_THEN_OUT:
        RAISED(status, c_in_then_out(async, h, data, second));
        break;
    }
    return status;
}

struct served *start_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                          unsigned flags)
{
    caller_init(caller, flags);
    CHECK_EQUAL(caller_call(caller, h, operation, 21), RPC_S_OK);
    return accept_call();
}

static const char *event_name(RPC_ASYNC_EVENT event)
{
    static const char *const names[] = {"RpcCallComplete", "RpcSendComplete", "RpcReceiveComplete",
                                        "RpcClientDisconnect", "RpcClientCancel"};
    return names[event];
}

void expect_event_at(const char *file, int line, PRPC_ASYNC_STATE async, HANDLE handle,
                     RPC_ASYNC_EVENT event)
{
    if (WaitForSingleObject(handle, AT_ONCE_MS) != WAIT_OBJECT_0)
        failed(file, line, "no %s", event_name(event));
    if (async->Event != event)
        failed(file, line, "%s, not %s", event_name(async->Event), event_name(event));
}

void expect_quiet_at(const char *file, int line, HANDLE handle)
{
    if (WaitForSingleObject(handle, NEVER_MS) != WAIT_TIMEOUT)
        failed(file, line, "a notification too many");
}

void caller_quiet_at(const char *file, int line, struct caller *caller)
{
    expect_quiet_at(file, line, caller->event);
}

RPC_STATUS complete(struct caller *caller, int32_t *ret_reply)
{
    int32_t reply = 0;
    RPC_STATUS status = RpcAsyncCompleteCall(&caller->async, &reply);
    if (ret_reply)
        *ret_reply = reply;
    return status;
}

/* ---- Pipes ------------------------------------------------------------------ */

uint8_t octet(uint64_t i)
{
    return (uint8_t)(i * 7 + i / 251 + (i >> 16));
}

RPC_STATUS push_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count, size_t chunk)
{
    if (pipe_is_far(pipe))
        return far_pattern(pipe, position, count, chunk);
    uint8_t *buf = malloc(chunk);
    CHECK(buf);
    RPC_STATUS status = RPC_S_OK;
    while (count > 0 && status == RPC_S_OK) {
        size_t n = count < chunk ? (size_t)count : chunk;
        for (size_t i = 0; i < n; i++)
            buf[i] = octet(*position + i);
        status = PUSH(pipe, buf, n);
        if (status == RPC_S_OK)
            *position += n;
        count -= n;
    }
    free(buf);
    return status;
}

RPC_STATUS pull_polled(NDR_ASYNC_PIPE *pipe, void *buf, unsigned long size, unsigned long *count)
{
    uint64_t until = now_ms() + SOON_MS;
    RPC_STATUS status;
    while ((status = PULL(pipe, buf, size, count)) == RPC_S_ASYNC_CALL_PENDING) {
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "a pull stays pending");
        sleep_ms(1);
    }
    return status;
}

RPC_STATUS pull_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count)
{
    if (pipe_is_far(pipe))
        return far_pattern(pipe, position, count, 0);
    static _Thread_local uint8_t buf[65536];
    while (count > 0) {
        unsigned long n = 0, wanted = count < sizeof(buf) ? (unsigned long)count : sizeof(buf);
        RPC_STATUS status = pull_polled(pipe, buf, wanted, &n);
        if (status != RPC_S_OK)
            return status;
        if (n == 0)
            failed(__FILE__, __LINE__, "the pipe ends %llu octets early",
                   (unsigned long long)count);
        for (unsigned long i = 0; i < n; i++)
            if (buf[i] != octet(*position + i))
                failed(__FILE__, __LINE__, "wrong octet at %llu",
                       (unsigned long long)(*position + i));
        *position += n;
        count -= n;
    }
    return RPC_S_OK;
}

void pull_end_at(const char *file, int line, NDR_ASYNC_PIPE *pipe)
{
    uint8_t buf[16];
    unsigned long n = 77;
    RPC_STATUS status = pull_polled(pipe, buf, 1, &n);
    check_equal(file, line, "the status at the end of the pipe", status, RPC_S_OK);
    check_equal(file, line, "the count at the end of the pipe", (long long)n, 0);
}

void check_usable_at(const char *file, int line, RPC_BINDING_HANDLE h)
{
    struct caller caller;
    struct served *served = start_call(&caller, h, BOTH_PIPE, 0);
    uint64_t sent = 0, got = 0, back = 0, home = 0;
    int32_t reply = 8, result = 0;
    RPC_STATUS status = push_pattern(&caller.pipe[0], &sent, 20000, 7000);
    check_equal(file, line, "usable: push", status, RPC_S_OK);
    check_equal(file, line, "usable: end", PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    check_equal(file, line, "usable: pull", pull_pattern(&served->pipe[0], &got, 20000), RPC_S_OK);
    pull_end_at(file, line, &served->pipe[0]);
    status = push_pattern(&served->pipe[0], &back, 20000, 6000);
    check_equal(file, line, "usable: push back", status, RPC_S_OK);
    check_equal(file, line, "usable: end back", PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    served_set_twice(served, 42);
    check_equal(file, line, "usable: complete", served_complete(served, &reply), RPC_S_OK);
    check_equal(file, line, "usable: pull back", pull_pattern(&caller.pipe[0], &home, 20000),
                RPC_S_OK);
    pull_end_at(file, line, &caller.pipe[0]);
    /* A pull that was pending, and polled, may have been told as well. */
    while (WaitForSingleObject(caller.event, AT_ONCE_MS) == WAIT_OBJECT_0 &&
           caller.async.Event == RpcReceiveComplete)
        RpcAsyncGetCallStatus(&caller.async); /* the next may be told (AR-28) */
    check_equal(file, line, "usable: RpcCallComplete", caller.async.Event, RpcCallComplete);
    check_equal(file, line, "usable: over", RpcAsyncGetCallStatus(&caller.async), RPC_S_OK);
    check_equal(file, line, "usable: result", complete(&caller, &result), RPC_S_OK);
    check_equal(file, line, "usable: reply", result, 8);
    check_equal(file, line, "usable: out", caller.twice, 42);
    served_free(served);
    caller_fini(&caller);
}
