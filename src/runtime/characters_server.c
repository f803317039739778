/* SPDX-License-Identifier: MIT */
/* characters_server.c - a server's [cs_char] arrays: the manager gets characters of its own in
 * place of the octets that came, and its answer goes where they were. */
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
    struct characters_array *arrays;
    uint32_t count;
    size_t octets_max;
    bool shown; /* the frame has characters */
};

/* ---- Before the manager --------------------------------------------------------------------- */

static RPC_STATUS size_array(struct managed_characters *m, struct characters_array *array,
                             const NDR_CS_ARRAY *how, struct characters_size *ret_size)
{
    array->net = characters_place(how, m->frame);
    array->net_size = how->count;
    if (how->structure && !array->net)
        return RPC_S_OK;
    if (how->count == 0 &&
        !characters_load_count(m->op, how, m->frame, how->size, &array->net_size))
        return RPC_X_BAD_STUB_DATA;
    array->net_len = array->net_size;
    if (how->length != NDR_CS_NONE &&
        characters_count_travels(m->op, how, how->length, NDR_PARAM_IN) &&
        !characters_load_count(m->op, how, m->frame, how->length, &array->net_len))
        return RPC_X_BAD_STUB_DATA;
    uint32_t tag = characters_travels(m->op, how, NDR_PARAM_IN)
                       ? characters_tag(m->op, m->frame, NDR_PARAM_IN)
                       : characters_wanted_tag(m->op, m->frame);
    RPC_STATUS status =
        characters_size(array, m->binding, tag, false, array->net_size, ret_size);
    array->local_size = how->count > 0 ? how->count : ret_size->size;
    return status;
}

static RPC_STATUS fill_array(struct managed_characters *m, uint32_t index,
                             IDL_CS_CONVERT conversion)
{
    struct characters_array *array = &m->arrays[index];
    const NDR_CS_ARRAY *how = array->how;
    array->local_size = characters_largest(m->arrays, m->count, index, false);
    if (array->local_size > m->octets_max / how->element_size)
        return RPC_S_OUT_OF_RESOURCES;
    if (!array->net)
        return RPC_S_OK;
    array->local = calloc(array->local_size + (size_t)1, how->element_size);
    if (!array->local)
        return RPC_S_OUT_OF_MEMORY;
    if (how->by_value) { /* the characters will be where the octets are */
        array->copy = malloc(array->net_size + (size_t)1);
        if (!array->copy)
            return RPC_S_OUT_OF_MEMORY;
        array->net = memcpy(array->copy, array->net, array->net_size);
    }
    if (!characters_travels(m->op, how, NDR_PARAM_IN))
        return RPC_S_OK;
    if (array->net_len > array->net_size)
        return RPC_X_BAD_STUB_DATA;
    uint32_t tag = characters_tag(m->op, m->frame, NDR_PARAM_IN);
    RPC_STATUS status = characters_to_local(array, m->binding, tag, conversion, array->net_len,
                                            array->local_size, &array->local_len);
    array->has_length = status == RPC_S_OK && how->length != NDR_CS_NONE;
    if (array->has_length && !characters_agree(m->arrays, index, false))
        return RPC_S_INVALID_BOUND;
    return status;
}

/* A structure for the manager, in place of the one with octets.  Once for all arrays in it;
 * false: no memory. */
static bool show_structure(struct managed_characters *m, struct characters_array *array)
{
    const NDR_CS_ARRAY *how = array->how;
    uint8_t *came = characters_base(how, m->frame);
    if (!how->structure || how->by_value || came + how->offset != array->net)
        return true; /* another array has seen to it */
    size_t room = how->structure->size;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->arrays[i].how->structure && m->arrays[i].how->parameter == how->parameter &&
            m->arrays[i].how->count == 0)
            room += m->arrays[i].local_size * (size_t)m->arrays[i].how->element_size;
    array->copy = calloc(1, room);
    if (!array->copy)
        return false;
    array->came = came;
    characters_copy_rest(m->arrays, m->count, how, array->copy, came);
    ndr_store_pointer(m->frame + how->parameter, array->copy);
    return true;
}

