/* SPDX-License-Identifier: MIT */
/* sim.c - one simulation: what a seed decides, the course of virtual time, and what
 * must be true at the end. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A run that takes more turns goes round in a circle. */
#define STEPS_MAX 20000000u

const char *sim_failures_file;

void sim_fail(const struct sim *sim, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "sim: seed %llu at %llu us: ", (unsigned long long)sim->seed,
            (unsigned long long)sim->now_us);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n  see it with: penstock-sim --seed %llu --trace\n",
            (unsigned long long)sim->seed);
    va_end(arguments);
    FILE *file = sim_failures_file ? fopen(sim_failures_file, "a") : NULL;
    if (file) {
        fprintf(file, "%llu\n", (unsigned long long)sim->seed);
        fclose(file);
    }
    exit(1);
}

void sim_trace(const struct sim *sim, const char *format, ...)
{
    if (!sim->trace)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("%10llu  ", (unsigned long long)sim->now_us);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* ---- What the seed decides ------------------------------------------------ */

const struct pdu_syntax sim_iface = {.uuid = {.Data1 = 0x5152}, .major = 1};

static const struct chunk_layout layouts[] = {
    {1, 1, 1, 0, UINT32_MAX, false}, {2, 2, 2, 0, UINT32_MAX, false},
    {4, 4, 4, 0, UINT32_MAX, false}, {8, 8, 8, 0, UINT32_MAX, false},
    {6, 4, 8, 0, UINT32_MAX, false}, {12, 8, 16, 0, UINT32_MAX, false},
    {3, 2, 4, 0, UINT32_MAX, false}, {5, 1, 5, 0, UINT32_MAX, false},
    {40, 8, 40, 0, UINT32_MAX, false},
};
static const struct chunk_layout layouts64[] = {
    {1, 1, 1, 0, UINT32_MAX, true}, {4, 4, 4, 0, UINT32_MAX, true},
    {8, 4, 8, 0, UINT32_MAX, true}, {3, 2, 4, 0, UINT32_MAX, true},
    {16, 8, 16, 0, UINT32_MAX, true}, {5, 1, 5, 0, UINT32_MAX, true},
};

static void plan_pipes(struct sim *sim, struct sim_stub *stub)
{
    struct sim_random *random = &sim->random;
    stub->pipe_count = 1;
    if (sim_chance(random, 25))
        stub->pipe_count += sim_below(random, SIM_PIPES_MAX);
    for (unsigned i = 0; i < stub->pipe_count; i++) {
        struct sim_stream *stream = &stub->pipes[i];
        uint32_t most = sim_chance(random, 10) ? 600000 : 60000;
        uint32_t octets = sim_skewed(random, 0, most / stub->pipe_count);
        unsigned narrow = sim_below(random, sizeof(layouts) / sizeof(layouts[0]));
        unsigned wide = sim_below(random, sizeof(layouts64) / sizeof(layouts64[0]));
        stream->layout = sim->ndr64 ? &layouts64[wide] : &layouts[narrow];
        stream->elements = octets / stream->layout->stride;
    }
}

static void plan_stub(struct sim *sim, struct sim_stub *stub, bool head, bool pipes)
{
    struct sim_random *random = &sim->random;
    *stub = (struct sim_stub){.seed = sim_random_next(random), .stop_at = UINT64_MAX};
    uint32_t plain = sim_chance(random, 10) ? sim_below(random, 30000) : sim_below(random, 60);
    stub->head_len = head ? plain : 0;
    stub->tail_len = head ? 0 : plain;
    if (pipes && sim_chance(random, 65))
        plan_pipes(sim, stub);
    stub->push_max = sim_skewed(random, 1, 8000);
    stub->pull_max = sim_skewed(random, 64, 60000);
    stub->produce_us = sim_chance(random, 30) ? sim_skewed(random, 0, 20000) : 10;
    stub->consume_us = sim_chance(random, 30) ? sim_skewed(random, 0, 20000) : 10;
    if (pipes && sim_chance(random, 5)) /* pulls no more until the troubles are over */
        stub->stop_at = sim_skewed(random, 0, 100000);
    /* Not so many turns that a run takes for ever. */
    uint32_t turns = sim_stub_elements(stub) / stub->push_max;
    if (turns > 2000)
        stub->push_max = sim_stub_elements(stub) / 2000;
}

static void plan_fault(struct sim *sim, struct sim_level *level)
{
    static const RPC_STATUS statuses[] = {RPC_X_PIPE_DISCIPLINE_ERROR, 0x1234,
                                          RPC_S_SERVER_TOO_BUSY};
    level->fault = statuses[sim_below(&sim->random, 3)];
    level->fault_in = sim_chance(&sim->random, 60);
    const struct sim_stub *stub = level->fault_in ? &level->request : &level->response;
    level->fault_at = sim_below(&sim->random, sim_stub_elements(stub) + 1);
}

static void plan_level(struct sim *sim, struct sim_level *level, bool outermost)
{
    *level = (struct sim_level){.times = 1};
    plan_stub(sim, &level->request, true, outermost);
    plan_stub(sim, &level->response, false, outermost);
    if (!outermost)
        level->times += sim_below(&sim->random, 3);
    if (sim->trouble.faults && sim_chance(&sim->random, outermost ? 30 : 15))
        plan_fault(sim, level);
}

static void plan_call(struct sim *sim, struct sim_plan *plan)
{
    struct sim_random *random = &sim->random;
    *plan = (struct sim_plan){
        .depth = 1, .cancel_us = SIM_NEVER, .orphan_us = SIM_NEVER, .abort_us = SIM_NEVER};
    if (sim_chance(random, 30))
        plan->depth += sim_below(random, SIM_DEPTH_MAX);
    for (unsigned i = 0; i < plan->depth; i++)
        plan_level(sim, &plan->levels[i], i == 0);
    plan->start_us = sim_skewed(random, 0, SIM_CALM_US / 4);
    plan->has_object = sim_chance(random, 20);
    plan->obey_cancel = sim_chance(random, 50);
    if (sim->trouble.faults && sim_chance(random, 10))
        plan->reject = true;
    if (sim->trouble.faults && sim_chance(random, 15))
        plan->abort_us = sim_skewed(random, 0, 300000);
    if (sim->trouble.cancels && sim_chance(random, 40))
        plan->cancel_us = sim_skewed(random, 0, 300000);
    if (sim->trouble.cancels && sim_chance(random, 25))
        plan->orphan_us = sim_skewed(random, 0, 300000);
}

static void plan_trouble(struct sim *sim)
{
    struct sim_random *random = &sim->random;
    sim->trouble.faults = sim_chance(random, 50);
    sim->trouble.cancels = sim_chance(random, 50);
    sim->trouble.cut = sim_chance(random, 20);
    sim->trouble.flip = sim_chance(random, 15);
    sim->trouble.memory = sim_chance(random, 20);
    unsigned cut_pipe = sim_below(random, 2);
    if (sim->trouble.cut)
        sim->pipes[cut_pipe].cut_at = sim_skewed(random, 0, 200000);
    for (unsigned i = 0; i < 2 && sim->trouble.flip; i++)
        sim->pipes[i].flip_one_in = sim_skewed(random, 200, 100000);
    uint32_t fail_one_in = sim_skewed(random, 5, 2000);
    if (sim->trouble.memory)
        sim_heap_fail(fail_one_in, sim_random_next(random));
}

static void plan(struct sim *sim, uint64_t seed, bool trace)
{
    static const uint16_t frags[] = {LIMIT_FRAG_TCP, LIMIT_FRAG_LOCAL, 2048, 4280};
    struct sim_random *random = &sim->random;
    sim->seed = seed;
    sim->trace = trace;
    random->state = seed * 0x2545f4914f6cdd1du + 1;
    for (unsigned i = 0; i < 2; i++) {
        sim_pipe_init(&sim->pipes[i], random, &sim->pipes[1 - i]);
        sim->frag_max[i] = frags[sim_chance(random, 60) ? 0 : sim_below(random, 4)];
    }
    sim->high = sim_skewed(random, 1000, 200000);
    sim->low = sim_below(random, (uint32_t)sim->high);
    sim->alone = sim_chance(random, 40);
    sim->syntaxes = 1 + sim_below(random, ASSOC_SYNTAXES);
    sim->ndr64 = (sim->syntaxes & ASSOC_NDR64) != 0; /* which is preferred */
    plan_trouble(sim);
    sim->call_count = 1 + sim_below(random, SIM_CALLS_MAX);
    for (unsigned i = 0; i < sim->call_count; i++)
        plan_call(sim, &sim->plans[i]);
}

/* ---- Time ----------------------------------------------------------------- */

/* From now on everything goes well. */
static void become_calm(struct sim *sim)
{
    sim->calm = true;
    sim_heap_fail(0, 0);
    for (unsigned i = 0; i < 2; i++) {
        sim->pipes[i].flip_one_in = 0;
        sim->pipes[i].cut_at = SIM_NEVER;
    }
    sim_trace(sim, "calm");
}

/* A flipped bit may leave both sides waiting for the other, quite lawfully.  Then the
 * connection's end must set them free. */
static void give_up_on_damaged(struct sim *sim)
{
    sim_trace(sim, "the connection ends");
    for (unsigned i = 0; i < 2; i++)
        sim_pipe_end(&sim->pipes[i]);
}

static uint64_t next_us(const struct sim *sim)
{
    uint64_t client_us = sim_peer_next_us(&sim->client);
    uint64_t server_us = sim_peer_next_us(&sim->server);
    return client_us < server_us ? client_us : server_us;
}

static void advance(struct sim *sim, uint64_t to_us)
{
    if (to_us > sim->now_us)
        sim->now_us = to_us;
    if (!sim->calm && sim->now_us >= SIM_CALM_US)
        become_calm(sim);
}

static void run(struct sim *sim)
{
    for (unsigned steps = 0; !sim->client.closed || !sim->server.closed; steps++) {
        uint64_t next = next_us(sim);
        bool late = next > SIM_END_US / 2 && sim->trouble.flip && !sim->pipes[0].ended;
        if (late) {
            advance(sim, SIM_END_US / 2);
            give_up_on_damaged(sim);
            continue;
        }
        if (next == SIM_NEVER && !sim->calm) {
            advance(sim, SIM_CALM_US);
            continue;
        }
        if (next == SIM_NEVER)
            sim_fail(sim, "nobody has anything to do, yet it is not over");
        advance(sim, next);
        if (sim->now_us > SIM_END_US)
            sim_fail(sim, "it does not end");
        if (steps > STEPS_MAX)
            sim_fail(sim, "time stands still");
        if (sim_peer_next_us(&sim->client) <= sim->now_us)
            sim_peer_run(&sim->client);
        if (sim_peer_next_us(&sim->server) <= sim->now_us)
            sim_peer_run(&sim->server);
    }
}

/* ---- The end -------------------------------------------------------------- */

static void count_outcome(const struct sim *sim, const struct sim_call *call,
                          struct sim_result *result)
{
    const struct sim_plan *plan = &sim->plans[call->index];
    const struct sim_level *level = &plan->levels[0];
    if (call->state == SIM_CALL_WAITING) {
        result->never_begun++;
    } else if (call->gave_up) {
        result->given_up++;
    } else if (call->status == RPC_S_OK) {
        result->ok++;
        result->many_pipes += level->request.pipe_count > 1 || level->response.pipe_count > 1;
        result->ndr64 += sim->ndr64;
    } else if (call->status == RPC_S_CALL_CANCELLED) {
        result->cancelled++;
    } else if (call->status == level->fault || call->status == SIM_ABORTED || plan->reject) {
        result->faulted++;
    } else {
        result->lost++;
    }
}

static void sum_up(const struct sim *sim, struct sim_result *ret_result)
{
    struct sim_result result = {
        .pdus = sim->watch.pdus, .end_us = sim->now_us, .nested = sim->nested_ok};
    for (unsigned i = 0; i < sim->call_count; i++) {
        const struct sim_call *call = &sim->client.calls[i][0];
        result.octets += call->rx.offset + sim->server.calls[i][0].rx.offset;
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++)
            if (sim->client.calls[i][d].state == SIM_CALL_RUNNING ||
                sim->server.calls[i][d].state == SIM_CALL_RUNNING)
                sim_fail(sim, "call %u, level %u never ends", call->wire.id, d);
        count_outcome(sim, call, &result);
    }
    if (sim_is_clean(sim) && result.never_begun + result.lost > 0)
        sim_fail(sim, "a call was lost without reason");
    *ret_result = result;
}

