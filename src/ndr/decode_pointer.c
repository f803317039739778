/* SPDX-License-Identifier: MIT */
/* decode_pointer.c - pointers, and memory for what they point to.
 *
 * A pointee's memory is allocated only when its octets are there, or at least as many
 * as its counts announce.  A pointer found in the application's memory is followed
 * only as `enum ndr_owner` allows. */
#include "ndr/decode.h"

#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/union.h"

static bool bad(struct ndr_decode *d)
{
    return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
}

/* ---- Memory of a pointee ------------------------------------------------------------- */

/* [unique] or full. */
static bool may_be_null(const NDR_TYPE *type)
{
    return type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL);
}

static bool is_full(const NDR_TYPE *type)
{
    return type->flags & NDR_TYPE_FULL;
}

/* What the application has at the end of the pointer; NULL when we have to allocate. */
static void *existing(const struct ndr_decode *d, const struct ndr_target *target)
{
    if (target->own)
        return target->own->object;
    if (target->is_new || target->scope.owner == NDR_OURS ||
        (target->scope.owner == NDR_OUT_ONLY && may_be_null(target->type)))
        return NULL;
    void *memory = ndr_load_pointer(target->slot);
    /* Two full pointers led here before the call; the reply has two objects. */
    if (memory && is_full(target->type) && ndr_alias_find(&d->taken, (uintptr_t)memory, NULL))
        return NULL;
    return memory;
}

