/* SPDX-License-Identifier: MIT */
/* work.c - the memory functions generated stubs want. */
#include <stdlib.h>

#include "peer.h" /* declares them */
#include "work.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}
