/* SPDX-License-Identifier: MIT */
/* layout_union.c - unions: the arms once for each type of discriminant, and a node for
 * each use, because switch_is reads a particular frame or structure. */
#include "idl/convert.h"
#include "idl/expr.h"
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <stdlib.h>

/* What a discriminant may be. */
struct discriminant {
    const char *kind; /* NDR_KIND_*, without the prefix */
    unsigned size;    /* octets of NDR 2.0 */
    int64_t low, high;
};

static bool discriminant_of(struct idl_compiler *c, struct type *type, const struct loc *loc,
                            struct discriminant *ret)
{
    if (convert_alias(type)) {
        diag_error(c, loc, 2192,
                   "a discriminant must be an integer of at most 32 bits, a character, boolean or "
                   "enum, not a type the program converts");
        return false;
    }
    type = type_strip(type);
    if (type->kind == TYPE_ERROR)
        return false;
    if (type->kind == TYPE_ENUM) {
        bool is_v1 = type->enumeration->is_v1;
        *ret = (struct discriminant){.kind = is_v1 ? "ENUM32" : "ENUM16",
                                     .size = is_v1 ? 4 : 2,
                                     .low = INT32_MIN,
                                     .high = INT32_MAX};
        return true;
    }
    if (type->kind == TYPE_BASE && base_info(type->base)->integral &&
        !base_info(type->base)->wide) {
        const struct base_info *info = base_info(type->base);
        *ret = (struct discriminant){
            .kind = info->ndr_kind, .size = info->size, .low = info->low, .high = info->high};
        return true;
    }
    diag_error(c, loc, 2192,
               "a discriminant must be an integer of at most 32 bits, a character, boolean or "
               "an enum");
    return false;
}

/* ---- Arms ------------------------------------------------------------------------------ */

/* The value as the engine will load it: 0xffffffff may be what a long calls -1. */
static bool label_value(struct idl_compiler *c, const struct attr_arg *arg,
                        const struct discriminant *tag, int64_t *ret_value)
{
    if (!arg->expr || !expr_is_constant(c, arg->expr))
        return false; /* said where the arm was parsed */
    struct value value = expr_evaluate(c, arg->expr, 2066);
    if (value.kind != VALUE_INT)
        return false;
    int64_t span = (int64_t)1 << (8 * (tag->size == 2 && tag->low < -32768 ? 4 : tag->size));
    int64_t number = value.number;
    bool huge = value.is_unsigned && number < 0;
    if (!huge && number > tag->high && number < span && tag->low < 0)
        number -= span;
    if (!huge && number < 0 && number >= -span / 2 && tag->low == 0)
        number += span;
    if (huge || number < tag->low || number > tag->high) {
        diag_error(c, &arg->loc, 2206, "case value is out of the range of the discriminant");
        return false;
    }
    *ret_value = number;
    return true;
}

static int by_value(const void *a, const void *b)
{
    const struct node_arm *x = *(const struct node_arm *const *)a;
    const struct node_arm *y = *(const struct node_arm *const *)b;
    return x->value < y->value ? -1 : x->value > y->value ? 1 : x < y ? -1 : x > y;
}

