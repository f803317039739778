/* SPDX-License-Identifier: MIT */
/* describe.c - operations and interfaces in memory; types: describe_types.c. */
#include "idl/describe.h"

#include "idl/describe_types.h"
#include "idl/parse.h"
#include "idl/pickle.h"
#include "idl/types.h"

#include <string.h>

/* ---- Operations --------------------------------------------------------------------------- */

/* A frame while its members are laid out. */
struct frame {
    uint64_t size;
    NDR_PARAM *params;
    unsigned count;
};

static uint32_t frame_add(struct frame *frame, uint32_t size, uint32_t align)
{
    uint64_t offset = (frame->size + align - 1) / align * align;
    frame->size = offset + size;
    return (uint32_t)offset;
}

static void add_param(struct idl_compiler *c, struct frame *frame, const struct proc *proc,
                      const struct var *param)
{
    const struct idl_type *type = describe_memory(c, param->node);
    bool is_pipe = type->ndr.kind == NDR_KIND_PIPE;
    bool is_status = (param->comm_status || param->fault_status) && param->synthesized;
    bool is_result = param == proc->result_var;
    bool partial = attr_find(param->attrs, ATTR_PARTIAL_IGNORE) != NULL;
    frame->params[frame->count++] = (NDR_PARAM){
        .name = param->name,
        .type = &type->ndr,
        .offset = is_pipe ? frame_add(frame, sizeof(void *), sizeof(void *))
                          : frame_add(frame, type->memory_size, type->memory_align),
        .flags = (param->is_in ? NDR_PARAM_IN : 0u) | (param->is_out ? NDR_PARAM_OUT : 0u) |
                 (is_result ? NDR_PARAM_RETURN : 0u) | (is_pipe ? NDR_PARAM_PIPE : 0u) |
                 (param->is_binding ? NDR_PARAM_BINDING : 0u) |
                 (is_status || (is_result && proc->is_maybe) ? NDR_PARAM_LOCAL : 0u) |
                 (partial ? NDR_PARAM_PARTIAL_IGNORE : 0u),
        .range = describe_range(c, param->range),
    };
}

/* A context handle carries the call where C has stubs; here it is data beside a binding. */
static void add_binding(struct idl_compiler *c, struct frame *frame)
{
    frame->params[frame->count++] = (NDR_PARAM){
        .name = "_Binding",
        .type = describe_handle(c),
        .offset = frame_add(frame, sizeof(handle_t), sizeof(handle_t)),
        .flags = NDR_PARAM_IN | NDR_PARAM_BINDING,
    };
}

static bool is_bound(const struct proc *proc)
{
    for (const struct var *param = proc->params; param; param = param->next) {
        if (param->is_binding)
            return true;
    }
    return proc->hidden != NULL;
}

static void describe_operation(struct idl_compiler *c, const struct proc *proc, NDR_OPERATION *out)
{
    struct frame frame = {0};
    *out = (NDR_OPERATION){.name = proc->name, .opnum = proc->opnum};
    frame.params = arena_alloc(&c->arena, (proc->param_count + 3) * sizeof(*frame.params));
    out->flags = (proc->has_pipes ? NDR_OP_HAS_PIPES : 0) |
                 (proc->idempotent ? NDR_OP_IDEMPOTENT : 0) |
                 (proc->encodes ? NDR_OP_ENCODE : 0) | (proc->decodes ? NDR_OP_DECODE : 0);
    out->flags |= proc->is_maybe ? NDR_OP_MAYBE : NDR_OP_ASYNC;
    if (out->flags & NDR_OP_ASYNC)
        frame_add(&frame, sizeof(PRPC_ASYNC_STATE), sizeof(PRPC_ASYNC_STATE));
    if (!is_bound(proc))
        add_binding(c, &frame);
    if (proc->hidden)
        add_param(c, &frame, proc, proc->hidden);
    for (const struct var *param = proc->params; param; param = param->next)
        add_param(c, &frame, proc, param);
    if (proc->result_var)
        add_param(c, &frame, proc, proc->result_var);
    out->frame_size = (uint32_t)((frame.size + 7) / 8 * 8);
    out->param_count = frame.count;
    out->params = frame.params;
    const struct describe describe = {c, frame.params, frame.count};
    if (proc->hidden)
        describe_type(&describe, proc->hidden->node);
    for (const struct var *param = proc->params; param; param = param->next)
        describe_type(&describe, param->node);
    if (proc->result_var)
        describe_type(&describe, proc->result_var->node);
}

