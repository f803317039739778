/* SPDX-License-Identifier: MIT */
/* parse_com.c - what belongs to COM and type libraries (idl.md 9).
 *
 * Real files mix it with remote interfaces.  No proxy and no type library comes from
 * it, so methods and classes are read over without looking at them; types, constants
 * and the names of interfaces stay, for others to use. */
#include "idl/parse.h"

#include <string.h>

void com_note(struct parser *parser, const struct loc *at)
{
    if (parser->unit->imported || parser->compiler->com_noted)
        return;
    parser->compiler->com_noted = true;
    diag_warning(parser->compiler, at, 2028, 1,
                 "COM interfaces and type libraries are skipped: neither proxies nor a type "
                 "library come from this file");
}

/* ---- Types ------------------------------------------------------------------------------ */

static struct type *named(struct parser *parser, struct aggregate *aggregate, struct loc loc)
{
    struct type *type = ARENA_NEW(&parser->compiler->arena, struct type);
    type->kind = TYPE_STRUCT;
    type->loc = loc;
    type->aggregate = aggregate;
    return type;
}

static struct aggregate *new_aggregate(struct parser *parser, const char *name, struct loc loc)
{
    struct aggregate *aggregate = ARENA_NEW(&parser->compiler->arena, struct aggregate);
    aggregate->tag = name;
    aggregate->c_name = arena_printf(&parser->compiler->arena, "struct %s", name);
    aggregate->loc = loc;
    aggregate->is_com = true;
    return aggregate;
}

struct type *com_interface_type(struct parser *parser, struct interface *interface, struct loc loc)
{
    if (!interface->as_type)
        interface->as_type = new_aggregate(parser, interface->name, loc);
    return named(parser, interface->as_type, loc);
}

/* safearray = 'SAFEARRAY' [ '(' type ')' ]; the element type is the run time's business */
static struct type *safearray(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    struct loc loc = parser->token.loc;
    const char *name = parser->token.text;
    const struct symbol *symbol = names_find(&c->names, name, strlen(name));
    parse_advance(parser);
    bool has_element = parse_at(parser, '(');
    if (has_element) {
        parse_advance(parser);
        struct var element = {0};
        struct type *base = parse_enter(parser) ? parse_type(parser, true) : NULL;
        if (!base || !parse_declarator(parser, base, &element, true))
            return NULL;
        parse_leave(parser);
        if (!parse_expect(parser, ')'))
            return NULL;
    } else if (symbol && symbol->kind == SYMBOL_TYPEDEF) { /* of a file that spells it out */
        struct type *type = ARENA_NEW(&c->arena, struct type);
        type->kind = TYPE_ALIAS;
        type->loc = loc;
        type->alias = symbol->var;
        return type;
    }
    struct type *type = named(parser, new_aggregate(parser, "tagSAFEARRAY", loc), loc);
    if (!has_element)
        return type;
    struct type *pointer = ARENA_NEW(&c->arena, struct type);
    pointer->kind = TYPE_POINTER;
    pointer->loc = loc;
    pointer->target = type;
    return pointer;
}

struct type *com_type(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    if (parse_at_keyword(parser, KW_SAFEARRAY))
        return safearray(parser);
    parse_advance(parser); /* interface, coclass, dispinterface */
    struct loc loc;
    const char *name = parse_identifier(parser, "the name of an interface", &loc);
    if (!name)
        return NULL;
    const struct symbol *symbol = names_find(&c->names, name, strlen(name));
    if (symbol && symbol->kind == SYMBOL_INTERFACE)
        return com_interface_type(parser, symbol->interface, loc);
    return named(parser, new_aggregate(parser, name, loc), loc);
}

/* ---- Skipping --------------------------------------------------------------------------- */

/* Over [ ] and what is in it. */
static void skip_brackets(struct parser *parser)
{
    unsigned open = 0;
    while (!parse_at(parser, TOK_END)) {
        if (parse_at(parser, '['))
            open++;
        bool last = parse_at(parser, ']') && --open == 0;
        /* uuid(...) and version(...) hold no tokens. */
        bool raw = parse_at(parser, TOK_IDENT) && (strcmp(parser->token.text, "uuid") == 0 ||
                                                   strcmp(parser->token.text, "custom") == 0);
        parse_advance(parser);
        if (raw && parse_at(parser, '(')) {
            struct loc loc;
            if (lex_raw_argument(&parser->lexer, &loc))
                parse_advance(parser);
        }
        if (last)
            return;
    }
}

