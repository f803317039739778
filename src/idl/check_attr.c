/* SPDX-License-Identifier: MIT */
/* check_attr.c - attributes of operations (idl.md 6), prototypes without stubs, and
 * what remote operations cannot take from COM. */
#include "idl/check.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- Types that cannot be sent ------------------------------------------------------------- */

/* Structures that refer to each other may form long chains. */
#define SEARCH_DEPTH_MAX 200

/* COM_OR_VOID: also unions without labels, which only C programs can use. */
enum wanted { COM, COM_OR_VOID };

static bool leads_to(struct type *type, enum wanted wanted, unsigned round, unsigned depth)
{
    type = type_strip(type);
    while (type->kind == TYPE_POINTER || type->kind == TYPE_ARRAY || type->kind == TYPE_PIPE)
        type = type_strip(type->target);
    if (wanted == COM_OR_VOID && type->kind == TYPE_BASE && type->base == BASE_VOID)
        return true;
    struct aggregate *aggregate = type->aggregate;
    if (!aggregate || aggregate->visited == round || depth > SEARCH_DEPTH_MAX)
        return false;
    if (aggregate->is_com || (wanted == COM_OR_VOID && aggregate->is_plain))
        return true;
    aggregate->visited = round;
    for (struct var *field = aggregate->fields; field; field = field->next) {
        if (!field->type || !leads_to(field->type, wanted, round, depth + 1)) /* an empty arm */
            continue;
        aggregate->is_com |= wanted == COM; /* next time faster */
        return true;
    }
    return false;
}

bool check_is_com(struct idl_compiler *c, struct type *type)
{
    return leads_to(type, COM, ++c->search_round, 0);
}

bool check_is_local_type(struct idl_compiler *c, struct type *type)
{
    return leads_to(type, COM_OR_VOID, ++c->search_round, 0);
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
    if (!proc->is_callback)
        return;
    diag_warning(c, &proc->loc, 2028, 1,
                 "calls from a server to its client are not supported yet by penstock-idl: "
                 "'%s' raises RPC_S_CANNOT_SUPPORT in the server",
                 proc->name);
    for (const struct var *param = proc->params; param; param = param->next) {
        if (type_is_base(param->type, BASE_HANDLE))
            diag_error(c, &param->loc, 2215,
                       "a [callback] procedure cannot have a handle parameter");
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
    if (!type_is_base(proc->result, BASE_VOID) && !type_is_error(proc->result) && !status)
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
}

bool check_attributes_of_proc(struct idl_compiler *c, struct proc *proc)
{
    const struct attr *attr;
    if (proc->is_maybe)
        check_no_answer(c, proc, "maybe");
    if ((attr = attr_find(proc->attrs, ATTR_BROADCAST)) != NULL)
        diag_warning(c, &attr->loc, 2028, 1,
                     "[broadcast] needs a datagram protocol: '%s' calls one server", proc->name);
    if ((attr = attr_find(proc->attrs, ATTR_CALL_AS)) != NULL)
        check_call_as(c, proc, attr);
    bool ok = true;
    for (struct var *param = proc->params; param; param = param->next) {
        if (!check_is_com(c, param->type))
            continue;
        diag_error(c, &param->loc, 2028,
                   "'%s' holds an interface pointer or a SAFEARRAY, which belong to COM: "
                   "penstock-idl cannot send them",
                   param->name);
        ok = false;
    }
    if (check_is_com(c, proc->result)) {
        diag_error(c, &proc->loc, 2028, "the result of '%s' belongs to COM", proc->name);
        ok = false;
    }
    return ok;
}
