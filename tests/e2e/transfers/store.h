/* SPDX-License-Identifier: MIT */
/* store.h - the files the server has, in memory, and octets on their way through pipes. */
#ifndef PENSTOCK_TESTS_TRANSFERS_STORE_H
#define PENSTOCK_TESTS_TRANSFERS_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "rpc.h"
#include "rpcndr.h"

#define NAME_MAX_CHARS    260u
#define FILE_NOT_FOUND 2   /* ERROR_FILE_NOT_FOUND      */
#define NOT_SUPPORTED 50   /* ERROR_NOT_SUPPORTED       */
#define INVALID_PARAMETER 87 /* ERROR_INVALID_PARAMETER */

/* What a file holds; never changed, so transfers share it.  Counted. */
struct content {
    atomic_uint users;
    size_t len;
    byte octets[];
};

struct content *content_new(size_t len);
void content_put(struct content *content);

/* The contents under a name, for the caller to content_put; NULL: there is none. */
struct content *store_get(const WCHAR *name);
/* Takes `content`.  False: too many files. */
bool store_put(const WCHAR *name, struct content *content);
void store_fini(void);

/* Context handles and transfers that are alive; the server ends well with 0. */
extern atomic_int live;

typedef RPC_STATUS(__RPC_USER *push_fn)(char *state, byte *buf, unsigned long count);
typedef RPC_STATUS(__RPC_USER *pull_fn)(char *state, byte *buf, unsigned long size,
                                        unsigned long *ret_count);

/* Pushes `content` (taken) from `pos` on, in pieces of odd sizes, ends the pipe and completes
 * the call with the 32-bit result 0. */
void send_start(PRPC_ASYNC_STATE async, push_fn push, char *state, struct content *content,
                size_t pos);
/* Pulls until the pipe ends, puts what came under `name` and completes the call with 0. */
void receive_start(PRPC_ASYNC_STATE async, pull_fn pull, char *state, const WCHAR *name);

#endif
