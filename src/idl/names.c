/* SPDX-License-Identifier: MIT */
/* names.c - hash map with linear probing, grown at three quarters. */
#include "idl/names.h"

#include "idl/arena.h"

#include <stdbool.h>
#include <string.h>

struct name_entry {
    const char *key;
    size_t len;
    uint64_t hash;
    void *value; /* NULL: free slot */
};

static uint64_t hash_of(const char *key, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash ^= (unsigned char)key[i];
        hash *= 0x100000001b3u;
    }
    return hash;
}

static struct name_entry *slot_of(const struct name_map *map, const char *key, size_t len,
                                  uint64_t hash)
{
    for (size_t i = (size_t)hash & (map->room - 1);; i = (i + 1) & (map->room - 1)) {
        struct name_entry *slot = &map->slots[i];
        if (!slot->value)
            return slot;
        if (slot->hash == hash && slot->len == len && memcmp(slot->key, key, len) == 0)
            return slot;
    }
}

static void grow(struct name_map *map, struct arena *arena)
{
    struct name_map bigger = {.room = map->room ? map->room * 2 : 64, .count = map->count};
    bigger.slots = arena_alloc(arena, bigger.room * sizeof(*bigger.slots));
    for (size_t i = 0; i < map->room; i++) {
        struct name_entry *old = &map->slots[i];
        if (old->value)
            *slot_of(&bigger, old->key, old->len, old->hash) = *old;
    }
    *map = bigger;
}

void *names_find(const struct name_map *map, const char *key, size_t len)
{
    return map->room ? slot_of(map, key, len, hash_of(key, len))->value : NULL;
}

void names_set(struct name_map *map, struct arena *arena, const char *key, size_t len, void *value)
{
    if (4 * (map->count + 1) > 3 * map->room)
        grow(map, arena);
    struct name_entry *slot = slot_of(map, key, len, hash_of(key, len));
    if (!slot->value)
        map->count++;
    *slot = (struct name_entry){.key = key, .len = len, .hash = hash_of(key, len), .value = value};
}

void *names_next(const struct name_map *map, size_t *at, const char **ret_key)
{
    while (*at < map->room) {
        const struct name_entry *slot = &map->slots[(*at)++];
        if (slot->value) {
            *ret_key = slot->key;
            return slot->value;
        }
    }
    return NULL;
}
