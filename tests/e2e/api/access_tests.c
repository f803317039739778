/* SPDX-License-Identifier: MIT */
/* access_tests.c - who may call: the access check an interface is registered with, and the flags
 * of RpcServerRegisterIf2 and kin. */
#include "harness.h"

#include <signal.h>
#include <string.h>

enum { OPNUM_PLAIN = 0, OPNUM_IN_PIPE = 6, OPNUM_PING = 14, DENIED_NUMBER = 77 };

/* What the check answers, and what it saw; written by it while the test waits. */
static BOTH_SIDES _Atomic RPC_STATUS verdict;
static BOTH_SIDES _Atomic unsigned asked;
static BOTH_SIDES _Atomic int seen_opnum;
static BOTH_SIDES _Atomic bool raises, stays;
static BOTH_SIDES _Atomic RPC_IF_HANDLE seen_interface;

static RPC_STATUS check_access(RPC_IF_HANDLE interface, void *context)
{
    RPC_CALL_ATTRIBUTES_V2_A attributes = {.Version = 2, .Flags = RPC_QUERY_IS_CLIENT_LOCAL};
    unsigned long level = 99, service = 99;
    asked++;
    CHECK_EQUAL(RpcServerInqCallAttributesA(context, &attributes), RPC_S_OK);
    CHECK_EQUAL(attributes.IsClientLocal, rcclLocal);
    CHECK_EQUAL(attributes.AuthenticationLevel, RPC_C_AUTHN_LEVEL_NONE);
    CHECK_EQUAL(attributes.CallStatus, 0);
    seen_opnum = attributes.OpNum;
    seen_interface = interface;
    CHECK_EQUAL(RpcBindingInqAuthClient(context, NULL, NULL, &level, &service, NULL),
                RPC_S_BINDING_HAS_NO_AUTH);
    CHECK_EQUAL(RpcBindingInqAuthClientW(context, NULL, NULL, &level, &service, NULL),
                RPC_S_BINDING_HAS_NO_AUTH);
    CHECK_EQUAL(RpcBindingInqAuthClientExA(context, NULL, NULL, NULL, NULL, NULL, 2),
                RPC_S_INVALID_ARG);
    CHECK_EQUAL(level, 99);
    CHECK_EQUAL(service, 99);
    while (stays)
        sleep_ms(1);
    if (raises)
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
    return verdict;
}

static long long unregister_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    return RpcServerUnregisterIf(s_api_v1_0_s_ifspec, NULL, TRUE);
}

struct registration {
    unsigned flags, calls_max, size_max;
    RPC_IF_CALLBACK_FN *callback;
};

static void register_there(void *arg)
{
    const struct registration *r = arg;
    CHECK_EQUAL(unregister_there(NULL, 0, 0), RPC_S_OK);
    CHECK_EQUAL(RpcServerRegisterIf2(s_api_v1_0_s_ifspec, NULL, NULL, r->flags, r->calls_max,
                                     r->size_max, r->callback),
                RPC_S_OK);
}

/* Serves, then is registered anew with these. */
static RPC_BINDING_HANDLE serve_with(unsigned flags, unsigned calls_max, unsigned size_max,
                                     RPC_IF_CALLBACK_FN *callback)
{
    struct registration registration = {flags, calls_max, size_max, callback};
    RPC_BINDING_HANDLE h = serve_here();
    far_call(register_there, &registration, sizeof(registration));
    return h;
}

static RPC_STATUS ping(RPC_BINDING_HANDLE h)
{
    RPC_STATUS status;
    RAISED(status, c_ping(h, 1));
    return status;
}

#define NO_LIMIT ((unsigned)-1)

