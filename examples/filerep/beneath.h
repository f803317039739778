/* SPDX-License-Identifier: MIT */
/* beneath.h - opening paths that somebody else chose, without leaving a folder.
 *
 * The server uses it for the paths of clients, the client for the names a server sends:
 * neither trusts the other.  All functions return a descriptor or a negative errno value. */
#ifndef FILEREP_BENEATH_H
#define FILEREP_BENEATH_H

#include <limits.h>
#include <stdbool.h>

/* 0 if `path` is relative, short enough, and free of empty, "." and ".." components;
 * "." alone is the folder itself.  Else an errno value. */
int beneath_check(const char *path);

/* Opens `path` beneath the folder `root` with the open(2) flags `flags`.  No symbolic link
 * is followed anywhere in it. */
int beneath_open(int root, const char *path, int flags);

/* Opens the folder that holds the last component of `path`, and copies that component to
 * `ret_name`, for the ...at() functions.  "." has no such folder: -EISDIR. */
int beneath_open_parent(int root, const char *path, char ret_name[NAME_MAX + 1]);

/* For tests: do as if the kernel had no openat2(2). */
void beneath_without_openat2(void);

#endif
