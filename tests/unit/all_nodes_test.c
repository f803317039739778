/* SPDX-License-Identifier: MIT */
/* all_nodes_test.c - [allocate(all_nodes)] through generated descriptors
 * (tests/golden/b_all_nodes.idl): how many objects of the program's memory there are and how
 * large, at the server and the client; what is aliased; damaged data and failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "b_all_nodes.h"
#include "ndr_carry.h"

#define ROWS_OF(table) (sizeof(table) / sizeof((table)[0]))

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return heap_allocate(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    heap_free(object);
}

/* The stubs' calls are not made here. */
void all_nodes_test_client_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                void *frame);
void all_nodes_test_client_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                void *frame)
{
    (void)interface_spec;
    (void)opnum;
    (void)frame;
    fail();
}

union frames {
    struct {
        handle_t h;
        PTREE tree, *changed, *grown, result;
    } grow;
    struct {
        handle_t h;
        FOREST *forest;
    } forest;
    struct {
        handle_t h;
        PKEPT kept, perhaps;
    } keep;
    struct {
        handle_t h;
        PLONG n, *pn;
        int32_t count;
        PTREE trees;
    } numbers;
    struct {
        handle_t h;
        PGRAPH first, second;
        PFULL other;
        PGRAPH *result;
    } graphs;
    struct {
        handle_t h;
        PTREE tree, other, fresh;
    } change;
    struct {
        handle_t h;
        int32_t count;
        TEXT **texts;
    } texts;
};

/* ---- Samples ------------------------------------------------------------------------- */

static WCHAR ab[] = u"ab", c[] = u"c";
static TREE left = {.value = 2, .name = c}, right = {.value = 3, .left = &left};
static TREE tree = {.value = 1, .name = ab, .right = &right};
static TREE grown = {.value = 5, .left = &left, .right = &tree};
static PTREE tree_pointer = &tree, grown_pointer = &grown, no_tree;
static PTREE trees[] = {&tree, NULL, &grown};
static FOREST forest = {.n = 3, .trees = trees, .more = &right};
static LIST last = {.value = 2}, list = {.value = 1, .next = &last};
static int32_t number = 4, other_number = 5;
static PLONG number_pointer = &other_number;
static TREE array[3] = {{.value = 1, .name = c}, {.value = 2, .left = &left}, {.value = 3}};
static GRAPH ring[3] = {
    {.value = 1, .a = &ring[1], .b = &ring[0]},
    {.value = 2, .a = &ring[2], .b = &ring[0]},
    {.value = 3, .a = &ring[1]},
};
static GRAPH lone = {.value = 4};
static PGRAPH ring_pointer = ring;
static TEXT text_list[] = {(TEXT)(uintptr_t) "one", NULL, (TEXT)(uintptr_t) "three"};
static TEXT *text_lists = text_list;

/* `objects`: what a server has of a request, a client of a reply. */
static const struct sample {
    unsigned opnum;
    uint32_t direction;
    union frames from;
    size_t objects;
} samples[] = {
    /* tree in one, what changed points to, and the tree there */
    {0, NDR_PARAM_IN,
     {.grow = {.tree = &tree, .changed = &tree_pointer, .grown = &grown_pointer}}, 3},
    {0, NDR_PARAM_OUT,
     {.grow = {.changed = &tree_pointer, .grown = &grown_pointer, .result = &right}}, 3},
    /* forest, its array, three trees */
    {1, NDR_PARAM_IN, {.forest = {.forest = &forest}}, 5},
    {1, NDR_PARAM_OUT, {.forest = {.forest = &forest}}, 4},
    {2, NDR_PARAM_IN, {.keep = {.kept = &list, .perhaps = &last}}, 2},
    {2, NDR_PARAM_IN, {.keep = {.kept = &list}}, 1},
    {3, NDR_PARAM_IN,
     {.numbers = {.n = &number, .pn = &number_pointer, .count = 3, .trees = array}}, 4},
    {3, NDR_PARAM_OUT, {.numbers = {.n = &number, .pn = &number_pointer, .count = 3}}, 1},
    {4, NDR_PARAM_IN, {.graphs = {.first = ring, .second = &lone, .result = &ring_pointer}}, 2},
    {4, NDR_PARAM_OUT, {.graphs = {.result = &ring_pointer}}, 1},
    {6, NDR_PARAM_OUT, {.texts = {.count = 3, .texts = &text_lists}}, 3},
    {5, NDR_PARAM_IN, {.change = {.tree = &tree, .other = &right, .fresh = &left}}, 2},
    /* what each of the client's own leads to */
    {5, NDR_PARAM_OUT, {.change = {.tree = &tree, .other = &grown, .fresh = &right}}, 3},
};

