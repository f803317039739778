/* SPDX-License-Identifier: MIT */
/* peer_server.c - the server that tests/e2e talks to octet by octet.
 *
 *     peer_server [OPTION VALUE ...] PROTSEQ ENDPOINT [PROTSEQ ENDPOINT ...]
 *
 * PEER_MAX_RPC_SIZE in the environment: the MaxRpcSize it is registered with.
 * Prints "ready" when it listens and serves until its standard input ends.  Each
 * asynchronous operation runs on a thread of its own that blocks; after a failed push
 * or pull there is nothing left to do for the manager. */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../detached.h"
#include "peer.h"
#include "work.h"

/* Elements PeerTransform and its kin keep before they answer. */
#define KEEP_MAX (4u << 20)
#define BUF_LEN  (64u << 10)

static void die(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "peer_server: %s: status %d\n", what, (int)status);
    exit(EXIT_FAILURE);
}

/* ---- Synchronous operations ---------------------------------------------- */

int32_t PeerEcho(handle_t binding, int32_t number, const unsigned char *text, int32_t *twice,
                 unsigned char **reversed)
{
    (void)binding;
    size_t len = strlen((const char *)text);
    unsigned char *copy = MIDL_user_allocate(len + 1);
    if (!copy)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    for (size_t i = 0; i < len; i++)
        copy[i] = text[len - 1 - i];
    copy[len] = '\0';
    *reversed = copy;
    *twice = (int32_t)((uint32_t)number * 2);
    return number;
}

int32_t PeerSum(handle_t binding, int32_t count, const int32_t *values, int32_t *doubled)
{
    (void)binding;
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        doubled[i] = (int32_t)((uint32_t)values[i] * 2);
        sum += (uint32_t)values[i];
    }
    return (int32_t)sum;
}

void PeerObject(handle_t binding, OBJECT *object)
{
    UUID uuid;
    RPC_STATUS status = RpcBindingInqObject(binding, &uuid);
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    _Static_assert(sizeof(uuid) == sizeof(object->octets), "a UUID has 16 octets");
    memcpy(object->octets, &uuid, sizeof(uuid));
}

void PeerNothing(handle_t binding)
{
    (void)binding;
}

void PeerRaise(handle_t binding, uint32_t code)
{
    (void)binding;
    RpcRaiseException((RPC_STATUS)code);
}

static atomic_int posted;

void PeerPost(handle_t binding, int32_t number)
{
    (void)binding;
    if (number < 0)
        RpcRaiseException((RPC_STATUS)-number);
    atomic_fetch_add(&posted, number);
}

int32_t PeerPosted(handle_t binding)
{
    (void)binding;
    return atomic_load(&posted);
}

int32_t PeerOther(handle_t binding)
{
    (void)binding;
    return 4711;
}

/* ---- Asynchronous operations --------------------------------------------- */

/* One call and its thread.  The pipes and [out] parameters are the runtime's, there
 * until the call is completed, aborted, or a push or pull has failed. */
struct work {
    PRPC_ASYNC_STATE async;
    handle_t binding;
    HANDLE event;
    void (*run)(struct work *work);
    uint32_t number, number2;
    byte lead;
    void *pipes[4];
    void *outs[2];
};

static void *work_main(void *arg)
{
    struct work *work = arg;
    work->run(work);
    CloseHandle(work->event);
    free(work);
    return NULL;
}

/* Starts `run` on a thread.  Raises when there is none. */
static void work_start(const struct work *model)
{
    struct work *work = malloc(sizeof(*work));
    if (!work)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    *work = *model;
    work->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!work->event) {
        free(work);
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
    }
    work->async->NotificationType = RpcNotificationTypeEvent;
    work->async->u.hEvent = work->event;
    if (!start_detached(work_main, work)) {
        CloseHandle(work->event);
        free(work);
        RpcRaiseException(RPC_S_OUT_OF_THREADS);
    }
}

static void work_abort(struct work *work, RPC_STATUS code)
{
    RpcAsyncAbortCall(work->async, (unsigned long)code);
}

