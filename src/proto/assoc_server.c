/* SPDX-License-Identifier: MIT */
/* assoc_server.c - the server's side of an association: requests, cancels (C706 12.6;
 * MS-RPCE 3.3.3).  Binds are in assoc_bind.c.  What is answered to each kind of wrong PDU
 * follows what Windows answers (wire.md 1.5, 5.7). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

/* ---- Refusing ------------------------------------------------------------ */

void server_die_with_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
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

void server_die_with_nak(struct assoc *assoc, uint32_t call_id, uint16_t reason,
                         struct assoc_event *event)
{
    uint8_t eerr[LIMIT_FRAG_MIN - PDU_BIND_NAK_INFO_LEN]; /* nothing is negotiated yet */
    const size_t eerr_len =
        assoc->explain ? assoc->explain(assoc, reason, eerr, sizeof(eerr)) : 0;
    const size_t len = eerr_len > 0 ? PDU_BIND_NAK_INFO_LEN + eerr_len : PDU_BIND_NAK_LEN;
    uint8_t *buf = assoc_queue_begin(assoc, len);
    if (buf)
        assoc_queue_end(assoc, len,
                        pdu_encode_bind_nak_info(buf, len, call_id, reason, eerr, eerr_len));
    assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
}

void server_on_bad_header(struct assoc *assoc, const struct pdu_header *hdr,
                          struct assoc_event *event)
{
    if (!hdr) /* the stream cannot be followed: nothing to answer to */
        assoc_die(assoc, RPC_S_PROTOCOL_ERROR, event);
    else if (assoc->state == ASSOC_IDLE)
        server_die_with_nak(assoc, hdr->call_id, PDU_REJECT_PROTOCOL_VERSION, event);
    else
        server_die_with_fault(assoc, hdr->call_id, 0, NCA_PROTO_ERROR, hdr->frag_len <= assoc->frag_max,
                       event);
}

/* ---- Requests ------------------------------------------------------------ */

/* A security trailer where no security context was ever set up (wire.md 5.7). */
static uint32_t trailer_fault(const struct pdu_request *request)
{
    return request->auth.trailer_offset % 4 != 0 ? (uint32_t)NCA_PROTO_ERROR
                                                 : (uint32_t)RPC_S_ACCESS_DENIED;
}

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
        server_die_with_fault(assoc, call->id, call->context_id, NCA_PROTO_ERROR, false, event);
        return;
    }
    if (request->auth.present) {
        server_die_with_fault(assoc, call->id, call->context_id, trailer_fault(request), false,
                              event);
        return;
    }
    if (last) {
        assoc->incoming_call = NULL;
        call_set_state(call, CALL_WORKING);
    }
    *event = (struct assoc_event){.kind = ASSOC_EVENT_REQUEST,
                                  .call = call,
                                  .last = last,
                                  .alloc_hint = request->alloc_hint,
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
        server_die_with_fault(assoc, call_id, 0, RPC_S_NO_CALL_ACTIVE, true, event);
        return;
    }
    if (request->auth.present) {
        server_die_with_fault(assoc, call_id, request->context_id, trailer_fault(request), false,
                              event);
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
        server_die_with_fault(assoc, call_id, request->context_id, NCA_PROTO_ERROR, true, event);
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
        server_die_with_fault(assoc, call_id, request->context_id, NCA_PROTO_ERROR, false, event);
        return;
    }
    *event = (struct assoc_event){
        .kind = ASSOC_EVENT_REQUEST,
        .last = last,
        .alloc_hint = request->alloc_hint,
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
    assoc->pending = event;
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
        if (request->auth.present) { /* of a security context that does not exist */
            server_die_with_fault(assoc, call_id, context_id, RPC_S_ACCESS_DENIED, false, event);
            return;
        }
    }
    server_die_with_fault(assoc, call_id, context_id, NCA_PROTO_ERROR, false, event);
}

void assoc_on_request(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event)
{
    struct pdu_request request;
    if (pdu_decode_request(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &request) != PDU_OK) {
        server_die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, false, event);
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
    const struct assoc_event *request = assoc->pending;
    call_set(call,
             (struct call){.assoc = assoc,
                           .state = CALL_IDLE,
                           .id = request->call_id,
                           .context_id = request->context_id,
                           .opnum = request->opnum,
                           .maybe = request->maybe,
                           .ndr64 = request->ndr64,
                           .little_endian = request->little_endian},
             request->has_object ? &request->object : NULL);
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
    const struct assoc_event *request = assoc->pending;
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    if (assoc_queue_fault_info(assoc, request->call_id, request->context_id,
                               status_to_fault(status), did_not_execute, eerr, eerr_len))
        return RPC_S_OK;
    assoc_fail(assoc, RPC_S_OUT_OF_MEMORY); /* else the client would wait for ever */
    return RPC_S_OUT_OF_MEMORY;
}

/* ---- Cancels and the rest ------------------------------------------------ */

/* Windows does not hear it in the middle of a request: when the rest comes it runs the call,
 * when another request comes that is an error (wire.md 5.5).  Who negotiated that connections
 * survive an orphaned means what C706 says; and so it is where a manager already waits for the
 * rest of its [in] pipes. */
static bool is_too_early(const struct assoc *assoc, const struct call *call)
{
    return assoc->role == ASSOC_SERVER && call->state == CALL_REQUEST && !call->streams &&
           !(assoc->features & PDU_FEATURE_KEEP_ON_ORPHAN);
}

static void on_cancel(struct assoc *assoc, const struct assoc_pdu *pdu, bool orphaned,
                      struct assoc_event *event)
{
    struct wire_reader body;
    struct pdu_auth auth;
    if (pdu_open_body(&pdu->hdr, pdu->octets, pdu->hdr.frag_len, &body, &auth) != PDU_OK) {
        server_die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
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
    if (orphaned && is_too_early(assoc, call))
        return;
    if (orphaned) {
        for (struct call *each = call; each; each = call_nested(each)) {
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
        server_die_with_nak(assoc, pdu->hdr.call_id, PDU_REJECT_PROTOCOL_VERSION, event);
        return;
    }
    if (assoc->state == ASSOC_BINDING && type != PDU_BIND) { /* not bound yet */
        server_die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
        return;
    }
    switch (type) {
    case PDU_BIND:
        server_on_bind(assoc, pdu, false, event);
        return;
    case PDU_ALTER_CONTEXT:
        server_on_bind(assoc, pdu, true, event);
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
            server_die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
        else if (type == PDU_RESPONSE)
            assoc_on_response(assoc, pdu, event);
        else
            assoc_on_fault(assoc, pdu, event);
        return;
    default: /* what only a server sends, datagram PDUs, auth3 without a bind for it */
        server_die_with_fault(assoc, pdu->hdr.call_id, 0, NCA_PROTO_ERROR, true, event);
    }
}
