/* SPDX-License-Identifier: MIT */
/* parse_decl.c - what may stand in an interface or a file, and statements of one line. */
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <ctype.h>
#include <string.h>

struct decl *add_decl(struct parser *parser, enum decl_kind kind, const char *source,
                      struct decl ***end)
{
    struct decl *decl = ARENA_NEW(&parser->compiler->arena, struct decl);
    decl->kind = kind;
    decl->loc = parser->token.loc;
    decl->source = source;
    decl->source_end = parser->last_end;
    **end = decl;
    *end = &decl->next;
    return decl;
}

struct var *new_var(struct parser *parser, struct attr *attrs, const char *source)
{
    struct var *var = ARENA_NEW(&parser->compiler->arena, struct var);
    var->attrs = attrs;
    var->home = parser->interface;
    var->imported = parser->unit->imported;
    var->unit = parser->unit;
    var->loc = parser->token.loc;
    var->source = source;
    return var;
}

/* ---- What may stand in an interface or a file ----------------------------------------- */

/* storage = ( 'extern' | 'static' ) ( [ 'const' ] type declarator [ '=' expr ]
 *                                   | 'extern' operation ) ';', on the first word
 * C only: a variable of the program.  What `static const` initialises is a constant. */
static bool with_storage_class(struct parser *parser, const char *source, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    const struct loc loc = parser->token.loc;
    const char *word = parser->token.text;
    bool is_static = parse_at_keyword(parser, KW_STATIC);
    osf_refuse(c, &loc, 2155,
               "declaration must be of the form: const <type> <name> = <expression>");
    parse_advance(parser);
    struct attr *attrs = parse_attributes(parser);
    bool said_const = parse_at_keyword(parser, KW_CONST);
    struct type *base = parse_type(parser, false);
    if (!base)
        return false;
    struct var *var = new_var(parser, attrs, source);
    if (!parse_declarator(parser, base, var, false))
        return false;
    if (var->type->kind == TYPE_FUNCTION) {
        if (is_static)
            diag_error(c, &loc, 2025, "syntax error: an operation cannot be 'static'");
        return parse_proc(parser, var, source, end);
    }
    if (parse_at(parser, '=') && is_static && said_const)
        return parse_const(parser, var, source, end);
    if (parse_at(parser, '=')) {
        diag_error(c, &var->loc, 2156, "declaration must have 'const'");
        return false;
    }
    parse_check_attributes(parser, attrs, PLACE_TYPE);
    if (!parse_expect(parser, ';'))
        return false;
    struct symbol symbol = {.kind = SYMBOL_VARIABLE, .loc = var->loc, .var = var};
    if (!declare(parser, var->name, &symbol))
        return true;
    struct decl *decl = add_decl(parser, DECL_VARIABLE, source, end);
    decl->loc = var->loc;
    decl->type = base;
    decl->vars = var;
    decl->text = word;
    return true;
}

