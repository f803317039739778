/* SPDX-License-Identifier: MIT */
/* event.c - Windows events over eventfd.
 *
 *   HANDLE = number of base/handle.h | EVENT_TAG  -->  struct event  -->  eventfd
 *
 * The eventfd is the whole state: counter 0 is unset, anything else is set.  Waiting
 * is poll(); an auto-reset event is consumed by the one thread whose read() empties
 * the counter.  A wait holds a reference, so that a descriptor is never closed, and
 * its number never reused, while a thread polls or writes it. */
#include "runtime/event.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <penstock/win32.h>

#include "base/clock.h"
#include "base/handle.h"

/* No pointer of a program has the highest bit set, so that a pointer passed by
 * mistake never is a handle by accident. */
#define EVENT_TAG (UINT64_C(1) << 63)
_Static_assert(sizeof(HANDLE) == sizeof(uint64_t), "a handle number must fit into HANDLE");

struct event {
    struct counted counted; /* first: the handle table knows only this */
    int fd;
    bool manual_reset;
};

static _Thread_local DWORD last_error;

/* Held while events are consumed: a wait for all must take every event or none, so
 * nobody else may take one between its look and its grasp. */
static pthread_mutex_t consume_lock = PTHREAD_MUTEX_INITIALIZER;

DWORD RpcxGetLastError(void)
{
    return last_error;
}

void RpcxSetLastError(DWORD error)
{
    last_error = error;
}

static void event_destroy(struct counted *counted)
{
    struct event *event = (struct event *)counted;
    close(event->fd);
    free(event);
}

/* The event with a reference for the caller, or NULL. */
static struct event *event_get(HANDLE handle)
{
    uint64_t number = (uint64_t)(uintptr_t)handle;
    if (!(number & EVENT_TAG))
        return NULL;
    int32_t unused;
    struct counted *counted = handle_get(number & ~EVENT_TAG, 0, &unused);
    if (!counted)
        return NULL;
    if (counted->destroy != event_destroy) { /* an object of another kind */
        counted_put(counted);
        return NULL;
    }
    return (struct event *)counted;
}

static void event_put(struct event *event)
{
    counted_put(&event->counted);
}

static void raise_counter(const struct event *event)
{
    /* EAGAIN: the counter is at its maximum, so the event is set.  EBADF: the
     * application closed the descriptor behind our back. */
    (void)eventfd_write(event->fd, 1);
}

/* Empties the counter; true when it was set. */
static bool consume_locked(const struct event *event)
{
    eventfd_t count;
    return eventfd_read(event->fd, &count) == 0;
}

static bool consume(const struct event *event)
{
    pthread_mutex_lock(&consume_lock);
    bool was_set = consume_locked(event);
    pthread_mutex_unlock(&consume_lock);
    return was_set;
}

HANDLE RpcxCreateEvent(BOOL manual_reset, BOOL initially_set)
{
    struct event *event = calloc(1, sizeof(*event));
    if (!event) {
        last_error = ERROR_NOT_ENOUGH_MEMORY;
        return NULL;
    }
    event->manual_reset = manual_reset != FALSE;
    event->fd = eventfd(initially_set ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event->fd < 0) {
        free(event);
        last_error = ERROR_NO_SYSTEM_RESOURCES;
        return NULL;
    }
    counted_init(&event->counted, event_destroy);
    uint64_t number = handle_open(&event->counted);
    assert(!(number & EVENT_TAG)); /* 2^39 uses of one slot */
    event_put(event);              /* the table holds its own reference */
    if (number == 0) {
        last_error = ERROR_NOT_ENOUGH_MEMORY;
        return NULL;
    }
    return (HANDLE)(uintptr_t)(number | EVENT_TAG);
}

BOOL RpcxCloseHandle(HANDLE object)
{
    struct event *event = event_get(object);
    if (!event) {
        last_error = ERROR_INVALID_HANDLE;
        return FALSE;
    }
    handle_close((uint64_t)(uintptr_t)object & ~EVENT_TAG, 0);
    event_put(event);
    return TRUE;
}

bool event_set(HANDLE handle)
{
    struct event *event = event_get(handle);
    if (!event)
        return false;
    int saved_errno = errno;
    raise_counter(event);
    event_put(event);
    errno = saved_errno;
    return true;
}

bool event_is_valid(HANDLE handle)
{
    struct event *event = event_get(handle);
    if (event)
        event_put(event);
    return event != NULL;
}

BOOL RpcxSetEvent(HANDLE event)
{
    if (event_set(event))
        return TRUE;
    last_error = ERROR_INVALID_HANDLE;
    return FALSE;
}

BOOL RpcxResetEvent(HANDLE handle)
{
    struct event *event = event_get(handle);
    if (!event) {
        last_error = ERROR_INVALID_HANDLE;
        return FALSE;
    }
    (void)consume(event);
    event_put(event);
    return TRUE;
}

int RpcxEventFd(HANDLE handle)
{
    struct event *event = event_get(handle);
    if (!event) {
        last_error = ERROR_INVALID_HANDLE;
        return -1;
    }
    int fd = event->fd;
    event_put(event);
    return fd;
}