static void check_duplicates(struct idl_compiler *c, struct node_arms *arms)
{
    size_t count = arms->label_count;
    const struct node_arm **sorted =
        arena_alloc(&c->arena, (count + 1) * sizeof(struct node_arm *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &arms->labels[i];
    qsort(sorted, count, sizeof(struct node_arm *), by_value);
    for (size_t i = 1; i < count; i++) {
        if (sorted[i]->value != sorted[i - 1]->value)
            continue;
        const struct attr *attr = attr_find(sorted[i]->var->attrs, ATTR_CASE);
        diag_error(c, &attr->loc, 2056, "duplicate case value %lld", (long long)sorted[i]->value);
        arms->broken = true;
    }
}

/* The type of one arm, once however many labels lead there. */
static bool arm_node(struct idl_compiler *c, struct var *arm)
{
    struct shape shape;
    if (!arm->type || arm->node)
        return true;
    return shape_resolve(c, arm, ROLE_FIELD, &shape) && layout_var(c, arm, &shape, ROLE_FIELD);
}

static void add_labels(struct idl_compiler *c, struct node_arms *arms, struct var *arm,
                       const struct discriminant *tag)
{
    const struct attr *attr = attr_find(arm->attrs, ATTR_CASE);
    for (const struct attr_arg *arg = attr ? attr->args : NULL; arg; arg = arg->next) {
        struct node_arm *label = &arms->labels[arms->label_count];
        if (!label_value(c, arg, tag, &label->value)) {
            arms->broken = true;
            continue;
        }
        label->var = arm;
        label->node = arm->node;
        arms->label_count++;
    }
    if (attr_find(arm->attrs, ATTR_DEFAULT)) {
        arms->otherwise = ARENA_NEW(&c->arena, struct node_arm);
        *arms->otherwise = (struct node_arm){.var = arm, .node = arm->node};
    }
}

static void build_arms(struct idl_compiler *c, struct aggregate *owner, struct node_arms *arms,
                       const struct discriminant *tag)
{
    size_t labels = 0;
    if (!layout_enter(c, &owner->loc)) {
        arms->broken = true;
        return;
    }
    arms->in_progress = true;
    for (struct var *arm = owner->fields; arm; arm = arm->next) {
        const struct attr *attr = attr_find(arm->attrs, ATTR_CASE);
        for (const struct attr_arg *arg = attr ? attr->args : NULL; arg; arg = arg->next)
            labels++;
        if (!arm_node(c, arm))
            arms->broken = true;
    }
    arms->labels = arena_alloc(&c->arena, (labels + 1) * sizeof(*arms->labels));
    for (struct var *arm = owner->fields; arm && !arms->broken; arm = arm->next)
        add_labels(c, arms, arm, tag);
    if (!arms->broken)
        check_duplicates(c, arms);
    arms->in_progress = false;
    c->layout_depth--;
}

static struct node_arms *arms_of(struct idl_compiler *c, struct aggregate *owner,
                                 const struct discriminant *tag)
{
    for (struct node_arms *arms = owner->arms; arms; arms = arms->next) {
        if (arms->switch_kind == tag->kind)
            return arms->broken ? NULL : arms;
    }
    struct node_arms *arms = ARENA_NEW(&c->arena, struct node_arms);
    arms->switch_kind = tag->kind;
    arms->switch_size = tag->size;
    arms->ms_union = owner->ms_union;
    arms->c_name = layout_name(
        c, arena_printf(&c->arena, "ndr_union_%s_arms", type_plain_name(owner->c_name)));
    arms->next = owner->arms;
    owner->arms = arms;
    build_arms(c, owner, arms, tag);
    return arms->broken ? NULL : arms;
}

/* ---- Uses -------------------------------------------------------------------------------- */

/* The type that [switch_type] names, here, at a typedef or at the union; else that of
 * switch_is. */
static struct type *switch_type_of(struct idl_compiler *c, const struct var *var,
                                   const struct shape *shape, struct type *found)
{
    const struct attr *own = attr_find(shape->base->aggregate->attrs, ATTR_SWITCH_TYPE);
    if (shape->switch_type)
        return shape->switch_type;
    if (own)
        return own->args->type;
    if (found)
        diag_warning(c, &var->loc, 2213, 1,
                     "no [switch_type] for this union: the type of [switch_is] is taken");
    else
        diag_error(c, &var->loc, 2213, "no [switch_type] for this union");
    return found;
}

/* One of them an enum or a character and the other of another size is a slip. */
static bool check_switch_types(struct idl_compiler *c, const struct shape *shape,
                               const struct discriminant *tag, struct type *found)
{
    const struct loc *loc = &shape->switch_is->args->loc;
    const struct expr *expr = shape->switch_is->args->expr;
    struct discriminant actual;
    if (!found)
        return true;
    if (found->kind != TYPE_ENUM &&
        !(found->kind == TYPE_BASE && base_info(found->base)->integral)) {
        if (found->kind != TYPE_ERROR)
            diag_error(c, loc, 2083, "[switch_is] expression is not of an integral type");
        return false;
    }
    if (!discriminant_of(c, found, loc, &actual))
        return false;
    bool bare = expr->op == EXPR_NAME || expr->op == EXPR_DEREF;
    if (!bare || (actual.size == 1) == (tag->size == 1))
        return true;
    diag_error(c, loc, 2083, "the type of [switch_is] does not match [switch_type]");
    return false;
}

struct node *layout_union(struct idl_compiler *c, const struct var *var, const struct shape *shape)
{
    struct aggregate *owner = shape->base->aggregate;
    const struct expr *expr = shape->switch_is->args->expr;
    struct type *found = layout_expr_type(expr, var);
    struct node_expr *switch_is = layout_expr(c, expr, var, USE_SWITCH);
    struct discriminant tag;
    struct type *type = switch_is ? switch_type_of(c, var, shape, found) : NULL;
    if (!type || !discriminant_of(c, type, &var->loc, &tag) ||
        !check_switch_types(c, shape, &tag, found))
        return NULL;
    struct node *node = ARENA_NEW(&c->arena, struct node);
    node->kind = "UNION";
    node->idl_name = type_plain_name(owner->c_name);
    node->size = arena_printf(&c->arena, "sizeof(%s)", owner->c_name);
    node->loc = var->loc;
    node->switch_is = switch_is;
    node->sized_by_attr_of = var;
    node->anonymous = owner->is_anonymous ? owner : NULL;
    node->arms = arms_of(c, owner, &tag);
    if (!node->arms)
        return NULL;
    node->c_name = layout_name(c, arena_printf(&c->arena, "ndr_union_%s", layout_context(c, var)));
    return layout_complete(c, node);
}

void layout_union_body(struct idl_compiler *c, struct aggregate *aggregate)
{
    if (aggregate->is_plain)
        return; /* for C alone */
    const struct attr *attr = attr_find(aggregate->attrs, ATTR_SWITCH_TYPE);
    struct discriminant tag;
    if (attr && discriminant_of(c, attr->args->type, &attr->loc, &tag))
        arms_of(c, aggregate, &tag);
    for (struct var *arm = attr ? NULL : aggregate->fields; arm; arm = arm->next)
        arm_node(c, arm);
    layout_settle(c);
}

struct node *layout_encapsulated(struct idl_compiler *c, struct aggregate *aggregate)
{
    const char *name = type_plain_name(aggregate->c_name);
    struct node *node = layout_new_node(c, arena_printf(&c->arena, "ndr_union_%s", name), "UNION");
    struct var *tag_field = aggregate->fields;
    struct var *union_field = tag_field ? tag_field->next : NULL;
    struct discriminant tag;
    aggregate->node = node;
    node->idl_name = name;
    node->loc = aggregate->loc;
    node->size = arena_printf(&c->arena, "sizeof(%s)", aggregate->c_name);
    node->encapsulation = aggregate;
    node->anonymous = aggregate->is_anonymous ? aggregate : NULL;
    node->broken = !union_field || union_field->type->kind != TYPE_UNION ||
                   !discriminant_of(c, tag_field->type, &tag_field->loc, &tag);
    if (node->broken)
        return NULL;
    node->arms = arms_of(c, union_field->type->aggregate, &tag);
    node->broken = !node->arms;
    return node->broken ? NULL : layout_complete(c, node);
}
