/* SPDX-License-Identifier: MIT */
/* win32.h - Windows objects as the run time uses them to notify; programs have
 * <penstock/win32.h>.
 *
 * All of it may be called from any thread with locks held: nothing in here blocks for
 * long, runs code of the application (but what says so), or changes GetLastError() and
 * errno. */
#ifndef WIN32_WIN32_H
#define WIN32_WIN32_H

#include <stdbool.h>

#include <penstock/win32.h>

#include "base/list.h"

/* ---- Events ----------------------------------------------------------------- */

/* Sets the event.  False when `event` is no live event. */
bool event_set(HANDLE event);
bool win32_is_event(HANDLE handle); /* a hint: it may be closed a moment later */

/* ---- Threads and what is queued to them ------------------------------------- */

struct win32_thread;

/* One routine to be run by a thread in an alertable wait. */
struct win32_apc {
    struct list node;
    /* Called once, without locks: by the thread, or with `dropped` by anybody when
     * the thread has ended before it could. */
    void (*run)(struct win32_apc *apc, bool dropped);
};

/* The calling thread, or the one behind `handle`, counted; NULL: out of memory, or
 * no thread. */
struct win32_thread *win32_thread_self(void);
struct win32_thread *win32_thread_from_handle(HANDLE handle);
/* Can there be a handle of the calling thread?  Costs nothing. */
bool win32_thread_is_known(void);
bool win32_is_thread(HANDLE handle); /* a hint, as above */
void win32_thread_put(struct win32_thread *thread);

/* False: the thread has ended, and the apc is the caller's again. */
bool win32_thread_queue(struct win32_thread *thread, struct win32_apc *apc);

/* ---- Completion ports --------------------------------------------------------- */

/* One packet for whoever asks the port next. */
struct win32_packet {
    struct win32_packet *next; /* port.c's */
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    /* Called once, without locks: it was taken, or the port is gone. */
    void (*taken)(struct win32_packet *packet);
};

bool win32_is_port(HANDLE handle); /* a hint, as above */
/* False: `port` is no live completion port, and the packet is the caller's again. */
bool win32_port_post(HANDLE port, struct win32_packet *packet);

#endif
