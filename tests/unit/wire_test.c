/* SPDX-License-Identifier: MIT */
/* wire_test.c - bounded readers and writers of octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"
#include "wire/wire.h"

static const uint8_t sample[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10};

static void a_integers_follow_the_byte_order(void **state)
{
    (void)state;
    struct wire_reader r;
    wire_reader_init(&r, sample, 15, true);
    assert_int_equal(wire_u8(&r), 0x01);
    assert_int_equal(wire_u16(&r), 0x0302);
    assert_int_equal(wire_u32(&r), 0x07060504);
    assert_true(wire_u64(&r) == 0x0f0e0d0c0b0a0908u);
    assert_int_equal(wire_left(&r), 0);
    assert_false(r.failed);

    wire_reader_init(&r, sample, 15, false);
    assert_int_equal(wire_u8(&r), 0x01);
    assert_int_equal(wire_u16(&r), 0x0203);
    assert_int_equal(wire_u32(&r), 0x04050607);
    assert_true(wire_u64(&r) == 0x08090a0b0c0d0e0fu);
    assert_false(r.failed);
}

static void a_guid_in_both_orders(void **state)
{
    (void)state;
    struct wire_reader r;
    wire_reader_init(&r, sample, sizeof(sample), false);
    GUID big = wire_guid(&r);
    assert_int_equal(big.Data1, 0x01020304);
    assert_int_equal(big.Data2, 0x0506);
    assert_int_equal(big.Data3, 0x0708);
    assert_memory_equal(big.Data4, sample + 8, 8);

    wire_reader_init(&r, sample, sizeof(sample), true);
    GUID little = wire_guid(&r);
    assert_int_equal(little.Data1, 0x04030201);
    assert_int_equal(little.Data2, 0x0605);
    assert_int_equal(little.Data3, 0x0807);
    assert_memory_equal(little.Data4, sample + 8, 8);

    uint8_t out[16];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof(out));
    wire_put_guid(&w, &little);
    assert_false(w.failed);
    assert_memory_equal(out, sample, 16);
}

static void b_failure_latches(void **state)
{
    (void)state;
    for (size_t len = 0; len < 4; len++) {
        uint8_t *copy = exact_copy(sample, len);
        struct wire_reader r;
        wire_reader_init(&r, copy, len, true);
        assert_int_equal(wire_u32(&r), 0);
        assert_true(r.failed);
        /* Octets too few for the integer are not handed out piecemeal. */
        assert_int_equal(wire_u8(&r), 0);
        assert_int_equal(wire_left(&r), 0);
        assert_null(wire_take(&r, 0));
        free(copy);
    }
}

static void b_bytes_that_are_not_there_read_as_zeros(void **state)
{
    (void)state;
    uint8_t out[4] = {9, 9, 9, 9};
    struct wire_reader r;
    wire_reader_init(&r, sample, 3, true);
    wire_bytes(&r, out, sizeof(out));
    assert_true(r.failed);
    assert_memory_equal(out, "\0\0\0\0", 4);
}

static void b_take_refuses_huge_lengths(void **state)
{
    (void)state;
    struct wire_reader r;
    wire_reader_init(&r, sample, sizeof(sample), true);
    wire_u8(&r);
    assert_ptr_equal(wire_take(&r, 2), sample + 1);
    assert_null(wire_take(&r, SIZE_MAX));
    assert_true(r.failed);
}

static void b_reading_nothing_from_nowhere(void **state)
{
    (void)state;
    struct wire_reader r;
    wire_reader_init(&r, NULL, 0, true);
    assert_int_equal(wire_left(&r), 0);
    wire_bytes(&r, NULL, 0);
    wire_align(&r, 8);
    assert_false(r.failed);
    assert_int_equal(wire_u8(&r), 0);
    assert_true(r.failed);
}

static void b_align_counts_from_the_start(void **state)
{
    (void)state;
    for (size_t offset = 0; offset <= 8; offset++) {
        for (size_t align = 1; align <= 8; align *= 2) {
            size_t want = (offset + align - 1) / align * align;
            struct wire_reader r;
            wire_reader_init(&r, sample, sizeof(sample), true);
            wire_take(&r, offset);
            wire_align(&r, align);
            assert_int_equal(wire_offset(&r), want);

            uint8_t out[16];
            memset(out, 0xee, sizeof(out));
            struct wire_writer w;
            wire_writer_init(&w, out, sizeof(out));
            wire_put_bytes(&w, sample, offset);
            wire_put_align(&w, align);
            assert_int_equal(w.len, want);
            for (size_t i = offset; i < want; i++)
                assert_int_equal(out[i], 0);
            assert_int_equal(out[want], 0xee);
        }
    }
}

static void a_writer_has_the_order_of_the_host(void **state)
{
    (void)state;
    if (!WIRE_HOST_LITTLE_ENDIAN)
        skip(); /* the sample is little-endian */
    uint8_t out[15];
    struct wire_writer w;
    wire_writer_init(&w, out, sizeof(out));
    wire_put_u8(&w, 0x01);
    wire_put_u16(&w, 0x0302);
    wire_put_u32(&w, 0x07060504);
    wire_put_u64(&w, 0x0f0e0d0c0b0a0908u);
    assert_false(w.failed);
    assert_int_equal(w.len, 15);
    assert_memory_equal(out, sample, 15);
    wire_patch_u16(&w, 13, 0xabcd);
    assert_int_equal(out[13], 0xcd);
    assert_int_equal(out[14], 0xab);
}

static void b_writer_latches_and_keeps_its_bounds(void **state)
{
    (void)state;
    uint8_t *out = exact_copy(sample, 3);
    struct wire_writer w;
    wire_writer_init(&w, out, 3);
    wire_put_u16(&w, 0xffff);
    wire_put_u16(&w, 0xffff);
    assert_true(w.failed);
    wire_put_u8(&w, 0xff); /* would fit, but the item before it is missing */
    assert_int_equal(w.len, 2);
    assert_int_equal(out[2], sample[2]);
    wire_patch_u16(&w, 0, 0);
    assert_int_equal(out[0], 0xff); /* a failed writer writes nothing */
    free(out);
}

static void b_writer_of_nothing(void **state)
{
    (void)state;
    struct wire_writer w;
    wire_writer_init(&w, NULL, 0);
    wire_put_bytes(&w, NULL, 0);
    wire_put_zeros(&w, 0);
    wire_put_align(&w, 8);
    assert_false(w.failed);
    wire_put_u8(&w, 1);
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_integers_follow_the_byte_order),
        cmocka_unit_test(a_guid_in_both_orders),
        cmocka_unit_test(a_writer_has_the_order_of_the_host),
        cmocka_unit_test(b_failure_latches),
        cmocka_unit_test(b_bytes_that_are_not_there_read_as_zeros),
        cmocka_unit_test(b_take_refuses_huge_lengths),
        cmocka_unit_test(b_reading_nothing_from_nowhere),
        cmocka_unit_test(b_align_counts_from_the_start),
        cmocka_unit_test(b_writer_latches_and_keeps_its_bounds),
        cmocka_unit_test(b_writer_of_nothing),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
