/* SPDX-License-Identifier: MIT */
/* pdu_bind_test.c - bind, alter_context, their answers, bind_nak; syntaxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"
#include "wire/pdu.h"

static const struct pdu_syntax iface = {
    .uuid = {0xa7c1e5d0, 0x3b52, 0x4f6e, {0x9d, 0x18, 0x5c, 0x0b, 0x7e, 0x2f, 0x4a, 0x91}},
    .major = 1,
};

static const struct pdu_assoc_terms offered = {.max_xmit_frag = 5840, .max_recv_frag = 5840};
static const struct pdu_assoc_terms agreed = {5840, 5840, 0x00012345};

static enum pdu_verdict decode_bind(const uint8_t *pdu, size_t len, struct pdu_header *ret_hdr,
                                    struct pdu_bind *ret_bind)
{
    enum pdu_verdict verdict = pdu_decode_header(pdu, len, ret_hdr);
    return verdict == PDU_OK ? pdu_decode_bind(ret_hdr, pdu, len, ret_bind) : verdict;
}

static enum pdu_verdict decode_ack(const uint8_t *pdu, size_t len, struct pdu_header *ret_hdr,
                                   struct pdu_bind_ack *ret_ack)
{
    enum pdu_verdict verdict = pdu_decode_header(pdu, len, ret_hdr);
    return verdict == PDU_OK ? pdu_decode_bind_ack(ret_hdr, pdu, len, ret_ack) : verdict;
}

static enum pdu_verdict decode_nak(const uint8_t *pdu, size_t len, struct pdu_bind_nak *ret_nak)
{
    struct pdu_header hdr;
    enum pdu_verdict verdict = pdu_decode_header(pdu, len, &hdr);
    return verdict == PDU_OK ? pdu_decode_bind_nak(&hdr, pdu, len, ret_nak) : verdict;
}

/* Sets a little-endian frag_length to what is really there. */
static void set_len(uint8_t *pdu, size_t len)
{
    pdu[8] = (uint8_t)len;
    pdu[9] = (uint8_t)(len >> 8);
}

static void a_bind_with_three_contexts(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind bind;
    struct vector v = vector_load("a1_bind");
    assert_int_equal(decode_bind(v.octets, v.len, &hdr, &bind), PDU_OK);
    assert_int_equal(bind.terms.max_xmit_frag, 5840);
    assert_int_equal(bind.terms.max_recv_frag, 5840);
    assert_int_equal(bind.terms.group_id, 0);
    assert_int_equal(bind.context_count, 3);
    assert_false(bind.auth.present);

    struct pdu_syntax want[3] = {pdu_syntax_ndr, pdu_syntax_ndr64, pdu_syntax_features(0x03)};
    for (unsigned i = 0; i < 3; i++) {
        struct pdu_context context;
        struct pdu_syntax syntax;
        assert_true(pdu_next_context(&bind.contexts, &context));
        assert_int_equal(context.id, i);
        assert_true(pdu_syntax_equal(&context.abstract, &iface));
        assert_int_equal(context.syntax_count, 1);
        assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
        assert_true(pdu_syntax_equal(&syntax, &want[i]));
        assert_false(pdu_next_syntax(&context.syntaxes, &syntax));
    }
    struct pdu_context context;
    assert_false(pdu_next_context(&bind.contexts, &context));
}

