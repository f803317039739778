/* SPDX-License-Identifier: MIT */
/* order_tests.c - in which order calls begin (AR-9), and the options and time-outs of a
 * binding handle (AR-20, api.md 2.3). */
#include "harness.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROW(status, call) CHECK_EQUAL(call, status)

static bool on_tcp(void)
{
    return strcmp(transport, "ncacn_ip_tcp") == 0;
}

/* ---- Order -------------------------------------------------------------------- */

/* Polled: descriptors are scarce. */
static void start_polled(struct caller *caller, RPC_BINDING_HANDLE h, int32_t n)
{
    caller_init(caller, 0);
    CloseHandle(caller->event);
    caller->event = NULL;
    caller->async.NotificationType = RpcNotificationTypeNone;
    CHECK_EQUAL(caller_call(caller, h, PLAIN, n), RPC_S_OK);
}

static void collect(struct caller *caller, int32_t expected)
{
    int32_t result = 0;
    uint64_t until = now_ms() + SOON_MS;
    while (RpcAsyncGetCallStatus(&caller->async) == RPC_S_ASYNC_CALL_PENDING) {
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    CHECK_EQUAL(complete(caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, expected);
}

/* The next call; completed with its own number. */
static int32_t serve_next(void)
{
    struct served *served = accept_call();
    int32_t n = served->n;
    CHECK_EQUAL(served_complete(served, &n), RPC_S_OK);
    served_free(served);
    return n;
}

/* AR-9: as many calls as a connection takes, none of them answered before all have begun;
 * finished backwards. */
#define LONG_ORDER 1000

static void long_order(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller *callers = calloc(LONG_ORDER, sizeof(*callers));
    struct served **served = calloc(LONG_ORDER, sizeof(struct served *));
    CHECK(callers && served);
    for (int i = 0; i < LONG_ORDER; i++)
        start_polled(&callers[i], h, i);
    for (int i = 0; i < LONG_ORDER; i++) {
        served[i] = accept_call();
        CHECK_EQUAL(served[i]->n, i);
    }
    for (int i = LONG_ORDER - 1; i >= 0; i--) {
        CHECK_EQUAL(served_complete(served[i], &i), RPC_S_OK);
        served_free(served[i]);
        collect(&callers[i], i);
    }
    free(served);
    free(callers);
    RpcBindingFree(&h);
}

/* AR-9: several threads on one binding, each in its order; another binding's calls and
 * synchronous ones in between. */
#define THREADS 4
#define PER_THREAD 100

struct issuer {
    RPC_BINDING_HANDLE h;
    int number;
    pthread_t thread;
    struct caller callers[PER_THREAD];
};

static void *issue(void *arg)
{
    struct issuer *issuer = arg;
    for (int i = 0; i < PER_THREAD; i++) {
        start_polled(&issuer->callers[i], issuer->h, issuer->number * 1000 + i);
        if (i % 16 == 5)
            CHECK_EQUAL(c_ping(issuer->h, i), i + 1);
    }
    return NULL;
}

static void order_of_each_thread(void)
{
    RPC_BINDING_HANDLE h = serve_here(), other = another_binding();
    struct issuer *issuers = calloc(THREADS, sizeof(*issuers));
    int next[THREADS] = {0};
    CHECK(issuers);
    for (int i = 0; i < THREADS; i++) {
        issuers[i].h = i == THREADS - 1 ? other : h;
        issuers[i].number = i;
        CHECK(pthread_create(&issuers[i].thread, NULL, issue, &issuers[i]) == 0);
    }
    for (int i = 0; i < THREADS * PER_THREAD; i++) {
        int32_t n = serve_next();
        CHECK_EQUAL(n % 1000, next[n / 1000]++);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(issuers[i].thread, NULL);
        for (int j = 0; j < PER_THREAD; j++)
            collect(&issuers[i].callers[j], i * 1000 + j);
    }
    free(issuers);
    RpcBindingFree(&h);
    RpcBindingFree(&other);
}

/* AR-9: a manager that keeps its thread is waited for a moment (LIMIT_HAND_OFF_MS), those
 * of the same operation behind it not at all: running is not put in line. */
#define KEPT 24
#define HAND_OFF_LIMIT_MS 100

static void manager_that_does_not_return(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller callers[KEPT];
    struct served *served[KEPT];
    script = RETURN_LATE;
    uint64_t begin = now_ms();
    for (int i = 0; i < KEPT; i++)
        start_polled(&callers[i], h, i);
    served[0] = accept_call();
    CHECK_EQUAL(served[0]->n, 0);
    served[1] = accept_call();
    CHECK_EQUAL(served[1]->n, 1);
    CHECK(now_ms() - begin >= HAND_OFF_LIMIT_MS);
    for (int i = 2; i < KEPT; i++)
        served[i] = accept_call();
    CHECK(now_ms() - begin < KEPT * HAND_OFF_LIMIT_MS);
    script_continue();
    for (int i = 0; i < KEPT; i++) {
        int32_t n = served[i]->n;
        CHECK_EQUAL(served_complete(served[i], &n), RPC_S_OK);
        served_free(served[i]);
    }
    for (int i = 0; i < KEPT; i++)
        collect(&callers[i], i);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* AR-9, AR-13: calls are cancelled while they wait for their turn, those of others are not
 * held up. */
static void cancelled_in_line(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    struct caller callers[8];
    script = RETURN_LATE;
    for (int i = 0; i < 8; i++)
        start_polled(&callers[i], h, i);
    struct served *served = accept_call();
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(RpcAsyncCancelCall(&callers[i].async, TRUE), RPC_S_OK);
    for (int i = 0; i < 8; i++)
        CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_CANCELLED);
    script_continue();
    int32_t n = 0;
    served_complete(served, &n);
    served_free(served);
    struct caller last;
    start_polled(&last, h, 99);
    do /* a cancel is advice: managers may run */
        n = serve_next();
    while (n != 99);
    collect(&last, 99);
    RpcBindingFree(&h);
}

struct endpoint {
    struct served *served;
    char text[128];
};

static void client_endpoint_there(void *arg)
{
    struct endpoint *endpoint = arg;
    RPC_CSTR text;
    CHECK_EQUAL(RpcBindingToStringBinding(endpoint->served->there.handle, &text), RPC_S_OK);
    snprintf(endpoint->text, sizeof(endpoint->text), "%s", (char *)text);
    RpcStringFree(&text);
}

/* The client's end of the call's connection, as the server has it. */
static void client_endpoint(struct served *served, char *ret_text, size_t size)
{
    struct endpoint endpoint = {.served = served};
    far_call(client_endpoint_there, &endpoint, sizeof(endpoint));
    snprintf(ret_text, size, "%s", endpoint.text);
}

/* Makes `count` calls at once; over how many connections they came. */
static int connections_of(RPC_BINDING_HANDLE h, int count)
{
    struct caller callers[16];
    char seen[16][128];
    int different = 0;
    CHECK(count <= 16);
    struct served *served[16];
    for (int i = 0; i < count; i++)
        start_polled(&callers[i], h, i);
    for (int i = 0; i < count; i++) {
        int known = 0;
        served[i] = accept_call();
        client_endpoint(served[i], seen[different], sizeof(seen[0]));
        while (strcmp(seen[known], seen[different]) != 0)
            known++;
        different += known == different;
    }
    for (int i = 0; i < count; i++) {
        int32_t n = served[i]->n;
        CHECK_EQUAL(served_complete(served[i], &n), RPC_S_OK);
        served_free(served[i]);
    }
    for (int i = 0; i < count; i++)
        collect(&callers[i], i);
    return different;
}

/* AR-9: RPC_C_OPT_BINDING_NONCAUSAL takes the order away: calls go over several connections,
 * and a manager that keeps its thread delays nobody on another. */
static void noncausal(void)
{
    RPC_BINDING_HANDLE h = serve_here(), copy;
    if (!on_tcp()) {
        ROW(RPC_S_CANNOT_SUPPORT, RpcBindingSetOption(h, RPC_C_OPT_BINDING_NONCAUSAL, TRUE));
        RpcBindingFree(&h);
        return;
    }
    CHECK_EQUAL(connections_of(h, 12), 1);
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_BINDING_NONCAUSAL, TRUE));
    CHECK_EQUAL(connections_of(h, 12), 4);
    ROW(RPC_S_OK, RpcBindingCopy(h, &copy));
    CHECK_EQUAL(connections_of(copy, 12), 4);
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_BINDING_NONCAUSAL, FALSE));
    CHECK_EQUAL(connections_of(h, 12), 1);
    RpcBindingFree(&copy);
    RpcBindingFree(&h);
}

