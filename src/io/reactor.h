/* SPDX-License-Identifier: MIT */
/* reactor.h - one epoll set and the small pool of threads that waits on it.
 *
 * The model is the completion port: a thread that takes an event runs what
 * follows from it, to the end.  There are as many threads as cores; while some
 * are blocked in managers (reactor_block_begin) others take their place, up to a
 * limit, and leave again when idle.
 *
 * A watch is armed for one event at a time (EPOLLONESHOT): whoever does I/O on a
 * descriptor decides at the end whether anyone need wait for it.  Because arming
 * costs a system call, code that expects to come back to the descriptor soon (an
 * application pulling in a loop, a manager about to answer) leaves it unarmed and
 * calls reactor_touch(); should it not come back, a tick of LIMIT_TICK_MS calls
 * the watch's on_idle, which arms it.  The tick runs only while it is needed. */
#ifndef IO_REACTOR_H
#define IO_REACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/handle.h"
#include "base/list.h"

/* An object with a file descriptor.  Embedded; `object` counts references to the
 * whole.  The reactor reaches it through a handle, so an event for a watch that
 * was closed meanwhile is dropped. */
struct io_watch;
struct io_watch_ops {
    /* An armed event fired (EPOLLIN ...); the watch is no longer armed. */
    void (*on_event)(struct io_watch *watch, uint32_t events);
    /* The tick found the watch touched, then left alone for a whole period. */
    void (*on_idle)(struct io_watch *watch);
};

struct io_watch {
    struct counted object;
    const struct io_watch_ops *ops;
    uint64_t handle; /* 0: not in the reactor */
    struct list touch_node;   /* reactor's */
    int fd;
    atomic_uint touched;    /* tick of the last reactor_touch() */
    atomic_bool touch_listed; /* on the touch list */
    bool attached;   /* in the epoll set; the caller's lock guards it */
};

/* Work for a pool thread. */
struct io_job {
    void (*run)(struct io_job *job);
    struct list node;
    bool may_block; /* for as long as it likes: a manager.  One thread of the pool is left for those
                     * that do not, so it may have to wait for another of its kind to end */
};

/* Starts the pool if it does not run yet.  False: no threads or descriptors left. */
bool reactor_start(void);

/* Most threads the pool may have (at least the number of cores). */
void reactor_set_thread_max(unsigned threads);

/* The stack of threads made from now on, rounded up to pages.  False: the system has no such. */
bool reactor_set_stack_size(size_t octets);

/* Adds watch->fd, unarmed.  The reactor takes a reference of its own.
 * False: out of memory or descriptors. */
bool reactor_add(struct io_watch *watch);

/* Waits for one of `events` (EPOLLIN, EPOLLOUT, EPOLLRDHUP; errors and hang-ups
 * always count).  Replaces what the watch was armed for.  The caller serialises
 * calls of this and the next function for a watch that it detaches.  False: no
 * resources now. */
bool reactor_arm(struct io_watch *watch, uint32_t events);

/* Takes an unarmed watch out of the epoll set until it is armed again: a descriptor in
 * the set costs both sides of a stream something with everything that is sent. */
void reactor_detach(struct io_watch *watch);

/* Takes the watch out; no event for it is delivered that was not yet taken by a
 * thread.  Drops the reactor's reference. */
void reactor_remove(struct io_watch *watch);

/* See the top of this file.  Costs no system call while the tick runs. */
void reactor_touch(struct io_watch *watch);

/* Hands `job` to a pool thread.  From a pool thread it runs on the same thread
 * when that is done with its event; from any other a sleeping thread is woken. */
void reactor_submit(struct io_job *job);

/* Is this a pool thread that still has jobs of its own?  Then what it submits comes behind these,
 * and can be done once for all of them. */
bool reactor_has_own_jobs(void);

/* As reactor_submit, but always to another thread if one is idle. */
void reactor_submit_other(struct io_job *job);

/* Bracket code on a pool thread that may block or run long: a manager routine.
 * No effect on other threads. */
void reactor_block_begin(void);
void reactor_block_end(void);

/* Is a thread of the pool waiting for events right now?  A hint. */
bool reactor_has_idle_thread(void);

#endif
