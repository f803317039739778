/* SPDX-License-Identifier: MIT */
/* parse_attr.c - attribute lists, and which attribute may stand where. */
#include "idl/osf.h"
#include "idl/parse.h"
#include "idl/suggest.h"

#include <string.h>

enum attr_args {
    ARGS_NONE,
    ARGS_EXPRS,
    ARGS_TEXT,
    ARGS_STRINGS,
    ARGS_WORD,
    ARGS_TYPE,
    ARGS_HANDLE,
    ARGS_SKIP
};
enum attr_state { STATE_YES, STATE_IGNORED, STATE_LATER, STATE_COM };

#define I PLACE_INTERFACE
#define T PLACE_TYPE
#define F PLACE_FIELD
#define P PLACE_PARAM
#define O PLACE_OPERATION
static const struct attr_row {
    const char *word;
    enum attr_args args;
    unsigned idl_places, acf_places;
    enum attr_state state;
} attr_rows[ATTR_COUNT] = {
#define ATTRIBUTE(id, word, args, idl, acf, state)                                                 \
    [ATTR_##id] = {word, ARGS_##args, idl, acf, STATE_##state},
#include "idl/attributes.def"
#undef ATTRIBUTE
};
#undef I
#undef T
#undef F
#undef P
#undef O

struct attr *attr_find(struct attr *attrs, enum attr_id id)
{
    while (attrs && attrs->id != id)
        attrs = attrs->next;
    return attrs;
}

struct attr *attr_append(struct attr *first, struct attr *second)
{
    if (!first)
        return second;
    struct attr *last = first;
    while (last->next)
        last = last->next;
    last->next = second;
    return first;
}

static enum attr_id attr_id_of(const char *word)
{
    for (int id = 0; id < ATTR_COUNT; id++) {
        if (strcmp(attr_rows[id].word, word) == 0)
            return (enum attr_id)id;
    }
    return ATTR_UNKNOWN;
}

static struct attr_arg *add_arg(struct parser *parser, struct attr_arg ***end)
{
    struct attr_arg *arg = ARENA_NEW(&parser->compiler->arena, struct attr_arg);
    arg->loc = parser->token.loc;
    **end = arg;
    *end = &arg->next;
    return arg;
}

/* exprs = [ expr ] { ',' [ expr ] } */
static bool args_exprs(struct parser *parser, struct attr_arg **end)
{
    do {
        struct attr_arg *arg = add_arg(parser, &end);
        if (parse_at(parser, ',') || parse_at(parser, ')'))
            continue;
        arg->expr = parse_expr(parser);
        if (!arg->expr)
            return false;
    } while (parse_accept(parser, ','));
    return true;
}

/* strings = STRING { ',' STRING } */
static bool args_strings(struct parser *parser, struct attr_arg **end)
{
    do {
        struct attr_arg *arg = add_arg(parser, &end);
        if (!parse_at(parser, TOK_STRING)) {
            parse_error_expected(parser, "a string");
            return false;
        }
        arg->text = parser->token.text;
        parse_advance(parser);
    } while (parse_accept(parser, ','));
    return true;
}

/* One word; it may be a reserved one or an attribute, as in pointer_default(ref). */
static bool args_word(struct parser *parser, struct attr_arg **end)
{
    struct attr_arg *arg = add_arg(parser, &end);
    if (!parse_at(parser, TOK_IDENT)) {
        parse_error_expected(parser, "an identifier");
        return false;
    }
    arg->text = parser->token.text;
    parse_advance(parser);
    return true;
}

/* type [ abstract-declarator ] */
static bool args_type(struct parser *parser, struct attr_arg **end)
{
    struct attr_arg *arg = add_arg(parser, &end);
    const char *start = parser->token.loc.at;
    struct type *base = parse_type(parser, true);
    struct var var = {0};
    if (!base || !parse_declarator(parser, base, &var, true))
        return false;
    arg->type = var.type;
    arg->text =
        arena_strndup(&parser->compiler->arena, start, (size_t)(parser->last_end - start));
    return true;
}

/* handle = type name, identifier: implicit_handle(handle_t name) */
static bool args_handle(struct parser *parser, struct attr_arg **end)
{
    if (!args_word(parser, end))
        return false;
    end = &(*end)->next;
    return args_word(parser, end);
}

/* Anything, with its parentheses balanced; stops at the ')' that closes the list. */
static bool args_skip(struct parser *parser)
{
    for (unsigned open = 0; open > 0 || !parse_at(parser, ')');) {
        if (parse_at(parser, TOK_END) || parse_at(parser, ';') || parse_at(parser, '{')) {
            parse_error_expected(parser, "')'");
            return false;
        }
        if (parse_at(parser, '('))
            open++;
        if (parse_at(parser, ')'))
            open--;
        parse_skip(parser);
    }
    return true;
}

/* On the '(' of uuid(...) or version(...): what follows is no token sequence. */
static bool args_text(struct parser *parser, struct attr *attr)
{
    struct attr_arg *arg = ARENA_NEW(&parser->compiler->arena, struct attr_arg);
    arg->text = lex_raw_argument(&parser->lexer, &arg->loc);
    if (!arg->text) {
        parse_advance(parser);
        parse_error_expected(parser, "')' on the same line");
        return false;
    }
    attr->args = arg;
    parse_advance(parser);
    return parse_expect(parser, ')');
}

static bool attribute_args(struct parser *parser, struct attr *attr)
{
    enum attr_args kind = attr->id < ATTR_COUNT ? attr_rows[attr->id].args : ARGS_SKIP;
    if (!parse_at(parser, '(')) {
        if (kind == ARGS_NONE || kind == ARGS_SKIP)
            return true;
        parse_error_expected(parser, "'('");
        return false;
    }
    if (kind == ARGS_TEXT)
        return args_text(parser, attr);
    if (kind == ARGS_SKIP)
        parse_skip(parser);
    else
        parse_advance(parser);
    bool ok = false;
    switch (kind) {
    case ARGS_EXPRS:
        ok = args_exprs(parser, &attr->args);
        break;
    case ARGS_STRINGS:
        ok = args_strings(parser, &attr->args);
        break;
    case ARGS_WORD:
        ok = args_word(parser, &attr->args);
        break;
    case ARGS_TYPE:
        ok = args_type(parser, &attr->args);
        break;
    case ARGS_HANDLE:
        ok = args_handle(parser, &attr->args);
        break;
    case ARGS_NONE:
        diag_error(parser->compiler, &attr->loc, 2025, "syntax error: [%s] takes no arguments",
                   attr->name);
        ok = args_skip(parser);
        break;
    case ARGS_SKIP:
    case ARGS_TEXT:
        ok = args_skip(parser);
        break;
    }
    return ok && parse_expect(parser, ')');
}

/* attr = NAME [ '(' arguments ')' ] */
static bool attribute(struct parser *parser, struct attr ***end)
{
    if (!parse_at(parser, TOK_IDENT)) {
        parse_error_expected(parser, "an attribute");
        return false;
    }
    struct attr *attr = ARENA_NEW(&parser->compiler->arena, struct attr);
    attr->name = parser->token.text;
    attr->loc = parser->token.loc;
    attr->id = attr_id_of(attr->name);
    parse_advance(parser);
    if (!attribute_args(parser, attr))
        return false;
    **end = attr;
    *end = &attr->next;
    return true;
}

/* To behind the ']' that closes the list, or to something that cannot stand in one. */
static void recover_list(struct parser *parser)
{
    while (!parse_at(parser, TOK_END) && !parse_at(parser, ';') && !parse_at(parser, '{') &&
           !parse_at(parser, '}')) {
        bool done = parse_at(parser, ']');
        parse_skip(parser);
        if (done)
            return;
    }
}

/* attrs = { '[' [ attr { ',' attr } [ ',' ] ] ']' } */
struct attr *parse_attributes(struct parser *parser)
{
    struct attr *list = NULL, **end = &list;
    while (parse_accept(parser, '[')) {
        while (!parse_at(parser, ']')) {
            if (!attribute(parser, &end)) {
                recover_list(parser);
                return list;
            }
            if (parse_at(parser, ']') || parse_expect(parser, ','))
                continue;
            if (!parse_accept(parser, ';')) { /* else a slip of the finger */
                recover_list(parser);
                return list;
            }
        }
        parse_advance(parser);
    }
    return list;
}

static const char *place_name(unsigned place)
{
    switch (place & ~(unsigned)PLACE_ACF) {
    case PLACE_INTERFACE:
        return "an interface";
    case PLACE_TYPE:
        return "a type";
    case PLACE_FIELD:
        return "a field";
    case PLACE_PARAM:
        return "a parameter";
    default:
        return "an operation";
    }
}

static bool is_property(const struct attr *attr)
{
    return attr->id == ATTR_PROPGET || attr->id == ATTR_PROPPUT || attr->id == ATTR_PROPPUTREF;
}

/* system_handle = 'system_handle' '(' sh_kind [ ',' access mask ] ')' */
static void check_system_handle(struct idl_compiler *c, const struct attr *attr)
{
    static const char *const kinds[] = {
        "sh_composition", "sh_event", "sh_file",    "sh_job",       "sh_mutex",  "sh_pipe",  "sh_process",
        "sh_reg_key",     "sh_section", "sh_semaphore", "sh_socket", "sh_thread", "sh_token"};
    const struct expr *kind = attr->args->expr;
    for (size_t i = 0; kind && kind->op == EXPR_NAME && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kind->text, kinds[i]) == 0)
            return;
    }
    diag_error(c, &attr->args->loc, 2025,
               "syntax error: [system_handle] takes sh_file or another sh_ word");
}

