/* SPDX-License-Identifier: MIT */
/* tree.h - walking a tree, one entry per step, folders before their contents.
 *
 * The server walks to fill the pipe of filerep_list, the client to see what it has to put.
 * Memory is bounded by the depth, not by the number of files: one open folder per level. */
#ifndef FILEREP_TREE_H
#define FILEREP_TREE_H

#include "filerep.h"

#include <dirent.h>

struct tree {
    ULONG depth; /* folders open */
    tree_entry first;
    int first_pending;
    DIR *folders[FILEREP_DEPTH_MAX];
};

/* Starts at `path` beneath `root`.  0 or an errno value; tree_close only after 0. */
int tree_open(struct tree *tree, int root, const char *path);

/* The next entry.  1: there is one.  0: the walk is over.  Negative: -errno, the walk cannot
 * go on.  A folder that cannot be opened is an entry with a status. */
int tree_next(struct tree *tree, tree_entry *ret_entry);

void tree_close(struct tree *tree);

/* Counts regular files and their octets. */
int tree_measure(int root, const char *path, uint64_t *ret_files, uint64_t *ret_octets);

#endif
