/* SPDX-License-Identifier: MIT */
/* server.c - serves handles.idl on the endpoints named by its arguments
 * (PROTSEQ:ENDPOINT) until its standard input ends; counts what is alive. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../detached.h"
#include "../endpoint.h"
#include "server.h"

#define MAGIC 0x5e551040

struct view {
    struct session session;
};

static atomic_int live, rundowns;
atomic_int wrong;

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}

struct session *session_new(int32_t seed)
{
    struct session *session = calloc(1, sizeof(struct view));
    session->magic = MAGIC;
    session->total = seed;
    live++;
    return session;
}

void session_free(struct session *session)
{
    if (session->magic != MAGIC || session->running != 0)
        wrong++;
    session->magic = 0;
    free(session);
    live--;
}

struct session *check(void *value)
{
    struct session *session = value;
    if (session->magic != MAGIC)
        wrong++;
    return session;
}

int32_t stay(struct session *session, int32_t ms)
{
    int32_t most = ++session->running;
    for (int32_t waited = 0; waited < ms; waited += 5) {
        usleep(5000);
        if (session->running > most)
            most = session->running;
    }
    session->running--;
    return most;
}

/* ---- Rundown ---------------------------------------------------------------- */

void __RPC_USER SESSION_rundown(SESSION session)
{
    rundowns++;
    session_free(check(session));
}

void __RPC_USER VIEW_rundown(VIEW view)
{
    rundowns++;
    session_free(check(view));
}

void __RPC_USER LOCK_rundown(LOCK lock)
{
    rundowns++;
    session_free(check(lock));
}

/* ---- interface handles --------------------------------------------------------- */

void Counters(handle_t h, COUNTERS *counters)
{
    (void)h;
    *counters = (COUNTERS){.live = live, .rundowns = rundowns, .wrong = wrong};
}

int32_t Open(handle_t h, int32_t seed, SESSION *session)
{
    (void)h;
    *session = session_new(seed);
    return seed;
}

int32_t Add(SESSION session, int32_t n)
{
    return check(session)->total += n;
}

void Renew(SESSION *session)
{
    struct session *old = check(*session);
    *session = session_new(old->total);
    session_free(old);
}

void Close(SESSION *session)
{
    session_free(check(*session));
    *session = NULL;
}

SESSION Make(handle_t h, int32_t seed)
{
    (void)h;
    return session_new(seed);
}

int32_t Slow(SESSION session, int32_t ms)
{
    return stay(check(session), ms);
}

VIEW OpenView(handle_t h)
{
    (void)h;
    return (VIEW)session_new(0);
}

int32_t SlowView(VIEW view, int32_t ms, int32_t exclusive)
{
    check(view);
    if (!exclusive)
        return stay(&view->session, ms);
    RPC_STATUS status = RpcSsContextLockExclusive(NULL, view);
    if (status != RPC_S_OK && status != ERROR_MORE_WRITES)
        RpcRaiseException(status);
    int32_t most = stay(&view->session, ms);
    status = RpcSsContextLockShared(NULL, view);
    return status == RPC_S_OK ? most : -status;
}

void CloseView(VIEW *view)
{
    session_free(check(*view));
    *view = NULL;
}

int32_t Both(SESSION a, SESSION b)
{
    return check(a)->total + check(b)->total;
}

void Raise(SESSION *session, int32_t code, int32_t free_it)
{
    check(*session);
    if (free_it)
        Close(session);
    RpcRaiseException(code);
}

void OpenAndRaise(handle_t h, SESSION *session)
{
    (void)h;
    (void)session; /* nothing was opened */
    RpcRaiseException(4711);
}

void OpenSlowly(handle_t h, int32_t ms, SESSION *session)
{
    (void)h;
    usleep((useconds_t)ms * 1000);
    *session = session_new(0);
}

void OpenPlain(handle_t h, void **plain)
{
    static int anything;
    (void)h;
    *plain = &anything;
}

void ClosePlain(void **plain)
{
    *plain = NULL;
}

/* ---- The other interfaces ------------------------------------------------------- */

LOCK Lock(handle_t h)
{
    (void)h;
    return session_new(0);
}

void Unlock(LOCK *lock)
{
    session_free(check(*lock));
    *lock = NULL;
}

int32_t Implicit(int32_t n)
{
    return n + 1;
}

void OpenImplicit(SESSION *session)
{
    if (*session)
        wrong++;
    *session = session_new(5);
}

int32_t Generic(PLACE place, int32_t n)
{
    return (int32_t)strlen((const char *)place) + n;
}

int32_t GenericPointer(PLACE *place, int32_t code)
{
    if (code)
        RpcRaiseException(code);
    return (int32_t)strlen((const char *)*place);
}

int32_t Automatic(int32_t n)
{
    return n * 2;
}

error_status_t StatusResult(handle_t h, int32_t code)
{
    (void)h;
    if (code < 0)
        RpcRaiseException(-code);
    return (error_status_t)code;
}

int32_t StatusParams(handle_t h, int32_t code, error_status_t *comm, error_status_t *fault)
{
    (void)h;
    if (*fault != 0) /* storage of the stub */
        wrong++;
    if (code < 0)
        RpcRaiseException(-code);
    *comm = (error_status_t)code;
    *fault = 99; /* goes nowhere */
    return code + 1;
}

