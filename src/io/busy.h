/* SPDX-License-Identifier: MIT */
/* busy.h - is a thread of this process blocked, or would it run if it had a processor?
 *
 *     busy_sample(&sample, &thread);
 *     ... some time ...
 *     busy_since(&sample, &us) it has run meanwhile, runs, or waits for its turn
 *
 * A thread that was preempted for milliseconds on a loaded machine looks exactly like one
 * that waits for a lock or a disk, unless the scheduler is asked. */
#ifndef IO_BUSY_H
#define IO_BUSY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Known to others; the thread itself may be gone when they ask. */
struct busy_thread {
    pid_t tid;
    clockid_t clock; /* of what it has run */
};

struct busy_sample {
    struct busy_thread thread;
    struct timespec cpu; /* what it has run so far */
};

/* The calling thread. */
void busy_self(struct busy_thread *ret_thread);

void busy_sample(struct busy_sample *ret_sample, const struct busy_thread *thread);

/* Some microseconds; no lock.  *ret_ran_us: how long it has run, microseconds.  False also for
 * a thread that is gone, and for one that only waits for a processor where /proc is missing. */
bool busy_since(const struct busy_sample *sample, uint64_t *ret_ran_us);

/* Does it run now, or would it, had it a processor?  Without /proc: false; without descriptors
 * nobody knows, and it is said to. */
bool busy_wants(const struct busy_thread *thread);

#endif
