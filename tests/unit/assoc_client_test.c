/* SPDX-License-Identifier: MIT */
/* assoc_client_test.c - a client and what a server may send it: answers to the bind,
 * responses, faults, and everything that ends the association (wire.md 1.6, 1.7,
 * 1.9, 5.1, 5.2, 5.4, 5.7). */
#include "alloc_shim.h"
#include "assoc_peer.h"

#define FIRST PFC_FIRST_FRAG
#define LAST  PFC_LAST_FRAG

static struct assoc a;
static struct call call, other;

static void begin_bind(void)
{
    assoc_init(&a, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
    assert_int_equal(assoc_bind(&a, &iface_a, ASSOC_NDR, 0), RPC_S_OK);
    take(&a);
}

/* An open association on which `call` is in `state`; nothing is queued. */
static void open_with_call(enum call_state state)
{
    client_open(&a, 5840);
    call_start(&call, &a, 0, 3, NULL);
    if (state >= CALL_REQUEST)
        assert_int_equal(send_stub(&call, 8, state > CALL_REQUEST), RPC_S_OK);
    take(&a);
    if (state >= CALL_RESPONSE)
        feed_response(&a, state == CALL_DONE ? FIRST | LAST : FIRST, call.id, 8);
    assert_int_equal(call.state, state);
}

static void expect_protocol_error(const struct assoc_event *event)
{
    expect_dead(&a, event, RPC_S_PROTOCOL_ERROR);
    expect_silence(&a); /* a client has no answer to that */
    peer_fini(&a);
}

/* ---- Binding -------------------------------------------------------------- */

static void a_bind(void **state)
{
    (void)state;
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_syntax syntax;
    uint64_t bits;
    assoc_init(&a, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
    assert_int_equal(assoc_bind(&a, &iface_a, ASSOC_NDR, GROUP), RPC_S_OK);
    assert_int_equal(a.state, ASSOC_BINDING);
    size_t len = take(&a);
    struct pdu_header hdr = taken_header(0);
    assert_int_equal(hdr.type, PDU_BIND);
    assert_int_equal(hdr.flags, PFC_WHOLE | PFC_CONC_MPX);
    assert_int_equal(hdr.frag_len, len);
    assert_int_equal(pdu_decode_bind(&hdr, peer_taken, len, &bind), PDU_OK);
    assert_int_equal(bind.terms.max_xmit_frag, 5840);
    assert_int_equal(bind.terms.max_recv_frag, 5840);
    assert_int_equal(bind.terms.group_id, GROUP);
    assert_int_equal(bind.context_count, 2);
    assert_true(pdu_next_context(&bind.contexts, &context));
    assert_int_equal(context.id, 0);
    assert_true(pdu_syntax_equal(&context.abstract, &iface_a));
    assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(pdu_syntax_equal(&syntax, &pdu_syntax_ndr));
    assert_true(pdu_next_context(&bind.contexts, &context));
    assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(pdu_syntax_is_features(&syntax, &bits));
    assert_true(bits & PDU_FEATURE_KEEP_ON_ORPHAN);
    peer_fini(&a);
}

static void a_bind_ack_of_the_vector(void **state)
{
    (void)state;
    struct vector v = vector_load("a2_bind_ack");
    begin_bind();
    struct assoc_event event = feed(&a, v.octets, v.len);
    assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
    assert_int_equal(event.status, RPC_S_OK);
    assert_int_equal(a.state, ASSOC_OPEN);
    assert_int_equal(a.group_id, 0x12345);
    assert_int_equal(a.frag_send, 5840);
    assert_int_equal(a.features, 0); /* its second result answers something else */
    assert_false(a.multiplex);
    peer_fini(&a);
}

static void a_bind_ack_of_a_big_endian_server(void **state)
{
    (void)state;
    struct vector v = vector_load("e2_bind_ack_big");
    begin_bind();
    struct assoc_event event = feed(&a, v.octets, v.len);
    assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
    assert_int_equal(event.status, RPC_S_UNKNOWN_IF);
    assert_int_equal(a.state, ASSOC_OPEN); /* an alter_context could follow */
    peer_fini(&a);
}

static void b_results(void **state)
{
    (void)state;
    struct pdu_result ndr64 = accepted;
    ndr64.syntax = pdu_syntax_ndr64; /* accepted, but nobody asked for it */
    const struct {
        struct pdu_result result;
        RPC_STATUS status;
    } rows[] = {
        {accepted, RPC_S_OK},
        {ndr64, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = PDU_RESULT_USER_REJECTION}, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = PDU_RESULT_PROVIDER_REJECTION, .reason = 0}, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = PDU_RESULT_PROVIDER_REJECTION, .reason = 1}, RPC_S_UNKNOWN_IF},
        {{.result = PDU_RESULT_PROVIDER_REJECTION, .reason = 2}, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = PDU_RESULT_PROVIDER_REJECTION, .reason = 3}, RPC_S_SERVER_TOO_BUSY},
        {{.result = PDU_RESULT_PROVIDER_REJECTION, .reason = 99}, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = PDU_RESULT_NEGOTIATE_ACK}, RPC_S_UNSUPPORTED_TRANS_SYN},
        {{.result = 99}, RPC_S_UNSUPPORTED_TRANS_SYN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin_bind();
        struct assoc_event event = feed_ack(&a, 0, 5840, &rows[i].result, 1);
        assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
        assert_int_equal(event.status, rows[i].status);
        peer_fini(&a);
    }
    begin_bind();
    struct assoc_event event = feed_ack(&a, 0, 5840, NULL, 0);
    expect_protocol_error(&event);
}

