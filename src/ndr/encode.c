/* SPDX-License-Identifier: MIT */
/* encode.c - C memory to stub octets.
 *
 * Pointers are deferred (C706 14.3.12.3): a construct is written flat first, each
 * pointer leaving a referent and a note on the `pending` stack; then the notes are
 * worked off, and what a pointee adds comes before its siblings:
 *
 *     flat part of the parameter | pointee 1 | pointees of pointee 1 | pointee 2 | ...
 *
 * The stack is on the heap, so a long list needs no deep C stack. */
#include "ndr/encode.h"

#include <string.h>

#include "ndr/convert.h"
#include "ndr/element.h"
#include "ndr/expr.h"
#include "ndr/union.h"

/* Windows numbers unique pointers like this; any nonzero value would do. */
#define REFERENT_FIRST 0x00020000u
#define REFERENT_STEP  4u

/* A pointer whose referent is written and whose pointee is not. */
struct pending {
    const NDR_TYPE *type; /* the pointee's                        */
    const void *target;   /* the pointee                          */
    const void *base;     /* what size_is in `type` refers to     */
    uint32_t depth;       /* pointers between it and the parameter */
    bool is_full;         /* its referent may have brought the object already */
    bool is_user_wire;    /* `type` is converted, `target` a value of it: what is behind the
                           * pointer that stands for it comes now */
};

static void encode_top(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                       const void *base);

/* ---- Pointers ----------------------------------------------------------------------- */

/* One that nothing has, neither here nor in the request a reply belongs to. */
static uint32_t next_referent(struct ndr_encode *e)
{
    const struct ndr_full_pointers *full = e->writer->full;
    while (e->referent == 0 || (full && ndr_alias_find(&full->by_referent, e->referent, NULL)))
        e->referent += REFERENT_STEP;
    uint32_t referent = e->referent;
    e->referent += REFERENT_STEP;
    return referent;
}

/* The number of the object at the end of a full pointer: the same for all that lead there,
 * in a reply that of the request if the object was there. */
static uint64_t referent_of(struct ndr_encode *e, const NDR_TYPE *type, const void *target)
{
    const struct ndr_full_pointers *full = e->writer->full;
    struct ndr_alias fresh = {.key = (uintptr_t)target, .type = type->element, .is_kept = e->keeps};
    struct ndr_alias *known = ndr_alias_find(&e->objects, fresh.key, type->element);
    if (known) {
        known->is_kept = known->is_kept || e->keeps;
        return known->referent;
    }
    known = full ? ndr_alias_find(&full->by_object, fresh.key, type->element) : NULL;
    fresh.referent = known ? known->referent : next_referent(e);
    if (!ndr_alias_add(&e->objects, &fresh))
        ndr_encode_fail(e, RPC_S_OUT_OF_MEMORY);
    return fresh.referent;
}

/* How large is the object, and which arm does it hold: should the reply write it. */
static void measure_object(struct ndr_encode *e, struct ndr_alias *object, const void *target,
                           const void *base)
{
    const NDR_TYPE *type = object->type, *tail = type;
    const uint8_t *start = target, *tail_over = base;
    size_t tail_base, tail_offset = 0;
    struct ndr_encode_extent extent;
    if (type->kind == NDR_KIND_UNION)
        object->has_tag = ndr_union_tag(type, target, base, &object->tag);
    if (!ndr_is_conformant(type)) {
        tail = ndr_conformant_tail(type, &tail_base, &tail_offset);
        tail_over = tail ? start + tail_base : NULL;
    }
    if (tail && ndr_encode_extent(e, tail, start + tail_offset, tail_over, &extent))
        object->capacity = extent.max;
}

/* Is the object of this full pointer still to be written?  It goes where the first pointer
 * to it would have it, in the order pointees are written. */
static bool claim_object(struct ndr_encode *e, const NDR_TYPE *pointee, const void *target,
                         const void *base)
{
    struct ndr_alias *object = ndr_alias_find(&e->objects, (uintptr_t)target, pointee);
    if (!object || object->done)
        return false;
    object->done = true;
    object->type = pointee;
    object->object = (void *)(uintptr_t)target;
    if (e->writer->full)
        measure_object(e, object, target, base);
    return true;
}

