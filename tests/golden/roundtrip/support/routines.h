/* SPDX-License-Identifier: MIT */
/* What routines of conversions share. */
#ifndef GOLDEN_SUPPORT_ROUTINES_H
#define GOLDEN_SUPPORT_ROUTINES_H

#include <string.h>

#include "text.h"
#include "values.h"

static inline void *routine_memory(size_t size)
{
    void *memory = midl_user_allocate(size ? size : 1);
    if (!memory)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    return memory;
}

/* At the next address that is a multiple of the size; what is read or written there is in the
 * host's byte order. */
static inline unsigned char *aligned(unsigned char *at, size_t size)
{
    return at + (-(uintptr_t)at & (size - 1));
}

static inline unsigned char *put_octets(unsigned char *at, size_t size, const void *value)
{
    at = aligned(at, size);
    memcpy(at, value, size);
    return at + size;
}

static inline unsigned char *get_octets(unsigned char *at, size_t size, void *value)
{
    at = aligned(at, size);
    memcpy(value, at, size);
    return at + size;
}

#endif
