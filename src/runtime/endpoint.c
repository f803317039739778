/* SPDX-License-Identifier: MIT */
/* endpoint.c - listening endpoints of a server and the connections they accept. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <penstock/rpc.h>

#include "base/trace.h"
#include "runtime/call.h"
#include "runtime/error_info.h"
#include "runtime/listen_place.h"
#include "runtime/server.h"
#include "runtime/server_conns.h"
#include "runtime/server_limits.h"
#include "runtime/string_binding.h"

struct endpoint;

/* One listening socket of an endpoint. */
struct acceptor {
    struct io_watch watch;
    struct endpoint *endpoint;
};

/* Lives as long as the process. */
struct endpoint {
    struct list node;
    struct transport_listener listener;
    struct acceptor acceptors[2];
};

static pthread_mutex_t endpoints_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list endpoints = {&endpoints, &endpoints};

/* ---- Connections ---------------------------------------------------------- */

void server_on_closed(struct conn *conn)
{
    group_leave(conn->assoc.group_id);
    server_conns_remove(conn);
}

static void adopt(struct endpoint *endpoint, int fd)
{
    struct conn *conn = conn_new(fd, endpoint->listener.kind, ASSOC_SERVER,
                                 endpoint->listener.endpoint);
    if (!conn)
        return;
    conn->assoc.explain = error_explain_nak;
    const bool room = server_conns_add(conn);
    conn_lock(conn);
    if (room && conn_watch(conn))
        conn_settle(conn, CONN_ARM_NOW);
    else
        conn_close(conn);
    conn_unlock(conn);
    conn_put(conn);
}

/* A descriptor in reserve: with it a client that there is no other for can at least be
 * told so, by an end of its connection, instead of waiting in the backlog. */
static int reserve_fd = -1;

