/* SPDX-License-Identifier: MIT */
/* map.h - what an endpoint mapper knows: entries of object, tower and annotation, and whose
 * they are.  No RPC, no sockets, no clock; any thread.
 *
 *   map --1:n-- user --1:n-- owner --1:n-- entry --n:1-- bucket (interface and object)
 *
 * An owner is a registration, whose entries go with it, or the one for all entries of a user
 * that nobody's end takes away.  Entries are numbered as they come, and found in that order, so
 * a search that goes on behind a number meets each entry once, whatever came and went between. */
#ifndef EPM_MAP_H
#define EPM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/tower.h"

/* What travels as `status` (C706 Appendix E). */
#define EPM_OK             0u
#define EPM_CANT_PERFORM   0x16c9a0cdu
#define EPM_NO_MEMORY      0x16c9a0ceu
#define EPM_CANT_CREATE    0x16c9a0d0u
#define EPM_CANT_ACCESS    0x16c9a0d1u
#define EPM_INVALID_ENTRY  0x16c9a0d3u
#define EPM_NOT_REGISTERED 0x16c9a0d6u

/* Octets of an annotation with its NUL. */
#define EPM_ANNOTATION_SIZE 64u

struct epm_limits {
    unsigned entries;         /* in all     */
    unsigned user_entries;    /* of a user  */
    unsigned user_owners;     /* likewise   */
};

struct epm_map;
struct epm_owner;

/* NULL: out of memory.  free() after the last use, by the last thread. */
struct epm_map *epm_map_new(const struct epm_limits *limits);
void epm_map_free(struct epm_map *map);

/* A registration of `uid`; *ret_owner is to be released with epm_owner_free(), which takes its
 * entries with it.  EPM_NO_MEMORY; EPM_CANT_CREATE: the user has too many. */
uint32_t epm_owner_new(struct epm_map *map, uint32_t uid, struct epm_owner **ret_owner);
void epm_owner_free(struct epm_map *map, struct epm_owner *owner);

/* One entry, borrowed for the call. */
struct epm_entry {
    UUID object;
    const uint8_t *tower; /* octets                              */
    size_t tower_len;
    const char *annotation; /* at most EPM_ANNOTATION_SIZE with its NUL */
};

/* Adds an entry of `owner`, NULL: one of `uid` that stays.  The same once more gets the new
 * annotation.  Those of the owner with the same interface, major version, object and protocol
 * sequence that are numbered up to `replace_until` go; 0: none.  The address in the tower does not matter: it is set to 0.
 * EPM_NO_MEMORY; EPM_INVALID_ENTRY: no tower of an endpoint; EPM_CANT_CREATE: there are
 * too many. */
uint32_t epm_insert(struct epm_map *map, struct epm_owner *owner, uint32_t uid,
                    const struct epm_entry *entry, uint64_t replace_until);
/* The number of the entry that came last. */
uint64_t epm_last_number(struct epm_map *map);

/* Removes entries with this object and tower: of `owner`; NULL: all that `uid` may remove, which
 * are the user's own and, for 0, everybody's.
 * EPM_NOT_REGISTERED; EPM_CANT_ACCESS: there are some, others'; EPM_INVALID_ENTRY. */
uint32_t epm_delete(struct epm_map *map, const struct epm_owner *owner, uint32_t uid,
                    const struct epm_entry *entry);

/* ---- Searching -------------------------------------------------------------------- */

enum epm_match {
    EPM_ALL, /* RPC_C_EP_... of ept_lookup */
    EPM_BY_INTERFACE,
    EPM_BY_OBJECT,
    EPM_BY_BOTH,
    EPM_MAP /* ept_map: what a client with this tower and object can use */
};

enum epm_versions { /* RPC_C_VERS_... */
    EPM_VERSION_ALL = 1,
    EPM_VERSION_COMPATIBLE, /* the same major, at least the minor    */
    EPM_VERSION_EXACT,
    EPM_VERSION_MAJOR_ONLY,
    EPM_VERSION_UPTO /* not newer */
};

struct epm_query {
    enum epm_match match;
    enum epm_versions versions;    /* BY_INTERFACE, BY_BOTH */
    UUID object;
    struct pdu_syntax interface_id;
    struct tower tower;            /* MAP; its names are not looked at */
    uint64_t behind;               /* where the search goes on; 0: at the beginning */
    bool any_object;               /* MAP: nothing is registered for the object itself */
};

/* Is given what was found, under the map's lock.  False: stop, this one not counted. */
typedef bool epm_take(void *arg, const struct epm_entry *entry);

/* Takes at most `max` entries and moves the query behind them.  *ret_more: there are more. */
unsigned epm_search(struct epm_map *map, struct epm_query *query, unsigned max, epm_take *take,
                    void *arg, bool *ret_more);

unsigned epm_count(struct epm_map *map);

#endif
