/* SPDX-License-Identifier: MIT */
/* compiler.h - the state of one compilation, shared by all its passes. */
#ifndef PENSTOCK_IDL_COMPILER_H
#define PENSTOCK_IDL_COMPILER_H

#include "idl/arena.h"
#include "idl/ast.h"
#include "idl/idl.h"
#include "idl/lex.h"
#include "idl/names.h"

/* Bounds on what the text may nest; each bounds recursion somewhere. */
#define IDL_NESTING_MAX          64 /* parentheses, declarators, structures in structures */
#define IDL_IMPORT_DEPTH_MAX     32
#define IDL_TYPEDEF_DEPTH_MAX    256 /* typedef of a typedef of ...: walked again and again */
#define IDL_ERROR_LIMIT_DEFAULT  100
#define IDL_MEMORY_LIMIT_DEFAULT ((size_t)256 * 1024 * 1024)
/* NDR 2.0 sizes travel as 32 bits; half of that keeps all sums in range. */
#define IDL_SIZE_MAX 0x7fffffffu

struct idl_compiler {
    struct arena arena;
    jmp_buf give_up; /* out of memory, or too many errors */
    struct idl_options options;
    struct idl_host host;

    struct idl_diagnostic *diagnostics, **diagnostics_end;
    struct idl_diagnostic out_of_memory; /* room for the one that cannot allocate */
    unsigned error_count;
    bool com_noted;        /* that COM is skipped has been said */
    bool failed;           /* an error was reported, whatever became of its record */
    bool import_missing;   /* said; whatever nobody has declared may have been in there */
    struct name_map muted; /* warning numbers switched off by midl_pragma */

    struct name_map interned; /* every identifier once: compare by pointer */
    struct name_map names;    /* types, constants, enumerators, operations */
    struct name_map tags;     /* struct and enum tags */
    struct name_map imported; /* paths already read */

    struct var *localized; /* typedef names of imported files as our own ACF has them */
    struct include *acf_includes, **acf_includes_end; /* of the ACF and those of imports */

    struct path_list *paths, **paths_end; /* dependencies */
    struct name_map noted;                /* the same, for looking up */

    struct name_map nodes;              /* descriptors by their C name */
    struct name_map node_names;         /* all names given to descriptors and their parts */
    struct node *node_list, **node_end; /* in order of completion */
    unsigned node_count;
    struct node *settled;               /* the last of them that layout_settle() has seen */
    bool has_characters;   /* some type has [cs_char] */
    unsigned search_round; /* of the search for endless structures */
    unsigned layout_depth; /* structures being laid out inside each other, by pointers */

    struct unit *unit; /* the main file */
    bool for_server; /* the stub being written */
    bool compiled;     /* idl_compile() succeeded */
};

struct path_list {
    const char *path;
    struct path_list *next;
};

/* ---- diag.c ---------------------------------------------------------------- */

void diag_error(struct idl_compiler *compiler, const struct loc *at, unsigned number,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
/* `level`: 1 the important ones, 4 the pedantic ones. */
void diag_warning(struct idl_compiler *compiler, const struct loc *at, unsigned number,
                  unsigned level, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "'x' is not supported yet by penstock-idl" */
void diag_later(struct idl_compiler *compiler, const struct loc *at, const char *what);

/* ---- idl.c ----------------------------------------------------------------- */

/* Every identifier once, NUL-terminated: compare by pointer. */
const char *intern(struct idl_compiler *compiler, const char *text, size_t len);
void compiler_note_path(struct idl_compiler *compiler, const char *path);

#endif
