/* SPDX-License-Identifier: MIT */
/* txq_test.c - the send queue against the simplest model there is: the octets that
 * were ever appended, in one array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_shim.h"
#include "proto/txq.h"
#include "random.h"

#define MODEL_LEN      (4u << 20)
#define MODEL_STEP     320000u /* more than one step ever appends */
#define IOV_MAX_TESTED 64u
#define BORROWS_MAX    256u

struct model {
    struct txq q;
    uint8_t octets[MODEL_LEN]; /* all ever appended                               */
    size_t total, sent;        /* octets[sent .. total) must be in the queue      */
    size_t described;          /* what txq_iov() showed may not be truncated      */
    uint64_t seed;
    void *borrows[BORROWS_MAX]; /* blocks the queue may point into                */
    size_t borrow_count;
    unsigned failures; /* requests for memory that the code reported as failed   */
};

static struct model m;

static void model_start(uint64_t seed)
{
    memset(&m, 0, sizeof(m));
    m.seed = seed;
    txq_init(&m.q);
}

static void release_borrows(void)
{
    assert_int_equal(txq_borrowed(&m.q), 0);
    for (size_t i = 0; i < m.borrow_count; i++)
        free(m.borrows[i]); /* the sanitizer sees whoever still reads it */
    m.borrow_count = 0;
}

/* The octets of a gather list, starting at octet `from` of everything. */
static void check_iov(const struct iovec *iov, size_t count, size_t from)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(iov[i].iov_len <= m.total - from);
        assert_memory_equal(iov[i].iov_base, m.octets + from, iov[i].iov_len);
        from += iov[i].iov_len;
    }
}

static void check_all(void)
{
    assert_int_equal(m.q.len, m.total - m.sent);
    assert_int_equal(txq_len(&m.q), m.total - m.sent);
    assert_int_equal(m.q.total, m.total);
    assert_int_equal(txq_total_sent(&m.q), m.sent);
    size_t len = 0, borrowed = 0;
    const struct txq_store *store = m.q.store;
    for (size_t i = store ? store->head : 0; store && i < store->tail; i++) {
        const struct txq_seg *seg = &store->segs[i];
        assert_memory_equal(seg->octets, m.octets + m.sent + len, seg->len);
        len += seg->len;
        if (!seg->block)
            borrowed += seg->len;
    }
    assert_int_equal(len, m.q.len);
    assert_int_equal(borrowed, txq_borrowed(&m.q));
}

/* New octets, at the end of the model but not yet part of it. */
static const uint8_t *fresh(size_t len)
{
    for (size_t i = 0; i < len; i++)
        m.octets[m.total + i] = (uint8_t)random_next(&m.seed);
    return m.octets + m.total;
}

/* Mostly headers, sometimes more than a block, seldom more than a large one. */
static size_t some_len(void)
{
    switch (random_below(&m.seed, 16)) {
    case 0:
        return 1 + random_below(&m.seed, MODEL_STEP / 4);
    case 1:
        return 1 + random_below(&m.seed, 5000);
    case 2:
    case 3:
        return 1 + random_below(&m.seed, 300);
    default:
        return 1 + random_below(&m.seed, 40);
    }
}

static void do_append(size_t len)
{
    const uint8_t *octets = fresh(len);
    uint8_t *room = txq_append(&m.q, len);
    if (!room) {
        m.failures++;
        return;
    }
    memcpy(room, octets, len);
    m.total += len;
}

static void do_copy(size_t len)
{
    if (txq_copy(&m.q, fresh(len), len))
        m.total += len;
    else
        m.failures++;
}

static void do_borrow(size_t len)
{
    if (m.borrow_count == BORROWS_MAX)
        return;
    void *block = __real_malloc(len); /* the test's own: cannot be made to fail */
    assert_non_null(alloc_count(block));
    memcpy(block, fresh(len), len);
    m.borrows[m.borrow_count++] = block;
    if (txq_borrow(&m.q, block, len))
        m.total += len;
    else
        m.failures++;
}

