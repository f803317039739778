/* SPDX-License-Identifier: MIT */
/* call_memory.h - the memory of one call's arguments and results.
 *
 * Every object a pointer leads to is one block, the tool's own and those the runtime makes
 * for the reply alike, so that its size is known when the reply is shown: a server that
 * raises a count does not make us read beyond.  All blocks go at once. */
#ifndef PENSTOCK_TOOLS_CALL_MEMORY_H
#define PENSTOCK_TOOLS_CALL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed octets, at least one; NULL: no memory.  Any thread. */
void *call_allocate(size_t size);
/* NULL is fine. */
void call_free(void *block);
/* Of a block of these. */
size_t call_block_size(const void *block);
/* All that are left. */
void call_free_all(void);

#endif
