/* SPDX-License-Identifier: MIT */
/* pdu_print.c - one line of text per PDU, for traces.
 *
 *   request call=2 first+last len=48 hint=44 ctx=0 op=0 stub=24
 *
 * It decodes with the same functions as everybody else, so a trace shows what the
 * association will see.  Never fails; never prints a stub (it may be secret). */
#include "wire/pdu.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* Secondary addresses are short; a hostile one must not flood the trace. */
#define SEC_ADDR_SHOWN 64u

/* Text being built; cut at `cap`, always NUL terminated. */
struct text {
    char *out;
    size_t cap; /* octets of `out`, NUL included */
    size_t len; /* len < cap                     */
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->out + t->len, t->cap - t->len, format, args);
    va_end(args);
    if (n <= 0)
        return;
    size_t room = t->cap - t->len - 1;
    t->len += (size_t)n < room ? (size_t)n : room;
}

static const char *flag_name(uint8_t bit, uint8_t type)
{
    bool is_call = type == PDU_REQUEST || type == PDU_RESPONSE || type == PDU_FAULT;
    switch (bit) {
    case PFC_FIRST_FRAG:
        return "first";
    case PFC_LAST_FRAG:
        return "last";
    case PFC_PENDING_CANCEL:
        return is_call ? "pending_cancel" : "sign_header";
    case PFC_CONC_MPX:
        return "mpx";
    case PFC_DID_NOT_EXECUTE:
        return "not_executed";
    case PFC_MAYBE:
        return "maybe";
    case PFC_OBJECT_UUID:
        return "object";
    default:
        return "reserved";
    }
}

static void add_flags(struct text *t, const struct pdu_header *hdr)
{
    const char *before = " ";
    for (unsigned bit = 1; bit <= 0x80; bit <<= 1) {
        if (hdr->flags & bit) {
            add(t, "%s%s", before, flag_name((uint8_t)bit, hdr->type));
            before = "+";
        }
    }
}

static void add_header(struct text *t, const struct pdu_header *hdr)
{
    add(t, "%s", pdu_type_name(hdr->type));
    if (pdu_type_sender(hdr->type) == PDU_SENDER_NONE)
        add(t, "(%u)", hdr->type);
    add(t, " call=%u", hdr->call_id);
    add_flags(t, hdr);
    add(t, " len=%u", hdr->frag_len);
    if (hdr->vers != PDU_VERS || hdr->vers_minor != PDU_VERS_MINOR)
        add(t, " version=%u.%u", hdr->vers, hdr->vers_minor);
    if (!pdu_drep_supported(hdr->drep))
        add(t, " drep=%02x%02x%02x%02x", hdr->drep[0], hdr->drep[1], hdr->drep[2], hdr->drep[3]);
    else if (!hdr->little_endian)
        add(t, " big_endian");
}

static void add_guid(struct text *t, const GUID *g)
{
    add(t, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g->Data1, g->Data2, g->Data3,
        g->Data4[0], g->Data4[1], g->Data4[2], g->Data4[3], g->Data4[4], g->Data4[5], g->Data4[6],
        g->Data4[7]);
}

static void add_syntax(struct text *t, const struct pdu_syntax *syntax)
{
    uint64_t bits;
    if (pdu_syntax_equal(syntax, &pdu_syntax_ndr)) {
        add(t, "ndr");
    } else if (pdu_syntax_equal(syntax, &pdu_syntax_ndr64)) {
        add(t, "ndr64");
    } else if (pdu_syntax_equal(syntax, &pdu_syntax_none)) {
        add(t, "none");
    } else if (pdu_syntax_is_features(syntax, &bits)) {
        add(t, "features:0x%llx", (unsigned long long)bits);
    } else {
        add_guid(t, &syntax->uuid);
        add(t, " v%u.%u", syntax->major, syntax->minor);
    }
}

static void add_auth(struct text *t, const struct pdu_auth *auth)
{
    if (auth->present)
        add(t, " auth=type:%u,level:%u,ctx:%u,pad:%u,token:%u", auth->type, auth->level,
            auth->context_id, auth->pad_len, auth->token_len);
}

static void add_terms(struct text *t, const struct pdu_assoc_terms *terms)
{
    add(t, " xmit=%u recv=%u group=0x%x", terms->max_xmit_frag, terms->max_recv_frag,
        terms->group_id);
}

static void add_bind(struct text *t, struct pdu_bind *bind)
{
    add_terms(t, &bind->terms);
    struct pdu_context context;
    while (pdu_next_context(&bind->contexts, &context)) {
        add(t, " [%u ", context.id);
        add_syntax(t, &context.abstract);
        struct pdu_syntax syntax;
        while (pdu_next_syntax(&context.syntaxes, &syntax)) {
            add(t, ", ");
            add_syntax(t, &syntax);
        }
        add(t, "]");
    }
    add_auth(t, &bind->auth);
}

/* The peer chose these octets: only plain characters reach a terminal. */
static void add_sec_addr(struct text *t, const uint8_t *octets, size_t len)
{
    if (len > 0 && octets[len - 1] == 0)
        len--;
    size_t shown = len < SEC_ADDR_SHOWN ? len : SEC_ADDR_SHOWN;
    add(t, " addr=\"");
    for (size_t i = 0; i < shown; i++) {
        bool plain = octets[i] > 0x20 && octets[i] < 0x7f && octets[i] != '"';
        add(t, "%c", plain ? octets[i] : '?');
    }
    add(t, "%s\"", shown < len ? "..." : "");
}

