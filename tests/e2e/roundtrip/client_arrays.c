/* SPDX-License-Identifier: MIT */
/* client_arrays.c - fixed and conformant arrays, size_is and its expressions, sizes up to
 * what one call may carry and beyond. */
#include "client.h"

/* A request or a response without pipes may have so many octets. */
#define STUB_MAX (4u << 20)

/* test_roundtrip.py knows the octets of seed 0. */
static bool fixed(void)
{
    for (uint32_t seed = 0; seed < 8; seed++) {
        int32_t v[10];
        RT_MATRIX m, mo;
        RT_HASH hash, hash_out;
        TAIL tails[4], tails_out[4];
        RT_COLOUR colours[3];
        int64_t cube[2][3][2];
        for (uint32_t i = 0; i < 12; i++) {
            v[i % 10] = VALUE(long_values, seed + i % 10);
            m[i / 3 % 2][i % 3] = VALUE(short_values, seed + i % 6);
            hash[i % 5] = octet(seed + i % 5);
            tails[i % 4] = sample_Tail(seed + i % 4);
            colours[i % 3] = VALUE(colour_values, seed + i % 3);
            cube[i / 6][i / 2 % 3][i % 2] = VALUE(hyper_values, seed + i);
        }
        GARBAGE(mo);
        GARBAGE(tails_out);
        GARBAGE(hash_out);
        RtFixed(server, seed, v, m, &hash, tails, colours, mo, tails_out, cube, &hash_out);
        for (uint32_t i = 0; i < 12; i++) {
            CHECK_EQUAL(mo[i / 3 % 2][i % 3], ~VALUE(short_values, seed + i % 6));
            CHECK(equal_Tail(&tails_out[3 - i % 4], seed + i % 4));
            CHECK_EQUAL(cube[i / 6][i / 2 % 3][i % 2], ~VALUE(hyper_values, seed + i));
            CHECK_EQUAL(hash_out[i % 5], octet(seed + i % 5 + 1));
        }
    }
    return true;
}

static bool half(void)
{
    for (uint32_t n = 0; n < 20; n++) {
        byte v[10], w[10] = {0};
        for (uint32_t i = 0; i < 10; i++)
            v[i] = octet(i + n);
        RtHalf(server, n, v, w);
        for (uint32_t i = 0; i < 10; i++)
            CHECK_EQUAL(w[i], i < (n + 1) / 2 ? (byte)~octet(i + n) : 0);
    }
    return true;
}

static bool deref(void)
{
    for (uint32_t count = 0; count < 10; count++) {
        int32_t v[10];
        uint32_t n = count;
        for (int32_t i = 0; i < 10; i++)
            v[i] = i;
        RtDeref(server, &n, v);
        CHECK_EQUAL(n, count / 2);
        for (int32_t i = 0; i < 10; i++)
            CHECK_EQUAL(v[i], i < (int32_t)n ? ~i : i);
    }
    return true;
}

static bool sum(void)
{
    static const struct {
        int16_t a;
        unsigned char b;
    } rows[] = {{0, 0}, {0, 7}, {5, 0}, {3, 4}, {-3, 4}, {-255, 255}, {300, 200}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t v[500], w[500];
        int count = rows[i].a + rows[i].b;
        for (int k = 0; k < count; k++)
            v[k] = VALUE(hyper_values, (uint32_t)k);
        RtSum(server, rows[i].a, rows[i].b, v, w);
        for (int k = 0; k < count; k++)
            CHECK_EQUAL(w[k], ~v[k]);
    }
    return true;
}

static bool conditional(void)
{
    for (uint16_t n = 0; n < 12; n++) {
        for (int kind = 0; kind < 2; kind++) {
            int16_t v[48], w[48] = {0};
            int count = kind == RT_LARGE ? n << 2 : n % 7;
            for (int16_t k = 0; k < 48; k++)
                v[k] = k;
            RtCond(server, (RT_KIND)kind, n, v, w);
            for (int16_t k = 0; k < 48; k++)
                CHECK_EQUAL(w[k], k < count ? ~k : 0);
        }
    }
    return true;
}

