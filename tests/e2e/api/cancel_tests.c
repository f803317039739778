/* SPDX-License-Identifier: MIT */
/* cancel_tests.c - RpcCancelThread and kin: another thread ends a synchronous call, at each
 * of its stages. */
#include "harness.h"

#include <arpa/inet.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- The server's side ---------------------------------------------------------- */

/* What a manager does. */
enum { ANSWER, ANSWER_CANCEL, RAISE_CANCEL, IGNORE_CANCEL };

static BOTH_SIDES atomic_int lingering;    /* managers inside               */
static BOTH_SIDES atomic_int cancels_seen; /* by them                       */
static BOTH_SIDES atomic_bool may_return;  /* of IGNORE_CANCEL              */

/* Until the call is cancelled, or with IGNORE_CANCEL the test says so. */
static int32_t linger(int32_t how)
{
    if (how == ANSWER)
        return 1;
    CHECK_EQUAL(RpcTestCancel(), RPC_S_ACCESS_DENIED);
    atomic_fetch_add(&lingering, 1);
    uint64_t until = now_ms() + SOON_MS;
    while (RpcTestCancel() != RPC_S_OK) {
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    atomic_fetch_add(&cancels_seen, 1);
    while (how == IGNORE_CANCEL && !atomic_load(&may_return))
        sleep_ms(1);
    atomic_fetch_sub(&lingering, 1);
    if (how == RAISE_CANCEL)
        RpcRaiseException(RPC_S_CALL_CANCELLED);
    return 100;
}

int32_t s_linger(handle_t h, int32_t how)
{
    (void)h;
    return linger(how);
}

int32_t s_sync_in(handle_t h, int32_t how, byte_pipe *data)
{
    (void)h;
    byte buf[1000];
    unsigned long count;
    int32_t result = how == ANSWER ? 1 : linger(how);
    do
        data->pull(data->state, buf, sizeof(buf), &count);
    while (count > 0);
    return result;
}

int32_t s_sync_out(handle_t h, int32_t how, byte_pipe *data)
{
    (void)h;
    byte buf[1000] = {0};
    data->push(data->state, buf, sizeof(buf));
    int32_t result = linger(how);
    data->push(data->state, buf, 0);
    return result;
}

static void reach(atomic_int *counter, int value)
{
    uint64_t until = now_ms() + SOON_MS;
    while (atomic_load(counter) != value) {
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "a counter is %d, not %d", atomic_load(counter), value);
        sleep_ms(1);
    }
}

/* ---- A thread that calls ----------------------------------------------------------- */

enum { LINGER, SYNC_IN, SYNC_OUT };

struct caller_thread {
    RPC_BINDING_HANDLE h;
    int operation;
    int32_t how;
    long timeout; /* for RpcMgmtSetCancelTimeout */
    uint64_t octets; /* SYNC_IN: to send */
    atomic_bool routine_waits; /* the routine of the pipe does, until */
    HANDLE go_on;              /* this event                          */
    HANDLE thread;
    atomic_int status, result;
};

static void routine_alloc(char *state, unsigned long bsize, byte **buf, unsigned long *bcount)
{
    static _Thread_local byte octets[60000];
    (void)state;
    *buf = octets;
    *bcount = bsize < sizeof(octets) ? bsize : sizeof(octets);
}

static void routine_pull(char *state, byte *buf, unsigned long esize, unsigned long *ecount)
{
    struct caller_thread *t = (struct caller_thread *)(void *)state;
    if (t->go_on) {
        atomic_store(&t->routine_waits, true);
        CHECK_EQUAL(WaitForSingleObject(t->go_on, SOON_MS), WAIT_OBJECT_0);
    }
    *ecount = t->octets < esize ? (unsigned long)t->octets : esize;
    memset(buf, 7, *ecount);
    t->octets -= *ecount;
}

static void routine_push(char *state, byte *buf, unsigned long ecount)
{
    (void)state;
    (void)buf;
    (void)ecount;
}

