/* SPDX-License-Identifier: MIT */
/* exception_test.c - RpcTryExcept, RpcTryFinally, RpcRaiseException. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <penstock/rpc.h>

#include "runtime/exception.h"

/* What happened, in order, one letter each. */
static _Thread_local char story[64];

static void tell(char letter)
{
    size_t len = strlen(story);
    assert_true(len + 1 < sizeof(story));
    story[len] = letter;
    story[len + 1] = '\0';
}

static void assert_story(const char *expected)
{
    assert_string_equal(story, expected);
    story[0] = '\0';
}

static void raise_code(void *code)
{
    tell('r');
    RpcRaiseException(*(RPC_STATUS *)code);
}

static void throw_code(RPC_STATUS code)
{
    raise_code(&code);
}

/* No handler may be left over: an exception raised now would have to end the process,
 * which is seen without dying by running it under a fresh handler and looking whether
 * that one got it. */
static void assert_stack_is_empty(void)
{
    assert_int_equal(RpcExceptionCode(), 0);
    volatile int caught = 0;
    RpcTryExcept
    {
        RpcRaiseException(77);
    }
    RpcExcept(1)
    {
        caught = (int)RpcExceptionCode();
    }
    RpcEndExcept
    assert_int_equal(caught, 77);
}

static void a_no_exception(void **state)
{
    (void)state;
    RpcTryExcept
    {
        tell('t');
    }
    RpcExcept(1)
    {
        tell('x');
    }
    RpcEndExcept
    RpcTryFinally
    {
        tell('t');
    }
    RpcFinally
    {
        tell(RpcAbnormalTermination() ? 'A' : 'n');
    }
    RpcEndFinally
    assert_story("ttn");
    assert_stack_is_empty();
}

static void a_caught_from_a_called_function(void **state)
{
    (void)state;
    RpcTryExcept
    {
        throw_code(RPC_S_SERVER_UNAVAILABLE);
        tell('!');
    }
    RpcExcept(RpcExceptionCode() == RPC_S_SERVER_UNAVAILABLE)
    {
        assert_int_equal(RpcExceptionCode(), 1722);
        tell('x');
    }
    RpcEndExcept
    assert_story("rx");
    assert_stack_is_empty();
}

/* High codes come through as unsigned 32 bits, and 0 is a code like any other. */
static void b_codes(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0, 1, 1726, 0x1c00000d, 0xC0000005, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        volatile unsigned long seen = 1234567;
        RpcTryExcept
        {
            RpcRaiseException((RPC_STATUS)codes[i]);
        }
        RpcExcept(1)
        {
            seen = RpcExceptionCode();
        }
        RpcEndExcept
        assert_true(seen == codes[i]);
    }
    assert_stack_is_empty();
}

static void b_filter_passes_outward(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryExcept
        {
            throw_code(5);
        }
        RpcExcept((tell('f'), EXCEPTION_CONTINUE_SEARCH))
        {
            tell('!');
        }
        RpcEndExcept
        tell('!');
    }
    RpcExcept((tell('g'), EXCEPTION_CONTINUE_EXECUTION)) /* counts as 1 */
    {
        assert_int_equal(RpcExceptionCode(), 5);
        tell('x');
    }
    RpcEndExcept
    assert_story("rfgx");
    assert_stack_is_empty();
}

static void b_nested_inner_handles(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryExcept
        {
            throw_code(5);
        }
        RpcExcept(1)
        {
            tell('i');
        }
        RpcEndExcept
        tell('o');
    }
    RpcExcept(1)
    {
        tell('!');
    }
    RpcEndExcept
    assert_story("rio");
    assert_stack_is_empty();
}

static void b_raise_again_in_handler(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryExcept
        {
            throw_code(5);
        }
        RpcExcept(1)
        {
            tell('i');
            throw_code((RPC_STATUS)RpcExceptionCode() + 1);
        }
        RpcEndExcept
    }
    RpcExcept(1)
    {
        assert_int_equal(RpcExceptionCode(), 6);
        tell('o');
    }
    RpcEndExcept
    assert_story("riro");
    assert_stack_is_empty();
}

static void b_raise_in_filter(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryExcept
        {
            throw_code(5);
        }
        RpcExcept((throw_code(9), 1))
        {
            tell('!');
        }
        RpcEndExcept
    }
    RpcExcept(1)
    {
        assert_int_equal(RpcExceptionCode(), 9);
        tell('o');
    }
    RpcEndExcept
    assert_story("rro");
    assert_stack_is_empty();
}

/* The code of the outer exception is there again after a whole block inside the
 * handler has come and gone. */
static void b_block_inside_handler(void **state)
{
    (void)state;
    RpcTryExcept
    {
        throw_code(5);
    }
    RpcExcept(1)
    {
        RpcTryExcept
        {
            assert_int_equal(RpcExceptionCode(), 5);
            throw_code(6);
        }
        RpcExcept(1)
        {
            assert_int_equal(RpcExceptionCode(), 6);
        }
        RpcEndExcept
        assert_int_equal(RpcExceptionCode(), 5);
        tell('x');
    }
    RpcEndExcept
    assert_story("rrx");
    assert_stack_is_empty();
}

