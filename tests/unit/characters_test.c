/* SPDX-License-Identifier: MIT */
/* characters_test.c - [cs_char] arrays through generated descriptors (tests/golden/b_cs_char): a
 * call from a client's frame over the octets of both transfer syntaxes to a manager and back;
 * the octets, built here by the rules of C706 chapter 14; routines that refuse at every call, every
 * allocation failing, hostile octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "alloc_shim.h"
#include "ndr/ndr.h"
#include "runtime/characters.h"

#include "b_cs_char.h"
#include "characters_routines.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static void manage_now(void *frame);

enum operation { FIXED, VARYING, OPEN, HIDDEN, PAIR, GET };
static enum operation running;

static const NDR_OPERATION *operation(enum operation which)
{
    const RPC_CLIENT_INTERFACE *spec = b_cs_char_v1_0_c_ifspec;
    return &spec->InterpreterInfo->operations[which];
}

static const struct ndr_memory stub_memory = {.allocate = MIDL_user_allocate,
                                              .free = MIDL_user_free};

/* The server's part: octets in, octets out. */
static RPC_STATUS serve(const NDR_OPERATION *op, struct ndr_writer *wire)
{
    const struct ndr_memory memory = {.allocate = MIDL_user_allocate, .free = MIDL_user_free,
                                      .prepare_max = 1 << 16};
    uint64_t frame[32] = {0};
    bool raised;
    struct ndr_reader reader = {.octets = wire->octets, .len = wire->len, .last = true,
                                .little_endian = true, .ndr64 = wire->ndr64,
                                .allocated_max = 1 << 16};
    assert_true(op->frame_size <= sizeof(frame));
    if (ndr_decode_params(&reader, op, frame, NDR_PARAM_IN, &memory) != NDR_DONE)
        return reader.status;
    RPC_STATUS status = ndr_prepare_out(op, frame, &memory);
    if (status == RPC_S_OK)
        status = characters_manage(op, frame, NULL, &memory, 1 << 20, manage_now, frame, &raised);
    if (status == RPC_S_OK) {
        ndr_writer_reset(wire);
        status = ndr_encode_params(wire, op, frame, NDR_PARAM_OUT);
    }
    ndr_free_params(op, frame, &memory);
    return status;
}

static RPC_STATUS call_over(bool ndr64, void *frame, void (*damage)(struct ndr_writer *wire))
{
    const NDR_OPERATION *op = operation(running);
    const struct ndr_memory memory = {.allocate = MIDL_user_allocate, .free = MIDL_user_free};
    struct characters *c;
    struct ndr_writer wire;
    RPC_STATUS status = characters_new(op, frame, NULL, &memory, &c);
    if (status != RPC_S_OK)
        return status;
    ndr_writer_init(&wire);
    wire.ndr64 = ndr64;
    status = ndr_encode_params(&wire, op, characters_frame(c), NDR_PARAM_IN);
    if (status == RPC_S_OK && damage)
        damage(&wire);
    if (status == RPC_S_OK)
        status = serve(op, &wire);
    if (status == RPC_S_OK) {
        struct ndr_reader reader = {.octets = wire.octets, .len = wire.len, .last = true,
                                    .little_endian = true, .ndr64 = ndr64};
        status = ndr_decode_params(&reader, op, characters_frame(c), NDR_PARAM_OUT, &memory) ==
                         NDR_DONE
                     ? characters_take_reply(c)
                     : reader.status;
    }
    ndr_writer_fini(&wire);
    characters_free(c);
    return status;
}

static RPC_STATUS call(bool ndr64, void *frame)
{
    return call_over(ndr64, frame, NULL);
}

/* Members of a frame, which only the stub has a type for. */
static void *slot(void *frame, const char *name)
{
    const NDR_OPERATION *op = operation(running);
    for (uint32_t i = 0; i < op->param_count; i++)
        if (strcmp(op->params[i].name, name) == 0)
            return (char *)frame + op->params[i].offset;
    fail();
    return NULL;
}
#define MEMBER(type, name) (*(type *)slot(frame, name))

/* ---- The manager ------------------------------------------------------------------------------ */

static bool manager_raises;

static void turn_over(UTF32 *text, int32_t count)
{
    for (int32_t i = 0; i < count / 2; i++) {
        UTF32 c = text[i];
        text[i] = text[count - 1 - i];
        text[count - 1 - i] = c;
    }
}

