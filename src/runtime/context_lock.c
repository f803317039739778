/* SPDX-License-Identifier: MIT */
/* context_lock.c - who uses a context alone, who shares it, who waits; see
 * context_table.h. */
#include "runtime/context_table.h"

#include <assert.h>

#include <penstock/rpc.h>

#include "runtime/call.h"
#include "runtime/server_call.h"

static pthread_cond_t granted = PTHREAD_COND_INITIALIZER;
bool contexts_never_serialize;

/* ---- Locks --------------------------------------------------------------------- */

bool context_available(const struct context *context, bool exclusive)
{
    return !context->exclusive && (!exclusive || context->shared == 0);
}

void context_take(struct context *context, bool exclusive)
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
        if (!context_available(context, waiter->exclusive))
            return;
        list_remove(&waiter->node);
        context_take(context, waiter->exclusive);
        waiter->granted = true;
        if (waiter->call)
            reactor_submit(&waiter->call->job);
        else
            pthread_cond_broadcast(&granted);
    }
}

void context_unlock(struct context *context, bool exclusive)
{
    if (exclusive)
        context->exclusive = false;
    else
        context->shared--;
    serve_waiters(context);
}

/* ---- What managers may ask for ------------------------------------------------------- */

static struct context_use *locked_use(struct rpc_call *call, const void *user)
{
    const struct call_contexts *contexts = call_contexts(call);
    for (unsigned i = 0; contexts && i < contexts->count; i++) {
        struct context_use *use = &contexts->uses[i];
        if (use->locked && use->context->user == user)
            return use;
    }
    return NULL;
}

static struct context_use *use_of(struct rpc_call *call, const struct context *context)
{
    const struct call_contexts *contexts = call_contexts(call);
    unsigned i = 0;
    while (!contexts->uses[i].locked || contexts->uses[i].context != context) {
        i++;
        assert(i < contexts->count); /* no call ends while its manager waits */
    }
    return &contexts->uses[i];
}

/* Lets go of the shared lock and waits in line for the exclusive one. */
static RPC_STATUS upgrade(struct rpc_call *call, struct context_use *use)
{
    struct context *context = use->context;
    if (use->exclusive)
        return RPC_S_OK;
    unsigned writers = context->writers;
    struct contexts_waiter waiter = {.exclusive = true};
    context->shared--;
    if (context_available(context, true) && list_empty(&context->waiters)) {
        context_take(context, true);
    } else {
        list_append(&context->waiters, &waiter.node);
        serve_waiters(context);
        while (!waiter.granted)
            pthread_cond_wait(&granted, &context_lock);
        use = use_of(call, context); /* the list may have moved */
    }
    use->exclusive = true;
    return context->writers == writers + 1 ? RPC_S_OK : ERROR_MORE_WRITES;
}

static RPC_STATUS relock(RPC_BINDING_HANDLE handle, void *user, bool exclusive)
{
    struct rpc_call *call;
    RPC_STATUS status = server_call_get(handle, &call);
    if (status != RPC_S_OK)
        return status;
    pthread_mutex_lock(&context_lock);
    struct context_use *use = locked_use(call, user);
    if (!use) {
        status = RPC_X_SS_CONTEXT_MISMATCH;
    } else if (exclusive) {
        status = upgrade(call, use);
    } else if (use->exclusive) {
        use->context->exclusive = use->exclusive = false;
        use->context->shared++;
        serve_waiters(use->context);
    }
    pthread_mutex_unlock(&context_lock);
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
    pthread_mutex_lock(&context_lock);
    contexts_never_serialize = true;
    pthread_mutex_unlock(&context_lock);
}
