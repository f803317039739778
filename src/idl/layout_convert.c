/* SPDX-License-Identifier: MIT */
/* layout_convert.c - descriptors of values the program converts, and their rules. */
#include "idl/convert.h"
#include "idl/characters.h"
#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- What a typedef says ---------------------------------------------------------------- */

const struct attr *convert_attr(const struct var *alias)
{
    static const enum attr_id ids[] = {ATTR_REPRESENT_AS, ATTR_USER_MARSHAL, ATTR_TRANSMIT_AS,
                                       ATTR_WIRE_MARSHAL};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct attr *attr = attr_find(alias->attrs, ids[i]);
        if (attr && attr->args)
            return attr;
    }
    return NULL;
}

static bool is_local_name(const struct attr *attr)
{
    return attr->id == ATTR_REPRESENT_AS || attr->id == ATTR_USER_MARSHAL;
}

static bool is_user_marshalled(enum attr_id id)
{
    return id == ATTR_WIRE_MARSHAL || id == ATTR_USER_MARSHAL;
}

const struct var *convert_alias(struct type *type)
{
    for (;;) {
        if (type->kind == TYPE_CONST)
            type = type->target;
        else if (type->kind != TYPE_ALIAS)
            return NULL;
        else if (convert_attr(type->alias))
            return type->alias;
        else
            type = type->alias->type;
    }
}

const char *convert_local_name(const struct var *alias)
{
    const struct attr *attr = convert_attr(alias);
    if (!attr && characters_attr(alias))
        return characters_attr(alias)->args->text;
    return attr && is_local_name(attr) ? attr->args->text : alias->name;
}

struct type *convert_local_array(struct idl_compiler *c, struct type *type)
{
    const struct var *alias = convert_alias(type);
    const struct attr *attr = convert_attr(alias);
    if (is_local_name(attr)) {
        const char *name = attr->args->text;
        const struct symbol *symbol = names_find(&c->names, name, strlen(name));
        if (!symbol || symbol->kind != SYMBOL_TYPEDEF)
            return NULL;
        alias = symbol->var;
    }
    struct type *local = type_strip(alias->type);
    return local->kind == TYPE_ARRAY ? local : NULL;
}

struct type *convert_wire_type(const struct var *alias)
{
    const struct attr *attr = convert_attr(alias);
    return is_local_name(attr) ? alias->type : attr->args->type;
}

/* ---- Rules ------------------------------------------------------------------------------- */

/* What is below typedef names, pointers and arrays; NULL: a context handle. */
static struct type *innermost(struct type *type)
{
    for (;;) {
        if (type->kind == TYPE_ALIAS) {
            if (handle_context_attr(type->alias->attrs))
                return NULL;
            type = type->alias->type;
        } else if (type->kind == TYPE_CONST || type->kind == TYPE_POINTER ||
                   type->kind == TYPE_ARRAY) {
            type = type->target;
        } else {
            return type;
        }
    }
}

/* The type that carries the attribute. */
static bool check_presented(struct idl_compiler *c, const struct var *alias,
                            const struct attr *attr)
{
    struct type *inner = innermost(alias->type);
    struct type *top = type_strip(alias->type);
    if (!inner || handle_context_attr(alias->attrs)) {
        diag_error(c, &attr->loc, attr->id == ATTR_TRANSMIT_AS ? 2084 : 2045,
                   "[%s] must not be applied to a type that derives from a context handle",
                   attr->name);
        return false;
    }
    struct var bare = {.type = alias->type};
    if (handle_of(&bare).kind == HANDLE_GENERIC) {
        diag_error(c, &attr->loc, 2200,
                   "[%s] must not be applied to a type that derives from a generic handle",
                   attr->name);
        return false;
    }
    if (attr_find(alias->attrs, ATTR_HANDLE)) {
        diag_error(c, &attr->loc, 2201, "[handle] and [%s] cannot be applied to one type",
                   attr->name);
        return false;
    }
    if (inner->kind == TYPE_PIPE) {
        diag_error(c, &attr->loc, 2322, "invalid pipe usage: [%s] on a pipe", attr->name);
        return false;
    }
    if (top->kind == TYPE_BASE && (top->base == BASE_HANDLE || top->base == BASE_VOID)) {
        diag_error(c, &attr->loc, top->base == BASE_HANDLE ? 2184 : 2072,
                   "[%s] cannot be applied to %s", attr->name, base_info(top->base)->idl_name);
        return false;
    }
    bool is_open = (top->kind == TYPE_ARRAY && top->count == 0) ||
                   (top->kind == TYPE_STRUCT && aggregate_is_open(top->aggregate));
    if (attr->id == ATTR_TRANSMIT_AS && is_open) {
        diag_error(c, &attr->loc, 2087,
                   "presented type for [transmit_as] must not derive from a conformant or varying "
                   "array or structure");
        return false;
    }
    return inner->kind != TYPE_ERROR;
}

