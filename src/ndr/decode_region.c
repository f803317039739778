/* SPDX-License-Identifier: MIT */
/* decode_region.c - memory in one piece for everything a pointer leads to.
 *
 * [byte_count]: the region is the client's buffer; what does not fit is refused.
 *
 *     buffer  |pointee| |what it leads to| |...|       |     `byte_count` octets
 *
 * [allocate(all_nodes)]: the region is one object of the program's memory, as large as it has
 * to be.  How large that is only decoding tells, so it is done twice: first into scratch
 * memory, which is thrown away with all notes, then for good.  What a client has to write in
 * place is not in the object, which then begins with the first that it leads to.
 *
 * Objects lie as close as their alignment allows. */
#include "ndr/decode.h"

#include <assert.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"

/* The strictest alignment a type of the language has in memory, octets. */
#define ALIGN_MAX 8u

struct ndr_region {
    uint8_t *memory;  /* NULL: none yet                                       */
    size_t size;      /* octets of it, once it is measured                    */
    size_t used;
    bool is_measured; /* objects are scratch, `used` tells what they will take */
    bool is_buffer;   /* the application's                                     */
};

/* sizeof a C type is a multiple of its alignment. */
static size_t memory_align(const NDR_TYPE *type)
{
    while (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING)
        type = type->element;
    size_t size = ndr_memory_size(type);
    size_t align = size & (~size + 1);
    return align == 0 || align > ALIGN_MAX ? ALIGN_MAX : align;
}

bool ndr_region_take(struct ndr_decode *d, const NDR_TYPE *type, uint64_t size, void **ret_memory,
                     bool *ret_own)
{
    struct ndr_region *region = d->region;
    size_t align = memory_align(type);
    /* A buffer may begin anywhere. */
    size_t skew = region->is_buffer ? (uintptr_t)region->memory % ALIGN_MAX : 0;
    size_t at = region->used + (-(skew + region->used) & (align - 1));
    size_t size_max = region->is_measured ? SIZE_MAX / 2 : region->size;
    if (at > size_max || size > size_max - at) {
        assert(region->is_buffer || region->is_measured);
        return ndr_decode_fail(d, region->is_buffer ? RPC_X_BYTE_COUNT_TOO_SMALL
                                                    : RPC_S_OUT_OF_RESOURCES);
    }
    region->used = at + (size_t)size;
    *ret_own = !region->is_measured && !region->memory;
    if (region->is_measured)
        return true;
    if (!region->memory) {
        if (!ndr_decode_spend(d, region->size))
            return false;
        region->memory = d->memory->allocate(region->size);
        if (!region->memory)
            return ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
    }
    *ret_memory = region->memory + at;
    return true;
}

uint32_t ndr_region_number(const struct ndr_decode *d)
{
    return d->region ? d->region_count : 0;
}

bool ndr_region_begins(const struct ndr_decode *d, const void *object)
{
    return d->region && !d->region->is_buffer && object == d->region->memory;
}

bool ndr_region_is_measured(const struct ndr_decode *d)
{
    return d->region && d->region->is_measured;
}

/* ---- [allocate(all_nodes)] ----------------------------------------------------------- */

/* Is the pointee the program's own, to be written in place? */
static bool is_in_place(const struct ndr_decode *d, const struct ndr_target *target)
{
    bool is_ref = !(target->type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL));
    return target->scope.owner != NDR_OURS && (is_ref || target->slot == d->frame_slot) &&
           ndr_load_pointer(target->slot);
}

bool ndr_region_wanted(const struct ndr_decode *d, const struct ndr_target *target)
{
    return (target->type->flags & NDR_TYPE_ALL_NODES) && !d->region && !d->is_scratch &&
           (!is_in_place(d, target) || (target->type->flags & NDR_TYPE_HAS_POINTERS &&
                                        ndr_has_pointers(target->type->element)));
}

/* What one pass over the pointee adds to the notes. */
struct mark {
    size_t pos, budget, pending, undo, claims, late, behind, contexts, objects, taken;
    uint64_t least_pending;
};

