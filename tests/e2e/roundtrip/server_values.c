/* SPDX-License-Identifier: MIT */
/* server_values.c - managers of rt_base, rt_struct, rt_array and rt_range. */
#include "server.h"

#include <string.h>

#include "values.h"

#define SERVER_FILE WRONG_VALUES

/* ---- rt_base --------------------------------------------------------------------------- */

/* By octets: a NaN equals nothing. */
#define BASE_MANAGER(name, type, values)                                                           \
    type Rt##name(handle_t h, uint32_t which, type in, type *out, type *both)                      \
    {                                                                                              \
        (void)h;                                                                                   \
        VERIFY(memcmp(&in, &VALUE(values, which), sizeof(in)) == 0);                               \
        VERIFY(memcmp(both, &VALUE(values, which + 1), sizeof(in)) == 0);                          \
        *out = VALUE(values, which + 2);                                                           \
        *both = VALUE(values, which + 3);                                                          \
        return VALUE(values, which + 4);                                                           \
    }
BASE_TYPES(BASE_MANAGER)

void RtOdd(handle_t h, byte a, int64_t b, byte c, double d, byte e, int16_t f, byte g, int32_t i,
           byte j, RT_COLOUR k, byte l, byte *ra, int64_t *rb, byte *rc, double *rd, byte *re,
           int16_t *rf, byte *rg, int32_t *ri)
{
    (void)h;
    VERIFY(j == (byte)(a + 4) && k == RT_BLUE && l == (byte)(a + 5));
    *ra = (byte)~a;
    *rb = ~b;
    *rc = (byte)~c;
    *rd = -d;
    *re = (byte)~e;
    *rf = (int16_t)~f;
    *rg = (byte)~g;
    *ri = ~i;
}

void RtEmpty(handle_t h)
{
    (void)h;
}

int32_t RtIdempotent(handle_t h, int32_t n)
{
    (void)h;
    return n + 1;
}

int32_t RtHandleLast(int32_t n, handle_t h)
{
    (void)h;
    return n + 2;
}

int32_t RtAbstract(handle_t h, int32_t n, int64_t m)
{
    (void)h;
    return (int32_t)(n + m);
}

/* ---- rt_struct -------------------------------------------------------------------------- */

#define STRUCT_MANAGER(name, type)                                                                 \
    type Rt##name(handle_t h, uint32_t seed, type value, const type *in, type *out, type *both)    \
    {                                                                                              \
        (void)h;                                                                                   \
        VERIFY(equal_##name(&value, seed));                                                        \
        VERIFY(equal_##name(in, seed + 1));                                                        \
        VERIFY(equal_##name(both, seed + 2));                                                      \
        *out = sample_##name(seed + 3);                                                            \
        *both = sample_##name(seed + 4);                                                           \
        return sample_##name(seed + 5);                                                            \
    }
STRUCT_TYPES(STRUCT_MANAGER)

/* ---- rt_array ----------------------------------------------------------------------------- */

void RtFixed(handle_t h, uint32_t seed, int32_t *v, int16_t (*m)[3], RT_HASH *hash,
             const TAIL *tails, RT_COLOUR *colours, int16_t (*mo)[3], TAIL *tails_out,
             int64_t (*cube)[3][2], RT_HASH *hash_out)
{
    (void)h;
    for (uint32_t i = 0; i < 10; i++)
        VERIFY(v[i] == VALUE(long_values, seed + i));
    for (uint32_t i = 0; i < 6; i++) {
        VERIFY(m[i / 3][i % 3] == VALUE(short_values, seed + i));
        mo[i / 3][i % 3] = (int16_t)~m[i / 3][i % 3];
    }
    for (uint32_t i = 0; i < 12; i++) {
        int64_t *at = &cube[i / 6][i / 2 % 3][i % 2];
        VERIFY(*at == VALUE(hyper_values, seed + i));
        *at = ~*at;
    }
    for (uint32_t i = 0; i < 4; i++) {
        VERIFY(equal_Tail(&tails[i], seed + i));
        tails_out[3 - i] = tails[i];
    }
    for (uint32_t i = 0; i < 3; i++)
        VERIFY(colours[i] == VALUE(colour_values, seed + i));
    for (uint32_t i = 0; i < sizeof(RT_HASH); i++) {
        VERIFY((*hash)[i] == octet(seed + i));
        (*hash_out)[i] = octet(seed + i + 1);
    }
}

static void invert(const byte *v, byte *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        w[i] = (byte)~v[i];
}

void RtHalf(handle_t h, uint32_t n, byte *v, byte *w)
{
    (void)h;
    invert(v, w, (n + 1) / 2);
}

void RtDeref(handle_t h, uint32_t *n, int32_t *v)
{
    (void)h;
    for (uint32_t i = 0; i < *n; i++)
        v[i] = ~v[i];
    *n /= 2; /* the client gets the first half back */
}

void RtSum(handle_t h, int16_t a, unsigned char b, int64_t *v, int64_t *w)
{
    (void)h;
    for (int i = 0; i < a + b; i++)
        w[i] = ~v[i];
}

void RtCond(handle_t h, RT_KIND kind, uint16_t n, int16_t *v, int16_t *w)
{
    (void)h;
    for (int i = 0; i < (kind == RT_LARGE ? n << 2 : n % 7); i++)
        w[i] = (int16_t)~v[i];
}

void RtLogic(handle_t h, signed char a, int32_t b, byte *v, uint32_t *count)
{
    (void)h;
    uint32_t n = (uint32_t)(!a || (b > 2 && (b & 1)) ? (-b + 8) ^ 1 : ~a & 15);
    for (uint32_t i = 0; i < n; i++)
        VERIFY(v[i] == octet(i));
    *count = n;
}

void RtLazy(handle_t h, int32_t *n, byte *v, int32_t *sum)
{
    (void)h;
    *sum = n ? *n * 1000 : -1000000;
    if (!v)
        *sum -= 1;
    for (int32_t i = 0; n && v && i < *n; i++)
        *sum += v[i];
}

void RtMaxIs(handle_t h, int32_t last, int32_t *v, int32_t *w)
{
    (void)h;
    for (int32_t i = 0; i <= last; i++)
        w[i] = ~v[i];
}

void RtConstant(handle_t h, byte *v, byte *w)
{
    (void)h;
    invert(v, w, RT_FIXED);
    memcpy(w + RT_FIXED, v, RT_FIXED);
}

void RtLater(handle_t h, int32_t *v, int32_t n, int32_t *w)
{
    RtMaxIs(h, n - 1, v, w);
}

int32_t RtSigned(handle_t h, int32_t n, byte *v)
{
    (void)h;
    return n > 0 ? v[n - 1] : -1;
}

void RtTails(handle_t h, uint32_t n, TAIL *v, TAIL *w)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++) {
        VERIFY(equal_Tail(&v[i], i));
        w[n - 1 - i] = v[i];
    }
}

void RtColours(handle_t h, uint32_t n, RT_COLOUR *v, RT_COLOUR *w)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        w[i] = (RT_COLOUR)(RT_LAST - v[i]);
}