void sim_run(uint64_t seed, bool trace, struct sim_result *ret_result)
{
    struct sim *sim = sim_alloc(sizeof(*sim));
    plan(sim, seed, trace);
    sim_watch_init(&sim->watch);
    sim_peer_init(&sim->client, sim, ASSOC_CLIENT, &sim->pipes[SIM_TO_CLIENT],
                  &sim->pipes[SIM_TO_SERVER]);
    sim_peer_init(&sim->server, sim, ASSOC_SERVER, &sim->pipes[SIM_TO_SERVER],
                  &sim->pipes[SIM_TO_CLIENT]);
    if (assoc_bind(&sim->client.assoc, &sim_iface, ASSOC_SYNTAXES, 0) != RPC_S_OK)
        assoc_fail(&sim->client.assoc, RPC_S_OUT_OF_MEMORY);

    run(sim);
    sum_up(sim, ret_result);

    sim_heap_fail(0, 0);
    sim_peer_fini(&sim->client);
    sim_peer_fini(&sim->server);
    if (sim_heap_live() != 0)
        sim_fail(sim, "%ld blocks of memory are left", sim_heap_live());
    sim_watch_fini(&sim->watch);
    for (unsigned i = 0; i < 2; i++)
        sim_pipe_fini(&sim->pipes[i]);
    sim_free(sim);
}
