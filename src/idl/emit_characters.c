/* SPDX-License-Identifier: MIT */
/* emit_characters.c - what the runtime needs to know of [cs_char] arrays. */
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/emit.h"
#include "idl/parse.h"

static void emit_place(struct text *out, const char *indent, const char *member,
                       const char *around, const struct var *var)
{
    if (var)
        text_addf(out, "%s.%s = offsetof(%s, %s),\n", indent, member, around, var->name);
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

/* First part of the names of its wrappers. */
static const char *array_name(struct idl_compiler *c, const struct proc *proc,
                              const struct var *param, const struct characters *characters)
{
    const char *separator = characters->field ? "_" : "";
    return arena_printf(&c->arena, "%s_%s%s%s", proc->c_name, param->name, separator,
                        characters->field ? characters->field->name : "");
}

static void emit_array(struct idl_compiler *c, struct text *out, const struct proc *proc,
                       const struct var *param, const struct characters *characters)
{
    const char *local = convert_local_name(characters->alias);
    const char *c_name = array_name(c, proc, param, characters);
    const struct var *var = characters->field ? characters->field : param;
    const char *around = characters->field ? var->aggregate->c_name : proc->frame;
    text_addf(out,
              "    {.offset = offsetof(%s, %s),\n     .element_size = sizeof(%s),\n"
              "     .count = %u,\n",
              around, var->name, local, characters->count);
    emit_place(out, "     ", "size", around, characters->size);
    emit_place(out, "     ", "length", around, characters->length);
    text_addf(out,
              "     .net_size = %s_net_size,\n     .local_size = %s_local_size,\n"
              "     .to_netcs = %s_to_netcs,\n     .from_netcs = %s_from_netcs",
              local, local, c_name, c_name);
    if (characters->field) {
        const struct node *node = param->node;
        if (!characters->by_value)
            node = node->element;
        text_addf(out, ",\n     .structure = &%s,\n     .parameter = offsetof(%s, %s)",
                  node->c_name, proc->frame, param->name);
    }
    text_addf(out, "%s},\n", characters->by_value ? ",\n     .by_value = 1" : "");
}

static void emit_arrays(struct idl_compiler *c, struct text *out, const struct proc *proc,
                        const struct var *param, bool wrappers, unsigned *count)
{
    for (const struct characters *one = param->characters; one; one = one->next, ++*count) {
        if (wrappers)
            emit_wrappers(out, array_name(c, proc, param, one), convert_local_name(one->alias));
        else
            emit_array(c, out, proc, param, one);
    }
}

void emit_characters(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    unsigned count = 0, again = 0;
    if (!characters_in(proc))
        return;
    text_addf(out, "\n/* %s: [cs_char] arrays */\n", proc->name);
    for (const struct var *param = proc->params; param; param = param->next)
        emit_arrays(c, out, proc, param, true, &count);
    if (proc->result_var)
        emit_arrays(c, out, proc, proc->result_var, true, &count);
    if (count > 0)
        text_addf(out, "static const NDR_CS_ARRAY %s_CsArrays[] = {\n", proc->c_name);
    for (const struct var *param = proc->params; param; param = param->next)
        emit_arrays(c, out, proc, param, false, &again);
    if (proc->result_var)
        emit_arrays(c, out, proc, proc->result_var, false, &again);
    if (count > 0)
        text_add(out, "};\n");
    text_addf(out, "static const NDR_CHARACTERS %s_Characters = {\n", proc->c_name);
    if (count > 0)
        text_addf(out, "    .array_count = %u,\n    .arrays = %s_CsArrays,\n", count, proc->c_name);
    emit_place(out, "    ", "stag", proc->frame, tagged(proc, ATTR_CS_STAG));
    emit_place(out, "    ", "drtag", proc->frame, tagged(proc, ATTR_CS_DRTAG));
    emit_place(out, "    ", "rtag", proc->frame, tagged(proc, ATTR_CS_RTAG));
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
