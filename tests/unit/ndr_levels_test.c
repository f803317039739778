/* SPDX-License-Identifier: MIT */
/* ndr_levels_test.c - fields with sizes of several levels (tests/golden/b_levels) in structures
 * that are [in, out]: the reply goes into the program's own memory, which has exactly as much room
 * as the structure says; the octets, answers that want more, every allocation failing. */
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

#include "b_levels.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

static const struct ndr_memory memory = {
    .allocate = MIDL_user_allocate, .free = MIDL_user_free, .prepare_max = 1 << 16};

struct frame { /* as the stub has it */
    handle_t h;
    SECOND *second;
    TABLE *table;
    CUBE *cube;
    TEXT_BUFFER *text;
    ROWS *rows;
};

static const NDR_OPERATION *operation(void)
{
    const RPC_CLIENT_INTERFACE *spec = b_levels_v1_0_c_ifspec;
    return &spec->InterpreterInfo->operations[1];
}

/* ---- The program's memory ------------------------------------------------------------------- */

struct values {
    struct frame frame;
    SECOND second;
    TABLE table;
    CUBE cube;
    TEXT_BUFFER text;
    int16_t *inner;
    int32_t *lines[2];
    int64_t **planes, *cells[2];
    WCHAR *letters;
    byte *octets[2];
};

static void *room(size_t size)
{
    void *made = calloc(1, size);
    assert_non_null(made);
    return made;
}

static void fill(struct values *v)
{
    memset(v, 0, sizeof(*v));
    v->inner = room(3 * sizeof(*v->inner));
    v->second = (SECOND){.n = 3, .inner = &v->inner};
    v->table = (TABLE){.rows = 2, .columns = 3, .table = v->lines};
    v->cube = (CUBE){.a = 2, .b = 2, .cube = &v->planes};
    v->planes = v->cells;
    v->letters = room(4 * sizeof(*v->letters));
    v->text = (TEXT_BUFFER){.n = 4, .text = &v->letters};
    ROWS *rows = room(offsetof(ROWS, rows) + 2 * sizeof(byte *));
    rows->n = 2;
    rows->m = 5;
    for (int i = 0; i < 2; i++) {
        v->lines[i] = room(3 * sizeof(int32_t));
        v->cells[i] = room(2 * sizeof(int64_t));
        v->octets[i] = rows->rows[i] = room(5);
        for (int j = 0; j < 3; j++)
            v->lines[i][j] = 10 * i + j;
        v->cells[i][1] = i + 7;
        rows->rows[i][4] = (byte)(i + 1);
    }
    v->inner[2] = -3;
    v->letters[0] = 'a';
    v->letters[1] = 'b';
    v->frame = (struct frame){NULL, &v->second, &v->table, &v->cube, &v->text, rows};
}

static void clear(struct values *v)
{
    for (int i = 0; i < 2; i++) {
        free(v->lines[i]);
        free(v->cells[i]);
        free(v->octets[i]);
    }
    free(v->inner);
    free(v->letters);
    free(v->frame.rows);
}

/* ---- Calls ---------------------------------------------------------------------------------- */

/* What the manager does with its copy. */
static void (*manage)(struct frame *frame);

static void change_values(struct frame *frame)
{
    assert_int_equal((*frame->second->inner)[2], -3);
    assert_int_equal(frame->table->table[1][2], 12);
    assert_int_equal((*frame->cube->cube)[1][1], 8);
    assert_int_equal((*frame->text->text)[1], 'b');
    assert_int_equal(frame->rows->rows[1][4], 2);
    (*frame->second->inner)[0] = 4;
    frame->table->table[0][1] = 99;
    (*frame->cube->cube)[0][0] = 55;
    (*frame->text->text)[2] = 'c';
    frame->rows->rows[0][0] = 66;
}

/* One element less than the client has: allowed. */
static void shrink(struct frame *frame)
{
    frame->second->n = 2;
}

/* The manager has made a larger array: the client has no room for it. */
static void grow(struct frame *frame)
{
    free(*frame->second->inner);
    *frame->second->inner = room(4 * sizeof(int16_t));
    frame->second->n = 4;
}

static void grow_rows(struct frame *frame)
{
    for (int i = 0; i < 2; i++) {
        free(frame->rows->rows[i]);
        frame->rows->rows[i] = room(6);
    }
    frame->rows->m = 6;
}

static RPC_STATUS call(bool ndr64, struct frame *frame)
{
    const NDR_OPERATION *op = operation();
    struct frame server = {0};
    struct ndr_writer wire;
    ndr_writer_init(&wire);
    wire.ndr64 = ndr64;
    RPC_STATUS status = ndr_encode_params(&wire, op, frame, NDR_PARAM_IN);
    if (status == RPC_S_OK) {
        struct ndr_reader reader = {.octets = wire.octets, .len = wire.len, .last = true,
                                    .little_endian = true, .ndr64 = ndr64};
        if (ndr_decode_params(&reader, op, &server, NDR_PARAM_IN, &memory) != NDR_DONE)
            status = reader.status;
    }
    if (status == RPC_S_OK) {
        manage(&server);
        ndr_writer_reset(&wire);
        status = ndr_encode_params(&wire, op, &server, NDR_PARAM_OUT);
        ndr_free_params(op, &server, &memory);
    }
    if (status == RPC_S_OK) {
        struct ndr_reader reader = {.octets = wire.octets, .len = wire.len, .last = true,
                                    .little_endian = true, .ndr64 = ndr64};
        if (ndr_decode_params(&reader, op, frame, NDR_PARAM_OUT, &memory) != NDR_DONE)
            status = reader.status;
    }
    ndr_writer_fini(&wire);
    return status;
}

