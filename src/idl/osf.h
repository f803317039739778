/* SPDX-License-Identifier: MIT */
/* osf.h - strict DCE mode (-osf): Microsoft's extensions of the language are errors, each
 * with its number (idl.md 8). */
#ifndef PENSTOCK_IDL_OSF_H
#define PENSTOCK_IDL_OSF_H

#include "idl/compiler.h"

/* Reports an extension in strict mode.  True: reported. */
bool osf_refuse(struct idl_compiler *compiler, const struct loc *at, unsigned number,
                const char *text);
/* Reports attributes that DCE does not have, and those of them with a number of their own. */
void osf_check_attribute(struct idl_compiler *compiler, const struct attr *attr, unsigned place,
                         bool is_com);
/* One interface a file, its name no longer than the names made of it allow. */
void osf_check_interface(struct idl_compiler *compiler, const struct unit *unit,
                         const struct interface *interface);
/* A typedef name or a field: void * is for context handles only. */
void osf_check_void(struct idl_compiler *compiler, const struct var *var);
/* Each parameter of a remote operation: named, with a direction, its handle first. */
void osf_check_params(struct idl_compiler *compiler, const struct proc *proc);
struct shape;
/* Sized pointers and arrays are not mixed in one declarator. */
void osf_check_shape(struct idl_compiler *compiler, const struct var *var,
                     const struct shape *shape);
/* size_is and kin take a name or what it points to. */
void osf_check_expr(struct idl_compiler *compiler, const struct expr *expr);

#endif