/* Only what was offered comes out, whatever the server claims. */
static void b_features(void **state)
{
    (void)state;
    const struct {
        uint16_t result, reason, features;
    } rows[] = {{PDU_RESULT_NEGOTIATE_ACK, 0xffff, PDU_FEATURE_KEEP_ON_ORPHAN},
                {PDU_RESULT_NEGOTIATE_ACK, 0, 0},
                {PDU_RESULT_PROVIDER_REJECTION, 2, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct pdu_result results[] = {accepted,
                                             {.result = rows[i].result, .reason = rows[i].reason}};
        begin_bind();
        feed_ack(&a, PFC_CONC_MPX, 5840, results, 2);
        assert_int_equal(a.features, rows[i].features);
        assert_true(a.multiplex);
        peer_fini(&a);
    }
}

/* Never above our own limit or the peer's, never below what all must take, and a
 * multiple of 8 (wire.md 1.9). */
static void b_fragment_sizes(void **state)
{
    (void)state;
    static const uint16_t rows[][2] = {{5840, 5840}, {0xffff, 5840}, {5839, 5832}, {4280, 4280},
                                       {1432, 1432}, {1431, 1432},   {0, 1432},    {24, 1432}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        client_open(&a, rows[i][0]);
        assert_int_equal(a.frag_send, rows[i][1]);
        peer_fini(&a);
    }
}

static void b_bind_nak(void **state)
{
    (void)state;
    const struct {
        uint16_t reason;
        RPC_STATUS status;
    } rows[] = {{0, RPC_S_CALL_FAILED_DNE},  {1, RPC_S_SERVER_TOO_BUSY},
                {2, RPC_S_OUT_OF_RESOURCES}, {3, RPC_S_CALL_FAILED_DNE},
                {4, RPC_S_PROTOCOL_ERROR},   {8, RPC_S_UNKNOWN_AUTHN_SERVICE},
                {9, RPC_S_ACCESS_DENIED},    {0xffff, RPC_S_CALL_FAILED_DNE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        begin_bind();
        pdu_encode_bind_nak(peer_octets, sizeof(peer_octets), 1, rows[i].reason);
        struct assoc_event event = feed(&a, peer_octets, PDU_BIND_NAK_LEN);
        expect_dead(&a, &event, rows[i].status);
        peer_fini(&a);
    }
}

/* A fault in place of an ack: no ack will come, so waiting for it would be for ever
 * (wire.md 1.7). */
static void b_fault_in_place_of_the_ack(void **state)
{
    (void)state;
    begin_bind();
    struct assoc_event event = feed_fault(&a, PFC_DID_NOT_EXECUTE, 1, NCA_SERVER_TOO_BUSY);
    expect_dead(&a, &event, RPC_S_SERVER_TOO_BUSY);
    peer_fini(&a);
}

static void b_response_before_the_ack(void **state)
{
    (void)state;
    begin_bind();
    struct assoc_event event = feed_response(&a, FIRST | LAST, 1, 8);
    expect_protocol_error(&event);
}

static void b_second_ack(void **state)
{
    (void)state;
    client_open(&a, 5840);
    struct assoc_event event = feed_ack(&a, 0, 5840, &accepted, 1);
    expect_protocol_error(&event);
}

/* ---- Responses ------------------------------------------------------------ */

static void a_whole_response(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    struct assoc_event event = feed_response(&a, FIRST | LAST, call.id, 13);
    assert_int_equal(event.kind, ASSOC_EVENT_RESPONSE);
    assert_ptr_equal(event.call, &call);
    assert_true(event.last);
    assert_int_equal(event.stub_len, 13);
    assert_memory_equal(event.stub, peer_octets + PDU_RESPONSE_LEN, 13);
    assert_int_equal(call.state, CALL_DONE);
    call_end(&call);
    peer_fini(&a);
}

static void a_response_in_fragments(void **state)
{
    (void)state;
    static const size_t lens[] = {16, 5816, 0, 1}; /* also of 0 octets */
    open_with_call(CALL_WORKING);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        uint8_t flags = (uint8_t)((i == 0 ? FIRST : 0) | (i == 3 ? LAST : 0));
        struct assoc_event event = feed_response(&a, flags, call.id, lens[i]);
        assert_int_equal(event.kind, ASSOC_EVENT_RESPONSE);
        assert_int_equal(event.stub_len, lens[i]);
        assert_int_equal(event.last, i == 3);
    }
    assert_int_equal(call.rx_stub, 5833);
    peer_fini(&a);
}

/* The vectors speak of call 33. */
static void a_answers_of_a_big_endian_server(void **state)
{
    (void)state;
    struct vector response = vector_load("e4_response_big"), fault = vector_load("e5_fault_big");
    client_open(&a, 5840);
    a.next_call_id = 33;
    call_start(&call, &a, 0, 3, NULL);
    send_stub(&call, 8, true);
    response.octets[3] = FIRST;
    assert_int_equal(feed(&a, response.octets, response.len).kind, ASSOC_EVENT_RESPONSE);
    assert_false(call.little_endian);
    response.octets[3] = 0;
    struct assoc_event event = feed(&a, response.octets, response.len);
    assert_int_equal(event.stub_len, 4);
    event = feed(&a, fault.octets, fault.len);
    assert_int_equal(event.kind, ASSOC_EVENT_FAULT);
    assert_int_equal(event.status, RPC_S_UNKNOWN_IF);
    peer_fini(&a);
}

/* Responses of several calls may alternate (wire.md 5.6). */
static void b_interleaved_responses(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    call_start(&other, &a, 0, 4, NULL);
    send_stub(&other, 8, true);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t flags = (uint8_t)((i == 0 ? FIRST : 0) | (i == 2 ? LAST : 0));
        assert_ptr_equal(feed_response(&a, flags, call.id, 8).call, &call);
        assert_ptr_equal(feed_response(&a, flags, other.id, 8).call, &other);
    }
    assert_int_equal(call.state, CALL_DONE);
    assert_int_equal(other.state, CALL_DONE);
    peer_fini(&a);
}