/* The type that is sent. */
static bool check_wire(struct idl_compiler *c, const struct attr *attr, struct type *type)
{
    struct type *inner = innermost(type);
    if (inner && inner->kind == TYPE_ERROR)
        return false;
    bool cannot =
        !inner || inner->kind == TYPE_FUNCTION || inner->kind == TYPE_PIPE ||
        (inner->kind == TYPE_BASE && (inner->base == BASE_VOID || inner->base == BASE_HANDLE));
    bool is_base = inner && inner->kind == TYPE_BASE;
    if (is_base && inner->base == BASE_ERROR_STATUS) {
        diag_error(c, &attr->args->loc, 2228,
                   "the transmitted type of [%s] must not derive from error_status_t", attr->name);
        return false;
    }
    if (cannot)
        diag_error(c, &attr->args->loc,
                   inner && inner->kind == TYPE_PIPE     ? 2322
                   : is_base && inner->base == BASE_VOID ? 2188
                                                         : 2085,
                   "[%s] must specify a transmissible type", attr->name);
    return !cannot;
}

void convert_check_typedef(struct idl_compiler *c, struct var *alias)
{
    const struct attr *first = NULL;
    for (const struct attr *attr = alias->attrs; attr; attr = attr->next) {
        bool is_wire = attr->id == ATTR_TRANSMIT_AS || is_user_marshalled(attr->id);
        if (!is_wire && attr->id != ATTR_REPRESENT_AS)
            continue;
        bool together = first && (first->id == ATTR_TRANSMIT_AS || attr->id == ATTR_TRANSMIT_AS) &&
                        (first->id == ATTR_REPRESENT_AS || attr->id == ATTR_REPRESENT_AS);
        if (first && !together) {
            diag_error(c, &attr->loc, 2096, "[%s] conflicts with [%s]", attr->name, first->name);
            return;
        }
        first = attr;
        struct type *wire = is_local_name(attr) ? alias->type : attr->args->type;
        if (!check_presented(c, alias, attr) || !check_wire(c, attr, wire))
            return;
    }
    layout_converted(c, alias);
}

/* ---- Descriptors --------------------------------------------------------------------------- */

/* A value of `type`, with the attributes of a typedef; *ret_range: of its integers, or NULL. */
static struct node *wire_node(struct idl_compiler *c, const struct var *alias, struct type *type,
                              struct attr *attrs, const struct node_range **ret_range)
{
    struct shape shape;
    struct var *wire = ARENA_NEW(&c->arena, struct var);
    wire->name = alias->name;
    wire->loc = alias->loc;
    wire->type = type;
    wire->attrs = attrs;
    wire->home = alias->home;
    if (!shape_resolve(c, wire, ROLE_FIELD, &shape) || !layout_var(c, wire, &shape, ROLE_FIELD))
        return NULL;
    *ret_range = wire->range;
    return wire->node;
}

static struct node *converted_node(struct idl_compiler *c, const struct var *alias,
                                   const struct attr *attr, struct node *element,
                                   const struct node_range *range, bool is_inner)
{
    struct node *node = layout_new_node(
        c,
        arena_printf(&c->arena, "ndr_%s_%s", is_inner ? "transmitted" : "converted", alias->name),
        "CONVERTED");
    const char *local = is_inner ? alias->name : convert_local_name(alias);
    node->conversion = ARENA_NEW(&c->arena, struct node_conversion);
    *node->conversion = (struct node_conversion){.alias = alias, .attr = attr};
    node->element = element;
    node->element_range = range;
    node->idl_name = alias->name;
    node->size = arena_printf(&c->arena, "sizeof(%s)", local);
    node->loc = attr->loc;
    node->converts = true;
    return layout_complete(c, node);
}

