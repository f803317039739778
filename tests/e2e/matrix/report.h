/* SPDX-License-Identifier: MIT */
/* report.h - one line per test case, and the values all clients of the matrix send. */
#ifndef MATRIX_REPORT_H
#define MATRIX_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rpc.h"

extern bool report_failed; /* sets.c */

/* "ok NAME", or "FAILED NAME why". */
static inline void report(bool ok, const char *name, const char *why, long got, long wanted)
{
    if (ok) {
        printf("ok %s\n", name);
    } else {
        printf("FAILED %s %s: %ld, not %ld\n", name, why, got, wanted);
        report_failed = true;
    }
    fflush(stdout);
}

static inline RPC_BINDING_HANDLE bind_to(const char *text)
{
    RPC_BINDING_HANDLE binding = NULL;
    RPC_STATUS status = RpcBindingFromStringBinding((RPC_CSTR)(uintptr_t)text, &binding);
    if (status != RPC_S_OK)
        fprintf(stderr, "%s: %d\n", text, (int)status);
    return binding;
}

/* Lengths of the arrays and strings that travel: nothing, little, several fragments. */
static const uint32_t report_lengths[] = {0, 1, 7, 5800, 5840, 65504, 100000, 1000000};
#define REPORT_LENGTHS (sizeof(report_lengths) / sizeof(report_lengths[0]))

#endif
