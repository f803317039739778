/* SPDX-License-Identifier: MIT */
/* pickle.c - see pickle.h.  Whether the lengths found here make sense is for the caller to
 * say, who knows how many octets there are. */
#include "wire/pickle.h"

#include <string.h>

#include "wire/wire.h"

#define FILLER 0xccccccccu
/* The Endianness octet (MS-RPCE 2.2.6.1): the integer representation of C706 14.1 in its
 * high half. */
#define TYPES_LITTLE 0x10u
#define TYPES_BIG    0x00u
/* In a procedure's header it stands in the low half (see docs/design/pickling.md). */
#define PROC_VERSION 1u
#define PROC_LITTLE  1u

static void put_syntax(struct wire_writer *w, const struct pdu_syntax *syntax)
{
    wire_put_guid(w, &syntax->uuid);
    wire_put_u16(w, syntax->major);
    wire_put_u16(w, syntax->minor);
}

static struct pdu_syntax get_syntax(struct wire_reader *r)
{
    struct pdu_syntax syntax = {.uuid = wire_guid(r)};
    syntax.major = wire_u16(r);
    syntax.minor = wire_u16(r);
    return syntax;
}

/* A transfer syntax has one version of 32 bits, whose low half is the major one: in a
 * big-endian header it comes second. */
static struct pdu_syntax get_transfer_syntax(struct wire_reader *r)
{
    struct pdu_syntax syntax = {.uuid = wire_guid(r)};
    uint32_t version = wire_u32(r);
    syntax.major = (uint16_t)version;
    syntax.minor = (uint16_t)(version >> 16);
    return syntax;
}

static void put_transfer_syntax(struct wire_writer *w, const struct pdu_syntax *syntax)
{
    wire_put_guid(w, &syntax->uuid);
    wire_put_u32(w, syntax->major | (uint32_t)syntax->minor << 16);
}

static enum pickle_verdict check_syntax(const struct pdu_syntax *syntax, bool *ret_ndr64)
{
    if (!pdu_syntax_equal(syntax, &pdu_syntax_ndr) && !pdu_syntax_equal(syntax, &pdu_syntax_ndr64))
        return PICKLE_WRONG_SYNTAX;
    *ret_ndr64 = pdu_syntax_equal(syntax, &pdu_syntax_ndr64);
    return PICKLE_OK;
}

/* ---- Types ------------------------------------------------------------------------- */

enum pickle_verdict pickle_peek_types(const uint8_t *octets, uint8_t *ret_version)
{
    uint8_t version = octets[0];
    if (version != 1 && version != 2)
        return PICKLE_WRONG_VERSION;
    if (octets[1] != TYPES_LITTLE && (octets[1] != TYPES_BIG || version == 2))
        return PICKLE_WRONG_VERSION;
    /* Little-endian by MS-RPCE 2.2.6.1; some write it in the order of the stream. */
    uint32_t len = (uint32_t)octets[2] | (uint32_t)octets[3] << 8;
    bool swapped = octets[1] == TYPES_BIG && octets[2] == 0 && octets[3] == PICKLE_COMMON_1_LEN;
    if (len != pickle_common_len(version) && !swapped)
        return PICKLE_WRONG_VERSION;
    *ret_version = version;
    return PICKLE_OK;
}

enum pickle_verdict pickle_get_types(const uint8_t *octets, struct pickle_types *ret_types)
{
    struct pickle_types types = {.little_endian = octets[1] == TYPES_LITTLE};
    enum pickle_verdict verdict = pickle_peek_types(octets, &types.version);
    if (verdict != PICKLE_OK)
        return verdict;
    if (types.version == 2) {
        struct wire_reader r;
        wire_reader_init(&r, octets, PICKLE_COMMON_2_LEN, true);
        wire_take(&r, PICKLE_COMMON_1_LEN + 16); /* endianInfo ends the first 8, then Reserved */
        const struct pdu_syntax syntax = get_transfer_syntax(&r);
        verdict = check_syntax(&syntax, &types.ndr64);
        if (verdict != PICKLE_OK)
            return verdict;
        /* InterfaceID may be ignored (MS-RPCE 2.2.7.1). */
    }
    *ret_types = types;
    return PICKLE_OK;
}

void pickle_put_types(struct wire_writer *w, const struct pickle_types *types,
                      const struct pdu_syntax *interface)
{
    wire_put_u8(w, types->version);
    wire_put_u8(w, types->little_endian ? TYPES_LITTLE : TYPES_BIG);
    wire_put_u16(w, (uint16_t)pickle_common_len(types->version));
    wire_put_u32(w, FILLER);
    if (types->version != 2)
        return;
    for (int i = 0; i < 4; i++)
        wire_put_u32(w, FILLER);
    put_transfer_syntax(w, types->ndr64 ? &pdu_syntax_ndr64 : &pdu_syntax_ndr);
    put_syntax(w, interface);
}

uint32_t pickle_get_private(const uint8_t *octets, const struct pickle_types *types)
{
    struct wire_reader r;
    wire_reader_init(&r, octets, sizeof(uint32_t), types->little_endian);
    return wire_u32(&r);
}

void pickle_put_private(struct wire_writer *w, const struct pickle_types *types,
                        uint32_t object_len)
{
    uint8_t *at = wire_make_room(w, sizeof(object_len));
    for (unsigned i = 0; at && i < sizeof(object_len); i++)
        at[i] = (uint8_t)(object_len >> 8 * (types->little_endian ? i : 3 - i));
    wire_put_zeros(w, pickle_private_len(types->version) - sizeof(object_len));
}

/* ---- Procedures -------------------------------------------------------------------- */

enum pickle_verdict pickle_get_proc(const uint8_t *octets, struct pickle_proc *ret_proc)
{
    struct pickle_proc proc = {0};
    if (octets[0] != PROC_VERSION || octets[1] > PROC_LITTLE)
        return PICKLE_WRONG_VERSION;
    struct wire_reader r;
    wire_reader_init(&r, octets, PICKLE_PROC_LEN, octets[1] == PROC_LITTLE);
    wire_take(&r, 4); /* the rest is filler */
    const struct pdu_syntax syntax = get_transfer_syntax(&r);
    enum pickle_verdict verdict = check_syntax(&syntax, &proc.ndr64);
    if (verdict != PICKLE_OK)
        return verdict;
    proc.interface = get_syntax(&r);
    proc.opnum = wire_u32(&r);
    /* The data representation of the parameters, of which only the order of integers
     * matters: characters are ASCII, floating point is IEEE. */
    uint8_t drep[4];
    wire_bytes(&r, drep, sizeof(drep));
    if (drep[0] > PROC_LITTLE || drep[1] != 0 || drep[2] != 0)
        return PICKLE_WRONG_VERSION;
    proc.little_endian = drep[0] == PROC_LITTLE;
    proc.len = wire_u32(&r);
    *ret_proc = proc;
    return PICKLE_OK;
}

void pickle_put_proc(struct wire_writer *w, const struct pickle_proc *proc)
{
    wire_put_u8(w, PROC_VERSION);
    wire_put_u8(w, WIRE_HOST_LITTLE_ENDIAN ? PROC_LITTLE : 0);
    wire_put_u16(w, (uint16_t)FILLER);
    put_transfer_syntax(w, proc->ndr64 ? &pdu_syntax_ndr64 : &pdu_syntax_ndr);
    put_syntax(w, &proc->interface);
    wire_put_u32(w, proc->opnum);
    wire_put_u8(w, proc->little_endian ? PROC_LITTLE : 0);
    wire_put_zeros(w, 3);
    wire_put_u32(w, proc->len);
}
