/* SPDX-License-Identifier: MIT */
/* assoc.h - one association: the connection-oriented protocol on one transport
 * connection, client or server side (C706 chapters 9 and 12; MS-RPCE 3.3).
 *
 * Sans I/O: octets go in through assoc_recv(), one event comes out of each call;
 * octets to send wait in assoc->txq.  No sockets, no threads, no clock, no
 * callbacks.  The caller serialises all calls on one association.
 *
 *      octets --assoc_recv--> event: BIND, REQUEST, RESPONSE, FAULT, CANCEL ...
 *      assoc_bind, assoc_answer_bind, call_*  --> assoc->txq --> octets
 *
 * Calls are the caller's objects with a `struct call` inside, linked into the
 * association between call_start() / assoc_accept() and call_end().
 *
 * Stub octets in events lie in the buffer given to assoc_recv(): nothing is
 * copied here and nothing is kept. */
#ifndef PROTO_ASSOC_H
#define PROTO_ASSOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <penstock/rpctypes.h>

#include "base/limits.h"
#include "base/list.h"
#include "proto/txq.h"
#include "wire/pdu.h"

enum assoc_role {
    ASSOC_CLIENT,
    ASSOC_SERVER
};

enum assoc_state {
    ASSOC_IDLE,     /* client: nothing sent; server: waits for the bind       */
    ASSOC_BINDING,  /* client: waits for the ack; server: for the answer to an
                     * ASSOC_EVENT_BIND                                       */
    ASSOC_OPEN,     /* calls may run                                          */
    ASSOC_DRAINING, /* client: shutdown seen, start no new calls but those that
                     * waited for the bind                                    */
    ASSOC_DEAD,     /* terminal; send what is queued, then close              */
    ASSOC_STATE_COUNT
};

enum call_state {
    CALL_IDLE,      /* not on an association                                   */
    CALL_REQUEST,   /* client: sending; server: receiving request fragments    */
    CALL_WORKING,   /* the request's last fragment has passed                  */
    CALL_RESPONSE,  /* response fragments pass                                 */
    CALL_DONE,      /* last response fragment, or a fault, has passed          */
    CALL_STATE_COUNT
};

/* What few calls have. */
struct call_link {
    UUID object;
    struct call *nesting; /* the call it runs inside of, or NULL (nested.c)    */
    struct call *nested;  /* the call that runs inside it, or NULL             */
};

/* One call as the protocol sees it; embedded in the runtime's call. */
struct call {
    struct list node; /* assoc->calls */
    struct assoc *assoc;
    /* The owner's, who gives one, all zero, to a call that is about an object or inside another,
     * before it begins, and to the other; else NULL. */
    struct call_link *link;
    uint32_t id;
    uint16_t context_id;
    uint16_t opnum;
    uint8_t state;         /* enum call_state                                   */
    bool has_object;
    bool maybe; /* PFC_MAYBE: the client wants no answer */
    bool streams; /* server, the owner's: its manager runs before the request is complete */
    bool caller;           /* the request goes out from here                    */
    uint8_t depth;         /* calls around it                                   */
    bool tx_begun;         /* a FIRST fragment was queued                       */
    bool tx_ended;         /* the LAST fragment was queued                      */
    bool rx_begun;         /* a FIRST fragment was received                     */
    bool ndr64;            /* transfer syntax of its context, else NDR 2.0      */
    bool little_endian;    /* peer's byte order, from its first fragment        */
    uint8_t cancel_count;  /* co_cancels sent or received                       */
    uint8_t empty_frags;   /* received in a row, see LIMIT_EMPTY_FRAGS          */
    uint64_t tx_stub;      /* stub octets queued so far in our direction        */
    uint64_t rx_stub;      /* stub octets received so far                       */
};

static inline struct call *call_nesting(const struct call *call)
{
    return call->link ? call->link->nesting : NULL;
}
static inline struct call *call_nested(const struct call *call)
{
    return call->link ? call->link->nested : NULL;
}
/* NULL: it is about none. */
static inline const UUID *call_object(const struct call *call)
{
    return call->has_object ? &call->link->object : NULL;
}

