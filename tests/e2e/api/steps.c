/* SPDX-License-Identifier: MIT */
/* steps.c - see steps.h. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const verb_names[] = {
#define X(name) #name,
    STEPS(X)
#undef X
};

/* A push of this size, repeated, fills whatever lies between two processes. */
#define PUSH_FULL_LEN 100000
/* No RpcSendComplete for this long: it is full, milliseconds. */
#define FULL_MS 100

/* ---- The process ------------------------------------------------------------ */

static RPC_BINDING_HANDLE server_binding; /* NULL in the server */
static struct caller caller;
static struct served *served;
static uint64_t sent[2], got[2]; /* elements of each pipe */
static bool gone;                /* a push or pull has told: the parameters are, too */
static uint8_t octets[PUSH_FULL_LEN];

static PRPC_ASYNC_STATE state(void)
{
    return server_binding ? &caller.async : served->there.async;
}
static HANDLE event_of(void)
{
    return server_binding ? caller.event : served->there.event;
}
static NDR_ASYNC_PIPE *pipe_of(unsigned which)
{
    return server_binding ? &caller.pipe[which] : &served->pipe[which];
}

/* An error of a push or pull that is none of their order or arguments ends the call. */
static void look_whether_gone(RPC_STATUS status)
{
    gone |= status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING &&
            status != RPC_X_WRONG_PIPE_ORDER && status != RPC_X_PIPE_CLOSED &&
            status != RPC_S_INVALID_ARG;
}

static struct answer call(enum verb verb, enum operation operation)
{
    caller_fini(&caller);
    memset(sent, 0, sizeof(sent));
    memset(got, 0, sizeof(got));
    caller_init(&caller, verb == STEP_CALL ? RPC_C_NOTIFY_ON_SEND_COMPLETE : 0);
    if (verb == STEP_CALL_POLLING)
        caller.async.NotificationType = RpcNotificationTypeNone;
    return (struct answer){caller_call(&caller, server_binding, operation, 21), 0};
}

static struct answer accept_it(void)
{
    if (served)
        served_free(served);
    served = accept_call();
    gone = false;
    memset(sent, 0, sizeof(sent));
    memset(got, 0, sizeof(got));
    return (struct answer){RPC_S_OK, 0};
}

static void tell(unsigned flags)
{
    if (served->there.event)
        CloseHandle(served->there.event);
    served_use_event(served, flags);
}

static struct answer push(unsigned which, unsigned long count)
{
    int32_t values[64];
    struct answer answer = {RPC_S_OK, 0};
    CHECK(count <= (which == 0 ? sizeof(octets) : 64));
    for (unsigned long i = 0; which == 0 && i < count; i++)
        octets[i] = octet(sent[0] + i);
    for (unsigned long i = 0; which == 1 && i < count; i++)
        values[i] = (int32_t)(3 * (sent[1] + i));
    void *buf = which == 0 ? (void *)octets : (void *)values;
    answer.status = PUSH(pipe_of(which), count > 0 ? buf : NULL, count);
    look_whether_gone(answer.status);
    if (answer.status == RPC_S_OK)
        sent[which] += count;
    memset(buf, 0xee, count);
    return answer;
}

static struct answer push_until_full(void)
{
    struct answer answer;
    const DWORD full_ms = getenv("PENSTOCK_DELAY_SEED") ? 10 * FULL_MS : FULL_MS; /* random delays */
    int pushes = 0;
    do {
        CHECK(++pushes < 10000);
        answer = push(0, PUSH_FULL_LEN);
    } while (answer.status == RPC_S_OK &&
             WaitForSingleObject(event_of(), full_ms) == WAIT_OBJECT_0);
    return answer;
}

static struct answer pull(unsigned which, unsigned long room)
{
    int32_t values[64];
    unsigned long n = 99;
    CHECK(room <= (which == 0 ? sizeof(octets) : 64));
    void *buf = which == 0 ? (void *)octets : (void *)values;
    struct answer answer = {PULL(pipe_of(which), buf, room, &n), 0};
    look_whether_gone(answer.status);
    if (answer.status != RPC_S_OK)
        return answer;
    CHECK(n <= room);
    for (unsigned long i = 0; i < n; i++)
        CHECK_EQUAL(which == 0 ? octets[i] : values[i],
                    which == 0 ? octet(got[0] + i) : (int32_t)(3 * (got[1] + i)));
    got[which] += n;
    answer.value = (long)n;
    return answer;
}