static struct mark mark(const struct ndr_decode *d)
{
    return (struct mark){
        .pos = d->pos,
        .budget = d->budget,
        .pending = d->pending.count,
        .undo = d->undo.count,
        .claims = d->claims.count,
        .late = d->late.count,
        .behind = d->behind.count,
        .contexts = d->contexts.count,
        .objects = d->objects.entries.count,
        .taken = d->taken.entries.count,
        .least_pending = d->least_pending,
    };
}

static void return_to(struct ndr_decode *d, const struct mark *mark)
{
    ndr_decode_roll_back(d, mark->undo);
    ndr_aliases_truncate(&d->objects, mark->objects);
    ndr_aliases_truncate(&d->taken, mark->taken);
    d->pos = mark->pos;
    d->budget = mark->budget;
    d->pending.count = mark->pending;
    d->claims.count = mark->claims;
    d->late.count = mark->late;
    d->behind.count = mark->behind;
    d->contexts.count = mark->contexts;
    d->least_pending = mark->least_pending;
}

/* What the program's own pointee leads to is new, whatever was there before. */
static void renew(struct ndr_decode *d, size_t first)
{
    for (size_t i = first; i < d->pending.count; i++) {
        struct ndr_target *target = ndr_list_at(&d->pending, i);
        target->is_new = true;
        target->scope.owner = NDR_OURS;
    }
}

static bool decode_nodes(struct ndr_decode *d, const struct ndr_target *target,
                         struct ndr_region *region, bool in_place)
{
    size_t first = d->pending.count;
    d->region = region;
    bool done = ndr_decode_pointee(d, target);
    if (done && in_place) {
        region->used = 0; /* the pointee is not in it */
        renew(d, first);
    }
    done = done && ndr_decode_pending(d, first);
    d->region = NULL;
    return done;
}

/* On failure the caller wants to know what is missing, and frees with the program's routine:
 * scratch memory must be gone. */
static bool measure(struct ndr_decode *d, const struct ndr_target *target, bool in_place,
                    size_t *ret_size)
{
    struct ndr_region region = {.is_measured = true};
    const struct mark before = mark(d);
    d->is_scratch = true;
    bool done = decode_nodes(d, target, &region, in_place);
    return_to(d, &before);
    d->is_scratch = false;
    *ret_size = region.used;
    return done;
}

bool ndr_region_decode(struct ndr_decode *d, const struct ndr_target *pointer)
{
    struct ndr_target target = *pointer;
    struct ndr_region region = {.memory = NULL};
    const bool in_place = is_in_place(d, pointer);
    target.is_new = true;
    target.scope.owner = NDR_OURS;
    d->region_count++;
    return measure(d, &target, in_place, &region.size) &&
           decode_nodes(d, in_place ? pointer : &target, &region, in_place);
}

/* ---- [byte_count] -------------------------------------------------------------------- */

bool ndr_region_decode_buffer(struct ndr_decode *d, const NDR_PARAM *param, void *slot,
                              const struct ndr_scope *scope)
{
    const NDR_TYPE *type = param->type->element;
    struct ndr_scope inside = *scope;
    struct ndr_region region = {.memory = ndr_load_pointer(slot), .is_buffer = true};
    uint32_t count;
    if (!region.memory)
        return ndr_decode_fail(d, RPC_X_NULL_REF_POINTER);
    if (!ndr_expr_count(param->byte_count, d->frame, &count))
        return ndr_decode_fail(d, RPC_S_INVALID_BOUND);
    region.size = count;
    region.used = ndr_memory_size(type);
    if (region.used > region.size)
        return ndr_decode_fail(d, RPC_X_BYTE_COUNT_TOO_SMALL);
    memset(region.memory, 0, region.used); /* pointers the application has there mean nothing */
    inside.owner = NDR_OURS;
    d->region = &region;
    d->region_count++;
    bool done = ndr_decode_require(d, ndr_least_len(d->rules, type, NDR_AT_TOP)) &&
                ndr_decode_top(d, type, region.memory, &inside) && ndr_decode_pending(d, 0);
    d->region = NULL;
    return done;
}
