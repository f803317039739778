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

static json_t *show_wide(const uint8_t *memory, size_t count)
{
    char16_t *units = malloc((count + 1) * sizeof(*units));
    char *text = malloc(3 * count + 1);
    json_t *json = NULL;
    if (units && text) {
        memcpy(units, memory, count * sizeof(*units));
        ssize_t len = utf16_to_utf8(units, count, text, 3 * count, UTF_STRICT);
        if (len >= 0)
            json = json_stringn(text, (size_t)len);
    }
    free(units);
    free(text);
    return json;
}

json_t *show_text(const NDR_TYPE *type, const uint8_t *memory, size_t count)
{
    if (type->element->kind == NDR_KIND_WCHAR)
        return show_wide(memory, count);
    if (!value_is_octet(type->element->kind))
        return NULL;
    if (type->kind == NDR_KIND_ARRAY)
        return show_hex(memory, count);
    json_t *json = json_stringn((const char *)memory, count);
    if (json)
        return json;
    json = show_hex(memory, count); /* not UTF-8 */
    return json ? json_pack("{s:o}", "hex", json) : NULL;
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

json_t *show_form(const NDR_TYPE *type, const uint8_t *memory)
{
    char text[UUID_TEXT_LEN + 1];
    UUID uuid;
    switch (idl_type_of(type)->form) {
    case IDL_FORM_CONTEXT:
        return show_context(memory);
    case IDL_FORM_GUID:
        memcpy(&uuid, memory, sizeof(uuid));
        uuid_format(&uuid, text);
        return json_string(text);
    case IDL_FORM_PLAIN:
        break;
    }
    return NULL;
}
