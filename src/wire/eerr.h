/* SPDX-License-Identifier: MIT */
/* eerr.h - extended error information as octets ([MS-EERR] 2.2): a chain of records,
 * serialised as one type of version 1 (MS-RPCE 2.2.6), that a fault or a bind_nak carries.
 *
 *   common header 8 | private header 8 | pointer | record | record ... | strings
 *
 * The pointer to the next record is a record's first, so in NDR 2.0 all records stand one
 * behind the other and their strings follow in the opposite order.
 *
 * Pure functions, no allocation.  Decoded strings borrow the octets. */
#ifndef PENSTOCK_WIRE_EERR_H
#define PENSTOCK_WIRE_EERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define EERR_PARAMS_MAX 4u

/* ExtendedErrorParamTypesInternal */
enum eerr_type {
    EERR_ANSI = 1,
    EERR_UNICODE,
    EERR_LONG,
    EERR_SHORT,
    EERR_POINTER, /* 64 bits */
    EERR_NONE,
    EERR_BINARY
};

struct eerr_text {
    const void *units; /* octets, or UTF-16 units, not necessarily aligned; NULL: count is 0 */
    uint16_t count;    /* units, with the NUL where there is one; at most INT16_MAX          */
};

struct eerr_param {
    enum eerr_type type;
    int64_t number;        /* LONG, SHORT, POINTER  */
    struct eerr_text text; /* ANSI, UNICODE, BINARY */
};

/* Flags: records of the sequence that are not here. */
#define EERR_PREVIOUS_MISSING 0x1u /* before this one */
#define EERR_NEXT_MISSING     0x2u /* behind it       */

struct eerr_record {
    bool has_name;
    struct eerr_text name; /* of the computer, UTF-16 */
    uint32_t pid;
    int64_t time;          /* 100 ns since 1601-01-01, UTC */
    uint32_t component;
    uint32_t status;
    uint16_t location;
    uint16_t flags; /* EERR_* */
    uint16_t param_count;
    struct eerr_param params[EERR_PARAMS_MAX];
};

/* What eerr_encode() leaves out, to make a chain fit. */
#define EERR_WITHOUT_STRINGS 0x1u /* parameters with strings become EERR_NONE, names go  */
#define EERR_GAP             0x2u /* records are missing between the last and the one before */

/* Writes the chain of `count` records, the latest first; strings are in the host's byte
 * order.  Returns the octets written, a multiple of 8; 0: `cap` is too small for it. */
size_t eerr_encode(uint8_t *buf, size_t cap, const struct eerr_record *const *records,
                   size_t count, unsigned without);

/* Reads a chain.  At most `max` records are accepted; *ret_count of them are filled.
 * *ret_swapped: UTF-16 units are in the other byte order than the host's.  Anything that
 * [MS-EERR] does not allow makes all of it wrong: false. */
bool eerr_decode(const uint8_t *octets, size_t len, struct eerr_record *records, size_t max,
                 size_t *ret_count, bool *ret_swapped);

#endif