void RtNesteds(handle_t h, uint32_t n, NESTED *v)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++) {
        VERIFY(equal_Nested(&v[i], i));
        v[i] = sample_Nested(i + n);
    }
}

/* Points from the back; where there is none, one is made, and the other way round. */
static void turn_points(uint32_t n, SHARED_POINT **v, SHARED_POINT **w)
{
    for (uint32_t i = 0; i < n; i++) {
        if (v[i]) {
            VERIFY(equal_Flat(v[i], i));
            continue;
        }
        w[n - 1 - i] = sample_allocate(sizeof(SHARED_POINT));
        *w[n - 1 - i] = sample_Flat(i + 100);
    }
}

void RtPoints(handle_t h, uint32_t n, SHARED_POINT **v, SHARED_POINT **w)
{
    (void)h;
    turn_points(n, v, w);
}

void RtFixedPoints(handle_t h, SHARED_POINT **v, SHARED_POINT **w)
{
    (void)h;
    turn_points(3, v, w);
}

void RtGift(handle_t h, uint32_t want, uint32_t *n, TAIL **v)
{
    (void)h;
    *n = want;
    if (want == 0)
        return;
    *v = sample_allocate(want * sizeof(TAIL));
    for (uint32_t i = 0; i < want; i++)
        (*v)[i] = sample_Tail(i);
}

uint32_t RtBig(handle_t h, uint32_t n, const byte *v)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        VERIFY(v[i] == octet(i));
    return n;
}

void RtBigBoth(handle_t h, uint32_t n, byte *v)
{
    RtBig(h, n, v);
    invert(v, v, n);
}

void RtBigOut(handle_t h, uint32_t n, byte *v)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        v[i] = octet(i);
}

/* ---- rt_range -------------------------------------------------------------------------------- */

int32_t RtRange(handle_t h, int32_t n, RT_PERCENT p, uint32_t all, RANGED *r)
{
    (void)h;
    return n + p + (int32_t)(all >> 31) + r->s + r->p + r->k;
}

void RtRangeMore(handle_t h, RANGED_MORE *r, uint32_t n, RANGED *v)
{
    (void)h;
    VERIFY(r->text && n > 0 && v[0].k == r->r.k);
}

void RtRangeOut(handle_t h, int16_t s, RANGED *r)
{
    (void)h;
    *r = (RANGED){.s = s, .p = 100, .k = RT_LARGE};
}
