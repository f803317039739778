/* SPDX-License-Identifier: MIT */
/* transfer_get.c - pulling a file: the client's end of an [out] pipe.
 *
 *   pull: octets --> write them, pull again
 *   pull: RPC_S_ASYNC_CALL_PENDING --> RpcReceiveComplete will come, then pull again
 *   pull: nothing --> the pipe is over, RpcCallComplete comes next
 *   pull: failed --> the call is gone */
#include "status.h"
#include "transfer.h"

#include <string.h>

int get_open(struct transfer *transfer)
{
    const struct client *client = transfer->client;
    return outfile_create(&transfer->out, client->local_root,
                          client_local_path(client, transfer->rel));
}

RPC_STATUS get_start(struct transfer *transfer)
{
    volatile RPC_STATUS status = RPC_S_OK;
    START_CALL(status, filerep_get(&transfer->async, transfer->client->server,
                                   (const byte *)transfer->remote_path, &transfer->data,
                                   &transfer->info, &transfer->digest));
    return status;
}

enum step_verdict get_step(struct transfer *transfer)
{
    unsigned long len = 0;
    RPC_STATUS status =
        transfer->data.pull(transfer->data.state, transfer->buf, FILE_CHUNK_LEN, &len);
    if (status == RPC_S_ASYNC_CALL_PENDING)
        return STEP_LATER;
    if (status != RPC_S_OK) {
        transfer_call_gone(transfer, status);
        return STEP_LATER;
    }
    if (len == 0) {
        transfer_pipe_over(transfer);
        return STEP_LATER;
    }
    int error = outfile_write(&transfer->out, transfer->buf, len);
    if (error) {
        transfer_give_up(transfer, error);
        return STEP_LATER;
    }
    progress_add(&transfer->client->progress, len);
    return STEP_AGAIN;
}

int get_close(struct transfer *transfer, bool whole)
{
    if (!whole) {
        outfile_discard(&transfer->out);
        return 0;
    }
    /* The [out] parameters are valid now, after a successful RpcAsyncCompleteCall. */
    file_digest ours;
    digest_final(&transfer->out.digest, &ours);
    if (memcmp(ours.octets, transfer->digest.octets, FILEREP_DIGEST_LEN) != 0) {
        outfile_discard(&transfer->out);
        return ERROR_BAD_DIGEST;
    }
    return outfile_commit(&transfer->out, &transfer->info);
}
