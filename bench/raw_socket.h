/* SPDX-License-Identifier: MIT */
/* raw_socket.h - how the raw programs get two processes with a stream socket between
 * them, and whole-buffer send and receive.  Plain blocking sockets with default
 * options: the ceiling a program without Penstock would meet. */
#ifndef BENCH_RAW_SOCKET_H
#define BENCH_RAW_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/* Forks.  In the child (the "server") *ret_server is true.  Returns the connected
 * socket of either side; `transport` is "tcp" (127.0.0.1) or "unix".  The child
 * dies with its parent. */
int raw_fork_pair(const char *transport, bool *ret_server);
/* Waits for the child and dies unless it exited with status 0. */
void raw_join(void);

void raw_send(int fd, const void *buf, size_t len);
/* Waits for at least one octet. */
size_t raw_recv_some(int fd, void *buf, size_t len);
void raw_recv(int fd, void *buf, size_t len);

#endif
