/* SPDX-License-Identifier: MIT */
/* pdu_bind.c - the PDUs that set up an association: bind, alter_context, their
 * answers, bind_nak (C706 12.6.4.1-5; MS-RPCE 2.2.2.4-5, 2.2.2.14).
 *
 * Lists are walked once while decoding, so that an iterator can trust its octets.
 * Which contexts to accept is the association's business. */
#include "wire/pdu.h"

#include <assert.h>
#include <string.h>

/* Octets of list members on the wire. */
#define SYNTAX_LEN 20u
#define RESULT_LEN 24u

const struct pdu_syntax pdu_syntax_ndr = {
    .uuid = {0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}},
    .major = 2,
};

const struct pdu_syntax pdu_syntax_ndr64 = {
    .uuid = {0x71710533, 0xbeba, 0x4937, {0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36}},
    .major = 1,
};

const struct pdu_syntax pdu_syntax_none = {.major = 0};

/* The first half of the uuid of every feature offer; the second half is the mask. */
static const GUID features_prefix = {.Data1 = 0x6cb71c2c, .Data2 = 0x9812, .Data3 = 0x4540};

bool pdu_syntax_equal(const struct pdu_syntax *a, const struct pdu_syntax *b)
{
    /* A GUID has no padding: 4 + 2 + 2 + 8 octets. */
    return memcmp(&a->uuid, &b->uuid, sizeof(a->uuid)) == 0 && a->major == b->major &&
           a->minor == b->minor;
}

struct pdu_syntax pdu_syntax_features(uint64_t bits)
{
    struct pdu_syntax syntax = {.uuid = features_prefix, .major = 1};
    for (size_t i = 0; i < sizeof(syntax.uuid.Data4); i++)
        syntax.uuid.Data4[i] = (uint8_t)(bits >> (8 * i));
    return syntax;
}

bool pdu_syntax_is_features(const struct pdu_syntax *syntax, uint64_t *ret_bits)
{
    const GUID *uuid = &syntax->uuid;
    if (uuid->Data1 != features_prefix.Data1 || uuid->Data2 != features_prefix.Data2 ||
        uuid->Data3 != features_prefix.Data3 || syntax->major != 1 || syntax->minor != 0)
        return false;
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof(uuid->Data4); i++)
        bits |= (uint64_t)uuid->Data4[i] << (8 * i);
    *ret_bits = bits;
    return true;
}

/* ---- Decoders --------------------------------------------------------------- */

static struct pdu_syntax read_syntax(struct wire_reader *r)
{
    struct pdu_syntax syntax = {.uuid = wire_guid(r)};
    uint32_t version = wire_u32(r); /* one integer: minor in the high half */
    syntax.major = (uint16_t)version;
    syntax.minor = (uint16_t)(version >> 16);
    return syntax;
}

static struct pdu_assoc_terms read_terms(struct wire_reader *r)
{
    struct pdu_assoc_terms terms = {.max_xmit_frag = wire_u16(r)};
    terms.max_recv_frag = wire_u16(r);
    terms.group_id = wire_u32(r);
    return terms;
}

/* The count of a list: one octet, then three without meaning. */
static uint8_t read_count(struct wire_reader *r)
{
    uint8_t count = wire_u8(r);
    wire_u8(r);
    wire_u16(r);
    return count;
}

bool pdu_next_syntax(struct pdu_syntax_list *list, struct pdu_syntax *ret_syntax)
{
    if (list->left == 0)
        return false;
    struct pdu_syntax syntax = read_syntax(&list->octets);
    if (list->octets.failed)
        return false;
    list->left--;
    *ret_syntax = syntax;
    return true;
}

bool pdu_next_context(struct pdu_context_list *list, struct pdu_context *ret_context)
{
    if (list->left == 0)
        return false;
    struct wire_reader *r = &list->octets;
    struct pdu_context context = {.id = wire_u16(r)};
    context.syntax_count = wire_u8(r);
    wire_u8(r); /* reserved */
    context.abstract = read_syntax(r);
    context.syntaxes.octets = *r;
    context.syntaxes.left = context.syntax_count;
    wire_take(r, (size_t)context.syntax_count * SYNTAX_LEN);
    if (r->failed)
        return false;
    list->left--;
    *ret_context = context;
    return true;
}

