/* SPDX-License-Identifier: MIT */
/* context_call.c - the contexts of one call of a server; see context_table.h. */
#include "runtime/context_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "base/uuid.h"
#include "runtime/call.h"

static bool is_context(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_CONTEXT ||
           (type->kind == NDR_KIND_POINTER && type->element->kind == NDR_KIND_CONTEXT);
}

bool op_has_contexts(const NDR_OPERATION *op)
{
    if (op->flags & NDR_OP_HAS_CONTEXTS)
        return true;
    for (uint32_t i = 0; i < op->param_count; i++)
        if (is_context(op->params[i].type))
            return true;
    return false;
}

/* ---- From the wire ------------------------------------------------------------ */

/* May this parameter name this context?  MS-RPCE 3.3.1.4.1 and the ACF's strictness. */
static bool acceptable(const struct context *context, const struct rpc_call *call,
                       const NDR_CONTEXT *type)
{
    if (context->set != call_contexts(call)->set)
        return false;
    if (((type->flags | context->type->flags) & NDR_CONTEXT_STRICT) &&
        context->iface != call->iface)
        return false;
    if (!((type->flags | context->type->flags) & NDR_CONTEXT_TYPE_STRICT) || context->type == type)
        return true;
    return context->iface == call->iface && context->type->name && type->name &&
           strcmp(context->type->name, type->name) == 0;
}

static struct context_use *add_use(struct rpc_call *call)
{
    struct call_contexts *contexts = call_contexts(call);
    if (contexts->count == contexts->capacity) {
        unsigned capacity = contexts->capacity ? 2 * contexts->capacity : 4;
        struct context_use *uses = realloc(contexts->uses, capacity * sizeof(*uses));
        if (!uses)
            return NULL;
        contexts->uses = uses;
        contexts->capacity = capacity;
    }
    return &contexts->uses[contexts->count];
}

static bool wants_exclusive(const NDR_CONTEXT *type)
{
    if (type->flags & NDR_CONTEXT_SERIALIZE)
        return true;
    return !(type->flags & NDR_CONTEXT_NOSERIALIZE) && !contexts_never_serialize;
}

static RPC_STATUS from_wire(void *arg, const NDR_TYPE *type, const uint8_t in[NDR_CONTEXT_LEN],
                            void *slot)
{
    static const uint8_t nil[NDR_CONTEXT_LEN];
    struct rpc_call *call = arg;
    void *nothing = NULL;
    uint32_t attributes;
    UUID uuid;
    memcpy(slot, &nothing, sizeof(nothing));
    if (memcmp(in, nil, sizeof(nil)) == 0)
        return RPC_S_OK;
    memcpy(&attributes, in, sizeof(attributes));
    memcpy(&uuid, in + sizeof(attributes), sizeof(uuid));
    struct call_contexts *contexts = call_contexts(call);
    if (contexts->count >= LIMIT_CONTEXTS_PER_CALL)
        return RPC_S_OUT_OF_RESOURCES;
    RPC_STATUS status = RPC_X_SS_CONTEXT_MISMATCH;
    pthread_mutex_lock(&context_lock);
    struct context *context = context_find(&uuid);
    struct context_use *use = add_use(call);
    if (!use) {
        status = RPC_S_OUT_OF_MEMORY;
    } else if (attributes == 0 && context && acceptable(context, call, type->context)) {
        context->uses++;
        *use = (struct context_use){
            .context = context, .slot = slot, .exclusive = wants_exclusive(type->context)};
        contexts->received = ++contexts->count;
        status = RPC_S_OK;
    }
    pthread_mutex_unlock(&context_lock);
    return status;
}

static void *slot_of(const NDR_PARAM *param, void *frame)
{
    void *slot = (uint8_t *)frame + param->offset;
    if (param->type->kind == NDR_KIND_POINTER)
        memcpy(&slot, slot, sizeof(slot));
    return slot;
}

/* In structures and arrays a handle may be NULL: one of many need not be there. */
RPC_STATUS contexts_check(const struct rpc_call *call)
{
    const struct call_contexts *contexts = call_contexts(call);
    for (uint32_t i = 0; i < call->op->param_count; i++) {
        const NDR_PARAM *param = &call->op->params[i];
        if (!is_context(param->type) || !(param->flags & NDR_PARAM_IN) ||
            (param->flags & NDR_PARAM_OUT))
            continue;
        bool given = false;
        const void *slot = slot_of(param, call_frame(call));
        for (unsigned k = 0; k < contexts->count && !given; k++)
            given = contexts->uses[k].slot == slot;
        if (!given)
            return RPC_X_SS_IN_NULL_CONTEXT;
    }
    return RPC_S_OK;
}

/* ---- Their locks ------------------------------------------------------------ */

static int by_context(const void *a, const void *b)
{
    uintptr_t first = (uintptr_t)((const struct context_use *)a)->context;
    uintptr_t second = (uintptr_t)((const struct context_use *)b)->context;
    return (first > second) - (first < second);
}

