/* SPDX-License-Identifier: MIT */
/* characters.c - the rules of [cs_char] and its tags, see characters.h. */
#include "idl/characters.h"

#include "idl/convert.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- Looking -------------------------------------------------------------------------------- */

const struct attr *characters_attr(const struct var *alias)
{
    const struct attr *attr = attr_find(alias->attrs, ATTR_CS_CHAR);
    return attr && attr->args ? attr : NULL;
}

const struct var *characters_alias(struct type *type)
{
    for (;;) {
        if (type->kind == TYPE_ALIAS) {
            if (characters_attr(type->alias))
                return type->alias;
            if (convert_attr(type->alias) || handle_context_attr(type->alias->attrs))
                return NULL;
            type = type->alias->type;
        } else if (type->kind == TYPE_CONST || type->kind == TYPE_POINTER ||
                   type->kind == TYPE_ARRAY) {
            type = type->target;
        } else {
            return NULL;
        }
    }
}

const struct attr *characters_tag_routine(const struct proc *proc)
{
    const struct attr *attr = attr_find(proc->attrs, ATTR_CS_TAG_RTN);
    if (!attr)
        attr = attr_find(proc->home->attrs, ATTR_CS_TAG_RTN);
    return attr && attr->args ? attr : NULL;
}

static const struct attr *tag_attr(const struct var *param)
{
    static const enum attr_id tags[] = {ATTR_CS_STAG, ATTR_CS_DRTAG, ATTR_CS_RTAG};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const struct attr *attr = attr_find(param->attrs, tags[i]);
        if (attr)
            return attr;
    }
    return NULL;
}

bool characters_is_hidden(const struct proc *proc, const struct var *param)
{
    return !proc->is_local && tag_attr(param) && characters_tag_routine(proc);
}

bool characters_in(const struct proc *proc)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (param->has_characters || characters_is_hidden(proc, param))
            return true;
    }
    return proc->result_var && proc->result_var->has_characters;
}

/* ---- Typedefs ------------------------------------------------------------------------------- */

void characters_check_typedef(struct idl_compiler *c, struct var *alias)
{
    static const enum attr_id others[] = {ATTR_TRANSMIT_AS,    ATTR_REPRESENT_AS,
                                          ATTR_WIRE_MARSHAL,   ATTR_USER_MARSHAL,
                                          ATTR_STRING,         ATTR_BSTRING,
                                          ATTR_RANGE,          ATTR_HANDLE,
                                          ATTR_CONTEXT_HANDLE, ATTR_ENCODE,
                                          ATTR_DECODE};
    const struct attr *attr = characters_attr(alias);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const struct attr *other = attr_find(alias->attrs, others[i]);
        if (!other)
            continue;
        diag_error(c, &attr->loc, 2096, "[%s] conflicts with [%s]", attr->name, other->name);
        return;
    }
    struct type *type = type_strip(alias->type);
    if (type->kind == TYPE_ERROR)
        return;
    bool is_octet = type->kind == TYPE_BASE && base_info(type->base)->size == 1;
    if (!is_octet || convert_alias(alias->type) || characters_alias(alias->type))
        diag_error(c, &attr->loc, 2085,
                   "[%s] must specify a transmissible type: '%s' is not a byte, or another type "
                   "of one octet",
                   attr->name, alias->name);
}

/* ---- Parameters ------------------------------------------------------------------------------ */

static const struct var *find_var(const struct var *list, const char *name)
{
    for (; list; list = list->next) {
        if (list->name && strcmp(list->name, name) == 0)
            return list;
    }
    return NULL;
}

static bool is_integer(struct type *type)
{
    return type->kind == TYPE_BASE && base_info(type->base)->flat && type->base != BASE_FLOAT &&
           type->base != BASE_DOUBLE && type->base != BASE_BOOLEAN;
}

/* The parameter or field `expr` names, itself or what it points to; NULL: reported.  The stub
 * puts another number there: that of octets. */
static const struct var *counter(struct idl_compiler *c, const struct var *array,
                                 const struct expr *expr, const char *word)
{
    bool deref = expr->op == EXPR_DEREF;
    const struct expr *name = deref ? expr->a : expr;
    const char *place = array->proc ? "parameter" : "field";
    const struct var *beside = array->proc ? array->proc->params : array->aggregate->fields;
    const struct var *var = name->op == EXPR_NAME ? find_var(beside, name->text) : NULL;
    if (!var) {
        diag_error(c, &expr->loc, 2072,
                   "inapplicable attribute: the %s of a [cs_char] array must be the name of a %s, "
                   "or '*' and its name, which then holds the number of octets",
                   word, place);
        return NULL;
    }
    struct type *type = type_strip(var->type);
    if (type->kind == TYPE_POINTER && array->proc)
        type = type_strip(type->target);
    if (!is_integer(type) || attr_find(var->attrs, ATTR_UNIQUE) ||
        attr_find(var->attrs, ATTR_PTR) || attr_find(var->attrs, ATTR_RANGE)) {
        diag_error(c, &var->loc, 2072,
                   "inapplicable attribute: '%s', the %s of a [cs_char] array, must be an "
                   "integer%s, without [range]",
                   var->name, word, array->proc ? ", or a [ref] pointer to one" : "");
        return NULL;
    }
    return var;
}

