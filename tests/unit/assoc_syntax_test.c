/* SPDX-License-Identifier: MIT */
/* assoc_syntax_test.c - transfer syntaxes and presentation contexts of an association:
 * which element of a list a server of both syntaxes takes (wire.md 4.2), and what a client
 * makes of the answers to its bind and alter_contexts. */
#include "alloc_shim.h"
#include "assoc_peer.h"

#define FIRST PFC_FIRST_FRAG
#define LAST  PFC_LAST_FRAG

static struct assoc a;
static struct call call;


static struct pdu_result yes(const struct pdu_syntax *syntax)
{
    return (struct pdu_result){.result = PDU_RESULT_ACCEPTANCE, .syntax = *syntax};
}

static struct pdu_result no(uint16_t reason)
{
    return (struct pdu_result){.result = PDU_RESULT_PROVIDER_REJECTION, .reason = reason};
}

/* ---- Server --------------------------------------------------------------- */

struct element {
    uint16_t id;
    const struct pdu_syntax *abstract;
    const char *syntaxes; /* n: NDR 2.0, 6: NDR64, ?: unknown, f: features */
    char result;          /* n, 6: accepted so; s, i: no such syntax, interface; f */
};

/* One list per row, for interfaces that may be called in both. */
struct row {
    const char *name;
    uint8_t supported;
    struct element elements[4];
    uint8_t count;
};

#define BOTH ASSOC_SYNTAXES
#define A    &iface_a
#define B    &iface_b
static const struct row rows[] = {
    {"NDR64 is preferred", BOTH, {{0, A, "n", 's'}, {1, A, "6", '6'}}, 2},
    {"in any order", BOTH, {{0, A, "6", '6'}, {1, A, "n", 's'}}, 2},
    {"as Windows asks", BOTH, {{0, A, "n", 's'}, {1, A, "6", '6'}, {2, A, "f", 'f'}}, 3},
    {"NDR 2.0 alone", BOTH, {{0, A, "n", 'n'}}, 1},
    {"NDR64 alone", BOTH, {{0, A, "6", '6'}}, 1},
    {"both in one element", BOTH, {{0, A, "n6", '6'}}, 1},
    {"an element of both, then one of NDR64", BOTH, {{0, A, "n6", '6'}, {1, A, "6", 's'}}, 2},
    {"behind unknown ones", BOTH, {{0, A, "?n?6", '6'}}, 1},
    {"twice NDR64", BOTH, {{0, A, "6", '6'}, {1, A, "6", 's'}}, 2},
    {"one id for both", BOTH, {{0, A, "n", 's'}, {0, A, "6", '6'}}, 2},
    {"each interface by itself",
     BOTH,
     {{0, A, "n", 's'}, {1, B, "n", 'n'}, {2, A, "6", '6'}},
     3},
    {"unknown interface",
     BOTH,
     {{0, &iface_unknown, "n", 'i'}, {1, &iface_unknown, "6", 'i'}, {2, A, "n", 'n'}},
     3},
    {"features of an unknown syntax's element", BOTH, {{0, A, "f6", 'f'}, {1, A, "n", 'n'}}, 2},
    {"a server of NDR 2.0", ASSOC_NDR, {{0, A, "n", 'n'}, {1, A, "6", 's'}}, 2},
    {"asked for NDR64 alone", ASSOC_NDR, {{0, A, "6", 's'}}, 1},
    {"a server of NDR64", ASSOC_NDR64, {{0, A, "n", 's'}, {1, A, "6", '6'}}, 2},
    {"asked for NDR 2.0 alone", ASSOC_NDR64, {{0, A, "n", 's'}}, 1},
};

static struct assoc_event feed_elements(enum pdu_type type, const struct element *elements,
                                        uint8_t count)
{
    struct pdu_syntax lists[4][4];
    struct pdu_offer offers[4];
    for (unsigned i = 0; i < count; i++) {
        const char *c = elements[i].syntaxes;
        for (unsigned k = 0; c[k]; k++)
            lists[i][k] = c[k] == 'n'   ? pdu_syntax_ndr
                          : c[k] == '6' ? pdu_syntax_ndr64
                          : c[k] == 'f' ? pdu_syntax_features(0x03)
                                        : iface_unknown;
        offers[i] = (struct pdu_offer){elements[i].id, *elements[i].abstract, lists[i],
                                       (uint8_t)strlen(c)};
    }
    return feed_offers(&a, type, 0, 7, offers, count);
}

