/* SPDX-License-Identifier: MIT */
/* parse_type.c - type specifiers and declarators. */
#include "idl/expr.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <string.h>

static struct type *new_type(struct parser *parser, enum type_kind kind)
{
    struct type *type = ARENA_NEW(&parser->compiler->arena, struct type);
    type->kind = kind;
    type->loc = parser->token.loc;
    return type;
}

/* ---- Base types --------------------------------------------------------------- */

/* The words of a base type, in any order, each counted. */
struct words {
    unsigned is_signed, is_unsigned, is_long, is_short, is_small, is_hyper, is_int, is_char;
    unsigned is_int3264, total;
};

static bool take_word(struct parser *parser, struct words *words)
{
    switch (parser->token.keyword) {
    case KW_SIGNED:
        words->is_signed++;
        break;
    case KW_UNSIGNED:
        words->is_unsigned++;
        break;
    case KW_LONG:
        words->is_long++;
        break;
    case KW_SHORT:
        words->is_short++;
        break;
    case KW_SMALL:
        words->is_small++;
        break;
    case KW_HYPER:
        words->is_hyper++;
        break;
    case KW_INT:
        words->is_int++;
        break;
    case KW_CHAR:
        words->is_char++;
        break;
    case KW_INT8:
        words->is_small++;
        break;
    case KW_INT16:
        words->is_short++;
        break;
    case KW_INT32:
        words->is_long++;
        break;
    case KW_INT64:
        words->is_hyper++;
        break;
    case KW_INT3264:
        words->is_int3264++;
        break;
    default:
        return false;
    }
    words->total++;
    parse_advance(parser);
    return true;
}

/* What the words mean together; BASE_VOID: nothing. */
static enum base_kind base_of_words(const struct words *w)
{
    unsigned sizes =
        w->is_long + w->is_short + w->is_small + w->is_hyper + w->is_char + w->is_int3264;
    bool is_unsigned = w->is_unsigned > 0;
    if (w->is_signed + w->is_unsigned > 1 || w->is_int > 1)
        return BASE_VOID;
    if (w->is_long == 2 && sizes == 2) /* long long: not in the documents, seen in files */
        return is_unsigned ? BASE_UHYPER : BASE_HYPER;
    if (sizes > 1)
        return BASE_VOID;
    if (w->is_char)
        return w->is_int ? BASE_VOID : w->is_signed ? BASE_SCHAR : BASE_CHAR;
    if (w->is_short)
        return is_unsigned ? BASE_USHORT : BASE_SHORT;
    if (w->is_small)
        return is_unsigned ? BASE_USMALL : BASE_SMALL;
    if (w->is_hyper)
        return is_unsigned ? BASE_UHYPER : BASE_HYPER;
    if (w->is_int3264)
        return is_unsigned ? BASE_UINT3264 : BASE_INT3264;
    return is_unsigned ? BASE_ULONG : BASE_LONG;
}

/* Words that DCE does not have; its `int` needs a size. */
static void osf_words(struct idl_compiler *c, const struct loc *loc, const struct words *w)
{
    bool sized = w->is_long || w->is_short || w->is_small || w->is_hyper || w->is_char;
    if (w->is_signed)
        osf_refuse(c, loc, 2153, "\"signed\" needs -ms_ext");
    if (w->is_int3264)
        osf_refuse(c, loc, 2386, "__int3264 is not supported in -osf mode");
    else if (!sized)
        osf_refuse(c, loc, 2125, "use of \"int\" without a size needs -c_ext");
}

/* Words around a type that mean nothing on the wire. */
struct quals {
    bool is_const;
    enum keyword convention; /* the calling convention named so far */
};

static bool qualifier(struct parser *parser, struct quals *quals)
{
    struct idl_compiler *c = parser->compiler;
    enum keyword word = parser->token.keyword;
    switch (word) {
    case KW_CONST:
        quals->is_const = true;
        break;
    case KW_CDECL:
    case KW_STDCALL:
    case KW_FASTCALL:
    case KW_PASCAL:
        if (quals->convention != KW_NONE && quals->convention != word)
            diag_error(c, &parser->token.loc, 2282, "multiple calling conventions are illegal");
        quals->convention = word;
        break;
    case KW_VOLATILE:
    case KW_FAR:
    case KW_NEAR:
    case KW_UNALIGNED:
    case KW_PTR32:
    case KW_PTR64:
    case KW_W64:
        break;
    default:
        return false;
    }
    if (parser->const_expected && word == KW_CONST) /* `const long N = 1;` is no qualifier */
        parser->const_expected = false;
    else
        osf_refuse(c, &parser->token.loc, 2128, "use of type qualifiers needs -c_ext");
    parse_advance(parser);
    return true;
}

/* base = one or more of signed unsigned int long short char small hyper __intN
 *        __int3264 in any order
 *      | void | boolean | byte | wchar_t | handle_t | error_status_t | float | double */
