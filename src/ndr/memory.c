/* SPDX-License-Identifier: MIT */
/* memory.c - a server's memory around the manager: storage for [out] parameters
 * before it, freeing everything after the reply.
 *
 * Freeing must not fail and must not recurse along a peer's list, so structures wait
 * on a stack of `struct garbage`; pointers between (to pointers, to arrays of
 * pointers) are followed at once, because their size_is needs the structure around
 * them alive, and types nest only so deep. */
#include "ndr/ndr.h"

#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/alias.h"
#include "ndr/convert.h"
#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/list.h"
#include "ndr/union.h"

/* ---- [out] storage ------------------------------------------------------------------- */

RPC_STATUS ndr_storage_size(const NDR_TYPE *type, const void *frame, uint64_t *ret_size)
{
    size_t base, offset;
    uint32_t count;
    if (!ndr_is_conformant(type)) {
        if (ndr_conformant_tail(type, &base, &offset) || ndr_memory_size(type) == 0)
            return RPC_S_CANNOT_SUPPORT;
        *ret_size = ndr_memory_size(type);
        return RPC_S_OK;
    }
    if (!type->max_count)
        return RPC_S_CANNOT_SUPPORT;
    if (!ndr_expr_count(type->max_count, frame, &count))
        return RPC_X_BAD_STUB_DATA;
    *ret_size = (uint64_t)count * ndr_memory_size(type->element);
    return RPC_S_OK;
}

/* Zeroed, in *slot. */
static RPC_STATUS give_storage(void *slot, uint64_t size, const struct ndr_memory *memory,
                               size_t *budget)
{
    if (size > *budget)
        return RPC_S_OUT_OF_RESOURCES;
    *budget -= (size_t)size;
    size_t octets = size > 0 ? (size_t)size : 1;
    void *storage = memory->allocate(octets);
    if (!storage)
        return RPC_S_OUT_OF_MEMORY;
    memset(storage, 0, octets);
    ndr_store_pointer(slot, storage);
    return RPC_S_OK;
}

/* Follows [ref] pointers to [ref] pointers. */
static RPC_STATUS prepare_pointee(const NDR_TYPE *pointer, void *slot, const void *frame,
                                  const struct ndr_memory *memory, size_t *budget)
{
    while (pointer->kind == NDR_KIND_POINTER && (pointer->flags & NDR_TYPE_REF)) {
        uint64_t size;
        RPC_STATUS status = ndr_storage_size(pointer->element, frame, &size);
        if (status == RPC_S_OK)
            status = give_storage(slot, size, memory, budget);
        if (status != RPC_S_OK)
            return status;
        slot = ndr_load_pointer(slot);
        pointer = pointer->element;
    }
    return RPC_S_OK;
}

/* [byte_count]: as much as the client has, for the manager to put everything into. */
static RPC_STATUS prepare_buffer(const NDR_PARAM *param, void *slot, const void *frame,
                                 const struct ndr_memory *memory, size_t *budget)
{
    uint32_t count;
    if (!ndr_expr_count(param->byte_count, frame, &count))
        return RPC_X_BAD_STUB_DATA;
    if (count < ndr_memory_size(param->type->element))
        return RPC_X_BYTE_COUNT_TOO_SMALL;
    return give_storage(slot, count, memory, budget);
}

RPC_STATUS ndr_prepare_out(const NDR_OPERATION *operation, void *frame,
                           const struct ndr_memory *memory)
{
    size_t budget = memory->prepare_max ? memory->prepare_max : NDR_ALLOCATED_MAX;
    budget -= memory->prepare_used < budget ? memory->prepare_used : budget;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_has_memory(param) || !(param->flags & NDR_PARAM_OUT) ||
            (param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN)))
            continue;
        void *slot = (uint8_t *)frame + param->offset;
        RPC_STATUS status = param->byte_count
                                ? prepare_buffer(param, slot, frame, memory, &budget)
                                : prepare_pointee(param->type, slot, frame, memory, &budget);
        if (status != RPC_S_OK)
            return status;
    }
    return RPC_S_OK;
}