static struct carried data_of(const struct sample *sample, bool ndr64)
{
    const NDR_OPERATION *operation = operation_of(all_nodes_v1_0_c_ifspec, sample->opnum);
    return encode_frame(operation, sample->direction, ndr64, &sample->from, NULL);
}

/* What the receiver has before: a server nothing, a client where the reply goes. */
struct receiver {
    union frames frame;
    TREE old, own[4];
    PTREE changed, grown;
    FOREST forest;
    int32_t n, old_n;
    PLONG pn;
    PGRAPH graph;
    TEXT *texts;
};

static void prepare(struct receiver *r, const struct sample *sample)
{
    void *garbage = (void *)(uintptr_t)0xdead;
    *r = (struct receiver){.old = {.value = 99}};
    if (sample->direction == NDR_PARAM_IN)
        return;
    r->changed = &r->old;
    r->grown = garbage;
    r->pn = &r->old_n;
    r->graph = garbage;
    r->texts = garbage;
    switch (sample->opnum) {
    case 0:
        r->frame.grow.changed = &r->changed;
        r->frame.grow.grown = &r->grown;
        r->frame.grow.result = garbage;
        break;
    case 1:
        r->frame.forest.forest = &r->forest;
        break;
    case 3:
        r->frame.numbers.n = &r->n;
        r->frame.numbers.pn = &r->pn;
        r->frame.numbers.count = 3;
        break;
    case 4:
        r->frame.graphs.result = &r->graph;
        break;
    case 5: /* own[3] stays the program's */
        r->own[0] = (TREE){.value = 98, .right = &r->own[3]};
        r->own[1] = (TREE){.value = 98, .name = ab, .left = &r->own[3]};
        memset(&r->own[2], 0xee, sizeof(r->own[2]));
        r->own[3] = (TREE){.value = 97};
        r->frame.change.tree = &r->own[0];
        r->frame.change.other = &r->own[1];
        r->frame.change.fresh = &r->own[2];
        break;
    case 6:
        r->frame.texts.count = 3;
        r->frame.texts.texts = &r->texts;
        break;
    default:
        fail();
    }
}

/* What is left when a server's stub or a client's program has freed everything by the pointers
 * the interface says. */
static void release(const struct carried *data, struct receiver *r)
{
    if (data->direction == NDR_PARAM_IN)
        ndr_free_params(data->operation, &r->frame, &heap);
    else
        heap_free_all();
}

/* ---- One object each ----------------------------------------------------------------- */

static void b_objects_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 2; i++) {
        const struct sample *sample = &samples[i / 2];
        struct carried data = data_of(sample, i % 2);
        struct receiver r;
        RPC_STATUS status;
        prepare(&r, sample);
        assert_int_equal(decode_frame(&data, &r.frame, &status), NDR_DONE);
        assert_int_equal(heap_live, sample->objects);
        if (sample->direction == NDR_PARAM_IN) /* encoding wants to see the [out] storage */
            assert_int_equal(ndr_prepare_out(data.operation, &r.frame, &heap), RPC_S_OK);
        assert_true(encodes_alike(&data, &r.frame));
        release(&data, &r);
        assert_int_equal(heap_live, 0);
        carried_fini(&data);
    }
}

static size_t asked[8], asked_count;

static void *note_size(size_t size)
{
    if (asked_count < ROWS_OF(asked))
        asked[asked_count++] = size;
    return heap_allocate(size);
}

/* As large as it has to be, and it begins with the pointee. */
static void b_sizes_and_places(void **state)
{
    struct carried data = data_of(&samples[0], false);
    const struct ndr_memory noting = {.allocate = note_size, .free = heap_free};
    struct ndr_reader reader = {.octets = data.octets,
                                .len = data.len,
                                .little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                                .last = true};
    union frames frame = {0};
    (void)state;
    asked_count = 0;
    assert_int_equal(
        ndr_decode_params(&reader, data.operation, &frame, NDR_PARAM_IN, &noting), NDR_DONE);
    /* tree 32, "ab" 6 and 2 to align, right 32, left 32, "c" 4 */
    assert_int_equal(asked_count, 3);
    assert_int_equal(asked[0], 108);
    assert_int_equal(asked[1], sizeof(PTREE));
    assert_int_equal(asked[2], 108);
    const char *block = (char *)frame.grow.tree;
    assert_ptr_equal(frame.grow.tree->name, block + 32);
    assert_ptr_equal(frame.grow.tree->right, block + 40);
    assert_ptr_equal(frame.grow.tree->right->left, block + 72);
    assert_ptr_equal(frame.grow.tree->right->left->name, block + 104);
    ndr_free_params(data.operation, &frame, &heap);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
}

