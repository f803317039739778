/* SPDX-License-Identifier: MIT */
/* memory.h - the program's allocator, which knows what is there: MIDL_user_allocate and
 * MIDL_user_free. */
#ifndef PENSTOCK_TESTS_GOLDEN_MEMORY_H
#define PENSTOCK_TESTS_GOLDEN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* The objects of this thread made after memory_mark() are freed by memory_release(mark). */
uint64_t memory_mark(void);
void memory_release(uint64_t mark);

/* `object` stays when the stub is done ([allocate(dont_free)]): not counted any more. */
void memory_keep(void *object);

/* Objects that somebody forgot. */
size_t memory_live(void);
/* Frees the kept ones; call it last. */
void memory_fini(void);

#endif
