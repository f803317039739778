/* SPDX-License-Identifier: MIT */
/* conn_setup.h - a client's connection on its way up, for calls that nobody waits for.
 *
 *   RESOLVE --endpoint and addresses are known--> CONNECT --socket is connected-->
 *      |                                |
 *      |      GROUP --its id is known--> BIND --bind_ack--> up
 *      |        |                         |
 *      +--------+ failure, time-out, the last of its calls is gone --> closed
 *
 * Calls placed on it are kept in line (client_begin.h) and begin in that order when it is up,
 * before any that come later.  The threads of the reactor do all of it; a step never blocks.
 * conn->lock guards everything but what conn_pool.h's lock does.
 *
 * A failure makes the association DEAD as on any connection; conn_settle() finds out, and
 * then either the connection begins again (a server that was started anew does not know the
 * association group) or each call in line fails and the connection is closed. */
#ifndef RUNTIME_CONN_SETUP_H
#define RUNTIME_CONN_SETUP_H

#include "io/timer.h"
#include "io/transport.h"
#include "runtime/conn_pool.h"

struct call_begin;
struct error_record;
struct server_pool;

enum conn_setup_state {
    SETUP_NEW,     /* nothing was tried yet                                      */
    SETUP_RESOLVE, /* the endpoint or the address of a name: conn_resolve.c's    */
    SETUP_CONNECT, /* the descriptor is watched by conn_setup.c alone            */
    SETUP_GROUP,   /* waits for the connection that founds the association group */
    SETUP_BIND,    /* the bind is queued; received as on any connection          */
    SETUP_READY,   /* bound: the calls in line are about to begin                */
    SETUP_ENDED    /* failed or closed; `status` says why                        */
};

struct conn_setup {
    struct conn *conn; /* the owner */
    enum conn_setup_state state;
    RPC_STATUS status; /* what ended it */
    struct conn_wish wish;
    struct transport_attempt attempt;
    struct list calls;    /* struct call_begin, in the order in which they are to begin */
    struct io_timer timer; /* for the two moments that follow                             */
    uint64_t due_us;      /* given up then; 0: never                                    */
    uint64_t retry_us;    /* BUSY: the address is tried again then; 0: not              */
    uint32_t group_id;    /* as bound with                                              */
    bool founds;          /* the association group; others may wait for it              */
    bool again;           /* it was begun again without a group                         */
    bool named;           /* addresses, or endpoint too, are to be looked up            */
    bool queued;          /* conn_resolve.c's: in line for that, and counted            */
    struct list resolve_node;
    struct list group_node; /* conn_group.c's                                           */
    struct io_job job;      /* goes on; has a reference on the connection               */
    struct error_record *errors; /* what it failed with; owned                          */
};

/* A connection of the pool for calls as `wish` has them, in state NEW.  One reference, the
 * pool's.  No lock.
 * RPC_S_INVALID_NET_ADDR (noted in the thread's error information), RPC_S_OUT_OF_MEMORY. */
RPC_STATUS conn_setup_new(struct server_pool *pool, const struct conn_wish *wish,
                          struct conn **ret_conn);

/* All of the following: lock held. */

/* Begins if nobody has yet.  (drops)  A failure known at once is the result, and noted in the
 * thread's error information; it ends calls in line, too: RPC_S_SERVER_UNAVAILABLE,
 * RPC_S_OUT_OF_RESOURCES, RPC_S_OUT_OF_MEMORY.  RPC_S_OK: under way, or up. */
RPC_STATUS conn_setup_start(struct conn *conn);

/* Is the connection on its way up, so that a call must get in line? */
static inline bool conn_is_pending(const struct conn *conn)
{
    return conn->setup && conn->setup->state != SETUP_ENDED;
}

/* Puts a call in line. */
void conn_setup_add(struct conn *conn, struct call_begin *begin);

/* For a call in line, or about to be, of a connection that turns out to carry one at a time:
 * it goes to another one to the same server, as the last thing on this one.  RPC_S_OK: its
 * conn is another now, with another lock; a failure leaves it where it is. */
RPC_STATUS conn_setup_move(struct call_begin *begin, const struct conn_wish *wish);

/* conn.c's: the descriptor has something to say.  False: it is received as always. */
bool conn_setup_on_io(struct conn *conn);
/* (drops) Does what is to be done next.  False: the connection is up, or somebody must wait
 * for its descriptor as for any other. */
bool conn_setup_settle(struct conn *conn);
/* conn_resolve.c's: what became of the look-up, owned by the caller.  (drops)  Nothing when
 * the connection has ended meanwhile. */
void conn_setup_resolved(struct conn *conn, const struct transport_attempt *found,
                         RPC_STATUS status);
/* The connection was closed. */
void conn_setup_closed(struct conn *conn);
/* Its memory goes. */
void conn_setup_free(struct conn_setup *setup);

/* ---- conn_resolve.c ------------------------------------------------------------------ */

/* Gets in line for its server's addresses; conn_setup_resolved() follows, by another thread. */
void conn_resolve_begin(struct conn *conn);
/* They are not needed any more. */
void conn_resolve_forget(struct conn_setup *setup);

#endif
