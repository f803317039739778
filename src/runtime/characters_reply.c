/* SPDX-License-Identifier: MIT */
/* characters_reply.c - a client's reply: the engine has written octets to the copy that
 * characters_client.c made, and into new objects.  All of it is converted before anything of the
 * program's is touched. */
#include "runtime/characters_client.h"

#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/union.h"

/* ---- Conversion ------------------------------------------------------------------------------ */

/* The array of the request with the same octets; NULL: there was none. */
static const struct graph_array *sent_array(const struct characters *c, const void *octets)
{
    const struct ndr_alias *alias = ndr_alias_find(&c->sent, (uintptr_t)octets, NULL);
    return octets && alias ? graph_array_at(&c->request, alias->capacity) : NULL;
}

static RPC_STATUS size_array(struct characters *c, struct characters_graph *g,
                             struct graph_array *array, uint32_t tag)
{
    const struct graph_array *sent = sent_array(c, array->memory);
    uint32_t net_len;
    if (array->is_inside)
        array->program = graph_program_at(g, array->place);
    else
        array->program = sent ? sent->memory : NULL;
    if (!graph_sizes(g, array, &array->from_size, &net_len))
        return array->memory ? RPC_S_INVALID_BOUND : RPC_S_OK;
    if (sent && array->from_size > sent->to_size)
        return RPC_X_BAD_STUB_DATA;
    RPC_STATUS status = characters_size(array, c->binding, tag, false, array->from_size);
    array->to_size = array->room;
    /* The size routines think of the worst case; the program has as much as it said. */
    if (array->program && sent && array->fixed == 0 &&
        (array->room > sent->from_size || array->from_size == sent->to_size))
        array->to_size = sent->from_size;
    if (status == RPC_S_OK)
        graph_raise_size(g, array, array->to_size);
    return status;
}

static RPC_STATUS convert_array(struct characters *c, struct characters_graph *g,
                                struct graph_array *array, uint32_t tag)
{
    uint32_t net_size, net_len;
    if (!array->program)
        array->to_size = graph_new_size(g, array);
    if (!array->memory)
        return RPC_S_OK;
    if (!graph_sizes(g, array, &net_size, &net_len))
        return RPC_S_INVALID_BOUND;
    if (array->to_size > NDR_ALLOCATED_MAX / array->how->element_size)
        return RPC_S_OUT_OF_RESOURCES;
    /* Several arrays share the size, and this one has less. */
    if (array->length == GRAPH_NONE && array->conversion == IDL_CS_NO_CONVERT &&
        net_len > array->to_size)
        net_len = array->to_size;
    RPC_STATUS status = characters_to_local(array, c->binding, tag, array->memory, net_len,
                                            array->to_size);
    if (status == RPC_S_OK && !graph_set_length(g, array, array->to_len))
        status = RPC_S_INVALID_BOUND;
    return status;
}

static RPC_STATUS convert_reply(struct characters *c, struct characters_graph *g)
{
    const uint32_t tag = characters_tag(c->op, c->shadow, NDR_PARAM_OUT);
    RPC_STATUS status = graph_gather(g, NDR_PARAM_OUT);
    for (uint32_t i = 0; i < graph_array_count(g) && status == RPC_S_OK; i++)
        status = size_array(c, g, graph_array_at(g, i), tag);
    for (uint32_t i = 0; i < graph_array_count(g) && status == RPC_S_OK; i++)
        status = convert_array(c, g, graph_array_at(g, i), tag);
    if (status == RPC_S_OK)
        status = graph_make_room(g, false);
    if (status == RPC_S_OK && !graph_commit(g, false))
        status = RPC_S_INVALID_BOUND;
    return status;
}

/* ---- Into the program's memory ----------------------------------------------------------------- */

/* What is in a value besides characters, from the copy to the program's. */
static void merge(struct characters *c, const NDR_TYPE *type, const uint8_t *from, uint8_t *to,
                  const void *base);

