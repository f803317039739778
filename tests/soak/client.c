/* SPDX-License-Identifier: MIT */
/* client.c - the client process: workers that call all day, and what is made of how a call
 * ended. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "soak.h"

_Thread_local struct worker *this_worker;

typedef void routine(struct worker *worker);
static routine *const routines[KIND_COUNT] = {
    [KIND_ECHO] = call_echo,           [KIND_CALLBACK] = call_callback,
    [KIND_SESSION] = call_session,     [KIND_LATER] = call_later,
    [KIND_TAKE] = call_take,           [KIND_GIVE] = call_give,
    [KIND_TURN] = call_turn,           [KIND_SEVERAL] = call_several,
    [KIND_SYNC_TAKE] = call_sync_take, [KIND_SYNC_GIVE] = call_sync_give,
    [KIND_SYNC_TURN] = call_sync_turn,
};

/* ---- Judgement ------------------------------------------------------------- */

/* What a client may be told when its server dies, is not there, or does not listen yet. */
static bool is_loss(RPC_STATUS status)
{
    return status == RPC_S_SERVER_UNAVAILABLE || status == RPC_S_CALL_FAILED ||
           status == RPC_S_CALL_FAILED_DNE || status == RPC_S_COMM_FAILURE ||
           status == RPC_S_SERVER_TOO_BUSY || status == RPC_X_SS_CONTEXT_MISMATCH;
}

void worker_judge(struct worker *worker, enum kind kind, const struct outcome *outcome)
{
    struct tally *tally = &worker->board->tallies[kind];
    RPC_STATUS status = outcome->status;
    if (status == RPC_S_OK && !outcome->refused)
        atomic_fetch_add(&tally->ok, 1);
    else if (outcome->refused && status == REFUSED)
        atomic_fetch_add(&tally->refused, 1);
    else if (outcome->cancelled && status == RPC_S_CALL_CANCELLED)
        atomic_fetch_add(&tally->cancelled, 1);
    else if (worker->victim && is_loss(status))
        atomic_fetch_add(&tally->lost, 1);
    else
        soak_fail("%s ends with status %d%s%s%s", kind_names[kind], (int)status,
                  worker->victim ? ", its server may die" : "",
                  outcome->cancelled ? ", it was cancelled" : "",
                  outcome->refused ? ", its routine raised" : "");
}

/* ---- Work ------------------------------------------------------------------ */

static RPC_BINDING_HANDLE bind_to(unsigned server, unsigned transport)
{
    RPC_BINDING_HANDLE h = NULL;
    const char *text = world->endpoints[server][transport];
    RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)(uintptr_t)text, &h);
    if (status != RPC_S_OK)
        soak_fail("%s: status %d", text, (int)status);
    return h;
}

static void work_once(struct worker *worker)
{
    unsigned server = below(&worker->chance, 4) == 0;
    unsigned transport = below(&worker->chance, 2);
    bool fresh = below(&worker->chance, 15) == 0; /* a binding of its own */
    enum kind kind = below(&worker->chance, KIND_COUNT);

    worker->victim = server == 1;
    worker->h = fresh ? bind_to(server, transport) : worker->kept[server][transport];
    atomic_store(&worker->slot->kind, (int)kind);
    atomic_store(&worker->slot->victim, worker->victim);
    atomic_store(&worker->slot->cancelled, false);
    atomic_store(&worker->slot->began_ms, now_ms());
    routines[kind](worker);
    atomic_store(&worker->slot->began_ms, 0);
    if (fresh && RpcBindingFree(&worker->h) != RPC_S_OK)
        soak_fail("a binding cannot be freed");
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    this_worker = worker;
    for (unsigned i = 0; i < FLIGHTS; i++)
        flight_init(&worker->flights[i]);
    while (!worker->board->stop) {
        work_once(worker);
        sleep_ms(skewed(&worker->chance, 30));
    }
    return NULL;
}

void call_all_day(struct board *board, uint64_t seed)
{
    static struct worker workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    RPC_BINDING_HANDLE kept[SERVERS][2];
    for (unsigned server = 0; server < SERVERS; server++)
        for (unsigned transport = 0; transport < 2; transport++)
            kept[server][transport] = bind_to(server, transport);
    for (unsigned i = 0; i < world->workers; i++) {
        struct worker *worker = &workers[i];
        worker->board = board;
        worker->slot = &board->slots[i];
        worker->chance.state = seed * 1000 + i;
        memcpy(worker->kept, kept, sizeof(kept));
        if (pthread_create(&threads[i], NULL, work, worker) != 0)
            soak_fail("cannot start a thread");
    }
    board->ready = true;
    for (unsigned i = 0; i < world->workers; i++)
        pthread_join(threads[i], NULL);
    for (unsigned server = 0; server < SERVERS; server++)
        for (unsigned transport = 0; transport < 2; transport++)
            RpcBindingFree(&kept[server][transport]);
    exit(0);
}
