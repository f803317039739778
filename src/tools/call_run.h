/* SPDX-License-Identifier: MIT */
/* call_run.h - one call under way: its notification, its pipes, and the user's Ctrl-C. */
#ifndef PENSTOCK_TOOLS_CALL_RUN_H
#define PENSTOCK_TOOLS_CALL_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <penstock/rpc.h>
#include <penstock/rpcndr.h>

#include "progress.h"

/* One pipe parameter, with the files of both directions. */
struct call_pipe {
    const NDR_PARAM *param;
    const char *in_name, *out_name; /* "-": standard input or output; NULL: not in use */
    int in_fd, out_fd;              /* -1: not in use */
    NDR_ASYNC_PIPE pipe;            /* the frame leads here */
};

struct call_run {
    RPC_ASYNC_STATE async;
    atomic_bool begun; /* there is a call on `async`, for another thread to cancel */
    int event_fd;  /* readable: the call has something to tell */
    int cancel_fd; /* readable: the user has cancelled, and no more input is wanted */
    struct call_pipe *pipes;
    unsigned pipe_count;
    bool pipe_json; /* elements are lines of JSON */
    struct progress progress;
    bool stopped;    /* input was left before its end: the call has ended, or is cancelled */
    int local_error; /* EXIT_*: a file failed, and that was reported; the call is given up */
};

/* What a wait ends with. */
enum call_wait {
    CALL_WAIT_READY,    /* `fd` */
    CALL_WAIT_EVENT,    /* a notification; it is consumed */
    CALL_WAIT_CANCELLED /* SIGINT or SIGTERM was seen */
};

/* Waits for one of them; `fd` -1: none, then cancellation does not end the wait either. */
enum call_wait call_wait(struct call_run *run, int fd);

/* Calls operation `opnum` with `frame` and waits for its end.  Signals are taken from here
 * on until it returns: the first cancels, the second aborts.  *ret_cancelled: there was one.
 * The status of the call. */
RPC_STATUS call_run(struct call_run *run, const RPC_CLIENT_INTERFACE *spec,
                    const NDR_OPERATION *operation, uint8_t *frame, bool *ret_cancelled);

/* call_pipe.c: moves all elements of all pipes.  RPC_S_OK: the call is to be completed; else
 * it has ended with that. */
RPC_STATUS call_pipes_move(struct call_run *run);

#endif
