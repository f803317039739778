/* SPDX-License-Identifier: MIT */
/* idl_write.h - the files of one run of penstock-idl appear together or not at all. */
#ifndef PENSTOCK_TOOLS_IDL_WRITE_H
#define PENSTOCK_TOOLS_IDL_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#define WRITE_FILES_MAX 4 /* header, two stubs, dependencies */

/* Files written beside where they will stand.  Zero to begin with. */
struct write_set {
    char *paths[WRITE_FILES_MAX];
    char *temporaries[WRITE_FILES_MAX]; /* NULL: moved into place, or `texts` has it */
    char *texts[WRITE_FILES_MAX];       /* for what is no regular file: its contents */
    size_t lengths[WRITE_FILES_MAX];
    size_t count;
};

/* Writes `text` for `path`, which is copied; nothing is at `path` yet.  A signal that ends
 * the process from now on removes what was written.  False: reported on stderr, and the set
 * is not to be committed. */
bool write_stage(struct write_set *set, const char *path, const char *text, size_t len);
struct idl_compiler;
/* Stages a make dependency file: `target`, or the files of the set, depends on what the
 * compiler read.  `phony`: with an empty rule for each.  False: reported. */
bool write_dependencies(struct write_set *set, const char *path,
                        const struct idl_compiler *compiler, const char *target, bool phony);
/* Has every file of the set a name of its own, which none of the files has that the compiler
 * read?  False: reported. */
bool write_check(const struct write_set *set, const struct idl_compiler *compiler);
/* Puts all files into place.  False: reported; none was when any place is not for a file. */
bool write_commit(struct write_set *set);
/* Releases the set; what was not committed is removed. */
void write_fini(struct write_set *set);

#endif