static bool mentions(const struct expr *expr, const char *name)
{
    if (!expr)
        return false;
    if (expr->op == EXPR_NAME)
        return strcmp(expr->text, name) == 0;
    return mentions(expr->a, name) || mentions(expr->b, name) || mentions(expr->c, name);
}

static const struct attr *attr_that_mentions(const struct var *var, const char *name)
{
    for (const struct attr *attr = var->attrs; attr; attr = attr->next) {
        if (attr->id == ATTR_CASE)
            continue;
        for (const struct attr_arg *arg = attr->args; arg; arg = arg->next) {
            if (mentions(arg->expr, name))
                return attr;
        }
    }
    return NULL;
}

/* A count of characters changes on its way; nothing else can depend on it. */
static void check_alone(struct idl_compiler *c, const struct var *count, const struct var *array,
                        bool is_size)
{
    const struct var *var = array->proc ? array->proc->params : array->aggregate->fields;
    for (; var; var = var->next) {
        if (!var->type)
            continue;
        const struct attr *attr = attr_that_mentions(var, count->name);
        if (attr && !characters_alias(var->type)) {
            diag_error(c, &attr->loc, 2072,
                       "inapplicable attribute: [%s] with '%s', which counts the characters "
                       "of the [cs_char] array '%s'",
                       attr->name, count->name, array->name);
            return;
        }
        const struct attr *length = attr_find(var->attrs, ATTR_LENGTH_IS);
        if (is_size && length && length->args && mentions(length->args->expr, count->name)) {
            diag_error(c, &length->loc, 2072,
                       "inapplicable attribute: '%s' is the size and the length of [cs_char] "
                       "arrays, and cannot hold both numbers of octets",
                       count->name);
            return;
        }
    }
}

/* What DCE's guide excludes: all but scalars and arrays of one dimension, with size_is and
 * length_is. */
static bool check_excluded(struct idl_compiler *c, const struct var *var,
                           const struct shape *shape)
{
    static const enum attr_id excluded[] = {ATTR_MIN_IS, ATTR_MAX_IS,  ATTR_FIRST_IS,
                                            ATTR_LAST_IS, ATTR_STRING, ATTR_BSTRING,
                                            ATTR_RANGE};
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++) {
        const struct attr *attr = attr_find(var->attrs, excluded[i]);
        if (!attr)
            continue;
        diag_error(c, &attr->loc, 2072, "inapplicable attribute: [%s] on an array of [cs_char]",
                   attr->name);
        return false;
    }
    if (shape->is_string) {
        diag_error(c, &var->loc, 2072, "inapplicable attribute: [string] on an array of [cs_char]");
        return false;
    }
    if (shape->level_count == 0)
        return true;
    const struct level *inner = &shape->levels[shape->level_count - 1];
    const struct level *outer = shape->level_count > 1 ? inner - 1 : NULL;
    if (outer && !inner->is_pointer && (outer->size || !outer->is_pointer)) {
        diag_error(c, &var->loc, 2072,
                   "inapplicable attribute: [cs_char] on an array of more than one dimension");
        return false;
    }
    bool is_passed = shape->level_count == 1 && var->proc; /* arrays are, by reference */
    if ((inner->is_pointer || is_passed) && inner->class == POINTER_FULL) {
        diag_error(c, &var->loc, 2072, "inapplicable attribute: [ptr] on %s of [cs_char]",
                   inner->size || !inner->is_pointer ? "an array" : "a value");
        return false;
    }
    return true;
}

/* A parameter, field or arm that is such an array or value, behind whatever levels. */
static void check_var(struct idl_compiler *c, const struct var *var, const struct shape *shape)
{
    if (!check_excluded(c, var, shape) || shape->level_count == 0)
        return;
    const struct level *inner = &shape->levels[shape->level_count - 1];
    const struct var *size = NULL, *length = NULL;
    if (inner->size && !(size = counter(c, var, inner->size, "size")))
        return;
    if (inner->length && !(length = counter(c, var, inner->length, "length")))
        return;
    if (size)
        check_alone(c, size, var, true);
    if (length && length != size)
        check_alone(c, length, var, false);
}

/* ---- What a parameter leads to ------------------------------------------------------------------ */