/* allocate = 'allocate' '(' option { ',' option } ')': one of each pair at most */
static void check_allocate(struct idl_compiler *c, const struct attr *attr)
{
    static const char *const options[] = {"single_node", "all_nodes", "free", "dont_free"};
    unsigned seen = 0;
    for (const struct attr_arg *arg = attr->args; arg; arg = arg->next) {
        size_t i = 0;
        bool is_name = arg->expr && arg->expr->op == EXPR_NAME;
        while (is_name && i < 4 && strcmp(arg->expr->text, options[i]) != 0)
            i++;
        if (!is_name || i == 4) {
            diag_error(c, &arg->loc, 2074,
                       "[allocate] takes single_node or all_nodes, free or dont_free");
            return;
        }
        if (seen & (3u << (i & 2u))) {
            diag_error(c, &arg->loc, 2211, "[allocate] already has an option instead of '%s'",
                       options[i]);
            return;
        }
        seen |= 1u << i;
    }
}

static bool takes_sizes(enum attr_id id)
{
    return id == ATTR_SIZE_IS || id == ATTR_MAX_IS || id == ATTR_LENGTH_IS ||
           id == ATTR_FIRST_IS || id == ATTR_LAST_IS || id == ATTR_SWITCH_IS;
}

/* What an attribute says about itself, wherever it stands. */
static void check_arguments(struct parser *parser, const struct attr *attr, unsigned place)
{
    struct idl_compiler *c = parser->compiler;
    osf_check_attribute(c, attr, place, attr_rows[attr->id].state == STATE_COM);
    if (attr->id == ATTR_SYSTEM_HANDLE)
        check_system_handle(c, attr);
    if (attr->id == ATTR_ALLOCATE)
        check_allocate(c, attr);
    if (attr->id == ATTR_BSTRING)
        diag_error(c, &attr->loc, 2303, "[bstring] is not supported; use [string]");
    for (const struct attr_arg *arg = attr->args; arg && takes_sizes(attr->id); arg = arg->next) {
        if (arg->expr)
            osf_check_expr(c, arg->expr);
    }
}

