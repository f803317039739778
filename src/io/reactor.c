/* SPDX-License-Identifier: MIT */
/* reactor.c - see reactor.h. */
#include "io/reactor.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/delay.h"
#include "base/limits.h"
#include "io/busy.h"

/* epoll data of the two descriptors that are not watches; handles are larger. */
#define DATA_WAKE 1u
#define DATA_TICK 2u

/* Managers looked at before a thread is started; those that began earlier had their time.  And
 * threads outside of managers. */
#define SAMPLES_MAX 8u

/* Ticks without any touched watch after which the tick stops. */
#define TICK_IDLE_MAX 50u

static struct {
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
} reactor = {
    .once = PTHREAD_ONCE_INIT,
    .lock = PTHREAD_MUTEX_INITIALIZER,
};

struct pool_thread {
    struct list node; /* reactor.managers between block_begin and block_end, else outside */
    struct busy_thread thread;
    bool undecided; /* guarded by reactor.lock */
};

/* Per pool thread. */
static _Thread_local struct pool_thread self;
static _Thread_local bool on_pool_thread;
static _Thread_local unsigned block_depth;
static _Thread_local struct list *own_jobs; /* jobs this thread gave itself */

static void *pool_main(void *unused);
static void hand_on_postponed(void);

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

static void reactor_setup(void)
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

/* Lock held. */
static bool spawn_thread(void)
{
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (reactor.stack_size > 0)
        pthread_attr_setstacksize(&attr, reactor.stack_size);
    /* Signals are the application's: its own threads take them. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    bool ok = pthread_create(&thread, &attr, pool_main, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (ok) {
        reactor.threads++;
        reactor.waiting++; /* it is on its way */
    }
    return ok;
}

bool reactor_start(void)
{
    pthread_once(&reactor.once, reactor_setup);
    if (!reactor.usable)
        return false;
    pthread_mutex_lock(&reactor.lock);
    while (!reactor.started && reactor.threads < reactor.core_threads)
        if (!spawn_thread())
            break;
    reactor.started = reactor.threads > 0;
    bool ok = reactor.started;
    pthread_mutex_unlock(&reactor.lock);
    return ok;
}

bool reactor_set_stack_size(size_t octets)
{
    pthread_attr_t attr;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = (octets + page - 1) / page * page;
    if (whole < octets || whole > PTRDIFF_MAX || pthread_attr_init(&attr) != 0)
        return false;
    bool possible = pthread_attr_setstacksize(&attr, whole) == 0;
    pthread_attr_destroy(&attr);
    if (!possible)
        return false;
    pthread_once(&reactor.once, reactor_setup);
    pthread_mutex_lock(&reactor.lock);
    reactor.stack_size = whole;
    pthread_mutex_unlock(&reactor.lock);
    return true;
}

void reactor_set_thread_max(unsigned threads)
{
    pthread_once(&reactor.once, reactor_setup);
    pthread_mutex_lock(&reactor.lock);
    /* One more than may be blocked: somebody must go on reading. */
    unsigned least = reactor.core_threads + 1;
    unsigned most = reactor.core_threads + LIMIT_POOL_THREADS;
    atomic_store(&reactor.thread_max, threads < least ? least : threads > most ? most : threads);
    pthread_mutex_unlock(&reactor.lock);
    for (unsigned i = atomic_load(&reactor.postponed_count); i > 0; i--)
        hand_on_postponed(); /* those that are too many come back */
}

bool reactor_has_idle_thread(void)
{
    pthread_mutex_lock(&reactor.lock);
    bool idle = reactor.waiting > 0;
    pthread_mutex_unlock(&reactor.lock);
    return idle;
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
static void wake(uint64_t count)
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
    wake(1);
}

void reactor_submit(struct io_job *job)
{
    if (own_jobs && block_depth == 0)
        list_append(own_jobs, &job->node);
    else
        reactor_submit_other(job);
}

