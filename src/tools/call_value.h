/* SPDX-License-Identifier: MIT */
/* call_value.h - between JSON and the memory that descriptors describe.
 *
 *     arguments --value_fill_frame--> frame --(the call)--> frame --value_show_frame--> results
 *
 * The JSON of each type: penstock(1).  Sizes and discriminants need not be given: what an
 * expression computes is solved for the one operand that is missing. */
#ifndef PENSTOCK_TOOLS_CALL_VALUE_H
#define PENSTOCK_TOOLS_CALL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <penstock/rpcndr.h>

/* Values nested in each other, pointers included; jansson has its own limit for input. */
#define VALUE_DEPTH_MAX 2000u

/* What expressions refer to: the members of a structure, or the parameters of a frame. */
struct scope {
    uint8_t *base;
    const NDR_FIELD *members;
    uint32_t count;
    uint8_t *known; /* of each member; NULL: all have their values */
};

enum expr_result {
    EXPR_OK,
    EXPR_UNKNOWN, /* an operand has no value yet, and cannot be computed */
    EXPR_BAD      /* it makes no sense: overflow, division by zero, NULL dereferenced */
};

/* The value of `expr`. */
enum expr_result expr_value(const NDR_EXPR *expr, const struct scope *scope, int64_t *ret_value);
/* Gives the one operand that is not known the value with which `expr` is `target`. */
enum expr_result expr_solve(const NDR_EXPR *expr, struct scope *scope, int64_t target);
/* The first operand that is not known; NULL: there is none. */
const char *expr_unknown(const NDR_EXPR *expr, const struct scope *scope);

/* Integers of every kind at any address.  False: the value does not fit. */
bool value_load(NDR_KIND kind, const void *memory, int64_t *ret_value);
bool value_store(NDR_KIND kind, void *memory, int64_t value);
static inline bool value_is_unsigned(NDR_KIND kind)
{
    return kind == NDR_KIND_UINT64 || kind == NDR_KIND_UINT3264;
}

/* An object that more than one full pointer may lead to, and where it was first seen. */
struct alias {
    const void *object;
    const NDR_TYPE *type; /* of the object */
    char *path;
    struct alias *next;  /* of all, the last one first */
    struct alias *chain; /* of those with the same hash */
};

/* One way through, in one direction. */
struct value_walk {
    const char *root; /* "arguments"; what paths in messages begin with */
    char *path;       /* where we are, "request.names[2]" */
    size_t path_len, path_room;
    bool failed;
    char error[512]; /* "arguments.request.names[2]: expected a string, found 7" */
    unsigned depth;
    bool sizing;     /* fill: only what decides about the size of an open structure */
    uint32_t tail_count;
    struct alias *aliases;
    struct alias **buckets; /* the same by their objects; a power of two of them */
    size_t bucket_count, alias_count;
};

void value_walk_init(struct value_walk *walk, const char *root);
void value_walk_fini(struct value_walk *walk);
/* The first failure is kept.  Returns false. */
bool value_fail(struct value_walk *walk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool value_out_of_memory(struct value_walk *walk);
/* Appends to the path; the result is for value_leave().  (size_t)-1: failed. */
size_t value_enter(struct value_walk *walk, const char *name);
size_t value_enter_index(struct value_walk *walk, size_t index);
void value_leave(struct value_walk *walk, size_t mark);

bool value_note_alias(struct value_walk *walk, const void *object, const NDR_TYPE *type);
const struct alias *value_alias_at(const struct value_walk *walk, const void *object,
                                   const NDR_TYPE *type);
const struct alias *value_alias_named(const struct value_walk *walk, const char *path);

/* Octets in memory of a value whose size is its type's. */
size_t value_size(const NDR_TYPE *type);
/* Arrays of these are shown as hexadecimal digits. */
static inline bool value_is_octet(NDR_KIND kind)
{
    return kind == NDR_KIND_BYTE || kind == NDR_KIND_CHAR || kind == NDR_KIND_UINT8;
}
/* The conformant array or string at the end of an open structure; NULL: none. */
const NDR_TYPE *value_tail(const NDR_TYPE *type, size_t *ret_offset);
/* Is null a value of it: no pointee, an empty arm, no context? */
bool value_may_be_null(const NDR_TYPE *type);
/* The arm of a discriminant; NULL: there is none. */
const NDR_ARM *value_arm(const NDR_UNION *alternatives, int64_t tag);
/* The members of a frame, as those of a structure; gives, free(). */
NDR_FIELD *value_frame_members(const NDR_OPERATION *operation);
/* Is the parameter a value, no handle and no pipe? */
bool value_is_data(const NDR_PARAM *param);

/* ---- Fill: call_frame.c, call_fill.c ------------------------------------------------- */

/* The [in] parameters from `arguments`, room for the [out] ones.  False: walk->error. */
bool value_fill_frame(struct value_walk *walk, const NDR_OPERATION *operation, uint8_t *frame,
                      const json_t *arguments);
/* One value without a scope: an element of a pipe. */
bool value_fill_element(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        const json_t *json);

/* ---- Show: call_show.c, call_show_text.c ---------------------------------------------------- */

/* The [out] parameters and the result; NULL: walk->error. */
json_t *value_show_frame(struct value_walk *walk, const NDR_OPERATION *operation,
                         const uint8_t *frame);
json_t *value_show_element(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory);

json_t *show_scalar(const NDR_TYPE *type, const uint8_t *memory);
/* Elements as text: digits for octets, characters for wchar_t, both for strings.  *ret_json
 * NULL: they are no text.  False: out of memory, noted. */
bool show_text(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory, size_t count,
               json_t **ret_json);
/* *ret_json NULL: the structure has no form of its own.  False as above. */
bool show_form(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory,
               json_t **ret_json);

#endif
