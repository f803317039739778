/* SPDX-License-Identifier: MIT */
/* calls.c - the small operations, waited for.
 *
 * They are asynchronous all the same: a synchronous call to a server that hangs could not
 * be interrupted, this one is cancelled. */
#include "client.h"

#include <string.h>

static void call_on_packet(struct work *work, DWORD number)
{
    struct call *call = (struct call *)work;
    (void)number;
    if (call->async.Event == RpcCallComplete)
        call->complete = true;
}

RPC_STATUS call_init(struct call *call, struct client *client)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(&call->async, sizeof(call->async));
    call->work.run = call_on_packet;
    work_notify(&call->work, &call->async, client->main_port, 0);
    call->client = client;
    call->complete = false;
    return status;
}

RPC_STATUS call_finish(struct call *call)
{
    bool cancelled = false;
    while (!call->complete) {
        if (client_interrupted() && !cancelled) {
            (void)RpcAsyncCancelCall(&call->async, TRUE);
            cancelled = true;
        }
        client_wait(call->client);
    }
    return RpcAsyncCompleteCall(&call->async, NULL);
}

/* One function per operation: prepare the handle, call the stub, wait. */

RPC_STATUS call_make_folder(struct client *client, const char *path)
{
    struct call call = {0};
    volatile RPC_STATUS status = call_init(&call, client);
    START_CALL(status, filerep_make_folder(&call.async, client->server, (const byte *)path));
    return status == RPC_S_OK ? call_finish(&call) : status;
}

RPC_STATUS call_set_info(struct client *client, const char *path, const file_info *info)
{
    struct call call = {0};
    volatile RPC_STATUS status = call_init(&call, client);
    START_CALL(status, filerep_set_info(&call.async, client->server, (const byte *)path, info));
    return status == RPC_S_OK ? call_finish(&call) : status;
}

RPC_STATUS call_make_link(struct client *client, const char *path, const char *target,
                          const file_info *info)
{
    struct call call = {0};
    volatile RPC_STATUS status = call_init(&call, client);
    START_CALL(status, filerep_make_link(&call.async, client->server, (const byte *)path,
                                         (const byte *)target, info));
    return status == RPC_S_OK ? call_finish(&call) : status;
}

RPC_STATUS call_read_link(struct client *client, const char *path, unsigned char *target)
{
    struct call call = {0};
    volatile RPC_STATUS status = call_init(&call, client);
    START_CALL(status, filerep_read_link(&call.async, client->server, (const byte *)path, target));
    return status == RPC_S_OK ? call_finish(&call) : status;
}
