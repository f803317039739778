/* SPDX-License-Identifier: MIT */
/* raw_pingpong.c - the ceiling of a synchronous call: 64 octets there and 64 back on
 * a bare socket, both processes on one CPU.
 *
 *     raw_pingpong tcp|unix CPU ITERATIONS */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "raw_socket.h"

static void serve(int fd, uint64_t rounds)
{
    unsigned char request[BENCH_CALL_LEN], reply[BENCH_CALL_LEN];
    for (uint64_t i = 0; i < rounds; i++) {
        raw_recv(fd, request, sizeof(request));
        block_reply(request, reply);
        raw_send(fd, reply, sizeof(reply));
    }
}

/* Returns the nanoseconds of round trip `i`. */
static uint64_t round_trip(int fd, uint64_t i)
{
    unsigned char request[BENCH_CALL_LEN], reply[BENCH_CALL_LEN], expected[BENCH_CALL_LEN];
    block_request(i, request);
    uint64_t start = now_ns();
    raw_send(fd, request, sizeof(request));
    raw_recv(fd, reply, sizeof(reply));
    uint64_t elapsed = now_ns() - start;
    block_reply(request, expected);
    if (memcmp(reply, expected, sizeof(reply)) != 0)
        die("wrong reply to request %llu", (unsigned long long)i);
    return elapsed;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: raw_pingpong tcp|unix CPU ITERATIONS");
    pin_to_cpu((int)parse_number(argv[2], 0, 1023));
    uint64_t count = parse_number(argv[3], 1, 10000000);
    uint64_t warm = count / 10;
    pattern_init();

    bool server;
    int fd = raw_fork_pair(argv[1], &server);
    if (server) {
        serve(fd, warm + count);
        return EXIT_SUCCESS;
    }
    uint64_t *ns = calloc(count, sizeof(*ns));
    if (!ns)
        die("out of memory");
    for (uint64_t i = 0; i < warm; i++)
        round_trip(fd, i);
    for (uint64_t i = 0; i < count; i++)
        ns[i] = round_trip(fd, i);
    raw_join();
    print_latency_result(ns, count);
    free(ns);
    return EXIT_SUCCESS;
}
