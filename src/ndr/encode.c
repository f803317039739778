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
#include "ndr/ndr.h"

#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/alias.h"
#include "ndr/convert.h"
#include "ndr/element.h"
#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/list.h"
#include "ndr/union.h"
#include "ndr/writer.h"

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

struct encode {
    struct ndr_writer *writer;
    const struct ndr_rules *rules;
    struct ndr_list pending;
    uint32_t referent;          /* of the next pointer that is not NULL */
    uint32_t depth;             /* of the construct being written       */
    struct ndr_aliases objects; /* of full pointers, by address */
    bool keeps;                 /* a client's [in,out] parameter */
};

static void encode_value(struct encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base, enum ndr_place place);
static void encode_top(struct encode *e, const NDR_TYPE *type, const void *memory,
                       const void *base);

static void fail(struct encode *e, RPC_STATUS status)
{
    ndr_writer_fail(e->writer, status);
}

static bool failed(const struct encode *e)
{
    return e->writer->status != RPC_S_OK;
}

static void put_count(struct encode *e, uint32_t count)
{
    ndr_writer_put(e->writer, count, e->rules->count_size);
}

/* ---- Runs of equal values -------------------------------------------------------- */

static void encode_run(struct encode *e, const NDR_TYPE *type,
                       const struct ndr_element_layout *layout, const void *memory, size_t count)
{
    if (count == 0)
        return; /* no gap in front of nothing */
    ndr_writer_align(e->writer, layout->align);
    uint8_t *out = ndr_writer_extend(e->writer, ndr_run_len(layout, count));
    if (!out)
        return;
    RPC_STATUS status = ndr_run_to_wire(e->rules, type, layout, memory, count, out);
    if (status != RPC_S_OK)
        fail(e, status);
}

static void encode_elements(struct encode *e, const NDR_TYPE *element, const void *memory,
                            uint32_t count, const void *base)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(e->rules, element, &layout)) {
        encode_run(e, element, &layout, memory, count);
        return;
    }
    size_t size = ndr_memory_size(element);
    for (uint32_t i = 0; i < count && !failed(e); i++)
        encode_value(e, element, (const uint8_t *)memory + i * size, base, NDR_AT_ELEMENT);
}

/* ---- Counts ------------------------------------------------------------------------ */

/* Characters up to and with the terminator, looking at no more than `limit`; 0 when
 * there is none. */
static uint32_t string_count(const NDR_TYPE *type, const void *memory, uint32_t limit)
{
    if (type->element->kind != NDR_KIND_WCHAR) {
        const void *end = memchr(memory, 0, limit);
        return end ? (uint32_t)((const char *)end - (const char *)memory) + 1 : 0;
    }
    const uint8_t *at = memory;
    for (uint32_t i = 0; i < limit; i++, at += sizeof(WCHAR))
        if (at[0] == 0 && at[1] == 0)
            return i + 1;
    return 0;
}

/* Which elements of an array or string travel. */
struct extent {
    uint32_t max, first, actual;
};

static bool varies(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_STRING || (type->flags & NDR_TYPE_VARYING);
}

/* first_is and length_is, within `max`. */
static bool varying_extent(const NDR_TYPE *type, const void *base, uint32_t max,
                           struct extent *extent)
{
    extent->first = 0;
    if (type->first && !ndr_expr_count(type->first, base, &extent->first))
        return false;
    if (extent->first > max)
        return false;
    extent->actual = max - extent->first;
    return !type->length || (ndr_expr_count(type->length, base, &extent->actual) &&
                             extent->actual <= max - extent->first);
}

static bool extent_of(struct encode *e, const NDR_TYPE *type, const void *memory, const void *base,
                      struct extent *ret_extent)
{
    struct extent extent = {.max = type->count};
    if (extent.max == 0) {
        extent.max = NDR_COUNT_MAX;
        if (type->max_count ? !ndr_expr_count(type->max_count, base, &extent.max)
                            : type->kind == NDR_KIND_ARRAY)
            goto bad;
    }
    extent.actual = extent.max;
    if (type->kind == NDR_KIND_STRING) {
        extent.actual = string_count(type, memory, extent.max);
        if (extent.actual == 0)
            goto bad;
        if (type->count == 0 && !type->max_count)
            extent.max = extent.actual;
    } else if (varies(type) && !varying_extent(type, base, extent.max, &extent)) {
        goto bad;
    }
    *ret_extent = extent;
    return true;
bad:
    fail(e, RPC_S_INVALID_BOUND);
    return false;
}

