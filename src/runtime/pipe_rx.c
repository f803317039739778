/* SPDX-License-Identifier: MIT */
/* pipe_rx.c - see pipe_rx.h. */
#include "runtime/pipe_rx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/copy.h"
#include "base/limits.h"
#include "ndr/element.h"
#include "wire/wire.h"

/* Receives of a stream come in large pieces: few are queued at a time. */
#define SPANS_MIN 4u

RPC_STATUS pipe_rx_init(struct pipe_rx *rx, const NDR_TYPE *type, const NDR_RANGE *range,
                        bool ndr64)
{
    *rx = (struct pipe_rx){0};
    return pipe_type_get(type, range, ndr64, &rx->type);
}

void pipe_rx_fini(struct pipe_rx *rx)
{
    pipe_rx_drop(rx);
    pipe_rx_trim(rx);
    pipe_type_put(rx->type);
    rx->type = NULL;
}

void pipe_rx_begin(struct pipe_rx *rx, uint64_t offset, bool little_endian)
{
    chunk_reader_init(&rx->scan, &rx->type->chunk, offset, little_endian);
}

void pipe_rx_drop(struct pipe_rx *rx)
{
    struct pipe_queue *queue = rx->queue;
    if (!queue)
        return;
    for (unsigned i = 0; i < queue->count; i++)
        rxbuf_put(queue->spans[queue->first + i].buf);
    queue->first = queue->count = 0;
    queue->octets = 0;
    queue->elements = 0;
}

void pipe_rx_trim(struct pipe_rx *rx)
{
    if (!rx->queue || rx->queue->octets > 0)
        return;
    free(rx->queue->bounce);
    free(rx->queue);
    rx->queue = NULL;
}

/* ---- The head of the queue -------------------------------------------------- */

static void consume(struct pipe_rx *rx, size_t len)
{
    struct pipe_queue *queue = rx->queue;
    struct pipe_span *span = &queue->spans[queue->first];
    span->octets += len;
    span->len -= len;
    queue->octets -= len;
    if (span->len > 0)
        return;
    rxbuf_put(span->buf);
    queue->first++;
    if (--queue->count == 0)
        queue->first = 0;
}

/* The next run is of the first span; all but `back` octets at its end are consumed. */
static void consume_run(struct pipe_rx *rx, const struct chunk_reader *before, size_t used,
                        size_t back)
{
    const struct pipe_span *span = &rx->queue->spans[rx->queue->first];
    if (back > 0) {
        struct chunk_run run;
        size_t len = used - back;
        rx->queue->read = *before;
        chunk_read(&rx->queue->read, span->octets, len, &used, &run);
        assert(used == len);
    }
    consume(rx, used);
}

/* Nothing is left that could be pulled: what frames the elements behind and before would
 * only hold the buffer it is in. */
static void skip_framing(struct pipe_rx *rx)
{
    struct pipe_queue *queue = rx->queue;
    while (queue->count > 0) {
        const struct pipe_span *span = &queue->spans[queue->first];
        const struct chunk_reader before = queue->read;
        struct chunk_run run;
        size_t used;
        if (chunk_read(&queue->read, span->octets, span->len, &used, &run) == CHUNK_RUN) {
            consume_run(rx, &before, used, run.len); /* of an element that is not whole */
            return;
        }
        consume(rx, used);
    }
}

/* ---- Arrival -------------------------------------------------------------- */

static bool open_queue(struct pipe_rx *rx)
{
    if (rx->queue)
        return true;
    struct pipe_queue *queue = malloc(sizeof(*queue) + SPANS_MIN * sizeof(queue->spans[0]));
    if (queue)
        *queue = (struct pipe_queue){.read = rx->scan, .capacity = SPANS_MIN};
    rx->queue = queue;
    return queue != NULL;
}

static bool room_for_span(struct pipe_rx *rx)
{
    struct pipe_queue *queue = rx->queue;
    if (queue->first + queue->count < queue->capacity)
        return true;
    if (queue->first > queue->capacity / 2) {
        memmove(queue->spans, queue->spans + queue->first, queue->count * sizeof(queue->spans[0]));
        queue->first = 0;
        return true;
    }
    unsigned capacity = queue->capacity * 2;
    queue = realloc(queue, sizeof(*queue) + capacity * sizeof(queue->spans[0]));
    if (!queue)
        return false;
    queue->capacity = capacity;
    rx->queue = queue;
    return true;
}