static void check_field(struct idl_compiler *c, struct var *field)
{
    struct shape shape;
    if (field && field->type && characters_alias(field->type) &&
        shape_resolve(c, field, ROLE_FIELD, &shape))
        check_var(c, field, &shape);
}

static void check_fields(struct idl_compiler *c, struct aggregate *aggregate)
{
    if (!aggregate || aggregate->characters_checked)
        return;
    aggregate->characters_checked = true;
    for (struct var *field = aggregate->fields; field; field = field->next)
        check_field(c, field);
}

/* Neither has DCE these attributes nor MIDL this one: nobody says what they mean together. */
static bool check_memory_attrs(struct idl_compiler *c, const struct var *param,
                               const struct node *node)
{
    const char *word = node->dont_free || node->all_nodes ? "allocate"
                       : node != param->node              ? NULL
                       : param->byte_count                ? "byte_count"
                       : attr_find(param->attrs, ATTR_PARTIAL_IGNORE) ? "partial_ignore"
                                                                      : NULL;
    if (word)
        diag_error(c, &param->loc, 2072,
                   "inapplicable attribute: [%s] on what leads to [cs_char], in '%s'", word,
                   param->name);
    return !word;
}

void characters_check_param(struct idl_compiler *c, struct var *param, const struct shape *shape)
{
    unsigned count;
    param->has_characters = layout_holds_characters(c, param->node);
    if (!param->has_characters)
        return;
    if (characters_alias(param->type))
        check_var(c, param, shape);
    struct node **nodes = layout_reachable(c, param->node, &count);
    for (unsigned i = 0; i < count; i++) {
        struct node *node = nodes[i];
        if (node->aggregate)
            check_fields(c, node->aggregate);
        for (unsigned n = 0; node->arms && n < node->arms->label_count; n++)
            check_field(c, (struct var *)node->arms->labels[n].var);
        if (node->arms && node->arms->otherwise)
            check_field(c, (struct var *)node->arms->otherwise->var);
    }
    for (unsigned i = 0; i < count; i++) {
        struct node *node = nodes[i];
        if (node->pointer_flag && !node->is_ignored && layout_holds_characters(c, node) &&
            !check_memory_attrs(c, param, node))
            return;
    }
}

/* ---- Operations ------------------------------------------------------------------------------ */

static void check_tag(struct idl_compiler *c, const struct proc *proc, const struct var *param,
                      const struct attr *attr, unsigned *seen)
{
    struct type *type = type_strip(param->type);
    bool is_pointer = type->kind == TYPE_POINTER;
    if (is_pointer)
        type = type_strip(type->target);
    bool is_answer = attr->id == ATTR_CS_RTAG;
    bool null = attr_find(param->attrs, ATTR_UNIQUE) || attr_find(param->attrs, ATTR_PTR);
    if (!type_is_base(type, BASE_ULONG) || null || (is_answer ? !param->is_out : !param->is_in))
        diag_error(c, &param->loc, 2072,
                   "inapplicable attribute: [%s] needs an %s unsigned long%s", attr->name,
                   is_answer ? "[out]" : "[in]", is_answer ? " *" : ", or a [ref] pointer to one");
    unsigned bit = attr->id == ATTR_CS_STAG ? 1u : attr->id == ATTR_CS_DRTAG ? 2u : 4u;
    if (*seen & bit)
        diag_error(c, &param->loc, 2072, "inapplicable attribute: a second [%s] in '%s'",
                   attr->name, proc->name);
    *seen |= bit;
}

void characters_check_proc(struct idl_compiler *c, struct proc *proc)
{
    bool sends = false, receives = false;
    unsigned seen = 0;
    for (const struct var *param = proc->params; param; param = param->next) {
        const struct attr *attr = tag_attr(param);
        if (attr)
            check_tag(c, proc, param, attr, &seen);
        sends |= param->has_characters && param->is_in;
        receives |= param->has_characters && param->is_out;
        if (param->has_characters && param == proc->generic)
            diag_error(c, &param->loc, 2072,
                       "inapplicable attribute: [cs_char] in '%s', which is a [handle] and is "
                       "needed before the code sets are known",
                       param->name);
    }
    receives |= proc->result_var && proc->result_var->has_characters;
    if (!characters_in(proc))
        return;
    bool is_pickled = proc->encodes || proc->decodes;
    sends &= !is_pickled || proc->encodes;
    receives &= !is_pickled || proc->decodes;
    if (sends && !(seen & 1u))
        diag_error(c, &proc->loc, 2072,
                   "inapplicable attribute: [in] [cs_char] arrays without [cs_stag] in '%s'",
                   proc->name);
    if (receives && !(seen & 4u))
        diag_error(c, &proc->loc, 2072,
                   "inapplicable attribute: [out] [cs_char] arrays without [cs_rtag] in '%s'",
                   proc->name);
}
