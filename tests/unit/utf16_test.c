/* SPDX-License-Identifier: MIT */
/* utf16_test.c - UTF-8 <-> UTF-16: every character, every malformed shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf16.h"

/* Both wrappers work on exactly sized heap blocks for the address sanitizer. */
static ssize_t to16(const char *src, size_t len, char16_t *dst, size_t dst_len,
                    enum utf_policy policy)
{
    char *in = malloc(len + 1);
    char16_t *out = malloc(dst_len * sizeof(*out) + 1);
    assert_true(in && out);
    memcpy(in + 1, src, len); /* ends where the block ends */
    ssize_t n = utf16_from_utf8(in + 1, len, out, dst_len, policy);
    if (n > 0 && dst)
        memcpy(dst, out, ((size_t)n < dst_len ? (size_t)n : dst_len) * sizeof(*out));
    free(in);
    free(out);
    return n;
}

static ssize_t to8(const char16_t *src, size_t len, char *dst, size_t dst_len,
                   enum utf_policy policy)
{
    char16_t *in = malloc(len * sizeof(*in) + 1);
    char *out = malloc(dst_len + 1);
    assert_true(in && out);
    if (len > 0)
        memcpy(in, src, len * sizeof(*in));
    ssize_t n = utf16_to_utf8(in, len, out, dst_len, policy);
    if (n > 0 && dst)
        memcpy(dst, out, (size_t)n < dst_len ? (size_t)n : dst_len);
    free(in);
    free(out);
    return n;
}

static void a_samples(void **state)
{
    (void)state;
    char16_t units[16];
    assert_int_equal(to16("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10, units, 16, UTF_STRICT), 5);
    static const char16_t expected[] = {'a', 0xe4, 0x20ac, 0xd83d, 0xde00};
    assert_memory_equal(units, expected, sizeof(expected));
    char octets[16];
    assert_int_equal(to8(expected, 5, octets, 16, UTF_STRICT), 10);
    assert_memory_equal(octets, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10);
    assert_int_equal(to16("", 0, units, 16, UTF_STRICT), 0);
    assert_int_equal(to16("x\0y", 3, units, 16, UTF_STRICT), 3); /* NUL is a character */
    assert_int_equal(utf16_from_utf8("abc", 3, NULL, 0, UTF_STRICT), 3);
    assert_int_equal(utf16_to_utf8(expected, 5, NULL, 0, UTF_STRICT), 10);
}

/* An encoder apart from the one under test: all scalar values there and back. */
static void c_every_scalar_value(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        char octets[4];
        size_t len = 0;
        if (code < 0x80) {
            octets[len++] = (char)code;
        } else if (code < 0x800) {
            octets[len++] = (char)(0xc0 + code / 64);
        } else if (code < 0x10000) {
            octets[len++] = (char)(0xe0 + code / 4096);
            octets[len++] = (char)(0x80 + code / 64 % 64);
        } else {
            octets[len++] = (char)(0xf0 + code / 262144);
            octets[len++] = (char)(0x80 + code / 4096 % 64);
            octets[len++] = (char)(0x80 + code / 64 % 64);
        }
        if (code >= 0x80)
            octets[len++] = (char)(0x80 + code % 64);

        char16_t units[2];
        ssize_t n = utf16_from_utf8(octets, len, units, 2, UTF_STRICT);
        assert_int_equal(n, code < 0x10000 ? 1 : 2);
        uint32_t back =
            n == 1 ? units[0] : 0x10000 + (units[0] - 0xd800u) * 0x400 + (units[1] - 0xdc00u);
        assert_int_equal(back, code);
        char again[4];
        assert_int_equal(utf16_to_utf8(units, (size_t)n, again, 4, UTF_STRICT), len);
        assert_memory_equal(again, octets, len);
    }
}

static void b_malformed_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        size_t len;
        ssize_t replaced; /* units with UTF_REPLACE (Unicode 3.9, best practice) */
    } rows[] = {
        {"\x80", 1, 1},             /* continuation alone             */
        {"\xff", 1, 1},             /* never valid                    */
        {"\xc0\xaf", 2, 2},         /* overlong slash                 */
        {"\xc1\xbf", 2, 2},         /* overlong                       */
        {"\xe0\x80\xaf", 3, 3},     /* overlong                       */
        {"\xf0\x80\x80\xaf", 4, 4}, /* overlong                       */
        {"\xed\xa0\x80", 3, 3},     /* surrogate D800                 */
        {"\xed\xbf\xbf", 3, 3},     /* surrogate DFFF                 */
        {"\xf4\x90\x80\x80", 4, 4}, /* U+110000                       */
        {"\xf5\x80\x80\x80", 4, 4}, /* above                          */
        {"\xc3", 1, 1},             /* cut after 1 of 2               */
        {"\xe2\x82", 2, 1},         /* cut after 2 of 3: one piece    */
        {"\xf0\x9f\x98", 3, 1},     /* cut after 3 of 4: one piece    */
        {"\xe2\x82z", 3, 2},        /* interrupted, z survives        */
        {"\xf0\x9fzz", 4, 3},       /* interrupted                    */
        {"a\xffz", 3, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char16_t units[8];
        assert_int_equal(to16(rows[i].octets, rows[i].len, units, 8, UTF_STRICT), -1);
        assert_int_equal(to16(rows[i].octets, rows[i].len, units, 8, UTF_REPLACE),
                         rows[i].replaced);
        bool replaced = false;
        for (ssize_t k = 0; k < rows[i].replaced; k++)
            replaced |= units[k] == 0xfffd;
        assert_true(replaced);
    }
}

