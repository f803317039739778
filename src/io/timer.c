/* SPDX-License-Identifier: MIT */
/* timer.c - see timer.h. */
#include "io/timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/delay.h"
#include "io/reactor.h"

static void on_event(struct io_watch *watch, uint32_t events);
static const struct io_watch_ops watch_ops = {.on_event = on_event};

static struct {
    pthread_mutex_t lock; /* guards the rest; taken last, but for the reactor's */
    struct io_timer **heap;
    size_t count, capacity;
    uint64_t armed_us; /* what the timerfd is set to; UINT64_MAX: nothing */
    bool waited_for;   /* the reactor will tell                          */
    struct io_watch watch;
} timers = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .armed_us = UINT64_MAX,
    .watch = {.object = {.refs = 1}, .fd = -1, .ops = &watch_ops},
};

/* ---- The heap: lock held ------------------------------------------------------ */

static void put_at(size_t index, struct io_timer *timer)
{
    timers.heap[index] = timer;
    timer->place = index + 1;
}

static void sift_up(size_t index)
{
    struct io_timer *timer = timers.heap[index];
    while (index > 0 && timers.heap[(index - 1) / 2]->due_us > timer->due_us) {
        put_at(index, timers.heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    put_at(index, timer);
}

static void sift_down(size_t index)
{
    struct io_timer *timer = timers.heap[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers.count)
            break;
        if (child + 1 < timers.count &&
            timers.heap[child + 1]->due_us < timers.heap[child]->due_us)
            child++;
        if (timers.heap[child]->due_us >= timer->due_us)
            break;
        put_at(index, timers.heap[child]);
        index = child;
    }
    put_at(index, timer);
}

static void settle(size_t index)
{
    sift_down(index);
    sift_up(index);
}

static void take_out(struct io_timer *timer)
{
    size_t index = timer->place - 1;
    timer->place = 0;
    struct io_timer *last = timers.heap[--timers.count];
    if (last == timer)
        return;
    put_at(index, last);
    settle(index);
}

static bool make_room(void)
{
    if (timers.count < timers.capacity)
        return true;
    size_t capacity = timers.capacity ? 2 * timers.capacity : 16;
    struct io_timer **heap = realloc(timers.heap, capacity * sizeof(*heap));
    if (!heap)
        return false;
    timers.heap = heap;
    timers.capacity = capacity;
    return true;
}

/* ---- The descriptor: lock held ------------------------------------------------- */

/* A descriptor that waits for a moment that is no longer the first wakes once in vain:
 * cheaper than a system call for each timer that is cleared in time. */
static void wait_for_first(void)
{
    if (timers.count > 0 && timers.heap[0]->due_us < timers.armed_us) {
        uint64_t due = timers.heap[0]->due_us ? timers.heap[0]->due_us : 1;
        const struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(due / 1000000u),
                                                     .tv_nsec = (long)(due % 1000000u) * 1000}};
        timerfd_settime(timers.watch.fd, TFD_TIMER_ABSTIME, &spec, NULL);
        timers.armed_us = timers.heap[0]->due_us;
    }
    if (!timers.waited_for)
        timers.waited_for = reactor_arm(&timers.watch, EPOLLIN);
}

static bool start(void)
{
    if (timers.watch.handle != 0)
        return true;
    if (timers.watch.fd < 0)
        timers.watch.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return timers.watch.fd >= 0 && reactor_add(&timers.watch);
}

/* ---- Setting, clearing, expiring ------------------------------------------------ */

bool timer_set(struct io_timer *timer, uint64_t due_us)
{
    pthread_mutex_lock(&timers.lock);
    bool ok = timer->place > 0 || (start() && make_room());
    if (ok) {
        timer->due_us = due_us;
        if (timer->place == 0) {
            counted_get(timer->object);
            put_at(timers.count++, timer);
        }
        settle(timer->place - 1);
        wait_for_first();
    }
    pthread_mutex_unlock(&timers.lock);
    return ok;
}

void timer_clear(struct io_timer *timer)
{
    pthread_mutex_lock(&timers.lock);
    bool was_set = timer->place > 0;
    if (was_set)
        take_out(timer);
    pthread_mutex_unlock(&timers.lock);
    if (was_set)
        counted_put(timer->object);
}

/* What the first timer says if it is due, with the reference of its place; `object` NULL: it
 * is not, and the descriptor waits for the next. */
static struct io_timer pop_due(void)
{
    struct io_timer said = {.object = NULL};
    pthread_mutex_lock(&timers.lock);
    if (timers.count > 0 && timers.heap[0]->due_us <= clock_us()) {
        said = *timers.heap[0];
        take_out(timers.heap[0]);
    } else {
        wait_for_first();
    }
    pthread_mutex_unlock(&timers.lock);
    return said;
}

static void on_event(struct io_watch *watch, uint32_t events)
{
    (void)events;
    uint64_t expirations;
    pthread_mutex_lock(&timers.lock);
    timers.waited_for = false;
    timers.armed_us = UINT64_MAX;
    ssize_t ignored = read(watch->fd, &expirations, sizeof(expirations));
    (void)ignored; /* EAGAIN: set anew meanwhile */
    pthread_mutex_unlock(&timers.lock);
    for (struct io_timer said = pop_due(); said.object; said = pop_due()) {
        DELAY_POINT();
        said.expired(said.object);
        counted_put(said.object);
    }
}
