/* SPDX-License-Identifier: MIT */
/* client.c - the client's side: begins calls when their time has come, pushes their
 * requests, pulls their responses, loses patience, and judges how each has ended. */
#include "sim.h"

/* May a call end like this, according to its plan? */
static void check_outcome(const struct sim_peer *peer, const struct sim_call *call,
                          RPC_STATUS status)
{
    const struct sim *sim = peer->sim;
    const struct sim_plan *plan = &sim->plans[call->index];
    const struct sim_level *level = &plan->levels[0];
    if (sim->trouble.flip || call->gave_up)
        return;
    if (status == RPC_S_OK) {
        if (!call->received || !sim->server.calls[call->index][0].received)
            sim_fail(sim, "call %u: succeeds without all of its data", call->wire.id);
        if (plan->reject || level->fault != RPC_S_OK)
            sim_fail(sim, "call %u: succeeds instead of failing", call->wire.id);
        return;
    }
    if (!sim_is_clean(sim))
        return;
    bool cancelled = status == RPC_S_CALL_CANCELLED && plan->obey_cancel && call->cancel_sent;
    bool rejected = status == RPC_S_PROCNUM_OUT_OF_RANGE && plan->reject;
    bool aborted = status == SIM_ABORTED && plan->abort_us != SIM_NEVER;
    if (!cancelled && !rejected && !aborted && (status != level->fault || plan->reject))
        sim_fail(sim, "call %u: ends with %d", call->wire.id, (int)status);
}

static void complete(struct sim_peer *peer, struct sim_call *call, RPC_STATUS status)
{
    sim_trace(peer->sim, "call %u (plan %u) ends with %d", call->wire.id, call->index, (int)status);
    call->status = status;
    check_outcome(peer, call, status);
    sim_call_over_nested(peer, call);
}

static void give_up(struct sim_peer *peer, struct sim_call *call)
{
    call->gave_up = true;
    if (call_orphan(&call->wire) != RPC_S_OK) /* the server would wait for ever */
        assoc_fail(&peer->assoc, RPC_S_OUT_OF_MEMORY);
    complete(peer, call, RPC_S_CALL_CANCELLED);
}

static struct sim_call *call_of(const struct assoc_event *event)
{
    return list_entry(event->call, struct sim_call, wire);
}

void sim_client_event(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim *sim = peer->sim;
    switch (event->kind) {
    case ASSOC_EVENT_REQUEST: /* from inside a call */
        sim_manager_request(peer, event);
        return;
    case ASSOC_EVENT_BOUND:
        if (event->status != RPC_S_OK && sim_is_clean(sim))
            sim_fail(sim, "bound with %d", (int)event->status);
        if (event->status != RPC_S_OK)
            assoc_fail(&peer->assoc, event->status);
        return;
    case ASSOC_EVENT_RESPONSE: {
        struct sim_call *call = call_of(event);
        if (call->depth > 0) {
            sim_nested_event(peer, event);
            return;
        }
        if (!call->rx.stub)
            sim_rx_init(&call->rx, &sim_level_of(peer, call)->response,
                        call->wire.little_endian);
        sim_rx_add(&call->rx, event->stub, event->stub_len);
        call->rx.last = event->last;
        return;
    }
    case ASSOC_EVENT_FAULT:
        if (call_of(event)->depth > 0)
            sim_nested_event(peer, event);
        else
            complete(peer, call_of(event), event->status);
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_DEAD:
    case ASSOC_EVENT_BIND:
    case ASSOC_EVENT_CANCEL:
    case ASSOC_EVENT_ORPHANED:
        sim_fail(sim, "client: event %d", (int)event->kind);
    }
}

void sim_client_lost(struct sim_peer *peer, RPC_STATUS status)
{
    for (unsigned i = 0; i < peer->sim->call_count; i++)
        if (peer->calls[i][0].state == SIM_CALL_RUNNING)
            complete(peer, &peer->calls[i][0], status);
}

/* ---- Beginning calls ------------------------------------------------------- */

/* Index of the next call that has not begun, if the connection is free for it:
 * requests must not mix on the wire.  Else call_count. */
static unsigned next_call(const struct sim_peer *peer)
{
    unsigned count = peer->sim->call_count, next = count;
    if (peer->assoc.state != ASSOC_OPEN || sim_is_requesting(peer))
        return count;
    for (unsigned i = count; i-- > 0;) {
        const struct sim_call *call = &peer->calls[i][0];
        if (call->state == SIM_CALL_RUNNING && peer->sim->alone)
            return count;
        if (call->state == SIM_CALL_WAITING)
            next = i;
    }
    return next;
}

