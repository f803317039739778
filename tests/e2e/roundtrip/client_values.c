/* SPDX-License-Identifier: MIT */
/* client_values.c - base types, enumerations, structures of fixed layout, [range],
 * handles. */
#include "client.h"
#include "wrong.h"

/* ---- Base types -------------------------------------------------------------------------- */

#define BASE_CASE(name, type, values)                                                              \
    static bool base_##name(void)                                                                  \
    {                                                                                              \
        for (uint32_t which = 0; which < COUNT_OF(values); which++) {                              \
            type out, both = VALUE(values, which + 1);                                             \
            GARBAGE(out);                                                                          \
            type result = Rt##name(server, which, VALUE(values, which), &out, &both);              \
            CHECK(memcmp(&out, &VALUE(values, which + 2), sizeof(out)) == 0);                      \
            CHECK(memcmp(&both, &VALUE(values, which + 3), sizeof(out)) == 0);                     \
            CHECK(memcmp(&result, &VALUE(values, which + 4), sizeof(out)) == 0);                   \
        }                                                                                          \
        return true;                                                                               \
    }
BASE_TYPES(BASE_CASE)

/* A hyper and others behind an odd octet each; test_roundtrip.py knows the octets. */
static bool odd_alignments(void)
{
    byte ra, rc, re, rg;
    int64_t rb;
    double rd;
    int16_t rf;
    int32_t ri;
    RtOdd(server, 0x11, 0x0102030405060708, 0x22, -2.5, 0x33, 0x4455, 0x66, 0x778899aa, 0x15,
          RT_BLUE, 0x16, &ra, &rb, &rc, &rd, &re, &rf, &rg, &ri);
    CHECK_EQUAL(ra, 0xee);
    CHECK_EQUAL(rb, ~0x0102030405060708);
    CHECK_EQUAL(rc, 0xdd);
    CHECK(rd == 2.5);
    CHECK_EQUAL(re, 0xcc);
    CHECK_EQUAL(rf, ~0x4455);
    CHECK_EQUAL(rg, 0x99);
    CHECK_EQUAL(ri, ~0x778899aa);
    return true;
}

static bool operations(void)
{
    RtEmpty(server);
    CHECK_EQUAL(RtIdempotent(server, 41), 42);
    CHECK_EQUAL(RtHandleLast(41, server), 43);
    CHECK_EQUAL(RtAbstract(server, 40, 4), 44);
    CHECK_EQUAL(RT_QUOTED, 4711);
    CHECK_EQUAL(RT_SHARED_COUNT, 3);
    CHECK_EQUAL(RT_FIXED, 6);
    return true;
}

static bool explicit_handle(void)
{
    RtNothing(server);
    RtNothingEither(server);
    CHECK_EQUAL(RtPlus(server, 40, 2), 42);
    CHECK_EQUAL(RtMine(server, 42), -42);
    return true;
}

/* ---- Structures ----------------------------------------------------------------------------- */

