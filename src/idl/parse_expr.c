/* SPDX-License-Identifier: MIT */
/* parse_expr.c - expressions of constants, bounds and attributes.
 *
 * Binary operators are parsed by precedence climbing over one table. */
#include "idl/parse.h"

#include <string.h>

static struct expr *new_expr(struct parser *parser, enum expr_op op)
{
    struct expr *expr = ARENA_NEW(&parser->compiler->arena, struct expr);
    expr->op = op;
    expr->loc = parser->token.loc;
    expr->start = parser->token.loc.at;
    return expr;
}

/* A chain a+a+a... leans left and needs no recursion here, but each pass behind does. */
#define EXPR_DEPTH_MAX 512

/* Ends the text of `expr` here.  NULL: an operand is missing or the tree too deep. */
static struct expr *finish(struct parser *parser, struct expr *expr)
{
    const struct expr *operands[] = {expr->a, expr->b, expr->c};
    unsigned wanted = expr->op == EXPR_COND ? 3 : expr->op >= EXPR_ADD ? 2 : 1;
    expr->end = parser->last_end;
    for (unsigned i = 0; i < wanted; i++) {
        if (!operands[i])
            return NULL;
        if (operands[i]->depth >= expr->depth)
            expr->depth = operands[i]->depth + 1;
    }
    if (expr->depth <= EXPR_DEPTH_MAX)
        return expr;
    diag_error(parser->compiler, &expr->loc, 2002, "expression is too complex");
    return NULL;
}

static const struct {
    int token;
    enum expr_op op;
    unsigned precedence; /* higher binds tighter */
} binary_operators[] = {
    {TOK_OR, EXPR_OR, 1},   {TOK_AND, EXPR_AND, 2}, {'|', EXPR_BITOR, 3}, {'^', EXPR_BITXOR, 4},
    {'&', EXPR_BITAND, 5},  {TOK_EQ, EXPR_EQ, 6},   {TOK_NE, EXPR_NE, 6}, {'<', EXPR_LT, 7},
    {TOK_LE, EXPR_LE, 7},   {'>', EXPR_GT, 7},      {TOK_GE, EXPR_GE, 7}, {TOK_SHL, EXPR_SHL, 8},
    {TOK_SHR, EXPR_SHR, 8}, {'+', EXPR_ADD, 9},     {'-', EXPR_SUB, 9},   {'*', EXPR_MUL, 10},
    {'/', EXPR_DIV, 10},    {'%', EXPR_MOD, 10},
};

/* string = STRING { STRING }   (adjacent strings are one, as in C) */
static struct expr *string_literal(struct parser *parser)
{
    struct expr *expr = new_expr(parser, EXPR_STRING);
    struct text text = {.arena = &parser->compiler->arena};
    expr->is_wide = parser->token.is_wide;
    while (parse_at(parser, TOK_STRING)) {
        text_add(&text, parser->token.text);
        parse_advance(parser);
    }
    expr->text = text_get(&text);
    return expr;
}

static struct expr *literal(struct parser *parser, enum expr_op op)
{
    struct expr *expr = new_expr(parser, op);
    expr->value = parser->token.value;
    expr->is_unsigned = parser->token.is_unsigned;
    expr->is_hex = parser->token.is_hex;
    expr->is_wide = parser->token.is_wide;
    parse_advance(parser);
    return expr;
}

/* sizeof = 'sizeof' '(' type [ abstract-declarator ] ')' */
static struct expr *size_of(struct parser *parser)
{
    struct expr *expr = new_expr(parser, EXPR_SIZEOF);
    parse_advance(parser);
    if (!parse_expect(parser, '('))
        return NULL;
    struct type *base = parse_type(parser, true);
    struct var var = {0};
    if (!base || !parse_declarator(parser, base, &var, true) || !parse_expect(parser, ')'))
        return NULL;
    expr->type = var.type;
    return expr;
}

/* Could what is behind the '(' be the type of a cast?  Only constants may have one: elsewhere
 * names of typedefs may be parameters and fields as well. */
static bool at_cast(const struct parser *parser)
{
    static const enum keyword words[] = {
        KW_BOOLEAN, KW_BYTE,  KW_CHAR,  KW_DOUBLE, KW_ERROR_STATUS_T, KW_FLOAT,    KW_HYPER,
        KW_INT,     KW_INT8,  KW_INT16, KW_INT32,  KW_INT64,          KW_INT3264,  KW_LONG,
        KW_SHORT,   KW_SIGNED, KW_SMALL, KW_UNSIGNED, KW_WCHAR_T};
    const struct token *token = &parser->token;
    if (!parser->casts_allowed || token->kind != TOK_IDENT)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (token->keyword == words[i])
            return true;
    const struct symbol *symbol =
        names_find(&parser->compiler->names, token->text, strlen(token->text));
    return token->keyword == KW_NONE && symbol && symbol->kind == SYMBOL_TYPEDEF;
}

