/* SPDX-License-Identifier: MIT */
/* source.h - where the entries to replicate come from: for get a listing of the server,
 * arriving through a pipe; for put a walk here. */
#ifndef FILEREP_SOURCE_H
#define FILEREP_SOURCE_H

#include "client.h"
#include "tree.h"

#define SOURCE_BATCH 64 /* entries per pull */

enum source_verdict {
    SOURCE_ENTRY,
    SOURCE_LATER, /* none yet; client_wait, then ask again */
    SOURCE_END    /* no more; what went wrong has been said */
};

struct source {
    struct client *client;
    bool over;
    /* get */
    struct call call;
    ASYNC_entry_pipe entries;
    char path[PATH_MAX];
    bool pending; /* the last pull had nothing, and no RpcReceiveComplete came since */
    unsigned long batch_count, batch_next;
    tree_entry batch[SOURCE_BATCH];
    /* put */
    struct tree tree;
};

void source_open(struct source *source, struct client *client);
enum source_verdict source_next(struct source *source, tree_entry *ret_entry);
/* Also in the middle. */
void source_close(struct source *source);

#endif
