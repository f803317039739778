/* SPDX-License-Identifier: MIT */
/* ndr_memory_test.c - who allocates, and who is written in place: the client's memory and
 * the server's. */
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

/* ---- A client's memory --------------------------------------------------------------- */

static void b_ref_pointees_are_written_in_place(void **state)
{
    struct info info = {1, 2}, app_info = {0};
    uint8_t buf[3] = "abc", app_buf[3] = {0};
    int32_t value = 77, *p = &value;
    int32_t *app_p = (int32_t *)(uintptr_t)0xdead; /* [out]: not initialised */
    struct outs_frame server = {.n = 3, .info = &info, .buf = buf, .pp = &p};
    struct outs_frame client = {.n = 3,
                                .info = &app_info,
                                .buf = app_buf,
                                .pp = &app_p,
                                .result = (WCHAR *)(uintptr_t)0xdead};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&outs_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_ptr_equal(client.info, &app_info);
    assert_int_equal(app_info.size, 1);
    assert_memory_equal(app_buf, "abc", 3);
    assert_ptr_equal(client.pp, &app_p);
    assert_int_equal(*app_p, 77);
    assert_null(client.result);
    assert_int_equal(heap_live, 1); /* **pp */
    heap_free_all();
}

/* The server says 4 octets where the client's buffer has 3. */
static void b_reply_larger_than_the_buffer(void **state)
{
    struct info info = {1, 2}, app_info = {0};
    uint8_t buf[4] = "abcd";
    uint8_t *app_buf = malloc(3);
    int32_t *p = NULL, *app_p = NULL;
    struct outs_frame server = {.n = 4, .info = &info, .buf = buf, .pp = &p};
    struct outs_frame client = {.n = 3, .info = &app_info, .buf = app_buf, .pp = &app_p};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&outs_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_X_BAD_STUB_DATA);
    assert_int_equal(heap_live, 0);
    free(app_buf);
}

/* size_is(*pn) with *pn [in,out]: the old value is the size of the buffer, whatever
 * the reply says, and *pn is decoded behind the array or before it. */
static void c_in_out_size_operand(void **state)
{
    for (int32_t sent = 0; sent <= 5; sent++) {
        int16_t w[5] = {1, 2, 3, 4, 5}, *app_w = calloc(3, sizeof(*app_w));
        int32_t fixed[3] = {0}, app_fixed[3], pn = sent, app_pn = 3;
        struct arrays_frame server = {.w = w, .pn = &pn, .fixed = fixed};
        struct arrays_frame client = {.w = app_w, .pn = &app_pn, .fixed = app_fixed};
        RPC_STATUS status;
        (void)state;
        enum ndr_verdict verdict = carry(&arrays_op, NDR_PARAM_OUT, &server, &client, &status);
        if (sent <= 3) {
            assert_int_equal(verdict, NDR_DONE);
            assert_int_equal(app_pn, sent);
            assert_memory_equal(app_w, w, (size_t)sent * sizeof(w[0]));
        } else {
            assert_int_equal(verdict, NDR_FAILED);
            assert_int_equal(status, RPC_X_BAD_STUB_DATA);
        }
        free(app_w);
    }
}

/* [in,out] unique: memory that is there is used, memory that is not is allocated, and
 * a pointer the server cleared is NULL. */
