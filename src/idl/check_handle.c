/* SPDX-License-Identifier: MIT */
/* check_handle.c - binding handles: which parameter carries a call, and the rules of
 * generic and context handles (idl.md 5). */
#include "idl/check.h"
#include "idl/convert.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- What a parameter is ------------------------------------------------------------ */

const struct attr *handle_context_attr(struct attr *attrs)
{
    static const enum attr_id ids[] = {ATTR_CONTEXT_HANDLE, ATTR_CONTEXT_HANDLE_SERIALIZE,
                                       ATTR_CONTEXT_HANDLE_NOSERIALIZE};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct attr *attr = attr_find(attrs, ids[i]);
        if (attr)
            return attr;
    }
    return NULL;
}

/* The pointers above the context handle of a parameter that has the attribute itself:
 * `void *h` is the handle, `void **h` leads to it. */
static unsigned own_pointers(const struct var *var)
{
    unsigned pointers = 0;
    struct type *type = type_strip(var->type);
    while (type->kind == TYPE_POINTER) {
        pointers++;
        type = type_strip(type->target);
    }
    if (pointers == 0)
        return 0;
    if (type->kind == TYPE_BASE && type->base == BASE_VOID)
        return pointers - 1;
    return var->is_out && pointers > 1 ? 1 : 0;
}

/* Does an attribute make an array of what the outermost pointer points to? */
static bool is_sized(const struct var *var)
{
    static const enum attr_id ids[] = {ATTR_SIZE_IS, ATTR_MAX_IS, ATTR_FIRST_IS, ATTR_LENGTH_IS,
                                       ATTR_LAST_IS};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (attr_find(var->attrs, ids[i]))
            return true;
    return false;
}

/* A context handle carries a call as a parameter or behind the parameter's own pointer.
 * Deeper, and in arrays, it is data like any other. */
static bool is_own_context(const struct var *var, unsigned pointers)
{
    return pointers == 0 || (pointers == 1 && !is_sized(var));
}

struct handle handle_of(struct var *var)
{
    struct handle handle = {.kind = HANDLE_NONE};
    bool in_array = false; /* only handle_t is looked for there, to be refused */
    for (struct type *type = var->type;; type = type->target) {
        while (type->kind == TYPE_CONST || type->kind == TYPE_ALIAS) {
            if (type->kind == TYPE_CONST) {
                type = type->target;
                continue;
            }
            handle.alias = type->alias;
            if (handle_context_attr(type->alias->attrs)) {
                if (!in_array && is_own_context(var, handle.pointers))
                    handle.kind = HANDLE_CONTEXT;
                return handle;
            }
            if (!in_array && attr_find(type->alias->attrs, ATTR_HANDLE) &&
                (handle.pointers == 0 || !is_sized(var))) {
                handle.kind = HANDLE_GENERIC;
                return handle;
            }
            if (convert_attr(type->alias)) {
                handle.alias = NULL;
                return handle;
            }
            type = type->alias->type;
        }
        if (type->kind == TYPE_BASE && type->base == BASE_HANDLE)
            handle.kind = HANDLE_PRIMITIVE;
        if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY)
            break;
        in_array |= type->kind == TYPE_ARRAY;
        handle.pointers++;
    }
    handle.alias = NULL;
    /* On an operation the attribute is the result's. */
    if (handle_context_attr(var->attrs)) {
        handle.kind = HANDLE_CONTEXT;
        handle.pointers = own_pointers(var);
    }
    return handle;
}

/* ---- Types ------------------------------------------------------------------------------ */

