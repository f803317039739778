/* SPDX-License-Identifier: MIT */
/* handle_test.c - the handle table: what a handle answers while it is open, after it
 * was closed, after its slot went to someone else, and from many threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/handle.h"
#include "random.h"

#define UNKNOWN   111
#define CLOSED    222
#define UNTOUCHED (-1)

struct thing {
    uint32_t before; /* so that the embedded part is not at offset 0 */
    struct counted counted;
    uint64_t number;
};

static atomic_int things_alive;

static struct thing *thing_of(struct counted *counted)
{
    return (struct thing *)(void *)((char *)counted - offsetof(struct thing, counted));
}

static void thing_destroy(struct counted *counted)
{
    atomic_fetch_sub(&things_alive, 1);
    free(thing_of(counted));
}

static struct thing *thing_new(uint64_t number)
{
    struct thing *thing = malloc(sizeof(*thing));
    assert_non_null(thing);
    counted_init(&thing->counted, thing_destroy);
    thing->number = number;
    atomic_fetch_add(&things_alive, 1);
    return thing;
}

/* A handle that holds the only reference. */
static uint64_t open_thing(uint64_t number)
{
    struct thing *thing = thing_new(number);
    uint64_t handle = handle_open(&thing->counted);
    assert_true(handle != 0);
    counted_put(&thing->counted);
    return handle;
}

static int32_t status_of(uint64_t handle)
{
    int32_t status = UNTOUCHED;
    assert_null(handle_get(handle, UNKNOWN, &status));
    return status;
}

/* ---- Tests ---------------------------------------------------------------- */

static void a_nothing_was_ever_opened(void **state)
{
    (void)state;
    assert_int_equal(status_of(0), UNKNOWN);
    assert_int_equal(status_of(1), UNKNOWN);
    assert_int_equal(status_of(UINT64_MAX), UNKNOWN);
    handle_close(1, CLOSED);
}

static void a_open_get_close(void **state)
{
    (void)state;
    uint64_t handle = open_thing(7);
    int32_t status;
    struct counted *object = handle_get(handle, UNKNOWN, &status);
    assert_non_null(object);
    assert_int_equal(thing_of(object)->number, 7);

    handle_close(handle, CLOSED);
    assert_int_equal(status_of(handle), CLOSED);
    assert_int_equal(atomic_load(&things_alive), 1); /* ours is left */
    counted_put(object);
    assert_int_equal(atomic_load(&things_alive), 0);
}

static void b_closing_twice_keeps_the_first_status(void **state)
{
    (void)state;
    uint64_t handle = open_thing(1);
    handle_close(handle, CLOSED);
    handle_close(handle, CLOSED + 1);
    assert_int_equal(status_of(handle), CLOSED);
    assert_int_equal(atomic_load(&things_alive), 0);
}

/* A made-up number must not answer RPC_S_OK, which is 0, nor reach an object. */
static void b_made_up_numbers_are_unknown(void **state)
{
    (void)state;
    uint64_t handle = open_thing(1);
    uint64_t slot = handle & 0xffffff, generation = handle >> 24;
    assert_int_equal(status_of(slot), UNKNOWN);     /* generation 0 */
    assert_int_equal(status_of(slot + 1), UNKNOWN); /* made, never opened */
    assert_int_equal(status_of((generation + 1) << 24 | slot), UNKNOWN);
    assert_int_equal(status_of(generation << 24 | 0xffffff), UNKNOWN);
    assert_int_equal(status_of(generation << 24), UNKNOWN);
    handle_close((generation + 1) << 24 | slot, CLOSED); /* closes nothing */
    int32_t status;
    struct counted *object = handle_get(handle, UNKNOWN, &status);
    assert_non_null(object);
    counted_put(object);
    handle_close(handle, CLOSED);
}

/* The slot of a closed handle is not used again soon, and once it is, the old
 * handle is unknown and the new one a stranger to it. */
static void b_slots_return_late_and_with_a_new_generation(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    static uint64_t handles[ROUNDS];
    unsigned reused = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        handles[i] = open_thing(i);
        handle_close(handles[i], CLOSED);
        if (i >= 1000)
            assert_int_equal(status_of(handles[i - 1000]), CLOSED);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        int32_t status = status_of(handles[i]);
        assert_true(status == CLOSED || status == UNKNOWN);
        reused += status == UNKNOWN;
        for (unsigned k = i + 1; k < i + 50 && k < ROUNDS; k++)
            assert_true(handles[i] != handles[k]);
    }
    assert_true(reused > 0); /* the table does not grow for ever */
    assert_int_equal(atomic_load(&things_alive), 0);
}

static void c_many_alive_at_once(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t handles[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        handles[i] = open_thing(i);
    for (unsigned i = 0; i < COUNT; i++) {
        int32_t status;
        struct counted *object = handle_get(handles[i], UNKNOWN, &status);
        assert_non_null(object);
        assert_int_equal(thing_of(object)->number, i);
        counted_put(object);
    }
    for (unsigned i = 0; i < COUNT; i++)
        handle_close(handles[i], (int32_t)i + 1);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(status_of(handles[i]), i + 1);
    assert_int_equal(atomic_load(&things_alive), 0);
}

/* ---- Threads -------------------------------------------------------------- */

#define THREADS 4
#define SHARED  64
#define TURNS   20000

/* Handles all threads open, get and close as they like. */
static _Atomic uint64_t shared[SHARED];
static atomic_uint wrong;

/* What a handle in place `place` was opened with. */
static uint64_t number_for(unsigned place, uint64_t salt)
{
    return salt << 8 | place;
}

static void *turn_thread(void *argument)
{
    uint64_t seed = *(const uint64_t *)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        unsigned place = random_below(&seed, SHARED);
        if (random_below(&seed, 4) == 0) {
            struct thing *thing = malloc(sizeof(*thing));
            if (!thing)
                continue;
            counted_init(&thing->counted, thing_destroy);
            thing->number = number_for(place, random_next(&seed) >> 8);
            atomic_fetch_add(&things_alive, 1);
            uint64_t handle = handle_open(&thing->counted);
            counted_put(&thing->counted);
            handle_close(atomic_exchange(&shared[place], handle), CLOSED);
            continue;
        }
        int32_t status = UNTOUCHED;
        struct counted *object = handle_get(atomic_load(&shared[place]), UNKNOWN, &status);
        /* Never someone else's object; if none, a reason. */
        if (object ? (thing_of(object)->number & 0xff) != place
                   : status != CLOSED && status != UNKNOWN)
            atomic_fetch_add(&wrong, 1);
        if (object)
            counted_put(object);
    }
    return NULL;
}

static void c_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    static uint64_t seeds[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, turn_thread, &seeds[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&wrong), 0);
    for (unsigned i = 0; i < SHARED; i++)
        handle_close(atomic_load(&shared[i]), CLOSED);
    assert_int_equal(atomic_load(&things_alive), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nothing_was_ever_opened),
        cmocka_unit_test(a_open_get_close),
        cmocka_unit_test(b_closing_twice_keeps_the_first_status),
        cmocka_unit_test(b_made_up_numbers_are_unknown),
        cmocka_unit_test(b_slots_return_late_and_with_a_new_generation),
        cmocka_unit_test(c_many_alive_at_once),
        cmocka_unit_test(c_threads),
    };
    return cmocka_run_group_tests_name("handle", tests, NULL, NULL);
}
