/* SPDX-License-Identifier: MIT */
/* chunk_test.c - the framing of pipes: reader, scanner and writer, exhaustively
 * over small element types, stub offsets and counts.
 *
 * The model here steps octet by octet and shares no arithmetic with the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/chunk.h"
#include "vectors.h"

#define COUNT_TOP  40u /* counts 0 to 40           */
#define STREAM_MAX 2048u

#define PLAIN(size, align, stride)                                                                 \
    {                                                                                              \
        size, align, stride, 0, UINT32_MAX, false                                                  \
    }
static const struct chunk_layout layouts[] = {
    PLAIN(1, 1, 1), PLAIN(2, 2, 2),   PLAIN(4, 4, 4),  PLAIN(8, 8, 8),
    PLAIN(6, 4, 8), PLAIN(12, 4, 12), PLAIN(5, 1, 5),  PLAIN(16, 8, 16),
    PLAIN(3, 2, 4), PLAIN(12, 8, 16), PLAIN(9, 8, 16),
};
#define LAYOUT_COUNT (sizeof(layouts) / sizeof(layouts[0]))

/* A stub being built; octets[0] has stub offset `start`. */
struct stream {
    uint64_t start;
    size_t len;
    uint8_t octets[STREAM_MAX];
};

static void put(struct stream *s, uint8_t octet)
{
    assert_true(s->len < sizeof(s->octets));
    s->octets[s->len++] = octet;
}

static void put_gap(struct stream *s, unsigned align, uint8_t filler)
{
    while ((s->start + s->len) % align != 0)
        put(s, filler);
}

static void put_count(struct stream *s, uint32_t count, bool little_endian)
{
    for (unsigned i = 0; i < 4; i++)
        put(s, (uint8_t)(count >> 8 * (little_endian ? i : 3 - i)));
}

/* Octet `at` of element `index`: never zero, so that pads are told apart. */
static uint8_t element_octet(uint64_t index, uint32_t at)
{
    return (uint8_t)(1 + (index * 31 + at * 7) % 255);
}

/* A chunk as the rules say it, elements `first` to `first + count - 1`. */
static void put_chunk(struct stream *s, const struct chunk_layout *l, uint64_t first,
                      uint32_t count, bool little_endian, uint8_t filler)
{
    put_gap(s, 4, filler);
    put_count(s, count, little_endian);
    for (uint32_t i = 0; i < count; i++) {
        put_gap(s, l->align, filler);
        for (uint32_t at = 0; at < l->size; at++)
            put(s, element_octet(first + i, at));
    }
}

/* What a plan says, with memory that holds the elements at stride, gaps zeroed. */
static void put_plan(struct stream *s, const struct chunk_layout *l, const struct chunk_plan *plan)
{
    uint64_t element = 0;
    for (unsigned p = 0; p < plan->piece_count; p++) {
        const struct chunk_piece *piece = &plan->pieces[p];
        for (unsigned i = 0; i < piece->lead_len; i++)
            put(s, piece->lead[i]);
        for (uint64_t i = 0; i < piece->data_len; i++) {
            uint32_t at = (uint32_t)(i % l->stride);
            put(s, at < l->size ? element_octet(element + i / l->stride, at) : 0);
        }
        element += piece->count;
    }
    for (unsigned i = 0; i < plan->tail_len; i++)
        put(s, 0);
}

/* Reads one pipe from successive pieces of a stream and keeps account. */
struct drain {
    struct chunk_reader reader;
    uint64_t elements_before; /* of the chunks before the current one       */
    uint64_t elements;        /* whole elements whose octets were all right */
    uint32_t chunk_count;     /* of the current chunk                       */
    size_t used;              /* octets consumed altogether                 */
    enum chunk_verdict last;
};

static void drain_init(struct drain *d, const struct chunk_layout *l, uint64_t start,
                       bool little_endian)
{
    *d = (struct drain){.last = CHUNK_MORE};
    chunk_reader_init(&d->reader, l, start, little_endian);
}

static void drain_run(struct drain *d, const struct chunk_layout *l, const struct chunk_run *run)
{
    if (run->offset == 0) {
        d->elements_before += d->chunk_count;
        d->chunk_count = run->count;
    }
    for (size_t i = 0; i < run->len; i++) {
        uint64_t index = d->elements_before + (run->offset + i) / l->stride;
        uint32_t at = (uint32_t)((run->offset + i) % l->stride);
        if (at < l->size && run->octets[i] != element_octet(index, at))
            fail_msg("element %u is wrong at octet %u", (unsigned)index, (unsigned)at);
        if (at == l->size - 1) {
            assert_int_equal(index, d->elements);
            d->elements++;
        }
    }
}