/* ---- Options ------------------------------------------------------------------ */

static void client_endpoint_of_call(RPC_BINDING_HANDLE h, char *ret_text, size_t size)
{
    struct caller caller;
    struct served *served = start_call(&caller, h, PLAIN, 0);
    int32_t n = 5;
    client_endpoint(served, ret_text, size);
    CHECK_EQUAL(served_complete(served, &n), RPC_S_OK);
    served_free(served);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &n), RPC_S_OK);
    caller_fini(&caller);
}

static void unique_binding(void)
{
    RPC_BINDING_HANDLE h = serve_here(), other = another_binding(), copy;
    char first[128], second[128];
    if (!on_tcp()) {
        ROW(RPC_S_CANNOT_SUPPORT, RpcBindingSetOption(h, RPC_C_OPT_UNIQUE_BINDING, TRUE));
        RpcBindingFree(&h);
        RpcBindingFree(&other);
        return;
    }
    client_endpoint_of_call(h, first, sizeof(first));
    client_endpoint_of_call(other, second, sizeof(second));
    CHECK(strcmp(first, second) == 0); /* they share */
    ROW(RPC_S_OK, RpcBindingSetOption(other, RPC_C_OPT_UNIQUE_BINDING, TRUE));
    client_endpoint_of_call(other, first, sizeof(first));
    CHECK(strcmp(first, second) != 0);
    client_endpoint_of_call(other, second, sizeof(second));
    CHECK(strcmp(first, second) == 0);
    ROW(RPC_S_OK, RpcBindingCopy(other, &copy));
    client_endpoint_of_call(copy, second, sizeof(second));
    CHECK(strcmp(first, second) != 0);
    ROW(RPC_S_OK, RpcBindingSetOption(other, RPC_C_OPT_UNIQUE_BINDING, FALSE));
    client_endpoint_of_call(h, first, sizeof(first));
    client_endpoint_of_call(other, second, sizeof(second));
    CHECK(strcmp(first, second) == 0);
    RpcBindingFree(&copy);
    RpcBindingFree(&other);
    RpcBindingFree(&h);
}

