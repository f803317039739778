/* SPDX-License-Identifier: MIT */
/* endpoint_tests.c - the ways to open endpoints: by name, by the IDL file, by every protocol
 * sequence; and what the process says of its interfaces. */
#include "harness.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT(literal) ((RPC_CSTR)(uintptr_t)(literal))
#define WIDE(literal) ((RPC_WSTR)(uintptr_t)(u##literal))
#define CALLS RPC_C_PROTSEQ_MAX_REQS_DEFAULT

/* A name nobody else has; and a port that was free a moment ago. */
static char local_name[64], port[8];

static void find_names(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
          getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
    snprintf(local_name, sizeof(local_name), "endpoints-%d", (int)getpid());
}

/* The interface as an IDL file with these endpoints would have it. */
static RPC_PROTSEQ_ENDPOINT named[4];
static RPC_SERVER_INTERFACE spec;

static void make_spec(unsigned count)
{
    named[0] = (RPC_PROTSEQ_ENDPOINT){TEXT("ncacn_np"), TEXT("\\pipe\\api")};
    named[1] = (RPC_PROTSEQ_ENDPOINT){TEXT("ncacn_ip_tcp"), (RPC_CSTR)port};
    named[2] = (RPC_PROTSEQ_ENDPOINT){TEXT("ncalrpc"), (RPC_CSTR)local_name};
    memcpy(&spec, s_api_v1_0_s_ifspec, sizeof(spec));
    spec.RpcProtseqEndpointCount = count;
    spec.RpcProtseqEndpoint = named;
}

/* How many endpoints the process has, of `protseq` (NULL: of any), named `endpoint` (NULL: any). */
static unsigned count_endpoints(const char *protseq, const char *endpoint)
{
    RPC_BINDING_VECTOR *vector;
    unsigned count = 0;
    RPC_STATUS status = RpcServerInqBindings(&vector);
    if (status == RPC_S_NO_BINDINGS)
        return 0;
    CHECK_EQUAL(status, RPC_S_OK);
    for (unsigned long i = 0; i < vector->Count; i++) {
        RPC_CSTR text, its_protseq, its_endpoint;
        CHECK_EQUAL(RpcBindingToStringBinding(vector->BindingH[i], &text), RPC_S_OK);
        CHECK_EQUAL(RpcStringBindingParse(text, NULL, &its_protseq, NULL, &its_endpoint, NULL),
                    RPC_S_OK);
        count += (!protseq || strcmp((char *)its_protseq, protseq) == 0) &&
                 (!endpoint || strcmp((char *)its_endpoint, endpoint) == 0);
        RpcStringFree(&text);
        RpcStringFree(&its_protseq);
        RpcStringFree(&its_endpoint);
    }
    RpcBindingVectorFree(&vector);
    return count;
}

static void serve_by(const char *protseq, const char *endpoint)
{
    char text[128];
    snprintf(text, sizeof(text), "%s:%s[%s]", protseq,
             strcmp(protseq, "ncalrpc") == 0 ? "" : "127.0.0.1", endpoint);
    RPC_BINDING_HANDLE h = bind_text(text);
    CHECK_EQUAL(c_ping(h, 1), 2);
    RpcBindingFree(&h);
}

static void listen_here(void)
{
    CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, NULL, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), RPC_S_OK);
}