struct node *layout_converted(struct idl_compiler *c, const struct var *alias)
{
    const char *name = arena_printf(&c->arena, "ndr_converted_%s", alias->name);
    struct node *known = names_find(&c->nodes, name, strlen(name));
    if (known && strcmp(convert_local_name(known->conversion->alias),
                        convert_local_name(alias)) != 0) {
        diag_error(c, &convert_attr(alias)->loc, 2096,
                   "[%s] conflicts with another one of the imported type '%s'",
                   convert_attr(alias)->name, alias->name);
        return NULL;
    }
    if (known)
        return known->broken ? NULL : known;
    const struct attr *attr = convert_attr(alias);
    const struct attr *transmit = attr_find(alias->attrs, ATTR_TRANSMIT_AS);
    const struct node_range *range;
    struct node *element;
    bool is_twofold = attr->id == ATTR_REPRESENT_AS && transmit;
    if (is_local_name(attr) && !is_twofold)
        element = wire_node(c, alias, alias->type, alias->attrs, &range);
    else
        element =
            wire_node(c, alias, transmit ? transmit->args->type : attr->args->type, NULL, &range);
    if (element && is_twofold) {
        element = converted_node(c, alias, transmit, element, range, true);
        range = NULL;
    }
    struct node *node = element ? converted_node(c, alias, attr, element, range, false) : NULL;
    return node && layout_settle(c) ? node : NULL;
}

/* ---- Rules that need numbers ----------------------------------------------------------------- */

static bool has_full_pointer(const struct node *node, unsigned depth)
{
    if (node->pointer_flag && strcmp(node->pointer_flag, "NDR_TYPE_FULL") == 0)
        return true;
    if (depth == 0)
        return false;
    if (node->element && has_full_pointer(node->element, depth - 1))
        return true;
    for (unsigned i = 0; node->fields && i < node->count; i++) {
        if (node->fields[i].node && has_full_pointer(node->fields[i].node, depth - 1))
            return true;
    }
    return false;
}

static bool check_user_wire(struct idl_compiler *c, const struct node *node)
{
    const struct node *wire = node->element;
    bool is_pointer = wire->pointer_flag != NULL;
    if (has_full_pointer(wire, 6)) {
        diag_error(c, &node->loc, 2416, "transmitted type of [%s] '%s' must not contain a full pointer",
                   node->conversion->attr->name, node->idl_name);
        return false;
    }
    const struct node *pointee = is_pointer ? wire->element : wire;
    if (pointee->converts || (pointee->pointer_flag && pointee->element->converts)) {
        diag_later(c, &node->loc, "a wire type that holds a converted type");
        return false;
    }
    if (!is_pointer && (wire->ndr_size == 0 || wire->has_pointers)) {
        diag_error(c, &node->loc, 2417,
                   "transmitted type of [%s] '%s' must be a pointer, or of constant size and without "
                   "pointers",
                   node->conversion->attr->name, node->idl_name);
        return false;
    }
    return true;
}

bool layout_check_converted(struct idl_compiler *c, struct node *node)
{
    struct node *wire = node->element;
    if (layout_holds_context(c, wire)) {
        diag_error(c, &node->loc, 2085,
                   "[%s] of '%s' must specify a transmissible type: there is a context handle in it",
                   node->conversion->attr->name, node->idl_name);
        return false;
    }
    if (layout_holds_characters(c, wire)) { /* DCE has that rule, too */
        diag_error(c, &node->loc, 2096, "[%s] of '%s' conflicts with [cs_char] in what is sent",
                   node->conversion->attr->name, node->idl_name);
        return false;
    }
    if (is_user_marshalled(node->conversion->attr->id)) {
        node->has_pointers = wire->pointer_flag != NULL;
        return check_user_wire(c, node);
    }
    node->is_open = wire->is_open;
    if (!wire->has_pointers)
        return true;
    diag_error(c, &node->loc, 2086,
               "transmitted type of [%s] '%s' must not be a pointer or derive from a pointer",
               node->conversion->attr->name, node->idl_name);
    return false;
}

/* What is sent has no size of its own, so it can be where conformant structures can. */
bool layout_check_inside(struct idl_compiler *c, const struct node *node, const struct loc *loc,
                         enum inside where)
{
    static const struct {
        unsigned number;
        const char *rule;
    } rules[] = {
        [INSIDE_ARRAY] = {2043, "array element must not be a conformant structure"},
        [INSIDE_UNION] = {2171, "union arm cannot be a conformant structure"},
        [INSIDE_STRUCT] = {2055,
                           "a conformant structure must be the last member of the structure"},
    };
    if (!node->conversion || !node->is_open)
        return true;
    if (where == INSIDE_STRUCT_END)
        diag_later(c, loc, "a conformant type transmitted at the end of a structure");
    else
        diag_error(c, loc, rules[where].number, "%s: '%s' is transmitted as one",
                   rules[where].rule, node->idl_name);
    return false;
}
