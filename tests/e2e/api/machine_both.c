/* SPDX-License-Identifier: MIT */
/* machine_both.c - walks of [in, out] pipes: first the one direction, then the other. */
#include "machine_rows.h"

#define CODE 0x20009999

static const struct row both_well[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL),
    S(PULL, PULL, 100, PENDING, 0, WAIT_RECV),
    C(PUSH, PUSH, 1000, OK, 0, WAIT_SEND),
    S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(PULL, PULL, 2000, OK, 1000, PULL),
    C_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    S(PULL, PULL, 100, PENDING, 0, WAIT_RECV),
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, PULL),
    C_QUIET(PULL), /* AP-15: not told, only RpcReceiveComplete may come now */
    C(PULL, PULL, 100, PENDING, 0, WAIT_RECV),
    S_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(PULL, PULL, 100, OK, 0, PUSH),
    S(PUSH, PUSH, 2000, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 1500, OK, 1500, PULL),
    C(PULL, PULL, 1500, OK, 500, PULL),
    C(PULL, PULL, 1500, PENDING, 0, WAIT_RECV),
    S_TOLD(WAIT_SEND, RpcSendComplete, PUSH),
    S(PUSH, PUSH, 1, OK, 0, WAIT_SEND),
    S_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 1500, OK, 1, PULL),
    C(PULL, PULL, 1500, PENDING, 0, WAIT_RECV),
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL),
    S_TOLD(WAIT_NULL, RpcSendComplete, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END),
    C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 1500, OK, 0, WAIT_COMP),
    C_ENDS(OK),
    S_QUIET(END),
};
#define NO_OUTPUT                                                                                  \
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL), S_TOLD(WAIT_NULL, RpcSendComplete, COMP)
static const struct row both_without_elements[] = {
    NO_INPUT(BOTH_PIPE, PULL, NULL_PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV), NO_OUTPUT,
    S(COMP, COMPLETE, 0, OK, 0, END), C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    C(PULL, PULL, 10, OK, 0, WAIT_COMP), C_ENDS(OK)};
static const struct row both_orders[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL),
    C(PUSH, PULL, 10, RPC_X_WRONG_PIPE_ORDER, 0, PUSH),
    S(PULL, PUSH, 10, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(PUSH, PUSH, 10, OK, 0, WAIT_SEND),
    C_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    S(PULL, DRAIN, 10, OK, 10, PULL),
    S(PULL, PUSH, 10, RPC_X_WRONG_PIPE_ORDER, 0, PULL), /* not at its end yet */
    S(PULL, NULL_PUSH, 0, RPC_X_WRONG_PIPE_ORDER, 0, PULL),
    C(NULL_PUSH, NULL_PUSH, 0, OK, 0, PULL),
    C(PULL, PUSH, 10, RPC_X_PIPE_CLOSED, 0, PULL),
    C(PULL, NULL_PUSH, 0, RPC_X_PIPE_CLOSED, 0, PULL),
    S(PULL, DRAIN, 0, OK, 0, PUSH),
    S(PUSH, PULL, 10, RPC_X_PIPE_CLOSED, 0, PUSH),
    S(PUSH, TELL_SENDS, 0, OK, 0, PUSH),
    S(PUSH, PUSH, 5, OK, 0, WAIT_SEND),
    S_TOLD(WAIT_SEND, RpcSendComplete, NULL_PUSH),
    S(NULL_PUSH, PULL, 10, RPC_X_PIPE_CLOSED, 0, NULL_PUSH),
    NO_OUTPUT,
    S(COMP, PUSH, 10, RPC_X_PIPE_CLOSED, 0, COMP),
    S(COMP, COMPLETE, 0, OK, 0, END),
    C(PULL, DRAIN, 5, OK, 5, PULL),
    C(PULL, DRAIN, 0, OK, 0, WAIT_COMP),
    C(WAIT_COMP, PULL, 10, RPC_X_PIPE_CLOSED, 0, WAIT_COMP),
    C(WAIT_COMP, PUSH, 10, RPC_X_PIPE_CLOSED, 0, WAIT_COMP),
    C_TAKES(OK),
};
/* AP-56: the client completes before it has ended its pipe; the call is gone. */
static const struct row both_completed_early[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL),
    C(PUSH, COMPLETE, 0, RPC_X_PIPE_DISCIPLINE_ERROR, 0, PUSH), C_QUIET(PUSH),
    C(PUSH, PUSH, 10, ANY_FAILURE, 0, END), C(END, COMPLETE, 0, ANY_FAILURE, 0, END),
    S_SEES(PULL), S(PULL, PULL, 10, ANY_FAILURE, 0, END)};

