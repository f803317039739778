/* SPDX-License-Identifier: MIT */
/* convert.h - typedef names whose values the program converts (idl.md 6 and 16).
 *
 *     IDL   typedef [transmit_as(X)] T P;     P in C, X is sent
 *           typedef [wire_marshal(W)] T U;    U in C, W is what the program writes
 *     ACF   typedef [represent_as(L)] N;      N is sent, C has L wherever the IDL says N
 *           typedef [user_marshal(U)] W;      the same, and the program writes it */
#ifndef PENSTOCK_IDL_CONVERT_H
#define PENSTOCK_IDL_CONVERT_H

#include "idl/layout.h"

/* The conversion nearest to the program that a typedef has, or NULL. */
const struct attr *convert_attr(const struct var *alias);
/* The typedef with a conversion that `type` is, const and other names aside; or NULL. */
const struct var *convert_alias(struct type *type);
/* What C calls the values of a typedef: its own name, or that of represent_as and kin. */
const char *convert_local_name(const struct var *alias);
/* The C type of a converted `type` if it is an array, as far as the IDL knows; or NULL. */
struct type *convert_local_array(struct idl_compiler *compiler, struct type *type);
/* The type that is sent instead of the typedef, which may itself be converted. */
struct type *convert_wire_type(const struct var *alias);

/* The rules of a typedef with a conversion. */
void convert_check_typedef(struct idl_compiler *compiler, struct var *alias);

/* The descriptor of a typedef with a conversion; NULL: reported. */
struct node *layout_converted(struct idl_compiler *compiler, const struct var *alias);
/* For layout_settle.c: the rules that need numbers.  False: reported. */
bool layout_check_converted(struct idl_compiler *compiler, struct node *node);
/* Where a value is part of another one. */
enum inside { INSIDE_ARRAY, INSIDE_UNION, INSIDE_STRUCT, INSIDE_STRUCT_END };
/* A converted value whose wire type has no size of its own stands alone.  False: reported. */
bool layout_check_inside(struct idl_compiler *compiler, const struct node *node,
                         const struct loc *loc, enum inside where);

/* emit_convert.c: what NDR_CONVERSION holds, in front of the descriptor. */
void emit_conversion(struct idl_compiler *compiler, struct text *out, const struct node *node);
/* The prototypes of the routines the program has to supply. */
void emit_convert_prototypes(struct idl_compiler *compiler, struct text *out,
                             const struct var *alias);

#endif
