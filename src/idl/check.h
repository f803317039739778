/* SPDX-License-Identifier: MIT */
/* check.h - the rules a parsed file must keep before C is generated from it. */
#ifndef PENSTOCK_IDL_CHECK_H
#define PENSTOCK_IDL_CHECK_H

#include "idl/compiler.h"

struct shape;

/* Checks everything `unit` declares and makes its descriptors. */
void check_unit(struct idl_compiler *compiler, struct unit *unit);

/* check_proc.c; check_handle.c has idl/handle.h */
void check_proc(struct idl_compiler *compiler, struct proc *proc);

/* check_status.c: [comm_status] and [fault_status] of an operation whose parameters have
 * their directions. */
void check_status(struct idl_compiler *compiler, struct proc *proc);

/* check_memory.c: [allocate] and [byte_count] on a parameter that is a handle; [byte_count] and
 * [partial_ignore] on any other, false: reported; and what needs its descriptor, if it has one. */
void check_handle_memory(struct idl_compiler *compiler, const struct var *param);
bool check_memory(struct idl_compiler *compiler, struct var *param, const struct shape *shape);
/* Of an [out] parameter without a size: false: [byte_count] is no size either, reported. */
bool check_not_counted(struct idl_compiler *compiler, const struct var *param);
void check_memory_node(struct idl_compiler *compiler, struct var *param);

/* check_attr.c: a routine of which the header has the prototype and nothing is sent. */
void check_prototype(struct idl_compiler *compiler, struct proc *proc);
/* check_attr.c: [maybe], [call_as], COM in parameters ...  False: looking at the
 * parameters would only repeat the message. */
bool check_attributes_of_proc(struct idl_compiler *compiler, struct proc *proc);
/* check_attr.c: what `type` is or holds that cannot be sent, in words; NULL: nothing. */
const char *check_unsendable(struct idl_compiler *compiler, struct type *type);
/* check_attr.c: there is such a thing in it, or a void pointer.  Files declare such types for local use; a
 * remote operation that uses one is told. */
bool check_is_local_type(struct idl_compiler *compiler, struct type *type);

#endif
