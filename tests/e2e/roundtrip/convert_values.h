/* SPDX-License-Identifier: MIT */
/* convert_values.h - the number in each converted type, and numbers at which the routines
 * of both programs misbehave. */
#ifndef ROUNDTRIP_CONVERT_VALUES_H
#define ROUNDTRIP_CONVERT_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "convert.h"

#define RAISE_SENDING   71000 /* raises RAISED_SENDING where it is to be sent           */
#define RAISE_RECEIVING 72000 /* raises RAISED_RECEIVING where it came in               */
#define SEND_NOTHING    73000 /* gives no value, or returns NULL where it is to be sent */
#define READ_TOO_FAR    74000 /* user marshalled: says it read too far                  */
#define RAISED_SENDING   5100
#define RAISED_RECEIVING 5101

/* Name of the operation without Cv, its type in C. */
#define CONVERT_TYPES(X)                                                                           \
    X(Box, RT_BOX)                                                                                 \
    X(Chain, RT_CHAIN)                                                                             \
    X(Spot, LOCAL_SPOT)                                                                            \
    X(Angle, LOCAL_ANGLE)                                                                          \
    X(Thing, RT_THING)                                                                             \
    X(Blob, RT_BLOB)                                                                               \
    X(Label, LOCAL_LABEL)

/* A fresh value; raises RPC_S_OUT_OF_MEMORY.  The number in one, INT32_MIN: it is damaged.
 * Frees what it points to and makes it all zero. */
#define CONVERT_DECLARATION(name, type)                                                            \
    type make_##name(int32_t number);                                                              \
    int32_t get_##name(const type *value);                                                         \
    void clear_##name(type *value);
CONVERT_TYPES(CONVERT_DECLARATION)

/* The same for a bag of numbers made of `seed`; bag_fill wants a zeroed one. */
void bag_fill(RT_BAG *bag, int32_t seed);
bool bag_is(const RT_BAG *bag, int32_t seed);
/* In place. */
void bag_change(RT_BAG *bag, int32_t seed);
void bag_clear(RT_BAG *bag);

#endif