/* A context that was sent twice is locked once, by the first of its uses, in the stricter
 * way. */
static void sort_uses(struct call_contexts *contexts)
{
    qsort(contexts->uses, contexts->count, sizeof(*contexts->uses), by_context);
    for (unsigned i = contexts->count; i-- > 1;)
        if (contexts->uses[i].context == contexts->uses[i - 1].context)
            contexts->uses[i - 1].exclusive |= contexts->uses[i].exclusive;
}

/* A call inside one that has the context uses it with that one's lock: it would wait for
 * itself. */
static bool locked_around(const struct rpc_call *call, const struct context *context)
{
    for (const struct rpc_call *outer = call_outer(call); outer; outer = call_outer(outer)) {
        const struct call_contexts *contexts = call_contexts(outer);
        for (unsigned i = 0; contexts && i < contexts->count; i++)
            if (contexts->uses[i].locked && contexts->uses[i].context == context)
                return true;
    }
    return false;
}

/* In the order of their addresses, so that two calls never wait for each other. */
static bool acquire_next(struct rpc_call *call)
{
    struct call_contexts *contexts = call_contexts(call);
    struct context_use *use = &contexts->uses[contexts->acquired];
    if (contexts->waiter) { /* ours by now */
        free(contexts->waiter);
        contexts->waiter = NULL;
        use->locked = true;
    } else if ((contexts->acquired > 0 && use[-1].context == use->context) ||
               locked_around(call, use->context)) {
        use->locked = false;
    } else if (list_empty(&use->context->waiters) &&
               context_available(use->context, use->exclusive)) {
        context_take(use->context, use->exclusive);
        use->locked = true;
    } else {
        contexts->waiter = calloc(1, sizeof(*contexts->waiter));
        if (contexts->waiter) {
            contexts->waiter->exclusive = use->exclusive;
            contexts->waiter->call = call;
            list_append(&use->context->waiters, &contexts->waiter->node);
        }
        return false;
    }
    contexts->acquired++;
    return true;
}

bool contexts_received(const struct rpc_call *call)
{
    return call_contexts(call) && call_contexts(call)->count > 0;
}

bool contexts_acquire(struct rpc_call *call, RPC_STATUS *ret_status)
{
    struct call_contexts *contexts = call_contexts(call);
    bool waiting = false;
    *ret_status = RPC_S_OK;
    if (!contexts_received(call))
        return true;
    pthread_mutex_lock(&context_lock);
    if (contexts->acquired == 0 && !contexts->waiter)
        sort_uses(contexts);
    while (contexts->acquired < contexts->count && acquire_next(call))
        continue;
    if (contexts->acquired < contexts->count) {
        waiting = contexts->waiter != NULL;
        *ret_status = RPC_S_OUT_OF_MEMORY;
    }
    for (unsigned i = 0; !waiting && *ret_status == RPC_S_OK && i < contexts->count; i++) {
        struct context_use *use = &contexts->uses[i];
        if (!use->context->named)
            *ret_status = RPC_X_SS_CONTEXT_MISMATCH; /* closed while this call waited */
        memcpy(use->slot, &use->context->user, sizeof(use->context->user));
    }
    pthread_mutex_unlock(&context_lock);
    return !waiting;
}

/* ---- To the wire ----------------------------------------------------------------- */

/* A context for what the manager returned.  With a group that is gone, or full, no
 * client may name it and it is run down when the call ends. */
static RPC_STATUS create(struct rpc_call *call, const NDR_TYPE *type, const void *slot, void *user,
                         UUID *ret_uuid)
{
    struct call_contexts *contexts = call_contexts(call);
    struct context_set *set = contexts->set;
    struct context_use *use = add_use(call);
    struct context *context = use ? calloc(1, sizeof(*context)) : NULL;
    if (!context)
        return RPC_S_OUT_OF_MEMORY;
    list_init(&context->waiters);
    context->user = user;
    context->type = type->context;
    context->iface = call->iface;
    context->uses = 1;
    context->set = set;
    set->refs++;
    *use =
        (struct context_use){.context = context, .slot = (void *)(uintptr_t)slot, .created = true};
    contexts->count++;
    if (getrandom(&context->uuid, sizeof(context->uuid), 0) != sizeof(context->uuid))
        return RPC_S_OUT_OF_RESOURCES;
    context->uuid.Data3 = (uint16_t)((context->uuid.Data3 & 0x0fff) | 0x4000); /* RFC 4122 */
    context->uuid.Data4[0] = (uint8_t)((context->uuid.Data4[0] & 0x3f) | 0x80);
    *ret_uuid = context->uuid;
    if (set->closed)
        return RPC_S_OK;
    if (set->count >= LIMIT_CONTEXTS_PER_GROUP)
        return RPC_S_OUT_OF_RESOURCES;
    context_name(context);
    return RPC_S_OK;
}

