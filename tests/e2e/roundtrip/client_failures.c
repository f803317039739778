/* SPDX-License-Identifier: MIT */
/* client_failures.c - managers that raise, replies that cannot be sent, and memory that is
 * not there: on both sides each allocation of a call fails once. */
#include "client.h"

#include "convert_values.h"
#include "samples_unions.h"
#include "wrong.h"

/* Calls have fewer allocations than that. */
#define ALLOCATIONS_MAX 1000

static bool exceptions(void)
{
    static const uint32_t codes[] = {1,    5,          14,         1130,       1702,       1780,
                                     1783, 0x7fffffff, 0xdeadbeef, 0xe0000001, 0x80070005, 1722};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        CHECK_RAISES((RPC_STATUS)codes[i], RtRaise(server, codes[i]));
        RtEmpty(server);
    }
    /* A fault says something went wrong, whatever the manager meant by 0. */
    CHECK_RAISES(RPC_S_CALL_FAILED, RtRaise(server, 0));
    return true;
}

static bool exceptions_late(void)
{
    for (uint32_t code = 5000; code < 5012; code++) {
        RECORD in = {0}, out;
        record_fill(&in, code);
        record_is_out(&out, NULL);
        CHECK_RAISES((RPC_STATUS)code, RtRaiseLate(server, code, &in, &out));
        record_clear(&in);
    }
    return true;
}

static bool status_results(void)
{
    static const error_status_t codes[] = {0, 1, 5, 1726, 0x80004005, 0xffffffff};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        error_status_t copy = ~codes[i];
        CHECK_EQUAL(RtReturn(server, codes[i], &copy), codes[i]);
        CHECK_EQUAL(copy, codes[i]);
    }
    return true;
}

static bool bad_replies(void)
{
    static const struct {
        uint32_t what;
        RPC_STATUS status, in_ndr64;
    } rows[] = {{RT_BAD_ENUM, RPC_X_ENUM_VALUE_OUT_OF_RANGE, RPC_S_OK},
                {RT_BAD_REF, RPC_X_NULL_REF_POINTER, RPC_X_NULL_REF_POINTER},
                {RT_BAD_STRING, RPC_S_INVALID_BOUND, RPC_S_INVALID_BOUND},
                {RT_BAD_SIZE, RPC_S_INVALID_BOUND, RPC_S_INVALID_BOUND},
                {RT_BAD_POINTER, RPC_S_INVALID_BOUND, RPC_S_OK}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        RT_REPLY reply;
        int32_t n = 0;
        memset(&reply, 0, sizeof(reply));
        reply.n = &n;
        CHECK_RAISES(in_ndr64() ? rows[i].in_ndr64 : rows[i].status,
                     RtReply(server, rows[i].what, &reply));
        if (reply.data) { /* it fits in NDR64 */
            CHECK(reply.colour == (RT_COLOUR)32768 || reply.pointer == (intptr_t)INT32_MAX + 1);
            midl_user_free(reply.data);
        }
        memset(&reply, 0, sizeof(reply));
        RtReply(server, RT_BAD_NOTHING, &reply);
        CHECK(reply.colour == RT_GREEN && reply.n && *reply.n == 17 && reply.size == 2);
        CHECK(strcmp((char *)reply.text, "abc") == 0 && reply.data);
        CHECK(reply.pointer == INT32_MIN);
        midl_user_free(reply.n);
        midl_user_free(reply.data);
    }
    return true;
}

/* ---- Memory ------------------------------------------------------------------------------- */

/* Which allocation of the client fails during a call, and whether one has. */
static long client_nth = -1;
static bool client_failed;

#define WITH_FAILURE(status, ...)                                                                  \
    do {                                                                                           \
        memory_fail_at(client_nth);                                                                \
        RAISED(status, __VA_ARGS__);                                                               \
        client_failed = memory_has_failed();                                                       \
        memory_fail_at(-1);                                                                        \
    } while (0)

/* Each of these makes its arguments, calls, checks what came back unless the call failed,
 * and frees everything.  What a failed call leaves in [out] memory is not looked at. */

#define WRONG_HERE WRONG(WRONG_CALLS, __LINE__)
#define SEED       7

static RPC_STATUS call_record(void)
{
    RPC_STATUS status;
    RECORD in = {0}, out, both = {0};
    record_fill(&in, SEED);
    record_fill(&both, SEED + 1);
    record_is_out(&out, NULL);
    WITH_FAILURE(status, RtRecord(server, SEED, &in, &out, &both));
    if (status == RPC_S_OK) {
        if (!record_equal(&out, SEED + 2, false) || !record_equal(&both, SEED + 1, true))
            status = WRONG_HERE;
        record_clear(&out);
    }
    record_clear(&in);
    record_clear(&both);
    return status;
}

