/* SPDX-License-Identifier: MIT */
/* pdu_test.c - headers, call PDUs, security trailers, print; and what holds for
 * every PDU: prefixes, bit flips, hostile lengths.  Vectors: tests/vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"
#include "wire/pdu.h"

/* Every vector that is one PDU, and its print. */
static const struct printed {
    const char *name;
    const char *text;
} printed[] = {
    {"a1_bind", "bind call=1 first+last len=160 xmit=5840 recv=5840 group=0x0 "
                "[0 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0, ndr] "
                "[1 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0, ndr64] "
                "[2 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0, features:0x3]"},
    {"a2_bind_ack", "bind_ack call=1 first+last len=108 xmit=5840 recv=5840 group=0x12345 "
                    "addr=\"5000\" [accept ndr] [reject 2/2] [features:0x3]"},
    {"a3_request", "request call=2 first len=48 hint=44 ctx=0 op=0 stub=24"},
    {"a4_request", "request call=2 last len=44 hint=20 ctx=0 op=0 stub=20"},
    {"a5_response", "response call=2 first+last len=56 hint=32 ctx=0 cancels=0 stub=32"},
    {"b_bind_ack", "bind_ack call=1 first+last len=108 xmit=5840 recv=5840 group=0x12345 "
                   "addr=\"5000\" [reject 2/2] [accept ndr64] [features:0x3]"},
    {"b_request", "request call=2 first+last len=128 hint=104 ctx=1 op=0 stub=104"},
    {"b_response", "response call=2 first+last len=96 hint=72 ctx=1 cancels=0 stub=72"},
    {"c1_request", "request call=3 first len=48 hint=0 ctx=0 op=0 stub=24"},
    {"c2_fault", "fault call=3 first+last len=32 hint=32 ctx=0 cancels=0 status=0x1c000017 stub=0"},
    {"c3_co_cancel", "co_cancel call=3 first+last len=16"},
    {"c4_orphaned", "orphaned call=3 first+last len=16"},
    {"d1_alter_context", "alter_context call=4 first+last len=72 xmit=5840 recv=5840 group=0x12345 "
                         "[3 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0, ndr]"},
    {"d2_alter_context_resp",
     "alter_context_resp call=4 first+last len=56 xmit=5840 recv=5840 group=0x12345 "
     "addr=\"\" [accept ndr]"},
    {"d3_bind_nak", "bind_nak call=1 first+last len=24 reason=4 speaks=5.0"},
    {"d4_shutdown", "shutdown call=0 first+last len=16"},
    {"d5_request_auth", "request call=5 first+last+object len=80 hint=12 ctx=1 op=7 "
                        "object=12345678-9abc-def0-0102-030405060708 stub=12 "
                        "auth=type:10,level:5,ctx:2,pad:4,token:16"},
    {"d6_auth3", "auth3 call=1 first+last len=33 auth=type:10,level:6,ctx:0,pad:0,token:5"},
    {"d7_bind_auth", "bind call=9 first+last+sign_header len=104 xmit=5840 recv=5840 group=0x0 "
                     "[0 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.0, ndr, ndr64] "
                     "auth=type:9,level:6,ctx:77,pad:0,token:4"},
    {"e1_bind_big", "bind call=1 first+last len=72 big_endian xmit=5840 recv=5840 group=0x12345 "
                    "[3 a7c1e5d0-3b52-4f6e-9d18-5c0b7e2f4a91 v1.2, ndr]"},
    {"e2_bind_ack_big", "bind_ack call=1 first+last len=64 big_endian xmit=5840 recv=5840 "
                        "group=0x12345 addr=\"135\" [reject 2/1]"},
    {"e3_request_big", "request call=33 first+object len=64 big_endian hint=256 ctx=2 op=7 "
                       "object=12345678-9abc-def0-0102-030405060708 stub=4 "
                       "auth=type:16,level:5,ctx:77,pad:4,token:8"},
    {"e4_response_big", "response call=33 last len=28 big_endian hint=4 ctx=258 cancels=3 stub=4"},
    {"e5_fault_big", "fault call=33 first+last+not_executed len=32 big_endian hint=0 ctx=1 "
                     "cancels=2 status=0x1c010003 stub=0"},
};
#define PRINTED_COUNT (sizeof(printed) / sizeof(printed[0]))

