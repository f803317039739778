/* SPDX-License-Identifier: MIT */
/* preprocess.c - `cc -E` as a child with its output on a pipe.
 *
 * No shell: every argument arrives as it is.  -undef keeps the compiler's own macros
 * away: plain `cc -E` turns the identifiers `unix` and `linux` into 1. */
#include "idl/preprocess.h"

#include "idl/idl.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define READ_STEP (64u * 1024)
/* No interface definition is that large; a device or a mistake may be. */
#define FILE_LEN_MAX ((size_t)64 * 1024 * 1024)

/* Everything from `fd`; NULL: errno.  Closes nothing. */
static char *read_all(int fd, size_t *ret_len)
{
    char *text = NULL;
    size_t len = 0, room = 0;
    for (;;) {
        if (room - len < READ_STEP + 1) {
            size_t wanted = room ? room * 2 : 2 * READ_STEP;
            char *bigger = len > FILE_LEN_MAX ? NULL : realloc(text, wanted);
            if (!bigger) {
                free(text);
                errno = len > FILE_LEN_MAX ? EFBIG : ENOMEM;
                return NULL;
            }
            text = bigger;
            room = wanted;
        }
        ssize_t n = read(fd, text + len, READ_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int saved = errno;
            free(text);
            errno = saved;
            return NULL;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    *ret_len = len;
    return text;
}

char *preprocess_read(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct stat info;
    char *text = NULL;
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
        errno = EISDIR;
    else
        text = read_all(fd, ret_len);
    int saved = errno;
    close(fd);
    errno = saved;
    return text;
}

/* Does a C compiler named so need to hear that .idl files are C?  Without that gcc and clang
 * take them for something to link, and preprocess nothing. */
static bool needs_language(const struct preprocess_options *options)
{
    static const char *const drivers[] = {"cc", "gcc", "clang"};
    const char *slash = strrchr(options->command ? options->command : "cc", '/');
    const char *name = slash ? slash + 1 : options->command ? options->command : "cc";
    const char *dash = strrchr(name, '-'); /* x86_64-linux-gnu-gcc; gcc-12 */
    bool known = false;
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        size_t len = strlen(drivers[i]);
        known |= strncmp(name, drivers[i], len) == 0 && (name[len] == '\0' || name[len] == '-');
        known |= dash && strcmp(dash + 1, drivers[i]) == 0;
    }
    for (size_t i = 0; i < options->flag_count; i++) {
        if (strncmp(options->flags[i], "-x", 2) == 0)
            return false;
    }
    return known;
}

/* The argument vector, NULL-terminated; the array is the caller's, the strings are not. */
static char **arguments(const struct preprocess_options *options, const char *path)
{
    /* -ffreestanding: no stdc-predef.h unasked, it would be a dependency of every file. */
    static const char *const own_flags[] = {"-E", "-undef", "-std=c11", "-ffreestanding",
                                            "-x", "c"};
    static char midl[] = "-D__midl=800", comments[] = "-C", language[] = "-xc";
    _Static_assert(IDL_MIDL_VERSION == 800, "the macro above says so, too");
    const char *const *flags = options->flags ? options->flags : own_flags;
    size_t flag_count =
        options->flags ? options->flag_count : sizeof(own_flags) / sizeof(own_flags[0]);
    size_t macro_count = options->flags ? 0 : options->macro_count;

    char **argv = calloc(flag_count + macro_count + 6, sizeof(*argv));
    if (!argv)
        return NULL;
    size_t n = 0;
    argv[n++] = (char *)(options->command ? options->command : "cc");
    for (size_t i = 0; i < flag_count; i++)
        argv[n++] = (char *)flags[i];
    if (options->flags && needs_language(options))
        argv[n++] = language;
    if (options->keep_comments && !options->flags)
        argv[n++] = comments;
    argv[n++] = midl;
    for (size_t i = 0; i < macro_count; i++)
        argv[n++] = (char *)options->macros[i];
    argv[n++] = (char *)path;
    return argv;
}

/* Starts the child with its standard output on `out`.  0 or an errno. */
static int start(char **argv, int out, int other_end, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_addclose(&actions, other_end);
    if (!error)
        error = posix_spawnp(ret_pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

char *preprocess_run(const struct preprocess_options *options, const char *path, size_t *ret_len)
{
    int ends[2];
    char *text = NULL;
    char **argv = arguments(options, path);
    if (!argv)
        return NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        free(argv);
        return NULL;
    }
    fflush(NULL); /* what we printed comes before what the child prints */
    pid_t pid;
    int error = start(argv, ends[1], ends[0], &pid);
    close(ends[1]);
    free(argv);
    if (!error) {
        text = read_all(ends[0], ret_len);
        error = text ? 0 : errno;
        close(ends[0]); /* before waiting: a child that still writes must end */
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        /* Nothing at all for something, not even a line marker: the preprocessor has not
         * understood what it was to do. */
        struct stat info;
        bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        bool silent = text && *ret_len == 0 && stat(path, &info) == 0 && info.st_size > 0;
        if (text && (failed || silent)) {
            *ret_len = failed ? 1 : 0;
            free(text);
            text = NULL;
        }
    } else {
        close(ends[0]);
    }
    errno = error;
    return text;
}