/* [in, out]: the client gets another object, the one it had stays its own. */
static void b_the_clients_object_is_orphaned(void **state)
{
    (void)state;
    struct carried data = data_of(&samples[1], true);
    struct receiver r;
    RPC_STATUS status;
    prepare(&r, &samples[1]);
    assert_int_equal(decode_frame(&data, &r.frame, &status), NDR_DONE);
    assert_ptr_not_equal(r.changed, &r.old);
    assert_int_equal(r.old.value, 99);
    heap_free(r.changed);
    heap_free(r.grown);
    heap_free(r.frame.grow.result);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);

    data = data_of(&samples[7], false);
    prepare(&r, &samples[7]);
    assert_int_equal(decode_frame(&data, &r.frame, &status), NDR_DONE);
    assert_int_equal(r.n, 4); /* passed by value: in its place */
    assert_ptr_not_equal(r.pn, &r.old_n);
    assert_int_equal(*r.pn, 5);
    heap_free(r.pn);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
}

/* Passed by value: the pointee is the client's and is written, what it leads to is one object,
 * which begins with the first of it. */
static void b_what_is_passed_by_value_leads_to_one_object(void **state)
{
    const struct sample *sample = &samples[ROWS_OF(samples) - 1];
    struct receiver r;
    RPC_STATUS status;
    (void)state;
    for (int ndr64 = 0; ndr64 < 2; ndr64++) {
        struct carried data = data_of(sample, ndr64);
        prepare(&r, sample);
        assert_int_equal(decode_frame(&data, &r.frame, &status), NDR_DONE);
        assert_ptr_equal(r.frame.change.tree, &r.own[0]);
        assert_int_equal(r.own[0].value, 1);
        assert_int_equal(r.own[0].right->left->value, 2);
        assert_int_equal(r.own[3].value, 97);
        assert_null(r.own[3].left);
        heap_free(r.own[0].name);  /* the first of each */
        heap_free(r.own[1].left);
        assert_null(r.own[2].name);
        heap_free(r.own[2].left);
        assert_int_equal(heap_live, 0);
        carried_fini(&data);
    }
}

/* A manager fills storage that the stub has made. */
static void b_what_is_put_into_out_storage_is_freed(void **state)
{
    const NDR_OPERATION *operation = operation_of(all_nodes_v1_0_c_ifspec, 5);
    union frames server = {0};
    (void)state;
    server.change.tree = heap_allocate(sizeof(TREE));
    *server.change.tree = (TREE){.value = 1};
    assert_int_equal(ndr_prepare_out(operation, &server, &heap), RPC_S_OK);
    server.change.fresh->left = heap_allocate(sizeof(TREE));
    *server.change.fresh->left = (TREE){.value = 2};
    ndr_free_params(operation, &server, &heap);
    assert_int_equal(heap_live, 0);
}

static void b_null_takes_nothing(void **state)
{
    (void)state;
    const struct sample sample = {
        0, NDR_PARAM_OUT, {.grow = {.changed = &no_tree, .grown = &no_tree}}, 0};
    struct carried data = data_of(&sample, false);
    struct receiver r;
    RPC_STATUS status;
    prepare(&r, &sample);
    assert_int_equal(decode_frame(&data, &r.frame, &status), NDR_DONE);
    assert_null(r.changed);
    assert_null(r.grown);
    assert_null(r.frame.grow.result);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
}

/* A manager hands over one object, too: the stub frees nothing else. */
static void b_the_servers_reply_is_one_object(void **state)
{
    const NDR_OPERATION *operation = operation_of(all_nodes_v1_0_c_ifspec, 0);
    union frames server = {0};
    PTREE changed = NULL;
    (void)state;
    server.grow.tree = heap_allocate(sizeof(TREE));
    *server.grow.tree = (TREE){.value = 1};
    assert_int_equal(ndr_prepare_out(operation, &server, &heap), RPC_S_OK);
    assert_null(*server.grow.grown);
    server.grow.changed = heap_allocate(sizeof(PTREE));
    *server.grow.changed = changed;
    PTREE pair = heap_allocate(2 * sizeof(TREE));
    pair[0] = (TREE){.left = &pair[1]};
    pair[1] = (TREE){.value = 2};
    *server.grow.grown = pair;
    ndr_free_params(operation, &server, &heap);
    assert_int_equal(heap_live, 0);
}

