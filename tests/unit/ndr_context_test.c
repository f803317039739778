/* SPDX-License-Identifier: MIT */
/* ndr_context_test.c - context handles on the wire: who is asked for the 20 octets, when
 * their owner hears of received ones, and what happens when it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/ndr.h"
#include "ndr_heap.h"
#include "ndr_samples.h"

/* typedef [context_handle] void *CTX;
 * void contexts([in] char mark, [in] CTX a, [in, out] CTX *b, [in, string] char *s,
 *               [out] CTX *c); */
struct contexts_frame {
    uint8_t mark;
    void *a;
    void **b;
    uint8_t *s;
    void **c;
};
static const NDR_CONTEXT ctx_context = {.name = "CTX"};
static const NDR_TYPE t_ctx = {
    .kind = NDR_KIND_CONTEXT, .size = sizeof(void *), .align = 4, .context = &ctx_context};
POINTER_TO(t_ctx_ref, t_ctx, NDR_TYPE_REF);
static const NDR_PARAM contexts_params[] = {
    PARAM(struct contexts_frame, mark, t_char, NDR_PARAM_IN),
    PARAM(struct contexts_frame, a, t_ctx, NDR_PARAM_IN),
    PARAM(struct contexts_frame, b, t_ctx_ref, NDR_PARAM_IN | NDR_PARAM_OUT),
    PARAM(struct contexts_frame, s, t_string_ref, NDR_PARAM_IN),
    PARAM(struct contexts_frame, c, t_ctx_ref, NDR_PARAM_OUT),
};
OPERATION(contexts_op, struct contexts_frame, contexts_params);

/* A registry of three handles: number n travels as attributes 0 and a UUID made of n. */
static char objects[3];
static unsigned asked, delivered;
static RPC_STATUS refusal;
static unsigned refuse_at;

static RPC_STATUS to_wire(void *arg, const NDR_TYPE *type, const void *slot,
                          uint8_t out[NDR_CONTEXT_LEN])
{
    const char *object;
    memcpy(&object, slot, sizeof(object));
    assert_ptr_equal(arg, objects);
    assert_ptr_equal(type->context, &ctx_context);
    asked++;
    memset(out, 0, NDR_CONTEXT_LEN);
    if (!object)
        return RPC_S_OK;
    GUID uuid = {.Data1 = 0x01020300u + (uint32_t)(object - objects), .Data2 = 0x0405, .Data3 = 6};
    uuid.Data4[7] = 0xff;
    memcpy(out + 4, &uuid, sizeof(uuid));
    return RPC_S_OK;
}

static RPC_STATUS from_wire(void *arg, const NDR_TYPE *type, const uint8_t in[NDR_CONTEXT_LEN],
                            void *slot)
{
    static const uint8_t null[NDR_CONTEXT_LEN];
    GUID uuid;
    char *object = NULL;
    assert_ptr_equal(arg, objects);
    assert_ptr_equal(type->context, &ctx_context);
    if (refusal != RPC_S_OK && delivered == refuse_at)
        return refusal;
    delivered++;
    memcpy(&uuid, in + 4, sizeof(uuid));
    if (memcmp(in, null, sizeof(null)) != 0) {
        if (uuid.Data2 != 0x0405 || uuid.Data3 != 6 || uuid.Data1 - 0x01020300u > 2)
            return RPC_X_SS_CONTEXT_MISMATCH;
        object = objects + (uuid.Data1 - 0x01020300u);
    }
    memcpy(slot, &object, sizeof(object));
    return RPC_S_OK;
}

static const struct ndr_context_hooks hooks = {
    .to_wire = to_wire, .from_wire = from_wire, .arg = objects};

/* mark | gap | a | b | "x" */
static const uint8_t request[] = {
    7, 0, 0, 0,                                                      /**/
    0, 0, 0, 0, 1, 3, 2, 1, 5, 4, 6, 0, 0,   0, 0, 0, 0, 0, 0, 0xff, /**/
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,   0, 0, 0, 0, 0, 0, 0,    /**/
    2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'x', 0,
};

static struct ndr_reader reader_of(const uint8_t *octets, size_t len)
{
    asked = delivered = 0;
    return (struct ndr_reader){.octets = octets,
                               .len = len,
                               .little_endian = true,
                               .last = true,
                               .reallocate = heap_reallocate,
                               .contexts = &hooks};
}

static void fill(struct contexts_frame *f)
{
    static void *b, *c;
    static uint8_t s[] = "x";
    b = NULL;
    c = objects + 2;
    *f = (struct contexts_frame){.mark = 7, .a = objects + 1, .b = &b, .s = s, .c = &c};
}

static void b_request(void **state)
{
    struct contexts_frame f;
    struct ndr_writer w;
    (void)state;
    fill(&f);
    asked = 0;
    ndr_writer_init(&w);
    w.contexts = &hooks;
    assert_int_equal(ndr_encode_params(&w, &contexts_op, &f, NDR_PARAM_IN), RPC_S_OK);
    assert_int_equal(w.len, sizeof(request));
    assert_memory_equal(w.octets, request, sizeof(request));
    assert_int_equal(asked, 2);
    ndr_writer_fini(&w);

    struct ndr_reader r = reader_of(request, sizeof(request));
    memset(&f, 0, sizeof(f));
    assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_ptr_equal(f.a, objects + 1);
    assert_null(*f.b);
    assert_int_equal(delivered, 2);
    assert_int_equal(ndr_prepare_out(&contexts_op, &f, &heap), RPC_S_OK);
    assert_null(*f.c);
    ndr_free_params(&contexts_op, &f, &heap);
    assert_int_equal(heap_live, 0);
}

