/* SPDX-License-Identifier: MIT */
/* ndr_vectors.h - what is done with parameters as octets: each vector is encoded, decoded,
 * cut at every octet, flipped in every bit, and starved of memory at every allocation.
 * The vectors are little-endian: encoding writes the host's order. */
#ifndef PENSTOCK_TESTS_NDR_VECTORS_H
#define PENSTOCK_TESTS_NDR_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <penstock/rpcnterr.h>

#include "ndr/ndr.h"
#include "ndr_fills.h"
#include "ndr_heap.h"
#include "ndr_samples.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct vector {
    const char *name;
    const NDR_OPERATION *operation;
    uint32_t direction;
    void (*fill)(union frames *frame); /* with static memory */
    uint64_t origin;
    const char *octets; /* hex */
    const char *big;    /* the same call from a big-endian sender, or NULL */
};

/* The test program's. */
extern const struct vector vectors[];
extern const size_t vector_count;
extern const bool vectors_are_ndr64; /* else NDR 2.0 */

/* Exact-size heap copy of a hex string, so that ASan sees every octet read too far. */
static inline uint8_t *octets_of(const char *hex, size_t *ret_len)
{
    uint8_t *octets = malloc(strlen(hex) / 2);
    size_t digits = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        unsigned digit = (unsigned)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
        octets[digits / 2] = (uint8_t)(digits % 2 ? octets[digits / 2] << 4 | digit : digit);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    *ret_len = digits / 2;
    octets = realloc(octets, *ret_len);
    return octets;
}

static inline uint8_t *copy_of(const uint8_t *octets, size_t len)
{
    uint8_t *copy = malloc(len);
    memcpy(copy, octets, len);
    return copy;
}

static inline struct ndr_reader reader_of(const struct vector *v, const uint8_t *octets, size_t len)
{
    return (struct ndr_reader){.octets = octets,
                               .len = len,
                               .origin = v->origin,
                               .little_endian = true,
                               .last = true,
                               .ndr64 = vectors_are_ndr64,
                               .reallocate = heap_reallocate};
}

/* A frame to decode into: a server's is zero, a client's has its [out] memory. */
static inline void receive_into(const struct vector *v, union frames *frame)
{
    memset(frame, 0, sizeof(*frame));
    if (v->direction == NDR_PARAM_OUT)
        v->fill(frame);
}

/* What the peer made us allocate.  On a client the application would free it. */
static inline void release(const struct vector *v, union frames *frame)
{
    if (v->direction == NDR_PARAM_IN)
        ndr_free_params(v->operation, frame, &heap);
    heap_free_all();
}

static inline void assert_zero(const union frames *frame)
{
    static const union frames zero;
    assert_memory_equal(frame, &zero, sizeof(zero));
}

/* Encodes again what was decoded and compares. */
static inline void assert_frame_encodes_to(const struct vector *v, const union frames *frame,
                                           const uint8_t *octets, size_t len)
{
    struct ndr_writer w;
    ndr_writer_init(&w);
    w.origin = v->origin;
    w.ndr64 = vectors_are_ndr64;
    assert_int_equal(ndr_encode_params(&w, v->operation, frame, v->direction), RPC_S_OK);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.octets, octets, len);
    ndr_writer_fini(&w);
}

/* ---- Tests ------------------------------------------------------------------------- */

static inline void b_encode(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        union frames frame;
        size_t len;
        uint8_t *want = octets_of(vectors[i].octets, &len);
        memset(&frame, 0, sizeof(frame));
        vectors[i].fill(&frame);
        print_message("# %s\n", vectors[i].name);
        assert_frame_encodes_to(&vectors[i], &frame, want, len);
        free(want);
    }
}

static inline void b_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        struct ndr_reader r = reader_of(v, octets, len);
        receive_into(v, &frame);
        print_message("# %s\n", v->name);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_int_equal(r.pos, len);
        assert_frame_encodes_to(v, &frame, octets, len);
        if (v->direction == NDR_PARAM_IN) {
            ndr_free_params(v->operation, &frame, &heap);
            assert_int_equal(heap_live, 0); /* everything was reachable */
        }
        heap_free_all();
        free(octets);
    }
}

static inline void b_decode_big_endian(void **state)
{
    size_t tried = 0;
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        if (!v->big)
            continue;
        union frames frame;
        size_t len, big_len;
        uint8_t *octets = octets_of(v->octets, &len), *big = octets_of(v->big, &big_len);
        struct ndr_reader r = reader_of(v, big, big_len);
        r.little_endian = false;
        receive_into(v, &frame);
        assert_int_equal(big_len, len);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_frame_encodes_to(v, &frame, octets, len);
        release(v, &frame);
        free(octets);
        free(big);
        tried++;
    }
    assert_true(tried > 0 || vectors_are_ndr64); /* NDR64 is little-endian */
}

