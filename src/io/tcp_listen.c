/* SPDX-License-Identifier: MIT */
/* tcp_listen.c - listening for ncacn_ip_tcp: one port on all addresses, or on some, of both
 * families; the port given, or the first that is free of some ranges, or any. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <penstock/rpcnterr.h>

#include "io/transport_internal.h"

/* How often a free port is looked for that all addresses can have. */
#define DYNAMIC_PORT_TRIES 16

union name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage room;
};

/* A socket listening at `name`, with `port` (0: any) for its own; -1 and errno on failure. */
static int listen_at(union name name, socklen_t len, uint16_t port, int backlog)
{
    const int on = 1;
    int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (name.any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        name.in6.sin6_port = htons(port);
    } else {
        name.in.sin_port = htons(port);
    }
    if (bind(fd, &name.any, len) != 0 || listen(fd, backlog) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int listen_any(int family, uint16_t port, int backlog)
{
    const union name name = {.any.sa_family = (sa_family_t)family}; /* INADDR_ANY, in6addr_any */
    return listen_at(name, family == AF_INET6 ? sizeof(name.in6) : sizeof(name.in), port, backlog);
}

static uint16_t port_of(int fd)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    transport_name(fd, false, host, sizeof(host), port, sizeof(port));
    return (uint16_t)strtoul(port, NULL, 10);
}

/* IPv4 must be had; IPv6 may be missing on the host, but not taken by another. */
static int listen_both(uint16_t port, int backlog, struct transport_listener *listener)
{
    int fd4 = listen_any(AF_INET, port, backlog);
    if (fd4 < 0)
        return errno;
    int fd6 = listen_any(AF_INET6, port_of(fd4), backlog);
    if (fd6 < 0 && errno == EADDRINUSE) {
        close(fd4);
        return EADDRINUSE;
    }
    listener->fds[0] = fd4;
    listener->fds[1] = fd6;
    return 0;
}

/* One listener for each address of the place, all or none. */
static int listen_each(uint16_t port, int backlog, const struct transport_place *place,
                       struct transport_listener *listeners)
{
    for (unsigned i = 0; i < place->address_count; i++) {
        union name name = {.any.sa_family = AF_UNSPEC};
        memcpy(&name, &place->addresses[i].name, sizeof(place->addresses[i].name));
        listeners[i].fds[0] = listen_at(name, place->addresses[i].len, port, backlog);
        if (listeners[i].fds[0] < 0) {
            const int error = errno;
            while (i-- > 0)
                transport_unlisten(&listeners[i]);
            return error;
        }
        if (port == 0)
            port = port_of(listeners[i].fds[0]);
        snprintf(listeners[i].address, sizeof(listeners[i].address), "%s",
                 place->addresses[i].text);
    }
    return 0;
}

static int listen_port(uint16_t port, int backlog, const struct transport_place *place,
                       struct transport_listener *listeners)
{
    return place->address_count > 0 ? listen_each(port, backlog, place, listeners)
                                    : listen_both(port, backlog, &listeners[0]);
}

static int listen_range(int backlog, const struct transport_place *place,
                        struct transport_listener *listeners)
{
    for (unsigned i = 0; i < place->range_count; i++) {
        for (unsigned port = place->ranges[i].first; port <= place->ranges[i].last; port++) {
            int error = listen_port((uint16_t)port, backlog, place, listeners);
            if (error != EADDRINUSE && error != EACCES) /* of a port below 1,024 */
                return error;
        }
    }
    return place->range_count > 0 && !place->any_port ? ENOBUFS : EADDRINUSE;
}

RPC_STATUS tcp_listen(const char *endpoint, int backlog, const struct transport_place *place,
                      struct transport_listener *listeners, unsigned *ret_count)
{
    int error = EADDRINUSE;
    if (endpoint)
        error = listen_port((uint16_t)strtoul(endpoint, NULL, 10), backlog, place, listeners);
    else
        error = listen_range(backlog, place, listeners);
    for (int i = 0; !endpoint && i < DYNAMIC_PORT_TRIES && error == EADDRINUSE; i++)
        error = listen_port(0, backlog, place, listeners);
    if (error != 0)
        return transport_status_from_errno(error);
    *ret_count = place->address_count > 0 ? place->address_count : 1;
    for (unsigned i = 0; i < *ret_count; i++)
        snprintf(listeners[i].endpoint, sizeof(listeners[i].endpoint), "%u",
                 port_of(listeners[i].fds[0]));
    return RPC_S_OK;
}

/* ---- What a place is ------------------------------------------------------- */

bool transport_place_ports(struct transport_place *place, const char *text)
{
    while (*text) {
        char *end;
        if (*text < '0' || *text > '9' || place->range_count == TRANSPORT_RANGES_MAX)
            return false;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (*end == '-') {
            text = end + 1;
            if (*text < '0' || *text > '9')
                return false;
            last = strtoul(text, &end, 10);
        }
        if (first < 1 || last > 65535 || first > last || (*end != '\0' && *end != ','))
            return false;
        place->ranges[place->range_count].first = (uint16_t)first;
        place->ranges[place->range_count++].last = (uint16_t)last;
        if (*end == ',' && end[1] == '\0')
            return false;
        text = *end == ',' ? end + 1 : end;
    }
    return place->range_count > 0;
}

static bool add_address(struct transport_place *place, const char *text, size_t len)
{
    struct transport_at *at = &place->addresses[place->address_count];
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_PASSIVE};
    struct addrinfo *list;
    if (place->address_count == TRANSPORT_ADDRESSES_MAX || len == 0 || len >= sizeof(at->text))
        return false;
    memcpy(at->text, text, len);
    at->text[len] = '\0';
    if (getaddrinfo(at->text, NULL, &hints, &list) != 0)
        return false;
    at->len = list->ai_addrlen;
    memcpy(&at->name, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    place->address_count++;
    return true;
}

bool transport_place_addresses(struct transport_place *place, const char *text)
{
    bool good;
    do {
        const size_t len = strcspn(text, ",");
        good = add_address(place, text, len);
        text += len;
    } while (good && *text++ == ',');
    return good;
}
