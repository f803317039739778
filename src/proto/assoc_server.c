/* SPDX-License-Identifier: MIT */
/* assoc_server.c - the server's side of an association: binds, requests, cancels
 * (C706 12.6; MS-RPCE 3.3.3).  What is answered to each kind of wrong PDU follows
 * what Windows answers (wire.md 1.5, 5.7). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

/* Bind time features a server agrees to. */
#define FEATURES_KNOWN PDU_FEATURE_KEEP_ON_ORPHAN

/* ---- Refusing ------------------------------------------------------------ */

/* A fault for the protocol error, then the end (MS-RPCE 3.3.3.5.7).  A client, which
 * comes here with wrong callbacks, just ends. */
static void die_with_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                           uint32_t wire_status, bool did_not_execute, struct assoc_event *event)
{
    if (assoc->role == ASSOC_SERVER)
        assoc_queue_fault(assoc, call_id, context_id, wire_status, did_not_execute);
    assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
}

/* A fault that the association survives.  Without memory for it the client would
 * wait for ever, so then it does not. */
static void refuse_request(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                           uint32_t wire_status, struct assoc_event *event)
{
    if (!assoc_queue_fault(assoc, call_id, context_id, wire_status, true))
        assoc_die(assoc, RPC_S_OUT_OF_MEMORY, event);
}

static void die_with_nak(struct assoc *assoc, uint32_t call_id, uint16_t reason,
                         struct assoc_event *event)
{
    uint8_t *buf = assoc_queue_begin(assoc, PDU_BIND_NAK_LEN);
    if (buf)
        assoc_queue_end(assoc, PDU_BIND_NAK_LEN,
                        pdu_encode_bind_nak(buf, PDU_BIND_NAK_LEN, call_id, reason));
    assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
}

void server_on_bad_header(struct assoc *assoc, const struct pdu_header *hdr,
                          struct assoc_event *event)
{
    if (!hdr) /* the stream cannot be followed: nothing to answer to */
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    else if (assoc->state == ASSOC_IDLE)
        die_with_nak(assoc, hdr->call_id, PDU_REJECT_PROTOCOL_VERSION, event);
    else
        die_with_fault(assoc, hdr->call_id, 0, NCA_PROTO_ERROR, hdr->frag_len <= assoc->frag_max,
                       event);
}

/* ---- bind and alter_context ---------------------------------------------- */

static void decode_offer(struct pdu_context *context, struct assoc_offer *offer)
{
    *offer = (struct assoc_offer){
        .id = context->id, .abstract = context->abstract, .no_syntax = context->syntax_count == 0};
    struct pdu_syntax syntax;
    /* Features count only as the first transfer syntax (wire.md 4.2). */
    for (bool first = true; pdu_next_syntax(&context->syntaxes, &syntax); first = false) {
        if (first && pdu_syntax_is_features(&syntax, &offer->feature_bits)) {
            offer->is_features = true;
            return;
        }
        if (pdu_syntax_equal(&syntax, &pdu_syntax_ndr))
            offer->syntaxes |= ASSOC_NDR;
        else if (pdu_syntax_equal(&syntax, &pdu_syntax_ndr64))
            offer->syntaxes |= ASSOC_NDR64;
    }
}

/* False: the list has an element that makes the whole PDU wrong. */
static bool decode_offers(struct pdu_bind *pdu, struct assoc_bind *bind)
{
    struct pdu_context context;
    unsigned features = 0;
    while (pdu_next_context(&pdu->contexts, &context)) {
        struct assoc_offer offer;
        decode_offer(&context, &offer);
        if (offer.no_syntax || (offer.is_features && ++features > 1))
            return false;
        if (bind->offer_count < LIMIT_BIND_CONTEXTS)
            bind->offers[bind->offer_count++] = offer;
    }
    return true;
}