static void take(struct work *work)
{
    ASYNC_BYTE_PIPE *data = work->pipes[0];
    static _Thread_local byte buf[BUF_LEN];
    uint64_t total = 0;
    uint32_t sum = 0;
    for (;;) {
        RPC_STATUS status;
        unsigned long count;
        PULL(work, data, buf, BUF_LEN, &count, status);
        if (status != RPC_S_OK)
            return;
        if (count == 0)
            break;
        for (unsigned long i = 0; i < count; i++)
            sum += buf[i];
        total += count;
    }
    *(uint64_t *)work->outs[0] = total;
    *(uint32_t *)work->outs[1] = sum;
    int32_t tag = (int32_t)work->number;
    RpcAsyncCompleteCall(work->async, &tag);
}

void PeerTake(PRPC_ASYNC_STATE async, handle_t binding, int32_t tag, ASYNC_BYTE_PIPE *data,
              uint64_t *count, uint32_t *sum)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = take,
                              .number = (uint32_t)tag,
                              .pipes = {data},
                              .outs = {count, sum}});
}

/* Pushes octets [0, octets) in pushes of at most `piece`. */
static RPC_STATUS push_octets(ASYNC_BYTE_PIPE *data, uint32_t octets, uint32_t piece)
{
    static _Thread_local byte buf[BUF_LEN];
    if (piece == 0 || piece > BUF_LEN)
        piece = BUF_LEN;
    RPC_STATUS status = RPC_S_OK;
    for (uint32_t done = 0; done < octets && status == RPC_S_OK;) {
        uint32_t count = octets - done < piece ? octets - done : piece;
        for (uint32_t i = 0; i < count; i++)
            buf[i] = give_octet(done + i);
        status = PUSH(data, buf, count);
        done += count;
    }
    return status;
}

static void give(struct work *work)
{
    ASYNC_BYTE_PIPE *data = work->pipes[0];
    uint32_t result = 0;
    if (push_octets(data, work->number, work->number2) == RPC_S_OK &&
        PUSH(data, NULL, 0) == RPC_S_OK)
        RpcAsyncCompleteCall(work->async, &result);
}

void PeerGive(PRPC_ASYNC_STATE async, handle_t binding, uint32_t octets, uint32_t piece,
              ASYNC_BYTE_PIPE *data)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = give,
                              .number = octets,
                              .number2 = piece,
                              .pipes = {data}});
}

/* Pulls everything into *ret_elements, which the caller frees.  A macro: the pipe and
 * the elements have a different type each time. */
#define KEEP_ALL(work, pipe, ret_elements, ret_total, status)                                      \
    do {                                                                                           \
        size_t room_ = 0;                                                                          \
        unsigned long count_ = 1;                                                                  \
        *(ret_elements) = NULL;                                                                    \
        *(ret_total) = 0;                                                                          \
        (status) = RPC_S_OK;                                                                       \
        while ((status) == RPC_S_OK && count_ > 0) {                                               \
            if (room_ - *(ret_total) < 1024) {                                                     \
                room_ = room_ ? room_ * 2 : 4096;                                                  \
                void *more_ = room_ > KEEP_MAX                                                     \
                                  ? NULL                                                           \
                                  : realloc(*(ret_elements), room_ * sizeof(**(ret_elements)));    \
                if (!more_) {                                                                      \
                    work_abort(work, RPC_S_OUT_OF_MEMORY);                                         \
                    (status) = RPC_S_OUT_OF_MEMORY;                                                \
                    break;                                                                         \
                }                                                                                  \
                *(ret_elements) = more_;                                                           \
            }                                                                                      \
            PULL(work, pipe, *(ret_elements) + *(ret_total), room_ - *(ret_total), &count_,        \
                 status);                                                                          \
            *(ret_total) += count_;                                                                \
        }                                                                                          \
    } while (0)

/* Pushes what KEEP_ALL kept, if anything. */
#define GIVE_ALL(pipe, elements, total, status)                                                    \
    do {                                                                                           \
        if ((total) > 0)                                                                           \
            (status) = PUSH(pipe, elements, total);                                                \
        if ((status) == RPC_S_OK)                                                                  \
            (status) = PUSH(pipe, NULL, 0);                                                        \
    } while (0)

