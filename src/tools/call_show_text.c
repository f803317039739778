/* SPDX-License-Identifier: MIT */
/* call_show_text.c - scalars, characters and octets as JSON. */
#include "call_value.h"

#include "base/utf16.h"
#include "base/uuid.h"
#include "idl/describe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

static json_t *show_real(double value)
{
    if (isnan(value))
        return json_string("NaN");
    if (isinf(value))
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    return json_real(value);
}

json_t *show_scalar(const NDR_TYPE *type, const uint8_t *memory)
{
    const struct idl_type *info = idl_type_of(type);
    int64_t value;
    float single;
    double number;
    if (type->kind == NDR_KIND_FLOAT) {
        memcpy(&single, memory, sizeof(single));
        return show_real((double)single);
    }
    if (type->kind == NDR_KIND_DOUBLE) {
        memcpy(&number, memory, sizeof(number));
        return show_real(number);
    }
    if (!value_load(type->kind, memory, &value))
        return json_null();
    if (type->kind == NDR_KIND_BOOLEAN && (value == 0 || value == 1))
        return json_boolean(value);
    for (uint32_t i = 0; i < info->enumerator_count; i++) {
        if (info->enumerators[i].value == value)
            return json_string(info->enumerators[i].name);
    }
    if (value_is_unsigned(type->kind) && value < 0) { /* no number of the JSON library */
        char text[24];
        snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)value);
        return json_string(text);
    }
    return json_integer(value);
}

/* ---- Characters and octets ------------------------------------------------------------------------ */

static json_t *show_hex(const uint8_t *memory, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * count + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[memory[i] >> 4];
        text[2 * i + 1] = digits[memory[i] & 15];
    }
    json_t *json = json_stringn_nocheck(text, 2 * count);
    free(text);
    return json;
}

/* *ret_json stays NULL where it is not well formed. */
static bool show_wide(const uint8_t *memory, size_t count, json_t **ret_json)
{
    char16_t *units = malloc((count + 1) * sizeof(*units));
    char *text = malloc(3 * count + 1);
    ssize_t len = -1;
    bool ok = units && text;
    if (ok) {
        memcpy(units, memory, count * sizeof(*units));
        len = utf16_to_utf8(units, count, text, 3 * count, UTF_STRICT);
    }
    if (len >= 0) {
        *ret_json = json_stringn(text, (size_t)len);
        ok = *ret_json != NULL;
    }
    free(units);
    free(text);
    return ok;
}

static json_t *show_narrow(const uint8_t *memory, size_t count)
{
    const char *text = (const char *)memory;
    if (utf16_from_utf8(text, count, NULL, 0, UTF_STRICT) >= 0)
        return json_stringn(text, count);
    json_t *digits = show_hex(memory, count), *object = json_object();
    if (digits && object && json_object_set(object, "hex", digits) == 0) {
        json_decref(digits);
        return object;
    }
    json_decref(digits);
    json_decref(object);
    return NULL;
}

bool show_text(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory, size_t count,
               json_t **ret_json)
{
    bool ok = true;
    *ret_json = NULL;
    if (type->element->kind == NDR_KIND_WCHAR) {
        ok = show_wide(memory, count, ret_json);
    } else if (value_is_octet(type->element->kind)) {
        *ret_json = type->kind == NDR_KIND_ARRAY ? show_hex(memory, count)
                                                 : show_narrow(memory, count);
        ok = *ret_json != NULL;
    }
    return ok || value_out_of_memory(walk);
}

/* ---- Structures that are one text ------------------------------------------------------------------- */

/* As it travels, little-endian; all zeros are null. */
static json_t *show_context(const uint8_t *memory)
{
    static const uint8_t nothing[20];
    uint8_t octets[20];
    uint32_t words[2];
    uint16_t halves[2];
    if (memcmp(memory, nothing, sizeof(nothing)) == 0)
        return json_null();
    memcpy(words, memory, 8);
    memcpy(halves, memory + 8, 4);
    for (unsigned i = 0; i < 8; i++)
        octets[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
    for (unsigned i = 0; i < 4; i++)
        octets[8 + i] = (uint8_t)(halves[i / 2] >> (8 * (i % 2)));
    memcpy(octets + 12, memory + 12, 8);
    return show_hex(octets, sizeof(octets));
}

bool show_form(struct value_walk *walk, const NDR_TYPE *type, const uint8_t *memory,
               json_t **ret_json)
{
    char text[UUID_TEXT_LEN + 1];
    UUID uuid;
    *ret_json = NULL;
    switch (idl_type_of(type)->form) {
    case IDL_FORM_PLAIN:
        return true;
    case IDL_FORM_CONTEXT:
        *ret_json = show_context(memory);
        break;
    case IDL_FORM_GUID:
        memcpy(&uuid, memory, sizeof(uuid));
        uuid_format(&uuid, text);
        *ret_json = json_string(text);
        break;
    }
    return *ret_json != NULL || value_out_of_memory(walk);
}