/* While somebody sends nothing is lent: the caller's octets may go at once. */
static void do_borrow_while_sending(size_t len)
{
    const bool sending = txq_len(&m.q) > 0;
    const size_t before = txq_borrowed(&m.q);
    if (!sending) {
        do_borrow(len);
        return;
    }
    uint8_t *block = __real_malloc(len);
    assert_non_null(alloc_count(block));
    memcpy(block, fresh(len), len);
    txq_set_sending(&m.q, true);
    if (txq_borrow(&m.q, block, len))
        m.total += len;
    else
        m.failures++;
    txq_set_sending(&m.q, false);
    assert_int_equal(txq_borrowed(&m.q), before);
    memset(block, 0xee, len);
    free(block);
}

static void do_settle(void)
{
    if (txq_settle(&m.q))
        release_borrows();
    else
        m.failures++;
}

/* Looks at the head, appends behind it, then "sends" a part of what it saw: the
 * octets seen must not have moved meanwhile. */
static void do_send(void)
{
    struct iovec iov[IOV_MAX_TESTED];
    size_t max = 1 + random_below(&m.seed, IOV_MAX_TESTED);
    size_t octets_max = 1 + random_below(&m.seed, 20000);
    size_t count = txq_iov(&m.q, iov, max, octets_max);
    assert_true(count <= max);
    assert_true(count > 0 || m.q.len == 0);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(len < octets_max);
        len += iov[i].iov_len;
    }
    m.described = m.sent + len > m.described ? m.sent + len : m.described;

    if (random_below(&m.seed, 2))
        do_append(some_len());
    if (random_below(&m.seed, 2))
        do_borrow(some_len());
    check_iov(iov, count, m.sent);

    size_t part = random_below(&m.seed, 3) ? len : random_below(&m.seed, (uint32_t)len + 1);
    txq_sent(&m.q, part);
    m.sent += part;
    if (txq_borrowed(&m.q) == 0)
        release_borrows();
}

static void do_truncate(void)
{
    size_t floor = m.described > m.sent ? m.described : m.sent;
    m.total -= random_below(&m.seed, (uint32_t)(m.total - floor) + 1);
    txq_truncate(&m.q, m.total);
    if (txq_borrowed(&m.q) == 0)
        release_borrows();
}

static void step(void)
{
    switch (random_below(&m.seed, 12)) {
    case 0:
        if (m.q.len == 0)
            txq_trim(&m.q);
        break;
    case 1:
    case 2:
    case 10:
        do_append(some_len());
        break;
    case 3:
        do_copy(random_below(&m.seed, 4) ? some_len() : 0);
        break;
    case 4:
    case 5:
        do_borrow(some_len());
        break;
    case 11:
        do_borrow_while_sending(some_len());
        break;
    case 6:
        do_settle();
        break;
    case 7:
        do_truncate();
        break;
    default:
        do_send();
        break;
    }
    check_all();
}

/* Ends without sending: everything queued must be freed. */
static void model_end(void)
{
    txq_fini(&m.q);
    if (m.q.store)
        m.q.store->borrowed = 0;
    release_borrows();
    assert_int_equal(alloc_live, 0);
}

static void run_steps(uint64_t seed, unsigned steps)
{
    model_start(seed);
    for (unsigned i = 0; i < steps && m.total < MODEL_LEN - MODEL_STEP; i++)
        step();
}

/* ---- Tests ---------------------------------------------------------------- */

static void a_octets_come_out_in_order(void **state)
{
    (void)state;
    struct iovec iov[4];
    model_start(1);
    do_copy(24);
    do_borrow(100);
    do_copy(16);
    check_all();
    assert_int_equal(txq_borrowed(&m.q), 100);
    assert_int_equal(txq_iov(&m.q, iov, 4, SIZE_MAX), 3);
    check_iov(iov, 3, 0);
    txq_sent(&m.q, 24 + 50);
    m.sent = 74;
    check_all();
    assert_int_equal(txq_borrowed(&m.q), 50);
    do_settle();
    check_all();
    assert_int_equal(txq_iov(&m.q, iov, 4, SIZE_MAX), 1);
    txq_sent(&m.q, 66);
    m.sent = 140;
    check_all();
    model_end();
}

