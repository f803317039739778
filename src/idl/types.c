/* SPDX-License-Identifier: MIT */
/* types.c - the table of base types, and looking through typedef names. */
#include "idl/types.h"

#include <assert.h>
#include <string.h>

static const struct base_info base_infos[BASE_COUNT] = {
    /* IDL name, C name, NDR kind, size, flat, integral, wide, kind in expressions, low, high */
    [BASE_VOID] = {"void", "void", "VOID", 0, false, false, false, NULL, 0, 0},
    [BASE_BOOLEAN] = {"boolean", "boolean", "BOOLEAN", 1, true, true, false, "UINT8", 0, 255},
    [BASE_BYTE] = {"byte", "byte", "BYTE", 1, true, true, false, "UINT8", 0, 255},
    [BASE_CHAR] = {"char", "unsigned char", "CHAR", 1, true, true, false, "UINT8", 0, 255},
    /* A constant of type signed char may be written as any character. */
    [BASE_SCHAR] = {"signed char", "signed char", "CHAR", 1, true, true, false, "INT8", -128, 127},
    [BASE_SMALL] = {"small", "signed char", "INT8", 1, true, true, false, "INT8", -128, 127},
    [BASE_USMALL] = {"unsigned small", "unsigned char", "UINT8", 1, true, true, false, "UINT8", 0,
                     255},
    [BASE_WCHAR] = {"wchar_t", "WCHAR", "WCHAR", 2, true, true, false, "UINT16", 0, 65535},
    [BASE_SHORT] = {"short", "int16_t", "INT16", 2, true, true, false, "INT16", -32768, 32767},
    [BASE_USHORT] = {"unsigned short", "uint16_t", "UINT16", 2, true, true, false, "UINT16", 0,
                     65535},
    [BASE_LONG] = {"long", "int32_t", "INT32", 4, true, true, false, "INT32", INT32_MIN, INT32_MAX},
    [BASE_ULONG] = {"unsigned long", "uint32_t", "UINT32", 4, true, true, false, "UINT32", 0,
                    UINT32_MAX},
    [BASE_HYPER] = {"hyper", "int64_t", "INT64", 8, true, true, true, "INT64", INT64_MIN,
                    INT64_MAX},
    [BASE_UHYPER] = {"unsigned hyper", "uint64_t", "UINT64", 8, true, true, true, "UINT64", 0, -1},
    [BASE_INT3264] = {"__int3264", "intptr_t", "INT3264", 4, false, true, true, "INT3264",
                      INT32_MIN, INT32_MAX},
    [BASE_UINT3264] = {"unsigned __int3264", "uintptr_t", "UINT3264", 4, false, true, true,
                       "UINT3264", 0, UINT32_MAX},
    [BASE_FLOAT] = {"float", "float", "FLOAT", 4, true, false, false, NULL, 0, 0},
    [BASE_DOUBLE] = {"double", "double", "DOUBLE", 8, true, false, false, NULL, 0, 0},
    [BASE_ERROR_STATUS] = {"error_status_t", "error_status_t", "ERROR_STATUS", 4, true, true, false,
                           "UINT32", 0, UINT32_MAX},
    [BASE_HANDLE] = {"handle_t", "handle_t", "HANDLE", 0, false, false, false, NULL, 0, 0},
};

const struct base_info *base_info(enum base_kind base)
{
    assert(base < BASE_COUNT);
    return &base_infos[base];
}

struct type *type_unqualified(struct type *type)
{
    while (type->kind == TYPE_CONST)
        type = type->target;
    return type;
}

struct type *type_strip(struct type *type)
{
    while (type->kind == TYPE_CONST || type->kind == TYPE_ALIAS)
        type = type->kind == TYPE_CONST ? type->target : type->alias->type;
    return type;
}

bool type_is_base(struct type *type, enum base_kind base)
{
    type = type_strip(type);
    return type->kind == TYPE_BASE && type->base == base;
}

bool type_is_error(struct type *type)
{
    while (type->kind != TYPE_ERROR) {
        if (type->kind == TYPE_ALIAS)
            type = type->alias->type;
        else if (type->target)
            type = type->target;
        else
            return false;
    }
    return true;
}

struct type *type_as_pipe(struct type *type)
{
    type = type_strip(type);
    return type->kind == TYPE_PIPE ? type : NULL;
}

bool aggregate_is_open(const struct aggregate *aggregate)
{
    while (!aggregate->is_union && !aggregate->is_encapsulated && aggregate->last_field) {
        const struct type *type = type_strip(aggregate->last_field->type);
        if (type->kind == TYPE_ARRAY)
            return type->count == 0;
        if (type->kind != TYPE_STRUCT || type->aggregate->being_defined)
            return false;
        aggregate = type->aggregate;
    }
    return false;
}

const char *type_word(const struct type *type)
{
    return type->kind == TYPE_ENUM ? "enum " : type->kind == TYPE_UNION ? "union " : "struct ";
}

const char *type_tag(const struct type *type)
{
    return type->kind == TYPE_ENUM ? type->enumeration->tag : type->aggregate->tag;
}

const char *type_plain_name(const char *c_name)
{
    const char *space = strrchr(c_name, ' ');
    return space ? space + 1 : c_name;
}

/* Octets in memory. */
static unsigned c_size(enum base_kind base)
{
    return base == BASE_INT3264 || base == BASE_UINT3264 ? 8 : base_info(base)->size;
}

static bool same(struct type *a, struct type *b, bool on_wire);

/* Of two function types; nothing of them is ever sent. */
static bool same_params(const struct type *a, const struct type *b)
{
    const struct var *x = a->params, *y = b->params;
    for (; x && y; x = x->next, y = y->next) {
        if (!same(x->type, y->type, false))
            return false;
    }
    return !x && !y && a->variadic == b->variadic;
}

static bool same(struct type *a, struct type *b, bool on_wire)
{
    for (;; a = a->target, b = b->target) {
        bool a_const = false, b_const = false;
        for (; a->kind == TYPE_CONST || a->kind == TYPE_ALIAS;
             a = a->kind == TYPE_CONST ? a->target : a->alias->type)
            a_const |= a->kind == TYPE_CONST;
        for (; b->kind == TYPE_CONST || b->kind == TYPE_ALIAS;
             b = b->kind == TYPE_CONST ? b->target : b->alias->type)
            b_const |= b->kind == TYPE_CONST;
        if (a->kind != b->kind || a_const != b_const)
            return false;
        switch (a->kind) {
        case TYPE_POINTER:
            continue;
        case TYPE_ARRAY:
            if (a->count != b->count)
                return false;
            continue;
        case TYPE_BASE:
            if (a->plain_char != b->plain_char)
                return on_wire && a->base == b->base;
            if (a->base == b->base)
                return true;
            /* On LP64 Linux intptr_t and int64_t are one type, too. */
            return !on_wire && base_info(a->base)->integral && base_info(b->base)->integral &&
                   c_size(a->base) == c_size(b->base) &&
                   (base_info(a->base)->low == 0) == (base_info(b->base)->low == 0);
        case TYPE_STRUCT:
        case TYPE_UNION:
            return a->aggregate == b->aggregate;
        case TYPE_ENUM:
            return a->enumeration == b->enumeration;
        case TYPE_FUNCTION:
            if (!same_params(a, b))
                return false;
            continue;
        default:
            return false;
        }
    }
}

bool type_same_in_c(struct type *a, struct type *b)
{
    return same(a, b, false);
}

bool type_same(struct type *a, struct type *b)
{
    return same(a, b, true);
}
