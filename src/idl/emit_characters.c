/* SPDX-License-Identifier: MIT */
/* emit_characters.c - what engine and runtime need to know of [cs_char]. */
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/emit.h"
#include "idl/parse.h"

static void emit_place(struct text *out, const char *member, const char *frame,
                       const struct var *var)
{
    if (var)
        text_addf(out, "    .%s = offsetof(%s, %s),\n", member, frame, var->name);
    else
        text_addf(out, "    .%s = NDR_CS_NONE,\n", member);
}

static const struct var *tagged(const struct proc *proc, enum attr_id id)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (attr_find(param->attrs, id))
            return param;
    }
    return NULL;
}

/* Typed as the program has them: wrappers make them what NDR_CS_TYPE holds. */
static void emit_wrappers(struct text *out, const char *c_name, const char *local)
{
    text_addf(out,
              "static void __RPC_USER %s_to_netcs(\n    RPC_BINDING_HANDLE binding, unsigned long "
              "tag, void *local, unsigned long count, byte *net,\n    unsigned long *net_count, "
              "error_status_t *status)\n{\n    %s_to_netcs(binding, tag, local, count, net, "
              "net_count, status);\n}\n",
              c_name, local);
    text_addf(out,
              "static void __RPC_USER %s_from_netcs(\n    RPC_BINDING_HANDLE binding, unsigned long "
              "tag, byte *net, unsigned long net_count,\n    unsigned long size, void *local, "
              "unsigned long *count, error_status_t *status)\n{\n    %s_from_netcs(binding, tag, "
              "net, net_count, size, local, count, status);\n}\n",
              c_name, local);
}

void emit_character_type(struct text *out, const struct node *node)
{
    const char *local = convert_local_name(node->characters);
    emit_wrappers(out, node->c_name, local);
    text_addf(out,
              "static const NDR_CS_TYPE %s_routines = {\n    .element_size = sizeof(%s),\n"
              "    .net_size = %s_net_size,\n    .local_size = %s_local_size,\n"
              "    .to_netcs = %s_to_netcs,\n    .from_netcs = %s_from_netcs,\n};\n",
              node->c_name, local, local, local, node->c_name, node->c_name);
}

void emit_characters(struct text *out, const struct proc *proc)
{
    if (!characters_in(proc))
        return;
    text_addf(out, "\n/* %s: the code sets of [cs_char] */\n", proc->name);
    text_addf(out, "static const NDR_CHARACTERS %s_Characters = {\n", proc->c_name);
    emit_place(out, "stag", proc->frame, tagged(proc, ATTR_CS_STAG));
    emit_place(out, "drtag", proc->frame, tagged(proc, ATTR_CS_DRTAG));
    emit_place(out, "rtag", proc->frame, tagged(proc, ATTR_CS_RTAG));
    const struct attr *routine = characters_tag_routine(proc);
    if (routine)
        text_addf(out, "    .tag_routine = %s,\n", routine->args->text);
    text_add(out, "};\n");
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
