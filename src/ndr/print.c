/* SPDX-License-Identifier: MIT */
/* print.c - values as text for traces.  Short rather than complete: a trace line must
 * not grow with the data. */
#include "ndr/ndr.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ndr/expr.h"
#include "ndr/layout.h"
#include "ndr/union.h"

/* Enough to recognise a value, few enough to read. */
#define STRING_SHOWN   48
#define ELEMENTS_SHOWN 8
#define DEPTH_SHOWN    6

struct print {
    char *text;
    size_t size, len; /* of the buffer; of what is in it, NUL not counted */
};

static void __attribute__((format(printf, 2, 3))) put(struct print *p, const char *format, ...)
{
    va_list args;
    if (p->size == 0 || p->len + 1 >= p->size)
        return;
    va_start(args, format);
    int len = vsnprintf(p->text + p->len, p->size - p->len, format, args);
    va_end(args);
    if (len < 0)
        return;
    p->len = (size_t)len < p->size - p->len ? p->len + (size_t)len : p->size - 1;
}

static void print_character(struct print *p, uint32_t character)
{
    if (character == '"' || character == '\\')
        put(p, "\\%c", (int)character);
    else if (character >= 0x20 && character < 0x7f)
        put(p, "%c", (int)character);
    else
        put(p, character > 0xff ? "\\u%04" PRIx32 : "\\x%02" PRIx32, character);
}

static void print_string(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                         uint32_t limit)
{
    put(p, type->element->kind == NDR_KIND_WCHAR ? "L\"" : "\"");
    for (uint32_t i = 0; i < limit; i++) {
        WCHAR wide = memory[0];
        if (type->element->kind == NDR_KIND_WCHAR)
            memcpy(&wide, memory, sizeof(wide));
        if (wide == 0)
            break;
        if (i == STRING_SHOWN) {
            put(p, "\"...");
            return;
        }
        print_character(p, wide);
        memory += ndr_memory_size(type->element);
    }
    put(p, "\"");
}

static void print_scalar(struct print *p, const NDR_TYPE *type, const uint8_t *memory)
{
    int64_t value;
    float single;
    double number;
    if (type->kind == NDR_KIND_FLOAT) {
        memcpy(&single, memory, sizeof(single));
        put(p, "%g", (double)single);
    } else if (type->kind == NDR_KIND_DOUBLE) {
        memcpy(&number, memory, sizeof(number));
        put(p, "%g", number);
    } else if (type->kind == NDR_KIND_ERROR_STATUS &&
               ndr_load_integer(type->kind, memory, &value)) {
        put(p, "0x%" PRIx64, (uint64_t)value);
    } else if (ndr_load_integer(type->kind, memory, &value)) {
        bool is_unsigned = type->kind == NDR_KIND_UINT64 || type->kind == NDR_KIND_UINT3264;
        put(p, is_unsigned ? "%" PRIu64 : "%" PRId64, (uint64_t)value);
    } else {
        put(p, "?");
    }
}

static void print_value(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                        const void *base, unsigned depth);

static void print_array(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                        const void *base, unsigned depth)
{
    uint32_t count = type->count;
    if (count == 0 && (!type->max_count || !ndr_expr_count(type->max_count, base, &count))) {
        put(p, "[?]");
        return;
    }
    uint32_t first = 0, max = count;
    if (type->flags & NDR_TYPE_VARYING) {
        bool known = (!type->first || ndr_expr_count(type->first, base, &first)) && first <= max;
        count = max - (known ? first : 0);
        known = known && (!type->length || ndr_expr_count(type->length, base, &count));
        if (!known || count > max - first) {
            put(p, "[?]");
            return;
        }
        put(p, "%" PRIu32 "..+", first);
    }
    size_t size = ndr_memory_size(type->element);
    memory += first * size;
    put(p, "%" PRIu32 "[", count);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            put(p, ", ");
        if (i == ELEMENTS_SHOWN) {
            put(p, "...");
            break;
        }
        print_value(p, type->element, memory + i * size, base, depth + 1);
    }
    put(p, "]");
}

static void print_struct(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                         unsigned depth)
{
    put(p, "{");
    for (uint32_t i = 0; i < type->count; i++) {
        const NDR_FIELD *field = &type->fields[i];
        put(p, "%s%s=", i > 0 ? ", " : "", field->name ? field->name : "");
        print_value(p, field->type, memory + field->offset, memory, depth + 1);
    }
    put(p, "}");
}

static void print_union(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                        const void *base, unsigned depth)
{
    int64_t tag;
    if (!ndr_union_tag(type, memory, base, &tag)) {
        put(p, "<?>");
        return;
    }
    const NDR_ARM *arm = ndr_union_arm(type->alternatives, tag);
    put(p, "<%" PRId64 ">", tag);
    if (!arm || !arm->type)
        return;
    put(p, "%s=", arm->name ? arm->name : "");
    print_value(p, arm->type, memory + ndr_arms_offset(type), ndr_arm_base(type, memory, base),
                depth + 1);
}

static void print_value(struct print *p, const NDR_TYPE *type, const uint8_t *memory,
                        const void *base, unsigned depth)
{
    if (depth > DEPTH_SHOWN) {
        put(p, "...");
        return;
    }
    if (type->kind == NDR_KIND_POINTER) {
        const uint8_t *target = ndr_load_pointer(memory);
        if (type->flags & NDR_TYPE_IGNORE)
            put(p, target ? "ignored" : "NULL");
        else if (target)
            print_value(p, type->element, target, base, depth + 1);
        else
            put(p, "NULL");
    } else if (type->kind == NDR_KIND_STRUCT) {
        print_struct(p, type, memory, depth);
    } else if (type->kind == NDR_KIND_UNION) {
        print_union(p, type, memory, base, depth);
    } else if (type->kind == NDR_KIND_ARRAY) {
        print_array(p, type, memory, base, depth);
    } else if (type->kind == NDR_KIND_STRING) {
        print_string(p, type, memory, type->count > 0 ? type->count : NDR_COUNT_MAX);
    } else if (type->kind == NDR_KIND_CONTEXT) {
        put(p, ndr_load_pointer(memory) ? "context" : "NULL");
    } else if (type->kind == NDR_KIND_CONVERTED) {
        put(p, "<%s>", type->name ? type->name : "converted"); /* only the program knows */
    } else {
        print_scalar(p, type, memory);
    }
}

void ndr_print(const NDR_TYPE *type, const void *memory, const void *base, char *text, size_t size)
{
    struct print p = {.text = text, .size = size};
    if (size > 0)
        text[0] = '\0';
    print_value(&p, type, memory, base, 0);
}

void ndr_print_params(const NDR_OPERATION *operation, const void *frame, uint32_t direction,
                      char *text, size_t size)
{
    struct print p = {.text = text, .size = size};
    const char *separator = "";
    if (size > 0)
        text[0] = '\0';
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!ndr_param_travels(param, direction))
            continue;
        put(&p, "%s%s=", separator, param->name ? param->name : "result");
        const uint8_t *memory = (const uint8_t *)frame + param->offset;
        bool ignored = direction == NDR_PARAM_IN && (param->flags & NDR_PARAM_PARTIAL_IGNORE);
        if (ignored && ndr_load_pointer(memory))
            put(&p, "ignored");
        else
            print_value(&p, param->type, memory, frame, 0);
        separator = ", ";
    }
}
