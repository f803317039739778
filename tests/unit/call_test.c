/* SPDX-License-Identifier: MIT */
/* call_test.c - the cutting of stubs into fragments: sizes, flags, hints, and what is
 * left when memory runs out in the middle. */
#include "alloc_shim.h"
#include "assoc_peer.h"
#include "random.h"

#define FIRST PFC_FIRST_FRAG
#define LAST  PFC_LAST_FRAG

/* The stub of what was taken, put together again; checks each fragment on the way
 * (wire.md 1.8, 1.10, 1.11). */
struct stub {
    uint8_t octets[1u << 19];
    size_t len;
    unsigned fragments;
    uint32_t hints[256];
    size_t lens[256];
    bool ended;
};

static struct stub got;

static size_t collect_fragment(const struct call *call, size_t at)
{
    struct pdu_header hdr = taken_header(at);
    size_t offset, len;
    uint32_t hint;
    assert_false(got.ended); /* no PDU behind the last */
    assert_int_equal(hdr.call_id, call->id);
    assert_true(hdr.frag_len <= call->assoc->frag_send);
    assert_int_equal(hdr.auth_len, 0);
    if (call->assoc->role == ASSOC_CLIENT) {
        static const UUID none;
        struct pdu_request request;
        assert_int_equal(hdr.type, PDU_REQUEST);
        assert_int_equal(pdu_decode_request(&hdr, peer_taken + at, hdr.frag_len, &request), PDU_OK);
        assert_int_equal(request.context_id, call->context_id);
        assert_int_equal(request.opnum, call->opnum);
        assert_int_equal(request.has_object, call->has_object);
        assert_memory_equal(&request.object, call->has_object ? call_object(call) : &none,
                            sizeof(UUID));
        offset = request.stub_offset;
        len = request.stub_len;
        hint = request.alloc_hint;
    } else {
        struct pdu_response response;
        assert_int_equal(hdr.type, PDU_RESPONSE);
        assert_int_equal(pdu_decode_response(&hdr, peer_taken + at, hdr.frag_len, &response),
                         PDU_OK);
        assert_int_equal(response.context_id, call->context_id & 0xff); /* wire.md 9 */
        offset = response.stub_offset;
        len = response.stub_len;
        hint = response.alloc_hint;
    }
    assert_int_equal((hdr.flags & FIRST) != 0, got.fragments == 0);
    got.ended = (hdr.flags & LAST) != 0;
    memcpy(got.octets + got.len, peer_taken + at + offset, len);
    got.len += len;
    if (!got.ended)
        assert_true(len > 0 || got.fragments == 0); /* empty: only first or last */
    assert_true(hint >= len);
    assert_true(got.fragments < COUNT_OF(got.hints));
    got.hints[got.fragments] = hint;
    got.lens[got.fragments++] = len;
    return hdr.frag_len;
}

static void collect(const struct call *call)
{
    size_t len = take(call->assoc);
    for (size_t at = 0; at < len;)
        at += collect_fragment(call, at);
}

static void collect_init(void)
{
    memset(&got, 0, sizeof(got));
}

/* A stub whose every octet is recognisable. */
static uint8_t pattern[1u << 19];

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 167 + (i >> 8));
}

/* What is received must not promise more than comes (wire.md 1.10: never a lie). */
static void check_hints(void)
{
    size_t left = got.len;
    for (unsigned i = 0; i < got.fragments; i++) {
        assert_true(got.hints[i] <= left);
        left -= got.lens[i];
    }
}

struct sender {
    struct assoc assoc;
    struct call call;
    struct call_link link;
};

static struct sender sender;

static const UUID object_uuid = {.Data1 = 0x12345678};

