/* SPDX-License-Identifier: MIT */
/* client.c - one case of the handle tests: handles_client BINDING CASE.  Prints "ok" or
 * what was wrong. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

handle_t server;
int failures;

COUNTERS counters(void)
{
    COUNTERS counters;
    Counters(server, &counters);
    return counters;
}

void wait_for_live(int32_t live)
{
    for (int i = 0; i < 500 && counters().live != live; i++)
        usleep(10000);
    CHECK(counters().live == live);
}

/* ---- Context handles ---------------------------------------------------------- */

static void session(void)
{
    COUNTERS before = counters();
    SESSION session = NULL;
    CHECK(Open(server, 10, &session) == 10);
    CHECK(session != NULL);
    CHECK(Add(session, 5) == 15);
    CHECK(Add(session, 5) == 20);
    SESSION same = session;
    Renew(&session);
    CHECK(session == same);
    CHECK(Add(session, 1) == 21);
    SESSION made = Make(server, 100);
    CHECK(Both(session, made) == 121);
    CHECK(Both(made, made) == 200);
    CHECK(counters().live == before.live + 2);
    Close(&session);
    CHECK(session == NULL);
    CHECK(RAISED(Add(same, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    Close(&made);
    CHECK(counters().live == before.live);
    CHECK(counters().rundowns == before.rundowns);
}

static void null_and_garbage(void)
{
    static int garbage;
    SESSION session = NULL, odd = &garbage;
    CHECK(RAISED(Add(NULL, 1)) == RPC_X_SS_IN_NULL_CONTEXT);
    CHECK(RAISED(Close(&session)) == RPC_X_SS_IN_NULL_CONTEXT);
    CHECK(RAISED(Close(NULL)) == RPC_X_NULL_REF_POINTER);
    CHECK(RAISED(Add(&garbage, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(RAISED(Add(server, 1)) == RPC_X_SS_CONTEXT_MISMATCH); /* a number of another kind */
    CHECK(RAISED(Close(&odd)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(odd == &garbage);
    CHECK(RAISED(RpcSsDestroyClientContext(&odd)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(RpcSmDestroyClientContext(NULL) == RPC_X_SS_CONTEXT_MISMATCH);
    Open(server, 1, &session);
    CHECK(RAISED(Both(session, NULL)) == RPC_X_SS_IN_NULL_CONTEXT);
    Close(&session);
}

static void binding_of_context(void)
{
    SESSION session;
    RPC_BINDING_HANDLE binding, copy;
    RPC_CSTR text;
    Open(server, 3, &session);
    CHECK(RpcSsGetContextBinding(session, &binding) == RPC_S_OK);
    CHECK(RpcBindingToStringBinding(binding, &text) == RPC_S_OK);
    RpcStringFree(&text);
    CHECK(RpcSsGetContextBinding(server, &copy) == RPC_X_SS_CONTEXT_MISMATCH);
    /* The handle outlives the binding it was made with. */
    CHECK(RpcBindingCopy(binding, &copy) == RPC_S_OK);
    CHECK(RpcBindingFree(&server) == RPC_S_OK);
    server = copy;
    CHECK(Add(session, 1) == 4);
    Close(&session);
}

static void destroyed(void)
{
    COUNTERS before = counters();
    SESSION session;
    Open(server, 0, &session);
    SESSION gone = session;
    RpcSsDestroyClientContext(&session);
    CHECK(session == NULL);
    CHECK(RAISED(Add(gone, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(counters().live == before.live + 1); /* until this process ends */
}

static void raised(void)
{
    COUNTERS before = counters();
    SESSION session = NULL;
    CHECK(RAISED(OpenAndRaise(server, &session)) == 4711);
    CHECK(session == NULL);
    Open(server, 7, &session);
    CHECK(RAISED(Raise(&session, 4712, 0)) == 4712);
    CHECK(Add(session, 1) == 8);
    /* The manager closed it before it raised. */
    CHECK(RAISED(Raise(&session, 4713, 1)) == 4713);
    CHECK(session != NULL);
    CHECK(RAISED(Add(session, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    RpcSsDestroyClientContext(&session);
    CHECK(counters().live == before.live);
}

struct slow {
    pthread_t thread;
    SESSION session;
    VIEW view;
    int32_t exclusive, most;
};

static void *run_slow(void *arg)
{
    struct slow *slow = arg;
    slow->most = slow->session ? Slow(slow->session, 100) : SlowView(slow->view, 100, slow->exclusive);
    return NULL;
}

static void run_all(struct slow *slow, int count)
{
    for (int i = 0; i < count; i++)
        pthread_create(&slow[i].thread, NULL, run_slow, &slow[i]);
    for (int i = 0; i < count; i++)
        pthread_join(slow[i].thread, NULL);
}

static void serialised(void)
{
    struct slow slow[4] = {0};
    Open(server, 0, &slow[0].session);
    for (int i = 1; i < 4; i++)
        slow[i].session = slow[0].session;
    run_all(slow, 4);
    for (int i = 0; i < 4; i++)
        CHECK(slow[i].most == 1);
    Close(&slow[0].session);

    struct slow shared[4] = {0};
    shared[0].view = OpenView(server);
    for (int i = 1; i < 4; i++)
        shared[i].view = shared[0].view;
    run_all(shared, 4);
    int together = 0;
    for (int i = 0; i < 4; i++)
        together += shared[i].most > 1;
    CHECK(together > 0);
    for (int i = 0; i < 4; i++)
        shared[i].exclusive = 1;
    run_all(shared, 4);
    for (int i = 0; i < 4; i++)
        CHECK(shared[i].most == 1);
    CloseView(&shared[0].view);
}

/* A call that waits for the session until it is closed finds it gone. */
static void *run_close(void *arg)
{
    SESSION *session = arg;
    usleep(30000);
    Close(session);
    return NULL;
}

static void *run_late(void *arg)
{
    struct slow *slow = arg;
    usleep(60000);
    slow->most = RAISED(Add(slow->session, 1));
    return NULL;
}

static void closed_while_waiting(void)
{
    struct slow slow = {0}, late = {0};
    pthread_t closer;
    Open(server, 0, &slow.session);
    late.session = slow.session;
    SESSION closing = slow.session;
    pthread_create(&slow.thread, NULL, run_slow, &slow);
    pthread_create(&closer, NULL, run_close, &closing);
    pthread_create(&late.thread, NULL, run_late, &late);
    pthread_join(slow.thread, NULL);
    pthread_join(closer, NULL);
    pthread_join(late.thread, NULL);
    CHECK(slow.most == 1);
    CHECK(closing == NULL);
    CHECK(late.most == RPC_X_SS_CONTEXT_MISMATCH);
}

static void strict(void)
{
    COUNTERS before = counters();
    SESSION session;
    Open(server, 0, &session);
    LOCK lock = Lock(server), other = session;
    CHECK(RAISED(Unlock(&other)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(RAISED(Add(lock, 1)) == RPC_X_SS_CONTEXT_MISMATCH);
    Unlock(&lock);
    CHECK(Add(session, 1) == 1);
    Close(&session);
    CHECK(counters().live == before.live);
}

static void plain(void)
{
    void *plain = NULL;
    OpenPlain(server, &plain);
    CHECK(plain != NULL);
    void *kept = plain;
    ClosePlain(&plain);
    CHECK(plain == NULL);
    CHECK(RAISED(ClosePlain(&kept)) == RPC_X_SS_CONTEXT_MISMATCH);
}

/* More than a client may have: refused, and nothing is left of it. */
static void flood(void)
{
    COUNTERS before = counters();
    RPC_STATUS status = RPC_S_OK;
    int count = 0;
    for (; count < 20000 && status == RPC_S_OK; count++) {
        SESSION session = NULL;
        status = RAISED(Open(server, 0, &session));
    }
    CHECK(status == RPC_S_OUT_OF_RESOURCES);
    CHECK(count == 16384 + 1);
    for (int i = 0; i < 200 && counters().live != before.live + 16384; i++)
        usleep(10000);
    CHECK(counters().live == before.live + 16384);
}

/* Opens three sessions on more than one connection and waits. */
static void hold(void)
{
    SESSION session[3];
    struct slow slow[2] = {0};
    for (int i = 0; i < 3; i++)
        Open(server, i, &session[i]);
    slow[0].session = session[0];
    slow[1].session = session[1];
    run_all(slow, 2);
    CHECK(Add(session[2], 1) == 3);
    puts("held");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        CHECK(Add(session[0], 0) == 0);
}

/* ---- Other handles --------------------------------------------------------------- */

static void implicit(void)
{
    CHECK(RAISED(Implicit(1)) == RPC_S_INVALID_BINDING);
    the_server = server;
    CHECK(Implicit(41) == 42);
    SESSION session = NULL;
    OpenImplicit(&session);
    CHECK(Add(session, 1) == 6);
    Close(&session);
    the_server = NULL;
    CHECK(RAISED(OpenImplicit(&session)) == RPC_S_INVALID_BINDING);
}

int bound, unbound;

handle_t __RPC_USER PLACE_bind(PLACE place)
{
    if (strcmp((const char *)place, "nowhere") == 0)
        return NULL;
    bound++;
    return server;
}

void __RPC_USER PLACE_unbind(PLACE place, handle_t binding)
{
    (void)place;
    CHECK(binding == server);
    unbound++;
}

static void generic(void)
{
    unsigned char here[] = "here", nowhere[] = "nowhere";
    PLACE place = here;
    CHECK(Generic(here, 6) == 10);
    CHECK(GenericPointer(&place, 0) == 4);
    CHECK(RAISED(GenericPointer(&place, 4714)) == 4714);
    CHECK(bound == 3 && unbound == 3);
    CHECK(RAISED(Generic(nowhere, 0)) == RPC_S_INVALID_BINDING);
    CHECK(RAISED(GenericPointer(NULL, 0)) == RPC_S_INVALID_BINDING);
    CHECK(bound == 3 && unbound == 3);
}

static void automatic(void)
{
    CHECK(Automatic(21) == 42);
    CHECK(Automatic(4) == 8);
}

/* ---- Failures as codes, and calls without answers --------------------------------- */

static void status(void)
{
    error_status_t comm = 1, fault = 1;
    handle_t nowhere;
    unsigned char text[] = "ncalrpc:[test-handles-nobody]";
    CHECK(RpcBindingFromStringBinding(text, &nowhere) == RPC_S_OK);

    CHECK(StatusResult(server, 0) == 0);
    CHECK(StatusResult(server, 5) == 5);
    CHECK(StatusResult(server, -4717) == 4717);
    CHECK(StatusResult(nowhere, 0) == RPC_S_SERVER_UNAVAILABLE);
    CHECK(StatusResult(NULL, 0) == RPC_S_INVALID_BINDING);

    CHECK(StatusParams(server, 0, &comm, &fault) == 1);
    CHECK(comm == 0 && fault == 0);
    CHECK(StatusParams(server, 7, &comm, &fault) == 8);
    CHECK(comm == 7 && fault == 0);
    StatusParams(server, -4718, &comm, &fault);
    CHECK(comm == 0 && fault == 4718);
    StatusParams(nowhere, 0, &comm, &fault);
    CHECK(comm == RPC_S_SERVER_UNAVAILABLE && fault == 0);

    OnlyFault(server, 4719, &fault);
    CHECK(fault == 4719);
    OnlyFault(server, 0, &fault);
    CHECK(fault == 0);
    CHECK(RAISED(OnlyFault(nowhere, 0, &fault)) == RPC_S_SERVER_UNAVAILABLE);
    RpcBindingFree(&nowhere);
}

static void maybe(void)
{
    int32_t before = Sum(server);
    for (int i = 1; i <= 100; i++)
        MaybeAdd(server, i);
    for (int i = 0; i < 500 && Sum(server) != before + 5050; i++)
        usleep(10000);
    CHECK(Sum(server) == before + 5050);
}

/* ---- Memory --------------------------------------------------------------------------- */

static int allocated;

static void *__RPC_USER counting_allocate(size_t size)
{
    allocated++;
    return malloc(size);
}

static void __RPC_USER counting_free(void *object)
{
    allocated--;
    free(object);
}

static void memory(void)
{
    NODE first;
    RPC_STATUS status;
    CHECK(RpcSmAllocate(10, &status) == NULL && status == RPC_S_OUT_OF_MEMORY);
    CHECK(RAISED(RpcSsAllocate(10)) == RPC_S_OUT_OF_MEMORY);
    CHECK(RpcSmClientFree(NULL) == RPC_S_INVALID_ARG);

    /* What the stub allocates is in this thread's environment. */
    RpcSsEnableAllocate();
    CHECK(RpcSsGetThreadHandle() != NULL);
    RpcSsSetClientAllocFree(RpcSsAllocate, RpcSsFree);
    List(server, 1000, &first);
    int32_t sum = 0;
    for (const NODE *node = &first; node; node = node->next)
        sum += node->value;
    CHECK(sum == 500500);
    CHECK(Length(server, &first) == 1000);
    CHECK(Length(server, NULL) == 0);
    RpcSsDisableAllocate();
    CHECK(RpcSsGetThreadHandle() == NULL);

    RPC_CLIENT_ALLOC *old_allocate;
    RPC_CLIENT_FREE *old_free;
    RpcSsSwapClientAllocFree(counting_allocate, counting_free, &old_allocate, &old_free);
    CHECK(old_allocate == RpcSsAllocate && old_free == RpcSsFree);
    List(server, 3, &first);
    CHECK(allocated == 2);
    RpcSsClientFree(first.next->next);
    RpcSsClientFree(first.next);
    CHECK(allocated == 0);
    CHECK(RpcSmSetClientAllocFree(counting_allocate, NULL) == RPC_S_INVALID_ARG);
    RpcSsSetClientAllocFree(NULL, NULL);
}

static void notify(void)
{
    int32_t before[3], now[3] = {0};
    Notified(server, &before[0], &before[1], &before[2]);
    Notify(server, 1);
    CHECK(RAISED(Notify(server, 0)) == 4720);
    CHECK(RAISED(Notify(server, 11)) == RPC_X_BAD_STUB_DATA); /* not called */
    for (int i = 0; i < 500 && (now[0] != before[0] + 3 || now[1] != before[1] + 3); i++) {
        usleep(10000);
        Notified(server, &now[0], &now[1], &now[2]);
    }
    CHECK(now[0] == before[0] + 3);
    CHECK(now[1] == before[1] + 3);
    CHECK(now[2] == before[2] + 1);
}

/* ---- Asynchronous calls, and interfaces that go away ------------------------------------ */

/* Giving a call up costs its connection, but not the contexts. */
static void cancelled(void)
{
    RPC_ASYNC_STATE async;
    SESSION session;
    Open(server, 8, &session);
    for (int i = 0; i < 5; i++) {
        CHECK(RpcAsyncInitializeHandle(&async, sizeof(async)) == RPC_S_OK);
        async.NotificationType = RpcNotificationTypeNone;
        Forever(&async, session);
        usleep(20000);
        CHECK(RpcAsyncCancelCall(&async, TRUE) == RPC_S_OK);
        CHECK(RpcAsyncCompleteCall(&async, NULL) == RPC_S_CALL_CANCELLED);
        usleep(50000);
        CHECK(RAISED(Add(session, 0)) == RPC_S_OK);
    }
    Close(&session);
}

static void withdrawn(void)
{
    COUNTERS before = counters();
    LOCK lock = Lock(server);
    SESSION session;
    Open(server, 8, &session);
    Withdraw(server);
    for (int i = 0; i < 500 && counters().rundowns != before.rundowns + 1; i++)
        usleep(10000);
    CHECK(counters().rundowns == before.rundowns + 1);
    CHECK(RAISED(Unlock(&lock)) == RPC_X_SS_CONTEXT_MISMATCH);
    CHECK(Add(session, 0) == 8);
    Close(&session);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"session", session},
    {"null_and_garbage", null_and_garbage},
    {"binding_of_context", binding_of_context},
    {"destroyed", destroyed},
    {"raised", raised},
    {"serialised", serialised},
    {"closed_while_waiting", closed_while_waiting},
    {"strict", strict},
    {"plain", plain},
    {"flood", flood},
    {"implicit", implicit},
    {"generic", generic},
    {"automatic", automatic},
    {"status", status},
    {"maybe", maybe},
    {"memory", memory},
    {"notify", notify},
    {"cancelled", cancelled},
    {"withdrawn", withdrawn},
    {"hold", hold},
    {"async_generic", async_generic},
    {"async_generic_pipe", async_generic_pipe},
    {"async_implicit", async_implicit},
    {"async_context_pipes", async_context_pipes},
    {"data_sized", data_sized},
    {"data_closed", data_closed},
    {"data_structures", data_structures},
    {"data_deep", data_deep},
    {"data_unsent", data_unsent},
    {"data_raised", data_raised},
    {"data_crossing", data_crossing},
    {"data_too_many", data_too_many},
};

int main(int argc, char **argv)
{
    if (argc != 3 || RpcBindingFromStringBinding((RPC_CSTR)argv[1], &server) != RPC_S_OK)
        return 2;
    bool known = false;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[2]) != 0)
            continue;
        known = true;
        RPC_STATUS status = RAISED(cases[i].run());
        CHECK(status == RPC_S_OK);
        if (status != RPC_S_OK)
            printf("raised %d\n", (int)status);
    }
    CHECK(known);
    if (failures == 0)
        puts("ok");
    RpcBindingFree(&server);
    return failures != 0;
}
