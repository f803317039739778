/* SPDX-License-Identifier: MIT */
/* object.h - what events, threads and completion ports have in common.
 *
 *   HANDLE = number of base/handle.h | WIN32_TAG  -->  struct win32_object  -->  eventfd
 *
 * The eventfd is readable while the object is signalled; waiting is poll().  A wait
 * holds a reference, so that a descriptor is never closed, and its number never reused,
 * while a thread polls or writes it. */
#ifndef WIN32_OBJECT_H
#define WIN32_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <penstock/win32.h>

#include "base/handle.h"

struct win32_object;

struct win32_class {
    const char *name;
    void (*closed)(struct win32_object *object);  /* the last handle is; NULL: nothing */
    void (*destroy)(struct win32_object *object); /* frees it; the eventfd is closed   */
};

extern const struct win32_class win32_event_class, win32_thread_class, win32_port_class;

struct win32_object {
    struct counted counted; /* first: the handle table knows only this */
    const struct win32_class *class;
    atomic_uint handles;
    int fd;
    bool consumed; /* by the wait that sees it: an auto-reset event */
    /* Who waits sees what was written before the signal: poll() alone promises nothing
     * in the memory model of C. */
    atomic_uint signals;
};

/* Gives a zeroed object its eventfd and one reference.  False: no descriptor. */
bool win32_object_init(struct win32_object *object, const struct win32_class *class,
                       bool signalled);

/* A handle; NULL: out of memory.  The caller's reference stays his. */
HANDLE win32_object_open(struct win32_object *object);

/* The object with a reference for the caller, or NULL; the current thread's pseudo
 * handle is one.  With `class` NULL any object. */
struct win32_object *win32_object_get(HANDLE handle, const struct win32_class *class);

static inline void win32_object_put(struct win32_object *object)
{
    counted_put(&object->counted);
}

void win32_object_signal(struct win32_object *object);
/* Ends the signalled state; true when it was signalled. */
bool win32_object_reset(const struct win32_object *object);

/* A wait for the object has ended. */
static inline void win32_object_seen(struct win32_object *object)
{
    (void)atomic_load_explicit(&object->signals, memory_order_acquire);
}

/* thread.c: an object for the calling thread, counted; NULL: out of memory. */
struct win32_object *win32_thread_object_self(void);

/* ---- Waiting, wait.c ----------------------------------------------------------- */

#define WIN32_NO_DEADLINE UINT64_MAX

/* When a wait that begins now ends, microseconds of clock_us(). */
uint64_t win32_deadline(DWORD timeout_ms);

/* poll() on one descriptor until the deadline, whatever signals arrive.  With
 * `alertable` queued routines run, and WAIT_IO_COMPLETION says so.
 * WAIT_OBJECT_0: readable; WAIT_TIMEOUT; WAIT_FAILED: the application closed it. */
DWORD win32_wait_fd(int fd, uint64_t deadline_us, bool alertable);

/* ---- Routines of the calling thread, thread.c ------------------------------------- */

/* Readable while routines wait for this thread; -1: out of memory or descriptors. */
int win32_apc_fd(void);
/* Runs them all; false when there was none. */
bool win32_run_apcs(void);

#endif
