/* SPDX-License-Identifier: MIT */
/* context.c - the contexts of a server; see context.h.
 *
 *   buckets[]  by UUID --> context --> context ...     all contexts clients may name
 *   set->contexts                                      those of one group
 *   set->ready                                         those waiting to be run down
 *
 * One lock guards all of it; nothing of the application runs with it held.  It comes
 * after the lock of a connection. */
#include "runtime/context.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <penstock/rpc.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/trace.h"
#include "base/uuid.h"
#include "runtime/call.h"
#include "runtime/exception.h"
#include "runtime/server.h"

#define BUCKETS 4096u

struct context_set {
    unsigned refs;
    unsigned count; /* of contexts a client may name */
    bool closed;    /* the group is no more          */
    struct list contexts;
    struct list ready;
    bool running; /* the job is submitted */
    struct io_job job;
};

struct context {
    struct context *next; /* in its bucket               */
    struct list node;     /* set->contexts or set->ready */
    struct context_set *set; /* counted */
    UUID uuid;
    void *user;              /* the manager's value */
    const NDR_CONTEXT *type;
    const struct interface *iface;
    unsigned uses;    /* by calls                                        */
    bool named;       /* in its bucket                                   */
    bool closed;      /* the manager has returned NULL: nothing to do    */
    bool exclusive;   /* one call has it alone, or                       */
    unsigned shared;  /* so many share it                                */
    unsigned writers; /* how often it was given to one call alone        */
    struct list waiters;
};

/* Who waits for a context: a call that was not dispatched yet, or a manager. */
struct contexts_waiter {
    struct list node;
    bool exclusive;
    bool granted;
    struct rpc_call *call; /* its job is submitted; NULL: the condition is signalled */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t granted = PTHREAD_COND_INITIALIZER;
static struct context *buckets[BUCKETS];
static bool never_serialize; /* RpcSsDontSerializeContext */

static bool is_context(const NDR_TYPE *type)
{
    return type->kind == NDR_KIND_CONTEXT ||
           (type->kind == NDR_KIND_POINTER && type->element->kind == NDR_KIND_CONTEXT);
}

bool op_has_contexts(const NDR_OPERATION *op)
{
    for (uint32_t i = 0; i < op->param_count; i++)
        if (is_context(op->params[i].type))
            return true;
    return false;
}

/* ---- Rundown ---------------------------------------------------------------- */

static void call_rundown(void *arg)
{
    struct context *context = arg;
    context->type->rundown(context->user);
}

static void unref_set(struct context_set *set)
{
    if (--set->refs == 0)
        free(set);
}

static void run_down(struct io_job *job)
{
    struct context_set *set = list_entry(job, struct context_set, job);
    struct list *node;
    pthread_mutex_lock(&lock);
    while ((node = list_pop(&set->ready)) != NULL) {
        struct context *context = list_entry(node, struct context, node);
        pthread_mutex_unlock(&lock);
        bool raised;
        reactor_block_begin();
        exception_run(call_rundown, context, &raised);
        reactor_block_end();
        TRACE(TRACE_CALL, "context %s: run down%s",
              context->type->name ? context->type->name : "", raised ? ", which raised" : "");
        free(context);
        pthread_mutex_lock(&lock);
        unref_set(set); /* the context's */
    }
    set->running = false;
    unref_set(set); /* the job's */
    pthread_mutex_unlock(&lock);
}

/* No client can name the context any more. */
static void forget(struct context *context)
{
    if (!context->named)
        return;
    struct context **at = &buckets[context->uuid.Data1 % BUCKETS];
    while (*at != context)
        at = &(*at)->next;
    *at = context->next;
    context->named = false;
    context->set->count--;
    list_remove(&context->node);
}

/* Ends a context that nobody can name and no call uses. */
static void end(struct context *context)
{
    struct context_set *set = context->set;
    if (context->named || context->uses > 0)
        return;
    if (context->closed || !context->type->rundown) {
        free(context);
        unref_set(set);
        return;
    }
    list_append(&set->ready, &context->node);
    if (set->running)
        return;
    set->running = true;
    set->refs++;
    set->job.run = run_down;
    reactor_submit(&set->job);
}

/* ---- Sets ------------------------------------------------------------------- */

struct context_set *context_set_new(void)
{
    struct context_set *set = calloc(1, sizeof(*set));
    if (!set)
        return NULL;
    set->refs = 1;
    list_init(&set->contexts);
    list_init(&set->ready);
    return set;
}

void context_set_get(struct context_set *set)
{
    pthread_mutex_lock(&lock);
    set->refs++;
    pthread_mutex_unlock(&lock);
}

void context_set_put(struct context_set *set)
{
    pthread_mutex_lock(&lock);
    unref_set(set);
    pthread_mutex_unlock(&lock);
}

void context_set_close(struct context_set *set)
{
    pthread_mutex_lock(&lock);
    set->closed = true;
    while (!list_empty(&set->contexts)) {
        struct context *context = list_entry(set->contexts.next, struct context, node);
        forget(context);
        end(context);
    }
    unref_set(set);
    pthread_mutex_unlock(&lock);
}

void contexts_close_interface(const struct interface *iface)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < BUCKETS; i++) {
        for (struct context *context = buckets[i], *next; context; context = next) {
            next = context->next;
            if (context->iface != iface)
                continue;
            forget(context);
            end(context);
        }
    }
    pthread_mutex_unlock(&lock);
}