static void on_bind(struct assoc *assoc, const struct assoc_pdu *pdu, bool alter,
                    struct assoc_event *event)
{
    uint32_t call_id = pdu->hdr.call_id;
    uint16_t reason = PDU_REJECT_PROTOCOL_VERSION;
    struct pdu_bind decoded;
    if (assoc->bind) { /* the one before has no answer yet */
        if (alter)
            die_with_fault(assoc, call_id, 0, NCA_PROTO_ERROR, true, event);
        else
            die_with_nak(assoc, call_id, PDU_REJECT_NOT_SPECIFIED, event);
        return;
    }
    struct assoc_bind *bind = calloc(1, sizeof(*bind));
    if (!bind) {
        assoc_die(assoc, RPC_S_OUT_OF_MEMORY, event);
        return;
    }
    if (pdu_decode_bind(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &decoded) != PDU_OK)
        goto refuse;
    if (!alter && assoc->state != ASSOC_IDLE) {
        reason = PDU_REJECT_NOT_SPECIFIED; /* a second bind */
        goto refuse;
    }
    if (decoded.auth.present) {
        reason = PDU_REJECT_AUTH_TYPE;
        goto refuse;
    }
    if (decoded.context_count == 0)
        goto refuse;
    *bind = (struct assoc_bind){.alter = alter,
                                .call_id = call_id,
                                .terms = decoded.terms,
                                .flags = pdu->hdr.flags,
                                .context_count = decoded.context_count};
    if (!decode_offers(&decoded, bind)) {
        reason = PDU_REJECT_NOT_SPECIFIED;
        goto refuse;
    }
    if (!alter)
        assoc_set_state(assoc, ASSOC_BINDING);
    assoc->bind = bind;
    *event = (struct assoc_event){.kind = ASSOC_EVENT_BIND};
    return;

refuse:
    free(bind);
    if (alter)
        die_with_fault(assoc, call_id, 0, NCA_PROTO_ERROR, true, event);
    else
        die_with_nak(assoc, call_id, reason, event);
}

/* How much we like what an element offers: 0 not at all. */
static unsigned worth(const struct assoc_offer *offer)
{
    unsigned both = offer->is_features ? 0 : offer->syntaxes & offer->supported;
    return both & ASSOC_NDR64 ? 2 : both & ASSOC_NDR ? 1 : 0;
}

/* Is it the one element of all for its interface that is accepted (wire.md 4.2)? */
static bool is_chosen(const struct assoc_bind *bind, unsigned index)
{
    const struct assoc_offer *offer = &bind->offers[index];
    for (unsigned i = 0; i < bind->offer_count; i++) {
        const struct assoc_offer *other = &bind->offers[i];
        if (i == index || !pdu_syntax_equal(&other->abstract, &offer->abstract))
            continue;
        if (worth(other) > worth(offer) || (worth(other) == worth(offer) && i < index))
            return false;
    }
    return worth(offer) > 0;
}

static struct pdu_result reject(uint16_t reason)
{
    return (struct pdu_result){.result = PDU_RESULT_PROVIDER_REJECTION,
                               .reason = reason,
                               .syntax = pdu_syntax_none};
}

/* The answer to one element.  *ret_clash: the id already stands for another
 * interface or another transfer syntax, which is a protocol error (wire.md 1.12). */
static struct pdu_result judge_offer(struct assoc *assoc, unsigned index, bool *ret_clash)
{
    const struct assoc_bind *bind = assoc->bind;
    const struct assoc_offer *offer = &bind->offers[index];
    if (offer->is_features) {
        if (bind->alter)
            return reject(PDU_REASON_TRANSFER_SYNTAXES);
        assoc->features = offer->feature_bits & FEATURES_KNOWN;
        return (struct pdu_result){.result = PDU_RESULT_NEGOTIATE_ACK,
                                   .reason = (uint16_t)assoc->features,
                                   .syntax = pdu_syntax_none};
    }
    if (!offer->iface)
        return reject(PDU_REASON_ABSTRACT_SYNTAX);
    if (!is_chosen(bind, index))
        return reject(PDU_REASON_TRANSFER_SYNTAXES);
    const struct assoc_context context = {
        .id = offer->id, .ndr64 = worth(offer) == 2, .iface = offer->iface};
    const struct assoc_context *known = assoc_find_context(assoc, offer->id);
    if (known) {
        *ret_clash =
            *ret_clash || known->iface != context.iface || known->ndr64 != context.ndr64;
    } else if (assoc->context_count >= LIMIT_CONTEXTS || !assoc_add_context(assoc, &context)) {
        return reject(PDU_REASON_LOCAL_LIMIT);
    }
    return (struct pdu_result){.result = PDU_RESULT_ACCEPTANCE,
                               .syntax = context.ndr64 ? pdu_syntax_ndr64 : pdu_syntax_ndr};
}

/* One number for both directions, as Windows computes it (wire.md 1.9). */
static uint16_t negotiate_frag(const struct assoc *assoc, const struct pdu_assoc_terms *terms)
{
    uint16_t size = terms->max_xmit_frag < terms->max_recv_frag ? terms->max_xmit_frag
                                                                : terms->max_recv_frag;
    if (size < 2048)
        size = 2048;
    if (size > assoc->frag_max)
        size = assoc->frag_max;
    return (uint16_t)(size & ~7u);
}

