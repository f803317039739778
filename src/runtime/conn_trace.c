/* SPDX-License-Identifier: MIT */
/* conn_trace.c - see conn_trace.h. */
#include "runtime/conn_trace.h"

#include <string.h>

#include "base/trace.h"
#include "wire/pdu.h"

/* Only the front of a long PDU is here: it is printed as if it ended with it. */
static void print_front(struct conn_tracer *tracer, int fd, const char *verb)
{
    char text[256];
    struct pdu_header hdr;
    pdu_decode_header(tracer->front, tracer->have, &hdr);
    if (hdr.frag_len > tracer->have) {
        tracer->front[hdr.little_endian ? 8 : 9] = (uint8_t)tracer->have;
        tracer->front[hdr.little_endian ? 9 : 8] = 0;
        tracer->front[10] = tracer->front[11] = 0; /* the trailer is not here */
    }
    pdu_print(text, sizeof(text), tracer->front, tracer->have);
    if (hdr.frag_len > tracer->have)
        trace_line(TRACE_PDU, "conn %d %s %s ... of %u octets", fd, verb, text, hdr.frag_len);
    else
        trace_line(TRACE_PDU, "conn %d %s %s", fd, verb, text);
}

/* Takes octets of one PDU; returns how many. */
static size_t follow(struct conn_tracer *tracer, int fd, const char *verb, const uint8_t *octets,
                     size_t len)
{
    struct pdu_header hdr;
    if (tracer->have < PDU_HEADER_LEN) { /* the header says how long the PDU is */
        size_t part = PDU_HEADER_LEN - tracer->have;
        part = part < len ? part : len;
        memcpy(tracer->front + tracer->have, octets, part);
        tracer->have += part;
        if (tracer->have == PDU_HEADER_LEN)
            tracer->left = pdu_decode_header(tracer->front, PDU_HEADER_LEN, &hdr) == PDU_OK
                               ? hdr.frag_len - PDU_HEADER_LEN
                               : SIZE_MAX; /* no PDU: nothing more to follow */
        len = part;
    } else {
        len = len < tracer->left ? len : tracer->left;
        size_t room = sizeof(tracer->front) - tracer->have;
        size_t part = len < room ? len : room;
        memcpy(tracer->front + tracer->have, octets, part);
        tracer->have += part;
        tracer->left -= len;
    }
    if (tracer->have >= PDU_HEADER_LEN && tracer->left == 0) {
        print_front(tracer, fd, verb);
        tracer->have = 0;
    }
    return len;
}

void conn_trace_pdu(int fd, const char *verb, const uint8_t *pdu, size_t len)
{
    char text[256];
    pdu_print(text, sizeof(text), pdu, len);
    trace_line(TRACE_PDU, "conn %d %s %s", fd, verb, text);
}

void conn_trace(struct conn_tracer *tracer, int fd, const char *verb, const struct iovec *iov,
                size_t count, size_t len)
{
    for (size_t i = 0; i < count && len > 0; i++) {
        const uint8_t *octets = iov[i].iov_base;
        size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;
        len -= part;
        while (part > 0) {
            size_t n = follow(tracer, fd, verb, octets, part);
            octets += n;
            part -= n;
        }
    }
}