/* ---- The client gives up ---------------------------------------------------- */

static const struct row both_given_up_pushing[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL), C(PUSH, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS,
    S_SEES(PULL), S(PULL, PULL, 10, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row both_given_up_before_the_end[] = {
    STARTED_PUSHING(BOTH_PIPE, NULL_PUSH, PULL), C(NULL_PUSH, CHOOSE, 0, OK, 0, CANCEL),
    C_CANCELS};
static const struct row both_full[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL), C(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    C(WAIT_SEND, QUIET, 0, OK, NO_EVENT, CANCEL), C_CANCELS};
static const struct row both_given_up_pulling[] = {
    NO_INPUT(BOTH_PIPE, PULL, PUSH), C(PULL, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS, S_SEES(PUSH),
    S(PUSH, PUSH, 10, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row both_given_up_waiting[] = {
    NO_INPUT(BOTH_PIPE, PULL, NULL_PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    C(WAIT_RECV, CHOOSE, 0, OK, 0, CANCEL), C_CANCELS, S_SEES(NULL_PUSH),
    S(NULL_PUSH, NULL_PUSH, 0, ANY_FAILURE, 0, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END)};
static const struct row both_given_up_at_the_end[] = {
    NO_INPUT(BOTH_PIPE, PULL, NULL_PUSH), NO_OUTPUT, S(COMP, COMPLETE, 0, OK, 0, END),
    C(PULL, DRAIN, 0, OK, 0, WAIT_COMP), C(WAIT_COMP, CHOOSE, 0, OK, 0, CANCEL),
    C(CANCEL, CANCEL, TRUE, OK, 0, WAIT_COMP), C_TAKES(OK)};

/* ---- Failures --------------------------------------------------------------- */

static const struct row both_nobody_there[] = {
    S(DISPATCH, DIE, 0, OK, 0, DISPATCH),
    C(CALL, CALL, BOTH_PIPE, RPC_S_SERVER_UNAVAILABLE, 0, END), C_QUIET(END)};
static const struct row both_manager_raises[] = {
    S(DISPATCH, LET_RAISE, CODE, OK, 0, END), C(CALL, CALL_QUIETLY, BOTH_PIPE, OK, 0, WAIT_SEND),
    C_FAILED(WAIT_SEND, CODE), S(END, LET_RAISE, 0, OK, 0, END)};
static const struct row both_manager_aborts[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, DISPATCH), S_GIVES_UP(DISPATCH, CODE),
    C(PUSH, SETTLE, 0, OK, 0, PUSH), C(PUSH, PUSH, 10, CODE, 0, END), C_QUIET(END)};
static const struct row both_failed_null_push[] = {
    STARTED_PUSHING(BOTH_PIPE, NULL_PUSH, DISPATCH), S_GIVES_UP(DISPATCH, CODE),
    C(NULL_PUSH, SETTLE, 0, OK, 0, NULL_PUSH), C(NULL_PUSH, NULL_PUSH, 0, CODE, 0, END),
    C_QUIET(END)};
static const struct row both_server_gives_up[] = {
    NO_INPUT(BOTH_PIPE, PULL, PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S(PUSH, PUSH, 50, OK, 0, WAIT_SEND), C_TOLD(WAIT_RECV, RpcReceiveComplete, PULL),
    S(WAIT_SEND, WAIT, 0, OK, RpcSendComplete, WAIT_SEND),
    S(WAIT_SEND, QUIET, 0, OK, NO_EVENT, ABORT), S(ABORT, ABORT, CODE, OK, 0, END),
    C(PULL, SETTLE, 0, OK, 0, PULL), C(PULL, PULL, 10, CODE, 0, END), C_QUIET(END)};
static const struct row both_server_dies_under_pull[] = {
    NO_INPUT(BOTH_PIPE, PULL, PUSH), C(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    S(PUSH, DIE, 0, OK, 0, PUSH), C_FAILED(WAIT_RECV, RPC_S_CALL_FAILED)};
static const struct row both_server_dies_under_push[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL), C(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    S(PULL, DIE, 0, OK, 0, PULL), C_FAILED(WAIT_SEND, RPC_S_CALL_FAILED)};
static const struct row both_client_dies_under_pull[] = {
    STARTED_PUSHING(BOTH_PIPE, PUSH, PULL), S(PULL, PULL, 10, PENDING, 0, WAIT_RECV),
    C(PUSH, DIE, 0, OK, 0, PUSH),
    S(WAIT_RECV, WAIT, 0, RPC_S_CALL_CANCELLED, RpcReceiveComplete, ABORT),
    S(ABORT, ABORT, 1, OK, 0, END), S_QUIET(END)};
static const struct row both_client_dies_under_push[] = {
    NO_INPUT(BOTH_PIPE, PULL, PUSH), S(PUSH, PUSH_UNTIL_FULL, 0, OK, 0, WAIT_SEND),
    C(PULL, DIE, 0, OK, 0, PULL),
    S(WAIT_SEND, WAIT, 0, RPC_S_CALL_CANCELLED, RpcSendComplete, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END), S_QUIET(END)};
static const struct row both_client_dies_under_null_push[] = {
    NO_INPUT(BOTH_PIPE, PULL, NULL_PUSH),
    S(NULL_PUSH, PUSH_UNTIL_FULL, 0, OK, 0, NULL_PUSH),
    S(NULL_PUSH, NULL_PUSH, 0, OK, 0, WAIT_NULL), S_QUIET(WAIT_NULL),
    C(PULL, DIE, 0, OK, 0, PULL),
    S(WAIT_NULL, WAIT, 0, RPC_S_CALL_CANCELLED, RpcSendComplete, COMP),
    S(COMP, COMPLETE, 0, ANY_FAILURE, 0, END), S_QUIET(END)};

const struct walk walks_both[] = {
    WALK("AP-51_walk_both_well", BOTH, both_well),
    WALK("F11_walk_both_without_elements", BOTH, both_without_elements),
    WALK("AP-22_AP-60_F9_walk_both_orders", BOTH, both_orders),
    WALK("AP-56_F14_walk_both_completed_early", SEVERAL, both_completed_early),
    WALK("F7_walk_both_given_up_pushing", BOTH, both_given_up_pushing),
    WALK("F7_walk_both_given_up_before_the_end", BOTH, both_given_up_before_the_end),
    WALK("F7_walk_both_full", BOTH, both_full),
    WALK("F7_walk_both_given_up_pulling", BOTH, both_given_up_pulling),
    WALK("F7_AP-43_walk_both_given_up_waiting", BOTH, both_given_up_waiting),
    WALK("AR-14_walk_both_given_up_at_the_end", BOTH, both_given_up_at_the_end),
    WALK("F1_walk_both_nobody_there", BOTH, both_nobody_there),
    WALK("AR-17_walk_both_manager_raises", BOTH, both_manager_raises),
    WALK("AP-18_AP-55_walk_both_manager_aborts", BOTH, both_manager_aborts),
    WALK("AP-18_walk_both_failed_null_push", BOTH, both_failed_null_push),
    WALK("F6_AP-37_walk_both_server_gives_up", BOTH, both_server_gives_up),
    WALK("F3_walk_both_server_dies_under_pull", BOTH, both_server_dies_under_pull),
    WALK("F2_walk_both_server_dies_under_push", BOTH, both_server_dies_under_push),
    WALK("F5_AP-42_walk_both_client_dies_under_pull", BOTH, both_client_dies_under_pull),
    WALK("F4_AP-19_walk_both_client_dies_under_push", BOTH, both_client_dies_under_push),
    WALK("F4_AP-19_walk_both_client_dies_under_null_push", BOTH,
         both_client_dies_under_null_push),
};
const unsigned walks_both_count = sizeof(walks_both) / sizeof(walks_both[0]);
