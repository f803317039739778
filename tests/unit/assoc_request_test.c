/* SPDX-License-Identifier: MIT */
/* assoc_request_test.c - a bound server and what a client may send it: requests in
 * one fragment or many, cancels, and everything that is wrong (wire.md 1.8 to 1.12,
 * 5.3 to 5.7). */
#include "alloc_shim.h"
#include "assoc_peer.h"

#define CTX_A       0u
#define CTX_B       0x102u /* faults carry all 16 bits of it (wire.md 1.8) */
#define CTX_UNKNOWN 0x55u
#define FIRST       PFC_FIRST_FRAG
#define LAST        PFC_LAST_FRAG
#define MPX         PFC_CONC_MPX

static struct assoc a;
static struct call call, other;

/* A request of `stub_len` octets for interface b, accepted as `c`. */
static void begin_call(struct call *c, uint8_t flags, uint32_t call_id, size_t stub_len)
{
    struct assoc_event event = feed_request(&a, flags, call_id, CTX_B, stub_len);
    assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
    assert_null(event.call);
    assert_int_equal(event.call_id, call_id);
    assoc_accept(&a, c);
    expect_silence(&a);
}

static void expect_more(const struct assoc_event *event, const struct call *c, size_t stub_len,
                        bool last)
{
    assert_int_equal(event->kind, ASSOC_EVENT_REQUEST);
    assert_ptr_equal(event->call, c);
    assert_int_equal(event->stub_len, stub_len);
    assert_int_equal(event->last, last);
}

/* The association has survived: a whole call goes through. */
static void expect_alive(uint32_t call_id)
{
    static struct call probe;
    expect_silence(&a);
    begin_call(&probe, FIRST | LAST, call_id, 8);
    assert_int_equal(send_stub(&probe, 8, true), RPC_S_OK);
    assert_int_equal(take(&a), PDU_RESPONSE_LEN + 8);
    assert_int_equal(taken_header(0).type, PDU_RESPONSE);
    assert_int_equal(taken_header(0).call_id, call_id);
    call_end(&probe);
}

static void expect_fault_and_end(const struct assoc_event *event, uint32_t call_id,
                                 uint16_t context_id, uint32_t status, bool did_not_execute)
{
    expect_dead(&a, event, RPC_S_PROTOCOL_ERROR);
    expect_fault(&a, call_id, context_id, status, did_not_execute);
}

/* ---- Good requests -------------------------------------------------------- */

static void a_whole_request(void **state)
{
    (void)state;
    server_open(&a, 0);
    struct assoc_event event = feed_request(&a, FIRST | LAST, 2, CTX_B, 13);
    assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
    assert_null(event.call);
    assert_true(event.last);
    assert_int_equal(event.call_id, 2);
    assert_int_equal(event.context_id, CTX_B);
    assert_int_equal(event.opnum, 3);
    assert_ptr_equal(event.iface, &object_b);
    assert_false(event.has_object);
    assert_false(event.maybe);
    assert_true(event.little_endian);
    assert_int_equal(event.stub_len, 13);
    assert_memory_equal(event.stub, peer_octets + PDU_REQUEST_LEN, 13);

    assoc_accept(&a, &call);
    assert_int_equal(a.call_count, 1);
    assert_int_equal(call.state, CALL_WORKING);
    assert_int_equal(call.rx_stub, 13);
    assert_int_equal(send_stub(&call, 5, true), RPC_S_OK);
    assert_int_equal(call.state, CALL_DONE);
    call_end(&call);
    assert_int_equal(a.call_count, 0);
    peer_fini(&a);
}

static void a_request_in_fragments(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 16);
    assert_int_equal(call.state, CALL_REQUEST);
    struct assoc_event event = feed_request(&a, 0, 2, CTX_B, 24);
    expect_more(&event, &call, 24, false);
    assert_memory_equal(event.stub, peer_octets + PDU_REQUEST_LEN, 24);
    event = feed_request(&a, LAST, 2, CTX_B, 3);
    expect_more(&event, &call, 3, true);
    assert_int_equal(call.state, CALL_WORKING);
    assert_int_equal(call.rx_stub, 43);
    call_end(&call);
    expect_alive(3);
    peer_fini(&a);
}

