/* SPDX-License-Identifier: MIT */
/* client_strings.c - [string] in all its places. */
#include "client.h"

#define LONG_LEN 100000u

static unsigned char *letters_new(size_t len)
{
    unsigned char *s = sample_allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        s[i] = (unsigned char)(1 + i % 255);
    return s;
}

/* Takes `back` over: is it `s` from behind? */
static bool is_reverse(unsigned char *back, const unsigned char *s)
{
    unsigned char *wanted = reversed(s);
    bool equal = back && wanted ? strcmp((char *)back, (char *)wanted) == 0 : back == wanted;
    midl_user_free(wanted);
    midl_user_free(back);
    return equal;
}

static bool is_wide_reverse(WCHAR *back, const WCHAR *s)
{
    WCHAR *wanted = wide_reversed(s);
    bool equal = back && wanted ? wide_equal(back, wanted) : back == wanted;
    midl_user_free(wanted);
    midl_user_free(back);
    return equal;
}

static bool narrow_one(unsigned char *s, bool maybe)
{
    unsigned char *back, *maybe_back;
    GARBAGE(back);
    GARBAGE(maybe_back);
    RtNarrow(server, s, maybe ? s : NULL, &back, &maybe_back);
    CHECK(is_reverse(back, s));
    CHECK(is_reverse(maybe_back, maybe ? s : NULL));
    RtBytes(server, s, &back);
    CHECK(is_reverse(back, s));
    midl_user_free(s);
    return true;
}

static bool narrow(void)
{
    for (size_t len = 0; len < 20; len++)
        if (!narrow_one(letters_new(len), len % 2 == 0))
            return false;
    return narrow_one(letters_new(LONG_LEN), true);
}

static bool wide_one(WCHAR *s, bool maybe)
{
    WCHAR *back, *maybe_back;
    GARBAGE(back);
    GARBAGE(maybe_back);
    RtWideString(server, s, maybe ? s : NULL, &back, &maybe_back);
    CHECK(is_wide_reverse(back, s));
    CHECK(is_wide_reverse(maybe_back, maybe ? s : NULL));
    midl_user_free(s);
    return true;
}

static bool wide(void)
{
    for (uint32_t seed = 0; seed < 20; seed++)
        if (!wide_one(sample_wide(seed), seed % 2 == 0))
            return false;
    WCHAR *s = sample_allocate((LONG_LEN + 1) * sizeof(*s));
    for (uint32_t i = 0; i < LONG_LEN; i++)
        s[i] = (WCHAR)(i % 0xffff + 1);
    return wide_one(s, true);
}

/* test_roundtrip.py knows the octets of it. */
static bool string_octets(void)
{
    unsigned char text[] = "abcd", *back, *maybe_back;
    WCHAR name[] = {'x', 0x20ac, 0}, *wide_back, *wide_maybe;
    RtNarrow(server, text, NULL, &back, &maybe_back);
    CHECK(is_reverse(back, text));
    CHECK(!maybe_back);
    RtWideString(server, name, name, &wide_back, &wide_maybe);
    CHECK(is_wide_reverse(wide_back, name));
    CHECK(is_wide_reverse(wide_maybe, name));
    return true;
}

static bool in_place(void)
{
    unsigned char s[] = "four", empty[] = "";
    WCHAR both[] = {1, 2, 3, 0xffff, 0}, nothing[] = {0};
    RtOpen(server, s, both);
    CHECK(both[0] == 0xffff && both[1] == 3 && both[2] == 2 && both[3] == 1 && both[4] == 0);
    RtOpen(server, empty, nothing);
    CHECK(nothing[0] == 0);
    RtShorten(server, s);
    CHECK(strcmp((char *)s, "f") == 0);
    RtShorten(server, empty);
    CHECK(strcmp((char *)empty, "") == 0);
    return true;
}

