/* SPDX-License-Identifier: MIT */
/* call_fill_text.c - JSON into scalars, characters and octets. */
#include "call_fill.h"

#include "base/utf16.h"
#include "base/uuid.h"
#include "idl/describe.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

static const char *fill_found(const json_t *json, char *buf, size_t size)
{
    if (!json)
        return "nothing";
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        snprintf(buf, size, "\"%.40s\"", json_string_value(json));
        return buf;
    case JSON_INTEGER:
        snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return buf;
    case JSON_REAL:
        snprintf(buf, size, "%.17g", json_real_value(json));
        return buf;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        break;
    }
    return "null";
}

bool fill_fail_found(struct value_walk *walk, const char *expected, const json_t *json)
{
    char found[64];
    return value_fail(walk, "expected %s, found %s", expected,
                      fill_found(json, found, sizeof(found)));
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static const char *const kind_names[NDR_KIND_COUNT] = {
    [NDR_KIND_BOOLEAN] = "a boolean",
    [NDR_KIND_BYTE] = "an integer from 0 to 255",
    [NDR_KIND_CHAR] = "an integer from 0 to 255 or a character",
    [NDR_KIND_INT8] = "an integer of 8 bits",
    [NDR_KIND_UINT8] = "an integer from 0 to 255",
    [NDR_KIND_INT16] = "an integer of 16 bits",
    [NDR_KIND_UINT16] = "an integer from 0 to 65535",
    [NDR_KIND_WCHAR] = "an integer from 0 to 65535 or a character",
    [NDR_KIND_INT32] = "an integer of 32 bits",
    [NDR_KIND_UINT32] = "an integer from 0 to 4294967295",
    [NDR_KIND_INT64] = "an integer of 64 bits",
    [NDR_KIND_UINT64] = "an integer from 0 to 18446744073709551615",
    [NDR_KIND_ENUM16] = "the name of an enumerator or an integer from 0 to 32767",
    [NDR_KIND_ENUM32] = "the name of an enumerator or an integer of 32 bits",
    [NDR_KIND_INT3264] = "an integer",
    [NDR_KIND_UINT3264] = "an integer of 0 or more",
    [NDR_KIND_ERROR_STATUS] = "an integer from 0 to 4294967295",
};

/* Decimal or, with 0x, hexadecimal, nothing around it.  Values of the unsigned kinds come
 * as their bits. */
static bool parse_integer(const char *text, bool is_unsigned, int64_t *ret_value)
{
    const char *digits = text + (*text == '-');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    const char *set = hex ? "0123456789abcdefABCDEF" : "0123456789";
    digits += hex ? 2 : 0;
    if (*digits == '\0' || digits[strspn(digits, set)] != '\0' || (is_unsigned && *text == '-'))
        return false;
    errno = 0;
    *ret_value = is_unsigned ? (int64_t)strtoull(text, NULL, hex ? 16 : 10)
                             : strtoll(text, NULL, hex ? 16 : 10);
    return errno == 0;
}

static bool enumerator_value(const NDR_TYPE *type, const char *name, int64_t *ret_value)
{
    const struct idl_type *info = idl_type_of(type);
    for (uint32_t i = 0; i < info->enumerator_count; i++) {
        if (strcmp(info->enumerators[i].name, name) == 0) {
            *ret_value = info->enumerators[i].value;
            return true;
        }
    }
    return false;
}

/* One character stands for its code. */
static bool character_value(NDR_KIND kind, const json_t *json, int64_t *ret_value)
{
    char16_t units[2];
    if (kind != NDR_KIND_CHAR && kind != NDR_KIND_WCHAR)
        return false;
    ssize_t count = utf16_from_utf8(json_string_value(json), json_string_length(json), units, 1,
                                    UTF_STRICT);
    *ret_value = units[0];
    return count == 1 && (kind == NDR_KIND_WCHAR || units[0] < 0x80);
}

static bool integer_value(const NDR_TYPE *type, const json_t *json, int64_t *ret_value)
{
    bool is_unsigned = value_is_unsigned(type->kind);
    if (json_is_integer(json)) {
        *ret_value = json_integer_value(json);
        return !is_unsigned || *ret_value >= 0;
    }
    if (json_is_boolean(json)) {
        *ret_value = json_is_true(json);
        return type->kind == NDR_KIND_BOOLEAN;
    }
    return json_is_string(json) &&
           (enumerator_value(type, json_string_value(json), ret_value) ||
            character_value(type->kind, json, ret_value) ||
            parse_integer(json_string_value(json), is_unsigned, ret_value));
}

static bool fill_integer(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                         uint8_t *memory, const json_t *json)
{
    int64_t value;
    if (!integer_value(type, json, &value) ||
        (type->kind == NDR_KIND_ENUM16 && (value < 0 || value > INT16_MAX)) ||
        !value_store(type->kind, memory, value))
        return fill_fail_found(walk, kind_names[type->kind], json);
    if (range && (value < range->low || value > range->high))
        return value_fail(walk, "expected %lld to %lld ([range]), found %lld",
                          (long long)range->low, (long long)range->high, (long long)value);
    return true;
}

static bool fill_real(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory,
                      const json_t *json)
{
    const char *text = json_string_value(json);
    double value = json_number_value(json);
    if (text && strcmp(text, "NaN") == 0)
        value = NAN;
    else if (text && strcmp(text, "Infinity") == 0)
        value = INFINITY;
    else if (text && strcmp(text, "-Infinity") == 0)
        value = -INFINITY;
    else if (!json_is_number(json))
        return fill_fail_found(walk, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"", json);
    float single = (float)value;
    if (type->kind == NDR_KIND_DOUBLE) {
        memcpy(memory, &value, sizeof(value));
        return true;
    }
    if (isinf(single) && !isinf(value))
        return fill_fail_found(walk, "a number within the range of a float", json);
    memcpy(memory, &single, sizeof(single));
    return true;
}

bool fill_scalar(struct value_walk *walk, const NDR_TYPE *type, const NDR_RANGE *range,
                 uint8_t *memory, const json_t *json)
{
    if (type->kind == NDR_KIND_FLOAT || type->kind == NDR_KIND_DOUBLE)
        return fill_real(walk, type, memory, json);
    if (!kind_names[type->kind])
        return value_fail(walk, "a value of this type cannot be given");
    return fill_integer(walk, type, range, memory, json);
}

/* ---- Octets ------------------------------------------------------------------------------------ */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `len` digits make len / 2 octets.  False: something else is in there. */
static bool from_hex(const char *text, size_t len, uint8_t *out)
{
    if (len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* What the octets of `json` are given as; NULL: neither. */
static const json_t *member(const json_t *json, const char *name)
{
    const json_t *value = json_is_object(json) && json_object_size(json) == 1
                              ? json_object_get(json, name)
                              : NULL;
    return json_is_string(value) ? value : NULL;
}

/* ---- Characters ---------------------------------------------------------------------------------- */

/* A string for characters of one octet may say its octets, an array may have text. */
static const json_t *as_hex(const NDR_TYPE *type, const json_t *json)
{
    if (!value_is_octet(type->element->kind))
        return NULL;
    return type->kind == NDR_KIND_ARRAY && json_is_string(json) ? json : member(json, "hex");
}

static const json_t *as_text(const NDR_TYPE *type, const json_t *json)
{
    NDR_KIND kind = type->element->kind;
    if (!value_is_octet(kind) && kind != NDR_KIND_WCHAR)
        return NULL;
    bool plain = type->kind == NDR_KIND_STRING || kind == NDR_KIND_WCHAR;
    return plain && json_is_string(json) ? json : member(json, "text");
}

bool fill_count(struct value_walk *walk, const NDR_TYPE *type, const json_t *json,
                size_t *ret_count)
{
    const json_t *text = as_hex(type, json);
    if (text) {
        *ret_count = json_string_length(text) / 2;
        return true;
    }
    text = as_text(type, json);
    if (text && type->element->kind == NDR_KIND_WCHAR) {
        ssize_t count = utf16_from_utf8(json_string_value(text), json_string_length(text), NULL, 0,
                                        UTF_STRICT);
        *ret_count = (size_t)count;
        return count >= 0 || value_fail(walk, "malformed text");
    }
    if (text) {
        *ret_count = json_string_length(text);
        return true;
    }
    if (json_is_array(json)) {
        *ret_count = json_array_size(json);
        return true;
    }
    bool octets = type->kind == NDR_KIND_ARRAY && value_is_octet(type->element->kind);
    return fill_fail_found(walk,
                      octets                          ? "hexadecimal digits or an array"
                      : type->kind == NDR_KIND_STRING ? "a string"
                      : type->element->kind == NDR_KIND_WCHAR ? "a string or an array"
                                                              : "an array",
                      json);
}

/* A string ends where its terminator is. */
static bool has_zero(const NDR_TYPE *type, const uint8_t *memory, size_t count)
{
    size_t size = value_size(type->element);
    for (size_t i = 0; i < count; i++) {
        if (memory[i * size] == 0 && (size == 1 || memory[i * size + 1] == 0))
            return true;
    }
    return false;
}

bool fill_text(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory, size_t room,
               const json_t *json, bool *ret_done)
{
    const json_t *hex = as_hex(type, json), *text = as_text(type, json);
    bool is_string = type->kind == NDR_KIND_STRING;
    size_t count = 0;
    *ret_done = true;
    if (!fill_count(walk, type, json, &count))
        return false;
    if (count > room)
        return value_fail(walk, "%zu elements, there is room for %zu", count, room);
    if (hex && !from_hex(json_string_value(hex), json_string_length(hex), memory)) {
        return fill_fail_found(walk, "an even number of hexadecimal digits", hex);
    } else if (!hex && text && type->element->kind == NDR_KIND_WCHAR) {
        char16_t *units = malloc((count + 1) * sizeof(*units));
        if (!units)
            return value_out_of_memory(walk);
        utf16_from_utf8(json_string_value(text), json_string_length(text), units, count,
                        UTF_STRICT);
        memcpy(memory, units, count * sizeof(*units));
        free(units);
    } else if (!hex && text) {
        memcpy(memory, json_string_value(text), count);
    } else if (!hex && is_string) { /* a list of the characters' codes */
        for (size_t i = 0; i < count; i++) {
            size_t mark = value_enter_index(walk, i);
            bool ok = mark != SIZE_MAX &&
                      fill_scalar(walk, type->element, NULL, memory + i * value_size(type->element),
                                  json_array_get(json, i));
            value_leave(walk, mark);
            if (!ok)
                return false;
        }
    } else if (!hex) {
        *ret_done = false;
    }
    if (is_string && has_zero(type, memory, count))
        return value_fail(walk, "a [string] ends at its first zero, and has one inside");
    return true;
}

/* ---- Structures that are one text ------------------------------------------------------------------ */

/* 20 octets as they travel, little-endian; null is all zeros. */
static bool fill_context(struct value_walk *walk, uint8_t *memory, const json_t *json)
{
    uint8_t octets[20] = {0};
    bool ok = json_is_null(json) ||
              (json_string_length(json) == 40 && from_hex(json_string_value(json), 40, octets));
    if (!ok)
        return fill_fail_found(walk, "null or the 40 hexadecimal digits of a context handle", json);
    uint32_t words[2];
    uint16_t halves[2];
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *w = octets + 4 * i, *h = octets + 8 + 2 * i;
        words[i] = w[0] | (uint32_t)w[1] << 8 | (uint32_t)w[2] << 16 | (uint32_t)w[3] << 24;
        halves[i] = (uint16_t)(h[0] | h[1] << 8);
    }
    memcpy(memory, words, 8);
    memcpy(memory + 8, halves, 4);
    memcpy(memory + 12, octets + 12, 8);
    return true;
}

bool fill_form(struct value_walk *walk, const NDR_TYPE *type, uint8_t *memory, const json_t *json,
               bool *ret_done)
{
    UUID uuid;
    *ret_done = true;
    switch (idl_type_of(type)->form) {
    case IDL_FORM_CONTEXT:
        return fill_context(walk, memory, json);
    case IDL_FORM_GUID:
        if (!json_is_string(json))
            break;
        if (!uuid_parse(json_string_value(json), json_string_length(json), &uuid))
            return fill_fail_found(walk, "a UUID", json);
        memcpy(memory, &uuid, sizeof(uuid));
        return true;
    case IDL_FORM_PLAIN:
        break;
    }
    *ret_done = false;
    return true;
}
