/* SPDX-License-Identifier: MIT */
/* reactor.c - descriptors, the tick, jobs; see reactor.h.  How many threads there are is in
 * reactor_pool.c. */
#include "io/reactor.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/delay.h"
#include "base/limits.h"
#include "io/reactor_internal.h"

/* epoll data of the two descriptors that are not watches; handles are larger. */
#define DATA_WAKE 1u
#define DATA_TICK 2u

/* Ticks without any touched watch after which the tick stops. */
#define TICK_IDLE_MAX 50u

struct reactor reactor = {
    .once = PTHREAD_ONCE_INIT,
    .lock = PTHREAD_MUTEX_INITIALIZER,
};

_Thread_local struct list *own_jobs;

static unsigned core_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

static bool epoll_add(int fd, uint32_t events, uint64_t data)
{
    struct epoll_event ev = {.events = events, .data.u64 = data};
    return epoll_ctl(reactor.epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void setup(void)
{
    list_init(&reactor.jobs);
    list_init(&reactor.postponed);
    list_init(&reactor.managers);
    list_init(&reactor.outside);
    list_init(&reactor.touched);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&reactor.freed, &attr);
    pthread_condattr_destroy(&attr);
    reactor.core_threads = core_count();
    atomic_store(&reactor.thread_max, reactor.core_threads + LIMIT_POOL_THREADS);
    reactor.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    reactor.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    reactor.tick_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    reactor.usable = reactor.epoll_fd >= 0 && reactor.wake_fd >= 0 && reactor.tick_fd >= 0 &&
                     epoll_add(reactor.wake_fd, EPOLLIN | EPOLLEXCLUSIVE, DATA_WAKE) &&
                     epoll_add(reactor.tick_fd, EPOLLIN | EPOLLET, DATA_TICK);
}

void reactor_setup_once(void)
{
    pthread_once(&reactor.once, setup);
}

/* ---- Watches ------------------------------------------------------------- */

bool reactor_add(struct io_watch *watch)
{
    if (!reactor_start())
        return false;
    watch->handle = handle_open(&watch->object);
    if (watch->handle == 0)
        return false;
    watch->attached = true; /* before an event for it may be taken by another thread */
    if (!epoll_add(watch->fd, EPOLLONESHOT, watch->handle)) {
        watch->attached = false;
        handle_close(watch->handle, 0);
        watch->handle = 0;
        return false;
    }
    return true;
}

bool reactor_arm(struct io_watch *watch, uint32_t events)
{
    if (watch->handle == 0)
        return true;
    struct epoll_event ev = {.events = events | EPOLLONESHOT, .data.u64 = watch->handle};
    if (watch->attached)
        return epoll_ctl(reactor.epoll_fd, EPOLL_CTL_MOD, watch->fd, &ev) == 0;
    watch->attached = epoll_ctl(reactor.epoll_fd, EPOLL_CTL_ADD, watch->fd, &ev) == 0;
    return watch->attached;
}

void reactor_detach(struct io_watch *watch)
{
    if (watch->attached)
        epoll_ctl(reactor.epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->attached = false;
}

void reactor_remove(struct io_watch *watch)
{
    if (watch->handle == 0)
        return;
    reactor_detach(watch);
    handle_close(watch->handle, 0);
}

static void watch_event(uint64_t handle, uint32_t events)
{
    int32_t status;
    struct counted *object = handle_get(handle, 0, &status);
    if (!object)
        return;
    struct io_watch *watch = list_entry(object, struct io_watch, object);
    DELAY_POINT();
    watch->ops->on_event(watch, events);
    counted_put(object);
}

/* ---- The tick ------------------------------------------------------------ */

/* 0 stops it.  Lock held. */
static void tick_set(unsigned ms)
{
    if (ms == reactor.tick_ms)
        return;
    struct timespec period = {.tv_nsec = (long)ms * 1000000L};
    struct itimerspec spec = {.it_interval = period, .it_value = period};
    timerfd_settime(reactor.tick_fd, 0, &spec, NULL);
    reactor.tick_ms = ms;
    atomic_store(&reactor.ticking, ms > 0);
}

void reactor_touch(struct io_watch *watch)
{
    if (watch->handle == 0)
        return;
    atomic_store_explicit(&watch->touched, atomic_load_explicit(&reactor.tick, memory_order_relaxed),
                          memory_order_relaxed);
    if (atomic_load(&watch->touch_listed) && atomic_load(&reactor.ticking))
        return;
    pthread_mutex_lock(&reactor.lock);
    if (!atomic_exchange(&watch->touch_listed, true)) {
        counted_get(&watch->object);
        list_append(&reactor.touched, &watch->touch_node);
    }
    tick_set(LIMIT_TICK_MS);
    reactor.tick_quiet = 0;
    pthread_mutex_unlock(&reactor.lock);
}

/* Moves the watches that were left alone for a whole period to `ret_idle`, with the
 * list's reference. */
static void tick_collect(struct list *ret_idle)
{
    pthread_mutex_lock(&reactor.lock);
    unsigned now = atomic_fetch_add(&reactor.tick, 1) + 1;
    struct list *node = reactor.touched.next;
    while (node != &reactor.touched) {
        struct io_watch *watch = list_entry(node, struct io_watch, touch_node);
        node = node->next;
        if (now - atomic_load_explicit(&watch->touched, memory_order_relaxed) < 2)
            continue;
        list_remove(&watch->touch_node);
        list_append(ret_idle, &watch->touch_node);
    }
    /* While everybody is busy a tick only takes processors away from them: the longer
     * they have been, the rarer it comes. */
    if (!list_empty(&reactor.touched) || !list_empty(ret_idle))
        reactor.tick_quiet = 0;
    else if (++reactor.tick_quiet > TICK_IDLE_MAX)
        tick_set(0);
    if (!list_empty(ret_idle))
        tick_set(LIMIT_TICK_MS);
    else if (!list_empty(&reactor.touched) && reactor.tick_ms < LIMIT_TICK_MAX_MS)
        tick_set(2 * reactor.tick_ms);
    pthread_mutex_unlock(&reactor.lock);
}

static void on_tick(void)
{
    uint64_t expirations;
    if (read(reactor.tick_fd, &expirations, sizeof(expirations)) < 0)
        return;
    struct list idle;
    list_init(&idle);
    tick_collect(&idle);
    for (struct list *node = list_pop(&idle); node; node = list_pop(&idle)) {
        struct io_watch *watch = list_entry(node, struct io_watch, touch_node);
        /* From here on a touch lists the watch anew. */
        atomic_store(&watch->touch_listed, false);
        DELAY_POINT();
        watch->ops->on_idle(watch);
        counted_put(&watch->object);
    }
}

/* ---- Jobs ---------------------------------------------------------------- */

/* Each wake-up takes one job. */
void reactor_wake(uint64_t count)
{
    DELAY_POINT();
    ssize_t ignored = write(reactor.wake_fd, &count, sizeof(count));
    (void)ignored; /* EAGAIN: 2^64-2 wake-ups are under way already */
}

void reactor_submit_other(struct io_job *job)
{
    pthread_mutex_lock(&reactor.lock);
    list_append(&reactor.jobs, &job->node);
    pthread_mutex_unlock(&reactor.lock);
    reactor_wake(1);
}

void reactor_submit(struct io_job *job)
{
    if (own_jobs && !pool_in_manager())
        list_append(own_jobs, &job->node);
    else
        reactor_submit_other(job);
}

bool reactor_has_own_jobs(void)
{
    return own_jobs && !pool_in_manager() && !list_empty(own_jobs);
}

static struct io_job *next_job(void)
{
    pthread_mutex_lock(&reactor.lock);
    struct list *node = list_pop(&reactor.jobs);
    pthread_mutex_unlock(&reactor.lock);
    return node ? list_entry(node, struct io_job, node) : NULL;
}

static void postpone(struct io_job *job)
{
    pthread_mutex_lock(&reactor.lock);
    list_append(&reactor.postponed, &job->node);
    atomic_fetch_add(&reactor.postponed_count, 1);
    pthread_mutex_unlock(&reactor.lock);
}

/* For any thread again. */
void reactor_hand_on_postponed(void)
{
    pthread_mutex_lock(&reactor.lock);
    struct list *node = list_pop(&reactor.postponed);
    if (node) {
        atomic_fetch_sub(&reactor.postponed_count, 1);
        list_append(&reactor.jobs, node);
    }
    pthread_mutex_unlock(&reactor.lock);
    if (node)
        reactor_wake(1);
}

/* Managers may wait for what only a thread outside of them brings, a cancel or the end of a
 * connection: the last thread never runs one. */
static void run_blocking_job(struct io_job *job)
{
    if (atomic_fetch_add(&reactor.blocking, 1) + 1 < atomic_load(&reactor.thread_max))
        job->run(job); /* and is gone */
    else
        postpone(job);
    /* Who has postponed looks again, too: the others may have ended before they could see it. */
    const unsigned left = atomic_fetch_sub(&reactor.blocking, 1) - 1;
    if (atomic_load(&reactor.postponed_count) > 0 && left + 1 < atomic_load(&reactor.thread_max))
        reactor_hand_on_postponed();
}

static void run_job(struct io_job *job)
{
    DELAY_POINT();
    if (job->may_block)
        run_blocking_job(job);
    else
        job->run(job);
}

static void run_own_jobs(void)
{
    for (struct list *node = list_pop(own_jobs); node; node = list_pop(own_jobs))
        run_job(list_entry(node, struct io_job, node));
}

/* ---- Threads --------------------------------------------------------------- */

static void on_wake(void)
{
    uint64_t count;
    if (read(reactor.wake_fd, &count, sizeof(count)) < 0)
        return;
    struct io_job *job = next_job();
    if (job)
        run_job(job);
}

void *reactor_thread_main(void *unused)
{
    (void)unused;
    struct list jobs;
    list_init(&jobs);
    own_jobs = &jobs;
    DELAY_POINT();
    int wait_ms = pool_join();
    for (;;) {
        /* One event at a time: the next may be somebody else's while this thread
         * is busy with a manager. */
        struct epoll_event ev;
        int n = epoll_wait(reactor.epoll_fd, &ev, 1, wait_ms);
        if (n == 0 && pool_leave_if_surplus())
            return NULL;
        if (n <= 0)
            continue;
        pool_count_waiting(-1);
        if (ev.data.u64 == DATA_WAKE)
            on_wake();
        else if (ev.data.u64 == DATA_TICK)
            on_tick();
        else
            watch_event(ev.data.u64, ev.events);
        run_own_jobs();
        wait_ms = pool_count_waiting(1);
    }
}
