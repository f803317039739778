/* SPDX-License-Identifier: MIT */
/* describe_types.h - parts of describe.c. */
#ifndef PENSTOCK_IDL_DESCRIBE_TYPES_H
#define PENSTOCK_IDL_DESCRIBE_TYPES_H

#include "idl/describe.h"
#include "idl/layout.h"

/* What the expressions of one operation's parameters refer to. */
struct describe {
    struct idl_compiler *compiler;
    const NDR_PARAM *params;
    unsigned param_count;
};

/* The place of a node's descriptor, its size and alignment in memory known; the rest follows
 * with describe_type(). */
struct idl_type *describe_memory(struct idl_compiler *compiler, struct node *node);
/* Completes the descriptor of a node and of all it leads to. */
const NDR_TYPE *describe_type(const struct describe *describe, struct node *node);
/* handle_t. */
const NDR_TYPE *describe_handle(struct idl_compiler *compiler);
/* NULL: none. */
const NDR_RANGE *describe_range(struct idl_compiler *compiler, const struct node_range *range);

#endif