/* The tutorials' server: a check that lets everybody in. */
static void access_check_admits(void)
{
    RPC_BINDING_HANDLE h = serve_with(RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH,
                                      RPC_C_LISTEN_MAX_CALLS_DEFAULT, NO_LIMIT, check_access);
    CHECK_EQUAL(ping(h), RPC_S_OK);
    CHECK_EQUAL(asked, 1);
    CHECK_EQUAL(seen_opnum, OPNUM_PING);
    CHECK(seen_interface == s_api_v1_0_s_ifspec);
    CHECK_EQUAL(ping(h), RPC_S_OK); /* each call again */
    CHECK_EQUAL(asked, 2);

    /* Once, also when the request comes in pieces: parameters, then a pipe's. */
    struct caller caller;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    uint64_t position = 0, pulled = 0;
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &position, 100000, 4000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &pulled, 100000), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    int32_t reply = 5;
    served_set_twice(served, 6);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &reply), RPC_S_OK);
    CHECK_EQUAL(caller.twice, 6);
    CHECK_EQUAL(asked, 3);
    CHECK_EQUAL(seen_opnum, OPNUM_IN_PIPE);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* Whatever it says but RPC_S_OK, and raising, is access denied; the manager does not run and
 * the connection stays. */
static void access_check_refuses(void)
{
    static const RPC_STATUS answers[] = {RPC_S_ACCESS_DENIED, RPC_S_CALL_FAILED, DENIED_NUMBER, -1};
    RPC_BINDING_HANDLE h = serve_with(RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH | RPC_IF_SEC_NO_CACHE,
                                      RPC_C_LISTEN_MAX_CALLS_DEFAULT, NO_LIMIT, check_access);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        verdict = answers[i];
        CHECK_EQUAL(ping(h), RPC_S_ACCESS_DENIED);
    }
    verdict = RPC_S_OK;
    raises = true;
    CHECK_EQUAL(ping(h), RPC_S_ACCESS_DENIED);
    raises = false;
    CHECK_EQUAL(pings[1], 0);

    /* An asynchronous call, one with a pipe while it is pushed. */
    verdict = RPC_S_ACCESS_DENIED;
    struct caller caller;
    int32_t reply;
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &reply), RPC_S_ACCESS_DENIED);
    RpcAsyncInitializeHandle(&caller.async, sizeof(caller.async));
    CHECK_EQUAL(caller_call(&caller, h, IN_PIPE, 1), RPC_S_OK);
    static uint8_t octets[4096];
    RPC_STATUS status = RPC_S_OK;
    for (uint64_t begun = now_ms(); status == RPC_S_OK && now_ms() - begun < SOON_MS;)
        status = PUSH(&caller.pipe[0], octets, sizeof(octets));
    CHECK_EQUAL(status, RPC_S_ACCESS_DENIED);
    caller_fini(&caller);
    CHECK(no_call());

    verdict = RPC_S_OK;
    CHECK_EQUAL(ping(h), RPC_S_OK);
    CHECK_EQUAL(pings[1], 1);
    RpcBindingFree(&h);
}

/* Nobody is authenticated: without the flag the check is not even asked. */
static void access_check_without_authentication(void)
{
    RPC_BINDING_HANDLE h =
        serve_with(0, RPC_C_LISTEN_MAX_CALLS_DEFAULT, NO_LIMIT, check_access);
    CHECK_EQUAL(ping(h), RPC_S_ACCESS_DENIED);
    CHECK_EQUAL(asked, 0);
    RpcBindingFree(&h);
}

static void wait_asked(unsigned times)
{
    for (uint64_t begun = now_ms(); asked < times && now_ms() - begun < SOON_MS;)
        sleep_ms(1);
    CHECK_EQUAL(asked, times);
}

static void *make_ping(void *arg)
{
    return (void *)(intptr_t)ping(arg);
}

/* While it thinks, others of the process are served; a client that is cancelled or that dies
 * leaves nothing behind. */
