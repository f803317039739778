/* SPDX-License-Identifier: MIT */
/* ndr_convert_test.c - values the program converts, through generated descriptors
 * (tests/golden/b_transmit_as, b_represent_as, b_user_marshal) and the engine alone: the
 * octets in both transfer syntaxes and byte orders, built here by the rules of C706 chapter
 * 14 and MS-RPCE 2.2.5; routines that raise at every call; every prefix, every bit flipped,
 * every allocation failing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr_convert_routines.h"
#include "random.h"

/* ---- Octets ------------------------------------------------------------------------------------ */

struct octets {
    uint8_t at[512];
    size_t len;
    bool big, ndr64;
    uint32_t referent;
};

static void put(struct octets *o, uint64_t value, size_t size)
{
    while (o->len % size != 0)
        o->at[o->len++] = 0;
    for (size_t i = 0; i < size; i++)
        o->at[o->len++] = (uint8_t)(value >> 8 * (o->big ? size - 1 - i : i));
}

static void longs(struct octets *o, size_t count, const int32_t *values)
{
    for (size_t i = 0; i < count; i++)
        put(o, (uint32_t)values[i], 4);
}
#define LONGS(o, ...)                                                                              \
    longs(o, sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), (int32_t[]){__VA_ARGS__})

static void count(struct octets *o, uint32_t value)
{
    put(o, value, o->ndr64 ? 8 : 4);
}

static void referent(struct octets *o)
{
    count(o, 0x20000 + 4 * o->referent++);
}

static void pad(struct octets *o, size_t align)
{
    while (o->ndr64 && o->len % align != 0)
        o->at[o->len++] = 0;
}

static void wide_string(struct octets *o, const char *text)
{
    count(o, (uint32_t)strlen(text) + 1);
    count(o, 0);
    count(o, (uint32_t)strlen(text) + 1);
    for (size_t i = 0; i <= strlen(text); i++)
        put(o, (unsigned char)text[i], 2);
}

/* ---- Calls ---------------------------------------------------------------------------------------- */

/* A frame of any of the operations, and how to make and judge it. */
struct sample {
    const char *name;
    RPC_IF_HANDLE *interface;
    unsigned opnum;
    unsigned filled; /* values that are filled when it is received */
    void (*build)(struct octets *o);
    void (*fill)(const NDR_OPERATION *op, uint8_t *frame);
    void (*check)(const NDR_OPERATION *op, const uint8_t *frame);
};

static const NDR_OPERATION *operation_of(const struct sample *sample)
{
    const RPC_CLIENT_INTERFACE *spec = *sample->interface;
    return &spec->InterpreterInfo->operations[sample->opnum];
}

static void *member(const NDR_OPERATION *op, const uint8_t *frame, const char *name)
{
    for (uint32_t i = 0; i < op->param_count; i++)
        if (strcmp(op->params[i].name, name) == 0)
            return (void *)(uintptr_t)(frame + op->params[i].offset);
    fail();
    return NULL;
}

#define MEMBER(type, name) (*(type *)member(op, frame, name))

/* Next: a moment; begin, two ends, a pointer to one, a pointer to a conformant list. */
static void build_next(struct octets *o)
{
    LONGS(o, 1, 2, 2023);
    pad(o, 8);
    LONGS(o, 3, 4, 2024, 5, 6, 2025, 7, 8, 2026);
    referent(o);
    referent(o);
    LONGS(o, 9, 10, 2027);
    count(o, 3);
    LONGS(o, 3, 11, 22, 33);
}

static void fill_next(const NDR_OPERATION *op, uint8_t *frame)
{
    static MOMENT due = 20271009;
    static NODE nodes[] = {{11, &nodes[1]}, {22, &nodes[2]}, {33, NULL}};
    static LIST list = nodes;
    static EVENT event = {
        .begin = 20240403, .end = {20250605, 20260807}, .due = &due, .list = &list};
    MEMBER(MOMENT, "now") = 20230201;
    MEMBER(EVENT *, "event") = &event;
}