static void manage_now(void *frame)
{
    UTF32 *text;
    switch (running) {
    case FIXED:
        text = MEMBER(UTF32 *, "name");
        turn_over(text, 8);
        *MEMBER(uint32_t *, "rtag") = MEMBER(uint32_t, "drtag");
        break;
    case VARYING:
        turn_over(MEMBER(UTF32 *, "text"), *MEMBER(int32_t *, "length"));
        *MEMBER(uint32_t *, "rtag") = MEMBER(uint32_t, "stag");
        break;
    case OPEN: /* one character more */
        text = MEMBER(UTF32 *, "text");
        turn_over(text, *MEMBER(int32_t *, "length"));
        assert_true(*MEMBER(int32_t *, "length") < MEMBER(int32_t, "size"));
        text[(*MEMBER(int32_t *, "length"))++] = 0xe9;
        *MEMBER(uint32_t *, "rtag") = MEMBER(uint32_t, "drtag");
        break;
    case HIDDEN:
        text = MEMBER(UTF32 *, "text");
        MEMBER(int32_t, "_RetVal") = text ? (int32_t)text[0] : -1;
        if (text)
            text[0] = 'H';
        break;
    case PAIR:
        assert_int_equal(MEMBER(uint32_t, "wide_length"), 3);
        assert_int_equal(MEMBER(int16_t, "length"), 2);
        assert_int_equal(MEMBER(UTF32 *, "wide")[2], 'c');
        assert_memory_equal(MEMBER(cs_byte *, "narrow"), "xy", 2);
        break;
    case GET:
        text = MEMBER(UTF32 *, "text");
        text[0] = 'G';
        text[1] = 0xe8;
        *MEMBER(int32_t *, "length") = 2;
        *MEMBER(uint32_t *, "rtag") = *MEMBER(uint32_t *, "drtag");
        break;
    }
    if (manager_raises)
        RpcRaiseException(REFUSED);
}

/* ---- Samples ---------------------------------------------------------------------------------- */

/* A client's arguments, fresh for each call. */
struct arguments {
    uint64_t frame[32];
    uint32_t rtag, drtag;
    int32_t size, length;
    UTF32 text[24];
    cs_byte narrow[8];
};

static void fill(struct arguments *a, enum operation which)
{
    static const UTF32 start[] = {'a', 0xe4, 'c', 0x3b1, 'e', 0, 0, 0};
    void *frame = a->frame;
    running = which;
    memset(a, 0, sizeof(*a));
    memcpy(a->text, start, sizeof(start));
    a->length = 5;
    a->size = 8;
    a->drtag = UTF8;
    for (size_t i = 8; i < 24; i++)
        a->text[i] = 0xdeadbeef; /* not to be touched */
    switch (which) {
    case FIXED:
        memset(a->text + 1, 0, 7 * sizeof(UTF32));
        a->text[1] = 0xe4;
        MEMBER(uint32_t, "stag") = MEMBER(uint32_t, "drtag") = LATIN;
        MEMBER(uint32_t *, "rtag") = &a->rtag;
        MEMBER(UTF32 *, "name") = a->text;
        break;
    case VARYING:
        MEMBER(uint32_t, "stag") = UTF8;
        MEMBER(uint32_t *, "rtag") = &a->rtag;
        MEMBER(int32_t *, "length") = &a->length;
        MEMBER(UTF32 *, "text") = a->text;
        break;
    case OPEN:
        MEMBER(uint32_t, "stag") = UTF8;
        MEMBER(uint32_t, "drtag") = UTF8;
        MEMBER(uint32_t *, "rtag") = &a->rtag;
        MEMBER(int32_t, "size") = a->size;
        MEMBER(int32_t *, "length") = &a->length;
        MEMBER(UTF32 *, "text") = a->text;
        break;
    case HIDDEN:
        MEMBER(int32_t *, "size") = &a->size;
        MEMBER(UTF32 *, "text") = a->text;
        break;
    case PAIR:
        a->text[1] = 'b';
        memcpy(a->narrow, "xy", 2);
        MEMBER(uint32_t, "stag") = UTF8;
        MEMBER(int32_t, "size") = 4;
        MEMBER(uint32_t, "wide_length") = 3;
        MEMBER(int16_t, "length") = 2;
        MEMBER(UTF32 *, "wide") = a->text;
        MEMBER(cs_byte *, "narrow") = a->narrow;
        break;
    case GET:
        MEMBER(uint32_t *, "drtag") = &a->drtag;
        MEMBER(uint32_t *, "rtag") = &a->rtag;
        MEMBER(int32_t, "size") = a->size;
        MEMBER(int32_t *, "length") = &a->length;
        MEMBER(UTF32 *, "text") = a->text;
        break;
    }
}

