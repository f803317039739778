/* SPDX-License-Identifier: MIT */
/* tower.c - see tower.h.  Says what towers are, not which of them are of use. */
#include "wire/tower.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "wire/wire.h"

/* Protocol identifiers (C706 Appendix I; 0f, 10, 11, 1f: MS-RPCE 2.2.1.2.2). */
enum {
    PROTOCOL_UUID = 0x0d,
    PROTOCOL_NCADG = 0x0a,
    PROTOCOL_NCACN = 0x0b,
    PROTOCOL_NCALRPC = 0x0c,
    PROTOCOL_TCP = 0x07,
    PROTOCOL_UDP = 0x08,
    PROTOCOL_IP = 0x09,
    PROTOCOL_PIPE = 0x0f,
    PROTOCOL_LOCAL = 0x10,
    PROTOCOL_NETBIOS = 0x11,
    PROTOCOL_HTTP = 0x1f
};

/* What follows the first two floors. */
static const struct {
    const char *protseq;
    uint8_t protocols[3]; /* 0: no such floor */
} kinds[] = {
    [TOWER_TCP] = {"ncacn_ip_tcp", {PROTOCOL_NCACN, PROTOCOL_TCP, PROTOCOL_IP}},
    [TOWER_PIPE] = {"ncacn_np", {PROTOCOL_NCACN, PROTOCOL_PIPE, PROTOCOL_NETBIOS}},
    [TOWER_LOCAL] = {"ncalrpc", {PROTOCOL_NCALRPC, PROTOCOL_LOCAL, 0}},
    [TOWER_HTTP] = {"ncacn_http", {PROTOCOL_NCACN, PROTOCOL_HTTP, PROTOCOL_IP}},
    [TOWER_UDP] = {"ncadg_ip_udp", {PROTOCOL_NCADG, PROTOCOL_UDP, PROTOCOL_IP}},
};
#define KIND_COUNT ((enum tower_kind)(sizeof(kinds) / sizeof(kinds[0])))

/* Octets of the left side of a floor with a UUID: protocol, UUID, major version. */
#define UUID_LHS_LEN 19u

struct floor {
    const uint8_t *lhs, *rhs; /* lhs has at least one octet */
    uint16_t lhs_len, rhs_len;
};

/* ---- Decoding ----------------------------------------------------------------- */

static bool next_floor(struct wire_reader *r, struct floor *ret_floor)
{
    ret_floor->lhs_len = wire_u16(r);
    ret_floor->lhs = wire_take(r, ret_floor->lhs_len);
    ret_floor->rhs_len = wire_u16(r);
    ret_floor->rhs = wire_take(r, ret_floor->rhs_len);
    return !r->failed && ret_floor->lhs_len > 0;
}

static bool get_syntax(const struct floor *floor, struct pdu_syntax *ret_syntax)
{
    struct wire_reader lhs, rhs;
    if (floor->lhs_len != UUID_LHS_LEN || floor->lhs[0] != PROTOCOL_UUID || floor->rhs_len != 2)
        return false;
    wire_reader_init(&lhs, floor->lhs + 1, UUID_LHS_LEN - 1, true);
    wire_reader_init(&rhs, floor->rhs, 2, true);
    ret_syntax->uuid = wire_guid(&lhs);
    ret_syntax->major = wire_u16(&lhs);
    ret_syntax->minor = wire_u16(&rhs);
    return true;
}

/* A name with its NUL, and no other; nothing at all is a name of no length. */
static bool get_name(const struct floor *floor, const char **ret_name)
{
    *ret_name = "";
    if (floor->rhs_len == 0)
        return true;
    if (memchr(floor->rhs, 0, floor->rhs_len) != floor->rhs + floor->rhs_len - 1)
        return false;
    *ret_name = (const char *)floor->rhs;
    return true;
}