static void access_check_that_waits(void)
{
    RPC_BINDING_HANDLE h = serve_with(RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH,
                                      RPC_C_LISTEN_MAX_CALLS_DEFAULT, NO_LIMIT, check_access);
    RPC_BINDING_HANDLE other = another_binding();
    pthread_t threads[4];
    stays = true;
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, make_ping, i % 2 ? h : other) == 0);
    wait_asked(4);
    struct child child = spawn_client("plain"); /* its call waits in the check, too */
    child_ready(&child);
    wait_asked(5);
    child_kill(&child, SIGKILL);
    sleep_ms(NEVER_MS);
    stays = false;
    for (size_t i = 0; i < 4; i++) {
        void *status;
        pthread_join(threads[i], &status);
        CHECK_EQUAL((intptr_t)status, RPC_S_OK);
    }
    CHECK_EQUAL(pings[1], 4);
    /* The manager of the fifth was called, if its client's death was not seen by then. */
    struct served *served = NULL;
    for (uint64_t begun = now_ms(); !served && now_ms() - begun < NEVER_MS; sleep_ms(1))
        served = accept_call_now();
    if (served) {
        CHECK(served_abort(served, 1) != RPC_S_INVALID_ARG);
        served_free(served);
    }
    CHECK_USABLE(h);
    CHECK_EQUAL(far(unregister_there, NULL, 0, 0), RPC_S_OK);
    RpcBindingFree(&h);
    RpcBindingFree(&other);
}

static long long register_ex_there(struct served *unused, long long flags, long long b)
{
    (void)unused, (void)b;
    CHECK_EQUAL(unregister_there(NULL, 0, 0), RPC_S_OK);
    return RpcServerRegisterIfEx(s_api_v1_0_s_ifspec, NULL, NULL, (unsigned)flags,
                                 RPC_C_LISTEN_MAX_CALLS_DEFAULT, NULL);
}

/* What would let in whom it is meant to keep out. */
static long long register_in_vain_there(struct served *unused, long long a, long long b)
{
    int descriptor = 0;
    (void)unused, (void)a, (void)b;
    CHECK_EQUAL(unregister_there(NULL, 0, 0), RPC_S_OK);
    CHECK_EQUAL(RpcServerRegisterIf2(s_api_v1_0_s_ifspec, NULL, NULL, 0x8000, 1, 1, NULL),
                RPC_S_CANNOT_SUPPORT);
    CHECK_EQUAL(RpcServerRegisterIf2(s_api_v1_0_s_ifspec, NULL, NULL, RPC_IF_ASYNC_CALLBACK, 1, 1,
                                     check_access),
                RPC_S_CANNOT_SUPPORT);
    CHECK_EQUAL(RpcServerRegisterIf3(s_api_v1_0_s_ifspec, NULL, NULL, 0, 1, 1, NULL, &descriptor),
                RPC_S_CANNOT_SUPPORT);
    CHECK_EQUAL(RpcServerRegisterIf2(NULL, NULL, NULL, 0, 1, 1, NULL), RPC_S_INVALID_ARG);
    return 0;
}

static void access_flags(void)
{
    bool local = strcmp(transport, "ncalrpc") == 0;
    RPC_BINDING_HANDLE h = serve_with(RPC_IF_ALLOW_LOCAL_ONLY, RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                      NO_LIMIT, NULL);
    /* Also a client of this computer, when it comes by the network's protocol. */
    CHECK_EQUAL(ping(h), local ? RPC_S_OK : RPC_S_ACCESS_DENIED);
    struct {
        unsigned flags;
        RPC_STATUS wanted;
    } rows[] = {{RPC_IF_ALLOW_SECURE_ONLY, RPC_S_ACCESS_DENIED},
                {RPC_IF_SEC_NO_CACHE | RPC_IF_SEC_CACHE_PER_PROC, RPC_S_OK},
                {RPC_IF_OLE, RPC_S_OK},
                {RPC_IF_ALLOW_CALLBACKS_WITH_NO_AUTH, RPC_S_OK}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_EQUAL(far(register_ex_there, NULL, rows[i].flags, 0), RPC_S_OK);
        CHECK_EQUAL(ping(h), rows[i].wanted);
    }
    far(register_in_vain_there, NULL, 0, 0);
    CHECK_EQUAL(ping(h), RPC_S_UNKNOWN_IF);
    RpcBindingFree(&h);
}

