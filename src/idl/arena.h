/* SPDX-License-Identifier: MIT */
/* arena.h - memory of one compilation, given back as a whole.
 *
 * The compiler never frees a single node.  An arena has a limit, so that a hostile
 * input cannot eat the machine; when the limit or the machine is exhausted the
 * arena jumps to `on_full`, which idl_compile() has set.  Nothing but the arena
 * owns memory while that jump may happen, so nothing leaks. */
#ifndef PENSTOCK_IDL_ARENA_H
#define PENSTOCK_IDL_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first                              */
    size_t used;                /* octets in all blocks                      */
    size_t limit;               /* octets; 0: no limit                       */
    jmp_buf *on_full;           /* where to go when an allocation fails      */
};

void arena_init(struct arena *arena, size_t limit);
void arena_fini(struct arena *arena);

/* Zeroed memory, aligned for any object.  Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* ---- Text that grows ------------------------------------------------------ */

/* NUL-terminated text in an arena.  Zero-initialise, then set `arena`. */
struct text {
    struct arena *arena;
    char *at;    /* NULL while empty */
    size_t len;  /* octets without the terminator */
    size_t room; /* octets allocated */
};

void text_add(struct text *text, const char *s);
void text_add_n(struct text *text, const char *s, size_t len);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text so far, never NULL. */
const char *text_get(const struct text *text);

#endif
