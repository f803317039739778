/* SPDX-License-Identifier: MIT */
/* harness.c - see harness.h. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "rivals.h"
#include "steps.h"

const char *transport = "ncalrpc";
static const char *test_name = "?";

/* A test that runs longer hangs, seconds; sanitizers make everything ten times slower. */
#define WATCHDOG_S 60

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Verdicts --------------------------------------------------------------- */

static void kill_children(void);

void failed(const char *file, int line, const char *format, ...)
{
    const char *slash = strrchr(file, '/');
    va_list args;
    va_start(args, format);
    printf("FAILED %s %s:%d: ", test_name, slash ? slash + 1 : file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    kill_children();
    _exit(1);
}

void skip(const char *why)
{
    printf("skipped %s %s\n", test_name, why);
    fflush(stdout);
    kill_children();
    _exit(77);
}

void check_equal(const char *file, int line, const char *text, long long got, long long wanted)
{
    if (got != wanted)
        failed(file, line, "%s is %lld, not %lld", text, got, wanted);
}

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

long rss_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* ---- Server: managers ------------------------------------------------------- */

_Atomic enum script script = HAND_OFF;
_Atomic uint32_t script_code;

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t calls_changed = PTHREAD_COND_INITIALIZER;
static struct served *calls;
static bool may_continue;

void script_continue(void)
{
    pthread_mutex_lock(&calls_lock);
    may_continue = true;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
}

static void hand_off(const struct served *call)
{
    struct served *copy = malloc(sizeof(*copy));
    if (!copy)
        abort();
    *copy = *call;
    for (int i = 0; i < 2; i++)
        if (copy->pipe_at[i])
            copy->pipe[i] = *copy->pipe_at[i];
    pthread_mutex_lock(&calls_lock);
    struct served **end = &calls;
    while (*end)
        end = &(*end)->next;
    *end = copy;
    pthread_cond_broadcast(&calls_changed);
    while (script == RETURN_LATE && !may_continue)
        pthread_cond_wait(&calls_changed, &calls_lock);
    pthread_mutex_unlock(&calls_lock);
}

static void serve_call(const struct served *call)
{
    int32_t reply = 4711;
    switch (script) {
    case HAND_OFF:
    case RETURN_LATE:
        hand_off(call);
        break;
    case HAND_OFF_AND_RAISE:
        hand_off(call);
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case PUSH_AND_RAISE:
        CHECK_EQUAL(PUSH(call->pipe_at[0], "abc", 3), RPC_S_OK);
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case RAISE:
    case RAISE_OK:
        RpcRaiseException((RPC_STATUS)script_code);
        break;
    case ABORT_AND_RAISE:
        RpcAsyncAbortCall(call->async, script_code);
        RpcRaiseException(1234);
        break;
    case COMPLETE_AND_RAISE:
        *call->twice = 2 * call->n;
        RpcAsyncCompleteCall(call->async, &reply);
        RpcRaiseException(1234);
        break;
    }
}

void s_plain(PRPC_ASYNC_STATE async, handle_t h, int32_t n, int32_t *twice)
{
    serve_call(&(struct served){
        .operation = PLAIN, .async = async, .handle = h, .n = n, .twice = twice});
}
void s_nothing(PRPC_ASYNC_STATE async, handle_t h)
{
    serve_call(&(struct served){.operation = NOTHING, .async = async, .handle = h});
}
void s_bulk(PRPC_ASYNC_STATE async, handle_t h, uint32_t n, const byte *octets)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < n; i++)
        wrong += octets[i] != octet(i);
    serve_call(&(struct served){.async = async, .handle = h, .n = wrong ? -1 : (int32_t)n});
}
static void serve_pipe(enum operation operation, PRPC_ASYNC_STATE async, handle_t h, int32_t n,
                       ASYNC_byte_pipe *data, int32_t *twice)
{
    serve_call(&(struct served){.operation = operation, .async = async, .handle = h, .n = n,
                                .twice = twice, .pipe_at = {(NDR_ASYNC_PIPE *)data}});
}
void s_in_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data,
               int32_t *twice)
{
    serve_pipe(IN_PIPE, async, h, n, data, twice);
}
void s_out_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data,
                int32_t *twice)
{
    serve_pipe(OUT_PIPE, async, h, n, data, twice);
}
void s_both_pipe(PRPC_ASYNC_STATE async, handle_t h, int32_t n, ASYNC_byte_pipe *data,
                 int32_t *twice)
{
    serve_pipe(BOTH_PIPE, async, h, n, data, twice);
}
static void serve_two(enum operation operation, PRPC_ASYNC_STATE async, handle_t h,
                      ASYNC_byte_pipe *first, ASYNC_long_pipe *second)
{
    serve_call(&(struct served){
        .operation = operation, .async = async, .handle = h,
        .pipe_at = {(NDR_ASYNC_PIPE *)first, (NDR_ASYNC_PIPE *)second}});
}
void s_two_in(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first, ASYNC_long_pipe *second)
{
    serve_two(TWO_IN, async, h, first, second);
}
void s_two_out(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first,
               ASYNC_long_pipe *second)
{
    serve_two(TWO_OUT, async, h, first, second);
}
void s_in_then_out(PRPC_ASYNC_STATE async, handle_t h, ASYNC_byte_pipe *first,
                   ASYNC_long_pipe *second)
{
    serve_two(IN_THEN_OUT, async, h, first, second);
}
void s_status_result(PRPC_ASYNC_STATE async, handle_t h, int32_t n)
{
    serve_call(&(struct served){.async = async, .handle = h, .n = n});
}
void s_status_params(PRPC_ASYNC_STATE async, handle_t h, int32_t n, error_status_t *comm,
                     error_status_t *fault)
{
    (void)fault; /* not sent: the ACF's own */
    serve_call(&(struct served){.async = async, .handle = h, .n = n, .twice = (int32_t *)comm});
}
void (*in_manager)(handle_t h);
atomic_uchar pings[PINGS_COUNTED];

