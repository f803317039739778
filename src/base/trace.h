/* SPDX-License-Identifier: MIT */
/* trace.h - one line per event worth seeing, when asked for.
 *
 *   PENSTOCK_TRACE=pdu,call,pipe,assoc,io,ndr    any of them, or "all"
 *
 * Lines go to standard error:  "0.001234 [4711] pdu: bind call 1, 160 octets".
 * Seconds since the first line; thread number as top(1) shows it.  Always compiled
 * in; switched off it costs one load and one branch that is predicted well.
 * Never traced: keys, passwords, plain text of sealed data. */
#ifndef PENSTOCK_BASE_TRACE_H
#define PENSTOCK_BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum trace_class {
    TRACE_PDU = 1u << 0,   /* each PDU sent and received         */
    TRACE_CALL = 1u << 1,  /* life of calls                      */
    TRACE_PIPE = 1u << 2,  /* chunks, water marks                */
    TRACE_ASSOC = 1u << 3, /* life of associations, negotiation  */
    TRACE_IO = 1u << 4,    /* sockets, threads, system errors    */
    TRACE_NDR = 1u << 5    /* values of parameters               */
};

/* The classes asked for.  Before the environment was read all bits are set, so
 * that the first TRACE reads it.  Not to be used directly. */
extern atomic_uint trace_mask;

/* Is any of `classes` traced?  For work done only to be traced. */
static inline bool trace_enabled(unsigned classes)
{
    return __builtin_expect(
        (atomic_load_explicit(&trace_mask, memory_order_relaxed) & classes) != 0, 0);
}

/* TRACE(TRACE_PDU, "bind call %u", call_id): arguments are evaluated only when the
 * class is traced; errno is preserved; no newline at the end. */
#define TRACE(class, ...)                                                                          \
    do {                                                                                           \
        if (trace_enabled(class))                                                                  \
            trace_line((class), __VA_ARGS__);                                                      \
    } while (0)

void trace_line(enum trace_class class_of_line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Receives each line, newline included, NUL after `len` characters; borrowed for the
 * call.  Called by any thread, several at once. */
typedef void trace_sink(void *context, const char *line, size_t len);

/* Sends lines to `sink` instead of standard error; NULL restores that.  To be called
 * while no other thread traces (tests, start of a tool). */
void trace_set_sink(trace_sink *sink, void *context);

/* Sets the classes, as PENSTOCK_TRACE would: names separated by commas.  False, and
 * nothing changed, when a name is unknown. */
bool trace_set_classes(const char *names);

#endif