/* The octets reach the hook in the host's order whatever the sender's is. */
static void b_big_endian_sender(void **state)
{
    uint8_t big[sizeof(request)] = {7};
    static const uint8_t a[] = {0, 0, 0, 0, 1, 2, 3, 1, 4, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0xff};
    static const uint8_t s[] = {0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 'x', 0};
    struct contexts_frame f = {0};
    (void)state;
    memcpy(big + 4, a, sizeof(a));
    memcpy(big + 44, s, sizeof(s));
    struct ndr_reader r = reader_of(big, sizeof(big));
    r.little_endian = false;
    /* 0x01020301 is object 1 only when read in the right order: Data1 ends in 01 */
    assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap), NDR_DONE);
    assert_ptr_equal(f.a, objects + 1);
    ndr_free_params(&contexts_op, &f, &heap);
}

/* A client's handles: [in,out] and [out] are set where the application has them. */
static void b_reply(void **state)
{
    uint8_t reply[40] = {0};
    void *b = objects, *c = (void *)(uintptr_t)0xdead;
    struct contexts_frame f = {.b = &b, .c = &c};
    (void)state;
    memcpy(reply + 20, request + 4, 20);
    struct ndr_reader r = reader_of(reply, sizeof(reply));
    assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_OUT, &heap), NDR_DONE);
    assert_null(b); /* closed by the server */
    assert_ptr_equal(c, objects + 1);
    assert_int_equal(heap_live, 0);
}

/* The owner hears of nothing until all has been decoded. */
static void c_every_prefix(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(request); n++) {
        uint8_t *prefix = malloc(n + 1);
        struct contexts_frame f = {0};
        memcpy(prefix, request, n);
        struct ndr_reader r = reader_of(prefix, n);
        r.last = false;
        assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap),
                         NDR_NEED_MORE);
        assert_in_range(r.need, n + 1, sizeof(request));
        assert_int_equal(delivered, 0);
        assert_int_equal(heap_live, 0);
        free(prefix);
    }
}

static void c_every_allocation_fails(void **state)
{
    enum ndr_verdict verdict = NDR_FAILED;
    struct contexts_frame f = {0};
    (void)state;
    for (long n = 0; verdict != NDR_DONE; n++) {
        struct ndr_reader r = reader_of(request, sizeof(request));
        heap_fail_at(n);
        verdict = ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap);
        heap_fail_at(-1);
        assert_int_equal(delivered, verdict == NDR_DONE ? 2 : 0);
        assert_true(verdict == NDR_DONE || (r.status == RPC_S_OUT_OF_MEMORY && heap_live == 0));
    }
    ndr_free_params(&contexts_op, &f, &heap);
}

static void b_refused(void **state)
{
    (void)state;
    for (refuse_at = 0; refuse_at < 2; refuse_at++) {
        struct contexts_frame f = {0};
        struct ndr_reader r = reader_of(request, sizeof(request));
        refusal = RPC_X_SS_CONTEXT_MISMATCH;
        assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap), NDR_FAILED);
        refusal = RPC_S_OK;
        assert_int_equal(r.status, RPC_X_SS_CONTEXT_MISMATCH);
        assert_int_equal(delivered, refuse_at);
        assert_int_equal(heap_live, 0);
        assert_null(f.a);
    }
}

static void b_without_hooks(void **state)
{
    struct contexts_frame f;
    struct ndr_writer w;
    (void)state;
    fill(&f);
    ndr_writer_init(&w);
    assert_int_equal(ndr_encode_params(&w, &contexts_op, &f, NDR_PARAM_IN), RPC_S_CANNOT_SUPPORT);
    assert_int_equal(w.len, 0);
    ndr_writer_fini(&w);
    struct ndr_reader r = reader_of(request, sizeof(request));
    r.contexts = NULL;
    memset(&f, 0, sizeof(f));
    assert_int_equal(ndr_decode_params(&r, &contexts_op, &f, NDR_PARAM_IN, &heap), NDR_FAILED);
    assert_int_equal(r.status, RPC_S_CANNOT_SUPPORT);
}

static void b_print(void **state)
{
    struct contexts_frame f;
    char text[100];
    (void)state;
    fill(&f);
    ndr_print_params(&contexts_op, &f, NDR_PARAM_IN, text, sizeof(text));
    assert_string_equal(text, "mark=7, a=context, b=NULL, s=\"x\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_request),       cmocka_unit_test(b_big_endian_sender),
        cmocka_unit_test(b_reply),         cmocka_unit_test(b_refused),
        cmocka_unit_test(b_without_hooks), cmocka_unit_test(b_print),
        cmocka_unit_test(c_every_prefix),  cmocka_unit_test(c_every_allocation_fails),
    };
    return cmocka_run_group_tests_name("ndr_context", tests, NULL, NULL);
}
