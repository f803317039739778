/* SPDX-License-Identifier: MIT */
/* characters.c - see characters.h.  What is one array's is here, what is a call's in
 * characters_client.c and characters_server.c. */
#include "runtime/characters_internal.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "runtime/exception.h"

/* Octets of a character in any code set, shifts included. */
#define OCTETS_MAX 8u

/* ---- Parameters -------------------------------------------------------------------------- */

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

bool characters_is(const NDR_OPERATION *op, uint32_t offset, uint32_t direction)
{
    const NDR_PARAM *param = characters_param(op, offset);
    return param && param->flags & direction;
}

/* ---- Structures ------------------------------------------------------------------------- */

bool characters_is_inside(const NDR_CS_ARRAY *how)
{
    return how->structure || how->by_value;
}

uint8_t *characters_base(const NDR_CS_ARRAY *how, void *frame)
{
    if (!how->structure)
        return frame;
    uint8_t *at = (uint8_t *)frame + how->parameter;
    return how->by_value ? at : ndr_load_pointer(at);
}

void *characters_place(const NDR_CS_ARRAY *how, void *frame)
{
    uint8_t *base = characters_base(how, frame);
    if (!base)
        return NULL;
    return characters_is_inside(how) ? base + how->offset : ndr_load_pointer(base + how->offset);
}

bool characters_travels(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, uint32_t direction)
{
    return characters_is(op, how->structure ? how->parameter : how->offset, direction);
}

bool characters_count_travels(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, uint32_t offset,
                              uint32_t direction)
{
    return offset != NDR_CS_NONE &&
           characters_is(op, how->structure ? how->parameter : offset, direction);
}

/* The integer at `offset` of the structure around the array. */
static void *field_of(const NDR_CS_ARRAY *how, void *frame, uint32_t offset, NDR_KIND *ret_kind)
{
    uint8_t *base = characters_base(how, frame);
    for (uint32_t i = 0; base && i < how->structure->count; i++) {
        const NDR_FIELD *field = &how->structure->fields[i];
        if (field->offset != offset)
            continue;
        *ret_kind = field->type->kind;
        return base + offset;
    }
    return NULL;
}

