/* SPDX-License-Identifier: MIT */
/* event.c - events.  The eventfd is the whole state; an auto-reset event is consumed by
 * the one thread whose read() empties the counter. */
#include <stdlib.h>

#include "win32/object.h"
#include "win32/win32.h"

static void destroy(struct win32_object *object)
{
    free(object);
}

const struct win32_class win32_event_class = {.name = "event", .destroy = destroy};

HANDLE RpcxCreateEvent(BOOL manual_reset, BOOL initially_set)
{
    struct win32_object *event = calloc(1, sizeof(*event));
    if (!event) {
        RpcxSetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    event->consumed = !manual_reset;
    bool ok = win32_object_init(event, &win32_event_class, initially_set != FALSE);
    HANDLE handle = ok ? win32_object_open(event) : NULL;
    if (!handle)
        RpcxSetLastError(ok ? ERROR_NOT_ENOUGH_MEMORY : ERROR_NO_SYSTEM_RESOURCES);
    win32_object_put(event); /* the table holds its own reference */
    return handle;
}

bool event_set(HANDLE handle)
{
    struct win32_object *event = win32_object_get(handle, &win32_event_class);
    if (!event)
        return false;
    win32_object_signal(event);
    win32_object_put(event);
    return true;
}

bool win32_is_event(HANDLE handle)
{
    struct win32_object *event = win32_object_get(handle, &win32_event_class);
    if (event)
        win32_object_put(event);
    return event != NULL;
}

BOOL RpcxSetEvent(HANDLE event)
{
    if (event_set(event))
        return TRUE;
    RpcxSetLastError(ERROR_INVALID_HANDLE);
    return FALSE;
}

BOOL RpcxResetEvent(HANDLE handle)
{
    struct win32_object *event = win32_object_get(handle, &win32_event_class);
    if (!event) {
        RpcxSetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    (void)win32_object_reset(event);
    win32_object_put(event);
    return TRUE;
}
