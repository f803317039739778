/* SPDX-License-Identifier: MIT */
/* peer.c - what both roles do around an association: reading, writing, water marks,
 * the pace of producers and consumers, and the end. */
#include <string.h>

#include "sim.h"

/* One receive; with what is left of the one before two PDUs at most. */
#define READ_MAX PDU_LEN_MAX

void sim_peer_init(struct sim_peer *peer, struct sim *sim, enum assoc_role role,
                   struct sim_pipe *in, struct sim_pipe *out)
{
    *peer = (struct sim_peer){.sim = sim, .in = in, .out = out, .close_us = SIM_NEVER};
    peer->name = role == ASSOC_CLIENT ? "client" : "server";
    peer->input = sim_alloc(2 * READ_MAX);
    for (unsigned i = 0; i < SIM_CALLS_MAX; i++) {
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++) {
            peer->calls[i][d].index = i;
            peer->calls[i][d].depth = d;
        }
    }
    assoc_init(&peer->assoc, role, sim->frag_max[role], "5000");
}

void sim_peer_fini(struct sim_peer *peer)
{
    for (unsigned i = 0; i < SIM_CALLS_MAX; i++)
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++)
            sim_rx_fini(&peer->calls[i][d].rx);
    assoc_fini(&peer->assoc);
    sim_free(peer->input);
}

static bool is_client(const struct sim_peer *peer)
{
    return peer->assoc.role == ASSOC_CLIENT;
}

/* ---- Calls and their plans ------------------------------------------------- */

bool sim_is_clean(const struct sim *sim)
{
    return !sim->trouble.cut && !sim->trouble.flip && !sim->trouble.memory;
}

const struct sim_plan *sim_plan_of(const struct sim_peer *peer, const struct sim_call *call)
{
    return &peer->sim->plans[call->index];
}

const struct sim_level *sim_level_of(const struct sim_peer *peer, const struct sim_call *call)
{
    return &sim_plan_of(peer, call)->levels[call->depth];
}

struct sim_call *sim_inner(const struct sim_peer *peer, const struct sim_call *call)
{
    if (call->depth + 1 >= sim_plan_of(peer, call)->depth)
        return NULL;
    return (struct sim_call *)&peer->calls[call->index][call->depth + 1];
}

bool sim_is_caller(const struct sim_peer *peer, const struct sim_call *call)
{
    return is_client(peer) == (call->depth % 2 == 0);
}

bool sim_is_requesting(const struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->sim->call_count; i++)
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++) {
            const struct sim_call *call = &peer->calls[i][d];
            if (call->state == SIM_CALL_RUNNING && sim_is_caller(peer, call) && !call->tx.ended)
                return true;
        }
    return false;
}

/* Pauses end when the troubles do. */
static uint64_t pause_us(struct sim *sim, uint32_t most_us)
{
    return sim->now_us + 1 + (sim->calm ? 0 : sim_below(&sim->random, most_us + 1));
}

/* ---- The end -------------------------------------------------------------- */

static void hang_up(struct sim_peer *peer, RPC_STATUS status)
{
    sim_trace(peer->sim, "%s hangs up: %d", peer->name, (int)status);
    assoc_fail(&peer->assoc, status);
    if (is_client(peer))
        sim_client_lost(peer, peer->assoc.status);
    else
        sim_server_lost(peer);
    sim_pipe_end(peer->in);
    sim_pipe_end(peer->out);
    peer->closed = true;
}

/* A dead association first sends what it owes the peer. */
static void look_for_the_end(struct sim_peer *peer)
{
    if (peer->closed)
        return;
    if (peer->out->ended && txq_len(&peer->assoc.txq) > 0)
        hang_up(peer, RPC_S_CALL_FAILED); /* broken, as the next send would tell */
    else if (peer->assoc.state == ASSOC_DEAD && txq_len(&peer->assoc.txq) == 0)
        hang_up(peer, peer->assoc.status);
    else if (peer->close_us <= peer->sim->now_us)
        hang_up(peer, RPC_S_OK);
}

void sim_call_over(struct sim_peer *peer, struct sim_call *call)
{
    if (call->state != SIM_CALL_RUNNING)
        sim_fail(peer->sim, "%s: call %u ends twice", peer->name, call->wire.id);
    call->state = SIM_CALL_OVER;
    call->over_us = peer->sim->now_us;
    call_end(&call->wire);
    sim_rx_fini(&call->rx);
}

void sim_call_over_nested(struct sim_peer *peer, struct sim_call *call)
{
    for (unsigned d = SIM_DEPTH_MAX; d-- > call->depth;)
        if (peer->calls[call->index][d].state == SIM_CALL_RUNNING)
            sim_call_over(peer, &peer->calls[call->index][d]);
}

