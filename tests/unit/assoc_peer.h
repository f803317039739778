/* SPDX-License-Identifier: MIT */
/* assoc_peer.h - the other end of an association under test: builds PDUs, feeds them
 * one at a time, and checks what was queued in answer.
 *
 * Linked like alloc_shim.h says; peer_fini() checks that all memory is back. */
#ifndef PENSTOCK_TESTS_UNIT_ASSOC_PEER_H
#define PENSTOCK_TESTS_UNIT_ASSOC_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_shim.h"
#include "base/status.h"
#include "proto/assoc.h"
#include "vectors.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define GROUP           0x12345u
#define SECONDARY       "5000"

/* The interface of the vectors, and two others. */
static const struct pdu_syntax iface_a = {
    .uuid = {0xa7c1e5d0, 0x3b52, 0x4f6e, {0x9d, 0x18, 0x5c, 0x0b, 0x7e, 0x2f, 0x4a, 0x91}},
    .major = 1};
static const struct pdu_syntax iface_b = {.uuid = {.Data1 = 0xb}, .major = 1};
static const struct pdu_syntax iface_unknown = {.uuid = {.Data1 = 0xc}, .major = 1};
static int object_a, object_b; /* what the runtime would know them by */

static uint8_t peer_octets[PDU_LEN_MAX]; /* the PDU last built                  */
static uint8_t *peer_fed;                /* the PDU last fed, on the heap       */
static uint8_t peer_taken[1u << 20];     /* what the association sent last      */

/* ---- Octets in and out ---------------------------------------------------- */

/* Feeds one PDU in a block of exactly its size; it must be consumed whole. */
static inline struct assoc_event feed(struct assoc *assoc, const uint8_t *pdu, size_t len)
{
    static struct assoc_event event; /* stays until it is answered */
    size_t need;
    free(peer_fed);
    peer_fed = exact_copy(pdu, len);
    assert_int_equal(assoc_recv(assoc, peer_fed, len, &need, &event), len);
    return event;
}

/* Takes everything queued. */
static inline size_t take(struct assoc *assoc)
{
    size_t len = 0;
    struct iovec iov;
    while (txq_iov(&assoc->txq, &iov, 1, SIZE_MAX) > 0) {
        assert_true(len + iov.iov_len <= sizeof(peer_taken));
        memcpy(peer_taken + len, iov.iov_base, iov.iov_len);
        len += iov.iov_len;
        txq_sent(&assoc->txq, iov.iov_len);
    }
    assert_int_equal(txq_len(&assoc->txq), 0);
    return len;
}

/* Ends an association whose account of its calls must be right. */
static inline void peer_close(struct assoc *assoc)
{
    unsigned listed = 0;
    for (struct list *node = assoc->calls.next; node != &assoc->calls; node = node->next)
        listed++;
    assert_int_equal(listed, assoc->call_count);
    assoc_fini(assoc);
}

/* The same for the only association there is: then no memory may be left. */
static inline void peer_fini(struct assoc *assoc)
{
    peer_close(assoc);
    free(peer_fed);
    peer_fed = NULL;
    assert_int_equal(alloc_live, 0);
}

/* ---- PDUs of a client ----------------------------------------------------- */

static const struct pdu_assoc_terms default_terms = {5840, 5840, 0};

static inline struct assoc_event feed_offers(struct assoc *assoc, enum pdu_type type, uint8_t flags,
                                             uint32_t call_id, const struct pdu_offer *offers,
                                             uint8_t count)
{
    size_t len = pdu_encode_bind(peer_octets, sizeof(peer_octets), type, flags, call_id,
                                 &default_terms, offers, count);
    assert_true(len > 0);
    return feed(assoc, peer_octets, len);
}