static void drain_feed(struct drain *d, const struct chunk_layout *l, const uint8_t *octets,
                       size_t len)
{
    size_t done = 0;
    for (;;) {
        struct chunk_run run;
        size_t used = SIZE_MAX;
        d->last = chunk_read(&d->reader, octets + done, len - done, &used, &run);
        assert_true(used <= len - done);
        if (d->last == CHUNK_RUN) {
            assert_true(run.len > 0);
            assert_ptr_equal(run.octets + run.len, octets + done + used);
            drain_run(d, l, &run);
        }
        done += used;
        d->used += used;
        if (d->last == CHUNK_MORE)
            assert_int_equal(done, len);
        if (d->last != CHUNK_RUN)
            return;
    }
}

/* Splits the stream into two at every octet, and once into single octets. */
static void check_reader(const struct stream *s, const struct chunk_layout *l, size_t pipe_len,
                         uint64_t count, bool little_endian)
{
    struct drain d;
    for (size_t cut = 0; cut <= s->len; cut++) {
        drain_init(&d, l, s->start, little_endian);
        drain_feed(&d, l, s->octets, cut);
        assert_int_equal(d.last, cut < pipe_len ? CHUNK_MORE : CHUNK_END);
        drain_feed(&d, l, s->octets + d.used, s->len - d.used);
        assert_int_equal(d.last, CHUNK_END);
        assert_int_equal(d.used, pipe_len);
        assert_int_equal(d.elements, count);
    }
    drain_init(&d, l, s->start, little_endian);
    for (size_t i = 0; i < pipe_len; i++) {
        assert_int_equal(d.last, CHUNK_MORE);
        drain_feed(&d, l, s->octets + i, 1);
    }
    assert_int_equal(d.last, CHUNK_END);
    assert_int_equal(d.elements, count);
}

/* The scanner at every split must know what the reader knows. */
static void check_scanner(const struct stream *s, const struct chunk_layout *l, size_t pipe_len,
                          uint64_t count, bool little_endian)
{
    struct drain d; /* fed octet by octet, ahead of the scanner's first half */
    drain_init(&d, l, s->start, little_endian);
    for (size_t cut = 0; cut <= pipe_len; cut++) {
        struct chunk_reader scanner;
        uint64_t elements = 0;
        size_t first, second;
        chunk_reader_init(&scanner, l, s->start, little_endian);
        enum chunk_verdict verdict = chunk_scan(&scanner, s->octets, cut, &first, &elements);
        assert_int_equal(verdict, cut < pipe_len ? CHUNK_MORE : CHUNK_END);
        assert_int_equal(first, cut);
        assert_int_equal(elements, d.elements);
        verdict = chunk_scan(&scanner, s->octets + cut, s->len - cut, &second, &elements);
        assert_int_equal(verdict, CHUNK_END);
        assert_int_equal(first + second, pipe_len);
        assert_int_equal(elements, count);
        if (cut < pipe_len)
            drain_feed(&d, l, s->octets + cut, 1);
    }
}

/* What follows the terminator is not the pipe's. */
static size_t finish(struct stream *s, bool little_endian, uint8_t filler)
{
    put_gap(s, 4, filler);
    put_count(s, 0, little_endian);
    size_t pipe_len = s->len;
    for (unsigned i = 0; i < 9; i++)
        put(s, 0xd7);
    return pipe_len;
}

/* One and two chunks, gaps full of garbage (real peers send it), both orders. */
static void c_reader_over_all_splits(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 0; count <= COUNT_TOP; count++) {
                bool little = (count + start) % 2 == 0 || count < 4;
                uint32_t first = count > 2 ? 1 + count % 3 : count;
                struct stream s = {.start = start};
                if (first > 0)
                    put_chunk(&s, l, 0, first, little, 0xee);
                if (count > first)
                    put_chunk(&s, l, first, count - first, little, 0xee);
                size_t pipe_len = finish(&s, little, 0xee);
                check_reader(&s, l, pipe_len, count, little);
            }
        }
    }
}

static void c_reader_in_the_other_order(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 1; count <= COUNT_TOP; count++) {
                struct stream s = {.start = start};
                put_chunk(&s, l, 0, count, false, 0);
                size_t pipe_len = finish(&s, false, 0);
                check_reader(&s, l, pipe_len, count, false);
            }
        }
    }
}

