/* SPDX-License-Identifier: MIT */
/* characters.c - parameters with [cs_char] as C has them.  Descriptors have the octets that are
 * sent; in memory there are characters at the same places. */
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

static NDR_TYPE *local_type(const NDR_TYPE *type, const NDR_CS_ARRAY *array)
{
    NDR_TYPE *copy = copy_of(type, sizeof(*type));
    if (type->kind == NDR_KIND_POINTER || type->kind == NDR_KIND_ARRAY) {
        copy->element = local_type(type->element, array);
        if (type->kind == NDR_KIND_ARRAY)
            copy->size = type->count * (type->element->kind == NDR_KIND_STRUCT
                                            ? type->element->size : array->element_size);
    } else if (type->kind == NDR_KIND_STRUCT) {
        NDR_FIELD *fields = copy_of(type->fields, type->count * sizeof(*fields));
        copy->fields = fields;
        for (uint32_t i = 0; i < type->count; i++) {
            if (fields[i].offset != array->offset)
                continue;
            fields[i].type = local_type(type->fields[i].type, array);
            fields[i].range = &character_range;
        }
    } else {
        copy->kind = array->element_size == 4 ? NDR_KIND_UINT32 : NDR_KIND_UINT8;
        copy->size = array->element_size;
        copy->name = "character";
    }
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
    for (uint32_t i = 0; i < characters->array_count; i++) {
        const NDR_CS_ARRAY *array = &characters->arrays[i];
        uint32_t offset = array->structure ? array->parameter : array->offset;
        for (uint32_t p = 0; p < operation->param_count; p++) {
            if (params[p].offset != offset)
                continue;
            params[p].type = local_type(params[p].type, array);
            if (!array->structure)
                params[p].range = &character_range;
        }
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
