/* SPDX-License-Identifier: MIT */
/* client_async.c - cases of the handle tests: what may carry an asynchronous call. */
#include "client.h"

#include <string.h>
#include <unistd.h>

static void begin(PRPC_ASYNC_STATE async)
{
    CHECK(RpcAsyncInitializeHandle(async, sizeof(*async)) == RPC_S_OK);
    async->NotificationType = RpcNotificationTypeNone;
}

static RPC_STATUS finish(PRPC_ASYNC_STATE async, void *reply)
{
    RPC_STATUS status;
    for (int i = 0; i < 2000; i++) {
        status = RpcAsyncCompleteCall(async, reply);
        if (status != RPC_S_ASYNC_CALL_PENDING)
            return status;
        usleep(5000);
    }
    return status;
}

/* Bound before the call, unbound once, when it is complete: not before, not later. */
void async_generic(void)
{
    unsigned char here[] = "here", nowhere[] = "nowhere";
    PLACE place = here, bad = nowhere;
    RPC_ASYNC_STATE async;
    int32_t reply = 0;
    begin(&async);
    AsyncGeneric(&async, here, 6);
    usleep(50000);
    CHECK(bound == 1 && unbound == 0);
    CHECK(finish(&async, &reply) == RPC_S_OK && reply == 10);
    CHECK(bound == 1 && unbound == 1);
    CHECK(RpcAsyncCompleteCall(&async, &reply) != RPC_S_OK && unbound == 1);
    begin(&async);
    AsyncGenericPointer(&async, &place, 1);
    CHECK(finish(&async, &reply) == RPC_S_OK && reply == 5);
    CHECK(bound == 2 && unbound == 2);
    begin(&async);
    AsyncGeneric(&async, here, -4729);
    CHECK(finish(&async, &reply) == 4729);
    CHECK(bound == 3 && unbound == 3);
    /* Not accepted: no call to complete. */
    begin(&async);
    CHECK(RAISED(AsyncGeneric(&async, nowhere, 1)) == RPC_S_INVALID_BINDING);
    CHECK(RAISED(AsyncGenericPointer(&async, &bad, 1)) == RPC_S_INVALID_BINDING);
    CHECK(RAISED(AsyncGenericPointer(&async, NULL, 1)) == RPC_S_INVALID_BINDING);
    CHECK(bound == 3 && unbound == 3);
    async.Size = 0;
    CHECK(RAISED(AsyncGeneric(&async, here, 1)) == RPC_S_INVALID_ASYNC_HANDLE);
    CHECK(bound == 4 && unbound == 4);
    begin(&async);
    AsyncGeneric(&async, here, 1);
    CHECK(RpcAsyncCancelCall(&async, TRUE) == RPC_S_OK);
    finish(&async, &reply); /* cancelled, or the answer was there already */
    CHECK(bound == 5 && unbound == 5);
    the_place = place;
    begin(&async);
    AsyncPlace(&async, 5);
    CHECK(finish(&async, &reply) == RPC_S_OK && reply == 7);
    CHECK(bound == 6 && unbound == 6);
}

/* A push that tells of the failure ends the call. */
void async_generic_pipe(void)
{
    unsigned char here[] = "here";
    RPC_ASYNC_STATE async;
    ASYNC_HANDLES_NUMBERS in;
    int32_t numbers[100] = {0};
    RPC_STATUS status = RPC_S_OK;
    begin(&async);
    AsyncRefuse(&async, here, &in);
    CHECK(bound == 1);
    for (int i = 0; i < 2000 && status == RPC_S_OK; i++) {
        status = in.push(in.state, numbers, 100);
        usleep(1000);
    }
    CHECK(status == 4730);
    CHECK(unbound == 1);
    CHECK(RpcAsyncCompleteCall(&async, NULL) == 4730);
    CHECK(bound == 1 && unbound == 1);
}

void async_implicit(void)
{
    RPC_ASYNC_STATE async;
    int32_t reply = 0;
    begin(&async);
    CHECK(RAISED(AsyncImplicit(&async, 1)) == RPC_S_INVALID_BINDING);
    the_async_server = server;
    begin(&async);
    AsyncImplicit(&async, 41);
    CHECK(finish(&async, &reply) == RPC_S_OK && reply == 42);
    the_async_server = NULL;
}

void async_context_pipes(void)
{
    RPC_ASYNC_STATE async;
    ASYNC_HANDLES_NUMBERS in, out;
    SESSION session;
    int32_t numbers[3] = {1, 2, 3}, back[8], reply = 0;
    unsigned long count, total = 0;
    RPC_STATUS status;
    Open(server, 100, &session);
    begin(&async);
    AsyncNumbers(&async, session, &in, &out);
    CHECK(in.push(in.state, numbers, 3) == RPC_S_OK);
    CHECK(in.push(in.state, NULL, 0) == RPC_S_OK);
    for (int i = 0; i < 2000; i++) {
        status = out.pull(out.state, back + total, 8 - total, &count);
        if (status == RPC_S_OK && count == 0)
            break;
        if (status == RPC_S_OK)
            total += count;
        else
            usleep(2000);
    }
    CHECK(status == RPC_S_OK && total == 3);
    CHECK(back[0] == 101 && back[1] == 102 && back[2] == 103);
    CHECK(finish(&async, &reply) == RPC_S_OK && reply == 3);
    CHECK(Add(session, 1) == 101); /* it is free again */
    Close(&session);
    begin(&async);
    CHECK(RAISED(AsyncNumbers(&async, NULL, &in, &out)) == RPC_X_SS_IN_NULL_CONTEXT);
}
