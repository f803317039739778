/* SPDX-License-Identifier: MIT */
/* assoc_bind.c - how a server answers bind and alter_context (C706 12.6.4.3; MS-RPCE
 * 3.3.1.5).  Which offers it takes follows Windows (wire.md 1.5, 4.2). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

/* Bind time features a server agrees to, as Windows does.  As long as there is no security
 * context at all, any number of them may share a connection. */
#define FEATURES_KNOWN (PDU_FEATURE_SECURITY_MULTIPLEX | PDU_FEATURE_KEEP_ON_ORPHAN)

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
        bind->offers[bind->offer_count++] = offer;
    }
    return true;
}

/* Why a bind with a token is refused.  What is wrong with the trailer itself is seen first
 * (wire.md 6.1), then a level that protects nothing (MS-RPCE 2.2.1.1.8), then the type: none
 * is known. */
static uint16_t reason_for_token(const struct pdu_auth *auth)
{
    if (auth->trailer_offset % 4 != 0)
        return PDU_REJECT_NOT_SPECIFIED;
    if (auth->pad_len != 0)
        return PDU_REJECT_PROTOCOL_VERSION;
    return auth->level >= 2 && auth->level <= 6 ? PDU_REJECT_AUTH_TYPE : PDU_REJECT_NOT_SPECIFIED;
}

void server_on_bind(struct assoc *assoc, const struct assoc_pdu *pdu, bool alter,
                    struct assoc_event *event)
{
    uint32_t call_id = pdu->hdr.call_id;
    uint16_t reason = PDU_REJECT_PROTOCOL_VERSION;
    struct pdu_bind decoded;
    if (assoc->bind) { /* the one before has no answer yet */
        if (alter)
            server_die_with_fault(assoc, call_id, 0, NCA_PROTO_ERROR, true, event);
        else
            server_die_with_nak(assoc, call_id, PDU_REJECT_NOT_SPECIFIED, event);
        return;
    }
    struct assoc_bind *bind = NULL;
    if (pdu_decode_bind(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &decoded) != PDU_OK)
        goto refuse;
    if (!alter && assoc->state != ASSOC_IDLE) {
        reason = PDU_REJECT_NOT_SPECIFIED; /* a second bind */
        goto refuse;
    }
    if (decoded.auth.present) {
        reason = reason_for_token(&decoded.auth);
        goto refuse;
    }
    if (decoded.context_count == 0) {
        reason = PDU_REJECT_NOT_SPECIFIED; /* Windows 2012R2; 2022: protocol version */
        goto refuse;
    }
    bind = calloc(1, sizeof(*bind) + decoded.context_count * sizeof(bind->offers[0]));
    if (!bind) {
        assoc_die(assoc, RPC_S_OUT_OF_MEMORY, event);
        return;
    }
    *bind = (struct assoc_bind){
        .alter = alter, .call_id = call_id, .terms = decoded.terms, .flags = pdu->hdr.flags};
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
        server_die_with_fault(assoc, call_id, 0, NCA_PROTO_ERROR, true, event);
    else
        server_die_with_nak(assoc, call_id, reason, event);
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
    if (worth(offer) == 0)
        return false;
    for (unsigned i = 0; i < bind->offer_count; i++) {
        const struct assoc_offer *other = &bind->offers[i];
        if (i == index || !pdu_syntax_equal(&other->abstract, &offer->abstract))
            continue;
        if (worth(other) > worth(offer) || (worth(other) == worth(offer) && i < index))
            return false;
    }
    return true;
}

static struct pdu_result reject(uint16_t reason)
{
    return (struct pdu_result){
        .result = PDU_RESULT_PROVIDER_REJECTION, .reason = reason, .syntax = pdu_syntax_none};
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
        assoc->features = (uint8_t)(offer->feature_bits & FEATURES_KNOWN);
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
        *ret_clash = *ret_clash || known->iface != context.iface || known->ndr64 != context.ndr64;
    } else if (assoc->context_count >= LIMIT_CONTEXTS || !assoc_add_context(assoc, &context)) {
        return reject(PDU_REASON_LOCAL_LIMIT);
    }
    return (struct pdu_result){.result = PDU_RESULT_ACCEPTANCE,
                               .syntax = context.ndr64 ? pdu_syntax_ndr64 : pdu_syntax_ndr};
}

/* One number for both directions, as Windows computes it (wire.md 1.9). */
static uint16_t negotiate_frag(const struct assoc *assoc, const struct pdu_assoc_terms *terms)
{
    uint16_t size =
        terms->max_xmit_frag < terms->max_recv_frag ? terms->max_xmit_frag : terms->max_recv_frag;
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
    size_t cap = 32 + (sec_addr ? strlen(sec_addr) + 4 : 4) + 24u * bind->offer_count;
    uint8_t *buf = assoc_queue_begin(assoc, cap);
    if (!buf)
        return RPC_S_OUT_OF_MEMORY;
    size_t len =
        pdu_encode_bind_ack(buf, cap, bind->alter ? PDU_ALTER_CONTEXT_RESP : PDU_BIND_ACK, flags,
                            bind->call_id, &terms, sec_addr, results, (uint8_t)bind->offer_count);
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
    results = calloc(bind->offer_count, sizeof(*results));
    if (!results) {
        assoc_fail(assoc, status);
        goto out;
    }
    if (group_id == 0 && !bind->alter) { /* an alter_context's is ignored */
        status = RPC_S_PROTOCOL_ERROR;
        server_die_with_nak(assoc, bind->call_id, PDU_REJECT_NOT_SPECIFIED, &ignored);
        goto out;
    }
    if (!bind->alter) {
        assoc->group_id = group_id;
        assoc->frag_send = negotiate_frag(assoc, &bind->terms);
        assoc->multiplex = (bind->flags & PFC_CONC_MPX) != 0;
    }
    bool clash = false;
    for (unsigned i = 0; i < bind->offer_count; i++)
        results[i] = judge_offer(assoc, i, &clash);
    if (clash) {
        status = RPC_S_PROTOCOL_ERROR;
        server_die_with_fault(assoc, bind->call_id, 0, NCA_PROTO_ERROR, true, &ignored);
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
