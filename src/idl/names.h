/* SPDX-License-Identifier: MIT */
/* names.h - a map from text to a pointer; keys are borrowed, entries never leave. */
#ifndef PENSTOCK_IDL_NAMES_H
#define PENSTOCK_IDL_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct name_entry;

/* Zero-initialised is empty. */
struct name_map {
    struct name_entry *slots; /* open addressing, a power of two */
    size_t room, count;
};

void *names_find(const struct name_map *map, const char *key, size_t len);
/* Replaces what is there. */
void names_set(struct name_map *map, struct arena *arena, const char *key, size_t len, void *value);
/* One entry after another, in no order; `*at` begins as 0.  NULL: no more. */
void *names_next(const struct name_map *map, size_t *at, const char **ret_key);

#endif
