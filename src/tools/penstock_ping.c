/* SPDX-License-Identifier: MIT */
/* penstock_ping.c - `penstock ping`: binds to the management interface every server has
 * (C706 appendix Q) and asks it again and again whether the server listens. */
#include "penstock.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <penstock/win32.h>

static const char ping_help[] =
    "usage: penstock ping [-c COUNT] [-i SECONDS] BINDING\n"
    "\n"
    "Connects, binds and calls is_server_listening of the server's management interface.\n"
    "\n"
    "  -c, --count=N         stop after N calls (4; 0: until interrupted)\n"
    "  -i, --interval=S      seconds between two calls (1; 0: as fast as it goes)\n"
    "      --syntax=ndr|ndr64  offer this transfer syntax alone\n"
    "  -q, --quiet           print the summary only\n"
    "  -h, --help            print this\n";

/* Somebody was there to say it. */
static bool is_answer(RPC_STATUS status)
{
    return status == RPC_S_OK || status == RPC_S_NOT_LISTENING || status == RPC_S_UNKNOWN_IF ||
           status == RPC_S_ACCESS_DENIED || status == RPC_S_PROCNUM_OUT_OF_RANGE;
}

/* ---- Counting ------------------------------------------------------------------------------------ */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool interrupted; /* SIGINT or SIGTERM has come */
    HANDLE caller;    /* the thread that calls; NULL: out of memory */
} stop = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool interrupted(void)
{
    pthread_mutex_lock(&stop.lock);
    const bool value = stop.interrupted;
    pthread_mutex_unlock(&stop.lock);
    return value;
}

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

/* The first ends a call that may last for ever, and that may begin only now: again and again; the
 * second everything. */
static void *wait_for_signals(void *unused)
{
    const struct timespec again = {.tv_nsec = 100000000};
    sigset_t set;
    int number;
    (void)unused;
    stop_signals(&set);
    sigwait(&set, &number);
    pthread_mutex_lock(&stop.lock);
    stop.interrupted = true;
    pthread_cond_signal(&stop.changed);
    pthread_mutex_unlock(&stop.lock);
    do {
        if (stop.caller)
            RpcCancelThreadEx(stop.caller, 0);
    } while (sigtimedwait(&set, NULL, &again) < 0);
    _exit(EXIT_CANCELLED);
}

/* Before there are other threads, which all are to leave the signals to that one. */
static void catch_signals(void)
{
    sigset_t set;
    pthread_t thread;
    stop_signals(&set);
    stop.caller = OpenThread(THREAD_ALL_ACCESS, FALSE, GetCurrentThreadId());
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Or until interrupted. */
static void sleep_ms(double ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const double ns = (double)until.tv_nsec + ms * 1e6;
    until.tv_sec += (time_t)(ns / 1e9);
    until.tv_nsec = (long)fmod(ns, 1e9);
    pthread_mutex_lock(&stop.lock);
    while (!stop.interrupted && pthread_cond_clockwait(&stop.changed, &stop.lock, CLOCK_MONOTONIC,
                                                       &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&stop.lock);
}

struct options {
    unsigned long count; /* 0: without end */
    double interval_s;
    bool quiet;
    const char *syntax;
};

struct figures {
    unsigned long sent, answered;
    double min, max, sum, squares; /* milliseconds, without the first, which connects */
    unsigned long measured;
};

static void figures_add(struct figures *figures, double ms)
{
    if (figures->measured == 0 || ms < figures->min)
        figures->min = ms;
    if (ms > figures->max)
        figures->max = ms;
    figures->sum += ms;
    figures->squares += ms * ms;
    figures->measured++;
}

static void figures_print(const struct figures *figures, const char *binding)
{
    double lost = 100.0 * (double)(figures->sent - figures->answered) /
                  (double)(figures->sent > 0 ? figures->sent : 1);
    printf("--- %s ---\n%lu calls, %lu answered, %.0f%% lost\n", binding, figures->sent,
           figures->answered, lost);
    if (figures->measured == 0)
        return;
    double mean = figures->sum / (double)figures->measured;
    double variance = figures->squares / (double)figures->measured - mean * mean;
    printf("round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", figures->min, mean,
           figures->max, variance > 0 ? sqrt(variance) : 0.0);
}

static int ping(RPC_BINDING_HANDLE binding, const char *name, const struct options *options)
{
    struct figures figures = {0};
    RPC_STATUS status = RPC_S_OK;
    while (!interrupted() && (options->count == 0 || figures.sent < options->count)) {
        if (figures.sent > 0)
            sleep_ms(options->interval_s * 1e3);
        if (interrupted())
            break;
        double start = now_ms();
        status = RpcMgmtIsServerListening(binding);
        double ms = now_ms() - start;
        if (status == RPC_S_CALL_CANCELLED && interrupted())
            break; /* it is not known what would have become of it */
        bool first = figures.sent++ == 0;
        if (is_answer(status)) {
            figures.answered++;
            if (!first)
                figures_add(&figures, ms);
            if (!options->quiet)
                printf("%lu: %s%.3f ms%s\n", figures.sent,
                       first ? "connected, bound and called in " : "", ms,
                       status == RPC_S_OK              ? ""
                       : status == RPC_S_NOT_LISTENING ? " (it does not take calls now)"
                                                       : " (refused: it has no management interface for us)");
            fflush(stdout);
        } else {
            tool_failed(name, status);
        }
    }
    figures_print(&figures, name);
    if (figures.sent == 0)
        return EXIT_CANCELLED;
    return figures.answered == figures.sent ? EXIT_OK : EXIT_FAILED;
}

int command_ping(int argc, char **argv)
{
    static const struct option longs[] = {{"count", required_argument, NULL, 'c'},
                                          {"interval", required_argument, NULL, 'i'},
                                          {"syntax", required_argument, NULL, 's'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options options = {.count = 4, .interval_s = 1};
    char *end;
    int option;
    while ((option = getopt_long(argc, argv, "c:i:qh", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            errno = 0;
            options.count = strtoul(optarg, &end, 10);
            if (end == optarg || *end != '\0' || strchr(optarg, '-') || errno != 0)
                return tool_complain("--count takes a number, not '%s'", optarg);
            break;
        case 'i':
            if (!tool_seconds(optarg, "--interval", &options.interval_s))
                return EXIT_WRONG;
            break;
        case 's':
            options.syntax = optarg;
            break;
        case 'q':
            options.quiet = true;
            break;
        case 'h':
            fputs(ping_help, stdout);
            return EXIT_OK;
        default:
            return tool_usage("ping");
        }
    }
    if (argc - optind != 1) {
        fputs(ping_help, stderr);
        return EXIT_WRONG;
    }
    RPC_BINDING_HANDLE binding;
    catch_signals();
    int status = tool_bind(argv[optind], options.syntax, &binding);
    if (status != EXIT_OK)
        return status;
    status = ping(binding, argv[optind], &options);
    RpcBindingFree(&binding);
    return status;
}