static void a_request_with_object(void **state)
{
    (void)state;
    const struct pdu_request request = {.has_object = true, .object = iface_b.uuid, .stub_len = 4};
    struct call_link link;
    server_open(&a, 0);
    size_t len = pdu_encode_request(peer_octets, sizeof(peer_octets), FIRST | LAST, 2, &request);
    struct assoc_event event = feed(&a, peer_octets, len + 4);
    assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
    assert_true(event.has_object);
    assert_memory_equal(&event.object, &iface_b.uuid, sizeof(UUID));
    assert_int_equal(event.stub_len, 4);
    call.link = &link;
    assoc_accept(&a, &call);
    assert_memory_equal(call_object(&call), &iface_b.uuid, sizeof(UUID));
    call.link = NULL;
    peer_fini(&a);
}

/* A request in big-endian octets: FIRST, call 0x21, context 0x102, opnum 7. */
static const uint8_t big_first[] = {5, 0, 0, FIRST, 0, 0, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0x21,
                                    0, 0, 0, 8,     1, 2, 0, 7, 0, 0,  0, 9, 0, 0, 0, 1};

static void a_request_of_a_big_endian_client(void **state)
{
    (void)state;
    uint8_t last[sizeof(big_first)];
    memcpy(last, big_first, sizeof(last));
    last[3] = LAST;
    server_open(&a, 0);
    struct assoc_event event = feed(&a, big_first, sizeof(big_first));
    assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
    assert_int_equal(event.call_id, 0x21);
    assert_int_equal(event.context_id, CTX_B);
    assert_int_equal(event.opnum, 7);
    assert_false(event.little_endian);
    assoc_accept(&a, &call);
    assert_false(call.little_endian);
    event = feed(&a, last, sizeof(last));
    expect_more(&event, &call, 8, true);
    call_end(&call);
    peer_fini(&a);
}

static void b_byte_order_changes_in_the_middle(void **state)
{
    (void)state;
    server_open(&a, 0);
    feed(&a, big_first, sizeof(big_first));
    assoc_accept(&a, &call);
    struct assoc_event event = feed_request(&a, LAST, 0x21, CTX_B, 8);
    expect_fault_and_end(&event, 0x21, CTX_B, NCA_PROTO_ERROR, false);
    peer_fini(&a);
}

/* Context and opnum are those of the first fragment (wire.md 1.8). */
static void b_later_fragments_are_not_asked_again(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 8);
    struct assoc_event event = feed_request(&a, 0, 2, CTX_UNKNOWN, 8);
    expect_more(&event, &call, 8, false);
    event = feed_request(&a, LAST | PFC_PENDING_CANCEL, 2, CTX_A, 8);
    expect_more(&event, &call, 8, true);
    assert_int_equal(call.context_id, CTX_B);
    assert_int_equal(call.opnum, 3);
    assert_int_equal(call.cancel_count, 0);
    peer_fini(&a);
}

/* Flags without meaning on a request are ignored (wire.md 1.4). */
static void b_flags_without_meaning(void **state)
{
    (void)state;
    server_open(&a, 0);
    for (unsigned flags = 0; flags < 256; flags++) {
        if (flags & (PFC_PENDING_CANCEL | PFC_OBJECT_UUID) || (flags & PFC_WHOLE) != PFC_WHOLE)
            continue;
        struct assoc_event event = feed_request(&a, (uint8_t)flags, flags, CTX_A, 8);
        assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
        assert_int_equal(event.maybe, (flags & PFC_MAYBE) != 0);
        assert_int_equal(assoc_reject(&a, RPC_S_SERVER_TOO_BUSY, true), RPC_S_OK);
        expect_fault(&a, flags, CTX_A, NCA_SERVER_TOO_BUSY, true);
    }
    peer_fini(&a);
}

/* Zero-stub fragments are taken, but not without end (wire.md 1.11, 9 row 26). */
static void b_empty_fragments(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 0);
    struct assoc_event event = feed_request(&a, LAST, 2, CTX_B, 0);
    expect_more(&event, &call, 0, true);
    call_end(&call);

    begin_call(&call, FIRST, 3, 0); /* the first in a row */
    for (unsigned i = 2; i <= LIMIT_EMPTY_FRAGS; i++) {
        event = feed_request(&a, 0, 3, CTX_B, 0);
        expect_more(&event, &call, 0, false);
    }
    event = feed_request(&a, 0, 3, CTX_B, 8);
    expect_more(&event, &call, 8, false);
    for (unsigned i = 1; i <= LIMIT_EMPTY_FRAGS; i++) {
        event = feed_request(&a, 0, 3, CTX_B, 0);
        expect_more(&event, &call, 0, false);
    }
    event = feed_request(&a, 0, 3, CTX_B, 0);
    expect_fault_and_end(&event, 3, CTX_B, NCA_PROTO_ERROR, false);
    peer_fini(&a);
}

