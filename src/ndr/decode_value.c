/* SPDX-License-Identifier: MIT */
/* decode_value.c - one value after the other: the reading counterpart of encode.c. */
#include "ndr/decode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/element.h"
#include "ndr/expr.h"
#include "ndr/union.h"

static bool bad(struct ndr_decode *d)
{
    return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
}

/* ---- Counts ------------------------------------------------------------------------- */

bool ndr_decode_count(struct ndr_decode *d, uint32_t *ret_count)
{
    uint64_t count;
    if (!ndr_decode_get(d, d->rules->count_size, &count))
        return false;
    if (count > NDR_COUNT_MAX)
        return bad(d);
    *ret_count = (uint32_t)count;
    return true;
}

/* [range] on conformant data limits the count (MS-RPCE 3.1.1.5.3.2). */
static bool check_max(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                      uint32_t max)
{
    const NDR_RANGE *range = type->count_range;
    if (range && (max < range->low || max > range->high))
        return bad(d);
    return ndr_decode_claim(d, type->max_count, scope, max, false);
}

bool ndr_decode_max(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                    uint32_t *ret_max)
{
    return ndr_decode_count(d, ret_max) && check_max(d, type, scope, *ret_max);
}

static bool check_varying(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                          const struct ndr_extent *extent)
{
    if ((!type->first && extent->first != 0) ||
        (!type->length && extent->actual != extent->max - extent->first))
        return bad(d);
    return ndr_decode_claim(d, type->first, scope, extent->first, false) &&
           ndr_decode_claim(d, type->length, scope, extent->actual, false);
}

/* Offset and actual count of one dimension. */
static bool decode_dimension(struct ndr_decode *d, const NDR_TYPE *type,
                             const struct ndr_scope *scope, struct ndr_extent *extent)
{
    bool is_string = type->kind == NDR_KIND_STRING;
    if (!ndr_decode_count(d, &extent->first) || !ndr_decode_count(d, &extent->actual))
        return false;
    if (extent->first > extent->max || extent->actual > extent->max - extent->first)
        return bad(d);
    if (is_string)
        return (extent->first == 0 && extent->actual != 0) || bad(d);
    return check_varying(d, type, scope, extent);
}

/* The counts of the inner dimensions; *ret_element: what the innermost one is of, *count: of
 * so many, all dimensions together. */
static bool decode_inner_extents(struct ndr_decode *d, const NDR_TYPE *type,
                                 const struct ndr_scope *scope, struct ndr_extent *extent,
                                 const NDR_TYPE **ret_element, uint64_t *count)
{
    const NDR_TYPE *next = type;
    *ret_element = type->element;
    for (unsigned n = 0; (next = ndr_next_dimension(next)) != NULL; n++) {
        struct ndr_extent one = {.max = next->count};
        if (n == NDR_DIMENSIONS_MAX - 1)
            return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
        if (!decode_dimension(d, next, scope, &one))
            return false;
        extent->inner[n].first = one.first;
        extent->inner[n].actual = one.actual;
        *ret_element = next->element;
        /* Of each 31 bits: penstock-idl takes no larger type. */
        *count *= one.actual;
    }
    return true;
}

bool ndr_decode_extent(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope,
                       uint32_t max, struct ndr_extent *ret_extent)
{
    struct ndr_extent extent = {.max = max, .actual = max};
    const NDR_TYPE *element = type->element;
    bool varies = type->kind == NDR_KIND_STRING || (type->flags & NDR_TYPE_VARYING);
    if (varies && !decode_dimension(d, type, scope, &extent))
        return false;
    uint64_t count = extent.actual;
    if (!decode_inner_extents(d, type, scope, &extent, &element, &count))
        return false;
    *ret_extent = extent;
    return ndr_decode_require_elements(d, element, count);
}

/* ---- Runs ---------------------------------------------------------------------------- */

static bool decode_run(struct ndr_decode *d, const NDR_TYPE *type,
                       const struct ndr_element_layout *layout, void *memory, size_t count)
{
    if (count == 0)
        return true; /* no gap in front of nothing */
    ndr_decode_align(d, layout->align);
    uint64_t len = ndr_run_len(layout, count);
    if (!ndr_decode_require(d, len))
        return false;
    RPC_STATUS status = ndr_run_from_wire(d->rules, type, layout, d->reader->octets + d->pos, count,
                                          d->swap, memory);
    if (status != RPC_S_OK)
        return ndr_decode_fail(d, status);
    d->pos += (size_t)len;
    return true;
}

