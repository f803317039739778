/* SPDX-License-Identifier: MIT */
/* call.h - one remote procedure call in the runtime, client or server side.
 *
 *   wire (struct call)   fragments, states of the protocol        proto/
 *   stub                 the non-pipe octets that arrive          gathered here
 *   pipes[]              the pipe parameters in signature order   pipe.c
 *   notify               what the application has yet to be told  notify.c
 *
 * Everything is guarded by conn->lock.  References: one by the association while
 * the call is on it, one by the call's handle (RPC_ASYNC_STATE.StubInfo) while the
 * application may use it or one of its pipes, one by whoever works on it.
 *
 *                      client                          server
 *   start              stub call                       request complete enough
 *   `over`             reply, fault, failure, cancel   reply or fault queued, failure
 *   released           CompleteCall, or a push or      CompleteCall, AbortCall, or a
 *                      pull returned the failure       push or pull returned it      */
#ifndef RUNTIME_CALL_H
#define RUNTIME_CALL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <penstock/rpcasync.h>
#include <penstock/rpcndr.h>

#include "base/handle.h"
#include "base/list.h"
#include "io/reactor.h"
#include "io/timer.h"
#include "ndr/alias.h"
#include "ndr/ndr.h"
#include "proto/assoc.h"
#include "runtime/binding.h"
#include "runtime/conn.h"
#include "runtime/context.h"
#include "runtime/pipe_rx.h"
#include "runtime/subscribe.h"
#include "win32/win32.h"

struct error_record;
struct rpc_call;
struct interface;

/* What RpcxPipeInqStats tells, see pipe_stats.c. */
struct pipe_stats {
    uint64_t pushed, pulled;   /* elements                                            */
    uint64_t longest_wait_us;  /* of those that have ended                            */
    uint64_t waiting_since_us; /* the wait that goes on began then; 0: there is none  */
};

/* One pipe parameter of one call. */
struct pipe {
    struct rpc_call *call;
    const NDR_PARAM *param;
    struct pipe_rx rx;     /* used when the pipe travels towards us */
    bool in : 1, out : 1;    /* direction of the parameter            */
    bool receive_armed : 1;  /* a pull returned 997 and is waited for */
    bool drained : 1;        /* a pull has returned the end           */
    bool finished : 1;       /* our null push was made                */
    uint32_t streak;         /* octets pushed in a tight loop, or UINT32_MAX, see sends_directly() */
    uint32_t pushed_us;      /* when the last push returned, of clock_us() the low bits            */
    uint32_t times_blocked;  /* waits that have ended, for its stats                               */
    size_t high, low;      /* water marks, octets; high 0: no limit */
    struct pipe_stats stats;
};

/* What the application is to be told, in this order. */
enum notify_bit {
    NOTIFY_SEND = 1u << 0,
    NOTIFY_RECEIVE = 1u << 1,
    NOTIFY_COMPLETE = 1u << 2
};

struct notify {
    uint8_t due;       /* NOTIFY_* not delivered yet                               */
    uint8_t owed;      /* NOTIFY_* for who came while its routine ran, pipe.c      */
    uint8_t event;     /* RPC_ASYNC_EVENT: what the queued one is to tell          */
    bool unread;       /* one was delivered and the application has not reacted    */
    bool delivering;   /* the callback job is queued or running                    */
    bool completed;    /* RpcCallComplete was delivered                            */
    bool queued;       /* `apc` or `packet` is, and holds a reference on the call  */
};

/* What few calls need; made by call_rare() when the first of it is. */
struct call_rare {
    struct call_link link; /* of `wire` */
    struct ndr_full_pointers full; /* of the request, for the reply */

    /* callback.c's */
    struct rpc_call *outer;    /* the call it is inside of; counted                  */
    struct rpc_call *incoming; /* a request inside this call, for who waits; counted */

    /* client */
    struct client_contexts contexts; /* of an asynchronous call                        */
    struct io_timer timer;           /* set: the call is given up when it expires,     */
    uint64_t deadline_us;            /* at this time of clock_us(), 0: never,          */
    RPC_STATUS deadline_status;      /* with this                                      */
    struct characters *characters;   /* of an asynchronous call's [cs_char] arrays; or NULL */

    /* server */
    struct subscriptions subscriptions;
    struct managed_characters *managed_characters; /* the same, as the manager has them */
};

