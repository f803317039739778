/* SPDX-License-Identifier: MIT */
/* lex.h - IDL and ACF text into tokens.
 *
 * Attribute words are ordinary identifiers: only the parser knows whether it stands
 * inside [ ].  uuid(...) and version(...) hold text that is no token sequence, so the
 * parser asks for it with lex_raw_argument() when it stands on the parenthesis. */
#ifndef PENSTOCK_IDL_LEX_H
#define PENSTOCK_IDL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idl_compiler;

/* A place in a source text. */
struct loc {
    const char *path;   /* file as the # line markers say; NULL: none     */
    unsigned line;      /* from 1                                         */
    unsigned column;    /* from 1, in the preprocessed line               */
    const char *at;     /* in the compiled text; the line starts at
                         * at - (column - 1)                              */
};

/* Single-character tokens are their own character. */
enum token_kind {
    TOK_END = 0,
    TOK_IDENT = 256,
    TOK_NUMBER,  /* value, is_unsigned, is_hex   */
    TOK_CHAR,    /* value, is_wide               */
    TOK_STRING,  /* text (between the quotes, escapes kept), is_wide */
    TOK_PRAGMA,  /* text: the rest of the line   */
    TOK_DOTDOT,
    TOK_ELLIPSIS,
    TOK_SHL,
    TOK_SHR,
    TOK_LE,
    TOK_GE,
    TOK_EQ,
    TOK_NE,
    TOK_AND,
    TOK_OR,
    TOK_ARROW,
    TOK_INVALID /* already reported */
};

#define KEYWORDS(X)                                                                                \
    X(BOOLEAN, "boolean") X(BYTE, "byte") X(CHAR, "char") X(CONST, "const")                        \
    X(CPP_QUOTE, "cpp_quote") X(DOUBLE, "double") X(ENUM, "enum")                                  \
    X(ERROR_STATUS_T, "error_status_t") X(EXTERN, "extern") X(FALSE, "FALSE") X(FLOAT, "float")    \
    X(HANDLE_T, "handle_t") X(HYPER, "hyper") X(IMPORT, "import") X(IMPORTLIB, "importlib")        \
    X(INCLUDE, "include") X(INT, "int") X(INT8, "__int8") X(INT16, "__int16")                      \
    X(INT32, "__int32") X(INT64, "__int64") X(INT3264, "__int3264") X(INTERFACE, "interface")      \
    X(LIBRARY, "library") X(COCLASS, "coclass") X(DISPINTERFACE, "dispinterface")                  \
    X(MODULE, "module") X(LONG, "long") X(MIDL_PRAGMA, "midl_pragma") X(NULL, "NULL")              \
    X(PIPE, "pipe") X(SAFEARRAY, "SAFEARRAY") X(SHORT, "short") X(SIGNED, "signed")                \
    X(SIZEOF, "sizeof") X(SMALL, "small") X(STATIC, "static") X(STRUCT, "struct")                  \
    X(SWITCH, "switch") X(TRUE, "TRUE") X(TYPEDEF, "typedef") X(UNION, "union")                    \
    X(UNSIGNED, "unsigned") X(VOID, "void") X(VOLATILE, "volatile") X(WCHAR_T, "wchar_t")          \
    X(CASE, "case") X(DEFAULT, "default")                                                          \
    /* words without meaning here, skipped where C compilers take them */                          \
    X(CDECL, "__cdecl") X(STDCALL, "__stdcall") X(FASTCALL, "__fastcall") X(PASCAL, "__pascal")    \
    X(FAR, "__far") X(NEAR, "__near") X(UNALIGNED, "__unaligned") X(PTR32, "__ptr32")              \
    X(PTR64, "__ptr64") X(W64, "__w64")

enum keyword {
    KW_NONE = 0,
#define X(id, word) KW_##id,
    KEYWORDS(X)
#undef X
    KW_COUNT
};

struct token {
    enum token_kind kind;
    enum keyword keyword; /* IDENT that is a reserved word */
    struct loc loc;
    const char *end;  /* one past its last octet in the compiled text */
    const char *text; /* IDENT: interned; STRING, PRAGMA, NUMBER: a copy */
    uint64_t value;
    bool is_unsigned, is_hex, is_wide;
};

struct lexer {
    struct idl_compiler *compiler;
    const char *pos;       /* next octet; the text ends with NUL */
    const char *line_start;
    const char *path;
    unsigned line;
    bool quiet; /* what comes is skipped over after an error: not worth another message */
};

/* `text` is NUL-terminated and outlives the lexer. */
void lex_init(struct lexer *lexer, struct idl_compiler *compiler, const char *path,
              const char *text);
void lex_next(struct lexer *lexer, struct token *ret_token);

/* The text up to the next ')' on the same line, trimmed; stops in front of it.
 * NULL: there is no ')' on the line. */
const char *lex_raw_argument(struct lexer *lexer, struct loc *ret_loc);

/* What to call `token` in a message: "';'", "identifier 'x'", "end of file". */
const char *token_describe(struct idl_compiler *compiler, const struct token *token);
const char *token_kind_describe(enum token_kind kind);

#endif
