/* SPDX-License-Identifier: MIT */
/* emit_interface.c - operation tables and the structure behind an ifspec. */
#include "idl/characters.h"
#include "idl/convert.h"
#include "idl/emit.h"
#include "idl/parse.h"
#include "idl/pickle.h"

static void emit_op_flags(struct idl_compiler *c, struct text *out, const struct proc *proc)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {
        {proc->is_async, "NDR_OP_ASYNC"},
        {proc->has_pipes, "NDR_OP_HAS_PIPES"},
        {proc->idempotent, "NDR_OP_IDEMPOTENT"},
        {proc->is_maybe, "NDR_OP_MAYBE"},
        {proc->comm_status, "NDR_OP_COMM_STATUS"},
        {proc->fault_status, "NDR_OP_FAULT_STATUS"},
        {attr_find(proc->attrs, ATTR_ENABLE_ALLOCATE) ||
             attr_find(proc->home->attrs, ATTR_ENABLE_ALLOCATE),
         "NDR_OP_ENABLE_ALLOCATE"},
        {layout_proc_converts(c, proc), "NDR_OP_CONVERTS"},
        {proc->auto_handle, "NDR_OP_AUTO_HANDLE"},
        {layout_has_contexts(c, proc), "NDR_OP_HAS_CONTEXTS"},
        {proc->encodes, "NDR_OP_ENCODE"},
        {proc->decodes, "NDR_OP_DECODE"},
    };
    const char *separator = ",\n     .flags = ";
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!flags[i].is_set)
            continue;
        text_addf(out, "%s%s", separator, flags[i].name);
        separator = " | ";
    }
}

/* `called`: with the routines of this side that run the operations. */
static void emit_operations(struct idl_compiler *c, struct text *out, const char *name,
                            const struct proc *first, bool called)
{
    for (const struct proc *proc = first; proc; proc = proc->next)
        emit_characters(out, proc);
    text_addf(out, "\nstatic const NDR_OPERATION %s[] = {\n", name);
    for (const struct proc *proc = first; proc; proc = proc->next) {
        text_addf(out, "    {.name = \"%s\",\n     .opnum = %u", proc->name, proc->opnum);
        emit_op_flags(c, out, proc);
        text_addf(out,
                  ",\n     .frame_size = sizeof(%s),\n     .param_count = %u,\n"
                  "     .params = %s",
                  proc->frame,
                  proc->param_count + (proc->hidden ? 1 : 0) + (proc->result_var ? 1 : 0),
                  emit_params_name(c, proc));
        if (called && !proc_is_pickled(proc))
            text_addf(out, ",\n     .invoke = %s_invoke", proc->c_name);
        bool generic = proc->generic || (proc->implicit && proc->home->implicit_type);
        if (!called && generic && proc->is_async && !proc->is_nocode)
            text_addf(out, ",\n     .unbind = %s_unbind", proc->c_name);
        if (called && attr_find(proc->attrs, ATTR_NOTIFY))
            text_addf(out, ",\n     .notify = %s_notify", proc->name);
        if (called && attr_find(proc->attrs, ATTR_NOTIFY_FLAG))
            text_addf(out, ",\n     .notify_flag = %s_notify_flag", proc->name);
        if (characters_in(proc))
            text_addf(out, ",\n     .characters = &%s_Characters", proc->c_name);
        text_add(out, "},\n");
    }
    text_add(out, "};\n");
}

static void emit_endpoints(struct text *out, const struct interface *interface)
{
    if (!interface->endpoints)
        return;
    text_addf(out, "\nstatic const RPC_PROTSEQ_ENDPOINT %s_Endpoints[] = {\n", interface->name);
    for (const struct endpoint *e = interface->endpoints; e; e = e->next)
        text_addf(out, "    {(unsigned char *)\"%s\", (unsigned char *)\"%s\"},\n", e->protseq,
                  e->endpoint);
    text_add(out, "};\n");
}

