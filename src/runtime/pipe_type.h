/* SPDX-License-Identifier: MIT */
/* pipe_type.h - what all pipes of a type share: how its elements lie in memory and on the
 * wire.  Thousands of pipes are open at a time, of a few types. */
#ifndef RUNTIME_PIPE_TYPE_H
#define RUNTIME_PIPE_TYPE_H

#include <penstock/rpcndr.h>

#include "ndr/ndr.h"
#include "proto/chunk.h"

struct pipe_type {
    const NDR_TYPE *element;
    const NDR_RANGE *element_range; /* NULL: none */
    struct ndr_element_layout layout;
    struct chunk_layout chunk;

    /* pipe_type.c's */
    const NDR_TYPE *of;
    const NDR_RANGE *range;
    unsigned users;
    struct pipe_type *next;
};

/* `type` is a pipe's, in NDR64 or NDR 2.0; `range` limits the elements of a chunk, NULL:
 * not.  Gives *ret_type, for pipe_type_put().  Any thread.
 * RPC_S_OK; RPC_S_CANNOT_SUPPORT: not a pipe element; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS pipe_type_get(const NDR_TYPE *type, const NDR_RANGE *range, bool ndr64,
                         const struct pipe_type **ret_type);

/* NULL is allowed. */
void pipe_type_put(const struct pipe_type *type);

#endif
