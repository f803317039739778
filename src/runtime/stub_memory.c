/* SPDX-License-Identifier: MIT */
/* stub_memory.c - the memory of the library's own stubs (src/stubs), which must not be that of
 * the program they are linked into. */
#include "runtime/stub_memory.h"

#include <stdlib.h>

#include <penstock/rpcndr.h>

void *stub_memory_allocate(size_t size)
{
    return malloc(size);
}

void stub_memory_free(void *object)
{
    free(object);
}

void stub_memory_enter(struct stub_memory *outer)
{
    RpcSmSwapClientAllocFree(stub_memory_allocate, stub_memory_free, &outer->allocate,
                             &outer->free);
}

void stub_memory_leave(const struct stub_memory *outer)
{
    RpcSmSetClientAllocFree(outer->allocate, outer->free);
}
