/* SPDX-License-Identifier: MIT */
/* pdu.c - headers, security trailers and the PDUs of a call: request, response,
 * fault, co_cancel, orphaned (C706 12.6.3, 12.6.4).
 *
 * bind and its relatives are in pdu_bind.c.  Nothing here judges whether a PDU is
 * legal in some state; see pdu.h. */
#include "wire/pdu.h"

#include <assert.h>

/* Where the two lengths stand in every header. */
#define FRAG_LEN_OFFSET 8u
#define AUTH_LEN_OFFSET 10u

struct type_row {
    const char *name;
    uint8_t min_len;
    uint8_t sender; /* enum pdu_sender */
};

static const struct type_row type_rows[] = {
#define PDU_TYPE(name, number, text, min_len, sender)                                              \
    [number] = {text, min_len, PDU_SENDER_##sender},
#include "wire/pdu_types.def"
#undef PDU_TYPE
};

static const struct type_row unknown_type = {"?", PDU_HEADER_LEN, PDU_SENDER_NONE};

static const struct type_row *type_row(uint8_t type)
{
    if (type >= sizeof(type_rows) / sizeof(type_rows[0]))
        return &unknown_type;
    return &type_rows[type];
}

const char *pdu_type_name(uint8_t type)
{
    return type_row(type)->name;
}

enum pdu_sender pdu_type_sender(uint8_t type)
{
    return (enum pdu_sender)type_row(type)->sender;
}

size_t pdu_type_min_len(uint8_t type)
{
    return type_row(type)->min_len;
}

bool pdu_drep_supported(const uint8_t drep[4])
{
    /* High nibble integers (0 big, 1 little endian), low nibble characters
     * (0 ASCII), then floats (0 IEEE), then two zeros: C706 14.1. */
    return (drep[0] & 0xef) == 0 && drep[1] == 0 && drep[2] == 0 && drep[3] == 0;
}

enum pdu_verdict pdu_decode_header(const uint8_t *buf, size_t len, struct pdu_header *ret_hdr)
{
    if (len < PDU_HEADER_LEN)
        return PDU_NEED_MORE;
    struct wire_reader r;
    wire_reader_init(&r, buf, PDU_HEADER_LEN, true);
    struct pdu_header h = {.vers = wire_u8(&r)};
    h.vers_minor = wire_u8(&r);
    h.type = wire_u8(&r);
    h.flags = wire_u8(&r);
    wire_bytes(&r, h.drep, sizeof(h.drep));
    h.little_endian = h.drep[0] >> 4 == 1; /* C706 14.1 */
    r.little_endian = h.little_endian;
    h.frag_len = wire_u16(&r);
    h.auth_len = wire_u16(&r);
    h.call_id = wire_u32(&r);

    /* Trust no length from the wire: a frag_len below the header would make
     * the caller consume zero octets and spin. */
    if (r.failed || h.frag_len < PDU_HEADER_LEN)
        return PDU_MALFORMED;
    *ret_hdr = h;
    return PDU_OK;
}

enum pdu_verdict pdu_open_body(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                               struct wire_reader *ret_body, struct pdu_auth *ret_auth)
{
    assert(hdr->frag_len >= PDU_HEADER_LEN);
    if (len < hdr->frag_len)
        return PDU_NEED_MORE;

    size_t body_end = hdr->frag_len;
    struct pdu_auth auth = {.present = hdr->auth_len > 0};
    if (auth.present) {
        size_t tail_len = PDU_SEC_TRAILER_LEN + (size_t)hdr->auth_len;
        if (body_end < PDU_HEADER_LEN + tail_len)
            return PDU_MALFORMED;
        body_end -= tail_len;

        struct wire_reader r;
        wire_reader_init(&r, pdu + body_end, PDU_SEC_TRAILER_LEN, hdr->little_endian);
        auth.type = wire_u8(&r);
        auth.level = wire_u8(&r);
        auth.pad_len = wire_u8(&r);
        wire_u8(&r); /* reserved */
        auth.context_id = wire_u32(&r);
        auth.trailer_offset = (uint16_t)body_end;
        auth.token_len = hdr->auth_len;
    }
    wire_reader_init(ret_body, pdu, body_end, hdr->little_endian);
    wire_take(ret_body, PDU_HEADER_LEN);
    *ret_auth = auth;
    return PDU_OK;
}

enum pdu_verdict pdu_decode_auth3(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                  struct pdu_auth *ret_auth)
{
    struct wire_reader body;
    struct pdu_auth auth;
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &auth);
    if (verdict != PDU_OK)
        return verdict;
    wire_take(&body, 4); /* no meaning, but must be there */
    if (body.failed || !auth.present)
        return PDU_MALFORMED;
    *ret_auth = auth;
    return PDU_OK;
}

