/* SPDX-License-Identifier: MIT */
/* context_table.h - what the three files about a server's contexts share; see context.h.
 *
 *   context.c        the table, sets, rundown
 *   context_call.c   the contexts of one call: from the wire, to the wire
 *   context_lock.c   who uses a context alone, who waits for it
 *
 * One lock guards all of it; nothing of the application runs with it held.  It comes
 * after the lock of a connection. */
#ifndef RUNTIME_CONTEXT_TABLE_H
#define RUNTIME_CONTEXT_TABLE_H

#include <pthread.h>

#include "base/list.h"
#include "io/reactor.h"
#include "runtime/context.h"

struct context_set {
    unsigned refs;
    unsigned count; /* of contexts a client may name */
    bool closed;    /* the group is no more          */
    struct list contexts;
    struct list ready;
    bool running; /* the job is submitted */
    struct io_job job;
};

struct context {
    struct context *next;    /* in its bucket               */
    struct list node;        /* set->contexts or set->ready */
    struct context_set *set; /* counted */
    UUID uuid;
    void *user; /* the manager's value */
    const NDR_CONTEXT *type;
    const struct interface *iface;
    unsigned uses;    /* by calls                                        */
    bool named;       /* in its bucket                                   */
    bool closed;      /* the manager has returned NULL: nothing to do    */
    bool exclusive;   /* one call has it alone, or                       */
    unsigned shared;  /* so many share it                                */
    unsigned writers; /* how often it was given to one call alone        */
    struct list waiters;
};

/* Who waits for a context: a call that was not dispatched yet, or a manager. */
struct contexts_waiter {
    struct list node;
    bool exclusive;
    bool granted;
    struct rpc_call *call; /* its job is submitted; NULL: the condition is signalled */
};

extern pthread_mutex_t context_lock;

/* All of them with the lock held. */

/* ---- context.c ---------------------------------------------------------------- */

struct context *context_find(const UUID *uuid);
/* From here on the clients of its set may name it. */
void context_name(struct context *context);
/* No client can name the context any more. */
void context_forget(struct context *context);
/* Ends a context that nobody can name and no call uses. */
void context_end(struct context *context);
void context_set_unref(struct context_set *set);

/* ---- context_lock.c ----------------------------------------------------------- */

/* RpcSsDontSerializeContext was called. */
extern bool contexts_never_serialize;

bool context_available(const struct context *context, bool exclusive);
void context_take(struct context *context, bool exclusive);
void context_unlock(struct context *context, bool exclusive);

#endif
