/* SPDX-License-Identifier: MIT */
/* ndr_behind_test.c - sizes and discriminants behind pointers of the same structure
 * (tests/golden/b_size_behind): they are compared with what came when they are there, wherever
 * they stand; answers may not outgrow the program's memory by changing them.
 * A union behind a pointer beside such a size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/ndr.h"
#include "ndr_carry.h"

#include "b_size_behind.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

struct frame { /* as the stub has it */
    handle_t h;
    AFTER *after;
    BEFORE *before;
    CHOSEN *chosen;
};

struct values {
    struct frame frame;
    AFTER after;
    BEFORE before;
    CHOSEN chosen;
    int64_t numbers[3];
    int16_t count, none;
    byte octets[4];
    uint32_t room, used;
    int32_t kind;
    WCHAR text[3];
};

static void fill(struct values *v)
{
    *v = (struct values){
        .numbers = {1, -2, 3},
        .count = 3,
        .octets = {4, 5, 6, 7},
        .room = 4,
        .used = 2,
        .kind = 2,
        .text = {'h', 'i'},
    };
    v->after = (AFTER){v->numbers, &v->count};
    v->before = (BEFORE){&v->room, v->octets, &v->used};
    v->chosen = (CHOSEN){.is.text = v->text, .kind = &v->kind, .deeper = {v->after, {NULL, &v->none}}};
    v->frame = (struct frame){NULL, &v->after, &v->before, &v->chosen};
}

static void check(const struct frame *frame)
{
    assert_int_equal(*frame->after->count, 3);
    assert_int_equal(frame->after->values[2], 3);
    assert_int_equal(*frame->before->count, 4);
    assert_int_equal(*frame->before->used, 2);
    assert_int_equal(frame->before->octets[1], 5);
    assert_int_equal(*frame->chosen->kind, 2);
    assert_int_equal(frame->chosen->is.text[1], 'i');
    assert_int_equal(frame->chosen->deeper[0].values[1], -2);
    assert_null(frame->chosen->deeper[1].values);
}

static void wherever_they_stand(void **state)
{
    (void)state;
    struct values v;
    fill(&v);
    for (int ndr64 = 0; ndr64 < 2; ndr64++) {
        struct carried c = encode_frame(operation_of(size_behind_v1_0_c_ifspec, 0), NDR_PARAM_IN,
                                        ndr64, &v.frame, NULL);
        struct frame got = {0};
        RPC_STATUS status;
        assert_int_equal(decode_frame(&c, &got, &status), NDR_DONE);
        check(&got);
        assert_true(encodes_alike(&c, &got));
        ndr_free_params(c.operation, &got, &heap);
        assert_int_equal(heap_live, 0);
        carried_fini(&c);
    }
}

/* What is behind the pointer is changed in the octets, one value at a time. */
static void others_are_refused(void **state)
{
    (void)state;
    struct values v;
    fill(&v);
    struct carried c = encode_frame(operation_of(size_behind_v1_0_c_ifspec, 0), NDR_PARAM_IN, false,
                                    &v.frame, NULL);
    /* after: 2 referents, 4 + pad + 3 hypers, count at 40; before: 3 referents at 44, count at
     * 56; max count, offset, length and 2 octets at 60, used at 76; chosen: tag at 80. */
    static const size_t places[] = {40, 56, 76, 80};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (int by = -1; by <= 1; by += 2) {
            c.octets[places[i]] = (uint8_t)(c.octets[places[i]] + by);
            struct frame got = {0};
            RPC_STATUS status;
            assert_int_equal(decode_frame(&c, &got, &status), NDR_FAILED);
            assert_int_equal(status, RPC_X_BAD_STUB_DATA);
            assert_int_equal(heap_live, 0);
            c.octets[places[i]] = (uint8_t)(c.octets[places[i]] - by);
        }
    }
    struct frame got = {0};
    RPC_STATUS status;
    assert_int_equal(decode_frame(&c, &got, &status), NDR_DONE);
    ndr_free_params(c.operation, &got, &heap);
    carried_fini(&c);
}

