/* SPDX-License-Identifier: MIT */
/* tcp.c - ncacn_ip_tcp: IPv4 and IPv6 stream sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "io/transport_internal.h"

RPC_STATUS tcp_check_endpoint(const char *endpoint)
{
    char *end;
    if (endpoint[0] < '0' || endpoint[0] > '9')
        return RPC_S_INVALID_ENDPOINT_FORMAT;
    unsigned long port = strtoul(endpoint, &end, 10);
    return *end == '\0' && port >= 1 && port <= 65535 ? RPC_S_OK : RPC_S_INVALID_ENDPOINT_FORMAT;
}

void transport_tune(enum transport_kind kind, int fd)
{
    /* A call is a request and a reply: waiting to fill a segment only delays it.
     * Streams leave in batches of many fragments anyway. */
    int on = 1;
    if (kind == TRANSPORT_TCP)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void keep_alive(int fd, unsigned idle_s, int interval, int count)
{
    const int on = idle_s > 0, idle = (int)idle_s;
    if (on) {
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    }
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void transport_keep_alive(int fd, unsigned idle_s)
{
    keep_alive(fd, idle_s, 1, 3);
}

void transport_keep_alive_accepted(int listen_fd, unsigned idle_s)
{
    const unsigned tenth = idle_s / 10;
    keep_alive(listen_fd, idle_s, tenth < 1 ? 1 : tenth > 75 ? 75 : (int)tenth, 9);
}

void transport_shutdown(enum transport_kind kind, int fd, bool abandon)
{
    int unsent = 0;
    if (abandon && kind == TRANSPORT_TCP && ioctl(fd, SIOCOUTQNSD, &unsent) == 0 && unsent > 0) {
        /* Dissolving the association sends the reset now; the linger option does when
         * the descriptor is closed, should a thread in recv() prevent the former. */
        const struct linger linger = {.l_onoff = 1};
        const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        connect(fd, &nobody, sizeof(nobody));
    }
    shutdown(fd, SHUT_RDWR);
}

/* ---- Addresses ----------------------------------------------------------- */

void tcp_describe_failure(const struct transport_address *address, int error,
                          struct transport_failure *failure)
{
    const struct sockaddr *name = (const struct sockaddr *)(const void *)&address->name;
    char port[NI_MAXSERV] = "";
    failure->error = error;
    if (getnameinfo(name, address->len, failure->where, sizeof(failure->where), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        failure->where[0] = '\0';
    failure->port = (unsigned)strtoul(port, NULL, 10);
    memset(failure->ip, 0, sizeof(failure->ip));
    if (name->sa_family == AF_INET)
        memcpy(failure->ip + 12, &((const struct sockaddr_in *)(const void *)name)->sin_addr, 4);
    else if (name->sa_family == AF_INET6)
        memcpy(failure->ip, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr, 16);
}

static RPC_STATUS status_from_gai(int error)
{
    return error == EAI_MEMORY ? RPC_S_OUT_OF_MEMORY : RPC_S_INVALID_NET_ADDR;
}

RPC_STATUS tcp_resolve(const char *address, const char *endpoint, bool numeric,
                       struct transport_address **ret_addresses, unsigned *ret_count,
                       int *ret_error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0)};
    struct addrinfo *list = NULL;
    *ret_error = getaddrinfo(address && *address ? address : NULL, endpoint, &hints, &list);
    if (*ret_error != 0)
        return status_from_gai(*ret_error);
    unsigned count = 0;
    for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
        count++;
    *ret_addresses = transport_addresses_new(count);
    *ret_count = 0;
    for (const struct addrinfo *ai = list; ai && *ret_addresses; ai = ai->ai_next) {
        struct transport_address *to = &(*ret_addresses)[(*ret_count)++];
        to->protocol = ai->ai_protocol;
        to->len = ai->ai_addrlen;
        memcpy(&to->name, ai->ai_addr, ai->ai_addrlen);
    }
    freeaddrinfo(list);
    return *ret_addresses ? RPC_S_OK : RPC_S_OUT_OF_MEMORY;
}

/* ---- Names --------------------------------------------------------------- */

void transport_name(int fd, bool peer, char *host, size_t host_size, char *endpoint,
                    size_t endpoint_size)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    host[0] = endpoint[0] = '\0';
    int failed = peer ? getpeername(fd, (struct sockaddr *)&addr, &len)
                      : getsockname(fd, (struct sockaddr *)&addr, &len);
    if (failed)
        return;
    if (addr.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&addr;
        size_t path_len = len - offsetof(struct sockaddr_un, sun_path);
        if (path_len > 0 && path_len <= sizeof(un->sun_path)) {
            const char *slash = memrchr(un->sun_path, '/', strnlen(un->sun_path, path_len));
            snprintf(endpoint, endpoint_size, "%.*s", (int)path_len,
                     slash ? slash + 1 : un->sun_path);
        }
        return;
    }
    if (getnameinfo((const struct sockaddr *)&addr, len, host, (socklen_t)host_size, endpoint,
                    (socklen_t)endpoint_size, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        host[0] = endpoint[0] = '\0';
}
