/* SPDX-License-Identifier: MIT */
/* mgmt_tests.c - what a server says of itself: to its own program (no binding handle) and
 * through the management interface, which it has without registering anything. */
#include <string.h>

#include "harness.h"

/* Is the interface of the tests the only one that is listed? */
static void check_listed(RPC_BINDING_HANDLE h)
{
    RPC_IF_ID_VECTOR *ids = NULL;
    RPC_IF_ID wanted;
    CHECK_EQUAL(RpcIfInqId(s_api_v1_0_s_ifspec, &wanted), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtInqIfIds(h, &ids), RPC_S_OK);
    CHECK_EQUAL(ids->Count, 1);
    CHECK(memcmp(ids->IfId[0], &wanted, sizeof(wanted)) == 0);
    CHECK_EQUAL(RpcIfIdVectorFree(&ids), RPC_S_OK);
    CHECK(ids == NULL);
    CHECK_EQUAL(RpcIfIdVectorFree(&ids), RPC_S_OK);
}

static void mgmt_interfaces(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process();
    RPC_IF_ID_VECTOR *ids = NULL;
    UUID type = {0xa, 1, 0, {2}}, object = {0xb, 2, 0, {3}};
    check_listed(NULL);
    check_listed(h);
    /* Once, however many managers it has; whatever the object is. */
    CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, &type, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcObjectSetType(&object, &type), RPC_S_OK);
    CHECK_EQUAL(RpcBindingSetObject(h, &object), RPC_S_OK);
    check_listed(h);
    /* All of them withdrawn: the one that tells so is still there. */
    CHECK_EQUAL(RpcServerUnregisterIf(NULL, NULL, TRUE), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, &ids), RPC_S_NO_INTERFACES);
    CHECK_EQUAL(RpcMgmtInqIfIds(h, &ids), RPC_S_NO_INTERFACES);
    CHECK(ids == NULL);
    CHECK_EQUAL(RpcMgmtIsServerListening(h), RPC_S_OK);
    RpcBindingFree(&h);
}

/* ---- Statistics ---------------------------------------------------------------- */

static void stats_of(RPC_BINDING_HANDLE h, unsigned long values[4])
{
    RPC_STATS_VECTOR *stats = NULL;
    CHECK_EQUAL(RpcMgmtInqStats(h, &stats), RPC_S_OK);
    CHECK_EQUAL(stats->Count, 4);
    memcpy(values, stats->Stats, 4 * sizeof(values[0]));
    CHECK_EQUAL(RpcMgmtStatsVectorFree(&stats), RPC_S_OK);
    CHECK(stats == NULL);
}

static void mgmt_statistics(void)
{
    enum { CALLS = 25 };
    RPC_BINDING_HANDLE h = serve_in_this_process();
    unsigned long before[4], after[4], asked[4];
    c_ping(h, 1); /* the connection is there, and bound */
    stats_of(NULL, before);
    for (int i = 0; i < CALLS; i++)
        c_ping(h, i);
    stats_of(NULL, after);
    /* Client and server are this process: a request and a response each is sent and
     * received. */
    CHECK_EQUAL(after[RPC_C_STATS_CALLS_IN] - before[RPC_C_STATS_CALLS_IN], CALLS);
    CHECK_EQUAL(after[RPC_C_STATS_CALLS_OUT] - before[RPC_C_STATS_CALLS_OUT], CALLS);
    CHECK_EQUAL(after[RPC_C_STATS_PKTS_OUT] - before[RPC_C_STATS_PKTS_OUT], 2 * CALLS);
    CHECK_EQUAL(after[RPC_C_STATS_PKTS_IN] - before[RPC_C_STATS_PKTS_IN], 2 * CALLS);
    /* Through the interface: that question is a call, too. */
    stats_of(h, asked);
    CHECK_EQUAL(asked[RPC_C_STATS_CALLS_IN] - after[RPC_C_STATS_CALLS_IN], 1);
    CHECK_EQUAL(asked[RPC_C_STATS_CALLS_OUT] - after[RPC_C_STATS_CALLS_OUT], 1);
    RpcBindingFree(&h);
}

