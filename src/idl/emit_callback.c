/* SPDX-License-Identifier: MIT */
/* emit_callback.c - [callback] procedures, with the sides changed: the server stub has
 * what is called, the client stub what calls the program's routine. */
#include "idl/emit.h"

/* ---- Client --------------------------------------------------------------------------- */

static void emit_routine(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    text_addf(out, "\nstatic void %s_invoke(const RPC_MGR_EPV *epv, void *frame)\n{\n",
              proc->c_name);
    if (proc->params || proc->result_var)
        text_addf(out, "    %s *args = frame;\n", proc->frame);
    else
        text_add(out, "    (void)frame;\n");
    text_add(out, "    (void)epv;\n");
    struct text call = {.arena = &c->arena};
    text_addf(&call, "%s%s(", proc->result_var ? "args->_RetVal = " : "",
              emit_client_name(c, proc));
    const char *separator = "";
    for (const struct var *param = proc->params; param; param = param->next) {
        text_addf(&call, "%sargs->%s", separator, param->name);
        separator = ", ";
    }
    text_add(&call, ");");
    emit_wrapped(out, "    ", text_get(&call));
    text_add(out, "}\n");
}

void emit_callback_routines(struct idl_compiler *c, struct text *out,
                            const struct interface *interface)
{
    for (const struct proc *proc = interface->callbacks; proc; proc = proc->next)
        emit_routine(c, out, proc);
}

/* ---- Server --------------------------------------------------------------------------- */

static void emit_stub(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    const char *frame = emit_local(c, proc, "_Frame");
    text_add(out, "\n");
    emit_comment(c, out, "", proc->source, proc->source_end);
    struct text params = {.arena = &c->arena};
    emit_param_list(c, &params, proc, true);
    text_addf(
        out, "%s\n{\n",
        emit_result(c, proc,
                    arena_printf(&c->arena, "%s%s", emit_server_name(c, proc), text_get(&params))));
    text_addf(out, "    %s %s = {\n", proc->frame, frame);
    for (const struct var *param = proc->params; param; param = param->next)
        text_addf(out, "        .%s = %s,\n", param->name, param->name);
    text_add(out, proc->params ? "    };\n" : "        0 /* C wants something here */\n    };\n");
    text_addf(out, "    NdrxCallbackCall(&%s___RpcServerInterface, %u, &%s);\n", proc->home->name,
              proc->opnum, frame);
    if (proc->result_var)
        text_addf(out, "    return %s._RetVal;\n", frame);
    text_add(out, "}\n");
}

void emit_callback_stubs(struct idl_compiler *c, struct text *out,
                         const struct interface *interface)
{
    for (const struct proc *proc = interface->callbacks; proc; proc = proc->next)
        emit_stub(c, out, proc);
}
