/* SPDX-License-Identifier: MIT */
/* memory_env.h - the memory of RpcSsAllocate: an environment that frees what was allocated
 * in it when it ends.  A thread has at most one at a time; a server stub makes one for
 * each call of an [enable_allocate] operation. */
#ifndef RUNTIME_MEMORY_ENV_H
#define RUNTIME_MEMORY_ENV_H

#include <stddef.h>

struct memory_env;

/* An empty one with a reference for the caller; NULL: out of memory. */
struct memory_env *memory_env_new(void);
/* With the last reference everything in it is freed.  NULL is fine. */
void memory_env_put(struct memory_env *env);

/* Makes `env` (borrowed, NULL: none) this thread's; what was before, to be given back to
 * memory_env_leave(). */
struct memory_env *memory_env_enter(struct memory_env *env);
/* Ends it, and drops the reference of whatever RpcSsSetThreadHandle put in its place. */
void memory_env_leave(struct memory_env *outer);

/* In this thread's environment; NULL: out of memory, or there is none. */
void *memory_env_allocate(size_t size);
void memory_env_free(void *object);

/* RpcSsSetClientAllocFree of this thread: the routines client stubs use, or NULL. */
void memory_client_routines(void *(**ret_allocate)(size_t), void (**ret_free)(void *));

#endif
