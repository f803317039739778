/* SPDX-License-Identifier: MIT */
/* emit_types.c - frames and descriptors (rpcndr.h), the first half of both stubs. */
#include "idl/emit.h"

#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/types.h"

#include <inttypes.h>
#include <string.h>

/* ---- Expressions and ranges ------------------------------------------------------------ */

/* Operands before what uses them: C wants the names declared. */
void emit_expr(struct idl_compiler *c, struct text *out, struct node_expr *expr, const char *c_name)
{
    static const char members[] = "abc";
    if (!expr->c_name)
        expr->c_name = layout_name(c, c_name);
    for (unsigned i = 0; i < 3 && expr->operands[i]; i++)
        emit_expr(c, out, expr->operands[i],
                  arena_printf(&c->arena, "%s_%c", expr->c_name, members[i]));
    text_addf(out, "static const NDR_EXPR %s = {\n    .op = NDR_EXPR_%s", expr->c_name, expr->op);
    if (expr->kind)
        text_addf(out, ", .kind = NDR_KIND_%s", expr->kind);
    if (expr->member)
        text_addf(out, ",\n    .offset = offsetof(%s, %s)", expr->base, expr->member);
    if (strcmp(expr->op, "CONST") == 0)
        text_addf(out, ", .value = %s", emit_int64(c, expr->value));
    for (unsigned i = 0; i < 3 && expr->operands[i]; i++)
        text_addf(out, ",\n    .%c = &%s", members[i], expr->operands[i]->c_name);
    text_add(out, "\n};\n");
}

static void emit_limits(struct idl_compiler *c, struct text *out, struct node_range *range,
                        const char *c_name)
{
    if (!range)
        return;
    if (!range->c_name)
        range->c_name = layout_name(c, c_name);
    text_addf(out, "static const NDR_RANGE %s = {%s, %s};\n", range->c_name,
              emit_int64(c, range->low), emit_int64(c, range->high));
}

void emit_range(struct idl_compiler *c, struct text *out, const struct var *var, const char *c_name)
{
    emit_limits(c, out, (struct node_range *)var->range, c_name);
}

/* ---- Types -------------------------------------------------------------------------------- */

/* Is memory, too, what NDR 2.0 makes of the structure?  sizeof and offsetof know. */
static void emit_flat_constant(struct text *out, const struct node *node)
{
    uint64_t offset = 0;
    text_addf(out,
              "/* %s has no padding: it moves as it is. */\nenum {\n    %s = sizeof(%s) == "
              "%" PRIu64,
              node->idl_name, node->flat_name, node->aggregate->c_name, node->ndr_size);
    for (unsigned i = 0; i < node->count; i++) {
        const struct node_field *field = &node->fields[i];
        text_addf(out, "\n        && offsetof(%s, %s) == %" PRIu64, node->aggregate->c_name,
                  emit_member(field->var), offset);
        if (field->node->flat == FLAT_DEPENDS)
            text_addf(out, "\n        && %s", field->node->flat_name);
        offset += field->node->ndr_size;
    }
    text_add(out, "\n};\n");
}

static void emit_fields(struct idl_compiler *c, struct text *out, const struct node *node)
{
    for (unsigned i = 0; i < node->count; i++) {
        const struct var *var = node->fields[i].var;
        emit_range(c, out, var,
                   arena_printf(&c->arena, "%s_%s_range", node->c_name, emit_member(var)));
    }
    text_addf(out, "static const NDR_FIELD %s_fields[] = {\n", node->c_name);
    for (unsigned i = 0; i < node->count; i++) {
        const struct node_field *field = &node->fields[i];
        text_addf(out, "    {.name = \"%s\", .type = &%s,\n     .offset = offsetof(%s, %s)",
                  field->var->name ? field->var->name : "", field->node->c_name,
                  node->aggregate->c_name, emit_member(field->var));
        if (field->var->range)
            text_addf(out, ", .range = &%s", field->var->range->c_name);
        text_add(out, "},\n");
    }
    text_add(out, "};\n");
}

