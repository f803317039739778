/* SPDX-License-Identifier: MIT */
/* memory_env.c - RpcSsAllocate and kin; see memory_env.h.  The Ss functions raise what the
 * Sm functions return. */
#include "runtime/memory_env.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "base/list.h"

struct memory_env {
    pthread_mutex_t lock; /* threads may share it */
    unsigned refs;
    struct list blocks;
};

/* In front of what the application gets. */
struct block {
    alignas(max_align_t) struct list node;
    struct memory_env *env;
};

/* What a thread has.  `owned`: RpcSsEnableAllocate or RpcSsSetThreadHandle gave it, so
 * that the thread holds a reference. */
static _Thread_local struct memory_env *current;
static _Thread_local bool owned;
static _Thread_local RPC_CLIENT_ALLOC *client_allocate;
static _Thread_local RPC_CLIENT_FREE *client_free;

/* Threads that end with an environment of their own. */
static pthread_key_t thread_end;
static pthread_once_t thread_end_once = PTHREAD_ONCE_INIT;

static void drop_own(void)
{
    if (owned)
        memory_env_put(current);
    current = NULL;
    owned = false;
}

static void at_thread_end(void *env)
{
    (void)env;
    drop_own();
}

static void make_key(void)
{
    pthread_key_create(&thread_end, at_thread_end);
}

static void own(struct memory_env *env)
{
    pthread_once(&thread_end_once, make_key);
    pthread_setspecific(thread_end, env); /* only that it is not NULL matters */
    current = env;
    owned = true;
}

/* ---- Environments -------------------------------------------------------------- */

struct memory_env *memory_env_new(void)
{
    struct memory_env *env = calloc(1, sizeof(*env));
    if (!env)
        return NULL;
    pthread_mutex_init(&env->lock, NULL);
    env->refs = 1;
    list_init(&env->blocks);
    return env;
}

static void memory_env_get(struct memory_env *env)
{
    pthread_mutex_lock(&env->lock);
    env->refs++;
    pthread_mutex_unlock(&env->lock);
}

void memory_env_put(struct memory_env *env)
{
    if (!env)
        return;
    pthread_mutex_lock(&env->lock);
    unsigned refs = --env->refs;
    pthread_mutex_unlock(&env->lock);
    if (refs > 0)
        return;
    struct list *node;
    while ((node = list_pop(&env->blocks)) != NULL)
        free(list_entry(node, struct block, node));
    pthread_mutex_destroy(&env->lock);
    free(env);
}

struct memory_env *memory_env_enter(struct memory_env *env)
{
    struct memory_env *outer = current;
    /* The reference of an outer one that is the thread's own moves into the result: see
     * memory_env_leave(). */
    if (outer && !owned)
        memory_env_get(outer);
    current = env;
    owned = false;
    return outer;
}

void memory_env_leave(struct memory_env *outer)
{
    drop_own();
    if (outer)
        own(outer);
}

void *memory_env_allocate(size_t size)
{
    struct memory_env *env = current;
    if (!env || size > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->env = env;
    pthread_mutex_lock(&env->lock);
    list_append(&env->blocks, &block->node);
    pthread_mutex_unlock(&env->lock);
    return block + 1;
}

void memory_env_free(void *object)
{
    if (!object)
        return;
    struct block *block = (struct block *)object - 1;
    struct memory_env *env = block->env;
    pthread_mutex_lock(&env->lock);
    list_remove(&block->node);
    pthread_mutex_unlock(&env->lock);
    free(block);
}

void memory_client_routines(void *(**ret_allocate)(size_t), void (**ret_free)(void *))
{
    *ret_allocate = client_allocate;
    *ret_free = client_free;
}

/* ---- The application ------------------------------------------------------------- */

static void raise_failure(RPC_STATUS status)
{
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

void *RpcSmAllocate(size_t Size, RPC_STATUS *pStatus)
{
    void *object = memory_env_allocate(Size);
    if (pStatus)
        *pStatus = object ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
    return object;
}

void *RpcSsAllocate(size_t Size)
{
    RPC_STATUS status;
    void *object = RpcSmAllocate(Size, &status);
    raise_failure(status);
    return object;
}

RPC_STATUS RpcSmFree(void *NodeToFree)
{
    memory_env_free(NodeToFree);
    return RPC_S_OK;
}

void RpcSsFree(void *NodeToFree)
{
    memory_env_free(NodeToFree);
}

RPC_STATUS RpcSmEnableAllocate(void)
{
    if (current)
        return RPC_S_OK;
    struct memory_env *env = memory_env_new();
    if (!env)
        return RPC_S_OUT_OF_MEMORY;
    own(env);
    return RPC_S_OK;
}

void RpcSsEnableAllocate(void)
{
    raise_failure(RpcSmEnableAllocate());
}

/* The environment of a stub stays: the call still needs it. */
RPC_STATUS RpcSmDisableAllocate(void)
{
    if (owned)
        drop_own();
    return RPC_S_OK;
}

void RpcSsDisableAllocate(void)
{
    RpcSmDisableAllocate();
}

RPC_SS_THREAD_HANDLE RpcSmGetThreadHandle(RPC_STATUS *pStatus)
{
    if (pStatus)
        *pStatus = RPC_S_OK;
    return current;
}

RPC_SS_THREAD_HANDLE RpcSsGetThreadHandle(void)
{
    return current;
}

RPC_STATUS RpcSmSetThreadHandle(RPC_SS_THREAD_HANDLE Id)
{
    struct memory_env *env = Id;
    if (env)
        memory_env_get(env);
    drop_own();
    if (env)
        own(env);
    return RPC_S_OK;
}

void RpcSsSetThreadHandle(RPC_SS_THREAD_HANDLE Id)
{
    RpcSmSetThreadHandle(Id);
}

RPC_STATUS RpcSmSetClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc, RPC_CLIENT_FREE *ClientFree)
{
    if (!ClientAlloc != !ClientFree)
        return RPC_S_INVALID_ARG;
    client_allocate = ClientAlloc;
    client_free = ClientFree;
    return RPC_S_OK;
}

void RpcSsSetClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc, RPC_CLIENT_FREE *ClientFree)
{
    raise_failure(RpcSmSetClientAllocFree(ClientAlloc, ClientFree));
}

RPC_STATUS RpcSmSwapClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc, RPC_CLIENT_FREE *ClientFree,
                                    RPC_CLIENT_ALLOC **OldClientAlloc,
                                    RPC_CLIENT_FREE **OldClientFree)
{
    if (!OldClientAlloc || !OldClientFree)
        return RPC_S_INVALID_ARG;
    *OldClientAlloc = client_allocate;
    *OldClientFree = client_free;
    return RpcSmSetClientAllocFree(ClientAlloc, ClientFree);
}

void RpcSsSwapClientAllocFree(RPC_CLIENT_ALLOC *ClientAlloc, RPC_CLIENT_FREE *ClientFree,
                              RPC_CLIENT_ALLOC **OldClientAlloc, RPC_CLIENT_FREE **OldClientFree)
{
    raise_failure(
        RpcSmSwapClientAllocFree(ClientAlloc, ClientFree, OldClientAlloc, OldClientFree));
}

RPC_STATUS RpcSmClientFree(void *pNodeToFree)
{
    if (!client_free)
        return RPC_S_INVALID_ARG; /* what MIDL_user_allocate gave is MIDL_user_free's */
    client_free(pNodeToFree);
    return RPC_S_OK;
}

void RpcSsClientFree(void *pNodeToFree)
{
    raise_failure(RpcSmClientFree(pNodeToFree));
}