/* What the operation of a server's call asks for beyond the usual; there from the
 * beginning, or never. */
struct call_special {
    struct call_contexts contexts;
    struct memory_env *env;    /* of an [enable_allocate] operation */
    struct farewell *farewell; /* [notify], or parameters that routines of the program free */
};

/* Gaps and counts of 0, or less than 8 octets of parameters and a count. */
#define CALL_HELD_MAX 16u

/* Thousands may be open and idle, so a call is no larger than it has to be. */
struct rpc_call {
    struct counted object;
    struct call wire;
    struct conn *conn; /* counted */
    const RPC_CLIENT_INTERFACE *spec;
    const NDR_OPERATION *op;
    struct call_rare *rare; /* NULL: nothing of it was needed so far               */

    /* 0: released.  Server: also the number of its binding handle. */
    uint64_t handle;
    /* Client: the application's state of an asynchronous call, not to be touched
     * once released.  Server: ours, see server_call.c. */
    PRPC_ASYNC_STATE async;

    bool server;
    bool ndr64;        /* the transfer syntax, else NDR 2.0                        */
    bool leaving;      /* client: its orphaned or co_cancel is on its way, nothing may follow it */
    bool over;         /* nothing more will happen on the wire                     */
    bool released;     /* the application is done with it                          */
    bool cancelled;    /* server: the client asked, or is gone                     */
    bool stub_done;    /* request: parameters decoded, the rest belongs to pipes   */
    bool stopped;      /* counted in conn->stopped                                 */
    bool unbound;      /* client: op->unbind was called                            */
    bool looking;      /* server: a job tries to decode the request; counted in conn->held */
    bool dispatched;   /* server: the manager was called                           */
    bool pushing;      /* a push is under way, see pipe_take_turn()                */
    uint8_t happened;  /* server: RpcNotification... bits, see subscribe.h         */
    uint8_t held_len;  /* octets of our stub that wait for what comes after them: a server's are
                        * of terminators, all zeros; a client's: see held_first   */
    bool nested;       /* on the connection of another, inside it: call_outer()    */
    bool granted;      /* the context it waits for is free                         */
    bool guarded;      /* server: the interface has an access check,               */
    bool admitted;     /* and it has let the call in                               */
    struct notify notify;
    uint16_t pipe_count;
    uint16_t receiving; /* index of the pipe that octets arrive for; pipe_count: past all */
    uint16_t ended_pipes; /* client: pipes sent to their end, or held; those ended before the
                           * request began do not count yet                     */
    RPC_STATUS status; /* failure; RPC_S_OK while there is none                    */
    uint32_t send_low; /* low mark of the pipe that pushes, octets                 */
    uint32_t stub_max; /* octets without pipes the peer may send                   */
    union {
        uint32_t stub_need;    /* server: decoding is not tried again below this length */
        uint8_t held_first[4]; /* client: the first of what is held, parameters; zeros follow.
                                * See call_keeps_aligned()                      */
    };

    union {
        struct io_job job;          /* server: decodes the request; nothing is told before.
                                     * Then, and for a client: delivers callbacks  */
        struct win32_apc apc;       /* of the thread to be told                    */
        struct win32_packet packet; /* in the port to be told                      */
    };
    uint64_t send_mark;/* notify RpcSendComplete when the queue's total reaches it; 0: not */

    struct rxbuf *stub;   /* non-pipe octets that arrived, or NULL               */


    union {
        struct { /* client */
            struct binding *binding;      /* counted                                      */
            struct win32_thread *issuer;  /* the thread that made the call and is to be
                                           * told by an APC; counted                      */
            struct error_record *errors;  /* why it failed; owned (error_info.h)          */
            struct call_begin *begin;     /* its connection was not up (client_begin.h);
                                           * NULL: it was; owned                          */
            struct conn *moved_from;      /* counted: the one it was in line for before,
                                           * call_lock()                                  */
        };
        struct { /* server, server_call.c's */
            struct interface *iface; /* counts its calls                                  */
            const RPC_MGR_EPV *epv;
            struct server_state *state; /* what the manager sees of an asynchronous call  */
            struct call_special *special; /* NULL: nothing of it                          */
            struct rpc_call *next_overdue; /* conn->overdue                               */
        };
    };

