/* SPDX-License-Identifier: MIT */
/* ndr_expr_test.c - expression trees of size_is, with operands a peer could choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ndr/expr.h"

#define CONSTANT(v)                                                                                \
    &(const NDR_EXPR)                                                                              \
    {                                                                                              \
        .op = NDR_EXPR_CONST, .value = (v)                                                         \
    }
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static void b_binary_operators(void **state)
{
    static const struct {
        NDR_EXPR_OP op;
        int64_t a, b;
        bool valid;
        int64_t value;
    } rows[] = {
        {NDR_EXPR_ADD, 2, 3, true, 5},
        {NDR_EXPR_ADD, INT64_MAX, 1, false, 0},
        {NDR_EXPR_SUB, 2, 3, true, -1},
        {NDR_EXPR_SUB, INT64_MIN, 1, false, 0},
        {NDR_EXPR_MUL, -4, 3, true, -12},
        {NDR_EXPR_MUL, INT64_MAX, 2, false, 0},
        {NDR_EXPR_DIV, 7, 2, true, 3},
        {NDR_EXPR_DIV, 7, 0, false, 0},
        {NDR_EXPR_DIV, INT64_MIN, -1, false, 0},
        {NDR_EXPR_MOD, 7, 4, true, 3},
        {NDR_EXPR_MOD, 7, 0, false, 0},
        {NDR_EXPR_MOD, INT64_MIN, -1, false, 0},
        {NDR_EXPR_SHL, 1, 4, true, 16},
        {NDR_EXPR_SHL, 1, 64, false, 0},
        {NDR_EXPR_SHL, 1, -1, false, 0},
        {NDR_EXPR_SHR, 16, 3, true, 2},
        {NDR_EXPR_SHR, 16, 64, false, 0},
        {NDR_EXPR_BITAND, 12, 10, true, 8},
        {NDR_EXPR_BITOR, 12, 10, true, 14},
        {NDR_EXPR_BITXOR, 12, 10, true, 6},
        {NDR_EXPR_LT, 1, 2, true, 1},
        {NDR_EXPR_LE, 3, 2, true, 0},
        {NDR_EXPR_GT, 1, 2, true, 0},
        {NDR_EXPR_GE, 2, 2, true, 1},
        {NDR_EXPR_EQ, 2, 2, true, 1},
        {NDR_EXPR_NE, 2, 2, true, 0},
        {NDR_EXPR_AND, 2, 4, true, 1},
        {NDR_EXPR_AND, 2, 0, true, 0},
        {NDR_EXPR_OR, 0, 0, true, 0},
        {NDR_EXPR_OR, 0, 9, true, 1},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        NDR_EXPR expr = {.op = rows[i].op, .a = CONSTANT(rows[i].a), .b = CONSTANT(rows[i].b)};
        int64_t value = -99;
        assert_int_equal(ndr_expr_value(&expr, NULL, &value), rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(value, rows[i].value);
    }
}

static void b_unary_operators(void **state)
{
    static const struct {
        NDR_EXPR_OP op;
        int64_t a;
        bool valid;
        int64_t value;
    } rows[] = {
        {NDR_EXPR_NEG, 5, true, -5},    {NDR_EXPR_NEG, INT64_MIN, false, 0},
        {NDR_EXPR_NOT, 5, true, 0},     {NDR_EXPR_NOT, 0, true, 1},
        {NDR_EXPR_BITNOT, 5, true, ~5},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        NDR_EXPR expr = {.op = rows[i].op, .a = CONSTANT(rows[i].a)};
        int64_t value = -99;
        assert_int_equal(ndr_expr_value(&expr, NULL, &value), rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(value, rows[i].value);
    }
}

struct base {
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    intptr_t ip;
    uintptr_t up;
    int32_t *set, *null;
};

static void b_loads(void **state)
{
    int32_t pointee = -7;
    struct base base = {.u8 = 200,
                        .i8 = -3,
                        .u16 = 60000,
                        .i16 = -4,
                        .u32 = 4000000000u,
                        .i32 = -5,
                        .u64 = 1ull << 40,
                        .ip = -6,
                        .up = 6,
                        .set = &pointee};
#define AT(m) offsetof(struct base, m)
    const struct {
        NDR_EXPR expr;
        bool valid;
        int64_t value;
    } rows[] = {
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_UINT8, .offset = AT(u8)}, true, 200},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_BOOLEAN, .offset = AT(u8)}, true, 200},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_INT8, .offset = AT(i8)}, true, -3},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_UINT16, .offset = AT(u16)}, true, 60000},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_INT16, .offset = AT(i16)}, true, -4},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_UINT32, .offset = AT(u32)}, true, 4000000000},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_INT32, .offset = AT(i32)}, true, -5},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_ENUM16, .offset = AT(i32)}, true, -5},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_UINT64, .offset = AT(u64)}, true, 1ll << 40},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_INT3264, .offset = AT(ip)}, true, -6},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_UINT3264, .offset = AT(up)}, true, 6},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_DOUBLE, .offset = AT(u64)}, false, 0},
        {{.op = NDR_EXPR_LOAD, .kind = NDR_KIND_STRUCT, .offset = AT(u8)}, false, 0},
        {{.op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = AT(set)}, true, -7},
        {{.op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = AT(null)}, false, 0},
        {{.op = NDR_EXPR_NONNULL, .offset = AT(set)}, true, 1},
        {{.op = NDR_EXPR_NONNULL, .offset = AT(null)}, true, 0},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        int64_t value = -99;
        assert_int_equal(ndr_expr_value(&rows[i].expr, &base, &value), rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(value, rows[i].value);
    }
}

/* size_is(p ? *p : 0), p && *p, !p || *p with p NULL: the right side is not touched. */
static void b_lazy_operators(void **state)
{
    struct base base = {.null = NULL};
    NDR_EXPR ask = {.op = NDR_EXPR_NONNULL, .offset = AT(null)};
    NDR_EXPR take = {.op = NDR_EXPR_DEREF, .kind = NDR_KIND_INT32, .offset = AT(null)};
    NDR_EXPR not_ask = {.op = NDR_EXPR_NOT, .a = &ask};
    NDR_EXPR cond = {.op = NDR_EXPR_COND, .a = &ask, .b = &take, .c = CONSTANT(0)};
    NDR_EXPR and = {.op = NDR_EXPR_AND, .a = &ask, .b = &take};
    NDR_EXPR or = {.op = NDR_EXPR_OR, .a = &not_ask, .b = &take};
    NDR_EXPR eager = {.op = NDR_EXPR_AND, .a = &not_ask, .b = &take};
    int64_t value = -1;
    (void)state;
    assert_true(ndr_expr_value(&cond, &base, &value));
    assert_int_equal(value, 0);
    assert_true(ndr_expr_value(&and, &base, &value));
    assert_int_equal(value, 0);
    assert_true(ndr_expr_value(& or, &base, &value));
    assert_int_equal(value, 1);
    assert_false(ndr_expr_value(&eager, &base, &value));
}

