/* SPDX-License-Identifier: MIT */
/* vectors.h - reads annotated octets from tests/vectors/<name>.hex: pairs of
 * hexadecimal digits, anything from '#' to the end of the line is a comment.
 *
 * The folder is $PENSTOCK_VECTORS, or tests/vectors under the directory the test
 * runs in.  A vector that is missing or unreadable ends the test program, so that
 * no test passes because its octets were not there. */
#ifndef PENSTOCK_TESTS_UNIT_VECTORS_H
#define PENSTOCK_TESTS_UNIT_VECTORS_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vector {
    uint8_t octets[512];
    size_t len;
};

static inline void vector_die(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    exit(2);
}

/* The next significant character of the file, comments skipped; EOF at its end. */
static inline int vector_char(FILE *file)
{
    int c = getc(file);
    if (c == '#')
        while (c != '\n' && c != EOF)
            c = getc(file);
    return c;
}

static inline int vector_digit(const char *path, int c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c > 0 ? strchr(digits, tolower(c)) : NULL;
    if (!at)
        vector_die(path, "not a hexadecimal digit");
    return (int)(at - digits);
}

static inline struct vector vector_load(const char *name)
{
    const char *folder = getenv("PENSTOCK_VECTORS");
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.hex", folder ? folder : "tests/vectors", name);
    FILE *file = fopen(path, "r");
    if (!file)
        vector_die(path, "cannot be opened");

    struct vector v = {.len = 0};
    for (int c = vector_char(file); c != EOF; c = vector_char(file)) {
        if (isspace(c))
            continue;
        int high = vector_digit(path, c);
        int low = vector_digit(path, vector_char(file));
        if (v.len == sizeof(v.octets))
            vector_die(path, "too long");
        v.octets[v.len++] = (uint8_t)(high << 4 | low);
    }
    fclose(file);
    if (v.len == 0)
        vector_die(path, "empty");
    return v;
}

/* A heap copy of exactly `len` octets: the address sanitizer sees any octet read
 * behind it.  The caller frees it. */
static inline uint8_t *exact_copy(const uint8_t *octets, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (!copy)
        vector_die("exact_copy", "out of memory");
    if (len > 0)
        memcpy(copy, octets, len);
    return copy;
}

#endif
