/* SPDX-License-Identifier: MIT */
/* decode.c - stub octets to C memory: parameters in order, and everything that makes
 * a try all or nothing.  The values themselves are in decode_value.c. */
#include "ndr/decode.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"

/* ---- Octets ------------------------------------------------------------------------ */

static uint64_t add_clamped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Passing needs only `len`: going on as far as octets reach is how counts become known
 * and `need` exact, so that few tries are enough. */
bool ndr_decode_require(struct ndr_decode *d, uint64_t len)
{
    struct ndr_reader *r = d->reader;
    if (d->pos <= r->len && len <= r->len - d->pos)
        return true;
    if (r->last)
        return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    uint64_t need = add_clamped(d->pos, len);
    need = add_clamped(need, add_clamped(d->least_pending, d->least_params));
    r->need = need > SIZE_MAX ? SIZE_MAX : (size_t)need;
    d->verdict = NDR_NEED_MORE;
    return false;
}

void ndr_decode_align(struct ndr_decode *d, uint32_t align)
{
    d->pos += (size_t)(-(d->reader->origin + d->pos) & (align - 1));
}

bool ndr_decode_get(struct ndr_decode *d, uint8_t size, uint64_t *ret_value)
{
    ndr_decode_align(d, size);
    if (!ndr_decode_require(d, size))
        return false;
    const uint8_t *at = d->reader->octets + d->pos;
    uint64_t value = 0;
    for (uint8_t i = 0; i < size; i++)
        value = value << 8 | at[d->reader->little_endian ? size - 1 - i : i];
    d->pos += size;
    *ret_value = value;
    return true;
}

/* ---- Memory ------------------------------------------------------------------------ */

bool ndr_decode_spend(struct ndr_decode *d, uint64_t size)
{
    if (size > d->budget)
        return ndr_decode_fail(d, RPC_S_OUT_OF_RESOURCES);
    d->budget -= (size_t)size;
    return true;
}

bool ndr_decode_note(struct ndr_decode *d, struct ndr_list *list, const void *item)
{
    if (list->count == list->capacity && !ndr_decode_spend(d, list->capacity * list->item_size))
        return false;
    return ndr_list_push(list, item) || ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
}

static bool change_pointer(struct ndr_decode *d, void *slot, void *value, bool is_shared)
{
    struct ndr_undo undo = {.slot = slot, .old = ndr_load_pointer(slot), .is_shared = is_shared};
    if (!ndr_decode_note(d, &d->undo, &undo))
        return false;
    ndr_store_pointer(slot, value);
    return true;
}

bool ndr_decode_set_pointer(struct ndr_decode *d, void *slot, void *value)
{
    return change_pointer(d, slot, value, false);
}

bool ndr_decode_share(struct ndr_decode *d, void *slot, void *object)
{
    return change_pointer(d, slot, object, true);
}

bool ndr_decode_add_alias(struct ndr_decode *d, struct ndr_aliases *aliases,
                          const struct ndr_alias *alias)
{
    /* the entry, its share of growth, and two to four buckets */
    return ndr_decode_spend(d, 2 * sizeof(*alias) + 4 * sizeof(uint32_t)) &&
           (ndr_alias_add(aliases, alias) || ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY));
}

static void release(const struct ndr_decode *d, void *memory)
{
    if (d->is_scratch)
        free(memory);
    else
        d->memory->free(memory);
}

static bool take_memory(struct ndr_decode *d, const NDR_TYPE *type, uint64_t size,
                        void **ret_memory, bool *ret_own)
{
    if (d->region && !ndr_region_take(d, type, size, ret_memory, ret_own))
        return false;
    if (d->region && !d->is_scratch)
        return true;
    if (!ndr_decode_spend(d, size))
        return false;
    *ret_own = true;
    *ret_memory = d->is_scratch ? d->undo.reallocate(NULL, (size_t)size)
                                : d->memory->allocate((size_t)size);
    return *ret_memory || ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
}

bool ndr_decode_allocate(struct ndr_decode *d, void *slot, const NDR_TYPE *type, uint64_t size,
                         bool zero, void **ret_memory)
{
    void *memory;
    bool is_own;
    if (size == 0)
        size = 1; /* a pointee that is there is not NULL */
    if (!take_memory(d, type, size, &memory, &is_own))
        return false;
    if (zero)
        memset(memory, 0, (size_t)size);
    if (!change_pointer(d, slot, memory, !is_own)) {
        if (is_own)
            release(d, memory);
        return false;
    }
    *ret_memory = memory;
    return true;
}

/* First every pointer gets its old value back, then the objects are freed: slots may
 * lie in objects. */
void ndr_decode_roll_back(struct ndr_decode *d, size_t first)
{
    for (size_t i = d->undo.count; i-- > first;) {
        struct ndr_undo *undo = ndr_list_at(&d->undo, i);
        void *ours = ndr_load_pointer(undo->slot);
        ndr_store_pointer(undo->slot, undo->old);
        undo->old = ours;
    }
    for (size_t i = d->undo.count; i-- > first;) {
        struct ndr_undo *undo = ndr_list_at(&d->undo, i);
        if (undo->old && !undo->is_shared) /* NULL: the peer cleared an application's pointer */
            release(d, undo->old);
    }
    d->undo.count = first;
}

