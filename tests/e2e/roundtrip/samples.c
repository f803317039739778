/* SPDX-License-Identifier: MIT */
/* samples.c - see samples.h. */
#include "samples.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rpc.h"
#include "values.h"

/* ---- Memory ------------------------------------------------------------------- */

static atomic_long live, countdown = -1;
static atomic_bool has_failed;

void memory_fail_at(long nth)
{
    has_failed = false;
    countdown = nth;
}

bool memory_has_failed(void)
{
    return has_failed;
}

long memory_live(void)
{
    return live;
}

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    if (countdown >= 0 && atomic_fetch_sub(&countdown, 1) == 0) {
        has_failed = true;
        return NULL;
    }
    void *object = malloc(size);
    if (object) {
        live++;
        memset(object, 0xa5, size); /* nobody may count on zeros */
    }
    return object;
}

void __RPC_USER MIDL_user_free(void *object)
{
    if (object)
        live--;
    free(object);
}

size_t sample_size_max = SIZE_MAX;

void *sample_allocate(size_t size)
{
    void *object = size <= sample_size_max ? midl_user_allocate(size > 0 ? size : 1) : NULL;
    if (!object)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memset(object, 0, size);
}

/* ---- Strings -------------------------------------------------------------------- */

/* Lengths around multiples of four, where gaps begin and end. */
static size_t sample_len(uint32_t seed)
{
    return seed % 11;
}

unsigned char *sample_string(uint32_t seed)
{
    size_t len = sample_len(seed);
    unsigned char *s = sample_allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        s[i] = (unsigned char)(1 + (seed * 7 + i * 13) % 255);
    return s;
}

WCHAR *sample_wide(uint32_t seed)
{
    size_t len = sample_len(seed + 3);
    WCHAR *s = sample_allocate((len + 1) * sizeof(*s));
    for (size_t i = 0; i < len; i++)
        s[i] = (WCHAR)(0x100u * (1 + (seed + i) % 255)); /* low octets are zero */
    return s;
}

size_t wide_len(const WCHAR *s)
{
    size_t len = 0;
    while (s[len] != 0)
        len++;
    return len;
}

bool wide_equal(const WCHAR *a, const WCHAR *b)
{
    size_t len = wide_len(a);
    return wide_len(b) == len && memcmp(a, b, len * sizeof(*a)) == 0;
}

unsigned char *reversed(const unsigned char *s)
{
    if (!s)
        return NULL;
    size_t len = strlen((const char *)s);
    unsigned char *back = sample_allocate(len + 1);
    for (size_t i = 0; i < len; i++)
        back[i] = s[len - 1 - i];
    return back;
}

WCHAR *wide_reversed(const WCHAR *s)
{
    if (!s)
        return NULL;
    size_t len = wide_len(s);
    WCHAR *back = sample_allocate((len + 1) * sizeof(*back));
    for (size_t i = 0; i < len; i++)
        back[i] = s[len - 1 - i];
    return back;
}

/* ---- Structures of fixed layout ---------------------------------------------------- */

SHARED_POINT sample_Flat(uint32_t seed)
{
    return (SHARED_POINT){.x = VALUE(long_values, seed), .y = (int32_t)seed};
}

bool equal_Flat(const SHARED_POINT *value, uint32_t seed)
{
    SHARED_POINT s = sample_Flat(seed);
    return value->x == s.x && value->y == s.y;
}

TAIL sample_Tail(uint32_t seed)
{
    return (TAIL){.a = VALUE(long_values, seed + 1), .b = (byte)seed};
}

bool equal_Tail(const TAIL *value, uint32_t seed)
{
    TAIL s = sample_Tail(seed);
    return value->a == s.a && value->b == s.b;
}

PADDED sample_Padded(uint32_t seed)
{
    return (PADDED){.a = (byte)seed,
                    .b = VALUE(hyper_values, seed),
                    .c = VALUE(short_values, seed),
                    .d = VALUE(double_values, seed),
                    .e = (byte)~seed};
}

bool equal_Padded(const PADDED *value, uint32_t seed)
{
    PADDED s = sample_Padded(seed);
    return value->a == s.a && value->b == s.b && value->c == s.c &&
           memcmp(&value->d, &s.d, sizeof(s.d)) == 0 && value->e == s.e;
}

NESTED sample_Nested(uint32_t seed)
{
    NESTED s = {.first = (byte)(seed + 1),
                .padded = sample_Padded(seed + 1),
                .colour = VALUE(colour_values, seed),
                .wide = VALUE(wide_values, seed),
                .pointer = VALUE(int3264_values, seed),
                .unsigned_pointer = VALUE(uint3264_values, seed),
                .yes = VALUE(boolean_values, seed),
                .last = VALUE(signed_char_values, seed)};
    struct RT_INNER *inner[] = {&s.one, &s.many[0], &s.many[1]};
    for (uint32_t i = 0; i < 3; i++) {
        s.tails[i] = sample_Tail(seed + i);
        s.letters[i] = VALUE(wchar_values, seed + i);
        inner[i]->x = VALUE(short_values, seed + i);
        inner[i]->at = sample_Flat(seed + i);
        inner[i]->when = VALUE(hyper_values, seed + 2 * i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        s.colours[i] = VALUE(colour_values, seed + 1 + i);
        for (uint32_t k = 0; k < 2; k++)
            s.f[i][k] = VALUE(float_values, seed + 2 * i + k);
    }
    return s;
}

static bool equal_inner(const struct RT_INNER *value, uint32_t seed, uint32_t i)
{
    return value->x == VALUE(short_values, seed + i) && equal_Flat(&value->at, seed + i) &&
           value->when == VALUE(hyper_values, seed + 2 * i);
}

bool equal_Nested(const NESTED *value, uint32_t seed)
{
    NESTED s = sample_Nested(seed);
    bool equal = value->first == s.first && equal_Padded(&value->padded, seed + 1) &&
                 value->colour == s.colour && value->wide == s.wide &&
                 value->pointer == s.pointer && value->unsigned_pointer == s.unsigned_pointer &&
                 value->yes == s.yes && value->last == s.last &&
                 equal_inner(&value->one, seed, 0);
    for (uint32_t i = 0; i < 3; i++)
        equal = equal && equal_Tail(&value->tails[i], seed + i);
    for (uint32_t i = 0; i < 2; i++)
        equal = equal && equal_inner(&value->many[i], seed, i + 1);
    return equal && memcmp(value->letters, s.letters, sizeof(s.letters)) == 0 &&
           memcmp(value->colours, s.colours, sizeof(s.colours)) == 0 &&
           memcmp(value->f, s.f, sizeof(s.f)) == 0;
}

/* ---- Lists ---------------------------------------------------------------------------- */

NODE *list_new(uint32_t count)
{
    NODE *list = NULL;
    while (count-- > 0) {
        NODE *node = sample_allocate(sizeof(*node));
        *node = (NODE){.next = list, .value = (int32_t)count};
        list = node;
    }
    return list;
}

bool list_is(const NODE *list, int32_t from, int32_t step, uint32_t count)
{
    for (; list && count > 0; list = list->next, count--, from += step)
        if (list->value != from)
            return false;
    return !list && count == 0;
}

void list_free(NODE *list)
{
    while (list) {
        NODE *next = list->next;
        midl_user_free(list);
        list = next;
    }
}
