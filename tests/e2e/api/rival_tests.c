/* SPDX-License-Identifier: MIT */
/* rival_tests.c - disorder: threads of a client and threads of a server that use the same
 * calls at the same time, against the rules, and at random.
 *
 *   referees   begin a call (server: accept one), let the rivals at it for a while, end it
 *   rivals     push, pull, ask, cancel, abort, complete, free ... whatever is open
 *
 * What must hold: every status is one that is documented for something like it, nobody
 * gets an octet of another call, RpcCallComplete is told once at most and, unless a
 * push, a pull or a Complete has told before, once at least; each call ends; what has
 * ended stays ended; nothing is left behind.  PENSTOCK_RIVALS_SEED and PENSTOCK_RIVALS_MS
 * run another seed, or longer. */
#include <dirent.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rivals.h"
#include "steps.h"

/* Codes of exceptions and aborts; the lower half is free. */
#define CODE_OF_RIVALS 0x20520000

#define REFEREES 4
#define RIVALS 4
#define RUN_MS 1500
#define PLAYS 65536
#define ELEMENTS 4096
/* What connections may leave for others to use, and what the runtime opens when it first
 * needs it: descriptors. */
#define SPARE_DESCRIPTORS 6

/* One call as one process sees it.  Never freed: routines may still look at it. */
struct play {
    PRPC_ASYNC_STATE async;
    struct caller caller;
    struct served *served;
    _Atomic(RPC_BINDING_HANDLE) binding;
    RPC_NOTIFICATION_TYPES type;
    NDR_ASYNC_PIPE pipe[2];
    unsigned pipes;
    uint8_t value;   /* of every octet of its pipes, both ways */
    bool open;       /* rivals may come               */
    unsigned users;  /* rivals that are there         */
    _Atomic bool ended;              /* somebody was told by a status */
    _Atomic unsigned completes;      /* RpcCallComplete as told       */
};

static struct play *plays;
static _Atomic unsigned play_count;
static struct play *open_plays[REFEREES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static bool serving;
static uint64_t seed;
static _Atomic bool over; /* rivals go home */
static uint64_t until_ms;
static HANDLE port, apc_thread;
static struct child server; /* the client's other side */

struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice, uint64_t faces)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (dice->state >> 11) % faces;
}

static struct dice dice_of(unsigned who)
{
    struct dice dice = {(seed + 1) * 0x9e3779b97f4a7c15u + who * 0xd1342543de82ef95u + serving};
    for (int i = 0; i < 8; i++)
        roll(&dice, 2);
    return dice;
}

/* ---- What may be answered ------------------------------------------------------ */

/* About the turn of a pipe or the arguments: says nothing about the call. */
static bool is_about_order(RPC_STATUS status)
{
    return status == RPC_X_WRONG_PIPE_ORDER || status == RPC_X_PIPE_CLOSED ||
           status == RPC_S_INVALID_ARG;
}

static bool is_known(RPC_STATUS status)
{
    switch (status) {
    case RPC_S_OK:
    case RPC_S_ASYNC_CALL_PENDING:
    case RPC_S_INVALID_ARG:
    case RPC_S_INVALID_BINDING:
    case RPC_S_CALL_FAILED:
    case RPC_S_CALL_IN_PROGRESS:
    case RPC_S_CALL_CANCELLED:
    case RPC_X_INVALID_PIPE_OBJECT:
    case RPC_X_WRONG_PIPE_ORDER:
    case RPC_S_INVALID_ASYNC_HANDLE:
    case RPC_S_INVALID_ASYNC_CALL:
    case RPC_X_PIPE_CLOSED:
    case RPC_X_PIPE_DISCIPLINE_ERROR:
        return true;
    default:
        return status >> 16 == CODE_OF_RIVALS >> 16; /* a manager's, or an abort's */
    }
}

/* Why the server is gone, if it is. */
static void say_what_server_said(void)
{
    char said[512];
    ssize_t len = serving ? 0 : recv(server.out, said, sizeof(said), MSG_DONTWAIT);
    if (len > 0)
        fprintf(stderr, "the server: %.*s", (int)len, said);
}

