/* SPDX-License-Identifier: MIT */
/* idl_files.h - the files of one compilation: finds, reads and preprocesses them for the
 * compiler, which knows no file system.
 *
 * Out of memory ends the program: these are commands. */
#ifndef PENSTOCK_TOOLS_IDL_FILES_H
#define PENSTOCK_TOOLS_IDL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "idl/idl.h"
#include "idl/preprocess.h"

/* A file that was read; kept until the end, the compiler refers to it. */
struct idl_file {
    char *path;
    char *text; /* preprocessed */
    size_t len;
    char *original; /* as written; NULL: not asked for yet, or not readable */
    bool original_tried;
    dev_t device; /* with inode: the same file under another name is imported once */
    ino_t inode;
    struct idl_file *next;
};

struct idl_files {
    struct preprocess_options cpp;
    const char *const *dirs; /* of -I */
    size_t dir_count;
    bool no_def_dirs; /* $INCLUDE is not searched */
    bool no_cpp;      /* files are read as they are */
    bool plain;       /* files without directives are read as they are: no preprocessor runs */
    /* Told of every text before the compiler reads it; NULL: nobody wants to know.
     * False: it has failed, and said so. */
    bool (*loaded)(void *ctx, const char *text, size_t len);
    void *loaded_ctx;
    struct idl_file *list;
    bool failed; /* something was reported on stderr */
    bool ignore_case; /* while searching */
};

/* The file `name` as `importer` (NULL: the command line) means it.  Gives; NULL: none. */
char *idl_files_find(struct idl_files *files, const char *name, const char *importer);
/* Reads `path`, which it takes.  NULL: reported. */
struct idl_file *idl_files_load(struct idl_files *files, char *path);
/* What the compiler asks for. */
struct idl_host idl_files_host(struct idl_files *files);
/* All messages of the compiler, on stderr; false: there are none. */
bool idl_files_print(const struct idl_compiler *compiler);
void idl_files_fini(struct idl_files *files);

/* "PATH: error MIDLnnnn: text" */
void idl_files_fail(struct idl_files *files, const char *path, unsigned number, const char *text);
/* The pointer itself; NULL ends the program. */
void *idl_files_keep(void *object);
/* The three in one.  Gives. */
char *idl_join(const char *a, const char *b, const char *c);
const char *idl_base_name(const char *path);

#endif