    struct pipe pipes[]; /* and, behind them, the frame: call_frame() */
};
_Static_assert(sizeof(struct rpc_call) <= 280 && sizeof(struct pipe) <= 128, "docs/design/idle.md");

/* Locks the connection of an asynchronous call.  One without pipes that is still in line for
 * its connection may be moved to another (conn_setup_move()); all others keep theirs, and
 * conn_lock(call->conn) will do. */
void call_lock(struct rpc_call *call);
/* Moves it: the lock of the connection before is held, its reference is kept, that on `conn`
 * taken over. */
void call_set_conn(struct rpc_call *call, struct conn *conn);

/* The call behind a number, with a reference; NULL: *ret_status. */
struct rpc_call *call_from_handle(uint64_t handle, RPC_STATUS *ret_status);

/* The `state` of a pipe, which says what call it is of, and which of its pipes. */
char *pipe_state(const struct pipe *pipe);
/* The pipe behind it, with a reference on its call; NULL: *ret_status. */
struct pipe *pipe_from_state(const char *state, RPC_STATUS *ret_status);

static inline struct rpc_call *call_of_wire(struct call *wire)
{
    return list_entry(wire, struct rpc_call, wire);
}

static inline void call_get(struct rpc_call *call)
{
    counted_get(&call->object);
}
static inline void call_put(struct rpc_call *call)
{
    counted_put(&call->object);
}

/* The parameters, op->frame_size octets.  A server's call that is going may give them
 * away if its operation converts types. */
void *call_frame(const struct rpc_call *call);
void *call_give_frame(struct rpc_call *call);

static inline size_t call_stub_len(const struct rpc_call *call)
{
    return call->stub ? call->stub->len : 0;
}

/* What few calls need; NULL: out of memory.  Lock held, or nobody else knows the call. */
struct call_rare *call_rare(struct rpc_call *call);
/* Moves the full pointers of a request to the call, if there are any.  RPC_S_OK;
 * RPC_S_OUT_OF_MEMORY.  The same. */
RPC_STATUS call_keep_full(struct rpc_call *call, struct ndr_full_pointers *full);
/* Those that were kept; else `none`, which it makes empty. */
struct ndr_full_pointers *call_full(struct rpc_call *call, struct ndr_full_pointers *none);

/* The call it is inside of, or NULL. */
static inline struct rpc_call *call_outer(const struct rpc_call *call)
{
    return call->rare ? call->rare->outer : NULL;
}

/* The contexts and the memory of a server's call; NULL: it has none. */
static inline struct call_contexts *call_contexts(const struct rpc_call *call)
{
    return call->server && call->special ? &call->special->contexts : NULL;
}
static inline struct memory_env *call_env(const struct rpc_call *call)
{
    return call->special ? call->special->env : NULL;
}

/* A call on `conn` (counted from now on) with a zeroed frame and its pipes, in NDR64 or
 * NDR 2.0.  One reference for the caller.
 * RPC_S_OUT_OF_MEMORY; RPC_S_CANNOT_SUPPORT: a pipe element the engine refuses. */
RPC_STATUS call_new(struct conn *conn, const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op,
                    bool server, bool ndr64, struct rpc_call **ret_call);

/* All of the following: lock held. */

/* Octets of our stub stream from the peer.  RPC_S_OK or what the call failed with
 * (the caller fails it). */
RPC_STATUS call_arrived(struct rpc_call *call, struct rxbuf *buf, const uint8_t *octets,
                        size_t len, bool last);

/* What a server holds. */
static inline void *call_held(const struct rpc_call *call)
{
    static const uint8_t zeros[CALL_HELD_MAX];
    assert(call->held_len <= sizeof(zeros));
    return (void *)(uintptr_t)zeros;
}
/* Client: the pipe to be sent next has elements aligned to 8, so that fragments may not begin
 * at an odd multiple of 4 of the stub (docs/design/fragments.md). */
bool call_keeps_aligned(const struct rpc_call *call);
/* Server: a push has ended at an odd multiple of 4 and octets aligned to 8 come next: the first
 * terminator that is held goes before them, as a fragment of its own, so that theirs begins at a
 * multiple of 8.  RPC_S_OK, also where there is nothing to do; or what the call failed with. */
RPC_STATUS server_align_held(struct rpc_call *call);
/* The transfer syntax turned out to be another than call_new() was told; nothing has been sent
 * or received yet.  RPC_S_OUT_OF_MEMORY; RPC_S_CANNOT_SUPPORT. */