/* ---- Output --------------------------------------------------------------- */

/* One send: some of what is queued, in some iovec elements. */
static void flush(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    struct iovec iov[16];
    int direction = is_client(peer) ? SIM_TO_SERVER : SIM_TO_CLIENT;
    size_t iov_max = 1 + sim_below(&sim->random, 16); /* one draw a line: no order is left open */
    size_t octets_max = 1 + sim_below(&sim->random, 100000);
    size_t count = txq_iov(&peer->assoc.txq, iov, iov_max, octets_max);
    size_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = sim_pipe_write(peer->out, sim->now_us, iov[i].iov_base, iov[i].iov_len);
        sim_watch_octets(sim, direction, iov[i].iov_base, n);
        sent += n;
        if (n < iov[i].iov_len)
            break;
    }
    txq_sent(&peer->assoc.txq, sent);
    peer->write_us = pause_us(sim, 100);
}

void sim_peer_pushed(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    if (sim_chance(&sim->random, 70))
        flush(peer);
    if (!txq_settle(&peer->assoc.txq))
        assoc_fail(&peer->assoc, RPC_S_OUT_OF_MEMORY);
    if (txq_borrowed(&peer->assoc.txq) > 0 && peer->assoc.state != ASSOC_DEAD)
        sim_fail(sim, "%s: borrowed octets after settling", peer->name);
    /* Nothing of a dead association is sent that it does not own. */
    if (txq_borrowed(&peer->assoc.txq) > 0) {
        txq_fini(&peer->assoc.txq);
        txq_init(&peer->assoc.txq);
    }
}

/* ---- Producers ------------------------------------------------------------ */

static bool has_room(const struct sim_peer *peer, const struct sim_tx *tx)
{
    size_t len = txq_len(&peer->assoc.txq);
    return len <= (tx->at_high ? peer->sim->low : peer->sim->high);
}

uint64_t sim_tx_next_us(const struct sim_peer *peer, const struct sim_call *call)
{
    bool producing = call->state == SIM_CALL_RUNNING && call->tx.stub && !call->tx.ended;
    return producing && has_room(peer, &call->tx) ? call->tx.next_us : SIM_NEVER;
}

bool sim_tx_due(struct sim_peer *peer, struct sim_call *call)
{
    if (call->state != SIM_CALL_RUNNING || !call->tx.stub || call->tx.ended)
        return false;
    call->tx.at_high = !has_room(peer, &call->tx);
    return !call->tx.at_high && call->tx.next_us <= peer->sim->now_us;
}

RPC_STATUS sim_tx_step(struct sim_peer *peer, struct sim_call *call, uint32_t elements_max)
{
    struct sim *sim = peer->sim;
    struct sim_tx *tx = &call->tx;
    uint32_t left = 0;
    if (tx->pipe < tx->stub->pipe_count) {
        left = tx->stub->pipes[tx->pipe].elements - tx->elements;
        left = left < elements_max - tx->total ? left : elements_max - tx->total;
    }
    tx->next_us = pause_us(sim, tx->stub->produce_us);
    if (left == 0 && tx->pipe + 1 < tx->stub->pipe_count)
        return sim_tx_close(sim, tx, &call->wire);
    if (left == 0)
        return sim_tx_end(sim, tx, &call->wire);
    uint32_t n = 1 + sim_below(&sim->random, tx->stub->push_max);
    return sim_tx_push(sim, tx, &call->wire, n < left ? n : left);
}

/* ---- Consumers ------------------------------------------------------------ */

uint64_t sim_rx_next_us(const struct sim_call *call)
{
    bool due = call->state == SIM_CALL_RUNNING && call->rx.stub && !call->received &&
               (call->rx.queue_len > 0 || call->rx.last);
    return due ? call->rx.next_us : SIM_NEVER;
}

bool sim_rx_step(struct sim_peer *peer, struct sim_call *call)
{
    struct sim *sim = peer->sim;
    struct sim_rx *rx = &call->rx;
    if (sim_rx_next_us(call) > sim->now_us)
        return true;
    rx->next_us = pause_us(sim, rx->stub->consume_us);
    if (!sim->calm && rx->offset >= rx->stub->stop_at)
        rx->next_us = SIM_CALM_US + 1;
    if (!sim_rx_consume(rx, 1 + sim_below(&sim->random, rx->stub->pull_max)))
        return false;
    call->received = sim_rx_complete(rx);
    return call->received || !rx->last || rx->queue_len > 0;
}

/* Above the high mark of any queue nothing is read, until all are below the low one:
 * the transport's own window then stops the sender. */
