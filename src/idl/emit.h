/* SPDX-License-Identifier: MIT */
/* emit.h - C from a checked file.  emit_header.c, emit_client.c and emit_server.c write
 * one output each; emit_decls.c writes the header's declarations, emit_types.c the
 * descriptors both stubs begin with; emit.c has what all share. */
#ifndef PENSTOCK_IDL_EMIT_H
#define PENSTOCK_IDL_EMIT_H

#include "idl/compiler.h"
#include "idl/layout.h"

void emit_header(struct idl_compiler *compiler, struct text *out);
void emit_client(struct idl_compiler *compiler, struct text *out);
void emit_server(struct idl_compiler *compiler, struct text *out);

/* ---- emit.c ------------------------------------------------------------------------ */

/* The first line of a file, and for stubs its includes. */
void emit_banner(struct idl_compiler *compiler, struct text *out, const char *what);
void emit_stub_top(struct idl_compiler *compiler, struct text *out, const char *what);

/* IDL text as a C comment of its own lines. */
void emit_comment(struct idl_compiler *compiler, struct text *out, const char *indent,
                  const char *start, const char *end);
/* A line of C, broken behind commas where it grows too long, with its end of line. */
void emit_wrapped(struct text *out, const char *indent, const char *line);
/* IDL text on one line, blanks squeezed, fit to stand in a comment. */
const char *emit_squeeze(struct idl_compiler *compiler, const char *start, const char *end);
/* "[in, size_is(n)]", or "" when there are none. */
const char *emit_attrs(struct idl_compiler *compiler, const struct var *var);

/* "const int32_t *name": a C declaration without the semicolon. */
const char *emit_declaration(struct idl_compiler *compiler, struct type *type, const char *name);
/* The same for a parameter, as the function gets it: arrays are pointers, pipes of
 * asynchronous operations are ASYNC_ structures.  `member`: in the frame, never const. */
const char *emit_param(struct idl_compiler *compiler, const struct proc *proc,
                       const struct var *param, bool member);
/* "void " or "int32_t ": the result type, to be followed by a name. */
const char *emit_result(struct idl_compiler *compiler, const struct proc *proc,
                        const char *declarator);
/* The parameter list of `proc` in parentheses; one a line with `indent`, else in one. */
void emit_param_list(struct idl_compiler *compiler, struct text *out, const struct proc *proc,
                     bool lines);

/* How C reaches a field: an anonymous one begins where its first member does. */
const char *emit_member(const struct var *field);
/* A named twin of an anonymous structure or union, for sizeof and offsetof. */
void emit_twin(struct idl_compiler *compiler, struct text *out, const struct aggregate *anonymous);

const char *emit_client_name(struct idl_compiler *compiler, const struct proc *proc);
const char *emit_server_name(struct idl_compiler *compiler, const struct proc *proc);
/* If_v1_0_c_ifspec and kin. */
const char *emit_ifspec(struct idl_compiler *compiler, const struct interface *interface,
                        bool server);
/* A name for a local variable that no parameter of `proc` has. */
const char *emit_local(struct idl_compiler *compiler, const struct proc *proc, const char *wish);
/* A 64-bit number as a C constant expression. */
const char *emit_int64(struct idl_compiler *compiler, int64_t value);

/* ---- emit_decls.c ---------------------------------------------------------------------- */

/* "struct tag { ... }", over several lines that begin with `indent`, the first without it. */
void emit_body(struct idl_compiler *compiler, struct text *out, struct type *type,
               const char *indent);
/* Types defined in anonymous members of `type`, before the outermost structure: in C++ they
 * cannot stand there.  `inside`: within an anonymous member already. */
void emit_hoisted(struct idl_compiler *compiler, struct text *out, const struct type *type,
                  bool inside);
void emit_typedef(struct idl_compiler *compiler, struct text *out, const struct decl *decl);
void emit_type_definition(struct idl_compiler *compiler, struct text *out,
                          const struct decl *decl);
/* Pipes of imported files: their headers know nothing of our [async]. */
void emit_imported_pipes(struct idl_compiler *compiler, struct text *out,
                         const struct interface *interface);
/* The value of a constant, as its macro has it. */
const char *emit_const(struct idl_compiler *compiler, const struct var *var);

/* ---- emit_union.c ---------------------------------------------------------------------- */

/* The arms, where `node` is the first to need them, and the NDR_UNION of `node`. */
void emit_alternatives(struct idl_compiler *compiler, struct text *out, struct node *node);

/* ---- emit_callback.c --------------------------------------------------------------- */

/* [callback] procedures in the client stub: what runs the program's routines. */
void emit_callback_routines(struct idl_compiler *compiler, struct text *out,
                            const struct interface *interface);
/* And in the server stub: what managers call. */
void emit_callback_stubs(struct idl_compiler *compiler, struct text *out,
                         const struct interface *interface);

/* ---- emit_pickle.c ---------------------------------------------------------------------- */

/* Prototypes of T_Encode and kin, for the header. */
void emit_pickle_prototypes(struct idl_compiler *compiler, struct text *out);
/* Their descriptors and they themselves, the end of the client stub. */
void emit_pickle_routines(struct idl_compiler *compiler, struct text *out);

/* ---- emit_client.c ---------------------------------------------------------------------- */

/* The variable of [implicit_handle]. */
void emit_implicit_handle(struct text *out, const struct interface *interface);

/* ---- emit_types.c ---------------------------------------------------------------------- */

/* An expression, its operands first, under `c_name`. */
void emit_expr(struct idl_compiler *compiler, struct text *out, struct node_expr *expr,
               const char *c_name);
/* The NDR_RANGE of `var`, when it has one. */
void emit_range(struct idl_compiler *compiler, struct text *out, const struct var *var,
                const char *c_name);
/* The parameters of `proc` in C: "If_Op_params", or "NULL" when there are none. */
const char *emit_params_name(struct idl_compiler *compiler, const struct proc *proc);
/* Frames, types and parameters of `interface`. */
void emit_types(struct idl_compiler *compiler, struct text *out, struct interface *interface);
/* Types that only [encode] and [decode] need. */
void emit_pickle_types(struct idl_compiler *compiler, struct text *out);

/* ---- emit_interface.c ------------------------------------------------------------------ */

/* Operations and the interface; `server`: with invoke routines and the default EPV. */
void emit_interface(struct idl_compiler *compiler, struct text *out, struct interface *interface,
                    bool server);

#endif
