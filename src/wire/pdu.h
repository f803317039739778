/* SPDX-License-Identifier: MIT */
/* pdu.h - connection-oriented PDUs as octets: decode, encode, print
 * (C706 12.6; MS-RPCE 2.2.2).
 *
 * Pure functions: no sockets, no allocation, no state.  Decoders say whether
 * octets are well formed; whether a PDU is *legal now* (version, type, flags,
 * state, alignment of the trailer) is for the association to say: it may owe the
 * peer a bind_nak or a fault, and we cannot send.
 *
 * Decoders take both byte orders and touch nothing behind the `len` octets they
 * are given, nor behind the PDU's own frag_len.  What they return borrows those
 * octets.  `ret_*` is written only on PDU_OK.  Encoders write the host's byte
 * order, ASCII, IEEE (drep 10 00 00 00, on a big-endian host 00 00 00 00) into the
 * caller's buffer and return the number of octets written; 0 means the buffer is
 * too small or the PDU would exceed 65535 octets, and the buffer's contents are then
 * unspecified.
 *
 *   0      16              stub/body                trailer_offset   frag_len
 *   +------+---------------+----------------+-----+-----------------+-------+
 *   |header| fixed body    | stub           | pad | sec_trailer (8) | token |
 *   +------+---------------+----------------+-----+-----------------+-------+
 *                                                  only if auth_len > 0      */
#ifndef PENSTOCK_WIRE_PDU_H
#define PENSTOCK_WIRE_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpctypes.h>

#include "wire/wire.h"

/* Octets of the fixed parts; frag_len is 16 bits wide, hence the maximum. */
#define PDU_HEADER_LEN      16u
#define PDU_REQUEST_LEN     24u
#define PDU_OBJECT_LEN      16u
#define PDU_RESPONSE_LEN    24u
#define PDU_FAULT_LEN       32u
#define PDU_BIND_NAK_LEN    24u
#define PDU_BIND_NAK_INFO_LEN 40u /* with the signature that announces error information */
#define PDU_SEC_TRAILER_LEN 8u
#define PDU_LEN_MAX         65535u

/* The only protocol version we speak; 5.1 (fragmented binds) is accepted by
 * nobody but DCE's own runtime. */
#define PDU_VERS       5u
#define PDU_VERS_MINOR 0u

enum pdu_verdict {
    PDU_OK,
    PDU_NEED_MORE, /* progress, not failure: call again with more octets */
    PDU_MALFORMED, /* more octets will not help                          */
};

enum pdu_type {
#define PDU_TYPE(name, number, text, min_len, sender) PDU_##name = number,
#include "wire/pdu_types.def"
#undef PDU_TYPE
};

enum pdu_sender {
    PDU_SENDER_NONE, /* unknown number, datagram or HTTP only */
    PDU_SENDER_CLIENT,
    PDU_SENDER_SERVER,
};

/* pfc_flags (C706 12.6.3.1); 04 means two things, by PDU type (MS-RPCE 2.2.2.3). */
#define PFC_FIRST_FRAG          0x01u
#define PFC_LAST_FRAG           0x02u
#define PFC_PENDING_CANCEL      0x04u /* request, response, fault                */
#define PFC_SUPPORT_HEADER_SIGN 0x04u /* bind, bind_ack, alter_*, auth3          */
#define PFC_CONC_MPX            0x10u /* bind, bind_ack: concurrent calls        */
#define PFC_DID_NOT_EXECUTE     0x20u /* fault: the manager was not entered      */
#define PFC_MAYBE               0x40u /* request: no answer wanted               */
#define PFC_OBJECT_UUID         0x80u /* request: object uuid present            */
#define PFC_WHOLE               (PFC_FIRST_FRAG | PFC_LAST_FRAG)

/* ---- Header, all PDUs (C706 12.6.3.1) ------------------------------------- */

struct pdu_header {
    uint8_t vers, vers_minor;
    uint8_t type;       /* enum pdu_type, or any other number the peer sent    */
    uint8_t flags;      /* PFC_*                                               */
    uint8_t drep[4];    /* C706 14.1                                           */
    bool little_endian; /* from drep: byte order of all integers of the PDU    */
    uint16_t frag_len;  /* whole PDU, octets; at least PDU_HEADER_LEN          */
    uint16_t auth_len;  /* token only; 0: no token; not yet checked            */
    uint32_t call_id;
};

/* Needs the first 16 octets only.  MALFORMED means frag_len < 16: the stream
 * cannot be followed any further.  auth_len is left to the body decoders,
 * because their caller can still answer with the right PDU type and call_id. */
