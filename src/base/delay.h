/* SPDX-License-Identifier: MIT */
/* delay.h - random delays where threads meet, for a build that looks for races.
 *
 * A build with -Ddelays=true compiles the library with PENSTOCK_DELAYS and with this header in
 * front of every file: then each lock taken or dropped, each wait and wake-up, each system call
 * on a socket is a place where a thread may lose its processor for a while, and so are the lines
 * that say DELAY_POINT().  In any other build there is nothing of it: the names below are the
 * system's, and DELAY_POINT() is no code.  docs/design/delays.md. */
#ifndef BASE_DELAY_H
#define BASE_DELAY_H

#ifndef PENSTOCK_DELAYS

#define DELAY_POINT() ((void)0)

#else

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Mostly nothing, now and then a yield or a sleep of up to DELAY_MAX_US; keeps errno.  How often
 * depends on the place that calls it and the seed: with each seed other places are slow. */
void delay_point(void);

/* Should this wait return at once, as any may? */
_Bool delay_spurious(void);

/* The place is where they are inlined. */
#define DELAY_INLINE __attribute__((always_inline)) static inline

DELAY_INLINE int delay_lock(pthread_mutex_t *mutex)
{
    delay_point();
    return pthread_mutex_lock(mutex);
}

DELAY_INLINE int delay_unlock(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_unlock(mutex); /* from here on `mutex` may be gone */
    delay_point();
    return result;
}

/* A thread that was woken comes late, and has to find out what others did meanwhile. */
DELAY_INLINE int delay_woken(pthread_mutex_t *mutex, int result)
{
    pthread_mutex_unlock(mutex);
    delay_point();
    pthread_mutex_lock(mutex);
    return result;
}

DELAY_INLINE int delay_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    int result = delay_spurious() ? 0 : pthread_cond_wait(cond, mutex);
    return delay_woken(mutex, result);
}

DELAY_INLINE int delay_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                      const struct timespec *until)
{
    int result = delay_spurious() ? 0 : pthread_cond_timedwait(cond, mutex, until);
    return delay_woken(mutex, result);
}

DELAY_INLINE int delay_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                      clockid_t clock, const struct timespec *until)
{
    int result =
        delay_spurious() ? 0 : pthread_cond_clockwait(cond, mutex, clock, until);
    return delay_woken(mutex, result);
}

/* A system call takes a while before it does anything, and its result to get back. */
#define DELAY_AROUND(type, call)                                                                   \
    __extension__({                                                                                \
        DELAY_POINT();                                                                             \
        type delay_result = (call);                                                                \
        DELAY_POINT();                                                                             \
        delay_result;                                                                              \
    })

#define DELAY_POINT() delay_point()

#define pthread_mutex_lock(mutex) delay_lock((mutex))
#define pthread_mutex_unlock(mutex) delay_unlock((mutex))
#define pthread_cond_wait(cond, mutex) delay_cond_wait((cond), (mutex))
#define pthread_cond_timedwait(cond, mutex, until)                                                 \
    delay_cond_timedwait((cond), (mutex), (until))
#define pthread_cond_clockwait(cond, mutex, clock, until)                                          \
    delay_cond_clockwait((cond), (mutex), (clock), (until))
#define sendmsg(fd, msg, flags) DELAY_AROUND(ssize_t, sendmsg(fd, msg, flags))
#define recv(fd, octets, len, flags) DELAY_AROUND(ssize_t, recv(fd, octets, len, flags))
#define poll(fds, count, ms) DELAY_AROUND(int, poll(fds, count, ms))
#define epoll_wait(set, events, count, ms) DELAY_AROUND(int, epoll_wait(set, events, count, ms))
#define epoll_ctl(set, what, fd, event) DELAY_AROUND(int, epoll_ctl(set, what, fd, event))
#define connect(fd, name, len) DELAY_AROUND(int, connect(fd, name, len))
#define accept4(fd, name, len, flags) DELAY_AROUND(int, accept4(fd, name, len, flags))
#define shutdown(fd, how) DELAY_AROUND(int, shutdown(fd, how))
#define close(fd) DELAY_AROUND(int, close(fd))

#endif
#endif
