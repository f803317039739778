/* SPDX-License-Identifier: MIT */
/* work.h - what peer_server and peer_client share: memory for the stubs, and waiting
 * on an asynchronous call by its event.
 *
 * Deliberately plain: one thread per call that blocks.  The notification by callback
 * is other tests' business. */
#ifndef PEER_WORK_H
#define PEER_WORK_H

#include <stdint.h>

#include <penstock/rpc.h>
#include <penstock/win32.h>

/* pipe->pull, waiting as long as it takes; `call` has the members async and event.
 * A macro because each pipe's pull has another type. */
#define PULL(call, pipe, buf, size, ret_count, status)                                             \
    do {                                                                                           \
        *(ret_count) = 0;                                                                          \
        while (((status) = (pipe)->pull((pipe)->state, buf, size, ret_count)) ==                   \
               RPC_S_ASYNC_CALL_PENDING)                                                           \
            WaitForSingleObject((call)->event, INFINITE);                                          \
    } while (0)

#define PUSH(pipe, buf, count) ((pipe)->push((pipe)->state, buf, count))

/* Octet `i` of what PeerGive sends.  251 is prime: no power of two hides a shift. */
static inline uint8_t give_octet(uint64_t i)
{
    return (uint8_t)(i % 251);
}

#endif
