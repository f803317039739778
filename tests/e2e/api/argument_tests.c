/* SPDX-License-Identifier: MIT */
/* argument_tests.c - wrong arguments give the documented status and nothing else: every
 * public function, against the contracts in the headers.  Where no call is made there is one
 * process alone. */
#include "harness.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T(text) ((RPC_CSTR)(uintptr_t)(text))
/* One row of a table: the status, and the call. */
#define ROW(status, call) CHECK_EQUAL(call, status)

/* Handles that are none: NULL, small and large numbers, memory of ours. */
static int garbage[64];
static void *const bad_handles[] = {NULL, (void *)1, (void *)-1, (void *)0x7fffffff, garbage};
#define BAD_HANDLES (sizeof(bad_handles) / sizeof(bad_handles[0]))

static void bad_status(RPC_STATUS status)
{
    CHECK_EITHER(status, RPC_S_INVALID_ASYNC_HANDLE, RPC_S_INVALID_ASYNC_CALL);
}

/* ---- rpcasync.h --------------------------------------------------------------- */

static void async_functions(void)
{
    RPC_ASYNC_STATE zero, wild, fresh, wrong_size;
    int32_t reply;
    memset(&zero, 0, sizeof(zero));
    memset(&wild, 0xcd, sizeof(wild));
    ROW(RPC_S_OK, RpcAsyncInitializeHandle(&fresh, sizeof(fresh)));
    ROW(RPC_S_OK, RpcAsyncInitializeHandle(&fresh, RPC_ASYNC_VERSION_1_0));
    ROW(RPC_S_INVALID_ASYNC_HANDLE, RpcAsyncInitializeHandle(NULL, sizeof(fresh)));
    ROW(RPC_S_INVALID_ARG, RpcAsyncInitializeHandle(&wild, 0));
    ROW(RPC_S_INVALID_ARG, RpcAsyncInitializeHandle(&wild, sizeof(wild) - 1));
    ROW(RPC_S_INVALID_ARG, RpcAsyncInitializeHandle(&wild, sizeof(wild) + 1));
    ROW(RPC_S_INVALID_ARG, RpcAsyncInitializeHandle(&wild, UINT_MAX));
    memset(&wrong_size, 0xcd, sizeof(wrong_size));
    ROW(RPC_S_OK, RpcAsyncInitializeHandle(&wrong_size, sizeof(wrong_size)));
    CHECK_EQUAL(wrong_size.Flags, 0);
    CHECK_EQUAL(wrong_size.NotificationType, RpcNotificationTypeNone);
    CHECK(!wrong_size.UserInfo && !wrong_size.u.hEvent);
    wrong_size.Size++;

    PRPC_ASYNC_STATE states[] = {NULL, &zero, &wild, &wrong_size, &fresh};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        ROW(states[i] == &fresh ? RPC_S_OK : RPC_S_INVALID_ASYNC_HANDLE,
            RpcAsyncRegisterInfo(states[i]));
        bad_status(RpcAsyncGetCallStatus(states[i]));
        bad_status(RpcAsyncCompleteCall(states[i], &reply));
        bad_status(RpcAsyncCompleteCall(states[i], NULL));
        bad_status(RpcAsyncAbortCall(states[i], 5));
        bad_status(RpcAsyncCancelCall(states[i], TRUE));
        bad_status(RpcAsyncCancelCall(states[i], FALSE));
        CHECK(RpcAsyncAbortCall(states[i], 0) != RPC_S_OK);
    }
    /* Fields of the runtime that the application has overwritten lead nowhere. */
    for (size_t i = 0; i < BAD_HANDLES; i++) {
        fresh.StubInfo = bad_handles[i];
        bad_status(RpcAsyncGetCallStatus(&fresh));
        bad_status(RpcAsyncCompleteCall(&fresh, &reply));
        bad_status(RpcAsyncCancelCall(&fresh, TRUE));
    }
    ROW(RPC_S_NO_CALL_ACTIVE, RpcServerTestCancel(NULL));
    for (size_t i = 1; i < BAD_HANDLES; i++)
        ROW(RPC_S_INVALID_BINDING, RpcServerTestCancel(bad_handles[i]));
    ROW(RPC_S_INVALID_ARG, RpcxPipeSetLimits(NULL, 100, 101));
    ROW(RPC_S_OK, RpcxPipeSetLimits(NULL, 100, 100));
    for (size_t i = 1; i < BAD_HANDLES; i++)
        ROW(RPC_X_INVALID_PIPE_OBJECT, RpcxPipeSetLimits(bad_handles[i], 100, 50));
}

