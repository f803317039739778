/* SPDX-License-Identifier: MIT */
/* characters_client.c - a client's [cs_char] arrays: its frame is copied, and the copy has
 * octets for characters and the counts that go with them. */
#include "runtime/characters_internal.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "ndr/expr.h"
#include "ndr/layout.h"

struct characters {
    const NDR_OPERATION *op;
    void *frame;     /* the program's */
    void *kept;      /* the same, ours; or NULL */
    uint8_t *shadow; /* the engine's */
    RPC_BINDING_HANDLE binding;
    uint64_t *integers; /* what counts and tags behind pointers are in the shadow */
    uint32_t integer_count;
    struct characters_array *arrays;
};

/* Gives a count or tag behind a pointer a place of its own.  A tag that is the stub's alone has
 * no other. */
static void shadow_integer(struct characters *c, uint32_t offset)
{
    const NDR_PARAM *param = characters_param(c->op, offset);
    if (!param || param->type->kind != NDR_KIND_POINTER)
        return;
    void *mine = ndr_load_pointer(c->shadow + offset);
    void *theirs = ndr_load_pointer((uint8_t *)c->frame + offset);
    const NDR_CHARACTERS *how = c->op->characters;
    bool is_tag = offset == how->stag || offset == how->drtag || offset == how->rtag;
    bool is_hidden = is_tag && how->tag_routine;
    if (mine != theirs || (!theirs && !is_hidden))
        return; /* done, or the engine will object */
    uint64_t *integer = &c->integers[c->integer_count++];
    if (theirs && param->flags & NDR_PARAM_IN)
        memcpy(integer, theirs, ndr_memory_size(param->type->element));
    ndr_store_pointer(c->shadow + offset, integer);
}

static RPC_STATUS size_array(struct characters *c, struct characters_array *array,
                             const NDR_CS_ARRAY *how, struct characters_size *ret_size)
{
    const bool is_in = characters_travels(c->op, how, NDR_PARAM_IN);
    array->local = characters_place(how, c->frame);
    array->local_size = how->count;
    if (how->structure && !array->local)
        return RPC_S_OK; /* the engine knows whether it may be NULL */
    if (how->count == 0 &&
        !characters_load_count(c->op, how, c->frame, how->size, &array->local_size))
        return RPC_S_INVALID_BOUND;
    uint32_t tag = is_in ? characters_tag(c->op, c->shadow, NDR_PARAM_IN)
                         : characters_wanted_tag(c->op, c->shadow);
    RPC_STATUS status =
        characters_size(array, c->binding, tag, true, array->local_size, ret_size);
    array->net_size = ret_size->size;
    return status;
}

/* A structure of ours for the engine, with room for the octets of its conformant array.  Once
 * for all arrays in it; false: no memory. */
static bool shadow_structure(struct characters *c, struct characters_array *array)
{
    const NDR_CS_ARRAY *how = array->how;
    const uint32_t count = c->op->characters->array_count;
    const uint8_t *theirs = characters_base(how, c->frame);
    if (!how->structure || how->by_value || characters_base(how, c->shadow) != theirs)
        return true;
    size_t room = how->structure->size;
    for (uint32_t i = 0; i < count; i++)
        if (c->arrays[i].how->structure && c->arrays[i].how->parameter == how->parameter &&
            c->arrays[i].how->count == 0)
            room += characters_largest(c->arrays, count, i, true);
    array->copy = calloc(1, room);
    if (!array->copy)
        return false;
    if (characters_travels(c->op, how, NDR_PARAM_IN))
        characters_copy_rest(c->arrays, count, how, array->copy, theirs);
    ndr_store_pointer(c->shadow + how->parameter, array->copy);
    return true;
}