static RPC_STATUS queue_ack(struct assoc *assoc, const struct pdu_result *results)
{
    const struct assoc_bind *bind = assoc->bind;
    const struct pdu_assoc_terms terms = {assoc->frag_send, assoc->frag_send, assoc->group_id};
    uint8_t flags = bind->flags & PFC_SUPPORT_HEADER_SIGN;
    if (assoc->multiplex)
        flags |= PFC_CONC_MPX;
    const char *sec_addr = bind->alter ? NULL : assoc->secondary_address;
    size_t cap = 32 + (sec_addr ? strlen(sec_addr) + 4 : 4) + 24u * bind->context_count;
    uint8_t *buf = assoc_queue_begin(assoc, cap);
    if (!buf)
        return RPC_S_OUT_OF_MEMORY;
    size_t len = pdu_encode_bind_ack(buf, cap, bind->alter ? PDU_ALTER_CONTEXT_RESP : PDU_BIND_ACK,
                                     flags, bind->call_id, &terms, sec_addr, results,
                                     bind->context_count);
    return assoc_queue_end(assoc, cap, len);
}

RPC_STATUS assoc_answer_bind(struct assoc *assoc, uint32_t group_id)
{
    struct assoc_bind *bind = assoc->bind;
    struct assoc_event ignored;
    RPC_STATUS status = RPC_S_OUT_OF_MEMORY;
    assert(bind);
    struct pdu_result *results = NULL;
    if (assoc->state == ASSOC_DEAD) {
        status = assoc->status;
        goto out;
    }
    results = calloc(bind->context_count, sizeof(*results));
    if (!results) {
        assoc_fail(assoc, status);
        goto out;
    }
    if (group_id == 0 && !bind->alter) { /* an alter_context's is ignored */
        status = RPC_S_PROTOCOL_ERROR;
        die_with_nak(assoc, bind->call_id, PDU_REJECT_NOT_SPECIFIED, &ignored);
        goto out;
    }
    if (!bind->alter) {
        assoc->group_id = group_id;
        assoc->frag_send = negotiate_frag(assoc, &bind->terms);
        assoc->multiplex = (bind->flags & PFC_CONC_MPX) != 0;
    }
    bool clash = false;
    for (unsigned i = 0; i < bind->context_count; i++)
        results[i] = i < bind->offer_count ? judge_offer(assoc, i, &clash)
                                           : reject(PDU_REASON_LOCAL_LIMIT);
    if (clash) {
        status = RPC_S_PROTOCOL_ERROR;
        die_with_fault(assoc, bind->call_id, 0, NCA_PROTO_ERROR, true, &ignored);
        goto out;
    }
    status = queue_ack(assoc, results);
    if (status != RPC_S_OK)
        assoc_fail(assoc, status);
    else if (!bind->alter)
        assoc_set_state(assoc, ASSOC_OPEN);
out:
    free(results);
    free(bind);
    assoc->bind = NULL;
    return status;
}

/* ---- Requests ------------------------------------------------------------ */

/* A fragment that continues the incoming request, or one of a dead call. */
static void on_continuation(struct assoc *assoc, const struct assoc_pdu *pdu,
                            const struct pdu_request *request, struct assoc_event *event)
{
    bool last = (pdu->hdr.flags & PFC_LAST_FRAG) != 0;
    struct call *call = assoc->incoming_call;
    if (last)
        assoc->incoming = false;
    if (!call) {
        assoc->absorbed += pdu->hdr.frag_len;
        if (assoc->absorbed > LIMIT_ABSORB_LEN)
            assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
        return;
    }
    if (pdu->hdr.little_endian != call->little_endian ||
        !call_count_rx(call, request->stub_len, last)) {
        die_with_fault(assoc, call->id, call->context_id, NCA_PROTO_ERROR, false, event);
        return;
    }
    if (last) {
        assoc->incoming_call = NULL;
        call_set_state(call, CALL_WORKING);
    }
    *event = (struct assoc_event){.kind = ASSOC_EVENT_REQUEST,
                                  .call = call,
                                  .last = last,
                                  .stub = pdu->octets + request->stub_offset,
                                  .stub_len = request->stub_len};
}

