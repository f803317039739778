/* SPDX-License-Identifier: MIT */
/* parse_pack.c - #pragma pack: alignment of structures in memory, never on the wire.
 *
 *   pack '(' [ 'push' | 'pop' ] [ ',' ID ] [ ',' NUMBER ] ')'     the first may be NUMBER
 *
 * Names of pushes are ours to resolve: gcc does not know them. */
#include "idl/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The arguments as they stand there. */
struct pack_args {
    bool push, pop, has_value;
    const char *name;
    unsigned value;
};

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static bool read_args(struct parser *parser, const char *text, struct pack_args *args)
{
    const char *at = skip_blanks(text + strlen("pack"));
    if (*at++ != '(')
        return false;
    for (at = skip_blanks(at); *at != ')'; at = skip_blanks(at)) {
        size_t len = 0;
        while (isalnum((unsigned char)at[len]) || at[len] == '_')
            len++;
        if (len == 0)
            return false;
        if (isdigit((unsigned char)*at)) {
            args->has_value = true;
            args->value = (unsigned)strtoul(at, NULL, 0);
        } else if (len == 4 && strncmp(at, "push", 4) == 0 && !args->pop) {
            args->push = true;
        } else if (len == 3 && strncmp(at, "pop", 3) == 0 && !args->push) {
            args->pop = true;
        } else if ((args->push || args->pop) && !args->name) {
            args->name = intern(parser->compiler, at, len);
        } else {
            return false;
        }
        at = skip_blanks(at + len);
        if (*at == ',')
            at = skip_blanks(at + 1);
        else if (*at != ')')
            return false;
    }
    return true;
}

/* True: something was popped. */
static bool pop(struct pack_state *pack, const char *name)
{
    unsigned depth = pack->depth;
    while (name && depth > 0 && pack->stack[depth - 1].name != name)
        depth--;
    if (depth == 0)
        return false;
    pack->depth = depth - 1;
    pack->current = pack->stack[pack->depth].value;
    return true;
}

const char *parse_pack(struct parser *parser, const char *text, const struct loc *loc)
{
    struct idl_compiler *c = parser->compiler;
    struct pack_state *pack = &parser->unit->pack;
    struct pack_args args = {0};
    if (!read_args(parser, text, &args)) {
        diag_error(c, loc, 2025, "syntax error: expected pack([push | pop,] [name,] [number])");
        return NULL;
    }
    if (args.has_value && args.value != 1 && args.value != 2 && args.value != 4 &&
        args.value != 8 && args.value != 16) {
        diag_error(c, loc, 2025, "syntax error: pack takes 1, 2, 4, 8 or 16, not %u", args.value);
        return NULL;
    }
    if (args.push && pack->depth == PACK_DEPTH_MAX) {
        diag_error(c, loc, 2002, "#pragma pack(push) is nested too deeply");
        return NULL;
    }
    if (args.push) {
        pack->stack[pack->depth].value = pack->current;
        pack->stack[pack->depth++].name = args.name;
    } else if (args.pop && !pop(pack, args.name)) {
        diag_warning(c, loc, 2292, 1, "#pragma pack(pop) without a push before it");
    } else if (!args.pop && !args.has_value) {
        pack->current = c->options.pack;
    }
    if (args.has_value)
        pack->current = args.value;
    pack->used = true;
    /* What is in force now, whatever led to it; the header restores what it found. */
    return pack->current > 0 ? arena_printf(&c->arena, "pack(%u)", pack->current) : "pack()";
}

void parse_pack_end(struct parser *parser)
{
    if (parser->unit->pack.depth > 0)
        diag_warning(parser->compiler, &parser->token.loc, 2292, 1,
                     "#pragma pack(push) without a pop behind it");
}