static void look_at_marks(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    size_t most = 0;
    for (unsigned i = 0; i < sim->call_count; i++) {
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++) {
            size_t len = peer->calls[i][d].rx.queue_len;
            most = len > most ? len : most;
        }
    }
    if (most > sim->high + 2 * READ_MAX)
        sim_fail(sim, "%s: %zu octets in a queue", peer->name, most);
    peer->stopped = most > (peer->stopped ? sim->low : sim->high);
}

/* ---- Input ---------------------------------------------------------------- */

/* Feeds all whole PDUs, out of a block of just the octets there are. */
static void feed(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    size_t len = peer->input_len, used = 0;
    uint8_t *octets = sim_alloc(len);
    memcpy(octets, peer->input, len);
    while (used < len) {
        struct assoc_event event;
        size_t need = 0;
        size_t n = assoc_recv(&peer->assoc, octets + used, len - used, &need, &event);
        if (n == 0 && (need <= len - used || need > PDU_LEN_MAX))
            sim_fail(sim, "%s: %zu octets are here, %zu needed", peer->name, len - used, need);
        if (n == 0)
            break;
        used += n;
        if (event.kind == ASSOC_EVENT_NONE)
            continue;
        if (event.kind == ASSOC_EVENT_DEAD)
            sim_trace(sim, "%s: dead, %d", peer->name, (int)event.status);
        else if (is_client(peer))
            sim_client_event(peer, &event);
        else
            sim_server_event(peer, &event);
    }
    sim_free(octets);
    peer->input_len = len - used;
    memmove(peer->input, peer->input + used, peer->input_len);
}

static void receive(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    bool end;
    size_t n = sim_pipe_read(peer->in, sim->now_us, peer->input + peer->input_len, READ_MAX, &end);
    peer->read_us = pause_us(sim, 100);
    peer->input_len += n;
    if (n > 0)
        feed(peer);
    else if (end)
        hang_up(peer, RPC_S_CALL_FAILED);
}

/* ---- Time ----------------------------------------------------------------- */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of producers, consumers and managers. */
static uint64_t calls_next_us(const struct sim_peer *peer)
{
    uint64_t next = SIM_NEVER;
    for (unsigned i = 0; i < peer->sim->call_count; i++) {
        for (unsigned d = 0; d < SIM_DEPTH_MAX; d++) {
            const struct sim_call *call = &peer->calls[i][d];
            if (call->state != SIM_CALL_RUNNING)
                continue;
            if (!sim_is_caller(peer, call)) {
                next = earlier(next, sim_manager_next_us(peer, call));
                continue;
            }
            next = earlier(next, sim_tx_next_us(peer, call));
            next = earlier(next, sim_rx_next_us(call));
        }
    }
    return next;
}

/* Inner calls first: what ends lets those around it go on. */
static void run_inner_calls(struct sim_peer *peer)
{
    for (unsigned i = 0; i < peer->sim->call_count; i++) {
        for (unsigned d = SIM_DEPTH_MAX; d-- > 0 && peer->assoc.state != ASSOC_DEAD;) {
            struct sim_call *call = &peer->calls[i][d];
            if (call->state != SIM_CALL_RUNNING)
                continue;
            if (!sim_is_caller(peer, call))
                sim_manager_run(peer, call);
            else if (d > 0)
                sim_nested_run(peer, call);
        }
    }
}

uint64_t sim_peer_next_us(const struct sim_peer *peer)
{
    bool output = txq_len(&peer->assoc.txq) > 0;
    if (peer->closed)
        return SIM_NEVER;
    uint64_t next = SIM_NEVER;
    if (output && (sim_pipe_writable(peer->out) || peer->out->ended))
        next = peer->write_us;
    if (peer->assoc.state == ASSOC_DEAD) /* has only its last words to say */
        return output ? next : 0;
    if (!peer->stopped && sim_pipe_readable_us(peer->in) != SIM_NEVER)
        next = earlier(next, later(peer->read_us, sim_pipe_readable_us(peer->in)));
    next = earlier(next, peer->close_us);
    if (is_client(peer))
        next = earlier(next, sim_client_next_us(peer));
    return earlier(next, calls_next_us(peer));
}

void sim_peer_run(struct sim_peer *peer)
{
    struct sim *sim = peer->sim;
    if (peer->closed)
        return;
    if (!peer->stopped && peer->assoc.state != ASSOC_DEAD && peer->read_us <= sim->now_us &&
        sim_pipe_readable_us(peer->in) <= sim->now_us)
        receive(peer);
    if (peer->closed)
        return;
    run_inner_calls(peer);
    if (is_client(peer))
        sim_client_run(peer);
    look_at_marks(peer);
    if (txq_len(&peer->assoc.txq) > 0 && peer->write_us <= sim->now_us)
        flush(peer);
    look_for_the_end(peer);
}
