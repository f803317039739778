/* SPDX-License-Identifier: MIT */
/* check.h - the rules a parsed file must keep before C is generated from it. */
#ifndef PENSTOCK_IDL_CHECK_H
#define PENSTOCK_IDL_CHECK_H

#include "idl/compiler.h"

/* Checks everything `unit` declares and makes its descriptors. */
void check_unit(struct idl_compiler *compiler, struct unit *unit);

/* check_proc.c; check_handle.c has idl/handle.h */
void check_proc(struct idl_compiler *compiler, struct proc *proc);

#endif