int32_t s_ping(handle_t h, int32_t n)
{
    if (n >= 0 && n < PINGS_COUNTED)
        pings[n]++;
    if (in_manager)
        in_manager(h);
    return n + 1;
}

RPC_ASYNC_NOTIFICATION_INFO hold_info;
RPC_BINDING_HANDLE held_handle;
static bool is_holding, may_go;

void s_hold(handle_t h)
{
    unsigned long queued;
    CHECK_EQUAL(RpcServerSubscribeForNotification(NULL, RpcNotificationClientDisconnect,
                                                  RpcNotificationTypeCallback, &hold_info),
                RPC_S_OK);
    pthread_mutex_lock(&calls_lock);
    held_handle = h;
    is_holding = true;
    while (!may_go)
        pthread_cond_wait(&calls_changed, &calls_lock);
    is_holding = may_go = false;
    pthread_mutex_unlock(&calls_lock);
    CHECK_EQUAL(RpcServerUnsubscribeForNotification(NULL, RpcNotificationClientDisconnect,
                                                    &queued),
                RPC_S_OK);
    CHECK_EQUAL(queued, 1);
}

bool holding(void)
{
    pthread_mutex_lock(&calls_lock);
    bool holding = is_holding;
    pthread_mutex_unlock(&calls_lock);
    return holding;
}

void hold_release(void)
{
    pthread_mutex_lock(&calls_lock);
    may_go = true;
    pthread_cond_broadcast(&calls_changed);
    pthread_mutex_unlock(&calls_lock);
}

