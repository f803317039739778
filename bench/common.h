/* SPDX-License-Identifier: MIT */
/* common.h - what the raw programs and the RPC programs of the benchmark share, so
 * that both do the same work around the octets: one test pattern, one check, one
 * way to read clocks, one output format.
 *
 * Every failure ends the program (die): a benchmark that lost an octet has no
 * figure to report. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Octets per push and per pull. */
#define BENCH_PUSH_LEN (64u * 1024)
/* Octets per send and recv of the raw programs; also the longest run of the
 * pattern anybody may ask for. */
#define BENCH_RAW_LEN (256u * 1024)
/* The pattern repeats after this many octets: a multiple of a cache line, so that
 * sources stay aligned, and coprime enough to the lengths above that a block lost,
 * doubled or swapped shows as a mismatch and not only in the total. */
#define BENCH_PERIOD (64u * 31 * 31)
/* Octets each way of one round trip. */
#define BENCH_CALL_LEN 64u
/* Moved before the clock starts, on the connection that is measured. */
#define BENCH_WARM_LEN (64u * 1024 * 1024)

/* Prints a message and exits with status 1. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* The pattern: pattern_at(offset) points to the BENCH_RAW_LEN octets that belong at
 * `offset` of any stream.  The memory is the program's, never written again
 * (not const, because push takes a plain pointer). */
void pattern_init(void);
unsigned char *pattern_at(uint64_t offset);
/* Ends the program unless buf[0..len) is what belongs at `offset`. */
void pattern_check(uint64_t offset, const void *buf, size_t len);

/* One round trip: the request of iteration `i`, and the only right reply to it. */
void block_request(uint64_t i, unsigned char request[BENCH_CALL_LEN]);
void block_reply(const unsigned char request[BENCH_CALL_LEN], unsigned char reply[BENCH_CALL_LEN]);

uint64_t now_ns(void);
/* User and system time of this process so far, microseconds. */
int64_t cpu_us(void);
/* The number behind `key` ("VmRSS", in KiB; "Threads") in /proc/`pid`/status. */
long proc_status(pid_t pid, const char *key);

void pin_to_cpu(int cpu);
void raise_file_limit(void);
/* A decimal number from `min` to `max`. */
uint64_t parse_number(const char *text, uint64_t min, uint64_t max);

/* The result lines, JSON on standard output, read by run.py. */
void print_stream_result(uint64_t octets, uint64_t elapsed_ns, int64_t client_us,
                         int64_t server_us);
/* Sorts `ns`. */
void print_latency_result(uint64_t *ns, size_t count);

#endif