/* test_roundtrip.py knows the octets of it. */
static bool conditional_octets(void)
{
    int16_t v[12] = {0x0102, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, w[12];
    RtCond(server, RT_LARGE, 3, v, w);
    RtCond(server, RT_TINY, 9, v, w);
    return true;
}

static bool logic(void)
{
    for (int32_t a = -5; a < 5; a++) {
        for (int32_t b = -5; b < 8; b++) {
            byte v[16];
            uint32_t count = 99;
            for (uint32_t i = 0; i < 16; i++)
                v[i] = octet(i);
            RtLogic(server, (signed char)a, b, v, &count);
            CHECK_EQUAL(count, !a || (b > 2 && (b & 1)) ? (-b + 8) ^ 1 : ~a & 15);
        }
    }
    return true;
}

static bool lazy(void)
{
    int32_t three = 3, zero = 0, sum_of;
    byte v[] = {10, 20, 30};
    RtLazy(server, &three, v, &sum_of);
    CHECK_EQUAL(sum_of, 3060);
    RtLazy(server, NULL, NULL, &sum_of);
    CHECK_EQUAL(sum_of, -1000001);
    RtLazy(server, NULL, v, &sum_of);
    CHECK_EQUAL(sum_of, -1000000);
    RtLazy(server, &zero, NULL, &sum_of);
    CHECK_EQUAL(sum_of, -1);
    RtLazy(server, &zero, v, &sum_of);
    CHECK_EQUAL(sum_of, 0);
    /* A count without its array: the receiver refuses (MIDL /robust). */
    CHECK_RAISES(RPC_X_BAD_STUB_DATA, RtLazy(server, &three, NULL, &sum_of));
    return true;
}

static bool other_sizes(void)
{
    int32_t v[8], w[8];
    byte octets[12], back[12];
    int64_t wide[1] = {0};
    for (int32_t i = 0; i < 8; i++)
        v[i] = i * 1000;
    for (int32_t last = -1; last < 8; last++) {
        memset(w, 0, sizeof(w));
        RtMaxIs(server, last, v, w);
        for (int32_t i = 0; i < 8; i++)
            CHECK_EQUAL(w[i], i <= last ? ~v[i] : 0);
        memset(w, 0, sizeof(w));
        RtLater(server, v, last + 1, w);
        for (int32_t i = 0; i < 8; i++)
            CHECK_EQUAL(w[i], i <= last ? ~v[i] : 0);
    }
    for (uint32_t i = 0; i < 12; i++)
        octets[i] = octet(i);
    RtConstant(server, octets, back);
    for (uint32_t i = 0; i < 12; i++)
        CHECK_EQUAL(back[i], i < RT_FIXED ? (byte)~octet(i) : octet(i - RT_FIXED));
    CHECK_EQUAL(RtSigned(server, 12, octets), octet(11));
    CHECK_EQUAL(RtSigned(server, 0, octets), -1);
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtSigned(server, -1, octets));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtSigned(server, INT32_MIN, octets));
    CHECK_RAISES(RPC_S_INVALID_BOUND, RtSum(server, -1, 0, wide, wide));
    return true;
}

static bool elements(void)
{
    TAIL tails[40], turned[40];
    RT_COLOUR colours[40], back[40];
    NESTED nesteds[40];
    for (uint32_t n = 0; n <= 40; n += n < 4 ? 1 : 9) {
        for (uint32_t i = 0; i < 40; i++) {
            tails[i] = sample_Tail(i);
            colours[i] = VALUE(colour_values, i);
            nesteds[i] = sample_Nested(i);
        }
        RtTails(server, n, tails, turned);
        RtColours(server, n, colours, back);
        RtNesteds(server, n, nesteds);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(equal_Tail(&turned[n - 1 - i], i));
            CHECK_EQUAL(back[i], RT_LAST - colours[i]);
            CHECK(equal_Nested(&nesteds[i], i + n));
        }
    }
    return true;
}

static bool check_points(uint32_t n, SHARED_POINT **v, SHARED_POINT **w)
{
    for (uint32_t i = 0; i < n; i++) {
        SHARED_POINT *back = w[n - 1 - i];
        CHECK((back == NULL) == (v[i] != NULL));
        CHECK(!back || equal_Flat(back, i + 100));
        midl_user_free(back);
    }
    return true;
}

