/* SPDX-License-Identifier: MIT */
/* reactor_internal.h - between the files of the reactor: reactor.c, what the threads of the pool
 * do; reactor_pool.c, how many there are. */
#ifndef IO_REACTOR_INTERNAL_H
#define IO_REACTOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "io/reactor.h"

struct reactor {
    pthread_once_t once;
    int epoll_fd, wake_fd, tick_fd;
    bool usable;

    pthread_mutex_t lock; /* guards the rest */
    struct list jobs;     /* for any thread */
    struct list postponed; /* those of them that may block, when too many do */
    unsigned threads;     /* alive */
    unsigned waiting;     /* in epoll_wait, or about to be */
    unsigned blocked;     /* between block_begin and block_end */
    struct list managers; /* these, struct pool_thread, the last to begin first */
    struct list outside;  /* the others                                          */
    pthread_cond_t freed; /* `released` grew */
    unsigned undecided;   /* of them, those that have not begun: is another thread needed? */
    unsigned hesitating;  /* threads that wait for another before they spawn one */
    unsigned released;    /* of those, how many may go on without */
    unsigned core_threads;
    atomic_uint thread_max;
    atomic_uint blocking;        /* threads that run jobs that may block */
    atomic_uint postponed_count;
    size_t stack_size; /* octets, of threads to come; 0: the system's default */
    bool started;
    struct list touched;
    unsigned tick_quiet; /* ticks in a row that found nothing touched */
    unsigned tick_ms;    /* its period */
    atomic_bool ticking;
    atomic_uint tick;
};

extern struct reactor reactor;

/* Jobs this thread of the pool gave itself; NULL: another thread. */
extern _Thread_local struct list *own_jobs;

/* Everything is there: descriptors, lists.  Any number of times. */
void reactor_setup_once(void);

/* What a thread of the pool does. */
void *reactor_thread_main(void *unused);

/* Threads in epoll_wait() take `count` jobs. */
void reactor_wake(uint64_t count);

/* One of the jobs that may block and were postponed is for any thread again. */
void reactor_hand_on_postponed(void);

/* ---- reactor_pool.c: each thread of the pool of itself ------------------------- */

/* It begins.  Returns what pool_count_waiting() does. */
int pool_join(void);

/* Counts it in or out of the waiting ones.  Returns how long it may wait, milliseconds: for ever,
 * -1, unless there are more threads than cores. */
int pool_count_waiting(int delta);

/* Is it one too many?  Then it is no longer counted. */
bool pool_leave_if_surplus(void);

/* Is it between reactor_block_begin() and reactor_block_end()? */
bool pool_in_manager(void);

#endif