/* Transfer syntaxes, as bits of a set. */
#define ASSOC_NDR   0x1u /* NDR 2.0 (C706 14) */
#define ASSOC_NDR64 0x2u /* MS-RPCE 2.2.5     */
#define ASSOC_SYNTAXES (ASSOC_NDR | ASSOC_NDR64)

/* Where a pointer need not be aligned to 8, so that nothing is lost around it. */
typedef void *assoc_iface __attribute__((aligned(4)));

struct assoc_context {
    uint16_t id;
    bool ndr64;                     /* else NDR 2.0                               */
    union {
        assoc_iface iface;          /* server: the runtime's interface; borrowed  */
        struct pdu_syntax abstract; /* client: the interface                      */
    };
};
_Static_assert(sizeof(struct assoc_context) == 24, "every association has one");

/* One element of the context list of a bind or alter_context. */
struct assoc_offer {
    uint16_t id;
    struct pdu_syntax abstract;
    uint8_t syntaxes;      /* ASSOC_*: which transfer syntaxes it lists          */
    bool no_syntax;        /* no transfer syntax at all: the whole PDU is refused */
    bool is_features;      /* bind time feature negotiation                      */
    uint64_t feature_bits;
    void *iface; /* answer: the interface registered for `abstract`, or NULL     */
    uint8_t supported; /* answer: ASSOC_*: which of them it may be called in     */
};

struct assoc_bind {
    bool alter;
    uint32_t call_id;
    struct pdu_assoc_terms terms;
    uint8_t flags;
    unsigned offer_count;
    struct assoc_offer offers[]; /* as many as one octet can count */
};

enum assoc_event_kind {
    ASSOC_EVENT_NONE,     /* the PDU needed nothing from the caller               */
    ASSOC_EVENT_BIND,     /* server: assoc->bind wants assoc_answer_bind()        */
    ASSOC_EVENT_REQUEST,  /* request octets; a new call (call NULL) wants
                           * assoc_accept() or assoc_reject() before the next recv,
                           * and the event is in place until then                  */
    ASSOC_EVENT_CANCEL,   /* server: co_cancel for `call` and all inside it       */
    ASSOC_EVENT_ORPHANED, /* server: the client gave `call` up and all inside it; no
                           * reply                                                */
    ASSOC_EVENT_BOUND,    /* client: bind or alter_context was answered; `status` says
                           * whether there is a context for the interface now        */
    ASSOC_EVENT_RESPONSE, /* response octets of `call`, whose request we sent     */
    ASSOC_EVENT_FAULT,    /* the same: `call` failed with `status`, which is
                           * RPC_S_CALL_FAILED_DNE only if it certainly did not run */
    ASSOC_EVENT_DEAD      /* the association has failed with assoc->status; octets
                           * still queued (a fault, a nak) should be sent         */
};

struct assoc_event {
    enum assoc_event_kind kind;
    struct call *call;
    RPC_STATUS status;
    bool last;            /* REQUEST, RESPONSE: last fragment             */
    uint32_t alloc_hint;          /* REQUEST: what the client says is still to come */
    const uint8_t *stub; /* FAULT, DEAD: extended error information, if stub_len is not 0 */
    size_t stub_len;
    /* REQUEST of a new call */
    uint32_t call_id;
    uint16_t context_id, opnum;
    bool has_object, maybe, little_endian, ndr64;
    UUID object;
    void *iface;
    struct call *nesting; /* the call of ours it runs inside of; else NULL */
};

/* What a client's bind or alter_context asked for: one element per transfer syntax. */
struct assoc_offered {
    struct pdu_syntax abstract;
    uint8_t syntaxes;     /* ASSOC_*, in this order */
    uint16_t first_id;
    uint32_t call_id;
    bool features;        /* an element for bind time features follows       */
};