#define STRUCT_CASE(name, type)                                                                    \
    static bool struct_##name(void)                                                                \
    {                                                                                              \
        for (uint32_t seed = 0; seed < 12; seed++) {                                               \
            type in = sample_##name(seed + 1), out, both = sample_##name(seed + 2);                \
            GARBAGE(out);                                                                          \
            type result = Rt##name(server, seed, sample_##name(seed), &in, &out, &both);           \
            CHECK(equal_##name(&out, seed + 3));                                                   \
            CHECK(equal_##name(&both, seed + 4));                                                  \
            CHECK(equal_##name(&result, seed + 5));                                                \
        }                                                                                          \
        return true;                                                                               \
    }
STRUCT_TYPES(STRUCT_CASE)

/* ---- What cannot be sent --------------------------------------------------------------------- */

/* In NDR64 it can, and its manager says that it is not the value of the sample. */
#define CHECK_ARRIVES(...)                                                                         \
    do {                                                                                           \
        RPC_STATUS raised_;                                                                        \
        RAISED(raised_, __VA_ARGS__);                                                              \
        CHECK(IS_WRONG(raised_));                                                                  \
    } while (0)

static bool enum_out_of_range(void)
{
    static const int wrong[] = {32768, -1, INT32_MIN, INT32_MAX, 65536};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        RT_COLOUR bad = (RT_COLOUR)wrong[i], good = RT_RED, out, array[3] = {RT_RED, RT_GREEN, bad};
        NESTED nested = sample_Nested(0), result;
        if (in_ndr64()) { /* 4 octets for every enum */
            CHECK_ARRIVES(RtColour(server, 0, bad, &out, &good));
            nested.colours[1] = bad;
            CHECK_ARRIVES(result = RtNested(server, 0, nested, &nested, &result, &nested));
            continue;
        }
        CHECK_RAISES(RPC_X_ENUM_VALUE_OUT_OF_RANGE, RtColour(server, 0, bad, &out, &good));
        CHECK_RAISES(RPC_X_ENUM_VALUE_OUT_OF_RANGE, RtColour(server, 0, RT_RED, &out, &bad));
        CHECK_RAISES(RPC_X_ENUM_VALUE_OUT_OF_RANGE, RtColours(server, 3, array, array));
        nested.colours[1] = bad;
        CHECK_RAISES(RPC_X_ENUM_VALUE_OUT_OF_RANGE,
                     result = RtNested(server, 0, nested, &nested, &result, &nested));
    }
    return true;
}

static bool int3264_beyond_32_bits(void)
{
    intptr_t out, both = 0;
    uintptr_t uout, uboth = 0;
    if (in_ndr64()) {
        CHECK_ARRIVES(RtInt3264(server, 0, (intptr_t)INT32_MAX + 1, &out, &both));
        CHECK_ARRIVES(RtUnsignedInt3264(server, 0, (uintptr_t)UINT32_MAX + 1, &uout, &uboth));
        return true;
    }
    CHECK_RAISES(RPC_S_INVALID_BOUND,
                 RtInt3264(server, 0, (intptr_t)INT32_MAX + 1, &out, &both));
    CHECK_RAISES(RPC_S_INVALID_BOUND,
                 RtInt3264(server, 0, (intptr_t)INT32_MIN - 1, &out, &both));
    CHECK_RAISES(RPC_S_INVALID_BOUND,
                 RtUnsignedInt3264(server, 0, (uintptr_t)UINT32_MAX + 1, &uout, &uboth));
    return true;
}

/* ---- [range] --------------------------------------------------------------------------------- */

/* The sender does not look; the receiver refuses. */
static bool range_of_requests(void)
{
    RANGED good = {.s = 5, .p = 100, .k = RT_LARGE};
    const RANGED bad[] = {{.s = 6, .p = 0, .k = RT_TINY}, {.s = -6, .p = 0, .k = RT_TINY},
                          {.s = 0, .p = 101, .k = RT_TINY}, {.s = 0, .p = -1, .k = RT_TINY},
                          {.s = 0, .p = 0, .k = (RT_KIND)2}};
    RANGED_MORE more = {.r = good, .text = (unsigned char[]){"text"}};
    CHECK_EQUAL(RtRange(server, 10, 100, UINT32_MAX, &good), 10 + 100 + 1 + 5 + 100 + 1);
    CHECK_EQUAL(RtRange(server, 1, 0, 0, &(RANGED){.s = -5, .p = 0, .k = RT_TINY}), -4);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, 0, 0, 0, &good));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, 11, 0, 0, &good));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, INT32_MIN, 0, 0, &good));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, 1, 101, 0, &good));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, 1, -1, 0, &good));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        RANGED one = bad[i], many[3] = {good, good, bad[i]};
        RANGED_MORE inner = {.r = bad[i], .text = more.text};
        CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRange(server, 1, 0, 0, &one));
        CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRangeMore(server, &inner, 1, many));
        CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRangeMore(server, &more, 3, many));
        RtRangeMore(server, &more, 2, many); /* the server is still there */
    }
    return true;
}

static bool range_of_replies(void)
{
    RANGED r;
    RtRangeOut(server, -5, &r);
    CHECK(r.s == -5 && r.p == 100 && r.k == RT_LARGE);
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRangeOut(server, 6, &r));
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtRangeOut(server, INT16_MIN, &r));
    RtRangeOut(server, 5, &r);
    return true;
}

#define BASE_ROW(name, type, values) {"base_" #name, base_##name},
#define STRUCT_ROW(name, type)       {"struct_" #name, struct_##name},

const struct test_case value_cases[] = {
    BASE_TYPES(BASE_ROW) STRUCT_TYPES(STRUCT_ROW)
    {"odd_alignments", odd_alignments},
    {"operations", operations},
    {"explicit_handle", explicit_handle},
    {"enum_out_of_range", enum_out_of_range},
    {"int3264_beyond_32_bits", int3264_beyond_32_bits},
    {"range_of_requests", range_of_requests},
    {"range_of_replies", range_of_replies},
    {NULL, NULL},
};
