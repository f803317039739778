/* SPDX-License-Identifier: MIT */
/* flow.h - one pipe call driven from its start to its end, on either side, in every
 * way a program may be told of what happens.
 *
 *   client   [send complete] push* null push   pull* end   call complete   Complete
 *   server                   pull* end   push* null push [send complete]   Complete
 *
 * A step does what can be done and then names the notification it needs.  Whoever is
 * told takes the next step: a thread that polls or waits for an event, or the
 * notification routine itself.  What is received is compared with the pattern. */
#ifndef MATRIX_FLOW_H
#define MATRIX_FLOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "elements.h"
#include "rpc.h"
#include "win32.h"

/* plan.how */
enum flow_how {
    FLOW_POLL = 0,
    FLOW_EVENT = 1,
    FLOW_CALLBACK = 2,
    FLOW_APC = 3,
    FLOW_PORT = 4, /* a completion port */
    FLOW_TOLD_COUNT = 5,
    FLOW_TOLD_MASK = 7,
    FLOW_SEND_COMPLETE = 8, /* RPC_C_NOTIFY_ON_SEND_COMPLETE                    */
    FLOW_OTHER_THREAD = 16, /* not on the thread that issued or dispatched; but APCs
                             * of a client come to the issuing thread, named       */
    FLOW_EXACT = 32,        /* every push and pull is of chunk_max elements     */
    FLOW_FROM_PATTERN = 64  /* bytes are pushed straight from the pattern       */
};

/* Seeds of the two directions differ: an echo is no proof. */
#define FLOW_BACK_SEED 0x5bd1e995u

/* Codes a server aborts with when the test has failed on its side. */
#define FLOW_WRONG_DATA 0x20000001
#define FLOW_WRONG_COUNT 0x20000002
#define FLOW_WRONG_NOTICE 0x20000003
#define FLOW_TIMEOUT 0x20000004

/* How long anything may take, milliseconds; nothing comes near it unless it hangs. */
#define FLOW_WAIT_MS 60000

enum flow_state {
    FLOW_STARTING, /* client with [in] pipe: the request itself is being sent */
    FLOW_PUSHING,
    FLOW_ENDED,    /* null push made; a server waits for its send */
    FLOW_PULLING,
    FLOW_CLOSING,  /* both directions are through: complete */
    FLOW_DONE
};

struct flow {
    bool server;
    const struct element *element;
    flow_plan plan;
    bool pushes, pulls; /* what this side does */
    PRPC_ASYNC_STATE async;
    NDR_ASYNC_PIPE pipe;
    uint64_t *got; /* server: elements received */

    enum flow_state state;
    unsigned awaited;      /* 1u << RPC_ASYNC_EVENT, 0: nothing                */
    unsigned seen;         /* of what was told; guarded by `lock`              */
    bool running;          /* a thread is stepping; guarded by `lock`          */
    bool finished;         /* guarded by `lock`                                */
    uint64_t pushed, pulled;
    uint64_t send_complete_due;
    uint64_t send_complete_seen; /* guarded by `lock`                          */
    uint64_t random;
    void *buffer;          /* chunk_max elements                               */
    RPC_STATUS status;     /* what the call ended with, or FLOW_...            */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    HANDLE object; /* what is told: an event, a port, a thread */
    RPC_ASYNC_STATE own_async; /* client's */
};

/* Client: prepares flow->own_async for the call and &flow->pipe, whose address is
 * passed to the stub. */
struct flow *flow_client(const struct element *element, const flow_plan *plan, bool in, bool out);

/* Client, after the stub returned: drives the call to its end. */
RPC_STATUS flow_finish(struct flow *flow);

/* Frees `flow`. */
void flow_free(struct flow *flow);

/* Server: from the manager. */
void flow_serve(PRPC_ASYNC_STATE async, const struct element *element, const flow_plan *plan,
                const NDR_ASYNC_PIPE *pipe, bool in, bool out, uint64_t *got);

#endif