enum pdu_verdict pdu_decode_header(const uint8_t *buf, size_t len, struct pdu_header *ret_hdr);

/* ASCII, IEEE, zero padding octets, either byte order?  EBCDIC and the VAX, Cray
 * and IBM floats are recognised so that they can be refused. */
bool pdu_drep_supported(const uint8_t drep[4]);

const char *pdu_type_name(uint8_t type); /* "?" for an unknown number */
enum pdu_sender pdu_type_sender(uint8_t type);
/* Shortest well-formed PDU of this type, in octets; 16 for an unknown one. */
size_t pdu_type_min_len(uint8_t type);

/* ---- Security trailer (C706 13.2.6.1; MS-RPCE 2.2.2.11) --------------------- */

struct pdu_auth {
    bool present;            /* auth_len > 0; all else is 0 when false           */
    uint8_t type;            /* RPC_C_AUTHN_* number                             */
    uint8_t level;           /* RPC_C_AUTHN_LEVEL_* number                       */
    uint8_t pad_len;         /* octets between stub and sec_trailer              */
    uint32_t context_id;     /* chosen by the client, per connection             */
    uint16_t trailer_offset; /* of the sec_trailer; its alignment is not checked */
    uint16_t token_len;      /* octets behind the sec_trailer == auth_len        */
};

/* The frame of every body: on PDU_OK `*ret_body` reads from behind the header up
 * to the sec_trailer, or to the end when there is none, its offsets counting from
 * the start of the PDU.  NEED_MORE: fewer than frag_len octets are here.
 * MALFORMED: auth_len leaves no room for header and trailer.  This alone decodes
 * co_cancel, orphaned and shutdown, which have no body. */
enum pdu_verdict pdu_open_body(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                               struct wire_reader *ret_body, struct pdu_auth *ret_auth);

/* auth3 (MS-RPCE 2.2.2.10): four octets without meaning, then the trailer, which
 * must be there. */
enum pdu_verdict pdu_decode_auth3(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                  struct pdu_auth *ret_auth);

/* ---- Calls (C706 12.6.4.9, 12.6.4.10, 12.6.4.7) ----------------------------- */

/* Where the stub lies in a fragment: without pad, trailer and token, but with a
 * verification trailer, which only NDR can tell from data. */
struct pdu_request {
    uint32_t alloc_hint; /* a hint: neither a bound nor an end */
    uint16_t context_id;
    uint16_t opnum;
    bool has_object; /* PFC_OBJECT_UUID */
    UUID object;     /* zero without has_object */
    uint16_t stub_offset;
    uint16_t stub_len;
    struct pdu_auth auth;
};

struct pdu_response {
    uint32_t alloc_hint;
    uint16_t context_id; /* Windows truncates it to the low octet */
    uint8_t cancel_count;
    uint16_t stub_offset;
    uint16_t stub_len;
    struct pdu_auth auth;
};

struct pdu_fault {
    uint32_t alloc_hint;
    uint16_t context_id;
    uint8_t cancel_count;
    uint8_t reserved; /* bit 0: extended error information follows (MS-RPCE 2.2.2.8) */
    uint32_t status;
    uint16_t stub_offset;
    uint16_t stub_len;
    struct pdu_auth auth; /* peers send none, so a fault is never authentic */
};

enum pdu_verdict pdu_decode_request(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                    struct pdu_request *ret_request);
enum pdu_verdict pdu_decode_response(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_response *ret_response);
enum pdu_verdict pdu_decode_fault(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                  struct pdu_fault *ret_fault);

/* These two write the header and the fixed body only: 24 octets, 40 for a request
 * with an object.  Stub, pad, sec_trailer and token are sent behind them from
 * where they lie; frag_len counts stub_len and, when auth.present, pad_len, the
 * sec_trailer and token_len.  stub_offset and auth.trailer_offset are ignored.
 * PFC_OBJECT_UUID follows from has_object, whatever `flags` says. */
size_t pdu_encode_request(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                          const struct pdu_request *request);
size_t pdu_encode_response(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                           const struct pdu_response *response);

/* A whole fault, 32 octets, no stub, no trailer: stub_* and auth are ignored.
 * FIRST and LAST are always set (a fault is one PDU); `flags` adds
 * PFC_DID_NOT_EXECUTE. */
size_t pdu_encode_fault(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                        const struct pdu_fault *fault);

/* The bit of pdu_fault.reserved. */
#define PDU_FAULT_HAS_EERR 0x01u

/* The same followed by `eerr_len` octets of extended error information, which alloc_hint
 * counts and PDU_FAULT_HAS_EERR announces (MS-RPCE 2.2.2.8). */
