/* SPDX-License-Identifier: MIT */
/* ndr64_test.c - the same descriptors in NDR64 (MS-RPCE 2.2.5): counts and referents of 8
 * octets, pads at the end of structures, unions at their strictest alignment, enums of 4.
 * Vectors derived by hand from the rules (ndr_vectors.h). */
#include "ndr_vectors.h"

/* The octets are laid out by meaning. */
/* clang-format off */
#define Z4 "00000000"
#define N(low) #low "000000" Z4 /* a count of 8 octets */
#define R(low) #low "000200" Z4 /* a referent */
const struct vector vectors[] = {
    {"scalars: enum 4, __int3264 8", &scalars_op, NDR_PARAM_IN, fill_scalars, 0,
     "01 00 feff aa 000000 0807060504030201 ff 000000 03000000 0000803f fbffffff"
     "0000000000000040 f9ffffffffffffff f7060000", NULL},
    {"strings: the structure around one is aligned and padded", &strings_op, NDR_PARAM_IN,
     fill_strings, 0,
     N(03) N(00) N(03) "686900 0000000000"
     R(00) N(02) N(00) N(02) "e9000000 00000000"
     "7f 00000000000000" N(00) N(04) "61626300 00000000"
     N(06) N(00) N(03) "787900 00 06000000", NULL},
    {"arrays: no gap for no hypers", &arrays_op, NDR_PARAM_IN, fill_arrays, 0,
     N(02) "01000000 02000000 02000000 00000000"
     N(03) "0500 0600 0700 0000 03000000 08000000 09000000 0a000000"
     N(00) "3412", NULL},
    {"list: depth first, each node padded", &list_op, NDR_PARAM_IN, fill_list, 0,
     "01000000 00000000" R(00) R(04) "0200 000000000000" R(08)
     "02000000 00000000" N(00) R(0c) "0100 000000000000" R(10)
     N(03) N(00) N(03) "426300 0000000000"
     N(01) "0c00 000000000000"
     N(02) N(00) N(02) "4100 000000000000"
     N(02) "0a00 0b00", NULL},
    {"names: [ref] pointers in arrays have a value", &names_op, NDR_PARAM_IN, fill_names, 0,
     "02000000 00000000"
     N(02) R(00) N(00) N(02) N(00) N(02) "61000000 00000000"
     N(02) R(04) R(08) "a0860100 400d0300"
     N(02) "01 00000000000000" R(0c) "02 00000000000000" N(00) "05000000", NULL},
    {"tails: the hoisted count raises no alignment; the pad is in front of the tail", &tails_op,
     NDR_PARAM_IN, fill_tails, 0,
     N(03) "03000000 09 000000 0100 0200 0300 0000"
     N(01) "8877665544332211 01000000 05 000000 ff7f", NULL},
    {"tails: the pad in front of an empty tail", &tails_op, NDR_PARAM_IN, fill_empty_tails, 0,
     N(00) "00000000 09 000000" N(00) "8877665544332211 00000000 05 000000", NULL},
    {"outs: a structure's pad at top level", &outs_op, NDR_PARAM_OUT, fill_outs, 0,
     "1100000000000000 22000000 00000000" N(03) "616263 0000000000"
     R(00) "4d000000 00000000" R(04) N(03) N(00) N(03) "6f006b000000", NULL},
    {"blob: result behind a gap", &blob_op, NDR_PARAM_OUT, fill_blob, 0,
     "03000000 00000000" R(00) N(03) "aaaaaa 00 54727565", NULL},
    {"tree: enum of 4 octets, elements padded", &tree_op, NDR_PARAM_IN, fill_tree, 0,
     R(00) "0200 000000000000" R(04) "ff7f0000 78797a 00"
     N(02) "0000 000000000000" N(00) "01000000 616263 00"
     "0000 000000000000" N(00) "02000000 646566 00", NULL},
    {"misc: nested structures", &misc_op, NDR_PARAM_IN, fill_misc, 0,
     R(00) N(02) "07000000 08000000 02000000 00000000"       /* a, n */
     N(03) N(00) N(03) "610062000000 0000"                   /* w */
     N(02) "02000000 01 000000 0300 0400"                    /* tail: pad in front of v */
     "00000000"
     "01 00000000000000" N(00) N(02) "6100 000000000000"     /* labels */
     "02 00000000000000" N(00) N(03) "626300 0000000000"
     R(04) N(00) "01000000 05000000"                         /* ptrs, fixed */
     "01000000 02000000" N(03)                               /* inner */
     "09000000 00000000"                                     /* *ptrs[0], gap */
     N(04) "0400 000000000000" N(00) N(03) "787900", NULL},
    {"unions: all arms where the strictest could be", &unions_op, NDR_PARAM_IN, fill_unions, 0,
     "07 00000000000000 fdff 000000000000" R(00) N(03) N(00) N(03) "616200 00" "fdff 0000"
     "01 00000000000000" R(04) "00 00000000000000 0100 0200 0300 0000"
     "09 00000000000000 07000000 00000000" R(08) "07000000 00000000"
     "01 00000000000000 09000000 00000000 0500 0000 09000000"
     "64000000 00000000" R(0c) "64000000 00000000" R(10) "4d000000", NULL},
    {"unions: empty arms leave their gap", &unions_op, NDR_PARAM_IN, fill_empty_unions, 0,
     "07 00000000000000 0500 000000000000 0500 000000000000 02 00000000000000"
     "09 00000000000000 00000000 00000000 78 000000 00000000"
     "65000000 00000000" R(00) "65000000 00000000 05000000", NULL},
    {"unions: default arm, a structure with its pad", &unions_op, NDR_PARAM_IN,
     fill_default_union, 0,
     "07 00000000000000 6300 000000000000 03 00000000000000" R(00) "06000000 6300 0000"
     "02 00000000000000"
     "09 00000000000000 00000000 00000000 78 000000 00000000"
     "65000000 00000000" R(04) "65000000 00000000 05000000", NULL},
    {"varying", &varying_op, NDR_PARAM_IN, fill_varying, 0,
     N(04) N(00) N(02) "0102 0000 04000000 02000000 00000000"
     N(05) "05000000 0200 0000" N(00) N(02) "0700 0800 00000000"
     N(01) N(02) "0b000000 0c000000 0100 0200 00000000"
     N(04) N(01) N(03) R(00) N(00) R(04)
     N(02) N(00) N(02) "7800 000000000000" N(02) N(00) N(02) "7900", NULL},
    {"graph", &graph_op, NDR_PARAM_IN, fill_graph, 0,
     "01000000 00000000" R(00) R(00) R(04) N(00)
     "02000000 00000000" R(00) R(08) R(04) N(00)
     "03000000 00000000" N(00) R(00) N(00) N(00)
     N(03) N(00) N(03) "6e6d00 0000000000"
     R(08), NULL},
    {"graph: the [out] part", &graph_op, NDR_PARAM_OUT, fill_graph, 0,
     "01000000 00000000" R(00) R(00) R(04) N(00)
     "02000000 00000000" R(00) R(08) R(04) N(00)
     "03000000 00000000" N(00) R(00) N(00) N(00)
     N(03) N(00) N(03) "6e6d00", NULL},
};
/* clang-format on */

