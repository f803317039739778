/* SPDX-License-Identifier: MIT */
/* transfer.h - one file on its way, in either direction.
 *
 *            start                    push or pull says the pipe is over,
 *   FREE ----------------> MOVING     or cancelled
 *    ^                      |   \--------------------> WAITING
 *    |                      |                             | RpcCallComplete
 *    |                      | RpcCallComplete (failure),  v
 *    |                      | push or pull failed ------> OVER
 *    +----------------------------- end ------------------/
 *
 * Octets move in MOVING: whichever thread takes the call's packet from the port calls the
 * step function, under the lock.  The main thread starts, cancels and ends transfers; for a
 * get it also makes the first steps, because no notification comes before a pull has found
 * the pipe empty. */
#ifndef FILEREP_TRANSFER_H
#define FILEREP_TRANSFER_H

#include "client.h"
#include "file.h"

#include <pthread.h>

enum transfer_state {
    TRANSFER_FREE,
    TRANSFER_MOVING,
    TRANSFER_WAITING, /* for RpcCallComplete */
    TRANSFER_OVER     /* for transfer_end */
};

enum step_verdict {
    STEP_AGAIN, /* at once: more may be there */
    STEP_LATER  /* a notification will come, or the transfer left MOVING */
};

struct transfer {
    struct work work;
    struct client *client;
    /* The main thread's own: */
    bool in_use;
    bool main_steps; /* it has to call transfer_step */

    pthread_mutex_t lock; /* of everything below */
    enum transfer_state state;
    DWORD call_number;     /* which call of this transfer's it is */
    RPC_ASYNC_STATE async;
    ASYNC_byte_pipe data;
    bool call_complete; /* RpcCallComplete came */
    bool call_gone;     /* push or pull failed with `status`: nothing left to complete */
    RPC_STATUS status;
    int error; /* what went wrong here (errno or ERROR_*); the call was cancelled */
    char rel[PATH_MAX];
    char remote_path[PATH_MAX];
    file_info info;     /* [in] of put, [out] of get */
    file_digest digest; /* what the server says it sent (get) */
    struct infile in;   /* put */
    bool digest_sent;   /* put */
    struct outfile out; /* get */
    byte *buf;          /* FILE_CHUNK_LEN */
};

/* 0 or an errno value. */
int transfer_init(struct transfer *transfer, struct client *client);

/* Starts replicating the file `rel`.  False: it went wrong at once, which has been said. */
bool transfer_start(struct transfer *transfer, const char *rel);
enum step_verdict transfer_step(struct transfer *transfer);
bool transfer_is_over(struct transfer *transfer);
void transfer_cancel(struct transfer *transfer);
/* Collects the call and puts the file in its place, or away.  OVER --> FREE. */
void transfer_end(struct transfer *transfer);

/* ---- For transfer_get.c and transfer_put.c; the lock is held ---- */

void transfer_pipe_over(struct transfer *transfer);
void transfer_call_gone(struct transfer *transfer, RPC_STATUS status);
void transfer_give_up(struct transfer *transfer, int error);

int get_open(struct transfer *transfer);
RPC_STATUS get_start(struct transfer *transfer);
enum step_verdict get_step(struct transfer *transfer);
int get_close(struct transfer *transfer, bool whole);

int put_open(struct transfer *transfer);
RPC_STATUS put_start(struct transfer *transfer);
enum step_verdict put_step(struct transfer *transfer);
int put_close(struct transfer *transfer, bool whole);

#endif
