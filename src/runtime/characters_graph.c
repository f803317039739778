/* SPDX-License-Identifier: MIT */
/* characters_graph.c - see characters_graph.h.  Gathering; what is done with the list is in
 * characters_commit.c. */
#include "runtime/characters_graph.h"

#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/union.h"

/* What surrounds a value. */
struct where {
    uint32_t scope, direction;
    bool is_blank; /* request: [out] memory that nobody has filled yet */
    uint32_t depth; /* pointers behind each other */
};

/* A pointer to be followed. */
struct waiting {
    const NDR_TYPE *type; /* the pointer */
    struct graph_place place;
    struct where where;
};

/* ---- Tables ---------------------------------------------------------------------------- */

void graph_init(struct characters_graph *g, const NDR_OPERATION *op, enum graph_mode mode,
                void *frame, void *program, const struct ndr_memory *memory)
{
    *g = (struct characters_graph){.op = op, .mode = mode, .memory = memory};
    ndr_list_init(&g->objects, NULL, sizeof(struct graph_object), 0, NULL);
    ndr_list_init(&g->slots, NULL, sizeof(struct graph_slot), 0, NULL);
    ndr_list_init(&g->scopes, NULL, sizeof(struct graph_scope), 0, NULL);
    ndr_list_init(&g->counts, NULL, sizeof(struct graph_count), 0, NULL);
    ndr_list_init(&g->arrays, NULL, sizeof(struct graph_array), 0, NULL);
    ndr_list_init(&g->waiting, NULL, sizeof(struct waiting), 0, NULL);
    ndr_list_init(&g->owned, NULL, sizeof(void *), 0, NULL);
    ndr_aliases_init(&g->known, NULL);
    g->frame = (struct graph_object){.memory = frame, .program = program};
}

struct graph_array *graph_array_at(const struct characters_graph *g, uint32_t index)
{
    return ndr_list_at(&g->arrays, index);
}
struct graph_object *graph_object_at(const struct characters_graph *g, uint32_t index)
{
    return ndr_list_at(&g->objects, index);
}
struct graph_scope *graph_scope_at(const struct characters_graph *g, uint32_t index)
{
    return ndr_list_at(&g->scopes, index);
}
struct graph_count *graph_count_at(const struct characters_graph *g, uint32_t index)
{
    return ndr_list_at(&g->counts, index);
}

uint8_t *graph_at(const struct characters_graph *g, struct graph_place place)
{
    return graph_object_at(g, place.object)->memory + place.offset;
}

uint8_t *graph_program_at(const struct characters_graph *g, struct graph_place place)
{
    uint8_t *program = graph_object_at(g, place.object)->program;
    return program ? program + place.offset : NULL;
}

const struct graph_object *graph_find(const struct characters_graph *g, const void *memory)
{
    const struct ndr_alias *alias = ndr_alias_find(&g->known, (uintptr_t)memory, NULL);
    return alias ? graph_object_at(g, alias->capacity) : NULL;
}

void *graph_own(struct characters_graph *g, size_t size)
{
    void *memory = calloc(1, size > 0 ? size : 1);
    if (memory && ndr_list_push(&g->owned, &memory))
        return memory;
    free(memory);
    return NULL;
}

static struct graph_place inside(struct graph_place place, size_t offset)
{
    return (struct graph_place){.object = place.object, .offset = place.offset + offset};
}

static const void *base_of(const struct characters_graph *g, uint32_t scope)
{
    return graph_at(g, graph_scope_at(g, scope)->place);
}

