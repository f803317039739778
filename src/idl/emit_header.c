/* SPDX-License-Identifier: MIT */
/* emit_header.c - the header: types and constants in the order of the IDL, prototypes,
 * EPV types and interface handles (idl.md 10.2). */
#include "idl/emit.h"

#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/types.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* ---- Names of guards ------------------------------------------------------------------- */

/* "ms-frs2.idl" -> "ms2Dfrs2": what no identifier can hold is spelled in hex. */
static const char *guard_name(struct idl_compiler *c)
{
    const char *name = c->options.idl_name;
    const char *dot = strrchr(name, '.');
    size_t len = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    struct text text = {.arena = &c->arena};
    for (size_t i = 0; i < len; i++) {
        if (isalnum((unsigned char)name[i]) || name[i] == '_')
            text_add_n(&text, name + i, 1);
        else
            text_addf(&text, "%02X", (unsigned char)name[i]);
    }
    return text_get(&text);
}

/* ---- Structures and enumerations ------------------------------------------------------- */

static void emit_body(struct idl_compiler *c, struct text *out, struct type *type,
                      const char *indent);

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
static void emit_hoisted(struct idl_compiler *c, struct text *out, const struct type *type,
                         bool inside)
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
    text_addf(out, "%s;\n", declaration);
}

