/* SPDX-License-Identifier: MIT */
/* manager.c - what a manager routine does with the frame of its arguments. */
#include "calls.h"

#include <string.h>

#include "memory.h"
#include "shape.h"

static const char *interface_of(const struct golden *golden, const NDR_OPERATION *operation,
                                const struct golden_interface **ret_interface)
{
    for (const struct golden_interface *i = golden->interfaces; i->spec; i++) {
        const RPC_SERVER_INTERFACE *spec = *i->spec;
        const NDR_INTERFACE *ndr = spec->InterpreterInfo;
        *ret_interface = i;
        if ((operation >= ndr->operations && operation < ndr->operations + ndr->operation_count) ||
            (ndr->callback_count > 0 && operation >= ndr->callbacks &&
             operation < ndr->callbacks + ndr->callback_count))
            return ndr->name;
    }
    die("%s: no interface has the operation %s", golden->name, operation->name);
}

/* [callback]: while the manager routine runs, each of the interface is called. */
static void call_back(const struct golden *golden, const struct golden_interface *interface)
{
    const NDR_INTERFACE *ndr = ((const RPC_SERVER_INTERFACE *)*interface->spec)->InterpreterInfo;
    if (!side.server || !interface->callbacks)
        return;
    for (uint32_t i = 0; i < ndr->callback_count; i++) {
        bool skipped;
        golden_call(golden, ndr->name, &ndr->callbacks[i], interface->callbacks[i], &skipped);
    }
}

/* What [allocate(dont_free)] leaves to the manager. */
static void keep(const NDR_TYPE *type, const char *memory, const void *base, bool kept,
                 bool inside, unsigned depth)
{
    struct shape s;
    if (depth > 64)
        die("what dont_free keeps does not end");
    if (type->kind == NDR_KIND_POINTER && !(type->flags & NDR_TYPE_IGNORE)) {
        void *object = pointer_load(memory);
        kept |= (type->flags & NDR_TYPE_DONT_FREE) != 0;
        if (!object || type->flags & NDR_TYPE_FULL)
            return;
        if (kept && !inside)
            memory_keep(object);
        inside |= (type->flags & NDR_TYPE_ALL_NODES) != 0;
        keep(type->element, object, base, kept, inside, depth + 1);
    } else if (type->kind == NDR_KIND_STRUCT) {
        for (uint32_t i = 0; i < type->count; i++)
            keep(type->fields[i].type, memory + type->fields[i].offset, memory, kept, inside,
                 depth);
    } else if (type->kind == NDR_KIND_ARRAY && type->element->flags & NDR_TYPE_HAS_POINTERS &&
               shape_of(type, base, &s)) {
        size_t size = storage_size(type->element, base, 0);
        for (int64_t i = s.first; i < s.first + s.count; i++)
            keep(type->element, memory + (size_t)i * size, base, kept, inside, depth);
    }
}

static RPC_STATUS move_pipes(struct stream *streams, const NDR_OPERATION *operation, char *frame,
                             uint32_t direction, HANDLE event)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < operation->param_count && status == RPC_S_OK; i++) {
        const NDR_PARAM *param = &operation->params[i];
        if (!(param->flags & NDR_PARAM_PIPE) || !(param->flags & direction))
            continue;
        void *pipe = frame + param->offset;
        if (!(param->flags & NDR_PARAM_BY_VALUE))
            pipe = pointer_load(pipe);
        status = (direction == NDR_PARAM_IN ? stream_pull : stream_push)(&streams[i], pipe, event);
    }
    return status;
}

void golden_manage(const struct golden *golden, const NDR_OPERATION *operation, void *frame)
{
    const struct golden_interface *interface;
    const char *name = interface_of(golden, operation, &interface);
    operation = local_operation(operation);
    struct printed printed = {.golden = golden, .context_number = side.context_number};
    struct member members[PARAMS_MAX];
    struct stream streams[PARAMS_MAX];
    char *memory = frame;
    HANDLE event = NULL;
    struct text in = {0}, out = {0};
    struct line line;
    struct values v;
    void *result = NULL;
    PRPC_ASYNC_STATE async = NULL;

    line_init(&line, golden, name, operation);
    values_init(&v, golden, &line, operation);
    if (operation->flags & NDR_OP_ASYNC) {
        async = pointer_load(frame);
        event = CreateEvent(NULL, FALSE, FALSE, NULL);
        async->NotificationType = RpcNotificationTypeEvent;
        async->u.hEvent = event;
    }
    memset(streams, 0, sizeof(streams));
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        members[i] = (struct member){.type = param->type,
                                     .offset = param->offset,
                                     .range = param->range,
                                     .byte_count = param->byte_count};
        bool replaced = !(param->flags & NDR_PARAM_IN) || param->flags & NDR_PARAM_PARTIAL_IGNORE;
        if (!travels(param, NDR_PARAM_OUT) ||
            (param->flags & NDR_PARAM_PARTIAL_IGNORE && !pointer_load(memory + param->offset)))
            members[i].way = MEMBER_OTHER;
        else
            members[i].way = replaced ? MEMBER_NEW : MEMBER_CHANGE;
        if (param->flags & NDR_PARAM_PIPE)
            stream_init(&streams[i], param, &v, &printed);
        if (param->flags & NDR_PARAM_RETURN)
            result = memory + param->offset;
    }
    print_params(&in, &printed, operation, frame, NDR_PARAM_IN);
    RPC_STATUS status = move_pipes(streams, operation, frame, NDR_PARAM_IN, event);
    streams_print(&in, operation, streams, NDR_PARAM_IN, false);
    write_line(&line, "in", &in);
    if (!(operation->flags & (NDR_OP_ASYNC | NDR_OP_MAYBE)))
        call_back(golden, interface);
    if (status == RPC_S_OK && !(operation->flags & NDR_OP_MAYBE)) {
        fill(&v, operation, frame, members);
        print_params(&out, &printed, operation, frame, NDR_PARAM_OUT);
        status = move_pipes(streams, operation, frame, NDR_PARAM_OUT, event);
        streams_print(&out, operation, streams, NDR_PARAM_OUT, true);
        write_line(&line, "out", &out);
    }
    if (side.server)
        for (uint32_t i = 0; i < operation->param_count; i++)
            if (travels(&operation->params[i], NDR_PARAM_IN | NDR_PARAM_OUT))
                keep(operation->params[i].type, memory + operation->params[i].offset, frame,
                     false, false, 0);
    if (async && status == RPC_S_OK)
        status = RpcAsyncCompleteCall(async, result);
    if (status != RPC_S_OK)
        fprintf(stderr, "%s: the manager failed: %d\n", line.key, (int)status);
    for (uint32_t i = 0; i < operation->param_count; i++)
        if (streams[i].param)
            stream_fini(&streams[i]);
    if (event)
        CloseHandle(event);
    text_fini(&in);
    text_fini(&out);
}
