/* SPDX-License-Identifier: MIT */
/* ndr_vector_test.c - parameters as octets, derived by hand from C706 chapter 14 and
 * the captures of real Windows calls.  Each vector is encoded, decoded, cut at every
 * octet, flipped in every bit, and starved of memory at every allocation.
 * The vectors are little-endian: encoding writes the host's order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/ndr.h"
#include "ndr_heap.h"
#include "ndr_samples.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct vector {
    const char *name;
    const NDR_OPERATION *operation;
    uint32_t direction;
    void (*fill)(union frames *frame); /* with static memory */
    uint64_t origin;
    const char *octets; /* hex */
    const char *big;    /* the same call from a big-endian sender, or NULL */
};

/* ---- Frames: decoding writes into them, so each call sets everything
 * ---------------------------------------------------------------------- */

static void fill_scalars(union frames *f)
{
    f->scalars = (struct scalars_frame){.b = 1,
                                        .s = -2,
                                        .y = 0xaa,
                                        .h = 0x0102030405060708,
                                        .c = -1,
                                        .e16 = 3,
                                        .f = 1.0f,
                                        .e32 = -5,
                                        .d = 2.0,
                                        .i = -7,
                                        .st = 1783};
}

static void fill_strings(union frames *f)
{
    static uint8_t a[] = "hi", buf[6] = "xy";
    static WCHAR w[] = u"\u00e9";
    f->strings = (struct strings_frame){
        .a = a, .w = w, .label = {.tag = 0x7f, .name = "abc"}, .buf = buf, .n = 6};
}

static void fill_arrays(union frames *f)
{
    static int32_t v[2], pn, fixed[3];
    static int16_t w[3];
    static int64_t h[1];
    memcpy(v, (int32_t[]){1, 2}, sizeof(v));
    memcpy(w, (int16_t[]){5, 6, 7}, sizeof(w));
    memcpy(fixed, (int32_t[]){8, 9, 10}, sizeof(fixed));
    pn = 3;
    f->arrays = (struct arrays_frame){
        .v = v, .n = 2, .w = w, .pn = &pn, .fixed = fixed, .h = h, .s = 0x1234};
}

static void fill_list(union frames *f)
{
    static int16_t v[] = {10, 11}, twelve = 12;
    static uint8_t name_a[] = "A", name_bc[] = "Bc";
    static struct node second, first;
    second = (struct node){.id = 2, .name = name_bc, .n = 1, .v = &twelve};
    first = (struct node){.id = 1, .next = &second, .name = name_a, .n = 2, .v = v};
    f->list.head = &first;
}

static void fill_names(union frames *f)
{
    static WCHAR a[] = u"a";
    static WCHAR *names[] = {a, NULL};
    static int32_t hundred = 100000, two_hundred = 200000, five = 5;
    static int32_t *refs[] = {&hundred, &two_hundred};
    static struct pair pairs[] = {{1, &five}, {2, NULL}};
    f->names = (struct names_frame){.n = 2, .names = names, .refs = refs, .pairs = pairs};
}

static void fill_tails(union frames *f)
{
    static union {
        struct tail tail;
        uint8_t room[sizeof(struct tail) + 3 * sizeof(int16_t)];
    } tail;
    static struct outer outer = {.h = 0x1122334455667788,
                                 .tail = {.n = 1, .tag = 5, .v = {0x7fff}}};
    tail.tail.n = 3;
    tail.tail.tag = 9;
    memcpy(tail.tail.v, (int16_t[]){1, 2, 3}, 6);
    f->tails = (struct tails_frame){.tail = &tail.tail, .outer = &outer};
}

static void fill_outs(union frames *f)
{
    static struct info info;
    static uint8_t buf[3];
    static int32_t value = 77;
    static int32_t *p;
    info = (struct info){0x11, 0x22};
    memcpy(buf, "abc", 3);
    p = &value;
    static WCHAR result[] = u"ok";
    f->outs = (struct outs_frame){.n = 3, .info = &info, .buf = buf, .pp = &p, .result = result};
}

static void fill_blob(union frames *f)
{
    static uint8_t octets[3];
    static struct blob blob;
    blob = (struct blob){.cb = 3, .p = octets};
    memset(octets, 0xaa, sizeof(octets));
    f->blob = (struct blob_frame){.blob = &blob, .result = 0x65757254};
}

