/* SPDX-License-Identifier: MIT */
/* transport_internal.h - between transport.c and its protocol sequences. */
#ifndef IO_TRANSPORT_INTERNAL_H
#define IO_TRANSPORT_INTERNAL_H

#include "io/transport.h"

RPC_STATUS tcp_check_endpoint(const char *endpoint);
RPC_STATUS tcp_connect(const char *address, const char *endpoint, unsigned timeout_ms,
                       int interrupt_fd, int *ret_fd, struct transport_failure *failure);
RPC_STATUS tcp_listen(const char *endpoint, int backlog, struct transport_listener *listener);

RPC_STATUS unix_check_endpoint(const char *endpoint);
RPC_STATUS unix_connect(const char *endpoint, unsigned timeout_ms, int interrupt_fd, int *ret_fd,
                        struct transport_failure *failure);
RPC_STATUS unix_listen(const char *endpoint, int backlog, struct transport_listener *listener);
void unix_remove(const char *endpoint);

/* Socket options of a fresh connection. */
void transport_tune(enum transport_kind kind, int fd);

/* What creating an endpoint failed with. */
RPC_STATUS transport_status_from_errno(int error);

#endif
