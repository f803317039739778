/* SPDX-License-Identifier: MIT */
/* idl.h - the IDL/ACF compiler as a library.
 *
 * Text goes in (already preprocessed), diagnostics and three texts come out: the
 * header, the client stub and the server stub.  No files, no processes, no globals,
 * no exit(): the command-line tool adds those, a fuzz target and a program that
 * compiles IDL in memory do without.
 *
 *     IDL text --lex--> tokens --parse--> tree --acf, check--> checked tree
 *       --layout--> descriptor nodes --emit_*--> C
 *
 * One compiler object compiles one IDL file, its ACF and its imports, once. */
#ifndef PENSTOCK_IDL_H
#define PENSTOCK_IDL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is predefined as __midl while preprocessing: the level of the language. */
#define IDL_MIDL_VERSION 800

/* A text to compile.  Borrowed; copied when compilation starts. */
struct idl_source {
    const char *path; /* as it shall appear in diagnostics */
    const char *text; /* preprocessed; may carry # line markers */
    size_t len;       /* octets */
};

/* How the compiler reaches other files.  Any member may be NULL. */
struct idl_host {
    void *ctx;
    /* Finds, reads and preprocesses the file that `importer` names in an import.
     * The result stays valid until the compiler is freed, and its `path` identifies
     * the file: importing the same path again does nothing. */
    bool (*open_import)(void *ctx, const char *name, const char *importer,
                        struct idl_source *ret_source);
    /* Finds, reads and preprocesses the ACF of the imported file `path`.  False: it has
     * none.  The result stays valid as that of open_import. */
    bool (*open_import_acf)(void *ctx, const char *path, struct idl_source *ret_source);
    /* The text of `path` before preprocessing, for the lines under a diagnostic;
     * NULL: not available.  NUL-terminated. */
    const char *(*original)(void *ctx, const char *path);
};

/* -protocol: the transfer syntaxes of the stubs. */
enum idl_protocol { IDL_PROTOCOL_ALL, IDL_PROTOCOL_DCE, IDL_PROTOCOL_NDR64 };

struct idl_options {
    const char *idl_name;    /* file name in comments and guards, "filerep.idl" */
    const char *header_name; /* what the stubs include, "filerep.h"             */
    const char *client_prefix, *server_prefix, *switch_prefix; /* NULL: none    */
    bool old_names;      /* If_ClientIfHandle instead of If_v1_0_c_ifspec     */
    bool no_default_epv; /* registration must pass an EPV                     */
    bool app_config;     /* ACF attributes are allowed in the IDL             */
    bool osf;            /* strict DCE: Microsoft's extensions are errors     */
    bool ms_union;       /* all unions as with [ms_union]                     */
    bool ms_conf_struct; /* all structures as with [ms_conf_struct]           */
    unsigned pack;       /* -Zp: alignment of structures; 0: natural          */
    bool maybe_null;     /* [disable_consistency_check] everywhere            */
    enum idl_protocol protocol;
    bool old_mode;       /* -Os, -Oi, -Oic: only remarked on                  */
    bool enable_allocate; /* all operations have [enable_allocate]            */
    bool no_server;      /* no server stub is written                         */
    bool plain_char;     /* IDL `char` is C `char`, not `unsigned char`       */
    bool acf_explicit;   /* -acf was given: interface names need not match    */
    bool explicit_handles; /* operations without a handle have one, as with [explicit_handle] */
    bool warnings_are_errors;
    unsigned warning_level; /* 0..4: show warnings of this level and below      */
    unsigned error_limit;   /* give up after so many; 0: 100                    */
    size_t memory_limit;    /* octets; 0: 256 MiB                               */
};

enum idl_severity { IDL_WARNING, IDL_ERROR };

struct idl_diagnostic {
    enum idl_severity severity;
    unsigned number; /* MIDL message number */
    const char *path;
    unsigned line, column; /* from 1; line 0: no place in a file */
    const char *message;
    const char *source_line; /* NULL: none; of a long line the part that is meant */
    unsigned caret;          /* octets of it before the caret */
    const struct idl_diagnostic *next;
};

enum idl_output { IDL_HEADER, IDL_CLIENT_STUB, IDL_SERVER_STUB };

struct idl_compiler;

/* NULL: out of memory.  Borrows both arguments, with the strings in them, until idl_free(). */
struct idl_compiler *idl_new(const struct idl_options *options, const struct idl_host *host);
void idl_free(struct idl_compiler *compiler);

/* Compiles `idl` with `acf` (NULL: none).  False: there are errors.  Once. */
bool idl_compile(struct idl_compiler *compiler, const struct idl_source *idl,
                 const struct idl_source *acf);

/* All messages in the order they were found. */
const struct idl_diagnostic *idl_diagnostics(const struct idl_compiler *compiler);

/* "path:line:column: error MIDLnnnn: text", the source line and a caret, each line
 * with its end of line.  Returns the length like snprintf. */
size_t idl_diagnostic_text(const struct idl_diagnostic *diagnostic, char *buf, size_t size);

/* The generated text, after idl_compile() returned true.  NULL: nothing to generate
 * (a stub of a file without operations, a server stub where all are
 * serialised) or out of memory.  Owned by the compiler. */
const char *idl_output(struct idl_compiler *compiler, enum idl_output which, size_t *ret_len);

/* True when there is something to write: stubs come from operations and serialised types only. */
bool idl_has_output(const struct idl_compiler *compiler, enum idl_output which);

/* The files the # line markers and imports named: for a dependency file.  NULL at
 * the end of the list. */
const char *idl_dependency(const struct idl_compiler *compiler, size_t index);

#endif
