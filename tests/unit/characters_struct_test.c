/* SPDX-License-Identifier: MIT */
/* characters_struct_test.c - structures with [cs_char] in them, and scalars, through generated
 * descriptors (tests/golden/b_cs_struct): the octets of both transfer syntaxes, every allocation
 * failing, every octet of a request and an answer changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "alloc_shim.h"
#include "ndr/ndr.h"
#include "runtime/characters.h"

#include "b_cs_struct.h"
#include "characters_routines.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

enum operation { FIXED_OP, VARYING_OP, CONFORMANT_OP, OPEN_OP, SCALARS_OP, OPERATIONS };

/* As the stub has them. */
struct fixed_frame {
    handle_t h;
    uint32_t stag, drtag;
    uint32_t *rtag;
    FIXED *fixed, *copy;
};
struct varying_frame {
    handle_t h;
    uint32_t stag;
    uint32_t *rtag;
    VARYING by_value;
    VARYING *varying;
};
struct conformant_frame {
    handle_t h;
    uint32_t stag;
    uint32_t *rtag;
    CONFORMANT *one, *two;
};
struct open_frame {
    handle_t h;
    uint32_t stag;
    uint32_t *rtag;
    OPEN *open;
};
struct scalars_frame {
    handle_t h;
    uint32_t stag, drtag;
    uint32_t *rtag;
    UTF32 in, *both, *out, result;
};

union frame {
    struct fixed_frame fixed;
    struct varying_frame varying;
    struct conformant_frame conformant;
    struct open_frame open;
    struct scalars_frame scalars;
};

static const NDR_OPERATION *operation(enum operation which)
{
    const RPC_CLIENT_INTERFACE *spec = b_cs_struct_v1_0_c_ifspec;
    return &spec->InterpreterInfo->operations[which];
}

/* ---- Managers: they look at nothing that damaged requests may not have ---------------------- */

static enum operation running;

static void manage(void *arg)
{
    union frame *frame = arg;
    switch (running) {
    case FIXED_OP:
        *frame->fixed.rtag = LATIN;
        *frame->fixed.copy = *frame->fixed.fixed;
        frame->fixed.copy->note = NULL;
        frame->fixed.fixed->mark = 0xfc;
        frame->fixed.fixed->name[7] = 0xe9;
        break;
    case VARYING_OP:
        *frame->varying.rtag = LATIN;
        if (frame->varying.varying) {
            frame->varying.varying->text[0] = frame->varying.by_value.text[1];
            frame->varying.varying->length = 2;
        }
        break;
    case CONFORMANT_OP:
        *frame->conformant.rtag = LATIN;
        if (frame->conformant.two->size > 0)
            frame->conformant.two->text[0] = 0xe4;
        break;
    case OPEN_OP:
        *frame->open.rtag = LATIN;
        frame->open.open->name[0] = 0xc4;
        if (frame->open.open->length > 0)
            frame->open.open->text[0] = 0xe4;
        break;
    case SCALARS_OP:
        *frame->scalars.rtag = LATIN;
        *frame->scalars.out = frame->scalars.in;
        *frame->scalars.both = 'b';
        frame->scalars.result = 0xfc;
        break;
    case OPERATIONS:
        break;
    }
}

/* ---- Calls ---------------------------------------------------------------------------------- */

/* The octet that is changed, of requests or of answers; < 0: none. */
static long damaged_request = -1, damaged_answer = -1;
static uint8_t damage;

static void spoil(struct ndr_writer *wire, long at)
{
    if (at >= 0 && (size_t)at < wire->len)
        wire->octets[at] ^= damage;
}

static const struct ndr_memory stub_memory = {.allocate = MIDL_user_allocate,
                                              .free = MIDL_user_free};

static RPC_STATUS serve(const NDR_OPERATION *op, struct ndr_writer *wire)
{
    const struct ndr_memory memory = {.allocate = MIDL_user_allocate, .free = MIDL_user_free,
                                      .prepare_max = 1 << 16};
    uint64_t frame[64] = {0};
    bool raised;
    struct ndr_reader reader = {.octets = wire->octets, .len = wire->len, .last = true,
                                .little_endian = true, .ndr64 = wire->ndr64,
                                .allocated_max = 1 << 16};
    assert_true(op->frame_size <= sizeof(frame));
    if (ndr_decode_params(&reader, op, frame, NDR_PARAM_IN, &memory) != NDR_DONE)
        return reader.status;
    RPC_STATUS status = ndr_prepare_out(op, frame, &memory);
    if (status == RPC_S_OK)
        status = characters_manage(op, frame, NULL, &memory, 1 << 20, manage, frame, &raised);
    if (status == RPC_S_OK) {
        ndr_writer_reset(wire);
        status = ndr_encode_params(wire, op, frame, NDR_PARAM_OUT);
    }
    ndr_free_params(op, frame, &memory);
    return status;
}

