/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <string.h>

#include "text.h"

size_t scalar_size(NDR_KIND kind)
{
    switch (kind) {
    case NDR_KIND_BOOLEAN:
    case NDR_KIND_BYTE:
    case NDR_KIND_CHAR:
    case NDR_KIND_INT8:
    case NDR_KIND_UINT8:
        return 1;
    case NDR_KIND_INT16:
    case NDR_KIND_UINT16:
    case NDR_KIND_WCHAR:
        return 2;
    case NDR_KIND_INT32:
    case NDR_KIND_UINT32:
    case NDR_KIND_FLOAT:
    case NDR_KIND_ENUM16:
    case NDR_KIND_ENUM32:
    case NDR_KIND_ERROR_STATUS:
        return 4;
    case NDR_KIND_INT64:
    case NDR_KIND_UINT64:
    case NDR_KIND_DOUBLE:
        return 8;
    case NDR_KIND_INT3264:
    case NDR_KIND_UINT3264:
        return sizeof(void *);
    default:
        return 0;
    }
}

static bool is_signed(NDR_KIND kind)
{
    return kind == NDR_KIND_INT8 || kind == NDR_KIND_INT16 || kind == NDR_KIND_INT32 ||
           kind == NDR_KIND_INT64 || kind == NDR_KIND_INT3264 || kind == NDR_KIND_ENUM16 ||
           kind == NDR_KIND_ENUM32;
}

bool scalar_load(NDR_KIND kind, const void *memory, int64_t *ret_value)
{
    uint64_t bits = 0;
    size_t size = scalar_size(kind);
    if (size == 0 || kind == NDR_KIND_FLOAT || kind == NDR_KIND_DOUBLE)
        return false;
    uint8_t octets[8];
    memcpy(octets, memory, size);
    for (size_t i = 0; i < size; i++) {
        size_t at = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? size - 1 - i : i;
        bits = bits << 8 | octets[at];
    }
    if (is_signed(kind) && size < 8 && bits >> (8 * size - 1) != 0)
        bits |= UINT64_MAX << (8 * size);
    *ret_value = (int64_t)bits;
    return true;
}

bool scalar_store(NDR_KIND kind, void *memory, int64_t value)
{
    size_t size = scalar_size(kind);
    uint8_t octets[8];
    if (size == 0 || kind == NDR_KIND_FLOAT || kind == NDR_KIND_DOUBLE)
        return false;
    if (size < 8 && (value < -(INT64_C(1) << (8 * size - 1)) || value >= INT64_C(1) << 8 * size))
        return false;
    for (size_t i = 0; i < size; i++) {
        size_t at = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : size - 1 - i;
        octets[at] = (uint8_t)((uint64_t)value >> (8 * i));
    }
    memcpy(memory, octets, size);
    return true;
}

int64_t as_kind(NDR_KIND kind, int64_t value)
{
    uint64_t room;
    int64_t held = value;
    if (scalar_store(kind, &room, value))
        scalar_load(kind, &room, &held);
    return held;
}

void *pointer_load(const void *slot)
{
    void *pointer;
    memcpy(&pointer, slot, sizeof(pointer));
    return pointer;
}

void pointer_store(void *slot, const void *pointer)
{
    memcpy(slot, &pointer, sizeof(pointer));
}

/* ---- Expressions --------------------------------------------------------------------------- */

static bool operate(NDR_EXPR_OP op, int64_t a, int64_t b, int64_t *ret)
{
    switch (op) {
    case NDR_EXPR_ADD:
        return !__builtin_add_overflow(a, b, ret);
    case NDR_EXPR_SUB:
        return !__builtin_sub_overflow(a, b, ret);
    case NDR_EXPR_MUL:
        return !__builtin_mul_overflow(a, b, ret);
    case NDR_EXPR_DIV:
    case NDR_EXPR_MOD:
        if (b == 0 || b == -1)
            return false; /* not needed by any golden, and -1 may overflow */
        *ret = op == NDR_EXPR_DIV ? a / b : a % b;
        return true;
    case NDR_EXPR_SHL:
    case NDR_EXPR_SHR:
        if (b < 0 || b > 63)
            return false;
        *ret = op == NDR_EXPR_SHL ? (int64_t)((uint64_t)a << b) : a >> b;
        return true;
    case NDR_EXPR_BITAND:
        return *ret = a & b, true;
    case NDR_EXPR_BITOR:
        return *ret = a | b, true;
    case NDR_EXPR_BITXOR:
        return *ret = a ^ b, true;
    case NDR_EXPR_LT:
        return *ret = a < b, true;
    case NDR_EXPR_LE:
        return *ret = a <= b, true;
    case NDR_EXPR_GT:
        return *ret = a > b, true;
    case NDR_EXPR_GE:
        return *ret = a >= b, true;
    case NDR_EXPR_EQ:
        return *ret = a == b, true;
    case NDR_EXPR_NE:
        return *ret = a != b, true;
    default:
        return false;
    }
}