static void b_finally_on_the_way_out(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryFinally
        {
            RpcTryFinally
            {
                throw_code(5);
            }
            RpcFinally
            {
                tell(RpcAbnormalTermination() ? 'A' : 'n');
            }
            RpcEndFinally
            tell('!');
        }
        RpcFinally
        {
            tell(RpcAbnormalTermination() ? 'B' : 'n');
            RpcTryFinally /* a block of its own, entered and left in good order */
            {
                tell('t');
            }
            RpcFinally
            {
                tell(RpcAbnormalTermination() ? '!' : 'n');
            }
            RpcEndFinally
            tell(RpcAbnormalTermination() ? 'B' : '!');
        }
        RpcEndFinally
        tell('!');
    }
    RpcExcept(1)
    {
        assert_int_equal(RpcExceptionCode(), 5);
        tell('x');
    }
    RpcEndExcept
    assert_story("rABtnBx");
    assert_stack_is_empty();
}

static void b_raise_in_finally_replaces(void **state)
{
    (void)state;
    RpcTryExcept
    {
        RpcTryFinally
        {
            throw_code(5);
        }
        RpcFinally
        {
            throw_code(6);
        }
        RpcEndFinally
    }
    RpcExcept(1)
    {
        assert_int_equal(RpcExceptionCode(), 6);
        tell('x');
    }
    RpcEndExcept
    assert_story("rrx");
    assert_stack_is_empty();
}

/* Leaves a guarded block, a handler or a finally block by return. */
static int leave_by_return(int where)
{
    RpcTryExcept
    {
        if (where == 0)
            return 10;
        throw_code(5);
    }
    RpcExcept(1)
    {
        if (where == 1)
            return 11;
    }
    RpcEndExcept
    RpcTryFinally
    {
        if (where == 2)
            return 12;
    }
    RpcFinally
    {
        if (where == 3)
            return 13;
    }
    RpcEndFinally
    return 14;
}

static void c_return_removes_the_handler(void **state)
{
    (void)state;
    for (int where = 0; where <= 4; where++) {
        assert_int_equal(leave_by_return(where), 10 + where);
        story[0] = '\0';
        assert_stack_is_empty();
        /* An enclosing handler gets what is raised after the return. */
        volatile RPC_STATUS seen = 0;
        RpcTryExcept
        {
            (void)leave_by_return(where);
            RpcRaiseException(21);
        }
        RpcExcept(1)
        {
            seen = (RPC_STATUS)RpcExceptionCode();
        }
        RpcEndExcept
        story[0] = '\0';
        assert_int_equal(seen, 21);
    }
}

static void c_break_continue_goto_remove_the_handler(void **state)
{
    (void)state;
    volatile int rounds = 0;
    for (int i = 0; i < 10; i++) {
        rounds++;
        RpcTryExcept
        {
            if (i < 5)
                continue;
            if (i == 7)
                break;
            throw_code(5);
        }
        RpcExcept(1)
        {
            if (i == 5)
                continue;
        }
        RpcEndExcept
    }
    assert_int_equal(rounds, 8);
    story[0] = '\0';
    assert_stack_is_empty();
    RpcTryExcept
    {
        goto out;
    }
    RpcExcept(1)
    {
        tell('!');
    }
    RpcEndExcept
out:
    assert_story("");
    assert_stack_is_empty();
}

/* Deep frames vanish in one jump, and their handlers with them. */
static void descend(int depth)
{
    RpcTryExcept
    {
        if (depth == 0)
            RpcRaiseException(31);
        descend(depth - 1);
    }
    RpcExcept(RpcExceptionCode() == 32)
    {
        tell('!');
    }
    RpcEndExcept
}