static void emit_flags(struct idl_compiler *c, struct text *out, struct node *node)
{
    const char *flat = NULL;
    if (node->flat == FLAT_ALWAYS)
        flat = "NDR_TYPE_FLAT";
    if (node->flat == FLAT_DEPENDS)
        flat = arena_printf(&c->arena, "(%s ? NDR_TYPE_FLAT : 0u)", node->flat_name);
    const char *const flags[] = {
        node->pointer_flag,
        node->has_pointers ? "NDR_TYPE_HAS_POINTERS" : NULL,
        node->is_varying ? "NDR_TYPE_VARYING" : NULL,
        node->is_open && node->aggregate ? "NDR_TYPE_OPEN" : NULL,
        node->null_with_size ? "NDR_TYPE_NULL_WITH_SIZE" : NULL,
        node->dont_free ? "NDR_TYPE_DONT_FREE" : NULL,
        node->all_nodes ? "NDR_TYPE_ALL_NODES" : NULL,
        layout_holds_characters(c, node) ? "NDR_TYPE_HAS_CHARACTERS" : NULL,
        flat,
    };
    const char *separator = "    .flags = ";
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!flags[i])
            continue;
        text_addf(out, "%s%s", separator, flags[i]);
        separator = " | ";
    }
    if (*separator == ' ' && separator[1] == '|')
        text_add(out, ",\n");
}

/* What size_is, length_is and switch_is compute. */
static void emit_node_exprs(struct idl_compiler *c, struct text *out, struct node *node)
{
    const struct var *var = node->sized_by_attr_of;
    if (var)
        text_addf(out, "/* the %s of %s: %s */\n", node->arms ? "arm" : "size",
                  var->name ? var->name : "an anonymous union", emit_attrs(c, var));
    const struct {
        struct node_expr *expr;
        const char *suffix;
    } exprs[] = {{node->max_count, "count"}, {node->first, "first"}, {node->length, "length"}};
    for (size_t i = 0; i < sizeof(exprs) / sizeof(exprs[0]); i++) {
        if (exprs[i].expr)
            emit_expr(c, out, exprs[i].expr,
                      arena_printf(&c->arena, "%s_%s", node->c_name, exprs[i].suffix));
    }
}

/* A context handle; its rundown is the server's. */
static void emit_context(struct idl_compiler *c, struct text *out, const struct node *node)
{
    static const struct {
        unsigned flag;
        const char *name;
    } flags[] = {
        {CONTEXT_STRICT, "NDR_CONTEXT_STRICT"},
        {CONTEXT_TYPE_STRICT, "NDR_CONTEXT_TYPE_STRICT"},
        {CONTEXT_SERIALIZE, "NDR_CONTEXT_SERIALIZE"},
        {CONTEXT_NOSERIALIZE, "NDR_CONTEXT_NOSERIALIZE"},
    };
    const struct node_context *context = node->context;
    const char *name = context->alias ? context->alias->name : NULL;
    bool rundown = c->for_server && name;
    if (rundown)
        text_addf(out,
                  "static void __RPC_USER %s_rundown(void *user)\n{\n    %s_rundown((%s)user);\n}\n",
                  node->c_name, name, name);
    text_addf(out, "static const NDR_CONTEXT %s_info = {\n", node->c_name);
    if (name)
        text_addf(out, "    .name = \"%s\",\n", name);
    if (rundown)
        text_addf(out, "    .rundown = %s_rundown,\n", node->c_name);
    const char *separator = "    .flags = ";
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!(context->flags & flags[i].flag))
            continue;
        text_addf(out, "%s%s", separator, flags[i].name);
        separator = " | ";
    }
    if (!name && !context->flags)
        text_add(out, "    .flags = 0,\n");
    else if (context->flags)
        text_add(out, ",\n");
    text_add(out, "};\n");
}

