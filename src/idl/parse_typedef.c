/* SPDX-License-Identifier: MIT */
/* parse_typedef.c - typedefs and constants. */
#include "idl/expr.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

/* ---- typedef -------------------------------------------------------------------- */

/* `typedef struct {...} NAME`: descriptors and sizeof speak of NAME from now on. */
static void name_for_c(struct type *base, const struct var *var)
{
    struct type *type = type_unqualified(base);
    if (var->type != base || type != base || !type->defines)
        return;
    if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION)
        type->aggregate->c_name = var->name;
    if (type->kind == TYPE_ENUM)
        type->enumeration->c_name = var->name;
}

static void check_depth(struct parser *parser, struct var *var)
{
    const struct type *type = var->type;
    while (type->kind != TYPE_ALIAS && type->target)
        type = type->target;
    var->depth = type->kind == TYPE_ALIAS ? type->alias->depth + 1 : 1;
    if (var->depth <= IDL_TYPEDEF_DEPTH_MAX)
        return;
    diag_error(parser->compiler, &var->loc, 2002, "too many typedefs of typedefs");
    var->type = ARENA_NEW(&parser->compiler->arena, struct type);
    var->type->loc = var->loc;
    var->depth = 1;
}

/* The name is taken, by the same type: files that are imported together often define
 * the usual names each for itself.  The first definition stays. */
static bool repeats_typedef(struct parser *parser, struct var *var)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, var->name, strlen(var->name));
    if (!known)
        return false;
    if (known->kind == SYMBOL_INTERFACE) { /* typedef interface IThing IThing; */
        struct type *type = type_strip(var->type);
        return type->kind == TYPE_STRUCT && type->aggregate == known->interface->as_type;
    }
    if (known->kind != SYMBOL_TYPEDEF || !type_same_in_c(known->var->type, var->type))
        return false;
    if (!type_same(known->var->type, var->type))
        diag_warning(c, &var->loc, 2003, 1,
                     "redefinition of '%s' with another representation is ignored, first "
                     "defined at %s:%u",
                     var->name, known->loc.path, known->loc.line);
    return true;
}

/* `typedef unsigned short wchar_t;` and the like, which C files bring along: the language
 * has the types itself, and they must be the same. */
static bool repeats_builtin(struct parser *parser, struct type *base)
{
    struct idl_compiler *c = parser->compiler;
    bool is_wchar = parse_at_keyword(parser, KW_WCHAR_T);
    struct loc loc = parser->token.loc;
    if (!is_wchar && !parse_at_keyword(parser, KW_ERROR_STATUS_T))
        return false;
    parse_advance(parser);
    if (!type_is_base(base, is_wchar ? BASE_USHORT : BASE_ULONG) || !parse_at(parser, ';'))
        diag_error(c, &loc, is_wchar ? 2014 : 2205, "inconsistent redefinition of type %s",
                   is_wchar ? "wchar_t" : "error_status_t");
    while (!parse_at(parser, ';') && !parse_at(parser, TOK_END))
        parse_advance(parser);
    return true;
}

/* typedef = 'typedef' [attrs] type [attrs] declarator { ',' declarator } */
bool parse_typedef(struct parser *parser, struct attr *attrs, const char *source,
                   struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    parse_advance(parser);
    attrs = attr_append(attrs, parse_attributes(parser));
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    if (parse_at(parser, '['))
        attrs = attr_append(attrs, parse_attributes(parser));
    parse_check_attributes(parser, attrs, PLACE_TYPE);
    parse_union_attributes(parser, base, attrs);
    struct type *enumeration = type_unqualified(base);
    const struct attr *v1 = attr_find(attrs, ATTR_V1_ENUM);
    if (v1 && enumeration->kind == TYPE_ENUM && enumeration->defines)
        enumeration->enumeration->is_v1 = true;
    else if (v1 && enumeration->kind != TYPE_ERROR)
        diag_error(c, &v1->loc, 2072, "[v1_enum] stands before the body of an enum");

    if (repeats_builtin(parser, base))
        return parse_expect(parser, ';');
    struct var *vars = NULL, **vars_end = &vars;
    bool first = true;
    do {
        struct var *var = new_var(parser, attrs, source);
        if (!parse_declarator(parser, base, var, false))
            return false;
        check_depth(parser, var);
        osf_check_void(c, var);
        struct symbol symbol = {.kind = SYMBOL_TYPEDEF, .loc = var->loc, .var = var};
        struct type *type = var->type;
        if (base->kind == TYPE_PIPE && type == base) {
            /* Each name is a pipe type of its own. */
            var->type = ARENA_NEW(&c->arena, struct type);
            *var->type = *base;
            var->type->pipe_name = var->name;
        } else if (type_unqualified(base)->kind == TYPE_PIPE) {
            if (type->kind == TYPE_ARRAY)
                diag_error(c, &var->loc, 2321, "pipes cannot be array elements");
            else
                diag_error(c, &var->loc, 2322,
                           "invalid pipe usage: a typedef of a pointer to a pipe; give the pipe a "
                           "name first");
            type->kind = TYPE_ERROR;
        }
        if (first)
            name_for_c(base, var);
        first = false;
        if (repeats_typedef(parser, var))
            continue;
        if (declare(parser, var->name, &symbol)) {
            *vars_end = var;
            vars_end = &var->next;
        }
    } while (parse_accept(parser, ','));
    if (!parse_expect(parser, ';'))
        return false;
    struct decl *decl = add_decl(parser, DECL_TYPEDEF, source, end);
    decl->loc = loc;
    decl->type = base;
    decl->vars = vars;
    return true;
}

