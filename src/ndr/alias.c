/* SPDX-License-Identifier: MIT */
/* alias.c - see alias.h.  Open addressing; only the newest entry can be removed. */
#include "ndr/alias.h"

#include <stdlib.h>
#include <string.h>

#include "ndr/layout.h"

#define ENTRIES_FIRST 16

void ndr_aliases_init(struct ndr_aliases *aliases, void *(*reallocate)(void *old, size_t size))
{
    ndr_list_init(&aliases->entries, NULL, sizeof(struct ndr_alias), 0, reallocate);
    aliases->buckets = NULL;
    aliases->bucket_count = 0;
}

void ndr_aliases_fini(struct ndr_aliases *aliases)
{
    ndr_list_fini(&aliases->entries);
    free(aliases->buckets);
    aliases->buckets = NULL;
    aliases->bucket_count = 0;
}

void ndr_full_pointers_init(struct ndr_full_pointers *full,
                            void *(*reallocate)(void *old, size_t size))
{
    ndr_aliases_init(&full->by_referent, reallocate);
    ndr_aliases_init(&full->by_object, reallocate);
}

void ndr_full_pointers_fini(struct ndr_full_pointers *full)
{
    ndr_aliases_fini(&full->by_referent);
    ndr_aliases_fini(&full->by_object);
}

void ndr_full_pointers_move(struct ndr_full_pointers *to, struct ndr_full_pointers *from)
{
    *to = *from;
    ndr_full_pointers_init(from, to->by_object.entries.reallocate);
}

void ndr_full_pointers_reset(struct ndr_full_pointers *full)
{
    void *(*reallocate)(void *, size_t) = full->by_object.entries.reallocate;
    ndr_full_pointers_fini(full);
    ndr_full_pointers_init(full, reallocate);
}

/* Keys are small numbers or addresses, either in steps of a power of 2. */
static size_t bucket_of(const struct ndr_aliases *aliases, uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(key >> 32) & (aliases->bucket_count - 1);
}

static void insert(struct ndr_aliases *aliases, size_t index)
{
    const struct ndr_alias *alias = ndr_list_at(&aliases->entries, index);
    size_t at = bucket_of(aliases, alias->key);
    while (aliases->buckets[at] != 0)
        at = (at + 1) & (aliases->bucket_count - 1);
    aliases->buckets[at] = (uint32_t)index + 1;
}

/* At most half of the buckets are used, so a search ends soon. */
static bool reserve(struct ndr_aliases *aliases)
{
    if (aliases->entries.count < aliases->bucket_count / 2)
        return true;
    size_t count = aliases->bucket_count ? aliases->bucket_count * 2 : 2 * ENTRIES_FIRST;
    if (count > UINT32_MAX / 2)
        return false;
    uint32_t *buckets =
        aliases->entries.reallocate(aliases->buckets, count * sizeof(*aliases->buckets));
    if (!buckets)
        return false;
    aliases->buckets = buckets;
    aliases->bucket_count = count;
    memset(buckets, 0, count * sizeof(*buckets));
    for (size_t i = 0; i < aliases->entries.count; i++)
        insert(aliases, i);
    return true;
}

struct ndr_alias *ndr_alias_find(const struct ndr_aliases *aliases, uint64_t key,
                                 const NDR_TYPE *type)
{
    if (aliases->bucket_count == 0)
        return NULL;
    for (size_t at = bucket_of(aliases, key); aliases->buckets[at] != 0;
         at = (at + 1) & (aliases->bucket_count - 1)) {
        struct ndr_alias *alias = ndr_list_at(&aliases->entries, aliases->buckets[at] - 1);
        if (alias->key == key && (!type || ndr_same_shape(alias->type, type)))
            return alias;
    }
    return NULL;
}

struct ndr_alias *ndr_alias_add(struct ndr_aliases *aliases, const struct ndr_alias *alias)
{
    if (!reserve(aliases) || !ndr_list_push(&aliases->entries, alias))
        return NULL;
    insert(aliases, aliases->entries.count - 1);
    return ndr_list_at(&aliases->entries, aliases->entries.count - 1);
}

/* The newest entry is the last of any run of buckets it is in: nothing was put behind it, and
 * growing keeps the order. */
void ndr_aliases_truncate(struct ndr_aliases *aliases, size_t count)
{
    while (aliases->entries.count > count) {
        size_t newest = aliases->entries.count;
        const struct ndr_alias *alias = ndr_list_at(&aliases->entries, newest - 1);
        size_t at = bucket_of(aliases, alias->key);
        while (aliases->buckets[at] != newest)
            at = (at + 1) & (aliases->bucket_count - 1);
        aliases->buckets[at] = 0;
        aliases->entries.count--;
    }
}

/* What one type has checked must do for the other. */
static bool same_range(const NDR_RANGE *a, const NDR_RANGE *b)
{
    return a == b || (a && b && a->low == b->low && a->high == b->high);
}

bool ndr_same_shape(const NDR_TYPE *a, const NDR_TYPE *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == NDR_KIND_STRING)
        return a->count == b->count && !a->max_count && !b->max_count &&
               a->element->kind == b->element->kind &&
               same_range(a->count_range, b->count_range);
    return ndr_scalar_memory_size(a->kind) != 0;
}