size_t pdu_encode_fault_info(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id,
                             const struct pdu_fault *fault, const uint8_t *eerr,
                             size_t eerr_len);

/* co_cancel, orphaned, shutdown: 16 octets. */
size_t pdu_encode_empty(uint8_t *buf, size_t cap, enum pdu_type type, uint32_t call_id);

/* auth3 up to the trailer, to be completed by pdu_append_auth(). */
size_t pdu_encode_auth3(uint8_t *buf, size_t cap, uint8_t flags, uint32_t call_id);

/* The 8 octets of a sec_trailer. */
size_t pdu_encode_sec_trailer(uint8_t *buf, size_t cap, const struct pdu_auth *auth);

/* Appends sec_trailer and token to the whole PDU of `len` octets in `buf` (a bind,
 * an ack, an auth3, whose ends are 4-aligned) and corrects its lengths.  Returns
 * the new length.  A token of 0 octets still gets its sec_trailer, as a side sends
 * whose mechanism finished without output (MS-RPCE 3.3.1.5.2.1). */
size_t pdu_append_auth(uint8_t *buf, size_t cap, size_t len, const struct pdu_auth *auth,
                       const uint8_t *token);

/* ---- Association: syntaxes -------------------------------------------------- */

/* p_syntax_id_t (C706 12.6.3.1): 20 octets on the wire. */
struct pdu_syntax {
    UUID uuid;
    uint16_t major, minor;
};

extern const struct pdu_syntax pdu_syntax_ndr;   /* NDR 2.0 (C706 14)          */
extern const struct pdu_syntax pdu_syntax_ndr64; /* MS-RPCE 2.2.5              */
extern const struct pdu_syntax pdu_syntax_none;  /* all zero: nothing accepted */

bool pdu_syntax_equal(const struct pdu_syntax *a, const struct pdu_syntax *b);

/* Bind time feature negotiation (MS-RPCE 2.2.2.14): offers that travel as the
 * last 8 octets of a syntax uuid; a little-endian bit mask. */
#define PDU_FEATURE_SECURITY_MULTIPLEX 0x01u /* several security contexts         */
#define PDU_FEATURE_KEEP_ON_ORPHAN     0x02u /* connection survives an orphaned   */

struct pdu_syntax pdu_syntax_features(uint64_t bits);
/* Is it such an offer?  Then *ret_bits are its bits. */
bool pdu_syntax_is_features(const struct pdu_syntax *syntax, uint64_t *ret_bits);

/* ---- Association: bind, alter_context and their answers --------------------- */

/* What bind, alter_context and both answers open with. */
struct pdu_assoc_terms {
    uint16_t max_xmit_frag; /* octets the sender will send at most    */
    uint16_t max_recv_frag; /* octets the sender can receive at most  */
    uint32_t group_id;      /* association group; 0 in a bind: new    */
};

/* Lists stay octets until they are walked, so that nothing is allocated.  A
 * decoder has walked them already: `pdu_next_*` returning false is the end. */
struct pdu_syntax_list {
    struct wire_reader octets;
    unsigned left;
};

struct pdu_context_list {
    struct wire_reader octets;
    unsigned left;
};

struct pdu_result_list {
    struct wire_reader octets;
    unsigned left;
};

struct pdu_context {
    uint16_t id;
    struct pdu_syntax abstract;
    uint8_t syntax_count; /* 0 is well formed, though no peer may mean it */
    struct pdu_syntax_list syntaxes;
};

/* p_result_t.result (C706 12.6.3.1; 3: MS-RPCE 2.2.2.4) */
enum pdu_result_code {
    PDU_RESULT_ACCEPTANCE = 0,
    PDU_RESULT_USER_REJECTION = 1,
    PDU_RESULT_PROVIDER_REJECTION = 2,
    PDU_RESULT_NEGOTIATE_ACK = 3, /* reason holds the accepted feature bits */
};

/* p_result_t.reason of a provider rejection */
enum pdu_result_reason {
    PDU_REASON_NOT_SPECIFIED = 0,
    PDU_REASON_ABSTRACT_SYNTAX = 1,
    PDU_REASON_TRANSFER_SYNTAXES = 2,
    PDU_REASON_LOCAL_LIMIT = 3,
};

struct pdu_result {
    uint16_t result; /* enum pdu_result_code   */
    uint16_t reason; /* enum pdu_result_reason */
    struct pdu_syntax syntax;
};

/* bind and alter_context (C706 12.6.4.3, 12.6.4.1) */
struct pdu_bind {
    struct pdu_assoc_terms terms;
    uint8_t context_count;
    struct pdu_context_list contexts;
    struct pdu_auth auth;
};

