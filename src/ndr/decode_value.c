/* SPDX-License-Identifier: MIT */
/* decode_value.c - one value after the other: the reading counterpart of encode.c.
 *
 * A pointee's memory is allocated only when its octets are there, or at least as many
 * as its counts announce.  A pointer found in the application's memory is followed
 * only as `enum ndr_owner` allows. */
#include "ndr/decode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/element.h"
#include "ndr/expr.h"

static bool decode_value(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                         const struct ndr_scope *scope, enum ndr_place place,
                         const uint32_t *tail_max);

static bool bad(struct ndr_decode *d)
{
    return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
}

/* ---- Counts ------------------------------------------------------------------------- */

static bool get_count(struct ndr_decode *d, uint32_t *ret_count)
{
    uint64_t count;
    if (!ndr_decode_get(d, d->rules->count_size, &count))
        return false;
    if (count > NDR_COUNT_MAX)
        return bad(d);
    *ret_count = (uint32_t)count;
    return true;
}

/* Max count of an array or string: [range] on sized data limits it
 * (MS-RPCE 3.1.1.5.3.2). */
static bool get_max(struct ndr_decode *d, const struct ndr_scope *scope, uint32_t *ret_max)
{
    if (!get_count(d, ret_max))
        return false;
    const NDR_RANGE *range = scope->range;
    return !range || (*ret_max >= range->low && *ret_max <= range->high) || bad(d);
}

/* Offset and actual count of a string that may have up to `max` elements. */
static bool get_actual(struct ndr_decode *d, uint32_t max, uint32_t *ret_actual)
{
    uint32_t offset;
    if (!get_count(d, &offset) || !get_count(d, ret_actual))
        return false;
    return (offset == 0 && *ret_actual >= 1 && *ret_actual <= max) || bad(d);
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

/* Are the octets of `count` elements there?  Asked before memory is allocated. */
static bool require_elements(struct ndr_decode *d, const NDR_TYPE *element, uint32_t count)
{
    struct ndr_element_layout layout;
    if (count == 0)
        return true;
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

static bool decode_elements(struct ndr_decode *d, const NDR_TYPE *element, void *memory,
                            uint32_t count, const struct ndr_scope *scope)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(d->rules, element, &layout))
        return decode_run(d, element, &layout, memory, count);
    size_t size = ndr_memory_size(element);
    for (uint32_t i = 0; i < count; i++)
        if (!decode_value(d, element, (uint8_t *)memory + i * size, scope, NDR_AT_ELEMENT, NULL))
            return false;
    return true;
}

static bool decode_characters(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                              uint32_t actual, const struct ndr_scope *scope)
{
    if (!decode_elements(d, type->element, memory, actual, scope))
        return false;
    size_t size = ndr_memory_size(type->element);
    const uint8_t *last = (const uint8_t *)memory + (actual - 1) * size;
    return (last[0] == 0 && last[size - 1] == 0) || bad(d);
}

static bool decode_fixed_string(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                                const struct ndr_scope *scope)
{
    uint32_t actual;
    return get_actual(d, type->count, &actual) && require_elements(d, type->element, actual) &&
           decode_characters(d, type, memory, actual, scope);
}

/* ---- Memory of a pointee ------------------------------------------------------------- */

static bool is_unique(const NDR_TYPE *type)
{
    return type->flags & NDR_TYPE_UNIQUE;
}

/* What the application has at the end of the pointer; NULL when we have to allocate. */
static void *existing(const struct ndr_target *target)
{
    if (target->scope.owner == NDR_OURS ||
        (target->scope.owner == NDR_OUT_ONLY && is_unique(target->type)))
        return NULL;
    return ndr_load_pointer(target->slot);
}

static bool old_count_over_frame(const struct ndr_decode *d, const NDR_EXPR *expr,
                                 uint32_t *ret_count)
{
    for (size_t i = 0; i < d->old_counts.count; i++) {
        const struct ndr_old_count *old = ndr_list_at(&d->old_counts, i);
        if (old->expr == expr) {
            *ret_count = old->count;
            return true;
        }
    }
    return false;
}

/* Elements the application's string has room for, as far as we can know. */
static uint32_t old_string_count(const NDR_TYPE *type, const void *memory)
{
    if (type->element->kind != NDR_KIND_WCHAR)
        return (uint32_t)strnlen(memory, NDR_COUNT_MAX) + 1;
    const uint8_t *at = memory;
    uint32_t count = 1;
    for (; at[0] != 0 || at[1] != 0; at += sizeof(WCHAR))
        count++;
    return count;
}