static void begin(struct sim_peer *peer, struct sim_call *call)
{
    const struct sim_plan *plan = &peer->sim->plans[call->index];
    static const UUID object = {.Data1 = 0x0b1ec7};
    const struct assoc_context *context =
        assoc_context_for(&peer->assoc, &sim_iface, ASSOC_SYNTAXES);
    if (!context)
        sim_fail(peer->sim, "the client is bound to nothing");
    call->wire.link = &call->link;
    call_start(&call->wire, &peer->assoc, context->id, (uint16_t)call->index,
               plan->has_object ? &object : NULL);
    if (call->wire.ndr64 != peer->sim->ndr64 && !peer->sim->trouble.flip)
        sim_fail(peer->sim, "call %u: in the wrong transfer syntax", call->wire.id);
    call->state = SIM_CALL_RUNNING;
    call->begun_us = peer->sim->now_us;
    call->tx = (struct sim_tx){.stub = &plan->levels[0].request, .next_us = peer->sim->now_us};
}

/* ---- Time ----------------------------------------------------------------- */

static uint64_t cancel_due_us(const struct sim *sim, const struct sim_call *call)
{
    const struct sim_plan *plan = &sim->plans[call->index];
    if (sim->calm || call->cancel_sent || plan->cancel_us == SIM_NEVER)
        return SIM_NEVER;
    return call->begun_us + plan->cancel_us;
}

static uint64_t orphan_due_us(const struct sim *sim, const struct sim_call *call)
{
    const struct sim_plan *plan = &sim->plans[call->index];
    if (sim->calm || plan->orphan_us == SIM_NEVER)
        return SIM_NEVER;
    return call->begun_us + plan->orphan_us;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t sim_client_next_us(const struct sim_peer *peer)
{
    const struct sim *sim = peer->sim;
    uint64_t next = SIM_NEVER;
    unsigned waiting = next_call(peer);
    if (waiting < sim->call_count)
        next = sim->plans[waiting].start_us;
    for (unsigned i = 0; i < sim->call_count; i++) {
        const struct sim_call *call = &peer->calls[i][0];
        if (call->state != SIM_CALL_RUNNING)
            continue;
        next = earlier(next, cancel_due_us(sim, call));
        next = earlier(next, orphan_due_us(sim, call));
    }
    return next;
}

static void run_call(struct sim_peer *peer, struct sim_call *call)
{
    struct sim *sim = peer->sim;
    if (orphan_due_us(sim, call) <= sim->now_us) {
        give_up(peer, call);
        return;
    }
    if (cancel_due_us(sim, call) <= sim->now_us && call->wire.tx_begun) {
        call->cancel_sent = true;
        if (call_cancel(&call->wire) == RPC_S_OUT_OF_MEMORY)
            sim_trace(sim, "call %u: no memory for a cancel", call->wire.id);
    } else if (cancel_due_us(sim, call) <= sim->now_us) {
        call->cancel_sent = true; /* too early to tell the server */
    }
    if (sim_tx_due(peer, call) &&
        sim_tx_step(peer, call, sim_stub_elements(call->tx.stub)) != RPC_S_OK) {
        give_up(peer, call); /* out of memory */
        return;
    }
    if (!sim_rx_step(peer, call)) {
        if (!sim->trouble.flip)
            sim_fail(sim, "call %u: response differs at octet %llu", call->wire.id,
                     (unsigned long long)call->rx.offset);
        give_up(peer, call);
        return;
    }
    if (call->received)
        complete(peer, call, RPC_S_OK);
}

/* All calls have ended. */
static bool is_done(const struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->sim->call_count; i++)
        if (peer->calls[i][0].state != SIM_CALL_OVER)
            return false;
    return true;
}

void sim_client_run(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    unsigned waiting = next_call(peer);
    if (waiting < sim->call_count && sim->plans[waiting].start_us <= sim->now_us)
        begin(peer, &peer->calls[waiting][0]);
    for (unsigned i = 0; i < sim->call_count && peer->assoc.state != ASSOC_DEAD; i++)
        if (peer->calls[i][0].state == SIM_CALL_RUNNING)
            run_call(peer, &peer->calls[i][0]);
    /* Stays for a while, so that the server can end what it still has. */
    if (is_done(peer) && peer->close_us == SIM_NEVER)
        peer->close_us = sim->now_us + SIM_CALM_US;
}
