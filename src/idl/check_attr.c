/* SPDX-License-Identifier: MIT */
/* check_attr.c - attributes of operations (idl.md 6), prototypes without stubs, and
 * what remote operations cannot take from COM. */
#include "idl/check.h"
#include "idl/convert.h"
#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- Types that cannot be sent ------------------------------------------------------------- */

/* Structures that refer to each other may form long chains. */
#define SEARCH_DEPTH_MAX 200

static const char belongs_to_com[] = "an interface pointer or a SAFEARRAY, which belong to COM";

static const char system_handle[] = "a [system_handle], which no transport of Penstock carries";

/* The type below typedef names, pointers and arrays; NULL: what a context handle points to, which
 * is never sent. */
static struct type *innermost(struct type *type)
{
    for (;;) {
        if (type->kind == TYPE_ALIAS) {
            if (handle_context_attr(type->alias->attrs))
                return NULL;
            type = convert_attr(type->alias) ? convert_wire_type(type->alias) : type->alias->type;
        } else if (type->kind == TYPE_CONST || type->kind == TYPE_POINTER ||
                   type->kind == TYPE_ARRAY || type->kind == TYPE_PIPE) {
            type = type->target;
        } else {
            return type;
        }
    }
}

/* What in `type` cannot be sent; NULL: nothing.  What may be no mistake where
 * nothing is sent counts when `local`. */
static const char *unsendable(struct idl_compiler *c, struct type *type, bool local,
                              unsigned depth)
{
    const char *why = NULL;
    type = innermost(type);
    if (!type)
        return NULL;
    if (local && type->kind == TYPE_BASE && type->base == BASE_VOID)
        return "a void pointer";
    if (local && type->kind == TYPE_FUNCTION)
        return "a pointer to a function";
    struct aggregate *aggregate = type->aggregate;
    if (!aggregate || aggregate->visited == c->search_round || depth > SEARCH_DEPTH_MAX)
        return NULL;
    if (aggregate->is_com)
        return belongs_to_com;
    if (local && aggregate->is_plain)
        return "a union without labels"; /* of use to C programs only */
    if (local && aggregate->has_bit_fields)
        return "bit fields"; /* the same */
    aggregate->visited = c->search_round;
    for (struct var *field = aggregate->fields; field && !why; field = field->next) {
        if (attr_find(field->attrs, ATTR_SYSTEM_HANDLE))
            why = system_handle;
        else if (field->type) /* not an empty arm */
            why = unsendable(c, field->type, local, depth + 1);
    }
    return why;
}

const char *check_unsendable(struct idl_compiler *c, struct type *type)
{
    c->search_round++;
    return unsendable(c, type, false, 0);
}

bool check_is_local_type(struct idl_compiler *c, struct type *type)
{
    c->search_round++;
    return unsendable(c, type, true, 0) != NULL;
}

/* Pairs of attributes of which an operation can have one only. */
static void check_combinations(struct idl_compiler *c, const struct proc *proc)
{
    static const enum attr_id alone[] = {ATTR_MAYBE,    ATTR_BROADCAST, ATTR_MESSAGE,
                                         ATTR_CALLBACK, ATTR_IDEMPOTENT};
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
        const struct attr *attr = attr_find(proc->attrs, alone[i]);
        bool dg_pair = alone[i] != ATTR_MESSAGE && alone[i] != ATTR_CALLBACK;
        const char *other = NULL;
        if (!attr)
            continue;
        if (proc->is_async && alone[i] != ATTR_IDEMPOTENT)
            other = "async";
        else if (!dg_pair && proc->is_maybe)
            other = "maybe";
        else if (!dg_pair && proc->idempotent)
            other = "idempotent";
        else if (!dg_pair && attr_find(proc->attrs, ATTR_BROADCAST))
            other = "broadcast";
        if (other)
            diag_error(c, &attr->loc, 2054, "'%s' cannot be [%s] and [%s] together", proc->name,
                       attr->name, other);
    }
}

