/* SPDX-License-Identifier: MIT */
/* machine_rows.h - how rows of walks are written down: C(...) is a step of the client,
 * S(...) one of the server; the rest are steps that come often. */
#ifndef API_MACHINE_ROWS_H
#define API_MACHINE_ROWS_H

#include "machine.h"

#define C(from, verb, argument, status, value, to)                                                 \
    {CLIENT, AT_##from, STEP_##verb, argument, status, value, AT_##to}
#define S(from, verb, argument, status, value, to)                                                 \
    {SERVER, AT_##from, STEP_##verb, argument, status, value, AT_##to}
#define OK RPC_S_OK
#define PENDING RPC_S_ASYNC_CALL_PENDING

/* Nothing is told, nothing changes. */
#define C_QUIET(at) C(at, QUIET, 0, OK, NO_EVENT, at)
#define S_QUIET(at) S(at, QUIET, 0, OK, NO_EVENT, at)
#define C_TOLD(from, event, to) C(from, WAIT, 0, OK, event, to)
#define S_TOLD(from, event, to) S(from, WAIT, 0, OK, event, to)

/* The call starts and the server's thread that will work on it writes its fields. */
#define STARTED(operation, client, server)                                                         \
    C(CALL, CALL, operation, OK, 0, client), S(DISPATCH, ACCEPT, 0, OK, 0, server),                \
    S(server, TELL_SENDS, 0, OK, 0, server)
/* The same of a call that pushes, told of its request. */
#define STARTED_PUSHING(operation, client, server)                                                 \
    STARTED(operation, WAIT_SEND, server), C_TOLD(WAIT_SEND, RpcSendComplete, client)

/* A call whose [in] pipe has no elements, up to its end on both sides. */
#define NO_INPUT(operation, client, server)                                                        \
    STARTED_PUSHING(operation, NULL_PUSH, PULL), S(PULL, PULL, 100, PENDING, 0, WAIT_RECV),        \
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, client), S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),        \
    S(PULL, PULL, 100, OK, 0, server)

/* The client waits for the end and completes. */
#define C_ENDS(status)                                                                             \
    C(WAIT_COMP, WAIT, 0, status, RpcCallComplete, COMP), C_QUIET(COMP),                           \
    C(COMP, COMPLETE, 0, status, 0, END), C_QUIET(END)
/* The same without a look at what has been told before. */
#define C_TAKES(status)                                                                            \
    C(WAIT_COMP, STATUS_AT_LAST, 0, status, 0, COMP), C(COMP, COMPLETE, 0, status, 0, END)
/* The client has decided to give up. */
#define C_CANCELS                                                                                  \
    C(CANCEL, CANCEL, TRUE, OK, 0, WAIT_COMP), C_ENDS(RPC_S_CALL_CANCELLED)
/* A failure was told: the client completes at once. */
#define C_FAILED(from, status)                                                                     \
    C(from, WAIT, 0, status, RpcCallComplete, COMP), C(COMP, COMPLETE, 0, status, 0, END),         \
    C_QUIET(END)
/* The server cannot go on with a call it has not failed in. */
#define S_GIVES_UP(from, code)                                                                     \
    S(from, CHOOSE, 0, OK, 0, ABORT), S(ABORT, ABORT, code, OK, 0, END)
/* The server finds out that its client is gone. */
#define S_SEES(at) S(at, SEES_CANCEL, 0, OK, 0, at)

#define WALK(name, flow, rows) {name, FLOW_##flow, rows, sizeof(rows) / sizeof(rows[0])}

#endif
