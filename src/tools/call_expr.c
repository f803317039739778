/* SPDX-License-Identifier: MIT */
/* call_expr.c - values of size_is and friends, and the other way round: what an operand has
 * to be.  Only arithmetic with one unknown is turned around; for the rest the operand must
 * be given. */
#include "call_value.h"

#include <string.h>

/* ---- Integers in memory ------------------------------------------------------------------- */

struct integer {
    unsigned size;
    bool is_signed;
};

static bool integer_of(NDR_KIND kind, struct integer *ret)
{
    switch (kind) {
    case NDR_KIND_INT8:
        *ret = (struct integer){1, true};
        return true;
    case NDR_KIND_BOOLEAN:
    case NDR_KIND_BYTE:
    case NDR_KIND_CHAR:
    case NDR_KIND_UINT8:
        *ret = (struct integer){1, false};
        return true;
    case NDR_KIND_INT16:
        *ret = (struct integer){2, true};
        return true;
    case NDR_KIND_UINT16:
    case NDR_KIND_WCHAR:
        *ret = (struct integer){2, false};
        return true;
    case NDR_KIND_INT32:
    case NDR_KIND_ENUM16:
    case NDR_KIND_ENUM32:
        *ret = (struct integer){4, true};
        return true;
    case NDR_KIND_UINT32:
    case NDR_KIND_ERROR_STATUS:
        *ret = (struct integer){4, false};
        return true;
    case NDR_KIND_INT64:
    case NDR_KIND_INT3264:
        *ret = (struct integer){8, true};
        return true;
    case NDR_KIND_UINT64:
    case NDR_KIND_UINT3264:
        *ret = (struct integer){8, false};
        return true;
    case NDR_KIND_VOID:
    case NDR_KIND_FLOAT:
    case NDR_KIND_DOUBLE:
    case NDR_KIND_STRUCT:
    case NDR_KIND_ARRAY:
    case NDR_KIND_STRING:
    case NDR_KIND_POINTER:
    case NDR_KIND_PIPE:
    case NDR_KIND_HANDLE:
    case NDR_KIND_UNION:
    case NDR_KIND_CONTEXT:
    case NDR_KIND_CONVERTED:
    case NDR_KIND_COUNT:
        break;
    }
    return false;
}

bool value_load(NDR_KIND kind, const void *memory, int64_t *ret_value)
{
    struct integer integer;
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;
    } v = {0};
    if (!integer_of(kind, &integer))
        return false;
    memcpy(&v, memory, integer.size);
    switch (integer.size) {
    case 1:
        *ret_value = integer.is_signed ? (int8_t)v.u8 : v.u8;
        return true;
    case 2:
        *ret_value = integer.is_signed ? (int16_t)v.u16 : v.u16;
        return true;
    case 4:
        *ret_value = integer.is_signed ? (int64_t)(int32_t)v.u32 : (int64_t)v.u32;
        return true;
    default:
        *ret_value = (int64_t)v.u64;
        return true;
    }
}

bool value_store(NDR_KIND kind, void *memory, int64_t value)
{
    struct integer integer;
    if (!integer_of(kind, &integer))
        return false;
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    if (integer.size == 8) {
        memcpy(memory, &value, 8); /* unsigned ones beyond are stored as their bits */
        return true;
    }
    int64_t span = (int64_t)1 << (8 * integer.size);
    int64_t low = integer.is_signed ? -span / 2 : 0;
    if (value < low || value >= low + span)
        return false;
    memcpy(memory, integer.size == 1 ? (void *)&u8 : integer.size == 2 ? (void *)&u16 : (void *)&u32,
           integer.size);
    return true;
}

/* ---- Operands ------------------------------------------------------------------------------- */

/* The member at or around `offset`; around: it is inside an anonymous one. */
static uint32_t member_at(const struct scope *scope, uint32_t offset)
{
    uint32_t found = scope->count;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (scope->members[i].offset <= offset &&
            (found == scope->count || scope->members[i].offset > scope->members[found].offset))
            found = i;
    }
    return found;
}

