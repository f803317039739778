/* SPDX-License-Identifier: MIT */
/* machine.h - the published state machines of asynchronous pipes (the documentation's
 * page "asynchronous pipe states"), and walks along them.
 *
 * A walk is an order of steps of two processes.  Each step leads its side from one
 * state to the next; what it sees there decides which transition that is. */
#ifndef API_MACHINE_H
#define API_MACHINE_H

#include "steps.h"

enum side { CLIENT, SERVER };
enum flow { FLOW_INPUT, FLOW_OUTPUT, FLOW_BOTH, FLOW_SEVERAL /* nothing is published of it */ };

#define STATES(X)                                                                                  \
    X(CALL)      /* C: the client is about to call        */                                       \
    X(DISPATCH)  /* D: the manager is about to be called  */                                       \
    X(PUSH)      /* P: about to push                      */                                       \
    X(WAIT_SEND) /* WS, WP: for RpcSendComplete           */                                       \
    X(NULL_PUSH) /* NP: about to make the null push       */                                       \
    X(WAIT_NULL) /* WNP: the server, for it to be sent    */                                       \
    X(PULL)      /* P, PL: about to pull                  */                                       \
    X(WAIT_RECV) /* WP: for RpcReceiveComplete            */                                       \
    X(WAIT_COMP) /* WComp: the client, for RpcCallComplete*/                                       \
    X(COMP)      /* Comp: about to complete               */                                       \
    X(CANCEL)    /* Can: the client, about to cancel      */                                       \
    X(ABORT)     /* A: the server, about to abort         */                                       \
    X(END)
enum state {
#define X(name) AT_##name,
    STATES(X)
#undef X
    STATE_COUNT
};

/* What makes a transition. */
#define OUTCOMES(X)                                                                                \
    X(DONE)     /* it worked                                   */                                  \
    X(FAILED)   /* it answered an error: the call is gone      */                                  \
    X(RAISED)   /* the stub, or the manager, raised            */                                  \
    X(DATA)     /* a pull: elements                            */                                  \
    X(ZERO)     /* a pull: the end of the pipe                 */                                  \
    X(PENDING)  /* a pull: 997                                 */                                  \
    X(TOLD)     /* the notification that was waited for        */                                  \
    X(FAILURE)  /* a notification of a failure                 */                                  \
    X(NOTHING)  /* no notification comes                       */                                  \
    X(CHOSEN)   /* the program decided so                      */
enum outcome {
#define X(name) SAW_##name,
    OUTCOMES(X)
#undef X
};

struct transition {
    enum flow flow;
    enum side side;
    enum state from;
    enum outcome outcome;
    enum state to;
};
extern const struct transition published[];
extern const unsigned published_count;

/* An error, whichever; not RPC_S_ASYNC_CALL_PENDING. */
#define ANY_FAILURE (-2)

struct row {
    enum side side;
    enum state from;
    enum verb verb;
    unsigned long argument;
    RPC_STATUS status; /* what it must answer */
    long value;
    enum state to;
};

struct walk {
    const char *name; /* begins with the numbers it proves; a case of its own */
    enum flow flow;
    const struct row *rows;
    unsigned count;
};
extern const struct walk walks[], walks_both[];
extern const unsigned walk_count, walks_both_count;

/* Walk `i` of all; NULL: that was the last one. */
const struct walk *walk_at(unsigned i);
/* The case of that name. */
void walk_run(const char *name);

/* step_client(), by a process whose calls are seen to end. */
struct child traced_client(const struct child *server);
/* Waits until so many of its calls have ended, whether or not the program knows. */
void wait_for_ends(unsigned count);

#endif
