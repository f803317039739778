/* SPDX-License-Identifier: MIT */
/* ndr_sender_test.c - what a sender's own mistakes are answered with, and values as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <cmocka.h>

#include "ndr_carry.h"
#include "ndr_samples.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* ---- A sender's mistakes --------------------------------------------------------------------- */

struct mistakes_frame {
    int32_t *classless;
};
POINTER_TO(t_long_classless, t_long, 0);
static const NDR_PARAM classless_params[] = {
    PARAM(struct mistakes_frame, classless, t_long_classless, NDR_PARAM_IN),
};
OPERATION(classless_op, struct mistakes_frame, classless_params);
/* an array of conformant arrays: no such thing in IDL */
ARRAY_SIZED(t_matrix, t_arrays_v, arrays_n);
POINTER_TO(t_matrix_ref, t_matrix, NDR_TYPE_REF);
static const NDR_PARAM matrix_params[] = {
    PARAM(struct arrays_frame, v, t_matrix_ref, NDR_PARAM_IN),
};
OPERATION(matrix_op, struct arrays_frame, matrix_params);

static void b_sending_mistakes(void **state)
{
    uint8_t a[] = "a", unterminated[8] = "12345678", buf[2] = "b";
    int32_t v[1] = {0}, pn = 0, fixed[3] = {0}, value = 0;
    int16_t w[1];
    int64_t h[1];
    struct info info = {0};
    uint8_t octets[1];
    int32_t *p = NULL;
    struct strings_frame strings = {.a = a, .buf = buf, .n = 2};
    struct arrays_frame arrays = {.v = v, .n = 2, .w = w, .pn = &pn, .fixed = fixed, .h = h};
    struct scalars_frame scalars = {0};
    struct outs_frame outs = {.n = 1, .info = &info, .buf = octets, .pp = &p};
    struct mistakes_frame classless = {.classless = &value};
    (void)state;
    assert_int_equal(encode_status(&strings_op, NDR_PARAM_IN, &strings), RPC_S_OK);
    strings.a = NULL;
    assert_int_equal(encode_status(&strings_op, NDR_PARAM_IN, &strings), RPC_X_NULL_REF_POINTER);
    strings.a = a;
    memcpy(strings.label.name, unterminated, 8);
    assert_int_equal(encode_status(&strings_op, NDR_PARAM_IN, &strings), RPC_S_INVALID_BOUND);
    strings.label.name[7] = 0;
    strings.n = 1; /* "b" needs 2 */
    assert_int_equal(encode_status(&strings_op, NDR_PARAM_IN, &strings), RPC_S_INVALID_BOUND);
    strings.n = -1;
    assert_int_equal(encode_status(&strings_op, NDR_PARAM_IN, &strings), RPC_S_INVALID_BOUND);

    arrays.n = -5;
    assert_int_equal(encode_status(&arrays_op, NDR_PARAM_IN, &arrays), RPC_S_INVALID_BOUND);
    arrays.n = 0; /* n - 2 */
    assert_int_equal(encode_status(&arrays_op, NDR_PARAM_IN, &arrays), RPC_S_INVALID_BOUND);

    assert_int_equal(encode_status(&scalars_op, NDR_PARAM_IN, &scalars), RPC_S_OK);
    scalars.e16 = -1;
    assert_int_equal(encode_status(&scalars_op, NDR_PARAM_IN, &scalars),
                     RPC_X_ENUM_VALUE_OUT_OF_RANGE);
    scalars.e16 = 32768;
    assert_int_equal(encode_status(&scalars_op, NDR_PARAM_IN, &scalars),
                     RPC_X_ENUM_VALUE_OUT_OF_RANGE);
    scalars.e16 = 32767;
    assert_int_equal(encode_status(&scalars_op, NDR_PARAM_IN, &scalars), RPC_S_OK);
    if (sizeof(intptr_t) > 4) {
        scalars.i = (intptr_t)((int64_t)INT32_MAX + 1);
        assert_int_equal(encode_status(&scalars_op, NDR_PARAM_IN, &scalars), RPC_S_INVALID_BOUND);
    }

    if (sizeof(uintptr_t) > 4) {
        struct misc misc = {.labels = {{0, "a"}, {0, "b"}},
                            .inner.size = (uintptr_t)((uint64_t)UINT32_MAX + 1)};
        struct misc_frame frame = {.w = (WCHAR[]){0}, .misc = &misc};
        frame.tail = &(struct tail){0};
        frame.named = calloc(1, sizeof(*frame.named) + 1);
        frame.named->len = 1;
        assert_int_equal(encode_status(&misc_op, NDR_PARAM_IN, &frame), RPC_S_INVALID_BOUND);
        misc.inner.size--;
        assert_int_equal(encode_status(&misc_op, NDR_PARAM_IN, &frame), RPC_S_OK);
        misc.inner.kinds[1] = -1;
        assert_int_equal(encode_status(&misc_op, NDR_PARAM_IN, &frame),
                         RPC_X_ENUM_VALUE_OUT_OF_RANGE);
        free(frame.named);
    }

    /* a missing [out] buffer fails before the call */
    assert_int_equal(encode_status(&outs_op, NDR_PARAM_IN, &outs), RPC_S_OK);
    outs.buf = NULL;
    assert_int_equal(encode_status(&outs_op, NDR_PARAM_IN, &outs), RPC_X_NULL_REF_POINTER);

    assert_int_equal(encode_status(&classless_op, NDR_PARAM_IN, &classless), RPC_S_CANNOT_SUPPORT);
    arrays.n = 1;
    assert_int_equal(encode_status(&matrix_op, NDR_PARAM_IN, &arrays), RPC_S_CANNOT_SUPPORT);
}