static void transform(struct work *work)
{
    ASYNC_LONG_PIPE *numbers = work->pipes[0];
    int32_t *kept;
    size_t total;
    RPC_STATUS status;
    KEEP_ALL(work, numbers, &kept, &total, status);
    if (status == RPC_S_OK) {
        int32_t result = (int32_t)total;
        for (size_t i = 0; i < total; i++)
            kept[i] = (int32_t)((uint32_t)kept[i] * work->number);
        GIVE_ALL(numbers, kept, total, status);
        if (status == RPC_S_OK) {
            *(int32_t *)work->outs[0] = result;
            RpcAsyncCompleteCall(work->async, &result);
        }
    }
    free(kept);
}

void PeerTransform(PRPC_ASYNC_STATE async, handle_t binding, int32_t factor,
                   ASYNC_LONG_PIPE *numbers, int32_t *total)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = transform,
                              .number = (uint32_t)factor,
                              .pipes = {numbers},
                              .outs = {total}});
}

static void abort_in(struct work *work)
{
    ASYNC_BYTE_PIPE *data = work->pipes[0];
    byte buf[64];
    for (uint32_t seen = 0; seen < work->number2;) {
        RPC_STATUS status;
        unsigned long count, want = work->number2 - seen;
        PULL(work, data, buf, want < sizeof(buf) ? want : sizeof(buf), &count, status);
        if (status != RPC_S_OK)
            return;
        if (count == 0)
            break;
        seen += (uint32_t)count;
    }
    work_abort(work, (RPC_STATUS)work->number);
}

void PeerAbort(PRPC_ASYNC_STATE async, handle_t binding, uint32_t code, uint32_t after,
               ASYNC_BYTE_PIPE *data)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = abort_in,
                              .number = code,
                              .number2 = after,
                              .pipes = {data}});
}

static void abort_out(struct work *work)
{
    if (push_octets(work->pipes[0], work->number2, BUF_LEN) == RPC_S_OK)
        work_abort(work, (RPC_STATUS)work->number);
}

void PeerAbortOut(PRPC_ASYNC_STATE async, handle_t binding, uint32_t code, uint32_t after,
                  ASYNC_BYTE_PIPE *data)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = abort_out,
                              .number = code,
                              .number2 = after,
                              .pipes = {data}});
}

static void hang(struct work *work)
{
    /* Less and less often: there may be a thousand of these. */
    for (useconds_t pause_us = 1000; RpcServerTestCancel(work->binding) == RPC_S_CALL_IN_PROGRESS;) {
        usleep(pause_us);
        pause_us = pause_us < 64000 ? 2 * pause_us : pause_us;
    }
    work_abort(work, RPC_S_CALL_CANCELLED);
}

void PeerHang(PRPC_ASYNC_STATE async, handle_t binding)
{
    work_start(&(struct work){.async = async, .binding = binding, .run = hang});
}

/* Pulls one pipe to its end.  False: the call has failed. */
static bool drain(struct work *work, ASYNC_BYTE_PIPE *pipe)
{
    byte buf[256];
    unsigned long count = 1;
    while (count > 0) {
        RPC_STATUS status;
        PULL(work, pipe, buf, sizeof(buf), &count, status);
        if (status != RPC_S_OK)
            return false;
    }
    return true;
}

static void discipline(struct work *work)
{
    ASYNC_BYTE_PIPE *in = work->pipes[0], *out = work->pipes[1];
    byte octet = 0x5a;
    unsigned long count = 0;
    RPC_STATUS seen = RPC_S_OK;
    if (work->number == PEER_PUSH_EARLY)
        seen = PUSH(out, &octet, 1);
    if (work->number != PEER_UNDRAINED && !drain(work, in))
        return;
    if (work->number == PEER_PULL_LATE)
        seen = in->pull(in->state, &octet, 1, &count);
    if (work->number != PEER_UNDRAINED && work->number != PEER_UNFINISHED &&
        PUSH(out, NULL, 0) != RPC_S_OK)
        return;
    if (work->number == PEER_PUSH_LATE)
        seen = PUSH(out, &octet, 1);
    *(uint32_t *)work->outs[0] = (uint32_t)seen;
    RpcAsyncCompleteCall(work->async, NULL);
}