const size_t vector_count = ROWS(vectors);
const bool vectors_are_ndr64 = true;

/* ---- The samples of the specification ----------------------------------------------------- */

/* A union of a long and a hyper behind a short level, with a char behind it (MS-RPCE 4.8):
 * `void f([in] char m, [in, switch_is(l)] union {long; hyper} u, [in] short l, [in] char c)`. */
union two {
    int32_t a;
    int64_t b;
};
struct two_frame {
    uint8_t m;
    union two u;
    int16_t l;
    uint8_t c;
};
LOAD_OF(two_l, struct two_frame, l, NDR_KIND_INT16);
static const NDR_ARM two_arms[] = {ARM("a", 1, t_long), ARM("b", 2, t_hyper)};
static const NDR_UNION two_union = {.switch_kind = NDR_KIND_INT16,
                                    .switch_is = &two_l,
                                    .arm_count = COUNT_OF(two_arms),
                                    .arms = two_arms};
UNION_OF(t_two, union two, two_union);
static const NDR_PARAM two_params[] = {
    PARAM(struct two_frame, m, t_char, NDR_PARAM_IN),
    PARAM(struct two_frame, u, t_two, NDR_PARAM_IN),
    PARAM(struct two_frame, l, t_short, NDR_PARAM_IN),
    PARAM(struct two_frame, c, t_char, NDR_PARAM_IN),
};
OPERATION(two_op, struct two_frame, two_params);

