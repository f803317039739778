/* SPDX-License-Identifier: MIT */
/* trace.c - formats trace lines and hands each to the sink in one piece. */
#include "base/trace.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* One line, octets: longer ones are cut.  Below PIPE_BUF (4,096), so that lines of
 * several threads or processes do not mix when standard error is a pipe. */
#define LINE_MAX_LEN 1024u

atomic_uint trace_mask = ~0u;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t start_us;
static trace_sink *the_sink;
static void *the_context;

static const struct {
    const char *name;
    unsigned bits;
} class_names[] = {
    {"pdu", TRACE_PDU},     {"call", TRACE_CALL}, {"pipe", TRACE_PIPE},
    {"assoc", TRACE_ASSOC}, {"io", TRACE_IO},     {"ndr", TRACE_NDR},   {"all", ~0u},
};
#define CLASS_COUNT (sizeof(class_names) / sizeof(class_names[0]))

/* The bits of one name, 0 when there is no such class. */
static unsigned class_bits(const char *name, size_t len)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (strlen(class_names[i].name) == len && memcmp(class_names[i].name, name, len) == 0)
            return class_names[i].bits;
    return 0;
}

/* Sets *ret_mask to the classes that are known; false when one is not. */
static bool parse_classes(const char *names, unsigned *ret_mask)
{
    bool all_known = true;
    *ret_mask = 0;
    while (*names) {
        size_t len = strcspn(names, ",");
        unsigned bits = class_bits(names, len);
        if (bits == 0 && len > 0)
            all_known = false;
        *ret_mask |= bits;
        names += len;
        if (*names == ',')
            names++;
    }
    return all_known;
}

static void read_environment(void)
{
    start_us = clock_us();
    unsigned mask = 0;
    /* Not for programs with raised privileges: the invoker must not look inside. */
    const char *names = secure_getenv("PENSTOCK_TRACE");
    if (names)
        (void)parse_classes(names, &mask); /* a misspelt name must not stop a program */
    atomic_store(&trace_mask, mask);
}

bool trace_set_classes(const char *names)
{
    unsigned mask;
    if (!parse_classes(names, &mask))
        return false;
    pthread_once(&once, read_environment);
    atomic_store(&trace_mask, mask);
    return true;
}

void trace_set_sink(trace_sink *sink, void *context)
{
    the_sink = sink;
    the_context = context;
}

/* Names and texts in a line may come from a peer: keep them from forging lines or
 * talking to the terminal. */
static void defuse(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

/* What snprintf() put into `room` octets for its result `n`. */
static size_t written_len(int n, size_t room)
{
    if (n < 0)
        return 0;
    return (size_t)n < room ? (size_t)n : room - 1;
}

static const char *class_name(unsigned bits)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (class_names[i].bits & bits)
            return class_names[i].name;
    return "?";
}

static void emit(const char *line, size_t len)
{
    if (the_sink) {
        the_sink(the_context, line, len);
        return;
    }
    /* A trace that cannot be written is lost; there is nobody to tell. */
    ssize_t n = write(STDERR_FILENO, line, len);
    (void)n;
}

void trace_line(enum trace_class class_of_line, const char *format, ...)
{
    int saved_errno = errno;
    pthread_once(&once, read_environment);
    if (!trace_enabled(class_of_line)) {
        errno = saved_errno;
        return;
    }
    uint64_t now_us = clock_us() - start_us;
    char line[LINE_MAX_LEN];
    int n =
        snprintf(line, sizeof(line), "%llu.%06u [%d] %s: ", (unsigned long long)(now_us / 1000000u),
                 (unsigned)(now_us % 1000000u), (int)gettid(), class_name(class_of_line));
    size_t len = written_len(n, sizeof(line));

    size_t room = sizeof(line) - len - 1; /* one octet for the newline */
    va_list args;
    va_start(args, format);
    n = vsnprintf(line + len, room, format, args);
    va_end(args);
    size_t text_len = written_len(n, room);
    defuse(line + len, text_len);
    len += text_len;
    line[len++] = '\n';
    line[len] = '\0';
    emit(line, len);
    errno = saved_errno;
}
