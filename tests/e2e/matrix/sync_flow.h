/* SPDX-License-Identifier: MIT */
/* sync_flow.h - one synchronous pipe, on either side: what it carries follows from the
 * plan, what arrives is compared with the pattern. */
#ifndef MATRIX_SYNC_FLOW_H
#define MATRIX_SYNC_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "elements.h"
#include "rpc.h"

struct sync_flow {
    const struct element *element;
    flow_plan plan;
    bool server;
    uint64_t sent, received;
    unsigned ends;   /* pushes of 0 elements seen       */
    uint64_t random;
    void *buffer;    /* chunk_max elements              */
    NDR_PIPE pipe;   /* client: what the stub is given  */
};

struct sync_flow *sync_flow_client(const struct element *element, const flow_plan *plan);
/* Server, in the manager: pulls to the end, pushes all; raises FLOW_WRONG_... */
void sync_flow_serve(const struct element *element, const flow_plan *plan, const NDR_PIPE *pipe,
                     bool in, bool out, uint64_t *got);
void sync_flow_free(struct sync_flow *flow);

#endif
