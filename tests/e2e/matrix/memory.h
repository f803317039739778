/* SPDX-License-Identifier: MIT */
/* memory.h - what generated code allocates with; included once per program. */
#ifndef MATRIX_MEMORY_H
#define MATRIX_MEMORY_H

#include <stdlib.h>

#include "rpc.h"
#include "rpcndr.h"

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

#endif
