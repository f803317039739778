/* SPDX-License-Identifier: MIT */
/* names_test.c - functions that need no call: protocol sequences there are, UUIDs of time. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <penstock/rpc.h>

#include "alloc_shim.h"

/* ---- Protocol sequences ---------------------------------------------------------- */

static void a_protocol_sequences(void **state)
{
    (void)state;
    static const char *const wanted[] = {"ncacn_ip_tcp", "ncalrpc"};
    RPC_PROTSEQ_VECTORA *narrow;
    RPC_PROTSEQ_VECTORW *wide;
    long live = alloc_live;
    assert_int_equal(RpcNetworkInqProtseqsA(&narrow), RPC_S_OK);
    assert_int_equal(RpcNetworkInqProtseqsW(&wide), RPC_S_OK);
    assert_int_equal(narrow->Count, 2);
    assert_int_equal(wide->Count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal((char *)narrow->Protseq[i], wanted[i]);
        assert_int_equal(RpcNetworkIsProtseqValidA(narrow->Protseq[i]), RPC_S_OK);
        for (size_t at = 0; at <= strlen(wanted[i]); at++)
            assert_int_equal(wide->Protseq[i][at], wanted[i][at]);
    }
    assert_int_equal(RpcProtseqVectorFreeA(&narrow), RPC_S_OK);
    assert_int_equal(RpcProtseqVectorFreeW(&wide), RPC_S_OK);
    assert_null(narrow);
    assert_null(wide);
    assert_int_equal(RpcProtseqVectorFreeA(&narrow), RPC_S_OK); /* nothing */
    assert_int_equal(RpcProtseqVectorFreeW(&wide), RPC_S_OK);
    assert_int_equal(alloc_live, live);
}

static void b_protocol_sequences_wrong(void **state)
{
    (void)state;
    RPC_PROTSEQ_VECTORA *narrow = NULL;
    RPC_PROTSEQ_VECTORW *wide = NULL;
    assert_int_equal(RpcNetworkInqProtseqsA(NULL), RPC_S_INVALID_ARG);
    assert_int_equal(RpcNetworkInqProtseqsW(NULL), RPC_S_INVALID_ARG);
    assert_int_equal(RpcProtseqVectorFreeA(NULL), RPC_S_INVALID_ARG);
    assert_int_equal(RpcProtseqVectorFreeW(NULL), RPC_S_INVALID_ARG);
    alloc_fail_at(0);
    assert_int_equal(RpcNetworkInqProtseqsA(&narrow), RPC_S_OUT_OF_MEMORY);
    alloc_fail_at(0);
    assert_int_equal(RpcNetworkInqProtseqsW(&wide), RPC_S_OUT_OF_MEMORY);
    assert_null(narrow);
    assert_null(wide);
}

/* ---- UUIDs of time ----------------------------------------------------------------- */

#define GREGORIAN_TO_UNIX UINT64_C(122192928000000000) /* RFC 4122: 0x01B21DD213814000 */

static uint64_t time_of(const UUID *uuid)
{
    return (uint64_t)(uuid->Data3 & 0x0fff) << 48 | (uint64_t)uuid->Data2 << 32 | uuid->Data1;
}

static UUID make(RPC_STATUS *ret_status)
{
    UUID uuid;
    RPC_STATUS status = UuidCreateSequential(&uuid);
    assert_true(status == RPC_S_OK || status == RPC_S_UUID_LOCAL_ONLY);
    *ret_status = status;
    return uuid;
}

static void a_uuids_of_time(void **state)
{
    (void)state;
    RPC_STATUS status, again;
    UUID first = make(&status);
    assert_int_equal(first.Data3 >> 12, 1);         /* version 1 */
    assert_int_equal(first.Data4[0] & 0xc0, 0x80);  /* the variant of RFC 4122 */
    /* A random node is a multicast address, that of an interface is not. */
    assert_int_equal(first.Data4[2] & 1, status == RPC_S_UUID_LOCAL_ONLY);
    int64_t seconds = (int64_t)((time_of(&first) - GREGORIAN_TO_UNIX) / 10000000) - time(NULL);
    assert_in_range(seconds + 2, 0, 4);

    /* Later than the one before, of the same place, faster than the clock ticks. */
    uint64_t last = time_of(&first);
    for (int i = 0; i < 100000; i++) {
        UUID next = make(&again);
        assert_int_equal(again, status);
        assert_true(time_of(&next) > last);
        assert_memory_equal(next.Data4, first.Data4, 8);
        last = time_of(&next);
    }
    assert_int_equal(UuidCreateSequential(NULL), RPC_S_INVALID_ARG);
}

enum { THREADS = 4, EACH = 5000 };

static void *make_many(void *arg)
{
    UUID *uuids = arg;
    RPC_STATUS status;
    for (int i = 0; i < EACH; i++)
        uuids[i] = make(&status);
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = time_of(a), y = time_of(b);
    return x < y ? -1 : x > y;
}

static void b_uuids_of_several_threads(void **state)
{
    (void)state;
    static UUID uuids[THREADS * EACH];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, uuids + i * EACH), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(uuids, THREADS * EACH, sizeof(uuids[0]), by_time);
    for (int i = 1; i < THREADS * EACH; i++)
        assert_true(time_of(&uuids[i]) > time_of(&uuids[i - 1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_sequences),
        cmocka_unit_test(b_protocol_sequences_wrong),
        cmocka_unit_test(a_uuids_of_time),
        cmocka_unit_test(b_uuids_of_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