static void b_counts_are_31_bits(void **state)
{
    uint32_t count = 5;
    (void)state;
    assert_true(ndr_expr_count(CONSTANT(INT32_MAX), NULL, &count));
    assert_int_equal(count, INT32_MAX);
    assert_false(ndr_expr_count(CONSTANT(INT32_MAX + 1ll), NULL, &count));
    assert_false(ndr_expr_count(CONSTANT(-1), NULL, &count));
}

/* Deeper than any IDL: no value, no crash. */
static void c_depth_is_bounded(void **state)
{
    static NDR_EXPR chain[100000];
    int64_t value;
    (void)state;
    for (size_t i = 0; i + 1 < ROWS(chain); i++)
        chain[i] = (NDR_EXPR){.op = NDR_EXPR_NEG, .a = &chain[i + 1]};
    chain[ROWS(chain) - 1] = (NDR_EXPR){.op = NDR_EXPR_CONST, .value = 1};
    assert_false(ndr_expr_value(chain, NULL, &value));
    assert_true(ndr_expr_value(chain + ROWS(chain) - 300, NULL, &value));
    assert_int_equal(value, -1); /* 299 negations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_binary_operators),
        cmocka_unit_test(b_unary_operators),
        cmocka_unit_test(b_loads),
        cmocka_unit_test(b_lazy_operators),
        cmocka_unit_test(b_counts_are_31_bits),
        cmocka_unit_test(c_depth_is_bounded),
    };
    return cmocka_run_group_tests_name("ndr_expr", tests, NULL, NULL);
}
