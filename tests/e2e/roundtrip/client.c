/* SPDX-License-Identifier: MIT */
/* client.c - runs cases against the server at a string binding:
 *
 *     roundtrip_client [--no-counting] BINDING [CASE ...]
 *
 * With --no-counting the objects of the server, which may be other clients', do not
 * matter.  One line per case: "ok NAME" or "FAILED NAME why". */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "win32.h"
#include "wrong.h"

/* A server frees what a call held after it has answered. */
#define LIVE_PATIENCE_MS 3000
#define ASYNC_PATIENCE_MS 20000

RPC_BINDING_HANDLE server;

static const char *running;
static bool counting = true;

bool fail(const char *file, int line, const char *format, ...)
{
    const char *slash = strrchr(file, '/');
    va_list args;
    va_start(args, format);
    printf("FAILED %s %s:%d: ", running, slash ? slash + 1 : file, line);
    vprintf(format, args);
    puts("");
    va_end(args);
    return false;
}

/* ---- Asynchronous calls ------------------------------------------------------------ */

void pending_init(struct pending *pending)
{
    RPC_STATUS status = RpcAsyncInitializeHandle(&pending->async, sizeof(pending->async));
    pending->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (status != RPC_S_OK || !pending->event)
        RpcRaiseException(RPC_S_OUT_OF_RESOURCES);
    pending->async.NotificationType = RpcNotificationTypeEvent;
    pending->async.u.hEvent = pending->event;
}

RPC_STATUS pending_complete(struct pending *pending, void *reply)
{
    RPC_STATUS status = RPC_S_TIMEOUT;
    if (WaitForSingleObject(pending->event, ASYNC_PATIENCE_MS) == WAIT_OBJECT_0)
        status = RpcAsyncCompleteCall(&pending->async, reply);
    CloseHandle(pending->event);
    return status;
}

/* ---- Cases ----------------------------------------------------------------------------- */

static const char *wrong_file(RPC_STATUS status)
{
    switch (WRONG_FILE(status)) {
    case WRONG_VALUES:
        return "server_values.c";
    case WRONG_POINTERS:
        return "server_pointers.c";
    case WRONG_UNIONS:
        return "server_unions.c";
    case WRONG_OPEN:
        return "server_open.c";
    case WRONG_FULL:
        return "server_full.c";
    case WRONG_CONVERT:
        return "server_convert.c";
    case WRONG_MODES:
        return "server_modes.c";
    case WRONG_TYPES:
        return "server_types.c";
    case WRONG_MEMORY:
        return "server_memory.c";
    default:
        return "server_calls.c";
    }
}

static bool run_case(const struct test_case *test)
{
    RPC_STATUS status;
    volatile bool ok = false;
    RAISED(status, ok = test->run());
    if (IS_WRONG(status))
        return fail(wrong_file(status), WRONG_LINE(status), "not what was sent");
    if (status != RPC_S_OK)
        return fail("client", 0, "raised %d", (int)status);
    return ok;
}

/* Objects left by cases that failed: known, and no fault of the next. */
static int64_t left_here, left_there;

/* Nothing is left in either program. */
bool in_ndr64(void)
{
    const char *syntax = getenv("PENSTOCK_TRANSFER_SYNTAX");
    return !syntax || strcmp(syntax, "ndr64") == 0;
}

static bool check_memory(void)
{
    int64_t live = left_there;
    /* What a callback held is freed after it has answered. */
    for (int i = 0; i < LIVE_PATIENCE_MS / 10 && memory_live() != left_here; i++)
        Sleep(10);
    int64_t here = memory_live() - left_here;
    left_here += here;
    if (here != 0)
        return fail("client", 0, "%lld objects are left", (long long)here);
    if (!counting)
        return true;
    for (int i = 0; i < LIVE_PATIENCE_MS / 10; i++) {
        RPC_STATUS status;
        RAISED(status, live = RtLive(server));
        CHECK_EQUAL(status, RPC_S_OK);
        if (live == left_there)
            return true;
        Sleep(10);
    }
    live -= left_there;
    left_there += live;
    return fail("server", 0, "%lld objects are left", (long long)live);
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 2;
}

int main(int argc, char **argv)
{
    const struct test_case *const sets[] = {value_cases,   array_cases, string_cases,
                                            pointer_cases, union_cases, open_cases,
                                            full_cases,    async_cases, failure_cases,
                                            convert_cases, limit_cases,   mode_cases,
                                            types_cases,   memory_cases};
    if (argc > 1 && strcmp(argv[1], "--no-counting") == 0) {
        counting = false;
        argc--;
        argv++;
    }
    if (argc < 2 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK) {
        fprintf(stderr, "usage: roundtrip_client [--no-counting] BINDING [CASE ...]\n");
        return 2;
    }
    int failures = 0;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        for (const struct test_case *test = sets[i]; test->name; test++) {
            if (!wanted(test->name, argc, argv))
                continue;
            running = test->name;
            bool ok = run_case(test);
            if (check_memory() && ok)
                printf("ok %s\n", running);
            else
                failures++;
            fflush(stdout);
        }
    }
    RpcBindingFree(&server);
    return failures > 0;
}
