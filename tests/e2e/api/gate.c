/* SPDX-License-Identifier: MIT */
/* gate.c - see gate.h. */
#define _GNU_SOURCE 1
#include "gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONC_MPX 0x10u /* C706 12.6.3.1 */
#define BIND_NAK 13

union name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

static bool is_local(void)
{
    return strcmp(transport, "ncalrpc") == 0;
}

/* The socket's name of a string binding, or of a new endpoint. */
static socklen_t make_name(const char *binding, union name *ret_name)
{
    static atomic_int count;
    *ret_name = (union name){.in = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    const char *bracket = binding ? strchr(binding, '[') : NULL;
    if (!is_local()) {
        ret_name->in.sin_port = htons((uint16_t)(bracket ? atoi(bracket + 1) : 0));
        return sizeof(ret_name->in);
    }
    char endpoint[64];
    if (bracket)
        snprintf(endpoint, sizeof(endpoint), "%.*s", (int)strcspn(bracket + 1, "]"), bracket + 1);
    else
        snprintf(endpoint, sizeof(endpoint), "gate-%d-%d", (int)getpid(), count++);
    *ret_name = (union name){.un = {.sun_family = AF_UNIX}};
    const char *dir = getenv("XDG_RUNTIME_DIR");
    CHECK(dir);
    char path[200];
    snprintf(path, sizeof(path), "%s/penstock", dir);
    mkdir(path, 0700);
    int n = snprintf(ret_name->un.sun_path, sizeof(ret_name->un.sun_path), "%s/%s", path, endpoint);
    CHECK(n > 0 && (size_t)n < sizeof(ret_name->un.sun_path));
    return sizeof(ret_name->un);
}

static int listen_somewhere(int backlog, union name *ret_name, char *binding, size_t size)
{
    socklen_t len = make_name(NULL, ret_name);
    int fd = socket(ret_name->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, &ret_name->any, len) == 0 && listen(fd, backlog) == 0);
    CHECK(getsockname(fd, &ret_name->any, &len) == 0);
    if (is_local())
        snprintf(binding, size, "ncalrpc:[%s]", strrchr(ret_name->un.sun_path, '/') + 1);
    else
        snprintf(binding, size, "ncacn_ip_tcp:127.0.0.1[%u]", ntohs(ret_name->in.sin_port));
    return fd;
}

void listen_mute(bool full, char *binding, size_t len)
{
    union name name;
    listen_somewhere(full ? 0 : 64, &name, binding, len);
    for (int i = 0; full && i < 8; i++) { /* until the queue takes no more */
        int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fd, &name.any, is_local() ? sizeof(name.un) : sizeof(name.in)) != 0 &&
            errno == EAGAIN)
            close(fd); /* the others stay */
    }
}

/* ---- One connection --------------------------------------------------------------- */

struct passage {
    struct gate *gate;
    int client, server;
};

static void send_all(int fd, const uint8_t *octets, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, octets, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        octets += n;
        len -= (size_t)n;
    }
}

static void change_bind(const struct gate *gate, uint8_t *octets, size_t len)
{
    static const uint8_t ndr64[] = {0x33, 0x05, 0x71, 0x71, 0xba, 0xbe, 0x37, 0x49,
                                    0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36};
    uint8_t *found = memmem(octets, len, ndr64, sizeof(ndr64));
    if (gate->kind == GATE_NO_NDR64 && found)
        found[0] ^= 0xff;
}

static void refuse(const struct gate *gate, int fd, const uint8_t *bind_pdu)
{
    uint8_t nak[21] = {5, 0, BIND_NAK, 3, 0x10, 0, 0, 0, sizeof(nak)};
    memcpy(nak + 12, bind_pdu + 12, 4); /* the call id */
    nak[16] = (uint8_t)gate->nak;
    nak[18] = 1;
    nak[19] = 5;
    send_all(fd, nak, sizeof(nak));
}

static bool relay_once(int from, int to, const struct gate *gate, bool first, bool to_server)
{
    static _Thread_local uint8_t octets[64 << 10];
    ssize_t n = recv(from, octets, sizeof(octets), 0);
    if (n <= 0)
        return false;
    if (first && to_server)
        change_bind(gate, octets, (size_t)n);
    if (first && !to_server && gate->kind == GATE_NO_MPX)
        octets[3] &= (uint8_t)~CONC_MPX;
    send_all(to, octets, (size_t)n);
    return true;
}

