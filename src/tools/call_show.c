/* SPDX-License-Identifier: MIT */
/* call_show.c - memory as JSON: pointers, structures, arrays and unions.
 *
 * The runtime has checked what came against the types; what it cannot know is how much
 * memory the caller's own counts promised before the call, so each pointee is held against
 * the size of its block. */
#include "call_memory.h"
#include "call_value.h"

#include "idl/describe.h"

#include <stdlib.h>
#include <string.h>

/* Memory, and where what is there ends. */
struct place {
    const uint8_t *memory, *end;
};

static json_t *show(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                    const struct scope *scope);

static json_t *out_of_memory(struct value_walk *walk, json_t *half)
{
    json_decref(half);
    value_out_of_memory(walk);
    return NULL;
}

static bool fits(struct value_walk *walk, struct place place, size_t size)
{
    return (size_t)(place.end - place.memory) >= size ||
           value_fail(walk, "the server says it is larger than the room that was made for it");
}

static bool count_of(struct value_walk *walk, const NDR_EXPR *expr, const struct scope *scope,
                     uint32_t *ret_count)
{
    int64_t value;
    if (expr_value(expr, scope, &value) != EXPR_OK || value < 0 || value > UINT32_MAX)
        return value_fail(walk, "its size has no value");
    *ret_count = (uint32_t)value;
    return true;
}

/* ---- Arrays ----------------------------------------------------------------------------------- */

static json_t *show_string(struct value_walk *walk, const NDR_TYPE *type, struct place place)
{
    size_t size = value_size(type->element), count = 0;
    size_t room = (size_t)(place.end - place.memory) / size;
    if (type->count > 0 && type->count < room)
        room = type->count;
    while (count < room) {
        const uint8_t *at = place.memory + count * size;
        if (at[0] == 0 && (size == 1 || at[1] == 0))
            break;
        count++;
    }
    json_t *text;
    if (!show_text(walk, type, place.memory, count, &text) || text)
        return text;
    text = json_array(); /* not well formed: the codes */
    for (size_t i = 0; text && i < count; i++) {
        if (json_array_append_new(text, show_scalar(type->element, place.memory + i * size)) != 0)
            return out_of_memory(walk, text);
    }
    return text ? text : out_of_memory(walk, NULL);
}

static json_t *show_elements(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                             const struct scope *scope, uint32_t count)
{
    size_t size = value_size(type->element);
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < count; i++) {
        const uint8_t *at = place.memory + i * size;
        size_t mark = value_enter_index(walk, i);
        json_t *element =
            mark == SIZE_MAX ? NULL : show(walk, type->element, (struct place){at, at + size}, scope);
        value_leave(walk, mark);
        if (!element || json_array_append_new(array, element) != 0)
            return out_of_memory(walk, array);
    }
    return array ? array : out_of_memory(walk, NULL);
}

static json_t *show_array(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                          const struct scope *scope)
{
    uint32_t capacity = type->count, first = 0, count;
    size_t size = value_size(type->element);
    if (type->kind == NDR_KIND_STRING)
        return show_string(walk, type, place);
    if (capacity == 0 && !count_of(walk, type->max_count, scope, &capacity))
        return NULL;
    if (type->first && !count_of(walk, type->first, scope, &first))
        return NULL;
    count = first < capacity ? capacity - first : 0;
    if (type->length && !count_of(walk, type->length, scope, &count))
        return NULL;
    if (!fits(walk, place, ((size_t)first + count) * size))
        return NULL;
    place.memory += first * size;
    json_t *text;
    if (!show_text(walk, type, place.memory, count, &text) || text)
        return text;
    return show_elements(walk, type, place, scope, count);
}

/* ---- Structures and unions ----------------------------------------------------------------------- */

/* An anonymous member's members are those of the structure. */
static bool put(struct value_walk *walk, json_t *object, const char *name, json_t *value)
{
    if (!value)
        return false;
    if (*name == '\0' && json_is_object(value)) {
        bool ok = json_object_update(object, value) == 0;
        json_decref(value);
        return ok || value_out_of_memory(walk);
    }
    if (*name == '\0') { /* an empty arm */
        json_decref(value);
        return true;
    }
    return json_object_set_new(object, name, value) == 0 || value_out_of_memory(walk);
}

