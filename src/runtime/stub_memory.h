/* SPDX-License-Identifier: MIT */
/* stub_memory.h - see stub_memory.c. */
#ifndef RUNTIME_STUB_MEMORY_H
#define RUNTIME_STUB_MEMORY_H

#include <stddef.h>

/* What stands for MIDL_user_allocate and MIDL_user_free in the library's own stubs. */
void *stub_memory_allocate(size_t size);
void stub_memory_free(void *object);

/* What the program has set for this thread's client stubs (RpcSsSetClientAllocFree) is not
 * meant for the library's: a call of these stands between enter and leave. */
struct stub_memory {
    void *(*allocate)(size_t size);
    void (*free)(void *object);
};
void stub_memory_enter(struct stub_memory *outer);
void stub_memory_leave(const struct stub_memory *outer);

#endif
