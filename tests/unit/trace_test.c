/* SPDX-License-Identifier: MIT */
/* trace_test.c - trace lines: classes, shape, hostile text, cost when off. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/trace.h"

struct lines {
    pthread_mutex_t lock;
    unsigned count;
    unsigned broken; /* not exactly one newline, at the end */
    char last[2048];
};

static void collect(void *context, const char *line, size_t len)
{
    struct lines *lines = context;
    pthread_mutex_lock(&lines->lock);
    lines->count++;
    lines->broken += len == 0 || strlen(line) != len || strchr(line, '\n') != line + len - 1;
    snprintf(lines->last, sizeof(lines->last), "%s", line);
    pthread_mutex_unlock(&lines->lock);
}

static struct lines lines = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int setup(void **state)
{
    (void)state;
    lines.count = lines.broken = 0;
    lines.last[0] = '\0';
    trace_set_sink(collect, &lines);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trace_set_sink(NULL, NULL);
    return trace_set_classes("") ? 0 : -1;
}

static int evaluated;

static int evaluate(void)
{
    return ++evaluated;
}

static void a_only_the_classes_asked_for(void **state)
{
    (void)state;
    assert_true(trace_set_classes("pdu,pipe"));
    evaluated = 0;
    TRACE(TRACE_PDU, "one %d", evaluate());
    TRACE(TRACE_CALL, "no %d", evaluate());
    TRACE(TRACE_PIPE, "two %d", evaluate());
    TRACE(TRACE_ASSOC, "no %d", evaluate());
    TRACE(TRACE_IO, "no %d", evaluate());
    assert_int_equal(lines.count, 2);
    assert_int_equal(evaluated, 2);
    assert_true(trace_enabled(TRACE_PIPE | TRACE_CALL));
    assert_false(trace_enabled(TRACE_CALL));
}

static void a_shape_of_a_line(void **state)
{
    (void)state;
    assert_true(trace_set_classes("assoc"));
    TRACE(TRACE_ASSOC, "bound, %u contexts", 3u);
    unsigned long long seconds;
    unsigned micros;
    int thread, used = 0;
    assert_int_equal(sscanf(lines.last, "%llu.%6u [%d] assoc: bound, 3 contexts%n", &seconds,
                            &micros, &thread, &used),
                     3);
    assert_string_equal(lines.last + used, "\n");
    assert_int_equal(thread, gettid());
    assert_true(seconds < 1000);
}

static void b_names_of_classes(void **state)
{
    (void)state;
    assert_true(trace_set_classes("all"));
    assert_true(trace_enabled(TRACE_PDU) && trace_enabled(TRACE_IO));
    assert_true(trace_set_classes("io"));
    assert_false(trace_set_classes("io,ip"));
    assert_false(trace_set_classes("pd"));
    assert_false(trace_set_classes("pdux"));
    assert_true(trace_enabled(TRACE_IO)); /* unchanged by the failures */
    assert_true(trace_set_classes(",call,,"));
    assert_true(trace_enabled(TRACE_CALL) && !trace_enabled(TRACE_IO));
}

/* What comes from a peer can neither forge a line nor talk to the terminal. */
static void b_control_characters(void **state)
{
    (void)state;
    assert_true(trace_set_classes("all"));
    TRACE(TRACE_PDU, "name %s.", "a\nb\x1b[2J\x7f\r\t");
    assert_non_null(strstr(lines.last, "name a?b?[2J???.\n"));
    assert_int_equal(lines.broken, 0);
}

static void b_long_lines_are_cut(void **state)
{
    (void)state;
    assert_true(trace_set_classes("all"));
    char text[5000];
    for (size_t len = 0; len<sizeof(text); len += len> 900 && len < 1100 ? 1 : 97) {
        memset(text, 'x', len);
        text[len] = '\0';
        TRACE(TRACE_PDU, "%s", text);
        assert_true(strlen(lines.last) < 1024);
    }
    assert_int_equal(lines.broken, 0);
}

static void b_errno_is_kept(void **state)
{
    (void)state;
    assert_true(trace_set_classes("all"));
    errno = EBADF;
    TRACE(TRACE_IO, "x");
    assert_int_equal(errno, EBADF);
}

static void *trace_often(void *arg)
{
    for (int i = 0; i < 2000; i++)
        TRACE(TRACE_PIPE, "%p %d", arg, i);
    return NULL;
}

static void c_threads(void **state)
{
    (void)state;
    assert_true(trace_set_classes("all"));
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, trace_often, &lines), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(lines.count, 8000);
    assert_int_equal(lines.broken, 0);
}

/* The environment decides before the first line: needs a process of its own. */
static void first_use(const char *value, char *ret_text, size_t room)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        if (value)
            setenv("PENSTOCK_TRACE", value, 1);
        else
            unsetenv("PENSTOCK_TRACE");
        execl("/proc/self/exe", "trace_test", "--child", (char *)NULL);
        _exit(127);
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
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void c_environment(void **state)
{
    (void)state;
    char text[1024];
    first_use(NULL, text, sizeof(text));
    assert_string_equal(text, "");
    first_use("call,nonsense,io", text, sizeof(text));
    assert_non_null(strstr(text, "call: child"));
    assert_non_null(strstr(text, "io: child"));
    assert_null(strstr(text, "pdu: child"));
    assert_memory_equal(text, "0.0", 3); /* time starts with the first line */
}

static int child_main(void)
{
    TRACE(TRACE_PDU, "child");
    TRACE(TRACE_CALL, "child");
    TRACE(TRACE_IO, "child");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--child") == 0)
        return child_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_only_the_classes_asked_for),
        TEST(a_shape_of_a_line),
        TEST(b_names_of_classes),
        TEST(b_control_characters),
        TEST(b_long_lines_are_cut),
        TEST(b_errno_is_kept),
        TEST(c_threads),
        TEST(c_environment),
    };
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