static struct type *base_type(struct parser *parser, struct quals *quals)
{
    struct type *type = new_type(parser, TYPE_BASE);
    struct words words = {0};
    while (take_word(parser, &words) || (words.total > 0 && qualifier(parser, quals)))
        ;
    if (words.total > 0) {
        type->base = base_of_words(&words);
        type->plain_char = parser->compiler->options.plain_char && type->base == BASE_CHAR &&
                           words.is_unsigned == 0;
        osf_words(parser->compiler, &type->loc, &words);
        if (type->base == BASE_VOID) {
            diag_error(parser->compiler, &type->loc, 2025,
                       "syntax error: these words make no type together");
            type->kind = TYPE_ERROR;
        }
        return type;
    }
    static const struct {
        enum keyword keyword;
        enum base_kind base;
    } words_alone[] = {
        {KW_VOID, BASE_VOID},       {KW_BOOLEAN, BASE_BOOLEAN},
        {KW_BYTE, BASE_BYTE},       {KW_WCHAR_T, BASE_WCHAR},
        {KW_HANDLE_T, BASE_HANDLE}, {KW_FLOAT, BASE_FLOAT},
        {KW_DOUBLE, BASE_DOUBLE},   {KW_ERROR_STATUS_T, BASE_ERROR_STATUS},
    };
    for (size_t i = 0; i < sizeof(words_alone) / sizeof(words_alone[0]); i++) {
        if (parse_accept_keyword(parser, words_alone[i].keyword)) {
            type->base = words_alone[i].base;
            if (type->base == BASE_WCHAR)
                osf_refuse(parser->compiler, &type->loc, 2168, "use of wchar_t needs -ms_ext");
            return type;
        }
    }
    return NULL;
}

/* ---- Names, tags, pipes --------------------------------------------------------- */

/* Words of the language for types that no Microsoft RPC has. */
static bool is_unimplemented(const char *name)
{
    static const char *const names[] = {"ISO_LATIN_1", "ISO_MULTI_LINGUAL", "ISO_UCS", "bitset",
                                        "__int128",    "__float80",         "__float128"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static struct type *named_type(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    const char *name = parser->token.text;
    struct type *type = new_type(parser, TYPE_ALIAS);
    const struct symbol *symbol = names_find(&c->names, name, strlen(name));
    if (symbol && symbol->kind == SYMBOL_TYPEDEF) {
        type->alias = symbol->var;
    } else if (symbol && symbol->kind == SYMBOL_INTERFACE) {
        type = com_interface_type(parser, symbol->interface, type->loc);
    } else {
        type->kind = TYPE_ERROR;
        if (!symbol && is_unimplemented(name)) {
            diag_error(c, &type->loc, 2029, "type not implemented: '%s'", name);
        } else if (!symbol) {
            diag_error(c, &type->loc, 2009, "undefined symbol: no type is named '%s'", name);
            /* Say it once. */
            struct symbol *bad = ARENA_NEW(&c->arena, struct symbol);
            *bad = (struct symbol){.kind = SYMBOL_BAD, .loc = type->loc};
            names_set(&c->names, &c->arena, name, strlen(name), bad);
        } else if (symbol->kind != SYMBOL_BAD) {
            diag_error(c, &type->loc, 2009, "undefined symbol: '%s' is not a type", name);
        }
    }
    parse_advance(parser);
    return type;
}

/* pipe = 'pipe' type */
static struct type *pipe_type(struct parser *parser)
{
    struct type *type = new_type(parser, TYPE_PIPE);
    parse_advance(parser);
    if (!parse_enter(parser))
        return NULL;
    type->target = parse_type(parser, true);
    parse_leave(parser);
    return type->target ? type : NULL;
}

/* type = quals ( base | ID | struct | enum | union | pipe ) quals */
struct type *parse_type(struct parser *parser, bool in_param)
{
    struct quals quals = {0};
    struct type *type = NULL;
    while (qualifier(parser, &quals))
        ;
    struct loc loc = parser->token.loc;
    switch (parser->token.keyword) {
    case KW_STRUCT:
        type = parse_body_struct(parser, loc);
        break;
    case KW_ENUM:
        type = parse_body_enum(parser, loc);
        break;
    case KW_UNION:
        type = parse_union(parser, loc);
        break;
    case KW_PIPE:
        type = pipe_type(parser);
        break;
    case KW_SAFEARRAY:
    case KW_INTERFACE:
    case KW_COCLASS:
    case KW_DISPINTERFACE:
        type = com_type(parser);
        if (!type)
            return NULL;
        break;
    case KW_NONE:
        if (parse_at(parser, TOK_IDENT)) {
            type = named_type(parser);
            break;
        }
        /* fall through */
    default:
        type = base_type(parser, &quals);
        if (!type)
            parse_error_expected(parser, "a type");
        break;
    }
    if (!type)
        return NULL;
    if (in_param && type->defines) {
        diag_error(parser->compiler, &type->loc, 2157,
                   "struct/union/enum must not be defined in a parameter or result type");
    }
    while (qualifier(parser, &quals))
        ;
    if (quals.is_const) {
        struct type *qualified = new_type(parser, TYPE_CONST);
        qualified->loc = type->loc;
        qualified->target = type;
        qualified->defines = type->defines;
        type = qualified;
    }
    return type;
}

/* ---- Declarators ------------------------------------------------------------------ */

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
        } else if (qualifier(parser, &quals)) {
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