/* Waits, with a limit, for something about the queue of calls; lock held. */
static bool calls_wait(uint64_t until_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    uint64_t left = until_ms > now_ms() ? until_ms - now_ms() : 0;
    until.tv_sec += (time_t)(left / 1000);
    until.tv_nsec += (long)(left % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return pthread_cond_timedwait(&calls_changed, &calls_lock, &until) == 0;
}

/* The first of the queue, or NULL; lock held. */
static struct served *take_call(void)
{
    struct served *call = calls;
    if (call) {
        calls = call->next;
        call->next = NULL;
    }
    return call;
}

struct served *accept_call(void)
{
    uint64_t until = now_ms() + SOON_MS;
    pthread_mutex_lock(&calls_lock);
    while (!calls)
        if (!calls_wait(until))
            failed(__FILE__, __LINE__, "no call arrived");
    struct served *call = take_call();
    pthread_mutex_unlock(&calls_lock);
    return call;
}

struct served *accept_call_now(void)
{
    pthread_mutex_lock(&calls_lock);
    struct served *call = take_call();
    pthread_mutex_unlock(&calls_lock);
    return call;
}

bool no_call(void)
{
    sleep_ms(NEVER_MS);
    pthread_mutex_lock(&calls_lock);
    bool none = !calls;
    pthread_mutex_unlock(&calls_lock);
    return none;
}

void served_free(struct served *served)
{
    if (served->event)
        CloseHandle(served->event);
    free(served);
}

void served_use_event(struct served *served, unsigned flags)
{
    served->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK(served->event);
    served->async->u.hEvent = served->event;
    served->async->NotificationType = RpcNotificationTypeEvent;
    served->async->Flags = flags;
}

/* ---- Endpoints -------------------------------------------------------------- */

static char here[128];

RPC_BINDING_HANDLE bind_text(const char *text)
{
    RPC_BINDING_HANDLE h = NULL;
    CHECK_EQUAL(RpcBindingFromStringBinding((RPC_CSTR)(uintptr_t)text, &h), RPC_S_OK);
    return h;
}

/* An endpoint the system chose, as a string binding. */
static void open_endpoint(char *ret_text, size_t len)
{
    RPC_BINDING_VECTOR *vector;
    RPC_CSTR text, protseq, endpoint;
    CHECK_EQUAL(RpcServerUseProtseq((RPC_CSTR)(uintptr_t)transport,
                                    RPC_C_PROTSEQ_MAX_REQS_DEFAULT, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcServerInqBindings(&vector), RPC_S_OK);
    CHECK(vector->Count > 0);
    CHECK_EQUAL(RpcBindingToStringBinding(vector->BindingH[0], &text), RPC_S_OK);
    CHECK_EQUAL(RpcStringBindingParse(text, NULL, &protseq, NULL, &endpoint, NULL), RPC_S_OK);
    bool local = strcmp((char *)protseq, "ncalrpc") == 0;
    snprintf(ret_text, len, "%s:%s[%s]", protseq, local ? "" : "127.0.0.1", endpoint);
    RpcStringFree(&text);
    RpcStringFree(&protseq);
    RpcStringFree(&endpoint);
    RpcBindingVectorFree(&vector);
}

static void listen_now(void)
{
    open_endpoint(here, sizeof(here));
    CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, NULL, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), RPC_S_OK);
}

RPC_BINDING_HANDLE serve_here(void)
{
    listen_now();
    return bind_text(here);
}

RPC_BINDING_HANDLE another_binding(void)
{
    return bind_text(here);
}

/* ---- Other processes -------------------------------------------------------- */

#define CHILD_MAX 8
static pid_t children[CHILD_MAX];

static void kill_children(void)
{
    for (int i = 0; i < CHILD_MAX; i++)
        if (children[i] > 0)
            kill(children[i], SIGKILL);
}

static struct child spawn(const char *role, const char *argument, const char *binding)
{
    struct child child = {.pid = -1};
    int out[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) == 0);
    child.out = out[0];
    child.pid = fork();
    if (child.pid == 0) {
        dup2(out[1], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl("/proc/self/exe", "api_test", role, transport, argument, binding, (char *)NULL);
        _exit(127);
    }
    CHECK(child.pid > 0);
    close(out[1]);
    for (int i = 0; i < CHILD_MAX; i++) {
        if (children[i] == 0) {
            children[i] = child.pid;
            break;
        }
    }
    return child;
}

void child_line(const struct child *child, char *line, size_t len)
{
    size_t have = 0;
    while (have + 1 < len) {
        ssize_t n = read(child->out, line + have, 1);
        if (n <= 0)
            failed(__FILE__, __LINE__, "the other process is gone");
        if (line[have] == '\n')
            break;
        have++;
    }
    line[have] = '\0';
}

struct child spawn_server(void)
{
    struct child child = spawn("--serve", "x", "x");
    child_line(&child, child.binding, sizeof(child.binding));
    return child;
}

