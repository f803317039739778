/* SPDX-License-Identifier: MIT */
/* shape_check.c - types that cannot be sent, each with its own message. */
#include "idl/check.h"
#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/shape.h"
#include "idl/types.h"

struct check {
    struct idl_compiler *compiler;
    const struct var *var;
    enum role role;
    const struct shape *shape;
};

static bool fail(const struct check *check, unsigned number, const char *text)
{
    diag_error(check->compiler, &check->var->loc, number, "%s", text);
    return false;
}

static bool in_array(const struct shape *shape)
{
    return shape->level_count > 0 && !shape->levels[shape->level_count - 1].is_pointer;
}

static bool check_void(const struct check *check)
{
    bool behind = check->shape->level_count > 0;
    if (behind && in_array(check->shape))
        return fail(check, 2127, "array element must not be void");
    switch (check->role) {
    case ROLE_PARAM:
        if (behind)
            return fail(check, 2139, "type of the parameter cannot derive from void or void *");
        if (check->var->name)
            return fail(check, 2047, "named parameter cannot be \"void\"");
        return fail(check, 2189, "\"void\" must be the first and only parameter");
    case ROLE_FIELD:
        if (!behind)
            return fail(check, 2126, "struct field must not be \"void\"");
        return fail(check, 2241, "struct field must not derive from void *");
    case ROLE_RESULT:
        return fail(check, 2145, "return type must not derive from a void pointer");
    }
    return false;
}

static bool check_function(const struct check *check)
{
    if (in_array(check->shape))
        return fail(check, 2130, "array element must not be a function");
    switch (check->role) {
    case ROLE_PARAM:
        if (check->shape->level_count > 0)
            return fail(check, 2142, "parameter must not derive from a pointer to a function");
        return fail(check, 2131, "parameter must not be a function");
    case ROLE_FIELD:
        return fail(check, 2244, "struct field must not derive from a pointer to a function");
    case ROLE_RESULT:
        return fail(check, 2148, "return type must not derive from a pointer to a function");
    }
    return false;
}

static bool check_handle(const struct check *check)
{
    const struct shape *shape = check->shape;
    if (check->role == ROLE_FIELD)
        return fail(check, 2135, "struct field must not derive from handle_t");
    if (in_array(shape))
        return fail(check, 2136, "array element must not derive from handle_t");
    if (check->role == ROLE_RESULT)
        return fail(check, 2238, "return type must not derive from handle_t");
    if (shape->level_count == 0)
        return true;
    if (shape->levels[0].class_is_explicit && shape->levels[0].class != POINTER_REF)
        return fail(check, 2181, "pointer to a handle cannot be [unique] or [ptr]");
    diag_later(check->compiler, &check->var->loc, "a pointer to handle_t");
    return false;
}

/* idl.md 4: pipes are parameters, by value or by one [ref] pointer. */
static bool check_pipe(const struct check *check)
{
    const struct shape *shape = check->shape;
    if (check->role == ROLE_FIELD)
        return fail(check, 2321, "pipes cannot be members of structures");
    if (check->role == ROLE_RESULT)
        return fail(check, 2322, "invalid pipe usage: a pipe cannot be a result");
    for (unsigned i = 0; i < shape->level_count; i++) {
        if (!shape->levels[i].is_pointer)
            return fail(check, 2321, "pipes cannot be array elements");
        if (shape->levels[i].size)
            return fail(check, 2321, "pipes cannot be array elements");
    }
    if (!check->shape->base->pipe_name)
        return fail(check, 2322, "invalid pipe usage: a pipe type needs a typedef");
    if (shape->level_count > 1)
        return fail(check, 2343, "pipes must use single indirection");
    if (shape->is_string)
        return fail(check, 2322, "invalid pipe usage: a pipe is no string");
    if (attr_find(check->var->attrs, ATTR_UNIQUE) || attr_find(check->var->attrs, ATTR_PTR) ||
        (shape->level_count > 0 && shape->levels[0].class != POINTER_REF))
        return fail(check, 2322, "invalid pipe usage: a pipe cannot be [unique] or [ptr]");
    return true;
}

/* Non-encapsulated: something must say which arm is in use. */
static bool check_union(const struct check *check)
{
    const struct shape *shape = check->shape;
    if (shape->base->aggregate->is_plain && (shape->switch_is || shape->switch_type)) {
        const struct attr *attr = shape->switch_is ? shape->switch_is
                                                   : attr_find(check->var->attrs, ATTR_SWITCH_TYPE);
        diag_error(check->compiler, attr ? &attr->loc : &check->var->loc, 2122,
                   "[%s] is not applicable to a union whose members have no [case]",
                   shape->switch_is ? "switch_is" : "switch_type");
        return false;
    }
    if (shape->base->aggregate->is_plain)
        return fail(check, check->role == ROLE_PARAM   ? 2143
                           : check->role == ROLE_FIELD ? 2243
                                                       : 2147,
                    "a union whose members have no [case] cannot be sent");
    if (check->role == ROLE_RESULT)
        return fail(check, 2198, "a union cannot be returned");
    if (check->role == ROLE_FIELD && check->var->aggregate && check->var->aggregate->is_union)
        return fail(check, 2221, "a union arm cannot be another non-encapsulated union");
    for (unsigned i = 0; i < shape->level_count; i++) {
        if (!shape->levels[i].is_pointer || shape->levels[i].size)
            return fail(check, 2159, "array of unions: put the union into a structure");
    }
    if (!shape->switch_is)
        return fail(check, 2078, "no [switch_is] attribute specified for this union");
    const struct attr_arg *arg = shape->switch_is->args;
    if (arg->expr && !arg->next)
        return true;
    diag_error(check->compiler, &arg->loc, 2025, "syntax error: [switch_is] takes one expression");
    return false;
}

