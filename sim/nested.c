/* SPDX-License-Identifier: MIT */
/* nested.c - calls a manager makes inside the call it works on: the server to its client,
 * the client from inside that, and so on (docs/design/callbacks.md).  They carry no pipes,
 * so each is sent at once, as a whole. */
#include "sim.h"

/* Requests of one direction must not mix. */
bool sim_nested_may_begin(const struct sim_peer *peer, const struct sim_call *outer)
{
    return call_may_nest(&outer->wire) == RPC_S_OK && !sim_is_requesting(peer);
}

void sim_nested_begin(struct sim_peer *peer, struct sim_call *outer)
{
    struct sim_call *call = sim_inner(peer, outer);
    const struct sim_level *level = sim_level_of(peer, call);
    *call = (struct sim_call){.index = call->index, .depth = call->depth};
    outer->nested_count++;
    call->wire.link = &call->link;
    call_start_nested(&call->wire, &outer->wire, (uint16_t)call->index, NULL);
    call->state = SIM_CALL_RUNNING;
    call->begun_us = peer->sim->now_us;
    call->tx = (struct sim_tx){.stub = &level->request};
    sim_trace(peer->sim, "%s: call %u calls back, level %u", peer->name, call->wire.id,
              call->depth);
    /* Nothing was sent: the manager does without. */
    if (sim_tx_end(peer->sim, &call->tx, &call->wire) != RPC_S_OK)
        sim_call_over(peer, call);
}

/* May it end like this, according to its plan? */
static void complete(struct sim_peer *peer, struct sim_call *call, RPC_STATUS status)
{
    struct sim *sim = peer->sim;
    const struct sim_level *level = sim_level_of(peer, call);
    struct sim_peer *other = peer == &sim->client ? &sim->server : &sim->client;
    sim_trace(sim, "%s: call %u, level %u ends with %d", peer->name, call->wire.id, call->depth,
              (int)status);
    bool known = status == RPC_S_OK || status == level->fault;
    if (sim_is_clean(sim) && !known)
        sim_fail(sim, "call %u, level %u: ends with %d", call->wire.id, call->depth, (int)status);
    if (!sim->trouble.flip && status == RPC_S_OK) {
        if (!call->received || !other->calls[call->index][call->depth].received)
            sim_fail(sim, "call %u, level %u: succeeds without all of its data", call->wire.id,
                     call->depth);
        if (level->fault != RPC_S_OK)
            sim_fail(sim, "call %u, level %u: succeeds instead of failing", call->wire.id,
                     call->depth);
        sim->nested_ok++;
    }
    sim_call_over(peer, call);
}

void sim_nested_event(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim_call *call = list_entry(event->call, struct sim_call, wire);
    if (event->kind == ASSOC_EVENT_FAULT) {
        complete(peer, call, event->status);
        return;
    }
    if (!call->rx.stub)
        sim_rx_init(&call->rx, &sim_level_of(peer, call)->response, call->wire.little_endian);
    sim_rx_add(&call->rx, event->stub, event->stub_len);
    call->rx.last = event->last;
}

void sim_nested_run(struct sim_peer *peer, struct sim_call *call)
{
    struct sim *sim = peer->sim;
    if (!sim_rx_step(peer, call)) {
        if (!sim->trouble.flip)
            sim_fail(sim, "call %u, level %u: response differs at octet %llu", call->wire.id,
                     call->depth, (unsigned long long)call->rx.offset);
        /* Half an answer to an inner call cannot be given up alone. */
        assoc_fail(&peer->assoc, RPC_S_PROTOCOL_ERROR);
        return;
    }
    if (call->received)
        complete(peer, call, RPC_S_OK);
}