static long long options_of_a_call_there(struct served *served, long long a, long long b)
{
    ULONG_PTR value;
    (void)a, (void)b;
    for (unsigned long option = 0; option < 20; option++) {
        ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingSetOption(served->there.handle, option, 1));
        ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingInqOption(served->there.handle, option, &value));
    }
    return 0;
}

static void option_arguments(void)
{
    static int garbage[64];
    void *const bad[] = {NULL, (void *)1, (void *)-1, garbage};
    static const unsigned long supported[] = {RPC_C_OPT_BINDING_NONCAUSAL,
                                              RPC_C_OPT_UNIQUE_BINDING, RPC_C_OPT_CALL_TIMEOUT};
    RPC_BINDING_HANDLE h = serve_here();
    RPC_BINDING_HANDLE tcp = bind_text("ncacn_ip_tcp:127.0.0.1[1]");
    RPC_BINDING_HANDLE local = bind_text("ncalrpc:[nobody]"), copy, stale;
    ULONG_PTR value = 77;
    struct caller caller;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (unsigned long option = 0; option < 20; option++) {
            ROW(RPC_S_INVALID_BINDING, RpcBindingSetOption(bad[i], option, 1));
            ROW(RPC_S_INVALID_BINDING, RpcBindingInqOption(bad[i], option, &value));
        }
    }
    for (unsigned long option = 0; option < 40; option++) {
        bool known = option == RPC_C_OPT_DONT_LINGER;
        ROW(known ? RPC_S_OK : RPC_S_CANNOT_SUPPORT, RpcBindingInqOption(local, option, &value));
        ROW(known ? RPC_S_WRONG_KIND_OF_BINDING : RPC_S_CANNOT_SUPPORT,
            RpcBindingSetOption(local, option, 1));
        for (size_t i = 0; i < 3; i++)
            known = known || option == supported[i];
        ROW(RPC_S_INVALID_ARG, RpcBindingInqOption(tcp, option, NULL));
        value = 77;
        ROW(known ? RPC_S_OK : RPC_S_CANNOT_SUPPORT, RpcBindingInqOption(tcp, option, &value));
        CHECK_EQUAL(value, known ? 0 : 77);
        if (!known)
            ROW(RPC_S_CANNOT_SUPPORT, RpcBindingSetOption(tcp, option, 1));
    }
    ROW(RPC_S_CANNOT_SUPPORT, RpcBindingSetOption(tcp, ULONG_MAX, 1));
    for (size_t i = 0; i < 3; i++) {
        ROW(RPC_S_OK, RpcBindingSetOption(tcp, supported[i], 1000));
        ROW(RPC_S_OK, RpcBindingInqOption(tcp, supported[i], &value));
        CHECK_EQUAL(value, supported[i] == RPC_C_OPT_CALL_TIMEOUT ? 1000 : TRUE);
    }
    ROW(RPC_S_OK, RpcBindingCopy(tcp, &copy)); /* with the options */
    ROW(RPC_S_OK, RpcBindingInqOption(copy, RPC_C_OPT_CALL_TIMEOUT, &value));
    CHECK_EQUAL(value, 1000);
    ROW(RPC_S_INVALID_ARG,
        RpcBindingSetOption(tcp, RPC_C_OPT_CALL_TIMEOUT, (ULONG_PTR)UINT32_MAX + 1));
    ROW(RPC_S_OK, RpcBindingSetOption(tcp, RPC_C_OPT_CALL_TIMEOUT, UINT32_MAX));
    ROW(RPC_S_OK, RpcBindingInqOption(tcp, RPC_C_OPT_CALL_TIMEOUT, &value));
    CHECK_EQUAL(value, 0);
    ROW(RPC_S_OK, RpcBindingInqOption(copy, RPC_C_OPT_CALL_TIMEOUT, &value));
    CHECK_EQUAL(value, 1000); /* apart from its source */

    /* DONT_LINGER after the first call, during one; a server's handle has no options. */
    ROW(RPC_S_WRONG_KIND_OF_BINDING, RpcBindingSetOption(h, RPC_C_OPT_DONT_LINGER, TRUE));
    struct served *served = start_call(&caller, h, PLAIN, 0);
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_DONT_LINGER, TRUE));
    ROW(RPC_S_OK, RpcBindingInqOption(h, RPC_C_OPT_DONT_LINGER, &value));
    CHECK_EQUAL(value, TRUE);
    far(options_of_a_call_there, served, 0, 0);
    if (on_tcp()) { /* in use: for the calls to come */
        ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_BINDING_NONCAUSAL, TRUE));
        ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 20000));
        ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_UNIQUE_BINDING, TRUE));
    }
    ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, RPC_C_BINDING_MIN_TIMEOUT));
    int32_t n = 4;
    CHECK_EQUAL(served_complete(served, &n), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &n), RPC_S_OK);
    CHECK_EQUAL(n, 4);
    served_free(served);
    caller_fini(&caller);
    CHECK_EQUAL(c_ping(h, 1), 2);
    CHECK_USABLE(h);
    stale = tcp;
    RpcBindingFree(&tcp);
    ROW(RPC_S_INVALID_BINDING, RpcBindingSetOption(stale, RPC_C_OPT_CALL_TIMEOUT, 1));
    ROW(RPC_S_INVALID_BINDING, RpcBindingInqOption(stale, RPC_C_OPT_CALL_TIMEOUT, &value));
    RpcBindingFree(&copy);
    RpcBindingFree(&local);
    RpcBindingFree(&h);
}

