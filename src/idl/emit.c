/* SPDX-License-Identifier: MIT */
/* emit.c - comments, C declarations and names, for all emitters. */
#include "idl/emit.h"

#include "idl/characters.h"
#include "idl/convert.h"

#include "idl/types.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Leaves room for the end of a comment. */
#define EMIT_COLUMNS 96

/* ---- Comments ----------------------------------------------------------------------- */

/* Skips a comment or a line of the preprocessor at `at`; NULL: neither is there. */
static const char *skip_hidden(const char *at, const char *end, bool line_start)
{
    if (line_start && *at == '#') {
        while (at < end && *at != '\n')
            at++;
        return at;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        while (at < end && *at != '\n')
            at++;
        return at;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
        for (at += 2; at < end; at++) {
            if (end - at >= 2 && at[0] == '*' && at[1] == '/')
                return at + 2;
        }
        return end;
    }
    return NULL;
}

const char *emit_squeeze(struct idl_compiler *c, const char *start, const char *end)
{
    struct text text = {.arena = &c->arena};
    bool blank = false, line_start = false, in_string = false;
    for (const char *at = start; at < end;) {
        const char *next = in_string ? NULL : skip_hidden(at, end, line_start);
        if (next) {
            at = next;
            blank = true;
            continue;
        }
        if (isspace((unsigned char)*at) && !in_string) {
            line_start = *at == '\n';
            blank = true;
            at++;
            continue;
        }
        if (blank && text.len > 0)
            text_add(&text, " ");
        blank = line_start = false;
        /* Inside strings: the comment around must neither end nor open another. */
        bool ends = text.len > 0 && ((text.at[text.len - 1] == '*' && *at == '/') ||
                                     (text.at[text.len - 1] == '/' && *at == '*'));
        if (ends)
            text_add(&text, " ");
        if (*at == '"')
            in_string = !in_string;
        if (in_string && *at == '\\' && end - at >= 2)
            text_add_n(&text, at++, 1);
        text_add_n(&text, isprint((unsigned char)*at) ? at : "?", 1);
        at++;
    }
    return text_get(&text);
}

/* Up to behind the next comma and blank, or to the end. */
static size_t piece_len(const char *at)
{
    const char *comma = strstr(at, ", ");
    return comma ? (size_t)(comma - at) + 2 : strlen(at);
}

/* Pieces end at commas, so that `FILE_INFO *info` stays together. */
static void add_pieces(struct text *out, const char *first, const char *others, const char *line)
{
    size_t column = strlen(first);
    text_add(out, first);
    while (*line != '\0') {
        size_t len = piece_len(line);
        size_t shown = line[len] == '\0' ? len : len - 1; /* a blank may stick out */
        if (column + shown > EMIT_COLUMNS && column > strlen(others)) {
            out->len--; /* the blank behind the comma */
            text_addf(out, "\n%s", others);
            column = strlen(others);
        }
        text_add_n(out, line, len);
        column += len;
        line += len;
    }
}

void emit_wrapped(struct text *out, const char *indent, const char *line)
{
    char others[64];
    snprintf(others, sizeof(others), "%s    ", indent);
    add_pieces(out, indent, others, line);
    text_add(out, "\n");
}

void emit_comment(struct idl_compiler *compiler, struct text *out, const char *indent,
                  const char *start, const char *end)
{
    add_pieces(out, arena_printf(&compiler->arena, "%s/* ", indent),
               arena_printf(&compiler->arena, "%s * ", indent), emit_squeeze(compiler, start, end));
    text_add(out, " */\n");
}

const char *emit_attrs(struct idl_compiler *c, const struct var *var)
{
    struct text text = {.arena = &c->arena};
    for (const struct attr *attr = var->attrs; attr; attr = attr->next) {
        text_add(&text, text.len > 0 ? ", " : "[");
        text_add(&text, attr->name);
        if (!attr->args || (attr->args->text && !attr->args->type))
            continue;
        text_add(&text, "(");
        for (const struct attr_arg *arg = attr->args; arg; arg = arg->next) {
            if (arg->expr)
                text_add(&text, emit_squeeze(c, arg->expr->start, arg->expr->end));
            if (arg->type)
                text_add(&text, emit_squeeze(c, arg->text, arg->text + strlen(arg->text)));
            if (arg->next)
                text_add(&text, ", ");
        }
        text_add(&text, ")");
    }
    if (text.len > 0)
        text_add(&text, "]");
    return text_get(&text);
}

