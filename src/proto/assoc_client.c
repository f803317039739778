/* SPDX-License-Identifier: MIT */
/* assoc_client.c - the client's side of an association: bind, and what a server
 * may answer (C706 12.6; MS-RPCE 3.3.2).  A server that breaks the rules loses the
 * association: nothing it sends can be trusted to belong to the right call. */
#include <assert.h>
#include <stdlib.h>

#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

/* What a client asks for at bind time. */
#define FEATURES_OFFERED PDU_FEATURE_KEEP_ON_ORPHAN
/* Context ids stay below 256: peers answer with the low octet only. */
#define CONTEXT_IDS 256u
/* Elements of a bind: the transfer syntaxes and the features. */
#define OFFERS_MAX 3u

/* In the order in which they are offered, as Windows does (wire.md 4.2). */
static const struct {
    unsigned bit;
    const struct pdu_syntax *syntax;
} transfer_syntaxes[] = {{ASSOC_NDR, &pdu_syntax_ndr}, {ASSOC_NDR64, &pdu_syntax_ndr64}};
#define SYNTAX_COUNT (sizeof(transfer_syntaxes) / sizeof(transfer_syntaxes[0]))

/* Windows refuses ids past 0x7fffffff (MS-RPCE 3.3.3.5.2): start again, the old ones are
 * long gone. */
uint32_t assoc_next_call_id(struct assoc *assoc)
{
    uint32_t id = assoc->next_call_id;
    assoc->next_call_id = id == 0x7fffffff ? ASSOC_BIND_CALL_ID + 1 : id + 1;
    return id;
}

const struct assoc_context *assoc_context_for(const struct assoc *assoc,
                                              const struct pdu_syntax *abstract,
                                              unsigned syntaxes)
{
    const struct assoc_context *found = NULL;
    for (unsigned i = 0; i < assoc->context_count; i++) {
        const struct assoc_context *context = assoc_context_at(assoc, i);
        if (syntaxes & (context->ndr64 ? ASSOC_NDR64 : ASSOC_NDR) &&
            pdu_syntax_equal(&context->abstract, abstract) && !(found && found->ndr64))
            found = context;
    }
    return found;
}

/* Queues a bind or alter_context with an element for each of `syntaxes`. */
static RPC_STATUS offer(struct assoc *assoc, enum pdu_type type, const struct pdu_syntax *abstract,
                        unsigned syntaxes, uint32_t group_id)
{
    const struct pdu_syntax features = pdu_syntax_features(FEATURES_OFFERED);
    const bool bind = type == PDU_BIND;
    struct pdu_offer offers[OFFERS_MAX];
    uint8_t count = 0;
    assert(syntaxes & ASSOC_SYNTAXES);
    for (size_t i = 0; i < SYNTAX_COUNT; i++) {
        if (!(syntaxes & transfer_syntaxes[i].bit))
            continue;
        offers[count] = (struct pdu_offer){(uint16_t)(assoc->next_context_id + count), *abstract,
                                           transfer_syntaxes[i].syntax, 1};
        count++;
    }
    if (bind) {
        offers[count] = (struct pdu_offer){count, *abstract, &features, 1};
        count++;
    }
    struct assoc_offered *offered = malloc(sizeof(*offered));
    if (!offered)
        return RPC_S_OUT_OF_MEMORY;
    const struct pdu_assoc_terms terms = {assoc->frag_max, assoc->frag_max, group_id};
    size_t cap = 28 + OFFERS_MAX * 44;
    uint8_t *buf = assoc_queue_begin(assoc, cap);
    if (!buf) {
        free(offered);
        return RPC_S_OUT_OF_MEMORY;
    }
    *offered = (struct assoc_offered){.abstract = *abstract,
                                            .syntaxes = (uint8_t)(syntaxes & ASSOC_SYNTAXES),
                                            .first_id = assoc->next_context_id,
                                            .call_id = assoc_next_call_id(assoc),
                                            .features = bind};
    free(assoc->offered); /* of a bind that is made again */
    assoc->offered = offered;
    assoc->next_context_id = (uint16_t)(assoc->next_context_id + count);
    size_t len = pdu_encode_bind(buf, cap, type, bind ? PFC_CONC_MPX : 0, offered->call_id,
                                 &terms, offers, count);
    return assoc_queue_end(assoc, cap, len);
}

RPC_STATUS assoc_bind(struct assoc *assoc, const struct pdu_syntax *abstract, unsigned syntaxes,
                      uint32_t group_id)
{
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    RPC_STATUS status = offer(assoc, PDU_BIND, abstract, syntaxes, group_id);
    if (status == RPC_S_OK)
        assoc_set_state(assoc, ASSOC_BINDING);
    return status;
}

