/* SPDX-License-Identifier: MIT */
/* check_pickle.c - [encode] and [decode] (idl.md 6, MIDL2276 to 2278, 2300, 2342, 2415). */
#include "idl/check.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/shape.h"
#include "idl/types.h"

#include <string.h>

static const struct attr *pickle_attr(struct attr *attrs)
{
    const struct attr *attr = attr_find(attrs, ATTR_ENCODE);
    return attr ? attr : attr_find(attrs, ATTR_DECODE);
}

/* ---- Which types -------------------------------------------------------------------- */

static void add(struct idl_compiler *c, struct interface *interface, struct var *alias,
                struct attr *attrs)
{
    struct pickled **end = &interface->pickled;
    while (*end && (*end)->alias != alias)
        end = &(*end)->next;
    if (!*end) {
        *end = ARENA_NEW(&c->arena, struct pickled);
        (*end)->alias = alias;
    }
    struct pickled *pickled = *end;
    pickled->encodes |= attr_find(attrs, ATTR_ENCODE) || attr_find(interface->attrs, ATTR_ENCODE);
    pickled->decodes |= attr_find(attrs, ATTR_DECODE) || attr_find(interface->attrs, ATTR_DECODE);
    if (!pickled->attr)
        pickled->attr = pickle_attr(attrs);
}

void pickle_note(struct idl_compiler *c, struct interface *interface, struct var *alias,
                 struct attr *attrs)
{
    if (pickle_attr(attrs))
        add(c, interface, alias, attrs);
}

/* What is wrong with serialising the type, and MIDL's number for it; NULL: nothing. */
static const char *objection(struct idl_compiler *c, struct var *alias, unsigned *ret_number)
{
    const struct handle handle = handle_of(alias);
    struct type *type = type_strip(alias->type);
    *ret_number = 2278;
    if (type->kind == TYPE_ARRAY && type->count == 0)
        return "top-level conformance or variance is not allowed with [encode] or [decode]: "
               "nothing says how many elements there are; put the array into a structure";
    *ret_number = 2078;
    if (type->kind == TYPE_UNION)
        return "nothing says which arm is in use: put the union into a structure";
    *ret_number = 2342;
    if (type->kind == TYPE_PIPE)
        return "a pipe cannot be serialised";
    *ret_number = 2072;
    if (handle.kind == HANDLE_CONTEXT || handle.kind == HANDLE_PRIMITIVE)
        return "a handle cannot be serialised";
    while (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY)
        type = type_strip(type->target);
    if (type->kind == TYPE_FUNCTION || (type->kind == TYPE_BASE && type->base == BASE_VOID))
        return "there is nothing to serialise in it";
    *ret_number = 2028;
    const char *why = check_unsendable(c, alias->type);
    if (why)
        return arena_printf(&c->arena, "it is or holds %s", why);
    return NULL;
}

/* Of an interface with the attribute: all types that can be, the others silently not. */
static void collect_decl(struct idl_compiler *c, struct interface *interface,
                         const struct decl *decl, bool all)
{
    for (struct var *alias = decl->vars; alias; alias = alias->next) {
        unsigned number;
        const struct attr *own = pickle_attr(alias->attrs);
        bool possible = !type_is_error(alias->type) && !check_is_local_type(c, alias->type) &&
                        !objection(c, alias, &number);
        if (own || (all && possible))
            add(c, interface, alias, alias->attrs);
    }
}

void pickle_collect(struct idl_compiler *c, struct interface *interface)
{
    const struct attr *attr = pickle_attr(interface->attrs);
    for (const struct decl *decl = interface->decls; decl; decl = decl->next) {
        if (decl->kind == DECL_TYPEDEF)
            collect_decl(c, interface, decl, attr && !interface->is_com && !interface->is_local);
    }
    if (interface->is_com && interface->pickled && !attr)
        attr = interface->pickled->attr;
    if (interface->is_com && attr)
        diag_error(c, &attr->loc, 2300, "[%s] is invalid in an [object] interface", attr->name);
    const struct attr *automatic = attr_find(interface->attrs, ATTR_AUTO_HANDLE);
    if (automatic && interface->pickled)
        diag_error(c, &automatic->loc, 2276,
                   "[auto_handle] may not be used with [encode] or [decode]");
}