static void check_known(int line, RPC_STATUS status)
{
    if (is_known(status))
        return;
    say_what_server_said();
    failed(__FILE__, line, "seed %llu: an answer nobody expects: %ld", (unsigned long long)seed,
           (long)status);
}

/* A push or pull. */
static RPC_STATUS moved(int line, struct play *play, RPC_STATUS status)
{
    check_known(line, status);
    if (status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING && !is_about_order(status))
        play->ended = true;
    return status;
}

/* An RpcAsyncCompleteCall, or a server's RpcAsyncAbortCall. */
static RPC_STATUS ended(int line, struct play *play, RPC_STATUS status)
{
    check_known(line, status);
    if (status != RPC_S_ASYNC_CALL_PENDING)
        play->ended = true;
    return status;
}

/* ---- What rivals do -------------------------------------------------------------- */

static RPC_STATUS push_some(struct play *play, unsigned which, unsigned long count)
{
    static _Thread_local uint8_t octets[ELEMENTS * sizeof(int32_t)];
    memset(octets, play->value, count * (which ? sizeof(int32_t) : 1));
    return moved(__LINE__, play, PUSH(&play->pipe[which], octets, count));
}

static RPC_STATUS pull_some(struct play *play, unsigned which, unsigned long room,
                            unsigned long *ret_count)
{
    static _Thread_local uint8_t octets[ELEMENTS * sizeof(int32_t)];
    const size_t size = which ? sizeof(int32_t) : 1;
    *ret_count = 77;
    RPC_STATUS status = moved(__LINE__, play, PULL(&play->pipe[which], octets, room, ret_count));
    CHECK(*ret_count <= room && (status == RPC_S_OK || *ret_count == 0));
    for (size_t i = 0; i < *ret_count * size; i++)
        if (octets[i] != play->value)
            failed(__FILE__, __LINE__, "seed %llu: an octet of another call",
                   (unsigned long long)seed);
    return status;
}

static void RPC_ENTRY told_of_client(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)async;
    (void)context;
    CHECK(event == RpcClientDisconnect || event == RpcClientCancel);
}

/* What only one side has. */
static void act_as_server(struct play *play, struct dice *dice)
{
    RPC_ASYNC_NOTIFICATION_INFO info = {.NotificationRoutine = told_of_client};
    RPC_BINDING_HANDLE handle = play->served->there.handle;
    RPC_NOTIFICATIONS which =
        roll(dice, 2) ? RpcNotificationClientDisconnect : RpcNotificationCallCancel;
    unsigned long queued;
    switch (roll(dice, 4)) {
    case 0:
        check_known(__LINE__, RpcServerSubscribeForNotification(
                                  handle, which, RpcNotificationTypeCallback, &info));
        break;
    case 1:
        check_known(__LINE__, RpcServerUnsubscribeForNotification(handle, which, &queued));
        break;
    case 2:
        check_known(__LINE__, RpcServerTestCancel(handle));
        break;
    default:
        if (roll(dice, 60) == 0)
            ended(__LINE__, play,
                  RpcAsyncAbortCall(play->async, CODE_OF_RIVALS + 1 + roll(dice, 9)));
        break;
    }
}

static void act_as_client(struct play *play, struct dice *dice)
{
    RPC_STATUS raised;
    RPC_BINDING_HANDLE handle;
    switch (roll(dice, 6)) {
    case 0:
        check_known(__LINE__, RpcAsyncCancelCall(play->async, roll(dice, 20) == 0));
        break;
    case 1:
        if (roll(dice, 30) == 0)
            check_known(__LINE__, RpcxAsyncSetDeadline(play->async, (DWORD)roll(dice, 30)));
        else
            check_known(__LINE__, RpcxAsyncSetDeadline(play->async, RPC_C_INFINITE_TIMEOUT));
        break;
    case 2:
        check_known(__LINE__, RpcAsyncInitializeHandle(play->async, sizeof(*play->async) + 1));
        break;
    case 3:
        handle = roll(dice, 20) == 0 ? atomic_exchange(&play->binding, NULL) : NULL;
        if (handle)
            CHECK_EQUAL(RpcBindingFree(&handle), RPC_S_OK);
        break;
    case 4:
        if (roll(dice, 10) == 0) { /* beside it, on a binding of its own */
            handle = bind_text(server.binding);
            RAISED(raised, CHECK_EQUAL(c_ping(handle, 1), 2));
            check_known(__LINE__, raised);
            RpcBindingFree(&handle);
        }
        break;
    default:
        break;
    }
}

