/* SPDX-License-Identifier: MIT */
/* error_tests.c - extended error information: what a thread finds after a failure, and the
 * functions on it. */
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpceeinfo.h>

#include "api.h"

static RPC_EXTENDED_ERROR_INFO room(void)
{
    RPC_EXTENDED_ERROR_INFO info;
    memset(&info, 0xcd, sizeof(info));
    info.Version = RPC_EEINFO_VERSION;
    info.Flags = 0;
    info.NumberOfParameters = MaxNumberOfEEInfoParams;
    return info;
}

/* What this thread knows: at most four records. */
struct known {
    int count;
    RPC_EXTENDED_ERROR_INFO records[4];
    RPC_ERROR_ENUM_HANDLE handle; /* the strings are its */
};

static void learn(struct known *known)
{
    memset(known, 0, sizeof(*known));
    CHECK_EQUAL(RpcErrorStartEnumeration(&known->handle), RPC_S_OK);
    CHECK_EQUAL(RpcErrorGetNumberOfRecords(&known->handle, &known->count), RPC_S_OK);
    CHECK(known->count > 0 && known->count <= 4);
    for (int i = 0; i < known->count; i++) {
        known->records[i] = room();
        CHECK_EQUAL(RpcErrorGetNextRecord(&known->handle, FALSE, &known->records[i]), RPC_S_OK);
    }
    RPC_EXTENDED_ERROR_INFO more = room();
    CHECK_EQUAL(RpcErrorGetNextRecord(&known->handle, FALSE, &more), RPC_S_ENTRY_NOT_FOUND);
}

static void forget(struct known *known)
{
    CHECK_EQUAL(RpcErrorEndEnumeration(&known->handle), RPC_S_OK);
    CHECK(!known->handle.Head && !known->handle.CurrentPos && known->handle.Signature == 0);
}

static bool knows_nothing(void)
{
    RPC_ERROR_ENUM_HANDLE handle;
    return RpcErrorStartEnumeration(&handle) == RPC_S_ENTRY_NOT_FOUND;
}

static bool same_text(const WCHAR *got, const char *wanted)
{
    size_t i = 0;
    while (wanted[i] && got[i] == (unsigned char)wanted[i])
        i++;
    return !wanted[i] && !got[i];
}

static bool contains(const WCHAR *text, const char *part)
{
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && text[i] == (unsigned char)part[i])
            i++;
        if (!part[i])
            return true;
    }
    return false;
}

static RPC_STATUS add(RPC_STATUS status, const char *ansi)
{
    RPC_EXTENDED_ERROR_INFO info = {.Version = RPC_EEINFO_VERSION,
                                    .Status = (ULONG)status,
                                    .NumberOfParameters = 1};
    info.Parameters[0].ParameterType = eeptAnsiString;
    info.Parameters[0].u.AnsiString = (char *)(uintptr_t)ansi;
    return RpcErrorAddRecord(&info);
}

/* ---- The manager raises ----------------------------------------------------------- */

static void add_and_raise(handle_t h)
{
    (void)h;
    CHECK(knows_nothing());
    CHECK_EQUAL(add(2, "first"), RPC_S_OK);
    CHECK_EQUAL(add(3, "second"), RPC_S_OK);
    RpcRaiseException(4711);
}

static void raised_with_records(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct known known;
    RPC_STATUS status;
    in_manager = add_and_raise;
    RAISED(status, c_ping(h, 1));
    CHECK_EQUAL(status, 4711);
    learn(&known);
    CHECK_EQUAL(known.count, 4);
    /* Ours, the server's runtime's with its name, the manager's in the opposite order. */
    CHECK_EQUAL(known.records[0].GeneratingComponent, RPCX_EEINFO_GC_PENSTOCK);
    CHECK_EQUAL(known.records[0].Status, 4711);
    CHECK(same_text(known.records[0].Parameters[0].u.UnicodeString, "ping"));
    CHECK(!known.records[0].ComputerName);
    char host[256] = "";
    CHECK(gethostname(host, sizeof(host) - 1) == 0);
    host[strcspn(host, ".")] = '\0';
    CHECK(same_text(known.records[1].ComputerName, host));
    CHECK_EQUAL(known.records[1].Status, 4711);
    CHECK(known.records[1].DetectionLocation != known.records[0].DetectionLocation);
    CHECK_EQUAL(known.records[2].GeneratingComponent, EEInfoGCApplication);
    CHECK_EQUAL(known.records[2].Status, 3);
    CHECK(strcmp(known.records[2].Parameters[0].u.AnsiString, "second") == 0);
    CHECK_EQUAL(known.records[3].Status, 2);
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(known.records[i].ProcessID, (ULONG)(i == 0 ? getpid() : server_pid()));
        CHECK_EQUAL(known.records[i].Flags, 0);
        CHECK(known.records[i].u.SystemTime.wYear >= 2024);
        CHECK(known.records[i].u.SystemTime.wMonth >= 1 &&
              known.records[i].u.SystemTime.wMonth <= 12);
    }
    /* The next call that succeeds leaves nothing; the snapshot stays. */
    in_manager = NULL;
    CHECK_EQUAL(c_ping(h, 1), 2);
    CHECK(knows_nothing());
    CHECK(same_text(known.records[1].ComputerName, host));
    forget(&known);
    RpcBindingFree(&h);
}

