/* SPDX-License-Identifier: MIT */
/* assoc_test.c - both roles together: whole exchanges in memory, and what is left of
 * them when octets come in pieces, a bit is flipped, or memory runs out; every PDU type
 * in every state. */
#include "alloc_shim.h"
#include "assoc_peer.h"

#define FIRST PFC_FIRST_FRAG
#define LAST  PFC_LAST_FRAG

/* A stub whose every octet is recognisable. */
static uint8_t pattern[1u << 19];

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 167 + (i >> 8));
}

/* ---- An application on each side ------------------------------------------- */

#define APP_CALLS    8u
#define REQUEST_LEN  13000u
#define RESPONSE_LEN 7000u

/* Plays the runtime: binds, makes three calls, answers requests. */
struct app {
    struct assoc assoc;
    struct call calls[APP_CALLS];
    struct call_link links[APP_CALLS]; /* of these */
    unsigned used;        /* of calls, which are never used twice            */
    unsigned begun, done; /* client: calls made, answered as they should be  */
    uint8_t input[PDU_LEN_MAX * 2];
    size_t input_len;
};

static struct app client, server;

/* A call that leaves must not keep the association from ending. */
static void app_fail(struct app *app)
{
    assoc_fail(&app->assoc, RPC_S_OUT_OF_MEMORY);
}

static void app_respond(struct app *app, struct call *call)
{
    const struct iovec iov[] = {{pattern, 4000}, {pattern + 4000, RESPONSE_LEN - 4000}};
    if (call_send(call, &iov[0], 1, false) != RPC_S_OK ||
        call_send(call, &iov[1], 1, true) != RPC_S_OK)
        call_fault(call, RPC_S_OUT_OF_MEMORY, false);
    call_end(call);
    (void)app;
}

static void server_event(struct app *app, const struct assoc_event *event)
{
    struct call *call = event->call;
    switch (event->kind) {
    case ASSOC_EVENT_BIND:
        answer(&app->assoc);
        return;
    case ASSOC_EVENT_REQUEST:
        if (!call && app->used == APP_CALLS) {
            assoc_reject(&app->assoc, RPC_S_SERVER_TOO_BUSY, true);
            return;
        }
        if (!call) {
            call = &app->calls[app->used++];
            call->link = &app->links[call - app->calls];
            assoc_accept(&app->assoc, call);
        }
        if (event->last)
            app_respond(app, call);
        return;
    case ASSOC_EVENT_ORPHANED:
        call_end(call);
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_CANCEL:
    case ASSOC_EVENT_DEAD:
        return;
    case ASSOC_EVENT_BOUND:
    case ASSOC_EVENT_RESPONSE:
    case ASSOC_EVENT_FAULT:
        fail(); /* not to a server */
    }
}

static void client_begin_call(struct app *app)
{
    struct call *call = &app->calls[app->used++];
    const struct iovec iov[] = {{pattern, 8000}, {pattern + 8000, REQUEST_LEN - 8000}};
    call_start(call, &app->assoc, 0, 3, NULL);
    app->begun++;
    if (call_send(call, &iov[0], 1, false) != RPC_S_OK || call_cancel(call) != RPC_S_OK ||
        call_send(call, &iov[1], 1, true) != RPC_S_OK) {
        call_end(call);
        app_fail(app);
    }
}

static void client_event(struct app *app, const struct assoc_event *event)
{
    struct call *call = event->call;
    switch (event->kind) {
    case ASSOC_EVENT_BOUND:
        if (event->status == RPC_S_OK)
            client_begin_call(app);
        return;
    case ASSOC_EVENT_RESPONSE:
        if (!event->last)
            return;
        app->done += call->rx_stub == RESPONSE_LEN;
        call_end(call);
        if (app->begun < 3 && app->assoc.state == ASSOC_OPEN)
            client_begin_call(app);
        return;
    case ASSOC_EVENT_FAULT:
        call_end(call);
        return;
    case ASSOC_EVENT_NONE:
    case ASSOC_EVENT_DEAD:
        return;
    case ASSOC_EVENT_REQUEST: /* a callback, which nobody meant */
        assert_null(event->call);
        assert_non_null(event->nesting);
        assoc_reject(&app->assoc, RPC_S_CANNOT_SUPPORT, true);
        return;
    case ASSOC_EVENT_BIND:
    case ASSOC_EVENT_CANCEL:
    case ASSOC_EVENT_ORPHANED:
        fail(); /* not to a client */
    }
}

