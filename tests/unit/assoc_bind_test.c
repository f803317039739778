/* SPDX-License-Identifier: MIT */
/* assoc_bind_test.c - a server's answers to bind and alter_context: what is accepted,
 * rejected element by element, refused as a whole (wire.md 1.4, 1.5, 1.9, 1.12, 4.2). */
#include "alloc_shim.h"
#include "assoc_peer.h"

#define RESULTS_MAX 255u

static struct assoc a;

struct ack {
    struct pdu_header hdr;
    struct pdu_bind_ack body;
    struct pdu_result results[RESULTS_MAX];
};

static struct ack take_ack(struct assoc *assoc, enum pdu_type type)
{
    struct ack ack;
    size_t len = take(assoc);
    ack.hdr = taken_header(0);
    assert_int_equal(ack.hdr.type, type);
    assert_int_equal(ack.hdr.frag_len, len);
    assert_int_equal(pdu_decode_bind_ack(&ack.hdr, peer_taken, len, &ack.body), PDU_OK);
    struct pdu_result_list list = ack.body.results;
    assert_true(ack.body.result_count <= RESULTS_MAX);
    for (unsigned i = 0; i < ack.body.result_count; i++)
        assert_true(pdu_next_result(&list, &ack.results[i]));
    return ack;
}

static void check_result(const struct pdu_result *result, uint16_t code, uint16_t reason)
{
    assert_int_equal(result->result, code);
    assert_int_equal(result->reason, reason);
    /* Only an acceptance names a syntax (wire.md 1.6). */
    assert_true(pdu_syntax_equal(
        &result->syntax, code == PDU_RESULT_ACCEPTANCE ? &pdu_syntax_ndr : &pdu_syntax_none));
}

#define ACCEPT         PDU_RESULT_ACCEPTANCE, 0
#define NO_IFACE       PDU_RESULT_PROVIDER_REJECTION, PDU_REASON_ABSTRACT_SYNTAX
#define NO_SYNTAX      PDU_RESULT_PROVIDER_REJECTION, PDU_REASON_TRANSFER_SYNTAXES
#define NO_ROOM        PDU_RESULT_PROVIDER_REJECTION, PDU_REASON_LOCAL_LIMIT
#define FEATURES(bits) PDU_RESULT_NEGOTIATE_ACK, bits

/* ---- Element by element --------------------------------------------------- */

static void a_bind_of_the_vector_is_answered_like_the_vector(void **state)
{
    (void)state;
    struct vector bind = vector_load("a1_bind"), expected = vector_load("a2_bind_ack");
    server_init(&a);
    struct assoc_event event = feed(&a, bind.octets, bind.len);
    assert_int_equal(event.kind, ASSOC_EVENT_BIND);
    assert_int_equal(a.bind->offer_count, 3);
    assert_false(a.bind->alter);
    assert_int_equal(answer(&a), RPC_S_OK);
    assert_int_equal(a.state, ASSOC_OPEN);

    assert_int_equal(take(&a), expected.len);
    assert_memory_equal(peer_taken, expected.octets, expected.len);
    assert_int_equal(a.features, PDU_FEATURE_SECURITY_MULTIPLEX | PDU_FEATURE_KEEP_ON_ORPHAN);
    assert_int_equal(a.frag_send, 5840);
    peer_fini(&a);
}

static void a_bind_of_a_big_endian_client(void **state)
{
    (void)state;
    struct vector bind = vector_load("e1_bind_big");
    server_init(&a);
    assert_int_equal(feed(&a, bind.octets, bind.len).kind, ASSOC_EVENT_BIND);
    assert_int_equal(a.bind->terms.group_id, GROUP);
    assert_int_equal(a.bind->offers[0].id, 3);
    assert_int_equal(a.bind->offers[0].abstract.major, 1);
    assert_int_equal(a.bind->offers[0].abstract.minor, 2);
    assert_int_equal(a.bind->offers[0].syntaxes, ASSOC_NDR);
    a.bind->offers[0].supported = ASSOC_NDR;
    a.bind->offers[0].iface = &object_a; /* 1.2 for a client of 1.2 */
    assert_int_equal(assoc_answer_bind(&a, GROUP), RPC_S_OK);
    struct ack ack = take_ack(&a, PDU_BIND_ACK);
    check_result(&ack.results[0], ACCEPT);
    peer_fini(&a);
}