static void fill_tree(union frames *f)
{
    static struct tree leaves[2], root;
    leaves[0] = (struct tree){.kind = 1, .mark = "abc"};
    leaves[1] = (struct tree){.kind = 2, .mark = "def"};
    root = (struct tree){.n = 2, .children = leaves, .kind = 32767, .mark = "xyz"};
    f->tree.root = &root;
}

static void fill_null_tree(union frames *f)
{
    f->tree.root = NULL;
}

static void fill_misc(union frames *f)
{
    static int32_t a[] = {7, 8}, nine = 9;
    static WCHAR w[3];
    static struct misc misc;
    static union {
        struct tail tail;
        uint8_t room[sizeof(struct tail) + 2 * sizeof(int16_t)];
    } tail;
    static union {
        struct named named;
        uint8_t room[sizeof(struct named) + 4];
    } named = {.named.len = 4};
    memcpy(w, u"ab", sizeof(w));
    misc = (struct misc){.labels = {{1, "a"}, {2, "bc"}},
                         .ptrs = {&nine, NULL},
                         .fixed = {1, 5},
                         .inner = {{1, 2}, 3}};
    tail.tail.n = 2;
    tail.tail.tag = 1;
    memcpy(tail.tail.v, (int16_t[]){3, 4}, 4);
    memcpy(named.named.name, "xy", 3);
    f->misc = (struct misc_frame){
        .a = a, .n = 2, .w = w, .tail = &tail.tail, .misc = &misc, .named = &named.named};
}

/* ---- Vectors ------------------------------------------------------------------------ */

