/* SPDX-License-Identifier: MIT */
/* parse.c - the file level of the parser, and what all its parts use. */
#include "idl/parse.h"

#include <string.h>

/* ---- Tokens ----------------------------------------------------------------------- */

void parse_advance(struct parser *parser)
{
    parser->last_end = parser->token.end;
    lex_next(&parser->lexer, &parser->token);
}

void parse_skip(struct parser *parser)
{
    parser->lexer.quiet = true;
    parse_advance(parser);
    parser->lexer.quiet = false;
}

bool parse_at(const struct parser *parser, int kind)
{
    return (int)parser->token.kind == kind;
}

bool parse_at_keyword(const struct parser *parser, enum keyword keyword)
{
    return parser->token.keyword == keyword;
}

bool parse_accept(struct parser *parser, int kind)
{
    if (!parse_at(parser, kind))
        return false;
    parse_advance(parser);
    return true;
}

bool parse_accept_keyword(struct parser *parser, enum keyword keyword)
{
    if (!parse_at_keyword(parser, keyword))
        return false;
    parse_advance(parser);
    return true;
}

void parse_error_expected(struct parser *parser, const char *what)
{
    struct idl_compiler *c = parser->compiler;
    if (parse_at(parser, TOK_INVALID))
        return; /* the lexer has said why */
    if (parser->token.loc.line == parser->error_line)
        return;
    parser->error_line = parser->token.loc.line;
    diag_error(c, &parser->token.loc, parse_at(parser, TOK_END) ? 2183 : 2025,
               "%s: expected %s before %s",
               parse_at(parser, TOK_END) ? "unexpected end of file" : "syntax error", what,
               token_describe(c, &parser->token));
}

bool parse_expect(struct parser *parser, int kind)
{
    if (parse_accept(parser, kind))
        return true;
    parse_error_expected(parser, token_kind_describe((enum token_kind)kind));
    return false;
}

const char *parse_identifier(struct parser *parser, const char *what, struct loc *ret_loc)
{
    struct token *token = &parser->token;
    /* Reserved only as attribute arguments or in other files' places. */
    bool reserved = token->keyword != KW_NONE && token->keyword != KW_INCLUDE &&
                    token->keyword != KW_MODULE && token->keyword != KW_LIBRARY &&
                    token->keyword != KW_IMPORT && token->keyword != KW_SAFEARRAY;
    if (!parse_at(parser, TOK_IDENT) || reserved) {
        parse_error_expected(parser, what);
        return NULL;
    }
    const char *name = token->text;
    *ret_loc = token->loc;
    parse_advance(parser);
    return name;
}

void parse_recover(struct parser *parser)
{
    unsigned open = 0;
    while (!parse_at(parser, TOK_END)) {
        if (parse_at(parser, '}') && open == 0) {
            /* At file level nothing waits for this brace. */
            if (!parser->interface && parser->nesting == 0)
                parse_advance(parser);
            return;
        }
        bool last = parse_at(parser, ';') && open == 0;
        if (parse_at(parser, '{'))
            open++;
        if (parse_at(parser, '}') && --open == 0) {
            parse_advance(parser);
            parse_accept(parser, ';');
            return;
        }
        if (last) {
            parse_advance(parser);
            return;
        }
        parse_skip(parser);
    }
}

bool parse_enter(struct parser *parser)
{
    if (parser->nesting >= IDL_NESTING_MAX) {
        diag_error(parser->compiler, &parser->token.loc, 2002, "nested too deeply");
        return false;
    }
    parser->nesting++;
    return true;
}

void parse_leave(struct parser *parser)
{
    parser->nesting--;
}

/* ---- Files -------------------------------------------------------------------------- */

void parse_init(struct parser *parser, struct idl_compiler *compiler,
                const struct idl_source *source)
{
    memset(parser, 0, sizeof(*parser));
    parser->compiler = compiler;
    /* A NUL ends the text: the lexer needs one, and a file has no other use for it. */
    const char *text = arena_strndup(&compiler->arena, source->text, source->len);
    const char *path = arena_strdup(&compiler->arena, source->path);
    compiler_note_path(compiler, path);
    lex_init(&parser->lexer, compiler, path, text);
}

/* file = { declaration | interface } */
struct unit *parse_idl(struct idl_compiler *compiler, const struct idl_source *source,
                       const struct parser *importer)
{
    struct parser parser;
    parse_init(&parser, compiler, source);
    struct unit *unit = ARENA_NEW(&compiler->arena, struct unit);
    unit->path = parser.lexer.path;
    unit->imported = importer != NULL;
    unit->interfaces_end = &unit->interfaces;
    parser.unit = unit;
    unit->pack.current = compiler->options.pack;
    unit->pack.used = compiler->options.pack > 0;
    parser.import_depth = importer ? importer->import_depth + 1 : 0;
    static char read_once[] = "read";
    names_set(&compiler->imported, &compiler->arena, unit->path, strlen(unit->path), read_once);

    struct decl **end = &unit->decls;
    parse_advance(&parser);
    if (!importer && parse_at(&parser, TOK_END))
        diag_error(compiler, &parser.token.loc, 2183,
                   "unexpected end of file: expected an interface or another declaration");
    while (!parse_at(&parser, TOK_END)) {
        if (parse_at(&parser, '}')) {
            parse_error_expected(&parser, "a declaration");
            parse_advance(&parser);
        } else {
            parse_declaration(&parser, &end);
        }
    }
    parse_pack_end(&parser);
    return unit;
}