/* All PDUs that are complete, each from a block of exactly the octets there are. */
static void app_input(struct app *app, const uint8_t *octets, size_t len)
{
    assert_true(app->input_len + len <= sizeof(app->input));
    memcpy(app->input + app->input_len, octets, len);
    app->input_len += len;
    size_t used = 0;
    while (used < app->input_len) {
        struct assoc_event event;
        size_t need = 0, here = app->input_len - used;
        uint8_t *copy = __real_malloc(here);
        assert_non_null(copy);
        memcpy(copy, app->input + used, here);
        size_t n = assoc_recv(&app->assoc, copy, here, &need, &event);
        assert_true(n <= here);
        if (app->assoc.role == ASSOC_SERVER)
            server_event(app, &event);
        else
            client_event(app, &event);
        __real_free(copy);
        used += n;
        if (n == 0) {
            assert_true(need > here && need <= PDU_LEN_MAX);
            assert_int_equal(event.kind, ASSOC_EVENT_NONE);
            break;
        }
    }
    memmove(app->input, app->input + used, app->input_len - used);
    app->input_len -= used;
}

/* Everything queued, which must be whole PDUs that this role may send. */
static size_t app_output(struct app *app)
{
    size_t len = take(&app->assoc);
    for (size_t at = 0; at < len;) {
        struct pdu_header hdr = taken_header(at);
        char text[256];
        assert_true(hdr.frag_len <= len - at);
        if (app->assoc.role == ASSOC_SERVER || hdr.type != PDU_FAULT) /* of a callback */
            assert_int_equal(pdu_type_sender(hdr.type), app->assoc.role == ASSOC_CLIENT
                                                            ? PDU_SENDER_CLIENT
                                                            : PDU_SENDER_SERVER);
        pdu_print(text, sizeof(text), peer_taken + at, hdr.frag_len);
        assert_null(strstr(text, "malformed"));
        at += hdr.frag_len;
    }
    return len;
}

static void app_init(struct app *app, enum assoc_role role)
{
    memset(app, 0, sizeof(*app));
    assoc_init(&app->assoc, role, LIMIT_FRAG_TCP, SECONDARY);
}

static void app_fini(struct app *app)
{
    peer_close(&app->assoc);
    for (unsigned i = 0; i < APP_CALLS; i++)
        assert_null(app->calls[i].assoc);
}

static void exchange_fini(void)
{
    app_fini(&server);
    app_fini(&client);
    assert_int_equal(alloc_live, 0);
}

/* What one side sent, in order, for the tests that spoil it. */
struct record {
    uint8_t octets[1u << 18];
    size_t len;
};

static struct record from_client, from_server;

/* Moves octets, `step` at a time, until there are none.  Gives up when both have
 * moved more than an exchange can need. */
static void exchange(size_t step)
{
    from_client.len = from_server.len = 0;
    for (unsigned rounds = 0; rounds < 50; rounds++) {
        struct app *from = rounds % 2 == 0 ? &client : &server;
        struct app *to = rounds % 2 == 0 ? &server : &client;
        struct record *record = rounds % 2 == 0 ? &from_client : &from_server;
        static uint8_t moving[sizeof(peer_taken)];
        size_t len = app_output(from);
        memcpy(moving, peer_taken, len);
        assert_true(record->len + len <= sizeof(record->octets));
        memcpy(record->octets + record->len, moving, len);
        record->len += len;
        for (size_t at = 0; at < len; at += step)
            app_input(to, moving + at, len - at < step ? len - at : step);
        if (len == 0 && txq_len(&to->assoc.txq) == 0)
            return;
    }
    fail_msg("no end");
}

