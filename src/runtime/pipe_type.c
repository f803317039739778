/* SPDX-License-Identifier: MIT */
/* pipe_type.c - see pipe_type.h.  A type is kept no longer than there are pipes of it: its
 * descriptors may be in a module that is unloaded. */
#include "runtime/pipe_type.h"

#include <pthread.h>
#include <stdlib.h>

#include <penstock/rpcnterr.h>

static pthread_mutex_t types_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pipe_type *types;

static RPC_STATUS type_new(const NDR_TYPE *type, const NDR_RANGE *range, bool ndr64,
                           struct pipe_type **ret_type)
{
    struct ndr_element_layout layout;
    RPC_STATUS status = ndr_element_layout(type->element, ndr64, &layout);
    if (status != RPC_S_OK)
        return status;
    struct pipe_type *new = malloc(sizeof(*new));
    if (!new)
        return RPC_S_OUT_OF_MEMORY;
    *new = (struct pipe_type){
        .element = type->element,
        .element_range = type->element_range,
        .layout = layout,
        .chunk = {.size = layout.size,
                  .align = layout.align,
                  .stride = layout.stride,
                  .count_min = range ? (uint64_t)range->low : 0,
                  .count_max = range ? (uint64_t)range->high : UINT32_MAX,
                  .ndr64 = ndr64},
        .of = type,
        .range = range,
    };
    *ret_type = new;
    return RPC_S_OK;
}

RPC_STATUS pipe_type_get(const NDR_TYPE *type, const NDR_RANGE *range, bool ndr64,
                         const struct pipe_type **ret_type)
{
    RPC_STATUS status = RPC_S_OK;
    pthread_mutex_lock(&types_lock);
    struct pipe_type *known = types;
    while (known && (known->of != type || known->range != range || known->chunk.ndr64 != ndr64))
        known = known->next;
    if (!known) {
        status = type_new(type, range, ndr64, &known);
        if (status == RPC_S_OK) {
            known->next = types;
            types = known;
        }
    }
    if (status == RPC_S_OK) {
        known->users++;
        *ret_type = known;
    }
    pthread_mutex_unlock(&types_lock);
    return status;
}

void pipe_type_put(const struct pipe_type *type)
{
    if (!type)
        return;
    struct pipe_type *unused = NULL;
    pthread_mutex_lock(&types_lock);
    struct pipe_type **at = &types;
    while (*at != type)
        at = &(*at)->next;
    if (--(*at)->users == 0) {
        unused = *at;
        *at = unused->next;
    }
    pthread_mutex_unlock(&types_lock);
    free(unused);
}