/* ---- Time-out of a call --------------------------------------------------------- */

static RPC_STATUS ping(RPC_BINDING_HANDLE h)
{
    RPC_STATUS status;
    int32_t n = 0;
    RAISED(status, n = c_ping(h, 1));
    CHECK(status != RPC_S_OK || n == 2);
    return status;
}

/* A server that stops answering: 1818 after the time, and the next call, when it is back, is
 * a new one. */
static void call_timeout(void)
{
    if (!on_tcp())
        skip("not for ncalrpc");
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 300));
    CHECK_EQUAL(ping(h), RPC_S_OK);
    for (int i = 0; i < 2; i++) {
        child_kill(&server, SIGSTOP);
        CHECK(waitpid(server.pid, NULL, WUNTRACED) == server.pid);
        uint64_t begin = now_ms();
        CHECK_EQUAL(ping(h), RPC_S_CALL_CANCELLED);
        CHECK(now_ms() - begin >= 300 && now_ms() - begin < SOON_MS);
        child_kill(&server, SIGCONT);
        ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, SOON_MS));
        CHECK_EQUAL(ping(h), RPC_S_OK);
        ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 300));
    }
    child_stop(&server);
    RpcBindingFree(&h);
}

static BOTH_SIDES atomic_int disconnects;

static void on_disconnect(PRPC_ASYNC_STATE state, void *context, RPC_ASYNC_EVENT event)
{
    (void)state;
    (void)context;
    atomic_fetch_add(&disconnects, event == RpcClientDisconnect);
}