RPC_STATUS call_use_syntax(struct rpc_call *call, bool ndr64);

/* A call with pipes was put on its connection's association. */
void call_join_pipes(struct rpc_call *call);

/* The queue of the connection has moved. */
void calls_on_sent(struct conn *conn);

/* Is RpcSendComplete due?  When what send_mark marks has left, or when so little is
 * queued that there is room for more: so the transport never runs dry. */
bool call_has_room(const struct rpc_call *call);

/* Reading stops, or goes on, as far as this call is concerned. */
void call_stop_reading(struct rpc_call *call, bool stop);

/* Server: the request is being looked at, or no more. */
void call_look(struct rpc_call *call, bool looking);

/* The call has failed: tells the application as its side and state demand.  Does
 * nothing on a call that is over. */
void call_fail(struct rpc_call *call, RPC_STATUS status);

/* Something of ours broke (memory, the peer's octets): the peer is told, the call
 * fails. */
void call_break(struct rpc_call *call, RPC_STATUS status);

/* pipe.c: a push or the request of a call with [in] pipes was queued: RpcSendComplete
 * follows if the application asked for it. */
void call_ask_send_complete(struct rpc_call *call, size_t low, bool null_push);
/* The same, and it did ask. */
void call_tell_sent(struct rpc_call *call, size_t low);

/* The call ended well on the wire: it leaves the association. */
void call_finish(struct rpc_call *call);

/* Takes the call off its connection and its pipes and handle away from the
 * application; later uses of them answer `status`. */
void call_release(struct rpc_call *call, RPC_STATUS status);

/* Octets to receive at most, so that pipes with small limits keep to them: never less
 * than a fragment's worth. */
size_t calls_room(const struct conn *conn);

/* Small rests of pipes leave large buffers. */
void calls_compact(struct conn *conn);
/* Nobody is about to come back: pipes give up what they keep for the next octets. */
void calls_trim(struct conn *conn);

/* Does the pipe travel towards us? */
static inline bool pipe_receives(const struct pipe *pipe)
{
    return pipe->call->server ? pipe->in : pipe->out;
}
static inline bool pipe_sends(const struct pipe *pipe)
{
    return pipe->call->server ? pipe->out : pipe->in;
}

/* The first pipe towards us that is not before `index`; pipe_count: none. */
static inline unsigned call_next_receiving(const struct rpc_call *call, unsigned index)
{
    while (index < call->pipe_count && !pipe_receives(&call->pipes[index]))
        index++;
    return index;
}

/* Has everything of the pipe arrived, so that a pull may say so? */
bool pipe_at_end(const struct pipe *pipe);

/* Does the request go on with pipes? */
bool op_has_in_pipes(const NDR_OPERATION *op);

/* Are all pipes towards us pulled to the end, all from us ended by a null push? */
bool call_all_drained(const struct rpc_call *call);
bool call_all_finished(const struct rpc_call *call);

/* pipe.c: fills the pipe structures the frame points to. */
void pipes_publish(struct rpc_call *call);
/* pipe.c: is this thread inside a notification routine? */
extern _Thread_local unsigned pipe_in_callback;
void pipes_set_limits_default(struct pipe *pipe);

/* ---- notify.c ------------------------------------------------------------- */

/* `bit` (NOTIFY_*) is to be told; delivers when the application has reacted to the
 * notification before. */
void notify_post(struct rpc_call *call, enum notify_bit bit);

/* The application called us on this call: it has seen the last notification. */
void notify_ack(struct rpc_call *call);

/* Delivers what became possible by notify_ack. */
void notify_pump(struct rpc_call *call);

/* Takes back what was not delivered. */
void notify_drop(struct rpc_call *call);

/* ---- call_status.c --------------------------------------------------------- */

/* A synchronous call has ended: fills the status parameters of `frame`.  False: nothing
 * in it receives this failure, it is to be raised. */
bool call_deliver_status(const NDR_OPERATION *op, void *frame, RPC_STATUS status);

/* A call has ended well: clears the status parameters that the other side does not send. */
void call_clear_local(const NDR_OPERATION *op, void *frame);

/* ---- callback.c: calls inside calls ----------------------------------------- */

