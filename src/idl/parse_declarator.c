/* SPDX-License-Identifier: MIT */
/* parse_declarator.c - declarators: pointers, arrays, functions and their parameters. */
#include "idl/expr.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* params = 'void' | param { ',' param } [ ',' '...' ] | nothing
 * param = [attrs] type [ declarator ] */
bool parse_params(struct parser *parser, struct type *function)
{
    struct var **end = &function->params;
    if (parse_accept(parser, ')'))
        return true;
    do {
        if (parse_accept(parser, TOK_ELLIPSIS)) {
            function->variadic = true;
            break;
        }
        struct var *param = ARENA_NEW(&parser->compiler->arena, struct var);
        param->home = parser->interface;
        param->source = parser->token.loc.at;
        param->loc = parser->token.loc;
        param->attrs = parse_attributes(parser);
        if (!param->attrs)
            param->loc = parser->token.loc;
        struct type *base = parse_type(parser, true);
        if (!base || !parse_declarator(parser, base, param, true))
            return false;
        param->source_end = parser->last_end;
        if (parse_at(parser, '=')) {
            diag_error(parser->compiler, &parser->token.loc, 2149,
                       "a parameter cannot be initialised");
            return false;
        }
        parse_check_attributes(parser, param->attrs, PLACE_PARAM);
        *end = param;
        end = &param->next;
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ')');
}

/* The value of a constant bound; false: reported. */
static bool bound_value(struct parser *parser, const struct expr *expr, int64_t *ret_value)
{
    struct value value = expr_evaluate(parser->compiler, expr, 2035);
    if (value.kind == VALUE_INVALID)
        return false;
    if (value.kind != VALUE_INT) {
        diag_error(parser->compiler, &expr->loc, 2103, "array bound must be an integer");
        return false;
    }
    if (value.is_unsigned && value.number < 0) {
        diag_error(parser->compiler, &expr->loc, 2103, "array bound is too large");
        return false;
    }
    *ret_value = value.number;
    return true;
}

/* bound = [ '*' | expr [ '..' expr ] ] ']' */
static bool array_bound(struct parser *parser, struct type *array)
{
    if (parse_accept(parser, ']'))
        return true;
    if (parse_at(parser, '*')) {
        struct parser ahead = *parser;
        parse_advance(&ahead);
        if (parse_at(&ahead, ']')) {
            parse_advance(parser);
            parse_advance(parser);
            return true;
        }
    }
    array->bound = parse_expr(parser);
    if (!array->bound)
        return false;
    int64_t count;
    struct loc loc = array->bound->loc;
    if (parse_accept(parser, TOK_DOTDOT)) {
        int64_t low;
        array->bound_low = array->bound;
        array->bound = parse_expr(parser);
        if (!array->bound || !parse_expect(parser, ']'))
            return false;
        if (!bound_value(parser, array->bound_low, &low) ||
            !bound_value(parser, array->bound, &count)) {
            array->kind = TYPE_ERROR;
            return true;
        }
        if (low != 0) {
            diag_error(parser->compiler, &loc, 2102, "the lower bound of an array must be 0");
            array->kind = TYPE_ERROR;
        }
        if (count < INT64_MAX)
            count++;
    } else {
        if (!parse_expect(parser, ']'))
            return false;
        if (!bound_value(parser, array->bound, &count)) {
            array->kind = TYPE_ERROR;
            return true;
        }
    }
    if (count <= 0 || count > (int64_t)IDL_SIZE_MAX) {
        diag_error(parser->compiler, &loc, 2103, "array bound specification is illegal: %lld",
                   (long long)count);
        array->kind = TYPE_ERROR;
        return true;
    }
    array->count = (uint32_t)count;
    return true;
}

/* suffixes = { '[' bound | '(' params }.  Arrays nest from the left: the first
 * dimension is the outermost type. */
static struct type *suffixes(struct parser *parser, struct type *base)
{
    if (!parse_enter(parser))
        return NULL;
    struct type *type = base;
    if (parse_at(parser, '[')) {
        type = new_type(parser, TYPE_ARRAY);
        parse_advance(parser);
        if (!array_bound(parser, type))
            type = NULL;
        else
            type->target = suffixes(parser, base);
        if (type && !type->target)
            type = NULL;
    } else if (parse_at(parser, '(')) {
        type = new_type(parser, TYPE_FUNCTION);
        parse_advance(parser);
        type->target = base;
        if (!parse_params(parser, type))
            type = NULL;
    }
    parse_leave(parser);
    return type;
}

/* declarator = { '*' | quals | callconv | attrs } ( ID | '(' declarator ')' | ) suffixes */
bool parse_declarator(struct parser *parser, struct type *base, struct var *var,
                      bool abstract_allowed)
{
    struct quals quals = {0};
    unsigned stars = 0;
    for (;;) {
        if (parse_at(parser, '*')) {
            struct type *pointer = new_type(parser, TYPE_POINTER);
            if (++stars > IDL_NESTING_MAX) {
                diag_error(parser->compiler, &parser->token.loc, 2002, "too many levels");
                return false;
            }
            parse_advance(parser);
            pointer->target = base;
            base = pointer;
            quals.is_const = false;
        } else if (parse_qualifier(parser, &quals)) {
            if (quals.is_const && base->kind == TYPE_POINTER) {
                struct type *qualified = new_type(parser, TYPE_CONST);
                qualified->target = base;
                base = qualified;
                quals.is_const = false;
            }
        } else if (parse_at(parser, '[') && stars > 0 && !var->name) {
            struct parser ahead = *parser;
            parse_advance(&ahead);
            if (!parse_at(&ahead, TOK_IDENT) || ahead.token.keyword != KW_NONE)
                break;
            var->attrs = attr_append(parse_attributes(parser), var->attrs);
        } else {
            break;
        }
    }
    struct type *placeholder = NULL;
    if (parse_at(parser, '(')) {
        parse_advance(parser);
        placeholder = new_type(parser, TYPE_ERROR);
        if (!parse_enter(parser))
            return false;
        bool ok = parse_declarator(parser, placeholder, var, abstract_allowed);
        parse_leave(parser);
        if (!ok || !parse_expect(parser, ')'))
            return false;
    } else if (parse_at(parser, TOK_IDENT) || !abstract_allowed) {
        var->name = parse_identifier(parser, "a name", &var->loc);
        if (!var->name)
            return false;
    }
    struct type *type = suffixes(parser, base);
    if (!type)
        return false;
    if (!placeholder) {
        var->type = type;
        return true;
    }
    /* The nested declarator was built around the placeholder: put the type there. */
    struct loc loc = placeholder->loc;
    if (var->type == placeholder) {
        var->type = type;
    } else {
        *placeholder = *type;
        placeholder->loc = loc;
    }
    return true;
}