/* One bind per row: up to four elements and what each is answered. */
struct element {
    uint16_t id;
    const struct pdu_syntax *abstract;
    unsigned syntaxes; /* index into syntax_lists */
    uint16_t result, reason;
};

enum {
    NDR,
    NDR64,
    BOTH,
    STRANGE_THEN_NDR,
    FEATURES_ALL,
    FEATURES_NONE,
    FEATURES_THEN_NDR,
    NDR_THEN_FEATURES,
    SYNTAX_LISTS
};

static struct {
    struct pdu_syntax list[4];
    uint8_t count;
} syntax_lists[SYNTAX_LISTS];

static void fill_syntax_lists(void)
{
    const struct pdu_syntax ndr = pdu_syntax_ndr, ndr64 = pdu_syntax_ndr64;
    const struct pdu_syntax all = pdu_syntax_features(UINT64_MAX), none = pdu_syntax_features(0);
    struct pdu_syntax ndr_2_1 = ndr;
    ndr_2_1.minor = 1; /* transfer syntaxes match exactly (wire.md 4.2) */
#define LIST(name, n, ...)                                                                         \
    do {                                                                                           \
        const struct pdu_syntax list[] = {__VA_ARGS__};                                            \
        memcpy(syntax_lists[name].list, list, sizeof(list));                                       \
        syntax_lists[name].count = n;                                                              \
    } while (0)
    LIST(NDR, 1, ndr);
    LIST(NDR64, 1, ndr64);
    LIST(BOTH, 2, ndr64, ndr);
    LIST(STRANGE_THEN_NDR, 4, ndr_2_1, ndr, ndr, ndr);
    LIST(FEATURES_ALL, 1, all);
    LIST(FEATURES_NONE, 1, none);
    LIST(FEATURES_THEN_NDR, 2, all, ndr);
    LIST(NDR_THEN_FEATURES, 2, ndr, all);
#undef LIST
}

struct bind_row {
    const char *name;
    struct element elements[4];
    uint8_t count;
};

static const struct bind_row bind_rows[] = {
    {"one element per syntax", {{0, &iface_a, NDR, ACCEPT}, {1, &iface_a, NDR64, NO_SYNTAX}}, 2},
    {"NDR64 first", {{0, &iface_a, NDR64, NO_SYNTAX}, {1, &iface_a, NDR, ACCEPT}}, 2},
    {"several syntaxes in one element", {{0, &iface_a, BOTH, ACCEPT}}, 1},
    {"unknown syntax, then known ones", {{0, &iface_a, STRANGE_THEN_NDR, ACCEPT}}, 1},
    {"only NDR64: still an ack", {{0, &iface_a, NDR64, NO_SYNTAX}}, 1},
    {"unknown interface: still an ack", {{0, &iface_unknown, NDR, NO_IFACE}}, 1},
    {"the same syntax twice: one is accepted",
     {{0, &iface_a, NDR, ACCEPT}, {1, &iface_a, NDR, NO_SYNTAX}},
     2},
    {"the same id twice: one is accepted",
     {{0, &iface_a, NDR, ACCEPT}, {0, &iface_a, NDR, NO_SYNTAX}},
     2},
    {"two interfaces", {{0, &iface_a, NDR, ACCEPT}, {1, &iface_b, NDR, ACCEPT}}, 2},
    {"features alone", {{0, &iface_a, FEATURES_ALL, FEATURES(3)}}, 1},
    {"features: 0 for 0", {{0, &iface_a, FEATURES_NONE, FEATURES(0)}}, 1},
    {"features: the abstract syntax does not matter",
     {{0, &iface_unknown, FEATURES_ALL, FEATURES(3)}},
     1},
    {"features: syntaxes behind are ignored", {{0, &iface_a, FEATURES_THEN_NDR, FEATURES(3)}}, 1},
    {"features: only as the first syntax", {{0, &iface_a, NDR_THEN_FEATURES, ACCEPT}}, 1},
};