static RPC_STATUS fill_array(struct characters *c, uint32_t index, struct characters_size *size)
{
    struct characters_array *array = &c->arrays[index];
    const NDR_CS_ARRAY *how = array->how;
    if (how->structure && !array->local)
        return RPC_S_OK;
    /* One variable says how much of all: the largest will do for the others. */
    array->net_size = characters_largest(c->arrays, c->op->characters->array_count, index, true);
    size->size = array->net_size;
    if (array->net_size > LIMIT_STUB_LEN)
        return RPC_S_OUT_OF_RESOURCES;
    if (!shadow_structure(c, array))
        return RPC_S_OUT_OF_MEMORY;
    if (how->count == 0 &&
        !characters_store_count(c->op, how, c->shadow, how->size, array->net_size))
        return RPC_S_INVALID_BOUND;
    if (!array->local)
        return RPC_S_OK;
    array->net = calloc(1, characters_room(array, size, array->local_size));
    if (!array->net)
        return RPC_S_OUT_OF_MEMORY;
    if (!characters_is_inside(how))
        ndr_store_pointer(c->shadow + how->offset, array->net);
    if (!characters_travels(c->op, how, NDR_PARAM_IN))
        return RPC_S_OK;
    array->local_len = array->local_size;
    if (how->length != NDR_CS_NONE &&
        (!characters_load_count(c->op, how, c->frame, how->length, &array->local_len) ||
         array->local_len > array->local_size))
        return RPC_S_INVALID_BOUND;
    uint32_t tag = characters_tag(c->op, c->shadow, NDR_PARAM_IN);
    RPC_STATUS status = characters_to_net(array, c->binding, tag, size, array->local_len,
                                          array->net, &array->net_len);
    if (status == RPC_S_OK && characters_is_inside(how))
        memcpy(characters_place(how, c->shadow), array->net, array->net_size);
    if (status != RPC_S_OK || how->length == NDR_CS_NONE)
        return status;
    array->has_length = true;
    return characters_agree(c->arrays, index, true) &&
                   characters_store_count(c->op, how, c->shadow, how->length, array->net_len)
               ? RPC_S_OK
               : RPC_S_INVALID_BOUND;
}

static RPC_STATUS convert_request(struct characters *c)
{
    const NDR_CHARACTERS *how = c->op->characters;
    shadow_integer(c, how->stag);
    shadow_integer(c, how->drtag);
    shadow_integer(c, how->rtag);
    RPC_STATUS status = characters_set_tags(c->op, c->shadow, c->binding, false);
    struct characters_size *sizes = calloc(how->array_count + 1, sizeof(*sizes));
    if (!sizes)
        return RPC_S_OUT_OF_MEMORY;
    for (uint32_t i = 0; i < how->array_count && status == RPC_S_OK; i++) {
        if (!how->arrays[i].structure) {
            shadow_integer(c, how->arrays[i].size);
            shadow_integer(c, how->arrays[i].length);
        }
        status = size_array(c, &c->arrays[i], &how->arrays[i], &sizes[i]);
    }
    for (uint32_t i = 0; i < how->array_count && status == RPC_S_OK; i++)
        status = fill_array(c, i, &sizes[i]);
    free(sizes);
    return status;
}

RPC_STATUS characters_new(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                          struct characters **ret_characters)
{
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    const uint32_t count = op->characters->array_count;
    struct characters *c = calloc(1, sizeof(*c));
    if (!c)
        return status;
    *c = (struct characters){.op = op, .frame = frame, .binding = binding};
    c->shadow = malloc(op->frame_size);
    c->integers = calloc(3 + 2 * (size_t)count, sizeof(*c->integers));
    c->arrays = calloc(count + 1, sizeof(*c->arrays));
    for (uint32_t i = 0; c->arrays && i < count; i++)
        c->arrays[i].how = &op->characters->arrays[i];
    if (c->shadow && c->integers && c->arrays) {
        memcpy(c->shadow, frame, op->frame_size);
        status = convert_request(c);
    }
    if (status == RPC_S_OK)
        *ret_characters = c;
    else
        characters_free(c);
    return status;
}

RPC_STATUS characters_keep(struct characters *c)
{
    c->kept = malloc(c->op->frame_size);
    if (!c->kept)
        return RPC_S_OUT_OF_MEMORY;
    c->frame = memcpy(c->kept, c->frame, c->op->frame_size);
    return RPC_S_OK;
}

void *characters_program_frame(struct characters *c)
{
    return c->frame;
}

void *characters_frame(struct characters *c)
{
    return c->shadow;
}

/* ---- The reply --------------------------------------------------------------------------- */

/* Counts that came with the reply, in the program's memory. */
static RPC_STATUS return_counts(struct characters *c, const struct characters_array *array,
                                uint32_t size)
{
    const NDR_CS_ARRAY *how = array->how;
    if (how->count == 0 && characters_count_travels(c->op, how, how->size, NDR_PARAM_OUT) &&
        !characters_store_count(c->op, how, c->frame, how->size, size))
        return RPC_S_INVALID_BOUND;
    if (how->length != NDR_CS_NONE &&
        characters_count_travels(c->op, how, how->length, NDR_PARAM_OUT) &&
        !characters_store_count(c->op, how, c->frame, how->length, array->local_len))
        return RPC_S_INVALID_BOUND;
    return RPC_S_OK;
}

