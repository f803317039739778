/* SPDX-License-Identifier: MIT */
/* server.h - what the managers of filerepd share. */
#ifndef FILEREP_SERVER_H
#define FILEREP_SERVER_H

#include "filerep.h"
#include "work.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Managers get no context pointer from the runtime, so this is global.  Written before the
 * server listens, except `stopping`. */
struct server {
    int root; /* the folder served */
    bool read_only;
    HANDLE port; /* where calls with pipes notify; threads wait at it */
    atomic_bool stopping; /* transfers end with ERROR_STOPPING at their next step */
};
extern struct server server;

/* EROFS when clients must not write here, else 0. */
int server_write_error(void);

/* Has `work` run by a thread at the port, at once and with each notification about the pipe
 * of `async`.  False: out of memory, nothing will run. */
bool server_start(struct work *work, PRPC_ASYNC_STATE async);

/* Ends the call with a fault that tells of `error` (an errno value or ERROR_*). */
void server_fail(PRPC_ASYNC_STATE async, int error);

#endif
