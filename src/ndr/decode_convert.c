/* SPDX-License-Identifier: MIT */
/* decode_convert.c - received values that the program converts (convert.h).
 *
 * What was sent is decoded into scratch memory, by the same rules as everything else; so
 * the program's routines see only octets and values that are what the interface says.
 * They run when all parameters were found good, in the order of the wire, once for each
 * value however often decoding was tried:
 *
 *     octets -> scratch value -> note ... all is well -> from_wire or user_unmarshal
 *
 * A value inside a scratch value (a represented type that is itself transmitted as another)
 * is noted before the one around it. */
#include "ndr/decode.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/convert.h"

struct note {
    const NDR_TYPE *type;
    void *value;              /* to be filled                                          */
    void *wire;               /* scratch: what was sent                                */
    struct ndr_block octets;  /* user marshalled: the same; none: a NULL pointer came  */
    enum ndr_owner owner;     /* of the memory at `value`                              */
    bool is_scratch;          /* `value` lies in the scratch value of a later note     */
    bool is_filled;
};

/* ---- A value in scratch memory ------------------------------------------------------------- */

struct detached {
    struct ndr_decode decode;
    NDR_TYPE pointer; /* a [ref] pointer to it: leads through everything a pointee may be */
    void *root;
};

static void detach(struct detached *x, const struct ndr_decode *d, const NDR_TYPE *type)
{
    void *(*reallocate)(void *, size_t) = d->reader->reallocate;
    x->decode = *d;
    x->decode.is_scratch = true;
    x->decode.frame = x; /* no expression refers to a frame here */
    x->decode.frame_slot = NULL;
    x->pointer = (NDR_TYPE){.kind = NDR_KIND_POINTER, .flags = NDR_TYPE_REF, .element = type};
    x->root = NULL;
    ndr_list_init(&x->decode.pending, NULL, sizeof(struct ndr_target), 0, reallocate);
    ndr_list_init(&x->decode.undo, NULL, sizeof(struct ndr_undo), 0, reallocate);
    ndr_list_init(&x->decode.claims, NULL, sizeof(struct ndr_claim), 0, reallocate);
    ndr_list_init(&x->decode.late, NULL, sizeof(struct ndr_claim), 0, reallocate);
    ndr_list_init(&x->decode.behind, NULL, sizeof(struct ndr_claim), 0, reallocate);
    ndr_list_init(&x->decode.old_values, NULL, sizeof(struct ndr_old_value), 0, reallocate);
    ndr_list_init(&x->decode.contexts, NULL, sizeof(struct ndr_context_note), 0, reallocate);
    ndr_aliases_init(&x->decode.objects, reallocate);
    ndr_aliases_init(&x->decode.taken, reallocate);
}

/* Frees the value, unless its root was taken away, and all lists. */
static void detached_fini(struct detached *x)
{
    ndr_decode_roll_back(&x->decode, 0);
    ndr_list_fini(&x->decode.pending);
    ndr_list_fini(&x->decode.undo);
    ndr_list_fini(&x->decode.claims);
    ndr_list_fini(&x->decode.late);
    ndr_list_fini(&x->decode.behind);
    ndr_list_fini(&x->decode.old_values);
    ndr_list_fini(&x->decode.contexts);
    ndr_aliases_fini(&x->decode.objects);
    ndr_aliases_fini(&x->decode.taken);
}

/* Decodes a value at d->pos, behind which d->pos then is.  `range`: of the integers in it. */
static bool decode_detached(struct ndr_decode *d, struct detached *x, const NDR_TYPE *type,
                            const NDR_RANGE *range, uint32_t depth)
{
    struct ndr_scope scope = {.owner = NDR_OURS, .range = range, .depth = depth};
    detach(x, d, type);
    bool done =
        ndr_decode_top(&x->decode, &x->pointer, &x->root, &scope) &&
        ndr_decode_pending(&x->decode, 0) && ndr_decode_check_behind(&x->decode);
    if (done && x->decode.contexts.count > 0)
        done = ndr_decode_fail(&x->decode, RPC_S_CANNOT_SUPPORT);
    d->pos = x->decode.pos;
    d->budget = x->decode.budget;
    d->verdict = x->decode.verdict;
    return done;
}