/* Of calls we gave up: dropped, at any number, with the association unharmed. */
static void b_answers_to_unknown_calls(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    uint32_t gone = call.id;
    assert_int_equal(call_orphan(&call), RPC_S_OK);
    assert_int_equal(take(&a), PDU_HEADER_LEN);
    assert_int_equal(taken_header(0).type, PDU_ORPHANED);
    assert_int_equal(taken_header(0).call_id, gone);
    call_end(&call);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(feed_response(&a, i == 0 ? FIRST : 0, gone, i % 9).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_fault(&a, 0, gone, 5).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_fault(&a, 0, 0xabcdef, 5).kind, ASSOC_EVENT_NONE);
    call_start(&call, &a, 0, 3, NULL);
    send_stub(&call, 8, true);
    assert_int_equal(feed_response(&a, FIRST | LAST, call.id, 8).kind, ASSOC_EVENT_RESPONSE);
    peer_fini(&a);
}

/* Wine's server has one id for all it says: it means the only call there can be.  A peer that
 * multiplexes, or that keeps connections on orphaned, means by an id the call of that id. */
static void b_answers_with_the_id_of_wine(void **state)
{
    (void)state;
    for (int way = 0; way < 6; way++) {
        client_open(&a, 5840);
        a.multiplex = way == 2;
        a.features = way == 3 ? PDU_FEATURE_KEEP_ON_ORPHAN : 0;
        call_start(&call, &a, 0, 3, NULL);
        assert_true(call.id > 1);
        send_stub(&call, 8, true);
        if (way == 0 || way == 4) { /* in two fragments */
            struct assoc_event event = feed_response(&a, FIRST, 1, 8);
            assert_int_equal(event.kind, ASSOC_EVENT_RESPONSE);
            assert_ptr_equal(event.call, &call);
        }
        if (way == 0)
            assert_int_equal(feed_response(&a, LAST, 1, 8).kind, ASSOC_EVENT_RESPONSE);
        else if (way == 1 || way == 4)
            assert_int_equal(feed_fault(&a, 0, 1, 5).kind, ASSOC_EVENT_FAULT);
        else if (way == 5) /* another id is nobody's */
            assert_int_equal(feed_response(&a, FIRST | LAST, 77, 8).kind, ASSOC_EVENT_NONE);
        else
            assert_int_equal(feed_response(&a, FIRST | LAST, 1, 8).kind, ASSOC_EVENT_NONE);
        assert_int_equal(call.state, way == 0 || way == 1 || way == 4 ? CALL_DONE : CALL_WORKING);
        if (way < 2) { /* nobody waits for it any more */
            call_end(&call);
            assert_int_equal(feed_response(&a, FIRST | LAST, 1, 8).kind, ASSOC_EVENT_NONE);
        }
        peer_fini(&a);
    }
}