static void check_answer(enum pdu_type type, const struct element *elements, uint8_t count)
{
    struct pdu_bind_ack ack;
    struct pdu_result result;
    size_t len = take(&a);
    struct pdu_header hdr = taken_header(0);
    assert_int_equal(hdr.type, type);
    assert_int_equal(pdu_decode_bind_ack(&hdr, peer_taken, len, &ack), PDU_OK);
    assert_int_equal(ack.result_count, count);
    for (unsigned i = 0; i < count; i++) {
        char wanted = elements[i].result;
        assert_true(pdu_next_result(&ack.results, &result));
        const struct pdu_syntax *syntax = wanted == 'n'   ? &pdu_syntax_ndr
                                          : wanted == '6' ? &pdu_syntax_ndr64
                                                          : &pdu_syntax_none;
        assert_true(pdu_syntax_equal(&result.syntax, syntax));
        assert_int_equal(result.result, wanted == 'n' || wanted == '6' ? PDU_RESULT_ACCEPTANCE
                                        : wanted == 'f' ? PDU_RESULT_NEGOTIATE_ACK
                                                        : PDU_RESULT_PROVIDER_REJECTION);
        assert_int_equal(result.reason, wanted == 's'   ? PDU_REASON_TRANSFER_SYNTAXES
                                        : wanted == 'i' ? PDU_REASON_ABSTRACT_SYNTAX
                                        : wanted == 'f' ? PDU_FEATURE_SECURITY_MULTIPLEX | PDU_FEATURE_KEEP_ON_ORPHAN
                                                        : 0);
    }
}

/* What was accepted is usable and nothing else is. */
static void check_contexts(const struct element *elements, uint8_t count)
{
    uint32_t call_id = 100;
    for (unsigned i = 0; i < count; i++) {
        bool good = elements[i].result == 'n' || elements[i].result == '6', shadowed = false;
        for (unsigned k = 0; k < count; k++) /* another element of this id */
            shadowed |= k != i && elements[k].id == elements[i].id;
        if (!good && shadowed)
            continue;
        struct assoc_event event = feed_request(&a, PFC_WHOLE, call_id++, elements[i].id, 8);
        assert_int_equal(event.kind, good ? ASSOC_EVENT_REQUEST : ASSOC_EVENT_NONE);
        if (!good) {
            expect_fault(&a, call_id - 1, 0, NCA_UNK_IF, true);
            continue;
        }
        assert_int_equal(event.ndr64, elements[i].result == '6');
        assert_int_equal(assoc_reject(&a, RPC_S_SERVER_TOO_BUSY, true), RPC_S_OK);
        take(&a);
    }
}

static void b_a_server_takes_one_element_for_each_interface(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *r = &rows[i];
        print_message("         %s\n", r->name);
        peer_supported = r->supported;
        for (int alter = 0; alter <= 1; alter++) {
            server_init(&a);
            if (alter) { /* after a bind that says nothing */
                const struct element first[] = {{77, &iface_unknown, "n", 'i'}};
                feed_elements(PDU_BIND, first, 1);
                answer(&a);
                take(&a);
            }
            if (alter && strchr("f", r->elements[0].syntaxes[0]))
                goto next; /* features are for binds */
            if (alter && r->count == 3 && r->elements[2].result == 'f')
                goto next;
            assert_int_equal(
                feed_elements(alter ? PDU_ALTER_CONTEXT : PDU_BIND, r->elements, r->count).kind,
                ASSOC_EVENT_BIND);
            assert_int_equal(answer(&a), RPC_S_OK);
            check_answer(alter ? PDU_ALTER_CONTEXT_RESP : PDU_BIND_ACK, r->elements, r->count);
            check_contexts(r->elements, r->count);
        next:
            peer_fini(&a);
        }
    }
}

/* Windows asks for NDR 2.0 beside NDR64 when it needs it (wire.md 3.6), and the other way
 * round works as well. */
