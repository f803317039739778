/* SPDX-License-Identifier: MIT */
/* server_async.c - managers of asynchronous calls that all sorts of handles carry. */
#include "server.h"

#include <string.h>
#include <unistd.h>

static void answer(PRPC_ASYNC_STATE async, int32_t result)
{
    if (RpcAsyncCompleteCall(async, &result) != RPC_S_OK)
        wrong++;
}

void AsyncGeneric(PRPC_ASYNC_STATE async, PLACE place, int32_t n)
{
    if (n < 0)
        RpcRaiseException(-n);
    answer(async, (int32_t)strlen((char *)place) + n);
}

void AsyncGenericPointer(PRPC_ASYNC_STATE async, PLACE *place, int32_t n)
{
    AsyncGeneric(async, *place, n);
}

void AsyncNumbers(PRPC_ASYNC_STATE async, SESSION session, ASYNC_HANDLES_NUMBERS *in,
                  ASYNC_HANDLES_NUMBERS *out)
{
    static int32_t numbers[4096]; /* one call at a time: the session is the call's alone */
    unsigned long count, total = 0;
    RPC_STATUS status;
    do {
        status = in->pull(in->state, numbers + total, 4096 - total, &count);
        if (status == RPC_S_OK)
            total += count;
        else
            usleep(1000);
    } while (status == RPC_S_ASYNC_CALL_PENDING || (status == RPC_S_OK && count > 0));
    for (unsigned long i = 0; i < total; i++)
        numbers[i] += check(session)->total;
    if (status == RPC_S_OK && total > 0)
        status = out->push(out->state, numbers, total);
    if (status == RPC_S_OK)
        status = out->push(out->state, NULL, 0);
    if (status == RPC_S_OK)
        answer(async, (int32_t)total);
}

void AsyncRefuse(PRPC_ASYNC_STATE async, PLACE place, ASYNC_HANDLES_NUMBERS *in)
{
    (void)place;
    (void)in;
    RpcAsyncAbortCall(async, 4730);
}

void AsyncImplicit(PRPC_ASYNC_STATE async, int32_t n)
{
    answer(async, n + 1);
}

void AsyncPlace(PRPC_ASYNC_STATE async, int32_t n)
{
    answer(async, n + 2);
}
