/* SPDX-License-Identifier: MIT */
/* expr.h - values of size_is and friends, and scalars in memory as integers. */
#ifndef PENSTOCK_NDR_EXPR_H
#define PENSTOCK_NDR_EXPR_H

#include <stdbool.h>
#include <string.h>

#include <penstock/rpcndr.h>

/* Evaluates `expr` over `base`.  False when it has no value: a NULL pointer
 * dereferenced, a division by zero, overflow of 64 bits. */
bool ndr_expr_value(const NDR_EXPR *expr, const void *base, int64_t *ret_value);

/* Does the value depend on what a pointer of `base` leads to, or on its being NULL? */
bool ndr_expr_follows_pointers(const NDR_EXPR *expr);

/* ndr_expr_value as a count of elements: false also when outside 0..NDR_COUNT_MAX. */
bool ndr_expr_count(const NDR_EXPR *expr, const void *base, uint32_t *ret_count);

/* The integer of kind `kind` at `memory`; false for kinds that are none. */
bool ndr_load_integer(NDR_KIND kind, const void *memory, int64_t *ret_value);

/* Stores an integer; false, and nothing stored, when it does not fit the kind, read as
 * signed or unsigned, or the kind is none. */
bool ndr_store_integer(NDR_KIND kind, void *memory, int64_t value);

/* Pointers are moved by memcpy: a packed structure may misalign them. */
static inline void *ndr_load_pointer(const void *slot)
{
    void *pointer;
    memcpy(&pointer, slot, sizeof(pointer));
    return pointer;
}

static inline void ndr_store_pointer(void *slot, const void *pointer)
{
    memcpy(slot, &pointer, sizeof(pointer));
}

#endif
