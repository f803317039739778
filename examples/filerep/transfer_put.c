/* SPDX-License-Identifier: MIT */
/* transfer_put.c - pushing a file: the client's end of an [in] pipe.
 *
 *   RpcSendComplete (of the request) --> push octets
 *   RpcSendComplete (of octets) --> push more octets, at the end the digest
 *   RpcSendComplete (of the digest) --> push nothing: the pipe is over
 *   RpcCallComplete --> the server has stored the file, or says why not
 *   push: failed --> the call is gone
 *
 * One push is outstanding at a time: that is the flow control.  Nobody needs the pipe's own
 * limit then, at which a push waits, and with it who wants to cancel. */
#include "status.h"
#include "transfer.h"

int put_open(struct transfer *transfer)
{
    const struct client *client = transfer->client;
    int error =
        infile_open(&transfer->in, client->local_root, client_local_path(client, transfer->rel));
    if (!error)
        transfer->info = transfer->in.info;
    return error;
}

RPC_STATUS put_start(struct transfer *transfer)
{
    volatile RPC_STATUS status = RPC_S_OK;
    START_CALL(status,
               filerep_put(&transfer->async, transfer->client->server,
                           (const byte *)transfer->remote_path, &transfer->info, &transfer->data));
    if (status == RPC_S_OK)
        (void)RpcxPipeSetLimits(transfer->data.state, 0, FILE_CHUNK_LEN);
    return status;
}

static void put_push(struct transfer *transfer, void *buf, unsigned long len)
{
    RPC_STATUS status = transfer->data.push(transfer->data.state, buf, len);
    if (status != RPC_S_OK)
        transfer_call_gone(transfer, status);
    else if (len == 0)
        transfer_pipe_over(transfer);
}

enum step_verdict put_step(struct transfer *transfer)
{
    if (transfer->digest_sent) {
        put_push(transfer, NULL, 0);
        return STEP_LATER;
    }
    ssize_t len = infile_read(&transfer->in, transfer->buf, FILE_CHUNK_LEN);
    if (len < 0) {
        transfer_give_up(transfer, (int)-len);
        return STEP_LATER;
    }
    if (len > 0) {
        progress_add(&transfer->client->progress, (uint64_t)len);
        put_push(transfer, transfer->buf, (unsigned long)len);
        return STEP_LATER;
    }
    transfer->digest_sent = true;
    digest_final(&transfer->in.digest, &transfer->digest);
    put_push(transfer, transfer->digest.octets, FILEREP_DIGEST_LEN);
    return STEP_LATER;
}

int put_close(struct transfer *transfer, bool whole)
{
    (void)whole; /* the server compared the digests before it said so */
    infile_close(&transfer->in);
    return 0;
}
