/* SPDX-License-Identifier: MIT */
/* server_put.c - filerep_put: a file comes in through an [in] pipe.
 *
 *   manager: create, post a packet, return
 *   threads at the port:
 *            RECEIVING --pull: octets--> write --> RECEIVING ...
 *                |  pull: pending --> (RpcReceiveComplete) --> RECEIVING
 *                |  pull: failed --> discard (the client is gone)
 *                +--pull: end--> compare digests, rename, RpcAsyncCompleteCall
 *
 * The last FILEREP_DIGEST_LEN octets of the pipe are the digest of all others.  Where the
 * end is shows only at the end, so that many octets are always held back:
 *
 *   buf | held (up to 32) | pulled now ... |     write all but the last 32, keep those
 *
 * The pending pull doubles as the watch for clients that vanish: it fails as soon as the
 * connection does, and the unfinished file goes away. */
#include "file.h"
#include "server.h"
#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct put {
    struct work work;
    PRPC_ASYNC_STATE async; /* the runtime's, until Complete or Abort */
    ASYNC_byte_pipe *data;  /* the runtime's */
    file_info info;         /* a copy: [in] parameters are not ours to keep */
    struct outfile file;
    size_t held_len;
    size_t buf_len; /* without room for what is held back */
    byte buf[];
};

enum put_verdict {
    PUT_AGAIN, /* pull once more */
    PUT_LEFT   /* the transfer waits for its notification, or is over: do not touch it */
};

/* Nothing of the file stays unless it was committed before. */
static void put_fail(struct put *put, int error)
{
    outfile_discard(&put->file);
    server_fail(put->async, error);
    free(put);
}

/* Writes what cannot be part of the digest. */
static int put_write(struct put *put, size_t pulled_len)
{
    size_t len = put->held_len + pulled_len;
    put->held_len = len < FILEREP_DIGEST_LEN ? len : FILEREP_DIGEST_LEN;
    len -= put->held_len;
    int error = outfile_write(&put->file, put->buf, len);
    memmove(put->buf, put->buf + len, put->held_len);
    return error;
}

static void put_complete(struct put *put)
{
    file_digest ours;
    digest_final(&put->file.digest, &ours);
    if (put->held_len != FILEREP_DIGEST_LEN ||
        memcmp(ours.octets, put->buf, FILEREP_DIGEST_LEN) != 0) {
        put_fail(put, ERROR_BAD_DIGEST);
        return;
    }
    int error = outfile_commit(&put->file, &put->info);
    if (error)
        server_fail(put->async, error);
    else
        (void)RpcAsyncCompleteCall(put->async, NULL);
    free(put);
}

static enum put_verdict put_step(struct put *put)
{
    if (atomic_load(&server.stopping)) {
        put_fail(put, ERROR_STOPPING);
        return PUT_LEFT;
    }
    unsigned long len = 0;
    RPC_STATUS status = put->data->pull(put->data->state, put->buf + put->held_len,
                                        (unsigned long)put->buf_len, &len);
    /* Nothing there yet: RpcReceiveComplete comes with another packet, and another thread may
     * have that already. */
    if (status == RPC_S_ASYNC_CALL_PENDING)
        return PUT_LEFT;
    if (status != RPC_S_OK) {
        /* The client is gone and the call with it: nothing to complete or abort. */
        outfile_discard(&put->file);
        free(put);
        return PUT_LEFT;
    }
    if (len == 0) {
        put_complete(put);
        return PUT_LEFT;
    }
    int error = put_write(put, len);
    if (error) {
        put_fail(put, error); /* the client's next push fails with it */
        return PUT_LEFT;
    }
    return PUT_AGAIN;
}

/* The manager's packet, then one RpcReceiveComplete for each pull that found nothing. */
static void put_run(struct work *work, DWORD number)
{
    (void)number;
    while (put_step((struct put *)work) == PUT_AGAIN)
        ;
}

void filerep_put(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                 const file_info *info, ASYNC_byte_pipe *data)
{
    (void)client;
    int error = server_write_error();
    if (error) {
        server_fail(async, error);
        return;
    }
    size_t buf_len = file_chunk_len(info->size);
    struct put *put = malloc(sizeof(*put) + FILEREP_DIGEST_LEN + buf_len);
    if (!put) {
        server_fail(async, ENOMEM);
        return;
    }
    *put = (struct put){.work.run = put_run,
                        .async = async,
                        .data = data,
                        .info = *info,
                        .buf_len = buf_len};
    error = outfile_create(&put->file, server.root, (const char *)path);
    if (error) {
        server_fail(async, error);
        free(put);
        return;
    }
    if (!server_start(&put->work, async))
        put_fail(put, ENOMEM);
}