/* ---- Refused, and the association goes on --------------------------------- */

static void b_unknown_context(void **state)
{
    (void)state;
    server_open(&a, 0);
    struct assoc_event event = feed_request(&a, FIRST | LAST, 2, CTX_UNKNOWN, 8);
    assert_int_equal(event.kind, ASSOC_EVENT_NONE);
    expect_fault(&a, 2, 0, NCA_UNK_IF, true);
    expect_alive(3);

    /* In fragments: one fault, the rest is swallowed. */
    feed_request(&a, FIRST, 4, CTX_UNKNOWN, 8);
    expect_fault(&a, 4, 0, NCA_UNK_IF, true);
    assert_int_equal(feed_request(&a, 0, 4, CTX_UNKNOWN, 8).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_request(&a, LAST, 4, CTX_UNKNOWN, 8).kind, ASSOC_EVENT_NONE);
    expect_alive(5);
    peer_fini(&a);
}

static void b_rejected_by_the_runtime(void **state)
{
    (void)state;
    server_open(&a, 0);
    struct assoc_event event = feed_request(&a, FIRST, 2, CTX_B, 8);
    assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
    assert_int_equal(assoc_reject(&a, RPC_S_PROCNUM_OUT_OF_RANGE, true), RPC_S_OK);
    expect_fault(&a, 2, CTX_B, NCA_OP_RNG_ERROR, true);
    assert_int_equal(feed_request(&a, LAST, 2, CTX_B, 8).kind, ASSOC_EVENT_NONE);
    expect_alive(3);
    peer_fini(&a);
}

static void b_too_many_calls(void **state)
{
    (void)state;
    static struct call calls[LIMIT_CALLS_PER_ASSOC];
    server_open(&a, MPX);
    for (unsigned i = 0; i < LIMIT_CALLS_PER_ASSOC; i++)
        begin_call(&calls[i], FIRST | LAST, 10 + i, 8);
    feed_request(&a, FIRST | LAST, 5, CTX_B, 8);
    expect_fault(&a, 5, CTX_B, NCA_SERVER_TOO_BUSY, true);
    call_end(&calls[7]);
    expect_alive(6);
    peer_fini(&a);
}

/* ---- Fragments that fit nowhere ------------------------------------------- */

struct stray_row {
    const char *name;
    uint8_t bind_flags;
    bool incomplete; /* call 2, context b, has begun */
    uint8_t flags;
    uint32_t call_id;
    uint16_t context_id;
    /* answer: NCA_PROTO_ERROR without DNE and the end, or keep: NCA_UNK_IF */
    uint32_t fault_call_id;
    uint16_t fault_context_id;
    bool keep;
};

static const struct stray_row stray_rows[] = {
    {"no call", 0, false, 0, 9, CTX_B, 9, 0, false},
    {"no call, LAST", 0, false, LAST, 9, CTX_B, 9, 0, false},
    {"no call, unknown context", 0, false, LAST, 9, CTX_UNKNOWN, 9, 0, false},
    {"no call, MPX", MPX, false, LAST, 9, CTX_B, 9, CTX_B, false},
    {"no call, MPX, unknown context", MPX, false, LAST, 9, CTX_UNKNOWN, 9, 0, true},
    {"second FIRST: fault on the older", 0, true, FIRST | LAST, 9, CTX_A, 2, CTX_B, false},
    {"second FIRST, MPX: on the newer", MPX, true, FIRST | LAST, 9, CTX_A, 9, 0, false},
    {"FIRST of the same call", 0, true, FIRST, 2, CTX_A, 2, CTX_B, false},
    {"FIRST of the same call, MPX", MPX, true, FIRST, 2, CTX_A, 2, CTX_B, false},
    {"foreign fragment: fault on the older", 0, true, 0, 9, CTX_A, 2, CTX_B, false},
    {"foreign fragment, MPX: on the newer", MPX, true, LAST, 9, CTX_A, 9, 0, false},
};

/* The last fragment is the last: of a call that is worked on, of one whose rest was
 * swallowed, of one that was orphaned, no more may come. */
static void b_fragments_behind_the_last(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 3; way++) {
        server_open(&a, 0);
        begin_call(&call, way == 0 ? FIRST | LAST : FIRST, 2, 8);
        if (way == 1) {
            call_fault(&call, RPC_S_CALL_FAILED, false);
            take(&a);
            assert_int_equal(feed_request(&a, LAST, 2, CTX_B, 8).kind, ASSOC_EVENT_NONE);
        } else if (way == 2) {
            call.streams = true;
            assert_int_equal(feed_empty(&a, PDU_ORPHANED, 2).kind, ASSOC_EVENT_ORPHANED);
        }
        struct assoc_event event = feed_request(&a, LAST, 2, CTX_B, 8);
        expect_fault_and_end(&event, 2, 0, NCA_PROTO_ERROR, false);
        peer_fini(&a);
    }
}