static void run_exchange(size_t step)
{
    app_init(&client, ASSOC_CLIENT);
    app_init(&server, ASSOC_SERVER);
    if (assoc_bind(&client.assoc, &iface_a, ASSOC_NDR, 0) == RPC_S_OK)
        exchange(step);
}

static void a_whole_exchange(void **state)
{
    (void)state;
    static const size_t steps[] = {PDU_LEN_MAX, 5841, 1460, 17, 16, 15, 1};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        run_exchange(steps[i]);
        assert_int_equal(client.done, 3);
        assert_int_equal(server.used, 3);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(server.calls[k].rx_stub, REQUEST_LEN);
            assert_int_equal(server.calls[k].cancel_count, 1);
        }
        assert_int_equal(client.assoc.features, PDU_FEATURE_KEEP_ON_ORPHAN);
        assert_int_equal(server.assoc.features, PDU_FEATURE_KEEP_ON_ORPHAN);
        assert_int_equal(client.assoc.group_id, GROUP);
        assert_true(client.assoc.multiplex && server.assoc.multiplex);
        exchange_fini();
    }
}

/* ---- Spoiled exchanges ------------------------------------------------------ */

/* Every bit of what the client sent is flipped once, before a fresh server gets it;
 * same for the server's answers.  Nothing may crash, hang or leak, and what is sent
 * must be well formed.  Stub octets mean nothing here, so one bit in each of their
 * fragments stands for the others. */
static bool worth_flipping(const struct record *record, size_t at)
{
    size_t pdu = 0;
    for (;;) {
        struct pdu_header hdr;
        assert_int_equal(pdu_decode_header(record->octets + pdu, record->len - pdu, &hdr), PDU_OK);
        if (at < pdu + hdr.frag_len) {
            bool stub = hdr.type == PDU_REQUEST || hdr.type == PDU_RESPONSE;
            return !stub || at - pdu <= PDU_REQUEST_LEN;
        }
        pdu += hdr.frag_len;
    }
}

static unsigned flip_all(struct app *app, struct record *spoiled)
{
    static struct record record;
    unsigned flips = 0;
    record = *spoiled;
    for (size_t at = 0; at < record.len; at++) {
        if (!worth_flipping(&record, at))
            continue;
        for (unsigned bit = 0; bit < 8; bit++, flips++) {
            spoiled->octets[at] = record.octets[at] ^ (uint8_t)(1u << bit);
            app_init(app, app == &client ? ASSOC_CLIENT : ASSOC_SERVER);
            if (app == &client)
                assert_int_equal(assoc_bind(&app->assoc, &iface_a, ASSOC_NDR, 0), RPC_S_OK);
            for (size_t fed = 0; fed < spoiled->len; fed += PDU_LEN_MAX) {
                size_t len = spoiled->len - fed;
                app_input(app, spoiled->octets + fed, len < PDU_LEN_MAX ? len : PDU_LEN_MAX);
                app_output(app);
            }
            app_fini(app);
            assert_int_equal(alloc_live, 0);
        }
        spoiled->octets[at] = record.octets[at];
    }
    return flips;
}

static void c_every_bit_flipped(void **state)
{
    (void)state;
    run_exchange(PDU_LEN_MAX);
    exchange_fini();
    assert_true(flip_all(&server, &from_client) > 1000);
    assert_true(flip_all(&client, &from_server) > 1000);
}

