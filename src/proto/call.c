/* SPDX-License-Identifier: MIT */
/* call.c - one call on an association: its states, and the cutting of stub octets
 * into fragments.  See assoc.h.
 *
 *   stub octets   |----------------------------------------------|
 *   fragments     [hdr|5816 octets][hdr|5816 octets] ... [hdr|rest]
 *
 * Only headers are written here; stub octets are borrowed where they lie. */
#include <assert.h>
#include <string.h>

#include <penstock/rpcnterr.h>

#include "base/status.h"
#include "proto/assoc_internal.h"

#define TO(s) (1u << CALL_##s)
static const uint8_t call_edges[CALL_STATE_COUNT] = {
    [CALL_IDLE] = TO(REQUEST),
    [CALL_REQUEST] = TO(WORKING) | TO(DONE),
    [CALL_WORKING] = TO(RESPONSE) | TO(DONE),
    [CALL_RESPONSE] = TO(DONE),
};
#undef TO

void call_set_state(struct call *call, enum call_state next)
{
    assert(call_edges[call->state] & 1u << next);
    call->state = next;
}

void call_set(struct call *call, struct call as, const UUID *object)
{
    assert(call->link || !object);
    as.link = call->link;
    as.has_object = object != NULL;
    if (as.link)
        *as.link = (struct call_link){.object = object ? *object : (UUID){0}};
    *call = as;
}

void call_start(struct call *call, struct assoc *assoc, uint16_t context_id, uint16_t opnum,
                const UUID *object)
{
    assert(assoc->role == ASSOC_CLIENT &&
           (assoc->state == ASSOC_OPEN || assoc->state == ASSOC_DRAINING));
    const struct assoc_context *context = assoc_find_context(assoc, context_id);
    call_set(call,
             (struct call){.assoc = assoc,
                           .context_id = context_id,
                           .opnum = opnum,
                           .ndr64 = context && context->ndr64,
                           .caller = true,
                           .id = assoc_next_call_id(assoc)},
             object);
    list_append(&assoc->calls, &call->node);
    assoc->call_count++;
    call_set_state(call, CALL_REQUEST);
}

void call_end(struct call *call)
{
    struct assoc *assoc = call->assoc;
    if (!assoc || !list_linked(&call->node))
        return;
    list_remove(&call->node);
    call_unlink_nested(call);
    assoc->call_count--;
    if (assoc->incoming_call == call)
        assoc->incoming_call = NULL; /* its last fragments are swallowed */
    call->assoc = NULL;
}

void call_forgo_answer(struct call *call)
{
    if (call->state != CALL_DONE)
        call_set_state(call, CALL_DONE);
}

size_t call_frag_stub_max(const struct call *call)
{
    size_t header = PDU_RESPONSE_LEN;
    if (call->caller)
        header = call->has_object ? PDU_REQUEST_LEN + PDU_OBJECT_LEN : PDU_REQUEST_LEN;
    return (call->assoc->frag_send - header) & ~(size_t)7;
}

/* ---- Sending ------------------------------------------------------------- */

static bool queue_frag_header(struct call *call, size_t stub_len, uint32_t alloc_hint, bool last)
{
    uint8_t flags =
        (uint8_t)((call->tx_begun ? 0 : PFC_FIRST_FRAG) | (last ? PFC_LAST_FRAG : 0));
    struct assoc *assoc = call->assoc;
    if (call->maybe && call->caller)
        flags |= PFC_MAYBE;
    size_t len;
    if (call->caller) {
        const struct pdu_request request = {.alloc_hint = alloc_hint,
                                            .context_id = call->context_id,
                                            .opnum = call->opnum,
                                            .has_object = call->has_object,
                                            .object = call->has_object ? *call_object(call)
                                                                       : (UUID){0},
                                            .stub_len = (uint16_t)stub_len};
        size_t cap = PDU_REQUEST_LEN + (call->has_object ? PDU_OBJECT_LEN : 0);
        uint8_t *buf = txq_append(&assoc->txq, cap);
        if (!buf)
            return false;
        len = pdu_encode_request(buf, cap, flags, call->id, &request);
        assert(len == cap);
    } else {
        const struct pdu_response response = {.alloc_hint = alloc_hint,
                                              /* as Windows has it (wire.md 9) */
                                              .context_id = call->context_id & 0xff,
                                              .stub_len = (uint16_t)stub_len};
        uint8_t *buf = txq_append(&assoc->txq, PDU_RESPONSE_LEN);
        if (!buf)
            return false;
        len = pdu_encode_response(buf, PDU_RESPONSE_LEN, flags, call->id, &response);
        assert(len == PDU_RESPONSE_LEN);
    }
    call->tx_begun = true;
    assoc->queued_pdus++;
    return true;
}

/* A place in a gather list. */
struct gather {
    const struct iovec *iov; /* the current element */
    size_t offset;           /* into it             */
};

/* Below this stub octets are copied next to the header before them: one iovec
 * element less costs the kernel more than such a copy costs us. */
#define COPY_MAX 64u

