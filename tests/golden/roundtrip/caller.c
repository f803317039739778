/* SPDX-License-Identifier: MIT */
/* caller.c - a frame is filled, printed and given to a stub; what comes back is printed. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "shape.h"

#define PATIENCE_MS 60000u

/* Storage for what comes back. */
static void make_room(struct values *v, const NDR_OPERATION *operation, void *frame)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        char *memory = (char *)frame + param->offset;
        int64_t len;
        if (param->flags & (NDR_PARAM_IN | NDR_PARAM_RETURN | NDR_PARAM_PIPE) ||
            param->type->kind != NDR_KIND_POINTER || pointer_load(memory))
            continue;
        size_t size = storage_size(param->type->element, frame, ELEMENTS_MAX);
        if (param->byte_count && expression(param->byte_count, frame, &len))
            size = (size_t)len;
        void *room = v->allocate(size ? size : 1);
        memset(room, 0, size);
        pointer_store(memory, room);
    }
}

struct caller {
    const NDR_OPERATION *operation;
    golden_call_fn call;
    char *frame;
    struct stream *streams; /* by parameter */
    RPC_ASYNC_STATE async;
    HANDLE event;
};

static void give_pipes(struct caller *c)
{
    for (uint32_t i = 0; i < c->operation->param_count; i++) {
        const NDR_PARAM *param = &c->operation->params[i];
        struct stream *stream = &c->streams[i];
        if (!(param->flags & NDR_PARAM_PIPE))
            continue;
        if (param->flags & NDR_PARAM_BY_VALUE)
            memcpy(c->frame + param->offset, &stream->pipe, sizeof(stream->pipe));
        else if (c->event)
            pointer_store(c->frame + param->offset, &stream->async_pipe);
        else
            pointer_store(c->frame + param->offset, &stream->pipe);
    }
}

static RPC_STATUS move(struct caller *c, uint32_t direction)
{
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t i = 0; i < c->operation->param_count && status == RPC_S_OK; i++) {
        struct stream *stream = &c->streams[i];
        if (!stream->param || !(stream->param->flags & direction))
            continue;
        status = (direction == NDR_PARAM_IN ? stream_push : stream_pull)(
            stream, &stream->async_pipe, c->event);
    }
    return status;
}

static RPC_STATUS call_asynchronously(struct caller *c)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(&c->async, sizeof(c->async));
    void *result = NULL;
    if (status != RPC_S_OK)
        return status;
    c->async.NotificationType = RpcNotificationTypeEvent;
    c->async.u.hEvent = c->event;
    pointer_store(c->frame, &c->async); /* the first member */
    for (uint32_t i = 0; i < c->operation->param_count; i++)
        if (c->operation->params[i].flags & NDR_PARAM_RETURN)
            result = c->frame + c->operation->params[i].offset;
    c->call(c->frame);
    status = move(c, NDR_PARAM_IN);
    if (status == RPC_S_OK)
        status = move(c, NDR_PARAM_OUT);
    if (status != RPC_S_OK)
        RpcAsyncCancelCall(&c->async, TRUE);
    RPC_STATUS end;
    while ((end = RpcAsyncCompleteCall(&c->async, result)) == RPC_S_ASYNC_CALL_PENDING)
        if (WaitForSingleObject(c->event, PATIENCE_MS) != WAIT_OBJECT_0)
            die("%s: the call does not end", c->operation->name);
    return status == RPC_S_OK ? end : status;
}

static RPC_STATUS call_stub(struct caller *c)
{
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept
    {
        if (c->operation->flags & NDR_OP_ASYNC)
            status = call_asynchronously(c);
        else
            c->call(c->frame);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static void check_status_params(const struct caller *c, struct text *text)
{
    for (uint32_t i = 0; i < c->operation->param_count; i++) {
        const NDR_PARAM *param = &c->operation->params[i];
        const char *memory = c->frame + param->offset;
        int64_t value = 0;
        if (!(param->flags & NDR_PARAM_LOCAL))
            continue;
        if (param->flags & NDR_PARAM_RETURN)
            scalar_load(param->type->kind, memory, &value);
        else
            scalar_load(param->type->element->kind, pointer_load(memory), &value);
        if (value != 0)
            text_add(text, " %s=status %lld", param->name, (long long)value);
    }
}

RPC_STATUS golden_call(const struct golden *golden, const char *interface_name,
                       const NDR_OPERATION *operation, golden_call_fn call, bool *ret_skipped)
{
    operation = local_operation(operation);
    struct member members[PARAMS_MAX];
    struct stream streams[PARAMS_MAX];
    struct printed printed = {.golden = golden, .context_number = side.context_number};
    struct caller c = {.operation = operation, .call = call, .streams = streams};
    struct text in = {0}, out = {0};
    struct line line;
    struct values v;

    if (operation->param_count > PARAMS_MAX)
        die("%s: too many parameters", operation->name);
    uint64_t mark = memory_mark();
    line_init(&line, golden, interface_name, operation);
    values_init(&v, golden, &line, operation);
    c.frame = calloc(1, operation->frame_size + 1);
    if (!c.frame)
        die("no memory");
    memset(streams, 0, sizeof(streams));
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        members[i] = (struct member){.type = param->type,
                                     .offset = param->offset,
                                     .range = param->range,
                                     .byte_count = param->byte_count};
        members[i].way = travels(param, NDR_PARAM_IN) ? MEMBER_NEW : MEMBER_ROOM;
        if (param->flags & NDR_PARAM_BINDING && param->type->kind != NDR_KIND_HANDLE) {
            members[i].way = MEMBER_OTHER; /* a tag that a routine sets */
        } else if (param->type->kind == NDR_KIND_HANDLE) {
            pointer_store(c.frame + param->offset, golden_binding);
            members[i].way = MEMBER_OTHER;
        } else if (param->flags & NDR_PARAM_PIPE) {
            stream_init(&streams[i], param, &v, &printed);
            members[i].way = MEMBER_OTHER;
        } else if (param->flags & NDR_PARAM_RETURN) {
            members[i].way = MEMBER_OTHER;
        }
    }
    side.call_begins();
    if (operation->flags & NDR_OP_ASYNC)
        c.event = CreateEvent(NULL, FALSE, FALSE, NULL);
    fill(&v, operation, c.frame, members);
    RPC_STATUS status = RPC_S_OK;
    *ret_skipped = v.failed;
    if (v.failed) {
        line_take_back(operation);
    } else {
        give_pipes(&c);
        make_room(&v, operation, c.frame);
        print_params(&in, &printed, operation, c.frame, NDR_PARAM_IN);
        status = call_stub(&c);
        streams_print(&in, operation, streams, NDR_PARAM_IN, true);
        write_line(&line, "in", &in);
        if (status != RPC_S_OK) {
            text_add(&out, " raised %d", (int)status);
        } else if (!(operation->flags & NDR_OP_MAYBE)) {
            print_params(&out, &printed, operation, c.frame, NDR_PARAM_OUT);
            streams_print(&out, operation, streams, NDR_PARAM_OUT, false);
        }
        check_status_params(&c, &out);
        if (out.len > 0 || !(operation->flags & NDR_OP_MAYBE))
            write_line(&line, "out", &out);
        side.call_is_over();
    }
    for (uint32_t i = 0; i < operation->param_count; i++)
        if (streams[i].param)
            stream_fini(&streams[i]);
    if (c.event)
        CloseHandle(c.event);
    text_fini(&in);
    text_fini(&out);
    free(c.frame);
    memory_release(mark);
    return status;
}
