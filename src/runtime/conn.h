/* SPDX-License-Identifier: MIT */
/* conn.h - one transport connection and the association on it.
 *
 * A connection has two roles, *reader* and *writer*, each held by at most one
 * thread at a time.  Whoever holds one does the system calls itself, with the lock
 * dropped meanwhile: a pool thread, or an application thread inside pull, push or
 * a synchronous call.  The lock guards everything else: the association, its
 * calls, their pipes.  Lock order: connection before reactor, handle table, pool
 * of connections; never two connections.
 *
 * Functions named conn_* below are called with conn->lock held unless they say
 * otherwise; those marked (drops) release it for a while. */
#ifndef RUNTIME_CONN_H
#define RUNTIME_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/handle.h"
#include "base/lock.h"
#include "io/reactor.h"
#include "io/transport.h"
#include "proto/assoc.h"
#include "runtime/conn_trace.h"
#include "runtime/rxbuf.h"

struct conn;
struct conn_setup;
struct leaving;
struct rpc_call;

/* What the side a connection is on, client or server, does with it. */
struct conn_ops {
    /* An event of the association, lock held.  `buf` holds event->stub. */
    void (*on_event)(struct conn *conn, const struct assoc_event *event, struct rxbuf *buf);
    /* The transport was shut down, once; lock held. */
    void (*on_closed)(struct conn *conn);
};

enum conn_read {
    CONN_READ_SOME, /* octets arrived and were handled   */
    CONN_READ_DRY,  /* nothing there now                 */
    CONN_READ_DEAD  /* the association is dead           */
};

/* How soon somebody must wait for the descriptor after an operation. */
enum conn_arm {
    CONN_ARM_NOW, /* this thread goes away                                      */
    CONN_ARM_LAZY /* the application will be back at once; the tick looks after
                   * it if not (io/reactor.h)                                   */
};

/* Thousands may be open and idle, so it is no larger than it has to be. */
struct conn {
    struct io_watch watch; /* its counted object counts the connection */

    struct lock lock;
    uint32_t capture;            /* number in PENSTOCK_PCAP, 0: none */
    struct conn_waiter *waiters; /* threads in conn_wait() */

    struct assoc assoc;
    /* An idle connection is to fit a small block: docs/design/idle.md. */
    uint8_t kind;          /* enum transport_kind                               */
    uint8_t lazy;          /* operations in a row that left it unarmed          */
    uint8_t prompt_runs;   /* routines, or managers of prompt_op, in a row that let nothing
                            * wait that was left to the next                    */
    bool listed_bound;     /* server: in the list of bound ones; server_conns.c's lock  */
    bool shared;           /* client: asynchronous calls may be added; the pools' lock */
    /* All of one lock, the connection's, for they share their octets. */
    bool reading : 1, writing : 1; /* a thread holds the role                   */
    bool closed : 1;       /* shut down, and out of the reactor                 */
    bool expect_user : 1;  /* the application was just told to come: arm lazily */
    bool settle_sent : 1;  /* dead; to be settled by the thread that is sending */
    bool prompt : 1;       /* server: the last request came soon after a reply  */
    bool flush_due : 1;    /* a job of conn_push_out_soon() is in a thread's line       */
    bool unsent_reply : 1; /* server: a reply waits for the next one's; that of the call */
    bool unsent_now : 1;   /* whose manager runs, see order_gathers()           */
    bool left : 1;         /* what is queued waits for somebody who comes at once, see
                            * conn_leave_output()                               */
    bool used : 1;         /* server: since it was last looked at, see server_conns.c   */
    bool peer_closed : 1;  /* server: the client has closed; fail what is left  */
    bool more : 1;         /* the sender will be back at once: no partial segments     */
    bool corked : 1;       /* the last send left one behind, see conn_on_idle()        */
    bool blocked_push : 1; /* a thread polls for output itself                  */
    bool lingering : 1;    /* dead; a fault is on its way, input is swallowed   */
    uint16_t prompt_op;    /* server: opnum                                     */
    uint16_t stopped;      /* calls at their receive high mark: do not read     */
    uint16_t held;         /* requests being looked at: do not read             */
    uint16_t await_output; /* calls that wait for the queue to drain (notify)   */
    uint16_t pipe_calls;   /* calls with pipes that are on the association      */
    uint16_t armed;        /* epoll events waited for; 0: none                  */
    union {
        uint32_t last_read; /* octets the last successful receive brought       */
        uint32_t lingered;  /* lingering: octets swallowed so                   */
    };
    uint32_t idle_since_ms;  /* owner's: of clock_ms(), the low bits            */
    union {
        uint32_t silence_max_ms; /* client: longest wait for the peer; 0: any   */
        uint32_t entered_us; /* server: when the starting call's manager was entered, of
                              * clock_us() the low bits; 0: not yet             */
    };
    uint32_t replied_us; /* server: when the reply was sent, of clock_us() the low bits; 0: a
                          * request came since                                  */

