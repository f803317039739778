/* SPDX-License-Identifier: MIT */
/* tree.c - see tree.h. */
#include "tree.h"
#include "beneath.h"
#include "file.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(((tree_entry *)0)->name) == NAME_MAX + 1, "every name has room");

/* Goes into the folder `name` in `at`.  The entry tells if that failed. */
static void tree_descend(struct tree *tree, int at, const char *name, tree_entry *entry)
{
    if (tree->depth == FILEREP_DEPTH_MAX) {
        entry->status = FILEREP_TOO_DEEP;
        return;
    }
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        entry->status = status_of(errno);
        if (fd >= 0)
            close(fd);
        return;
    }
    tree->folders[tree->depth++] = folder;
}

int tree_open(struct tree *tree, int root, const char *path)
{
    struct stat st;
    tree->depth = 0;
    tree->first_pending = 1;
    tree->first = (tree_entry){0};
    int fd = beneath_open(root, path, O_PATH | O_NOFOLLOW); /* O_PATH: also a final link */
    if (fd < 0)
        return -fd;
    int error = fstat(fd, &st) < 0 ? errno : 0;
    if (!error) {
        tree->first.info = file_info_of(&st);
        if (S_ISDIR(st.st_mode))
            tree_descend(tree, fd, ".", &tree->first);
    }
    close(fd);
    return error;
}

static int is_hidden(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           strncmp(name, OUTFILE_PREFIX, strlen(OUTFILE_PREFIX)) == 0;
}

/* The next name of the deepest folder, NULL at its end or, with errno, on failure. */
static const char *next_name(struct tree *tree)
{
    struct dirent *dirent;
    do {
        errno = 0;
        dirent = readdir(tree->folders[tree->depth - 1]);
    } while (dirent && is_hidden(dirent->d_name));
    return dirent ? dirent->d_name : NULL;
}

int tree_next(struct tree *tree, tree_entry *ret_entry)
{
    if (tree->first_pending) {
        tree->first_pending = 0;
        *ret_entry = tree->first;
        return 1;
    }
    while (tree->depth > 0) {
        const char *name = next_name(tree);
        if (!name) {
            if (errno)
                return -errno;
            closedir(tree->folders[--tree->depth]);
            continue;
        }
        int at = dirfd(tree->folders[tree->depth - 1]);
        struct stat st;
        if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue; /* removed since it was read: as if it had never been there */
            return -errno;
        }
        size_t name_len = strlen(name);
        if (name_len > NAME_MAX)
            return -ENAMETOOLONG; /* some foreign file systems can */
        memset(ret_entry, 0, sizeof(*ret_entry));
        ret_entry->info = file_info_of(&st);
        ret_entry->depth = tree->depth;
        memcpy(ret_entry->name, name, name_len);
        if (S_ISDIR(st.st_mode))
            tree_descend(tree, at, name, ret_entry);
        return 1;
    }
    return 0;
}

void tree_close(struct tree *tree)
{
    while (tree->depth > 0)
        closedir(tree->folders[--tree->depth]);
}

int tree_measure(int root, const char *path, uint64_t *ret_files, uint64_t *ret_octets)
{
    struct tree *tree = malloc(sizeof(*tree));
    if (!tree)
        return ENOMEM;
    tree_entry entry;
    int error = tree_open(tree, root, path), more;
    if (!error) {
        *ret_files = *ret_octets = 0;
        while ((more = tree_next(tree, &entry)) > 0) {
            if (!S_ISREG(entry.info.mode))
                continue;
            ++*ret_files;
            *ret_octets += entry.info.size;
        }
        error = -more;
        tree_close(tree);
    }
    free(tree);
    return error;
}