/* What the reply may refer to. */
static void remember_objects(struct ndr_encode *e)
{
    struct ndr_full_pointers *full = e->writer->full;
    for (size_t i = 0; i < e->objects.entries.count && !ndr_encode_failed(e); i++) {
        struct ndr_alias object = *(const struct ndr_alias *)ndr_list_at(&e->objects.entries, i);
        object.key = object.referent;
        if (object.done && !ndr_alias_add(&full->by_referent, &object))
            ndr_encode_fail(e, RPC_S_OUT_OF_MEMORY);
    }
}

/* Checks a pointer and writes its referent.  True when a pointee has to follow. */
static bool encode_referent(struct ndr_encode *e, const NDR_TYPE *type, const void *target,
                            enum ndr_place place)
{
    uint64_t referent = 0;
    bool is_ref = (type->flags & NDR_TYPE_REF) && !(type->flags & NDR_TYPE_IGNORE);
    if (!(type->flags & (NDR_TYPE_REF | NDR_TYPE_UNIQUE | NDR_TYPE_FULL | NDR_TYPE_IGNORE))) {
        ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
        return false;
    }
    if (is_ref && !target) {
        ndr_encode_fail(e, RPC_X_NULL_REF_POINTER);
        return false;
    }
    if (is_ref && (place == NDR_AT_TOP || (place == NDR_AT_ELEMENT && !e->rules->refs_in_arrays)))
        return true;
    if (target && (type->flags & NDR_TYPE_FULL)) {
        referent = referent_of(e, type, target);
    } else if (target) {
        referent = next_referent(e);
    }
    ndr_writer_put(e->writer, referent, e->rules->pointer_size);
    return target && !(type->flags & NDR_TYPE_IGNORE);
}

static void push_pending(struct ndr_encode *e, const struct pending *note)
{
    if (note->depth > (e->writer->depth_max ? e->writer->depth_max : NDR_DEPTH_MAX))
        ndr_encode_fail(e, RPC_S_OUT_OF_RESOURCES);
    else if (!ndr_list_push(&e->pending, note))
        ndr_encode_fail(e, RPC_S_OUT_OF_MEMORY);
}

static void defer(struct ndr_encode *e, const NDR_TYPE *type, const void *memory, const void *base,
                  enum ndr_place place)
{
    struct pending note = {
        .type = type->element,
        .target = ndr_load_pointer(memory),
        .base = base,
        .depth = e->depth + 1,
        .is_full = type->flags & NDR_TYPE_FULL,
    };
    if (!encode_referent(e, type, note.target, place))
        return;
    push_pending(e, &note);
}

/* ---- Context handles ----------------------------------------------------------------- */

static void encode_context(struct ndr_encode *e, const NDR_TYPE *type, const void *slot)
{
    const struct ndr_context_hooks *hooks = e->writer->contexts;
    uint8_t octets[NDR_CONTEXT_LEN];
    if (!hooks) {
        ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
        return;
    }
    RPC_STATUS status = hooks->to_wire(hooks->arg, type, slot, octets);
    if (status != RPC_S_OK) {
        ndr_encode_fail(e, status);
        return;
    }
    ndr_writer_align(e->writer, NDR_CONTEXT_ALIGN);
    uint8_t *out = ndr_writer_extend(e->writer, sizeof(octets));
    if (out)
        memcpy(out, octets, sizeof(octets));
}

/* ---- Unions ---------------------------------------------------------------------------- */

static void encode_tag(struct ndr_encode *e, const NDR_UNION *u, int64_t tag)
{
    const NDR_TYPE type = {.kind = u->switch_kind};
    struct ndr_element_layout layout;
    uint64_t memory;
    if (ndr_fixed_layout(e->rules, &type, &layout) && ndr_store_integer(type.kind, &memory, tag))
        ndr_encode_run(e, &type, &layout, &memory, 1);
    else
        ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
}

static void encode_union(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base)
{
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    if (!ndr_union_tag(type, memory, base, &tag)) {
        ndr_encode_fail(e, RPC_S_INVALID_BOUND);
        return;
    }
    const NDR_ARM *arm = ndr_union_arm(u, tag);
    if (!arm) {
        ndr_encode_fail(e, RPC_S_INVALID_TAG);
        return;
    }
    if (e->rules->pads)
        ndr_writer_align(e->writer, ndr_align(e->rules, type));
    encode_tag(e, u, tag);
    if (e->rules->pads || (u->flags & NDR_UNION_MS))
        ndr_writer_align(e->writer, ndr_arms_align(e->rules, u));
    if (arm->type)
        ndr_encode_value(e, arm->type, (const uint8_t *)memory + ndr_arms_offset(type),
                         ndr_arm_base(type, memory, base), NDR_AT_FIELD);
}