/* clang-format off: the octets are laid out by meaning */
static const struct vector vectors[] = {
    {"scalars: each aligned to its size", &scalars_op, NDR_PARAM_IN, fill_scalars, 0,
     "01 00 feff aa 000000 0807060504030201 ff 00 0300 0000803f fbffffff 00000000"
     "0000000000000040 f9ffffff f7060000",
     "01 99 fffe aa 999999 0102030405060708 ff 99 0003 3f800000 fffffffb 99999999"
     "4000000000000000 fffffff9 000006f7"},
    {"strings: max, offset, actual; fixed without max; sized with its size", &strings_op,
     NDR_PARAM_IN, fill_strings, 0,
     "03000000 00000000 03000000 686900 00"         /* a */
     "00000200 02000000 00000000 02000000 e9000000" /* w: referent, counts in characters */
     "7f 000000 00000000 04000000 61626300"         /* label */
     "06000000 00000000 03000000 787900 00"         /* buf */
     "06000000",
     "00000003 00000000 00000003 686900 99"
     "deadbeef 00000002 00000000 00000002 00e90000"
     "7f 999999 00000000 00000004 61626300"
     "00000006 00000000 00000003 787900 99"
     "00000006"},
    {"arrays: size_is before and after its operand; no gap for no hypers", &arrays_op, NDR_PARAM_IN,
     fill_arrays, 0,
     "02000000 01000000 02000000"   /* v */
     "02000000"                     /* n */
     "03000000 0500 0600 0700 0000" /* w, gap */
     "03000000"                     /* pn */
     "08000000 09000000 0a000000"   /* fixed */
     "00000000 3412",               /* h empty, s at 48: wire.md 2.4 */
     "00000002 00000001 00000002 00000002 00000003 0005 0006 0007 9999 00000003"
     "00000008 00000009 0000000a 00000000 1234"},
    {"arrays: the [out] part alone", &arrays_op, NDR_PARAM_OUT, fill_arrays, 0,
     "03000000 0500 0600 0700 0000 03000000 08000000 09000000 0a000000", NULL},
    {"list: depth first, B's name and v before A's", &list_op, NDR_PARAM_IN, fill_list, 0,
     "01000000 00000200 04000200 0200 0000 08000200" /* A flat */
     "02000000 00000000 0c000200 0100 0000 10000200" /* B flat */
     "03000000 00000000 03000000 426300 00"          /* B.name */
     "01000000 0c00 0000"                            /* B.v, gap */
     "02000000 00000000 02000000 4100 0000"          /* A.name, gap */
     "02000000 0a00 0b00",                           /* A.v */
     "00000001 00000001 00000001 0002 9999 00000001"
     "00000002 00000000 00000001 0001 9999 00000001"
     "00000003 00000000 00000003 426300 99"
     "00000001 000c 9999"
     "00000002 00000000 00000002 4100 9999"
     "00000002 000a 000b"},
    {"names: array of strings, of ref pointers, of structures with pointers", &names_op,
     NDR_PARAM_IN, fill_names, 0,
     "02000000"
     "02000000 00000200 00000000 02000000 00000000 02000000 61000000"
     "02000000 a0860100 400d0300" /* refs in arrays have no value: C706 14.3.12 */
     "02000000 01000000 04000200 02000000 00000000 05000000",
     NULL},
    {"tails: counts hoisted to the outermost structure", &tails_op, NDR_PARAM_IN, fill_tails, 0,
     "03000000 03000000 09 00 0100 0200 0300"
     "01000000 00000000 8877665544332211 01000000 05 00 ff7f",
     NULL},
    {"outs: result last", &outs_op, NDR_PARAM_OUT, fill_outs, 0,
     "1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    /* alignment is that of the stub, not of the buffer: pipe data came before */
    {"outs behind 4 octets of a pipe", &outs_op, NDR_PARAM_OUT, fill_outs, 4,
     "00000000 1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    {"outs behind 65537 octets of a pipe", &outs_op, NDR_PARAM_OUT, fill_outs, 65537,
     "00000000000000 1100000000000000 22000000 03000000 616263 00"
     "00000200 4d000000 04000200 03000000 00000000 03000000 6f006b000000",
     NULL},
    {"blob: request of [CAP01], real Windows", &blob_op, NDR_PARAM_IN, fill_blob, 0,
     "03000000 00000200 03000000 aaaaaa", NULL},
    {"blob: response of [CAP01], result behind a gap", &blob_op, NDR_PARAM_OUT, fill_blob, 0x94,
     "03000000 00000200 03000000 aaaaaa 00 54727565", NULL},
    {"tree: 16-bit enum, array of structures behind a pointer", &tree_op, NDR_PARAM_IN, fill_tree,
     0,
     "00000200 0200 0000 04000200 ff7f 78797a 000000"
     "02000000 0000 0000 00000000 0100 616263 000000 0000 0000 00000000 0200 646566",
     NULL},
    {"misc: arrays of structures with strings, of pointers; a string at the end", &misc_op,
     NDR_PARAM_IN, fill_misc, 0,
     "00000200 02000000 07000000 08000000 02000000"           /* a, n */
     "03000000 00000000 03000000 610062000000 0000"           /* w, gap */
     "02000000 02000000 01 00 0300 0400 0000"                 /* tail, gap */
     "01 000000 00000000 02000000 6100 0000"                  /* labels[0], gap */
     "02 000000 00000000 03000000 626300 00"                  /* labels[1], gap */
     "04000200 00000000 01000000 05000000 0100 0200 03000000" /* ptrs, fixed, inner */
     "09000000"                                               /* *ptrs[0] */
     "04000000 0400 0000 00000000 03000000 787900",           /* named, max hoisted */
     "00000200 00000002 00000007 00000008 00000002"
     "00000003 00000000 00000003 006100620000 9999"
     "00000002 00000002 01 99 0003 0004 9999"
     "01 999999 00000000 00000002 6100 9999"
     "02 999999 00000000 00000003 626300 99"
     "00000001 00000000 00000001 00000005 0001 0002 00000003"
     "00000009"
     "00000004 0004 9999 00000000 00000003 787900"},
    {"misc: the [out] part", &misc_op, NDR_PARAM_OUT, fill_misc, 0,
     "03000000 00000000 03000000 610062000000 0000 02000000 02000000 01 00 0300 0400", NULL},
    {"tree: NULL", &tree_op, NDR_PARAM_IN, fill_null_tree, 0, "00000000", NULL},
};

/* clang-format on */

/* Exact-size heap copy of a hex string, so that ASan sees every octet read too far. */
static uint8_t *octets_of(const char *hex, size_t *ret_len)
{
    uint8_t *octets = malloc(strlen(hex) / 2);
    size_t digits = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        unsigned digit = (unsigned)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
        octets[digits / 2] = (uint8_t)(digits % 2 ? octets[digits / 2] << 4 | digit : digit);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    *ret_len = digits / 2;
    octets = realloc(octets, *ret_len);
    return octets;
}

static uint8_t *copy_of(const uint8_t *octets, size_t len)
{
    uint8_t *copy = malloc(len);
    memcpy(copy, octets, len);
    return copy;
}

static struct ndr_reader reader_of(const struct vector *v, const uint8_t *octets, size_t len)
{
    return (struct ndr_reader){.octets = octets,
                               .len = len,
                               .origin = v->origin,
                               .little_endian = true,
                               .last = true,
                               .reallocate = heap_reallocate};
}

/* A frame to decode into: a server's is zero, a client's has its [out] memory. */
static void receive_into(const struct vector *v, union frames *frame)
{
    memset(frame, 0, sizeof(*frame));
    if (v->direction == NDR_PARAM_OUT)
        v->fill(frame);
}

/* What the peer made us allocate.  On a client the application would free it. */
static void release(const struct vector *v, union frames *frame)
{
    if (v->direction == NDR_PARAM_IN)
        ndr_free_params(v->operation, frame, &heap);
    heap_free_all();
}

static void assert_zero(const union frames *frame)
{
    static const union frames zero;
    assert_memory_equal(frame, &zero, sizeof(zero));
}

/* Encodes again what was decoded and compares. */
static void assert_frame_encodes_to(const struct vector *v, const union frames *frame,
                                    const uint8_t *octets, size_t len)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    w.origin = v->origin;
    assert_int_equal(ndr_encode_params(&w, v->operation, frame, v->direction), RPC_S_OK);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.octets, octets, len);
    ndr_writer_fini(&w);
}

