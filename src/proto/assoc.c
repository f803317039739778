/* SPDX-License-Identifier: MIT */
/* assoc.c - what both roles of an association share: life, framing of the octet
 * stream into PDUs, control PDUs.  See assoc.h. */
#include "proto/assoc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "proto/assoc_internal.h"

#define TO(s) (1u << ASSOC_##s)
static const uint8_t assoc_edges[ASSOC_STATE_COUNT] = {
    [ASSOC_IDLE] = TO(BINDING) | TO(DEAD),
    [ASSOC_BINDING] = TO(OPEN) | TO(DEAD),
    [ASSOC_OPEN] = TO(DRAINING) | TO(DEAD),
    [ASSOC_DRAINING] = TO(DEAD),
};
#undef TO

const char *assoc_state_name(enum assoc_state state)
{
    static const char *const names[ASSOC_STATE_COUNT] = {"IDLE", "BINDING", "OPEN", "DRAINING",
                                                         "DEAD"};
    return names[state];
}

/* The only writer of assoc->state.  A missing edge is our bug, never the peer's:
 * what a peer may send in each state is judged by the PDU handlers. */
void assoc_set_state(struct assoc *assoc, enum assoc_state next)
{
    assert(assoc_edges[assoc->state] & 1u << next);
    assoc->state = (uint8_t)next;
}

void assoc_init(struct assoc *assoc, enum assoc_role role, uint16_t frag_max,
                const char *secondary_address)
{
    *assoc = (struct assoc){
        .role = (uint8_t)role,
        .frag_max = frag_max,
        .frag_send = LIMIT_FRAG_MIN & ~7u, /* until negotiated */
    };
    if (role == ASSOC_SERVER)
        assoc->secondary_address = secondary_address;
    else
        assoc->next_call_id = ASSOC_BIND_CALL_ID;
    txq_init(&assoc->txq);
    list_init(&assoc->calls);
}

void assoc_fini(struct assoc *assoc)
{
    for (struct list *node = list_pop(&assoc->calls); node; node = list_pop(&assoc->calls))
        list_entry(node, struct call, node)->assoc = NULL;
    txq_fini(&assoc->txq);
    free(assoc->more_contexts);
    assoc->more_contexts = NULL;
    if (assoc->role == ASSOC_SERVER) {
        free(assoc->bind);
        assoc->bind = NULL;
    } else {
        free(assoc->offered);
        assoc->offered = NULL;
    }
}

void assoc_fail(struct assoc *assoc, RPC_STATUS status)
{
    if (assoc->state == ASSOC_DEAD)
        return;
    assoc->status = status;
    assoc_set_state(assoc, ASSOC_DEAD);
}

void assoc_die(struct assoc *assoc, RPC_STATUS status, struct assoc_event *event)
{
    assoc_fail(assoc, status);
    *event = (struct assoc_event){.kind = ASSOC_EVENT_DEAD, .status = status};
}

struct call *assoc_find_call(struct assoc *assoc, uint32_t call_id)
{
    struct call *done = NULL;
    for (struct list *node = assoc->calls.next; node != &assoc->calls; node = node->next) {
        struct call *call = list_entry(node, struct call, node);
        if (call->id != call_id)
            continue;
        if (call->state != CALL_DONE) {
            while (call_nested(call) && call_nested(call)->state != CALL_DONE)
                call = call_nested(call);
            return call;
        }
        done = call;
    }
    return done;
}

const struct assoc_context *assoc_context_at(const struct assoc *assoc, unsigned index)
{
    return index == 0 ? &assoc->first_context : &assoc->more_contexts[index - 1];
}

const struct assoc_context *assoc_find_context(const struct assoc *assoc, uint16_t id)
{
    for (unsigned i = 0; i < assoc->context_count; i++) {
        const struct assoc_context *context = assoc_context_at(assoc, i);
        if (context->id == id)
            return context;
    }
    return NULL;
}

bool assoc_add_context(struct assoc *assoc, const struct assoc_context *context)
{
    if (assoc->context_count == 0) {
        assoc->first_context = *context;
    } else {
        struct assoc_context *more =
            realloc(assoc->more_contexts, assoc->context_count * sizeof(*more));
        if (!more)
            return false;
        more[assoc->context_count - 1] = *context;
        assoc->more_contexts = more;
    }
    assoc->context_count++;
    return true;
}

/* ---- Octets in ----------------------------------------------------------- */