bool expression(const NDR_EXPR *e, const void *base, int64_t *ret)
{
    const uint8_t *at = base ? (const uint8_t *)base + e->offset : NULL;
    int64_t a, b;
    switch (e->op) {
    case NDR_EXPR_CONST:
        *ret = e->value;
        return true;
    case NDR_EXPR_LOAD:
        return at && scalar_load(e->kind, at, ret);
    case NDR_EXPR_DEREF:
        return at && pointer_load(at) && scalar_load(e->kind, pointer_load(at), ret);
    case NDR_EXPR_NONNULL:
        *ret = at && pointer_load(at);
        return at != NULL;
    default:
        break;
    }
    if (!expression(e->a, base, &a))
        return false;
    switch (e->op) {
    case NDR_EXPR_NEG:
        return !__builtin_sub_overflow(0, a, ret);
    case NDR_EXPR_NOT:
        *ret = !a;
        return true;
    case NDR_EXPR_BITNOT:
        *ret = ~a;
        return true;
    case NDR_EXPR_COND:
        return expression(a ? e->b : e->c, base, ret);
    case NDR_EXPR_AND:
    case NDR_EXPR_OR:
        if ((a != 0) == (e->op == NDR_EXPR_OR)) {
            *ret = a != 0;
            return true;
        }
        if (!expression(e->b, base, &b))
            return false;
        *ret = b != 0;
        return true;
    default:
        return expression(e->b, base, &b) && operate(e->op, a, b, ret);
    }
}

/* ---- Types --------------------------------------------------------------------------------- */

bool is_sized(const NDR_TYPE *type)
{
    return (type->kind == NDR_KIND_ARRAY || type->kind == NDR_KIND_STRING) && type->max_count;
}

bool is_encapsulated(const NDR_TYPE *type)
{
    return !type->alternatives->switch_is;
}

bool shape_of(const NDR_TYPE *type, const void *base, struct shape *s)
{
    s->max = type->count;
    s->first = 0;
    if (type->max_count && !expression(type->max_count, base, &s->max))
        return false;
    if (type->flags & NDR_TYPE_VARYING && type->first && !expression(type->first, base, &s->first))
        return false;
    s->count = s->max - s->first;
    if (type->flags & NDR_TYPE_VARYING && type->length &&
        !expression(type->length, base, &s->count))
        return false;
    return s->max >= 0 && s->first >= 0 && s->first <= s->max && s->count >= 0 &&
           s->count <= s->max - s->first;
}

bool union_tag(const NDR_TYPE *type, const void *memory, const void *base, int64_t *ret_tag)
{
    const NDR_UNION *u = type->alternatives;
    uint64_t room;
    int64_t value;
    if (!u->switch_is)
        return scalar_load(u->switch_kind, (const uint8_t *)memory + u->switch_offset, ret_tag);
    return expression(u->switch_is, base, &value) && scalar_store(u->switch_kind, &room, value) &&
           scalar_load(u->switch_kind, &room, ret_tag);
}

const NDR_ARM *union_arm(const NDR_TYPE *type, int64_t tag)
{
    const NDR_UNION *u = type->alternatives;
    for (uint32_t i = 0; i < u->arm_count; i++)
        if (as_kind(u->switch_kind, u->arms[i].value) == tag)
            return &u->arms[i];
    return u->otherwise;
}

static size_t open_element_size(const NDR_TYPE *type)
{
    while (type->kind == NDR_KIND_STRUCT)
        type = type->fields[type->count - 1].type;
    return storage_size(type->element, NULL, 0);
}

size_t storage_size(const NDR_TYPE *type, const void *base, int64_t elements_max)
{
    if (scalar_size(type->kind) > 0)
        return scalar_size(type->kind);
    if (type->kind == NDR_KIND_POINTER || type->kind == NDR_KIND_CONTEXT)
        return sizeof(void *);
    if (is_sized(type)) {
        struct shape s;
        if (!shape_of(type, base, &s))
            die("storage of an array whose size is not known");
        return (size_t)s.max * storage_size(type->element, base, elements_max);
    }
    if (type->flags & NDR_TYPE_OPEN)
        return type->size + (size_t)elements_max * open_element_size(type);
    if (type->size == 0)
        die("storage of a type without size: kind %d", (int)type->kind);
    return type->size;
}

size_t string_len(const NDR_TYPE *type, const void *memory)
{
    size_t size = scalar_size(type->element->kind), len = 0;
    static const uint8_t nul[2] = {0};
    while (memcmp((const uint8_t *)memory + len * size, nul, size) != 0)
        len++;
    return len;
}
