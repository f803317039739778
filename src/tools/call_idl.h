/* SPDX-License-Identifier: MIT */
/* call_idl.h - an IDL file compiled in memory, and the operation that is meant. */
#ifndef PENSTOCK_TOOLS_CALL_IDL_H
#define PENSTOCK_TOOLS_CALL_IDL_H

#include <stdbool.h>

#include "idl/describe.h"
#include "idl_files.h"

struct call_idl {
    struct idl_files files;
    struct idl_compiler *compiler;
    const struct idl_description *interfaces;
};

/* Compiles `path`; -I, -D and -U are in idl->files.  False: reported. */
bool call_idl_compile(struct call_idl *idl, const char *path);
/* Finds "INTERFACE.OPERATION", or "OPERATION", which one interface of a file alone can have.
 * False: reported. */
bool call_idl_find(const struct call_idl *idl, const char *name,
                   const struct idl_description **ret_interface,
                   const NDR_OPERATION **ret_operation);
void call_idl_fini(struct call_idl *idl);

#endif