bool ndr_decode_require_elements(struct ndr_decode *d, const NDR_TYPE *element, uint64_t count)
{
    struct ndr_element_layout layout;
    if (count == 0)
        return true;
    /* No stub is so long; and the products below must fit. */
    if (count > UINT32_MAX)
        return ndr_decode_require(d, UINT64_MAX);
    if (ndr_fixed_layout(d->rules, element, &layout)) {
        size_t pos = d->pos;
        ndr_decode_align(d, layout.align);
        bool there = ndr_decode_require(d, ndr_run_len(&layout, count));
        d->pos = pos;
        return there;
    }
    uint64_t least = ndr_least_len(d->rules, element, NDR_AT_ELEMENT);
    /* A count of nothing could not be checked against octets. */
    if (least == 0 || least > UINT32_MAX)
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    return ndr_decode_require(d, count * least);
}

static bool decode_all_elements(struct ndr_decode *d, const NDR_TYPE *element, void *memory,
                                uint32_t count, const struct ndr_scope *scope)
{
    struct ndr_element_layout layout;
    const NDR_RANGE *range = scope->range;
    size_t size = ndr_memory_size(element);
    if (ndr_fixed_layout(d->rules, element, &layout))
        return decode_run(d, element, &layout, memory, count) &&
               (!range || ndr_in_range(range, element, memory, size, count) || bad(d));
    for (uint32_t i = 0; i < count; i++)
        if (!ndr_decode_value(d, element, (uint8_t *)memory + i * size, scope, NDR_AT_ELEMENT,
                              NULL))
            return false;
    return true;
}

static bool old_operand(const struct ndr_decode *d, const NDR_EXPR *expr,
                        const struct ndr_scope *scope, int64_t *ret_value)
{
    if (scope->old)
        return ndr_expr_value(expr, scope->old, ret_value);
    return scope->base == d->frame && ndr_decode_old_value(d, expr, ret_value);
}

/* What of the application's varying array travelled to the server; when nobody knows any
 * more, nothing. */
static void old_extent(const struct ndr_decode *d, const NDR_TYPE *type,
                       const struct ndr_scope *scope, int64_t *ret_first, int64_t *ret_count)
{
    *ret_first = 0;
    *ret_count = INT64_MAX;
    if ((type->first && !old_operand(d, type->first, scope, ret_first)) ||
        (type->length && !old_operand(d, type->length, scope, ret_count)))
        *ret_count = 0;
}

/* Elements that did not travel to the server need not be set: pointers in them mean
 * nothing.  `fresh`: in an outer dimension they did not. */
static bool decode_kept_varying(struct ndr_decode *d, const NDR_TYPE *type, uint8_t *memory,
                                const struct ndr_extent *extent, unsigned dimension, bool fresh,
                                const struct ndr_scope *scope)
{
    const NDR_TYPE *inner = ndr_next_dimension(type);
    size_t size = ndr_memory_size(type->element);
    uint32_t at = dimension ? extent->inner[dimension - 1].first : extent->first;
    uint32_t end = at + (dimension ? extent->inner[dimension - 1].actual : extent->actual);
    int64_t first, count;
    old_extent(d, type, scope, &first, &count);
    for (; at < end; at++) {
        struct ndr_scope one = *scope;
        bool is_fresh = fresh || at < first || at - first >= count;
        if (inner) {
            if (!decode_kept_varying(d, inner, memory + at * size, extent, dimension + 1, is_fresh,
                                     scope))
                return false;
            continue;
        }
        if (is_fresh) {
            one.owner = NDR_OUT_ONLY;
            memset(memory + at * size, 0, size);
        }
        if (!ndr_decode_value(d, type->element, memory + at * size, &one, NDR_AT_ELEMENT, NULL))
            return false;
    }
    return true;
}

static bool decode_inner_dimensions(struct ndr_decode *d, const NDR_TYPE *type, uint8_t *memory,
                                    const struct ndr_extent *extent, unsigned dimension,
                                    const struct ndr_scope *scope)
{
    const NDR_TYPE *inner = ndr_next_dimension(type);
    size_t size = ndr_memory_size(type->element);
    uint32_t first = dimension ? extent->inner[dimension - 1].first : extent->first;
    uint32_t actual = dimension ? extent->inner[dimension - 1].actual : extent->actual;
    memory += first * size;
    if (!inner)
        return decode_all_elements(d, type->element, memory, actual, scope);
    if (extent->inner[dimension].actual == 0)
        return true; /* nothing, however often */
    for (uint32_t i = 0; i < actual; i++)
        if (!decode_inner_dimensions(d, inner, memory + i * size, extent, dimension + 1, scope))
            return false;
    return true;
}

