/* SPDX-License-Identifier: MIT */
/* characters.c - the rules of [cs_char] and its tags, see characters.h. */
#include "idl/characters.h"

#include "idl/convert.h"
#include "idl/handle.h"
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

struct aggregate *characters_holder(struct type *type)
{
    while (type->kind == TYPE_ALIAS || type->kind == TYPE_CONST || type->kind == TYPE_POINTER) {
        if (type->kind == TYPE_ALIAS &&
            (convert_attr(type->alias) || handle_context_attr(type->alias->attrs)))
            return NULL;
        type = type->kind == TYPE_ALIAS ? type->alias->type : type->target;
    }
    struct aggregate *aggregate = type->kind == TYPE_STRUCT ? type->aggregate : NULL;
    if (!aggregate || aggregate->is_encapsulated)
        return NULL;
    for (const struct var *field = aggregate->fields; field; field = field->next) {
        if (field->type && characters_alias(field->type))
            return aggregate;
    }
    return NULL;
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
        if (param->characters || characters_is_hidden(proc, param))
            return true;
    }
    return proc->result_var && proc->result_var->characters;
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

/* The parameter or field `expr` names, itself or what it points to; NULL: reported. */
static const struct var *counter(struct idl_compiler *c, const struct var *array,
                                 const struct expr *expr, const char *word)
{
    bool deref = expr->op == EXPR_DEREF;
    const struct expr *name = deref ? expr->a : expr;
    const struct var *beside = array->proc ? array->proc->params : array->aggregate->fields;
    const struct var *var = name->op == EXPR_NAME ? find_var(beside, name->text) : NULL;
    if (!var) {
        diag_later(c, &expr->loc,
                   arena_printf(&c->arena, "a %s of a [cs_char] array that is more than the name "
                                           "of a %s", word, array->proc ? "parameter" : "field"));
        return NULL;
    }
    struct type *type = type_strip(var->type);
    bool is_pointer = type->kind == TYPE_POINTER;
    if (is_pointer && array->proc)
        type = type_strip(type->target);
    if (!is_integer(type) || attr_find(var->attrs, ATTR_UNIQUE) ||
        attr_find(var->attrs, ATTR_PTR) || attr_find(var->attrs, ATTR_RANGE)) {
        diag_later(c, &var->loc,
                   arena_printf(&c->arena, "a %s of a [cs_char] array other than an integer%s, "
                                           "without [range]",
                                word, array->proc ? ", or a [ref] pointer to one" : ""));
        return NULL;
    }
    return var;
}

/* What DCE's guide excludes. */
static bool check_level(struct idl_compiler *c, const struct var *var, const struct shape *shape)
{
    static const enum attr_id excluded[] = {ATTR_MIN_IS, ATTR_MAX_IS,  ATTR_FIRST_IS,
                                            ATTR_LAST_IS, ATTR_STRING, ATTR_BSTRING};
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
    const struct level *level = &shape->levels[0];
    if (shape->level_count > 1 && !level->is_pointer && !shape->levels[1].is_pointer) {
        diag_error(c, &var->loc, 2072,
                   "inapplicable attribute: [cs_char] on an array of more than one dimension");
        return false;
    }
    if (shape->level_count == 0)
        return true;
    bool is_array = level->size || level->count > 0;
    if (is_array && shape->level_count == 1 && level->class == POINTER_FULL) {
        diag_error(c, &var->loc, 2072, "inapplicable attribute: [ptr] on an array of [cs_char]");
        return false;
    }
    if (shape->level_count > 1 || (!is_array && level->class != POINTER_REF))
        diag_later(c, &var->loc, "[cs_char] behind a pointer, other than an array,");
    else if (level->count_range || level->dont_free || level->all_nodes)
        diag_later(c, &var->loc, "[range] and [allocate] on an array of [cs_char]");
    else
        return true;
    return false;
}

/* Scalars are arrays of one. */
static struct characters *characters_of(struct idl_compiler *c, const struct var *var,
                                        const struct shape *shape)
{
    const struct level *level = shape->level_count > 0 ? &shape->levels[0] : NULL;
    if (!check_level(c, var, shape))
        return NULL;
    struct characters *characters = ARENA_NEW(&c->arena, struct characters);
    characters->alias = characters_alias(var->type);
    characters->count = !level || (level->count == 0 && !level->size) ? 1 : level->count;
    if (level && level->size && !(characters->size = counter(c, var, level->size, "size")))
        return NULL;
    if (level && level->length && !(characters->length = counter(c, var, level->length, "length")))
        return NULL;
    return characters;
}