static void c_scanner_over_all_splits(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 0; count <= COUNT_TOP; count++) {
                bool little = count % 2 == 0;
                struct stream s = {.start = start};
                uint64_t at = 0;
                for (uint32_t n = 1; at < count; n++) { /* chunks of 1, 2, 3, ... */
                    uint32_t now = count - at < n ? (uint32_t)(count - at) : n;
                    put_chunk(&s, l, at, now, little, 0xee);
                    at += now;
                }
                size_t pipe_len = finish(&s, little, 0xee);
                check_scanner(&s, l, pipe_len, count, little);
            }
        }
    }
}

/* Where a push ends by the rules: `first` elements, then `second` if not 0, then
 * the gap the next count needs. */
static uint64_t model_end(const struct chunk_layout *l, uint64_t start, uint32_t first,
                          uint32_t second)
{
    struct stream s = {.start = start};
    put_chunk(&s, l, 0, first, true, 0);
    if (second > 0)
        put_chunk(&s, l, first, second, true, 0);
    put_gap(&s, 4, 0);
    return start + s.len;
}

/* The end of a push, stated exactly: a multiple of 8 if and only if one chunk or
 * any split into two gets there; always a multiple of 4; two chunks only where one
 * does not get there. */
static void c_plan_ends_at_8_whenever_possible(void **state)
{
    (void)state;
    unsigned reached = 0, missed = 0, split = 0;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 1; count <= COUNT_TOP; count++) {
                struct chunk_plan plan;
                assert_true(chunk_plan(l, start, count, &plan));
                bool alone = model_end(l, start, count, 0) % 8 == 0;
                bool possible = alone;
                for (uint32_t first = 1; first < count; first++)
                    possible |= model_end(l, start, first, count - first) % 8 == 0;
                assert_int_equal(plan.end_offset % 8 == 0, possible);
                assert_int_equal(plan.end_offset % 4, 0);
                assert_int_equal(plan.piece_count, possible && !alone ? 2 : 1);
                reached += possible;
                missed += !possible;
                split += plan.piece_count == 2;
            }
        }
    }
    /* The property would be empty if one of these never happened. */
    assert_true(reached > 0 && missed > 0 && split > 0);
}

/* The same for the types that matter, in words: from an offset that is a multiple
 * of 4, every push of two or more 4-aligned elements ends at a multiple of 8, and
 * so does every push of five or more octets. */
static void b_plan_for_common_types(void **state)
{
    (void)state;
    struct chunk_plan plan;
    for (uint64_t start = 0; start < 8; start += 4) {
        for (uint32_t count = 2; count <= COUNT_TOP; count++) {
            assert_true(chunk_plan(&layouts[2], start, count, &plan)); /* long */
            assert_int_equal(plan.end_offset % 8, 0);
        }
        for (uint32_t count = 5; count <= COUNT_TOP; count++) {
            assert_true(chunk_plan(&layouts[0], start, count, &plan)); /* octet */
            assert_int_equal(plan.end_offset % 8, 0);
        }
        for (uint32_t count = 1; count <= COUNT_TOP; count++) {
            assert_true(chunk_plan(&layouts[3], start, count, &plan)); /* hyper */
            assert_int_equal(plan.end_offset % 8, 0);
            assert_int_equal(plan.piece_count, 1);
        }
    }
}

/* What a plan writes is what the rules say, ends where it says, is padded with
 * zeros, and reads back as the same elements in the order of pushing. */
static void c_writer_to_reader_identity(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 0; count <= COUNT_TOP; count++) {
                struct chunk_plan plan, end;
                struct stream s = {.start = start};
                assert_true(chunk_plan(l, start, count, &plan));
                put_plan(&s, l, &plan);
                assert_int_equal(start + s.len, plan.end_offset);
                if (count > 0) {
                    struct stream want = {.start = start};
                    uint32_t first = plan.pieces[0].count;
                    put_chunk(&want, l, 0, first, true, 0);
                    if (plan.piece_count == 2)
                        put_chunk(&want, l, first, plan.pieces[1].count, true, 0);
                    put_gap(&want, 4, 0);
                    assert_int_equal(s.len, want.len);
                    assert_memory_equal(s.octets, want.octets, want.len);

                    assert_true(chunk_plan(l, plan.end_offset, 0, &end));
                    assert_int_equal(end.pieces[0].lead_len, 4); /* no gap left to write */
                    put_plan(&s, l, &end);
                }
                size_t pipe_len = s.len;
                put(&s, 0xd7);
                check_reader(&s, l, pipe_len, count, true);
            }
        }
    }
}

