/* SPDX-License-Identifier: MIT */
/* call_fit.c - what values say about the expressions of their types: three elements of
 * size_is(n) make n 3, where n was left out. */
#include "call_fill.h"

/* Do expressions over the scope around it say what it is? */
bool fill_is_scoped(const NDR_TYPE *type)
{
    for (; type; type = type->element) {
        if (type->max_count || type->first || type->length)
            return true;
        if (type->kind == NDR_KIND_UNION)
            return type->alternatives->switch_is != NULL;
        if (type->kind == NDR_KIND_STRUCT)
            return false;
    }
    return false;
}

/* The single member of `{"$to": ...}` and kin; NULL: it is no such object. */
const json_t *fill_marked(const json_t *json, const char *mark)
{
    return json_is_object(json) && json_object_size(json) == 1 ? json_object_get(json, mark)
                                                               : NULL;
}

static bool solve(struct value_walk *walk, const NDR_EXPR *expr, struct scope *scope, int64_t value)
{
    int64_t known;
    if (!expr || expr_value(expr, scope, &known) != EXPR_UNKNOWN)
        return true; /* whether it is right is looked at when the value is filled */
    const char *name = expr_unknown(expr, scope);
    if (expr_solve(expr, scope, value) != EXPR_BAD)
        return true;
    return value_fail(walk, "%lld cannot be a value of '%s'", (long long)value, name);
}

static bool fit_array(struct value_walk *walk, const NDR_TYPE *type, struct scope *scope,
                      const json_t *json)
{
    size_t count;
    int64_t first = 0;
    if (!fill_count(walk, type, json, &count))
        return false;
    bool is_string = type->kind == NDR_KIND_STRING;
    if (type->first &&
        (!solve(walk, type->first, scope, 0) || expr_value(type->first, scope, &first) != EXPR_OK))
        first = 0;
    if (!solve(walk, type->length, scope, (int64_t)count) ||
        !solve(walk, type->max_count, scope, first + (int64_t)count + (is_string ? 1 : 0)))
        return false;
    if (is_string || !fill_is_scoped(type->element) || !json_is_array(json))
        return !walk->failed;
    for (size_t i = 0; i < count; i++) {
        size_t mark = value_enter_index(walk, i);
        bool ok = mark != SIZE_MAX && fill_fit(walk, type->element, scope, json_array_get(json, i));
        value_leave(walk, mark);
        if (!ok)
            return false;
    }
    return true;
}

/* The arm a value is for gives the discriminant, if it has one case only. */
static bool fit_union(struct value_walk *walk, const NDR_TYPE *type, struct scope *scope,
                      const json_t *json)
{
    const NDR_UNION *u = type->alternatives;
    const NDR_ARM *only = NULL;
    if (!u->switch_is || !json_is_object(json))
        return true;
    for (uint32_t i = 0; i < u->arm_count; i++) {
        if (!u->arms[i].type || !json_object_get(json, u->arms[i].name))
            continue;
        if (only)
            return true; /* several: the discriminant has to be given */
        only = &u->arms[i];
    }
    return !only || solve(walk, u->switch_is, scope, only->value);
}

/* Nothing there: a size that was left out is 0. */
static bool fit_null(struct value_walk *walk, const NDR_TYPE *type, struct scope *scope)
{
    if (type->kind != NDR_KIND_ARRAY && type->kind != NDR_KIND_STRING)
        return true;
    return solve(walk, type->length, scope, 0) && solve(walk, type->max_count, scope, 0);
}

bool fill_fit(struct value_walk *walk, const NDR_TYPE *type, struct scope *scope,
              const json_t *json)
{
    while (type->kind == NDR_KIND_POINTER) {
        if (json_is_null(json) && fill_is_nullable(type))
            return fit_null(walk, type->element, scope);
        if (fill_marked(json, "$same"))
            return true;
        if (fill_is_nullable(type) && fill_marked(json, "$to"))
            json = fill_marked(json, "$to");
        type = type->element;
    }
    if (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING)
        return fit_array(walk, type, scope, json);
    return type->kind != NDR_KIND_UNION || fit_union(walk, type, scope, json);
}

/* A count, now that everything is known that will be. */
bool fill_count_of(struct value_walk *walk, const NDR_EXPR *expr, const struct scope *scope,
                   const char *what, uint32_t *ret_count)
{
    int64_t value;
    const char *unknown = expr_unknown(expr, scope);
    switch (expr_value(expr, scope, &value)) {
    case EXPR_UNKNOWN:
        return value_fail(walk, "its %s cannot be worked out: give '%s'", what,
                          unknown ? unknown : "its operands");
    case EXPR_OK:
        if (value >= 0 && value <= UINT32_MAX) {
            *ret_count = (uint32_t)value;
            return true;
        }
        return value_fail(walk, "its %s would be %lld", what, (long long)value);
    case EXPR_BAD:
        break;
    }
    return value_fail(walk, "its %s has no value", what);
}

