/* SPDX-License-Identifier: MIT */
/* emit_client.c - the client stub: one thin function per operation. */
#include "idl/emit.h"
#include "idl/characters.h"
#include "idl/pickle.h"

/* What H_bind and H_unbind are for: the [handle] type, and the C expression of the handle;
 * NULL: the call is bound without them. */
static const struct var *generic_type(struct idl_compiler *c, const struct proc *proc,
                                      const char **ret_value)
{
    if (proc->generic) {
        *ret_value = arena_printf(&c->arena, "%s%s", proc->generic_by_pointer ? "*" : "",
                                  proc->generic->name);
        return proc->generic_type;
    }
    *ret_value = proc->home->implicit_name;
    return proc->implicit ? proc->home->implicit_type : NULL;
}

static void emit_call(struct text *out, const struct proc *proc,
                      const char *frame, const char *indent)
{
    const char *name = proc->home->name;
    if (proc_is_pickled(proc))
        text_addf(out, "%sNdrxMesProcEncodeDecode(&%s___RpcClientInterface, %u, &%s);\n", indent,
                  name, proc->opnum, frame);
    else if (proc->is_async)
        text_addf(out, "%sNdrxAsyncClientCall(&%s___RpcClientInterface, %u, %s_AsyncHandle, &%s);\n",
                  indent, name, proc->opnum, proc->name, frame);
    else
        text_addf(out, "%sNdrxClientCall(&%s___RpcClientInterface, %u, &%s);\n", indent, name,
                  proc->opnum, frame);
}

static void emit_bind(struct text *out, const struct proc *proc, const char *binding,
                      const struct var *type, const char *value)
{
    text_addf(out, "    %s = ", binding);
    if (proc->generic && proc->generic_by_pointer)
        text_addf(out, "%s == NULL ? NULL : ", proc->generic->name);
    text_addf(out, "%s_bind(%s);\n", type->name, value);
}

/* An asynchronous call is unbound by the runtime, when it is complete. */
static void emit_unbind(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    const char *value;
    const struct var *type = generic_type(c, proc, &value);
    if (!proc->is_async || !type)
        return;
    if (proc->generic)
        value = arena_printf(&c->arena, "%sargs->%s", proc->generic_by_pointer ? "*" : "",
                             proc->generic->name);
    text_addf(out,
              "\nstatic void %s_unbind(void *frame)\n{\n    %s *args = frame;\n"
              "    if (args->_Binding)\n        %s_unbind(%s, args->_Binding);\n}\n",
              proc->c_name, proc->frame, type->name, value);
}

/* The call between H_bind and H_unbind, which follows whatever happens. */
static void emit_generic_call(struct idl_compiler *c, struct text *out, const struct proc *proc,
                              const char *frame, const struct var *type, const char *value)
{
    const char *binding = arena_printf(&c->arena, "%s._Binding", frame);
    emit_bind(out, proc, binding, type, value);
    if (proc->is_async) {
        emit_call(out, proc, frame, "    ");
        return;
    }
    text_add(out, "    RpcTryFinally\n    {\n");
    emit_call(out, proc, frame, "        ");
    text_addf(out,
              "    }\n    RpcFinally\n    {\n        if (%s)\n            %s_unbind(%s, %s);\n    "
              "}\n    RpcEndFinally\n",
              binding, type->name, value, binding);
}

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
    bool is_empty = !proc->is_async;
    for (const struct var *param = proc->params; param; param = param->next) {
        if (characters_is_hidden(proc, param))
            continue;
        text_addf(out, "        .%s = %s,\n", param->name, param->name);
        is_empty = false;
    }
    const char *value;
    const struct var *generic = generic_type(c, proc, &value);
    if (proc->implicit && !generic)
        text_addf(out, "        ._Binding = %s,\n", value);
    is_empty = is_empty && (!proc->implicit || generic);
    text_add(out, is_empty ? "        0 /* C wants something here */\n    };\n" : "    };\n");
    if (generic)
        emit_generic_call(c, out, proc, frame, generic, value);
    else
        emit_call(out, proc, frame, "    ");
    if (proc->result_var && !proc->is_async)
        text_addf(out, "    return %s._RetVal;\n", frame);
    text_add(out, "}\n");
}

void emit_implicit_handle(struct text *out, const struct interface *interface)
{
    if (interface->implicit_name)
        text_addf(out, "\n/* [implicit_handle]: the program binds it. */\n%s %s;\n",
                  interface->implicit_type ? interface->implicit_type->name : "handle_t",
                  interface->implicit_name);
}

void emit_client(struct idl_compiler *c, struct text *out)
{
    c->for_server = false;
    emit_stub_top(c, out, "Client stub");
    for (struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (i->proc_count == 0)
            continue;
        emit_types(c, out, i);
        text_addf(out, "\n/* ---- interface %s: client ---- */\n", i->name);
        emit_callback_routines(c, out, i);
        for (const struct proc *proc = i->procs; proc; proc = proc->next) {
            if (!proc->is_nocode)
                emit_unbind(c, out, proc);
        }
        emit_interface(c, out, i, false);
        emit_implicit_handle(out, i);
        for (const struct proc *proc = i->procs; proc; proc = proc->next) {
            if (!proc->is_nocode)
                emit_stub(c, out, proc);
        }
    }
    emit_pickle_routines(c, out);
}
