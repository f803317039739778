/* SPDX-License-Identifier: MIT */
/* characters_client.c - a client's [cs_char] arrays: its frame is copied, with everything that
 * leads to characters, and the copy has octets for characters and the counts that go with them. */
#include "runtime/characters_client.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/limits.h"
#include "ndr/expr.h"
#include "ndr/layout.h"

/* ---- The request ----------------------------------------------------------------------------- */

/* The copy has a place of its own for a tag behind a pointer.  A tag that is the stub's alone
 * has no other. */
static RPC_STATUS copy_tag(struct characters *c, uint32_t offset)
{
    const NDR_PARAM *param = characters_param(c->op, offset);
    if (!param || param->type->kind != NDR_KIND_POINTER)
        return RPC_S_OK;
    const void *theirs = ndr_load_pointer((uint8_t *)c->frame + offset);
    if (!theirs && !c->op->characters->tag_routine)
        return RPC_S_OK; /* the engine will object */
    void *mine = graph_own(&c->request, sizeof(uint64_t));
    if (!mine)
        return RPC_S_OUT_OF_MEMORY;
    if (theirs && param->flags & NDR_PARAM_IN)
        memcpy(mine, theirs, ndr_memory_size(param->type->element));
    ndr_store_pointer(c->shadow + offset, mine);
    return RPC_S_OK;
}

static RPC_STATUS size_array(struct characters *c, struct graph_array *array)
{
    struct characters_graph *g = &c->request;
    uint32_t local_len;
    if (array->size != GRAPH_NONE && !graph_count_at(g, array->size)->is_known)
        return RPC_S_INVALID_BOUND;
    (void)graph_sizes(g, array, &array->from_size, &local_len);
    RPC_STATUS status = characters_size(
        array, c->binding, characters_request_tag(c->op, c->shadow, array), true,
        array->from_size);
    if (status == RPC_S_OK)
        graph_raise_size(g, array, array->room);
    return status;
}

static RPC_STATUS fill_array(struct characters *c, struct graph_array *array)
{
    struct characters_graph *g = &c->request;
    uint32_t local_size, local_len;
    array->to_size = graph_new_size(g, array);
    if (array->to_size > LIMIT_STUB_LEN)
        return RPC_S_OUT_OF_RESOURCES;
    if (!array->memory || !c->sends || !(array->direction & NDR_PARAM_IN))
        return RPC_S_OK;
    if (!graph_sizes(g, array, &local_size, &local_len))
        return RPC_S_INVALID_BOUND;
    uint32_t tag = characters_tag(c->op, c->shadow, NDR_PARAM_IN);
    RPC_STATUS status =
        characters_to_net(array, c->binding, tag, array->memory, local_len, array->to_size);
    if (status == RPC_S_OK && !graph_set_length(g, array, array->to_len))
        status = RPC_S_INVALID_BOUND;
    return status;
}

/* Where the reply's octets will be, if they are the program's: which array of the request. */
static RPC_STATUS note_arrays(struct characters *c)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < graph_array_count(&c->request) && status == RPC_S_OK; i++) {
        const struct graph_array *array = graph_array_at(&c->request, i);
        if (!(array->direction & NDR_PARAM_OUT) || !array->memory)
            continue;
        uint8_t *at = graph_at(&c->request, array->place);
        struct ndr_alias alias = {
            .key = (uintptr_t)(array->is_inside ? at : ndr_load_pointer(at)),
            .type = array->type,
            .capacity = i,
        };
        if (!ndr_alias_add(&c->sent, &alias))
            status = RPC_S_OUT_OF_MEMORY;
    }
    return status;
}

static RPC_STATUS convert_request(struct characters *c)
{
    const NDR_CHARACTERS *how = c->op->characters;
    struct characters_graph *g = &c->request;
    RPC_STATUS status = copy_tag(c, how->stag);
    if (status == RPC_S_OK)
        status = copy_tag(c, how->drtag);
    if (status == RPC_S_OK)
        status = copy_tag(c, how->rtag);
    if (status == RPC_S_OK)
        status = characters_set_tags(c->op, c->shadow, c->binding, false);
    if (status == RPC_S_OK)
        status = graph_gather(g, NDR_PARAM_IN | NDR_PARAM_OUT);
    for (uint32_t i = 0; i < graph_array_count(g) && status == RPC_S_OK; i++)
        status = size_array(c, graph_array_at(g, i));
    for (uint32_t i = 0; i < graph_array_count(g) && status == RPC_S_OK; i++)
        status = fill_array(c, graph_array_at(g, i));
    if (status == RPC_S_OK)
        status = graph_make_room(g, true);
    if (status == RPC_S_OK)
        status = graph_note_successors(g);
    if (status == RPC_S_OK && !graph_commit(g, true))
        status = RPC_S_INVALID_BOUND;
    return status == RPC_S_OK ? note_arrays(c) : status;
}

static RPC_STATUS new_characters(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                                 const struct ndr_memory *memory, bool sends,
                                 struct characters **ret_characters)
{
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    struct characters *c = calloc(1, sizeof(*c));
    if (!c)
        return status;
    *c = (struct characters){
        .op = op, .frame = frame, .binding = binding, .memory = *memory, .sends = sends};
    c->shadow = malloc(op->frame_size);
    graph_init(&c->request, op, GRAPH_COPY, c->shadow, frame, &c->memory);
    ndr_aliases_init(&c->sent, NULL);
    if (c->shadow) {
        memcpy(c->shadow, frame, op->frame_size);
        status = convert_request(c);
    }
    if (status == RPC_S_OK)
        *ret_characters = c;
    else
        characters_free(c);
    return status;
}

RPC_STATUS characters_new(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                          const struct ndr_memory *memory, struct characters **ret_characters)
{
    return new_characters(op, frame, binding, memory, true, ret_characters);
}

RPC_STATUS characters_expect(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                             const struct ndr_memory *memory, struct characters **ret_characters)
{
    return new_characters(op, frame, binding, memory, false, ret_characters);
}

RPC_STATUS characters_keep(struct characters *c)
{
    c->kept = malloc(c->op->frame_size);
    if (!c->kept)
        return RPC_S_OUT_OF_MEMORY;
    c->frame = memcpy(c->kept, c->frame, c->op->frame_size);
    graph_object_at(&c->request, 0)->program = c->kept;
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

void characters_free(struct characters *c)
{
    if (!c)
        return;
    graph_fini(&c->request);
    ndr_aliases_fini(&c->sent);
    free(c->shadow);
    free(c->kept);
    free(c);
}
