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

RPC_STATUS pipe_rx_init(struct pipe_rx *rx, const NDR_TYPE *type, const NDR_RANGE *range,
                        bool ndr64)
{
    *rx = (struct pipe_rx){.element = type->element, .element_range = type->element_range};
    RPC_STATUS status = ndr_element_layout(rx->element, ndr64, &rx->layout);
    if (status != RPC_S_OK)
        return status;
    rx->chunk = (struct chunk_layout){.size = rx->layout.size,
                                      .align = rx->layout.align,
                                      .stride = rx->layout.stride,
                                      .count_min = range ? (uint64_t)range->low : 0,
                                      .count_max = range ? (uint64_t)range->high : UINT32_MAX,
                                      .ndr64 = ndr64};
    return RPC_S_OK;
}

void pipe_rx_fini(struct pipe_rx *rx)
{
    pipe_rx_drop(rx);
    free(rx->spans);
    free(rx->bounce);
    rx->spans = NULL;
    rx->bounce = NULL;
}

void pipe_rx_begin(struct pipe_rx *rx, uint64_t offset, bool little_endian)
{
    rx->little_endian = little_endian;
    rx->begun = true;
    chunk_reader_init(&rx->scan, &rx->chunk, offset, little_endian);
    chunk_reader_init(&rx->read, &rx->chunk, offset, little_endian);
}

void pipe_rx_drop(struct pipe_rx *rx)
{
    for (size_t i = 0; i < rx->count; i++)
        rxbuf_put(rx->spans[rx->first + i].buf);
    rx->first = rx->count = 0;
    rx->octets = 0;
    rx->elements = 0;
}

/* ---- Arrival -------------------------------------------------------------- */

static bool room_for_span(struct pipe_rx *rx)
{
    if (rx->first + rx->count < rx->capacity)
        return true;
    if (rx->first > rx->capacity / 2) {
        memmove(rx->spans, rx->spans + rx->first, rx->count * sizeof(*rx->spans));
        rx->first = 0;
        return true;
    }
    size_t capacity = rx->capacity ? rx->capacity * 2 : 4;
    struct pipe_span *spans = realloc(rx->spans, capacity * sizeof(*spans));
    if (!spans)
        return false;
    rx->spans = spans;
    rx->capacity = capacity;
    return true;
}

/* Stub octets of one small fragment are moved next to those before them when the
 * gap between is only a header in the same buffer: a flood of tiny fragments must
 * not become a flood of spans. */
#define SPAN_MIN 512u

static bool extend_last_span(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets,
                             size_t len)
{
    if (rx->count == 0 || len >= SPAN_MIN)
        return false;
    struct pipe_span *last = &rx->spans[rx->first + rx->count - 1];
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
        rxbuf_get(buf);
        rx->spans[rx->first + rx->count++] = (struct pipe_span){buf, octets, len};
    }
    rx->octets += len;
    return true;
}

RPC_STATUS pipe_rx_arrived(struct pipe_rx *rx, struct rxbuf *buf, const uint8_t *octets,
                           size_t len, size_t *ret_used)
{
    *ret_used = 0;
    enum chunk_verdict verdict = chunk_scan(&rx->scan, octets, len, ret_used, &rx->elements);
    if (verdict == CHUNK_BAD)
        return RPC_X_BAD_STUB_DATA;
    rx->ended = verdict == CHUNK_END;
    if (rx->ended && rx->elements == 0) {
        pipe_rx_drop(rx); /* only framing is left */
        return RPC_S_OK;
    }
    return *ret_used == 0 || add_span(rx, buf, octets, *ret_used) ? RPC_S_OK
                                                                  : RPC_S_OUT_OF_MEMORY;
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
    uint64_t want = sink->count * rx->layout.size - *part;
    size_t len = run->len < want ? run->len : (size_t)want;
    copy_octets(sink->memory, run->octets, len);
    sink->memory += len;
    *part += len;
    sink->count -= *part / rx->layout.size;
    *part %= rx->layout.size;
    return len;
}

/* One element that begins in another run: collected in the bounce buffer. */
static RPC_STATUS take_piece(struct pipe_rx *rx, const uint8_t *octets, size_t len,
                             size_t pos, struct sink *sink, size_t *ret_taken)
{
    if (pos >= rx->layout.size) { /* the pad between two elements */
        size_t pad = rx->layout.stride - pos;
        *ret_taken = len < pad ? len : pad;
        return RPC_S_OK;
    }
    if (!rx->bounce && !(rx->bounce = malloc(rx->layout.size)))
        return RPC_S_OUT_OF_MEMORY;
    size_t rest = rx->layout.size - pos;
    *ret_taken = len < rest ? len : rest;
    memcpy(rx->bounce + pos, octets, *ret_taken);
    if (*ret_taken < rest)
        return RPC_S_OK;
    sink->count--;
    RPC_STATUS status =
        ndr_elements_from_wire(rx->element, rx->chunk.ndr64, rx->bounce, 1, rx->little_endian,
                               sink->memory);
    sink->memory += rx->layout.memory_size;
    return status;
}

