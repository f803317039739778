/* SPDX-License-Identifier: MIT */
/* rivals.h - the other process of rival_tests.c. */
#ifndef API_RIVALS_H
#define API_RIVALS_H

#include "harness.h"

/* A process that serves calls with its own disorder, from the seed on. */
struct child rival_server(const char *seed);

/* The whole program of such a process, once it listens. */
__attribute__((noreturn)) void rivals_serve(const char *seed);

#endif
