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

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/list.h"

/* ---- [out] storage ------------------------------------------------------------------- */

/* Octets of an [out] parameter's storage. */
static RPC_STATUS out_size(const NDR_TYPE *type, const void *frame, uint64_t *ret_size)
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

/* Follows [ref] pointers to [ref] pointers. */
static RPC_STATUS prepare_pointee(const NDR_TYPE *pointer, void *slot, const void *frame,
                                  const struct ndr_memory *memory, size_t *budget)
{
    while (pointer->kind == NDR_KIND_POINTER && (pointer->flags & NDR_TYPE_REF)) {
        uint64_t size;
        RPC_STATUS status = out_size(pointer->element, frame, &size);
        if (status != RPC_S_OK)
            return status;
        if (size > *budget)
            return RPC_S_OUT_OF_RESOURCES;
        *budget -= (size_t)size;
        size_t octets = size > 0 ? (size_t)size : 1;
        void *storage = memory->allocate(octets);
        if (!storage)
            return RPC_S_OUT_OF_MEMORY;
        memset(storage, 0, octets);
        ndr_store_pointer(slot, storage);
        slot = storage;
        pointer = pointer->element;
    }
    return RPC_S_OK;
}

RPC_STATUS ndr_prepare_out(const NDR_OPERATION *operation, void *frame,
                           const struct ndr_memory *memory)
{
    size_t budget = memory->prepare_max ? memory->prepare_max : NDR_ALLOCATED_MAX;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, NDR_PARAM_OUT) ||
            (param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN)))
            continue;
        RPC_STATUS status =
            prepare_pointee(param->type, (uint8_t *)frame + param->offset, frame, memory, &budget);
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
    const NDR_TYPE *type; /* STRUCT with pointers inside  */
    void *memory;         /* `count` of them, one object  */
    uint32_t count;
};

struct sweep {
    const struct ndr_memory *memory;
    struct ndr_list waiting;
    unsigned recursion;
};

static void sweep_value(struct sweep *s, const NDR_TYPE *type, void *memory, const void *base);

static void sweep_garbage(struct sweep *s, const struct garbage *garbage)
{
    for (uint32_t i = 0; i < garbage->count; i++)
        sweep_value(s, garbage->type, (uint8_t *)garbage->memory + (size_t)i * garbage->type->size,
                    NULL);
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

/* Frees the pointee of the pointer at `slot`. */
static void sweep_pointer(struct sweep *s, const NDR_TYPE *pointer, void *slot, const void *base)
{
    const NDR_TYPE *type = pointer->element;
    uint8_t *target = ndr_load_pointer(slot);
    if (!target)
        return;
    ndr_store_pointer(slot, NULL);
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
    if (type->kind == NDR_KIND_STRUCT && ndr_has_pointers(type) && count <= UINT32_MAX) {
        discard(s, type, target, (uint32_t)count);
        return;
    }
    if (type->kind == NDR_KIND_POINTER)
        for (uint64_t i = 0; i < count; i++)
            sweep_pointer(s, type, target + i * sizeof(void *), base);
    s->memory->free(target);
}

/* Frees what the pointers in a value point to, not the value. */
static void sweep_value(struct sweep *s, const NDR_TYPE *type, void *memory, const void *base)
{
    uint8_t *at = memory;
    if (type->kind == NDR_KIND_POINTER) {
        sweep_pointer(s, type, memory, base);
    } else if (type->kind == NDR_KIND_STRUCT) {
        for (uint32_t i = 0; i < type->count; i++)
            sweep_value(s, type->fields[i].type, at + type->fields[i].offset, memory);
    } else if (type->kind == NDR_KIND_ARRAY && ndr_has_pointers(type->element)) {
        uint32_t count = type->count;
        if (count == 0 && type->max_count)
            (void)ndr_expr_count(type->max_count, base, &count);
        size_t size = ndr_memory_size(type->element);
        for (uint32_t i = 0; i < count; i++)
            sweep_value(s, type->element, at + i * size, base);
    }
}

void ndr_free_params(const NDR_OPERATION *operation, void *frame, const struct ndr_memory *memory)
{
    struct garbage inline_waiting[32];
    struct sweep s = {.memory = memory};
    NDR_LIST_INIT(&s.waiting, inline_waiting, memory->reallocate);
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, NDR_PARAM_IN | NDR_PARAM_OUT))
            continue;
        sweep_value(&s, param->type, (uint8_t *)frame + param->offset, frame);
        while (s.waiting.count > 0) {
            struct garbage garbage;
            ndr_list_pop(&s.waiting, &garbage);
            sweep_garbage(&s, &garbage);
        }
    }
    ndr_list_fini(&s.waiting);
}
