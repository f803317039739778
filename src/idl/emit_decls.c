/* SPDX-License-Identifier: MIT */
/* emit_decls.c - the declarations of the header: bodies of structures and enumerations,
 * typedefs, pipe types, and constants as macros (idl.md 10.2). */
#include "idl/emit.h"

#include "idl/types.h"

#include <inttypes.h>
#include <string.h>

/* ---- Structures and enumerations ------------------------------------------------------- */

/* A type that may bring its body along. */
static void emit_type_of(struct idl_compiler *c, struct text *out, struct type *base,
                         const char *indent)
{
    struct type *type = type_unqualified(base);
    if (base->kind == TYPE_CONST)
        text_add(out, "const ");
    if (type->defines)
        emit_body(c, out, type, indent);
}

/* The defining node inside the type of a declarator, or NULL. */
static struct type *defining(struct type *type)
{
    while (type->target && type->kind != TYPE_ALIAS)
        type = type->target;
    return type->defines ? type : NULL;
}

/* Types defined in anonymous members, before the outermost structure: in C++ they cannot
 * stand there. */
void emit_hoisted(struct idl_compiler *c, struct text *out, const struct type *type, bool inside)
{
    if (type->kind == TYPE_ENUM)
        return;
    for (const struct var *field = type->aggregate->fields; field; field = field->next) {
        struct type *body = field->type ? defining(field->type) : NULL;
        if (!body || body->hoisted)
            continue;
        bool is_anonymous = !field->name;
        emit_hoisted(c, out, body, inside || is_anonymous);
        if (!inside || is_anonymous)
            continue;
        body->hoisted = true;
        emit_body(c, out, body, "");
        text_add(out, ";\n\n");
    }
}

static void emit_field(struct idl_compiler *c, struct text *out, const struct var *field,
                       const char *indent, const struct var *previous)
{
    const char *attrs = emit_attrs(c, field);
    text_add(out, indent);
    if (*attrs != '\0')
        text_addf(out, "/* %s */%s", attrs, field->name ? " " : "");
    if (!field->type) { /* an empty arm */
        text_add(out, "\n");
        return;
    }
    if (!field->name) {
        if (*attrs != '\0')
            text_add(out, " ");
        emit_body(c, out, type_unqualified(field->type), indent);
        text_add(out, ";\n");
        return;
    }
    struct type *body = defining(field->type);
    /* `struct {...} a, b;` shows its body once. */
    bool again = previous && previous->name && body && defining(previous->type) == body;
    const char *declaration = emit_declaration(c, field->type, field->name);
    if (body && !again && !body->hoisted) {
        emit_body(c, out, body, indent);
        const char *word = type_word(body), *tag = type_tag(body);
        const char *at = strstr(declaration, word);
        declaration = at ? at + strlen(word) + strlen(tag) : declaration;
    }
    text_add(out, declaration);
    if (field->is_bit_field)
        text_addf(out, " : %u", field->bits);
    text_add(out, ";\n");
}

void emit_body(struct idl_compiler *c, struct text *out, struct type *type, const char *indent)
{
    const char *deeper = arena_printf(&c->arena, "%s    ", indent);
    /* C++ wants no types defined in anonymous unions and has no anonymous structures. */
    if (type->kind != TYPE_ENUM && type->aggregate->is_anonymous)
        text_addf(out, "__extension__ %s{\n", type_word(type));
    else
        text_addf(out, "%s%s {\n", type_word(type), type_tag(type));
    if (type->kind == TYPE_ENUM) {
        for (const struct enumerator *item = type->enumeration->list; item; item = item->next)
            text_addf(out, "%s%s = %s%s\n", deeper, item->name, emit_int64(c, item->value),
                      item->next ? "," : "");
    } else {
        const struct var *previous = NULL;
        for (const struct var *field = type->aggregate->fields; field; field = field->next) {
            emit_field(c, out, field, deeper, previous);
            previous = field;
        }
    }
    text_addf(out, "%s}", indent);
}

/* ---- Pipes ------------------------------------------------------------------------------- */