static void make_call(struct caller_thread *t)
{
    byte_pipe pipe = {.pull = routine_pull,
                      .push = routine_push,
                      .alloc = routine_alloc,
                      .state = (char *)t};
    t->result = -1;
    switch (t->operation) {
    case LINGER:
        RAISED(t->status, t->result = c_linger(t->h, t->how));
        break;
    case SYNC_IN:
        RAISED(t->status, t->result = c_sync_in(t->h, t->how, &pipe));
        break;
    case SYNC_OUT:
        RAISED(t->status, t->result = c_sync_out(t->h, t->how, &pipe));
        break;
    }
}

static DWORD run_caller(LPVOID arg)
{
    struct caller_thread *t = arg;
    CHECK_EQUAL(RpcMgmtSetCancelTimeout(t->timeout), RPC_S_OK);
    make_call(t);
    return 0;
}

static void start(struct caller_thread *t)
{
    t->thread = CreateThread(NULL, 0, run_caller, t, 0, NULL);
    CHECK(t->thread);
}

/* It ends within the time, with this status. */
static void joined_at(const char *file, int line, struct caller_thread *t, unsigned within_ms,
                      RPC_STATUS status)
{
    if (WaitForSingleObject(t->thread, within_ms) != WAIT_OBJECT_0)
        failed(file, line, "the call does not end");
    check_equal(file, line, "the call's status", t->status, status);
    CloseHandle(t->thread);
}
#define JOINED(t, within_ms, status) joined_at(__FILE__, __LINE__, t, within_ms, status)

/* ---- The server answers ---------------------------------------------------------- */

static void server_answers(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int operation = LINGER; operation <= SYNC_OUT; operation++) {
        for (int ex = 0; ex < 2; ex++) {
            struct caller_thread t = {.h = h, .operation = operation, .how = ANSWER_CANCEL,
                                      .timeout = RPC_C_CANCEL_INFINITE_TIMEOUT, .octets = 300000};
            start(&t);
            reach(&lingering, 1);
            CHECK_EQUAL(WaitForSingleObject(t.thread, NEVER_MS), WAIT_TIMEOUT);
            CHECK_EQUAL(ex ? RpcCancelThreadEx(t.thread, RPC_C_CANCEL_INFINITE_TIMEOUT)
                           : RpcCancelThread(t.thread), RPC_S_OK);
            JOINED(&t, AT_ONCE_MS, RPC_S_OK);
            CHECK_EQUAL(t.result, 100);
            t.how = RAISE_CANCEL;
            start(&t);
            reach(&lingering, 1);
            CHECK_EQUAL(ex ? RpcCancelThreadEx(t.thread, 5) : RpcCancelThread(t.thread), RPC_S_OK);
            JOINED(&t, AT_ONCE_MS, RPC_S_CALL_CANCELLED);
        }
    }
    CHECK_EQUAL(atomic_load(&cancels_seen), 12);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- The server does not ------------------------------------------------------------ */

/* `seconds` until the call ends with `status`; the server goes on, its late answer is
 * nobody's. */