static void judge(const struct arguments *a, enum operation which)
{
    const void *frame = a->frame;
    for (size_t i = 8; i < 24; i++)
        assert_int_equal(a->text[i], 0xdeadbeef);
    switch (which) {
    case FIXED:
        assert_true(a->text[7] == 'a' && a->text[6] == 0xe4 && a->text[0] == 0);
        assert_int_equal(a->rtag, LATIN);
        break;
    case VARYING:
        assert_int_equal(a->length, 5);
        assert_true(a->text[0] == 'e' && a->text[1] == 0x3b1 && a->text[4] == 'a');
        assert_int_equal(a->rtag, UTF8);
        break;
    case OPEN:
        assert_int_equal(a->length, 6);
        assert_true(a->text[1] == 0x3b1 && a->text[3] == 0xe4 && a->text[5] == 0xe9);
        break;
    case HIDDEN:
        assert_int_equal(*(const int32_t *)slot((void *)(uintptr_t)frame, "_RetVal"), 'a');
        assert_true(a->text[0] == 'H' && a->text[3] == 0x3b1);
        assert_int_equal(a->size, 8);
        break;
    case PAIR:
        break;
    case GET:
        assert_int_equal(a->length, 2);
        assert_true(a->text[0] == 'G' && a->text[1] == 0xe8);
        break;
    }
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void a_call_carries_characters_both_ways(void **state)
{
    (void)state;
    for (int which = FIXED; which <= GET; which++) {
        for (int ndr64 = 0; ndr64 < 2; ndr64++) {
            struct arguments a;
            long live = alloc_live;
            fill(&a, which);
            assert_int_equal(call(ndr64, a.frame), RPC_S_OK);
            judge(&a, which);
            assert_int_equal(alloc_live, live);
        }
    }
}

/* size_is and length_is are network counts on the wire. */
static void b_the_octets_are_those_of_a_byte_array(void **state)
{
    static const uint8_t ndr20[] = {
        106, 0, 0, 0, 106, 0, 0, 0,             /* stag, drtag */
        32, 0, 0, 0, 7, 0, 0, 0,                /* size 8 * 4, length */
        32, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,    /* max count, offset, actual count */
        'a', 0xc3, 0xa4, 'c', 0xce, 0xb1, 'e',
    };
    static const uint8_t ndr64[] = {
        106, 0, 0, 0, 106, 0, 0, 0, 32, 0, 0, 0, 7, 0, 0, 0,
        32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
        'a', 0xc3, 0xa4, 'c', 0xce, 0xb1, 'e',
    };
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct arguments a;
        struct characters *c;
        struct ndr_writer wire;
        fill(&a, OPEN);
        assert_int_equal(characters_new(operation(OPEN), a.frame, NULL, &stub_memory, &c), RPC_S_OK);
        ndr_writer_init(&wire);
        wire.ndr64 = n;
        assert_int_equal(
            ndr_encode_params(&wire, operation(OPEN), characters_frame(c), NDR_PARAM_IN), RPC_S_OK);
        assert_int_equal(wire.len, n ? sizeof(ndr64) : sizeof(ndr20));
        assert_memory_equal(wire.octets, n ? ndr64 : ndr20, wire.len);
        ndr_writer_fini(&wire);
        characters_free(c);
    }
}

static void b_a_null_array_stays_null(void **state)
{
    (void)state;
    struct arguments a;
    fill(&a, HIDDEN);
    void *frame = a.frame;
    MEMBER(UTF32 *, "text") = NULL;
    a.size = 0;
    assert_int_equal(call(false, frame), RPC_S_OK);
    assert_int_equal(MEMBER(int32_t, "_RetVal"), -1);
}