/* C706 style: several transfer syntaxes in one element; and a trailer. */
static void a_bind_with_two_syntaxes_and_trailer(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_syntax syntax;
    struct vector v = vector_load("d7_bind_auth");
    assert_int_equal(decode_bind(v.octets, v.len, &hdr, &bind), PDU_OK);
    assert_int_equal(hdr.flags, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN);
    assert_true(pdu_next_context(&bind.contexts, &context));
    assert_int_equal(context.syntax_count, 2);
    assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(pdu_syntax_equal(&syntax, &pdu_syntax_ndr));
    assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(pdu_syntax_equal(&syntax, &pdu_syntax_ndr64));
    assert_false(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(bind.auth.present);
    assert_int_equal(bind.auth.type, 9);
    assert_int_equal(bind.auth.level, 6);
    assert_int_equal(bind.auth.context_id, 77);
    assert_int_equal(bind.auth.trailer_offset, 92);
    assert_int_equal(bind.auth.token_len, 4);
}

static void a_bind_big_endian(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_syntax syntax;
    struct vector v = vector_load("e1_bind_big");
    assert_int_equal(decode_bind(v.octets, v.len, &hdr, &bind), PDU_OK);
    assert_int_equal(bind.terms.group_id, 0x12345);
    assert_true(pdu_next_context(&bind.contexts, &context));
    assert_int_equal(context.id, 3);
    assert_memory_equal(&context.abstract.uuid, &iface.uuid, sizeof(iface.uuid));
    assert_int_equal(context.abstract.major, 1);
    assert_int_equal(context.abstract.minor, 2);
    assert_true(pdu_next_syntax(&context.syntaxes, &syntax));
    assert_true(pdu_syntax_equal(&syntax, &pdu_syntax_ndr));
}

static void a_bind_ack_results(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind_ack ack;
    struct pdu_result result;
    struct vector v = vector_load("a2_bind_ack");
    assert_int_equal(decode_ack(v.octets, v.len, &hdr, &ack), PDU_OK);
    assert_int_equal(ack.terms.group_id, 0x12345);
    assert_int_equal(ack.sec_addr_len, 5);
    assert_memory_equal(ack.sec_addr, "5000", 5);
    assert_int_equal(ack.result_count, 3);
    assert_true(pdu_next_result(&ack.results, &result));
    assert_int_equal(result.result, PDU_RESULT_ACCEPTANCE);
    assert_true(pdu_syntax_equal(&result.syntax, &pdu_syntax_ndr));
    assert_true(pdu_next_result(&ack.results, &result));
    assert_int_equal(result.result, PDU_RESULT_PROVIDER_REJECTION);
    assert_int_equal(result.reason, PDU_REASON_TRANSFER_SYNTAXES);
    assert_true(pdu_syntax_equal(&result.syntax, &pdu_syntax_none));
    assert_true(pdu_next_result(&ack.results, &result));
    assert_int_equal(result.result, PDU_RESULT_NEGOTIATE_ACK);
    assert_int_equal(result.reason, 0x03);
    assert_false(pdu_next_result(&ack.results, &result));
}

static void a_alter_context_resp_without_address(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind_ack ack;
    struct pdu_result result;
    struct vector v = vector_load("d2_alter_context_resp");
    assert_int_equal(decode_ack(v.octets, v.len, &hdr, &ack), PDU_OK);
    assert_int_equal(ack.sec_addr_len, 0);
    assert_true(pdu_next_result(&ack.results, &result));
    assert_true(pdu_syntax_equal(&result.syntax, &pdu_syntax_ndr));
}

static void a_bind_ack_big_endian_with_surplus(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind_ack ack;
    struct pdu_result result;
    struct vector v = vector_load("e2_bind_ack_big");
    assert_int_equal(decode_ack(v.octets, v.len, &hdr, &ack), PDU_OK);
    assert_int_equal(ack.sec_addr_len, 4);
    assert_int_equal(ack.result_count, 1);
    assert_true(pdu_next_result(&ack.results, &result));
    assert_int_equal(result.result, PDU_RESULT_PROVIDER_REJECTION);
    assert_int_equal(result.reason, PDU_REASON_ABSTRACT_SYNTAX);
}

static void a_bind_nak(void **state)
{
    (void)state;
    struct pdu_bind_nak nak;
    struct vector v = vector_load("d3_bind_nak");
    assert_int_equal(decode_nak(v.octets, v.len, &nak), PDU_OK);
    assert_int_equal(nak.reason, PDU_REJECT_PROTOCOL_VERSION);
    assert_int_equal(nak.version_count, 1);
    assert_int_equal(nak.versions[0], 5);
    assert_int_equal(nak.versions[1], 0);
}

/* A peer may stop anywhere behind the reason; versions that are not there are not
 * handed out, whatever the count says. */
static void b_bind_nak_is_lenient(void **state)
{
    (void)state;
    struct vector v = vector_load("d3_bind_nak");
    v.octets[18] = 3; /* claims three versions */
    for (size_t len = PDU_HEADER_LEN; len <= v.len; len++) {
        struct pdu_bind_nak nak;
        uint8_t *copy = exact_copy(v.octets, len);
        set_len(copy, len);
        enum pdu_verdict verdict = decode_nak(copy, len, &nak);
        assert_int_equal(verdict, len < 18 ? PDU_MALFORMED : PDU_OK);
        if (verdict == PDU_OK) {
            assert_int_equal(nak.reason, 4);
            assert_int_equal(nak.version_count, len < 19 ? 0 : (len - 19) / 2);
            assert_true((nak.versions != NULL) == (nak.version_count > 0));
        }
        free(copy);
    }
}

/* Every context count over the octets of three contexts: fewer is surplus at the
 * end, which is tolerated; more is malformed. */
static void b_context_count_beyond_the_octets(void **state)
{
    (void)state;
    struct vector v = vector_load("a1_bind");
    for (unsigned count = 0; count < 256; count++) {
        struct pdu_header hdr;
        struct pdu_bind bind;
        uint8_t *copy = exact_copy(v.octets, v.len);
        copy[24] = (uint8_t)count;
        enum pdu_verdict verdict = decode_bind(copy, v.len, &hdr, &bind);
        assert_int_equal(verdict, count <= 3 ? PDU_OK : PDU_MALFORMED);
        if (verdict == PDU_OK)
            assert_int_equal(bind.context_count, count);
        free(copy);
    }
}

static void b_syntax_count_beyond_the_octets(void **state)
{
    (void)state;
    struct vector v = vector_load("d7_bind_auth");
    for (unsigned count = 0; count < 256; count++) {
        struct pdu_header hdr;
        struct pdu_bind bind;
        uint8_t *copy = exact_copy(v.octets, v.len);
        copy[30] = (uint8_t)count;
        /* The trailer's octets must not count as a third syntax. */
        assert_int_equal(decode_bind(copy, v.len, &hdr, &bind),
                         count <= 2 ? PDU_OK : PDU_MALFORMED);
        free(copy);
    }
}

/* MS-RPCE behaviour needs these told apart: no contexts (bind_nak, connection
 * ends), a context without syntaxes (likewise); both are well formed. */
static void b_empty_lists_are_well_formed(void **state)
{
    (void)state;
    struct pdu_header hdr;
    struct pdu_bind bind;
    struct pdu_context context;
    struct pdu_syntax syntax;
    uint8_t out[128];

    size_t len = pdu_encode_bind(out, sizeof(out), PDU_BIND, 0, 1, &offered, NULL, 0);
    assert_int_equal(len, 28);
    assert_int_equal(decode_bind(out, len, &hdr, &bind), PDU_OK);
    assert_int_equal(bind.context_count, 0);
    assert_false(pdu_next_context(&bind.contexts, &context));

    struct pdu_offer offer = {.context_id = 7, .abstract = iface};
    len = pdu_encode_bind(out, sizeof(out), PDU_BIND, 0, 1, &offered, &offer, 1);
    assert_int_equal(len, 52);
    assert_int_equal(decode_bind(out, len, &hdr, &bind), PDU_OK);
    assert_true(pdu_next_context(&bind.contexts, &context));
    assert_int_equal(context.syntax_count, 0);
    assert_false(pdu_next_syntax(&context.syntaxes, &syntax));
}

/* Every length of the secondary address around and far beyond the octets. */
static void b_sec_addr_beyond_the_octets(void **state)
{
    (void)state;
    struct vector v = vector_load("d2_alter_context_resp"); /* 56 octets, one result */
    for (size_t addr_len = 0; addr_len <= UINT16_MAX; addr_len += addr_len < 100 ? 1 : 97) {
        struct pdu_header hdr;
        struct pdu_bind_ack ack;
        uint8_t *copy = exact_copy(v.octets, v.len);
        copy[24] = (uint8_t)addr_len;
        copy[25] = (uint8_t)(addr_len >> 8);
        size_t at = (26 + addr_len + 3) & ~(size_t)3;
        size_t count = at + 4 <= v.len ? copy[at] : 0;
        bool good = at + 4 + 24 * count <= v.len;
        assert_int_equal(decode_ack(copy, v.len, &hdr, &ack), good ? PDU_OK : PDU_MALFORMED);
        if (good)
            assert_int_equal(ack.sec_addr_len, addr_len);
        free(copy);
    }
}

static void b_result_count_beyond_the_octets(void **state)
{
    (void)state;
    struct vector v = vector_load("a2_bind_ack");
    for (unsigned count = 0; count < 256; count++) {
        struct pdu_header hdr;
        struct pdu_bind_ack ack;
        uint8_t *copy = exact_copy(v.octets, v.len);
        copy[32] = (uint8_t)count;
        assert_int_equal(decode_ack(copy, v.len, &hdr, &ack), count <= 3 ? PDU_OK : PDU_MALFORMED);
        free(copy);
    }
}

/* A finished mechanism sends a trailer with an empty token: auth_length 0 and 8
 * octets behind the results, which must not disturb. */
static void b_trailer_with_empty_token(void **state)
{
    (void)state;
    uint8_t out[64];
    struct pdu_header hdr;
    struct pdu_bind_ack ack;
    struct pdu_result accept = {.result = PDU_RESULT_ACCEPTANCE, .syntax = pdu_syntax_ndr};
    size_t len = pdu_encode_bind_ack(out, sizeof(out), PDU_ALTER_CONTEXT_RESP, 0, 4, &agreed, NULL,
                                     &accept, 1);
    assert_int_equal(len, 56);
    struct pdu_auth auth = {.type = 9, .level = 6};
    len = pdu_append_auth(out, sizeof(out), len, &auth, NULL);
    assert_int_equal(len, 64);
    assert_int_equal(decode_ack(out, len, &hdr, &ack), PDU_OK);
    assert_int_equal(hdr.auth_len, 0);
    assert_int_equal(hdr.frag_len, 64);
    assert_false(ack.auth.present);
    assert_int_equal(ack.result_count, 1);
}

/* Encodes into every buffer size up to the right one. */
#define CHECK_ENCODE(vector, call)                                                                 \
    do {                                                                                           \
        for (size_t cap = 0; cap <= (vector).len; cap++) {                                         \
            uint8_t *out = malloc(cap > 0 ? cap : 1);                                              \
            assert_non_null(out);                                                                  \
            size_t len = (call);                                                                   \
            assert_int_equal(len, cap < (vector).len ? 0 : (vector).len);                          \
            assert_memory_equal(out, (vector).octets, len);                                        \
            free(out);                                                                             \
        }                                                                                          \
    } while (0)

static void a_encode_binds_equal_the_vectors(void **state)
{
    (void)state;
    struct pdu_syntax features =
        pdu_syntax_features(PDU_FEATURE_SECURITY_MULTIPLEX | PDU_FEATURE_KEEP_ON_ORPHAN);
    struct pdu_offer offers[3] = {
        {.context_id = 0, .abstract = iface, .syntaxes = &pdu_syntax_ndr, .syntax_count = 1},
        {.context_id = 1, .abstract = iface, .syntaxes = &pdu_syntax_ndr64, .syntax_count = 1},
        {.context_id = 2, .abstract = iface, .syntaxes = &features, .syntax_count = 1},
    };
    struct vector v = vector_load("a1_bind");
    CHECK_ENCODE(v, pdu_encode_bind(out, cap, PDU_BIND, 0, 1, &offered, offers, 3));

    struct pdu_offer later = {3, iface, &pdu_syntax_ndr, 1};
    v = vector_load("d1_alter_context");
    CHECK_ENCODE(v, pdu_encode_bind(out, cap, PDU_ALTER_CONTEXT, 0, 4, &agreed, &later, 1));
}

static void a_encode_bind_with_trailer(void **state)
{
    (void)state;
    const struct pdu_syntax both[2] = {pdu_syntax_ndr, pdu_syntax_ndr64};
    struct pdu_offer offer = {.abstract = iface, .syntaxes = both, .syntax_count = 2};
    struct pdu_auth auth = {
        .present = true, .type = 9, .level = 6, .context_id = 77, .token_len = 4};
    const uint8_t token[4] = {0xde, 0xad, 0xbe, 0xef};
    struct vector v = vector_load("d7_bind_auth");
    for (size_t cap = 92; cap <= v.len; cap++) {
        uint8_t *out = malloc(cap);
        assert_non_null(out);
        size_t len =
            pdu_encode_bind(out, cap, PDU_BIND, PFC_SUPPORT_HEADER_SIGN, 9, &offered, &offer, 1);
        assert_int_equal(len, 92);
        len = pdu_append_auth(out, cap, len, &auth, token);
        assert_int_equal(len, cap < v.len ? 0 : v.len);
        assert_memory_equal(out, v.octets, len);
        free(out);
    }
}

static void a_encode_answers_equal_the_vectors(void **state)
{
    (void)state;
    struct pdu_result results[3] = {
        {.result = PDU_RESULT_ACCEPTANCE, .syntax = pdu_syntax_ndr},
        {.result = PDU_RESULT_PROVIDER_REJECTION, .reason = PDU_REASON_TRANSFER_SYNTAXES},
        {.result = PDU_RESULT_NEGOTIATE_ACK, .reason = 0x03},
    };
    struct vector v = vector_load("a2_bind_ack");
    CHECK_ENCODE(v, pdu_encode_bind_ack(out, cap, PDU_BIND_ACK, 0, 1, &agreed, "5000", results, 3));

    struct pdu_result wide[3] = {
        {.result = PDU_RESULT_PROVIDER_REJECTION, .reason = PDU_REASON_TRANSFER_SYNTAXES},
        {.result = PDU_RESULT_ACCEPTANCE, .syntax = pdu_syntax_ndr64},
        {.result = PDU_RESULT_NEGOTIATE_ACK, .reason = 0x03},
    };
    v = vector_load("b_bind_ack");
    CHECK_ENCODE(v, pdu_encode_bind_ack(out, cap, PDU_BIND_ACK, 0, 1, &agreed, "5000", wide, 3));

    v = vector_load("d2_alter_context_resp");
    CHECK_ENCODE(
        v, pdu_encode_bind_ack(out, cap, PDU_ALTER_CONTEXT_RESP, 0, 4, &agreed, NULL, results, 1));
    v = vector_load("d3_bind_nak");
    CHECK_ENCODE(v, pdu_encode_bind_nak(out, cap, 1, PDU_REJECT_PROTOCOL_VERSION));
}

static void b_bind_beyond_65535_is_refused(void **state)
{
    (void)state;
    static struct pdu_syntax many[255];
    static struct pdu_offer offers[255];
    static uint8_t out[255 * (24 + 255 * 20) + 28];
    for (size_t i = 0; i < 255; i++)
        offers[i] = (struct pdu_offer){(uint16_t)i, iface, many, 255};
    assert_int_equal(pdu_encode_bind(out, sizeof(out), PDU_BIND, 0, 1, &offered, offers, 255), 0);

    static char addr[UINT16_MAX + 1];
    memset(addr, 'a', UINT16_MAX);
    assert_int_equal(
        pdu_encode_bind_ack(out, sizeof(out), PDU_BIND_ACK, 0, 1, &agreed, addr, NULL, 0), 0);
}

static void b_features_round_trip(void **state)
{
    (void)state;
    uint64_t bits = 1;
    struct pdu_syntax syntax = pdu_syntax_features(0x8000000000000002u);
    assert_true(pdu_syntax_is_features(&syntax, &bits));
    assert_true(bits == 0x8000000000000002u);
    assert_int_equal(syntax.uuid.Data4[0], 2);
    assert_int_equal(syntax.uuid.Data4[7], 0x80);
    syntax.minor = 1;
    assert_false(pdu_syntax_is_features(&syntax, &bits));
    assert_false(pdu_syntax_is_features(&pdu_syntax_ndr, &bits));
    assert_false(pdu_syntax_equal(&pdu_syntax_ndr, &pdu_syntax_ndr64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bind_with_three_contexts),
        cmocka_unit_test(a_bind_with_two_syntaxes_and_trailer),
        cmocka_unit_test(a_bind_big_endian),
        cmocka_unit_test(a_bind_ack_results),
        cmocka_unit_test(a_alter_context_resp_without_address),
        cmocka_unit_test(a_bind_ack_big_endian_with_surplus),
        cmocka_unit_test(a_bind_nak),
        cmocka_unit_test(a_encode_binds_equal_the_vectors),
        cmocka_unit_test(a_encode_bind_with_trailer),
        cmocka_unit_test(a_encode_answers_equal_the_vectors),
        cmocka_unit_test(b_bind_nak_is_lenient),
        cmocka_unit_test(b_context_count_beyond_the_octets),
        cmocka_unit_test(b_syntax_count_beyond_the_octets),
        cmocka_unit_test(b_empty_lists_are_well_formed),
        cmocka_unit_test(b_sec_addr_beyond_the_octets),
        cmocka_unit_test(b_result_count_beyond_the_octets),
        cmocka_unit_test(b_trailer_with_empty_token),
        cmocka_unit_test(b_bind_beyond_65535_is_refused),
        cmocka_unit_test(b_features_round_trip),
    };
    return cmocka_run_group_tests_name("pdu_bind", tests, NULL, NULL);
}
