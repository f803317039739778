/* SPDX-License-Identifier: MIT */
/* work.h - what is to be done when a call notifies us, through a completion port.
 *
 *   call --packet--> port --packet--> a thread that waits there: work->run(work, number)
 *
 * The runtime puts a packet into the port and goes on; whichever of our threads is free
 * takes it.  They are ours: they may wait for a disk, or for each other's locks, as a
 * routine on a thread of the runtime must not. */
#ifndef FILEREP_WORK_H
#define FILEREP_WORK_H

#include <stdbool.h>
#include <windows.h>

struct work {
    OVERLAPPED overlapped; /* first: its address, which a packet carries, is that of the work */
    void (*run)(struct work *work, DWORD number);
};

/* Asks for the notifications of `async` as packets for `work`.  `number` comes back with
 * each; the fields are read whenever there is something to notify. */
void work_notify(struct work *work, PRPC_ASYNC_STATE async, HANDLE port, DWORD number);

/* Has `work` run as if there had been a notification.  False: out of memory. */
bool work_post(struct work *work, HANDLE port, DWORD number);

/* Ends a wait in work_take, with nothing to be run. */
void work_wake(HANDLE port);

/* Takes one packet, waiting for it, and does what is to be done.  False: there was none. */
bool work_take(HANDLE port, DWORD timeout_ms);

/* A port, and so many threads that take from it until the process ends; 0: only a port,
 * whose owner takes himself.  NULL: out of memory, descriptors or threads. */
HANDLE work_port(unsigned int threads);

/* How many threads are worth while. */
unsigned int work_threads(void);

#endif
