/* SPDX-License-Identifier: MIT */
/* elements.h - the element types of the matrix and a pattern for each: what stands at
 * a position of a pipe follows from the position and a seed, so that a lost, doubled or
 * shifted element is seen wherever it happens. */
#ifndef MATRIX_ELEMENTS_H
#define MATRIX_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "matrix.h"

/* name, C type */
#define ELEMENTS(X)                                                                                \
    X(byte, byte)                                                                                  \
    X(long, int32_t)                                                                               \
    X(hyper, int64_t)                                                                              \
    X(double, double)                                                                              \
    X(pair, pair)                                                                                  \
    X(five, five)                                                                                  \
    X(wide, wide)                                                                                  \
    X(colour, colour)

#define ELEMENT_INDEX(name, type) ELEMENT_##name,
enum element_index { ELEMENTS(ELEMENT_INDEX) ELEMENT_COUNT };
#undef ELEMENT_INDEX

struct element {
    const char *name;
    size_t size;   /* in memory, octets                      */
    size_t stride; /* on the wire, octets from one to the next */
    /* `count` elements from position `first` on. */
    void (*fill)(uint64_t first, uint32_t seed, void *memory, size_t count);
    /* The first wrong one of them, or `count`. */
    size_t (*check)(uint64_t first, uint32_t seed, const void *memory, size_t count);
};

extern const struct element elements[ELEMENT_COUNT];

/* Octets of the byte pattern: for pushes without copying.  Valid for at most
 * OCTETS_RUN octets. */
#define OCTETS_RUN (1u << 20)
const uint8_t *octets_at(uint64_t first, uint32_t seed);

#endif
