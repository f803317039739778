/* SPDX-License-Identifier: MIT */
/* server_list.c - filerep_list: a tree goes out through a pipe of structures.
 *
 * The same machine as in server_get.c, with a walk in place of a file.  The client pulls as
 * fast as it can use entries; when it does not, the push is not sent, its notification does
 * not come, and the walk stands still: a tree of any size costs one buffer. */
#include "server.h"
#include "status.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>

#define LIST_BATCH 64 /* entries per push: about 18 KiB */

struct list {
    struct work work;
    PRPC_ASYNC_STATE async;    /* the runtime's, until Complete or Abort */
    ASYNC_entry_pipe *entries; /* the runtime's */
    bool ending;               /* the null push is out */
    struct tree tree;
    tree_entry batch[LIST_BATCH];
};

static void list_free(struct list *list)
{
    tree_close(&list->tree);
    free(list);
}

static void list_fail(struct list *list, int error)
{
    server_fail(list->async, error);
    list_free(list);
}

static void list_send(struct list *list)
{
    unsigned long count = 0;
    int more = 1;
    while (count < LIST_BATCH && (more = tree_next(&list->tree, &list->batch[count])) > 0)
        count++;
    if (more < 0) {
        list_fail(list, -more);
        return;
    }
    list->ending = count == 0;
    RPC_STATUS status = list->entries->push(list->entries->state, list->batch, count);
    if (status != RPC_S_OK)
        list_free(list);
}

static void list_step(struct work *work, DWORD number)
{
    struct list *list = (struct list *)work;
    (void)number;
    if (atomic_load(&server.stopping)) {
        list_fail(list, ERROR_STOPPING);
    } else if (!list->ending) {
        list_send(list);
    } else {
        (void)RpcAsyncCompleteCall(list->async, NULL);
        list_free(list);
    }
}

void filerep_list(PRPC_ASYNC_STATE async, handle_t client, const unsigned char *path,
                  ASYNC_entry_pipe *entries)
{
    (void)client;
    struct list *list = malloc(sizeof(*list));
    if (!list) {
        server_fail(async, ENOMEM);
        return;
    }
    list->work.run = list_step;
    list->async = async;
    list->entries = entries;
    list->ending = false;
    int error = tree_open(&list->tree, server.root, (const char *)path);
    if (error) {
        server_fail(async, error);
        free(list);
        return;
    }
    (void)RpcxPipeSetLimits(entries->state, 0, sizeof(list->batch)); /* as in server_get.c */
    if (!server_start(&list->work, async))
        list_fail(list, ENOMEM);
}