void emit_banner(struct idl_compiler *c, struct text *out, const char *what)
{
    const char *name =
        emit_squeeze(c, c->options.idl_name, c->options.idl_name + strlen(c->options.idl_name));
    text_addf(out,
              "/* %s of %s.\n * Generated by penstock-idl; changes are lost when it runs "
              "again. */\n",
              what, name);
}

void emit_stub_top(struct idl_compiler *c, struct text *out, const char *what)
{
    emit_banner(c, out, what);
    text_addf(out, "#include \"%s\"\n", c->options.header_name);
    for (const struct include *include = c->acf_includes; include; include = include->next)
        text_addf(out, "#include \"%s\"\n", include->name);
    text_add(out, "\n#include <stddef.h>\n");
}

/* ---- Declarations --------------------------------------------------------------------- */

static const char *specifier(struct idl_compiler *c, const struct type *type)
{
    switch (type->kind) {
    case TYPE_BASE:
        return type->plain_char ? "char" : base_info(type->base)->c_name;
    case TYPE_ENUM:
    case TYPE_STRUCT:
    case TYPE_UNION:
        return arena_printf(&c->arena, "%s%s", type_word(type), type_tag(type));
    case TYPE_ALIAS:
        return convert_local_name(type->alias);
    case TYPE_PIPE:
        return type->pipe_name;
    default:
        return "void";
    }
}

/* The parameters of a function type, as C has them. */
static const char *function_params(struct idl_compiler *c, const struct type *function);

static const char *declare_around(struct idl_compiler *c, struct type *type, const char *inner)
{
    bool is_const = false;
    for (;; type = type->target) {
        while (type->kind == TYPE_CONST) {
            is_const = true;
            type = type->target;
        }
        if (type->kind == TYPE_POINTER) {
            enum type_kind below = type_unqualified(type->target)->kind;
            inner = arena_printf(&c->arena, "*%s%s", is_const ? "const " : "", inner);
            if (below == TYPE_ARRAY || below == TYPE_FUNCTION)
                inner = arena_printf(&c->arena, "(%s)", inner);
            is_const = false;
        } else if (type->kind == TYPE_ARRAY) {
            inner = type->count > 0 ? arena_printf(&c->arena, "%s[%u]", inner, type->count)
                                    : arena_printf(&c->arena, "%s[1]", inner);
        } else if (type->kind == TYPE_FUNCTION) {
            inner = arena_printf(&c->arena, "%s%s", inner, function_params(c, type));
        } else {
            break;
        }
    }
    const char *word = specifier(c, type);
    const char *space = *inner == '*' || *inner == '\0' ? "" : " ";
    if (*inner == '*')
        space = " ";
    return arena_printf(&c->arena, "%s%s%s%s", is_const ? "const " : "", word, space, inner);
}

const char *emit_declaration(struct idl_compiler *c, struct type *type, const char *name)
{
    return declare_around(c, type, name);
}

/* `long v[4][5]` arrives as `long (*v)[5]`; const on the array is const on its elements. */
static struct type *decay(struct idl_compiler *c, struct type *type, bool member)
{
    bool is_const = false;
    struct type *at = type;
    if (convert_alias(type)) {
        if (!convert_local_array(c, type))
            return member ? type_unqualified(type) : type;
        at = convert_local_array(c, type);
    }
    while (at->kind == TYPE_CONST || at->kind == TYPE_ALIAS) {
        is_const |= at->kind == TYPE_CONST;
        at = at->kind == TYPE_CONST ? at->target : at->alias->type;
    }
    if (at->kind != TYPE_ARRAY)
        return member ? type_unqualified(type) : type;
    struct type *pointer = ARENA_NEW(&c->arena, struct type);
    pointer->kind = TYPE_POINTER;
    pointer->target = at->target;
    if (is_const && at->target->kind != TYPE_CONST) {
        struct type *qualified = ARENA_NEW(&c->arena, struct type);
        qualified->kind = TYPE_CONST;
        qualified->target = at->target;
        pointer->target = qualified;
    }
    return pointer;
}