bool com_at_method(const struct parser *parser)
{
    struct parser ahead = *parser;
    while (parse_at(&ahead, '['))
        skip_brackets(&ahead);
    switch (ahead.token.keyword) {
    case KW_TYPEDEF:
    case KW_CONST:
    case KW_INTERFACE:
    case KW_EXTERN:
        return false;
    case KW_STRUCT:
    case KW_UNION:
    case KW_ENUM:
        parse_advance(&ahead);
        if (parse_at(&ahead, TOK_IDENT))
            parse_advance(&ahead);
        return !parse_at(&ahead, '{') && !parse_at(&ahead, ';') &&
               ahead.token.keyword != KW_SWITCH;
    default:
        return true;
    }
}

void com_skip_statement(struct parser *parser)
{
    unsigned open = 0;
    while (!parse_at(parser, TOK_END)) {
        if (parse_at(parser, '[')) {
            skip_brackets(parser);
            continue;
        }
        if (parse_at(parser, '}') && open == 0)
            return; /* of what stands around it */
        bool last = parse_at(parser, ';') && open == 0;
        if (parse_at(parser, '{'))
            open++;
        if (parse_at(parser, '}') && --open == 0) {
            parse_advance(parser);
            parse_accept(parser, ';');
            return;
        }
        parse_advance(parser);
        if (last)
            return;
    }
}

/* library = 'library' ID '{' { declaration } '}' [ ';' ] */
static bool library(struct parser *parser, struct decl ***end)
{
    struct loc loc;
    bool outer = parser->in_library;
    parse_advance(parser);
    const char *name = parse_identifier(parser, "the name of the library", &loc);
    if (!name || !parse_expect(parser, '{') || !parse_enter(parser))
        return false;
    parser->in_library = true;
    while (!parse_at(parser, '}') && !parse_at(parser, TOK_END))
        parse_declaration(parser, end);
    parser->in_library = outer;
    parse_leave(parser);
    if (parse_at(parser, TOK_END)) {
        diag_error(parser->compiler, &parser->token.loc, 2183,
                   "unexpected end of file: library '%s' has no '}'", name);
        return true;
    }
    parse_advance(parser);
    parse_accept(parser, ';');
    return true;
}

/* The name of a class or a dispinterface may be used as a type. */
static void make_known(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    struct parser ahead = *parser;
    parse_advance(&ahead);
    if (!parse_at(&ahead, TOK_IDENT) || ahead.token.keyword != KW_NONE)
        return;
    const char *name = ahead.token.text;
    const struct symbol *known = names_find(&c->names, name, strlen(name));
    if (known)
        return;
    struct interface *interface = ARENA_NEW(&c->arena, struct interface);
    interface->name = name;
    interface->loc = ahead.token.loc;
    interface->is_com = true;
    struct symbol *symbol = ARENA_NEW(&c->arena, struct symbol);
    *symbol = (struct symbol){
        .kind = SYMBOL_INTERFACE, .loc = interface->loc, .interface = interface};
    names_set(&c->names, &c->arena, name, strlen(name), symbol);
}

bool com_block(struct parser *parser, struct decl ***end)
{
    com_note(parser, &parser->token.loc);
    if (parse_at_keyword(parser, KW_LIBRARY))
        return library(parser, end);
    if (!parse_at_keyword(parser, KW_MODULE))
        make_known(parser);
    com_skip_statement(parser);
    return true;
}

/* ---- The Windows Runtime ------------------------------------------------------------------- */

bool com_is_winrt(const char *word)
{
    return strcmp(word, "namespace") == 0 || strcmp(word, "runtimeclass") == 0 ||
           strcmp(word, "apicontract") == 0;
}

/* Another language under the same extension: nothing in the file can be right. */
void com_refuse_winrt(struct parser *parser)
{
    diag_error(parser->compiler, &parser->token.loc, 2028,
               "'%s' is of MIDL 3.0, the language of the Windows Runtime, which has no remote "
               "procedures",
               parser->token.text);
    while (!parse_at(parser, TOK_END))
        parse_advance(parser);
}
