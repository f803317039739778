/* SPDX-License-Identifier: MIT */
/* harness.h - one test plays both sides of its calls, which are two processes.
 *
 *   client   struct caller: the state, the event it is told by, its pipes
 *   server   struct served: what a manager was given, taken with accept_call()
 *
 * How a case is written:
 *
 *     RPC_BINDING_HANDLE h = serve_here();          forks the server: before anything else
 *     struct served *served = start_call(&caller, h, IN_PIPE, 0);
 *     PUSH(&caller.pipe[0], buf, 10);               in this process
 *     PULL(&served->pipe[0], buf, 10, &n);          in the server, octets carried over
 *     served_complete(served, &reply);              in the server, as all served_...()
 *     EXPECT(&caller, RpcCallComplete);
 *
 * The case itself is the client's process.  What it wants done in the server and there is no
 * served_...() for is a function of its own that far() or far_call() runs there (far.h);
 * served->there is what the runtime gave to the manager and means something to such functions
 * alone.  What routines of the server record is declared BOTH_SIDES, and atomic.  PULL, PUSH
 * and what is made of them take pipes of either side.
 *
 * A test that finds something wrong, in either process, prints it and ends both; so does one
 * that takes too long.  Nothing waits without a limit.  When the case is over the server must
 * end well, with a leak check where there is one.
 *
 * Cases that start processes of their own, or look at one process by themselves, serve with
 * serve_in_this_process(): everything above works there, in one process. */
#ifndef API_HARNESS_H
#define API_HARNESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "api.h"
#include "far.h"
#include "rpc.h"
#include "rpcndr.h"
#include "win32.h"

struct test {
    const char *name;
    void (*run)(void);
};
/* Each ends with a NULL name. */
#define GROUP(name) extern const struct test name[];
#include "groups.def"
#undef GROUP

/* "At once": what need not wait for anything is seen within this time, milliseconds.
 * More than the machine ever needs, less than any time-out of the runtime. */
#define AT_ONCE_MS 1000
/* What takes its time, but must happen. */
#define SOON_MS 10000
/* What must not happen is waited for this long. */
#define NEVER_MS 60

/* ---- Verdicts --------------------------------------------------------------- */

__attribute__((noreturn, format(printf, 3, 4))) void failed(const char *file, int line,
                                                            const char *format, ...);
/* Ends the process: this test cannot run here. */
__attribute__((noreturn)) void skip(const char *why);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            failed(__FILE__, __LINE__, "%s", #condition);                                          \
    } while (0)

