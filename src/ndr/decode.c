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

static bool spend(struct ndr_decode *d, uint64_t size)
{
    if (size > d->budget)
        return ndr_decode_fail(d, RPC_S_OUT_OF_RESOURCES);
    d->budget -= (size_t)size;
    return true;
}

bool ndr_decode_note(struct ndr_decode *d, struct ndr_list *list, const void *item)
{
    if (list->count == list->capacity && !spend(d, list->capacity * list->item_size))
        return false;
    return ndr_list_push(list, item) || ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
}

bool ndr_decode_set_pointer(struct ndr_decode *d, void *slot, void *value)
{
    struct ndr_undo undo = {.slot = slot, .old = ndr_load_pointer(slot)};
    if (!ndr_decode_note(d, &d->undo, &undo))
        return false;
    ndr_store_pointer(slot, value);
    return true;
}

bool ndr_decode_allocate(struct ndr_decode *d, void *slot, uint64_t size, void **ret_memory)
{
    if (size == 0)
        size = 1; /* a pointee that is there is not NULL */
    if (!spend(d, size))
        return false;
    void *memory = d->memory->allocate((size_t)size);
    if (!memory)
        return ndr_decode_fail(d, RPC_S_OUT_OF_MEMORY);
    memset(memory, 0, (size_t)size);
    if (!ndr_decode_set_pointer(d, slot, memory)) {
        d->memory->free(memory);
        return false;
    }
    *ret_memory = memory;
    return true;
}

/* First every pointer gets its old value back, then the objects are freed: slots may
 * lie in objects. */
static void roll_back(struct ndr_decode *d)
{
    for (size_t i = d->undo.count; i-- > 0;) {
        struct ndr_undo *undo = ndr_list_at(&d->undo, i);
        void *ours = ndr_load_pointer(undo->slot);
        ndr_store_pointer(undo->slot, undo->old);
        undo->old = ours;
    }
    for (size_t i = d->undo.count; i-- > 0;) {
        struct ndr_undo *undo = ndr_list_at(&d->undo, i);
        if (undo->old) /* NULL: the peer cleared an application's pointer */
            d->memory->free(undo->old);
    }
}

/* ---- size_is over the frame ------------------------------------------------------- */

static struct ndr_claim *find_claim(struct ndr_decode *d, const NDR_EXPR *expr)
{
    for (size_t i = 0; i < d->claims.count; i++) {
        struct ndr_claim *claim = ndr_list_at(&d->claims, i);
        if (claim->expr == expr)
            return claim;
    }
    struct ndr_claim claim = {.expr = expr};
    if (!ndr_decode_note(d, &d->claims, &claim))
        return NULL;
    return ndr_list_at(&d->claims, d->claims.count - 1);
}

static bool claim_over_frame(struct ndr_decode *d, const NDR_EXPR *expr, uint32_t count,
                             bool is_null)
{
    struct ndr_claim *claim = find_claim(d, expr);
    if (!claim)
        return false;
    if (is_null) {
        claim->null_seen = true;
        return true;
    }
    /* One expression has one value, however many arrays it sizes. */
    if (claim->count_seen && claim->count != count)
        return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    claim->count_seen = true;
    claim->count = count;
    return true;
}

/* A NULL pointer whose size has no value, as in size_is(*n) with n NULL, is fine. */
static bool claim_holds(const struct ndr_claim *claim, const void *base)
{
    int64_t value;
    bool has_value = ndr_expr_value(claim->expr, base, &value);
    if (claim->count_seen && (!has_value || value != claim->count))
        return false;
    return !claim->null_seen || !has_value || value == 0;
}

bool ndr_decode_claim(struct ndr_decode *d, const NDR_EXPR *expr, const void *base, uint32_t count,
                      bool is_null)
{
    /* In replies a NULL array beside a count is common: "this many would have been". */
    if (!expr || (is_null && d->direction != NDR_PARAM_IN))
        return true;
    if (base == d->frame)
        return claim_over_frame(d, expr, count, is_null);
    struct ndr_claim claim = {
        .expr = expr, .count = count, .null_seen = is_null, .count_seen = !is_null};
    return claim_holds(&claim, base) || ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
}

static bool check_claims(struct ndr_decode *d)
{
    for (size_t i = 0; i < d->claims.count; i++)
        if (!claim_holds(ndr_list_at(&d->claims, i), d->frame))
            return ndr_decode_fail(d, RPC_X_BAD_STUB_DATA);
    return true;
}

/* Remembers how large the application's arrays are, before an operand of size_is that
 * is itself [out] changes.  Structures see to their own members (decode_value.c). */
static bool note_old_counts(struct ndr_decode *d, const NDR_PARAM *param)
{
    for (const NDR_TYPE *type = param->type; type; type = type->element) {
        struct ndr_old_count old = {.expr = type->max_count};
        if (type->max_count && ndr_expr_count(type->max_count, d->frame, &old.count) &&
            !ndr_decode_note(d, &d->old_counts, &old))
            return false;
        /* Behind a unique pointer in [out]-only memory there is nothing yet, and the
         * operands may be as uninitialised. */
        if (type->kind == NDR_KIND_POINTER && (type->flags & NDR_TYPE_UNIQUE) &&
            !(param->flags & NDR_PARAM_IN))
            return true;
        if (type->kind != NDR_KIND_POINTER && type->kind != NDR_KIND_ARRAY)
            return true;
    }
    return true;
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

static bool decode_pending(struct ndr_decode *d)
{
    ndr_list_reverse(&d->pending, 0);
    while (d->pending.count > 0) {
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

static bool decode_param(struct ndr_decode *d, const NDR_PARAM *param)
{
    uint8_t *memory = (uint8_t *)d->frame + param->offset;
    struct ndr_scope scope = {
        .base = d->frame,
        .range = param->range,
        .owner = owner_of(param, d->direction),
    };
    d->frame_slot = scope.owner == NDR_KEPT ? memory : NULL;
    return ndr_decode_top(d, param->type, memory, &scope) && decode_pending(d);
}

static bool prepare(struct ndr_decode *d, const NDR_OPERATION *operation)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, d->direction))
            continue;
        d->least_params += ndr_least_len(d->rules, param->type, NDR_AT_TOP);
        if (d->direction == NDR_PARAM_OUT && !note_old_counts(d, param))
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
    return check_claims(d) && deliver_contexts(d);
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
    struct ndr_old_count inline_old_counts[4];
    struct ndr_context_note inline_contexts[2];
    struct ndr_decode d = {
        .reader = reader,
        .rules = &ndr20_rules,
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
    NDR_LIST_INIT(&d.old_counts, inline_old_counts, reader->reallocate);
    NDR_LIST_INIT(&d.contexts, inline_contexts, reader->reallocate);
    if (decode_all(&d, operation)) {
        reader->pos = d.pos;
    } else {
        roll_back(&d);
        if (direction == NDR_PARAM_IN)
            clear_frame(&d, operation);
    }
    ndr_list_fini(&d.pending);
    ndr_list_fini(&d.undo);
    ndr_list_fini(&d.claims);
    ndr_list_fini(&d.old_counts);
    ndr_list_fini(&d.contexts);
    return d.verdict;
}
