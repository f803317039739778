/* SPDX-License-Identifier: MIT */
/* peer_client.c - makes the calls of peer.idl, one after the other.
 *
 *     peer_client BINDING COMMAND [ARGUMENT ...] [-- COMMAND ...]
 *
 *     echo NUMBER TEXT      take OCTETS PIECE     give OCTETS        transform COUNT
 *     hypers COUNT
 *     sum COUNT             abort CODE AFTER      abort-out CODE AFTER
 *     hang MS               cancel, then wait     hang-abort MS      cancel and leave
 *     nothing               wait MS
 *
 * Prints one line of JSON per command: {"status": N, ...}.  A call that has not ended
 * after 15 s ends the program with exit status 3. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpceeinfo.h>

#include "peer.h"
#include "work.h"

#define BUF_LEN    (64u << 10)
#define PATIENCE_MS 15000u

struct client {
    handle_t binding;
    HANDLE event;
    RPC_ASYNC_STATE async;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "peer_client: %s\n", what);
    exit(EXIT_FAILURE);
}

static void wait_event(const struct client *client)
{
    if (WaitForSingleObject(client->event, PATIENCE_MS) == WAIT_OBJECT_0)
        return;
    fputs("peer_client: the call does not end\n", stderr);
    exit(3);
}

static void prepare(struct client *client)
{
    if (RpcAsyncInitializeHandle(&client->async, sizeof(client->async)) != RPC_S_OK)
        die("RpcAsyncInitializeHandle");
    ResetEvent(client->event);
    client->async.NotificationType = RpcNotificationTypeEvent;
    client->async.u.hEvent = client->event;
}

static RPC_STATUS finish(struct client *client, void *reply)
{
    RPC_STATUS status;
    while ((status = RpcAsyncCompleteCall(&client->async, reply)) == RPC_S_ASYNC_CALL_PENDING)
        wait_event(client);
    return status;
}

static RPC_STATUS pull_octets(struct client *client, ASYNC_BYTE_PIPE *data, uint64_t *ret_total,
                              bool *ret_good)
{
    static byte buf[BUF_LEN];
    *ret_total = 0;
    *ret_good = true;
    for (;;) {
        unsigned long count = 0;
        RPC_STATUS status = data->pull(data->state, buf, sizeof(buf), &count);
        if (status == RPC_S_ASYNC_CALL_PENDING) {
            wait_event(client);
            continue;
        }
        if (status != RPC_S_OK || count == 0)
            return status;
        for (unsigned long i = 0; i < count; i++)
            *ret_good = *ret_good && buf[i] == give_octet(*ret_total + i);
        *ret_total += count;
    }
}

static RPC_STATUS push_octets(ASYNC_BYTE_PIPE *data, uint64_t octets, uint64_t piece,
                              uint64_t *ret_done)
{
    static byte buf[BUF_LEN];
    RPC_STATUS status = RPC_S_OK;
    piece = piece == 0 || piece > BUF_LEN ? BUF_LEN : piece;
    for (*ret_done = 0; *ret_done < octets && status == RPC_S_OK;) {
        uint64_t count = octets - *ret_done < piece ? octets - *ret_done : piece;
        for (uint64_t i = 0; i < count; i++)
            buf[i] = give_octet(*ret_done + i);
        status = PUSH(data, buf, (unsigned long)count);
        if (status == RPC_S_OK)
            *ret_done += count;
    }
    return status == RPC_S_OK ? PUSH(data, NULL, 0) : status;
}

/* ---- Commands: each prints what it saw behind "status" -------------------- */

static RPC_STATUS run_echo(struct client *client, char **args)
{
    int32_t twice;
    unsigned char *reversed = NULL;
    int32_t result = PeerEcho(client->binding, (int32_t)strtol(args[0], NULL, 0),
                              (const unsigned char *)args[1], &twice, &reversed);
    printf("\"result\": %" PRId32 ", \"twice\": %" PRId32 ", \"reversed\": \"%s\", ", result, twice,
           reversed ? (char *)reversed : "");
    MIDL_user_free(reversed);
    return RPC_S_OK;
}

