/* SPDX-License-Identifier: MIT */
/* client.h - what the files of the handle tests' client share. */
#ifndef HANDLES_CLIENT_H
#define HANDLES_CLIENT_H

#include <stdio.h>

#include "rpc.h"

#include "handles.h"

extern handle_t server;
extern int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

/* The status a call raises; RPC_S_OK when it returns. */
#define RAISED(call)                                                                               \
    __extension__({                                                                                \
        volatile RPC_STATUS raised_ = RPC_S_OK;                                                    \
        RpcTryExcept                                                                               \
        {                                                                                          \
            call;                                                                                  \
        }                                                                                          \
        RpcExcept(1)                                                                               \
        {                                                                                          \
            raised_ = (RPC_STATUS)RpcExceptionCode();                                              \
        }                                                                                          \
        RpcEndExcept raised_;                                                                      \
    })

COUNTERS counters(void);
/* Waits until the server has so many sessions and views. */
void wait_for_live(int32_t live);

/* How often PLACE_bind and PLACE_unbind were called. */
extern int bound, unbound;

/* client_async.c */
void async_generic(void);
void async_generic_pipe(void);
void async_implicit(void);
void async_context_pipes(void);

/* client_data.c */
void data_sized(void);
void data_closed(void);
void data_structures(void);
void data_deep(void);
void data_unsent(void);
void data_raised(void);
void data_crossing(void);
void data_too_many(void);

#endif
