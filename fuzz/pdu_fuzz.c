/* SPDX-License-Identifier: MIT */
/* pdu_fuzz.c - arbitrary octets as a stream of PDUs: every decoder and the print
 * over each of them; what decodes is encoded and decoded again, and where the
 * original was canonical the encoding must equal it, octet by octet. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/pdu.h"

/* A finding is a crash, also in builds without assertions. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

#define SYNTAX_COUNT_MAX (PDU_LEN_MAX / 20)

static uint8_t encoded[PDU_LEN_MAX];
static struct pdu_syntax syntaxes[SYNTAX_COUNT_MAX];
static struct pdu_offer offers[UINT8_MAX];
static struct pdu_result results[UINT8_MAX];

/* Encoders write the one form we send: compare only where the peer used it. */
static bool same_form(const struct pdu_header *hdr)
{
    return hdr->vers == PDU_VERS && hdr->vers_minor == PDU_VERS_MINOR &&
           hdr->little_endian == WIRE_HOST_LITTLE_ENDIAN &&
           pdu_drep_supported(hdr->drep);
}

/* The first `len` octets of the original and of `encoded`, apart from those at the
 * places `skip`: reserved octets, which a decoder rightly forgets. */
static void require_equal(const uint8_t *pdu, size_t len, const uint8_t *skip, size_t skip_count)
{
    for (size_t i = 0; i < len; i++) {
        bool skipped = false;
        for (size_t k = 0; k < skip_count; k++)
            skipped |= skip[k] == i;
        REQUIRE(skipped || pdu[i] == encoded[i]);
    }
}

static void try_request(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_request req, again;
    struct pdu_header hdr2;
    if (pdu_decode_request(hdr, pdu, len, &req) != PDU_OK)
        return;
    REQUIRE(req.stub_offset + (size_t)req.stub_len <= hdr->frag_len);
    size_t n = pdu_encode_request(encoded, sizeof(encoded), hdr->flags, hdr->call_id, &req);
    REQUIRE(n == req.stub_offset);
    if (same_form(hdr) && hdr->type == PDU_REQUEST)
        require_equal(pdu, n, NULL, 0);
    /* Stub, pad and trailer are the caller's to append. */
    memset(encoded + n, 0x5a, hdr->frag_len - n);
    if (req.auth.present)
        REQUIRE(pdu_encode_sec_trailer(encoded + req.auth.trailer_offset, PDU_SEC_TRAILER_LEN,
                                       &req.auth) == PDU_SEC_TRAILER_LEN);
    REQUIRE(pdu_decode_header(encoded, hdr->frag_len, &hdr2) == PDU_OK);
    REQUIRE(pdu_decode_request(&hdr2, encoded, hdr->frag_len, &again) == PDU_OK);
    REQUIRE(again.alloc_hint == req.alloc_hint && again.context_id == req.context_id &&
            again.opnum == req.opnum && again.stub_len == req.stub_len &&
            again.auth.token_len == req.auth.token_len &&
            again.auth.context_id == req.auth.context_id &&
            memcmp(&again.object, &req.object, sizeof(req.object)) == 0);
}

static void try_response(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_response resp;
    if (pdu_decode_response(hdr, pdu, len, &resp) != PDU_OK)
        return;
    REQUIRE(resp.stub_offset + (size_t)resp.stub_len <= hdr->frag_len);
    size_t n = pdu_encode_response(encoded, sizeof(encoded), hdr->flags, hdr->call_id, &resp);
    REQUIRE(n == PDU_RESPONSE_LEN);
    if (same_form(hdr) && hdr->type == PDU_RESPONSE)
        require_equal(pdu, n, (const uint8_t[]){23}, 1);
}

static void try_fault(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_fault fault, again;
    struct pdu_header hdr2;
    if (pdu_decode_fault(hdr, pdu, len, &fault) != PDU_OK)
        return;
    size_t n = pdu_encode_fault(encoded, sizeof(encoded), hdr->flags, hdr->call_id, &fault);
    REQUIRE(n == PDU_FAULT_LEN);
    if (same_form(hdr) && hdr->type == PDU_FAULT && hdr->frag_len == n && hdr->auth_len == 0 &&
        (hdr->flags & PFC_WHOLE) == PFC_WHOLE)
        require_equal(pdu, n, (const uint8_t[]){28, 29, 30, 31}, 4);
    REQUIRE(pdu_decode_header(encoded, n, &hdr2) == PDU_OK);
    REQUIRE(pdu_decode_fault(&hdr2, encoded, n, &again) == PDU_OK);
    REQUIRE(again.status == fault.status && again.context_id == fault.context_id &&
            again.cancel_count == fault.cancel_count && again.alloc_hint == fault.alloc_hint);
}

/* Collects what the iterators yield, so that it can be encoded. */
static uint8_t collect_offers(struct pdu_bind *bind)
{
    size_t used = 0;
    uint8_t count = 0;
    struct pdu_context context;
    while (pdu_next_context(&bind->contexts, &context)) {
        struct pdu_offer *offer = &offers[count++];
        *offer = (struct pdu_offer){context.id, context.abstract, &syntaxes[used], 0};
        while (used < SYNTAX_COUNT_MAX && pdu_next_syntax(&context.syntaxes, &syntaxes[used])) {
            used++;
            offer->syntax_count++;
        }
        REQUIRE(offer->syntax_count == context.syntax_count);
    }
    REQUIRE(count == bind->context_count);
    return count;
}

