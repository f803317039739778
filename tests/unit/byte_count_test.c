/* SPDX-License-Identifier: MIT */
/* byte_count_test.c - [byte_count] through generated descriptors (tests/golden/b_byte_count.idl):
 * buffers of every size from nothing to more than enough, each a heap object of exactly that
 * size, so that the address sanitizer sees an octet too many; damaged and cut replies; failing
 * scratch memory; and the server's side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "b_byte_count.h"
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
void byte_count_test_client_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                 void *frame);
void byte_count_test_client_call(const RPC_CLIENT_INTERFACE *interface_spec, unsigned int opnum,
                                 void *frame)
{
    (void)interface_spec;
    (void)opnum;
    (void)frame;
    fail();
}

/* ---- Samples: a reply, and how the client asks for it -------------------------------- */

union frames {
    struct {
        handle_t h;
        int16_t count, bytes;
        TREE *root;
        int32_t result;
    } sort;
    struct {
        handle_t h;
        uint32_t bytes;
        ROW *rows;
    } rows;
    struct {
        handle_t h;
        TREE **tree;
        unsigned char bytes;
    } pointer;
    struct {
        handle_t h;
        int32_t bytes;
        SHARED *shared;
        int32_t *own;
    } shared;
    struct {
        handle_t h;
        int32_t bytes;
        CHOSEN *chosen;
    } chosen;
    struct {
        handle_t h;
        int32_t bytes;
        PACKED *packed;
    } packed;
};

static WCHAR ab[] = u"ab", c[] = u"c";
static TREE left = {.value = 2, .name = c}, right = {.value = 3};
static TREE root = {.value = 1, .name = ab, .left = &left, .right = &right};
static int64_t numbers[] = {5, -6, 7};
static ROW rows[2] = {{.n = 3, .numbers = numbers, .text = (unsigned char *)"xy"},
                      {.text = (unsigned char *)""}};
static TREE named = {.value = 9, .name = c};
static TREE *named_pointer = &named;
static int32_t first = 11, second = 12, other = 13, client_own;
static SHARED shared = {.first = &first, .second = &second, .third = &second};
static CHOSEN chosen = {.kind = 1, .choice = {.text = (unsigned char *)"hey"}};
static TREE bare = {.value = 4};
static PACKED packed = {.flag = 1, .name = ab, .tree = &bare};

static void ask_sort(union frames *f, void *buffer, size_t size)
{
    f->sort.bytes = (int16_t)size;
    f->sort.root = buffer;
}

static void ask_rows(union frames *f, void *buffer, size_t size)
{
    f->rows.bytes = (uint32_t)size;
    f->rows.rows = buffer;
}

static void ask_pointer(union frames *f, void *buffer, size_t size)
{
    f->pointer.bytes = (unsigned char)size;
    f->pointer.tree = buffer;
}

static void ask_shared(union frames *f, void *buffer, size_t size)
{
    f->shared.bytes = (int32_t)size;
    f->shared.shared = buffer;
    f->shared.own = &client_own;
}

static void ask_chosen(union frames *f, void *buffer, size_t size)
{
    f->chosen.bytes = (int32_t)size;
    f->chosen.chosen = buffer;
}

static void ask_packed(union frames *f, void *buffer, size_t size)
{
    f->packed.bytes = (int32_t)size;
    f->packed.packed = buffer;
}

static const struct sample {
    unsigned opnum;
    void (*ask)(union frames *f, void *buffer, size_t size);
    union frames server;
    size_t root_size;
    size_t enough; /* octets, each object as near to the last as its alignment allows */
} samples[] = {
    {0, ask_sort, {.sort = {.root = &root, .result = 3}}, sizeof(TREE), 112},
    {1, ask_rows, {.rows = {.rows = rows}}, 2 * sizeof(ROW), 76},
    {2, ask_pointer, {.pointer = {.tree = &named_pointer}}, sizeof(TREE *), 44},
    {3, ask_shared, {.shared = {.shared = &shared, .own = &other}}, sizeof(SHARED), 32},
    {4, ask_chosen, {.chosen = {.chosen = &chosen}}, sizeof(CHOSEN), 20},
    {6, ask_packed, {.packed = {.packed = &packed}}, sizeof(PACKED), 56},
};

static struct carried reply_of(const struct sample *sample, bool ndr64)
{
    const NDR_OPERATION *operation =
        operation_of(byte_count_v1_0_c_ifspec, sample->opnum);
    return encode_frame(operation, NDR_PARAM_OUT, ndr64, &sample->server, NULL);
}