void pickle_check_outside(struct idl_compiler *c, const struct decl *decl)
{
    for (struct var *alias = decl->kind == DECL_TYPEDEF ? decl->vars : NULL; alias;
         alias = alias->next) {
        const struct attr *attr = pickle_attr(alias->attrs);
        bool noted = false;
        for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
            for (const struct pickled *pickled = i->pickled; pickled; pickled = pickled->next)
                noted |= pickled->alias == alias;
        }
        if (attr && !noted)
            diag_later(c, &attr->loc, "serialising a type that belongs to no interface");
    }
}

/* ---- Operations ------------------------------------------------------------------------ */

void pickle_prepare_proc(struct proc *proc)
{
    struct interface *home = proc->home;
    if (proc->is_callback)
        return; /* pickle_check_proc() has something to say if it is meant itself */
    proc->encodes = attr_find(proc->attrs, ATTR_ENCODE) || attr_find(home->attrs, ATTR_ENCODE);
    proc->decodes = attr_find(proc->attrs, ATTR_DECODE) || attr_find(home->attrs, ATTR_DECODE);
    home->pickled_procs += proc->encodes || proc->decodes;
}

static void check_operation_attrs(struct idl_compiler *c, const struct proc *proc)
{
    static const enum attr_id excluded[] = {ATTR_MAYBE, ATTR_BROADCAST, ATTR_NOTIFY,
                                            ATTR_NOTIFY_FLAG, ATTR_CALL_AS};
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++) {
        const struct attr *attr = attr_find(proc->attrs, excluded[i]);
        if (attr)
            diag_error(c, &attr->loc, 2072, "[%s] cannot be applied to a serialised operation",
                       attr->name);
    }
    if (proc->is_async)
        diag_error(c, &proc->loc, 2072, "[async] cannot be applied to a serialised operation: '%s'",
                   proc->name);
}

static void check_handles(struct idl_compiler *c, const struct proc *proc)
{
    for (struct var *param = proc->params; param; param = param->next) {
        if (handle_of(param).kind == HANDLE_CONTEXT)
            diag_error(c, &param->loc, 2072,
                       "context handle '%s' means nothing outside a call: it cannot be serialised",
                       param->name);
        else if (param == proc->generic)
            diag_error(c, &param->loc, 2276,
                       "a [handle] type cannot be the handle of a serialised operation");
    }
    if (proc->implicit && proc->home->implicit_type)
        diag_error(c, &proc->loc, 2276,
                   "the implicit handle of serialised operation '%s' must be a handle_t",
                   proc->name);
}

/* Encoding writes [in] parameters, decoding reads [out] ones: who does both needs the same. */
static void check_directions(struct idl_compiler *c, const struct proc *proc)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        bool is_data = !param->is_binding && !param->comm_status && !param->fault_status;
        if (is_data && proc->encodes && proc->decodes && param->is_in != param->is_out)
            diag_warning(c, &param->loc, 2072, 1,
                         "'%s' is %s: [in] parameters are encoded, [out] ones decoded", param->name,
                         param->is_in ? "encoded, but not decoded" : "decoded, but not encoded");
    }
    bool is_status = proc->comm_status || proc->fault_status;
    if (proc->encodes && proc->decodes && proc->result_var && !is_status)
        diag_warning(c, &proc->loc, 2072, 1,
                     "the result of '%s' is decoded, but not encoded: [in] parameters are encoded, "
                     "[out] ones and the result decoded",
                     proc->name);
}

