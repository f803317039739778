/* SPDX-License-Identifier: MIT */
/* client_async.c - the same constructs through [async] operations. */
#include "client.h"

static bool async_empty(void)
{
    struct pending pending;
    pending_init(&pending);
    RtAsyncEmpty(&pending.async, server);
    CHECK_EQUAL(pending_complete(&pending, NULL), RPC_S_OK);
    CHECK_EQUAL(RtNotAsync(server, 21), 42);
    return true;
}

static bool async_scalars(void)
{
    struct pending pending;
    double c = 0.125;
    RT_COLOUR d = RT_RED;
    int64_t result = 0;
    pending_init(&pending);
    RtAsyncScalars(&pending.async, server, 5, 0x7000000000000000, &c, &d);
    CHECK_EQUAL(pending_complete(&pending, &result), RPC_S_OK);
    CHECK_EQUAL(result, 0x7000000000000005);
    CHECK(c == -0.125 && d == RT_BLUE);
    return true;
}

#define AT_ONCE 8u

/* Several calls are under way at once. */
static bool async_records(void)
{
    struct pending pending[AT_ONCE];
    RECORD in[AT_ONCE], out[AT_ONCE], both[AT_ONCE];
    for (uint32_t round = 0; round < 4; round++) {
        memset(in, 0, sizeof(in));
        memset(both, 0, sizeof(both));
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            uint32_t seed = AT_ONCE * round + i;
            record_is_out(&out[i], NULL);
            record_fill(&in[i], seed);
            record_fill(&both[i], seed + 1);
            pending_init(&pending[i]);
            RtAsyncRecord(&pending[i].async, server, seed, &in[i], &out[i], &both[i]);
        }
        for (uint32_t i = 0; i < AT_ONCE; i++) {
            uint32_t seed = AT_ONCE * round + i;
            int32_t result = 0;
            CHECK_EQUAL(pending_complete(&pending[i], &result), RPC_S_OK);
            CHECK_EQUAL(result, (int32_t)~seed);
            CHECK(record_equal(&out[i], seed + 2, false));
            CHECK(record_equal(&both[i], seed + 1, true));
            record_clear(&in[i]);
            record_clear(&out[i]);
            record_clear(&both[i]);
        }
    }
    return true;
}

static bool async_results(void)
{
    for (uint32_t seed = 0; seed < 6; seed++) {
        struct pending pending;
        RECORD *record = NULL;
        NESTED nested;
        pending_init(&pending);
        RtAsyncResult(&pending.async, server, seed);
        CHECK_EQUAL(pending_complete(&pending, &record), RPC_S_OK);
        CHECK(seed == 0 ? !record : record && record_equal(record, seed, false));
        if (record)
            record_clear(record);
        midl_user_free(record);
        pending_init(&pending);
        RtAsyncStruct(&pending.async, server, seed);
        CHECK_EQUAL(pending_complete(&pending, &nested), RPC_S_OK);
        CHECK(equal_Nested(&nested, seed));
    }
    return true;
}

static bool async_big(void)
{
    static const uint32_t sizes[] = {0, 1, 5816, 1000003, 3u << 20};
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        struct pending pending;
        byte *v = sample_allocate(sizes[k]);
        for (uint32_t i = 0; i < sizes[k]; i++)
            v[i] = octet(i);
        pending_init(&pending);
        RtAsyncBytes(&pending.async, server, sizes[k], v);
        CHECK_EQUAL(pending_complete(&pending, NULL), RPC_S_OK);
        for (uint32_t i = 0; i < sizes[k]; i++)
            CHECK_EQUAL(v[i], (byte)~octet(i));
        midl_user_free(v);
    }
    return true;
}

/* What goes wrong before the call is accepted is raised, and nothing is told. */
static bool async_refused(void)
{
    struct pending pending;
    RECORD in = {0}, both = {0};
    double c = 0;
    pending_init(&pending);
    CHECK_RAISES(RPC_X_NULL_REF_POINTER,
                 RtAsyncScalars(&pending.async, server, 0, 0, &c, NULL));
    CHECK_RAISES(RPC_X_NULL_REF_POINTER,
                 RtAsyncRecord(&pending.async, server, 0, &in, &in, &both));
    CHECK_RAISES(RPC_S_INVALID_BINDING, RtAsyncEmpty(&pending.async, NULL));
    RtAsyncEmpty(&pending.async, server);
    CHECK_EQUAL(pending_complete(&pending, NULL), RPC_S_OK);
    return true;
}

static bool async_raise(void)
{
    for (uint32_t seed = 0; seed < 8; seed++) {
        struct pending pending;
        RECORD in = {0}, out;
        record_fill(&in, seed);
        record_is_out(&out, NULL);
        pending_init(&pending);
        RtAsyncRaise(&pending.async, server, seed, &in, &out, 5000 + seed);
        CHECK_EQUAL(pending_complete(&pending, NULL), 5000 + seed);
        record_clear(&in);
    }
    return true;
}

const struct test_case async_cases[] = {
    {"async_empty", async_empty},
    {"async_scalars", async_scalars},
    {"async_records", async_records},
    {"async_results", async_results},
    {"async_big", async_big},
    {"async_refused", async_refused},
    {"async_raise", async_raise},
    {NULL, NULL},
};