static void emit_body(struct idl_compiler *c, struct text *out, struct type *type,
                      const char *indent)
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
static void emit_imported_pipes(struct idl_compiler *c, struct text *out,
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

static void emit_typedef(struct idl_compiler *c, struct text *out, const struct decl *decl)
{
    struct type *base = type_unqualified(decl->type);
    if (!decl->vars)
        return;
    text_add(out, "\n");
    if (base->kind == TYPE_PIPE) {
        emit_comment(c, out, "", decl->source, decl->source_end);
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

static const char *const_text(struct idl_compiler *c, const struct var *var)
{
    const struct value *value = &var->value;
    struct type *type = type_strip(var->type);
    if (value->kind == VALUE_NULL)
        return "NULL";
    if (value->kind == VALUE_STRING)
        return arena_printf(&c->arena, "%s\"%s\"", value->is_wide ? "u" : "", value->text);
    enum base_kind base = type->kind == TYPE_BASE ? type->base : BASE_LONG;
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

static void emit_decl(struct idl_compiler *c, struct text *out, const struct decl *decl);

/* \" and \\ lose their backslash: a line of a macro can only end in one that way. */
static void emit_cpp_quote(struct text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '\\' && (text[1] == '"' || text[1] == '\\'))
            text++;
        text_add_n(out, text, 1);
    }
    text_add(out, "\n");
}

/* ---- Interfaces -------------------------------------------------------------------------------
 */

static void emit_prototype(struct idl_compiler *c, struct text *out, const struct proc *proc,
                           const char *name)
{
    struct text params = {.arena = &c->arena};
    emit_param_list(c, &params, proc, true);
    text_addf(out, "%s;\n",
              emit_result(c, proc, arena_printf(&c->arena, "%s%s", name, text_get(&params))));
}

static void emit_proc(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    const char *client = emit_client_name(c, proc);
    const char *server = emit_server_name(c, proc);
    if (proc->is_local || proc->is_callback) {
        text_addf(out, "\n/* %s */\n", proc->is_local ? "local: nothing is sent" : "[callback]");
        emit_prototype(c, out, proc, proc->is_local ? proc->name : client);
        if (proc->is_callback && strcmp(client, server) != 0)
            emit_prototype(c, out, proc, server);
        return;
    }
    text_addf(out, "\n/* operation %u%s%s */\n", proc->opnum, proc->is_async ? ", [async]" : "",
              proc->idempotent ? ", [idempotent]" : "");
    emit_prototype(c, out, proc, client);
    if (strcmp(client, server) != 0)
        emit_prototype(c, out, proc, server);
    if (c->options.switch_prefix)
        emit_prototype(c, out, proc,
                       arena_printf(&c->arena, "%s%s", c->options.switch_prefix, proc->name));
}

static void emit_epv(struct idl_compiler *c, struct text *out, const struct interface *interface)
{
    const char *name = interface->name;
    const char *versioned =
        arena_printf(&c->arena, "%s_v%u_%u", name, interface->major, interface->minor);
    text_addf(out,
              "\n/* Manager routines, for RpcServerRegisterIf. */\ntypedef struct %s_epv_t "
              "{\n",
              versioned);
    for (const struct proc *proc = interface->procs; proc; proc = proc->next) {
        struct text params = {.arena = &c->arena};
        emit_param_list(c, &params, proc, false);
        text_add(&params, ";");
        emit_wrapped(
            out, "    ",
            emit_result(c, proc,
                        arena_printf(&c->arena, "(*%s)%s", proc->name, text_get(&params))));
    }
    text_addf(out,
              "} %s_epv_t;\ntypedef %s_epv_t %s_SERVER_EPV;\ntypedef %s_epv_t "
              "%s_SERVER_EPV;\n",
              versioned, versioned, name, versioned, versioned);
    text_addf(out, "\nextern RPC_IF_HANDLE %s;\nextern RPC_IF_HANDLE %s;\n",
              emit_ifspec(c, interface, false), emit_ifspec(c, interface, true));
}

/* The name of an interface as a type; whoever comes first defines it. */
static void emit_forward(struct text *out, const char *name)
{
    text_addf(out,
              "\n#ifndef __%s_FWD_DEFINED__\n#define __%s_FWD_DEFINED__\n"
              "typedef struct %s %s;\n#endif\n",
              name, name, name, name);
}

static void emit_header_interface(struct idl_compiler *c, struct text *out,
                                  const struct interface *interface)
{
    const char *name = interface->name;
    text_addf(out,
              "\n#ifndef __%s_INTERFACE_DEFINED__\n#define __%s_INTERFACE_DEFINED__\n\n"
              "/* interface %s, version %u.%u%s */\n",
              name, name, name, interface->major, interface->minor,
              interface->is_com ? " (of COM: its types only)" : "");
    if (interface->is_com)
        emit_forward(out, name);
    emit_imported_pipes(c, out, interface);
    for (const struct decl *decl = interface->decls; decl; decl = decl->next)
        emit_decl(c, out, decl);
    if (interface->implicit_name)
        text_addf(out, "\nextern %s %s;\n",
                  interface->implicit_type ? interface->implicit_type->name : "handle_t",
                  interface->implicit_name);
    if (interface->proc_count > 0)
        emit_epv(c, out, interface);
    text_addf(out, "\n#endif /* __%s_INTERFACE_DEFINED__ */\n", name);
}

static void emit_decl(struct idl_compiler *c, struct text *out, const struct decl *decl)
{
    switch (decl->kind) {
    case DECL_IMPORT: /* at the top */
        break;
    case DECL_CPP_QUOTE:
        emit_cpp_quote(out, decl->text);
        break;
    case DECL_PRAGMA:
        text_addf(out, "#pragma %s\n", decl->text);
        break;
    case DECL_TYPEDEF:
        emit_typedef(c, out, decl);
        break;
    case DECL_TYPE: {
        struct type *type = type_unqualified(decl->type);
        text_add(out, "\n");
        if (type->defines)
            emit_hoisted(c, out, type, false);
        if (type->defines)
            emit_body(c, out, type, "");
        else
            text_addf(out, "%s%s", type_word(type), type_tag(type));
        text_add(out, ";\n");
        break;
    }
    case DECL_CONST:
        text_add(out, "\n");
        emit_comment(c, out, "", decl->source, decl->source_end);
        text_addf(out, "#define %s (%s)\n", decl->vars->name, const_text(c, decl->vars));
        break;
    case DECL_PROC:
        emit_proc(c, out, decl->proc);
        break;
    case DECL_FORWARD:
        emit_forward(out, decl->interface->name);
        break;
    case DECL_INTERFACE:
        emit_header_interface(c, out, decl->interface);
        break;
    }
}

static void begin_user_routines(struct text *out, bool *first)
{
    if (*first)
        text_add(out, "\n/* supplied by the program */\n");
    *first = false;
}

static void emit_notify_routines(struct text *out, const struct proc *proc, bool *first)
{
    if (attr_find(proc->attrs, ATTR_NOTIFY)) {
        begin_user_routines(out, first);
        text_addf(out, "void __RPC_USER %s_notify(void);\n", proc->name);
    }
    if (attr_find(proc->attrs, ATTR_NOTIFY_FLAG)) {
        begin_user_routines(out, first);
        text_addf(out, "void __RPC_USER %s_notify_flag(boolean _NotifyFlag);\n", proc->name);
    }
}

/* Routines the program supplies: rundown of context handles, binding of generic ones. */
static void emit_user_routines(struct idl_compiler *c, struct text *out, const struct decl *decls,
                               bool *first)
{
    for (const struct decl *decl = decls; decl; decl = decl->next) {
        if (decl->kind == DECL_INTERFACE)
            emit_user_routines(c, out, decl->interface->decls, first);
        if (decl->kind == DECL_PROC)
            emit_notify_routines(out, decl->proc, first);
        if (decl->kind != DECL_TYPEDEF)
            continue;
        for (const struct var *var = decl->vars; var; var = var->next) {
            bool context = handle_context_attr(var->attrs) != NULL;
            if (!context && !attr_find(var->attrs, ATTR_HANDLE))
                continue;
            begin_user_routines(out, first);
            if (context)
                text_addf(out, "void __RPC_USER %s_rundown(%s);\n", var->name, var->name);
            else
                text_addf(out,
                          "handle_t __RPC_USER %s_bind(%s);\nvoid __RPC_USER %s_unbind(%s, "
                          "handle_t);\n",
                          var->name, var->name, var->name, var->name);
        }
    }
}

/* ---- The file
 * ------------------------------------------------------------------------------------ */

static void emit_import(struct idl_compiler *c, struct text *out, const char *name,
                        struct name_map *done)
{
    static char emitted[] = "emitted";
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    size_t len = dot && (!slash || dot > slash) ? (size_t)(dot - name) : strlen(name);
    const char *header = arena_printf(&c->arena, "%.*s.h", (int)len, name);
    if (names_find(done, header, strlen(header)))
        return;
    names_set(done, &c->arena, header, strlen(header), emitted);
    text_addf(out, "#include \"%s\"\n", header);
}

static void emit_imports(struct idl_compiler *c, struct text *out)
{
    struct name_map done = {0};
    struct text includes = {.arena = &c->arena};
    for (const struct decl *decl = c->unit->decls; decl; decl = decl->next) {
        if (decl->kind == DECL_IMPORT)
            emit_import(c, &includes, decl->text, &done);
        if (decl->kind != DECL_INTERFACE)
            continue;
        for (const struct decl *inner = decl->interface->decls; inner; inner = inner->next) {
            if (inner->kind == DECL_IMPORT)
                emit_import(c, &includes, inner->text, &done);
        }
    }
    if (includes.len > 0)
        text_addf(out, "\n/* header files for imported files */\n%s", text_get(&includes));
}

void emit_header(struct idl_compiler *c, struct text *out)
{
    const char *guard = guard_name(c);
    emit_banner(c, out, "Header");
    text_addf(out,
              "#ifndef __REQUIRED_RPCNDR_H_VERSION__\n"
              "#define __REQUIRED_RPCNDR_H_VERSION__ 475\n"
              "#endif\n"
              "\n"
              "#include \"rpc.h\"\n"
              "#include \"rpcndr.h\"\n"
              "\n"
              "#ifndef __RPCNDR_H_VERSION__\n"
              "#error this file needs a newer rpcndr.h\n"
              "#endif\n"
              "\n"
              "#ifndef __%s_h__\n"
              "#define __%s_h__\n",
              guard, guard);
    emit_imports(c, out);
    text_add(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    if (c->unit->pack.used)
        text_add(out, "\n#pragma pack(push)\n");
    for (const struct decl *decl = c->unit->decls; decl; decl = decl->next)
        emit_decl(c, out, decl);
    bool first = true;
    emit_user_routines(c, out, c->unit->decls, &first);
    if (c->unit->pack.used)
        text_add(out, "\n#pragma pack(pop)\n");
    text_addf(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* __%s_h__ */\n", guard);
}