static void feed_elements(enum pdu_type type, const struct element *elements, uint8_t count)
{
    struct pdu_offer offers[4];
    for (unsigned i = 0; i < count; i++)
        offers[i] = (struct pdu_offer){elements[i].id, *elements[i].abstract,
                                       syntax_lists[elements[i].syntaxes].list,
                                       syntax_lists[elements[i].syntaxes].count};
    struct assoc_event event = feed_offers(&a, type, 0, 7, offers, count);
    assert_int_equal(event.kind, ASSOC_EVENT_BIND);
    assert_int_equal(answer(&a), RPC_S_OK);
}

static void b_elements_are_judged_one_by_one(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT_OF(bind_rows); row++) {
        const struct bind_row *r = &bind_rows[row];
        print_message("         %s\n", r->name);
        server_init(&a);
        feed_elements(PDU_BIND, r->elements, r->count);
        assert_int_equal(a.state, ASSOC_OPEN); /* whatever was rejected */
        struct ack ack = take_ack(&a, PDU_BIND_ACK);
        assert_int_equal(ack.hdr.flags, PFC_WHOLE);
        assert_int_equal(ack.hdr.call_id, 7);
        assert_int_equal(ack.body.terms.group_id, GROUP);
        assert_int_equal(ack.body.sec_addr_len, sizeof(SECONDARY));
        assert_memory_equal(ack.body.sec_addr, SECONDARY, sizeof(SECONDARY));
        assert_int_equal(ack.body.result_count, r->count);
        for (unsigned i = 0; i < r->count; i++)
            check_result(&ack.results[i], r->elements[i].result, r->elements[i].reason);
        peer_fini(&a);
    }
}

/* After a bind of context 0 (a) and 0x102 (b). */
static const struct bind_row alter_rows[] = {
    {"a new context", {{5, &iface_b, NDR, ACCEPT}}, 1},
    {"an id that is known, for the same interface", {{0, &iface_a, NDR, ACCEPT}}, 1},
    {"unsupported syntax for a known id: the old stays", {{0, &iface_a, NDR64, NO_SYNTAX}}, 1},
    {"unknown interface", {{9, &iface_unknown, NDR, NO_IFACE}}, 1},
    {"features belong into binds", {{9, &iface_a, FEATURES_ALL, NO_SYNTAX}}, 1},
};

static void b_alter_context(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT_OF(alter_rows); row++) {
        const struct bind_row *r = &alter_rows[row];
        print_message("         %s\n", r->name);
        server_open(&a, 0);
        uint64_t features = a.features;
        feed_elements(PDU_ALTER_CONTEXT, r->elements, r->count);
        struct ack ack = take_ack(&a, PDU_ALTER_CONTEXT_RESP);
        assert_int_equal(ack.hdr.flags, PFC_WHOLE);
        assert_int_equal(ack.body.sec_addr_len, 0);
        assert_int_equal(ack.hdr.frag_len, 32 + 24 * r->count);
        /* Repeats the values of the bind_ack (wire.md 1.5). */
        assert_int_equal(ack.body.terms.max_xmit_frag, 5840);
        assert_int_equal(ack.body.terms.max_recv_frag, 5840);
        assert_int_equal(ack.body.terms.group_id, GROUP);
        for (unsigned i = 0; i < r->count; i++)
            check_result(&ack.results[i], r->elements[i].result, r->elements[i].reason);
        assert_int_equal(a.features, features);
        /* Old contexts work on, and so does a new one. */
        struct assoc_event event = feed_request(&a, PFC_WHOLE, 10, 0, 8);
        assert_int_equal(event.kind, ASSOC_EVENT_REQUEST);
        assert_ptr_equal(event.iface, &object_a);
        if (r->elements[0].id == 5) {
            event = feed_request(&a, PFC_WHOLE, 11, 5, 8);
            assert_ptr_equal(event.iface, &object_b);
        }
        peer_fini(&a);
    }
}

