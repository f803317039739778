/* SPDX-License-Identifier: MIT */
/* transport.c - what is common to the protocol sequences; see transport.h. */
#include "io/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "io/transport_internal.h"

static const char *const protseqs[TRANSPORT_COUNT] = {
    [TRANSPORT_TCP] = "ncacn_ip_tcp",
    [TRANSPORT_UNIX] = "ncalrpc",
};

/* Names the documentation knows and we do not speak. */
static const char *const foreign_protseqs[] = {
    "ncacn_np",  "ncacn_http",   "ncadg_ip_udp", "ncacn_nb_nb", "ncacn_nb_tcp", "ncacn_nb_ipx",
    "ncacn_spx", "ncacn_dnet_nsp", "ncacn_at_dsp", "ncadg_mq", "ncadg_ipx",    "ncacn_vns_spp",
};

RPC_STATUS transport_from_protseq(const char *protseq, enum transport_kind *ret_kind)
{
    for (unsigned kind = 0; kind < TRANSPORT_COUNT; kind++) {
        if (strcmp(protseq, protseqs[kind]) == 0) {
            *ret_kind = (enum transport_kind)kind;
            return RPC_S_OK;
        }
    }
    for (size_t i = 0; i < sizeof(foreign_protseqs) / sizeof(*foreign_protseqs); i++)
        if (strcmp(protseq, foreign_protseqs[i]) == 0)
            return RPC_S_PROTSEQ_NOT_SUPPORTED;
    return RPC_S_INVALID_RPC_PROTSEQ;
}

const char *transport_protseq(enum transport_kind kind)
{
    return protseqs[kind];
}

RPC_STATUS transport_check_endpoint(enum transport_kind kind, const char *endpoint)
{
    switch (kind) {
    case TRANSPORT_TCP:
        return tcp_check_endpoint(endpoint);
    case TRANSPORT_UNIX:
        return unix_check_endpoint(endpoint);
    case TRANSPORT_COUNT:
        break;
    }
    return RPC_S_INVALID_ENDPOINT_FORMAT;
}

RPC_STATUS transport_listen(enum transport_kind kind, const char *endpoint, int backlog,
                            const struct transport_place *place,
                            struct transport_listener *ret_listeners, unsigned *ret_count)
{
    if (endpoint) {
        RPC_STATUS status = transport_check_endpoint(kind, endpoint);
        if (status != RPC_S_OK)
            return status;
    }
    for (unsigned i = 0; i < TRANSPORT_ADDRESSES_MAX; i++)
        ret_listeners[i] = (struct transport_listener){.kind = kind, .fds = {-1, -1}};
    *ret_count = 1;
    return kind == TRANSPORT_TCP ? tcp_listen(endpoint, backlog, place, ret_listeners, ret_count)
                                 : unix_listen(endpoint, backlog, ret_listeners);
}

void transport_unlisten(struct transport_listener *listener)
{
    for (int i = 0; i < 2; i++)
        if (listener->fds[i] >= 0)
            close(listener->fds[i]);
    if (listener->kind == TRANSPORT_UNIX && listener->fds[0] >= 0 && !listener->lent)
        unix_remove(listener->endpoint);
    listener->fds[0] = listener->fds[1] = -1;
}

void transport_remove_name(const struct transport_listener *listener)
{
    if (listener->kind == TRANSPORT_UNIX && listener->fds[0] >= 0 && !listener->lent)
        unix_remove(listener->endpoint);
}

int transport_accept(enum transport_kind kind, int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        transport_tune(kind, fd);
    return fd;
}

RPC_STATUS transport_status_from_errno(int error)
{
    switch (error) {
    case EADDRINUSE:
        return RPC_S_DUPLICATE_ENDPOINT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
        return RPC_S_OUT_OF_RESOURCES;
    case ENOMEM:
        return RPC_S_OUT_OF_MEMORY;
    default:
        return RPC_S_CANT_CREATE_ENDPOINT;
    }
}
