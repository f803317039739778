/* SPDX-License-Identifier: MIT */
/* slab.c - see slab.h. */
#include "base/slab.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/list.h"
#include "base/lock.h"

#define GRAIN alignof(max_align_t)
#define CLASS_COUNT (SLAB_BLOCK_MAX / GRAIN)

/* At the beginning of its pages, which are aligned to SLAB_LEN: a block finds it. */
struct slab {
    struct list node; /* class->open while it has free blocks           */
    void *free;       /* given back; the first word is the next of them */
    uint16_t used;    /* blocks in use                                  */
    uint16_t made;    /* blocks ever given out: behind these no page was touched */
};

#define HEADER_LEN ((sizeof(struct slab) + GRAIN - 1) / GRAIN * GRAIN)

/* Blocks of one size. */
struct slab_class {
    struct lock lock; /* the system is asked for pages outside */
    struct list open; /* next NULL: never used */
    size_t empty;     /* slabs in it without a block in use */
};

static struct slab_class classes[CLASS_COUNT];
static atomic_size_t slabs;

#ifndef OBJECTS_ON_HEAP
bool objects_on_heap;

/* Before the first object is made. */
__attribute__((constructor(102))) static void choose(void)
{
    const char *objects = secure_getenv("PENSTOCK_OBJECTS");
    objects_on_heap = objects && strcmp(objects, "heap") == 0;
}
#endif

static size_t class_of(size_t size)
{
    return size == 0 ? 0 : (size - 1) / GRAIN;
}

static size_t block_size(size_t class_index)
{
    return (class_index + 1) * GRAIN;
}

static size_t capacity(size_t class_index)
{
    return (SLAB_LEN - HEADER_LEN) / block_size(class_index);
}

static bool is_full(const struct slab *slab, size_t class_index)
{
    return slab->used == capacity(class_index);
}

/* Mappings mostly lie one below the other, so the first attempt is as aligned as the last was. */
static struct slab *map_slab(void)
{
    const int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    uint8_t *pages = mmap(NULL, SLAB_LEN, prot, flags, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    if ((uintptr_t)pages % SLAB_LEN == 0)
        return (struct slab *)(void *)pages;
    munmap(pages, SLAB_LEN);
    pages = mmap(NULL, 2 * SLAB_LEN, prot, flags, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    const size_t before = -(uintptr_t)pages % SLAB_LEN;
    if (before > 0)
        munmap(pages, before);
    munmap(pages + before + SLAB_LEN, SLAB_LEN - before);
    return (struct slab *)(void *)(pages + before);
}

static void *take_block(struct slab_class *class, size_t class_index)
{
    struct slab *slab = list_entry(class->open.next, struct slab, node);
    void *block = slab->free;
    if (block)
        memcpy(&slab->free, block, sizeof(slab->free));
    else
        block = (uint8_t *)slab + HEADER_LEN + slab->made++ * block_size(class_index);
    if (slab->used++ == 0)
        class->empty--;
    if (is_full(slab, class_index))
        list_remove(&slab->node);
    return block;
}

void *slab_alloc(size_t size)
{
    if (size > SLAB_BLOCK_MAX)
        return calloc(1, size);
    const size_t index = class_of(size);
    struct slab_class *class = &classes[index];
    lock_take(&class->lock);
    if (!list_linked(&class->open))
        list_init(&class->open);
    if (list_empty(&class->open)) {
        lock_give(&class->lock);
        struct slab *slab = map_slab();
        if (!slab)
            return NULL;
        lock_take(&class->lock);
        list_prepend(&class->open, &slab->node);
        class->empty++;
        atomic_fetch_add(&slabs, 1);
    }
    void *block = take_block(class, index);
    lock_give(&class->lock);
    return memset(block, 0, size);
}

void slab_free(void *block, size_t size)
{
    if (!block)
        return;
    if (size > SLAB_BLOCK_MAX) {
        free(block);
        return;
    }
    const size_t index = class_of(size);
    struct slab_class *class = &classes[index];
    struct slab *slab = (struct slab *)((uintptr_t)block / SLAB_LEN * SLAB_LEN);
    assert(((uintptr_t)block % SLAB_LEN - HEADER_LEN) % block_size(index) == 0);
    lock_take(&class->lock);
    /* The fullest are used first, more or less, so that others become empty. */
    if (is_full(slab, index))
        list_prepend(&class->open, &slab->node);
    memcpy(block, &slab->free, sizeof(slab->free));
    slab->free = block;
    bool goes = false;
    if (--slab->used == 0) { /* one may stay, or one call in a loop would map it each time */
        goes = class->empty > 0;
        list_remove(&slab->node);
        if (!goes) {
            list_append(&class->open, &slab->node);
            class->empty++;
        } else {
            atomic_fetch_sub(&slabs, 1);
        }
    }
    lock_give(&class->lock);
    if (goes && munmap(slab, SLAB_LEN) != 0) { /* too many mappings: its memory goes all the same */
        madvise((uint8_t *)slab, SLAB_LEN, MADV_DONTNEED);
        lock_take(&class->lock);
        list_append(&class->open, &slab->node);
        class->empty++;
        atomic_fetch_add(&slabs, 1);
        lock_give(&class->lock);
    }
}

size_t slab_count(void)
{
    return atomic_load(&slabs);
}
