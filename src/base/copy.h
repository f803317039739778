/* SPDX-License-Identifier: MIT */
/* copy.h - memcpy for what is long and lies anywhere.
 *
 * For a few kilobytes and more libc's memcpy takes one instruction (rep movsb) that on
 * some processors, Zen 3 and 4 among them, falls from 40 GB/s to 9, even to 3, when source
 * and destination stand a few octets apart modulo a page: which is what headers of 8 or
 * 24 octets in front of everything bring about.  A plain loop does not. */
#ifndef PENSTOCK_BASE_COPY_H
#define PENSTOCK_BASE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Like memcpy; `len` 0 with NULL pointers is fine. */
static inline void copy_octets(void *restrict to, const void *restrict from, size_t len)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (len >= 256) { /* stores that cross cache lines cost more than loads that do */
        size_t lead = -(uintptr_t)out & 63;
        memcpy(out, in, 64);
        out += lead;
        in += lead;
        len -= lead;
    }
    for (; len >= 64; len -= 64, out += 64, in += 64) {
        memcpy(out, in, 64); /* four vector registers */
        __asm__ volatile("" : : : "memory"); /* or the compiler makes one memcpy of the loop */
    }
    if (len > 0)
        memcpy(out, in, len);
}

#endif