static RPC_STATUS take_converted(struct pipe_rx *rx, const struct chunk_run *run,
                                 struct sink *sink, size_t *ret_taken)
{
    size_t taken = 0;
    RPC_STATUS status = RPC_S_OK;
    while (taken < run->len && sink->count > 0 && status == RPC_S_OK) {
        size_t pos = (size_t)((run->offset + taken) % rx->layout.stride);
        size_t left = run->len - taken, n = 0;
        uint64_t whole = pos == 0 ? chunk_whole_elements(&rx->chunk, left) : 0;
        if (whole > sink->count)
            whole = sink->count;
        if (whole > 0) {
            status = ndr_elements_from_wire(rx->element, rx->chunk.ndr64, run->octets + taken,
                                            (size_t)whole, rx->little_endian, sink->memory);
            sink->memory += whole * rx->layout.memory_size;
            sink->count -= whole;
            n = (size_t)(whole * rx->layout.stride);
            n = n < left ? n : left;
        } else {
            status = take_piece(rx, run->octets + taken, left, pos, sink, &n);
        }
        taken += n;
    }
    *ret_taken = taken;
    return status;
}

static void consume(struct pipe_rx *rx, size_t len)
{
    struct pipe_span *span = &rx->spans[rx->first];
    span->octets += len;
    span->len -= len;
    rx->octets -= len;
    if (span->len > 0)
        return;
    rxbuf_put(span->buf);
    rx->first++;
    if (--rx->count == 0)
        rx->first = 0;
}

RPC_STATUS pipe_rx_read(struct pipe_rx *rx, void *memory, size_t count, size_t *ret_count)
{
    struct sink sink = {.memory = memory, .count = count < rx->elements ? count : rx->elements};
    const bool flat = rx->layout.flat && rx->little_endian == WIRE_HOST_LITTLE_ENDIAN;
    uint64_t wanted = sink.count;
    size_t part = 0; /* flat: octets of an element begun in an earlier run */
    RPC_STATUS status = RPC_S_OK;
    *ret_count = 0;
    while (sink.count > 0 && status == RPC_S_OK) {
        assert(rx->count > 0); /* scan counted the elements we are after */
        const struct pipe_span *span = &rx->spans[rx->first];
        struct chunk_reader before = rx->read;
        struct chunk_run run;
        size_t used, taken = 0;
        if (chunk_read(&rx->read, span->octets, span->len, &used, &run) != CHUNK_RUN) {
            consume(rx, used);
            continue;
        }
        if (flat)
            taken = take_flat(rx, &run, &sink, &part);
        else
            status = take_converted(rx, &run, &sink, &taken);
        if (taken < run.len) { /* give back what the application has no room for */
            size_t len = used - run.len + taken;
            rx->read = before;
            chunk_read(&rx->read, span->octets, len, &used, &run);
            assert(used == len);
        }
        consume(rx, used);
    }
    *ret_count = (size_t)(wanted - sink.count);
    rx->elements -= *ret_count;
    if (rx->ended && rx->elements == 0)
        pipe_rx_drop(rx);
    if (status == RPC_S_OK && rx->element_range &&
        !ndr_in_range(rx->element_range, rx->element, memory, rx->layout.memory_size, *ret_count))
        status = RPC_X_BAD_STUB_DATA;
    return status;
}

/* ---- Compaction ----------------------------------------------------------- */

void pipe_rx_compact(struct pipe_rx *rx)
{
    if (rx->octets == 0 || rx->octets >= LIMIT_RECV_COMPACT)
        return;
    size_t pinned = 0;
    for (size_t i = 0; i < rx->count; i++)
        pinned += rx->spans[rx->first + i].buf->capacity;
    if (pinned < LIMIT_RECV_COMPACT)
        return;
    struct rxbuf *buf = rxbuf_new(rx->octets);
    if (!buf)
        return; /* it only costs memory */
    size_t len = 0;
    for (size_t i = 0; i < rx->count; i++) {
        struct pipe_span *span = &rx->spans[rx->first + i];
        memcpy(buf->octets + len, span->octets, span->len);
        len += span->len;
        rxbuf_put(span->buf);
    }
    rx->first = 0;
    rx->count = 1;
    rx->spans[0] = (struct pipe_span){buf, buf->octets, len};
}