/* A structure that ends in a conformant array has no size of its own (idl.md 3.3). */
static bool check_open_struct(const struct check *check)
{
    const struct shape *shape = check->shape;
    const struct var *var = check->var;
    if (shape->level_count > 0) {
        if (in_array(shape) || shape->levels[shape->level_count - 1].size)
            return fail(check, 2043, "array element must not be a conformant structure");
        if (check->role == ROLE_PARAM && !var->is_in && var->is_out && shape->level_count == 1)
            return check_not_counted(check->compiler, var) &&
                   fail(check, 2040,
                        "[out] only parameter must not derive from a top-level conformant "
                        "structure: nothing says how much of it there is");
        return true;
    }
    switch (check->role) {
    case ROLE_PARAM:
        return fail(check, 2465, "a conformant structure must be passed by reference");
    case ROLE_RESULT:
        return fail(check, 2199, "a conformant structure cannot be returned");
    case ROLE_FIELD:
        if (var->aggregate && var->aggregate->is_union)
            return fail(check, 2171, "union arm cannot be a conformant structure");
        if (var->next)
            return fail(check, 2055,
                        "a conformant structure must be the last member of the structure");
        return true;
    }
    return true;
}

static bool check_ignored(const struct check *check)
{
    const struct shape *shape = check->shape;
    if (shape->level_count > 0 && shape->levels[0].is_pointer)
        return true;
    return fail(check, 2072, "[ignore] applies to pointers only");
}

/* A context handle somewhere else than in a parameter of its own (MS-RPCE 2.2.4.3). */
static bool check_context(const struct check *check)
{
    const struct shape *shape = check->shape;
    if (shape->switch_is) {
        diag_error(check->compiler, &shape->switch_is->loc, 2072,
                   "[switch_is] applies to unions only");
        return false;
    }
    if (check->role == ROLE_RESULT && shape->level_count > 0)
        return fail(check, 2268, "a result cannot be a pointer to a context handle");
    return handle_context_usable(check->compiler, shape->context, &check->var->loc);
}

bool shape_check_base(struct idl_compiler *compiler, const struct var *var, enum role role,
                      const struct shape *shape)
{
    struct check check = {.compiler = compiler, .var = var, .role = role, .shape = shape};
    struct type *base = shape->base;
    if (shape->is_ignored)
        return check_ignored(&check);
    if (shape->context)
        return check_context(&check);
    if (shape->switch_is && base->kind != TYPE_UNION) {
        diag_error(compiler, &shape->switch_is->loc, 2190,
                   "[switch_is] applies to nonencapsulated unions only");
        return false;
    }
    if (role == ROLE_FIELD && var->aggregate && var->aggregate->is_union &&
        shape->level_count > 0 && shape->levels[0].is_pointer &&
        shape->levels[0].class == POINTER_REF)
        return fail(&check, 2249, "a union arm must not be a [ref] pointer");
    if (base->kind == TYPE_FUNCTION)
        return check_function(&check);
    if (base->kind == TYPE_PIPE)
        return check_pipe(&check);
    bool is_aggregate = base->kind == TYPE_STRUCT || base->kind == TYPE_UNION;
    if (is_aggregate && !base->aggregate->defined && !base->aggregate->being_defined) {
        diag_error(compiler, &var->loc, 2011, "unresolved type declaration: %s is not defined",
                   base->aggregate->c_name);
        return false;
    }
    if (is_aggregate && base->aggregate->has_bit_fields)
        return fail(&check, role == ROLE_PARAM   ? 2140
                            : role == ROLE_FIELD ? 2242
                                                 : 2146,
                    "a structure that contains bit fields cannot be sent");
    if (base->kind == TYPE_UNION)
        return check_union(&check);
    if (base->kind == TYPE_STRUCT && aggregate_is_open(base->aggregate))
        return check_open_struct(&check);
    if (base->kind != TYPE_BASE)
        return true;
    if (base->base == BASE_VOID)
        return check_void(&check);
    if (base->base == BASE_HANDLE)
        return check_handle(&check);
    if (base->base == BASE_ERROR_STATUS && role == ROLE_FIELD)
        return fail(&check, 2160, "field must not derive from an error_status_t type");
    if (base->base == BASE_ERROR_STATUS && in_array(shape))
        return fail(&check, 2226, "array element must not derive from an error_status_t type");
    return true;
}
