/* SPDX-License-Identifier: MIT */
/* characters_deep_test.c - [cs_char] wherever a parameter leads (tests/golden/b_cs_deep): from a
 * client's frame over the octets of both transfer syntaxes to a manager and back; the octets, built
 * here by the rules of C706 chapter 14; every allocation failing, hostile octets in requests and
 * answers. */
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
#include "ndr/alias.h"
#include "ndr/ndr.h"
#include "runtime/characters.h"

#include "characters_deep.h"
#include "characters_routines.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

#define VARIANTS 4

static enum deep running;

static const NDR_OPERATION *operation(void)
{
    const RPC_CLIENT_INTERFACE *spec = b_cs_deep_v1_0_c_ifspec;
    return &spec->InterpreterInfo->operations[running];
}

/* Members of a frame, which only the stub has a type for. */
static void *slot(void *frame, const char *name)
{
    const NDR_OPERATION *op = operation();
    for (uint32_t i = 0; i < op->param_count; i++)
        if (strcmp(op->params[i].name, name) == 0)
            return (char *)frame + op->params[i].offset;
    fail_msg("no parameter %s", name);
    return NULL;
}
#define MEMBER(type, name) (*(type *)slot(frame, name))

static void put_arguments(void *frame, struct deep_arguments *a)
{
    MEMBER(uint32_t, "stag") = a->stag;
    MEMBER(uint32_t *, "rtag") = &a->rtag;
    switch (running) {
    case DEEP:
        MEMBER(OUTER *, "outer") = &a->outer;
        MEMBER(OUTER, "by_value") = a->by_value;
        MEMBER(int32_t, "n") = ITEMS;
        MEMBER(INNER *, "items") = a->items;
        break;
    case POINTS_OP:
        MEMBER(POINTS *, "points") = &a->points;
        break;
    case LIST:
        MEMBER(NODE *, "list") = a->list;
        MEMBER(NODE **, "other") = &a->other;
        MEMBER(NODE **, "fresh") = &a->fresh;
        break;
    case ENDS_OP:
        MEMBER(BESIDE *, "beside") = a->beside;
        MEMBER(ENDS *, "ends") = a->ends;
        MEMBER(HOLDS_TAIL *, "holds") = a->holds;
        break;
    case MEET_OP:
        MEMBER(MEET *, "meet") = &a->meet;
        break;
    case TEXTS:
        MEMBER(int32_t, "n") = ITEMS;
        MEMBER(int32_t, "size") = TEXT_SIZE;
        MEMBER(UTF32 **, "texts") = a->texts;
        MEMBER(int32_t *, "got") = &a->got;
        MEMBER(UTF32 **, "text") = &a->got_text;
        break;
    case RESULT:
        MEMBER(UTF32 *, "letter") = &a->sent_letter;
        break;
    case DEEP_OPERATIONS:
        break;
    }
}