static const char *function_params(struct idl_compiler *c, const struct type *function)
{
    struct text out = {.arena = &c->arena};
    for (const struct var *param = function->params; param; param = param->next) {
        const char *name = param->name ? param->name : "";
        text_addf(&out, "%s%s", out.len > 0 ? ", " : "",
                  emit_declaration(c, decay(c, param->type, false), name));
    }
    if (function->variadic)
        text_add(&out, out.len > 0 ? ", ..." : "...");
    return arena_printf(&c->arena, "(%s)", out.len > 0 ? text_get(&out) : "void");
}

const char *emit_param(struct idl_compiler *c, const struct proc *proc, const struct var *param,
                       bool member)
{
    struct type *type = param->type;
    struct type *below = type_strip(type);
    struct type *pipe = type_as_pipe(below->kind == TYPE_POINTER ? below->target : type);
    if (pipe && proc->is_async)
        return arena_printf(&c->arena, "ASYNC_%s *%s", pipe->pipe_name, param->name);
    return emit_declaration(c, decay(c, type, member), param->name);
}

const char *emit_result(struct idl_compiler *c, const struct proc *proc, const char *declarator)
{
    if (proc->is_async || !proc->result_var)
        return arena_printf(&c->arena, "void %s", declarator);
    /* C compilers warn about const here, and it means nothing. */
    return emit_declaration(c, type_unqualified(proc->result), declarator);
}

static void one_param(struct text *out, bool lines, bool *first, const char *attrs,
                      const char *declaration)
{
    if (!*first)
        text_add(out, lines ? "," : ", ");
    *first = false;
    if (lines)
        text_add(out, "\n    ");
    if (lines && *attrs != '\0')
        text_addf(out, "/* %s */ ", attrs);
    text_add(out, declaration);
}

void emit_param_list(struct idl_compiler *c, struct text *out, const struct proc *proc, bool lines)
{
    bool first = true;
    text_add(out, "(");
    if (proc->is_async)
        one_param(out, lines, &first, "",
                  arena_printf(&c->arena, "PRPC_ASYNC_STATE %s_AsyncHandle", proc->name));
    for (const struct var *param = proc->params; param; param = param->next) {
        if (characters_is_hidden(proc, param))
            continue;
        one_param(out, lines, &first,
                  param->synthesized && param->is_binding ? "[in]" : emit_attrs(c, param),
                  emit_param(c, proc, param, false));
    }
    text_add(out, first ? "void)" : ")");
}

/* ---- Names ------------------------------------------------------------------------------- */

static const char *prefixed(struct idl_compiler *c, const char *prefix, const char *name)
{
    return prefix ? arena_printf(&c->arena, "%s%s", prefix, name) : name;
}

const char *emit_client_name(struct idl_compiler *c, const struct proc *proc)
{
    return prefixed(c, c->options.client_prefix, proc->name);
}

const char *emit_server_name(struct idl_compiler *c, const struct proc *proc)
{
    return prefixed(c, c->options.server_prefix, proc->name);
}

const char *emit_ifspec(struct idl_compiler *c, const struct interface *interface, bool server)
{
    const char *name;
    if (c->options.old_names)
        name =
            arena_printf(&c->arena, "%s_%sIfHandle", interface->name, server ? "Server" : "Client");
    else
        name = arena_printf(&c->arena, "%s_v%u_%u_%s_ifspec", interface->name, interface->major,
                            interface->minor, server ? "s" : "c");
    return prefixed(c, server ? c->options.server_prefix : c->options.client_prefix, name);
}

const char *emit_local(struct idl_compiler *c, const struct proc *proc, const char *wish)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (strcmp(param->name, wish) == 0) {
            wish = arena_printf(&c->arena, "%s_", wish);
            param = proc->params;
        }
    }
    return wish;
}

const char *emit_int64(struct idl_compiler *c, int64_t value)
{
    if (value == INT64_MIN)
        return "(-INT64_C(9223372036854775807) - 1)";
    if (value == INT32_MIN)
        return "(-2147483647 - 1)";
    if (value > INT32_MIN && value <= INT32_MAX)
        return arena_printf(&c->arena, "%" PRId64, value);
    if (value < 0)
        return arena_printf(&c->arena, "-INT64_C(%" PRIu64 ")", (uint64_t)0 - (uint64_t)value);
    return arena_printf(&c->arena, "INT64_C(%" PRId64 ")", value);
}