/* ---- Waiting ------------------------------------------------------------- */

#define NO_DEADLINE UINT64_MAX

static uint64_t deadline_after(DWORD timeout_ms)
{
    return timeout_ms == INFINITE ? NO_DEADLINE : clock_us() + (uint64_t)timeout_ms * 1000u;
}

static struct timespec until(uint64_t deadline_us)
{
    uint64_t now_us = clock_us();
    uint64_t left_us = deadline_us > now_us ? deadline_us - now_us : 0;
    return (struct timespec){.tv_sec = (time_t)(left_us / 1000000u),
                             .tv_nsec = (long)(left_us % 1000000u * 1000u)};
}

/* ppoll() until `deadline_us`, whatever signals arrive meanwhile. */
static int poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline_us)
{
    for (;;) {
        struct timespec left;
        if (deadline_us != NO_DEADLINE)
            left = until(deadline_us);
        int n = ppoll(fds, count, deadline_us != NO_DEADLINE ? &left : NULL, NULL);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

/* What a wait works on. */
struct wait_set {
    DWORD count;
    struct event *events[MAXIMUM_WAIT_OBJECTS]; /* one reference each */
    struct pollfd fds[MAXIMUM_WAIT_OBJECTS];
};

static void wait_set_fini(struct wait_set *set)
{
    for (DWORD i = 0; i < set->count; i++)
        event_put(set->events[i]);
    set->count = 0;
}

/* False, with the set empty, when one handle is invalid. */
static bool wait_set_init(struct wait_set *set, DWORD count, const HANDLE *handles)
{
    set->count = 0;
    for (DWORD i = 0; i < count; i++) {
        struct event *event = event_get(handles[i]);
        if (!event) {
            wait_set_fini(set);
            return false;
        }
        set->events[i] = event;
        set->fds[i] = (struct pollfd){.fd = event->fd, .events = POLLIN};
        set->count++;
    }
    return true;
}

static DWORD wait_any(struct wait_set *set, uint64_t deadline_us)
{
    for (;;) {
        int n = poll_until(set->fds, set->count, deadline_us);
        if (n <= 0)
            return n == 0 ? WAIT_TIMEOUT : WAIT_FAILED;
        for (DWORD i = 0; i < set->count; i++) {
            if (set->fds[i].revents & POLLNVAL) /* the application closed our descriptor */
                return WAIT_FAILED;
            if (set->fds[i].revents && (set->events[i]->manual_reset || consume(set->events[i])))
                return WAIT_OBJECT_0 + i;
        }
        /* Another thread was faster with an auto-reset event. */
    }
}

/* Takes all events if all are set; else sets *ret_missing to one that is not. */
static bool take_all(struct wait_set *set, DWORD *ret_missing)
{
    pthread_mutex_lock(&consume_lock);
    int n = poll(set->fds, set->count, 0);
    bool all_set = n == (int)set->count;
    for (DWORD i = 0; i < set->count; i++) {
        if (all_set && !set->events[i]->manual_reset)
            (void)consume_locked(set->events[i]);
        if (!all_set && (n < 0 || !set->fds[i].revents))
            *ret_missing = i;
    }
    pthread_mutex_unlock(&consume_lock);
    return all_set;
}

static DWORD wait_all(struct wait_set *set, uint64_t deadline_us)
{
    for (;;) {
        DWORD missing = 0;
        if (take_all(set, &missing))
            return WAIT_OBJECT_0;
        /* Sleep on one that is missing: polling all would not sleep while some are
         * set.  When it comes, look at all again. */
        int n = poll_until(&set->fds[missing], 1, deadline_us);
        if (n <= 0)
            return n == 0 ? WAIT_TIMEOUT : WAIT_FAILED;
    }
}

static bool has_duplicate(DWORD count, const HANDLE *handles)
{
    for (DWORD i = 0; i < count; i++)
        for (DWORD j = 0; j < i; j++)
            if (handles[i] == handles[j])
                return true;
    return false;
}

DWORD RpcxWaitForMultipleObjects(DWORD count, const HANDLE *objects, BOOL all, DWORD timeout_ms)
{
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS || !objects ||
        (all && has_duplicate(count, objects))) {
        last_error = ERROR_INVALID_PARAMETER;
        return WAIT_FAILED;
    }
    struct wait_set set;
    if (!wait_set_init(&set, count, objects)) {
        last_error = ERROR_INVALID_HANDLE;
        return WAIT_FAILED;
    }
    uint64_t deadline_us = deadline_after(timeout_ms);
    DWORD result = all && count > 1 ? wait_all(&set, deadline_us) : wait_any(&set, deadline_us);
    if (result == WAIT_FAILED)
        last_error = ERROR_INVALID_HANDLE;
    wait_set_fini(&set);
    return result;
}

void RpcxSleep(DWORD timeout_ms)
{
    (void)poll_until(NULL, 0, deadline_after(timeout_ms));
}