static void times_out(RPC_BINDING_HANDLE h, int operation, long seconds, bool ex)
{
    struct caller_thread t = {.h = h, .operation = operation, .how = IGNORE_CANCEL,
                              .octets = 300000,
                              .timeout = ex ? RPC_C_CANCEL_INFINITE_TIMEOUT : seconds};
    int seen = atomic_load(&cancels_seen);
    atomic_store(&may_return, false);
    start(&t);
    reach(&lingering, 1);
    uint64_t begin = now_ms();
    CHECK_EQUAL(ex ? RpcCancelThreadEx(t.thread, seconds) : RpcCancelThread(t.thread), RPC_S_OK);
    if (seconds > 0) { /* who asks again must not make it longer */
        sleep_ms(300);
        CHECK_EQUAL(RpcCancelThreadEx(t.thread, 100), RPC_S_OK);
    }
    JOINED(&t, (unsigned)seconds * 1000 + AT_ONCE_MS,
           ex ? RPC_S_CALL_CANCELLED : RPC_S_CALL_FAILED);
    CHECK(now_ms() - begin >= (uint64_t)seconds * 1000);
    reach(&cancels_seen, seen + 1);
    CHECK_EQUAL(atomic_load(&lingering), 1);
    CHECK_EQUAL(c_ping(h, 5), 6);
    atomic_store(&may_return, true);
    reach(&lingering, 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQUAL(c_ping(h, i), i + 1);
}

static void time_out(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int operation = LINGER; operation <= SYNC_OUT; operation++)
        for (int ex = 0; ex < 2; ex++)
            for (long seconds = 0; seconds < 2; seconds++)
                times_out(h, operation, seconds, ex);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* ---- After completion ----------------------------------------------------------------- */

struct pinger {
    RPC_BINDING_HANDLE h;
    HANDLE proceed, done;
    int cancelled;
};

static DWORD ping_twice(LPVOID arg)
{
    struct pinger *p = arg;
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(c_ping(p->h, i), i + 1);
        SetEvent(p->done);
        CHECK_EQUAL(WaitForSingleObject(p->proceed, SOON_MS), WAIT_OBJECT_0);
    }
    return 0;
}

static DWORD ping_often(LPVOID arg)
{
    struct pinger *p = arg;
    for (int i = 0; i < 1000; i++) {
        RPC_STATUS status;
        int32_t result = -1;
        RAISED(status, result = c_ping(p->h, i));
        CHECK_EITHER(status, RPC_S_OK, RPC_S_CALL_CANCELLED);
        CHECK(status != RPC_S_OK || result == i + 1);
        p->cancelled += status != RPC_S_OK;
    }
    return 0;
}

static void no_call_or_over(void)
{
    struct pinger p = {.h = serve_here()};
    p.proceed = CreateEvent(NULL, FALSE, FALSE, NULL);
    p.done = CreateEvent(NULL, FALSE, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, ping_twice, &p, 0, NULL);
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(WaitForSingleObject(p.done, SOON_MS), WAIT_OBJECT_0);
        CHECK_EQUAL(RpcCancelThread(thread), RPC_S_OK);
        CHECK_EQUAL(RpcCancelThreadEx(thread, 0), RPC_S_OK);
        SetEvent(p.proceed);
    }
    CHECK_EQUAL(WaitForSingleObject(thread, SOON_MS), WAIT_OBJECT_0);
    CHECK_EQUAL(RpcCancelThreadEx(thread, 0), RPC_S_OK); /* it has ended */
    CloseHandle(thread);
    CHECK_EQUAL(RpcCancelThreadEx(thread, 0), RPC_S_ACCESS_DENIED);
    /* An asynchronous call of the thread is none of its business. */
    struct caller caller;
    int32_t reply = 3;
    struct served *served = start_call(&caller, p.h, PLAIN, 0);
    CHECK_EQUAL(RpcCancelThreadEx(GetCurrentThread(), 0), RPC_S_OK);
    EXPECT_QUIET(&caller);
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    /* At any moment of many calls. */
    for (long timeout = -1; timeout <= 0; timeout++) {
        thread = CreateThread(NULL, 0, ping_often, &p, 0, NULL);
        while (WaitForSingleObject(thread, 0) == WAIT_TIMEOUT)
            CHECK_EQUAL(RpcCancelThreadEx(thread, timeout), RPC_S_OK);
        CloseHandle(thread);
    }
    CHECK_USABLE(p.h);
    CloseHandle(p.proceed);
    CloseHandle(p.done);
    RpcBindingFree(&p.h);
}

/* ---- Connecting --------------------------------------------------------------------------- */

/* A socket that takes connections and says nothing, or with `full` takes no more. */
struct silent {
    int fds[40];
    int count;
    char binding[256];
};

static int connected(const void *addr, socklen_t len, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    (void)!connect(fd, addr, len);
    return fd;
}

