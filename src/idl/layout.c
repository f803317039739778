/* SPDX-License-Identifier: MIT */
/* layout.c - lowers types to descriptor nodes (architecture.md 5, rpcndr.h).
 *
 * Scalars, structures and fixed arrays are found again by their C name, which spells
 * out the type: `ndr_array_32_byte`, `ndr_unique_struct_NODE`. */
#include "idl/layout.h"

#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

const char *layout_name(struct idl_compiler *c, const char *text)
{
    static char taken[] = "taken";
    const char *name = text;
    for (unsigned n = 2; names_find(&c->node_names, name, strlen(name)); n++)
        name = arena_printf(&c->arena, "%s_%u", text, n);
    names_set(&c->node_names, &c->arena, name, strlen(name), taken);
    return name;
}

/* Structures that lead to each other, by value or by pointer: bounds the recursion. */
#define LAYOUT_DEPTH_MAX (2 * IDL_NESTING_MAX)

/* "ndr_array_32_byte" -> "array_32_byte" */
static const char *bare(const struct node *node)
{
    return node->c_name + strlen("ndr_");
}

static struct node *known_node(struct idl_compiler *c, const char *c_name)
{
    return names_find(&c->nodes, c_name, strlen(c_name));
}

struct node *layout_new_node(struct idl_compiler *c, const char *c_name, const char *kind)
{
    struct node *node = ARENA_NEW(&c->arena, struct node);
    node->c_name = c_name;
    node->kind = kind;
    node->size = "0";
    node->align = 1;
    names_set(&c->nodes, &c->arena, c_name, strlen(c_name), node);
    layout_name(c, c_name);
    return node;
}

struct node *layout_complete(struct idl_compiler *c, struct node *node)
{
    node->complete = true;
    node->order = ++c->node_count;
    *c->node_end = node;
    c->node_end = &node->next;
    return node;
}

/* ---- Scalars --------------------------------------------------------------------- */

static struct node *base_node(struct idl_compiler *c, struct type *type)
{
    const struct base_info *info = base_info(type->base);
    char *c_name = arena_printf(&c->arena, "ndr_%s", info->idl_name);
    for (char *at = c_name; *at != '\0'; at++) {
        if (*at == ' ')
            *at = '_';
    }
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    node = layout_new_node(c, c_name, info->ndr_kind);
    node->idl_name = info->idl_name;
    if (type->base != BASE_VOID)
        node->size = arena_printf(&c->arena, "sizeof(%s)", info->c_name);
    node->ndr_size = info->size;
    node->align = info->size ? info->size : 1;
    node->flat = info->flat ? FLAT_ALWAYS : FLAT_NEVER;
    node->settled = true;
    node->pipe_element_ok =
        info->size > 0 && type->base != BASE_INT3264 && type->base != BASE_UINT3264;
    return layout_complete(c, node);
}

/* The same octet, which is a character in C. */
static struct node *character_node(struct idl_compiler *c, const struct var *alias)
{
    const char *c_name = arena_printf(&c->arena, "ndr_character_%s", alias->name);
    struct node *node = known_node(c, c_name);
    if (node && strcmp(convert_local_name(node->characters), convert_local_name(alias)) != 0) {
        diag_error(c, &characters_attr(alias)->loc, 2096,
                   "[cs_char] conflicts with another one of the imported type '%s'", alias->name);
        return NULL;
    }
    if (node)
        return node;
    const struct node *octet = base_node(c, type_strip(alias->type));
    node = layout_new_node(c, c_name, octet->kind);
    node->idl_name = alias->name;
    node->size = octet->size;
    node->ndr_size = octet->ndr_size;
    node->align = octet->align;
    node->flat = octet->flat;
    node->settled = true;
    node->characters = alias;
    c->has_characters = true;
    return layout_complete(c, node);
}