/* Elements that fit at `memory`, the application's.  [out]-only memory of a size
 * nobody told us is not touched. */
static bool capacity_of(struct ndr_decode *d, const struct ndr_target *target, const NDR_TYPE *type,
                        const void *memory, uint32_t *ret_capacity)
{
    if (!type->max_count && type->kind == NDR_KIND_STRING && target->scope.owner == NDR_KEPT) {
        *ret_capacity = old_string_count(type, memory);
        return true;
    }
    if (type->max_count && target->scope.base == d->frame &&
        old_count_over_frame(d, type->max_count, ret_capacity))
        return true;
    if (target->capacity == NDR_CAPACITY_UNKNOWN)
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    *ret_capacity = target->capacity;
    return true;
}

/* Memory for a pointee of `size` octets, and its scope in *scope. */
static bool obtain(struct ndr_decode *d, const struct ndr_target *target, uint64_t size,
                   struct ndr_scope *scope, void **ret_memory)
{
    void *memory = existing(target);
    if (memory) {
        *ret_memory = memory;
        return true;
    }
    scope->owner = NDR_OURS;
    return ndr_decode_allocate(d, target->slot, size, ret_memory);
}

/* The same for `room` elements of a conformant type, of which `used` come now. */
static bool obtain_elements(struct ndr_decode *d, const struct ndr_target *target,
                            const NDR_TYPE *type, uint32_t room, uint32_t used,
                            struct ndr_scope *scope, void **ret_memory)
{
    void *memory = existing(target);
    if (!memory)
        return obtain(d, target, (uint64_t)room * ndr_memory_size(type->element), scope,
                      ret_memory);
    uint32_t capacity;
    if (!capacity_of(d, target, type, memory, &capacity))
        return false;
    /* With size_is the program trusts all of `room` from now on. */
    if (used > capacity || (type->max_count && room > capacity))
        return bad(d);
    *ret_memory = memory;
    return true;
}

/* ---- Pointees ------------------------------------------------------------------------- */

static bool decode_array_pointee(struct ndr_decode *d, const struct ndr_target *target,
                                 const NDR_TYPE *type, struct ndr_scope *scope)
{
    uint32_t max;
    void *memory;
    if (!get_max(d, scope, &max) ||
        !ndr_decode_claim(d, type->max_count, scope->base, max, false) ||
        !require_elements(d, type->element, max) ||
        !obtain_elements(d, target, type, max, max, scope, &memory))
        return false;
    struct ndr_scope elements = *scope;
    elements.range = NULL; /* it was the count's */
    return decode_elements(d, type->element, memory, max, &elements);
}

static bool decode_string_pointee(struct ndr_decode *d, const struct ndr_target *target,
                                  const NDR_TYPE *type, struct ndr_scope *scope)
{
    uint32_t max, actual;
    void *memory;
    if (!get_max(d, scope, &max) ||
        !ndr_decode_claim(d, type->max_count, scope->base, max, false) ||
        !get_actual(d, max, &actual) || !require_elements(d, type->element, actual))
        return false;
    /* A sized string is a buffer: the manager may write up to its size. */
    uint32_t room = type->max_count ? max : actual;
    return obtain_elements(d, target, type, room, actual, scope, &memory) &&
           decode_characters(d, type, memory, actual, scope);
}

/* A structure that ends in a conformant array or string: its count comes first. */
static bool decode_conformant_struct(struct ndr_decode *d, const struct ndr_target *target,
                                     const NDR_TYPE *type, struct ndr_scope *scope)
{
    size_t base, offset;
    const NDR_TYPE *tail = ndr_conformant_tail(type, &base, &offset);
    uint32_t max;
    if (!get_count(d, &max))
        return false;
    if (tail->kind == NDR_KIND_ARRAY && !require_elements(d, tail->element, max))
        return false;
    void *memory = existing(target);
    if (memory) {
        uint32_t capacity;
        if (target->scope.owner != NDR_KEPT || !tail->max_count)
            return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
        if (!ndr_expr_count(tail->max_count, (uint8_t *)memory + base, &capacity) || max > capacity)
            return bad(d);
    } else {
        uint64_t size = offset + (uint64_t)max * ndr_memory_size(tail->element);
        if (!obtain(d, target, size > type->size ? size : type->size, scope, &memory))
            return false;
    }
    return decode_value(d, type, memory, scope, NDR_AT_TOP, &max);
}