static void manage(void *frame)
{
    *MEMBER(uint32_t *, "rtag") = MEMBER(uint32_t, "stag");
    switch (running) {
    case DEEP:
        manage_deep(MEMBER(OUTER *, "outer"), &MEMBER(OUTER, "by_value"), MEMBER(int32_t, "n"),
                    MEMBER(INNER *, "items"));
        break;
    case POINTS_OP:
        manage_points(MEMBER(POINTS *, "points"));
        break;
    case LIST:
        manage_list(MEMBER(NODE *, "list"), MEMBER(NODE **, "other"), MEMBER(NODE **, "fresh"));
        break;
    case ENDS_OP:
        manage_ends(MEMBER(BESIDE *, "beside"), MEMBER(ENDS *, "ends"),
                    MEMBER(HOLDS_TAIL *, "holds"));
        break;
    case MEET_OP:
        manage_meet(MEMBER(MEET *, "meet"));
        break;
    case TEXTS:
        manage_texts(MEMBER(int32_t, "n"), MEMBER(int32_t, "size"), MEMBER(UTF32 **, "texts"),
                     MEMBER(int32_t *, "got"), MEMBER(UTF32 **, "text"));
        break;
    case RESULT:
        MEMBER(NODE *, "_RetVal") = manage_result(MEMBER(UTF32 *, "letter"));
        break;
    case DEEP_OPERATIONS:
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

static RPC_STATUS serve(const NDR_OPERATION *op, struct ndr_writer *wire,
                        const struct ndr_memory *memory)
{
    uint64_t frame[64] = {0};
    bool raised;
    struct ndr_full_pointers full;
    struct ndr_reader reader = {.octets = wire->octets, .len = wire->len, .last = true,
                                .little_endian = true, .ndr64 = wire->ndr64,
                                .allocated_max = 1 << 16, .full = &full};
    assert_true(op->frame_size <= sizeof(frame));
    ndr_full_pointers_init(&full, NULL);
    RPC_STATUS status = RPC_S_OK;
    if (ndr_decode_params(&reader, op, frame, NDR_PARAM_IN, memory) != NDR_DONE) {
        ndr_full_pointers_fini(&full);
        return reader.status;
    }
    status = ndr_prepare_out(op, frame, memory);
    if (status == RPC_S_OK)
        status = characters_manage(op, frame, NULL, memory, 1 << 20, manage, frame, &raised);
    if (status == RPC_S_OK) {
        ndr_writer_reset(wire);
        wire->full = &full;
        status = ndr_encode_params(wire, op, frame, NDR_PARAM_OUT);
        wire->full = NULL;
    }
    /* freeing would rather leak a shared object than free it twice */
    const long countdown = alloc_countdown;
    alloc_fail_at(-1);
    ndr_free_params(op, frame, memory);
    alloc_fail_at(countdown);
    ndr_full_pointers_fini(&full);
    return status;
}

static RPC_STATUS call(bool ndr64, struct deep_arguments *a)
{
    const NDR_OPERATION *op = operation();
    const struct ndr_memory memory = {.allocate = MIDL_user_allocate, .free = MIDL_user_free,
                                      .prepare_max = 1 << 16};
    uint64_t frame[64] = {0};
    struct characters *c;
    struct ndr_writer wire;
    struct ndr_full_pointers full;
    assert_true(op->frame_size <= sizeof(frame));
    put_arguments(frame, a);
    RPC_STATUS status = characters_new(op, frame, NULL, &memory, &c);
    if (status != RPC_S_OK)
        return status;
    ndr_full_pointers_init(&full, NULL);
    ndr_writer_init(&wire);
    wire.ndr64 = ndr64;
    wire.full = &full;
    status = ndr_encode_params(&wire, op, characters_frame(c), NDR_PARAM_IN);
    wire.full = NULL;
    if (status == RPC_S_OK) {
        spoil(&wire, damaged_request);
        status = serve(op, &wire, &memory);
    }
    if (status == RPC_S_OK) {
        spoil(&wire, damaged_answer);
        struct ndr_reader reader = {.octets = wire.octets, .len = wire.len, .last = true,
                                    .little_endian = true, .ndr64 = ndr64, .full = &full,
                                    .allocated_max = 1 << 16};
        status = ndr_decode_params(&reader, op, characters_frame(c), NDR_PARAM_OUT, &memory) ==
                         NDR_DONE
                     ? characters_take_reply(c)
                     : reader.status;
    }
    if (status == RPC_S_OK && running == RESULT)
        a->result = MEMBER(NODE *, "_RetVal");
    ndr_writer_fini(&wire);
    ndr_full_pointers_fini(&full);
    characters_free(c);
    return status;
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void a_characters_arrive_wherever_they_are(void **state)
{
    (void)state;
    for (running = 0; running < DEEP_OPERATIONS; running++) {
        for (int variant = 0; variant < 2 * VARIANTS; variant++) {
            struct deep_arguments a;
            long live = alloc_live;
            fill_deep(&a, running, variant / 2);
            RPC_STATUS status = call(variant % 2, &a);
            if (status != RPC_S_OK || !deep_is_right(&a, running, variant / 2))
                fail_msg("operation %d, variant %d: %d", (int)running, variant, (int)status);
            clear_deep(&a);
            assert_int_equal(alloc_live, live);
        }
    }
}

/* The octets of a structure in a structure, and of a list, are those of structures of bytes. */
static void b_the_octets_are_those_of_bytes(void **state)
{
    static const uint8_t list[] = {
        4, 0, 0, 0,                                         /* stag */
        'l', 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0,               /* name, number, next */
        'i', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0,                                         /* other */
    };
    static const uint8_t deep[] = {
        4, 0, 0, 0,
        7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* before, name, mark; between */
        0, 0, 0, 0, 0, 0xe4, 0, 0,          /* pair[0] */
        0, 0, 0, 0, 0, 0, 0,                /* pair[1] */
    };
    (void)state;
    const struct ndr_memory memory = {.allocate = MIDL_user_allocate, .free = MIDL_user_free};
    for (int which = 0; which < 2; which++) {
        struct deep_arguments a;
        struct characters *c;
        struct ndr_writer wire;
        uint64_t frame[64] = {0};
        running = which ? DEEP : LIST;
        fill_deep(&a, running, 0);
        put_arguments(frame, &a);
        assert_int_equal(characters_new(operation(), frame, NULL, &memory, &c), RPC_S_OK);
        ndr_writer_init(&wire);
        assert_int_equal(ndr_encode_params(&wire, operation(), characters_frame(c), NDR_PARAM_IN),
                         RPC_S_OK);
        if (which == 0) {
            memcpy(wire.octets + 12, list + 12, 4); /* the referent is anything but 0 */
            assert_int_equal(wire.len, sizeof(list));
            assert_memory_equal(wire.octets, list, sizeof(list));
        } else {
            assert_true(wire.len > sizeof(deep));
            assert_memory_equal(wire.octets, deep, sizeof(deep));
        }
        ndr_writer_fini(&wire);
        characters_free(c);
        clear_deep(&a);
    }
}

/* A list without end, a NULL that may not be, a count that is none. */
static void b_wrong_arguments_are_told(void **state)
{
    struct deep_arguments a;
    (void)state;
    running = LIST;
    fill_deep(&a, LIST, 0);
    NODE *second = a.list->next;
    second->next = a.list;
    assert_int_equal(call(false, &a), RPC_S_OUT_OF_RESOURCES);
    second->next = NULL;
    clear_deep(&a);
    running = POINTS_OP;
    fill_deep(&a, POINTS_OP, 0);
    a.points.length = TEXT_SIZE + 1;
    assert_int_equal(call(false, &a), RPC_S_INVALID_BOUND);
    a.points.length = 1;
    a.points.size = -1;
    assert_int_equal(call(false, &a), RPC_S_INVALID_BOUND);
    clear_deep(&a);
    running = MEET_OP;
    fill_deep(&a, MEET_OP, 0);
    a.meet.choice.kind = 3;
    a.meet.choice.arm.open = NULL;
    assert_int_equal(call(false, &a), RPC_S_OK);
    clear_deep(&a);
}

/* The program's memory is as it was, so that it can be freed. */
static void c_every_allocation_may_fail(void **state)
{
    (void)state;
    for (running = 0; running < DEEP_OPERATIONS; running++) {
        for (int variant = 0; variant < VARIANTS; variant++) {
            bool failed = true;
            for (long n = 0; failed; n++) {
                struct deep_arguments a;
                long live = alloc_live;
                assert_true(n < 500);
                fill_deep(&a, running, variant);
                alloc_fail_at(n);
                RPC_STATUS status = call(n % 2, &a);
                failed = alloc_failed();
                alloc_fail_at(-1);
                assert_int_equal(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
                assert_true(status != RPC_S_OK || deep_is_right(&a, running, variant));
                clear_deep(&a);
                if (alloc_live != live)
                    fail_msg("operation %d, variant %d: allocation %ld leaves %ld", (int)running,
                             variant, n, alloc_live - live);
            }
        }
    }
}

static void c_every_routine_may_refuse(void **state)
{
    (void)state;
    refusal = REFUSED;
    for (running = 0; running < DEEP_OPERATIONS; running++) {
        RPC_STATUS status = REFUSED;
        for (int n = 0; status != RPC_S_OK; n++) {
            struct deep_arguments a;
            long live = alloc_live;
            assert_true(n < 200);
            fill_deep(&a, running, 1);
            routine_refuses = n;
            status = call(n % 2, &a);
            assert_int_equal(status, routine_refuses < 0 ? REFUSED : RPC_S_OK);
            clear_deep(&a);
            assert_int_equal(alloc_live, live);
        }
        routine_refuses = -1;
    }
}

/* The program's memory is exactly as large as it says: the address sanitizer looks on. */
static void c_hostile_octets_do_no_harm(void **state)
{
    static const uint8_t changes[] = {0x01, 0x02, 0x04, 0x20, 0x80, 0xff};
    (void)state;
    for (running = 0; running < DEEP_OPERATIONS; running++) {
        for (size_t i = 0; i < 2 * sizeof(changes) * 200; i++) {
            struct deep_arguments a;
            const bool is_request = i % 2 == 0;
            const long at = (long)(i / 2 / sizeof(changes));
            damage = changes[i / 2 % sizeof(changes)];
            damaged_request = is_request ? at : -1;
            damaged_answer = is_request ? -1 : at;
            for (int ndr64 = 0; ndr64 < 2; ndr64++) {
                long live = alloc_live;
                fill_deep(&a, running, (int)at);
                (void)call(ndr64, &a);
                clear_deep(&a);
                assert_int_equal(alloc_live, live);
            }
        }
    }
    damaged_request = damaged_answer = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_characters_arrive_wherever_they_are),
        cmocka_unit_test(b_the_octets_are_those_of_bytes),
        cmocka_unit_test(b_wrong_arguments_are_told),
        cmocka_unit_test(c_every_allocation_may_fail),
        cmocka_unit_test(c_every_routine_may_refuse),
        cmocka_unit_test(c_hostile_octets_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
