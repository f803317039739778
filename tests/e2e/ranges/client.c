/* SPDX-License-Identifier: MIT */
/* client.c - pushes numbers, pulls what comes back, prints how it went:
 *
 *     ranges_client BINDING chunks|few|sync|points "1 2 3" "4 5" ...      one push each
 *
 * A line "STATUS where: numbers". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"
#include "rpc.h"
#include "win32.h"

#define NUMBERS_MAX 1000

static int32_t got[NUMBERS_MAX];
static unsigned long got_count;
static char **pushes; /* up to NULL */

static unsigned long parse(const char *text, int32_t *ret_numbers)
{
    unsigned long n = 0;
    for (char *end; n < NUMBERS_MAX; text = end) {
        long number = strtol(text, &end, 10);
        if (end == text)
            break;
        ret_numbers[n++] = (int32_t)number;
    }
    return n;
}

static int report(RPC_STATUS status, const char *where)
{
    printf("%d %s:", (int)status, where);
    for (unsigned long i = 0; i < got_count; i++)
        printf(" %d", (int)got[i]);
    printf("\n");
    return 0;
}

/* ---- Asynchronous ---- */

static int exchange(PRPC_ASYNC_STATE async, NDR_ASYNC_PIPE *data)
{
    int32_t numbers[NUMBERS_MAX];
    RPC_STATUS status = RPC_S_OK;
    unsigned long n;
    for (; *pushes && status == RPC_S_OK; pushes++)
        status = data->push(data->state, numbers, parse(*pushes, numbers));
    if (status == RPC_S_INVALID_ARG) { /* nothing was sent, the call goes on */
        RpcAsyncCancelCall(async, TRUE);
        RpcAsyncCompleteCall(async, NULL);
        return report(status, "push");
    }
    if (status == RPC_S_OK)
        status = data->push(data->state, NULL, 0);
    if (status != RPC_S_OK)
        return report(status, "push");
    do {
        status = data->pull(data->state, got + got_count, 3, &n);
        got_count += n;
        if (status == RPC_S_ASYNC_CALL_PENDING)
            Sleep(2);
    } while (status == RPC_S_ASYNC_CALL_PENDING ||
             (status == RPC_S_OK && n > 0 && got_count + 3 <= NUMBERS_MAX));
    if (status != RPC_S_OK)
        return report(status, "pull");
    while ((status = RpcAsyncCompleteCall(async, NULL)) == RPC_S_ASYNC_CALL_PENDING)
        Sleep(2);
    return report(status, "complete");
}

static int run_async(handle_t h, int chunks)
{
    RPC_ASYNC_STATE async;
    NDR_ASYNC_PIPE data;
    RpcAsyncInitializeHandle(&async, sizeof(async));
    RpcTryExcept
    {
        if (chunks)
            Chunks(&async, h, (ASYNC_LONG_PIPE *)(void *)&data);
        else
            Few(&async, h, (ASYNC_FEW_PIPE *)(void *)&data);
    }
    RpcExcept(1)
    {
        return report((RPC_STATUS)RpcExceptionCode(), "call");
    }
    RpcEndExcept
    return exchange(&async, &data);
}

/* ---- Synchronous ---- */

static int32_t numbers[NUMBERS_MAX];
static POINT points[NUMBERS_MAX];

static void alloc_few(char *state, unsigned long bsize, FEW **buf, unsigned long *bcount)
{
    (void)state;
    *buf = numbers;
    *bcount = bsize < sizeof(numbers) ? bsize : sizeof(numbers);
}

static void pull_few(char *state, FEW *buf, unsigned long esize, unsigned long *ecount)
{
    (void)state;
    (void)esize;
    *ecount = *pushes ? parse(*pushes++, buf) : 0;
}

static void push_few(char *state, FEW *buf, unsigned long ecount)
{
    (void)state;
    memcpy(got + got_count, buf, ecount * sizeof(*buf));
    got_count += ecount;
}

static void alloc_points(char *state, unsigned long bsize, POINT **buf, unsigned long *bcount)
{
    (void)state;
    *buf = points;
    *bcount = bsize < sizeof(points) ? bsize : sizeof(points);
}

static void pull_points(char *state, POINT *buf, unsigned long esize, unsigned long *ecount)
{
    (void)state;
    (void)esize;
    *ecount = *pushes ? parse(*pushes++, numbers) : 0;
    for (unsigned long i = 0; i < *ecount; i++)
        buf[i] = (POINT){.b = 1, .n = numbers[i]};
}

static void push_points(char *state, POINT *buf, unsigned long ecount)
{
    (void)state;
    for (unsigned long i = 0; i < ecount; i++)
        got[got_count++] = buf[i].n;
}

static int run_sync(handle_t h, int of_points)
{
    FEW_PIPE few = {.pull = pull_few, .push = push_few, .alloc = alloc_few};
    POINT_PIPE pairs = {.pull = pull_points, .push = push_points, .alloc = alloc_points};
    RpcTryExcept
    {
        if (of_points)
            SyncPoints(h, &pairs);
        else
            SyncFew(h, &few);
    }
    RpcExcept(1)
    {
        return report((RPC_STATUS)RpcExceptionCode(), "call");
    }
    RpcEndExcept
    return report(RPC_S_OK, "complete");
}

int main(int argc, char **argv)
{
    handle_t h;
    if (argc < 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &h) != RPC_S_OK)
        return 2;
    const char *what = argv[2];
    pushes = argv + 3;
    int result = strcmp(what, "chunks") == 0   ? run_async(h, 1)
                 : strcmp(what, "few") == 0    ? run_async(h, 0)
                 : strcmp(what, "points") == 0 ? run_sync(h, 1)
                                               : run_sync(h, 0);
    RpcBindingFree(&h);
    return result;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
