/* SPDX-License-Identifier: MIT */
/* layout_settle.c - what nodes only know when those inside them are complete: NDR 2.0
 * alignment and size, whether there are pointers, whether memory is the wire form.
 *
 * Structures that lead to each other by pointers are built inside each other; their
 * numbers have to wait until the outermost is done.  By value nothing contains itself, so
 * one walk along values is enough. */
#include "idl/convert.h"
#include "idl/layout.h"

static bool settle(struct idl_compiler *c, struct node *node);

/* Alignment as a member.  The counts of a conformant array stand before the outermost
 * structure; offset and count of a varying one stay in place (C706 14.3.7). */
static unsigned member_align(const struct node *node)
{
    bool conformant = node->max_count && node->kind[0] == 'A';
    return conformant && !node->is_varying ? node->element->align : node->align;
}

/* The offsets NDR 2.0 gives the fields.  False: too large, reported. */
static bool struct_offsets(struct idl_compiler *c, struct node *node)
{
    uint64_t offset = 0;
    bool dense = true, fixed = true;
    for (unsigned i = 0; i < node->aggregate->field_count; i++) {
        const struct node *field = node->fields[i].node;
        unsigned align = member_align(field);
        if (align > node->align)
            node->align = align;
        if (offset % align != 0) {
            dense = false;
            offset += align - offset % align;
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

static bool settle_struct(struct idl_compiler *c, struct node *node)
{
    for (unsigned i = 0; i < node->aggregate->field_count; i++) {
        if (!node->fields[i].node || !settle(c, node->fields[i].node) ||
            !layout_check_inside(c, node->fields[i].node, &node->fields[i].var->loc,
                                 i + 1 < node->aggregate->field_count ? INSIDE_STRUCT
                                                                      : INSIDE_STRUCT_END))
            return false;
    }
    if (!struct_offsets(c, node))
        return false;
    node->pipe_element_ok = true;
    for (unsigned i = 0; i < node->aggregate->field_count; i++) {
        const struct node *field = node->fields[i].node;
        node->has_pointers |= field->has_pointers;
        node->converts |= field->converts;
        node->pipe_element_ok &= field->pipe_element_ok;
        if (field->flat == FLAT_NEVER)
            node->flat = FLAT_NEVER;
    }
    if (node->flat == FLAT_DEPENDS)
        node->flat_name = layout_name(c, arena_printf(&c->arena, "%s_is_flat", node->c_name));
    return true;
}

static bool settle_array(struct idl_compiler *c, struct node *node)
{
    struct node *element = node->element;
    bool is_string = node->kind[0] == 'S';
    if (!settle(c, element) || !layout_check_inside(c, element, &node->loc, INSIDE_ARRAY))
        return false;
    node->whole_size =
        node->count * (element->whole_size ? element->whole_size : element->ndr_size);
    if (node->whole_size > IDL_SIZE_MAX) {
        diag_error(c, &node->loc, 2219, "array is too large");
        return false;
    }
    node->has_pointers = element->has_pointers;
    node->converts = element->converts;
    node->align = element->align;
    bool has_counts = is_string || node->max_count || node->is_varying;
    if (has_counts) {
        if (node->align < 4)
            node->align = 4;
        return true;
    }
    node->ndr_size = element->ndr_size * node->count;
    node->flat = element->flat;
    node->flat_name = element->flat_name;
    node->pipe_element_ok = element->pipe_element_ok;
    return true;
}

/* In NDR 2.0 a union begins where its discriminant may, whatever its arms need; but the
 * structure it stands in is aligned like the strictest arm (docs/design/arrays.md). */
static bool settle_union(struct idl_compiler *c, struct node *node)
{
    struct node_arms *arms = node->arms;
    node->align = arms->switch_size;
    for (unsigned i = 0; i <= arms->label_count; i++) {
        struct node_arm *arm = i < arms->label_count ? &arms->labels[i] : arms->otherwise;
        if (!arm || !arm->node)
            continue;
        if (!settle(c, arm->node) ||
            !layout_check_inside(c, arm->node, &arm->var->loc, INSIDE_UNION))
            return false;
        node->has_pointers |= arm->node->has_pointers;
        node->converts |= arm->node->converts;
        if (arm->node->align > node->align)
            node->align = arm->node->align;
    }
    return true;
}

static bool settle_converted(struct idl_compiler *c, struct node *node)
{
    struct node *wire = node->element;
    struct node *pointee = wire->pointer_flag ? wire->element : NULL;
    if (!settle(c, wire) || (pointee && !pointee->being_settled && !settle(c, pointee)))
        return false;
    node->align = wire->align;
    return layout_check_converted(c, node);
}

static bool settle(struct idl_compiler *c, struct node *node)
{
    if (node->being_settled) { /* what is sent for a value holds the value */
        diag_error(c, &node->loc, 2006, "recursive definition of '%s'",
                   node->idl_name ? node->idl_name : "an array");
        return false;
    }
    if (node->settled)
        return !node->broken;
    node->settled = node->being_settled = true;
    bool ok = !node->broken;
    if (ok && node->conversion)
        ok = settle_converted(c, node);
    else if (ok && node->arms)
        ok = settle_union(c, node);
    else if (ok && node->aggregate)
        ok = settle_struct(c, node);
    else if (ok)
        ok = settle_array(c, node);
    node->being_settled = false;
    node->broken = !ok;
    return ok;
}

bool layout_settle(struct idl_compiler *c)
{
    if (c->layout_depth > 0)
        return true;
    bool ok = true;
    struct node *node = c->settled ? c->settled->next : c->node_list;
    for (; node; node = node->next) {
        ok &= settle(c, node);
        c->settled = node;
    }
    return ok;
}
