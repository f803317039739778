/* SPDX-License-Identifier: MIT */
/* status.h - from errno to what travels, and back to words.
 *
 * The server ends a failed call with RpcAsyncAbortCall(async, status_fault(errno)); the
 * client gets that code from push, pull or RpcAsyncCompleteCall, whichever comes first. */
#ifndef FILEREP_STATUS_H
#define FILEREP_STATUS_H

#include "filerep.h"

#include <stddef.h>

/* Errors that have no errno; negative so that they mix with errno values in one int. */
enum { ERROR_NOT_REGULAR = -1, ERROR_BAD_DIGEST = -2, ERROR_TOO_DEEP = -3, ERROR_STOPPING = -4 };

/* The filerep_status for `error`: an errno value or one of the above. */
ULONG status_of(int error);

/* The fault code for `error`, never 0. */
ULONG status_fault(int error);

/* Is `status`, from an RPC function, a fault of a filerep server (and not of the runtime)? */
int status_is_ours(RPC_STATUS status);

/* Words for a filerep_status as found in a listing. */
const char *status_words(ULONG status);

/* Words for an errno value or ERROR_*. */
const char *error_words(int error);

/* Words for any RPC status, into `buf`. */
void status_describe(RPC_STATUS status, char *buf, size_t buf_len);

#endif