static bool is_operand(const NDR_EXPR *expr)
{
    return expr->op == NDR_EXPR_LOAD || expr->op == NDR_EXPR_DEREF || expr->op == NDR_EXPR_NONNULL;
}

static bool is_known(const NDR_EXPR *expr, const struct scope *scope)
{
    uint32_t i = member_at(scope, expr->offset);
    return i < scope->count && (!scope->known || scope->known[i]);
}

const char *expr_unknown(const NDR_EXPR *expr, const struct scope *scope)
{
    if (!expr)
        return NULL;
    if (is_operand(expr))
        return is_known(expr, scope) ? NULL : scope->members[member_at(scope, expr->offset)].name;
    const NDR_EXPR *const operands[] = {expr->a, expr->b, expr->c};
    for (unsigned i = 0; i < 3; i++) {
        const char *name = expr_unknown(operands[i], scope);
        if (name)
            return name;
    }
    return NULL;
}

/* ---- Values ----------------------------------------------------------------------------------- */

static bool binary(NDR_EXPR_OP op, int64_t a, int64_t b, int64_t *ret)
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
        if (b == 0 || (a == INT64_MIN && b == -1))
            return false;
        *ret = op == NDR_EXPR_DIV ? a / b : a % b;
        return true;
    case NDR_EXPR_SHL:
        if (b < 0 || b > 63)
            return false;
        return !__builtin_mul_overflow(a, b == 63 ? INT64_MIN : (int64_t)1 << b, ret);
    case NDR_EXPR_SHR:
        if (b < 0 || b > 63)
            return false;
        *ret = a >> b;
        return true;
    case NDR_EXPR_BITAND:
        *ret = a & b;
        return true;
    case NDR_EXPR_BITOR:
        *ret = a | b;
        return true;
    case NDR_EXPR_BITXOR:
        *ret = a ^ b;
        return true;
    case NDR_EXPR_LT:
        *ret = a < b;
        return true;
    case NDR_EXPR_LE:
        *ret = a <= b;
        return true;
    case NDR_EXPR_GT:
        *ret = a > b;
        return true;
    case NDR_EXPR_GE:
        *ret = a >= b;
        return true;
    case NDR_EXPR_EQ:
        *ret = a == b;
        return true;
    case NDR_EXPR_NE:
        *ret = a != b;
        return true;
    default:
        return false;
    }
}

static enum expr_result operand_value(const NDR_EXPR *expr, const struct scope *scope,
                                      int64_t *ret_value)
{
    const uint8_t *memory = scope->base + expr->offset;
    if (!is_known(expr, scope))
        return EXPR_UNKNOWN;
    if (expr->op != NDR_EXPR_LOAD) {
        const uint8_t *pointee;
        memcpy(&pointee, memory, sizeof(pointee));
        if (expr->op == NDR_EXPR_NONNULL) {
            *ret_value = pointee != NULL;
            return EXPR_OK;
        }
        memory = pointee;
    }
    return memory && value_load(expr->kind, memory, ret_value) ? EXPR_OK : EXPR_BAD;
}

enum expr_result expr_value(const NDR_EXPR *expr, const struct scope *scope, int64_t *ret_value)
{
    int64_t a, b;
    if (expr->op == NDR_EXPR_CONST) {
        *ret_value = expr->value;
        return EXPR_OK;
    }
    if (is_operand(expr))
        return operand_value(expr, scope, ret_value);
    enum expr_result result = expr_value(expr->a, scope, &a);
    if (result != EXPR_OK)
        return result;
    switch (expr->op) {
    case NDR_EXPR_NEG:
        return __builtin_sub_overflow((int64_t)0, a, ret_value) ? EXPR_BAD : EXPR_OK;
    case NDR_EXPR_NOT:
        *ret_value = !a;
        return EXPR_OK;
    case NDR_EXPR_BITNOT:
        *ret_value = ~a;
        return EXPR_OK;
    case NDR_EXPR_COND:
        return expr_value(a ? expr->b : expr->c, scope, ret_value);
    case NDR_EXPR_AND:
    case NDR_EXPR_OR:
        if ((expr->op == NDR_EXPR_OR) == (a != 0)) {
            *ret_value = a != 0;
            return EXPR_OK;
        }
        result = expr_value(expr->b, scope, &b);
        *ret_value = result == EXPR_OK && b != 0;
        return result;
    default:
        result = expr_value(expr->b, scope, &b);
        if (result == EXPR_OK && !binary(expr->op, a, b, ret_value))
            result = EXPR_BAD;
        return result;
    }
}

