/* SPDX-License-Identifier: MIT */
/* parse_type.c - type specifiers. */
#include "idl/expr.h"
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/suggest.h"
#include "idl/types.h"

#include <string.h>

struct type *new_type(struct parser *parser, enum type_kind kind)
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

bool parse_qualifier(struct parser *parser, struct quals *quals)
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
    while (take_word(parser, &words) || (words.total > 0 && parse_qualifier(parser, quals)))
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
    static const char *const names[] = {"ISO_LATIN_1", "ISO_MULTI_LINGUAL", "ISO_UCS",   "bitset",
                                        "__int128",    "__float80",         "__float128"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Types of automation that hold interface pointers: nothing here could carry them. */
static bool is_of_automation(const char *name)
{
    static const char *const names[] = {"VARIANT",     "VARIANTARG", "LPVARIANT", "LPVARIANTARG",
                                        "wireVARIANT", "LPSAFEARRAY", "wirePSAFEARRAY",
                                        "PROPVARIANT", "DISPPARAMS", "EXCEPINFO"};
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
        if (symbol->var->unit != parser->unit) {
            type->unit = parser->unit;
            type->next_use = symbol->var->uses;
            symbol->var->uses = type;
        }
    } else if (symbol && symbol->kind == SYMBOL_INTERFACE) {
        type = com_interface_type(parser, symbol->interface, type->loc);
    } else {
        type->kind = TYPE_ERROR;
        if (!symbol && is_unimplemented(name)) {
            diag_error(c, &type->loc, 2029, "type not implemented: '%s'", name);
        } else if (!symbol) {
            if (is_of_automation(name))
                diag_error(c, &type->loc, 2028,
                           "'%s' belongs to COM automation, which is not supported yet by "
                           "penstock-idl",
                           name);
            else if (!c->import_missing)
                diag_error(c, &type->loc, 2009, "undefined symbol: no type is named '%s'%s", name,
                           suggest_type(c, name));
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
    type->target = parse_type(parser, false);
    parse_leave(parser);
    return type->target ? type : NULL;
}

/* type = quals ( base | ID | struct | enum | union | pipe ) quals */
struct type *parse_type(struct parser *parser, bool in_param)
{
    struct quals quals = {0};
    struct type *type = NULL;
    while (parse_qualifier(parser, &quals))
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
    while (parse_qualifier(parser, &quals))
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
