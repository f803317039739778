/* SPDX-License-Identifier: MIT */
/* context_client.c - the client's side of context handles; see context.h.
 *
 * As long as a context handle exists its pool keeps a connection open, for the server
 * forgets a client's contexts with its last connection. */
#include "runtime/context.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>

#include "base/handle.h"
#include "base/limits.h"
#include "runtime/binding.h"
#include "runtime/conn_pool.h"

struct client_context {
    struct counted object;
    uint64_t handle;          /* what the application holds                 */
    uint8_t octets[NDR_CONTEXT_LEN];
    struct binding *binding;  /* of its own, counted                        */
    uint64_t binding_handle;  /* for RpcSsGetContextBinding                 */
    struct server_pool *pool; /* used, and told that there is a context     */
};

/* A handle on its way out or in. */
struct client_context_slot {
    void *slot;
    struct client_context *context; /* counted; of a handle that came back: made for it,
                                     * or NULL                                     */
    uint8_t octets[NDR_CONTEXT_LEN];
};

/* Guards the octets of all handles: a call may change them while another reads them. */
static pthread_mutex_t octets_lock = PTHREAD_MUTEX_INITIALIZER;
static const uint8_t nil[NDR_CONTEXT_LEN];

static void context_destroy(struct counted *object)
{
    struct client_context *context = list_entry(object, struct client_context, object);
    if (context->pool) {
        server_pool_count_context(context->pool, -1);
        server_pool_close(context->pool);
    }
    handle_close(context->binding_handle, RPC_S_INVALID_BINDING);
    if (context->binding)
        binding_put(context->binding);
    free(context);
}

static void context_put(struct client_context *context)
{
    counted_put(&context->object);
}

/* The context behind what the application passes, counted, or NULL. */
static struct client_context *context_get(const void *value)
{
    RPC_STATUS status;
    struct counted *object =
        handle_get((uint64_t)(uintptr_t)value, RPC_X_SS_CONTEXT_MISMATCH, &status);
    if (object && object->destroy != context_destroy) { /* a number of another kind */
        counted_put(object);
        object = NULL;
    }
    return object ? list_entry(object, struct client_context, object) : NULL;
}

/* A handle for what the server `binding` leads to sent; the handle table has a reference
 * of its own. */
static struct client_context *context_new(struct binding *binding,
                                          const uint8_t octets[NDR_CONTEXT_LEN])
{
    struct client_context *context = calloc(1, sizeof(*context));
    if (!context)
        return NULL;
    counted_init(&context->object, context_destroy);
    memcpy(context->octets, octets, sizeof(context->octets));
    context->binding = binding_copy(binding);
    if (context->binding) {
        context->binding_handle = handle_open(&context->binding->object);
        context->pool = context->binding->pool;
    }
    if (context->pool) {
        server_pool_use(context->pool);
        server_pool_count_context(context->pool, 1);
    }
    if (context->binding_handle != 0)
        context->handle = handle_open(&context->object);
    if (context->handle == 0) {
        context_put(context);
        return NULL;
    }
    return context;
}

static void *load(const void *slot)
{
    void *value;
    memcpy(&value, slot, sizeof(value));
    return value;
}

static void store(void *slot, uint64_t handle)
{
    void *value = (void *)(uintptr_t)handle;
    memcpy(slot, &value, sizeof(value));
}

/* ---- One call --------------------------------------------------------------- */

void client_contexts_init(struct client_contexts *contexts, const NDR_OPERATION *op)
{
    *contexts = (struct client_contexts){.op = op};
}

static struct client_context_slot *add(struct client_context_list *list)
{
    if (list->count == list->capacity) {
        unsigned capacity = list->capacity ? 2 * list->capacity : 4;
        struct client_context_slot *slots = realloc(list->slots, capacity * sizeof(*slots));
        if (!slots)
            return NULL;
        list->slots = slots;
        list->capacity = capacity;
    }
    struct client_context_slot *slot = &list->slots[list->count++];
    memset(slot, 0, sizeof(*slot));
    return slot;
}

static struct client_context_slot *sent_from(const struct client_contexts *contexts,
                                             const void *slot)
{
    for (unsigned i = 0; i < contexts->old.count; i++)
        if (contexts->old.slots[i].slot == slot)
            return &contexts->old.slots[i];
    return NULL;
}

static RPC_STATUS to_wire(void *arg, const NDR_TYPE *type, const void *slot,
                          uint8_t out[NDR_CONTEXT_LEN])
{
    struct client_contexts *contexts = arg;
    const void *value = load(slot);
    (void)type;
    memset(out, 0, NDR_CONTEXT_LEN);
    if (!value)
        return RPC_S_OK;
    struct client_context *context = context_get(value);
    if (!context)
        return RPC_X_SS_CONTEXT_MISMATCH;
    struct client_context_slot *old = add(&contexts->old);
    if (!old) {
        context_put(context);
        return RPC_S_OUT_OF_MEMORY;
    }
    old->slot = (void *)(uintptr_t)slot;
    old->context = context;
    pthread_mutex_lock(&octets_lock);
    memcpy(out, context->octets, NDR_CONTEXT_LEN);
    pthread_mutex_unlock(&octets_lock);
    return RPC_S_OK;
}

