/* SPDX-License-Identifier: MIT */
/* builtin.h - operations of interfaces that every server or computer has, called through
 * descriptors made from IDL inside the tool, with JSON on both sides. */
#ifndef PENSTOCK_TOOLS_BUILTIN_H
#define PENSTOCK_TOOLS_BUILTIN_H

#include <jansson.h>

#include <penstock/rpc.h>

/* Calls "mgmt.OPERATION" or "epmapper.OPERATION" with `arguments`, which it takes.  EXIT_OK and
 * *ret_results, given; or reported, `what` in front of it.  A status other than 0 in the
 * results is reported like one of the call, unless it is `expected`. */
int builtin_call(RPC_BINDING_HANDLE binding, const char *what, const char *operation,
                 json_t *arguments, uint32_t expected, json_t **ret_results);

#endif