static void act(struct play *play, struct dice *dice)
{
    unsigned which = (unsigned)roll(dice, play->pipes ? play->pipes : 1);
    int32_t reply = 4711;
    unsigned long count;
    RPCX_PIPE_STATS stats;
    switch (roll(dice, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (play->pipes)
            push_some(play, which, 1 + roll(dice, ELEMENTS));
        break;
    case 4:
        if (play->pipes && roll(dice, 8) == 0)
            push_some(play, which, 0);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        if (play->pipes)
            pull_some(play, which, 1 + roll(dice, ELEMENTS), &count);
        break;
    case 9:
        check_known(__LINE__, RpcAsyncGetCallStatus(play->async));
        break;
    case 10:
        if (roll(dice, 60) == 0)
            ended(__LINE__, play, RpcAsyncCompleteCall(play->async, &reply));
        break;
    case 11:
        if (play->pipes)
            check_known(__LINE__, RpcxPipeSetLimits(play->pipe[which].state,
                                                    roll(dice, 100000), 0));
        break;
    case 12:
        if (play->pipes)
            check_known(__LINE__, RpcxPipeInqStats(play->pipe[which].state, &stats,
                                                   sizeof(stats)));
        break;
    case 13:
        if (roll(dice, 20) == 0)
            sleep_ms((unsigned)roll(dice, 3));
        break;
    default:
        if (serving)
            act_as_server(play, dice);
        else
            act_as_client(play, dice);
        break;
    }
}

static struct play *join_play(struct dice *dice)
{
    pthread_mutex_lock(&lock);
    struct play *play = open_plays[roll(dice, REFEREES)];
    if (play)
        play->users++;
    pthread_mutex_unlock(&lock);
    return play;
}

static void leave_play(struct play *play)
{
    pthread_mutex_lock(&lock);
    play->users--;
    pthread_cond_broadcast(&left);
    pthread_mutex_unlock(&lock);
}

static void *be_rival(void *arg)
{
    struct dice dice = dice_of(100 + (unsigned)(uintptr_t)arg);
    while (!over) {
        struct play *play = join_play(&dice);
        for (uint64_t acts = 1 + roll(&dice, 30); play && acts > 0; acts--)
            act(play, &dice);
        if (play)
            leave_play(play);
        else
            sleep_ms(1);
    }
    return NULL;
}

/* ---- How they are told ----------------------------------------------------------- */

static void RPC_ENTRY told_by_routine(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    static _Atomic unsigned turn;
    /* A client's state may have been given back while the routine was about to be called: by
     * another thread that completed the call, against the rules. */
    void *of_client = (char *)async - offsetof(struct play, caller.async);
    struct play *play = serving ? async->UserInfo : of_client;
    CHECK(!context);
    if (event == RpcCallComplete)
        play->completes++;
    /* Routines are rivals too, as long as others may come. */
    pthread_mutex_lock(&lock);
    bool may = play->open;
    play->users += may;
    pthread_mutex_unlock(&lock);
    if (!may)
        return;
    struct dice dice = dice_of(1000 + turn++);
    for (uint64_t acts = roll(&dice, 4); acts > 0; acts--)
        act(play, &dice);
    leave_play(play);
}

/* Reacts to packets of calls that are still open. */
static void *take_packets(void *arg)
{
    DWORD octets;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    (void)arg;
    while (!over) {
        if (!GetQueuedCompletionStatus(port, &octets, &key, &overlapped, 20))
            continue;
        struct play *play = (struct play *)key;
        pthread_mutex_lock(&lock);
        bool may = play->open;
        play->users += may;
        pthread_mutex_unlock(&lock);
        if (may) {
            check_known(__LINE__, RpcAsyncGetCallStatus(play->async));
            leave_play(play);
        }
    }
    return NULL;
}

static DWORD WINAPI take_apcs(LPVOID arg)
{
    HANDLE ready = arg;
    SetEvent(ready);
    while (!over)
        SleepEx(20, TRUE);
    SetEvent(ready);
    return 0;
}

static void ask_to_be_told(struct play *play, struct dice *dice)
{
    static const RPC_NOTIFICATION_TYPES types[] = {
        RpcNotificationTypeNone, RpcNotificationTypeEvent, RpcNotificationTypeApc,
        RpcNotificationTypeIoc, RpcNotificationTypeCallback, RpcNotificationTypeCallback};
    PRPC_ASYNC_STATE async = play->async;
    play->type = types[roll(dice, sizeof(types) / sizeof(types[0]))];
    async->Flags = roll(dice, 2) ? RPC_C_NOTIFY_ON_SEND_COMPLETE : 0;
    async->UserInfo = play;
    memset(&async->u, 0, sizeof(async->u));
    switch (play->type) {
    case RpcNotificationTypeEvent:
        play->caller.event = CreateEvent(NULL, FALSE, FALSE, NULL);
        CHECK(play->caller.event);
        async->u.hEvent = play->caller.event;
        break;
    case RpcNotificationTypeApc:
        async->u.APC.NotificationRoutine = told_by_routine;
        async->u.APC.hThread = apc_thread;
        break;
    case RpcNotificationTypeIoc:
        async->u.IOC.hIOPort = port;
        async->u.IOC.dwCompletionKey = (ULONG_PTR)play;
        break;
    case RpcNotificationTypeCallback:
        async->u.NotificationRoutine = told_by_routine;
        break;
    case RpcNotificationTypeNone:
    case RpcNotificationTypeHwnd:
        break;
    }
    async->NotificationType = play->type;
}

/* ---- Referees --------------------------------------------------------------------- */

static const struct {
    enum operation operation;
    unsigned pipes;
    bool in[2], out[2];
} kinds[] = {
    {PLAIN, 0, {0}, {0}},
    {IN_PIPE, 1, {true}, {0}},
    {OUT_PIPE, 1, {0}, {true}},
    {BOTH_PIPE, 1, {true}, {true}},
    {TWO_IN, 2, {true, true}, {0}},
    {TWO_OUT, 2, {0}, {true, true}},
    {IN_THEN_OUT, 2, {true, false}, {false, true}},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned kind_of(enum operation operation)
{
    unsigned kind = 0;
    while (kinds[kind].operation != operation)
        CHECK(++kind < KINDS);
    return kind;
}

static struct play *new_play(void)
{
    unsigned index = play_count++;
    CHECK(index < PLAYS);
    return &plays[index];
}

/* The octet of all its pipes, which both sides know. */
static uint8_t value_of(enum operation operation, int32_t n)
{
    bool has_number = operation != TWO_IN && operation != TWO_OUT && operation != IN_THEN_OUT;
    return has_number ? (uint8_t)n : 0x5a;
}

static void set_open(struct play *play, unsigned referee, bool open)
{
    pthread_mutex_lock(&lock);
    play->open = open;
    open_plays[referee] = open ? play : NULL;
    while (!open && play->users > 0)
        pthread_cond_wait(&left, &lock); /* a rival that hangs ends by the watchdog */
    pthread_mutex_unlock(&lock);
}

/* Pushes the end of all that it sends, pulls to the end all that it receives, in order. */
static void play_to_the_end(struct play *play, unsigned kind, bool sending)
{
    const uint64_t limit = now_ms() + SOON_MS;
    for (unsigned i = 0; i < play->pipes; i++) {
        unsigned long count = 1;
        RPC_STATUS status = RPC_S_OK;
        if (sending && (serving ? kinds[kind].out[i] : kinds[kind].in[i]))
            push_some(play, i, 0);
        if (sending || !(serving ? kinds[kind].in[i] : kinds[kind].out[i]))
            continue;
        while (!play->ended && (status == RPC_S_ASYNC_CALL_PENDING ||
                                (status == RPC_S_OK && count > 0))) {
            status = pull_some(play, i, ELEMENTS, &count);
            if (status == RPC_S_ASYNC_CALL_PENDING)
                sleep_ms(1);
            if (now_ms() > limit)
                failed(__FILE__, __LINE__, "seed %llu: a pipe does not end",
                       (unsigned long long)seed);
        }
    }
}

/* Waits as a program does that goes by what it is told. */
static void wait_told(struct play *play)
{
    const uint64_t limit = now_ms() + SOON_MS;
    for (;;) {
        const bool by_routine = play->type == RpcNotificationTypeCallback ||
                                play->type == RpcNotificationTypeApc;
        if (by_routine && play->completes > 0)
            return;
        if (play->type == RpcNotificationTypeEvent)
            CHECK_EQUAL(WaitForSingleObject(play->caller.event, SOON_MS), WAIT_OBJECT_0);
        else
            sleep_ms(1);
        if (!by_routine && RpcAsyncGetCallStatus(play->async) != RPC_S_ASYNC_CALL_PENDING)
            return;
        if (now_ms() > limit)
            failed(__FILE__, __LINE__, "seed %llu: a call (told by %d) is never told complete",
                   (unsigned long long)seed, (int)play->type);
    }
}

/* Whoever comes late gets an error, the same side or the other. */
static void check_ended(struct play *play)
{
    unsigned long count;
    int32_t reply = 0;
    RPC_STATUS status = RpcAsyncCompleteCall(play->async, &reply);
    check_known(__LINE__, status);
    CHECK(status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING);
    for (unsigned i = 0; i < play->pipes; i++) {
        CHECK(push_some(play, i, 1) != RPC_S_OK);
        status = pull_some(play, i, 1, &count);
        CHECK(status != RPC_S_OK && status != RPC_S_ASYNC_CALL_PENDING);
    }
    CHECK(play->completes <= 1);
}

static void serve_play(struct play *play, unsigned referee, struct dice *dice)
{
    const unsigned kind = kind_of(play->served->operation);
    const bool aborts = roll(dice, 2);
    int32_t reply = 4711;
    play->async = play->served->there.async;
    play->pipes = kinds[kind].pipes;
    memcpy(play->pipe, play->served->pipe, sizeof(play->pipe));
    play->value = value_of(play->served->operation, play->served->n);
    ask_to_be_told(play, dice);
    set_open(play, referee, true);
    sleep_ms((unsigned)roll(dice, 20));
    if (aborts)
        ended(__LINE__, play, RpcAsyncAbortCall(play->async, CODE_OF_RIVALS + 10));
    set_open(play, referee, false);
    play_to_the_end(play, kind, false);
    play_to_the_end(play, kind, true);
    ended(__LINE__, play, RpcAsyncCompleteCall(play->async, &reply));
    check_ended(play);
    caller_fini(&play->caller); /* its event */
    served_free(play->served);
}

static void *referee_calls_accepted(void *arg)
{
    const unsigned referee = (unsigned)(uintptr_t)arg;
    struct dice dice = dice_of(referee);
    while (!over) {
        struct served *served = accept_call_now();
        if (!served) {
            sleep_ms(1);
            continue;
        }
        struct play *play = new_play();
        play->served = served;
        serve_play(play, referee, &dice);
    }
    return NULL;
}

/* A call of the client's, or RPC_S_OK is not what the stub raised. */
static RPC_STATUS begin_play(struct play *play, unsigned kind, struct dice *dice)
{
    const int32_t n = (int32_t)roll(dice, 256);
    RPC_BINDING_HANDLE handle = bind_text(server.binding);
    memset(&play->caller, 0, sizeof(play->caller));
    play->async = &play->caller.async;
    CHECK_EQUAL(RpcAsyncInitializeHandle(play->async, sizeof(*play->async)), RPC_S_OK);
    ask_to_be_told(play, dice);
    play->value = value_of(kinds[kind].operation, n);
    if (roll(dice, 20) == 0)
        CHECK_EQUAL(RpcxAsyncSetDeadline(play->async, (DWORD)roll(dice, 10)), RPC_S_OK);
    RPC_STATUS raised = caller_call(&play->caller, handle, kinds[kind].operation, n);
    check_known(__LINE__, raised);
    play->pipes = kinds[kind].pipes;
    memcpy(play->pipe, play->caller.pipe, sizeof(play->pipe));
    play->binding = handle;
    return raised;
}

static void end_play(struct play *play, unsigned kind, bool gives_up)
{
    int32_t reply = 1;
    if (!gives_up && !play->ended) {
        play_to_the_end(play, kind, true);
        play_to_the_end(play, kind, false);
    }
    if (!play->ended)
        wait_told(play);
    RPC_STATUS status = ended(__LINE__, play, RpcAsyncCompleteCall(play->async, &reply));
    CHECK(status != RPC_S_ASYNC_CALL_PENDING);
    CHECK(status != RPC_S_OK || reply == 4711 || kinds[kind].operation == TWO_IN ||
          kinds[kind].operation == TWO_OUT || kinds[kind].operation == IN_THEN_OUT);
    check_ended(play);
}

static void call_play(unsigned referee, struct dice *dice)
{
    struct play *play = new_play();
    const unsigned kind = (unsigned)roll(dice, KINDS);
    const bool gives_up = roll(dice, 2);
    RPC_STATUS raised = begin_play(play, kind, dice);
    if (raised == RPC_S_OK) {
        set_open(play, referee, true);
        sleep_ms((unsigned)roll(dice, 20));
        if (gives_up)
            check_known(__LINE__, RpcAsyncCancelCall(play->async, TRUE));
        set_open(play, referee, false);
        end_play(play, kind, gives_up);
    } else {
        CHECK(RpcAsyncCancelCall(play->async, TRUE) != RPC_S_OK);
    }
    RPC_BINDING_HANDLE handle = atomic_exchange(&play->binding, NULL);
    if (handle)
        CHECK_EQUAL(RpcBindingFree(&handle), RPC_S_OK);
    caller_fini(&play->caller);
    /* Whatever looked at it now would find nothing it knows. */
    memset(&play->caller.async, 0xdd, sizeof(play->caller.async));
}

static void *referee_calls_made(void *arg)
{
    const unsigned referee = (unsigned)(uintptr_t)arg;
    struct dice dice = dice_of(referee);
    while (now_ms() < until_ms)
        call_play(referee, &dice);
    return NULL;
}

/* ---- A process ----------------------------------------------------------------------- */

static unsigned descriptors(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Connections end when the other side has seen that they may. */
static void check_descriptors(unsigned before)
{
    const uint64_t limit = now_ms() + SOON_MS;
    while (descriptors() > before + SPARE_DESCRIPTORS) {
        if (now_ms() > limit)
            failed(__FILE__, __LINE__, "%u descriptors, not %u", descriptors(), before);
        sleep_ms(5);
    }
}

static pthread_t start(void *(*run)(void *), unsigned argument)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, (void *)(uintptr_t)argument) == 0);
    return thread;
}

