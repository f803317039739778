/* SPDX-License-Identifier: MIT */
/* pickle.h - [encode] and [decode]: types and operations that become octets in a buffer
 * instead of a call (idl.md 6). */
#ifndef PENSTOCK_IDL_PICKLE_H
#define PENSTOCK_IDL_PICKLE_H

#include "idl/compiler.h"

static inline bool proc_is_pickled(const struct proc *proc)
{
    return proc->encodes || proc->decodes;
}

/* Is there something in the stub of the client, or of the server? */
static inline bool interface_has_client(const struct interface *interface)
{
    return interface->proc_count > 0 || interface->pickled;
}

static inline bool interface_has_server(const struct interface *interface)
{
    return interface->proc_count > interface->pickled_procs;
}

/* Do T_Encode and kin have a parameter for the handle?  Not with an implicit one. */
static inline bool pickle_has_handle_param(const struct interface *interface)
{
    return !interface->implicit_name || interface->explicit_handle;
}

/* ---- check_pickle.c -------------------------------------------------------------------- */

/* A type of another file, or of none, that the ACF of `interface` gives `attrs`. */
void pickle_note(struct idl_compiler *compiler, struct interface *interface, struct var *alias,
                 struct attr *attrs);
/* Finds what `interface` serialises, before its operations are checked. */
void pickle_collect(struct idl_compiler *compiler, struct interface *interface);
/* Sets proc->encodes and proc->decodes. */
void pickle_prepare_proc(struct proc *proc);
/* The rules of an operation whose parameters were checked. */
void pickle_check_proc(struct idl_compiler *compiler, const struct proc *proc);
/* The rules of the types, and their descriptors. */
void pickle_check_interface(struct idl_compiler *compiler, struct interface *interface);
/* The attributes where no interface is. */
void pickle_check_outside(struct idl_compiler *compiler, const struct decl *decl);

#endif