/* ---- Tests ------------------------------------------------------------------------- */

static void b_encode(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        union frames frame;
        size_t len;
        uint8_t *want = octets_of(vectors[i].octets, &len);
        memset(&frame, 0, sizeof(frame));
        vectors[i].fill(&frame);
        print_message("# %s\n", vectors[i].name);
        assert_frame_encodes_to(&vectors[i], &frame, want, len);
        free(want);
    }
}

static void b_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        struct ndr_reader r = reader_of(v, octets, len);
        receive_into(v, &frame);
        print_message("# %s\n", v->name);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_int_equal(r.pos, len);
        assert_frame_encodes_to(v, &frame, octets, len);
        if (v->direction == NDR_PARAM_IN) {
            ndr_free_params(v->operation, &frame, &heap);
            assert_int_equal(heap_live, 0); /* everything was reachable */
        }
        heap_free_all();
        free(octets);
    }
}

static void b_decode_big_endian(void **state)
{
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        if (!v->big)
            continue;
        union frames frame;
        size_t len, big_len;
        uint8_t *octets = octets_of(v->octets, &len), *big = octets_of(v->big, &big_len);
        struct ndr_reader r = reader_of(v, big, big_len);
        r.little_endian = false;
        receive_into(v, &frame);
        assert_int_equal(big_len, len);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_frame_encodes_to(v, &frame, octets, len);
        release(v, &frame);
        free(octets);
        free(big);
        tried++;
    }
    assert_in_range(tried, 4, ROWS(vectors));
}

/* Octets behind the parameters (pipe data) are none of our business, and `pos` says
 * where they begin. */
static void b_what_follows_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        uint8_t *more = malloc(len + 8);
        memcpy(more, octets, len);
        memset(more + len, 0xff, 8);
        struct ndr_reader r = reader_of(v, more, len + 8);
        r.last = false;
        receive_into(v, &frame);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_int_equal(r.pos, len);
        release(v, &frame);
        free(octets);
        free(more);
    }
}

/* Each prefix asks for more octets than it has and never for more than the whole. */
static void c_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (size_t n = 0; n < len; n++) {
            uint8_t *prefix = copy_of(octets, n);
            union frames frame;
            struct ndr_reader r = reader_of(v, prefix, n);
            receive_into(v, &frame);
            r.last = false;
            assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                             NDR_NEED_MORE);
            assert_int_equal(r.pos, 0);
            assert_in_range(r.need, n + 1, len);
            assert_int_equal(heap_live, 0);
            if (v->direction == NDR_PARAM_IN)
                assert_zero(&frame);
            r.last = true;
            receive_into(v, &frame);
            assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                             NDR_FAILED);
            assert_int_equal(r.status, RPC_X_BAD_STUB_DATA);
            assert_int_equal(heap_live, 0);
            free(prefix);
        }
        free(octets);
    }
}

/* Any single wrong bit: some verdict, no overrun, and what is accepted can be sent on
 * and freed; what is not leaves nothing behind. */
