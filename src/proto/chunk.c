/* SPDX-License-Identifier: MIT */
/* chunk.c - the framing of one pipe; the contract is in chunk.h.
 *
 * The element side (what an element holds) is ndr/, the fragment side (what a PDU
 * holds) is the call. */
#include "proto/chunk.h"

#include <assert.h>

#include "wire/wire.h"

#define END_ALIGN 8u /* where a fragment that is not the last ends */

/* Octets, and alignment, of every count, also the terminator's. */
static uint32_t count_size(const struct chunk_layout *layout)
{
    return layout->ndr64 ? 8 : 4;
}

static void check_layout(const struct chunk_layout *layout)
{
    uint32_t align = layout->align;
    assert(align == 1 || align == 2 || align == 4 || align == 8);
    assert(layout->size > 0 && layout->stride % align == 0);
    assert(layout->stride >= layout->size && layout->stride - layout->size < align);
}

static uint64_t gap_to(uint64_t offset, uint32_t align)
{
    return -offset & (align - 1);
}

/* At most (2^32-1)^2 octets: no overflow. */
static uint64_t data_len(const struct chunk_layout *layout, uint32_t count)
{
    assert(count > 0);
    return (uint64_t)(count - 1) * layout->stride + layout->size;
}

uint64_t chunk_whole_elements(const struct chunk_layout *layout, uint64_t len)
{
    if (layout->stride == 1) /* a byte pipe counts often: no division */
        return len;
    return len < layout->size ? 0 : (len - layout->size) / layout->stride + 1;
}

/* ---- Reading ---------------------------------------------------------------- */

void chunk_reader_init(struct chunk_reader *r, const struct chunk_layout *layout,
                       uint64_t stub_offset, bool little_endian)
{
    check_layout(layout);
    *r = (struct chunk_reader){
        .layout = layout,
        .state = CHUNK_AT_GAP,
        .little_endian = little_endian,
        .offset = stub_offset,
    };
}

/* Steps over the gap in front of something aligned to `align`, as far as there are
 * octets; their values are ignored, for real peers leave garbage there.  True when
 * the gap is behind us. */
static bool skip_gap(struct chunk_reader *r, uint32_t align, size_t len, size_t *used)
{
    uint64_t gap = gap_to(r->offset, align);
    size_t here = len - *used < gap ? len - *used : (size_t)gap;
    *used += here;
    r->offset += here;
    return here == gap;
}

static void begin_number(struct chunk_reader *r, enum chunk_state state)
{
    r->number = 0;
    r->number_got = 0;
    r->state = (uint8_t)state;
}

/* True when all its octets are there. */
static bool collect_number(struct chunk_reader *r, const uint8_t *octets, size_t len, size_t *used)
{
    const unsigned size = count_size(r->layout);
    while (r->number_got < size && *used < len) {
        unsigned place = r->little_endian ? r->number_got : size - 1u - r->number_got;
        r->number |= (uint64_t)octets[*used] << (8 * place);
        r->number_got++;
        r->offset++;
        ++*used;
    }
    return r->number_got == size;
}

static enum chunk_state judge_count(struct chunk_reader *r)
{
    r->count = (uint32_t)r->number;
    if (r->number == 0) { /* no gap for an element that does not come */
        if (!r->layout->ndr64)
            return CHUNK_AT_END;
        begin_number(r, CHUNK_AT_CHECK);
        return CHUNK_AT_CHECK;
    }
    if (r->number < r->layout->count_min || r->number > r->layout->count_max)
        return CHUNK_BROKEN; /* MS-RPCE 2.2.4.14.1 */
    if (r->layout->ndr64 && r->number > CHUNK_COUNT_MAX_64)
        return CHUNK_BROKEN;
    r->left = data_len(r->layout, r->count);
    return CHUNK_AT_ELEMENT_GAP;
}

/* The count repeated, negated. */
static enum chunk_state judge_check(const struct chunk_reader *r)
{
    if (r->number != -(uint64_t)r->count)
        return CHUNK_BROKEN;
    return r->count == 0 ? CHUNK_AT_END : CHUNK_AT_GAP;
}