struct child step_server(void)
{
    struct child child = spawn("--steps", "x", "x");
    child_line(&child, child.binding, sizeof(child.binding));
    return child;
}

struct child step_client(const struct child *server)
{
    return spawn("--steps", "client", server->binding);
}

struct child rival_server(const char *seed)
{
    struct child child = spawn("--rivals", seed, "x");
    child_line(&child, child.binding, sizeof(child.binding));
    return child;
}

struct child spawn_client(const char *what)
{
    return spawn("--client", what, here);
}

void child_ready(const struct child *child)
{
    char line[64];
    child_line(child, line, sizeof(line));
    CHECK(strcmp(line, "ready") == 0);
}

void child_forget(struct child *child)
{
    for (int i = 0; i < CHILD_MAX; i++)
        if (children[i] == child->pid)
            children[i] = 0;
    child->pid = -1;
}

void child_kill(struct child *child, int number)
{
    CHECK(kill(child->pid, number) == 0);
    if (number == SIGKILL) {
        waitpid(child->pid, NULL, 0);
        child_forget(child);
    }
}

void child_stop(struct child *child)
{
    if (child->pid > 0)
        child_kill(child, SIGKILL);
    close(child->out);
}

static void listen_and_say_where(void)
{
    listen_now();
    printf("%s\n", here);
    fflush(stdout);
}

static __attribute__((noreturn)) void child_serve(void)
{
    listen_and_say_where();
    for (;;)
        pause();
}

static __attribute__((noreturn)) void child_client(const char *what, const char *binding)
{
    RPC_BINDING_HANDLE h = bind_text(binding);
    struct caller caller;
    static uint8_t buf[1000];
    unsigned long n;
    caller_init(&caller, 0);
    if (strcmp(what, "hold") == 0)
        c_hold(h);
    enum operation operation = strcmp(what, "push") == 0    ? IN_PIPE
                               : strcmp(what, "plain") == 0 ? PLAIN
                                                            : OUT_PIPE;
    CHECK_EQUAL(caller_call(&caller, h, operation, 1), RPC_S_OK);
    if (strcmp(what, "pull") == 0)
        CHECK_EQUAL(PULL(&caller.pipe[0], buf, sizeof(buf), &n), RPC_S_ASYNC_CALL_PENDING);
    if (strcmp(what, "push") == 0)
        CHECK_EQUAL(PUSH(&caller.pipe[0], buf, sizeof(buf)), RPC_S_OK);
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}

/* ---- Client ----------------------------------------------------------------- */

void caller_init(struct caller *caller, unsigned flags)
{
    memset(caller, 0, sizeof(*caller));
    CHECK_EQUAL(RpcAsyncInitializeHandle(&caller->async, sizeof(caller->async)), RPC_S_OK);
    caller->event = CreateEvent(NULL, FALSE, FALSE, NULL);
    CHECK(caller->event);
    caller->async.u.hEvent = caller->event;
    caller->async.NotificationType = RpcNotificationTypeEvent;
    caller->async.Flags = flags;
    caller->twice = 1111;
}

void caller_fini(struct caller *caller)
{
    if (caller->event)
        CloseHandle(caller->event);
    caller->event = NULL;
}

RPC_STATUS caller_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                       int32_t n)
{
    RPC_STATUS status = RPC_S_OK;
    PRPC_ASYNC_STATE async = &caller->async;
    ASYNC_byte_pipe *data = (ASYNC_byte_pipe *)&caller->pipe[0];
    ASYNC_long_pipe *second = (ASYNC_long_pipe *)&caller->pipe[1];
    memset(caller->pipe, 0xcd, sizeof(caller->pipe)); /* AP-2: uninitialised */
    switch (operation) {
    case PLAIN:
        RAISED(status, c_plain(async, h, n, &caller->twice));
        break;
    case NOTHING:
        RAISED(status, c_nothing(async, h));
        break;
    case IN_PIPE:
        RAISED(status, c_in_pipe(async, h, n, data, &caller->twice));
        break;
    case OUT_PIPE:
        RAISED(status, c_out_pipe(async, h, n, data, &caller->twice));
        break;
    case BOTH_PIPE:
        RAISED(status, c_both_pipe(async, h, n, data, &caller->twice));
        break;
    case TWO_IN:
        RAISED(status, c_two_in(async, h, data, second));
        break;
    case TWO_OUT:
        RAISED(status, c_two_out(async, h, data, second));
        break;
    case IN_THEN_OUT:
        RAISED(status, c_in_then_out(async, h, data, second));
        break;
    }
    return status;
}

