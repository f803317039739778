/* SPDX-License-Identifier: MIT */
/* call_run.c - starts a call, waits for it and collects it.
 *
 * Every call is asynchronous, so that Ctrl-C can cancel it: signals are taken by a thread
 * of their own, because a push may block and a program's input may never come.
 *
 *     main thread    call --> push ... pull ... --> wait for the event --> complete
 *     signal thread  sigwait: 1 RpcAsyncCancelCall(FALSE)  2 (TRUE)  3 _exit */
#include "call_run.h"

#include "penstock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <penstock/win32.h>

/* ---- Signals --------------------------------------------------------------------------------- */

struct watcher {
    struct call_run *run;
    pthread_t thread;
    sigset_t signals, before;
    atomic_uint seen; /* signals so far */
    atomic_bool done; /* the thread is to end */
};

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void *watch(void *arg)
{
    struct watcher *watcher = arg;
    int number;
    for (;;) {
        if (sigwait(&watcher->signals, &number) != 0)
            continue;
        if (atomic_load(&watcher->done))
            return NULL;
        unsigned seen = atomic_fetch_add(&watcher->seen, 1) + 1;
        if (seen > 2)
            _exit(EXIT_CANCELLED);
        say(seen == 1 ? "\npenstock: cancelling the call; once more to give it up at once\n"
                      : "penstock: giving the call up\n");
        uint64_t one = 1;
        ssize_t ignored = write(watcher->run->cancel_fd, &one, sizeof(one));
        (void)ignored;
        if (atomic_load(&watcher->run->begun)) /* else who begins it looks at cancel_fd */
            RpcAsyncCancelCall(&watcher->run->async, seen == 2);
    }
}

static bool watcher_start(struct watcher *watcher)
{
    sigemptyset(&watcher->signals);
    sigaddset(&watcher->signals, SIGINT);
    sigaddset(&watcher->signals, SIGTERM);
    sigaddset(&watcher->signals, SIGUSR1); /* ours: to end */
    pthread_sigmask(SIG_BLOCK, &watcher->signals, &watcher->before);
    if (pthread_create(&watcher->thread, NULL, watch, watcher) == 0)
        return true;
    pthread_sigmask(SIG_SETMASK, &watcher->before, NULL);
    return false;
}

static void watcher_stop(struct watcher *watcher)
{
    atomic_store(&watcher->done, true);
    pthread_kill(watcher->thread, SIGUSR1);
    pthread_join(watcher->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &watcher->before, NULL);
}

/* ---- Waiting ---------------------------------------------------------------------------------- */

enum call_wait call_wait(struct call_run *run, int fd)
{
    struct pollfd fds[3] = {{.fd = run->event_fd, .events = POLLIN},
                            {.fd = fd, .events = POLLIN},
                            {.fd = fd < 0 ? -1 : run->cancel_fd, .events = POLLIN}};
    for (;;) {
        int timeout = progress_wait_ms(&run->progress);
        int n = poll(fds, 3, timeout);
        progress_tick(&run->progress);
        if (n < 0 && errno != EINTR)
            return CALL_WAIT_EVENT;
        if (n <= 0)
            continue;
        if (fds[0].revents) {
            HANDLE event = run->async.u.hEvent;
            RpcxWaitForMultipleObjectsEx(1, &event, FALSE, 0, FALSE); /* consumes it */
            return CALL_WAIT_EVENT;
        }
        if (fds[2].revents)
            return CALL_WAIT_CANCELLED;
        if (fds[1].revents)
            return CALL_WAIT_READY;
    }
}

static RPC_STATUS collect(struct call_run *run, void *reply)
{
    for (;;) {
        RPC_STATUS status = RpcAsyncGetCallStatus(&run->async);
        if (status != RPC_S_ASYNC_CALL_PENDING)
            break;
        call_wait(run, -1);
    }
    return RpcAsyncCompleteCall(&run->async, reply);
}

/* ---- The call --------------------------------------------------------------------------------- */

static RPC_STATUS begin(const RPC_CLIENT_INTERFACE *spec, const NDR_OPERATION *operation,
                        struct call_run *run, uint8_t *frame)
{
    volatile RPC_STATUS status = RPC_S_OK;
    PRPC_ASYNC_STATE async = &run->async;
    RpcTryExcept
    {
        if (operation->flags & NDR_OP_ASYNC) {
            memcpy(frame, &async, sizeof(async));
            NdrxAsyncClientCall(spec, operation->opnum, async, frame);
        } else {
            NdrxClientCall(spec, operation->opnum, frame);
        }
    }
    RpcExcept(1)
    {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    return status;
}

static void *result_of(const NDR_OPERATION *operation, uint8_t *frame)
{
    for (uint32_t i = 0; i < operation->param_count; i++) {
        if (operation->params[i].flags & NDR_PARAM_RETURN)
            return frame + operation->params[i].offset;
    }
    return NULL;
}

static RPC_STATUS run_call(struct call_run *run, const RPC_CLIENT_INTERFACE *spec,
                           const NDR_OPERATION *operation, uint8_t *frame)
{
    RPC_STATUS status = begin(spec, operation, run, frame);
    if (status != RPC_S_OK || !(operation->flags & NDR_OP_ASYNC))
        return status;
    atomic_store(&run->begun, true);
    struct pollfd cancelled = {.fd = run->cancel_fd, .events = POLLIN};
    if (poll(&cancelled, 1, 0) > 0) /* before there was a call to cancel */
        RpcAsyncCancelCall(&run->async, FALSE);
    progress_start(&run->progress);
    status = call_pipes_move(run);
    if (status == RPC_S_OK)
        status = collect(run, result_of(operation, frame));
    progress_stop(&run->progress);
    return status;
}

RPC_STATUS call_run(struct call_run *run, const RPC_CLIENT_INTERFACE *spec,
                    const NDR_OPERATION *operation, uint8_t *frame, bool *ret_cancelled)
{
    struct watcher watcher = {.run = run};
    RPC_STATUS status = RPC_S_OUT_OF_RESOURCES;
    *ret_cancelled = false;
    run->cancel_fd = eventfd(0, EFD_CLOEXEC);
    HANDLE event = RpcxCreateEvent(FALSE, FALSE);
    if (run->cancel_fd < 0 || !event)
        goto out;
    run->async.NotificationType = RpcNotificationTypeEvent;
    run->async.u.hEvent = event;
    run->event_fd = RpcxEventFd(event);
    if (!watcher_start(&watcher))
        goto out;
    status = run_call(run, spec, operation, frame);
    watcher_stop(&watcher);
    *ret_cancelled = atomic_load(&watcher.seen) > 0;
out:
    if (event)
        RpcxCloseHandle(event);
    if (run->cancel_fd >= 0)
        close(run->cancel_fd);
    return status;
}
