/* SPDX-License-Identifier: MIT */
/* characters_client.h - between characters_client.c and characters_reply.c. */
#ifndef RUNTIME_CHARACTERS_CLIENT_H
#define RUNTIME_CHARACTERS_CLIENT_H

#include "runtime/characters_internal.h"

struct characters {
    const NDR_OPERATION *op;
    void *frame;     /* the program's */
    void *kept;      /* the same, ours; or NULL */
    uint8_t *shadow; /* the engine's */
    RPC_BINDING_HANDLE binding;
    bool sends; /* what the program has is converted */
    struct ndr_memory memory;
    struct characters_graph request;
    struct ndr_aliases sent; /* arrays of the request by the address of their octets */
};

#endif
