/* SPDX-License-Identifier: MIT */
/* sync_flow.c - see sync_flow.h. */
#include "sync_flow.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"

static uint32_t seed_of(const struct sync_flow *flow, bool to_server)
{
    return to_server ? flow->plan.seed : flow->plan.seed ^ FLOW_BACK_SEED;
}

static unsigned long next_size(struct sync_flow *flow, uint64_t most)
{
    uint64_t size = flow->plan.chunk_max;
    if (!(flow->plan.how & FLOW_EXACT)) {
        flow->random = flow->random * 6364136223846793005u + 1442695040888963407u;
        size = (flow->random >> 33) % flow->plan.chunk_max + 1;
    }
    return (unsigned long)(size < most ? size : most);
}

static struct sync_flow *flow_new(const struct element *element, const flow_plan *plan)
{
    struct sync_flow *flow = calloc(1, sizeof(*flow));
    if (!flow || !(flow->buffer = malloc(plan->chunk_max * element->size)))
        abort();
    flow->element = element;
    flow->plan = *plan;
    flow->random = plan->seed;
    return flow;
}

void sync_flow_free(struct sync_flow *flow)
{
    free(flow->buffer);
    free(flow);
}

static unsigned long fill(struct sync_flow *flow, void *buf, uint64_t most)
{
    uint64_t left = flow->plan.count - flow->sent;
    unsigned long n = next_size(flow, left < most ? left : most);
    flow->element->fill(flow->sent, seed_of(flow, !flow->server), buf, n);
    flow->sent += n;
    return n;
}

/* RPC_S_OK, or what is wrong with what arrived. */
static RPC_STATUS check(struct sync_flow *flow, const void *buf, unsigned long n)
{
    if (flow->received + n > flow->plan.count)
        return FLOW_WRONG_COUNT;
    if (flow->element->check(flow->received, seed_of(flow, flow->server), buf, n) != n)
        return FLOW_WRONG_DATA;
    flow->received += n;
    return RPC_S_OK;
}

/* ---- Client: the routines the stub calls ------------------------------------- */

/* SP-4: may give less than is asked for, and the same buffer every time. */
static void give_buffer(char *state, unsigned long bsize, void **buf, unsigned long *bcount)
{
    struct sync_flow *flow = (struct sync_flow *)(void *)state;
    size_t have = flow->plan.chunk_max * flow->element->size;
    *buf = flow->buffer;
    *bcount = bsize < have ? bsize : have;
}

static void give_elements(char *state, void *buf, unsigned long esize, unsigned long *ecount)
{
    struct sync_flow *flow = (struct sync_flow *)(void *)state;
    if (buf != flow->buffer)
        RpcRaiseException(FLOW_WRONG_NOTICE);
    *ecount = fill(flow, buf, esize);
}

static void take_elements(char *state, void *buf, unsigned long ecount)
{
    struct sync_flow *flow = (struct sync_flow *)(void *)state;
    flow->ends += ecount == 0;
    if (flow->ends > (ecount == 0 ? 1u : 0u)) /* SP-7: the end comes once, and last */
        RpcRaiseException(FLOW_WRONG_NOTICE);
    RPC_STATUS status = check(flow, buf, ecount);
    if (status == RPC_S_OK && ecount == 0 && flow->received != flow->plan.count)
        status = FLOW_WRONG_COUNT;
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}

struct sync_flow *sync_flow_client(const struct element *element, const flow_plan *plan)
{
    struct sync_flow *flow = flow_new(element, plan);
    flow->pipe = (NDR_PIPE){.pull = give_elements,
                            .push = take_elements,
                            .alloc = give_buffer,
                            .state = (char *)flow};
    return flow;
}

/* ---- Server: the manager's loops (SP-8) ---------------------------------------- */

static RPC_STATUS pull_all(struct sync_flow *flow, const NDR_PIPE *pipe)
{
    RPC_STATUS status = RPC_S_OK;
    unsigned long n;
    do {
        n = 0;
        pipe->pull(pipe->state, flow->buffer, next_size(flow, UINT64_MAX), &n);
        status = check(flow, flow->buffer, n);
    } while (status == RPC_S_OK && n > 0);
    if (status == RPC_S_OK && flow->received != flow->plan.count)
        status = FLOW_WRONG_COUNT;
    return status;
}

void sync_flow_serve(const struct element *element, const flow_plan *plan, const NDR_PIPE *pipe,
                     bool in, bool out, uint64_t *got)
{
    struct sync_flow *flow = flow_new(element, plan);
    volatile RPC_STATUS status = RPC_S_OK;
    flow->server = true;
    RpcTryExcept {
        if (in)
            status = pull_all(flow, pipe);
        while (status == RPC_S_OK && out && flow->sent < plan->count) {
            unsigned long n = fill(flow, flow->buffer, UINT64_MAX);
            pipe->push(pipe->state, flow->buffer, n);
        }
        if (status == RPC_S_OK && out)
            pipe->push(pipe->state, NULL, 0);
    }
    RpcExcept(1) {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    if (got)
        *got = flow->received;
    sync_flow_free(flow);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
}
