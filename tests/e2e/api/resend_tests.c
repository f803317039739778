/* SPDX-License-Identifier: MIT */
/* resend_tests.c - asynchronous calls whose connection ends between the look at it and their
 * first octet: sendmsg() is this program's, and sees to that. */
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "harness.h"

static atomic_int ending;    /* so many requests find their connection ended           */
static atomic_int taken_len; /* octets of such a request that the transport takes first */
static atomic_int ended;

static bool is_request(const struct msghdr *msg)
{
    return msg->msg_iovlen > 0 && msg->msg_iov[0].iov_len >= 16 &&
           ((const uint8_t *)msg->msg_iov[0].iov_base)[2] == 0; /* the PDU's type */
}

/* The runtime's, for the linker exports what a library of ours calls. */
ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    static _Atomic(void *) found; /* by whoever is first, and several may be */
    ssize_t (*real)(int, const struct msghdr *, int);
    void *symbol = found;
    if (!symbol)
        found = symbol = dlsym(RTLD_NEXT, "sendmsg");
    *(void **)&real = symbol;
    if (!is_request(msg) || atomic_fetch_sub(&ending, 1) <= 0)
        return real(fd, msg, flags);
    ended++;
    ssize_t n = taken_len;
    if (n > 0)
        n = send(fd, msg->msg_iov[0].iov_base, (size_t)n, flags | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    return n > 0 ? n : real(fd, msg, flags);
}

/* The next call is to have a connection from before. */
static RPC_BINDING_HANDLE connected(void)
{
    RPC_BINDING_HANDLE h = serve_here();
    CHECK_USABLE(h);
    return h;
}

static void end_next(int count, int taken)
{
    ended = 0;
    taken_len = taken;
    ending = count;
}

static void finish(struct caller *caller, struct served *served)
{
    int32_t answer = 7, reply = 0;
    CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
    EXPECT(caller, RpcCallComplete);
    CHECK_EQUAL(complete(caller, &reply), RPC_S_OK);
    CHECK_EQUAL(reply, 7);
    served_free(served);
    caller_fini(caller);
    CHECK(no_call());
}

/* Nothing was taken: another connection carries the call, and the program does not hear of it. */
static void started_over(void)
{
    RPC_BINDING_HANDLE h = connected();
    struct caller caller;
    end_next(1, 0);
    struct served *served = start_call(&caller, h, PLAIN, 0);
    CHECK_EQUAL(ended, 1);
    EXPECT_QUIET(&caller);
    finish(&caller, served);
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

/* The same with pipes: what is pushed while the other connection comes up is not lost. */
static void pipes_started_over(void)
{
    RPC_BINDING_HANDLE h = connected();
    struct caller caller;
    uint64_t pushed = 0, pulled = 0;
    uint8_t back[2];
    unsigned long n;
    end_next(1, 0);
    caller_init(&caller, 0);
    CHECK_EQUAL(caller_call(&caller, h, BOTH_PIPE, 3), RPC_S_OK);
    CHECK_EQUAL(push_pattern(&caller.pipe[0], &pushed, 300000, 7000), RPC_S_OK);
    CHECK_EQUAL(PUSH(&caller.pipe[0], NULL, 0), RPC_S_OK);
    CHECK_EQUAL(ended, 1);
    struct served *served = accept_call();
    CHECK_EQUAL(served->n, 3);
    CHECK_EQUAL(pull_pattern(&served->pipe[0], &pulled, 300000), RPC_S_OK);
    PULL_END(&served->pipe[0]);
    CHECK_EQUAL(PUSH(&served->pipe[0], "x", 1), RPC_S_OK);
    CHECK_EQUAL(PUSH(&served->pipe[0], NULL, 0), RPC_S_OK);
    int32_t answer = 7;
    CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
    CHECK_EQUAL(pull_polled(&caller.pipe[0], back, 2, &n), RPC_S_OK);
    CHECK(n == 1 && back[0] == 'x');
    PULL_END(&caller.pipe[0]);
    EXPECT(&caller, RpcCallComplete);
    CHECK_EQUAL(complete(&caller, NULL), RPC_S_OK);
    served_free(served);
    caller_fini(&caller);
    CHECK(no_call());
    RpcBindingFree(&h);
}

/* It fails, told once: with the connection that was opened for it, too; and at once where an
 * octet was taken, which may have been executed for all this side knows. */
static void not_started_over(void)
{
    RPC_BINDING_HANDLE h = connected();
    for (enum operation operation = PLAIN; operation <= IN_THEN_OUT; operation++) {
        for (int taken = 0; taken <= 20; taken += 20) {
            struct caller caller;
            CHECK_USABLE(h); /* which leaves an idle connection */
            end_next(2, taken);
            caller_init(&caller, 0);
            CHECK_EQUAL(caller_call(&caller, h, operation, 3), RPC_S_OK);
            EXPECT(&caller, RpcCallComplete);
            CHECK_EQUAL(ended, taken > 0 ? 1 : 2);
            ending = 0;
            CHECK_EQUAL(complete(&caller, NULL), RPC_S_CALL_FAILED);
            EXPECT_QUIET(&caller);
            caller_fini(&caller);
        }
    }
    CHECK(no_call());
    CHECK_USABLE(h);
    RpcBindingFree(&h);
}

static atomic_int told;

static void tell(PRPC_ASYNC_STATE async, void *context, RPC_ASYNC_EVENT event)
{
    (void)async;
    (void)context;
    CHECK_EQUAL(event, RpcCallComplete);
    told++;
}

/* A routine of the pool's threads hears of the second attempt alone. */
static void told_once(void)
{
    RPC_BINDING_HANDLE h = connected();
    for (int attempts = 1; attempts <= 2; attempts++) {
        struct caller caller;
        told = 0;
        CHECK_USABLE(h);
        end_next(attempts, 0);
        caller_init(&caller, 0);
        caller.async.NotificationType = RpcNotificationTypeCallback;
        caller.async.u.NotificationRoutine = tell;
        CHECK_EQUAL(caller_call(&caller, h, PLAIN, 5), RPC_S_OK);
        if (attempts == 1) {
            struct served *served = accept_call();
            CHECK_EQUAL(told, 0);
            int32_t answer = 7;
            CHECK_EQUAL(served_complete(served, &answer), RPC_S_OK);
            served_free(served);
        }
        for (uint64_t until = now_ms() + SOON_MS; told == 0 && now_ms() < until;)
            sleep_ms(1);
        ending = 0;
        CHECK_EQUAL(told, 1);
        CHECK_EQUAL(complete(&caller, NULL), attempts == 1 ? RPC_S_OK : RPC_S_CALL_FAILED);
        sleep_ms(NEVER_MS);
        CHECK_EQUAL(told, 1);
        caller_fini(&caller);
    }
    RpcBindingFree(&h);
}

const struct test resend_tests[] = {
    {"idle_connection_ends_under_a_request_started_over", started_over},
    {"idle_connection_ends_under_a_request_with_pipes", pipes_started_over},
    {"idle_connection_ends_under_a_request_taken_or_twice", not_started_over},
    {"AR-28_idle_connection_ends_told_once", told_once},
    {NULL, NULL},
};