static void b_stray_fragments(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT_OF(stray_rows); row++) {
        const struct stray_row *r = &stray_rows[row];
        print_message("         %s\n", r->name);
        server_open(&a, r->bind_flags);
        if (r->incomplete)
            begin_call(&call, FIRST, 2, 8);
        struct assoc_event event = feed_request(&a, r->flags, r->call_id, r->context_id, 8);
        if (r->keep) {
            expect_fault(&a, r->fault_call_id, r->fault_context_id, NCA_UNK_IF, true);
            expect_alive(20);
        } else {
            expect_fault_and_end(&event, r->fault_call_id, r->fault_context_id, NCA_PROTO_ERROR,
                                 false);
        }
        peer_fini(&a);
    }
}

/* With MPX whole requests come while others are worked on. */
static void b_multiplexed_calls(void **state)
{
    (void)state;
    server_open(&a, MPX);
    begin_call(&call, FIRST | LAST, 2, 8);
    begin_call(&other, FIRST, 3, 8);
    assert_int_equal(send_stub(&call, 8, true), RPC_S_OK); /* in the middle of the other */
    struct assoc_event event = feed_request(&a, LAST, 3, CTX_B, 8);
    expect_more(&event, &other, 8, true);
    assert_int_equal(send_stub(&other, 8, true), RPC_S_OK);
    assert_int_equal(take(&a), 2 * (PDU_RESPONSE_LEN + 8));
    assert_int_equal(taken_header(0).call_id, 2);
    assert_int_equal(taken_header(PDU_RESPONSE_LEN + 8).call_id, 3);
    peer_fini(&a);
}

/* ---- Call ids ------------------------------------------------------------- */

static void b_call_id_in_use(void **state)
{
    (void)state;
    server_open(&a, MPX);
    begin_call(&call, FIRST | LAST, 2, 8);
    struct assoc_event event = feed_request(&a, FIRST | LAST, 2, CTX_B, 8);
    expect_fault_and_end(&event, 2, CTX_B, NCA_PROTO_ERROR, false);
    peer_fini(&a);
}

/* A server does not ask for rising ids, only for free ones, and a call that has been
 * answered is over even if we still hold it (wire.md 1.12). */
static void b_call_id_of_a_finished_call(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST | LAST, 7, 8);
    assert_int_equal(send_stub(&call, 8, true), RPC_S_OK);
    take(&a);
    begin_call(&other, FIRST, 7, 8);
    /* Everything now is about the new one. */
    struct assoc_event event = feed_empty(&a, PDU_CO_CANCEL, 7);
    assert_int_equal(event.kind, ASSOC_EVENT_CANCEL);
    assert_ptr_equal(event.call, &other);
    event = feed_request(&a, LAST, 7, CTX_B, 8);
    expect_more(&event, &other, 8, true);
    call_end(&call);
    call_end(&other);
    expect_alive(0);
    expect_alive(0xffffffff);
    expect_alive(3);
    peer_fini(&a);
}

/* ---- Early faults, swallowing --------------------------------------------- */

enum after_fault { NOTHING, ENDED, ORPHANED };

static void b_early_fault(void **state)
{
    (void)state;
    for (enum after_fault after = NOTHING; after <= ORPHANED; after++) {
        server_open(&a, 0);
        begin_call(&call, FIRST, 2, 8);
        assert_int_equal(call_fault(&call, RPC_X_PIPE_DISCIPLINE_ERROR, false), RPC_S_OK);
        expect_fault(&a, 2, CTX_B, NCA_FAULT_PIPE_DISCIPLINE, false);
        assert_int_equal(call.state, CALL_DONE);
        /* Once only. */
        assert_int_equal(call_fault(&call, RPC_S_CALL_FAILED, false), RPC_S_OK);
        expect_silence(&a);
        if (after == ENDED)
            call_end(&call);
        for (unsigned i = 0; i < 10; i++)
            assert_int_equal(feed_request(&a, 0, 2, CTX_B, 5816).kind, ASSOC_EVENT_NONE);
        /* Neither cancel nor orphaned finds anybody. */
        assert_int_equal(feed_empty(&a, PDU_CO_CANCEL, 2).kind, ASSOC_EVENT_NONE);
        if (after == ORPHANED)
            assert_int_equal(feed_empty(&a, PDU_ORPHANED, 2).kind, ASSOC_EVENT_NONE);
        else
            assert_int_equal(feed_request(&a, LAST, 2, CTX_B, 8).kind, ASSOC_EVENT_NONE);
        expect_alive(3);
        peer_fini(&a);
    }
}

