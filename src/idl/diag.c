/* SPDX-License-Identifier: MIT */
/* diag.c - collects messages and shows them with the line they speak of.
 *
 * The preprocessor moves tokens within a line: it drops comments, squeezes blanks and
 * expands macros.  When the host can show the file as it was written, the column is
 * mapped back to it, so that the caret stands where the author looks. */
#include "idl/compiler.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A longer line says nothing more under a message: of such a one this much is shown, with
 * SOURCE_BEFORE octets in front of what is meant. */
#define SOURCE_LINE_MAX 400
#define SOURCE_BEFORE   80

/* The line beginning at `start`, or its part around `at`, and where in that `at` is. */
static void copy_line(struct idl_compiler *compiler, const char *start, const char *at,
                      struct idl_diagnostic *diagnostic)
{
    size_t len = 0;
    const char *from = start;
    bool is_long = at - start >= SOURCE_LINE_MAX;
    if (is_long) {
        from = at - SOURCE_BEFORE;
        while (((unsigned char)*from & 0xc0) == 0x80) /* not in the middle of a character */
            from++;
    }
    while (from[len] != '\0' && from[len] != '\n' && from[len] != '\r' && len < SOURCE_LINE_MAX)
        len++;
    diagnostic->source_line =
        arena_printf(&compiler->arena, "%s%.*s", is_long ? "..." : "", (int)len, from);
    diagnostic->caret = (unsigned)(at - from) + (is_long ? 3 : 0);
}

/* Line `line` (from 1) of `text`, or NULL. */
static const char *find_line(const char *text, unsigned line)
{
    for (; line > 1; line--) {
        text = strchr(text, '\n');
        if (!text)
            return NULL;
        text++;
    }
    return text;
}

/* Skips blanks and comments within the line. */
static const char *skip_blank(const char *at)
{
    for (;;) {
        if (*at == ' ' || *at == '\t') {
            at++;
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = at + 2;
            while (*end != '\0' && *end != '\n' && !(end[0] == '*' && end[1] == '/'))
                end++;
            at = *end == '*' ? end + 2 : end;
        } else {
            return at;
        }
    }
}

static bool word_octet(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The length of the word, or of the one octet, at `at`. */
static size_t lexeme_len(const char *at)
{
    size_t len = 0;
    while (word_octet(at[len]))
        len++;
    return len > 0 ? len : 1;
}

/* The place in `line`, one line as written, of what stands at `target` in the
 * preprocessed line beginning at `start`.  Walks both side by side as long as they
 * agree; behind a macro it looks for the target's own spelling. */
static const char *map_back(const char *line, const char *start, const char *target)
{
    const char *original = skip_blank(line);
    const char *processed = skip_blank(start);
    while (processed < target) {
        if (*original == '\0' || *original == '\n' || *original != *processed)
            break;
        original = skip_blank(original + 1);
        processed = skip_blank(processed + 1);
    }
    if (processed >= target)
        return original;

    while (original > line && word_octet(original[-1]) && word_octet(*original))
        original--;
    size_t len = lexeme_len(target);
    for (const char *at = original; *at != '\0' && *at != '\n'; at += lexeme_len(at)) {
        if (lexeme_len(at) == len && memcmp(at, target, len) == 0)
            return at;
    }
    return original;
}

static void locate(struct idl_compiler *compiler, const struct loc *at,
                   struct idl_diagnostic *diagnostic)
{
    diagnostic->path = at->path;
    diagnostic->line = at->line;
    diagnostic->column = at->column;
    if (!at->at)
        return;
    const char *start = at->at - (at->column - 1);
    const char *original = NULL;
    if (compiler->host.original)
        original = compiler->host.original(compiler->host.ctx, at->path);
    const char *line = original ? find_line(original, at->line) : NULL;
    const char *meant = line ? map_back(line, start, at->at) : at->at;
    if (line) {
        diagnostic->column = (unsigned)(meant - line) + 1;
        start = line;
    }
    copy_line(compiler, start, meant, diagnostic);
}

static void report(struct idl_compiler *compiler, const struct loc *at, enum idl_severity severity,
                   unsigned number, const char *format, va_list args)
{
    if (severity == IDL_WARNING && compiler->options.warnings_are_errors)
        severity = IDL_ERROR;
    if (severity == IDL_ERROR)
        compiler->failed = true;
    struct idl_diagnostic *diagnostic = ARENA_NEW(&compiler->arena, struct idl_diagnostic);
    diagnostic->severity = severity;
    diagnostic->number = number;
    diagnostic->message = arena_vprintf(&compiler->arena, format, args);
    if (at)
        locate(compiler, at, diagnostic);
    /* Appended only when complete: an allocation above may have jumped away. */
    *compiler->diagnostics_end = diagnostic;
    compiler->diagnostics_end = (struct idl_diagnostic **)&diagnostic->next;
}

void diag_error(struct idl_compiler *compiler, const struct loc *at, unsigned number,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(compiler, at, IDL_ERROR, number, format, args);
    va_end(args);
    unsigned limit = compiler->options.error_limit;
    if (limit == 0)
        limit = IDL_ERROR_LIMIT_DEFAULT;
    if (++compiler->error_count == limit) {
        compiler->error_count++; /* the message below must not come back here */
        diag_error(compiler, at, 2026, "too many errors, giving up");
        longjmp(compiler->give_up, 2);
    }
}

void diag_warning(struct idl_compiler *compiler, const struct loc *at, unsigned number,
                  unsigned level, const char *format, ...)
{
    if (level > compiler->options.warning_level)
        return;
    const char *muted = names_find(&compiler->muted, (const char *)&number, sizeof(number));
    if (muted && *muted == 'y')
        return;
    va_list args;
    va_start(args, format);
    report(compiler, at, IDL_WARNING, number, format, args);
    va_end(args);
}

void diag_later(struct idl_compiler *compiler, const struct loc *at, const char *what)
{
    diag_error(compiler, at, 2028, "%s is not supported yet by penstock-idl", what);
}

/* Blanks as wide as the source line up to the caret: tabs stay tabs. */
static void add_caret(char *buf, size_t size, size_t *len, const struct idl_diagnostic *d)
{
    for (unsigned i = 0; i < d->caret && d->source_line[i] != '\0'; i++) {
        if (((unsigned char)d->source_line[i] & 0xc0) == 0x80)
            continue; /* the rest of a character */
        if (*len + 1 < size)
            buf[*len] = d->source_line[i] == '\t' ? '\t' : ' ';
        ++*len;
    }
    if (*len + 2 < size)
        memcpy(buf + *len, "^\n", 3);
    *len += 2;
}

size_t idl_diagnostic_text(const struct idl_diagnostic *diagnostic, char *buf, size_t size)
{
    const struct idl_diagnostic *d = diagnostic;
    const char *word = d->severity == IDL_ERROR ? "error" : "warning";
    int head;
    if (d->line > 0)
        head = snprintf(buf, size, "%s:%u:%u: %s MIDL%u: %s\n", d->path, d->line, d->column, word,
                        d->number, d->message);
    else
        head = snprintf(buf, size, "%s%s%s MIDL%u: %s\n", d->path ? d->path : "",
                        d->path ? ": " : "", word, d->number, d->message);
    assert(head >= 0);
    size_t len = (size_t)head;
    if (!d->source_line)
        return len;
    int line = snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, "  %s\n  ",
                        d->source_line);
    assert(line >= 0);
    len += (size_t)line;
    add_caret(buf, size, &len, d);
    if (len < size)
        buf[len] = '\0';
    return len;
}