static RPC_STATUS call_async_record(void)
{
    RPC_STATUS status;
    struct pending pending;
    RECORD in = {0}, out, both = {0};
    record_fill(&in, SEED);
    record_fill(&both, SEED + 1);
    record_is_out(&out, NULL);
    pending_init(&pending);
    RtAsyncRecord(&pending.async, server, SEED, &in, &out, &both);
    RPC_STATUS collected = RPC_S_CALL_FAILED;
    WITH_FAILURE(status, collected = pending_complete(&pending, NULL));
    status = collected;
    if (status == RPC_S_OK) {
        if (!record_equal(&out, SEED + 2, false) || !record_equal(&both, SEED + 1, true))
            status = WRONG_HERE;
        record_clear(&out);
    }
    record_clear(&in);
    record_clear(&both);
    return status;
}

static RPC_STATUS call_result(void)
{
    RPC_STATUS status;
    RECORD *volatile result = NULL;
    WITH_FAILURE(status, result = RtRecordResult(server, SEED, 0));
    if (result) {
        if (!record_equal(result, SEED, false))
            status = WRONG_HERE;
        record_clear(result);
        midl_user_free(result);
    }
    return status;
}

static RPC_STATUS call_many(void)
{
    RPC_STATUS status;
    WCHAR *names[5];
    RT_STR more[5], back[5];
    for (uint32_t i = 0; i < 5; i++) {
        names[i] = sample_wide(i);
        more[i] = i == 2 ? NULL : sample_string(i);
    }
    GARBAGE(back);
    WITH_FAILURE(status, RtMany(server, 5, names, more, back));
    for (uint32_t i = 0; i < 5; i++) {
        midl_user_free(names[i]);
        midl_user_free(more[i]);
        if (status == RPC_S_OK)
            midl_user_free(back[i]);
    }
    return status;
}

static RPC_STATUS call_list(void)
{
    RPC_STATUS status;
    NODE *list = list_new(5), *both = NULL, *back;
    GARBAGE(back);
    WITH_FAILURE(status, RtList(server, list, &back, &both));
    if (status == RPC_S_OK) {
        if (!list_is(back, 4, -1, 5))
            status = WRONG_HERE;
        list_free(back);
    }
    list_free(list);
    return status;
}

static RPC_STATUS call_points(void)
{
    RPC_STATUS status;
    SHARED_POINT point = sample_Flat(0), *v[4] = {&point, NULL, NULL, NULL}, *w[4];
    GARBAGE(w);
    WITH_FAILURE(status, RtPoints(server, 4, v, w));
    for (uint32_t i = 0; i < 4 && status == RPC_S_OK; i++)
        midl_user_free(w[i]);
    return status;
}

static RPC_STATUS call_gift(void)
{
    RPC_STATUS status;
    uint32_t n;
    TAIL *v;
    GARBAGE(v);
    WITH_FAILURE(status, RtGift(server, 10, &n, &v));
    if (status == RPC_S_OK)
        midl_user_free(v);
    return status;
}

static RPC_STATUS call_fixed(void)
{
    RPC_STATUS status;
    NESTED in = sample_Nested(1), out, both = sample_Nested(2);
    WITH_FAILURE(status, (void)RtNested(server, 0, sample_Nested(0), &in, &out, &both));
    return status;
}

static RPC_STATUS call_strings(void)
{
    RPC_STATUS status;
    unsigned char text[] = "some text", *back, *maybe;
    WITH_FAILURE(status, RtNarrow(server, text, text, &back, &maybe));
    if (status == RPC_S_OK) {
        midl_user_free(back);
        midl_user_free(maybe);
    }
    return status;
}

static RPC_STATUS call_unions(void)
{
    RPC_STATUS status;
    RT_TAGGED in[12], out[12];
    for (uint32_t i = 0; i < 12; i++)
        tagged_fill(&in[i], i);
    GARBAGE(out);
    WITH_FAILURE(status, RtTaggeds(server, 12, in, out));
    for (uint32_t i = 0; i < 12; i++) {
        tagged_clear(&in[i]);
        if (status == RPC_S_OK)
            tagged_clear(&out[i]);
    }
    return status;
}

static RPC_STATUS call_towers(void)
{
    RPC_STATUS status;
    RT_TOWERS *in = sample_allocate(sizeof(*in) + 4 * sizeof(PRT_TOWER)), *out;
    in->count = 4;
    for (uint32_t i = 0; i < 3; i++)
        in->towers[i] = tower_new(i, i);
    GARBAGE(out);
    WITH_FAILURE(status, RtTowers(server, in, &out));
    for (uint32_t i = 0; i < 4; i++) {
        midl_user_free(in->towers[i]);
        if (status == RPC_S_OK)
            midl_user_free(out->towers[i]);
    }
    midl_user_free(in);
    if (status == RPC_S_OK)
        midl_user_free(out);
    return status;
}

