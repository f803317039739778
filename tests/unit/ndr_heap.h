/* SPDX-License-Identifier: MIT */
/* ndr_heap.h - an allocator that counts, fails on demand, and can free what a client
 * program would have to. */
#ifndef PENSTOCK_TESTS_NDR_HEAP_H
#define PENSTOCK_TESTS_NDR_HEAP_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ndr/ndr.h"

struct heap_object {
    struct heap_object *next, **link;
    max_align_t memory[];
};

static struct heap_object *heap_objects;
static size_t heap_live;         /* objects of the program, scratch not counted */
static long heap_countdown = -1; /* allocations until one fails; < 0: never     */

/* The n-th allocation from now (0: the next) fails, then all succeed. */
static inline void heap_fail_at(long n)
{
    heap_countdown = n;
}

static inline int heap_fails(void)
{
    return heap_countdown >= 0 && heap_countdown-- == 0;
}

static inline void *heap_allocate(size_t size)
{
    if (heap_fails())
        return NULL;
    struct heap_object *object = malloc(sizeof(*object) + size);
    assert(object);
    memset(object->memory, 0xa5, size); /* nobody may count on zeros */
    object->next = heap_objects;
    object->link = &heap_objects;
    if (heap_objects)
        heap_objects->link = &object->next;
    heap_objects = object;
    heap_live++;
    return object->memory;
}

static inline void heap_free(void *memory)
{
    if (!memory)
        return;
    struct heap_object *object =
        (struct heap_object *)(void *)((char *)memory - offsetof(struct heap_object, memory));
    *object->link = object->next;
    if (object->next)
        object->next->link = object->link;
    heap_live--;
    free(object);
}

static inline void heap_free_all(void)
{
    while (heap_objects)
        heap_free(heap_objects->memory);
}

static inline void *heap_reallocate(void *old, size_t size)
{
    return heap_fails() ? NULL : realloc(old, size);
}

static const struct ndr_memory heap = {.allocate = heap_allocate, .free = heap_free};

#endif
