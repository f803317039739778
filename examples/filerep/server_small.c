/* SPDX-License-Identifier: MIT */
/* server_small.c - the operations without pipes.
 *
 * They are asynchronous for the client's sake; here they are done when the manager
 * returns, having completed the call on the way. */
#include "file.h"
#include "server.h"
#include "status.h"
#include "tree.h"

#include <errno.h>

int server_write_error(void)
{
    return server.read_only ? EROFS : 0;
}

bool server_start(struct work *work, PRPC_ASYNC_STATE async)
{
    async->Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE;
    work_notify(work, async, server.port, 0);
    return work_post(work, server.port, 0);
}

void server_fail(PRPC_ASYNC_STATE async, int error)
{
    /* Should this fail the client is gone, and nothing is left to do. */
    (void)RpcAsyncAbortCall(async, status_fault(error));
}

static void finish(PRPC_ASYNC_STATE async, int error)
{
    if (error)
        server_fail(async, error);
    else
        (void)RpcAsyncCompleteCall(async, NULL);
}

void filerep_measure(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                     MIDL_uhyper *ret_files, MIDL_uhyper *ret_octets)
{
    (void)client;
    uint64_t files, octets;
    int error = tree_measure(server.root, (const char *)path, &files, &octets);
    if (!error) {
        *ret_files = files;
        *ret_octets = octets;
    }
    finish(async, error);
}

void filerep_make_folder(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path)
{
    (void)client;
    int error = server_write_error();
    if (!error)
        error = make_folder(server.root, (const char *)path);
    finish(async, error);
}

void filerep_set_info(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                      const file_info *info)
{
    (void)client;
    int error = server_write_error();
    if (!error)
        error = set_folder_info(server.root, (const char *)path, info);
    finish(async, error);
}

void filerep_make_link(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                       const unsigned char *target, const file_info *info)
{
    (void)client;
    int error = server_write_error();
    if (!error)
        error = make_link(server.root, (const char *)path, (const char *)target, info);
    finish(async, error);
}

void filerep_read_link(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                       unsigned char *target)
{
    (void)client;
    target[0] = '\0';
    finish(async, read_link(server.root, (const char *)path, (char *)target, 4096));
}