/* A stream that ends anywhere leaves nothing behind. */
static void c_every_prefix(void **state)
{
    (void)state;
    run_exchange(PDU_LEN_MAX);
    exchange_fini();
    for (size_t len = 0; len < 300; len++) {
        app_init(&server, ASSOC_SERVER);
        app_input(&server, from_client.octets, len);
        app_output(&server);
        app_fini(&server);
        assert_int_equal(alloc_live, 0);
    }
}

/* Request number n for memory fails, for all n: the exchange succeeds, or one side
 * has ended its association and can say why. */
static void c_nth_allocation_fails(void **state)
{
    (void)state;
    unsigned dead = 0;
    for (long n = 0;; n++) {
        alloc_fail_at(n);
        run_exchange(1460);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        bool ended = client.assoc.state == ASSOC_DEAD || server.assoc.state == ASSOC_DEAD;
        dead += ended;
        if (!failed)
            assert_false(ended);
        if (!ended && client.assoc.state == ASSOC_OPEN) /* every call had its answer */
            assert_int_equal(client.assoc.call_count, 0);
        exchange_fini();
        if (!failed)
            break;
    }
    assert_true(dead > 2);
}

/* ---- Every PDU type in every state ------------------------------------------ */

enum situation {
    UNBOUND,     /* server: waits for a bind; client: has sent nothing  */
    IN_BIND,     /* between bind and answer                             */
    BOUND,       /* no call                                             */
    IN_REQUEST,  /* call 2 has begun                                    */
    IN_WORK,     /* call 2 waits for its response                       */
    IN_RESPONSE, /* call 2 has part of its response                     */
    ANSWERED,    /* call 2 is done but still there                      */
    SWALLOWING,  /* server: the rest of call 2 is ignored; client: shut */
    OVER,        /* dead                                                */
    SITUATIONS
};

static struct call the_call;

static void server_situation(struct assoc *assoc, enum situation s)
{
    const struct pdu_offer offer = {0, iface_a, &pdu_syntax_ndr, 1};
    server_init(assoc);
    if (s == UNBOUND)
        return;
    feed_offers(assoc, PDU_BIND, 0, 1, &offer, 1);
    if (s == IN_BIND)
        return;
    answer(assoc);
    if (s >= IN_REQUEST) {
        bool part = s == IN_REQUEST || s == SWALLOWING;
        feed_request(assoc, part ? FIRST : FIRST | LAST, 2, 0, 8);
        assoc_accept(assoc, &the_call);
    }
    if (s == IN_RESPONSE || s == ANSWERED)
        send_stub(&the_call, 8, s == ANSWERED);
    if (s == SWALLOWING)
        call_fault(&the_call, RPC_S_CALL_FAILED, false);
    if (s == OVER)
        assoc_fail(assoc, RPC_S_CALL_FAILED);
    take(assoc);
}

static void client_situation(struct assoc *assoc, enum situation s)
{
    assoc_init(assoc, ASSOC_CLIENT, LIMIT_FRAG_TCP, NULL);
    if (s == UNBOUND)
        return;
    assoc_bind(assoc, &iface_a, ASSOC_NDR, 0);
    if (s == IN_BIND)
        return;
    feed_ack(assoc, 0, 5840, &accepted, 1);
    if (s >= IN_REQUEST) {
        call_start(&the_call, assoc, 0, 3, NULL);
        send_stub(&the_call, 8, s > IN_REQUEST);
    }
    if (s == IN_RESPONSE || s == ANSWERED)
        feed_response(assoc, s == ANSWERED ? FIRST | LAST : FIRST, 2, 8);
    if (s == SWALLOWING)
        feed_empty(assoc, PDU_SHUTDOWN, 0);
    if (s == OVER)
        assoc_fail(assoc, RPC_S_CALL_FAILED);
    take(assoc);
}