static bool old_count_over_frame(const struct ndr_decode *d, const NDR_EXPR *expr,
                                 uint32_t *ret_count)
{
    int64_t value;
    if (!ndr_decode_old_value(d, expr, &value) || value < 0 || value > NDR_COUNT_MAX)
        return false;
    *ret_count = (uint32_t)value;
    return true;
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
    if (target->own) {
        *ret_capacity = target->own->capacity;
        return true;
    }
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

/* The object is at `memory`: this pointer and other full ones with its referent lead there
 * from now on. */
static bool settle(struct ndr_decode *d, const struct ndr_target *target, void *memory)
{
    struct ndr_alias object = {
        .key = target->referent, .type = target->type->element, .object = memory};
    if (!is_full(target->type))
        return true;
    if (!target->own) {
        object.region = ndr_region_number(d);
        object.begins_region = ndr_region_begins(d, memory);
    }
    if (ndr_load_pointer(target->slot) != memory && !ndr_decode_share(d, target->slot, memory))
        return false;
    if (!ndr_decode_add_alias(d, &d->objects, &object))
        return false;
    object.key = (uintptr_t)memory;
    return target->scope.owner != NDR_KEPT || ndr_decode_add_alias(d, &d->taken, &object);
}

/* A server frees a region by the pointer it was made for; another one from outside would free
 * a part of it. */
static bool may_share(const struct ndr_decode *d, const struct ndr_target *target,
                      const struct ndr_alias *object)
{
    bool is_owner = object->begins_region && (target->type->flags & NDR_TYPE_ALL_NODES);
    return d->direction != NDR_PARAM_IN || !object->region || is_owner ||
           object->region == ndr_region_number(d);
}

/* An object that came before: a full pointer then has no pointee of its own. */
static bool share_known(struct ndr_decode *d, const struct ndr_target *target, bool *ret_known)
{
    const struct ndr_alias *object = ndr_alias_find(&d->objects, target->referent, NULL);
    *ret_known = object != NULL;
    if (!object || ndr_load_pointer(target->slot) == object->object)
        return true;
    if (!ndr_same_shape(object->type, target->type->element) || target->slot == d->frame_slot)
        return bad(d);
    if (!may_share(d, target, object))
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    return ndr_decode_share(d, target->slot, object->object);
}

/* An object that only [in] parameters lead to may be a constant. */
static bool may_write(const struct ndr_target *target, const struct ndr_alias *own)
{
    return own->is_kept || (target->scope.owner == NDR_KEPT &&
                            ndr_load_pointer(target->slot) == own->object);
}

/* A reply's full pointer whose object has not come yet: an object of the request, or a new
 * one.  What a parameter passed by value leads to can only be written in place. */
static bool find_own(struct ndr_decode *d, struct ndr_target *target)
{
    const struct ndr_full_pointers *full = d->reader->full;
    bool is_fixed = target->slot == d->frame_slot;
    if (!full || d->direction != NDR_PARAM_OUT)
        return true;
    const struct ndr_alias *own = ndr_alias_find(&full->by_referent, target->referent, NULL);
    if (own && (!ndr_same_shape(own->type, target->type->element) || !may_write(target, own) ||
                ndr_alias_find(&d->taken, (uintptr_t)own->object, NULL)))
        own = NULL;
    if (ndr_region_is_measured(d))
        own = NULL; /* must not be written twice; at worst there is room to spare */
    if (!own) {
        target->is_new = !is_fixed;
        return true;
    }
    if (is_fixed && ndr_load_pointer(target->slot) != own->object)
        return bad(d);
    target->own = own;
    target->scope.owner = NDR_KEPT;
    target->scope.has_old_tag = own->has_tag;
    target->scope.old_tag = own->tag;
    return true;
}

/* The object has become larger than it was: the program gets another one. */
static void outgrow_own(struct ndr_decode *d, struct ndr_target *target, struct ndr_scope *scope,
                        uint32_t capacity)
{
    if (!target->own || capacity <= target->own->capacity || target->slot == d->frame_slot)
        return;
    target->own = NULL;
    target->is_new = true;
    target->scope.owner = scope->owner = NDR_OURS;
}

/* Memory for a pointee of `size` octets, zeroed if need be, and its scope in *scope. */
static bool obtain(struct ndr_decode *d, const struct ndr_target *target, uint64_t size, bool zero,
                   struct ndr_scope *scope, void **ret_memory)
{
    void *memory = existing(d, target);
    if (!memory) {
        scope->owner = NDR_OURS;
        if (!ndr_decode_allocate(d, target->slot, target->type->element, size, zero, &memory))
            return false;
    }
    *ret_memory = memory;
    return settle(d, target, memory);
}

/* The same for `room` elements of a conformant type, of which those of `extent` come now. */
static bool obtain_elements(struct ndr_decode *d, const struct ndr_target *target,
                            const NDR_TYPE *type, uint32_t room, const struct ndr_extent *extent,
                            struct ndr_scope *scope, void **ret_memory)
{
    uint32_t used = extent->first + extent->actual;
    void *memory = existing(d, target);
    if (!memory) {
        /* What comes now may fill every octet. */
        struct ndr_element_layout layout;
        bool filled = extent->actual == room && ndr_fixed_layout(d->rules, type->element, &layout) &&
                      layout.flat;
        return obtain(d, target, (uint64_t)room * ndr_memory_size(type->element), !filled, scope,
                      ret_memory);
    }
    uint32_t capacity;
    if (!capacity_of(d, target, type, memory, &capacity))
        return false;
    /* With size_is the program trusts all of `room` from now on. */
    if (used > capacity || (type->max_count && room > capacity))
        return bad(d);
    *ret_memory = memory;
    return settle(d, target, memory);
}

/* The pointer to `type` is NULL: then its size_is has to be 0, unless the interface says
 * that it does not matter. */
static bool claim_null(struct ndr_decode *d, const NDR_TYPE *type, const struct ndr_scope *scope)
{
    return (type->flags & NDR_TYPE_NULL_WITH_SIZE) ||
           ndr_decode_claim(d, type->max_count, scope, 0, true);
}

/* ---- Pointees ------------------------------------------------------------------------- */

static bool decode_array_pointee(struct ndr_decode *d, struct ndr_target *target,
                                 const NDR_TYPE *type, struct ndr_scope *scope)
{
    struct ndr_extent extent;
    uint32_t max;
    void *memory;
    if (!ndr_decode_max(d, type, scope, &max) || !ndr_decode_extent(d, type, scope, max, &extent))
        return false;
    /* A sized string is a buffer: the manager may write up to its size. */
    uint32_t used = extent.first + extent.actual;
    uint32_t room = type->kind == NDR_KIND_STRING && !type->max_count ? used : max;
    outgrow_own(d, target, scope, room);
    if (!obtain_elements(d, target, type, room, &extent, scope, &memory))
        return false;
    return ndr_decode_elements(d, type, memory, &extent, scope);
}

/* A structure that ends in a conformant array or string: its count comes first. */
static bool decode_conformant_struct(struct ndr_decode *d, struct ndr_target *target,
                                     const NDR_TYPE *type, struct ndr_scope *scope)
{
    size_t base, offset;
    const NDR_TYPE *tail = ndr_conformant_tail(type, &base, &offset);
    bool all_come = tail->kind == NDR_KIND_ARRAY && !(tail->flags & NDR_TYPE_VARYING);
    uint32_t max;
    if (!ndr_decode_count(d, &max) ||
        (all_come && !ndr_decode_require_elements(d, tail->element, max)))
        return false;
    outgrow_own(d, target, scope, max);
    void *memory = existing(d, target);
    if (memory) {
        uint32_t capacity = 0;
        if (target->own)
            capacity = target->own->capacity;
        else if (target->scope.owner != NDR_KEPT || !tail->max_count)
            return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
        else if (!ndr_expr_count(tail->max_count, (uint8_t *)memory + base, &capacity))
            return bad(d);
        if (max > capacity)
            return bad(d);
        if (!settle(d, target, memory))
            return false;
    } else {
        uint64_t size = offset + (uint64_t)max * ndr_memory_size(tail->element);
        if (!obtain(d, target, size > type->size ? size : type->size, true, scope, &memory))
            return false;
    }
    return ndr_decode_value(d, type, memory, scope, NDR_AT_TOP, &max);
}

bool ndr_decode_pointee(struct ndr_decode *d, const struct ndr_target *pointer)
{
    struct ndr_target copy = *pointer, *target = &copy;
    const NDR_TYPE *type = target->type->element;
    struct ndr_scope scope = target->scope;
    size_t base, offset;
    void *memory;
    if (target->type->kind == NDR_KIND_CONVERTED)
        return ndr_decode_user_octets(d, target->type, target->slot, &scope);
    if (scope.is_blank && scope.owner == NDR_KEPT)
        scope.owner = NDR_OUT_ONLY;
    scope.is_blank = false;
    if (target->is_null)
        return claim_null(d, type, &scope);
    if (ndr_region_wanted(d, target))
        return ndr_region_decode(d, target);
    if (is_full(target->type)) {
        bool known;
        if (!share_known(d, target, &known) || known)
            return d->verdict == NDR_DONE;
        if (!target->is_new && !find_own(d, target))
            return false;
        scope.owner = target->own ? NDR_KEPT : target->is_new ? NDR_OURS : scope.owner;
        scope.has_old_tag = target->scope.has_old_tag;
        scope.old_tag = target->scope.old_tag;
    }
    /* Only of the parameter itself: a [ref] pointer deeper in [out] memory may be NULL, to
     * be given memory, in a structure as in an array. */
    if (scope.owner != NDR_OURS && !may_be_null(target->type) && scope.depth == 0 &&
        !ndr_load_pointer(target->slot))
        return ndr_decode_fail(d, RPC_X_NULL_REF_POINTER);
    if (!ndr_decode_require(d, ndr_least_len(d->rules, type, NDR_AT_TOP)))
        return false;
    if (ndr_is_conformant(type))
        return decode_array_pointee(d, target, type, &scope);
    if (ndr_conformant_tail(type, &base, &offset))
        return decode_conformant_struct(d, target, type, &scope);
    return obtain(d, target, ndr_memory_size(type), true, &scope, &memory) &&
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

bool ndr_decode_referent(struct ndr_decode *d, struct ndr_target *target, enum ndr_place place,
                         bool *ret_present)
{
    uint32_t flags = target->type->flags;
    bool is_ref = (flags & NDR_TYPE_REF) && !(flags & NDR_TYPE_IGNORE);
    bool unvalued =
        is_ref && (place == NDR_AT_TOP || (place == NDR_AT_ELEMENT && !d->rules->refs_in_arrays));
    target->referent = 1;
    if (!(flags & (NDR_TYPE_REF | NDR_TYPE_UNIQUE | NDR_TYPE_FULL | NDR_TYPE_IGNORE)))
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    if (!unvalued && !ndr_decode_get(d, d->rules->pointer_size, &target->referent))
        return false;
    /* The value of a [ref] pointer means nothing (C706 14.3.12.2). */
    *ret_present = target->referent != 0 || is_ref;
    return true;
}

/* [ignore]: the value means nothing here, least of all as a pointer. */
static bool skip_ignored(struct ndr_decode *d, struct ndr_target *target, enum ndr_place place)
{
    bool present;
    if (target->scope.owner != NDR_KEPT)
        ndr_store_pointer(target->slot, NULL);
    return ndr_decode_referent(d, target, place, &present);
}

/* Starts with what a pointer at `slot` may be in memory of that owner. */
static struct ndr_target target_at(const NDR_TYPE *type, void *slot, const struct ndr_scope *scope)
{
    if (scope->owner == NDR_OUT_ONLY && may_be_null(type))
        ndr_store_pointer(slot, NULL); /* was not initialised */
    struct ndr_target target = {
        .type = type, .slot = slot, .scope = *scope, .capacity = NDR_CAPACITY_UNKNOWN};
    uint32_t *deeper = target.scope.deeper;
    if (type->element && type->element->max_count && deeper[0] > 0) {
        target.capacity = deeper[0] - 1;
        for (unsigned i = 0; i < NDR_DEEPER_MAX; i++)
            deeper[i] = i + 1 < NDR_DEEPER_MAX ? deeper[i + 1] : 0;
    }
    return target;
}

/* What the application's members told about the pointee, before they are overwritten. */
static void note_old(struct ndr_target *target, const NDR_TYPE *pointee, const void *old)
{
    struct ndr_scope *scope = &target->scope;
    if (pointee->max_count)
        (void)ndr_expr_count(pointee->max_count, old, &target->capacity);
    /* size_is(,n) is about what lies behind it, and is asked when *old is gone. */
    unsigned levels = 0;
    for (const NDR_TYPE *at = pointee; at->kind == NDR_KIND_POINTER || at->kind == NDR_KIND_ARRAY;) {
        uint32_t count;
        at = at->element;
        if (levels == NDR_DEEPER_MAX || (at->max_count && !ndr_expr_count(at->max_count, old, &count)))
            break;
        if (at->max_count)
            scope->deeper[levels++] = count + 1;
    }
    /* An encapsulated one has its discriminant where the pointer leads. */
    if (pointee->kind == NDR_KIND_UNION && !ndr_is_encapsulated(pointee))
        scope->has_old_tag = ndr_union_tag(pointee, NULL, old, &scope->old_tag);
}

/* A NULL pointer is noted too when size_is ought to be zero, which later members tell. */
bool ndr_decode_defer(struct ndr_decode *d, const NDR_TYPE *type, void *slot,
                      const struct ndr_scope *scope, enum ndr_place place)
{
    struct ndr_target target = target_at(type, slot, scope);
    const NDR_TYPE *pointee = type->element;
    uint32_t depth_max = d->reader->depth_max ? d->reader->depth_max : NDR_DEPTH_MAX;
    bool present;
    if (type->flags & NDR_TYPE_IGNORE)
        return skip_ignored(d, &target, place);
    if (!ndr_decode_referent(d, &target, place, &present))
        return false;
    if (++target.scope.depth > depth_max && present)
        return ndr_decode_fail(d, RPC_S_OUT_OF_RESOURCES);
    target.scope.has_old_tag = false;
    if (scope->old)
        note_old(&target, pointee, scope->old);
    target.scope.old = NULL; /* ends with the flat part */
    target.scope.is_partial = false;
    target.is_null = !present;
    if (present) {
        /* A full pointer may lead to what was there before. */
        uint64_t least = is_full(type) ? 0 : ndr_least_len(d->rules, pointee, NDR_AT_TOP);
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
    if (type->kind == NDR_KIND_CONVERTED)
        return ndr_decode_converted(d, type, memory, scope, NDR_AT_TOP);
    if (type->kind != NDR_KIND_POINTER)
        return ndr_decode_value(d, type, memory, scope, NDR_AT_FIELD, NULL);
    struct ndr_target target = target_at(type, memory, scope);
    bool present;
    if (type->flags & NDR_TYPE_IGNORE)
        return skip_ignored(d, &target, NDR_AT_TOP);
    if (!ndr_decode_referent(d, &target, NDR_AT_TOP, &present))
        return false;
    if (!present)
        return decode_null(d, &target) &&
               claim_null(d, type->element, scope);
    if (memory == d->frame_slot && may_be_null(type) && !ndr_load_pointer(memory))
        return bad(d);
    return ndr_decode_pointee(d, &target);
}