/* FIRST and no request is incomplete: a new call. */
static void on_new_request(struct assoc *assoc, const struct assoc_pdu *pdu,
                           const struct pdu_request *request, struct assoc_event *event)
{
    uint32_t call_id = pdu->hdr.call_id;
    bool last = (pdu->hdr.flags & PFC_LAST_FRAG) != 0;
    if (pdu->hdr.flags & PFC_PENDING_CANCEL) { /* as Windows does (wire.md 5.5) */
        die_with_fault(assoc, call_id, 0, RPC_S_NO_CALL_ACTIVE, true, event);
        return;
    }
    if (request->auth.present) { /* no security context was ever set up */
        die_with_fault(assoc, call_id, request->context_id, RPC_S_ACCESS_DENIED, false, event);
        return;
    }
    assoc->incoming = !last;
    assoc->incoming_id = call_id;
    assoc->incoming_call = NULL;
    assoc->absorbed = 0;
    struct call *nesting = assoc_find_nesting(assoc, call_id, request->context_id);
    if (!nesting && assoc->role == ASSOC_CLIENT) { /* no call of ours waits for this one */
        /* A callback that crosses our orphaned is swallowed: its manager hears of that. */
        if (call_id <= assoc->orphaned_id && !assoc_find_call(assoc, call_id))
            return;
        die_with_fault(assoc, call_id, request->context_id, NCA_PROTO_ERROR, true, event);
        return;
    }
    if (nesting && nesting->depth + 1u >= LIMIT_CALL_NESTING) {
        refuse_request(assoc, call_id, request->context_id,
                       status_to_fault(RPC_S_OUT_OF_RESOURCES), event);
        return;
    }
    const struct assoc_context *context = assoc_find_context(assoc, request->context_id);
    if (!context && !nesting) {
        refuse_request(assoc, call_id, 0, NCA_UNK_IF, event);
        return;
    }
    /* NDR64 has one data representation (MS-RPCE 2.2.5): other octets cannot be meant. */
    if ((nesting ? nesting->ndr64 : context->ndr64) && !pdu->hdr.little_endian) {
        refuse_request(assoc, call_id, request->context_id, RPC_X_BAD_STUB_DATA, event);
        return;
    }
    if (assoc->call_count >= LIMIT_CALLS_PER_ASSOC) {
        refuse_request(assoc, call_id, request->context_id, NCA_SERVER_TOO_BUSY, event);
        return;
    }
    /* The id of a call that is over may come again (wire.md 1.12). */
    const struct call *same_id = assoc_find_call(assoc, call_id);
    if (same_id && same_id->state != CALL_DONE && !nesting) {
        die_with_fault(assoc, call_id, request->context_id, NCA_PROTO_ERROR, false, event);
        return;
    }
    *event = (struct assoc_event){
        .kind = ASSOC_EVENT_REQUEST,
        .last = last,
        .stub = pdu->octets + request->stub_offset,
        .stub_len = request->stub_len,
        .call_id = call_id,
        .context_id = request->context_id,
        .opnum = request->opnum,
        .has_object = request->has_object,
        .object = request->object,
        .maybe = (pdu->hdr.flags & PFC_MAYBE) != 0,
        .little_endian = pdu->hdr.little_endian,
        .ndr64 = nesting ? nesting->ndr64 : context->ndr64,
        .iface = context ? context->iface : NULL,
        .nesting = nesting,
    };
    assoc->pending = *event;
}

/* A fragment that fits nowhere (wire.md 5.6, 5.7). */
static void on_stray_request(struct assoc *assoc, const struct assoc_pdu *pdu,
                             const struct pdu_request *request, struct assoc_event *event)
{
    uint32_t call_id = pdu->hdr.call_id;
    uint16_t context_id = 0;
    if (assoc->incoming) { /* another request is incomplete */
        if (!assoc->multiplex || call_id == assoc->incoming_id) {
            call_id = assoc->incoming_id;
            context_id = assoc->incoming_call ? assoc->incoming_call->context_id : 0;
        }
    } else if (assoc->multiplex) {
        if (!assoc_find_context(assoc, request->context_id)) {
            refuse_request(assoc, call_id, 0, NCA_UNK_IF, event);
            return;
        }
        context_id = request->context_id;
    }
    die_with_fault(assoc, call_id, context_id, NCA_PROTO_ERROR, false, event);
}

void assoc_on_request(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    struct pdu_request request;
    if (pdu_decode_request(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &request) != PDU_OK) {
        die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, false, event);
        return;
    }
    bool first = (pdu->hdr.flags & PFC_FIRST_FRAG) != 0;
    if (assoc->incoming && !first && pdu->hdr.call_id == assoc->incoming_id)
        on_continuation(assoc, pdu, &request, event);
    else if (first && (!assoc->incoming || !assoc->incoming_call))
        on_new_request(assoc, pdu, &request, event); /* also ends a dead call's fragments */
    else
        on_stray_request(assoc, pdu, &request, event);
}

