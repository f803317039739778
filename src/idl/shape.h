/* SPDX-License-Identifier: MIT */
/* shape.h - what a declarator and its attributes mean together.
 *
 * `[in, size_is(,n), string] wchar_t **names` is a list of levels, outermost first,
 * above a base: pointer (ref), pointer (unique, sized by n), base wchar_t, string at
 * the innermost level.  Typedef names are looked through; what they carry (a pointer
 * class, [string], [range]) lands on the level it was written for. */
#ifndef PENSTOCK_IDL_SHAPE_H
#define PENSTOCK_IDL_SHAPE_H

#include "idl/compiler.h"

#define SHAPE_LEVELS_MAX 8

enum role { ROLE_PARAM, ROLE_FIELD, ROLE_RESULT };

struct node_range;

struct level {
    bool is_pointer;          /* else an array */
    enum pointer_class class; /* pointers; parameters that are arrays */
    bool class_is_explicit;
    bool dont_free;          /* [allocate(dont_free)] */
    bool all_nodes;          /* [allocate(all_nodes)] */
    uint32_t count;          /* arrays; 0: conformant */
    const struct expr *size; /* size_is or max_is; NULL: none */
    bool size_is_max;        /* size holds the highest index */
    const struct expr *first;  /* first_is; NULL: none */
    const struct expr *length; /* length_is or last_is; NULL: none */
    const struct node_range *count_range; /* [range] of its max count, or NULL */
    bool length_is_last;       /* length holds the last index */
    bool is_varying;           /* it, or another dimension of the same array, has first or
                                * length */
};

struct shape {
    struct level levels[SHAPE_LEVELS_MAX];
    unsigned level_count;
    struct type *base; /* no alias, const, pointer or array; of a context handle: its name */
    const struct var *context; /* the typedef of the context handle that base is, or NULL */
    bool is_string;
    bool target_is_const; /* what the outermost level leads to is const */
    bool is_ignored;      /* [ignore] */
    struct type *switch_type;     /* [switch_type]; NULL: none */
    const struct attr *switch_is; /* NULL: none */
};

/* False: reported (or the type was wrong before). */
bool shape_resolve(struct idl_compiler *compiler, struct var *var, enum role role,
                   struct shape *ret_shape);

/* The bounds that [range] gives values of `base`, which has no alias.  False: reported. */
bool shape_value_range(struct idl_compiler *compiler, const struct attr *attr,
                       const struct type *base, struct node_range *ret_range);

/* Are the elements of the level counted by length_is and kin? */
static inline bool level_is_varying(const struct level *level)
{
    return level->is_varying;
}

/* shape_size.c: puts size_is, length_is and kin on their levels and checks them. */
bool shape_place_sizes(struct idl_compiler *compiler, const struct var *var, enum role role,
                       struct shape *shape);

/* shape_check.c: may the base stand behind these levels in that role? */
bool shape_check_base(struct idl_compiler *compiler, const struct var *var, enum role role,
                      const struct shape *shape);

#endif