bool assoc_can_alter(const struct assoc *assoc)
{
    return assoc->next_context_id <= CONTEXT_IDS - SYNTAX_COUNT;
}

RPC_STATUS assoc_alter(struct assoc *assoc, const struct pdu_syntax *abstract, unsigned syntaxes)
{
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    assert(assoc->state == ASSOC_OPEN && !assoc->offered);
    if (!assoc_can_alter(assoc))
        return RPC_S_OUT_OF_RESOURCES;
    return offer(assoc, PDU_ALTER_CONTEXT, abstract, syntaxes, assoc->group_id);
}

/* ---- Answers to the bind ------------------------------------------------- */

/* MS-RPCE 3.3.1.5.3; a rejected abstract syntax is the interface's fault, a
 * rejected transfer syntax ours. */
static RPC_STATUS status_of_result(const struct pdu_result *result, const struct pdu_syntax *syntax)
{
    switch (result->result) {
    case PDU_RESULT_ACCEPTANCE:
        return pdu_syntax_equal(&result->syntax, syntax) ? RPC_S_OK : RPC_S_UNSUPPORTED_TRANS_SYN;
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

/* Reads the results in the order of the elements and keeps a context for each that was
 * accepted.  *ret_status: RPC_S_OK when there is one, else why there is none.  False: out
 * of memory. */
static bool take_results(struct assoc *assoc, struct pdu_result_list *results,
                         RPC_STATUS *ret_status)
{
    const struct assoc_offered *offered = assoc->offered;
    uint16_t id = offered->first_id;
    bool accepted = false;
    struct pdu_result result;
    *ret_status = RPC_S_UNSUPPORTED_TRANS_SYN;
    for (size_t i = 0; i < SYNTAX_COUNT; i++) {
        if (!(offered->syntaxes & transfer_syntaxes[i].bit))
            continue;
        if (!pdu_next_result(results, &result))
            return true; /* no answer is a rejection */
        RPC_STATUS status = status_of_result(&result, transfer_syntaxes[i].syntax);
        const struct assoc_context context = {.id = id++,
                                              .ndr64 = transfer_syntaxes[i].bit == ASSOC_NDR64,
                                              .abstract = offered->abstract};
        if (status == RPC_S_OK && !assoc_add_context(assoc, &context))
            return false;
        accepted = accepted || status == RPC_S_OK;
        if (accepted)
            *ret_status = RPC_S_OK;
        else if (status != RPC_S_UNSUPPORTED_TRANS_SYN)
            *ret_status = status;
    }
    if (offered->features && pdu_next_result(results, &result) &&
        result.result == PDU_RESULT_NEGOTIATE_ACK)
        assoc->features = (uint8_t)(result.reason & FEATURES_OFFERED);
    return true;
}

static void settle_offer(struct assoc *assoc)
{
    free(assoc->offered);
    assoc->offered = NULL;
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
    if (assoc->state != ASSOC_BINDING || !assoc->offered ||
        pdu_decode_bind_ack(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &ack) != PDU_OK ||
        ack.result_count == 0) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    RPC_STATUS status;
    if (!take_results(assoc, &ack.results, &status)) {
        assoc_die(assoc, RPC_S_OUT_OF_MEMORY, event);
        return;
    }
    settle_offer(assoc);
    assoc->frag_send = frag_size(assoc->frag_max, ack.terms.max_recv_frag);
    assoc->group_id = ack.terms.group_id;
    assoc->multiplex = (pdu->hdr.flags & PFC_CONC_MPX) != 0;
    assoc_set_state(assoc, ASSOC_OPEN);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_BOUND, .status = status};
}

/* Its fragment sizes and group repeat those of the bind_ack (wire.md 1.5) and mean
 * nothing. */
static void on_alter_context_resp(struct assoc *assoc, const struct assoc_pdu *pdu,
                                  struct assoc_event *event)
{
    struct pdu_bind_ack ack;
    if (assoc->state < ASSOC_OPEN || !assoc->offered ||
        pdu_decode_bind_ack(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &ack) != PDU_OK ||
        ack.result_count == 0) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    RPC_STATUS status;
    if (!take_results(assoc, &ack.results, &status)) {
        assoc_die(assoc, RPC_S_OUT_OF_MEMORY, event);
        return;
    }
    settle_offer(assoc);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_BOUND, .status = status};
}