/* ---- Converted values ------------------------------------------------------------------- */

/* [transmit_as], [represent_as]: what is sent has no pointers, so it is done with at once. */
static void encode_wire_value(struct ndr_encode *e, const NDR_TYPE *type, const void *value,
                              enum ndr_place place)
{
    const struct ndr_memory *memory = e->writer->memory;
    void *wire;
    RPC_STATUS status = ndr_convert_to_wire(memory, type, value, &wire);
    if (status != RPC_S_OK) {
        ndr_encode_fail(e, status);
        return;
    }
    if (place == NDR_AT_TOP)
        encode_top(e, type->element, wire, NULL);
    else
        ndr_encode_value(e, type->element, wire, NULL, place);
    status = ndr_convert_free_wire(memory, type, wire);
    if (status != RPC_S_OK)
        ndr_encode_fail(e, status);
}

static void encode_converted(struct ndr_encode *e, const NDR_TYPE *type, const void *value,
                             enum ndr_place place)
{
    struct pending note = {
        .type = type, .target = value, .depth = e->depth + 1, .is_user_wire = true};
    if (e->writer->skip_converted)
        return;
    if (!e->writer->memory) {
        ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
        return;
    }
    if (!ndr_is_user_marshalled(type)) {
        encode_wire_value(e, type, value, place);
        return;
    }
    bool is_pointer = type->element->kind == NDR_KIND_POINTER;
    /* There is always something behind it: the routines have no way to say otherwise. */
    if (is_pointer && !encode_referent(e, type->element, value, place))
        return;
    if (!is_pointer || place == NDR_AT_TOP)
        ndr_user_write(e->writer, type, value, &e->referent);
    else
        push_pending(e, &note);
}

/* ---- Values -------------------------------------------------------------------------- */

static void encode_fields(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                          enum ndr_place place)
{
    uint32_t align = ndr_align(e->rules, type);
    size_t tail_base, tail_offset;
    ndr_writer_align(e->writer, align);
    for (uint32_t i = 0; i < type->count && !ndr_encode_failed(e); i++) {
        const NDR_FIELD *field = &type->fields[i];
        const uint8_t *at = (const uint8_t *)memory + field->offset;
        bool at_end = place == NDR_AT_TOP && i + 1 == type->count;
        if (at_end && ndr_is_conformant(field->type)) {
            if (e->rules->pads)
                ndr_writer_align(e->writer, align);
            ndr_encode_array(e, field->type, at, memory, false);
        } else {
            bool may_have_tail = at_end && field->type->kind == NDR_KIND_STRUCT;
            ndr_encode_value(e, field->type, at, memory, may_have_tail ? NDR_AT_TOP : NDR_AT_FIELD);
        }
    }
    if (e->rules->pads && !ndr_conformant_tail(type, &tail_base, &tail_offset))
        ndr_writer_align(e->writer, align);
}

void ndr_encode_value(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                      const void *base, enum ndr_place place)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(e->rules, type, &layout))
        ndr_encode_run(e, type, &layout, memory, 1);
    else if (type->kind == NDR_KIND_STRUCT)
        encode_fields(e, type, memory, place);
    else if (type->kind == NDR_KIND_POINTER)
        defer(e, type, memory, base, place);
    else if (type->kind == NDR_KIND_UNION)
        encode_union(e, type, memory, base);
    else if ((type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) && type->count > 0)
        ndr_encode_array(e, type, memory, base, false);
    else if (type->kind == NDR_KIND_CONTEXT)
        encode_context(e, type, memory);
    else if (type->kind == NDR_KIND_CONVERTED)
        encode_converted(e, type, memory, place);
    else
        ndr_encode_fail(e, RPC_S_CANNOT_SUPPORT);
}

/* A parameter, or what a pointer points to: conformance comes before everything else. */
static void encode_top(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                       const void *base)
{
    while (type->kind == NDR_KIND_POINTER) {
        const void *target = ndr_load_pointer(memory);
        if (!encode_referent(e, type, target, NDR_AT_TOP))
            return;
        if ((type->flags & NDR_TYPE_FULL) && !claim_object(e, type->element, target, base))
            return;
        type = type->element;
        memory = target;
    }
    if (ndr_is_conformant(type)) {
        ndr_encode_array(e, type, memory, base, true);
        return;
    }
    size_t tail_base, tail_offset;
    const NDR_TYPE *tail = ndr_conformant_tail(type, &tail_base, &tail_offset);
    if (tail) {
        const uint8_t *start = memory;
        struct ndr_encode_extent extent;
        if (!ndr_encode_extent(e, tail, start + tail_offset, start + tail_base, &extent))
            return;
        ndr_encode_count(e, extent.max); /* C706 14.3.7.1: hoisted */
    }
    ndr_encode_value(e, type, memory, base, NDR_AT_TOP);
}