struct served *start_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                          unsigned flags)
{
    caller_init(caller, flags);
    CHECK_EQUAL(caller_call(caller, h, operation, 21), RPC_S_OK);
    return accept_call();
}

static const char *event_name(RPC_ASYNC_EVENT event)
{
    static const char *const names[] = {"RpcCallComplete", "RpcSendComplete", "RpcReceiveComplete",
                                        "RpcClientDisconnect", "RpcClientCancel"};
    return names[event];
}

void expect_event_at(const char *file, int line, PRPC_ASYNC_STATE async, HANDLE handle,
                     RPC_ASYNC_EVENT event)
{
    if (WaitForSingleObject(handle, AT_ONCE_MS) != WAIT_OBJECT_0)
        failed(file, line, "no %s", event_name(event));
    if (async->Event != event)
        failed(file, line, "%s, not %s", event_name(async->Event), event_name(event));
}

void expect_quiet_at(const char *file, int line, HANDLE handle)
{
    if (WaitForSingleObject(handle, NEVER_MS) != WAIT_TIMEOUT)
        failed(file, line, "a notification too many");
}

RPC_STATUS complete(struct caller *caller, int32_t *ret_reply)
{
    int32_t reply = 0;
    RPC_STATUS status = RpcAsyncCompleteCall(&caller->async, &reply);
    if (ret_reply)
        *ret_reply = reply;
    return status;
}

/* ---- Pipes ------------------------------------------------------------------ */

uint8_t octet(uint64_t i)
{
    return (uint8_t)(i * 7 + i / 251 + (i >> 16));
}

RPC_STATUS push_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count, size_t chunk)
{
    uint8_t *buf = malloc(chunk);
    CHECK(buf);
    RPC_STATUS status = RPC_S_OK;
    while (count > 0 && status == RPC_S_OK) {
        size_t n = count < chunk ? (size_t)count : chunk;
        for (size_t i = 0; i < n; i++)
            buf[i] = octet(*position + i);
        status = PUSH(pipe, buf, n);
        if (status == RPC_S_OK)
            *position += n;
        count -= n;
    }
    free(buf);
    return status;
}

RPC_STATUS pull_polled(NDR_ASYNC_PIPE *pipe, void *buf, unsigned long size, unsigned long *count)
{
    uint64_t until = now_ms() + SOON_MS;
    RPC_STATUS status;
    while ((status = PULL(pipe, buf, size, count)) == RPC_S_ASYNC_CALL_PENDING) {
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "a pull stays pending");
        sleep_ms(1);
    }
    return status;
}

RPC_STATUS pull_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count)
{
    static _Thread_local uint8_t buf[65536];
    while (count > 0) {
        unsigned long n = 0, wanted = count < sizeof(buf) ? (unsigned long)count : sizeof(buf);
        RPC_STATUS status = pull_polled(pipe, buf, wanted, &n);
        if (status != RPC_S_OK)
            return status;
        if (n == 0)
            failed(__FILE__, __LINE__, "the pipe ends %llu octets early",
                   (unsigned long long)count);
        for (unsigned long i = 0; i < n; i++)
            if (buf[i] != octet(*position + i))
                failed(__FILE__, __LINE__, "wrong octet at %llu",
                       (unsigned long long)(*position + i));
        *position += n;
        count -= n;
    }
    return RPC_S_OK;
}

void pull_end_at(const char *file, int line, NDR_ASYNC_PIPE *pipe)
{
    uint8_t buf[16];
    unsigned long n = 77;
    RPC_STATUS status = pull_polled(pipe, buf, 1, &n);
    check_equal(file, line, "the status at the end of the pipe", status, RPC_S_OK);
    check_equal(file, line, "the count at the end of the pipe", (long long)n, 0);
}

