/* SPDX-License-Identifier: MIT */
/* arena.c - bump allocation in blocks, and growing text on top of it. */
#include "idl/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Large enough that a usual IDL file needs a handful, small enough for a test. */
#define ARENA_BLOCK_SIZE (64u * 1024)

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* octets of data */
    alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit)
{
    memset(arena, 0, sizeof(*arena));
    arena->limit = limit;
}

void arena_fini(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

static _Noreturn void arena_full(struct arena *arena)
{
    assert(arena->on_full);
    longjmp(*arena->on_full, 1);
}

static struct arena_block *arena_add_block(struct arena *arena, size_t size)
{
    if (size < ARENA_BLOCK_SIZE)
        size = ARENA_BLOCK_SIZE;
    if (size > SIZE_MAX / 2 || (arena->limit && size > arena->limit - arena->used))
        arena_full(arena);
    struct arena_block *block = calloc(1, sizeof(*block) + size);
    if (!block)
        arena_full(arena);
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used += size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        arena_full(arena);
    size = (size + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = arena_add_block(arena, size);
    void *object = block->data + block->used;
    block->used += size;
    return object;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    assert(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

/* Doubling: the arena keeps the old copies, at most as much again as the text. */
static void text_reserve(struct text *text, size_t more)
{
    if (text->room - text->len > more)
        return;
    size_t room = text->room ? text->room : 256;
    while (room - text->len <= more)
        room *= 2;
    char *at = arena_alloc(text->arena, room);
    if (text->len > 0)
        memcpy(at, text->at, text->len);
    text->at = at;
    text->room = room;
}

void text_add_n(struct text *text, const char *s, size_t len)
{
    text_reserve(text, len);
    if (len > 0)
        memcpy(text->at + text->len, s, len);
    text->len += len;
    text->at[text->len] = '\0';
}

void text_add(struct text *text, const char *s)
{
    text_add_n(text, s, strlen(s));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    assert(len >= 0);
    text_reserve(text, (size_t)len);
    vsnprintf(text->at + text->len, (size_t)len + 1, format, again);
    text->len += (size_t)len;
    va_end(again);
    va_end(args);
}

const char *text_get(const struct text *text)
{
    return text->at ? text->at : "";
}