static void emit_uuid(struct text *out, const uint8_t *u)
{
    text_addf(out, "{0x%02x%02x%02x%02x, 0x%02x%02x, 0x%02x%02x,\n          {", u[0], u[1], u[2],
              u[3], u[4], u[5], u[6], u[7]);
    for (int i = 8; i < 16; i++)
        text_addf(out, "%s0x%02x", i > 8 ? ", " : "", u[i]);
    text_add(out, "}}");
}

static void emit_transfer_syntax(struct text *out, enum idl_protocol protocol)
{
    if (protocol == IDL_PROTOCOL_NDR64)
        text_add(out, "    .TransferSyntax = /* NDR64 */\n"
                      "        {{0x71710533, 0xbeba, 0x4937,\n"
                      "          {0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36}},\n"
                      "         {1, 0}},\n");
    else
        text_add(out, "    .TransferSyntax = /* NDR */\n"
                      "        {{0x8a885d04, 0x1ceb, 0x11c9,\n"
                      "          {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}},\n"
                      "         {2, 0}},\n");
}

static void emit_flags(struct text *out, const struct interface *interface,
                       enum idl_protocol protocol)
{
    const struct {
        bool set;
        const char *name;
    } flags[] = {{interface->has_pipes, "RPC_INTERFACE_HAS_PIPES"},
                 {protocol == IDL_PROTOCOL_DCE, "RPC_INTERFACE_NDR_ONLY"},
                 {protocol == IDL_PROTOCOL_NDR64, "RPC_INTERFACE_NDR64_ONLY"}};
    const char *before = "    .Flags = ";
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!flags[i].set)
            continue;
        text_addf(out, "%s%s", before, flags[i].name);
        before = " | ";
    }
    if (before[0] == ' ' && before[1] == '|')
        text_add(out, ",\n");
}

void emit_interface(struct idl_compiler *c, struct text *out, struct interface *interface,
                    bool server)
{
    const char *name = interface->name;
    const char *kind = server ? "Server" : "Client";
    if (interface->proc_count > 0) /* C has no empty arrays */
        emit_operations(c, out, arena_printf(&c->arena, "%s_Operations", name), interface->procs,
                    server);
    if (interface->callbacks)
        emit_operations(c, out, arena_printf(&c->arena, "%s_Callbacks", name),
                        interface->callbacks, !server);
    emit_endpoints(out, interface);
    text_addf(out,
              "\nstatic const NDR_INTERFACE %s_NdrInterface = {\n"
              "    .name = \"%s\",\n"
              "    .operation_count = %u,\n",
              name, name, interface->proc_count);
    if (interface->proc_count > 0)
        text_addf(out, "    .operations = %s_Operations,\n", name);
    text_add(out, "    .allocate = MIDL_user_allocate,\n"
                  "    .free = MIDL_user_free,\n");
    if (interface->callbacks)
        text_addf(out, "    .callback_count = %u,\n    .callbacks = %s_Callbacks,\n",
                  interface->callback_count, name);
    text_add(out, "};\n");
    text_addf(out, "\nstatic const RPC_%s_INTERFACE %s___Rpc%sInterface = {\n",
              server ? "SERVER" : "CLIENT", name, kind);
    text_addf(out, "    .Length = sizeof(RPC_%s_INTERFACE),\n    .InterfaceId =\n        {",
              server ? "SERVER" : "CLIENT");
    emit_uuid(out, interface->uuid);
    text_addf(out, ",\n         {%u, %u}},\n", interface->major, interface->minor);
    emit_transfer_syntax(out, c->options.protocol);
    if (interface->endpoints)
        text_addf(out,
                  "    .RpcProtseqEndpointCount = %u,\n    .RpcProtseqEndpoint = "
                  "%s_Endpoints,\n",
                  interface->endpoint_count, name);
    if (server && !c->options.no_default_epv)
        text_addf(out, "    .DefaultManagerEpv = &%s_DefaultEpv,\n", name);
    text_addf(out, "    .InterpreterInfo = &%s_NdrInterface,\n", name);
    emit_flags(out, interface, c->options.protocol);
    text_addf(out, "};\n\nRPC_IF_HANDLE %s = (RPC_IF_HANDLE)&%s___Rpc%sInterface;\n",
              emit_ifspec(c, interface, server), name, kind);
}