static RPC_STATUS call_ring(void)
{
    RPC_STATUS status;
    RT_RING ring[5], *turned;
    for (int32_t i = 0; i < 5; i++)
        ring[i] = (RT_RING){.value = i, .next = &ring[(i + 1) % 5], .back = &ring[(i + 4) % 5]};
    GARBAGE(turned);
    WITH_FAILURE(status, RtRing(server, 5, ring, &turned));
    for (int32_t i = 0; i < 5 && status == RPC_S_OK; i++) {
        RT_RING *next = turned->next;
        midl_user_free(turned);
        turned = next;
    }
    return status;
}

static RPC_STATUS call_converted(void)
{
    RPC_STATUS status;
    RT_BAG bag = {0}, copy;
    bag_fill(&bag, SEED);
    GARBAGE(copy);
    WITH_FAILURE(status, CvBag(server, SEED, &bag, &copy));
    if (status == RPC_S_OK) {
        if (!bag_is(&bag, SEED + 1) || !bag_is(&copy, SEED + 2))
            status = WRONG_HERE;
        bag_clear(&copy);
    }
    bag_clear(&bag);
    return status;
}

static const struct call {
    const char *name;
    RPC_STATUS (*run)(void);
    bool client_allocates;
} calls[] = {
    {"record", call_record, true},   {"async record", call_async_record, true},
    {"result", call_result, true},   {"many", call_many, true},
    {"list", call_list, true},       {"points", call_points, true},
    {"gift", call_gift, true},       {"fixed", call_fixed, false},
    {"strings", call_strings, true}, {"unions", call_unions, true},
    {"towers", call_towers, true},   {"ring", call_ring, true},
    {"converted", call_converted, true},
};

static bool is_out_of_memory(RPC_STATUS status)
{
    return status == RPC_S_OUT_OF_MEMORY || status == RPC_S_SERVER_OUT_OF_MEMORY;
}

/* True when the call needs no more than `nth` allocations of the side. */
static bool one_failure(const struct call *call, long nth, bool in_client, bool *ret_ok)
{
    long live = memory_live();
    bool failed;
    client_nth = in_client ? nth : -1;
    if (!in_client)
        RtFailAllocation(server, (int32_t)nth);
    RPC_STATUS status = call->run();
    client_nth = -1;
    failed = in_client ? client_failed : RtFailAllocation(server, -1);
    *ret_ok = failed ? is_out_of_memory(status) : status == RPC_S_OK;
    if (!*ret_ok)
        fail(__FILE__, __LINE__, "%s, allocation %ld: status %d", call->name, nth, (int)status);
    else if (memory_live() != live)
        *ret_ok = fail(__FILE__, __LINE__, "%s, allocation %ld: %ld objects are left", call->name,
                       nth, memory_live() - live);
    return !failed;
}

static bool every_allocation_fails(bool in_client)
{
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        long nth = 0;
        bool ok, enough;
        do {
            enough = one_failure(&calls[i], nth++, in_client, &ok);
        } while (ok && !enough && nth < ALLOCATIONS_MAX);
        if (!ok)
            return false;
        CHECK(enough);
        if (!in_client || calls[i].client_allocates)
            CHECK(nth > 1); /* at least one did fail */
    }
    return true;
}

static bool memory_fails_in_server(void)
{
    return every_allocation_fails(false);
}

static bool memory_fails_in_client(void)
{
    return every_allocation_fails(true);
}

static bool no_server(void)
{
    RPC_BINDING_HANDLE nobody;
    CHECK_RAISES(RPC_S_INVALID_BINDING, RtEmpty(NULL));
    CHECK_EQUAL(RpcBindingFromStringBinding((RPC_CSTR) "ncalrpc:[rt-nobody-here]", &nobody),
                RPC_S_OK);
    CHECK_RAISES(RPC_S_SERVER_UNAVAILABLE, RtEmpty(nobody));
    CHECK_EQUAL(RpcBindingFree(&nobody), RPC_S_OK);
    return true;
}

const struct test_case failure_cases[] = {
    {"exceptions", exceptions},
    {"exceptions_late", exceptions_late},
    {"status_results", status_results},
    {"bad_replies", bad_replies},
    {"memory_fails_in_server", memory_fails_in_server},
    {"memory_fails_in_client", memory_fails_in_client},
    {"no_server", no_server},
    {NULL, NULL},
};
