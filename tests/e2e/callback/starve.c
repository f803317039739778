/* SPDX-License-Identifier: MIT */
/* starve.c - preloaded: of the allocations of a process the one that STARVE_NTH names fails,
 * counted from 1. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* glibc's own, under these names as well. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static atomic_long countdown;

__attribute__((constructor)) static void start(void)
{
    const char *nth = getenv("STARVE_NTH");
    countdown = nth ? atol(nth) : 0;
}

static int is_the_one(void)
{
    if (countdown <= 0 || atomic_fetch_sub(&countdown, 1) != 1)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return is_the_one() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_the_one() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return is_the_one() ? NULL : __libc_realloc(block, size);
}