static size_t octets_of(const NDR_TYPE *type, const uint8_t *value, const void *base)
{
    size_t base_offset, offset, size = ndr_memory_size(type);
    uint32_t count = 0;
    const NDR_TYPE *tail = ndr_is_conformant(type) ? type : NULL;
    offset = 0;
    if (!tail && (tail = ndr_conformant_tail(type, &base_offset, &offset)) != NULL)
        base = value + base_offset;
    if (!tail)
        return size;
    const size_t element = ndr_memory_size(tail->element);
    if (tail->max_count) {
        if (!ndr_expr_count(tail->max_count, base, &count))
            count = 0;
    } else { /* a string: its terminator was checked */
        const uint8_t *text = value + offset;
        for (count = 1; text[0] != 0 || (element > 1 && text[1] != 0); text += element)
            count++;
    }
    return offset + count * element > size ? offset + count * element : size;
}

static void merge_pointer(struct characters *c, const NDR_TYPE *type, const uint8_t *from,
                          uint8_t *to)
{
    void *target = ndr_load_pointer(from);
    const struct graph_object *own = target ? graph_find(&c->request, target) : NULL;
    const struct graph_array *sent = sent_array(c, target);
    const bool is_array = type->element->characters ||
                          (type->element->kind == NDR_KIND_ARRAY &&
                           type->element->element->characters);
    if (is_array && sent)
        ndr_store_pointer(to, sent->memory);
    else
        ndr_store_pointer(to, !is_array && own ? own->program : target);
}

static void merge_union(struct characters *c, const NDR_TYPE *type, const uint8_t *from,
                        uint8_t *to, const void *base)
{
    const size_t offset = ndr_arms_offset(type);
    int64_t tag;
    if (ndr_is_encapsulated(type))
        memcpy(to + type->alternatives->switch_offset, from + type->alternatives->switch_offset,
               ndr_scalar_memory_size(type->alternatives->switch_kind));
    const NDR_ARM *arm =
        ndr_union_tag(type, from, base, &tag) ? ndr_union_arm(type->alternatives, tag) : NULL;
    if (arm && arm->type)
        merge(c, arm->type, from + offset, to + offset, ndr_arm_base(type, from, base));
}

static void merge(struct characters *c, const NDR_TYPE *type, const uint8_t *from, uint8_t *to,
                  const void *base)
{
    uint32_t count = type->count;
    if (!(type->flags & NDR_TYPE_HAS_CHARACTERS)) {
        memcpy(to, from, octets_of(type, from, base));
        return;
    }
    switch (type->kind) {
    case NDR_KIND_STRUCT:
        for (uint32_t i = 0; i < count; i++)
            merge(c, type->fields[i].type, from + type->fields[i].offset,
                  to + type->fields[i].offset, from);
        break;
    case NDR_KIND_ARRAY:
        if (type->element->characters ||
            (type->max_count && !ndr_expr_count(type->max_count, base, &count)))
            break;
        for (uint32_t i = 0; i < count; i++) {
            const size_t at = i * ndr_memory_size(type->element);
            merge(c, type->element, from + at, to + at, base);
        }
        break;
    case NDR_KIND_UNION:
        merge_union(c, type, from, to, base);
        break;
    case NDR_KIND_POINTER:
        merge_pointer(c, type, from, to);
        break;
    default:
        break;
    }
}

/* Counts behind pointers of the frame, which the copy has for itself. */
static void return_counts(struct characters *c)
{
    for (uint32_t i = 0; i < c->request.counts.count; i++) {
        const struct graph_count *count = graph_count_at(&c->request, i);
        const NDR_EXPR *expr = count->expr;
        if (expr->op != NDR_EXPR_DEREF || !(count->direction & NDR_PARAM_OUT))
            continue;
        void *theirs = ndr_load_pointer((uint8_t *)c->frame + expr->offset);
        const void *mine = ndr_load_pointer(c->shadow + expr->offset);
        if (theirs && mine)
            memcpy(theirs, mine, ndr_scalar_memory_size(expr->kind));
    }
}

static void return_tags(struct characters *c)
{
    const NDR_CHARACTERS *how = c->op->characters;
    const uint32_t tags[] = {how->stag, how->drtag, how->rtag};
    for (int i = 0; i < 3; i++) {
        const NDR_PARAM *param = characters_param(c->op, tags[i]);
        uint32_t value;
        if (param && param->flags & NDR_PARAM_OUT &&
            characters_load(c->op, c->shadow, tags[i], &value))
            characters_store(c->op, c->frame, tags[i], value);
    }
}