static long long stop_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    CHECK_EQUAL(RpcMgmtStopServerListening(NULL), RPC_S_OK);
    return RpcMgmtWaitServerListen();
}

/* MaxCalls counts with RPC_IF_AUTOLISTEN, which needs no RpcServerListen; MaxRpcSize on the
 * network's protocols. */
static void access_limits(void)
{
    bool local = strcmp(transport, "ncalrpc") == 0;
    RPC_BINDING_HANDLE h = serve_with(RPC_IF_AUTOLISTEN, 2, 8, NULL);
    CHECK_EQUAL(far(stop_there, NULL, 0, 0), RPC_S_OK);
    struct caller callers[3];
    struct served *served[2];
    int32_t reply;
    for (size_t i = 0; i < 2; i++)
        served[i] = start_call(&callers[i], h, PLAIN, 0);
    caller_init(&callers[2], 0);
    CHECK_EQUAL(caller_call(&callers[2], h, PLAIN, 1), RPC_S_OK);
    EXPECT(&callers[2], RpcCallComplete);
    CHECK_EQUAL(complete(&callers[2], &reply), RPC_S_SERVER_TOO_BUSY);
    for (size_t i = 0; i < 2; i++) {
        served_set_twice(served[i], 0);
        CHECK_EQUAL(served_complete(served[i], &reply), RPC_S_OK);
        EXPECT(&callers[i], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[i], &reply), RPC_S_OK);
        served_free(served[i]);
    }
    CHECK_EQUAL(ping(h), RPC_S_OK); /* 4 octets */
    static uint8_t octets[100];
    RpcAsyncInitializeHandle(&callers[2].async, sizeof(callers[2].async));
    callers[2].async.NotificationType = RpcNotificationTypeEvent;
    callers[2].async.u.hEvent = callers[2].event;
    if (!local) {
        c_bulk(&callers[2].async, h, sizeof(octets), octets);
        EXPECT(&callers[2], RpcCallComplete);
        CHECK_EQUAL(complete(&callers[2], &reply), RPC_S_ACCESS_DENIED);
    }
    for (size_t i = 0; i < 3; i++)
        caller_fini(&callers[i]);
    RpcBindingFree(&h);
}

/* Without a call there is nobody to ask about. */
static void access_client_of_no_call(void)
{
    RPC_BINDING_HANDLE h = another_binding();
    CHECK_EQUAL(RpcBindingInqAuthClient(NULL, NULL, NULL, NULL, NULL, NULL), RPC_S_NO_CALL_ACTIVE);
    CHECK_EQUAL(RpcBindingInqAuthClient(h, NULL, NULL, NULL, NULL, NULL),
                RPC_S_WRONG_KIND_OF_BINDING);
    RpcBindingFree(&h);
    CHECK_EQUAL(RpcBindingInqAuthClientExW((RPC_BINDING_HANDLE)(uintptr_t)4711, NULL, NULL, NULL,
                                           NULL, NULL, RPC_C_FULL_CERT_CHAIN),
                RPC_S_INVALID_BINDING);
}

static void access_client_served_first(void)
{
    RPC_BINDING_HANDLE h = serve_in_this_process(); /* there is no call */
    RpcBindingFree(&h);
    access_client_of_no_call();
}

const struct test access_tests[] = {
    {"access_check_admits", access_check_admits},
    {"access_check_refuses", access_check_refuses},
    {"access_check_without_authentication", access_check_without_authentication},
    {"access_check_that_waits", access_check_that_waits},
    {"access_flags", access_flags},
    {"access_limits", access_limits},
    {"access_client_of_no_call", access_client_served_first},
    {NULL, NULL},
};
