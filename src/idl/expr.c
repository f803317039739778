/* SPDX-License-Identifier: MIT */
/* expr.c - constant folding.
 *
 * All arithmetic is done on uint64_t, where overflow is defined, and read as signed
 * or unsigned.  Division, modulo and shifts are the only operations that can fail. */
#include "idl/expr.h"

#include "idl/types.h"

#include <string.h>

static const struct value invalid = {.kind = VALUE_INVALID};

static struct value integer(uint64_t bits, bool is_unsigned)
{
    return (struct value){.kind = VALUE_INT, .number = (int64_t)bits, .is_unsigned = is_unsigned};
}

static struct value evaluate_name(struct idl_compiler *c, const struct expr *expr,
                                  unsigned not_constant)
{
    const struct symbol *symbol = names_find(&c->names, expr->text, strlen(expr->text));
    if (symbol && symbol->kind == SYMBOL_CONST)
        return symbol->var->value;
    if (symbol && symbol->kind == SYMBOL_ENUMERATOR)
        return integer((uint64_t)symbol->enumerator->value, false);
    if (symbol && symbol->kind == SYMBOL_BAD)
        return invalid;
    if (symbol)
        diag_error(c, &expr->loc, not_constant, "constant expression expected: '%s' is none",
                   expr->text);
    else if (!c->import_missing)
        diag_error(c, &expr->loc, 2009, "undefined symbol '%s'", expr->text);
    return invalid;
}

/* Octets and alignment in memory, of types that have the same on all systems: no pointers.
 * False: of another kind, or incomplete. */
static bool memory_size(struct type *type, uint64_t *ret_size, uint64_t *ret_align)
{
    uint64_t size = 0, align = 1;
    type = type_strip(type);
    if (type->kind == TYPE_ENUM) {
        size = align = 4;
    } else if (type->kind == TYPE_BASE) {
        size = align = base_info(type->base)->size;
        if (type->base == BASE_INT3264 || type->base == BASE_UINT3264 || size == 0)
            return false;
    } else if (type->kind == TYPE_ARRAY) {
        if (type->count == 0 || !memory_size(type->target, &size, &align))
            return false;
        size *= type->count;
    } else if ((type->kind == TYPE_STRUCT || type->kind == TYPE_UNION) &&
               type->aggregate->defined && type->aggregate->c_name &&
               !type->aggregate->has_bit_fields) {
        const struct aggregate *owner = type->aggregate;
        for (const struct var *field = owner->fields; field; field = field->next) {
            uint64_t field_size = 0, field_align = 1;
            if (field->type && !memory_size(field->type, &field_size, &field_align))
                return false;
            if (owner->pack > 0 && field_align > owner->pack)
                field_align = owner->pack;
            if (field_align > align)
                align = field_align;
            uint64_t offset = (size + field_align - 1) / field_align * field_align;
            if (!owner->is_union)
                size = offset + field_size;
            else if (field_size > size)
                size = field_size;
        }
        size = (size + align - 1) / align * align;
    } else {
        return false;
    }
    *ret_size = size;
    *ret_align = align;
    return size > 0 && size <= IDL_SIZE_MAX;
}

static struct value evaluate_sizeof(struct idl_compiler *c, const struct expr *expr)
{
    struct type *type = type_strip(expr->type);
    if (type->kind == TYPE_ERROR)
        return invalid;
    uint64_t size, align;
    if (!type_is_error(type) && memory_size(type, &size, &align))
        return integer(size, true);
    diag_error(c, &expr->loc, 2203, "sizeof takes complete types without pointers only");
    return invalid;
}

