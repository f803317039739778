/* SPDX-License-Identifier: MIT */
/* client_async.h - asynchronous calls without pipes, many at once. */
#ifndef BENCH_CLIENT_ASYNC_H
#define BENCH_CLIENT_ASYNC_H

#include <stdint.h>

#include "bench.h"

/* Calls outstanding on one binding handle. */
#define BENCH_OUTSTANDING 64u

/* `count` calls on `binding`, BENCH_OUTSTANDING at a time; prints a line of JSON. */
void run_outstanding(handle_t binding, uint64_t count);

/* `count` clients, each a connection of its own, connect and call at once.  None may be refused.
 * Prints a line of JSON. */
void run_crowd(const char *binding, unsigned count);

#endif
