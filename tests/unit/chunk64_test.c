/* SPDX-License-Identifier: MIT */
/* chunk64_test.c - the framing of pipes in NDR64 (MS-RPCE 2.2.5.3.4.5): the same as
 * chunk_test.c does for NDR 2.0, against a model that shares no arithmetic with the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/chunk.h"
#include "vectors.h"

#define COUNT_TOP  20u
#define STREAM_MAX 2048u

/* What NDR64 elements can be: structures include their pad. */
static const struct chunk_layout layouts[] = {
    {1, 1, 1, 0, UINT32_MAX, true}, {2, 2, 2, 0, UINT32_MAX, true},
    {4, 4, 4, 0, UINT32_MAX, true}, {8, 8, 8, 0, UINT32_MAX, true},
    {8, 4, 8, 0, UINT32_MAX, true}, {12, 4, 12, 0, UINT32_MAX, true},
    {5, 1, 5, 0, UINT32_MAX, true}, {16, 8, 16, 0, UINT32_MAX, true},
};
#define LAYOUT_COUNT (sizeof(layouts) / sizeof(layouts[0]))

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

static void put_number(struct stream *s, uint64_t value, bool little_endian, uint8_t filler)
{
    while ((s->start + s->len) % 8 != 0)
        put(s, filler);
    for (unsigned i = 0; i < 8; i++)
        put(s, (uint8_t)(value >> 8 * (little_endian ? i : 7 - i)));
}

static uint8_t element_octet(uint64_t index, uint32_t at)
{
    return (uint8_t)(1 + (index * 31 + at * 7) % 255);
}

static void put_chunk(struct stream *s, const struct chunk_layout *l, uint64_t first,
                      uint32_t count, bool little_endian, uint8_t filler)
{
    put_number(s, count, little_endian, filler);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t at = 0; at < l->size; at++)
            put(s, element_octet(first + i, at));
    put_number(s, 0 - (uint64_t)count, little_endian, filler);
}

static size_t finish(struct stream *s, bool little_endian, uint8_t filler)
{
    put_number(s, 0, little_endian, filler);
    put_number(s, 0, little_endian, filler);
    size_t pipe_len = s->len;
    for (unsigned i = 0; i < 9; i++)
        put(s, 0xd7);
    return pipe_len;
}

/* Reads one pipe from successive pieces of a stream and keeps account. */
struct drain {
    struct chunk_reader reader;
    uint64_t octets; /* of elements, all of them right so far */
    size_t used;
    enum chunk_verdict last;
};

static void drain_init(struct drain *d, const struct chunk_layout *l, uint64_t start,
                       bool little_endian)
{
    *d = (struct drain){.last = CHUNK_MORE};
    chunk_reader_init(&d->reader, l, start, little_endian);
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
            for (size_t i = 0; i < run.len; i++, d->octets++)
                assert_int_equal(run.octets[i], element_octet(d->octets / l->size,
                                                              (uint32_t)(d->octets % l->size)));
        }
        done += used;
        d->used += used;
        if (d->last != CHUNK_RUN)
            return;
        assert_true(d->octets > 0);
    }
}

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
        assert_int_equal(d.octets, count * l->size);
    }
    drain_init(&d, l, s->start, little_endian);
    for (size_t i = 0; i < pipe_len; i++) {
        uint64_t elements = 0, known = d.octets / l->size;
        size_t used;
        struct chunk_reader scanner;
        chunk_reader_init(&scanner, l, s->start, little_endian);
        assert_int_equal(chunk_scan(&scanner, s->octets, i, &used, &elements), CHUNK_MORE);
        assert_int_equal(used, i);
        assert_int_equal(elements, known);
        drain_feed(&d, l, s->octets + i, 1);
    }
    assert_int_equal(d.last, CHUNK_END);
}

/* Chunks of 1, 2, 3, ..., gaps full of garbage, both orders, cut anywhere. */
static void c_reader_over_all_splits(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 0; count <= COUNT_TOP; count++) {
                bool little = (count + start) % 2 == 0;
                struct stream s = {.start = start};
                uint32_t at = 0;
                for (uint32_t n = 1; at < count; n++) {
                    uint32_t now = count - at < n ? count - at : n;
                    put_chunk(&s, l, at, now, little, 0xee);
                    at += now;
                }
                size_t pipe_len = finish(&s, little, 0xee);
                check_reader(&s, l, pipe_len, count, little);
            }
        }
    }
}

