/* SPDX-License-Identifier: MIT */
/* pipe.h - what the files about pipes share.
 *
 *   pipe.c       asynchronous pipes: what applications of both sides call
 *   sync_pipe.c  synchronous pipes: a client's callbacks are called, a server's manager
 *                calls, both until all is through
 *   pipe_tx.c    push: elements become chunks, chunks fragments
 *   pipe_rx.c    pull: fragments, as they arrived, become elements
 *   pipe_stats.c what it all amounts to
 *
 * The connection's lock is held; (drops) releases it for a while. */
#ifndef RUNTIME_PIPE_H
#define RUNTIME_PIPE_H

#include "runtime/call.h"

/* May it be pulled, or pushed, now?  RPC_X_WRONG_PIPE_ORDER: the other direction, not
 * its turn; RPC_X_PIPE_CLOSED: its end was pulled, or pushed. */
RPC_STATUS pipe_check_pull(const struct pipe *pipe);
RPC_STATUS pipe_check_push(const struct pipe *pipe);

/* The application took octets: below the low mark the connection is read again. */
void pipe_check_low_mark(struct pipe *pipe);

/* (drops) A push may wait in its middle, and another thread's must not come between its
 * parts: from taking to giving the turn the call's pushes are this thread's alone.  The call
 * may be over or released by the time it is taken. */
void pipe_take_turn(struct rpc_call *call);
void pipe_give_turn(struct rpc_call *call);

/* (drops) Sends `count` elements at `memory`; when it returns they are sent or copied.
 * RPC_S_INVALID_ARG: more elements than a chunk holds, nothing was sent; else what the
 * call has failed with. */
RPC_STATUS pipe_send_elements(struct pipe *pipe, const uint8_t *memory, unsigned long count);

/* (drops) The terminator.  A client sends it at once: with its last pipe the request
 * ends.  A server keeps it for the fragment that follows, since the last one must not be
 * empty and no other may end where the terminator does (wire.md 9, row 26). */
RPC_STATUS pipe_send_end(struct pipe *pipe);

/* ---- sync_pipe.c ---------------------------------------------------------------- */

/* Client, before the call: RPC_X_NULL_REF_POINTER: no structure;
 * RPC_X_INVALID_PIPE_OBJECT: a routine that will be needed is NULL. */
RPC_STATUS sync_pipes_check(const NDR_OPERATION *op, const void *frame);

/* (drops) Client: moves all the pipes of the call, on this thread, through the routines
 * in `frame`.  What a routine raised, or the call failed with; then the call is given up.
 * RPC_X_PIPE_APP_MEMORY: alloc gave no room for an element. */
RPC_STATUS sync_pipes_run(struct rpc_call *call, const void *frame);

/* Server: fills `pipes`, memory that lives as long as the call, and the frame. */
void sync_pipes_publish(struct rpc_call *call, NDR_PIPE *pipes);

/* ---- pipe_stats.c --------------------------------------------------------------- */

/* The application has to wait from now on; does nothing while it does already. */
void pipe_wait_begin(struct pipe *pipe);
/* Until now; a wait shorter than `least_us` does not count. */
void pipe_wait_end(struct pipe *pipe, uint64_t least_us);

/* ---- pipe.c --------------------------------------------------------------------- */

/* The pipe behind a `state`, with a reference and its connection locked; NULL: what
 * its call ended with is in *ret_status. */
struct pipe *pipe_enter(char *state, RPC_STATUS *ret_status);
/* `status`: of what was done.  A failure may have been read by this very thread, while
 * another that came for it found the reader's role taken and left: so it is this one
 * that sees to the connection. */
void pipe_leave(struct pipe *pipe, RPC_STATUS status);

/* Did the application ask for RpcSendComplete?  The flag is read now (AP-17). */
bool call_asks_send_complete(const struct rpc_call *call);

#endif