/* Whatever a decoder may return. */
union body {
    struct pdu_request request;
    struct pdu_response response;
    struct pdu_fault fault;
    struct pdu_bind bind;
    struct pdu_bind_ack ack;
    struct pdu_bind_nak nak;
    struct pdu_auth auth;
};

/* Header and body of one PDU of any type; NEED_MORE and MALFORMED from either. */
static enum pdu_verdict decode_any(const uint8_t *pdu, size_t len, struct pdu_header *ret_hdr,
                                   union body *ret_body)
{
    enum pdu_verdict verdict = pdu_decode_header(pdu, len, ret_hdr);
    if (verdict != PDU_OK)
        return verdict;
    struct wire_reader body;
    switch (ret_hdr->type) {
    case PDU_REQUEST:
        return pdu_decode_request(ret_hdr, pdu, len, &ret_body->request);
    case PDU_RESPONSE:
        return pdu_decode_response(ret_hdr, pdu, len, &ret_body->response);
    case PDU_FAULT:
        return pdu_decode_fault(ret_hdr, pdu, len, &ret_body->fault);
    case PDU_BIND:
    case PDU_ALTER_CONTEXT:
        return pdu_decode_bind(ret_hdr, pdu, len, &ret_body->bind);
    case PDU_BIND_ACK:
    case PDU_ALTER_CONTEXT_RESP:
        return pdu_decode_bind_ack(ret_hdr, pdu, len, &ret_body->ack);
    case PDU_BIND_NAK:
        return pdu_decode_bind_nak(ret_hdr, pdu, len, &ret_body->nak);
    case PDU_AUTH3:
        return pdu_decode_auth3(ret_hdr, pdu, len, &ret_body->auth);
    default:
        return pdu_open_body(ret_hdr, pdu, len, &body, &ret_body->auth);
    }
}

/* Loads and decodes a vector that must be good. */
static struct vector load(const char *name, struct pdu_header *ret_hdr, union body *ret_body)
{
    struct vector v = vector_load(name);
    assert_int_equal(decode_any(v.octets, v.len, ret_hdr, ret_body), PDU_OK);
    return v;
}

static void a_header_fields(void **state)
{
    (void)state;
    struct pdu_header h;
    struct vector v = vector_load("a3_request");
    assert_int_equal(pdu_decode_header(v.octets, v.len, &h), PDU_OK);
    assert_int_equal(h.vers, 5);
    assert_int_equal(h.vers_minor, 0);
    assert_int_equal(h.type, PDU_REQUEST);
    assert_int_equal(h.flags, PFC_FIRST_FRAG);
    assert_true(h.little_endian);
    assert_int_equal(h.frag_len, 48);
    assert_int_equal(h.auth_len, 0);
    assert_int_equal(h.call_id, 2);

    v = vector_load("e3_request_big");
    assert_int_equal(pdu_decode_header(v.octets, v.len, &h), PDU_OK);
    assert_false(h.little_endian);
    assert_int_equal(h.frag_len, 64);
    assert_int_equal(h.auth_len, 8);
    assert_int_equal(h.call_id, 0x21);
}

static void a_request_little_and_big(void **state)
{
    (void)state;
    struct pdu_header h;
    union body b;
    struct vector v = load("a3_request", &h, &b);
    assert_int_equal(b.request.alloc_hint, 44);
    assert_int_equal(b.request.context_id, 0);
    assert_int_equal(b.request.opnum, 0);
    assert_false(b.request.has_object);
    assert_int_equal(b.request.stub_offset, 24);
    assert_int_equal(b.request.stub_len, 24);
    assert_int_equal(v.octets[b.request.stub_offset], 7);
    assert_false(b.request.auth.present);

    load("e3_request_big", &h, &b);
    const UUID object = {0x12345678, 0x9abc, 0xdef0, {1, 2, 3, 4, 5, 6, 7, 8}};
    assert_int_equal(b.request.alloc_hint, 256);
    assert_int_equal(b.request.context_id, 2);
    assert_int_equal(b.request.opnum, 7);
    assert_true(b.request.has_object);
    assert_memory_equal(&b.request.object, &object, sizeof(object));
    assert_int_equal(b.request.stub_offset, 40);
    assert_int_equal(b.request.stub_len, 4);
    assert_true(b.request.auth.present);
    assert_int_equal(b.request.auth.type, 16);
    assert_int_equal(b.request.auth.level, 5);
    assert_int_equal(b.request.auth.pad_len, 4);
    assert_int_equal(b.request.auth.context_id, 77);
    assert_int_equal(b.request.auth.trailer_offset, 48);
    assert_int_equal(b.request.auth.token_len, 8);
}

