/* SPDX-License-Identifier: MIT */
/* ndr_element_test.c - runs of pipe elements: layout, gaps, byte order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/layout.h"
#include "ndr/ndr.h"
#include "ndr_samples.h"

#define ROWS(table)        (sizeof(table) / sizeof((table)[0]))
#define BOTH_ORDERS(order) for (int order = 0; order < 2; order++)

/* Element types no operation of ndr_samples.h uses. */
struct mixed { /* struct { byte a; short b[3]; hyper c; byte d[5]; } : 31 octets, stride 32 */
    uint8_t a;
    int16_t b[3];
    int64_t c;
    uint8_t d[5];
};
struct long_short { /* the element of [CAP01]: 6 octets, stride 8 */
    int32_t l;
    int16_t s;
};
struct digest { /* flat: no padding anywhere */
    int64_t size;
    uint32_t words[2];
};
struct nest {
    struct long_short pair[2];
    uint8_t last;
};
struct ranged {
    int32_t v;
};
ARRAY_OF(t_short3, t_short, 3, 6, 2);
ARRAY_OF(t_byte5, t_byte, 5, 5, 1);
ARRAY_OF(t_ulong2, t_ulong, 2, 8, 4);
static const NDR_FIELD mixed_fields[] = {
    FIELD(struct mixed, a, t_byte),
    FIELD(struct mixed, b, t_short3),
    FIELD(struct mixed, c, t_hyper),
    FIELD(struct mixed, d, t_byte5),
};
STRUCT_OF(t_mixed, struct mixed, 8, mixed_fields);
static const NDR_FIELD long_short_fields[] = {
    FIELD(struct long_short, l, t_long),
    FIELD(struct long_short, s, t_short),
};
STRUCT_OF(t_long_short, struct long_short, 4, long_short_fields);
static const NDR_FIELD digest_fields[] = {
    FIELD(struct digest, size, t_hyper),
    FIELD(struct digest, words, t_ulong2),
};
STRUCT_OF(t_digest, struct digest, 8, digest_fields);
ARRAY_OF(t_long_short2, t_long_short, 2, sizeof(struct long_short[2]), 4);
static const NDR_FIELD nest_fields[] = {
    FIELD(struct nest, pair, t_long_short2),
    FIELD(struct nest, last, t_byte),
};
STRUCT_OF(t_nest, struct nest, 4, nest_fields);
static const NDR_RANGE ranged_range = {-1, 10};
static const NDR_FIELD ranged_fields[] = {
    {.name = "v", .type = &t_long, .offset = 0, .range = &ranged_range},
};
STRUCT_OF(t_ranged, struct ranged, 4, ranged_fields);

static void b_layouts(void **state)
{
    static const struct {
        const NDR_TYPE *type;
        struct ndr_element_layout want;
    } rows[] = {
        {&t_byte, {1, 1, 1, 1, true}},
        {&t_short, {2, 2, 2, 2, true}},
        {&t_double, {8, 8, 8, 8, true}},
        {&t_enum32, {4, 4, 4, 4, true}},
        {&t_info, {12, 8, 16, 16, false}},
        {&t_long_short, {6, 4, 8, 8, false}},
        /* a@0 b@2 c@8 d@16..21 */
        {&t_mixed, {21, 8, 24, 24, false}},
        {&t_digest, {16, 8, 16, 16, true}},
        /* pair[0]@0 pair[1]@8..14 last@14 */
        {&t_nest, {15, 4, 16, 20, false}},
        {&t_ranged, {4, 4, 4, 4, false}},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct ndr_element_layout got;
        assert_int_equal(ndr_element_layout(rows[i].type, false, &got), RPC_S_OK);
        assert_int_equal(got.size, rows[i].want.size);
        assert_int_equal(got.align, rows[i].want.align);
        assert_int_equal(got.stride, rows[i].want.stride);
        assert_int_equal(got.memory_size, rows[i].want.memory_size);
        assert_int_equal(got.flat, rows[i].want.flat);
    }
}

/* wire.md 3.5: what no pipe element may contain. */
static void b_refused_elements(void **state)
{
    static const NDR_TYPE *const rows[] = {&t_enum16,   &t_int3264, &t_uint3264, &t_string,
                                           &t_node,     &t_label,   &t_tail,     &t_arrays_v,
                                           &t_long_ref, &t_pipe,    &t_handle,   &t_tree};
    struct ndr_element_layout layout;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_int_equal(ndr_element_layout(rows[i], false, &layout), RPC_S_CANNOT_SUPPORT);
}

/* [CAP01]: struct {long; short}, 5 elements are 38 octets; gaps are zeros. */
static void b_gaps_are_zero(void **state)
{
    struct long_short in[5], out[5];
    uint8_t wire[40];
    (void)state;
    memset(in, 0xee, sizeof(in)); /* padding in memory must not leak */
    for (int i = 0; i < 5; i++) {
        in[i].l = 0x01020304 + i;
        in[i].s = (int16_t)(0x0506 + i);
    }
    memset(wire, 0xcc, sizeof(wire));
    ndr_elements_to_wire(&t_long_short, false, in, 5, wire);
    assert_int_equal(wire[38], 0xcc); /* not touched */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(wire[8 * i + 6], 0);
        assert_int_equal(wire[8 * i + 7], 0);
    }
    memset(out, 0, sizeof(out));
    assert_int_equal(ndr_elements_from_wire(&t_long_short, false, wire, 5, NDR_HOST_LITTLE_ENDIAN, out),
                     RPC_S_OK);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(out[i].l, in[i].l);
        assert_int_equal(out[i].s, in[i].s);
    }
}

