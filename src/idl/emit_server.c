/* SPDX-License-Identifier: MIT */
/* emit_server.c - the server stub: calls the manager routines with a frame's members. */
#include "idl/emit.h"
#include "idl/characters.h"
#include "idl/pickle.h"

static void emit_invoke(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    text_addf(out, "\nstatic void %s_invoke(const RPC_MGR_EPV *epv, void *frame)\n{\n",
              proc->c_name);
    text_addf(out, "    const %s_SERVER_EPV *manager = epv;\n", proc->home->name);
    if (proc->is_async || proc->params || proc->result_var)
        text_addf(out, "    %s *args = frame;\n", proc->frame);
    else
        text_add(out, "    (void)frame;\n");
    struct text call = {.arena = &c->arena};
    text_addf(&call, "%smanager->%s(",
              proc->result_var && !proc->is_async ? "args->_RetVal = " : "", proc->name);
    const char *separator = "";
    if (proc->is_async) {
        text_addf(&call, "args->%s_AsyncHandle", proc->name);
        separator = ", ";
    }
    for (const struct var *param = proc->params; param; param = param->next) {
        if (characters_is_hidden(proc, param))
            continue;
        text_addf(&call, "%sargs->%s", separator, param->name);
        separator = ", ";
    }
    text_add(&call, ");");
    emit_wrapped(out, "    ", text_get(&call));
    text_add(out, "}\n");
}

static void emit_default_epv(struct idl_compiler *c, struct text *out,
                             const struct interface *interface)
{
    if (c->options.no_default_epv)
        return;
    text_addf(out, "\nstatic const %s_SERVER_EPV %s_DefaultEpv = {\n", interface->name,
              interface->name);
    for (const struct proc *proc = interface->procs; proc; proc = proc->next) {
        if (proc_is_pickled(proc))
            continue;
        text_addf(out, "    .%s = %s,\n", proc->name, emit_server_name(c, proc));
    }
    text_add(out, "};\n");
}

void emit_server(struct idl_compiler *c, struct text *out)
{
    c->for_server = true;
    emit_stub_top(c, out, "Server stub");
    for (struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (!interface_has_server(i))
            continue;
        emit_types(c, out, i);
        text_addf(out, "\n/* ---- interface %s: server ---- */\n", i->name);
        for (const struct proc *proc = i->procs; proc; proc = proc->next) {
            if (!proc_is_pickled(proc))
                emit_invoke(c, out, proc);
        }
        emit_default_epv(c, out, i);
        emit_interface(c, out, i, true);
        emit_callback_stubs(c, out, i);
    }
}