/* Context handles are pointers; `at` is the attribute. */
static bool check_context_type(struct idl_compiler *c, struct type *type, struct attr *attrs,
                               const struct loc *at)
{
    const struct attr *serialize = attr_find(attrs, ATTR_CONTEXT_HANDLE_SERIALIZE);
    const struct attr *other = attr_find(attrs, ATTR_CONTEXT_HANDLE_NOSERIALIZE);
    struct type *inner = type;
    while (!convert_alias(inner) && type_strip(inner)->kind == TYPE_POINTER)
        inner = type_strip(inner)->target;
    if (convert_alias(inner)) {
        diag_error(c, at, 2045,
                   "a context handle must not derive from a type the program converts");
        return false;
    }
    type = type_strip(type);
    if (type->kind == TYPE_ERROR)
        return false;
    if (serialize && other) {
        diag_error(c, &other->loc, 2377,
                   "[context_handle_serialize] and [context_handle_noserialize] exclude each "
                   "other");
        return false;
    }
    if (type->kind == TYPE_BASE && type->base == BASE_HANDLE) {
        diag_error(c, at, 2218, "[context_handle] cannot be applied to handle_t");
        return false;
    }
    if (type->kind != TYPE_POINTER) {
        if (attr_find(attrs, ATTR_CONTEXT_HANDLE))
            diag_error(c, at, 2237, "a context handle must be a pointer type, such as void *");
        else
            diag_error(c, at, 2378,
                       "[context_handle_serialize] and [context_handle_noserialize] apply to "
                       "context handles");
        return false;
    }
    if (!type_is_base(type->target, BASE_VOID) && type_strip(type->target)->kind != TYPE_POINTER)
        osf_refuse(c, at, 2068, "[context_handle] on a type other than void * needs -ms_ext");
    return true;
}

bool handle_check_typedef(struct idl_compiler *c, struct var *alias)
{
    const struct attr *context = handle_context_attr(alias->attrs);
    const struct attr *generic = attr_find(alias->attrs, ATTR_HANDLE);
    if (context && generic) {
        diag_error(c, &generic->loc, 2185, "a type is either [handle] or [context_handle]");
        return false;
    }
    if (context) {
        check_context_type(c, alias->type, alias->attrs, &context->loc);
        return false;
    }
    if (!generic)
        return true;
    struct var below = {.type = alias->type};
    if (handle_of(&below).kind == HANDLE_CONTEXT) {
        diag_error(c, &generic->loc, 2239,
                   "[handle] must not be applied to a type deriving from a context handle");
        return false;
    }
    struct type *type = type_strip(alias->type);
    while (type->kind == TYPE_POINTER)
        type = type_strip(type->target);
    if (type->kind == TYPE_BASE && type->base == BASE_VOID) {
        diag_error(c, &generic->loc, 2186, "a generic handle cannot be of type void or void *");
        return false;
    }
    if (type->kind == TYPE_BASE && type->base == BASE_HANDLE) {
        diag_error(c, &generic->loc, 2193, "[handle] cannot be applied to handle_t");
        return false;
    }
    return true;
}

bool handle_context_usable(struct idl_compiler *c, const struct var *alias, const struct loc *use)
{
    struct type *type = type_strip(alias->type);
    if (type->kind == TYPE_POINTER)
        return true;
    if (alias->imported && type->kind != TYPE_ERROR)
        diag_error(c, use, 2237, "context handle '%s' is no pointer type, such as void *",
                   alias->name);
    return false;
}

static unsigned strictness(const struct interface *home)
{
    unsigned flags = 0;
    if (home && attr_find(home->attrs, ATTR_STRICT_CONTEXT_HANDLE))
        flags |= CONTEXT_STRICT;
    if (home && attr_find(home->attrs, ATTR_TYPE_STRICT_CONTEXT_HANDLE))
        flags |= CONTEXT_TYPE_STRICT;
    return flags;
}

/* Strictness belongs to interfaces.  A structure of another file, or outside interfaces, may
 * be used by any here: then the strictest decides. */
static unsigned strictness_of_field(const struct idl_compiler *c, const struct var *field)
{
    unsigned flags = 0;
    if (field->home && !field->home->imported)
        return strictness(field->home);
    for (const struct interface *i = c->unit->interfaces; i; i = i->next)
        flags |= strictness(i);
    return flags;
}

static unsigned serialisation(struct attr *attrs)
{
    if (attr_find(attrs, ATTR_CONTEXT_HANDLE_SERIALIZE))
        return CONTEXT_SERIALIZE;
    return attr_find(attrs, ATTR_CONTEXT_HANDLE_NOSERIALIZE) ? CONTEXT_NOSERIALIZE : 0;
}