/* ---- Solving ------------------------------------------------------------------------------------ */

static enum expr_result set_operand(const NDR_EXPR *expr, struct scope *scope, int64_t value)
{
    uint32_t i = member_at(scope, expr->offset);
    if (i == scope->count || scope->members[i].offset != expr->offset ||
        expr->op == NDR_EXPR_NONNULL)
        return EXPR_UNKNOWN;
    uint8_t *memory = scope->base + expr->offset;
    if (expr->op == NDR_EXPR_DEREF)
        memcpy(&memory, memory, sizeof(memory));
    if (!memory)
        return EXPR_UNKNOWN;
    if (!value_store(expr->kind, memory, value))
        return EXPR_BAD;
    scope->known[i] = 1;
    return EXPR_OK;
}

/* x OP k == target: x.  False: there is none. */
static bool left_operand(NDR_EXPR_OP op, int64_t k, int64_t target, int64_t *ret)
{
    switch (op) {
    case NDR_EXPR_ADD:
        return !__builtin_sub_overflow(target, k, ret);
    case NDR_EXPR_SUB:
        return !__builtin_add_overflow(target, k, ret);
    case NDR_EXPR_MUL:
        if (k == 0 || (target == INT64_MIN && k == -1) || target % k != 0)
            return false;
        *ret = target / k;
        return true;
    case NDR_EXPR_DIV: /* the smallest of those there are */
        return k > 0 && !__builtin_mul_overflow(target, k, ret);
    case NDR_EXPR_SHL:
        return k >= 0 && k < 63 && left_operand(NDR_EXPR_MUL, (int64_t)1 << k, target, ret);
    case NDR_EXPR_SHR:
        return k >= 0 && k < 63 && left_operand(NDR_EXPR_DIV, (int64_t)1 << k, target, ret);
    case NDR_EXPR_BITXOR:
        *ret = target ^ k;
        return true;
    default:
        return false;
    }
}

/* k OP x == target: x. */
static bool right_operand(NDR_EXPR_OP op, int64_t k, int64_t target, int64_t *ret)
{
    if (op == NDR_EXPR_SUB)
        return !__builtin_sub_overflow(k, target, ret);
    return (op == NDR_EXPR_ADD || op == NDR_EXPR_MUL || op == NDR_EXPR_BITXOR) &&
           left_operand(op, k, target, ret);
}

enum expr_result expr_solve(const NDR_EXPR *expr, struct scope *scope, int64_t target)
{
    int64_t value, operand;
    enum expr_result result = expr_value(expr, scope, &value);
    if (result != EXPR_UNKNOWN)
        return result == EXPR_OK && value != target ? EXPR_BAD : result;
    if (is_operand(expr))
        return set_operand(expr, scope, target);
    switch (expr->op) {
    case NDR_EXPR_NEG:
        return target == INT64_MIN ? EXPR_BAD : expr_solve(expr->a, scope, -target);
    case NDR_EXPR_BITNOT:
        return expr_solve(expr->a, scope, ~target);
    case NDR_EXPR_COND:
        result = expr_value(expr->a, scope, &value);
        return result == EXPR_OK ? expr_solve(value ? expr->b : expr->c, scope, target) : result;
    default:
        break;
    }
    if (!expr->b)
        return EXPR_UNKNOWN;
    if (expr_value(expr->b, scope, &value) == EXPR_OK && left_operand(expr->op, value, target, &operand))
        return expr_solve(expr->a, scope, operand);
    if (expr_value(expr->a, scope, &value) == EXPR_OK &&
        right_operand(expr->op, value, target, &operand))
        return expr_solve(expr->b, scope, operand);
    return EXPR_UNKNOWN;
}