/* ---- Freeing --------------------------------------------------------------------------- */

/* Without memory for the stack, freeing recurses, and beyond this gives up: a leak is
 * better than an overflow. */
#define RECURSION_MAX 128

struct garbage {
    const NDR_TYPE *type; /* needs no base: STRUCT, encapsulated UNION */
    void *memory;         /* `count` of them, one object  */
    uint32_t count;
};

struct sweep {
    const struct ndr_memory *memory;
    struct ndr_list waiting;
    struct ndr_aliases freed; /* objects of full pointers, by address */
    unsigned recursion;
};

static void sweep_value(struct sweep *s, const NDR_TYPE *type, void *memory, const void *base);

static void sweep_run(struct sweep *s, const NDR_TYPE *type, void *memory, uint64_t count,
                      const void *base)
{
    size_t size = ndr_memory_size(type);
    for (uint64_t i = 0; i < count; i++)
        sweep_value(s, type, (uint8_t *)memory + i * size, base);
}

static void sweep_garbage(struct sweep *s, const struct garbage *garbage)
{
    sweep_run(s, garbage->type, garbage->memory, garbage->count, NULL);
    s->memory->free(garbage->memory);
}

static void discard(struct sweep *s, const NDR_TYPE *type, void *memory, uint32_t count)
{
    struct garbage garbage = {.type = type, .memory = memory, .count = count};
    if (ndr_list_push(&s->waiting, &garbage) || s->recursion == RECURSION_MAX)
        return;
    s->recursion++;
    sweep_garbage(s, &garbage);
    s->recursion--;
}

/* Several full pointers may lead to one object: the first that gets here frees it. */
static bool is_mine_to_free(struct sweep *s, const NDR_TYPE *pointer, const void *target)
{
    struct ndr_alias alias = {.key = (uintptr_t)target, .type = pointer->element};
    if (!(pointer->flags & NDR_TYPE_FULL))
        return true;
    return !ndr_alias_find(&s->freed, alias.key, NULL) && ndr_alias_add(&s->freed, &alias);
}

/* Frees the pointee of the pointer at `slot`. */
static void sweep_pointer(struct sweep *s, const NDR_TYPE *pointer, void *slot, const void *base)
{
    const NDR_TYPE *type = pointer->element;
    uint8_t *target = ndr_load_pointer(slot);
    if (!target || (pointer->flags & NDR_TYPE_IGNORE) ||
        ((pointer->flags & NDR_TYPE_DONT_FREE) && s->memory->managed))
        return;
    ndr_store_pointer(slot, NULL);
    if (!is_mine_to_free(s, pointer, target))
        return;
    if (pointer->flags & NDR_TYPE_ALL_NODES) {
        s->memory->free(target); /* one object with everything it leads to */
        return;
    }
    uint64_t count = 1;
    uint32_t max = 0;
    if (type->kind == NDR_KIND_ARRAY && type->count == 0) {
        if (type->max_count)
            (void)ndr_expr_count(type->max_count, base, &max);
        count = max;
        type = type->element;
    }
    while (type->kind == NDR_KIND_ARRAY) {
        count *= type->count;
        type = type->element;
    }
    bool has_pointers = ndr_has_pointers(type);
    bool needs_no_base = type->kind == NDR_KIND_STRUCT || ndr_is_encapsulated(type);
    if (has_pointers && needs_no_base && count <= UINT32_MAX) {
        discard(s, type, target, (uint32_t)count);
        return;
    }
    if (has_pointers)
        sweep_run(s, type, target, count, base);
    s->memory->free(target);
}

static void sweep_union(struct sweep *s, const NDR_TYPE *type, void *memory, const void *base)
{
    int64_t tag;
    const NDR_ARM *arm =
        ndr_union_tag(type, memory, base, &tag) ? ndr_union_arm(type->alternatives, tag) : NULL;
    if (arm && arm->type)
        sweep_value(s, arm->type, (uint8_t *)memory + ndr_arms_offset(type),
                    ndr_arm_base(type, memory, base));
}