static void a_response_and_fault(void **state)
{
    (void)state;
    struct pdu_header h;
    union body b;
    load("a5_response", &h, &b);
    assert_int_equal(b.response.alloc_hint, 32);
    assert_int_equal(b.response.stub_offset, 24);
    assert_int_equal(b.response.stub_len, 32);
    load("e4_response_big", &h, &b);
    assert_int_equal(b.response.context_id, 0x102);
    assert_int_equal(b.response.cancel_count, 3);
    assert_int_equal(b.response.stub_len, 4);

    load("c2_fault", &h, &b);
    assert_int_equal(b.fault.alloc_hint, 32);
    assert_int_equal(b.fault.status, 0x1c000017);
    assert_int_equal(b.fault.stub_len, 0);
    load("e5_fault_big", &h, &b);
    assert_int_equal(h.flags, PFC_WHOLE | PFC_DID_NOT_EXECUTE);
    assert_int_equal(b.fault.context_id, 1);
    assert_int_equal(b.fault.cancel_count, 2);
    assert_int_equal(b.fault.status, 0x1c010003);
}

static void a_auth3_trailer(void **state)
{
    (void)state;
    struct pdu_header h;
    union body b;
    load("d6_auth3", &h, &b);
    assert_int_equal(b.auth.type, 10);
    assert_int_equal(b.auth.level, 6);
    assert_int_equal(b.auth.trailer_offset, 20);
    assert_int_equal(b.auth.token_len, 5);
}

static void a_print_of_every_vector(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        char text[1024];
        struct vector v = vector_load(printed[i].name);
        size_t len = pdu_print(text, sizeof(text), v.octets, v.len);
        assert_string_equal(text, printed[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static void b_print_is_bounded(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        struct vector v = vector_load(printed[i].name);
        size_t whole = strlen(printed[i].text);
        for (size_t cap = 1; cap <= whole + 2; cap++) {
            char *text = malloc(cap);
            assert_non_null(text);
            size_t len = pdu_print(text, cap, v.octets, v.len);
            assert_int_equal(len, cap - 1 < whole ? cap - 1 : whole);
            assert_memory_equal(text, printed[i].text, len);
            assert_int_equal(text[len], '\0');
            free(text);
        }
    }
}

static void b_print_of_bad_octets(void **state)
{
    (void)state;
    char text[256];
    struct vector v = vector_load("a3_request");
    pdu_print(text, sizeof(text), v.octets, 15);
    assert_string_equal(text, "incomplete header: 15 of 16 octets");
    pdu_print(text, sizeof(text), v.octets, 20);
    assert_string_equal(text, "request call=2 first len=48 incomplete: 20 octets here");
    v.octets[10] = 30; /* auth_length with room for the token, not for the trailer */
    pdu_print(text, sizeof(text), v.octets, v.len);
    assert_string_equal(text, "request call=2 first len=48 malformed, auth_length=30");
    v.octets[8] = 15;
    pdu_print(text, sizeof(text), v.octets, v.len);
    assert_string_equal(text, "malformed header: frag_length below 16");

    v = vector_load("c3_co_cancel");
    v.octets[0] = 4;
    v.octets[1] = 1;
    v.octets[2] = 99;
    v.octets[3] = 0x08;
    v.octets[5] = 1;
    pdu_print(text, sizeof(text), v.octets, v.len);
    assert_string_equal(text, "?(99) call=3 reserved len=16 version=4.1 drep=10010000");

    v = vector_load("a2_bind_ack");
    memcpy(v.octets + 26, "\033[2J", 4); /* a terminal sequence as secondary address */
    pdu_print(text, sizeof(text), v.octets, v.len);
    assert_non_null(strstr(text, "addr=\"?[2J\""));
}

/* No prefix of a PDU decodes; each asks for more and no octet behind it is read.
 * Wire input may end anywhere, so this is the receiver's daily bread. */
static void b_every_prefix_needs_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        struct vector v = vector_load(printed[i].name);
        for (size_t len = 0; len < v.len; len++) {
            uint8_t *copy = exact_copy(v.octets, len);
            struct pdu_header h;
            union body b;
            assert_int_equal(decode_any(copy, len, &h, &b), PDU_NEED_MORE);
            char text[1024];
            pdu_print(text, sizeof(text), copy, len);
            assert_non_null(strstr(text, "incomplete"));
            free(copy);
        }
        uint8_t *copy = exact_copy(v.octets, v.len);
        struct pdu_header h;
        union body b;
        assert_int_equal(decode_any(copy, v.len, &h, &b), PDU_OK);
        free(copy);
    }
}