bool ndr_decode_elements(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                         const struct ndr_extent *extent, const struct ndr_scope *scope)
{
    size_t size = ndr_memory_size(type->element);
    if (scope->owner == NDR_KEPT && (type->flags & NDR_TYPE_VARYING) &&
        ndr_has_pointers(type->element))
        return decode_kept_varying(d, type, memory, extent, 0, false, scope);
    if (!decode_inner_dimensions(d, type, memory, extent, 0, scope))
        return false;
    if (type->kind != NDR_KIND_STRING)
        return true;
    const uint8_t *last = (uint8_t *)memory + (extent->first + extent->actual - 1) * size;
    return (last[0] == 0 && last[size - 1] == 0) || bad(d);
}

/* An array or string whose capacity is part of the type. */
static bool decode_fixed_array(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                               const struct ndr_scope *scope)
{
    struct ndr_extent extent;
    return ndr_decode_extent(d, type, scope, type->count, &extent) &&
           ndr_decode_elements(d, type, memory, &extent, scope);
}

/* ---- Structures ------------------------------------------------------------------------- */

/* Does a pointer among the members lead to a size the members tell, or a union have a
 * discriminant?  Then the members' old values are wanted while they are being overwritten. */
static bool wants_old_members(const NDR_TYPE *type)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_TYPE *member = type->fields[i].type;
        bool behind = false;
        while (member->kind == NDR_KIND_ARRAY || member->kind == NDR_KIND_POINTER) {
            behind |= member->kind == NDR_KIND_POINTER;
            member = member->element;
            if (behind && member->max_count)
                return true;
        }
        if (member->kind == NDR_KIND_UNION)
            return true;
    }
    return false;
}

static bool decode_tail(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                        const struct ndr_scope *scope, uint32_t max)
{
    struct ndr_extent extent;
    return check_max(d, type, scope, max) && ndr_decode_extent(d, type, scope, max, &extent) &&
           ndr_decode_elements(d, type, memory, &extent, scope);
}

/* A pad that nothing need follow, unlike the gap in front of a value. */
static bool skip_pad(struct ndr_decode *d, uint32_t align)
{
    ndr_decode_align(d, align);
    return ndr_decode_require(d, 0);
}

/* `tail_max`: the hoisted count when the structure may end in something conformant. */
static bool decode_fields(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                          struct ndr_scope *scope, const uint32_t *tail_max)
{
    uint32_t align = ndr_align(d->rules, type);
    size_t first_late = d->late.count, tail_base, tail_offset;
    ndr_decode_align(d, align);
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        uint8_t *at = (uint8_t *)memory + field->offset;
        const uint32_t *max = i + 1 == type->count ? tail_max : NULL;
        bool is_tail = max && ndr_is_conformant(field->type);
        scope->range = field->range;
        if (is_tail && d->rules->pads && !skip_pad(d, align))
            return false;
        if (is_tail ? !decode_tail(d, field->type, at, scope, *max)
                    : !ndr_decode_value(d, field->type, at, scope, NDR_AT_FIELD, max))
            return false;
    }
    if (d->rules->pads && !ndr_conformant_tail(type, &tail_base, &tail_offset) &&
        !skip_pad(d, align))
        return false;
    return ndr_decode_check_late(d, first_late);
}

static bool decode_struct(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                          const struct ndr_scope *outer, const uint32_t *tail_max)
{
    struct ndr_scope scope = {
        .base = memory, .owner = outer->owner, .depth = outer->depth, .is_partial = true};
    void *old = NULL;
    if (scope.owner == NDR_KEPT && wants_old_members(type)) {
        /* The application need not have the pad that sizeof counts behind a tail. */
        size_t size = type->size, base, offset;
        if (ndr_conformant_tail(type, &base, &offset) && offset < size)
            size = offset;
        old = d->pending.reallocate(NULL, type->size);
        if (!old)
            return ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
        memcpy(old, memory, size);
        scope.old = old;
    }
    bool done = decode_fields(d, type, memory, &scope, tail_max);
    free(old);
    return done;
}

/* ---- Unions ----------------------------------------------------------------------------- */

