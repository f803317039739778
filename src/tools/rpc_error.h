/* SPDX-License-Identifier: MIT */
/* rpc_error.h - extended error information for people. */
#ifndef PENSTOCK_TOOLS_RPC_ERROR_H
#define PENSTOCK_TOOLS_RPC_ERROR_H

#include <stdio.h>

/* The chain of this thread, a record a line; nothing when there is none. */
void rpc_error_print_records(FILE *out);

#endif