/* As many elements as wanted; the end where none are. */
static struct answer drain(unsigned which, unsigned long wanted)
{
    uint64_t until = now_ms() + SOON_MS;
    struct answer answer, all = {RPC_S_OK, 0};
    do {
        unsigned long room = which == 0 ? sizeof(octets) : 64;
        if (wanted > 0 && wanted - (unsigned long)all.value < room)
            room = wanted - (unsigned long)all.value;
        answer = pull(which, room);
        if (now_ms() > until)
            failed(__FILE__, __LINE__, "only %ld elements come", all.value);
        if (answer.status == RPC_S_ASYNC_CALL_PENDING)
            sleep_ms(1);
        else if (answer.status != RPC_S_OK || answer.value == 0)
            return (struct answer){answer.status, all.value};
        all.value += answer.value;
    } while (wanted == 0 || (unsigned long)all.value < wanted);
    return all;
}

static struct answer status_at_last(void)
{
    uint64_t until = now_ms() + SOON_MS;
    struct answer answer = {RPC_S_ASYNC_CALL_PENDING, 0};
    while (answer.status == RPC_S_ASYNC_CALL_PENDING && now_ms() < until)
        answer.status = RpcAsyncGetCallStatus(&caller.async);
    return answer;
}

static struct answer wait_for(unsigned limit_ms)
{
    struct answer answer = {RPC_S_OK, NO_EVENT};
    if (WaitForSingleObject(event_of(), limit_ms) != WAIT_OBJECT_0)
        return answer;
    answer.value = (long)state()->Event;
    if (!server_binding) /* a server's events say nothing of a failure: AP-19, AP-42 */
        answer.status = RpcServerTestCancel(RpcAsyncGetCallHandle(state())) == RPC_S_OK
                            ? RPC_S_CALL_CANCELLED
                            : RPC_S_OK;
    else if (answer.value == RpcCallComplete)
        answer.status = RpcAsyncGetCallStatus(state());
    return answer;
}

static struct answer count_sends(unsigned long most)
{
    unsigned long count = 0;
    while (WaitForSingleObject(event_of(), NEVER_MS) == WAIT_OBJECT_0) {
        CHECK_EQUAL(state()->Event, RpcSendComplete);
        CHECK(++count <= most);
        if (server_binding) /* reacts, so that the next may be told */
            CHECK_EQUAL(RpcAsyncGetCallStatus(state()), RPC_S_ASYNC_CALL_PENDING);
    }
    return (struct answer){RPC_S_OK, count > 0};
}

static struct answer complete_it(void)
{
    int32_t reply = server_binding ? 0 : REPLY_OF_STEPS;
    if (!server_binding && served->there.twice && !gone)
        *served->there.twice = 2 * served->n;
    struct answer answer = {RpcAsyncCompleteCall(state(), &reply), 0};
    if (server_binding && answer.status == RPC_S_OK)
        CHECK_EQUAL(reply, REPLY_OF_STEPS);
    return answer;
}

static struct answer sees_cancel(void)
{
    uint64_t until = now_ms() + AT_ONCE_MS;
    struct answer answer;
    do {
        answer.status = RpcServerTestCancel(RpcAsyncGetCallHandle(served->there.async));
    } while (answer.status == RPC_S_CALL_IN_PROGRESS && now_ms() < until);
    answer.value = 0;
    return answer;
}

static struct answer ping(void)
{
    struct answer answer = {RPC_S_OK, 0};
    RAISED(answer.status, c_ping(server_binding, 1));
    return answer;
}

