/* SPDX-License-Identifier: MIT */
/* assoc_client.c - the client's side of an association: bind, and what a server
 * may answer (C706 12.6; MS-RPCE 3.3.2).  A server that breaks the rules loses the
 * association: nothing it sends can be trusted to belong to the right call. */
#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

/* What a client asks for at bind time. */
#define FEATURES_OFFERED PDU_FEATURE_KEEP_ON_ORPHAN
/* Context ids stay below 256: peers answer with the low octet only. */
#define CONTEXT_NDR 0u
#define CONTEXT_FEATURES 1u

RPC_STATUS assoc_bind(struct assoc *assoc, const struct pdu_syntax *abstract, uint32_t group_id)
{
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    const struct pdu_syntax features = pdu_syntax_features(FEATURES_OFFERED);
    const struct pdu_offer offers[] = {
        {CONTEXT_NDR, *abstract, &pdu_syntax_ndr, 1},
        {CONTEXT_FEATURES, *abstract, &features, 1},
    };
    const struct pdu_assoc_terms terms = {assoc->frag_max, assoc->frag_max, group_id};
    size_t cap = 28 + 2 * 44;
    uint8_t *buf = assoc_queue_begin(assoc, cap);
    if (!buf)
        return RPC_S_OUT_OF_MEMORY;
    size_t len = pdu_encode_bind(buf, cap, PDU_BIND, PFC_CONC_MPX, assoc->next_call_id, &terms,
                                 offers, 2);
    assoc->next_call_id++;
    assoc->offered = *abstract;
    assoc_set_state(assoc, ASSOC_BINDING);
    return assoc_queue_end(assoc, cap, len);
}

/* ---- Answers to the bind ------------------------------------------------- */

/* MS-RPCE 3.3.1.5.3; a rejected abstract syntax is the interface's fault, a
 * rejected transfer syntax ours. */
static RPC_STATUS status_of_result(const struct pdu_result *result)
{
    switch (result->result) {
    case PDU_RESULT_ACCEPTANCE:
        return pdu_syntax_equal(&result->syntax, &pdu_syntax_ndr) ? RPC_S_OK
                                                                  : RPC_S_UNSUPPORTED_TRANS_SYN;
    case PDU_RESULT_PROVIDER_REJECTION:
        if (result->reason == PDU_REASON_ABSTRACT_SYNTAX)
            return RPC_S_UNKNOWN_IF;
        if (result->reason == PDU_REASON_LOCAL_LIMIT)
            return RPC_S_SERVER_TOO_BUSY;
        return RPC_S_UNSUPPORTED_TRANS_SYN;
    default:
        return RPC_S_UNSUPPORTED_TRANS_SYN;
    }
}

/* The peer's limits: no larger than ours, no smaller than what everybody must be
 * able to take, a multiple of 8. */
static uint16_t frag_size(uint16_t own, uint16_t peer)
{
    uint16_t size = peer < own ? peer : own;
    if (size < LIMIT_FRAG_MIN)
        size = LIMIT_FRAG_MIN; /* also for 0, which means the default (C706 12.6.3.6) */
    return (uint16_t)(size & ~7u);
}

static void on_bind_ack(struct assoc *assoc, const struct assoc_pdu *pdu,
                        struct assoc_event *event)
{
    struct pdu_bind_ack ack;
    if (assoc->state != ASSOC_BINDING ||
        pdu_decode_bind_ack(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &ack) != PDU_OK) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    struct pdu_result result;
    if (!pdu_next_result(&ack.results, &result)) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    RPC_STATUS status = status_of_result(&result);
    if (pdu_next_result(&ack.results, &result) && result.result == PDU_RESULT_NEGOTIATE_ACK)
        assoc->features = result.reason & FEATURES_OFFERED;

    assoc->frag_send = frag_size(assoc->frag_max, ack.terms.max_recv_frag);
    assoc->group_id = ack.terms.group_id;
    assoc->multiplex = (pdu->hdr.flags & PFC_CONC_MPX) != 0;
    assoc_set_state(assoc, ASSOC_OPEN);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_BOUND, .status = status};
}