static void b_malformed_utf16(void **state)
{
    (void)state;
    static const struct {
        char16_t units[3];
        size_t len;
        const char *replaced;
    } rows[] = {
        {{0xd800}, 1, "\xef\xbf\xbd"},
        {{0xdc00}, 1, "\xef\xbf\xbd"},
        {{0xdbff, 'x'}, 2, "\xef\xbf\xbdx"},
        {{0xd800, 0xd800, 0xdc00}, 3, "\xef\xbf\xbd\xf0\x90\x80\x80"},
        {{0xdc00, 0xd800}, 2, "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char octets[16];
        assert_int_equal(to8(rows[i].units, rows[i].len, octets, 16, UTF_STRICT), -1);
        ssize_t n = to8(rows[i].units, rows[i].len, octets, 16, UTF_REPLACE);
        assert_int_equal(n, strlen(rows[i].replaced));
        assert_memory_equal(octets, rows[i].replaced, (size_t)n);
    }
}

/* Every room from none to enough: the length needed is always told, whole characters
 * only are written, nothing behind the room is touched (sanitizer). */
static void c_every_room(void **state)
{
    (void)state;
    static const char octets[] = "a\xf0\x9f\x98\x80\xe2\x82\xac z";
    static const char16_t units[] = {'a', 0xd83d, 0xde00, 0x20ac, ' ', 'z'};
    for (size_t room = 0; room <= 6; room++) {
        char16_t out[6] = {0};
        assert_int_equal(to16(octets, 10, out, room, UTF_STRICT), 6);
        size_t whole = room == 2 ? 1 : room;
        assert_memory_equal(out, units, whole * sizeof(units[0]));
    }
    for (size_t room = 0; room <= 10; room++) {
        char out[10] = {0};
        assert_int_equal(to8(units, 6, out, room, UTF_STRICT), 10);
        size_t whole = room < 1 ? 0 : room < 5 ? 1 : room < 8 ? 5 : room;
        assert_memory_equal(out, octets, whole);
    }
}

/* All sequences of up to three octets: strict accepts exactly what survives a round
 * trip, replace always yields something well formed. */
static void c_all_short_sequences(void **state)
{
    (void)state;
    for (uint32_t seq = 0; seq < 1u << 24; seq += seq < 1u << 16 ? 1 : 7) {
        char octets[3] = {(char)seq, (char)(seq >> 8), (char)(seq >> 16)};
        char16_t units[3];
        char back[9];
        ssize_t n = utf16_from_utf8(octets, 3, units, 3, UTF_STRICT);
        if (n >= 0) {
            assert_int_equal(utf16_to_utf8(units, (size_t)n, back, 9, UTF_STRICT), 3);
            assert_memory_equal(back, octets, 3);
        }
        n = utf16_from_utf8(octets, 3, units, 3, UTF_REPLACE);
        assert_true(n >= 1 && n <= 3);
        assert_true(utf16_to_utf8(units, (size_t)n, back, 9, UTF_STRICT) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_samples),
        cmocka_unit_test(b_malformed_utf8),
        cmocka_unit_test(b_malformed_utf16),
        cmocka_unit_test(c_every_room),
        cmocka_unit_test(c_every_scalar_value),
        cmocka_unit_test(c_all_short_sequences),
    };
    return cmocka_run_group_tests_name("utf16", tests, NULL, NULL);
}