/* wire.md 5.1; reasons 1, 2 and 9 are our reading. */
RPC_STATUS assoc_status_of_nak(uint16_t reason)
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
    struct pdu_bind_nak nak = {.eerr_len = 0};
    RPC_STATUS status = RPC_S_PROTOCOL_ERROR;
    if (assoc->state == ASSOC_BINDING &&
        pdu_decode_bind_nak(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &nak) == PDU_OK)
        status = assoc_status_of_nak(nak.reason);
    assoc_die(assoc, status, event);
    event->stub = nak.eerr;
    event->stub_len = nak.eerr_len;
}

/* ---- Answers to calls ---------------------------------------------------- */

/* The call a response or fault is of, or NULL.  Wine's servers write 1 into whatever they
 * send, the identifier of our bind, which no call has (wire.md 9): such an answer is that
 * of the one call that waits for an answer.  If there are several nobody can tell:
 * *ret_lost.  A call that was given up takes a connection without multiplexing, as Wine's
 * are, with it, so its answer is never seen here. */
static struct call *answered_call(struct assoc *assoc, uint32_t call_id, bool *ret_lost)
{
    struct call *call = assoc_find_call(assoc, call_id), *only = NULL;
    *ret_lost = false;
    if (call || assoc->role != ASSOC_CLIENT || assoc->multiplex || assoc->features ||
        call_id != ASSOC_BIND_CALL_ID)
        return call;
    for (struct list *node = assoc->calls.next; node != &assoc->calls; node = node->next) {
        call = list_entry(node, struct call, node);
        if (!call->caller || !call->tx_begun || call->state == CALL_DONE)
            continue;
        *ret_lost = *ret_lost || only;
        only = call;
    }
    return *ret_lost ? NULL : only;
}

void assoc_on_response(struct assoc *assoc, const struct assoc_pdu *pdu,
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
    bool lost;
    struct call *call = answered_call(assoc, pdu->hdr.call_id, &lost);
    if (lost)
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    if (!call)
        return; /* of a call we gave up: dropped (wire.md 5.7) */
    bool last = (pdu->hdr.flags & PFC_LAST_FRAG) != 0;
    bool first = (pdu->hdr.flags & PFC_FIRST_FRAG) != 0;
    /* A response before the end of the request is illegal (wire.md 5.4). */
    if (!call->caller || (call->state != CALL_WORKING && call->state != CALL_RESPONSE) ||
        first == call->rx_begun ||
        (!first && pdu->hdr.little_endian != call->little_endian) ||
        (call->ndr64 && !pdu->hdr.little_endian) || /* MS-RPCE 2.2.5 */
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

void assoc_on_fault(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    struct pdu_fault fault;
    if (pdu_decode_fault(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &fault) != PDU_OK) {
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    /* In place of the ack, or of the answer to an alter_context: we would wait for ever. */
    if (assoc->state < ASSOC_OPEN ||
        (assoc->role == ASSOC_CLIENT && assoc->offered && pdu->hdr.call_id == assoc->offered->call_id)) {
        assoc_die(assoc, status_from_fault(fault.status), event);
        return;
    }
    bool lost;
    struct call *call = answered_call(assoc, pdu->hdr.call_id, &lost);
    if (lost)
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    if (!call || call->state == CALL_DONE)
        return;
    if (!call->caller) { /* it is our turn to answer: whatever this means, it is the end */
        assoc_die(assoc, status_from_fault(fault.status), event);
        return;
    }
    /* Legal at any moment after the first request fragment (wire.md 5.4). */
    call_set_state(call, CALL_DONE);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_FAULT,
                                  .call = call,
                                  .status = status_from_fault(fault.status)};
    /* A status that says more than "failed" says more than the flag does. */
    if (event->status == RPC_S_CALL_FAILED && pdu->hdr.flags & PFC_DID_NOT_EXECUTE)
        event->status = RPC_S_CALL_FAILED_DNE;
    /* How much there is says the PDU's own length; alloc_hint, from which MS-RPCE 2.2.2.8
     * would have it calculated, is a hint. */
    if (fault.reserved & PDU_FAULT_HAS_EERR) {
        event->stub = pdu->octets + fault.stub_offset;
        event->stub_len = fault.stub_len;
    }
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
    case PDU_ALTER_CONTEXT_RESP:
        on_alter_context_resp(assoc, pdu, event);
        return;
    case PDU_RESPONSE:
        assoc_on_response(assoc, pdu, event);
        return;
    case PDU_FAULT:
        assoc_on_fault(assoc, pdu, event);
        return;
    case PDU_REQUEST: /* a callback */
        if (assoc->state < ASSOC_OPEN)
            assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        else
            assoc_on_request(assoc, pdu, event);
        return;
    case PDU_SHUTDOWN:
        if (assoc->state == ASSOC_OPEN)
            assoc_set_state(assoc, ASSOC_DRAINING);
        return;
    default:
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    }
}