/* A call inside a manager: its records go on to our client. */
static void call_nobody(handle_t h)
{
    RPC_STATUS status;
    RPC_BINDING_HANDLE nowhere = bind_text(strcmp(transport, "ncalrpc") == 0
                                               ? "ncalrpc:[nobody-there]"
                                               : "ncacn_ip_tcp:127.0.0.1[1]");
    (void)h;
    in_manager = NULL;
    RAISED(status, c_ping(nowhere, 1));
    RpcBindingFree(&nowhere);
    RpcRaiseException(status);
}

static void raised_through_two(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct known known;
    RPC_STATUS status;
    in_manager = call_nobody;
    RAISED(status, c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_SERVER_UNAVAILABLE);
    learn(&known);
    CHECK_EQUAL(known.count, 4);
    CHECK(known.records[1].ComputerName);
    CHECK_EQUAL(known.records[2].Status, RPC_S_SERVER_UNAVAILABLE);
    CHECK(known.records[3].Status == 10061 || known.records[3].Status == 2);
    forget(&known);
    RpcBindingFree(&h);
}

/* ---- Nobody there ------------------------------------------------------------------- */

static void nobody_listens(void)
{
    bool tcp = strcmp(transport, "ncacn_ip_tcp") == 0;
    RPC_BINDING_HANDLE h = bind_text(tcp ? "ncacn_ip_tcp:127.0.0.1[1]" : "ncalrpc:[nobody-there]");
    struct known known;
    RPC_STATUS status;
    RAISED(status, c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_SERVER_UNAVAILABLE);
    learn(&known);
    CHECK_EQUAL(known.count, 2);
    CHECK_EQUAL(known.records[0].Status, RPC_S_SERVER_UNAVAILABLE);
    const RPC_EXTENDED_ERROR_INFO *cause = &known.records[1];
    if (tcp) {
        CHECK_EQUAL(cause->GeneratingComponent, EEInfoGCWinsock);
        CHECK_EQUAL(cause->DetectionLocation, 311);
        CHECK_EQUAL(cause->Status, 10061); /* WSAECONNREFUSED */
        CHECK_EQUAL(cause->NumberOfParameters, 4);
        CHECK_EQUAL(cause->Parameters[0].u.LVal, 1);
        CHECK_EQUAL(cause->Parameters[1].u.PVal, 0);
        CHECK_EQUAL(cause->Parameters[2].u.PVal, 0x7f000001);
        CHECK(contains(cause->Parameters[3].u.UnicodeString, "127.0.0.1: "));
    } else {
        CHECK_EQUAL(cause->Status, 2);
        CHECK(contains(cause->Parameters[0].u.UnicodeString, "nobody-there: "));
    }
    forget(&known);
    RpcBindingFree(&h);
    if (!tcp)
        return;
    h = bind_text("ncacn_ip_tcp:no-such-host.invalid[1]");
    RAISED(status, c_ping(h, 1));
    CHECK_EQUAL(status, RPC_S_INVALID_NET_ADDR);
    learn(&known);
    CHECK_EQUAL(known.records[1].DetectionLocation, 320);
    CHECK(same_text(known.records[1].Parameters[0].u.UnicodeString, "no-such-host.invalid"));
    forget(&known);
    RpcBindingFree(&h);
}

