/* SPDX-License-Identifier: MIT */
/* layout.c - lowers types to descriptor nodes (architecture.md 5, rpcndr.h).
 *
 * Scalars, structures and fixed arrays are found again by their C name, which spells
 * out the type: `ndr_array_32_byte`, `ndr_unique_struct_NODE`. */
#include "idl/layout.h"

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

static struct node *new_node(struct idl_compiler *c, const char *c_name, const char *kind)
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

static struct node *complete(struct idl_compiler *c, struct node *node)
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
    node = new_node(c, c_name, info->ndr_kind);
    node->idl_name = info->idl_name;
    if (type->base != BASE_VOID)
        node->size = arena_printf(&c->arena, "sizeof(%s)", info->c_name);
    node->ndr_size = info->size;
    node->align = info->size ? info->size : 1;
    node->flat = info->flat ? FLAT_ALWAYS : FLAT_NEVER;
    node->pipe_element_ok =
        info->size > 0 && type->base != BASE_INT3264 && type->base != BASE_UINT3264;
    return complete(c, node);
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
    node = new_node(c, c_name, e->is_v1 ? "ENUM32" : "ENUM16");
    node->idl_name = name;
    node->size = arena_printf(&c->arena, "sizeof(%s)", e->c_name);
    node->ndr_size = node->align = e->is_v1 ? 4 : 2;
    node->flat = e->is_v1 ? FLAT_ALWAYS : FLAT_NEVER;
    node->pipe_element_ok = e->is_v1;
    return complete(c, node);
}

/* ---- Structures -------------------------------------------------------------------- */

/* The offsets NDR 2.0 gives the fields.  False: padding somewhere, or too large. */
static bool ndr_layout(struct idl_compiler *c, struct node *node)
{
    const struct aggregate *owner = node->aggregate;
    uint64_t offset = 0;
    bool dense = true, fixed = true;
    for (unsigned i = 0; i < owner->field_count; i++) {
        const struct node *field = node->fields[i].node;
        if (field->align > node->align)
            node->align = field->align;
        if (offset % field->align != 0) {
            dense = false;
            offset += field->align - offset % field->align;
        }
        offset += field->ndr_size;
        fixed = fixed && field->ndr_size > 0;
        if (offset > IDL_SIZE_MAX) {
            diag_error(c, &node->fields[i].var->loc, 2220, "structure is too large");
            return false;
        }
    }
    node->ndr_size = fixed ? offset : 0;
    node->flat = fixed && dense && offset % node->align == 0 ? FLAT_DEPENDS : FLAT_NEVER;
    return true;
}

static void struct_flags(struct node *node)
{
    node->pipe_element_ok = true;
    for (unsigned i = 0; i < node->aggregate->field_count; i++) {
        const struct node *field = node->fields[i].node;
        node->has_pointers |= field->has_pointers;
        node->pipe_element_ok &= field->pipe_element_ok;
        if (field->flat == FLAT_NEVER)
            node->flat = FLAT_NEVER;
    }
}

static struct node *struct_node(struct idl_compiler *c, struct aggregate *aggregate)
{
    const char *name = aggregate->c_name;
    if (strncmp(name, "struct ", 7) == 0)
        name += 7;
    struct node *node = new_node(c, arena_printf(&c->arena, "ndr_struct_%s", name), "STRUCT");
    aggregate->node = node;
    node->aggregate = aggregate;
    node->idl_name = name;
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
    if (node->broken || !ndr_layout(c, node)) {
        node->broken = true;
        return NULL;
    }
    struct_flags(node);
    if (node->flat == FLAT_DEPENDS)
        node->flat_name = layout_name(c, arena_printf(&c->arena, "%s_is_flat", node->c_name));
    return complete(c, node);
}

struct node *layout_struct(struct idl_compiler *c, struct aggregate *aggregate)
{
    if (aggregate->node)
        return aggregate->node->broken ? NULL : aggregate->node;
    if (c->layout_depth >= LAYOUT_DEPTH_MAX) {
        diag_error(c, &aggregate->loc, 2002, "structures refer to each other too deeply");
        return NULL;
    }
    c->layout_depth++;
    struct node *node = struct_node(c, aggregate);
    c->layout_depth--;
    return node;
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
    default:
        return NULL;
    }
}

/* ---- Pipes --------------------------------------------------------------------------- */

