/* SPDX-License-Identifier: MIT */
/* stub.c - what travels: stubs made of head octets, pipes and tail octets, pushed
 * and pulled as a runtime would, every octet of them checkable at the other end. */
#include <assert.h>
#include <string.h>

#include "sim.h"

static uint8_t octet(uint64_t seed, uint64_t place)
{
    uint64_t z = (seed ^ place * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    return (uint8_t)(z >> 56);
}

uint8_t sim_head_octet(const struct sim_stub *stub, uint32_t at)
{
    return octet(stub->seed + 1, at);
}

uint8_t sim_tail_octet(const struct sim_stub *stub, uint32_t at)
{
    return octet(stub->seed + 2, at);
}

uint8_t sim_element_octet(const struct sim_stub *stub, unsigned pipe, uint32_t index, uint32_t at)
{
    return octet(stub->seed + 3 + pipe, (uint64_t)index << 8 | at);
}

uint32_t sim_stub_elements(const struct sim_stub *stub)
{
    uint32_t elements = 0;
    for (unsigned i = 0; i < stub->pipe_count; i++)
        elements += stub->pipes[i].elements;
    return elements;
}

/* ---- Sending -------------------------------------------------------------- */

/* Octets of one call_send(), in a block of their own which the caller frees as soon
 * as the core has settled: whoever still reads them then is seen by the sanitizer. */
struct outgoing {
    uint8_t *octets;
    size_t len;
};

static void put(struct outgoing *out, uint8_t value)
{
    out->octets[out->len++] = value;
}

static void put_head(struct outgoing *out, const struct sim_stub *stub)
{
    for (uint32_t i = 0; i < stub->head_len; i++)
        put(out, sim_head_octet(stub, i));
}

static void put_elements(struct outgoing *out, const struct sim_stub *stub, unsigned pipe,
                         uint32_t first, const struct chunk_piece *piece)
{
    const struct chunk_layout *layout = stub->pipes[pipe].layout;
    for (uint8_t i = 0; i < piece->lead_len; i++)
        put(out, piece->lead[i]);
    for (uint64_t i = 0; i < piece->data_len; i++) {
        uint32_t at = (uint32_t)(i % layout->stride);
        uint32_t index = first + (uint32_t)(i / layout->stride);
        put(out, at < layout->size ? sim_element_octet(stub, pipe, index, at) : 0);
    }
}

/* Hands the octets over in up to three elements, as params, lead and data would be. */
static RPC_STATUS hand_over(struct sim *sim, struct call *call, struct outgoing *out, bool last)
{
    struct assoc *assoc = call->assoc;
    size_t a = out->len > 0 ? sim_below(&sim->random, (uint32_t)out->len + 1) : 0;
    size_t b = a + (out->len > a ? sim_below(&sim->random, (uint32_t)(out->len - a) + 1) : 0);
    const struct iovec iov[] = {
        {out->octets, a}, {out->octets + a, b - a}, {out->octets + b, out->len - b}};
    RPC_STATUS status = call_send(call, iov, 3, last);
    if (status == RPC_S_OK) {
        int direction = assoc->role == ASSOC_CLIENT ? SIM_TO_SERVER : SIM_TO_CLIENT;
        if (call->depth == 0) /* one inside another is sent at once, as a whole */
            sim_watch_push(sim, direction, call->id, call->tx_stub);
        sim_peer_pushed(assoc->role == ASSOC_CLIENT ? &sim->client : &sim->server);
        if (assoc->state == ASSOC_DEAD)
            status = assoc->status; /* settling has failed */
    }
    memset(out->octets, 0xee, out->len);
    sim_free(out->octets);
    return status;
}

RPC_STATUS sim_tx_push(struct sim *sim, struct sim_tx *tx, struct call *call, uint32_t elements)
{
    const struct sim_stub *stub = tx->stub;
    struct chunk_plan plan;
    const struct sim_stream *stream = &stub->pipes[tx->pipe];
    assert(elements > 0 && elements <= stream->elements - tx->elements);
    uint32_t head_len = tx->begun ? 0 : stub->head_len;
    if (!chunk_plan(stream->layout, call->tx_stub + head_len, elements, &plan))
        sim_fail(sim, "no plan for %u elements", elements);

    struct outgoing out = {.octets = sim_alloc((size_t)(plan.end_offset - call->tx_stub))};
    if (!tx->begun)
        put_head(&out, stub);
    for (unsigned i = 0; i < plan.piece_count; i++) {
        put_elements(&out, stub, tx->pipe, tx->elements, &plan.pieces[i]);
        tx->elements += plan.pieces[i].count;
        tx->total += plan.pieces[i].count;
    }
    for (unsigned i = 0; i < plan.tail_len; i++)
        put(&out, plan.tail[i]);
    assert(call->tx_stub + out.len == plan.end_offset);
    tx->begun = true;
    return hand_over(sim, call, &out, false);
}

/* The end of the current pipe; before it the head, if nothing was sent yet. */
static struct outgoing close_pipe(struct sim_tx *tx, const struct call *call)
{
    const struct sim_stub *stub = tx->stub;
    struct outgoing out = {.octets = sim_alloc(stub->head_len + CHUNK_LEAD_MAX + stub->tail_len)};
    if (!tx->begun)
        put_head(&out, stub);
    if (tx->pipe < stub->pipe_count) {
        struct chunk_plan plan;
        chunk_plan(stub->pipes[tx->pipe].layout, call->tx_stub + out.len, 0, &plan);
        put_elements(&out, stub, tx->pipe, 0, &plan.pieces[0]);
    }
    tx->begun = true;
    return out;
}

RPC_STATUS sim_tx_close(struct sim *sim, struct sim_tx *tx, struct call *call)
{
    struct outgoing out = close_pipe(tx, call);
    assert(tx->pipe + 1 < tx->stub->pipe_count);
    tx->pipe++;
    tx->elements = 0;
    return hand_over(sim, call, &out, false);
}

RPC_STATUS sim_tx_end(struct sim *sim, struct sim_tx *tx, struct call *call)
{
    const struct sim_stub *stub = tx->stub;
    struct outgoing out = close_pipe(tx, call);
    assert(tx->pipe + 1 >= stub->pipe_count);
    for (uint32_t i = 0; i < stub->tail_len; i++)
        put(&out, sim_tail_octet(stub, i));
    tx->ended = true;
    return hand_over(sim, call, &out, true);
}

/* ---- Receiving ------------------------------------------------------------ */

void sim_rx_init(struct sim_rx *rx, const struct sim_stub *stub, bool little_endian)
{
    *rx = (struct sim_rx){.stub = stub, .little_endian = little_endian};
    rx->tail_offset = stub->head_len;
    if (stub->pipe_count > 0)
        chunk_reader_init(&rx->reader, stub->pipes[0].layout, stub->head_len, little_endian);
}

void sim_rx_fini(struct sim_rx *rx)
{
    sim_free(rx->queue);
    rx->queue = NULL;
    rx->queue_len = rx->queue_cap = 0;
}

void sim_rx_add(struct sim_rx *rx, const uint8_t *octets, size_t len)
{
    if (len == 0)
        return;
    if (rx->queue_cap - rx->queue_len < len) {
        size_t cap = (rx->queue_len + len) * 2;
        uint8_t *queue = sim_alloc(cap);
        if (rx->queue_len > 0)
            memcpy(queue, rx->queue, rx->queue_len);
        sim_free(rx->queue);
        rx->queue = queue;
        rx->queue_cap = cap;
    }
    memcpy(rx->queue + rx->queue_len, octets, len);
    rx->queue_len += len;
}

static bool check_run(struct sim_rx *rx, const struct chunk_run *run)
{
    const struct chunk_layout *layout = rx->stub->pipes[rx->pipe].layout;
    if (run->offset == 0) {
        rx->chunk_before += rx->chunk_count;
        rx->chunk_count = run->count;
    }
    for (size_t i = 0; i < run->len; i++) {
        uint64_t index = rx->chunk_before + (run->offset + i) / layout->stride;
        uint32_t at = (uint32_t)((run->offset + i) % layout->stride);
        if (at < layout->size &&
            run->octets[i] != sim_element_octet(rx->stub, rx->pipe, (uint32_t)index, at))
            return false;
    }
    rx->elements =
        (uint32_t)(rx->chunk_before + chunk_whole_elements(layout, run->offset + run->len));
    return rx->elements <= rx->stub->pipes[rx->pipe].elements;
}

/* The pipe's terminator has come.  False: too early. */
static bool next_pipe(struct sim_rx *rx)
{
    const struct sim_stub *stub = rx->stub;
    bool whole = rx->elements == stub->pipes[rx->pipe].elements;
    rx->passed += rx->elements;
    rx->elements = 0;
    rx->chunk_before = rx->chunk_count = 0;
    rx->tail_offset = rx->reader.offset;
    if (++rx->pipe < stub->pipe_count)
        chunk_reader_init(&rx->reader, stub->pipes[rx->pipe].layout, rx->tail_offset,
                          rx->little_endian);
    return whole;
}

/* Octets before and behind the pipe. */
static bool check_plain(struct sim_rx *rx, const uint8_t *octets, size_t len, bool head,
                        uint64_t first)
{
    for (size_t i = 0; i < len; i++) {
        uint32_t at = (uint32_t)(first + i);
        if (octets[i] != (head ? sim_head_octet(rx->stub, at) : sim_tail_octet(rx->stub, at)))
            return false;
    }
    return true;
}

/* One step over what lies at the front of the queue.  False: wrong octets. */
static bool consume_some(struct sim_rx *rx, const uint8_t *octets, size_t len, size_t *ret_used)
{
    if (rx->offset < rx->stub->head_len) {
        size_t part = rx->stub->head_len - (size_t)rx->offset;
        *ret_used = part < len ? part : len;
        return check_plain(rx, octets, *ret_used, true, rx->offset);
    }
    if (rx->pipe < rx->stub->pipe_count) {
        struct chunk_run run;
        switch (chunk_read(&rx->reader, octets, len, ret_used, &run)) {
        case CHUNK_MORE:
            return true;
        case CHUNK_RUN:
            return check_run(rx, &run);
        case CHUNK_END:
            return next_pipe(rx);
        case CHUNK_BAD:
            return false;
        }
    }
    uint64_t at = rx->offset - rx->tail_offset;
    *ret_used = len;
    return at + len <= rx->stub->tail_len && check_plain(rx, octets, len, false, at);
}

bool sim_rx_consume(struct sim_rx *rx, size_t max)
{
    size_t used = 0;
    bool good = true;
    max = max < rx->queue_len ? max : rx->queue_len;
    while (used < max && good) {
        size_t step = 0;
        good = consume_some(rx, rx->queue + used, max - used, &step);
        rx->offset += step;
        used += step;
    }
    rx->queue_len -= used;
    if (rx->queue_len > 0)
        memmove(rx->queue, rx->queue + used, rx->queue_len);
    return good;
}

bool sim_rx_complete(const struct sim_rx *rx)
{
    return rx->last && rx->queue_len == 0 && rx->pipe == rx->stub->pipe_count &&
           rx->offset == rx->tail_offset + rx->stub->tail_len;
}