/* The manager's view of the frame, when all arrays are converted. */
static RPC_STATUS show_characters(struct managed_characters *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct characters_array *array = &m->arrays[i];
        const NDR_CS_ARRAY *how = array->how;
        if (how->structure && !array->net)
            continue;
        if (!show_structure(m, array))
            return RPC_S_OUT_OF_MEMORY;
        if (how->count == 0 &&
            !characters_store_count(m->op, how, m->frame, how->size, array->local_size))
            return RPC_S_INVALID_BOUND;
        if (array->has_length &&
            !characters_store_count(m->op, how, m->frame, how->length, array->local_len))
            return RPC_S_INVALID_BOUND;
        if (characters_is_inside(how))
            memcpy(characters_place(how, m->frame), array->local,
                   array->local_size * (size_t)how->element_size);
        else
            ndr_store_pointer(m->frame + how->offset, array->local);
    }
    return RPC_S_OK;
}

static RPC_STATUS prepare(struct managed_characters *m)
{
    RPC_STATUS status = RPC_S_OK;
    struct characters_size *sizes = calloc(m->count + 1, sizeof(*sizes));
    if (!sizes)
        return RPC_S_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < m->count && status == RPC_S_OK; i++)
        status = size_array(m, &m->arrays[i], &m->op->characters->arrays[i], &sizes[i]);
    for (uint32_t i = 0; i < m->count && status == RPC_S_OK; i++)
        status = fill_array(m, i, sizes[i].conversion);
    free(sizes);
    return status;
}

/* ---- After the manager ---------------------------------------------------------------------- */

/* The octets of the answer, where those of the request were, or would have been. */
static RPC_STATUS answer_array(struct managed_characters *m, uint32_t index, uint32_t tag)
{
    struct characters_array *array = &m->arrays[index];
    const NDR_CS_ARRAY *how = array->how;
    struct characters_size size;
    uint32_t local_size = how->count;
    if (!array->local || !characters_travels(m->op, how, NDR_PARAM_OUT))
        return RPC_S_OK;
    if (how->count == 0 &&
        !characters_load_count(m->op, how, m->frame, how->size, &local_size))
        return RPC_S_INVALID_BOUND;
    array->local_len = local_size;
    if (how->length != NDR_CS_NONE &&
        !characters_load_count(m->op, how, m->frame, how->length, &array->local_len))
        return RPC_S_INVALID_BOUND;
    if (local_size > array->local_size || array->local_len > local_size)
        return RPC_S_INVALID_BOUND;
    if (characters_is_inside(how))
        memcpy(array->local, characters_place(how, m->frame),
               local_size * (size_t)how->element_size);
    RPC_STATUS status = characters_size(array, m->binding, tag, true, local_size, &size);
    if (status != RPC_S_OK)
        return status;
    if (how->count > 0)
        size.size = how->count;
    const uint32_t room = size.size;
    uint8_t *net = calloc(1, characters_room(array, &size, local_size));
    if (!net)
        return RPC_S_OUT_OF_MEMORY;
    status = characters_to_net(array, m->binding, tag, &size, array->local_len, net,
                               &array->net_len);
    /* There is as much room as the request said: no less unless the manager said so, and what
     * is too much must be filling. */
    if (local_size != array->local_size && room < array->net_size)
        array->net_size = room;
    bool fits = how->length == NDR_CS_NONE || array->net_len <= array->net_size;
    for (uint32_t i = array->net_size; how->length == NDR_CS_NONE && i < room; i++)
        fits = fits && net[i] == 0;
    if (status == RPC_S_OK && !fits)
        status = RPC_S_INVALID_BOUND;
    if (status == RPC_S_OK) {
        uint32_t len = how->length != NDR_CS_NONE ? array->net_len
                       : room < array->net_size   ? room
                                                  : array->net_size;
        memset(array->net, 0, array->net_size);
        memcpy(array->net, net, len);
    }
    array->has_length = how->length != NDR_CS_NONE;
    free(net);
    return status == RPC_S_OK && !characters_agree(m->arrays, index, true) ? RPC_S_INVALID_BOUND
                                                                         : status;
}