/* include = 'include' STRING { ',' STRING } ';': C headers for the header */
static bool include(struct parser *parser, const char *source, struct decl ***end)
{
    parse_advance(parser);
    do {
        const char *name = parser->token.text;
        if (!parse_expect(parser, TOK_STRING))
            return false;
        add_decl(parser, DECL_INCLUDE, source, end)->text = name;
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* declaration = type ';' | [ 'const' ] type declarator ( '=' expr | '(' params ')' ) ';' */
static bool type_or_name(struct parser *parser, struct attr *attrs, const char *source,
                         struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    bool said_const = parse_at_keyword(parser, KW_CONST);
    parser->const_expected = said_const;
    struct type *base = parse_type(parser, false);
    parser->const_expected = false;
    if (!base)
        return false;
    struct type *type = type_unqualified(base);
    if (parse_at(parser, ';')) {
        parse_check_attributes(parser, attrs, PLACE_TYPE);
        parse_union_attributes(parser, base, attrs);
        if (type->kind == TYPE_ENUM && type->defines && attr_find(attrs, ATTR_V1_ENUM))
            type->enumeration->is_v1 = true;
        parse_advance(parser);
        if (type->kind == TYPE_STRUCT || type->kind == TYPE_UNION ||
            (type->kind == TYPE_ENUM && type->defines)) {
            struct decl *decl = add_decl(parser, DECL_TYPE, source, end);
            decl->type = base;
            decl->loc = loc;
        } else if (type->kind != TYPE_ERROR) {
            diag_error(c, &loc, 2025, "syntax error: this declares nothing");
        }
        return true;
    }
    struct var *var = new_var(parser, attrs, source);
    if (!parse_declarator(parser, base, var, false))
        return false;
    if (var->type->kind == TYPE_FUNCTION) {
        if (type->defines)
            diag_error(c, &type->loc, 2157,
                       "struct/union/enum must not be defined in a parameter or result type");
        return parse_proc(parser, var, source, end);
    }
    if (parse_at(parser, '=') && said_const)
        return parse_const(parser, var, source, end);
    const struct type *whole = type_strip(var->type);
    if (whole->kind == TYPE_ERROR) /* reported */
        return false;
    if (whole->kind == TYPE_FUNCTION) /* a typedef name of a function type */
        diag_error(c, &var->loc, 2289, "a pointer to the function must be used");
    else if (parse_at(parser, '='))
        diag_error(c, &var->loc, 2156, "declaration must have 'const'");
    else if (!said_const)
        diag_error(c, &var->loc, 2001,
                   "instantiation of data is illegal: use 'extern' or 'static'");
    else
        diag_error(c, &var->loc, 2155,
                   "declaration must be of the form: const <type> <name> = <expression>");
    return false;
}

/* cpp_quote = 'cpp_quote' '(' STRING ')' [ ';' ] */
static bool cpp_quote(struct parser *parser, const char *source, struct decl ***end)
{
    osf_refuse(parser->compiler, &parser->token.loc, 2196, "\"cpp_quote\" needs -ms_ext");
    parse_advance(parser);
    if (!parse_expect(parser, '('))
        return false;
    const char *text = parser->token.text;
    if (!parse_expect(parser, TOK_STRING) || !parse_expect(parser, ')'))
        return false;
    add_decl(parser, DECL_CPP_QUOTE, source, end)->text = text;
    parse_accept(parser, ';');
    return true;
}

/* import = 'import' STRING { ',' STRING } ';' */
static bool import(struct parser *parser, const char *source, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    parse_advance(parser);
    do {
        struct loc loc = parser->token.loc;
        const char *name = parser->token.text;
        if (!parse_expect(parser, TOK_STRING))
            return false;
        add_decl(parser, DECL_IMPORT, source, end)->text = name;
        struct idl_source imported;
        if (parser->import_depth >= IDL_IMPORT_DEPTH_MAX) {
            diag_error(c, &loc, 2002, "imports are nested too deeply");
        } else if (!c->host.open_import ||
                   !c->host.open_import(c->host.ctx, name, parser->unit->path, &imported)) {
            diag_error(c, &loc, 1001, "cannot open input file '%s'", name);
            c->import_missing = true;
        } else if (names_find(&c->imported, imported.path, strlen(imported.path))) {
            diag_warning(c, &loc, 2007, 4, "import ignored; file '%s' already imported", name);
        } else {
            struct unit *unit = parse_idl(c, &imported, parser);
            struct idl_source acf;
            if (c->host.open_import_acf &&
                c->host.open_import_acf(c->host.ctx, unit->path, &acf))
                parse_acf(c, &acf, unit);
        }
    } while (parse_accept(parser, ','));
    return parse_expect(parser, ';');
}

/* midl_pragma = 'midl_pragma' 'warning' '(' ID ':' { NUMBER [','] } ')' */
static bool midl_pragma(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    osf_refuse(c, &parser->token.loc, 2027, "unknown pragma option: midl_pragma needs -ms_ext");
    parse_advance(parser);
    if (!parse_expect(parser, TOK_IDENT) || !parse_expect(parser, '('))
        return false;
    const char *what = parse_at(parser, TOK_IDENT) ? parser->token.text : "";
    bool disable = strcmp(what, "disable") == 0;
    if (!disable && strcmp(what, "enable") != 0 && strcmp(what, "default") != 0) {
        diag_error(c, &parser->token.loc, 2385, "expected enable, disable or default");
        return false;
    }
    parse_advance(parser);
    if (!parse_expect(parser, ':'))
        return false;
    static char muted[] = "y", heard[] = "n";
    while (parse_at(parser, TOK_NUMBER)) {
        unsigned *key = ARENA_NEW(&c->arena, unsigned);
        *key = (unsigned)parser->token.value;
        names_set(&c->muted, &c->arena, (const char *)key, sizeof(*key), disable ? muted : heard);
        parse_advance(parser);
        parse_accept(parser, ',');
    }
    bool ok = parse_expect(parser, ')');
    parse_accept(parser, ';');
    return ok;
}

/* #pragma: midl_echo goes to the header as text, others as they are. */
static void pragma(struct parser *parser, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    const char *text = parser->token.text;
    struct loc loc = parser->token.loc;
    const char *source = loc.at;
    osf_refuse(c, &loc, 2027, "unknown pragma option: #pragma needs -ms_ext");
    if (strncmp(text, "pack", 4) == 0 && !isalnum((unsigned char)text[4])) {
        text = parse_pack(parser, text, &loc);
        if (text)
            add_decl(parser, DECL_PRAGMA, source, end)->text = text;
    } else if (strncmp(text, "midl_echo", 9) == 0) {
        const char *start = strchr(text, '"');
        const char *stop = strrchr(text, '"');
        if (!start || stop == start)
            diag_error(c, &loc, 2025, "syntax error: expected midl_echo(\"text\")");
        else
            add_decl(parser, DECL_CPP_QUOTE, source, end)->text =
                arena_strndup(&c->arena, start + 1, (size_t)(stop - start - 1));
    } else if (strncmp(text, "midl_", 5) == 0) { /* for us, and we do not know it */
        diag_error(c, &loc, 2027, "unknown pragma option: expected midl_echo");
    } else {
        add_decl(parser, DECL_PRAGMA, source, end)->text = text;
    }
    parse_advance(parser);
}

static bool declaration(struct parser *parser, struct decl ***end)
{
    struct idl_compiler *c = parser->compiler;
    const char *source = parser->token.loc.at;
    struct loc loc = parser->token.loc;
    switch (parser->token.keyword) {
    case KW_CPP_QUOTE:
        return cpp_quote(parser, source, end);
    case KW_IMPORT:
        return import(parser, source, end);
    case KW_MIDL_PRAGMA:
        return midl_pragma(parser);
    case KW_EXTERN:
    case KW_STATIC:
        return with_storage_class(parser, source, end);
    case KW_IMPORTLIB:
        if (parser->in_library) { /* a type library, of which we can read nothing */
            com_skip_statement(parser);
            return true;
        }
        diag_error(c, &loc, 2347, "importlib is not allowed outside of a library block");
        return false;
    case KW_INCLUDE:
        return include(parser, source, end);
    default:
        break;
    }
    if (parser->interface && parser->interface->is_com && com_at_method(parser)) {
        com_skip_statement(parser);
        return true;
    }
    struct attr *attrs = parse_attributes(parser);
    if (!parser->interface && !parse_at_keyword(parser, KW_INTERFACE))
        osf_refuse(c, &loc, 2261,
                   "definitions and declarations outside of an interface body need -ms_ext");
    if (parse_at(parser, TOK_IDENT) && com_is_winrt(parser->token.text)) {
        com_refuse_winrt(parser);
        return true;
    }
    if (parse_at_keyword(parser, KW_INTERFACE)) {
        parse_interface(parser, attrs, source, end);
        return true;
    }
    switch (parser->token.keyword) {
    case KW_TYPEDEF:
        return parse_typedef(parser, attrs, source, end);
    case KW_LIBRARY:
    case KW_COCLASS:
    case KW_DISPINTERFACE:
    case KW_MODULE:
        return com_block(parser, end);
    default:
        return type_or_name(parser, attrs, source, end);
    }
}

/* One declaration, or as much of the text as one error spoils. */
void parse_declaration(struct parser *parser, struct decl ***end)
{
    if (parse_at(parser, TOK_PRAGMA)) {
        pragma(parser, end);
        return;
    }
    if (parse_accept(parser, ';'))
        return;
    if (!declaration(parser, end))
        parse_recover(parser);
}
