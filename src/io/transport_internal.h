/* SPDX-License-Identifier: MIT */
/* transport_internal.h - between transport.c and its protocol sequences. */
#ifndef IO_TRANSPORT_INTERNAL_H
#define IO_TRANSPORT_INTERNAL_H

#include "io/transport.h"

/* One place a server may listen at. */
struct transport_address {
    int protocol;
    socklen_t len;
    struct sockaddr_storage name;
};

/* As many as the attempt will count: that is how fini() gives them back.  NULL: out of memory. */
struct transport_address *transport_addresses_new(unsigned count);
void transport_addresses_free(struct transport_address *addresses, unsigned count);

RPC_STATUS tcp_check_endpoint(const char *endpoint);
/* The addresses, owned by the caller, and how many; *ret_error is the resolver's.  `numeric`:
 * nobody is asked, EAI_NONAME says of a name that it is one. */
RPC_STATUS tcp_resolve(const char *address, const char *endpoint, bool numeric,
                       struct transport_address **ret_addresses, unsigned *ret_count,
                       int *ret_error);
void tcp_describe_failure(const struct transport_address *address, int error,
                          struct transport_failure *failure);
RPC_STATUS tcp_listen(const char *endpoint, int backlog, const struct transport_place *place,
                      struct transport_listener *listeners, unsigned *ret_count);

RPC_STATUS unix_check_endpoint(const char *endpoint);
RPC_STATUS unix_resolve(const char *endpoint, struct transport_address **ret_addresses,
                        unsigned *ret_count);
void unix_describe_failure(const struct transport_address *address, int error,
                           struct transport_failure *failure);
RPC_STATUS unix_listen(const char *endpoint, int backlog, struct transport_listener *listener);
void unix_remove(const char *endpoint);

/* Socket options of a fresh connection. */
void transport_tune(enum transport_kind kind, int fd);

/* What creating an endpoint failed with. */
RPC_STATUS transport_status_from_errno(int error);

#endif