/* The same with frag_length telling the truth about the shorter PDU: now nothing
 * is missing and the fixed part, if cut, must be malformed.  Only stubs, and the
 * deliberately tolerated ends of bind_nak and e2, may be shorter. */
static void b_every_truncation_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        struct vector v = vector_load(printed[i].name);
        struct pdu_header h;
        assert_int_equal(pdu_decode_header(v.octets, v.len, &h), PDU_OK);
        for (size_t len = 0; len < v.len; len++) {
            uint8_t *copy = exact_copy(v.octets, len);
            if (len >= 10) {
                copy[8] = (uint8_t)(h.little_endian ? len : 0);
                copy[9] = (uint8_t)(h.little_endian ? 0 : len);
            }
            struct pdu_header cut;
            union body b;
            enum pdu_verdict verdict = decode_any(copy, len, &cut, &b);
            if (len < PDU_HEADER_LEN)
                assert_int_equal(verdict, PDU_NEED_MORE);
            else if (len < pdu_type_min_len(h.type))
                assert_int_equal(verdict, PDU_MALFORMED);
            else if (h.type == PDU_BIND || h.type == PDU_ALTER_CONTEXT)
                assert_int_equal(verdict, PDU_MALFORMED);
            else if (h.type == PDU_ALTER_CONTEXT_RESP)
                assert_int_equal(verdict, PDU_MALFORMED);
            else if (h.type == PDU_BIND_ACK) /* e2 has 4 octets behind its results */
                assert_int_equal(verdict, len < v.len - 4   ? PDU_MALFORMED
                                          : h.little_endian ? PDU_MALFORMED
                                                            : PDU_OK);
            free(copy);
        }
    }
}

static void b_every_bit_flip_survives(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRINTED_COUNT; i++) {
        struct vector v = vector_load(printed[i].name);
        for (size_t bit = 0; bit < 8 * v.len; bit++) {
            uint8_t *copy = exact_copy(v.octets, v.len);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct pdu_header h;
            union body b;
            char text[1024];
            enum pdu_verdict verdict = decode_any(copy, v.len, &h, &b);
            assert_in_range(verdict, PDU_OK, PDU_MALFORMED);
            assert_true(pdu_print(text, sizeof(text), copy, v.len) > 0);
            free(copy);
        }
    }
}

/* A frag_length below the header would make the receiver take no octets and spin. */
static void b_frag_len_below_header(void **state)
{
    (void)state;
    struct vector v = vector_load("c3_co_cancel");
    for (unsigned len = 0; len < PDU_HEADER_LEN; len++) {
        struct pdu_header h;
        v.octets[8] = (uint8_t)len;
        assert_int_equal(pdu_decode_header(v.octets, v.len, &h), PDU_MALFORMED);
    }
}

/* Every auth_length of a request and of an auth3: good as long as header, fixed
 * body, pad and trailer have room, malformed beyond; the header decodes always,
 * so that the peer can be answered. */
static void b_auth_len_beyond_the_pdu(void **state)
{
    (void)state;
    static const char *const names[] = {"d5_request_auth", "d6_auth3"};
    for (size_t i = 0; i < 2; i++) {
        struct vector v = vector_load(names[i]);
        size_t fixed = i == 0 ? 40 : 20;
        for (size_t auth_len = 1; auth_len <= UINT16_MAX; auth_len += auth_len < 200 ? 1 : 99) {
            uint8_t *copy = exact_copy(v.octets, v.len);
            copy[10] = (uint8_t)auth_len;
            copy[11] = (uint8_t)(auth_len >> 8);
            struct pdu_header h;
            union body b;
            assert_int_equal(pdu_decode_header(copy, v.len, &h), PDU_OK);
            bool fits = fixed + 8 + auth_len <= v.len;
            if (fits && i == 0) { /* the pad is read from wherever the trailer now is */
                size_t trailer = v.len - auth_len - 8;
                fits = copy[trailer + 2] <= trailer - fixed;
            }
            assert_int_equal(decode_any(copy, v.len, &h, &b), fits ? PDU_OK : PDU_MALFORMED);
            free(copy);
        }
    }
}

