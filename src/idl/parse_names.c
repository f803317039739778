/* SPDX-License-Identifier: MIT */
/* parse_names.c - making names known, and names that C cannot take. */
#include "idl/parse.h"

#include <string.h>

/* No header could declare these in C. */
static const char *const c_keywords[] = {
    "auto",           "break",         "continue",   "do",
    "else",           "for",           "goto",       "if",
    "inline",         "register",      "restrict",   "return",
    "while",          "_Alignas",      "_Alignof",   "_Atomic",
    "_Bool",          "_Complex",      "_Generic",   "_Noreturn",
    "_Static_assert", "_Thread_local", "_Imaginary",
};

/* The header could not be included from C++. */
static const char *const cpp_keywords[] = {
    "alignas",
    "alignof",
    "asm",
    "bool",
    "catch",
    "class",
    "constexpr",
    "decltype",
    "delete",
    "explicit",
    "export",
    "false",
    "friend",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "nullptr",
    "operator",
    "private",
    "protected",
    "public",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typeid",
    "typename",
    "using",
    "virtual",
    "and",
    "and_eq",
    "bitand",
    "bitor",
    "compl",
    "const_cast",
    "dynamic_cast",
    "not",
    "not_eq",
    "or",
    "or_eq",
    "reinterpret_cast",
    "static_assert",
    "static_cast",
    "thread_local",
    "xor",
    "xor_eq",
};

static bool listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

void check_name(struct parser *parser, const char *name, const struct loc *loc)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *symbol = names_find(&c->names, name, strlen(name));
    if (symbol && symbol->kind == SYMBOL_CONST)
        diag_error(c, loc, 2204, "'%s' is the name of a constant", name);
    if (listed(c_keywords, sizeof(c_keywords) / sizeof(c_keywords[0]), name))
        diag_error(c, loc, 2025, "syntax error: '%s' is a reserved word of C", name);
    else if (listed(cpp_keywords, sizeof(cpp_keywords) / sizeof(cpp_keywords[0]), name))
        diag_warning(c, loc, 2025, 1,
                     "'%s' is a reserved word of C++, no C++ program can include "
                     "the header",
                     name);
}

bool declare(struct parser *parser, const char *name, const struct symbol *symbol)
{
    struct idl_compiler *c = parser->compiler;
    const struct symbol *known = names_find(&c->names, name, strlen(name));
    if (known && known->kind != SYMBOL_BAD) {
        diag_error(c, &symbol->loc, 2003, "redefinition of '%s', first defined at %s:%u", name,
                   known->loc.path, known->loc.line);
        return false;
    }
    check_name(parser, name, &symbol->loc);
    struct symbol *copy = ARENA_NEW(&c->arena, struct symbol);
    *copy = *symbol;
    names_set(&c->names, &c->arena, name, strlen(name), copy);
    return true;
}

/* Tags for structures and enumerations without one, numbered in the interface. */
const char *invent_tag(struct parser *parser)
{
    struct idl_compiler *c = parser->compiler;
    if (parser->interface)
        return arena_printf(&c->arena, "__MIDL_%s_%04u", parser->interface->name,
                            ++parser->interface->tagless);
    struct text name = {.arena = &c->arena};
    text_add(&name, "__MIDL___MIDL_itf_");
    const char *base = strrchr(parser->unit->path, '/');
    base = base ? base + 1 : parser->unit->path;
    for (; *base != '\0' && *base != '.'; base++)
        text_add_n(&name,
                   (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') ||
                           (*base >= '0' && *base <= '9')
                       ? base
                       : "_",
                   1);
    text_addf(&name, "_0000_0000_%04u", ++parser->unit->tagless);
    return text_get(&name);
}