struct node *handle_context_node(struct idl_compiler *c, const struct var *var,
                                 const struct var *alias)
{
    unsigned order = serialisation(var->attrs);
    if (!order && alias)
        order = serialisation(alias->attrs);
    unsigned strict = var->proc ? strictness(var->proc->home) : strictness_of_field(c, var);
    return layout_context_handle(c, alias, order | strict);
}

void handle_check_context(struct idl_compiler *c, struct var *var, const struct handle *handle)
{
    bool is_result = var == var->proc->result_var || !var->proc->params ||
                     (var->name && strcmp(var->name, "_RetVal") == 0);
    const struct attr *own = handle_context_attr(var->attrs);
    if (own && !handle->alias && !check_context_type(c, var->type, var->attrs, &own->loc))
        return;
    if (own && own->id == ATTR_CONTEXT_HANDLE && handle->alias && !is_result)
        diag_warning(c, &own->loc, 2217, 1, "parameter '%s' is already defined as a context handle",
                     var->name);
    if (handle->alias && !handle_context_usable(c, handle->alias, &var->loc))
        return;
    if (is_sized(var)) {
        diag_error(c, &var->loc, 2072, "a size needs a pointer or an array, context handle '%s' "
                   "is neither", var->name);
        return;
    }
    if (is_result && handle->pointers > 0) {
        diag_error(c, &var->loc, 2268, "a result cannot be a pointer to a context handle");
        return;
    }
    if (!is_result && var->is_out && handle->pointers == 0) {
        diag_error(c, &var->loc, 2044,
                   "[out] context handle '%s' must be a pointer to the handle type", var->name);
        return;
    }
    if (handle->pointers > 1) {
        diag_later(c, &var->loc, "a pointer to a pointer to a context handle without a typedef");
        return;
    }
    if (handle->pointers > 0 &&
        (attr_find(var->attrs, ATTR_UNIQUE) || attr_find(var->attrs, ATTR_PTR))) {
        diag_error(c, &var->loc, 2181, "pointer to a handle cannot be [unique] or [ptr]");
        return;
    }
    var->node = handle_context_node(c, var, handle->alias);
    if (handle->pointers > 0)
        var->node = layout_pointer(c, var->node, POINTER_REF);
}

/* ---- Which one carries the call ------------------------------------------------------------ */

static struct var *new_handle(struct idl_compiler *c, struct proc *proc, const char *name)
{
    struct var *handle = ARENA_NEW(&c->arena, struct var);
    handle->name = name;
    handle->loc = proc->loc;
    handle->type = ARENA_NEW(&c->arena, struct type);
    handle->type->kind = TYPE_BASE;
    handle->type->base = BASE_HANDLE;
    handle->type->loc = proc->loc;
    handle->home = proc->home;
    handle->proc = proc;
    handle->is_in = true;
    handle->is_binding = true;
    handle->synthesized = true;
    return handle;
}

static void add_explicit_handle(struct idl_compiler *c, struct proc *proc)
{
    struct var *handle = new_handle(c, proc, "IDL_handle");
    handle->next = proc->params;
    proc->params = handle;
    proc->param_count++;
}

static void add_hidden(struct idl_compiler *c, struct proc *proc, bool first)
{
    proc->hidden = new_handle(c, proc, "_Binding");
    proc->hidden_first = first;
}

/* A handle_t parameter: it must be the binding. */
static void check_primitive(struct idl_compiler *c, struct var *param, bool is_first)
{
    if (!param->is_in)
        diag_error(c, &param->loc, 2180, "binding-handle parameter cannot be [out] only");
    else if (param->is_out)
        diag_error(c, &param->loc, 2194, "a binding handle cannot be [out]");
    else if (!is_first)
        diag_error(c, &param->loc, 2182,
                   "parameter that is not the binding handle must not "
                   "derive from handle_t");
    else
        param->is_binding = true;
}

/* A [handle] parameter that carries the call: its value or what it points to is bound. */
static void choose_generic(struct idl_compiler *c, struct proc *proc, struct var *param,
                           const struct handle *handle)
{
    if (handle->pointers > 1) {
        diag_later(c, &param->loc, "a pointer to a pointer to a generic handle");
        return;
    }
    proc->generic = param;
    proc->generic_type = handle->alias;
    proc->generic_by_pointer = handle->pointers > 0;
    add_hidden(c, proc, true);
}