static void b_pad_len_beyond_the_stub(void **state)
{
    (void)state;
    struct vector v = vector_load("d5_request_auth");
    for (unsigned pad = 0; pad < 256; pad++) {
        struct pdu_header h;
        union body b;
        v.octets[56 + 2] = (uint8_t)pad;
        enum pdu_verdict verdict = decode_any(v.octets, v.len, &h, &b);
        assert_int_equal(verdict, pad <= 16 ? PDU_OK : PDU_MALFORMED);
        if (verdict == PDU_OK)
            assert_int_equal(b.request.stub_len, 16 - pad);
    }
}

/* co_cancel and orphaned may carry a trailer; one that does not fit is malformed
 * although there is no body to run short of. */
static void b_header_only_with_a_trailer(void **state)
{
    (void)state;
    struct vector v = vector_load("c3_co_cancel");
    struct pdu_header h;
    union body b;
    memset(v.octets + 16, 0x11, 32);
    for (size_t frag_len = 16; frag_len <= 48; frag_len++) {
        for (size_t auth_len = 0; auth_len <= 48; auth_len++) {
            v.octets[8] = (uint8_t)frag_len;
            v.octets[10] = (uint8_t)auth_len;
            bool good = auth_len == 0 || 16 + 8 + auth_len <= frag_len;
            uint8_t *copy = exact_copy(v.octets, frag_len);
            assert_int_equal(decode_any(copy, frag_len, &h, &b), good ? PDU_OK : PDU_MALFORMED);
            free(copy);
            if (!good)
                continue;
            assert_int_equal(b.auth.present, auth_len > 0);
            assert_int_equal(b.auth.token_len, auth_len);
        }
    }
}

static void b_auth3_without_a_token(void **state)
{
    (void)state;
    struct vector v = vector_load("d6_auth3");
    struct pdu_header h;
    union body b;
    v.octets[10] = 0;
    assert_int_equal(decode_any(v.octets, v.len, &h, &b), PDU_MALFORMED);
}

static void b_unsupported_dreps(void **state)
{
    (void)state;
    for (unsigned at = 0; at < 4; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t drep[4] = {0};
            drep[at] = (uint8_t)value;
            bool good = value == 0 || (at == 0 && value == 0x10);
            assert_int_equal(pdu_drep_supported(drep), good);
        }
    }
}

static void b_type_table(void **state)
{
    (void)state;
    assert_string_equal(pdu_type_name(PDU_REQUEST), "request");
    assert_string_equal(pdu_type_name(PDU_ORPHANED), "orphaned");
    assert_string_equal(pdu_type_name(21), "?");
    assert_string_equal(pdu_type_name(255), "?");
    assert_int_equal(pdu_type_sender(PDU_BIND_ACK), PDU_SENDER_SERVER);
    assert_int_equal(pdu_type_sender(PDU_AUTH3), PDU_SENDER_CLIENT);
    assert_int_equal(pdu_type_sender(PDU_PING), PDU_SENDER_NONE);
    assert_int_equal(pdu_type_sender(200), PDU_SENDER_NONE);
    for (unsigned type = 0; type < 256; type++) {
        assert_non_null(pdu_type_name((uint8_t)type));
        assert_true(pdu_type_min_len((uint8_t)type) >= PDU_HEADER_LEN);
    }
}

/* Decodes a little-endian vector, encodes what was decoded, and compares with the
 * vector's head; every smaller buffer is refused without touching more. */
static void check_encode(const char *name)
{
    struct pdu_header h;
    union body b;
    struct vector v = load(name, &h, &b);
    size_t whole = 0;
    for (size_t cap = 0; cap <= v.len; cap++) {
        uint8_t *out = malloc(cap > 0 ? cap : 1);
        assert_non_null(out);
        size_t len = 0;
        switch (h.type) {
        case PDU_REQUEST:
            len = pdu_encode_request(out, cap, h.flags, h.call_id, &b.request);
            whole = b.request.stub_offset;
            break;
        case PDU_RESPONSE:
            len = pdu_encode_response(out, cap, h.flags, h.call_id, &b.response);
            whole = b.response.stub_offset;
            break;
        case PDU_FAULT:
            len = pdu_encode_fault(out, cap, h.flags, h.call_id, &b.fault);
            whole = v.len;
            break;
        default:
            len = pdu_encode_empty(out, cap, (enum pdu_type)h.type, h.call_id);
            whole = v.len;
            break;
        }
        assert_int_equal(len, cap < whole ? 0 : whole);
        assert_memory_equal(out, v.octets, len);
        free(out);
    }
    assert_true(whole >= PDU_HEADER_LEN);
}