    struct rxbuf *rest; /* has the first octets of an incomplete PDU: `len`, from `at`
                         * on; or NULL                                          */
    struct conn_setup *setup; /* client: on its way up (conn_setup.h), or what ended that;
                               * NULL: it is up, or a thread that waits sees to it */
    struct leaving *leaving; /* looks after what is `left`; NULL: there was nothing lately */
    struct conn_tracer *tracer; /* the writer's, of what was sent; NULL: not traced yet */

    /* owner's */
    struct list node;

    union {
        struct { /* client */
            struct server_pool *pool;
            uint64_t lane;          /* number of the time it has been shared since     */
            unsigned calls;         /* calls placed on it                              */
            unsigned keep_alive_s;  /* what transport_keep_alive() was told            */
            RPC_STATUS bind_status; /* of the bind,                                    */
            bool bound;             /* which was answered                              */
            bool awaited;           /* its contexts are not known yet, but will be those of
                                     * its setup's wish; the pools' lock               */
            struct error_record *bind_errors; /* why it was refused; owned (error_info.h) */
        };
        struct { /* server */
            /* server_order.c's: calls that wait for their turn to begin, the one whose turn
             * it is, and managers that kept it for too long and still run. */
            struct list starts;
            struct rpc_call *starting; /* its job's reference keeps it; NULL: none     */
            struct rpc_call *overdue;
            struct server_peer *peer; /* server_conns.c's: who it is, counted; NULL: not yet */
        };
    };
};

#ifndef LOCK_IS_PTHREAD
_Static_assert(sizeof(struct conn) <= 352, "docs/design/idle.md");
#endif

/* Takes over `fd` (closed even on failure; -1: conn_setup.c opens it).  One reference for the
 * caller.
 * `role` decides who speaks first; `secondary_address` as in assoc_init.
 * Not yet in the reactor.  No lock.  NULL: out of memory. */
struct conn *conn_new(int fd, enum transport_kind kind, enum assoc_role role,
                      const char *secondary_address);

/* References; no lock needed. */
static inline void conn_get(struct conn *conn)
{
    counted_get(&conn->watch.object);
}
static inline void conn_put(struct conn *conn)
{
    counted_put(&conn->watch.object);
}

static inline void conn_lock(struct conn *conn)
{
    lock_take(&conn->lock);
}
static inline void conn_unlock(struct conn *conn)
{
    lock_give(&conn->lock);
}

/* Puts the connection into the reactor if it is not there: somebody other than its
 * user may have to wait for it.  False: no resources. */
bool conn_watch(struct conn *conn);

/* (drops) Takes the reader role and receives once.  With `block` it waits for octets,
 * or for the thread that has the role; without, DRY when another thread reads. */
enum conn_read conn_read(struct conn *conn, bool block);

/* (drops) The same without blocking, but where octets have been streaming in, looks
 * again for LIMIT_SPIN_US before it says DRY. */
enum conn_read conn_read_eager(struct conn *conn);

/* (drops) Server, a reply was just sent.  A client that calls in a loop has its next
 * request here in a moment: this thread waits for it in recv, up to LIMIT_PROMPT_US, as
 * long as another thread is left to look after everybody else.  That is one system
 * call instead of three and no other thread is woken.  What arrives is handled as by
 * conn_read(). */
