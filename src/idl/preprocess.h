/* SPDX-License-Identifier: MIT */
/* preprocess.h - runs the C preprocessor over one file. */
#ifndef PENSTOCK_IDL_PREPROCESS_H
#define PENSTOCK_IDL_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>

struct preprocess_options {
    const char *command;      /* NULL: "cc" */
    const char *const *flags; /* instead of our own; NULL: ours */
    size_t flag_count;
    const char *const *macros; /* -I, -D and -U, each one argument */
    size_t macro_count;
    bool keep_comments; /* with our flags */
};

/* The whole of `path`, NUL-terminated; NULL: errno says why.  Gives; free(). */
char *preprocess_read(const char *path, size_t *ret_len);

/* The output of the preprocessor on `path`, NUL-terminated.  NULL: it failed and has
 * said why on stderr, or wrote nothing at all (then *ret_len is 0), or could not be started
 * (then errno is not 0).  Gives; free(). */
char *preprocess_run(const struct preprocess_options *options, const char *path, size_t *ret_len);

#endif
