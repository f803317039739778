/* SPDX-License-Identifier: MIT */
/* cancel_thread.h - what a thread that makes a synchronous call tells those who may cancel
 * it with RpcCancelThread.
 *
 *   begin --> [connecting: descriptor, connection] --> call placed --> end
 *
 * Only a thread that a HANDLE can exist for takes part: for all others these functions
 * do nothing.  Lock order: connection, then this. */
#ifndef RUNTIME_CANCEL_THREAD_H
#define RUNTIME_CANCEL_THREAD_H

#include <stdbool.h>

struct conn;
struct rpc_call;

/* Where the synchronous call of a thread has got to. */
struct sync_wait {
    bool listed;           /* the thread takes part                                      */
    bool active;           /* there is one                                               */
    bool cancelled;        /* before it was placed: it is not to be                      */
    int wake_fd;           /* an eventfd that ends a connection attempt; -1: none yet    */
    int timeout_s;         /* RpcMgmtSetCancelTimeout of the thread, when it began       */
    struct conn *conn;     /* waits for the answer to its bind; nobody else has it       */
    struct rpc_call *call; /* placed on a connection; the thread has a reference         */
};

/* A synchronous call begins on this thread, and ends; *ret_outer keeps the one around it,
 * if a routine of a pipe or of a callback makes it. */
void cancel_thread_begin(struct sync_wait *ret_outer);
void cancel_thread_end(const struct sync_wait *outer);

/* Was the thread cancelled before its call was placed? */
bool cancel_thread_seen(void);

/* Readable once it is; -1: nobody can cancel the thread, or there are no descriptors. */
int cancel_thread_fd(void);

/* The connection this thread waits for the bind of; NULL: no more.  False: cancelled. */
bool cancel_thread_conn(struct conn *conn);

/* The call is about to be sent.  False: cancelled. */
bool cancel_thread_call(struct rpc_call *call);

#endif
