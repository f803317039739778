/* SPDX-License-Identifier: MIT */
/* suggest.c - the known word that an unknown one is nearly: edit distance with swapped
 * neighbours, the commonest slip of all, counted as one. */
#include "idl/suggest.h"

#include "idl/compiler.h"

#include <string.h>

/* Nobody mistypes longer words beyond recognition by a few letters. */
#define WORD_LEN_MAX 40

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, removals, replacements and swaps of neighbours from `a` to `b`. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_LEN_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b_len; j++)
        above[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, change);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

void suggest(struct suggestion *suggestion, const char *known)
{
    size_t len = strlen(suggestion->word), known_len = strlen(known);
    if (len < 2 || len > WORD_LEN_MAX || known_len > WORD_LEN_MAX)
        return;
    unsigned most = len < 4 ? 1 : len < 10 ? 2 : 3;
    if (len + most < known_len || known_len + most < len)
        return;
    unsigned d = distance(suggestion->word, len, known, known_len);
    bool better = d <= most && (!suggestion->best || d < suggestion->distance ||
                                (d == suggestion->distance && strcmp(known, suggestion->best) < 0));
    if (!better)
        return;
    suggestion->best = known;
    suggestion->distance = d;
}

const char *suggest_text(struct idl_compiler *compiler, const struct suggestion *suggestion)
{
    if (!suggestion->best)
        return "";
    return arena_printf(&compiler->arena, "; did you mean '%s'?", suggestion->best);
}

/* What the authors of headers write. */
static const struct {
    const char *c, *idl;
} other_names[] = {
    {"bool", "boolean"},
    {"_Bool", "boolean"},
    {"int8_t", "small"},
    {"uint8_t", "byte"},
    {"int16_t", "short"},
    {"uint16_t", "unsigned short"},
    {"int32_t", "long"},
    {"uint32_t", "unsigned long"},
    {"int64_t", "hyper"},
    {"uint64_t", "unsigned hyper"},
    {"size_t", "unsigned __int3264"},
    {"intptr_t", "__int3264"},
    {"string", "[string] char *"},
};

static const char *const wtypes_names[] = {
    "BOOL",           "BOOLEAN", "BYTE",    "DWORD",     "FILETIME", "HRESULT",    "INT",
    "LONG",           "LPBYTE",  "LPCWSTR", "LPSTR",     "LPWSTR",   "PBYTE",      "PSTR",
    "PWSTR",          "SHORT",   "UCHAR",   "UINT",      "ULONG",    "USHORT",     "WCHAR",
    "WORD",           "GUID",    "UUID",    "ULONGLONG", "LONGLONG", "SYSTEMTIME", "LARGE_INTEGER",
    "ULARGE_INTEGER", "DOUBLE",  "FLOAT",
};

const char *suggest_type(struct idl_compiler *compiler, const char *name)
{
    static const char *const own[] = {
        "boolean", "byte",  "char",  "double", "float",    "handle_t", "hyper",         "int",
        "long",    "short", "small", "struct", "unsigned", "wchar_t",  "error_status_t"};
    for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++) {
        if (strcmp(name, other_names[i].c) == 0)
            return arena_printf(&compiler->arena, "; IDL has '%s'", other_names[i].idl);
    }
    for (size_t i = 0; i < sizeof(wtypes_names) / sizeof(wtypes_names[0]); i++) {
        if (strcmp(name, wtypes_names[i]) == 0)
            return "; it is declared in \"wtypes.idl\", to be imported";
    }
    struct suggestion best = {.word = name};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        suggest(&best, own[i]);
    for (size_t i = 0; i < sizeof(wtypes_names) / sizeof(wtypes_names[0]); i++) {
        if (strlen(name) > 3)
            suggest(&best, wtypes_names[i]);
    }
    size_t at = 0;
    const char *known;
    const struct symbol *symbol;
    while ((symbol = names_next(&compiler->names, &at, &known)) != NULL) {
        if (symbol->kind == SYMBOL_TYPEDEF)
            suggest(&best, known);
    }
    return suggest_text(compiler, &best);
}