/* ---- Asynchronous calls --------------------------------------------------------------- */

static void *abort_with_record(void *async)
{
    CHECK_EQUAL(add(99, "aborted for a reason"), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncAbortCall(async, 1234), RPC_S_OK);
    return NULL; /* and the thread's chain is freed with it */
}

static long long abort_on_a_thread_there(struct served *served, long long a, long long b)
{
    pthread_t thread;
    (void)a, (void)b;
    CHECK(pthread_create(&thread, NULL, abort_with_record, served->there.async) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(knows_nothing());
    return 0;
}

/* Aborts with `code`, for a reason that a record with `status` gives. */
static long long abort_for_there(struct served *served, long long status, long long code)
{
    CHECK_EQUAL(add((RPC_STATUS)status, "the reason"), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncAbortCall(served->there.async, (unsigned long)code), RPC_S_OK);
    RpcErrorClearInformation();
    CHECK(knows_nothing());
    return 0;
}

/* The thread that completes the call learns why it failed, and no other. */
static void asynchronous_complete(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct known known;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    far(abort_on_a_thread_there, served, 0, 0);
    EXPECT(&caller, RpcCallComplete);
    CHECK(knows_nothing());
    CHECK_EQUAL(complete(&caller, NULL), 1234);
    learn(&known);
    CHECK_EQUAL(known.count, 3);
    CHECK_EQUAL(known.records[0].Status, 1234);
    CHECK_EQUAL(known.records[2].Status, 99);
    CHECK(strcmp(known.records[2].Parameters[0].u.AnsiString, "aborted for a reason") == 0);
    forget(&known);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* So does the one whose pull tells. */
static void asynchronous_pull(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    struct known known;
    unsigned long count;
    uint8_t octets[8];
    struct served *served = start_call(&caller, h, OUT_PIPE, 0);
    far(abort_for_there, served, 98, 1235);
    CHECK(knows_nothing());
    CHECK_EQUAL(pull_polled(&caller.pipe[0], octets, sizeof(octets), &count), 1235);
    learn(&known);
    CHECK_EQUAL(known.count, 3);
    CHECK_EQUAL(known.records[2].Status, 98);
    forget(&known);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* And the one whose push does, the first to come upon it or one that was blocked. */
static void asynchronous_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int null_push = 0; null_push < 2; null_push++) {
        struct caller caller;
        struct known known;
        uint8_t octets[8] = {0};
        struct served *served = start_call(&caller, h, IN_PIPE, 0);
        far(abort_for_there, served, 97, 1236);
        CHECK(knows_nothing());
        EXPECT(&caller, RpcCallComplete);
        CHECK_EQUAL(PUSH(&caller.pipe[0], octets, null_push ? 0 : sizeof(octets)), 1236);
        learn(&known);
        CHECK_EQUAL(known.count, 3); /* ours, the abort's, the manager's */
        CHECK_EQUAL(known.records[0].Status, 1236);
        CHECK_EQUAL(known.records[1].Status, 1236);
        CHECK_EQUAL(known.records[2].Status, 97);
        forget(&known);
        served_free(served);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

struct blocked_push {
    NDR_ASYNC_PIPE pipe;
    _Atomic bool pushes;
};

static void *push_until_told(void *arg)
{
    struct blocked_push *push = arg;
    static uint8_t octets[1000000];
    struct known known;
    RPC_STATUS status;
    push->pushes = true;
    while ((status = PUSH(&push->pipe, octets, sizeof(octets))) == RPC_S_OK)
        ;
    CHECK_EQUAL(status, 1237);
    learn(&known);
    CHECK_EQUAL(known.count, 3);
    CHECK_EQUAL(known.records[2].Status, 96);
    forget(&known);
    return NULL;
}

static void blocked_push(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller caller;
    pthread_t thread;
    struct served *served = start_call(&caller, h, IN_PIPE, 0);
    struct blocked_push push = {.pipe = caller.pipe[0]};
    CHECK(pthread_create(&thread, NULL, push_until_told, &push) == 0);
    while (!push.pushes)
        sleep_ms(1);
    sleep_ms(200); /* it is blocked by now */
    far(abort_for_there, served, 96, 1237);
    pthread_join(thread, NULL);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* The server dies: no fault says why, but we know that the connection ended. */
static void server_died(void)
{
    struct child child = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(child.binding);
    struct caller caller;
    struct known known;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    child_kill(&child, SIGKILL);
    EXPECT(&caller, RpcCallComplete);
    RPC_STATUS status = complete(&caller, NULL);
    CHECK(status != RPC_S_OK);
    learn(&known);
    CHECK_EQUAL(known.count, 1);
    CHECK_EQUAL(known.records[0].Status, (ULONG)status);
    CHECK_EQUAL(known.records[0].DetectionLocation, 5); /* docs/design/errors.md */
    forget(&known);
    child_stop(&child);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- The functions ---------------------------------------------------------------------- */

static RPC_EXTENDED_ERROR_INFO full_record(WCHAR *text, void *data)
{
    RPC_EXTENDED_ERROR_INFO info = {.Version = RPC_EEINFO_VERSION, .Status = 77,
                                    .NumberOfParameters = 4};
    info.Parameters[0] = (RPC_EE_INFO_PARAM){.ParameterType = eeptUnicodeString,
                                             .u.UnicodeString = text};
    info.Parameters[1] = (RPC_EE_INFO_PARAM){.ParameterType = eeptPointerVal,
                                             .u.PVal = 0x123456789abcdef0};
    info.Parameters[2] = (RPC_EE_INFO_PARAM){.ParameterType = eeptShortVal, .u.SVal = -5};
    info.Parameters[3] = (RPC_EE_INFO_PARAM){.ParameterType = eeptBinary,
                                             .u.BVal = {.Buffer = data, .Size = 3}};
    return info;
}

static void check_full(const RPC_EXTENDED_ERROR_INFO *got)
{
    CHECK_EQUAL(got->Status, 77);
    CHECK_EQUAL(got->GeneratingComponent, EEInfoGCApplication);
    CHECK_EQUAL(got->DetectionLocation, 0);
    CHECK_EQUAL(got->NumberOfParameters, 4);
    CHECK(same_text(got->Parameters[0].u.UnicodeString, "text"));
    CHECK_EQUAL(got->Parameters[1].u.PVal, 0x123456789abcdef0);
    CHECK_EQUAL(got->Parameters[2].u.SVal, -5);
    CHECK_EQUAL(got->Parameters[3].u.BVal.Size, 3);
    CHECK(memcmp(got->Parameters[3].u.BVal.Buffer, "\1\2\3", 3) == 0);
}

static void save_and_load(void)
{
    WCHAR text[] = u"text";
    char data[] = "\1\2\3";
    RPC_EXTENDED_ERROR_INFO in = full_record(text, data), out;
    RPC_ERROR_ENUM_HANDLE handle, loaded;
    void *blob;
    size_t size;
    int count;
    CHECK_EQUAL(add(1, "older"), RPC_S_OK);
    CHECK_EQUAL(RpcErrorAddRecord(&in), RPC_S_OK);
    memset(text, 0, sizeof(text)); /* it was copied */
    memset(data, 0, sizeof(data));
    CHECK_EQUAL(RpcErrorStartEnumeration(&handle), RPC_S_OK);
    RpcErrorClearInformation();
    CHECK(knows_nothing());
    for (int pass = 0; pass < 2; pass++) { /* wherever the position is */
        CHECK_EQUAL(RpcErrorSaveErrorInfo(&handle, &blob, &size), RPC_S_OK);
        CHECK_EQUAL(RpcErrorLoadErrorInfo(blob, size, &loaded), RPC_S_OK);
        free(blob);
        CHECK_EQUAL(RpcErrorGetNumberOfRecords(&loaded, &count), RPC_S_OK);
        CHECK_EQUAL(count, 2);
        out = room();
        CHECK_EQUAL(RpcErrorGetNextRecord(&loaded, TRUE, &out), RPC_S_OK);
        CHECK_EQUAL(RpcErrorEndEnumeration(&loaded), RPC_S_OK);
        check_full(&out); /* copies live on */
        free(out.Parameters[0].u.UnicodeString);
        free(out.Parameters[3].u.BVal.Buffer);
        out = room();
        out.Flags = EEInfoUseFileTime;
        CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &out), RPC_S_OK);
        CHECK(out.u.FileTime.dwHighDateTime > 0x01d90000);
    }
    out = room();
    CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &out), RPC_S_ENTRY_NOT_FOUND);
    CHECK_EQUAL(RpcErrorResetEnumeration(&handle), RPC_S_OK);
    out.NumberOfParameters = 3;
    CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &out), RPC_S_BUFFER_TOO_SMALL);
    out = room(); /* the position has not moved */
    CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &out), RPC_S_OK);
    check_full(&out);
    CHECK_EQUAL(RpcErrorEndEnumeration(&handle), RPC_S_OK);
}

