/* SPDX-License-Identifier: MIT */
/* progress.h - one line on a terminal: how far, how fast, how long still.
 *
 * Nothing at all is written when standard error is not a terminal. */
#ifndef FILEREP_PROGRESS_H
#define FILEREP_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_INTERVAL_MS 100

struct progress {
    bool enabled;
    bool drawn;                 /* there is a line to take away before other output */
    uint64_t total;             /* octets expected, 0: not known */
    atomic_uint_least64_t done; /* octets moved; added to by the threads at the port */
    int64_t start_ms, drawn_ms;
};

void progress_start(struct progress *progress, bool enabled);
void progress_add(struct progress *progress, uint64_t octets);
/* Draws the line if it is time to. */
void progress_tick(struct progress *progress);
/* Takes the line away. */
void progress_clear(struct progress *progress);

int64_t progress_elapsed_ms(const struct progress *progress);

/* "12.3 MB", into `buf`. */
void progress_octets(char buf[16], double octets);

#endif
