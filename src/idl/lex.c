/* SPDX-License-Identifier: MIT */
/* lex.c - tokens of IDL and ACF text (C tokens, plus `..`).
 *
 * Lines beginning with # are the preprocessor's: line markers tell where the text
 * comes from, #pragma becomes a token.  Anything malformed is reported here, once,
 * and yields TOK_INVALID or a usable token, so that parsing goes on. */
#include "idl/lex.h"

#include "idl/compiler.h"
#include "idl/osf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* MIDL2113, MIDL2114, MIDL2111: the documented limits. */
#define STRING_LEN_MAX     255
#define IDENT_LEN_MAX      255
#define IDENT_LEN_PORTABLE 31

static const struct {
    const char *word;
    size_t len;
} keyword_words[KW_COUNT] = {
#define X(id, word) [KW_##id] = {word, sizeof(word) - 1},
    KEYWORDS(X)
#undef X
};

/* Spellings that mean another keyword. */
static const struct {
    const char *word;
    enum keyword keyword;
} keyword_synonyms[] = {
    {"_cdecl", KW_CDECL},
    {"cdecl", KW_CDECL},
    {"_stdcall", KW_STDCALL},
    {"stdcall", KW_STDCALL},
    {"_fastcall", KW_FASTCALL},
    {"pascal", KW_PASCAL},
    {"_pascal", KW_PASCAL},
    {"far", KW_FAR},
    {"_far", KW_FAR},
    {"near", KW_NEAR},
    {"_near", KW_NEAR},
    {"__export", KW_FAR},
    {"__loadds", KW_FAR},
    {"__huge", KW_FAR},
    {"__volatile", KW_VOLATILE},
};

void lex_init(struct lexer *lexer, struct idl_compiler *compiler, const char *path,
              const char *text)
{
    *lexer = (struct lexer){
        .compiler = compiler, .pos = text, .line_start = text, .path = path, .line = 1};
}

static struct loc here(const struct lexer *lexer)
{
    return (struct loc){.path = lexer->path,
                        .line = lexer->line,
                        .column = (unsigned)(lexer->pos - lexer->line_start) + 1,
                        .at = lexer->pos};
}

static void new_line(struct lexer *lexer)
{
    lexer->line++;
    lexer->line_start = lexer->pos;
}

static const char *line_end(const char *at)
{
    while (*at != '\0' && *at != '\n')
        at++;
    return at;
}

/* ---- Lines of the preprocessor ---------------------------------------------- */

/* `# 12 "file" flags` or `#line 12 "file"`: the next line is line 12 of file. */
static void line_marker(struct lexer *lexer, const char *at)
{
    char *end;
    unsigned long line = strtoul(at, &end, 10);
    while (*end == ' ')
        end++;
    if (*end == '"') {
        struct text path = {.arena = &lexer->compiler->arena};
        for (end++; *end != '\0' && *end != '\n' && *end != '"'; end++) {
            if (*end == '\\' && end[1] != '\0' && end[1] != '\n')
                end++;
            text_add_n(&path, end, 1);
        }
        lexer->path = intern(lexer->compiler, text_get(&path), path.len);
        if (path.len > 0 && path.at[0] != '<')
            compiler_note_path(lexer->compiler, lexer->path);
    }
    /* new_line() behind the marker adds one. */
    lexer->line = line > 0 && line < 0x7fffffff ? (unsigned)line - 1 : 0;
}

/* At a '#' that opens a line.  True: `token` is a pragma. */
static bool preprocessor_line(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->pos + 1;
    const char *end = line_end(at);
    while (*at == ' ' || *at == '\t')
        at++;
    struct loc loc = here(lexer);
    if (strncmp(at, "line ", 5) == 0)
        at += 5;
    if (isdigit((unsigned char)*at)) {
        line_marker(lexer, at);
    } else if (strncmp(at, "pragma", 6) == 0 && !isalnum((unsigned char)at[6])) {
        at += 6;
        while (*at == ' ' || *at == '\t')
            at++;
        const char *last = end;
        while (last > at && isspace((unsigned char)last[-1]))
            last--;
        *token =
            (struct token){.kind = TOK_PRAGMA,
                           .loc = loc,
                           .end = last,
                           .text = arena_strndup(&lexer->compiler->arena, at, (size_t)(last - at))};
        lexer->pos = end;
        return true;
    } else if (at != end && *at != '\r') {
        diag_error(lexer->compiler, &loc, 2025,
                   "syntax error: this directive needs the C preprocessor");
    }
    lexer->pos = end;
    return false;
}