static void b_both_syntaxes_on_one_association(void **state)
{
    static const struct element bind[] = {{0, A, "n", 's'}, {1, A, "6", '6'}};
    static const struct element more[] = {{2, A, "n", 'n'}};
    static const struct element again[] = {{2, A, "n", 'n'}, {1, A, "?", 's'}};
    static const struct element list[] = {{1, A, "6", '6'}, {2, A, "n", 's'}};
    (void)state;
    peer_supported = BOTH;
    server_init(&a);
    feed_elements(PDU_BIND, bind, 2);
    answer(&a);
    check_answer(PDU_BIND_ACK, bind, 2);
    feed_elements(PDU_ALTER_CONTEXT, more, 1);
    answer(&a);
    check_answer(PDU_ALTER_CONTEXT_RESP, more, 1);
    feed_elements(PDU_ALTER_CONTEXT, again, 2);
    answer(&a);
    check_answer(PDU_ALTER_CONTEXT_RESP, again, 2);
    feed_elements(PDU_ALTER_CONTEXT, list, 2);
    answer(&a);
    check_answer(PDU_ALTER_CONTEXT_RESP, list, 2);
    assert_true(feed_request(&a, PFC_WHOLE, 20, 1, 8).ndr64);
    assoc_accept(&a, &call);
    assert_true(call.ndr64);
    call_end(&call);
    assert_false(feed_request(&a, PFC_WHOLE, 21, 2, 8).ndr64);
    assoc_accept(&a, &call);
    assert_false(call.ndr64);
    call_end(&call);
    peer_fini(&a);
}

/* A list from which another supported syntax would be chosen now (wire.md 1.12). */
static void b_the_syntax_of_an_id_cannot_change(void **state)
{
    static const struct {
        const char *bound, *asked;
    } clashes[] = {{"n", "6"}, {"n", "n6"}, {"n", "?6n"}, {"6", "n"}, {"6", "?n"}};
    (void)state;
    peer_supported = BOTH;
    for (size_t i = 0; i < COUNT_OF(clashes); i++) {
        const struct element bind = {0, A, clashes[i].bound, 0}, alter = {0, A, clashes[i].asked, 0};
        server_init(&a);
        feed_elements(PDU_BIND, &bind, 1);
        answer(&a);
        take(&a);
        feed_elements(PDU_ALTER_CONTEXT, &alter, 1);
        assert_int_equal(answer(&a), RPC_S_PROTOCOL_ERROR);
        assert_int_equal(a.state, ASSOC_DEAD);
        expect_fault(&a, 7, 0, NCA_PROTO_ERROR, true);
        peer_fini(&a);
    }
}

/* NDR64 is little-endian (MS-RPCE 2.2.5): a call that says otherwise fails, alone. */
static void b_requests_of_the_other_byte_order(void **state)
{
    static const struct element bind = {1, A, "6", '6'};
    (void)state;
    peer_supported = BOTH;
    server_init(&a);
    feed_elements(PDU_BIND, &bind, 1);
    answer(&a);
    take(&a);
    /* The vector's header, context id 1, big-endian. */
    uint8_t request[24 + 8] = {5, 0, 0, FIRST | LAST, 0, 0, 0, 0, 0, sizeof(request), 0, 0, 0, 0, 0,
                               9, 0, 0, 0, 8, 0, 1, 0, 3};
    assert_int_equal(feed(&a, request, sizeof(request)).kind, ASSOC_EVENT_NONE);
    expect_fault(&a, 9, 1, RPC_X_BAD_STUB_DATA, true);
    assert_int_equal(feed_request(&a, PFC_WHOLE, 10, 1, 8).kind, ASSOC_EVENT_REQUEST);
    peer_fini(&a);
}

/* ---- Client --------------------------------------------------------------- */

