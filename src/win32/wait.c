/* SPDX-License-Identifier: MIT */
/* wait.c - waiting for one or all of several objects, and for routines queued to the
 * waiting thread.  An object that is signalled wins over a routine that is queued. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "win32/object.h"

/* Held while objects are consumed: a wait for all must take every event or none, so
 * nobody else may take one between its look and its grasp. */
static pthread_mutex_t consume_lock = PTHREAD_MUTEX_INITIALIZER;

static bool consume(const struct win32_object *object)
{
    pthread_mutex_lock(&consume_lock);
    bool was_set = win32_object_reset(object);
    pthread_mutex_unlock(&consume_lock);
    return was_set;
}

uint64_t win32_deadline(DWORD timeout_ms)
{
    return timeout_ms == INFINITE ? WIN32_NO_DEADLINE : clock_us() + (uint64_t)timeout_ms * 1000u;
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
        if (deadline_us != WIN32_NO_DEADLINE)
            left = until(deadline_us);
        int n = ppoll(fds, count, deadline_us != WIN32_NO_DEADLINE ? &left : NULL, NULL);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

DWORD win32_wait_fd(int fd, uint64_t deadline_us, bool alertable)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
        if (alertable && (fds[1].fd = win32_apc_fd()) < 0) {
            RpcxSetLastError(ERROR_NOT_ENOUGH_MEMORY);
            return WAIT_FAILED;
        }
        int n = poll_until(fds, 2, deadline_us);
        if (n < 0 || fds[0].revents & POLLNVAL) {
            RpcxSetLastError(ERROR_INVALID_HANDLE);
            return WAIT_FAILED;
        }
        if (fds[0].revents)
            return WAIT_OBJECT_0;
        if (fds[1].revents && win32_run_apcs())
            return WAIT_IO_COMPLETION;
        if (n == 0)
            return WAIT_TIMEOUT;
    }
}

/* What a wait works on: the objects, and behind them the thread's own routines. */
struct wait_set {
    DWORD count;
    nfds_t fd_count;                                    /* one more when alertable */
    struct win32_object *objects[MAXIMUM_WAIT_OBJECTS]; /* one reference each */
    struct pollfd fds[MAXIMUM_WAIT_OBJECTS + 1];
};

static void wait_set_fini(struct wait_set *set)
{
    for (DWORD i = 0; i < set->count; i++)
        win32_object_put(set->objects[i]);
    set->count = 0;
}

/* ERROR_SUCCESS, or why not; then the set is empty. */
static DWORD wait_set_init(struct wait_set *set, DWORD count, const HANDLE *handles, bool alertable)
{
    set->count = 0;
    for (DWORD i = 0; i < count; i++) {
        struct win32_object *object = win32_object_get(handles[i], NULL);
        if (!object) {
            wait_set_fini(set);
            return ERROR_INVALID_HANDLE;
        }
        set->objects[i] = object;
        set->fds[i] = (struct pollfd){.fd = object->fd, .events = POLLIN};
        set->count++;
    }
    set->fd_count = count;
    if (alertable) {
        int fd = win32_apc_fd();
        if (fd < 0) {
            wait_set_fini(set);
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        set->fds[set->fd_count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return ERROR_SUCCESS;
}

/* Did the wait end because of routines? */
static bool alerted(const struct wait_set *set, const struct pollfd *fd)
{
    return set->fd_count > set->count && fd->revents && win32_run_apcs();
}

static DWORD wait_any(struct wait_set *set, uint64_t deadline_us)
{
    for (;;) {
        int n = poll_until(set->fds, set->fd_count, deadline_us);
        if (n <= 0)
            return n == 0 ? WAIT_TIMEOUT : WAIT_FAILED;
        for (DWORD i = 0; i < set->count; i++) {
            if (set->fds[i].revents & POLLNVAL) /* the application closed our descriptor */
                return WAIT_FAILED;
            if (set->fds[i].revents &&
                (!set->objects[i]->consumed || consume(set->objects[i]))) {
                win32_object_seen(set->objects[i]);
                return WAIT_OBJECT_0 + i;
            }
        }
        if (alerted(set, &set->fds[set->count]))
            return WAIT_IO_COMPLETION;
        /* Another thread was faster with an auto-reset event. */
    }
}

/* Takes all objects if all are signalled; else sets *ret_missing to one that is not. */
static bool take_all(struct wait_set *set, DWORD *ret_missing)
{
    pthread_mutex_lock(&consume_lock);
    int n = poll(set->fds, set->count, 0);
    bool all_set = n == (int)set->count;
    for (DWORD i = 0; i < set->count; i++) {
        if (all_set && set->objects[i]->consumed)
            (void)win32_object_reset(set->objects[i]);
        if (all_set)
            win32_object_seen(set->objects[i]);
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
        struct pollfd fds[2] = {set->fds[missing], {.fd = -1}};
        if (set->fd_count > set->count)
            fds[1] = set->fds[set->count];
        int n = poll_until(fds, 2, deadline_us);
        if (n < 0 || fds[0].revents & POLLNVAL)
            return WAIT_FAILED;
        if (n == 0)
            return WAIT_TIMEOUT;
        if (!fds[0].revents && alerted(set, &fds[1]))
            return WAIT_IO_COMPLETION;
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

DWORD RpcxWaitForMultipleObjectsEx(DWORD count, const HANDLE *objects, BOOL all, DWORD timeout_ms,
                                   BOOL alertable)
{
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS || !objects ||
        (all && has_duplicate(count, objects))) {
        RpcxSetLastError(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    struct wait_set set;
    DWORD error = wait_set_init(&set, count, objects, alertable != FALSE);
    if (error != ERROR_SUCCESS) {
        RpcxSetLastError(error);
        return WAIT_FAILED;
    }
    uint64_t deadline_us = win32_deadline(timeout_ms);
    DWORD result = all && count > 1 ? wait_all(&set, deadline_us) : wait_any(&set, deadline_us);
    if (result == WAIT_FAILED)
        RpcxSetLastError(ERROR_INVALID_HANDLE);
    wait_set_fini(&set);
    return result;
}

DWORD RpcxSleepEx(DWORD timeout_ms, BOOL alertable)
{
    return win32_wait_fd(-1, win32_deadline(timeout_ms), alertable != FALSE) == WAIT_IO_COMPLETION
               ? WAIT_IO_COMPLETION
               : 0;
}