static long long use_copy_there(struct served *served, long long a, long long b)
{
    RPC_ASYNC_STATE copy = *served->there.async;
    int32_t reply = 6;
    (void)a, (void)b;
    bad_status(RpcAsyncAbortCall(&copy, 5));
    bad_status(RpcAsyncCompleteCall(&copy, &reply));
    return 0;
}

/* A state that was copied while its call runs is not the call's. */
static void copied_state(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 6, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    RPC_ASYNC_STATE copy = caller.async;
    bad_status(RpcAsyncGetCallStatus(&copy));
    bad_status(RpcAsyncCancelCall(&copy, TRUE));
    bad_status(RpcAsyncCompleteCall(&copy, &result));
    far(use_copy_there, served, 0, 0);
    EXPECT_QUIET(&caller);
    ROW(RPC_S_OK, served_complete(served, &reply));
    EXPECT(&caller, RpcCallComplete);
    ROW(RPC_S_OK, complete(&caller, &result));
    CHECK_EQUAL(result, 6);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- rpcdce.h: bindings -------------------------------------------------------- */

static void binding_functions(void)
{
    RPC_BINDING_HANDLE h = NULL, copy = NULL;
    RPC_CSTR text = NULL;
    UUID uuid;
    unsigned timeout = 0;
    static const struct {
        const char *text;
        RPC_STATUS status;
    } rows[] = {
        {"ncalrpc:[name]", RPC_S_OK},
        {"ncacn_ip_tcp:127.0.0.1[135]", RPC_S_OK},
        {"ncacn_ip_tcp:", RPC_S_OK}, /* partially bound, this computer */
        {"", RPC_S_INVALID_STRING_BINDING},
        {"ncalrpc:[name", RPC_S_INVALID_STRING_BINDING},
        {"nothing", RPC_S_INVALID_STRING_BINDING},
        {"x@ncalrpc:[name]", RPC_S_INVALID_STRING_UUID},
        {"no_such_protseq:[1]", RPC_S_INVALID_RPC_PROTSEQ},
        {"ncacn_np:[\\\\pipe\\\\x]", RPC_S_PROTSEQ_NOT_SUPPORTED},
        {"ncadg_ip_udp:[135]", RPC_S_PROTSEQ_NOT_SUPPORTED},
        {"ncacn_ip_tcp:127.0.0.1[0]", RPC_S_INVALID_ENDPOINT_FORMAT},
        {"ncacn_ip_tcp:127.0.0.1[65536]", RPC_S_INVALID_ENDPOINT_FORMAT},
        {"ncacn_ip_tcp:127.0.0.1[http]", RPC_S_INVALID_ENDPOINT_FORMAT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        h = (RPC_BINDING_HANDLE)garbage;
        RPC_STATUS status = RpcBindingFromStringBinding(T(rows[i].text), &h);
        if (status != rows[i].status)
            failed(__FILE__, __LINE__, "'%s' gives %d, not %d", rows[i].text, (int)status,
                   (int)rows[i].status);
        if (status == RPC_S_OK) {
            ROW(RPC_S_OK, RpcBindingFree(&h));
            CHECK(!h);
        } else {
            CHECK(!h || h == (RPC_BINDING_HANDLE)garbage); /* nothing to free */
        }
    }
    ROW(RPC_S_INVALID_ARG, RpcBindingFromStringBinding(NULL, &h));
    ROW(RPC_S_INVALID_ARG, RpcBindingFromStringBinding(T("ncalrpc:[x]"), NULL));

    for (size_t i = 0; i < BAD_HANDLES; i++) {
        h = bad_handles[i];
        ROW(RPC_S_INVALID_BINDING, RpcBindingFree(&h));
        CHECK(h == bad_handles[i]);
        ROW(RPC_S_INVALID_BINDING, RpcBindingCopy(h, &copy));
        ROW(RPC_S_INVALID_BINDING, RpcBindingReset(h));
        ROW(RPC_S_INVALID_BINDING, RpcBindingSetObject(h, NULL));
        ROW(RPC_S_INVALID_BINDING, RpcBindingInqObject(h, &uuid));
        ROW(RPC_S_INVALID_BINDING, RpcBindingToStringBinding(h, &text));
        ROW(RPC_S_INVALID_BINDING, RpcMgmtSetComTimeout(h, 5));
        ROW(RPC_S_INVALID_BINDING, RpcMgmtInqComTimeout(h, &timeout));
    }
    CHECK(!copy && !text);
    h = bind_text("ncalrpc:[nobody]");
    ROW(RPC_S_INVALID_ARG, RpcBindingFree(NULL));
    ROW(RPC_S_INVALID_ARG, RpcBindingCopy(h, NULL));
    ROW(RPC_S_INVALID_ARG, RpcBindingInqObject(h, NULL));
    ROW(RPC_S_INVALID_ARG, RpcBindingToStringBinding(h, NULL));
    ROW(RPC_S_INVALID_ARG, RpcMgmtInqComTimeout(h, NULL));
    ROW(RPC_S_INVALID_TIMEOUT, RpcMgmtSetComTimeout(h, 11));
    ROW(RPC_S_INVALID_TIMEOUT, RpcMgmtSetComTimeout(h, UINT_MAX));
    ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, RPC_C_BINDING_INFINITE_TIMEOUT));
    ROW(RPC_S_OK, RpcMgmtInqComTimeout(h, &timeout));
    CHECK_EQUAL(timeout, 10);
    ROW(RPC_S_OK, RpcBindingReset(h));
    ROW(RPC_S_OK, RpcBindingCopy(h, &copy));
    RPC_BINDING_HANDLE stale = h;
    ROW(RPC_S_OK, RpcBindingFree(&h));
    ROW(RPC_S_INVALID_BINDING, RpcBindingFree(&stale)); /* freed already */
    ROW(RPC_S_OK, RpcBindingFree(&copy));
}