/* A response, of every kind, to a call in every state: only two are right. */
static void b_responses_in_every_state(void **state)
{
    (void)state;
    for (enum call_state s = CALL_REQUEST; s <= CALL_DONE; s++) {
        for (unsigned flags = 0; flags < 4; flags++) {
            open_with_call(s);
            struct assoc_event event = feed_response(&a, (uint8_t)flags, call.id, 8);
            bool right =
                (s == CALL_WORKING && flags & FIRST) || (s == CALL_RESPONSE && !(flags & FIRST));
            if (!right) { /* before the end of the request, twice begun, after the last */
                expect_protocol_error(&event);
                continue;
            }
            assert_int_equal(event.kind, ASSOC_EVENT_RESPONSE);
            peer_fini(&a);
        }
    }
}

static void b_byte_order_changes_in_the_middle(void **state)
{
    (void)state;
    struct vector v = vector_load("e4_response_big");
    client_open(&a, 5840);
    a.next_call_id = 33;
    call_start(&call, &a, 0, 3, NULL);
    send_stub(&call, 8, true);
    take(&a);
    feed_response(&a, FIRST, call.id, 8);
    struct assoc_event event = feed(&a, v.octets, v.len);
    expect_protocol_error(&event);
}

static void b_flood_of_empty_fragments(void **state)
{
    (void)state;
    open_with_call(CALL_RESPONSE);
    for (unsigned i = 0; i < LIMIT_EMPTY_FRAGS; i++)
        assert_int_equal(feed_response(&a, 0, call.id, 0).kind, ASSOC_EVENT_RESPONSE);
    struct assoc_event event = feed_response(&a, 0, call.id, 0);
    expect_protocol_error(&event);
}

/* Longer than anything we asked for, yet taken: peers lift small offers. */
static void b_longest_response(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    struct assoc_event event =
        feed_response(&a, FIRST | LAST, call.id, PDU_LEN_MAX - PDU_RESPONSE_LEN);
    assert_int_equal(event.kind, ASSOC_EVENT_RESPONSE);
    assert_int_equal(event.stub_len, PDU_LEN_MAX - PDU_RESPONSE_LEN);
    peer_fini(&a);
}

/* ---- Faults --------------------------------------------------------------- */

/* A fault may come at any time after the first fragment, and ends the call: what was
 * not sent yet stays unsent (wire.md 5.2, 5.4). */
