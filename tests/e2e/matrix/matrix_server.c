/* SPDX-License-Identifier: MIT */
/* matrix_server.c - the asynchronous side of the matrix.
 *
 *     matrix_server PROTSEQ:ENDPOINT...
 *
 * Prints "ready" and serves until its standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../detached.h"
#include "flow.h"
#include "memory.h"
#include "serve.h"

#define PIPE_MANAGERS(name, type)                                                                  \
    void sink_##name(PRPC_ASYNC_STATE async, handle_t h, const flow_plan *server,                  \
                     ASYNC_##name##_pipe *data, uint64_t *got)                                     \
    {                                                                                              \
        (void)h;                                                                                   \
        flow_serve(async, &elements[ELEMENT_##name], server, (NDR_ASYNC_PIPE *)data, true, false,  \
                   got);                                                                           \
    }                                                                                              \
    void source_##name(PRPC_ASYNC_STATE async, handle_t h, const flow_plan *server,                \
                       ASYNC_##name##_pipe *data)                                                  \
    {                                                                                              \
        (void)h;                                                                                   \
        flow_serve(async, &elements[ELEMENT_##name], server, (NDR_ASYNC_PIPE *)data, false, true,  \
                   NULL);                                                                          \
    }                                                                                              \
    void swap_##name(PRPC_ASYNC_STATE async, handle_t h, const flow_plan *server,                  \
                     ASYNC_##name##_pipe *data, uint64_t *got)                                     \
    {                                                                                              \
        (void)h;                                                                                   \
        flow_serve(async, &elements[ELEMENT_##name], server, (NDR_ASYNC_PIPE *)data, true, true,   \
                   got);                                                                           \
    }
ELEMENTS(PIPE_MANAGERS)

/* ---- Without pipes: each completes in another way -------------------------- */

void add(PRPC_ASYNC_STATE async, handle_t h, int32_t a, int64_t b, int64_t *sum)
{
    (void)h;
    *sum = a + b;
    int32_t result = (int32_t)(*sum & 0x7fff);
    RpcAsyncCompleteCall(async, &result); /* within the manager */
}

struct later {
    PRPC_ASYNC_STATE async;
    uint32_t n;
    const byte *in;
    byte *out;
};

static void *reverse_later(void *arg)
{
    struct later *later = arg;
    for (uint32_t i = 0; i < later->n; i++)
        later->out[later->n - 1 - i] = later->in[i];
    RpcAsyncCompleteCall(later->async, NULL);
    free(later);
    return NULL;
}

void reverse(PRPC_ASYNC_STATE async, handle_t h, uint32_t n, const byte *in, byte *out)
{
    (void)h;
    struct later *later = malloc(sizeof(*later));
    if (!later)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *later = (struct later){async, n, in, out};
    if (!start_detached(reverse_later, later))
        abort();
}

void length(PRPC_ASYNC_STATE async, handle_t h, const unsigned char *text)
{
    (void)h;
    uint32_t result = (uint32_t)strlen((const char *)text);
    RpcAsyncCompleteCall(async, &result);
}

void raise_code(PRPC_ASYNC_STATE async, handle_t h, uint32_t code)
{
    (void)h;
    if (code & 1)
        RpcRaiseException((RPC_STATUS)code); /* before hand-off (AR-17) */
    RpcAsyncAbortCall(async, code);
}

int main(int argc, char **argv)
{
    return serve(matrix_v1_0_s_ifspec, argc, argv);
}
