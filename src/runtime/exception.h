/* SPDX-License-Identifier: MIT */
/* exception.h - what the run time itself needs of exceptions (the macros are in
 * <penstock/rpc.h>). */
#ifndef PENSTOCK_RUNTIME_EXCEPTION_H
#define PENSTOCK_RUNTIME_EXCEPTION_H

#include <stdbool.h>

#include <penstock/rpctypes.h>

/* Calls fn(arg), code of the application that may raise: a manager, a callback.
 * RPC_S_OK with *ret_raised false when it returned; else *ret_raised is true and the
 * result is what it raised (which may be any value, 0 included).  Handlers the
 * application left behind are removed either way. */
RPC_STATUS exception_run(void (*fn)(void *arg), void *arg, bool *ret_raised);

#endif