/* ---- Interfaces ------------------------------------------------------------------------------ */

/* IDL keeps the escapes of a C string. */
static unsigned char *unescaped(struct idl_compiler *c, const char *text)
{
    char *copy = arena_strdup(&c->arena, text), *to = copy;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '\\' && from[1] != '\0')
            from++;
        *to++ = *from;
    }
    *to = '\0';
    return (unsigned char *)copy;
}

static void describe_endpoints(struct idl_compiler *c, const struct interface *interface,
                               RPC_CLIENT_INTERFACE *spec)
{
    RPC_PROTSEQ_ENDPOINT *list =
        arena_alloc(&c->arena, (interface->endpoint_count + 1) * sizeof(*list));
    for (const struct endpoint *e = interface->endpoints; e; e = e->next)
        list[spec->RpcProtseqEndpointCount++] =
            (RPC_PROTSEQ_ENDPOINT){unescaped(c, e->protseq), unescaped(c, e->endpoint)};
    spec->RpcProtseqEndpoint = list;
}

static GUID guid_of(const uint8_t *u)
{
    GUID guid = {.Data1 = (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3],
                 .Data2 = (uint16_t)(u[4] << 8 | u[5]),
                 .Data3 = (uint16_t)(u[6] << 8 | u[7])};
    memcpy(guid.Data4, u + 8, sizeof(guid.Data4));
    return guid;
}

static struct idl_description *describe_interface(struct idl_compiler *c,
                                                  const struct interface *interface,
                                                  const NDR_INTERFACE *memory)
{
    static const GUID ndr20 = {
        0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}};
    struct idl_description *d = ARENA_NEW(&c->arena, struct idl_description);
    NDR_OPERATION *operations =
        arena_alloc(&c->arena, interface->proc_count * sizeof(*operations));
    unsigned count = 0;
    for (const struct proc *proc = interface->procs; proc; proc = proc->next)
        describe_operation(c, proc, &operations[count++]);
    d->name = interface->name;
    d->ndr = (NDR_INTERFACE){.name = interface->name,
                             .operation_count = interface->proc_count,
                             .operations = operations,
                             .allocate = memory->allocate,
                             .free = memory->free};
    d->spec = (RPC_CLIENT_INTERFACE){
        .Length = sizeof(d->spec),
        .InterfaceId = {guid_of(interface->uuid),
                        {(unsigned short)interface->major, (unsigned short)interface->minor}},
        .TransferSyntax = {ndr20, {2, 0}},
        .InterpreterInfo = &d->ndr,
        .Flags = interface->has_pipes ? RPC_INTERFACE_HAS_PIPES : 0,
    };
    describe_endpoints(c, interface, &d->spec);
    return d;
}

bool idl_describe(struct idl_compiler *c, const NDR_INTERFACE *memory,
                  const struct idl_description **ret_list)
{
    if (!c->compiled || setjmp(c->give_up) != 0)
        return false;
    struct idl_description *list = NULL, **end = &list;
    for (const struct interface *i = c->unit->interfaces; i; i = i->next) {
        if (i->proc_count == 0 || i->is_com || i->is_local)
            continue;
        *end = describe_interface(c, i, memory);
        end = &(*end)->next;
    }
    *ret_list = list;
    return !c->failed; /* too large for memory, though not for NDR */
}