/* The manager goes on, and is not told by a cancel: all it can see is that the client is
 * gone.  Asynchronous calls of the same binding take as long as they take. */
static void call_timeout_server_side(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    RPC_STATUS status;
    struct caller caller;
    int32_t n = 6;
    if (!on_tcp()) {
        ROW(RPC_S_CANNOT_SUPPORT, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 100));
        RpcBindingFree(&h);
        return;
    }
    hold_info.NotificationRoutine = on_disconnect;
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 150));
    struct served *served = start_call(&caller, h, PLAIN, 0);
    RAISED(status, c_hold(h));
    CHECK_EQUAL(status, RPC_S_CALL_CANCELLED);
    CHECK(holding());
    uint64_t until = now_ms() + SOON_MS;
    while (atomic_load(&disconnects) == 0) {
        CHECK(now_ms() < until);
        sleep_ms(2);
    }
    hold_release();
    CHECK_EQUAL(RpcAsyncGetCallStatus(&caller.async), RPC_S_ASYNC_CALL_PENDING);
    CHECK_EQUAL(served_complete(served, &n), RPC_S_OK);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, &n), RPC_S_OK);
    CHECK_EQUAL(n, 6);
    served_free(served);
    caller_fini(&caller);
    RpcBindingFree(&h);
}

/* ---- A relay that lets answers through slowly ------------------------------------- */

static int listen_on_loopback(int backlog, uint16_t *ret_port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0 && listen(fd, backlog) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
    *ret_port = ntohs(name.sin_port);
    return fd;
}

static uint16_t port_of(const char *binding)
{
    const char *bracket = strchr(binding, '[');
    CHECK(bracket);
    return (uint16_t)atoi(bracket + 1);
}

struct relay {
    int listener;
    uint16_t server_port;
    atomic_uint piece_ms; /* 4 octets of an answer each; 0: all at once */
    atomic_int server;    /* its socket */
};

