/* SPDX-License-Identifier: MIT */
/* ndr_memory_test.c - who allocates, who is written in place, what limits hold; and
 * what a sender's own mistakes are answered with. */
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

/* Server to client or back: encodes `from`, decodes into `to`. */
static enum ndr_verdict carry(const NDR_OPERATION *operation, uint32_t direction, const void *from,
                              void *to, RPC_STATUS *ret_status)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, operation, from, direction), RPC_S_OK);
    struct ndr_reader r = {.octets = w.octets, .len = w.len, .little_endian = true, .last = true};
    enum ndr_verdict verdict = ndr_decode_params(&r, operation, to, direction, &heap);
    *ret_status = verdict == NDR_FAILED ? r.status : RPC_S_OK;
    ndr_writer_fini(&w);
    return verdict;
}

static RPC_STATUS encode_status(const NDR_OPERATION *operation, uint32_t direction,
                                const void *frame)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    RPC_STATUS status = ndr_encode_params(&w, operation, frame, direction);
    assert_int_equal(w.status, status);
    if (status != RPC_S_OK)
        assert_int_equal(w.len, 0);
    ndr_writer_fini(&w);
    return status;
}

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

/* ---- Long and deep ------------------------------------------------------------------------- */

static struct node *make_list(size_t count)
{
    struct node *nodes = calloc(count, sizeof(*nodes));
    for (size_t i = 0; i < count; i++)
        nodes[i] = (struct node){.id = (int32_t)i, .next = i + 1 < count ? &nodes[i + 1] : NULL};
    return nodes;
}