/* The client has read the fault and goes on with another call, the LAST of the dead
 * one never sent (wire.md 5.2, 5.4). */
static void b_next_call_in_place_of_a_dead_one(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 8);
    call_fault(&call, RPC_S_CALL_FAILED, false);
    take(&a);
    begin_call(&other, FIRST, 3, 8);
    struct assoc_event event = feed_request(&a, LAST, 3, CTX_B, 8);
    expect_more(&event, &other, 8, true);
    peer_fini(&a);
}

/* A call may leave in the middle without a word, as when its runtime is shut down. */
static void b_call_ends_before_its_request(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 8);
    call_end(&call);
    call_end(&call); /* harmless */
    assert_int_equal(feed_request(&a, LAST, 2, CTX_B, 8).kind, ASSOC_EVENT_NONE);
    expect_alive(3);
    peer_fini(&a);
}

static void b_swallowing_has_a_limit(void **state)
{
    (void)state;
    const unsigned fragments = LIMIT_ABSORB_LEN / LIMIT_FRAG_TCP;
    server_open(&a, 0);
    feed_request(&a, FIRST, 2, CTX_UNKNOWN, 8);
    take(&a);
    for (unsigned i = 0; i < fragments; i++)
        assert_int_equal(feed_request(&a, 0, 2, CTX_B, 5816).kind, ASSOC_EVENT_NONE);
    struct assoc_event event = feed_request(&a, 0, 2, CTX_B, 5816);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    expect_silence(&a); /* the fault was sent long ago */
    peer_fini(&a);
}

/* ---- Cancels -------------------------------------------------------------- */

static void b_co_cancel(void **state)
{
    (void)state;
    server_open(&a, 0);
    assert_int_equal(feed_empty(&a, PDU_CO_CANCEL, 2).kind, ASSOC_EVENT_NONE);
    begin_call(&call, FIRST, 2, 8);
    for (unsigned i = 1; i <= 300; i++) {
        struct assoc_event event = feed_empty(&a, PDU_CO_CANCEL, 2);
        assert_int_equal(event.kind, ASSOC_EVENT_CANCEL);
        assert_ptr_equal(event.call, &call);
        assert_int_equal(call.cancel_count, i < 255 ? i : 255);
    }
    feed_request(&a, LAST, 2, CTX_B, 8);
    assert_int_equal(feed_empty(&a, PDU_CO_CANCEL, 2).kind, ASSOC_EVENT_CANCEL);
    send_stub(&call, 8, true); /* the call still ends as usual */
    take(&a);
    assert_int_equal(feed_empty(&a, PDU_CO_CANCEL, 2).kind, ASSOC_EVENT_NONE);
    call_end(&call);
    assert_int_equal(feed_empty(&a, PDU_CO_CANCEL, 2).kind, ASSOC_EVENT_NONE);
    expect_alive(3);
    peer_fini(&a);
}

static void b_orphaned(void **state)
{
    (void)state;
    static const enum call_state states[] = {CALL_REQUEST, CALL_WORKING, CALL_RESPONSE, CALL_DONE};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        server_open(&a, 0);
        begin_call(&call, states[i] == CALL_REQUEST ? FIRST : FIRST | LAST, 2, 8);
        if (states[i] >= CALL_RESPONSE)
            send_stub(&call, 8, states[i] == CALL_DONE);
        take(&a);
        assert_int_equal(call.state, states[i]);
        call.streams = true;

        struct assoc_event event = feed_empty(&a, PDU_ORPHANED, 2);
        if (states[i] == CALL_DONE) {
            assert_int_equal(event.kind, ASSOC_EVENT_NONE);
        } else {
            assert_int_equal(event.kind, ASSOC_EVENT_ORPHANED);
            assert_ptr_equal(event.call, &call);
            assert_int_equal(call.state, CALL_DONE);
        }
        /* No reply, whatever the manager says now. */
        assert_int_equal(call_fault(&call, RPC_S_CALL_CANCELLED, false), RPC_S_OK);
        expect_silence(&a);
        assert_int_equal(feed_empty(&a, PDU_ORPHANED, 2).kind, ASSOC_EVENT_NONE);
        call_end(&call);
        expect_alive(3);
        assert_int_equal(feed_empty(&a, PDU_ORPHANED, 99).kind, ASSOC_EVENT_NONE);
        expect_alive(4);
        peer_fini(&a);
    }
}

