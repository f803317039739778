/* SPDX-License-Identifier: MIT */
/* attribute_tests.c - what a server learns about a call and its client:
 * RpcServerInqCallAttributes, RpcBindingServerFromClient and kin on a call's handle. */
#include "harness.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "api.h"

static const UUID api_uuid = {
    0x5e8d6c1f, 0x2f0a, 0x4a39, {0x8d, 0x0b, 0x7c, 0x9a, 0x4f, 0x0e, 0x1d, 0x22}};

static bool over_tcp(void)
{
    return strcmp(transport, "ncacn_ip_tcp") == 0;
}

/* Everything there is, for a call of `opnum`. */
static void check_attributes(RPC_BINDING_HANDLE call, unsigned opnum, pid_t client)
{
    RPC_CALL_ATTRIBUTES_V3_A a;
    uint8_t octets[16];
    RPC_CALL_LOCAL_ADDRESS_V1 address = {.Version = 1, .Buffer = octets, .BufferSize = 16};
    memset(&a, 0xcd, sizeof(a));
    a.Version = 3;
    a.Flags = RPC_QUERY_IS_CLIENT_LOCAL;
    a.Flags |= over_tcp() ? RPC_QUERY_CALL_LOCAL_ADDRESS : RPC_QUERY_CLIENT_PID;
    a.CallLocalAddress = &address;
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_OK);
    CHECK_EQUAL(a.AuthenticationLevel, 1);
    CHECK_EQUAL(a.AuthenticationService, 0);
    CHECK_EQUAL(a.NullSession, FALSE);
    CHECK_EQUAL(a.KernelModeCaller, FALSE);
    CHECK_EQUAL(a.ProtocolSequence, over_tcp() ? RPC_PROTSEQ_TCP : RPC_PROTSEQ_LRPC);
    CHECK_EQUAL(a.IsClientLocal, rcclLocal);
    CHECK_EQUAL((uintptr_t)a.ClientPID, over_tcp() ? 0 : (uintptr_t)client);
    CHECK_EQUAL(a.CallStatus, 0);
    CHECK_EQUAL(a.CallType, rctNormal);
    CHECK_EQUAL(a.OpNum, opnum);
    CHECK(memcmp(&a.InterfaceUuid, &api_uuid, sizeof(UUID)) == 0);
    CHECK_EQUAL(a.ClientIdentifierBufferLength, 0xcdcdcdcdcdcdcdcdul); /* not asked for */
    if (!over_tcp())
        return;
    bool v4 = address.AddressFormat == rlafIPv4;
    CHECK(v4 || address.AddressFormat == rlafIPv6);
    CHECK_EQUAL(address.BufferSize, v4 ? 4 : 16);
    uint8_t wanted[16] = {[15] = 1};
    if (v4)
        inet_pton(AF_INET, "127.0.0.1", wanted);
    CHECK(memcmp(octets, wanted, v4 ? 4 : 16) == 0);
}

/* Versions are not written beyond their end. */
static void check_versions(RPC_BINDING_HANDLE call)
{
    union {
        RPC_CALL_ATTRIBUTES_V1_A v1;
        RPC_CALL_ATTRIBUTES_V1_W v1w;
        RPC_CALL_ATTRIBUTES_V2_W v2w;
        RPC_CALL_ATTRIBUTES_V3_A v3;
        uint8_t octets[sizeof(RPC_CALL_ATTRIBUTES_V3_A) + 16];
    } a;
    for (unsigned version = 1; version <= 2; version++) {
        memset(&a, 0xcd, sizeof(a));
        a.v1.Version = version;
        a.v1.Flags = 0;
        CHECK_EQUAL(RpcServerInqCallAttributesW(call, &a), RPC_S_OK);
        CHECK_EQUAL(a.v1w.AuthenticationLevel, 1);
        size_t end = version == 1 ? sizeof(a.v1) : sizeof(a.v2w);
        for (size_t i = end; i < sizeof(a); i++)
            CHECK_EQUAL(a.octets[i], 0xcd);
    }
    /* Names there are none of: the buffers stay, the lengths say so. */
    unsigned char name[8] = "before", id[4] = "id";
    memset(&a, 0, sizeof(a));
    a.v3.Version = 3;
    a.v3.Flags = RPC_QUERY_SERVER_PRINCIPAL_NAME | RPC_QUERY_CLIENT_PRINCIPAL_NAME |
                 RPC_QUERY_CLIENT_ID | RPC_QUERY_NO_AUTH_REQUIRED;
    a.v3.ServerPrincipalName = a.v3.ClientPrincipalName = name;
    a.v3.ClientIdentifier = id;
    a.v3.ServerPrincipalNameBufferLength = a.v3.ClientPrincipalNameBufferLength = sizeof(name);
    a.v3.ClientIdentifierBufferLength = sizeof(id);
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_OK);
    CHECK(a.v3.ServerPrincipalNameBufferLength == 0 && a.v3.ClientPrincipalNameBufferLength == 0 &&
          a.v3.ClientIdentifierBufferLength == 0 && strcmp((char *)name, "before") == 0);
}