static void b_faults_in_every_state(void **state)
{
    (void)state;
    for (enum call_state s = CALL_REQUEST; s <= CALL_DONE; s++) {
        open_with_call(s);
        struct assoc_event event = feed_fault(&a, 0, call.id, NCA_FAULT_PIPE_EMPTY);
        if (s == CALL_DONE) {
            assert_int_equal(event.kind, ASSOC_EVENT_NONE);
        } else {
            assert_int_equal(event.kind, ASSOC_EVENT_FAULT);
            assert_ptr_equal(event.call, &call);
            assert_int_equal(event.status, RPC_X_PIPE_EMPTY);
        }
        assert_int_equal(call.state, CALL_DONE);
        assert_int_equal(call_cancel(&call), RPC_S_OK); /* says nothing */
        assert_int_equal(call_orphan(&call), RPC_S_OK);
        expect_silence(&a);
        assert_int_equal(feed_fault(&a, 0, call.id, 5).kind, ASSOC_EVENT_NONE);
        peer_fini(&a);
    }
}

/* What must never travel is not handed on (wire.md 5.7). */
static void b_forbidden_fault_statuses(void **state)
{
    (void)state;
    static const uint32_t forbidden[] = {0, 0x80000001, 0xc0000005, 0xc0000409};
    for (size_t i = 0; i < COUNT_OF(forbidden); i++) {
        open_with_call(CALL_WORKING);
        assert_int_equal(feed_fault(&a, 0, call.id, forbidden[i]).status, RPC_S_PROTOCOL_ERROR);
        peer_fini(&a);
    }
    open_with_call(CALL_WORKING); /* of an application: unchanged */
    assert_int_equal(feed_fault(&a, 0, call.id, 0xdeadbeef).status, (RPC_STATUS)0xdeadbeef);
    peer_fini(&a);
}

/* ---- Cancels -------------------------------------------------------------- */

/* Nothing before the first fragment: a server would take it for an error (5.5). */
static void b_cancel_and_orphan(void **state)
{
    (void)state;
    client_open(&a, 5840);
    call_start(&call, &a, 0, 3, NULL);
    assert_int_equal(call_cancel(&call), RPC_S_OK);
    assert_int_equal(call_orphan(&call), RPC_S_OK);
    expect_silence(&a);
    assert_int_equal(call.cancel_count, 0);
    send_stub(&call, 8, false);
    take(&a);
    for (unsigned i = 1; i <= 300; i++) {
        assert_int_equal(call_cancel(&call), RPC_S_OK);
        assert_int_equal(take(&a), PDU_HEADER_LEN);
        assert_int_equal(taken_header(0).type, PDU_CO_CANCEL);
        assert_int_equal(taken_header(0).call_id, call.id);
        assert_int_equal(call.cancel_count, i < 255 ? i : 255);
    }
    peer_fini(&a);
}

/* ---- Wrong in themselves -------------------------------------------------- */

/* A callback that was on its way when the client gave its call up is swallowed, all of
 * its fragments, and calls go on; one for a call that is over otherwise is an error. */
static void b_callback_crosses_the_orphaned(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    assert_int_equal(call_orphan(&call), RPC_S_OK);
    take(&a);
    uint32_t id = call.id;
    call_end(&call);
    assert_int_equal(feed_request(&a, FIRST, id, 0, 8).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_request(&a, 0, id, 0, 8).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_request(&a, LAST, id, 0, 8).kind, ASSOC_EVENT_NONE);
    assert_int_equal(feed_request(&a, FIRST | LAST, id, 0, 8).kind, ASSOC_EVENT_NONE);
    expect_silence(&a);

    call_start(&other, &a, 0, 3, NULL);
    assert_int_equal(send_stub(&other, 8, true), RPC_S_OK);
    take(&a);
    assert_int_equal(feed_response(&a, FIRST | LAST, other.id, 8).kind, ASSOC_EVENT_RESPONSE);
    call_end(&other);
    struct assoc_event event = feed_request(&a, FIRST | LAST, other.id, 0, 8);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    peer_fini(&a);
}

