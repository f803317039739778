/* SPDX-License-Identifier: MIT */
/* call_script.h - several calls in one run, and so in one association group: what the first
 * opens the next can use. */
#ifndef PENSTOCK_TOOLS_CALL_SCRIPT_H
#define PENSTOCK_TOOLS_CALL_SCRIPT_H

#include <jansson.h>

/* Makes one call; EXIT_OK and *ret_results, given, or reported. */
typedef int call_script_call(void *arg, const char *name, const json_t *arguments,
                             json_t **ret_results);

/* Calls what each line of `path` ("-": standard input) says, until one fails.  An EXIT_*. */
int call_script(const char *path, call_script_call *call, void *arg);

#endif