static struct value evaluate_unary(struct idl_compiler *c, const struct expr *expr, struct value a)
{
    uint64_t bits = (uint64_t)a.number;
    switch (expr->op) {
    case EXPR_NEG: /* -9223372036854775808 is what it looks like */
        return integer(0 - bits, a.is_unsigned && bits != UINT64_C(1) << 63);
    case EXPR_PLUS:
        return a;
    case EXPR_NOT:
        return integer(bits == 0, false);
    case EXPR_BITNOT:
        return integer(~bits, a.is_unsigned);
    default:
        diag_error(c, &expr->loc, 2030, "a constant is no pointer");
        return invalid;
    }
}

/* b is not zero.  INT64_MIN / -1 overflows: its quotient wraps. */
static uint64_t divide(uint64_t a, uint64_t b, bool is_unsigned, bool modulo)
{
    if (is_unsigned)
        return modulo ? a % b : a / b;
    if (b == UINT64_MAX)
        return modulo ? 0 : 0 - a;
    int64_t x = (int64_t)a, y = (int64_t)b;
    return (uint64_t)(modulo ? x % y : x / y);
}

static bool less(uint64_t a, uint64_t b, bool is_unsigned)
{
    return is_unsigned ? a < b : (int64_t)a < (int64_t)b;
}

static struct value shift(struct idl_compiler *c, const struct expr *expr, uint64_t a, uint64_t b,
                          bool is_unsigned)
{
    if (b > 63) {
        diag_error(c, &expr->loc, 2175, "illegal constant: shift by more than 63");
        return invalid;
    }
    if (expr->op == EXPR_SHL)
        return integer(a << b, is_unsigned);
    uint64_t bits = a >> b;
    if (!is_unsigned && (int64_t)a < 0 && b > 0)
        bits |= ~(UINT64_MAX >> b);
    return integer(bits, is_unsigned);
}

static struct value evaluate_binary(struct idl_compiler *c, const struct expr *expr,
                                    struct value left, struct value right)
{
    uint64_t a = (uint64_t)left.number, b = (uint64_t)right.number;
    bool u = left.is_unsigned || right.is_unsigned;
    switch (expr->op) {
    case EXPR_ADD:
        return integer(a + b, u);
    case EXPR_SUB:
        return integer(a - b, u);
    case EXPR_MUL:
        return integer(a * b, u);
    case EXPR_DIV:
    case EXPR_MOD:
        if (b == 0) {
            diag_error(c, &expr->loc, 2031, "expression has a divide by zero");
            return invalid;
        }
        return integer(divide(a, b, u, expr->op == EXPR_MOD), u);
    case EXPR_SHL:
    case EXPR_SHR:
        return shift(c, expr, a, b, left.is_unsigned);
    case EXPR_BITAND:
        return integer(a & b, u);
    case EXPR_BITOR:
        return integer(a | b, u);
    case EXPR_BITXOR:
        return integer(a ^ b, u);
    case EXPR_LT:
        return integer(less(a, b, u), false);
    case EXPR_LE:
        return integer(!less(b, a, u), false);
    case EXPR_GT:
        return integer(less(b, a, u), false);
    case EXPR_GE:
        return integer(!less(a, b, u), false);
    case EXPR_EQ:
        return integer(a == b, false);
    case EXPR_NE:
        return integer(a != b, false);
    case EXPR_AND:
        return integer(a && b, false);
    case EXPR_OR:
        return integer(a || b, false);
    default:
        return invalid;
    }
}

static struct value operand(struct idl_compiler *c, const struct expr *expr, unsigned not_constant)
{
    struct value value = expr_evaluate(c, expr, not_constant);
    if (value.kind != VALUE_INT && value.kind != VALUE_INVALID) {
        diag_error(c, &expr->loc, 2032, "expression uses incompatible types");
        return invalid;
    }
    return value;
}

bool expr_convert(struct value *value, enum base_kind base)
{
    const struct base_info *info = base_info(base);
    if (base == BASE_FLOAT || base == BASE_DOUBLE) {
        value->kind = VALUE_REAL;
        return true;
    }
    if (!info->integral || info->size >= 8)
        return info->integral;
    uint64_t mask = ((uint64_t)1 << (8 * info->size)) - 1;
    uint64_t bits = (uint64_t)value->number & mask;
    if (info->low < 0 && bits > mask / 2)
        bits |= ~mask;
    value->number = (int64_t)bits;
    value->is_unsigned = info->low == 0;
    return true;
}

