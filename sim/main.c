/* SPDX-License-Identifier: MIT */
/* main.c - runs seeds and says what has come out.
 *
 *   penstock-sim [--seeds N] [--first S] [--seed S] [--trace] [--quiet]
 *                [--replay FILE] [--failures FILE] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

/* From this many seeds on, every kind of outcome must have occurred: else the
 * simulation has stopped testing something and nobody would notice. */
#define SEEDS_FOR_STATISTICS 200u

struct options {
    uint64_t first, count;
    bool trace, quiet;
    const char *replay; /* seeds that failed once, one a line: they run first */
};

static void usage(void)
{
    fputs("usage: penstock-sim [--seeds N] [--first S] [--seed S] [--trace] [--quiet]\n"
          "                    [--replay FILE] [--failures FILE]\n",
          stderr);
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
        {"quiet", no_argument, NULL, 'q'},       {"replay", required_argument, NULL, 'r'},
        {"failures", required_argument, NULL, 'x'}, {NULL, 0, NULL, 0}};
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
        case 'r':
            options.replay = optarg;
            break;
        case 'x':
            sim_failures_file = optarg;
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
    sum->nested += one->nested;
    sum->many_pipes += one->many_pipes;
    sum->ndr64 += one->ndr64;
    sum->pdus += one->pdus;
    sum->octets += one->octets;
    sum->end_us = one->end_us > sum->end_us ? one->end_us : sum->end_us;
}

/* Lines are a seed, and a remark behind #. */
static void replay(const struct options *options)
{
    FILE *file = fopen(options->replay, "r");
    char line[256];
    if (!file) {
        perror(options->replay);
        exit(2);
    }
    while (fgets(line, sizeof(line), file)) {
        struct sim_result result;
        line[strcspn(line, " #\n")] = '\0';
        if (*line != '\0')
            sim_run(number(line), options->trace, &result);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct sim_result sum = {0};
    if (options.replay)
        replay(&options);
    for (uint64_t i = 0; i < options.count; i++) {
        struct sim_result result;
        progress(&options, i);
        sim_run(options.first + i, options.trace, &result);
        add(&sum, &result);
    }
    if (!options.quiet && !options.trace && isatty(2))
        fputs("\r\033[K", stderr);
    printf("%llu seeds, %llu PDUs, %llu stub octets received, the longest %llu ms\n"
           "calls: %u succeeded, %u faulted, %u cancelled, %u given up, %u lost, %u never begun\n"
           "of those that succeeded: %u with several pipes, %u in NDR64; inside calls: %u\n",
           (unsigned long long)options.count, (unsigned long long)sum.pdus,
           (unsigned long long)sum.octets, (unsigned long long)sum.end_us / 1000, sum.ok,
           sum.faulted, sum.cancelled, sum.given_up, sum.lost, sum.never_begun, sum.many_pipes,
           sum.ndr64, sum.nested);
    bool poor = !sum.ok || !sum.faulted || !sum.cancelled || !sum.given_up || !sum.lost ||
                !sum.many_pipes || !sum.ndr64 || sum.ndr64 == sum.ok || !sum.nested;
    if (options.count >= SEEDS_FOR_STATISTICS && poor) {
        fputs("sim: a kind of outcome never occurred\n", stderr);
        return 1;
    }
    return 0;
}
