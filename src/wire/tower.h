/* SPDX-License-Identifier: MIT */
/* tower.h - protocol towers: where an interface can be reached, as the endpoint mapper tells it
 * (C706 Appendix L; MS-RPCE 2.2.1.2.2).
 *
 *   u16 floor_count
 *   floor_count * { u16 lhs_len; protocol id and what belongs to it; u16 rhs_len; address }
 *
 *   floor 1   interface: 0d, UUID, major version    | minor version
 *   floor 2   transfer syntax, likewise
 *   floor 3   0b ncacn, 0a ncadg, 0c ncalrpc        | minor version of the protocol
 *   floor 4   07 TCP, 08 UDP, 1f HTTP: port         0f pipe, 10 ncalrpc: a name with its NUL
 *   floor 5   09 IP: IPv4 address                   11 NetBIOS: a name with its NUL
 *
 * Octets without alignment.  Integers are little-endian whoever sends them, but for ports
 * and addresses, which are in network byte order. */
#ifndef PENSTOCK_WIRE_TOWER_H
#define PENSTOCK_WIRE_TOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/pdu.h"

/* Octets of a tower (MS-RPCE 2.2.1.2.2), and its floors: the mapper of Windows takes no more
 * (MS-RPCE 3.1.3.5.3). */
#define TOWER_LEN_MAX 2000u
#define TOWER_FLOORS_MAX 6u

enum tower_kind {
    TOWER_TCP,   /* ncacn_ip_tcp */
    TOWER_PIPE,  /* ncacn_np     */
    TOWER_LOCAL, /* ncalrpc      */
    TOWER_HTTP,  /* ncacn_http   */
    TOWER_UDP,   /* ncadg_ip_udp */
    TOWER_OTHER, /* well formed; only the numbers of its protocols are known */
};

struct tower {
    struct pdu_syntax interface_id;
    struct pdu_syntax transfer;
    enum tower_kind kind;
    uint16_t port;        /* TCP, HTTP, UDP; 0: none is said                            */
    uint8_t address[4];   /* of the same; all 0: none is said                           */
    const char *endpoint; /* PIPE, LOCAL: borrowed from the octets; "": none is said    */
    const char *host;     /* PIPE: likewise                                             */
    uint8_t floor_count;
    uint8_t protocols[TOWER_FLOORS_MAX]; /* the first octet of each floor               */
};

/* Takes a tower apart.  False: malformed, longer than TOWER_LEN_MAX, of more than
 * TOWER_FLOORS_MAX floors, or the first three are not what they have to be. */
bool tower_decode(const uint8_t *octets, size_t len, struct tower *ret_tower);

/* Its octets; `floor_count` and `protocols` are not looked at.  0: they do not fit, a name
 * makes it longer than TOWER_LEN_MAX, or it is TOWER_OTHER. */
size_t tower_encode(uint8_t *buf, size_t cap, const struct tower *tower);

/* Are they of the same protocol sequence? */
bool tower_same_protocols(const struct tower *a, const struct tower *b);

/* Where the octets of the IPv4 address are; 0: it has none. */
size_t tower_address_offset(const uint8_t *octets, size_t len);

/* "ncacn_ip_tcp" ...; NULL for TOWER_OTHER.  And back; TOWER_OTHER: none of ours. */
const char *tower_protseq(enum tower_kind kind);
enum tower_kind tower_kind_of(const char *protseq);

/* The endpoint as text: a port as a number, "" for none.  Cut to `size` octets with its NUL. */
void tower_endpoint(const struct tower *tower, char *text, size_t size);

/* One line for people: "UUID v1.0 ncacn_ip_tcp:0.0.0.0[135]".  Cut likewise; returns `text`. */
#define TOWER_TEXT_SIZE 512u
const char *tower_print(const struct tower *tower, char *text, size_t size);

#endif