/* The run that begins at octets[used]; at least one octet is there. */
static struct chunk_run take_run(struct chunk_reader *r, const uint8_t *octets, size_t len,
                                 size_t *used)
{
    size_t here = len - *used < r->left ? len - *used : (size_t)r->left;
    struct chunk_run run = {
        .octets = octets + *used,
        .len = here,
        .offset = data_len(r->layout, r->count) - r->left,
        .count = r->count,
    };
    *used += here;
    r->offset += here;
    r->left -= here;
    if (r->left == 0)
        r->state = r->layout->ndr64 ? CHUNK_AT_CHECK_GAP : CHUNK_AT_GAP;
    return run;
}

enum chunk_verdict chunk_read(struct chunk_reader *r, const uint8_t *octets, size_t len,
                              size_t *ret_used, struct chunk_run *ret_run)
{
    size_t used = 0;
    enum chunk_verdict verdict = CHUNK_MORE;
    for (;;) {
        switch ((enum chunk_state)r->state) {
        case CHUNK_AT_GAP:
            if (!skip_gap(r, count_size(r->layout), len, &used))
                goto out;
            begin_number(r, CHUNK_AT_COUNT);
            break;
        case CHUNK_AT_COUNT:
            if (!collect_number(r, octets, len, &used))
                goto out;
            r->state = (uint8_t)judge_count(r);
            break;
        case CHUNK_AT_ELEMENT_GAP:
            if (!skip_gap(r, r->layout->align, len, &used))
                goto out;
            r->state = CHUNK_AT_ELEMENTS;
            break;
        case CHUNK_AT_ELEMENTS:
            if (used == len)
                goto out;
            *ret_run = take_run(r, octets, len, &used);
            verdict = CHUNK_RUN;
            goto out;
        case CHUNK_AT_CHECK_GAP:
            if (!skip_gap(r, count_size(r->layout), len, &used))
                goto out;
            begin_number(r, CHUNK_AT_CHECK);
            break;
        case CHUNK_AT_CHECK:
            if (!collect_number(r, octets, len, &used))
                goto out;
            r->state = (uint8_t)judge_check(r);
            break;
        case CHUNK_AT_END:
            verdict = CHUNK_END;
            goto out;
        case CHUNK_BROKEN:
            verdict = CHUNK_BAD;
            goto out;
        }
    }
out:
    *ret_used = used;
    return verdict;
}

enum chunk_verdict chunk_scan(struct chunk_reader *r, const uint8_t *octets, size_t len,
                              size_t *ret_used, uint64_t *elements)
{
    size_t used = 0;
    for (;;) {
        struct chunk_run run;
        size_t step;
        const uint8_t *rest = len > used ? octets + used : octets;
        enum chunk_verdict verdict = chunk_read(r, rest, len - used, &step, &run);
        used += step;
        if (verdict != CHUNK_RUN) {
            *ret_used = used;
            return verdict;
        }
        *elements += chunk_whole_elements(r->layout, run.offset + run.len) -
                     chunk_whole_elements(r->layout, run.offset);
    }
}

/* ---- Writing ---------------------------------------------------------------- */

static void put_count(struct wire_writer *w, const struct chunk_layout *layout, uint64_t offset,
                      uint64_t count)
{
    wire_put_zeros(w, (size_t)gap_to(offset + w->len, count_size(layout)));
    if (layout->ndr64)
        wire_put_u64(w, count);
    else
        wire_put_u32(w, (uint32_t)count);
}

/* Appends a chunk of `count` elements, or a terminator, to the plan. */
static void add_piece(struct chunk_plan *plan, const struct chunk_layout *layout, uint32_t count)
{
    struct chunk_piece *piece = &plan->pieces[plan->piece_count++];
    struct wire_writer w;
    wire_writer_init(&w, piece->lead, sizeof(piece->lead));
    if (layout->ndr64 && piece > plan->pieces)
        put_count(&w, layout, plan->end_offset, -(uint64_t)piece[-1].count);
    put_count(&w, layout, plan->end_offset, count);
    if (layout->ndr64 && count == 0)
        put_count(&w, layout, plan->end_offset, 0);
    if (count > 0)
        wire_put_zeros(&w, (size_t)gap_to(plan->end_offset + w.len, layout->align));
    assert(!w.failed);

    piece->lead_len = (uint8_t)w.len;
    piece->count = count;
    piece->data_len = count > 0 ? data_len(layout, count) : 0;
    plan->end_offset += piece->lead_len + piece->data_len;
}