static void c_deep(void **state)
{
    (void)state;
    volatile RPC_STATUS seen = 0;
    RpcTryExcept
    {
        descend(1000);
    }
    RpcExcept(1)
    {
        seen = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    assert_int_equal(seen, 31);
    assert_story("");
    assert_stack_is_empty();
}

#if defined(__GNUC__) && !defined(__clang__)
/* Without volatile, at every level of optimisation (rpc.h promises it for GCC). */
static void __attribute__((noinline)) raise_at(int i, int when)
{
    if (i == when)
        RpcRaiseException(5);
}

static void c_locals_survive(void **state)
{
    (void)state;
    int count = 0, sum = 0, last = -1;
    RpcTryExcept
    {
        for (int i = 0; i <= 100; i++) {
            count++;
            sum += i;
            raise_at(i, 100);
            last = i;
        }
    }
    RpcExcept(1)
    {
        assert_int_equal(count, 101);
        sum++;
    }
    RpcEndExcept
    assert_int_equal(count, 101);
    assert_int_equal(sum, 5051);
    assert_int_equal(last, 99);
}
#endif

/* ---- Catching for the dispatcher ---------------------------------------- */

static void just_return(void *arg)
{
    *(int *)arg += 1;
}

static void c_exception_run(void **state)
{
    (void)state;
    bool raised = true;
    int calls = 0;
    assert_int_equal(exception_run(just_return, &calls, &raised), RPC_S_OK);
    assert_false(raised);
    assert_int_equal(calls, 1);
    RPC_STATUS code = RPC_S_INVALID_BOUND;
    assert_int_equal(exception_run(raise_code, &code, &raised), RPC_S_INVALID_BOUND);
    assert_true(raised);
    code = 0; /* raised, although the code says success */
    assert_int_equal(exception_run(raise_code, &code, &raised), 0);
    assert_true(raised);
    assert_story("rr");
    assert_stack_is_empty();
}

/* ---- Threads ------------------------------------------------------------- */

static void *raise_often(void *arg)
{
    uintptr_t me = (uintptr_t)arg;
    volatile uintptr_t right = 0;
    for (uintptr_t i = 0; i < 20000; i++) {
        RpcTryExcept
        {
            RpcRaiseException((RPC_STATUS)(me * 100000 + i));
        }
        RpcExcept(1)
        {
            right += RpcExceptionCode() == me * 100000 + i;
        }
        RpcEndExcept
    }
    return (void *)right;
}

static void c_threads_have_their_own_handlers(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, raise_often, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++) {
        void *right;
        pthread_join(threads[i], &right);
        assert_int_equal((uintptr_t)right, 20000);
    }
}

/* ---- Nobody handles it --------------------------------------------------- */

static void *raise_on_thread(void *arg)
{
    raise_code(arg);
    return NULL;
}

/* Runs in a child, whose standard error it reads; gives the signal that ended it. */
static int death_of_child(bool on_thread, char *ret_text, size_t room)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        dup2(fds[1], STDERR_FILENO);
        static RPC_STATUS code = RPC_S_CALL_FAILED;
        if (on_thread) {
            /* The handler of this thread must not get what the other one raises. */
            RpcTryExcept
            {
                pthread_t thread;
                pthread_create(&thread, NULL, raise_on_thread, &code);
                pthread_join(thread, NULL);
            }
            RpcExcept(1)
            {
                _exit(1);
            }
            RpcEndExcept
        } else {
            raise_code(&code);
        }
        _exit(0);
    }
    close(fds[1]);
    size_t len = 0;
    ssize_t n;
    while (len < room - 1 && (n = read(fds[0], ret_text + len, room - 1 - len)) > 0)
        len += (size_t)n;
    ret_text[len] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void c_unhandled_aborts(void **state)
{
    (void)state;
    for (int on_thread = 0; on_thread <= 1; on_thread++) {
        char text[512];
        assert_int_equal(death_of_child(on_thread, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, "1726"));
        assert_non_null(strstr(text, "RPC_S_CALL_FAILED"));
    }
}

static void b_exception_filter(void **state)
{
    (void)state;
    static const unsigned long fatal[] = {
        0x80000001, 0x80000002, 0x80000003, 0xC0000005, 0xC0000006, 0xC000001D, 0xC0000096,
        0xC00000AA, 0xC00000FD, 0xC0000194, 0xC0000235, 0xC00002C9, 0xC0000409, 0xC0000420,
    };
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        assert_int_equal(RpcExceptionFilter(fatal[i]), EXCEPTION_CONTINUE_SEARCH);
    int passed = 0;
    for (unsigned long code = 0; code < 0x10000; code++)
        passed += !RpcExceptionFilter(0xC0000000 | code);
    assert_int_equal(passed, 11);
    assert_int_equal(RpcExceptionFilter(RPC_S_CALL_FAILED), EXCEPTION_EXECUTE_HANDLER);
    assert_int_equal(I_RpcExceptionFilter(0xC0000005), EXCEPTION_CONTINUE_SEARCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_no_exception),
        cmocka_unit_test(a_caught_from_a_called_function),
        cmocka_unit_test(b_codes),
        cmocka_unit_test(b_filter_passes_outward),
        cmocka_unit_test(b_nested_inner_handles),
        cmocka_unit_test(b_raise_again_in_handler),
        cmocka_unit_test(b_raise_in_filter),
        cmocka_unit_test(b_block_inside_handler),
        cmocka_unit_test(b_finally_on_the_way_out),
        cmocka_unit_test(b_raise_in_finally_replaces),
        cmocka_unit_test(b_exception_filter),
        cmocka_unit_test(c_return_removes_the_handler),
        cmocka_unit_test(c_break_continue_goto_remove_the_handler),
        cmocka_unit_test(c_deep),
#if defined(__GNUC__) && !defined(__clang__)
        cmocka_unit_test(c_locals_survive),
#endif
        cmocka_unit_test(c_exception_run),
        cmocka_unit_test(c_threads_have_their_own_handlers),
        cmocka_unit_test(c_unhandled_aborts),
    };
    return cmocka_run_group_tests_name("exception", tests, NULL, NULL);
}