static void endpoints_of_an_interface(void)
{
    find_names();
    make_spec(3);
    bool tcp = strcmp(transport, "ncacn_ip_tcp") == 0;
    const char *endpoint = tcp ? port : local_name;
    CHECK_EQUAL(RpcServerUseProtseqIf(TEXT(transport), CALLS, &spec, NULL), RPC_S_OK);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 1);
    CHECK_EQUAL(count_endpoints(transport, endpoint), 1);
    listen_here();
    serve_by(transport, endpoint);

    RPC_POLICY policy = {sizeof(policy), RPC_C_DONT_FAIL, RPC_C_BIND_TO_ALL_NICS}, wrong = {1, 0, 0};
    CHECK_EQUAL(RpcServerUseProtseqIfEx(TEXT(transport), CALLS, &spec, NULL, &policy),
                RPC_S_DUPLICATE_ENDPOINT);
    CHECK_EQUAL(RpcServerUseProtseqIfEx(TEXT(transport), CALLS, &spec, NULL, &wrong),
                RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcServerUseProtseqIf(TEXT("ncacn_np"), CALLS, &spec, NULL),
                RPC_S_PROTSEQ_NOT_SUPPORTED);
    CHECK_EQUAL(RpcServerUseProtseqIf(TEXT("tcp"), CALLS, &spec, NULL), RPC_S_INVALID_RPC_PROTSEQ);
    CHECK_EQUAL(RpcServerUseProtseqIf(NULL, CALLS, &spec, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcServerUseProtseqIf(TEXT(transport), CALLS, NULL, NULL), RPC_S_INVALID_ARG);
    make_spec(1); /* another one alone */
    CHECK_EQUAL(RpcServerUseProtseqIf(TEXT(transport), CALLS, &spec, NULL),
                RPC_S_PROTSEQ_NOT_FOUND);
    make_spec(3);
    CHECK_EQUAL(RpcServerUseProtseqIfW(tcp ? WIDE("ncalrpc") : WIDE("ncacn_ip_tcp"), CALLS, &spec,
                                       NULL),
                RPC_S_OK);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 2);
    serve_by(tcp ? "ncalrpc" : "ncacn_ip_tcp", tcp ? local_name : port);
    CHECK_EQUAL(RpcServerUseProtseqIfExW(NULL, CALLS, &spec, NULL, NULL), RPC_S_INVALID_ARG);
}

static void endpoints_all_of_an_interface(void)
{
    find_names();
    make_spec(1); /* none that is supported */
    CHECK_EQUAL(RpcServerUseAllProtseqsIf(CALLS, &spec, NULL), RPC_S_NO_PROTSEQS);
    CHECK_EQUAL(RpcServerUseAllProtseqsIf(CALLS, s_api_v1_0_s_ifspec, NULL), RPC_S_NO_PROTSEQS);
    CHECK_EQUAL(RpcServerUseAllProtseqsIf(CALLS, NULL, NULL), RPC_S_INVALID_ARG);
    RPC_POLICY wrong = {sizeof(wrong) + 1, 0, 0};
    make_spec(3);
    CHECK_EQUAL(RpcServerUseAllProtseqsIfEx(CALLS, &spec, NULL, &wrong), RPC_S_INVALID_ARG);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 0);
    CHECK_EQUAL(RpcServerUseAllProtseqsIf(CALLS, &spec, NULL), RPC_S_OK);
    CHECK_EQUAL(count_endpoints("ncacn_ip_tcp", port), 1);
    CHECK_EQUAL(count_endpoints("ncalrpc", local_name), 1);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 2);
    listen_here();
    serve_by("ncacn_ip_tcp", port);
    serve_by("ncalrpc", local_name);
    CHECK_EQUAL(RpcServerUseAllProtseqsIfEx(CALLS, &spec, NULL, NULL), RPC_S_DUPLICATE_ENDPOINT);
}

static void endpoints_all(void)
{
    RPC_POLICY policy = {sizeof(policy), 0, 0}, wrong = {0, 0, 0};
    CHECK_EQUAL(RpcServerUseAllProtseqsEx(CALLS, NULL, &wrong), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcServerUseProtseqEx(TEXT(transport), CALLS, NULL, &wrong), RPC_S_INVALID_ARG);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 0);
    CHECK_EQUAL(RpcServerUseAllProtseqs(CALLS, NULL), RPC_S_OK);
    CHECK_EQUAL(count_endpoints("ncacn_ip_tcp", NULL), 1);
    CHECK_EQUAL(count_endpoints("ncalrpc", NULL), 1);
    CHECK_EQUAL(RpcServerUseAllProtseqsEx(CALLS, NULL, &policy), RPC_S_OK);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 4);
    CHECK_EQUAL(RpcServerUseProtseqEx(TEXT(transport), CALLS, NULL, &policy), RPC_S_OK);
    CHECK_EQUAL(RpcServerUseProtseqExW(WIDE("ncalrpc"), CALLS, NULL, NULL), RPC_S_OK);
    CHECK_EQUAL(count_endpoints(NULL, NULL), 6);
    CHECK_EQUAL(RpcServerUseProtseqExW(WIDE("ncalrpc"), CALLS, NULL, &wrong), RPC_S_INVALID_ARG);

    /* Without a place for local sockets the others are opened all the same. */
    CHECK(setenv("XDG_RUNTIME_DIR", "/proc/no/such/folder", 1) == 0);
    RPC_STATUS alone = RpcServerUseProtseq(TEXT("ncalrpc"), CALLS, NULL);
    unsigned before = count_endpoints(NULL, NULL);
    CHECK_EQUAL(RpcServerUseAllProtseqs(CALLS, NULL), RPC_S_OK);
    CHECK_EQUAL(count_endpoints(NULL, NULL), before + (alone == RPC_S_OK ? 2 : 1));
}