static struct node *enum_node(struct idl_compiler *c, struct type *type)
{
    const struct enumeration *e = type->enumeration;
    const char *name = strncmp(e->c_name, "enum ", 5) == 0 ? e->c_name + 5 : e->c_name;
    const char *c_name = arena_printf(&c->arena, "ndr_enum_%s", name);
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    for (const struct enumerator *item = e->list; item && !e->is_v1; item = item->next) {
        if (item->value < 0 || item->value > INT16_MAX)
            diag_warning(c, &item->loc, 2175, 1,
                         "'%s' cannot be sent: the values of an enum "
                         "without [v1_enum] are 0 to 32767",
                         item->name);
    }
    node = layout_new_node(c, c_name, e->is_v1 ? "ENUM32" : "ENUM16");
    node->idl_name = name;
    node->enumeration = e;
    node->size = arena_printf(&c->arena, "sizeof(%s)", e->c_name);
    node->ndr_size = node->align = e->is_v1 ? 4 : 2;
    node->flat = e->is_v1 ? FLAT_ALWAYS : FLAT_NEVER;
    node->settled = true;
    node->pipe_element_ok = e->is_v1;
    return layout_complete(c, node);
}

/* ---- Structures -------------------------------------------------------------------- */

static struct node *struct_node(struct idl_compiler *c, struct aggregate *aggregate)
{
    const char *name = type_plain_name(aggregate->c_name);
    struct node *node =
        layout_new_node(c, arena_printf(&c->arena, "ndr_struct_%s", name), "STRUCT");
    aggregate->node = node;
    node->aggregate = aggregate;
    node->idl_name = name;
    node->loc = aggregate->loc;
    node->is_open = aggregate_is_open(aggregate);
    node->anonymous = aggregate->is_anonymous ? aggregate : NULL;
    node->size = arena_printf(&c->arena, "sizeof(%s)", aggregate->c_name);
    node->count = aggregate->field_count;
    node->fields = arena_alloc(&c->arena, aggregate->field_count * sizeof(*node->fields));
    unsigned i = 0;
    for (struct var *field = aggregate->fields; field; field = field->next, i++) {
        struct shape shape;
        if (!shape_resolve(c, field, ROLE_FIELD, &shape) ||
            !layout_var(c, field, &shape, ROLE_FIELD)) {
            node->broken = true;
            continue;
        }
        node->fields[i] = (struct node_field){.var = field, .node = field->node};
    }
    if (node->is_open && aggregate->ms_conf_struct) {
        diag_later(c, &aggregate->loc,
                   arena_printf(&c->arena, "sending the conformant structure '%s' with "
                                           "[ms_conf_struct], whose octets are not documented,",
                                name));
        node->broken = true;
    }
    return node->broken ? NULL : layout_complete(c, node);
}

bool layout_enter(struct idl_compiler *c, const struct loc *loc)
{
    if (c->layout_depth < LAYOUT_DEPTH_MAX) {
        c->layout_depth++;
        return true;
    }
    diag_error(c, loc, 2002, "structures refer to each other too deeply");
    return false;
}

struct node *layout_struct(struct idl_compiler *c, struct aggregate *aggregate)
{
    if (aggregate->node)
        return aggregate->node->broken ? NULL : aggregate->node;
    if (!layout_enter(c, &aggregate->loc))
        return NULL;
    struct node *node =
        aggregate->is_encapsulated ? layout_encapsulated(c, aggregate) : struct_node(c, aggregate);
    c->layout_depth--;
    return layout_settle(c) ? node : NULL;
}

/* Through a pointer a structure may be reached while it is being laid out: then its
 * node is there, and its contents follow. */
static struct node *struct_behind_pointer(struct idl_compiler *c, struct aggregate *aggregate,
                                          const struct loc *loc)
{
    if (aggregate->node && !aggregate->node->broken)
        return aggregate->node;
    if (!aggregate->defined) {
        diag_error(c, loc, 2011, "unresolved type declaration: %s is not defined",
                   aggregate->c_name);
        return NULL;
    }
    return layout_struct(c, aggregate);
}

