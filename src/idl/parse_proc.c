/* SPDX-License-Identifier: MIT */
/* parse_proc.c - operations. */
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

static void declare_params(struct parser *parser, struct proc *proc)
{
    struct idl_compiler *c = parser->compiler;
    struct name_map seen = {0};
    for (struct var *param = proc->params; param; param = param->next) {
        param->proc = proc;
        proc->param_count++;
        if (!param->name)
            continue;
        if (names_find(&seen, param->name, strlen(param->name)))
            diag_error(c, &param->loc, 2003, "redefinition of parameter '%s'", param->name);
        names_set(&seen, &c->arena, param->name, strlen(param->name), param);
        check_name(parser, param->name, &param->loc);
    }
}

/* Files with several interfaces fill gaps in the numbers of both with dummies of one name,
 * Opnum6NotUsedOnWire.  Nobody calls them: in C the second has its interface's name, too. */
static void avoid_other_interfaces(struct parser *parser, struct proc *proc)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, proc->name, strlen(proc->name));
    if (!known || known->kind != SYMBOL_PROC || known->interface == proc->home ||
        strncmp(proc->name, "Opnum", 5) != 0)
        return;
    proc->name = arena_printf(&c->arena, "%s_%s", proc->home->name, proc->name);
    proc->name = intern(c, proc->name, strlen(proc->name));
    diag_warning(c, &proc->loc, 2003, 1,
                 "redefinition of an operation of another interface: this one is '%s' in C",
                 proc->name);
}

/* The end of proc = [attrs] type declarator '(' params ')' ';', on the ';'. */
bool parse_proc(struct parser *parser, struct var *var, const char *source, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct interface *interface = parser->interface;
    parse_accept_keyword(parser, KW_CONST);
    if (!parse_expect(parser, ';'))
        return false;
    if (parser->unit->imported || (interface && interface->is_com))
        return true; /* of an imported file, and of COM, only the types count */
    parse_check_attributes(parser, var->attrs, PLACE_OPERATION);
    if (!interface) {
        diag_error(c, &var->loc, 2262, "an operation must stand in an interface");
        return true;
    }
    struct proc *proc = ARENA_NEW(&c->arena, struct proc);
    proc->name = var->name;
    proc->loc = var->loc;
    proc->result = var->type->target;
    proc->params = var->type->params;
    proc->variadic = var->type->variadic;
    proc->attrs = var->attrs;
    proc->home = interface;
    proc->idempotent = attr_find(var->attrs, ATTR_IDEMPOTENT);
    proc->is_async = attr_find(var->attrs, ATTR_ASYNC);
    proc->explicit_handle = attr_find(var->attrs, ATTR_EXPLICIT_HANDLE);
    proc->is_nocode = attr_find(var->attrs, ATTR_NOCODE);
    proc->is_maybe = attr_find(var->attrs, ATTR_MAYBE);
    proc->is_local = interface->is_local || attr_find(var->attrs, ATTR_LOCAL);
    proc->is_callback = !proc->is_local && attr_find(var->attrs, ATTR_CALLBACK);
    declare_params(parser, proc);
    avoid_other_interfaces(parser, proc);
    struct symbol symbol = {.kind = SYMBOL_PROC, .loc = proc->loc, .interface = interface};
    if (!declare(parser, proc->name, &symbol))
        return true;
    if (!proc->is_local) {
        struct proc ***list_end =
            proc->is_callback ? &interface->callbacks_end : &interface->procs_end;
        proc->opnum =
            proc->is_callback ? interface->callback_count++ : interface->proc_count++;
        if (proc->opnum > 0xffff) { /* 16 bits on the wire */
            diag_error(c, &proc->loc, 2002, "an interface has at most 65536 operations");
            return true;
        }
        **list_end = proc;
        *list_end = &proc->next;
    }
    names_set(&interface->proc_names, &c->arena, proc->name, strlen(proc->name), proc);
    struct decl *decl = add_decl(parser, DECL_PROC, source, end);
    decl->proc = proc;
    proc->source = source;
    proc->source_end = parser->last_end;
    return true;
}