bool characters_load_count(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, void *frame,
                           uint32_t offset, uint32_t *ret_value)
{
    NDR_KIND kind;
    int64_t value;
    if (!how->structure)
        return characters_load(op, frame, offset, ret_value);
    const void *at = field_of(how, frame, offset, &kind);
    if (!at || !ndr_load_integer(kind, at, &value) || value < 0 || value > UINT32_MAX)
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool characters_store_count(const NDR_OPERATION *op, const NDR_CS_ARRAY *how, void *frame,
                            uint32_t offset, uint32_t value)
{
    NDR_KIND kind;
    if (!how->structure)
        return characters_store(op, frame, offset, value);
    void *at = field_of(how, frame, offset, &kind);
    return at && ndr_store_integer(kind, at, value);
}

static bool same_structure(const NDR_CS_ARRAY *a, const NDR_CS_ARRAY *b)
{
    return a->structure == b->structure && (!a->structure || a->parameter == b->parameter);
}

size_t characters_head(const struct characters_array *arrays, uint32_t count,
                       const NDR_CS_ARRAY *how)
{
    for (uint32_t i = 0; i < count; i++)
        if (arrays[i].how->count == 0 && same_structure(arrays[i].how, how))
            return arrays[i].how->offset;
    return how->structure->size;
}

void characters_copy_rest(const struct characters_array *arrays, uint32_t count,
                          const NDR_CS_ARRAY *how, uint8_t *to, const uint8_t *from)
{
    const size_t head = characters_head(arrays, count, how);
    size_t done = 0;
    for (uint32_t i = 0; i < count; i++) { /* in the order of the fields */
        const NDR_CS_ARRAY *array = arrays[i].how;
        if (!same_structure(array, how) || array->count == 0)
            continue;
        memcpy(to + done, from + done, array->offset - done);
        done = array->offset + (size_t)array->count * array->element_size;
    }
    memcpy(to + done, from + done, head - done);
}

/* ---- Routines of the program --------------------------------------------------------------- */

enum routine { NET_SIZE, LOCAL_SIZE, TO_NETCS, FROM_NETCS, TAG };

struct ask {
    enum routine routine;
    const NDR_CHARACTERS *how;
    const NDR_CS_ARRAY *array;
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
        ask->array->net_size(ask->binding, ask->tag, ask->size, &ask->conversion, ask->result,
                             &ask->status);
        break;
    case LOCAL_SIZE:
        ask->array->local_size(ask->binding, ask->tag, ask->size, &ask->conversion, ask->result,
                               &ask->status);
        break;
    case TO_NETCS:
        ask->array->to_netcs(ask->binding, ask->tag, ask->local, ask->size, ask->net, ask->result,
                             &ask->status);
        break;
    case FROM_NETCS:
        ask->array->from_netcs(ask->binding, ask->tag, ask->net, ask->net_len, ask->size,
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

uint32_t characters_wanted_tag(const NDR_OPERATION *op, void *frame)
{
    const NDR_CHARACTERS *how = op->characters;
    uint32_t tag = 0;
    if (!characters_load(op, frame, how->drtag, &tag))
        characters_load(op, frame, how->stag, &tag);
    return tag;
}

RPC_STATUS characters_size(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                           uint32_t tag, bool to_net, uint32_t size,
                           struct characters_size *ret_size)
{
    const NDR_CS_ARRAY *how = array->how;
    unsigned long result = size; /* of routines that do not say: as many */
    struct ask ask = {.routine = to_net ? NET_SIZE : LOCAL_SIZE,
                      .array = how,
                      .binding = binding,
                      .tag = tag,
                      .size = size,
                      .conversion = IDL_CS_NEW_BUFFER_CONVERT,
                      .result = how->count > 0 ? NULL : &result};
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
    *ret_size = (struct characters_size){.size = (uint32_t)result, .conversion = ask.conversion};
    return RPC_S_OK;
}

/* ---- Conversion ---------------------------------------------------------------------------- */

size_t characters_room(const struct characters_array *array, const struct characters_size *size,
                       uint32_t count)
{
    size_t room = size->size > count ? size->size : count;
    /* Nobody says how much it may become, nor tells the routine where to stop; what no longer
     * fits the array is refused afterwards. */
    if (array->how->count > 0)
        room *= OCTETS_MAX;
    if (size->conversion == IDL_CS_IN_PLACE_CONVERT)
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

RPC_STATUS characters_to_net(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                             uint32_t tag, const struct characters_size *size, uint32_t count,
                             uint8_t *net, uint32_t *ret_len)
{
    const NDR_CS_ARRAY *how = array->how;
    unsigned long len = how->length == NDR_CS_NONE ? size->size : count;
    RPC_STATUS status = RPC_S_OK;
    if (size->conversion == IDL_CS_NO_CONVERT) {
        memcpy(net, array->local, count);
    } else {
        struct ask ask = {.routine = TO_NETCS,
                          .array = how,
                          .binding = binding,
                          .tag = tag,
                          .local = array->local,
                          .size = count,
                          .net = net,
                          .result = how->length == NDR_CS_NONE ? NULL : &len};
        if (size->conversion == IDL_CS_IN_PLACE_CONVERT) { /* one storage for both */
            memcpy(net, array->local, (size_t)count * how->element_size);
            ask.local = net;
        }
        status = put_question(&ask);
    }
    if (status == RPC_S_OK && len > size->size)
        status = RPC_S_INVALID_BOUND;
    if (status == RPC_S_OK && size->conversion == IDL_CS_NEW_BUFFER_CONVERT &&
        how->length == NDR_CS_NONE &&
        !is_filling(net, size->size, characters_room(array, size, count)))
        status = RPC_S_INVALID_BOUND;
    *ret_len = (uint32_t)len;
    return status;
}

RPC_STATUS characters_to_local(const struct characters_array *array, RPC_BINDING_HANDLE binding,
                               uint32_t tag, IDL_CS_CONVERT conversion, uint32_t net_len,
                               uint32_t capacity, uint32_t *ret_count)
{
    const NDR_CS_ARRAY *how = array->how;
    bool varies = how->length != NDR_CS_NONE;
    unsigned long count = varies ? net_len : capacity;
    RPC_STATUS status = RPC_S_OK;
    if (conversion == IDL_CS_NO_CONVERT) {
        if (net_len > capacity)
            return RPC_S_INVALID_BOUND;
        memcpy(array->local, array->net, net_len);
        *ret_count = net_len;
        return RPC_S_OK;
    }
    struct ask ask = {.routine = FROM_NETCS,
                      .array = how,
                      .binding = binding,
                      .tag = tag,
                      .net = array->net,
                      .net_len = net_len,
                      .size = capacity,
                      .local = array->local,
                      .result = varies ? &count : NULL};
    uint8_t *place = NULL;
    if (conversion == IDL_CS_IN_PLACE_CONVERT) {
        size_t room = (size_t)(net_len > capacity ? net_len : capacity) * how->element_size;
        place = calloc(1, room > 0 ? room : 1);
        if (!place)
            return RPC_S_OUT_OF_MEMORY;
        memcpy(place, array->net, net_len);
        ask.local = ask.net = place;
    }
    status = put_question(&ask);
    if (status == RPC_S_OK && count > capacity)
        status = RPC_S_INVALID_BOUND;
    if (status == RPC_S_OK && place)
        memcpy(array->local, place, count * how->element_size);
    free(place);
    *ret_count = (uint32_t)count;
    return status;
}

/* ---- Counts that several arrays share -------------------------------------------------------- */

uint32_t characters_largest(const struct characters_array *arrays, uint32_t count, uint32_t index,
                            bool of_net)
{
    uint32_t largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool shares = i == index || (arrays[index].how->size != NDR_CS_NONE &&
                                     arrays[i].how->size == arrays[index].how->size &&
                                     same_structure(arrays[i].how, arrays[index].how));
        uint32_t size = of_net ? arrays[i].net_size : arrays[i].local_size;
        if (shares && size > largest)
            largest = size;
    }
    return largest;
}

bool characters_agree(const struct characters_array *arrays, uint32_t index, bool of_net)
{
    const struct characters_array *array = &arrays[index];
    for (uint32_t i = 0; i < index; i++) {
        if (arrays[i].how->length == NDR_CS_NONE || arrays[i].how->length != array->how->length ||
            !arrays[i].has_length || !same_structure(arrays[i].how, array->how))
            continue;
        if (of_net ? arrays[i].net_len != array->net_len : arrays[i].local_len != array->local_len)
            return false;
    }
    return true;
}
