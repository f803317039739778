/* SPDX-License-Identifier: MIT */
/* children.c - endpoints, and the processes a test starts beside its server. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "machine.h"
#include "rivals.h"
#include "steps.h"

/* ---- Endpoints -------------------------------------------------------------- */

static BOTH_SIDES char here[128];

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

void listen_now(void)
{
    open_endpoint(here, sizeof(here));
    CHECK_EQUAL(RpcServerRegisterIf(s_api_v1_0_s_ifspec, NULL, NULL), RPC_S_OK);
    CHECK_EQUAL(RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE), RPC_S_OK);
}

static long long listen_there(struct served *served, long long a, long long b)
{
    (void)served, (void)a, (void)b;
    listen_now();
    return 0;
}

RPC_BINDING_HANDLE serve_here(void)
{
    far_start();
    far(listen_there, NULL, 0, 0);
    return bind_text(here);
}

RPC_BINDING_HANDLE serve_in_this_process(void)
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

void kill_children(void)
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

void listen_and_say_where(void)
{
    listen_now();
    printf("%s\n", here);
    fflush(stdout);
}

void child_serve(void)
{
    listen_and_say_where();
    for (;;)
        pause();
}

void child_client(const char *what, const char *binding)
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
