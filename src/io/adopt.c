/* SPDX-License-Identifier: MIT */
/* adopt.c - listening sockets that somebody else has opened for us: socket activation. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <penstock/rpcnterr.h>

#include "io/transport_internal.h"

/* The endpoint that a socket's name is; false: none of this kind. */
static bool endpoint_of(enum transport_kind kind, int fd, char *endpoint, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } name = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(name.room) - 1; /* and a NUL behind it */
    if (getsockname(fd, &name.any, &len) != 0)
        return false;
    switch (name.any.sa_family) {
    case AF_INET:
        snprintf(endpoint, size, "%u", ntohs(name.in.sin_port));
        return kind == TRANSPORT_TCP;
    case AF_INET6:
        snprintf(endpoint, size, "%u", ntohs(name.in6.sin6_port));
        return kind == TRANSPORT_TCP;
    case AF_UNIX: {
        const char *slash = strrchr(name.un.sun_path, '/');
        snprintf(endpoint, size, "%s", slash ? slash + 1 : "");
        return kind == TRANSPORT_UNIX && unix_check_endpoint(endpoint) == RPC_S_OK;
    }
    default:
        return false;
    }
}

RPC_STATUS transport_adopt(enum transport_kind kind, int fd,
                           struct transport_listener *ret_listener)
{
    struct transport_listener listener = {.kind = kind, .fds = {fd, -1}, .lent = true};
    int listening = 0, type = 0;
    socklen_t len = sizeof(listening), type_len = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 || type != SOCK_STREAM ||
        !endpoint_of(kind, fd, listener.endpoint, sizeof(listener.endpoint)))
        return RPC_S_INVALID_ARG;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        return RPC_S_CANT_CREATE_ENDPOINT;
    *ret_listener = listener;
    return RPC_S_OK;
}