/* ---- Blanks and comments ---------------------------------------------------- */

static void block_comment(struct lexer *lexer)
{
    struct loc loc = here(lexer);
    lexer->pos += 2;
    while (!(lexer->pos[0] == '*' && lexer->pos[1] == '/')) {
        if (*lexer->pos == '\0') {
            diag_error(lexer->compiler, &loc, 2109, "end of file found in comment");
            return;
        }
        if (*lexer->pos++ == '\n')
            new_line(lexer);
    }
    lexer->pos += 2;
}

/* True when only blanks stand before the position on its line. */
static bool at_line_start(const struct lexer *lexer)
{
    for (const char *at = lexer->line_start; at < lexer->pos; at++) {
        if (*at != ' ' && *at != '\t')
            return false;
    }
    return true;
}

/* Skips what is no token.  True: `token` is a pragma found on the way. */
static bool skip_space(struct lexer *lexer, struct token *token)
{
    for (;;) {
        char c = *lexer->pos;
        if (c == '\n') {
            lexer->pos++;
            new_line(lexer);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            lexer->pos++;
        } else if (c == '/' && lexer->pos[1] == '*') {
            block_comment(lexer);
        } else if (c == '/' && lexer->pos[1] == '/') {
            struct loc loc = here(lexer);
            osf_refuse(lexer->compiler, &loc, 2151, "single-line comment needs -ms_ext");
            lexer->pos = line_end(lexer->pos);
        } else if (c == '#' && at_line_start(lexer)) {
            if (preprocessor_line(lexer, token))
                return true;
        } else {
            return false;
        }
    }
}

/* ---- Identifiers and literals ----------------------------------------------- */