RPC_STATUS ndr_transcode(struct ndr_reader *reader, const NDR_TYPE *type,
                         struct ndr_writer *writer, uint32_t *referent)
{
    struct ndr_decode d = {
        .reader = reader,
        .rules = reader->ndr64 ? &ndr64_rules : &ndr20_rules,
        .direction = NDR_PARAM_IN,
        .swap = reader->little_endian != NDR_HOST_LITTLE_ENDIAN,
        .pos = reader->pos,
        .verdict = NDR_DONE,
        .budget = reader->allocated_max ? reader->allocated_max : NDR_ALLOCATED_MAX,
    };
    struct detached x;
    RPC_STATUS status = RPC_X_BAD_STUB_DATA;
    if (!decode_detached(&d, &x, type, NULL, 0)) {
        if (d.verdict == NDR_FAILED)
            status = reader->status;
    } else if (d.pos == reader->len) {
        ndr_encode_detached(writer, type, x.root, referent);
        status = writer->status;
    }
    detached_fini(&x);
    return status;
}

/* ---- Notes ----------------------------------------------------------------------------------- */

void ndr_decode_begin_conversions(struct ndr_decode *d, struct ndr_list *list)
{
    ndr_list_init(list, NULL, sizeof(struct note), 0, d->reader->reallocate);
    d->conversions = list;
}

static bool add_note(struct ndr_decode *d, struct note *note, const NDR_TYPE *type, void *value,
                     const struct ndr_scope *scope)
{
    note->type = type;
    note->value = value;
    note->owner = scope->owner;
    note->is_scratch = d->is_scratch;
    if (ndr_decode_note(d, d->conversions, note))
        return true;
    free(note->wire);
    ndr_block_fini(&note->octets);
    return false;
}

/* [transmit_as], [represent_as] */
static bool decode_wire_value(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                              const struct ndr_scope *scope)
{
    struct detached x;
    struct note note = {.wire = NULL};
    bool done = decode_detached(d, &x, type->element, type->element_range, scope->depth);
    if (done && x.decode.undo.count != 1) /* what is sent has no pointers (MIDL2086) */
        done = ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    if (done) {
        note.wire = x.root;
        x.decode.undo.count = 0; /* ours from here on */
    }
    detached_fini(&x);
    return done && add_note(d, &note, type, value, scope);
}

/* The octets as the routines want them: NDR 2.0, in the host's byte order.  Those between
 * `start` and d->pos are a good value, which is `x`. */
static RPC_STATUS copy_octets(const struct ndr_decode *d, const struct detached *x, size_t start,
                              struct ndr_block *ret_block)
{
    const struct ndr_reader *r = d->reader;
    struct ndr_writer w;
    uint32_t referent = 1;
    RPC_STATUS status = RPC_S_OK;
    ndr_writer_init(&w);
    w.reallocate = r->reallocate;
    bool as_it_is = !d->swap && !r->ndr64;
    if (!as_it_is) {
        ndr_encode_detached(&w, x->pointer.element, x->root, &referent);
        status = w.status;
    }
    const uint8_t *from = as_it_is ? r->octets + start : w.octets;
    size_t len = as_it_is ? d->pos - start : w.len;
    if (status == RPC_S_OK &&
        !ndr_block_init(ret_block, as_it_is ? r->origin + start : 0, len, r->reallocate))
        status = RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK && len > 0)
        memcpy(ret_block->octets, from, len);
    ndr_writer_fini(&w);
    return status;
}

bool ndr_decode_user_octets(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                            const struct ndr_scope *scope)
{
    const NDR_TYPE *wire = ndr_user_wire(type);
    struct detached x;
    struct note note = {.wire = NULL};
    if (!d->reader->ndr64)
        ndr_decode_align(d, ndr_user_align(wire));
    size_t start = d->pos;
    bool done = decode_detached(d, &x, wire, type->element_range, scope->depth);
    if (done) {
        RPC_STATUS status = copy_octets(d, &x, start, &note.octets);
        if (status != RPC_S_OK)
            done = ndr_decode_fail(d, status);
    }
    detached_fini(&x);
    return done && add_note(d, &note, type, value, scope);
}

