/* SPDX-License-Identifier: MIT */
/* shape.h - what descriptors say about a value in memory: sizes, expressions, discriminants.
 * Written from rpcndr.h alone; the engine under test has its own. */
#ifndef PENSTOCK_TESTS_GOLDEN_SHAPE_H
#define PENSTOCK_TESTS_GOLDEN_SHAPE_H

#include "harness.h"

/* Octets of a scalar in memory; 0: the kind is none. */
size_t scalar_size(NDR_KIND kind);
/* Integers: true, unless the kind is none or a floating one. */
bool scalar_load(NDR_KIND kind, const void *memory, int64_t *ret_value);
/* False, and nothing stored: the value does not fit, read as signed or unsigned. */
bool scalar_store(NDR_KIND kind, void *memory, int64_t value);

void *pointer_load(const void *slot);
void pointer_store(void *slot, const void *pointer);

/* False: it has no value. */
bool expression(const NDR_EXPR *expr, const void *base, int64_t *ret_value);

/* Of an ARRAY, or a STRING with a size: the elements there are, and those that travel. */
struct shape {
    int64_t max, first, count;
};
bool shape_of(const NDR_TYPE *type, const void *base, struct shape *ret_shape);

bool is_sized(const NDR_TYPE *type);        /* max_count says how many there are */
bool is_encapsulated(const NDR_TYPE *type); /* a UNION */

/* The discriminant of a union, as its kind holds it. */
bool union_tag(const NDR_TYPE *type, const void *memory, const void *base, int64_t *ret_tag);
const NDR_ARM *union_arm(const NDR_TYPE *type, int64_t tag); /* NULL: none */
int64_t as_kind(NDR_KIND kind, int64_t value);

/* Octets of storage for a value of the type.  A string without a size has none; `elements_max`
 * elements are reckoned at the end of a conformant structure. */
size_t storage_size(const NDR_TYPE *type, const void *base, int64_t elements_max);

size_t string_len(const NDR_TYPE *type, const void *memory); /* elements before the NUL */

#endif
