/* SPDX-License-Identifier: MIT */
/* check.c - interfaces and types (idl.md 2 and 3); operations are in check_proc.c. */
#include "idl/check.h"
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/handle.h"

#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/shape.h"
#include "idl/types.h"

#include <string.h>

/* ---- Types -------------------------------------------------------------------------- */

/* Follows fields that always lead on, structures by value and [ref] pointers.  True:
 * they lead back to `target`, whose data would never end (MIDL2164). */
static bool leads_to(struct idl_compiler *c, struct aggregate *from, struct aggregate *target,
                     unsigned round, unsigned depth)
{
    if (from->visited == round || depth > IDL_NESTING_MAX)
        return false;
    from->visited = round;
    for (struct var *field = from->fields; field; field = field->next) {
        struct node *node = field->node;
        while (node &&
               (node->pointer_flag == NULL || strcmp(node->pointer_flag, "NDR_TYPE_REF") == 0) &&
               node->element)
            node = node->element;
        if (!node || !node->aggregate)
            continue;
        if (node->aggregate == target || leads_to(c, node->aggregate, target, round, depth + 1))
            return true;
    }
    return false;
}

static void check_struct(struct idl_compiler *c, struct aggregate *aggregate)
{
    struct type type = {.kind = TYPE_STRUCT, .aggregate = aggregate};
    if (check_is_local_type(c, &type))
        return;
    struct node *node = layout_struct(c, aggregate);
    if (!node || !node->has_pointers)
        return;
    if (leads_to(c, aggregate, aggregate, ++c->search_round, 0))
        diag_error(c, &aggregate->loc, 2164, "'%s' is recursive through a ref pointer",
                   aggregate->tag);
}

static void check_typedef(struct idl_compiler *c, struct var *alias, bool several)
{
    struct type *type = type_strip(alias->type);
    if (characters_attr(alias)) {
        characters_check_typedef(c, alias);
        return;
    }
    if (convert_attr(alias)) {
        convert_check_typedef(c, alias);
        return;
    }
    if (type_is_error(alias->type) || check_unsendable(c, alias->type) ||
        !handle_check_typedef(c, alias))
        return;
    if (type->kind == TYPE_PIPE) {
        static const enum attr_id meaningless[] = {ATTR_REF, ATTR_UNIQUE, ATTR_STRING};
        for (size_t i = 0; i < sizeof(meaningless) / sizeof(meaningless[0]); i++) {
            const struct attr *attr = attr_find(alias->attrs, meaningless[i]);
            if (attr)
                diag_error(c, &attr->loc, 2322, "invalid pipe usage: [%s] on a pipe", attr->name);
        }
        layout_pipe(c, type);
        return;
    }
    struct type *inner = type;
    while (inner->kind == TYPE_POINTER || inner->kind == TYPE_ARRAY)
        inner = type_strip(inner->target);
    const struct attr *switch_type = attr_find(alias->attrs, ATTR_SWITCH_TYPE);
    if (inner->kind == TYPE_UNION)
        return; /* what [switch_is] has to say comes with its use */
    if (switch_type) {
        diag_error(c, &switch_type->loc, 2072, "[switch_type] applies to unions only");
        return;
    }
    if (inner->kind == TYPE_FUNCTION)
        return; /* for programs only: said where it would be sent */
    if (inner->kind == TYPE_PIPE) {
        diag_error(c, &alias->loc, type->kind == TYPE_ARRAY ? 2321 : 2322,
                   "invalid pipe usage: '%s' is an array of or a pointer to a pipe", alias->name);
        return;
    }
    /* What a bare type cannot say, a size, its use may add: only judge what is here. */
    struct shape shape;
    if (attr_find(alias->attrs, ATTR_STRING) || attr_find(alias->attrs, ATTR_RANGE) ||
        attr_find(alias->attrs, ATTR_REF) || attr_find(alias->attrs, ATTR_UNIQUE)) {
        bool is_void = inner->kind == TYPE_BASE && inner->base == BASE_VOID;
        bool open = type->kind == TYPE_ARRAY && type->count == 0;
        /* `typedef [unique] T NAME, *PNAME;`: it is for the second name. */
        bool is_plain = type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY &&
                        !attr_find(alias->attrs, ATTR_STRING) &&
                        !attr_find(alias->attrs, ATTR_RANGE);
        if (!is_void && !open && !(is_plain && several))
            shape_resolve(c, alias, ROLE_FIELD, &shape);
    }
}

