/* SPDX-License-Identifier: MIT */
/* matrix_server_sync.c - the same interface compiled without the ACF: every manager
 * is synchronous.  Use as matrix_server. */
#include <string.h>

#include "elements.h"
#include "memory.h"
#include "rpc.h"
#include "serve.h"
#include "sync_flow.h"

#define PIPE_MANAGERS(name, type)                                                                  \
    void sink_##name(handle_t h, const flow_plan *server, name##_pipe *data, uint64_t *got)        \
    {                                                                                              \
        (void)h;                                                                                   \
        sync_flow_serve(&elements[ELEMENT_##name], server, (NDR_PIPE *)data, true, false, got);    \
    }                                                                                              \
    void source_##name(handle_t h, const flow_plan *server, name##_pipe *data)                     \
    {                                                                                              \
        (void)h;                                                                                   \
        sync_flow_serve(&elements[ELEMENT_##name], server, (NDR_PIPE *)data, false, true, NULL);   \
    }                                                                                              \
    void swap_##name(handle_t h, const flow_plan *server, name##_pipe *data, uint64_t *got)        \
    {                                                                                              \
        (void)h;                                                                                   \
        sync_flow_serve(&elements[ELEMENT_##name], server, (NDR_PIPE *)data, true, true, got);     \
    }
ELEMENTS(PIPE_MANAGERS)

int32_t add(handle_t h, int32_t a, int64_t b, int64_t *sum)
{
    (void)h;
    *sum = a + b;
    return (int32_t)(*sum & 0x7fff);
}

void reverse(handle_t h, uint32_t n, const byte *in, byte *out)
{
    (void)h;
    for (uint32_t i = 0; i < n; i++)
        out[n - 1 - i] = in[i];
}

uint32_t length(handle_t h, const unsigned char *text)
{
    (void)h;
    return (uint32_t)strlen((const char *)text);
}

void raise_code(handle_t h, uint32_t code)
{
    (void)h;
    RpcRaiseException((RPC_STATUS)code);
}

int main(int argc, char **argv)
{
    return serve(matrix_v1_0_s_ifspec, argc, argv);
}
