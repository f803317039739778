/* SPDX-License-Identifier: MIT */
/* lock_test.c - a lock of four octets keeps threads apart, and wakes those that sleep, no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sched.h>

#include <cmocka.h>

#include "base/lock.h"

#define THREADS 4u
#define ROUNDS  50000u

static struct lock lock;
static unsigned long counter; /* not atomic: the lock guards it */

static void *count(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        lock_take(&lock);
        unsigned long seen = counter;
        if (i % 1000 == 0)
            sched_yield(); /* others get to wait in the kernel */
        counter = seen + 1;
        lock_give(&lock);
    }
    return NULL;
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    lock_init(&lock);
    counter = 0;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, (unsigned long)THREADS * ROUNDS);
    lock_fini(&lock);
}

/* A ring of threads: each sleeps until the one before wakes it, and finds the number that one
 * left. */
struct seat {
    struct sleeper *asleep; /* or NULL: nobody has sat down yet */
    unsigned number, woken;
};
static struct seat seats[THREADS];
static unsigned long turns;

static void *sit(void *arg)
{
    struct seat *seat = arg;
    struct seat *next = &seats[(seat->number + 1) % THREADS];
    lock_take(&lock);
    for (;;) {
        struct sleeper self = {.is_woken = 0};
        seat->asleep = &self;
        lock_sleep(&lock, &self);
        seat->woken++;
        if (turns == 20000)
            break;
        assert_int_equal(turns % THREADS, seat->number);
        turns++;
        sleeper_wake(next->asleep);
        next->asleep = NULL;
    }
    if (next->asleep)
        sleeper_wake(next->asleep);
    lock_give(&lock);
    return NULL;
}

static void test_sleepers(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    lock_init(&lock);
    for (unsigned i = 0; i < THREADS; i++) {
        seats[i] = (struct seat){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, sit, &seats[i]), 0);
    }
    for (unsigned asleep = 0; asleep < THREADS;) {
        sched_yield();
        lock_take(&lock);
        asleep = 0;
        for (unsigned i = 0; i < THREADS; i++)
            asleep += seats[i].asleep != NULL;
        lock_give(&lock);
    }
    lock_take(&lock);
    sleeper_wake(seats[0].asleep);
    seats[0].asleep = NULL;
    lock_give(&lock);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(turns, 20000);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(seats[i].woken, 20000 / THREADS + 1);
    lock_fini(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_sleepers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
