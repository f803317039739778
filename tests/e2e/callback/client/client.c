/* SPDX-License-Identifier: MIT */
/* client.c - one case of the callback tests: callback_client BINDING CASE.  Prints "ok" or
 * what was wrong. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc.h"
#include "win32.h"

#include "callback.h"

static handle_t server;
static atomic_int failures;

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* The status a call raises; RPC_S_OK when it returns. */
#define RAISED(call)                                                                               \
    __extension__({                                                                                \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept                                                                               \
        {                                                                                          \
            call;                                                                                  \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept raised_;                                                                      \
    })

/* ---- Routines the server calls ------------------------------------------------------ */

/* Routines run on the thread that waits for the outer call. */
static _Thread_local int32_t factor;
static _Thread_local BOOK open_book;
static _Thread_local int32_t terms;

int32_t Term(int32_t i)
{
    terms++;
    return i * factor;
}

int64_t Turn(int32_t n, int32_t *values)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < n; i++)
        sum += values[i];
    for (int32_t i = 0; i < n / 2; i++) {
        int32_t other = values[n - 1 - i];
        values[n - 1 - i] = values[i];
        values[i] = other;
    }
    return sum;
}

void Throw(int32_t status)
{
    if (status != 0)
        RpcRaiseException(status);
}

int32_t Down(int32_t depth)
{
    return depth == 0 ? 0 : Deep(server, depth - 1) + 1;
}

void Text(unsigned char *text, unsigned char **ret_text)
{
    size_t len = strlen((char *)text);
    unsigned char *reply = MIDL_user_allocate(2 * len + 1);
    if (!reply)
        RpcRaiseException(RPC_S_OUT_OF_MEMORY);
    memcpy(reply, text, len);
    memcpy(reply + len, text, len + 1);
    *ret_text = reply;
}

int32_t Page(int32_t n)
{
    return Write(open_book, n);
}

static HANDLE rest_begun, rest_ends; /* of cancelled() */
static int rest_depth;

void Rest(void)
{
    char octet;
    if (rest_ends) {
        if (rest_depth-- > 0) {
            Hold(server); /* its Rest() is the one that waits */
            return;
        }
        SetEvent(rest_begun);
        WaitForSingleObject(rest_ends, 10000);
        return;
    }
    puts("in");
    fflush(stdout);
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
}

error_status_t Try(int32_t status)
{
    if (status < 0)
        RpcRaiseException(-status);
    return (error_status_t)status;
}

/* ---- Cases ------------------------------------------------------------------------------ */

static void sum(void)
{
    factor = 3;
    CHECK(Sum(server, 0) == 0);
    CHECK(Sum(server, 1) == 0);
    CHECK(Sum(server, 1000) == 3 * INT64_C(499500));
    CHECK(terms == 1001);
    CHECK(Plain(server, 5) == 6);
}