static inline struct assoc_event feed_request(struct assoc *assoc, uint8_t flags, uint32_t call_id,
                                              uint16_t context_id, size_t stub_len)
{
    const struct pdu_request request = {.alloc_hint = (uint32_t)stub_len,
                                        .context_id = context_id,
                                        .opnum = 3,
                                        .stub_len = (uint16_t)stub_len};
    size_t len = pdu_encode_request(peer_octets, sizeof(peer_octets), flags, call_id, &request);
    assert_int_equal(len, PDU_REQUEST_LEN);
    for (size_t i = 0; i < stub_len; i++)
        peer_octets[len + i] = (uint8_t)(i + call_id);
    return feed(assoc, peer_octets, len + stub_len);
}

static inline struct assoc_event feed_empty(struct assoc *assoc, enum pdu_type type,
                                            uint32_t call_id)
{
    size_t len = pdu_encode_empty(peer_octets, sizeof(peer_octets), type, call_id);
    return feed(assoc, peer_octets, len);
}

/* ---- PDUs of a server ----------------------------------------------------- */

static inline struct assoc_event feed_response(struct assoc *assoc, uint8_t flags, uint32_t call_id,
                                               size_t stub_len)
{
    const struct pdu_response response = {.alloc_hint = (uint32_t)stub_len,
                                          .stub_len = (uint16_t)stub_len};
    size_t len = pdu_encode_response(peer_octets, sizeof(peer_octets), flags, call_id, &response);
    memset(peer_octets + len, 0x5a, stub_len);
    return feed(assoc, peer_octets, len + stub_len);
}

static inline struct assoc_event feed_fault(struct assoc *assoc, uint8_t flags, uint32_t call_id,
                                            uint32_t status)
{
    const struct pdu_fault fault = {.alloc_hint = PDU_FAULT_LEN, .status = status};
    size_t len = pdu_encode_fault(peer_octets, sizeof(peer_octets), flags, call_id, &fault);
    return feed(assoc, peer_octets, len);
}

/* ---- Answers of the association ------------------------------------------- */

static inline struct pdu_header taken_header(size_t at)
{
    struct pdu_header hdr;
    assert_int_equal(pdu_decode_header(peer_taken + at, sizeof(peer_taken) - at, &hdr), PDU_OK);
    return hdr;
}

static inline void expect_silence(const struct assoc *assoc)
{
    assert_int_equal(txq_len(&assoc->txq), 0);
}

/* Exactly one fault and nothing else (wire.md 1.8). */
static inline void expect_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                                uint32_t status, bool did_not_execute)
{
    struct pdu_fault fault;
    assert_int_equal(take(assoc), PDU_FAULT_LEN);
    struct pdu_header hdr = taken_header(0);
    assert_int_equal(hdr.type, PDU_FAULT);
    assert_int_equal(hdr.flags, PFC_WHOLE | (did_not_execute ? PFC_DID_NOT_EXECUTE : 0));
    assert_int_equal(hdr.frag_len, PDU_FAULT_LEN);
    assert_int_equal(hdr.auth_len, 0);
    assert_int_equal(hdr.call_id, call_id);
    assert_int_equal(pdu_decode_fault(&hdr, peer_taken, hdr.frag_len, &fault), PDU_OK);
    assert_int_equal(fault.context_id, context_id);
    assert_int_equal(fault.status, status);
    assert_true(fault.alloc_hint != 0);
}

static inline void expect_nak(struct assoc *assoc, uint32_t call_id, uint16_t reason)
{
    struct pdu_bind_nak nak;
    assert_int_equal(take(assoc), PDU_BIND_NAK_LEN);
    struct pdu_header hdr = taken_header(0);
    assert_int_equal(hdr.type, PDU_BIND_NAK);
    assert_int_equal(hdr.flags, PFC_WHOLE);
    assert_int_equal(hdr.call_id, call_id);
    assert_int_equal(pdu_decode_bind_nak(&hdr, peer_taken, hdr.frag_len, &nak), PDU_OK);
    assert_int_equal(nak.reason, reason);
    assert_int_equal(nak.version_count, 1);
    assert_int_equal(nak.versions[0], 5);
    assert_int_equal(nak.versions[1], 0);
}

