/* SPDX-License-Identifier: MIT */
/* call_element.c - see call_element.h.  Elements hold no pointers and no unions: base types,
 * [v1_enum], fixed arrays and structures of these. */
#include "call_element.h"

#include "call_value.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

size_t element_raw_size(const NDR_TYPE *type)
{
    size_t size = 0;
    if (type->kind == NDR_KIND_ARRAY)
        return type->count * element_raw_size(type->element);
    if (type->kind != NDR_KIND_STRUCT)
        return value_size(type);
    for (uint32_t i = 0; i < type->count; i++)
        size += element_raw_size(type->fields[i].type);
    return size;
}

/* Memory is the file's form. */
static bool is_raw(const NDR_TYPE *type)
{
    return BYTE_ORDER == LITTLE_ENDIAN && element_raw_size(type) == value_size(type);
}

static void swap_copy(const uint8_t *from, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[BYTE_ORDER == LITTLE_ENDIAN ? i : size - 1 - i];
}

/* One value; the octets behind it in the file. */
static uint8_t *move(const NDR_TYPE *type, uint8_t *raw, uint8_t *memory, bool to_raw)
{
    if (type->kind == NDR_KIND_STRUCT) {
        for (uint32_t i = 0; i < type->count; i++)
            raw = move(type->fields[i].type, raw, memory + type->fields[i].offset, to_raw);
        return raw;
    }
    if (type->kind == NDR_KIND_ARRAY) {
        size_t size = value_size(type->element);
        for (uint32_t i = 0; i < type->count; i++)
            raw = move(type->element, raw, memory + i * size, to_raw);
        return raw;
    }
    size_t size = value_size(type);
    if (to_raw)
        swap_copy(memory, raw, size);
    else
        swap_copy(raw, memory, size);
    return raw + size;
}

void element_from_raw(const NDR_TYPE *type, const uint8_t *raw, uint8_t *memory, size_t count)
{
    size_t size = value_size(type);
    uint8_t *at = (uint8_t *)(uintptr_t)raw; /* read only */
    if (is_raw(type)) {
        memcpy(memory, raw, count * size);
        return;
    }
    memset(memory, 0, count * size);
    for (size_t i = 0; i < count; i++)
        at = move(type, at, memory + i * size, false);
}

void element_to_raw(const NDR_TYPE *type, const uint8_t *memory, uint8_t *raw, size_t count)
{
    size_t size = value_size(type);
    if (is_raw(type)) {
        memcpy(raw, memory, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++)
        raw = move(type, raw, (uint8_t *)(uintptr_t)memory + i * size, true);
}