static RPC_STATUS call(bool ndr64, void *frame)
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
    if (status == RPC_S_OK) {
        spoil(&wire, damaged_request);
        status = serve(op, &wire);
    }
    if (status == RPC_S_OK) {
        spoil(&wire, damaged_answer);
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

/* The program's memory, with exactly the room that it says there is. */
struct arguments {
    union frame frame;
    uint32_t rtag;
    FIXED fixed, copy;
    VARYING varying;
    CONFORMANT *one, *two;
    OPEN *open;
    UTF32 both, out;
};

static void *room(size_t size)
{
    void *made = calloc(1, size);
    assert_non_null(made);
    return made;
}

static void fill(struct arguments *a)
{
    memset(a, 0, sizeof(*a));
    a->fixed = (FIXED){.before = 12, .name = {'a', 0xe4}, .mark = 'm'};
    a->varying = (VARYING){.length = 1, .text = {'v'}, .after = 8};
    a->one = room(offsetof(CONFORMANT, text) + 3 * sizeof(UTF32));
    a->two = room(offsetof(CONFORMANT, text) + 4 * sizeof(UTF32));
    a->open = room(offsetof(OPEN, text) + 8 * sizeof(UTF32));
    a->one->size = 3;
    a->two->size = 4;
    a->two->text[3] = 'z';
    memcpy(a->open->name, (const UTF32[]){'a', 'b', 'c', 'd'}, sizeof(a->open->name));
    a->open->size = 8;
    a->open->length = 2;
    a->open->text[0] = 't';
    a->open->text[1] = 0xe4;
    switch (running) {
    case FIXED_OP:
        a->frame.fixed =
            (struct fixed_frame){NULL, LATIN, LATIN, &a->rtag, &a->fixed, &a->copy};
        break;
    case VARYING_OP:
        a->frame.varying = (struct varying_frame){
            NULL, UTF8, &a->rtag, {.length = 2, .text = {'b', 0xe4}, .after = 7}, &a->varying};
        break;
    case CONFORMANT_OP:
        a->frame.conformant =
            (struct conformant_frame){NULL, UTF8, &a->rtag, a->one, a->two};
        break;
    case OPEN_OP:
        a->frame.open = (struct open_frame){NULL, LATIN, &a->rtag, a->open};
        break;
    case SCALARS_OP:
        a->both = 0xf6;
        a->frame.scalars = (struct scalars_frame){
            NULL, LATIN, LATIN, &a->rtag, 0xe4, &a->both, &a->out, 0};
        break;
    case OPERATIONS:
        break;
    }
}

static void clear(struct arguments *a)
{
    free(a->one);
    free(a->two);
    free(a->open);
}

static void judge(const struct arguments *a)
{
    switch (running) {
    case FIXED_OP:
        assert_true(a->fixed.name[1] == 0xe4 && a->fixed.name[7] == 0xe9);
        assert_true(a->fixed.mark == 0xfc && a->fixed.before == 12);
        assert_true(a->copy.before == 12 && a->copy.name[1] == 0xe4 && a->copy.mark == 'm');
        break;
    case VARYING_OP:
        assert_true(a->varying.length == 2 && a->varying.text[0] == 0xe4);
        assert_int_equal(a->varying.after, 8);
        break;
    case CONFORMANT_OP:
        assert_true(a->two->size == 4 && a->two->text[0] == 0xe4 && a->two->text[3] == 'z');
        break;
    case OPEN_OP:
        assert_true(a->open->name[0] == 0xc4 && a->open->name[3] == 'd');
        assert_true(a->open->size == 8 && a->open->length == 2);
        assert_true(a->open->text[0] == 0xe4 && a->open->text[1] == 0xe4);
        break;
    case SCALARS_OP:
        assert_true(a->both == 'b' && a->out == 0xe4 && a->frame.scalars.result == 0xfc);
        break;
    case OPERATIONS:
        break;
    }
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void a_structures_carry_characters_both_ways(void **state)
{
    (void)state;
    for (running = 0; running < OPERATIONS; running++) {
        for (int ndr64 = 0; ndr64 < 2; ndr64++) {
            struct arguments a;
            long live = alloc_live;
            fill(&a);
            assert_int_equal(call(ndr64, &a.frame), RPC_S_OK);
            judge(&a);
            clear(&a);
            assert_int_equal(alloc_live, live);
        }
    }
}

static void b_the_octets_are_those_of_a_structure_of_bytes(void **state)
{
    static const uint8_t ndr20[] = {
        4, 0, 0, 0, 8, 0, 0, 0,             /* stag; max count, in front of the structure */
        'a', 'b', 'c', 'd', 8, 0, 2, 0,     /* name, size, length */
        0, 0, 0, 0, 2, 0, 0, 0, 't', 0xe4,  /* offset, actual count */
    };
    static const uint8_t ndr64[] = {
        4, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c', 'd', 8, 0, 2, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 't', 0xe4,
    };
    (void)state;
    running = OPEN_OP;
    for (int n = 0; n < 2; n++) {
        struct arguments a;
        struct characters *c;
        struct ndr_writer wire;
        fill(&a);
        assert_int_equal(characters_new(operation(OPEN_OP), &a.frame, NULL, &stub_memory, &c), RPC_S_OK);
        ndr_writer_init(&wire);
        wire.ndr64 = n;
        assert_int_equal(
            ndr_encode_params(&wire, operation(OPEN_OP), characters_frame(c), NDR_PARAM_IN),
            RPC_S_OK);
        assert_int_equal(wire.len, n ? sizeof(ndr64) : sizeof(ndr20));
        assert_memory_equal(wire.octets, n ? ndr64 : ndr20, wire.len);
        ndr_writer_fini(&wire);
        characters_free(c);
        clear(&a);
    }
}

static void b_a_null_structure_stays_null(void **state)
{
    struct arguments a;
    (void)state;
    running = VARYING_OP;
    fill(&a);
    a.frame.varying.varying = NULL;
    assert_int_equal(call(false, &a.frame), RPC_S_OK);
    running = OPEN_OP;
    a.frame.open = (struct open_frame){NULL, LATIN, &a.rtag, NULL};
    assert_int_equal(call(false, &a.frame), RPC_X_NULL_REF_POINTER);
    clear(&a);
}

static void b_wrong_counts_of_the_program_are_told(void **state)
{
    struct arguments a;
    (void)state;
    running = OPEN_OP;
    fill(&a);
    a.open->length = 9; /* more than size */
    assert_int_equal(call(false, &a.frame), RPC_S_INVALID_BOUND);
    a.open->length = -1;
    assert_int_equal(call(false, &a.frame), RPC_S_INVALID_BOUND);
    clear(&a);
}

static void c_every_allocation_may_fail(void **state)
{
    (void)state;
    for (running = 0; running < OPERATIONS; running++) {
        RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
        for (long n = 0; status != RPC_S_OK; n++) {
            struct arguments a;
            assert_true(n < 200);
            fill(&a);
            long live = alloc_live;
            alloc_fail_at(n);
            status = call(n % 2, &a.frame);
            alloc_fail_at(-1);
            assert_int_equal(alloc_live, live);
            assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
            clear(&a);
        }
    }
}

/* The program's memory is exactly as large as it says: the address sanitizer looks on. */
static void c_hostile_octets_do_no_harm(void **state)
{
    static const uint8_t changes[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    (void)state;
    for (running = 0; running < OPERATIONS; running++) {
        for (size_t i = 0; i < 2 * sizeof(changes) * 160; i++) {
            struct arguments a;
            fill(&a);
            long live = alloc_live;
            bool is_request = i % 2 == 0;
            damage = changes[i / 2 % sizeof(changes)];
            long at = (long)(i / 2 / sizeof(changes));
            damaged_request = is_request ? at : -1;
            damaged_answer = is_request ? -1 : at;
            (void)call(false, &a.frame);
            (void)call(true, &a.frame);
            free(a.fixed.note);
            free(a.copy.note);
            assert_int_equal(alloc_live, live);
            clear(&a);
        }
    }
    damaged_request = damaged_answer = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_structures_carry_characters_both_ways),
        cmocka_unit_test(b_the_octets_are_those_of_a_structure_of_bytes),
        cmocka_unit_test(b_a_null_structure_stays_null),
        cmocka_unit_test(b_wrong_counts_of_the_program_are_told),
        cmocka_unit_test(c_every_allocation_may_fail),
        cmocka_unit_test(c_hostile_octets_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
