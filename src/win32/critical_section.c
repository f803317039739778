/* SPDX-License-Identifier: MIT */
/* critical_section.c - CRITICAL_SECTION: a recursive mutex in the program's memory. */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include <penstock/win32.h>

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(CRITICAL_SECTION), "room for the mutex");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(CRITICAL_SECTION), "and its alignment");

static pthread_mutex_t *mutex_of(CRITICAL_SECTION *section)
{
    return (pthread_mutex_t *)(void *)section;
}

BOOL RpcxInitializeCriticalSection(CRITICAL_SECTION *section)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return FALSE;
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    bool ok = pthread_mutex_init(mutex_of(section), &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return ok;
}

void RpcxDeleteCriticalSection(CRITICAL_SECTION *section)
{
    pthread_mutex_destroy(mutex_of(section));
}

void RpcxEnterCriticalSection(CRITICAL_SECTION *section)
{
    pthread_mutex_lock(mutex_of(section));
}

BOOL RpcxTryEnterCriticalSection(CRITICAL_SECTION *section)
{
    return pthread_mutex_trylock(mutex_of(section)) == 0;
}

void RpcxLeaveCriticalSection(CRITICAL_SECTION *section)
{
    pthread_mutex_unlock(mutex_of(section));
}
