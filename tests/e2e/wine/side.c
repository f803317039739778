/* SPDX-License-Identifier: MIT */
/* side.c - memory for the stubs, and catching exceptions on either system. */
#include "side.h"

#include <stdlib.h>
#ifndef _WIN32
#include <unistd.h>
#endif

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

#ifdef _WIN32

void pause_ms(unsigned ms)
{
    Sleep(ms);
}

/* gcc has no __try for Windows, so the jump back is made by a handler that sees exceptions
 * before all others. */
static void *way_back[5];
static volatile unsigned long raised;

static LONG WINAPI on_exception(EXCEPTION_POINTERS *exception)
{
    raised = exception->ExceptionRecord->ExceptionCode;
    __builtin_longjmp(way_back, 1);
}

unsigned long raised_by(void (*run)(void *arg), void *arg)
{
    void *handler = AddVectoredExceptionHandler(1, on_exception);
    raised = 0;
    if (__builtin_setjmp(way_back) == 0)
        run(arg);
    RemoveVectoredExceptionHandler(handler);
    return raised;
}

#else

void pause_ms(unsigned ms)
{
    usleep(ms * 1000);
}

unsigned long raised_by(void (*run)(void *arg), void *arg)
{
    unsigned long raised = 0;
    RpcTryExcept
    {
        run(arg);
    }
    RpcExcept(1)
    {
        raised = (unsigned long)RpcExceptionCode();
    }
    RpcEndExcept
    return raised;
}

#endif
