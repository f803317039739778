/* SPDX-License-Identifier: MIT */
/* machine_walks.c - walks of [in] and of [out] pipes, and of several in one call. */
#include "machine_rows.h"

#define CODE 0x20005678

/* ---- [in] ------------------------------------------------------------------- */

static const struct row in_well[] = {
    C(CALL, CALL, IN_PIPE, OK, 0, WAIT_SEND),
    S(DISPATCH, ACCEPT, 0, OK, 0, PULL),
    S(PULL, TELL, 0, OK, 0, PULL), /* AP-17: late, by another thread than the manager's */
    C_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    S(PULL, PULL, 100, PENDING, 0, WAIT_RECV),
    C(PUSH, PUSH, 1000, OK, 0, WAIT_SEND),
    S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(PULL, PULL, 600, OK, 600, PULL),
    S(PULL, PULL, 600, OK, 400, PULL),
    S(PULL, PULL, 600, PENDING, 0, WAIT_RECV),
    C_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    C(PUSH, PUSH, 10, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(PULL, PULL, 600, OK, 10, PULL),
    S(PULL, PULL, 600, PENDING, 0, WAIT_RECV),
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_COMP),
    C_QUIET(WAIT_COMP), /* AP-15 */
    S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(PULL, PULL, 600, OK, 0, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END),
    C_ENDS(OK),
    S_QUIET(END),
};
static const struct row in_without_elements[] = {
    NO_INPUT(IN_PIPE, WAIT_COMP, COMP), S(COMP, COMPLETE, 0, OK, 0, END), C_ENDS(OK)};