/* wire.md 5.1; reasons 1, 2 and 9 are our reading. */
static RPC_STATUS status_of_nak(uint16_t reason)
{
    switch (reason) {
    case PDU_REJECT_CONGESTION:
        return RPC_S_SERVER_TOO_BUSY;
    case PDU_REJECT_LOCAL_LIMIT:
        return RPC_S_OUT_OF_RESOURCES;
    case PDU_REJECT_PROTOCOL_VERSION:
        return RPC_S_PROTOCOL_ERROR;
    case PDU_REJECT_AUTH_TYPE:
        return RPC_S_UNKNOWN_AUTHN_SERVICE;
    case PDU_REJECT_CHECKSUM:
        return RPC_S_ACCESS_DENIED;
    default:
        return RPC_S_CALL_FAILED_DNE;
    }
}

static void on_bind_nak(struct assoc *assoc, const struct assoc_pdu *pdu,
                        struct assoc_event *event)
{
    struct pdu_bind_nak nak;
    RPC_STATUS status = RPC_S_PROTOCOL_ERROR;
    if (assoc->state == ASSOC_BINDING &&
        pdu_decode_bind_nak(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &nak) == PDU_OK)
        status = status_of_nak(nak.reason);
    assoc_die(assoc, status, event);
}

/* ---- Answers to calls ---------------------------------------------------- */

static void on_response(struct assoc *assoc, const struct assoc_pdu *pdu,
                        struct assoc_event *event)
{
    struct pdu_response response;
    if (pdu_decode_response(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &response) != PDU_OK) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    if (assoc->state < ASSOC_OPEN) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    struct call *call = assoc_find_call(assoc, pdu->hdr.call_id);
    if (!call)
        return; /* of a call we gave up: dropped (wire.md 5.7) */
    bool last = (pdu->hdr.flags & PFC_LAST_FRAG) != 0;
    bool first = (pdu->hdr.flags & PFC_FIRST_FRAG) != 0;
    /* A response before the end of the request is illegal (wire.md 5.4). */
    if ((call->state != CALL_WORKING && call->state != CALL_RESPONSE) ||
        first == call->rx_begun ||
        (!first && pdu->hdr.little_endian != call->little_endian) ||
        !call_count_rx(call, response.stub_len, last)) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    if (call->state == CALL_WORKING) {
        call->little_endian = pdu->hdr.little_endian;
        call_set_state(call, CALL_RESPONSE);
    }
    if (last)
        call_set_state(call, CALL_DONE);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_RESPONSE,
                                  .call = call,
                                  .last = last,
                                  .stub = pdu->octets + response.stub_offset,
                                  .stub_len = response.stub_len};
}

static void on_fault(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    struct pdu_fault fault;
    if (pdu_decode_fault(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &fault) != PDU_OK) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    if (assoc->state < ASSOC_OPEN) { /* in place of the ack we would wait for ever */
        assoc_die(assoc, status_from_fault(fault.status), event);
        return;
    }
    struct call *call = assoc_find_call(assoc, pdu->hdr.call_id);
    if (!call || call->state == CALL_DONE)
        return;
    /* Legal at any moment after the first request fragment (wire.md 5.4). */
    call_set_state(call, CALL_DONE);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_FAULT,
                                  .call = call,
                                  .status = status_from_fault(fault.status),
                                  .did_not_execute =
                                      (pdu->hdr.flags & PFC_DID_NOT_EXECUTE) != 0};
}

void client_on_pdu(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    switch (pdu->hdr.type) {
    case PDU_BIND_ACK:
        on_bind_ack(assoc, pdu, event);
        return;
    case PDU_BIND_NAK:
        on_bind_nak(assoc, pdu, event);
        return;
    case PDU_RESPONSE:
        on_response(assoc, pdu, event);
        return;
    case PDU_FAULT:
        on_fault(assoc, pdu, event);
        return;
    case PDU_SHUTDOWN:
        if (assoc->state == ASSOC_OPEN)
            assoc_set_state(assoc, ASSOC_DRAINING);
        return;
    default:
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    }
}