static bool queue_gathered(struct txq *q, struct gather *from, size_t len)
{
    while (len > 0) {
        if (from->offset == from->iov->iov_len) { /* also an empty element */
            from->iov++;
            from->offset = 0;
            continue;
        }
        const uint8_t *octets = (const uint8_t *)from->iov->iov_base + from->offset;
        size_t part = from->iov->iov_len - from->offset;
        if (part > len)
            part = len;
        if (!(part <= COPY_MAX ? txq_copy(q, octets, part) : txq_borrow(q, octets, part)))
            return false;
        len -= part;
        from->offset += part;
    }
    return true;
}

/* Honest and enough for every peer (wire.md 1.10): what remains if it is known,
 * else this fragment and the four octets that at least follow it. */
static uint32_t alloc_hint(size_t remaining, bool last)
{
    size_t hint = last ? remaining : remaining + 4;
    return hint > UINT32_MAX ? UINT32_MAX : (uint32_t)hint;
}

static bool queue_frags(struct call *call, struct gather *from, size_t len, bool last)
{
    /* Where a push had to end at an odd multiple of 4 the next fragment makes up
     * for it: full ones end at multiples of 8. */
    size_t stub_max = call_frag_stub_max(call) - (size_t)(call->tx_stub & 7);
    while (len > stub_max) {
        if (!queue_frag_header(call, stub_max, alloc_hint(len, last), false) ||
            !queue_gathered(&call->assoc->txq, from, stub_max))
            return false;
        len -= stub_max;
        stub_max = call_frag_stub_max(call);
    }
    return queue_frag_header(call, len, alloc_hint(len, last), last) &&
           queue_gathered(&call->assoc->txq, from, len);
}

RPC_STATUS call_send(struct call *call, const struct iovec *stub, size_t stub_count, bool last)
{
    struct assoc *assoc = call->assoc;
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    assert(call->state == (call->caller ? CALL_REQUEST : CALL_WORKING) ||
           (!call->caller && call->state == CALL_RESPONSE));
    size_t len = 0;
    for (size_t i = 0; i < stub_count; i++)
        len += stub[i].iov_len;
    /* A request without [in] data begins all the same, with an empty fragment: the
     * manager is to be called before the first push. */
    if (len == 0 && !last && call->tx_begun)
        return RPC_S_OK;

    uint64_t undo = assoc->txq.total;
    bool had_begun = call->tx_begun;
    struct gather from = {.iov = stub};
    if (!queue_frags(call, &from, len, last)) {
        txq_truncate(&assoc->txq, undo);
        call->tx_begun = had_begun;
        return RPC_S_OUT_OF_MEMORY;
    }
    call->tx_stub += len;
    if (!call->caller && call->state == CALL_WORKING)
        call_set_state(call, CALL_RESPONSE);
    if (last) {
        call->tx_ended = true;
        call_set_state(call, call->caller ? CALL_WORKING : CALL_DONE);
    }
    return RPC_S_OK;
}

/* ---- Control ------------------------------------------------------------- */

static RPC_STATUS queue_empty_pdu(struct call *call, enum pdu_type type)
{
    if (call->assoc->state == ASSOC_DEAD)
        return call->assoc->status;
    uint8_t *buf = assoc_queue_begin(call->assoc, PDU_HEADER_LEN);
    if (!buf)
        return RPC_S_OUT_OF_MEMORY;
    return assoc_queue_end(call->assoc, PDU_HEADER_LEN,
                           pdu_encode_empty(buf, PDU_HEADER_LEN, type, call->id));
}

RPC_STATUS call_cancel(struct call *call)
{
    /* Windows answers a cancel that comes with or before the first fragment with a
     * fault and disconnects (wire.md 5.5). */
    if (!call->tx_begun || call->state == CALL_DONE)
        return RPC_S_OK;
    if (call->cancel_count < UINT8_MAX)
        call->cancel_count++;
    return queue_empty_pdu(call, PDU_CO_CANCEL);
}

RPC_STATUS call_orphan(struct call *call)
{
    if (!call->tx_begun || call->state == CALL_DONE)
        return RPC_S_OK;
    RPC_STATUS status = queue_empty_pdu(call, PDU_ORPHANED);
    struct assoc *assoc = call->assoc;
    if (status == RPC_S_OK && assoc->role == ASSOC_CLIENT && call->id > assoc->orphaned_id)
        assoc->orphaned_id = call->id;
    return status;
}

RPC_STATUS call_fault(struct call *call, RPC_STATUS status, bool did_not_execute)
{
    return call_fault_info(call, status, did_not_execute, NULL, 0);
}

RPC_STATUS call_fault_info(struct call *call, RPC_STATUS status, bool did_not_execute,
                           const uint8_t *eerr, size_t eerr_len)
{
    struct assoc *assoc = call->assoc;
    if (call->state == CALL_DONE)
        return RPC_S_OK;
    if (assoc->incoming_call == call)
        assoc->incoming_call = NULL;
    call_set_state(call, CALL_DONE);
    if (assoc->state == ASSOC_DEAD)
        return assoc->status;
    if (assoc_queue_fault_info(assoc, call->id, call->context_id, status_to_fault(status),
                               did_not_execute, eerr, eerr_len))
        return RPC_S_OK;
    assoc_fail(assoc, RPC_S_OUT_OF_MEMORY); /* else the client would wait for ever */
    return RPC_S_OUT_OF_MEMORY;
}