void PeerDiscipline(PRPC_ASYNC_STATE async, handle_t binding, uint32_t which, ASYNC_BYTE_PIPE *in,
                    ASYNC_BYTE_PIPE *out, uint32_t *status)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = discipline,
                              .number = which,
                              .pipes = {in, out},
                              .outs = {status}});
}

static void slow(struct work *work)
{
    int32_t result = (int32_t)work->number;
    usleep((work->number2 < 5000 ? work->number2 : 5000) * 1000);
    RpcAsyncCompleteCall(work->async, &result);
}

void PeerSlow(PRPC_ASYNC_STATE async, handle_t binding, uint32_t ms, int32_t number)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = slow,
                              .number = (uint32_t)number,
                              .number2 = ms});
}

static void pairs_back(struct work *work)
{
    ASYNC_PAIR_PIPE *pairs = work->pipes[0];
    PAIR *kept;
    size_t total;
    RPC_STATUS status;
    KEEP_ALL(work, pairs, &kept, &total, status);
    if (status == RPC_S_OK)
        GIVE_ALL(pairs, kept, total, status);
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(work->async, NULL);
    free(kept);
}

void PeerPairs(PRPC_ASYNC_STATE async, handle_t binding, byte lead, ASYNC_PAIR_PIPE *pairs)
{
    work_start(&(struct work){
        .async = async, .binding = binding, .run = pairs_back, .lead = lead, .pipes = {pairs}});
}

static void hypers_back(struct work *work)
{
    ASYNC_HYPER_PIPE *numbers = work->pipes[0];
    hyper *kept;
    size_t total;
    RPC_STATUS status;
    KEEP_ALL(work, numbers, &kept, &total, status);
    if (status == RPC_S_OK)
        GIVE_ALL(numbers, kept, total, status);
    if (status == RPC_S_OK) {
        *(byte *)work->outs[0] = work->lead;
        RpcAsyncCompleteCall(work->async, NULL);
    }
    free(kept);
}

void PeerHypers(PRPC_ASYNC_STATE async, handle_t binding, byte lead, ASYNC_HYPER_PIPE *numbers,
                byte *lead_back)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = hypers_back,
                              .lead = lead,
                              .pipes = {numbers},
                              .outs = {lead_back}});
}

static void two_pipes(struct work *work)
{
    ASYNC_BYTE_PIPE *octets_in = work->pipes[0], *octets_out = work->pipes[2];
    ASYNC_LONG_PIPE *numbers_in = work->pipes[1], *numbers_out = work->pipes[3];
    byte *octets;
    int32_t *numbers = NULL;
    size_t octet_count, number_count = 0;
    RPC_STATUS status;
    KEEP_ALL(work, octets_in, &octets, &octet_count, status);
    if (status == RPC_S_OK)
        KEEP_ALL(work, numbers_in, &numbers, &number_count, status);
    if (status == RPC_S_OK)
        GIVE_ALL(octets_out, octets, octet_count, status);
    if (status == RPC_S_OK)
        GIVE_ALL(numbers_out, numbers, number_count, status);
    if (status == RPC_S_OK)
        RpcAsyncCompleteCall(work->async, NULL);
    free(octets);
    free(numbers);
}

void PeerTwoPipes(PRPC_ASYNC_STATE async, handle_t binding, ASYNC_BYTE_PIPE *octets_in,
                  ASYNC_LONG_PIPE *numbers_in, ASYNC_BYTE_PIPE *octets_out,
                  ASYNC_LONG_PIPE *numbers_out)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = two_pipes,
                              .pipes = {octets_in, numbers_in, octets_out, numbers_out}});
}