/* What size_is and switch_is may dereference goes last. */
static bool may_be_operand(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_POINTER && ndr_scalar_memory_size(type->element->kind) != 0;
}

/* Frees what the pointers in a value point to, not the value. */
static void sweep_value(struct sweep *s, const NDR_TYPE *type, void *memory, const void *base)
{
    uint8_t *at = memory;
    if (type->kind == NDR_KIND_POINTER) {
        sweep_pointer(s, type, memory, base);
    } else if (type->kind == NDR_KIND_STRUCT) {
        for (int operands = 0; operands <= 1; operands++)
            for (uint32_t i = 0; i < type->count; i++)
                if (may_be_operand(type->fields[i].type) == operands)
                    sweep_value(s, type->fields[i].type, at + type->fields[i].offset, memory);
    } else if (type->kind == NDR_KIND_UNION) {
        sweep_union(s, type, memory, base);
    } else if (type->kind == NDR_KIND_CONVERTED) {
        (void)ndr_convert_free_value(s->memory, type, memory); /* nobody is left to be told */
    } else if (type->kind == NDR_KIND_ARRAY && ndr_has_pointers(type->element)) {
        uint32_t count = type->count;
        if (count == 0 && type->max_count)
            (void)ndr_expr_count(type->max_count, base, &count);
        sweep_run(s, type->element, at, count, base);
    }
}

static void sweep_waiting(struct sweep *s)
{
    while (s->waiting.count > 0) {
        struct garbage garbage;
        ndr_list_pop(&s->waiting, &garbage);
        sweep_garbage(s, &garbage);
    }
}

static void sweep_param(struct sweep *s, const NDR_PARAM *param, void *frame)
{
    void *slot = (uint8_t *)frame + param->offset;
    if (param->byte_count) { /* what it leads to is in it */
        void *buffer = ndr_load_pointer(slot);
        ndr_store_pointer(slot, NULL);
        if (buffer)
            s->memory->free(buffer);
        return;
    }
    /* The storage of an [out] parameter is ours alone: what the manager has put into it are objects
     * of its own. */
    const uint32_t directions = NDR_PARAM_IN | NDR_PARAM_OUT | NDR_PARAM_RETURN;
    NDR_TYPE type = *param->type;
    if ((param->flags & directions) == NDR_PARAM_OUT && type.kind == NDR_KIND_POINTER)
        type.flags &= ~NDR_TYPE_ALL_NODES;
    sweep_value(s, &type, slot, frame);
    sweep_waiting(s);
}

void ndr_free_value(const NDR_TYPE *type, void *value, const void *base,
                    const struct ndr_memory *memory)
{
    struct garbage inline_waiting[32];
    struct sweep s = {.memory = memory};
    NDR_LIST_INIT(&s.waiting, inline_waiting, memory->reallocate);
    ndr_aliases_init(&s.freed, memory->reallocate);
    sweep_value(&s, type, value, base);
    sweep_waiting(&s);
    ndr_list_fini(&s.waiting);
    ndr_aliases_fini(&s.freed);
}

void ndr_free_params(const NDR_OPERATION *operation, void *frame, const struct ndr_memory *memory)
{
    struct garbage inline_waiting[32];
    struct sweep s = {.memory = memory};
    NDR_LIST_INIT(&s.waiting, inline_waiting, memory->reallocate);
    ndr_aliases_init(&s.freed, memory->reallocate);
    for (int operands = 0; operands <= 1; operands++)
        for (uint32_t i = 0; i < operation->param_count; i++) {
            const NDR_PARAM *param = &operation->params[i];
            if (ndr_param_has_memory(param) && may_be_operand(param->type) == operands)
                sweep_param(&s, param, frame);
        }
    ndr_list_fini(&s.waiting);
    ndr_aliases_fini(&s.freed);
}