void check_usable_at(const char *file, int line, RPC_BINDING_HANDLE h)
{
    struct caller caller;
    struct served *served = start_call(&caller, h, BOTH_PIPE, 0);
    uint64_t sent = 0, got = 0, back = 0, home = 0;
    int32_t reply = 8, result = 0;
    RPC_STATUS status = push_pattern(&caller.pipe[0], &sent, 20000, 7000);
    check_equal(file, line, "usable: push", status, RPC_S_OK);
    check_equal(file, line, "usable: end", PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    check_equal(file, line, "usable: pull", pull_pattern(&served->pipe[0], &got, 20000), RPC_S_OK);
    pull_end_at(file, line, &served->pipe[0]);
    status = push_pattern(&served->pipe[0], &back, 20000, 6000);
    check_equal(file, line, "usable: push back", status, RPC_S_OK);
    check_equal(file, line, "usable: end back", PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    *served->twice = 42;
    check_equal(file, line, "usable: complete", RpcAsyncCompleteCall(served->async, &reply),
                RPC_S_OK);
    check_equal(file, line, "usable: pull back", pull_pattern(&caller.pipe[0], &home, 20000),
                RPC_S_OK);
    pull_end_at(file, line, &caller.pipe[0]);
    expect_event_at(file, line, &caller.async, caller.event, RpcCallComplete);
    check_equal(file, line, "usable: result", complete(&caller, &result), RPC_S_OK);
    check_equal(file, line, "usable: reply", result, 8);
    check_equal(file, line, "usable: out", caller.twice, 42);
    served_free(served);
    caller_fini(&caller);
}

/* ---- Main ------------------------------------------------------------------- */

static const struct test *const groups[] = {async_tests, pipe_tests, failure_tests, flow_tests,
                                            notify_tests, subscribe_tests, argument_tests,
                                            cancel_tests, deadline_tests, order_tests,
                                            stats_tests, machine_tests, misuse_tests, attribute_tests,
                                            error_tests, object_tests, rival_tests, moment_tests,
                                            connect_tests, idle_tests, resend_tests};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static void on_alarm(int number)
{
    static const char text[] = "FAILED ";
    static const char hung[] = " hangs\n";
    (void)number;
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);
    ignored = write(STDOUT_FILENO, test_name, strlen(test_name));
    ignored = write(STDOUT_FILENO, hung, sizeof(hung) - 1);
    (void)ignored;
    kill_children();
    _exit(1);
}

static int run(const struct test *test)
{
    test_name = test->name;
    signal(SIGALRM, on_alarm);
    alarm(WATCHDOG_S);
    test->run();
    kill_children();
    printf("ok %s\n", test->name);
    fflush(stdout);
    return 0; /* exit: a leak check follows, where there is one */
}

static void walk_of_that_name(void)
{
    walk_run(test_name);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--serve") == 0) {
        transport = argv[2];
        child_serve();
    }
    if (argc == 5 && strcmp(argv[1], "--client") == 0) {
        transport = argv[2];
        child_client(argv[3], argv[4]);
    }
    if (argc == 5 && strcmp(argv[1], "--steps") == 0) {
        bool client = strcmp(argv[3], "client") == 0;
        transport = argv[2];
        if (!client)
            listen_and_say_where();
        steps_main(client ? bind_text(argv[4]) : NULL);
    }
    if (argc == 5 && strcmp(argv[1], "--rivals") == 0) {
        transport = argv[2];
        listen_and_say_where();
        rivals_serve(argv[3]);
    }
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    if (argc == 3)
        transport = argv[2];
    for (size_t g = 0; g < GROUPS && argc >= 2; g++) {
        for (const struct test *test = groups[g]; test->name; test++) {
            if (list)
                puts(test->name);
            else if (strcmp(test->name, argv[1]) == 0)
                return run(test);
        }
    }
    for (unsigned i = 0; argc >= 2 && walk_at(i); i++) {
        const struct test test = {walk_at(i)->name, walk_of_that_name};
        if (list)
            puts(test.name);
        else if (strcmp(test.name, argv[1]) == 0)
            return run(&test);
    }
    if (list)
        return 0;
    fprintf(stderr, "usage: %s --list | NAME [ncalrpc|ncacn_ip_tcp]\n", argv[0]);
    return 2;
}
