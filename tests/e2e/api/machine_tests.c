/* SPDX-License-Identifier: MIT */
/* machine_tests.c - walks the published state machines with two processes, and proves
 * that no published transition is left out and no other one is taken. */
#include "machine.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {
#define X(name) #name,
    STATES(X)
#undef X
};
static const char *const outcome_names[] = {
#define X(name) #name,
    OUTCOMES(X)
#undef X
};
static const char *const side_names[] = {"client", "server"};
static const char *const flow_names[] = {"[in]", "[out]", "[in, out]", "several"};

/* ---- Taking the steps ---------------------------------------------------------- */

static struct child sides[2];
static unsigned calls; /* the client's, since its process began */

static bool is_call(enum verb verb)
{
    return verb == STEP_CALL || verb == STEP_CALL_QUIETLY || verb == STEP_CALL_POLLING ||
           verb == STEP_PING;
}

static void check_answer(const struct walk *walk, const struct row *row, struct answer answer)
{
    bool failing = answer.status != RPC_S_OK && answer.status != RPC_S_ASYNC_CALL_PENDING;
    bool right = row->status == ANY_FAILURE ? failing : answer.status == row->status;
    if (!right || answer.value != row->value)
        failed(__FILE__, __LINE__, "%s row %d, %s in %s: %s %lu is %ld (%ld), not %ld (%ld)",
               walk->name, (int)(row - walk->rows), side_names[row->side],
               state_names[row->from], verb_names[row->verb], row->argument, (long)answer.status,
               answer.value, (long)row->status, row->value);
}

static void walk_along(const struct walk *walk)
{
    for (const struct row *row = walk->rows; row < walk->rows + walk->count; row++) {
        calls += is_call(row->verb);
        if (row->verb == STEP_SETTLE)
            wait_for_ends(calls);
        else if (row->verb == STEP_DIE)
            child_kill(&sides[row->side], SIGKILL);
        else if (row->verb != STEP_CHOOSE)
            check_answer(walk, row,
                         take_step(&sides[row->side], row->verb, row->argument));
    }
}

/* Whoever is left serves, or is served, as if nothing had been. */
static void check_still_usable(void)
{
    static const struct row rows[] = {
        {CLIENT, AT_CALL, STEP_CALL_QUIETLY, BOTH_PIPE, RPC_S_OK, 0, AT_CALL},
        {SERVER, AT_CALL, STEP_ACCEPT, 0, RPC_S_OK, 0, AT_CALL},
        {CLIENT, AT_CALL, STEP_PUSH, 20000, RPC_S_OK, 0, AT_CALL},
        {CLIENT, AT_CALL, STEP_NULL_PUSH, 0, RPC_S_OK, 0, AT_CALL},
        {SERVER, AT_CALL, STEP_DRAIN, 0, RPC_S_OK, 20000, AT_CALL},
        {SERVER, AT_CALL, STEP_PUSH, 20000, RPC_S_OK, 0, AT_CALL},
        {SERVER, AT_CALL, STEP_NULL_PUSH, 0, RPC_S_OK, 0, AT_CALL},
        {SERVER, AT_CALL, STEP_COMPLETE, 0, RPC_S_OK, 0, AT_CALL},
        {CLIENT, AT_CALL, STEP_DRAIN, 0, RPC_S_OK, 20000, AT_CALL},
        {CLIENT, AT_CALL, STEP_STATUS_AT_LAST, 0, RPC_S_OK, 0, AT_CALL},
        {CLIENT, AT_CALL, STEP_COMPLETE, 0, RPC_S_OK, 0, AT_CALL},
        {CLIENT, AT_CALL, STEP_PING, 0, RPC_S_OK, 0, AT_CALL},
    };
    static const struct walk usable = {"afterwards", FLOW_SEVERAL, rows,
                                       sizeof(rows) / sizeof(rows[0])};
    if (sides[SERVER].pid < 0)
        return;
    if (sides[CLIENT].pid < 0)
        sides[CLIENT] = step_client(&sides[SERVER]);
    walk_along(&usable);
}

const struct walk *walk_at(unsigned i)
{
    if (i < walk_count)
        return &walks[i];
    return i - walk_count < walks_both_count ? &walks_both[i - walk_count] : NULL;
}

