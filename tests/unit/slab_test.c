/* SPDX-License-Identifier: MIT */
/* slab_test.c - blocks are zeroed, apart from each other and keep what is written to them, for any
 * order of giving back; what is empty goes back to the system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "base/slab.h"
#include "random.h"

#define BLOCKS_MAX 2000u

struct block {
    uint8_t *octets;
    size_t size;
    uint8_t mark; /* what all of them are */
};

static bool all_are(const struct block *block, uint8_t value)
{
    size_t i = 0;
    while (i < block->size && block->octets[i] == value)
        i++;
    return i == block->size;
}

static void fill(struct block *block, size_t size, uint8_t mark)
{
    *block = (struct block){.octets = slab_alloc(size), .size = size, .mark = mark};
    assert_non_null(block->octets);
    assert_int_equal((uintptr_t)block->octets % _Alignof(max_align_t), 0);
    assert_true(all_are(block, 0));
    memset(block->octets, mark, size);
}

static void empty(struct block *block)
{
    assert_true(all_are(block, block->mark));
    slab_free(block->octets, block->size);
    block->octets = NULL;
}

/* All sizes, beyond the largest too, in random order. */
static void test_random(void **state)
{
    (void)state;
    static struct block blocks[BLOCKS_MAX];
    uint64_t seed = 7;
    for (unsigned step = 0; step < 40000; step++) {
        struct block *block = &blocks[random_next(&seed) % BLOCKS_MAX];
        if (block->octets)
            empty(block);
        else
            fill(block, random_next(&seed) % (SLAB_BLOCK_MAX + 100), (uint8_t)step);
    }
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (blocks[i].octets)
            empty(&blocks[i]);
    slab_free(NULL, 100);
    /* One of each class, at most. */
    assert_in_range(slab_count(), 1, SLAB_BLOCK_MAX / _Alignof(max_align_t));
}

/* 10,000 blocks and hardly more room than they need; all but one slab goes back, from whichever
 * end they are given back. */
static void test_goes_back(void **state)
{
    (void)state;
    enum { COUNT = 10000, SIZE = 448 };
    static void *blocks[COUNT];
    const size_t before = slab_count();
    for (int backwards = 0; backwards < 2; backwards++) {
        for (size_t i = 0; i < COUNT; i++)
            assert_non_null(blocks[i] = slab_alloc(SIZE));
        assert_in_range((slab_count() - before) * SLAB_LEN, 0, COUNT * SIZE * 102 / 100);
        for (size_t i = 0; i < COUNT; i++)
            slab_free(blocks[backwards ? COUNT - 1 - i : i], SIZE);
        assert_in_range(slab_count(), before, before + 1);
    }
}

/* One object that comes and goes does not have its slab mapped each time. */
static void test_one_is_kept(void **state)
{
    (void)state;
    void *first = slab_alloc(1000);
    slab_free(first, 1000);
    const size_t kept = slab_count();
    for (unsigned i = 0; i < 10; i++) {
        void *again = slab_alloc(1000);
        assert_ptr_equal(again, first);
        slab_free(again, 1000);
        assert_int_equal(slab_count(), kept);
    }
}

static void *work(void *arg)
{
    struct block blocks[50] = {0};
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (unsigned step = 0; step < 5000; step++) {
        struct block *block = &blocks[random_next(&seed) % 50];
        if (block->octets)
            empty(block);
        else
            fill(block, 300 + random_next(&seed) % 40, (uint8_t)seed);
    }
    for (unsigned i = 0; i < 50; i++)
        if (blocks[i].octets)
            empty(&blocks[i]);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_goes_back),
        cmocka_unit_test(test_one_is_kept),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