static void a_neighbours_share_an_element(void **state)
{
    (void)state;
    struct iovec iov[4];
    model_start(2);
    do_append(24);
    do_append(24);
    do_copy(8);
    assert_int_equal(txq_iov(&m.q, iov, 4, SIZE_MAX), 1);
    assert_int_equal(iov[0].iov_len, 56);
    model_end();
}

static void b_an_idle_queue_holds_no_blocks(void **state)
{
    (void)state;
    model_start(3);
    for (unsigned i = 0; i < 200; i++) {
        do_append(40);
        do_borrow(40);
    }
    txq_sent(&m.q, m.q.len);
    m.sent = m.total;
    check_all();
    release_borrows();
    txq_trim(&m.q);
    assert_int_equal(alloc_live, 0);
    do_append(16); /* and goes on working */
    check_all();
    model_end();
}

/* A queue that settles rests of pushes keeps the blocks for the next, but few, and
 * gives them up when it is told that nothing will come for a while. */
static void b_large_blocks_are_used_again(void **state)
{
    (void)state;
    model_start(3);
    for (unsigned i = 0; i < 60; i++) {
        do_borrow(60000);
        do_settle();
    }
    check_all();
    assert_true(alloc_live > 60);
    txq_sent(&m.q, m.q.len);
    m.sent = m.total;
    check_all();
    assert_true(alloc_live > 1 && alloc_live < 30);
    txq_trim(&m.q);
    assert_int_equal(alloc_live, 0); /* not even the array of segments */
    do_borrow(60000);
    do_settle();
    check_all();
    model_end();
}

static void b_truncate_gives_everything_back(void **state)
{
    (void)state;
    model_start(4);
    do_append(24);
    do_borrow(5000);
    do_append(3000); /* a block of its own */
    m.total = 10;
    txq_truncate(&m.q, 10);
    check_all();
    assert_int_equal(txq_borrowed(&m.q), 0);
    do_append(30);
    check_all();
    m.total = 0;
    txq_truncate(&m.q, 0);
    check_all();
    assert_int_equal(m.q.len, 0);
    model_end();
}

static void b_nothing_to_settle_needs_no_memory(void **state)
{
    (void)state;
    model_start(5);
    do_append(24);
    alloc_fail_at(0);
    assert_true(txq_settle(&m.q));
    alloc_fail_at(-1);
    model_end();
}

static void c_random_steps_agree_with_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        run_steps(seed, 400);
        model_end();
    }
}

/* Every single request for memory fails once: the queue reports it, is unchanged
 * (check_all() in each step), and works again afterwards. */
static void c_nth_allocation_fails(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (long n = 0;; n++) {
        alloc_fail_at(n);
        run_steps(99, 250);
        bool done = !alloc_failed();
        alloc_fail_at(-1);
        assert_int_equal(m.failures, done ? 0 : 1);
        failed += m.failures;
        model_end();
        if (done)
            break;
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_octets_come_out_in_order),
        cmocka_unit_test(a_neighbours_share_an_element),
        cmocka_unit_test(b_an_idle_queue_holds_no_blocks),
        cmocka_unit_test(b_large_blocks_are_used_again),
        cmocka_unit_test(b_truncate_gives_everything_back),
        cmocka_unit_test(b_nothing_to_settle_needs_no_memory),
        cmocka_unit_test(c_random_steps_agree_with_the_model),
        cmocka_unit_test(c_nth_allocation_fails),
    };
    return cmocka_run_group_tests_name("txq", tests, NULL, NULL);
}
