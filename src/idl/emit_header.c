/* SPDX-License-Identifier: MIT */
/* emit_header.c - the header: its frame, and in the order of the IDL its interfaces with
 * prototypes, EPV types and interface handles (idl.md 10.2). */
#include "idl/emit.h"

#include "idl/characters.h"
#include "idl/convert.h"

#include "idl/handle.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/types.h"

#include <ctype.h>
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

/* ---- Interfaces ------------------------------------------------------------------------- */

static void emit_prototype(struct idl_compiler *c, struct text *out, const struct proc *proc,
                           const char *name)
{
    struct text params = {.arena = &c->arena};
    emit_param_list(c, &params, proc, true);
    text_addf(out, "%s;\n",
              emit_result(c, proc, arena_printf(&c->arena, "%s%s", name, text_get(&params))));
}

/* A tag that a prototype is first to mention would be known there only. */
static void announce_tag(struct text *out, struct type *type)
{
    while (type->target && type->kind != TYPE_ALIAS)
        type = type->target;
    bool has_tag = type->kind == TYPE_STRUCT || type->kind == TYPE_UNION;
    if (!has_tag || !type->is_ahead || type->defines || type->aggregate->announced)
        return;
    type->aggregate->announced = true;
    text_addf(out, "\n%s%s;\n", type_word(type), type_tag(type));
}

static void announce_tags(struct text *out, const struct proc *proc)
{
    for (const struct var *param = proc->params; param; param = param->next)
        announce_tag(out, param->type);
    announce_tag(out, proc->result);
}

