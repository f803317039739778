/* SPDX-License-Identifier: MIT */
/* main.c - runs seeds and says what has come out.
 *
 *   penstock-sim [--seeds N] [--first S] [--seed S] [--trace] [--quiet] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

/* From this many seeds on, every kind of outcome must have occurred: else the
 * simulation has stopped testing something and nobody would notice. */
#define SEEDS_FOR_STATISTICS 200u

struct options {
    uint64_t first, count;
    bool trace, quiet;
};

static void usage(void)
{
    fputs("usage: penstock-sim [--seeds N] [--first S] [--seed S] [--trace] [--quiet]\n", stderr);
    exit(2);
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0')
        usage();
    return value;
}

static struct options parse(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"seeds", required_argument, NULL, 'n'}, {"first", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},  {"trace", no_argument, NULL, 't'},
        {"quiet", no_argument, NULL, 'q'},       {NULL, 0, NULL, 0}};
    struct options options = {.first = 1, .count = 300};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'n':
            options.count = number(optarg);
            break;
        case 'f':
            options.first = number(optarg);
            break;
        case 's':
            options.first = number(optarg);
            options.count = 1;
            break;
        case 't':
            options.trace = true;
            break;
        case 'q':
            options.quiet = true;
            break;
        default:
            usage();
        }
    }
    if (optind < argc)
        usage();
    return options;
}

/* Ten times a second at most, and only for a person who looks on. */
static void progress(const struct options *options, uint64_t done)
{
    static uint64_t last_ms;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t now_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
    if (options->quiet || options->trace || !isatty(2) || now_ms - last_ms < 100)
        return;
    last_ms = now_ms;
    fprintf(stderr, "\r%llu of %llu seeds", (unsigned long long)done,
            (unsigned long long)options->count);
}

static void add(struct sim_result *sum, const struct sim_result *one)
{
    sum->ok += one->ok;
    sum->faulted += one->faulted;
    sum->cancelled += one->cancelled;
    sum->given_up += one->given_up;
    sum->lost += one->lost;
    sum->never_begun += one->never_begun;
    sum->pdus += one->pdus;
    sum->octets += one->octets;
    sum->end_us = one->end_us > sum->end_us ? one->end_us : sum->end_us;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct sim_result sum = {0};
    for (uint64_t i = 0; i < options.count; i++) {
        struct sim_result result;
        progress(&options, i);
        sim_run(options.first + i, options.trace, &result);
        add(&sum, &result);
    }
    if (!options.quiet && !options.trace && isatty(2))
        fputs("\r\033[K", stderr);
    printf("%llu seeds, %llu PDUs, %llu stub octets received, the longest %llu ms\n"
           "calls: %u succeeded, %u faulted, %u cancelled, %u given up, %u lost, %u never begun\n",
           (unsigned long long)options.count, (unsigned long long)sum.pdus,
           (unsigned long long)sum.octets, (unsigned long long)sum.end_us / 1000, sum.ok,
           sum.faulted, sum.cancelled, sum.given_up, sum.lost, sum.never_begun);
    bool poor = !sum.ok || !sum.faulted || !sum.cancelled || !sum.given_up || !sum.lost;
    if (options.count >= SEEDS_FOR_STATISTICS && poor) {
        fputs("sim: a kind of outcome never occurred\n", stderr);
        return 1;
    }
    return 0;
}