static void names_interfaces(void)
{
    RPC_IF_ID_VECTOR *vector = (RPC_IF_ID_VECTOR *)(uintptr_t)1;
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, &vector), RPC_S_NO_INTERFACES);
    CHECK(!vector);
    CHECK_EQUAL(RpcIfIdVectorFree(&vector), RPC_S_OK);
    CHECK_EQUAL(RpcIfIdVectorFree(NULL), RPC_S_INVALID_ARG);

    RPC_BINDING_HANDLE h = serve_in_this_process(); /* which asks itself, without a call */
    make_spec(0);
    spec.InterfaceId.SyntaxGUID.Data1++;
    spec.InterfaceId.SyntaxVersion = (RPC_VERSION){3, 7};
    CHECK_EQUAL(RpcServerRegisterIf(&spec, NULL, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, &vector), RPC_S_OK);
    CHECK_EQUAL(vector->Count, 2);
    RPC_IF_ID id;
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQUAL(RpcIfInqId(i == 0 ? s_api_v1_0_s_ifspec : &spec, &id), RPC_S_OK);
        CHECK(memcmp(&id.Uuid, &vector->IfId[i]->Uuid, sizeof(UUID)) == 0);
        CHECK_EQUAL(vector->IfId[i]->VersMajor, i == 0 ? 1 : 3);
        CHECK_EQUAL(vector->IfId[i]->VersMinor, i == 0 ? 0 : 7);
    }
    CHECK_EQUAL(RpcIfIdVectorFree(&vector), RPC_S_OK);
    CHECK(!vector);
    CHECK_EQUAL(RpcServerUnregisterIf(&spec, NULL, FALSE), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtInqIfIds(NULL, &vector), RPC_S_OK);
    CHECK_EQUAL(vector->Count, 1);
    RpcIfIdVectorFree(&vector);
    RpcBindingFree(&h);
}

/* ---- Stacks ----------------------------------------------------------------------- */

static BOTH_SIDES size_t stack_seen;

static void look_at_stack(handle_t h)
{
    pthread_attr_t attr;
    (void)h;
    CHECK(pthread_getattr_np(pthread_self(), &attr) == 0);
    pthread_attr_getstacksize(&attr, &stack_seen);
    pthread_attr_destroy(&attr);
}

static long long yield_there(struct served *unused, long long a, long long b)
{
    (void)unused, (void)a, (void)b;
    RpcServerYield();
    return RpcMgmtEnableIdleCleanup();
}

/* Managers run on a stack of that size, which the server has from before it was forked. */
static void names_stack_size(void)
{
    CHECK_EQUAL(RpcMgmtSetServerStackSize(0), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtSetServerStackSize(1), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtSetServerStackSize((unsigned long)-1), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcMgmtSetServerStackSize(3000001), RPC_S_OK); /* before the first thread */
    RPC_BINDING_HANDLE h = serve_here();
    in_manager = look_at_stack;
    CHECK_EQUAL(c_ping(h, 1), 2);
    CHECK(stack_seen >= 3000001 && stack_seen < 3000001 + 65536);
    CHECK_EQUAL(far(yield_there, NULL, 0, 0), RPC_S_OK);
    CHECK_EQUAL(c_ping(h, 1), 2);
    RpcBindingFree(&h);
}

const struct test endpoint_tests[] = {
    {"endpoints_of_an_interface", endpoints_of_an_interface},
    {"endpoints_all_of_an_interface", endpoints_all_of_an_interface},
    {"endpoints_all", endpoints_all},
    {"names_interfaces", names_interfaces},
    {"names_stack_size", names_stack_size},
    {NULL, NULL},
};
