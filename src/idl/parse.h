/* SPDX-License-Identifier: MIT */
/* parse.h - recursive descent over IDL and ACF text.
 *
 * Each function stands under the EBNF it accepts.  Functions that return NULL or
 * false have reported a syntax error; the loops over declarations then skip to the
 * next ';' or '}' and go on. */
#ifndef PENSTOCK_IDL_PARSE_H
#define PENSTOCK_IDL_PARSE_H

#include "idl/compiler.h"

struct parser {
    struct idl_compiler *compiler;
    struct lexer lexer;
    struct token token;   /* the next one */
    const char *last_end; /* end of the one before */
    struct unit *unit;
    struct interface *interface; /* NULL outside */
    unsigned nesting;            /* parentheses, bodies, declarators */
    unsigned import_depth;
    unsigned error_line; /* of the last syntax error: one a line is enough */
    bool in_acf;
    bool const_expected; /* the next `const` begins a constant */
    bool casts_allowed;  /* the expression is a constant's */
    bool in_library; /* type libraries: all interfaces are COM's */
};

/* ---- parse.c: files ------------------------------------------------------------ */

/* Parses `source`.  `importer` is the unit that imports it; NULL: the main file. */
struct unit *parse_idl(struct idl_compiler *compiler, const struct idl_source *source,
                       const struct parser *importer);

void parse_init(struct parser *parser, struct idl_compiler *compiler,
                const struct idl_source *source);
void parse_advance(struct parser *parser);
/* The same after an error: what comes may be anything. */
void parse_skip(struct parser *parser);
bool parse_at(const struct parser *parser, int kind);
bool parse_at_keyword(const struct parser *parser, enum keyword keyword);
/* Takes the token when it is there. */
bool parse_accept(struct parser *parser, int kind);
bool parse_accept_keyword(struct parser *parser, enum keyword keyword);
/* Takes it or reports that it is missing. */
bool parse_expect(struct parser *parser, int kind);
/* A syntax error at the next token: "expected <what> before <token>". */
void parse_error_expected(struct parser *parser, const char *what);
/* An identifier that is no reserved word; NULL: reported. */
const char *parse_identifier(struct parser *parser, const char *what, struct loc *ret_loc);
/* To behind the next ';' outside braces, or to the '}' that ends the body. */
void parse_recover(struct parser *parser);
/* One level deeper; false: too deep, reported. */
bool parse_enter(struct parser *parser);
void parse_leave(struct parser *parser);

/* ---- parse_decl.c: what stands in interfaces and files ---------------------------- */

void parse_declaration(struct parser *parser, struct decl ***end);
/* Appends a declaration that begins at `source`. */
struct decl *add_decl(struct parser *parser, enum decl_kind kind, const char *source,
                      struct decl ***end);
/* A name about to be declared, of this file and interface. */
struct var *new_var(struct parser *parser, struct attr *attrs, const char *source);

/* ---- parse_typedef.c, parse_proc.c ------------------------------------------------ */

/* A typedef, on the word. */
bool parse_typedef(struct parser *parser, struct attr *attrs, const char *source,
                   struct decl ***end);
/* A constant whose type and name are read, on the '='. */
bool parse_const(struct parser *parser, struct var *var, const char *source, struct decl ***end);
/* An operation whose declarator is read, on the ';'. */
bool parse_proc(struct parser *parser, struct var *var, const char *source, struct decl ***end);

/* ---- parse_if.c: interfaces ------------------------------------------------------- */

void parse_interface(struct parser *parser, struct attr *attrs, const char *source,
                     struct decl ***end);

/* ---- parse_com.c ------------------------------------------------------------------ */

/* Says, once a file, that what belongs to COM is skipped. */
void com_note(struct parser *parser, const struct loc *at);
/* What the name of `interface` means where a type is expected. */
struct type *com_interface_type(struct parser *parser, struct interface *interface, struct loc loc);
/* [ 'interface' ] ID of an interface, or SAFEARRAY; on the keyword. */
struct type *com_type(struct parser *parser);
/* A method stands here, not a type or a constant; behind what could be its attributes. */
bool com_at_method(const struct parser *parser);
/* To behind the ';' or the body that ends the statement. */
void com_skip_statement(struct parser *parser);
/* MIDL 3.0, the language of the Windows Runtime: its words, and one error for the file. */
bool com_is_winrt(const char *word);
void com_refuse_winrt(struct parser *parser);
/* library, coclass, dispinterface or module, on the word; its attributes are read. */
bool com_block(struct parser *parser, struct decl ***end);

