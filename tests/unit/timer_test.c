/* SPDX-License-Identifier: MIT */
/* timer_test.c - many timers over one descriptor: each expires once, not early, in order;
 * what was cleared does not; memory that is missing changes nothing. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "alloc_shim.h"
#include "base/clock.h"
#include "base/list.h"
#include "io/timer.h"

struct thing {
    struct counted counted;
    struct io_timer timer;
    uint64_t due_us; /* 0: must not expire */
    atomic_uint expired;
    unsigned again; /* times it sets itself anew */
};

static atomic_uint destroyed;
static atomic_uint expired_total;
static _Atomic uint64_t last_due_us;
static atomic_bool early, unordered;

static void thing_destroy(struct counted *counted)
{
    (void)counted; /* the tests' memory */
    atomic_fetch_add(&destroyed, 1);
}

static void on_expired(struct counted *object)
{
    struct thing *thing = list_entry(object, struct thing, counted);
    if (clock_us() < thing->due_us)
        atomic_store(&early, true);
    if (thing->due_us < atomic_load(&last_due_us))
        atomic_store(&unordered, true);
    atomic_store(&last_due_us, thing->due_us);
    atomic_fetch_add(&thing->expired, 1);
    if (thing->again > 0) {
        thing->again--;
        thing->due_us = clock_us() + 2000;
        timer_set(&thing->timer, thing->due_us);
    }
    atomic_fetch_add(&expired_total, 1);
}

static void thing_init(struct thing *thing)
{
    *thing = (struct thing){.timer.expired = on_expired};
    counted_init(&thing->counted, thing_destroy);
    thing->timer.object = &thing->counted;
}

static void set(struct thing *thing, uint64_t due_us)
{
    thing->due_us = due_us;
    assert_true(timer_set(&thing->timer, due_us));
}

static void start_anew(void)
{
    atomic_store(&destroyed, 0);
    atomic_store(&expired_total, 0);
    atomic_store(&last_due_us, 0);
    atomic_store(&early, false);
    atomic_store(&unordered, false);
}

static void sleep_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void wait_expired(unsigned count)
{
    uint64_t until = clock_ms() + 10000;
    while (atomic_load(&expired_total) < count) {
        assert_true(clock_ms() < until);
        sleep_ms(1);
    }
}

#define MANY 5000

static void test_many(void **state)
{
    (void)state;
    static struct thing things[MANY];
    uint32_t random = 12345;
    unsigned wanted = 0;
    start_anew();
    uint64_t base_us = clock_us() + 300000; /* all is set before the first is due */
    for (unsigned i = 0; i < MANY; i++) {
        thing_init(&things[i]);
        random = random * 1664525u + 1013904223u;
        set(&things[i], base_us + (random >> 8) % 100000);
    }
    for (unsigned i = 0; i < MANY; i += 2) { /* moved to and fro */
        random = random * 1664525u + 1013904223u;
        set(&things[i], base_us + (random >> 8) % 100000);
    }
    for (unsigned i = 0; i < MANY; i += 3) {
        things[i].due_us = 0;
        timer_clear(&things[i].timer);
        timer_clear(&things[i].timer); /* does nothing */
    }
    assert_true(clock_us() < base_us);
    for (unsigned i = 0; i < MANY; i++)
        wanted += things[i].due_us != 0;
    wait_expired(wanted);
    sleep_ms(20);
    assert_int_equal(atomic_load(&expired_total), wanted);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(atomic_load(&things[i].expired), things[i].due_us != 0);
    assert_false(atomic_load(&early));
    assert_false(atomic_load(&unordered));
    for (unsigned i = 0; i < MANY; i++)
        counted_put(&things[i].counted);
    assert_int_equal(atomic_load(&destroyed), MANY); /* no reference is left */
}

static void test_an_earlier_one_comes_first(void **state)
{
    (void)state;
    struct thing late, soon, past;
    start_anew();
    thing_init(&late);
    thing_init(&soon);
    thing_init(&past);
    set(&late, clock_us() + 60000000);
    set(&soon, clock_us() + 20000);
    set(&past, 0); /* due since ever */
    wait_expired(2);
    assert_int_equal(atomic_load(&late.expired), 0);
    set(&late, clock_us() + 1000);
    wait_expired(3);
    assert_false(atomic_load(&early));
}

static void test_sets_itself_anew(void **state)
{
    (void)state;
    struct thing thing;
    start_anew();
    thing_init(&thing);
    thing.again = 20;
    set(&thing, clock_us() + 1000);
    wait_expired(21);
    sleep_ms(20);
    assert_int_equal(atomic_load(&thing.expired), 21);
    assert_false(atomic_load(&early));
}

/* The heap cannot grow: the timer is as it was, all others still work. */
static void test_no_memory(void **state)
{
    (void)state;
    enum { COUNT = 4 * MANY };
    static struct thing things[COUNT];
    unsigned failures = 0;
    start_anew();
    for (unsigned i = 0; i < COUNT; i++) {
        thing_init(&things[i]);
        alloc_fail_at(0);
        bool ok = timer_set(&things[i].timer, clock_us() + 60000000);
        failures += !ok;
        assert_true(ok != alloc_failed());
        alloc_fail_at(-1);
        assert_int_equal(atomic_load(&things[i].counted.refs), ok ? 2 : 1);
        if (!ok)
            assert_true(timer_set(&things[i].timer, clock_us() + 60000000));
    }
    assert_true(failures > 0);
    alloc_fail_at(0); /* moving and clearing need none */
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(timer_set(&things[i].timer, clock_us() + 50000000 + i % 77));
    for (unsigned i = 0; i < COUNT; i++)
        timer_clear(&things[i].timer);
    assert_false(alloc_failed());
    alloc_fail_at(-1);
    for (unsigned i = 0; i < COUNT; i++)
        counted_put(&things[i].counted);
    assert_int_equal(atomic_load(&destroyed), COUNT);
    assert_int_equal(atomic_load(&expired_total), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_an_earlier_one_comes_first),
        cmocka_unit_test(test_sets_itself_anew),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