static void a_terminator(void **state)
{
    (void)state;
    for (unsigned start = 0; start < 8; start++) {
        struct chunk_plan plan;
        assert_true(chunk_plan(&layouts[3], start, 0, &plan));
        assert_int_equal(plan.piece_count, 1);
        assert_int_equal(plan.pieces[0].count, 0);
        assert_int_equal(plan.pieces[0].data_len, 0);
        assert_int_equal(plan.tail_len, 0);
        assert_int_equal(plan.end_offset, (start + 3) / 4 * 4 + 4);
        assert_memory_equal(plan.pieces[0].lead, "\0\0\0\0\0\0\0", plan.pieces[0].lead_len);
    }
}

/* The two request fragments of example A: the chunk of 3 is cut between them. */
static void a_example_over_two_fragments(void **state)
{
    (void)state;
    struct vector one = vector_load("a3_request"), two = vector_load("a4_request");
    const struct chunk_layout *l = &layouts[2];
    struct chunk_reader r;
    struct chunk_run run;
    size_t used;
    const uint32_t want[6] = {1, 2, 3, 4, 5, 6};
    uint8_t got[24];
    size_t got_len = 0;

    /* The stub is at 24 in both; `tag` takes its first four octets. */
    chunk_reader_init(&r, l, 4, true);
    const uint8_t *at = one.octets + 28;
    size_t left = one.len - 28;
    for (unsigned fragment = 0;;) {
        enum chunk_verdict verdict = chunk_read(&r, at, left, &used, &run);
        at += used;
        left -= used;
        if (verdict == CHUNK_RUN) {
            assert_true(got_len + run.len <= sizeof(got));
            memcpy(got + got_len, run.octets, run.len);
            got_len += run.len;
        } else if (verdict == CHUNK_MORE) {
            assert_int_equal(fragment++, 0);
            assert_int_equal(got_len, 12);
            at = two.octets + 24;
            left = two.len - 24;
        } else {
            assert_int_equal(verdict, CHUNK_END);
            break;
        }
    }
    assert_int_equal(left, 0);
    assert_int_equal(got_len, sizeof(got));
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(got[4 * i], want[i]);
}

static void a_example_of_octets(void **state)
{
    (void)state;
    struct vector v = vector_load("f1_pipe_bytes");
    char text[16] = "";
    size_t text_len = 0, at = 4, used;
    struct chunk_reader r;
    struct chunk_run run;
    chunk_reader_init(&r, &layouts[0], 4, true);
    while (chunk_read(&r, v.octets + at, v.len - at, &used, &run) == CHUNK_RUN) {
        memcpy(text + text_len, run.octets, run.len);
        text_len += run.len;
        at += used;
    }
    assert_int_equal(r.state, CHUNK_AT_END);
    assert_int_equal(at + used, v.len);
    assert_string_equal(text, "Helloabc");
}

/* The chunks of 5, 4, 3, 2, 1 that a Windows server sent, elements struct {long;
 * short}: the terminator was seen at stub offset 0x8c. */
static void a_windows_response_offsets(void **state)
{
    (void)state;
    struct stream s = {.start = 0};
    const struct chunk_layout *l = &layouts[4];
    uint64_t first = 0;
    for (uint32_t n = 5; n > 0; n--) {
        put_chunk(&s, l, first, n, true, 0xaa);
        first += n;
    }
    size_t pipe_len = finish(&s, true, 0xaa);
    assert_int_equal(pipe_len, 0x90);
    check_reader(&s, l, pipe_len, 15, true);
}

static void b_end_is_final(void **state)
{
    (void)state;
    const uint8_t stub[8] = {0, 0, 0, 0, 1, 0, 0, 0};
    struct chunk_reader r;
    struct chunk_run run;
    size_t used;
    chunk_reader_init(&r, &layouts[0], 0, true);
    assert_int_equal(chunk_read(&r, stub, 8, &used, &run), CHUNK_END);
    assert_int_equal(used, 4);
    assert_int_equal(chunk_read(&r, stub + 4, 4, &used, &run), CHUNK_END);
    assert_int_equal(used, 0);
}