/* What is left of `body` is stub and pad; the trailer's pad_len tells them apart.
 * False when the pad claims more octets than there are, or the fixed part of the
 * body was cut short. */
static bool split_stub(const struct wire_reader *body, const struct pdu_auth *auth,
                       uint16_t *ret_offset, uint16_t *ret_len)
{
    size_t left = wire_left(body);
    if (body->failed || auth->pad_len > left)
        return false;
    *ret_offset = (uint16_t)wire_offset(body); /* both at most frag_len */
    *ret_len = (uint16_t)(left - auth->pad_len);
    return true;
}

enum pdu_verdict pdu_decode_request(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                    struct pdu_request *ret_request)
{
    struct wire_reader body;
    struct pdu_request req = {0};
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &req.auth);
    if (verdict != PDU_OK)
        return verdict;
    req.alloc_hint = wire_u32(&body);
    req.context_id = wire_u16(&body);
    req.opnum = wire_u16(&body);
    req.has_object = (hdr->flags & PFC_OBJECT_UUID) != 0;
    if (req.has_object)
        req.object = wire_guid(&body);
    if (!split_stub(&body, &req.auth, &req.stub_offset, &req.stub_len))
        return PDU_MALFORMED;
    *ret_request = req;
    return PDU_OK;
}

enum pdu_verdict pdu_decode_response(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_response *ret_response)
{
    struct wire_reader body;
    struct pdu_response resp = {0};
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &resp.auth);
    if (verdict != PDU_OK)
        return verdict;
    resp.alloc_hint = wire_u32(&body);
    resp.context_id = wire_u16(&body);
    resp.cancel_count = wire_u8(&body);
    wire_u8(&body); /* reserved */
    if (!split_stub(&body, &resp.auth, &resp.stub_offset, &resp.stub_len))
        return PDU_MALFORMED;
    *ret_response = resp;
    return PDU_OK;
}

enum pdu_verdict pdu_decode_fault(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                  struct pdu_fault *ret_fault)
{
    struct wire_reader body;
    struct pdu_fault fault = {0};
    enum pdu_verdict verdict = pdu_open_body(hdr, pdu, len, &body, &fault.auth);
    if (verdict != PDU_OK)
        return verdict;
    fault.alloc_hint = wire_u32(&body);
    fault.context_id = wire_u16(&body);
    fault.cancel_count = wire_u8(&body);
    fault.reserved = wire_u8(&body);
    fault.status = wire_u32(&body);
    wire_u32(&body); /* reserved: keeps the stub 8-aligned */
    if (!split_stub(&body, &fault.auth, &fault.stub_offset, &fault.stub_len))
        return PDU_MALFORMED;
    *ret_fault = fault;
    return PDU_OK;
}

/* ---- Encoders --------------------------------------------------------------- */

void pdu_put_header(struct wire_writer *w, enum pdu_type type, uint8_t flags, uint32_t call_id)
{
    static const uint8_t drep[4] = {WIRE_HOST_LITTLE_ENDIAN ? 0x10 : 0, 0, 0, 0};

    wire_put_u8(w, PDU_VERS);
    wire_put_u8(w, PDU_VERS_MINOR);
    wire_put_u8(w, (uint8_t)type);
    wire_put_u8(w, flags);
    wire_put_bytes(w, drep, sizeof(drep));
    wire_put_u16(w, 0); /* frag_len: set when it is known */
    wire_put_u16(w, 0); /* auth_len */
    wire_put_u32(w, call_id);
}

/* Sets the lengths of a PDU of which the writer holds the beginning and `more`
 * octets follow from elsewhere. */