/* What this reply itself has created stands in slots it does not come to again. */
static struct context_use *use_of_slot(struct call_contexts *contexts, const void *slot)
{
    unsigned count = contexts->again ? contexts->count : contexts->received;
    for (unsigned i = 0; i < count; i++)
        if (contexts->uses[i].slot == slot)
            return &contexts->uses[i];
    return NULL;
}

static RPC_STATUS to_wire(void *arg, const NDR_TYPE *type, const void *slot,
                          uint8_t out[NDR_CONTEXT_LEN])
{
    struct rpc_call *call = arg;
    RPC_STATUS status = RPC_S_OK;
    UUID uuid = {0};
    void *user;
    memcpy(&user, slot, sizeof(user));
    pthread_mutex_lock(&context_lock);
    struct context_use *use = use_of_slot(call_contexts(call), slot);
    if (use && !user) {
        use->context->closed = true;
        context_forget(use->context);
    } else if (use) {
        use->context->user = user;
        uuid = use->context->uuid;
    } else if (user) {
        status = create(call, type, slot, user, &uuid);
    }
    pthread_mutex_unlock(&context_lock);
    memset(out, 0, sizeof(uint32_t));
    memcpy(out + sizeof(uint32_t), &uuid, sizeof(uuid));
    return status;
}

struct ndr_context_hooks contexts_hooks(struct rpc_call *call)
{
    return (struct ndr_context_hooks){.to_wire = to_wire, .from_wire = from_wire, .arg = call};
}

/* ---- The end ----------------------------------------------------------------------- */

/* Shows a hook every handle in the parameters that have `flags`, one parameter after the
 * other, so that what is wrong with one hides no handle of another. */
static void visit(struct rpc_call *call, uint32_t flags,
                  RPC_STATUS (*hook)(void *, const NDR_TYPE *, const void *, uint8_t *))
{
    const struct ndr_context_hooks hooks = {.to_wire = hook, .arg = call};
    struct ndr_writer writer;
    ndr_writer_init(&writer);
    writer.contexts = &hooks;
    writer.skip_converted = true; /* there is none in them (MIDL2085) */
    for (uint32_t i = 0; i < call->op->param_count; i++) {
        NDR_OPERATION one = *call->op;
        one.params = &call->op->params[i];
        one.param_count = 1;
        if ((one.params->flags & flags) != flags)
            continue;
        ndr_writer_reset(&writer);
        ndr_encode_params(&writer, &one, call_frame(call), NDR_PARAM_OUT);
    }
    ndr_writer_fini(&writer);
}

static RPC_STATUS close_if_null(void *arg, const NDR_TYPE *type, const void *slot,
                                uint8_t out[NDR_CONTEXT_LEN])
{
    struct rpc_call *call = arg;
    void *user;
    (void)type;
    memset(out, 0, NDR_CONTEXT_LEN);
    memcpy(&user, slot, sizeof(user));
    if (user)
        return RPC_S_OK;
    pthread_mutex_lock(&context_lock);
    struct context_use *use = use_of_slot(call_contexts(call), slot);
    if (use && !use->created) {
        use->context->closed = true;
        context_forget(use->context);
    }
    pthread_mutex_unlock(&context_lock);
    return RPC_S_OK;
}

void contexts_raised(struct rpc_call *call)
{
    if (contexts_received(call))
        visit(call, NDR_PARAM_IN | NDR_PARAM_OUT, close_if_null);
}

/* What cannot be named any more, a new context above all, is run down: no handle is passed
 * over. */
static RPC_STATUS collect(void *arg, const NDR_TYPE *type, const void *slot,
                          uint8_t out[NDR_CONTEXT_LEN])
{
    (void)to_wire(arg, type, slot, out);
    return RPC_S_OK;
}

void contexts_unsent(struct rpc_call *call)
{
    struct call_contexts *contexts = call_contexts(call);
    if (!contexts || !contexts->set)
        return;
    contexts->again = true;
    visit(call, NDR_PARAM_OUT, collect);
    pthread_mutex_lock(&context_lock);
    for (unsigned i = 0; i < contexts->count; i++)
        if (contexts->uses[i].created)
            context_forget(contexts->uses[i].context);
    pthread_mutex_unlock(&context_lock);
}

void contexts_release(struct rpc_call *call)
{
    struct call_contexts *contexts = call_contexts(call);
    if (!contexts || !contexts->set)
        return;
    pthread_mutex_lock(&context_lock);
    if (contexts->waiter) { /* granted: who waits holds a reference on the call */
        assert(contexts->waiter->granted);
        contexts->uses[contexts->acquired].locked = true;
        free(contexts->waiter);
    }
    for (unsigned i = 0; i < contexts->count; i++)
        if (contexts->uses[i].locked)
            context_unlock(contexts->uses[i].context, contexts->uses[i].exclusive);
    for (unsigned i = 0; i < contexts->count; i++) {
        contexts->uses[i].context->uses--;
        context_end(contexts->uses[i].context);
    }
    struct context_use *uses = contexts->uses;
    context_set_unref(contexts->set);
    *contexts = (struct call_contexts){0};
    pthread_mutex_unlock(&context_lock);
    free(uses);
}
