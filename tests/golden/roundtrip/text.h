/* SPDX-License-Identifier: MIT */
/* text.h - a text that grows; without memory the program ends. */
#ifndef PENSTOCK_TESTS_GOLDEN_TEXT_H
#define PENSTOCK_TESTS_GOLDEN_TEXT_H

#include <stddef.h>

struct text {
    char *chars; /* NUL terminated; NULL while empty */
    size_t len, capacity;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_fini(struct text *text);

/* Says what is wrong and ends the program: status 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