struct node *layout_pipe(struct idl_compiler *c, struct type *pipe)
{
    const char *c_name = arena_printf(&c->arena, "ndr_pipe_%s", pipe->pipe_name);
    struct node *node = known_node(c, c_name);
    if (node)
        return node->broken ? NULL : node;
    struct type *element = type_strip(pipe->target);
    bool possible = element->kind == TYPE_BASE || element->kind == TYPE_ENUM ||
                    (element->kind == TYPE_STRUCT && element->aggregate->defined);
    node = new_node(c, c_name, "PIPE");
    node->broken = true;
    if (element->kind == TYPE_ERROR)
        return NULL;
    struct node *element_node = possible ? value_node(c, element, false, &pipe->loc) : NULL;
    if (!possible || (element_node && !element_node->pipe_element_ok)) {
        diag_error(c, &pipe->loc, 2317,
                   "illegal type used in pipe '%s': elements are base types, "
                   "[v1_enum] and structures of fixed layout",
                   pipe->pipe_name);
        return NULL;
    }
    if (!element_node)
        return NULL;
    node->broken = false;
    node->element = element_node;
    node->idl_name = pipe->pipe_name;
    node->size = arena_printf(&c->arena, "sizeof(%s)", pipe->pipe_name);
    node->align = element_node->align > 4 ? element_node->align : 4;
    return complete(c, node);
}

/* ---- Pointers, arrays, strings ---------------------------------------------------------- */

static struct node *pointer_node(struct idl_compiler *c, struct node *target,
                                 enum pointer_class class)
{
    const char *word = class == POINTER_REF ? "ref" : "unique";
    const char *c_name = arena_printf(&c->arena, "ndr_%s_%s", word, bare(target));
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    node = new_node(c, c_name, "POINTER");
    node->pointer_flag = class == POINTER_REF ? "NDR_TYPE_REF" : "NDR_TYPE_UNIQUE";
    node->size = "sizeof(void *)";
    node->align = 4;
    node->ndr_size = 4;
    node->has_pointers = true;
    node->element = target;
    return complete(c, node);
}

struct node *layout_context(struct idl_compiler *c, const struct var *alias, unsigned flags,
                            bool by_pointer)
{
    const char *c_name = arena_printf(
        &c->arena, "ndr_context_%s%s%s%s%s", alias ? alias->name : "handle",
        flags & CONTEXT_STRICT ? "_strict" : "", flags & CONTEXT_TYPE_STRICT ? "_type_strict" : "",
        flags & CONTEXT_SERIALIZE ? "_serialize" : "",
        flags & CONTEXT_NOSERIALIZE ? "_noserialize" : "");
    struct node *node = known_node(c, c_name);
    if (!node) {
        node = new_node(c, c_name, "CONTEXT");
        node->context = ARENA_NEW(&c->arena, struct node_context);
        *node->context = (struct node_context){.alias = alias, .flags = flags};
        node->idl_name = alias ? alias->name : NULL;
        node->size = "sizeof(void *)";
        node->align = 4;
        node->ndr_size = 20;
        complete(c, node);
    }
    return by_pointer ? pointer_node(c, node, POINTER_REF) : node;
}

static struct node *fixed_node(struct idl_compiler *c, struct node *element, uint32_t count,
                               bool is_string, const struct loc *loc)
{
    const char *word = is_string ? "string" : "array";
    const char *c_name = arena_printf(&c->arena, "ndr_%s_%u_%s", word, count, bare(element));
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    if (element->ndr_size * count > IDL_SIZE_MAX) {
        diag_error(c, loc, 2219, "array is too large");
        return NULL;
    }
    node = new_node(c, c_name, is_string ? "STRING" : "ARRAY");
    node->element = element;
    node->count = count;
    node->size = arena_printf(&c->arena, "%u * %s", count, element->size);
    node->align = is_string ? 4 : element->align;
    node->ndr_size = is_string ? 0 : element->ndr_size * count;
    node->flat = is_string ? FLAT_NEVER : element->flat;
    node->flat_name = element->flat_name;
    node->has_pointers = element->has_pointers;
    node->is_sized = is_string;
    node->pipe_element_ok = !is_string && element->pipe_element_ok;
    return complete(c, node);
}

/* char * with [string] and no size. */
static struct node *string_node(struct idl_compiler *c, struct node *element)
{
    const char *c_name = arena_printf(&c->arena, "ndr_string_%s", bare(element));
    struct node *node = known_node(c, c_name);
    if (node)
        return node;
    node = new_node(c, c_name, "STRING");
    node->element = element;
    node->align = 4;
    node->is_sized = true;
    return complete(c, node);
}

