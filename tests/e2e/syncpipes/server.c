/* SPDX-License-Identifier: MIT */
/* server.c - serves syncpipes.idl on the endpoints named by its arguments
 * (PROTSEQ:ENDPOINT) until its standard input ends. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../endpoint.h"
#include "syncpipes.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

#define ROOM 1000

static uint64_t sum_of(const LONGS *numbers)
{
    int32_t buf[ROOM];
    unsigned long n;
    uint64_t sum = 0;
    do {
        numbers->pull(numbers->state, buf, ROOM, &n);
        for (unsigned long i = 0; i < n; i++)
            sum += (uint64_t)buf[i];
    } while (n > 0);
    return sum;
}

static void produce(const LONGS *numbers, uint32_t n)
{
    int32_t buf[ROOM];
    for (uint32_t done = 0; done < n;) {
        uint32_t part = n - done < ROOM ? n - done : ROOM;
        for (uint32_t i = 0; i < part; i++)
            buf[i] = (int32_t)(done + i);
        numbers->push(numbers->state, buf, part);
        done += part;
    }
    numbers->push(numbers->state, NULL, 0);
}

uint64_t ByValue(handle_t h, LONGS numbers)
{
    (void)h;
    return sum_of(&numbers);
}

uint64_t ByPointer(handle_t h, LONGS *numbers)
{
    (void)h;
    return sum_of(numbers);
}

void Produce(handle_t h, uint32_t n, LONGS *numbers)
{
    (void)h;
    produce(numbers, n);
}

/* Everything is pulled before anything is pushed. */
static void double_all(LONGS *numbers)
{
    int32_t *volatile all = NULL;
    volatile size_t count = 0;
    RpcTryFinally {
        unsigned long n;
        do {
            all = realloc(all, (count + ROOM) * sizeof(*all));
            numbers->pull(numbers->state, all + count, ROOM, &n);
            count += n;
        } while (n > 0);
        for (size_t i = 0; i < count; i++)
            all[i] *= 2;
        if (count > 0)
            numbers->push(numbers->state, all, count);
        numbers->push(numbers->state, all, 0);
    }
    RpcFinally {
        free(all);
    }
    RpcEndFinally
}

void Double(handle_t h, LONGS *numbers)
{
    (void)h;
    double_all(numbers);
}

uint64_t Blocks(handle_t h, BLOCKS *blocks)
{
    static BLOCK block;
    unsigned long n;
    uint64_t sum = 0, count = 0;
    (void)h;
    for (;;) {
        blocks->pull(blocks->state, &block, 1, &n);
        if (n == 0)
            break;
        for (size_t i = 0; i < sizeof(block.octets); i++)
            sum += block.octets[i];
        count++;
    }
    memset(&block, 7, sizeof(block));
    for (uint64_t i = 0; i < count; i++)
        blocks->push(blocks->state, &block, 1);
    blocks->push(blocks->state, NULL, 0);
    return sum;
}

static uint32_t count_octets(const BYTES *bytes)
{
    byte buf[ROOM];
    unsigned long n;
    uint32_t count = 0;
    do {
        bytes->pull(bytes->state, buf, ROOM, &n);
        count += (uint32_t)n;
    } while (n > 0);
    return count;
}

static void push_octets(const BYTES *bytes, uint32_t count, byte value)
{
    byte buf[ROOM];
    memset(buf, value, sizeof(buf));
    for (; count > 0; count -= count < ROOM ? count : ROOM)
        bytes->push(bytes->state, buf, count < ROOM ? count : ROOM);
    bytes->push(bytes->state, NULL, 0);
}

void Several(handle_t h, BYTES a, LONGS *b, LONGS *c, BYTES *d, BYTES *e, uint32_t *received)
{
    (void)h;
    *received = count_octets(&a);
    *received += (uint32_t)sum_of(c) * 1000;
    uint32_t back = count_octets(d);
    produce(b, 5);
    push_octets(d, back, 0xdd);
    push_octets(e, 3000, 0xee);
}

SESSION Mixed(handle_t h, uint32_t n, int32_t *values, const unsigned char *name, LONGS numbers,
              int32_t *perhaps, unsigned char **echo, int64_t *sum)
{
    (void)h;
    *sum = (int64_t)sum_of(&numbers);
    for (uint32_t i = 0; i < n; i++)
        *sum += values[i];
    if (perhaps)
        *perhaps += 1;
    *echo = NULL;
    if (name) {
        size_t len = strlen((const char *)name) + 1;
        *echo = MIDL_user_allocate(len);
        memcpy(*echo, name, len);
    }
    return malloc(1);
}

void FromSession(SESSION session, uint32_t n, LONGS *numbers)
{
    if (!session)
        RpcRaiseException(RPC_X_SS_IN_NULL_CONTEXT);
    produce(numbers, n);
}

void End(SESSION *session)
{
    free(*session);
    *session = NULL;
}

void SESSION_rundown(SESSION session)
{
    free(session);
}

/* ---- Conduct ---------------------------------------------------------------------- */

static atomic_int last_raised;

static void misbehave(CONDUCT conduct, LONGS *numbers)
{
    int32_t buf[ROOM] = {0};
    unsigned long n;
    int32_t *none;
    if (conduct == NOT_DRAINED || conduct == RAISE_AT_ONCE) {
        if (conduct == RAISE_AT_ONCE)
            RpcRaiseException(4711);
        return;
    }
    if (conduct == PUSH_TOO_EARLY)
        numbers->push(numbers->state, buf, 1);
    if (conduct == PULL_NOTHING)
        numbers->pull(numbers->state, buf, 0, &n);
    if (conduct == CALL_ALLOC)
        numbers->alloc(numbers->state, 100, &none, &n);
    if (conduct == RAISE_IN_PULL) {
        numbers->pull(numbers->state, buf, 1, &n);
        RpcRaiseException(4712);
    }
    sum_of(numbers);
    if (conduct == PULL_AFTER_END)
        numbers->pull(numbers->state, buf, ROOM, &n);
    numbers->push(numbers->state, buf, ROOM);
    if (conduct == RAISE_IN_PUSH)
        RpcRaiseException(4713);
    if (conduct == NOT_ENDED)
        return;
    numbers->push(numbers->state, NULL, 0);
    if (conduct == PUSH_AFTER_END)
        numbers->push(numbers->state, buf, 1);
}

void Behave(handle_t h, CONDUCT conduct, LONGS *numbers)
{
    volatile RPC_STATUS status = RPC_S_OK;
    (void)h;
    last_raised = 0;
    RpcTryExcept {
        if (conduct == CATCH_AND_GO_ON)
            misbehave(PUSH_TOO_EARLY, numbers);
        else
            misbehave(conduct, numbers);
    }
    RpcExcept(1) {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    last_raised = (int)status;
    if (conduct == CATCH_AND_GO_ON)
        double_all(numbers);
    else if (status != RPC_S_OK)
        RpcRaiseException(status);
}

error_status_t LastRaised(handle_t h)
{
    (void)h;
    return (error_status_t)last_raised;
}

/* ---- Main --------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    RPC_STATUS status = RPC_S_OK;
    char octet;
    for (int i = 1; i < argc && status == RPC_S_OK; i++)
        status = use_endpoint(argv[i]);
    if (status == RPC_S_OK)
        status = RpcServerRegisterIf(syncpipes_v1_0_s_ifspec, NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK) {
        fprintf(stderr, "starting: %d\n", (int)status);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &octet, 1) > 0)
        continue;
    RpcMgmtStopServerListening(NULL);
    return RpcMgmtWaitServerListen() != RPC_S_OK;
}
