/* SPDX-License-Identifier: MIT */
/* stats.h - what RpcMgmtInqStats tells: calls and PDUs of the whole process, since it began.
 * Counters of 64 bits; what travels are the low 32 (C706 Appendix Q). */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include <penstock/rpcdce.h>

#define STATS_COUNT 4u /* RPC_C_STATS_... */

/* A cache line each: different threads write them. */
struct stats_counter {
    _Alignas(64) _Atomic uint64_t value;
};
extern struct stats_counter stats_counters[STATS_COUNT];

/* Any thread, any lock. */
static inline void stats_count(unsigned which, uint64_t number)
{
    if (number > 0)
        atomic_fetch_add_explicit(&stats_counters[which].value, number, memory_order_relaxed);
}

static inline uint64_t stats_value(unsigned which)
{
    return atomic_load_explicit(&stats_counters[which].value, memory_order_relaxed);
}

#endif