static void put_plan(struct stream *s, const struct chunk_layout *l, const struct chunk_plan *plan)
{
    uint64_t octet = 0;
    for (unsigned p = 0; p < plan->piece_count; p++) {
        const struct chunk_piece *piece = &plan->pieces[p];
        for (unsigned i = 0; i < piece->lead_len; i++)
            put(s, piece->lead[i]);
        for (uint64_t i = 0; i < piece->data_len; i++, octet++)
            put(s, element_octet(octet / l->size, (uint32_t)(octet % l->size)));
    }
    for (unsigned i = 0; i < plan->tail_len; i++)
        put(s, plan->tail[i]);
}

/* What a plan writes is what the rules say, with zeros in the gaps, and ends at 8. */
static void c_writer_is_the_model(void **state)
{
    (void)state;
    for (size_t k = 0; k < LAYOUT_COUNT; k++) {
        const struct chunk_layout *l = &layouts[k];
        for (unsigned start = 0; start < 8; start++) {
            for (uint32_t count = 1; count <= COUNT_TOP; count++) {
                struct chunk_plan plan, end;
                struct stream s = {.start = start}, want = {.start = start};
                assert_true(chunk_plan(l, start, count, &plan));
                assert_int_equal(plan.piece_count, 1);
                assert_int_equal(plan.end_offset % 8, 0);
                put_plan(&s, l, &plan);
                assert_int_equal(start + s.len, plan.end_offset);
                assert_true(chunk_plan(l, plan.end_offset, 0, &end));
                assert_int_equal(end.pieces[0].lead_len, 16);
                assert_int_equal(end.tail_len, 0);
                put_plan(&s, l, &end);
                put_chunk(&want, l, 0, count, true, 0);
                size_t pipe_len = finish(&want, true, 0);
                assert_int_equal(s.len, pipe_len);
                assert_memory_equal(s.octets, want.octets, pipe_len);
            }
        }
    }
}

static void a_terminator(void **state)
{
    static const uint8_t zeros[CHUNK_LEAD_MAX];
    (void)state;
    for (unsigned start = 0; start < 8; start++) {
        struct chunk_plan plan;
        assert_true(chunk_plan(&layouts[0], start, 0, &plan));
        assert_int_equal(plan.end_offset, (start + 7) / 8 * 8 + 16);
        assert_int_equal(plan.pieces[0].lead_len, plan.end_offset - start);
        assert_memory_equal(plan.pieces[0].lead, zeros, plan.pieces[0].lead_len);
    }
}

/* wire.md 10.2 and 10.4. */
static void a_examples(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at, start;
        const struct chunk_layout *layout;
        const char *elements;
        size_t len;
    } rows[] = {
        {"b_request", 24, 4, &layouts[2],
         "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0", 24},
        {"f2_pipe_bytes_64", 0, 4, &layouts[0], "Helloabc", 8},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vector v = vector_load(rows[i].name);
        uint8_t got[64];
        size_t got_len = 0, at = rows[i].at + rows[i].start, used;
        struct chunk_reader r;
        struct chunk_run run;
        chunk_reader_init(&r, rows[i].layout, rows[i].start, true);
        while (chunk_read(&r, v.octets + at, v.len - at, &used, &run) == CHUNK_RUN) {
            memcpy(got + got_len, run.octets, run.len);
            got_len += run.len;
            at += used;
        }
        assert_int_equal(r.state, CHUNK_AT_END);
        assert_int_equal(at + used, v.len);
        assert_int_equal(got_len, rows[i].len);
        assert_memory_equal(got, rows[i].elements, got_len);
    }
}

/* Every flip of one bit in the count repeated, and in the second half of the terminator, is
 * found, and nothing is read behind it. */
static void b_wrong_repetitions(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 128; bit++) {
        struct stream s = {0};
        put_chunk(&s, &layouts[0], 0, 5, true, 0);
        finish(&s, true, 0);
        size_t flipped = bit < 64 ? 16 + bit / 8 : 32 + (bit - 64) / 8;
        s.octets[flipped] ^= (uint8_t)(1u << bit % 8);
        struct chunk_reader r;
        size_t used;
        uint64_t elements = 0;
        chunk_reader_init(&r, &layouts[0], 0, true);
        assert_int_equal(chunk_scan(&r, s.octets, s.len, &used, &elements), CHUNK_BAD);
        assert_int_equal(used, bit < 64 ? 24 : 40);
        assert_int_equal(chunk_scan(&r, s.octets + used, s.len - used, &used, &elements),
                         CHUNK_BAD);
        assert_int_equal(used, 0);
        assert_int_equal(elements, 5);
    }
}