/* A well-formed PDU of this type, if there is such a thing, about call 2. */
static size_t build(unsigned type, uint8_t flags)
{
    const struct pdu_offer offer = {1, iface_a, &pdu_syntax_ndr, 1};
    const struct pdu_assoc_terms terms = {5840, 5840, GROUP};
    const struct pdu_request request = {.stub_len = 8};
    const struct pdu_response response = {.stub_len = 8};
    const struct pdu_fault fault = {.status = NCA_OP_RNG_ERROR};
    const struct pdu_auth auth = {.present = true, .type = 10, .token_len = 4};
    uint8_t *o = peer_octets;
    size_t cap = sizeof(peer_octets), len;
    memset(o, 0, 64);
    switch (type) {
    case PDU_REQUEST:
        len = pdu_encode_request(o, cap, flags, 2, &request) + 8;
        break;
    case PDU_RESPONSE:
        len = pdu_encode_response(o, cap, flags, 2, &response) + 8;
        break;
    case PDU_FAULT:
        len = pdu_encode_fault(o, cap, flags, 2, &fault);
        break;
    case PDU_BIND:
    case PDU_ALTER_CONTEXT:
        len = pdu_encode_bind(o, cap, (enum pdu_type)type, flags, 2, &terms, &offer, 1);
        break;
    case PDU_BIND_ACK:
    case PDU_ALTER_CONTEXT_RESP:
        len = pdu_encode_bind_ack(o, cap, (enum pdu_type)type, flags, 2, &terms, "", &accepted, 1);
        break;
    case PDU_BIND_NAK:
        len = pdu_encode_bind_nak(o, cap, 2, 0);
        break;
    case PDU_AUTH3:
        len = pdu_encode_auth3(o, cap, flags, 2);
        len = pdu_append_auth(o, cap, len, &auth, (const uint8_t *)"tokn");
        break;
    default:
        len = pdu_encode_empty(o, cap, PDU_CO_CANCEL, 2);
        o[2] = (uint8_t)type;
    }
    o[3] = flags;
    return len;
}

/* What must be true of any answer to anything (wire.md 5.7). */
static void check_answer(struct assoc *assoc, enum situation s, const struct assoc_event *event)
{
    size_t len = take(assoc);
    bool dead = event->kind == ASSOC_EVENT_DEAD;
    assert_int_equal(assoc->state == ASSOC_DEAD, dead || s == OVER);
    if (assoc->role == ASSOC_CLIENT || s == OVER) {
        assert_int_equal(len, 0);
        return;
    }
    if (dead) { /* a server says why: nak before the association is up, else fault */
        uint8_t type = taken_header(0).type;
        assert_int_equal(len, taken_header(0).frag_len);
        assert_true(type == PDU_FAULT || type == PDU_BIND_NAK);
        if (s == UNBOUND)
            assert_int_equal(type, PDU_BIND_NAK);
    }
    for (size_t at = 0; at < len; at += taken_header(at).frag_len)
        assert_int_equal(pdu_type_sender(taken_header(at).type), PDU_SENDER_SERVER);
}

static void c_every_type_in_every_state(void **state)
{
    (void)state;
    static struct assoc assoc;
    for (enum situation s = UNBOUND; s < SITUATIONS; s++) {
        for (unsigned type = 0; type < 24; type++) {
            for (unsigned flags = 0; flags < 256; flags++) {
                for (unsigned role = 0; role < 2; role++) {
                    if (role == ASSOC_CLIENT)
                        client_situation(&assoc, s);
                    else
                        server_situation(&assoc, s);
                    take(&assoc);
                    size_t len = build(type, (uint8_t)flags);
                    struct assoc_event event = feed(&assoc, peer_octets, len);
                    check_answer(&assoc, s, &event);
                    peer_fini(&assoc);
                }
            }
        }
    }
}

int main(void)
{
    fill_pattern();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_exchange),
        cmocka_unit_test(c_every_bit_flipped),
        cmocka_unit_test(c_every_prefix),
        cmocka_unit_test(c_nth_allocation_fails),
        cmocka_unit_test(c_every_type_in_every_state),
    };
    return cmocka_run_group_tests_name("assoc", tests, NULL, NULL);
}