static void emit_pipe_struct(struct idl_compiler *c, struct text *out, const struct type *pipe,
                             const char *prefix, const char *result)
{
    const char *buf = emit_declaration(c, pipe->target, "*buf");
    const char *buf_out = emit_declaration(c, pipe->target, "**buf");
    const char *count = "unsigned long *ecount";
    text_addf(out, "typedef struct %spipe_%s {\n", prefix, pipe->pipe_name);
    emit_wrapped(out, "    ",
                 arena_printf(&c->arena,
                              "%s (__RPC_USER *pull)(char *state, %s, unsigned long "
                              "esize, %s);",
                              result, buf, count));
    emit_wrapped(out, "    ",
                 arena_printf(&c->arena,
                              "%s (__RPC_USER *push)(char *state, %s, unsigned long "
                              "ecount);",
                              result, buf));
    emit_wrapped(out, "    ",
                 arena_printf(&c->arena,
                              "%s (__RPC_USER *alloc)(char *state, unsigned long bsize, "
                              "%s, unsigned long *bcount);",
                              result, buf_out));
    text_addf(out, "    char *state;\n} %s%s;\n", prefix, pipe->pipe_name);
}

/* Guarded: the header of each file whose asynchronous operations use it defines it. */
static void emit_async_pipe(struct idl_compiler *c, struct text *out, const struct type *pipe)
{
    text_addf(out, "#ifndef __ASYNC_pipe_%s_DEFINED\n#define __ASYNC_pipe_%s_DEFINED\n",
              pipe->pipe_name, pipe->pipe_name);
    emit_pipe_struct(c, out, pipe, "ASYNC_", "RPC_STATUS");
    text_add(out, "#endif\n");
}

/* The pipe that `param` passes, or NULL. */
static struct type *async_pipe_of(const struct var *param)
{
    struct type *type = type_strip(param->type);
    return type_as_pipe(type->kind == TYPE_POINTER ? type->target : type);
}

static bool used_asynchronously(const struct idl_compiler *c, const char *pipe_name)
{
    for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
        for (const struct proc *proc = i->procs; proc; proc = proc->next) {
            for (const struct var *param = proc->params; proc->is_async && param;
                 param = param->next) {
                const struct type *pipe = async_pipe_of(param);
                if (pipe && pipe->pipe_name == pipe_name)
                    return true;
            }
        }
    }
    return false;
}

/* Pipes of imported files: their headers know nothing of our [async]. */
void emit_imported_pipes(struct idl_compiler *c, struct text *out,
                         const struct interface *interface)
{
    struct name_map done = {0};
    static char emitted[] = "emitted";
    for (const struct proc *proc = interface->procs; proc; proc = proc->next) {
        for (const struct var *param = proc->params; proc->is_async && param; param = param->next) {
            struct type *pipe = async_pipe_of(param);
            if (!pipe)
                continue;
            const char *name = pipe->pipe_name;
            const struct symbol *symbol = names_find(&c->names, name, strlen(name));
            if (!symbol->var->imported || names_find(&done, name, strlen(name)))
                continue;
            names_set(&done, &c->arena, name, strlen(name), emitted);
            text_add(out, "\n");
            emit_async_pipe(c, out, pipe);
        }
    }
}

/* ---- Declarations ---------------------------------------------------------------------------- */

/* Structures that our own headers define as the documents of their interfaces do. */
static bool c_has_the_struct(const struct type *type)
{
    static const struct {
        const char *tag;
        unsigned field_count;
    } structures[] = {{"_GUID", 4}, {"_RPC_VERSION", 2}, {"_RPC_SYNTAX_IDENTIFIER", 2}};
    for (size_t i = 0; type->kind == TYPE_STRUCT && i < 3; i++) {
        if (strcmp(type->aggregate->tag, structures[i].tag) == 0 &&
            type->aggregate->field_count == structures[i].field_count)
            return true;
    }
    return false;
}

/* Names that rpctypes.h gives C a type for, one of the same size that is not the same. */
static bool c_has_its_own(const struct var *var)
{
    static const char *const names[] = {"CHAR", "VOID", "uuid_t"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(var->name, names[i]) == 0)
            return true;
    }
    return false;
}

static void emit_definition(struct idl_compiler *c, struct text *out, struct type *type)
{
    emit_hoisted(c, out, type, false);
    emit_body(c, out, type, "");
}