/* ---- Tests ------------------------------------------------------------------------------------ */

static void a_a_reply_lands_where_the_program_has_its_values(void **state)
{
    (void)state;
    for (int ndr64 = 0; ndr64 < 2; ndr64++) {
        struct values v;
        fill(&v);
        long live = alloc_live;
        manage = change_values;
        assert_int_equal(call(ndr64, &v.frame), RPC_S_OK);
        assert_int_equal(alloc_live, live);
        assert_true(v.second.inner == &v.inner && v.inner[0] == 4 && v.inner[2] == -3);
        assert_true(v.lines[0][1] == 99 && v.lines[1][2] == 12);
        assert_true(v.cells[0][0] == 55 && v.cells[1][1] == 8);
        assert_true(v.letters[2] == 'c' && v.letters[3] == 0);
        assert_true(v.octets[0][0] == 66 && v.octets[1][4] == 2);
        manage = shrink;
        assert_int_equal(call(ndr64, &v.frame), RPC_S_OK);
        assert_int_equal(v.second.n, 2);
        clear(&v);
    }
}

static void b_a_reply_that_is_too_large_is_refused(void **state)
{
    static void (*const growing[])(struct frame *frame) = {grow, grow_rows};
    (void)state;
    for (int n = 0; n < 4; n++) {
        struct values v;
        fill(&v);
        long live = alloc_live;
        manage = growing[n / 2];
        assert_int_equal(call(n % 2, &v.frame), RPC_X_BAD_STUB_DATA);
        assert_int_equal(alloc_live, live);
        clear(&v);
    }
}

/* Typed in by the rules of C706 14.3: octets of the second structure level, all else NULL. */
static void b_replies_of_both_byte_orders(void **state)
{
    static const uint8_t little[] = {
        3, 0, 0, 0, 0, 0, 2, 0, 4, 0, 2, 0, 3, 0, 0, 0, 4, 0, 5, 0, 6, 0, 0, 0, /* second */
        2, 0, 3, 0, 0, 0, 0, 0,                                                 /* table */
        2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,                                     /* cube */
        4, 0, 0, 0, 0, 0, 0, 0,                                                 /* text */
        2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,             /* rows */
    };
    static const uint8_t big[] = {
        0, 0, 0, 3, 0, 2, 0, 0, 0, 2, 0, 4, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0,
        0, 2, 0, 3, 0, 0, 0, 0,
        0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0,
        4, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0,
    };
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct values v;
        fill(&v);
        struct frame frame = v.frame;
        struct ndr_reader reader = {.octets = n ? big : little, .len = sizeof(little),
                                    .last = true, .little_endian = n == 0};
        assert_int_equal(ndr_decode_params(&reader, operation(), &frame, NDR_PARAM_OUT, &memory),
                         NDR_DONE);
        assert_int_equal(reader.pos, sizeof(little));
        assert_true(v.second.inner == &v.inner && v.inner[0] == 4 && v.inner[2] == 6);
        /* NULL: what was there stays the program's to free */
        assert_true(!v.table.table && !v.cube.cube && !v.text.text && !v.frame.rows->rows[0]);
        assert_int_equal(v.cube.a, 2);
        clear(&v);
    }
}

/* [unique, size_is(16)]: no count could be 0, so NULL is no contradiction. */
static void b_null_beside_a_constant_size_is_taken(void **state)
{
    struct {
        handle_t h;
        byte *salt;
        KEY *key;
    } client, server;
    const NDR_OPERATION *op = operation() - 1;
    KEY key = {NULL};
    (void)state;
    for (int n = 0; n < 4; n++) {
        byte salt[16] = {[15] = 9};
        struct ndr_writer wire;
        memset(&client, 0, sizeof(client));
        memset(&server, 0, sizeof(server));
        client.salt = n / 2 ? salt : NULL;
        client.key = &key;
        ndr_writer_init(&wire);
        wire.ndr64 = n % 2;
        assert_int_equal(ndr_encode_params(&wire, op, &client, NDR_PARAM_IN), RPC_S_OK);
        struct ndr_reader reader = {.octets = wire.octets, .len = wire.len, .last = true,
                                    .little_endian = true, .ndr64 = n % 2};
        assert_int_equal(ndr_decode_params(&reader, op, &server, NDR_PARAM_IN, &memory), NDR_DONE);
        assert_true(n / 2 ? server.salt[15] == 9 : !server.salt);
        assert_null(server.key->key);
        ndr_free_params(op, &server, &memory);
        ndr_writer_fini(&wire);
    }
}

static void c_every_allocation_may_fail(void **state)
{
    (void)state;
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    manage = change_values;
    for (long n = 0; status != RPC_S_OK; n++) {
        struct values v;
        assert_true(n < 200);
        fill(&v);
        long live = alloc_live;
        alloc_fail_at(n);
        status = call(n % 2, &v.frame);
        alloc_fail_at(-1);
        assert_int_equal(alloc_live, live);
        assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
        clear(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_a_reply_lands_where_the_program_has_its_values),
        cmocka_unit_test(b_a_reply_that_is_too_large_is_refused),
        cmocka_unit_test(b_replies_of_both_byte_orders),
        cmocka_unit_test(b_null_beside_a_constant_size_is_taken),
        cmocka_unit_test(c_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