bool pdu_next_result(struct pdu_result_list *list, struct pdu_result *ret_result)
{
    if (list->left == 0)
        return false;
    struct wire_reader *r = &list->octets;
    struct pdu_result result = {.result = wire_u16(r)};
    result.reason = wire_u16(r);
    result.syntax = read_syntax(r);
    if (r->failed)
        return false;
    list->left--;
    *ret_result = result;
    return true;
}

enum pdu_verdict pdu_decode_bind(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                 struct pdu_bind *ret_bind)
{
    struct wire_reader body;
    struct pdu_bind bind = {0};
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &bind.auth);
    if (verdict != PDU_OK)
        return verdict;
    bind.terms = read_terms(&body);
    if (wire_left(&body) > 0 && *body.pos == 0) { /* Samba ends such a list with its count */
        *ret_bind = bind;
        return PDU_OK;
    }
    bind.context_count = read_count(&body);
    if (body.failed)
        return PDU_MALFORMED;
    bind.contexts.octets = body;
    bind.contexts.left = bind.context_count;

    struct pdu_context_list walk = bind.contexts;
    struct pdu_context context;
    while (pdu_next_context(&walk, &context))
        ;
    if (walk.left > 0)
        return PDU_MALFORMED;
    /* Octets behind the list are tolerated, as other servers do. */
    *ret_bind = bind;
    return PDU_OK;
}

enum pdu_verdict pdu_decode_bind_ack(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_bind_ack *ret_ack)
{
    struct wire_reader body;
    struct pdu_bind_ack ack = {0};
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &ack.auth);
    if (verdict != PDU_OK)
        return verdict;
    ack.terms = read_terms(&body);
    ack.sec_addr_len = wire_u16(&body);
    ack.sec_addr = wire_take(&body, ack.sec_addr_len);
    wire_align(&body, 4); /* of the PDU */
    ack.result_count = read_count(&body);
    if (body.failed || wire_left(&body) < (size_t)ack.result_count * RESULT_LEN)
        return PDU_MALFORMED;
    /* A sec_trailer with an empty token may follow: auth_len 0, 8 octets.  Nothing
     * is computed from what is left, so it is passed over (MS-RPCE 3.3.1.5.2.1). */
    ack.results.octets = body;
    ack.results.left = ack.result_count;
    *ret_ack = ack;
    return PDU_OK;
}

/* "A bind_nak with extended error information", MS-RPCE 2.2.1.1.2. */
static const GUID eerr_signature = {0x90740320, 0xfad0, 0x11d3,
                                    {0x82, 0xd7, 0x00, 0x90, 0x27, 0xb1, 0x30, 0xab}};

enum pdu_verdict pdu_decode_bind_nak(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_bind_nak *ret_nak)
{
    /* A bind_nak has no trailer (C706 12.6.4.5): auth_len is not even looked at,
     * since the connection is lost anyway and the reason is worth having. */
    if (len < hdr->frag_len)
        return PDU_NEED_MORE;
    struct wire_reader body;
    wire_reader_init(&body, pdu, hdr->frag_len, hdr->little_endian);
    wire_take(&body, PDU_HEADER_LEN);
    struct pdu_bind_nak nak = {.reason = wire_u16(&body)};
    if (body.failed)
        return PDU_MALFORMED;
    if (wire_left(&body) > 0) {
        size_t count = wire_u8(&body);
        size_t present = wire_left(&body) / 2;
        nak.version_count = (uint8_t)(count < present ? count : present);
        if (nak.version_count > 0)
            nak.versions = wire_take(&body, 2 * (size_t)nak.version_count);
    }
    /* The signature stands at a multiple of 4; the text's "frag_length - 0x1c" for what follows
     * it cannot be meant, 16 octets of it begin no earlier than at 20. */
    wire_take(&body, -(hdr->frag_len - wire_left(&body)) & 3);
    if (!body.failed && wire_left(&body) > sizeof(GUID)) {
        const GUID signature = wire_guid(&body);
        if (memcmp(&signature, &eerr_signature, sizeof(signature)) == 0) {
            nak.eerr_len = wire_left(&body);
            nak.eerr = wire_take(&body, nak.eerr_len);
        }
    }
    *ret_nak = nak;
    return PDU_OK;
}