static void string_binding_functions(void)
{
    RPC_CSTR text = T("untouched"), a = NULL, b = NULL;
    ROW(RPC_S_OK, RpcStringBindingCompose(NULL, T("ncalrpc"), NULL, T("x"), NULL, NULL));
    ROW(RPC_S_INVALID_STRING_UUID,
        RpcStringBindingCompose(T("zz"), T("ncalrpc"), NULL, T("x"), NULL, &text));
    ROW(RPC_S_INVALID_NETWORK_OPTIONS,
        RpcStringBindingCompose(NULL, T("ncalrpc"), NULL, T("x"), T("a]b"), &text));
    ROW(RPC_S_OK, RpcStringBindingCompose(NULL, NULL, NULL, NULL, NULL, &text));
    ROW(RPC_S_OK, RpcStringFree(&text));
    CHECK(!text);
    ROW(RPC_S_OK, RpcStringFree(&text)); /* NULL is fine */
    ROW(RPC_S_INVALID_ARG, RpcStringFree(NULL));
    ROW(RPC_S_OK, RpcStringBindingParse(T("ncalrpc:[x]"), NULL, NULL, NULL, NULL, NULL));
    ROW(RPC_S_INVALID_ARG, RpcStringBindingParse(NULL, NULL, &a, NULL, &b, NULL));
    ROW(RPC_S_INVALID_STRING_BINDING,
        RpcStringBindingParse(T("ncalrpc:[x"), NULL, &a, NULL, &b, NULL));
    CHECK(!a && !b);
    ROW(RPC_S_INVALID_STRING_UUID,
        RpcStringBindingParse(T("1@ncalrpc:[x]"), NULL, &a, NULL, &b, NULL));
    CHECK(!a && !b);
    ROW(RPC_S_OK, RpcNetworkIsProtseqValid(T("ncalrpc")));
    ROW(RPC_S_OK, RpcNetworkIsProtseqValid(T("ncacn_ip_tcp")));
    ROW(RPC_S_PROTSEQ_NOT_SUPPORTED, RpcNetworkIsProtseqValid(T("ncacn_np")));
    ROW(RPC_S_INVALID_RPC_PROTSEQ, RpcNetworkIsProtseqValid(T("ncacn")));
    ROW(RPC_S_INVALID_RPC_PROTSEQ, RpcNetworkIsProtseqValid(T("")));
    ROW(RPC_S_INVALID_ARG, RpcNetworkIsProtseqValid(NULL));
}

/* ---- rpcdce.h: server ----------------------------------------------------------- */