static void emit_node(struct idl_compiler *c, struct text *out, struct node *node)
{
    text_add(out, "\n");
    emit_node_exprs(c, out, node);
    if (node->anonymous)
        emit_twin(c, out, node->anonymous);
    if (node->arms)
        emit_alternatives(c, out, node);
    emit_limits(c, out, (struct node_range *)node->count_range,
                arena_printf(&c->arena, "%s_range", node->c_name));
    emit_limits(c, out, (struct node_range *)node->element_range,
                arena_printf(&c->arena, "%s_element_range", node->c_name));
    if (node->context)
        emit_context(c, out, node);
    if (node->conversion)
        emit_conversion(c, out, node);
    if (node->characters)
        emit_character_type(out, node);
    if (node->aggregate) {
        if (node->flat == FLAT_DEPENDS)
            emit_flat_constant(out, node);
        emit_fields(c, out, node);
    }
    text_addf(out, "static const NDR_TYPE %s = {\n    .kind = NDR_KIND_%s,\n", node->c_name,
              node->kind);
    emit_flags(c, out, node);
    if (strcmp(node->size, "0") != 0)
        text_addf(out, "    .size = %s,\n", node->size);
    text_addf(out, "    .align = %u,\n", node->align);
    if (node->count > 0)
        text_addf(out, "    .count = %u,\n", node->count);
    if (node->idl_name)
        text_addf(out, "    .name = \"%s\",\n", node->idl_name);
    if (node->element)
        text_addf(out, "    .element = &%s,\n", node->element->c_name);
    if (node->aggregate)
        text_addf(out, "    .fields = %s_fields,\n", node->c_name);
    if (node->context)
        text_addf(out, "    .context = &%s_info,\n", node->c_name);
    if (node->conversion)
        text_addf(out, "    .conversion = &%s_conversion,\n", node->c_name);
    if (node->characters)
        text_addf(out, "    .characters = &%s_routines,\n", node->c_name);
    if (node->max_count)
        text_addf(out, "    .max_count = &%s,\n", node->max_count->c_name);
    if (node->count_range)
        text_addf(out, "    .count_range = &%s,\n", node->count_range->c_name);
    if (node->element_range)
        text_addf(out, "    .element_range = &%s,\n", node->element_range->c_name);
    if (node->first)
        text_addf(out, "    .first = &%s,\n", node->first->c_name);
    if (node->length)
        text_addf(out, "    .length = &%s,\n", node->length->c_name);
    if (node->arms)
        text_addf(out, "    .alternatives = &%s_alternatives,\n", node->c_name);
    text_add(out, "};\n");
}

/* ---- Frames and parameters ------------------------------------------------------------------ */

static void emit_frame(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    text_add(out, "\n");
    emit_comment(c, out, "", proc->source, proc->source_end);
    text_addf(out, "%s {\n", proc->frame);
    if (proc->is_async)
        text_addf(out, "    PRPC_ASYNC_STATE %s_AsyncHandle;\n", proc->name);
    for (const struct var *param = proc->params; param; param = param->next)
        text_addf(out, "    %s;\n", emit_param(c, proc, param, true));
    if (proc->hidden)
        text_addf(out, "    handle_t %s; /* carries the call */\n", proc->hidden->name);
    if (proc->result_var)
        text_addf(out, "    %s;\n", emit_declaration(c, type_unqualified(proc->result), "_RetVal"));
    if (!proc->is_async && !proc->params && !proc->hidden && !proc->result_var)
        text_add(out, "    char _Nothing; /* C wants something here */\n");
    text_add(out, "};\n");
}

static bool by_value_pipe(const struct proc *proc, const struct var *param)
{
    return type_as_pipe(param->type) && !proc->is_async;
}

/* Is the parameter for this side alone?  A status the IDL does not have, any status where
 * there is no other side, or the result of a call that gets no answer. */
static bool is_local(const struct proc *proc, const struct var *param)
{
    bool is_result = param == proc->result_var;
    bool is_status = param->comm_status || param->fault_status ||
                     (is_result && (proc->comm_status || proc->fault_status));
    if (proc_is_pickled(proc))
        return is_status;
    return (is_status && param->synthesized) || (is_result && proc->is_maybe);
}

static void emit_one_param(struct text *out, const struct proc *proc, const struct var *param)
{
    text_addf(out,
              "    {.name = \"%s\", .type = &%s,\n     .offset = offsetof(%s, %s),\n"
              "     .flags = ",
              param->name, param->node->c_name, proc->frame, param->name);
    const char *separator = "";
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {
        {param->is_in, "NDR_PARAM_IN"},
        {param->is_out, "NDR_PARAM_OUT"},
        {param == proc->result_var, "NDR_PARAM_RETURN"},
        {strcmp(param->node->kind, "PIPE") == 0, "NDR_PARAM_PIPE"},
        {by_value_pipe(proc, param), "NDR_PARAM_BY_VALUE"},
        {param->is_binding, "NDR_PARAM_BINDING"},
        {param->comm_status, "NDR_PARAM_COMM_STATUS"},
        {param->fault_status, "NDR_PARAM_FAULT_STATUS"},
        {is_local(proc, param), "NDR_PARAM_LOCAL"},
        {attr_find(param->attrs, ATTR_PARTIAL_IGNORE) != NULL, "NDR_PARAM_PARTIAL_IGNORE"},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!flags[i].is_set)
            continue;
        text_addf(out, "%s%s", separator, flags[i].name);
        separator = " | ";
    }
    if (param->range)
        text_addf(out, ", .range = &%s", param->range->c_name);
    if (param->byte_count)
        text_addf(out, ",\n     .byte_count = &%s", param->byte_count->c_name);
    text_add(out, "},\n");
}

