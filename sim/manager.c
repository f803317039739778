/* SPDX-License-Identifier: MIT */
/* manager.c - where a call is worked on, by the server or inside another call by the
 * client: takes it or not, pulls its request, calls back, pushes its response, fails in
 * the middle when the plan says so. */
#include "sim.h"

/* The call ends with a fault; what is left of its request is the core's business. */
static void raise_fault(struct sim_peer *peer, struct sim_call *call, RPC_STATUS status)
{
    sim_trace(peer->sim, "%s: call %u, level %u raises %d", peer->name, call->wire.id,
              call->depth, (int)status);
    call_fault(&call->wire, status, false);
    sim_call_over(peer, call);
}

/* ---- Requests ------------------------------------------------------------- */

/* Where a new request belongs; NULL: nowhere. */
static struct sim_call *place_of(struct sim_peer *peer, const struct assoc_event *event)
{
    const struct sim *sim = peer->sim;
    unsigned depth = 0, index = event->opnum;
    if (event->nesting) {
        const struct sim_call *outer = list_entry(event->nesting, struct sim_call, wire);
        depth = outer->depth + 1;
        if (outer->index != index)
            return NULL;
    }
    if (index >= sim->call_count || depth >= sim->plans[index].depth)
        return NULL;
    struct sim_call *call = &peer->calls[index][depth];
    bool again = depth > 0 && call->state == SIM_CALL_OVER;
    return call->state == SIM_CALL_WAITING || again ? call : NULL;
}

static void on_new_request(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim *sim = peer->sim;
    struct sim_call *call = place_of(peer, event);
    if (!call) {
        if (!sim->trouble.flip)
            sim_fail(sim, "%s: call %u arrives twice, or was never made", peer->name,
                     event->call_id);
        assoc_reject(&peer->assoc, RPC_S_PROCNUM_OUT_OF_RANGE, true);
        return;
    }
    const struct sim_plan *plan = sim_plan_of(peer, call);
    if (event->has_object != (plan->has_object && call->depth == 0) && !sim->trouble.flip)
        sim_fail(sim, "call %u: the object is lost", event->call_id);
    if (event->ndr64 != sim->ndr64 && !sim->trouble.flip)
        sim_fail(sim, "call %u: arrives in the wrong transfer syntax", event->call_id);
    if (plan->reject && call->depth == 0) {
        call->state = SIM_CALL_OVER;
        assoc_reject(&peer->assoc, RPC_S_PROCNUM_OUT_OF_RANGE, true);
        return;
    }
    *call = (struct sim_call){.index = call->index, .depth = call->depth};
    call->wire.link = &call->link;
    assoc_accept(&peer->assoc, &call->wire);
    call->state = SIM_CALL_RUNNING;
    call->begun_us = sim->now_us;
    sim_rx_init(&call->rx, &sim_level_of(peer, call)->request, event->little_endian);
    sim_rx_add(&call->rx, event->stub, event->stub_len);
    call->rx.last = event->last;
}

void sim_manager_request(struct sim_peer *peer, const struct assoc_event *event)
{
    if (!event->call) {
        on_new_request(peer, event);
        return;
    }
    struct sim_call *call = list_entry(event->call, struct sim_call, wire);
    sim_rx_add(&call->rx, event->stub, event->stub_len);
    call->rx.last = event->last;
}

/* ---- Time ----------------------------------------------------------------- */

static bool waits_for_inner(const struct sim_peer *peer, const struct sim_call *call)
{
    const struct sim_call *inner = sim_inner(peer, call);
    return inner && inner->state == SIM_CALL_RUNNING;
}

/* Is there one more to be made inside it? */
static bool wants_inner(const struct sim_peer *peer, const struct sim_call *call)
{
    const struct sim_call *inner = sim_inner(peer, call);
    return inner && call->received && call->nested_count < sim_level_of(peer, inner)->times;
}

/* When the manager gives up for a reason of its own, whatever it is doing. */
static uint64_t abort_due_us(const struct sim_peer *peer, const struct sim_call *call)
{
    const struct sim_plan *plan = sim_plan_of(peer, call);
    if (call->depth > 0 || peer->sim->calm)
        return SIM_NEVER;
    if (call->cancel_seen)
        return 0;
    return plan->abort_us == SIM_NEVER ? SIM_NEVER : call->begun_us + plan->abort_us;
}

uint64_t sim_manager_next_us(const struct sim_peer *peer, const struct sim_call *call)
{
    /* Nothing takes back an inner call: its end is waited for (docs/design/callbacks.md). */
    if (waits_for_inner(peer, call))
        return SIM_NEVER;
    uint64_t next = sim_rx_next_us(call);
    if (call->received && wants_inner(peer, call))
        next = sim_nested_may_begin(peer, call) ? 0 : SIM_NEVER;
    else if (call->received)
        next = call->tx.stub ? sim_tx_next_us(peer, call) : 0;
    uint64_t abort_us = abort_due_us(peer, call);
    return abort_us < next ? abort_us : next;
}

/* Has the moment come for which the plan has the manager fail? */
static bool fails_now(const struct sim_peer *peer, const struct sim_call *call)
{
    const struct sim_level *level = sim_level_of(peer, call);
    if (level->fault == RPC_S_OK)
        return false;
    if (level->fault_in)
        return call->rx.passed + call->rx.elements >= level->fault_at &&
               (level->fault_at > 0 || call->received);
    return call->received && !wants_inner(peer, call) && call->tx.total >= level->fault_at;
}

void sim_manager_run(struct sim_peer *peer, struct sim_call *call)
{
    struct sim *sim = peer->sim;
    if (waits_for_inner(peer, call))
        return;
    if (abort_due_us(peer, call) <= sim->now_us) {
        raise_fault(peer, call, call->cancel_seen ? RPC_S_CALL_CANCELLED : SIM_ABORTED);
        return;
    }
    if (!sim_rx_step(peer, call)) {
        if (!sim->trouble.flip)
            sim_fail(sim, "call %u: request differs at octet %llu", call->wire.id,
                     (unsigned long long)call->rx.offset);
        raise_fault(peer, call, RPC_X_BAD_STUB_DATA);
        return;
    }
    if (fails_now(peer, call)) {
        raise_fault(peer, call, sim_level_of(peer, call)->fault);
        return;
    }
    if (!call->received)
        return;
    if (wants_inner(peer, call)) {
        if (sim_nested_may_begin(peer, call))
            sim_nested_begin(peer, call);
        return;
    }
    const struct sim_level *level = sim_level_of(peer, call);
    if (!call->tx.stub)
        call->tx = (struct sim_tx){.stub = &level->response, .next_us = sim->now_us};
    if (!sim_tx_due(peer, call))
        return;
    bool will_fail = level->fault != RPC_S_OK && !level->fault_in;
    uint32_t elements_max = will_fail ? level->fault_at : sim_stub_elements(&level->response);
    if (sim_tx_step(peer, call, elements_max) != RPC_S_OK)
        raise_fault(peer, call, RPC_S_OUT_OF_MEMORY);
    else if (call->tx.ended)
        sim_call_over(peer, call);
}