/* Stub octets of one small fragment are moved next to those before them when the
 * gap between is only a header in the same buffer: a flood of tiny fragments must
 * not become a flood of spans. */
#define SPAN_MIN 512u

static bool extend_last_span(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets,
                             size_t len)
{
    struct pipe_queue *queue = rx->queue;
    if (queue->count == 0 || len >= SPAN_MIN)
        return false;
    struct pipe_span *last = &queue->spans[queue->first + queue->count - 1];
    const uint8_t *end = last->octets + last->len;
    if (last->buf != buf || end > octets)
        return false;
    memmove(buf->octets + (end - buf->octets), octets, len);
    last->len += len;
    return true;
}

static bool add_span(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets, size_t len)
{
    if (!extend_last_span(rx, buf, octets, len)) {
        if (!room_for_span(rx))
            return false;
        struct pipe_queue *queue = rx->queue;
        rxbuf_get(buf);
        queue->spans[queue->first + queue->count++] = (struct pipe_span){buf, octets, len};
    }
    rx->queue->octets += len;
    return true;
}

RPC_STATUS pipe_rx_arrived(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets,
                           size_t len, size_t *ret_used)
{
    *ret_used = 0;
    if (!open_queue(rx))
        return RPC_S_OUT_OF_MEMORY;
    enum chunk_verdict verdict =
        chunk_scan(&rx->scan, octets, len, ret_used, &rx->queue->elements);
    if (verdict == CHUNK_BAD)
        return RPC_X_BAD_STUB_DATA;
    if (pipe_rx_ended(rx) && rx->queue->elements == 0) {
        pipe_rx_drop(rx); /* only framing is left */
        return RPC_S_OK;
    }
    if (*ret_used > 0 && !add_span(rx, buf, octets, *ret_used))
        return RPC_S_OUT_OF_MEMORY;
    if (rx->queue->elements == 0)
        skip_framing(rx);
    return RPC_S_OK;
}

/* ---- Reading -------------------------------------------------------------- */

/* Where elements go. */
struct sink {
    uint8_t *memory;
    uint64_t count; /* elements still wanted */
};

/* Flat, native: octets are elements.  Returns the octets taken of the run. */
static size_t take_flat(const struct pipe_rx *rx, const struct chunk_run *run, struct sink *sink,
                        size_t *part)
{
    uint64_t want = sink->count * rx->type->layout.size - *part;
    size_t len = run->len < want ? run->len : (size_t)want;
    copy_octets(sink->memory, run->octets, len);
    sink->memory += len;
    *part += len;
    sink->count -= *part / rx->type->layout.size;
    *part %= rx->type->layout.size;
    return len;
}

/* One element that begins in another run: collected in the bounce buffer. */
static RPC_STATUS take_piece(struct pipe_rx *rx, const uint8_t *octets, size_t len,
                             size_t pos, struct sink *sink, size_t *ret_taken)
{
    if (pos >= rx->type->layout.size) { /* the pad between two elements */
        size_t pad = rx->type->layout.stride - pos;
        *ret_taken = len < pad ? len : pad;
        return RPC_S_OK;
    }
    if (!rx->queue->bounce && !(rx->queue->bounce = malloc(rx->type->layout.size)))
        return RPC_S_OUT_OF_MEMORY;
    size_t rest = rx->type->layout.size - pos;
    *ret_taken = len < rest ? len : rest;
    memcpy(rx->queue->bounce + pos, octets, *ret_taken);
    if (*ret_taken < rest)
        return RPC_S_OK;
    sink->count--;
    RPC_STATUS status =
        ndr_elements_from_wire(rx->type->element, rx->type->chunk.ndr64, rx->queue->bounce, 1, rx->scan.little_endian,
                               sink->memory);
    sink->memory += rx->type->layout.memory_size;
    return status;
}

