/* SPDX-License-Identifier: MIT */
/* common.c - pattern, clocks and output shared by the benchmark programs. */
#include "common.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static _Alignas(4096) unsigned char pattern[BENCH_PERIOD + BENCH_RAW_LEN];

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void pattern_init(void)
{
    uint32_t x = 2463534242u; /* xorshift32: no run of equal octets to hide a shift */
    for (size_t i = 0; i < sizeof(pattern); i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern[i] = i < BENCH_PERIOD ? (unsigned char)x : pattern[i - BENCH_PERIOD];
    }
}

unsigned char *pattern_at(uint64_t offset)
{
    return pattern + offset % BENCH_PERIOD;
}

void pattern_check(uint64_t offset, const void *buf, size_t len)
{
    if (len > BENCH_RAW_LEN || memcmp(buf, pattern_at(offset), len) != 0)
        die("wrong data between octets %llu and %llu", (unsigned long long)offset,
            (unsigned long long)(offset + len));
}

void block_request(uint64_t i, unsigned char request[BENCH_CALL_LEN])
{
    memcpy(request, pattern_at(i * BENCH_CALL_LEN), BENCH_CALL_LEN);
}

/* The complement: cheap, and different from the request in every octet. */
void block_reply(const unsigned char request[BENCH_CALL_LEN], unsigned char reply[BENCH_CALL_LEN])
{
    for (size_t i = 0; i < BENCH_CALL_LEN; i++)
        reply[i] = (unsigned char)~request[i];
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

long proc_status(pid_t pid, const char *key)
{
    char path[64], line[256];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        die("%s: %s", path, strerror(errno));
    long value = -1;
    size_t key_len = strlen(key);
    while (value < 0 && fgets(line, sizeof(line), f))
        if (strncmp(line, key, key_len) == 0 && line[key_len] == ':')
            value = strtol(line + key_len + 1, NULL, 10);
    fclose(f);
    if (value < 0)
        die("%s: no %s", path, key);
    return value;
}

void pin_to_cpu(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        die("cannot pin to CPU %d: %s", cpu, strerror(errno));
}

void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("setrlimit: %s", strerror(errno));
}

uint64_t parse_number(const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value < min || value > max)
        die("'%s' is not a number from %llu to %llu", text, (unsigned long long)min,
            (unsigned long long)max);
    return value;
}

void print_stream_result(uint64_t octets, uint64_t elapsed_ns, int64_t client_us,
                         int64_t server_us)
{
    printf("{\"octets\": %llu, \"seconds\": %.6f, \"client_cpu\": %.6f, \"server_cpu\": %.6f}\n",
           (unsigned long long)octets, (double)elapsed_ns / 1e9, (double)client_us / 1e6,
           (double)server_us / 1e6);
}

static int compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void print_latency_result(uint64_t *ns, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ns[i];
    qsort(ns, count, sizeof(*ns), compare_ns);
    printf("{\"iterations\": %zu, \"p50_us\": %.3f, \"p99_us\": %.3f, \"mean_us\": %.3f}\n", count,
           (double)ns[count / 2] / 1e3, (double)ns[count * 99 / 100] / 1e3,
           (double)sum / 1e3 / (double)count);
}