/* As Windows does (wire.md 5.5): within a request that nobody works on yet it is not heard.
 * The rest makes it a call, another request is out of place.  Where both sides have agreed
 * that connections survive an orphaned it means what C706 says. */
static void b_orphaned_before_the_manager_runs(void **state)
{
    (void)state;
    for (int second = 0; second < 3; second++) {
        server_open(&a, 0);
        begin_call(&call, FIRST, 2, 8);
        assert_int_equal(feed_empty(&a, PDU_ORPHANED, 2).kind, ASSOC_EVENT_NONE);
        assert_int_equal(call.state, CALL_REQUEST);
        expect_silence(&a);
        if (second == 0) {
            struct assoc_event event = feed_request(&a, LAST, 2, CTX_B, 8);
            assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
            assert_ptr_equal(event.call, &call);
            assert_int_equal(call.state, CALL_WORKING);
        } else if (second == 1) {
            struct assoc_event event = feed_request(&a, FIRST | LAST, 3, CTX_B, 8);
            expect_fault_and_end(&event, 2, CTX_B, NCA_PROTO_ERROR, false);
        } else {
            a.features = PDU_FEATURE_KEEP_ON_ORPHAN;
            assert_int_equal(feed_empty(&a, PDU_ORPHANED, 2).kind, ASSOC_EVENT_ORPHANED);
            assert_int_equal(call.state, CALL_DONE);
            call_end(&call);
            expect_alive(3);
        }
        peer_fini(&a);
    }
}

/* A trailer on a cancel is passed over, one that cannot be there is an error. */
static void b_cancels_with_trailers(void **state)
{
    (void)state;
    server_open(&a, 0);
    begin_call(&call, FIRST, 2, 8);
    size_t len = pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_CO_CANCEL, 2);
    const struct pdu_auth auth = {.present = true, .type = 10, .level = 5, .token_len = 16};
    len = pdu_append_auth(peer_octets, sizeof(peer_octets), len, &auth, (uint8_t[16]){0});
    assert_int_equal(feed(&a, peer_octets, len).kind, ASSOC_EVENT_CANCEL);
    peer_octets[10]++; /* auth_length */
    struct assoc_event event = feed(&a, peer_octets, len);
    expect_fault_and_end(&event, 2, 0, NCA_PROTO_ERROR, true);
    peer_fini(&a);
}

/* As Windows does: never a manager, never the connection (wire.md 5.5). */
static void b_pending_cancel_on_the_first_fragment(void **state)
{
    (void)state;
    server_open(&a, 0);
    struct assoc_event event = feed_request(&a, FIRST | LAST | PFC_PENDING_CANCEL, 2, CTX_B, 8);
    expect_fault_and_end(&event, 2, 0, RPC_S_NO_CALL_ACTIVE, true);
    peer_fini(&a);
}

/* ---- Wrong in themselves -------------------------------------------------- */

static void b_trailer_without_security(void **state)
{
    (void)state;
    struct vector v = vector_load("d5_request_auth");
    server_open(&a, 0);
    struct assoc_event event = feed(&a, v.octets, v.len);
    expect_fault_and_end(&event, 5, 1, RPC_S_ACCESS_DENIED, false);
    peer_fini(&a);
}

static void b_requests_too_short(void **state)
{
    (void)state;
    for (unsigned object = 0; object < 2; object++) {
        size_t enough = PDU_REQUEST_LEN + (object ? PDU_OBJECT_LEN : 0);
        for (size_t len = PDU_HEADER_LEN; len <= enough; len++) {
            const struct pdu_request request = {.context_id = CTX_B, .has_object = object > 0};
            server_open(&a, 0);
            pdu_encode_request(peer_octets, sizeof(peer_octets), FIRST | LAST, 2, &request);
            peer_octets[8] = (uint8_t)len;
            struct assoc_event event = feed(&a, peer_octets, len);
            if (len < enough)
                expect_fault_and_end(&event, 2, 0, NCA_PROTO_ERROR, false);
            else
                assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
            peer_fini(&a);
        }
    }
}

/* Up to our own maximum whatever was negotiated; one octet more, and the header alone
 * is enough for the answer (wire.md 1.9). */