static bool get_address(const struct floor *floor, struct tower *tower)
{
    switch (floor->lhs[0]) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
    case PROTOCOL_HTTP:
        if (floor->rhs_len != 2)
            return false;
        tower->port = (uint16_t)(floor->rhs[0] << 8 | floor->rhs[1]);
        return true;
    case PROTOCOL_IP:
        if (floor->rhs_len != sizeof(tower->address))
            return false;
        memcpy(tower->address, floor->rhs, sizeof(tower->address));
        return true;
    case PROTOCOL_PIPE:
    case PROTOCOL_LOCAL:
        return get_name(floor, &tower->endpoint);
    case PROTOCOL_NETBIOS:
        return get_name(floor, &tower->host);
    default:
        return true;
    }
}

static enum tower_kind kind_from_protocols(const struct tower *tower)
{
    for (enum tower_kind kind = 0; kind < KIND_COUNT; kind++) {
        const uint8_t *wanted = kinds[kind].protocols;
        const unsigned count = wanted[2] ? 5 : 4;
        if (tower->floor_count == count && memcmp(tower->protocols + 2, wanted, count - 2) == 0)
            return kind;
    }
    return TOWER_OTHER;
}

/* Floor `i`, counted from 0. */
static bool get_floor(struct tower *tower, unsigned i, const struct floor *floor)
{
    tower->protocols[i] = floor->lhs[0];
    switch (i) {
    case 0:
        return get_syntax(floor, &tower->interface_id);
    case 1:
        return get_syntax(floor, &tower->transfer);
    case 2:
        return true;
    default:
        return get_address(floor, tower);
    }
}

bool tower_decode(const uint8_t *octets, size_t len, struct tower *ret_tower)
{
    struct wire_reader r;
    if (len > TOWER_LEN_MAX)
        return false;
    wire_reader_init(&r, octets, len, true);
    const uint16_t count = wire_u16(&r);
    if (r.failed || count < 3 || count > TOWER_FLOORS_MAX)
        return false;
    struct tower tower = {.endpoint = "", .host = "", .floor_count = (uint8_t)count};
    for (unsigned i = 0; i < count; i++) {
        struct floor floor;
        if (!next_floor(&r, &floor) || !get_floor(&tower, i, &floor))
            return false;
    }
    if (wire_left(&r) > 0)
        return false;
    tower.kind = kind_from_protocols(&tower);
    *ret_tower = tower;
    return true;
}

size_t tower_address_offset(const uint8_t *octets, size_t len)
{
    struct wire_reader r;
    struct floor floor;
    wire_reader_init(&r, octets, len, true);
    for (unsigned count = wire_u16(&r); count > 0 && next_floor(&r, &floor); count--)
        if (floor.lhs[0] == PROTOCOL_IP && floor.rhs_len == 4)
            return (size_t)(floor.rhs - octets);
    return 0;
}

bool tower_same_protocols(const struct tower *a, const struct tower *b)
{
    return a->floor_count == b->floor_count &&
           memcmp(a->protocols, b->protocols, a->floor_count) == 0;
}

/* ---- Encoding ------------------------------------------------------------------- */

static void put_u16(struct wire_writer *w, uint16_t value)
{
    wire_put_u8(w, (uint8_t)value);
    wire_put_u8(w, (uint8_t)(value >> 8));
}

static void put_syntax(struct wire_writer *w, const struct pdu_syntax *syntax)
{
    put_u16(w, UUID_LHS_LEN);
    wire_put_u8(w, PROTOCOL_UUID);
    put_u16(w, (uint16_t)syntax->uuid.Data1);
    put_u16(w, (uint16_t)(syntax->uuid.Data1 >> 16));
    put_u16(w, syntax->uuid.Data2);
    put_u16(w, syntax->uuid.Data3);
    wire_put_bytes(w, syntax->uuid.Data4, sizeof(syntax->uuid.Data4));
    put_u16(w, syntax->major);
    put_u16(w, 2);
    put_u16(w, syntax->minor);
}