bool reactor_has_own_jobs(void)
{
    return own_jobs && block_depth == 0 && !list_empty(own_jobs);
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
static void hand_on_postponed(void)
{
    pthread_mutex_lock(&reactor.lock);
    struct list *node = list_pop(&reactor.postponed);
    if (node) {
        atomic_fetch_sub(&reactor.postponed_count, 1);
        list_append(&reactor.jobs, node);
    }
    pthread_mutex_unlock(&reactor.lock);
    if (node)
        wake(1);
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
        hand_on_postponed();
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

/* Are there fewer threads outside managers than cores, and none with nothing to do?
 * Those that send a reply or read are back in a moment, and so are others (`undecided`) that
 * ask the same: their managers have not begun.  Lock held. */
static bool needs_thread(unsigned undecided)
{
    return reactor.waiting == 0 && reactor.threads < reactor.thread_max &&
           reactor.threads - (reactor.blocked - undecided) < reactor.core_threads;
}

/* Waits for another manager to return, LIMIT_SPAWN_US long.  Lock held, dropped
 * meanwhile. */
static bool wait_freed(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LIMIT_SPAWN_US * 1000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    reactor.hesitating++;
    int timeout = 0;
    while (reactor.released == 0 && timeout == 0)
        timeout = pthread_cond_timedwait(&reactor.freed, &reactor.lock, &until);
    reactor.hesitating--;
    bool freed = reactor.released > 0;
    if (freed)
        reactor.released--;
    return freed;
}

/* Those managers that began last.  Lock held. */
static unsigned sample_managers(struct busy_sample samples[SAMPLES_MAX])
{
    unsigned count = 0;
    for (struct list *node = reactor.managers.next;
         node != &reactor.managers && count < SAMPLES_MAX; node = node->next) {
        const struct pool_thread *other = list_entry(node, struct pool_thread, node);
        if (!other->undecided) /* nor this thread itself */
            busy_sample(&samples[count++], &other->thread);
    }
    return count;
}

/* Those outside of managers: what they hold, a manager may be waiting for.  Lock held. */
static unsigned sample_outside(struct busy_sample samples[SAMPLES_MAX])
{
    unsigned count = 0;
    for (struct list *node = reactor.outside.next; node != &reactor.outside && count < SAMPLES_MAX;
         node = node->next)
        busy_sample(&samples[count++], &list_entry(node, struct pool_thread, node)->thread);
    return count;
}

/* What another_is_freed() looks at, as it was when it began to wait. */
struct looked_at {
    struct busy_sample managers[SAMPLES_MAX], outside[SAMPLES_MAX];
    unsigned manager_count, outside_count;
    uint64_t since_us;
};

/* Lock held. */
static void look(struct looked_at *ret_then)
{
    ret_then->manager_count = sample_managers(ret_then->managers);
    ret_then->outside_count = sample_outside(ret_then->outside);
    ret_then->since_us = clock_us();
}

/* Does one of the managers run, or is it only off its processor?  Or is a thread that would look
 * after everybody else, and is kept off its own most of the time?  Adds to *total_us how long
 * the busiest manager has run.  Lock held, dropped meanwhile. */
static bool one_is_busy(const struct looked_at *then, uint64_t *total_us)
{
    bool busy = false;
    uint64_t most_us = 0, ran_us;
    pthread_mutex_unlock(&reactor.lock);
    const uint64_t passed_us = clock_us() - then->since_us;
    for (unsigned i = 0; i < then->manager_count; i++) {
        busy = busy_since(&then->managers[i], &ran_us) || busy;
        most_us = ran_us > most_us ? ran_us : most_us;
    }
    for (unsigned i = 0; i < then->outside_count && !busy; i++)
        busy = busy_since(&then->outside[i], &ran_us) && 2 * ran_us < passed_us &&
               busy_wants(&then->outside[i].thread);
    pthread_mutex_lock(&reactor.lock);
    *total_us += most_us;
    return busy;
}

/* Has one of several managers returned soon?  Then its thread looks after everybody else,
 * and this one need not start another: a burst of short calls runs on a few threads,
 * managers that do block get theirs a moment later.  One that computes is not blocked, and
 * has longer; while it only would compute if it had a processor, another thread would have
 * none either.  Lock held, dropped meanwhile; this
 * thread is still one that runs no manager. */
static bool another_is_freed(void)
{
    struct looked_at then;
    if (reactor.threads <= reactor.core_threads)
        return false; /* one to spare is always there at once */
    bool freed = false;
    uint64_t ran_us = 0;
    reactor.undecided++;
    self.undecided = true;
    for (unsigned round = 0; round < LIMIT_SPAWN_ROUNDS && ran_us < LIMIT_SPAWN_RUN_US; round++) {
        look(&then);
        freed = wait_freed() || !needs_thread(reactor.undecided - 1);
        if (freed || !one_is_busy(&then, &ran_us))
            break;
    }
    reactor.undecided--;
    self.undecided = false;
    return freed;
}

void reactor_block_begin(void)
{
    if (!on_pool_thread || block_depth++ > 0)
        return;
    pthread_mutex_lock(&reactor.lock);
    reactor.blocked++;
    list_remove(&self.node);
    list_prepend(&reactor.managers, &self.node);
    /* What this thread meant to do next must not wait for the manager. */
    unsigned moved = 0;
    for (struct list *node = list_pop(own_jobs); node; node = list_pop(own_jobs)) {
        list_append(&reactor.jobs, node);
        moved++;
    }
    if (moved > 0)
        wake(moved);
    if (needs_thread(reactor.undecided) && !another_is_freed() && needs_thread(reactor.undecided))
        spawn_thread();
    pthread_mutex_unlock(&reactor.lock);
}

void reactor_block_end(void)
{
    if (!on_pool_thread || --block_depth > 0)
        return;
    pthread_mutex_lock(&reactor.lock);
    reactor.blocked--;
    list_remove(&self.node);
    list_append(&reactor.outside, &self.node);
    if (reactor.released < reactor.hesitating) {
        reactor.released++;
        pthread_cond_signal(&reactor.freed);
    }
    pthread_mutex_unlock(&reactor.lock);
}

/* ---- Pool threads -------------------------------------------------------- */

/* Is this thread one too many?  Then it is no longer counted. */
static bool leave_if_surplus(void)
{
    pthread_mutex_lock(&reactor.lock);
    bool leave = reactor.threads - reactor.blocked > reactor.core_threads && reactor.waiting > 1;
    if (leave) {
        reactor.threads--;
        reactor.waiting--;
        list_remove(&self.node);
    }
    pthread_mutex_unlock(&reactor.lock);
    return leave;
}

/* Counts this thread in or out of the waiting ones.  Returns how long it may wait,
 * milliseconds: for ever, unless there are more threads than cores. */
static int waiting_add(int delta)
{
    pthread_mutex_lock(&reactor.lock);
    reactor.waiting = (unsigned)((int)reactor.waiting + delta);
    int wait_ms = reactor.threads > reactor.core_threads ? LIMIT_POOL_LINGER_MS : -1;
    pthread_mutex_unlock(&reactor.lock);
    return wait_ms;
}

static void on_wake(void)
{
    uint64_t count;
    if (read(reactor.wake_fd, &count, sizeof(count)) < 0)
        return;
    struct io_job *job = next_job();
    if (job)
        run_job(job);
}

static void *pool_main(void *unused)
{
    (void)unused;
    struct list jobs;
    list_init(&jobs);
    own_jobs = &jobs;
    on_pool_thread = true;
    busy_self(&self.thread);
    DELAY_POINT();
    pthread_mutex_lock(&reactor.lock);
    list_append(&reactor.outside, &self.node);
    pthread_mutex_unlock(&reactor.lock);
    int wait_ms = waiting_add(0);
    for (;;) {
        /* One event at a time: the next may be somebody else's while this thread
         * is busy with a manager. */
        struct epoll_event ev;
        int n = epoll_wait(reactor.epoll_fd, &ev, 1, wait_ms);
        if (n == 0 && leave_if_surplus())
            return NULL;
        if (n <= 0)
            continue;
        waiting_add(-1);
        if (ev.data.u64 == DATA_WAKE)
            on_wake();
        else if (ev.data.u64 == DATA_TICK)
            on_tick();
        else
            watch_event(ev.data.u64, ev.events);
        run_own_jobs();
        wait_ms = waiting_add(1);
    }
}
