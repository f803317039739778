/* SPDX-License-Identifier: MIT */
/* slab.h - memory for objects of which thousands may be there for long.
 *
 *   slab (SLAB_LEN octets of its own pages)   [header][block][block][block] ... [rest]
 *
 * All blocks of a slab have one size, and a slab without blocks in use goes back to the system.
 * On the heap these objects would have an overhead each; what is worse, whatever lives for a
 * moment only while they are made, some of it larger than they are, leaves holes between them
 * for good.  So it does not lie between them (docs/design/idle.md).
 *
 * Any thread. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Four pages: what a class of sizes keeps of which little is used. */
#define SLAB_LEN (16u << 10)
/* Larger ones come from the heap. */
#define SLAB_BLOCK_MAX 2048u

/* `size` octets, all zero, aligned as malloc() does.  NULL: out of memory. */
void *slab_alloc(size_t size);
/* `size` as it was asked for; `block` may be NULL. */
void slab_free(void *block, size_t size);

/* Slabs there are; for tests. */
size_t slab_count(void);

/* What the library's objects come from: slabs, or the heap for whoever wants to see each by itself,
 * failing allocations too.  That is, address and thread sanitizers, and who says so in the
 * environment when the process begins (PENSTOCK_OBJECTS=heap): valgrind, tests. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OBJECTS_ON_HEAP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define OBJECTS_ON_HEAP 1
#endif
#endif
#ifdef OBJECTS_ON_HEAP
static const bool objects_on_heap = true;
#else
extern bool objects_on_heap;
#endif

static inline void *object_alloc(size_t size)
{
    return objects_on_heap ? calloc(1, size) : slab_alloc(size);
}

static inline void object_free(void *object, size_t size)
{
    if (objects_on_heap)
        free(object);
    else
        slab_free(object, size);
}

#endif
