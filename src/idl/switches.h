/* SPDX-License-Identifier: MIT */
/* switches.h - the switches of the command line, one row each (idl.md 11). */
#ifndef PENSTOCK_IDL_SWITCHES_H
#define PENSTOCK_IDL_SWITCHES_H

#include <stddef.h>

#include "idl/command.h"

enum arg_form {
    ARG_NO,
    ARG_NEXT,     /* the next argument            */
    ARG_ATTACHED, /* -Dname, or the next argument */
    ARG_SUFFIX,   /* -W3: must be attached        */
    ARG_LIST      /* -prefix: pairs of arguments  */
};

struct switch_row {
    const char *name;
    enum arg_form form;
    /* Takes the argument; NULL: the switch has no effect here. */
    void (*set)(struct command *command, const struct switch_row *row, const char *value);
    size_t member;     /* of struct command, for `set` */
    const char *words; /* the arguments there are, separated by blanks; NULL: any */
};

/* The row of `text`, a switch without its - or /.  NULL: there is none.  What stands
 * attached to it, as in -Dname, is *ret_attached; NULL: nothing. */
const struct switch_row *switch_find(const char *text, const char **ret_attached);

/* ---- command.c ---------------------------------------------------------------------------- */

void command_complain(struct command *command, unsigned number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `prefix` and `len` octets of `text`: a copy that lives as long as the command. */
char *command_keep(struct command *command, const char *prefix, const char *text, size_t len);

#endif
