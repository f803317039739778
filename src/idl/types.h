/* SPDX-License-Identifier: MIT */
/* types.h - questions about types. */
#ifndef PENSTOCK_IDL_TYPES_H
#define PENSTOCK_IDL_TYPES_H

#include "idl/compiler.h"

struct base_info {
    const char *idl_name;
    const char *c_name;
    const char *ndr_kind;  /* NDR_KIND_*, without the prefix */
    unsigned size;         /* NDR 2.0 octets = alignment; 0: not sent */
    bool flat;             /* memory and NDR 2.0 representation are the same */
    bool integral;         /* may be used in attribute expressions and for [range] */
    bool wide;             /* 64 bits */
    const char *expr_kind; /* NDR_KIND_* to load it with, in expressions */
    int64_t low, high;     /* values of constants; high -1: unsigned 64 bits */
};

/* The table row of `base`. */
const struct base_info *base_info(enum base_kind base);

/* Without typedef names and const. */
struct type *type_strip(struct type *type);
/* Without const only. */
struct type *type_unqualified(struct type *type);
bool type_is_base(struct type *type, enum base_kind base);
bool type_is_error(struct type *type);
/* Does the structure end in a conformant array, perhaps one of a structure inside? */
bool aggregate_is_open(const struct aggregate *aggregate);
/* "struct ", "union " or "enum ", and the tag behind it. */
const char *type_word(const struct type *type);
const char *type_tag(const struct type *type);
/* The tag or typedef name alone. */
const char *type_plain_name(const char *c_name);
/* The same in the header: a C compiler takes both as typedefs of one name. */
bool type_same_in_c(struct type *a, struct type *b);
/* The same on the wire, too. */
bool type_same(struct type *a, struct type *b);
/* A pipe, directly or through a typedef name. */
struct type *type_as_pipe(struct type *type);

#endif