/* A group id means nothing in an alter_context, so no answer of the runtime's may
 * turn it into a bind_nak. */
static void b_alter_context_ignores_the_group(void **state)
{
    (void)state;
    const struct pdu_offer offer = {5, iface_b, &pdu_syntax_ndr, 1};
    server_open(&a, 0);
    feed_offers(&a, PDU_ALTER_CONTEXT, 0, 7, &offer, 1);
    look_up_offers(&a);
    assert_int_equal(assoc_answer_bind(&a, 0), RPC_S_OK);
    struct ack ack = take_ack(&a, PDU_ALTER_CONTEXT_RESP);
    assert_int_equal(ack.body.terms.group_id, GROUP);
    peer_fini(&a);
}

/* An id that stands for another interface is a protocol error, also when a good
 * element follows (wire.md 1.12). */
static void b_context_id_clash(void **state)
{
    (void)state;
    const struct pdu_offer offers[] = {{0, iface_b, &pdu_syntax_ndr, 1},
                                       {0, iface_a, &pdu_syntax_ndr, 1}};
    for (uint8_t count = 1; count <= 2; count++) {
        server_open(&a, 0);
        feed_offers(&a, PDU_ALTER_CONTEXT, 0, 9, offers, count);
        assert_int_equal(answer(&a), RPC_S_PROTOCOL_ERROR);
        assert_int_equal(a.state, ASSOC_DEAD);
        expect_fault(&a, 9, 0, NCA_PROTO_ERROR, true);
        peer_fini(&a);
    }
}

/* ---- Limits --------------------------------------------------------------- */

/* As many as one octet can count: each is judged. */
static void b_as_many_elements_as_can_be(void **state)
{
    (void)state;
    struct pdu_offer offers[RESULTS_MAX];
    for (unsigned i = 0; i < RESULTS_MAX; i++)
        offers[i] = (struct pdu_offer){(uint16_t)i, iface_unknown, &pdu_syntax_ndr, 1};
    offers[RESULTS_MAX - 1].abstract = iface_a;
    server_init(&a);
    feed_offers(&a, PDU_BIND, 0, 1, offers, RESULTS_MAX);
    assert_int_equal(answer(&a), RPC_S_OK);
    struct ack ack = take_ack(&a, PDU_BIND_ACK);
    assert_int_equal(ack.body.result_count, RESULTS_MAX);
    for (unsigned i = 0; i < RESULTS_MAX - 1; i++)
        check_result(&ack.results[i], NO_IFACE);
    check_result(&ack.results[RESULTS_MAX - 1], ACCEPT);
    peer_fini(&a);
}

static void b_more_contexts_than_we_keep(void **state)
{
    (void)state;
    server_open(&a, 0); /* two contexts */
    for (unsigned i = 2; i <= LIMIT_CONTEXTS; i++) {
        const struct pdu_offer offer = {(uint16_t)(0x1000 + i), iface_a, &pdu_syntax_ndr, 1};
        feed_offers(&a, PDU_ALTER_CONTEXT, 0, i, &offer, 1);
        assert_int_equal(answer(&a), RPC_S_OK);
        struct ack ack = take_ack(&a, PDU_ALTER_CONTEXT_RESP);
        if (i < LIMIT_CONTEXTS)
            check_result(&ack.results[0], ACCEPT);
        else
            check_result(&ack.results[0], NO_ROOM);
    }
    peer_fini(&a);
}

/* ---- Flags ---------------------------------------------------------------- */

/* Replies echo header signing and multiplexing if asked, nothing else, and a bind is
 * accepted with any flags (wire.md 1.4). */
static void b_bind_flags(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    for (unsigned flags = 0; flags < 256; flags++) {
        server_init(&a);
        size_t len = pdu_encode_bind(peer_octets, sizeof(peer_octets), PDU_BIND, 0, 1,
                                     &default_terms, &offer, 1);
        peer_octets[3] = (uint8_t)flags;
        assert_int_equal(feed(&a, peer_octets, len).kind, ASSOC_EVENT_BIND);
        assert_int_equal(answer(&a), RPC_S_OK);
        struct ack ack = take_ack(&a, PDU_BIND_ACK);
        assert_int_equal(ack.hdr.flags,
                         PFC_WHOLE | (flags & (PFC_SUPPORT_HEADER_SIGN | PFC_CONC_MPX)));
        assert_int_equal(a.multiplex, (flags & PFC_CONC_MPX) != 0);
        peer_fini(&a);
    }
}