static void check_offer(enum pdu_type type, const struct pdu_syntax *abstract, uint16_t first_id,
                        const char *syntaxes)
{
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_syntax syntax;
    uint64_t bits;
    size_t len = take(&a);
    struct pdu_header hdr = taken_header(0);
    assert_int_equal(hdr.type, type);
    assert_int_equal(pdu_decode_bind(&hdr, peer_taken, len, &bind), PDU_OK);
    assert_int_equal(bind.context_count, strlen(syntaxes));
    for (unsigned i = 0; syntaxes[i]; i++) {
        assert_true(pdu_next_context(&bind.contexts, &context));
        assert_int_equal(context.id, first_id + i);
        assert_int_equal(context.syntax_count, 1);
        assert_true(pdu_syntax_equal(&context.abstract, abstract));
        assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
        if (syntaxes[i] == 'f')
            assert_true(pdu_syntax_is_features(&syntax, &bits));
        else
            assert_true(pdu_syntax_equal(&syntax,
                                         syntaxes[i] == '6' ? &pdu_syntax_ndr64 : &pdu_syntax_ndr));
    }
}

/* Of the alter_context that has no answer yet. */
static uint32_t offered_id(void)
{
    return a.offered ? a.offered->call_id : 0;
}

static struct assoc_event feed_alter_resp(const struct pdu_result *results, uint8_t count)
{
    const struct pdu_assoc_terms terms = {1, 1, 1}; /* mean nothing here */
    size_t len = pdu_encode_bind_ack(peer_octets, sizeof(peer_octets), PDU_ALTER_CONTEXT_RESP, 0,
                                     offered_id(), &terms, NULL, results, count);
    return feed(&a, peer_octets, len);
}

static void begin_bind(unsigned syntaxes)
{
    assoc_init(&a, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
    assert_int_equal(assoc_bind(&a, &iface_a, syntaxes, 0), RPC_S_OK);
}

static void a_elements_of_a_bind(void **state)
{
    (void)state;
    static const struct {
        unsigned syntaxes;
        const char *elements;
    } offers[] = {{ASSOC_NDR, "nf"}, {ASSOC_NDR64, "6f"}, {ASSOC_SYNTAXES, "n6f"}};
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        begin_bind(offers[i].syntaxes);
        check_offer(PDU_BIND, &iface_a, 0, offers[i].elements);
        peer_fini(&a);
    }
}

/* What was accepted, and what a call gets: its id, or none ('-'). */
static void b_results_of_a_bind(void **state)
{
    (void)state;
    const struct pdu_result s = no(PDU_REASON_TRANSFER_SYNTAXES),
                            i = no(PDU_REASON_ABSTRACT_SYNTAX), n = yes(&pdu_syntax_ndr),
                            n64 = yes(&pdu_syntax_ndr64);
    const struct {
        struct pdu_result results[2];
        uint8_t count;
        RPC_STATUS status;
        int any, ndr, ndr64; /* context id for calls that may use it */
    } answers[] = {
        {{s, n64}, 2, RPC_S_OK, 1, -1, 1},
        {{n, s}, 2, RPC_S_OK, 0, 0, -1},
        {{n, n64}, 2, RPC_S_OK, 1, 0, 1},      /* no Windows does, but it is clear */
        {{n}, 1, RPC_S_OK, 0, 0, -1},          /* the rest is not answered */
        {{n64, n}, 2, RPC_S_UNSUPPORTED_TRANS_SYN, -1, -1, -1}, /* not what was asked there */
        {{s, s}, 2, RPC_S_UNSUPPORTED_TRANS_SYN, -1, -1, -1},
        {{i, i}, 2, RPC_S_UNKNOWN_IF, -1, -1, -1},
        {{s, i}, 2, RPC_S_UNKNOWN_IF, -1, -1, -1},
    };
    for (size_t k = 0; k < COUNT_OF(answers); k++) {
        begin_bind(ASSOC_SYNTAXES);
        take(&a);
        struct assoc_event event = feed_ack(&a, 0, 5840, answers[k].results, answers[k].count);
        assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
        assert_int_equal(event.status, answers[k].status);
        const int wanted[] = {answers[k].any, answers[k].ndr, answers[k].ndr64};
        const unsigned sets[] = {ASSOC_SYNTAXES, ASSOC_NDR, ASSOC_NDR64};
        for (unsigned set = 0; set < 3; set++) {
            const struct assoc_context *context = assoc_context_for(&a, &iface_a, sets[set]);
            assert_int_equal(context ? context->id : -1, wanted[set]);
            if (context)
                assert_int_equal(context->ndr64, wanted[set] == 1);
            assert_null(assoc_context_for(&a, &iface_b, sets[set]));
        }
        peer_fini(&a);
    }
}