/* Counts from 2^31 on, and those [range] forbids. */
static void b_counts(void **state)
{
    (void)state;
    static const struct chunk_layout ranged = {1, 1, 1, 3, 5, true};
    static const struct {
        const struct chunk_layout *layout;
        uint64_t count;
        enum chunk_verdict verdict;
    } rows[] = {
        {&layouts[7], CHUNK_COUNT_MAX_64, CHUNK_RUN},
        {&layouts[7], (uint64_t)CHUNK_COUNT_MAX_64 + 1, CHUNK_BAD},
        {&layouts[0], UINT32_MAX, CHUNK_BAD},
        {&layouts[0], (uint64_t)1 << 32, CHUNK_BAD},
        {&layouts[0], ((uint64_t)1 << 32) + 1, CHUNK_BAD}, /* not taken for a 1 */
        {&layouts[0], UINT64_MAX, CHUNK_BAD},
        {&ranged, 2, CHUNK_BAD},
        {&ranged, 3, CHUNK_RUN},
        {&ranged, 5, CHUNK_RUN},
        {&ranged, 6, CHUNK_BAD},
        {&ranged, 0, CHUNK_END},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream s = {0};
        struct chunk_reader r;
        struct chunk_run run;
        size_t used;
        put_number(&s, rows[i].count, false, 0);
        for (unsigned k = 0; k < 8; k++)
            put(&s, 0);
        chunk_reader_init(&r, rows[i].layout, 0, false);
        assert_int_equal(chunk_read(&r, s.octets, s.len, &used, &run), rows[i].verdict);
    }
}

/* As few chunks as the bounds allow; the sum is right; nothing else is refused. */
static void b_plan_obeys_the_range(void **state)
{
    (void)state;
    for (uint64_t min = 0; min <= 6; min++) {
        for (uint64_t max = min; max <= 9; max++) {
            const struct chunk_layout ranged = {4, 4, 4, min, max, true};
            const uint64_t low = min > 0 ? min : 1;
            for (uint32_t count = 1; count <= 30; count++) {
                unsigned least = 0;
                for (unsigned n = CHUNK_PIECES_MAX; n > 0; n--)
                    if (n * low <= count && count <= n * max)
                        least = n;
                struct chunk_plan plan;
                assert_int_equal(chunk_plan(&ranged, 4, count, &plan), least > 0);
                if (least == 0)
                    continue;
                assert_int_equal(plan.piece_count, least);
                struct stream s = {.start = 4}, want = {.start = 4};
                uint64_t sum = 0;
                for (unsigned i = 0; i < plan.piece_count; i++) {
                    assert_in_range(plan.pieces[i].count, low, max);
                    put_chunk(&want, &ranged, sum, plan.pieces[i].count, true, 0);
                    sum += plan.pieces[i].count;
                }
                assert_int_equal(sum, count);
                put_plan(&s, &ranged, &plan);
                assert_int_equal(s.len, want.len);
                assert_memory_equal(s.octets, want.octets, s.len);
            }
        }
    }
}

static void b_largest_pushes(void **state)
{
    (void)state;
    struct chunk_plan plan;
    assert_true(chunk_plan(&layouts[0], 0, CHUNK_COUNT_MAX_64, &plan));
    assert_int_equal(plan.piece_count, 1);
    assert_true(chunk_plan(&layouts[0], 0, (uint64_t)CHUNK_COUNT_MAX_64 + 1, &plan));
    assert_int_equal(plan.piece_count, 2);
    assert_true(chunk_plan(&layouts[7], 0, UINT32_MAX, &plan));
    assert_int_equal(plan.piece_count, 3);
    assert_int_equal(plan.pieces[0].count, CHUNK_COUNT_MAX_64);
    assert_int_equal(plan.pieces[2].count, 1);
    assert_false(chunk_plan(&layouts[0], 0, (uint64_t)UINT32_MAX + 1, &plan));
    assert_false(chunk_plan(&layouts[0], 0, UINT64_MAX, &plan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_terminator),          cmocka_unit_test(a_examples),
        cmocka_unit_test(b_wrong_repetitions),   cmocka_unit_test(b_counts),
        cmocka_unit_test(b_plan_obeys_the_range), cmocka_unit_test(b_largest_pushes),
        cmocka_unit_test(c_reader_over_all_splits), cmocka_unit_test(c_writer_is_the_model),
    };
    return cmocka_run_group_tests_name("chunk64", tests, NULL, NULL);
}
