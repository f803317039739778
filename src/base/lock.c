/* SPDX-License-Identifier: MIT */
/* lock.c - see lock.h. */
#include "base/lock.h"

#ifdef LOCK_IS_PTHREAD

void lock_sleep(struct lock *lock, struct sleeper *sleeper)
{
    pthread_cond_init(&sleeper->woken, NULL);
    while (!sleeper->is_woken)
        pthread_cond_wait(&sleeper->woken, &lock->mutex);
    pthread_cond_destroy(&sleeper->woken);
}

void sleeper_wake(struct sleeper *sleeper)
{
    sleeper->is_woken = true;
    pthread_cond_signal(&sleeper->woken);
}

#else

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns at once unless the word is `value`, and now and then for no reason. */
static void futex_wait(atomic_uint *word, unsigned value)
{
    const int error = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    errno = error;
}

static void futex_wake_one(atomic_uint *word)
{
    const int error = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = error;
}

/* Who has slept does not know whether others do, so it takes the lock as if. */
void lock_wait(struct lock *lock)
{
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        futex_wait(&lock->word, 2);
}

/* The object may be gone by now: then nobody sleeps there, and the kernel only looks at the
 * address. */
void lock_wake(struct lock *lock)
{
    futex_wake_one(&lock->word);
}

void lock_sleep(struct lock *lock, struct sleeper *sleeper)
{
    while (atomic_load_explicit(&sleeper->is_woken, memory_order_relaxed) == 0) {
        lock_give(lock);
        futex_wait(&sleeper->is_woken, 0);
        lock_take(lock);
    }
}

void sleeper_wake(struct sleeper *sleeper)
{
    atomic_store_explicit(&sleeper->is_woken, 1, memory_order_relaxed);
    futex_wake_one(&sleeper->is_woken);
}

#endif
