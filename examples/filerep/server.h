/* SPDX-License-Identifier: MIT */
/* server.h - what the managers of filerepd share. */
#ifndef FILEREP_SERVER_H
#define FILEREP_SERVER_H

#include "filerep.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Managers get no context pointer from the runtime, so this is global.  Written before the
 * server listens, except `stopping`. */
struct server {
    int root; /* the folder served */
    bool read_only;
    atomic_bool stopping; /* transfers end with ERROR_STOPPING at their next step */
};
extern struct server server;

/* EROFS when clients must not write here, else 0. */
int server_write_error(void);

/* Asks for notifications about the pipe of `async` by calls of `routine`.  Before the first
 * push or pull. */
void server_notify(PRPC_ASYNC_STATE async, PFN_RPCNOTIFICATION_ROUTINE routine, void *transfer);

/* Ends the call with a fault that tells of `error` (an errno value or ERROR_*). */
void server_fail(PRPC_ASYNC_STATE async, int error);

#endif