static void emit_proc(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    announce_tags(out, proc);
    const char *client = emit_client_name(c, proc);
    const char *server = emit_server_name(c, proc);
    if (proc->is_local || proc->is_callback) {
        text_addf(out, "\n/* %s */\n", proc->is_local ? "local: nothing is sent" : "[callback]");
        emit_prototype(c, out, proc, proc->is_local ? proc->name : client);
        if (proc->is_callback && strcmp(client, server) != 0)
            emit_prototype(c, out, proc, server);
        return;
    }
    if (proc_is_pickled(proc)) {
        text_addf(out, "\n/* operation %u, serialised:%s%s */\n", proc->opnum,
                  proc->encodes ? " [encode]" : "", proc->decodes ? " [decode]" : "");
        emit_prototype(c, out, proc, client);
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
        if (proc_is_pickled(proc))
            continue;
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
}

static void emit_ifspecs(struct idl_compiler *c, struct text *out,
                         const struct interface *interface)
{
    if (interface_has_client(interface))
        text_addf(out, "\nextern RPC_IF_HANDLE %s;\n", emit_ifspec(c, interface, false));
    if (interface_has_server(interface))
        text_addf(out, "extern RPC_IF_HANDLE %s;\n", emit_ifspec(c, interface, true));
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
    if (interface_has_server(interface))
        emit_epv(c, out, interface);
    emit_ifspecs(c, out, interface);
    text_addf(out, "\n#endif /* __%s_INTERFACE_DEFINED__ */\n", name);
}

static void emit_decl(struct idl_compiler *c, struct text *out, const struct decl *decl)
{
    switch (decl->kind) {
    case DECL_IMPORT: /* at the top */
    case DECL_INCLUDE:
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
    case DECL_TYPE:
        text_add(out, "\n");
        emit_type_definition(c, out, decl);
        break;
    case DECL_CONST:
        text_add(out, "\n");
        emit_comment(c, out, "", decl->source, decl->source_end);
        text_addf(out, "#define %s (%s)\n", decl->vars->name, emit_const(c, decl->vars));
        break;
    case DECL_VARIABLE: /* a program that includes the header need not use it */
        text_addf(out, "\n%s%s %s;\n", decl->text,
                  *decl->text == 's' ? " __attribute__((__unused__))" : "",
                  emit_declaration(c, decl->vars->type, decl->vars->name));
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

/* Those that convert values and characters. */
static void emit_conversion_routines(struct idl_compiler *c, struct text *out,
                                     const struct var *alias, bool *first)
{
    if (characters_attr(alias)) {
        begin_user_routines(out, first);
        emit_characters_prototypes(out, characters_attr(alias));
    }
    if (convert_attr(alias)) {
        begin_user_routines(out, first);
        emit_convert_prototypes(c, out, alias);
    }
}

/* Routines the program supplies: rundown of context handles, binding of generic ones. */
static void emit_user_routines(struct idl_compiler *c, struct text *out, const struct decl *decls,
                               bool *first)
{
    for (const struct decl *decl = decls; decl; decl = decl->next) {
        if (decl->kind == DECL_INTERFACE)
            emit_user_routines(c, out, decl->interface->decls, first);
        if (decl->kind == DECL_PROC) {
            emit_notify_routines(out, decl->proc, first);
            if (!decl->proc->is_local && characters_in(decl->proc) &&
                characters_tag_routine(decl->proc)) {
                begin_user_routines(out, first);
                emit_tag_prototype(out, characters_tag_routine(decl->proc));
            }
        }
        if (decl->kind != DECL_TYPEDEF)
            continue;
        for (const struct var *var = decl->vars; var; var = var->next) {
            emit_conversion_routines(c, out, var, first);
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

/* ---- The file --------------------------------------------------------------------------- */

/* `import "x.idl"` wants x.h, `include "x.h"` what it says; each once. */
static void emit_import(struct idl_compiler *c, struct text *out, const struct decl *decl,
                        struct name_map *done)
{
    static char emitted[] = "emitted";
    const char *name = decl->text;
    if (decl->kind != DECL_IMPORT && decl->kind != DECL_INCLUDE)
        return;
    const char *dot = strrchr(name, '.');
    const char *slash = strrchr(name, '/');
    size_t len = dot && (!slash || dot > slash) ? (size_t)(dot - name) : strlen(name);
    const char *header = name;
    if (decl->kind == DECL_IMPORT)
        header = arena_printf(&c->arena, "%.*s.h", (int)len, name);
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
        emit_import(c, &includes, decl, &done);
        if (decl->kind != DECL_INTERFACE)
            continue;
        for (const struct decl *inner = decl->interface->decls; inner; inner = inner->next)
            emit_import(c, &includes, inner, &done);
    }
    if (includes.len > 0)
        text_addf(out, "\n/* header files for imported files */\n%s", text_get(&includes));
}

static bool has_local_types(const struct decl *decls)
{
    for (const struct decl *decl = decls; decl; decl = decl->next) {
        if (decl->kind == DECL_INTERFACE && has_local_types(decl->interface->decls))
            return true;
        for (const struct var *var = decl->kind == DECL_TYPEDEF ? decl->vars : NULL; var;
             var = var->next) {
            if (convert_local_name(var) != var->name)
                return true;
        }
    }
    return false;
}

/* Prototypes may need a type only the ACF's headers know. */
static void emit_acf_includes(struct idl_compiler *c, struct text *out)
{
    if (!c->acf_includes || !(c->localized || has_local_types(c->unit->decls)))
        return;
    text_add(out, "\n/* include of the ACF: types of represent_as, user_marshal and cs_char */\n");
    for (const struct include *include = c->acf_includes; include; include = include->next)
        text_addf(out, "#include \"%s\"\n", include->name);
}

static bool uses_pickling(const struct idl_compiler *c)
{
    for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (i->pickled || i->pickled_procs > 0)
            return true;
    }
    return false;
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
              "%s"
              "\n"
              "#ifndef __RPCNDR_H_VERSION__\n"
              "#error this file needs a newer rpcndr.h\n"
              "#endif\n"
              "\n"
              "#ifndef __%s_h__\n"
              "#define __%s_h__\n",
              uses_pickling(c) ? "#include \"midles.h\"\n" : "", guard, guard);
    emit_imports(c, out);
    emit_acf_includes(c, out);
    text_add(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    if (c->unit->pack.used)
        text_add(out, "\n#pragma pack(push)\n");
    if (c->options.pack > 0)
        text_addf(out, "#pragma pack(%u) /* -Zp%u */\n", c->options.pack, c->options.pack);
    for (const struct decl *decl = c->unit->decls; decl; decl = decl->next)
        emit_decl(c, out, decl);
    bool first = true;
    emit_user_routines(c, out, c->unit->decls, &first);
    for (const struct var *alias = c->localized; alias; alias = alias->next)
        emit_conversion_routines(c, out, alias, &first);
    emit_pickle_prototypes(c, out);
    if (c->unit->pack.used)
        text_add(out, "\n#pragma pack(pop)\n");
    text_addf(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* __%s_h__ */\n", guard);
}
