/* SPDX-License-Identifier: MIT */
/* expr.c - evaluates the expression trees of rpcndr.h.  The operands may be a
 * peer's numbers, so nothing here may trap or overflow. */
#include "ndr/expr.h"

#include "ndr/layout.h"

/* An expression nests as deep as its brackets and operators in the IDL; beyond
 * this it has no value rather than no stack. */
#define EXPR_DEPTH_MAX 512

bool ndr_load_integer(NDR_KIND kind, const void *memory, int64_t *ret_value)
{
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        intptr_t ip;
        uintptr_t up;
    } v;
    uint32_t size = ndr_scalar_memory_size(kind);
    if (size == 0 || size > sizeof(v))
        return false;
    memcpy(&v, memory, size);
    switch (kind) {
    case NDR_KIND_BOOLEAN:
    case NDR_KIND_BYTE:
    case NDR_KIND_CHAR:
    case NDR_KIND_UINT8:
        *ret_value = v.u8;
        return true;
    case NDR_KIND_INT8:
        *ret_value = v.i8;
        return true;
    case NDR_KIND_INT16:
        *ret_value = v.i16;
        return true;
    case NDR_KIND_UINT16:
    case NDR_KIND_WCHAR:
        *ret_value = v.u16;
        return true;
    case NDR_KIND_INT32:
    case NDR_KIND_ENUM16:
    case NDR_KIND_ENUM32:
        *ret_value = v.i32;
        return true;
    case NDR_KIND_UINT32:
    case NDR_KIND_ERROR_STATUS:
        *ret_value = v.u32;
        return true;
    case NDR_KIND_INT64:
    case NDR_KIND_UINT64:
        *ret_value = v.i64;
        return true;
    case NDR_KIND_INT3264:
        *ret_value = v.ip;
        return true;
    case NDR_KIND_UINT3264:
        *ret_value = (int64_t)v.up;
        return true;
    default: /* floats and constructed kinds */
        return false;
    }
}

bool ndr_store_integer(NDR_KIND kind, void *memory, int64_t value)
{
    uint32_t size = ndr_scalar_memory_size(kind);
    int64_t ignored;
    uint8_t octets[sizeof(value)] = {0};
    if (size == 0 || !ndr_load_integer(kind, octets, &ignored))
        return false;
    if (size < sizeof(value)) {
        int64_t limit = INT64_C(1) << (8 * size);
        if (value < -limit / 2 || value >= limit)
            return false;
    }
    memcpy(octets, &value, sizeof(value));
    memcpy(memory, NDR_HOST_LITTLE_ENDIAN ? octets : octets + sizeof(value) - size, size);
    return true;
}

static bool divide(NDR_EXPR_OP op, int64_t a, int64_t b, int64_t *ret_value)
{
    if (b == 0 || (a == INT64_MIN && b == -1))
        return false;
    *ret_value = op == NDR_EXPR_DIV ? a / b : a % b;
    return true;
}

static bool shift(NDR_EXPR_OP op, int64_t a, int64_t b, int64_t *ret_value)
{
    if (b < 0 || b > 63)
        return false;
    *ret_value = op == NDR_EXPR_SHL ? (int64_t)((uint64_t)a << b) : a >> b;
    return true;
}

static bool binary(NDR_EXPR_OP op, int64_t a, int64_t b, int64_t *ret_value)
{
    switch (op) {
    case NDR_EXPR_ADD:
        return !__builtin_add_overflow(a, b, ret_value);
    case NDR_EXPR_SUB:
        return !__builtin_sub_overflow(a, b, ret_value);
    case NDR_EXPR_MUL:
        return !__builtin_mul_overflow(a, b, ret_value);
    case NDR_EXPR_DIV:
    case NDR_EXPR_MOD:
        return divide(op, a, b, ret_value);
    case NDR_EXPR_SHL:
    case NDR_EXPR_SHR:
        return shift(op, a, b, ret_value);
    case NDR_EXPR_BITAND:
        *ret_value = a & b;
        return true;
    case NDR_EXPR_BITOR:
        *ret_value = a | b;
        return true;
    case NDR_EXPR_BITXOR:
        *ret_value = a ^ b;
        return true;
    case NDR_EXPR_LT:
        *ret_value = a < b;
        return true;
    case NDR_EXPR_LE:
        *ret_value = a <= b;
        return true;
    case NDR_EXPR_GT:
        *ret_value = a > b;
        return true;
    case NDR_EXPR_GE:
        *ret_value = a >= b;
        return true;
    case NDR_EXPR_EQ:
        *ret_value = a == b;
        return true;
    case NDR_EXPR_NE:
        *ret_value = a != b;
        return true;
    default:
        return false;
    }
}

static bool evaluate(const NDR_EXPR *expr, const uint8_t *base, unsigned depth, int64_t *ret_value)
{
    int64_t a, b;
    if (!expr || depth > EXPR_DEPTH_MAX)
        return false;
    switch (expr->op) {
    case NDR_EXPR_CONST:
        *ret_value = expr->value;
        return true;
    case NDR_EXPR_LOAD:
        return ndr_load_integer(expr->kind, base + expr->offset, ret_value);
    case NDR_EXPR_DEREF: {
        const void *pointee = ndr_load_pointer(base + expr->offset);
        return pointee && ndr_load_integer(expr->kind, pointee, ret_value);
    }
    case NDR_EXPR_NONNULL:
        *ret_value = ndr_load_pointer(base + expr->offset) != NULL;
        return true;
    case NDR_EXPR_COND:
        return evaluate(expr->a, base, depth + 1, &a) &&
               evaluate(a ? expr->b : expr->c, base, depth + 1, ret_value);
    default:
        break;
    }
    if (!evaluate(expr->a, base, depth + 1, &a))
        return false;
    switch (expr->op) {
    case NDR_EXPR_NEG:
        return !__builtin_sub_overflow((int64_t)0, a, ret_value);
    case NDR_EXPR_NOT:
        *ret_value = !a;
        return true;
    case NDR_EXPR_BITNOT:
        *ret_value = ~a;
        return true;
    case NDR_EXPR_AND:
    case NDR_EXPR_OR:
        /* Lazy: the right side may dereference what the left side asked about. */
        if ((expr->op == NDR_EXPR_OR) == (a != 0)) {
            *ret_value = a != 0;
            return true;
        }
        if (!evaluate(expr->b, base, depth + 1, &b))
            return false;
        *ret_value = b != 0;
        return true;
    default:
        return evaluate(expr->b, base, depth + 1, &b) && binary(expr->op, a, b, ret_value);
    }
}

static bool follows_pointers(const NDR_EXPR *expr, unsigned depth)
{
    if (!expr || depth > EXPR_DEPTH_MAX)
        return false;
    return expr->op == NDR_EXPR_DEREF || expr->op == NDR_EXPR_NONNULL ||
           follows_pointers(expr->a, depth + 1) || follows_pointers(expr->b, depth + 1) ||
           follows_pointers(expr->c, depth + 1);
}

bool ndr_expr_follows_pointers(const NDR_EXPR *expr)
{
    return follows_pointers(expr, 0);
}

bool ndr_expr_value(const NDR_EXPR *expr, const void *base, int64_t *ret_value)
{
    return evaluate(expr, base, 0, ret_value);
}

bool ndr_expr_count(const NDR_EXPR *expr, const void *base, uint32_t *ret_count)
{
    int64_t value;
    if (!ndr_expr_value(expr, base, &value) || value < 0 || value > NDR_COUNT_MAX)
        return false;
    *ret_count = (uint32_t)value;
    return true;
}