static void b_alter_context_cannot_switch_multiplexing_on(void **state)
{
    (void)state;
    const struct pdu_offer offer = {5, iface_b, &pdu_syntax_ndr, 1};
    server_open(&a, 0);
    feed_offers(&a, PDU_ALTER_CONTEXT, 0xff & ~PFC_SUPPORT_HEADER_SIGN, 7, &offer, 1);
    assert_int_equal(answer(&a), RPC_S_OK);
    struct ack ack = take_ack(&a, PDU_ALTER_CONTEXT_RESP);
    assert_int_equal(ack.hdr.flags, PFC_WHOLE);
    assert_false(a.multiplex);
    peer_fini(&a);
}

/* ---- Fragment sizes ------------------------------------------------------- */

struct frag_row {
    uint16_t own, xmit, recv, agreed;
};

/* min(max(2048, min(client xmit, client recv)), own) & ~7 (wire.md 1.9). */
static const struct frag_row frag_rows[] = {
    {5840, 5840, 5840, 5840},   {5840, 0xffff, 0xffff, 5840}, {5840, 0, 0, 2048},
    {5840, 0, 5840, 2048},      {5840, 5840, 0, 2048},        {5840, 3199, 0xffff, 3192},
    {5840, 0xffff, 3199, 3192}, {5840, 2047, 5840, 2048},     {5840, 2049, 5840, 2048},
    {5840, 1432, 1432, 2048},   {5840, 5839, 5839, 5832},     {65528, 0xffff, 0xffff, 65528},
    {65528, 65528, 4280, 4280}, {65528, 5840, 5840, 5840},
};

static void b_fragment_sizes(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    for (size_t row = 0; row < COUNT_OF(frag_rows); row++) {
        const struct frag_row *r = &frag_rows[row];
        const struct pdu_assoc_terms terms = {r->xmit, r->recv, 0};
        assoc_init(&a, ASSOC_SERVER, r->own, SECONDARY);
        size_t len =
            pdu_encode_bind(peer_octets, sizeof(peer_octets), PDU_BIND, 0, 1, &terms, &offer, 1);
        feed(&a, peer_octets, len);
        assert_int_equal(answer(&a), RPC_S_OK);
        struct ack ack = take_ack(&a, PDU_BIND_ACK);
        assert_int_equal(ack.body.terms.max_xmit_frag, r->agreed);
        assert_int_equal(ack.body.terms.max_recv_frag, r->agreed);
        assert_int_equal(a.frag_send, r->agreed);
        peer_fini(&a);
    }
}

/* ---- Refused as a whole --------------------------------------------------- */

enum damage {
    NO_DAMAGE,
    NO_CONTEXTS,
    ELEMENT_WITHOUT_SYNTAX,
    TWO_FEATURES,
    COUNT_TOO_LARGE,
    AUTH_LEN_TOO_LARGE,
    AUTH_TRAILER,
    MAJOR_VERSION_4,
    MINOR_VERSION_2,
    EBCDIC,
    VAX_FLOATS,
    DAMAGES
};