static void choose_automatic(struct idl_compiler *c, struct proc *proc)
{
    if (proc->is_async) {
        diag_error(c, &proc->loc, 2357,
                   "async procedures cannot use auto handle: '%s' needs a "
                   "handle_t parameter or [explicit_handle]",
                   proc->name);
        return;
    }
    if (!c->failed) /* the handle may be what could not be read */
        diag_warning(c, &proc->loc, 2004, 1, "[auto_handle] binding will be used for '%s'",
                     proc->name);
    proc->auto_handle = true;
    add_hidden(c, proc, false);
}

/* The leftmost [in] handle of any kind carries the call (idl.md 5). */
void handle_choose_binding(struct idl_compiler *c, struct proc *proc)
{
    bool found = false;
    bool may_be_null = false; /* an [in,out] context handle */
    for (struct var *param = proc->params; param; param = param->next) {
        const struct handle handle = handle_of(param);
        switch (handle.kind) {
        case HANDLE_NONE:
            break;
        case HANDLE_PRIMITIVE:
            if (handle.pointers == 0)
                check_primitive(c, param, !found);
            found = true; /* wrong in itself behind pointers: check_param() will say so */
            break;
        case HANDLE_GENERIC:
            if (!found && param->is_in) {
                choose_generic(c, proc, param, &handle);
                found = true;
            }
            break;
        case HANDLE_CONTEXT:
            if (!found && param->is_in) {
                found = true;
                may_be_null = param->is_out;
            }
            break;
        }
    }
    struct interface *home = proc->home;
    if (found && !may_be_null)
        return;
    if (!found && (proc->explicit_handle || home->explicit_handle || c->options.explicit_handles)) {
        add_explicit_handle(c, proc);
    } else if (home->implicit_name) {
        proc->implicit = true;
        add_hidden(c, proc, false);
    } else if (!found && (proc->encodes || proc->decodes)) {
        diag_error(c, &proc->loc, 2276,
                   "[auto_handle] may not be used with [encode] or [decode]: '%s' needs a handle_t "
                   "parameter, [explicit_handle] or [implicit_handle]",
                   proc->name);
    } else if (!found) {
        choose_automatic(c, proc);
    }
}

/* ---- implicit_handle ------------------------------------------------------------------------ */

void handle_check_interface(struct idl_compiler *c, struct interface *interface)
{
    const struct attr *attr = attr_find(interface->attrs, ATTR_IMPLICIT_HANDLE);
    const struct attr *automatic = attr_find(interface->attrs, ATTR_AUTO_HANDLE);
    const struct attr *strict = attr_find(interface->attrs, ATTR_STRICT_CONTEXT_HANDLE);
    const struct attr *by_type = attr_find(interface->attrs, ATTR_TYPE_STRICT_CONTEXT_HANDLE);
    if (strict && by_type)
        diag_error(c, &by_type->loc, 2072,
                   "[type_strict_context_handle] cannot be combined with [strict_context_handle]");
    if (automatic && (attr || interface->explicit_handle))
        diag_error(c, &automatic->loc, 2263,
                   "[auto_handle] cannot be combined with [implicit_handle] or "
                   "[explicit_handle]");
    if (!attr || !attr->args || !attr->args->next)
        return;
    const char *type = attr->args->text, *name = attr->args->next->text;
    interface->implicit_name = name;
    if (strcmp(type, "handle_t") == 0)
        return;
    const struct symbol *symbol = names_find(&c->names, type, strlen(type));
    if (!symbol || symbol->kind != SYMBOL_TYPEDEF) {
        diag_error(c, &attr->args->loc, 2225, "type '%s' of the implicit handle is not defined",
                   type);
        return;
    }
    if (handle_context_attr(symbol->var->attrs))
        diag_error(c, &attr->args->loc, 2210, "an implicit handle cannot be a context handle");
    else if (attr_find(symbol->var->attrs, ATTR_HANDLE))
        interface->implicit_type = symbol->var;
    else if (!type_is_base(symbol->var->type, BASE_HANDLE))
        diag_error(c, &attr->args->loc, 2264,
                   "type '%s' of the implicit handle is neither handle_t nor a [handle] type",
                   type);
}
