/* SPDX-License-Identifier: MIT */
/* async.h - RPC_ASYNC_STATE as the runtime marks it.
 *
 * StubInfo holds the number of the call in the handle table, never a pointer: a
 * state that was copied, reused or freed by the application leads nowhere. */
#ifndef RUNTIME_ASYNC_H
#define RUNTIME_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpcasync.h>

/* RpcAsyncInitializeHandle was called on it (or it is a server's). */
bool async_is_initialised(const RPC_ASYNC_STATE *async);

/* Does it belong to a call still going on? */
bool async_in_use(const RPC_ASYNC_STATE *async);

/* The deadline RpcxAsyncSetDeadline left for the call that begins, microseconds of
 * clock_us(), and 0 from now on; 0: none. */
uint64_t async_take_deadline(PRPC_ASYNC_STATE async);

/* Marks a state of the runtime's own. */
void async_init(PRPC_ASYNC_STATE async);

#endif