static struct value evaluate_cast(struct idl_compiler *c, const struct expr *expr,
                                  unsigned not_constant)
{
    struct type *type = type_strip(expr->type);
    struct value value = operand(c, expr->a, not_constant);
    if (value.kind == VALUE_INVALID || type->kind == TYPE_ERROR)
        return invalid;
    bool is_enum = type->kind == TYPE_ENUM;
    if ((is_enum || type->kind == TYPE_BASE) &&
        expr_convert(&value, is_enum ? BASE_LONG : type->base))
        return value;
    diag_error(c, &expr->loc, 2032, "a constant cannot be converted to that type");
    return invalid;
}

struct value expr_evaluate(struct idl_compiler *c, const struct expr *expr, unsigned not_constant)
{
    switch (expr->op) {
    case EXPR_NUMBER:
    case EXPR_CHAR:
        return integer(expr->value, expr->is_unsigned);
    case EXPR_STRING:
        return (struct value){.kind = VALUE_STRING, .text = expr->text, .is_wide = expr->is_wide};
    case EXPR_NULL:
        return (struct value){.kind = VALUE_NULL};
    case EXPR_NAME:
        return evaluate_name(c, expr, not_constant);
    case EXPR_SIZEOF:
        return evaluate_sizeof(c, expr);
    case EXPR_CAST:
        return evaluate_cast(c, expr, not_constant);
    default:
        break;
    }
    struct value a = operand(c, expr->a, not_constant);
    if (a.kind == VALUE_INVALID)
        return invalid;
    if (!expr->b)
        return evaluate_unary(c, expr, a);
    /* A branch that is not taken is not evaluated: it may divide by zero. */
    if (expr->op == EXPR_COND)
        return operand(c, a.number ? expr->b : expr->c, not_constant);
    if ((expr->op == EXPR_AND && !a.number) || (expr->op == EXPR_OR && a.number))
        return integer(expr->op == EXPR_OR, false);
    struct value b = operand(c, expr->b, not_constant);
    if (b.kind == VALUE_INVALID)
        return invalid;
    return evaluate_binary(c, expr, a, b);
}

bool expr_is_constant(const struct idl_compiler *c, const struct expr *expr)
{
    if (!expr)
        return true;
    if (expr->op == EXPR_DEREF)
        return false;
    if (expr->op == EXPR_NAME) {
        const struct symbol *symbol = names_find(&c->names, expr->text, strlen(expr->text));
        return symbol && (symbol->kind == SYMBOL_CONST || symbol->kind == SYMBOL_ENUMERATOR);
    }
    return expr_is_constant(c, expr->a) && expr_is_constant(c, expr->b) &&
           expr_is_constant(c, expr->c);
}

bool expr_check_range(struct idl_compiler *c, const struct loc *loc, const struct value *value,
                      enum base_kind base)
{
    const struct base_info *info = base_info(base);
    bool huge = value->is_unsigned && value->number < 0;
    bool fits;
    if (info->high == -1) /* every negative number has always been written as -1 here, too */
        fits = true;
    else if (huge)
        fits = false;
    else
        fits = value->number >= info->low && value->number <= info->high;
    /* `const unsigned long X = -1` and `const long X = 0x80000000` are bit patterns. */
    if (!fits && !huge && info->size > 0 && info->size < 8) {
        int64_t span = (int64_t)1 << (8 * info->size);
        fits = value->number >= -span / 2 && value->number < span;
    }
    if (!fits)
        diag_error(c, loc, 2175, "illegal constant: out of the range of %s", info->idl_name);
    return fits;
}
