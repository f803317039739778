/* SPDX-License-Identifier: MIT */
/* alias.h - objects that full pointers share: a hash table from a key (a referent, or
 * an address) to the object, of one direction of one call; and what of it the other
 * direction has to know. */
#ifndef PENSTOCK_NDR_ALIAS_H
#define PENSTOCK_NDR_ALIAS_H

#include <stdint.h>

#include <penstock/rpcndr.h>

#include "ndr/list.h"

struct ndr_alias {
    uint64_t key;
    const NDR_TYPE *type; /* of the object */
    void *object;
    uint64_t referent; /* 32 bits in NDR 2.0 */
    bool done;         /* sender: the object itself is written */
    /* What a client remembers of an object in its request: */
    bool is_kept;      /* [in,out] parameters lead to it: the reply may write it        */
    bool has_tag;      /* it is a union whose arm was that of `tag`                      */
    uint32_t capacity; /* elements of a conformant object, as sent                       */
    int64_t tag;
    /* Receiver: the region (decode_region.c) it lies in; 0: it is an object of its own. */
    uint32_t region;
    bool begins_region;
};

struct ndr_aliases {
    struct ndr_list entries; /* struct ndr_alias, in order of their coming */
    uint32_t *buckets;       /* 0: empty; else number of an entry, from 1  */
    size_t bucket_count;     /* a power of 2; 0: none yet                  */
};

/* An empty table that owns no memory; `reallocate` NULL: realloc. */
void ndr_aliases_init(struct ndr_aliases *aliases, void *(*reallocate)(void *old, size_t size));
void ndr_aliases_fini(struct ndr_aliases *aliases);

/* The entry with that key and a type of the same shape (`type` NULL: any), valid until
 * the next one is added; NULL: none. */
struct ndr_alias *ndr_alias_find(const struct ndr_aliases *aliases, uint64_t key,
                                 const NDR_TYPE *type);
/* Adds a copy; NULL: no memory, nothing changed. */
struct ndr_alias *ndr_alias_add(struct ndr_aliases *aliases, const struct ndr_alias *alias);
/* Forgets all but the first `count` entries. */
void ndr_aliases_truncate(struct ndr_aliases *aliases, size_t count);

/* The objects that full pointers of a request led to: the reply names them by the same
 * referents.  A server's own objects are only compared with, never looked into. */
struct ndr_full_pointers {
    struct ndr_aliases by_referent, by_object;
};

/* Empty tables that own no memory; `reallocate` as above. */
void ndr_full_pointers_init(struct ndr_full_pointers *full,
                            void *(*reallocate)(void *old, size_t size));
void ndr_full_pointers_fini(struct ndr_full_pointers *full);
/* Moves the tables to `to`, which has nothing; `from` is empty then. */
void ndr_full_pointers_move(struct ndr_full_pointers *to, struct ndr_full_pointers *from);
/* Forgets the objects. */
void ndr_full_pointers_reset(struct ndr_full_pointers *full);

/* May an object of type `a` be seen as `b`?  Descriptors of equal types need not be one
 * object: each size_is makes its own. */
bool ndr_same_shape(const NDR_TYPE *a, const NDR_TYPE *b);

#endif