static struct node *value_node(struct idl_compiler *c, struct type *type, bool behind_pointer,
                               const struct loc *loc)
{
    switch (type->kind) {
    case TYPE_BASE:
        return base_node(c, type);
    case TYPE_ENUM:
        return enum_node(c, type);
    case TYPE_STRUCT:
        if (behind_pointer || !type->aggregate->defined)
            return struct_behind_pointer(c, type->aggregate, loc);
        return layout_struct(c, type->aggregate);
    case TYPE_PIPE:
        return layout_pipe(c, type);
    case TYPE_ALIAS: /* the only ones that are not looked through */
        return layout_converted(c, convert_alias(type));
    default: /* unions need more than a type: layout_union() */
        return NULL;
    }
}

/* ---- Pipes --------------------------------------------------------------------------- */

/* [range] on the names that the elements' type is made of; the one nearest to the pipe goes
 * before the others, but all must make sense.  False: reported. */
static bool element_range(struct idl_compiler *c, const struct type *pipe, const struct type *base,
                          const struct node_range **ret_range)
{
    *ret_range = NULL;
    for (struct type *named = pipe->target; named->kind == TYPE_ALIAS; named = named->alias->type) {
        const struct attr *attr = attr_find(named->alias->attrs, ATTR_RANGE);
        if (!attr)
            continue;
        struct node_range *range = ARENA_NEW(&c->arena, struct node_range);
        if (!shape_value_range(c, attr, base, range))
            return false;
        if (!*ret_range)
            *ret_range = range;
    }
    return true;
}

struct node *layout_pipe(struct idl_compiler *c, struct type *pipe)
{
    const char *c_name = arena_printf(&c->arena, "ndr_pipe_%s", pipe->pipe_name);
    struct node *node = known_node(c, c_name);
    if (node)
        return node->broken ? NULL : node;
    struct type *element = type_strip(pipe->target);
    bool possible = element->kind == TYPE_BASE || element->kind == TYPE_ENUM ||
                    (element->kind == TYPE_STRUCT && element->aggregate->defined);
    node = layout_new_node(c, c_name, "PIPE");
    node->broken = true;
    if (element->kind == TYPE_ERROR)
        return NULL;
    if (convert_alias(pipe->target) || characters_alias(pipe->target)) {
        diag_error(c, &pipe->loc, 2322,
                   "invalid pipe usage: elements of '%s' have a type the program converts",
                   pipe->pipe_name);
        return NULL;
    }
    struct node *element_node = possible ? value_node(c, element, false, &pipe->loc) : NULL;
    if (!possible || (element_node && !element_node->pipe_element_ok)) {
        diag_error(c, &pipe->loc, 2317,
                   "illegal type used in pipe '%s': elements are base types, "
                   "[v1_enum] and structures of fixed layout",
                   pipe->pipe_name);
        return NULL;
    }
    if (!element_node || !element_range(c, pipe, element, &node->element_range))
        return NULL;
    node->broken = false;
    node->element = element_node;
    node->idl_name = pipe->pipe_name;
    node->size = arena_printf(&c->arena, "sizeof(%s)", pipe->pipe_name);
    node->align = element_node->align > 4 ? element_node->align : 4;
    node->settled = true;
    return layout_complete(c, node);
}

/* ---- Pointers, arrays, strings ---------------------------------------------------------- */

/* `level`: the pointer in an IDL file; NULL: one of ours. */
static struct node *pointer_node(struct idl_compiler *c, struct node *target,
                                 enum pointer_class class, bool is_ignored,
                                 const struct level *level)
{
    bool dont_free = level && level->dont_free;
    bool all_nodes = level && level->all_nodes;
    const char *word = is_ignored                ? "ignored"
                       : class == POINTER_REF    ? "ref"
                       : class == POINTER_UNIQUE ? "unique"
                                                 : "full";
    const char *c_name = arena_printf(&c->arena, "ndr_%s%s%s_%s", word, all_nodes ? "_whole" : "",
                                      dont_free ? "_kept" : "", bare(target));
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    node = layout_new_node(c, c_name, "POINTER");
    node->dont_free = dont_free;
    node->all_nodes = all_nodes;
    node->pointer_flag = is_ignored                ? "NDR_TYPE_IGNORE"
                         : class == POINTER_REF    ? "NDR_TYPE_REF"
                         : class == POINTER_UNIQUE ? "NDR_TYPE_UNIQUE"
                                                   : "NDR_TYPE_FULL";
    node->size = "sizeof(void *)";
    node->align = 4;
    node->ndr_size = 4;
    node->has_pointers = !is_ignored;
    node->is_ignored = is_ignored;
    node->settled = true;
    node->element = target;
    return layout_complete(c, node);
}