/* dont_free as well: the manager's, all of it, once it was called. */
static void b_kept_in_one_object(void **state)
{
    struct ndr_memory managed = heap;
    (void)state;
    managed.managed = true;
    for (int called = 0; called <= 1; called++) {
        struct carried data = data_of(&samples[4], false);
        union frames server = {0};
        RPC_STATUS status;
        assert_int_equal(decode_frame(&data, &server, &status), NDR_DONE);
        PKEPT kept = server.keep.kept;
        ndr_free_params(data.operation, &server, called ? &managed : &heap);
        assert_int_equal(heap_live, called ? 2 : 0);
        if (called)
            assert_int_equal(kept->next->value, 2);
        heap_free_all();
        carried_fini(&data);
    }
}

/* ---- Full pointers ------------------------------------------------------------------- */

static enum ndr_verdict graphs(PGRAPH one, PGRAPH two, PFULL three, union frames *ret_server,
                               struct carried *ret_data, RPC_STATUS *ret_status)
{
    union frames client = {
        .graphs = {.first = one, .second = two, .other = three, .result = &ring_pointer}};
    *ret_data = encode_frame(operation_of(all_nodes_v1_0_c_ifspec, 4), NDR_PARAM_IN, false,
                             &client, NULL);
    *ret_server = (union frames){0};
    return decode_frame(ret_data, ret_server, ret_status);
}

/* Circles and shared objects stay inside one object. */
static void b_a_ring_is_one_object(void **state)
{
    union frames server;
    struct carried data;
    RPC_STATUS status;
    (void)state;
    assert_int_equal(graphs(ring, NULL, NULL, &server, &data, &status), NDR_DONE);
    GRAPH *one = server.graphs.first;
    assert_int_equal(heap_live, 1);
    assert_ptr_equal(one->b, one);
    assert_ptr_equal(one->a->b, one);
    assert_ptr_equal(one->a->a->a, one->a);
    assert_int_equal(one->a->a->value, 3);
    ndr_free_params(data.operation, &server, &heap);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
}

/* Two pointers to the same beginning: one object, freed once. */
static void b_two_pointers_to_one_object(void **state)
{
    union frames server;
    struct carried data;
    RPC_STATUS status;
    (void)state;
    assert_int_equal(graphs(ring, ring, NULL, &server, &data, &status), NDR_DONE);
    assert_ptr_equal(server.graphs.first, server.graphs.second);
    assert_int_equal(heap_live, 1);
    ndr_free_params(data.operation, &server, &heap);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
}

/* A pointer from outside would free a part of it: refused, whichever it is. */
static void b_no_pointer_from_outside(void **state)
{
    static GRAPH outside = {.value = 5, .a = &ring[2]};
    const struct {
        PGRAPH first, second;
        PFULL other;
    } refused[] = {
        {ring, NULL, ring},           /* not of the one-object kind    */
        {ring, NULL, &ring[1]},       /* the same, into the middle     */
        {ring, &ring[1], NULL},       /* of that kind, into the middle */
        {ring, &outside, NULL},       /* from another region           */
        {ring, NULL, &outside},       /* from an object of its own     */
    };
    (void)state;
    for (size_t i = 0; i < ROWS_OF(refused); i++) {
        union frames server;
        struct carried data;
        RPC_STATUS status;
        assert_int_equal(graphs(refused[i].first, refused[i].second, refused[i].other, &server,
                                &data, &status),
                         NDR_FAILED);
        assert_int_equal(status, RPC_S_CANNOT_SUPPORT);
        assert_int_equal(heap_live, 0);
        carried_fini(&data);
    }
}

/* ---- Damage and failures ------------------------------------------------------------- */

static void c_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 4; i++) {
        const struct sample *sample = &samples[i / 4];
        bool is_last = i & 2;
        struct carried data = data_of(sample, i & 1);
        for (size_t len = 0; len < data.len; len++) {
            struct receiver r;
            RPC_STATUS status;
            prepare(&r, sample);
            enum ndr_verdict verdict = decode_part(&data, len, is_last, &r.frame, &status);
            assert_int_equal(verdict, is_last ? NDR_FAILED : NDR_NEED_MORE);
            if (is_last)
                assert_int_equal(status, RPC_X_BAD_STUB_DATA);
            assert_int_equal(heap_live, 0);
            assert_int_equal(r.old.value, 99);
            assert_true(!r.changed || r.changed == &r.old);
            assert_true(!r.pn || r.pn == &r.old_n);
        }
        carried_fini(&data);
    }
}

