/* SPDX-License-Identifier: MIT */
/* idl_write.c - outputs are written in full beside their places and then renamed: a build
 * never sees half a file, nor a new header with old stubs because the disk was full. */
#include "idl_write.h"

#include "idl/idl.h"

#include <assert.h>
#include <errno.h>
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

bool write_stage(struct write_set *set, const char *path, const char *text, size_t len)
{
    assert(set->count < WRITE_FILES_MAX);
    size_t size = strlen(path) + sizeof(".new");
    char *copy = strdup(path);
    char *temporary = malloc(size);
    if (!copy || !temporary) {
        free(copy);
        free(temporary);
        return complain(path, 2005, "out of memory", ENOMEM);
    }
    snprintf(temporary, size, "%s.new", path);
    FILE *file = fopen(temporary, "w");
    if (!file) {
        int error = errno;
        free(copy);
        free(temporary);
        return complain(path, 2117, "error in opening file", error);
    }
    set->paths[set->count] = copy;
    set->temporaries[set->count++] = temporary;
    bool ok = fwrite(text, 1, len, file) == len;
    int error = errno;
    if (fclose(file) != 0 && ok) {
        error = errno;
        ok = false;
    }
    return ok || complain(path, 2212, "error while writing to file", error);
}

bool write_commit(struct write_set *set)
{
    struct stat info;
    for (size_t i = 0; i < set->count; i++) {
        if (stat(set->paths[i], &info) == 0 && S_ISDIR(info.st_mode))
            return complain(set->paths[i], 2212, "error while writing to file", EISDIR);
    }
    bool ok = true;
    for (size_t i = 0; i < set->count; i++) {
        if (rename(set->temporaries[i], set->paths[i]) != 0) {
            ok = complain(set->paths[i], 2212, "error while writing to file", errno);
            continue;
        }
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
        free(set->temporaries[i]);
        free(set->paths[i]);
    }
    set->count = 0;
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