static RPC_STATUS answer(struct managed_characters *m)
{
    RPC_STATUS status = characters_set_tags(m->op, m->frame, m->binding, true);
    const uint32_t tag = characters_tag(m->op, m->frame, NDR_PARAM_OUT);
    for (uint32_t i = 0; i < m->count; i++)
        m->arrays[i].has_length = false;
    for (uint32_t i = 0; i < m->count && status == RPC_S_OK; i++)
        status = answer_array(m, i, tag);
    return status;
}

/* What else the manager left in the structure goes back with the one that came. */
static void hide_structure(struct managed_characters *m, const struct characters_array *array)
{
    const NDR_CS_ARRAY *how = array->how;
    if (!array->came)
        return;
    characters_copy_rest(m->arrays, m->count, how, array->came, array->copy);
    ndr_store_pointer(m->frame + how->parameter, array->came);
}

/* The engine's view again; it frees what it has made. */
static RPC_STATUS show_octets(struct managed_characters *m)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; m->shown && i < m->count; i++) {
        const struct characters_array *array = &m->arrays[i];
        const NDR_CS_ARRAY *how = array->how;
        if (how->structure && !array->net)
            continue;
        hide_structure(m, array);
        if (!characters_is_inside(how))
            ndr_store_pointer(m->frame + how->offset, array->net);
        else if (how->by_value)
            memcpy(characters_place(how, m->frame), array->net, array->net_size);
        if (how->count == 0 &&
            !characters_store_count(m->op, how, m->frame, how->size,
                                    characters_largest(m->arrays, m->count, i, true)))
            status = RPC_S_INVALID_BOUND;
        bool restores = array->has_length || (how->structure && how->length != NDR_CS_NONE);
        if (restores &&
            !characters_store_count(m->op, how, m->frame, how->length, array->net_len))
            status = RPC_S_INVALID_BOUND;
    }
    m->shown = false;
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------ */

RPC_STATUS characters_begin(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                            size_t octets_max, struct managed_characters **ret_managed)
{
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    const uint32_t count = op->characters->array_count;
    struct managed_characters *m = calloc(1, sizeof(*m));
    if (!m)
        return status;
    *m = (struct managed_characters){
        .op = op, .frame = frame, .binding = binding, .count = count, .octets_max = octets_max};
    m->arrays = calloc(count + (size_t)1, sizeof(*m->arrays));
    for (uint32_t i = 0; m->arrays && i < count; i++)
        m->arrays[i].how = &op->characters->arrays[i];
    if (m->arrays)
        status = prepare(m);
    if (status == RPC_S_OK) {
        m->shown = true;
        status = show_characters(m);
    }
    if (status == RPC_S_OK)
        *ret_managed = m;
    else
        characters_end(m);
    return status;
}

RPC_STATUS characters_answer(struct managed_characters *m)
{
    RPC_STATUS status = answer(m);
    RPC_STATUS shown = show_octets(m);
    return status != RPC_S_OK ? status : shown;
}

void characters_end(struct managed_characters *m)
{
    if (!m)
        return;
    (void)show_octets(m);
    for (uint32_t i = 0; m->arrays && i < m->count; i++) {
        free(m->arrays[i].local);
        free(m->arrays[i].copy);
    }
    free(m->arrays);
    free(m);
}

RPC_STATUS characters_manage(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                             size_t octets_max, void (*run)(void *arg), void *arg, bool *ret_raised)
{
    struct managed_characters *m;
    *ret_raised = false;
    RPC_STATUS status = characters_begin(op, frame, binding, octets_max, &m);
    if (status != RPC_S_OK)
        return status;
    status = exception_run(run, arg, ret_raised);
    if (!*ret_raised)
        status = characters_answer(m);
    characters_end(m);
    return status;
}
