/* SPDX-License-Identifier: MIT */
/* characters.h - [cs_char] arrays and the parameters that tell their code set.
 *
 *     ACF   typedef [cs_char(L)] N;    N, one octet, is sent; C has L wherever the IDL says N
 *           [cs_tag_rtn(R)] Op([cs_stag] s, [cs_drtag] d, [cs_rtag] r);
 *
 * (The Open Group, DCE 1.2 Application Development Guide, "The cs_char Attribute" and what
 * follows.)  Descriptors have the octets, marked with the routines that convert them; the runtime
 * does so around the engine. */
#ifndef PENSTOCK_IDL_CHARACTERS_H
#define PENSTOCK_IDL_CHARACTERS_H

#include "idl/compiler.h"
#include "idl/shape.h"

/* [cs_char] of a typedef, or NULL. */
const struct attr *characters_attr(const struct var *alias);
/* The typedef with [cs_char] that is below names, pointers and arrays; or NULL. */
const struct var *characters_alias(struct type *type);
/* [cs_tag_rtn] of the operation or its interface, or NULL. */
const struct attr *characters_tag_routine(const struct proc *proc);
/* Is `param` set by [cs_tag_rtn], and so no argument in C? */
bool characters_is_hidden(const struct proc *proc, const struct var *param);
/* Does the operation need conversions, or tags set? */
bool characters_in(const struct proc *proc);

/* The rules of the typedef. */
void characters_check_typedef(struct idl_compiler *compiler, struct var *alias);
/* The rules of a parameter or result with a descriptor, and of what it leads to; says in it
 * whether there are such types at all. */
void characters_check_param(struct idl_compiler *compiler, struct var *param,
                            const struct shape *shape);
/* Those of the operation as a whole, when its parameters are checked. */
void characters_check_proc(struct idl_compiler *compiler, struct proc *proc);

/* emit_characters.c: NDR_CS_TYPE, in front of the descriptor. */
void emit_character_type(struct text *out, const struct node *node);
/* NDR_CHARACTERS, in front of the operations; nothing unless characters_in(). */
void emit_characters(struct text *out, const struct proc *proc);
/* Prototypes of the routines the program has to supply. */
void emit_characters_prototypes(struct text *out, const struct attr *attr);
void emit_tag_prototype(struct text *out, const struct attr *attr);

#endif
