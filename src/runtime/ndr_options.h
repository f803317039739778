/* SPDX-License-Identifier: MIT */
/* ndr_options.h - what a program chooses about NDR: the transfer syntaxes its calls may
 * use, and how much memory and nesting one call may ask of it. */
#ifndef RUNTIME_NDR_OPTIONS_H
#define RUNTIME_NDR_OPTIONS_H

#include <stddef.h>

#include <penstock/rpcndr.h>

/* What one call may take on receipt; see RpcxServerSetLimits. */
struct ndr_limits {
    size_t allocated_max;   /* octets; 0: NDR_ALLOCATED_MAX */
    unsigned int depth_max; /* 0: NDR_DEPTH_MAX             */
};

/* Sets of ASSOC_*, never empty: what stubs offer unless their binding says otherwise, and
 * what a server accepts. */
unsigned ndr_client_syntaxes(void);
unsigned ndr_server_syntaxes(void);

/* What stubs of the interface can do here; may be empty. */
unsigned ndr_interface_syntaxes(const RPC_CLIENT_INTERFACE *spec);

struct ndr_limits ndr_server_limits(void);

#endif