/* A buffer of exactly that size with nothing that could be taken for a pointer. */
static void *buffer_of(size_t size)
{
    void *buffer = malloc(size > 0 ? size : 1);
    assert_non_null(buffer);
    memset(buffer, 0xa5, size > 0 ? size : 1);
    return buffer;
}

/* ---- The client's side --------------------------------------------------------------- */

static void b_every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 2; i++) {
        const struct sample *sample = &samples[i / 2];
        struct carried reply = reply_of(sample, i % 2);
        for (size_t size = 0; size <= sample->enough + 9; size++) {
            void *buffer = buffer_of(size);
            union frames client = {0};
            RPC_STATUS status;
            sample->ask(&client, buffer, size);
            union frames before = client;
            enum ndr_verdict verdict = decode_frame(&reply, &client, &status);
            if (size < sample->enough) {
                assert_int_equal(verdict, NDR_FAILED);
                assert_int_equal(status, RPC_X_BYTE_COUNT_TOO_SMALL);
                assert_memory_equal(&client, &before, sizeof(client));
            } else {
                assert_int_equal(verdict, NDR_DONE);
                assert_true(encodes_alike(&reply, &client));
            }
            assert_int_equal(heap_live, 0);
            free(buffer);
        }
        carried_fini(&reply);
    }
}

/* What the peer's own memory looks like is of no concern: everything is in the buffer. */
static void b_pointers_lead_into_the_buffer(void **state)
{
    (void)state;
    struct carried reply = reply_of(&samples[0], false);
    char *buffer = buffer_of(112);
    union frames client = {0};
    RPC_STATUS status;
    ask_sort(&client, buffer, 112);
    assert_int_equal(decode_frame(&reply, &client, &status), NDR_DONE);
    const TREE *tree = client.sort.root;
    assert_ptr_equal(tree, buffer);
    assert_ptr_equal(tree->name, buffer + 32);
    assert_ptr_equal(tree->left, buffer + 40);
    assert_ptr_equal(tree->left->name, buffer + 72);
    assert_ptr_equal(tree->right, buffer + 80);
    assert_int_equal(tree->left->value, 2);
    assert_null(tree->right->name);
    assert_int_equal(client.sort.result, 3);
    free(buffer);
    carried_fini(&reply);
}

/* Full pointers that met still meet, and take room once. */
static void b_shared_objects_take_room_once(void **state)
{
    (void)state;
    struct carried reply = reply_of(&samples[3], true);
    void *buffer = buffer_of(32);
    union frames client = {0};
    RPC_STATUS status;
    ask_shared(&client, buffer, 32);
    assert_int_equal(decode_frame(&reply, &client, &status), NDR_DONE);
    assert_ptr_equal(client.shared.shared->second, client.shared.shared->third);
    assert_int_equal(*client.shared.shared->second, 12);
    assert_int_equal(client_own, 13);
    free(buffer);
    carried_fini(&reply);
}

/* A full pointer may lead to an object of the client's request: that one is written. */
static void c_the_clients_own_object_stays_its_own(void **state)
{
    const NDR_OPERATION *operation = operation_of(byte_count_v1_0_c_ifspec, 3);
    struct ndr_full_pointers here, there;
    union frames client = {0}, server = {0};
    RPC_STATUS status;
    (void)state;
    ndr_full_pointers_init(&here, NULL);
    ndr_full_pointers_init(&there, NULL);
    void *buffer = buffer_of(32);
    ask_shared(&client, buffer, 32);
    client_own = 1;
    struct carried request = encode_frame(operation, NDR_PARAM_IN, false, &client, &here);
    request.full = &there;
    assert_int_equal(decode_frame(&request, &server, &status), NDR_DONE);
    assert_int_equal(ndr_prepare_out(operation, &server, &heap), RPC_S_OK);
    *server.shared.own = 77;
    server.shared.shared->first = &first;
    server.shared.shared->second = &second;
    server.shared.shared->third = server.shared.own;

    struct carried reply = encode_frame(operation, NDR_PARAM_OUT, false, &server, &there);
    reply.full = &here;
    assert_int_equal(decode_frame(&reply, &client, &status), NDR_DONE);
    assert_ptr_equal(client.shared.shared->third, &client_own);
    assert_int_equal(client_own, 77);
    assert_int_equal(*client.shared.shared->second, 12);
    ndr_free_params(operation, &server, &heap);
    assert_int_equal(heap_live, 0);
    ndr_full_pointers_fini(&here);
    ndr_full_pointers_fini(&there);
    carried_fini(&request);
    carried_fini(&reply);
    free(buffer);
}