static void be_silent(struct silent *silent, bool full)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool local = strcmp(transport, "ncalrpc") == 0;
    socklen_t len = local ? sizeof(un) : sizeof(in);
    void *addr = local ? (void *)&un : (void *)&in;
    static int number;
    char name[64];
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(name, sizeof(name), "silent-%d-%d", (int)getpid(), number++);
    if (local) {
        const char *dir = getenv("XDG_RUNTIME_DIR");
        CHECK(dir);
        snprintf(un.sun_path, sizeof(un.sun_path), "%s/penstock", dir);
        mkdir(un.sun_path, 0755);
        snprintf(un.sun_path, sizeof(un.sun_path), "%s/penstock/%s", dir, name);
    }
    silent->fds[0] = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    silent->count = 1;
    CHECK(bind(silent->fds[0], addr, len) == 0);
    CHECK(listen(silent->fds[0], full ? 0 : 20) == 0);
    CHECK(getsockname(silent->fds[0], addr, &len) == 0);
    for (int i = 0; full && i < 8; i++)
        silent->fds[silent->count++] = connected(addr, len, local ? AF_UNIX : AF_INET);
    if (local)
        snprintf(silent->binding, sizeof(silent->binding), "ncalrpc:[%s]", name);
    else
        snprintf(silent->binding, sizeof(silent->binding), "ncacn_ip_tcp:127.0.0.1[%u]",
                 ntohs(in.sin_port));
}

static void silent_fini(struct silent *silent)
{
    for (int i = 0; i < silent->count; i++)
        close(silent->fds[i]);
}

/* Two threads connect, the second waits for what the first one's connection will be. */
static void cancel_connecting(RPC_BINDING_HANDLE h)
{
    struct caller_thread first = {.h = h, .timeout = RPC_C_CANCEL_INFINITE_TIMEOUT};
    struct caller_thread second = {.h = h, .timeout = RPC_C_CANCEL_INFINITE_TIMEOUT};
    start(&first);
    sleep_ms(100);
    start(&second);
    CHECK_EQUAL(WaitForSingleObject(second.thread, 200), WAIT_TIMEOUT);
    CHECK_EQUAL(RpcCancelThread(second.thread), RPC_S_OK);
    JOINED(&second, AT_ONCE_MS, RPC_S_CALL_CANCELLED);
    CHECK_EQUAL(WaitForSingleObject(first.thread, NEVER_MS), WAIT_TIMEOUT);
    CHECK_EQUAL(RpcCancelThreadEx(first.thread, 100), RPC_S_OK);
    JOINED(&first, AT_ONCE_MS, RPC_S_CALL_CANCELLED);
}

static void connecting(void)
{
    RPC_BINDING_HANDLE good = serve_here();
    for (int full = 0; full < 2; full++) {
        struct silent silent;
        be_silent(&silent, full);
        RPC_BINDING_HANDLE h = bind_text(silent.binding);
        cancel_connecting(h);
        CHECK_EQUAL(RpcMgmtSetComTimeout(h, RPC_C_BINDING_INFINITE_TIMEOUT), RPC_S_OK);
        cancel_connecting(h);
        silent_fini(&silent);
        RpcBindingFree(&h);
        CHECK_EQUAL(c_ping(good, 1), 2);
    }
    RpcBindingFree(&good);
}

/* ---- Blocked in send ------------------------------------------------------------------------ */

static void blocked_in_send(void)
{
    for (long timeout = 0; timeout < 2; timeout++) {
        struct child server = spawn_server();
        RPC_BINDING_HANDLE h = bind_text(server.binding);
        struct caller_thread t = {.h = h, .operation = SYNC_IN, .octets = UINT64_C(1) << 40};
        CHECK_EQUAL(c_ping(h, 1), 2);
        start(&t);
        sleep_ms(100);
        child_kill(&server, SIGSTOP);
        CHECK_EQUAL(WaitForSingleObject(t.thread, 300), WAIT_TIMEOUT);
        CHECK_EQUAL(RpcCancelThreadEx(t.thread, timeout), RPC_S_OK);
        JOINED(&t, (unsigned)timeout * 1000 + AT_ONCE_MS, RPC_S_CALL_CANCELLED);
        child_kill(&server, SIGCONT);
        CHECK_EQUAL(c_ping(h, 1), 2);
        RpcBindingFree(&h);
        child_stop(&server);
    }
}