/* The client pushes without waiting: its sends may be told together. */
static const struct row in_coalesced[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL),
    C(PUSH, PUSH, 30000, OK, 0, PUSH),
    C(PUSH, PUSH, 30000, OK, 0, PUSH),
    C(PUSH, PUSH, 30000, OK, 0, PUSH),
    C(PUSH, SENDS, 3, OK, 1, PUSH),
    C(PUSH, PUSH, 7, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_COMP),
    S(PULL, DRAIN, 90007, OK, 90007, PULL),
    S(PULL, DRAIN, 0, OK, 0, COMP), /* the end may come later than the rest */
    S(COMP, COMPLETE, 0, OK, 0, END),
    C_ENDS(OK),
};
static const struct row in_orders[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL),
    C(PUSH, PULL, 10, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    S(PULL, PUSH, 10, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    S(PULL, NULL_PUSH, 0, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(PUSH, STATUS, 0, PENDING, 0, PUSH),
    C(PUSH, PUSH, 10, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_COMP),
    C(WAIT_COMP, PUSH, 10, RPC_X_PIPE_CLOSED, 0, WAIT_COMP),
    C(WAIT_COMP, NULL_PUSH, 0, RPC_X_PIPE_CLOSED, 0, WAIT_COMP),
    C(WAIT_COMP, PULL, 10, RPC_X_WRONG_PIPE_ORDER, 0, WAIT_COMP),
    C(WAIT_COMP, COMPLETE, 0, PENDING, 0, WAIT_COMP),
    C_QUIET(WAIT_COMP),
    S(PULL, DRAIN, 10, OK, 10, PULL),
    S(PULL, DRAIN, 0, OK, 0, COMP),
    S(COMP, PULL, 10, RPC_X_PIPE_CLOSED, 0, COMP),
    S(COMP, PUSH, 10, RPC_X_WRONG_PIPE_ORDER, 0, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END),
    C_ENDS(OK),
};
/* The client gives up where it stands; the server takes notice. */
static const struct row in_given_up_pushing[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL), C(PUSH, PUSH, 10, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_SEND, RpcSendComplete, PUSH), C(PUSH, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS,
    S_SEES(PULL), S(PULL, PULL, 10, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row in_given_up_before_the_end[] = {
    STARTED_PUSHING(IN_PIPE, NULL_PUSH, PULL), C(NULL_PUSH, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS,
    S_SEES(PULL), S(PULL, PULL, 10, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row in_given_up_waiting[] = {
    NO_INPUT(IN_PIPE, WAIT_COMP, COMP), C(WAIT_COMP, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS,
    S_SEES(COMP), S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END)};
/* The server takes nothing: no notification comes, the client cancels. */
static const struct row in_full[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL), C(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    C(WAIT_SEND, QUIET, 0, OK, NO_EVENT, CANCEL), C_CANCELS};
/* A cancel the server need not obey (AR-13). */
static const struct row in_asked_to_stop[] = {
    NO_INPUT(IN_PIPE, WAIT_COMP, COMP), C(WAIT_COMP, CHOOSE, 0, OK, 0, CANCEL),
    C(CANCEL, CANCEL, FALSE, OK, 0, WAIT_COMP), S_SEES(COMP), C_QUIET(WAIT_COMP),
    S(COMP, COMPLETE, 0, OK, 0, END), C_ENDS(OK)};
static const struct row in_nobody_there[] = {
    S(DISPATCH, DIE, 0, OK, 0, DISPATCH),
    C(CALL, CALL, IN_PIPE, RPC_S_SERVER_UNAVAILABLE, 0, END),
    C_QUIET(END)};
static const struct row in_manager_raises[] = {
    S(DISPATCH, LET_RAISE, CODE, OK, 0, END), C(CALL, CALL_QUIETLY, IN_PIPE, OK, 0, WAIT_SEND),
    C_FAILED(WAIT_SEND, CODE), S(END, LET_RAISE, 0, OK, 0, END)};
static const struct row in_manager_aborts[] = {
    C(CALL, CALL, IN_PIPE, OK, 0, WAIT_SEND), C_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    C(PUSH, PUSH, 10, OK, 0, WAIT_SEND), C_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    S(DISPATCH, ACCEPT, 0, OK, 0, DISPATCH), S_GIVES_UP(DISPATCH, CODE),
    /* AR-28: the last notification is unread, so the push is what tells.  AP-18. */
    C(PUSH, SETTLE, 0, OK, 0, PUSH), C(PUSH, PUSH, 10, CODE, 0, END), C_QUIET(END),
    C(END, COMPLETE, 0, ANY_FAILURE, 0, END), C(END, PUSH, 10, CODE, 0, END)};
static const struct row in_failed_null_push[] = {
    STARTED_PUSHING(IN_PIPE, NULL_PUSH, DISPATCH), S_GIVES_UP(DISPATCH, CODE),
    C(NULL_PUSH, SETTLE, 0, OK, 0, NULL_PUSH), C(NULL_PUSH, NULL_PUSH, 0, CODE, 0, END),
    C_QUIET(END)};
static const struct row in_server_dies[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL), C(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    S(PULL, DIE, 0, OK, 0, PULL), C_FAILED(WAIT_SEND, RPC_S_CALL_FAILED)};
static const struct row in_server_dies_at_the_end[] = {
    NO_INPUT(IN_PIPE, WAIT_COMP, COMP), S(COMP, DIE, 0, OK, 0, COMP), C_ENDS(RPC_S_CALL_FAILED)};
static const struct row in_client_dies_under_pull[] = {
    STARTED_PUSHING(IN_PIPE, PUSH, PULL), S(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    C(PUSH, DIE, 0, OK, 0, PUSH),
    S(WAIT_RECV, WAIT, 0, RPC_S_CALL_CANCELLED, RpcReceiveComplete, ABORT),
    S(ABORT, ABORT, 1, OK, 0, END), S_QUIET(END)};

/* ---- [out] ------------------------------------------------------------------ */

static const struct row out_well[] = {
    STARTED(OUT_PIPE, PULL, PUSH),
    C_QUIET(PULL), /* no RpcSendComplete without [in] pipe: api.md 3.8 */
    C(PULL, PULL, 100, PENDING, 0, WAIT_RECV),
    S(PUSH, PUSH, 1000, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 600, OK, 600, PULL),
    C(PULL, PULL, 600, OK, 400, PULL),
    C(PULL, PULL, 600, PENDING, 0, WAIT_RECV),
    S_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    S(PUSH, PUSH, 10, OK, 0, WAIT_SEND),
    S_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 600, OK, 10, PULL),
    C(PULL, PULL, 600, PENDING, 0, WAIT_RECV),
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL),
    S_TOLD(WAIT_NULL, RpcSendComplete, COMP), /* AP-14 */
    S(COMP, COMPLETE, 0, OK, 0, END),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL), /* AP-35: before the other */
    C(PULL, PULL, 600, OK, 0, WAIT_COMP),
    C_ENDS(OK),
    S_QUIET(END),
};
#define NO_OUTPUT(from)                                                                            \
    S(from, NULL_PUSH, 0, OK, 0, WAIT_NULL), S_TOLD(WAIT_NULL, RpcSendComplete, COMP),             \
    S(COMP, COMPLETE, 0, OK, 0, END)
static const struct row out_without_elements[] = {
    STARTED(OUT_PIPE, PULL, NULL_PUSH), NO_OUTPUT(NULL_PUSH),
    C(PULL, SETTLE, 0, OK, 0, PULL), C(PULL, PULL, 100, OK, 0, WAIT_COMP), C_ENDS(OK)};
/* AP-36: everything is there, and told, before the first pull. */
static const struct row out_pulled_after_the_reply[] = {
    STARTED(OUT_PIPE, PULL, PUSH),
    S(PUSH, PUSH, 50000, OK, 0, WAIT_SEND), S_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    NO_OUTPUT(NULL_PUSH),
    C(PULL, WAIT, 0, OK, RpcCallComplete, PULL), C(PULL, STATUS, 0, OK, 0, PULL),
    C(PULL, PULL, 30000, OK, 30000, PULL), C(PULL, PULL, 30000, OK, 20000, PULL),
    C(PULL, PULL, 30000, OK, 0, WAIT_COMP), C_QUIET(WAIT_COMP), /* told before */
    C(WAIT_COMP, STATUS, 0, OK, 0, COMP), C(COMP, COMPLETE, 0, OK, 0, END)};
/* No notifications at all: the client asks until there is something (AP-32). */
static const struct row out_polled[] = {
    C(CALL, CALL_POLLING, OUT_PIPE, OK, 0, PULL), S(DISPATCH, ACCEPT, 0, OK, 0, PUSH),
    C(PULL, PULL, 10, PENDING, 0, PULL), C(PULL, PULL, 10, PENDING, 0, PULL),
    C_QUIET(PULL), S(PUSH, PUSH, 1000, OK, 0, PUSH), C(PULL, DRAIN, 1000, OK, 1000, PULL),
    C(PULL, PULL, 10, PENDING, 0, PULL), S(PUSH, NULL_PUSH, 0, OK, 0, PUSH),
    S(PUSH, COMPLETE, 0, OK, 0, PUSH), C(PULL, DRAIN, 0, OK, 0, WAIT_COMP), C_QUIET(WAIT_COMP),
    C(WAIT_COMP, STATUS, 0, OK, 0, COMP), C(COMP, COMPLETE, 0, OK, 0, END)};
static const struct row out_coalesced[] = {
    STARTED(OUT_PIPE, PULL, PUSH),
    S(PUSH, PUSH, 30000, OK, 0, PUSH), S(PUSH, PUSH, 30000, OK, 0, PUSH),
    S(PUSH, PUSH, 30000, OK, 0, PUSH), C(PULL, DRAIN, 90000, OK, 90000, PULL),
    S(PUSH, WAIT, 0, OK, RpcSendComplete, PUSH), S_QUIET(PUSH),
    S(PUSH, NO_FLAGS, 0, OK, 0, PUSH), /* the documentation's example: the end is not told */
    S(PUSH, NULL_PUSH, 0, OK, 0, PUSH), S_QUIET(PUSH),
    S(PUSH, COMPLETE, 0, OK, 0, PUSH), C(PULL, DRAIN, 0, OK, 0, PULL)};
static const struct row out_orders[] = {
    STARTED(OUT_PIPE, PULL, PUSH),
    C(PULL, PUSH, 10, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(PULL, NULL_PUSH, 0, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    S(PUSH, PULL, 10, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    C(PULL, PULL, 0, RPC_S_INVALID_ARG, 0, PULL),
    C(PULL, COMPLETE, 0, PENDING, 0, PULL),
    S(PUSH, PUSH, 10, OK, 0, WAIT_SEND), S_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    C(PULL, DRAIN, 10, OK, 10, PULL),
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL), S_TOLD(WAIT_NULL, RpcSendComplete, COMP),
    S(COMP, PUSH, 10, RPC_X_PIPE_CLOSED, 0, COMP),
    S(COMP, NULL_PUSH, 0, RPC_X_PIPE_CLOSED, 0, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END), C(PULL, DRAIN, 0, OK, 0, WAIT_COMP),
    C(WAIT_COMP, PULL, 10, RPC_X_PIPE_CLOSED, 0, WAIT_COMP)};
/* AP-54, F10: completed with an unfinished pipe; the client is not left alone. */
static const struct row out_unfinished[] = {
    STARTED(OUT_PIPE, PULL, PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S(PUSH, COMPLETE, 0, RPC_X_PIPE_DISCIPLINE_ERROR, 0, PUSH),
    C_FAILED(WAIT_RECV, RPC_X_PIPE_DISCIPLINE_ERROR)};
static const struct row out_given_up_pulling[] = {
    STARTED(OUT_PIPE, PULL, PUSH), C(PULL, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS, S_SEES(PUSH),
    S(PUSH, PUSH, 10, ANY_FAILURE, 0, END), S_QUIET(END),
    S(END, COMPLETE, 0, ANY_FAILURE, 0, END)}; /* AP-18: filerep's server does that */
static const struct row out_given_up_waiting[] = {
    STARTED(OUT_PIPE, PULL, NULL_PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    C(WAIT_RECV, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS, S_SEES(NULL_PUSH),
    S(NULL_PUSH, NULL_PUSH, 0, ANY_FAILURE, 0, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row out_given_up_at_the_end[] = {
    STARTED(OUT_PIPE, PULL, NULL_PUSH), NO_OUTPUT(NULL_PUSH), C(PULL, DRAIN, 0, OK, 0, WAIT_COMP),
    C(WAIT_COMP, CHOOSE, 0, OK, 0, CANCEL), C(CANCEL, CANCEL, TRUE, OK, 0, WAIT_COMP),
    C_ENDS(OK)}; /* AR-14: too late, no effect */
static const struct row out_nobody_there[] = {
    S(DISPATCH, DIE, 0, OK, 0, DISPATCH),
    C(CALL, CALL, OUT_PIPE, RPC_S_SERVER_UNAVAILABLE, 0, END), C_QUIET(END)};
static const struct row out_manager_raises[] = {
    S(DISPATCH, LET_RAISE, CODE, OK, 0, END), C(CALL, CALL, OUT_PIPE, OK, 0, PULL),
    C(PULL, WAIT, 0, CODE, RpcCallComplete, PULL), C(PULL, PULL, 10, CODE, 0, END), /* AP-41 */
    C(END, COMPLETE, 0, ANY_FAILURE, 0, END), S(END, LET_RAISE, 0, OK, 0, END)};
/* AR-28, AP-37: RpcReceiveComplete is unread, the pull is what tells of the failure. */
static const struct row out_server_aborts[] = {
    STARTED(OUT_PIPE, PULL, PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S(PUSH, PUSH, 50, OK, 0, WAIT_SEND), C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(WAIT_SEND, WAIT, 0, OK, RpcSendComplete, WAIT_SEND),
    S(WAIT_SEND, QUIET, 0, OK, NO_EVENT, ABORT), S(ABORT, ABORT, CODE, OK, 0, END),
    C(PULL, SETTLE, 0, OK, 0, PULL), C(PULL, PULL, 10, CODE, 0, END), C_QUIET(END),
    C(END, PULL, 10, CODE, 0, END)};
static const struct row out_manager_aborts[] = {
    STARTED(OUT_PIPE, PULL, DISPATCH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S_GIVES_UP(DISPATCH, CODE), C_FAILED(WAIT_RECV, CODE)};
static const struct row out_server_dies[] = {
    STARTED(OUT_PIPE, PULL, PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S(PUSH, DIE, 0, OK, 0, PUSH), C_FAILED(WAIT_RECV, RPC_S_CALL_FAILED)};
/* AP-19: an accepted push that failed is told as RpcSendComplete. */
static const struct row out_client_dies_under_push[] = {
    STARTED(OUT_PIPE, PULL, PUSH), S(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    C(PULL, DIE, 0, OK, 0, PULL),
    S(WAIT_SEND, WAIT, 0, RPC_S_CALL_CANCELLED, RpcSendComplete, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row out_client_dies_under_null_push[] = {
    STARTED(OUT_PIPE, PULL, NULL_PUSH), S(NULL_PUSH, PUSH_UNTIL_FULL, 0, OK, 0, NULL_PUSH),
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL), S_QUIET(WAIT_NULL),
    C(PULL, DIE, 0, OK, 0, PULL),
    S(WAIT_NULL, WAIT, 0, RPC_S_CALL_CANCELLED, RpcSendComplete, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END), S_QUIET(END)};

/* ---- Several pipes in a call: AP-52, from left to right ------------------------ */

static const struct row two_in[] = {
    C(CALL, CALL, TWO_IN, OK, 0, PUSH), C(PUSH, PUSH_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    C(PUSH, PUSH, 1000, OK, 0, PUSH), S(DISPATCH, ACCEPT, 0, OK, 0, PULL),
    S(PULL, PULL_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(PUSH, NULL_PUSH, 0, OK, 0, PUSH), C(PUSH, PUSH, 5, RPC_X_PIPE_CLOSED, 0, PUSH),
    C(PUSH, PUSH_SECOND, 50, OK, 0, PUSH), S(PULL, DRAIN, 1000, OK, 1000, PULL),
    S(PULL, PULL_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PULL), /* not at its end yet */
    S(PULL, DRAIN, 0, OK, 0, PULL), S(PULL, DRAIN_SECOND, 50, OK, 50, PULL),
    S(PULL, PULL_SECOND, 5, PENDING, 0, PULL), C(PUSH, NULL_SECOND, 0, OK, 0, WAIT_COMP),
    S(PULL, DRAIN_SECOND, 0, OK, 0, COMP), S(COMP, COMPLETE, 0, OK, 0, END), C_TAKES(OK)};
static const struct row two_out[] = {
    C(CALL, CALL, TWO_OUT, OK, 0, PULL), S(DISPATCH, ACCEPT, 0, OK, 0, PUSH),
    S(PUSH, PUSH_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    C(PULL, PULL_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    S(PUSH, NULL_PUSH, 0, OK, 0, PUSH), /* the first without elements */
    S(PUSH, PUSH_SECOND, 50, OK, 0, PUSH), C(PULL, DRAIN, 0, OK, 0, PULL),
    C(PULL, DRAIN_SECOND, 50, OK, 50, PULL),
    S(PUSH, COMPLETE, 0, RPC_X_PIPE_DISCIPLINE_ERROR, 0, END),
    C(PULL, DRAIN_SECOND, 0, RPC_X_PIPE_DISCIPLINE_ERROR, 0, END)};
static const struct row in_then_out[] = {
    C(CALL, CALL, IN_THEN_OUT, OK, 0, PUSH),
    C(PUSH, PULL_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    C(PUSH, PUSH, 1000, OK, 0, PUSH), S(DISPATCH, ACCEPT, 0, OK, 0, PULL),
    S(PULL, PUSH_SECOND, 5, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(PUSH, NULL_PUSH, 0, OK, 0, PULL), S(PULL, DRAIN, 1000, OK, 1000, PULL),
    S(PULL, NULL_SECOND, 0, RPC_X_WRONG_PIPE_ORDER, 0, PULL), S(PULL, DRAIN, 0, OK, 0, PUSH),
    S(PUSH, PUSH_SECOND, 50, OK, 0, PUSH), S(PUSH, NULL_SECOND, 0, OK, 0, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END), C(PULL, DRAIN_SECOND, 50, OK, 50, PULL),
    C(PULL, DRAIN_SECOND, 0, OK, 0, WAIT_COMP), C_TAKES(OK)};

const struct walk walks[] = {
    WALK("AP-12_AP-15_AP-17_AP-30_walk_in_well", INPUT, in_well),
    WALK("AP-11_F11_walk_in_without_elements", INPUT, in_without_elements),
    WALK("AP-12_AP-16_walk_in_coalesced", INPUT, in_coalesced),
    WALK("AP-22_AP-60_F9_walk_in_orders", INPUT, in_orders),
    WALK("F7_walk_in_given_up_pushing", INPUT, in_given_up_pushing),
    WALK("F7_walk_in_given_up_before_the_end", INPUT, in_given_up_before_the_end),
    WALK("F7_walk_in_given_up_waiting", INPUT, in_given_up_waiting),
    WALK("F7_walk_in_full", INPUT, in_full),
    WALK("AR-13_walk_in_asked_to_stop", INPUT, in_asked_to_stop),
    WALK("F1_walk_in_nobody_there", INPUT, in_nobody_there),
    WALK("AR-17_walk_in_manager_raises", INPUT, in_manager_raises),
    WALK("AP-18_AP-55_walk_in_manager_aborts", INPUT, in_manager_aborts),
    WALK("AP-18_walk_in_failed_null_push", INPUT, in_failed_null_push),
    WALK("F2_walk_in_server_dies", INPUT, in_server_dies),
    WALK("F2_walk_in_server_dies_at_the_end", INPUT, in_server_dies_at_the_end),
    WALK("F5_AP-42_walk_in_client_dies_under_pull", INPUT, in_client_dies_under_pull),
    WALK("AP-14_AP-33_AP-35_walk_out_well", OUTPUT, out_well),
    WALK("F11_walk_out_without_elements", OUTPUT, out_without_elements),
    WALK("AP-36_walk_out_pulled_after_the_reply", OUTPUT, out_pulled_after_the_reply),
    WALK("AP-32_walk_out_polled", OUTPUT, out_polled),
    WALK("AP-12_AP-17_walk_out_coalesced", OUTPUT, out_coalesced),
    WALK("AP-22_AP-60_F9_walk_out_orders", OUTPUT, out_orders),
    WALK("AP-54_F10_walk_out_unfinished", OUTPUT, out_unfinished),
    WALK("F7_AP-18_walk_out_given_up_pulling", OUTPUT, out_given_up_pulling),
    WALK("F7_AP-43_walk_out_given_up_waiting", OUTPUT, out_given_up_waiting),
    WALK("AR-14_walk_out_given_up_at_the_end", OUTPUT, out_given_up_at_the_end),
    WALK("F1_walk_out_nobody_there", OUTPUT, out_nobody_there),
    WALK("AR-17_AP-41_walk_out_manager_raises", OUTPUT, out_manager_raises),
    WALK("F6_AP-37_walk_out_server_aborts", OUTPUT, out_server_aborts),
    WALK("F6_walk_out_manager_aborts", OUTPUT, out_manager_aborts),
    WALK("F3_walk_out_server_dies", OUTPUT, out_server_dies),
    WALK("F4_AP-19_walk_out_client_dies_under_push", OUTPUT, out_client_dies_under_push),
    WALK("F4_AP-19_walk_out_client_dies_under_null_push", OUTPUT, out_client_dies_under_null_push),
    WALK("AP-52_walk_two_in", SEVERAL, two_in),
    WALK("AP-52_AP-54_walk_two_out", SEVERAL, two_out),
    WALK("AP-51_AP-52_walk_in_then_out", SEVERAL, in_then_out),
};
const unsigned walk_count = sizeof(walks) / sizeof(walks[0]);