static void b_shutdown(void **state)
{
    (void)state;
    open_with_call(CALL_WORKING);
    assert_int_equal(feed_empty(&a, PDU_SHUTDOWN, 0).kind, ASSOC_EVENT_NONE);
    assert_int_equal(a.state, ASSOC_DRAINING);
    assert_int_equal(feed_empty(&a, PDU_SHUTDOWN, 0).kind, ASSOC_EVENT_NONE);
    /* Calls in progress finish. */
    assert_int_equal(feed_response(&a, FIRST | LAST, call.id, 8).kind, ASSOC_EVENT_RESPONSE);
    peer_fini(&a);
}

static void b_types_no_server_sends(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == PDU_SHUTDOWN)
            continue;
        open_with_call(CALL_WORKING);
        pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_CO_CANCEL, call.id);
        peer_octets[2] = (uint8_t)type; /* the right ones are too short */
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_protocol_error(&event);
    }
}

static void b_wrong_headers(void **state)
{
    (void)state;
    static const uint8_t rows[][2] = {{0, 4}, {1, 2}, {4, 0x11}, {4, 0x20}, {5, 1}, {8, 15}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        open_with_call(CALL_WORKING);
        pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_SHUTDOWN, 0);
        peer_octets[rows[i][0]] = rows[i][1];
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_protocol_error(&event);
    }
}

/* ---- Commands ------------------------------------------------------------- */

static void c_call_ids(void **state)
{
    (void)state;
    client_open(&a, 5840);
    assert_int_equal(a.next_call_id, 2); /* the bind had 1 */
    call_start(&call, &a, 0, 3, NULL);
    assert_int_equal(call.id, 2);
    call_end(&call);
    a.next_call_id = 0x7fffffff; /* Windows takes none above */
    call_start(&call, &a, 0, 3, NULL);
    call_start(&other, &a, 0, 3, NULL);
    assert_int_equal(call.id, 0x7fffffff);
    assert_int_equal(other.id, 2);
    assert_int_equal(a.call_count, 2);
    peer_fini(&a);
}

static void c_commands_after_the_end(void **state)
{
    (void)state;
    open_with_call(CALL_REQUEST);
    assoc_fail(&a, RPC_S_CALL_FAILED);
    assert_int_equal(send_stub(&call, 8, true), RPC_S_CALL_FAILED);
    assert_int_equal(call_cancel(&call), RPC_S_CALL_FAILED);
    assert_int_equal(call_orphan(&call), RPC_S_CALL_FAILED);
    assert_int_equal(assoc_bind(&a, &iface_a, ASSOC_NDR, 0), RPC_S_CALL_FAILED);
    expect_silence(&a);
    call_end(&call);
    peer_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bind),
        cmocka_unit_test(a_bind_ack_of_the_vector),
        cmocka_unit_test(a_bind_ack_of_a_big_endian_server),
        cmocka_unit_test(a_whole_response),
        cmocka_unit_test(a_response_in_fragments),
        cmocka_unit_test(a_answers_of_a_big_endian_server),
        cmocka_unit_test(b_results),
        cmocka_unit_test(b_features),
        cmocka_unit_test(b_fragment_sizes),
        cmocka_unit_test(b_bind_nak),
        cmocka_unit_test(b_fault_in_place_of_the_ack),
        cmocka_unit_test(b_response_before_the_ack),
        cmocka_unit_test(b_second_ack),
        cmocka_unit_test(b_interleaved_responses),
        cmocka_unit_test(b_answers_to_unknown_calls),
        cmocka_unit_test(b_answers_with_the_id_of_wine),
        cmocka_unit_test(b_responses_in_every_state),
        cmocka_unit_test(b_byte_order_changes_in_the_middle),
        cmocka_unit_test(b_flood_of_empty_fragments),
        cmocka_unit_test(b_longest_response),
        cmocka_unit_test(b_faults_in_every_state),
        cmocka_unit_test(b_forbidden_fault_statuses),
        cmocka_unit_test(b_cancel_and_orphan),
        cmocka_unit_test(b_callback_crosses_the_orphaned),
        cmocka_unit_test(b_shutdown),
        cmocka_unit_test(b_types_no_server_sends),
        cmocka_unit_test(b_wrong_headers),
        cmocka_unit_test(c_call_ids),
        cmocka_unit_test(c_commands_after_the_end),
    };
    return cmocka_run_group_tests_name("assoc_client", tests, NULL, NULL);
}