/* Octets behind the parameters (pipe data) are none of our business, and `pos` says
 * where they begin. */
static inline void b_what_follows_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        uint8_t *more = malloc(len + 8);
        memcpy(more, octets, len);
        memset(more + len, 0xff, 8);
        struct ndr_reader r = reader_of(v, more, len + 8);
        r.last = false;
        receive_into(v, &frame);
        assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                         NDR_DONE);
        assert_int_equal(r.pos, len);
        release(v, &frame);
        free(octets);
        free(more);
    }
}

/* Each prefix asks for more octets than it has and never for more than the whole. */
static inline void c_every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (size_t n = 0; n < len; n++) {
            uint8_t *prefix = copy_of(octets, n);
            union frames frame;
            struct ndr_reader r = reader_of(v, prefix, n);
            receive_into(v, &frame);
            r.last = false;
            assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                             NDR_NEED_MORE);
            assert_int_equal(r.pos, 0);
            assert_in_range(r.need, n + 1, len);
            assert_int_equal(heap_live, 0);
            if (v->direction == NDR_PARAM_IN)
                assert_zero(&frame);
            r.last = true;
            receive_into(v, &frame);
            assert_int_equal(ndr_decode_params(&r, v->operation, &frame, v->direction, &heap),
                             NDR_FAILED);
            assert_int_equal(r.status, RPC_X_BAD_STUB_DATA);
            assert_int_equal(heap_live, 0);
            free(prefix);
        }
        free(octets);
    }
}

/* Any single wrong bit: some verdict, no overrun, and what is accepted can be sent on
 * and freed; what is not leaves nothing behind. */
static inline void c_every_bit_flipped(void **state)
{
    size_t accepted = 0, refused = 0;
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            union frames frame;
            uint8_t *flipped = copy_of(octets, len);
            flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct ndr_reader r = reader_of(v, flipped, len);
            receive_into(v, &frame);
            if (ndr_decode_params(&r, v->operation, &frame, v->direction, &heap) == NDR_DONE) {
                struct ndr_writer w;
                ndr_writer_init(&w);
                w.ndr64 = vectors_are_ndr64;
                assert_int_equal(ndr_encode_params(&w, v->operation, &frame, v->direction),
                                 RPC_S_OK);
                ndr_writer_fini(&w);
                accepted++;
            } else {
                assert_int_equal(heap_live, 0);
                if (v->direction == NDR_PARAM_IN)
                    assert_zero(&frame);
                refused++;
            }
            release(v, &frame);
            free(flipped);
        }
        free(octets);
    }
    assert_true(accepted > 100 && refused > 100);
}

/* Fails the n-th allocation, program's and scratch together, until all succeed. */
static inline void c_every_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *v = &vectors[i];
        union frames frame;
        enum ndr_verdict verdict = NDR_FAILED;
        size_t len;
        uint8_t *octets = octets_of(v->octets, &len);
        for (long n = 0; verdict != NDR_DONE; n++) {
            struct ndr_reader r = reader_of(v, octets, len);
            receive_into(v, &frame);
            heap_fail_at(n);
            verdict = ndr_decode_params(&r, v->operation, &frame, v->direction, &heap);
            if (verdict == NDR_DONE)
                break;
            assert_int_equal(r.status, RPC_S_OUT_OF_MEMORY);
            assert_int_equal(heap_live, 0);
            if (v->direction == NDR_PARAM_IN)
                assert_zero(&frame);
            assert_in_range(n, 0, 1000);
        }
        heap_fail_at(-1);
        release(v, &frame);
        for (long n = 0;; n++) {
            struct ndr_writer w;
            ndr_writer_init(&w);
            w.reallocate = heap_reallocate;
            w.origin = v->origin;
            w.ndr64 = vectors_are_ndr64;
            v->fill(&frame);
            heap_fail_at(n);
            RPC_STATUS status = ndr_encode_params(&w, v->operation, &frame, v->direction);
            heap_fail_at(-1);
            assert_true(status == RPC_S_OK || (status == RPC_S_OUT_OF_MEMORY && w.len == 0));
            ndr_writer_fini(&w);
            if (status == RPC_S_OK)
                break;
        }
        free(octets);
    }
}

#define VECTOR_TESTS                                                                               \
    cmocka_unit_test(b_encode), cmocka_unit_test(b_decode), cmocka_unit_test(b_decode_big_endian), \
        cmocka_unit_test(b_what_follows_is_left), cmocka_unit_test(c_every_prefix),                \
        cmocka_unit_test(c_every_bit_flipped), cmocka_unit_test(c_every_allocation_fails)

#endif