static void fill_reserve(void)
{
    if (reserve_fd < 0)
        reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False: there is nothing to turn away with, or nobody. */
static bool turn_away(enum transport_kind kind, int listen_fd)
{
    bool done = false;
    pthread_mutex_lock(&endpoints_lock);
    fill_reserve(); /* it may have been taken, and be free again */
    if (reserve_fd >= 0) {
        close(reserve_fd);
        reserve_fd = -1;
        int fd = transport_accept(kind, listen_fd);
        done = fd >= 0;
        if (done)
            close(fd);
        fill_reserve();
    }
    pthread_mutex_unlock(&endpoints_lock);
    TRACE(TRACE_IO, "no descriptor left: %s", done ? "a client is turned away" : "waiting");
    return done;
}

static void on_accept_idle(struct io_watch *watch)
{
    if (!reactor_arm(watch, EPOLLIN) && (errno == ENOMEM || errno == ENOSPC))
        reactor_touch(watch); /* no resources now: the tick tries again */
}

static void on_acceptable(struct io_watch *watch, uint32_t events)
{
    struct acceptor *acceptor = list_entry(watch, struct acceptor, watch);
    struct endpoint *endpoint = acceptor->endpoint;
    (void)events;
    server_conns_look();
    for (;;) {
        int fd = transport_accept(endpoint->listener.kind, watch->fd);
        if (fd >= 0) {
            adopt(endpoint, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            if (turn_away(endpoint->listener.kind, watch->fd))
                continue;
            reactor_touch(watch); /* look again at the tick */
            return;
        } else if (errno == ENOMEM || errno == ENOBUFS) {
            TRACE(TRACE_IO, "accept: %s", strerror(errno));
            reactor_touch(watch);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } /* else that one connection failed before it was accepted */
    }
    on_accept_idle(watch);
}

static const struct io_watch_ops acceptor_ops = {on_acceptable, on_accept_idle};

/* ---- Endpoints ------------------------------------------------------------ */

static void acceptor_destroy(struct counted *object)
{
    (void)object; /* part of an endpoint */
}

static bool start_acceptors(struct endpoint *endpoint)
{
    pthread_mutex_lock(&endpoints_lock);
    fill_reserve();
    pthread_mutex_unlock(&endpoints_lock);
    for (int i = 0; i < 2; i++) {
        if (endpoint->listener.fds[i] < 0)
            continue;
        struct acceptor *acceptor = &endpoint->acceptors[i];
        acceptor->endpoint = endpoint;
        counted_init(&acceptor->watch.object, acceptor_destroy);
        acceptor->watch.fd = endpoint->listener.fds[i];
        acceptor->watch.ops = &acceptor_ops;
        if (endpoint->listener.kind == TRANSPORT_TCP)
            transport_keep_alive_accepted(acceptor->watch.fd, limit_keep_alive_s());
        if (!reactor_add(&acceptor->watch))
            return false;
        reactor_arm(&acceptor->watch, EPOLLIN);
    }
    return true;
}

static void remove_names(void)
{
    pthread_mutex_lock(&endpoints_lock);
    for (struct list *node = endpoints.next; node != &endpoints; node = node->next)
        transport_remove_name(&list_entry(node, struct endpoint, node)->listener);
    pthread_mutex_unlock(&endpoints_lock);
}

/* Takes the listening sockets over, also when it fails. */
static RPC_STATUS add_listener(struct transport_listener *listener)
{
    struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
    if (!endpoint) {
        transport_unlisten(listener);
        return RPC_S_OUT_OF_MEMORY;
    }
    endpoint->listener = *listener;
    if (!start_acceptors(endpoint)) {
        for (int i = 0; i < 2; i++)
            reactor_remove(&endpoint->acceptors[i].watch);
        transport_unlisten(&endpoint->listener);
        /* The structure stays: a thread may hold an event for it. */
        return RPC_S_OUT_OF_RESOURCES;
    }
    pthread_mutex_lock(&endpoints_lock);
    if (list_empty(&endpoints))
        atexit(remove_names);
    list_append(&endpoints, &endpoint->node);
    pthread_mutex_unlock(&endpoints_lock);
    TRACE(TRACE_IO, "listening on %s:%s[%s]", transport_protseq(listener->kind), listener->address,
          listener->endpoint);
    return RPC_S_OK;
}

RPC_STATUS server_add_endpoint(enum transport_kind kind, const char *name, unsigned max_calls,
                               const RPC_POLICY *policy)
{
    struct transport_listener listeners[TRANSPORT_ADDRESSES_MAX];
    struct transport_place place;
    unsigned count;
    int backlog = max_calls > RPC_C_PROTSEQ_MAX_REQS_DEFAULT && max_calls <= 65535
                      ? (int)max_calls
                      : 4096; /* the documented default of 10 is a hint */
    listen_place(policy, &place);
    RPC_STATUS status = transport_listen(kind, name, backlog, &place, listeners, &count);
    for (unsigned i = 0; status == RPC_S_OK && i < count; i++) {
        status = add_listener(&listeners[i]);
        while (status != RPC_S_OK && ++i < count) /* those before are open, and stay so */
            transport_unlisten(&listeners[i]);
    }
    return status;
}

RPC_STATUS RpcxServerUseSocket(RPC_CSTR Protseq, int Fd)
{
    enum transport_kind kind;
    struct transport_listener listener;
    if (!Protseq || Fd < 0)
        return RPC_S_INVALID_ARG;
    RPC_STATUS status = transport_from_protseq((const char *)Protseq, &kind);
    if (status == RPC_S_OK)
        status = transport_adopt(kind, Fd, &listener);
    return status == RPC_S_OK ? add_listener(&listener) : status;
}

bool server_has_endpoints(void)
{
    pthread_mutex_lock(&endpoints_lock);
    bool any = !list_empty(&endpoints);
    pthread_mutex_unlock(&endpoints_lock);
    return any;
}

/* ---- Binding vectors ------------------------------------------------------ */

static RPC_STATUS endpoint_binding(const struct endpoint *endpoint, RPC_BINDING_HANDLE *ret_binding)
{
    char host[256] = "";
    if (endpoint->listener.address[0] != '\0')
        strcpy(host, endpoint->listener.address); /* shorter */
    else if (endpoint->listener.kind == TRANSPORT_TCP && gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    struct string_binding parts = {
        .protseq = (char *)(uintptr_t)transport_protseq(endpoint->listener.kind),
        .address = host,
        .endpoint = (char *)(uintptr_t)endpoint->listener.endpoint};
    char *text;
    RPC_STATUS status = string_binding_format(&parts, &text);
    if (status != RPC_S_OK)
        return status;
    status = RpcBindingFromStringBindingA((RPC_CSTR)text, ret_binding);
    free(text);
    return status;
}

RPC_STATUS RpcServerInqBindings(RPC_BINDING_VECTOR **BindingVector)
{
    if (!BindingVector)
        return RPC_S_INVALID_ARG;
    *BindingVector = NULL;
    RPC_STATUS status = RPC_S_OK;
    pthread_mutex_lock(&endpoints_lock);
    unsigned count = 0;
    for (struct list *node = endpoints.next; node != &endpoints; node = node->next)
        count++;
    RPC_BINDING_VECTOR *vector =
        calloc(1, sizeof(*vector) + count * sizeof(vector->BindingH[0]));
    if (!vector)
        status = RPC_S_OUT_OF_MEMORY;
    for (struct list *node = endpoints.next; node != &endpoints && status == RPC_S_OK;
         node = node->next)
        status = endpoint_binding(list_entry(node, struct endpoint, node),
                                  &vector->BindingH[vector->Count++]);
    pthread_mutex_unlock(&endpoints_lock);
    if (status == RPC_S_OK && count == 0)
        status = RPC_S_NO_BINDINGS;
    if (status != RPC_S_OK)
        RpcBindingVectorFree(&vector);
    *BindingVector = vector;
    return status;
}

RPC_STATUS RpcBindingVectorFree(RPC_BINDING_VECTOR **BindingVector)
{
    if (!BindingVector)
        return RPC_S_INVALID_ARG;
    for (unsigned long i = 0; *BindingVector && i < (*BindingVector)->Count; i++)
        if ((*BindingVector)->BindingH[i])
            RpcBindingFree(&(*BindingVector)->BindingH[i]);
    free(*BindingVector);
    *BindingVector = NULL;
    return RPC_S_OK;
}