static void check_next(const NDR_OPERATION *op, const uint8_t *frame)
{
    const EVENT *event = MEMBER(EVENT *, "event");
    const NODE *node = *event->list;
    assert_int_equal(MEMBER(MOMENT, "now"), 20230201);
    assert_int_equal(event->begin, 20240403);
    assert_int_equal(event->end[1], 20260807);
    assert_int_equal(*event->due, 20271009);
    for (int32_t i = 1; i <= 3; i++, node = node->next)
        assert_int_equal(node->value, 11 * i);
    assert_null(node);
}

/* Middle: a line, two points; each angle is 1 long. */
static void build_middle(struct octets *o)
{
    LONGS(o, 1, 2, 3, 4, 90, -150, 5, 6, 7, 8);
}

static void fill_middle(const NDR_OPERATION *op, uint8_t *frame)
{
    static LINE line = {.from = {1, 2}, .to = {3, 4}, .angles = {1.5f, -2.5f}};
    static LOCAL_POINT point = {5, 6};
    MEMBER(LINE *, "line") = &line;
    MEMBER(LOCAL_POINT *, "point") = &point;
    MEMBER(LOCAL_POINT, "same") = (LOCAL_POINT){7, 8};
}

static void check_middle(const NDR_OPERATION *op, const uint8_t *frame)
{
    const LINE *line = MEMBER(LINE *, "line");
    assert_true(line->from.x == 1 && line->to.y == 4);
    assert_true(line->angles[0] == 1.5f && line->angles[1] == -2.5f);
    assert_true(MEMBER(LOCAL_POINT *, "point")->y == 6 && MEMBER(LOCAL_POINT, "same").x == 7);
}

/* Open: a name by value, whose pointer is the engine's; a structure that defers its own. */
static void build_open(struct octets *o)
{
    referent(o);
    wide_string(o, "ab");
    pad(o, 8);
    put(o, 0x12345678, 4);
    referent(o);
    referent(o);
    referent(o);
    count(o, 5);
    put(o, 5, 4);
    for (int i = 1; i <= 5; i++)
        put(o, (uint64_t)i, 1);
    wide_string(o, "");
    wide_string(o, "xyz");
}

static void fill_open(const NDR_OPERATION *op, uint8_t *frame)
{
    static byte data[] = {1, 2, 3, 4, 5};
    static char ab[] = "ab", empty[] = "", xyz[] = "xyz";
    static ALL all = {.window = (void *)0x12345678,
                      .blob = {.size = 5, .data = data},
                      .names = {{empty}, {xyz}}};
    MEMBER(LOCAL_NAME, "name").text = ab;
    MEMBER(ALL *, "all") = &all;
}

static void check_open(const NDR_OPERATION *op, const uint8_t *frame)
{
    static const byte data[] = {1, 2, 3, 4, 5};
    const ALL *all = MEMBER(ALL *, "all");
    assert_string_equal(MEMBER(LOCAL_NAME, "name").text, "ab");
    assert_ptr_equal(all->window, (void *)0x12345678);
    assert_int_equal(all->blob.size, 5);
    assert_memory_equal(all->blob.data, data, 5);
    assert_string_equal(all->names[0].text, "");
    assert_string_equal(all->names[1].text, "xyz");
}

static const struct sample samples[] = {
    {"transmit_as", &b_transmit_as_v1_0_c_ifspec, 0, 6, build_next, fill_next, check_next},
    {"represent_as", &b_represent_as_v1_0_c_ifspec, 0, 6, build_middle, fill_middle, check_middle},
    {"user_marshal", &b_user_marshal_v1_0_c_ifspec, 0, 5, build_open, fill_open, check_open},
};
#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

static RPC_STATUS encode(const struct sample *sample, struct ndr_writer *w, bool ndr64)
{
    const NDR_OPERATION *op = operation_of(sample);
    uint8_t *frame = calloc(1, op->frame_size);
    sample->fill(op, frame);
    ndr_writer_init(w);
    w->ndr64 = ndr64;
    w->memory = &memory;
    w->reallocate = heap_reallocate;
    calls = 0;
    RPC_STATUS status = ndr_encode_params(w, op, frame, NDR_PARAM_IN);
    free(frame);
    return status;
}

/* Decodes, checks that nothing is left after a failure, frees after success.  `check`: the
 * value is the sample's. */
