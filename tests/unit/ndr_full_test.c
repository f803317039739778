/* SPDX-License-Identifier: MIT */
/* ndr_full_test.c - full pointers across a call: a reply names the objects of its request
 * (C706 14.3.12), and nothing in a reply reaches other memory than these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/alias.h"
#include "ndr/ndr.h"
#include "ndr_heap.h"
#include "ndr_samples.h"

/* typedef struct { long value; unsigned long n; [ptr, size_is(n)] hyper *v;
 *                  [ptr, string] char *text; } THING;
 * typedef struct { [ptr] THING *a, *b; } PAIR;
 * void full([in, out] PAIR *pair, [in, ptr] THING *only, [out] PAIR *found); */
struct thing {
    int32_t value;
    uint32_t n;
    int64_t *v;
    char *text;
};
struct things {
    struct thing *a, *b;
};
struct full_frame {
    struct things *pair;
    struct thing *only;
    struct things *found;
};

LOAD_OF(thing_n, struct thing, n, NDR_KIND_UINT32);
ARRAY_SIZED(t_thing_v, t_hyper, thing_n);
POINTER_TO(t_thing_v_full, t_thing_v, NDR_TYPE_FULL);
static const NDR_FIELD thing_fields[] = {
    FIELD(struct thing, value, t_long),
    FIELD(struct thing, n, t_ulong),
    FIELD(struct thing, v, t_thing_v_full),
    FIELD(struct thing, text, t_string_full),
};
STRUCT_OF(t_thing, struct thing, 4, thing_fields);
POINTER_TO(t_thing_full, t_thing, NDR_TYPE_FULL);
static const NDR_FIELD things_fields[] = {
    FIELD(struct things, a, t_thing_full),
    FIELD(struct things, b, t_thing_full),
};
STRUCT_OF(t_things, struct things, 4, things_fields);
POINTER_TO(t_things_ref, t_things, NDR_TYPE_REF);
static const NDR_PARAM full_params[] = {
    PARAM(struct full_frame, pair, t_things_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct full_frame, only, t_thing_full, NDR_PARAM_IN),
    PARAM(struct full_frame, found, t_things_ref, NDR_PARAM_OUT),
};
OPERATION(full_op, struct full_frame, full_params);

/* ---- One call ---------------------------------------------------------------------------- */

/* Each object in a block of its own, so that the sanitizer sees what is written beside it. */
struct client {
    struct full_frame frame;
    struct things pair, found;
    struct thing *a, *b, *only;
    int64_t *v;
    char *text, *constant;
    struct ndr_full_pointers full;
};

static void *copy_of(const void *value, size_t size)
{
    void *copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, value, size);
}

static void client_begin(struct client *client)
{
    static const int64_t numbers[3] = {1, 2, 3};
    memset(client, 0, sizeof(*client));
    client->v = copy_of(numbers, sizeof(numbers));
    client->text = copy_of("text", 5);
    client->constant = copy_of("const", 6);
    client->a = copy_of(&(struct thing){1, 3, client->v, client->text}, sizeof(struct thing));
    client->b = copy_of(&(struct thing){.value = 2, .text = client->text}, sizeof(struct thing));
    client->only = copy_of(&(struct thing){.value = 3, .text = client->constant},
                           sizeof(struct thing));
    client->pair = (struct things){client->a, client->b};
    memset(&client->found, 0x5a, sizeof(client->found));
    client->frame = (struct full_frame){&client->pair, client->only, &client->found};
    ndr_full_pointers_init(&client->full, heap_reallocate);
}

static void client_end(struct client *client)
{
    ndr_full_pointers_fini(&client->full);
    free(client->v);
    free(client->text);
    free(client->constant);
    free(client->a);
    free(client->b);
    free(client->only);
}

static RPC_STATUS request(struct client *client, bool ndr64, struct ndr_writer *w)
{
    ndr_writer_reset(w);
    ndr_full_pointers_reset(&client->full);
    w->ndr64 = ndr64;
    w->reallocate = heap_reallocate;
    w->full = &client->full;
    return ndr_encode_params(w, &full_op, &client->frame, NDR_PARAM_IN);
}