static struct answer step(enum verb verb, unsigned long argument)
{
    struct answer done = {RPC_S_OK, 0};
    switch (verb) {
    case STEP_CALL:
    case STEP_CALL_QUIETLY:
    case STEP_CALL_POLLING:
        return call(verb, (enum operation)argument);
    case STEP_CANCEL:
        return (struct answer){RpcAsyncCancelCall(&caller.async, argument != 0), 0};
    case STEP_STATUS:
        return (struct answer){RpcAsyncGetCallStatus(&caller.async), 0};
    case STEP_STATUS_AT_LAST:
        return status_at_last();
    case STEP_PING:
        return ping();
    case STEP_LET_RAISE:
        script_code = (uint32_t)argument;
        script = argument ? RAISE : HAND_OFF;
        return done;
    case STEP_ACCEPT:
        return accept_it();
    case STEP_TELL_SENDS:
        tell(RPC_C_NOTIFY_ON_SEND_COMPLETE);
        return done;
    case STEP_TELL:
        tell(0);
        return done;
    case STEP_NO_FLAGS:
        served->there.async->Flags = 0;
        return done;
    case STEP_ABORT:
        return (struct answer){RpcAsyncAbortCall(served->there.async, argument), 0};
    case STEP_SEES_CANCEL:
        return sees_cancel();
    case STEP_PUSH:
        return push(0, argument);
    case STEP_PUSH_UNTIL_FULL:
        return push_until_full();
    case STEP_NULL_PUSH:
        return push(0, 0);
    case STEP_PULL:
        return pull(0, argument);
    case STEP_DRAIN:
        return drain(0, argument);
    case STEP_DRAIN_SECOND:
        return drain(1, argument);
    case STEP_PUSH_SECOND:
        return push(1, argument);
    case STEP_NULL_SECOND:
        return push(1, 0);
    case STEP_PULL_SECOND:
        return pull(1, argument);
    case STEP_WAIT:
        return wait_for(AT_ONCE_MS);
    case STEP_SENDS:
        return count_sends(argument);
    case STEP_QUIET:
        return wait_for(NEVER_MS);
    case STEP_COMPLETE:
        return complete_it();
    case STEP_CHOOSE:
    case STEP_SETTLE:
    case STEP_DIE:
        break;
    }
    failed(__FILE__, __LINE__, "no step for a process");
}

void steps_main(RPC_BINDING_HANDLE h)
{
    char line[64];
    server_binding = h;
    while (fgets(line, sizeof(line), stdin)) {
        char *end;
        enum verb verb = (enum verb)strtoul(line, &end, 10);
        struct answer answer = step(verb, strtoul(end, NULL, 10));
        printf("%ld %ld\n", (long)answer.status, answer.value);
        fflush(stdout);
    }
    caller_fini(&caller);
    if (served)
        served_free(served);
    if (h)
        RpcBindingFree(&server_binding);
    exit(0); /* not _exit: a leak check follows, where there is one */
}

/* ---- The test --------------------------------------------------------------- */

struct answer take_step(const struct child *child, enum verb verb, unsigned long argument)
{
    char line[512], *rest;
    int len = snprintf(line, sizeof(line), "%d %lu\n", (int)verb, argument);
    if (send(child->out, line, (size_t)len, MSG_NOSIGNAL) != len)
        failed(__FILE__, __LINE__, "%s: the other process is gone", verb_names[verb]);
    child_line(child, line, sizeof(line));
    struct answer answer = {(RPC_STATUS)strtol(line, &rest, 10), 0};
    if (rest == line)
        failed(__FILE__, __LINE__, "%s: %s", verb_names[verb], line);
    answer.value = strtol(rest, NULL, 10);
    return answer;
}

void step_end(struct child *child)
{
    int status = 0;
    if (child->pid < 0)
        return;
    shutdown(child->out, SHUT_WR);
    CHECK_EQUAL(waitpid(child->pid, &status, 0), child->pid);
    child_forget(child);
    char said[512] = "";
    ssize_t len = recv(child->out, said, sizeof(said) - 1, MSG_DONTWAIT);
    close(child->out);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        failed(__FILE__, __LINE__, "a process ended with %#x: %s", (unsigned)status,
               len > 0 ? said : "it said nothing");
}
