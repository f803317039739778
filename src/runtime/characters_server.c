/* SPDX-License-Identifier: MIT */
/* characters_server.c - a server's [cs_char] arrays: the manager finds characters in place of the
 * octets that came, and its own become octets when it is done.
 *
 * All is done in the objects of the call, so whatever happens they can be freed like those of any
 * call: freeing does not look at characters, nor at their counts. */
#include "runtime/characters_internal.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "runtime/exception.h"

struct managed_characters {
    const NDR_OPERATION *op;
    uint8_t *frame;
    RPC_BINDING_HANDLE binding;
    struct ndr_memory memory;
    size_t octets_max;
    struct ndr_aliases rooms; /* by the address of the characters: what the request had there */
};

/* What the manager got: `capacity` characters for `referent` octets. */
static RPC_STATUS note_room(struct managed_characters *m, const void *characters,
                            const struct graph_array *array)
{
    struct ndr_alias room = {.key = (uintptr_t)characters,
                             .type = array->type,
                             .referent = array->from_size,
                             .capacity = array->to_size};
    return ndr_alias_add(&m->rooms, &room) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

static const struct ndr_alias *room_of(const struct managed_characters *m,
                                       const struct graph_array *array)
{
    return ndr_alias_find(&m->rooms, (uintptr_t)array->memory, NULL);
}

/* ---- Before the manager --------------------------------------------------------------------- */

static RPC_STATUS size_locally(struct managed_characters *m, struct characters_graph *g,
                               struct graph_array *array)
{
    uint32_t net_len;
    (void)graph_sizes(g, array, &array->from_size, &net_len);
    if (array->size != GRAPH_NONE && !graph_count_at(g, array->size)->is_known)
        return RPC_X_BAD_STUB_DATA;
    uint32_t tag = characters_request_tag(m->op, m->frame, array);
    RPC_STATUS status = characters_size(array, m->binding, tag, false, array->from_size);
    if (status == RPC_S_OK)
        graph_raise_size(g, array, array->room);
    return status;
}

static RPC_STATUS fill_locally(struct managed_characters *m, struct characters_graph *g,
                               struct graph_array *array, size_t *budget)
{
    uint32_t net_size, net_len;
    array->to_size = graph_new_size(g, array);
    if (array->to_size > *budget / array->how->element_size)
        return RPC_S_OUT_OF_RESOURCES;
    *budget -= array->to_size * (size_t)array->how->element_size;
    if (!array->memory || !(array->direction & NDR_PARAM_IN))
        return RPC_S_OK;
    if (!graph_sizes(g, array, &net_size, &net_len))
        return RPC_X_BAD_STUB_DATA;
    uint32_t tag = characters_tag(m->op, m->frame, NDR_PARAM_IN);
    RPC_STATUS status = characters_to_local(array, m->binding, tag, array->memory, net_len,
                                            array->to_size);
    if (status == RPC_S_OK && !graph_set_length(g, array, array->to_len))
        status = RPC_S_INVALID_BOUND;
    return status;
}

/* Where the manager has what it may answer with. */
static RPC_STATUS note_rooms(struct managed_characters *m, const struct characters_graph *g)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < graph_array_count(g) && status == RPC_S_OK; i++) {
        const struct graph_array *array = graph_array_at(g, i);
        if (!array->memory || array->fixed > 0 || !(array->direction & NDR_PARAM_OUT))
            continue;
        const struct graph_object *object = graph_object_at(g, array->place.object);
        const uint8_t *at = array->object;
        if (array->is_inside)
            at = (object->successor ? object->successor : object->memory) + array->place.offset;
        status = note_room(m, at, array);
    }
    return status;
}

static RPC_STATUS show_characters(struct managed_characters *m)
{
    struct characters_graph g;
    size_t budget = m->octets_max;
    graph_init(&g, m->op, GRAPH_IN_PLACE, m->frame, NULL, &m->memory);
    RPC_STATUS status = graph_gather(&g, NDR_PARAM_IN | NDR_PARAM_OUT);
    for (uint32_t i = 0; i < graph_array_count(&g) && status == RPC_S_OK; i++)
        status = size_locally(m, &g, graph_array_at(&g, i));
    for (uint32_t i = 0; i < graph_array_count(&g) && status == RPC_S_OK; i++)
        status = fill_locally(m, &g, graph_array_at(&g, i), &budget);
    if (status == RPC_S_OK)
        status = graph_make_room(&g, false);
    if (status == RPC_S_OK)
        status = note_rooms(m, &g);
    if (status == RPC_S_OK && !graph_commit(&g, false))
        status = RPC_S_INVALID_BOUND;
    graph_fini(&g);
    return status;
}

