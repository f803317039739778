/* SPDX-License-Identifier: MIT */
/* progress.h - one line on a terminal: octets, rate, time; nothing at all where standard
 * error is none. */
#ifndef PENSTOCK_TOOLS_PROGRESS_H
#define PENSTOCK_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool enabled; /* caller: before progress_start() */
    bool drawn;   /* there is a line to take away before other output */
    bool running;
    uint64_t total; /* octets expected; 0: not known */
    uint64_t done;  /* octets moved */
    int64_t start_ms, drawn_ms;
};

void progress_start(struct progress *progress);
/* Draws the line when it is time to: ten times a second. */
void progress_tick(struct progress *progress);
/* Draws it for the last time, with an end of line. */
void progress_stop(struct progress *progress);
/* How long a wait may last before the next tick: milliseconds, -1: as long as it likes. */
int progress_wait_ms(const struct progress *progress);

#endif
