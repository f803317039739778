/* SPDX-License-Identifier: MIT */
/* handle.h - the kinds of binding handles a parameter may be (idl.md 5). */
#ifndef PENSTOCK_IDL_HANDLE_H
#define PENSTOCK_IDL_HANDLE_H

#include "idl/compiler.h"

enum handle_kind {
    HANDLE_NONE,
    HANDLE_PRIMITIVE, /* handle_t */
    HANDLE_GENERIC,   /* a type with [handle] */
    HANDLE_CONTEXT    /* a type or parameter with [context_handle] */
};

struct handle {
    enum handle_kind kind;
    const struct var *alias; /* the typedef that has the attribute; NULL: the parameter has it */
    unsigned pointers;       /* between the parameter and the handle */
};

/* What `var`, a parameter or a result, is. */
struct handle handle_of(struct var *var);

/* Does the list make a context handle of a type or a parameter? */
const struct attr *handle_context_attr(struct attr *attrs);

/* Is the typedef of a context handle a pointer type?  False: reported, here at `use` when the
 * typedef is an imported file's. */
bool handle_context_usable(struct idl_compiler *compiler, const struct var *alias,
                           const struct loc *use);

/* The descriptor of a context handle of the typedef `alias` as it is in `var`: its order of
 * calls, the strictness of its interface. */
struct node *handle_context_node(struct idl_compiler *compiler, const struct var *var,
                                 const struct var *alias);

/* The rules of a typedef with [handle] or [context_handle]; false: it has neither, or it
 * breaks them (reported): nothing else needs to be checked. */
bool handle_check_typedef(struct idl_compiler *compiler, struct var *alias);

/* A context handle as parameter or result: its rules, and its descriptor into var->node. */
void handle_check_context(struct idl_compiler *compiler, struct var *var,
                          const struct handle *handle);

/* Chooses the parameter that carries the call, or adds what does: IDL_handle, or the
 * hidden binding of implicit, automatic and generic handles. */
void handle_choose_binding(struct idl_compiler *compiler, struct proc *proc);

/* implicit_handle(type name) of the ACF. */
void handle_check_interface(struct idl_compiler *compiler, struct interface *interface);

#endif