/* ---- After the manager ---------------------------------------------------------------------- */

/* There is as much room as the request said: no less, unless the manager says so. */
static RPC_STATUS size_answer(struct managed_characters *m, struct characters_graph *g,
                              struct graph_array *array, uint32_t tag)
{
    const struct ndr_alias *room = room_of(m, array);
    uint32_t local_len;
    if (!graph_sizes(g, array, &array->from_size, &local_len))
        return array->memory ? RPC_S_INVALID_BOUND : RPC_S_OK;
    if (room && array->from_size > room->capacity)
        return RPC_S_INVALID_BOUND;
    RPC_STATUS status = characters_size(array, m->binding, tag, true, array->from_size);
    uint32_t size = array->room;
    if (room && (array->from_size == room->capacity || size > room->referent))
        size = (uint32_t)room->referent;
    if (status == RPC_S_OK)
        graph_raise_size(g, array, size);
    return status;
}

static RPC_STATUS fill_answer(struct managed_characters *m, struct characters_graph *g,
                              struct graph_array *array, uint32_t tag)
{
    uint32_t local_size, local_len;
    array->to_size = graph_new_size(g, array);
    if (!array->memory)
        return RPC_S_OK;
    if (!graph_sizes(g, array, &local_size, &local_len))
        return RPC_S_INVALID_BOUND;
    RPC_STATUS status = characters_to_net(array, m->binding, tag, array->memory, local_len,
                                          array->to_size);
    if (status == RPC_S_OK && !graph_set_length(g, array, array->to_len))
        status = RPC_S_INVALID_BOUND;
    return status;
}

RPC_STATUS characters_answer(struct managed_characters *m)
{
    struct characters_graph g;
    RPC_STATUS status = characters_set_tags(m->op, m->frame, m->binding, true);
    const uint32_t tag = characters_tag(m->op, m->frame, NDR_PARAM_OUT);
    graph_init(&g, m->op, GRAPH_IN_PLACE, m->frame, NULL, &m->memory);
    if (status == RPC_S_OK)
        status = graph_gather(&g, NDR_PARAM_OUT);
    for (uint32_t i = 0; i < graph_array_count(&g) && status == RPC_S_OK; i++)
        status = size_answer(m, &g, graph_array_at(&g, i), tag);
    for (uint32_t i = 0; i < graph_array_count(&g) && status == RPC_S_OK; i++)
        status = fill_answer(m, &g, graph_array_at(&g, i), tag);
    if (status == RPC_S_OK)
        status = graph_make_room(&g, true);
    if (status == RPC_S_OK && !graph_commit(&g, true))
        status = RPC_S_INVALID_BOUND;
    graph_fini(&g);
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------ */

RPC_STATUS characters_begin(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                            const struct ndr_memory *memory, size_t octets_max,
                            struct managed_characters **ret_managed)
{
    struct managed_characters *m = calloc(1, sizeof(*m));
    if (!m)
        return RPC_S_OUT_OF_MEMORY;
    *m = (struct managed_characters){.op = op,
                                     .frame = frame,
                                     .binding = binding,
                                     .memory = *memory,
                                     .octets_max = octets_max};
    ndr_aliases_init(&m->rooms, NULL);
    RPC_STATUS status = show_characters(m);
    if (status == RPC_S_OK)
        *ret_managed = m;
    else
        characters_end(m);
    return status;
}

void characters_end(struct managed_characters *m)
{
    if (!m)
        return;
    ndr_aliases_fini(&m->rooms);
    free(m);
}

RPC_STATUS characters_manage(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                             const struct ndr_memory *memory, size_t octets_max,
                             void (*run)(void *arg), void *arg, bool *ret_raised)
{
    struct managed_characters *m;
    *ret_raised = false;
    RPC_STATUS status = characters_begin(op, frame, binding, memory, octets_max, &m);
    if (status != RPC_S_OK)
        return status;
    status = exception_run(run, arg, ret_raised);
    if (!*ret_raised)
        status = characters_answer(m);
    characters_end(m);
    return status;
}