/* [range] bounds every chunk's count, but never the terminator. */
static void b_range_is_enforced(void **state)
{
    (void)state;
    const struct chunk_layout ranged = {1, 1, 1, 3, 5, false};
    for (uint32_t count = 0; count < 300; count++) {
        struct stream s = {.start = 0};
        struct chunk_reader r;
        struct chunk_run run;
        size_t used;
        put_chunk(&s, &ranged, 0, count, false, 0);
        chunk_reader_init(&r, &ranged, 0, false);
        enum chunk_verdict verdict = chunk_read(&r, s.octets, s.len, &used, &run);
        enum chunk_verdict want = count == 0               ? CHUNK_END
                                  : count < 3 || count > 5 ? CHUNK_BAD
                                                           : CHUNK_RUN;
        assert_int_equal(verdict, want);
        if (want == CHUNK_BAD) {
            assert_int_equal(chunk_read(&r, s.octets, s.len, &used, &run), CHUNK_BAD);
            assert_int_equal(used, 0);
            uint64_t elements = 0;
            assert_int_equal(chunk_scan(&r, s.octets, s.len, &used, &elements), CHUNK_BAD);
            assert_int_equal(elements, 0);
        }
    }
}

/* A plan obeys the range, with two chunks where one would be too many elements. */
static void b_plan_obeys_the_range(void **state)
{
    (void)state;
    for (uint64_t min = 0; min <= 6; min++) {
        for (uint64_t max = min; max <= 9; max++) {
            const struct chunk_layout ranged = {4, 4, 4, min, max, false};
            for (uint32_t count = 1; count <= 20; count++) {
                bool possible = count >= min && count <= max;
                for (uint32_t first = 1; first < count; first++)
                    possible |= first >= min && first <= max && count - first >= min &&
                                count - first <= max;
                struct chunk_plan plan;
                assert_int_equal(chunk_plan(&ranged, 0, count, &plan), possible);
                uint64_t sum = 0;
                for (unsigned i = 0; possible && i < plan.piece_count; i++) {
                    assert_in_range(plan.pieces[i].count, min > 0 ? min : 1, max);
                    sum += plan.pieces[i].count;
                }
                assert_int_equal(sum, possible ? count : 0);
            }
        }
    }
}

/* The largest counts: no overflow, nothing allocated, no octet invented. */
static void b_hostile_counts(void **state)
{
    (void)state;
    const struct chunk_layout huge = {UINT32_MAX - 7, 8, UINT32_MAX - 7, 0, UINT32_MAX, false};
    const uint8_t stub[16] = {0xff, 0xff, 0xff, 0xff};
    struct chunk_reader r;
    struct chunk_run run;
    size_t used;
    uint64_t elements = 0;
    chunk_reader_init(&r, &huge, 0, true);
    assert_int_equal(chunk_read(&r, stub, sizeof(stub), &used, &run), CHUNK_RUN);
    assert_int_equal(used, 16);
    assert_int_equal(run.len, 8);
    assert_int_equal(run.count, UINT32_MAX);
    assert_true(r.left == (uint64_t)UINT32_MAX * (UINT32_MAX - 7) - 8);
    assert_int_equal(chunk_scan(&r, stub, sizeof(stub), &used, &elements), CHUNK_MORE);
    assert_int_equal(used, 16);
    assert_int_equal(elements, 0);

    struct chunk_plan plan;
    assert_true(chunk_plan(&layouts[0], 0, UINT32_MAX, &plan));
    assert_int_equal(plan.end_offset % 8, 0);
    assert_false(chunk_plan(&layouts[0], 0, (uint64_t)UINT32_MAX + 1, &plan));
    assert_false(chunk_plan(&layouts[0], 0, UINT64_MAX, &plan));
}

static void b_no_octets_at_all(void **state)
{
    (void)state;
    struct chunk_reader r;
    struct chunk_run run;
    size_t used = 1;
    uint64_t elements = 0;
    chunk_reader_init(&r, &layouts[0], 1, true);
    assert_int_equal(chunk_read(&r, NULL, 0, &used, &run), CHUNK_MORE);
    assert_int_equal(used, 0);
    assert_int_equal(chunk_scan(&r, NULL, 0, &used, &elements), CHUNK_MORE);
    assert_int_equal(used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminator),
        cmocka_unit_test(a_example_over_two_fragments),
        cmocka_unit_test(a_example_of_octets),
        cmocka_unit_test(a_windows_response_offsets),
        cmocka_unit_test(b_end_is_final),
        cmocka_unit_test(b_range_is_enforced),
        cmocka_unit_test(b_plan_obeys_the_range),
        cmocka_unit_test(b_plan_for_common_types),
        cmocka_unit_test(b_hostile_counts),
        cmocka_unit_test(b_no_octets_at_all),
        cmocka_unit_test(c_reader_over_all_splits),
        cmocka_unit_test(c_reader_in_the_other_order),
        cmocka_unit_test(c_scanner_over_all_splits),
        cmocka_unit_test(c_plan_ends_at_8_whenever_possible),
        cmocka_unit_test(c_writer_to_reader_identity),
    };
    return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