static const char *context_name(struct idl_compiler *c, const struct var *var)
{
    const char *name = var->name ? var->name : "result";
    if (var->aggregate)
        return arena_printf(&c->arena, "%s_%s", var->aggregate->node->idl_name, name);
    return arena_printf(&c->arena, "%s_%s", var->proc->name, name);
}

/* A conformant array or a sized string: its size is an expression around `var`. */
static struct node *sized_node(struct idl_compiler *c, struct node *element,
                               const struct level *level, bool is_string, const struct var *var,
                               bool outermost)
{
    struct node_expr *max_count = layout_expr(c, level->size, var, outermost);
    if (!max_count)
        return NULL;
    if (level->size_is_max) {
        struct node_expr *one = ARENA_NEW(&c->arena, struct node_expr);
        struct node_expr *sum = ARENA_NEW(&c->arena, struct node_expr);
        *one = (struct node_expr){.op = "CONST", .value = 1};
        *sum = (struct node_expr){.op = "ADD", .operands = {max_count, one}};
        max_count = sum;
    }
    const char *c_name =
        layout_name(c, arena_printf(&c->arena, "ndr_sized_%s", context_name(c, var)));
    struct node *node = ARENA_NEW(&c->arena, struct node);
    node->c_name = c_name;
    node->kind = is_string ? "STRING" : "ARRAY";
    node->size = "0";
    node->element = element;
    node->max_count = max_count;
    node->align = element->align > 4 ? element->align : 4;
    node->has_pointers = element->has_pointers;
    node->is_sized = true;
    node->sized_by_attr_of = var;
    return complete(c, node);
}

/* What a level leads to: `inner` itself, so many of it, or a string of it. */
static struct node *pointee(struct idl_compiler *c, struct node *inner, const struct level *level,
                            bool is_string, const struct var *var, bool outermost)
{
    if (level->size)
        return sized_node(c, inner, level, is_string, var, outermost);
    if (!level->is_pointer && level->count > 0)
        return fixed_node(c, inner, level->count, is_string, &var->loc);
    return is_string ? string_node(c, inner) : inner;
}

bool layout_var(struct idl_compiler *c, struct var *var, const struct shape *shape, enum role role)
{
    bool behind_pointer = false;
    for (unsigned i = 0; i < shape->level_count; i++)
        behind_pointer |= shape->levels[i].is_pointer;
    struct node *node = value_node(c, shape->base, behind_pointer, &var->loc);
    for (unsigned i = shape->level_count; node && i-- > 0;) {
        const struct level *level = &shape->levels[i];
        bool innermost = i + 1 == shape->level_count;
        node = pointee(c, node, level, shape->is_string && innermost, var, i == 0);
        bool array_param = i == 0 && role == ROLE_PARAM && !level->is_pointer;
        if (node && (level->is_pointer || array_param))
            node = pointer_node(c, node, level->class);
    }
    var->node = node;
    return node != NULL;
}

/* ---- Who needs what ------------------------------------------------------------------------ */

struct worklist {
    struct node **nodes;
    unsigned count;
};

static void reach(struct worklist *list, struct node *node, unsigned section)
{
    if (!node || node->section)
        return;
    node->section = section;
    list->nodes[list->count++] = node;
}

void layout_mark(struct idl_compiler *c, struct interface *interface, unsigned section)
{
    struct worklist list = {0};
    list.nodes = arena_alloc(&c->arena, (c->node_count + 1) * sizeof(*list.nodes));
    for (const struct proc *proc = interface->procs; proc; proc = proc->next) {
        for (const struct var *param = proc->params; param; param = param->next)
            reach(&list, param->node, section);
        if (proc->hidden)
            reach(&list, proc->hidden->node, section);
        if (proc->result_var)
            reach(&list, proc->result_var->node, section);
    }
    while (list.count > 0) {
        struct node *node = list.nodes[--list.count];
        reach(&list, node->element, section);
        for (unsigned i = 0; node->aggregate && i < node->aggregate->field_count; i++)
            reach(&list, node->fields[i].node, section);
    }
    for (struct node *node = c->node_list; node; node = node->next) {
        if (node->section != section)
            continue;
        if (node->element && node->element->section == section &&
            node->element->order >= node->order)
            node->element->forward = true;
    }
}
