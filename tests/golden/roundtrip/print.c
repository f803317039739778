/* SPDX-License-Identifier: MIT */
/* print.c - all of a value as text: what both sides compare.  RpcxNdrPrint shortens. */
#include <inttypes.h>
#include <string.h>

#include "shape.h"
#include "values.h"

static void print_scalar(struct text *text, const NDR_TYPE *type, const void *memory)
{
    int64_t value;
    float single;
    double number;
    if (type->kind == NDR_KIND_FLOAT) {
        memcpy(&single, memory, sizeof(single));
        text_add(text, "%a", (double)single);
    } else if (type->kind == NDR_KIND_DOUBLE) {
        memcpy(&number, memory, sizeof(number));
        text_add(text, "%a", number);
    } else if (scalar_load(type->kind, memory, &value)) {
        text_add(text, "%" PRId64, value);
    } else {
        die("no text for kind %d", (int)type->kind);
    }
}

static void print_string(struct text *text, const NDR_TYPE *type, const char *memory)
{
    size_t size = scalar_size(type->element->kind), len = string_len(type, memory);
    text_add(text, "\"");
    for (size_t i = 0; i < len; i++) {
        int64_t value = 0;
        scalar_load(type->element->kind, memory + i * size, &value);
        if (value > ' ' && value < 0x7f && value != '"' && value != '\\')
            text_add(text, "%c", (char)value);
        else
            text_add(text, "\\%" PRIx64 ";", (uint64_t)value & 0xffff);
    }
    text_add(text, "\"");
}

static void print_pointer(struct text *text, struct printed *printed, const NDR_TYPE *type,
                          const void *memory, const void *base)
{
    const void *object = pointer_load(memory);
    if (type->flags & NDR_TYPE_IGNORE) {
        text_add(text, "ignored");
        return;
    }
    if (!object) {
        text_add(text, "NULL");
        return;
    }
    if (type->flags & NDR_TYPE_FULL) {
        for (size_t i = 0; i < printed->count; i++) {
            if (printed->objects[i] == object) {
                text_add(text, "^%zu", i);
                return;
            }
        }
        if (printed->count == FULL_MAX)
            die("too many objects");
        text_add(text, "&%zu:", printed->count);
        printed->objects[printed->count++] = object;
    } else {
        text_add(text, "&");
    }
    value_print(text, printed, type->element, object, base);
}

static void print_converted(struct text *text, struct printed *printed, const NDR_TYPE *type,
                            const void *memory)
{
    void *value = (void *)(uintptr_t)memory; /* the routines are said to take it so */
    if (!type->conversion->to_wire) {
        const struct golden_user_type *user = printed->golden->user_types;
        while (strcmp(user->name, type->name) != 0)
            user++;
        user->print(text, memory);
        return;
    }
    void *wire = NULL;
    type->conversion->to_wire(value, &wire);
    value_print(text, printed, type->element, wire, NULL);
    type->conversion->free_wire(wire);
}

static void print_elements(struct text *text, struct printed *printed, const NDR_TYPE *type,
                           const char *memory, const void *base)
{
    struct shape s;
    if (!shape_of(type, base, &s)) {
        text_add(text, "[no size]");
        return;
    }
    size_t size = storage_size(type->element, base, 0);
    text_add(text, "%" PRId64 "[%" PRId64 ":", s.max, s.first);
    for (int64_t i = s.first; i < s.first + s.count; i++) {
        text_add(text, " ");
        value_print(text, printed, type->element, memory + (size_t)i * size, base);
    }
    text_add(text, "]");
}

static void print_union(struct text *text, struct printed *printed, const NDR_TYPE *type,
                        const char *memory, const void *base)
{
    int64_t tag;
    if (!union_tag(type, memory, base, &tag)) {
        text_add(text, "<no tag>");
        return;
    }
    text_add(text, "<%" PRId64 ">", tag);
    const NDR_ARM *arm = union_arm(type, tag);
    if (!arm || !arm->type)
        return;
    text_add(text, "%s=", arm->name ? arm->name : "");
    if (is_encapsulated(type))
        value_print(text, printed, arm->type, memory + type->alternatives->arms_offset, memory);
    else
        value_print(text, printed, arm->type, memory, base);
}

void value_print(struct text *text, struct printed *printed, const NDR_TYPE *type,
                 const void *memory, const void *base)
{
    switch (type->kind) {
    case NDR_KIND_POINTER:
        print_pointer(text, printed, type, memory, base);
        break;
    case NDR_KIND_STRUCT:
        text_add(text, "{");
        for (uint32_t i = 0; i < type->count; i++) {
            const NDR_FIELD *field = &type->fields[i];
            text_add(text, "%s%s=", i > 0 ? ", " : "", field->name ? field->name : "");
            value_print(text, printed, field->type, (const char *)memory + field->offset, memory);
        }
        text_add(text, "}");
        break;
    case NDR_KIND_UNION:
        print_union(text, printed, type, memory, base);
        break;
    case NDR_KIND_ARRAY:
        print_elements(text, printed, type, memory, base);
        break;
    case NDR_KIND_STRING:
        print_string(text, type, memory);
        break;
    case NDR_KIND_CONTEXT:
        text_add(text, "context %u", printed->context_number(type, pointer_load(memory)));
        break;
    case NDR_KIND_CONVERTED:
        print_converted(text, printed, type, memory);
        break;
    default:
        print_scalar(text, type, memory);
        break;
    }
}
