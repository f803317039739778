/* SPDX-License-Identifier: MIT */
/* call_memory.c - blocks in a list; see call_memory.h. */
#include "call_memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct block {
    struct block *next, **link;
    size_t size; /* octets behind this */
    max_align_t octets[];
};

static struct block *blocks;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

static struct block *block_of(const void *octets)
{
    return (struct block *)((uintptr_t)octets - offsetof(struct block, octets));
}

void *call_allocate(size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    struct block *block = calloc(1, sizeof(*block) + (size > 0 ? size : 1));
    if (!block)
        return NULL;
    block->size = size;
    pthread_mutex_lock(&blocks_lock);
    block->next = blocks;
    block->link = &blocks;
    if (blocks)
        blocks->link = &block->next;
    blocks = block;
    pthread_mutex_unlock(&blocks_lock);
    return block->octets;
}

void call_free(void *octets)
{
    if (!octets)
        return;
    struct block *block = block_of(octets);
    pthread_mutex_lock(&blocks_lock);
    *block->link = block->next;
    if (block->next)
        block->next->link = block->link;
    pthread_mutex_unlock(&blocks_lock);
    free(block);
}

size_t call_block_size(const void *octets)
{
    return block_of(octets)->size;
}

void call_free_all(void)
{
    while (blocks)
        call_free(blocks->octets);
}