static RPC_STATUS new_scope(struct characters_graph *g, struct graph_place place,
                            uint32_t direction, uint32_t *ret_scope)
{
    struct graph_scope scope = {
        .place = place, .first_count = GRAPH_NONE, .direction = direction};
    *ret_scope = (uint32_t)g->scopes.count;
    return ndr_list_push(&g->scopes, &scope) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

/* ---- Counts ------------------------------------------------------------------------------ */

/* The parameter at that place of the frame; NULL: none. */
static const NDR_PARAM *param_at(const NDR_OPERATION *op, uint32_t offset)
{
    for (uint32_t i = 0; i < op->param_count; i++)
        if (op->params[i].offset == offset)
            return &op->params[i];
    return NULL;
}

/* The copy has a place of its own for an integer behind a pointer. */
static RPC_STATUS copy_integer(struct characters_graph *g, const struct graph_count *count)
{
    uint8_t *slot = (uint8_t *)(uintptr_t)base_of(g, count->scope) + count->expr->offset;
    const void *theirs = ndr_load_pointer(slot);
    if (!theirs)
        return RPC_S_OK; /* it has no value, then */
    void *mine = graph_own(g, sizeof(uint64_t));
    if (!mine)
        return RPC_S_OUT_OF_MEMORY;
    if (count->direction & NDR_PARAM_IN)
        memcpy(mine, theirs, ndr_scalar_memory_size(count->expr->kind));
    ndr_store_pointer(slot, mine);
    return RPC_S_OK;
}

static RPC_STATUS find_count(struct characters_graph *g, const NDR_EXPR *expr, uint32_t scope,
                             bool is_blank, uint32_t *ret_count)
{
    uint32_t index = graph_scope_at(g, scope)->first_count;
    struct graph_count count = {.expr = expr, .scope = scope, .next = index};
    for (; index != GRAPH_NONE; index = graph_count_at(g, index)->next) {
        const NDR_EXPR *known = graph_count_at(g, index)->expr;
        if (known->op != expr->op || known->offset != expr->offset)
            continue;
        *ret_count = index;
        return RPC_S_OK;
    }
    count.direction = graph_scope_at(g, scope)->direction;
    if (scope == 0) {
        const NDR_PARAM *param = param_at(g->op, expr->offset);
        count.direction = param ? param->flags & (NDR_PARAM_IN | NDR_PARAM_OUT) : 0;
    }
    if (g->mode == GRAPH_COPY && expr->op == NDR_EXPR_DEREF && !is_blank) {
        RPC_STATUS status = copy_integer(g, &count);
        if (status != RPC_S_OK)
            return status;
    }
    count.is_known = !is_blank && ndr_expr_count(expr, base_of(g, scope), &count.before);
    *ret_count = (uint32_t)g->counts.count;
    if (!ndr_list_push(&g->counts, &count))
        return RPC_S_OUT_OF_MEMORY;
    graph_scope_at(g, scope)->first_count = *ret_count;
    return RPC_S_OK;
}

/* ---- Values ------------------------------------------------------------------------------ */

static bool is_characters(const NDR_TYPE *type)
{
    return type->characters || (type->kind == NDR_KIND_ARRAY && type->element->characters);
}

static RPC_STATUS add_array(struct characters_graph *g, const NDR_TYPE *type,
                            struct graph_place place, bool is_inside, const struct where *where)
{
    const bool is_one = type->characters != NULL;
    struct graph_array array = {
        .type = type,
        .how = is_one ? type->characters : type->element->characters,
        .place = place,
        .is_inside = is_inside,
        .direction = where->direction,
        .fixed = is_one ? 1 : type->count,
        .size = GRAPH_NONE,
        .length = GRAPH_NONE,
    };
    RPC_STATUS status = RPC_S_OK;
    array.is_tail = is_inside && array.fixed == 0;
    if (!is_one && type->max_count)
        status = find_count(g, type->max_count, where->scope, where->is_blank, &array.size);
    if (status == RPC_S_OK && !is_one && type->length)
        status = find_count(g, type->length, where->scope, where->is_blank, &array.length);
    if (status != RPC_S_OK)
        return status;
    array.memory = graph_at(g, place);
    if (!is_inside)
        array.memory = ndr_load_pointer(array.memory);
    return ndr_list_push(&g->arrays, &array) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

static RPC_STATUS scan(struct characters_graph *g, const NDR_TYPE *type, struct graph_place place,
                       const struct where *where);

static RPC_STATUS scan_fields(struct characters_graph *g, const NDR_TYPE *type,
                              struct graph_place place, const struct where *where)
{
    struct where within = *where;
    RPC_STATUS status = new_scope(g, place, where->direction, &within.scope);
    for (uint32_t i = 0; i < type->count && status == RPC_S_OK; i++)
        status = scan(g, type->fields[i].type, inside(place, type->fields[i].offset), &within);
    return status;
}

static RPC_STATUS scan_elements(struct characters_graph *g, const NDR_TYPE *type,
                                struct graph_place place, const struct where *where)
{
    const size_t size = ndr_memory_size(type->element);
    uint32_t max = type->count, first = 0, count;
    const void *base = base_of(g, where->scope);
    if (type->max_count && !ndr_expr_count(type->max_count, base, &max))
        return RPC_S_INVALID_BOUND;
    if (type->first && !ndr_expr_count(type->first, base, &first))
        return RPC_S_INVALID_BOUND;
    count = max - first;
    if (first > max || (type->length && !where->is_blank &&
                        !ndr_expr_count(type->length, base, &count)))
        return RPC_S_INVALID_BOUND;
    if (count > max - first)
        return RPC_S_INVALID_BOUND;
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < count && status == RPC_S_OK; i++)
        status = scan(g, type->element, inside(place, (first + (size_t)i) * size), where);
    return status;
}

static RPC_STATUS scan_union(struct characters_graph *g, const NDR_TYPE *type,
                             struct graph_place place, const struct where *where)
{
    struct where within = *where;
    int64_t tag;
    if (where->is_blank)
        return RPC_S_OK;
    if (ndr_is_encapsulated(type)) {
        RPC_STATUS status = new_scope(g, place, where->direction, &within.scope);
        if (status != RPC_S_OK)
            return status;
    }
    if (!ndr_union_tag(type, graph_at(g, place), base_of(g, where->scope), &tag))
        return RPC_S_INVALID_TAG;
    const NDR_ARM *arm = ndr_union_arm(type->alternatives, tag);
    if (!arm)
        return RPC_S_INVALID_TAG;
    return arm->type ? scan(g, arm->type, inside(place, ndr_arms_offset(type)), &within)
                     : RPC_S_OK;
}

static RPC_STATUS scan_pointer(struct characters_graph *g, const NDR_TYPE *type,
                               struct graph_place place, const struct where *where)
{
    struct waiting waiting = {.type = type, .place = place, .where = *where};
    if (type->flags & NDR_TYPE_IGNORE)
        return RPC_S_OK;
    if (where->is_blank && type->flags & (NDR_TYPE_UNIQUE | NDR_TYPE_FULL)) {
        ndr_store_pointer(graph_at(g, place), NULL);
        return RPC_S_OK;
    }
    if (is_characters(type->element))
        return add_array(g, type->element, place, false, where);
    return ndr_list_push(&g->waiting, &waiting) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

static RPC_STATUS scan(struct characters_graph *g, const NDR_TYPE *type, struct graph_place place,
                       const struct where *where)
{
    if (!(type->flags & NDR_TYPE_HAS_CHARACTERS))
        return RPC_S_OK;
    if (is_characters(type))
        return add_array(g, type, place, true, where);
    switch (type->kind) {
    case NDR_KIND_STRUCT:
        return scan_fields(g, type, place, where);
    case NDR_KIND_ARRAY:
        return scan_elements(g, type, place, where);
    case NDR_KIND_UNION:
        return scan_union(g, type, place, where);
    case NDR_KIND_POINTER:
        return scan_pointer(g, type, place, where);
    default:
        return RPC_S_OK;
    }
}

/* What is to be followed comes in the order of the wire. */
static RPC_STATUS scan_in_order(struct characters_graph *g, const NDR_TYPE *type,
                                struct graph_place place, const struct where *where)
{
    const size_t first = g->waiting.count;
    RPC_STATUS status = scan(g, type, place, where);
    ndr_list_reverse(&g->waiting, first);
    return status;
}

/* ---- Objects ----------------------------------------------------------------------------- */

/* The program's string at the end of a structure. */
static uint32_t string_count(const NDR_TYPE *type, const uint8_t *text)
{
    const size_t size = ndr_memory_size(type->element);
    uint32_t count = 1;
    for (; text[0] != 0 || (size > 1 && text[1] != 0); text += size)
        count++;
    return count;
}

/* Octets of the program's object, which is to be copied. */
static RPC_STATUS object_size(const struct characters_graph *g, const NDR_TYPE *type,
                              const uint8_t *memory, const struct where *where, size_t *ret_size)
{
    size_t base, offset;
    uint32_t count;
    if (type->kind == NDR_KIND_ARRAY && type->max_count) {
        if (!ndr_expr_count(type->max_count, base_of(g, where->scope), &count))
            return RPC_S_INVALID_BOUND;
        *ret_size = count * ndr_memory_size(type->element);
        return RPC_S_OK;
    }
    const NDR_TYPE *tail = ndr_conformant_tail(type, &base, &offset);
    *ret_size = ndr_memory_size(type);
    if (!tail)
        return RPC_S_OK;
    if (where->is_blank)
        return RPC_S_CANNOT_SUPPORT; /* nobody says how large it is */
    if (!tail->max_count)
        count = string_count(tail, memory + offset);
    else if (!ndr_expr_count(tail->max_count, memory + base, &count))
        return RPC_S_INVALID_BOUND;
    const NDR_CS_TYPE *how = tail->element->characters;
    size_t size = offset + count * (how ? how->element_size : ndr_memory_size(tail->element));
    if (size > *ret_size)
        *ret_size = size;
    return RPC_S_OK;
}

static RPC_STATUS know(struct characters_graph *g, const NDR_TYPE *type, const void *address,
                       uint32_t object)
{
    struct ndr_alias alias = {
        .key = (uintptr_t)address, .type = type, .capacity = object};
    return ndr_alias_add(&g->known, &alias) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

RPC_STATUS graph_note_successors(struct characters_graph *g)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < g->objects.count && status == RPC_S_OK; i++) {
        const struct graph_object *object = graph_object_at(g, i);
        if (object->successor)
            status = know(g, object->type, object->successor, i);
    }
    return status;
}

static RPC_STATUS copy_object(struct characters_graph *g, const NDR_TYPE *type,
                              struct graph_place slot, const struct where *where,
                              struct graph_object *object)
{
    size_t size;
    object->program = object->memory;
    RPC_STATUS status = object_size(g, type, object->program, where, &size);
    if (status != RPC_S_OK)
        return status;
    object->memory = graph_own(g, size);
    if (!object->memory)
        return RPC_S_OUT_OF_MEMORY;
    memcpy(object->memory, object->program, size);
    ndr_store_pointer(graph_at(g, slot), object->memory);
    return know(g, type, object->program, (uint32_t)g->objects.count);
}

static RPC_STATUS follow(struct characters_graph *g, const struct waiting *pointer)
{
    const NDR_TYPE *type = pointer->type->element;
    struct where where = pointer->where;
    struct graph_slot slot = {.place = pointer->place, .object = (uint32_t)g->objects.count};
    struct graph_object object = {.type = type,
                                  .memory = ndr_load_pointer(graph_at(g, pointer->place)),
                                  .scope = where.scope,
                                  .direction = where.direction};
    if (!object.memory)
        return RPC_S_OK;
    if (++where.depth > NDR_DEPTH_MAX)
        return RPC_S_OUT_OF_RESOURCES;
    const struct ndr_alias *same =
        pointer->type->flags & NDR_TYPE_FULL
            ? ndr_alias_find(&g->known, (uintptr_t)object.memory, type) : NULL;
    if (same) {
        slot.object = same->capacity;
        ndr_store_pointer(graph_at(g, slot.place), graph_object_at(g, slot.object)->memory);
        return ndr_list_push(&g->slots, &slot) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    }
    RPC_STATUS status = RPC_S_OK;
    where.is_blank |= g->is_request && !(where.direction & NDR_PARAM_IN);
    if (g->mode == GRAPH_COPY) {
        status = copy_object(g, type, pointer->place, &where, &object);
    } else if (g->mode == GRAPH_ANSWER) {
        const struct graph_object *own = graph_find(g->request, object.memory);
        object.program = own ? own->program : NULL;
    }
    if (status == RPC_S_OK)
        status = know(g, type, object.memory, slot.object);
    if (status != RPC_S_OK)
        return status;
    if (!ndr_list_push(&g->objects, &object) || !ndr_list_push(&g->slots, &slot))
        return RPC_S_OUT_OF_MEMORY;
    return scan_in_order(g, type, (struct graph_place){.object = slot.object}, &where);
}

/* Does the parameter have a value now?  A result has none before the answer. */
static bool has_value(const NDR_PARAM *param, uint32_t direction)
{
    const uint32_t travels = param->flags & (NDR_PARAM_IN | NDR_PARAM_OUT);
    if (!(param->type->flags & NDR_TYPE_HAS_CHARACTERS) || !(travels & direction))
        return false;
    return !(param->flags & NDR_PARAM_RETURN) || direction == NDR_PARAM_OUT;
}

RPC_STATUS graph_gather(struct characters_graph *g, uint32_t direction)
{
    uint32_t scope;
    g->is_request = (direction & NDR_PARAM_IN) != 0;
    RPC_STATUS status = ndr_list_push(&g->objects, &g->frame) ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    if (status == RPC_S_OK)
        status = new_scope(g, (struct graph_place){0}, 0, &scope);
    for (uint32_t i = 0; i < g->op->param_count && status == RPC_S_OK; i++) {
        const NDR_PARAM *param = &g->op->params[i];
        const struct where where = {.direction = param->flags & (NDR_PARAM_IN | NDR_PARAM_OUT)};
        if (!has_value(param, direction))
            continue;
        status = scan_in_order(g, param->type, (struct graph_place){.offset = param->offset}, &where);
        while (status == RPC_S_OK && g->waiting.count > 0) {
            struct waiting waiting;
            ndr_list_pop(&g->waiting, &waiting);
            status = follow(g, &waiting);
        }
    }
    return status;
}
