/* SPDX-License-Identifier: MIT */
/* conn_trace.h - PDUs of a connection as lines of PENSTOCK_TRACE=pdu.
 *
 * Octets are seen where they pass the transport, which knows nothing of PDUs: a
 * tracer follows one direction and collects the front of each PDU, enough for
 * pdu_print().  Not thread safe; one tracer has one direction's role. */
#ifndef RUNTIME_CONN_TRACE_H
#define RUNTIME_CONN_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct conn_tracer {
    uint8_t front[96]; /* of the PDU under way         */
    size_t have;       /* octets in it                 */
    size_t left;       /* octets of that PDU to come   */
};

/* One whole PDU went over connection `fd`; `verb` is the arrow to print. */
void conn_trace_pdu(int fd, const char *verb, const uint8_t *pdu, size_t len);

/* Octets went over connection `fd`, cut anywhere.  Only the first `len` octets of the vector
 * count. */
void conn_trace(struct conn_tracer *tracer, int fd, const char *verb, const struct iovec *iov,
                size_t count, size_t len);

#endif