/* Wherever a buffer begins, what is in it is aligned as C wants it. */
static void b_buffers_that_begin_anywhere(void **state)
{
    (void)state;
    struct carried reply = reply_of(&samples[5], false);
    for (size_t skew = 0; skew < 8; skew++) {
        size_t smallest = 0;
        for (size_t size = 63; size >= sizeof(PACKED); size--) {
            char *memory = buffer_of(size + skew);
            union frames client = {0};
            RPC_STATUS status;
            ask_packed(&client, memory + skew, size);
            if (decode_frame(&reply, &client, &status) == NDR_DONE) {
                smallest = size;
                assert_int_equal((uintptr_t)client.packed.packed->name % sizeof(WCHAR), 0);
                assert_int_equal((uintptr_t)client.packed.packed->tree % sizeof(void *), 0);
                assert_true(encodes_alike(&reply, &client));
            } else {
                assert_int_equal(status, RPC_X_BYTE_COUNT_TOO_SMALL);
            }
            free(memory);
        }
        /* the pointee ends at 17, the name is at the next even address, the tree at a
         * multiple of 8 */
        size_t name = (skew + 17 + 1) / 2 * 2, tree = (name + 6 + 7) / 8 * 8;
        assert_int_equal(smallest, tree + sizeof(TREE) - skew);
    }
    carried_fini(&reply);
}

static void b_before_the_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples); i++) {
        const struct sample *sample = &samples[i];
        for (size_t size = 0; size <= sample->root_size; size++) {
            void *buffer = buffer_of(sample->root_size);
            union frames client = {0};
            struct ndr_writer w;
            sample->ask(&client, buffer, size);
            ndr_writer_init(&w);
            const NDR_OPERATION *operation =
                operation_of(byte_count_v1_0_c_ifspec, sample->opnum);
            assert_int_equal(ndr_encode_params(&w, operation, &client, NDR_PARAM_IN),
                             size < sample->root_size ? RPC_X_BYTE_COUNT_TOO_SMALL : RPC_S_OK);
            ndr_writer_fini(&w);
            free(buffer);
        }
    }
    union frames client = {0};
    struct ndr_writer w;
    ndr_writer_init(&w);
    client.sort.bytes = -1;
    client.sort.root = &bare;
    assert_int_equal(
        ndr_encode_params(&w, operation_of(byte_count_v1_0_c_ifspec, 0), &client, NDR_PARAM_IN),
        RPC_S_INVALID_BOUND);
    ndr_writer_reset(&w);
    client.sort.bytes = 112;
    client.sort.root = NULL;
    assert_int_equal(
        ndr_encode_params(&w, operation_of(byte_count_v1_0_c_ifspec, 0), &client, NDR_PARAM_IN),
        RPC_X_NULL_REF_POINTER);
    ndr_writer_fini(&w);
}

/* ---- Damage -------------------------------------------------------------------------- */

static void c_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 4; i++) {
        const struct sample *sample = &samples[i / 4];
        bool last = i & 2;
        struct carried reply = reply_of(sample, i & 1);
        for (size_t len = 0; len < reply.len; len++) {
            void *buffer = buffer_of(sample->enough);
            union frames client = {0};
            RPC_STATUS status;
            sample->ask(&client, buffer, sample->enough);
            union frames before = client;
            assert_int_equal(decode_part(&reply, len, last, &client, &status),
                             last ? NDR_FAILED : NDR_NEED_MORE);
            if (last)
                assert_int_equal(status, RPC_X_BAD_STUB_DATA);
            assert_memory_equal(&client, &before, sizeof(client));
            assert_int_equal(heap_live, 0);
            free(buffer);
        }
        carried_fini(&reply);
    }
}

static void c_every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS_OF(samples) * 2; i++) {
        const struct sample *sample = &samples[i / 2];
        struct carried reply = reply_of(sample, i % 2);
        for (size_t bit = 0; bit < 8 * reply.len; bit++) {
            void *buffer = buffer_of(sample->enough);
            union frames client = {0};
            RPC_STATUS status;
            sample->ask(&client, buffer, sample->enough);
            reply.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (decode_frame(&reply, &client, &status) == NDR_DONE) {
                struct carried again = encode_frame(reply.operation, NDR_PARAM_OUT, reply.ndr64,
                                                    &client, NULL);
                carried_fini(&again);
            }
            reply.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(heap_live, 0);
            free(buffer);
        }
        carried_fini(&reply);
    }
}

/* The only memory there is to fail is scratch, for which these replies are too small, so this
 * one is a long list. */