static enum ndr_verdict decode(const struct sample *sample, const struct octets *o, size_t len,
                               bool last, bool check, RPC_STATUS *ret_status)
{
    const NDR_OPERATION *op = operation_of(sample);
    uint8_t *frame = calloc(1, op->frame_size);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, o->at, len);
    struct ndr_reader r = {.octets = exact,
                           .len = len,
                           .little_endian = !o->big,
                           .ndr64 = o->ndr64,
                           .last = last,
                           .reallocate = heap_reallocate};
    calls = 0;
    filled = 0;
    sender_is_little = !o->big;
    enum ndr_verdict verdict = ndr_decode_params(&r, op, frame, NDR_PARAM_IN, &memory);
    free(exact); /* values have nothing in it */
    if (verdict == NDR_DONE && check)
        sample->check(op, frame);
    if (verdict == NDR_DONE)
        ndr_free_params(op, frame, &memory);
    *ret_status = verdict == NDR_FAILED ? r.status : RPC_S_OK;
    free(frame);
    assert_int_equal(heap_live, 0);
    return verdict;
}

static struct octets octets_of(const struct sample *sample, bool ndr64, bool big)
{
    struct octets o = {.ndr64 = ndr64, .big = big};
    sample->build(&o);
    return o;
}

#define EACH(i, ndr64, big)                                                                        \
    for (size_t i = 0; i < SAMPLE_COUNT; i++)                                                      \
        for (int ndr64 = 0; ndr64 <= 1; ndr64++)                                                   \
            for (int big = 0; big <= 1; big++)

/* ---- Tests ------------------------------------------------------------------------------------------ */

static void b_octets(void **state)
{
    (void)state;
    EACH (i, ndr64, big) {
        struct octets o = octets_of(&samples[i], ndr64, big);
        struct ndr_writer w;
        RPC_STATUS status;
        if (!big) {
            assert_int_equal(encode(&samples[i], &w, ndr64), RPC_S_OK);
            assert_int_equal(w.len, o.len);
            assert_memory_equal(w.octets, o.at, o.len);
            ndr_writer_fini(&w);
            assert_int_equal(heap_live, 0);
        }
        assert_int_equal(decode(&samples[i], &o, o.len, true, true, &status), NDR_DONE);
        assert_int_equal(filled, samples[i].filled);
    }
}

/* Routines run when everything is there, never in a try that wants more. */
static void c_every_prefix(void **state)
{
    (void)state;
    EACH (i, ndr64, big) {
        struct octets o = octets_of(&samples[i], ndr64, big);
        for (size_t n = 0; n < o.len; n++) {
            RPC_STATUS status;
            assert_int_equal(decode(&samples[i], &o, n, false, false, &status), NDR_NEED_MORE);
            assert_int_equal(calls, 0);
            assert_int_equal(decode(&samples[i], &o, n, true, false, &status), NDR_FAILED);
            assert_int_equal(status, RPC_X_BAD_STUB_DATA);
            assert_int_equal(calls, 0);
        }
    }
}

