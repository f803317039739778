/* SPDX-License-Identifier: MIT */
/* pickle.h - the headers of serialised ("pickled") data (docs/design/pickling.md).
 *
 *   types, version 1       common header 8 | private header 8 | object | private ...
 *   (MS-RPCE 2.2.6)        primitive types have no private header
 *   types, version 2       common header 64 | private header 16 | object | private ...
 *   (MS-RPCE 2.2.7)        with its transfer syntax, for NDR64
 *   procedures             header 56 | parameters | header 56 | ...
 *
 * Objects, and what follows a procedure's header, begin and end at multiples of 8 octets, in
 * version 2 of 16.  Pure functions: no state, no allocation, no NDR. */
#ifndef PENSTOCK_WIRE_PICKLE_H
#define PENSTOCK_WIRE_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/pdu.h"

#define PICKLE_COMMON_1_LEN  8u
#define PICKLE_COMMON_2_LEN  64u
#define PICKLE_PRIVATE_1_LEN 8u
#define PICKLE_PRIVATE_2_LEN 16u
#define PICKLE_PROC_LEN      56u
/* The largest of what may precede one object. */
#define PICKLE_HEADERS_MAX (PICKLE_COMMON_2_LEN + PICKLE_PRIVATE_2_LEN)

enum pickle_verdict {
    PICKLE_OK,
    PICKLE_WRONG_VERSION, /* not a header of this kind          */
    PICKLE_WRONG_SYNTAX   /* neither NDR 2.0 nor NDR64          */
};

/* What the common header says about all objects of a stream of types. */
struct pickle_types {
    uint8_t version; /* 1 or 2                                        */
    bool little_endian;
    bool ndr64; /* version 2: the transfer syntax                */
};

static inline uint32_t pickle_common_len(uint8_t version)
{
    return version == 2 ? PICKLE_COMMON_2_LEN : PICKLE_COMMON_1_LEN;
}

static inline uint32_t pickle_private_len(uint8_t version)
{
    return version == 2 ? PICKLE_PRIVATE_2_LEN : PICKLE_PRIVATE_1_LEN;
}

/* What objects are aligned to and padded to. */
static inline uint32_t pickle_align(uint8_t version)
{
    return version == 2 ? 16u : 8u;
}

/* Looks at the first PICKLE_COMMON_1_LEN octets, which both versions have: *ret_version is
 * written on PICKLE_OK only, and tells with pickle_common_len() how many there are in all. */
enum pickle_verdict pickle_peek_types(const uint8_t *octets, uint8_t *ret_version);
/* The whole common header, as long as its version says. */
enum pickle_verdict pickle_get_types(const uint8_t *octets, struct pickle_types *ret_types);
/* Appends a common header; `interface` goes into version 2. */
void pickle_put_types(struct wire_writer *writer, const struct pickle_types *types,
                      const struct pdu_syntax *interface);

/* ObjectBufferLength of a private header. */
uint32_t pickle_get_private(const uint8_t *octets, const struct pickle_types *types);
void pickle_put_private(struct wire_writer *writer, const struct pickle_types *types,
                        uint32_t object_len);

/* In front of the parameters of one operation. */
struct pickle_proc {
    bool little_endian;
    bool ndr64;
    struct pdu_syntax interface;
    uint32_t opnum;
    uint32_t len; /* of the parameters, padding included; 0: the writer did not say (DCE) */
};

/* PICKLE_PROC_LEN octets; *ret_proc is written on PICKLE_OK only. */
enum pickle_verdict pickle_get_proc(const uint8_t *octets, struct pickle_proc *ret_proc);
/* In the host's order, whatever proc->little_endian says about the parameters. */
void pickle_put_proc(struct wire_writer *writer, const struct pickle_proc *proc);

#endif