static size_t close_with(struct wire_writer *w, size_t more, uint16_t auth_len)
{
    if (w->failed || w->len > PDU_LEN_MAX || more > PDU_LEN_MAX - w->len)
        return 0;
    wire_patch_u16(w, FRAG_LEN_OFFSET, (uint16_t)(w->len + more));
    wire_patch_u16(w, AUTH_LEN_OFFSET, auth_len);
    return w->len;
}

size_t pdu_close(struct wire_writer *w)
{
    return close_with(w, 0, 0);
}

/* Closes the head of a request or response that `stub_len` octets and, if there
 * is one, the trailer of `auth` will follow. */
static size_t close_head(struct wire_writer *w, uint16_t stub_len, const struct pdu_auth *auth)
{
    size_t more = stub_len;
    if (auth->present)
        more += auth->pad_len + PDU_SEC_TRAILER_LEN + (size_t)auth->token_len;
    return close_with(w, more, auth->present ? auth->token_len : 0);
}

size_t pdu_encode_request(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                          const struct pdu_request *request)
{
    flags &= (uint8_t)~PFC_OBJECT_UUID;
    if (request->has_object)
        flags |= PFC_OBJECT_UUID;

    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, PDU_REQUEST, flags, call_id);
    wire_put_u32(&w, request->alloc_hint);
    wire_put_u16(&w, request->context_id);
    wire_put_u16(&w, request->opnum);
    if (request->has_object)
        wire_put_guid(&w, &request->object);
    return close_head(&w, request->stub_len, &request->auth);
}

size_t pdu_encode_response(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                           const struct pdu_response *response)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, PDU_RESPONSE, flags, call_id);
    wire_put_u32(&w, response->alloc_hint);
    wire_put_u16(&w, response->context_id);
    wire_put_u8(&w, response->cancel_count);
    wire_put_u8(&w, 0);
    return close_head(&w, response->stub_len, &response->auth);
}

size_t pdu_encode_fault(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                        const struct pdu_fault *fault)
{
    return pdu_encode_fault_info(buf, cap, flags, call_id, fault, NULL, 0);
}

size_t pdu_encode_fault_info(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                             const struct pdu_fault *fault, const uint8_t *eerr, size_t eerr_len)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, PDU_FAULT, flags | PFC_WHOLE, call_id);
    wire_put_u32(&w, fault->alloc_hint);
    wire_put_u16(&w, fault->context_id);
    wire_put_u8(&w, fault->cancel_count);
    wire_put_u8(&w, fault->reserved);
    wire_put_u32(&w, fault->status);
    wire_put_u32(&w, 0);
    if (eerr_len > 0)
        wire_put_bytes(&w, eerr, eerr_len);
    return pdu_close(&w);
}

size_t pdu_encode_empty(uint8_t *buf, size_t cap, enum pdu_type type, uint32_t call_id)
{
    assert(type == PDU_CO_CANCEL || type == PDU_ORPHANED || type == PDU_SHUTDOWN);
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, type, PFC_WHOLE, call_id);
    return pdu_close(&w);
}

size_t pdu_encode_auth3(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    pdu_put_header(&w, PDU_AUTH3, flags | PFC_WHOLE, call_id);
    wire_put_u32(&w, 0);
    return pdu_close(&w);
}

static void put_sec_trailer(struct wire_writer *w, const struct pdu_auth *auth)
{
    wire_put_u8(w, auth->type);
    wire_put_u8(w, auth->level);
    wire_put_u8(w, auth->pad_len);
    wire_put_u8(w, 0);
    wire_put_u32(w, auth->context_id);
}

size_t pdu_encode_sec_trailer(uint8_t *buf, size_t cap, const struct pdu_auth *auth)
{
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    put_sec_trailer(&w, auth);
    return w.failed ? 0 : w.len;
}

size_t pdu_append_auth(uint8_t *buf, size_t cap, size_t len, const struct pdu_auth *auth,
                       const uint8_t *token)
{
    assert(len >= PDU_HEADER_LEN && len % 4 == 0 && auth->pad_len == 0);
    if (len > cap)
        return 0;
    struct wire_writer w;
    wire_writer_init(&w, buf, cap);
    w.len = len;
    put_sec_trailer(&w, auth);
    wire_put_bytes(&w, token, auth->token_len);
    return close_with(&w, 0, auth->token_len);
}
