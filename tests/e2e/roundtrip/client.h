/* SPDX-License-Identifier: MIT */
/* client.h - what the cases of the client share. */
#ifndef ROUNDTRIP_CLIENT_H
#define ROUNDTRIP_CLIENT_H

#include <stdbool.h>
#include <string.h>

#include "rpc.h"
#include "rpcndr.h"

#include "samples.h"
#include "values.h"

/* Where the server is. */
extern RPC_BINDING_HANDLE server;

/* A case ends with false after it has said why.  Exceptions it lets pass fail it, too;
 * so does memory it, or the server because of it, does not give back. */
/* Do calls go in NDR64?  Unless PENSTOCK_TRANSFER_SYNTAX says otherwise. */
bool in_ndr64(void);

struct test_case {
    const char *name;
    bool (*run)(void);
};
extern const struct test_case value_cases[], array_cases[], string_cases[], pointer_cases[],
    union_cases[], open_cases[], full_cases[], async_cases[], failure_cases[],
    convert_cases[], limit_cases[], mode_cases[], types_cases[],
    memory_cases[]; /* the last has no name */

/* Says why a case failed; false. */
bool fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return fail(__FILE__, __LINE__, "%s", #condition);                                     \
    } while (0)

#define CHECK_EQUAL(got, wanted)                                                                   \
    do {                                                                                           \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                          \
        if (got_ != wanted_)                                                                       \
            return fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, wanted_);          \
    } while (0)

/* `status` becomes what the call raises, or RPC_S_OK. */
#define RAISED(status, ...)                                                                        \
    do {                                                                                           \
        (status) = RPC_S_OK;                                                                       \
        RpcTryExcept                                                                               \
        {                                                                                          \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            (status) = (RPC_STATUS)RpcExceptionCode();                                             \
        }                                                                                          \
        RpcEndExcept                                                                               \
    } while (0)

#define CHECK_RAISES(wanted, ...)                                                                  \
    do {                                                                                           \
        RPC_STATUS raised_;                                                                        \
        RAISED(raised_, __VA_ARGS__);                                                              \
        if (raised_ != (wanted))                                                                   \
            return fail(__FILE__, __LINE__, "%s raises %d, not %d", #__VA_ARGS__, (int)raised_,    \
                        (int)(wanted));                                                            \
    } while (0)

/* What memory holds where nobody may look. */
#define GARBAGE(object) memset(&(object), 0xee, sizeof(object))

/* A record as the application's [out] memory may be.  [unique] pointers hold anything;
 * a [ref] pointer keeps its value, or is NULL to be given memory. */
static inline void record_is_out(RECORD *record, int32_t *value)
{
    GARBAGE(*record);
    record->value = value;
}

/* ---- Asynchronous calls ------------------------------------------------------------ */

struct pending {
    RPC_ASYNC_STATE async;
    HANDLE event;
};

void pending_init(struct pending *pending);
/* Waits for the call's end and collects it. */
RPC_STATUS pending_complete(struct pending *pending, void *reply);

#endif
