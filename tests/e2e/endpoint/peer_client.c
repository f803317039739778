/* SPDX-License-Identifier: MIT */
/* peer_client.c - the client's commands; one binding handle at a time.
 *
 *   bind STRING        a new handle                           status
 *   object N           its object                             status
 *   reset, copy, text  RpcBindingReset; RpcBindingCopy in its place; its string binding
 *   resolve IF         RpcEpResolveBinding                    status
 *   who, async, named  a call                                 pid, or -status
 *   burst N            N asynchronous calls at once           how many were answered
 *   list TYPE VERS IF MAJOR.MINOR N   RpcMgmtEpEltInq... at the handle ("-": at this host)
 *   forget STRING MAJOR.MINOR N   RpcMgmtEpUnregister at the handle
 * and those of peer_manage.c. */
#include "peer.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "win32.h"

static RPC_BINDING_HANDLE handle;

void peer_say(long value)
{
    printf("%ld\n", value);
    fflush(stdout);
}

static UUID object_of(unsigned number)
{
    return (UUID){number, 0, 0, {0}};
}

static RPC_STATUS bind_text(const char *text)
{
    if (handle)
        RpcBindingFree(&handle);
    return RpcBindingFromStringBindingA((RPC_CSTR)(uintptr_t)text, &handle);
}

static RPC_STATUS copy(void)
{
    RPC_BINDING_HANDLE from = handle;
    RPC_STATUS status = RpcBindingCopy(from, &handle);
    RpcBindingFree(&from);
    return status;
}

typedef RPC_STATUS to_text(RPC_BINDING_HANDLE binding, RPC_CSTR *text);
typedef RPC_STATUS next_entry(RPC_EP_INQ_HANDLE inquiry, RPC_IF_ID *id, RPC_BINDING_HANDLE *binding,
                              UUID *object, RPC_CSTR *annotation);

static void say_text(RPC_BINDING_HANDLE binding, to_text *to_string, const char *end)
{
    RPC_CSTR text = NULL;
    if (binding && to_string(binding, &text) == RPC_S_OK)
        printf("%s%s", (const char *)text, end);
    else
        printf("-%s", end);
    fflush(stdout);
    RpcStringFreeA(&text);
}

static long call(int32_t routine(handle_t h))
{
    volatile long result = 0;
    RpcTryExcept {
        result = routine(handle);
    }
    RpcExcept(1) {
        result = -(long)RpcExceptionCode();
    }
    RpcEndExcept
    return result;
}

struct async_call {
    RPC_ASYNC_STATE state;
    RPC_STATUS raised;
};

