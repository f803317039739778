/* SPDX-License-Identifier: MIT */
/* matrix_server_sync.c - the same interface compiled without the ACF: every manager
 * is synchronous.  Use as matrix_server. */
#include <stdio.h>
#include <string.h>

#include "elements.h"
#include "memory.h"
#include "rpc.h"
#include "serve.h"

/* Synchronous pipes are not there yet: the runtime refuses the call, and no manager
 * may ever see one. */
static void never(const char *name)
{
    fprintf(stderr, "manager of %s was called\n", name);
    RpcRaiseException(RPC_S_INTERNAL_ERROR);
}

#define PIPE_MANAGERS(name, type)                                                                  \
    void sink_##name(handle_t h, const flow_plan *server, name##_pipe *data, uint64_t *got)        \
    {                                                                                              \
        (void)h, (void)server, (void)data, (void)got;                                              \
        never("sink_" #name);                                                                      \
    }                                                                                              \
    void source_##name(handle_t h, const flow_plan *server, name##_pipe *data)                     \
    {                                                                                              \
        (void)h, (void)server, (void)data;                                                         \
        never("source_" #name);                                                                    \
    }                                                                                              \
    void swap_##name(handle_t h, const flow_plan *server, name##_pipe *data, uint64_t *got)        \
    {                                                                                              \
        (void)h, (void)server, (void)data, (void)got;                                              \
        never("swap_" #name);                                                                      \
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