/* Thousands may be open and idle, so it is no larger than it has to be. */
struct assoc {
    uint8_t role;       /* enum assoc_role                                      */
    uint8_t state;      /* enum assoc_state                                     */
    bool multiplex : 1; /* both sides said CONC_MPX                             */
    bool header_sign : 1; /* client offered it                                    */
    bool incoming : 1;  /* a request's fragments are arriving, see below        */
    uint8_t features;   /* PDU_FEATURE_* both sides have                        */
    uint16_t frag_max;  /* our own limit, both directions                       */
    uint16_t frag_send; /* largest fragment we send: negotiated, multiple of 8  */
    uint16_t next_context_id; /* client                                         */
    uint16_t context_count;
    uint16_t call_count;
    uint16_t queued_pdus; /* put into the queue since the owner set it to 0             */
    RPC_STATUS status;  /* why it is DEAD */
    uint32_t group_id;
    struct txq txq;

    struct list calls;
    /* Mostly there is one: the first, and the array of the others. */
    struct assoc_context first_context, *more_contexts;

    /* the one request whose fragments are arriving (MS-RPCE 3.3.3.5.2); a client's are of
     * callbacks */
    uint32_t incoming_id;
    uint32_t absorbed;          /* octets swallowed                             */
    struct call *incoming_call; /* NULL: a dead call's fragments are swallowed  */
    /* A new request between the event and its answer; borrowed. */
    const struct assoc_event *pending;

    union {
        struct { /* server */
            const char *secondary_address; /* our endpoint as a string; borrowed    */
            struct assoc_bind *bind;       /* state BINDING or an alter_context     */
            /* Writes what is to be said besides the `reason` of a bind_nak (extended error
             * information) into `cap` octets; how many.  NULL: nothing. */
            size_t (*explain)(struct assoc *assoc, uint16_t reason, uint8_t *buf, size_t cap);
        };
        struct { /* client */
            struct assoc_offered *offered; /* until it is answered, else NULL       */
            uint32_t next_call_id;
            uint32_t orphaned_id; /* the highest of a call given up; 0: none        */
        };
    };
};

/* ---- Life ---------------------------------------------------------------- */

/* What a client makes of a bind_nak (enum pdu_reject_reason). */
RPC_STATUS assoc_status_of_nak(uint16_t reason);

/* frag_max: LIMIT_FRAG_TCP or LIMIT_FRAG_LOCAL.  secondary_address (server) is
 * borrowed for the association's life. */
void assoc_init(struct assoc *assoc, enum assoc_role role, uint16_t frag_max,
                const char *secondary_address);

/* Frees what the association owns.  Calls still linked are unlinked, not freed. */
void assoc_fini(struct assoc *assoc);

/* ---- Octets in ----------------------------------------------------------- */

/* Takes one PDU from the front of `octets`.  Returns how many octets it had: 0
 * when the PDU is not complete, then *ret_need is the total to come back with
 * (at most 65,535).  Sets *ret_event either way.  A DEAD association swallows
 * everything. */
size_t assoc_recv(struct assoc *assoc, const uint8_t *octets, size_t len, size_t *ret_need,
                  struct assoc_event *ret_event);

/* The transport is gone (or we are closing it): every later command fails with
 * `status`.  Calls are not told; their owner does that. */
void assoc_fail(struct assoc *assoc, RPC_STATUS status);

/* ---- Client commands ----------------------------------------------------- */

/* Queues a bind that offers `abstract` over each of `syntaxes` (ASSOC_*, one at least),
 * a presentation context each, and the bind time features.  ASSOC_EVENT_BOUND or DEAD
 * follows.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY. */
RPC_STATUS assoc_bind(struct assoc *assoc, const struct pdu_syntax *abstract, unsigned syntaxes,
                      uint32_t group_id);

/* The same with an alter_context, on an association that is OPEN and has asked for
 * nothing that was not answered: contexts more for the same interface or another.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY; RPC_S_OUT_OF_RESOURCES: no ids are left. */
RPC_STATUS assoc_alter(struct assoc *assoc, const struct pdu_syntax *abstract, unsigned syntaxes);

/* Are there ids for an alter_context? */
bool assoc_can_alter(const struct assoc *assoc);

/* The context for calls on `abstract` in one of `syntaxes` (NDR64 before NDR 2.0), or NULL.
 * Valid until the next answer to an alter_context. */
