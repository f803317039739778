/* SPDX-License-Identifier: MIT */
/* alloc_shim.h - counts what the code under test holds, and fails the n-th request.
 *
 * For test programs linked with
 *   -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
 * so every object of the program goes through here, libraries do not.  Include it in
 * one file of the program.  Not thread safe. */
#ifndef PENSTOCK_TESTS_UNIT_ALLOC_SHIM_H
#define PENSTOCK_TESTS_UNIT_ALLOC_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static long alloc_live;           /* blocks allocated and not freed           */
static long alloc_countdown = -1; /* requests until one fails; < 0: none will */

/* Request number `n` from now fails (0: the next), all others succeed.  A negative
 * `n` takes an order back. */
static inline void alloc_fail_at(long n)
{
    alloc_countdown = n;
}

/* Has the request ordered last been made, and failed? */
static inline bool alloc_failed(void)
{
    return alloc_countdown < 0;
}

/* The library's objects are to come this way, too (base/slab.h).  Before its own constructors. */
__attribute__((constructor(101))) static void alloc_see_objects(void)
{
    setenv("PENSTOCK_OBJECTS", "heap", 1);
}

static inline bool alloc_fails(void)
{
    return alloc_countdown >= 0 && alloc_countdown-- == 0;
}

static inline void *alloc_count(void *memory)
{
    if (memory)
        alloc_live++;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return alloc_fails() ? NULL : alloc_count(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return alloc_fails() ? NULL : alloc_count(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (alloc_fails())
        return NULL;
    void *memory = __real_realloc(old, size);
    return old ? memory : alloc_count(memory);
}

void __wrap_free(void *memory)
{
    if (memory)
        alloc_live--;
    __real_free(memory);
}

#endif
