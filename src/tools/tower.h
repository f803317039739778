/* SPDX-License-Identifier: MIT */
/* tower.h - protocol towers of an endpoint mapper, for people (C706 Appendix L, MS-RPCE
 * 2.2.1.2.2). */
#ifndef PENSTOCK_TOOLS_TOWER_H
#define PENSTOCK_TOOLS_TOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tower_text {
    char uuid[40];     /* of the interface */
    unsigned major, minor;
    char binding[320]; /* a string binding, or "protocols 0b,07" where the sequence is unknown */
};

/* Takes a tower apart; what a name has that no terminal should see becomes '?'.  False: it is
 * malformed. */
bool tower_text(const uint8_t *octets, size_t len, struct tower_text *ret);

#endif
