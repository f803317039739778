/* SPDX-License-Identifier: MIT */
/* capture.h - what went over our connections, as a file for Wireshark.
 *
 *   PENSTOCK_PCAP=/tmp/rpc-%p.pcap     %p: process number
 *   PENSTOCK_PCAP_MAX=100000           about as many octets of each connection, then no more
 *
 * The octets are taken where the run time reads and writes them, whatever the
 * transport, and are wrapped in made-up IPv4 and TCP headers so that every tool
 * understands them: connection n is 10.x.y.z:50000 (x.y.z is n) talking to
 * 192.0.2.1:50001.  The file holds everything sent, plain text included: it is
 * created readable for its owner only.  All functions may be called from any thread;
 * calls for one connection and direction are serialised by the caller. */
#ifndef PENSTOCK_RUNTIME_CAPTURE_H
#define PENSTOCK_RUNTIME_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Is anything captured?  One load once the environment was read. */
bool capture_enabled(void);

/* A new connection, of which this process is the server or the client.  The number
 * is for the functions below; 0, which they ignore, when nothing is captured. */
uint32_t capture_open(bool server_side);

/* Octets sent (`outgoing`) or received, in order; borrowed for the call. */
void capture_pdus(uint32_t conn, bool outgoing, const struct iovec *iov, size_t iov_count);

/* sendmsg(fd, msg, flags), and what was accepted is captured before anything else is:
 * no answer stands before its question in the file.  `msg->msg_iov` is changed. */
ssize_t capture_sendmsg(uint32_t conn, int fd, struct msghdr *msg, int flags);

/* The connection ends; its number may not be used again. */
void capture_close(uint32_t conn);

/* What PENSTOCK_PCAP does, for tools and tests; replaces a capture under way, whose
 * connections are forgotten.  False, and nothing is captured, when the file cannot be
 * created. */
bool capture_start(const char *path);
void capture_stop(void);

#endif
