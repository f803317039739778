/* SPDX-License-Identifier: MIT */
/* listen_place.h - at which addresses and on which ports a server listens. */
#ifndef RUNTIME_LISTEN_PLACE_H
#define RUNTIME_LISTEN_PLACE_H

#include <penstock/rpc.h>

#include "io/transport.h"

/* What the program has set and `policy` (NULL: the default) chooses of it. */
void listen_place(const RPC_POLICY *policy, struct transport_place *ret_place);

#endif