static RPC_STATUS from_wire(void *arg, const NDR_TYPE *type, const uint8_t in[NDR_CONTEXT_LEN],
                            void *slot)
{
    struct client_contexts *contexts = arg;
    (void)type;
    if (contexts->new.count >= LIMIT_CONTEXTS_PER_CALL)
        return RPC_S_OUT_OF_RESOURCES;
    struct client_context_slot *new = add(&contexts->new);
    if (!new)
        return RPC_S_OUT_OF_MEMORY;
    new->slot = slot;
    memcpy(new->octets, in, NDR_CONTEXT_LEN);
    if (memcmp(in, nil, NDR_CONTEXT_LEN) == 0 || sent_from(contexts, slot))
        return RPC_S_OK;
    new->context = context_new(contexts->binding, in);
    return new->context ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

struct ndr_context_hooks client_contexts_hooks(struct client_contexts *contexts)
{
    return (struct ndr_context_hooks){.to_wire = to_wire, .from_wire = from_wire, .arg = contexts};
}

void client_contexts_commit(struct client_contexts *contexts)
{
    for (unsigned i = 0; i < contexts->new.count; i++) {
        struct client_context_slot *new = &contexts->new.slots[i];
        const struct client_context_slot *old = sent_from(contexts, new->slot);
        bool is_nil = memcmp(new->octets, nil, sizeof(nil)) == 0;
        if (new->context) {
            store(new->slot, new->context->handle);
            context_put(new->context);
            new->context = NULL;
        } else if (is_nil) {
            if (old)
                handle_close(old->context->handle, RPC_X_SS_CONTEXT_MISMATCH);
            store(new->slot, 0);
        } else {
            pthread_mutex_lock(&octets_lock);
            memcpy(old->context->octets, new->octets, NDR_CONTEXT_LEN);
            pthread_mutex_unlock(&octets_lock);
            store(new->slot, old->context->handle); /* a union's arm was cleared for it */
        }
    }
}

void client_contexts_fini(struct client_contexts *contexts)
{
    for (unsigned i = 0; i < contexts->new.count; i++) {
        struct client_context *context = contexts->new.slots[i].context;
        if (!context)
            continue;
        handle_close(context->handle, RPC_X_SS_CONTEXT_MISMATCH); /* never given out */
        context_put(context);
    }
    for (unsigned i = 0; i < contexts->old.count; i++)
        context_put(contexts->old.slots[i].context);
    free(contexts->old.slots);
    free(contexts->new.slots);
    *contexts = (struct client_contexts){0};
}

/* ---- The binding of a call ----------------------------------------------------- */

/* The value of a context parameter; *ret_status when it is none. */
static const void *context_param(const NDR_PARAM *param, const void *frame, RPC_STATUS *ret_status)
{
    const void *slot = (const uint8_t *)frame + param->offset;
    if (param->type->kind == NDR_KIND_POINTER)
        slot = load(slot);
    const void *value = slot ? load(slot) : NULL;
    if (!slot)
        *ret_status = RPC_X_NULL_REF_POINTER;
    else if (!value && !(param->flags & NDR_PARAM_OUT))
        *ret_status = RPC_X_SS_IN_NULL_CONTEXT;
    return value;
}

RPC_STATUS client_contexts_binding(const NDR_OPERATION *op, const void *frame,
                                   struct binding **ret_binding)
{
    RPC_STATUS status = RPC_S_OK;
    bool decided = false;
    struct client_context *context = NULL;
    for (uint32_t i = 0; i < op->param_count && status == RPC_S_OK; i++) {
        const NDR_PARAM *param = &op->params[i];
        const NDR_TYPE *type = param->type;
        if (param->flags & NDR_PARAM_BINDING)
            decided = true;
        if (type->kind == NDR_KIND_POINTER)
            type = type->element;
        if (type->kind != NDR_KIND_CONTEXT || !(param->flags & NDR_PARAM_IN))
            continue;
        const void *value = context_param(param, frame, &status);
        if (!value || decided || status != RPC_S_OK)
            continue;
        decided = true;
        context = context_get(value);
        if (!context)
            status = RPC_X_SS_CONTEXT_MISMATCH;
    }
    if (status == RPC_S_OK && !decided)
        status = RPC_X_SS_IN_NULL_CONTEXT;
    *ret_binding = NULL;
    if (status == RPC_S_OK && context) {
        counted_get(&context->binding->object);
        *ret_binding = context->binding;
    }
    if (context)
        context_put(context);
    return status;
}

/* ---- The application ------------------------------------------------------------ */

RPC_STATUS RpcSmDestroyClientContext(void **ContextHandle)
{
    struct client_context *context = ContextHandle ? context_get(*ContextHandle) : NULL;
    if (!context)
        return RPC_X_SS_CONTEXT_MISMATCH;
    handle_close(context->handle, RPC_X_SS_CONTEXT_MISMATCH);
    context_put(context);
    *ContextHandle = NULL;
    return RPC_S_OK;
}

void RpcSsDestroyClientContext(void **ContextHandle)
{
    RPC_STATUS status = RpcSmDestroyClientContext(ContextHandle);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

RPC_STATUS RpcSsGetContextBinding(void *ContextHandle, RPC_BINDING_HANDLE *Binding)
{
    if (!Binding)
        return RPC_S_INVALID_ARG;
    *Binding = NULL;
    struct client_context *context = context_get(ContextHandle);
    if (!context)
        return RPC_X_SS_CONTEXT_MISMATCH;
    *Binding = (RPC_BINDING_HANDLE)(uintptr_t)context->binding_handle;
    context_put(context);
    return RPC_S_OK;
}
