/* SPDX-License-Identifier: MIT */
/* matrix_client.c - the asynchronous client of the matrix.
 *
 *     matrix_client BINDING SET
 *
 * Sets: values (operations without pipes), told (every way of being told, on both
 * sides), and those of sets.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow.h"
#include "memory.h"
#include "report.h"
#include "sets.h"

/* ---- Calls with pipes ------------------------------------------------------ */

#define CALL_CASE(name, type)                                                                      \
    case ELEMENT_##name:                                                                           \
        if (direction == TO_SERVER)                                                                \
            sink_##name(&flow->own_async, h, server, (ASYNC_##name##_pipe *)&flow->pipe, got);     \
        else if (direction == TO_CLIENT)                                                           \
            source_##name(&flow->own_async, h, server, (ASYNC_##name##_pipe *)&flow->pipe);        \
        else                                                                                       \
            swap_##name(&flow->own_async, h, server, (ASYNC_##name##_pipe *)&flow->pipe, got);     \
        break;

static void call_stub(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
                      const flow_plan *server, struct flow *flow, uint64_t *got)
{
    switch (index) {
        ELEMENTS(CALL_CASE)
    case ELEMENT_COUNT:
        break;
    }
}

RPC_STATUS run(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
                      const flow_plan *client, const flow_plan *server)
{
    struct flow *flow =
        flow_client(&elements[index], client, direction != TO_CLIENT, direction != TO_SERVER);
    uint64_t got = UINT64_MAX;
    volatile RPC_STATUS raised = RPC_S_OK;
    RpcTryExcept {
        call_stub(h, index, direction, server, flow, &got);
    }
    RpcExcept(1) {
        raised = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    RPC_STATUS status = raised == RPC_S_OK ? flow_finish(flow) : raised;
    if (status == RPC_S_OK && direction != TO_CLIENT && got != client->count)
        status = FLOW_WRONG_COUNT;
    if (status == RPC_S_OK && direction != TO_SERVER && flow->pulled != client->count)
        status = FLOW_WRONG_COUNT;
    if (status != FLOW_TIMEOUT) /* then somebody may still be at work on it */
        flow_free(flow);
    return status;
}

/* ---- Being told ------------------------------------------------------------ */

static const char *told_name(char *text, size_t len, unsigned how)
{
    static const char *const names[] = {"poll", "event", "callback", "apc", "port"};
    snprintf(text, len, "%s%s%s", names[how & FLOW_TOLD_MASK],
             how & FLOW_SEND_COMPLETE ? "+send" : "", how & FLOW_OTHER_THREAD ? "+thread" : "");
    return text;
}

static void set_told(RPC_BINDING_HANDLE h)
{
    static const unsigned extras[] = {0, FLOW_SEND_COMPLETE, FLOW_OTHER_THREAD,
                                      FLOW_SEND_COMPLETE | FLOW_OTHER_THREAD};
    uint32_t seed = 1000;
    for (unsigned c = 0; c < 4 * FLOW_TOLD_COUNT; c++) {
        for (unsigned s = 0; s < 4 * FLOW_TOLD_COUNT; s++) {
            for (unsigned d = 0; d < DIRECTION_COUNT; d++) {
                unsigned client_how = c % FLOW_TOLD_COUNT | extras[c / FLOW_TOLD_COUNT];
                unsigned server_how = s % FLOW_TOLD_COUNT | extras[s / FLOW_TOLD_COUNT];
                const flow_plan client = {300000, seed, 30000, client_how};
                const flow_plan server = {300000, seed, 50000, server_how};
                seed++;
                RPC_STATUS status = run(h, ELEMENT_byte, d, &client, &server);
                char name[128], cname[32], sname[32];
                snprintf(name, sizeof(name), "client-%s-server-%s-%s",
                         told_name(cname, sizeof(cname), client_how),
                         told_name(sname, sizeof(sname), server_how), direction_names[d]);
                report(status == RPC_S_OK, name, "status", status, 0);
            }
        }
    }
}

/* ---- Without pipes ---------------------------------------------------------- */

/* One asynchronous call without a pipe, told in the way `told`. */
struct brief {
    RPC_ASYNC_STATE async;
    unsigned told;
    HANDLE object; /* an event or a port */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned completes, others; /* callbacks, guarded by `lock` */
};

static void on_brief(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    struct brief *brief = async->UserInfo;
    (void)context;
    pthread_mutex_lock(&brief->lock);
    if (event == RpcCallComplete)
        brief->completes++;
    else
        brief->others++;
    pthread_cond_broadcast(&brief->changed);
    pthread_mutex_unlock(&brief->lock);
}

static void brief_start(struct brief *brief, unsigned told)
{
    memset(brief, 0, sizeof(*brief));
    brief->told = told;
    pthread_mutex_init(&brief->lock, NULL);
    pthread_cond_init(&brief->changed, NULL);
    RpcAsyncInitializeHandle(&brief->async, sizeof(brief->async));
    brief->async.UserInfo = brief;
    brief->async.Flags = RPC_C_NOTIFY_ON_SEND_COMPLETE; /* AR-31: without effect */
    if (told == FLOW_EVENT) {
        brief->object = CreateEvent(NULL, FALSE, FALSE, NULL);
        brief->async.u.hEvent = brief->object;
        brief->async.NotificationType = RpcNotificationTypeEvent;
    } else if (told == FLOW_CALLBACK) {
        brief->async.u.NotificationRoutine = on_brief;
        brief->async.NotificationType = RpcNotificationTypeCallback;
    } else if (told == FLOW_APC) {
        brief->async.u.APC.NotificationRoutine = on_brief;
        brief->async.NotificationType = RpcNotificationTypeApc;
    } else if (told == FLOW_PORT) {
        brief->object = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        brief->async.u.IOC.hIOPort = brief->object;
        brief->async.u.IOC.dwCompletionKey = (ULONG_PTR)brief;
        brief->async.NotificationType = RpcNotificationTypeIoc;
    }
}

static RPC_STATUS brief_wait_port(struct brief *brief)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    if (!GetQueuedCompletionStatus(brief->object, &bytes, &key, &overlapped, 20000))
        return FLOW_TIMEOUT;
    bool ours = bytes == 0 && key == (ULONG_PTR)brief && !overlapped &&
                brief->async.Event == RpcCallComplete;
    return ours ? RPC_S_OK : FLOW_WRONG_NOTICE;
}

