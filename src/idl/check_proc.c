/* SPDX-License-Identifier: MIT */
/* check_proc.c - operations: parameters, binding handles, pipes (idl.md 4 to 6). */
#include "idl/check.h"
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/shape.h"
#include "idl/types.h"

#include <string.h>

/* ---- Names and directions ---------------------------------------------------------- */

/* `(void)` declares no parameter. */
static void drop_void(struct proc *proc)
{
    struct var *only = proc->params;
    if (!only || only->next || only->name || only->type->kind != TYPE_BASE ||
        only->type->base != BASE_VOID)
        return;
    proc->params = NULL;
    proc->param_count = 0;
}

static void prepare_params(struct idl_compiler *c, struct proc *proc)
{
    unsigned index = 0;
    for (struct var *param = proc->params; param; param = param->next) {
        index++;
        param->is_in = attr_find(param->attrs, ATTR_IN) != NULL;
        param->is_out = attr_find(param->attrs, ATTR_OUT) != NULL;
        if (!param->is_in && !param->is_out)
            param->is_in = true;
        bool is_void = param->type->kind == TYPE_BASE && param->type->base == BASE_VOID;
        if (!param->name && !is_void)
            param->name = arena_printf(&c->arena, "_unnamed_%u", index);
    }
}

/* Names the stubs need themselves. */
static void check_own_names(struct idl_compiler *c, const struct proc *proc)
{
    const char *async = arena_printf(&c->arena, "%s_AsyncHandle", proc->name);
    for (const struct var *param = proc->params; param; param = param->next) {
        if (param->name && strcmp(param->name, "_RetVal") == 0)
            diag_error(c, &param->loc, 2003, "redefinition: '_RetVal' is the result");
        if (param->name && strcmp(param->name, "_Binding") == 0)
            diag_error(c, &param->loc, 2003, "redefinition: '_Binding' is the binding");
        if (param->name && proc->is_async && strcmp(param->name, async) == 0)
            diag_error(c, &param->loc, 2003, "redefinition: '%s' is the async handle", async);
    }
}

/* ---- Parameters -------------------------------------------------------------------------- */

static bool check_out(struct idl_compiler *c, const struct var *param, const struct shape *shape)
{
    if (!param->is_out || shape->base->kind == TYPE_PIPE || type_is_base(param->type, BASE_HANDLE))
        return true;
    if (shape->level_count == 0 && convert_alias(shape->base) && convert_local_array(c, shape->base))
        return true;
    if (shape->level_count == 0) {
        diag_error(c, &param->loc, 2042, "[out] parameter '%s' is not a pointer", param->name);
        return false;
    }
    const struct level *top = &shape->levels[0];
    if (!param->is_in && top->class != POINTER_REF) {
        diag_error(c, &param->loc, 2121,
                   "[out] only parameter '%s' must not be a [unique] or [ptr] pointer",
                   param->name);
        return false;
    }
    bool unsized = !top->size && top->count == 0;
    if (!param->is_in && shape->is_string && shape->level_count == 1 && unsized) {
        if (!check_not_counted(c, param))
            return false;
        diag_error(c, &param->loc, 2041, "[out] only parameter '%s' cannot be an unsized string",
                   param->name);
        return false;
    }
    if (shape->target_is_const) {
        diag_error(c, &param->loc, 2279, "[out] parameter '%s' must not point to const",
                   param->name);
        return false;
    }
    return true;
}

static void check_pipe_param(struct idl_compiler *c, struct proc *proc, const struct var *param)
{
    if (c->options.old_mode && !proc->has_pipes)
        diag_warning(c, &proc->loc, 2318, 1, "procedure '%s' uses pipes, using -Oicf", proc->name);
    proc->has_pipes = true;
    if (proc->auto_handle)
        diag_error(c, &param->loc, 2322, "invalid pipe usage: '%s' uses [auto_handle]", proc->name);
    if (proc->idempotent)
        diag_error(c, &param->loc, 2322, "invalid pipe usage: '%s' is [idempotent]", proc->name);
}

static void check_param(struct idl_compiler *c, struct proc *proc, struct var *param)
{
    struct shape shape;
    const struct handle handle = handle_of(param);
    if (handle.kind != HANDLE_NONE)
        check_handle_memory(c, param);
    if (handle.kind == HANDLE_CONTEXT) {
        handle_check_context(c, param, &handle);
        return;
    }
    if (!shape_resolve(c, param, ROLE_PARAM, &shape) || !check_out(c, param, &shape) ||
        !check_memory(c, param, &shape))
        return;
    if (shape.base->kind == TYPE_PIPE) {
        check_pipe_param(c, proc, param);
        param->node = layout_pipe(c, shape.base);
        return;
    }
    layout_var(c, param, &shape, ROLE_PARAM);
    characters_check_param(c, param, &shape);
    check_memory_node(c, param);
}