static bool get_tag(struct ndr_decode *d, NDR_KIND kind, int64_t *ret_tag)
{
    const NDR_TYPE type = {.kind = kind};
    struct ndr_element_layout layout;
    uint64_t memory = 0;
    if (!ndr_fixed_layout(d->rules, &type, &layout))
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    return decode_run(d, &type, &layout, &memory, 1) &&
           (ndr_load_integer(kind, &memory, ret_tag) || ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT));
}

/* The discriminant of the application's union before the call. */
static bool old_tag(const struct ndr_decode *d, const NDR_TYPE *type, const void *memory,
                    const struct ndr_scope *scope, int64_t *ret_tag)
{
    const NDR_UNION *u = type->alternatives;
    int64_t value;
    if (!u->switch_is || scope->old)
        return ndr_union_tag(type, memory, scope->old, ret_tag);
    if (scope->has_old_tag) {
        *ret_tag = scope->old_tag;
        return true;
    }
    if (scope->base != d->frame || !ndr_decode_old_value(d, u->switch_is, &value))
        return false;
    *ret_tag = ndr_as_kind(u->switch_kind, value);
    return true;
}

/* Pointers in the application's union mean something only if it was this arm before;
 * otherwise they are other octets, or were never set. */
static void choose_owner(const struct ndr_decode *d, const NDR_TYPE *type, const void *memory,
                         const struct ndr_scope *outer, const NDR_ARM *arm, void *arm_memory,
                         struct ndr_scope *scope)
{
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    if (scope->owner == NDR_OURS)
        return;
    if (scope->owner == NDR_KEPT && old_tag(d, type, memory, outer, &tag)) {
        const NDR_ARM *old = ndr_union_arm(u, tag);
        if (old && old->type == arm->type)
            return;
    }
    scope->owner = NDR_OUT_ONLY;
    memset(arm_memory, 0, ndr_memory_size(arm->type));
}

static bool decode_union(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                         const struct ndr_scope *outer)
{
    const NDR_UNION *u = type->alternatives;
    uint8_t *arm_memory = (uint8_t *)memory + ndr_arms_offset(type);
    struct ndr_scope scope = *outer;
    int64_t tag;
    if (d->rules->pads)
        ndr_decode_align(d, ndr_align(d->rules, type));
    if (!get_tag(d, u->switch_kind, &tag))
        return false;
    const NDR_ARM *arm = ndr_union_arm(u, tag);
    if (!arm)
        return ndr_decode_fail(d, RPC_S_INVALID_TAG);
    if (arm->type)
        choose_owner(d, type, memory, outer, arm, arm_memory, &scope);
    if (ndr_is_encapsulated(type)) {
        scope.base = memory;
        scope.old = NULL;
        scope.is_partial = false;
        ndr_store_integer(u->switch_kind, (uint8_t *)memory + u->switch_offset, tag);
    } else if (!ndr_decode_claim_tag(d, u->switch_is, outer, u->switch_kind, tag)) {
        return false;
    }
    bool together = d->rules->pads || (u->flags & NDR_UNION_MS);
    if (together && !skip_pad(d, ndr_arms_align(d->rules, u)))
        return false;
    scope.range = arm->range;
    scope.has_old_tag = false;
    return !arm->type || ndr_decode_value(d, arm->type, arm_memory, &scope, NDR_AT_FIELD, NULL);
}

/* ---- Any value --------------------------------------------------------------------------- */

bool ndr_decode_value(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                      const struct ndr_scope *scope, enum ndr_place place, const uint32_t *tail_max)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(d->rules, type, &layout)) {
        if (!decode_run(d, type, &layout, memory, 1))
            return false;
        return !scope->range || ndr_in_range(scope->range, type, memory, 0, 1) || bad(d);
    }
    if (type->kind == NDR_KIND_STRUCT)
        return decode_struct(d, type, memory, scope, tail_max);
    if (type->kind == NDR_KIND_UNION)
        return decode_union(d, type, memory, scope);
    if (type->kind == NDR_KIND_POINTER)
        return ndr_decode_defer(d, type, memory, scope, place);
    if ((type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) && type->count > 0)
        return decode_fixed_array(d, type, memory, scope);
    if (type->kind == NDR_KIND_CONTEXT)
        return ndr_decode_context(d, type, memory);
    if (type->kind == NDR_KIND_CONVERTED)
        return ndr_decode_converted(d, type, memory, scope, place);
    return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
}