static RPC_STATUS admit(RPC_IF_HANDLE interface, void *context)
{
    (void)interface;
    (void)context;
    return RPC_S_OK;
}

static void endpoint_functions(void)
{
    const unsigned calls = RPC_C_PROTSEQ_MAX_REQS_DEFAULT;
    RPC_POLICY policy = {.Length = sizeof(policy)}, short_policy = {.Length = 1};
    RPC_BINDING_VECTOR *vector = (RPC_BINDING_VECTOR *)garbage;
    ROW(RPC_S_NO_BINDINGS, RpcServerInqBindings(&vector));
    CHECK(!vector);
    ROW(RPC_S_INVALID_ARG, RpcServerInqBindings(NULL));
    ROW(RPC_S_INVALID_ARG, RpcServerUseProtseq(NULL, calls, NULL));
    ROW(RPC_S_INVALID_RPC_PROTSEQ, RpcServerUseProtseq(T("bogus"), calls, NULL));
    ROW(RPC_S_PROTSEQ_NOT_SUPPORTED, RpcServerUseProtseq(T("ncacn_np"), calls, NULL));
    ROW(RPC_S_INVALID_ARG, RpcServerUseProtseqEp(NULL, calls, T("1"), NULL));
    ROW(RPC_S_INVALID_ARG, RpcServerUseProtseqEp(T("ncalrpc"), calls, NULL, NULL));
    ROW(RPC_S_INVALID_ENDPOINT_FORMAT,
        RpcServerUseProtseqEp(T("ncacn_ip_tcp"), calls, T("x"), NULL));
    ROW(RPC_S_INVALID_ENDPOINT_FORMAT,
        RpcServerUseProtseqEp(T("ncacn_ip_tcp"), calls, T("70000"), NULL));
    ROW(RPC_S_INVALID_ENDPOINT_FORMAT,
        RpcServerUseProtseqEp(T("ncalrpc"), calls, T("a/b"), NULL));
    ROW(RPC_S_INVALID_ENDPOINT_FORMAT, RpcServerUseProtseqEp(T("ncalrpc"), calls, T(""), NULL));
    char long_name[5000];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    ROW(RPC_S_INVALID_ENDPOINT_FORMAT,
        RpcServerUseProtseqEp(T("ncalrpc"), calls, T(long_name), NULL));
    char name[64];
    snprintf(name, sizeof(name), "api-test-%d", (int)getpid());
    ROW(RPC_S_INVALID_ARG,
        RpcServerUseProtseqEpEx(T("ncalrpc"), calls, T(name), NULL, &short_policy));
    ROW(RPC_S_OK, RpcServerUseProtseqEpEx(T("ncalrpc"), calls, T(name), NULL, &policy));
    ROW(RPC_S_DUPLICATE_ENDPOINT, RpcServerUseProtseqEp(T("ncalrpc"), calls, T(name), NULL));
    ROW(RPC_S_OK, RpcServerUseProtseq(T("ncacn_ip_tcp"), 0, NULL));
    ROW(RPC_S_OK, RpcServerInqBindings(&vector));
    CHECK(vector && vector->Count >= 2);
    ROW(RPC_S_OK, RpcBindingVectorFree(&vector));
    CHECK(!vector);
    ROW(RPC_S_OK, RpcBindingVectorFree(&vector)); /* as RpcStringFree */
    ROW(RPC_S_INVALID_ARG, RpcBindingVectorFree(NULL));
}

