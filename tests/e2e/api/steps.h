/* SPDX-License-Identifier: MIT */
/* steps.h - processes that take one step of a call at a time and say what they saw.
 *
 *   test  --(verb, argument)-->  process of the client, or of the server
 *         <--(status, value)---
 *
 * So a test decides in which order two processes act.  Octets of pipes are compared by
 * the processes themselves; one that finds something wrong ends the test. */
#ifndef API_STEPS_H
#define API_STEPS_H

#include "harness.h"

/* verb, argument                      status               value */
#define STEPS(X)                                                                                   \
    /* Client. */                                                                                  \
    X(CALL)          /* operation      what the stub raised                                  */    \
    X(CALL_QUIETLY)  /* operation      the same without RPC_C_NOTIFY_ON_SEND_COMPLETE        */    \
    X(CALL_POLLING)  /* operation      the same without any notification                     */    \
    X(CANCEL)        /* abortive?      RpcAsyncCancelCall                                    */    \
    X(STATUS)        /*                RpcAsyncGetCallStatus                                 */    \
    X(STATUS_AT_LAST) /*               the same, asked until it is not 997                   */    \
    X(PING)          /*                what a synchronous call raised                        */    \
    /* Server. */                                                                                  \
    X(LET_RAISE)     /* code           managers raise it from now on                         */    \
    X(ACCEPT)        /*                a manager has handed over a call                      */    \
    X(TELL_SENDS)    /*                writes the fields: by event, sends too                */    \
    X(TELL)          /*                writes the fields: by event                           */    \
    X(NO_FLAGS)      /*                clears Flags alone                                    */    \
    X(ABORT)         /* code           RpcAsyncAbortCall                                     */    \
    X(SEES_CANCEL)   /*                RpcServerTestCancel, asked until it says so           */    \
    /* Either. */                                                                                  \
    X(PUSH)          /* elements       push                                                  */    \
    X(PUSH_UNTIL_FULL) /*              push    until RpcSendComplete stays away              */    \
    X(NULL_PUSH)     /*                push                                                  */    \
    X(PULL)          /* elements       pull                 how many                         */    \
    X(DRAIN)         /* elements       the same, repeated until there were as many, or an end; */  \
                     /*                0 elements: until the end                             */    \
    X(PUSH_SECOND)   /* elements       the same on the second pipe                           */    \
    X(NULL_SECOND)   /*                                                                      */    \
    X(PULL_SECOND)   /* elements                                                             */    \
    X(DRAIN_SECOND)  /* elements                                                             */    \
    X(WAIT)          /*                how the call stands  the event, NO_EVENT              */    \
    X(SENDS)         /* most           0                    1: RpcSendComplete came     */    \
    X(QUIET)         /*                0                    NO_EVENT when none comes         */    \
    X(COMPLETE)      /*                RpcAsyncCompleteCall                                  */    \
    /* Not taken by a process. */                                                                  \
    X(CHOOSE)        /*                the program decides where to go on                    */    \
    X(SETTLE)        /*                the client's call ends, which it has not asked for    */    \
    X(DIE)           /*                                                                      */
enum verb {
#define X(name) STEP_##name,
    STEPS(X)
#undef X
};
extern const char *const verb_names[];

#define NO_EVENT (-1)
#define REPLY_OF_STEPS 4711 /* what servers answer, clients compare */

struct answer {
    RPC_STATUS status;
    long value;
};

/* A process for one side; the client's is told where the server is. */
struct child step_server(void);
struct child step_client(const struct child *server);
struct answer take_step(const struct child *child, enum verb verb, unsigned long argument);
/* Asks it to end; whatever it leaks fails the test where something looks for leaks. */
void step_end(struct child *child);

/* The whole program of such a process. */
__attribute__((noreturn)) void steps_main(RPC_BINDING_HANDLE h);

#endif
