/* SPDX-License-Identifier: MIT */
/* characters.c - tags, and the program's routines for one array; see characters.h.  Which arrays
 * there are is characters_graph.c's, what a call does with them characters_client.c's and
 * characters_server.c's. */
#include "runtime/characters_internal.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "runtime/exception.h"

/* Octets of a character in any code set, shifts included. */
#define OCTETS_MAX 8u

/* ---- Tags -------------------------------------------------------------------------------- */

const NDR_PARAM *characters_param(const NDR_OPERATION *op, uint32_t offset)
{
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].offset == offset)
            return &op->params[i];
    return NULL;
}

/* The integer itself: of a parameter by value, or what it points to; NULL: nothing. */
static void *integer_of(const NDR_OPERATION *op, void *frame, uint32_t offset, NDR_KIND *ret_kind)
{
    const NDR_PARAM *param = characters_param(op, offset);
    if (!param)
        return NULL;
    void *slot = (uint8_t *)frame + offset;
    bool is_pointer = param->type->kind == NDR_KIND_POINTER;
    *ret_kind = is_pointer ? param->type->element->kind : param->type->kind;
    return is_pointer ? ndr_load_pointer(slot) : slot;
}

bool characters_load(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t *ret_value)
{
    NDR_KIND kind;
    int64_t value;
    const void *at = integer_of(op, frame, offset, &kind);
    if (!at || !ndr_load_integer(kind, at, &value) || value < 0 || value > UINT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool characters_store(const NDR_OPERATION *op, void *frame, uint32_t offset, uint32_t value)
{
    NDR_KIND kind;
    void *at = integer_of(op, frame, offset, &kind);
    return at && ndr_store_integer(kind, at, value);
}

/* ---- Routines of the program --------------------------------------------------------------- */

enum routine { NET_SIZE, LOCAL_SIZE, TO_NETCS, FROM_NETCS, TAG };

struct ask {
    enum routine routine;
    const NDR_CHARACTERS *how;
    const NDR_CS_TYPE *type;
    RPC_BINDING_HANDLE binding;
    unsigned long tag, size, *result;
    IDL_CS_CONVERT conversion;
    void *local;
    byte *net;
    unsigned long net_len;
    int server_side;                /* TAG */
    unsigned long *tags[3];         /* TAG: stag, drtag, rtag; NULL: there is none */
    error_status_t status;
};

static void ask_now(void *arg)
{
    struct ask *ask = arg;
    switch (ask->routine) {
    case NET_SIZE:
        ask->type->net_size(ask->binding, ask->tag, ask->size, &ask->conversion, ask->result,
                             &ask->status);
        break;
    case LOCAL_SIZE:
        ask->type->local_size(ask->binding, ask->tag, ask->size, &ask->conversion, ask->result,
                               &ask->status);
        break;
    case TO_NETCS:
        ask->type->to_netcs(ask->binding, ask->tag, ask->local, ask->size, ask->net, ask->result,
                             &ask->status);
        break;
    case FROM_NETCS:
        ask->type->from_netcs(ask->binding, ask->tag, ask->net, ask->net_len, ask->size,
                               ask->local, ask->result, &ask->status);
        break;
    case TAG:
        ask->how->tag_routine(ask->binding, ask->server_side, ask->tags[0], ask->tags[1],
                              ask->tags[2], &ask->status);
        break;
    }
}

static RPC_STATUS put_question(struct ask *ask)
{
    bool raised;
    RPC_STATUS status = exception_run(ask_now, ask, &raised);
    if (raised)
        return status != RPC_S_OK ? status : RPC_S_CALL_FAILED;
    return (RPC_STATUS)ask->status;
}

RPC_STATUS characters_set_tags(const NDR_OPERATION *op, void *frame, RPC_BINDING_HANDLE binding,
                               bool server_side)
{
    const NDR_CHARACTERS *how = op->characters;
    const uint32_t offsets[3] = {how->stag, how->drtag, how->rtag};
    unsigned long tags[3] = {0};
    struct ask ask = {.routine = TAG, .how = how, .binding = binding, .server_side = server_side};
    if (!how->tag_routine)
        return RPC_S_OK;
    for (int i = 0; i < 3; i++) {
        uint32_t known = 0;
        if (offsets[i] == NDR_CS_NONE)
            continue;
        if (i < 2 && server_side)
            characters_load(op, frame, offsets[i], &known);
        tags[i] = known;
        ask.tags[i] = &tags[i];
    }
    RPC_STATUS status = put_question(&ask);
    for (int i = 0; i < 3 && status == RPC_S_OK; i++) {
        /* what came with the request is the client's word */
        if (!ask.tags[i] || (server_side && i < 2))
            continue;
        if (tags[i] > UINT32_MAX || !characters_store(op, frame, offsets[i], (uint32_t)tags[i]))
            status = RPC_S_INVALID_ARG;
    }
    return status;
}

uint32_t characters_tag(const NDR_OPERATION *op, void *frame, uint32_t direction)
{
    const NDR_CHARACTERS *how = op->characters;
    uint32_t tag = 0;
    if (direction == NDR_PARAM_OUT && how->rtag != NDR_CS_NONE &&
        characters_load(op, frame, how->rtag, &tag))
        return tag;
    characters_load(op, frame, how->stag, &tag);
    return tag;
}

uint32_t characters_request_tag(const NDR_OPERATION *op, void *frame,
                                const struct graph_array *array)
{
    const NDR_CHARACTERS *how = op->characters;
    uint32_t tag = 0;
    if (array->direction & NDR_PARAM_IN)
        return characters_tag(op, frame, NDR_PARAM_IN);
    if (!characters_load(op, frame, how->drtag, &tag))
        characters_load(op, frame, how->stag, &tag);
    return tag;
}

RPC_STATUS characters_size(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                           bool to_net, uint32_t size)
{
    const NDR_CS_TYPE *how = array->how;
    unsigned long result = size; /* of routines that do not say: as many */
    struct ask ask = {.routine = to_net ? NET_SIZE : LOCAL_SIZE,
                      .type = how,
                      .binding = binding,
                      .tag = tag,
                      .size = size,
                      .conversion = IDL_CS_NEW_BUFFER_CONVERT,
                      .result = array->fixed > 0 ? NULL : &result};
    RPC_STATUS status = put_question(&ask);
    if (status != RPC_S_OK)
        return status;
    if (ask.conversion != IDL_CS_NEW_BUFFER_CONVERT)
        result = size; /* the documentation leaves it open then */
    if (result > INT32_MAX)
        return RPC_S_INVALID_BOUND;
    /* The same octets cannot be both. */
    if (ask.conversion == IDL_CS_NO_CONVERT && how->element_size != 1)
        return RPC_S_INVALID_ARG;
    array->room = array->fixed > 0 ? array->fixed : (uint32_t)result;
    array->conversion = ask.conversion;
    return RPC_S_OK;
}

/* ---- Conversion ---------------------------------------------------------------------------- */

/* Octets for to_netcs to write to, who is not told where to stop. */
static size_t net_room(const struct graph_array *array, uint32_t size, uint32_t count)
{
    size_t room = size > count ? size : count;
    if (room < array->room)
        room = array->room;
    /* Nobody says how much it may become; what no longer fits the array is refused afterwards. */
    if (array->fixed > 0)
        room *= OCTETS_MAX;
    if (array->conversion == IDL_CS_IN_PLACE_CONVERT)
        room *= array->how->element_size;
    return room > 0 ? room : 1;
}

/* The octets that do not travel, of an array without length: only filling may be lost. */
static bool is_filling(const uint8_t *net, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        if (net[i] != 0)
            return false;
    return true;
}

RPC_STATUS characters_to_net(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                             const void *from, uint32_t count, uint32_t size)
{
    const NDR_CS_TYPE *how = array->how;
    const bool varies = array->length != GRAPH_NONE;
    const size_t room = net_room(array, size, count);
    unsigned long len = varies ? count : size;
    RPC_STATUS status = RPC_S_OK;
    uint8_t *net = calloc(1, room);
    if (!net)
        return RPC_S_OUT_OF_MEMORY;
    if (array->conversion == IDL_CS_NO_CONVERT) {
        memcpy(net, from, count);
    } else {
        struct ask ask = {.routine = TO_NETCS,
                          .type = how,
                          .binding = binding,
                          .tag = tag,
                          .local = (void *)(uintptr_t)from,
                          .size = count,
                          .net = net,
                          .result = varies ? &len : NULL};
        if (array->conversion == IDL_CS_IN_PLACE_CONVERT) { /* one storage for both */
            memcpy(net, from, (size_t)count * how->element_size);
            ask.local = net;
        }
        status = put_question(&ask);
    }
    if (status == RPC_S_OK && len > size)
        status = RPC_S_INVALID_BOUND;
    /* Behind what was converted in place are characters still. */
    if (status == RPC_S_OK && !varies &&
        !is_filling(net, size, array->conversion == IDL_CS_IN_PLACE_CONVERT ? array->room : room))
        status = RPC_S_INVALID_BOUND;
    free(array->result);
    array->result = net;
    array->to_len = (uint32_t)len;
    return status;
}

/* To the storage that holds both, and from there. */
static RPC_STATUS ask_in_place(struct ask *ask, uint32_t capacity)
{
    const size_t size = ask->type->element_size;
    size_t room = (ask->net_len > capacity ? ask->net_len : capacity) * size;
    void *local = ask->local;
    uint8_t *place = calloc(1, room > 0 ? room : 1);
    if (!place)
        return RPC_S_OUT_OF_MEMORY;
    memcpy(place, ask->net, ask->net_len);
    ask->local = ask->net = place;
    RPC_STATUS status = put_question(ask);
    unsigned long count = ask->result ? *ask->result : capacity;
    if (status == RPC_S_OK && count <= capacity)
        memcpy(local, place, count * size);
    free(place);
    return status;
}

RPC_STATUS characters_to_local(struct graph_array *array, RPC_BINDING_HANDLE binding, uint32_t tag,
                               const void *from, uint32_t net_len, uint32_t capacity)
{
    const NDR_CS_TYPE *how = array->how;
    const bool varies = array->length != GRAPH_NONE;
    unsigned long count = varies ? net_len : capacity;
    RPC_STATUS status = RPC_S_OK;
    free(array->result);
    array->result = calloc(capacity + (size_t)1, how->element_size);
    if (!array->result)
        return RPC_S_OUT_OF_MEMORY;
    if (array->conversion == IDL_CS_NO_CONVERT) {
        if (net_len > capacity)
            return RPC_S_INVALID_BOUND;
        memcpy(array->result, from, net_len);
        array->to_len = net_len;
        return RPC_S_OK;
    }
    struct ask ask = {.routine = FROM_NETCS,
                      .type = how,
                      .binding = binding,
                      .tag = tag,
                      .net = (byte *)(uintptr_t)from,
                      .net_len = net_len,
                      .size = capacity,
                      .local = array->result,
                      .result = varies ? &count : NULL};
    status = array->conversion == IDL_CS_IN_PLACE_CONVERT ? ask_in_place(&ask, capacity)
                                                          : put_question(&ask);
    if (status == RPC_S_OK && count > capacity)
        status = RPC_S_INVALID_BOUND;
    array->to_len = (uint32_t)count;
    return status;
}