static size_t damaged_bind(enum pdu_type type, enum damage damage)
{
    const struct pdu_syntax features = pdu_syntax_features(1);
    struct pdu_offer offers[] = {{4, iface_a, &pdu_syntax_ndr, 1},
                                 {5, iface_a, &features, 1},
                                 {6, iface_a, &features, damage == TWO_FEATURES}};
    if (damage != TWO_FEATURES && damage != ELEMENT_WITHOUT_SYNTAX)
        offers[2] = (struct pdu_offer){7, iface_b, &pdu_syntax_ndr, 1};
    uint8_t count = damage == NO_CONTEXTS ? 0 : 3;
    uint8_t *o = peer_octets;
    size_t len = pdu_encode_bind(o, sizeof(peer_octets), type, 0, 8, &default_terms, offers, count);
    const struct pdu_auth auth = {.present = true, .type = 10, .level = 5, .token_len = 4};
    switch (damage) {
    case COUNT_TOO_LARGE:
        o[24] = 4;
        break;
    case AUTH_LEN_TOO_LARGE:
        o[10] = (uint8_t)(len - PDU_HEADER_LEN - PDU_SEC_TRAILER_LEN + 1);
        break;
    case AUTH_TRAILER:
        len = pdu_append_auth(o, sizeof(peer_octets), len, &auth, (const uint8_t *)"tokn");
        break;
    case MAJOR_VERSION_4:
        o[0] = 4;
        break;
    case MINOR_VERSION_2:
        o[1] = 2;
        break;
    case EBCDIC:
        o[4] = 0x11;
        break;
    case VAX_FLOATS:
        o[5] = 1;
        break;
    case NO_DAMAGE:
    case NO_CONTEXTS:
    case ELEMENT_WITHOUT_SYNTAX:
    case TWO_FEATURES:
    case DAMAGES:
        break;
    }
    return len;
}

static const uint16_t nak_reasons[DAMAGES] = {
    [NO_CONTEXTS] = PDU_REJECT_NOT_SPECIFIED,
    [TWO_FEATURES] = PDU_REJECT_NOT_SPECIFIED,
    [ELEMENT_WITHOUT_SYNTAX] = PDU_REJECT_NOT_SPECIFIED,
    [COUNT_TOO_LARGE] = PDU_REJECT_PROTOCOL_VERSION,
    [AUTH_LEN_TOO_LARGE] = PDU_REJECT_PROTOCOL_VERSION,
    [AUTH_TRAILER] = PDU_REJECT_AUTH_TYPE,
    [MAJOR_VERSION_4] = PDU_REJECT_PROTOCOL_VERSION,
    [MINOR_VERSION_2] = PDU_REJECT_PROTOCOL_VERSION,
    [EBCDIC] = PDU_REJECT_PROTOCOL_VERSION,
    [VAX_FLOATS] = PDU_REJECT_PROTOCOL_VERSION,
};

static void b_damaged_binds_are_naked(void **state)
{
    (void)state;
    server_init(&a);
    assert_int_equal(feed(&a, peer_octets, damaged_bind(PDU_BIND, NO_DAMAGE)).kind,
                     ASSOC_EVENT_BIND);
    peer_fini(&a); /* also without an answer */
    for (enum damage damage = NO_DAMAGE + 1; damage < DAMAGES; damage++) {
        server_init(&a);
        struct assoc_event event = feed(&a, peer_octets, damaged_bind(PDU_BIND, damage));
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        expect_nak(&a, 8, nak_reasons[damage]);
        peer_fini(&a);
    }
}

/* alter_context is answered by a fault instead (wire.md 1.5). */
static void b_damaged_alter_contexts_are_faulted(void **state)
{
    (void)state;
    for (enum damage damage = NO_DAMAGE + 1; damage < DAMAGES; damage++) {
        server_open(&a, 0);
        struct assoc_event event = feed(&a, peer_octets, damaged_bind(PDU_ALTER_CONTEXT, damage));
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        expect_fault(&a, 8, 0, NCA_PROTO_ERROR, true);
        peer_fini(&a);
    }
}

static void b_second_bind(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    server_open(&a, 0);
    struct assoc_event event = feed_offers(&a, PDU_BIND, 0, 6, &offer, 1);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    expect_nak(&a, 6, PDU_REJECT_NOT_SPECIFIED);
    peer_fini(&a);
}

static void b_unknown_group(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    server_init(&a);
    feed_offers(&a, PDU_BIND, 0, 6, &offer, 1);
    assert_int_equal(assoc_answer_bind(&a, 0), RPC_S_PROTOCOL_ERROR);
    assert_int_equal(a.state, ASSOC_DEAD);
    expect_nak(&a, 6, PDU_REJECT_NOT_SPECIFIED);
    peer_fini(&a);
}

