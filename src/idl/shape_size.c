/* SPDX-License-Identifier: MIT */
/* shape_size.c - size_is, length_is and kin on the levels of a type (idl.md 3.5). */
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/shape.h"
#include "idl/types.h"

struct sizes {
    struct idl_compiler *compiler;
    const struct var *var;
    enum role role;
    struct shape *shape;
};

/* Gives one level the value of one attribute. */
static bool place_one(struct sizes *sizes, const struct attr *attr, const struct expr *expr,
                      struct level *level)
{
    struct idl_compiler *c = sizes->compiler;
    bool is_size = attr->id == ATTR_SIZE_IS || attr->id == ATTR_MAX_IS;
    if (attr->id == ATTR_FIRST_IS) {
        level->first = expr;
        return true;
    }
    if (is_size ? level->size != NULL : level->length != NULL) {
        diag_error(c, &attr->loc, is_size ? 2077 : 2076,
                   is_size ? "[max_is] and [size_is] cannot be specified at the same time"
                           : "[length_is] and [last_is] cannot be specified at the same time");
        return false;
    }
    if (!is_size) {
        level->length = expr;
        level->length_is_last = attr->id == ATTR_LAST_IS;
        return true;
    }
    if (!level->is_pointer && level->count > 0) {
        diag_error(c, &attr->loc, 2299, "[%s] cannot be applied to an array of fixed size",
                   attr->name);
        return false;
    }
    level->size = expr;
    level->size_is_max = attr->id == ATTR_MAX_IS;
    return true;
}

/* The n-th argument is for the n-th level from outside. */
static bool place(struct sizes *sizes, enum attr_id id)
{
    struct shape *shape = sizes->shape;
    const struct attr *attr = attr_find(sizes->var->attrs, id);
    unsigned i = 0;
    bool says = false;
    for (const struct attr_arg *arg = attr ? attr->args : NULL; arg; arg = arg->next, i++) {
        if (!arg->expr)
            continue;
        says = true;
        if (i >= shape->level_count) {
            diag_error(sizes->compiler, &attr->loc, 2072,
                       "[%s] needs a pointer or an array for each size", attr->name);
            return false;
        }
        if (!place_one(sizes, attr, arg->expr, &shape->levels[i]))
            return false;
    }
    if (attr && !says) /* size_is(,) leaves every level without one */
        diag_error(sizes->compiler, &attr->loc, 2025, "syntax error: [%s] needs an expression",
                   attr->name);
    return !attr || says;
}

/* Open dimensions: the first one, in a structure of the last field. */
static bool check_open(const struct sizes *sizes)
{
    struct idl_compiler *c = sizes->compiler;
    const struct shape *shape = sizes->shape;
    const struct var *var = sizes->var;
    for (unsigned i = 0; i < shape->level_count; i++) {
        if (shape->levels[i].is_pointer || shape->levels[i].count > 0)
            continue;
        if (i > 0 && !shape->levels[i - 1].is_pointer) {
            diag_error(c, &var->loc, 2296, "only the first dimension may be open");
            return false;
        }
        if (i > 0) {
            diag_error(c, &var->loc, 2104, "pointer to a conformant array is not supported");
            return false;
        }
        if (sizes->role == ROLE_FIELD && var->aggregate && var->aggregate->is_union) {
            diag_error(c, &var->loc, 2171, "union arm '%s' cannot be a conformant array",
                       var->name);
            return false;
        }
        if (sizes->role == ROLE_FIELD && var->next) {
            diag_error(c, &var->loc, 2055,
                       "conformant array '%s' must be the last member of the structure", var->name);
            return false;
        }
    }
    return true;
}

/* length_is and kin on one level. */
static bool check_varying(const struct sizes *sizes, unsigned i)
{
    struct idl_compiler *c = sizes->compiler;
    const struct shape *shape = sizes->shape;
    const struct var *var = sizes->var;
    const struct level *level = &shape->levels[i];
    bool innermost = i + 1 == shape->level_count;
    if (shape->is_string && innermost) {
        diag_error(c, &var->loc, 2075,
                   "[length_is], [first_is] and [last_is] cannot be used with [string]");
        return false;
    }
    if (level->is_pointer && !level->size) {
        diag_error(c, &var->loc, 2105, "array '%s' does not derive any size", var->name);
        return false;
    }
    if (!level->is_pointer && var->aggregate && var->aggregate->is_union) {
        diag_error(c, &var->loc, 2171, "union arm '%s' cannot be a varying array", var->name);
        return false;
    }
    const struct type *size = level->size ? layout_expr_type(level->size, var) : NULL;
    const struct type *length = level->length ? layout_expr_type(level->length, var) : NULL;
    if (size && length && size->kind == TYPE_BASE && length->kind == TYPE_BASE &&
        size->base != length->base)
        diag_warning(c, &var->loc, 2081, 2,
                     "type mismatch between length and size attribute expressions of '%s'",
                     var->name);
    return true;
}

static bool check_conformance(const struct sizes *sizes)
{
    struct idl_compiler *c = sizes->compiler;
    const struct shape *shape = sizes->shape;
    for (unsigned i = 0; i < shape->level_count; i++) {
        const struct level *level = &shape->levels[i];
        bool innermost = i + 1 == shape->level_count;
        bool conformant = !level->is_pointer && level->count == 0;
        if (conformant && !level->size && !(shape->is_string && innermost)) {
            diag_error(c, &sizes->var->loc, 2105, "array '%s' does not derive any size",
                       sizes->var->name ? sizes->var->name : "");
            return false;
        }
        if ((level->first || level->length) && !check_varying(sizes, i))
            return false;
    }
    return true;
}

/* Does the level hold an array whose elements are those of the next one?  A string is an
 * element, however it is written (MS-RPCE 2.2.4.4). */
static bool goes_on(const struct shape *shape, unsigned i)
{
    const struct level *level = &shape->levels[i];
    bool is_array = !level->is_pointer || level->size;
    bool next_is_string = shape->is_string && i + 2 == shape->level_count;
    return is_array && i + 1 < shape->level_count && !shape->levels[i + 1].is_pointer &&
           !next_is_string;
}

/* When one dimension varies, all have an offset and a count (C706 14.3.3.9). */
static void mark_varying(struct shape *shape)
{
    for (unsigned first = 0, end; first < shape->level_count; first = end) {
        bool varies = false;
        end = first;
        do {
            varies |= shape->levels[end].first || shape->levels[end].length;
        } while (goes_on(shape, end++));
        for (unsigned i = first; i < end; i++)
            shape->levels[i].is_varying = varies;
    }
}

bool shape_place_sizes(struct idl_compiler *compiler, const struct var *var, enum role role,
                       struct shape *shape)
{
    static const enum attr_id ids[] = {ATTR_SIZE_IS, ATTR_MAX_IS, ATTR_FIRST_IS, ATTR_LENGTH_IS,
                                       ATTR_LAST_IS};
    struct sizes sizes = {.compiler = compiler, .var = var, .role = role, .shape = shape};
    const struct attr *min_is = attr_find(var->attrs, ATTR_MIN_IS);
    if (min_is) {
        diag_error(compiler, &min_is->loc, 2176,
                   "[min_is] is not implemented: arrays begin at index 0");
        return false;
    }
    if (!check_open(&sizes))
        return false;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (!place(&sizes, ids[i]))
            return false;
    }
    mark_varying(shape);
    return check_conformance(&sizes);
}