static RPC_STATUS run_take(struct client *client, char **args)
{
    ASYNC_BYTE_PIPE data;
    uint64_t count = 0, done;
    uint32_t sum = 0;
    int32_t result = 0;
    prepare(client);
    PeerTake(&client->async, client->binding, 7, &data, &count, &sum);
    RPC_STATUS status =
        push_octets(&data, strtoull(args[0], NULL, 0), strtoull(args[1], NULL, 0), &done);
    printf("\"pushed\": %" PRIu64 ", ", done);
    /* After a failed push the call is over and collected (AP-18). */
    if (status == RPC_S_OK)
        status = finish(client, &result);
    printf("\"count\": %" PRIu64 ", \"sum\": %" PRIu32 ", \"result\": %" PRId32 ", ", count, sum,
           result);
    return status;
}

static RPC_STATUS run_give(struct client *client, char **args)
{
    ASYNC_BYTE_PIPE data;
    uint64_t count;
    uint32_t result = 99;
    bool good;
    prepare(client);
    PeerGive(&client->async, client->binding, (uint32_t)strtoul(args[0], NULL, 0), 0, &data);
    RPC_STATUS status = pull_octets(client, &data, &count, &good);
    if (status == RPC_S_OK)
        status = finish(client, &result);
    printf("\"pulled\": %" PRIu64 ", \"good\": %s, \"result\": %" PRIu32 ", ", count,
           good ? "true" : "false", result);
    return status;
}