/* What `script` managers follow while calls come in: until the test hangs up. */
static void change_scripts(void)
{
    static const enum script scripts[] = {HAND_OFF,      HAND_OFF, HAND_OFF,
                                          HAND_OFF, RAISE,    HAND_OFF_AND_RAISE,
                                          ABORT_AND_RAISE};
    struct dice dice = dice_of(50);
    char octet;
    script_code = CODE_OF_RIVALS + 100;
    while (recv(STDIN_FILENO, &octet, 1, MSG_DONTWAIT) != 0) {
        script = scripts[roll(&dice, sizeof(scripts) / sizeof(scripts[0]))];
        sleep_ms(5);
    }
    script = HAND_OFF;
    /* All that have begun are ended by the referees, or this is where it hangs. */
    CHECK_EQUAL(RpcMgmtStopServerListening(NULL), RPC_S_OK);
    CHECK_EQUAL(RpcMgmtWaitServerListen(), RPC_S_OK);
    CHECK_EQUAL(RpcServerUnregisterIf(NULL, NULL, TRUE), RPC_S_OK);
}

static void run_process(void *(*referee)(void *), void (*meanwhile)(void))
{
    pthread_t referees[REFEREES], rivals[RIVALS];
    HANDLE ready = CreateEvent(NULL, FALSE, FALSE, NULL);
    port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    plays = calloc(PLAYS, sizeof(*plays));
    CHECK(ready && port && plays);
    apc_thread = CreateThread(NULL, 0, take_apcs, ready, 0, NULL);
    CHECK(apc_thread);
    CHECK_EQUAL(WaitForSingleObject(ready, SOON_MS), WAIT_OBJECT_0);
    pthread_t packets = start(take_packets, 0);
    for (unsigned i = 0; i < RIVALS; i++)
        rivals[i] = start(be_rival, i);
    for (unsigned i = 0; i < REFEREES; i++)
        referees[i] = start(referee, i);
    if (meanwhile) {
        meanwhile();
        over = true;
    }
    for (unsigned i = 0; i < REFEREES; i++)
        pthread_join(referees[i], NULL);
    over = true;
    for (unsigned i = 0; i < RIVALS; i++)
        pthread_join(rivals[i], NULL);
    pthread_join(packets, NULL);
    CHECK_EQUAL(WaitForSingleObject(apc_thread, SOON_MS), WAIT_OBJECT_0);
    CloseHandle(apc_thread);
    CloseHandle(ready);
    CloseHandle(port);
}