static void b_wrong_counts_of_the_program_are_told(void **state)
{
    (void)state;
    struct arguments a;
    fill(&a, OPEN);
    a.length = 9; /* more than size */
    assert_int_equal(call(false, a.frame), RPC_S_INVALID_BOUND);
    fill(&a, OPEN);
    a.length = -1;
    assert_int_equal(call(false, a.frame), RPC_S_INVALID_BOUND);
    fill(&a, VARYING);
    a.length = 17;
    assert_int_equal(call(false, a.frame), RPC_S_INVALID_BOUND);
    fill(&a, VARYING); /* 16 characters are 32 octets, and there is room for 16 */
    for (int i = 0; i < 16; i++)
        a.text[i] = 0xe4;
    a.length = 16;
    assert_int_equal(call(false, a.frame), RPC_S_INVALID_BOUND);
    fill(&a, OPEN);
    void *frame = a.frame;
    MEMBER(uint32_t *, "rtag") = NULL;
    assert_int_equal(call(false, frame), RPC_X_NULL_REF_POINTER);
    fill(&a, OPEN);
    MEMBER(UTF32 *, "text") = NULL;
    assert_int_equal(call(false, frame), RPC_X_NULL_REF_POINTER);
}

/* What does not fit the request's array cannot be answered. */
static void b_an_answer_must_fit_the_request(void **state)
{
    (void)state;
    struct arguments a;
    fill(&a, OPEN);
    void *frame = a.frame;
    MEMBER(uint32_t, "stag") = LATIN; /* 8 octets for 8 characters ... */
    MEMBER(int32_t, "size") = 8;
    a.text[3] = 0xe4;
    a.length = 7;
    assert_int_equal(call(false, frame), RPC_S_INVALID_BOUND); /* ... and 12 in UTF-8 */
}

/* Also the one that has to be found in its own place. */
static void c_a_routine_that_refuses_ends_the_call(void **state)
{
    (void)state;
    for (int which = FIXED; which <= GET; which++) {
        for (int raise = 0; raise < 2; raise++) {
            RPC_STATUS status = REFUSED;
            refusal = raise ? 0 : REFUSED;
            for (int n = 0; status != RPC_S_OK; n++) {
                struct arguments a;
                long live = alloc_live;
                fill(&a, which);
                routine_refuses = n;
                status = call(n & 1, a.frame);
                assert_true(status == REFUSED || routine_refuses >= 0);
                assert_int_equal(alloc_live, live);
                assert_true(n < 50);
            }
            routine_refuses = -1;
        }
    }
}

static void c_a_manager_that_raises_leaves_nothing(void **state)
{
    (void)state;
    manager_raises = true;
    for (int which = FIXED; which <= GET; which++) {
        struct arguments a;
        long live = alloc_live;
        fill(&a, which);
        assert_int_equal(call(false, a.frame), REFUSED);
        assert_int_equal(alloc_live, live);
    }
    manager_raises = false;
}

static void c_any_allocation_may_fail(void **state)
{
    (void)state;
    for (int which = FIXED; which <= GET; which++) {
        RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
        for (int n = 0; status != RPC_S_OK; n++) {
            struct arguments a;
            long live = alloc_live;
            fill(&a, which);
            alloc_fail_at(n);
            status = call(n & 1, a.frame);
            bool failed = alloc_failed();
            alloc_fail_at(-1);
            assert_int_equal(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
            assert_int_equal(alloc_live, live);
            assert_true(n < 100);
        }
    }
}

static uint32_t damage_seed;

static void flip(struct ndr_writer *wire)
{
    uint64_t random = damage_seed * UINT64_C(0x9e3779b97f4a7c15);
    if (wire->len == 0)
        return;
    wire->octets[(random >> 8) % wire->len] ^= (uint8_t)(1u << (random & 7));
    if (random >> 60 == 0)
        wire->len = (random >> 24) % wire->len;
}

static void c_hostile_octets_are_survived(void **state)
{
    (void)state;
    int refused = 0;
    for (damage_seed = 1; damage_seed < 20000; damage_seed++) {
        struct arguments a;
        long live = alloc_live;
        fill(&a, damage_seed % 2 ? OPEN : damage_seed % 4 ? HIDDEN : VARYING);
        refused += call_over(damage_seed & 8, a.frame, flip) != RPC_S_OK;
        assert_int_equal(alloc_live, live);
    }
    assert_true(refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_carries_characters_both_ways),
        cmocka_unit_test(b_the_octets_are_those_of_a_byte_array),
        cmocka_unit_test(b_a_null_array_stays_null),
        cmocka_unit_test(b_wrong_counts_of_the_program_are_told),
        cmocka_unit_test(b_an_answer_must_fit_the_request),
        cmocka_unit_test(c_a_routine_that_refuses_ends_the_call),
        cmocka_unit_test(c_a_manager_that_raises_leaves_nothing),
        cmocka_unit_test(c_any_allocation_may_fail),
        cmocka_unit_test(c_hostile_octets_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
