/* SPDX-License-Identifier: MIT */
/* raw_stream.c - the ceiling of a byte pipe: the same octets, checked the same way,
 * through send and recv of 256 KiB on a bare socket.
 *
 *     raw_stream tcp|unix in|out OCTETS
 *
 * "in": the client (parent) sends, as the client of an [in] pipe does; "out": the
 * server does.  The clock runs on the client, from the word go to the server's
 * report behind the last octet, as a call's does. */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "raw_socket.h"

/* What the server says when the last octet is through. */
struct report {
    int64_t cpu_us;
};

static void send_stream(int fd, uint64_t octets)
{
    for (uint64_t done = 0; done < octets;) {
        uint64_t left = octets - done;
        size_t len = left < BENCH_RAW_LEN ? (size_t)left : BENCH_RAW_LEN;
        raw_send(fd, pattern_at(done), len);
        done += len;
    }
}

static void recv_stream(int fd, uint64_t octets)
{
    static _Alignas(4096) unsigned char buf[BENCH_RAW_LEN];
    for (uint64_t done = 0; done < octets;) {
        uint64_t left = octets - done;
        size_t n = raw_recv_some(fd, buf, left < sizeof(buf) ? (size_t)left : sizeof(buf));
        pattern_check(done, buf, n);
        done += n;
    }
}

static void serve(int fd, bool in, uint64_t octets)
{
    char go;
    raw_recv(fd, &go, 1);
    int64_t cpu_before = cpu_us();
    if (in)
        recv_stream(fd, octets);
    else
        send_stream(fd, octets);
    struct report report = {.cpu_us = cpu_us() - cpu_before};
    raw_send(fd, &report, sizeof(report));
}

static void measure(int fd, bool in, uint64_t octets, bool print)
{
    int64_t cpu_before = cpu_us();
    uint64_t start = now_ns();
    raw_send(fd, "", 1);
    if (in)
        send_stream(fd, octets);
    else
        recv_stream(fd, octets);
    struct report report;
    raw_recv(fd, &report, sizeof(report));
    uint64_t elapsed = now_ns() - start;
    if (print)
        print_stream_result(octets, elapsed, cpu_us() - cpu_before, report.cpu_us);
}

int main(int argc, char **argv)
{
    if (argc != 4 || (strcmp(argv[2], "in") != 0 && strcmp(argv[2], "out") != 0))
        die("usage: raw_stream tcp|unix in|out OCTETS");
    bool in = strcmp(argv[2], "in") == 0;
    uint64_t octets = parse_number(argv[3], 1, UINT64_C(1) << 40);
    pattern_init();

    bool server;
    int fd = raw_fork_pair(argv[1], &server);
    if (server) {
        serve(fd, in, BENCH_WARM_LEN);
        serve(fd, in, octets);
    } else {
        measure(fd, in, BENCH_WARM_LEN, false);
        measure(fd, in, octets, true);
        raw_join();
    }
    return EXIT_SUCCESS;
}
