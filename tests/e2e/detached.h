/* SPDX-License-Identifier: MIT */
/* detached.h - threads of test servers that nobody joins. */
#ifndef PENSTOCK_TESTS_E2E_DETACHED_H
#define PENSTOCK_TESTS_E2E_DETACHED_H

#include <pthread.h>
#include <stdbool.h>

/* Runs routine(arg) on a thread of its own.  Detached from the start: the process may end
 * before the thread goes on, and thread sanitizers would call it leaked.  False: no
 * resources; then `arg` is still the caller's. */
static inline bool start_detached(void *(*routine)(void *arg), void *arg)
{
    pthread_t thread;
    pthread_attr_t detached;
    if (pthread_attr_init(&detached) != 0)
        return false;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &detached, routine, arg) == 0;
    pthread_attr_destroy(&detached);
    return started;
}

#endif