static bool pointers_as_elements(void)
{
    SHARED_POINT points[16], *v[16], *w[16];
    for (uint32_t mask = 0; mask < 8; mask++) {
        for (uint32_t i = 0; i < 16; i++) {
            points[i] = sample_Flat(i);
            v[i] = mask >> i % 3 & 1 ? &points[i] : NULL;
        }
        for (uint32_t n = 0; n <= 16; n += 4) {
            GARBAGE(w);
            RtPoints(server, n, v, w);
            if (!check_points(n, v, w))
                return false;
        }
        GARBAGE(w);
        RtFixedPoints(server, v, w);
        if (!check_points(3, v, w))
            return false;
    }
    return true;
}

static bool gift(void)
{
    static const uint32_t wanted[] = {0, 1, 2, 1000};
    for (size_t k = 0; k < COUNT_OF(wanted); k++) {
        uint32_t n = 4711;
        TAIL *v;
        GARBAGE(v);
        RtGift(server, wanted[k], &n, &v);
        CHECK_EQUAL(n, wanted[k]);
        CHECK((v != NULL) == (n > 0));
        for (uint32_t i = 0; i < n; i++)
            CHECK(equal_Tail(&v[i], i));
        midl_user_free(v);
    }
    return true;
}

/* ---- Large --------------------------------------------------------------------------------- */

static byte *big_new(uint32_t n)
{
    byte *v = sample_allocate(n);
    for (uint32_t i = 0; i < n; i++)
        v[i] = octet(i);
    return v;
}

static bool big(void)
{
    static const uint32_t sizes[] = {1, 5000, 5816, 65536, 1000003, 3u << 20};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        byte *v = big_new(sizes[k]);
        CHECK_EQUAL(RtBig(server, sizes[k], v), sizes[k]);
        RtBigBoth(server, sizes[k], v);
        for (uint32_t i = 0; i < sizes[k]; i++)
            CHECK_EQUAL(v[i], (byte)~octet(i));
        memset(v, 0, sizes[k]);
        RtBigOut(server, sizes[k], v);
        for (uint32_t i = 0; i < sizes[k]; i++)
            CHECK_EQUAL(v[i], octet(i));
        midl_user_free(v);
    }
    return true;
}

/* n, the conformance, n octets. */
static bool request_limit(void)
{
    const uint32_t most = STUB_MAX - (in_ndr64() ? 4 + 4 + 8 : 4 + 4);
    byte *v = big_new(STUB_MAX + 1);
    CHECK_EQUAL(RtBig(server, most, v), most);
    CHECK_RAISES(RPC_S_ACCESS_DENIED, RtBig(server, most + 1, v)); /* by the server */
    CHECK_RAISES(RPC_S_ACCESS_DENIED, RtBig(server, STUB_MAX + 1, v));
    CHECK_EQUAL(RtBig(server, 100, v), 100);
    midl_user_free(v);
    return true;
}

/* A reply may be larger than a request. */
static bool reply_limit(void)
{
    const uint32_t most = 3 * STUB_MAX + 5;
    byte *v = big_new(most);
    memset(v, 0, most);
    RtBigOut(server, most, v);
    for (uint32_t i = 0; i < most; i++)
        CHECK_EQUAL(v[i], octet(i));
    /* What the server would not even allocate. */
    CHECK_RAISES(RPC_S_OUT_OF_RESOURCES, RtBigOut(server, 0x40000000, v));
    RtBigOut(server, 100, v);
    midl_user_free(v);
    return true;
}

const struct test_case array_cases[] = {
    {"fixed", fixed},
    {"half", half},
    {"deref", deref},
    {"sum", sum},
    {"conditional", conditional},
    {"conditional_octets", conditional_octets},
    {"logic", logic},
    {"lazy", lazy},
    {"other_sizes", other_sizes},
    {"elements", elements},
    {"pointers_as_elements", pointers_as_elements},
    {"gift", gift},
    {"big", big},
    {"request_limit", request_limit},
    {"reply_limit", reply_limit},
    {NULL, NULL},
};
