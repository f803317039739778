/* SPDX-License-Identifier: MIT */
/* handle.h - numbers that stand for counted objects and never dangle.
 *
 *   handle = generation << 24 | slot      slot numbers start at 1: 0 is no handle
 *
 * It has HANDLE_BITS bits: its owner may keep something of its own above.
 *
 * A handle that was closed keeps answering with the status it was closed with
 * until its slot is used again, which happens first in, first out and only when
 * many others lie free; after that it is simply unknown.  So a program that goes
 * on using a dead pipe gets the same error for ever and can never reach a
 * stranger's pipe.  All functions may be called from any thread. */
#ifndef BASE_HANDLE_H
#define BASE_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HANDLE_BITS 48u

/* Embedded at any place in the object. */
struct counted {
    atomic_uint refs;
    void (*destroy)(struct counted *object);
};

static inline void counted_init(struct counted *object, void (*destroy)(struct counted *))
{
    atomic_init(&object->refs, 1);
    object->destroy = destroy;
}

static inline void counted_get(struct counted *object)
{
    atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
}

/* Releases one reference; the last one destroys. */
void counted_put(struct counted *object);

/* A new handle for `object`, on which the table takes a reference of its own.
 * 0: out of memory. */
uint64_t handle_open(struct counted *object);

/* The object with a new reference for the caller, or NULL: then *ret_status is
 * what handle_close() was told, or `unknown` for a number that means nothing. */
struct counted *handle_get(uint64_t handle, int32_t unknown, int32_t *ret_status);

/* Ends the handle and drops the table's reference.  Closing twice is harmless. */
void handle_close(uint64_t handle, int32_t status);

#endif
