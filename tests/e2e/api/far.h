/* SPDX-License-Identifier: MIT */
/* far.h - a test's server is another process; what the test wants done there runs there.
 *
 *   test (the client)                         server, forked by serve_here()
 *     far_call(run, args) --slot k-->           thread k: run(args)
 *                         <--args, as left--
 *
 * The processes are one program, forked and not executed anew: functions and variables have
 * the same addresses in both, and what is declared BOTH_SIDES is the same memory too.
 * Everything else each has for itself.  A slot serves one call at a time and has its own
 * thread, so that several threads of the test can each wait in the server; a test of one
 * thread is always served by the same one.
 *
 * A CHECK that fails in the server fails the test.  A server that ends fails the next call,
 * or the test when it is over: nothing waits for it without a limit. */
#ifndef API_FAR_H
#define API_FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A variable of both processes: static BOTH_SIDES atomic_int count;  No locks: those are of
 * one process. */
#define BOTH_SIDES __attribute__((section("both_sides")))

/* The most a call takes along: what one push or pull moves, octets. */
#define FAR_OCTETS_MAX (1u << 20)

/* Runs run(args) in the server, `args` being a copy of `len` octets; they come back as run
 * left them.  In the server itself, and where there is none, here. */
void far_call(void (*run)(void *args), void *args, size_t len);

/* The same for what needs no more than a call, of which the argument may be NULL, and
 * numbers. */
struct served;
typedef long long far_function(struct served *served, long long a, long long b);
long long far(far_function *run, struct served *served, long long a, long long b);

/* ---- For the harness ------------------------------------------------------------ */

/* Before anything else in main(). */
void far_init(void);
/* Forks the server; no thread of the library may run yet. */
void far_start(void);
/* Asks the server, if there is one, to end, and waits: its exit status, 0 without one. */
int far_end(void);
void far_kill(void);
bool in_server(void);
bool has_server(void);
/* The process that serves: this one, where there is no other. */
pid_t server_pid(void);
/* Did the server end on its own? */
bool server_is_dead(void);
/* One of the two processes says why the test fails; false: the other one has. */
bool far_claim_verdict(void);
/* Called in the server when it has said so: the client ends, too. */
void far_tell_failure(void);

/* The memory for calls that managers were given, of both processes. */
struct served *far_served_pool(size_t *ret_count);

/* A slot, for what moves octets. */
struct far_slot;
struct far_slot *far_take(void);
uint8_t *far_octets(struct far_slot *slot); /* FAR_OCTETS_MAX and a page */
void far_run(struct far_slot *slot, void (*run)(void *octets));
void far_give(struct far_slot *slot);

#endif