/* The elements of an array of several dimensions that are in `box`, the extents. */
static void encode_box(struct encode *e, const NDR_TYPE *type, const uint8_t *memory,
                       const struct extent *box, const void *base)
{
    const NDR_TYPE *inner = ndr_next_dimension(type);
    size_t size = ndr_memory_size(type->element);
    memory += box->first * size;
    if (!inner) {
        encode_elements(e, type->element, memory, box->actual, base);
        return;
    }
    for (uint32_t i = 0; i < box->actual && !failed(e); i++)
        encode_box(e, inner, memory + i * size, box + 1, base);
}

/* Offsets and actual counts of what varies, of all dimensions, and the elements. */
static void encode_body(struct encode *e, const NDR_TYPE *type, const void *memory,
                        const struct extent *extent, const void *base)
{
    struct extent box[NDR_DIMENSIONS_MAX] = {*extent};
    const NDR_TYPE *dimension = type;
    if (varies(type)) {
        put_count(e, extent->first);
        put_count(e, extent->actual);
    }
    for (unsigned n = 1; (dimension = ndr_next_dimension(dimension)) != NULL; n++) {
        if (n == NDR_DIMENSIONS_MAX) {
            fail(e, RPC_S_CANNOT_SUPPORT);
            return;
        }
        if (!extent_of(e, dimension, NULL, base, &box[n]))
            return;
        put_count(e, box[n].first);
        put_count(e, box[n].actual);
    }
    encode_box(e, type, memory, box, base);
}

/* Arrays and strings that are not of constant size; `with_max`: of a conformant one. */
static void encode_array(struct encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base, bool with_max)
{
    struct extent extent;
    if (!extent_of(e, type, memory, base, &extent))
        return;
    if (with_max)
        put_count(e, extent.max);
    encode_body(e, type, memory, &extent, base);
}

/* ---- Pointers ----------------------------------------------------------------------- */

/* One that nothing has, neither here nor in the request a reply belongs to. */
static uint32_t next_referent(struct encode *e)
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
static uint64_t referent_of(struct encode *e, const NDR_TYPE *type, const void *target)
{
    const struct ndr_full_pointers *full = e->writer->full;
    struct ndr_alias fresh = {
        .key = (uintptr_t)target, .type = type->element, .is_kept = e->keeps};
    struct ndr_alias *known = ndr_alias_find(&e->objects, fresh.key, type->element);
    if (known) {
        known->is_kept = known->is_kept || e->keeps;
        return known->referent;
    }
    known = full ? ndr_alias_find(&full->by_object, fresh.key, type->element) : NULL;
    fresh.referent = known ? known->referent : next_referent(e);
    if (!ndr_alias_add(&e->objects, &fresh))
        fail(e, RPC_S_OUT_OF_MEMORY);
    return fresh.referent;
}

/* How large is the object, and which arm does it hold: should the reply write it. */
static void measure_object(struct encode *e, struct ndr_alias *object, const void *target,
                           const void *base)
{
    const NDR_TYPE *type = object->type, *tail = type;
    const uint8_t *start = target, *tail_over = base;
    size_t tail_base, tail_offset = 0;
    struct extent extent;
    if (type->kind == NDR_KIND_UNION)
        object->has_tag = ndr_union_tag(type, target, base, &object->tag);
    if (!ndr_is_conformant(type)) {
        tail = ndr_conformant_tail(type, &tail_base, &tail_offset);
        tail_over = tail ? start + tail_base : NULL;
    }
    if (tail && extent_of(e, tail, start + tail_offset, tail_over, &extent))
        object->capacity = extent.max;
}

/* Is the object of this full pointer still to be written?  It goes where the first pointer
 * to it would have it, in the order pointees are written. */