/* ---- Encoders --------------------------------------------------------------- */

static void put_syntax(struct wire_writer *w, const struct pdu_syntax *syntax)
{
    wire_put_guid(w, &syntax->uuid);
    wire_put_u32(w, (uint32_t)syntax->minor << 16 | syntax->major);
}

static void put_terms(struct wire_writer *w, const struct pdu_assoc_terms *terms)
{
    wire_put_u16(w, terms->max_xmit_frag);
    wire_put_u16(w, terms->max_recv_frag);
    wire_put_u32(w, terms->group_id);
}

static void put_count(struct wire_writer *w, uint8_t count)
{
    wire_put_u8(w, count);
    wire_put_zeros(w, 3);
}

static void put_offer(struct wire_writer *w, const struct pdu_offer *offer)
{
    wire_put_u16(w, offer->context_id);
    wire_put_u8(w, offer->syntax_count);
    wire_put_u8(w, 0);
    put_syntax(w, &offer->abstract);
    for (size_t i = 0; i < offer->syntax_count; i++)
        put_syntax(w, &offer->syntaxes[i]);
}

size_t pdu_encode_bind(uint8_t *buf, size_t cap, enum pdu_type type, uint8_t flags,
                       uint32_t call_id, const struct pdu_assoc_terms *terms,
                       const struct pdu_offer *offers, uint8_t offer_count)
{
    assert(type == PDU_BIND || type == PDU_ALTER_CONTEXT);
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, type, flags | PFC_WHOLE, call_id);
    put_terms(&w, terms);
    put_count(&w, offer_count);
    for (size_t i = 0; i < offer_count; i++)
        put_offer(&w, &offers[i]);
    return pdu_close(&w);
}

static void put_sec_addr(struct wire_writer *w, const char *sec_addr)
{
    size_t len = sec_addr ? strlen(sec_addr) + 1 : 0;
    if (len > UINT16_MAX) {
        w->failed = true;
        return;
    }
    wire_put_u16(w, (uint16_t)len);
    wire_put_bytes(w, sec_addr, len);
    wire_put_align(w, 4);
}

size_t pdu_encode_bind_ack(uint8_t *buf, size_t cap, enum pdu_type type, uint8_t flags,
                           uint32_t call_id, const struct pdu_assoc_terms *terms,
                           const char *sec_addr, const struct pdu_result *results,
                           uint8_t result_count)
{
    assert(type == PDU_BIND_ACK || type == PDU_ALTER_CONTEXT_RESP);
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, type, flags | PFC_WHOLE, call_id);
    put_terms(&w, terms);
    put_sec_addr(&w, sec_addr);
    put_count(&w, result_count);
    for (size_t i = 0; i < result_count; i++) {
        wire_put_u16(&w, results[i].result);
        wire_put_u16(&w, results[i].reason);
        put_syntax(&w, &results[i].syntax);
    }
    return pdu_close(&w);
}

size_t pdu_encode_bind_nak(uint8_t *buf, size_t cap, uint32_t call_id, uint16_t reason)
{
    return pdu_encode_bind_nak_info(buf, cap, call_id, reason, NULL, 0);
}

size_t pdu_encode_bind_nak_info(uint8_t *buf, size_t cap, uint32_t call_id, uint16_t reason,
                                const uint8_t *eerr, size_t eerr_len)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, PDU_BIND_NAK, PFC_WHOLE, call_id);
    wire_put_u16(&w, reason);
    wire_put_u8(&w, 1);
    wire_put_u8(&w, PDU_VERS);
    wire_put_u8(&w, PDU_VERS_MINOR);
    wire_put_zeros(&w, 3); /* 24 octets, as Windows sends it */
    if (eerr_len > 0) {
        wire_put_guid(&w, &eerr_signature);
        wire_put_bytes(&w, eerr, eerr_len);
    }
    return pdu_close(&w);
}