/* A reader of what `w` wrote. */
static struct ndr_reader reader_of(const struct ndr_writer *w, struct ndr_full_pointers *full)
{
    return (struct ndr_reader){.octets = w->octets,
                               .len = w->len,
                               .little_endian = true,
                               .last = true,
                               .ndr64 = w->ndr64,
                               .reallocate = heap_reallocate,
                               .full = full};
}

/* The manager: a and b change places, b gets an array, the text is shorter, `found` has
 * `only`, as the client's is not to be written, and a new thing. */
static void manage(struct full_frame *frame)
{
    struct things *pair = frame->pair;
    struct thing *a = pair->a, *fresh = heap_allocate(sizeof(*fresh));
    a->value = 10;
    a->v[1] = 20;
    pair->b->value = 20;
    pair->b->v = heap_allocate(sizeof(int64_t));
    pair->b->v[0] = 7;
    pair->b->n = 1;
    strcpy(a->text, "t");
    pair->a = pair->b;
    pair->b = a;
    *fresh = (struct thing){.value = 30, .text = a->text};
    *frame->found = (struct things){frame->only, fresh};
}

/* From the request in `w` to the reply in it. */
static RPC_STATUS serve(struct ndr_writer *w)
{
    struct full_frame frame = {0};
    struct ndr_full_pointers full;
    ndr_full_pointers_init(&full, heap_reallocate);
    struct ndr_reader r = reader_of(w, &full);
    enum ndr_verdict verdict = ndr_decode_params(&r, &full_op, &frame, NDR_PARAM_IN, &heap);
    RPC_STATUS status = verdict == NDR_DONE ? RPC_S_OK : r.status;
    if (status == RPC_S_OK)
        status = ndr_prepare_out(&full_op, &frame, &heap);
    if (status == RPC_S_OK) {
        long countdown = heap_countdown;
        heap_countdown = -1; /* the manager's own are not tested */
        manage(&frame);
        heap_countdown = countdown;
        ndr_writer_reset(w);
        w->full = &full;
        status = ndr_encode_params(w, &full_op, &frame, NDR_PARAM_OUT);
        w->full = NULL;
    }
    ndr_free_params(&full_op, &frame, &heap);
    ndr_full_pointers_fini(&full);
    assert_int_equal(heap_live, 0);
    return status;
}

static void b_own_objects_come_back(void **state)
{
    (void)state;
    for (int ndr64 = 0; ndr64 <= 1; ndr64++) {
        struct client client;
        struct ndr_writer w;
        client_begin(&client);
        ndr_writer_init(&w);
        assert_int_equal(request(&client, ndr64, &w), RPC_S_OK);
        assert_int_equal(serve(&w), RPC_S_OK);
        struct ndr_reader r = reader_of(&w, &client.full);
        assert_int_equal(ndr_decode_params(&r, &full_op, &client.frame, NDR_PARAM_OUT, &heap),
                         NDR_DONE);
        assert_ptr_equal(client.pair.a, client.b);
        assert_ptr_equal(client.pair.b, client.a);
        assert_ptr_equal(client.a->v, client.v);
        assert_int_equal(client.v[1], 20);
        assert_int_equal(client.a->value, 10);
        assert_int_equal(client.b->value, 20);
        assert_int_equal(client.b->v[0], 7);
        assert_ptr_equal(client.a->text, client.text);
        assert_ptr_equal(client.b->text, client.text);
        assert_string_equal(client.text, "t");
        /* Only [in]: the reply brings a copy. */
        assert_ptr_not_equal(client.found.a, client.only);
        assert_int_equal(client.found.a->value, 3);
        assert_ptr_not_equal(client.found.a->text, client.constant);
        assert_ptr_equal(client.found.b->text, client.text);
        assert_int_equal(client.found.b->value, 30);
        assert_int_equal(heap_live, 4); /* b->v, found->a and its text, found->b */
        heap_free_all();
        ndr_writer_fini(&w);
        client_end(&client);
    }
}

