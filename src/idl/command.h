/* SPDX-License-Identifier: MIT */
/* command.h - the command line of penstock-idl, spelled as midl's (idl.md 11). */
#ifndef PENSTOCK_IDL_COMMAND_H
#define PENSTOCK_IDL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* A growing list of strings it does not own. */
struct string_list {
    const char **at;
    size_t count, room;
};

struct command {
    const char *input;
    const char *acf;                    /* NULL: beside the input, if there is one */
    const char *out_dir;                /* NULL: current directory */
    const char *header, *cstub, *sstub; /* NULL: from the name of the input */
    const char *client_prefix, *server_prefix, *switch_prefix;
    const char *cpp_command;
    struct string_list cpp_flags; /* -cpp_opt, split at blanks */
    struct string_list macros;    /* -I, -D, -U for the preprocessor, one argument each */
    struct string_list dirs;      /* of -I */
    const char *depfile;          /* -MF */
    const char *dep_target;       /* -MT; NULL: the outputs */
    unsigned warning_level;
    bool warnings_are_errors, no_cpp, no_def_dirs, no_client, no_server, check_only;
    const char *messages; /* -o; NULL: stderr */
    const char *chars;    /* -char; NULL: as signed */
    unsigned pack;        /* -Zp; 0: natural alignment */
    bool old_names, no_default_epv, app_config, write_depfile, dep_phony, help;
    bool osf, extensions, ms_union, ms_conf_struct, maybe_null, rpcss, save_pp, confirm, old_mode,
        no_warnings;
    const char *protocol; /* of -protocol: dce, ndr64, all; NULL: not given */
    unsigned errors;          /* reported on stderr */
    struct string_list owned; /* strings made here */
};

/* Reads the arguments, and those in @files.  False: reported on stderr. */
bool command_parse(struct command *command, int argc, char **argv);
void command_fini(struct command *command);
void command_help(void);

/* Appends; out of memory ends the program. */
void string_list_add(struct string_list *list, const char *text);

#endif