static void c_every_bit_flipped(void **state)
{
    size_t accepted = 0, refused = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            union frames frame;
            uint8_t *flipped = copy_of(octets, len);
            flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct ndr_reader r = reader_of(v, flipped, len);
            receive_into(v, &frame);
            if (ndr_decode_params(&r, v->operation, &frame, v->direction, &heap) == NDR_DONE) {
                struct ndr_writer w;
                ndr_writer_init(&w);
                assert_int_equal(ndr_encode_params(&w, v->operation, &frame, v->direction),
                                 RPC_S_OK);
                ndr_writer_fini(&w);
                accepted++;
            } else {
                assert_int_equal(heap_live, 0);
                if (v->direction == NDR_PARAM_IN)
                    assert_zero(&frame);
                refused++;
            }
            release(v, &frame);
            free(flipped);
        }
        free(octets);
    }
    assert_true(accepted > 500 && refused > 500);
}

/* Fails the n-th allocation, program's and scratch together, until all succeed. */
static void c_every_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(vectors); i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        enum ndr_verdict verdict = NDR_FAILED;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (long n = 0; verdict != NDR_DONE; n++) {
            struct ndr_reader r = reader_of(v, octets, len);
            receive_into(v, &frame);
            heap_fail_at(n);
            verdict = ndr_decode_params(&r, v->operation, &frame, v->direction, &heap);
            if (verdict == NDR_DONE)
                break;
            assert_int_equal(r.status, RPC_S_OUT_OF_MEMORY);
            assert_int_equal(heap_live, 0);
            if (v->direction == NDR_PARAM_IN)
                assert_zero(&frame);
            assert_in_range(n, 0, 1000);
        }
        heap_fail_at(-1);
        release(v, &frame);
        for (long n = 0;; n++) {
            struct ndr_writer w;
            ndr_writer_init(&w);
            w.reallocate = heap_reallocate;
            w.origin = v->origin;
            v->fill(&frame);
            heap_fail_at(n);
            RPC_STATUS status = ndr_encode_params(&w, v->operation, &frame, v->direction);
            heap_fail_at(-1);
            assert_true(status == RPC_S_OK || (status == RPC_S_OUT_OF_MEMORY && w.len == 0));
            ndr_writer_fini(&w);
            if (status == RPC_S_OK)
                break;
        }
        free(octets);
    }
}

/* ---- Octets that are wrong -------------------------------------------------------------- */

/* Where one octet makes all the difference, `fix_at` and `fix_to` say which, and the test
 * proves that the rest is right. */
#define EMPTY_REST                                                                                 \
    " 00000000 7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000"

