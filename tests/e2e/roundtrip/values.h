/* SPDX-License-Identifier: MIT */
/* values.h - the values of each base type that are worth sending, known to both sides:
 * value number `which` of a type is VALUE(values, which), round and round. */
#ifndef ROUNDTRIP_VALUES_H
#define ROUNDTRIP_VALUES_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "roundtrip.h"

#define COUNT_OF(array)       (sizeof(array) / sizeof((array)[0]))
#define VALUE(values, which)  ((values)[(which) % COUNT_OF(values)])

static const boolean boolean_values[] = {0, 1, 255};
static const byte byte_values[] = {0, 1, 0x7f, 0x80, 0xff};
static const signed char signed_char_values[] = {0, 1, INT8_MAX, INT8_MIN, -1};
static const int16_t short_values[] = {0, 1, INT16_MAX, INT16_MIN, -1, 0x1234};
static const uint16_t ushort_values[] = {0, 1, 0x7fff, 0x8000, UINT16_MAX, 0x1234};
static const int32_t long_values[] = {0, 1, INT32_MAX, INT32_MIN, -1, 0x12345678};
static const uint32_t ulong_values[] = {0, 1, INT32_MAX, 0x80000000, UINT32_MAX, 0x12345678};
static const int64_t hyper_values[] = {0, 1, INT64_MAX, INT64_MIN, -1, 0x123456789abcdef0};
static const uint64_t uhyper_values[] = {0, 1, INT64_MAX, UINT64_MAX, 0x123456789abcdef0};
static const float float_values[] = {0,       -0.0f,       1.5f,     FLT_MAX,   -FLT_MAX,
                                     FLT_MIN, FLT_MIN / 2, INFINITY, -INFINITY, NAN, -NAN};
static const double double_values[] = {0,       -0.0,        1.5,      DBL_MAX,   -DBL_MAX,
                                       DBL_MIN, DBL_MIN / 2, INFINITY, -INFINITY, (double)NAN,
                                       M_PI};
static const WCHAR wchar_values[] = {0, 'a', 0x20ac, 0xd800, 0xffff};
/* Those that 32 bits hold: an __int3264 has no more on the wire. */
static const intptr_t int3264_values[] = {0, 1, INT32_MAX, INT32_MIN, -1, 0x12345678};
static const uintptr_t uint3264_values[] = {0, 1, INT32_MAX, 0x80000000, UINT32_MAX, 0x12345678};
static const RT_COLOUR colour_values[] = {RT_RED, RT_GREEN, RT_BLUE, RT_LAST, (RT_COLOUR)4711};
static const RT_WIDE wide_values[] = {RT_LOW, RT_MINUS, RT_NIL, RT_70000, RT_HIGH};

/* Operation Rt<name>, its type, its values. */
#define BASE_TYPES(X)                                                                              \
    X(Boolean, boolean, boolean_values)                                                            \
    X(Byte, byte, byte_values)                                                                     \
    X(Char, unsigned char, byte_values)                                                            \
    X(SignedChar, signed char, signed_char_values)                                                 \
    X(Small, small, signed_char_values)                                                            \
    X(UnsignedSmall, unsigned char, byte_values)                                                   \
    X(Short, int16_t, short_values)                                                                \
    X(UnsignedShort, uint16_t, ushort_values)                                                      \
    X(Long, int32_t, long_values)                                                                  \
    X(UnsignedLong, uint32_t, ulong_values)                                                        \
    X(Int, int32_t, long_values)                                                                   \
    X(Hyper, int64_t, hyper_values)                                                                \
    X(UnsignedHyper, uint64_t, uhyper_values)                                                      \
    X(Float, float, float_values)                                                                  \
    X(Double, double, double_values)                                                               \
    X(WChar, WCHAR, wchar_values)                                                                  \
    X(Int3264, intptr_t, int3264_values)                                                           \
    X(UnsignedInt3264, uintptr_t, uint3264_values)                                                 \
    X(ErrorStatus, error_status_t, ulong_values)                                                   \
    X(Colour, RT_COLOUR, colour_values)                                                            \
    X(Wide, RT_WIDE, wide_values)

#endif
