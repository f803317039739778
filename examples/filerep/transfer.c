/* SPDX-License-Identifier: MIT */
/* transfer.c - what get and put have in common: the life of a call with a pipe. */
#include "transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Changes of state; the lock is held ---- */

void transfer_pipe_over(struct transfer *transfer)
{
    assert(transfer->state == TRANSFER_MOVING);
    transfer->state = transfer->call_complete ? TRANSFER_OVER : TRANSFER_WAITING;
}

/* A failed push or pull has taken the call with it: RpcCallComplete will not come. */
void transfer_call_gone(struct transfer *transfer, RPC_STATUS status)
{
    transfer->call_gone = true;
    transfer->status = status;
    transfer->state = TRANSFER_OVER;
}

/* Something failed here.  Cancelling brings RpcCallComplete without waiting for the server. */
void transfer_give_up(struct transfer *transfer, int error)
{
    transfer->error = error;
    (void)RpcAsyncCancelCall(&transfer->async, TRUE);
    transfer_pipe_over(transfer);
}

/* ---- Notifications ---- */

/* The call is complete.  A successful reply may be so while we are still pulling what arrived
 * before it; the pipe's end is then what ends the transfer.  Everything else ends it now. */
static void on_call_complete(struct transfer *transfer)
{
    RPC_STATUS status = RpcAsyncGetCallStatus(&transfer->async);
    if (status == RPC_S_ASYNC_CALL_PENDING)
        return;
    transfer->call_complete = true;
    bool still_pulling = transfer->state == TRANSFER_MOVING && !transfer->client->putting;
    if (status != RPC_S_OK || !still_pulling)
        transfer->state = TRANSFER_OVER;
}

/* One step under the lock.  `*ret_over`: the main thread may take the transfer away now. */
static enum step_verdict step(struct transfer *transfer, bool *ret_over)
{
    enum step_verdict verdict = STEP_LATER;
    pthread_mutex_lock(&transfer->lock);
    if (transfer->state == TRANSFER_MOVING)
        verdict = transfer->client->putting ? put_step(transfer) : get_step(transfer);
    *ret_over = transfer->state == TRANSFER_OVER;
    pthread_mutex_unlock(&transfer->lock);
    return verdict;
}

/* The packet's notification is the one that the state says; the lock is held.  True: octets
 * can move.
 *
 * A pull that fails in the main thread may cross with the notification of the same failure.
 * Then the call was gone when we got the lock, and the transfer may have a new one: its
 * number tells. */
static bool take_notification(struct transfer *transfer, DWORD number)
{
    if (number != transfer->call_number)
        return false;
    if (transfer->state != TRANSFER_MOVING && transfer->state != TRANSFER_WAITING)
        return false;
    if (transfer->async.Event == RpcCallComplete) {
        on_call_complete(transfer);
        return false;
    }
    if (transfer->state == TRANSFER_MOVING)
        return true;
    (void)RpcAsyncGetCallStatus(&transfer->async); /* too late to matter, but it was received */
    return false;
}

static void transfer_on_packet(struct work *work, DWORD number)
{
    struct transfer *transfer = (struct transfer *)work;
    HANDLE main_port = transfer->client->main_port;
    pthread_mutex_lock(&transfer->lock);
    bool move = take_notification(transfer, number);
    bool over = transfer->state == TRANSFER_OVER;
    pthread_mutex_unlock(&transfer->lock);
    while (move)
        move = step(transfer, &over) == STEP_AGAIN;
    if (over)
        work_wake(main_port); /* `transfer` may have another call already */
}

/* ---- For the main thread ---- */

int transfer_init(struct transfer *transfer, struct client *client)
{
    memset(transfer, 0, sizeof(*transfer));
    transfer->work.run = transfer_on_packet;
    transfer->client = client;
    transfer->buf = malloc(FILE_CHUNK_LEN);
    if (!transfer->buf)
        return ENOMEM;
    pthread_mutex_init(&transfer->lock, NULL);
    return 0;
}

static RPC_STATUS start_call(struct transfer *transfer)
{
    PRPC_ASYNC_STATE async = &transfer->async;
    RPC_STATUS status = RpcAsyncInitializeHandle(async, sizeof(*async));
    if (status != RPC_S_OK)
        return status;
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    work_notify(&transfer->work, async, transfer->client->transfer_port, ++transfer->call_number);
    return transfer->client->putting ? put_start(transfer) : get_start(transfer);
}

/* The lock is held while the stub runs: a notification may come before it returns, and then
 * waits until everything is in place. */
static RPC_STATUS start_locked(struct transfer *transfer)
{
    pthread_mutex_lock(&transfer->lock);
    transfer->call_complete = transfer->call_gone = transfer->digest_sent = false;
    transfer->status = RPC_S_OK;
    transfer->error = 0;
    RPC_STATUS status = start_call(transfer);
    if (status == RPC_S_OK)
        transfer->state = TRANSFER_MOVING;
    pthread_mutex_unlock(&transfer->lock);
    return status;
}

bool transfer_start(struct transfer *transfer, const char *rel)
{
    struct client *client = transfer->client;
    assert(!transfer->in_use);
    strcpy(transfer->rel, rel); /* both are PATH_MAX */
    int error = client_remote_path(client, rel, transfer->remote_path) ? 0 : ENAMETOOLONG;
    if (!error)
        error = client->putting ? put_open(transfer) : get_open(transfer);
    if (error) {
        client_complain_here(client, rel, error);
        return false;
    }
    RPC_STATUS status = start_locked(transfer);
    if (status != RPC_S_OK) {
        (void)(client->putting ? put_close(transfer, false) : get_close(transfer, false));
        client_complain_there(client, rel, status);
        return false;
    }
    transfer->in_use = true;
    transfer->main_steps = !client->putting;
    return true;
}

enum step_verdict transfer_step(struct transfer *transfer)
{
    bool over;
    return step(transfer, &over);
}

bool transfer_is_over(struct transfer *transfer)
{
    pthread_mutex_lock(&transfer->lock);
    bool over = transfer->state == TRANSFER_OVER;
    pthread_mutex_unlock(&transfer->lock);
    return over;
}

void transfer_cancel(struct transfer *transfer)
{
    pthread_mutex_lock(&transfer->lock);
    if (transfer->state == TRANSFER_MOVING)
        transfer_give_up(transfer, ECANCELED);
    else if (transfer->state == TRANSFER_WAITING)
        (void)RpcAsyncCancelCall(&transfer->async, TRUE);
    pthread_mutex_unlock(&transfer->lock);
}

void transfer_end(struct transfer *transfer)
{
    struct client *client = transfer->client;
    pthread_mutex_lock(&transfer->lock);
    assert(transfer->state == TRANSFER_OVER);
    RPC_STATUS status = transfer->status;
    if (!transfer->call_gone)
        status = RpcAsyncCompleteCall(&transfer->async, NULL);
    int error = transfer->error;
    bool whole = status == RPC_S_OK && !error;
    int close_error = client->putting ? put_close(transfer, whole) : get_close(transfer, whole);
    transfer->state = TRANSFER_FREE;
    pthread_mutex_unlock(&transfer->lock);
    transfer->in_use = transfer->main_steps = false;

    /* What failed here is the reason for what failed there. */
    if (!error && whole)
        error = close_error;
    if (error == ECANCELED)
        return;
    if (error)
        client_complain_here(client, transfer->rel, error);
    else if (!whole)
        client_complain_there(client, transfer->rel, status);
    else
        client->files++;
}