static bool pass(int from, int to, unsigned piece_ms)
{
    uint8_t octets[4096];
    ssize_t n = recv(from, octets, piece_ms ? 4 : sizeof(octets), 0);
    if (n <= 0 || send(to, octets, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    sleep_ms(piece_ms);
    return true;
}

static void *run_relay(void *arg)
{
    struct relay *relay = arg;
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons(relay->server_port)};
    int client = accept(relay->listener, NULL, NULL);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(client >= 0 && connect(server, (struct sockaddr *)&name, sizeof(name)) == 0);
    atomic_store(&relay->server, server);
    struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    for (bool alive = true; alive;) {
        CHECK(poll(fds, 2, -1) > 0);
        if (fds[0].revents)
            alive = pass(client, server, 0);
        if (fds[1].revents && alive)
            alive = pass(server, client, atomic_load(&relay->piece_ms));
    }
    close(client);
    close(server);
    return NULL;
}

static RPC_BINDING_HANDLE through_relay(struct relay *relay, const char *binding,
                                        pthread_t *ret_thread)
{
    uint16_t port;
    char text[64];
    relay->server_port = port_of(binding);
    relay->listener = listen_on_loopback(4, &port);
    CHECK(pthread_create(ret_thread, NULL, run_relay, relay) == 0);
    snprintf(text, sizeof(text), "ncacn_ip_tcp:127.0.0.1[%u]", port);
    return bind_text(text);
}

/* AR-9, AR-19: the connection ends while calls wait for their turn: they never begin. */
static void connection_lost_in_line(void)
{
    if (!on_tcp())
        skip("the relay is of TCP");
    struct relay relay = {0};
    pthread_t thread;
    RPC_CSTR text;
    struct caller callers[8];
    RPC_BINDING_HANDLE here = serve_here();
    CHECK_EQUAL(RpcBindingToStringBinding(here, &text), RPC_S_OK);
    RPC_BINDING_HANDLE h = through_relay(&relay, (char *)text, &thread);
    RpcStringFree(&text);
    script = RETURN_LATE;
    uint64_t begin = now_ms();
    for (int i = 0; i < 8; i++)
        start_polled(&callers[i], h, i);
    struct served *served = accept_call();
    CHECK(shutdown(atomic_load(&relay.server), SHUT_RDWR) == 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 8; i++) {
        while (RpcAsyncGetCallStatus(&callers[i].async) == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_FAILED);
    }
    uint64_t until = now_ms() + SOON_MS;
    while (served_test_cancel_by_handle(served) != RPC_S_OK) {
        CHECK(now_ms() < until);
        sleep_ms(1);
    }
    bool in_time = now_ms() - begin < HAND_OFF_LIMIT_MS; /* else others may have begun */
    script_continue();
    CHECK(!in_time || no_call());
    int32_t n = 0;
    CHECK(served_complete(served, &n) != RPC_S_OK);
    served_free(served);
    close(relay.listener);
    CHECK_USABLE(here);
    RpcBindingFree(&h);
    RpcBindingFree(&here);
}

/* The time starts anew with everything that comes: an answer in pieces may take longer. */
static void call_timeout_restarts(void)
{
    if (!on_tcp())
        skip("not for ncalrpc");
    struct child server = spawn_server();
    struct relay relay = {0};
    pthread_t thread;
    RPC_BINDING_HANDLE h = through_relay(&relay, server.binding, &thread);
    CHECK_EQUAL(ping(h), RPC_S_OK);
    ROW(RPC_S_OK, RpcBindingSetOption(h, RPC_C_OPT_CALL_TIMEOUT, 1000));
    atomic_store(&relay.piece_ms, 200); /* 7 pieces and more */
    uint64_t begin = now_ms();
    CHECK_EQUAL(ping(h), RPC_S_OK);
    CHECK(now_ms() - begin > 1000);
    RpcBindingFree(&h); /* which closes the connection */
    pthread_join(thread, NULL);
    close(relay.listener);
    child_stop(&server);
}

/* ---- Communication time-out -------------------------------------------------------- */

/* A socket of this process that is connected to `port`; -1: none. */
static int socket_to(uint16_t port)
{
    for (int fd = 0; fd < 1024; fd++) {
        struct sockaddr_in name;
        socklen_t len = sizeof(name);
        if (getpeername(fd, (struct sockaddr *)&name, &len) == 0 && name.sin_family == AF_INET &&
            ntohs(name.sin_port) == port)
            return fd;
    }
    return -1;
}

static int socket_option(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);
    CHECK(getsockopt(fd, level, option, &value, &len) == 0);
    return value;
}

static void check_keep_alive(uint16_t port, int idle_s)
{
    int fd = socket_to(port);
    CHECK(fd >= 0);
    CHECK_EQUAL(socket_option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0, idle_s > 0);
    if (idle_s == 0)
        return;
    CHECK_EQUAL(socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), idle_s);
    CHECK_EQUAL(socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    CHECK_EQUAL(socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
}

/* AR-20: the scale as TCP's keep-alive, for synchronous and asynchronous calls. */
static void com_timeout_scale(void)
{
    if (!on_tcp())
        skip("not for ncalrpc");
    static const int idle_s[] = {60, 240, 360, 480, 600, 720, 840, 960, 1080, 1200, 0};
    struct child server = spawn_server();
    uint16_t port = port_of(server.binding);
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    CHECK_EQUAL(ping(h), RPC_S_OK);
    check_keep_alive(port, 720);
    for (unsigned n = 0; n <= RPC_C_BINDING_INFINITE_TIMEOUT; n++) {
        ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, n));
        CHECK_EQUAL(ping(h), RPC_S_OK);
        check_keep_alive(port, idle_s[n]);
    }
    struct caller callers[3];
    ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, 3));
    start_polled(&callers[0], h, 1);
    check_keep_alive(port, 480);
    ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, 2));
    start_polled(&callers[1], h, 2);
    check_keep_alive(port, 360);
    ROW(RPC_S_OK, RpcMgmtSetComTimeout(h, 9)); /* the least of those who share it */
    start_polled(&callers[2], h, 3);
    check_keep_alive(port, 360);
    child_stop(&server);
    for (int i = 0; i < 3; i++) {
        while (RpcAsyncGetCallStatus(&callers[i].async) == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        CHECK_EQUAL(complete(&callers[i], NULL), RPC_S_CALL_FAILED);
    }
    RpcBindingFree(&h);
}