static void b_in_out_unique(void **state)
{
    uint8_t octets[3] = "xyz";
    RPC_STATUS status;
    (void)state;
    struct blob sent = {.cb = 3, .p = octets};
    struct blob_frame server = {.blob = &sent, .result = 5};

    uint8_t app_octets[3] = {0};
    struct blob kept = {.cb = 3, .p = app_octets};
    struct blob_frame client = {.blob = &kept};
    assert_int_equal(carry(&blob_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_ptr_equal(kept.p, app_octets);
    assert_memory_equal(app_octets, "xyz", 3);
    assert_int_equal(client.result, 5);
    assert_int_equal(heap_live, 0);

    kept = (struct blob){.cb = 7, .p = NULL};
    assert_int_equal(carry(&blob_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_int_equal(heap_live, 1);
    assert_memory_equal(kept.p, "xyz", 3);
    heap_free_all();

    kept = (struct blob){.cb = 3, .p = app_octets};
    sent = (struct blob){0};
    assert_int_equal(carry(&blob_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_null(kept.p);

    /* the member that tells the size is overwritten before the array comes */
    uint8_t *two = malloc(2);
    kept = (struct blob){.cb = 2, .p = two};
    sent = (struct blob){.cb = 3, .p = octets};
    assert_int_equal(carry(&blob_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_X_BAD_STUB_DATA);
    assert_ptr_equal(kept.p, two);
    free(two);
}

/* A list that grew on the server: old nodes stay where they were, strings are written
 * only as far as the old string went. */
static void c_in_out_list(void **state)
{
    uint8_t one[] = "one", longer[] = "longer";
    struct node s3 = {.id = 13, .name = longer}, s2 = {.id = 12, .next = &s3};
    struct node s1 = {.id = 11, .next = &s2, .name = one};
    struct list_frame server = {.head = &s1};
    uint8_t app_name[] = "old!";
    struct node c2 = {.id = 2}, c1 = {.id = 1, .next = &c2, .name = app_name};
    struct list_frame client = {.head = &c1};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&list_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_ptr_equal(c1.next, &c2);
    assert_ptr_equal(c1.name, app_name);
    assert_string_equal((char *)app_name, "one");
    assert_int_equal(c2.id, 12);
    assert_int_equal(c2.next->id, 13);
    assert_string_equal((char *)c2.next->name, "longer");
    assert_int_equal(heap_live, 2);
    heap_free_all();

    /* now the first name is longer than "one": nothing allocated, pointers as before */
    c1 = (struct node){.id = 1, .next = &c2, .name = app_name};
    c2 = (struct node){.id = 2};
    s1.name = longer;
    assert_int_equal(carry(&list_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_X_BAD_STUB_DATA);
    assert_int_equal(heap_live, 0);
    assert_ptr_equal(c1.next, &c2);
    assert_ptr_equal(c1.name, app_name);
    assert_null(c2.next);
}

/* Strings and structures with a tail, in the application's memory: the old length and
 * the old count are what fits. */
static void c_in_out_conformant(void **state)
{
    static const struct {
        size_t sent_len, kept_len; /* of w   */
        int32_t sent_n, kept_n;    /* of tail */
        enum ndr_verdict verdict;
    } rows[] = {
        {5, 5, 2, 2, NDR_DONE},   {0, 5, 0, 3, NDR_DONE},   {5, 7, 2, 5, NDR_DONE},
        {6, 5, 2, 2, NDR_FAILED}, {5, 5, 3, 2, NDR_FAILED}, {1, 0, 0, 0, NDR_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        WCHAR *w = calloc(rows[i].sent_len + 1, sizeof(*w));
        WCHAR *app_w = calloc(rows[i].kept_len + 1, sizeof(*w));
        struct tail *tail = calloc(1, sizeof(*tail) + (size_t)rows[i].sent_n * 2);
        struct tail *app_tail =
            malloc(offsetof(struct tail, v) + (size_t)rows[i].kept_n * 2); /* no pad */
        for (size_t k = 0; k < rows[i].sent_len; k++)
            w[k] = 0x100; /* one octet of each unit is zero */
        for (size_t k = 0; k < rows[i].kept_len; k++)
            app_w[k] = 0x2000;
        tail->n = rows[i].sent_n;
        app_tail->n = rows[i].kept_n;
        struct misc_frame server = {.w = w, .tail = tail};
        struct misc_frame client = {.w = app_w, .tail = app_tail};
        RPC_STATUS status;
        assert_int_equal(carry(&misc_op, NDR_PARAM_OUT, &server, &client, &status),
                         rows[i].verdict);
        assert_int_equal(status, rows[i].verdict == NDR_DONE ? RPC_S_OK : RPC_X_BAD_STUB_DATA);
        if (rows[i].verdict == NDR_DONE) {
            assert_memory_equal(app_w, w, (rows[i].sent_len + 1) * sizeof(*w));
            assert_int_equal(app_tail->n, rows[i].sent_n);
        }
        assert_int_equal(heap_live, 0);
        free(w);
        free(app_w);
        free(tail);
        free(app_tail);
    }
}

/* void f([out, string] char *s): a buffer of a size nobody knows (MIDL2041). */
struct unsized_frame {
    uint8_t *s;
};
static const NDR_PARAM unsized_params[] = {
    PARAM(struct unsized_frame, s, t_string_ref, NDR_PARAM_OUT),
};
OPERATION(unsized_op, struct unsized_frame, unsized_params);

static void b_unsized_out_string_is_refused(void **state)
{
    uint8_t text[] = "text", app[] = "????";
    struct unsized_frame server = {.s = text}, client = {.s = app}, prepared = {0};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&unsized_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_S_CANNOT_SUPPORT);
    assert_string_equal((char *)app, "????");
    assert_int_equal(ndr_prepare_out(&unsized_op, &prepared, &heap), RPC_S_CANNOT_SUPPORT);
}

/* void f([in, out, unique] long *p, [out] PAIR *pair): the other shapes of [out]. */
struct other_frame {
    int32_t *p;
    struct pair *pair;
};
POINTER_TO(t_pair_ref, t_pair, NDR_TYPE_REF);
static const NDR_PARAM other_params[] = {
    PARAM(struct other_frame, p, t_long_unique, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct other_frame, pair, t_pair_ref, NDR_PARAM_OUT),
};
OPERATION(other_op, struct other_frame, other_params);

/* A pointer passed by value cannot come back from NULL: nobody could free it. */
static void b_pointer_by_value_stays_null(void **state)
{
    int32_t value = 5, app_value = 1;
    struct pair pair = {0}, app_pair;
    struct other_frame server = {.p = &value, .pair = &pair};
    struct other_frame client = {.p = NULL, .pair = &app_pair};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&other_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_X_BAD_STUB_DATA);
    client.p = &app_value;
    assert_int_equal(carry(&other_op, NDR_PARAM_OUT, &server, &client, &status), NDR_DONE);
    assert_int_equal(app_value, 5);
    client.pair = NULL;
    assert_int_equal(carry(&other_op, NDR_PARAM_OUT, &server, &client, &status), NDR_FAILED);
    assert_int_equal(status, RPC_X_NULL_REF_POINTER);
    assert_int_equal(heap_live, 0);
}

/* [out]-only memory is not initialised: pointers in it are neither followed nor left
 * behind when the reply turns out bad. */
static void b_out_only_pointers_are_garbage(void **state)
{
    struct pair app_pair = {.p = (int32_t *)(uintptr_t)0xdead};
    struct other_frame client = {.pair = &app_pair};
    const uint8_t bad[] = {0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 2, 0, 1}; /* *pair.p is cut off */
    struct ndr_reader r = {.octets = bad, .len = sizeof(bad), .little_endian = true, .last = true};
    (void)state;
    assert_int_equal(ndr_decode_params(&r, &other_op, &client, NDR_PARAM_OUT, &heap), NDR_FAILED);
    assert_null(app_pair.p);
    assert_int_equal(heap_live, 0);
}

/* ---- A server's memory ------------------------------------------------------------------- */

static void b_prepare_out(void **state)
{
    struct outs_frame f = {.n = 5};
    static const uint8_t zeros[sizeof(struct info)];
    (void)state;
    assert_int_equal(ndr_prepare_out(&outs_op, &f, &heap), RPC_S_OK);
    assert_int_equal(heap_live, 3);
    assert_memory_equal(f.info, zeros, sizeof(*f.info));
    assert_memory_equal(f.buf, zeros, 5);
    assert_null(*f.pp);
    /* what the manager hangs in goes with the rest */
    *f.pp = heap_allocate(sizeof(int32_t));
    **f.pp = 9;
    f.result = heap_allocate(4);
    memcpy(f.result, u"r", 4);
    assert_int_equal(encode_status(&outs_op, NDR_PARAM_OUT, &f), RPC_S_OK);
    ndr_free_params(&outs_op, &f, &heap);
    assert_int_equal(heap_live, 0);
    assert_null(f.info);
}

/* void f([in] long *n, [in, size_is(*n), string] char **names), and a status parameter of the
 * ACF, which does not travel but has storage. */
struct operand_frame {
    int32_t *n;
    uint8_t **names;
    uint32_t *status;
};
static const NDR_EXPR operand_n = {
    .op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = offsetof(struct operand_frame, n)};
ARRAY_SIZED(t_operand_names, t_string_unique, operand_n);
POINTER_TO(t_operand_names_ref, t_operand_names, NDR_TYPE_REF);
POINTER_TO(t_status_ref, t_status, NDR_TYPE_REF);
static const NDR_PARAM operand_params[] = {
    PARAM(struct operand_frame, n, t_long_ref, NDR_PARAM_IN),
    PARAM(struct operand_frame, names, t_operand_names_ref, NDR_PARAM_IN),
    PARAM(struct operand_frame, status, t_status_ref,
          NDR_PARAM_OUT | NDR_PARAM_LOCAL | NDR_PARAM_COMM_STATUS),
};
OPERATION(operand_op, struct operand_frame, operand_params);

/* What tells the size of an array is freed behind the array. */
static void b_operands_are_freed_last(void **state)
{
    int32_t n = 2;
    uint8_t a[] = "a", b[] = "b", *names[] = {a, b};
    struct operand_frame client = {.n = &n, .names = names}, server = {0};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&operand_op, NDR_PARAM_IN, &client, &server, &status), NDR_DONE);
    assert_int_equal(heap_live, 4);
    assert_int_equal(ndr_prepare_out(&operand_op, &server, &heap), RPC_S_OK);
    assert_int_equal(*server.status, 0);
    ndr_free_params(&operand_op, &server, &heap);
    assert_int_equal(heap_live, 0);
}

/* A status parameter of the ACF takes no octets in either direction. */
static void b_local_parameters_do_not_travel(void **state)
{
    uint32_t value = 5;
    struct operand_frame frame = {.status = &value};
    struct ndr_writer w;
    (void)state;
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &operand_op, &frame, NDR_PARAM_OUT), RPC_S_OK);
    assert_int_equal(w.len, 0);
    ndr_writer_fini(&w);
}

static void b_prepare_out_hostile_sizes(void **state)
{
    static const struct {
        int32_t n;
        size_t prepare_max;
        RPC_STATUS status;
    } rows[] = {
        {0, 0, RPC_S_OK},
        {-1, 0, RPC_X_BAD_STUB_DATA},
        {INT32_MAX, 0, RPC_S_OUT_OF_RESOURCES},
        {100, 100, RPC_S_OUT_OF_RESOURCES}, /* 100 and the others */
        {100, 200, RPC_S_OK},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct outs_frame f = {.n = rows[i].n};
        struct ndr_memory limited = heap;
        limited.prepare_max = rows[i].prepare_max;
        assert_int_equal(ndr_prepare_out(&outs_op, &f, &limited), rows[i].status);
        ndr_free_params(&outs_op, &f, &heap);
        assert_int_equal(heap_live, 0);
    }
}

static void c_prepare_out_out_of_memory(void **state)
{
    (void)state;
    for (long n = 0; n < 4; n++) {
        struct outs_frame f = {.n = 5};
        heap_fail_at(n);
        assert_int_equal(ndr_prepare_out(&outs_op, &f, &heap),
                         n < 3 ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
        heap_fail_at(-1);
        ndr_free_params(&outs_op, &f, &heap);
        assert_int_equal(heap_live, 0);
    }
}

/* [in,out] memory for the manager: the whole size_is of a sized string is writable. */
static void b_sized_string_is_a_buffer(void **state)
{
    uint8_t a[] = "", buf[100] = "short";
    struct strings_frame client = {.a = a, .buf = buf, .n = 100}, server = {0};
    RPC_STATUS status;
    (void)state;
    assert_int_equal(carry(&strings_op, NDR_PARAM_IN, &client, &server, &status), NDR_DONE);
    memset(server.buf, 'x', 99); /* ASan would see a smaller one */
    assert_int_equal(server.buf[99], 0);
    ndr_free_params(&strings_op, &server, &heap);
    assert_int_equal(heap_live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_ref_pointees_are_written_in_place),
        cmocka_unit_test(b_reply_larger_than_the_buffer),
        cmocka_unit_test(b_in_out_unique),
        cmocka_unit_test(b_pointer_by_value_stays_null),
        cmocka_unit_test(b_out_only_pointers_are_garbage),
        cmocka_unit_test(b_unsized_out_string_is_refused),
        cmocka_unit_test(b_prepare_out),
        cmocka_unit_test(b_operands_are_freed_last),
        cmocka_unit_test(b_local_parameters_do_not_travel),
        cmocka_unit_test(b_prepare_out_hostile_sizes),
        cmocka_unit_test(b_sized_string_is_a_buffer),
        cmocka_unit_test(c_in_out_size_operand),
        cmocka_unit_test(c_in_out_list),
        cmocka_unit_test(c_in_out_conformant),
        cmocka_unit_test(c_prepare_out_out_of_memory),
    };
    return cmocka_run_group_tests_name("ndr_memory", tests, NULL, NULL);
}