void rivals_serve(const char *number)
{
    serving = true;
    seed = strtoull(number, NULL, 10);
    const unsigned before = descriptors();
    run_process(referee_calls_accepted, change_scripts);
    check_descriptors(before);
    free(plays);
    exit(0); /* not _exit: a leak check follows, where there is one */
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void play(uint64_t wanted)
{
    char number[32];
    seed = number_from("PENSTOCK_RIVALS_SEED", wanted);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)seed);
    server = rival_server(number);
    RPC_BINDING_HANDLE handle = bind_text(server.binding);
    int pong = 0;
    RPC_STATUS raised;
    RAISED(raised, pong = c_ping(handle, 5)); /* the runtime is set up */
    CHECK_EQUAL(raised, RPC_S_OK);
    CHECK_EQUAL(pong, 6);
    CHECK_EQUAL(RpcBindingFree(&handle), RPC_S_OK);
    const unsigned before = descriptors();
    until_ms = now_ms() + number_from("PENSTOCK_RIVALS_MS", RUN_MS);
    run_process(referee_calls_made, NULL);
    check_descriptors(before);
    /* Neither a late routine nor a late answer has touched what was given back. */
    for (unsigned i = 0; i < play_count; i++) {
        CHECK(plays[i].completes <= 1);
        const uint8_t *state = (const uint8_t *)&plays[i].caller.async;
        for (size_t k = 0; k < sizeof(RPC_ASYNC_STATE); k++)
            CHECK_EQUAL(state[k], 0xdd);
    }
    CHECK(play_count > (getenv("PENSTOCK_DELAY_SEED") ? 0 : 10)); /* random delays */
    free(plays);
    step_end(&server);
}

static void first(void)
{
    play(1);
}
static void second(void)
{
    play(2);
}
static void third(void)
{
    play(3);
}
static void fourth(void)
{
    play(4);
}

const struct test rival_tests[] = {
    {"AR-6_AR-16_AR-30_rivals_1", first},
    {"AP-6_AP-18_AP-37_rivals_2", second},
    {"AP-44_F7_F9_rivals_3", third},
    {"AR-17_AR-22_AR-27_rivals_4", fourth},
    {NULL, NULL},
};