void assoc_accept(struct assoc *assoc, struct call *call)
{
    const struct assoc_event *request = &assoc->pending;
    *call = (struct call){.assoc = assoc,
                          .state = CALL_IDLE,
                          .id = request->call_id,
                          .context_id = request->context_id,
                          .opnum = request->opnum,
                          .has_object = request->has_object,
                          .maybe = request->maybe,
                          .object = request->object,
                          .ndr64 = request->ndr64,
                          .little_endian = request->little_endian};
    list_append(&assoc->calls, &call->node);
    assoc->call_count++;
    if (request->nesting)
        call_link_nested(call, request->nesting);
    call_set_state(call, CALL_REQUEST);
    call_count_rx(call, request->stub_len, request->last);
    if (request->last)
        call_set_state(call, CALL_WORKING);
    else
        assoc->incoming_call = call;
}

RPC_STATUS assoc_reject(struct assoc *assoc, RPC_STATUS status, bool did_not_execute)
{
    return assoc_reject_info(assoc, status, did_not_execute, NULL, 0);
}

RPC_STATUS assoc_reject_info(struct assoc *assoc, RPC_STATUS status, bool did_not_execute,
                             const uint8_t *eerr, size_t eerr_len)
{
    const struct assoc_event *request = &assoc->pending;
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    if (assoc_queue_fault_info(assoc, request->call_id, request->context_id,
                               status_to_fault(status), did_not_execute, eerr, eerr_len))
        return RPC_S_OK;
    assoc_fail(assoc, RPC_S_OUT_OF_MEMORY); /* else the client would wait for ever */
    return RPC_S_OUT_OF_MEMORY;
}

/* ---- Cancels and the rest ------------------------------------------------ */

static void on_cancel(struct assoc *assoc, const struct assoc_pdu *pdu, bool orphaned,
                      struct assoc_event *event)
{
    struct wire_reader body;
    struct pdu_auth auth;
    if (pdu_open_body(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &body, &auth) != PDU_OK) {
        die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
        return;
    }
    struct call *call = assoc_find_call(assoc, pdu->hdr.call_id);
    if (!call || call->state == CALL_DONE) {
        /* Of a call that is over: ignored.  An orphaned also ends the fragments of
         * a dead call: none will follow. */
        if (orphaned && assoc->incoming && assoc->incoming_id == pdu->hdr.call_id)
            assoc->incoming = false;
        return;
    }
    call = call_outermost(call);
    if (orphaned) {
        for (struct call *each = call; each; each = each->nested) {
            if (assoc->incoming_call == each) {
                assoc->incoming = false;
                assoc->incoming_call = NULL;
            }
            if (each->state != CALL_DONE)
                call_set_state(each, CALL_DONE);
        }
    } else if (call->cancel_count < UINT8_MAX) {
        call->cancel_count++;
    }
    *event = (struct assoc_event){
        .kind = orphaned ? ASSOC_EVENT_ORPHANED : ASSOC_EVENT_CANCEL, .call = call};
}

void server_on_pdu(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    uint8_t type = pdu->hdr.type;
    if (assoc->state == ASSOC_IDLE && type != PDU_BIND) {
        die_with_nak(assoc, pdu->hdr.call_id, PDU_REJECT_PROTOCOL_VERSION, event);
        return;
    }
    if (assoc->state == ASSOC_BINDING && type != PDU_BIND) { /* not bound yet */
        die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
        return;
    }
    switch (type) {
    case PDU_BIND:
        on_bind(assoc, pdu, false, event);
        return;
    case PDU_ALTER_CONTEXT:
        on_bind(assoc, pdu, true, event);
        return;
    case PDU_REQUEST:
        assoc_on_request(assoc, pdu, event);
        return;
    case PDU_CO_CANCEL:
        on_cancel(assoc, pdu, false, event);
        return;
    case PDU_ORPHANED:
        on_cancel(assoc, pdu, true, event);
        return;
    case PDU_RESPONSE:
    case PDU_FAULT:
        if (!assoc_awaits_answer(assoc, pdu->hdr.call_id))
            die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
        else if (type == PDU_RESPONSE)
            assoc_on_response(assoc, pdu, event);
        else
            assoc_on_fault(assoc, pdu, event);
        return;
    default: /* what only a server sends, datagram PDUs, auth3 without a bind for it */
        die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
    }
}