/* Ends the plan of a push. */
static void add_tail(struct chunk_plan *plan, const struct chunk_layout *layout)
{
    struct wire_writer w;
    wire_writer_init(&w, plan->tail, sizeof(plan->tail));
    if (layout->ndr64)
        put_count(&w, layout, plan->end_offset,
                  -(uint64_t)plan->pieces[plan->piece_count - 1].count);
    else
        wire_put_zeros(&w, (size_t)gap_to(plan->end_offset, count_size(layout)));
    assert(!w.failed);
    plan->tail_len = (uint8_t)w.len;
    plan->end_offset += w.len;
}

/* Where a chunk of `count` elements at `offset` ends; NDR 2.0. */
static uint64_t chunk_end(const struct chunk_layout *layout, uint64_t offset, uint64_t count)
{
    uint64_t at = offset + gap_to(offset, count_size(layout)) + count_size(layout);
    return at + gap_to(at, layout->align) + data_len(layout, (uint32_t)count);
}

/* Where a plan of a chunk of `first` elements and, if `second` is not 0, another ends. */
static uint64_t plan_end(const struct chunk_layout *layout, uint64_t stub_offset, uint64_t first,
                         uint64_t second)
{
    uint64_t end = chunk_end(layout, stub_offset, first);
    if (second > 0)
        end = chunk_end(layout, end, second);
    return end + gap_to(end, count_size(layout));
}

static void plan_chunks(const struct chunk_layout *layout, uint64_t stub_offset, uint32_t first,
                        uint32_t second, struct chunk_plan *ret_plan)
{
    ret_plan->end_offset = stub_offset;
    ret_plan->piece_count = 0;
    add_piece(ret_plan, layout, first);
    if (second > 0)
        add_piece(ret_plan, layout, second);
    add_tail(ret_plan, layout);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* NDR64: as few chunks as the bounds allow, the last ones no smaller than they must be. */
static bool plan_64(const struct chunk_layout *layout, uint64_t stub_offset, uint64_t count,
                    struct chunk_plan *ret_plan)
{
    uint64_t low = max_u64(layout->count_min, 1);
    uint64_t high = min_u64(layout->count_max, CHUNK_COUNT_MAX_64);
    uint64_t chunks = high > 0 ? (count + high - 1) / high : 0;
    if (chunks == 0 || chunks > CHUNK_PIECES_MAX || low > count / chunks)
        return false;
    ret_plan->end_offset = stub_offset;
    ret_plan->piece_count = 0;
    for (; chunks > 0; chunks--) {
        uint64_t part = min_u64(high, count - (chunks - 1) * low);
        add_piece(ret_plan, layout, (uint32_t)part);
        count -= part;
    }
    add_tail(ret_plan, layout);
    return true;
}

bool chunk_plan(const struct chunk_layout *layout, uint64_t stub_offset, uint64_t count,
                struct chunk_plan *ret_plan)
{
    check_layout(layout);
    if (count == 0) {
        *ret_plan = (struct chunk_plan){.end_offset = stub_offset};
        add_piece(ret_plan, layout, 0);
        return true;
    }
    if (count > UINT32_MAX)
        return false;
    if (layout->ndr64)
        return plan_64(layout, stub_offset, count, ret_plan);

    uint64_t low = max_u64(layout->count_min, 1);
    uint64_t high = layout->count_max;
    uint64_t first = 0; /* elements of the first chunk; 0: no plan found yet */
    bool aligned = false;
    if (low <= count && count <= high) {
        first = count;
        aligned = plan_end(layout, stub_offset, count, 0) % END_ALIGN == 0;
    }
    /* Sizes of the first of two chunks, such that both are in range.  Four in a
     * row tell all there is: four elements more here and four less there move the
     * end of neither chunk to another place modulo 4 (align 1, 2, 4), and with align
     * 8 the end does not depend on the split at all. */
    if (!aligned && count >= 2 && count >= low) {
        uint64_t from = max_u64(low, count > high ? count - high : 1);
        uint64_t to = min_u64(min_u64(high, count - 1), count - low);
        for (uint64_t split = from; !aligned && split <= to && split - from < 4; split++) {
            aligned = plan_end(layout, stub_offset, split, count - split) % END_ALIGN == 0;
            if (aligned || first == 0)
                first = split;
        }
    }
    if (first == 0)
        return false;
    plan_chunks(layout, stub_offset, (uint32_t)first, (uint32_t)(count - first), ret_plan);
    return true;
}
