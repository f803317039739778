/* SPDX-License-Identifier: MIT */
/* bench_epm.c - ept_map on an endpoint mapper with many entries.
 *
 *     bench_epm PORT CPU ENTRIES COUNT
 *
 * Inserts ENTRIES interfaces through the local endpoint epmapper-PORT, then makes COUNT calls of
 * ept_map over TCP for one of them each, on one CPU, and checks each answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "epmapper.h"

#define BATCH 100u
#define TOWER_LEN 75u
/* Where in a tower the interface's UUID and the port are. */
#define UUID_AT 5u
#define PORT_AT 64u

/* TCP, NDR 2.0, an interface 1.0 (docs: src/wire/tower.h). */
static const uint8_t pattern[TOWER_LEN] = {
    5,    0,    19,   0,    13,   0,    0,    0,    0,    0xbe, 0xb0, 0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    1,    0,    2,    0,    0,    0,    19,   0,    13,
    0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48,
    0x60, 2,    0,    2,    0,    0,    0,    1,    0,    11,   2,    0,    0,    0,    1,
    0,    7,    2,    0,    0,    0,    1,    0,    9,    4,    0,    0,    0,    0,    0};

static twr_t *tower_new(uint32_t number, unsigned port)
{
    twr_t *tower = malloc(offsetof(twr_t, tower_octet_string) + TOWER_LEN);
    if (!tower)
        die("out of memory");
    tower->tower_length = TOWER_LEN;
    memcpy(tower->tower_octet_string, pattern, TOWER_LEN);
    for (unsigned i = 0; i < 4; i++)
        tower->tower_octet_string[UUID_AT + i] = (uint8_t)(number >> 8 * i);
    tower->tower_octet_string[PORT_AT] = (uint8_t)(port >> 8);
    tower->tower_octet_string[PORT_AT + 1] = (uint8_t)port;
    return tower;
}

static unsigned port_of(uint32_t number)
{
    return 1 + number % 65535;
}

static handle_t bind_to(const char *format, unsigned long port)
{
    char text[64];
    handle_t binding;
    snprintf(text, sizeof(text), format, port);
    if (RpcBindingFromStringBindingA((RPC_CSTR)text, &binding) != RPC_S_OK)
        die("%s is no binding", text);
    return binding;
}

static void insert(handle_t binding, uint32_t count)
{
    static ept_entry_t entries[BATCH];
    for (uint32_t done = 0; done < count;) {
        const uint32_t batch = count - done < BATCH ? count - done : BATCH;
        error_status_t status = 0;
        for (uint32_t i = 0; i < batch; i++)
            entries[i].tower = tower_new(done + i, port_of(done + i));
        ept_insert(binding, batch, entries, FALSE, &status);
        if (status != 0)
            die("ept_insert: status %#lx", (unsigned long)status);
        for (uint32_t i = 0; i < batch; i++)
            free(entries[i].tower);
        done += batch;
    }
}

/* Returns the nanoseconds of one call. */
static uint64_t timed_map(handle_t binding, uint32_t number)
{
    UUID object = {0};
    ept_lookup_handle_t more = NULL;
    uint32_t count = 0;
    twr_p_t towers[4] = {NULL};
    error_status_t status = 0;
    twr_t *tower = tower_new(number, 0);
    uint64_t start = now_ns();
    ept_map(binding, &object, tower, &more, 4, &count, towers, &status);
    uint64_t elapsed = now_ns() - start;
    if (status != 0 || count != 1 || more || towers[0]->tower_length != TOWER_LEN ||
        (towers[0]->tower_octet_string[PORT_AT] << 8 |
         towers[0]->tower_octet_string[PORT_AT + 1]) != (int)port_of(number))
        die("wrong answer for entry %lu: status %#lx, %lu towers", (unsigned long)number,
            (unsigned long)status, (unsigned long)count);
    free(towers[0]);
    free(tower);
    return elapsed;
}

static void measure(handle_t binding, uint32_t entries, uint64_t count)
{
    uint64_t *ns = calloc(count, sizeof(*ns));
    if (!ns)
        die("out of memory");
    for (uint64_t i = 0; i < count / 10; i++)
        timed_map(binding, (uint32_t)(i * 7919 % entries));
    for (uint64_t i = 0; i < count; i++)
        ns[i] = timed_map(binding, (uint32_t)(i * 7919 % entries));
    print_latency_result(ns, count);
    free(ns);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("usage: bench_epm PORT CPU ENTRIES COUNT");
    const unsigned long port = (unsigned long)parse_number(argv[1], 1, 65535);
    const uint32_t entries = (uint32_t)parse_number(argv[3], 1, 32768);
    pin_to_cpu((int)parse_number(argv[2], 0, 1023)); /* before the runtime starts a thread */
    handle_t local = bind_to("ncalrpc:[epmapper-%lu]", port);
    handle_t tcp = bind_to("ncacn_ip_tcp:127.0.0.1[%lu]", port);
    RpcTryExcept
    {
        insert(local, entries);
        measure(tcp, entries, parse_number(argv[4], 1, 10000000));
    }
    RpcExcept(1)
    {
        die("a call raised status %lu", (unsigned long)RpcExceptionCode());
    }
    RpcEndExcept
    RpcBindingFree(&local);
    RpcBindingFree(&tcp);
    return EXIT_SUCCESS;
}

void *MIDL_user_allocate(size_t size)
{
    return malloc(size);
}

void MIDL_user_free(void *object)
{
    free(object);
}
