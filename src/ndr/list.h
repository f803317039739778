/* SPDX-License-Identifier: MIT */
/* list.h - scratch of one engine call: a growing array of equal items that starts in
 * storage on the caller's stack, because most calls need only a few. */
#ifndef PENSTOCK_NDR_LIST_H
#define PENSTOCK_NDR_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct ndr_list {
    unsigned char *items;
    size_t count, capacity; /* items         */
    size_t item_size;       /* octets        */
    void *inline_items;     /* never freed   */
    void *(*reallocate)(void *old, size_t size);
};

/* An empty list over the array `storage`; `reallocate` NULL: realloc. */
#define NDR_LIST_INIT(list, storage, reallocate)                                                   \
    ndr_list_init(list, storage, sizeof((storage)[0]), sizeof(storage) / sizeof((storage)[0]),     \
                  reallocate)
void ndr_list_init(struct ndr_list *list, void *storage, size_t item_size, size_t capacity,
                   void *(*reallocate)(void *old, size_t size));
void ndr_list_fini(struct ndr_list *list);

/* Appends a copy of `item`; false: no memory, the list is unchanged. */
bool ndr_list_push(struct ndr_list *list, const void *item);
void *ndr_list_at(const struct ndr_list *list, size_t index);
/* Moves the last item to `item`; the list is not empty. */
void ndr_list_pop(struct ndr_list *list, void *item);
/* Turns round the items from `first` to the end. */
void ndr_list_reverse(struct ndr_list *list, size_t first);

#endif