/* The features are behind as many results as there were syntaxes. */
static void b_features_behind_two_syntaxes(void **state)
{
    (void)state;
    const struct pdu_result results[] = {no(PDU_REASON_TRANSFER_SYNTAXES), yes(&pdu_syntax_ndr64),
                                         {.result = PDU_RESULT_NEGOTIATE_ACK, .reason = 0xffff}};
    begin_bind(ASSOC_SYNTAXES);
    take(&a);
    feed_ack(&a, 0, 5840, results, 3);
    assert_int_equal(a.features, PDU_FEATURE_KEEP_ON_ORPHAN);
    peer_fini(&a);
}

static void open_both(void)
{
    const struct pdu_result results[] = {no(PDU_REASON_TRANSFER_SYNTAXES), yes(&pdu_syntax_ndr64)};
    begin_bind(ASSOC_SYNTAXES);
    take(&a);
    feed_ack(&a, 0, 5840, results, 2);
}

static void b_alter_context(void **state)
{
    (void)state;
    const struct pdu_result ndr = yes(&pdu_syntax_ndr),
                            reject = no(PDU_REASON_ABSTRACT_SYNTAX);
    open_both();
    assert_int_equal(assoc_alter(&a, &iface_a, ASSOC_NDR), RPC_S_OK);
    check_offer(PDU_ALTER_CONTEXT, &iface_a, 3, "n");
    assert_int_equal(a.state, ASSOC_OPEN);
    struct assoc_event event = feed_alter_resp(&ndr, 1);
    assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
    assert_int_equal(event.status, RPC_S_OK);
    assert_int_equal(a.frag_send, 5840);
    assert_int_equal(a.group_id, GROUP);

    assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_SYNTAXES), RPC_S_OK);
    check_offer(PDU_ALTER_CONTEXT, &iface_b, 4, "n6");
    const struct pdu_result none[] = {reject, reject};
    event = feed_alter_resp(none, 2);
    assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
    assert_int_equal(event.status, RPC_S_UNKNOWN_IF);
    assert_null(assoc_context_for(&a, &iface_b, ASSOC_SYNTAXES));

    /* What was there is there. */
    const struct assoc_context *context = assoc_context_for(&a, &iface_a, ASSOC_SYNTAXES);
    assert_int_equal(context->id, 1);
    call_start(&call, &a, context->id, 3, NULL);
    assert_true(call.ndr64);
    send_stub(&call, 8, true);
    take(&a);
    assert_int_equal(peer_taken[20], 1); /* the context id on the wire */
    call_end(&call);
    context = assoc_context_for(&a, &iface_a, ASSOC_NDR);
    assert_int_equal(context->id, 3);
    call_start(&call, &a, context->id, 3, NULL);
    assert_false(call.ndr64);
    call_end(&call);
    peer_fini(&a);
}

/* Nobody asked; answered twice; answered by a fault; by nothing in it. */
static void b_bad_answers_to_alter_context(void **state)
{
    (void)state;
    const struct pdu_result ndr = yes(&pdu_syntax_ndr);
    for (int row = 0; row < 4; row++) {
        open_both();
        struct assoc_event event;
        if (row > 0)
            assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_NDR), RPC_S_OK);
        take(&a);
        if (row == 3)
            event = feed_fault(&a, 0, offered_id(), NCA_PROTO_ERROR);
        else
            event = feed_alter_resp(&ndr, row != 2);
        if (row == 1) {
            assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
            event = feed_alter_resp(&ndr, 1);
        }
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        peer_fini(&a);
    }
    /* An ack is no answer to it, nor the other way round. */
    open_both();
    assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_NDR), RPC_S_OK);
    take(&a);
    struct assoc_event event = feed_ack(&a, 0, 5840, &ndr, 1);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    peer_fini(&a);
    begin_bind(ASSOC_NDR);
    take(&a);
    event = feed_alter_resp(&ndr, 1);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    peer_fini(&a);
}