static bool claim_object(struct encode *e, const NDR_TYPE *pointee, const void *target,
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
static void remember_objects(struct encode *e)
{
    struct ndr_full_pointers *full = e->writer->full;
    for (size_t i = 0; i < e->objects.entries.count && !failed(e); i++) {
        struct ndr_alias object = *(const struct ndr_alias *)ndr_list_at(&e->objects.entries, i);
        object.key = object.referent;
        if (object.done && !ndr_alias_add(&full->by_referent, &object))
            fail(e, RPC_S_OUT_OF_MEMORY);
    }
}

/* Checks a pointer and writes its referent.  True when a pointee has to follow. */
static bool encode_referent(struct encode *e, const NDR_TYPE *type, const void *target,
                            enum ndr_place place)
{
    uint64_t referent = 0;
    bool is_ref = (type->flags & NDR_TYPE_REF) && !(type->flags & NDR_TYPE_IGNORE);
    if (!(type->flags & (NDR_TYPE_REF | NDR_TYPE_UNIQUE | NDR_TYPE_FULL | NDR_TYPE_IGNORE))) {
        fail(e, RPC_S_CANNOT_SUPPORT);
        return false;
    }
    if (is_ref && !target) {
        fail(e, RPC_X_NULL_REF_POINTER);
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

static void push_pending(struct encode *e, const struct pending *note)
{
    if (note->depth > (e->writer->depth_max ? e->writer->depth_max : NDR_DEPTH_MAX))
        fail(e, RPC_S_OUT_OF_RESOURCES);
    else if (!ndr_list_push(&e->pending, note))
        fail(e, RPC_S_OUT_OF_MEMORY);
}

static void defer(struct encode *e, const NDR_TYPE *type, const void *memory, const void *base,
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

static void encode_context(struct encode *e, const NDR_TYPE *type, const void *slot)
{
    const struct ndr_context_hooks *hooks = e->writer->contexts;
    uint8_t octets[NDR_CONTEXT_LEN];
    if (!hooks) {
        fail(e, RPC_S_CANNOT_SUPPORT);
        return;
    }
    RPC_STATUS status = hooks->to_wire(hooks->arg, type, slot, octets);
    if (status != RPC_S_OK) {
        fail(e, status);
        return;
    }
    ndr_writer_align(e->writer, NDR_CONTEXT_ALIGN);
    uint8_t *out = ndr_writer_extend(e->writer, sizeof(octets));
    if (out)
        memcpy(out, octets, sizeof(octets));
}

/* ---- Unions ---------------------------------------------------------------------------- */

static void encode_tag(struct encode *e, const NDR_UNION *u, int64_t tag)
{
    const NDR_TYPE type = {.kind = u->switch_kind};
    struct ndr_element_layout layout;
    uint64_t memory;
    if (ndr_fixed_layout(e->rules, &type, &layout) && ndr_store_integer(type.kind, &memory, tag))
        encode_run(e, &type, &layout, &memory, 1);
    else
        fail(e, RPC_S_CANNOT_SUPPORT);
}

static void encode_union(struct encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base)
{
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    if (!ndr_union_tag(type, memory, base, &tag)) {
        fail(e, RPC_S_INVALID_BOUND);
        return;
    }
    const NDR_ARM *arm = ndr_union_arm(u, tag);
    if (!arm) {
        fail(e, RPC_S_INVALID_TAG);
        return;
    }
    if (e->rules->pads)
        ndr_writer_align(e->writer, ndr_align(e->rules, type));
    encode_tag(e, u, tag);
    if (e->rules->pads || (u->flags & NDR_UNION_MS))
        ndr_writer_align(e->writer, ndr_arms_align(e->rules, u));
    if (arm->type)
        encode_value(e, arm->type, (const uint8_t *)memory + ndr_arms_offset(type),
                     ndr_arm_base(type, memory, base), NDR_AT_FIELD);
}

/* ---- Converted values ------------------------------------------------------------------- */

/* [transmit_as], [represent_as]: what is sent has no pointers, so it is done with at once. */
static void encode_wire_value(struct encode *e, const NDR_TYPE *type, const void *value,
                              enum ndr_place place)
{
    const struct ndr_memory *memory = e->writer->memory;
    void *wire;
    RPC_STATUS status = ndr_convert_to_wire(memory, type, value, &wire);
    if (status != RPC_S_OK) {
        fail(e, status);
        return;
    }
    if (place == NDR_AT_TOP)
        encode_top(e, type->element, wire, NULL);
    else
        encode_value(e, type->element, wire, NULL, place);
    status = ndr_convert_free_wire(memory, type, wire);
    if (status != RPC_S_OK)
        fail(e, status);
}

static void encode_converted(struct encode *e, const NDR_TYPE *type, const void *value,
                             enum ndr_place place)
{
    struct pending note = {
        .type = type, .target = value, .depth = e->depth + 1, .is_user_wire = true};
    if (e->writer->skip_converted)
        return;
    if (!e->writer->memory) {
        fail(e, RPC_S_CANNOT_SUPPORT);
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

static void encode_fields(struct encode *e, const NDR_TYPE *type, const void *memory,
                          enum ndr_place place)
{
    uint32_t align = ndr_align(e->rules, type);
    size_t tail_base, tail_offset;
    ndr_writer_align(e->writer, align);
    for (uint32_t i = 0; i < type->count && !failed(e); i++) {
        const NDR_FIELD *field = &type->fields[i];
        const uint8_t *at = (const uint8_t *)memory + field->offset;
        bool at_end = place == NDR_AT_TOP && i + 1 == type->count;
        if (at_end && ndr_is_conformant(field->type)) {
            if (e->rules->pads)
                ndr_writer_align(e->writer, align);
            encode_array(e, field->type, at, memory, false);
        } else {
            bool may_have_tail = at_end && field->type->kind == NDR_KIND_STRUCT;
            encode_value(e, field->type, at, memory, may_have_tail ? NDR_AT_TOP : NDR_AT_FIELD);
        }
    }
    if (e->rules->pads && !ndr_conformant_tail(type, &tail_base, &tail_offset))
        ndr_writer_align(e->writer, align);
}

/* The flat part of a value.  Place NDR_AT_TOP for a structure allows it to end in a
 * conformant array, whose count was written before. */
static void encode_value(struct encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base, enum ndr_place place)
{
    struct ndr_element_layout layout;
    if (ndr_fixed_layout(e->rules, type, &layout))
        encode_run(e, type, &layout, memory, 1);
    else if (type->kind == NDR_KIND_STRUCT)
        encode_fields(e, type, memory, place);
    else if (type->kind == NDR_KIND_POINTER)
        defer(e, type, memory, base, place);
    else if (type->kind == NDR_KIND_UNION)
        encode_union(e, type, memory, base);
    else if ((type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) && type->count > 0)
        encode_array(e, type, memory, base, false);
    else if (type->kind == NDR_KIND_CONTEXT)
        encode_context(e, type, memory);
    else if (type->kind == NDR_KIND_CONVERTED)
        encode_converted(e, type, memory, place);
    else
        fail(e, RPC_S_CANNOT_SUPPORT);
}

/* A parameter, or what a pointer points to: conformance comes before everything else. */
static void encode_top(struct encode *e, const NDR_TYPE *type, const void *memory, const void *base)
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
        encode_array(e, type, memory, base, true);
        return;
    }
    size_t tail_base, tail_offset;
    const NDR_TYPE *tail = ndr_conformant_tail(type, &tail_base, &tail_offset);
    if (tail) {
        const uint8_t *start = memory;
        struct extent extent;
        if (!extent_of(e, tail, start + tail_offset, start + tail_base, &extent))
            return;
        put_count(e, extent.max); /* C706 14.3.7.1: hoisted */
    }
    encode_value(e, type, memory, base, NDR_AT_TOP);
}

static void encode_whole(struct encode *e, const NDR_TYPE *type, const void *memory,
                         const void *base)
{
    struct pending note;
    e->depth = 0;
    encode_top(e, type, memory, base);
    ndr_list_reverse(&e->pending, 0);
    while (!failed(e) && e->pending.count > 0) {
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
    struct encode e = {.writer = writer,
                       .rules = writer->ndr64 ? &ndr64_rules : &ndr20_rules,
                       .referent = *referent};
    ndr_aliases_init(&e.objects, writer->reallocate);
    ndr_list_init(&e.pending, NULL, sizeof(struct pending), 0, writer->reallocate);
    encode_whole(&e, type, value, NULL);
    ndr_list_fini(&e.pending);
    ndr_aliases_fini(&e.objects);
    *referent = e.referent;
}

static void encode_param(struct encode *e, const NDR_PARAM *param, const void *frame,
                         uint32_t direction)
{
    const void *slot = (const uint8_t *)frame + param->offset;
    if (direction == NDR_PARAM_IN && (param->flags & NDR_PARAM_PARTIAL_IGNORE))
        encode_referent(e, param->type, ndr_load_pointer(slot), NDR_AT_TOP);
    else
        encode_whole(e, param->type, slot, frame);
}

/* A client's [out] buffers are not sent but must be there when the reply comes. */
static void check_out_param(struct encode *e, const NDR_PARAM *param, const void *frame)
{
    if ((param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN)) ||
        !ndr_param_travels(param, NDR_PARAM_OUT) || param->type->kind != NDR_KIND_POINTER)
        return;
    if ((param->type->flags & NDR_TYPE_REF) &&
        !ndr_load_pointer((const uint8_t *)frame + param->offset))
        fail(e, RPC_X_NULL_REF_POINTER);
}

RPC_STATUS ndr_encode_params(struct ndr_writer *writer, const NDR_OPERATION *operation,
                             const void *frame, uint32_t direction)
{
    struct pending inline_pending[16];
    struct encode e = {.writer = writer,
                       .rules = writer->ndr64 ? &ndr64_rules : &ndr20_rules,
                       .referent = REFERENT_FIRST};
    size_t start = writer->len;
    if (writer->ndr64 && !NDR64_SUPPORTED)
        fail(&e, RPC_S_CANNOT_SUPPORT);
    ndr_aliases_init(&e.objects, writer->reallocate);
    NDR_LIST_INIT(&e.pending, inline_pending, writer->reallocate);
    for (uint32_t i = 0; i < operation->param_count && !failed(&e); i++) {
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