static bool fixed_strings(void)
{
    for (size_t len = 0; len < 8; len++) {
        unsigned char s[12] = "0123456789a", back[12];
        WCHAR name[8] = {0}, both[8];
        s[len + 4] = 0;
        for (size_t i = 0; i < len; i++)
            name[i] = (WCHAR)(0x1000 + i);
        memcpy(both, name, sizeof(name));
        GARBAGE(back);
        RtFixedStrings(server, s, name, back, both);
        CHECK_EQUAL(strlen((char *)back), len + 4);
        for (size_t i = 0; i < len + 4; i++)
            CHECK_EQUAL(back[i], s[len + 3 - i]);
        CHECK_EQUAL(wide_len(both), len);
        for (size_t i = 0; i < len; i++)
            CHECK_EQUAL(both[i], name[len - 1 - i]);
    }
    return true;
}

static bool buffers(void)
{
    unsigned char buffer[40];
    WCHAR sized[64] = {'a', 'b', 'c', 0};
    for (uint32_t n = 6; n < 40; n += 11) {
        GARBAGE(buffer);
        RtBuffer(server, (const unsigned char *)"hello", n, buffer);
        CHECK(strcmp((char *)buffer, "hello") == 0);
        CHECK_EQUAL(buffer[6], 0xee);
    }
    /* A manager that leaves no terminator. */
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBuffer(server, (const unsigned char *)"hello", 5, buffer));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtBuffer(server, (const unsigned char *)"", 0, buffer));
    RtSized(server, 64, sized);
    RtSized(server, 64, sized);
    CHECK_EQUAL(wide_len(sized), 12);
    for (size_t i = 0; i < 12; i++)
        CHECK_EQUAL(sized[i], "abc"[i % 3]);
    return true;
}

static bool without_terminator(void)
{
    unsigned char s[12] = "0123456789a", back[12];
    WCHAR name[8] = {1, 2, 3, 4, 5, 6, 7, 8}, both[8] = {0}, sized[4] = {1, 2, 3, 4};
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtFixedStrings(server, s, name, back, both));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtFixedStrings(server, s, both, back, name));
    s[11] = 'b';
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtFixedStrings(server, s, both, back, both));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtSized(server, 4, sized));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtSized(server, 0, sized));
    return true;
}

static bool many(void)
{
    for (uint32_t n = 0; n < 14; n++) {
        WCHAR *names[14];
        RT_STR more[14], back[14];
        for (uint32_t i = 0; i < n; i++) {
            names[i] = sample_wide(i);
            more[i] = i % 3 == 2 ? NULL : sample_string(i);
        }
        GARBAGE(back);
        RtMany(server, n, names, more, back);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(is_reverse(back[i], more[i]));
            midl_user_free(names[i]);
            midl_user_free(more[i]);
        }
    }
    return true;
}

static bool string_results(void)
{
    static const int32_t lengths[] = {0, 1, 2, 3, 4, 5, 70000};
    CHECK(!RtLetters(server, -1));
    CHECK(!RtStr(server, -1));
    for (size_t k = 0; k < COUNT_OF(lengths); k++) {
        WCHAR *s = RtLetters(server, lengths[k]);
        CHECK(s);
        CHECK_EQUAL(wide_len(s), lengths[k]);
        for (int32_t i = 0; i < lengths[k]; i++)
            CHECK_EQUAL(s[i], i % 0xffff + 1);
        midl_user_free(s);
        unsigned char *t = RtStr(server, lengths[k]);
        CHECK(t);
        CHECK_EQUAL(strlen((char *)t), lengths[k]);
        midl_user_free(t);
    }
    return true;
}

const struct test_case string_cases[] = {
    {"narrow", narrow},
    {"wide", wide},
    {"string_octets", string_octets},
    {"in_place", in_place},
    {"fixed_strings", fixed_strings},
    {"buffers", buffers},
    {"without_terminator", without_terminator},
    {"many", many},
    {"string_results", string_results},
    {NULL, NULL},
};
