/* SPDX-License-Identifier: MIT */
/* matrix_client_sync.c - the interface compiled without the ACF, called.
 *
 *     matrix_client_sync BINDING SET
 *
 * Sets: values (operations without pipes), and those of sets.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elements.h"
#include "flow.h"
#include "memory.h"
#include "report.h"
#include "rpc.h"
#include "sets.h"
#include "sync_flow.h"

static void test_add(RPC_BINDING_HANDLE h)
{
    int64_t sum = 0;
    volatile RPC_STATUS status = RPC_S_OK;
    volatile int32_t result = 0;
    RpcTryExcept {
        result = add(h, -5, INT64_C(1) << 40, &sum);
    }
    RpcExcept(1) {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    report(status == RPC_S_OK, "add-status", "raised", status, 0);
    report(sum == (INT64_C(1) << 40) - 5, "add-out", "sum", (long)sum, (INT64_C(1) << 40) - 5);
    report(result == (sum & 0x7fff), "add-result", "result", result, (long)(sum & 0x7fff));
}

static bool reversed(const byte *in, const byte *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (out[i] != in[n - 1 - i])
            return false;
    return true;
}

static void test_reverse(RPC_BINDING_HANDLE h)
{
    for (size_t i = 0; i < REPORT_LENGTHS; i++) {
        uint32_t n = report_lengths[i];
        byte *in = malloc(n + 1), *out = calloc(n + 1, 1);
        volatile RPC_STATUS status = RPC_S_OK;
        if (!in || !out)
            abort();
        elements[ELEMENT_byte].fill(0, n, in, n);
        RpcTryExcept {
            reverse(h, n, in, out);
        }
        RpcExcept(1) {
            status = (RPC_STATUS)RpcExceptionCode();
        }
        RpcEndExcept
        char name[32];
        snprintf(name, sizeof(name), "reverse-%u", (unsigned)n);
        report(status == RPC_S_OK && reversed(in, out, n), name, "status", status, 0);
        free(in);
        free(out);
    }
}

static void test_length(RPC_BINDING_HANDLE h)
{
    for (size_t i = 0; i < REPORT_LENGTHS; i++) {
        uint32_t n = report_lengths[i];
        char *text = malloc(n + 1);
        volatile uint32_t result = 0;
        if (!text)
            abort();
        memset(text, 'x', n);
        text[n] = '\0';
        RpcTryExcept {
            result = length(h, (unsigned char *)text);
        }
        RpcExcept(1) {
            result = UINT32_MAX;
        }
        RpcEndExcept
        char name[32];
        snprintf(name, sizeof(name), "length-%u", (unsigned)n);
        report(result == n, name, "length", result, n);
        free(text);
    }
}

static void test_fail(RPC_BINDING_HANDLE h)
{
    static const uint32_t codes[] = {5, 1726, 0x20001234, 0x20001235, 0xe0460001};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        volatile uint32_t caught = 0;
        RpcTryExcept {
            raise_code(h, codes[i]);
        }
        RpcExcept(1) {
            caught = RpcExceptionCode();
        }
        RpcEndExcept
        char name[32];
        snprintf(name, sizeof(name), "fail-%x", codes[i]);
        report(caught == codes[i], name, "code", caught, codes[i]);
    }
}

/* ---- Calls with pipes -------------------------------------------------------- */

#define CALL_CASE(name, type)                                                                      \
    case ELEMENT_##name:                                                                           \
        if (direction == TO_SERVER)                                                                \
            sink_##name(h, server, (name##_pipe *)&flow->pipe, got);                               \
        else if (direction == TO_CLIENT)                                                           \
            source_##name(h, server, (name##_pipe *)&flow->pipe);                                  \
        else                                                                                       \
            swap_##name(h, server, (name##_pipe *)&flow->pipe, got);                               \
        break;

static void call_stub(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
                      const flow_plan *server, struct sync_flow *flow, uint64_t *got)
{
    switch (index) {
        ELEMENTS(CALL_CASE)
    case ELEMENT_COUNT:
        break;
    }
}

RPC_STATUS run(RPC_BINDING_HANDLE h, enum element_index index, enum direction direction,
               const flow_plan *client, const flow_plan *server)
{
    struct sync_flow *flow = sync_flow_client(&elements[index], client);
    uint64_t got = UINT64_MAX;
    volatile RPC_STATUS status = RPC_S_OK;
    RpcTryExcept {
        call_stub(h, index, direction, server, flow, &got);
    }
    RpcExcept(1) {
        status = (RPC_STATUS)RpcExceptionCode();
    }
    RpcEndExcept
    if (status == RPC_S_OK && direction != TO_CLIENT && got != client->count)
        status = FLOW_WRONG_COUNT;
    if (status == RPC_S_OK && direction != TO_SERVER && flow->received != client->count)
        status = FLOW_WRONG_COUNT;
    sync_flow_free(flow);
    return status;
}

static void set_values(RPC_BINDING_HANDLE h)
{
    test_add(h);
    test_reverse(h);
    test_length(h);
    test_fail(h);
}

int main(int argc, char **argv)
{
    RPC_BINDING_HANDLE h = argc == 3 ? bind_to(argv[1]) : NULL;
    if (!h)
        return 2;
    if (strcmp(argv[2], "values") == 0)
        set_values(h);
    else if (!run_set(h, argv[1], argv[2]))
        return 2;
    test_add(h); /* still fine after all that */
    RpcBindingFree(&h);
    return report_failed;
}