/* ---- From the wire ------------------------------------------------------------ */

/* May this parameter name this context?  MS-RPCE 3.3.1.4.1 and the ACF's strictness. */
static bool acceptable(const struct context *context, const struct rpc_call *call,
                       const NDR_CONTEXT *type)
{
    if (context->set != call->contexts.set)
        return false;
    if (((type->flags | context->type->flags) & NDR_CONTEXT_STRICT) &&
        context->iface != call->iface)
        return false;
    if (!((type->flags | context->type->flags) & NDR_CONTEXT_TYPE_STRICT) ||
        context->type == type)
        return true;
    return context->iface == call->iface && context->type->name && type->name &&
           strcmp(context->type->name, type->name) == 0;
}

static struct context *find(const UUID *uuid)
{
    struct context *context = buckets[uuid->Data1 % BUCKETS];
    while (context && !uuid_equal(&context->uuid, uuid))
        context = context->next;
    return context;
}

static struct context_use *add_use(struct rpc_call *call)
{
    struct call_contexts *contexts = &call->contexts;
    if (!contexts->uses)
        contexts->uses = calloc(call->op->param_count, sizeof(*contexts->uses));
    return contexts->uses ? &contexts->uses[contexts->count] : NULL;
}

static bool wants_exclusive(const NDR_CONTEXT *type)
{
    if (type->flags & NDR_CONTEXT_SERIALIZE)
        return true;
    return !(type->flags & NDR_CONTEXT_NOSERIALIZE) && !never_serialize;
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
    RPC_STATUS status = RPC_X_SS_CONTEXT_MISMATCH;
    pthread_mutex_lock(&lock);
    struct context *context = find(&uuid);
    struct context_use *use = add_use(call);
    if (!use) {
        status = RPC_S_OUT_OF_MEMORY;
    } else if (attributes == 0 && context && acceptable(context, call, type->context)) {
        context->uses++;
        *use = (struct context_use){
            .context = context, .slot = slot, .exclusive = wants_exclusive(type->context)};
        call->contexts.count++;
        status = RPC_S_OK;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

static void *slot_of(const NDR_PARAM *param, void *frame)
{
    void *slot = (uint8_t *)frame + param->offset;
    if (param->type->kind == NDR_KIND_POINTER)
        memcpy(&slot, slot, sizeof(slot));
    return slot;
}

RPC_STATUS contexts_check(const struct rpc_call *call)
{
    for (uint32_t i = 0; i < call->op->param_count; i++) {
        const NDR_PARAM *param = &call->op->params[i];
        if (!is_context(param->type) || !(param->flags & NDR_PARAM_IN) ||
            (param->flags & NDR_PARAM_OUT))
            continue;
        bool given = false;
        const void *slot = slot_of(param, call->frame);
        for (unsigned k = 0; k < call->contexts.count && !given; k++)
            given = call->contexts.uses[k].slot == slot;
        if (!given)
            return RPC_X_SS_IN_NULL_CONTEXT;
    }
    return RPC_S_OK;
}

/* ---- Locks --------------------------------------------------------------------- */

static bool available(const struct context *context, bool exclusive)
{
    return !context->exclusive && (!exclusive || context->shared == 0);
}

static void take(struct context *context, bool exclusive)
{
    if (exclusive) {
        context->exclusive = true;
        context->writers++;
    } else {
        context->shared++;
    }
}

/* Gives the context to those first in line. */
static void serve_waiters(struct context *context)
{
    while (!list_empty(&context->waiters)) {
        struct contexts_waiter *waiter =
            list_entry(context->waiters.next, struct contexts_waiter, node);
        if (!available(context, waiter->exclusive))
            return;
        list_remove(&waiter->node);
        take(context, waiter->exclusive);
        waiter->granted = true;
        if (waiter->call)
            reactor_submit(&waiter->call->job);
        else
            pthread_cond_broadcast(&granted);
    }
}

static void unlock_context(struct context *context, bool exclusive)
{
    if (exclusive)
        context->exclusive = false;
    else
        context->shared--;
    serve_waiters(context);
}

/* The same context in two parameters is locked once, by the first of them, in the
 * stricter way. */
static void sort_uses(struct call_contexts *contexts)
{
    for (unsigned i = 1; i < contexts->count; i++) {
        struct context_use use = contexts->uses[i];
        unsigned k = i;
        for (; k > 0 && (uintptr_t)contexts->uses[k - 1].context > (uintptr_t)use.context; k--)
            contexts->uses[k] = contexts->uses[k - 1];
        contexts->uses[k] = use;
    }
    for (unsigned i = contexts->count; i-- > 1;)
        if (contexts->uses[i].context == contexts->uses[i - 1].context)
            contexts->uses[i - 1].exclusive |= contexts->uses[i].exclusive;
}

/* In the order of their addresses, so that two calls never wait for each other. */
static bool acquire_next(struct rpc_call *call)
{
    struct call_contexts *contexts = &call->contexts;
    struct context_use *use = &contexts->uses[contexts->acquired];
    if (contexts->waiter) { /* ours by now */
        free(contexts->waiter);
        contexts->waiter = NULL;
        use->locked = true;
    } else if (contexts->acquired > 0 && use[-1].context == use->context) {
        use->locked = false;
    } else if (list_empty(&use->context->waiters) && available(use->context, use->exclusive)) {
        take(use->context, use->exclusive);
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

bool contexts_acquire(struct rpc_call *call, RPC_STATUS *ret_status)
{
    struct call_contexts *contexts = &call->contexts;
    bool waiting = false;
    *ret_status = RPC_S_OK;
    if (contexts->count == 0)
        return true;
    pthread_mutex_lock(&lock);
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
    pthread_mutex_unlock(&lock);
    return !waiting;
}

/* ---- To the wire ----------------------------------------------------------------- */

/* A context for what the manager returned.  With a group that is gone, or full, no
 * client may name it and it is run down when the call ends. */
static RPC_STATUS create(struct rpc_call *call, const NDR_TYPE *type, const void *slot, void *user,
                         UUID *ret_uuid)
{
    struct context_set *set = call->contexts.set;
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
    *use = (struct context_use){
        .context = context, .slot = (void *)(uintptr_t)slot, .created = true};
    call->contexts.count++;
    if (getrandom(&context->uuid, sizeof(context->uuid), 0) != sizeof(context->uuid))
        return RPC_S_OUT_OF_RESOURCES;
    context->uuid.Data3 = (uint16_t)((context->uuid.Data3 & 0x0fff) | 0x4000); /* RFC 4122 */
    context->uuid.Data4[0] = (uint8_t)((context->uuid.Data4[0] & 0x3f) | 0x80);
    *ret_uuid = context->uuid;
    if (set->closed)
        return RPC_S_OK;
    if (set->count >= LIMIT_CONTEXTS_PER_GROUP)
        return RPC_S_OUT_OF_RESOURCES;
    set->count++;
    context->named = true;
    list_append(&set->contexts, &context->node);
    struct context **bucket = &buckets[context->uuid.Data1 % BUCKETS];
    context->next = *bucket;
    *bucket = context;
    return RPC_S_OK;
}

static struct context_use *use_of_slot(struct call_contexts *contexts, const void *slot)
{
    for (unsigned i = 0; i < contexts->count; i++)
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
    pthread_mutex_lock(&lock);
    struct context_use *use = use_of_slot(&call->contexts, slot);
    if (use && !user) {
        use->context->closed = true;
        forget(use->context);
    } else if (use) {
        use->context->user = user;
        uuid = use->context->uuid;
    } else if (user) {
        status = create(call, type, slot, user, &uuid);
    }
    pthread_mutex_unlock(&lock);
    memset(out, 0, sizeof(uint32_t));
    memcpy(out + sizeof(uint32_t), &uuid, sizeof(uuid));
    return status;
}

struct ndr_context_hooks contexts_hooks(struct rpc_call *call)
{
    return (struct ndr_context_hooks){.to_wire = to_wire, .from_wire = from_wire, .arg = call};
}

/* ---- The end ----------------------------------------------------------------------- */

void contexts_raised(struct rpc_call *call)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < call->contexts.count; i++) {
        struct context_use *use = &call->contexts.uses[i];
        void *user;
        memcpy(&user, use->slot, sizeof(user));
        if (user || use->created)
            continue;
        use->context->closed = true;
        forget(use->context);
    }
    pthread_mutex_unlock(&lock);
}

void contexts_unsent(struct rpc_call *call)
{
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < call->contexts.count; i++)
        if (call->contexts.uses[i].created)
            forget(call->contexts.uses[i].context);
    pthread_mutex_unlock(&lock);
}

void contexts_release(struct rpc_call *call)
{
    struct call_contexts *contexts = &call->contexts;
    if (!contexts->set)
        return;
    pthread_mutex_lock(&lock);
    if (contexts->waiter) { /* granted: who waits holds a reference on the call */
        assert(contexts->waiter->granted);
        contexts->uses[contexts->acquired].locked = true;
        free(contexts->waiter);
    }
    for (unsigned i = 0; i < contexts->count; i++)
        if (contexts->uses[i].locked)
            unlock_context(contexts->uses[i].context, contexts->uses[i].exclusive);
    for (unsigned i = 0; i < contexts->count; i++) {
        contexts->uses[i].context->uses--;
        end(contexts->uses[i].context);
    }
    struct context_use *uses = contexts->uses;
    unref_set(contexts->set);
    *contexts = (struct call_contexts){0};
    pthread_mutex_unlock(&lock);
    free(uses);
}

/* ---- What managers may ask for ------------------------------------------------------- */

/* The call a manager means, counted. */
static RPC_STATUS call_of_manager(RPC_BINDING_HANDLE handle, struct rpc_call **ret_call)
{
    struct rpc_call *call = server_current_call();
    if (!handle && !call)
        return RPC_S_NO_CALL_ACTIVE;
    if (!handle) {
        call_get(call);
    } else {
        struct binding *binding = binding_get(handle);
        call = binding ? binding->call : NULL;
        if (call)
            call_get(call);
        if (binding)
            binding_put(binding);
        if (!call)
            return RPC_S_INVALID_BINDING;
    }
    *ret_call = call;
    return RPC_S_OK;
}

static struct context_use *locked_use(struct rpc_call *call, const void *user)
{
    for (unsigned i = 0; i < call->contexts.count; i++) {
        struct context_use *use = &call->contexts.uses[i];
        if (use->locked && use->context->user == user)
            return use;
    }
    return NULL;
}

/* Lets go of the shared lock and waits in line for the exclusive one. */
static RPC_STATUS upgrade(struct context_use *use)
{
    struct context *context = use->context;
    if (use->exclusive)
        return RPC_S_OK;
    unsigned writers = context->writers;
    struct contexts_waiter waiter = {.exclusive = true};
    context->shared--;
    if (available(context, true) && list_empty(&context->waiters)) {
        take(context, true);
    } else {
        list_append(&context->waiters, &waiter.node);
        serve_waiters(context);
        while (!waiter.granted)
            pthread_cond_wait(&granted, &lock);
    }
    use->exclusive = true;
    return context->writers == writers + 1 ? RPC_S_OK : ERROR_MORE_WRITES;
}

static RPC_STATUS relock(RPC_BINDING_HANDLE handle, void *user, bool exclusive)
{
    struct rpc_call *call;
    RPC_STATUS status = call_of_manager(handle, &call);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&lock);
    struct context_use *use = locked_use(call, user);
    if (!use) {
        status = RPC_X_SS_CONTEXT_MISMATCH;
    } else if (exclusive) {
        status = upgrade(use);
    } else if (use->exclusive) {
        use->context->exclusive = use->exclusive = false;
        use->context->shared++;
        serve_waiters(use->context);
    }
    pthread_mutex_unlock(&lock);
    call_put(call);
    return status;
}

RPC_STATUS RpcSsContextLockExclusive(RPC_BINDING_HANDLE ServerBindingHandle, void *UserContext)
{
    return relock(ServerBindingHandle, UserContext, true);
}

RPC_STATUS RpcSsContextLockShared(RPC_BINDING_HANDLE ServerBindingHandle, void *UserContext)
{
    return relock(ServerBindingHandle, UserContext, false);
}

void RpcSsDontSerializeContext(void)
{
    pthread_mutex_lock(&lock);
    never_serialize = true;
    pthread_mutex_unlock(&lock);
}
