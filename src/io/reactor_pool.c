/* SPDX-License-Identifier: MIT */
/* reactor_pool.c - how many threads the reactor has: as many as cores, more while managers
 * block (docs/design/threads.md). */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "io/busy.h"
#include "io/reactor_internal.h"

/* Managers looked at before a thread is started; those that began earlier had their time.  And
 * threads outside of managers. */
#define SAMPLES_MAX 8u

struct pool_thread {
    struct list node; /* reactor.managers between block_begin and block_end, else outside */
    struct busy_thread thread;
    bool undecided; /* guarded by reactor.lock */
};

static _Thread_local struct pool_thread self;
static _Thread_local bool on_pool_thread;
static _Thread_local unsigned block_depth;

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
    bool ok = pthread_create(&thread, &attr, reactor_thread_main, NULL) == 0;
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
    reactor_setup_once();
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
    reactor_setup_once();
    pthread_mutex_lock(&reactor.lock);
    reactor.stack_size = whole;
    pthread_mutex_unlock(&reactor.lock);
    return true;
}

void reactor_set_thread_max(unsigned threads)
{
    reactor_setup_once();
    pthread_mutex_lock(&reactor.lock);
    /* One more than may be blocked: somebody must go on reading. */
    unsigned least = reactor.core_threads + 1;
    unsigned most = reactor.core_threads + LIMIT_POOL_THREADS;
    atomic_store(&reactor.thread_max, threads < least ? least : threads > most ? most : threads);
    pthread_mutex_unlock(&reactor.lock);
    for (unsigned i = atomic_load(&reactor.postponed_count); i > 0; i--)
        reactor_hand_on_postponed(); /* those that are too many come back */
}

bool reactor_has_idle_thread(void)
{
    pthread_mutex_lock(&reactor.lock);
    bool idle = reactor.waiting > 0;
    pthread_mutex_unlock(&reactor.lock);
    return idle;
}

/* ---- More while managers block --------------------------------------------- */

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
        reactor_wake(moved);
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

/* ---- The threads themselves ------------------------------------------------ */

int pool_join(void)
{
    on_pool_thread = true;
    busy_self(&self.thread);
    pthread_mutex_lock(&reactor.lock);
    list_append(&reactor.outside, &self.node);
    pthread_mutex_unlock(&reactor.lock);
    return pool_count_waiting(0);
}

bool pool_in_manager(void)
{
    return block_depth > 0;
}

bool pool_leave_if_surplus(void)
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

int pool_count_waiting(int delta)
{
    pthread_mutex_lock(&reactor.lock);
    reactor.waiting = (unsigned)((int)reactor.waiting + delta);
    int wait_ms = reactor.threads > reactor.core_threads ? LIMIT_POOL_LINGER_MS : -1;
    pthread_mutex_unlock(&reactor.lock);
    return wait_ms;
}