struct node *layout_pointer(struct idl_compiler *c, struct node *target, enum pointer_class class)
{
    return pointer_node(c, target, class, false, NULL);
}

struct node *layout_context_handle(struct idl_compiler *c, const struct var *alias, unsigned flags)
{
    const char *c_name = arena_printf(
        &c->arena, "ndr_context_%s%s%s%s%s", alias ? alias->name : "handle",
        flags & CONTEXT_STRICT ? "_strict" : "", flags & CONTEXT_TYPE_STRICT ? "_type_strict" : "",
        flags & CONTEXT_SERIALIZE ? "_serialize" : "",
        flags & CONTEXT_NOSERIALIZE ? "_noserialize" : "");
    struct node *node = known_node(c, c_name);
    if (!node) {
        node = layout_new_node(c, c_name, "CONTEXT");
        node->context = ARENA_NEW(&c->arena, struct node_context);
        *node->context = (struct node_context){.alias = alias, .flags = flags};
        node->idl_name = alias ? alias->name : NULL;
        node->size = "sizeof(void *)";
        node->align = 4;
        node->ndr_size = 20;
        node->settled = true;
        layout_complete(c, node);
    }
    return node;
}

static struct node *fixed_node(struct idl_compiler *c, struct node *element, uint32_t count,
                               bool is_string, const struct loc *loc)
{
    const char *word = is_string ? "string" : "array";
    const char *c_name = arena_printf(&c->arena, "ndr_%s_%u_%s", word, count, bare(element));
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    node = layout_new_node(c, c_name, is_string ? "STRING" : "ARRAY");
    node->element = element;
    node->count = count;
    node->loc = *loc;
    node->size = arena_printf(&c->arena, "%u * %s", count, element->size);
    node->is_sized = is_string;
    return layout_complete(c, node);
}

/* char * with [string] and no size. */
static struct node *string_node(struct idl_compiler *c, struct node *element,
                                const struct level *level, const struct var *var)
{
    const char *c_name = arena_printf(&c->arena, "ndr_string_%s", bare(element));
    if (level->count_range)
        c_name = layout_name(c, arena_printf(&c->arena, "ndr_string_%s", layout_context(c, var)));
    struct node *node = level->count_range ? NULL : known_node(c, c_name);
    if (node)
        return node;
    node = level->count_range ? ARENA_NEW(&c->arena, struct node)
                              : layout_new_node(c, c_name, "STRING");
    node->c_name = c_name;
    node->kind = "STRING";
    node->size = "0";
    node->count_range = level->count_range;
    node->element = element;
    node->is_sized = true;
    return layout_complete(c, node);
}

const char *layout_context(struct idl_compiler *c, const struct var *var)
{
    const char *name = var->name ? var->name : var->aggregate ? "unnamed" : "result";
    const char *owner = var->aggregate ? type_plain_name(var->aggregate->c_name) : var->proc->name;
    return arena_printf(&c->arena, "%s_%s", owner, name);
}

/* first_is and length_is of one level.  last_is is the last index: one more is counted. */
static bool varying_part(struct idl_compiler *c, struct node *node, const struct level *level,
                         const struct var *var)
{
    node->is_varying = true;
    if (level->first) {
        node->first = layout_expr(c, level->first, var, USE_LENGTH);
        if (!node->first)
            return false;
    }
    if (!level->length)
        return true;
    struct node_expr *length = layout_expr(c, level->length, var, USE_LENGTH);
    if (length && level->length_is_last) {
        if (node->first) {
            /* A second tree: each node is emitted under a name of its own. */
            struct node_expr *first = layout_expr(c, level->first, var, USE_LENGTH);
            length = layout_binary(c, "SUB", length, first);
        }
        length = layout_binary(c, "ADD", length, layout_constant(c, 1));
    }
    node->length = length;
    return length != NULL;
}