/* ---- const ----------------------------------------------------------------------- */

/* The documentation knows no constants of these types, Microsoft's own files have some
 * ([MS-FSRM]). */
static bool real_value_fits(struct idl_compiler *c, const struct var *var, struct value *value,
                            enum base_kind base)
{
    if (osf_refuse(c, &var->loc, 2202, "a constant must be an integer, a character or a string"))
        return false;
    if (value->kind != VALUE_INT && value->kind != VALUE_REAL) {
        diag_error(c, &var->init->loc, 2154, "mismatch in assignment type");
        return false;
    }
    return expr_convert(value, base);
}

static bool const_value_fits(struct parser *parser, struct var *var)
{
    struct idl_compiler *c = parser->compiler;
    struct type *type = type_strip(var->type);
    struct value *value = &var->value;
    if (value->kind == VALUE_INVALID || type->kind == TYPE_ERROR)
        return false;
    if (type->kind == TYPE_POINTER) {
        struct type *target = type_strip(type->target);
        bool wide = type_is_base(target, BASE_WCHAR);
        bool narrow = type_is_base(target, BASE_CHAR) || type_is_base(target, BASE_SCHAR) ||
                      type_is_base(target, BASE_BYTE);
        bool nothing = type_is_base(target, BASE_VOID);
        if ((value->kind == VALUE_STRING && (value->is_wide ? wide : narrow)) ||
            (value->kind == VALUE_NULL && (wide || narrow || nothing)))
            return true;
    } else if (type->kind == TYPE_BASE && base_info(type->base)->integral) {
        if (value->kind == VALUE_INT) {
            return expr_check_range(c, &var->init->loc, value, type->base) &&
                   expr_convert(value, type->base);
        }
    } else if (type->kind == TYPE_BASE &&
               (type->base == BASE_FLOAT || type->base == BASE_DOUBLE)) {
        return real_value_fits(c, var, value, type->base);
    } else if (type->kind == TYPE_ENUM && value->kind == VALUE_INT) {
        return expr_check_range(c, &var->init->loc, value, BASE_LONG);
    } else {
        diag_error(c, &var->loc, 2202, "a constant must be an integer, a character or a string");
        return false;
    }
    diag_error(c, &var->init->loc, 2154, "mismatch in assignment type");
    return false;
}

/* const = 'const' type declarator '=' expr; on the '='. */
bool parse_const(struct parser *parser, struct var *var, const char *source, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    if (parse_at(parser, '{')) {
        diag_error(c, &parser->token.loc, 2149, "compound initializers are not supported");
        return false;
    }
    parser->casts_allowed = true;
    var->init = parse_expr(parser);
    parser->casts_allowed = false;
    if (!var->init || !parse_expect(parser, ';'))
        return false;
    var->value = expr_evaluate(c, var->init, 2173);
    if (!const_value_fits(parser, var))
        var->value.kind = VALUE_INVALID;
    struct symbol symbol = {.kind = SYMBOL_CONST, .loc = var->loc, .var = var};
    if (!declare(parser, var->name, &symbol))
        return true;
    struct decl *decl = add_decl(parser, DECL_CONST, source, end);
    decl->vars = var;
    return true;
}