static RPC_STATUS take_array(struct characters *c, uint32_t index, uint32_t tag)
{
    struct characters_array *array = &c->arrays[index];
    const NDR_CS_ARRAY *how = array->how;
    struct characters_size size;
    uint32_t net_size = how->count;
    array->has_length = false;
    if (!array->local || !characters_travels(c->op, how, NDR_PARAM_OUT) ||
        !characters_base(how, c->shadow))
        return RPC_S_OK;
    if (how->count == 0 &&
        !characters_load_count(c->op, how, c->shadow, how->size, &net_size))
        return RPC_S_INVALID_BOUND;
    array->net_len = net_size;
    if (how->length != NDR_CS_NONE &&
        !characters_load_count(c->op, how, c->shadow, how->length, &array->net_len))
        return RPC_S_INVALID_BOUND;
    if (net_size > array->net_size || array->net_len > net_size)
        return RPC_X_BAD_STUB_DATA;
    if (characters_is_inside(how))
        memcpy(array->net, characters_place(how, c->shadow), net_size);
    RPC_STATUS status = characters_size(array, c->binding, tag, false, net_size, &size);
    if (status != RPC_S_OK)
        return status;
    /* The size routines think of the worst case; the program has as much as it said. */
    uint32_t capacity = how->count > 0 ? how->count : size.size;
    if (capacity > array->local_size || net_size == array->net_size)
        capacity = array->local_size;
    if (how->length == NDR_CS_NONE)
        memset(array->local, 0, (size_t)capacity * how->element_size);
    uint32_t net_len = array->net_len;
    if (how->length == NDR_CS_NONE && size.conversion == IDL_CS_NO_CONVERT && net_len > capacity)
        net_len = capacity; /* several arrays share the size, and this one has less */
    status = characters_to_local(array, c->binding, tag, size.conversion, net_len, capacity,
                                 &array->local_len);
    if (status != RPC_S_OK)
        return status;
    array->has_length = how->length != NDR_CS_NONE;
    return characters_agree(c->arrays, index, false) ? return_counts(c, array, capacity)
                                                     : RPC_S_INVALID_BOUND;
}

/* What else is in the structures that came back. */
static void take_structures(struct characters *c)
{
    const uint32_t count = c->op->characters->array_count;
    for (uint32_t i = 0; i < count; i++) {
        const NDR_CS_ARRAY *how = c->arrays[i].how;
        const uint8_t *came = characters_base(how, c->shadow);
        if (c->arrays[i].copy && came && characters_travels(c->op, how, NDR_PARAM_OUT))
            characters_copy_rest(c->arrays, count, how, characters_base(how, c->frame), came);
    }
}

RPC_STATUS characters_take_reply(struct characters *c)
{
    const NDR_CHARACTERS *how = c->op->characters;
    for (uint32_t i = 0; i < c->op->param_count; i++) {
        const NDR_PARAM *param = &c->op->params[i];
        if (param->flags & NDR_PARAM_RETURN)
            memcpy((uint8_t *)c->frame + param->offset, c->shadow + param->offset,
                   ndr_memory_size(param->type));
    }
    const uint32_t tag = characters_tag(c->op, c->shadow, NDR_PARAM_OUT);
    const uint32_t tags[] = {how->stag, how->drtag, how->rtag};
    for (int i = 0; i < 3; i++) { /* those of the program's that are [out] */
        uint32_t value;
        if (characters_is(c->op, tags[i], NDR_PARAM_OUT) &&
            characters_load(c->op, c->shadow, tags[i], &value))
            characters_store(c->op, c->frame, tags[i], value);
    }
    RPC_STATUS status = RPC_S_OK;
    take_structures(c);
    for (uint32_t i = 0; i < how->array_count && status == RPC_S_OK; i++)
        status = take_array(c, i, tag);
    return status;
}

void characters_free(struct characters *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; c->arrays && i < c->op->characters->array_count; i++) {
        free(c->arrays[i].net);
        free(c->arrays[i].copy);
    }
    free(c->arrays);
    free(c->integers);
    free(c->shadow);
    free(c->kept);
    free(c);
}
