/* SPDX-License-Identifier: MIT */
/* list.c - see list.h. */
#include "ndr/list.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void ndr_list_init(struct ndr_list *list, void *storage, size_t item_size, size_t capacity,
                   void *(*reallocate)(void *old, size_t size))
{
    *list = (struct ndr_list){
        .items = storage,
        .capacity = capacity,
        .item_size = item_size,
        .inline_items = storage,
        .reallocate = reallocate ? reallocate : realloc,
    };
}

void ndr_list_fini(struct ndr_list *list)
{
    if (list->items != list->inline_items)
        free(list->items);
    list->items = NULL;
    list->count = list->capacity = 0;
}

static bool grow(struct ndr_list *list)
{
    bool is_inline = list->items == list->inline_items; /* or there are none */
    if (list->capacity > SIZE_MAX / 2 / list->item_size)
        return false;
    size_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
    void *items = list->reallocate(is_inline ? NULL : list->items, capacity * list->item_size);
    if (!items)
        return false;
    if (is_inline && list->count > 0)
        memcpy(items, list->items, list->count * list->item_size);
    list->items = items;
    list->capacity = capacity;
    return true;
}

bool ndr_list_push(struct ndr_list *list, const void *item)
{
    if (list->count == list->capacity && !grow(list))
        return false;
    memcpy(list->items + list->count * list->item_size, item, list->item_size);
    list->count++;
    return true;
}

void *ndr_list_at(const struct ndr_list *list, size_t index)
{
    assert(index < list->count);
    return list->items + index * list->item_size;
}

void ndr_list_pop(struct ndr_list *list, void *item)
{
    assert(list->count > 0);
    list->count--;
    memcpy(item, list->items + list->count * list->item_size, list->item_size);
}

static void swap_word(unsigned char *a, unsigned char *b)
{
    uint64_t at_a, at_b;
    memcpy(&at_a, a, sizeof(at_a));
    memcpy(&at_b, b, sizeof(at_b));
    memcpy(a, &at_b, sizeof(at_b));
    memcpy(b, &at_a, sizeof(at_a));
}

void ndr_list_reverse(struct ndr_list *list, size_t first)
{
    size_t low = first, high = list->count;
    while (low + 1 < high) {
        unsigned char *a = list->items + low++ * list->item_size;
        unsigned char *b = list->items + --high * list->item_size;
        size_t i = 0;
        for (; i + sizeof(uint64_t) <= list->item_size; i += sizeof(uint64_t))
            swap_word(a + i, b + i);
        for (; i < list->item_size; i++) {
            unsigned char octet = a[i];
            a[i] = b[i];
            b[i] = octet;
        }
    }
}