static RPC_STATUS take_converted(struct pipe_rx *rx, const struct chunk_run *run,
                                 struct sink *sink, size_t *ret_taken)
{
    size_t taken = 0;
    RPC_STATUS status = RPC_S_OK;
    while (taken < run->len && sink->count > 0 && status == RPC_S_OK) {
        size_t pos = (size_t)((run->offset + taken) % rx->type->layout.stride);
        size_t left = run->len - taken, n = 0;
        uint64_t whole = pos == 0 ? chunk_whole_elements(&rx->type->chunk, left) : 0;
        if (whole > sink->count)
            whole = sink->count;
        if (whole > 0) {
            status = ndr_elements_from_wire(rx->type->element, rx->type->chunk.ndr64, run->octets + taken,
                                            (size_t)whole, rx->scan.little_endian, sink->memory);
            sink->memory += whole * rx->type->layout.memory_size;
            sink->count -= whole;
            n = (size_t)(whole * rx->type->layout.stride);
            n = n < left ? n : left;
        } else {
            status = take_piece(rx, run->octets + taken, left, pos, sink, &n);
        }
        taken += n;
    }
    *ret_taken = taken;
    return status;
}

RPC_STATUS pipe_rx_read(struct pipe_rx *rx, void *memory, size_t count, size_t *ret_count)
{
    struct pipe_queue *queue = rx->queue;
    *ret_count = 0;
    if (!queue)
        return RPC_S_OK;
    const struct pipe_type *type = rx->type;
    struct sink sink = {.memory = memory,
                        .count = count < queue->elements ? count : queue->elements};
    const bool flat = type->layout.flat && rx->scan.little_endian == WIRE_HOST_LITTLE_ENDIAN;
    uint64_t wanted = sink.count;
    size_t part = 0; /* flat: octets of an element begun in an earlier run */
    RPC_STATUS status = RPC_S_OK;
    while (sink.count > 0 && status == RPC_S_OK) {
        assert(queue->count > 0); /* scan counted the elements we are after */
        const struct pipe_span *span = &queue->spans[queue->first];
        const struct chunk_reader before = queue->read;
        struct chunk_run run;
        size_t used, taken = 0;
        if (chunk_read(&queue->read, span->octets, span->len, &used, &run) != CHUNK_RUN) {
            consume(rx, used);
            continue;
        }
        if (flat)
            taken = take_flat(rx, &run, &sink, &part);
        else
            status = take_converted(rx, &run, &sink, &taken);
        consume_run(rx, &before, used, run.len - taken); /* what there is no room for */
    }
    *ret_count = (size_t)(wanted - sink.count);
    queue->elements -= *ret_count;
    if (queue->elements == 0 && pipe_rx_ended(rx))
        pipe_rx_drop(rx);
    else if (queue->elements == 0)
        skip_framing(rx);
    if (status == RPC_S_OK && type->element_range &&
        !ndr_in_range(type->element_range, type->element, memory, type->layout.memory_size,
                      *ret_count))
        status = RPC_X_BAD_STUB_DATA;
    return status;
}

/* ---- Compaction ----------------------------------------------------------- */

void pipe_rx_compact(struct pipe_rx *rx)
{
    struct pipe_queue *queue = rx->queue;
    if (!queue || queue->octets == 0 || queue->octets >= LIMIT_RECV_COMPACT)
        return;
    size_t pinned = 0;
    for (unsigned i = 0; i < queue->count; i++)
        pinned += queue->spans[queue->first + i].buf->capacity;
    if (pinned < LIMIT_RECV_COMPACT)
        return;
    struct rxbuf *buf = rxbuf_new(queue->octets);
    if (!buf)
        return; /* it only costs memory */
    size_t len = 0;
    for (unsigned i = 0; i < queue->count; i++) {
        struct pipe_span *span = &queue->spans[queue->first + i];
        memcpy(buf->octets + len, span->octets, span->len);
        len += span->len;
        rxbuf_put(span->buf);
    }
    queue->first = 0;
    queue->count = 1;
    queue->spans[0] = (struct pipe_span){buf, buf->octets, len};
}
