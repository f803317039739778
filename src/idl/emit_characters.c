/* SPDX-License-Identifier: MIT */
/* emit_characters.c - what the runtime needs to know of [cs_char] arrays. */
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/emit.h"
#include "idl/parse.h"

static void emit_place(struct text *out, const char *indent, const char *member,
                       const struct proc *proc, const struct var *param)
{
    if (param)
        text_addf(out, "%s.%s = offsetof(%s, %s),\n", indent, member, proc->frame, param->name);
    else
        text_addf(out, "%s.%s = NDR_CS_NONE,\n", indent, member);
}

static const struct var *tagged(const struct proc *proc, enum attr_id id)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (attr_find(param->attrs, id))
            return param;
    }
    return NULL;
}

/* Typed as the program has them: wrappers make them what NDR_CS_ARRAY holds. */
static void emit_wrappers(struct text *out, const struct proc *proc, const struct var *param)
{
    const char *local = convert_local_name(param->characters->alias);
    text_addf(out,
              "static void __RPC_USER %s_%s_to_netcs(RPC_BINDING_HANDLE binding, unsigned long tag, "
              "void *local,\n    unsigned long count, byte *net, unsigned long *net_count, "
              "error_status_t *status)\n{\n    %s_to_netcs(binding, tag, local, count, net, "
              "net_count, status);\n}\n",
              proc->c_name, param->name, local);
    text_addf(out,
              "static void __RPC_USER %s_%s_from_netcs(RPC_BINDING_HANDLE binding, unsigned long "
              "tag, byte *net,\n    unsigned long net_count, unsigned long size, void *local, "
              "unsigned long *count, error_status_t *status)\n{\n    %s_from_netcs(binding, tag, "
              "net, net_count, size, local, count, status);\n}\n",
              proc->c_name, param->name, local);
}

void emit_characters(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    unsigned count = 0;
    if (!characters_in(proc))
        return;
    text_addf(out, "\n/* %s: [cs_char] arrays */\n", proc->name);
    for (const struct var *param = proc->params; param; param = param->next) {
        if (param->characters && ++count)
            emit_wrappers(out, proc, param);
    }
    if (count > 0)
        text_addf(out, "static const NDR_CS_ARRAY %s_CsArrays[] = {\n", proc->c_name);
    for (const struct var *param = proc->params; param; param = param->next) {
        const struct characters *characters = param->characters;
        if (!characters)
            continue;
        const char *local = convert_local_name(characters->alias);
        text_addf(out,
                  "    {.offset = offsetof(%s, %s),\n     .element_size = sizeof(%s),\n"
                  "     .count = %u,\n",
                  proc->frame, param->name, local, characters->count);
        emit_place(out, "     ", "size", proc, characters->size);
        emit_place(out, "     ", "length", proc, characters->length);
        text_addf(out,
                  "     .net_size = %s_net_size,\n     .local_size = %s_local_size,\n"
                  "     .to_netcs = %s_%s_to_netcs,\n     .from_netcs = %s_%s_from_netcs},\n",
                  local, local, proc->c_name, param->name, proc->c_name, param->name);
    }
    if (count > 0)
        text_add(out, "};\n");
    text_addf(out, "static const NDR_CHARACTERS %s_Characters = {\n", proc->c_name);
    if (count > 0)
        text_addf(out, "    .array_count = %u,\n    .arrays = %s_CsArrays,\n", count, proc->c_name);
    emit_place(out, "    ", "stag", proc, tagged(proc, ATTR_CS_STAG));
    emit_place(out, "    ", "drtag", proc, tagged(proc, ATTR_CS_DRTAG));
    emit_place(out, "    ", "rtag", proc, tagged(proc, ATTR_CS_RTAG));
    const struct attr *routine = characters_tag_routine(proc);
    if (routine)
        text_addf(out, "    .tag_routine = %s,\n", routine->args->text);
    text_add(out, "};\n");
    (void)c;
}

void emit_characters_prototypes(struct text *out, const struct attr *attr)
{
    const char *local = attr->args->text;
    text_addf(out,
              "void __RPC_USER %s_net_size(RPC_BINDING_HANDLE, unsigned long, unsigned long, "
              "IDL_CS_CONVERT *,\n    unsigned long *, error_status_t *);\n",
              local);
    text_addf(out,
              "void __RPC_USER %s_local_size(RPC_BINDING_HANDLE, unsigned long, unsigned long, "
              "IDL_CS_CONVERT *,\n    unsigned long *, error_status_t *);\n",
              local);
    text_addf(out,
              "void __RPC_USER %s_to_netcs(RPC_BINDING_HANDLE, unsigned long, %s *, unsigned long, "
              "byte *,\n    unsigned long *, error_status_t *);\n",
              local, local);
    text_addf(out,
              "void __RPC_USER %s_from_netcs(RPC_BINDING_HANDLE, unsigned long, byte *, unsigned "
              "long,\n    unsigned long, %s *, unsigned long *, error_status_t *);\n",
              local, local);
}

void emit_tag_prototype(struct text *out, const struct attr *attr)
{
    text_addf(out,
              "void __RPC_USER %s(RPC_BINDING_HANDLE, int, unsigned long *, unsigned long *,\n"
              "    unsigned long *, error_status_t *);\n",
              attr->args->text);
}
