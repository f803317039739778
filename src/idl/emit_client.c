/* SPDX-License-Identifier: MIT */
/* emit_client.c - the client stub: one thin function per operation. */
#include "idl/emit.h"

static void emit_stub(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    const char *frame = emit_local(c, proc, "_Frame");
    const char *async = arena_printf(&c->arena, "%s_AsyncHandle", proc->name);
    text_add(out, "\n");
    emit_comment(c, out, "", proc->source, proc->source_end);
    struct text params = {.arena = &c->arena};
    emit_param_list(c, &params, proc, true);
    text_addf(
        out, "%s\n{\n",
        emit_result(c, proc,
                    arena_printf(&c->arena, "%s%s", emit_client_name(c, proc), text_get(&params))));
    text_addf(out, "    %s %s = {\n", proc->frame, frame);
    if (proc->is_async)
        text_addf(out, "        .%s = %s,\n", async, async);
    for (const struct var *param = proc->params; param; param = param->next)
        text_addf(out, "        .%s = %s,\n", param->name, param->name);
    text_add(out, "    };\n");
    if (proc->is_async)
        text_addf(out, "    NdrxAsyncClientCall(&%s___RpcClientInterface, %u, %s, &%s);\n",
                  proc->home->name, proc->opnum, async, frame);
    else
        text_addf(out, "    NdrxClientCall(&%s___RpcClientInterface, %u, &%s);\n", proc->home->name,
                  proc->opnum, frame);
    if (proc->result_var && !proc->is_async)
        text_addf(out, "    return %s._RetVal;\n", frame);
    text_add(out, "}\n");
}

void emit_client(struct idl_compiler *c, struct text *out)
{
    emit_stub_top(c, out, "Client stub");
    for (struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (i->proc_count == 0)
            continue;
        emit_types(c, out, i);
        text_addf(out, "\n/* ---- interface %s: client ---- */\n", i->name);
        emit_interface(c, out, i, false);
        for (const struct proc *proc = i->procs; proc; proc = proc->next) {
            if (!proc->is_nocode)
                emit_stub(c, out, proc);
        }
    }
}