void walk_run(const char *name)
{
    const struct walk *walk;
    for (unsigned i = 0; (walk = walk_at(i)); i++) {
        if (strcmp(walk->name, name) != 0)
            continue;
        sides[SERVER] = step_server();
        sides[CLIENT] = traced_client(&sides[SERVER]);
        calls = 0;
        walk_along(walk);
        check_still_usable();
        step_end(&sides[CLIENT]);
        step_end(&sides[SERVER]);
        return;
    }
    failed(__FILE__, __LINE__, "no such walk");
}

/* ---- The tables themselves ----------------------------------------------------- */

static enum outcome outcome_of_status(RPC_STATUS status)
{
    return status == RPC_S_OK                   ? SAW_DONE
           : status == RPC_S_ASYNC_CALL_PENDING ? SAW_PENDING
                                                : SAW_FAILED;
}

static enum outcome outcome_of(const struct row *row)
{
    enum outcome by_status = outcome_of_status(row->status);
    switch (row->verb) {
    case STEP_CALL:
    case STEP_CALL_QUIETLY:
    case STEP_CALL_POLLING:
        return by_status == SAW_DONE ? SAW_DONE : SAW_RAISED;
    case STEP_LET_RAISE:
        return SAW_RAISED;
    case STEP_PULL:
    case STEP_PULL_SECOND:
    case STEP_DRAIN:
    case STEP_DRAIN_SECOND:
        if (by_status != SAW_DONE)
            return by_status;
        return row->value > 0 ? SAW_DATA : SAW_ZERO;
    case STEP_WAIT:
    case STEP_STATUS:
    case STEP_STATUS_AT_LAST:
        return by_status == SAW_FAILED ? SAW_FAILURE : SAW_TOLD;
    case STEP_QUIET:
        return SAW_NOTHING;
    case STEP_CHOOSE:
        return SAW_CHOSEN;
    case STEP_CANCEL:
    case STEP_PING:
    case STEP_ACCEPT:
    case STEP_TELL_SENDS:
    case STEP_TELL:
    case STEP_NO_FLAGS:
    case STEP_ABORT:
    case STEP_SEES_CANCEL:
    case STEP_PUSH:
    case STEP_PUSH_UNTIL_FULL:
    case STEP_NULL_PUSH:
    case STEP_PUSH_SECOND:
    case STEP_NULL_SECOND:
    case STEP_SENDS:
    case STEP_COMPLETE:
    case STEP_SETTLE:
    case STEP_DIE:
        break;
    }
    return by_status;
}

/* The published transition a row takes; NULL: none. */
static const struct transition *transition_of(const struct walk *walk, const struct row *row)
{
    for (unsigned i = 0; i < published_count; i++) {
        const struct transition *t = &published[i];
        if (t->flow == walk->flow && t->side == row->side && t->from == row->from &&
            t->to == row->to && t->outcome == outcome_of(row))
            return t;
    }
    return NULL;
}

/* Each walk is one, from the call on, and takes published transitions alone. */
static void check_walk(const struct walk *walk, bool *walked)
{
    enum state at[2] = {AT_CALL, AT_DISPATCH};
    for (const struct row *row = walk->rows; row < walk->rows + walk->count; row++) {
        const struct transition *t = transition_of(walk, row);
        if (row->from != at[row->side])
            failed(__FILE__, __LINE__, "%s row %d: the %s is in %s, not in %s", walk->name,
                   (int)(row - walk->rows), side_names[row->side], state_names[at[row->side]],
                   state_names[row->from]);
        if (!t && row->from != row->to && walk->flow != FLOW_SEVERAL)
            failed(__FILE__, __LINE__, "%s row %d: %s, %s, %s is not published", walk->name,
                   (int)(row - walk->rows), state_names[row->from],
                   outcome_names[outcome_of(row)], state_names[row->to]);
        if (t)
            walked[t - published] = true;
        at[row->side] = row->to;
    }
}

static void every_transition(void)
{
    bool *walked = calloc(published_count, sizeof(*walked));
    CHECK(walked);
    const struct walk *walk;
    for (unsigned i = 0; (walk = walk_at(i)); i++)
        check_walk(walk, walked);
    for (unsigned i = 0; i < published_count; i++) {
        const struct transition *t = &published[i];
        if (!walked[i])
            failed(__FILE__, __LINE__, "not walked: %s %s: %s, %s, %s", flow_names[t->flow],
                   side_names[t->side], state_names[t->from], outcome_names[t->outcome],
                   state_names[t->to]);
    }
    free(walked);
}

const struct test machine_tests[] = {
    {"AP-51_every_published_transition_is_walked", every_transition},
    {NULL, NULL},
};
