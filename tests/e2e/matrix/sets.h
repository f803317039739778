/* SPDX-License-Identifier: MIT */
/* sets.h - sets of pipe calls for a client of either kind: pipes (every element type,
 * direction and size), wrong (do the checks of `pipes` check?), huge-in, huge-out (more
 * than 2^32 octets).
 *
 * PENSTOCK_TEST_SCALE divides the large sizes, for instrumented builds. */
#ifndef MATRIX_SETS_H
#define MATRIX_SETS_H

#include <stdbool.h>

#include "elements.h"
#include "rpc.h"

enum direction { TO_SERVER, TO_CLIENT, BOTH_WAYS, DIRECTION_COUNT };
extern const char *const direction_names[DIRECTION_COUNT];

/* The client's: one call, every element checked on the side it arrives at, RPC_S_OK in
 * the end. */
RPC_STATUS run(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
               const flow_plan *client, const flow_plan *server);

/* False: there is no such set. */
bool run_set(RPC_BINDING_HANDLE h, const char *binding, const char *name);

#endif
