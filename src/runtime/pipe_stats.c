/* SPDX-License-Identifier: MIT */
/* pipe_stats.c - what a pipe has moved and how long it made its application wait.
 *
 * Counted where elements are moved anyway; clocks are read only where somebody waits. */
#include <penstock/rpcnterr.h>

#include "base/clock.h"
#include "base/limits.h"
#include "runtime/client_begin.h"
#include "runtime/pipe.h"

void pipe_wait_begin(struct pipe *pipe)
{
    if (pipe->stats.waiting_since_us == 0)
        pipe->stats.waiting_since_us = clock_us();
}

static uint64_t waited_us(const struct pipe_stats *stats)
{
    return stats->waiting_since_us > 0 ? clock_us() - stats->waiting_since_us : 0;
}

void pipe_wait_end(struct pipe *pipe, uint64_t least_us)
{
    struct pipe_stats *stats = &pipe->stats;
    uint64_t us = waited_us(stats);
    bool waited = stats->waiting_since_us > 0 && us >= least_us;
    stats->waiting_since_us = 0;
    if (!waited)
        return;
    pipe->times_blocked++;
    if (us > stats->longest_wait_us)
        stats->longest_wait_us = us;
}

/* Lock held. */
static RPCX_PIPE_STATS read_stats(const struct pipe *pipe)
{
    const struct rpc_call *call = pipe->call;
    const struct pipe_stats *stats = &pipe->stats;
    uint64_t waiting_us = waited_us(stats);
    RPCX_PIPE_STATS now = {
        .ElementsPushed = stats->pushed,
        .ElementsPulled = stats->pulled,
        .OctetsPushed = stats->pushed * pipe->rx.type->layout.stride,
        .OctetsPulled = stats->pulled * pipe->rx.type->layout.stride,
        .OctetsQueued = pipe_rx_octets(&pipe->rx),
        .TimesBlocked = pipe->times_blocked,
        .LongestWaitUs = waiting_us > stats->longest_wait_us ? waiting_us : stats->longest_wait_us,
    };
    /* A call with pipes has its connection to itself. */
    if (pipe_sends(pipe))
        now.OctetsQueued += txq_len(&call->conn->assoc.txq) + call->held_len +
                            (call_defers(call) ? call->begin->pushed_len : 0);
    return now;
}

RPC_STATUS RpcxPipeInqStats(char *state, RPCX_PIPE_STATS *Stats, unsigned int Size)
{
    if (!Stats || Size != sizeof(*Stats))
        return RPC_S_INVALID_ARG;
    RPC_STATUS status;
    struct pipe *pipe = pipe_enter(state, &status);
    if (!pipe)
        return status;
    *Stats = read_stats(pipe);
    pipe_leave(pipe, RPC_S_OK);
    return RPC_S_OK;
}