static void b_first_pdu_is_no_bind(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == PDU_BIND)
            continue;
        server_init(&a);
        pdu_encode_empty(peer_octets, sizeof(peer_octets), PDU_CO_CANCEL, 5);
        peer_octets[2] = (uint8_t)type;
        struct assoc_event event = feed(&a, peer_octets, PDU_HEADER_LEN);
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        expect_nak(&a, 5, PDU_REJECT_PROTOCOL_VERSION);
        peer_fini(&a);
    }
}

/* ---- The time between a bind and its answer ------------------------------- */

static void c_pdus_before_the_answer(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    for (unsigned type = 0; type <= PDU_RTS; type++) {
        server_init(&a);
        feed_offers(&a, PDU_BIND, 0, 6, &offer, 1);
        struct assoc_event event =
            type == PDU_BIND || type == PDU_ALTER_CONTEXT
                ? feed_offers(&a, (enum pdu_type)type, 0, 7, &offer, 1)
                : (pdu_encode_empty(peer_octets, 16, PDU_CO_CANCEL, 7),
                   peer_octets[2] = (uint8_t)type, feed(&a, peer_octets, 16));
        expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
        if (type == PDU_BIND)
            expect_nak(&a, 7, PDU_REJECT_NOT_SPECIFIED);
        else
            expect_fault(&a, 7, 0, NCA_PROTO_ERROR, true);
        /* The answer comes too late, and does no harm. */
        assert_int_equal(answer(&a), RPC_S_PROTOCOL_ERROR);
        expect_silence(&a);
        peer_fini(&a);
    }
}

static void c_alter_context_before_the_answer_to_another(void **state)
{
    (void)state;
    const struct pdu_offer offer = {5, iface_b, &pdu_syntax_ndr, 1};
    server_open(&a, 0);
    feed_offers(&a, PDU_ALTER_CONTEXT, 0, 7, &offer, 1);
    struct assoc_event event = feed_offers(&a, PDU_ALTER_CONTEXT, 0, 8, &offer, 1);
    expect_dead(&a, &event, RPC_S_PROTOCOL_ERROR);
    expect_fault(&a, 8, 0, NCA_PROTO_ERROR, true);
    assert_int_equal(answer(&a), RPC_S_PROTOCOL_ERROR);
    peer_fini(&a);
}

static void c_connection_lost_before_the_answer(void **state)
{
    (void)state;
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    server_init(&a);
    feed_offers(&a, PDU_BIND, 0, 6, &offer, 1);
    assoc_fail(&a, RPC_S_CALL_FAILED);
    assert_int_equal(answer(&a), RPC_S_CALL_FAILED);
    expect_silence(&a);
    peer_fini(&a);
}

int main(void)
{
    fill_syntax_lists();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bind_of_the_vector_is_answered_like_the_vector),
        cmocka_unit_test(a_bind_of_a_big_endian_client),
        cmocka_unit_test(b_elements_are_judged_one_by_one),
        cmocka_unit_test(b_alter_context),
        cmocka_unit_test(b_alter_context_ignores_the_group),
        cmocka_unit_test(b_context_id_clash),
        cmocka_unit_test(b_as_many_elements_as_can_be),
        cmocka_unit_test(b_more_contexts_than_we_keep),
        cmocka_unit_test(b_bind_flags),
        cmocka_unit_test(b_alter_context_cannot_switch_multiplexing_on),
        cmocka_unit_test(b_fragment_sizes),
        cmocka_unit_test(b_damaged_binds_are_naked),
        cmocka_unit_test(b_damaged_alter_contexts_are_faulted),
        cmocka_unit_test(b_second_bind),
        cmocka_unit_test(b_unknown_group),
        cmocka_unit_test(b_first_pdu_is_no_bind),
        cmocka_unit_test(c_pdus_before_the_answer),
        cmocka_unit_test(c_alter_context_before_the_answer_to_another),
        cmocka_unit_test(c_connection_lost_before_the_answer),
    };
    return cmocka_run_group_tests_name("assoc_bind", tests, NULL, NULL);
}
