/* SPDX-License-Identifier: MIT */
/* harness.c - see harness.h: verdicts and main(). */
#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "rivals.h"
#include "steps.h"

const char *transport = "ncalrpc";
static const char *test_name = "?";

/* A test that runs longer hangs, seconds; sanitizers make everything ten times slower. */
#define WATCHDOG_S 60

void *__RPC_USER MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *object)
{
    free(object);
}

/* ---- Verdicts --------------------------------------------------------------- */

static void end_others(void)
{
    kill_children();
    far_kill();
}

/* The other process has found something and says so. */
static __attribute__((noreturn)) void be_ended(void)
{
    if (!in_server())
        sleep_ms(AT_ONCE_MS);
    end_others();
    _exit(1);
}

/* Of the client: its server has failed. */
static void on_failure(int number)
{
    (void)number;
    kill_children();
    _exit(1);
}

void failed(const char *file, int line, const char *format, ...)
{
    const char *slash = strrchr(file, '/');
    va_list args;
    if (!far_claim_verdict())
        be_ended();
    va_start(args, format);
    printf("FAILED %s %s:%d: ", test_name, slash ? slash + 1 : file, line);
    vprintf(format, args);
    va_end(args);
    if (server_is_dead())
        printf(" (the server died)");
    printf("\n");
    fflush(stdout);
    if (in_server())
        far_tell_failure();
    else
        end_others();
    _exit(1);
}

void skip(const char *why)
{
    printf("skipped %s %s\n", test_name, why);
    fflush(stdout);
    end_others();
    _exit(77);
}

void check_equal(const char *file, int line, const char *text, long long got, long long wanted)
{
    if (got != wanted)
        failed(file, line, "%s is %lld, not %lld", text, got, wanted);
}

uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

long rss_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* ---- Main ------------------------------------------------------------------- */

static const struct test *const groups[] = {
#define GROUP(name) name,
#include "groups.def"
#undef GROUP
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static void on_alarm(int number)
{
    static const char text[] = "FAILED ";
    static const char hung[] = " hangs\n";
    (void)number;
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof(text) - 1);
    ignored = write(STDOUT_FILENO, test_name, strlen(test_name));
    ignored = write(STDOUT_FILENO, hung, sizeof(hung) - 1);
    (void)ignored;
    end_others();
    _exit(1);
}

static int run(const struct test *test)
{
    test_name = test->name;
    signal(SIGALRM, on_alarm);
    signal(SIGUSR1, on_failure);
    alarm(WATCHDOG_S);
    test->run();
    kill_children();
    int status = far_end();
    if (status != 0)
        failed(__FILE__, __LINE__, "the server ended with %#x", (unsigned)status);
    printf("ok %s\n", test->name);
    fflush(stdout);
    return 0; /* exit: a leak check follows, where there is one */
}

static void walk_of_that_name(void)
{
    walk_run(test_name);
}

int main(int argc, char **argv)
{
    far_init();
    if (argc == 5 && strcmp(argv[1], "--serve") == 0) {
        transport = argv[2];
        child_serve();
    }
    if (argc == 5 && strcmp(argv[1], "--client") == 0) {
        transport = argv[2];
        child_client(argv[3], argv[4]);
    }
    if (argc == 5 && strcmp(argv[1], "--steps") == 0) {
        bool client = strcmp(argv[3], "client") == 0;
        transport = argv[2];
        if (!client)
            listen_and_say_where();
        steps_main(client ? bind_text(argv[4]) : NULL);
    }
    if (argc == 5 && strcmp(argv[1], "--rivals") == 0) {
        transport = argv[2];
        listen_and_say_where();
        rivals_serve(argv[3]);
    }
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    if (argc == 3)
        transport = argv[2];
    for (size_t g = 0; g < GROUPS && argc >= 2; g++) {
        for (const struct test *test = groups[g]; test->name; test++) {
            if (list && groups[g] != harness_tests)
                puts(test->name);
            else if (strcmp(test->name, argv[1]) == 0)
                return run(test);
        }
    }
    for (unsigned i = 0; argc >= 2 && walk_at(i); i++) {
        const struct test test = {walk_at(i)->name, walk_of_that_name};
        if (list)
            puts(test.name);
        else if (strcmp(test.name, argv[1]) == 0)
            return run(&test);
    }
    if (list)
        return 0;
    fprintf(stderr, "usage: %s --list | NAME [ncalrpc|ncacn_ip_tcp]\n", argv[0]);
    return 2;
}