static void encode_whole(struct ndr_encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base)
{
    struct pending note;
    e->depth = 0;
    encode_top(e, type, memory, base);
    ndr_list_reverse(&e->pending, 0);
    while (!ndr_encode_failed(e) && e->pending.count > 0) {
        ndr_list_pop(&e->pending, &note);
        size_t first_new = e->pending.count;
        e->depth = note.depth;
        if (note.is_user_wire) {
            ndr_user_write(e->writer, note.type, note.target, &e->referent);
            continue;
        }
        if (note.is_full && !claim_object(e, note.type, note.target, note.base))
            continue;
        encode_top(e, note.type, note.target, note.base);
        ndr_list_reverse(&e->pending, first_new);
    }
}

void ndr_encode_detached(struct ndr_writer *writer, const NDR_TYPE *type, const void *value,
                         uint32_t *referent)
{
    struct ndr_encode e = {.writer = writer,
                           .rules = writer->ndr64 ? &ndr64_rules : &ndr20_rules,
                           .referent = *referent};
    ndr_aliases_init(&e.objects, writer->reallocate);
    ndr_list_init(&e.pending, NULL, sizeof(struct pending), 0, writer->reallocate);
    encode_whole(&e, type, value, NULL);
    ndr_list_fini(&e.pending);
    ndr_aliases_fini(&e.objects);
    *referent = e.referent;
}

static void encode_param(struct ndr_encode *e, const NDR_PARAM *param, const void *frame,
                         uint32_t direction)
{
    const void *slot = (const uint8_t *)frame + param->offset;
    if (direction == NDR_PARAM_IN && (param->flags & NDR_PARAM_PARTIAL_IGNORE))
        encode_referent(e, param->type, ndr_load_pointer(slot), NDR_AT_TOP);
    else
        encode_whole(e, param->type, slot, frame);
}

/* A client's [out] buffers are not sent but must be there when the reply comes. */
static void check_out_param(struct ndr_encode *e, const NDR_PARAM *param, const void *frame)
{
    if ((param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN)) ||
        !ndr_param_travels(param, NDR_PARAM_OUT) || param->type->kind != NDR_KIND_POINTER)
        return;
    if ((param->type->flags & NDR_TYPE_REF) &&
        !ndr_load_pointer((const uint8_t *)frame + param->offset))
        ndr_encode_fail(e, RPC_X_NULL_REF_POINTER);
    uint32_t count;
    if (!param->byte_count)
        return;
    if (!ndr_expr_count(param->byte_count, frame, &count))
        ndr_encode_fail(e, RPC_S_INVALID_BOUND);
    else if (count < ndr_memory_size(param->type->element))
        ndr_encode_fail(e, RPC_X_BYTE_COUNT_TOO_SMALL);
}

RPC_STATUS ndr_encode_params(struct ndr_writer *writer, const NDR_OPERATION *operation,
                             const void *frame, uint32_t direction)
{
    struct pending inline_pending[16];
    struct ndr_encode e = {.writer = writer,
                           .rules = writer->ndr64 ? &ndr64_rules : &ndr20_rules,
                           .referent = REFERENT_FIRST};
    size_t start = writer->len;
    if (writer->ndr64 && !NDR64_SUPPORTED)
        ndr_encode_fail(&e, RPC_S_CANNOT_SUPPORT);
    ndr_aliases_init(&e.objects, writer->reallocate);
    NDR_LIST_INIT(&e.pending, inline_pending, writer->reallocate);
    for (uint32_t i = 0; i < operation->param_count && !ndr_encode_failed(&e); i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (direction == NDR_PARAM_IN)
            check_out_param(&e, param, frame);
        e.keeps = direction == NDR_PARAM_IN && (param->flags & NDR_PARAM_OUT);
        if (ndr_param_travels(param, direction))
            encode_param(&e, param, frame, direction);
    }
    if (writer->full && direction == NDR_PARAM_IN)
        remember_objects(&e);
    ndr_list_fini(&e.pending);
    ndr_aliases_fini(&e.objects);
    if (writer->status != RPC_S_OK)
        writer->len = start;
    return writer->status;
}