static RPC_STATUS push_ranges(ASYNC_RANGE_PIPE *ranges, int32_t count)
{
    RPC_STATUS status = RPC_S_OK;
    for (int32_t i = 0; i < count && status == RPC_S_OK; i++)
        status = PUSH(ranges, (&(RANGE){i, i + 1}), 1);
    return status == RPC_S_OK ? PUSH(ranges, NULL, 0) : status;
}

static void ranges(struct work *work)
{
    ASYNC_HYPER_PIPE *numbers = work->pipes[1];
    const int32_t count = (int32_t)work->number;
    RPC_STATUS status = push_ranges(work->pipes[0], count);
    for (hyper i = 0; i < count && status == RPC_S_OK; i++)
        status = PUSH(numbers, &i, 1);
    if (status == RPC_S_OK)
        status = PUSH(numbers, NULL, 0);
    if (status == RPC_S_OK)
        status = push_ranges(work->pipes[2], count);
    if (status != RPC_S_OK)
        return;
    *(int32_t *)work->outs[0] = count - 1;
    *(hyper *)work->outs[1] = count;
    RpcAsyncCompleteCall(work->async, NULL);
}

void PeerRanges(PRPC_ASYNC_STATE async, handle_t binding, int32_t count, ASYNC_RANGE_PIPE *first,
                ASYNC_HYPER_PIPE *numbers, ASYNC_RANGE_PIPE *more, int32_t *last, hyper *total)
{
    work_start(&(struct work){.async = async,
                              .binding = binding,
                              .run = ranges,
                              .number = (uint32_t)count,
                              .pipes = {first, numbers, more},
                              .outs = {last, total}});
}

/* On the thread that dispatches it. */
static sem_t lets;

void PeerInTurn(PRPC_ASYNC_STATE async, handle_t binding, uint32_t waits, int32_t number)
{
    (void)binding;
    while (waits && sem_wait(&lets) != 0)
        continue;
    RpcAsyncCompleteCall(async, &number);
}

void PeerLet(handle_t binding)
{
    (void)binding;
    sem_post(&lets);
}

/* ---- Set-up --------------------------------------------------------------- */

static void check(RPC_STATUS status, const char *what)
{
    if (status != RPC_S_OK)
        die(what, status);
}

/* ---- What it is told to be ------------------------------------------------------ */

/* The value of the option at argv[*i], which goes on behind it; NULL: it is another. */
static char *option(char **argv, int *i, const char *name)
{
    if (strcmp(argv[*i], name) != 0 || !argv[*i + 1])
        return NULL;
    *i += 2;
    return argv[*i - 1];
}

/* One of RPCX_CONNECTION_LIMITS. */
static bool limit_option(char **argv, int *i)
{
    RPCX_CONNECTION_LIMITS limits = {.Length = sizeof(limits)};
    const struct {
        const char *name;
        unsigned *value;
    } options[] = {{"--connections", &limits.Connections}, {"--per-peer", &limits.ConnectionsPerPeer},
                   {"--bind-ms", &limits.BindTimeout},     {"--idle-ms", &limits.IdleTimeout},
                   {"--keep-alive", &limits.KeepAlive}};
    check(RpcxServerInqConnectionLimits(&limits), "RpcxServerInqConnectionLimits");
    for (size_t o = 0; o < sizeof(options) / sizeof(*options); o++) {
        const char *value = option(argv, i, options[o].name);
        if (!value)
            continue;
        *options[o].value = (unsigned)strtoul(value, NULL, 0);
        check(RpcxServerSetConnectionLimits(&limits), options[o].name);
        return true;
    }
    return false;
}

static bool place_option(char **argv, int *i)
{
    char *value;
    if ((value = option(argv, i, "--ports")))
        check(RpcxServerSetPorts(0, (RPC_CSTR)value), "--ports");
    else if ((value = option(argv, i, "--internet-ports")))
        check(RpcxServerSetPorts(RPC_C_USE_INTERNET_PORT, (RPC_CSTR)value), "--internet-ports");
    else if ((value = option(argv, i, "--intranet-ports")))
        check(RpcxServerSetPorts(RPC_C_USE_INTRANET_PORT, (RPC_CSTR)value), "--intranet-ports");
    else if ((value = option(argv, i, "--addresses")))
        check(RpcxServerSetAddresses((RPC_CSTR)value), "--addresses");
    return value != NULL;
}