static RPC_STATUS run_transform(struct client *client, char **args)
{
    ASYNC_LONG_PIPE numbers;
    int32_t sent = (int32_t)strtol(args[0], NULL, 0), got = 0, total = 0, result = 0;
    bool good = true;
    RPC_STATUS status = RPC_S_OK;
    prepare(client);
    PeerTransform(&client->async, client->binding, 3, &numbers, &total);
    for (int32_t i = 0; i < sent && status == RPC_S_OK; i++)
        status = PUSH(&numbers, &i, 1);
    if (status == RPC_S_OK)
        status = PUSH(&numbers, NULL, 0);
    while (status == RPC_S_OK || status == RPC_S_ASYNC_CALL_PENDING) {
        int32_t buf[100];
        unsigned long count = 0;
        status = numbers.pull(numbers.state, buf, 100, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            wait_event(client);
        else if (status == RPC_S_OK && count == 0)
            break;
        for (unsigned long i = 0; i < count; i++, got++)
            good = good && buf[i] == got * 3;
    }
    if (status == RPC_S_OK)
        status = finish(client, &result);
    printf("\"pulled\": %" PRId32 ", \"good\": %s, \"total\": %" PRId32 ", \"result\": %" PRId32
           ", ",
           got, good ? "true" : "false", total, result);
    return status;
}

static RPC_STATUS run_sum(struct client *client, char **args)
{
    int32_t count = (int32_t)strtol(args[0], NULL, 0);
    if (count < 0 || count > 10000000)
        die("sum: too many");
    int32_t *values = calloc((size_t)count + 1, sizeof(*values));
    int32_t *doubled = calloc((size_t)count + 1, sizeof(*doubled));
    if (!values || !doubled)
        die("out of memory");
    for (int32_t i = 0; i < count; i++)
        values[i] = i;
    RPC_STATUS status = RPC_S_OK;
    volatile int32_t result = 0;
    volatile RPC_STATUS raised = RPC_S_OK;
    RpcTryExcept
    {
        result = PeerSum(client->binding, count, values, doubled);
    }
    RpcExcept(1)
    {
        raised = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    status = raised;
    bool good = true;
    for (int32_t i = 0; i < count; i++)
        good = good && doubled[i] == 2 * i;
    printf("\"result\": %" PRId32 ", \"good\": %s, ", result, good ? "true" : "false");
    free(values);
    free(doubled);
    return status;
}

static RPC_STATUS run_abort(struct client *client, char **args)
{
    ASYNC_BYTE_PIPE data;
    uint64_t done;
    prepare(client);
    PeerAbort(&client->async, client->binding, (uint32_t)strtoul(args[0], NULL, 0),
              (uint32_t)strtoul(args[1], NULL, 0), &data);
    RPC_STATUS status = push_octets(&data, UINT64_MAX, 0, &done);
    printf("\"pushed\": %" PRIu64 ", ", done);
    return status;
}

static RPC_STATUS run_abort_out(struct client *client, char **args)
{
    ASYNC_BYTE_PIPE data;
    uint64_t count;
    bool good;
    prepare(client);
    PeerAbortOut(&client->async, client->binding, (uint32_t)strtoul(args[0], NULL, 0),
                 (uint32_t)strtoul(args[1], NULL, 0), &data);
    RPC_STATUS status = pull_octets(client, &data, &count, &good);
    printf("\"good\": %s, ", good ? "true" : "false");
    return status == RPC_S_OK ? finish(client, NULL) : status;
}

static RPC_STATUS hang(struct client *client, char **args, BOOL abort)
{
    prepare(client);
    PeerHang(&client->async, client->binding);
    usleep((useconds_t)strtoul(args[0], NULL, 0) * 1000);
    RPC_STATUS status = RpcAsyncCancelCall(&client->async, abort);
    printf("\"cancel\": %d, ", (int)status);
    return finish(client, NULL);
}

static RPC_STATUS run_hang(struct client *client, char **args)
{
    return hang(client, args, FALSE);
}

static RPC_STATUS run_hang_abort(struct client *client, char **args)
{
    return hang(client, args, TRUE);
}

static RPC_STATUS run_nothing(struct client *client, char **args)
{
    (void)args;
    PeerNothing(client->binding);
    return RPC_S_OK;
}

static RPC_STATUS run_post(struct client *client, char **args)
{
    PeerPost(client->binding, (int32_t)strtol(args[0], NULL, 0));
    return RPC_S_OK;
}

static RPC_STATUS run_posted(struct client *client, char **args)
{
    (void)args;
    printf("\"result\": %" PRId32 ", ", PeerPosted(client->binding));
    return RPC_S_OK;
}

static RPC_STATUS run_wait(struct client *client, char **args)
{
    (void)client;
    usleep((useconds_t)strtoul(args[0], NULL, 0) * 1000);
    return RPC_S_OK;
}

static RPC_STATUS run_other(struct client *client, char **args)
{
    (void)args;
    printf("\"result\": %" PRId32 ", ", PeerOther(client->binding));
    return RPC_S_OK;
}

static RPC_STATUS run_syntaxes(struct client *client, char **args)
{
    return RpcxBindingSetTransferSyntaxes(client->binding, (unsigned)strtoul(args[0], NULL, 0));
}

static RPC_STATUS run_limits(struct client *client, char **args)
{
    return RpcxBindingSetLimits(client->binding, (size_t)strtoull(args[0], NULL, 0),
                                (unsigned)strtoul(args[1], NULL, 0));
}

/* Pushes one number at a time. */
static RPC_STATUS run_hypers(struct client *client, char **args)
{
    ASYNC_HYPER_PIPE numbers;
    hyper sent = strtol(args[0], NULL, 0), got = 0;
    bool good = true;
    byte lead_back = 0;
    prepare(client);
    PeerHypers(&client->async, client->binding, 0x5A, &numbers, &lead_back);
    RPC_STATUS status = RPC_S_OK;
    for (hyper i = 0; i < sent && status == RPC_S_OK; i++)
        status = PUSH(&numbers, &i, 1);
    if (status == RPC_S_OK)
        status = PUSH(&numbers, NULL, 0);
    while (status == RPC_S_OK || status == RPC_S_ASYNC_CALL_PENDING) {
        hyper buf[100];
        unsigned long count = 0;
        status = numbers.pull(numbers.state, buf, 100, &count);
        if (status == RPC_S_ASYNC_CALL_PENDING)
            wait_event(client);
        else if (status == RPC_S_OK && count == 0)
            break;
        for (unsigned long i = 0; i < count; i++, got++)
            good = good && buf[i] == got;
    }
    if (status == RPC_S_OK)
        status = finish(client, NULL);
    printf("\"pulled\": %lld, \"good\": %s, \"lead\": %u, ", (long long)got,
           good ? "true" : "false", lead_back);
    return status;
}

static const struct command {
    const char *name;
    int arg_count;
    RPC_STATUS (*run)(struct client *client, char **args);
} commands[] = {
    {"echo", 2, run_echo},           {"take", 2, run_take},     {"give", 1, run_give},
    {"transform", 1, run_transform}, {"sum", 1, run_sum},       {"abort", 2, run_abort},
    {"abort-out", 2, run_abort_out}, {"hang", 1, run_hang},     {"hang-abort", 1, run_hang_abort},
    {"nothing", 0, run_nothing},     {"wait", 1, run_wait},     {"other", 0, run_other},
    {"syntaxes", 1, run_syntaxes},   {"limits", 2, run_limits}, {"hypers", 1, run_hypers},
    {"post", 1, run_post},           {"posted", 0, run_posted},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* The status of the call, whether returned or raised. */
/* A string of ASCII. */
static void print_text(const WCHAR *text)
{
    putchar('"');
    for (; text && *text; text++)
        putchar(*text >= ' ' && *text < 0x7f && *text != '"' && *text != '\\' ? *text : '?');
    putchar('"');
}

static void print_param(const RPC_EE_INFO_PARAM *param)
{
    switch (param->ParameterType) {
    case eeptUnicodeString:
        print_text(param->u.UnicodeString);
        return;
    case eeptAnsiString:
        printf("\"%s\"", param->u.AnsiString);
        return;
    case eeptLongVal:
        printf("%" PRId32, param->u.LVal);
        return;
    case eeptShortVal:
        printf("%d", param->u.SVal);
        return;
    case eeptPointerVal:
        printf("%" PRIu64, param->u.PVal);
        return;
    case eeptBinary:
        printf("%d", param->u.BVal.Size);
        return;
    case eeptNone:
        break;
    }
    printf("null");
}

/* Why it failed, as far as this thread knows. */
static void print_errors(void)
{
    RPC_ERROR_ENUM_HANDLE handle;
    RPC_EXTENDED_ERROR_INFO info = {.Version = RPC_EEINFO_VERSION, .NumberOfParameters = 4};
    printf("\"errors\": [");
    if (RpcErrorStartEnumeration(&handle) == RPC_S_OK) {
        for (int i = 0; RpcErrorGetNextRecord(&handle, FALSE, &info) == RPC_S_OK; i++) {
            printf("%s{\"component\": %" PRIu32 ", \"location\": %u, \"status\": %" PRIu32
                   ", \"pid\": %" PRIu32 ", \"computer\": ",
                   i ? ", " : "", info.GeneratingComponent, info.DetectionLocation, info.Status,
                   info.ProcessID);
            print_text(info.ComputerName);
            printf(", \"params\": [");
            for (int p = 0; p < info.NumberOfParameters; p++) {
                printf("%s", p ? ", " : "");
                print_param(&info.Parameters[p]);
            }
            printf("]}");
            info.Flags = 0;
            info.NumberOfParameters = 4;
        }
        RpcErrorEndEnumeration(&handle);
    }
    printf("], ");
}

static void run_command(const struct command *command, struct client *client, char **args)
{
    volatile RPC_STATUS status = RPC_S_OK;
    printf("{\"command\": \"%s\", ", command->name);
    RpcTryExcept
    {
        status = command->run(client, args);
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    if (status != RPC_S_OK)
        print_errors();
    printf("\"status\": %" PRIu32 "}\n", (uint32_t)status);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct client client = {.event = CreateEvent(NULL, FALSE, FALSE, NULL)};
    if (argc < 3)
        die("usage: peer_client BINDING COMMAND [ARGUMENT ...] [-- COMMAND ...]");
    if (!client.event ||
        RpcBindingFromStringBindingA((RPC_CSTR)argv[1], &client.binding) != RPC_S_OK)
        die("cannot make the binding");
    for (int i = 2; i < argc; i++) {
        const struct command *command = find_command(argv[i]);
        if (!command || i + command->arg_count >= argc)
            die("no such command, or too few arguments");
        run_command(command, &client, argv + i + 1);
        i += command->arg_count + 1;
        if (i < argc && strcmp(argv[i], "--") != 0)
            die("too many arguments");
    }
    RpcBindingFree(&client.binding);
    CloseHandle(client.event);
    return EXIT_SUCCESS;
}