static bool ident_octet(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static enum keyword keyword_of(const char *word, size_t len)
{
    for (int i = 1; i < KW_COUNT; i++) {
        if (keyword_words[i].len == len && memcmp(keyword_words[i].word, word, len) == 0)
            return (enum keyword)i;
    }
    for (size_t i = 0; i < sizeof(keyword_synonyms) / sizeof(keyword_synonyms[0]); i++) {
        if (strlen(keyword_synonyms[i].word) == len &&
            memcmp(keyword_synonyms[i].word, word, len) == 0)
            return keyword_synonyms[i].keyword;
    }
    return KW_NONE;
}

/* Part of a letter of another alphabet, as written or as the preprocessor hands it on. */
static bool foreign_octet(const char *at)
{
    return (unsigned char)*at >= 0x80 ||
           (*at == '\\' && (at[1] == 'u' || at[1] == 'U') && isxdigit((unsigned char)at[2]));
}

/* One message for what is one mistake to its author. */
static void foreign_name(struct lexer *lexer, struct token *token)
{
    while (ident_octet(*lexer->pos) || foreign_octet(lexer->pos))
        lexer->pos++;
    token->kind = TOK_INVALID;
    if (!lexer->quiet)
        diag_error(lexer->compiler, &token->loc, 2024,
                   "unexpected character: a name consists of A to Z, a to z, 0 to 9 and _");
}

static void lex_ident(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->pos;
    while (ident_octet(*lexer->pos))
        lexer->pos++;
    if (foreign_octet(lexer->pos)) {
        foreign_name(lexer, token);
        return;
    }
    size_t len = (size_t)(lexer->pos - start);
    if (len > IDENT_LEN_MAX) {
        diag_warning(lexer->compiler, &token->loc, 2114, 1,
                     "identifier exceeds %d characters and has been truncated", IDENT_LEN_MAX);
        len = IDENT_LEN_MAX;
    } else if (len > IDENT_LEN_PORTABLE) {
        diag_warning(lexer->compiler, &token->loc, 2111, 2,
                     "identifier length exceeds %d characters", IDENT_LEN_PORTABLE);
    }
    token->kind = TOK_IDENT;
    token->text = intern(lexer->compiler, start, len);
    token->keyword = keyword_of(start, len);
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of `base` at `*at`, which moves behind them.  False: too big. */
static bool read_digits(const char **at, unsigned base, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool fits = true;
    for (; digit_value(**at) >= 0 && (unsigned)digit_value(**at) < base; ++*at) {
        unsigned digit = (unsigned)digit_value(**at);
        if (value > (UINT64_MAX - digit) / base)
            fits = false;
        value = value * base + digit;
    }
    *ret_value = value;
    return fits;
}

/* number = decimal | octal | hexadecimal, followed by any of U, L, UL, LL ... */
static void lex_number(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->pos;
    token->kind = TOK_NUMBER;
    unsigned base = 10;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && isxdigit((unsigned char)at[2])) {
        base = 16;
        at += 2;
    } else if (at[0] == '0') {
        base = 8;
    }
    token->is_hex = base == 16;
    bool fits = read_digits(&at, base, &token->value);
    for (unsigned suffixes = 0; suffixes < 3 && strchr("uUlL", *at) && *at != '\0'; suffixes++) {
        token->is_unsigned |= *at == 'u' || *at == 'U';
        at++;
    }
    /* `1..5` is a range of array bounds, `1.5` and `12ab` are nothing. */
    bool bad = ident_octet(*at) || (at[0] == '.' && at[1] != '.');
    while (ident_octet(*at) || (at[0] == '.' && at[1] != '.'))
        at++;
    token->text = arena_strndup(&lexer->compiler->arena, lexer->pos, (size_t)(at - lexer->pos));
    lexer->pos = at;
    if (bad)
        token->kind = TOK_INVALID;
    if (bad && !lexer->quiet)
        diag_error(lexer->compiler, &token->loc, 2116, "'%s' is not an integer constant",
                   token->text);
    if (!bad && !fits && !lexer->quiet) {
        diag_error(lexer->compiler, &token->loc, 2115, "constant '%s' is too big", token->text);
        token->value = 0; /* in the range of everything */
    }
    if (token->value > INT64_MAX)
        token->is_unsigned = true;
}

/* The value of one character, `*at` behind the quote; false: malformed. */
static bool char_value(const char **at, uint64_t *ret_value)
{
    static const char escapes[] = "n\nt\tr\ra\ab\bf\fv\v\\\\''\"\"??";
    const char *p = *at;
    if (*p != '\\') {
        if (*p == '\0' || *p == '\n' || *p == '\'')
            return false;
        *ret_value = (unsigned char)*p;
        *at = p + 1;
        return true;
    }
    p++;
    if (*p == 'x' && isxdigit((unsigned char)p[1])) {
        p++;
        bool fits = read_digits(&p, 16, ret_value);
        *at = p;
        return fits;
    }
    if (*p >= '0' && *p <= '7') {
        bool fits = read_digits(&p, 8, ret_value);
        *at = p;
        return fits;
    }
    for (const char *e = escapes; *e != '\0'; e += 2) {
        if (*p == *e) {
            *ret_value = (unsigned char)e[1];
            *at = p + 1;
            return true;
        }
    }
    return false;
}

static void lex_char(struct lexer *lexer, struct token *token)
{
    const char *at = lexer->pos + 1;
    token->kind = TOK_CHAR;
    if (char_value(&at, &token->value) && *at == '\'' &&
        token->value <= (token->is_wide ? 0xffffu : 0xffu)) {
        lexer->pos = at + 1;
        return;
    }
    while (*at != '\0' && *at != '\n' && *at != '\'')
        at++;
    lexer->pos = *at == '\'' ? at + 1 : at;
    diag_error(lexer->compiler, &token->loc, 2108, "badly formed character constant");
    token->value = 0;
}

static void lex_string(struct lexer *lexer, struct token *token)
{
    const char *start = ++lexer->pos;
    token->kind = TOK_STRING;
    while (*lexer->pos != '"') {
        if (*lexer->pos == '\\' && lexer->pos[1] != '\0' && lexer->pos[1] != '\n')
            lexer->pos++;
        if (*lexer->pos == '\0' || *lexer->pos == '\n') {
            bool end = *lexer->pos == '\0';
            diag_error(lexer->compiler, &token->loc, end ? 2110 : 2112, "end of %s found in string",
                       end ? "file" : "line");
            token->kind = TOK_INVALID;
            return;
        }
        lexer->pos++;
    }
    size_t len = (size_t)(lexer->pos - start);
    if (len > STRING_LEN_MAX)
        diag_warning(lexer->compiler, &token->loc, 2113, 4, "string exceeds %d characters",
                     STRING_LEN_MAX);
    token->text = arena_strndup(&lexer->compiler->arena, start, len);
    lexer->pos++;
}

/* ---- Punctuation ------------------------------------------------------------ */

static const struct {
    const char *text;
    enum token_kind kind;
} punctuators[] = {
    {"...", TOK_ELLIPSIS}, {"..", TOK_DOTDOT}, {"<<", TOK_SHL},   {">>", TOK_SHR},
    {"<=", TOK_LE},        {">=", TOK_GE},     {"==", TOK_EQ},    {"!=", TOK_NE},
    {"&&", TOK_AND},       {"||", TOK_OR},     {"->", TOK_ARROW},
};

static void lex_punctuator(struct lexer *lexer, struct token *token)
{
    for (size_t i = 0; i < sizeof(punctuators) / sizeof(punctuators[0]); i++) {
        size_t len = strlen(punctuators[i].text);
        if (strncmp(lexer->pos, punctuators[i].text, len) == 0) {
            token->kind = punctuators[i].kind;
            lexer->pos += len;
            return;
        }
    }
    char c = *lexer->pos++;
    if (strchr("()[]{};,:=*+-/%&|^~!<>?.", c)) {
        token->kind = (enum token_kind)(unsigned char)c;
        return;
    }
    token->kind = TOK_INVALID;
    if (lexer->quiet)
        return;
    if (isprint((unsigned char)c))
        diag_error(lexer->compiler, &token->loc, 2024, "unexpected character '%c'", c);
    else
        diag_error(lexer->compiler, &token->loc, 2024, "unexpected character 0x%02x",
                   (unsigned char)c);
}

void lex_next(struct lexer *lexer, struct token *ret_token)
{
    if (skip_space(lexer, ret_token))
        return;
    struct token token = {.loc = here(lexer)};
    char c = *lexer->pos;
    if (c == '\0' || c == 0x1a) { /* old editors end a file with Ctrl-Z */
        token.kind = TOK_END;
    } else if (c == 'L' && (lexer->pos[1] == '"' || lexer->pos[1] == '\'')) {
        token.is_wide = true;
        lexer->pos++;
        bool is_string = *lexer->pos == '"';
        osf_refuse(lexer->compiler, &token.loc, is_string ? 2013 : 2012,
                   is_string ? "use of wide-character strings needs -ms_ext"
                             : "use of wide-character constants needs -ms_ext");
        if (is_string)
            lex_string(lexer, &token);
        else
            lex_char(lexer, &token);
    } else if (isalpha((unsigned char)c) || c == '_') {
        lex_ident(lexer, &token);
    } else if (isdigit((unsigned char)c)) {
        lex_number(lexer, &token);
    } else if (foreign_octet(lexer->pos)) {
        foreign_name(lexer, &token);
    } else if (c == '"') {
        lex_string(lexer, &token);
    } else if (c == '\'') {
        lex_char(lexer, &token);
    } else {
        lex_punctuator(lexer, &token);
    }
    token.end = lexer->pos;
    *ret_token = token;
}

const char *lex_raw_argument(struct lexer *lexer, struct loc *ret_loc)
{
    const char *start = lexer->pos;
    while (*start == ' ' || *start == '\t')
        start++;
    const char *end = start;
    while (*end != '\0' && *end != '\n' && *end != ')')
        end++;
    if (*end != ')')
        return NULL;
    lexer->pos = start;
    *ret_loc = here(lexer);
    lexer->pos = end;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return arena_strndup(&lexer->compiler->arena, start, (size_t)(end - start));
}

const char *token_kind_describe(enum token_kind kind)
{
    static const char singles[] =
        "'('\0')'\0'['\0']'\0'{'\0'}'\0';'\0','\0':'\0'='\0'*'\0'+'\0'-'\0"
        "'/'\0'%'\0'&'\0'|'\0'^'\0'~'\0'!'\0'<'\0'>'\0'?'\0'.'\0";
    for (const char *at = singles; *at != '\0'; at += 4) {
        if ((unsigned char)at[1] == (unsigned)kind)
            return at;
    }
    for (size_t i = 0; i < sizeof(punctuators) / sizeof(punctuators[0]); i++) {
        if (punctuators[i].kind == kind)
            return punctuators[i].text;
    }
    switch ((unsigned)kind) {
    case TOK_END:
        return "end of file";
    case TOK_IDENT:
        return "an identifier";
    case TOK_NUMBER:
    case TOK_CHAR:
        return "a constant";
    case TOK_STRING:
        return "a string";
    case TOK_PRAGMA:
        return "#pragma";
    default:
        return "this";
    }
}

const char *token_describe(struct idl_compiler *compiler, const struct token *token)
{
    if (token->kind == TOK_IDENT || token->kind == TOK_NUMBER)
        return arena_printf(&compiler->arena, "'%s'", token->text);
    return token_kind_describe(token->kind);
}
