/* SPDX-License-Identifier: MIT */
/* emit_union.c - NDR_ARM and NDR_UNION. */
#include "idl/emit.h"

#include "idl/types.h"

static void emit_arm_members(struct text *out, const struct node_arm *arm)
{
    if (!arm->node) {
        text_add(out, "/* empty */");
        return;
    }
    text_addf(out, ".name = \"%s\", .type = &%s", arm->var->name ? arm->var->name : "",
              arm->node->c_name);
    if (arm->var->range)
        text_addf(out, ", .range = &%s", arm->var->range->c_name);
}

static void emit_arm_ranges(struct idl_compiler *c, struct text *out, const struct node_arms *arms)
{
    for (unsigned i = 0; i <= arms->label_count; i++) {
        const struct node_arm *arm = i < arms->label_count ? &arms->labels[i] : arms->otherwise;
        bool again = i > 0 && i < arms->label_count && arms->labels[i - 1].var == arm->var;
        if (arm && arm->node && !again)
            emit_range(c, out, arm->var,
                       arena_printf(&c->arena, "%s_%s_range", arms->c_name, emit_member(arm->var)));
    }
}

static void emit_arms(struct idl_compiler *c, struct text *out, const struct node_arms *arms)
{
    emit_arm_ranges(c, out, arms);
    if (arms->label_count > 0)
        text_addf(out, "static const NDR_ARM %s[] = {\n", arms->c_name);
    for (unsigned i = 0; i < arms->label_count; i++) {
        text_addf(out, "    {.value = %s", emit_int64(c, arms->labels[i].value));
        if (arms->labels[i].node)
            text_add(out, ", ");
        else
            text_add(out, " ");
        emit_arm_members(out, &arms->labels[i]);
        text_add(out, "},\n");
    }
    if (arms->label_count > 0)
        text_add(out, "};\n");
    if (!arms->otherwise)
        return;
    text_addf(out, "static const NDR_ARM %s_default = {", arms->c_name);
    if (arms->otherwise->node)
        emit_arm_members(out, arms->otherwise);
    else
        text_add(out, ".name = NULL /* empty */");
    text_add(out, "};\n");
}

const char *emit_member(const struct var *field)
{
    while (!field->name)
        for (field = type_unqualified(field->type)->aggregate->fields; !field->type;)
            field = field->next;
    return field->name;
}

void emit_twin(struct idl_compiler *c, struct text *out, const struct aggregate *anonymous)
{
    text_add(out, "/* The header has no name for it. */\n");
    if (anonymous->pack > 0)
        text_addf(out, "#pragma pack(push, %u)\n", anonymous->pack);
    text_addf(out, "%s {\n", anonymous->c_name);
    for (const struct var *field = anonymous->fields; field; field = field->next) {
        if (field->type)
            text_addf(out, "    %s;\n",
                      emit_declaration(c, field->type, field->name ? field->name : "unnamed"));
    }
    text_add(out, "};\n");
    if (anonymous->pack > 0)
        text_add(out, "#pragma pack(pop)\n");
}

void emit_alternatives(struct idl_compiler *c, struct text *out, struct node *node)
{
    const struct node_arms *arms = node->arms;
    if (arms->owner == node)
        emit_arms(c, out, arms);
    if (node->switch_is)
        emit_expr(c, out, node->switch_is, arena_printf(&c->arena, "%s_switch", node->c_name));
    text_addf(out, "static const NDR_UNION %s_alternatives = {\n    .switch_kind = NDR_KIND_%s,\n",
              node->c_name, arms->switch_kind);
    if (node->switch_is) {
        text_addf(out, "    .switch_is = &%s,\n", node->switch_is->c_name);
    } else {
        const struct aggregate *owner = node->encapsulation;
        text_addf(out,
                  "    .switch_offset = offsetof(%s, %s),\n    .arms_offset = offsetof(%s, %s),\n",
                  owner->c_name, owner->fields->name, owner->c_name, owner->fields->next->name);
    }
    if (arms->label_count > 0)
        text_addf(out, "    .arm_count = %u,\n    .arms = %s,\n", arms->label_count, arms->c_name);
    if (arms->otherwise)
        text_addf(out, "    .otherwise = &%s_default,\n", arms->c_name);
    if (arms->ms_union)
        text_add(out, "    .flags = NDR_UNION_MS,\n");
    text_add(out, "};\n");
}