static void wrong_arguments(void)
{
    RPC_ERROR_ENUM_HANDLE handle = {0};
    RPC_EXTENDED_ERROR_INFO info = room();
    void *blob = NULL;
    size_t size;
    int count;
    CHECK(knows_nothing());
    CHECK_EQUAL(RpcErrorStartEnumeration(NULL), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &info), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorGetNumberOfRecords(&handle, &count), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorResetEnumeration(&handle), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorEndEnumeration(&handle), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorSaveErrorInfo(&handle, &blob, &size), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorLoadErrorInfo(NULL, 0, &handle), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorLoadErrorInfo("garbage that is no blob", 24, &handle), RPC_S_INVALID_ARG);
    CHECK_EQUAL(RpcErrorAddRecord(NULL), RPC_S_INVALID_ARG);
    for (int i = 0; i < 9; i++) {
        WCHAR text[] = u"x";
        RPC_EXTENDED_ERROR_INFO in = full_record(text, text);
        in.Version = i == 0 ? 2 : 1;
        in.ComputerName = i == 1 ? text : NULL;
        in.ProcessID = i == 2;
        in.GeneratingComponent = i == 3;
        in.DetectionLocation = i == 4;
        in.NumberOfParameters = i == 5 ? 5 : i == 6 ? -1 : 4;
        if (i == 7)
            in.Parameters[0].u.UnicodeString = NULL;
        if (i == 8)
            in.Parameters[2].ParameterType = (ExtendedErrorParamTypes)8;
        CHECK_EQUAL(RpcErrorAddRecord(&in), RPC_S_INVALID_ARG);
    }
    CHECK(knows_nothing());
}