void check_equal(const char *file, int line, const char *text, long long got, long long wanted);
#define CHECK_EQUAL(got, wanted)                                                                   \
    check_equal(__FILE__, __LINE__, #got, (long long)(got), (long long)(wanted))

/* `status` is one of two. */
#define CHECK_EITHER(got, one, other)                                                              \
    do {                                                                                           \
        long long got_ = (got);                                                                    \
        if (got_ != (one) && got_ != (other))                                                      \
            failed(__FILE__, __LINE__, "%s is %lld, neither %lld nor %lld", #got, got_,            \
                   (long long)(one), (long long)(other));                                          \
    } while (0)

/* What `call` raised, or RPC_S_OK. */
#define RAISED(ret, call)                                                                          \
    do {                                                                                           \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept {                                                                             \
            call;                                                                                  \
        }                                                                                          \
        RpcExcept(1) {                                                                             \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept                                                                               \
        (ret) = raised_;                                                                           \
    } while (0)

uint64_t now_ms(void);
void sleep_ms(unsigned ms);
/* Resident memory of a process, KiB. */
long rss_kib(pid_t pid);

/* The transport of this run: "ncalrpc" or "ncacn_ip_tcp". */
extern const char *transport;

/* ---- Server ----------------------------------------------------------------- */

/* What managers do on the thread that dispatches them. */
enum script {
    HAND_OFF, /* give the call to accept_call() */
    RAISE,
    ABORT_AND_RAISE,
    COMPLETE_AND_RAISE,
    RAISE_OK, /* raises code 0 */
    HAND_OFF_AND_RAISE,
    PUSH_AND_RAISE, /* three octets first, on the dispatching thread */
    RETURN_LATE /* hands off, and stays in the manager until script_continue() */
};
extern BOTH_SIDES _Atomic enum script script; /* written by the test, read by managers */
extern BOTH_SIDES _Atomic uint32_t script_code;
void script_continue(void);

/* The asynchronous operations, for those who do the same with several. */
enum operation { PLAIN, NOTHING, IN_PIPE, OUT_PIPE, BOTH_PIPE, TWO_IN, TWO_OUT, IN_THEN_OUT };

struct served {
    enum operation operation;
    int32_t n;
    NDR_ASYNC_PIPE pipe[2]; /* for either process */
    struct {                /* for the server's alone */
        PRPC_ASYNC_STATE async;
        RPC_BINDING_HANDLE handle;
        NDR_ASYNC_PIPE *pipe_at[2]; /* the runtime's structures */
        NDR_ASYNC_PIPE pipe[2];     /* copies                   */
        int32_t *twice;
        HANDLE event; /* of served_use_event() */
    } there;
    struct served *next;
};

/* Forks the server, which opens an endpoint and serves; a binding to it.  Nothing of the
 * library may have been used that begins threads. */
RPC_BINDING_HANDLE serve_here(void);
/* The same without another process. */
RPC_BINDING_HANDLE serve_in_this_process(void);
RPC_BINDING_HANDLE another_binding(void);

/* ping() runs this on its manager's thread, unless it is NULL; what it raises, ping() does. */
extern BOTH_SIDES void (*in_manager)(handle_t h);
/* How often ping() was executed with n, for n below PINGS_COUNTED. */
#define PINGS_COUNTED 65536
extern BOTH_SIDES atomic_uchar pings[PINGS_COUNTED];

/* hold() subscribes to a disconnect with this, and stays in the manager until
 * hold_release(). */
extern BOTH_SIDES RPC_ASYNC_NOTIFICATION_INFO hold_info;
extern BOTH_SIDES RPC_BINDING_HANDLE held_handle;
bool holding(void);
void hold_release(void);

/* The next call a manager was given.  Fails the test when none comes. */
struct served *accept_call(void);
/* The same; NULL: there is none now. */
struct served *accept_call_now(void);
/* Is there none? */
bool no_call(void);
void served_free(struct served *served);
void served_set_pipes(struct served *served); /* of a new one: the harness's */

/* The functions of rpcasync.h, on the server's state of the call. */
RPC_STATUS served_complete(struct served *served, const int32_t *reply);
RPC_STATUS served_abort(struct served *served, unsigned long code);
RPC_STATUS served_cancel(struct served *served, bool abortive);
RPC_STATUS served_status(struct served *served);
/* RpcServerTestCancel with what RpcAsyncGetCallHandle returns, or the manager was given. */
RPC_STATUS served_test_cancel(struct served *served);
RPC_STATUS served_test_cancel_by_handle(struct served *served);
/* The [out] parameter. */
void served_set_twice(struct served *served, int32_t twice);

/* From now on the server is told by a new event; what it is told, and whether. */
void served_use_event(struct served *served, unsigned flags);
void served_set_flags(struct served *served, unsigned flags);
DWORD served_wait(struct served *served, DWORD limit_ms);
RPC_ASYNC_EVENT served_event(struct served *served);

/* A process that serves and does nothing: calls are accepted and left alone. */
struct child {
    pid_t pid;
    int out; /* a socket: its standard input and output */
    char binding[128];
};
struct child spawn_server(void);
/* A process that makes one call to us and then sleeps: "pull" (out_pipe, one pull),
 * "push" (in_pipe, 1,000 octets), "plain", "no-read" (out_pipe, never pulls), "hold" (which is
 * synchronous). */
struct child spawn_client(const char *what);
/* Waits until it says it has done what it was asked. */
void child_ready(const struct child *child);
/* The next line it says, without the end of it. */
void child_line(const struct child *child, char *line, size_t len);
void child_kill(struct child *child, int signal);
/* It was waited for. */
void child_forget(struct child *child);
void child_stop(struct child *child);
RPC_BINDING_HANDLE bind_text(const char *text);

/* For main(): what those processes are, and the end of them all. */
void listen_now(void);
void listen_and_say_where(void);
__attribute__((noreturn)) void child_serve(void);
__attribute__((noreturn)) void child_client(const char *what, const char *binding);
void kill_children(void);

/* ---- Client ----------------------------------------------------------------- */

struct caller {
    RPC_ASYNC_STATE async;
    HANDLE event;
    NDR_ASYNC_PIPE pipe[2];
    int32_t twice;
};

/* A state told by event. */
void caller_init(struct caller *caller, unsigned flags);
void caller_fini(struct caller *caller);

/* Makes the call; what the stub raised. */
RPC_STATUS caller_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                       int32_t n);
/* The same, which must succeed, on a state made anew; and the server's side of it. */
struct served *start_call(struct caller *caller, RPC_BINDING_HANDLE h, enum operation operation,
                          unsigned flags);

/* The next notification is `event`, and comes at once. */
void expect_event_at(const char *file, int line, PRPC_ASYNC_STATE async, HANDLE handle,
                     RPC_ASYNC_EVENT event);
#define EXPECT(caller, kind)                                                                       \
    expect_event_at(__FILE__, __LINE__, &(caller)->async, (caller)->event, kind)
void served_event_at(const char *file, int line, struct served *served, RPC_ASYNC_EVENT event);
#define EXPECT_SERVED(served, kind) served_event_at(__FILE__, __LINE__, served, kind)
/* None comes, to a caller or a served. */
void expect_quiet_at(const char *file, int line, HANDLE handle);
void caller_quiet_at(const char *file, int line, struct caller *caller);
void served_quiet_at(const char *file, int line, struct served *served);
#define EXPECT_QUIET(side)                                                                         \
    _Generic((side), struct served *: served_quiet_at, struct caller *: caller_quiet_at)(          \
        __FILE__, __LINE__, side)

RPC_STATUS complete(struct caller *caller, int32_t *ret_reply);

/* ---- Pipes ------------------------------------------------------------------ */

#define PUSH(p, buf, n) ((p)->push((p)->state, (buf), (n)))
#define PULL(p, buf, size, ret) ((p)->pull((p)->state, (buf), (size), (ret)))

/* Octet `i` of the pattern. */
uint8_t octet(uint64_t i);
/* Pushes `count` octets of the pattern from `*position` on.  What failed, or OK. */
RPC_STATUS push_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count, size_t chunk);
/* Pulls exactly `count`, checks them; polls while pending. */
RPC_STATUS pull_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count);
/* For both of them: is it a pipe of the server's, and not this process's?  Then all of it is
 * done there; `chunk`: to push, 0: to pull. */
bool pipe_is_far(const NDR_ASYNC_PIPE *pipe);
RPC_STATUS far_pattern(NDR_ASYNC_PIPE *pipe, uint64_t *position, uint64_t count, size_t chunk);
/* The next pull says: end. */
void pull_end_at(const char *file, int line, NDR_ASYNC_PIPE *pipe);
#define PULL_END(pipe) pull_end_at(__FILE__, __LINE__, pipe)
/* RpcxPipeSetLimits, RpcxPipeInqStats; and the limits of all pipes to come, of both sides. */
RPC_STATUS pipe_set_limits(const NDR_ASYNC_PIPE *pipe, unsigned long high, unsigned long low);
RPC_STATUS pipe_inq_stats(const NDR_ASYNC_PIPE *pipe, RPCX_PIPE_STATS *stats);
void set_default_limits(unsigned long high, unsigned long low);
/* The status of a pull that is polled while pending. */
RPC_STATUS pull_polled(NDR_ASYNC_PIPE *pipe, void *buf, unsigned long size, unsigned long *count);

/* The connection, and the server, still work. */
void check_usable_at(const char *file, int line, RPC_BINDING_HANDLE h);
#define CHECK_USABLE(h) check_usable_at(__FILE__, __LINE__, h)

#endif