static void b_unsupported_types_on_receipt(void **state)
{
    static const uint8_t octets[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
    static const NDR_OPERATION *const operations[] = {&classless_op, &matrix_op};
    (void)state;
    for (size_t i = 0; i < ROWS(operations); i++) {
        struct arrays_frame frame = {0};
        struct ndr_reader r = {
            .octets = octets, .len = sizeof(octets), .little_endian = true, .last = true};
        assert_int_equal(ndr_decode_params(&r, operations[i], &frame, NDR_PARAM_IN, &heap),
                         NDR_FAILED);
        assert_int_equal(r.status, RPC_S_CANNOT_SUPPORT);
        assert_int_equal(heap_live, 0);
    }
}

static void b_writer_latches_and_resets(void **state)
{
    struct blob blob = {0};
    struct blob_frame good = {.blob = &blob}, bad = {.blob = NULL};
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, 8);
    assert_int_equal(ndr_encode_params(&w, &blob_op, &bad, NDR_PARAM_IN), RPC_X_NULL_REF_POINTER);
    assert_int_equal(w.len, 8); /* what was there stays */
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_X_NULL_REF_POINTER);
    uint8_t *storage = w.octets;
    ndr_writer_reset(&w);
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_S_OK);
    assert_ptr_equal(w.octets, storage);
    w.len_max = 15;
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_S_OUT_OF_RESOURCES);
    ndr_writer_reset(&w);
    w.len_max = 16;
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(ndr_encode_params(&w, &blob_op, &good, NDR_PARAM_IN), RPC_S_OK);
    ndr_writer_fini(&w);
    assert_null(w.octets);
}

/* ---- Traces ------------------------------------------------------------------------------------
 */

static void b_print(void **state)
{
    static WCHAR result[] = u"o\"\u00e9\u20ac";
    static int16_t v[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct info info = {-5, 4000000000u};
    uint8_t buf[3] = {1, 2, 255};
    int32_t *p = NULL;
    struct outs_frame outs = {.n = 3, .info = &info, .buf = buf, .pp = &p, .result = result};
    struct node node = {.id = 4, .n = 12, .v = v};
    char text[256];
    (void)state;
    ndr_print_params(&outs_op, &outs, NDR_PARAM_OUT, text, sizeof(text));
    assert_string_equal(text, "info={size=-5, mode=4000000000}, buf=3[1, 2, 255], pp=NULL, "
                              "result=L\"o\\\"\\xe9\\u20ac\"");
    ndr_print(&t_node, &node, NULL, text, sizeof(text));
    assert_string_equal(text,
                        "{id=4, next=NULL, name=NULL, n=12, v=12[1, 2, 3, 4, 5, 6, 7, 8, ...]}");
    char name[60];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    node = (struct node){.name = (uint8_t *)name, .n = -1, .v = v};
    ndr_print(&t_node, &node, NULL, text, sizeof(text));
    assert_string_equal(text, "{id=0, next=NULL, name=\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                              "nnnnnnnn\"..., n=-1, v=[?]}");
    struct scalars_frame scalars = {.b = 1, .f = 1.5f, .d = -2, .st = 0x6f7, .c = -1};
    ndr_print_params(&scalars_op, &scalars, NDR_PARAM_IN, text, sizeof(text));
    assert_string_equal(text, "b=1, s=0, y=0, h=0, c=-1, e16=0, f=1.5, e32=0, d=-2, i=0, st=0x6f7");
}

/* Every buffer size: terminated, never beyond, and a prefix of the whole. */
static void c_print_is_bounded(void **state)
{
    struct node nodes[2] = {{.next = &nodes[1]}, {.next = &nodes[0]}}; /* depth is cut */
    char whole[512];
    (void)state;
    ndr_print(&t_node, nodes, NULL, whole, sizeof(whole));
    assert_non_null(strstr(whole, "..."));
    for (size_t size = 0; size <= strlen(whole) + 1; size++) {
        char *text = malloc(size);
        ndr_print(&t_node, nodes, NULL, text, size);
        if (size > 0) {
            assert_int_equal(strlen(text), size - 1);
            assert_memory_equal(text, whole, size - 1);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_sending_mistakes),
        cmocka_unit_test(b_unsupported_types_on_receipt),
        cmocka_unit_test(b_writer_latches_and_resets),
        cmocka_unit_test(b_print),
        cmocka_unit_test(c_print_is_bounded),
    };
    return cmocka_run_group_tests_name("ndr_sender", tests, NULL, NULL);
}