static void c_every_bit_flipped(void **state)
{
    (void)state;
    EACH (i, ndr64, big) {
        struct octets o = octets_of(&samples[i], ndr64, big);
        unsigned refused = 0;
        for (size_t bit = 0; bit < 8 * o.len; bit++) {
            RPC_STATUS status;
            o.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            refused += decode(&samples[i], &o, o.len, true, false, &status) == NDR_FAILED;
            o.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(refused > 0 || i == 1); /* points and angles may be anything */
    }
}

/* Octets damaged, counts made large, ends cut off; some are read all the same. */
static void r_random_damage(void **state)
{
    uint64_t seed = 20240501;
    (void)state;
    EACH (i, ndr64, big) {
        for (int round = 0; round < 3000; round++) {
            struct octets o = octets_of(&samples[i], ndr64, big);
            RPC_STATUS status;
            for (uint32_t n = 1 + random_below(&seed, 4); n > 0; n--) {
                static const uint8_t values[] = {0, 1, 2, 4, 0x7f, 0x80, 0xff};
                o.at[random_below(&seed, (uint32_t)o.len)] = values[random_below(&seed, 7)];
            }
            size_t len = o.len - random_below(&seed, 8);
            decode(&samples[i], &o, len, random_below(&seed, 2), false, &status);
        }
    }
}

static void c_every_allocation_fails(void **state)
{
    (void)state;
    EACH (i, ndr64, big) {
        struct octets o = octets_of(&samples[i], ndr64, big);
        enum ndr_verdict verdict = NDR_FAILED;
        RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
        for (long n = 0; status != RPC_S_OK && !big; n++) {
            struct ndr_writer w;
            heap_fail_at(n);
            status = encode(&samples[i], &w, ndr64);
            heap_fail_at(-1);
            ndr_writer_fini(&w);
            assert_int_equal(heap_live, 0);
            assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
        }
        for (long n = 0; verdict != NDR_DONE; n++) {
            heap_fail_at(n);
            verdict = decode(&samples[i], &o, o.len, true, true, &status);
            heap_fail_at(-1);
            /* A routine without memory raises. */
            assert_true(verdict == NDR_DONE || status == RPC_S_OUT_OF_MEMORY || status == RAISED);
        }
    }
}

static void c_every_routine_raises(void **state)
{
    (void)state;
    EACH (i, ndr64, big) {
        struct octets o = octets_of(&samples[i], ndr64, big);
        enum ndr_verdict verdict = NDR_FAILED;
        RPC_STATUS status = RAISED;
        for (raise_at = 0; status != RPC_S_OK && !big; raise_at++) {
            struct ndr_writer w;
            status = encode(&samples[i], &w, ndr64);
            assert_int_equal(w.len == 0, status != RPC_S_OK);
            ndr_writer_fini(&w);
            assert_int_equal(heap_live, 0);
            assert_true(status == RPC_S_OK || status == RAISED);
        }
        for (raise_at = 0; verdict != NDR_DONE; raise_at++) {
            verdict = decode(&samples[i], &o, o.len, true, true, &status);
            assert_true(verdict == NDR_DONE || status == RAISED);
        }
        assert_true(raise_at > 3); /* some did */
        raise_at = -1;
    }
}

/* A reply into the application's memory.  Blobs: [in, out] has a value, [out] has garbage. */
static RPC_STATUS reply(const struct octets *o, BLOB *b, BLOB *c)
{
    const struct sample sample = {.interface = &b_user_marshal_v1_0_c_ifspec, .opnum = 1};
    const NDR_OPERATION *op = operation_of(&sample);
    uint8_t *frame = calloc(1, op->frame_size);
    MEMBER(BLOB *, "b") = b;
    MEMBER(BLOB *, "c") = c;
    struct ndr_reader r = {.octets = o->at,
                           .len = o->len,
                           .little_endian = !o->big,
                           .ndr64 = o->ndr64,
                           .last = true,
                           .reallocate = heap_reallocate};
    sender_is_little = !o->big;
    calls = 0;
    enum ndr_verdict verdict = ndr_decode_params(&r, op, frame, NDR_PARAM_OUT, &memory);
    free(frame);
    return verdict == NDR_DONE ? RPC_S_OK : r.status;
}

static void blob_octets(struct octets *o, uint32_t size, byte first)
{
    referent(o);
    count(o, size);
    put(o, size, 4);
    for (uint32_t i = 0; i < size; i++)
        put(o, (byte)(first + i), 1);
}

static BLOB blob_of(uint32_t size)
{
    BLOB blob = {.size = size, .data = heap_allocate(size)};
    memset(blob.data, 7, size);
    return blob;
}

static void b_reply(void **state)
{
    unsigned long flags = 0;
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        struct octets o = {.ndr64 = variant & 1, .big = variant & 2};
        BLOB b = blob_of(3), c;
        memset(&c, 0xee, sizeof(c)); /* [out]: not initialised */
        blob_octets(&o, 4, 10);
        blob_octets(&o, 2, 20);
        assert_int_equal(reply(&o, &b, &c), RPC_S_OK);
        assert_true(b.size == 4 && b.data[3] == 13 && c.size == 2 && c.data[1] == 21);
        assert_int_equal(heap_live, 2);
        BLOB_UserFree(&flags, &b);
        BLOB_UserFree(&flags, &c);
    }
}

