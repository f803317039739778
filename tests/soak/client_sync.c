/* SPDX-License-Identifier: MIT */
/* client_sync.c - synchronous calls: arrays, callbacks inside calls, context handles,
 * synchronous pipes. */
#include <stdlib.h>
#include <string.h>

#include "soak.h"

#define ROOM 5000u

void call_echo(struct worker *worker)
{
    struct outcome outcome = {0};
    uint32_t n = skewed(&worker->chance, 200000), seed = below(&worker->chance, 1u << 30);
    byte *octets = malloc(2 * (size_t)n + 1);
    if (!octets)
        soak_fail("out of memory");
    byte *back = octets + n;
    fill(seed, 0, octets, n);
    outcome.status = RAISED(c_Echo(worker->h, n, octets, back));
    for (uint32_t i = 0; i < n && outcome.status == RPC_S_OK; i++)
        if ((back[i] ^ octets[i]) != 0xff)
            soak_fail("Echo: octet %u differs", i);
    free(octets);
    worker_judge(worker, KIND_ECHO, &outcome);
}

/* ---- Callbacks ------------------------------------------------------------- */

/* The routine that is to raise, counted down; 0: none. */
static _Thread_local unsigned refuse_in;

static int64_t answer_of(int32_t depth, int32_t i)
{
    int64_t answer = i * 3 + depth;
    for (int32_t k = 0; depth > 0 && k < 2; k++)
        answer += answer_of(depth - 1, k);
    return answer;
}

int64_t c_Answer(int32_t depth, int32_t i)
{
    if (refuse_in > 0 && --refuse_in == 0)
        RpcRaiseException(REFUSED);
    int64_t answer = i * 3 + depth;
    return depth > 0 ? answer + c_Ask(this_worker->h, depth - 1, 2) : answer;
}

void call_callback(struct worker *worker)
{
    int32_t depth = (int32_t)below(&worker->chance, 4);
    int32_t n = 1 + (int32_t)below(&worker->chance, 5);
    bool refuse = below(&worker->chance, 8) == 0;
    struct outcome outcome = {.refused = refuse};
    volatile int64_t sum = 0;
    int64_t right = 0;
    refuse_in = refuse ? 1 + below(&worker->chance, (uint32_t)n) : 0;
    outcome.status = RAISED(sum = c_Ask(worker->h, depth, n));
    refuse_in = 0;
    for (int32_t i = 0; i < n; i++)
        right += answer_of(depth, i);
    if (outcome.status == RPC_S_OK && sum != right)
        soak_fail("Ask: %lld, not %lld", (long long)sum, (long long)right);
    worker_judge(worker, KIND_CALLBACK, &outcome);
}

/* ---- Context handles ------------------------------------------------------- */

void call_session(struct worker *worker)
{
    SESSION session = NULL;
    struct outcome outcome = {0};
    int64_t right = 0;
    volatile int64_t sum = 0;
    outcome.status = RAISED(session = c_Open(worker->h));
    unsigned adds = below(&worker->chance, 6);
    for (unsigned i = 0; i < adds && outcome.status == RPC_S_OK; i++) {
        int32_t n = (int32_t)below(&worker->chance, 1000);
        right += n;
        outcome.status = RAISED(sum = c_Add(session, n));
        if (outcome.status == RPC_S_OK && sum != right)
            soak_fail("Add: %lld, not %lld", (long long)sum, (long long)right);
    }
    /* A lost session, and some others, are forgotten without a word to the server. */
    if (outcome.status == RPC_S_OK && below(&worker->chance, 20) > 0)
        outcome.status = RAISED(c_Close(&session));
    if (session && RAISED(RpcSsDestroyClientContext(&session)) != RPC_S_OK)
        soak_fail("a context handle cannot be destroyed");
    worker_judge(worker, KIND_SESSION, &outcome);
}

/* ---- Synchronous pipes ----------------------------------------------------- */

struct stream {
    struct worker *worker;
    uint32_t seed, seed_back;
    uint64_t count, given, got;
    uint64_t refuse_at; /* octets */
    bool ended;
    byte buf[ROOM];
};

static void refuse_if_due(const struct stream *stream)
{
    if (stream->given + stream->got >= stream->refuse_at)
        RpcRaiseException(REFUSED);
}