void OnlyFault(handle_t h, int32_t code, error_status_t *fault)
{
    (void)h;
    (void)fault;
    if (code)
        RpcRaiseException(code);
}

static atomic_int sum;

void MaybeAdd(handle_t h, int32_t n)
{
    (void)h;
    sum += n;
    if (n == 1)
        RpcRaiseException(4716); /* nobody hears it */
}

int32_t Sum(handle_t h)
{
    (void)h;
    return sum;
}

/* ---- interface handles_memory ---------------------------------------------------- */

struct work {
    RPC_SS_THREAD_HANDLE memory;
    int32_t count;
    NODE *first;
};

static void *make_list(void *arg)
{
    struct work *work = arg;
    RpcSsSetThreadHandle(work->memory);
    NODE *last = work->first;
    for (int32_t i = 2; i <= work->count; i++) {
        last->next = RpcSsAllocate(sizeof(*last));
        last = last->next;
        last->value = i;
        last->next = NULL;
        RpcSsFree(RpcSsAllocate(100));
        RpcSsAllocate(10); /* freed with the call */
    }
    return NULL;
}

void List(handle_t h, int32_t n, NODE *first)
{
    struct work work = {.memory = RpcSsGetThreadHandle(), .count = n, .first = first};
    pthread_t thread;
    (void)h;
    RpcSsEnableAllocate(); /* there is one */
    RpcSsDisableAllocate();
    if (!work.memory || RpcSsGetThreadHandle() != work.memory)
        wrong++;
    first->value = 1;
    first->next = NULL;
    pthread_create(&thread, NULL, make_list, &work);
    pthread_join(thread, NULL);
}

int32_t Length(handle_t h, NODE *list)
{
    int32_t length = 0;
    (void)h;
    for (; list; list = list->next)
        length++;
    return length;
}

static atomic_int notified, flagged, not_called;

void __RPC_USER Notify_notify(void)
{
    notified++;
}

void __RPC_USER Notify_notify_flag(boolean called)
{
    flagged++;
    not_called += !called;
}

void Notify(handle_t h, int32_t n)
{
    (void)h;
    if (RpcSsGetThreadHandle())
        wrong++;
    if (n == 0)
        RpcRaiseException(4720);
}

void Notified(handle_t h, int32_t *notified_out, int32_t *flagged_out, int32_t *not_called_out)
{
    (void)h;
    *notified_out = notified;
    *flagged_out = flagged;
    *not_called_out = not_called;
}

/* ---- interface handles_async ---------------------------------------------------- */

static void *wait_for_cancel(void *arg)
{
    PRPC_ASYNC_STATE async = arg;
    RPC_STATUS status;
    while ((status = RpcServerTestCancel(RpcAsyncGetCallHandle(async))) == RPC_S_CALL_IN_PROGRESS)
        usleep(5000);
    RpcAsyncAbortCall(async, RPC_S_CALL_CANCELLED);
    return NULL;
}

void Forever(PRPC_ASYNC_STATE async, SESSION session)
{
    check(session);
    if (!start_detached(wait_for_cancel, async))
        RpcRaiseException(RPC_S_OUT_OF_THREADS);
}

void Withdraw(handle_t h)
{
    (void)h;
    if (RpcServerUnregisterIfEx(handles_strict_v1_0_s_ifspec, NULL, 1) != RPC_S_OK ||
        RpcServerRegisterIf(handles_strict_v1_0_s_ifspec, NULL, NULL) != RPC_S_OK)
        wrong++;
}

/* ---- main -------------------------------------------------------------------------- */

static int complain(const char *what, RPC_STATUS status)
{
    fprintf(stderr, "%s: %d\n", what, (int)status);
    return 1;
}

int main(int argc, char **argv)
{
    const RPC_IF_HANDLE interfaces[] = {handles_v1_0_s_ifspec, handles_strict_v1_0_s_ifspec,
                                        handles_implicit_v1_0_s_ifspec,
                                        handles_generic_v1_0_s_ifspec, handles_auto_v1_0_s_ifspec,
                                        handles_status_v1_0_s_ifspec, handles_memory_v1_0_s_ifspec,
                                        handles_async_v1_0_s_ifspec, handles_data_v1_0_s_ifspec,
                                        handles_async_implicit_v1_0_s_ifspec,
                                        handles_async_place_v1_0_s_ifspec};
    const size_t interface_count = sizeof(interfaces) / sizeof(interfaces[0]);
    char automatic[] = "ncalrpc:test-handles-auto";
    RPC_STATUS status = use_endpoint(automatic);
    for (int i = 1; i < argc && status == RPC_S_OK; i++)
        status = use_endpoint(argv[i]);
    for (size_t i = 0; i < interface_count && status == RPC_S_OK; i++)
        status = RpcServerRegisterIf(interfaces[i], NULL, NULL);
    if (status == RPC_S_OK)
        status = RpcServerListen(1, RPC_C_LISTEN_MAX_CALLS_DEFAULT, TRUE);
    if (status != RPC_S_OK)
        return complain("starting", status);
    puts("ready");
    fflush(stdout);
    char octet;
    while (read(STDIN_FILENO, &octet, 1) > 0)
        ;
    status = RpcMgmtStopServerListening(NULL);
    if (status == RPC_S_OK)
        status = RpcMgmtWaitServerListen();
    return status == RPC_S_OK ? 0 : complain("stopping", status);
}