/* ---- Context handles ----------------------------------------------------------------- */

bool ndr_decode_context(struct ndr_decode *d, const NDR_TYPE *type, void *slot)
{
    struct ndr_context_note note = {.type = type, .slot = slot};
    if (!d->reader->contexts)
        return ndr_decode_fail(d, RPC_S_CANNOT_SUPPORT);
    ndr_decode_align(d, NDR_CONTEXT_ALIGN);
    if (!ndr_decode_require(d, NDR_CONTEXT_LEN))
        return false;
    memcpy(note.octets, d->reader->octets + d->pos, NDR_CONTEXT_LEN);
    if (d->swap) {
        /* attributes, then the integers of the UUID */
        static const struct {
            uint8_t at, size;
        } integers[] = {{0, 4}, {4, 4}, {8, 2}, {10, 2}};
        for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
            uint8_t *low = note.octets + integers[i].at, *high = low + integers[i].size - 1;
            for (; low < high; low++, high--) {
                uint8_t octet = *low;
                *low = *high;
                *high = octet;
            }
        }
    }
    d->pos += NDR_CONTEXT_LEN;
    return ndr_decode_note(d, &d->contexts, &note);
}

static bool deliver_contexts(struct ndr_decode *d)
{
    const struct ndr_context_hooks *hooks = d->reader->contexts;
    for (size_t i = 0; i < d->contexts.count; i++) {
        const struct ndr_context_note *note = ndr_list_at(&d->contexts, i);
        RPC_STATUS status = hooks->from_wire(hooks->arg, note->type, note->octets, note->slot);
        if (status != RPC_S_OK)
            return ndr_decode_fail(d, status);
    }
    return true;
}

/* ---- Parameters --------------------------------------------------------------------- */

static enum ndr_owner owner_of(const NDR_PARAM *param, uint32_t direction)
{
    if (direction == NDR_PARAM_IN)
        return NDR_OURS;
    return param->flags & NDR_PARAM_IN ? NDR_KEPT : NDR_OUT_ONLY;
}

bool ndr_decode_pending(struct ndr_decode *d, size_t first)
{
    ndr_list_reverse(&d->pending, first);
    while (d->pending.count > first) {
        struct ndr_target target;
        ndr_list_pop(&d->pending, &target);
        d->least_pending -= target.least_len;
        size_t first_new = d->pending.count;
        if (!ndr_decode_pointee(d, &target))
            return false;
        ndr_list_reverse(&d->pending, first_new);
    }
    return true;
}

/* Stands for a pointer of [partial_ignore] until all parameters are there that may say how
 * much it is to lead to; what reads it meanwhile finds zeros. */
static uint64_t partly_ignored[2];

static bool decode_partly_ignored(struct ndr_decode *d, void *slot)
{
    uint64_t referent;
    if (!ndr_decode_get(d, d->rules->pointer_size, &referent))
        return false;
    ndr_store_pointer(slot, referent ? partly_ignored : NULL);
    return true;
}

static bool give_storage(struct ndr_decode *d, const NDR_OPERATION *operation)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        void *slot = (uint8_t *)d->frame + param->offset, *memory;
        uint64_t size;
        if (d->direction != NDR_PARAM_IN || !(param->flags & NDR_PARAM_PARTIAL_IGNORE) ||
            !ndr_load_pointer(slot))
            continue;
        ndr_store_pointer(slot, NULL);
        RPC_STATUS status = ndr_storage_size(param->type->element, d->frame, &size);
        if (status != RPC_S_OK)
            return ndr_decode_fail(d, status);
        if (!ndr_decode_allocate(d, slot, param->type->element, size, true, &memory))
            return false;
    }
    return true;
}

static bool decode_param(struct ndr_decode *d, const NDR_PARAM *param)
{
    uint8_t *memory = (uint8_t *)d->frame + param->offset;
    struct ndr_scope scope = {
        .base = d->frame,
        .range = param->range,
        .owner = owner_of(param, d->direction),
    };
    d->frame_slot = scope.owner == NDR_KEPT ? memory : NULL;
    if (param->flags & NDR_PARAM_PARTIAL_IGNORE) {
        if (d->direction == NDR_PARAM_IN)
            return decode_partly_ignored(d, memory);
        scope.is_blank = true;
    }
    if (param->byte_count && d->direction == NDR_PARAM_OUT)
        return ndr_region_decode_buffer(d, param, memory, &scope);
    return ndr_decode_top(d, param->type, memory, &scope) && ndr_decode_pending(d, 0);
}

