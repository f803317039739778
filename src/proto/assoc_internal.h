/* SPDX-License-Identifier: MIT */
/* assoc_internal.h - between the files of the association. */
#ifndef PROTO_ASSOC_INTERNAL_H
#define PROTO_ASSOC_INTERNAL_H

#include "proto/assoc.h"

/* A PDU as its handler sees it: whole, header decoded. */
struct assoc_pdu {
    struct pdu_header hdr;
    const uint8_t *octets; /* hdr.frag_len of them */
};

void assoc_set_state(struct assoc *assoc, enum assoc_state next);
void call_set_state(struct call *call, enum call_state next);

/* Ends the association: state DEAD, event DEAD. */
void assoc_die(struct assoc *assoc, RPC_STATUS status, struct assoc_event *event);

/* The call of this id; of several one that is not DONE, for a peer may use an id again
 * before we have put its last call away, and of these the innermost. */
struct call *assoc_find_call(struct assoc *assoc, uint32_t call_id);
const struct assoc_context *assoc_find_context(const struct assoc *assoc, uint16_t id);
/* In the order in which they were added; index < context_count. */
const struct assoc_context *assoc_context_at(const struct assoc *assoc, unsigned index);
/* One context more.  False: out of memory. */
bool assoc_add_context(struct assoc *assoc, const struct assoc_context *context);
/* A client's first PDU is its bind; no call has its id. */
#define ASSOC_BIND_CALL_ID 1u
/* Client: the id of the next call, bind or alter_context. */
uint32_t assoc_next_call_id(struct assoc *assoc);

/* Room for one control PDU of at most `cap` octets at the end of the queue; the
 * encoder's result goes to assoc_queue_end(), which gives back what was not used. */
uint8_t *assoc_queue_begin(struct assoc *assoc, size_t cap);
RPC_STATUS assoc_queue_end(struct assoc *assoc, size_t cap, size_t len);

/* Queues a fault; true when there was memory for it. */
bool assoc_queue_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                       uint32_t wire_status, bool did_not_execute);
/* The same with extended error information. */
bool assoc_queue_fault_info(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                            uint32_t wire_status, bool did_not_execute, const uint8_t *eerr,
                            size_t eerr_len);

/* Request or response octets arrived for a call: counts them and refuses a flood
 * of empty fragments.  False: the peer is flooding. */
bool call_count_rx(struct call *call, size_t stub_len, bool last);

/* `as`, in the link that its owner gave it. */
void call_set(struct call *call, struct call as, const UUID *object);

/* nested.c: links an accepted or started call inside `nesting`, and takes it out. */
void call_link_nested(struct call *call, struct call *nesting);
void call_unlink_nested(struct call *call);
/* nested.c: the call of ours that waits for an answer and that a request with these ids is
 * nested in, or NULL. */
struct call *assoc_find_nesting(struct assoc *assoc, uint32_t call_id, uint16_t context_id);
/* nested.c: does the innermost call of this id wait for an answer? */
bool assoc_awaits_answer(struct assoc *assoc, uint32_t call_id);

/* Requests on either side, a client's from callbacks; answers on either side. */
void assoc_on_request(struct assoc *assoc, const struct assoc_pdu *pdu,
                      struct assoc_event *event);
void assoc_on_response(struct assoc *assoc, const struct assoc_pdu *pdu,
                       struct assoc_event *event);
void assoc_on_fault(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event);

void client_on_pdu(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event);
void server_on_pdu(struct assoc *assoc, const struct assoc_pdu *pdu, struct assoc_event *event);

/* assoc_bind.c: bind, or alter_context. */
void server_on_bind(struct assoc *assoc, const struct assoc_pdu *pdu, bool alter,
                    struct assoc_event *event);

/* A fault for the protocol error, then the end (MS-RPCE 3.3.3.5.7).  A client, which
 * comes here with wrong callbacks, just ends. */
void server_die_with_fault(struct assoc *assoc, uint32_t call_id, uint16_t context_id,
                           uint32_t wire_status, bool did_not_execute,
                           struct assoc_event *event);
/* bind_nak for that reason, then the end. */
void server_die_with_nak(struct assoc *assoc, uint32_t call_id, uint16_t reason,
                         struct assoc_event *event);

/* The server's answers to PDUs it cannot even look at: header-level errors. */
void server_on_bad_header(struct assoc *assoc, const struct pdu_header *hdr,
                          struct assoc_event *event);

#endif
