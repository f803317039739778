/* SPDX-License-Identifier: MIT */
/* elements.c - see elements.h. */
#include "elements.h"

#include <pthread.h>
#include <string.h>

/* A well mixed number for each position (the finaliser of splitmix64). */
static uint64_t mix(uint64_t position, uint32_t seed)
{
    uint64_t x = position * 0x9e3779b97f4a7c15u + seed;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Octets repeat with a prime period, which no buffer or fragment size divides. */
#define OCTETS_PERIOD 1048573u

static uint8_t octets[OCTETS_PERIOD + OCTETS_RUN];
static pthread_once_t octets_once = PTHREAD_ONCE_INIT;

static void octets_init(void)
{
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)mix(i % OCTETS_PERIOD, 0);
}

const uint8_t *octets_at(uint64_t first, uint32_t seed)
{
    pthread_once(&octets_once, octets_init);
    return octets + (first + seed) % OCTETS_PERIOD;
}

static void fill_byte(uint64_t first, uint32_t seed, void *memory, size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t part = count - done < OCTETS_RUN ? count - done : OCTETS_RUN;
        memcpy((uint8_t *)memory + done, octets_at(first + done, seed), part);
        done += part;
    }
}

static size_t check_byte(uint64_t first, uint32_t seed, const void *memory, size_t count)
{
    const uint8_t *got = memory;
    for (size_t done = 0; done < count;) {
        size_t part = count - done < OCTETS_RUN ? count - done : OCTETS_RUN;
        const uint8_t *want = octets_at(first + done, seed);
        if (memcmp(got + done, want, part) != 0) {
            size_t i = 0;
            while (got[done + i] == want[i])
                i++;
            return done + i;
        }
        done += part;
    }
    return count;
}

/* The value of each type at a position. */
static int32_t make_long(uint64_t x)
{
    return (int32_t)x;
}
static int64_t make_hyper(uint64_t x)
{
    return (int64_t)x;
}
static double make_double(uint64_t x)
{
    return (double)(int64_t)x / 3; /* never a NaN, which equals nothing */
}
static pair make_pair(uint64_t x)
{
    return (pair){.a = (int32_t)x, .b = (int16_t)(x >> 32)};
}
static five make_five(uint64_t x)
{
    five value;
    for (size_t i = 0; i < sizeof(value.b); i++)
        value.b[i] = (byte)(x >> 8 * i);
    return value;
}
static wide make_wide(uint64_t x)
{
    return (wide){.b = (byte)(x >> 56), .h = (int64_t)(x * 3)};
}
static colour make_colour(uint64_t x)
{
    static const colour colours[] = {RED, GREEN, BLUE, ALL};
    return colours[x & 3];
}

/* Pads are not compared: nothing travels in them. */
static bool same_long(int32_t a, int32_t b)
{
    return a == b;
}
static bool same_hyper(int64_t a, int64_t b)
{
    return a == b;
}
static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}
static bool same_pair(pair a, pair b)
{
    return a.a == b.a && a.b == b.b;
}
static bool same_five(five a, five b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}
static bool same_wide(wide a, wide b)
{
    return a.b == b.b && a.h == b.h;
}
static bool same_colour(colour a, colour b)
{
    return a == b;
}

#define DEFINE_PATTERN(name, type)                                                                 \
    static void fill_##name(uint64_t first, uint32_t seed, void *memory, size_t count)             \
    {                                                                                              \
        type *out = memory;                                                                        \
        for (size_t i = 0; i < count; i++)                                                         \
            out[i] = make_##name(mix(first + i, seed));                                            \
    }                                                                                              \
    static size_t check_##name(uint64_t first, uint32_t seed, const void *memory, size_t count)    \
    {                                                                                              \
        const type *got = memory;                                                                  \
        for (size_t i = 0; i < count; i++)                                                         \
            if (!same_##name(got[i], make_##name(mix(first + i, seed))))                           \
                return i;                                                                          \
        return count;                                                                              \
    }
DEFINE_PATTERN(long, int32_t)
DEFINE_PATTERN(hyper, int64_t)
DEFINE_PATTERN(double, double)
DEFINE_PATTERN(pair, pair)
DEFINE_PATTERN(five, five)
DEFINE_PATTERN(wide, wide)
DEFINE_PATTERN(colour, colour)

/* The stride is written down, not computed: it is what the rules of NDR say. */
#define ELEMENT(name_, type, stride_)                                                              \
    [ELEMENT_##name_] = {#name_, sizeof(type), stride_, fill_##name_, check_##name_}
const struct element elements[ELEMENT_COUNT] = {
    ELEMENT(byte, byte, 1),     ELEMENT(long, int32_t, 4), ELEMENT(hyper, int64_t, 8),
    ELEMENT(double, double, 8), ELEMENT(pair, pair, 8),    ELEMENT(five, five, 5),
    ELEMENT(wide, wide, 16),    ELEMENT(colour, colour, 4),
};
