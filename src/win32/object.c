/* SPDX-License-Identifier: MIT */
/* object.c - handles of Windows objects; see object.h. */
#include "win32/object.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/delay.h"

/* No pointer of a program has the highest bit set, so that a pointer passed by mistake
 * never is a handle by accident. */
#define WIN32_TAG (UINT64_C(1) << 63)
_Static_assert(sizeof(HANDLE) == sizeof(uint64_t), "a handle number must fit into HANDLE");

static _Thread_local DWORD last_error;

DWORD RpcxGetLastError(void)
{
    return last_error;
}

void RpcxSetLastError(DWORD error)
{
    last_error = error;
}

static void object_destroy(struct counted *counted)
{
    struct win32_object *object = (struct win32_object *)counted;
    if (object->fd >= 0)
        close(object->fd);
    object->class->destroy(object);
}

bool win32_object_init(struct win32_object *object, const struct win32_class *class, bool signalled)
{
    counted_init(&object->counted, object_destroy);
    object->class = class;
    object->fd = eventfd(signalled ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    return object->fd >= 0;
}

HANDLE win32_object_open(struct win32_object *object)
{
    uint64_t number = handle_open(&object->counted);
    assert(!(number & WIN32_TAG)); /* 2^39 uses of one slot */
    if (number == 0)
        return NULL;
    atomic_fetch_add(&object->handles, 1);
    return (HANDLE)(uintptr_t)(number | WIN32_TAG);
}

struct win32_object *win32_object_get(HANDLE handle, const struct win32_class *class)
{
    uint64_t number = (uint64_t)(uintptr_t)handle;
    struct win32_object *object = NULL;
    if (handle == RPCX_CURRENT_THREAD) {
        object = win32_thread_object_self();
    } else if (number & WIN32_TAG) {
        int32_t unused;
        struct counted *counted = handle_get(number & ~WIN32_TAG, 0, &unused);
        if (counted && counted->destroy != object_destroy) { /* a call, say */
            counted_put(counted);
            counted = NULL;
        }
        object = (struct win32_object *)counted;
    }
    if (object && class && object->class != class) {
        win32_object_put(object);
        object = NULL;
    }
    return object;
}

void win32_object_signal(struct win32_object *object)
{
    int saved_errno = errno;
    DELAY_POINT();
    atomic_fetch_add_explicit(&object->signals, 1, memory_order_acq_rel);
    /* EAGAIN: the counter is at its maximum, so it is signalled.  EBADF: the
     * application closed the descriptor behind our back. */
    (void)eventfd_write(object->fd, 1);
    errno = saved_errno;
}

bool win32_object_reset(const struct win32_object *object)
{
    eventfd_t count;
    int saved_errno = errno;
    bool was_signalled = eventfd_read(object->fd, &count) == 0;
    errno = saved_errno;
    return was_signalled;
}

BOOL RpcxCloseHandle(HANDLE handle)
{
    if (handle == RPCX_CURRENT_THREAD)
        return TRUE; /* documented: closing it has no effect */
    struct win32_object *object = win32_object_get(handle, NULL);
    if (!object) {
        last_error = ERROR_INVALID_HANDLE;
        return FALSE;
    }
    handle_close((uint64_t)(uintptr_t)handle & ~WIN32_TAG, 0);
    if (atomic_fetch_sub(&object->handles, 1) == 1 && object->class->closed)
        object->class->closed(object);
    win32_object_put(object);
    return TRUE;
}

HANDLE RpcxDuplicateHandle(HANDLE handle)
{
    struct win32_object *object = win32_object_get(handle, NULL);
    if (!object) {
        last_error = ERROR_INVALID_HANDLE;
        return NULL;
    }
    HANDLE duplicate = win32_object_open(object);
    win32_object_put(object);
    if (!duplicate)
        last_error = ERROR_NOT_ENOUGH_MEMORY;
    return duplicate;
}

int RpcxEventFd(HANDLE handle)
{
    struct win32_object *object = win32_object_get(handle, NULL);
    if (!object) {
        last_error = ERROR_INVALID_HANDLE;
        return -1;
    }
    int fd = object->fd;
    win32_object_put(object);
    return fd;
}