static void every_allocation_fails(void **state)
{
    (void)state;
    struct values v;
    fill(&v);
    struct carried c = encode_frame(operation_of(size_behind_v1_0_c_ifspec, 0), NDR_PARAM_IN, true,
                                    &v.frame, NULL);
    enum ndr_verdict verdict = NDR_FAILED;
    long n = 0;
    for (; verdict != NDR_DONE; n++) {
        struct frame got = {0};
        RPC_STATUS status;
        heap_fail_at(n);
        verdict = decode_frame(&c, &got, &status);
        heap_fail_at(-1);
        if (verdict == NDR_DONE)
            ndr_free_params(c.operation, &got, &heap);
        else
            assert_int_equal(status, RPC_S_OUT_OF_MEMORY);
        assert_int_equal(heap_live, 0);
    }
    assert_true(n > 12);
    carried_fini(&c);
}

/* A reply with a larger count is coherent, but the program's array has the old size: the size it
 * had is asked for before anything of the reply is written. */
static void answers_do_not_outgrow_memory(void **state)
{
    (void)state;
    struct {
        handle_t h;
        AFTER *after;
    } server, client;
    for (int16_t more = 0; more < 2; more++) {
        int64_t theirs[4] = {9, 8, 7, 6}, *ours = calloc(3, sizeof(*ours));
        int16_t their_count = (int16_t)(3 + more), our_count = 3;
        AFTER reply = {theirs, &their_count}, room = {ours, &our_count};
        assert_non_null(ours);
        server.after = &reply;
        client.after = &room;
        struct carried c = encode_frame(operation_of(size_behind_v1_0_c_ifspec, 1), NDR_PARAM_OUT,
                                        false, &server, NULL);
        RPC_STATUS status;
        enum ndr_verdict verdict = decode_frame(&c, &client, &status);
        if (more) {
            assert_int_equal(verdict, NDR_FAILED);
        } else {
            assert_int_equal(verdict, NDR_DONE);
            assert_int_equal(ours[2], 7);
        }
        assert_int_equal(heap_live, 0);
        carried_fini(&c);
        free(ours);
    }
}

/* The discriminant of an encapsulated union behind a pointer is where the pointer leads. */
static void answers_through_a_pointer_to_a_union(void **state)
{
    (void)state;
    struct {
        handle_t h;
        PICKED *picked;
    } server, client;
    for (int16_t kind = 1; kind <= 3; kind++) {
        int32_t their_number = 7, our_number = 1, numbers[2] = {2, 3}, room[2];
        PICK theirs = {.kind = kind}, ours = {.kind = 1, .tagged_union.number = &our_number};
        PICKED reply = {&theirs, 2, numbers}, old = {&ours, 2, room};
        if (kind == 1)
            theirs.tagged_union.number = &their_number;
        if (kind == 2)
            theirs.tagged_union.value = 70;
        server.picked = &reply;
        client.picked = &old;
        for (int ndr64 = 0; ndr64 < 2; ndr64++) {
            struct carried c = encode_frame(operation_of(size_behind_v1_0_c_ifspec, 2),
                                            NDR_PARAM_OUT, ndr64, &server, NULL);
            RPC_STATUS status;
            assert_int_equal(decode_frame(&c, &client, &status), NDR_DONE);
            assert_ptr_equal(old.pick, &ours);
            assert_int_equal(ours.kind, kind);
            assert_true(kind != 1 || (ours.tagged_union.number == &our_number && our_number == 7));
            assert_true(kind != 2 || ours.tagged_union.value == 70);
            assert_int_equal(room[1], 3);
            assert_int_equal(heap_live, 0);
            carried_fini(&c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wherever_they_stand),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(answers_do_not_outgrow_memory),
        cmocka_unit_test(answers_through_a_pointer_to_a_union),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
