/* SPDX-License-Identifier: MIT */
/* timer.h - moments at which something is to happen, any number of them over one timerfd.
 *
 *   timers --heap by due time--> timerfd --reactor--> expired() on a pool thread
 *
 * Setting and clearing one costs O(log n) and a system call only when it becomes the
 * first that is due; there is no thread and no descriptor per timer. */
#ifndef IO_TIMER_H
#define IO_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/handle.h"

/* Embedded; zeroed it is not set.  `object` counts references to the whole: one is held
 * while the timer is set and until expired() has returned. */
struct io_timer {
    struct counted *object;
    /* Without locks, once for each time it was set and not cleared.  A timer that is set
     * anew or cleared while this begins may run all the same: it looks again.  One that was
     * cleared may be gone by then, so it is told `object`. */
    void (*expired)(struct counted *object);
    uint64_t due_us; /* of clock_us(), while it is set      */
    size_t place;    /* timer.c's: 1 + index; 0: not set    */
};

/* Sets it, or moves one that is set.  False: out of memory, descriptors or threads; then
 * it is as it was before.  Any locks may be held that expired() does not wait for. */
bool timer_set(struct io_timer *timer, uint64_t due_us);

/* Nothing when it is not set.  The caller has a reference of its own. */
void timer_clear(struct io_timer *timer);

#endif