static bool loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/* AR-20: the server's host goes away without a word while a call is pending.  The
 * keep-alives find it out; only the silence before the first is made shorter here. */
static void host_gone(void)
{
    if (!on_tcp())
        skip("not for ncalrpc");
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !loopback(true))
        skip("no network of its own");
    struct child server = spawn_server();
    RPC_BINDING_HANDLE h = bind_text(server.binding);
    struct caller caller;
    const int idle_s = 1;
    CHECK_EQUAL(c_ping(h, 1), 2); /* the connection is up */
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, PLAIN, 1), RPC_S_OK);
    int fd = socket_to(port_of(server.binding));
    CHECK(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) == 0);
    sleep_ms(NEVER_MS); /* the request is acknowledged */
    CHECK(loopback(false));
    uint64_t begin = now_ms();
    CHECK(WaitForSingleObject(caller.event, SOON_MS) == WAIT_OBJECT_0);
    CHECK(now_ms() - begin > 1500);
    CHECK_EQUAL(caller.async.Event, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_FAILED);
    caller_fini(&caller);
    child_stop(&server);
    RpcBindingFree(&h);
}

static void *connect_in_vain(void *arg)
{
    uint64_t begin = now_ms();
    RPC_BINDING_HANDLE h = arg;
    CHECK_EQUAL(ping(h), RPC_S_SERVER_UNAVAILABLE);
    CHECK(now_ms() - begin >= 4900 && now_ms() - begin < 3 * 4900);
    return NULL;
}

/* RpcMgmtSetComTimeout also bounds connecting: to a host whose queue is full, and to one
 * that takes the connection and never answers the bind. */
static void connect_timeout(void)
{
    if (!on_tcp())
        skip("not for ncalrpc");
    uint16_t ports[2];
    int listeners[2] = {listen_on_loopback(0, &ports[0]), listen_on_loopback(4, &ports[1])};
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons(ports[0])};
    int fillers[4];
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&name, sizeof(name));
    }
    RPC_BINDING_HANDLE h[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof(text), "ncacn_ip_tcp:127.0.0.1[%u]", ports[i]);
        h[i] = bind_text(text);
        ROW(RPC_S_OK, RpcMgmtSetComTimeout(h[i], RPC_C_BINDING_MIN_TIMEOUT));
        CHECK(pthread_create(&threads[i], NULL, connect_in_vain, h[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        close(listeners[i]);
        RpcBindingFree(&h[i]);
    }
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
}

const struct test order_tests[] = {
    {"AR-9_long_order", long_order},
    {"AR-9_order_of_each_thread", order_of_each_thread},
    {"AR-9_manager_that_does_not_return", manager_that_does_not_return},
    {"AR-9_AR-13_cancelled_in_line", cancelled_in_line},
    {"AR-9_AR-19_connection_lost_in_line", connection_lost_in_line},
    {"AR-9_noncausal", noncausal},
    {"options_unique_binding", unique_binding},
    {"arguments_options", option_arguments},
    {"options_call_timeout", call_timeout},
    {"AR-20_options_call_timeout_server_side", call_timeout_server_side},
    {"options_call_timeout_restarts", call_timeout_restarts},
    {"AR-20_com_timeout_scale", com_timeout_scale},
    {"AR-20_host_gone", host_gone},
    {"com_timeout_connecting", connect_timeout},
    {NULL, NULL},
};
