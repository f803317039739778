/* SPDX-License-Identifier: MIT */
/* place.c - the local end of a replication.
 *
 * The path the user gave is trusted, symbolic links in it included.  Everything below is
 * named by entries of a listing and goes through beneath.h. */
#include "beneath.h"
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

int place_open_parent(struct client *client)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(client->local, '/');
    const char *name = slash ? slash + 1 : client->local;
    size_t parent_len = (size_t)(name - client->local);
    if (strlen(name) > NAME_MAX || parent_len >= sizeof(parent))
        return ENAMETOOLONG;
    if (beneath_check(name) != 0 || strcmp(name, ".") == 0)
        return EISDIR; /* it ends in "/", "." or ".." */
    memcpy(parent, client->local, parent_len);
    parent[parent_len] = '\0';
    client->local_root = open(parent_len ? parent : ".", FOLDER_FLAGS);
    if (client->local_root < 0)
        return errno;
    strcpy(client->local_name, name);
    return 0;
}

int place_open_folder(struct client *client)
{
    /* Whether it was there already does not matter, if it is a folder. */
    if (mkdir(client->local, 0700) < 0 && errno != EEXIST)
        return errno;
    client->local_root = open(client->local, FOLDER_FLAGS);
    if (client->local_root < 0)
        return errno;
    strcpy(client->local_name, ".");
    return 0;
}

int place_open_source(struct client *client)
{
    struct stat st;
    if (lstat(client->local, &st) < 0)
        return errno;
    if (!S_ISDIR(st.st_mode))
        return place_open_parent(client);
    client->local_root = open(client->local, FOLDER_FLAGS);
    if (client->local_root < 0)
        return errno;
    strcpy(client->local_name, ".");
    return 0;
}
