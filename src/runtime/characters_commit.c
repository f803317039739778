/* SPDX-License-Identifier: MIT */
/* characters_commit.c - what is done with the arrays of characters_graph.h: counts, memory for the
 * results, and putting all in place once nothing can fail any more. */
#include "runtime/characters_graph.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"

/* ---- Counts ------------------------------------------------------------------------------ */

bool graph_sizes(const struct characters_graph *g, const struct graph_array *array,
                 uint32_t *ret_size, uint32_t *ret_len)
{
    *ret_size = array->fixed;
    if (array->size != GRAPH_NONE) {
        const struct graph_count *count = graph_count_at(g, array->size);
        if (!count->is_known)
            return false;
        *ret_size = count->before;
    }
    *ret_len = *ret_size;
    if (array->length == GRAPH_NONE)
        return true;
    const struct graph_count *count = graph_count_at(g, array->length);
    if (!count->is_known || count->before > *ret_size)
        return false;
    *ret_len = count->before;
    return true;
}

void graph_raise_size(const struct characters_graph *g, const struct graph_array *array,
                      uint32_t size)
{
    if (array->size == GRAPH_NONE)
        return;
    struct graph_count *count = graph_count_at(g, array->size);
    if (!count->is_set || size > count->after)
        count->after = size;
    count->is_set = true;
}

uint32_t graph_new_size(const struct characters_graph *g, const struct graph_array *array)
{
    return array->size == GRAPH_NONE ? array->fixed : graph_count_at(g, array->size)->after;
}

bool graph_set_length(const struct characters_graph *g, const struct graph_array *array,
                      uint32_t length)
{
    if (array->length == GRAPH_NONE)
        return true;
    struct graph_count *count = graph_count_at(g, array->length);
    if (count->is_set && count->after != length)
        return false;
    count->after = length;
    count->is_set = true;
    return true;
}

/* ---- Memory ------------------------------------------------------------------------------- */

static size_t element_size(const struct graph_array *array, bool to_net)
{
    return to_net ? 1 : array->how->element_size;
}

/* The program's memory, or ours in a copy. */
static void *take_memory(struct characters_graph *g, size_t size)
{
    if (g->mode == GRAPH_COPY)
        return graph_own(g, size);
    void *memory = g->memory->allocate(size > 0 ? size : 1);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

static void give_back(const struct characters_graph *g, void *memory)
{
    if (memory && g->mode != GRAPH_COPY) /* of a copy it goes with the rest */
        g->memory->free(memory);
}

RPC_STATUS graph_make_room(struct characters_graph *g, bool to_net)
{
    for (uint32_t i = 0; i < graph_array_count(g); i++) {
        struct graph_array *array = graph_array_at(g, i);
        const size_t size = array->to_size * element_size(array, to_net);
        if (array->program || (!array->memory && !array->is_tail))
            continue;
        if (!array->is_inside) {
            array->object = take_memory(g, size);
            if (!array->object)
                return RPC_S_OUT_OF_MEMORY;
        } else if (array->is_tail) {
            struct graph_object *object = graph_object_at(g, array->place.object);
            size_t whole = array->place.offset + size;
            if (whole < object->type->size)
                whole = object->type->size;
            object->head = array->place.offset;
            object->successor = take_memory(g, whole);
            if (!object->successor)
                return RPC_S_OUT_OF_MEMORY;
        }
    }
    return RPC_S_OK;
}

/* ---- In place -------------------------------------------------------------------------------- */

static void move_objects(struct characters_graph *g)
{
    for (uint32_t i = 0; i < g->objects.count; i++) {
        struct graph_object *object = graph_object_at(g, i);
        if (!object->successor)
            continue;
        memcpy(object->successor, object->memory, object->head);
        give_back(g, object->memory);
        object->memory = object->successor;
        object->successor = NULL;
    }
    for (size_t i = 0; i < g->slots.count; i++) {
        const struct graph_slot *slot = ndr_list_at(&g->slots, i);
        ndr_store_pointer(graph_at(g, slot->place), graph_object_at(g, slot->object)->memory);
    }
}

static void place_array(struct characters_graph *g, struct graph_array *array, bool to_net)
{
    const size_t size = array->to_size * element_size(array, to_net);
    if (array->program)
        return;
    uint8_t *at = graph_at(g, array->place);
    if (array->is_inside) {
        if (array->result)
            memcpy(at, array->result, size);
        return;
    }
    if (!array->object)
        return;
    if (array->result)
        memcpy(array->object, array->result, size);
    give_back(g, array->memory);
    ndr_store_pointer(at, array->object);
    array->object = NULL;
}

static uint8_t *variable(const struct characters_graph *g, const struct graph_count *count)
{
    uint8_t *at = graph_at(g, graph_scope_at(g, count->scope)->place) + count->expr->offset;
    return count->expr->op == NDR_EXPR_DEREF ? ndr_load_pointer(at) : at;
}

static bool counts_fit(const struct characters_graph *g)
{
    for (uint32_t i = 0; i < g->counts.count; i++) {
        const struct graph_count *count = graph_count_at(g, i);
        uint64_t trial;
        if (count->is_set && (!variable(g, count) ||
                              !ndr_store_integer(count->expr->kind, &trial, count->after)))
            return false;
    }
    return true;
}

bool graph_commit(struct characters_graph *g, bool to_net)
{
    if (!counts_fit(g))
        return false;
    move_objects(g);
    for (uint32_t i = 0; i < graph_array_count(g); i++)
        place_array(g, graph_array_at(g, i), to_net);
    for (uint32_t i = 0; i < g->counts.count; i++) {
        const struct graph_count *count = graph_count_at(g, i);
        if (count->is_set)
            ndr_store_integer(count->expr->kind, variable(g, count), count->after);
    }
    return true;
}

void graph_fini(struct characters_graph *g)
{
    for (uint32_t i = 0; i < graph_array_count(g); i++) {
        struct graph_array *array = graph_array_at(g, i);
        free(array->result);
        give_back(g, array->object);
    }
    for (uint32_t i = 0; i < g->objects.count; i++)
        give_back(g, graph_object_at(g, i)->successor);
    for (size_t i = 0; i < g->owned.count; i++)
        free(*(void **)ndr_list_at(&g->owned, i));
    ndr_list_fini(&g->objects);
    ndr_list_fini(&g->slots);
    ndr_list_fini(&g->scopes);
    ndr_list_fini(&g->counts);
    ndr_list_fini(&g->arrays);
    ndr_list_fini(&g->waiting);
    ndr_list_fini(&g->owned);
    ndr_aliases_fini(&g->known);
}
