/* SPDX-License-Identifier: MIT */
/* characters.c - parameters with [cs_char] as C has them.  Descriptors have the octets that are
 * sent; in memory there are characters at the same places. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "shape.h"

/* Zero ends what is sent; the routines of support/characters.h have 255 others. */
static const NDR_RANGE character_range = {1, 255};

static void *copy_of(const void *original, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (!copy)
        die("no memory");
    memcpy(copy, original, size);
    return copy;
}

/* Types lead to each other. */
static struct {
    const NDR_TYPE *original;
    NDR_TYPE *local;
} types[512];
static size_t type_count;

static const NDR_TYPE *local_type(const NDR_TYPE *type);

/* Are the integers in it characters? */
static bool is_text(const NDR_TYPE *type)
{
    while (type->kind == NDR_KIND_POINTER || type->kind == NDR_KIND_ARRAY)
        type = type->element;
    return type->characters != NULL;
}

static const NDR_ARM *local_arms(const NDR_ARM *arms, uint32_t count)
{
    NDR_ARM *copy = copy_of(arms, count * sizeof(*arms));
    for (uint32_t i = 0; i < count; i++) {
        if (!copy[i].type)
            continue;
        if (is_text(copy[i].type))
            copy[i].range = &character_range;
        copy[i].type = local_type(copy[i].type);
    }
    return copy;
}

static void make_local(NDR_TYPE *copy)
{
    if (copy->characters) {
        copy->kind = copy->characters->element_size == 4 ? NDR_KIND_UINT32 : NDR_KIND_UINT8;
        copy->size = copy->characters->element_size;
        copy->name = "character";
    }
    if (copy->element) {
        const NDR_CS_TYPE *characters = copy->element->characters;
        copy->element = local_type(copy->element);
        if (copy->kind == NDR_KIND_ARRAY && characters)
            copy->size = copy->count * characters->element_size;
    }
    if (copy->kind == NDR_KIND_STRUCT) {
        NDR_FIELD *fields = copy_of(copy->fields, copy->count * sizeof(*fields));
        for (uint32_t i = 0; i < copy->count; i++) {
            if (is_text(fields[i].type))
                fields[i].range = &character_range;
            fields[i].type = local_type(fields[i].type);
        }
        copy->fields = fields;
    }
    if (copy->kind == NDR_KIND_UNION) {
        NDR_UNION *arms = copy_of(copy->alternatives, sizeof(*arms));
        arms->arms = local_arms(arms->arms, arms->arm_count);
        if (arms->otherwise)
            arms->otherwise = local_arms(arms->otherwise, 1);
        copy->alternatives = arms;
    }
}

static const NDR_TYPE *local_type(const NDR_TYPE *type)
{
    if (!(type->flags & NDR_TYPE_HAS_CHARACTERS))
        return type;
    for (size_t i = 0; i < type_count; i++)
        if (types[i].original == type)
            return types[i].local;
    if (type_count == sizeof(types) / sizeof(types[0]))
        die("too many types with characters");
    NDR_TYPE *copy = copy_of(type, sizeof(*type));
    types[type_count].original = type;
    types[type_count++].local = copy;
    make_local(copy);
    return copy;
}

static void leave_tag(NDR_OPERATION *operation, NDR_PARAM *params, uint32_t offset)
{
    for (uint32_t i = 0; i < operation->param_count; i++)
        if (params[i].offset == offset)
            params[i].flags = NDR_PARAM_BINDING; /* the routine's, not an argument */
}

const NDR_OPERATION *local_operation(const NDR_OPERATION *operation)
{
    static struct {
        const NDR_OPERATION *original, *local;
    } known[64];
    const NDR_CHARACTERS *characters = operation->characters;
    if (!characters)
        return operation;
    size_t k = 0;
    for (; k < 63 && known[k].original; k++)
        if (known[k].original == operation)
            return known[k].local;
    NDR_OPERATION *local = copy_of(operation, sizeof(*operation));
    NDR_PARAM *params = copy_of(operation->params, operation->param_count * sizeof(*params));
    local->params = params;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (is_text(params[i].type))
            params[i].range = &character_range;
        params[i].type = local_type(params[i].type);
    }
    if (characters->tag_routine) {
        leave_tag(local, params, characters->stag);
        leave_tag(local, params, characters->drtag);
        leave_tag(local, params, characters->rtag);
    }
    known[k].original = operation;
    known[k].local = local;
    return local;
}
