/* SPDX-License-Identifier: MIT */
/* server.c - the server process, and its synchronous managers. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

struct board *server_board;

#define ROOM 8000u

void s_Echo(handle_t h, uint32_t n, const byte *octets, byte *back)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        back[i] = (byte)~octets[i];
}

int64_t s_Ask(handle_t h, int32_t depth, int32_t n)
{
    int64_t sum = 0;
    (void)h;
    for (int32_t i = 0; i < n; i++)
        sum += s_Answer(depth, i);
    return sum;
}

/* ---- Context handles ------------------------------------------------------- */

SESSION s_Open(handle_t h)
{
    (void)h;
    int64_t *sum = calloc(1, sizeof(*sum));
    if (!sum)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    atomic_fetch_add(&server_board->sessions, 1);
    return sum;
}

int64_t s_Add(SESSION session, int32_t n)
{
    int64_t *sum = session;
    return *sum += n;
}

static void end_session(SESSION session)
{
    free(session);
    atomic_fetch_sub(&server_board->sessions, 1);
}

void s_Close(SESSION *session)
{
    end_session(*session);
    *session = NULL;
}

void __RPC_USER SESSION_rundown(SESSION session)
{
    end_session(session);
}

/* ---- Synchronous pipes ----------------------------------------------------- */

/* Calls raise when the client is gone: nothing is held meanwhile. */
static uint64_t take(uint32_t seed, const BYTES *data)
{
    byte buf[ROOM];
    unsigned long n;
    uint64_t got = 0;
    do {
        data->pull(data->state, buf, ROOM, &n);
        check("SyncTake", seed, got, buf, n);
        got += n;
    } while (n > 0);
    atomic_fetch_add(&server_board->octets, got);
    return got;
}

static void give(uint32_t seed, uint64_t count, const BYTES *data)
{
    byte buf[ROOM];
    for (uint64_t done = 0; done < count;) {
        unsigned long part = count - done < ROOM ? (unsigned long)(count - done) : ROOM;
        fill(seed, done, buf, part);
        data->push(data->state, buf, part);
        done += part;
    }
    data->push(data->state, NULL, 0);
}

uint64_t s_SyncTake(handle_t h, uint32_t seed, BYTES data)
{
    (void)h;
    return take(seed, &data);
}

void s_SyncGive(handle_t h, uint32_t seed, uint64_t count, BYTES *data)
{
    (void)h;
    give(seed, count, data);
}

uint64_t s_SyncTurn(handle_t h, uint32_t seed, BYTES *data)
{
    (void)h;
    uint64_t count = take(seed, data);
    give(seed + 1, count, data);
    return count;
}

/* ---- The process ----------------------------------------------------------- */

static RPC_STATUS use(const char *text)
{
    RPC_CSTR protseq, endpoint;
    RPC_STATUS status = RpcStringBindingParse((RPC_CSTR)(uintptr_t)text, NULL, &protseq, NULL,
                                              &endpoint, NULL);
    if (status != RPC_S_OK)
        return status;
    /* The endpoint of a process that was killed is free at once, or very soon. */
    for (unsigned tries = 0; tries < 50; tries++) {
        status = RpcServerUseProtseqEp(protseq, RPC_C_PROTSEQ_MAX_REQS_DEFAULT, endpoint, NULL);
        if (status != RPC_S_DUPLICATE_ENDPOINT && status != RPC_S_CANT_CREATE_ENDPOINT)
            break;
        sleep_ms(100);
    }
    RpcStringFree(&protseq);
    RpcStringFree(&endpoint);
    return status;
}

void serve(struct board *board, unsigned index)
{
    server_board = board;
    /* First of all: who connects to an endpoint is served. */
    if (RpcServerRegisterIf(s_calls_v1_0_s_ifspec, NULL, NULL) != RPC_S_OK)
        soak_fail("cannot register the interface");
    for (unsigned i = 0; i < 2; i++) {
        RPC_STATUS status = use(world->endpoints[index][i]);
        if (status != RPC_S_OK)
            soak_fail("%s: status %d", world->endpoints[index][i], (int)status);
    }
    if (RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE) != RPC_S_OK)
        soak_fail("cannot listen");
    later_start();
    board->ready = true;
    while (!board->stop)
        sleep_ms(50);
    if (RpcMgmtStopServerListening(NULL) != RPC_S_OK || RpcMgmtWaitServerListen() != RPC_S_OK)
        soak_fail("cannot stop listening");
    exit(0);
}