/* A parameter that is such a structure, or a [ref] or [unique] pointer to one.  True: it is. */
static bool check_holder(struct idl_compiler *c, struct var *param, const struct shape *shape,
                         struct characters **ret_list)
{
    struct aggregate *aggregate = shape->base->kind == TYPE_STRUCT
                                      ? characters_holder(shape->base) : NULL;
    const struct level *level = &shape->levels[0];
    if (!aggregate)
        return false;
    if (shape->level_count > 1 ||
        (shape->level_count == 1 && (!level->is_pointer || level->size ||
                                     level->class == POINTER_FULL || level->dont_free ||
                                     level->all_nodes)) ||
        param->byte_count || attr_find(param->attrs, ATTR_PARTIAL_IGNORE)) {
        diag_later(c, &param->loc, "a structure with [cs_char] in it other than a parameter, or "
                                   "what a [ref] or [unique] parameter points to,");
        return true;
    }
    for (struct var *field = aggregate->fields; field; field = field->next) {
        struct shape inner;
        if (!characters_alias(field->type)) {
            if (aggregate_is_open(aggregate) && !field->next)
                diag_later(c, &field->loc, "a conformant array beside [cs_char]");
            continue;
        }
        if (!shape_resolve(c, field, ROLE_FIELD, &inner))
            return true;
        if (inner.level_count > 0 && inner.levels[0].is_pointer) {
            diag_later(c, &field->loc, "a field that is a pointer to [cs_char]");
            return true;
        }
        struct characters *characters = characters_of(c, field, &inner);
        if (!characters)
            return true;
        characters->field = field;
        characters->by_value = shape->level_count == 0;
        *ret_list = characters;
        ret_list = &characters->next;
    }
    return true;
}

void characters_check_param(struct idl_compiler *c, struct proc *proc, struct var *param,
                            const struct shape *shape)
{
    struct characters *characters = NULL;
    if (!check_holder(c, param, shape, &characters)) {
        if (!characters_alias(param->type))
            return;
        bool is_result = strcmp(param->name, "_RetVal") == 0 && param->proc == proc;
        if (is_result && (shape->level_count > 0 || proc->is_async)) {
            diag_later(c, &proc->loc, "a result that points to [cs_char], or of an asynchronous "
                                      "operation,");
            return;
        }
        characters = characters_of(c, param, shape);
        if (characters)
            characters->by_value = shape->level_count == 0;
    }
    param->characters = characters;
}

/* ---- Operations ------------------------------------------------------------------------------ */

static bool mentions(const struct expr *expr, const char *name)
{
    if (!expr)
        return false;
    if (expr->op == EXPR_NAME)
        return strcmp(expr->text, name) == 0;
    return mentions(expr->a, name) || mentions(expr->b, name) || mentions(expr->c, name);
}

/* A count of characters changes on its way; nothing else can depend on it.  `list`: parameters,
 * or fields of the same structure. */
static void check_alone(struct idl_compiler *c, const struct var *list, const struct var *count,
                        const struct var *owner)
{
    for (const struct var *var = list; var; var = var->next) {
        if (!var->type || characters_alias(var->type))
            continue;
        for (const struct attr *attr = var->attrs; attr; attr = attr->next) {
            if (attr->id == ATTR_CASE)
                continue;
            for (const struct attr_arg *arg = attr->args; arg; arg = arg->next) {
                if (!mentions(arg->expr, count->name))
                    continue;
                diag_error(c, &attr->loc, 2072,
                           "inapplicable attribute: [%s] with '%s', which counts the characters "
                           "of the [cs_char] array '%s'",
                           attr->name, count->name, owner->name);
                return;
            }
        }
    }
}

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

static bool is_length_too(const struct proc *proc, const struct characters *array)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        for (const struct characters *other = param->characters; other; other = other->next) {
            if (array->size && other->length == array->size)
                return true;
        }
    }
    return false;
}

static void check_counts(struct idl_compiler *c, const struct proc *proc)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        for (const struct characters *one = param->characters; one; one = one->next) {
            const struct var *owner = one->field ? one->field : param;
            const struct var *list = one->field ? one->field->aggregate->fields : proc->params;
            if (one->size)
                check_alone(c, list, one->size, owner);
            if (one->length)
                check_alone(c, list, one->length, owner);
            if (is_length_too(proc, one)) {
                diag_later(c, &owner->loc, "one variable that is the size and the length of "
                                           "[cs_char] arrays");
                return;
            }
        }
    }
}

void characters_check_proc(struct idl_compiler *c, struct proc *proc)
{
    bool sends = false, receives = false;
    unsigned seen = 0;
    for (const struct var *param = proc->params; param; param = param->next) {
        const struct attr *attr = tag_attr(param);
        if (attr)
            check_tag(c, proc, param, attr, &seen);
        sends |= param->characters && param->is_in;
        receives |= param->characters && param->is_out;
    }
    receives |= proc->result_var && proc->result_var->characters;
    if (!characters_in(proc))
        return;
    check_counts(c, proc);
    if (sends && !(seen & 1u))
        diag_error(c, &proc->loc, 2072,
                   "inapplicable attribute: [in] [cs_char] arrays without [cs_stag] in '%s'",
                   proc->name);
    if (receives && !(seen & 4u))
        diag_error(c, &proc->loc, 2072,
                   "inapplicable attribute: [out] [cs_char] arrays without [cs_rtag] in '%s'",
                   proc->name);
    if (proc->is_callback || proc->has_pipes || proc->encodes || proc->decodes)
        diag_later(c, &proc->loc,
                   "[cs_char] and its tags in an operation that is a callback, serialised or has "
                   "pipes");
}