/* ---- Listening ------------------------------------------------------------------ */

static int let_stop(RPC_BINDING_HANDLE client, unsigned long operation, RPC_STATUS *status)
{
    (void)client;
    (void)status;
    return operation == RPC_C_MGMT_STOP_SERVER_LISTEN ||
           operation == RPC_C_MGMT_IS_SERVER_LISTEN;
}

/* Nobody may stop a server but with its leave; and then it still answers whether it listens. */
static void mgmt_stop(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process();
    RPC_STATUS raised;
    CHECK_EQUAL(RpcMgmtIsServerListening(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtIsServerListening(h), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtStopServerListening(h), RPC_S_ACCESS_DENIED);
    CHECK_EQUAL(RpcMgmtIsServerListening(h), RPC_S_OK);
    c_ping(h, 1);
    CHECK_EQUAL(RpcMgmtSetAuthorizationFn(let_stop), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtStopServerListening(h), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtWaitServerListen(), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtIsServerListening(NULL), RPC_S_NOT_LISTENING);
    CHECK_EQUAL(RpcMgmtIsServerListening(h), RPC_S_NOT_LISTENING);
    CHECK_EQUAL(RpcMgmtStopServerListening(h), RPC_S_NOT_LISTENING);
    RAISED(raised, c_ping(h, 1));
    CHECK_EQUAL(raised, RPC_S_SERVER_TOO_BUSY);
    CHECK_EQUAL(RpcMgmtSetAuthorizationFn(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtStopServerListening(h), RPC_S_ACCESS_DENIED);
    RpcBindingFree(&h);
}

/* ---- Authorization ------------------------------------------------------------------ */

static _Atomic unsigned long asked_for;
static _Atomic RPC_STATUS refusal;
static _Atomic unsigned askings;

static int refuse(RPC_BINDING_HANDLE client, unsigned long operation, RPC_STATUS *status)
{
    RPC_CSTR text = NULL;
    CHECK_EQUAL(*status, RPC_S_OK);
    CHECK_EQUAL(RpcBindingToStringBindingA(client, &text), RPC_S_OK);
    CHECK(strncmp((const char *)text, transport, strlen(transport)) == 0);
    RpcStringFreeA(&text);
    asked_for = operation;
    askings++;
    *status = refusal;
    return FALSE;
}

static void mgmt_authorization(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process();
    RPC_IF_ID_VECTOR *ids = NULL;
    RPC_STATS_VECTOR *stats = NULL;
    RPC_CSTR name = NULL;
    CHECK_EQUAL(RpcMgmtSetAuthorizationFn(refuse), RPC_S_OK);
    for (int i = 0; i < 2; i++) {
        /* Refused without a reason: RPC_S_ACCESS_DENIED; else what the function said. */
        const RPC_STATUS wanted = i == 0 ? RPC_S_ACCESS_DENIED : RPC_S_SERVER_TOO_BUSY;
        refusal = i == 0 ? RPC_S_OK : RPC_S_SERVER_TOO_BUSY;
        CHECK_EQUAL(RpcMgmtInqIfIds(h, &ids), wanted);
        CHECK_EQUAL(asked_for, RPC_C_MGMT_INQ_IF_IDS);
        CHECK_EQUAL(RpcMgmtInqServerPrincNameA(h, 10, &name), wanted);
        CHECK_EQUAL(asked_for, RPC_C_MGMT_INQ_PRINC_NAME);
        CHECK_EQUAL(RpcMgmtInqStats(h, &stats), wanted);
        CHECK_EQUAL(asked_for, RPC_C_MGMT_INQ_STATS);
        CHECK_EQUAL(RpcMgmtIsServerListening(h), wanted);
        CHECK_EQUAL(asked_for, RPC_C_MGMT_IS_SERVER_LISTEN);
        CHECK_EQUAL(RpcMgmtStopServerListening(h), wanted);
        CHECK_EQUAL(asked_for, RPC_C_MGMT_STOP_SERVER_LISTEN);
    }
    CHECK_EQUAL(askings, 10);
    CHECK(!ids && !stats && !name);
    /* The program itself is not asked. */
    CHECK_EQUAL(RpcMgmtIsServerListening(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, &ids), RPC_S_OK);
    CHECK_EQUAL(askings, 10);
    RpcIfIdVectorFree(&ids);
    CHECK_EQUAL(RpcMgmtSetAuthorizationFn(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtIsServerListening(h), RPC_S_OK);
    RpcBindingFree(&h);
}

/* ---- Arguments ---------------------------------------------------------------------- */

static _Atomic unsigned allocations;

static void *no_memory(size_t size)
{
    (void)size;
    allocations++;
    return NULL;
}

static void no_free(void *object)
{
    CHECK(object == NULL);
}

static void mgmt_arguments(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process(), none = (RPC_BINDING_HANDLE)&allocations, nobody;
    RPC_IF_ID_VECTOR *ids = NULL;
    RPC_STATS_VECTOR *stats = NULL;
    RPC_CSTR name = NULL;
    RPC_WSTR wide = NULL;
    CHECK_EQUAL(RpcMgmtInqIfIds(h, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtInqStats(h, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtInqServerPrincNameA(h, 10, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtInqServerPrincNameW(h, 10, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcIfIdVectorFree(NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtStatsVectorFree(NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtInqIfIds(none, &ids), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(RpcMgmtInqStats(none, &stats), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(RpcMgmtIsServerListening(none), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(RpcMgmtStopServerListening(none), RPC_S_INVALID_BINDING);
    CHECK_EQUAL(RpcMgmtInqServerPrincNameA(none, 10, &name), RPC_S_INVALID_BINDING);

    /* Without security there is no authentication service, here or there. */
    CHECK_EQUAL(RpcMgmtInqServerPrincNameA(NULL, 10, &name), RPC_S_UNKNOWN_AUTHN_SERVICE);
    CHECK_EQUAL(RpcMgmtInqServerPrincNameA(h, 10, &name), RPC_S_UNKNOWN_AUTHN_SERVICE);
    CHECK_EQUAL(RpcMgmtInqServerPrincNameW(h, 9, &wide), RPC_S_UNKNOWN_AUTHN_SERVICE);
    CHECK(!ids && !stats && !name && !wide);

    /* The memory a program gave its own stubs is left alone, and still theirs afterwards. */
    RPC_CLIENT_ALLOC *allocate;
    RPC_CLIENT_FREE *release;
    CHECK_EQUAL(RpcSmSetClientAllocFree(no_memory, no_free), RPC_S_OK);
    check_listed(h);
    CHECK_EQUAL(allocations, 0);
    CHECK_EQUAL(RpcSmSwapClientAllocFree(NULL, NULL, &allocate, &release), RPC_S_OK);
    CHECK(allocate == no_memory && release == no_free);

    /* Nobody is there. */
    CHECK_EQUAL(RpcBindingFromStringBindingA(
                    (RPC_CSTR)(strcmp(transport, "ncalrpc") == 0 ? "ncalrpc:[penstock-nobody]"
                                                                 : "ncacn_ip_tcp:127.0.0.1[1]"),
                    &nobody),
                RPC_S_OK);
    CHECK_EQUAL(RpcMgmtIsServerListening(nobody), RPC_S_SERVER_UNAVAILABLE);
    CHECK_EQUAL(RpcMgmtInqIfIds(nobody, &ids), RPC_S_SERVER_UNAVAILABLE);
    RpcBindingFree(&nobody);
    RpcBindingFree(&h);
}

const struct test mgmt_tests[] = {
    {"mgmt_interfaces", mgmt_interfaces},
    {"mgmt_statistics", mgmt_statistics},
    {"mgmt_stop", mgmt_stop},
    {"mgmt_authorization", mgmt_authorization},
    {"mgmt_arguments", mgmt_arguments},
    {NULL, NULL},
};
