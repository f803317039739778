/* SPDX-License-Identifier: MIT */
/* machine_published.c - every transition the documentation draws for [in], [out] and
 * [in, out] pipes, and where we decided (docs/conformance.md) what it leaves open. */
#include "machine.h"

#define T(flow, side, from, outcome, to)                                                           \
    {FLOW_##flow, side, AT_##from, SAW_##outcome, AT_##to}

/* The client's half of a call that pushes.  The application may give up in any state
 * in which it waits or is about to act; a cancel ends as any other failure. */
#define CLIENT_CALLS(flow, first)                                                                  \
    T(flow, CLIENT, CALL, DONE, first), T(flow, CLIENT, CALL, RAISED, END)
#define CLIENT_PUSHES(flow, after)                                                                 \
    CLIENT_CALLS(flow, WAIT_SEND),                                                                 \
    T(flow, CLIENT, WAIT_SEND, TOLD, PUSH), /* more to send      */                                \
    T(flow, CLIENT, WAIT_SEND, TOLD, NULL_PUSH), /* nothing more      */                                \
    T(flow, CLIENT, WAIT_SEND, FAILURE, COMP),                                                     \
    T(flow, CLIENT, WAIT_SEND, NOTHING, CANCEL),                                                   \
    T(flow, CLIENT, PUSH, DONE, WAIT_SEND), T(flow, CLIENT, PUSH, FAILED, END),                    \
    T(flow, CLIENT, PUSH, CHOSEN, CANCEL),                                                         \
    T(flow, CLIENT, NULL_PUSH, DONE, after), T(flow, CLIENT, NULL_PUSH, FAILED, END),                        \
    T(flow, CLIENT, NULL_PUSH, CHOSEN, CANCEL)
#define CLIENT_PULLS(flow)                                                                         \
    T(flow, CLIENT, PULL, DATA, PULL), T(flow, CLIENT, PULL, ZERO, WAIT_COMP),                     \
    T(flow, CLIENT, PULL, PENDING, WAIT_RECV), T(flow, CLIENT, PULL, FAILED, END),                 \
    T(flow, CLIENT, PULL, CHOSEN, CANCEL),                                                         \
    T(flow, CLIENT, WAIT_RECV, TOLD, PULL),                                                        \
    /* The page: a failure RpcReceiveComplete, then a cancel.  Ours: RpcCallComplete. */           \
    T(flow, CLIENT, WAIT_RECV, FAILURE, COMP),                                                     \
    T(flow, CLIENT, WAIT_RECV, CHOSEN, CANCEL)
#define CLIENT_COMPLETES(flow)                                                                     \
    T(flow, CLIENT, CANCEL, DONE, WAIT_COMP), T(flow, CLIENT, WAIT_COMP, TOLD, COMP),              \
    T(flow, CLIENT, WAIT_COMP, FAILURE, COMP), T(flow, CLIENT, WAIT_COMP, CHOSEN, CANCEL),         \
    T(flow, CLIENT, COMP, DONE, END), T(flow, CLIENT, COMP, FAILED, END)

#define SERVER_STARTS(flow, first)                                                                 \
    T(flow, SERVER, DISPATCH, DONE, first), T(flow, SERVER, DISPATCH, RAISED, END),                \
    T(flow, SERVER, DISPATCH, CHOSEN, ABORT)
/* Drawn nowhere: a pipe without elements. */
#define SERVER_PUSHES_NOTHING(flow, from, outcome) T(flow, SERVER, from, outcome, NULL_PUSH)
#define SERVER_PULLS(flow, after)                                                                  \
    T(flow, SERVER, PULL, DATA, PULL), T(flow, SERVER, PULL, ZERO, after),                         \
    T(flow, SERVER, PULL, PENDING, WAIT_RECV), T(flow, SERVER, PULL, FAILED, END),                 \
    T(flow, SERVER, WAIT_RECV, TOLD, PULL), T(flow, SERVER, WAIT_RECV, FAILURE, ABORT)
#define SERVER_PUSHES(flow)                                                                        \
    T(flow, SERVER, PUSH, DONE, WAIT_SEND), T(flow, SERVER, PUSH, FAILED, END),                    \
    T(flow, SERVER, WAIT_SEND, TOLD, PUSH), T(flow, SERVER, WAIT_SEND, TOLD, NULL_PUSH),                \
    T(flow, SERVER, WAIT_SEND, FAILURE, COMP), T(flow, SERVER, WAIT_SEND, NOTHING, ABORT),         \
    T(flow, SERVER, NULL_PUSH, DONE, WAIT_NULL), T(flow, SERVER, NULL_PUSH, FAILED, COMP),                   \
    T(flow, SERVER, WAIT_NULL, TOLD, COMP), T(flow, SERVER, WAIT_NULL, FAILURE, COMP)
/* What is completed after a failure answers one: nothing is left to do (AR-19). */
#define SERVER_ENDS(flow)                                                                          \
    T(flow, SERVER, COMP, DONE, END), T(flow, SERVER, COMP, FAILED, END),                          \
    T(flow, SERVER, ABORT, DONE, END)

const struct transition published[] = {
    CLIENT_PUSHES(INPUT, WAIT_COMP),
    CLIENT_COMPLETES(INPUT),
    SERVER_STARTS(INPUT, PULL),
    SERVER_PULLS(INPUT, COMP),
    SERVER_ENDS(INPUT),

    CLIENT_CALLS(OUTPUT, PULL),
    CLIENT_PULLS(OUTPUT),
    CLIENT_COMPLETES(OUTPUT),
    SERVER_STARTS(OUTPUT, PUSH),
    SERVER_PUSHES_NOTHING(OUTPUT, DISPATCH, DONE),
    SERVER_PUSHES(OUTPUT),
    SERVER_ENDS(OUTPUT),

    CLIENT_PUSHES(BOTH, PULL),
    CLIENT_PULLS(BOTH),
    CLIENT_COMPLETES(BOTH),
    SERVER_STARTS(BOTH, PULL),
    SERVER_PULLS(BOTH, PUSH),
    SERVER_PUSHES_NOTHING(BOTH, PULL, ZERO),
    SERVER_PUSHES(BOTH),
    SERVER_ENDS(BOTH),
};
const unsigned published_count = sizeof(published) / sizeof(published[0]);