static void registration_functions(void)
{
    UUID nil = {0}, type = {.Data1 = 1};
    RPC_IF_ID id;
    RPC_IF_HANDLE spec = s_api_v1_0_s_ifspec;
    static const RPC_SERVER_INTERFACE short_spec = {.Length = 3};
    ROW(RPC_S_INVALID_ARG, RpcServerRegisterIf(NULL, NULL, NULL));
    ROW(RPC_S_INVALID_ARG, RpcServerRegisterIf((RPC_IF_HANDLE)(uintptr_t)&short_spec, NULL, NULL));
    ROW(RPC_S_UNKNOWN_IF, RpcServerUnregisterIf(spec, NULL, 0));
    ROW(RPC_S_OK, RpcServerRegisterIf(spec, NULL, NULL));
    ROW(RPC_S_TYPE_ALREADY_REGISTERED, RpcServerRegisterIf(spec, NULL, NULL));
    ROW(RPC_S_TYPE_ALREADY_REGISTERED, RpcServerRegisterIf(spec, &nil, NULL));
    ROW(RPC_S_TYPE_ALREADY_REGISTERED, RpcServerRegisterIfEx(spec, NULL, NULL, 0, 1, NULL));
    ROW(RPC_S_OK, RpcServerRegisterIf2(spec, &type, NULL, 0, 1, (unsigned)-1, NULL));
    ROW(RPC_S_UNKNOWN_MGR_TYPE, RpcServerUnregisterIf(spec, &(UUID){.Data1 = 2}, 0));
    ROW(RPC_S_OK, RpcServerUnregisterIf(spec, &type, 0));
    ROW(RPC_S_OK, RpcServerUnregisterIf(spec, NULL, 1));
    ROW(RPC_S_UNKNOWN_IF, RpcServerUnregisterIf(spec, NULL, 1));
    /* A check that cannot be asked must not be taken for a yes. */
    ROW(RPC_S_CANNOT_SUPPORT,
        RpcServerRegisterIfEx(spec, NULL, NULL, RPC_IF_ASYNC_CALLBACK, 1, admit));
    ROW(RPC_S_OK, RpcIfInqId(spec, &id));
    CHECK_EQUAL(id.VersMajor, 1);
    CHECK_EQUAL(id.VersMinor, 0);
    CHECK_EQUAL(id.Uuid.Data1, 0x5e8d6c1f);
    ROW(RPC_S_INVALID_ARG, RpcIfInqId(NULL, &id));
    ROW(RPC_S_INVALID_ARG, RpcIfInqId(spec, NULL));
}

static void listen_functions(void)
{
    const unsigned calls = RPC_C_LISTEN_MAX_CALLS_DEFAULT;
    RPC_BINDING_HANDLE other = bind_text("ncalrpc:[nobody]");
    ROW(RPC_S_NOT_LISTENING, RpcMgmtIsServerListening(NULL));
    ROW(RPC_S_NOT_LISTENING, RpcMgmtStopServerListening(NULL));
    ROW(RPC_S_NOT_LISTENING, RpcMgmtWaitServerListen());
    ROW(RPC_S_NO_PROTSEQS_REGISTERED, RpcServerListen(1, calls, TRUE));
    ROW(RPC_S_OK, RpcServerUseProtseq(T("ncalrpc"), 10, NULL));
    ROW(RPC_S_MAX_CALLS_TOO_SMALL, RpcServerListen(1, 0, TRUE));
    ROW(RPC_S_MAX_CALLS_TOO_SMALL, RpcServerListen(3, 2, TRUE));
    ROW(RPC_S_OK, RpcServerListen(1, calls, TRUE));
    ROW(RPC_S_ALREADY_LISTENING, RpcServerListen(1, calls, TRUE));
    ROW(RPC_S_OK, RpcMgmtIsServerListening(NULL));
    ROW(RPC_S_SERVER_UNAVAILABLE, RpcMgmtIsServerListening(other));
    ROW(RPC_S_SERVER_UNAVAILABLE, RpcMgmtStopServerListening(other));
    ROW(RPC_S_OK, RpcMgmtStopServerListening(NULL));
    ROW(RPC_S_NOT_LISTENING, RpcMgmtStopServerListening(NULL));
    ROW(RPC_S_OK, RpcMgmtWaitServerListen()); /* though the stop is through already */
    ROW(RPC_S_NOT_LISTENING, RpcMgmtWaitServerListen());
    ROW(RPC_S_OK, RpcServerListen(1, calls, TRUE)); /* again */
    ROW(RPC_S_OK, RpcMgmtStopServerListening(NULL));
    RpcBindingFree(&other);
}

/* RPC_IF_ALLOW_SECURE_ONLY: nobody can be secure yet, so nobody is served. */
static long long register_secure_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    ROW(RPC_S_OK, RpcServerUnregisterIf(s_api_v1_0_s_ifspec, NULL, 1));
    ROW(RPC_S_OK, RpcServerRegisterIfEx(s_api_v1_0_s_ifspec, NULL, NULL,
                                        RPC_IF_ALLOW_SECURE_ONLY, 10, NULL));
    return 0;
}

