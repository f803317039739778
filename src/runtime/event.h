/* SPDX-License-Identifier: MIT */
/* event.h - events as the run time uses them to notify; the rest is in
 * <penstock/win32.h>. */
#ifndef PENSTOCK_RUNTIME_EVENT_H
#define PENSTOCK_RUNTIME_EVENT_H

#include <stdbool.h>

#include <penstock/rpctypes.h>

/* Sets the event.  Does not block, runs no code of the application, leaves
 * GetLastError() and errno alone: fit to be called with a lock held.  False when
 * `event` is no live event. */
bool event_set(HANDLE event);

/* Is it a live event?  Only a hint: it may be closed a moment later. */
bool event_is_valid(HANDLE event);

#endif