static void *sum_on_thread(void *arg)
{
    factor = *(int32_t *)arg;
    for (int i = 0; i < 40; i++) {
        CHECK(Sum(server, 25) == 300 * (int64_t)factor);
        CHECK(Plain(server, i) == i + 1);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t thread[12];
    int32_t factors[12];
    for (int i = 0; i < 12; i++) {
        factors[i] = i + 1;
        CHECK(pthread_create(&thread[i], NULL, sum_on_thread, &factors[i]) == 0);
    }
    for (int i = 0; i < 12; i++)
        pthread_join(thread[i], NULL);
}

static void bulk(void)
{
    static const int32_t counts[] = {0, 1, 2, 1450, 1451, 40000, 1000000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        CHECK(Bulk(server, counts[i]) == 0);
    CHECK(Bulk(server, (4 << 20) / 4) == RPC_S_OUT_OF_RESOURCES); /* LIMIT_STUB_LEN */
    CHECK(Plain(server, 1) == 2);
}

static void raised(void)
{
    static const int32_t codes[] = {0, RPC_S_ACCESS_DENIED, 87, 0x1234567, -5, RPC_S_CALL_FAILED};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        CHECK(Catch(server, codes[i]) == codes[i]);
        CHECK(RAISED(Pass(server, codes[i])) == codes[i]);
    }
    CHECK(Plain(server, 1) == 2);
    CHECK(Ask(server, 0) == 0);
    CHECK(Ask(server, 77) == 77);
    CHECK(Ask(server, -1234) == 1234);
}

static void deep(void)
{
    for (int32_t depth = 0; depth <= 31; depth++)
        CHECK(Deep(server, depth) == depth);
    for (int32_t depth = 32; depth <= 34; depth++)
        CHECK(RAISED(Deep(server, depth)) == RPC_S_OUT_OF_RESOURCES);
    CHECK(Deep(server, 31) == 31);
    CHECK(Plain(server, 1) == 2);
}

/* The server's access check refuses the fourth Deep(), which is the one inside the third. */
static void refused(void)
{
    CHECK(Deep(server, 0) == 0);
    CHECK(Deep(server, 1) == 1);
    CHECK(RAISED(Deep(server, 2)) == RPC_S_ACCESS_DENIED);
    CHECK(Deep(server, 2) == 2);
    CHECK(Plain(server, 1) == 2);
}

static void strings(void)
{
    CHECK(Letters(server, (unsigned char *)"") == 0);
    CHECK(Letters(server, (unsigned char *)"back and forth") == 0);
}

/* Something of everything, in few allocations. */
static void little(void)
{
    CHECK(Letters(server, (unsigned char *)"abc") == 0);
    CHECK(Deep(server, 2) == 2);
    CHECK(Bulk(server, 2000) == 0);
}

/* The outer call has the context for itself, and the one inside it uses it all the same. */
static void context(void)
{
    open_book = Open(server);
    CHECK(Edit(open_book, 5) == 5);
    CHECK(Edit(open_book, 6) == 11);
    CHECK(Write(open_book, 1) == 12);
    Close(&open_book);
    CHECK(open_book == NULL);
}

static void asynchronous(void)
{
    RPC_ASYNC_STATE state;
    int32_t status = 0;
    CHECK(RpcAsyncInitializeHandle(&state, sizeof(state)) == RPC_S_OK);
    state.NotificationType = RpcNotificationTypeNone;
    Late(&state, server);
    RPC_STATUS pending;
    while ((pending = RpcAsyncGetCallStatus(&state)) == RPC_S_ASYNC_CALL_PENDING)
        usleep(1000);
    CHECK(pending == RPC_S_OK);
    CHECK(RpcAsyncCompleteCall(&state, &status) == RPC_S_OK);
    CHECK(status == RPC_S_CANNOT_SUPPORT); /* our answer to the callback */
    Slow(server);
    COUNTERS counters;
    Count(server, &counters);
    CHECK(counters.last_status == RPC_S_CANNOT_SUPPORT);
    CHECK(Stray(server) == RPC_S_NO_CALL_ACTIVE);
}

static void hold(void)
{
    Hold(server);
}

static atomic_int hold_status;

static DWORD hold_on_thread(LPVOID unused)
{
    (void)unused;
    hold_status = RAISED(Hold(server));
    return 0;
}

/* When all managers that began have ended: those whose client gave them up do so later, those of
 * another process before this one, too. */
static COUNTERS count_at_rest(void)
{
    COUNTERS counters;
    for (int i = 0; i < 1000; i++) {
        Count(server, &counters);
        if (counters.ended == counters.began)
            break;
        usleep(10000);
    }
    CHECK(counters.ended == counters.began);
    return counters;
}

/* The thread is cancelled while it runs a routine for the server: asked to end, or at once. */
static void cancelled(void)
{
    COUNTERS before, after;
    rest_begun = CreateEvent(NULL, FALSE, FALSE, NULL);
    rest_ends = CreateEvent(NULL, FALSE, FALSE, NULL);
    for (long timeout = -1; timeout <= 0; timeout++) {
        rest_depth = 0;
        before = count_at_rest();
        HANDLE thread = CreateThread(NULL, 0, hold_on_thread, NULL, 0, NULL);
        CHECK(WaitForSingleObject(rest_begun, 10000) == WAIT_OBJECT_0);
        CHECK(RpcCancelThreadEx(thread, timeout) == RPC_S_OK);
        CHECK(WaitForSingleObject(thread, 50) == WAIT_TIMEOUT); /* the routine still runs */
        SetEvent(rest_ends);
        CHECK(WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
        CHECK(hold_status == (timeout < 0 ? RPC_S_OK : RPC_S_CALL_CANCELLED));
        CloseHandle(thread);
        after = count_at_rest();
        CHECK(after.ended == before.ended + 1 && after.cancelled == before.cancelled + 1);
    }
    /* Calls inside calls, until the innermost is given up: all of them are. */
    rest_depth = 3;
    HANDLE thread = CreateThread(NULL, 0, hold_on_thread, NULL, 0, NULL);
    CHECK(WaitForSingleObject(rest_begun, 10000) == WAIT_OBJECT_0);
    CHECK(RpcCancelThreadEx(thread, 0) == RPC_S_OK);
    SetEvent(rest_ends);
    CHECK(WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0);
    CHECK(hold_status != RPC_S_OK);
    CloseHandle(thread);
    CHECK(Plain(server, 5) == 6);
    CloseHandle(rest_begun);
    CloseHandle(rest_ends);
}

/* For servers that are not ours. */
static void once(void)
{
    factor = 2;
    printf("%lld\n", (long long)Sum(server, 1));
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"sum", sum},   {"threads", threads}, {"bulk", bulk},       {"raised", raised},
    {"deep", deep},
    {"refused", refused}, {"strings", strings}, {"context", context}, {"little", little}, {"async", asynchronous},
    {"cancelled", cancelled}, {"hold", hold}, {"once", once},
};

int main(int argc, char **argv)
{
    if (argc != 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK)
        return 2;
    bool known = false;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[2]) != 0)
            continue;
        known = true;
        RPC_STATUS status = RAISED(cases[i].run());
        if (status != RPC_S_OK) {
            printf("raised %d\n", (int)status);
            failures++;
        }
    }
    CHECK(known);
    if (failures == 0)
        puts("ok");
    RpcBindingFree(&server);
    return failures != 0;
}