static void b_fragment_of_maximal_length(void **state)
{
    (void)state;
    static const uint16_t own[] = {LIMIT_FRAG_TCP, LIMIT_FRAG_LOCAL};
    const struct pdu_assoc_terms terms = {2048, 2048, 0};
    const struct pdu_offer offer = {CTX_B, iface_b, &pdu_syntax_ndr, 1};
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        assoc_init(&a, ASSOC_SERVER, own[i], SECONDARY);
        size_t len =
            pdu_encode_bind(peer_octets, sizeof(peer_octets), PDU_BIND, 0, 1, &terms, &offer, 1);
        feed(&a, peer_octets, len);
        answer(&a);
        take(&a);
        assert_int_equal(a.frag_send, 2048);
        assert_int_equal(feed_request(&a, FIRST, 2, CTX_B, own[i] - PDU_REQUEST_LEN).kind,
                         ASSOC_EVENT_REQUEST);
        assoc_accept(&a, &call);
        peer_octets[3] = 0;
        peer_octets[8] = (uint8_t)(own[i] + 1);
        peer_octets[9] = (uint8_t)((own[i] + 1) >> 8);
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_fault_and_end(&event, 2, 0, NCA_PROTO_ERROR, false);
        peer_fini(&a);
    }
}

/* bind and alter_context are not held to it: they carry tokens. */
static void b_long_alter_context(void **state)
{
    (void)state;
    const struct pdu_offer offer = {9, iface_b, &pdu_syntax_ndr, 1};
    server_open(&a, 0);
    size_t len = pdu_encode_bind(peer_octets, sizeof(peer_octets), PDU_ALTER_CONTEXT, 0, 2,
                                 &default_terms, &offer, 1);
    memset(peer_octets + len, 0, PDU_LEN_MAX - len);
    peer_octets[8] = peer_octets[9] = 0xff;
    assert_int_equal(feed(&a, peer_octets, PDU_LEN_MAX).kind, ASSOC_EVENT_BIND);
    assert_int_equal(answer(&a), RPC_S_OK);
    take(&a);
    expect_alive(3);
    peer_fini(&a);
}

static void b_wrong_headers(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint8_t value;
    } rows[] = {{0, 4}, {0, 6}, {1, 2}, {4, 0x11}, {4, 0x20}, {5, 1}, {6, 1}, {7, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pdu_request request = {.context_id = CTX_B};
        server_open(&a, 0);
        pdu_encode_request(peer_octets, sizeof(peer_octets), FIRST | LAST, 2, &request);
        peer_octets[rows[i].at] = rows[i].value;
        bool big = rows[i].at == 4 && rows[i].value >> 4 != 1;
        if (big) { /* then its integers are big-endian */
            peer_octets[9] = peer_octets[8];
            peer_octets[8] = 0;
        }
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_fault_and_end(&event, big ? 0x02000000 : 2, 0, NCA_PROTO_ERROR, true);
        peer_fini(&a);
    }
}

/* Nobody can tell where the next PDU begins, nor whether this was one. */
static void b_length_below_the_header(void **state)
{
    (void)state;
    for (uint8_t len = 0; len < PDU_HEADER_LEN; len++) {
        server_open(&a, 0);
        pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_CO_CANCEL, 2);
        peer_octets[8] = len;
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        expect_silence(&a);
        peer_fini(&a);
    }
}

/* What only a server sends, datagram types, auth3 out of place, unknown numbers. */
static void b_types_no_client_sends(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == PDU_REQUEST || type == PDU_BIND || type == PDU_ALTER_CONTEXT ||
            type == PDU_CO_CANCEL || type == PDU_ORPHANED)
            continue;
        server_open(&a, 0);
        begin_call(&call, FIRST, 2, 8);
        pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_CO_CANCEL, 2);
        peer_octets[2] = (uint8_t)type;
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_fault_and_end(&event, 2, 0, NCA_PROTO_ERROR, true);
        peer_fini(&a);
    }
}

static void b_auth3_out_of_place(void **state)
{
    (void)state;
    struct vector v = vector_load("d6_auth3");
    server_open(&a, 0);
    struct assoc_event event = feed(&a, v.octets, v.len);
    expect_fault_and_end(&event, 1, 0, NCA_PROTO_ERROR, true);
    peer_fini(&a);
}

/* ---- Dead ----------------------------------------------------------------- */