static bool prepare(struct ndr_decode *d, const NDR_OPERATION *operation)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, d->direction))
            continue;
        d->least_params += ndr_least_len(d->rules, param->type, NDR_AT_TOP);
        if (d->direction == NDR_PARAM_OUT && !ndr_decode_note_old_values(d, param))
            return false;
    }
    return true;
}

/* Spares the work, and the program's memory, while too little has arrived for any call
 * of the operation. */
static bool require_least(struct ndr_decode *d)
{
    uint64_t least = d->least_params;
    d->least_params = 0;
    bool there = ndr_decode_require(d, least);
    d->least_params = least;
    return there;
}

/* What a server's reply may refer to. */
static bool remember_objects(struct ndr_decode *d)
{
    struct ndr_full_pointers *full = d->reader->full;
    if (!full || d->direction != NDR_PARAM_IN)
        return true;
    for (size_t i = 0; i < d->objects.entries.count; i++) {
        struct ndr_alias object = *(const struct ndr_alias *)ndr_list_at(&d->objects.entries, i);
        object.referent = object.key;
        if (!ndr_decode_add_alias(d, &full->by_referent, &object))
            return false;
        object.key = (uintptr_t)object.object;
        if (!ndr_decode_add_alias(d, &full->by_object, &object))
            return false;
    }
    return true;
}

static bool decode_all(struct ndr_decode *d, const NDR_OPERATION *operation)
{
    if (!prepare(d, operation) || !require_least(d))
        return false;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, d->direction))
            continue;
        d->least_params -= ndr_least_len(d->rules, param->type, NDR_AT_TOP);
        if (!decode_param(d, param))
            return false;
    }
    return ndr_decode_check_claims(d) && give_storage(d, operation) && remember_objects(d) &&
           deliver_contexts(d) && ndr_decode_deliver(d);
}

/* Only what we may have written: the caller's members are the caller's. */
static void clear_frame(struct ndr_decode *d, const NDR_OPERATION *operation)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (ndr_param_travels(param, d->direction))
            memset((uint8_t *)d->frame + param->offset, 0, ndr_memory_size(param->type));
    }
}

enum ndr_verdict ndr_decode_params(struct ndr_reader *reader, const NDR_OPERATION *operation,
                                   void *frame, uint32_t direction, const struct ndr_memory *memory)
{
    struct ndr_target inline_pending[8];
    struct ndr_undo inline_undo[16];
    struct ndr_claim inline_claims[4];
    struct ndr_old_value inline_old_values[4];
    struct ndr_claim inline_late[4], inline_behind[2];
    struct ndr_context_note inline_contexts[2];
    struct ndr_list conversions;
    struct ndr_decode d = {
        .reader = reader,
        .rules = reader->ndr64 ? &ndr64_rules : &ndr20_rules,
        .memory = memory,
        .frame = frame,
        .direction = direction,
        .swap = reader->little_endian != NDR_HOST_LITTLE_ENDIAN,
        .pos = reader->pos,
        .verdict = NDR_DONE,
        .budget = reader->allocated_max ? reader->allocated_max : NDR_ALLOCATED_MAX,
    };
    NDR_LIST_INIT(&d.pending, inline_pending, reader->reallocate);
    NDR_LIST_INIT(&d.undo, inline_undo, reader->reallocate);
    NDR_LIST_INIT(&d.claims, inline_claims, reader->reallocate);
    NDR_LIST_INIT(&d.late, inline_late, reader->reallocate);
    NDR_LIST_INIT(&d.behind, inline_behind, reader->reallocate);
    NDR_LIST_INIT(&d.old_values, inline_old_values, reader->reallocate);
    ndr_aliases_init(&d.objects, reader->reallocate);
    ndr_aliases_init(&d.taken, reader->reallocate);
    NDR_LIST_INIT(&d.contexts, inline_contexts, reader->reallocate);
    ndr_decode_begin_conversions(&d, &conversions);
    if (reader->ndr64 && !NDR64_SUPPORTED)
        ndr_decode_fail(&d, RPC_S_CANNOT_SUPPORT);
    else if (decode_all(&d, operation))
        reader->pos = d.pos;
    reader->allocated =
        (reader->allocated_max ? reader->allocated_max : NDR_ALLOCATED_MAX) - d.budget;
    ndr_decode_end_conversions(&d); /* values may lie in objects that are taken back */
    if (d.verdict != NDR_DONE) {
        if (reader->full && direction == NDR_PARAM_IN)
            ndr_full_pointers_reset(reader->full);
        ndr_decode_roll_back(&d, 0);
        if (direction == NDR_PARAM_IN)
            clear_frame(&d, operation);
    }
    ndr_list_fini(&d.pending);
    ndr_list_fini(&d.undo);
    ndr_list_fini(&d.claims);
    ndr_list_fini(&d.late);
    ndr_list_fini(&d.behind);
    ndr_list_fini(&d.old_values);
    ndr_aliases_fini(&d.objects);
    ndr_aliases_fini(&d.taken);
    ndr_list_fini(&d.contexts);
    return d.verdict;
}
