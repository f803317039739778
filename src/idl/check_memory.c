/* SPDX-License-Identifier: MIT */
/* check_memory.c - attributes about the memory of a parameter (docs/design/memory.md):
 * [partial_ignore], [byte_count], [allocate].  Their words are checked in parse_attr.c, where
 * [allocate] stands in shape.c. */
#include "idl/check.h"
#include "idl/handle.h"
#include "idl/layout.h"
#include "idl/parse.h"
#include "idl/shape.h"
#include "idl/types.h"

#include <string.h>

/* ---- Handles ------------------------------------------------------------------------- */

/* What a binding or context handle leads to is never the stub's to allocate. */
static void check_handle_allocate(struct idl_compiler *c, const struct var *param)
{
    const struct attr *attr = attr_find(param->attrs, ATTR_ALLOCATE);
    for (const struct type *type = param->type; type && !attr; type = type->target) {
        for (; type->kind == TYPE_ALIAS && !attr; type = type->alias->type)
            attr = attr_find(type->alias->attrs, ATTR_ALLOCATE);
        if (type->kind != TYPE_POINTER && type->kind != TYPE_CONST)
            break;
    }
    if (attr)
        diag_error(c, &attr->loc, 2227, "[allocate] on '%s', which is a handle", param->name);
}

void check_handle_memory(struct idl_compiler *c, const struct var *param)
{
    const struct attr *byte_count = attr_find(param->attrs, ATTR_BYTE_COUNT);
    check_handle_allocate(c, param);
    if (byte_count)
        diag_error(c, &byte_count->loc, 2061, "[byte_count] on '%s', which is a handle",
                   param->name);
}

/* ---- [partial_ignore] ---------------------------------------------------------------- */

/* Only whether the pointer is NULL goes to the server, which then needs a size. */
static bool check_partial_ignore(struct idl_compiler *c, const struct var *param,
                                 const struct shape *shape)
{
    const struct attr *attr = attr_find(param->attrs, ATTR_PARTIAL_IGNORE);
    if (!attr)
        return true;
    const struct level *top = &shape->levels[0];
    bool is_unique = shape->level_count > 0 && top->class == POINTER_UNIQUE;
    if (!param->is_in || !param->is_out || !is_unique) {
        diag_error(c, &attr->loc, 2072, "[partial_ignore] needs [in, out, unique] as well");
        return false;
    }
    bool open = shape->base->kind == TYPE_STRUCT && aggregate_is_open(shape->base->aggregate);
    bool unsized = shape->is_string && shape->level_count == 1 && !top->size && top->count == 0;
    if (shape->level_count == 1 && (open || unsized)) {
        diag_error(c, &attr->loc, 2072, "[partial_ignore] needs to know how much memory there is");
        return false;
    }
    return true;
}

/* ---- [byte_count] -------------------------------------------------------------------- */

/* int, small, short or long, as the documentation has it. */
static bool may_count(struct type *type)
{
    type = type_strip(type);
    if (type->kind != TYPE_BASE)
        return false;
    switch (type->base) {
    case BASE_SMALL:
    case BASE_USMALL:
    case BASE_SHORT:
    case BASE_USHORT:
    case BASE_LONG:
    case BASE_ULONG:
        return true;
    default:
        return false;
    }
}

/* The parameter that says how large the buffer is; false: reported. */
static bool check_count(struct idl_compiler *c, const struct attr *attr, const struct proc *proc,
                        struct var **ret_count)
{
    const struct attr_arg *arg = attr->args;
    for (struct var *param = proc->params; param; param = param->next) {
        if (!param->name || strcmp(param->name, arg->text) != 0)
            continue;
        if (!param->is_in || param->is_out) {
            diag_error(c, &arg->loc, 2063, "the byte count '%s' must be [in] only", param->name);
            return false;
        }
        if (!may_count(param->type)) {
            diag_error(c, &arg->loc, 2064,
                       "the byte count '%s' must be of an integral type of at most 32 bits",
                       param->name);
            return false;
        }
        *ret_count = param;
        return true;
    }
    diag_error(c, &arg->loc, 2058, "[byte_count] cannot be resolved: no parameter '%s' here",
               arg->text);
    return false;
}

