/* SPDX-License-Identifier: MIT */
/* map.c - see map.h. */
#include "epm/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/uuid.h"
#include "epm/map_match.h"

/* Some entries each, with as many entries as the daemon takes (base/limits.h). */
#define BUCKETS 16384u

struct entry {
    struct list all;    /* map->entries, by number       */
    struct list bucket; /* those with the same hash, too */
    struct list own;    /* owner->entries                */
    struct epm_owner *owner;
    uint64_t number;
    UUID object;
    struct tower tower; /* of `octets` */
    char annotation[EPM_ANNOTATION_SIZE];
    size_t len;
    uint8_t octets[];
};

/* Is there as long as it has owners. */
struct user {
    struct list node; /* map->users */
    uint32_t uid;
    unsigned owners, entries;
    struct epm_owner *lasting; /* of entries that stay; NULL: none yet */
};

struct epm_owner {
    struct user *user;
    struct list entries;
};

struct epm_map {
    pthread_mutex_t lock; /* guards everything */
    struct epm_limits limits;
    struct list users;
    struct list entries;
    unsigned count;
    uint64_t last_number;
    struct list buckets[BUCKETS];
};

struct epm_map *epm_map_new(const struct epm_limits *limits)
{
    struct epm_map *map = calloc(1, sizeof(*map));
    if (!map)
        return NULL;
    pthread_mutex_init(&map->lock, NULL);
    map->limits = *limits;
    list_init(&map->users);
    list_init(&map->entries);
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&map->buckets[i]);
    return map;
}

