/* SPDX-License-Identifier: MIT */
/* server.c - the server's side: takes calls or not, pulls requests, pushes responses,
 * fails in the middle when the plan says so, gives in to cancels. */
#include "sim.h"

static struct sim_call *call_of(const struct assoc_event *event)
{
    return list_entry(event->call, struct sim_call, wire);
}

static const struct sim_plan *plan_of(const struct sim_peer *peer, const struct sim_call *call)
{
    return &peer->sim->plans[call->index];
}

/* The call ends with a fault; what is left of its request is the core's business. */
static void raise_fault(struct sim_peer *peer, struct sim_call *call, RPC_STATUS status)
{
    sim_trace(peer->sim, "server: call %u raises %d", call->wire.id, (int)status);
    call_fault(&call->wire, status, false);
    sim_call_over(peer, call);
}

static void on_new_request(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim *sim = peer->sim;
    struct sim_call *call = &peer->calls[event->opnum % SIM_CALLS_MAX];
    if (event->opnum >= sim->call_count || call->state != SIM_CALL_WAITING) {
        if (!sim->trouble.flip)
            sim_fail(sim, "call %u: arrives twice, or was never made", event->call_id);
        assoc_reject(&peer->assoc, RPC_S_PROCNUM_OUT_OF_RANGE, true);
        return;
    }
    const struct sim_plan *plan = plan_of(peer, call);
    if (event->has_object != plan->has_object && !sim->trouble.flip)
        sim_fail(sim, "call %u: the object is lost", event->call_id);
    if (plan->reject) {
        call->state = SIM_CALL_OVER;
        assoc_reject(&peer->assoc, RPC_S_PROCNUM_OUT_OF_RANGE, true);
        return;
    }
    assoc_accept(&peer->assoc, &call->wire);
    call->state = SIM_CALL_RUNNING;
    sim_rx_init(&call->rx, &plan->request, event->little_endian);
}

void sim_server_event(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim *sim = peer->sim;
    struct sim_call *call = event->call ? call_of(event) : NULL;
    switch (event->kind) {
    case ASSOC_EVENT_BIND:
        for (unsigned i = 0; i < peer->assoc.bind->offer_count; i++) {
            peer->assoc.bind->offers[i].iface = sim;
            peer->assoc.bind->offers[i].supported = ASSOC_NDR;
        }
        assoc_answer_bind(&peer->assoc, 0x1234);
        return;
    case ASSOC_EVENT_REQUEST:
        if (!call) {
            on_new_request(peer, event);
            call = &peer->calls[event->opnum % SIM_CALLS_MAX];
            if (call->state != SIM_CALL_RUNNING || call->wire.id != event->call_id)
                return;
        }
        sim_rx_add(&call->rx, event->stub, event->stub_len);
        call->rx.last = event->last;
        return;
    case ASSOC_EVENT_CANCEL:
        if (plan_of(peer, call)->obey_cancel)
            raise_fault(peer, call, RPC_S_CALL_CANCELLED);
        return;
    case ASSOC_EVENT_ORPHANED:
        sim_call_over(peer, call);
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_DEAD:
    case ASSOC_EVENT_BOUND:
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT:
        sim_fail(sim, "server: event %d", (int)event->kind);
    }
}

void sim_server_lost(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    const struct sim_trouble *t = &sim->trouble;
    if (!t->cut && !t->flip && !t->memory && peer->assoc.call_count > 0)
        sim_fail(sim, "server: %u calls left when the client had none", peer->assoc.call_count);
    for (unsigned i = 0; i < sim->call_count; i++)
        if (peer->calls[i].state == SIM_CALL_RUNNING)
            sim_call_over(peer, &peer->calls[i]);
}

/* ---- Time ----------------------------------------------------------------- */

uint64_t sim_server_next_us(const struct sim_peer *peer)
{
    uint64_t next = SIM_NEVER;
    for (unsigned i = 0; i < peer->sim->call_count; i++) {
        uint64_t tx_us = sim_tx_next_us(peer, &peer->calls[i]);
        uint64_t rx_us = sim_rx_next_us(&peer->calls[i]);
        next = tx_us < next ? tx_us : next;
        next = rx_us < next ? rx_us : next;
    }
    return next;
}

/* Has the moment come for which the plan has the manager fail? */
static bool fails_now(const struct sim_peer *peer, const struct sim_call *call)
{
    const struct sim_plan *plan = plan_of(peer, call);
    if (plan->fault == RPC_S_OK)
        return false;
    if (plan->fault_in)
        return call->rx.elements >= plan->fault_at && (plan->fault_at > 0 || call->received);
    return call->received && call->tx.elements >= plan->fault_at;
}

static void run_call(struct sim_peer *peer, struct sim_call *call)
{
    struct sim *sim = peer->sim;
    if (!sim_rx_step(peer, call)) {
        if (!sim->trouble.flip)
            sim_fail(sim, "call %u: request differs at octet %llu", call->wire.id,
                     (unsigned long long)call->rx.offset);
        raise_fault(peer, call, RPC_X_BAD_STUB_DATA);
        return;
    }
    if (fails_now(peer, call)) {
        raise_fault(peer, call, plan_of(peer, call)->fault);
        return;
    }
    if (!call->received)
        return;
    const struct sim_plan *plan = plan_of(peer, call);
    if (!call->tx.stub)
        call->tx = (struct sim_tx){.stub = &plan->response, .next_us = sim->now_us};
    if (!sim_tx_due(peer, call))
        return;
    bool will_fail = plan->fault != RPC_S_OK;
    if (sim_tx_step(peer, call, will_fail ? plan->fault_at : plan->response.elements) != RPC_S_OK)
        raise_fault(peer, call, RPC_S_OUT_OF_MEMORY);
    else if (call->tx.ended)
        sim_call_over(peer, call);
}

void sim_server_run(struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->sim->call_count && peer->assoc.state != ASSOC_DEAD; i++)
        if (peer->calls[i].state == SIM_CALL_RUNNING)
            run_call(peer, &peer->calls[i]);
}