/* What would make the pointee of another size than that of its C type. */
static const struct attr *size_attr(const struct var *param)
{
    static const enum attr_id ids[] = {ATTR_SIZE_IS,  ATTR_MAX_IS,  ATTR_MIN_IS,
                                       ATTR_LENGTH_IS, ATTR_FIRST_IS, ATTR_LAST_IS};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct attr *attr = attr_find(param->attrs, ids[i]);
        if (attr)
            return attr;
    }
    return NULL;
}

bool check_not_counted(struct idl_compiler *c, const struct var *param)
{
    const struct attr *attr = attr_find(param->attrs, ATTR_BYTE_COUNT);
    if (attr)
        diag_error(c, &attr->loc, 2062,
                   "[byte_count] cannot be specified on a pointer to a conformant array or "
                   "structure");
    return !attr;
}

static bool check_byte_count(struct idl_compiler *c, struct var *param, const struct shape *shape)
{
    const struct attr *attr = attr_find(param->attrs, ATTR_BYTE_COUNT);
    struct var *count;
    if (!attr)
        return true;
    const struct attr *size = size_attr(param);
    if (!param->is_out || shape->level_count == 0 || shape->base->kind == TYPE_PIPE) {
        diag_error(c, &attr->loc, 2061,
                   "[byte_count] can be applied only to [out] parameters of pointer type");
    } else if (param->is_in) {
        diag_error(c, &attr->loc, 2063, "[byte_count] parameter '%s' must be [out] only",
                   param->name);
    } else if (size) {
        diag_error(c, &attr->loc, 2065, "[byte_count] cannot be specified beside [%s]",
                   size->name);
    } else if (check_count(c, attr, param->proc, &count)) {
        param->byte_count = layout_load(c, param, count);
        return true;
    }
    return false;
}

bool check_memory(struct idl_compiler *c, struct var *param, const struct shape *shape)
{
    return check_partial_ignore(c, param, shape) && check_byte_count(c, param, shape);
}

/* ---- [allocate(all_nodes)] ----------------------------------------------------------- */

struct contents {
    bool converts, has_pointers;
};

static struct contents contents_of(struct idl_compiler *c, struct node *node)
{
    struct contents contents = {false, false};
    unsigned count;
    struct node **nodes = layout_reachable(c, node, &count);
    for (unsigned i = 0; i < count; i++) {
        contents.converts |= nodes[i]->conversion != NULL;
        contents.has_pointers |= nodes[i]->pointer_flag && !nodes[i]->is_ignored;
    }
    return contents;
}

void check_memory_node(struct idl_compiler *c, struct var *param)
{
    bool orphans = false;
    unsigned count;
    if (!param->node)
        return;
    if (param->byte_count && contents_of(c, param->node).converts)
        diag_error(c, &param->loc, 2223,
                   "[byte_count] on what leads to a type the program converts, which has memory of "
                   "its own");
    struct node **nodes = layout_reachable(c, param->node, &count);
    for (unsigned i = 0; i < count; i++) {
        if (!nodes[i]->all_nodes)
            continue;
        struct contents contents = contents_of(c, nodes[i]->element);
        /* What a parameter passed by value points to stays where it is, what that leads to
         * does not. */
        orphans |= param->is_in && param->is_out &&
                   (nodes[i] != param->node || contents.has_pointers);
        if (!contents.converts)
            continue;
        diag_error(c, &param->loc, 2223,
                   "[allocate(all_nodes)] on what leads to a type the program converts, which has "
                   "memory of its own");
        return;
    }
    if (orphans)
        diag_warning(c, &param->loc, 2248, 1,
                     "[allocate(all_nodes)] on the [in, out] parameter '%s' may orphan the "
                     "original memory",
                     param->name);
}
