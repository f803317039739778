/* SPDX-License-Identifier: MIT */
/* lock.h - a mutual exclusion lock of four octets, for objects of which thousands lie idle, and
 * threads that sleep until somebody who holds it wakes them.
 *
 *   word   0 free   1 held   2 held, and somebody may be asleep in the kernel for it
 *
 * It costs what pthread_mutex_t does, which takes ten times the room.  The thread sanitizer gets
 * the latter, so that it sees the order in which locks are taken.  Not recursive. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/delay.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOCK_IS_PTHREAD 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define LOCK_IS_PTHREAD 1
#endif

#ifdef LOCK_IS_PTHREAD

#include <pthread.h>

struct lock {
    pthread_mutex_t mutex;
};

/* One that is all zero is free, too. */
static inline void lock_init(struct lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
}
static inline void lock_fini(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}
static inline void lock_take(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}
static inline void lock_give(struct lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}

#else

/* A process with one thread needs no atomic operations, as in pthread_mutex_lock(): a client that
 * only makes synchronous calls is one. */
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define LOCK_IS_ALONE __libc_single_threaded
#else
#define LOCK_IS_ALONE 0
#endif

struct lock {
    atomic_uint word;
};

/* The rest of take and give, when another thread is there. */
void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

static inline void lock_init(struct lock *lock)
{
    atomic_init(&lock->word, 0);
}
static inline void lock_fini(struct lock *lock)
{
    (void)lock;
}
static inline void lock_take(struct lock *lock)
{
    unsigned expected = 0;
    DELAY_POINT();
    if (LOCK_IS_ALONE && atomic_load_explicit(&lock->word, memory_order_relaxed) == 0)
        atomic_store_explicit(&lock->word, 1, memory_order_relaxed);
    else if (!atomic_compare_exchange_strong_explicit(&lock->word, &expected, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        lock_wait(lock);
}
static inline void lock_give(struct lock *lock)
{
    if (LOCK_IS_ALONE)
        atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
    else if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        lock_wake(lock);
    DELAY_POINT();
}

#endif

/* A thread asleep, on its stack; all zero before.  Both functions are called with the lock held:
 * so it is still there when it is woken. */
struct sleeper {
#ifdef LOCK_IS_PTHREAD
    pthread_cond_t woken;
    bool is_woken;
#else
    atomic_uint is_woken;
#endif
};

/* Drops the lock until sleeper_wake() was called for it, once. */
void lock_sleep(struct lock *lock, struct sleeper *sleeper);
void sleeper_wake(struct sleeper *sleeper);

#endif
