/* SPDX-License-Identifier: MIT */
/* ndr_limits_test.c - long and deep values, failing scratch memory, limits of counts and octets. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_allocation_limit),
        cmocka_unit_test(c_scratch_allocations_fail),
        cmocka_unit_test(c_free_without_scratch),
        cmocka_unit_test(c_long_lists),
        cmocka_unit_test(c_circle),
        cmocka_unit_test(c_tree),
        cmocka_unit_test(c_range_of_a_count),
        cmocka_unit_test(c_need_converges),
    };
    return cmocka_run_group_tests_name("ndr_limits", tests, NULL, NULL);
}