static void relay(const struct passage *passage)
{
    bool first[2] = {true, true};
    for (;;) {
        struct pollfd fds[2] = {{.fd = passage->client, .events = POLLIN},
                                {.fd = passage->server, .events = POLLIN}};
        poll(fds, 2, -1);
        for (int i = 0; i < 2; i++) {
            if (!fds[i].revents)
                continue;
            if (!relay_once(fds[i].fd, fds[1 - i].fd, passage->gate, first[i], i == 0))
                return;
            first[i] = false;
        }
    }
}

/* Replaces `from`, which is there, by `to` in what can be cut. */
static void note_client(struct gate *gate, int from, int to)
{
    int i = 0;
    pthread_mutex_lock(&gate->lock);
    while (i < 64 && gate->clients[i] != from)
        i++;
    CHECK(i < 64);
    gate->clients[i] = to;
    pthread_mutex_unlock(&gate->lock);
}

static void connect_to_target(struct passage *passage)
{
    union name name;
    pthread_mutex_lock(&passage->gate->lock);
    socklen_t len = make_name(passage->gate->target, &name);
    pthread_mutex_unlock(&passage->gate->lock);
    passage->server = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(passage->server, &name.any, len) == 0) {
        note_client(passage->gate, 0, passage->client);
        relay(passage);
        note_client(passage->gate, passage->client, 0);
    }
    close(passage->server);
}

static void *pass(void *arg)
{
    struct passage *passage = arg;
    struct gate *gate = passage->gate;
    uint8_t octets[1024];
    pthread_mutex_lock(&gate->lock);
    while (!gate->is_open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    if (gate->kind == GATE_NAK || gate->kind == GATE_DIE) {
        if (recv(passage->client, octets, sizeof(octets), 0) > 16 && gate->kind == GATE_NAK)
            refuse(gate, passage->client, octets);
    } else {
        connect_to_target(passage);
    }
    close(passage->client);
    free(passage);
    return NULL;
}

void gate_cut(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < 64; i++)
        if (gate->clients[i] > 0)
            shutdown(gate->clients[i], SHUT_RDWR);
    pthread_mutex_unlock(&gate->lock);
}

int gate_connected(struct gate *gate)
{
    int count = 0;
    pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < 64; i++)
        count += gate->clients[i] > 0;
    pthread_mutex_unlock(&gate->lock);
    return count;
}

/* ---- All of them -------------------------------------------------------------------- */

static void start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, arg) == 0);
    pthread_detach(thread);
}

static void *accept_all(void *arg)
{
    struct gate *gate = arg;
    for (;;) {
        struct passage *passage = calloc(1, sizeof(*passage));
        CHECK(passage);
        passage->gate = gate;
        passage->client = accept4(gate->listener, NULL, NULL, SOCK_CLOEXEC);
        if (passage->client < 0) {
            free(passage);
            return NULL;
        }
        atomic_fetch_add(&gate->accepted, 1);
        start(pass, passage);
    }
}

struct gate *gate_new(const char *target)
{
    union name name;
    struct gate *gate = calloc(1, sizeof(*gate));
    CHECK(gate);
    snprintf(gate->target, sizeof(gate->target), "%s", target);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
    gate->listener = listen_somewhere(64, &name, gate->binding, sizeof(gate->binding));
    start(accept_all, gate);
    return gate;
}

void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

struct gate *gate_serve(RPC_BINDING_HANDLE *ret_server, RPC_BINDING_HANDLE *ret_h)
{
    RPC_CSTR target;
    *ret_server = serve_here();
    CHECK_EQUAL(RpcBindingToStringBinding(*ret_server, &target), RPC_S_OK);
    struct gate *gate = gate_new((char *)target);
    RpcStringFree(&target);
    *ret_h = bind_text(gate->binding);
    return gate;
}

void gate_answer(struct caller *caller, struct served *served, int32_t reply)
{
    int32_t result = 0;
    CHECK_EQUAL(served_complete(served, &reply), RPC_S_OK);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &result), RPC_S_OK);
    CHECK_EQUAL(result, reply);
    served_free(served);
    caller_fini(caller);
}