/* A client or server with a call that may send; fragments of `frag` octets. */
static void sender_init(enum assoc_role role, uint16_t frag, bool object)
{
    sender.call.link = object ? &sender.link : NULL;
    if (role == ASSOC_CLIENT) {
        client_open(&sender.assoc, frag);
        call_start(&sender.call, &sender.assoc, 0, 7, object ? &object_uuid : NULL);
    } else {
        server_open(&sender.assoc, 0);
        sender.assoc.frag_send = frag;
        feed_request(&sender.assoc, FIRST | LAST, 9, 0x102, 8);
        assoc_accept(&sender.assoc, &sender.call);
    }
    assert_int_equal(sender.assoc.frag_send, frag);
    collect_init();
}

static const struct {
    enum assoc_role role;
    uint16_t frag;
    bool object;
    size_t stub_max;
} senders[] = {{ASSOC_CLIENT, 5840, false, 5816},
               {ASSOC_CLIENT, 5840, true, 5800},
               {ASSOC_CLIENT, 1432, false, 1408},
               {ASSOC_SERVER, 5840, false, 5816},
               {ASSOC_SERVER, 2048, false, 2024}};

static void a_stub_sent_in_one_go(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(senders); s++) {
        size_t max = senders[s].stub_max;
        const size_t lens[] = {0,       1,       8,           max - 1,     max,
                               max + 1, max * 2, max * 2 + 8, max * 3 - 1, max * 20 + 77};
        for (size_t l = 0; l < COUNT_OF(lens); l++) {
            size_t len = lens[l];
            sender_init(senders[s].role, senders[s].frag, senders[s].object);
            assert_int_equal(call_frag_stub_max(&sender.call), max);
            const struct iovec iov[] = {{pattern, len / 3}, {pattern + len / 3, len - len / 3}};
            assert_int_equal(call_send(&sender.call, iov, 2, true), RPC_S_OK);
            assert_int_equal(sender.call.tx_stub, len);
            assert_true(sender.call.tx_ended);
            collect(&sender.call);
            assert_true(got.ended);
            assert_int_equal(got.len, len);
            assert_memory_equal(got.octets, pattern, len);
            assert_int_equal(got.fragments, len == 0 ? 1 : (len + max - 1) / max);
            for (unsigned i = 0; i < got.fragments; i++) {
                if (i + 1 < got.fragments)
                    assert_int_equal(got.lens[i], max);        /* all but the last are full */
                assert_int_equal(got.hints[i], len - i * max); /* the total is known */
            }
            call_end(&sender.call);
            peer_fini(&sender.assoc);
        }
    }
}

/* Pushes of any length, now and then ending at an odd multiple of 4 as chunk_plan()
 * may have to: fragments always end at a multiple of 8, but where a push ends. */
static void b_stub_sent_in_pushes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        size_t s = seed % COUNT_OF(senders);
        size_t sent = 0, ends[64];
        unsigned pushes = 0;
        sender_init(senders[s].role, senders[s].frag, senders[s].object);
        while (pushes < 10) {
            size_t len = 8 * random_below(&random, 2500) + (random_below(&random, 3) ? 0 : 4);
            const struct iovec iov[] = {
                {pattern + sent, len / 2}, {NULL, 0}, {pattern + sent + len / 2, len - len / 2}};
            assert_int_equal(call_send(&sender.call, iov, 3, false), RPC_S_OK);
            sent += len;
            ends[pushes++] = sent;
            if (random_below(&random, 2))
                assert_true(txq_settle(&sender.assoc.txq));
            collect(&sender.call);
        }
        struct iovec tail = {pattern + sent, 5};
        assert_int_equal(call_send(&sender.call, &tail, 1, true), RPC_S_OK);
        collect(&sender.call);
        assert_true(got.ended);
        assert_int_equal(got.len, sent + 5);
        assert_memory_equal(got.octets, pattern, sent + 5);
        check_hints();
        size_t end = 0;
        unsigned push = 0;
        for (unsigned i = 0; i + 1 < got.fragments; i++) {
            end += got.lens[i];
            while (ends[push] < end)
                push++;
            if (end != ends[push])
                assert_int_equal(end % 8, 0);
        }
        call_end(&sender.call);
        peer_fini(&sender.assoc);
    }
}