static void c_every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 2; i++) {
        const struct sample *sample = &samples[i / 2];
        struct carried data = data_of(sample, i % 2);
        for (size_t bit = 0; bit < 8 * data.len; bit++) {
            struct receiver r;
            RPC_STATUS status;
            prepare(&r, sample);
            data.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (decode_frame(&data, &r.frame, &status) == NDR_DONE) {
                if (sample->direction == NDR_PARAM_IN)
                    assert_int_equal(ndr_prepare_out(data.operation, &r.frame, &heap), RPC_S_OK);
                struct carried again =
                    encode_frame(data.operation, data.direction, data.ndr64, &r.frame, NULL);
                carried_fini(&again);
                release(&data, &r);
            }
            data.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(heap_live, 0);
        }
        carried_fini(&data);
    }
}

static void c_every_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 2; i++) {
        const struct sample *sample = &samples[i / 2];
        struct carried data = data_of(sample, i % 2);
        bool done = false;
        for (long n = 0; !done; n++) {
            struct receiver r;
            RPC_STATUS status;
            prepare(&r, sample);
            heap_fail_at(n);
            done = decode_frame(&data, &r.frame, &status) == NDR_DONE;
            heap_fail_at(-1);
            if (done) {
                assert_true(n > (long)sample->objects);
                release(&data, &r);
            } else {
                assert_int_equal(status, RPC_S_OUT_OF_MEMORY);
                assert_true(!r.changed || r.changed == &r.old);
            }
            assert_int_equal(heap_live, 0);
        }
        carried_fini(&data);
    }
}

/* A long list: many notes, one object, and the limit counts it once. */
static void c_long_list(void **state)
{
    enum { NODES = 10000 };
    LIST *nodes = calloc(NODES, sizeof(*nodes));
    union frames client = {.keep = {.kept = nodes}}, server = {0};
    (void)state;
    assert_non_null(nodes);
    for (size_t i = 0; i < NODES; i++)
        nodes[i] = (LIST){.value = (int64_t)i, .next = i + 1 < NODES ? &nodes[i + 1] : NULL};
    struct carried data = encode_frame(operation_of(all_nodes_v1_0_c_ifspec, 2), NDR_PARAM_IN,
                                       false, &client, NULL);
    struct ndr_reader reader = {.octets = data.octets,
                                .len = data.len,
                                .little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                                .last = true};
    assert_int_equal(ndr_decode_params(&reader, data.operation, &server, NDR_PARAM_IN, &heap),
                     NDR_DONE);
    assert_int_equal(heap_live, 1);
    assert_in_range(reader.allocated, NODES * sizeof(LIST), 4 * NODES * sizeof(LIST));
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(server.keep.kept[i].value, i);
    ndr_free_params(data.operation, &server, &heap);
    assert_int_equal(heap_live, 0);

    reader.pos = 0;
    reader.allocated_max = NODES * sizeof(LIST) - 1;
    assert_int_equal(ndr_decode_params(&reader, data.operation, &server, NDR_PARAM_IN, &heap),
                     NDR_FAILED);
    assert_int_equal(reader.status, RPC_S_OUT_OF_RESOURCES);
    assert_int_equal(heap_live, 0);
    carried_fini(&data);
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_objects_are_counted),
        cmocka_unit_test(b_sizes_and_places),
        cmocka_unit_test(b_the_clients_object_is_orphaned),
        cmocka_unit_test(b_what_is_passed_by_value_leads_to_one_object),
        cmocka_unit_test(b_what_is_put_into_out_storage_is_freed),
        cmocka_unit_test(b_null_takes_nothing),
        cmocka_unit_test(b_the_servers_reply_is_one_object),
        cmocka_unit_test(b_kept_in_one_object),
        cmocka_unit_test(b_a_ring_is_one_object),
        cmocka_unit_test(b_two_pointers_to_one_object),
        cmocka_unit_test(b_no_pointer_from_outside),
        cmocka_unit_test(c_every_prefix),
        cmocka_unit_test(c_every_bit),
        cmocka_unit_test(c_every_allocation_fails),
        cmocka_unit_test(c_long_list),
    };
    return cmocka_run_group_tests_name("all_nodes", tests, NULL, NULL);
}