/* More than a PDU, and more than a chain, can take: the ends arrive, and say so. */
static void add_many(handle_t h)
{
    (void)h;
    char *text = malloc(1001);
    memset(text, 'x', 1000);
    text[1000] = '\0';
    for (int i = 1; i <= 100; i++)
        CHECK_EQUAL(add(i, text), RPC_S_OK);
    free(text);
    RpcRaiseException(4712);
}

static void too_many_records(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    RPC_ERROR_ENUM_HANDLE handle;
    RPC_EXTENDED_ERROR_INFO info;
    RPC_STATUS status;
    int count;
    in_manager = add_many;
    RAISED(status, c_ping(h, 1));
    in_manager = NULL;
    CHECK_EQUAL(status, 4712);
    CHECK_EQUAL(RpcErrorStartEnumeration(&handle), RPC_S_OK);
    CHECK_EQUAL(RpcErrorGetNumberOfRecords(&handle, &count), RPC_S_OK);
    CHECK(count >= 4 && count < 64);
    for (int i = 0; i < count; i++) {
        info = room();
        CHECK_EQUAL(RpcErrorGetNextRecord(&handle, FALSE, &info), RPC_S_OK);
        CHECK_EQUAL(info.Flags, i == count - 2   ? EEInfoNextRecordsMissing
                                : i == count - 1 ? EEInfoPreviousRecordsMissing
                                                 : 0);
    }
    CHECK_EQUAL(info.Status, 1); /* the first cause is always there */
    CHECK_EQUAL(RpcErrorEndEnumeration(&handle), RPC_S_OK);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

const struct test error_tests[] = {
    {"errors_raised_with_records", raised_with_records},
    {"errors_raised_through_two", raised_through_two},
    {"errors_nobody_listens", nobody_listens},
    {"errors_asynchronous_complete", asynchronous_complete},
    {"errors_asynchronous_pull", asynchronous_pull},
    {"AP-18_errors_asynchronous_push", asynchronous_push},
    {"AP-18_errors_blocked_push", blocked_push},
    {"errors_server_died", server_died},
    {"errors_save_and_load", save_and_load},
    {"errors_wrong_arguments", wrong_arguments},
    {"errors_too_many_records", too_many_records},
    {NULL, NULL},
};