static struct expr *unary(struct parser *parser);

/* cast = '(' type ')' unary; behind the '('. */
static struct expr *cast(struct parser *parser, struct expr *expr)
{
    expr->type = parse_type(parser, true);
    if (!expr->type || !parse_expect(parser, ')') || !parse_enter(parser))
        return NULL;
    expr->a = unary(parser);
    parse_leave(parser);
    return finish(parser, expr);
}

/* primary = NUMBER | CHAR | string | 'TRUE' | 'FALSE' | 'NULL' | ID | sizeof
 *         | '(' expr ')' | cast */
static struct expr *primary(struct parser *parser)
{
    struct token *token = &parser->token;
    switch ((unsigned)token->kind) {
    case TOK_NUMBER:
        return literal(parser, EXPR_NUMBER);
    case TOK_CHAR:
        return literal(parser, EXPR_CHAR);
    case TOK_STRING:
        return string_literal(parser);
    case '(': {
        const char *start = token->loc.at;
        struct expr *conversion = new_expr(parser, EXPR_CAST);
        parse_advance(parser);
        if (at_cast(parser))
            return cast(parser, conversion);
        struct expr *expr = parse_expr(parser);
        if (expr)
            expr->start = start;
        return expr && parse_expect(parser, ')') ? expr : NULL;
    }
    case TOK_IDENT:
        break;
    default:
        parse_error_expected(parser, "an expression");
        return NULL;
    }
    struct expr *expr = NULL;
    if (token->keyword == KW_SIZEOF)
        return size_of(parser);
    if (token->keyword == KW_TRUE || token->keyword == KW_FALSE) {
        expr = new_expr(parser, EXPR_NUMBER);
        expr->value = token->keyword == KW_TRUE;
    } else if (token->keyword == KW_NULL) {
        expr = new_expr(parser, EXPR_NULL);
    } else if (token->keyword == KW_NONE) {
        expr = new_expr(parser, EXPR_NAME);
        expr->text = token->text;
    } else {
        parse_error_expected(parser, "an expression");
        return NULL;
    }
    parse_advance(parser);
    return expr;
}

/* unary = { '-' | '+' | '!' | '~' | '*' } primary */
static struct expr *unary(struct parser *parser)
{
    static const struct {
        char token;
        enum expr_op op;
    } operators[] = {
        {'-', EXPR_NEG}, {'+', EXPR_PLUS}, {'!', EXPR_NOT}, {'~', EXPR_BITNOT}, {'*', EXPR_DEREF}};

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (!parse_at(parser, operators[i].token))
            continue;
        struct expr *expr = new_expr(parser, operators[i].op);
        parse_advance(parser);
        if (!parse_enter(parser))
            return NULL;
        expr->a = unary(parser);
        parse_leave(parser);
        return finish(parser, expr);
    }
    struct expr *expr = primary(parser);
    if (!expr)
        return NULL;
    expr->end = parser->last_end;
    if (parse_at(parser, TOK_ARROW) || parse_at(parser, '.') || parse_at(parser, '[')) {
        parser->error_line = parser->token.loc.line;
        diag_error(parser->compiler, &parser->token.loc, 2037,
                   "an expression cannot select a member or an element");
        return NULL;
    }
    return expr;
}

/* binary(n) = unary { operator-of-precedence-n-or-higher binary(n+1) } */
static struct expr *binary(struct parser *parser, unsigned lowest)
{
    struct expr *left = unary(parser);
    while (left) {
        size_t i = 0;
        const size_t count = sizeof(binary_operators) / sizeof(binary_operators[0]);
        while (i < count && !(parse_at(parser, binary_operators[i].token) &&
                              binary_operators[i].precedence >= lowest))
            i++;
        if (i == count)
            return left;
        struct expr *expr = new_expr(parser, binary_operators[i].op);
        parse_advance(parser);
        expr->a = left;
        if (!parse_enter(parser))
            return NULL;
        expr->b = binary(parser, binary_operators[i].precedence + 1);
        parse_leave(parser);
        expr->loc = left->loc;
        expr->start = left->start;
        left = finish(parser, expr);
    }
    return NULL;
}

/* expr = binary(1) [ '?' expr ':' expr ] */
struct expr *parse_expr(struct parser *parser)
{
    if (!parse_enter(parser))
        return NULL;
    struct expr *expr = binary(parser, 1);
    if (expr && parse_at(parser, '?')) {
        struct expr *condition = new_expr(parser, EXPR_COND);
        condition->loc = expr->loc;
        condition->start = expr->start;
        condition->a = expr;
        parse_advance(parser);
        condition->b = parse_expr(parser);
        condition->c = condition->b && parse_expect(parser, ':') ? parse_expr(parser) : NULL;
        expr = finish(parser, condition);
    }
    parse_leave(parser);
    return expr;
}