static void check_refusals(RPC_BINDING_HANDLE call)
{
    RPC_CALL_ATTRIBUTES_V3_A a;
    uint8_t octets[16] = {0xee};
    RPC_CALL_LOCAL_ADDRESS_V1 address = {.Version = 1, .Buffer = octets, .BufferSize = 3};
    static const struct {
        unsigned version;
        unsigned long flags;
    } rows[] = {{0, 0}, {4, 0}, {1, 1}, {3, 0x100}, {1, RPC_QUERY_CLIENT_PID},
                {2, RPC_QUERY_CLIENT_ID}, {3, RPC_QUERY_CALL_LOCAL_ADDRESS}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&a, 0, sizeof(a));
        a.Version = rows[i].version;
        a.Flags = rows[i].flags;
        CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_INVALID_ARG);
    }
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, NULL), RPC_S_INVALID_ARG);
    memset(&a, 0, sizeof(a));
    a.Version = 1;
    a.Flags = RPC_QUERY_CLIENT_PRINCIPAL_NAME;
    a.ClientPrincipalNameBufferLength = 1; /* without a buffer */
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_INVALID_ARG);
    /* What this protocol sequence does not have. */
    memset(&a, 0, sizeof(a));
    a.Version = 2;
    a.Flags = over_tcp() ? RPC_QUERY_CLIENT_PID : RPC_QUERY_CALL_LOCAL_ADDRESS;
    a.CallLocalAddress = &address;
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_CANNOT_SUPPORT);
    if (!over_tcp())
        return;
    a.Flags = RPC_QUERY_CALL_LOCAL_ADDRESS;
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), ERROR_MORE_DATA);
    CHECK(address.BufferSize == 4 || address.BufferSize == 16);
    CHECK_EQUAL(octets[0], 0xee);
    CHECK_EQUAL(a.OpNum, 0); /* all else is there */
    CHECK(memcmp(&a.InterfaceUuid, &api_uuid, sizeof(UUID)) == 0);
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_OK); /* now it suffices */
    CHECK(octets[0] == 127 || octets[15] == 1);
    address.Version = 2;
    CHECK_EQUAL(RpcServerInqCallAttributesA(call, &a), RPC_S_INVALID_ARG);
}

/* In the server: the client is its parent. */
static void *on_another_thread(void *call)
{
    check_attributes(call, 0, getppid());
    return NULL;
}