static void on_bad_header(struct assoc *assoc, const struct pdu_header *hdr,
                          struct assoc_event *event)
{
    if (assoc->role == ASSOC_SERVER)
        server_on_bad_header(assoc, hdr, event);
    else
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
}

/* May a PDU of this type be as long as it says?  Binds precede negotiation and may
 * carry large tokens; everything else keeps to our limit (wire.md 1.9).  Answers
 * are taken at any length the field can hold, since peers lift small offers. */
static bool frag_len_ok(const struct assoc *assoc, const struct pdu_header *hdr)
{
    return assoc->role == ASSOC_CLIENT || hdr->type == PDU_BIND ||
           hdr->type == PDU_ALTER_CONTEXT || hdr->frag_len <= assoc->frag_max;
}

size_t assoc_recv(struct assoc *assoc, const uint8_t *octets, size_t len, size_t *ret_need,
                  struct assoc_event *ret_event)
{
    *ret_event = (struct assoc_event){.kind = ASSOC_EVENT_NONE};
    *ret_need = PDU_HEADER_LEN;
    if (assoc->state == ASSOC_DEAD)
        return len;

    struct assoc_pdu pdu = {.octets = octets};
    switch (pdu_decode_header(octets, len, &pdu.hdr)) {
    case PDU_NEED_MORE:
        return 0;
    case PDU_MALFORMED:
        on_bad_header(assoc, NULL, ret_event);
        return len;
    case PDU_OK:
        break;
    }
    /* Judged before its body is waited for: a stranger must not make us hold
     * 64 KiB for a PDU that is wrong from its first octets. */
    if (pdu.hdr.vers != PDU_VERS || pdu.hdr.vers_minor > 1 || !pdu_drep_supported(pdu.hdr.drep) ||
        !frag_len_ok(assoc, &pdu.hdr)) {
        on_bad_header(assoc, &pdu.hdr, ret_event);
        return len;
    }
    if (len < pdu.hdr.frag_len) {
        *ret_need = pdu.hdr.frag_len;
        return 0;
    }
    if (assoc->role == ASSOC_SERVER)
        server_on_pdu(assoc, &pdu, ret_event);
    else
        client_on_pdu(assoc, &pdu, ret_event);
    return pdu.hdr.frag_len;
}

bool call_count_rx(struct call *call, size_t stub_len, bool last)
{
    call->rx_stub += stub_len;
    call->rx_begun = true;
    if (stub_len > 0)
        call->empty_frags = 0;
    else if (!last && ++call->empty_frags > LIMIT_EMPTY_FRAGS)
        return false;
    return true;
}

/* ---- Control PDUs out ---------------------------------------------------- */

uint8_t *assoc_queue_begin(struct assoc *assoc, size_t cap)
{
    return txq_append(&assoc->txq, cap);
}

RPC_STATUS assoc_queue_end(struct assoc *assoc, size_t cap, size_t len)
{
    assert(len > 0 && len <= cap);
    assoc->queued_pdus++;
    txq_truncate(&assoc->txq, assoc->txq.total - (cap - len));
    return RPC_S_OK;
}

bool assoc_queue_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                       uint32_t wire_status, bool did_not_execute)
{
    return assoc_queue_fault_info(assoc, call_id, context_id, wire_status, did_not_execute, NULL,
                                  0);
}

bool assoc_queue_fault_info(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                            uint32_t wire_status, bool did_not_execute, const uint8_t *eerr,
                            size_t eerr_len)
{
    assert(eerr_len <= assoc_fault_info_max(assoc));
    size_t cap = PDU_FAULT_LEN + eerr_len;
    uint8_t *buf = assoc_queue_begin(assoc, cap);
    if (!buf)
        return false;
    const struct pdu_fault fault = {.alloc_hint = (uint32_t)cap,
                                    .context_id = context_id,
                                    .reserved = eerr_len > 0 ? PDU_FAULT_HAS_EERR : 0,
                                    .status = wire_status};
    size_t len = pdu_encode_fault_info(buf, cap, did_not_execute ? PFC_DID_NOT_EXECUTE : 0,
                                       call_id, &fault, eerr, eerr_len);
    return assoc_queue_end(assoc, cap, len) == RPC_S_OK;
}

size_t assoc_fault_info_max(const struct assoc *assoc)
{
    return assoc->frag_send - PDU_FAULT_LEN;
}