static void stream_alloc(char *state, unsigned long bsize, byte **buf, unsigned long *bcount)
{
    struct stream *stream = (struct stream *)(void *)state;
    unsigned long room = 1 + below(&stream->worker->chance, ROOM);
    *buf = stream->buf;
    *bcount = bsize < room ? bsize : room;
}

static void stream_pull(char *state, byte *buf, unsigned long esize, unsigned long *ecount)
{
    struct stream *stream = (struct stream *)(void *)state;
    uint64_t left = stream->count - stream->given;
    refuse_if_due(stream);
    *ecount = left < esize ? (unsigned long)left : esize;
    fill(stream->seed, stream->given, buf, *ecount);
    stream->given += *ecount;
}

static void stream_push(char *state, byte *buf, unsigned long ecount)
{
    struct stream *stream = (struct stream *)(void *)state;
    refuse_if_due(stream);
    if (stream->ended)
        soak_fail("a synchronous pipe goes on behind its end");
    check("synchronous pipe", stream->seed_back, stream->got, buf, ecount);
    stream->got += ecount;
    stream->ended = ecount == 0;
    if (below(&stream->worker->chance, 10) == 0)
        sleep_ms(skewed(&stream->worker->chance, 10));
}

static void stream_init(struct stream *stream, struct worker *worker)
{
    stream->worker = worker;
    stream->seed = stream->seed_back = below(&worker->chance, 1u << 30);
    stream->count = skewed(&worker->chance, STREAM_MAX);
    stream->given = stream->got = 0;
    stream->ended = false;
    stream->refuse_at =
        below(&worker->chance, 10) == 0 ? skewed(&worker->chance, 50000) : UINT64_MAX;
}

static BYTES stream_pipe(struct stream *stream)
{
    return (BYTES){.pull = stream_pull,
                   .push = stream_push,
                   .alloc = stream_alloc,
                   .state = (char *)stream};
}

static void stream_judge(struct stream *stream, enum kind kind, RPC_STATUS status)
{
    struct outcome outcome = {.status = status};
    /* What ended before the octet at which it would have raised has not raised. */
    outcome.refused = stream->refuse_at != UINT64_MAX && status == REFUSED;
    bool comes_back = kind != KIND_SYNC_TAKE;
    if (status == RPC_S_OK && comes_back && (!stream->ended || stream->got != stream->count))
        soak_fail("%s: %llu octets of %llu", kind_names[kind], (unsigned long long)stream->got,
                  (unsigned long long)stream->count);
    atomic_fetch_add(&stream->worker->board->octets, stream->got);
    worker_judge(stream->worker, kind, &outcome);
}

void call_sync_take(struct worker *worker)
{
    static _Thread_local struct stream stream;
    volatile uint64_t taken = 0;
    stream_init(&stream, worker);
    RPC_STATUS status =
        RAISED(taken = c_SyncTake(worker->h, stream.seed, stream_pipe(&stream)));
    if (status == RPC_S_OK && taken != stream.count)
        soak_fail("SyncTake: %llu octets of %llu", (unsigned long long)taken,
                  (unsigned long long)stream.count);
    stream_judge(&stream, KIND_SYNC_TAKE, status);
}

void call_sync_give(struct worker *worker)
{
    static _Thread_local struct stream stream;
    stream_init(&stream, worker);
    BYTES pipe = stream_pipe(&stream);
    RPC_STATUS status = RAISED(c_SyncGive(worker->h, stream.seed, stream.count, &pipe));
    stream_judge(&stream, KIND_SYNC_GIVE, status);
}

void call_sync_turn(struct worker *worker)
{
    static _Thread_local struct stream stream;
    volatile uint64_t turned = 0;
    stream_init(&stream, worker);
    stream.seed_back = stream.seed + 1;
    BYTES pipe = stream_pipe(&stream);
    RPC_STATUS status = RAISED(turned = c_SyncTurn(worker->h, stream.seed, &pipe));
    if (status == RPC_S_OK && turned != stream.count)
        soak_fail("SyncTurn: %llu octets of %llu", (unsigned long long)turned,
                  (unsigned long long)stream.count);
    stream_judge(&stream, KIND_SYNC_TURN, status);
}
