/* SPDX-License-Identifier: MIT */
/* call_frame.c - the arguments of an operation into its frame. */
#include "call_fill.h"

#include "call_memory.h"

#include <stdlib.h>

/* Room for an [out] parameter; the runtime makes what lies behind further pointers. */
static bool prepare_out(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                        const struct scope *scope)
{
    size_t size = value_size(type);
    uint32_t count;
    if (type->kind != NDR_KIND_POINTER || !(type->flags & NDR_TYPE_REF))
        return true;
    const NDR_TYPE *pointee = type->element;
    size = value_size(pointee);
    if (pointee->max_count && pointee->count == 0) {
        if (!fill_count_of(walk, pointee->max_count, scope, "size", &count))
            return false;
        size = (size_t)count * value_size(pointee->element);
    }
    uint8_t *room = call_allocate(size);
    if (!room)
        return value_out_of_memory(walk);
    fill_store_pointer(memory, room);
    return true;
}

static bool fill_params(struct value_walk *walk, const NDR_OPERATION *operation,
                        struct scope *scope, NDR_FIELD *members, const json_t *arguments)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value)
    {
        for (uint32_t i = 0; i < operation->param_count; i++) {
            const NDR_PARAM *param = &operation->params[i];
            if (strcmp(param->name, key) == 0 && param->type->kind == NDR_KIND_PIPE)
                return value_fail(walk, "'%s' is a pipe: use --in-pipe or --out-pipe", key);
            if (strcmp(param->name, key) == 0 && value_is_data(param) &&
                !(param->flags & NDR_PARAM_IN))
                return value_fail(walk, "'%s' is an [out] parameter: the server gives it", key);
        }
    }
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!value_is_data(param) || !(param->flags & NDR_PARAM_IN))
            members[i].type = NULL; /* nobody gives it */
    }
    if (!fill_check_members(walk, scope, arguments, "argument") ||
        !fill_members(walk, scope, arguments))
        return false;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!value_is_data(param) || param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN))
            continue;
        size_t mark = value_enter(walk, param->name);
        bool ok = mark != SIZE_MAX &&
                  prepare_out(walk, param->type, scope->base + param->offset, scope);
        value_leave(walk, mark);
        if (!ok)
            return false;
    }
    return true;
}

bool value_fill_frame(struct value_walk *walk, const NDR_OPERATION *operation, uint8_t *frame,
                      const json_t *arguments)
{
    NDR_FIELD *members = value_frame_members(operation);
    struct scope scope = {.base = frame, .members = members, .count = operation->param_count};
    scope.known = calloc(operation->param_count + 1, 1);
    bool ok = members && scope.known ? json_is_object(arguments) ||
                                           fill_fail_found(walk, "an object with the arguments", arguments)
                                     : value_out_of_memory(walk);
    if (ok)
        ok = fill_params(walk, operation, &scope, members, arguments);
    free(members);
    free(scope.known);
    return ok;
}