/* A structure, union or enum without a typedef. */
void emit_type_definition(struct idl_compiler *c, struct text *out, const struct decl *decl)
{
    struct type *type = type_unqualified(decl->type);
    if (type->defines)
        emit_definition(c, out, type);
    else
        text_addf(out, "%s%s", type_word(type), type_tag(type));
    text_add(out, ";\n");
}

void emit_typedef(struct idl_compiler *c, struct text *out, const struct decl *decl)
{
    struct type *base = type_unqualified(decl->type);
    if (!decl->vars && !base->defines)
        return;
    text_add(out, "\n");
    if (!decl->vars) { /* the names are known since the structure was declared */
        emit_type_definition(c, out, decl);
        return;
    }
    if (base->kind == TYPE_PIPE) {
        struct type *element = type_unqualified(base->target);
        emit_comment(c, out, "", decl->source, decl->source_end);
        if (element->defines) {
            emit_definition(c, out, element);
            text_add(out, ";\n\n");
        }
        for (const struct var *var = decl->vars; var; var = var->next) {
            if (used_asynchronously(c, var->type->pipe_name))
                emit_async_pipe(c, out, var->type);
            emit_pipe_struct(c, out, var->type, "", "void");
        }
        return;
    }
    const char *attrs = emit_attrs(c, decl->vars);
    if (!base->defines || c_has_the_struct(base)) {
        for (const struct var *var = decl->vars; var; var = var->next) {
            const char *declaration = emit_declaration(c, var->type, var->name);
            if (c_has_its_own(var))
                text_addf(out, "/* %s: as in rpctypes.h */\n", declaration);
            else if (var == decl->vars && *attrs != '\0')
                text_addf(out, "typedef /* %s */ %s;\n", attrs, declaration);
            else
                text_addf(out, "typedef %s;\n", declaration);
        }
        return;
    }
    emit_hoisted(c, out, base, false);
    text_add(out, "typedef ");
    if (*attrs != '\0')
        text_addf(out, "/* %s */ ", attrs);
    emit_type_of(c, out, decl->type, "");
    const char *word = type_word(base), *tag = type_tag(base);
    for (const struct var *var = decl->vars; var; var = var->next) {
        const char *declaration = emit_declaration(c, var->type, var->name);
        declaration = strstr(declaration, word) + strlen(word) + strlen(tag);
        text_addf(out, "%s%s", declaration, var->next ? "," : ";\n");
    }
}

const char *emit_const(struct idl_compiler *c, const struct var *var)
{
    const struct value *value = &var->value;
    struct type *type = type_strip(var->type);
    if (value->kind == VALUE_NULL)
        return "NULL";
    if (value->kind == VALUE_STRING)
        return arena_printf(&c->arena, "%s\"%s\"", value->is_wide ? "u" : "", value->text);
    enum base_kind base = type->kind == TYPE_BASE ? type->base : BASE_LONG;
    if (value->kind == VALUE_REAL && value->is_unsigned)
        return arena_printf(&c->arena, "%" PRIu64 ".0%s", (uint64_t)value->number,
                            base == BASE_FLOAT ? "f" : "");
    if (value->kind == VALUE_REAL)
        return arena_printf(&c->arena, "%" PRId64 ".0%s", value->number,
                            base == BASE_FLOAT ? "f" : "");
    bool letter = value->number >= ' ' && value->number < 127 && value->number != '\'' &&
                  value->number != '\\';
    if (var->init->op == EXPR_CHAR && letter && base == BASE_CHAR)
        return arena_printf(&c->arena, "'%c'", (char)value->number);
    if (value->number >= 0 || base == BASE_UHYPER) {
        const char *digits = var->init->is_hex
                                 ? arena_printf(&c->arena, "0x%" PRIx64, (uint64_t)value->number)
                                 : arena_printf(&c->arena, "%" PRIu64, (uint64_t)value->number);
        if (base == BASE_UHYPER)
            return arena_printf(&c->arena, "UINT64_C(%s)", digits);
        if (base == BASE_HYPER)
            return arena_printf(&c->arena, "INT64_C(%s)", digits);
        if (base == BASE_ULONG || base == BASE_ERROR_STATUS || base == BASE_UINT3264)
            return arena_printf(&c->arena, "%su", digits);
        return digits;
    }
    return emit_int64(c, value->number);
}
