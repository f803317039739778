/* SPDX-License-Identifier: MIT */
/* sets.c - see sets.h. */
#include "sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "report.h"

const char *const direction_names[DIRECTION_COUNT] = {"in", "out", "inout"};

bool report_failed;

static uint64_t scale = 1;

/* ---- Element types, directions, sizes -------------------------------------- */

/* Stub octets of one fragment of the transport: frag length less the header. */
static size_t fragment_octets(const char *binding)
{
    return strncmp(binding, "ncacn_ip_tcp", 12) == 0 ? 5840 - 24 : 65528 - 24;
}

static void run_size(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
                     uint64_t count, unsigned long chunk_max, unsigned how)
{
    static uint32_t seed = 1;
    const flow_plan client = {count, seed, (uint32_t)chunk_max, FLOW_EVENT | how};
    const flow_plan server = {count, seed, (uint32_t)(chunk_max * 2 / 3 + 1), FLOW_EVENT | how};
    seed++;
    RPC_STATUS status = run(h, index, direction, &client, &server);
    char name[96];
    snprintf(name, sizeof(name), "%s-%s-%llu-by-%lu%s", elements[index].name,
             direction_names[direction], (unsigned long long)count, chunk_max,
             how & FLOW_EXACT ? "-exact" : "");
    report(status == RPC_S_OK, name, "status", status, 0);
}

static void set_pipes(RPC_BINDING_HANDLE h, const char *binding)
{
    for (unsigned i = 0; i < ELEMENT_COUNT; i++) {
        const size_t stride = elements[i].stride;
        const size_t fragment = fragment_octets(binding) / stride;
        const uint64_t large = (10u << 20) / stride / scale;
        for (unsigned d = 0; d < DIRECTION_COUNT; d++) {
            run_size(h, i, d, 0, 10, 0);
            run_size(h, i, d, 1, 10, 0);
            /* Pushed whole: the end falls just before, on and behind a fragment's. */
            for (size_t n = fragment - 2; n <= fragment + 2; n++)
                run_size(h, i, d, n, n, FLOW_EXACT);
            run_size(h, i, d, 2 * fragment + 1, 7, FLOW_EXACT);
            run_size(h, i, d, 3 * fragment - 1, fragment / 3 + 5, 0);
            run_size(h, i, d, large, 40000, 0);
            run_size(h, i, d, large + 1, 1u << 20, 0);
        }
    }
}

/* The checks themselves: data, and how much of it, other than expected are noticed on
 * the side they arrive at. */
static void set_wrong(RPC_BINDING_HANDLE h)
{
    const flow_plan right = {1000, 7, 100, FLOW_EVENT}, other_seed = {1000, 8, 100, FLOW_EVENT},
                    other_count = {1001, 7, 100, FLOW_EVENT};
    static const RPC_STATUS data = FLOW_WRONG_DATA, count = FLOW_WRONG_COUNT;
    for (unsigned i = 0; i < ELEMENT_COUNT; i++) {
        for (unsigned d = 0; d < BOTH_WAYS; d++) {
            char name[64];
            RPC_STATUS status = run(h, i, d, &right, &other_seed);
            snprintf(name, sizeof(name), "wrong-data-%s-%s", elements[i].name,
                     direction_names[d]);
            report(status == data, name, "status", status, data);
            status = run(h, i, d, &right, &other_count);
            snprintf(name, sizeof(name), "wrong-count-%s-%s", elements[i].name,
                     direction_names[d]);
            report(status == count, name, "status", status, count);
        }
    }
}

/* ---- More than 32 bits count ------------------------------------------------ */

static void set_huge(RPC_BINDING_HANDLE h, enum direction direction)
{
    const uint64_t count = UINT64_C(5) * 1000 * 1000 * 1000 / scale + 1;
    const flow_plan client = {count, 99, OCTETS_RUN, FLOW_EVENT | FLOW_FROM_PATTERN};
    const flow_plan server = {count, 99, OCTETS_RUN, FLOW_EVENT | FLOW_FROM_PATTERN};
    RPC_STATUS status = run(h, ELEMENT_byte, direction, &client, &server);
    char name[64];
    snprintf(name, sizeof(name), "huge-%s-%llu", direction_names[direction],
             (unsigned long long)count);
    report(status == RPC_S_OK, name, "status", status, 0);
}

bool run_set(RPC_BINDING_HANDLE h, const char *binding, const char *name)
{
    const char *text = getenv("PENSTOCK_TEST_SCALE");
    scale = text ? strtoull(text, NULL, 10) : 1;
    scale = scale == 0 ? 1 : scale;
    if (strcmp(name, "pipes") == 0)
        set_pipes(h, binding);
    else if (strcmp(name, "wrong") == 0)
        set_wrong(h);
    else if (strcmp(name, "huge-in") == 0)
        set_huge(h, TO_SERVER);
    else if (strcmp(name, "huge-out") == 0)
        set_huge(h, TO_CLIENT);
    else
        return false;
    return true;
}