static void add_result(struct text *t, const struct pdu_result *result)
{
    switch (result->result) {
    case PDU_RESULT_ACCEPTANCE:
        add(t, " [accept ");
        add_syntax(t, &result->syntax);
        add(t, "]");
        break;
    case PDU_RESULT_NEGOTIATE_ACK:
        add(t, " [features:0x%x]", result->reason);
        break;
    default:
        add(t, " [reject %u/%u]", result->result, result->reason);
        break;
    }
}

static void add_bind_ack(struct text *t, struct pdu_bind_ack *ack)
{
    add_terms(t, &ack->terms);
    add_sec_addr(t, ack->sec_addr, ack->sec_addr_len);
    struct pdu_result result;
    while (pdu_next_result(&ack->results, &result))
        add_result(t, &result);
    add_auth(t, &ack->auth);
}

static void add_bind_nak(struct text *t, const struct pdu_bind_nak *nak)
{
    add(t, " reason=%u", nak->reason);
    for (size_t i = 0; i < nak->version_count; i++)
        add(t, " speaks=%u.%u", nak->versions[2 * i], nak->versions[2 * i + 1]);
    if (nak->eerr_len > 0)
        add(t, " eerr=%zu", nak->eerr_len);
}

static void add_request(struct text *t, const struct pdu_request *req)
{
    add(t, " hint=%u ctx=%u op=%u", req->alloc_hint, req->context_id, req->opnum);
    if (req->has_object) {
        add(t, " object=");
        add_guid(t, &req->object);
    }
    add(t, " stub=%u", req->stub_len);
    add_auth(t, &req->auth);
}

static void add_response(struct text *t, const struct pdu_response *resp)
{
    add(t, " hint=%u ctx=%u cancels=%u stub=%u", resp->alloc_hint, resp->context_id,
        resp->cancel_count, resp->stub_len);
    add_auth(t, &resp->auth);
}

static void add_fault(struct text *t, const struct pdu_fault *fault)
{
    add(t, " hint=%u ctx=%u cancels=%u status=0x%08x stub=%u", fault->alloc_hint, fault->context_id,
        fault->cancel_count, fault->status, fault->stub_len);
    add_auth(t, &fault->auth);
}

/* Decodes and prints the body; a flat switch, one line of work per type. */
static enum pdu_verdict add_body(struct text *t, const struct pdu_header *hdr, const uint8_t *pdu,
                                 size_t len)
{
    union {
        struct pdu_request request;
        struct pdu_response response;
        struct pdu_fault fault;
        struct pdu_bind bind;
        struct pdu_bind_ack ack;
        struct pdu_bind_nak nak;
        struct pdu_auth auth;
    } u;
    struct wire_reader body;
    enum pdu_verdict verdict;

    switch (hdr->type) {
    case PDU_REQUEST:
        verdict = pdu_decode_request(hdr, pdu, len, &u.request);
        if (verdict == PDU_OK)
            add_request(t, &u.request);
        return verdict;
    case PDU_RESPONSE:
        verdict = pdu_decode_response(hdr, pdu, len, &u.response);
        if (verdict == PDU_OK)
            add_response(t, &u.response);
        return verdict;
    case PDU_FAULT:
        verdict = pdu_decode_fault(hdr, pdu, len, &u.fault);
        if (verdict == PDU_OK)
            add_fault(t, &u.fault);
        return verdict;
    case PDU_BIND:
    case PDU_ALTER_CONTEXT:
        verdict = pdu_decode_bind(hdr, pdu, len, &u.bind);
        if (verdict == PDU_OK)
            add_bind(t, &u.bind);
        return verdict;
    case PDU_BIND_ACK:
    case PDU_ALTER_CONTEXT_RESP:
        verdict = pdu_decode_bind_ack(hdr, pdu, len, &u.ack);
        if (verdict == PDU_OK)
            add_bind_ack(t, &u.ack);
        return verdict;
    case PDU_BIND_NAK:
        verdict = pdu_decode_bind_nak(hdr, pdu, len, &u.nak);
        if (verdict == PDU_OK)
            add_bind_nak(t, &u.nak);
        return verdict;
    case PDU_AUTH3:
        verdict = pdu_decode_auth3(hdr, pdu, len, &u.auth);
        break;
    default: /* no body, or none we know */
        verdict = pdu_open_body(hdr, pdu, len, &body, &u.auth);
        break;
    }
    if (verdict == PDU_OK)
        add_auth(t, &u.auth);
    return verdict;
}

size_t pdu_print(char *out, size_t cap, const uint8_t *pdu, size_t len)
{
    assert(cap > 0);
    struct text t = {.out = out, .cap = cap};
    out[0] = '\0';

    struct pdu_header hdr;
    switch (pdu_decode_header(pdu, len, &hdr)) {
    case PDU_NEED_MORE:
        add(&t, "incomplete header: %zu of %u octets", len, PDU_HEADER_LEN);
        return t.len;
    case PDU_MALFORMED:
        add(&t, "malformed header: frag_length below %u", PDU_HEADER_LEN);
        return t.len;
    case PDU_OK:
        break;
    }
    add_header(&t, &hdr);
    switch (add_body(&t, &hdr, pdu, len)) {
    case PDU_NEED_MORE:
        add(&t, " incomplete: %zu octets here", len);
        break;
    case PDU_MALFORMED:
        add(&t, " malformed, auth_length=%u", hdr.auth_len);
        break;
    case PDU_OK:
        break;
    }
    return t.len;
}