/* Conformant, varying or both, or a sized string: expressions around `var` say how many. */
static struct node *sized_node(struct idl_compiler *c, struct node *element,
                               const struct level *level, bool is_string, const struct var *var,
                               bool outermost)
{
    struct node *node = ARENA_NEW(&c->arena, struct node);
    node->kind = is_string ? "STRING" : "ARRAY";
    node->size = "0";
    node->element = element;
    node->loc = var->loc;
    node->sized_by_attr_of = var;
    if (level->size) {
        node->max_count = layout_expr(c, level->size, var, outermost ? USE_TOP_SIZE : USE_SIZE);
        if (!node->max_count)
            return NULL;
        if (level->size_is_max)
            node->max_count = layout_binary(c, "ADD", node->max_count, layout_constant(c, 1));
        node->is_sized = true;
        node->count_range = level->count_range;
        node->null_with_size = c->options.maybe_null ||
                               attr_find(var->attrs, ATTR_DISABLE_CONSISTENCY_CHECK) != NULL;
    } else {
        node->count = level->count;
        node->size = arena_printf(&c->arena, "%u * %s", level->count, element->size);
    }
    if (level_is_varying(level) && !varying_part(c, node, level, var))
        return NULL;
    node->c_name =
        layout_name(c, arena_printf(&c->arena, level->size ? "ndr_sized_%s" : "ndr_varying_%s",
                                    layout_context(c, var)));
    return layout_complete(c, node);
}

/* What a level leads to: `inner` itself, so many of it, or a string of it. */
static struct node *pointee(struct idl_compiler *c, struct node *inner, const struct level *level,
                            bool is_string, const struct var *var, bool outermost)
{
    if (level->size || level_is_varying(level))
        return sized_node(c, inner, level, is_string, var, outermost);
    if (!level->is_pointer && level->count > 0)
        return fixed_node(c, inner, level->count, is_string, &var->loc);
    return is_string ? string_node(c, inner, level, var) : inner;
}

/* The value of the pointer travels, whatever it leads to. */
static struct node *ignored_node(struct idl_compiler *c, const struct loc *loc)
{
    struct type *nothing = ARENA_NEW(&c->arena, struct type);
    nothing->kind = TYPE_BASE;
    nothing->base = BASE_VOID;
    nothing->loc = *loc;
    return pointer_node(c, base_node(c, nothing), POINTER_UNIQUE, true, NULL);
}

static struct node *var_node(struct idl_compiler *c, struct var *var, const struct shape *shape,
                             enum role role)
{
    bool behind_pointer = false;
    for (unsigned i = 0; i < shape->level_count; i++)
        behind_pointer |= shape->levels[i].is_pointer;
    struct node *node = shape->context ? handle_context_node(c, var, shape->context)
                        : characters_alias(var->type)
                            ? character_node(c, characters_alias(var->type))
                        : shape->base->kind == TYPE_UNION
                            ? layout_union(c, var, shape)
                            : value_node(c, shape->base, behind_pointer, &var->loc);
    /* In C an array is passed by its address. */
    if (node && role == ROLE_PARAM && shape->level_count == 0 && node->conversion &&
        convert_local_array(c, shape->base))
        return pointer_node(c, node, POINTER_REF, false, NULL);
    for (unsigned i = shape->level_count; node && i-- > 0;) {
        const struct level *level = &shape->levels[i];
        bool innermost = i + 1 == shape->level_count;
        node = pointee(c, node, level, shape->is_string && innermost, var, i == 0);
        bool array_param = i == 0 && role == ROLE_PARAM && !level->is_pointer;
        if (node && (level->is_pointer || array_param))
            node = pointer_node(c, node, level->class, false, level);
    }
    return node;
}

bool layout_var(struct idl_compiler *c, struct var *var, const struct shape *shape, enum role role)
{
    struct node *node =
        shape->is_ignored ? ignored_node(c, &var->loc) : var_node(c, var, shape, role);
    if (!layout_settle(c))
        node = NULL;
    var->node = node;
    return node != NULL;
}