static RPC_STATUS brief_wait(struct brief *brief)
{
    struct timespec until, pause = {.tv_nsec = 100000};
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    if (brief->told == FLOW_EVENT) {
        if (WaitForSingleObject(brief->object, 20000) != WAIT_OBJECT_0)
            return FLOW_TIMEOUT;
        return brief->async.Event == RpcCallComplete ? RPC_S_OK : FLOW_WRONG_NOTICE;
    }
    if (brief->told == FLOW_PORT)
        return brief_wait_port(brief);
    if (brief->told == FLOW_APC && SleepEx(20000, TRUE) != WAIT_IO_COMPLETION)
        return FLOW_TIMEOUT;
    if (brief->told == FLOW_POLL) {
        for (int i = 0; i < 100000; i++) {
            if (RpcAsyncGetCallStatus(&brief->async) != RPC_S_ASYNC_CALL_PENDING)
                return RPC_S_OK;
            nanosleep(&pause, NULL);
        }
        return FLOW_TIMEOUT;
    }
    pthread_mutex_lock(&brief->lock);
    while (brief->completes + brief->others == 0)
        if (pthread_cond_timedwait(&brief->changed, &brief->lock, &until) != 0)
            break;
    bool told = brief->completes == 1 && brief->others == 0;
    pthread_mutex_unlock(&brief->lock);
    return told ? RPC_S_OK : FLOW_WRONG_NOTICE;
}

/* Waits and collects.  *ret_status: what the call ended with. */
static RPC_STATUS brief_finish(struct brief *brief, void *reply, RPC_STATUS raised)
{
    RPC_STATUS status = raised;
    if (raised == RPC_S_OK) {
        status = brief_wait(brief);
        if (status == RPC_S_OK)
            status = RpcAsyncCompleteCall(&brief->async, reply);
    }
    if (brief->object)
        CloseHandle(brief->object);
    pthread_cond_destroy(&brief->changed);
    pthread_mutex_destroy(&brief->lock);
    return status;
}