/* AP-50: a request without [in] data begins at once, so that the manager is called
 * before the first push; after that nothing is sent for nothing. */
static void b_nothing_is_sent_for_nothing(void **state)
{
    (void)state;
    sender_init(ASSOC_CLIENT, 5840, false);
    assert_int_equal(call_send(&sender.call, NULL, 0, false), RPC_S_OK);
    assert_true(sender.call.tx_begun);
    assert_int_equal(txq_len(&sender.assoc.txq), PDU_REQUEST_LEN);
    assert_int_equal(call_send(&sender.call, NULL, 0, false), RPC_S_OK);
    assert_int_equal(txq_len(&sender.assoc.txq), PDU_REQUEST_LEN);
    assert_int_equal(call_send(&sender.call, NULL, 0, true), RPC_S_OK); /* but the end is */
    collect(&sender.call);
    assert_true(got.ended);
    peer_fini(&sender.assoc);
}

static void b_states_of_a_sender(void **state)
{
    (void)state;
    sender_init(ASSOC_CLIENT, 5840, false);
    assert_int_equal(sender.call.state, CALL_REQUEST);
    send_stub(&sender.call, 8, false);
    assert_int_equal(sender.call.state, CALL_REQUEST);
    send_stub(&sender.call, 8, true);
    assert_int_equal(sender.call.state, CALL_WORKING);
    peer_fini(&sender.assoc);

    sender_init(ASSOC_SERVER, 5840, false);
    assert_int_equal(sender.call.state, CALL_WORKING);
    send_stub(&sender.call, 8, false);
    assert_int_equal(sender.call.state, CALL_RESPONSE);
    send_stub(&sender.call, 8, true);
    assert_int_equal(sender.call.state, CALL_DONE);
    peer_fini(&sender.assoc);

    /* In the middle of a response the call may still fail (wire.md 5.3). */
    sender_init(ASSOC_SERVER, 5840, false);
    send_stub(&sender.call, 8, false);
    take(&sender.assoc);
    assert_int_equal(call_fault(&sender.call, RPC_X_PIPE_DISCIPLINE_ERROR, false), RPC_S_OK);
    expect_fault(&sender.assoc, 9, 0x102, NCA_FAULT_PIPE_DISCIPLINE, false);
    peer_fini(&sender.assoc);
}

/* Out of memory: nothing was queued, and the same push works when there is some. */
static void c_no_memory_for_a_push(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        sender_init(ASSOC_CLIENT, 5840, false);
        const struct iovec first = {pattern, 800};
        assert_int_equal(call_send(&sender.call, &first, 1, false), RPC_S_OK);
        size_t queued = txq_len(&sender.assoc.txq);
        const struct iovec iov = {pattern + 800, 300000};
        alloc_fail_at(n);
        RPC_STATUS status = call_send(&sender.call, &iov, 1, true);
        bool failed = alloc_failed();
        alloc_fail_at(-1);
        assert_int_equal(status, failed ? RPC_S_OUT_OF_MEMORY : RPC_S_OK);
        if (failed) {
            assert_int_equal(txq_len(&sender.assoc.txq), queued);
            assert_int_equal(sender.call.tx_stub, 800);
            assert_int_equal(sender.call.state, CALL_REQUEST);
            assert_int_equal(call_send(&sender.call, &iov, 1, true), RPC_S_OK);
        }
        collect(&sender.call);
        assert_int_equal(got.len, 300800);
        assert_memory_equal(got.octets, pattern, got.len);
        peer_fini(&sender.assoc);
        if (!failed) {
            assert_true(n > 3);
            break;
        }
    }
}

int main(void)
{
    fill_pattern();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stub_sent_in_one_go),
        cmocka_unit_test(b_stub_sent_in_pushes),
        cmocka_unit_test(b_nothing_is_sent_for_nothing),
        cmocka_unit_test(b_states_of_a_sender),
        cmocka_unit_test(c_no_memory_for_a_push),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