static void start(struct async_call *async)
{
    volatile RPC_STATUS raised = RPC_S_OK;
    RpcAsyncInitializeHandle(&async->state, sizeof(async->state));
    async->state.NotificationType = RpcNotificationTypeEvent;
    async->state.u.hEvent = CreateEventA(NULL, FALSE, FALSE, NULL);
    RpcTryExcept {
        c_who_async(&async->state, handle);
    }
    RpcExcept(1) {
        raised = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    async->raised = raised;
}

static long finish(struct async_call *async)
{
    int32_t reply = 0;
    RPC_STATUS status = async->raised;
    if (status == RPC_S_OK) {
        if (!async->state.u.hEvent || WaitForSingleObject(async->state.u.hEvent, 60000) != 0)
            while (RpcAsyncGetCallStatus(&async->state) == RPC_S_ASYNC_CALL_PENDING)
                sched_yield(); /* without an event nobody tells us */
        status = RpcAsyncCompleteCall(&async->state, &reply);
    }
    if (async->state.u.hEvent)
        CloseHandle(async->state.u.hEvent);
    return status == RPC_S_OK ? reply : -(long)status;
}

static long call_async(void)
{
    struct async_call async;
    start(&async);
    return finish(&async);
}

static long burst(unsigned count)
{
    struct async_call *calls = calloc(count, sizeof(*calls));
    long good = 0;
    if (!calls)
        return -RPC_S_OUT_OF_MEMORY;
    for (unsigned i = 0; i < count; i++)
        start(&calls[i]);
    for (unsigned i = 0; i < count; i++)
        good += finish(&calls[i]) > 0;
    free(calls);
    return good;
}

/* ---- Entries --------------------------------------------------------------------------- */

static void list(bool here, bool wide, unsigned long type, unsigned long versions, const char *interface,
                 unsigned major, unsigned minor, unsigned object_number)
{
    RPC_EP_INQ_HANDLE inquiry;
    RPC_IF_ID id;
    UUID object = object_of(object_number);
    RpcIfInqId(strcmp(interface, "named") == 0 ? c_named_v1_0_c_ifspec : c_endpoint_v2_3_c_ifspec,
               &id);
    id.VersMajor = (unsigned short)major;
    id.VersMinor = (unsigned short)minor;
    RPC_STATUS status =
        RpcMgmtEpEltInqBegin(here ? NULL : handle, type, &id, versions, &object, &inquiry);
    const bool begun = status == RPC_S_OK;
    next_entry *next = wide ? peer_next_wide : RpcMgmtEpEltInqNextA;
    while (status == RPC_S_OK) {
        RPC_BINDING_HANDLE binding = NULL;
        RPC_CSTR annotation = NULL, uuid = NULL;
        status = next(inquiry, &id, &binding, &object, &annotation);
        if (status != RPC_S_OK)
            break;
        if (UuidToStringA(&id.Uuid, &uuid) != RPC_S_OK)
            uuid = NULL;
        printf("%s %u.%u %u ", uuid ? (const char *)uuid : "-", (unsigned)id.VersMajor, (unsigned)id.VersMinor,
               (unsigned)object.Data1);
        say_text(binding, wide ? peer_text_wide : RpcBindingToStringBindingA, " ");
        printf("%s\n", (const char *)annotation);
        RpcStringFreeA(&annotation);
        RpcStringFreeA(&uuid);
        if (binding)
            RpcBindingFree(&binding);
    }
    if (begun)
        RpcMgmtEpEltInqDone(&inquiry);
    printf("end %d\n", (int)status);
    fflush(stdout);
}

static RPC_STATUS forget(const char *text, unsigned major, unsigned minor, unsigned object_number)
{
    RPC_IF_ID id;
    RPC_BINDING_HANDLE binding;
    UUID object = object_of(object_number);
    RpcIfInqId(c_endpoint_v2_3_c_ifspec, &id);
    id.VersMajor = (unsigned short)major;
    id.VersMinor = (unsigned short)minor;
    RPC_STATUS status = RpcBindingFromStringBindingA((RPC_CSTR)(uintptr_t)text, &binding);
    if (status != RPC_S_OK)
        return status;
    status = RpcMgmtEpUnregister(handle, &id, binding, &object);
    RpcBindingFree(&binding);
    return status;
}

static void obey(const char *line)
{
    char text[256], verb[32];
    unsigned n, major, minor;
    unsigned long type, versions;
    if (sscanf(line, "bind %255s", text) == 1) {
        peer_say(bind_text(text));
    } else if (sscanf(line, "object %u", &n) == 1) {
        UUID object = object_of(n);
        peer_say(RpcBindingSetObject(handle, &object));
    } else if (strcmp(line, "reset") == 0) {
        peer_say(RpcBindingReset(handle));
    } else if (strcmp(line, "copy") == 0) {
        peer_say(copy());
    } else if (strcmp(line, "text") == 0) {
        say_text(handle, RpcBindingToStringBindingA, "\n");
    } else if (strcmp(line, "wtext") == 0) {
        say_text(handle, peer_text_wide, "\n");
    } else if (sscanf(line, "wbind %255s", text) == 1) {
        if (handle)
            RpcBindingFree(&handle);
        peer_say(RpcBindingFromStringBindingW(peer_widen(text), &handle));
    } else if (sscanf(line, "resolve %255s", text) == 1) {
        peer_say(RpcEpResolveBinding(handle, strcmp(text, "named") == 0 ? c_named_v1_0_c_ifspec
                                                                    : c_endpoint_v2_3_c_ifspec));
    } else if (strcmp(line, "who") == 0) {
        peer_say(call(c_who));
    } else if (strcmp(line, "named") == 0) {
        peer_say(call(c_who_named));
    } else if (strcmp(line, "async") == 0) {
        peer_say(call_async());
    } else if (sscanf(line, "burst %u", &n) == 1) {
        peer_say(burst(n));
    } else if (sscanf(line, "%31s %lu %lu %255s %u.%u %u", verb, &type, &versions, text, &major,
                      &minor, &n) == 7 && strstr(verb, "list")) {
        list(strstr(verb, "here"), *verb == 'w', type, versions, text, major, minor, n);
    } else if (sscanf(line, "forget %255s %u.%u %u", text, &major, &minor, &n) == 4) {
        peer_say(forget(text, major, minor, n));
    } else if (!peer_manage(handle, line)) {
        peer_say(-1);
    }
}

int peer_client(void)
{
    char line[512];
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    if (handle)
        RpcBindingFree(&handle);
    return 0;
}
