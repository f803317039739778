/* SPDX-License-Identifier: MIT */
/* calls.c - what the sides of a call share: lines of the log, values of a frame. */
#include "calls.h"

#include <pthread.h>
#include <string.h>

#include "memory.h"
#include "shape.h"


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

void line_take_back(const NDR_OPERATION *operation)
{
    count_call(operation, -1);
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