void conn_read_next(struct conn *conn);

/* Of the side it is on. */
const struct conn_ops *conn_ops_of(const struct conn *conn);

/* May the reactor's threads read?  A pull may always: it makes room. */
bool conn_may_read(const struct conn *conn);

/* Nobody receives for a while: a few octets must not hold a whole buffer. */
void conn_compact_rest(struct conn *conn);

/* (drops) Sends what is queued until the transport takes no more.  Nothing when
 * another thread is sending: it will go on with what was added. */
void conn_flush(struct conn *conn);

/* (drops) Sends, waiting for the transport as long as it takes, until at most
 * `len` octets are queued or the association is dead. */
void conn_flush_until(struct conn *conn, size_t len);

/* Sends what was just queued with borrowed octets and copies what could not be
 * sent, so that their owner may have them back; nothing when another thread is sending, as
 * conn_flush().  To be called before the lock is dropped.  (drops) */
void conn_push_out(struct conn *conn);

/* The same for what nobody waits for: a thread of the pool that was told of several events sends
 * once for all that their routines have queued.  Should one of these take its time, another
 * thread sends. (drops) */
void conn_push_out_soon(struct conn *conn);

/* Have the last LIMIT_GATHER_AFTER routines or managers been such that something may be left to
 * the next one?  Counts this one. */
bool conn_is_prompt(struct conn *conn);

/* Copies what is queued and borrowed, and leaves it to somebody who comes at once; should that
 * take longer than LIMIT_GATHER_US, another thread sends it.  False: it is to be sent now. */
bool conn_leave_output(struct conn *conn);

/* Gives up what that takes; for idle connections. */
void conn_trim_leaving(struct conn *conn);

/* Copies what is queued and borrowed, so that its owners may have it back; nobody must be
 * sending. */
void conn_own_output(struct conn *conn);

/* A connection that carried no call is to be bound again, on another descriptor. */
void conn_renew(struct conn *conn);

/* Ends an operation: the one place where it is decided what a connection needs next.  Alive:
 * somebody waits for its descriptor, this thread or the reactor.  On its way up: the next step
 * (conn_setup.h).  Dead, for whatever reason: what is owed to the peer is sent, then it is
 * closed.  Every path that may have failed the connection ends here, and the tick looks after
 * those that do not (conn_fail()).  (drops) */
void conn_settle(struct conn *conn, enum conn_arm arm);

/* The same for the thread that sent while others found the association dead. */
void conn_settle_sent(struct conn *conn);

/* The association is over with `status`: every call on it fails, whoever waits in conn_wait()
 * looks again.  Closing is left to conn_settle(), of this thread or, at the latest, of the
 * tick; the calls in line of a connection on its way up fail then, too.  May be called again,
 * and from anywhere: it drops no lock. */
void conn_fail(struct conn *conn, RPC_STATUS status);

/* Shuts the transport down without a word; for connections without calls. */
void conn_close(struct conn *conn);

/* (drops) Waits until conn_notify(). */
void conn_wait(struct conn *conn);

/* (drops) Waits for `events` of the descriptor; the caller has the role.  False:
 * conn->silence_max_ms have passed, all calls have failed with RPC_S_CALL_CANCELLED. */
bool conn_poll(struct conn *conn, short events);

/* (drops) Waits until the descriptor is readable, with the reader role; returns at once
 * when another thread has it and that thread is done. */
void conn_wait_readable(struct conn *conn);

/* The reader or the writer is done: wakes those who wait in conn_wait(); the last one
 * of a closed connection releases its descriptor. */
void conn_role_ended(struct conn *conn);

/* Wakes threads that wait in conn_wait(). */
void conn_notify(struct conn *conn);

static inline uint32_t conn_silence_max_ms(const struct conn *conn)
{
    return conn->assoc.role == ASSOC_CLIENT ? conn->silence_max_ms : 0;
}

static inline bool conn_alive(const struct conn *conn)
{
    return conn->assoc.state != ASSOC_DEAD;
}

#endif