bool ndr_decode_pointee(struct ndr_decode *d, const struct ndr_target *target)
{
    const NDR_TYPE *type = target->type->element;
    struct ndr_scope scope = target->scope;
    size_t base, offset;
    void *memory;
    if (target->is_null)
        return ndr_decode_claim(d, type->max_count, scope.base, 0, true);
    /* Only of the parameter itself: a [ref] pointer deeper in [out] memory may be NULL, to
     * be given memory, in a structure as in an array. */
    if (scope.owner != NDR_OURS && !is_unique(target->type) && scope.depth == 0 &&
        !ndr_load_pointer(target->slot))
        return ndr_decode_fail(d, RPC_X_NULL_REF_POINTER);
    if (!ndr_decode_require(d, ndr_least_len(d->rules, type, NDR_AT_TOP)))
        return false;
    if (ndr_is_conformant(type))
        return type->kind == NDR_KIND_ARRAY ? decode_array_pointee(d, target, type, &scope)
                                            : decode_string_pointee(d, target, type, &scope);
    if (ndr_conformant_tail(type, &base, &offset))
        return decode_conformant_struct(d, target, type, &scope);
    return obtain(d, target, ndr_memory_size(type), &scope, &memory) &&
           ndr_decode_top(d, type, memory, &scope);
}

/* ---- Pointers -------------------------------------------------------------------------- */

/* A NULL referent. */
static bool decode_null(struct ndr_decode *d, const struct ndr_target *target)
{
    /* What an [in,out] pointer pointed to stays the application's to free. */
    if (target->scope.owner == NDR_KEPT && ndr_load_pointer(target->slot))
        return ndr_decode_set_pointer(d, target->slot, NULL);
    return true;
}

/* Reads the referent, if this pointer has one here; *ret_present: is there a pointee? */
static bool get_referent(struct ndr_decode *d, const struct ndr_target *target,
                         enum ndr_place place, bool *ret_present)
{
    uint32_t flags = target->type->flags;
    uint64_t referent = 1;
    if ((flags & NDR_TYPE_FULL) || !(flags & (NDR_TYPE_REF | NDR_TYPE_UNIQUE)))
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    bool unvalued = (flags & NDR_TYPE_REF) &&
                    (place == NDR_AT_TOP || (place == NDR_AT_ELEMENT && !d->rules->refs_in_arrays));
    if (!unvalued && !ndr_decode_get(d, d->rules->pointer_size, &referent))
        return false;
    /* The value of a [ref] pointer means nothing (C706 14.3.12.2). */
    *ret_present = referent != 0 || (flags & NDR_TYPE_REF);
    return true;
}

/* Starts with what a pointer at `slot` may be in memory of that owner. */
static struct ndr_target target_at(const NDR_TYPE *type, void *slot, const struct ndr_scope *scope)
{
    if (scope->owner == NDR_OUT_ONLY && is_unique(type))
        ndr_store_pointer(slot, NULL); /* was not initialised */
    return (struct ndr_target){
        .type = type, .slot = slot, .scope = *scope, .capacity = NDR_CAPACITY_UNKNOWN};
}

/* A pointer in a structure or array: its pointee comes behind the flat part.  A NULL
 * pointer is noted too when size_is ought to be zero, which later members tell. */
static bool defer(struct ndr_decode *d, const NDR_TYPE *type, void *slot,
                  const struct ndr_scope *scope, enum ndr_place place)
{
    struct ndr_target target = target_at(type, slot, scope);
    const NDR_TYPE *pointee = type->element;
    uint32_t depth_max = d->reader->depth_max ? d->reader->depth_max : NDR_DEPTH_MAX;
    bool present;
    if (!get_referent(d, &target, place, &present))
        return false;
    if (++target.scope.depth > depth_max && present)
        return ndr_decode_fail(d, RPC_S_OUT_OF_RESOURCES);
    if (scope->old && pointee->max_count)
        (void)ndr_expr_count(pointee->max_count, scope->old, &target.capacity);
    target.scope.old = NULL; /* ends with the flat part */
    target.is_null = !present;
    if (present) {
        uint64_t least = ndr_least_len(d->rules, pointee, NDR_AT_TOP);
        target.least_len = least > UINT32_MAX ? UINT32_MAX : (uint32_t)least;
        d->least_pending += target.least_len;
    } else if (!decode_null(d, &target) || !pointee->max_count) {
        return d->verdict == NDR_DONE;
    }
    return ndr_decode_note(d, &d->pending, &target);
}