static void b_no_pad_behind_an_arm(void **state)
{
    static const uint8_t want[] = {
        9, 0, 0, 0, 0, 0, 0,    0, /* m; the union is aligned to its hyper */
        1, 0, 0, 0, 0, 0, 0,    0, /* level, gap although the arm is a long */
        5, 0, 0, 0, 1, 0, 0x63,    /* a, l, c */
    };
    struct two_frame f = {.m = 9, .u.a = 5, .l = 1, .c = 0x63};
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    w.ndr64 = true;
    assert_int_equal(ndr_encode_params(&w, &two_op, &f, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, sizeof(want));
    assert_memory_equal(w.octets, want, sizeof(want));
    ndr_writer_fini(&w);
}

/* The writer's reset keeps the caller's syntax: limits and hooks are the caller's. */
static void b_reset_keeps_the_syntax(void **state)
{
    struct two_frame f = {.l = 1};
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    w.ndr64 = true;
    ndr_writer_reset(&w);
    assert_int_equal(ndr_encode_params(&w, &two_op, &f, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, 23);
    ndr_writer_fini(&w);
}

/* A count of 2^32 + 1 is not 1. */
static void b_high_half_of_a_count(void **state)
{
    union frames f;
    size_t len;
    (void)state;
    for (size_t at = 4; at < 8; at++) {
        uint8_t *octets = octets_of(vectors[2].octets, &len);
        octets[at] = 1;
        struct ndr_reader r = reader_of(&vectors[2], octets, len);
        memset(&f, 0, sizeof(f));
        assert_int_equal(ndr_decode_params(&r, &arrays_op, &f, NDR_PARAM_IN, &heap), NDR_FAILED);
        assert_int_equal(r.status, RPC_X_BAD_STUB_DATA);
        free(octets);
    }
}

/* Without [v1_enum] and with it: 32 bits, any value (MS-RPCE 2.2.5.2); __int3264 whole. */
static void b_wide_values(void **state)
{
    union frames f = {.scalars = {.e16 = -70000, .i = (intptr_t)INT64_MIN}}, again;
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &scalars_op, &f, NDR_PARAM_IN),
                     RPC_X_ENUM_VALUE_OUT_OF_RANGE);
    ndr_writer_reset(&w);
    w.ndr64 = true;
    assert_int_equal(ndr_encode_params(&w, &scalars_op, &f, NDR_PARAM_IN), RPC_S_OK);
    struct ndr_reader r = {
        .octets = w.octets, .len = w.len, .little_endian = true, .last = true, .ndr64 = true};
    memset(&again, 0, sizeof(again));
    assert_int_equal(ndr_decode_params(&r, &scalars_op, &again, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_int_equal(again.scalars.e16, -70000);
    assert_true(again.scalars.i == (intptr_t)INT64_MIN);
    ndr_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VECTOR_TESTS,
        cmocka_unit_test(b_no_pad_behind_an_arm),
        cmocka_unit_test(b_reset_keeps_the_syntax),
        cmocka_unit_test(b_high_half_of_a_count),
        cmocka_unit_test(b_wide_values),
    };
    return cmocka_run_group_tests_name("ndr64", tests, NULL, NULL);
}
