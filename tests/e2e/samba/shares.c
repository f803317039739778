/* SPDX-License-Identifier: MIT */
/* shares.c - srvsvc, and calls that nobody serves. */
#include <stdio.h>
#include <stdlib.h>

#include <penstock/win32.h>

#include "client.h"

#define TIMES_MAX 64

long run_server(handle_t binding, char **args)
{
    DWORD level = (DWORD)strtoul(args[0], NULL, 0);
    SERVER_INFO info = {0};
    DWORD status = NetrServerGetInfo(binding, NULL, level, &info);
    if (level == 100 && info.level100) {
        printf("{\"platform\": %u, \"name\": ", (unsigned)info.level100->sv100_platform_id);
        put_wide_string(info.level100->sv100_name);
        putchar('}');
    } else if (level == 101 && info.level101) {
        const SERVER_INFO_101 *server = info.level101;
        printf("{\"platform\": %u, \"name\": ", (unsigned)server->sv101_platform_id);
        put_wide_string(server->sv101_name);
        printf(", \"version\": [%u, %u], \"type\": %u, \"comment\": ",
               (unsigned)server->sv101_version_major, (unsigned)server->sv101_version_minor,
               (unsigned)server->sv101_type);
        put_wide_string(server->sv101_comment);
        putchar('}');
    } else {
        fputs("null", stdout);
    }
    return (long)status;
}

static void put_shares(const SHARE_ENUM_STRUCT *info)
{
    if (info->level == 0)
        for (DWORD i = 0; i < info->shares.level0->count; i++) {
            fputs(i > 0 ? ", [" : "[", stdout);
            put_wide_string(info->shares.level0->buffer[i].netname);
            putchar(']');
        }
    else
        for (DWORD i = 0; i < info->shares.level1->count; i++) {
            const SHARE_INFO_1 *share = &info->shares.level1->buffer[i];
            fputs(i > 0 ? ", [" : "[", stdout);
            put_wide_string(share->netname);
            printf(", %u, ", (unsigned)share->type);
            put_wide_string(share->remark);
            putchar(']');
        }
}

long run_shares(handle_t binding, char **args)
{
    SHARE_INFO_0_CONTAINER level0 = {0};
    SHARE_INFO_1_CONTAINER level1 = {0};
    SHARE_ENUM_STRUCT info = {.level = args[0][0] == '0' ? 0 : 1};
    DWORD total = 0, resume = 0;
    if (info.level == 0)
        info.shares.level0 = &level0;
    else
        info.shares.level1 = &level1;
    WCHAR *server = wide("\\\\peer");
    DWORD status = NetrShareEnum(binding, server, &info, 0xffffffff, &total, &resume);
    printf("{\"total\": %u, \"resume\": %u, \"shares\": [", (unsigned)total, (unsigned)resume);
    if (status == 0)
        put_shares(&info);
    fputs("]}", stdout);
    return (long)status;
}

static void put_time(const TIME_OF_DAY_INFO *time)
{
    printf("{\"elapsed\": %u, \"time\": [%u, %u, %u], \"date\": [%u, %u, %u], \"weekday\": %u, "
           "\"tinterval\": %u}",
           (unsigned)time->elapsed, (unsigned)time->hours, (unsigned)time->mins,
           (unsigned)time->secs, (unsigned)time->year, (unsigned)time->month, (unsigned)time->day,
           (unsigned)time->weekday, (unsigned)time->tinterval);
}

struct pending {
    RPC_ASYNC_STATE async;
    TIME_OF_DAY_INFO *time;
};

static void start(struct pending *pending, handle_t binding)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(&pending->async, sizeof(pending->async));
    if (status != RPC_S_OK)
        RpcRaiseException(status);
    pending->async.NotificationType = RpcNotificationTypeEvent;
    pending->async.u.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);
    NetrRemoteTOD(&pending->async, binding, NULL, &pending->time);
}

static DWORD finish(struct pending *pending)
{
    DWORD result = 0;
    WaitForSingleObject(pending->async.u.hEvent, INFINITE);
    RPC_STATUS status = RpcAsyncCompleteCall(&pending->async, &result);
    CloseHandle(pending->async.u.hEvent);
    return status == RPC_S_OK ? result : (DWORD)status;
}

long run_time(handle_t binding, char **args)
{
    struct pending pending = {0};
    (void)args;
    start(&pending, binding);
    DWORD status = finish(&pending);
    if (pending.time)
        put_time(pending.time);
    else
        fputs("null", stdout);
    return (long)status;
}

/* `args[0]` asynchronous calls at once on one binding, collected in order. */
long run_times(handle_t binding, char **args)
{
    static struct pending pending[TIMES_MAX];
    size_t count = strtoul(args[0], NULL, 0);
    DWORD failed = 0;
    size_t answers = 0;
    for (size_t i = 0; i < count && i < TIMES_MAX; i++)
        start(&pending[i], binding);
    fputs("[", stdout);
    for (size_t i = 0; i < count && i < TIMES_MAX; i++) {
        DWORD status = finish(&pending[i]);
        if (status != 0) {
            failed = status;
            continue;
        }
        fputs(answers++ > 0 ? ", " : "", stdout);
        put_time(pending[i].time);
    }
    fputs("]", stdout);
    return (long)failed;
}

long run_name(handle_t binding, char **args)
{
    enum { SHARE = 9 };
    long status = (long)NetprNameValidate(binding, NULL, wide(args[0]), SHARE, 0);
    fputs("null", stdout);
    return status;
}

long run_beyond(handle_t binding, char **args)
{
    (void)args;
    return (long)NetrBeyond(binding);
}

long run_nowhere(handle_t binding, char **args)
{
    (void)args;
    NowhereCall(binding);
    return 0;
}