/* ---- Octets by hand ------------------------------------------------------------------------ */

/* C706 leaves the numbers to the sender; ours go up in the order of the octets: a, b, and
 * behind them a->v and a->text. */
static const uint8_t own_reply[] = {
    /* pair: a is what was b, b what was a */
    0x04, 0, 2, 0, 0x00, 0, 2, 0,
    /* what was b: value, n, v NULL, text NULL */
    0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* what was a: its v has 3 elements, its text is the old one */
    9, 0, 0, 0, 3, 0, 0, 0, 0x08, 0, 2, 0, 0x0c, 0, 2, 0,
    3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
    5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
    2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'x', 0, 0, 0,
    /* found: a again, and a referent the request did not have */
    0x00, 0, 2, 0, 0x44, 0x33, 0x22, 0x11,
    4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static void b_octets_of_a_reply(void **state)
{
    struct client client;
    struct ndr_writer w;
    (void)state;
    client_begin(&client);
    ndr_writer_init(&w);
    assert_int_equal(request(&client, false, &w), RPC_S_OK);
    static const uint8_t a_and_b[] = {0x00, 0, 2, 0, 0x04, 0, 2, 0};
    assert_memory_equal(w.octets, a_and_b, sizeof(a_and_b));
    struct ndr_reader r = reader_of(&w, &client.full);
    r.octets = own_reply;
    r.len = sizeof(own_reply);
    assert_int_equal(ndr_decode_params(&r, &full_op, &client.frame, NDR_PARAM_OUT, &heap),
                     NDR_DONE);
    assert_int_equal(r.pos, sizeof(own_reply));
    assert_ptr_equal(client.pair.a, client.b);
    assert_ptr_equal(client.pair.b, client.a);
    assert_true(client.b->value == -2 && !client.b->text);
    assert_true(client.a->value == 9 && client.a->v == client.v && client.v[2] == 6);
    assert_string_equal(client.text, "x");
    assert_ptr_equal(client.found.a, client.a);
    assert_int_equal(client.found.b->value, 4);
    assert_int_equal(heap_live, 1);
    heap_free_all();
    ndr_writer_fini(&w);
    client_end(&client);
}

/* ---- Wrong replies --------------------------------------------------------------------------- */

/* Decodes `reply` for a fresh client: its links are as before, or good. */
static enum ndr_verdict receive(const struct ndr_writer *reply, const uint8_t *octets, size_t len)
{
    struct client client;
    struct ndr_writer w;
    client_begin(&client);
    ndr_writer_init(&w);
    assert_int_equal(request(&client, reply->ndr64, &w), RPC_S_OK);
    struct ndr_reader r = reader_of(reply, &client.full);
    r.octets = octets;
    r.len = len;
    r.allocated_max = 1u << 20;
    enum ndr_verdict verdict =
        ndr_decode_params(&r, &full_op, &client.frame, NDR_PARAM_OUT, &heap);
    if (verdict != NDR_DONE) {
        assert_int_equal(heap_live, 0);
        assert_true(client.pair.a == client.a && client.pair.b == client.b);
        assert_true(client.a->v == client.v && client.a->text == client.text);
        assert_true(!client.b->v && client.b->text == client.text);
    }
    assert_true(client.only->value == 3 && client.only->text == client.constant);
    assert_string_equal(client.constant, "const");
    heap_free_all();
    ndr_writer_fini(&w);
    client_end(&client);
    return verdict;
}

static void c_damaged_replies(void **state)
{
    (void)state;
    for (int ndr64 = 0; ndr64 <= 1; ndr64++) {
        struct client client;
        struct ndr_writer w;
        client_begin(&client);
        ndr_writer_init(&w);
        assert_int_equal(request(&client, ndr64, &w), RPC_S_OK);
        assert_int_equal(serve(&w), RPC_S_OK);
        assert_int_equal(receive(&w, w.octets, w.len), NDR_DONE);
        for (size_t len = 0; len < w.len; len++) {
            uint8_t *octets = copy_of(w.octets, len);
            assert_int_equal(receive(&w, octets, len), NDR_FAILED);
            free(octets);
        }
        size_t done = 0;
        for (size_t bit = 0; bit < 8 * w.len; bit++) {
            uint8_t *octets = copy_of(w.octets, w.len);
            octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            done += receive(&w, octets, w.len) == NDR_DONE;
            free(octets);
        }
        assert_in_range(done, 1, 8 * w.len - 1);
        ndr_writer_fini(&w);
        client_end(&client);
    }
}

/* Every referent of the reply is replaced by every other of the call. */
static void c_exchanged_referents(void **state)
{
    (void)state;
    struct client client;
    struct ndr_writer w;
    client_begin(&client);
    ndr_writer_init(&w);
    assert_int_equal(request(&client, false, &w), RPC_S_OK);
    assert_int_equal(serve(&w), RPC_S_OK);
    size_t done = 0, failed = 0;
    for (size_t at = 0; at + 4 <= w.len; at += 4) {
        if (w.octets[at + 2] != 2 || w.octets[at + 3] != 0)
            continue;
        uint8_t was = w.octets[at];
        for (uint8_t other = 0; other < 0x30; other += 4) {
            w.octets[at] = other;
            if (receive(&w, w.octets, w.len) == NDR_DONE)
                done++;
            else
                failed++;
        }
        w.octets[at] = was;
    }
    assert_true(done > 10 && failed > 10);
    ndr_writer_fini(&w);
    client_end(&client);
}

/* ---- Memory ----------------------------------------------------------------------------------- */

static void c_nth_allocation_fails(void **state)
{
    (void)state;
    struct client client;
    struct ndr_writer w;
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    client_begin(&client);
    ndr_writer_init(&w);
    for (long n = 0; status != RPC_S_OK; n++) {
        heap_fail_at(n);
        status = request(&client, false, &w);
        heap_fail_at(-1);
        assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
        assert_in_range(n, 0, 100);
    }
    size_t len = w.len;
    uint8_t *sent = copy_of(w.octets, len);
    status = RPC_S_OUT_OF_MEMORY;
    for (long n = 0; status != RPC_S_OK; n++) {
        memcpy(w.octets, sent, len);
        w.len = len;
        w.status = RPC_S_OK;
        heap_fail_at(n);
        status = serve(&w);
        heap_fail_at(-1);
        assert_true(status == RPC_S_OK || status == RPC_S_OUT_OF_MEMORY);
        assert_in_range(n, 0, 100);
    }
    free(sent);
    enum ndr_verdict verdict = NDR_FAILED;
    for (long n = 0; verdict != NDR_DONE; n++) {
        struct ndr_reader r = reader_of(&w, &client.full);
        heap_fail_at(n);
        verdict = ndr_decode_params(&r, &full_op, &client.frame, NDR_PARAM_OUT, &heap);
        heap_fail_at(-1);
        if (verdict != NDR_DONE) {
            assert_int_equal(r.status, RPC_S_OUT_OF_MEMORY);
            assert_int_equal(heap_live, 0);
            assert_true(client.pair.a == client.a && client.pair.b == client.b);
            client_end(&client); /* its octets may have changed */
            client_begin(&client);
            struct ndr_writer again;
            ndr_writer_init(&again);
            assert_int_equal(request(&client, false, &again), RPC_S_OK);
            ndr_writer_fini(&again);
        }
        assert_in_range(n, 0, 200);
    }
    heap_free_all();
    ndr_writer_fini(&w);
    client_end(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_own_objects_come_back),
        cmocka_unit_test(b_octets_of_a_reply),
        cmocka_unit_test(c_damaged_replies),
        cmocka_unit_test(c_exchanged_referents),
        cmocka_unit_test(c_nth_allocation_fails),
    };
    return cmocka_run_group_tests_name("ndr_full", tests, NULL, NULL);
}
