/* SPDX-License-Identifier: MIT */
/* idl.c - runs the passes over one IDL file and keeps their result. */
#include "idl/idl.h"

#include "idl/check.h"
#include "idl/compiler.h"
#include "idl/emit.h"
#include "idl/parse.h"
#include "idl/pickle.h"

#include <stdlib.h>
#include <string.h>

struct idl_compiler *idl_new(const struct idl_options *options, const struct idl_host *host)
{
    struct idl_compiler *compiler = calloc(1, sizeof(*compiler));
    if (!compiler)
        return NULL;
    size_t limit = options->memory_limit;
    arena_init(&compiler->arena, limit ? limit : IDL_MEMORY_LIMIT_DEFAULT);
    compiler->options = *options;
    if (host)
        compiler->host = *host;
    compiler->diagnostics_end = &compiler->diagnostics;
    compiler->paths_end = &compiler->paths;
    compiler->acf_includes_end = &compiler->acf_includes;
    compiler->node_end = &compiler->node_list;
    return compiler;
}

void idl_free(struct idl_compiler *compiler)
{
    if (!compiler)
        return;
    arena_fini(&compiler->arena);
    free(compiler);
}

const char *intern(struct idl_compiler *compiler, const char *text, size_t len)
{
    const char *known = names_find(&compiler->interned, text, len);
    if (known)
        return known;
    char *copy = arena_strndup(&compiler->arena, text, len);
    names_set(&compiler->interned, &compiler->arena, copy, len, copy);
    return copy;
}

void compiler_note_path(struct idl_compiler *compiler, const char *path)
{
    if (names_find(&compiler->noted, path, strlen(path)))
        return;
    struct path_list *entry = ARENA_NEW(&compiler->arena, struct path_list);
    entry->path = path;
    names_set(&compiler->noted, &compiler->arena, path, strlen(path), entry);
    *compiler->paths_end = entry;
    compiler->paths_end = &entry->next;
}

/* The message about an exhausted arena must not need the arena. */
static void report_out_of_memory(struct idl_compiler *compiler)
{
    compiler->failed = true;
    compiler->out_of_memory = (struct idl_diagnostic){
        .severity = IDL_ERROR,
        .number = 2005,
        .message = "out of memory",
    };
    *compiler->diagnostics_end = &compiler->out_of_memory;
}

bool idl_compile(struct idl_compiler *compiler, const struct idl_source *idl,
                 const struct idl_source *acf)
{
    int why = setjmp(compiler->give_up);
    compiler->arena.on_full = &compiler->give_up;
    if (why == 1)
        report_out_of_memory(compiler);
    if (why != 0)
        return false;

    compiler->unit = parse_idl(compiler, idl, NULL);
    if (acf)
        parse_acf(compiler, acf, compiler->unit);
    check_unit(compiler, compiler->unit);
    compiler->compiled = !compiler->failed;
    return compiler->compiled;
}

const struct idl_diagnostic *idl_diagnostics(const struct idl_compiler *compiler)
{
    return compiler->diagnostics;
}

bool idl_has_output(const struct idl_compiler *compiler, enum idl_output which)
{
    if (!compiler->compiled)
        return false;
    bool found = which == IDL_HEADER;
    for (struct interface *i = compiler->unit->interfaces; i && !found; i = i->next)
        found = which == IDL_CLIENT_STUB ? interface_has_client(i) : interface_has_server(i);
    return found;
}

const char *idl_output(struct idl_compiler *compiler, enum idl_output which, size_t *ret_len)
{
    if (!idl_has_output(compiler, which))
        return NULL;
    if (setjmp(compiler->give_up) != 0)
        return NULL;
    struct text text = {.arena = &compiler->arena};
    switch (which) {
    case IDL_HEADER:
        emit_header(compiler, &text);
        break;
    case IDL_CLIENT_STUB:
        emit_client(compiler, &text);
        break;
    case IDL_SERVER_STUB:
        emit_server(compiler, &text);
        break;
    }
    *ret_len = text.len;
    return text_get(&text);
}

const char *idl_dependency(const struct idl_compiler *compiler, size_t index)
{
    const struct path_list *entry = compiler->paths;
    for (; entry && index > 0; index--)
        entry = entry->next;
    return entry ? entry->path : NULL;
}