static const struct {
    const char *what;
    const NDR_OPERATION *operation;
    const char *octets;
    RPC_STATUS status;
    int fix_at, fix_to;
} wrong[] = {
    {"max above 2^31 - 1", &strings_op, "03000080 00000000 03000000 686900 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 3, 0},
    {"offset of a string", &strings_op, "03000000 01000000 02000000 6900 0000" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"actual above max", &strings_op, "02000000 00000000 03000000 686900 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 0, 3},
    {"empty string without terminator", &strings_op,
     "01000000 00000000 00000000 00000000" EMPTY_REST, RPC_X_BAD_STUB_DATA, 8, 1},
    {"no terminator", &strings_op, "03000000 00000000 03000000 686921 00" EMPTY_REST,
     RPC_X_BAD_STUB_DATA, 14, 0},
    {"half a wide terminator", &strings_op,
     "01000000 00000000 01000000 00 000000 00000200 01000000 00000000 01000000 0001 0000"
     "7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 33, 0},
    {"the other half", &strings_op,
     "01000000 00000000 01000000 00 000000 00000200 01000000 00000000 01000000 0100 0000"
     "7f000000 00000000 01000000 00 000000 01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 32, 0},
    {"fixed string longer than its array", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000"
     "7f000000 00000000 09000000 616263646566676800 000000"
     "01000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"sized string: max is not size_is", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000 7f000000 00000000 01000000 00 000000"
     "02000000 00000000 01000000 00 000000 01000000",
     RPC_X_BAD_STUB_DATA, 36, 1},
    {"max is not size_is", &arrays_op,
     "02000000 01000000 02000000 02000000 03000000 0500 0600 0700 0000 04000000"
     "08000000 09000000 0a000000 00000000 3412",
     RPC_X_BAD_STUB_DATA, 28, 3},
    {"size_is negative: n - 2 with n 1", &arrays_op,
     "01000000 01000000 01000000 03000000 0500 0600 0700 0000 03000000"
     "08000000 09000000 0a000000 00000000 3412",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"[range] of a parameter", &arrays_op,
     "02000000 01000000 02000000 02000000 03000000 0500 0600 0700 0000 03000000"
     "08000000 09000000 0a000000 00000000 0120",
     RPC_X_BAD_STUB_DATA, 48, 0},
    {"enum16 above 32767", &tree_op, "00000200 0000 0000 00000000 0080 616263", RPC_X_BAD_STUB_DATA,
     13, 0x7f},
    {"[range] of a field", &tree_op,
     "00000200 0500 0000 04000200 0000 616263 000000 05000000"
     "0000 0000 00000000 0000 616263 000000 0000 0000 00000000 0000 616263 000000"
     "0000 0000 00000000 0000 616263 000000 0000 0000 00000000 0000 616263 000000"
     "0000 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"count is not the field size_is names", &tree_op,
     "00000200 0200 0000 04000200 0000 616263 000000 01000000 0000 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, 4, 1},
    {"NULL with size_is not 0 (/robust)", &tree_op, "00000200 0200 0000 00000000 0000 616263",
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"NULL with size_is not 0, operand before", &list_op,
     "01000000 00000000 00000000 0200 0000 00000000", RPC_X_BAD_STUB_DATA, 12, 0},
    {"hoisted count is not the field", &tails_op,
     "02000000 03000000 0900 0100 0200 0000 01000000 00000000 8877665544332211 01000000 0500 ff7f",
     RPC_X_BAD_STUB_DATA, 4, 2},
    {"[range] of an array's elements", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000 01000000 06000000 0100 0200 03000000"
     "09000000 04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 100, 5},
    {"enum16 in an array", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000 01000000 05000000 0100 0080 03000000"
     "09000000 04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 107, 0x7f},
    {"hoisted max of a string is not the field", &misc_op,
     "00000200 02000000 07000000 08000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 04000200 00000000"
     "01000000 05000000 0100 0200 03000000"
     "09000000 04000000 0500 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 120, 4},
    {"NULL parameter with size_is not 0 (/robust)", &misc_op,
     "00000000 02000000 03000000 00000000 03000000 610062000000 0000"
     "02000000 02000000 01 00 0300 0400 0000 01 000000 00000000 02000000 6100 0000"
     "02 000000 00000000 03000000 626300 00 00000000 00000000"
     "01000000 05000000 0100 0200 03000000"
     "04000000 0400 0000 00000000 03000000 787900",
     RPC_X_BAD_STUB_DATA, 4, 0},
    {"two arrays of one size_is differ", &names_op,
     "01000000 01000000 00000000 02000000 64000000 c8000000 01000000 01000000 00000000",
     RPC_X_BAD_STUB_DATA, -1, 0},
    {"2^31 - 1 pointers in 12 octets", &names_op, "ffffff7f ffffff7f 00000200", RPC_X_BAD_STUB_DATA,
     -1, 0},
    {"a string buffer of 1 GiB claimed by a few octets", &strings_op,
     "01000000 00000000 01000000 00 000000 00000000 7f000000 00000000 01000000 00 000000"
     "00000040 00000000 01000000 00 000000 00000040",
     RPC_S_OUT_OF_RESOURCES, -1, 0},
};

static void b_wrong_octets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(wrong); i++) {
        struct vector v = {.operation = wrong[i].operation, .direction = NDR_PARAM_IN};
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(wrong[i].octets, &len);
        struct ndr_reader r = reader_of(&v, octets, len);
        memset(&frame, 0, sizeof(frame));
        print_message("# %s\n", wrong[i].what);
        assert_int_equal(ndr_decode_params(&r, v.operation, &frame, NDR_PARAM_IN, &heap),
                         NDR_FAILED);
        assert_int_equal(r.status, wrong[i].status);
        assert_int_equal(heap_live, 0);
        assert_zero(&frame);
        if (wrong[i].fix_at >= 0) {
            octets[wrong[i].fix_at] = (uint8_t)wrong[i].fix_to;
            assert_int_equal(ndr_decode_params(&r, v.operation, &frame, NDR_PARAM_IN, &heap),
                             NDR_DONE);
            release(&v, &frame);
        }
        free(octets);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_encode),
        cmocka_unit_test(b_decode),
        cmocka_unit_test(b_decode_big_endian),
        cmocka_unit_test(b_what_follows_is_left),
        cmocka_unit_test(b_wrong_octets),
        cmocka_unit_test(c_every_prefix),
        cmocka_unit_test(c_every_bit_flipped),
        cmocka_unit_test(c_every_allocation_fails),
    };
    return cmocka_run_group_tests_name("ndr_vector", tests, NULL, NULL);
}