/* The C expression for them; a [callback] may have none. */
const char *emit_params_name(struct idl_compiler *c, const struct proc *proc)
{
    bool some = proc->params || proc->hidden || proc->result_var;
    return some ? arena_printf(&c->arena, "%s_params", proc->c_name) : "NULL";
}

static void emit_params(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    if (!proc->params && !proc->hidden && !proc->result_var)
        return;
    text_add(out, "\n");
    for (const struct var *param = proc->params; param; param = param->next) {
        emit_range(c, out, param,
                   arena_printf(&c->arena, "%s_%s_range", proc->c_name, param->name));
        if (param->byte_count)
            emit_expr(c, out, param->byte_count,
                      arena_printf(&c->arena, "%s_%s_bytes", proc->c_name, param->name));
    }
    if (proc->result_var)
        emit_range(c, out, proc->result_var,
                   arena_printf(&c->arena, "%s_result_range", proc->c_name));
    text_addf(out, "static const NDR_PARAM %s_params[] = {\n", proc->c_name);
    if (proc->hidden && proc->hidden_first)
        emit_one_param(out, proc, proc->hidden);
    for (const struct var *param = proc->params; param; param = param->next)
        emit_one_param(out, proc, param);
    if (proc->hidden && !proc->hidden_first)
        emit_one_param(out, proc, proc->hidden);
    if (proc->result_var)
        emit_one_param(out, proc, proc->result_var);
    text_add(out, "};\n");
}

static void emit_section(struct idl_compiler *c, struct text *out, unsigned section)
{
    for (const struct node *node = c->node_list; node; node = node->next) {
        if (node->section == section && node->forward)
            text_addf(out, "\nstatic const NDR_TYPE %s;\n", node->c_name);
    }
    for (struct node *node = c->node_list; node; node = node->next) {
        if (node->section == section)
            emit_node(c, out, node);
    }
}

/* Interfaces have sections 1, 2 ...; what comes after them has the one of `interface` NULL. */
static unsigned section_of(const struct idl_compiler *c, const struct interface *interface)
{
    unsigned section = 1;
    for (const struct interface *i = c->unit->interfaces; i != interface; i = i->next)
        section++;
    return section;
}

void emit_pickle_types(struct idl_compiler *c, struct text *out)
{
    unsigned section = section_of(c, NULL);
    /* What operations need belongs to their interfaces, whichever stub is written first. */
    for (struct interface *i = c->unit->interfaces; i; i = i->next)
        layout_mark(c, i, section_of(c, i));
    layout_mark_pickled(c, section);
    emit_section(c, out, section);
}

void emit_types(struct idl_compiler *c, struct text *out, struct interface *interface)
{
    unsigned section = section_of(c, interface);
    layout_mark(c, interface, section);

    text_addf(out,
              "\n/* ---- interface %s: one frame per operation, its arguments in order ---- "
              "*/\n",
              interface->name);
    for (const struct proc *proc = interface->procs; proc; proc = proc->next)
        emit_frame(c, out, proc);
    for (const struct proc *proc = interface->callbacks; proc; proc = proc->next)
        emit_frame(c, out, proc);

    text_addf(out, "\n/* ---- interface %s: types ---- */\n", interface->name);
    emit_section(c, out, section);

    text_addf(out, "\n/* ---- interface %s: parameters ---- */\n", interface->name);
    for (const struct proc *proc = interface->procs; proc; proc = proc->next)
        emit_params(c, out, proc);
    for (const struct proc *proc = interface->callbacks; proc; proc = proc->next)
        emit_params(c, out, proc);
}