static void secure_only(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    RPC_STATUS status;
    far(register_secure_there, NULL, 0, 0);
    RAISED(status, c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_ACCESS_DENIED);
    RpcBindingFree(&h);
}

/* A server that stops: a running call ends well, a new one is refused. */
static BOTH_SIDES atomic_int waited[2];
static pthread_t waiters[2]; /* in the server */

static void *stop_waiter(void *arg)
{
    atomic_int *ret_status = arg;
    atomic_store(ret_status, RpcMgmtWaitServerListen());
    return NULL;
}

static long long start_waiters_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    for (int i = 0; i < 2; i++) {
        atomic_store(&waited[i], -1);
        CHECK(pthread_create(&waiters[i], NULL, stop_waiter, &waited[i]) == 0);
    }
    return 0;
}

static long long join_there(struct served *unused, long long which, long long b)
{
    (void)unused, (void)b;
    return pthread_join(waiters[which], NULL);
}

static long long stop_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    return RpcMgmtStopServerListening(NULL);
}

static long long listen_without_interface_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    ROW(RPC_S_OK, RpcServerUnregisterIf(s_api_v1_0_s_ifspec, NULL, 1));
    return RpcServerListen(1, 10, TRUE);
}

static long long register_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    return RpcServerRegisterIf(s_api_v1_0_s_ifspec, NULL, NULL);
}

static void stop_with_a_call_running(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller, refused;
    int32_t reply = 3, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    far(start_waiters_there, NULL, 0, 0);
    /* One waits, the other is told so. */
    uint64_t until = now_ms() + AT_ONCE_MS;
    while (atomic_load(&waited[0]) == -1 && atomic_load(&waited[1]) == -1)
        CHECK(now_ms() < until);
    int early = atomic_load(&waited[0]) == -1;
    CHECK_EQUAL(atomic_load(&waited[early]), RPC_S_ALREADY_LISTENING);
    CHECK_EQUAL(far(join_there, NULL, early, 0), 0);
    ROW(RPC_S_OK, far(stop_there, NULL, 0, 0));
    caller_init(&refused, 0);
    ROW(RPC_S_OK, caller_call(&refused, h, PLAIN, 1));
    EXPECT(&refused, RpcCallComplete);
    ROW(RPC_S_SERVER_TOO_BUSY, complete(&refused, NULL));
    sleep_ms(NEVER_MS);
    CHECK_EQUAL(atomic_load(&waited[!early]), -1); /* waits for the call */
    ROW(RPC_S_OK, served_complete(served, &reply));
    EXPECT(&caller, RpcCallComplete);
    ROW(RPC_S_OK, complete(&caller, &result));
    CHECK_EQUAL(far(join_there, NULL, !early, 0), 0);
    CHECK_EQUAL(atomic_load(&waited[!early]), RPC_S_OK);
    ROW(RPC_S_OK, far(listen_without_interface_there, NULL, 0, 0));
    ROW(RPC_S_OK, caller_call(&refused, h, PLAIN, 1));
    EXPECT(&refused, RpcCallComplete);
    ROW(RPC_S_UNKNOWN_IF, complete(&refused, NULL));
    ROW(RPC_S_OK, far(register_there, NULL, 0, 0));
    CHECK_USABLE(h);
    served_free(served);
    caller_fini(&caller);
    caller_fini(&refused);
    RpcBindingFree(&h);
}

/* ---- A call's own binding handle -------------------------------------------------- */

static long long use_handle_there(struct served *served, long long a, long long b)
{
    UUID uuid;
    RPC_CSTR text = NULL;
    unsigned timeout;
    RPC_STATUS status;
    RPC_BINDING_HANDLE call = served->there.handle, same = call, out = NULL;
    (void)a, (void)b;
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingFree(&same));
    CHECK(same == call);
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingCopy(call, &out));
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingReset(call));
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingSetObject(call, NULL));
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcMgmtSetComTimeout(call, 5));
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcMgmtInqComTimeout(call, &timeout));
    ROW(RPC_S_OK, RpcBindingInqObject(call, &uuid));
    ROW(RPC_S_OK, RpcBindingToStringBinding(call, &text));
    ROW(RPC_S_OK, RpcStringFree(&text));
    ROW(RPC_S_INVALID_ARG, RpcBindingServerFromClient(call, NULL));
    ROW(RPC_S_OK, RpcBindingServerFromClient(call, &out));
    ROW(RPC_S_OK, RpcBindingFree(&out));
    /* A stub takes no handle but a client's. */
    RAISED(status, c_ping(call, 1));
    CHECK_EQUAL(status, RPC_S_WRONG_KIND_OF_BINDING);
    return 0;
}