/* The second one raises: the first is the application's, or taken back. */
static void b_reply_fails(void **state)
{
    unsigned long flags = 0;
    (void)state;
    struct octets o = {.len = 0};
    blob_octets(&o, 4, 10);
    blob_octets(&o, 2, 20);
    for (raise_at = 0; raise_at < 2; raise_at++) {
        BLOB b = blob_of(3), c;
        memset(&c, 0xee, sizeof(c));
        assert_int_equal(reply(&o, &b, &c), RAISED);
        assert_int_equal(b.size, raise_at == 0 ? 3 : 4);
        assert_int_equal(heap_live, 1);
        BLOB_UserFree(&flags, &b);
    }
    raise_at = -1;
}

/* A peer may send NULL for the wire's pointer: then there is nothing. */
static void b_null_pointer(void **state)
{
    (void)state;
    for (int ndr64 = 0; ndr64 <= 1; ndr64++) {
        struct octets o = {.ndr64 = ndr64};
        BLOB b = blob_of(3), c;
        memset(&c, 0xee, sizeof(c));
        count(&o, 0);
        count(&o, 0);
        assert_int_equal(reply(&o, &b, &c), RPC_S_OK);
        assert_true(b.size == 0 && !b.data && c.size == 0 && !c.data);
        assert_int_equal(heap_live, 0);
    }
}

static void b_without_routines(void **state)
{
    (void)state;
    const NDR_OPERATION *op = operation_of(&samples[0]);
    uint8_t *frame = calloc(1, op->frame_size);
    struct ndr_writer w;
    samples[0].fill(op, frame);
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, op, frame, NDR_PARAM_IN), RPC_S_CANNOT_SUPPORT);
    ndr_writer_reset(&w);
    w.skip_converted = true; /* a walk that looks for something else */
    assert_int_equal(ndr_encode_params(&w, op, frame, NDR_PARAM_IN), RPC_S_OK);
    ndr_writer_fini(&w);
    free(frame);
}

static void b_print(void **state)
{
    (void)state;
    const NDR_OPERATION *op = operation_of(&samples[0]);
    uint8_t *frame = calloc(1, op->frame_size);
    char text[200];
    samples[0].fill(op, frame);
    ndr_print_params(op, frame, NDR_PARAM_IN, text, sizeof(text));
    assert_string_equal(text, "now=<MOMENT>, event={begin=<MOMENT>, end=2[<MOMENT>, <MOMENT>], "
                              "due=<MOMENT>, list=<LIST>}");
    free(frame);
}

static void b_info(void **state)
{
    (void)state;
    unsigned char buffer[8];
    USER_MARSHAL_CB cb = {.Signature = USER_MARSHAL_CB_SIGNATURE,
                          .CBType = USER_MARSHAL_CB_UNMARSHALL,
                          .Info = {.Buffer = buffer, .BufferSize = sizeof(buffer)}};
    NDR_USER_MARSHAL_INFO info = {0};
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 1, &info), RPC_S_OK);
    assert_ptr_equal(info.Level1.Buffer, buffer);
    assert_int_equal(info.Level1.BufferSize, sizeof(buffer));
    assert_int_equal(info.InformationLevel, 1);
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 2, &info), RPC_S_INVALID_ARG);
    assert_int_equal(NdrGetUserMarshalInfo(NULL, 1, &info), RPC_S_INVALID_ARG);
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 1, NULL), RPC_S_INVALID_ARG);
    cb.Info.Buffer = NULL;
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 1, &info), RPC_X_INVALID_BUFFER);
    cb.CBType = USER_MARSHAL_CB_FREE;
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 1, &info), RPC_S_OK);
    assert_null(info.Level1.Buffer);
    cb.Signature = 0;
    assert_int_equal(NdrGetUserMarshalInfo(&cb.Flags, 1, &info), RPC_S_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_octets),
        cmocka_unit_test(b_reply),
        cmocka_unit_test(b_reply_fails),
        cmocka_unit_test(b_null_pointer),
        cmocka_unit_test(b_without_routines),
        cmocka_unit_test(b_print),
        cmocka_unit_test(b_info),
        cmocka_unit_test(c_every_prefix),
        cmocka_unit_test(c_every_bit_flipped),
        cmocka_unit_test(c_every_allocation_fails),
        cmocka_unit_test(c_every_routine_raises),
        cmocka_unit_test(r_random_damage),
    };
    return cmocka_run_group_tests_name("ndr_convert", tests, NULL, NULL);
}
