/* SPDX-License-Identifier: MIT */
/* calls.c - a frame is filled, printed and given to a stub; a manager routine does the rest
 * with the frame of its arguments. */
#include "calls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "shape.h"

#define PATIENCE_MS 60000u

struct side side;

/* ---- Lines ---------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Which call of the operation it is. */
static unsigned count_call(const NDR_OPERATION *operation, int more)
{
    static struct {
        const NDR_OPERATION *operation;
        unsigned count;
    } counters[1024];
    pthread_mutex_lock(&lock);
    size_t i = 0;
    while (counters[i].operation && counters[i].operation != operation)
        i++;
    counters[i].operation = operation;
    unsigned count = counters[i].count += (unsigned)more;
    pthread_mutex_unlock(&lock);
    return count;
}

void line_init(struct line *line, const struct golden *golden, const char *interface_name,
               const NDR_OPERATION *operation)
{
    snprintf(line->key, sizeof(line->key), "%s.%s.%s#%u", golden->name, interface_name,
             operation->name, count_call(operation, 1));
    line->hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *c = line->key; *c; c++)
        line->hash = (line->hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
}

void write_line(const struct line *line, const char *direction, const struct text *text)
{
    pthread_mutex_lock(&lock);
    fprintf(side.log, "%s %s%s\n", line->key, direction, text->chars ? text->chars : "");
    fflush(side.log);
    pthread_mutex_unlock(&lock);
}

void values_init(struct values *v, const struct golden *golden, const struct line *line,
                 const NDR_OPERATION *operation)
{
    *v = (struct values){
        .random = line->hash ^ side.seed ^ (side.server ? UINT64_C(0x5555555555555555) : 0),
        .wide = side.wide,
        .server = side.server,
        .golden = golden,
        .allocate = MIDL_user_allocate,
        .release = MIDL_user_free,
        .context = side.context,
    };
    if (side.server && operation->flags & NDR_OP_ENABLE_ALLOCATE) {
        v->allocate = RpcSsAllocate;
        v->release = RpcSsFree;
    }
}

/* ---- Frames --------------------------------------------------------------------------------- */

bool travels(const NDR_PARAM *param, uint32_t direction)
{
    return param->flags & direction && param->type->kind != NDR_KIND_HANDLE &&
           !(param->flags & (NDR_PARAM_BINDING | NDR_PARAM_PIPE | NDR_PARAM_LOCAL));
}

void print_params(struct text *text, struct printed *printed, const NDR_OPERATION *operation,
                  const void *frame, uint32_t direction)
{
    printed->count = 0;
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        const char *memory = (const char *)frame + param->offset;
        if (!travels(param, direction))
            continue;
        text_add(text, " %s=", param->name);
        if (direction == NDR_PARAM_IN && param->flags & NDR_PARAM_PARTIAL_IGNORE)
            text_add(text, pointer_load(memory) ? "ignored" : "NULL");
        else
            value_print(text, printed, param->type, memory, frame);
    }
}

/* A context handle as a parameter, or behind its [ref] pointer: it may carry the call. */
static bool is_context(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_CONTEXT ||
           (type->kind == NDR_KIND_POINTER && type->flags & NDR_TYPE_REF &&
            type->element->kind == NDR_KIND_CONTEXT);
}

static bool has_binding(const NDR_OPERATION *operation)
{
    for (uint32_t i = 0; i < operation->param_count; i++)
        if (operation->params[i].flags & NDR_PARAM_BINDING)
            return true;
    return false;
}

static void fill_context(struct values *v, const NDR_OPERATION *operation, const NDR_PARAM *param,
                         char *memory, bool is_new)
{
    const NDR_TYPE *type = param->type;
    bool may_be_null = param->flags & NDR_PARAM_OUT && has_binding(operation);
    if (type->kind == NDR_KIND_POINTER) {
        if (!pointer_load(memory)) {
            void *slot = v->allocate(sizeof(void *));
            memset(slot, 0, sizeof(void *));
            pointer_store(memory, slot);
        }
        memory = pointer_load(memory);
        type = type->element;
    }
    v->context(v, type, memory, is_new, param->flags & NDR_PARAM_IN && !may_be_null);
}

