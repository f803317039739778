/* SPDX-License-Identifier: MIT */
/* published.h - the calls the program knows.  Each function calls a client stub once, with
 * values that test_published.py has as well. */
#ifndef PENSTOCK_TESTS_PUBLISHED_H
#define PENSTOCK_TESTS_PUBLISHED_H

#include <stddef.h>

#include "calls.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* An open structure with room for `more` octets behind it. */
#define OPEN_STRUCT(type, more)                                                                    \
    union {                                                                                        \
        type value;                                                                                \
        unsigned char room[sizeof(type) + (more)];                                                 \
    }

struct published_call {
    const char *name; /* of the operation */
    void (*run)(void);
};

extern const struct published_call account_calls[], directory_calls[], service_calls[];

/* The context handle all calls use: the address of 20 octets. */
extern void *const published_handle;

/* MIDL_user_allocate that does not fail, zeroed; freed when the program ends. */
void *published_new(size_t size);
/* A copy in such memory. */
WCHAR *published_text(const WCHAR *text);
/* A counted string, neither terminated nor with room for that. */
RPC_UNICODE_STRING published_string(const WCHAR *text);

#endif