/* bind_ack and alter_context_resp (C706 12.6.4.4, 12.6.4.2) */
struct pdu_bind_ack {
    struct pdu_assoc_terms terms;
    const uint8_t *sec_addr; /* as sent: a NUL is usual, not certain */
    uint16_t sec_addr_len;   /* octets, a NUL included               */
    uint8_t result_count;
    struct pdu_result_list results;
    struct pdu_auth auth;
};

/* provider_reject_reason (C706 12.6.3.1; MS-RPCE 2.2.2.5) */
enum pdu_reject_reason {
    PDU_REJECT_NOT_SPECIFIED = 0,
    PDU_REJECT_CONGESTION = 1,
    PDU_REJECT_LOCAL_LIMIT = 2,
    PDU_REJECT_PROTOCOL_VERSION = 4,
    PDU_REJECT_AUTH_TYPE = 8,
    PDU_REJECT_CHECKSUM = 9,
};

/* bind_nak (C706 12.6.4.5; MS-RPCE 2.2.2.9).  Peers stop where they like behind the reason. */
struct pdu_bind_nak {
    uint16_t reason;         /* enum pdu_reject_reason                         */
    uint8_t version_count;   /* pairs really present                           */
    const uint8_t *versions; /* major, minor, major, ...; NULL without a count */
    const uint8_t *eerr;     /* extended error information, eerr.h             */
    size_t eerr_len;         /* 0: none                                        */
};

enum pdu_verdict pdu_decode_bind(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                 struct pdu_bind *ret_bind);
enum pdu_verdict pdu_decode_bind_ack(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_bind_ack *ret_ack);
enum pdu_verdict pdu_decode_bind_nak(const struct pdu_header *hdr, const uint8_t *pdu, size_t len,
                                     struct pdu_bind_nak *ret_nak);

bool pdu_next_context(struct pdu_context_list *list, struct pdu_context *ret_context);
bool pdu_next_syntax(struct pdu_syntax_list *list, struct pdu_syntax *ret_syntax);
bool pdu_next_result(struct pdu_result_list *list, struct pdu_result *ret_result);

/* One context element to be sent; borrows the syntaxes. */
struct pdu_offer {
    uint16_t context_id;
    struct pdu_syntax abstract;
    const struct pdu_syntax *syntaxes;
    uint8_t syntax_count;
};

/* `type` is PDU_BIND or PDU_ALTER_CONTEXT.  FIRST and LAST are always set. */
size_t pdu_encode_bind(uint8_t *buf, size_t cap, enum pdu_type type, uint8_t flags,
                       uint32_t call_id, const struct pdu_assoc_terms *terms,
                       const struct pdu_offer *offers, uint8_t offer_count);

/* `type` is PDU_BIND_ACK or PDU_ALTER_CONTEXT_RESP.  `sec_addr` is a string, or
 * NULL for a length of 0 as alter_context_resp has it. */
size_t pdu_encode_bind_ack(uint8_t *buf, size_t cap, enum pdu_type type, uint8_t flags,
                           uint32_t call_id, const struct pdu_assoc_terms *terms,
                           const char *sec_addr, const struct pdu_result *results,
                           uint8_t result_count);

/* 24 octets, naming 5.0 as the version we speak, as Windows does. */
size_t pdu_encode_bind_nak(uint8_t *buf, size_t cap, uint32_t call_id, uint16_t reason);
/* The same, with extended error information unless eerr_len is 0: PDU_BIND_NAK_INFO_LEN and
 * eerr_len octets. */
size_t pdu_encode_bind_nak_info(uint8_t *buf, size_t cap, uint32_t call_id, uint16_t reason,
                                const uint8_t *eerr, size_t eerr_len);

/* For the encoders in this layer: writes a header whose frag_len is 0, and closes
 * it with the writer's length.  Returns what the encoder returns. */
void pdu_put_header(struct wire_writer *w, enum pdu_type type, uint8_t flags, uint32_t call_id);
size_t pdu_close(struct wire_writer *w);

/* ---- Print ------------------------------------------------------------------ */

/* One line of text, without newline, about the PDU at `pdu`, of which `len`
 * octets are here: type, call, flags, lengths, the body's main fields.  Anything
 * is printable, however malformed; control characters do not get through.  Writes
 * at most `cap` octets, NUL included (cap > 0), and returns the length of the
 * text, which is cut when it does not fit. */
size_t pdu_print(char *out, size_t cap, const uint8_t *pdu, size_t len);

#endif