static void try_bind(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_bind bind, again;
    struct pdu_header hdr2;
    if (pdu_decode_bind(hdr, pdu, len, &bind) != PDU_OK)
        return;
    uint8_t count = collect_offers(&bind);
    enum pdu_type type = hdr->type == PDU_ALTER_CONTEXT ? PDU_ALTER_CONTEXT : PDU_BIND;
    size_t n = pdu_encode_bind(encoded, sizeof(encoded), type, hdr->flags, hdr->call_id,
                               &bind.terms, offers, count);
    REQUIRE(n >= 28 && n <= hdr->frag_len);
    REQUIRE(pdu_decode_header(encoded, n, &hdr2) == PDU_OK);
    REQUIRE(pdu_decode_bind(&hdr2, encoded, n, &again) == PDU_OK);
    REQUIRE(again.context_count == bind.context_count);
    /* The fixed part and the first element's fixed part; later reserved octets lie
     * where only the lists know. */
    if (same_form(hdr) && hdr->type == type && hdr->frag_len == n &&
        (hdr->flags & PFC_WHOLE) == PFC_WHOLE)
        require_equal(pdu, n < 52 ? n : 52, (const uint8_t[]){25, 26, 27, 31}, 4);
}

static void try_bind_ack(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_bind_ack ack, again;
    struct pdu_header hdr2;
    if (pdu_decode_bind_ack(hdr, pdu, len, &ack) != PDU_OK)
        return;
    unsigned count = 0;
    while (pdu_next_result(&ack.results, &results[count]))
        count++;
    REQUIRE(count == ack.result_count);

    /* The encoder takes a string: only an address that is one comes back equal. */
    bool is_string = ack.sec_addr_len > 0 && memchr(ack.sec_addr, 0, ack.sec_addr_len) ==
                                                 ack.sec_addr + ack.sec_addr_len - 1;
    const char *addr = is_string ? (const char *)ack.sec_addr : NULL;
    enum pdu_type type =
        hdr->type == PDU_ALTER_CONTEXT_RESP ? PDU_ALTER_CONTEXT_RESP : PDU_BIND_ACK;
    size_t n = pdu_encode_bind_ack(encoded, sizeof(encoded), type, hdr->flags, hdr->call_id,
                                   &ack.terms, addr, results, ack.result_count);
    REQUIRE(n >= 32 && n <= hdr->frag_len);
    REQUIRE(pdu_decode_header(encoded, n, &hdr2) == PDU_OK);
    REQUIRE(pdu_decode_bind_ack(&hdr2, encoded, n, &again) == PDU_OK);
    REQUIRE(again.result_count == ack.result_count);
    if (addr)
        REQUIRE(again.sec_addr_len == ack.sec_addr_len &&
                memcmp(again.sec_addr, addr, again.sec_addr_len) == 0);
    size_t tail = 24u * count;
    if (same_form(hdr) && hdr->frag_len == n && hdr->auth_len == 0)
        REQUIRE(memcmp(pdu + n - tail, encoded + n - tail, tail) == 0);
}

static void try_bind_nak(const struct pdu_header *hdr, const uint8_t *pdu, size_t len)
{
    struct pdu_bind_nak nak, again;
    struct pdu_header hdr2;
    if (pdu_decode_bind_nak(hdr, pdu, len, &nak) != PDU_OK)
        return;
    size_t n = pdu_encode_bind_nak(encoded, sizeof(encoded), hdr->call_id, nak.reason);
    REQUIRE(n == PDU_BIND_NAK_LEN && pdu_decode_header(encoded, n, &hdr2) == PDU_OK);
    REQUIRE(pdu_decode_bind_nak(&hdr2, encoded, n, &again) == PDU_OK);
    REQUIRE(again.reason == nak.reason && again.version_count == 1);
}

static void try_print(const uint8_t *pdu, size_t len)
{
    char whole[2048], cut[64];
    size_t n = pdu_print(whole, sizeof(whole), pdu, len);
    REQUIRE(n > 0 && n < sizeof(whole) && strlen(whole) == n);
    for (size_t i = 0; i < n; i++)
        REQUIRE(whole[i] >= ' ' && whole[i] < 0x7f);
    size_t cap = 1 + n % sizeof(cut);
    size_t m = pdu_print(cut, cap, pdu, len);
    REQUIRE(m < cap && cut[m] == '\0' && memcmp(cut, whole, m) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pdu_header hdr;
    for (;;) {
        try_print(data, len);
        if (pdu_decode_header(data, len, &hdr) != PDU_OK)
            return 0;
        /* Every decoder, whatever the type says: none may trust its caller. */
        struct pdu_auth auth;
        (void)pdu_decode_auth3(&hdr, data, len, &auth);
        try_request(&hdr, data, len);
        try_response(&hdr, data, len);
        try_fault(&hdr, data, len);
        try_bind(&hdr, data, len);
        try_bind_ack(&hdr, data, len);
        try_bind_nak(&hdr, data, len);
        if (len <= hdr.frag_len)
            return 0;
        data += hdr.frag_len;
        len -= hdr.frag_len;
    }
}