/* --dynamic ENDPOINTFLAGS and --everywhere PORT: TCP with an RPC_POLICY; what fails is said. */
static bool policy_option(char **argv, int *i)
{
    RPC_POLICY policy = {.Length = sizeof(policy)};
    char *value;
    RPC_STATUS status;
    if ((value = option(argv, i, "--dynamic"))) {
        policy.EndpointFlags = strtoul(value, NULL, 0);
        status = RpcServerUseProtseqExA((RPC_CSTR) "ncacn_ip_tcp", 10, NULL, &policy);
    } else if ((value = option(argv, i, "--everywhere"))) {
        policy.NICFlags = RPC_C_BIND_TO_ALL_NICS;
        status = RpcServerUseProtseqEpExA((RPC_CSTR) "ncacn_ip_tcp", 10, (RPC_CSTR)value, NULL,
                                          &policy);
    } else {
        return false;
    }
    if (status != RPC_S_OK)
        printf("status %d\n", (int)status);
    return true;
}

static void say_bindings(void)
{
    RPC_BINDING_VECTOR *vector;
    if (RpcServerInqBindings(&vector) != RPC_S_OK)
        return;
    for (unsigned long i = 0; i < vector->Count; i++) {
        RPC_CSTR text;
        check(RpcBindingToStringBindingA(vector->BindingH[i], &text), "RpcBindingToStringBinding");
        printf("binding %s\n", (char *)text);
        RpcStringFreeA(&text);
    }
    RpcBindingVectorFree(&vector);
}

/* The same for objects of a type. */
static int32_t other_of_type(handle_t binding)
{
    (void)binding;
    return 4712;
}

/* An object of a type that has a manager, and one of a type that has none. */
static void register_types(void)
{
    static UUID object = {1, 0, 0, {0}}, type = {2, 0, 0, {0}};
    static UUID lost_object = {3, 0, 0, {0}}, lost_type = {4, 0, 0, {0}};
    static peer2_v1_0_epv_t manager = {other_of_type};
    check(RpcObjectSetType(&object, &type), "RpcObjectSetType");
    check(RpcObjectSetType(&lost_object, &lost_type), "RpcObjectSetType");
    check(RpcServerRegisterIf(peer2_v1_0_s_ifspec, &type, &manager), "RpcServerRegisterIf");
}

int main(int argc, char **argv)
{
    bool says = false;
    int i = 1;
    while (i < argc) {
        if (limit_option(argv, &i) || place_option(argv, &i) || policy_option(argv, &i))
            continue;
        if (strcmp(argv[i], "--say-bindings") == 0) {
            says = true;
            i++;
            continue;
        }
        if (i + 1 == argc) {
            fputs("usage: peer_server [OPTION VALUE ...] PROTSEQ ENDPOINT ...\n", stderr);
            return EXIT_FAILURE;
        }
        check(RpcServerUseProtseqEpA((RPC_CSTR)argv[i], RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
                                     (RPC_CSTR)argv[i + 1], NULL),
              argv[i]);
        i += 2;
    }
    if (says)
        say_bindings();
    sem_init(&lets, 0, 0);
    const char *size = getenv("PEER_MAX_RPC_SIZE");
    check(size ? RpcServerRegisterIf2(peer_v1_2_s_ifspec, NULL, NULL, 0,
                                      RPC_C_LISTEN_MAX_CALLS_DEFAULT,
                                      (unsigned)strtoul(size, NULL, 10), NULL)
               : RpcServerRegisterIf(peer_v1_2_s_ifspec, NULL, NULL),
          "RpcServerRegisterIf");
    check(RpcServerRegisterIf(peer2_v1_0_s_ifspec, NULL, NULL), "RpcServerRegisterIf");
    register_types();
    check(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), "RpcServerListen");
    puts("ready");
    fflush(stdout);
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0 || errno == EINTR)
        errno = 0;
    return EXIT_SUCCESS;
}