static long long use_handle_too_late_there(struct served *served, long long a, long long b)
{
    UUID uuid;
    (void)a, (void)b;
    ROW(RPC_S_INVALID_BINDING, RpcBindingInqObject(served->there.handle, &uuid));
    ROW(RPC_S_INVALID_BINDING, RpcServerTestCancel(served->there.handle));
    return 0;
}

static void server_handles(void)
{
    RPC_BINDING_HANDLE h = serve_here(), out = NULL;
    struct caller caller;
    int32_t reply = 1;
    ROW(RPC_S_NO_CALL_ACTIVE, RpcServerInqBindingHandle(&out));
    ROW(RPC_S_INVALID_ARG, RpcServerInqBindingHandle(NULL));
    ROW(RPC_S_NO_CALL_ACTIVE, RpcBindingServerFromClient(NULL, &out));
    struct served *served = start_call(&caller, h, PLAIN, 0);
    far(use_handle_there, served, 0, 0);
    RPC_STATUS status;
    CHECK_EITHER(RpcBindingServerFromClient(h, &out), RPC_S_WRONG_KIND_OF_BINDING,
                 RPC_S_INVALID_BINDING);
    CHECK_EITHER(RpcServerTestCancel(h), RPC_S_WRONG_KIND_OF_BINDING, RPC_S_INVALID_BINDING);
    for (size_t i = 0; i < BAD_HANDLES; i++) {
        RAISED(status, c_ping(bad_handles[i], 1));
        CHECK_EQUAL(status, RPC_S_INVALID_BINDING);
    }
    ROW(RPC_S_OK, served_complete(served, &reply));
    far(use_handle_too_late_there, served, 0, 0); /* the call is over */
    EXPECT(&caller, RpcCallComplete);
    ROW(RPC_S_OK, complete(&caller, NULL));
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- Errors, UUIDs ---------------------------------------------------------------- */

static void error_and_uuid_functions(void)
{
    unsigned char text[DCE_C_ERROR_STRING_LEN];
    UUID uuid, other;
    RPC_STATUS status = -1;
    RPC_CSTR string = NULL;
    ROW(RPC_S_OK, DceErrorInqText(RPC_S_CALL_FAILED, text));
    CHECK(strlen((char *)text) > 0 && strlen((char *)text) < sizeof(text));
    ROW(RPC_S_INVALID_ARG, DceErrorInqText(0x12345678, text));
    CHECK(strlen((char *)text) > 0);
    ROW(RPC_S_INVALID_ARG, DceErrorInqText(RPC_S_OK, NULL));
    CHECK_EQUAL(RpcExceptionFilter(STATUS_ACCESS_VIOLATION), 0);
    CHECK_EQUAL(I_RpcExceptionFilter(STATUS_STACK_OVERFLOW), 0);
    CHECK_EQUAL(RpcExceptionFilter(RPC_S_CALL_FAILED), 1);

    ROW(RPC_S_INVALID_ARG, UuidCreate(NULL));
    ROW(RPC_S_INVALID_ARG, UuidCreateNil(NULL));
    ROW(RPC_S_INVALID_ARG, UuidToString(&uuid, NULL));
    ROW(RPC_S_INVALID_ARG, UuidFromString(T("x"), NULL));
    static const char *const bad[] = {"", "x", "00000000-0000-0000-0000-00000000000",
                                      "00000000-0000-0000-0000-0000000000000",
                                      "{00000000-0000-0000-0000-000000000000}",
                                      "0000000000000000000000000000000000000",
                                      "g0000000-0000-0000-0000-000000000000"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ROW(RPC_S_INVALID_STRING_UUID, UuidFromString(T(bad[i]), &uuid));
    ROW(RPC_S_OK, UuidCreate(&uuid));
    ROW(RPC_S_OK, UuidToString(&uuid, &string));
    ROW(RPC_S_OK, UuidFromString(string, &other));
    CHECK_EQUAL(UuidEqual(&uuid, &other, &status), 1);
    CHECK_EQUAL(status, RPC_S_OK);
    CHECK_EQUAL(UuidCompare(&uuid, NULL, &status), 1);
    CHECK_EQUAL(UuidHash(&uuid, &status), UuidHash(&other, &status));
    ROW(RPC_S_OK, RpcStringFree(&string));
    ROW(RPC_S_OK, UuidFromString(NULL, &other));
    CHECK_EQUAL(UuidIsNil(&other, &status), 1);
    CHECK_EQUAL(UuidIsNil(NULL, &status), 1);
    CHECK_EQUAL(UuidEqual(NULL, &other, NULL), 1); /* no status wanted */
}

/* ---- win32.h ---------------------------------------------------------------------- */

static void event_functions(void)
{
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL), handles[65];
    CHECK(event);
    CHECK(!CreateEvent(NULL, TRUE, FALSE, "name"));
    CHECK_EQUAL(GetLastError(), ERROR_NOT_SUPPORTED);
    for (size_t i = 0; i < BAD_HANDLES; i++) {
        SetLastError(0);
        CHECK(!SetEvent(bad_handles[i]));
        CHECK_EQUAL(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK(!ResetEvent(bad_handles[i]));
        CHECK(!CloseHandle(bad_handles[i]));
        CHECK_EQUAL(RpcxEventFd(bad_handles[i]), -1);
        CHECK_EQUAL(WaitForSingleObject(bad_handles[i], 0), WAIT_FAILED);
        CHECK_EQUAL(GetLastError(), ERROR_INVALID_HANDLE);
    }
    for (int i = 0; i < 65; i++)
        handles[i] = event;
    CHECK_EQUAL(WaitForMultipleObjects(0, handles, FALSE, 0), WAIT_FAILED);
    CHECK_EQUAL(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(WaitForMultipleObjects(65, handles, FALSE, 0), WAIT_FAILED);
    CHECK_EQUAL(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(WaitForMultipleObjects(2, handles, TRUE, 0), WAIT_FAILED);
    CHECK_EQUAL(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQUAL(WaitForMultipleObjects(64, handles, FALSE, 0), WAIT_TIMEOUT);
    CHECK(RpcxEventFd(event) >= 0);
    CHECK(CloseHandle(event));
    CHECK(!CloseHandle(event));
    CHECK_EQUAL(WaitForSingleObject(event, 0), WAIT_FAILED);
}

/* An event that is closed while a call would set it: nothing happens. */
static void event_closed_early(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1, result;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    caller_fini(&caller);
    ROW(RPC_S_OK, served_complete(served, &reply));
    uint64_t until = now_ms() + AT_ONCE_MS;
    while (RpcAsyncGetCallStatus(&caller.async) == RPC_S_ASYNC_CALL_PENDING)
        CHECK(now_ms() < until);
    ROW(RPC_S_OK, complete(&caller, &result));
    served_free(served);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- What stubs call --------------------------------------------------------------- */

static void stub_functions(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    RPC_ASYNC_STATE async;
    RPC_STATUS status;
    void *frame[8] = {h};
    ROW(RPC_S_OK, RpcAsyncInitializeHandle(&async, sizeof(async)));
    RAISED(status, NdrxClientCall(c_api_v1_0_c_ifspec, 1000, frame));
    CHECK_EQUAL(status, RPC_S_PROCNUM_OUT_OF_RANGE);
    RAISED(status, NdrxAsyncClientCall(c_api_v1_0_c_ifspec, 1000, &async, frame));
    CHECK_EQUAL(status, RPC_S_PROCNUM_OUT_OF_RANGE);
    RpcBindingFree(&h);
}

const struct test argument_tests[] = {
    {"arguments_async_functions", async_functions},
    {"arguments_copied_state", copied_state},
    {"arguments_binding_functions", binding_functions},
    {"arguments_string_binding_functions", string_binding_functions},
    {"arguments_endpoint_functions", endpoint_functions},
    {"arguments_registration_functions", registration_functions},
    {"arguments_listen_functions", listen_functions},
    {"arguments_secure_only", secure_only},
    {"AR-16_stop_with_a_call_running", stop_with_a_call_running},
    {"arguments_server_handles", server_handles},
    {"arguments_error_and_uuid_functions", error_and_uuid_functions},
    {"arguments_event_functions", event_functions},
    {"arguments_event_closed_early", event_closed_early},
    {"arguments_stub_functions", stub_functions},
    {NULL, NULL},
};