const struct assoc_context *assoc_context_for(const struct assoc *assoc,
                                              const struct pdu_syntax *abstract,
                                              unsigned syntaxes);

/* Puts `call` (in state IDLE) on the association, which must be OPEN, or DRAINING if the call
 * waited for it to be bound, in the context `context_id`. */
void call_start(struct call *call, struct assoc *assoc, uint16_t context_id, uint16_t opnum,
                const UUID *object);

/* Queues a co_cancel (advisory).  Nothing before the first fragment. */
RPC_STATUS call_cancel(struct call *call);

/* Queues an orphaned: the client gives the call up. */
RPC_STATUS call_orphan(struct call *call);

/* ---- Server commands ----------------------------------------------------- */

/* Answers assoc->bind, whose offers' `iface` and `supported` the caller has filled, with
 * bind_ack or alter_context_resp.  Of the elements for one interface one is accepted: the
 * first that lists NDR64, if that is supported, else the first that lists NDR 2.0.  `group_id` is the association's group, or 0 to
 * refuse the bind because the group asked for is unknown.
 * ASSOC DEAD afterwards when the bind was refused. */
RPC_STATUS assoc_answer_bind(struct assoc *assoc, uint32_t group_id);

/* Takes the new call of the last REQUEST event: `call` is linked and the event's
 * stub octets are its first. */
void assoc_accept(struct assoc *assoc, struct call *call);

/* Refuses it with a fault; the rest of its fragments is swallowed.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY: the client cannot be told, the association is DEAD. */
RPC_STATUS assoc_reject(struct assoc *assoc, RPC_STATUS status, bool did_not_execute);
/* The same with `eerr_len` octets of extended error information (wire/eerr.h), of which a
 * fault on this association takes at most assoc_fault_info_max(). */
RPC_STATUS assoc_reject_info(struct assoc *assoc, RPC_STATUS status, bool did_not_execute,
                             const uint8_t *eerr, size_t eerr_len);
size_t assoc_fault_info_max(const struct assoc *assoc);

/* Ends the call with a fault, also in the middle of its request or response.
 * The call is DONE; request fragments still to come are swallowed.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY: the client cannot be told, the association is DEAD. */
RPC_STATUS call_fault(struct call *call, RPC_STATUS status, bool did_not_execute);
/* The same with extended error information, as assoc_reject_info(). */
RPC_STATUS call_fault_info(struct call *call, RPC_STATUS status, bool did_not_execute,
                           const uint8_t *eerr, size_t eerr_len);

/* ---- Both ---------------------------------------------------------------- */

/* May a call begin inside `nesting`, one that came in and is being worked on?  No answer
 * to it must have begun, no other call be inside it.
 * RPC_S_OK; RPC_S_CALL_FAILED: no; RPC_S_OUT_OF_RESOURCES: too deep, LIMIT_CALL_NESTING. */
RPC_STATUS call_may_nest(const struct call *nesting);

/* Puts `call` (in state IDLE) on the association, in the other direction than `nesting`
 * and with its call id and presentation context.  call_may_nest() must have said yes. */
void call_start_nested(struct call *call, struct call *nesting, uint16_t opnum,
                       const UUID *object);

/* The outermost of the calls `call` runs inside of, or itself. */
struct call *call_outermost(struct call *call);

/* Queues stub octets as request (caller) or response fragments.  They
 * are *borrowed*: they must stay in place until sent or until txq_settle().
 * Every fragment but the last queued here is full; `last` ends the direction.
 * With `last` false the octets given should end at a multiple of 8 of the stub.
 * RPC_S_OK; RPC_S_OUT_OF_MEMORY: nothing was queued. */
RPC_STATUS call_send(struct call *call, const struct iovec *stub, size_t stub_count, bool last);

/* The call ends without an answer: none is awaited (client), none will come (server). */
void call_forgo_answer(struct call *call);

/* Takes the call off its association: late PDUs for it are dropped (client) or
 * swallowed (server). */
void call_end(struct call *call);

/* Stub octets that fit one fragment of this call. */
size_t call_frag_stub_max(const struct call *call);

const char *assoc_state_name(enum assoc_state state);

#endif
