/* SPDX-License-Identifier: MIT */
/* server.h - what the files of the handle tests' server share. */
#ifndef HANDLES_SERVER_H
#define HANDLES_SERVER_H

#include <stdatomic.h>
#include <stdint.h>

#include "rpc.h"

#include "handles.h"

struct session {
    int32_t magic;
    int32_t total;
    atomic_int running, most;
};

extern atomic_int wrong; /* rules that were broken */

struct session *session_new(int32_t seed);
void session_free(struct session *session);
/* What every manager does with a handle it gets. */
struct session *check(void *value);
/* How many calls were in the session at most in so many milliseconds. */
int32_t stay(struct session *session, int32_t ms);

#endif