static void put_floor(struct wire_writer *w, uint8_t protocol, const void *rhs, size_t rhs_len)
{
    put_u16(w, 1);
    wire_put_u8(w, protocol);
    put_u16(w, (uint16_t)rhs_len);
    wire_put_bytes(w, rhs, rhs_len);
}

/* Floor 4 or 5. */
static void put_address(struct wire_writer *w, uint8_t protocol, const struct tower *tower)
{
    const uint8_t port[2] = {(uint8_t)(tower->port >> 8), (uint8_t)tower->port};
    const char *name = protocol == PROTOCOL_NETBIOS ? tower->host : tower->endpoint;
    switch (protocol) {
    case 0:
        return;
    case PROTOCOL_IP:
        put_floor(w, protocol, tower->address, sizeof(tower->address));
        return;
    case PROTOCOL_PIPE:
    case PROTOCOL_LOCAL:
    case PROTOCOL_NETBIOS:
        if (strlen(name) < TOWER_LEN_MAX)
            put_floor(w, protocol, name, strlen(name) + 1);
        else
            w->failed = true;
        return;
    default:
        put_floor(w, protocol, port, sizeof(port));
        return;
    }
}

size_t tower_encode(uint8_t *buf, size_t cap, const struct tower *tower)
{
    static const uint8_t minor[2];
    struct wire_writer w;
    if (tower->kind >= KIND_COUNT)
        return 0;
    const uint8_t *protocols = kinds[tower->kind].protocols;
    wire_writer_init(&w, buf, cap < TOWER_LEN_MAX ? cap : TOWER_LEN_MAX);
    put_u16(&w, protocols[2] ? 5 : 4);
    put_syntax(&w, &tower->interface_id);
    put_syntax(&w, &tower->transfer);
    put_floor(&w, protocols[0], minor, sizeof(minor));
    put_address(&w, protocols[1], tower);
    put_address(&w, protocols[2], tower);
    return w.failed ? 0 : w.len;
}

/* ---- As text -------------------------------------------------------------------- */

const char *tower_protseq(enum tower_kind kind)
{
    return kind < KIND_COUNT ? kinds[kind].protseq : NULL;
}

enum tower_kind tower_kind_of(const char *protseq)
{
    for (enum tower_kind kind = 0; kind < KIND_COUNT; kind++)
        if (strcmp(kinds[kind].protseq, protseq) == 0)
            return kind;
    return TOWER_OTHER;
}

void tower_endpoint(const struct tower *tower, char *text, size_t size)
{
    if (tower->kind == TOWER_PIPE || tower->kind == TOWER_LOCAL)
        snprintf(text, size, "%s", tower->endpoint);
    else if (tower->port != 0)
        snprintf(text, size, "%" PRIu16, tower->port);
    else
        snprintf(text, size, "%s", "");
}

static void print_host(const struct tower *tower, char *text, size_t size)
{
    const uint8_t *ip = tower->address;
    text[0] = '\0';
    if (tower->kind == TOWER_PIPE)
        snprintf(text, size, "%s", tower->host);
    else if (tower->kind != TOWER_LOCAL && tower->kind != TOWER_OTHER)
        snprintf(text, size, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
}

const char *tower_print(const struct tower *tower, char *text, size_t size)
{
    char uuid[UUID_TEXT_LEN + 1], host[128], endpoint[256];
    const struct pdu_syntax *id = &tower->interface_id;
    const char *protseq = tower_protseq(tower->kind);
    uuid_format(&id->uuid, uuid);
    print_host(tower, host, sizeof(host));
    tower_endpoint(tower, endpoint, sizeof(endpoint));
    snprintf(text, size, "%s v%u.%u %s:%s[%s]", uuid, (unsigned)id->major, (unsigned)id->minor,
             protseq ? protseq : "protocols unknown", host, endpoint);
    return text;
}
