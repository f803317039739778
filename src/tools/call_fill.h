/* SPDX-License-Identifier: MIT */
/* call_fill.h - parts of JSON into memory: call_fit.c, call_fill.c, call_frame.c and
 * call_fill_text.c. */
#ifndef PENSTOCK_TOOLS_CALL_FILL_H
#define PENSTOCK_TOOLS_CALL_FILL_H

#include <string.h>

#include "call_value.h"

static inline bool fill_is_nullable(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_POINTER && !(type->flags & NDR_TYPE_REF);
}

static inline bool fill_is_scalar(const NDR_TYPE *type)
{
    return type->kind > NDR_KIND_VOID && type->kind < NDR_KIND_STRUCT;
}

/* ---- call_fit.c ------------------------------------------------------------------------------ */

/* Do expressions over the scope around it say what it is? */
bool fill_is_scoped(const NDR_TYPE *type);
/* The single member of `{"$to": ...}` and kin; NULL: it is no such object. */
const json_t *fill_marked(const json_t *json, const char *mark);
/* Holds a value against the expressions of its type: what was left out becomes known. */
bool fill_fit(struct value_walk *walk, const NDR_TYPE *type, struct scope *scope,
              const json_t *json);
/* A count, now that everything is known that will be; `what` it is of the value. */
bool fill_count_of(struct value_walk *walk, const NDR_EXPR *expr, const struct scope *scope,
                   const char *what, uint32_t *ret_count);

/* ---- call_fill.c ----------------------------------------------------------------------------- */

/* All members of a scope, from the object's. */
bool fill_members(struct value_walk *walk, struct scope *scope, const json_t *json);
/* Are all of the object's members the scope's?  `what` they are called. */
bool fill_check_members(struct value_walk *walk, const struct scope *scope, const json_t *json,
                        const char *what);

/* ---- call_fill_text.c -------------------------------------------------------------------------- */

/* "expected ..., found 7"; false. */
bool fill_fail_found(struct value_walk *walk, const char *expected, const json_t *json);
bool fill_scalar(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                 uint8_t *memory, const json_t *json);
/* How many elements `json` is for an array or string of `element`s, terminators not counted;
 * false: it is none. */
bool fill_count(struct value_walk *walk, const NDR_TYPE *type, const json_t *json,
                size_t *ret_count);
/* The characters or octets of an array, at most `room` elements.  *ret_done false: `json`
 * is a list of elements and the caller's. */
bool fill_text(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory, size_t room,
               const json_t *json, bool *ret_done);
/* Structures with a text of their own, context handles and GUIDs.  *ret_done as above. */
bool fill_form(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory, const json_t *json,
               bool *ret_done);

static inline void fill_store_pointer(uint8_t *memory, const void *pointer)
{
    memcpy(memory, &pointer, sizeof(pointer));
}

#endif