/* The wire type is a pointer, which the engine reads. */
static bool decode_user_pointer(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                                const struct ndr_scope *scope, enum ndr_place place)
{
    struct ndr_target target = {.type = type->element, .scope = *scope};
    struct note none = {.wire = NULL};
    uint32_t depth_max = d->reader->depth_max ? d->reader->depth_max : NDR_DEPTH_MAX;
    bool present;
    if (!ndr_decode_referent(d, &target, place, &present))
        return false;
    if (!present)
        return add_note(d, &none, type, value, scope);
    if (place == NDR_AT_TOP)
        return ndr_decode_user_octets(d, type, value, scope);
    if (++target.scope.depth > depth_max)
        return ndr_decode_fail(d, RPC_S_OUT_OF_RESOURCES);
    uint64_t least = ndr_least_len(d->rules, ndr_user_wire(type), NDR_AT_TOP);
    target.type = type; /* tells ndr_decode_pointee() to come back here */
    target.slot = value;
    target.least_len = least > UINT32_MAX ? UINT32_MAX : (uint32_t)least;
    d->least_pending += target.least_len;
    return ndr_decode_note(d, &d->pending, &target);
}

bool ndr_decode_converted(struct ndr_decode *d, const NDR_TYPE *type, void *value,
                          const struct ndr_scope *scope, enum ndr_place place)
{
    /* What the program's routines allocate lies in no region (MIDL2223). */
    if (!d->conversions || d->region)
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    if (!ndr_is_user_marshalled(type))
        return decode_wire_value(d, type, value, scope);
    if (type->element->kind == NDR_KIND_POINTER)
        return decode_user_pointer(d, type, value, scope, place);
    return ndr_decode_user_octets(d, type, value, scope);
}

/* ---- Delivery ---------------------------------------------------------------------------------- */

static RPC_STATUS deliver_one(struct ndr_decode *d, struct note *note)
{
    size_t size = ndr_memory_size(note->type);
    RPC_STATUS status = RPC_S_OK;
    if (note->owner == NDR_OUT_ONLY)
        memset(note->value, 0, size); /* was not initialised */
    if (!ndr_is_user_marshalled(note->type)) {
        status = ndr_convert_from_wire(d->memory, note->type, note->wire, note->value);
        note->is_filled = status == RPC_S_OK;
    } else if (note->octets.memory) {
        status = ndr_convert_unmarshal(d->memory, note->type, &note->octets,
                                       d->reader->little_endian, note->value, &note->is_filled);
    } else {
        if (note->owner == NDR_KEPT)
            status = ndr_convert_free_value(d->memory, note->type, note->value);
        memset(note->value, 0, size);
    }
    return status;
}

bool ndr_decode_deliver(struct ndr_decode *d)
{
    for (size_t i = 0; i < d->conversions->count; i++) {
        RPC_STATUS status = deliver_one(d, ndr_list_at(d->conversions, i));
        if (status != RPC_S_OK)
            return ndr_decode_fail(d, status);
    }
    return true;
}

void ndr_decode_end_conversions(struct ndr_decode *d)
{
    bool failed = d->verdict != NDR_DONE;
    for (size_t i = d->conversions->count; i-- > 0;) {
        struct note *note = ndr_list_at(d->conversions, i);
        bool is_ours = note->is_scratch || (failed && note->owner != NDR_KEPT);
        if (note->is_filled && is_ours)
            (void)ndr_convert_free_value(d->memory, note->type, note->value);
        if (note->is_filled && failed && note->owner == NDR_OUT_ONLY)
            memset(note->value, 0, ndr_memory_size(note->type));
    }
    for (size_t i = 0; i < d->conversions->count; i++) {
        struct note *note = ndr_list_at(d->conversions, i);
        free(note->wire);
        ndr_block_fini(&note->octets);
    }
    ndr_list_fini(d->conversions);
}