static void c_scratch_allocations_fail(void **state)
{
    enum { NODES = 200 };
    static TREE nodes[NODES];
    union frames server = {.sort = {.root = nodes}};
    (void)state;
    for (size_t i = 0; i + 1 < NODES; i++)
        nodes[i] = (TREE){.name = c, .left = &nodes[i + 1]};
    struct carried reply = encode_frame(operation_of(byte_count_v1_0_c_ifspec, 0), NDR_PARAM_OUT,
                                        false, &server, NULL);
    size_t size = NODES * (sizeof(TREE) + 8);
    bool done = false;
    for (long n = 0; !done; n++) {
        void *buffer = buffer_of(size);
        union frames client = {0};
        RPC_STATUS status;
        ask_sort(&client, buffer, size);
        heap_fail_at(n);
        done = decode_frame(&reply, &client, &status) == NDR_DONE;
        assert_true(done || status == RPC_S_OUT_OF_MEMORY);
        assert_true(!done || n > 0);
        heap_fail_at(-1);
        assert_int_equal(heap_live, 0);
        free(buffer);
    }
    carried_fini(&reply);
}

/* ---- The server's side --------------------------------------------------------------- */

/* One object as large as the client's buffer, and one call that frees it with what the manager
 * put into it. */
static void b_the_server_has_as_much(void **state)
{
    const NDR_OPERATION *operation = operation_of(byte_count_v1_0_c_ifspec, 0);
    (void)state;
    for (int16_t bytes = 0; bytes < 200; bytes++) {
        union frames server = {.sort = {.bytes = bytes}};
        RPC_STATUS status = ndr_prepare_out(operation, &server, &heap);
        if (bytes < (int16_t)sizeof(TREE)) {
            assert_int_equal(status, RPC_X_BYTE_COUNT_TOO_SMALL);
            assert_null(server.sort.root);
        } else {
            assert_int_equal(status, RPC_S_OK);
            const uint8_t *octets = (uint8_t *)server.sort.root;
            for (int16_t i = 0; i < bytes; i++)
                assert_int_equal(octets[i], 0);
            assert_int_equal(heap_live, 1);
            if (bytes >= 2 * (int16_t)sizeof(TREE))
                server.sort.root->left = server.sort.root + 1;
            server.sort.root->name = c; /* no object of its own, either */
        }
        ndr_free_params(operation, &server, &heap);
        assert_int_equal(heap_live, 0);
        assert_null(server.sort.root);
    }
}

static void b_hostile_sizes_at_the_server(void **state)
{
    const NDR_OPERATION *sort = operation_of(byte_count_v1_0_c_ifspec, 0);
    const NDR_OPERATION *rows_op = operation_of(byte_count_v1_0_c_ifspec, 1);
    union frames server = {.sort = {.bytes = -1}};
    struct ndr_memory bounded = heap;
    (void)state;
    assert_int_equal(ndr_prepare_out(sort, &server, &heap), RPC_X_BAD_STUB_DATA);
    server = (union frames){.rows = {.bytes = UINT32_MAX}};
    assert_int_equal(ndr_prepare_out(rows_op, &server, &heap), RPC_X_BAD_STUB_DATA);
    server.rows.bytes = INT32_MAX;
    assert_int_equal(ndr_prepare_out(rows_op, &server, &heap), RPC_S_OUT_OF_RESOURCES);
    bounded.prepare_max = 1000;
    server.rows.bytes = 1001;
    assert_int_equal(ndr_prepare_out(rows_op, &server, &bounded), RPC_S_OUT_OF_RESOURCES);
    server.rows.bytes = 1000;
    heap_fail_at(0);
    assert_int_equal(ndr_prepare_out(rows_op, &server, &bounded), RPC_S_OUT_OF_MEMORY);
    assert_int_equal(ndr_prepare_out(rows_op, &server, &bounded), RPC_S_OK);
    ndr_free_params(rows_op, &server, &heap);
    assert_int_equal(heap_live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_every_size),
        cmocka_unit_test(b_pointers_lead_into_the_buffer),
        cmocka_unit_test(b_shared_objects_take_room_once),
        cmocka_unit_test(b_buffers_that_begin_anywhere),
        cmocka_unit_test(b_before_the_call),
        cmocka_unit_test(b_the_server_has_as_much),
        cmocka_unit_test(b_hostile_sizes_at_the_server),
        cmocka_unit_test(c_the_clients_own_object_stays_its_own),
        cmocka_unit_test(c_every_prefix),
        cmocka_unit_test(c_every_bit),
        cmocka_unit_test(c_scratch_allocations_fail),
    };
    return cmocka_run_group_tests_name("byte_count", tests, NULL, NULL);
}