bool ndr_decode_top(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                    const struct ndr_scope *scope)
{
    if (type->kind != NDR_KIND_POINTER)
        return decode_value(d, type, memory, scope, NDR_AT_FIELD, NULL);
    struct ndr_target target = target_at(type, memory, scope);
    bool present;
    if (!get_referent(d, &target, NDR_AT_TOP, &present))
        return false;
    if (!present)
        return decode_null(d, &target) &&
               ndr_decode_claim(d, type->element->max_count, scope->base, 0, true);
    if (memory == d->frame_slot && is_unique(type) && !ndr_load_pointer(memory))
        return bad(d);
    return ndr_decode_pointee(d, &target);
}

/* ---- Structures ------------------------------------------------------------------------- */

/* Does a pointer among the members have a size the members tell?  Then the members'
 * old values are wanted while they are being overwritten. */
static bool sizes_own_pointees(const NDR_TYPE *type)
{
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_TYPE *member = type->fields[i].type;
        while (member->kind == NDR_KIND_ARRAY && member->count > 0)
            member = member->element;
        if (member->kind == NDR_KIND_POINTER && member->element->max_count)
            return true;
    }
    return false;
}

static bool decode_tail(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                        const struct ndr_scope *scope, uint32_t max)
{
    const NDR_RANGE *range = scope->range;
    if (range && (max < range->low || max > range->high))
        return bad(d);
    if (!ndr_decode_claim(d, type->max_count, scope->base, max, false))
        return false;
    struct ndr_scope elements = *scope;
    elements.range = NULL;
    uint32_t actual;
    if (type->kind == NDR_KIND_ARRAY)
        return decode_elements(d, type->element, memory, max, &elements);
    return get_actual(d, max, &actual) && require_elements(d, type->element, actual) &&
           decode_characters(d, type, memory, actual, &elements);
}

/* `tail_max`: the hoisted count when the structure may end in something conformant. */
static bool decode_fields(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                          struct ndr_scope *scope, const uint32_t *tail_max)
{
    ndr_decode_align(d, ndr_align(d->rules, type));
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        uint8_t *at = (uint8_t *)memory + field->offset;
        const uint32_t *max = i + 1 == type->count ? tail_max : NULL;
        scope->range = field->range;
        bool done = max && ndr_is_conformant(field->type)
                        ? decode_tail(d, field->type, at, scope, *max)
                        : decode_value(d, field->type, at, scope, NDR_AT_FIELD, max);
        if (!done)
            return false;
    }
    return true;
}

static bool decode_struct(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                          const struct ndr_scope *outer, const uint32_t *tail_max)
{
    struct ndr_scope scope = {.base = memory, .owner = outer->owner, .depth = outer->depth};
    void *old = NULL;
    if (scope.owner == NDR_KEPT && sizes_own_pointees(type)) {
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

/* ---- Any value --------------------------------------------------------------------------- */

/* The flat part of a value. */
static bool decode_value(struct ndr_decode *d, const NDR_TYPE *type, void *memory,
                         const struct ndr_scope *scope, enum ndr_place place,
                         const uint32_t *tail_max)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(d->rules, type, &layout)) {
        if (!decode_run(d, type, &layout, memory, 1))
            return false;
        return !scope->range || ndr_in_range(scope->range, type, memory, 0, 1) || bad(d);
    }
    if (type->kind == NDR_KIND_STRUCT)
        return decode_struct(d, type, memory, scope, tail_max);
    if (type->kind == NDR_KIND_POINTER)
        return defer(d, type, memory, scope, place);
    if (type->kind == NDR_KIND_ARRAY && type->count > 0)
        return decode_elements(d, type->element, memory, type->count, scope);
    if (type->kind == NDR_KIND_STRING && type->count > 0)
        return decode_fixed_string(d, type, memory, scope);
    if (type->kind == NDR_KIND_CONTEXT)
        return ndr_decode_context(d, type, memory);
    return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
}
