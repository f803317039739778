/* SPDX-License-Identifier: MIT */
/* idl_ndr_test.c - client stubs that penstock-idl made (tests/golden) through the engine:
 * the octets are those of C706 chapter 14 by hand, and decoding them as a server would
 * gives values that encode to the same octets again, in both transfer syntaxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "b_encapsulated.h"
#include "b_open_struct.h"
#include "b_union.h"
#include "b_varying.h"
#include "c_anonymous.h"
#include "c_ranges.h"

#include "ndr/ndr.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

static const struct ndr_memory memory = {.allocate = malloc, .free = free};
static char sent[4096]; /* what the last call sends in NDR 2.0, in hexadecimal */

static void as_hex(const struct ndr_writer *writer)
{
    assert_in_range(writer->len, 1, sizeof(sent) / 2 - 1);
    for (size_t i = 0; i < writer->len; i++)
        snprintf(sent + 2 * i, 3, "%02x", writer->octets[i]);
}

/* There and back: what a server decodes encodes to the same octets. */
static void check_round(const NDR_OPERATION *operation, const void *frame, bool ndr64)
{
    struct ndr_writer first, again;
    ndr_writer_init(&first);
    ndr_writer_init(&again);
    first.ndr64 = again.ndr64 = ndr64;
    assert_int_equal(ndr_encode_params(&first, operation, frame, NDR_PARAM_IN), RPC_S_OK);
    if (!ndr64)
        as_hex(&first);
    void *received = calloc(1, operation->frame_size);
    assert_non_null(received);
    struct ndr_reader reader = {.octets = first.octets,
                                .len = first.len,
                                .little_endian = true,
                                .last = true,
                                .ndr64 = ndr64};
    assert_int_equal(ndr_decode_params(&reader, operation, received, NDR_PARAM_IN, &memory),
                     NDR_DONE);
    assert_int_equal(reader.pos, first.len);
    assert_int_equal(ndr_prepare_out(operation, received, &memory), RPC_S_OK);
    assert_int_equal(ndr_encode_params(&again, operation, received, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(again.len, first.len);
    assert_memory_equal(again.octets, first.octets, first.len);
    ndr_free_params(operation, received, &memory);
    free(received);
    ndr_writer_fini(&first);
    ndr_writer_fini(&again);
}

/* The stubs are compiled to call this instead of the runtime. */
void RPC_ENTRY NdrxClientCall(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                   void *frame)
{
    const NDR_OPERATION *operation = &interface_spec->InterpreterInfo->operations[opnum];
    check_round(operation, frame, false);
    check_round(operation, frame, true);
}

static void b_varying_arrays_send_offset_and_count(void **state)
{
    (void)state;
    int32_t v[10] = {1, 2, 3};
    int16_t w[100] = {[3] = 3, 4, 5};
    unsigned char c[8] = "abcdefgh";
    Fixed(NULL, 3, v, w, c);
    assert_string_equal(sent, "03000000"
                              "0000000003000000" "010000000200000003000000"
                              "0300000003000000" "030004000500" "0000"
                              "0300000005000000" "6465666768");
}

static void b_conformant_varying_arrays_send_all_three(void **state)
{
    (void)state;
    int32_t length = 2, v[4] = {7, 8, 9, 10};
    NAME names[5] = {{.used = 1, .name = u"x"}, {.used = 0}, {.used = 0}};
    Open(NULL, 4, &length, v, names);
    assert_string_equal(sent, "04000000" "02000000"
                              "04000000" "0000000002000000" "0700000008000000"
                              "05000000" "0000000003000000"
                              "0100" "0000" "0000000001000000" "7800"
                              "0000" "0000" "0000" "0000000000000000"
                              "0000" "0000" "0000000000000000");
}

static void b_conformant_structures_send_the_count_first(void **state)
{
    (void)state;
    struct {
        TOWER tower;
        byte more[8];
    } tower = {.tower = {.length = 3}};
    struct {
        OUTER outer;
        byte more[8];
    } outer = {.outer = {.flags = 7, .tower = {.length = 1}}};
    PTOWER found = NULL;
    memcpy((byte *)&tower + offsetof(TOWER, octets), "abc", 3);
    outer.outer.tower.octets[0] = 'x';
    Map(NULL, &tower.tower, &outer.outer, NULL, &found);
    assert_string_equal(sent, "03000000" "03000000" "616263" "00"
                              "01000000" "0700" "0000" "01000000" "78" "000000"
                              "00000000");
}

static void b_unions_send_the_discriminant_again(void **state)
{
    (void)state;
    VALUE value = {.point = {.x = 5, .y = 6}};
    UseUnion(NULL, 2, value, &value, NULL);
    assert_string_equal(sent, "02000000"
                              "02000000" "0500000006000000"
                              "02000000" "0500000006000000"
                              "00000000");
}

static void b_union_arms_of_one_octet_and_default(void **state)
{
    (void)state;
    REAL real = {.f = 1.0f};
    LETTER letter = {.a = 9};
    Small(NULL, 1, &real, 'a', &letter);
    assert_string_equal(sent, "01" "01" "0000" "0000803f" "61" "61" "0000" "09000000");
}

/* MS-RPCE 2.2.4.5: the gap is there in front of an empty arm, too. */
static void b_ms_unions_begin_all_arms_alike(void **state)
{
    (void)state;
    OLD old = {.c = 'c'};
    VALUE value = {.other = 7};
    Old(NULL, 0, &old, 9, &value);
    assert_string_equal(sent, "0000" "0000" "00000000" "09000000" "09000000" "0700000000000000");
    Old(NULL, 2, &old, 9, &value);
    assert_string_equal(sent, "0200" "0200" "00000000" "63" "000000" "09000000" "09000000"
                              "00000000" "0700000000000000");
}

static void b_encapsulated_unions_send_it_once(void **state)
{
    (void)state;
    SHAPE circle = {.kind = SHAPE_CIRCLE, .shape = {.radius = 1.0f}};
    SHAPE square = {.kind = SHAPE_SQUARE, .shape = {.square = {.width = 2, .height = 3}}};
    HOLDER holder = {.v = {.version = 1},
                     .shapes = {{.kind = SHAPE_NONE}, {.kind = SHAPE_CIRCLE}},
                     .chain = {.more = 5}};
    VERSIONED version;
    UseShapes(NULL, circle, &square, &holder, 0, &circle, &version, NULL);
    /* HOLDER is a structure with a hyper arm in it: aligned to 8 (docs/design/arrays.md). */
    assert_string_equal(sent, "0000" "0000" "0000803f"
                              "0100" "0000" "0200000003000000"
                              "00000000"
                              "0100" "0000" "00000000" "0200" "0000" "00000000" "05000000"
                              "00000000" "00000000"
                              "00000000");
}

static void c_anonymous_members_are_found(void **state)
{
    (void)state;
    ADDRESS address = {.family = 2, .u = {.v4 = {.port = 80, .address = 0x7f000001}}};
    MASKED masked = {.level = 0x101, .info = {.one = 4}};
    Address(NULL, &address, &masked);
    assert_string_equal(sent, "0200" "0000" "5000" "0000" "0100007f"
                              "01010000" "01000000" "04000000");
}

static void c_elements_of_arrays_may_be_arrays(void **state)
{
    (void)state;
    int32_t table[1][4] = {{1, 2, 3, 4}}, one[3] = {5, 6, 7};
    KEY keys[1] = {"0123456789abcde"};
    Arrays(NULL, 1, table, keys, &one);
    assert_string_equal(sent, "01000000"
                              "01000000" "01000000020000000300000004000000"
                              "01000000" "30313233343536373839616263646500"
                              "050000000600000007000000");
}

static void c_strings_in_arrays_have_counts_each(void **state)
{
    (void)state;
    WCHAR a[] = u"a", *names[1] = {a}, *four[4] = {NULL};
    unsigned char fixed[1][16] = {"bc"}, **found = NULL;
    Strings(NULL, 1, names, four, fixed, &found);
    assert_string_equal(sent, "01000000"
                              "01000000" "00000200" "02000000" "00000000" "02000000" "61000000"
                              "00000000" "00000000" "00000000" "00000000"
                              "01000000" "00000000" "03000000" "626300");
}

/* [disable_consistency_check]: a server takes NULL beside a size_is of 3. */
static void c_null_where_the_size_says_three(void **state)
{
    (void)state;
    Null(NULL, 3, NULL);
    assert_string_equal(sent, "03000000" "00000000");
}

static void c_full_pointers_may_meet_again(void **state)
{
    (void)state;
    GRAPH leaf = {.value = 2};
    GRAPH graph = {.value = 1, .left = &leaf, .right = &leaf};
    LIMITED limited = {.n = 0};
    Graphs(NULL, &graph, &leaf, &limited);
    assert_string_equal(sent, "01000000" "00000200" "00000200" "00000000" "00000000" "00000000"
                              "02000000" "0000000000000000000000000000000000000000"
                              "00000200"
                              "00000000" "00000000000000000000000000000000"
                              "00000000" "00000000" "00000000"
                              "0000000001000000" "00000000" "0000000001000000" "00000000"
                              "0000000001000000" "00000000" "0000000001000000" "00" "000000"
                              "00000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_varying_arrays_send_offset_and_count),
        cmocka_unit_test(b_conformant_varying_arrays_send_all_three),
        cmocka_unit_test(b_conformant_structures_send_the_count_first),
        cmocka_unit_test(b_unions_send_the_discriminant_again),
        cmocka_unit_test(b_union_arms_of_one_octet_and_default),
        cmocka_unit_test(b_ms_unions_begin_all_arms_alike),
        cmocka_unit_test(b_encapsulated_unions_send_it_once),
        cmocka_unit_test(c_anonymous_members_are_found),
        cmocka_unit_test(c_elements_of_arrays_may_be_arrays),
        cmocka_unit_test(c_strings_in_arrays_have_counts_each),
        cmocka_unit_test(c_null_where_the_size_says_three),
        cmocka_unit_test(c_full_pointers_may_meet_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