void pickle_check_proc(struct idl_compiler *c, const struct proc *proc)
{
    const struct attr *own = pickle_attr(proc->attrs);
    if (proc->is_callback && own)
        diag_error(c, &own->loc, 2072, "[%s] cannot be applied to a [callback] procedure",
                   own->name);
    if (!proc_is_pickled(proc))
        return;
    const struct attr *automatic = attr_find(proc->home->attrs, ATTR_AUTO_HANDLE);
    if (automatic && !proc->home->pickled)
        diag_error(c, &automatic->loc, 2276,
                   "[auto_handle] may not be used with [encode] or [decode]");
    check_operation_attrs(c, proc);
    check_handles(c, proc);
    check_directions(c, proc);
    if (proc->has_pipes)
        diag_error(c, &proc->loc, 2342, "invalid pipe usage: '%s' is serialised", proc->name);
    struct type *result = type_strip(proc->result);
    bool is_floating =
        result->kind == TYPE_BASE && (result->base == BASE_FLOAT || result->base == BASE_DOUBLE);
    if (proc->decodes && (is_floating || result->kind == TYPE_STRUCT || result->kind == TYPE_UNION))
        diag_error(c, &proc->loc, 2415,
                   "the result of '%s' is not supported with [decode]: floating point, structures "
                   "and unions need an [out] parameter",
                   proc->name);
}

/* ---- Types ------------------------------------------------------------------------------ */

/* An imported type may be named in several interfaces of the ACF: C has one T_Encode. */
static bool is_taken(struct idl_compiler *c, const struct interface *interface,
                     const struct var *alias)
{
    for (const struct interface *i = c->unit->interfaces; i != interface; i = i->next) {
        for (const struct pickled *pickled = i->pickled; pickled; pickled = pickled->next) {
            if (pickled->alias == alias)
                return true;
        }
    }
    return false;
}

/* T_Encode(T *_pType): the object as a parameter, with its descriptor. */
static void check_type(struct idl_compiler *c, struct interface *interface, struct pickled *pickled)
{
    struct var *alias = pickled->alias;
    const struct loc *at = pickled->attr ? &pickled->attr->loc : &alias->loc;
    unsigned number;
    if (type_is_error(alias->type))
        return;
    const char *why = objection(c, alias, &number);
    if (why) {
        diag_error(c, at, number, "'%s' cannot be serialised: %s", alias->name, why);
        return;
    }
    if (is_taken(c, interface, alias)) {
        diag_error(c, at, 2003, "redefinition: '%s' is serialised by another interface, too",
                   alias->name);
        return;
    }
    struct proc *routine = ARENA_NEW(&c->arena, struct proc);
    routine->name = alias->name;
    routine->home = interface;
    struct var *object = ARENA_NEW(&c->arena, struct var);
    object->name = "_pType";
    object->loc = *at;
    object->home = interface;
    object->proc = routine;
    object->is_in = object->is_out = true;
    struct type *type = ARENA_NEW(&c->arena, struct type);
    type->kind = TYPE_ALIAS;
    type->alias = alias;
    type->loc = *at;
    object->type = ARENA_NEW(&c->arena, struct type);
    object->type->kind = TYPE_POINTER;
    object->type->target = type;
    object->type->loc = *at;
    struct shape shape;
    if (shape_resolve(c, object, ROLE_PARAM, &shape) &&
        layout_var(c, object, &shape, ROLE_PARAM) && layout_holds_characters(c, object->node))
        diag_error(c, at, 2072,
                   "'%s' cannot be serialised: it holds [cs_char], and only parameters can tell "
                   "code sets",
                   alias->name);
    pickled->object = object;
}

void pickle_check_interface(struct idl_compiler *c, struct interface *interface)
{
    for (struct pickled *pickled = interface->pickled; pickled; pickled = pickled->next)
        check_type(c, interface, pickled);
    if (interface->pickled && !pickle_has_handle_param(interface) && interface->implicit_type)
        diag_error(c, &interface->loc, 2276,
                   "the implicit handle of serialised types must be a handle_t");
    if (interface->pickled_procs == 0 || !interface_has_server(interface))
        return;
    /* The documentation allows the mixture in one place and forbids it in another. */
    for (const struct proc *proc = interface->procs; proc; proc = proc->next) {
        if (!proc_is_pickled(proc))
            diag_warning(
                c, &proc->loc, 2277, 1,
                "normal procedure '%s' in an interface with [encode] or [decode]%s", proc->name,
                proc->implicit ? ": both use the implicit handle, for different things" : "");
    }
}