static void c_commands_after_the_end(void **state)
{
    (void)state;
    server_open(&a, MPX);
    begin_call(&call, FIRST | LAST, 2, 8);
    begin_call(&other, FIRST, 3, 8);
    assert_int_equal(feed_request(&a, FIRST, 4, CTX_B, 8).kind, ASSOC_EVENT_DEAD);
    take(&a);
    assert_int_equal(send_stub(&call, 8, true), RPC_S_PROTOCOL_ERROR);
    assert_int_equal(call_fault(&other, RPC_S_CALL_FAILED, false), RPC_S_PROTOCOL_ERROR);
    assert_int_equal(assoc_reject(&a, RPC_S_CALL_FAILED, false), RPC_S_PROTOCOL_ERROR);
    assoc_fail(&a, RPC_S_CALL_FAILED); /* the first reason stays */
    assert_int_equal(a.status, RPC_S_PROTOCOL_ERROR);
    /* Octets are swallowed, also those that mean nothing. */
    assert_int_equal(feed_request(&a, FIRST | LAST, 5, CTX_B, 8).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed(&a, (const uint8_t *)"x", 1).kind, ASSOC_EVENT_NONE);
    expect_silence(&a);
    peer_fini(&a);
    assert_null(call.assoc);
    assert_null(other.assoc);
}

/* A fault that cannot be queued must not leave the client waiting. */
static void c_no_memory_for_a_fault(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        server_open(&a, MPX);
        if (way == 1)
            feed_request(&a, FIRST, 2, CTX_B, 8);
        if (way == 2)
            begin_call(&call, FIRST, 2, 8);
        txq_trim(&a.txq); /* what it keeps would serve the fault */
        free(peer_fed); /* feed() allocates: leave the failure to the association */
        size_t need;
        struct assoc_event event = {.kind = ASSOC_EVENT_NONE};
        const struct pdu_request request = {.context_id = CTX_UNKNOWN};
        uint8_t pdu[PDU_REQUEST_LEN];
        peer_fed = NULL;
        pdu_encode_request(pdu, sizeof(pdu), way == 3 ? LAST : FIRST, 2, &request);
        alloc_fail_at(0);
        if (way == 0 || way == 3) {
            assoc_recv(&a, pdu, sizeof(pdu), &need, &event);
            expect_dead(&a, &event, RPC_S_OUT_OF_MEMORY);
        } else if (way == 1) {
            assert_int_equal(assoc_reject(&a, RPC_S_CALL_FAILED, true), RPC_S_OUT_OF_MEMORY);
        } else {
            assert_int_equal(call_fault(&call, RPC_S_CALL_FAILED, true), RPC_S_OUT_OF_MEMORY);
        }
        assert_true(alloc_failed());
        assert_int_equal(a.state, ASSOC_DEAD);
        assert_int_equal(a.status, RPC_S_OUT_OF_MEMORY);
        peer_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_request),
        cmocka_unit_test(a_request_in_fragments),
        cmocka_unit_test(a_request_with_object),
        cmocka_unit_test(a_request_of_a_big_endian_client),
        cmocka_unit_test(b_byte_order_changes_in_the_middle),
        cmocka_unit_test(b_later_fragments_are_not_asked_again),
        cmocka_unit_test(b_flags_without_meaning),
        cmocka_unit_test(b_empty_fragments),
        cmocka_unit_test(b_unknown_context),
        cmocka_unit_test(b_rejected_by_the_runtime),
        cmocka_unit_test(b_too_many_calls),
        cmocka_unit_test(b_stray_fragments),
        cmocka_unit_test(b_fragments_behind_the_last),
        cmocka_unit_test(b_multiplexed_calls),
        cmocka_unit_test(b_call_id_in_use),
        cmocka_unit_test(b_call_id_of_a_finished_call),
        cmocka_unit_test(b_early_fault),
        cmocka_unit_test(b_next_call_in_place_of_a_dead_one),
        cmocka_unit_test(b_call_ends_before_its_request),
        cmocka_unit_test(b_swallowing_has_a_limit),
        cmocka_unit_test(b_co_cancel),
        cmocka_unit_test(b_orphaned),
        cmocka_unit_test(b_orphaned_before_the_manager_runs),
        cmocka_unit_test(b_cancels_with_trailers),
        cmocka_unit_test(b_pending_cancel_on_the_first_fragment),
        cmocka_unit_test(b_trailer_without_security),
        cmocka_unit_test(b_requests_too_short),
        cmocka_unit_test(b_fragment_of_maximal_length),
        cmocka_unit_test(b_long_alter_context),
        cmocka_unit_test(b_wrong_headers),
        cmocka_unit_test(b_length_below_the_header),
        cmocka_unit_test(b_types_no_client_sends),
        cmocka_unit_test(b_auth3_out_of_place),
        cmocka_unit_test(c_commands_after_the_end),
        cmocka_unit_test(c_no_memory_for_a_fault),
    };
    return cmocka_run_group_tests_name("assoc_request", tests, NULL, NULL);
}