static json_t *show_struct(struct value_walk *walk, const NDR_TYPE *type, struct place place)
{
    /* Read only. */
    const struct scope scope = {.base = (uint8_t *)(uintptr_t)place.memory,
                                .members = type->fields,
                                .count = type->count};
    json_t *object;
    if (!show_form(walk, type, place.memory, &object) || object)
        return object;
    object = json_object();
    if (!object)
        return out_of_memory(walk, NULL);
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        struct place at = {place.memory + field->offset, place.end};
        size_t mark = value_enter(walk, field->name);
        json_t *value = mark == SIZE_MAX ? NULL : show(walk, field->type, at, &scope);
        value_leave(walk, mark);
        if (!put(walk, object, field->name, value)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *show_arm(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                        int64_t tag)
{
    static const struct scope none;
    const NDR_ARM *arm = value_arm(type->alternatives, tag);
    if (!arm || !arm->type)
        return json_null();
    const char *name = *arm->name != '\0' ? arm->name : "unnamed";
    size_t mark = value_enter(walk, name);
    place.memory += type->alternatives->arms_offset;
    json_t *value = mark == SIZE_MAX ? NULL : show(walk, arm->type, place, &none);
    value_leave(walk, mark);
    if (!value)
        return NULL;
    json_t *object = json_object();
    if (!object)
        return out_of_memory(walk, value);
    if (json_object_set_new(object, name, value) != 0)
        return out_of_memory(walk, object);
    return object;
}

static json_t *show_union(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                          const struct scope *scope)
{
    const struct idl_type *info = idl_type_of(type);
    const NDR_UNION *u = type->alternatives;
    int64_t tag;
    uint64_t room = 0;
    if (u->switch_is) {
        if (expr_value(u->switch_is, scope, &tag) != EXPR_OK ||
            !value_store(u->switch_kind, &room, tag)) {
            value_fail(walk, "its discriminant has no value");
            return NULL;
        }
        return show_arm(walk, type, place, tag);
    }
    if (!value_load(u->switch_kind, place.memory + u->switch_offset, &tag))
        return json_null();
    size_t mark = value_enter(walk, info->arms_name);
    json_t *arm = mark == SIZE_MAX ? NULL : show_arm(walk, type, place, tag);
    value_leave(walk, mark);
    json_t *object = arm ? json_object() : NULL;
    if (!object || json_object_set_new(object, info->tag_name,
                                       show_scalar(info->tag_type,
                                                   place.memory + u->switch_offset)) != 0) {
        json_decref(arm);
        return out_of_memory(walk, object);
    }
    if (json_object_set_new(object, info->arms_name, arm) != 0)
        return out_of_memory(walk, object);
    return object;
}

/* ---- Pointers --------------------------------------------------------------------------------------- */

static json_t *show_pointer(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                            const struct scope *scope)
{
    const uint8_t *pointee;
    memcpy(&pointee, place.memory, sizeof(pointee));
    if (!pointee || type->flags & NDR_TYPE_IGNORE) /* of these nothing is received */
        return json_null();
    const struct alias *alias =
        type->flags & NDR_TYPE_FULL ? value_alias_at(walk, pointee, type->element) : NULL;
    if (alias) {
        json_t *object = json_pack("{s:s}", "$same", alias->path);
        return object ? object : out_of_memory(walk, NULL);
    }
    if ((type->flags & NDR_TYPE_FULL) && !value_note_alias(walk, pointee, type->element))
        return NULL;
    struct place behind = {pointee, pointee + call_block_size(pointee)};
    json_t *value = NULL;
    if (fits(walk, behind, value_size(type->element)))
        value = show(walk, type->element, behind, scope);
    if (value && !(type->flags & NDR_TYPE_REF) && json_is_null(value)) {
        json_t *object = json_pack("{s:o}", "$to", value);
        return object ? object : out_of_memory(walk, NULL);
    }
    return value;
}

static json_t *show(struct value_walk *walk, const NDR_TYPE *type, struct place place,
                    const struct scope *scope)
{
    switch (type->kind) {
    case NDR_KIND_POINTER:
        return show_pointer(walk, type, place, scope);
    case NDR_KIND_STRUCT:
        return show_struct(walk, type, place);
    case NDR_KIND_UNION:
        return show_union(walk, type, place, scope);
    case NDR_KIND_ARRAY:
    case NDR_KIND_STRING:
        return show_array(walk, type, place, scope);
    default: {
        json_t *value = show_scalar(type, place.memory);
        return value ? value : out_of_memory(walk, NULL);
    }
    }
}

json_t *value_show_element(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory)
{
    static const struct scope none;
    return show(walk, type, (struct place){memory, memory + value_size(type)}, &none);
}

json_t *value_show_frame(struct value_walk *walk, const NDR_OPERATION *operation,
                         const uint8_t *frame)
{
    NDR_FIELD *members = value_frame_members(operation);
    const struct scope scope = {.base = (uint8_t *)(uintptr_t)frame,
                                .members = members,
                                .count = operation->param_count};
    json_t *object = members ? json_object() : NULL;
    if (!object)
        value_out_of_memory(walk);
    for (uint32_t i = 0; object && i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!(param->flags & NDR_PARAM_OUT) || !value_is_data(param))
            continue;
        /* `return` is no name that C lets a parameter have. */
        const char *name = param->flags & NDR_PARAM_RETURN ? "return" : param->name;
        struct place place = {frame + param->offset, frame + operation->frame_size};
        size_t mark = value_enter(walk, name);
        json_t *value = mark == SIZE_MAX ? NULL : show(walk, param->type, place, &scope);
        value_leave(walk, mark);
        if (!put(walk, object, name, value)) {
            json_decref(object);
            object = NULL;
        }
    }
    free(members);
    return object;
}
