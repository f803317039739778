/* SPDX-License-Identifier: MIT */
/* emit_callback.c - [callback] routines as the server sees them: no way leads to the
 * client yet, and who calls one is told so. */
#include "idl/emit.h"

static void emit_callback(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    text_add(out, "\n");
    emit_comment(c, out, "", proc->source, proc->source_end);
    struct text params = {.arena = &c->arena};
    emit_param_list(c, &params, proc, true);
    text_addf(
        out, "%s\n{\n",
        emit_result(c, proc,
                    arena_printf(&c->arena, "%s%s", emit_server_name(c, proc), text_get(&params))));
    for (const struct var *param = proc->params; param; param = param->next)
        text_addf(out, "    (void)%s;\n", param->name);
    text_add(out, "    RpcRaiseException(RPC_S_CANNOT_SUPPORT);\n}\n");
}

void emit_callbacks(struct idl_compiler *c, struct text *out, const struct interface *interface)
{
    for (const struct decl *decl = interface->decls; decl; decl = decl->next) {
        if (decl->kind == DECL_PROC && decl->proc->is_callback)
            emit_callback(c, out, decl->proc);
    }
}