void fill(struct values *v, const NDR_OPERATION *operation, void *frame,
          const struct member *members)
{
    struct plan plan;
    if (!solve(v, &plan, members, operation->param_count, frame))
        die("%s.%s: no values make its sizes and discriminants sensible", v->golden->name,
            operation->name);
    for (uint32_t i = 0; i < operation->param_count; i++) {
        const NDR_PARAM *param = &operation->params[i];
        char *memory = (char *)frame + param->offset;
        int64_t room;
        if (is_chosen(&plan, &members[i]) ||
            (members[i].way != MEMBER_NEW && members[i].way != MEMBER_CHANGE))
            continue;
        if (param->byte_count && expression(param->byte_count, frame, &room)) {
            /* the manager puts everything into the buffer it is given */
            size_t pointee = storage_size(param->type->element, frame, ELEMENTS_MAX);
            v->region = (char *)pointer_load(memory) + ((pointee + 15) & ~(size_t)15);
            v->region_end = (char *)pointer_load(memory) + room;
        }
        if (is_context(param->type))
            fill_context(v, operation, param, memory, members[i].way == MEMBER_NEW);
        else if (members[i].way == MEMBER_NEW)
            value_new(v, param->type, memory, frame, param->range);
        else if (param->type->kind != NDR_KIND_POINTER || pointer_load(memory))
            value_change(v, param->type, memory, frame, param->range);
        v->region = v->region_end = NULL;
    }
}

/* ---- The side that calls -------------------------------------------------------------------- */

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

static void add_streams(struct text *text, const struct caller *c, uint32_t direction,
                        bool is_sender)
{
    for (uint32_t i = 0; i < c->operation->param_count; i++) {
        const struct stream *stream = &c->streams[i];
        if (!stream->param || !(stream->param->flags & direction))
            continue;
        const struct text *elements = is_sender ? &stream->sent : &stream->received;
        text_add(text, " %s=pipe[%s ]", stream->param->name,
                 elements->chars ? elements->chars : "");
    }
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
        count_call(operation, -1);
    } else {
        give_pipes(&c);
        make_room(&v, operation, c.frame);
        print_params(&in, &printed, operation, c.frame, NDR_PARAM_IN);
        status = call_stub(&c);
        add_streams(&in, &c, NDR_PARAM_IN, true);
        write_line(&line, "in", &in);
        if (status != RPC_S_OK) {
            text_add(&out, " raised %d", (int)status);
        } else if (!(operation->flags & NDR_OP_MAYBE)) {
            print_params(&out, &printed, operation, c.frame, NDR_PARAM_OUT);
            add_streams(&out, &c, NDR_PARAM_OUT, false);
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

/* ---- The side that is called ---------------------------------------------------------------- */

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
    struct caller c = {.operation = operation, .frame = frame, .streams = streams};
    struct text in = {0}, out = {0};
    struct line line;
    struct values v;
    void *result = NULL;
    PRPC_ASYNC_STATE async = NULL;

    line_init(&line, golden, name, operation);
    values_init(&v, golden, &line, operation);
    if (operation->flags & NDR_OP_ASYNC) {
        async = pointer_load(frame);
        c.event = CreateEvent(NULL, FALSE, FALSE, NULL);
        async->NotificationType = RpcNotificationTypeEvent;
        async->u.hEvent = c.event;
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
            (param->flags & NDR_PARAM_PARTIAL_IGNORE && !pointer_load(c.frame + param->offset)))
            members[i].way = MEMBER_OTHER;
        else
            members[i].way = replaced ? MEMBER_NEW : MEMBER_CHANGE;
        if (param->flags & NDR_PARAM_PIPE)
            stream_init(&streams[i], param, &v, &printed);
        if (param->flags & NDR_PARAM_RETURN)
            result = c.frame + param->offset;
    }
    print_params(&in, &printed, operation, frame, NDR_PARAM_IN);
    RPC_STATUS status = move_pipes(streams, operation, frame, NDR_PARAM_IN, c.event);
    add_streams(&in, &c, NDR_PARAM_IN, false);
    write_line(&line, "in", &in);
    call_back(golden, interface);
    if (status == RPC_S_OK && !(operation->flags & NDR_OP_MAYBE)) {
        fill(&v, operation, frame, members);
        print_params(&out, &printed, operation, frame, NDR_PARAM_OUT);
        status = move_pipes(streams, operation, frame, NDR_PARAM_OUT, c.event);
        add_streams(&out, &c, NDR_PARAM_OUT, true);
        write_line(&line, "out", &out);
    }
    if (side.server)
        for (uint32_t i = 0; i < operation->param_count; i++)
            if (travels(&operation->params[i], NDR_PARAM_IN | NDR_PARAM_OUT))
                keep(operation->params[i].type, c.frame + operation->params[i].offset, frame,
                     false, false, 0);
    if (async && status == RPC_S_OK)
        status = RpcAsyncCompleteCall(async, result);
    if (status != RPC_S_OK)
        fprintf(stderr, "%s: the manager failed: %d\n", line.key, (int)status);
    for (uint32_t i = 0; i < operation->param_count; i++)
        if (streams[i].param)
            stream_fini(&streams[i]);
    if (c.event)
        CloseHandle(c.event);
    text_fini(&in);
    text_fini(&out);
}