/* The attribute that may stand there and is spelt nearly so. */
static const char *suggest_attribute(struct idl_compiler *c, const char *word, unsigned place)
{
    struct suggestion best = {.word = word};
    for (int id = 0; id < ATTR_COUNT; id++) {
        const struct attr_row *row = &attr_rows[id];
        unsigned places = place & PLACE_ACF ? row->acf_places : row->idl_places | row->acf_places;
        if (places & place & ~(unsigned)PLACE_ACF)
            suggest(&best, row->word);
    }
    return suggest_text(c, &best);
}

static void check_attribute(struct parser *parser, const struct attr *attr, unsigned place)
{
    struct idl_compiler *c = parser->compiler;
    if (attr->id == ATTR_UNKNOWN) {
        diag_error(c, &attr->loc, 2025, "syntax error: unknown attribute '%s'%s", attr->name,
                   suggest_attribute(c, attr->name, place));
        return;
    }
    const struct attr_row *row = &attr_rows[attr->id];
    unsigned kind = place & ~(unsigned)PLACE_ACF;
    bool acf_allows = row->acf_places & kind;
    bool idl_allows = row->idl_places & kind;
    if (place & PLACE_ACF ? !acf_allows : !idl_allows && !acf_allows) {
        diag_error(c, &attr->loc, is_property(attr) ? 2052 : 2072,
                   "[%s] cannot be applied to %s%s", attr->name, place_name(place),
                   place & PLACE_ACF ? " in an ACF" : "");
        return;
    }
    check_arguments(parser, attr, kind);
    if (!(place & PLACE_ACF) && !idl_allows && !c->options.app_config) {
        diag_error(c, &attr->loc, 2150, "[%s] belongs in the ACF, or needs the -app_config switch",
                   attr->name);
    } else if (row->state == STATE_LATER) {
        diag_later(c, &attr->loc, arena_printf(&c->arena, "'%s'", attr->name));
    } else if (row->state == STATE_COM) {
        com_note(parser, &attr->loc);
    }
}

void parse_check_attributes(struct parser *parser, struct attr *attrs, unsigned place)
{
    bool seen[ATTR_COUNT] = {false};
    const struct attr *property = NULL;
    for (const struct attr *attr = attrs; attr; attr = attr->next) {
        check_attribute(parser, attr, place);
        if (attr->id == ATTR_UNKNOWN)
            continue;
        if (is_property(attr) && property && property->id != attr->id)
            diag_error(parser->compiler, &attr->loc, 2053,
                       "a procedure may not have more than one property attribute");
        if (is_property(attr))
            property = attr;
        if (attr->id == ATTR_NOCODE && attr_find(attrs, ATTR_CODE))
            diag_error(parser->compiler, &attr->loc, 2287,
                       "[code] and [nocode] may not be used together");
        if (seen[attr->id])
            diag_error(parser->compiler, &attr->loc, 2096, "duplicated attribute [%s]", attr->name);
        seen[attr->id] = true;
    }
}