static void check_decl(struct idl_compiler *c, struct decl *decl)
{
    struct type *type;
    switch (decl->kind) {
    case DECL_TYPEDEF:
    case DECL_TYPE:
        type = type_unqualified(decl->type);
        if (type->kind == TYPE_PIPE) /* may define its elements */
            type = type_unqualified(type->target);
        if (type->kind == TYPE_STRUCT && type->defines)
            check_struct(c, type->aggregate);
        if (type->kind == TYPE_UNION && type->defines && !check_is_local_type(c, type))
            layout_union_body(c, type->aggregate);
        for (struct var *alias = decl->vars; alias; alias = alias->next)
            check_typedef(c, alias, decl->vars->next != NULL);
        break;
    case DECL_PROC:
        check_proc(c, decl->proc);
        break;
    case DECL_IMPORT:
    case DECL_CPP_QUOTE:
    case DECL_PRAGMA:
    case DECL_INCLUDE:
    case DECL_CONST:
    case DECL_VARIABLE:
    case DECL_INTERFACE:
    case DECL_FORWARD:
        break;
    }
}

/* ---- Interfaces ------------------------------------------------------------------------ */

/* -rpcss is [enable_allocate] on every interface. */
static void enable_allocate(struct idl_compiler *c, struct interface *interface)
{
    if (!c->options.enable_allocate || attr_find(interface->attrs, ATTR_ENABLE_ALLOCATE))
        return;
    struct attr *attr = ARENA_NEW(&c->arena, struct attr);
    attr->id = ATTR_ENABLE_ALLOCATE;
    attr->name = "enable_allocate";
    attr->loc = interface->loc;
    attr->next = interface->attrs;
    interface->attrs = attr;
}

static void check_interface(struct idl_compiler *c, struct interface *interface)
{
    enable_allocate(c, interface);
    if (interface->proc_count > 0 && !attr_find(interface->attrs, ATTR_UUID))
        diag_error(c, &interface->loc, 2079, "no [uuid] specified for interface '%s'",
                   interface->name);
    const struct attr *uuid = attr_find(interface->attrs, ATTR_UUID);
    const struct attr *version = attr_find(interface->attrs, ATTR_VERSION);
    if (interface->is_local && uuid && !interface->is_com)
        diag_warning(c, &uuid->loc, 2080, 2, "[uuid] ignored on [local] interface");
    if (interface->is_com && version && attr_find(interface->attrs, ATTR_OBJECT))
        diag_warning(c, &version->loc, 2298, 2,
                     "[version] attribute is ignored on an [object] interface");
    pickle_collect(c, interface);
    if (interface->proc_count == 0 && !interface->pickled && !interface->is_com &&
        !interface->is_local)
        diag_warning(c, &interface->loc, 2231, 2,
                     "interface '%s' has no remote procedures, no stubs come from it",
                     interface->name);
    for (const struct interface *other = c->unit->interfaces; other != interface;
         other = other->next) {
        if (interface->has_uuid && other->has_uuid &&
            memcmp(other->uuid, interface->uuid, sizeof(other->uuid)) == 0)
            diag_error(c, &interface->loc, 2270, "duplicate uuid: interface '%s' has it, too",
                       other->name);
    }
    handle_check_interface(c, interface);
    for (struct decl *decl = interface->decls; decl; decl = decl->next) {
        if (decl->kind == DECL_PROC || !interface->is_local)
            check_decl(c, decl);
        if (decl->kind == DECL_PROC && decl->proc->is_callback && interface->proc_count == 0)
            diag_error(c, &decl->loc, 2208,
                       "[callback] procedure '%s' alone in an interface: nothing could call back",
                       decl->proc->name);
    }
    for (const struct proc *proc = interface->procs; proc; proc = proc->next)
        interface->has_pipes |= proc->has_pipes;
    pickle_check_interface(c, interface);
}

void check_unit(struct idl_compiler *c, struct unit *unit)
{
    for (struct var *alias = c->localized; alias; alias = alias->next)
        check_typedef(c, alias, false);
    for (struct decl *decl = unit->decls; decl; decl = decl->next) {
        if (decl->kind == DECL_INTERFACE)
            check_interface(c, decl->interface);
        else {
            check_decl(c, decl);
            pickle_check_outside(c, decl);
        }
    }
}