/* ---- While a routine of the program runs ---------------------------------------------------- */

static void in_a_routine(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    for (int abandoned = 0; abandoned < 2; abandoned++) {
        struct caller_thread t = {.h = h, .operation = SYNC_IN, .how = ANSWER_CANCEL,
                                  .octets = 100000};
        int seen = atomic_load(&cancels_seen);
        t.go_on = CreateEvent(NULL, TRUE, FALSE, NULL);
        start(&t);
        while (!atomic_load(&t.routine_waits))
            sleep_ms(1);
        reach(&lingering, 1);
        CHECK_EQUAL(RpcCancelThreadEx(t.thread, abandoned ? 0 : 10), RPC_S_OK);
        reach(&cancels_seen, seen + 1);
        CHECK_EQUAL(WaitForSingleObject(t.thread, NEVER_MS), WAIT_TIMEOUT);
        SetEvent(t.go_on);
        JOINED(&t, AT_ONCE_MS, abandoned ? RPC_S_CALL_CANCELLED : RPC_S_OK);
        reach(&lingering, 0);
        CloseHandle(t.go_on);
    }
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* The routine cancels its own thread. */
static void pull_and_cancel(char *state, byte *buf, unsigned long esize, unsigned long *ecount)
{
    HANDLE self;
    (void)state;
    memset(buf, 1, esize);
    *ecount = esize;
    CHECK(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self, 0,
                          FALSE, DUPLICATE_SAME_ACCESS));
    CHECK_EQUAL(RpcCancelThreadEx(self, 0), RPC_S_OK);
    CloseHandle(self);
}

static void by_itself(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    byte_pipe pipe = {.pull = pull_and_cancel, .alloc = routine_alloc};
    RPC_STATUS status;
    CHECK(GetCurrentThreadId() != 0); /* from now on there can be a handle of it */
    RAISED(status, c_sync_in(h, ANSWER, &pipe));
    CHECK_EQUAL(status, RPC_S_CALL_CANCELLED);
    CHECK_EQUAL(c_ping(h, 1), 2);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static void arguments(void)
{
    HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK_EQUAL(RpcCancelThread(NULL), RPC_S_ACCESS_DENIED);
    CHECK_EQUAL(RpcCancelThread((void *)(uintptr_t)0x12345), RPC_S_ACCESS_DENIED);
    CHECK_EQUAL(RpcCancelThread(event), RPC_S_ACCESS_DENIED);
    CHECK_EQUAL(RpcCancelThreadEx(GetCurrentThread(), -2), RPC_S_INVALID_TIMEOUT);
    CHECK_EQUAL(RpcCancelThreadEx(GetCurrentThread(), LONG_MAX), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtSetCancelTimeout(-2), RPC_S_INVALID_TIMEOUT);
    CHECK_EQUAL(RpcMgmtSetCancelTimeout(0), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtSetCancelTimeout(LONG_MAX), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtSetCancelTimeout(RPC_C_CANCEL_INFINITE_TIMEOUT), RPC_S_OK);
    CHECK_EQUAL(RpcTestCancel(), RPC_S_NO_CALL_ACTIVE);
    CHECK_EQUAL(RpcAsyncCleanupThread(0), RPC_S_OK);
    CHECK_EQUAL(RpcAsyncCleanupThread(RPC_C_INFINITE_TIMEOUT), RPC_S_OK);
    CloseHandle(event);
}

const struct test cancel_tests[] = {
    {"cancel_thread_server_answers", server_answers},
    {"cancel_thread_time_out", time_out},
    {"cancel_thread_no_call_or_over", no_call_or_over},
    {"cancel_thread_connecting", connecting},
    {"cancel_thread_blocked_in_send", blocked_in_send},
    {"cancel_thread_in_a_routine", in_a_routine},
    {"cancel_thread_by_itself", by_itself},
    {"cancel_thread_arguments", arguments},
    {NULL, NULL},
};
