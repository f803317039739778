/* SPDX-License-Identifier: MIT */
/* idl_write.c - outputs are written in full beside their places and then renamed: a build
 * never sees half a file, nor a new header with old stubs because the disk was full. */
#include "idl_write.h"

#include "idl/idl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(const char *path, unsigned number, const char *what, int error)
{
    fprintf(stderr, "%s: error MIDL%u: %s: %s\n", path, number, what, strerror(error));
    return false;
}

/* ---- Nothing stays behind ---------------------------------------------------------------- */

/* What a signal has to remove; only pointers change, so that the handler may look any time. */
static const char *volatile unfinished[WRITE_FILES_MAX];

static void remove_and_die(int number)
{
    for (size_t i = 0; i < WRITE_FILES_MAX; i++) {
        const char *path = unfinished[i];
        if (path)
            unlink(path);
    }
    raise(number); /* SA_RESETHAND: as if it had not been caught */
}

/* From the first temporary file on.  What the caller made us ignore stays ignored (nohup). */
static void catch_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) != 0 || action.sa_handler != SIG_DFL)
            continue;
        memset(&action, 0, sizeof(action));
        action.sa_handler = remove_and_die;
        action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
        sigaction(numbers[i], &action, NULL);
    }
}

/* ---- Writing ------------------------------------------------------------------------------ */

static bool same_file(const char *a, const char *b)
{
    struct stat one, other;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool write_check(const struct write_set *set, const struct idl_compiler *compiler)
{
    const char *input;
    for (size_t i = 0; i < set->count; i++) {
        const char *path = set->paths[i];
        for (size_t j = 0; j < i; j++) {
            if (same_file(path, set->paths[j])) {
                fprintf(stderr,
                        "%s: error MIDL2212: error while writing to file: two outputs "
                        "have this name; expected one each\n",
                        path);
                return false;
            }
        }
        for (size_t j = 0; (input = idl_dependency(compiler, j)) != NULL; j++) {
            if (same_file(path, input)) {
                fprintf(stderr,
                        "%s: error MIDL2212: error while writing to file: it is the "
                        "input '%s'; expected another name\n",
                        path, input);
                return false;
            }
        }
    }
    return true;
}

/* Everything there is to write, to a file or to what else has a name.  0 or an errno. */
static int write_text(const char *path, int flags, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
    if (fd < 0)
        return errno;
    int error = 0;
    while (len > 0 && error == 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            error = errno;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    if (close(fd) != 0 && error == 0)
        error = errno;
    return error;
}

bool write_stage(struct write_set *set, const char *path, const char *text, size_t len)
{
    assert(set->count < WRITE_FILES_MAX);
    size_t i = set->count, size = strlen(path) + 32;
    set->paths[i] = strdup(path);
    set->temporaries[i] = malloc(size);
    set->count++;
    if (!set->paths[i] || !set->temporaries[i])
        return complain(path, 2005, "out of memory", ENOMEM);

    /* A device or a FIFO is written to, not replaced; that has to wait for the end. */
    struct stat info;
    set->lengths[i] = len;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        free(set->temporaries[i]);
        set->temporaries[i] = NULL;
        set->texts[i] = malloc(len + 1);
        if (!set->texts[i])
            return complain(path, 2005, "out of memory", ENOMEM);
        memcpy(set->texts[i], text, len);
        return true;
    }

    /* The process in the name: make -j may run two of us for one header. */
    snprintf(set->temporaries[i], size, "%s.%ld.new", path, (long)getpid());
    catch_signals();
    unfinished[i] = set->temporaries[i];
    int error = write_text(set->temporaries[i], O_CREAT | O_TRUNC, text, len);
    if (error == 0)
        return true;
    bool opened = access(set->temporaries[i], F_OK) == 0;
    return complain(path, opened ? 2212 : 2117,
                    opened ? "error while writing to file" : "error in opening file", error);
}

bool write_commit(struct write_set *set)
{
    struct stat info;
    for (size_t i = 0; i < set->count; i++) {
        if (stat(set->paths[i], &info) == 0 && S_ISDIR(info.st_mode))
            return complain(set->paths[i], 2212, "error while writing to file", EISDIR);
    }
    for (size_t i = 0; i < set->count; i++) {
        int error = 0;
        if (set->texts[i])
            error = write_text(set->paths[i], 0, set->texts[i], set->lengths[i]);
        if (error)
            return complain(set->paths[i], 2212, "error while writing to file", error);
    }
    bool ok = true;
    for (size_t i = 0; i < set->count; i++) {
        if (set->texts[i])
            continue;
        if (rename(set->temporaries[i], set->paths[i]) != 0) {
            ok = complain(set->paths[i], 2212, "error while writing to file", errno);
            continue;
        }
        unfinished[i] = NULL;
        free(set->temporaries[i]);
        set->temporaries[i] = NULL;
    }
    return ok;
}

void write_fini(struct write_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->temporaries[i])
            unlink(set->temporaries[i]);
        unfinished[i] = NULL;
        free(set->temporaries[i]);
        free(set->paths[i]);
        free(set->texts[i]);
    }
    *set = (struct write_set){0};
}

/* ---- Dependencies ------------------------------------------------------------------------- */

static void add_escaped(FILE *file, const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == ' ' || *path == '#' || *path == '\\')
            fputc('\\', file);
        if (*path == '$')
            fputc('$', file);
        fputc(*path, file);
    }
}

bool write_dependencies(struct write_set *set, const char *path,
                        const struct idl_compiler *compiler, const char *target, bool phony)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    if (!file)
        return complain(path, 2005, "out of memory", errno);
    if (target)
        fputs(target, file);
    for (size_t i = 0; !target && i < set->count; i++) {
        if (i > 0)
            fputc(' ', file);
        add_escaped(file, set->paths[i]);
    }
    fputc(':', file);
    const char *input;
    for (size_t i = 0; (input = idl_dependency(compiler, i)) != NULL; i++) {
        fputs(" \\\n  ", file);
        add_escaped(file, input);
    }
    fputc('\n', file);
    /* Not for the first, the input: without it nothing can be made. */
    for (size_t i = 1; phony && (input = idl_dependency(compiler, i)) != NULL; i++) {
        add_escaped(file, input);
        fputs(":\n", file);
    }
    bool ok = fclose(file) == 0 ? write_stage(set, path, text, len)
                                : complain(path, 2005, "out of memory", errno);
    free(text);
    return ok;
}
