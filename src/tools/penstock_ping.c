/* SPDX-License-Identifier: MIT */
/* penstock_ping.c - `penstock ping`: binds to the management interface every server has
 * (C706 appendix Q) and asks it again and again whether the server listens. */
#include "penstock.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void sleep_ms(double ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1e3)};
    time.tv_nsec = (long)((ms - 1e3 * (double)time.tv_sec) * 1e6);
    if (ms > 0)
        nanosleep(&time, NULL); /* a signal ends it */
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
    double lost = 100.0 * (double)(figures->sent - figures->answered) / (double)figures->sent;
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
    while (!interrupted && (options->count == 0 || figures.sent < options->count)) {
        if (figures.sent > 0)
            sleep_ms(options->interval_s * 1e3);
        if (interrupted)
            break;
        double start = now_ms();
        status = RpcMgmtIsServerListening(binding);
        double ms = now_ms() - start;
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
    if (figures.answered == 0)
        return EXIT_FAILED;
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
    struct sigaction action = {.sa_handler = on_signal};
    char *end;
    int option;
    while ((option = getopt_long(argc, argv, "c:i:qh", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            options.count = strtoul(optarg, &end, 10);
            if (end == optarg || *end != '\0' || *optarg == '-')
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
    int status = tool_bind(argv[optind], options.syntax, &binding);
    if (status != EXIT_OK)
        return status;
    sigaction(SIGINT, &action, NULL);
    status = ping(binding, argv[optind], &options);
    RpcBindingFree(&binding);
    return status;
}