static long long look_at_handle_there(struct served *served, long long a, long long b)
{
    RPC_BINDING_HANDLE call = RpcAsyncGetCallHandle(served->there.async);
    pthread_t thread;
    (void)a, (void)b;
    check_attributes(call, 0, getppid());
    check_versions(call);
    check_refusals(call);
    CHECK(pthread_create(&thread, NULL, on_another_thread, call) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}

static long long look_too_late_there(struct served *served, long long a, long long b)
{
    RPC_CALL_ATTRIBUTES_V1_A attributes = {.Version = 1};
    (void)a, (void)b;
    return RpcServerInqCallAttributesA(served->there.handle, &attributes);
}

static void attributes_of_a_handle(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    RPC_CALL_ATTRIBUTES_V1_A a = {.Version = 1};
    int32_t reply = 1;
    CHECK_EQUAL(RpcServerInqCallAttributesA(NULL, &a), RPC_S_NO_CALL_ACTIVE);
    CHECK_EQUAL(RpcServerInqCallAttributesA(h, &a), RPC_S_INVALID_BINDING);
    struct served *served = start_call(&caller, h, PLAIN, 0);
    far(look_at_handle_there, served, 0, 0);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    CHECK_EQUAL(far(look_too_late_there, served, 0, 0), RPC_S_INVALID_BINDING);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

static BOTH_SIDES atomic_uint seen;

/* As the interface has it. */
static unsigned opnum_of(const char *name)
{
    const RPC_CLIENT_INTERFACE *spec = c_api_v1_0_c_ifspec;
    const NDR_INTERFACE *interface = spec->InterpreterInfo;
    for (uint32_t i = 0; i < interface->operation_count; i++)
        if (strcmp(interface->operations[i].name, name) == 0)
            return interface->operations[i].opnum;
    CHECK(false);
    return 0;
}

static void look_inside(handle_t h)
{
    check_attributes(h, opnum_of("ping"), getppid());
    check_attributes(NULL, opnum_of("ping"), getppid());
    seen++;
}

static void attributes_in_the_manager(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    in_manager = look_inside;
    CHECK_EQUAL(c_ping(h, 1), 2);
    in_manager = NULL;
    CHECK_EQUAL(seen, 1);
    RpcBindingFree(&h);
}

static long long status_there(struct served *served, long long a, long long b)
{
    RPC_CALL_ATTRIBUTES_V2_A attributes = {.Version = 2};
    (void)a, (void)b;
    CHECK_EQUAL(RpcServerInqCallAttributesA(served->there.handle, &attributes), RPC_S_OK);
    return (long long)attributes.CallStatus;
}

static unsigned long status_of(struct served *served)
{
    return (unsigned long)far(status_there, served, 0, 0);
}

static long long look_at_client_there(struct served *served, long long client, long long b)
{
    (void)b;
    check_attributes(served->there.handle, 0, (pid_t)client);
    return 0;
}

/* Cancelled by its client, and by a client that is gone; and its process was a third. */
static void attributes_call_status(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(status_of(served), 0);
    CHECK_EQUAL(RpcAsyncCancelCall(&caller.async, FALSE), RPC_S_OK);
    for (uint64_t begin = now_ms(); status_of(served) == 0;)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(status_of(served), RPC_CALL_STATUS_CANCELLED);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);

    struct child child = spawn_client("plain");
    served = accept_call();
    far(look_at_client_there, served, child.pid, 0);
    child_ready(&child);
    child_kill(&child, SIGKILL);
    for (uint64_t begin = now_ms(); status_of(served) == 0;)
        CHECK(now_ms() - begin < AT_ONCE_MS);
    CHECK_EQUAL(status_of(served), RPC_CALL_STATUS_DISCONNECTED);
    served_complete(served, &reply);
    child_stop(&child);
    served_free(served);
    RpcBindingFree(&h);
}

/* Where the client is, as a server finds it: the handle as text, a handle back, its parts. */
static const UUID object = {0x01020304, 5, 6, {7, 8, 9, 10, 11, 12, 13, 14}};

static long long look_back_there(struct served *served, long long a, long long b)
{
    RPC_BINDING_HANDLE back;
    UUID got;
    RPC_CSTR text, protseq, address, endpoint, uuid, host;
    (void)a, (void)b;
    CHECK_EQUAL(RpcBindingInqObject(served->there.handle, &got), RPC_S_OK);
    CHECK(memcmp(&got, &object, sizeof(got)) == 0);
    CHECK_EQUAL(RpcBindingToStringBinding(served->there.handle, &text), RPC_S_OK);
    CHECK_EQUAL(RpcStringBindingParse(text, &uuid, &protseq, &address, &endpoint, NULL), RPC_S_OK);
    CHECK(strcmp((char *)protseq, transport) == 0);
    CHECK(strcmp((char *)uuid, "01020304-0005-0006-0708-090a0b0c0d0e") == 0);
    if (over_tcp())
        CHECK(strcmp((char *)address, "127.0.0.1") == 0 || strcmp((char *)address, "::1") == 0);
    RpcStringFree(&uuid);
    RpcStringFree(&protseq);
    RpcStringFree(&endpoint);
    RpcStringFree(&text);
    CHECK_EQUAL(RpcBindingServerFromClient(served->there.handle, &back), RPC_S_OK);
    CHECK_EQUAL(RpcBindingInqObject(back, &got), RPC_S_OK);
    CHECK(memcmp(&got, &object, sizeof(got)) == 0);
    CHECK_EQUAL(RpcBindingToStringBinding(back, &text), RPC_S_OK);
    CHECK_EQUAL(RpcStringBindingParse(text, NULL, NULL, &host, &endpoint, NULL), RPC_S_OK);
    CHECK(strcmp((char *)host, (char *)address) == 0);
    CHECK(!endpoint || endpoint[0] == '\0'); /* partially bound */
    RpcStringFree(&host);
    RpcStringFree(&endpoint);
    RpcStringFree(&address);
    RpcStringFree(&text);
    CHECK_EQUAL(RpcBindingFree(&back), RPC_S_OK);
    return 0;
}

static void address_of_the_client(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    int32_t reply = 1;
    CHECK_EQUAL(RpcBindingSetObject(h, (UUID *)(uintptr_t)&object), RPC_S_OK);
    struct served *served = start_call(&caller, h, PLAIN, 0);
    far(look_back_there, served, 0, 0);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

const struct test attribute_tests[] = {
    {"attributes_of_a_handle", attributes_of_a_handle},
    {"attributes_in_the_manager", attributes_in_the_manager},
    {"attributes_call_status", attributes_call_status},
    {"address_of_the_client", address_of_the_client},
    {NULL, NULL},
};
