/* SPDX-License-Identifier: MIT */
/* server.c - the server's side: answers the bind, hears cancels and orphans. */
#include "sim.h"

static struct sim_call *call_of(const struct assoc_event *event)
{
    return list_entry(event->call, struct sim_call, wire);
}

static void answer_bind(struct sim_peer *peer)
{
    struct assoc_bind *bind = peer->assoc.bind;
    for (unsigned i = 0; i < bind->offer_count; i++) {
        bind->offers[i].iface = peer->sim;
        bind->offers[i].supported = (uint8_t)peer->sim->syntaxes;
    }
    assoc_answer_bind(&peer->assoc, 0x1234);
}

void sim_server_event(struct sim_peer *peer, const struct assoc_event *event)
{
    struct sim *sim = peer->sim;
    switch (event->kind) {
    case ASSOC_EVENT_BIND:
        answer_bind(peer);
        return;
    case ASSOC_EVENT_REQUEST:
        sim_manager_request(peer, event);
        return;
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT: /* to a call inside a call */
        sim_nested_event(peer, event);
        return;
    case ASSOC_EVENT_CANCEL:
        if (call_of(event)->depth != 0)
            sim_fail(sim, "server: call %u: a cancel for an inner call", event->call->id);
        call_of(event)->cancel_seen = sim_plan_of(peer, call_of(event))->obey_cancel;
        return;
    case ASSOC_EVENT_ORPHANED:
        if (call_of(event)->depth != 0)
            sim_fail(sim, "server: call %u: an inner call is given up alone", event->call->id);
        sim_call_over_nested(peer, call_of(event));
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_DEAD:
    case ASSOC_EVENT_BOUND:
        sim_fail(sim, "server: event %d", (int)event->kind);
    }
}

void sim_server_lost(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    if (sim_is_clean(sim) && peer->assoc.call_count > 0)
        sim_fail(sim, "server: %u calls left when the client had none", peer->assoc.call_count);
    for (unsigned i = 0; i < sim->call_count; i++)
        sim_call_over_nested(peer, &peer->calls[i][0]);
}
