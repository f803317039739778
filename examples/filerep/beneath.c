/* SPDX-License-Identifier: MIT */
/* beneath.c - openat2(2) where there is one, else one component at a time.
 *
 * Checking a path and then opening it would be a race: somebody could put a symbolic link
 * in between.  So the kernel is asked to resolve and refuse in one step, or every component
 * is opened with O_NOFOLLOW from the folder opened before. */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RESOLVE_BENEATH reports EAGAIN when a rename elsewhere made it unsure; try again, not
 * for ever. */
#define OPENAT2_TRIES 16

static atomic_bool no_openat2;

void beneath_without_openat2(void)
{
    atomic_store(&no_openat2, true);
}

int beneath_check(const char *path)
{
    if (strcmp(path, ".") == 0)
        return 0;
    if (strlen(path) >= PATH_MAX)
        return ENAMETOOLONG;
    for (const char *name = path;;) {
        size_t len = strcspn(name, "/");
        if (len == 0 || (len <= 2 && strncmp(name, "..", len) == 0))
            return EINVAL;
        if (len > NAME_MAX)
            return ENAMETOOLONG;
        if (name[len] == '\0')
            return 0;
        name += len + 1;
    }
}

static int open_with_openat2(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned int)flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    for (int i = 0; i < OPENAT2_TRIES; i++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

/* Why openat failed.  With O_DIRECTORY a link is just "not a folder"; openat2 says ELOOP. */
static int open_error(int at, const char *name)
{
    int error = errno;
    struct stat st;
    if (error == ENOTDIR && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        error = ELOOP;
    return error;
}

static int open_step_by_step(int root, const char *path, int flags)
{
    char name[NAME_MAX + 1];
    int at = root, fd;
    for (;;) {
        size_t len = strcspn(path, "/");
        bool last = path[len] == '\0';
        memcpy(name, path, len);
        name[len] = '\0';
        fd = openat(at, name, O_NOFOLLOW | (last ? flags : O_PATH | O_DIRECTORY | O_CLOEXEC));
        int error = fd < 0 ? open_error(at, name) : 0;
        if (at != root)
            close(at);
        if (error)
            return -error;
        if (last)
            return fd;
        at = fd;
        path += len + 1;
    }
}

int beneath_open(int root, const char *path, int flags)
{
    int error = beneath_check(path);
    if (error)
        return -error;
    flags |= O_CLOEXEC;
    if (!atomic_load(&no_openat2)) {
        int fd = open_with_openat2(root, path, flags);
        /* Old kernels have no openat2; some sandboxes refuse what they do not know with EPERM. */
        if (fd != -ENOSYS && fd != -EPERM)
            return fd;
        if (fd == -ENOSYS)
            beneath_without_openat2();
    }
    return open_step_by_step(root, path, flags);
}

int beneath_open_parent(int root, const char *path, char ret_name[NAME_MAX + 1])
{
    int error = beneath_check(path);
    if (error)
        return -error;
    if (strcmp(path, ".") == 0)
        return -EISDIR;
    const char *slash = strrchr(path, '/');
    strcpy(ret_name, slash ? slash + 1 : path); /* beneath_check: NAME_MAX at most */
    if (!slash)
        return beneath_open(root, ".", O_PATH | O_DIRECTORY);
    char folder[PATH_MAX];
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return beneath_open(root, folder, O_PATH | O_DIRECTORY);
}