/* ---- parse_attr.c ------------------------------------------------------------------ */

/* All attribute lists that stand here, as one list. */
struct attr *parse_attributes(struct parser *parser);
/* Reports what may not stand at `place` (PLACE_*), is given twice or not supported. */
void parse_check_attributes(struct parser *parser, struct attr *attrs, unsigned place);
struct attr *attr_find(struct attr *attrs, enum attr_id id);
struct attr *attr_append(struct attr *first, struct attr *second);

/* ---- parse_type.c ------------------------------------------------------------------ */

/* A type at the next token. */
struct type *new_type(struct parser *parser, enum type_kind kind);
struct type *parse_type(struct parser *parser, bool in_param);
/* Words around a type that mean nothing on the wire. */
struct quals {
    bool is_const;
    enum keyword convention; /* the calling convention named so far */
};
/* Takes a qualifier or a calling convention when one is there. */
bool parse_qualifier(struct parser *parser, struct quals *quals);

/* ---- parse_declarator.c ------------------------------------------------------------ */

/* A declarator around `base`; `var` gets name, type and further attributes. */
bool parse_declarator(struct parser *parser, struct type *base, struct var *var,
                      bool abstract_allowed);
bool parse_params(struct parser *parser, struct type *function);
struct type *parse_body_struct(struct parser *parser, struct loc loc);
struct type *parse_body_enum(struct parser *parser, struct loc loc);

/* ---- parse_union.c ----------------------------------------------------------------- */

/* Both kinds of union, from the word on. */
struct type *parse_union(struct parser *parser, struct loc loc);
/* [switch_type] and [ms_union] that stand before a union defined here, [ms_conf_struct] before a
 * structure. */
void parse_union_attributes(struct parser *parser, struct type *base, struct attr *attrs);

/* ---- parse_names.c ----------------------------------------------------------------- */

/* Makes `name` known or reports that it is taken. */
bool declare(struct parser *parser, const char *name, const struct symbol *symbol);
/* Reports names that C cannot take or a constant has taken. */
void check_name(struct parser *parser, const char *name, const struct loc *loc);
const char *invent_tag(struct parser *parser);

/* ---- parse_body.c ------------------------------------------------------------------ */

/* The structure or union with that tag, made when there is none; NULL: reported. */
struct aggregate *aggregate_of_tag(struct parser *parser, const char *name, bool is_union,
                                   struct loc loc);
/* Appends a named member whose type is complete, or reports. */
void add_field(struct parser *parser, struct aggregate *owner, struct var *field,
               struct var ***end);
/* `base` stands alone in a body: an anonymous member, or an error.  False: reported. */
bool add_anonymous(struct parser *parser, struct aggregate *owner, struct type *base,
                   struct var *field, struct var ***end);
/* The bits of `field`, on the ':'.  False: reported. */
bool parse_bit_field(struct parser *parser, struct aggregate *owner, struct var *field);
/* Opens the body of a struct or union: false: it has one already, reported. */
bool begin_body(struct parser *parser, struct aggregate *owner, struct loc loc);

/* ---- parse_pack.c ---------------------------------------------------------------------- */

/* `text` is what stands behind #pragma.  The pragma for the header, in the form that all C
 * compilers know; NULL: nothing to say there, or reported. */
const char *parse_pack(struct parser *parser, const char *text, const struct loc *loc);
/* At the end of the file: an alignment pushed and not popped. */
void parse_pack_end(struct parser *parser);

/* ---- parse_expr.c ------------------------------------------------------------------ */

struct expr *parse_expr(struct parser *parser);

/* ---- acf.c -------------------------------------------------------------------------- */

/* The ACF of `unit`; of an imported file only its types matter. */
void parse_acf(struct idl_compiler *compiler, const struct idl_source *source, struct unit *unit);

#endif