static void check_result(struct idl_compiler *c, struct proc *proc)
{
    struct type *type = proc->result;
    if (type_is_base(type, BASE_VOID) || type_is_error(type))
        return;
    struct var *result = ARENA_NEW(&c->arena, struct var);
    result->name = "_RetVal";
    result->loc = proc->loc;
    result->type = type;
    result->attrs = proc->attrs;
    result->home = proc->home;
    result->proc = proc;
    result->is_out = true;
    const struct handle handle = handle_of(result);
    if (handle.kind == HANDLE_CONTEXT) {
        handle_check_context(c, result, &handle);
        proc->result_var = result->node ? result : NULL;
        return;
    }
    struct shape shape;
    if (convert_alias(type) ? convert_local_array(c, type) != NULL
                            : type_strip(type)->kind == TYPE_ARRAY) {
        diag_error(c, &proc->loc, 2025, "syntax error: a result cannot be an array");
        return;
    }
    if (!shape_resolve(c, result, ROLE_RESULT, &shape))
        return;
    if (type->kind == TYPE_CONST)
        diag_warning(c, &proc->loc, 2280, 2, "const on the result of '%s' means nothing",
                     proc->name);
    if (shape.level_count > 0 && shape.levels[0].class == POINTER_REF) {
        diag_error(c, &proc->loc, 2177, "return type must not derive from a [ref] pointer");
        return;
    }
    if (layout_var(c, result, &shape, ROLE_RESULT))
        proc->result_var = result;
    characters_check_param(c, result, &shape);
    check_memory_node(c, result);
}

/* Datagram peers and other vendors' servers may want the sizes before the pipe. */
static void warn_beside_pipe(struct idl_compiler *c, const struct proc *proc)
{
    if (!proc->has_pipes)
        return;
    for (const struct var *param = proc->params; param; param = param->next) {
        const struct node *node = param->node;
        while (node && node->element && node->kind[0] == 'P' && node->pointer_flag)
            node = node->element;
        if (node && node->is_sized && param->is_in) {
            diag_warning(c, &param->loc, 2352, 3,
                         "string and conformant array parameters may be "
                         "incompatible with pipe parameters of other vendors");
            return;
        }
    }
}

/* It runs inside a call of the client, which binds it; false: reported. */
static bool check_callback(struct idl_compiler *c, struct proc *proc)
{
    static const enum attr_id excluded[] = {ATTR_NOTIFY, ATTR_NOTIFY_FLAG,
                                            ATTR_EXPLICIT_HANDLE};
    bool ok = true;
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++) {
        const struct attr *attr = attr_find(proc->attrs, excluded[i]);
        if (!attr)
            continue;
        diag_error(c, &attr->loc, 2072, "inapplicable attribute: [%s] on the [callback] '%s'",
                   attr->name, proc->name);
        ok = false;
    }
    for (struct var *param = proc->params; param; param = param->next) {
        struct type *type = type_strip(param->type);
        if (handle_of(param).kind != HANDLE_NONE) {
            diag_error(c, &param->loc, 2215,
                       "a [callback] procedure cannot have a handle parameter");
            ok = false;
        } else if (type_as_pipe(type->kind == TYPE_POINTER ? type->target : type)) {
            diag_error(c, &param->loc, 2322, "invalid pipe usage: '%s' is a [callback]",
                       proc->name);
            ok = false;
        }
    }
    struct var result = {.type = proc->result, .attrs = proc->attrs};
    if (handle_of(&result).kind != HANDLE_NONE) {
        diag_error(c, &proc->loc, 2215, "a [callback] procedure cannot return a handle");
        ok = false;
    }
    return ok;
}

void check_proc(struct idl_compiler *c, struct proc *proc)
{
    if (proc->variadic && !proc->is_local && !c->options.osf)
        diag_error(c, &proc->loc, 2046,
                   "a remote procedure cannot have a variable number of arguments");
    if (!proc->is_callback) /* these run inside a call, whatever the interface says */
        proc->is_async |= proc->home->is_async;
    drop_void(proc);
    osf_check_params(c, proc);
    prepare_params(c, proc);
    if (proc->is_local) {
        check_prototype(c, proc);
        return;
    }
    if (!check_attributes_of_proc(c, proc) || (proc->is_callback && !check_callback(c, proc)))
        return;
    if (c->options.old_mode && proc->is_async)
        diag_warning(c, &proc->loc, 2319, 1,
                     "procedure '%s' has an attribute that requires use of -Oif, switching modes",
                     proc->name);
    check_own_names(c, proc);
    check_status(c, proc);
    pickle_prepare_proc(proc);
    if (!proc->is_callback)
        handle_choose_binding(c, proc);
    proc->c_name = layout_name(c, arena_printf(&c->arena, "%s_%s", proc->home->name, proc->name));
    proc->frame = arena_printf(&c->arena, "struct %s_frame", proc->c_name);
    for (struct var *param = proc->params; param; param = param->next)
        check_param(c, proc, param);
    if (proc->hidden)
        check_param(c, proc, proc->hidden);
    check_result(c, proc);
    pickle_check_proc(c, proc);
    characters_check_proc(c, proc);
    warn_beside_pipe(c, proc);
}
