/* SPDX-License-Identifier: MIT */
/* file.h - one file being sent, one file being received; the same on both sides.
 *
 * All functions return 0 or an errno value (or an ERROR_* of status.h), except
 * infile_read.  Ownership, extended attributes, holes and hard links are not kept; set-id
 * bits are not either, because without its owner such a file means something else. */
#ifndef FILEREP_FILE_H
#define FILEREP_FILE_H

#include "digest.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Octets moved by one push or pull.  Large enough that calls do not matter, small enough
 * for hundreds of transfers at once. */
#define FILE_CHUNK_LEN (256u * 1024u)

/* Files being received are called this and something random.  Nobody lists them. */
#define OUTFILE_PREFIX ".filerep-"

struct infile {
    int fd;
    file_info info;       /* as it was when opened */
    struct digest digest; /* of what was read so far */
};

struct outfile {
    int fd;
    int folder;              /* where it will be, O_PATH */
    char name[NAME_MAX + 1]; /* its name there once it is whole */
    char temp_name[32];      /* its name there till then; "": it has none */
    struct digest digest;    /* of what was written so far */
};

/* Opens the regular file `path` beneath `root` for reading. */
int infile_open(struct infile *file, int root, const char *path);
/* Octets read into `buf`, which is filled unless the file ends; negative: -errno. */
ssize_t infile_read(struct infile *file, void *buf, size_t buf_len);
void infile_close(struct infile *file);

/* Starts a file that will be `path` beneath `root`.  Until outfile_commit nothing is there. */
int outfile_create(struct outfile *file, int root, const char *path);
int outfile_write(struct outfile *file, const void *buf, size_t len);
/* The file is whole: gives it permissions, time and, at last, its name.  Closes it, whether
 * that worked or not. */
int outfile_commit(struct outfile *file, const file_info *info);
/* The file will never be whole: nothing of it stays. */
void outfile_discard(struct outfile *file);

/* Octets of buffer a transfer of `size` octets deserves: small files shall not cost
 * FILE_CHUNK_LEN each. */
size_t file_chunk_len(uint64_t size);

file_info file_info_of(const struct stat *st);

/* The other kinds of entry.  An existing link is replaced, an existing folder is left. */
int make_folder(int root, const char *path);
int make_link(int root, const char *path, const char *target, const file_info *info);
int read_link(int root, const char *path, char *target, size_t target_len);
int set_folder_info(int root, const char *path, const file_info *info);

#endif