/* ---- Prototypes ------------------------------------------------------------------------- */

void check_prototype(struct idl_compiler *c, struct proc *proc)
{
    if (!type_is_base(proc->result, BASE_VOID)) {
        struct var *result = ARENA_NEW(&c->arena, struct var);
        result->name = "_RetVal";
        result->type = proc->result;
        proc->result_var = result;
    }
}

/* ---- Attributes of operations ----------------------------------------------------------- */

/* No answer comes: nothing may come back. */
static void check_no_answer(struct idl_compiler *c, const struct proc *proc, const char *word)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (param->is_out)
            diag_error(c, &param->loc, 2288, "[%s] procedure '%s' cannot have [out] parameters",
                       word, proc->name);
    }
    bool status = attr_find(proc->attrs, ATTR_COMM_STATUS) &&
                  attr_find(proc->attrs, ATTR_FAULT_STATUS) &&
                  type_is_base(proc->result, BASE_ERROR_STATUS);
    if (type_is_base(proc->result, BASE_ERROR_STATUS) && !status)
        diag_error(c, &proc->loc, 2358,
                   "the error_status_t of [%s] procedure '%s' must have both [comm_status] and "
                   "[fault_status]",
                   word, proc->name);
    else if (!type_is_base(proc->result, BASE_VOID) && !type_is_error(proc->result) && !status)
        diag_error(c, &proc->loc, 2288, "[%s] procedure '%s' cannot have a result", word,
                   proc->name);
}

/* call_as(F): the application calls F, a [local] procedure, and writes how F becomes a
 * call of this one.  Outside object interfaces nothing need declare F (MIDL2275). */
static void check_call_as(struct idl_compiler *c, const struct proc *proc, const struct attr *attr)
{
    const char *name = attr->args->text;
    const struct proc *local = names_find(&proc->home->proc_names, name, strlen(name));
    if (local && !local->is_local)
        diag_error(c, &attr->args->loc, 2274, "[call_as] target '%s' must be [local]", name);
    for (struct proc *other = proc->home->procs; other && other != proc; other = other->next) {
        const struct attr *same = attr_find(other->attrs, ATTR_CALL_AS);
        if (same && strcmp(same->args->text, name) == 0)
            diag_error(c, &attr->args->loc, 2285,
                       "procedure '%s' is used twice as the caller in [call_as], first for '%s'",
                       name, other->name);
    }
}

bool check_attributes_of_proc(struct idl_compiler *c, struct proc *proc)
{
    const struct attr *attr;
    check_combinations(c, proc);
    if (proc->is_maybe)
        check_no_answer(c, proc, "maybe");
    if ((attr = attr_find(proc->attrs, ATTR_MESSAGE)) != NULL) {
        check_no_answer(c, proc, "message");
        diag_error(c, &attr->loc, 2028,
                   "[message] needs the message queues of ncadg_mq, which Penstock does not have: "
                   "'%s' could not be called",
                   proc->name);
    }
    if ((attr = attr_find(proc->attrs, ATTR_BROADCAST)) != NULL)
        diag_warning(c, &attr->loc, 2028, 1,
                     "[broadcast] needs a datagram protocol: '%s' calls one server", proc->name);
    if ((attr = attr_find(proc->attrs, ATTR_CALL_AS)) != NULL)
        check_call_as(c, proc, attr);
    bool ok = true;
    for (struct var *param = proc->params; param; param = param->next) {
        const char *why = check_unsendable(c, param->type);
        if (attr_find(param->attrs, ATTR_SYSTEM_HANDLE))
            why = system_handle;
        if (!why)
            continue;
        diag_error(c, &param->loc, 2028, "'%s' is or holds %s", param->name, why);
        ok = false;
    }
    const char *why = check_unsendable(c, proc->result);
    if (why) {
        diag_error(c, &proc->loc, 2028, "the result of '%s' is or holds %s", proc->name, why);
        ok = false;
    }
    return ok;
}