static inline void expect_dead(const struct assoc *assoc, const struct assoc_event *event,
                               RPC_STATUS status)
{
    assert_int_equal(event->kind, ASSOC_EVENT_DEAD);
    assert_int_equal(event->status, status);
    assert_int_equal(assoc->state, ASSOC_DEAD);
    assert_int_equal(assoc->status, status);
}

/* ---- Associations ready for use ------------------------------------------- */

/* What the interfaces of the runtime may be called in. */
static uint8_t peer_supported = ASSOC_NDR;

/* Fills the answers as a runtime that knows interfaces a and b would. */
static inline void look_up_offers(struct assoc *assoc)
{
    for (unsigned i = 0; i < assoc->bind->offer_count; i++) {
        struct assoc_offer *offer = &assoc->bind->offers[i];
        offer->iface = pdu_syntax_equal(&offer->abstract, &iface_a)   ? &object_a
                       : pdu_syntax_equal(&offer->abstract, &iface_b) ? &object_b
                                                                      : NULL;
        offer->supported = peer_supported;
    }
}

static inline RPC_STATUS answer(struct assoc *assoc)
{
    look_up_offers(assoc);
    return assoc_answer_bind(assoc, GROUP);
}

/* A server on TCP, not bound yet. */
static inline void server_init(struct assoc *assoc)
{
    assoc_init(assoc, ASSOC_SERVER, LIMIT_FRAG_TCP, SECONDARY);
}

/* Bound by a bind with `flags`: context 0 is interface a, context 0x102 is b.  The
 * ack is taken. */
static inline void server_open(struct assoc *assoc, uint8_t flags)
{
    const struct pdu_offer offers[] = {{0, iface_a, &pdu_syntax_ndr, 1},
                                       {0x102, iface_b, &pdu_syntax_ndr, 1}};
    server_init(assoc);
    struct assoc_event event = feed_offers(assoc, PDU_BIND, flags, 1, offers, 2);
    assert_int_equal(event.kind, ASSOC_EVENT_BIND);
    assert_int_equal(answer(assoc), RPC_S_OK);
    assert_int_equal(assoc->state, ASSOC_OPEN);
    take(assoc);
}

static inline struct assoc_event feed_ack(struct assoc *assoc, uint8_t flags, uint16_t recv_frag,
                                          const struct pdu_result *results, uint8_t count)
{
    const struct pdu_assoc_terms terms = {5840, recv_frag, GROUP};
    size_t len = pdu_encode_bind_ack(peer_octets, sizeof(peer_octets), PDU_BIND_ACK, flags, 1,
                                     &terms, SECONDARY, results, count);
    return feed(assoc, peer_octets, len);
}

static const struct pdu_result accepted = {
    .result = PDU_RESULT_ACCEPTANCE,
    .syntax = {
        {0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}}, 2, 0}};

/* A client whose server accepted everything; `recv_frag` is the server's limit. */
static inline void client_open(struct assoc *assoc, uint16_t recv_frag)
{
    const struct pdu_result results[] = {
        accepted, {.result = PDU_RESULT_NEGOTIATE_ACK, .reason = PDU_FEATURE_KEEP_ON_ORPHAN}};
    assoc_init(assoc, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
    assert_int_equal(assoc_bind(assoc, &iface_a, ASSOC_NDR, 0), RPC_S_OK);
    take(assoc);
    struct assoc_event event = feed_ack(assoc, PFC_CONC_MPX, recv_frag, results, 2);
    assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
    assert_int_equal(event.status, RPC_S_OK);
    assert_int_equal(assoc->state, ASSOC_OPEN);
}

/* Queues `len` octets of stub, all of them `filler`. */
static inline RPC_STATUS send_stub(struct call *call, size_t len, bool last)
{
    static uint8_t stub[1u << 19];
    assert_true(len <= sizeof(stub));
    memset(stub, 0xa5, len);
    const struct iovec iov = {stub, len};
    return call_send(call, &iov, 1, last);
}

#endif