static void return_array(const struct graph_array *array)
{
    if (!array->program || !array->result)
        return;
    uint32_t count = array->length == GRAPH_NONE ? array->to_size : array->to_len;
    memcpy(array->program, array->result, count * (size_t)array->how->element_size);
}

static void return_all(struct characters *c, const struct characters_graph *g)
{
    return_tags(c);
    return_counts(c);
    for (uint32_t i = 1; i < g->objects.count; i++) {
        const struct graph_object *object = graph_object_at(g, i);
        const void *base = graph_at(g, graph_scope_at(g, object->scope)->place);
        if (object->program)
            merge(c, object->type, object->memory, object->program, base);
    }
    for (uint32_t i = 0; i < c->op->param_count; i++) {
        const NDR_PARAM *param = &c->op->params[i];
        if (param->flags & NDR_PARAM_RETURN)
            merge(c, param->type, c->shadow + param->offset, (uint8_t *)c->frame + param->offset,
                  c->shadow);
    }
    for (uint32_t i = 0; i < graph_array_count(g); i++)
        return_array(graph_array_at(g, i));
}

/* ---- Giving up ------------------------------------------------------------------------------- */

/* Frees what the reply has brought into a value of the copy.  Full pointers are left alone: what
 * they lead to may be the program's. */
static void release(struct characters *c, const NDR_TYPE *type, uint8_t *value,
                    const uint8_t *program, const void *base)
{
    uint32_t count = type->count;
    int64_t tag;
    if (type->kind == NDR_KIND_POINTER) {
        void *target = ndr_load_pointer(value);
        bool is_old = !target || (program && ndr_load_pointer(program) == target) ||
                      graph_find(&c->request, target) || sent_array(c, target);
        if (!is_old && !(type->flags & NDR_TYPE_FULL))
            ndr_free_value(type, value, base, &c->memory);
    } else if (type->kind == NDR_KIND_STRUCT) {
        for (uint32_t i = 0; i < count; i++)
            release(c, type->fields[i].type, value + type->fields[i].offset,
                    program ? program + type->fields[i].offset : NULL, value);
    } else if (type->kind == NDR_KIND_ARRAY && ndr_has_pointers(type->element)) {
        if (type->max_count && !ndr_expr_count(type->max_count, base, &count))
            return;
        for (uint32_t i = 0; i < count; i++) {
            const size_t at = i * ndr_memory_size(type->element);
            release(c, type->element, value + at, program ? program + at : NULL, base);
        }
    } else if (type->kind == NDR_KIND_UNION && ndr_union_tag(type, value, base, &tag)) {
        const NDR_ARM *arm = ndr_union_arm(type->alternatives, tag);
        const size_t at = ndr_arms_offset(type);
        if (arm && arm->type)
            release(c, arm->type, value + at, program ? program + at : NULL,
                    ndr_arm_base(type, value, base));
    }
}

static void release_all(struct characters *c)
{
    const struct characters_graph *g = &c->request;
    for (uint32_t i = 1; i < g->objects.count; i++) {
        const struct graph_object *object = graph_object_at(g, i);
        const void *base = graph_at(g, graph_scope_at(g, object->scope)->place);
        if (object->direction & NDR_PARAM_OUT)
            release(c, object->type, object->memory, object->program, base);
    }
    for (uint32_t i = 0; i < c->op->param_count; i++) {
        const NDR_PARAM *param = &c->op->params[i];
        if (param->flags & NDR_PARAM_RETURN)
            release(c, param->type, c->shadow + param->offset, NULL, c->shadow);
    }
}

RPC_STATUS characters_take_reply(struct characters *c)
{
    struct characters_graph g;
    graph_init(&g, c->op, GRAPH_ANSWER, c->shadow, c->frame, &c->memory);
    g.request = &c->request;
    RPC_STATUS status = convert_reply(c, &g);
    if (status == RPC_S_OK)
        return_all(c, &g);
    else
        release_all(c);
    graph_fini(&g);
    return status;
}
