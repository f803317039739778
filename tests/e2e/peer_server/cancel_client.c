/* SPDX-License-Identifier: MIT */
/* cancel_client.c - makes calls of peer.idl and ends them early, one after the other.
 *
 *     cancel_client BINDING COMMAND [ARGUMENT ...] [-- COMMAND ...]
 *
 *     thread MS SECONDS          a synchronous call, RpcCancelThreadEx after MS
 *     thread-plain MS SECONDS    the same with RpcCancelThread, SECONDS set before
 *     over SECONDS               RpcCancelThreadEx once the call has been answered
 *     push OCTETS MS ABORT MORE  an [in] pipe: OCTETS, RpcAsyncCancelCall after MS, MORE, end
 *     push-deadline OCTETS MS    OCTETS, and no end; the call has MS
 *     pull-deadline MS           an [out] pipe, pulled for MS
 *     hang-deadline MS           no pipe
 *
 * Prints one line of JSON per command: {"status": N, "ms": how long it took}. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "work.h"

#define PATIENCE_MS 15000u

static handle_t binding;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "cancel_client: %s\n", what);
    exit(EXIT_FAILURE);
}

static unsigned now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static void sleep_ms(const char *text)
{
    usleep((useconds_t)strtoul(text, NULL, 0) * 1000);
}

static void wait_for(HANDLE object)
{
    if (WaitForSingleObject(object, PATIENCE_MS) != WAIT_OBJECT_0)
        die("the call does not end");
}

/* ---- Synchronous ---------------------------------------------------------------- */

static volatile RPC_STATUS raised;
static long thread_timeout = RPC_C_CANCEL_INFINITE_TIMEOUT;

static DWORD call_nothing(LPVOID unused)
{
    (void)unused;
    raised = RPC_S_OK;
    if (RpcMgmtSetCancelTimeout(thread_timeout) != RPC_S_OK)
        die("RpcMgmtSetCancelTimeout");
    RpcTryExcept {
        PeerNothing(binding);
    }
    RpcExcept(1) {
        raised = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return 0;
}

static RPC_STATUS run_thread(char **args)
{
    HANDLE thread = CreateThread(NULL, 0, call_nothing, NULL, 0, NULL);
    sleep_ms(args[0]);
    if (RpcCancelThreadEx(thread, strtol(args[1], NULL, 0)) != RPC_S_OK)
        die("RpcCancelThreadEx");
    wait_for(thread);
    CloseHandle(thread);
    return raised;
}

static RPC_STATUS run_thread_plain(char **args)
{
    thread_timeout = strtol(args[1], NULL, 0);
    HANDLE thread = CreateThread(NULL, 0, call_nothing, NULL, 0, NULL);
    sleep_ms(args[0]);
    if (RpcCancelThread(thread) != RPC_S_OK)
        die("RpcCancelThread");
    wait_for(thread);
    CloseHandle(thread);
    return raised;
}

static RPC_STATUS run_over(char **args)
{
    if (GetCurrentThreadId() == 0)
        die("GetCurrentThreadId");
    call_nothing(NULL);
    if (RpcCancelThreadEx(GetCurrentThread(), strtol(args[0], NULL, 0)) != RPC_S_OK)
        die("RpcCancelThreadEx");
    return raised;
}

/* ---- Asynchronous ----------------------------------------------------------------- */

static RPC_ASYNC_STATE async;
static HANDLE event;

static void prepare(const char *deadline)
{
    ResetEvent(event);
    if (RpcAsyncInitializeHandle(&async, sizeof(async)) != RPC_S_OK)
        die("RpcAsyncInitializeHandle");
    async.NotificationType = RpcNotificationTypeEvent;
    async.u.hEvent = event;
    if (deadline &&
        RpcxAsyncSetDeadline(&async, (DWORD)strtoul(deadline, NULL, 0)) != RPC_S_OK)
        die("RpcxAsyncSetDeadline");
}

static RPC_STATUS finish(void *reply)
{
    RPC_STATUS status;
    while ((status = RpcAsyncCompleteCall(&async, reply)) == RPC_S_ASYNC_CALL_PENDING)
        wait_for(event);
    return status;
}

static RPC_STATUS push(ASYNC_BYTE_PIPE *data, const char *count)
{
    static byte buf[1 << 20];
    return data->push(data->state, buf, strtoul(count, NULL, 0));
}

static ASYNC_BYTE_PIPE pipe_in;
static uint64_t taken;
static uint32_t sum;
static int32_t result;

static RPC_STATUS run_push(char **args)
{
    prepare(NULL);
    PeerTake(&async, binding, 1, &pipe_in, &taken, &sum);
    if (push(&pipe_in, args[0]) != RPC_S_OK)
        die("push");
    sleep_ms(args[1]);
    BOOL abort = args[2][0] == '1';
    if (RpcAsyncCancelCall(&async, abort) != RPC_S_OK)
        die("RpcAsyncCancelCall");
    RPC_STATUS status = RPC_S_OK;
    if (!abort)
        status = push(&pipe_in, args[3]);
    if (!abort && status == RPC_S_OK)
        status = push(&pipe_in, "0");
    return status == RPC_S_OK ? finish(&result) : status;
}

static RPC_STATUS run_push_deadline(char **args)
{
    prepare(args[1]);
    PeerTake(&async, binding, 1, &pipe_in, &taken, &sum);
    if (push(&pipe_in, args[0]) != RPC_S_OK)
        die("push");
    wait_for(event);
    return finish(&result);
}

static RPC_STATUS run_pull_deadline(char **args)
{
    static byte buf[1000];
    unsigned long count;
    ASYNC_BYTE_PIPE data;
    RPC_STATUS status;
    prepare(args[0]);
    PeerGive(&async, binding, 1000000, 0, &data);
    do {
        while ((status = data.pull(data.state, buf, sizeof(buf), &count)) ==
               RPC_S_ASYNC_CALL_PENDING)
            wait_for(event);
    } while (status == RPC_S_OK && count > 0);
    return status;
}

static RPC_STATUS run_hang_deadline(char **args)
{
    prepare(args[0]);
    PeerHang(&async, binding);
    return finish(NULL);
}

static const struct command {
    const char *name;
    int arg_count;
    RPC_STATUS (*run)(char **args);
} commands[] = {
    {"thread", 2, run_thread},
    {"thread-plain", 2, run_thread_plain},
    {"over", 1, run_over},
    {"push", 4, run_push},
    {"push-deadline", 2, run_push_deadline},
    {"pull-deadline", 1, run_pull_deadline},
    {"hang-deadline", 1, run_hang_deadline},
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    die("unknown command");
}

int main(int argc, char **argv)
{
    if (argc < 3 ||
        RpcBindingFromStringBinding((RPC_CSTR)(void *)argv[1], &binding) != RPC_S_OK)
        die("usage: cancel_client BINDING COMMAND ...");
    event = CreateEvent(NULL, FALSE, FALSE, NULL);
    for (int i = 2; i < argc; i++) {
        const struct command *command = find(argv[i]);
        if (argc - i <= command->arg_count)
            die("arguments are missing");
        unsigned begin = now_ms();
        RPC_STATUS status = command->run(argv + i + 1);
        printf("{\"status\": %d, \"ms\": %u}\n", (int)status, now_ms() - begin);
        fflush(stdout);
        i += command->arg_count + 1; /* and what separates them */
    }
    CloseHandle(event);
    return RpcBindingFree(&binding) == RPC_S_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
