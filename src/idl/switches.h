/* SPDX-License-Identifier: MIT */
/* switches.h - the switches of the command line, one row each (idl.md 11). */
#ifndef PENSTOCK_IDL_SWITCHES_H
#define PENSTOCK_IDL_SWITCHES_H

enum switch_id {
    SW_IGNORED,     /* nothing follows */
    SW_IGNORED_ARG, /* one argument follows, of no consequence here */
    SW_OBSOLETE,
    SW_UNSUPPORTED,
    SW_NUMBER, /* a number follows, of no consequence here */
    SW_SAVE_PP,
    SW_MESSAGES,
    SW_OSF,
    SW_EXTENSIONS,
    SW_MS_UNION,
    SW_ERROR,
    SW_COMPAT,
    SW_RPCSS,
    SW_CONFIRM,
    SW_OLD_MODE,
    SW_ACF,
    SW_HEADER,
    SW_CSTUB,
    SW_SSTUB,
    SW_OUT,
    SW_CLIENT,
    SW_SERVER,
    SW_PREFIX,
    SW_OLDNAMES,
    SW_NO_CPP,
    SW_CPP_CMD,
    SW_CPP_OPT,
    SW_NO_DEF_IDIR,
    SW_INCLUDE,
    SW_DEFINE,
    SW_UNDEFINE,
    SW_WARN,
    SW_WX,
    SW_NO_WARN,
    SW_NO_DEFAULT_EPV,
    SW_APP_CONFIG,
    SW_CHAR,
    SW_PACK,
    SW_CHECK,
    SW_HELP,
    SW_MD,
    SW_MF,
    SW_MT,
    SW_PROTOCOL,
    SW_ENV,
    SW_TARGET,
    SW_MP
};

enum arg_form {
    ARG_NO,
    ARG_NEXT,     /* the next argument            */
    ARG_ATTACHED, /* -Dname, or the next argument */
    ARG_SUFFIX    /* -W3: must be attached        */
};

struct switch_row {
    const char *name;
    enum switch_id id;
    enum arg_form form;
};

/* The row of `text`, a switch without its - or /.  NULL: there is none.  What stands
 * attached to it, as in -Dname, is *ret_attached; NULL: nothing. */
const struct switch_row *switch_find(const char *text, const char **ret_attached);

#endif
