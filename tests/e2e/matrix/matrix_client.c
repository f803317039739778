/* SPDX-License-Identifier: MIT */
/* matrix_client.c - the asynchronous client of the matrix.
 *
 *     matrix_client BINDING SET
 *
 * Sets: values (operations without pipes), pipes (every element type, direction and
 * size), wrong (do the checks of `pipes` check?), told (every way of being told, on both
 * sides), huge-in, huge-out (more than 2^32 octets), refused (pipes to a synchronous
 * server).
 *
 * PENSTOCK_TEST_SCALE divides the large sizes, for instrumented builds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow.h"
#include "memory.h"
#include "report.h"

enum direction { TO_SERVER, TO_CLIENT, BOTH_WAYS, DIRECTION_COUNT };
static const char *const direction_names[DIRECTION_COUNT] = {"in", "out", "inout"};

static uint64_t scale = 1;

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

/* One call: every element checked on the side it arrives at, RPC_S_OK in the end. */
static RPC_STATUS run(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
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

/* ---- Element types, directions, sizes -------------------------------------- */

/* Stub octets of one fragment of the transport: frag length less the header. */
static size_t fragment_octets(const char *binding)
{
    return strncmp(binding, "ncacn_ip_tcp", 12) == 0 ? 5840 - 24 : 65528 - 24;
}

static void run_size(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
                     uint64_t count, unsigned long chunk_max, unsigned how)
{
    static uint32_t seed = 1;
    const flow_plan client = {count, seed, (uint32_t)chunk_max, FLOW_EVENT | how};
    const flow_plan server = {count, seed, (uint32_t)(chunk_max * 2 / 3 + 1), FLOW_EVENT | how};
    seed++;
    RPC_STATUS status = run(h, index, direction, &client, &server);
    char name[96];
    snprintf(name, sizeof(name), "%s-%s-%llu-by-%lu%s", elements[index].name,
             direction_names[direction], (unsigned long long)count, chunk_max,
             how & FLOW_EXACT ? "-exact" : "");
    report(status == RPC_S_OK, name, "status", status, 0);
}

static void set_pipes(RPC_BINDING_HANDLE h, const char *binding)
{
    for (unsigned i = 0; i < ELEMENT_COUNT; i++) {
        const size_t stride = elements[i].stride;
        const size_t fragment = fragment_octets(binding) / stride;
        const uint64_t large = (10u << 20) / stride / scale;
        for (unsigned d = 0; d < DIRECTION_COUNT; d++) {
            run_size(h, i, d, 0, 10, 0);
            run_size(h, i, d, 1, 10, 0);
            /* Pushed whole: the end falls just before, on and behind a fragment's. */
            for (size_t n = fragment - 2; n <= fragment + 2; n++)
                run_size(h, i, d, n, n, FLOW_EXACT);
            run_size(h, i, d, 2 * fragment + 1, 7, FLOW_EXACT);
            run_size(h, i, d, 3 * fragment - 1, fragment / 3 + 5, 0);
            run_size(h, i, d, large, 40000, 0);
            run_size(h, i, d, large + 1, 1u << 20, 0);
        }
    }
}

/* The checks themselves: data, and how much of it, other than expected are noticed on
 * the side they arrive at. */
static void set_wrong(RPC_BINDING_HANDLE h)
{
    const flow_plan right = {1000, 7, 100, FLOW_EVENT}, other_seed = {1000, 8, 100, FLOW_EVENT},
                    other_count = {1001, 7, 100, FLOW_EVENT};
    static const RPC_STATUS data = FLOW_WRONG_DATA, count = FLOW_WRONG_COUNT;
    for (unsigned i = 0; i < ELEMENT_COUNT; i++) {
        for (unsigned d = 0; d < BOTH_WAYS; d++) {
            char name[64];
            RPC_STATUS status = run(h, i, d, &right, &other_seed);
            snprintf(name, sizeof(name), "wrong-data-%s-%s", elements[i].name,
                     direction_names[d]);
            report(status == data, name, "status", status, data);
            status = run(h, i, d, &right, &other_count);
            snprintf(name, sizeof(name), "wrong-count-%s-%s", elements[i].name,
                     direction_names[d]);
            report(status == count, name, "status", status, count);
        }
    }
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

/* ---- More than 32 bits count ------------------------------------------------ */

static void set_huge(RPC_BINDING_HANDLE h, enum direction direction)
{
    const uint64_t count = UINT64_C(5) * 1000 * 1000 * 1000 / scale + 1;
    const flow_plan client = {count, 99, OCTETS_RUN, FLOW_EVENT | FLOW_FROM_PATTERN};
    const flow_plan server = {count, 99, OCTETS_RUN, FLOW_EVENT | FLOW_FROM_PATTERN};
    RPC_STATUS status = run(h, ELEMENT_byte, direction, &client, &server);
    char name[64];
    snprintf(name, sizeof(name), "huge-%s-%llu", direction_names[direction],
             (unsigned long long)count);
    report(status == RPC_S_OK, name, "status", status, 0);
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

/* ---- Pipes to a synchronous server ------------------------------------------ */

static void set_refused(RPC_BINDING_HANDLE h)
{
    for (unsigned i = 0; i < ELEMENT_COUNT; i++) {
        for (unsigned d = 0; d < DIRECTION_COUNT; d++) {
            const flow_plan plan = {100, 1, 10, FLOW_EVENT};
            RPC_STATUS status = run(h, i, d, &plan, &plan);
            char name[64];
            snprintf(name, sizeof(name), "refused-%s-%s", elements[i].name, direction_names[d]);
            report(status == RPC_S_CANNOT_SUPPORT, name, "status", status, RPC_S_CANNOT_SUPPORT);
        }
    }
    value_add(h, FLOW_EVENT);
}

int main(int argc, char **argv)
{
    const char *text = getenv("PENSTOCK_TEST_SCALE");
    scale = text ? strtoull(text, NULL, 10) : 1;
    scale = scale == 0 ? 1 : scale;
    RPC_BINDING_HANDLE h = argc == 3 ? bind_to(argv[1]) : NULL;
    if (!h)
        return 2;
    if (strcmp(argv[2], "values") == 0)
        set_values(h);
    else if (strcmp(argv[2], "pipes") == 0)
        set_pipes(h, argv[1]);
    else if (strcmp(argv[2], "wrong") == 0)
        set_wrong(h);
    else if (strcmp(argv[2], "told") == 0)
        set_told(h);
    else if (strcmp(argv[2], "huge-in") == 0)
        set_huge(h, TO_SERVER);
    else if (strcmp(argv[2], "huge-out") == 0)
        set_huge(h, TO_CLIENT);
    else if (strcmp(argv[2], "refused") == 0)
        set_refused(h);
    else
        return 2;
    RpcBindingFree(&h);
    return report_failed;
}