#define GUARDED(raised, call)                                                                      \
    RpcTryExcept {                                                                                 \
        call;                                                                                      \
    }                                                                                              \
    RpcExcept(1) {                                                                                 \
        raised = (RPC_STATUS)RpcExceptionCode();                                                   \
    }                                                                                              \
    RpcEndExcept

static void value_add(RPC_BINDING_HANDLE h, unsigned told)
{
    struct brief brief;
    volatile RPC_STATUS raised = RPC_S_OK;
    int64_t sum = 0;
    int32_t result = 0;
    brief_start(&brief, told);
    GUARDED(raised, add(&brief.async, h, -5, INT64_C(1) << 40, &sum))
    RPC_STATUS status = brief_finish(&brief, &result, raised);
    report(status == RPC_S_OK, "add-status", "status", status, 0);
    report(sum == (INT64_C(1) << 40) - 5, "add-out", "sum", (long)sum, (INT64_C(1) << 40) - 5);
    report(result == (sum & 0x7fff), "add-result", "result", result, (long)(sum & 0x7fff));
}

static bool reversed(const byte *in, const byte *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (out[i] != in[n - 1 - i])
            return false;
    return true;
}

static void value_reverse(RPC_BINDING_HANDLE h, unsigned told, uint32_t n)
{
    struct brief brief;
    volatile RPC_STATUS raised = RPC_S_OK;
    byte *in = malloc(n + 1), *out = calloc(n + 1, 1);
    if (!in || !out)
        abort();
    elements[ELEMENT_byte].fill(0, n, in, n);
    brief_start(&brief, told);
    GUARDED(raised, reverse(&brief.async, h, n, in, out))
    RPC_STATUS status = brief_finish(&brief, NULL, raised);
    char name[32];
    snprintf(name, sizeof(name), "reverse-%u", (unsigned)n);
    report(status == RPC_S_OK && reversed(in, out, n), name, "status", status, 0);
    free(in);
    free(out);
}

static void value_length(RPC_BINDING_HANDLE h, unsigned told, uint32_t n)
{
    struct brief brief;
    volatile RPC_STATUS raised = RPC_S_OK;
    uint32_t result = 0;
    char *text = malloc(n + 1);
    if (!text)
        abort();
    memset(text, 'x', n);
    text[n] = '\0';
    brief_start(&brief, told);
    GUARDED(raised, length(&brief.async, h, (unsigned char *)text))
    RPC_STATUS status = brief_finish(&brief, &result, raised);
    char name[32];
    snprintf(name, sizeof(name), "length-%u", (unsigned)n);
    report(status == RPC_S_OK && result == n, name, "length", result, n);
    free(text);
}

static void value_fail(RPC_BINDING_HANDLE h, unsigned told, uint32_t code)
{
    struct brief brief;
    volatile RPC_STATUS raised = RPC_S_OK;
    brief_start(&brief, told);
    GUARDED(raised, raise_code(&brief.async, h, code))
    RPC_STATUS status = brief_finish(&brief, NULL, raised);
    char name[32];
    snprintf(name, sizeof(name), "fail-%x", (unsigned)code);
    report(status == (RPC_STATUS)code, name, "code", status, (RPC_STATUS)code);
}

static void set_values(RPC_BINDING_HANDLE h)
{
    for (unsigned told = FLOW_POLL; told < FLOW_TOLD_COUNT; told++) {
        value_add(h, told);
        for (size_t i = 0; i < REPORT_LENGTHS; i++) {
            value_reverse(h, told, report_lengths[i]);
            value_length(h, told, report_lengths[i]);
        }
        value_fail(h, told, 5);
        value_fail(h, told, 0x20001234);
        value_fail(h, told, 0x20001235);
        value_fail(h, told, 0xe0460001);
    }
}

int main(int argc, char **argv)
{
    RPC_BINDING_HANDLE h = argc == 3 ? bind_to(argv[1]) : NULL;
    if (!h)
        return 2;
    if (strcmp(argv[2], "values") == 0)
        set_values(h);
    else if (strcmp(argv[2], "told") == 0)
        set_told(h);
    else if (!run_set(h, argv[1], argv[2]))
        return 2;
    RpcBindingFree(&h);
    return report_failed;
}