/* A call of the peer's begins inside one of ours that waits for its answer. */
void nested_on_request(struct conn *conn, const struct assoc_event *event, struct rxbuf *buf);

/* All of it has arrived: the thread that waits will run it. */
void nested_ready(struct rpc_call *call);

/* The client asks to end a call of ours, or has given it up: so it is with all inside. */
void nested_cancel(struct rpc_call *call);
void nested_orphaned(struct rpc_call *call);

/* The call that this thread runs a routine for and inside of which it may call `spec`
 * there; NULL: another connection must carry the call.  No lock. */
struct server_pool;
struct rpc_call *nested_place(const struct server_pool *pool, const RPC_CLIENT_INTERFACE *spec);

/* Puts `call` on the connection, inside `outer`.  A failure leaves it unstarted. */
RPC_STATUS nested_start(struct rpc_call *call, struct rpc_call *outer, const UUID *object);

/* (drops) Sends the rest of the request and receives on this thread until the call is
 * over; what the peer calls meanwhile runs here. */
void call_await(struct rpc_call *call);
/* (drops) Runs the request inside `call` that has come, of a [callback] say, on this thread.
 * False: none has. */
bool call_run_incoming(struct rpc_call *call);

/* Octets of a result as C has it: [cs_char] makes a character of an octet. */
static inline size_t call_result_size(const NDR_TYPE *type)
{
    return type->characters ? type->characters->element_size : type->size;
}

/* ---- client_call.c, client_async.c, server_call.c ------------------------------------------ */

extern const struct conn_ops client_conn_ops;
extern const struct conn_ops server_conn_ops;

/* RpcAsyncCompleteCall and kin for each side; lock held on entry, dropped inside. */
RPC_STATUS client_complete(struct rpc_call *call, void *reply);
/* After everything the application does with an asynchronous call, no lock held: unbinds its
 * generic handle when that was the end of it. */
void client_call_unbind(struct rpc_call *call);
RPC_STATUS server_complete(struct rpc_call *call, const void *reply);
RPC_STATUS server_abort(struct rpc_call *call, RPC_STATUS code);

/* ---- cancel.c: a client's calls that are to end ------------------------------ */

/* Asks the server to give up; with `abort` also gives the call up here.  Nothing on one
 * that is over.  May drop the lock. */
RPC_STATUS client_cancel(struct rpc_call *call, bool abort);

/* Ends the call here with `status` and tells the server.  May drop the lock. */
void client_give_up(struct rpc_call *call, RPC_STATUS status);

/* From `due_us` on (of clock_us(); 0: never) the call is given up with `status`.  Replaces
 * what was set before; nothing on a call that is over.  RPC_S_OUT_OF_RESOURCES. */
RPC_STATUS client_set_deadline(struct rpc_call *call, uint64_t due_us, RPC_STATUS status);
void client_clear_deadline(struct rpc_call *call);
/* 0: there is none. */
uint64_t client_deadline_us(const struct rpc_call *call);
/* A new call->rare. */
void client_init_deadline(struct rpc_call *call);

/* ---- The rest of client_call.c and server_call.c ------------------------------ */

/* RESPONSE or FAULT for a call of ours. */
void client_on_answer(const struct assoc_event *event, struct rxbuf *buf);
/* What a client stub gives the program memory with, and runs its routines with. */
struct ndr_memory client_stub_memory(const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *op);
/* Decodes the reply of a call that ended well; no lock. */
RPC_STATUS client_decode_reply(struct rpc_call *call, struct client_contexts *contexts,
                               struct ndr_full_pointers *full,
                               void *frame);

/* server_order.c: a manager that keeps the next calls of the connection from beginning for
 * too long does so no more. */
void order_check(struct conn *conn);

/* The call this thread runs the routine of, or NULL: in a server a manager's, in a client
 * that of a callback. */
struct rpc_call *server_current_call(void);

/* All of these, the one before last; NULL: none. */
struct running_call {
    struct rpc_call *call;
    const struct running_call *around;
};
const struct running_call *server_running_calls(void);

/* Server: the application was told of the failure and need not complete the call;
 * should it do so all the same, what it holds must still be there. */
void server_call_abandoned(struct rpc_call *call);

/* Server: the last reference is going. */
void server_call_gone(struct rpc_call *call);

/* Client: the call left its association, well or not: the connection serves others
 * or is given up. */
void client_call_left(struct rpc_call *call);

#endif