/* FNV-1a over interface and object. */
static struct list *bucket_of(struct epm_map *map, const UUID *interface, const UUID *object)
{
    uint8_t octets[2 * sizeof(UUID)];
    uint32_t hash = 2166136261u;
    memcpy(octets, interface, sizeof(UUID));
    memcpy(octets + sizeof(UUID), object, sizeof(UUID));
    for (size_t i = 0; i < sizeof(octets); i++)
        hash = (hash ^ octets[i]) * 16777619u;
    return &map->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* ---- Users and owners.  Lock held ---------------------------------------------------- */

static struct user *user_get(struct epm_map *map, uint32_t uid)
{
    for (struct list *node = map->users.next; node != &map->users; node = node->next) {
        struct user *user = list_entry(node, struct user, node);
        if (user->uid == uid)
            return user;
    }
    struct user *user = calloc(1, sizeof(*user));
    if (user) {
        user->uid = uid;
        list_append(&map->users, &user->node);
    }
    return user;
}

static void user_put(struct user *user)
{
    if (user->owners > 0)
        return;
    list_remove(&user->node);
    free(user);
}

static uint32_t new_owner(struct epm_map *map, uint32_t uid, struct epm_owner **ret_owner)
{
    struct user *user = user_get(map, uid);
    struct epm_owner *owner = calloc(1, sizeof(*owner));
    uint32_t status = user && owner ? EPM_OK : EPM_NO_MEMORY;
    if (status == EPM_OK && user->owners >= map->limits.user_owners)
        status = EPM_CANT_CREATE;
    if (status == EPM_OK) {
        user->owners++;
        owner->user = user;
        list_init(&owner->entries);
        *ret_owner = owner;
        return EPM_OK;
    }
    free(owner);
    if (user)
        user_put(user);
    return status;
}

static void remove_entry(struct epm_map *map, struct entry *entry)
{
    list_remove(&entry->all);
    list_remove(&entry->bucket);
    list_remove(&entry->own);
    map->count--;
    entry->owner->user->entries--;
    free(entry);
}

static void free_owner(struct epm_map *map, struct epm_owner *owner)
{
    struct user *user = owner->user;
    while (!list_empty(&owner->entries))
        remove_entry(map, list_entry(owner->entries.next, struct entry, own));
    if (user->lasting == owner)
        user->lasting = NULL;
    user->owners--;
    user_put(user);
    free(owner);
}

/* That of the entries that stay; with the last one it goes. */
static uint32_t lasting_owner(struct epm_map *map, uint32_t uid, struct epm_owner **ret_owner)
{
    struct user *user = user_get(map, uid);
    if (!user)
        return EPM_NO_MEMORY;
    if (!user->lasting) {
        struct epm_owner *owner;
        uint32_t status = new_owner(map, uid, &owner); /* puts the user when it fails */
        if (status != EPM_OK)
            return status;
        user->lasting = owner;
    }
    *ret_owner = user->lasting;
    return EPM_OK;
}

static void drop_lasting(struct epm_map *map, struct epm_owner *owner)
{
    if (owner->user->lasting == owner && list_empty(&owner->entries))
        free_owner(map, owner);
}

uint32_t epm_owner_new(struct epm_map *map, uint32_t uid, struct epm_owner **ret_owner)
{
    pthread_mutex_lock(&map->lock);
    uint32_t status = new_owner(map, uid, ret_owner);
    pthread_mutex_unlock(&map->lock);
    return status;
}

void epm_owner_free(struct epm_map *map, struct epm_owner *owner)
{
    if (!owner)
        return;
    pthread_mutex_lock(&map->lock);
    free_owner(map, owner);
    pthread_mutex_unlock(&map->lock);
}

void epm_map_free(struct epm_map *map)
{
    if (!map)
        return;
    while (!list_empty(&map->entries)) { /* owners that are still registered are not ours */
        struct entry *entry = list_entry(map->entries.next, struct entry, all);
        struct epm_owner *owner = entry->owner;
        remove_entry(map, entry);
        drop_lasting(map, owner);
    }
    pthread_mutex_destroy(&map->lock);
    free(map);
}

/* ---- Entries ----------------------------------------------------------------------------- */

/* A copy that is nowhere yet, its address 0 and its tower decoded. */
static uint32_t copy_entry(const struct epm_entry *from, struct entry **ret_entry)
{
    struct tower tower;
    if (!from->tower || !tower_decode(from->tower, from->tower_len, &tower) ||
        tower.floor_count < 4 || strnlen(from->annotation, EPM_ANNOTATION_SIZE) == EPM_ANNOTATION_SIZE)
        return EPM_INVALID_ENTRY;
    struct entry *entry = calloc(1, sizeof(*entry) + from->tower_len);
    if (!entry)
        return EPM_NO_MEMORY;
    entry->object = from->object;
    entry->len = from->tower_len;
    memcpy(entry->octets, from->tower, from->tower_len);
    const size_t at = tower_address_offset(entry->octets, entry->len);
    if (at > 0)
        memset(entry->octets + at, 0, sizeof(tower.address));
    tower_decode(entry->octets, entry->len, &entry->tower);
    strcpy(entry->annotation, from->annotation);
    *ret_entry = entry;
    return EPM_OK;
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
    return uuid_equal(&a->object, &b->object) && a->len == b->len &&
           memcmp(a->octets, b->octets, a->len) == 0;
}

/* Is `old` what `entry` comes in place of? */
static bool replaces(const struct entry *entry, const struct entry *old)
{
    const struct pdu_syntax *id = &entry->tower.interface_id, *old_id = &old->tower.interface_id;
    return uuid_equal(&entry->object, &old->object) && uuid_equal(&id->uuid, &old_id->uuid) &&
           id->major == old_id->major && tower_same_protocols(&entry->tower, &old->tower);
}

/* Those that `entry`, which is none of them, makes superfluous. */
static void remove_old(struct epm_map *map, const struct epm_owner *owner, const struct entry *entry,
                       struct list *bucket, uint64_t replace_until)
{
    for (struct list *node = bucket->next, *next; node != bucket; node = next) {
        struct entry *old = list_entry(node, struct entry, bucket);
        next = node->next;
        if (old->owner == owner && (same_entry(entry, old) ||
             (old->number <= replace_until && replaces(entry, old))))
            remove_entry(map, old);
    }
}

/* Takes the entry over when it returns EPM_OK. */
static uint32_t add_entry(struct epm_map *map, struct epm_owner *owner, struct entry *entry,
                          uint64_t replace_until)
{
    struct list *bucket = bucket_of(map, &entry->tower.interface_id.uuid, &entry->object);
    remove_old(map, owner, entry, bucket, replace_until);
    if (map->count >= map->limits.entries || owner->user->entries >= map->limits.user_entries)
        return EPM_CANT_CREATE;
    entry->owner = owner;
    entry->number = ++map->last_number;
    map->count++;
    owner->user->entries++;
    list_append(&map->entries, &entry->all);
    list_append(bucket, &entry->bucket);
    list_append(&owner->entries, &entry->own);
    return EPM_OK;
}

uint32_t epm_insert(struct epm_map *map, struct epm_owner *owner, uint32_t uid,
                    const struct epm_entry *entry, uint64_t replace_until)
{
    struct entry *copy;
    uint32_t status = copy_entry(entry, &copy);
    if (status != EPM_OK)
        return status;
    pthread_mutex_lock(&map->lock);
    if (!owner)
        status = lasting_owner(map, uid, &owner);
    if (status == EPM_OK) {
        status = add_entry(map, owner, copy, replace_until);
        drop_lasting(map, owner);
    }
    pthread_mutex_unlock(&map->lock);
    if (status != EPM_OK)
        free(copy);
    return status;
}

uint64_t epm_last_number(struct epm_map *map)
{
    pthread_mutex_lock(&map->lock);
    const uint64_t number = map->last_number;
    pthread_mutex_unlock(&map->lock);
    return number;
}

static uint32_t delete_matching(struct epm_map *map, const struct epm_owner *owner, uint32_t uid,
                                const struct entry *wanted)
{
    struct list *bucket = bucket_of(map, &wanted->tower.interface_id.uuid, &wanted->object);
    uint32_t status = EPM_NOT_REGISTERED;
    for (struct list *node = bucket->next, *next; node != bucket; node = next) {
        struct entry *entry = list_entry(node, struct entry, bucket);
        struct epm_owner *of = entry->owner;
        next = node->next;
        if (!same_entry(entry, wanted) || (owner && of != owner))
            continue;
        if (!owner && uid != 0 && of->user->uid != uid) {
            status = status == EPM_OK ? EPM_OK : EPM_CANT_ACCESS;
            continue;
        }
        remove_entry(map, entry);
        drop_lasting(map, of);
        status = EPM_OK;
    }
    return status;
}

uint32_t epm_delete(struct epm_map *map, const struct epm_owner *owner, uint32_t uid,
                    const struct epm_entry *entry)
{
    struct entry *wanted;
    uint32_t status = copy_entry(entry, &wanted);
    if (status != EPM_OK)
        return status;
    pthread_mutex_lock(&map->lock);
    status = delete_matching(map, owner, uid, wanted);
    pthread_mutex_unlock(&map->lock);
    free(wanted);
    return status;
}

unsigned epm_count(struct epm_map *map)
{
    pthread_mutex_lock(&map->lock);
    const unsigned count = map->count;
    pthread_mutex_unlock(&map->lock);
    return count;
}

/* ---- Searching ------------------------------------------------------------------------------ */

/* Where the entries of a query are: in a bucket, or anywhere. */
struct range {
    struct list *head;
    bool is_bucket;
};

static struct range range_of(struct epm_map *map, const struct epm_query *query)
{
    static const UUID nil;
    switch (query->match) {
    case EPM_BY_BOTH:
        return (struct range){bucket_of(map, &query->interface_id.uuid, &query->object), true};
    case EPM_MAP:
        return (struct range){bucket_of(map, &query->tower.interface_id.uuid,
                                        query->any_object ? &nil : &query->object), true};
    case EPM_ALL:
    case EPM_BY_INTERFACE:
    case EPM_BY_OBJECT:
        break;
    }
    return (struct range){&map->entries, false};
}

static struct entry *entry_at(const struct range *range, struct list *node)
{
    return range->is_bucket ? list_entry(node, struct entry, bucket)
                            : list_entry(node, struct entry, all);
}

static unsigned search(struct epm_map *map, struct epm_query *query, unsigned max, epm_take *take,
                       void *arg, bool *ret_more)
{
    const struct range range = range_of(map, query);
    unsigned count = 0;
    for (struct list *node = range.head->next; node != range.head; node = node->next) {
        const struct entry *entry = entry_at(&range, node);
        if (entry->number <= query->behind || !epm_matches(query, &entry->object, &entry->tower))
            continue;
        const struct epm_entry found = {.object = entry->object,
                                        .tower = entry->octets,
                                        .tower_len = entry->len,
                                        .annotation = entry->annotation};
        if (count == max || !take(arg, &found)) {
            *ret_more = true;
            return count;
        }
        count++;
        query->behind = entry->number;
    }
    *ret_more = false;
    return count;
}

unsigned epm_search(struct epm_map *map, struct epm_query *query, unsigned max, epm_take *take,
                    void *arg, bool *ret_more)
{
    const bool begins = query->behind == 0;
    pthread_mutex_lock(&map->lock);
    unsigned count = search(map, query, max, take, arg, ret_more);
    /* Nothing for the object itself: what serves any. */
    if (query->match == EPM_MAP && begins && count == 0 && !*ret_more && !query->any_object) {
        query->any_object = true;
        count = search(map, query, max, take, arg, ret_more);
    }
    pthread_mutex_unlock(&map->lock);
    return count;
}
