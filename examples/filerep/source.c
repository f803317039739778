/* SPDX-License-Identifier: MIT */
/* source.c - see source.h.
 *
 * The listing is a pipe like any other, only that the main thread pulls it itself, when it
 * can use more entries.  When it does not pull, the server stops walking: neither side ever
 * holds the whole tree. */
#include "source.h"
#include "status.h"

#include <errno.h>

static void list_on_packet(struct work *work, DWORD number)
{
    struct source *source = (struct source *)((char *)work - offsetof(struct source, call.work));
    (void)number;
    if (source->call.async.Event == RpcReceiveComplete)
        source->pending = false;
    else if (source->call.async.Event == RpcCallComplete)
        source->call.complete = true;
}

static void list_start(struct source *source)
{
    struct client *client = source->client;
    volatile RPC_STATUS status = call_init(&source->call, client);
    if (!client_remote_path(client, "", source->path)) {
        client_complain_here(client, "", ENAMETOOLONG);
        source->over = true;
        return;
    }
    source->call.work.run = list_on_packet;
    START_CALL(status, filerep_list(&source->call.async, client->server, (const byte *)source->path,
                                    &source->entries));
    if (status != RPC_S_OK) {
        client_complain_there(client, "", status);
        source->over = true;
    }
}

static enum source_verdict list_end(struct source *source, RPC_STATUS status)
{
    source->over = true;
    if (status != RPC_S_OK && !client_interrupted())
        client_complain_there(source->client, "", status);
    return SOURCE_END;
}

/* Gets more entries.  SOURCE_ENTRY: there are some in the batch. */
static enum source_verdict list_pull(struct source *source)
{
    PRPC_ASYNC_STATE async = &source->call.async;
    /* The call can only be complete before its pipe is empty if it failed, or if all that
     * is left to pull has arrived. */
    if (source->call.complete && RpcAsyncGetCallStatus(async) != RPC_S_OK)
        return list_end(source, RpcAsyncCompleteCall(async, NULL));
    if (source->pending)
        return SOURCE_LATER;
    unsigned long count = 0;
    RPC_STATUS status =
        source->entries.pull(source->entries.state, source->batch, SOURCE_BATCH, &count);
    if (status == RPC_S_ASYNC_CALL_PENDING) {
        source->pending = true;
        return SOURCE_LATER;
    }
    if (status != RPC_S_OK)
        return list_end(source, status); /* the call is gone, there is nothing to complete */
    if (count == 0)
        return list_end(source, call_finish(&source->call));
    source->batch_count = count;
    source->batch_next = 0;
    return SOURCE_ENTRY;
}

static enum source_verdict walk_next(struct source *source, tree_entry *ret_entry)
{
    int more = tree_next(&source->tree, ret_entry);
    if (more > 0)
        return SOURCE_ENTRY;
    if (more < 0)
        client_complain_here(source->client, "", -more);
    tree_close(&source->tree);
    source->over = true;
    return SOURCE_END;
}

static void walk_start(struct source *source)
{
    struct client *client = source->client;
    int error = place_open_source(client);
    if (!error)
        error = tree_open(&source->tree, client->local_root, client->local_name);
    if (error) {
        client_complain_here(client, "", error);
        source->over = true;
    }
}

void source_open(struct source *source, struct client *client)
{
    source->client = client;
    source->over = source->pending = false;
    source->batch_count = source->batch_next = 0;
    if (client->putting)
        walk_start(source);
    else
        list_start(source);
}

enum source_verdict source_next(struct source *source, tree_entry *ret_entry)
{
    if (source->over)
        return SOURCE_END;
    if (source->client->putting)
        return walk_next(source, ret_entry);
    if (source->batch_next == source->batch_count) {
        enum source_verdict verdict = list_pull(source);
        if (verdict != SOURCE_ENTRY)
            return verdict;
    }
    *ret_entry = source->batch[source->batch_next++];
    return SOURCE_ENTRY;
}

void source_close(struct source *source)
{
    if (source->over)
        return;
    source->over = true;
    if (source->client->putting) {
        tree_close(&source->tree);
        return;
    }
    (void)RpcAsyncCancelCall(&source->call.async, TRUE);
    (void)call_finish(&source->call);
}