static void a_encode_equals_the_vectors(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a3_request", "a4_request",   "a5_response", "b_request",   "b_response",     "c1_request",
        "c2_fault",   "c3_co_cancel", "c4_orphaned", "d4_shutdown", "d5_request_auth"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        check_encode(names[i]);
}

static void a_encode_auth3_and_trailer(void **state)
{
    (void)state;
    struct vector v = vector_load("d6_auth3");
    struct pdu_auth auth = {.present = true, .type = 10, .level = 6, .token_len = 5};
    uint8_t token[5] = {1, 2, 3, 4, 5};
    for (size_t cap = 0; cap <= v.len; cap++) {
        uint8_t *out = malloc(cap > 0 ? cap : 1);
        assert_non_null(out);
        size_t len = pdu_encode_auth3(out, cap, 0, 1);
        assert_int_equal(len, cap < 20 ? 0 : 20);
        if (len > 0)
            len = pdu_append_auth(out, cap, len, &auth, token);
        assert_int_equal(len, cap < v.len ? 0 : v.len);
        assert_memory_equal(out, v.octets, len);
        free(out);
    }

    v = vector_load("d5_request_auth");
    struct pdu_auth signature = {
        .present = true, .type = 10, .level = 5, .pad_len = 4, .context_id = 2, .token_len = 16};
    uint8_t trailer[8];
    assert_int_equal(pdu_encode_sec_trailer(trailer, 8, &signature), 8);
    assert_memory_equal(trailer, v.octets + 56, 8);
    assert_int_equal(pdu_encode_sec_trailer(trailer, 7, &signature), 0);
}

static void b_encode_refuses_more_than_65535(void **state)
{
    (void)state;
    uint8_t out[64];
    struct pdu_request req = {.stub_len = 65535 - 24};
    assert_int_equal(pdu_encode_request(out, sizeof(out), PFC_WHOLE, 1, &req), 24);
    assert_int_equal(out[8], 0xff);
    assert_int_equal(out[9], 0xff);
    req.has_object = true;
    assert_int_equal(pdu_encode_request(out, sizeof(out), PFC_WHOLE, 1, &req), 0);
    struct pdu_response resp = {.stub_len = 65535 - 24 - 8,
                                .auth = {.present = true, .token_len = 1}};
    assert_int_equal(pdu_encode_response(out, sizeof(out), PFC_WHOLE, 1, &resp), 0);
}

/* The flag and the field cannot disagree, whatever the caller's flags say. */
static void b_object_flag_follows_the_object(void **state)
{
    (void)state;
    uint8_t out[64];
    struct pdu_request req = {.opnum = 1};
    assert_int_equal(pdu_encode_request(out, sizeof(out), 0xff, 1, &req), 24);
    assert_int_equal(out[3], 0x7f);
    req.has_object = true;
    assert_int_equal(pdu_encode_request(out, sizeof(out), 0, 1, &req), 40);
    assert_int_equal(out[3], 0x80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_fields),
        cmocka_unit_test(a_request_little_and_big),
        cmocka_unit_test(a_response_and_fault),
        cmocka_unit_test(a_auth3_trailer),
        cmocka_unit_test(a_print_of_every_vector),
        cmocka_unit_test(a_encode_equals_the_vectors),
        cmocka_unit_test(a_encode_auth3_and_trailer),
        cmocka_unit_test(b_print_is_bounded),
        cmocka_unit_test(b_print_of_bad_octets),
        cmocka_unit_test(b_every_prefix_needs_more),
        cmocka_unit_test(b_every_truncation_is_judged),
        cmocka_unit_test(b_every_bit_flip_survives),
        cmocka_unit_test(b_frag_len_below_header),
        cmocka_unit_test(b_auth_len_beyond_the_pdu),
        cmocka_unit_test(b_pad_len_beyond_the_stub),
        cmocka_unit_test(b_header_only_with_a_trailer),
        cmocka_unit_test(b_auth3_without_a_token),
        cmocka_unit_test(b_unsupported_dreps),
        cmocka_unit_test(b_type_table),
        cmocka_unit_test(b_encode_refuses_more_than_65535),
        cmocka_unit_test(b_object_flag_follows_the_object),
    };
    return cmocka_run_group_tests_name("pdu", tests, NULL, NULL);
}
