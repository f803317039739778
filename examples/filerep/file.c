/* SPDX-License-Identifier: MIT */
/* file.c - see file.h.
 *
 * A file being received has no name at all where the file system allows that (O_TMPFILE):
 * whatever happens, kill -9 and power failure included, no part of it can stay.  Elsewhere
 * it has a temporary name.  Either way it gets its own name by rename(2), so that a reader
 * sees the old file or the new one and never a part. */
#include "file.h"
#include "beneath.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define FILE_CHUNK_LEN_MIN 4096u
#define TEMP_NAME_TRIES    100
#define FILE_MODE_BITS     0777u
#define FOLDER_MODE_BITS   01777u

size_t file_chunk_len(uint64_t size)
{
    if (size >= FILE_CHUNK_LEN)
        return FILE_CHUNK_LEN;
    return size < FILE_CHUNK_LEN_MIN ? FILE_CHUNK_LEN_MIN : (size_t)size;
}

file_info file_info_of(const struct stat *st)
{
    return (file_info){.size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
                       .mtime_sec = st->st_mtim.tv_sec,
                       .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
                       .mode = st->st_mode};
}

/* ---- Sending ---- */

int infile_open(struct infile *file, int root, const char *path)
{
    struct stat st;
    /* O_NONBLOCK: opening a fifo must not wait for its writer. */
    int fd = beneath_open(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd == -ENXIO ? ERROR_NOT_REGULAR : -fd; /* ENXIO: a socket */
    int error = 0;
    if (fstat(fd, &st) < 0)
        error = errno;
    else if (!S_ISREG(st.st_mode))
        error = S_ISDIR(st.st_mode) ? EISDIR : ERROR_NOT_REGULAR;
    else
        error = digest_init(&file->digest);
    if (error) {
        close(fd);
        return error;
    }
    file->fd = fd;
    file->info = file_info_of(&st);
    return 0;
}

ssize_t infile_read(struct infile *file, void *buf, size_t buf_len)
{
    size_t have = 0;
    while (have < buf_len) {
        ssize_t n = read(file->fd, (char *)buf + have, buf_len - have);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            have += (size_t)n;
    }
    digest_update(&file->digest, buf, have);
    return (ssize_t)have;
}

void infile_close(struct infile *file)
{
    digest_fini(&file->digest);
    close(file->fd);
}

/* ---- Receiving ---- */

static int random_name(char name[32])
{
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return EIO;
    snprintf(name, 32, OUTFILE_PREFIX "%016llx", (unsigned long long)random);
    return 0;
}

static int create_named(struct outfile *file)
{
    for (int i = 0; i < TEMP_NAME_TRIES; i++) {
        int error = random_name(file->temp_name);
        if (error)
            return error;
        file->fd = openat(file->folder, file->temp_name,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (file->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    int error = errno;
    file->temp_name[0] = '\0'; /* whatever has this name is not ours to remove */
    return error;
}

int outfile_create(struct outfile *file, int root, const char *path)
{
    file->temp_name[0] = '\0';
    file->folder = beneath_open_parent(root, path, file->name);
    if (file->folder < 0)
        return -file->folder;
    int error = digest_init(&file->digest);
    if (error) {
        close(file->folder);
        return error;
    }
    file->fd = openat(file->folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (file->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        error = create_named(file); /* this file system, or kernel, has only named files */
    else if (file->fd < 0)
        error = errno;
    if (error) {
        digest_fini(&file->digest);
        close(file->folder);
    }
    return error;
}

int outfile_write(struct outfile *file, const void *buf, size_t len)
{
    digest_update(&file->digest, buf, len);
    for (const char *pos = buf; len > 0;) {
        ssize_t n = write(file->fd, pos, len);
        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            pos += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Gives a nameless file its temporary name; rename(2) needs one, and link(2) does not
 * replace. */
static int outfile_link(struct outfile *file)
{
    char self[64];
    snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
    for (int i = 0; i < TEMP_NAME_TRIES; i++) {
        char name[sizeof(file->temp_name)];
        int error = random_name(name);
        if (error)
            return error;
        if (linkat(AT_FDCWD, self, file->folder, name, AT_SYMLINK_FOLLOW) == 0) {
            strcpy(file->temp_name, name);
            return 0;
        }
        if (errno != EEXIST)
            break;
    }
    return errno;
}

static void info_times(const file_info *info, struct timespec ret_times[2])
{
    ret_times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    /* A hostile nanosecond count could be UTIME_NOW or UTIME_OMIT. */
    long nsec = info->mtime_nsec % 1000000000u;
    ret_times[1] = (struct timespec){.tv_sec = info->mtime_sec, .tv_nsec = nsec};
}

int outfile_commit(struct outfile *file, const file_info *info)
{
    struct timespec times[2];
    int error = 0;
    info_times(info, times);
    if (fchmod(file->fd, info->mode & FILE_MODE_BITS) < 0 || futimens(file->fd, times) < 0)
        error = errno;
    if (!error && !file->temp_name[0])
        error = outfile_link(file);
    if (!error && renameat(file->folder, file->temp_name, file->folder, file->name) < 0)
        error = errno;
    if (!error)
        file->temp_name[0] = '\0'; /* it is gone: nothing to remove */
    outfile_discard(file);
    return error;
}

void outfile_discard(struct outfile *file)
{
    if (file->temp_name[0])
        unlinkat(file->folder, file->temp_name, 0);
    digest_fini(&file->digest);
    close(file->fd);
    close(file->folder);
}

/* ---- Folders and links ---- */

/* Is there a folder of this name already?  If it is, its owner must be able to write to it
 * for now; where that cannot be had, the writing will say so. */
static bool folder_is_ready(int at, const char *name)
{
    struct stat st;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
        (void)!fchmod(fd, (st.st_mode & 07777) | 0700);
    close(fd);
    return true;
}

int make_folder(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int folder = beneath_open_parent(root, path, name);
    if (folder == -EISDIR)
        return 0; /* ".": the root is there */
    if (folder < 0)
        return -folder;
    int error = mkdirat(folder, name, 0700) < 0 ? errno : 0;
    if (error == EEXIST && folder_is_ready(folder, name))
        error = 0;
    close(folder);
    return error;
}

int make_link(int root, const char *path, const char *target, const file_info *info)
{
    struct timespec times[2];
    char name[NAME_MAX + 1], temp_name[32];
    int folder = beneath_open_parent(root, path, name);
    if (folder < 0)
        return -folder;
    int error = random_name(temp_name);
    if (!error && symlinkat(target, folder, temp_name) < 0)
        error = errno;
    if (!error) {
        /* The time of a link is a courtesy: not all file systems have one. */
        info_times(info, times);
        (void)!utimensat(folder, temp_name, times, AT_SYMLINK_NOFOLLOW);
        if (renameat(folder, temp_name, folder, name) < 0) {
            error = errno;
            unlinkat(folder, temp_name, 0);
        }
    }
    close(folder);
    return error;
}

int read_link(int root, const char *path, char *target, size_t target_len)
{
    char name[NAME_MAX + 1];
    int folder = beneath_open_parent(root, path, name);
    if (folder < 0)
        return -folder;
    ssize_t len = readlinkat(folder, name, target, target_len);
    int error = len < 0 ? errno : 0;
    close(folder);
    if (!error && (size_t)len >= target_len)
        error = ENAMETOOLONG;
    if (!error)
        target[len] = '\0';
    return error;
}

int set_folder_info(int root, const char *path, const file_info *info)
{
    struct timespec times[2];
    int fd = beneath_open(root, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return -fd;
    int error = 0;
    info_times(info, times);
    if (fchmod(fd, info->mode & FOLDER_MODE_BITS) < 0 || futimens(fd, times) < 0)
        error = errno;
    close(fd);
    return error;
}