static void b_both_byte_orders(void **state)
{
    /* two of struct mixed; gaps are garbage, as real Windows sends them */
    static const uint8_t little[45] = {
        0x01, 0xaa, 0x02, 0x01, 0x04, 0x03, 0x06, 0x05, 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02,
        0x01, 'a',  'b',  'c',  'd',  'e',  0xaa, 0xaa, 0xaa, 0x02, 0xaa, 0xff, 0xff, 0x00, 0x80,
        0x01, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'f',  'g',  'h',  'i',  'j'};
    static const uint8_t big[45] = {
        0x01, 0xaa, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 'a',  'b',  'c',  'd',  'e',  0xaa, 0xaa, 0xaa, 0x02, 0xaa, 0xff, 0xff, 0x80, 0x00,
        0x00, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'f',  'g',  'h',  'i',  'j'};
    (void)state;
    BOTH_ORDERS(is_little)
    {
        struct mixed v[2] = {0};
        assert_int_equal(
            ndr_elements_from_wire(&t_mixed, false, is_little ? little : big, 2, is_little, v), RPC_S_OK);
        assert_int_equal(v[0].a, 1);
        assert_int_equal(v[0].b[0], 0x0102);
        assert_int_equal(v[0].b[2], 0x0506);
        assert_int_equal(v[0].c, 0x0102030405060708);
        assert_memory_equal(v[0].d, "abcde", 5);
        assert_int_equal(v[1].b[0], -1);
        assert_int_equal(v[1].b[1], -32768);
        assert_int_equal(v[1].b[2], 1);
        assert_int_equal(v[1].c, -1);
        assert_memory_equal(v[1].d, "fghij", 5);
    }
}

/* Runs of all lengths around the rounds of the swap loops and the blocks of
 * structures, each from and to buffers of the exact size. */
static void c_run_lengths(void **state)
{
    static const NDR_TYPE *const types[] = {&t_byte,  &t_short,      &t_long,   &t_hyper, &t_double,
                                            &t_mixed, &t_long_short, &t_digest, &t_nest};
    static const size_t counts[] = {0, 1, 2, 15, 16, 17, 31, 33, 170, 171, 172, 342, 513, 1000};
    (void)state;
    for (size_t t = 0; t < ROWS(types); t++) {
        struct ndr_element_layout layout;
        assert_int_equal(ndr_element_layout(types[t], false, &layout), RPC_S_OK);
        for (size_t c = 0; c < ROWS(counts); c++) {
            size_t n = counts[c], len = (size_t)ndr_run_len(&layout, n);
            uint8_t *wire = malloc(len), *again = malloc(len);
            uint8_t *memory = calloc(n, layout.memory_size);
            for (size_t i = 0; i < len; i++)
                wire[i] = (uint8_t)(i * 7 + 1);
            /* the wire in its canonical form: gaps zero */
            assert_int_equal(
                ndr_elements_from_wire(types[t], false, wire, n, NDR_HOST_LITTLE_ENDIAN, memory),
                RPC_S_OK);
            ndr_elements_to_wire(types[t], false, memory, n, wire);
            /* the other order twice is the identity */
            assert_int_equal(
                ndr_elements_from_wire(types[t], false, wire, n, !NDR_HOST_LITTLE_ENDIAN, memory),
                RPC_S_OK);
            ndr_elements_to_wire(types[t], false, memory, n, again);
            if (len > 0 && layout.align > 1)
                assert_memory_not_equal(again, wire, len);
            assert_int_equal(
                ndr_elements_from_wire(types[t], false, again, n, !NDR_HOST_LITTLE_ENDIAN, memory),
                RPC_S_OK);
            ndr_elements_to_wire(types[t], false, memory, n, again);
            if (len > 0)
                assert_memory_equal(again, wire, len);
            free(wire);
            free(again);
            free(memory);
        }
    }
}

/* The vector loops on buffers no element is aligned in. */
static void c_unaligned_buffers(void **state)
{
    uint8_t raw[8 * 40 + 8];
    int64_t values[40];
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < sizeof(raw); i++)
            raw[i] = (uint8_t)(i * 31);
        assert_int_equal(
            ndr_elements_from_wire(&t_hyper, false, raw + shift, 40, !NDR_HOST_LITTLE_ENDIAN, values),
            RPC_S_OK);
        for (size_t i = 0; i < 40; i++) {
            uint64_t want;
            memcpy(&want, raw + shift + 8 * i, sizeof(want));
            assert_int_equal((uint64_t)values[i], __builtin_bswap64(want));
        }
    }
}

static void b_range_in_elements(void **state)
{
    int32_t wire[3] = {-1, 10, 3};
    struct ranged out[3];
    (void)state;
    assert_int_equal(
        ndr_elements_from_wire(&t_ranged, false, (uint8_t *)wire, 3, NDR_HOST_LITTLE_ENDIAN, out),
        RPC_S_OK);
    assert_int_equal(out[1].v, 10);
    wire[2] = 11;
    assert_int_equal(
        ndr_elements_from_wire(&t_ranged, false, (uint8_t *)wire, 3, NDR_HOST_LITTLE_ENDIAN, out),
        RPC_X_BAD_STUB_DATA);
    assert_int_equal(
        ndr_elements_from_wire(&t_ranged, false, (uint8_t *)wire, 2, NDR_HOST_LITTLE_ENDIAN, out),
        RPC_S_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_layouts),           cmocka_unit_test(b_refused_elements),
        cmocka_unit_test(b_gaps_are_zero),     cmocka_unit_test(b_both_byte_orders),
        cmocka_unit_test(b_range_in_elements), cmocka_unit_test(c_run_lengths),
        cmocka_unit_test(c_unaligned_buffers),
    };
    return cmocka_run_group_tests_name("ndr_element", tests, NULL, NULL);
}