/* Peers answer with the low octet of a context id: there are 256. */
static void b_ids_run_out(void **state)
{
    (void)state;
    const struct pdu_result reject = no(PDU_REASON_ABSTRACT_SYNTAX);
    open_both();
    unsigned alters = 0;
    while (assoc_can_alter(&a)) {
        assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_NDR), RPC_S_OK);
        take(&a);
        feed_alter_resp(&reject, 1);
        alters++;
    }
    assert_in_range(alters, 250, 253);
    assert_true(a.next_context_id <= 256);
    assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_NDR), RPC_S_OUT_OF_RESOURCES);
    expect_silence(&a);
    peer_fini(&a);
}

static void b_responses_of_the_other_byte_order(void **state)
{
    (void)state;
    open_both();
    call_start(&call, &a, 1, 3, NULL);
    send_stub(&call, 8, true);
    take(&a);
    const uint8_t response[] = {5, 0, 2, FIRST | LAST, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0,
                                (uint8_t)call.id, 0, 0, 0, 0, 0, 1, 0, 0};
    struct assoc_event event = feed(&a, response, sizeof(response));
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    call_end(&call);
    peer_fini(&a);
}

/* The n-th allocation fails: in a bind, an answer, an alter_context. */
static void c_no_memory(void **state)
{
    (void)state;
    const struct pdu_result results[] = {no(PDU_REASON_TRANSFER_SYNTAXES), yes(&pdu_syntax_ndr64)};
    const struct pdu_result ndr = yes(&pdu_syntax_ndr);
    bool failed = true;
    for (long n = 0; failed; n++) {
        assert_true(n < 100);
        assoc_init(&a, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
        failed = false;
        alloc_fail_at(n);
        RPC_STATUS status = assoc_bind(&a, &iface_a, ASSOC_SYNTAXES, 0);
        alloc_fail_at(-1);
        if (status != RPC_S_OK) {
            assert_int_equal(status, RPC_S_OUT_OF_MEMORY);
            failed = true;
            peer_fini(&a);
            continue;
        }
        take(&a);
        peer_fini(&a);
    }
    for (int step = 0; step < 2; step++) {
        begin_bind(ASSOC_SYNTAXES);
        take(&a);
        size_t len = pdu_encode_bind_ack(peer_octets, sizeof(peer_octets), PDU_BIND_ACK, 0, 1,
                                         &default_terms, SECONDARY, results, 2);
        struct assoc_event event;
        size_t need;
        if (step == 1) {
            feed_ack(&a, 0, 5840, results, 2);
            assert_int_equal(assoc_alter(&a, &iface_b, ASSOC_NDR), RPC_S_OK);
            take(&a);
            len = pdu_encode_bind_ack(peer_octets, sizeof(peer_octets), PDU_ALTER_CONTEXT_RESP, 0,
                                      2, &default_terms, NULL, &ndr, 1);
        }
        alloc_fail_at(0);
        assoc_recv(&a, peer_octets, len, &need, &event);
        alloc_fail_at(-1);
        if (step == 1) {
            expect_dead(&a, &event, RPC_S_OUT_OF_MEMORY);
        } else { /* an association has room for the first context */
            assert_int_equal(event.kind, ASSOC_EVENT_BOUND);
            assert_int_equal(event.status, RPC_S_OK);
        }
        peer_fini(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_elements_of_a_bind),
        cmocka_unit_test(b_a_server_takes_one_element_for_each_interface),
        cmocka_unit_test(b_both_syntaxes_on_one_association),
        cmocka_unit_test(b_the_syntax_of_an_id_cannot_change),
        cmocka_unit_test(b_requests_of_the_other_byte_order),
        cmocka_unit_test(b_results_of_a_bind),
        cmocka_unit_test(b_features_behind_two_syntaxes),
        cmocka_unit_test(b_alter_context),
        cmocka_unit_test(b_bad_answers_to_alter_context),
        cmocka_unit_test(b_ids_run_out),
        cmocka_unit_test(b_responses_of_the_other_byte_order),
        cmocka_unit_test(c_no_memory),
    };
    return cmocka_run_group_tests_name("assoc_syntax", tests, NULL, NULL);
}