/* As deep as allowed, on a small stack's terms: no recursion along the list. */
static void c_long_lists(void **state)
{
    static const struct {
        size_t count;
        uint32_t depth_max;
        enum ndr_verdict verdict;
    } rows[] = {
        {NDR_DEPTH_MAX, 0, NDR_DONE},
        {11, 10, NDR_DONE}, /* 10 pointers */
        {12, 10, NDR_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct node *nodes = make_list(rows[i].count);
        struct list_frame client = {.head = nodes}, server = {0};
        struct ndr_writer w;
        ndr_writer_init(&w);
        assert_int_equal(ndr_encode_params(&w, &list_op, &client, NDR_PARAM_IN), RPC_S_OK);
        struct ndr_reader r = {.octets = w.octets,
                               .len = w.len,
                               .little_endian = true,
                               .last = true,
                               .depth_max = rows[i].depth_max};
        assert_int_equal(ndr_decode_params(&r, &list_op, &server, NDR_PARAM_IN, &heap),
                         rows[i].verdict);
        if (rows[i].verdict == NDR_FAILED)
            assert_int_equal(r.status, RPC_S_OUT_OF_RESOURCES);
        else
            assert_int_equal(heap_live, rows[i].count);
        ndr_free_params(&list_op, &server, &heap);
        assert_int_equal(heap_live, 0);
        ndr_writer_fini(&w);
        free(nodes);
    }
}

/* Unique pointers may not make a circle, but a program with a bug gets a status. */
static void c_circle(void **state)
{
    struct node nodes[2] = {{.next = &nodes[1]}, {.next = &nodes[0]}};
    struct list_frame frame = {.head = nodes};
    (void)state;
    assert_int_equal(encode_status(&list_op, NDR_PARAM_IN, &frame), RPC_S_OUT_OF_RESOURCES);
}

/* A wide and deep tree: more structures waiting to be freed than the inline stack has. */
static void grow_tree(struct tree *tree, int depth)
{
    tree->n = depth > 0 ? 4 : 0;
    if (depth == 0)
        return;
    tree->children = calloc(4, sizeof(*tree));
    for (int i = 0; i < 4; i++)
        grow_tree(&tree->children[i], depth - 1);
}

static void fell_tree(struct tree *tree)
{
    for (int i = 0; i < tree->n; i++)
        fell_tree(&tree->children[i]);
    free(tree->children);
}

static void c_tree(void **state)
{
    struct tree root = {0};
    struct tree_frame client = {.root = &root}, server = {0};
    RPC_STATUS status;
    (void)state;
    grow_tree(&root, 6);
    assert_int_equal(carry(&tree_op, NDR_PARAM_IN, &client, &server, &status), NDR_DONE);
    assert_int_equal(heap_live, 1 + (4096 - 1) / 3); /* root, and one array per inner node */
    ndr_free_params(&tree_op, &server, &heap);
    assert_int_equal(heap_live, 0);
    fell_tree(&root);
}

/* More pointers than the inline lists hold: each growth of each list fails once, on
 * both sides and both ways, and nothing is lost. */
static void c_scratch_allocations_fail(void **state)
{
    enum { N = 40 };
    static WCHAR text[] = u"t";
    WCHAR *names[N];
    int32_t value = 1, *refs[N];
    struct pair pairs[N];
    struct node *nodes = make_list(N);
    (void)state;
    for (int i = 0; i < N; i++) {
        names[i] = text;
        refs[i] = &value;
        pairs[i] = (struct pair){.p = &value};
    }
    struct names_frame names_frame = {.n = N, .names = names, .refs = refs, .pairs = pairs};
    struct list_frame list_frame = {.head = nodes};
    const struct {
        const NDR_OPERATION *operation;
        void *frame;
        uint32_t direction;
    } rows[] = {{&names_op, &names_frame, NDR_PARAM_IN},
                {&list_op, &list_frame, NDR_PARAM_IN},
                {&list_op, &list_frame, NDR_PARAM_OUT}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct ndr_writer w;
        RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
        ndr_writer_init(&w);
        w.reallocate = heap_reallocate;
        for (long n = 0; status != RPC_S_OK; n++) {
            ndr_writer_reset(&w);
            heap_fail_at(n);
            status = ndr_encode_params(&w, rows[i].operation, rows[i].frame, rows[i].direction);
            heap_fail_at(-1);
            assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
            assert_in_range(n, 0, 100);
        }
        enum ndr_verdict verdict = NDR_FAILED;
        for (long n = 0; verdict != NDR_DONE; n++) {
            struct node head = {.id = 1};
            union frames frame;
            struct ndr_reader r = {.octets = w.octets,
                                   .len = w.len,
                                   .little_endian = true,
                                   .last = true,
                                   .reallocate = heap_reallocate};
            memset(&frame, 0, sizeof(frame));
            if (rows[i].direction == NDR_PARAM_OUT)
                frame.list.head = &head;
            heap_fail_at(n);
            verdict = ndr_decode_params(&r, rows[i].operation, &frame, rows[i].direction, &heap);
            heap_fail_at(-1);
            if (verdict == NDR_DONE) {
                if (rows[i].direction == NDR_PARAM_IN)
                    ndr_free_params(rows[i].operation, &frame, &heap);
                else
                    heap_free_all();
            } else {
                assert_int_equal(r.status, RPC_S_OUT_OF_MEMORY);
                assert_null(head.next);
            }
            assert_int_equal(heap_live, 0);
            assert_in_range(n, 0, 1000);
        }
        ndr_writer_fini(&w);
    }
    free(nodes);
}

/* Freeing goes on, by recursion, when there is no memory to remember what is to free. */
static void c_free_without_scratch(void **state)
{
    struct tree root = {0};
    struct tree_frame client = {.root = &root}, server = {0};
    struct ndr_memory starved = heap;
    RPC_STATUS status;
    (void)state;
    starved.reallocate = heap_reallocate;
    grow_tree(&root, 6);
    for (long n = 0; n < 4; n++) {
        assert_int_equal(carry(&tree_op, NDR_PARAM_IN, &client, &server, &status), NDR_DONE);
        heap_fail_at(n);
        ndr_free_params(&tree_op, &server, &starved);
        heap_fail_at(-1);
        assert_int_equal(heap_live, 0);
    }
    fell_tree(&root);
}

/* Octets that come as slowly as `need` asks for them: the number of tries must not grow
 * with the number of pointers. */
static void c_need_converges(void **state)
{
    enum { N = 4000 };
    static WCHAR text[] = u"some text of a name";
    static int32_t value = 1;
    WCHAR **names = calloc(N, sizeof(*names));
    int32_t **refs = calloc(N, sizeof(*refs));
    struct pair *pairs = calloc(N, sizeof(*pairs));
    for (int i = 0; i < N; i++) {
        names[i] = text;
        refs[i] = &value;
        pairs[i].p = &value;
    }
    struct names_frame client = {.n = N, .names = names, .refs = refs, .pairs = pairs};
    struct names_frame server = {0};
    struct ndr_writer w;
    ndr_writer_init(&w);
    (void)state;
    assert_int_equal(ndr_encode_params(&w, &names_op, &client, NDR_PARAM_IN), RPC_S_OK);
    size_t len = 1, tries = 0;
    enum ndr_verdict verdict;
    do {
        struct ndr_reader r = {.octets = w.octets, .len = len, .little_endian = true};
        verdict = ndr_decode_params(&r, &names_op, &server, NDR_PARAM_IN, &heap);
        if (verdict == NDR_NEED_MORE) {
            assert_in_range(r.need, len + 1, w.len);
            assert_int_equal(heap_live, 0);
            len = r.need;
        }
        tries++;
    } while (verdict == NDR_NEED_MORE);
    assert_int_equal(verdict, NDR_DONE);
    assert_in_range(tries, 2, 60);
    ndr_free_params(&names_op, &server, &heap);
    assert_int_equal(heap_live, 0);
    ndr_writer_fini(&w);
    free(names);
    free(refs);
    free(pairs);
}

/* [range] on a sized array limits its count and says nothing about its elements. */
static void c_range_of_a_count(void **state)
{
    enum { MAX = 4000 };
    int32_t value = MAX + 1;
    WCHAR **names = calloc(MAX + 1, sizeof(*names));
    int32_t **refs = calloc(MAX + 1, sizeof(*refs));
    struct pair *pairs = calloc(MAX + 1, sizeof(*pairs));
    (void)state;
    for (int i = 0; i <= MAX; i++)
        refs[i] = &value;
    for (int32_t n = MAX; n <= MAX + 1; n++) {
        struct names_frame client = {.n = n, .names = names, .refs = refs, .pairs = pairs};
        struct names_frame server = {0};
        RPC_STATUS status;
        assert_int_equal(carry(&names_op, NDR_PARAM_IN, &client, &server, &status),
                         n <= MAX ? NDR_DONE : NDR_FAILED);
        assert_int_equal(status, n <= MAX ? RPC_S_OK : RPC_X_BAD_STUB_DATA);
        ndr_free_params(&names_op, &server, &heap);
        assert_int_equal(heap_live, 0);
    }
    free(names);
    free(refs);
    free(pairs);
}

static void b_allocation_limit(void **state)
{
    uint8_t octets[64] = {0};
    struct blob blob = {.cb = 64, .p = octets};
    struct blob_frame client = {.blob = &blob}, server = {0};
    struct ndr_writer w;
    ndr_writer_init(&w);
    (void)state;
    assert_int_equal(ndr_encode_params(&w, &blob_op, &client, NDR_PARAM_IN), RPC_S_OK);
    struct ndr_reader r = {.octets = w.octets,
                           .len = w.len,
                           .little_endian = true,
                           .last = true,
                           .allocated_max = sizeof(struct blob) + 63};
    assert_int_equal(ndr_decode_params(&r, &blob_op, &server, NDR_PARAM_IN, &heap), NDR_FAILED);
    assert_int_equal(r.status, RPC_S_OUT_OF_RESOURCES);
    assert_int_equal(heap_live, 0);
    r.allocated_max++;
    assert_int_equal(ndr_decode_params(&r, &blob_op, &server, NDR_PARAM_IN, &heap), NDR_DONE);
    ndr_free_params(&blob_op, &server, &heap);
    ndr_writer_fini(&w);
}

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
        cmocka_unit_test(b_allocation_limit),
        cmocka_unit_test(b_sending_mistakes),
        cmocka_unit_test(b_unsupported_types_on_receipt),
        cmocka_unit_test(b_writer_latches_and_resets),
        cmocka_unit_test(b_print),
        cmocka_unit_test(c_in_out_size_operand),
        cmocka_unit_test(c_in_out_list),
        cmocka_unit_test(c_in_out_conformant),
        cmocka_unit_test(c_scratch_allocations_fail),
        cmocka_unit_test(c_free_without_scratch),
        cmocka_unit_test(c_prepare_out_out_of_memory),
        cmocka_unit_test(c_long_lists),
        cmocka_unit_test(c_circle),
        cmocka_unit_test(c_tree),
        cmocka_unit_test(c_range_of_a_count),
        cmocka_unit_test(c_need_converges),
        cmocka_unit_test(c_print_is_bounded),
    };
    return cmocka_run_group_tests_name("ndr_memory", tests, NULL, NULL);
}
